package pin

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Breaks is where the arguments of a call break the schema of the tool's accepted
// definition and how, in words without their values: "/order is missing". It is ""
// when they fit, and where that cannot be said: nobody accepted a definition, they
// are no JSON (telemetry writes them in many ways, or cuts them), or what is wrong is
// nothing that is certain (type, required, enum, const, forbidden properties, bounds
// of numbers and lengths; what else a schema asks for is passed over).
func (b *Book) Breaks(upstream, tool string, arguments []byte) string {
	e := b.all.Load().upstreams[upstream][tool]
	if e == nil {
		return ""
	}
	return e.shape.broken(arguments)
}

func (s *shape) broken(arguments []byte) string {
	if s == nil {
		return ""
	}
	var v any
	if json.Unmarshal(arguments, &v) != nil {
		return ""
	}
	steps := maxSteps
	return s.breaks(s.root, v, "", &steps)
}

// breaks is the first thing that is wrong with a value. Whoever has used up the steps
// knows nothing.
func (s *shape) breaks(node, v any, at string, steps *int) string {
	if *steps--; *steps < 0 {
		return ""
	}
	where := at
	if where == "" {
		where = "the whole"
	}
	m, ok := node.(map[string]any)
	if !ok {
		if node == false {
			return where + " is not allowed"
		}
		return ""
	}
	if ref, ok := m["$ref"].(string); ok {
		if to, ok := s.resolve(ref); ok {
			if what := s.breaks(to, v, at, steps); what != "" {
				return what
			}
		}
	}
	if what := s.breaksSome(m, v, at, where, steps); what != "" {
		return what
	}
	if want := typesOf(m["type"]); len(want) > 0 && !slices.ContainsFunc(want, func(t string) bool { return isOf(t, v) }) {
		return where + " is no " + strings.Join(want, " or ")
	}
	if list, ok := m["enum"].([]any); ok && !slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, v) }) {
		return where + " is none of those that there are"
	}
	if want, ok := m["const"]; ok && !reflect.DeepEqual(want, v) {
		return where + " is not what it must be"
	}
	switch v := v.(type) {
	case float64:
		if low, ok := m["minimum"].(float64); ok && v < low {
			return where + " is too small"
		}
		if high, ok := m["maximum"].(float64); ok && v > high {
			return where + " is too large"
		}
	case string:
		n := float64(len([]rune(v)))
		if low, ok := m["minLength"].(float64); ok && n < low {
			return where + " is too short"
		}
		if high, ok := m["maxLength"].(float64); ok && n > high {
			return where + " is too long"
		}
	case []any:
		return s.breaksList(m, v, at, where, steps)
	case map[string]any:
		return s.breaksObject(m, v, at, steps)
	}
	return ""
}

// breaksSome asks the schemas that a schema is put together of.
func (s *shape) breaksSome(m map[string]any, v any, at, where string, steps *int) string {
	all, _ := m["allOf"].([]any)
	for _, n := range all {
		if what := s.breaks(n, v, at, steps); what != "" {
			return what
		}
	}
	for _, word := range [...]string{"anyOf", "oneOf"} {
		list, _ := m[word].([]any)
		if len(list) > 0 && !slices.ContainsFunc(list, func(n any) bool { return s.breaks(n, v, at, steps) == "" }) {
			return where + " fits none of the forms that it may have"
		}
	}
	return ""
}

func (s *shape) breaksList(m map[string]any, v []any, at, where string, steps *int) string {
	if low, ok := m["minItems"].(float64); ok && float64(len(v)) < low {
		return where + " has too few elements"
	}
	if high, ok := m["maxItems"].(float64); ok && float64(len(v)) > high {
		return where + " has too many elements"
	}
	first, _ := m["prefixItems"].([]any)
	for i, x := range v {
		of, ok := m["items"], true
		if i < len(first) {
			of = first[i]
		} else {
			_, ok = m["items"]
		}
		if ok {
			if what := s.breaks(of, x, at+"/*", steps); what != "" {
				return what
			}
		}
	}
	return ""
}

func (s *shape) breaksObject(m, v map[string]any, at string, steps *int) string {
	required, _ := m["required"].([]any)
	for _, r := range required {
		if name, ok := r.(string); ok {
			if _, there := v[name]; !there {
				return at + "/" + pointer(name) + " is missing"
			}
		}
	}
	props, _ := m["properties"].(map[string]any)
	_, patterns := m["patternProperties"]
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		of, named := props[name]
		if !named {
			if of, named = m["additionalProperties"]; !named || patterns {
				continue
			}
			if of == false {
				return at + " has an argument that there is not" // its name came from the caller
			}
		}
		if what := s.breaks(of, v[name], at+"/"+pointer(name), steps); what != "" {
			return what
		}
	}
	return ""
}

func pointer(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func typesOf(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, t := range v {
			if t, ok := t.(string); ok {
				out = append(out, t)
			}
		}
	}
	return out
}

// isOf reports whether a value is of a JSON Schema type; of one that is not known
// everything is.
func isOf(t string, v any) bool {
	switch t {
	case "null":
		return v == nil
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "string":
		_, ok := v.(string)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "number":
		_, ok := v.(float64)
		return ok
	case "integer":
		x, ok := v.(float64)
		return ok && x == math.Trunc(x)
	}
	return true
}
