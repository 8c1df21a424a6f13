package gateway

import (
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/stop"
)

// Standing is what the answer to an Outside rests on, beside its arguments: the
// policies in force, how its agent stands, and with which credential it asked.
// Two that are equal are the same ground.
type Standing struct {
	policies, revision, epoch, upstream int64

	lifecycle, autonomy, containment string
	enforced                         bool
	credential                       string
}

// Standing is how an agent stands now that asks for o.
func (d *Door) Standing(o *Outside) Standing {
	s := Standing{policies: d.o.Policies.Version(), credential: o.Caller.CredentialID}
	if a, ok := d.o.Agents.Lookup(o.Caller.Agent.Name); ok {
		now := d.o.Now()
		s.revision, s.epoch, s.lifecycle, s.autonomy = a.Revision, a.Epoch, a.Lifecycle, a.Autonomy
		s.containment, s.enforced = a.Contained(now), a.Enforced(now)
	}
	if o.Upstream != nil {
		if u, ok := d.o.Upstreams.Lookup(o.Upstream.Name); ok {
			s.upstream = u.Revision
		}
	}
	return s
}

// StillHolds reports whether what was allowed on a ground would be allowed on
// the same ground now: nothing of it changed, and neither the action, its agent
// nor one that it acts for was stopped. What does not hold is decided again.
func (d *Door) StillHolds(o *Outside, r *activity.Decision, was Standing) bool {
	a, ok := d.o.Agents.Lookup(o.Caller.Agent.Name)
	if !ok || d.Standing(o) != was {
		return false
	}
	now := d.o.Now()
	if a.Lifecycle == agent.Retired || a.Contained(now) == agent.Quarantined || o.Caller.Epoch < a.Epoch {
		return false
	}
	for _, name := range o.Caller.Chain {
		if b, ok := d.o.Agents.Lookup(name); !ok || b.Lifecycle == agent.Retired || b.Contained(now) == agent.Quarantined {
			return false
		}
	}
	return d.o.Stops.Check(stop.Call{
		ID: r.ID, Agent: r.Agent, Instance: r.Instance, Run: r.Run.String(), Session: r.Session, User: o.Caller.User, Version: r.Version,
		Tool: r.Tool, Model: r.Model, Upstream: r.Upstream, Team: r.Team, Credential: r.CredentialID, Resource: r.Resource, Chain: r.Chain, Labels: a.Labels,
	}) == nil
}
