package policy

import (
	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"reeve/internal/activity"
)

// Ask is what a server asks back of the agent that calls it: its model
// (ask_model) or the person behind it (ask_user). The upstream is the principal
// and the agent the resource.
type Ask struct {
	Upstream, UpstreamTeam string
	UpstreamShared         bool
	UpstreamKind           string
	External               bool
	Agent                  Agent
	Action                 string   // ask_model, ask_user
	Classes                []string // of data that the question carries
	URL                    string   // that a person is sent to; "" none
}

// Ask decides what a server asks. No permit denies. There is no floor: an agent
// that may not act never called the server.
func (e *Engine) Ask(a *Ask) Decision {
	s := e.set.Load()
	if s == nil {
		s = &snapshot{}
	}
	action := actionBit(a.Action)
	var of []*Statement
	for _, st := range s.all {
		ours := st.team == "" || st.team == a.Agent.Team && (st.forbid || a.UpstreamShared || a.UpstreamTeam == st.team)
		if st.actions&action != 0 && ours {
			of = append(of, st)
		}
	}
	context := types.RecordMap{"classes": classSet(a.Classes)}
	if a.URL != "" {
		context["url"] = types.String(a.URL)
	}
	outcomes := s.evaluateSlow(of, a, cedar.Request{
		Principal: uid("Upstream", a.Upstream), Action: uid("Action", a.Action), Resource: uid("Agent", a.Agent.Name), Context: types.NewRecord(context),
	})
	would, force := rule(outcomes, true), rule(outcomes, false)
	d := Decision{Version: s.version, Policies: would.policies, Would: would.verdict, Verdict: force.verdict, Reasons: force.reasons, Floor: activity.VerdictAllow}
	d.Hold, d.Asked, d.Redact, d.Limits = force.hold, force.asked, force.redact, force.limits
	if a.Agent.Enforcement == "observe" {
		d.Verdict, d.Reasons = activity.VerdictAllow, would.reasons
	}
	d.Enforced = d.Verdict == d.Would
	return d
}

// Get implements Cedar's look-up of entities.
func (a *Ask) Get(u types.EntityUID) (types.Entity, bool) {
	switch {
	case u.Type == "Agent" && string(u.ID) == a.Agent.Name:
		r := Request{Agent: a.Agent}
		return r.Get(u)
	case u.Type == "Upstream" && string(u.ID) == a.Upstream:
		r := Request{Resource: Resource{Upstream: a.Upstream, UpstreamTeam: a.UpstreamTeam, UpstreamKind: a.UpstreamKind, External: a.External}}
		return r.Get(u)
	}
	return types.Entity{UID: u}, false
}
