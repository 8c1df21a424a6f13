package policy

import (
	"slices"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"reeve/internal/activity"
)

// Act is an agent that wants to act for somebody (act_for): for a user, or for
// another agent.
type Act struct {
	Agent    Agent
	For      Agent  // the agent; Name "" when it is a user
	User     string // "" when it is an agent
	Groups   []string
	Depth    int // agents between them, after this exchange
	Audience string
	Scopes   []string
}

// Act decides whether an agent may act for somebody. Registration says for whom
// it may (audiences, scopes, may_act); policies may narrow that. While none names
// act_for only a forbid about everything refuses; once one does, no permit
// denies. A hold denies: nobody waits at the token endpoint.
func (e *Engine) Act(a *Act) Decision {
	s := e.set.Load()
	if s == nil {
		s = &snapshot{}
	}
	bit := actionBit("act_for")
	var of []*Statement
	named := false
	for _, st := range s.all {
		if st.actions&bit == 0 || st.team != "" && st.team != a.Agent.Team {
			continue
		}
		of = append(of, st)
		named = named || st.actions != allActions && !st.observe
	}
	resource := uid("User", a.User)
	if a.For.Name != "" {
		resource = uid("Agent", a.For.Name)
	}
	outcomes := s.evaluateSlow(of, a, cedar.Request{
		Principal: uid("Agent", a.Agent.Name), Action: uid("Action", "act_for"), Resource: resource,
		Context: types.NewRecord(types.RecordMap{"depth": types.Long(a.Depth), "audience": types.String(a.Audience), "scopes": texts(a.Scopes)}),
	})
	would, force := rule(outcomes, true), rule(outcomes, false)
	d := Decision{Version: s.version, Policies: would.policies, Would: would.verdict, Verdict: force.verdict, Reasons: force.reasons, Floor: activity.VerdictAllow}
	if !named && !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.st.forbid && !o.st.observe }) {
		d.Verdict, d.Reasons = activity.VerdictAllow, nil
	}
	if d.Verdict == activity.VerdictHold {
		d.Verdict = activity.VerdictDeny
	}
	if a.Agent.Enforcement == "observe" {
		d.Verdict = activity.VerdictAllow
	}
	d.Enforced = d.Verdict == d.Would
	return d
}

// Get implements Cedar's look-up of entities.
func (a *Act) Get(u types.EntityUID) (types.Entity, bool) {
	switch {
	case u.Type == "Agent" && string(u.ID) == a.Agent.Name:
		return (&Request{Agent: a.Agent}).Get(u)
	case u.Type == "Agent" && string(u.ID) == a.For.Name:
		return (&Request{Agent: a.For}).Get(u)
	case u.Type == "User" && string(u.ID) == a.User:
		return (&Request{Agent: a.Agent, Call: Call{User: a.User, UserGroups: a.Groups}}).Get(u)
	}
	return types.Entity{UID: u}, false
}
