package gateway

import (
	"slices"

	"reeve/internal/behaviour"
	"reeve/internal/policy"
)

// pace counts a call among those of its run, before it is decided: what is the
// same for the fifth time is a loop, and binds this very call.
func (d *Door) pace(x *passage) {
	m, p := d.o.Behaviour, x.proposal
	if m == nil || x.paced || p.Quiet || p.Collects != "" || x.before != nil {
		return
	}
	x.paced = true
	var n int
	switch s := p.Arguments; {
	case p.Same != nil:
		n = m.Again(x.who(), x.record.Resource, p.Same)
	case s.To > s.From && s.To <= len(x.Body): // a request's own id differs each time
		n = m.Again(x.who(), x.record.Resource, x.Body[s.From:s.To])
	case p.bind() != nil:
		n = m.Again(x.who(), x.record.Resource, p.Bind)
	default:
		n = m.Again(x.who(), x.record.Resource, []byte(x.Method), []byte(x.Path), []byte(x.Query), x.Body)
	}
	x.looping = behaviour.Looping(n)
}

// open is what is open about the agent and what this very call would be, in the
// words of detectors: context.findings.
func (d *Door) open(x *passage, res *policy.Resource) []string {
	var out []string
	if d.o.Findings != nil {
		out = d.o.Findings(x.Caller.Agent.Name, x.Caller.Agent.Team)
	}
	add := func(word string) {
		if !slices.Contains(out, word) {
			out = append(slices.Clip(out), word)
		}
	}
	if x.looping {
		add(behaviour.Loop)
	}
	if m := d.o.Behaviour; m != nil && res.Type != "Model" && !m.Did(x.Caller.Agent.Name, acted(x, res)) {
		add(behaviour.NewTool)
	}
	return out
}

// acted is what an action is known by among those that an agent did before: an
// API by its route, not by each address.
func acted(x *passage, res *policy.Resource) string {
	if res.Type == "Api" && res.Route != "" {
		return x.record.Upstream + " " + res.Method + " " + res.Route
	}
	return res.ID
}
