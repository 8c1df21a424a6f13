package api

import (
	"context"
	"math"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/experiment"
	"reeve/internal/fault"
)

// Replayer puts a recorded model step to a model again; app fills it in.
type Replayer interface {
	Replay(ctx context.Context, who experiment.Actor, run *activity.Run, in Replay) (experiment.Replayed, experiment.Replaying, error)
}

// Replay is what is changed: what is left out is as it was.
type Replay struct {
	Step, Upstream, Model string
	System, Prompt        *string
	Evaluators            []string
}

const maxReplayText = 64 << 10

func replayRun(a *API, ctx context.Context, req *client.ReplayRunRequest) (*client.Replay, error) {
	if a.o.Replayer == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server replays nothing")
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	// Which agent a run is of is what its sender says: what it said is read by who may
	// read at its own place, whatever they may do at the agent's.
	if !experimentActor(ctx).Can("reader", run.Team, run.Environment) {
		return nil, fault.New(fault.KindDenied, "experiment.denied", "a replay shows what a run said: this needs the role reader for team %q in %q", run.Team, run.Environment)
	}
	for _, text := range []*string{req.System, req.Prompt} {
		if text != nil && len(*text) > maxReplayText {
			return nil, fault.New(fault.KindInvalid, "experiment.invalid", "a prompt has at most %d bytes", maxReplayText)
		}
	}
	if len(req.Evaluators) > 20 {
		return nil, fault.New(fault.KindInvalid, "experiment.invalid", "a replay has at most 20 evaluators")
	}
	out, in, err := a.o.Replayer.Replay(ctx, experimentActor(ctx), run, Replay{Step: req.Step, Upstream: req.Upstream, Model: req.Model, System: req.System, Prompt: req.Prompt, Evaluators: req.Evaluators})
	if err != nil {
		return nil, err
	}
	known := func(f float64) *float64 {
		if math.IsNaN(f) {
			return nil
		}
		return &f
	}
	r := &client.Replay{
		Run: in.Run, Step: in.Step, TestRun: out.Run, Upstream: in.Upstream, Model: in.Model, Was: in.Was, Answer: out.Answer, Why: out.Why, Shared: known(out.Shared), Tokens: out.Tokens, Cost: known(out.Cost),
		Turns: []client.ReplayTurn{}, Checks: []client.ReplayCheck{},
	}
	call := func(p *experiment.Proposed) client.ReplayCall {
		return client.ReplayCall{Name: p.Name, Arguments: clip(p.Arguments, 4000), Recorded: p.Recorded, Result: clip(p.Result, 4000)}
	}
	if out.Stopped != nil {
		c := call(out.Stopped)
		r.Stopped = &c
	}
	for i := range out.Spoken {
		s := &out.Spoken[i]
		t := client.ReplayTurn{Model: s.Model, Text: s.Text, Decision: s.Decision, Tokens: s.Tokens, Cost: known(s.Cost), Calls: []client.ReplayCall{}}
		for k := range s.Calls {
			t.Calls = append(t.Calls, call(&s.Calls[k]))
		}
		r.Turns = append(r.Turns, t)
	}
	for i, c := range out.Checks {
		k := client.ReplayCheck{Name: c.Name, Verdict: c.Verdict, Text: c.Text}
		if i < len(out.Before) {
			k.Before = out.Before[i].Verdict
		}
		r.Checks = append(r.Checks, k)
	}
	return r, nil
}
