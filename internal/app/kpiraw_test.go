package app

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/outcome"
	"reeve/internal/telemetry"
)

// Each KPI of the catalogue equals the same figure recomputed by plain loops over raw
// runs, steps, decisions, feedback, sessions and evaluations, and opens as many records
// as it is from: over runs of every mode and outcome, with tests among them, with calls
// at the door that were allowed, denied, held and answered, and with users who came back,
// complained and lost patience.
func TestEveryKPIFromRawRecords(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) {
		c.Outcomes = outcome.Config{Interactive: 2 * time.Second, Autonomous: 2 * time.Second, Asynchronous: 24 * time.Hour}
		c.Runs.Deadline = 3 * time.Second
		c.Approvals.Wait = 20 * time.Second
	})
	c := client.New("http://"+a.Address("listen"), "")
	manyRuns(t, a)
	repeatRuns(t, a)
	atTheDoor(t, a, c)
	askingSessions(t, a)
	judgedAnswers(t, a, c)
	saidOfRuns(t, a, c)
	one := func(v float64) client.Assumption { return client.Assumption{Value: v, Low: v / 2, High: v * 2} }
	if _, err := c.PutAssumptions(t.Context(), client.ValueAssumptions{
		Source: "a test", Hour: one(60), Tasks: map[string]client.TaskWorth{"": {Minutes: one(6), Money: one(0)}, "task-1": {Minutes: one(0), Money: one(2)}},
		Harm: map[string]client.Assumption{"failed": one(3), "escalated": one(1)},
	}); err != nil {
		t.Fatal(err)
	}

	// Outcomes settle in a few seconds: figures and records are read when they stand.
	var list *client.KPIList
	var r *rawRecords
	last, since := "", time.Now()
	patiently(t, "all to be settled", func() bool {
		var err error
		if list, err = c.ListKPIs(t.Context(), client.ListKPIsRequest{From: "-3h"}); err != nil {
			t.Fatal(err)
		}
		now := fmt.Sprint(figuresOf(list))
		if now != last {
			last, since = now, time.Now()
		}
		i := slices.IndexFunc(list.Items, func(k client.KPI) bool { return k.ID == "frustration_rate" })
		return list.Items[i].N > 0 && time.Since(since) > 5*time.Second
	})
	r = readRaw(t, c)
	for what, n := range map[string]int{"test runs": len(r.tests), "settled": len(r.settled), "labelled": len(r.labelled), "decisions": len(r.decisions), "decisions of tests": r.ofTests, "feedback": len(r.said), "sessions": len(r.sessions), "evaluations": len(r.judged)} {
		if n == 0 {
			t.Errorf("there are no %s: nothing is proved of them", what)
		}
	}
	for word := range map[string]bool{"resolved": true, "verified_resolved": true, "implied_resolved": true, "contained": true, "deflected": true, "escalated": true, "abandoned": true, "failed": true, "": true} {
		if !slices.ContainsFunc(r.runs, func(x client.Run) bool { return r.outcome(&x) == word }) {
			t.Errorf("no run is %q", word)
		}
	}
	want := r.figures()
	for _, k := range list.Items {
		compute := want[k.ID]
		delete(want, k.ID)
		if compute == nil {
			t.Errorf("%s is not recomputed", k.ID)
			continue
		}
		v, n := compute()
		allowed := 1e-9 * max(1, math.Abs(v))
		if k.Unit == "ms" { // read from bins
			allowed = telemetry.BinError * v
		}
		if k.ID == "feedback_to_fix" || k.ID == "groundedness" && k.Value == nil && n == 0 || k.ID == "fresh_answers" { // TestFixes; nothing was judged; TestReadinessOfWhatIsAsked
			continue
		}
		if k.Value == nil || n == 0 || math.Abs(*k.Value-v) > allowed || k.N != int64(n) {
			t.Errorf("%s is %s of %d (%s), recomputed %v of %d", k.ID, number(k.Value), k.N, k.Why, v, n)
		}
	}
	for id := range want {
		t.Errorf("%s is recomputed and not in the catalogue", id)
	}
	opens(t, c, list)
}

func number(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprint(*v)
}

func figuresOf(list *client.KPIList) (out []string) {
	for i := range list.Items {
		k := &list.Items[i]
		v := math.NaN()
		if k.Value != nil {
			v = *k.Value
		}
		out = append(out, fmt.Sprintf("%s %.9g %d", k.ID, v, k.N)) // sums of floats differ by their order
	}
	return out
}

// opens checks that the links of every KPI, and of every group of its split, open as many
// records as the figure is from.
func opens(t *testing.T, c *client.Client, list *client.KPIList) {
	t.Helper()
	count := func(table, query string) int64 {
		t.Helper()
		res, err := c.Query(t.Context(), client.Query{From: table, Where: query, Start: "-3h"})
		if err != nil {
			t.Fatalf("%s over %s: %v", query, table, err)
		}
		var n int64
		if len(res.Rows) == 1 {
			_, _ = fmt.Sscan(fmt.Sprint(res.Rows[0][0]), &n)
		}
		if table == "decisions" { // the console lists them by another way, which reads memory too
			l, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{Query: query, From: "-3h", Limit: 1000})
			if err != nil || int64(len(l.Items)) != n {
				t.Errorf("%s lists %d decisions, and counts %d: %v", query, len(l.Items), n, err)
			}
		}
		return n
	}
	records := func(id, by, group string, hits bool) (n int64) {
		t.Helper()
		req := client.ListKPIRecordsRequest{ID: id, From: "-3h", By: by, Group: group, Hits: hits, Limit: 3}
		seen := map[string]bool{}
		for {
			page, err := c.ListKPIRecords(t.Context(), req)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			for _, x := range page.Items {
				if seen[x.ID] || hits && !x.Counts {
					t.Errorf("%s has %+v", id, x)
				}
				seen[x.ID] = true
			}
			n += int64(len(page.Items))
			if req.Cursor = page.Next; page.Next == "" {
				return n
			}
		}
	}
	for i := range list.Items {
		k := &list.Items[i]
		searched := slices.Contains([]string{"runs", "steps", "decisions"}, k.Table)
		// What a figure is from is what its definition says: of repeated runs all those
		// that could be, of events in runs the events.
		of := func(f *client.KPIFigure) int64 {
			switch {
			case slices.Contains([]string{"pass_hat_4", "outcome_spread", "path_entropy"}, k.ID) && f.Coverage != nil:
				return int64(math.Round(float64(f.N) / *f.Coverage))
			case k.ID == "approval_load" && f.Value != nil:
				return int64(math.Round(*f.Value * float64(f.N)))
			}
			return f.N
		}
		switch {
		case k.Table == "":
			t.Errorf("%s opens nothing", k.ID)
		case searched:
			if n := count(k.Table, k.Records); n != of(&k.KPIFigure) {
				t.Errorf("%s is of %d: %s opens %d %s", k.ID, of(&k.KPIFigure), k.Records, n, k.Table)
			}
			if k.Hits != "" && count(k.Table, k.Hits) != k.HitCount {
				t.Errorf("%s: %s opens %d %s, want %d", k.ID, k.Hits, count(k.Table, k.Hits), k.Table, k.HitCount)
			}
			if _, err := c.ListKPIRecords(t.Context(), client.ListKPIRecordsRequest{ID: k.ID}); apiCode(err) != "kpi.searched" {
				t.Errorf("%s lists records that a search finds: %v", k.ID, err)
			}
		default:
			if n := records(k.ID, "", "", false); n != k.N {
				t.Errorf("%s is of %d and lists %d", k.ID, k.N, n)
			}
			if n := records(k.ID, "", "", true); k.ID != "feedback_to_fix" && n != k.HitCount {
				t.Errorf("%s counts %d and lists %d", k.ID, k.HitCount, n)
			}
		}
		for _, by := range []string{"agent", "mode"} {
			d, err := c.GetKPI(t.Context(), client.KPIRequest{ID: k.ID, From: "-3h", By: by})
			if by == "mode" && (k.Table != "runs" || k.ID == "feedback_response_rate") {
				continue // steps and decisions know none
			}
			if err != nil || d.GroupsWhy == "" && len(d.Groups) == 0 && k.Value != nil {
				t.Errorf("%s by %s: %+v, %v", k.ID, by, d, err)
				continue
			}
			for j := range d.Groups {
				g := &d.Groups[j]
				if d.GroupsWhy != "" {
					continue
				}
				n := int64(0)
				if searched {
					n = count(k.Table, g.Records)
				} else {
					n = records(k.ID, by, g.Name, false)
				}
				if n != of(&g.KPIFigure) {
					t.Errorf("%s of %s %q is of %d: %s opens %d", k.ID, by, g.Name, of(&g.KPIFigure), g.Records, n)
				}
			}
		}
	}
}

// rawRecords are all records of the period, as the API lists them.
type rawRecords struct {
	runs      []client.Run // over, and no tests
	all       map[string]client.Run
	tests     map[string]bool
	settled   map[string]bool
	labelled  map[string]bool
	steps     map[string][]client.Step // of all runs but tests
	decisions []client.Decision        // but those of tests
	ofTests   int
	said      []client.Feedback
	sessions  map[string]bool // with prompts; true: frustrated
	judged    []client.Evaluation
}

func readRaw(t *testing.T, c *client.Client) *rawRecords {
	t.Helper()
	r := &rawRecords{all: map[string]client.Run{}, tests: map[string]bool{}, settled: map[string]bool{}, labelled: map[string]bool{}, steps: map[string][]client.Step{}, sessions: map[string]bool{}}
	for cursor, first := "", true; first || cursor != ""; first = false {
		page, err := c.ListRuns(t.Context(), client.ListRunsRequest{Limit: 1000, From: "-3h", Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Items {
			r.all[x.ID] = x
			if r.tests[x.ID] = x.Mode == "test"; r.tests[x.ID] {
				continue
			}
			delete(r.tests, x.ID)
			if x.Status == "done" || x.Status == "stale" {
				r.runs = append(r.runs, x)
			}
		}
		cursor = page.Next
	}
	for id := range r.all {
		if r.tests[id] {
			continue
		}
		steps, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: id, Content: true}) // with their dialect
		if err != nil {
			t.Fatal(err)
		}
		r.steps[id] = steps.Items
		o, err := c.GetRunOutcome(t.Context(), client.RunRequest{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		if o.Settled {
			r.settled[id] = true
		}
		if slices.Contains([]string{"person", "event", "feedback"}, o.Basis) {
			r.labelled[id] = true
		}
	}
	for _, x := range r.all { // sessions whose users asked something
		if !r.tests[x.ID] && (x.Agent == "asker" || x.Agent == "reader") { // a run of no session is one
			r.sessions[cmp.Or(x.Session, x.ID)] = false
		}
	}
	decisions, err := c.ListDecisions(t.Context(), client.ListDecisionsRequest{From: "-3h", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decisions.Items {
		if r.tests[d.RunID] {
			r.ofTests++
		} else {
			r.decisions = append(r.decisions, d)
		}
	}
	said, err := c.ListFeedback(t.Context(), client.ListFeedbackRequest{From: "-3h", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	r.said = said.Items
	moods, err := c.ListMoods(t.Context(), client.ListMoodsRequest{From: "-3h", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range moods.Items {
		r.sessions[m.Session] = m.Frustrated
	}
	judged, err := c.ListEvaluations(t.Context(), client.ListEvaluationsRequest{From: "-3h", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	r.judged = judged.Items
	return r
}

// outcome is how a run counts: one that reported nothing and failed has failed.
func (r *rawRecords) outcome(x *client.Run) string {
	switch {
	case x.Outcome != nil && *x.Outcome != "":
		return *x.Outcome
	case x.Failed:
		return "failed"
	}
	return ""
}

type recount func() (value float64, n int)

// figures recomputes the catalogue, by its words.
func (r *rawRecords) figures() map[string]recount {
	type of func(*client.Run) bool
	is := func(words ...string) of {
		return func(x *client.Run) bool { return slices.Contains(words, r.outcome(x)) }
	}
	resolved := is("resolved", "verified_resolved", "implied_resolved")
	enough := is("resolved", "verified_resolved", "implied_resolved", "contained")
	alone := is("resolved", "verified_resolved", "implied_resolved", "contained", "deflected")
	known := func(x *client.Run) bool { return r.outcome(x) != "" }
	all := func(*client.Run) bool { return true }
	mode := func(m string, also of) of {
		return func(x *client.Run) bool { return x.Mode == m && also(x) }
	}
	share := func(counts, among of) recount {
		return func() (float64, int) {
			k, n := 0.0, 0
			for i := range r.runs {
				if x := &r.runs[i]; among(x) {
					n++
					if counts(x) {
						k++
					}
				}
			}
			return k / float64(n), n
		}
	}
	some := func(id string, is func(*client.Step) bool) bool {
		list := r.steps[id]
		return slices.ContainsFunc(list, func(s client.Step) bool { return is(&s) })
	}
	refused := func(s *client.Step) bool {
		return s.Status == "error" && s.Error != nil && (strings.HasPrefix(s.Error.Type, "policy.") || strings.HasPrefix(s.Error.Type, "content.") || strings.HasPrefix(s.Error.Type, "floor."))
	}
	// mean of what is known.
	mean := func(among of, value func(*client.Run) (float64, bool)) recount {
		return func() (float64, int) {
			sum, n := 0.0, 0
			for i := range r.runs {
				if v, ok := value(&r.runs[i]); ok && among(&r.runs[i]) {
					sum, n = sum+v, n+1
				}
			}
			return sum / float64(n), n
		}
	}
	ratio := func(among of, value, per func(*client.Run) (float64, bool)) recount {
		return func() (float64, int) {
			sum, div, n := 0.0, 0.0, 0
			for i := range r.runs {
				v, ok := value(&r.runs[i])
				w, ok2 := per(&r.runs[i])
				if ok && ok2 && among(&r.runs[i]) {
					sum, div, n = sum+v, div+w, n+1
				}
			}
			return sum / div, n
		}
	}
	cost := func(x *client.Run) (float64, bool) {
		if x.Cost.Amount == nil {
			return 0, false
		}
		return *x.Cost.Amount, true
	}
	tokens := func(list ...*int64) (v float64, ok bool) {
		for _, p := range list {
			if p != nil {
				v, ok = v+float64(*p), true
			}
		}
		return v, ok
	}
	steps := func(among func(*client.Step) bool) (out []*client.Step) {
		for _, id := range slices.Sorted(maps.Keys(r.steps)) {
			for i := range r.steps[id] {
				if s := &r.steps[id][i]; among(s) {
					out = append(out, s)
				}
			}
		}
		return out
	}
	stepShare := func(counts, among func(*client.Step) bool) recount {
		return func() (float64, int) {
			list, k := steps(among), 0.0
			for _, s := range list {
				if counts(s) {
					k++
				}
			}
			return k / float64(len(list)), len(list)
		}
	}
	kind := func(k string) func(*client.Step) bool { return func(s *client.Step) bool { return s.Kind == k } }
	over := func(also func(*client.Step) bool) func(*client.Step) bool {
		return func(s *client.Step) bool { return also(s) && (s.Status == "ok" || s.Status == "error") }
	}
	bad := func(s *client.Step) bool { return s.Status == "error" }
	waited := func(x *client.Run) (float64, bool) {
		ms := 0.0
		for i := range r.steps[x.ID] {
			if s := &r.steps[x.ID][i]; s.Kind == "human" && s.DurationMS != nil {
				ms += *s.DurationMS
			}
		}
		return ms / 60_000, true
	}
	at := func(q float64, list []float64) (float64, int) {
		slices.Sort(list)
		if len(list) == 0 {
			return math.NaN(), 0
		}
		return list[int(math.Ceil(q*float64(len(list))))-1], len(list)
	}
	took := func(q float64, among of) recount {
		return func() (float64, int) {
			var list []float64
			for i := range r.runs {
				if x := &r.runs[i]; among(x) && x.DurationMS != nil {
					list = append(list, *x.DurationMS)
				}
			}
			return at(q, list)
		}
	}
	stepTook := func(q float64, value func(*client.Step) *float64) recount {
		return func() (float64, int) {
			var list []float64
			for _, s := range steps(kind("model")) {
				if v := value(s); v != nil {
					list = append(list, *v)
				}
			}
			return at(q, list)
		}
	}
	ttft := func(s *client.Step) *float64 { return s.TTFTMS }
	decided := func(counts func(*client.Decision) bool) recount {
		return func() (float64, int) {
			k := 0.0
			for i := range r.decisions {
				if counts(&r.decisions[i]) {
					k++
				}
			}
			return k / float64(len(r.decisions)), len(r.decisions)
		}
	}
	// alike are runs by agent and task.
	alike := func(among of) map[string][]*client.Run {
		out := map[string][]*client.Run{}
		for i := range r.runs {
			if x := &r.runs[i]; among(x) {
				out[x.Agent+"\x00"+x.Task] = append(out[x.Agent+"\x00"+x.Task], x)
			}
		}
		return out
	}
	acts := func(status string) func(x *client.Run) (float64, bool) {
		return func(x *client.Run) (float64, bool) {
			n := 0.0
			for i := range r.steps[x.ID] {
				if s := &r.steps[x.ID][i]; s.Kind == "tool" && (status == "" || s.Status == status) {
					n++
				}
			}
			return n, true
		}
	}
	worth := func(part string) recount {
		return func() (float64, int) {
			sum, n := 0.0, 0
			for i := range r.runs {
				x := &r.runs[i]
				if !known(x) {
					continue
				}
				n++
				harm := map[string]float64{"failed": 3, "escalated": 1}[r.outcome(x)]
				if part == "harm" {
					sum += harm
					continue
				}
				value := 0.0
				if enough(x) {
					value = 6 // six minutes at 60 an hour
					if x.Task == "task-1" {
						value = 2
					}
				}
				c, _ := cost(x)
				m, _ := waited(x)
				sum += value - c - m - harm // a minute is worth 1
			}
			return sum, n
		}
	}
	return map[string]recount{
		"task_completion":          share(resolved, known),
		"verified_completion":      share(is("verified_resolved"), known),
		"interactive_resolution":   share(resolved, mode("interactive", known)),
		"interactive_abandonment":  share(is("abandoned"), mode("interactive", known)),
		"autonomous_completion":    share(enough, mode("autonomous", known)),
		"asynchronous_completion":  share(enough, mode("asynchronous", known)),
		"resolution_rate":          share(resolved, func(x *client.Run) bool { return known(x) && !is("abandoned", "escalated")(x) }),
		"containment_rate":         share(enough, known),
		"deflection_rate":          share(alone, known),
		"repeat_contact_rate":      share(is("deflected"), func(x *client.Run) bool { return r.settled[x.ID] && x.User != "" && alone(x) }),
		"abandonment_rate":         share(is("abandoned"), known),
		"escalation_rate":          share(is("escalated"), known),
		"assisted_escalation_rate": share(func(x *client.Run) bool { return some(x.ID, kind("human")) }, is("escalated")),
		"failure_rate":             share(is("failed"), known),
		"compliant_completion":     share(func(x *client.Run) bool { return resolved(x) && !some(x.ID, refused) }, known),
		"stale_rate":               share(func(x *client.Run) bool { return x.Status == "stale" }, all),

		"cost_per_run":               mean(all, cost),
		"cost_per_action":            ratio(all, cost, acts("")),
		"cost_per_successful_action": ratio(all, cost, acts("ok")),
		"cost_per_resolved": ratio(known, cost, func(x *client.Run) (float64, bool) {
			if resolved(x) {
				return 1, true
			}
			return 0, true
		}),
		"tokens_per_run": mean(all, func(x *client.Run) (float64, bool) { return tokens(x.Usage.InputTotal, x.Usage.OutputTotal) }),
		"cache_share": ratio(all, func(x *client.Run) (float64, bool) { return tokens(x.Usage.InputCacheRead) }, func(x *client.Run) (float64, bool) {
			return tokens(x.Usage.InputTotal)
		}),
		"steps_per_run": mean(all, func(x *client.Run) (float64, bool) { return float64(len(r.steps[x.ID])), true }),

		"model_error_rate":        stepShare(bad, over(kind("model"))),
		"tool_error_rate":         stepShare(bad, over(kind("tool"))),
		"run_latency_p50":         took(.5, all),
		"run_latency_p95":         took(.95, all),
		"time_to_result_p50":      took(.5, mode("asynchronous", all)),
		"interactive_latency_p95": took(.95, mode("interactive", all)),
		"model_latency_p95":       stepTook(.95, func(s *client.Step) *float64 { return s.DurationMS }),
		"time_to_first_token_p50": stepTook(.5, ttft),
		"time_to_first_token_p95": stepTook(.95, ttft),
		"human_minutes_per_run":   mean(all, waited),
		"waiting_minutes_per_run": mean(mode("asynchronous", all), waited),

		"approval_load": func() (float64, int) {
			held := 0.0
			for i := range r.decisions {
				if r.decisions[i].Verdict == "hold" {
					held++
				}
			}
			return held / float64(len(r.runs)), len(r.runs)
		},
		"override_rate": stepShare(func(s *client.Step) bool {
			return slices.ContainsFunc([]string{"deny", "edit", "take", "give"}, func(w string) bool { return strings.HasPrefix(s.Name, w) })
		}, func(s *client.Step) bool { return s.Kind == "human" && s.Dialect == "door" }),
		"policy_denial_rate":   decided(func(d *client.Decision) bool { return d.Verdict == "deny" }),
		"would_be_denial_rate": decided(func(d *client.Decision) bool { return d.Would == "deny" && d.Verdict != "deny" }),

		"pass_hat_4": func() (float64, int) {
			sum, tasks, n := 0.0, 0.0, 0
			for _, runs := range alike(known) {
				if len(runs) < 4 {
					continue
				}
				passed := 0.0
				for _, x := range runs {
					if resolved(x) {
						passed++
					}
				}
				of := float64(len(runs))
				choose := func(n float64) float64 { return n * (n - 1) * (n - 2) * (n - 3) / 24 }
				p := 0.0
				if passed >= 4 {
					p = choose(passed) / choose(of)
				}
				sum, tasks, n = sum+p, tasks+1, n+len(runs)
			}
			return sum / tasks, n
		},
		"outcome_spread": func() (float64, int) {
			sum, tasks, n := 0.0, 0.0, 0
			for _, runs := range alike(known) {
				if len(runs) < 2 {
					continue
				}
				pairs, differ := 0.0, 0.0
				for i := range runs {
					for j := range i {
						pairs++
						if r.outcome(runs[i]) != r.outcome(runs[j]) {
							differ++
						}
					}
				}
				sum, tasks, n = sum+differ/pairs, tasks+1, n+len(runs)
			}
			return sum / tasks, n
		},
		"path_entropy": func() (float64, int) {
			sum, weight, n := 0.0, 0.0, 0
			for _, runs := range alike(all) {
				if len(runs) < 2 {
					continue
				}
				paths := map[string]float64{}
				for _, x := range runs {
					list := slices.Clone(r.steps[x.ID])
					slices.SortFunc(list, func(a, b client.Step) int {
						return int(a.StartNS - b.StartNS)
					})
					var path []string
					for i := range list {
						if list[i].Kind == "tool" {
							path = append(path, list[i].Tool.Name)
						}
					}
					paths[strings.Join(path, ">")]++
				}
				of, bits := float64(len(runs)), 0.0
				for _, k := range paths {
					bits -= k / of * math.Log2(k/of)
				}
				bits += float64(len(paths)-1) / (2 * of * math.Ln2) // Miller and Madow
				sum, weight, n = sum+of*bits, weight+of, n+len(runs)
			}
			return sum / weight, n
		},
		"runs":      func() (float64, int) { return float64(len(r.runs)), len(r.runs) },
		"value_net": worth("net"),
		"harm_cost": worth("harm"),

		"csat": func() (float64, int) {
			k, n := 0.0, 0
			for _, f := range r.said {
				if f.Giver == "user" && f.Run != "" && !r.tests[f.Run] && f.Verdict != "" {
					n++
					if f.Verdict == "positive" {
						k++
					}
				}
			}
			return k / float64(n), n
		},
		"feedback_response_rate": func() (float64, int) {
			said := map[string]bool{}
			for _, f := range r.said {
				if f.Giver == "user" && f.Run != "" && !r.tests[f.Run] {
					said[f.Run] = true
				}
			}
			return float64(len(said)) / float64(len(r.runs)), len(r.runs)
		},
		"frustration_rate": func() (float64, int) {
			k := 0.0
			for _, bad := range r.sessions {
				if bad {
					k++
				}
			}
			return k / float64(len(r.sessions)), len(r.sessions)
		},
		"groundedness": func() (float64, int) {
			k, n := 0.0, 0
			for _, x := range r.judged {
				if x.Evaluator == "grounded" && (x.Verdict == "pass" || x.Verdict == "fail") && !r.tests[x.Run] {
					n++
					if x.Verdict == "pass" {
						k++
					}
				}
			}
			return k / float64(n), n
		},
		"answer_accuracy": share(is("verified_resolved"), func(x *client.Run) bool { return r.labelled[x.ID] && is("verified_resolved", "failed")(x) }),
		"feedback_to_fix": func() (float64, int) { return 0, 0 },
		"fresh_answers":   func() (float64, int) { return 0, 0 },
	}
}

// manyRuns are runs of every mode and reported outcome, with calls of models that stream
// and read caches, tools that fail and are refused, and people.
func manyRuns(t *testing.T, a *App) {
	t.Helper()
	outcomes := []string{"resolved", "resolved", "resolved", "escalated", "abandoned", "", "failed", ""}
	modes := []string{"interactive", "autonomous", "asynchronous", "interactive", "test"}
	at := time.Now().Add(-time.Hour)
	var spans []string
	for i := range 240 {
		from := at.Add(time.Duration(i) * time.Second)
		attributes := []any{"gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", fmt.Sprintf("agent-%d", i%3), "reeve.task", fmt.Sprintf("task-%d", i%2), "reeve.mode", modes[i%7%5], "reeve.label.case", i}
		if i%5 != 0 {
			attributes = append(attributes, "user.id", fmt.Sprintf("u%d", i))
		}
		if o := outcomes[i%len(outcomes)]; o != "" {
			attributes = append(attributes, "reeve.outcome", o)
		}
		if i%29 != 3 { // of the others the root never comes
			spans = append(spans, spanJSON(i, 0, -1, "agent", from, from.Add(time.Duration(1000+37*i%5000)*time.Millisecond), i%16 == 7, attributes...))
		}
		for k := range i % 4 {
			call := []any{
				"gen_ai.operation.name", "chat", "gen_ai.system", "openai", "gen_ai.agent.name", fmt.Sprintf("agent-%d", i%3), "gen_ai.request.model", "gpt-4o-mini",
				"gen_ai.usage.input_tokens", 1000 + i, "gen_ai.usage.output_tokens", 100 + k, "gen_ai.usage.cost", 0.00137 * float64(1+i%9),
			}
			if i%3 == 0 {
				call = append(call, "gen_ai.usage.cache_read.input_tokens", 10*i)
			}
			if k == 1 {
				call = append(call, "gen_ai.response.time_to_first_chunk", 0.05+0.001*float64(i))
			}
			spans = append(spans, spanJSON(i, 1+k, 0, "call", from.Add(time.Millisecond), from.Add(time.Duration(10+i)*time.Millisecond), i%5 == 0 && k == 0, call...))
		}
		for k := range i % 3 {
			tool := []any{"gen_ai.operation.name", "execute_tool", "gen_ai.agent.name", fmt.Sprintf("agent-%d", i%3), "gen_ai.tool.name", fmt.Sprintf("tool-%d", (i+k)%4)}
			if i%14 == 0 {
				tool = append(tool, "error.type", "policy.tool_denied")
			}
			spans = append(spans, spanJSON(i, 10+k, 0, "tool", from.Add(time.Duration(20+k)*time.Millisecond), from.Add(40*time.Millisecond), i%7 == 0, tool...))
		}
		if i%6 == 5 || i%8 == 3 && i%3 == 0 {
			spans = append(spans, spanJSON(i, 20, 0, "approval", from.Add(50*time.Millisecond), from.Add(650*time.Millisecond), false, "reeve.step.kind", "human"))
		}
	}
	for part := range slices.Chunk(spans, 500) {
		sendSpans(t, a, part...)
	}
}

// repeatRuns are those of users who came back within the window, of the same users for
// something else, and of one who came back to a test.
func repeatRuns(t *testing.T, a *App) {
	t.Helper()
	at := time.Now().Add(-30 * time.Minute)
	var spans []string
	for i := range 12 {
		for k, task := range []string{"ask", []string{"ask", "other"}[i%2]} {
			from := at.Add(time.Duration(i)*time.Minute + time.Duration(k)*1500*time.Millisecond)
			mode := "interactive"
			if k == 1 && i == 2 {
				mode = "test"
			}
			spans = append(spans, spanJSON(1000+10*i+k, 0, -1, "agent", from, from.Add(time.Second), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "desk", "reeve.task", task, "reeve.mode", mode, "user.id", fmt.Sprintf("back-%d", i), "session.id", fmt.Sprintf("back-%d-%d", i, k)))
		}
	}
	sendSpans(t, a, spans...)
}

// atTheDoor are calls that were let through, denied, held and answered, or would have
// been denied; and those of a test.
func atTheDoor(t *testing.T, a *App, c *client.Client) {
	t.Helper()
	ctx := t.Context()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }))
	t.Cleanup(up.Close)
	if _, err := c.CreateTeam(ctx, client.CreateTeamRequest{Name: "desk"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutUpstream(ctx, client.PutUpstreamRequest{Name: "shop", Kind: "http", URL: up.URL, Team: "desk", Environment: "production", Shared: true, AllowPrivate: true, Routes: []client.Route{
		{Method: "GET", Path: "/orders/{id}", Effect: "read"}, {Method: "POST", Path: "/refunds", Effect: "write"}, {Method: "GET", Path: "/secrets", Effect: "read"}, {Method: "GET", Path: "/oddities", Effect: "read"},
	}}); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]string{"secrets": "enforce", "oddities": "observe"} {
		if _, err := c.PutPolicy(ctx, client.PutPolicyRequest{Name: name, Team: "desk", Mode: mode, Reason: "a test", Cedar: fmt.Sprintf(`@id(%q) forbid (principal, action == Action::"call_api", resource == Api::"shop GET /%[1]s");`, name)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CreateAgent(ctx, client.CreateAgentRequest{Name: "clerk", Team: "desk", Owner: "ada", Sponsor: "ben", Purpose: "a test", Autonomy: "supervised", Enforcement: "enforce"}); err != nil {
		t.Fatal(err)
	}
	k, err := c.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: "clerk", Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	call := func(trace int, method, path, body string) int {
		req, err := http.NewRequestWithContext(ctx, method, a.Door()+"/http/shop"+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		req.Header.Set("X-Api-Key", k.Key)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Traceparent", fmt.Sprintf("00-%032x-%016x-01", trace, trace))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	want := func(status, got int) {
		t.Helper()
		if got != status {
			t.Fatalf("answered %d, want %d", got, status)
		}
	}
	const live, test = 5001, 5101
	now := time.Now()
	for i := range 4 { // runs 5000 to 5003, whose traces are one more
		sendSpans(t, a, spanJSON(live-1+i, 0, -1, "agent", now.Add(-time.Minute), now, false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "clerk", "reeve.outcome", "resolved"))
	}
	// The door believes tests of Reeve alone.
	var traced activity.TraceID
	binary.BigEndian.PutUint64(traced[8:], test)
	a.experiments.Tests.Trace(traced, now)
	sendSpans(t, a, spanJSON(test-1, 0, -1, "agent", now.Add(-time.Minute), now, false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "clerk", "reeve.mode", "test", "reeve.outcome", "failed"))
	for i := range 5 {
		want(200, call(live+i%4, "GET", fmt.Sprintf("/orders/%d", i), ""))
		want(200, call(test, "GET", fmt.Sprintf("/orders/%d", 100+i), ""))
	}
	want(403, call(live, "GET", "/secrets", ""))
	want(403, call(live+1, "GET", "/secrets", ""))
	want(403, call(test, "GET", "/secrets", ""))
	want(200, call(live+2, "GET", "/oddities", ""))
	want(200, call(test, "GET", "/oddities", ""))
	answered := make(chan int)
	for i := range 4 {
		trace := live + i
		if i == 3 {
			trace = test
		}
		go func() { answered <- call(trace, "POST", "/refunds", fmt.Sprintf(`{"order":%d}`, i)) }()
		var id, hash string
		eventually(t, "the approval", func() bool {
			l, err := c.ListApprovals(ctx, client.ListApprovalsRequest{State: "pending"})
			if err == nil && len(l.Items) == 1 {
				id, hash = l.Items[0].ID, l.Items[0].Arguments.Hash
			}
			return id != ""
		})
		if i == 0 {
			_, err = c.Approve(ctx, client.ApproveRequest{ID: id, Hash: hash, Reason: "it is right"})
		} else {
			_, err = c.DenyApproval(ctx, client.ApprovalReasonRequest{ID: id, Reason: "it is not"})
		}
		if err != nil {
			t.Fatal(err)
		}
		<-answered
	}
}

// askingSessions are sessions whose users ask once, and of two who ask again and again.
func askingSessions(t *testing.T, a *App) {
	t.Helper()
	n := 0
	send := func(session, text string) {
		n++
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", askedRun(t, n, session, text, false)); r.status != http.StatusOK {
			t.Fatalf("%+v", r)
		}
	}
	for i, text := range []string{"when does my parcel arrive", "is the blue lamp in stock", "how do I reset my password", "what is the weather in Bern today"} {
		send(fmt.Sprintf("calm-%d", i), text)
	}
	for i := range 2 {
		session := fmt.Sprintf("cross-%d", i)
		send(session, "I want a refund for my order")
		send(session, "No, that is wrong! I want a refund for my order")
		send(session, "this is useless, let me talk to a human about the refund for my order")
	}
}

// judgedAnswers are answers that stand in what was read, and such as do not.
func judgedAnswers(t *testing.T, a *App, c *client.Client) {
	t.Helper()
	if _, err := c.PutEvaluator(t.Context(), client.PutEvaluatorRequest{Name: "grounded", Kind: "groundedness"}); err != nil {
		t.Fatal(err)
	}
	text := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(strings.ReplaceAll(string(raw), `\`, `\\`), `"`, `\"`)
	}
	part := func(kind, key, v string) any { return map[string]any{"type": kind, key: v, "id": "c1"} }
	at := time.Now().Add(-20 * time.Minute)
	var spans []string
	for i := range 9 {
		says, mode := "Items bought on sale cannot be returned.", "autonomous"
		if i%3 == 0 {
			says = "Dragons guard our warehouse nightly and devour parcels."
		}
		if i == 8 {
			mode = "test"
		}
		from := at.Add(time.Duration(i) * time.Second)
		spans = append(spans, spanJSON(7000+i, 0, -1, "agent", from, from.Add(900*time.Millisecond), false, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "reader", "reeve.mode", mode),
			spanJSON(7000+i, 1, 0, "chat", from.Add(time.Millisecond), from.Add(800*time.Millisecond), false, "gen_ai.operation.name", "chat", "gen_ai.agent.name", "reader", "gen_ai.request.model", "gpt-4o-mini",
				"gen_ai.input.messages", text([]any{map[string]any{"role": "user", "parts": []any{part("text", "content", "May I return it?")}}, map[string]any{"role": "tool", "parts": []any{part("tool_call_response", "response", "Returns: items bought on sale cannot be returned. Others may, within 14 days.")}}}),
				"gen_ai.output.messages", text([]any{map[string]any{"role": "assistant", "finish_reason": "stop", "parts": []any{part("text", "content", says)}}})))
	}
	sendSpans(t, a, spans...)
}

// saidOfRuns is what users and downstream systems said of runs, and of tests.
func saidOfRuns(t *testing.T, a *App, c *client.Client) {
	t.Helper()
	said := time.Now().Add(-2 * time.Minute)
	for i := range 30 {
		run := 5 * i // some of them are tests
		v := []float64{1, 0, 1}[i%3]
		if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Trace: fmt.Sprintf("%032x", run+1)}, Kind: "thumb", Value: &v, At: &said, Key: fmt.Sprint("f", i)}); err != nil {
			t.Fatal(err)
		}
		if i%6 == 0 { // a second word of the same run
			if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Trace: fmt.Sprintf("%032x", run+1)}, Kind: "comment", Comment: "as always", At: &said, Key: fmt.Sprint("g", i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Two systems, of runs that are tests too (4, 11).
	for i, run := range []int{4, 10, 11, 16, 17} {
		if _, err := c.ReportOutcome(t.Context(), client.ReportOutcomeRequest{Source: "orders", SenderID: fmt.Sprint(i), Key: fmt.Sprintf("case=%d", run), Outcome: []string{"resolved", "failed"}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
}
