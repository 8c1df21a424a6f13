package outcome

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Pace of the follower.
const (
	tick       = 2 * time.Second
	pageRuns   = 200
	maxPages   = 50 // of one mode at once; more wait for the next round
	lateEvery  = time.Minute
	keepOpen   = 6 * 24 * time.Hour // how far before their last news runs are looked for; older ones are in outcome_due
	retryDue   = 10 * time.Minute
	repeatPage = 5000 // runs of users that are read together

	batchSize  = 100 // pieces of evidence whose runs are looked for together
	maxBatches = 10  // of one round

	latePage  = 2000 // unfinished runs that are asked about together
	latePages = 50   // of one round; the next goes on behind them
)

// modes are followed each by its own place, since their windows differ. A run of
// no mode counts as interactive.
var modes = []struct {
	name  string
	where search.Expr
}{
	{"interactive", &search.Or{Of: []search.Expr{search.Is("mode", "interactive"), search.Unknown("mode")}}},
	{"autonomous", search.Is("mode", "autonomous")},
	{"asynchronous", search.Is("mode", "asynchronous")},
}

// Run looks for the runs that evidence is about, settles runs whose window has
// passed and tells of late ones, until ctx ends. Without news it asks seldom:
// settling as often as its shortest window needs and never for more than a
// twentieth of the time, evidence when the next piece is due.
func (b *Book) Run(ctx context.Context) error {
	var late, worked time.Time
	pace := tick
	for {
		if err := b.match(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("evidence about outcomes waits", "err", err)
		}
		if now := b.o.Now(); now.Sub(worked) >= pace {
			worked = now
			if err := b.settleAll(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("settling outcomes waits", "err", err)
			}
			pace = max(b.pace(), 20*b.o.Now().Sub(worked))
			if b.behind.Load() > 0 {
				pace = 0 // it was cut: more is there to settle
			}
		}
		if now := b.o.Now(); now.Sub(late) >= lateEvery {
			late = now
			if err := b.lateOnes(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("late runs are not known", "err", err)
			}
		}
		next := time.NewTimer(max(min(pace-b.o.Now().Sub(worked), b.untilLook(ctx)), 50*time.Millisecond))
		select {
		case <-ctx.Done():
			next.Stop()
			return context.Cause(ctx)
		case <-next.C:
		case <-b.wake:
		}
		next.Stop()
	}
}

// pace is how often runs are settled: sixty times within the shortest window, at
// least every minute and at most every two seconds.
func (b *Book) pace() time.Duration {
	w := b.o.Windows
	return max(tick, min(min(w.Interactive, w.Autonomous, w.Asynchronous)/60, time.Minute))
}

// untilLook is how long the next piece of evidence without a run can wait.
func (b *Book) untilLook(ctx context.Context) time.Duration {
	next, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (at int64, err error) { return at, r.Scan(&at) },
		`SELECT next_look FROM outcome_evidence WHERE run = '' AND next_look > 0 ORDER BY next_look LIMIT 1`)
	switch {
	case err != nil:
		return tick
	case !ok:
		return time.Minute
	}
	return max(control.Time(next).Sub(b.o.Now()), lookSoon/4)
}

// match looks for the runs of evidence that has none yet and was due when it
// began: what becomes due meanwhile waits for the next round, else settling would
// never have its turn.
func (b *Book) match(ctx context.Context) error {
	began := b.o.Now()
	for range maxBatches {
		list, err := control.All(ctx, b.o.DB, scanEvidence, `SELECT `+evidenceColumns+` FROM outcome_evidence
			WHERE run = '' AND next_look > 0 AND next_look <= ? ORDER BY next_look LIMIT ?`, control.Micros(began), batchSize)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := b.matchBatch(ctx, list); err != nil {
			return err
		}
		if len(list) < batchSize {
			return nil
		}
	}
	return nil
}

func (b *Book) matchBatch(ctx context.Context, list []Evidence) error {
	found := map[activity.RunID]bool{}
	for i := range list {
		e := &list[i]
		run, err := b.find(ctx, e)
		switch {
		case fault.Is(err, fault.KindInvalid):
			// It was taken by a version that knew less; asked again it would be
			// refused again, and hold up everybody's behind it.
			b.o.Logger.Warn("evidence names its run in a way that cannot be looked for", "evidence", e.OurID, "err", err)
			err = b.lookAt(ctx, e, time.Time{})
		case err != nil:
		case run == nil:
			err = b.lookAgain(ctx, e)
		default:
			err = b.matched(ctx, e, run)
			found[run.ID] = true
		}
		if err != nil {
			return err
		}
	}
	for id := range found {
		if err := b.settleOne(ctx, id); err != nil {
			return err
		}
	}
	if len(found) > 0 && b.o.Labelled != nil {
		b.o.Labelled()
	}
	return nil
}

// find is the run that evidence is about; nil when there is none yet.
func (b *Book) find(ctx context.Context, e *Evidence) (*activity.Run, error) {
	fits := func(r *activity.Run) bool {
		return (e.Team == "" || r.Team == e.Team) && (e.Environment == "" || r.Environment == e.Environment) && r.Mode != "test"
	}
	if !e.Run.IsZero() {
		r, err := b.o.Store.Run(ctx, e.Run)
		if fault.Is(err, fault.KindNotFound) || err == nil && !fits(r) {
			return nil, nil
		}
		return r, err
	}
	var where search.Expr = search.Is("session", e.Session)
	if e.Session == "" {
		name, value, ok := strings.Cut(e.Key, "=")
		if !ok {
			name, value = "join_key", e.Key
		}
		if _, known := search.Lookup(search.ScopeRun, search.PrefixLabel+name); !known {
			return nil, invalid("there is no label %.40q", name)
		}
		where = search.Is(search.PrefixLabel+name, value)
	}
	q := telemetry.RunsQuery{Filter: where, From: time.Unix(0, e.At).Add(-maxKept), Limit: 20}
	if e.Session != "" {
		q.To = time.Unix(0, e.At).Add(time.Minute) // clocks differ
	}
	if e.Team != "" {
		q.Teams = []string{e.Team}
	}
	page, err := b.o.Store.Runs(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range page.Runs { // the newest first
		if fits(&page.Runs[i]) {
			return &page.Runs[i], nil
		}
	}
	return nil, nil
}

// lookAgain says when evidence without a run is looked for next: the longer it
// waits already, the later; after 30 days no more.
func (b *Book) lookAgain(ctx context.Context, e *Evidence) error {
	now := b.o.Now()
	age := now.Sub(e.Received)
	if age < lookSoon {
		b.unmatched.Add(1)
	}
	if age > maxKept {
		return b.lookAt(ctx, e, time.Time{})
	}
	return b.lookAt(ctx, e, now.Add(min(max(lookSoon, age/2), lookLater)))
}

// lookAt keeps when evidence is looked for next; zero: no more.
func (b *Book) lookAt(ctx context.Context, e *Evidence, next time.Time) error {
	at := int64(0)
	if !next.IsZero() {
		at = control.Micros(next)
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE outcome_evidence SET next_look = ? WHERE seq = ?`, at, e.Seq)
		return err
	})
}

// matched joins evidence to its run.
func (b *Book) matched(ctx context.Context, e *Evidence, r *activity.Run) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE outcome_evidence SET run = ?, agent = ?, team = CASE team WHEN '' THEN ? ELSE team END, next_look = 0 WHERE seq = ?`,
			r.ID.String(), r.Agent, r.Team, e.Seq)
		return err
	})
}

// settleOne decides a run of which something new was said.
func (b *Book) settleOne(ctx context.Context, id activity.RunID) error {
	facts, err := b.factsOf(ctx, id)
	if err != nil {
		return err
	}
	return b.publish(ctx, facts)
}

// factsOf is what is known of a run; none where the store has it no longer.
func (b *Book) factsOf(ctx context.Context, id activity.RunID) ([]Facts, error) {
	run, err := b.o.Store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return b.facts(ctx, []activity.Run{*run})
}

// settleAll settles the runs whose window has passed, mode by mode, and then
// those that had not ended when it came by.
func (b *Book) settleAll(ctx context.Context) error {
	var behind time.Duration
	for _, m := range modes {
		d, err := b.pass(ctx, m.name, m.where)
		if err != nil {
			return err
		}
		behind = max(behind, d)
	}
	b.behind.Store(int64(behind))
	return b.due(ctx)
}

type place struct {
	through int64
	behind  string
}

// pass settles a mode's runs from where it was and tells how far it lags.
func (b *Book) pass(ctx context.Context, mode string, where search.Expr) (time.Duration, error) {
	now := b.o.Now()
	to := now.Add(-b.o.Windows.Window(mode))
	at, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (p place, err error) { return p, r.Scan(&p.through, &p.behind) },
		`SELECT through, behind FROM outcome_cursor WHERE mode = ?`, mode)
	if err != nil {
		return 0, err
	}
	if !ok { // what was there before Reeve knew of outcomes is settled too, as far as a month
		at.through = to.Add(-maxKept).UnixNano()
	}
	q := telemetry.RunsQuery{Sort: "-updated", Limit: pageRuns}
	for range maxPages {
		from := time.Unix(0, at.through)
		q.Filter = search.Both(where, updated(">=", from), updated("<", to))
		if now.Sub(from) < keepOpen/2 {
			q.From = from.Add(-keepOpen)
		}
		page, err := b.o.Store.Runs(ctx, q)
		if err != nil {
			return 0, err
		}
		runs := page.Runs
		for len(runs) > 0 && runs[0].Updated == at.through && runs[0].ID.String() <= at.behind {
			runs = runs[1:]
		}
		if len(runs) > 0 {
			if err := b.settle(ctx, runs, now); err != nil {
				return 0, err
			}
			last := &runs[len(runs)-1]
			at = place{last.Updated, last.ID.String()}
		} else if page.Next == "" {
			at = place{max(at.through, to.UnixNano()), ""}
		}
		if err := b.moveTo(ctx, mode, at); err != nil {
			return 0, err
		}
		if page.Next == "" {
			return 0, nil
		}
		q.Cursor = ""
		if len(runs) == 0 { // a page of the very same time
			q.Cursor = page.Next
		}
	}
	return max(0, to.Sub(time.Unix(0, at.through))), nil
}

func updated(op string, t time.Time) search.Expr {
	return &search.Cmp{Field: "updated", Op: op, Values: []string{t.UTC().Format(time.RFC3339Nano)}}
}

func (b *Book) moveTo(ctx context.Context, mode string, at place) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO outcome_cursor (mode, through, behind) VALUES (?, ?, ?)
			ON CONFLICT (mode) DO UPDATE SET through = excluded.through, behind = excluded.behind`, mode, at.through, at.behind)
		return err
	})
}

// settle decides runs whose window has passed; those that have not ended are
// looked at again.
func (b *Book) settle(ctx context.Context, runs []activity.Run, now time.Time) error {
	over := make([]activity.Run, 0, len(runs))
	var open []string
	for i := range runs {
		if Over(&runs[i]) {
			over = append(over, runs[i])
		} else {
			open = append(open, runs[i].ID.String())
		}
	}
	if len(open) > 0 {
		if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			for _, id := range open {
				if _, err := tx.Exec(ctx, `INSERT INTO outcome_due (run, due_at) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET due_at = excluded.due_at`,
					id, control.Micros(now.Add(retryDue))); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	facts, err := b.facts(ctx, over)
	if err != nil {
		return err
	}
	return b.publish(ctx, facts)
}

// due looks again at runs that had not ended.
func (b *Book) due(ctx context.Context) error {
	now := b.o.Now()
	ids, err := control.All(ctx, b.o.DB, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT run FROM outcome_due WHERE due_at <= ? ORDER BY due_at LIMIT ?`, control.Micros(now), pageRuns)
	if err != nil || len(ids) == 0 {
		return err
	}
	var ready []activity.Run
	next := map[string]time.Time{} // zero: no more
	for _, text := range ids {
		next[text] = time.Time{}
		id, err := activity.ParseRunID(text)
		if err != nil {
			continue
		}
		r, err := b.o.Store.Run(ctx, id)
		if fault.Is(err, fault.KindNotFound) {
			continue // gone by retention
		}
		if err != nil {
			return err
		}
		switch at := time.Unix(0, r.Updated).Add(b.o.Windows.Window(r.Mode)); {
		case !Over(r):
			next[text] = now.Add(retryDue)
		case at.After(now):
			next[text] = at
		default:
			ready = append(ready, *r)
		}
	}
	facts, err := b.facts(ctx, ready)
	if err != nil {
		return err
	}
	if err := b.publish(ctx, facts); err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for id, at := range next {
			sql, args := `DELETE FROM outcome_due WHERE run = ?`, []any{id}
			if !at.IsZero() {
				sql, args = `UPDATE outcome_due SET due_at = ? WHERE run = ?`, []any{control.Micros(at), id}
			}
			if _, err := tx.Exec(ctx, sql, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish tells the runs' reader what was decided of them, where that is news.
func (b *Book) publish(ctx context.Context, facts []Facts) error {
	batch := activity.Batch{Received: b.o.Now().UnixNano(), Sender: "outcome"}
	for i := range facts {
		f := &facts[i]
		v := Decide(*f)
		was := f.Run.Flags & (activity.FlagSettled | activity.FlagLabelled)
		is := activity.FlagSettled
		if v.labelled() {
			is |= activity.FlagLabelled
		}
		if v.Outcome == "" || v.Outcome == f.Run.Outcome && was == is {
			continue
		}
		batch.Settled = append(batch.Settled, activity.Settled{Run: f.Run.ID, Outcome: v.Outcome, Labelled: v.labelled()})
	}
	if len(batch.Settled) == 0 {
		return nil
	}
	if err := b.o.Publish(ctx, activity.AppendBatch(nil, &batch)); err != nil {
		return err
	}
	b.settled.Add(int64(len(batch.Settled)))
	return nil
}

// facts gathers what is known of runs.
func (b *Book) facts(ctx context.Context, runs []activity.Run) ([]Facts, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	now := b.o.Now()
	out := make([]Facts, len(runs))
	settled := make([]activity.Run, 0, len(runs))
	for i := range runs {
		r := &runs[i]
		evidence, err := b.About(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		reported, err := b.reported(ctx, r)
		if err != nil {
			return nil, err
		}
		out[i] = Facts{Run: r, Reported: reported, Evidence: evidence, Settled: Over(r) && !time.Unix(0, r.Updated).Add(b.o.Windows.Window(r.Mode)).After(now)}
		if out[i].Settled {
			settled = append(settled, *r)
		}
	}
	if len(settled) == 0 {
		return out, nil
	}
	person, err := b.toPerson(ctx, settled)
	if err != nil {
		return nil, err
	}
	again, err := b.repeats(ctx, settled)
	if err != nil {
		return nil, err
	}
	for i := range out {
		f := &out[i]
		if !f.Settled {
			continue
		}
		f.ToPerson, f.Repeat, f.Observed = person[f.Run.ID], again[f.Run.ID], f.Run.User != ""
		said, err := b.ruled(ctx, f.Run, now)
		if err != nil {
			return nil, err
		}
		f.Evidence = append(f.Evidence, said...)
	}
	return out, nil
}

// reported is the outcome that the agent gave. On a row whose outcome was decided
// it no longer stands; the steps have it still.
func (b *Book) reported(ctx context.Context, r *activity.Run) (string, error) {
	if r.Flags&activity.FlagSettled == 0 {
		return r.Outcome, nil
	}
	steps, err := b.o.Store.Steps(ctx, r.ID)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(steps, func(x, y activity.Step) int {
		if x.Parent.IsZero() != y.Parent.IsZero() { // the root's word counts first
			if x.Parent.IsZero() {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.Start, y.Start)
	})
	for i := range steps {
		if steps[i].Outcome != "" {
			return steps[i].Outcome, nil
		}
	}
	return "", nil
}

func span(runs []activity.Run) (from, to time.Time) {
	first, last := runs[0].Start, runs[0].Start
	for i := range runs {
		first, last = min(first, runs[i].Start), max(last, runs[i].Start)
	}
	return time.Unix(0, first), time.Unix(0, last+1)
}

// toPerson are the runs whose last step is a person's.
func (b *Book) toPerson(ctx context.Context, runs []activity.Run) (map[activity.RunID]bool, error) {
	ids := make([]string, len(runs))
	for i := range runs {
		ids[i] = runs[i].ID.String()
	}
	from, to := span(runs)
	page, err := b.o.Store.Runs(ctx, telemetry.RunsQuery{
		Filter: search.Both(search.Is("id", ids...), &search.Any{Of: search.Is("kind", activity.KindHuman.String())}), From: from, To: to, Limit: len(runs),
	})
	if err != nil {
		return nil, err
	}
	out := map[activity.RunID]bool{}
	for i := range page.Runs {
		steps, err := b.o.Store.Steps(ctx, page.Runs[i].ID)
		if err != nil {
			return nil, err
		}
		if lastIsHuman(steps) {
			out[page.Runs[i].ID] = true
		}
	}
	return out, nil
}

// lastIsHuman reports whether nothing of the agent began after a person's step.
// Containers (an agent's own span) began before and do not count, nor do the
// door's own records of what a person did about a held action: only taking over
// ends the agent's part.
func lastIsHuman(steps []activity.Step) bool {
	var last *activity.Step
	for i := range steps {
		s := &steps[i]
		if s.Kind == activity.KindHuman && s.Dialect == activity.DialectDoor && !strings.HasPrefix(s.Name, "take over") {
			continue
		}
		if last == nil || s.Start >= last.Start {
			last = s
		}
	}
	return last != nil && last.Kind == activity.KindHuman
}

// repeats are the runs whose user came back to the same agent with the same task
// in another session within the window.
func (b *Book) repeats(ctx context.Context, runs []activity.Run) (map[activity.RunID]bool, error) {
	var users []string
	first, last := int64(1)<<62, int64(0)
	for i := range runs {
		r := &runs[i]
		if r.User == "" || r.Mode == "autonomous" || r.Mode == "asynchronous" {
			continue
		}
		if !slices.Contains(users, r.User) {
			users = append(users, r.User)
		}
		first, last = min(first, ended(r)), max(last, ended(r)+int64(b.o.Windows.Window(r.Mode)))
	}
	out := map[activity.RunID]bool{}
	if len(users) == 0 {
		return out, nil
	}
	// Page by page: of a user with more runs than one page has, a service account say,
	// a run whose user came back would else pass for one that was enough.
	q := telemetry.RunsQuery{Filter: search.Is("user", users...), From: time.Unix(0, first), To: time.Unix(0, last), Limit: repeatPage}
	for {
		page, err := b.o.Store.Runs(ctx, q)
		if err != nil {
			return nil, err
		}
		by := map[string][]*activity.Run{}
		for k := range page.Runs {
			by[page.Runs[k].User] = append(by[page.Runs[k].User], &page.Runs[k])
		}
		for i := range runs {
			if r := &runs[i]; !out[r.ID] && slices.ContainsFunc(by[r.User], func(o *activity.Run) bool { return b.cameBack(r, o) }) {
				out[r.ID] = true
			}
		}
		if page.Next == "" {
			return out, nil
		}
		q.Cursor = page.Next
	}
}

// cameBack reports whether a run is of somebody for whom another, by the same agent
// and of the same task, was not enough.
func (b *Book) cameBack(r, o *activity.Run) bool {
	return o.ID != r.ID && o.User == r.User && o.Agent == r.Agent && o.Team == r.Team && o.Environment == r.Environment && o.Task == r.Task &&
		o.Mode != "test" && (o.Session == "" || o.Session != r.Session) &&
		o.Start > ended(r) && o.Start <= ended(r)+int64(b.o.Windows.Window(r.Mode))
}

func ended(r *activity.Run) int64 { return max(r.Start, r.End) }

// ruled is what the rules say of a run, as evidence.
func (b *Book) ruled(ctx context.Context, r *activity.Run, now time.Time) (out []Evidence, err error) {
	var steps []activity.Step
	var failed error
	load := func() []activity.Step {
		if steps == nil {
			steps, failed = b.o.Store.Steps(ctx, r.ID)
		}
		return steps
	}
	for _, x := range b.Rules() {
		if x.Outcome == "" {
			continue
		}
		ok, err := x.holds(r, now, load)
		if err = errors.Join(failed, err); err != nil {
			return nil, fmt.Errorf("asking the rule %s: %w", x.Name, err)
		}
		if ok {
			out = append(out, Evidence{Evidence: activity.Evidence{Kind: activity.EvidenceRule, Source: x.Name, Outcome: x.Outcome, Run: r.ID, At: ended(r), Text: x.Text}})
		}
	}
	return out, nil
}

// Explanation says why a run counts as it does.
type Explanation struct {
	Verdict
	Evidence []Evidence
	Settles  time.Time // when its window passes; zero: it has, or the run goes on
	Settled  bool      // by the window
}

// Explain says why a run counts as it does, from what is known now.
func (b *Book) Explain(ctx context.Context, run *activity.Run) (Explanation, error) {
	facts, err := b.facts(ctx, []activity.Run{*run})
	if err != nil {
		return Explanation{}, err
	}
	f := facts[0]
	out := Explanation{Verdict: Decide(f), Evidence: f.Evidence, Settled: f.Settled}
	if at := time.Unix(0, run.Updated).Add(b.o.Windows.Window(run.Mode)); Over(run) && !f.Settled {
		out.Settles = at.UTC()
	}
	return out, nil
}

// lateOnes tells of unfinished runs that a rule, or their own label deadline,
// calls late. The list begins with the newest, and the late ones are at its end:
// a round that does not reach it is gone on with by the next.
func (b *Book) lateOnes(ctx context.Context) error {
	if b.o.Late == nil {
		return nil
	}
	now, rules := b.o.Now(), b.Rules()
	for range latePages {
		page, err := b.o.Store.Runs(ctx, telemetry.RunsQuery{Filter: search.Is("status", "running", "waiting"), Limit: latePage, Cursor: b.lateFrom})
		b.lateFrom = page.Next // "" after an error: a place that is refused is left
		if err != nil {
			return err
		}
		for i := range page.Runs {
			if err := b.lateOne(ctx, rules, &page.Runs[i], now); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
	}
	return nil
}

func (b *Book) lateOne(ctx context.Context, rules []Rule, r *activity.Run, now time.Time) error {
	if l, ok := ownDeadline(r, now); ok {
		b.o.Late(ctx, l)
		return nil
	}
	for k := range rules {
		l, ok, err := b.late(ctx, &rules[k], r, now)
		if err != nil {
			return err
		}
		if ok {
			b.o.Late(ctx, l)
		}
	}
	return nil
}

func ownDeadline(r *activity.Run, now time.Time) (Late, bool) {
	for _, l := range r.Labels {
		if l.Key != "deadline" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, l.Value); err == nil && now.After(at) {
			return Late{Run: *r, Kind: "deadline", Over: now.Sub(at), Text: "it should have ended by " + at.UTC().Format(time.RFC3339)}, true
		}
	}
	return Late{}, false
}

func (b *Book) late(ctx context.Context, x *Rule, r *activity.Run, now time.Time) (l Late, ok bool, err error) {
	took, quiet := now.Sub(time.Unix(0, r.Start)), now.Sub(time.Unix(0, r.Updated))
	switch {
	case x.Deadline > 0 && took > x.Deadline:
		l = Late{Run: *r, Kind: "deadline", Rule: x.Name, Over: took - x.Deadline, Text: fmt.Sprintf("it goes on for %s and may take %s", took.Round(time.Second), x.Deadline)}
	case x.Stuck > 0 && quiet > x.Stuck:
		l = Late{Run: *r, Kind: "stuck", Rule: x.Name, Over: quiet - x.Stuck, Text: fmt.Sprintf("no news of it for %s; %s are usual", quiet.Round(time.Second), x.Stuck)}
	default:
		return l, false, nil
	}
	var failed error
	ok, err = x.holds(r, now, func() []activity.Step {
		steps, err := b.o.Store.Steps(ctx, r.ID)
		failed = err
		return steps
	})
	return l, ok, errors.Join(failed, err)
}
