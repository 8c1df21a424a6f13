// Package rule is what people write themselves: a condition in CEL over the
// measures of a run or of an agent, which makes a finding when it holds.
//
// What for: detectors know what is unlike an agent; people know what must not
// be, however usual ("a run of the refund agent costs more than two dollars").
//
// Who calls it: api keeps and tries rules; package watch asks each that is on
// whenever what it is about moved.
//
// Promises: a rule that is kept compiles and gives true or false; its cost is
// bounded, so no rule can hold up what is measured. Every version is kept with
// its author. Active never waits for the database. Safe for concurrent use.
//
// How it fails: rule.invalid says what is wrong with line and column;
// rule.not_found, rule.conflict, rule.too_many. A rule that fails while it is
// asked does not hold, and the failure is counted on it.
//
// Start reading at Rule, Compile and Measures.
package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"reeve/internal/fault"
)

// Scopes of a rule.
const (
	Run   = "run"   // asked of each run while it goes, and at its end
	Agent = "agent" // asked of each agent over a window of time
	// OfQuery is asked of the store: a figure of what a search finds, over a window.
	OfQuery = "query"
)

// Rule is a condition that somebody wrote. Values in force are shared: do not
// change them.
type Rule struct {
	Name        string        `json:"-"`
	Text        string        `json:"text,omitempty"` // what it finds, in words
	When        string        `json:"when"`           // CEL
	Scope       string        `json:"scope"`
	Window      time.Duration `json:"window,omitempty"` // of scope agent and query
	Query       *Query        `json:"query,omitempty"`  // of scope query
	Severity    string        `json:"severity"`
	Team        string        `json:"team,omitempty"` // whose agents, and who may change it; "" all
	Environment string        `json:"environment,omitempty"`
	Agents      []string      `json:"agents,omitempty"` // none: all
	Rest        time.Duration `json:"rest"`             // after it held, until it is told again about the same agent
	Off         bool          `json:"off,omitempty"`
	Revision    int64         `json:"-"`
	By          string        `json:"-"`
	Reason      string        `json:"-"`
	CreatedAt   time.Time     `json:"-"`
	UpdatedAt   time.Time     `json:"-"`

	program  cel.Program
	asks     map[string]bool // the words of its condition
	failures *atomic.Int64
}

// Asks reports whether the condition asks about a word.
func (r *Rule) Asks(word string) bool { return r.asks[word] }

// Detector is the name under which a rule's findings stand.
func (r *Rule) Detector() string { return "rule:" + r.Name }

// Failures is how often the rule could not be asked since the start.
func (r *Rule) Failures() int64 {
	if r.failures == nil {
		return 0
	}
	return r.failures.Load()
}

// Failed counts that the rule could not be asked.
func (r *Rule) Failed() {
	if r.failures != nil {
		r.failures.Add(1)
	}
}

// About reports whether the rule is about an agent.
func (r *Rule) About(agent, team, environment string) bool {
	return (r.Team == "" || r.Team == team) && (r.Environment == "" || r.Environment == environment) && (len(r.Agents) == 0 || slices.Contains(r.Agents, agent))
}

// Measures are what a rule may ask about. What a scope does not have is zero and
// cannot be named there.
type Measures struct {
	Agent, Team, Environment, Version, Task string
	Authenticated                           bool

	Steps, ModelCalls, ToolCalls, Errors, Refused, Retries, Looped, Handoffs, News float64
	InputTokens, OutputTokens, Cost, WaitingSeconds, Surprise, ContextGrowth       float64
	Calls                                                                          map[string]int64 // by tool; of a run

	SameCall, Failures, Seconds, Steered float64 // of a run

	Runs, Ended, FailedRuns, P50, P95 float64 // of an agent
	Window                            float64 // seconds

	Figure, Records float64 // of a query
	Low, High       float64 // of a KPI: the ends of the figure's interval
}

// variable is a word of the language.
type variable struct {
	name, about string
	run, agent  bool // of a query those that are of neither, and the names
	typ         *cel.Type
	get         func(m *Measures) any
}

func number(name, about string, run, agent bool, get func(m *Measures) float64) variable {
	return variable{name, about, run, agent, cel.DoubleType, func(m *Measures) any { return types.Double(get(m)) }}
}

func text(name, about string, get func(m *Measures) string) variable {
	return variable{name, about, true, true, cel.StringType, func(m *Measures) any { return types.String(get(m)) }}
}

var variables = []variable{
	text("agent", "the agent's name", func(m *Measures) string { return m.Agent }),
	text("team", "its team", func(m *Measures) string { return m.Team }),
	text("environment", "where it runs", func(m *Measures) string { return m.Environment }),
	text("version", "its version", func(m *Measures) string { return m.Version }),
	text("task", "the run's task", func(m *Measures) string { return m.Task }),
	{"authenticated", "whether the agent proved who it is", true, true, cel.BoolType, func(m *Measures) any { return types.Bool(m.Authenticated) }},
	number("steps", "steps", true, true, func(m *Measures) float64 { return m.Steps }),
	number("model_calls", "calls of models", true, true, func(m *Measures) float64 { return m.ModelCalls }),
	number("tool_calls", "calls of tools, APIs and peers", true, true, func(m *Measures) float64 { return m.ToolCalls }),
	number("errors", "steps that failed", true, true, func(m *Measures) float64 { return m.Errors }),
	number("error_rate", "share of the steps that failed, 0 to 1", true, true, func(m *Measures) float64 { return ratio(m.Errors, m.Steps) }),
	number("refused", "actions that the door denied or held", true, true, func(m *Measures) float64 { return m.Refused }),
	number("retries", "failures directly after a failure of the same tool or model", true, true, func(m *Measures) float64 { return m.Retries }),
	number("repeated", "calls beyond the first of the same with the same arguments", true, true, func(m *Measures) float64 { return m.Looped }),
	number("handoffs", "handoffs to other agents", true, true, func(m *Measures) float64 { return m.Handoffs }),
	number("first_seen", "tools, models, sources, destinations never seen of the agent before", true, true, func(m *Measures) float64 { return m.News }),
	number("input_tokens", "tokens given to models", true, true, func(m *Measures) float64 { return m.InputTokens }),
	number("output_tokens", "tokens that models gave", true, true, func(m *Measures) float64 { return m.OutputTokens }),
	number("cost", "what models cost, where it is known, in the price book's currency", true, true, func(m *Measures) float64 { return m.Cost }),
	number("waiting_seconds", "time that steps of people took", true, true, func(m *Measures) float64 { return m.WaitingSeconds }),
	number("surprise", "bits by which the order of tools is unusual, by step", true, true, func(m *Measures) float64 { return m.Surprise }),
	number("context_growth", "last input of a run's model calls over the first; of an agent the mean", true, true, func(m *Measures) float64 { return m.ContextGrowth }),
	number("same_call", "how often the run made its most repeated call", true, false, func(m *Measures) float64 { return m.SameCall }),
	number("failures_in_a_row", "of one tool or model", true, false, func(m *Measures) float64 { return m.Failures }),
	number("hijack_score", "how much the run looks steered by somebody else, by where its arguments came from, 0 to 5; from 3.2 on it is told", true, false, func(m *Measures) float64 { return m.Steered }),
	number("seconds", "since the run's first step", true, false, func(m *Measures) float64 { return m.Seconds }),
	{"calls", "how often the run called each tool", true, false, cel.MapType(cel.StringType, cel.IntType), func(m *Measures) any { return m.Calls }},
	number("runs", "runs that began", false, true, func(m *Measures) float64 { return m.Runs }),
	number("ended_runs", "runs that ended", false, true, func(m *Measures) float64 { return m.Ended }),
	number("failed_runs", "runs that ended badly", false, true, func(m *Measures) float64 { return m.FailedRuns }),
	number("p50_ms", "half of the calls took less, in milliseconds", false, true, func(m *Measures) float64 { return m.P50 }),
	number("p95_ms", "95 of 100 calls took less", false, true, func(m *Measures) float64 { return m.P95 }),
	number("value", "the figure that a query gives", false, false, func(m *Measures) float64 { return m.Figure }),
	number("records", "of how many records it is", false, false, func(m *Measures) float64 { return m.Records }),
	number("low", "the lower end of a KPI's 95 % interval; the value where it was counted and not sampled, and below all numbers where it is unknown", false, false, func(m *Measures) float64 { return m.Low }),
	number("high", "the upper end of a KPI's 95 % interval; above all numbers where it is unknown", false, false, func(m *Measures) float64 { return m.High }),
}

// kpi reports whether a rule about a KPI may ask about a variable.
func (v *variable) kpi() bool {
	return !v.run && !v.agent || v.name == "agent" || v.name == "team" || v.name == "environment"
}

// query reports whether a rule about what a search finds may: its figures have no
// interval.
func (v *variable) query() bool { return v.kpi() && v.name != "low" && v.name != "high" }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Variable is a word that a rule may use.
type Variable struct {
	Name, Type, About string
	Run, Agent, Query bool // the scopes that have it
}

// Variables lists them.
func Variables() []Variable {
	out := make([]Variable, len(variables))
	for i, v := range variables {
		out[i] = Variable{v.name, v.typ.String(), v.about, v.run, v.agent, v.kpi()}
	}
	return out
}

// activation gives a program the measures without making a map of them.
type activation struct{ *Measures }

// ResolveName implements cel.Activation.
func (a activation) ResolveName(name string) (any, bool) {
	for i := range variables {
		if variables[i].name == name {
			return variables[i].get(a.Measures), true
		}
	}
	return nil, false
}

// Parent implements cel.Activation.
func (activation) Parent() cel.Activation { return nil }

var environments = map[string]func() (*cel.Env, error){
	Run:   func() (*cel.Env, error) { return environment(func(v *variable) bool { return v.run }) },
	Agent: func() (*cel.Env, error) { return environment(func(v *variable) bool { return v.agent }) },

	OfQuery: func() (*cel.Env, error) { return environment((*variable).query) },
	ofKPI:   func() (*cel.Env, error) { return environment((*variable).kpi) },
}

// ofKPI is the language of rules of scope query that are about a KPI.
const ofKPI = "query about a KPI"

func environment(has func(*variable) bool) (*cel.Env, error) {
	opts := []cel.EnvOption{cel.CrossTypeNumericComparisons(true), cel.EagerlyValidateDeclarations(true)}
	for i := range variables {
		if has(&variables[i]) {
			opts = append(opts, cel.Variable(variables[i].name, variables[i].typ))
		}
	}
	return cel.NewEnv(opts...)
}

const (
	maxWhen = 2000
	maxCost = 2000 // of one question, in CEL's units
)

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "rule.invalid", format, args...)
}

// Compile checks a rule, fills in what it leaves out, and makes it ready to be
// asked.
func Compile(r Rule) (*Rule, error) {
	if r.Scope == "" && r.Query == nil {
		r.Scope = Run
	}
	if r.Severity == "" {
		r.Severity = "warning"
	}
	if r.Rest == 0 {
		r.Rest = 10 * time.Minute
	}
	if r.Scope == "" && r.Query != nil {
		r.Scope = OfQuery
	}
	if r.Scope == Agent && r.Window == 0 {
		r.Window = 5 * time.Minute
	}
	if r.Scope == OfQuery && r.Window == 0 {
		r.Window = time.Hour
	}
	language := r.Scope
	if r.Scope == OfQuery && r.Query != nil && r.Query.KPI != "" {
		language = ofKPI
	}
	make, known := environments[language]
	line := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case !nameShape.MatchString(r.Name):
		return nil, invalid("a rule's name has 1 to 63 of a-z, 0-9 and hyphens")
	case !known || r.Scope == ofKPI:
		return nil, invalid("a rule's scope is run, agent or query")
	case (r.Scope == OfQuery) != (r.Query != nil):
		return nil, invalid("a rule of scope query, and no other, has a query")
	case r.Scope == Run && r.Window != 0:
		return nil, invalid("a rule about runs has no window: it is asked of each run by itself")
	case r.Scope != Run && (r.Window < 5*time.Minute || r.Window > 7*24*time.Hour):
		return nil, invalid("a window is from 5 minutes to 7 days")
	case !slices.Contains([]string{"info", "warning", "critical"}, r.Severity):
		return nil, invalid("a severity is info, warning or critical")
	case r.Rest < time.Second || r.Rest > 7*24*time.Hour:
		return nil, invalid("a rest is from a second to 7 days")
	case len(r.When) > maxWhen:
		return nil, invalid("a condition has at most %d bytes", maxWhen)
	case len(r.Text) > 400 || line(r.Text) || len(r.Reason) > 1000 || line(r.Reason) || line(r.Team+r.Environment) || len(r.Agents) > 200 || len(strings.Join(r.Agents, "")) > 20_000:
		return nil, invalid("text is a line of at most 400 bytes, the reason one of at most 1000, and there are at most 200 agents")
	}
	if r.Query != nil {
		if _, _, err := r.Query.parse(); err != nil {
			return nil, err
		}
		if r.Query.Table == "logs" && r.Environment != "" {
			return nil, invalid("log records name no environment: a rule over them is of all").WithHint("name agents or a team instead")
		}
	}
	env, err := make()
	if err != nil {
		return nil, fmt.Errorf("making the language of rules: %w", err)
	}
	ast, issues := env.Compile(r.When)
	if issues.Err() != nil {
		e := issues.Errors()[0]
		return nil, invalid("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, firstLine(e.Message)).
			WithHint("`reeve rule words` lists what a rule of scope %s can ask about", language)
	}
	if ast.OutputType() != cel.BoolType {
		return nil, invalid("the condition gives %s and not true or false", ast.OutputType()).WithHint("compare it with something: cost > 2.0")
	}
	r.program, err = env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, invalid("the condition cannot be asked: %s", firstLine(err.Error()))
	}
	r.failures, r.asks = new(atomic.Int64), map[string]bool{}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		if ref.Name != "" {
			r.asks[ref.Name] = true
		}
	}
	return &r, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// Holds asks the rule. One that cannot be asked (a key that is not there, too
// long a computation) does not hold, and Failures counts it.
func (r *Rule) Holds(m *Measures) bool {
	out, _, err := r.program.Eval(activation{m})
	if err != nil {
		r.failures.Add(1)
		return false
	}
	held, ok := out.(types.Bool)
	return ok && bool(held)
}

// Value is a figure by its word.
func (m *Measures) Value(name string) (float64, bool) {
	for i := range variables {
		if v := &variables[i]; v.name == name && v.typ == cel.DoubleType {
			return float64(v.get(m).(types.Double)), true
		}
	}
	return 0, false
}
