package gateway

import (
	"context"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Repinner is a Protocol whose calls can be sent to another model than they ask
// for.
type Repinner interface {
	// Repin is c's path and body with another model in place of the one that it
	// asks for; ok is false when this call cannot be sent so.
	Repin(c *Call, model string) (path string, body []byte, ok bool)
}

// repin sends a call to the model that its agent is pinned to. The call is then
// read anew, so that all that follows is about what is really sent. What cannot
// be sent so is refused when it is decided.
func (d *Door) repin(x *passage) error {
	asked := x.proposal.Resource.Name
	to := x.Caller.Agent.PinnedModel(asked, x.started)
	if to == "" {
		return nil
	}
	by, ok := x.protocol.(Repinner)
	if !ok {
		return nil
	}
	path, body, ok := by.Repin(&x.Call, to)
	if !ok {
		return nil
	}
	x.Path, x.Body, x.repinned = path, body, asked
	p, err := x.protocol.Propose(&x.Call)
	if p != nil {
		x.proposal = p
	}
	return err
}

// pinned refuses what the pins of an agent exclude, whatever policy says: a call of
// another version than the one that may act, and a model that is replaced where
// the call could not be sent to the other. A pin is a person's act, as a
// containment is, so it holds for agents that are only observed too.
func (d *Door) pinned(x *passage) error {
	a := x.Caller.Agent
	if len(a.Pins) == 0 {
		return nil
	}
	r := &x.record
	refuse := func(code, text, hint string) error {
		r.Verdict, r.Would, r.Enforced, r.Floor = activity.VerdictDeny, activity.VerdictDeny, true, activity.VerdictDeny
		r.Reasons = append([]activity.Reason{{Code: code, Text: text}}, r.Reasons...)
		return fault.New(fault.KindDenied, "decision.denied", "denied: %s", because(r.Reasons)).WithHint("%s", hint)
	}
	if want := a.PinnedVersion(x.started); want != "" {
		if now := d.o.Agents.VersionNow(a.Name); now != want {
			if now == "" {
				now = "a version that nobody saw"
			}
			return refuse("pin.version", a.Name+" is pinned to version "+want+" and is "+now+", as telemetry tells", "release version "+want+" again, or take the pin out: `reeve agent unpin "+a.Name+" --version`")
		}
	}
	if x.repinned != "" {
		r.Reasons = append(slices.Clip(r.Reasons), activity.Reason{Code: "pin.model", Text: x.proposal.Resource.Name + " is called in place of " + x.repinned + ": the agent is pinned to it"})
		return nil
	}
	if x.proposal.Resource.Type == "Model" {
		if to := a.PinnedModel(x.proposal.Resource.Name, x.started); to != "" {
			return refuse("pin.model", "the agent is pinned to "+to+" in place of "+x.proposal.Resource.Name+", and this call cannot be sent there", "call "+to+", or ask its team to take the pin out")
		}
	}
	return nil
}

// proposeAs is propose, and then the model that the agent is pinned to.
func (d *Door) proposeAs(ctx context.Context, x *passage) error {
	if err := d.propose(ctx, x); err != nil || x.Caller.Agent == nil || len(x.Caller.Agent.Pins) == 0 || x.proposal == nil || x.proposal.Resource.Type != "Model" {
		return err
	}
	return d.repin(x)
}
