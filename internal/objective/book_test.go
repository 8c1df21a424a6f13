package objective

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// archive is a store of run rows that answers by search.MatchAt, as the engine
// does. TestObjectives of package app does the same through the real engine.
type archive struct {
	now  func() time.Time
	rows map[activity.RunID]*activity.Run
	door map[activity.RunID]bool // runs that passed the door
	fail error
	torn error // no run's steps can be read
}

// load gives a run's steps.
func (s *archive) load(id activity.RunID) func() []activity.Step {
	return func() []activity.Step {
		if s.door[id] {
			return []activity.Step{{Fragment: activity.Fragment{Run: id, Source: activity.SourceGateway}}}
		}
		return nil
	}
}

func (s *archive) Run(_ context.Context, id activity.RunID) (*activity.Run, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	if r := s.rows[id]; r != nil {
		c := *r
		return &c, nil
	}
	return nil, fault.New(fault.KindNotFound, "telemetry.no_run", "there is no such run")
}

func (s *archive) Steps(_ context.Context, id activity.RunID) ([]activity.Step, error) {
	if s.torn != nil {
		return nil, s.torn
	}
	return s.load(id)(), s.fail
}

func (s *archive) matching(where search.Expr, from, to time.Time) (out []activity.Run, err error) {
	for _, r := range s.rows {
		ok, err := match(where, s.now(), r, s.load(r.ID))
		if err != nil {
			return nil, err
		}
		if ok && (from.IsZero() || r.Start >= from.UnixNano()) && (to.IsZero() || r.Start < to.UnixNano()) {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b activity.Run) int {
		if a.Start != b.Start {
			return int(b.Start - a.Start)
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
	return out, s.fail
}

func (s *archive) Runs(_ context.Context, q telemetry.RunsQuery) (page telemetry.RunsPage, err error) {
	page.Runs, err = s.matching(q.Filter, q.From, q.To)
	if q.Sort == "-updated" {
		slices.Reverse(page.Runs)
	}
	skip := 0
	if q.Cursor != "" {
		skip, _ = strconv.Atoi(q.Cursor)
	}
	page.Runs = page.Runs[min(skip, len(page.Runs)):]
	if len(page.Runs) > q.Limit {
		page.Runs, page.Next = page.Runs[:q.Limit], strconv.Itoa(skip+q.Limit)
	}
	return page, err
}

func (s *archive) Query(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
	where := q.Where
	if q.NoTests {
		where = search.Both(where, notTest())
	}
	rows, err := s.matching(where, q.From, q.To)
	if err != nil {
		return nil, err
	}
	type key struct {
		at   int64
		name string
	}
	groups, order := map[key][]activity.Run{}, []key{}
	for _, r := range rows {
		k := key{}
		if q.Bucket > 0 {
			k.at = time.Unix(0, r.Start).Truncate(q.Bucket).UnixNano()
		}
		if len(q.GroupBy) > 0 {
			k.name = map[string]string{"agent": r.Agent, "version": r.Version, "task": r.Task, "error_type": r.ErrorType}[q.GroupBy[0]]
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	res := &telemetry.Result{}
	if q.Bucket > 0 {
		res.Columns = append(res.Columns, telemetry.Column{Name: "bucket", Kind: "time"})
	}
	for _, g := range q.GroupBy {
		res.Columns = append(res.Columns, telemetry.Column{Name: g, Kind: "dimension"})
	}
	for _, m := range q.Select {
		res.Columns = append(res.Columns, telemetry.Column{Name: m.As, Kind: "measure"})
	}
	for _, k := range order {
		var row []any
		if q.Bucket > 0 {
			row = append(row, k.at)
		}
		if len(q.GroupBy) > 0 {
			row = append(row, k.name)
		}
		for _, m := range q.Select {
			n := int64(0)
			for _, r := range groups[k] {
				if ok, err := match(m.Where, s.now(), &r, s.load(r.ID)); err != nil {
					return nil, err
				} else if ok {
					n++
				}
			}
			row = append(row, n)
		}
		res.Rows = append(res.Rows, row)
	}
	return res, nil
}

// kpis are the KPIs of a house.
type kpis struct {
	list   map[string]Indicator
	points []Point
}

func (k *kpis) Indicator(id string) (Indicator, error) {
	if in, ok := k.list[id]; ok {
		return in, nil
	}
	return Indicator{}, fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %q", id)
}

func (k *kpis) Figures(_ context.Context, _ string, p Part) (out []Point, err error) {
	for _, x := range k.points {
		if !x.At.Before(p.From) && x.At.Before(p.To) {
			out = append(out, x)
		}
	}
	return out, nil
}

func expr(text string) search.Expr {
	e, err := search.ParseIn(search.ScopeRun, text)
	if err != nil {
		panic(err)
	}
	return e
}

type house struct {
	*testing.T
	*archive
	kpis   *kpis
	at     time.Time
	db     *control.DB
	book   *Book
	told   []Alarm
	over   []string
	agent  Agent
	serial int
	proved bool // alarms rest on what passed the door
}

func newHouse(t *testing.T) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := &house{T: t, db: db, at: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), agent: Agent{Name: "refund", Team: "shop", Environment: "production", Autonomy: "bounded"}}
	h.archive = &archive{now: func() time.Time { return h.at }, rows: map[activity.RunID]*activity.Run{}, door: map[activity.RunID]bool{}}
	known := expr("outcome!=unknown")
	h.kpis = &kpis{list: map[string]Indicator{
		"task_completion": {ID: "task_completion", Title: "Task completion", Unit: "share", Direction: "up", Version: 1, Kind: KindShare, Table: "runs", Of: expr("outcome:verified_resolved"), Among: known, Base: expr("status:done,stale")},
		"escalation_rate": {ID: "escalation_rate", Title: "Escalation", Unit: "share", Direction: "down", Version: 1, Kind: KindShare, Table: "runs", Of: expr("outcome:escalated"), Among: known, Base: expr("status:done,stale")},
		"run_latency_p95": {ID: "run_latency_p95", Title: "Latency", Unit: "ms", Direction: "down", Version: 1, Kind: KindField, Table: "runs", Among: expr("status:done,stale"), Field: "duration_ms"},
		"approval_load":   {ID: "approval_load", Title: "Approval load", Unit: "count", Direction: "down", Version: 1, Kind: KindEvents, Table: "runs", Events: "decisions", Among: expr("status:done,stale")},
		"compliant":       {ID: "compliant", Title: "Compliant", Unit: "share", Direction: "up", Version: 1, Kind: KindShare, Table: "runs", Of: expr("-any(status:error)"), Among: known, Base: known},
		"value_net":       {ID: "value_net", Title: "Net value", Unit: "usd", Direction: "up", Version: 1, Kind: KindFigure, Table: "runs"},
		"csat":            {ID: "csat", Title: "Satisfaction", Unit: "share", Direction: "up", Version: 1, Kind: KindShare, Missing: "feedback"},
		"steps_per_run":   {ID: "steps_per_run", Unit: "count", Direction: "none", Version: 1, Kind: KindField, Table: "runs", Field: "steps"},
	}}
	h.restart()
	return h
}

// restart is what a kill and a start do.
func (h *house) restart() {
	h.Helper()
	var err error
	h.book, err = New(h.Context(), Options{
		DB: h.db, Store: h.archive, KPIs: h.kpis, Now: func() time.Time { return h.at },
		Agent: func(name string) (Agent, bool) { return h.agent, name == h.agent.Name },
		Alarm: func(_ context.Context, a Alarm) (Told, error) {
			h.told = append(h.told, a)
			return Told{Finding: "fnd_" + a.Key, Proved: h.proved}, nil
		},
		Over: func(_ context.Context, finding, why string) error {
			h.over = append(h.over, finding+": "+why)
			return nil
		},
	})
	if err != nil {
		h.Fatal(err)
	}
}

// run stores a run that ended now, and tells the book of it.
func (h *house) run(outcome string, edit ...func(*activity.Run)) *activity.Run {
	h.serial++
	r := &activity.Run{
		ID: activity.RunOfKey(strconv.Itoa(h.serial)), Agent: "refund", Team: "shop", Environment: "production", Task: "refund", Status: activity.RunDone, Outcome: outcome,
		Start: h.at.Add(-time.Second).UnixNano(), End: h.at.UnixNano(), Updated: h.at.UnixNano(), Received: h.at.UnixNano(),
	}
	for _, f := range edit {
		f(r)
	}
	h.rows[r.ID] = r
	h.book.Observe(&telemetry.Write{Runs: []activity.Run{*r}})
	return r
}

func (h *house) put(o Objective) Objective {
	h.Helper()
	o, err := h.book.Put(h.Context(), everyone, o)
	if err != nil {
		h.Fatal(err)
	}
	return o
}

func (h *house) look(name string) Standing {
	h.Helper()
	h.book.Work(h.Context())
	_, s, err := h.book.Standing(name)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

var everyone = Actor{Person: "per_1", Name: "ada", Can: func(string, string, string) bool { return true }}

const (
	good = "verified_resolved"
	bad  = "failed"
)

func done(target float64) Objective {
	return Objective{Name: "done", Title: "Refunds are done", KPI: "task_completion", Agent: "refund", Target: target, Window: Window{Rolling: 7 * day}}
}

func TestBudgetOfRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := h.put(done(0.9))
	if o.Team != "shop" || o.Environment != "production" || o.Coverage != defaultCoverage || len(o.Alerts) == 0 {
		t.Errorf("it was completed to %+v", o)
	}
	if s := h.look("done"); s.State != NoData {
		t.Errorf("without a run it is %s", s.State)
	}
	for i := range 100 {
		h.at = h.at.Add(10 * time.Minute)
		outcome := good
		if i%20 == 0 {
			outcome = bad
		}
		h.run(outcome)
	}
	h.at = h.at.Add(time.Minute)
	s := h.look("done")
	if s.State != Met || s.Budget.N != 100 || s.Budget.Bad != 5 || *s.Value != 0.95 {
		t.Errorf("it is %s with %+v", s.State, s.Budget)
	}
	near(t, "allowed", s.Budget.Allowed, 10, 1e-9)
	near(t, "left", s.Budget.Left(), 0.5, 1e-9)
	// Test runs, other agents' and runs of unknown outcome do not count.
	h.run(bad, func(r *activity.Run) { r.Mode = "test" })
	h.run(bad, func(r *activity.Run) { r.Agent = "other" })
	h.run("", func(r *activity.Run) {})
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.Budget.N != 100 || s.Budget.Base != 101 {
		t.Errorf("it counts %+v", s.Budget)
	}
	// A late fact corrects the past.
	for _, r := range h.rows {
		if r.Outcome == bad && r.Agent == "refund" && r.Mode == "" {
			r.Outcome = good
			break
		}
	}
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.Budget.Bad != 4 {
		t.Errorf("after a correction %v are bad", s.Budget.Bad)
	}
}

func TestBurnAlarmsAndRecovers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Minimum = 1000 // the budget is not what this is about
	o.Alerts = []Alert{{Severity: "critical", Long: time.Hour, Short: 10 * time.Minute, Factor: 3}}
	h.put(o)
	for range 120 { // two hours of one good run a minute
		h.at = h.at.Add(time.Minute)
		h.run(good)
		h.look("done")
	}
	if s := h.look("done"); s.State != Met || len(h.told) != 0 {
		t.Fatalf("it is %s and told %v", s.State, h.told)
	}
	minutes := 0
	for range 60 {
		h.at = h.at.Add(time.Minute)
		h.run(bad)
		minutes++
		if s := h.look("done"); s.State == Burning {
			break
		}
	}
	// 3 times 10 % of an hour is 18 of 60.
	if minutes != 18 {
		t.Errorf("the alarm came after %d minutes of failing", minutes)
	}
	a := h.told[0]
	if a.Kind != AlarmBurn || a.Severity != "critical" || len(a.Runs) == 0 || a.Objective.Agent != "refund" {
		t.Errorf("it told %+v", a)
	}
	// A restart keeps it, and tells of the same.
	h.restart()
	h.at = h.at.Add(time.Minute)
	h.run(bad)
	if s := h.look("done"); s.State != Burning || len(s.Alarms) != 1 || s.Alarms[0].Finding != "fnd_burn:critical:1h0m0s" {
		t.Errorf("after a restart it is %s with %+v", s.State, s.Alarms)
	}
	// Silence is not recovery: nothing is counted in the short time.
	h.at = h.at.Add(11 * time.Minute)
	if s := h.look("done"); s.State != Burning || len(h.over) != 0 {
		t.Errorf("in silence it is %s, over %v", s.State, h.over)
	}
	// Good runs end it soon.
	for range 12 {
		h.at = h.at.Add(time.Minute)
		h.run(good)
		h.look("done")
	}
	if s := h.look("done"); s.State != Met || len(h.over) != 1 || !strings.Contains(h.over[0], "it burns at") {
		t.Errorf("after it got well it is %s, over %v", s.State, h.over)
	}
}

// Late news still alarms: verdicts about old runs burn when they come.
func TestLateNewsAlarms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Alerts = []Alert{{Severity: "critical", Long: time.Hour, Short: 5 * time.Minute, Factor: 3}}
	h.put(o)
	var open []*activity.Run
	for i := range 200 {
		h.at = h.at.Add(10 * time.Minute)
		if i >= 100 {
			open = append(open, h.run(""))
			continue
		}
		h.run(good)
		h.look("done")
	}
	h.at = h.at.Add(24 * time.Hour)
	if s := h.look("done"); s.State == Burning {
		t.Fatalf("it is %s before anything is known", s.State)
	}
	for _, r := range open[:60] {
		r.Outcome, r.Flags = bad, activity.FlagSettled // its row is not younger for it
		h.book.Observe(&telemetry.Write{Runs: []activity.Run{*r}})
	}
	if s := h.look("done"); s.State != Burning && s.State != Spent {
		t.Errorf("after 60 bad verdicts about yesterday it is %s: %+v", s.State, s.Looks)
	}
}

func TestSpentAndRecovered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Window, o.Propose = Window{Rolling: day}, true
	o.Alerts = []Alert{{Severity: "warning", Long: 20 * time.Hour, Short: 10 * time.Hour, Factor: 100}} // never
	h.put(o)
	for i := range 100 {
		h.at = h.at.Add(time.Minute)
		outcome := good
		if i >= 85 {
			outcome = bad
		}
		h.run(outcome)
	}
	h.at = h.at.Add(time.Minute)
	s := h.look("done")
	if s.State != Spent || s.Budget.Spent < 1.4 || s.Since.IsZero() {
		t.Fatalf("it is %s, spent %v", s.State, s.Budget.Spent)
	}
	spent := h.told[len(h.told)-1]
	if spent.Kind != AlarmSpent || len(spent.Runs) != 15 {
		t.Errorf("it told %+v", spent)
	}
	// While it is spent for a day, less autonomy is proposed, once.
	for range 25 {
		h.at = h.at.Add(time.Hour)
		for i := range 40 {
			h.at = h.at.Add(time.Second)
			if i%5 == 0 {
				h.run(bad)
			} else {
				h.run(good)
			}
		}
		h.look("done")
	}
	list, err := h.book.Proposals(t.Context(), ProposalFilter{State: ProposalOpen})
	if err != nil || len(list) != 1 || list[0].From != "bounded" || list[0].To != "supervised" || !list[0].Narrows() || list[0].N == 0 {
		t.Fatalf("proposed is %+v, %v", list, err)
	}
	changed := ""
	p, err := h.book.Decide(t.Context(), everyone, list[0].ID, true, "yes", func(_ context.Context, p Proposal) error {
		changed = p.Agent + " " + p.To
		h.agent.Autonomy = p.To
		return nil
	})
	if err != nil || p.State != ProposalAccepted || changed != "refund supervised" {
		t.Errorf("accepted: %+v, %q, %v", p, changed, err)
	}
	if _, err := h.book.Decide(t.Context(), everyone, p.ID, false, "", nil); !fault.Is(err, fault.KindConflict) {
		t.Errorf("deciding twice: %v", err)
	}
	// A day of good runs, and the bad ones fall out of the window.
	for range 30 {
		h.at = h.at.Add(time.Hour)
		for range 10 {
			h.run(good)
		}
		h.look("done")
	}
	if s := h.look("done"); s.State != Met || !strings.Contains(strings.Join(h.over, "\n"), "fnd_spent: the budget has recovered") {
		t.Errorf("after a good day it is %s, over %v", s.State, h.over)
	}
	// Two weeks later it has earned more, but somebody decided lately.
	for range 15 * 12 {
		h.at = h.at.Add(2 * time.Hour)
		for range 8 {
			h.run(good)
		}
		h.look("done")
	}
	list, _ = h.book.Proposals(t.Context(), ProposalFilter{State: ProposalOpen})
	if len(list) != 1 || list[0].From != "supervised" || list[0].To != "bounded" || list[0].Narrows() {
		t.Errorf("after two good weeks proposed is %+v", list)
	}
	// What is declined is not asked again at once; a changed agent lets it lapse.
	h.agent.Autonomy = "autonomous"
	h.at = h.at.Add(2 * time.Minute)
	h.look("done")
	if list, _ := h.book.Proposals(t.Context(), ProposalFilter{State: ProposalOpen}); len(list) != 0 {
		t.Errorf("the agent was changed and proposed is %+v", list)
	}
}

// No data is not good data: below the stated coverage nothing alarms and nothing
// is over.
func TestCoverageFreezes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Coverage = 0.8
	h.put(o)
	for range 60 {
		h.at = h.at.Add(time.Minute)
		h.run(bad)
		h.run("")
	}
	h.at = h.at.Add(time.Minute)
	s := h.look("done")
	if s.State != Frozen || !strings.Contains(s.Why, "50 % of the records are known and 80 % are needed") || len(h.told) != 0 {
		t.Errorf("it is %s, %q, and told %v", s.State, s.Why, h.told)
	}
	for _, r := range h.rows {
		if r.Outcome == "" {
			r.Outcome = bad
			h.book.Observe(&telemetry.Write{Runs: []activity.Run{*r}})
		}
	}
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.State != Spent || len(h.told) == 0 {
		t.Errorf("known, it is %s, %q", s.State, s.Why)
	}
	// Records whose outcome nobody tells freeze it again, and what holds holds on.
	for range 200 {
		h.at = h.at.Add(time.Minute)
		h.run("")
	}
	over := len(h.over)
	if s := h.look("done"); s.State != Frozen || len(s.Alarms) == 0 || len(h.over) != over {
		t.Errorf("blind again it is %s with %v, over %v", s.State, s.Alarms, h.over)
	}
}

func TestFewRunsAreNotSpent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put(done(0.95))
	for range 3 {
		h.run(bad)
	}
	h.at = h.at.Add(time.Minute)
	if s := h.look("done"); s.State == Spent || !s.Few || s.Budget.Spent < 1 {
		t.Errorf("three bad runs: %s, %+v", s.State, s.Budget)
	}
}

// The sequence takes each run once, in the order of their verdicts, across
// restarts and repeats, and begins anew when it has got well.
func TestStream(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.95)
	o.Stream = &Stream{Labels: 100, Minimum: 30}
	o.Alerts = []Alert{{Severity: "warning", Long: 20 * time.Hour, Short: 10 * time.Hour, Factor: 100}}
	h.put(o)
	missed := 0
	for i := range 400 {
		h.at = h.at.Add(time.Minute)
		outcome := good
		if i%5 == 0 {
			outcome = bad
		}
		r := h.run(outcome)
		if i%7 == 0 {
			h.book.Observe(&telemetry.Write{Runs: []activity.Run{*r}}) // told again
		}
		if i == 40 {
			h.restart()
			h.book.Observe(&telemetry.Write{Runs: []activity.Run{*r}})
		}
		if s := h.look("done"); s.Stream.Short {
			missed = i
			break
		} else if s.Stream.N != int64(i+1) {
			t.Fatalf("after %d runs it counted %d", i+1, s.Stream.N)
		}
	}
	if missed < 30 || missed > 200 {
		t.Errorf("80 %% against 95 %% is told after %d labels", missed)
	}
	last := h.told[len(h.told)-1]
	if last.Kind != AlarmMissed && last.Kind != AlarmSpent {
		t.Errorf("it told %+v", last)
	}
	s := h.look("done")
	if s.Stream.Low > 0.8 || s.Stream.High < 0.8 {
		t.Errorf("the interval is %v to %v", s.Stream.Low, s.Stream.High)
	}
	for range 150 {
		h.at = h.at.Add(time.Minute)
		h.run(good)
		h.look("done")
	}
	if !strings.Contains(strings.Join(h.over, "\n"), "fnd_missed: the last") {
		t.Errorf("it got well, and over is %v", h.over)
	}
	if s := h.look("done"); s.Stream.Short || s.Stream.N > 150 {
		t.Errorf("it began anew with %+v", s.Stream)
	}
}

func TestSlicesOfTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	limit := 10.0
	h.put(Objective{Name: "worth", Title: "It is worth it", KPI: "value_net", Slice: time.Hour, Limit: &limit, Target: 0.9, Window: Window{Rolling: 7 * day}})
	begin := h.at.Truncate(time.Hour).Add(-7 * day)
	for i := range 7 * 24 {
		v := 20.0
		if i%4 == 0 {
			v = 5
		}
		p := Point{At: begin.Add(time.Duration(i) * time.Hour), Value: &v, N: 10}
		if i%2 == 1 {
			p.Value = nil
		}
		h.kpis.points = append(h.kpis.points, p)
	}
	s := h.look("worth")
	if s.Budget.N != 84 || s.Budget.Bad != 42 || s.Budget.Base != 168 {
		t.Errorf("it counts %+v", s.Budget)
	}
	near(t, "allowed", s.Budget.Allowed, 16.8, 1e-9) // of all hours of the week
	if s.State != Spent {
		t.Errorf("it is %s", s.State)
	}
}

// What raised an alarm at the door is over when what passes the door is well: good
// runs that telemetry alone claims free nobody.
func TestClaimsFreeNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.proved = true
	o := done(0.9)
	o.Window = Window{Rolling: 2 * day}
	h.put(o)
	for range 60 {
		h.at = h.at.Add(time.Second)
		h.door[h.run(bad).ID] = true
	}
	h.at = h.at.Add(time.Minute)
	if s := h.look("done"); s.State != Spent {
		t.Fatalf("it is %s", s.State)
	}
	for range 2000 { // claimed
		h.run(good)
	}
	h.at = h.at.Add(2 * time.Hour)
	if s := h.look("done"); s.Budget.Spent > recovered || s.State != Spent || len(h.over) != 0 {
		t.Errorf("by claims it is %s with %.2f spent, over %v", s.State, s.Budget.Spent, h.over)
	}
	h.at = h.at.Add(2 * day)
	for range 60 {
		h.door[h.run(good).ID] = true
	}
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.State != Met || len(h.over) == 0 {
		t.Errorf("by what passed the door it is %s, over %v", s.State, h.over)
	}
}

// A new window of the calendar with one good run has recovered nothing yet.
func TestNewWindowIsNoRecovery(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Window = Window{Calendar: "day"}
	h.put(o)
	for range 60 {
		h.at = h.at.Add(time.Second)
		h.run(bad)
	}
	h.at = h.at.Add(time.Minute)
	h.look("done")
	h.at = time.Date(2026, 3, 11, 0, 30, 0, 0, time.UTC)
	h.run(good)
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.State != Spent || strings.Contains(strings.Join(h.over, " "), "fnd_spent") {
		t.Errorf("after one run of a new day it is %s, over %v", s.State, h.over)
	}
	for range 60 {
		h.run(good)
	}
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.State != Met || !strings.Contains(strings.Join(h.over, " "), "fnd_spent") {
		t.Errorf("after a good day it is %s, over %v", s.State, h.over)
	}
}

// Limits of every size are compared with.
func TestLargeAndSmallLimits(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, limit := range map[string]float64{"long": 1_200_000, "short": 0.00005} {
		h.put(Objective{Name: name, Title: name, KPI: "run_latency_p95", Agent: "refund", Limit: &limit, Target: 0.9})
	}
	h.run(good)
	h.at = h.at.Add(time.Minute)
	if s := h.look("long"); s.Budget.N != 1 || s.Budget.Bad != 0 {
		t.Errorf("a second against twenty minutes: %+v, %s", s.Budget, s.Why)
	}
	if s := h.look("short"); s.Budget.N != 1 || s.Budget.Bad != 1 {
		t.Errorf("a second against nothing: %+v, %s", s.Budget, s.Why)
	}
}

// A run that cannot be judged for one objective holds up no other.
func TestOneDoesNotHoldUpAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Stream = &Stream{}
	h.put(o)
	c := done(0.9)
	c.Name, c.KPI, c.Stream = "compliant", "compliant", &Stream{}
	h.put(c)
	h.look("done")
	h.torn = fault.New(fault.KindInternal, "telemetry.torn", "this run cannot be read")
	h.at = h.at.Add(time.Second)
	for range 10 {
		h.run(good)
	}
	if s := h.look("done"); s.Stream.N != 10 {
		t.Errorf("%d of 10 runs were counted", s.Stream.N)
	}
	h.torn = nil
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("compliant"); s.Stream.N != 10 {
		t.Errorf("read again, %d of 10 runs were counted: %s", s.Stream.N, s.Why)
	}
}

// A time in which nobody looked is no time in which it was well, and an agent that
// is contained is not trusted with more.
func TestWideningNeedsLooks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Propose = true
	h.put(o)
	for range 100 {
		h.run(good)
	}
	h.at = h.at.Add(time.Minute)
	h.look("done")
	h.at = h.at.Add(15 * day)
	for range 100 {
		h.run(good)
	}
	h.at = h.at.Add(time.Minute)
	h.look("done")
	open := func() int {
		list, err := h.book.Proposals(t.Context(), ProposalFilter{State: ProposalOpen})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if open() != 0 {
		t.Error("more is proposed after two weeks in which nobody looked")
	}
	h.agent.Containment = "throttled"
	for range 15 * 24 {
		h.at = h.at.Add(time.Hour)
		for range 5 {
			h.run(good)
		}
		h.look("done")
	}
	if open() != 0 {
		t.Error("more is proposed for an agent that is contained")
	}
	h.agent.Containment = "none"
	h.at = h.at.Add(time.Minute)
	if h.look("done"); open() != 1 {
		t.Error("nothing is proposed after two weeks that were looked at")
	}
}

func TestChangeBeginsAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.95)
	o.Stream = &Stream{}
	o = h.put(o)
	for range 60 {
		h.at = h.at.Add(time.Minute)
		h.run(bad)
	}
	if s := h.look("done"); len(s.Alarms) == 0 || s.Stream.N != 60 {
		t.Fatalf("it is %s with %+v", s.State, s.Alarms)
	}
	o.Title = "Another word"
	o = h.put(o)
	if s := h.look("done"); s.Stream.N != 60 || len(s.Alarms) == 0 {
		t.Errorf("another title began anew: %+v", s)
	}
	o.Target = 0.05
	h.put(o)
	if len(h.over) != 0 {
		t.Errorf("a change took back %v", h.over)
	}
	h.at = h.at.Add(time.Minute)
	if s := h.look("done"); s.Stream.N != 0 {
		t.Errorf("another target goes on with %+v", s.Stream)
	}
	if err := h.book.Delete(t.Context(), everyone, "done", ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.book.Standing("done"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put(done(0.9))
	h.run(bad)
	h.fail = fault.New(fault.KindUnavailable, "telemetry.busy", "the store is busy")
	if s := h.look("done"); s.State != Frozen || !strings.Contains(s.Why, "busy") {
		t.Errorf("it is %s, %q", s.State, s.Why)
	}
	h.fail = nil
	h.at = h.at.Add(2 * time.Minute)
	if s := h.look("done"); s.Budget.N != 1 {
		t.Errorf("after it answers: %+v", s.Budget)
	}
	if h.book.Stats().Waiting != 0 || h.book.Stats().Failed == 0 {
		t.Errorf("stats %+v", h.book.Stats())
	}
}

// A full queue loses nothing: what it had no room for is looked for in the store.
func TestGapIsMadeGood(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	o := done(0.9)
	o.Stream = &Stream{}
	h.put(o)
	h.look("done")
	for range maxQueued {
		h.serial++
		h.book.queue = append(h.book.queue, news{run: activity.RunOfKey("none" + strconv.Itoa(h.serial))})
	}
	for range 20 {
		h.at = h.at.Add(time.Minute)
		h.run(good)
	}
	if !h.book.gap {
		t.Fatal("there was room")
	}
	if s := h.look("done"); s.Stream.N != 20 {
		t.Errorf("%d of 20 runs were counted", s.Stream.N)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	limit, zero := 5000.0, 0.0
	for want, edit := range map[string]func(*Objective){
		"name has":                    func(o *Objective) { o.Name = "Done!" },
		"the title is":                func(o *Objective) { o.Title = " " },
		"there is no KPI":             func(o *Objective) { o.KPI = "nonsense" },
		"a share is from 0 to 1":      func(o *Objective) { o.Target = 95 },
		"leaves no budget":            func(o *Objective) { o.Target = 1 },
		"its target says all":         func(o *Objective) { o.Limit = &limit },
		"needs a limit for each":      func(o *Objective) { o.KPI = "run_latency_p95" },
		"its limit says how many":     func(o *Objective) { o.KPI, o.Limit, o.Target = "approval_load", &zero, 0 },
		"cannot be counted":           func(o *Objective) { o.KPI = "value_net" },
		"has no data: it needs":       func(o *Objective) { o.KPI = "csat" },
		"neither more nor less":       func(o *Objective) { o.KPI = "steps_per_run" },
		"either rolling or":           func(o *Objective) { o.Window.Calendar = "month" },
		"an hour to 366 days":         func(o *Objective) { o.Window.Rolling = time.Minute },
		"there is no calendar":        func(o *Objective) { o.Window = Window{Calendar: "fortnight"} },
		"there is no time zone":       func(o *Objective) { o.Window = Window{Calendar: "day", Zone: "Mars/Base"} },
		"coverage is above 0":         func(o *Objective) { o.Coverage = 2 },
		"minimum is 1":                func(o *Objective) { o.Minimum = -1 },
		"slices of time need a limit": func(o *Objective) { o.Slice = time.Hour },
		"a minute or more, of which":  func(o *Objective) { o.Slice, o.Limit = time.Minute, &limit },
		"alerts[0].severity": func(o *Objective) {
			o.Alerts = []Alert{{Severity: "page", Long: time.Hour, Short: time.Minute, Factor: 1}}
		},
		"alerts[0]: the long time": func(o *Objective) {
			o.Alerts = []Alert{{Severity: "info", Long: time.Hour, Short: time.Hour, Factor: 1}}
		},
		"alerts[0].factor":             func(o *Objective) { o.Alerts = []Alert{{Severity: "info", Long: time.Hour, Short: time.Minute}} },
		"stream.labels":                func(o *Objective) { o.Stream = &Stream{Labels: 1} },
		"stream.alpha":                 func(o *Objective) { o.Stream = &Stream{Alpha: 0.9} },
		`the agent refund is of team`:  func(o *Objective) { o.Team = "bank" },
		"a line of at most 200":        func(o *Objective) { o.Task = "a\nb" },
		"watches verdicts about runs:": func(o *Objective) { o.KPI, o.Limit, o.Target, o.Stream = "approval_load", &limit, 0, &Stream{} },
	} {
		o := done(0.9)
		edit(&o)
		if _, err := h.book.Put(t.Context(), everyone, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	nobody := Actor{Name: "eve", Can: func(_, team, _ string) bool { return team == "bank" }}
	if _, err := h.book.Put(t.Context(), nobody, done(0.9)); !fault.Is(err, fault.KindDenied) {
		t.Errorf("another team's: %v", err)
	}
	o := h.put(done(0.9))
	if err := h.book.Delete(t.Context(), nobody, "done", ""); !fault.Is(err, fault.KindDenied) {
		t.Errorf("deleting another team's: %v", err)
	}
	o.Revision = 7
	if _, err := h.book.Put(t.Context(), everyone, o); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a revision that was not read: %v", err)
	}
	for i := range maxObjectives {
		h.book.entries[fmt.Sprintf("x%d", i)] = &entry{}
	}
	full := done(0.9)
	full.Name = "one-more"
	if _, err := h.book.Put(t.Context(), everyone, full); !fault.Is(err, fault.KindExhausted) {
		t.Errorf("one more than there may be: %v", err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put(done(0.9))
	for i := range 200 {
		h.at = h.at.Add(30 * time.Minute)
		// The old version has more bad runs, of many more: the new one is the cause.
		outcome, version := good, "1"
		if i%5 == 0 {
			outcome = bad
		}
		if i >= 150 {
			if version, outcome = "2", good; i%2 == 0 {
				outcome = bad
			}
		}
		h.run(outcome, func(r *activity.Run) { r.Version = version })
	}
	h.at = h.at.Add(time.Minute)
	h.look("done")
	s, err := h.book.Status(t.Context(), "done", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Spent) < 2 || s.Spent[0].By != "version" || s.Spent[0].Name != "2" || s.Spent[0].Bad != 25 || s.Spent[1].Name != "1" || s.Spent[1].Bad != 30 {
		t.Errorf("spent by %+v", s.Spent)
	}
	var c Counts
	for _, g := range s.Series {
		c.N, c.Bad = c.N+g.N, c.Bad+g.Bad
	}
	if c.N != 200 || c.Bad != 55 || len(s.Series) > buckets+10 {
		t.Errorf("the series of %d buckets has %+v", len(s.Series), c)
	}
	if len(s.Runs) != maxBadRuns || s.Runs[0].End < s.Runs[1].End {
		t.Errorf("%d bad runs, newest first", len(s.Runs))
	}
	for text, want := range map[string]int{s.Records: 55, s.Spent[0].Records: 25} {
		e, err := search.ParseIn(search.ScopeRun, text)
		if err != nil {
			t.Fatalf("the search %q: %v", text, err)
		}
		if rows, _ := h.matching(e, time.Time{}, time.Time{}); len(rows) != want {
			t.Errorf("%q finds %d runs", text, len(rows))
		}
	}
}
