package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/retention"
	"reeve/internal/telemetry"
)

// keeping applies how long telemetry is kept. Days that nobody wants any more go
// whole; what a place wants gone sooner is taken out of the days that stay, once
// a day and when a rule changes, since that writes segments again.
type keeping struct {
	app   *App
	rules *retention.Book
	wake  chan struct{}

	most atomic.Int64 // the longest that anything is kept, ns; 0 for ever

	mu   sync.Mutex // guards what follows
	last *client.RetentionPass
}

const day = 24 * time.Hour

func (a *App) openRetention(ctx context.Context) error {
	k := &keeping{app: a, wake: make(chan struct{}, 1)}
	s := a.o.Config.Store
	k.rules = retention.New(a.control, map[string]time.Duration{retention.Runs: s.MaxAge, retention.Content: s.ContentMaxAge}, k.poke, nil)
	a.keeping = k
	if _, err := k.known(ctx); err != nil {
		return err
	}
	return k.rules.Settle(ctx, func() (time.Time, time.Time, error) {
		s, err := a.store.Stats(ctx)
		return s.Oldest, s.OldestContent, err
	})
}

// known are the rules, whose longest age is remembered.
func (k *keeping) known(ctx context.Context) (retention.Rules, error) {
	rules, err := k.rules.Rules(ctx)
	if err == nil {
		k.most.Store(int64(rules.Longest(retention.Runs)))
	}
	return rules, err
}

// longest is the most that any telemetry is kept as rules last said, 0 for ever.
func (k *keeping) longest() time.Duration { return time.Duration(k.most.Load()) }

// KeptSince is from when on all records of a table are there: the later of what rules
// let go now, in any place, and of what was dropped by size or by former rules. With
// content it is from when on what was said in them is there, too.
func (k *keeping) KeptSince(ctx context.Context, table string, content bool) (time.Time, error) {
	rules, err := k.rules.Rules(ctx)
	if err != nil {
		return time.Time{}, err
	}
	marks, err := k.rules.Marks(ctx)
	if err != nil {
		return time.Time{}, err
	}
	now, since := time.Now().UTC(), time.Time{}
	later := func(t time.Time) {
		if t.After(since) {
			since = t
		}
	}
	after := func(age time.Duration) {
		if age != retention.Forever {
			later(now.Add(-age).Truncate(day))
		}
	}
	decisions := table == "decisions" // what takes runs of a place leaves its decisions
	if decisions {
		after(rules.Longest(retention.Runs))
		after(k.app.o.Config.Audit.DecisionsAge)
	} else {
		after(rules.Shortest(retention.Runs))
		if content {
			after(rules.Shortest(retention.Content))
		}
	}
	if decisions {
		marks = slices.DeleteFunc(marks, func(m retention.Mark) bool { return m.Kind == retention.Runs })
	}
	later(retention.Dropped(marks))
	if content && !decisions {
		later(retention.DroppedContent(marks))
	}
	return since, nil
}

func (k *keeping) poke() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run applies the rules once an hour, and narrower ones once a day.
func (k *keeping) run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	var narrowed time.Time
	for {
		began := time.Now()
		narrow := began.Sub(narrowed) >= day
		p, err := k.pass(ctx, began, narrow)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			// Old data stays an hour longer; that is no reason to stop serving.
			k.app.log.Error("retention did not finish", "err", err)
			p.Error = fault.From(err).Message
		case narrow:
			narrowed = began
		}
		if p.Rows > 0 || p.Bytes > 0 {
			k.app.log.Info("old telemetry dropped", "days", p.Days, "runs", p.Runs, "rows", p.Rows, "bytes", p.Bytes)
		}
		p.TookMS = time.Since(began).Milliseconds()
		k.mu.Lock()
		k.last = &p
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-k.wake:
			narrowed = time.Time{}
		}
	}
}

// pass drops what is older than anybody wants, and with narrow also what single
// places want gone.
func (k *keeping) pass(ctx context.Context, now time.Time, narrow bool) (p client.RetentionPass, err error) {
	p.At = now.UTC()
	rules, err := k.known(ctx)
	if err != nil {
		return p, err
	}
	d, err := k.app.store.Retain(ctx, telemetry.Retention{
		Now: now, MaxAge: rules.Longest(retention.Runs), MaxBytes: int64(k.app.o.Config.Store.MaxBytes), Content: rules.Longest(retention.Content),
		Dropping: func(before time.Time) error {
			return k.rules.Drop(ctx, retention.Mark{Kind: retention.Days, Before: before})
		},
		DroppingContent: func(before time.Time) error {
			return k.rules.Drop(ctx, retention.Mark{Kind: retention.Content, Before: before})
		},
	})
	p.Days, p.Bytes = d.Partitions, d.Bytes
	if err != nil || !narrow || len(rules.List) == 0 {
		return p, err
	}
	for _, kind := range []string{retention.Runs, retention.Content} {
		if err := k.narrow(ctx, now, kind, &rules, &p); err != nil {
			return p, err
		}
	}
	return p, k.narrowLoose(ctx, now, &rules, &p)
}

// narrowLoose forgets log records of no run, and metric points, of places that keep
// runs for less than the longest.
func (k *keeping) narrowLoose(ctx context.Context, now time.Time, rules *retention.Rules, p *client.RetentionPass) error {
	longest, narrower := rules.Longest(retention.Runs), false
	before := func(team, environment string) time.Time {
		age := rules.Of(retention.Runs, environment, team)
		if age == retention.Forever {
			return time.Time{}
		}
		return now.Add(-age).Truncate(day)
	}
	for _, at := range rules.Places() {
		cut := before(at.Team, at.Environment)
		if age := rules.Of(retention.Runs, at.Environment, at.Team); cut.IsZero() || longest != retention.Forever && age >= longest {
			continue
		}
		narrower = true
		mark := retention.Mark{Kind: retention.Runs, Place: rules.Decides(retention.Runs, at.Environment, at.Team), Before: cut}
		if err := k.rules.Drop(ctx, mark); err != nil {
			return err
		}
	}
	if !narrower && (rules.Of(retention.Runs, "", "") == longest || rules.Of(retention.Runs, "", "") == retention.Forever) {
		return nil
	}
	d, err := k.app.store.Forget(ctx, telemetry.Forget{Loose: before})
	p.Rows, p.Bytes = p.Rows+d.Rows, p.Bytes+d.Bytes
	return err
}

// forgetAtOnce bounds the runs of one rewriting of segments.
const forgetAtOnce = 50_000

// narrow forgets the runs, or their content, of places that keep them for less
// than the longest.
func (k *keeping) narrow(ctx context.Context, now time.Time, kind string, rules *retention.Rules, p *client.RetentionPass) error {
	youngest := rules.Of(kind, "", "")
	for _, at := range rules.Places() {
		if age := rules.Of(kind, at.Environment, at.Team); age > 0 && (youngest == retention.Forever || age < youngest) {
			youngest = age
		}
	}
	if youngest == retention.Forever || youngest == rules.Longest(kind) {
		return nil // all go by whole days
	}
	q := telemetry.RunsQuery{To: now.Add(-youngest).Truncate(day), Limit: 1000}
	gone, marks := map[activity.RunID]struct{}{}, map[retention.Place]time.Time{}
	flush := func() error {
		if len(gone) == 0 {
			return nil
		}
		for place, before := range marks {
			if err := k.rules.Drop(ctx, retention.Mark{Kind: kind, Place: place, Before: before}); err != nil {
				return err
			}
		}
		k.app.reader.ForgetContents()
		d, err := k.app.store.Forget(ctx, telemetry.Forget{Runs: gone, ContentOnly: kind == retention.Content})
		p.Rows, p.Bytes = p.Rows+d.Rows, p.Bytes+d.Bytes
		if d.Rows > 0 {
			p.Runs += int64(len(gone))
		}
		clear(gone)
		return err
	}
	for {
		page, err := k.app.store.Runs(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Runs {
			r := &page.Runs[i]
			age := rules.Of(kind, r.Environment, r.Team)
			if before := now.Add(-age).Truncate(day); age != retention.Forever && r.Start < before.UnixNano() {
				gone[r.ID] = struct{}{}
				marks[rules.Decides(kind, r.Environment, r.Team)] = before
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return flush()
		}
		if len(gone) >= forgetAtOnce {
			// What goes does not move the place in the list: it is by start.
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// Show tells what is kept for how long.
func (k *keeping) Show(ctx context.Context) (client.Retention, error) {
	rules, err := k.rules.Rules(ctx)
	if err != nil {
		return client.Retention{}, err
	}
	s, err := k.app.store.Stats(ctx)
	if err != nil {
		return client.Retention{}, err
	}
	out := client.Retention{
		Rules: []client.RetentionRule{}, RunsDays: int64(rules.Default[retention.Runs] / day), ContentDays: int64(rules.Default[retention.Content] / day),
		MaxBytes: int64(k.app.o.Config.Store.MaxBytes), Bytes: s.Bytes,
	}
	if !s.Oldest.IsZero() {
		out.Oldest = &s.Oldest
	}
	for _, r := range rules.List {
		out.Rules = append(out.Rules, client.RetentionRule{Kind: r.Kind, Environment: r.Environment, Team: r.Team, Days: int64(r.Age / day), By: r.By, Reason: r.Reason, At: r.At})
	}
	k.mu.Lock()
	out.Last = k.last
	k.mu.Unlock()
	out.Text = fmt.Sprintf("Runs are kept %s, what was said in them %s.", ageWords(rules.Of(retention.Runs, "", "")), ageWords(rules.Of(retention.Content, "", "")))
	if n := len(rules.Places()); n > 0 {
		out.Text += fmt.Sprintf(" %d rules say otherwise for some.", len(rules.List))
	}
	marks, err := k.rules.Marks(ctx)
	if err != nil {
		return client.Retention{}, err
	}
	dropped := retention.Dropped(marks)
	if !dropped.IsZero() {
		out.Text += fmt.Sprintf(" Of before %s some was dropped.", dropped.Format("2006-01-02 15:04"))
	}
	if said := retention.DroppedContent(marks); said.After(dropped) {
		out.Text += fmt.Sprintf(" Of what was said before %s some was dropped.", said.Format("2006-01-02 15:04"))
	}
	return out, nil
}

func ageWords(age time.Duration) string {
	if age == retention.Forever {
		return "for good"
	}
	return fmt.Sprintf("%d days", age/day)
}

func ruleOf(in client.PutRetentionRequest) retention.Rule {
	days := min(max(in.Days, -1), 1<<20) // more is refused; it must not overflow first
	return retention.Rule{Kind: in.Kind, Environment: in.Environment, Team: in.Team, Age: time.Duration(days) * day, Reason: in.Reason}
}

// Put makes a rule.
func (k *keeping) Put(ctx context.Context, who retention.Actor, in client.PutRetentionRequest) error {
	return k.rules.Put(ctx, who, ruleOf(in))
}

// Delete drops one.
func (k *keeping) Delete(ctx context.Context, who retention.Actor, in client.DeleteRetentionRequest) error {
	return k.rules.Delete(ctx, who, retention.Rule{Kind: in.Kind, Environment: in.Environment, Team: in.Team, Reason: in.Reason})
}

// Preview counts what a rule would drop that is kept without it.
func (k *keeping) Preview(ctx context.Context, in client.PutRetentionRequest) (client.RetentionPreview, error) {
	rule := ruleOf(in)
	if err := retention.Check(rule); err != nil {
		return client.RetentionPreview{}, err
	}
	now, err := k.rules.Rules(ctx)
	if err != nil {
		return client.RetentionPreview{}, err
	}
	then := now
	then.List = []retention.Rule{rule}
	for _, r := range now.List {
		if r.Kind != rule.Kind || r.Environment != rule.Environment || r.Team != rule.Team {
			then.List = append(then.List, r)
		}
	}
	at := time.Now()
	before, err := k.outlived(ctx, at, rule.Kind, &now)
	if err != nil {
		return client.RetentionPreview{}, err
	}
	after, err := k.outlived(ctx, at, rule.Kind, &then)
	if err != nil {
		return client.RetentionPreview{}, err
	}
	out := client.RetentionPreview{Places: []client.RetentionPlace{}}
	if rule.Age > 0 {
		out.Before = at.Add(-rule.Age).Truncate(day).UTC()
	}
	for p, n := range after {
		if more := n - before[p]; more > 0 {
			out.Runs += more
			out.Places = append(out.Places, client.RetentionPlace{Team: p.Team, Environment: p.Environment, Runs: more})
		}
	}
	for p, n := range before {
		out.Back += max(0, n-after[p])
	}
	sortPlaces(out.Places)
	what := map[string]string{retention.Runs: "runs, with all that is known of them,", retention.Content: "runs lose what was said in them, which"}[rule.Kind]
	out.Text = fmt.Sprintf("%d %s would go within the hour. It does not come back.", out.Runs, what)
	if out.Runs == 0 {
		out.Text = "Nothing that is there now would go."
	}
	return out, nil
}

// outlived counts by place the runs that are older than rules let them be.
func (k *keeping) outlived(ctx context.Context, now time.Time, kind string, rules *retention.Rules) (map[retention.Place]int64, error) {
	ages := map[time.Duration]bool{rules.Of(kind, "", ""): true}
	for _, p := range rules.Places() {
		ages[rules.Of(kind, p.Environment, p.Team)] = true
	}
	out := map[retention.Place]int64{}
	for age := range ages {
		if age == retention.Forever {
			continue
		}
		res, err := k.app.store.Query(ctx, telemetry.Query{
			Table: "runs", GroupBy: []string{"team", "environment"}, To: now.Add(-age).Truncate(day), Limit: 10_000, Select: []telemetry.Measure{{Func: "count", As: "count"}},
		})
		if err != nil {
			return nil, err
		}
		for _, row := range res.Rows {
			team, _ := row[0].(string)
			environment, _ := row[1].(string)
			if p := (retention.Place{Environment: environment, Team: team}); rules.Of(kind, environment, team) == age {
				n, _ := row[2].(int64)
				out[p] += n
			}
		}
	}
	return out, nil
}

// Erased keeps the receipt of an erasure, which does not say of whom.
func (k *keeping) Erased(ctx context.Context, e client.Erasure, by, via string) (client.Erasure, error) {
	e.ID = "ers_" + strings.ToLower(rand.Text())
	parts, err := json.Marshal(e.Parts)
	if err != nil {
		return e, err
	}
	return e, k.app.control.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO erasures (id, at, by_who, reason, parts, of_what) VALUES (?, ?, ?, ?, ?, ?)`, e.ID, control.Micros(e.At), e.By, e.Reason, string(parts), e.Of); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "content.erased", Person: by, Via: via, Action: "erase", Object: "a " + e.Of + " " + e.ID, Reason: e.Reason, After: map[string]any{"whole": e.Whole, "said": e.Text}})
	})
}

// Erasures lists the receipts, the newest first.
func (k *keeping) Erasures(ctx context.Context) ([]client.Erasure, error) {
	return control.All(ctx, k.app.control, func(r control.Row) (e client.Erasure, err error) {
		var at int64
		var parts string
		if err := r.Scan(&e.ID, &at, &e.By, &e.Reason, &parts, &e.Of); err != nil {
			return e, err
		}
		e.At, e.Whole = control.Time(at), true
		err = json.Unmarshal([]byte(parts), &e.Parts)
		for _, p := range e.Parts {
			e.Whole = e.Whole && (p.Part == "backups" || p.Error == "" && p.Left == 0)
		}
		return e, err
	}, `SELECT id, at, by_who, reason, parts, of_what FROM erasures ORDER BY at DESC LIMIT 200`)
}

func sortPlaces(list []client.RetentionPlace) {
	slices.SortFunc(list, func(x, y client.RetentionPlace) int {
		return cmp.Or(cmp.Compare(y.Runs, x.Runs), strings.Compare(x.Team, y.Team), strings.Compare(x.Environment, y.Environment))
	})
}
