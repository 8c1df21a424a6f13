package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/gateway"
	"reeve/internal/identity/token"
)

// openTest is a test that is open for one agent, or none.
type openTest struct {
	mu      sync.Mutex
	open    bool
	run     activity.RunID // by which an agent's own calls are known
	sandbox string
	local   string
	called  []string
	down    string
	avoided []string
	ended   []string
}

func (o *openTest) Of(agent, id string, run activity.RunID) gateway.Test {
	if !o.open || agent != "refunds" || id != "tst_1" && run != o.run {
		return nil
	}
	return o
}

func (o *openTest) Run() string           { return "tst_1" }
func (o *openTest) Sandbox(u string) bool { return u == o.sandbox }
func (o *openTest) Local(t string) bool   { return t == o.local }

func (o *openTest) Down(u string) bool { return u == o.down }

func (o *openTest) Avoided(upstream string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.avoided = append(o.avoided, upstream)
}

func (o *openTest) Ended(upstream string, failed bool, _ time.Duration, cost activity.Cost) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = append(o.ended, fmt.Sprint(upstream, " ", failed, " ", cost.Nanos > 0))
}

func (o *openTest) Recorded(tool string, arguments []byte) ([]byte, bool) {
	if tool == "shop POST /v1/refunds" && string(arguments) == `{"order":7}` {
		return []byte(`{"refund":"recorded"}`), true
	}
	return nil, false
}

func (o *openTest) Called(action, resource, code string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.called = append(o.called, strings.TrimSpace(action+" "+resource+" "+code))
}

// TestATestTouchesNothingReal: what was recorded is served, the rest is refused, and
// a credential of a test is good for nothing else.
func TestATestTouchesNothingReal(t *testing.T) {
	t.Parallel()
	o := &openTest{open: true, run: activity.RunOfKey("own")}
	known := tokens{p: map[string]token.Principal{"a.test.x": {Credential: "access_token", CredentialID: "j1", Agent: "refunds", Epoch: 1, Scopes: []string{"door", gateway.TestScope("tst_1")}}}}
	h := newHouse(t, func(x *gateway.Options) { x.Tests, x.Tokens, x.Approvals = o, known, openBook(t, time.Second) })
	key := h.agent("refunds")
	var live atomic.Int32
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		live.Add(1)
		_, _ = io.WriteString(w, `{"refund":"live"}`)
	}), nil)
	h.permit(`permit (principal, action, resource);`)
	send := func(credential, body string, headers ...string) answer {
		return h.call(credential, "POST", "/http/shop/v1/refunds", body, append(headers, "Content-Type", "application/json")...)
	}
	first := ""
	if got := send("a.test.x", `{"order":7}`); got.status != 200 || got.body != `{"refund":"recorded"}` || got.header.Get("X-Reeve-Test") != "recorded" || got.decision == "" {
		t.Errorf("%+v", got)
	} else {
		first = got.decision
	}
	if d := h.log.Of(t, first); d.Run != activity.ScopeOf("support", "production").RunOfKey("tst_1") || d.Result != activity.ResultOK {
		t.Errorf("its run is the test's, whatever the client says of it: %+v", d)
	}
	if got := send("a.test.x", `{"order":8}`); got.problem != "test.not_recorded" || got.status != 403 {
		t.Errorf("%+v", got)
	}
	if live.Load() != 0 {
		t.Fatalf("%d calls went out", live.Load())
	}
	o.run = activity.ScopeOf("support", "production").RunOfKey("own")
	if got := send(key, `{"order":8}`, "X-Reeve-Run", "own"); got.problem != "test.not_recorded" {
		t.Errorf("an agent that comes with its own key into a test's run: %+v", got)
	}
	if got := send(key, `{"order":8}`, "X-Reeve-Run", "another"); got.body != `{"refund":"live"}` {
		t.Errorf("%+v", got)
	}
	o.sandbox = "shop"
	if got := send("a.test.x", `{"order":8}`); got.body != `{"refund":"live"}` {
		t.Errorf("a sandbox: %+v", got)
	}
	was := live.Load()
	o.open = false
	if got := send("a.test.x", `{"order":7}`); got.problem != "test.over" || live.Load() != was {
		t.Errorf("a test's credential after it: %+v", got)
	}
	o.open = true
	h.permit(`@id("ask") @hold("finance") permit (principal, action, resource);`)
	if got := send("a.test.x", `{"order":8}`); got.problem != "test.held" || live.Load() != was {
		t.Errorf("in a test nobody is asked: %+v", got)
	}
	if len(o.ended) != 0 {
		t.Errorf("calls of a sandbox are told as a model's: %q", o.ended)
	}
	o.sandbox = ""
	if got := send("a.test.x", `{"order":7}`); got.body != `{"refund":"recorded"}` {
		t.Errorf("what would wait for a person is answered from the recording: %+v", got)
	}
	if want := []string{"call_api shop POST /v1/refunds", "call_api shop POST /v1/refunds test.not_recorded"}; len(o.called) != 9 || o.called[1] != want[0] || o.called[2] != want[1] {
		t.Errorf("%q", o.called)
	}
}

// TestLocalToolsInATest: what nobody can hold may not run, unless somebody said that
// it is harmless.
func TestLocalToolsInATest(t *testing.T) {
	t.Parallel()
	o := &openTest{open: true, local: "look"}
	known := tokens{p: map[string]token.Principal{"a.test.x": {Credential: "access_token", CredentialID: "j1", Agent: "refunds", Epoch: 1, Scopes: []string{"door", gateway.TestScope("tst_1")}}}}
	const proposal = `{"id":"c1","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"NAME","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}`
	name := "refund"
	h, _, _ := modelHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(proposal, "NAME", name))
	}, func(x *gateway.Options) { x.Tests, x.Tokens = o, known })
	h.permit(`permit (principal, action, resource);`)
	got := h.call("a.test.x", "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
	if got.status != 200 || !strings.Contains(got.body, "test.local_tool") || strings.Contains(got.body, `"name":"refund"`) {
		t.Errorf("%+v", got)
	}
	name = "look"
	got = h.call("a.test.x", "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
	if got.status != 200 || !strings.Contains(got.body, `"name":"look"`) {
		t.Errorf("%+v", got)
	}
}

// TestADrillTakesAnUpstreamAsDown: in a test alone, whatever credential its agent comes
// with, calls of an upstream go to what stands in for it, decided on anew; with nothing
// there they are refused, and the upstream gets none of them.
func TestADrillTakesAnUpstreamAsDown(t *testing.T) {
	t.Parallel()
	o := &openTest{open: true, down: "openai", run: activity.ScopeOf("support", "production").RunOfKey("own")}
	known := tokens{p: map[string]token.Principal{"a.test.x": {Credential: "access_token", CredentialID: "j1", Agent: "refunds", Epoch: 1, Scopes: []string{"door", gateway.TestScope("tst_1")}}}}
	var primary, spare atomic.Int32
	says := func(n *atomic.Int32) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			n.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, chatAnswer)
		}
	}
	h, key, _ := modelHouse(t, says(&primary), func(x *gateway.Options) { x.Tests, x.Tokens = o, known })
	h.permit(permitAll)
	send := func(credential string, headers ...string) answer {
		return h.call(credential, "POST", "/llm/openai/v1/chat/completions", chat, append(headers, "Content-Type", "application/json")...)
	}
	if got := send("a.test.x"); got.status != 503 || got.problem != "test.upstream_down" || len(o.called) != 1 || o.called[0] != "call_model openai/gpt-4o-mini test.upstream_down" {
		t.Errorf("without a fallback: %+v, %q", got, o.called)
	}
	if d := h.log.Ended(); len(d) != 1 || d[0].Run != activity.ScopeOf("support", "production").RunOfKey("tst_1") {
		t.Errorf("its refusal is not of the test's run: %+v", d)
	}
	h.upstream("spare", says(&spare), func(u *client.Upstream) { u.Kind, u.Dialect, u.Routes = "llm", "openai", nil })
	h.upstream("openai", says(&primary), func(u *client.Upstream) {
		u.Kind, u.Dialect, u.Routes, u.Revision, u.Fallback = "llm", "openai", nil, 1, []string{"spare"}
	})
	got := send("a.test.x")
	if d := h.log.Of(t, got.decision); got.status != 200 || d.Upstream != "spare" || d.Resource != "spare/gpt-4o-mini" || d.Reasons[len(d.Reasons)-1].Code != "upstream.drill" {
		t.Errorf("%+v: %s %s %+v", got, d.Upstream, d.Resource, d.Reasons)
	}
	if got := send(key, "X-Reeve-Run", "own"); got.status != 200 {
		t.Errorf("with the agent's own key: %+v", got)
	}
	if primary.Load() != 0 || spare.Load() != 2 || len(o.avoided) != 3 || strings.Join(o.ended, ",") != "spare false true,spare false true" {
		t.Errorf("%d calls of the primary, %d of its fallback, %q, %q", primary.Load(), spare.Load(), o.avoided, o.ended)
	}
	// Whatever a test takes as down, everybody else reaches.
	if got := send(key, "X-Reeve-Run", "another"); got.status != 200 || primary.Load() != 1 || spare.Load() != 2 {
		t.Errorf("a live call: %+v, %d, %d", got, primary.Load(), spare.Load())
	}
	// What policy forbids of the fallback, no drill lets through.
	h.permit(permitAll + `@id("not-spare") @reason("no") forbid (principal, action, resource) when { resource == Model::"spare/gpt-4o-mini" };`)
	if got := send("a.test.x"); got.status != 403 || primary.Load() != 1 || spare.Load() != 2 {
		t.Errorf("a fallback that is forbidden: %+v", got)
	}
}
