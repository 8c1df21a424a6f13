package decision

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Rows is what the index needs of the telemetry store.
type Rows interface {
	Cursor(ctx context.Context, partition int) (uint64, error)
	Append(ctx context.Context, w *telemetry.Write) error
	Decisions(ctx context.Context, q telemetry.DecisionsQuery) (telemetry.DecisionsPage, error)
	Decision(ctx context.Context, id string) (*activity.Decision, error)
}

// Notice tells live views of decisions of a team's agents in an environment that
// were just recorded.
type Notice struct {
	Team, Environment              string
	Count, Denied, Held, WouldDeny int
	Newest                         []activity.Decision // at most noticeRows, those that were not allowed first
}

// Index makes the log searchable: it follows the log and writes one row for
// each decision to the telemetry store, once, with the log's position in the
// same commit. What is not there yet (pending, or of this second) is answered
// from memory.
//
//	log --> open (proposed) --> done (completed, not stored) --> store
//	         '------- read first, the store after, equal ids once ----'
//
// A store that is down only delays rows.
type Index struct {
	log    *Log
	rows   Rows
	notify func(context.Context, []Notice)

	flushing sync.Mutex // one flush at a time

	mu   sync.Mutex // guards what follows
	next int64      // record to read next
	open map[string]*activity.Decision
	done []activity.Decision
	news map[place]*Notice
}

// place is whose notice it is.
type place struct{ team, environment string }

const (
	indexEvery   = 200 * time.Millisecond
	flushEvery   = time.Second
	flushRows    = 4000
	maxDone      = 40_000 // rows that wait for a store that is down; then the log is read later
	noticeRows   = 20
	noticePlaces = 64
	defaultRows  = 50
	maxRows      = 1000
)

// NewIndex continues where the store's cursor is. notify may be nil; it is called
// about five times a second at most.
func NewIndex(ctx context.Context, l *Log, rows Rows, notify func(context.Context, []Notice)) (*Index, error) {
	at, err := rows.Cursor(ctx, telemetry.PartitionDecisions)
	if err != nil {
		return nil, err
	}
	return &Index{log: l, rows: rows, notify: notify, next: int64(at), open: map[string]*activity.Decision{}, news: map[place]*Notice{}}, nil
}

// Run follows the log until ctx ends; then what is complete is written.
func (x *Index) Run(ctx context.Context) error {
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	flushed, failing := time.Now(), false
	for ended := false; ; {
		work := context.WithoutCancel(ctx)
		err := x.catchUp(work)
		x.tell(work)
		if n := x.waiting(); err == nil && n > 0 && (ended || n >= flushRows || time.Since(flushed) >= flushEvery) {
			flushed = time.Now()
			err = x.flush(work)
		}
		if (err != nil) != failing {
			failing = err != nil
			if failing {
				x.log.o.Logger.Error("decisions do not become rows of the store", "err", err)
			} else {
				x.log.o.Logger.Info("decisions become rows of the store again")
			}
		}
		if ended {
			return nil
		}
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		}
	}
}

func (x *Index) waiting() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.done)
}

// catchUp reads what the log has since the last call.
func (x *Index) catchUp(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.done) < maxDone {
		chunks, err := x.log.since(ctx, x.next)
		if err != nil || len(chunks) == 0 {
			return err
		}
		for i := range chunks {
			err := chunks[i].each(x.next, func(seq int64, e entryAt) error {
				if err := x.add(ctx, seq, e); err != nil {
					return err
				}
				x.next = seq + 1
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// add takes one record. Called with mu held.
func (x *Index) add(ctx context.Context, seq int64, e entryAt) error {
	if t := e.told; t.d != nil {
		if t.ended {
			return x.ended(ctx, seq, t.d, t.of)
		}
		d := *t.d
		d.Seq, d.Node = seq, nodeOf(x.log.name)
		x.proposed(&d)
		return nil
	}
	r, err := record.Parse(e.line)
	if err != nil {
		return err
	}
	switch r.Kind {
	case KindProposed:
		d, err := proposedOf(&r)
		if err != nil {
			return err
		}
		x.proposed(d)
	case KindCompleted:
		d := blank()
		o, err := readCompleted(r.Body, &d)
		if err != nil {
			return err
		}
		d.ID = o.id
		return x.ended(ctx, seq, &d, o.proposed)
	}
	return nil
}

// proposed takes a decision that was proposed, which is its to keep.
func (x *Index) proposed(d *activity.Decision) {
	x.count(d)
	if d.Result == activity.ResultPending {
		x.open[d.ID] = d
		return
	}
	d.EndSeq = d.Seq
	x.done = append(x.done, *d)
}

// ended takes how a decision ended; of is its proposal's sequence.
func (x *Index) ended(ctx context.Context, seq int64, with *activity.Decision, of int64) (err error) {
	d := x.open[with.ID]
	if d == nil { // proposed before our cursor: by the process before this one
		if d, err = x.log.proposal(ctx, of); err != nil {
			return err
		}
	}
	conclude(d, with)
	d.EndSeq = seq
	delete(x.open, with.ID)
	x.done = append(x.done, *d)
	return nil
}

// proposedOf reads the decision that a record proposes.
func proposedOf(r *record.Record) (*activity.Decision, error) {
	d, _, err := readProposed(r.Body)
	if err != nil {
		return nil, err
	}
	d.Seq = r.Seq
	d.Node = nodeOf(r.Log)
	return &d, nil
}

// nodeOf is the node in a log's name.
func nodeOf(log string) string { return log[strings.LastIndexByte(log, '/')+1:] }

// proposal reads a proposal by its sequence.
func (l *Log) proposal(ctx context.Context, seq int64) (*activity.Decision, error) {
	e, err := l.at(ctx, seq)
	if err != nil {
		return nil, err
	}
	r, err := record.Parse(e.line)
	if err != nil {
		return nil, err
	}
	return proposedOf(&r)
}

// count adds to the next notice. Called with mu held.
func (x *Index) count(d *activity.Decision) {
	at := place{d.Team, d.Environment}
	n := x.news[at]
	if n == nil {
		if len(x.news) >= noticePlaces {
			return // live views load anew what the next notice does not name
		}
		n = &Notice{Team: d.Team, Environment: d.Environment}
		x.news[at] = n
	}
	n.Count++
	switch {
	case d.Verdict == activity.VerdictDeny:
		n.Denied++
	case d.Verdict == activity.VerdictHold:
		n.Held++
	case d.Would == activity.VerdictDeny:
		n.WouldDeny++
	}
	if len(n.Newest) < noticeRows {
		n.Newest = append(n.Newest, *d)
		return
	}
	if d.Would != activity.VerdictAllow || d.Verdict != activity.VerdictAllow {
		i := slices.IndexFunc(n.Newest, func(o activity.Decision) bool {
			return o.Would == activity.VerdictAllow && o.Verdict == activity.VerdictAllow
		})
		if i >= 0 {
			n.Newest[i] = *d
		}
	}
}

// tell sends the notice of what came since the last one.
func (x *Index) tell(ctx context.Context) {
	x.mu.Lock()
	var list []Notice
	for _, n := range x.news {
		list = append(list, *n)
	}
	clear(x.news)
	x.mu.Unlock()
	if len(list) > 0 && x.notify != nil {
		x.notify(ctx, list)
	}
}

// flush writes the completed rows and moves the cursor behind all that was read:
// proposals that are still open are read again by their number.
func (x *Index) flush(ctx context.Context) error {
	x.flushing.Lock()
	defer x.flushing.Unlock()
	x.mu.Lock()
	w := telemetry.Write{Partition: telemetry.PartitionDecisions, Cursor: uint64(x.next), Decisions: slices.Clone(x.done), Received: x.log.o.Now().UnixNano()}
	x.mu.Unlock()
	if len(w.Decisions) == 0 {
		return nil
	}
	if err := x.rows.Append(ctx, &w); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.done = slices.Clone(x.done[len(w.Decisions):])
	return nil
}

// List lists decisions, newest first, pending ones too.
func (x *Index) List(ctx context.Context, q telemetry.DecisionsQuery) (telemetry.DecisionsPage, error) {
	if q.Limit <= 0 {
		q.Limit = defaultRows
	}
	q.Limit = min(q.Limit, maxRows)
	recent, err := x.recent(ctx, q)
	if err != nil {
		return telemetry.DecisionsPage{}, err
	}
	page, err := x.rows.Decisions(ctx, q)
	if err != nil {
		return telemetry.DecisionsPage{}, err
	}
	all := append(recent, page.Decisions...)
	slices.SortStableFunc(all, newestFirst) // memory before store where ids are equal
	all = slices.CompactFunc(all, func(a, b activity.Decision) bool { return a.ID == b.ID })
	if len(all) > q.Limit {
		all, page.More = all[:q.Limit], true
	}
	return telemetry.DecisionsPage{Decisions: all, More: page.More}, nil
}

func newestFirst(a, b activity.Decision) int {
	return cmp.Or(cmp.Compare(b.At, a.At), strings.Compare(b.ID, a.ID))
}

// recent are the decisions in memory that q asks for.
func (x *Index) recent(ctx context.Context, q telemetry.DecisionsQuery) ([]activity.Decision, error) {
	// What was recorded before the question is in the answer. A log that cannot
	// be read leaves what was read so far.
	if err := x.catchUp(ctx); err != nil {
		x.log.o.Logger.Warn("the newest decisions cannot be read", "err", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []activity.Decision
	now := x.log.o.Now()
	take := func(d *activity.Decision) error {
		ok, err := fits(&q, now, d)
		if ok && err == nil {
			out = append(out, *d)
		}
		return err
	}
	for i := range x.done {
		if err := take(&x.done[i]); err != nil {
			return nil, err
		}
	}
	for d := range maps.Values(x.open) {
		if err := take(d); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fits(q *telemetry.DecisionsQuery, now time.Time, d *activity.Decision) (bool, error) {
	switch {
	case !q.From.IsZero() && d.At < q.From.UnixNano(), !q.To.IsZero() && d.At >= q.To.UnixNano():
		return false, nil
	case q.Teams != nil && !slices.Contains(q.Teams, d.Team), !q.Run.IsZero() && d.Run != q.Run:
		return false, nil
	case q.After != (telemetry.DecisionPlace{}) && (d.At > q.After.At || d.At == q.After.At && d.ID >= q.After.ID):
		return false, nil
	}
	return search.MatchDecision(q.Filter, now, d)
}

// Get reads one decision, pending or not. A missing one is fault.KindNotFound.
func (x *Index) Get(ctx context.Context, id string) (*activity.Decision, error) {
	if err := checkID(id); err != nil {
		return nil, fault.New(fault.KindNotFound, "decision.unknown", "there is no such decision").WithCause(err)
	}
	if err := x.catchUp(ctx); err != nil {
		x.log.o.Logger.Warn("the newest decisions cannot be read", "err", err)
	}
	if d := x.inMemory(id); d != nil {
		return d, nil
	}
	d, err := x.rows.Decision(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil, fault.New(fault.KindNotFound, "decision.unknown", "there is no decision %s", id).
			WithHint("retention may have dropped it; `reeve decision list` shows what there is")
	}
	return d, err
}

func (x *Index) inMemory(id string) *activity.Decision {
	x.mu.Lock()
	defer x.mu.Unlock()
	if d := x.open[id]; d != nil {
		out := *d
		return &out
	}
	for i := range x.done {
		if x.done[i].ID == id {
			out := x.done[i]
			return &out
		}
	}
	return nil
}

// Content fills in what d committed to, where that was not erased.
func (l *Log) Content(ctx context.Context, d *activity.Decision) error {
	e, err := l.at(ctx, d.Seq)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return e.fill(d)
}

// fill adds the record's content to a decision, where that was not erased.
func (e *entryAt) fill(d *activity.Decision) error {
	c, err := e.content()
	if c != nil && err == nil {
		d.ArgumentsHash, d.Context = c.arguments, c.context
	}
	return err
}
