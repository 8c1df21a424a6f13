// Package rerate prices the model calls of a time again.
//
// What for: prices change, or were wrong, after calls were priced. A plan shows
// what would change, by model; applying it gives the calls their new costs, and
// undoing gives back exactly the old ones.
//
// Who calls it: app runs it; api and the command line plan, apply and undo.
//
// Promises: costs that their sender gave are never touched. Before a call is
// changed its old cost is on disk, so an apply that a crash breaks off goes on
// at the next start and can be undone as a whole. One job works at a time. A day
// changes at once: its calls, the rows of its runs and the sums. Calls of runs
// that still move, or that cross midnight, follow run by run; what arrives later
// is priced by the prices in force.
//
// How it fails: rerate.range, rerate.not_found, rerate.state (not planned yet,
// already applied...), rerate.tried (a plan with a card that is not in force) and
// rerate.later (a later one of the same time has to be undone first). A job that
// fails says so in its state and may be applied again.
//
// Start reading at Book.Run and Book.work; undo.go is the file of old costs.
package rerate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Calls reads the stored calls of a time; *duck.Store does.
type Calls interface {
	Calls(ctx context.Context, from, to time.Time, visit func(*telemetry.Call) error) error
	// Exchange works out other costs for a time of one day, to be closed.
	Exchange(ctx context.Context, from, to time.Time, part telemetry.Part, price func(*telemetry.Call) (activity.Cost, bool)) (telemetry.Exchange, error)
	// ExchangeParts is in how many parts that of a day is done.
	ExchangeParts(day time.Time) int
}

// Runs changes the calls of runs; *run.Reader does.
type Runs interface {
	// Exchange brings an exchange into force, but for what is apart afterwards.
	Exchange(ctx context.Context, x telemetry.Exchange) error
	// Rerate changes calls of one run.
	Rerate(ctx context.Context, id activity.RunID, costs map[activity.StepID]activity.Cost) (int, error)
}

// Prices says what a call costs; *price.Book is one.
type Prices interface {
	Cost(provider, model string, at time.Time, u activity.Usage) activity.Cost
}

// Options are what a Book needs; all but Logger and Now are required.
type Options struct {
	DB     *control.DB
	Dir    string // where old costs are kept
	Calls  Calls
	Runs   Runs
	Prices Prices // in force
	// Try is Prices with a card before them: a fault for one that cannot be read.
	Try    func(card string) (Prices, error)
	Logger *slog.Logger
	Now    func() time.Time
}

// Book is all of them. Safe for concurrent use.
type Book struct {
	o    Options
	wake chan struct{}

	mu    sync.Mutex        // guards tries
	tries map[string]Prices // of plans with a card, which are not kept
}

// New makes a Book and starts nothing.
func New(o Options) *Book {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Book{o: o, wake: make(chan struct{}, 1), tries: map[string]Prices{}}
}

// maxRange bounds a plan, maxKept how many are remembered.
const (
	maxRange = 400 * 24 * time.Hour
	maxKept  = 200
)

// Plan begins to look for what pricing a time again would change.
func (b *Book) Plan(ctx context.Context, by string, from, to time.Time, card string) (client.Rerate, error) {
	from, to = from.UTC(), to.UTC()
	r := client.Rerate{From: from, To: to, State: "planning", Prices: "in_force", Person: by, CreatedAt: b.o.Now().UTC().Truncate(time.Microsecond), Rows: []client.RerateRow{}}
	if from.Year() < 1971 || to.Year() > 2200 || !from.Before(to) || to.Sub(from) > maxRange {
		return r, fault.New(fault.KindInvalid, "rerate.range", "a time begins before it ends and is at most 400 days")
	}
	r.ID = activity.Mint("rrt", r.CreatedAt.UnixNano())
	if card != "" {
		p, err := b.o.Try(card)
		if err != nil {
			return r, err
		}
		r.Prices = "card"
		b.mu.Lock()
		b.tries[r.ID] = p
		b.mu.Unlock()
	}
	r.Days = days(from, to)
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM rerates WHERE state IN ('planned', 'failed') AND id NOT IN (SELECT id FROM rerates ORDER BY created_at DESC LIMIT ?)`, maxKept); err != nil {
			return err
		}
		return put(ctx, tx, &r)
	})
	b.nudge()
	return r, err
}

func days(from, to time.Time) int64 {
	return int64(to.Add(-1).Truncate(24*time.Hour).Sub(from.Truncate(24*time.Hour))/(24*time.Hour)) + 1
}

func put(ctx context.Context, tx *control.Tx, r *client.Rerate) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO rerates (id, state, body, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`,
		r.ID, r.State, string(body), control.Micros(r.CreatedAt))
	return err
}

func (b *Book) save(ctx context.Context, r *client.Rerate) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error { return put(ctx, tx, r) })
}

func scan(row control.Row) (r client.Rerate, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(body), &r)
}

// List is all of them, newest first.
func (b *Book) List(ctx context.Context) ([]client.Rerate, error) {
	return control.All(ctx, b.o.DB, scan, `SELECT body FROM rerates ORDER BY created_at DESC, id DESC LIMIT ?`, maxKept)
}

// Get is one of them.
func (b *Book) Get(ctx context.Context, id string) (client.Rerate, error) {
	all, err := control.All(ctx, b.o.DB, scan, `SELECT body FROM rerates WHERE id = ?`, id)
	if err != nil {
		return client.Rerate{}, err
	}
	if len(all) == 0 {
		return client.Rerate{}, fault.New(fault.KindNotFound, "rerate.not_found", "there is no rerate %.60s", id).WithHint("`reeve cost rerates` lists them")
	}
	return all[0], nil
}

// Apply begins to change what a plan showed.
func (b *Book) Apply(ctx context.Context, by, id string) (client.Rerate, error) {
	return b.begin(ctx, by, id, "applying", "apply", func(r *client.Rerate, all []client.Rerate) error {
		if r.Prices != "in_force" {
			return fault.New(fault.KindConflict, "rerate.tried", "this plan was made with a card that is not in force").
				WithHint("put it in force (prices.file), then plan again")
		}
		if r.State != "planned" && r.State != "failed" && r.State != "undone" {
			return wrongState(r)
		}
		return nil
	})
}

// Undo begins to give the old costs back.
func (b *Book) Undo(ctx context.Context, by, id string) (client.Rerate, error) {
	return b.begin(ctx, by, id, "undoing", "undo", func(r *client.Rerate, all []client.Rerate) error {
		if r.State != "applied" && r.State != "failed" {
			return wrongState(r)
		}
		if files, err := b.files(id); err != nil || len(files) == 0 {
			return wrongState(r)
		}
		for _, x := range all {
			if x.ID != r.ID && x.State == "applied" && ended(&x).After(ended(r)) && x.From.Before(r.To) && r.From.Before(x.To) {
				return fault.New(fault.KindConflict, "rerate.later", "%s changed the same time later", x.ID).WithHint("undo that first")
			}
		}
		return nil
	})
}

func ended(r *client.Rerate) time.Time {
	if r.EndedAt == nil {
		return r.CreatedAt
	}
	return *r.EndedAt
}

func wrongState(r *client.Rerate) error {
	return fault.New(fault.KindConflict, "rerate.state", "%s is %s", r.ID, r.State)
}

func (b *Book) begin(ctx context.Context, by, id, state, action string, may func(*client.Rerate, []client.Rerate) error) (client.Rerate, error) {
	all, err := b.List(ctx)
	if err != nil {
		return client.Rerate{}, err
	}
	r, err := b.Get(ctx, id)
	if err != nil {
		return r, err
	}
	if err := may(&r, all); err != nil {
		return r, err
	}
	before := r.State
	r.State, r.DaysDone, r.EndedAt, r.Error = state, 0, nil, ""
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// Somebody else may have begun meanwhile.
		n, err := tx.Exec(ctx, `UPDATE rerates SET state = ? WHERE id = ? AND state = ?`, state, id, before)
		if err != nil {
			return err
		}
		if n == 0 {
			return wrongState(&r)
		}
		if err := put(ctx, tx, &r); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.rerate_" + action, Person: by, Action: action, Object: id, After: map[string]any{
			"from": r.From.Format(time.RFC3339), "to": r.To.Format(time.RFC3339), "changed": r.Changed,
		}})
	})
	b.nudge()
	return r, err
}

func (b *Book) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run works on what was begun, one after the other, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	for {
		jobs, err := control.All(ctx, b.o.DB, scan, `SELECT body FROM rerates WHERE state IN ('planning', 'applying', 'undoing') ORDER BY created_at`)
		if err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("rerates cannot be read", "err", err)
		}
		for i := range jobs {
			b.work(ctx, &jobs[i])
		}
		if len(jobs) > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.wake:
		}
	}
}

// work does one job to its end, or until ctx ends: then the next start does.
func (b *Book) work(ctx context.Context, r *client.Rerate) {
	began := b.o.Now()
	state, err := "planned", error(nil)
	switch r.State {
	case "planning":
		err = b.plan(ctx, r)
	case "applying":
		state, err = "applied", b.apply(ctx, r)
	case "undoing":
		state, err = "undone", b.undo(ctx, r)
	}
	if ctx.Err() != nil {
		return
	}
	now := b.o.Now().UTC()
	r.State, r.EndedAt, r.TookMS = state, &now, now.Sub(began).Milliseconds()
	if err != nil {
		b.o.Logger.Error("a rerate failed", "rerate", r.ID, "err", err)
		r.State, r.Error = "failed", fault.From(err).Message
	}
	if err := b.save(ctx, r); err != nil {
		b.o.Logger.Error("a rerate cannot be kept", "rerate", r.ID, "err", err)
	}
}

// priced is what a call costs by these prices, as package run asks them.
func priced(p Prices, c *telemetry.Call) activity.Cost {
	for _, model := range [...]string{c.Model, c.ModelRequested} {
		if model == "" {
			continue
		}
		if cost := p.Cost(c.Provider, model, time.Unix(0, c.Start), c.Usage); cost.Basis != activity.CostUnknown {
			return cost
		}
	}
	return activity.Cost{}
}

// differs reports a call whose cost is to change, and to what.
func differs(p Prices, c *telemetry.Call) (activity.Cost, bool) {
	if c.Cost.Basis == activity.CostProvider || !c.Usage.Known() {
		return activity.Cost{}, false
	}
	now := priced(p, c)
	return now, now.Nanos != c.Cost.Nanos || now.Basis != c.Cost.Basis || now.Currency != c.Cost.Currency
}

// plan adds up what would change.
func (b *Book) plan(ctx context.Context, r *client.Rerate) error {
	prices := b.o.Prices
	if r.Prices == "card" {
		b.mu.Lock()
		p := b.tries[r.ID]
		delete(b.tries, r.ID)
		b.mu.Unlock()
		if p == nil {
			return fault.New(fault.KindConflict, "rerate.state", "the server was restarted, and the card that was to be tried is gone").WithHint("plan again")
		}
		prices = p
	}
	s := newSums()
	err := b.byDay(ctx, r, func(from, to time.Time) error {
		return b.o.Calls.Calls(ctx, from, to, func(c *telemetry.Call) error {
			now, changed := differs(prices, c)
			s.add(c, now, changed)
			return nil
		})
	})
	s.fill(r)
	return err
}

// byDay does the days of r's time one after the other and keeps its progress.
func (b *Book) byDay(ctx context.Context, r *client.Rerate, do func(from, to time.Time) error) error {
	r.DaysDone = 0
	for from := r.From; from.Before(r.To); {
		to := from.Truncate(24 * time.Hour).Add(24 * time.Hour)
		if to.After(r.To) {
			to = r.To
		}
		if err := do(from, to); err != nil {
			return err
		}
		from = to
		if r.DaysDone++; r.DaysDone < r.Days {
			if err := b.save(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply changes the calls that differ now: those of the plan, and what came
// since.
func (b *Book) apply(ctx context.Context, r *client.Rerate) error {
	if err := os.MkdirAll(b.o.Dir, 0o700); err != nil {
		return err
	}
	s := newSums()
	err := b.byDay(ctx, r, func(from, to time.Time) error {
		old, err := openUndo(b.file(r.ID, from))
		if err != nil {
			return err
		}
		defer func() { _ = old.Close() }()
		return b.exchange(ctx, from, to, old, func(telemetry.Part) (pricing, error) {
			return func(c *telemetry.Call) (activity.Cost, bool) {
				now, changed := differs(b.o.Prices, c)
				s.add(c, now, changed)
				return now, changed
			}, nil
		})
	})
	if err == nil {
		before := r.Changed
		s.fill(r)
		r.Changed = max(r.Changed, before) // a crash in between: what was changed before it counts
	}
	return err
}

// pricing tells what a call is to cost, and whether it differs.
type pricing = func(*telemetry.Call) (activity.Cost, bool)

// exchange gives the calls of a day what price says, part by part; old, where
// there is one, keeps what they cost before.
func (b *Book) exchange(ctx context.Context, from, to time.Time, old *undo, price func(telemetry.Part) (pricing, error)) error {
	part := telemetry.Part{Of: b.o.Calls.ExchangeParts(from)}
	for ; part.Number < part.Of; part.Number++ {
		p, err := price(part)
		if err != nil {
			return err
		}
		left, err := b.exchangePart(ctx, from, to, part, old, p)
		if err != nil {
			return err
		}
		for _, run := range left.order {
			costs := make(map[activity.StepID]activity.Cost, len(left.by[run]))
			for _, c := range left.by[run] {
				costs[c.step] = c.now
			}
			if _, err := b.o.Runs.Rerate(ctx, run, costs); err != nil {
				return err
			}
		}
	}
	return nil
}

// exchangePart changes what can be changed at once and tells what is left. The
// exchange is closed when it returns: what follows needs maintenance to go on.
func (b *Book) exchangePart(ctx context.Context, from, to time.Time, part telemetry.Part, old *undo, price pricing) (left changes, err error) {
	x, err := b.o.Calls.Exchange(ctx, from, to, part, price)
	if err != nil {
		return left, err
	}
	defer x.Close()
	var ch changes
	if old != nil {
		err = x.Each(func(c *telemetry.Recost, _ bool) error {
			ch.add(c)
			if ch.n < changesAtOnce {
				return nil
			}
			return old.keep(&ch)
		})
		if err == nil {
			err = old.keep(&ch)
		}
		if err == nil {
			err = old.sync()
		}
		if err != nil {
			return left, err
		}
	}
	if err := b.o.Runs.Exchange(ctx, x); err != nil {
		return left, err
	}
	return left, x.Each(func(c *telemetry.Recost, apart bool) error {
		if apart {
			left.add(c)
		}
		return nil
	})
}

const changesAtOnce = 20_000

// changes are calls to change, by run in the order in which they were met.
type changes struct {
	order []activity.RunID
	by    map[activity.RunID][]change
	n     int
}

type change struct {
	step     activity.StepID
	old, now activity.Cost
}

func (c *changes) add(x *telemetry.Recost) {
	if c.by == nil {
		c.by = map[activity.RunID][]change{}
	}
	if c.by[x.Run] == nil {
		c.order = append(c.order, x.Run)
	}
	c.by[x.Run] = append(c.by[x.Run], change{x.Step, x.Old, x.New})
	c.n++
}

type callID struct {
	run  activity.RunID
	step activity.StepID
}

// undo gives every call that was changed its old cost back.
func (b *Book) undo(ctx context.Context, r *client.Rerate) error {
	err := b.byDay(ctx, r, func(from, to time.Time) error {
		file := b.file(r.ID, from)
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return nil // nothing of this day changed
		}
		return b.exchange(ctx, from, to, nil, func(part telemetry.Part) (pricing, error) {
			was, err := oldCosts(file, part)
			return func(c *telemetry.Call) (activity.Cost, bool) {
				old, ok := was[callID{c.Run, c.Step}]
				return old, ok && old != c.Cost && c.Cost.Basis != activity.CostProvider
			}, err
		})
	})
	if err != nil {
		return err
	}
	r.DaysDone = r.Days
	files, err := b.files(r.ID)
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// oldCosts reads what the calls of a part cost before. Of a call that was kept
// twice the first counts.
func oldCosts(file string, part telemetry.Part) (map[callID]activity.Cost, error) {
	was := map[callID]activity.Cost{}
	words := map[string]string{} // prices and currencies are few
	word := func(s *string) {
		if w, ok := words[*s]; ok {
			*s = w
		} else if len(words) < 10_000 {
			words[*s] = *s
		}
	}
	return was, readUndo(file, func(run activity.RunID, costs map[activity.StepID]activity.Cost) error {
		if !part.Has(run) {
			return nil
		}
		for step, c := range costs {
			if _, ok := was[callID{run, step}]; !ok {
				word(&c.Currency)
				word(&c.Price)
				was[callID{run, step}] = c
			}
		}
		return nil
	})
}

// file keeps the old costs of one day.
func (b *Book) file(id string, day time.Time) string {
	return filepath.Join(b.o.Dir, filepath.Base(id)+"."+day.UTC().Format(time.DateOnly)+".costs")
}

func (b *Book) files(id string) ([]string, error) {
	return filepath.Glob(filepath.Join(b.o.Dir, filepath.Base(id)+".*.costs"))
}

// sums are a plan's figures.
type sums struct {
	calls, given, changed int64
	rows                  map[rowKey]*rowSum
}

type rowKey struct{ provider, model, currency string }

type rowSum struct {
	calls, changed, known, unknown int64
	before, after                  int64
	hadPrice, hasPrice             bool
}

func newSums() *sums { return &sums{rows: map[rowKey]*rowSum{}} }

// maxRows bounds what a plan tells: senders choose the names.
const maxRows = 1000

func (s *sums) add(c *telemetry.Call, now activity.Cost, changed bool) {
	s.calls++
	if c.Cost.Basis == activity.CostProvider {
		s.given++
	}
	k := rowKey{c.Provider, cmp.Or(c.Model, c.ModelRequested), cmp.Or(now.Currency, c.Cost.Currency, "USD")}
	r := s.rows[k]
	if r == nil {
		if len(s.rows) >= maxRows {
			k = rowKey{model: "(others)", currency: k.currency}
			r = s.rows[k]
		}
		if r == nil {
			r = &rowSum{}
			s.rows[k] = r
		}
	}
	r.calls++
	if !changed {
		return
	}
	s.changed++
	r.changed++
	if c.Cost.Basis != activity.CostUnknown {
		r.hadPrice = true
		r.before += c.Cost.Nanos
	} else {
		r.known++
	}
	if now.Basis != activity.CostUnknown {
		r.hasPrice = true
		r.after += now.Nanos
	} else {
		r.unknown++
	}
}

func (s *sums) fill(r *client.Rerate) {
	r.Calls, r.Given, r.Changed, r.Rows, r.Before, r.After = s.calls, s.given, s.changed, []client.RerateRow{}, nil, nil
	var before, after total
	for k, x := range s.rows {
		if x.changed == 0 {
			continue
		}
		was, is := total{x.before, x.hadPrice}, total{x.after, x.hasPrice}
		r.Rows = append(r.Rows, client.RerateRow{
			Provider: k.provider, Model: k.model, Currency: k.currency, Calls: x.calls, Changed: x.changed, NewlyKnown: x.known, NowUnknown: x.unknown,
			Before: was.amount(), After: is.amount(),
		})
		if k.currency == "USD" {
			before.add(was)
			after.add(is)
		}
	}
	r.Before, r.After = before.amount(), after.amount()
	size := func(x client.RerateRow) float64 {
		d := 0.0
		if x.Before != nil {
			d -= *x.Before
		}
		if x.After != nil {
			d += *x.After
		}
		return max(d, -d)
	}
	slices.SortFunc(r.Rows, func(x, y client.RerateRow) int {
		return cmp.Or(cmp.Compare(size(y), size(x)), cmp.Compare(x.Model, y.Model), cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Currency, y.Currency))
	})
}

// total is a sum that may not be known.
type total struct {
	nanos int64
	known bool
}

func (t *total) add(more total) {
	t.nanos += more.nanos
	t.known = t.known || more.known
}

// amount is the sum in units of its currency; nil for what is not known.
func (t total) amount() *float64 {
	if !t.known {
		return nil
	}
	v := float64(t.nanos) / 1e9
	return &v
}
