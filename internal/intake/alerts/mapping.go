package alerts

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/fault"
)

const (
	// maxCost bounds the evaluation of one field, in CEL's units: some
	// milliseconds.
	maxCost = 200_000
	// maxDelivery bounds all evaluations of a delivery together: each element asks
	// every field.
	maxDelivery = 20 * maxCost
	// maxExpression bounds an expression's text.
	maxExpression = 4000
	// maxMapped bounds a body that a mapping reads.
	maxMapped = 1 << 20
)

// Program is a mapping that was compiled. It is safe for concurrent use.
type Program struct {
	fields map[string]cel.Program
}

// fields of a mapping, in the order in which they are asked; each with the kind
// of value that it gives, for the words of its errors.
var mappingFields = []struct{ name, gives string }{
	{"each", "a list"},
	{"when", "true or false"},
	{"key", "a text"},
	{"status", "a text"},
	{"severity", "a text"},
	{"title", "a text"},
	{"text", "a text"},
	{"at", "a time, or a text or number that is one"},
	{"labels", "a map"},
	{"url", "a text"},
}

func expressions(m *client.AlertMapping) map[string]string {
	return map[string]string{
		"each": m.Each, "when": m.When, "key": m.Key, "status": m.Status, "severity": m.Severity,
		"title": m.Title, "text": m.Text, "at": m.At, "labels": m.Labels, "url": m.URL,
	}
}

// environment is what expressions may use: no function that waits or grows
// without bound.
var environment = func() *cel.Env {
	env, err := cel.NewEnv(
		cel.Variable("body", cel.DynType), cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("received", cel.TimestampType), cel.Variable("item", cel.DynType),
		cel.OptionalTypes(), ext.Strings(), bounded(), ext.Encoders(), ext.Math(),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(60),
	)
	if err != nil { // constants alone: a bug
		panic(err)
	}
	return env
}()

// Compile makes a program of a mapping, or says what is wrong with it, field by
// field.
func Compile(m *client.AlertMapping) (*Program, []client.MappingProblem) {
	p := &Program{fields: map[string]cel.Program{}}
	var problems []client.MappingProblem
	texts := expressions(m)
	for _, f := range mappingFields {
		text := strings.TrimSpace(texts[f.name])
		if text == "" {
			continue
		}
		program, found := compile(f.name, text)
		if problems = append(problems, found...); len(found) == 0 {
			p.fields[f.name] = program
		}
	}
	if texts["key"] == "" && texts["title"] == "" && len(problems) == 0 {
		problems = append(problems, client.MappingProblem{Field: "key", Message: "a mapping says by which key an alert is known, or its title"})
	}
	return p, problems
}

// parse compiles one expression at a time: checkers of cel-go v0.33.2 that share an
// environment write to it what they find out of it.
func parse(text string) (*cel.Ast, *cel.Issues) {
	parsing.Lock()
	defer parsing.Unlock()
	return environment.Compile(text)
}

var parsing sync.Mutex

func compile(field, text string) (cel.Program, []client.MappingProblem) {
	if len(text) > maxExpression {
		return nil, []client.MappingProblem{{Field: field, Message: fmt.Sprintf("an expression has at most %d characters", maxExpression)}}
	}
	ast, issues := parse(text)
	if issues.Err() != nil {
		var out []client.MappingProblem
		for _, e := range issues.Errors()[:min(len(issues.Errors()), 3)] {
			out = append(out, client.MappingProblem{Field: field, Message: e.Message, Line: e.Location.Line(), Column: e.Location.Column() + 1})
		}
		return nil, out
	}
	program, err := environment.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, []client.MappingProblem{{Field: field, Message: err.Error()}}
	}
	return program, nil
}

// CheckMapping refuses a mapping that does not compile.
func CheckMapping(m *client.AlertMapping) error {
	_, problems := Compile(m)
	if len(problems) == 0 {
		return nil
	}
	p := problems[0]
	at := ""
	if p.Line > 0 {
		at = fmt.Sprintf(" (line %d, column %d)", p.Line, p.Column)
	}
	return fault.New(fault.KindInvalid, "alerts.mapping", "%s: %s%s", p.Field, p.Message, at).WithHint("`reeve alert source try` shows what an example becomes")
}

// fieldError is an expression that failed on a body.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }

// failed is what a sender is told of an expression that failed.
func failed(field string, err error) error {
	return fault.New(fault.KindInvalid, "alerts.mapping_failed", "the source's mapping fails at %s: %s", field, err.Error()).WithCause(&fieldError{field, err})
}

// ProblemOf is the field at which a mapping failed on a body, for who tries it.
func ProblemOf(err error) client.MappingProblem {
	var f *fieldError
	if errors.As(err, &f) {
		return client.MappingProblem{Field: f.field, Message: f.err.Error()}
	}
	return client.MappingProblem{Message: fault.From(err).Message}
}

// Read makes reports of a body.
func (p *Program) Read(body any, r *Request) ([]alert.Report, error) {
	if len(r.Body) > maxMapped {
		return nil, fault.New(fault.KindInvalid, "alerts.mapping_size", "a mapping reads at most %d bytes", maxMapped)
	}
	headers := map[string]string{}
	for name, values := range r.Header {
		switch n := strings.ToLower(name); n {
		case "authorization", "cookie", "proxy-authorization", "x-reeve-token", "x-api-key", "dd-api-key", "x-gitlab-token", "x-sf-token":
			// Secrets become no labels.
		default:
			if len(values) > 0 {
				headers[n] = values[0]
			}
		}
	}
	vars := &values{all: map[string]any{"body": numbers(body), "headers": headers, "received": r.Now.UTC(), "item": nil}, left: maxDelivery}
	items := []any{nil}
	if each := p.fields["each"]; each != nil {
		v, err := vars.eval(each)
		if err != nil {
			return nil, failed("each", err)
		}
		list, ok := v.(traits.Lister)
		if !ok {
			return nil, failed("each", errors.New("gives no list"))
		}
		if n, ok := list.Size().(types.Int); !ok || n > maxReports {
			return nil, tooMany()
		}
		items = items[:0]
		for it := list.Iterator(); it.HasNext() == types.True; {
			items = append(items, it.Next())
		}
	}
	out := make([]alert.Report, 0, len(items))
	for i, item := range items {
		vars.all["item"] = item
		one, skip, err := p.one(vars, r)
		if p.fields["each"] != nil {
			// Each has its own words: all of them a thousand times would fill the disk.
			one.Raw = wordsOf(item.(ref.Val))
		}
		if err != nil {
			if p.fields["each"] != nil {
				return nil, fmt.Errorf("reading element %d: %w", i, err)
			}
			return nil, err
		}
		if !skip {
			out = append(out, one)
		}
	}
	return out, nil
}

// wordsOf is an element as JSON; nil for what is none.
func wordsOf(v ref.Val) []byte {
	said, err := v.ConvertToNative(types.JSONValueType)
	if err != nil {
		return nil
	}
	return rawOf(said)
}

// numbers turns json.Number into what CEL computes with.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for n, e := range v {
			out[n] = numbers(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = numbers(e)
		}
		return out
	case interface {
		Int64() (int64, error)
		Float64() (float64, error)
	}:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // beyond float64 it is infinite, which is what it is
		return f
	}
	return v
}

// values are what the expressions of one delivery read, and what all of them may
// still cost.
type values struct {
	all  map[string]any
	left uint64
}

var errCost = errors.New("the mapping costs too much for so large a delivery")

func (vars *values) eval(p cel.Program) (ref.Val, error) {
	v, said, err := p.Eval(vars.all)
	if cost := said.ActualCost(); cost != nil {
		if *cost > vars.left {
			return nil, errCost
		}
		vars.left -= *cost
	}
	if err != nil {
		return nil, err
	}
	if types.IsUnknownOrError(v) {
		return nil, errors.New("gives no value")
	}
	return v, nil
}

func (p *Program) one(vars *values, r *Request) (out alert.Report, skip bool, err error) {
	if when := p.fields["when"]; when != nil {
		v, err := vars.eval(when)
		if err != nil {
			return out, false, failed("when", err)
		}
		yes, ok := v.Value().(bool)
		if !ok {
			return out, false, failed("when", errors.New("gives neither true nor false"))
		}
		if !yes {
			return out, true, nil
		}
	}
	texts := map[string]string{}
	for _, name := range [...]string{"key", "status", "severity", "title", "text", "at", "url"} {
		field := p.fields[name]
		if field == nil {
			continue
		}
		v, err := vars.eval(field)
		if err != nil {
			return out, false, failed(name, err)
		}
		if texts[name], err = textOf(v); err != nil {
			return out, false, failed(name, err)
		}
	}
	out = alert.Report{Key: texts["key"], Title: texts["title"], Text: texts["text"], At: timeOf(texts["at"]), Links: links("Link", texts["url"]), Labels: map[string]string{}, Raw: r.Body}
	if texts["at"] != "" && out.At.IsZero() {
		return out, false, failed("at", fmt.Errorf("gives %.60q, which is no time", texts["at"]))
	}
	if field := p.fields["labels"]; field != nil {
		v, err := vars.eval(field)
		if err != nil {
			return out, false, failed("labels", err)
		}
		if out.Labels, err = mapOf(v); err != nil {
			return out, false, failed("labels", err)
		}
	}
	if out.State = alert.Firing; p.fields["status"] != nil {
		if out.State = stateOf(texts["status"]); out.State == "" {
			return out, false, failed("status", fmt.Errorf("gives %.60q, which says neither firing nor resolved", texts["status"]))
		}
	}
	if out.Severity = severityOf(texts["severity"]); texts["severity"] != "" && out.Severity == "" {
		out.Labels["severity"] = texts["severity"]
	}
	if out.Key == "" {
		out.Key = keyOf(out.Title, out.Labels)
	}
	if out.Key == "" {
		return out, false, failed("key", errors.New("gives nothing"))
	}
	return out, false, nil
}

func textOf(v ref.Val) (string, error) {
	switch x := v.Value().(type) {
	case string:
		return x, nil
	case int64, uint64, bool:
		return fmt.Sprint(x), nil
	case float64:
		return strings.TrimSuffix(fmt.Sprintf("%.6f", x), ".000000"), nil
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), nil
	case *types.Optional:
		if !x.HasValue() {
			return "", nil
		}
		return textOf(x.GetValue())
	}
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return "", nil
		}
		return textOf(o.GetValue())
	}
	if v.Type() == types.NullType {
		return "", nil
	}
	return "", fmt.Errorf("gives a %s and should give a text", v.Type().TypeName())
}

func mapOf(v ref.Val) (map[string]string, error) {
	native, err := v.ConvertToNative(reflect.TypeFor[map[string]any]())
	if err != nil {
		return nil, fmt.Errorf("gives a %s and should give a map", v.Type().TypeName())
	}
	out := map[string]string{}
	flatten(out, "", plainValues(native.(map[string]any)), 0)
	return out, nil
}

// plainValues makes numbers texts, as labels are.
func plainValues(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for n, v := range m {
		switch x := v.(type) {
		case map[string]any:
			out[n] = plainValues(x)
		case ref.Val:
			s, err := textOf(x)
			if err != nil {
				continue
			}
			out[n] = s
		case int64, uint64, float64:
			out[n] = fmt.Sprint(x)
		default:
			out[n] = v
		}
	}
	return out
}
