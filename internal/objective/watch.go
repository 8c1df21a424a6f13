package objective

import (
	"context"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Pace of the looks.
const (
	// lookEvery is how often each objective is looked at without news.
	lookEvery = time.Minute
	// countEvery is how often a budget is counted over its whole window.
	countEvery = time.Minute
	// pause is how long news is gathered before it is looked at.
	pause = time.Second
	// labelBatch are the runs whose verdicts are kept in one write.
	labelBatch = 500
	// catchUp is how old news is that is looked for after a restart.
	catchUp  = 8 * 24 * time.Hour
	maxCatch = 100 // pages of labelBatch
	// keepLabels is how long a counted run is remembered, so that it is not counted
	// again when more of it comes.
	keepLabels = 35 * 24 * time.Hour
	maxLabels  = 200_000 // of one objective
)

// Observe takes note of runs that may have a verdict. It must be quick: it is in
// the way of whoever writes them.
func (b *Book) Observe(w *telemetry.Write) {
	b.mu.RLock()
	none := len(b.entries) == 0
	b.mu.RUnlock()
	if none || len(w.Runs) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	added := false
	for i := range w.Runs {
		r := &w.Runs[i]
		if r.Outcome == "" && r.Status != activity.RunDone && r.Status != activity.RunStale || b.queued[r.ID] || !b.wanted(r) {
			continue
		}
		if len(b.queue) >= maxQueued {
			b.gap = true
			break
		}
		b.queue, b.queued[r.ID], added = append(b.queue, r.ID), true, true
	}
	if added {
		b.nudge()
	}
}

// wanted reports whether some objective is about a run. The caller holds the lock.
func (b *Book) wanted(r *activity.Run) bool {
	for _, e := range b.entries {
		if e.about(r) {
			return true
		}
	}
	return false
}

// Run looks at objectives until ctx ends, whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	every := time.NewTicker(lookEvery / 4)
	defer every.Stop()
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		b.Work(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every.C:
		case <-tidy.C:
			if err := b.Tidy(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("old verdicts could not be dropped", "err", err)
			}
		case <-b.wake:
			wait := time.NewTimer(pause)
			select {
			case <-ctx.Done():
				wait.Stop()
				return context.Cause(ctx)
			case <-wait.C:
			}
		}
	}
}

// Work takes in the verdicts that came and looks at each objective that is due;
// Run does it by itself.
func (b *Book) Work(ctx context.Context) {
	began := b.o.Now()
	for b.feedOnce(ctx) {
	}
	for _, name := range b.due(began) {
		if ctx.Err() != nil {
			return
		}
		if err := b.look(ctx, name); err != nil && ctx.Err() == nil {
			b.failed.Add(1)
			b.o.Logger.Warn("an objective was not looked at and is again", "objective", name, "err", err)
		}
	}
	b.took.Store(int64(b.o.Now().Sub(began)))
}

// due are the objectives to be looked at.
func (b *Book) due(now time.Time) (out []string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for name, e := range b.entries {
		if e.news || now.Sub(e.looked) >= lookEvery || now.Before(e.looked) {
			out = append(out, name)
		}
	}
	return out
}

// feedOnce takes in some of the verdicts that wait. It reports whether there may
// be more at once.
func (b *Book) feedOnce(ctx context.Context) bool {
	b.mu.Lock()
	if b.gap {
		b.gap = false
		for _, e := range b.entries {
			e.caught = false
		}
	}
	n := min(len(b.queue), labelBatch)
	ids := append([]activity.RunID(nil), b.queue[:n]...)
	b.queue = append(b.queue[:0], b.queue[n:]...)
	for _, id := range ids {
		delete(b.queued, id)
	}
	b.mu.Unlock()
	if n == 0 {
		return false
	}
	runs := make([]activity.Run, 0, n)
	for _, id := range ids {
		r, err := b.o.Store.Run(ctx, id)
		if fault.Is(err, fault.KindNotFound) {
			continue
		}
		if err != nil {
			b.again(ctx, ids, err)
			return false
		}
		runs = append(runs, *r)
	}
	if err := b.take(ctx, b.names(), runs, false); err != nil {
		b.again(ctx, ids, err)
		return false
	}
	return ctx.Err() == nil
}

// again puts runs back whose verdicts could not be taken in.
func (b *Book) again(ctx context.Context, ids []activity.RunID, err error) {
	if ctx.Err() == nil {
		b.failed.Add(1)
		b.o.Logger.Warn("verdicts about runs wait", "err", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if !b.queued[id] {
			b.queue, b.queued[id] = append(b.queue, id), true
		}
	}
}

func (b *Book) names() (out []string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for name := range b.entries {
		out = append(out, name)
	}
	return out
}

// label is a run's verdict for an objective.
type label struct {
	run  activity.RunID
	good bool
	at   time.Time
	old  bool // it ended before the objective was there: it burns, and is no news
}

// take keeps the verdicts of runs for the objectives named. past says that they
// are of before and not of now.
func (b *Book) take(ctx context.Context, names []string, runs []activity.Run, past bool) error {
	now := b.o.Now()
	for _, name := range names {
		c, in, ok, err := b.counter(name)
		if err != nil || !ok || in.Table != "runs" || in.Kind != KindShare && in.Kind != KindField || c.o.Slice > 0 {
			continue // what is wrong with it is said when it is looked at
		}
		var list []label
		for i := range runs {
			r := &runs[i]
			if !c.o.about(r) {
				continue
			}
			good, known, err := c.verdict(ctx, now, r)
			if err != nil {
				return err
			}
			if !known {
				continue
			}
			l := label{run: r.ID, good: good, at: now}
			if end := time.Unix(0, max(r.Start, r.End)); past && !end.After(c.o.CreatedAt) {
				l.at, l.old = end, true
			}
			list = append(list, l)
		}
		if len(list) > 0 {
			if err := b.keep(ctx, name, c.o.Revision, c.o.goal(in), list); err != nil {
				return err
			}
		}
	}
	return nil
}

// counter is what counts for an objective; ok is false when it is gone.
func (b *Book) counter(name string) (*counter, *Indicator, bool, error) {
	b.mu.RLock()
	e := b.entries[name]
	b.mu.RUnlock()
	if e == nil {
		return nil, nil, false, nil
	}
	o := e.Objective
	in, err := b.o.KPIs.Indicator(o.KPI)
	if err != nil {
		return nil, nil, true, err
	}
	return &counter{o: &o, in: &in, store: b.o.Store, kpis: b.o.KPIs}, &in, true, nil
}

// keep counts verdicts once, and a verdict that changed anew.
func (b *Book) keep(ctx context.Context, name string, revision int64, goal float64, list []label) error {
	b.mu.RLock()
	e := b.entries[name]
	b.mu.RUnlock()
	if e == nil || e.Revision != revision {
		return nil
	}
	next := e.state.clone()
	fresh := 0
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, l := range list {
			was, ok, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT good FROM objective_labels WHERE objective = ? AND run = ?`, name, l.run.String())
			switch {
			case err != nil:
				return err
			case ok && (was == 1) == l.good:
				continue
			case ok:
				_, err = tx.Exec(ctx, `UPDATE objective_labels SET good = ?, at = ? WHERE objective = ? AND run = ?`, number(l.good), control.Micros(l.at), name, l.run.String())
			default:
				_, err = tx.Exec(ctx, `INSERT INTO objective_labels (objective, run, good, at) VALUES (?, ?, ?, ?)`, name, l.run.String(), number(l.good), control.Micros(l.at))
				if !l.old {
					next.add(&e.Objective, goal, l.good, l.at)
				}
			}
			if err != nil {
				return err
			}
			fresh++
		}
		if fresh == 0 {
			return nil
		}
		return next.write(ctx, tx, name, b.o.Now())
	})
	if err != nil || fresh == 0 {
		return err
	}
	b.labels.Add(int64(fresh))
	b.mu.Lock()
	if now := b.entries[name]; now == e {
		e.state, e.news = next, true
	}
	b.mu.Unlock()
	return nil
}

func number(good bool) int {
	if good {
		return 1
	}
	return 0
}

// catchUp asks the store for runs whose verdicts came while nobody looked.
func (b *Book) catchUp(ctx context.Context, name string, c *counter) error {
	q := telemetry.RunsQuery{
		Sort: "-updated", Limit: labelBatch, From: b.o.Now().Add(-catchUp),
		Filter: search.Both(c.o.scope("runs"), c.o.known(c.in)),
	}
	for range maxCatch {
		page, err := b.o.Store.Runs(ctx, q)
		if err != nil {
			return err
		}
		if err := b.take(ctx, []string{name}, page.Runs, true); err != nil {
			return err
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return nil
}

// labelled counts verdicts by the time that they came, over several times that
// end now.
func (b *Book) labelled(ctx context.Context, name string, now time.Time, spans []time.Duration) ([]Counts, error) {
	out := make([]Counts, len(spans))
	for i, d := range spans {
		c, _, err := control.One(ctx, b.o.DB, func(r control.Row) (c Counts, err error) {
			var good int64
			err = r.Scan(&c.N, &good)
			c.Bad, c.Base = float64(c.N-good), c.N
			return c, err
		}, `SELECT count(*), coalesce(sum(good), 0) FROM objective_labels WHERE objective = ? AND at > ?`, name, control.Micros(now.Add(-d)))
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// Tidy drops verdicts that are long counted, and the oldest of too many.
func (b *Book) Tidy(ctx context.Context) error {
	now := b.o.Now()
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM objective_labels WHERE at < ?`, control.Micros(now.Add(-keepLabels))); err != nil {
			return err
		}
		for _, name := range b.names() {
			last, ok, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
				`SELECT at FROM objective_labels WHERE objective = ? ORDER BY at DESC LIMIT 1 OFFSET ?`, name, maxLabels)
			if err != nil {
				return err
			}
			if ok {
				if _, err := tx.Exec(ctx, `DELETE FROM objective_labels WHERE objective = ? AND at <= ?`, name, last); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM objective_proposals WHERE state <> 'open' AND at < ?`, control.Micros(now.Add(-365*24*time.Hour)))
		return err
	})
}
