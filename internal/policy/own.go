package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// named are the entities that a statement names, in scope and conditions.
func (st *Statement) named() []types.EntityUID {
	var out []types.EntityUID
	add := func(u types.EntityUID) {
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	var none types.EntityUID
	for _, u := range []types.EntityUID{st.scope[0].entity, st.scope[1].entity} {
		if u != none {
			add(u)
		}
	}
	for _, c := range (*ast.Policy)(st.cedar.AST()).Conditions {
		ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool {
			if v, ok := n.(ast.NodeValue); ok {
				walkValue(v.Value, add)
			}
			return true
		})
	}
	return out
}

// upstreamOf is the upstream that a resource's id begins with; "" for what is
// no resource of one.
func upstreamOf(u types.EntityUID) string {
	id, sep := string(u.ID), ""
	switch u.Type {
	case "Upstream":
		return id
	case "Tool":
		sep = "."
	case "Model", "Peer":
		sep = "/"
	case "Api":
		sep = " "
	default:
		return ""
	}
	name, _, _ := strings.Cut(id, sep)
	return name
}

// own refuses a team's policy that names what is not the team's: agents of
// others, and upstreams that others do not share. What is not there yet passes:
// Engine.Decide holds a team's statements to its own agents in any case.
func (s *Store) own(d *Document, statements []Statement) error {
	if d.Team == "" {
		return nil
	}
	for i := range statements {
		st := &statements[i]
		refuse := func(u types.EntityUID, format string, args ...any) error {
			line, column := locate(d.Cedar, st.offset, u.String())
			return invalid(d, line, column, format, args...)
		}
		if p := st.scope[0].entity; p.Type == "Team" && string(p.ID) != d.Team {
			return refuse(p, "a policy of team %s is about its own agents, not those of team %s", d.Team, p.ID)
		}
		for _, u := range st.named() {
			if team, ok := s.o.AgentTeam(string(u.ID)); u.Type == "Agent" && ok && team != d.Team {
				return refuse(u, "agent %s is not of team %s", u.ID, d.Team)
			}
			if name := upstreamOf(u); name != "" {
				if team, shared, ok := s.o.Upstream(name); ok && team != d.Team && !shared {
					return refuse(u, "upstream %s is not shared with team %s", name, d.Team)
				}
			}
		}
	}
	return nil
}

// Warnings say what a policy names that is not there: perhaps not yet, perhaps
// misspelt.
func (s *Store) Warnings(p *Policy) []string {
	out := []string{}
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(out, text) && len(out) < 20 {
			out = append(out, text)
		}
	}
	for i := range p.Statements {
		st := &p.Statements[i]
		for _, u := range st.named() {
			if u.Type == "Agent" {
				if _, ok := s.o.AgentTeam(string(u.ID)); !ok {
					add("line %d: there is no agent %s", st.Line, u.ID)
				}
			}
			if name := upstreamOf(u); name != "" {
				if _, _, ok := s.o.Upstream(name); !ok {
					add("line %d: there is no upstream %s", st.Line, name)
				}
			}
		}
	}
	return out
}
