package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/audit"
	"reeve/internal/budget"
	"reeve/internal/control"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/incident"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// gate computes what an agent has to show before it goes into production.
type gate struct{ app *App }

const (
	gatePeriod   = 7 * 24 * time.Hour
	gateRuns     = 500 // newest ones that are looked at
	gateLeast    = 20  // runs or evaluations before anything is said
	gatePassed   = 0.9
	gateCoverage = 0.9
	gateLatency  = 60.0 // seconds, p95
)

// Look implements api.Gate: each line from records as they are now.
func (x gate) Look(ctx context.Context, name string) (*client.Gate, error) {
	a := x.app
	ag, ok := a.agents.Lookup(name)
	if !ok {
		return nil, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s", name)
	}
	now := time.Now().UTC()
	g := &client.Gate{Agent: name, Version: ag.Version, Lifecycle: ag.Lifecycle, At: now, From: now.Add(-gatePeriod), Passed: true}
	page, err := a.store.Runs(ctx, telemetry.RunsQuery{From: g.From, Filter: search.Is("agent", name), Limit: gateRuns})
	if err != nil {
		return nil, err
	}
	// What an older version did says nothing of this one; of a version that nobody
	// knows there are no records.
	runs := slices.DeleteFunc(page.Runs, func(r activity.Run) bool {
		return r.Mode == evaluate.Test || ag.Version == "" || r.Version != ag.Version
	})
	for _, check := range []func(context.Context, *client.Gate, *agent.Agent, []activity.Run) (client.GateCheck, error){
		x.evaluations, x.experiment, x.policy, x.budget, x.latency, x.coverage, x.incidents, x.approvals,
	} {
		c, err := check(ctx, g, ag, runs)
		if err != nil {
			return nil, err
		}
		g.Passed = g.Passed && c.Passed
		g.Checks = append(g.Checks, c)
	}
	return g, nil
}

// Keep implements api.Gate.
func (x gate) Keep(ctx context.Context, g *client.Gate, to, by, reason string) error {
	kind := "passed"
	if !g.Passed {
		kind = "refused"
	}
	return x.app.control.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.agent_gate", Person: by, Action: kind, Object: g.Agent, Reason: reason, After: map[string]any{"to": to, "version": g.Version, "checks": g.Checks}})
	})
}

func (x gate) evaluations(ctx context.Context, g *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "evaluations"}
	if ag.Version == "" {
		c.Text = "nobody knows which version it is"
		return c, nil
	}
	f := evaluate.Filter{Agent: ag.Name, Version: ag.Version, From: g.From}
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
	c.Value, c.Needed, c.Passed = &share, new(gatePassed), share >= gatePassed
	c.Text = fmt.Sprintf("%.1f %% of %d evaluations passed", 100*share, c.N)
	if c.Passed {
		return c, nil
	}
	f.Verdict, f.Source, f.Limit = evaluate.Fail, evaluate.Online, 1
	bad, _, err := x.app.evaluations.List(ctx, f)
	if err == nil && len(bad) > 0 {
		c.Run, c.About = bad[0].Run, bad[0].Evaluator
	}
	return c, err
}

// everyPlace may see all: the gate says of an agent what holds, whoever asks.
var everyPlace = experiment.Actor{Can: func(string, string, string) bool { return true }}

func (x gate) experiment(ctx context.Context, _ *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "experiment"}
	all, err := x.app.experiments.List(ctx, everyPlace, ag.Name, experiment.Golden, 1)
	if err != nil {
		return c, err
	}
	if len(all) == 0 {
		c.Text = "no experiment on cases was run"
		return c, nil
	}
	e := &all[0]
	s, results, err := x.app.experiments.Sum(ctx, e)
	if err != nil {
		return c, err
	}
	c.N, c.About = s.N, e.ID
	c.Passed = e.State == experiment.Done && s.N > 0 && s.Invalid == 0 && s.Passed == s.N && ag.Version != "" && e.AgentVersion == ag.Version
	c.Text = fmt.Sprintf("%d of %d cases of %s passed", s.Passed, s.N, e.Dataset)
	switch {
	case e.State != experiment.Done:
		c.Text = "the newest experiment is " + e.State
	case ag.Version == "":
		c.Text = "nobody knows which version it is"
	case e.AgentVersion != ag.Version:
		c.Text = "the newest experiment was of another version"
	}
	for i := range results {
		if r := &results[i]; !c.Passed && (!r.Passed || !r.Valid) {
			c.Run = r.Run
			break
		}
	}
	return c, nil
}

// policy is the dry run: what enforcing would have refused of the recorded decisions.
func (x gate) policy(ctx context.Context, g *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "policy"}
	page, err := x.app.store.Decisions(ctx, telemetry.DecisionsQuery{From: g.From, Filter: &search.And{Of: []search.Expr{search.Is("agent", ag.Name), search.Is("would", "deny")}}, Limit: 1})
	if err != nil {
		return c, err
	}
	c.Passed, c.Text = len(page.Decisions) == 0, "nothing that it did would be refused"
	if !c.Passed {
		d := &page.Decisions[0]
		c.Text, c.Run, c.About = "enforced, policy refuses "+d.Resource, d.Run.String(), d.ID
	}
	return c, nil
}

func (x gate) budget(_ context.Context, _ *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "budget", Text: "no hard budget bounds it"}
	tokens, calls, money := x.app.budgets.Left(time.Now(), budget.Use{Agent: ag.Name, Team: ag.Team})
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

func (x gate) latency(_ context.Context, _ *client.Gate, _ *agent.Agent, runs []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "latency"}
	var took []float64
	slowest, at := -1.0, ""
	for i := range runs {
		r := &runs[i]
		if r.Status != activity.RunDone || r.End == activity.Unknown {
			continue
		}
		s := float64(r.End-r.Start) / 1e9
		took = append(took, s)
		if s > slowest {
			slowest, at = s, r.ID.String()
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
func (x gate) coverage(_ context.Context, _ *client.Gate, _ *agent.Agent, runs []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "coverage", N: int64(len(runs))}
	if c.N < gateLeast {
		c.Text = fmt.Sprintf("%d runs; %d are needed", c.N, gateLeast)
		return c, nil
	}
	through, past := 0, ""
	for i := range runs {
		if slices.Contains(runs[i].Dialects, "door") {
			through++
		} else if past == "" {
			past = runs[i].ID.String()
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

func (x gate) incidents(ctx context.Context, _ *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "incidents"}
	all, err := x.app.incidents.List(ctx, incident.Filter{Agent: ag.Name, Limit: 500}, func(*incident.Incident) bool { return true })
	if err != nil {
		return c, err
	}
	for i := range all {
		if all[i].Live() {
			c.N++
			c.About = all[i].ID
		}
	}
	c.Passed, c.Text = c.N == 0, fmt.Sprintf("%d open incidents", c.N)
	return c, nil
}

func (x gate) approvals(ctx context.Context, _ *client.Gate, ag *agent.Agent, _ []activity.Run) (client.GateCheck, error) {
	c := client.GateCheck{Name: "approvals"}
	all, err := x.app.approvals.List(ctx, approval.Filter{States: []approval.State{approval.Pending}, Agent: ag.Name})
	if err != nil {
		return c, err
	}
	c.N, c.Passed, c.Text = int64(len(all)), len(all) == 0, fmt.Sprintf("%d of its actions wait for a person", len(all))
	if len(all) > 0 {
		c.About = all[0].ID
	}
	return c, nil
}
