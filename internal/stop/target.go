package stop

import (
	"strings"
	"time"
	"unicode/utf8"

	"reeve/client"
	"reeve/internal/fault"
)

// The kinds of targets.
const (
	KindAgent      = "agent" // the agent's own calls and those of agents acting for it
	KindInstance   = "instance"
	KindRun        = "run"
	KindSession    = "session"
	KindUser       = "user"
	KindVersion    = "version"
	KindTool       = "tool"
	KindModel      = "model" // "gpt-4o", or of one upstream "openai/gpt-4o"
	KindUpstream   = "upstream"
	KindTeam       = "team"
	KindLabel      = "label" // key=value
	KindCredential = "credential"
	KindEverything = "everything"
)

const (
	maxValue  = 512
	maxReason = 1000
)

// checkTarget refuses what no call could ever match, since a stop that matches
// nothing is worse than an error.
func checkTarget(t client.StopTarget) error {
	switch t.Kind {
	case KindEverything:
		if t.Value != "" {
			return fault.New(fault.KindInvalid, "stop.target", "a stop of everything has no value")
		}
		return nil
	case KindLabel:
		if k, _, ok := strings.Cut(t.Value, "="); !ok || k == "" {
			return fault.New(fault.KindInvalid, "stop.target", "a label is written key=value")
		}
	case KindAgent, KindInstance, KindRun, KindSession, KindUser, KindVersion, KindTool, KindModel, KindUpstream, KindTeam, KindCredential:
	default:
		return fault.New(fault.KindInvalid, "stop.target", "%.40q is nothing that can be stopped", t.Kind).
			WithHint("stop an agent, instance, run, session, user, version, tool, model, upstream, team, label, credential or everything")
	}
	if t.Value == "" || len(t.Value) > maxValue || !utf8.ValidString(t.Value) || strings.ContainsAny(t.Value, "\x00\r\n") {
		return fault.New(fault.KindInvalid, "stop.target", "name one %s in at most %d bytes", t.Kind, maxValue)
	}
	return nil
}

// matches reports whether a stop of t takes the call.
func matches(t client.StopTarget, c *Call) bool {
	switch t.Kind {
	case KindEverything:
		return true
	case KindAgent:
		if c.Agent == t.Value {
			return true
		}
		for _, a := range c.Chain {
			if a == t.Value {
				return true
			}
		}
		return false
	case KindInstance:
		return c.Instance == t.Value
	case KindRun:
		return c.Run == t.Value
	case KindSession:
		return c.Session == t.Value
	case KindUser:
		return c.User == t.Value
	case KindVersion:
		return c.Version == t.Value
	case KindTool:
		return c.Tool == t.Value
	case KindModel:
		return c.Model == t.Value || c.Model != "" && isJoined(t.Value, c.Upstream, c.Model)
	case KindUpstream:
		return c.Upstream == t.Value
	case KindTeam:
		return c.Team == t.Value
	case KindCredential:
		return c.Credential == t.Value
	case KindLabel:
		k, v, _ := strings.Cut(t.Value, "=")
		have, ok := c.Labels[k]
		return ok && have == v
	}
	return true // an unknown kind came from a newer release: what it stops is not known, so everything is
}

// isJoined compares with upstream/model without building it.
func isJoined(s, upstream, model string) bool {
	return len(s) == len(upstream)+1+len(model) && strings.HasPrefix(s, upstream) && s[len(upstream)] == '/' && strings.HasSuffix(s, model)
}

// set is the stops in force, never changed once published.
type set struct {
	all   []*client.Stop                       // in the order of making
	named map[client.StopTarget][]*client.Stop // agent to credential, by what a call carries
	wide  []*client.Stop                       // labels, models, everything and unknown kinds: compared one by one
}

func newSet(all []*client.Stop) *set {
	s := &set{all: all, named: make(map[client.StopTarget][]*client.Stop, len(all))}
	for _, st := range all {
		switch st.Target.Kind {
		case KindAgent, KindInstance, KindRun, KindSession, KindUser, KindVersion, KindTool, KindUpstream, KindTeam, KindCredential:
			s.named[st.Target] = append(s.named[st.Target], st)
		default:
			s.wide = append(s.wide, st)
		}
	}
	return s
}

// find gives a stop that takes the call, or nil.
func (s *set) find(c *Call, now func() time.Time) *client.Stop {
	if len(s.all) == 0 {
		return nil // nearly always
	}
	at := now()
	for _, st := range s.wide {
		if !over(st, at) && matches(st.Target, c) {
			return st
		}
	}
	if len(s.named) == 0 {
		return nil
	}
	look := func(kind, value string) *client.Stop {
		if value == "" {
			return nil
		}
		for _, st := range s.named[client.StopTarget{Kind: kind, Value: value}] {
			if !over(st, at) {
				return st
			}
		}
		return nil
	}
	for _, kv := range [...][2]string{
		{KindAgent, c.Agent},
		{KindTeam, c.Team},
		{KindInstance, c.Instance},
		{KindCredential, c.Credential},
		{KindRun, c.Run},
		{KindSession, c.Session},
		{KindUser, c.User},
		{KindVersion, c.Version},
		{KindTool, c.Tool},
		{KindUpstream, c.Upstream},
	} {
		if st := look(kv[0], kv[1]); st != nil {
			return st
		}
	}
	for _, a := range c.Chain {
		if st := look(KindAgent, a); st != nil {
			return st
		}
	}
	return nil
}

func over(st *client.Stop, at time.Time) bool { return st.Until != nil && !at.Before(*st.Until) }

// refusal is what a call that a stop takes is told, and the cause with which a
// live one is cut. The codes stand here one by one since they are listed from
// the source.
func refusal(st *client.Stop) *fault.Error {
	v := st.Target.Value
	var e *fault.Error
	switch st.Target.Kind {
	case KindAgent:
		e = fault.New(fault.KindDenied, "stop.agent", "agent %s is stopped", v)
	case KindInstance:
		e = fault.New(fault.KindDenied, "stop.instance", "this instance is stopped")
	case KindRun:
		e = fault.New(fault.KindDenied, "stop.run", "run %s is stopped", v)
	case KindSession:
		e = fault.New(fault.KindDenied, "stop.session", "this session is stopped")
	case KindUser:
		e = fault.New(fault.KindDenied, "stop.user", "acting for this user is stopped")
	case KindVersion:
		e = fault.New(fault.KindDenied, "stop.version", "this version of the agent is stopped")
	case KindTool:
		e = fault.New(fault.KindDenied, "stop.tool", "tool %s is stopped", v)
	case KindModel:
		e = fault.New(fault.KindDenied, "stop.model", "model %s is stopped", v)
	case KindUpstream:
		e = fault.New(fault.KindDenied, "stop.upstream", "upstream %s is stopped", v)
	case KindTeam:
		e = fault.New(fault.KindDenied, "stop.team", "the agents of team %s are stopped", v)
	case KindLabel:
		e = fault.New(fault.KindDenied, "stop.label", "agents with the label %s are stopped", v)
	case KindCredential:
		e = fault.New(fault.KindDenied, "stop.credential", "this credential is stopped")
	default:
		e = fault.New(fault.KindDenied, "stop.everything", "everything is stopped")
	}
	return e.WithHint("stop %s holds until somebody lifts it; do not retry", st.ID)
}
