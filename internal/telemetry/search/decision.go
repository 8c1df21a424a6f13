package search

import (
	"fmt"
	"time"

	"reeve/internal/activity"
)

// The words of a decision. A result that is unknown is asked for as absent:
// result:unknown.
var (
	verdicts = []string{"allow", "hold", "deny"}
	results  = []string{"pending", "ok", "error", "denied", "cut", "timeout", "held"}
	effects  = []string{"think", "read", "write", "destructive"}
	actions  = []string{"call_tool", "call_model", "call_api", "send_task", "read_source", "ask_model", "ask_user"}
)

// decisionFields is never changed; see Field.
var decisionFields = []Field{
	{Name: "id", Aliases: []string{"decision"}, Scope: ScopeDecision, Type: TypeText, Help: "the decision's id"},
	{Name: "run", Aliases: []string{"run_id"}, Scope: ScopeDecision, Type: TypeText, Help: "the run it belongs to"},
	{Name: "step", Aliases: []string{"step_id"}, Scope: ScopeDecision, Type: TypeText, Help: "the step of its call"},
	{Name: "trace_id", Aliases: []string{"trace"}, Scope: ScopeDecision, Type: TypeText, Help: "its trace"},
	{Name: "session", Scope: ScopeDecision, Type: TypeText, Help: "the session it belongs to"},
	{Name: "agent", Scope: ScopeDecision, Type: TypeText, Help: "the agent that proposed the action"},
	{Name: "registered", Scope: ScopeDecision, Type: TypeBool, Help: "that agent is registered"},
	{Name: "version", Scope: ScopeDecision, Type: TypeText, Help: "the agent's version"},
	{Name: "instance", Scope: ScopeDecision, Type: TypeText, Help: "the agent's instance"},
	{Name: "team", Scope: ScopeDecision, Type: TypeText, Help: "the team that owns the agent"},
	{Name: "environment", Aliases: []string{"env"}, Scope: ScopeDecision, Type: TypeText, Help: "production, staging..."},
	{Name: "lifecycle", Scope: ScopeDecision, Type: TypeText, Help: "the agent's lifecycle then"},
	{Name: "autonomy", Scope: ScopeDecision, Type: TypeText, Help: "the agent's autonomy then"},
	{Name: "containment", Scope: ScopeDecision, Type: TypeText, Help: "the agent's containment then"},
	{Name: "credential", Scope: ScopeDecision, Type: TypeText, Help: "the kind of credential it showed"},
	{Name: "credential_id", Scope: ScopeDecision, Type: TypeText, Help: "which key, token or certificate"},
	{Name: "user", Scope: ScopeDecision, Type: TypeText, Help: "whom it acted for, as a pseudonym (usr_...)"},
	{Name: "action", Scope: ScopeDecision, Type: TypeEnum, Values: actions, Help: "what it proposed to do"},
	{Name: "resource", Scope: ScopeDecision, Type: TypeText, Help: "what it would act on"},
	{Name: "upstream", Scope: ScopeDecision, Type: TypeText, Help: "where the call would go"},
	{Name: "tool", Scope: ScopeDecision, Type: TypeText, Help: "the tool"},
	{Name: "model", Scope: ScopeDecision, Type: TypeText, Help: "the model"},
	{Name: "effect", Scope: ScopeDecision, Type: TypeEnum, Values: effects, Help: "what the action does to the world"},
	{Name: "verdict", Scope: ScopeDecision, Type: TypeEnum, Values: verdicts, Help: "what was in force"},
	{Name: "would", Scope: ScopeDecision, Type: TypeEnum, Values: verdicts, Help: "what enforcing would have given"},
	{Name: "floor", Scope: ScopeDecision, Type: TypeEnum, Values: verdicts, Help: "what the agent's standing gave"},
	{Name: "enforced", Scope: ScopeDecision, Type: TypeBool, Help: "false: observed only"},
	{Name: "reason", Aliases: []string{"code"}, Scope: ScopeDecision, Type: TypeList, Help: "the code of one of its reasons"},
	{Name: "policy", Scope: ScopeDecision, Type: TypeList, Help: "a policy that took part"},
	{Name: "result", Scope: ScopeDecision, Type: TypeEnum, Values: results, Help: "how it ended; unknown: lost in a crash"},
	{Name: "error_code", Scope: ScopeDecision, Type: TypeText, Help: "our code, when the call did not go well"},
	{Name: "status", Scope: ScopeDecision, Type: TypeNumber, Help: "HTTP status of the upstream"},
	{Name: "local_tool", Scope: ScopeDecision, Type: TypeBool, Help: "a tool inside the agent that a model's answer proposed"},
	{Name: "node", Scope: ScopeDecision, Type: TypeText, Help: "the node that decided"},
	{Name: "started", Aliases: []string{"at", "time"}, Scope: ScopeDecision, Type: TypeTime, Help: "when it was proposed"},
	{Name: "ended", Scope: ScopeDecision, Type: TypeTime, Help: "when it was completed"},
	{Name: "latency", Aliases: []string{"latency_ms", "duration"}, Scope: ScopeDecision, Type: TypeDuration, Unit: "ms", Help: "the whole time at the door"},
	{Name: "upstream_time", Aliases: []string{"upstream_ms"}, Scope: ScopeDecision, Type: TypeDuration, Unit: "ms", Help: "of it, waiting for the upstream"},
	{Name: "decide_time", Aliases: []string{"decide_ms"}, Scope: ScopeDecision, Type: TypeDuration, Unit: "ms", Help: "of it, ours before forwarding"},
	{Name: "tokens", Scope: ScopeDecision, Type: TypeNumber, Unit: "tokens", Help: "input and output tokens together"},
	{Name: "cost", Scope: ScopeDecision, Type: TypeMoney, Unit: "usd", Help: "what it cost"},
	{Name: FieldRunMode, Scope: ScopeDecision, Type: TypeEnum, Values: modes, Asked: true, Help: helpRunMode},
}

// MatchDecision decides a search over decisions for one in memory; relative
// times count from now. It fails only for an Expr that ParseIn did not make.
func MatchDecision(e Expr, now time.Time, d *activity.Decision) (bool, error) {
	return combine(e, func(e Expr) (bool, error) {
		switch e := e.(type) {
		case *Cmp:
			return compare(e, ScopeDecision, now, func(f Field) (datum, bool) {
				get, ok := decisionData[f.Name]
				if !ok {
					return datum{}, false
				}
				return get(d), true
			})
		case *Among:
			return !d.Run.IsZero() && e.Runs[d.Run], nil
		case *Text:
			texts := []string{d.Agent, d.Resource, d.Tool, d.Model, d.ErrorCode}
			for _, r := range d.Reasons {
				texts = append(texts, r.Code)
			}
			return anyHas(e.Phrase, texts...), nil
		}
		return false, fmt.Errorf("matching a decision: %T cannot stand here", e)
	})
}

func milli(us int64) datum { return numberOf(float64(us)/1000, us != activity.Unknown) }

// decisionData reads the fields of the table; a test compares them with it.
var decisionData = map[string]func(*activity.Decision) datum{
	"id": func(d *activity.Decision) datum { return textOf(d.ID) },
	"run": func(d *activity.Decision) datum {
		if d.Run.IsZero() {
			return datum{}
		}
		return textOf(d.Run.String())
	},
	"step": func(d *activity.Decision) datum {
		if d.Step.IsZero() {
			return datum{}
		}
		return textOf(d.Step.String())
	},
	"trace_id":      func(d *activity.Decision) datum { return textOf(d.Trace.String()) },
	"session":       func(d *activity.Decision) datum { return textOf(d.Session) },
	"agent":         func(d *activity.Decision) datum { return textOf(d.Agent) },
	"registered":    func(d *activity.Decision) datum { return boolOf(d.Registered) },
	"version":       func(d *activity.Decision) datum { return textOf(d.Version) },
	"instance":      func(d *activity.Decision) datum { return textOf(d.Instance) },
	"team":          func(d *activity.Decision) datum { return textOf(d.Team) },
	"environment":   func(d *activity.Decision) datum { return textOf(d.Environment) },
	"lifecycle":     func(d *activity.Decision) datum { return textOf(d.Lifecycle) },
	"autonomy":      func(d *activity.Decision) datum { return textOf(d.Autonomy) },
	"containment":   func(d *activity.Decision) datum { return textOf(d.Containment) },
	"credential":    func(d *activity.Decision) datum { return textOf(d.Credential) },
	"credential_id": func(d *activity.Decision) datum { return textOf(d.CredentialID) },
	"user":          func(d *activity.Decision) datum { return textOf(d.User) },
	"action":        func(d *activity.Decision) datum { return textOf(d.Action) },
	"resource":      func(d *activity.Decision) datum { return textOf(d.Resource) },
	"upstream":      func(d *activity.Decision) datum { return textOf(d.Upstream) },
	"tool":          func(d *activity.Decision) datum { return textOf(d.Tool) },
	"model":         func(d *activity.Decision) datum { return textOf(d.Model) },
	"effect":        func(d *activity.Decision) datum { return textOf(d.Effect) },
	"verdict":       func(d *activity.Decision) datum { return textOf(d.Verdict.String()) },
	"would":         func(d *activity.Decision) datum { return textOf(d.Would.String()) },
	"floor":         func(d *activity.Decision) datum { return textOf(d.Floor.String()) },
	"enforced":      func(d *activity.Decision) datum { return boolOf(d.Enforced) },
	"reason": func(d *activity.Decision) datum {
		var codes []string
		for _, r := range d.Reasons {
			codes = append(codes, r.Code)
		}
		return textOf(codes...)
	},
	"policy": func(d *activity.Decision) datum {
		var names []string
		for _, p := range d.Policies {
			names = append(names, p.Policy)
		}
		return textOf(names...)
	},
	"result": func(d *activity.Decision) datum {
		if d.Result == activity.ResultUnknown {
			return datum{}
		}
		return textOf(d.Result.String())
	},
	"error_code":    func(d *activity.Decision) datum { return textOf(d.ErrorCode) },
	"status":        func(d *activity.Decision) datum { return numberOf(int64(d.Status), d.Status != 0) },
	"local_tool":    func(d *activity.Decision) datum { return boolOf(d.LocalTool) },
	"node":          func(d *activity.Decision) datum { return textOf(d.Node) },
	"started":       func(d *activity.Decision) datum { return countOf(d.At) },
	"ended":         func(d *activity.Decision) datum { return countOf(d.Completed) },
	"latency":       func(d *activity.Decision) datum { return milli(d.LatencyUS) },
	"upstream_time": func(d *activity.Decision) datum { return milli(d.UpstreamUS) },
	"decide_time":   func(d *activity.Decision) datum { return milli(d.DecideUS) },
	"tokens":        func(d *activity.Decision) datum { return tokensOf(d.Usage) },
	"cost":          func(d *activity.Decision) datum { return costOf(d.Cost) },
}
