package policy

import (
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
)

// Local is the upstream of tools that run inside an agent's own process. No
// upstream can be registered under this name.
const Local = "local"

// LocalTool is the id of an agent's local tool: Tool::"local.name".
func LocalTool(name string) string { return Local + "." + name }

// isLocal reports whether a scope names local tools.
func isLocal(u types.EntityUID) bool {
	return u.Type == "Upstream" && u.ID == Local || u.Type == "Tool" && strings.HasPrefix(string(u.ID), Local+".")
}

// NamesLocal reports whether a statement about this agent, its team or
// everybody names the local tool in its scope, or all of them as
// Upstream::"local"; with tool "" whether any is named. What nobody names is
// not for the door to decide: a permit for everything is not about tools that
// it never sees run.
func (e *Engine) NamesLocal(agent, team, tool string) bool {
	s := e.set.Load()
	if s == nil {
		return false
	}
	return s.anybody.namesLocal(tool) || s.by[uid("Agent", agent)].namesLocal(tool) || s.by[uid("Team", team)].namesLocal(tool)
}

// EnforcesLocal reports whether one of the statements that name the tool is in
// force. A tool that only observed ones name is decided for the record alone.
func (e *Engine) EnforcesLocal(agent, team, tool string) bool {
	s := e.set.Load()
	if s == nil {
		return false
	}
	for _, b := range []*bucket{&s.anybody, s.by[uid("Agent", agent)], s.by[uid("Team", team)]} {
		if b == nil || !b.local {
			continue
		}
		for _, of := range []types.EntityUID{uid("Upstream", Local), uid("Tool", LocalTool(tool))} {
			if slices.ContainsFunc(b.on[of], func(st *Statement) bool { return !st.observe }) {
				return true
			}
		}
	}
	return false
}

func (b *bucket) namesLocal(tool string) bool {
	switch {
	case b == nil || !b.local:
		return false
	case tool == "":
		return true
	}
	return len(b.on[uid("Upstream", Local)]) > 0 || len(b.on[uid("Tool", LocalTool(tool))]) > 0
}
