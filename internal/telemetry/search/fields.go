package search

import (
	"sort"
	"strings"

	"reeve/internal/activity"
)

// Type is what the values of a field are.
type Type string

// The types of fields.
const (
	TypeText     Type = "text"
	TypeEnum     Type = "enum"     // one of Field.Values
	TypeNumber   Type = "number"   // 12, 10k, 1.5M
	TypeDuration Type = "duration" // 300ms, 2s, 1h30m, 2d; read in milliseconds
	TypeMoney    Type = "money"    // 0.10, in the cost's currency
	TypeTime     Type = "time"     // RFC 3339, a date, or -2h
	TypeBool     Type = "bool"
	TypeList     Type = "list"    // several texts: one of them has to match
	TypeDynamic  Type = "dynamic" // an attribute: text, or a number for > and <
)

func (t Type) article() string {
	switch t {
	case TypeText:
		return "text"
	case TypeMoney:
		return "money"
	case TypeEnum:
		return "one of a few words"
	case TypeDynamic:
		return "an attribute"
	}
	return "a " + string(t)
}

// Field is something that a search can compare. Its Name is stable: engines
// map it to a column, the console completes it.
type Field struct {
	Name    string
	Aliases []string
	Scope   Scope
	Type    Type
	Values  []string // the values of an enum (and of a list that has few)
	Unit    string   // tokens, ms, usd; "" for a plain count
	Help    string
	// Asked fields are not in the rows that engines store: whoever asks a search finds out
	// first which runs they mean (Resolve). ParseIn refuses them, ParseAsked takes them.
	Asked bool
}

// Ops lists the operators that the field takes.
func (f Field) Ops() []string {
	switch f.Type {
	case TypeEnum, TypeBool:
		return []string{":", "!="}
	case TypeText, TypeList:
		return []string{":", "!=", "~"}
	case TypeDynamic:
		return []string{":", "!=", "~", ">", ">=", "<", "<="}
	}
	return []string{":", "!=", ">", ">=", "<", "<="}
}

func (f Field) takes(op string) bool {
	for _, o := range f.Ops() {
		if o == op {
			return true
		}
	}
	return false
}

// The prefixes of fields whose rest is a key that senders choose.
const (
	PrefixAttr     = "attr."     // an attribute of a step or a log record
	PrefixResource = "resource." // an attribute of the resource that sent it
	PrefixLabel    = "label."    // a label of a run
)

// Dynamic splits the name of a dynamic field into its prefix and its key;
// prefix is "" for an ordinary field.
func Dynamic(name string) (prefix, key string) {
	p := dynamicPrefix(name)
	return p, name[len(p):]
}

func dynamicPrefix(name string) string {
	for _, p := range []string{PrefixAttr, PrefixResource, PrefixLabel} {
		if strings.HasPrefix(name, p) {
			return p
		}
	}
	return ""
}

var dynamicFields = []Field{
	{Name: PrefixLabel, Scope: ScopeRun, Type: TypeDynamic, Help: "a label that the sender attached to the run: label.tier:gold"},
	{Name: PrefixAttr, Scope: ScopeStep, Type: TypeDynamic, Help: "an attribute as the sender gave it: attr.http.route:/x"},
	{Name: PrefixResource, Scope: ScopeStep, Type: TypeDynamic, Help: "an attribute of the sending process: resource.host.name:web-1"},
	{Name: PrefixAttr, Scope: ScopeLog, Type: TypeDynamic, Help: "an attribute of the log record"},
	{Name: PrefixResource, Scope: ScopeLog, Type: TypeDynamic, Help: "an attribute of the sending process"},
}

// Lookup finds a field by name or alias, or a dynamic field by its prefix; the
// case of ordinary names does not matter, that of keys does.
func Lookup(scope Scope, name string) (Field, bool) {
	lower := strings.ToLower(name)
	for _, f := range dynamicFields {
		if f.Scope == scope && strings.HasPrefix(lower, f.Name) && len(name) > len(f.Name) {
			f.Name += name[len(f.Name):]
			return f, true
		}
	}
	for i := range fields {
		f := &fields[i]
		if f.Scope != scope {
			continue
		}
		if f.Name == lower {
			return *f, true
		}
		for _, a := range f.Aliases {
			if a == lower {
				return *f, true
			}
		}
	}
	return Field{}, false
}

// Fields lists the fields of a scope by name, dynamic ones by their prefix.
func Fields(scope Scope) []Field {
	var out []Field
	for _, f := range append(append([]Field(nil), fields...), dynamicFields...) {
		if f.Scope == scope {
			out = append(out, f)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func names(scope Scope) []string {
	var out []string
	for _, f := range fields {
		if f.Scope == scope {
			out = append(append(out, f.Name), f.Aliases...)
		}
	}
	return out
}

var (
	runStatuses  = []string{"running", "waiting", "done", "stale"}
	stepStatuses = []string{"running", "ok", "error"}
	outcomes     = activity.Outcomes()
	modes        = []string{"interactive", "autonomous", "asynchronous", "test"}
	sources      = []string{"inferred", "sdk", "provider", "gateway"}
	contents     = []string{"input", "output", "system", "tools", "arguments", "result", "documents", "query"}
)

func kinds() []string {
	var out []string
	for k := activity.KindOther; ; k++ {
		n := k.String()
		if k != activity.KindOther && n == activity.KindOther.String() {
			return out
		}
		out = append(out, n)
	}
}

// FieldRunMode is the mode of the run that a step or a decision belongs to.
const FieldRunMode = "run.mode"

const helpRunMode = "how its run worked: -run.mode:test leaves out what belongs to tests"

// fields is never changed; see Field.
var fields = append([]Field{
	// Of a run.
	{Name: "id", Aliases: []string{"run"}, Scope: ScopeRun, Type: TypeText, Help: "the run's id"},
	{Name: "trace_id", Aliases: []string{"trace"}, Scope: ScopeRun, Type: TypeList, Help: "a trace the run was seen in"},
	{Name: "name", Scope: ScopeRun, Type: TypeText, Help: "what the run is called"},
	{Name: "agent", Scope: ScopeRun, Type: TypeText, Help: "the agent whose run it is"},
	{Name: "agents", Scope: ScopeRun, Type: TypeList, Help: "any agent with a step in the run"},
	{Name: "version", Scope: ScopeRun, Type: TypeText, Help: "the agent's version"},
	{Name: "task", Scope: ScopeRun, Type: TypeText, Help: "the kind of work"},
	{Name: "environment", Aliases: []string{"env"}, Scope: ScopeRun, Type: TypeText, Help: "production, staging..."},
	{Name: "team", Scope: ScopeRun, Type: TypeText, Help: "the team that owns the agent"},
	{Name: "sender", Scope: ScopeRun, Type: TypeText, Help: "the intake key that sent it"},
	{Name: "session", Aliases: []string{"conversation"}, Scope: ScopeRun, Type: TypeText, Help: "the session it belongs to"},
	{Name: "user", Scope: ScopeRun, Type: TypeText, Help: "the one the agent worked for"},
	{Name: "mode", Scope: ScopeRun, Type: TypeEnum, Values: modes, Help: "how the agent worked"},
	{Name: "status", Scope: ScopeRun, Type: TypeEnum, Values: runStatuses, Help: "how the run stands"},
	{Name: "outcome", Scope: ScopeRun, Type: TypeEnum, Values: outcomes, Help: "how it ended for its user; unknown asks for runs without"},
	{Name: "started", Aliases: []string{"started_at", "start"}, Scope: ScopeRun, Type: TypeTime, Help: "when it started"},
	{Name: "ended", Aliases: []string{"ended_at", "end"}, Scope: ScopeRun, Type: TypeTime, Help: "when its last step ended"},
	{Name: "updated", Aliases: []string{"updated_at"}, Scope: ScopeRun, Type: TypeTime, Help: "when something of it last arrived"},
	{Name: "duration", Aliases: []string{"duration_ms"}, Scope: ScopeRun, Type: TypeDuration, Unit: "ms", Help: "from its start to its last end"},
	{Name: "steps", Aliases: []string{"step_count"}, Scope: ScopeRun, Type: TypeNumber, Help: "how many steps it has"},
	{Name: "errors", Aliases: []string{"error_count"}, Scope: ScopeRun, Type: TypeNumber, Help: "how many steps failed"},
	{Name: "model_calls", Scope: ScopeRun, Type: TypeNumber, Help: "how many model calls it made"},
	{Name: "tool_calls", Scope: ScopeRun, Type: TypeNumber, Help: "how many tool calls it made"},
	{Name: "logs", Aliases: []string{"log_count"}, Scope: ScopeRun, Type: TypeNumber, Help: "how many log records belong to it"},
	{Name: "unknown_usage", Aliases: []string{"unknown_usage_calls"}, Scope: ScopeRun, Type: TypeNumber, Help: "model calls that reported no usage"},
	{Name: "unknown_cost", Aliases: []string{"unknown_cost_calls"}, Scope: ScopeRun, Type: TypeNumber, Help: "model calls without a price"},
	{Name: "failed", Scope: ScopeRun, Type: TypeBool, Help: "its root step ended in error"},
	{Name: "error_type", Scope: ScopeRun, Type: TypeText, Help: "the kind of error it failed with"},
	{Name: "tokens", Aliases: []string{"total_tokens"}, Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "input and output tokens together"},
	{Name: "input_tokens", Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "input tokens, caches included"},
	{Name: "output_tokens", Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "output tokens, reasoning included"},
	{Name: "cache_read_tokens", Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "input tokens read from a cache"},
	{Name: "cache_write_tokens", Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "input tokens written to a cache"},
	{Name: "reasoning_tokens", Scope: ScopeRun, Type: TypeNumber, Unit: "tokens", Help: "output tokens spent on reasoning"},
	{Name: "cost", Scope: ScopeRun, Type: TypeMoney, Unit: "usd", Help: "what it cost"},
	{Name: "model", Aliases: []string{"models"}, Scope: ScopeRun, Type: TypeList, Help: "a model it called"},
	{Name: "tool", Aliases: []string{"tools"}, Scope: ScopeRun, Type: TypeList, Help: "a tool it called"},
	{Name: "source", Aliases: []string{"sources"}, Scope: ScopeRun, Type: TypeList, Help: "data it read"},
	{Name: "dialect", Aliases: []string{"dialects"}, Scope: ScopeRun, Type: TypeList, Help: "the vocabulary its telemetry came in"},
	{Name: "tag", Aliases: []string{"tags"}, Scope: ScopeRun, Type: TypeList, Help: "a tag that the sender attached"},
	{Name: "flag", Aliases: []string{"flags"}, Scope: ScopeRun, Type: TypeList, Values: activity.FlagNames, Help: "something odd about its records"},
	{Name: "partial", Scope: ScopeRun, Type: TypeBool, Help: "no root step was seen yet"},
	{Name: "topic", Scope: ScopeRun, Type: TypeText, Asked: true, Help: "what it was asked about: a topic's id or name; unknown asks for runs of no topic"},

	// Of a step.
	{Name: "id", Aliases: []string{"step"}, Scope: ScopeStep, Type: TypeText, Help: "the step's id"},
	{Name: "run", Aliases: []string{"run_id"}, Scope: ScopeStep, Type: TypeText, Help: "the run's id"},
	{Name: "trace_id", Aliases: []string{"trace"}, Scope: ScopeStep, Type: TypeText, Help: "its trace"},
	{Name: "span_id", Aliases: []string{"span"}, Scope: ScopeStep, Type: TypeText, Help: "its span"},
	{Name: "root", Scope: ScopeStep, Type: TypeBool, Help: "it names no parent"},
	{Name: "kind", Scope: ScopeStep, Type: TypeEnum, Values: kinds(), Help: "what it is"},
	{Name: "name", Scope: ScopeStep, Type: TypeText, Help: "what it is called"},
	{Name: "status", Scope: ScopeStep, Type: TypeEnum, Values: stepStatuses, Help: "how it stands"},
	{Name: "reported_by", Scope: ScopeStep, Type: TypeEnum, Values: sources, Help: "who said it: gateway, provider, sdk, inferred"},
	{Name: "error_type", Scope: ScopeStep, Type: TypeText, Help: "the kind of error"},
	{Name: "error", Aliases: []string{"error_message", "status_message"}, Scope: ScopeStep, Type: TypeText, Help: "the error's message"},
	{Name: "agent", Scope: ScopeStep, Type: TypeText, Help: "the agent whose step it is"},
	{Name: "version", Scope: ScopeStep, Type: TypeText, Help: "the agent's version"},
	{Name: "environment", Aliases: []string{"env"}, Scope: ScopeStep, Type: TypeText, Help: "production, staging..."},
	{Name: "team", Scope: ScopeStep, Type: TypeText, Help: "the team that owns the agent"},
	{Name: "service", Scope: ScopeStep, Type: TypeText, Help: "the service that sent it"},
	{Name: "task", Scope: ScopeStep, Type: TypeText, Help: "the kind of work"},
	{Name: "session", Aliases: []string{"conversation"}, Scope: ScopeStep, Type: TypeText, Help: "the session it belongs to"},
	{Name: "user", Scope: ScopeStep, Type: TypeText, Help: "the one the agent worked for"},
	{Name: "provider", Scope: ScopeStep, Type: TypeText, Help: "the model's provider"},
	{Name: "model", Scope: ScopeStep, Type: TypeText, Help: "the model that answered"},
	{Name: "model_requested", Scope: ScopeStep, Type: TypeText, Help: "the model that was asked for"},
	{Name: "response_id", Scope: ScopeStep, Type: TypeText, Help: "the provider's id of the answer"},
	{Name: "finish_reason", Scope: ScopeStep, Type: TypeText, Help: "why the model stopped"},
	{Name: "tool", Aliases: []string{"tool_name"}, Scope: ScopeStep, Type: TypeText, Help: "the tool that was called"},
	{Name: "tool_call_id", Scope: ScopeStep, Type: TypeText, Help: "the model's id of the tool call"},
	{Name: "decision_id", Aliases: []string{"decision"}, Scope: ScopeStep, Type: TypeText, Help: "the decision that let it pass"},
	{Name: "started", Aliases: []string{"started_at", "start"}, Scope: ScopeStep, Type: TypeTime, Help: "when it started"},
	{Name: "ended", Aliases: []string{"ended_at", "end"}, Scope: ScopeStep, Type: TypeTime, Help: "when it ended"},
	{Name: "duration", Aliases: []string{"duration_ms"}, Scope: ScopeStep, Type: TypeDuration, Unit: "ms", Help: "how long it took"},
	{Name: "ttft", Aliases: []string{"ttft_ms"}, Scope: ScopeStep, Type: TypeDuration, Unit: "ms", Help: "time to the first token"},
	{Name: "tokens", Aliases: []string{"total_tokens"}, Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "input and output tokens together"},
	{Name: "input_tokens", Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "input tokens, caches included"},
	{Name: "output_tokens", Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "output tokens, reasoning included"},
	{Name: "cache_read_tokens", Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "input tokens read from a cache"},
	{Name: "cache_write_tokens", Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "input tokens written to a cache"},
	{Name: "reasoning_tokens", Scope: ScopeStep, Type: TypeNumber, Unit: "tokens", Help: "output tokens spent on reasoning"},
	{Name: "cost", Scope: ScopeStep, Type: TypeMoney, Unit: "usd", Help: "what it cost"},
	{Name: "counted", Scope: ScopeStep, Type: TypeBool, Help: "its usage and cost count in the run"},
	{Name: "call", Scope: ScopeStep, Type: TypeBool, Help: "it is one model call (nested steps of a call count once)"},
	{Name: "dialect", Scope: ScopeStep, Type: TypeText, Help: "the vocabulary it came in"},
	{Name: "scope", Scope: ScopeStep, Type: TypeText, Help: "the instrumentation that made it"},
	{Name: "flag", Aliases: []string{"flags"}, Scope: ScopeStep, Type: TypeList, Values: activity.FlagNames, Help: "something odd about its record"},
	{Name: FieldRunMode, Scope: ScopeStep, Type: TypeEnum, Values: modes, Asked: true, Help: helpRunMode},

	// Of a message.
	{Name: "run", Aliases: []string{"run_id"}, Scope: ScopeMessage, Type: TypeText, Help: "the run where it first appeared"},
	{Name: "step", Aliases: []string{"step_id"}, Scope: ScopeMessage, Type: TypeText, Help: "the step where it first appeared"},
	{Name: "field", Scope: ScopeMessage, Type: TypeEnum, Values: contents, Help: "which content of the step it is"},
	{Name: "role", Scope: ScopeMessage, Type: TypeText, Help: "system, user, assistant, tool"},
	{Name: "format", Scope: ScopeMessage, Type: TypeText, Help: "the format it was sent in"},
	{Name: "agent", Scope: ScopeMessage, Type: TypeText, Help: "the agent whose step it is"},
	{Name: "team", Scope: ScopeMessage, Type: TypeText, Help: "the team that owns the agent"},
	{Name: "environment", Aliases: []string{"env"}, Scope: ScopeMessage, Type: TypeText, Help: "production, staging..."},
	{Name: "started", Aliases: []string{"at", "time"}, Scope: ScopeMessage, Type: TypeTime, Help: "when it first appeared"},
	{Name: "size", Scope: ScopeMessage, Type: TypeNumber, Help: "bytes"},

	// Of a log record.
	{Name: "run", Aliases: []string{"run_id"}, Scope: ScopeLog, Type: TypeText, Help: "the run it belongs to"},
	{Name: "step", Aliases: []string{"step_id"}, Scope: ScopeLog, Type: TypeText, Help: "the step it belongs to"},
	{Name: "trace_id", Aliases: []string{"trace"}, Scope: ScopeLog, Type: TypeText, Help: "its trace"},
	{Name: "agent", Scope: ScopeLog, Type: TypeText, Help: "the agent it is about"},
	{Name: "service", Scope: ScopeLog, Type: TypeText, Help: "the service that sent it"},
	{Name: "session", Scope: ScopeLog, Type: TypeText, Help: "the session it belongs to"},
	{Name: "event", Aliases: []string{"event_name"}, Scope: ScopeLog, Type: TypeText, Help: "the event's name"},
	{Name: "body", Scope: ScopeLog, Type: TypeText, Help: "its text"},
	{Name: "severity", Scope: ScopeLog, Type: TypeNumber, Help: "OTLP severity: 9 info, 13 warn, 17 error"},
	{Name: "scope", Scope: ScopeLog, Type: TypeText, Help: "the instrumentation that made it"},
	{Name: "started", Aliases: []string{"at", "time"}, Scope: ScopeLog, Type: TypeTime, Help: "when it was written"},
}, decisionFields...)
