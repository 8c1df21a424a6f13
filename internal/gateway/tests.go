package gateway

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/fault"
)

// Tests knows which runs are tests: those of experiments, which may touch nothing
// that is real. It must not wait.
type Tests interface {
	// Of finds an open test: by its id, which a token made for one carries, or ("")
	// by a run that an invocation was given. nil: it is none that is open.
	Of(agent, id string, run activity.RunID) Test
}

// Test is one run that is a test. Its model calls are made; calls of tools are
// answered from a recording, or go to what a person named as a sandbox.
type Test interface {
	// Run is the key of its run.
	Run() string
	// Sandbox reports whether calls of an upstream may be made.
	Sandbox(upstream string) bool
	// Local reports whether the agent may run a tool of its own.
	Local(tool string) bool
	// Recorded is what a call came to when it was recorded; false when it was not.
	Recorded(tool string, arguments []byte) (result []byte, ok bool)
	// Called says that a call of it came to the door; with a fault's code, that it is
	// refused.
	Called(action, resource, code string)
	// Down reports whether an upstream is taken for one that cannot be reached, in this
	// test alone: its calls go to what stands in for it, or are refused.
	Down(upstream string) bool
	// Avoided says that a call asked for an upstream that is taken as down.
	Avoided(upstream string)
	// Ended says how a call that was sent to an upstream with models went.
	Ended(upstream string, failed bool, took time.Duration, cost activity.Cost)
}

// testScope begins the scope of a token that is good for one test alone, so that
// it stays one whatever is forgotten: over a restart, its calls are refused.
const testScope = "test:"

// TestScope is the scope of a token for a test.
func TestScope(id string) string { return testScope + id }

var (
	errTestOver    = fault.New(fault.KindDenied, "test.over", "the credential was made for a test that is over")
	errTestOutside = fault.New(fault.KindDenied, "test.outside", "in a test nothing is allowed that somebody else would do for real").
			WithHint("calls through the door are answered from the recording")
	errTestHosted = fault.New(fault.KindDenied, "test.hosted_tool", "in a test a model may not run tools of its provider, or go on in the background").
			WithHint("name the provider as a sandbox if what its tools do is harmless")
	errTestHeld = fault.New(fault.KindDenied, "test.held", "a person would be asked about this call, which would be made; in a test nobody is").
			WithHint("take the upstream out of the sandbox: then the call is answered from the recording")
	errTestDown = fault.New(fault.KindUnavailable, "test.upstream_down", "in this test the upstream is taken as down, and nothing stands in for it").
			WithHint("give the upstream a fallback that is like it: `reeve upstream set --fallback`")
)

// testing finds out whether a call is part of a test.
func (d *Door) testing(x *passage) error {
	id := ""
	for _, s := range x.Caller.Scopes {
		if rest, is := strings.CutPrefix(s, testScope); is {
			id = rest
		}
	}
	if d.o.Tests == nil {
		if id != "" {
			return errTestOver
		}
		return nil
	}
	x.test = d.o.Tests.Of(x.Caller.Agent.Name, id, x.record.Run)
	if id != "" && x.test == nil {
		return errTestOver
	}
	if !x.avoids() {
		x.tested(nil)
	}
	if x.test != nil && id != "" {
		// Which run it is goes by the credential: a client that says nothing of runs
		// would else make one for each call.
		x.record.Run = x.trace.scope.RunOfKey(x.test.Run())
		x.named, x.alone = true, false
	}
	return nil
}

// avoid ends a call of a test to an upstream that the test takes as down, as one to
// which no connection could be made: what stands in for it takes the call over, and is
// decided on, limited and recorded as in a real failure. Nothing of it was sent.
func (x *passage) avoid() error {
	if !x.avoids() {
		return nil
	}
	x.test.Avoided(x.Upstream.Name)
	x.unsent = true
	return errTestDown
}

// avoids reports whether a call is to an upstream that its test takes as down.
func (x *passage) avoids() bool {
	return x.test != nil && x.Upstream != nil && x.test.Down(x.Upstream.Name)
}

// isTest reports whether a call is of a test or of a replay: nothing of it counts as
// work.
func (x *passage) isTest() bool {
	return x.test != nil || x.Context != nil && x.Context.Value(asTest{}) != nil
}

// rehearsed answers a call of a test in place of its upstream. done is false for
// what is called for real: models, and what a person named as a sandbox.
func (d *Door) rehearsed(ctx context.Context, x *passage) (done bool, err error) {
	p := x.proposal
	if x.test == nil || p.Quiet {
		return false, nil
	}
	if p.Action == "call_model" || p.Action == "ask_model" {
		if hosted := p.Model != nil && len(p.Model.HostedTools) > 0 || p.Background || p.Job != ""; hosted && !x.test.Sandbox(x.Upstream.Name) {
			return true, errTestHosted
		}
		return false, nil
	}
	if x.test.Sandbox(x.Upstream.Name) {
		return false, nil
	}
	name, args := p.Tool, x.Body
	if name == "" {
		name = p.Resource.ID
	}
	if s := p.Arguments; s.To > s.From && s.To <= len(args) {
		args = args[s.From:s.To]
	}
	result, ok := x.test.Recorded(name, args)
	if !ok {
		return true, fault.New(fault.KindDenied, "test.not_recorded", "the recording has no call of %.200s with these arguments: the test stops here", name).
			WithHint("nothing is called for real in a test; name the upstream as a sandbox if it is one")
	}
	d.o.Steps.begin(d, x)
	answer := approval.Answer{Status: http.StatusOK, Header: map[string][]string{"Content-Type": {"application/json"}, "X-Reeve-Test": {"recorded"}}, Body: result}
	if by, is := x.protocol.(Answerer); is {
		answer = by.Answered(&x.Call, p, answer)
	}
	x.answered, x.wrote = true, true
	x.record.Status = int32(answer.Status)
	x.facts, x.hasFacts = Facts{Usage: activity.NoUsage, Contents: []activity.Content{{Field: activity.ContentResult, Format: "json", From: "recording", Raw: slices.Clone(result)}}}, true
	if err := d.giveAnswer(x, answer); err != nil {
		return true, x.broke(ctx, err, errGone)
	}
	return true, nil
}

// tested tells a test of a call of it: that it came, and that it is refused.
func (x *passage) tested(f *fault.Error) {
	if x.test == nil || x.proposal == nil || x.proposal.Quiet {
		return
	}
	code := ""
	if f != nil {
		code = f.Code
	}
	x.test.Called(x.proposal.Action, x.proposal.Resource.ID, code)
}

// testTool refuses a local tool in a test, unless a person said that it may run: the
// agent would run it itself, where nobody can hold it.
func (x *passage) testTool(t ToolCall) *fault.Error {
	if x.Caller.Agent.Labels[effectLabel+t.Name] == "read" || x.test.Local(t.Name) {
		x.test.Called("call_tool", t.Name, "")
		return nil
	}
	f := fault.New(fault.KindDenied, "test.local_tool", "in a test the agent may not run its own tool %.100s: nobody could keep it from acting", t.Name).
		WithHint("label the agent %s%s=read, or name the tool as harmless with `reeve invoke set --local`", effectLabel, t.Name)
	x.test.Called("call_tool", t.Name, f.Code)
	return f
}
