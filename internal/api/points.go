package api

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/gateway/points"
	"reeve/internal/identity"
)

// Points decides actions that do not pass the door.
type Points interface {
	Decide(ctx context.Context, who points.Speaker, req *client.DecideRequest) (*client.DecisionAnswer, error)
	Await(ctx context.Context, who points.Speaker, req *client.AwaitDecisionRequest) (*client.DecisionAnswer, error)
	Complete(ctx context.Context, who points.Speaker, req *client.CompleteDecisionRequest) (*client.CompletedDecision, error)
}

// Coverage is how much of what agents do was decided.
type Coverage interface {
	List(ctx context.Context, agent string, from, to time.Time, may func(team, environment string) bool) ([]client.AgentCoverage, error)
}

var errNoPoints = fault.New(fault.KindUnavailable, "api.points", "nothing is decided here: there is no door").WithHint("set gateway_listen")

// SpeakerOf is who asks about agents with an API credential: a token or a person
// speaks for the agents that its role developer reaches.
func SpeakerOf(p identity.Principal) points.Speaker {
	id := p.TokenID
	if id == "" {
		id = p.PersonID
	}
	return points.Speaker{ID: id, May: func(team, environment string) bool { return p.Can(identity.Developer, team, environment) }}
}

func decide(a *API, ctx context.Context, req *client.DecideRequest) (*client.DecisionAnswer, error) {
	if a.o.Points == nil {
		return nil, errNoPoints
	}
	return a.o.Points.Decide(ctx, SpeakerOf(whoOf(ctx)), req)
}

func awaitDecision(a *API, ctx context.Context, req *client.AwaitDecisionRequest) (*client.DecisionAnswer, error) {
	if a.o.Points == nil {
		return nil, errNoPoints
	}
	return a.o.Points.Await(ctx, SpeakerOf(whoOf(ctx)), req)
}

func completeDecision(a *API, ctx context.Context, req *client.CompleteDecisionRequest) (*client.CompletedDecision, error) {
	if a.o.Points == nil {
		return nil, errNoPoints
	}
	return a.o.Points.Complete(ctx, SpeakerOf(whoOf(ctx)), req)
}

func listCoverage(a *API, ctx context.Context, req *client.ListCoverageRequest) (*client.List[client.AgentCoverage], error) {
	if a.o.Coverage == nil {
		return nil, errNoPoints
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	if from.IsZero() {
		from = a.o.Now().AddDate(0, 0, -30)
	}
	if to.IsZero() {
		to = a.o.Now()
	}
	who := whoOf(ctx)
	list, err := a.o.Coverage.List(ctx, req.Agent, from, to, func(team, environment string) bool { return who.Can(identity.Viewer, team, environment) })
	if err != nil {
		return nil, err
	}
	return &client.List[client.AgentCoverage]{Items: list[:min(len(list), orDefault(req.Limit, 1000))]}, nil
}
