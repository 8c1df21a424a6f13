package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
)

// The parts of a version.
const (
	partPrompt = iota
	partModel
	partTools
	partCode
	partPolicy
	partCount
)

var partNames = [partCount]string{"prompt", "model", "tools", "code", "policy"}

// A version is a set of values for each part: an agent may have two prompts,
// three models. What noise does to such a set is held off like this:
//
//	a new value is seen      wait settleAfter for what else changes with it
//	its part was steady      it counts at once
//	... was not steady       it counts when two runs had it
//	three of four prompts    the lines they share are a template, which takes the
//	  are each seen once     place of all of them and makes no version
//	a value is not seen in   it is gone: a version without it
//	  ten times its usual gap
//	a part that was not      fills in the version there is
//	  known becomes known
const (
	settleAfter = 20 * time.Second
	steadyRuns  = 3  // runs with the values there were, before a new one counts at once
	newRuns     = 2  // else it needs so many
	goneGaps    = 10 // times its usual gap
	goneRuns    = 20 // and at least so many runs
	maxValues   = 64 // of a part
	loosePrompt = 3  // prompts seen once that make a template
)

// value is one value of a part.
type value struct {
	Hash     string   `json:"hash"`
	Name     string   `json:"name,omitempty"`
	Lines    []uint64 `json:"lines,omitempty"` // prompts; of a template those that all have
	Template bool     `json:"template,omitempty"`
	In       bool     `json:"in"`   // part of the current version
	Runs     int64    `json:"runs"` // that had it
	Last     int64    `json:"last"` // the part's runs when it was last seen
	At       int64    `json:"at"`   // ns, first seen
	SeenAt   int64    `json:"seen"` // ns, last seen, of the observer's clock
	Gap      float64  `json:"gap"`  // usual runs between two sightings
	run      activity.RunID
}

// part is one part of an agent.
type part struct {
	Runs   int64   `json:"runs"` // in which any value of it was seen
	Values []value `json:"values,omitempty"`
	run    activity.RunID
}

// parts is what is known of what one agent is made of.
type parts struct {
	Parts   [partCount]part `json:"parts"`
	Pending int64           `json:"pending"` // ns since when something new waits, of the senders' clock; 0 nothing
	Latest  int64           `json:"latest"`  // ns of the last sighting
	Number  int64           `json:"number"`  // of the current version; 0 none yet
	Hash    string          `json:"hash"`
	Hashes  [partCount]string

	place   place
	id      string
	lastRun activity.RunID
	waits   int64 // ns of our clock since when something waits
	readAt  int64 // when one of its prompts was last read
	asked   int64 // when the policies were last asked
	dirty   bool  // not in the database as it is here
}

// lateBy is how much older than the last sighting one may be and still say what
// the agent is: what comes later than that tells of the past.
const lateBy = int64(5 * time.Minute)

// seen notes that a run had a value of a part. Time is the senders', so that a
// backlog tells the versions that there were; what follows a wait is settled
// before it. The caller holds the lock.
func (f *Fleet) seen(t *parts, which int, v value, run activity.RunID, at int64) {
	if at < t.Latest-lateBy {
		return
	}
	if t.Latest = max(t.Latest, at); t.Pending != 0 && at-t.Pending >= int64(settleAfter) {
		f.settled(t, true)
	}
	t.seen(which, v, run, at, f.clock)
}

// seen is the part of Fleet.seen that knows nothing of the fleet; clock is our
// own.
func (t *parts) seen(which int, v value, run activity.RunID, at, clock int64) {
	p := &t.Parts[which]
	if p.run != run || p.Runs == 0 {
		p.Runs++
		p.run = run
	}
	t.lastRun, t.dirty = run, true
	i := slices.IndexFunc(p.Values, func(have value) bool { return have.is(&v) })
	if i < 0 {
		if len(p.Values) >= maxValues {
			p.forget()
		}
		v.SeenAt, v.Last, v.Runs, v.Gap, v.run = at, p.Runs, 1, 1, run
		p.Values = append(p.Values, v)
		t.wait(at, clock)
		return
	}
	have := &p.Values[i]
	have.SeenAt = max(have.SeenAt, at)
	if have.run == run && have.Last > 0 {
		return
	}
	if gap := float64(p.Runs - have.Last); gap > 0 {
		have.Gap += (gap - have.Gap) / 8
	}
	have.Last, have.run = p.Runs, run
	have.Runs++
	if !have.In { // it was gone, or waited for a second run
		t.wait(at, clock)
	}
}

func (t *parts) wait(at, clock int64) {
	if t.Pending == 0 {
		t.Pending, t.waits = at, clock
	}
}

// is reports whether a sighting is of this value.
func (v *value) is(seen *value) bool {
	return v.Hash == seen.Hash || v.Template && seen.Lines != nil && covers(v.Lines, seen.Lines)
}

// forget drops the value that is longest out of use.
func (p *part) forget() {
	worst := -1
	for i := range p.Values {
		if !p.Values[i].In && (worst < 0 || p.Values[i].Last < p.Values[worst].Last) {
			worst = i
		}
	}
	if worst < 0 {
		worst = 0
	}
	p.Values = slices.Delete(p.Values, worst, worst+1)
}

// settle decides what the version now is; due is true when what waits has waited
// long enough. fresh is true when it is another version, filled when the one
// there was is known better.
func (t *parts) settle(due bool) (changed []string, fresh, filled bool) {
	gone := false
	var quiet [partCount]bool // what went was never more than a first try
	for i := range t.Parts {
		var went bool
		went, quiet[i] = t.Parts[i].gone()
		gone = gone || went
	}
	if !due && !gone {
		return nil, false, false
	}
	if due {
		for i := range t.Parts {
			t.Parts[i].admit(i, t.Pending)
		}
		t.Pending = 0 // what waits for a second run begins a wait of its own then
	}
	t.dirty = true
	before := t.Hashes
	for i := range t.Parts {
		t.Hashes[i] = t.Parts[i].hash()
	}
	for i := range t.Parts {
		if t.Hashes[i] == before[i] {
			continue
		}
		if (before[i] == "" || quiet[i] && !due) && t.Number > 0 {
			filled = true
			continue
		}
		changed = append(changed, partNames[i])
	}
	if len(changed) == 0 && !filled {
		return nil, false, false
	}
	t.Hash = hashOf(t.Hashes[:]...)
	if len(changed) == 0 {
		return nil, false, true
	}
	if t.Number == 0 {
		changed = nil // the first version differs from nothing
	}
	t.Number++
	return changed, true, false
}

// gone takes values out that are not used any more. quiet is true when those
// were seen in one run only.
func (p *part) gone() (changed, quiet bool) {
	in := 0
	quiet = true
	for i := range p.Values {
		if p.Values[i].In {
			in++
		}
	}
	for i := range p.Values {
		v := &p.Values[i]
		if v.In && in > 1 && float64(p.Runs-v.Last) > max(goneRuns, goneGaps*v.Gap) {
			v.In = false
			in--
			changed, quiet = true, quiet && v.Runs == 1
		}
	}
	return changed, changed && quiet
}

// admit takes in the values that came since pending.
func (p *part) admit(which int, pending int64) {
	if which == partPrompt && p.generalise() {
		return
	}
	none, steady, beside := true, false, true
	for i := range p.Values {
		if v := &p.Values[i]; v.In {
			none = false
			if v.Runs >= steadyRuns {
				steady, beside = true, beside && v.SeenAt >= pending
			}
		}
	}
	enough := func(v *value) bool {
		switch which {
		case partModel: // a fallback that answered once is no other version
			return none || v.Runs >= newRuns
		case partPrompt: // nor is one more system message that was filled in
			return none || v.Runs >= newRuns || steady && !beside
		}
		return true
	}
	var came []int
	for i := range p.Values {
		if v := &p.Values[i]; !v.In && v.SeenAt >= pending && enough(v) {
			came = append(came, i)
		}
	}
	if len(came) == 0 {
		return
	}
	for i := range p.Values {
		v := &p.Values[i]
		if !v.In || v.SeenAt >= pending {
			continue
		}
		// It was not seen since the new ones came. A tool of the same name is
		// replaced; other values are when they would have been seen by now.
		replaced := slices.ContainsFunc(came, func(k int) bool { return p.Values[k].Name == v.Name && v.Name != "" })
		if which == partTools && !replaced && p.Runs-v.Last < 2 {
			continue
		}
		if replaced || which == partCode || which == partPolicy || float64(p.Runs-v.Last) >= v.Gap {
			v.In = false
		}
	}
	for _, i := range came {
		p.Values[i].In = true
	}
}

// generalise looks for prompts that were each seen once, in runs of their own,
// and begin alike: one prompt with something filled in.
func (p *part) generalise() (did bool) {
	groups := make(map[uint64][]int)
	for i := range p.Values {
		if v := &p.Values[i]; !v.Template && v.Runs == 1 && len(v.Lines) > 0 && p.Runs-v.Last < 16 {
			groups[v.Lines[0]] = append(groups[v.Lines[0]], i)
		}
	}
	for _, loose := range groups {
		runs := make(map[int64]bool)
		for _, i := range loose {
			runs[p.Values[i].Last] = true
		}
		// One at a time: the places in p.Values move.
		if len(runs) >= loosePrompt && p.template(loose) {
			return true
		}
	}
	return false
}

// template puts the lines that loose prompts share in the place of them all,
// when they share enough to be one prompt with something filled in. It keeps
// the hash of the one that is part of the version, so that no new one comes of
// it.
func (p *part) template(loose []int) bool {
	var all [][]uint64
	size := 0
	for _, i := range loose {
		all = append(all, p.Values[i].Lines)
		size += len(p.Values[i].Lines)
	}
	shared := common(all)
	if len(shared) < 1 || len(shared)*5*len(loose) < size { // a fifth of their lines on average
		return false
	}
	t := p.Values[loose[0]]
	for i := range p.Values {
		if p.Values[i].In && covers(shared, p.Values[i].Lines) {
			t = p.Values[i]
			break
		}
	}
	t.Lines, t.Template, t.In = shared, true, true
	for i := range p.Values {
		if v := &p.Values[i]; covers(shared, v.Lines) {
			t.Runs, t.Last, t.SeenAt = max(t.Runs, v.Runs), max(t.Last, v.Last), max(t.SeenAt, v.SeenAt)
		}
	}
	t.Runs, t.Gap = max(t.Runs, int64(len(loose))), 1
	p.Values = slices.DeleteFunc(p.Values, func(v value) bool { return covers(shared, v.Lines) })
	p.Values = append(p.Values, t)
	return true
}

// hash is the hash of the values that are in; "" for none.
func (p *part) hash() string {
	var in []string
	for i := range p.Values {
		if p.Values[i].In {
			in = append(in, p.Values[i].Hash)
		}
	}
	if len(in) == 0 {
		return ""
	}
	slices.Sort(in)
	return hashOf(in...)
}

// names are what the values that are in are called.
func (p *part) names() []string {
	var out []string
	for i := range p.Values {
		if v := &p.Values[i]; v.In {
			out = append(out, cmp.Or(v.Name, v.Hash))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// part notes a value that is named by its text alone. The caller holds the lock.
func (f *Fleet) part(c *claim, which int, name string, run activity.RunID, at int64) {
	if name == "" {
		return
	}
	t := f.partsOf(c)
	if t == nil {
		return
	}
	// The usual case, without a hash: the same value in the same run.
	p := &t.Parts[which]
	if p.run == run {
		for i := range p.Values {
			if v := &p.Values[i]; v.run == run && v.Name == name {
				v.SeenAt = max(v.SeenAt, at)
				return
			}
		}
	}
	for i := range p.Values {
		if p.Values[i].Name == name {
			f.seen(t, which, value{Hash: p.Values[i].Hash}, run, at)
			return
		}
	}
	name = strings.Clone(cutWord(name))
	f.seen(t, which, value{Hash: hashOf(name), Name: name}, run, at)
}

// partsOf finds or makes what is known of the parts of a claim's agent. All
// claims of one name share it.
func (f *Fleet) partsOf(c *claim) *parts {
	if c.parts != nil {
		return c.parts
	}
	p := c.place()
	t := f.parts[p]
	if t == nil {
		if len(f.parts) >= maxClaims {
			return nil
		}
		t = &parts{place: p, id: p.id()}
		f.parts[p] = t
	}
	c.parts = t
	return t
}
