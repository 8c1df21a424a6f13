package pin

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// shape is a schema as far as argument paths need it.
type shape struct {
	root map[string]any
}

// maxSteps bounds the walk through a schema's references.
const maxSteps = 2000

func shapeOf(schema json.RawMessage) *shape {
	var root map[string]any
	if json.Unmarshal(schema, &root) != nil {
		return nil
	}
	return &shape{root}
}

// Has reports whether a JSON Pointer ("*" for any element) leads to an argument
// that a tool's schema names. Objects that take any further property by a schema
// of their own (additionalProperties, patternProperties) have every name; ones
// that merely do not forbid them have not.
func (s *shape) Has(path string) bool {
	if s == nil || !strings.HasPrefix(path, "/") {
		return false
	}
	steps := maxSteps
	return s.has(s.root, strings.Split(path[1:], "/"), &steps)
}

func (s *shape) has(node any, parts []string, steps *int) bool {
	if *steps--; *steps < 0 {
		return false
	}
	m, ok := node.(map[string]any)
	if !ok {
		return node == true && len(parts) == 0 // "true" is the schema that takes anything
	}
	if len(parts) == 0 {
		return true
	}
	if ref, ok := m["$ref"].(string); ok {
		if to, ok := s.resolve(ref); ok && s.has(to, parts, steps) {
			return true
		}
	}
	for _, word := range [...]string{"allOf", "anyOf", "oneOf"} {
		list, _ := m[word].([]any)
		if slices.ContainsFunc(list, func(n any) bool { return s.has(n, parts, steps) }) {
			return true
		}
	}
	for _, word := range [...]string{"then", "else"} {
		if n, ok := m[word]; ok && s.has(n, parts, steps) {
			return true
		}
	}
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[0])
	if parts[0] == "*" {
		if s.has(m["items"], parts[1:], steps) || m["items"] == true && len(parts) == 1 {
			return true
		}
		list, _ := m["prefixItems"].([]any)
		if slices.ContainsFunc(list, func(n any) bool { return s.has(n, parts[1:], steps) }) {
			return true
		}
	}
	if props, ok := m["properties"].(map[string]any); ok {
		if n, ok := props[name]; ok {
			return s.has(n, parts[1:], steps) || len(parts) == 1
		}
	}
	for _, word := range [...]string{"additionalProperties", "patternProperties"} {
		n, there := m[word]
		switch {
		case !there || n == false:
		case n == true || word == "patternProperties":
			return true // what below it is taken cannot be said
		case s.has(n, parts[1:], steps):
			return true
		}
	}
	return false
}

// resolve follows a reference within the schema.
func (s *shape) resolve(ref string) (any, bool) {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	var node any = s.root
	if path == "" {
		return node, true
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch n := node.(type) {
		case map[string]any:
			if node, ok = n[part]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n) {
				return nil, false
			}
			node = n[i]
		default:
			return nil, false
		}
	}
	return node, true
}

// argument is a leaf that a schema names.
type argument struct {
	path   string
	name   string // its last name
	schema map[string]any
}

// maxArguments bounds what suggestions look at.
const maxArguments = 500

// arguments lists the leaves of a schema by path.
func (s *shape) arguments() (out []argument) {
	if s == nil {
		return nil
	}
	steps := maxSteps
	var walk func(node any, path, name string, depth int)
	walk = func(node any, path, name string, depth int) {
		m, ok := node.(map[string]any)
		if steps--; !ok || steps < 0 || depth > 12 || len(out) >= maxArguments {
			return
		}
		if ref, ok := m["$ref"].(string); ok {
			if to, ok := s.resolve(ref); ok {
				walk(to, path, name, depth+1)
			}
		}
		for _, word := range [...]string{"allOf", "anyOf", "oneOf"} {
			list, _ := m[word].([]any)
			for _, n := range list {
				walk(n, path, name, depth+1)
			}
		}
		props, _ := m["properties"].(map[string]any)
		for _, key := range sortedKeys(props) {
			walk(props[key], path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), key, depth+1)
		}
		if items, ok := m["items"]; ok {
			walk(items, path+"/*", name, depth+1)
		}
		if path != "" && props == nil && m["items"] == nil && (m["type"] != nil || m["format"] != nil || m["enum"] != nil || m["description"] != nil) {
			out = append(out, argument{path, name, m})
		}
	}
	walk(s.root, "", "", 0)
	return slices.CompactFunc(out, func(a, b argument) bool { return a.path == b.path })
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// texts are all words for people in a schema: descriptions, titles, examples,
// names and choices.
func texts(schema json.RawMessage) []string {
	var root any
	if json.Unmarshal(schema, &root) != nil {
		return nil
	}
	var out []string
	var walk func(node any)
	walk = func(node any) {
		switch n := node.(type) {
		case string:
			out = append(out, n)
		case []any:
			for _, e := range n {
				walk(e)
			}
		case map[string]any:
			for _, k := range sortedKeys(n) {
				out = append(out, k)
				walk(n[k])
			}
		}
	}
	walk(root)
	return out
}
