package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

const maxName = 512 // of a run or a session

// traceContext is where a call belongs in its agent's telemetry.
type traceContext struct {
	scope  activity.Scope
	trace  activity.TraceID
	parent activity.SpanID // the agent's span around the call
	span   activity.SpanID // ours, when the call came without a trace
}

// join finds run, session and trace of the call. What the agent says groups its
// own records, in the scope of its team; nothing else follows from it.
func (d *Door) join(_ context.Context, x *passage) error {
	h, r, a := x.Request.Header, &x.record, x.Caller.Agent
	r.ID, r.At, r.Node = d.o.Decisions.NewID(), x.started.UnixNano(), d.o.Node
	scope := activity.ScopeOf(a.Team, a.Environment)
	if d.o.Dev && !d.o.Keyed(a.Team, a.Environment) {
		// In dev mode telemetry comes without a key and so without a team, unless a
		// key was made for it: a scope here would tear a call and its agent's
		// spans apart.
		scope = activity.Scope{}
	}
	run, session := h.Get("X-Reeve-Run"), h.Get("X-Reeve-Session")
	if len(run) > maxName || len(session) > maxName {
		return fault.New(fault.KindInvalid, "gateway.run", "X-Reeve-Run and X-Reeve-Session have at most %d bytes", maxName)
	}
	r.Session = session
	t, ok := parseTraceparent(h["Traceparent"])
	if !ok {
		t = traceContext{trace: activity.TraceID(random16()), span: activity.SpanID(random8())}
		if x.before != nil {
			t.trace = x.before.trace.trace // one call, one run
		}
	} else if x.proposal != nil && x.proposal.Kind == activity.KindHandoff {
		t.span = activity.SpanID(random8()) // what the other agent does hangs on the step that handed it on
	}
	t.scope = scope
	x.trace = t
	r.Trace = t.trace
	x.named = run != "" || ok || session != ""
	x.alone = run == "" && !ok
	switch {
	case run != "":
		r.Run = scope.RunOfKey(run)
	case ok:
		r.Run = scope.RunOfTrace(t.trace)
	case session != "":
		r.Run = activity.RunOfSession("door/"+a.Name, session)
	default:
		r.Run = scope.RunOfTrace(t.trace)
	}
	if err := d.testing(x); err != nil {
		return err
	}
	r.Span = t.span
	if t.span == noSpan {
		r.Step = activity.StepOfKey(r.ID)
	} else {
		// The upstream's own spans, if it sends any, name this span as their parent.
		r.Step = scope.StepOfSpan(t.trace, t.span)
	}
	return x.avoid()
}

// parent is the step of the agent's span around the call; zero for none.
func (x *passage) parent() activity.StepID {
	return x.trace.scope.StepOfSpan(x.trace.trace, x.trace.parent)
}

// parseTraceparent reads W3C trace context: of a version that is known, one
// header, and ids that are not zero. A newer version may have more fields.
func parseTraceparent(list []string) (t traceContext, ok bool) {
	if len(list) != 1 {
		return t, false
	}
	s := list[0]
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || s[:2] == "ff" || len(s) > 55 && (s[:2] == "00" || s[55] != '-') {
		return t, false
	}
	if strings.ContainsFunc(s[:55], func(r rune) bool { return r >= 'A' && r <= 'F' }) {
		return t, false // hex is lower case
	}
	var version, flags [1]byte
	_, err1 := hex.Decode(version[:], []byte(s[:2]))
	_, err2 := hex.Decode(flags[:], []byte(s[53:55]))
	trace, err3 := activity.ParseTraceID(s[3:35])
	span, err4 := activity.ParseSpanID(s[36:52])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || trace == (activity.TraceID{}) || span == (activity.SpanID{}) {
		return t, false
	}
	return traceContext{trace: trace, parent: span}, true
}

// header is the traceparent of a call that came without one.
func (t traceContext) header() string {
	return "00-" + t.trace.String() + "-" + t.span.String() + "-01"
}

func random16() (b [16]byte) {
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return b
}

func random8() (b [8]byte) {
	_, _ = rand.Read(b[:])
	return b
}
