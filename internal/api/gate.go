package api

import (
	"cmp"
	"context"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
)

// Gate computes what an agent has to show, and keeps what it came to; app fills it
// in.
type Gate interface {
	Look(ctx context.Context, agent string) (*client.Gate, error)
	// Keep records a gate in the audit log, whose checkpoints sign it.
	Keep(ctx context.Context, g *client.Gate, to, by, reason string) error
}

func (a *API) gate(ctx context.Context, name string) (*client.Gate, error) {
	if a.o.Gate == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no gate")
	}
	if _, _, err := a.visible(ctx, name); err != nil {
		return nil, err
	}
	return a.o.Gate.Look(ctx, name)
}

func getGate(a *API, ctx context.Context, req *client.GateRequest) (*client.Gate, error) {
	return a.gate(ctx, req.Name)
}

// passGate promotes through the gate: what it came to is kept either way, and a
// refusal names what fails, with the run.
func passGate(a *API, ctx context.Context, req *client.PassGateRequest) (*client.Gate, error) {
	if strings.TrimSpace(req.Reason) == "" {
		return nil, errReason.WithHint("it is kept with the result")
	}
	g, err := a.gate(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	to := cmp.Or(req.To, "production")
	if err := a.o.Gate.Keep(ctx, g, to, actor(ctx), req.Reason); err != nil {
		return nil, err
	}
	if !g.Passed {
		var why []string
		for _, c := range g.Checks {
			if !c.Passed {
				why = append(why, strings.TrimSpace(c.Name+": "+c.Text+" "+c.Run+" "+c.About))
			}
		}
		return nil, fault.New(fault.KindDenied, "promote.refused", "agent %s does not pass: %s", req.Name, strings.Join(why, "; ")).WithHint("`reeve promote %s --look` shows the whole list", req.Name)
	}
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.Promote(ctx, actorOf(ctx), req.Name, to, req.Reason)
	if err != nil {
		return nil, err
	}
	g.Lifecycle = made.Lifecycle
	return g, nil
}
