package policy

import (
	"strings"
)

// Tools knows which arguments the tools of MCP servers take.
type Tools interface {
	// HasPath reports whether the schema of a tool that a person accepted has an
	// argument at a JSON Pointer; known is false when nobody accepted the tool.
	HasPath(upstream, tool, path string) (has, known bool)
	// Tools are the names of an upstream's tools.
	Tools(upstream string) []string
}

// arguments refuses a statement about a tool that reads an argument which the
// tool does not take: it would never match, and a forbid that never matches
// looks like one that does. About a tool that nobody accepted yet nothing can be
// said.
func (s *Store) arguments(d *Document, statements []Statement) error {
	if s.o.Tools == nil {
		return nil
	}
	for i := range statements {
		st := &statements[i]
		scope := st.scope[1].entity
		if scope.Type != "Tool" && scope.Type != "Upstream" {
			continue
		}
		upstream, tool, _ := strings.Cut(string(scope.ID), ".")
		if upstream == Local {
			continue
		}
		for _, p := range st.paths {
			path, _, _ := strings.Cut(string(p), "#") // of #count, #max, #min, #sum
			if !strings.HasPrefix(path, "/") || s.takes(upstream, tool, scope.Type == "Upstream", path) {
				continue
			}
			line, column := locate(d.Cedar, st.offset, string(p))
			if scope.Type == "Tool" {
				return invalid(d, line, column, "the tool %s of %s takes no argument at %s", tool, upstream, path)
			}
			return invalid(d, line, column, "no tool of %s takes an argument at %s", upstream, path)
		}
	}
	return nil
}

// takes reports whether a tool, or any of an upstream, takes an argument, or may
// do so as far as is known.
func (s *Store) takes(upstream, tool string, all bool, path string) bool {
	tools := []string{tool}
	if all {
		tools = s.o.Tools.Tools(upstream)
	}
	some := false
	for _, t := range tools {
		has, known := s.o.Tools.HasPath(upstream, t, path)
		if has || !known {
			return true
		}
		some = true
	}
	return !some
}
