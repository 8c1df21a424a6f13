package search

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
)

// Match decides a search over runs for a run in memory. steps is called at
// most once, and only when the search looks at steps; nil means that the run
// has none. A phrase is looked for in names, errors and tools, not in content.
// It fails only for an Expr that Parse did not make.
func Match(e Expr, run *activity.Run, steps func() []activity.Step) (bool, error) {
	return MatchAt(e, time.Now(), run, steps)
}

// MatchAt is Match with the time that relative times count from.
func MatchAt(e Expr, now time.Time, run *activity.Run, steps func() []activity.Step) (bool, error) {
	m := &matcher{now: now, run: run, load: steps}
	return m.onRun(e)
}

type matcher struct {
	now    time.Time
	run    *activity.Run
	load   func() []activity.Step
	loaded bool
	steps  []activity.Step
	byID   map[activity.StepID]int
	kids   map[activity.StepID][]int
}

func (m *matcher) all() []activity.Step {
	if !m.loaded && m.load != nil {
		m.steps = m.load()
	}
	m.loaded = true
	return m.steps
}

func (m *matcher) index() {
	if m.byID != nil {
		return
	}
	m.byID, m.kids = make(map[activity.StepID]int, len(m.steps)), make(map[activity.StepID][]int)
	for i := range m.steps {
		s := &m.steps[i]
		m.byID[s.Step] = i
		if !s.Parent.IsZero() {
			m.kids[s.Parent] = append(m.kids[s.Parent], i)
		}
	}
}

func combine(e Expr, leaf func(Expr) (bool, error)) (bool, error) {
	switch e := e.(type) {
	case nil:
		return true, nil
	case *And:
		for _, of := range e.Of {
			if ok, err := combine(of, leaf); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case *Or:
		for _, of := range e.Of {
			if ok, err := combine(of, leaf); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case *Not:
		ok, err := combine(e.Of, leaf)
		return !ok && err == nil, err
	}
	return leaf(e)
}

func (m *matcher) onRun(e Expr) (bool, error) {
	return combine(e, func(e Expr) (bool, error) {
		switch e := e.(type) {
		case *Cmp:
			return compare(e, ScopeRun, m.now, func(f Field) (datum, bool) { return ofRun(m.run, f) })
		case *Among:
			return e.Runs[m.run.ID], nil
		case *Text:
			if runHas(m.run, e.Phrase) {
				return true, nil
			}
			return slices.ContainsFunc(m.all(), func(s activity.Step) bool { return stepHas(&s, e.Phrase) }), nil
		case *Any:
			for i := range m.all() {
				if ok, err := m.onStep(e.Of, i); err != nil || ok {
					return ok, err
				}
			}
			return false, nil
		case *All:
			for i := range m.all() {
				if ok, err := m.onStep(e.Of, i); err != nil || !ok {
					return false, err
				}
			}
			return len(m.all()) > 0, nil
		}
		return false, fmt.Errorf("matching a run: %T cannot stand here", e)
	})
}

func (m *matcher) onStep(e Expr, i int) (bool, error) {
	s := &m.steps[i]
	return combine(e, func(e Expr) (bool, error) {
		switch e := e.(type) {
		case *Cmp:
			return compare(e, ScopeStep, m.now, func(f Field) (datum, bool) { return ofStep(s, f) })
		case *Text:
			return stepHas(s, e.Phrase), nil
		case *Child:
			m.index()
			for _, k := range m.kids[s.Step] {
				if ok, err := m.onStep(e.Of, k); err != nil || ok {
					return ok, err
				}
			}
			return false, nil
		case *Parent:
			m.index()
			p, ok := m.byID[s.Parent]
			if s.Parent.IsZero() || !ok {
				return false, nil
			}
			return m.onStep(e.Of, p)
		}
		return false, fmt.Errorf("matching a step: %T cannot stand here", e)
	})
}

// datum is what a run or a step has in a field; known is false for absence.
type datum struct {
	known bool
	texts []string // text, enum, list, dynamic
	num   float64  // number, duration, money, time (ns)
	isNum bool
	truth bool
}

func textOf(s ...string) datum {
	s = slices.DeleteFunc(slices.Clone(s), func(s string) bool { return s == "" })
	return datum{known: len(s) > 0, texts: s}
}

func numberOf[T int64 | float64](n T, known bool) datum {
	return datum{known: known, num: float64(n), isNum: true}
}
func countOf(n int64) datum { return numberOf(n, n != activity.Unknown) }
func boolOf(b bool) datum   { return datum{known: true, truth: b} }
func span(from, to int64) datum {
	return numberOf(float64(to-from)/1e6, from != activity.Unknown && to != activity.Unknown)
}

func costOf(c activity.Cost) datum {
	return numberOf(float64(c.Nanos)/1e9, c.Basis != activity.CostUnknown)
}

func tokensOf(u activity.Usage) datum {
	return numberOf(max(u.InputTotal, 0)+max(u.OutputTotal, 0), u.Known())
}

func dynamicOf(raw []byte, key string) datum {
	v, ok := activity.Attribute(raw, key)
	if !ok || v == nil {
		return datum{}
	}
	d := datum{known: true}
	switch v := v.(type) {
	case int64:
		d.num, d.isNum = float64(v), true
	case float64:
		d.num, d.isNum = v, true
	case []any:
		// As a list field does, an array matches by one of its elements.
		for _, e := range v {
			d.texts = append(d.texts, activity.AttributeText(e))
		}
		return d
	}
	d.texts = []string{activity.AttributeText(v)}
	return d
}

func compare(c *Cmp, scope Scope, now time.Time, get func(Field) (datum, bool)) (bool, error) {
	f, ok := Lookup(scope, c.Field)
	if !ok {
		return false, fmt.Errorf("matching %s: no such field of a %s", c.Field, scope)
	}
	d, ok := get(f)
	if !ok {
		return false, fmt.Errorf("matching %s: a %s does not have it in memory", c.Field, scope)
	}
	op, negated := c.Op, false
	if op == "!=" {
		op, negated = ":", true
	}
	for _, text := range c.Values {
		v, err := f.Read(text, now)
		if err != nil {
			return false, fmt.Errorf("matching %s: %w", c.Field, err)
		}
		if d.fits(f.Type, op, v) {
			return !negated, nil
		}
	}
	return negated, nil
}

func (d datum) fits(t Type, op string, v Value) bool {
	if v.Unknown || !d.known {
		return v.Unknown && !d.known
	}
	switch {
	case op == "~":
		return slices.ContainsFunc(d.texts, func(s string) bool { return containsFold(s, v.Text) })
	case t == TypeBool:
		return d.truth == v.Bool
	case t == TypeTime:
		return ordered(op, d.num, float64(v.Time))
	case d.isNum && v.Numeric && (op != ":" || t != TypeDynamic):
		return ordered(op, d.num, v.Number)
	case op != ":":
		return false
	case v.Prefix:
		return slices.ContainsFunc(d.texts, func(s string) bool { return strings.HasPrefix(s, v.Text) })
	}
	return slices.Contains(d.texts, v.Text) || d.isNum && v.Numeric && d.num == v.Number
}

func ordered(op string, a, b float64) bool {
	switch op {
	case ":":
		return a == b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	}
	return a <= b
}

func containsFold(s, phrase string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(phrase))
}

func anyHas(phrase string, in ...string) bool {
	return slices.ContainsFunc(in, func(s string) bool { return containsFold(s, phrase) })
}

func runHas(r *activity.Run, phrase string) bool {
	return anyHas(phrase, r.Name, r.Agent, r.Task, r.Session, r.User, r.ErrorType) ||
		anyHas(phrase, r.Tools...) || anyHas(phrase, r.Models...)
}

func stepHas(s *activity.Step, phrase string) bool {
	return anyHas(phrase, s.Name, s.StatusMessage, s.ErrorType, s.ToolName, s.Model, s.Agent)
}

func ofRun(r *activity.Run, f Field) (datum, bool) {
	if prefix, key := Dynamic(f.Name); prefix == PrefixLabel {
		for _, l := range r.Labels {
			if l.Key == key {
				return labelOf(l.Value), true
			}
		}
		return datum{}, true
	}
	get, ok := runData[f.Name]
	if !ok {
		return datum{}, false
	}
	return get(r), true
}

func labelOf(s string) datum {
	d := textOf(s)
	if n, err := finite(s, 1); err == nil {
		d.num, d.isNum = n, true
	}
	return d
}

func ofStep(s *activity.Step, f Field) (datum, bool) {
	switch prefix, key := Dynamic(f.Name); prefix {
	case PrefixAttr:
		return dynamicOf(s.Attributes, key), true
	case PrefixResource:
		return dynamicOf(s.Resource, key), true
	}
	get, ok := stepData[f.Name]
	if !ok {
		return datum{}, false
	}
	return get(s), true
}

// runData and stepData read the fields of the table; a test compares them with
// it. They are never changed.
var runData = map[string]func(*activity.Run) datum{
	"id":                 func(r *activity.Run) datum { return textOf(r.ID.String()) },
	"trace_id":           func(r *activity.Run) datum { return textOf(traces(r.Traces)...) },
	"name":               func(r *activity.Run) datum { return textOf(r.Name) },
	"agent":              func(r *activity.Run) datum { return textOf(r.Agent) },
	"agents":             func(r *activity.Run) datum { return textOf(r.Agents...) },
	"version":            func(r *activity.Run) datum { return textOf(r.Version) },
	"task":               func(r *activity.Run) datum { return textOf(r.Task) },
	"environment":        func(r *activity.Run) datum { return textOf(r.Environment) },
	"team":               func(r *activity.Run) datum { return textOf(r.Team) },
	"sender":             func(r *activity.Run) datum { return textOf(r.Sender) },
	"session":            func(r *activity.Run) datum { return textOf(r.Session) },
	"user":               func(r *activity.Run) datum { return textOf(r.User) },
	"mode":               func(r *activity.Run) datum { return textOf(r.Mode) },
	"status":             func(r *activity.Run) datum { return textOf(r.Status.String()) },
	"outcome":            func(r *activity.Run) datum { return textOf(r.Outcome) },
	"started":            func(r *activity.Run) datum { return countOf(r.Start) },
	"ended":              func(r *activity.Run) datum { return countOf(r.End) },
	"updated":            func(r *activity.Run) datum { return countOf(r.Updated) },
	"duration":           func(r *activity.Run) datum { return span(r.Start, r.End) },
	"steps":              func(r *activity.Run) datum { return countOf(r.Steps) },
	"errors":             func(r *activity.Run) datum { return countOf(r.Errors) },
	"model_calls":        func(r *activity.Run) datum { return countOf(r.ModelCalls) },
	"tool_calls":         func(r *activity.Run) datum { return countOf(r.ToolCalls) },
	"logs":               func(r *activity.Run) datum { return countOf(r.Logs) },
	"unknown_usage":      func(r *activity.Run) datum { return countOf(r.UnknownUsageCalls) },
	"unknown_cost":       func(r *activity.Run) datum { return countOf(r.UnknownCostCalls) },
	"failed":             func(r *activity.Run) datum { return boolOf(r.RootError) },
	"error_type":         func(r *activity.Run) datum { return textOf(r.ErrorType) },
	"tokens":             func(r *activity.Run) datum { return tokensOf(r.Usage) },
	"input_tokens":       func(r *activity.Run) datum { return countOf(r.Usage.InputTotal) },
	"output_tokens":      func(r *activity.Run) datum { return countOf(r.Usage.OutputTotal) },
	"cache_read_tokens":  func(r *activity.Run) datum { return countOf(r.Usage.CacheRead) },
	"cache_write_tokens": func(r *activity.Run) datum { return countOf(r.Usage.CacheWrite) },
	"reasoning_tokens":   func(r *activity.Run) datum { return countOf(r.Usage.Reasoning) },
	"cost":               func(r *activity.Run) datum { return costOf(r.Cost) },
	"model":              func(r *activity.Run) datum { return textOf(r.Models...) },
	"tool":               func(r *activity.Run) datum { return textOf(r.Tools...) },
	"source":             func(r *activity.Run) datum { return textOf(r.Sources...) },
	"dialect":            func(r *activity.Run) datum { return textOf(r.Dialects...) },
	"tag":                func(r *activity.Run) datum { return textOf(r.Tags...) },
	"flag":               func(r *activity.Run) datum { return textOf(r.Flags.Names()...) },
	"partial":            func(r *activity.Run) datum { return boolOf(r.Partial) },
}

var stepData = map[string]func(*activity.Step) datum{
	"id":                 func(s *activity.Step) datum { return textOf(s.Step.String()) },
	"run":                func(s *activity.Step) datum { return textOf(s.Run.String()) },
	"trace_id":           func(s *activity.Step) datum { return textOf(s.Trace.String()) },
	"span_id":            func(s *activity.Step) datum { return textOf(s.Span.String()) },
	"root":               func(s *activity.Step) datum { return boolOf(s.Parent.IsZero()) },
	"kind":               func(s *activity.Step) datum { return textOf(s.Kind.String()) },
	"name":               func(s *activity.Step) datum { return textOf(s.Name) },
	"status":             func(s *activity.Step) datum { return textOf(s.Status.String()) },
	"reported_by":        func(s *activity.Step) datum { return textOf(s.Source.String()) },
	"error_type":         func(s *activity.Step) datum { return textOf(s.ErrorType) },
	"error":              func(s *activity.Step) datum { return textOf(s.StatusMessage) },
	"agent":              func(s *activity.Step) datum { return textOf(s.Agent) },
	"version":            func(s *activity.Step) datum { return textOf(s.AgentVersion) },
	"environment":        func(s *activity.Step) datum { return textOf(s.Environment) },
	"team":               func(s *activity.Step) datum { return textOf(s.Team) },
	"service":            func(s *activity.Step) datum { return textOf(s.Service) },
	"task":               func(s *activity.Step) datum { return textOf(s.Task) },
	"session":            func(s *activity.Step) datum { return textOf(s.Session) },
	"user":               func(s *activity.Step) datum { return textOf(s.User) },
	"provider":           func(s *activity.Step) datum { return textOf(s.Provider) },
	"model":              func(s *activity.Step) datum { return textOf(s.Model) },
	"model_requested":    func(s *activity.Step) datum { return textOf(s.ModelRequested) },
	"response_id":        func(s *activity.Step) datum { return textOf(s.ResponseID) },
	"finish_reason":      func(s *activity.Step) datum { return textOf(s.FinishReason) },
	"tool":               func(s *activity.Step) datum { return textOf(s.ToolName) },
	"tool_call_id":       func(s *activity.Step) datum { return textOf(s.ToolCallID) },
	"decision_id":        func(s *activity.Step) datum { return textOf(s.DecisionID) },
	"started":            func(s *activity.Step) datum { return countOf(s.Start) },
	"ended":              func(s *activity.Step) datum { return countOf(s.End) },
	"duration":           func(s *activity.Step) datum { return span(s.Start, s.End) },
	"ttft":               func(s *activity.Step) datum { return numberOf(float64(s.TTFT)/1e6, s.TTFT != activity.Unknown) },
	"tokens":             func(s *activity.Step) datum { return tokensOf(s.Usage) },
	"input_tokens":       func(s *activity.Step) datum { return countOf(s.Usage.InputTotal) },
	"output_tokens":      func(s *activity.Step) datum { return countOf(s.Usage.OutputTotal) },
	"cache_read_tokens":  func(s *activity.Step) datum { return countOf(s.Usage.CacheRead) },
	"cache_write_tokens": func(s *activity.Step) datum { return countOf(s.Usage.CacheWrite) },
	"reasoning_tokens":   func(s *activity.Step) datum { return countOf(s.Usage.Reasoning) },
	"cost":               func(s *activity.Step) datum { return costOf(s.Cost) },
	"counted":            func(s *activity.Step) datum { return boolOf(s.Counted) },
	"call":               func(s *activity.Step) datum { return boolOf(s.Call) },
	"dialect":            func(s *activity.Step) datum { return textOf(s.Dialect) },
	"scope":              func(s *activity.Step) datum { return textOf(s.Scope) },
	"flag":               func(s *activity.Step) datum { return textOf(s.Flags.Names()...) },
}

func traces(ts []activity.TraceID) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = t.String()
	}
	return out
}
