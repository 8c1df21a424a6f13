package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Logger *slog.Logger
	Now    func() time.Time
	// Match finds the agent that labels of a team's source name, and whose it is,
	// with the reason in words; nil finds
	// none. It is asked for each new alert, in the way of a delivery: it must not
	// wait.
	Match func(team string, labels map[string]string) (agent, owner, reason string)
	// Committed is told after each write that changed what alerts say; it must
	// not wait. May be nil.
	Committed func()
	// Max is how many alerts are kept; beyond it the oldest resolved ones go. 0 is
	// 100,000.
	Max int
	// Keep is how long a resolved alert is kept; 0 is 90 days.
	Keep time.Duration
}

const (
	defaultMax  = 100_000
	defaultKeep = 90 * 24 * time.Hour
	// maxWaiting bounds the reports that wait for the transaction before.
	maxWaiting = 50_000
	// maxTogether bounds a transaction: who writes for people waits for it.
	maxTogether = 2_000
	// writeTimeout bounds one; callers' own contexts do not end what others share.
	writeTimeout = 30 * time.Second
	// grace is how long after a start nothing is resolved by silence: senders
	// could not be heard before it.
	grace = 5 * time.Minute
)

// Book keeps the alerts.
type Book struct {
	o Options

	mu      sync.Mutex // guards the two
	waiting []*job
	reports int

	write   sync.Mutex // held by who writes; guards index and seq
	index   map[string]*entry
	seq     int64
	opened  time.Time
	firing  atomic.Int64
	kept    atomic.Int64
	taken   atomic.Int64
	batches atomic.Int64
	late    atomic.Int64
}

// job is one caller's reports.
type job struct {
	from    Sender
	reports []Report
	now     time.Time
	done    bool // guarded by Book.write
	err     error
}

// New reads what is kept.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("alert: a database is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Match == nil {
		o.Match = func(string, map[string]string) (string, string, string) { return "", "", "" }
	}
	o.Max, o.Keep = cmp.Or(o.Max, defaultMax), cmp.Or(o.Keep, defaultKeep)
	b := &Book{o: o, opened: o.Now()}
	return b, b.load(ctx)
}

// Stats are counts since the start, and what there is now.
type Stats struct {
	Kept, Firing         int64
	Taken, Late, Batches int64
}

// Stats reads the counts.
func (b *Book) Stats() Stats {
	return Stats{b.kept.Load(), b.firing.Load(), b.taken.Load(), b.late.Load(), b.batches.Load()}
}

// Take keeps what a sender reports. It returns once that is on disk.
func (b *Book) Take(ctx context.Context, from Sender, reports []Report) error {
	for i := range reports {
		if err := reports[i].Check(); err != nil {
			return err
		}
		reports[i].bound()
	}
	if len(reports) == 0 {
		return nil
	}
	j := &job{from: from, reports: reports, now: b.o.Now()}
	b.mu.Lock()
	if b.reports+len(reports) > maxWaiting {
		b.mu.Unlock()
		return fault.New(fault.KindExhausted, "alert.busy", "more alerts wait than can be kept now").WithHint("send again in a moment").WithRetryAfter(time.Second)
	}
	b.waiting = append(b.waiting, j)
	b.reports += len(reports)
	b.mu.Unlock()

	// Whoever gets the turn writes for all who wait; the others find it done.
	b.write.Lock()
	defer b.write.Unlock()
	for !j.done {
		b.commit(context.WithoutCancel(ctx), b.next())
	}
	return j.err
}

// next takes the jobs of one transaction.
func (b *Book) next() []*job {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, reports := 0, 0
	for n < len(b.waiting) && (n == 0 || reports+len(b.waiting[n].reports) <= maxTogether) {
		reports += len(b.waiting[n].reports)
		n++
	}
	out := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	b.reports -= reports
	return out
}

// commit writes jobs in one transaction. A job that cannot be kept fails alone;
// a failure of the database fails all.
func (b *Book) commit(ctx context.Context, jobs []*job) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	t := &taking{b: b, seq: b.seq, seen: map[string]*change{}, evict: map[string]bool{}}
	for _, j := range jobs {
		j.err = t.job(j)
		j.done = true
	}
	if len(t.order) == 0 {
		return
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error { return t.store(ctx, tx) })
	if err != nil {
		for _, j := range jobs {
			j.err = cmp.Or(j.err, err)
		}
		return
	}
	t.apply()
	b.batches.Add(1)
}

// change is an alert that a transaction touches.
type change struct {
	id      string
	entry   entry // as it becomes
	was     *entry
	source  Sender
	report  *Report // the last that says what is shown; nil: that stays as it is
	raw     []byte
	reason  string
	lines   []line
	changed bool // more than counts
}

// line is one of the history.
type line struct {
	seq      int64
	kind     string
	at       int64
	received int64
	severity string
	person   string
	note     string
}

// taking is a transaction on its way.
type taking struct {
	b       *Book
	seq     int64
	seen    map[string]*change
	order   []*change
	evict   map[string]bool // resolved alerts that make room
	shares  map[string]int  // alerts in the index by source; nil until somebody may have too many
	reports int64
	late    int64
}

// job folds a caller's reports into what the transaction changes. Nothing of a
// job that fails is kept.
func (t *taking) job(j *job) error {
	fresh := 0
	for i := range j.reports {
		id := ID(j.from.Source, j.reports[i].Key)
		if t.seen[id] == nil && t.b.index[id] == nil {
			fresh++
		}
	}
	if err := t.room(j.from.Source, fresh); err != nil {
		return err
	}
	for i := range j.reports {
		t.report(j, &j.reports[i])
	}
	return nil
}

// room finds alerts to forget so that so many more of a source can be kept. No
// source takes more than half of the book: beyond that its own resolved ones make
// room, and when there are none it is refused, so that the others are heard.
func (t *taking) room(source string, fresh int) error {
	if fresh == 0 {
		return nil
	}
	if err := t.share(source, fresh); err != nil {
		return err
	}
	have := len(t.b.index) - len(t.evict)
	for _, c := range t.order {
		if c.was == nil {
			have++
		}
	}
	need := have + fresh - t.b.o.Max
	if need <= 0 {
		return nil
	}
	if !t.forget("", need) {
		return fault.New(fault.KindExhausted, "alert.too_many", "%d alerts are kept and too few of them are resolved to make room", t.b.o.Max).
			WithHint("resolve what is over, or send fewer keys: an alert's key should name what is wrong, not each time it was seen").WithRetryAfter(time.Minute)
	}
	return nil
}

// share holds a source to half of the book.
func (t *taking) share(source string, fresh int) error {
	most := max(t.b.o.Max/2, 1)
	if len(t.b.index)+len(t.order)+fresh <= most {
		return nil
	}
	if t.shares == nil {
		t.shares = map[string]int{}
		for _, e := range t.b.index {
			t.shares[e.source]++
		}
	}
	have := t.shares[source]
	for id := range t.evict {
		if t.b.index[id].source == source {
			have--
		}
	}
	for _, c := range t.order {
		if c.was == nil && c.source.Source == source {
			have++
		}
	}
	need := have + fresh - most
	if need <= 0 || t.forget(source, need) {
		return nil
	}
	return fault.New(fault.KindExhausted, "alert.source_full", "source %s has half of the %d alerts that are kept, and too few of them are resolved to make room", source, t.b.o.Max).
		WithHint("resolve what is over, or send fewer keys: an alert's key should name what is wrong, not each time it was seen").WithRetryAfter(time.Minute)
}

// forget chooses so many resolved alerts of a source ("" any) to be forgotten,
// the oldest first, and reports whether there were as many.
func (t *taking) forget(source string, need int) bool {
	type old struct {
		id string
		at int64
	}
	var over []old
	for id, e := range t.b.index {
		if e.resolved && t.seen[id] == nil && !t.evict[id] && (source == "" || e.source == source) {
			over = append(over, old{id, e.changedAt})
		}
	}
	if len(over) < need {
		return false
	}
	slices.SortFunc(over, func(x, y old) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.id, y.id)) })
	// Some more than is needed: looking for them is not free.
	for _, o := range over[:min(max(need, t.b.o.Max/50), len(over))] {
		t.evict[o.id] = true
	}
	return true
}

func (t *taking) report(j *job, r *Report) {
	id := ID(j.from.Source, r.Key)
	c := t.seen[id]
	if c == nil {
		c = &change{id: id, was: t.b.index[id], source: j.from}
		if c.was != nil {
			c.entry = *c.was
		}
		c.entry.source = j.from.Source
		delete(t.evict, id) // it is spoken of again
		t.seen[id] = c
		t.order = append(t.order, c)
	}
	if r.Expires.IsZero() && j.from.ResolveAfter > 0 && r.State == Firing {
		r.Expires = j.now.Add(j.from.ResolveAfter)
	}
	digest, headline := digests(r)
	lateBefore := c.entry.late
	out := c.entry.take(r, digest, headline, j.now)
	t.reports++
	t.late += c.entry.late - lateBefore
	if out.content {
		c.changed, c.raw = true, r.Raw
		// What is told when it is over is often less than what was told before.
		if r.State == Firing || c.entry.receptions == 1 {
			c.report = r
			c.entry.agent, c.entry.team, c.reason = t.b.place(&j.from, r.Labels)
		}
	}
	for _, kind := range out.kinds {
		t.seq++
		c.lines = append(c.lines, line{seq: t.seq, kind: kind, at: out.at, received: j.now.UnixMicro(), severity: r.Severity, person: clip(r.By, maxLabel), note: clip(r.Note, maxLabel)})
	}
}

// place says whose an alert is: its source's team, else its agent's.
func (b *Book) place(from *Sender, labels map[string]string) (agent, team, reason string) {
	agent, owner, reason := b.o.Match(from.Team, labels)
	return agent, cmp.Or(from.Team, owner), reason
}

// shown is what digests are made of.
type shown struct {
	Text   string            `json:"text,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Links  []Link            `json:"links,omitempty"`
	Reason string            `json:"reason,omitempty"` // of the agent; not in the digest
}

func digests(r *Report) (all, headline [8]byte) {
	body, err := json.Marshal(shown{Text: r.Text, Labels: r.Labels, Links: r.Links}) // maps come in order
	if err != nil {                                                                  // strings alone: cannot happen
		panic(err)
	}
	h := sha256.New()
	h.Write([]byte(r.Severity + "\x00" + r.Title))
	copy(headline[:], h.Sum(nil))
	h.Write(body)
	copy(all[:], h.Sum(nil))
	return all, headline
}

// apply puts what is durable into memory.
func (t *taking) apply() {
	b := t.b
	firing := b.firing.Load()
	for id := range t.evict {
		delete(b.index, id)
	}
	for _, c := range t.order {
		if c.was != nil && !c.was.resolved {
			firing--
		}
		if !c.entry.resolved {
			firing++
		}
		e := c.entry
		b.index[c.id] = &e
	}
	b.seq = t.seq
	b.firing.Store(firing)
	b.kept.Store(int64(len(b.index)))
	b.taken.Add(t.reports)
	b.late.Add(t.late)
	if b.o.Committed != nil && slices.ContainsFunc(t.order, func(c *change) bool { return len(c.lines) > 0 }) {
		b.o.Committed()
	}
}
