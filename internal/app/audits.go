package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// auditor has agents asked for the audits of sources: as experiments, whose tests
// come through the door and write nothing.
type auditor struct{ app *App }

const (
	auditLooks  = 400 // runs that questions are sampled from, the newest
	auditSince  = 30 * 24 * time.Hour
	truthWithin = 10 * time.Second
	truthMost   = 64 << 10
)

// auditorOf is an experiment's actor who may do what may does in some teams.
func auditorOf(person, via string, teams []string, may func(role, team, environment string) bool) experiment.Actor {
	return experiment.Actor{Person: person, Name: person, Via: via, Can: func(role, team, environment string) bool {
		return slices.Contains(teams, team) && may(role, everyOf(team), everyOf(environment))
	}}
}

func everyOf(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// Check implements source.Auditor. What the plan may read is bounded by the teams of
// source and agent: the role that is asked for now is not asked for again.
func (x auditor) Check(ctx context.Context, who source.Actor, team string, p *source.AuditPlan) error {
	a := x.app
	everywhere := experiment.Actor{Person: who.Person, Via: who.Via, Can: func(role, team, environment string) bool { return who.Can(role, everyOf(team), everyOf(environment)) }}
	of, environment, err := a.experiments.MayInvoke(everywhere, p.Agent)
	if err != nil {
		return err
	}
	if _, err := a.experiments.Target(ctx, p.Agent); err != nil {
		return err
	}
	p.Teams = []string{of}
	if team != of {
		p.Teams = append(p.Teams, team)
	}
	switch p.Questions {
	case source.FromDataset:
		tasks, _, err := a.casesOf(ctx, auditorOf(who.Person, who.Via, p.Teams, who.Can), p.Dataset, 0)
		if err != nil {
			return err
		}
		if len(sayTrue(tasks)) == 0 {
			return fault.New(fault.KindInvalid, "source.invalid", "no case of data set %.80s says what is right", p.Dataset).WithHint("`reeve dataset set-item` gives a case what it expects")
		}
	case source.FromRecorded, source.FromUnanswered:
		// What users asked is read, and sent somewhere.
		if !everywhere.Can("reader", of, environment) {
			return fault.New(fault.KindDenied, "source.denied", "what users asked is content: this needs the role reader for team %q in %q", of, environment)
		}
		if !everywhere.Can("security", of, environment) || p.AllowPrivate && !everywhere.Can("security", "*", "*") {
			return fault.New(fault.KindDenied, "source.denied", "where the truth is asked for is security's to name, an address inside the house that of everywhere")
		}
		to, err := a.upstreams.Outside("truth", p.TruthURL, nil, nil, p.AllowPrivate, 0)
		if err != nil {
			return err
		}
		to.Close()
	}
	return nil
}

// sayTrue are the tasks that say what is right.
func sayTrue(all []experiment.Task) []experiment.Task {
	return slices.DeleteFunc(all, func(t experiment.Task) bool { return t.Expected == "" && len(t.Contains)+len(t.Absent) == 0 })
}

// Ask implements source.Auditor.
func (x auditor) Ask(ctx context.Context, p *source.AuditPlan) (string, error) {
	a := x.app
	who := auditorOf(p.By, "plan of source "+p.Source, p.Teams, func(string, string, string) bool { return true })
	if _, err := a.experiments.Target(ctx, p.Agent); err != nil {
		return "", err // before anything is read for nothing
	}
	// What is read, and sent somewhere, is read by the right of who set the plan, as it
	// is now: it ends when they lose it, or leave.
	can, err := a.rightsOf(ctx, p.By)
	if err != nil {
		return "", err
	}
	tasks, err := x.sample(ctx, auditorOf(p.By, who.Via, p.Teams, can), p)
	if err != nil {
		return "", err
	}
	if len(tasks) == 0 {
		return "", fault.New(fault.KindInvalid, "source.no_questions", "there is no question of which the truth is known")
	}
	e, err := a.experiments.Start(ctx, who, experiment.Plan{Agent: p.Agent, Kind: experiment.AuditKind, Asks: tasks, Note: "audit of source " + p.Source, OfPlan: "source " + p.Source})
	if err != nil {
		return "", err
	}
	return e.ID, nil
}

// sample draws without replacement, each question with the same chance.
func (x auditor) sample(ctx context.Context, who experiment.Actor, p *source.AuditPlan) ([]experiment.Task, error) {
	switch p.Questions {
	case source.FromDataset:
		all, _, err := x.app.casesOf(ctx, who, p.Dataset, 0)
		if err != nil {
			return nil, err
		}
		all = sayTrue(all)
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:min(len(all), p.Sample)], nil
	case source.FromSheet:
		var out []experiment.Task
		for _, i := range rand.Perm(len(p.Sheet))[:min(len(p.Sheet), p.Sample)] {
			out = append(out, experiment.Task{Item: "question " + strconv.Itoa(i+1), Messages: []experiment.Message{{Role: "user", Content: p.Sheet[i].Question}}, Expected: p.Sheet[i].Truth})
		}
		return out, nil
	}
	g, ok := x.app.agents.Lookup(p.Agent)
	if !ok {
		return nil, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s", p.Agent)
	}
	if !who.Can("reader", g.Team, g.Environment) || !who.Can("security", g.Team, g.Environment) {
		return nil, fault.New(fault.KindDenied, "source.denied", "who set this plan may not read and send what users asked any more").WithHint("somebody with the roles reader and security there sets it anew")
	}
	return x.recorded(ctx, p, g.Team, g.Environment)
}

// recorded samples what users asked in the agent's runs, with what is true of it.
func (x auditor) recorded(ctx context.Context, p *source.AuditPlan, team, environment string) ([]experiment.Task, error) {
	a := x.app
	where := search.Both(search.Is("agent", p.Agent), search.Is("team", team), search.Is("environment", environment), &search.Not{Of: search.Is("mode", "test")}, search.Is("status", "done", "stale"))
	if p.Questions == source.FromRecorded {
		names, err := a.sources.Names(ctx, p.Source)
		if err != nil {
			return nil, err
		}
		where = search.Both(where, search.Is("source", names...))
	} else {
		where = search.Both(where, search.Either(search.Is("outcome", "failed", "escalated", "abandoned", "deflected"), search.Both(search.Unknown("outcome"), search.Is("failed", "true"))))
	}
	page, err := a.store.Runs(ctx, telemetry.RunsQuery{Filter: where, Teams: []string{team}, From: time.Now().Add(-auditSince), Limit: auditLooks})
	if err != nil {
		return nil, err
	}
	to, err := a.upstreams.Outside("truth", p.TruthURL, nil, nil, p.AllowPrivate, 0)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	var out []experiment.Task
	for _, i := range rand.Perm(len(page.Runs)) {
		if len(out) == p.Sample {
			break
		}
		run := page.Runs[i].ID
		texts, _, err := askedIn(x).Asked(ctx, run)
		if err != nil {
			return nil, err
		}
		if len(texts) == 0 {
			continue // its content is gone, or nobody asked
		}
		question := texts[len(texts)-1]
		truth, err := truthOf(ctx, to.Transport(), p.TruthURL, question)
		if err != nil {
			return nil, err
		}
		if truth != "" {
			out = append(out, experiment.Task{Item: run.String(), Run: run.String(), Messages: []experiment.Message{{Role: "user", Content: question}}, Expected: truth, Private: true})
		}
	}
	return out, nil
}

// truthOf asks what is true; "" is said of what nobody knows.
func truthOf(ctx context.Context, to http.RoundTripper, url, question string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, truthWithin)
	defer cancel()
	body, err := json.Marshal(map[string]string{"question": question})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", fault.New(fault.KindInvalid, "source.invalid", "the address of the truth cannot be called").WithCause(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := to.RoundTrip(req)
	if err != nil {
		return "", fault.New(fault.KindUnavailable, "source.truth", "what is true cannot be asked for: its address cannot be reached").WithCause(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, truthMost+1))
	switch {
	case err != nil:
		return "", fault.New(fault.KindUnavailable, "source.truth", "what is true broke off").WithCause(err)
	case resp.StatusCode == http.StatusNotFound:
		return "", nil
	case resp.StatusCode != http.StatusOK:
		return "", fault.New(fault.KindUnavailable, "source.truth", "what is true was answered with status %d", resp.StatusCode)
	case len(raw) > truthMost:
		return "", fault.New(fault.KindUnavailable, "source.truth", "what is true has more than %d bytes", truthMost)
	}
	var said struct {
		Truth *string `json:"truth"`
	}
	if err := json.Unmarshal(raw, &said); err != nil || said.Truth == nil {
		return "", fault.New(fault.KindUnavailable, "source.truth", `what is true is answered by {"truth": "..."}; "" where it is not known`)
	}
	return *said.Truth, nil
}

// Asked implements source.Auditor.
func (x auditor) Asked(ctx context.Context, id string) (out source.Asked, err error) {
	who := experiment.Actor{Person: "reeve", Can: func(string, string, string) bool { return true }}
	e, err := x.app.experiments.Get(ctx, who, id)
	if err != nil {
		return out, err
	}
	switch e.State {
	case experiment.Done:
		out.Done = true
	case experiment.Failed, experiment.Stopped:
		// One that the end of the process cut short says nothing of why.
		out.Failed, out.Why, out.Lost = true, e.Why, e.State == experiment.Failed && (e.Why == "" || e.Why == experiment.Interrupted)
		return out, nil
	default:
		return out, nil
	}
	all, err := x.app.experiments.Results(ctx, id)
	for _, r := range all {
		out.Items = append(out.Items, source.Answered{Item: r.Item, Run: r.RunID, Said: r.Valid && !r.Failed, Right: r.Passed && r.Valid, Why: r.Why})
	}
	return out, err
}
