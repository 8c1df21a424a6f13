package objective

import (
	"context"
	"fmt"
	"math"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// States of an objective, worst first.
const (
	Spent   = "spent"   // its budget is
	Missed  = "missed"  // its sequence says that it falls short
	Burning = "burning" // a burn alert fires
	Frozen  = "frozen"  // too few of the records are known to say
	NoData  = "no_data" // nothing was counted
	Waiting = "waiting" // it was not looked at yet
	Met     = "met"
)

// Standing is how an objective stands.
type Standing struct {
	State    string
	At       time.Time // of the look; zero: none yet
	From, To time.Time // the window
	Budget   Budget
	Known    bool     // something was counted
	Value    *float64 // good of what was counted, or events by run
	Low      *float64
	High     *float64
	Few      bool   // fewer than its minimum: its budget is not called spent
	Why      string // why it is frozen, or could not be looked at
	Looks    []Look
	Stream   *StreamLook
	Since    time.Time // since when it stands so badly; zero when it does not
	Alarms   []Held
	Warnings []string
}

// StreamLook is what the sequence of verdicts says.
type StreamLook struct {
	N, Passed    int64
	Low, High    float64 // holds however often one looks
	Worth, Needs float64 // of the bets against the target, and what alarms
	Minimum      int64
	Short        bool // it falls short
}

// Held is an alarm that holds.
type Held struct {
	Kind, Severity, Text, Finding string
	Since                         time.Time
}

// Alarm is something to be told: a budget that burns or is spent, or a sequence
// that falls short.
type Alarm struct {
	Objective Objective
	Kind      string // burn, spent, missed
	Key       string // kind, and which of several alerts
	Severity  string
	Text      string
	Measure   string // the KPI
	Expected  string
	Seen      string
	Why       string
	Runs      []string // bad ones, the newest last
	Event     int64    // ns, when the deciding verdict was known
}

// Kinds of alarms.
const (
	AlarmBurn   = "burn"
	AlarmSpent  = "spent"
	AlarmMissed = "missed"
)

// evidenceRuns is how many bad runs are shown with an alarm.
const evidenceRuns = 16

// recovered is how much of a budget may be spent for a spent one to count as
// recovered: not every run that falls out of the window flips it.
const recovered = 0.9

// look counts, compares, and tells.
func (b *Book) look(ctx context.Context, name string) error {
	now := b.o.Now()
	b.mu.Lock()
	e := b.entries[name]
	if e == nil {
		b.mu.Unlock()
		return nil
	}
	e.looked, e.news = now, false
	b.mu.Unlock()
	b.looks.Add(1)
	c, in, err := b.counter(e)
	if err != nil { // the KPI is gone, or what supplied it
		return b.stand(ctx, e, Standing{State: Frozen, At: now, Why: err.Error()})
	}
	if err := b.version(ctx, e, in); err != nil {
		return err
	}
	b.mu.Lock()
	e.in = in
	b.mu.Unlock()
	if c.labels() && !e.caught {
		if err := b.catchUp(ctx, name, c); err != nil {
			return b.blind(ctx, e, now, err)
		}
		b.mu.Lock()
		e.caught = true
		b.mu.Unlock()
	}
	if now.Sub(e.counted) >= countEvery || now.Before(e.counted) {
		if err := b.count(ctx, e, c, now); err != nil {
			return b.blind(ctx, e, now, err)
		}
	}
	spans := c.o.spans()
	var recent []Counts
	if c.labels() {
		recent, err = b.labelled(ctx, name, now, spans)
	} else {
		recent, err = c.recent(ctx, now, spans)
	}
	if err != nil {
		return b.blind(ctx, e, now, err)
	}
	s := b.standing(e, c, now, recent)
	if (s.State == Frozen || s.State == NoData) && e.counted.Before(now) && len(c.alarms(&s)) > 0 {
		// What is to be told is news, and what would keep it back is old.
		if err := b.count(ctx, e, c, now); err != nil {
			return b.blind(ctx, e, now, err)
		}
		s = b.standing(e, c, now, recent)
	}
	return b.follow(ctx, e, c, s)
}

// count counts the budget over its window.
func (b *Book) count(ctx context.Context, e *entry, c *counter, now time.Time) error {
	from, to := c.o.Window.At(now)
	groups, err := c.groups(ctx, from, minTime(to, now), 0, "")
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e.counts, e.counted, e.from, e.to = sum(groups), now, from, to
	return nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// blind keeps what is known and says why it is old.
func (b *Book) blind(ctx context.Context, e *entry, now time.Time, err error) error {
	s := e.standing
	s.At, s.Why = now, "its records cannot be read: "+err.Error()
	if s.State == "" || s.State == Waiting {
		s.State = Frozen
	}
	if e := b.stand(ctx, e, s); e != nil {
		return e
	}
	return err
}

func (b *Book) stand(_ context.Context, e *entry, s Standing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries[e.Name] == e {
		e.standing = s
	}
	return nil
}

// version begins anew when what the KPI means has changed.
func (b *Book) version(ctx context.Context, e *entry, in *Indicator) error {
	if e.state.Version == in.Version {
		return nil
	}
	next := e.state.clone()
	first := next.Version == 0
	next.Version = in.Version
	if !first {
		next.Sequence, next.WellSince = nil, time.Time{}
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if !first {
			if _, err := tx.Exec(ctx, `DELETE FROM objective_labels WHERE objective = ?`, e.Name); err != nil {
				return err
			}
		}
		return next.write(ctx, tx, e.Name, b.o.Now())
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	e.state = next
	if !first {
		e.caught, e.counted = false, time.Time{}
	}
	b.mu.Unlock()
	return nil
}

// spans are the times that its alerts look at: long and short of each.
func (o *Objective) spans() (out []time.Duration) {
	for _, a := range o.Alerts {
		out = append(out, a.Long, a.Short)
	}
	return out
}

// standing is what the counts say.
func (b *Book) standing(e *entry, c *counter, now time.Time, recent []Counts) Standing {
	r := c.o.rule(c.in)
	s := Standing{State: Met, At: now, From: e.from, To: e.to, Warnings: c.o.warnings(c.in)}
	s.Budget, s.Known = r.Budget(e.counts)
	s.Few = e.counts.N < c.o.minimum()
	s.value(c, r)
	for i, a := range c.o.Alerts {
		s.Looks = append(s.Looks, a.Look(r, c.o.Window.Length(), recent[2*i], recent[2*i+1]))
	}
	if q := e.state.Sequence; c.o.Stream != nil {
		l := &StreamLook{Minimum: c.o.Stream.minimum(), Needs: 1 / c.o.Stream.Alpha, High: 1, Worth: 1}
		if q != nil {
			l.N, l.Passed, l.Worth = q.Seen, q.Passed, q.Value()
			l.Low, l.High = stat.Anytime(q.Passed, q.Seen, c.o.Stream.Alpha)
			l.Short = l.N >= l.Minimum && l.Worth >= l.Needs
		}
		s.Stream = l
	}
	coverage := e.counts.Coverage()
	switch {
	case e.counts.N == 0:
		s.State, s.Why = NoData, "nothing was counted in its window"
	case coverage != nil && *coverage < c.o.Coverage:
		s.State = Frozen
		s.Why = fmt.Sprintf("%.0f %% of the records are known and %.0f %% are needed: no alert is raised and none is over until they are", 100**coverage, 100*c.o.Coverage)
	}
	return s
}

// minimum is how many records call a budget spent: slices of time are few.
func (o *Objective) minimum() int64 {
	if o.Slice > 0 {
		return 1
	}
	return o.Minimum
}

// value is the objective's own figure with its interval.
func (s *Standing) value(c *counter, r Rule) {
	k := s.Budget.Counts
	if k.N <= 0 {
		return
	}
	v, low, high := 0.0, 0.0, 0.0
	switch {
	case r.Events:
		v = k.Bad / float64(k.N)
		low, high = max(0, k.Bad-1.96*math.Sqrt(k.Bad))/float64(k.N), (k.Bad+max(3, 1.96*math.Sqrt(k.Bad)))/float64(k.N)
	default:
		v = float64(k.good()) / float64(k.N)
		low, high = stat.Wilson(k.good(), k.N)
		if c.in.Kind == KindShare && c.o.Slice == 0 && c.in.Direction == "down" {
			v, low, high = 1-v, 1-high, 1-low
		}
	}
	s.Value, s.Low, s.High = &v, &low, &high
}

// badRuns are the newest runs that spent the budget, the newest last.
func (b *Book) badRuns(ctx context.Context, c *counter, from time.Time, limit int) ([]activity.Run, error) {
	if !c.labels() {
		return nil, nil
	}
	page, err := b.o.Store.Runs(ctx, telemetry.RunsQuery{Filter: c.badQuery(from), From: from.Add(-slack), Limit: limit, Teams: c.teams})
	if err != nil {
		return nil, err
	}
	runs := page.Runs
	for i, j := 0, len(runs)-1; i < j; i, j = i+1, j-1 {
		runs[i], runs[j] = runs[j], runs[i]
	}
	return runs, nil
}

// badQuery is the search for the runs that spent the budget since a time.
func (c *counter) badQuery(from time.Time) search.Expr {
	return search.Both(c.o.scope("runs"), c.o.known(c.in), &search.Not{Of: c.o.good(c.in)}, atTime("ended", ">=", from), notTest())
}

func notTest() search.Expr { return &search.Not{Of: search.Is("mode", "test")} }
