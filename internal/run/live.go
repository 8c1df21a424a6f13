package run

import (
	"bytes"
	"slices"

	"reeve/internal/activity"
)

// step is what memory keeps of a step once it is stored: enough to count it,
// to find its place in the tree, to take its share of the rollups back and to
// know an exact resend. 80 bytes, and no pointer: under load there are
// hundreds of thousands, and the collector need not look into them.
type step struct {
	id       activity.StepID
	start    int64
	end      int64
	hash     uint64 // of its first fragment
	key      int32  // model, tool or source: its place in live.texts; none
	parent   int32  // index of its parent, none when it has none
	profile  int32  // index into live.profiles
	usage    int32  // index into live.usages, none without usage or cost
	revision uint32
	slot     int32  // where its fold lies in the write of number write
	write    uint32 // the last write it was part of; 0: only in the store
	flags    activity.Flag
	kind     activity.Kind
	status   activity.Status
	bits     uint16
}

const none int32 = -1

// Bits of a step.
const (
	bitSeen        uint16 = 1 << iota // a fragment of it arrived; else only a child named it
	bitCall                           // activity.Step.Call
	bitCounted                        // activity.Step.Counted
	bitCycle                          // on a circle of parents
	bitContributed                    // its share is in the rollups
	bitWaiting
	bitContentOnly // only log records of it arrived
	bitHashes      // it has more fragments; see live.hashes
)

func (s *step) is(bit uint16) bool { return s.bits&bit != 0 }

func (s *step) set(bit uint16, on bool) {
	if on {
		s.bits |= bit
	} else {
		s.bits &^= bit
	}
}

func (s *step) model() bool {
	return s.is(bitSeen) && (s.kind == activity.KindModel || s.kind == activity.KindEmbedding) && s.flags&activity.FlagJoined == 0
}

func (s *step) toolCall() bool {
	return s.is(bitSeen) && (s.kind == activity.KindTool || s.kind == activity.KindMCP && s.key != none)
}

// usage is what a step reported and costs.
type usage struct {
	activity.Usage
	nanos    int64
	currency int32 // its place in live.texts; none
	basis    activity.CostBasis
}

// costs notes what a step costs.
func (u *usage) costs(l *live, n *names, c activity.Cost) {
	u.nanos, u.currency, u.basis = c.Nanos, l.text(n, c.Currency), c.Basis
}

func (u *usage) cost(l *live) activity.Cost {
	return activity.Cost{Nanos: u.nanos, Currency: l.texts.at(u.currency), Basis: u.basis}
}

// texts are the few that the steps of a run repeat, which point to them by place.
type texts struct {
	list  []string
	index map[string]int32 // built when they are many
	long  int              // bytes of those that no other run shares
}

const scanTexts = 32 // up to here a scan of texts.list beats a map

// place is where s lies, which is added when it is new; none for no text.
func (t *texts) place(n *names, s string) int32 {
	if s == "" {
		return none
	}
	if t.index != nil {
		if i, ok := t.index[s]; ok {
			return i
		}
	} else {
		for i := len(t.list) - 1; i >= 0; i-- {
			if t.list[i] == s {
				return int32(i)
			}
		}
	}
	i := int32(len(t.list))
	s = n.get(s)
	if len(s) > maxNameSize {
		t.long += len(s)
	}
	t.list = append(roomFor(t.list, 2), s)
	switch {
	case t.index != nil:
		t.index[s] = i
	case len(t.list) > scanTexts:
		t.index = make(map[string]int32, 2*scanTexts)
		for i, s := range t.list {
			t.index[s] = int32(i)
		}
	}
	return i
}

func (t *texts) at(i int32) string {
	if i == none {
		return ""
	}
	return t.list[i]
}

func (t *texts) size() int { return cap(t.list)*16 + len(t.index)*40 + t.long }

// text is the place of a text of l. Texts that no step names any longer are
// dropped when they are many: a step that is told again and again with another
// model must not keep them all.
func (l *live) text(n *names, s string) int32 {
	if len(l.texts.list) > 2*(len(l.steps)+len(l.usages))+2*scanTexts {
		old := l.texts
		l.texts = texts{}
		for i := range l.steps {
			st := &l.steps[i]
			st.key = l.texts.place(n, old.at(st.key))
		}
		for i := range l.usages {
			u := &l.usages[i]
			u.currency = l.texts.place(n, old.at(u.currency))
		}
	}
	return l.texts.place(n, s)
}

// profile is what a step says about its run as a whole. Most steps of a run
// say the same, so a run keeps each distinct profile once.
type profile struct {
	*who
	session, user string
}

// who is what the runs of one agent mostly share.
type who struct {
	agent, agentID, version, environment, task, runName, mode, outcome string
	dialect, team, sender                                              string
	explicit                                                           bool
}

// whos shares them. Two generations bound it, as they do names.
type whos struct{ young, old map[who]*who }

const maxWhos = 4 << 10

// get is one that outlives its batch.
func (w *whos) get(n *names, p who) *who {
	if q := w.young[p]; q != nil {
		return q
	}
	q := w.old[p]
	if q == nil {
		long := false
		for _, t := range [...]*string{
			&p.agent, &p.agentID, &p.version, &p.environment, &p.task, &p.runName, &p.mode, &p.outcome, &p.dialect, &p.team, &p.sender,
		} {
			long = long || len(*t) > maxNameSize
			*t = n.get(*t)
		}
		if q = &p; long {
			return q // its run's alone, as long texts are
		}
	}
	if w.young == nil || len(w.young) >= maxWhos {
		w.old, w.young = w.young, make(map[who]*who)
	}
	w.young[*q] = q
	return q
}

// note is what only few steps have.
type note struct {
	step int32
	what noteKind
	a, b string
}

type noteKind uint8

const (
	noteName  noteKind = iota // of a step without a parent
	noteError                 // an error's type
	noteTag
	noteLabel
	noteLink // a: the run's id, b: the kind
)

// live is a run in memory.
type live struct {
	id       activity.RunID
	steps    []step
	index    map[activity.StepID]int32 // built when steps are many
	usages   []usage
	texts    texts // that steps and usages point to
	profiles []profile
	notes    []note
	hashes   map[int32][]uint64 // further fragments of a step
	traces   []activity.TraceID // sorted, at most maxTraces
	orphan   orphan
	words    *words // nil until the run has content
	account  account

	settled  string // outcome by evidence; "" none
	labelled bool   // and somebody who knows said it
	received int64  // first fragment
	updated  int64  // last fragment
	logs     int64
	rowAt    int64 // when its row was last written; 0: never
	written  uint32
	revision uint32 // of its row
	seen     int32  // steps of which a fragment arrived
	size     int32  // bytes, as last estimated

	status      activity.RunStatus // of the row last written
	ended       bool               // quiet since its root ended, or past its deadline
	stored      bool               // the store may hold messages that words do not know yet
	rowDirty    bool
	rowQueued   bool
	touched     bool // in cur.touched
	noted       bool // in Reader.changed
	overflowing bool // refused steps beyond the limit

	list       *list
	prev, next *live
}

// orphan is the earliest step that has a parent; its name names a run whose
// root has not been seen.
type orphan struct {
	id    activity.StepID
	start int64
	name  string
}

const (
	maxTraces = 16
	scanSteps = 24 // up to here a scan of live.steps beats a map
)

// find is the index of a step, none when the run has no such step.
func (l *live) find(id activity.StepID) int32 {
	if l.index != nil {
		if i, ok := l.index[id]; ok {
			return i
		}
		return none
	}
	for i := range l.steps {
		if l.steps[i].id == id {
			return int32(i)
		}
	}
	return none
}

// place is the index of a step, which is added when it is new.
func (l *live) place(id activity.StepID) int32 {
	if i := l.find(id); i != none {
		return i
	}
	i := int32(len(l.steps))
	l.steps = roomFor(l.steps, 4)
	l.steps = append(l.steps, step{id: id, parent: none, profile: none, usage: none, key: none, end: activity.Unknown})
	switch {
	case l.index != nil:
		l.index[id] = i
	case len(l.steps) > scanSteps:
		l.index = make(map[activity.StepID]int32, 2*scanSteps)
		for j := range l.steps {
			l.index[l.steps[j].id] = int32(j)
		}
	}
	return i
}

// roomFor makes room for one more, in small strides first: most runs have
// about ten steps, and doubling would leave half of memory empty.
func roomFor[T any](s []T, stride int) []T {
	if len(s) < cap(s) || len(s) > 8*stride {
		return s // append knows better from here
	}
	out := make([]T, len(s), len(s)+stride)
	copy(out, s)
	return out
}

func (l *live) addTrace(t activity.TraceID) {
	if t == (activity.TraceID{}) {
		return
	}
	i, found := slices.BinarySearchFunc(l.traces, t, func(a, b activity.TraceID) int { return bytes.Compare(a[:], b[:]) })
	if found {
		return
	}
	// The lowest ids are kept, whatever the order of arrival.
	l.traces = slices.Insert(l.traces, i, t)
	if len(l.traces) > maxTraces {
		l.traces = l.traces[:maxTraces]
	}
}

// knows reports whether a fragment of this hash is already part of step i.
func (l *live) knows(i int32, hash uint64) bool {
	st := &l.steps[i]
	return st.hash == hash || st.is(bitHashes) && slices.Contains(l.hashes[i], hash)
}

// maxHashes bounds what one step remembers of its fragments; beyond it a resend
// is merged again, which changes nothing and costs a little.
const maxHashes = 16

func (l *live) learn(i int32, hash uint64) {
	st := &l.steps[i]
	if st.hash == 0 {
		st.hash = hash
		return
	}
	if l.hashes == nil {
		l.hashes = make(map[int32][]uint64)
	}
	if len(l.hashes[i]) < maxHashes {
		l.hashes[i] = append(l.hashes[i], hash)
	}
	st.set(bitHashes, true)
}

func (l *live) dropNotes(i int32) {
	if len(l.notes) > 0 {
		l.notes = slices.DeleteFunc(l.notes, func(n note) bool { return n.step == i })
	}
}

// root reports whether step i is known to have no parent.
func (l *live) root(i int) bool {
	st := &l.steps[i]
	return st.is(bitSeen) && !st.is(bitContentOnly) && (st.parent == none || st.is(bitCycle))
}

// estimate is the run's share of memory in bytes.
func (l *live) estimate() int32 {
	const head = 640 // the struct, its entry in the map, allocator slack
	n := head + cap(l.steps)*80 + cap(l.usages)*56 + cap(l.profiles)*40 + l.texts.size() + cap(l.notes)*48 + len(l.index)*40 +
		len(l.hashes)*64 + cap(l.traces)*16 + l.words.size()
	return int32(min(n, 1<<30))
}

// list is an intrusive list of runs, oldest change first.
type list struct{ front, back *live }

func (q *list) push(l *live) {
	l.list, l.prev, l.next = q, q.back, nil
	if q.back != nil {
		q.back.next = l
	} else {
		q.front = l
	}
	q.back = l
}

func (l *live) unlink() {
	q := l.list
	if q == nil {
		return
	}
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		q.front = l.next
	}
	if l.next != nil {
		l.next.prev = l.prev
	} else {
		q.back = l.prev
	}
	l.list, l.prev, l.next = nil, nil, nil
}
