package points

import (
	"context"
	"slices"
	"strings"

	"reeve/internal/agent"
	"reeve/internal/fault"
)

// Search answers from what is registered: agents, and the actions and resources
// of upstreams. It asks policy and records nothing: nobody acts by it. People
// and an application's own resources are not registered here, so there is
// nothing to enumerate and the answer is empty.

const maxFound = 500

type found map[string]string

// search answers one of the three searches.
func (s *Server) search(ctx context.Context, who zenAsker, what string, o object) (any, error) {
	need := map[string][]string{"subject": {"type", "id"}, "action": {"name"}, "resource": {"type", "id"}}
	var e evaluation
	var err error
	for name, to := range map[string]*entity{"subject": &e.subject, "action": &e.action, "resource": &e.resource} {
		wants := need[name]
		if name == what {
			wants = []string{"type"}
		}
		if name == what && name == "action" {
			continue
		}
		if *to, err = readEntity(o, name, wants...); err != nil {
			return nil, err
		}
	}
	if e.context, err = o.child("context"); err != nil {
		return nil, err
	}
	if _, err := o.child("page"); err != nil {
		return nil, err
	}
	var results []found
	switch what {
	case "subject":
		results = s.searchSubjects(ctx, who, e)
	case "resource":
		results = s.searchResources(ctx, who, e)
	default:
		results = s.searchActions(ctx, who, e)
	}
	if len(results) > maxFound {
		return nil, fault.New(fault.KindInvalid, "decision.search", "more than %d entities match", maxFound).WithHint("ask about one of them by evaluation")
	}
	if results == nil {
		results = []found{}
	}
	return map[string]any{"results": results}, nil
}

// permits asks policy about a question, and records nothing.
func (s *Server) permits(ctx context.Context, who zenAsker, e evaluation) bool {
	o, err := s.zenOutside(ctx, who, e)
	return err == nil && s.o.Door.Would(ctx, o)
}

func (s *Server) searchSubjects(ctx context.Context, who zenAsker, e evaluation) (out []found) {
	if e.subject.kind != "agent" {
		return nil
	}
	for _, a := range s.reach(who) {
		e.subject.id = a.Name
		if s.permits(ctx, who, e) {
			out = append(out, found{"type": "agent", "id": a.Name})
		}
	}
	return out
}

// reach are the agents that who asks may speak for, by name.
func (s *Server) reach(who zenAsker) (out []*agent.Agent) {
	for _, a := range s.o.Agents.List() {
		if a.Lifecycle != agent.Retired && who.may(a.Name, a.Team, a.Environment) && (who.agent == "" || who.agent == a.Name) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *agent.Agent) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// searchResources enumerates what is registered: models that upstreams list and
// routes of APIs without parts that vary.
func (s *Server) searchResources(ctx context.Context, who zenAsker, e evaluation) (out []found) {
	for _, id := range s.resources(e.resource.kind) {
		e.resource.id = id
		if s.permits(ctx, who, e) {
			out = append(out, found{"type": e.resource.kind, "id": id})
		}
	}
	return out
}

func (s *Server) resources(kind string) (ids []string) {
	for _, u := range s.o.Upstreams.List() {
		switch {
		case kind == "model" && u.Kind == "llm":
			for _, m := range u.Models {
				if !strings.HasSuffix(m.Name, "*") {
					ids = append(ids, u.Name+"/"+m.Name)
				}
			}
		case kind == "api" && u.Kind == "http":
			for _, r := range u.Routes {
				if !strings.ContainsAny(r.Path, "{*") && r.Method != "*" {
					ids = append(ids, u.Name+" "+r.Method+" "+r.Path)
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *Server) searchActions(ctx context.Context, who zenAsker, e evaluation) (out []found) {
	action, ok := map[string]string{"tool": "call_tool", "model": "call_model", "api": "call_api"}[e.resource.kind]
	if !ok {
		return nil
	}
	e.action.id = action
	if s.permits(ctx, who, e) {
		return []found{{"name": action}}
	}
	return nil
}
