package objective

import (
	"context"
	"slices"
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

// news is a run's verdict for an objective, or a run that has to be read first.
type news struct {
	run       activity.RunID
	objective string // "": all of them, of the run as the store has it
	good      bool
}

// Observe takes note of verdicts about runs. It must be quick: it is in the way
// of whoever writes them.
func (b *Book) Observe(w *telemetry.Write) {
	if len(w.Runs) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.queue)
	for i := range w.Runs {
		if r := &w.Runs[i]; r.Outcome != "" || r.Status == activity.RunDone || r.Status == activity.RunStale {
			b.observe(r)
		}
	}
	if len(b.queue) > before {
		b.nudge()
	}
}

// observe judges a run for each objective that it is about. Nothing of the row
// is kept. Where its steps are needed, it is read later. The caller holds the
// lock.
func (b *Book) observe(r *activity.Run) {
	for name, e := range b.entries {
		if !e.about(r) {
			continue
		}
		later := e.in == nil
		good, known := false, false
		if !later {
			c := counter{o: &e.Objective, in: e.in}
			if !c.labels() {
				continue
			}
			var err error
			good, known, err = c.judge(b.o.Now(), r, func() []activity.Step { later = true; return nil })
			later = later || err != nil
		}
		switch {
		case later && !b.queued[r.ID]:
			b.push(news{run: r.ID})
		case !later && known:
			b.push(news{run: r.ID, objective: name, good: good})
		}
	}
}

func (b *Book) push(n news) {
	if len(b.queue) >= maxQueued {
		b.gap = true
		return
	}
	b.queue = append(b.queue, n)
	if n.objective == "" {
		b.queued[n.run] = true
	}
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
	for b.feed(ctx) {
	}
	for _, name := range b.due(began) {
		if ctx.Err() != nil {
			return
		}
		if err := b.inTurn(func() error { return b.look(ctx, name) }); err != nil && ctx.Err() == nil {
			b.failed.Add(1)
			b.o.Logger.Warn("an objective was not looked at and is again", "objective", name, "err", err)
		}
	}
	b.took.Store(int64(b.o.Now().Sub(began)))
}

func (b *Book) inTurn(do func() error) error {
	b.turn.Lock()
	defer b.turn.Unlock()
	return do()
}

func (b *Book) feed(ctx context.Context) (more bool) {
	b.turn.Lock()
	defer b.turn.Unlock()
	return b.feedOnce(ctx)
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
	list := slices.Clone(b.queue[:n])
	b.queue = append(b.queue[:0], b.queue[n:]...)
	for _, x := range list {
		delete(b.queued, x.run)
	}
	b.mu.Unlock()
	if n == 0 {
		return false
	}
	if err := b.takeNews(ctx, list); err != nil {
		b.again(ctx, list, err)
		return false
	}
	return ctx.Err() == nil
}

// takeNews keeps verdicts in their order.
func (b *Book) takeNews(ctx context.Context, list []news) error {
	now := b.o.Now()
	by := map[string]*verdicts{}
	var all []*verdicts
	add := func(v *verdicts) {
		if have := by[v.entry.Name]; have != nil {
			have.list = append(have.list, v.list...)
			return
		}
		by[v.entry.Name] = v
		all = append(all, v)
	}
	names := b.names()
	for _, x := range list {
		if x.objective != "" {
			b.mu.RLock()
			e := b.entries[x.objective]
			b.mu.RUnlock()
			if e != nil && e.in != nil {
				add(&verdicts{entry: e, goal: e.goal(e.in), list: []label{{run: x.run, good: x.good, at: now}}})
			}
			continue
		}
		r, err := b.o.Store.Run(ctx, x.run)
		if fault.Is(err, fault.KindNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			v, err := b.verdicts(ctx, name, []activity.Run{*r}, now, false)
			if err != nil {
				b.later(name, x.run, err)
				continue
			}
			if v != nil {
				add(v)
			}
		}
	}
	return b.keep(ctx, all, now)
}

// later leaves a run that cannot be judged for one objective to its next look,
// which reads all of it again: the others do not wait for it.
func (b *Book) later(name string, run activity.RunID, err error) {
	b.failed.Add(1)
	b.o.Logger.Warn("a run is not judged yet", "objective", name, "run", run.String(), "err", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[name]; e != nil {
		e.caught, e.news = false, true
	}
}

// again puts verdicts back that could not be kept, before those that came since.
func (b *Book) again(ctx context.Context, list []news, err error) {
	if ctx.Err() == nil {
		b.failed.Add(1)
		b.o.Logger.Warn("verdicts about runs wait", "err", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(list, b.queue...)
	for _, x := range list {
		if x.objective == "" {
			b.queued[x.run] = true
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

// verdicts are what runs are to one objective.
type verdicts struct {
	entry *entry
	goal  float64
	list  []label
	next  state
	fresh int
}

// take keeps the verdicts of runs for the objectives named. past says that they
// are of before and not of now.
func (b *Book) take(ctx context.Context, names []string, runs []activity.Run, past bool) error {
	now := b.o.Now()
	var all []*verdicts
	for _, name := range names {
		v, err := b.verdicts(ctx, name, runs, now, past)
		if err != nil {
			return err
		}
		if v != nil {
			all = append(all, v)
		}
	}
	return b.keep(ctx, all, now)
}

// verdicts says what runs are to an objective; nil when none is anything to it.
func (b *Book) verdicts(ctx context.Context, name string, runs []activity.Run, now time.Time, past bool) (*verdicts, error) {
	b.mu.RLock()
	e := b.entries[name]
	b.mu.RUnlock()
	if e == nil {
		return nil, nil
	}
	c, in, err := b.counter(e)
	if err != nil || !c.labels() {
		return nil, nil // what is wrong with it is said when it is looked at
	}
	v := &verdicts{entry: e, goal: c.o.goal(in)}
	for i := range runs {
		r := &runs[i]
		if !c.o.about(r) {
			continue
		}
		good, known, err := c.verdict(ctx, now, r)
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		l := label{run: r.ID, good: good, at: now}
		if past { // it burnt then, and not now that it is read again
			l.at = time.Unix(0, max(r.Start, r.End))
			l.old = !l.at.After(c.o.CreatedAt)
		}
		v.list = append(v.list, l)
	}
	if len(v.list) == 0 {
		return nil, nil
	}
	return v, nil
}

// counter is what counts for an objective.
func (b *Book) counter(e *entry) (*counter, *Indicator, error) {
	in, err := b.o.KPIs.Indicator(e.KPI)
	if err != nil {
		return nil, nil, err
	}
	o := e.Objective
	return &counter{o: &o, in: &in, store: b.o.Store, kpis: b.o.KPIs}, &in, nil
}

// labels reports whether its records are runs that are counted as their verdicts
// come.
func (c *counter) labels() bool {
	return c.in.Table == "runs" && (c.in.Kind == KindShare || c.in.Kind == KindField) && c.o.Slice == 0
}

// keep counts verdicts once, and a verdict that changed anew, in one write.
func (b *Book) keep(ctx context.Context, all []*verdicts, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, v := range all {
			v.next, v.fresh = v.entry.state.clone(), 0 // a write may be tried twice
			if err := v.write(ctx, tx, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, v := range all {
		if b.entries[v.entry.Name] == v.entry && v.fresh > 0 {
			v.entry.state, v.entry.news = v.next, true
			b.labels.Add(int64(v.fresh))
		}
	}
	return nil
}

// write keeps the verdicts that are news.
func (v *verdicts) write(ctx context.Context, tx *control.Tx, now time.Time) error {
	name := v.entry.Name
	// An objective that was changed or deleted meanwhile counts anew, or not at all.
	at, ok, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT revision FROM objectives WHERE name = ?`, name)
	if err != nil || !ok || at != v.entry.Revision {
		return err
	}
	for _, l := range v.list {
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
				v.next.add(&v.entry.Objective, v.goal, l.good, l.at)
			}
		}
		if err != nil {
			return err
		}
		v.fresh++
	}
	if v.fresh == 0 {
		return nil
	}
	return v.next.write(ctx, tx, name, now)
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
