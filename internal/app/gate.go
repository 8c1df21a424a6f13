package app

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/budget"
	"reeve/internal/control"
	"reeve/internal/dataset"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/incident"
	"reeve/internal/stat"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// gate computes what an agent has to show before it goes into production.
type gate struct{ app *App }

const (
	gatePeriod   = 7 * 24 * time.Hour
	gateRuns     = 500  // newest ones that are looked at
	gateActions  = 1000 // newest decisions
	gateLeast    = 20   // runs, evaluations or decisions before anything is said
	gatePassed   = 0.9
	gatePassLow  = 0.8 // lower end of the interval of what passed
	gateDenied   = 0.05
	gateCoverage = 0.9
	gateLatency  = 60.0 // seconds, p95
)

// gateView is what the checks of one gate share.
type gateView struct {
	g     *client.Gate
	ag    *agent.Agent
	runs  []activity.Run          // of the agent's version in the period, tests left out, the newest first
	tests map[activity.RunID]bool // of the same, that are tests
	// declared is what that version calls itself; "" nothing.
	declared string
	sees     func(team, environment string) bool
}

// run names a run where the asker may see it.
func (v *gateView) run(r *activity.Run) string {
	if v.sees(r.Team, r.Environment) {
		return r.ID.String()
	}
	return ""
}

// Look implements api.Gate: each line from records as they are now.
func (x gate) Look(ctx context.Context, name string, sees func(team, environment string) bool) (*client.Gate, error) {
	a := x.app
	ag, ok := a.agents.Lookup(name)
	if !ok {
		return nil, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s", name)
	}
	now := time.Now().UTC()
	g := &client.Gate{Agent: name, Lifecycle: ag.Lifecycle, At: now, From: now.Add(-gatePeriod), Passed: true}
	v := &gateView{g: g, ag: ag, sees: sees}
	since, err := v.version(ctx, a)
	if err != nil {
		return nil, err
	}
	if g.Version != "" {
		// What an older version did says nothing of this one; of a version that nobody
		// knows there are no records.
		if since.After(g.From) {
			g.From = since
		}
		page, err := a.store.Runs(ctx, telemetry.RunsQuery{From: g.From, Filter: search.Is("agent", name), Limit: gateRuns})
		if err != nil {
			return nil, err
		}
		v.tests = map[activity.RunID]bool{}
		for i := range page.Runs {
			if page.Runs[i].Mode == evaluate.Test {
				v.tests[page.Runs[i].ID] = true
			}
		}
		v.runs = slices.DeleteFunc(page.Runs, func(r activity.Run) bool { return r.Mode == evaluate.Test })
		if len(v.runs) > 0 {
			v.declared = v.runs[0].Version // the newest
		}
		v.runs = slices.DeleteFunc(v.runs, func(r activity.Run) bool { return r.Version != v.declared })
	}
	for _, check := range []func(context.Context, *gateView) (client.GateCheck, error){
		x.evaluations, x.experiment, x.policy, x.budget, x.latency, x.coverage, x.incidents, x.approvals,
	} {
		c, err := check(ctx, v)
		if err != nil {
			return nil, err
		}
		g.Passed = g.Passed && c.Passed
		g.Checks = append(g.Checks, c)
	}
	return g, nil
}

// version finds what the agent is made of now, and since when. Instances of an older
// version may still run then; what they call themselves tells them apart.
func (v *gateView) version(ctx context.Context, a *App) (since time.Time, err error) {
	v.g.Version = a.agents.VersionNow(v.ag.Name)
	if v.g.Version == "" {
		return since, nil
	}
	all, err := a.fleet.Versions(ctx, v.ag.Name)
	if err != nil {
		return since, err
	}
	for i := range all {
		if all[i].Current && all[i].Hash == v.g.Version && all[i].FirstSeen.After(since) {
			since = all[i].FirstSeen
		}
	}
	if since.IsZero() {
		v.g.Version = "" // it is told and not settled yet
	}
	return since, nil
}

// Keep implements api.Gate.
func (x gate) Keep(ctx context.Context, tx *control.Tx, who experiment.Actor, name, outcome, reason string, body any) (id string, err error) {
	if tx != nil {
		return x.app.experiments.KeepGate(ctx, tx, who, name, outcome, reason, body)
	}
	return id, x.app.control.Write(ctx, func(tx *control.Tx) (err error) {
		id, err = x.app.experiments.KeepGate(ctx, tx, who, name, outcome, reason, body)
		return err
	})
}

// Kept implements api.Gate.
func (x gate) Kept(ctx context.Context, name string, limit int) ([]experiment.GateResult, error) {
	return x.app.experiments.Gates(ctx, name, limit)
}

const noVersion = "nobody knows which version it is"

func (x gate) evaluations(ctx context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "evaluations"}
	if v.g.Version == "" {
		c.Text = noVersion
		return c, nil
	}
	f := evaluate.Filter{Agent: v.ag.Name, Version: v.declared, From: v.g.From}
	counts, err := x.app.evaluations.Counts(ctx, f)
	if err != nil {
		return c, err
	}
	var passed int64
	for _, k := range counts {
		passed, c.N = passed+k.Pass, c.N+k.Pass+k.Unsure+k.Fail
	}
	if c.N < gateLeast {
		c.Text = fmt.Sprintf("%d evaluations of its runs; %d are needed", c.N, gateLeast)
		return c, nil
	}
	share := float64(passed) / float64(c.N)
	low, _ := stat.Wilson(passed, c.N)
	c.Value, c.Low, c.Needed, c.Passed = &share, &low, new(gatePassed), share >= gatePassed && low >= gatePassLow
	c.Text = fmt.Sprintf("%.1f %% of %d evaluations passed, and by their number at least %.1f %% would", 100*share, c.N, 100*low)
	if c.Passed {
		return c, nil
	}
	for _, verdict := range []string{evaluate.Fail, evaluate.Unsure} {
		f.Verdict, f.Limit = verdict, 1
		bad, _, err := x.app.evaluations.List(ctx, f)
		if err != nil {
			return c, err
		}
		if len(bad) > 0 && v.sees(bad[0].Team, bad[0].Environment) {
			c.Run, c.About = bad[0].Run, bad[0].Evaluator
			break
		}
	}
	return c, nil
}

// experiment is whether it passed all cases of its gate's data set, as they are now.
func (x gate) experiment(ctx context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "experiment"}
	set, ok, err := x.app.experiments.GateSet(ctx, v.ag.Name)
	if err != nil {
		return c, err
	}
	if !ok {
		c.Text = "no data set was named as its gate"
		return c, nil
	}
	v.g.Dataset, v.g.Least = set.Dataset, set.Least
	cases, err := x.app.datasets.Stands(ctx, set.Dataset, set.Version)
	if fault.Is(err, fault.KindNotFound) {
		c.Text = "its data set " + set.Dataset + " is gone"
		return c, nil
	}
	if err != nil {
		return c, err
	}
	v.g.Cases = casesOfGate(&set, &cases)
	if c.Text = notApproved(&set, &cases); c.Text != "" {
		return c, nil
	}
	e, ok, err := x.app.experiments.Newest(ctx, v.ag.Name, set.Dataset)
	if err != nil {
		return c, err
	}
	if !ok || e.At.Before(cases.Born) { // one that was deleted had the name, too
		c.Text = "no experiment was run on data set " + set.Dataset
		return c, nil
	}
	s, err := x.app.experiments.Sum(ctx, &e)
	if err != nil {
		return c, err
	}
	c.N, c.About = s.N, e.ID
	share := math.NaN()
	if s.N > 0 {
		share = float64(s.Passed) / float64(s.N)
		c.Value, c.Needed = &share, new(1.0)
	}
	c.Text = fmt.Sprintf("%d of %d tries on %d cases of %s passed", s.Passed, s.N, cases.Cases, e.Dataset)
	switch {
	case e.State != experiment.Done:
		c.Text = "the newest experiment is " + e.State
	case v.g.Version == "":
		c.Text = noVersion
	case e.AgentVersion != v.g.Version:
		c.Text = "the newest experiment was of another version"
	case e.Version != cases.Version:
		c.Text = fmt.Sprintf("data set %s has changed since: its version is %d, and %d was run", set.Dataset, cases.Version, e.Version)
	default:
		c.Passed = s.N >= cases.Cases && s.Invalid == 0 && s.Passed == s.N
	}
	if !c.Passed && v.sees(e.Team, e.Environment) {
		c.Run = s.FailedRun
	}
	return c, nil
}

// casesOfGate tells which cases security saw, and what became of them since.
func casesOfGate(set *experiment.GateSet, now *dataset.Standing) *client.GateCases {
	out := &client.GateCases{Version: now.Version, Cases: now.Cases, Silent: now.Silent, ApprovedVersion: set.Version, ApprovedCases: set.Cases, ApprovedBy: set.By}
	if set.Version == 0 {
		return out
	}
	out.ApprovedAt = &set.Seen
	out.Added, out.Changed, out.Withdrawn = now.Added, now.Changed, max(0, set.Cases-now.Then)
	return out
}

// notApproved says why the cases of a gate are not those that security saw; "" they are.
// Cases that are added close the gate until they are passed and need no approval; they
// are not counted among those that it has to have.
func notApproved(set *experiment.GateSet, now *dataset.Standing) string {
	again := fmt.Sprintf(": `reeve gate cases %s` shows them, security approves (`reeve gate approve %s`)", set.Agent, set.Agent)
	switch {
	case set.Version == 0:
		return fmt.Sprintf("nobody of security has seen the %d cases of data set %s that %s named%s", now.Cases, set.Dataset, cmp.Or(set.Person, "somebody"), again)
	case !now.Born.Equal(set.Born) || now.Version < set.Version:
		return fmt.Sprintf("data set %s was made anew since %s approved its cases%s", set.Dataset, set.By, again)
	case now.Changed > 0:
		return fmt.Sprintf("cases of data set %s changed or went since %s approved it: %d%s", set.Dataset, set.By, now.Changed, again)
	case now.Then < set.Cases:
		return fmt.Sprintf("%d cases of data set %s were withdrawn since %s approved it%s", set.Cases-now.Then, set.Dataset, set.By, again)
	case now.Then < set.Least:
		return fmt.Sprintf("data set %s has %d approved cases; %d are needed", set.Dataset, now.Then, set.Least)
	case now.Silent > 0:
		return fmt.Sprintf("%d cases of data set %s say nothing of what is right: give them words or what is expected", now.Silent, set.Dataset)
	}
	return ""
}

// policy is the dry run on recorded decisions: what enforcing would have refused, and
// how much is refused already, since an agent that is refused everything is harmless
// and of no use.
func (x gate) policy(ctx context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "policy"}
	if v.g.Version == "" {
		c.Text = noVersion
		return c, nil
	}
	page, err := x.app.store.Decisions(ctx, telemetry.DecisionsQuery{From: v.g.From, Filter: search.Is("agent", v.ag.Name), Limit: gateActions})
	if err != nil {
		return c, err
	}
	tests, err := x.app.experiments.TestRuns(ctx, v.ag.Name, v.g.From)
	if err != nil {
		return c, err
	}
	for id := range v.tests { // replays, and what an experiment did not keep
		tests[id] = true
	}
	var would, denied, held int64
	for i := range page.Decisions {
		d := &page.Decisions[i]
		// What a test did is no action of its, whether the test refused it or not.
		if d.Version != v.declared || tests[d.Run] || slices.ContainsFunc(d.Reasons, func(r activity.Reason) bool { return strings.HasPrefix(r.Code, "test.") }) {
			continue
		}
		c.N++
		bad := false
		switch {
		case d.Verdict == activity.VerdictDeny:
			denied++
			bad = true
		case d.Would == activity.VerdictDeny:
			would++
			bad = true
		case d.Verdict == activity.VerdictHold || d.Would == activity.VerdictHold:
			held++
		}
		if bad && (c.About == "" || d.Verdict != activity.VerdictDeny) && v.sees(d.Team, d.Environment) {
			c.Run, c.About = "", d.ID
			if !d.Run.IsZero() {
				c.Run = d.Run.String()
			}
		}
	}
	if c.N < gateLeast {
		c.Text, c.Run, c.About = fmt.Sprintf("%d decisions of this version; %d are needed", c.N, gateLeast), "", ""
		return c, nil
	}
	share := float64(denied) / float64(c.N)
	c.Value, c.Needed, c.Passed = &share, new(gateDenied), would == 0 && share <= gateDenied
	c.Text = fmt.Sprintf("of %d decisions enforcing would refuse %d more; %d were refused and %d waited for a person", c.N, would, denied, held)
	if c.Passed {
		c.Run, c.About = "", ""
	}
	return c, nil
}

func (x gate) budget(_ context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "budget", Text: "no hard budget bounds it"}
	tokens, calls, money := x.app.budgets.Left(time.Now(), budget.Use{Agent: v.ag.Name, Team: v.ag.Team})
	for _, left := range []*int64{tokens, calls, money} {
		if left == nil {
			continue
		}
		c.N++
		c.Passed, c.Text = true, "a hard budget bounds it, and something is left"
		if *left <= 0 {
			c.Passed, c.Text = false, "its budget is spent"
			break
		}
	}
	return c, nil
}

func (x gate) latency(_ context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "latency"}
	var took []float64
	slowest, at := -1.0, ""
	for i := range v.runs {
		r := &v.runs[i]
		if r.Status != activity.RunDone || r.End == activity.Unknown {
			continue
		}
		s := float64(r.End-r.Start) / 1e9
		took = append(took, s)
		if s > slowest {
			slowest, at = s, v.run(r)
		}
	}
	c.N = int64(len(took))
	if c.N < gateLeast {
		c.Text = fmt.Sprintf("%d runs that ended; %d are needed", c.N, gateLeast)
		return c, nil
	}
	slices.Sort(took)
	p95 := took[min(len(took)-1, int(0.95*float64(len(took))))]
	c.Value, c.Needed, c.Passed = &p95, new(gateLatency), p95 <= gateLatency
	c.Text = fmt.Sprintf("p95 of %d runs is %.1f s", c.N, p95)
	if !c.Passed {
		c.Run = at
	}
	return c, nil
}

// coverage is how much of what it does comes through the door.
func (x gate) coverage(_ context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "coverage", N: int64(len(v.runs))}
	if c.N < gateLeast {
		c.Text = fmt.Sprintf("%d runs; %d are needed", c.N, gateLeast)
		return c, nil
	}
	through, past := 0, ""
	for i := range v.runs {
		if slices.Contains(v.runs[i].Dialects, activity.DialectDoor) {
			through++
		} else if past == "" {
			past = v.run(&v.runs[i])
		}
	}
	share := float64(through) / float64(c.N)
	c.Value, c.Needed, c.Passed = &share, new(gateCoverage), share >= gateCoverage
	c.Text = fmt.Sprintf("%.1f %% of %d runs came through the door", 100*share, c.N)
	if !c.Passed {
		c.Run = past
	}
	return c, nil
}

func (x gate) incidents(ctx context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "incidents"}
	all, err := x.app.incidents.List(ctx, incident.Filter{Agent: v.ag.Name, States: []string{incident.Open, incident.Acknowledged, incident.Mitigated}, Limit: 500}, nil)
	if err != nil {
		return c, err
	}
	c.N = int64(len(all))
	for i := range all {
		if c.About == "" && slices.ContainsFunc(all[i].Places, func(p incident.Place) bool { return v.sees(p.Team, p.Environment) }) {
			c.About = all[i].ID
		}
	}
	c.Passed, c.Text = c.N == 0, fmt.Sprintf("%d open incidents", c.N)
	return c, nil
}

func (x gate) approvals(ctx context.Context, v *gateView) (client.GateCheck, error) {
	c := client.GateCheck{Name: "approvals"}
	all, err := x.app.approvals.List(ctx, approval.Filter{States: []approval.State{approval.Pending}, Agent: v.ag.Name})
	if err != nil {
		return c, err
	}
	c.N, c.Passed, c.Text = int64(len(all)), len(all) == 0, fmt.Sprintf("%d of its actions wait for a person", len(all))
	if len(all) > 0 && v.sees(v.ag.Team, v.ag.Environment) {
		c.About = all[0].ID
	}
	return c, nil
}
