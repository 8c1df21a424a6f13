package a2a_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
)

const sending = `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"order 7"}]}}`

// actor is a peer whose answers the test writes.
type actor struct {
	url string
	mu  sync.Mutex
	say func(w http.ResponseWriter, r *http.Request, id string)
	got []string
}

// newActor makes one that speaks JSON-RPC of a version.
func newActor(t testing.TB, version string, say func(w http.ResponseWriter, r *http.Request, id string)) *actor {
	t.Helper()
	a := &actor{say: say}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	a.url = s.URL
	mux.HandleFunc("GET /.well-known/agent-card.json", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, a.card(version))
	})
	mux.HandleFunc("POST /rpc", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var req struct {
			ID json.RawMessage `json:"id"`
		}
		_ = json.Unmarshal(body, &req)
		a.mu.Lock()
		a.got = append(a.got, string(body))
		say := a.say
		a.mu.Unlock()
		say(w, r, string(req.ID))
	})
	return a
}

func (a *actor) card(version string) string {
	if version == "0.3" {
		return `{"name":"Old","description":"An old one","version":"1","protocolVersion":"0.3.0","url":"` + a.url + `/rpc","capabilities":{"streaming":true},` +
			`"defaultInputModes":["text"],"defaultOutputModes":["text"],"skills":[]}`
	}
	return `{"name":"Actor","description":"Says what it is told","version":"1","supportedInterfaces":[{"url":"` + a.url + `/rpc","protocolBinding":"JSONRPC","protocolVersion":"1.0"}],` +
		`"capabilities":{"streaming":true,"pushNotifications":true},"defaultInputModes":["text"],"defaultOutputModes":["text"],"skills":[]}`
}

func (a *actor) calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

func result(w http.ResponseWriter, id, result string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+id+`,"result":`+result+`}`)
}

func taskResult(task, context, state string) string {
	return fmt.Sprintf(`{"task":{"id":%q,"contextId":%q,"status":{"state":%q}}}`, task, context, state)
}

// What no client should send is refused with the protocol's own error, recorded,
// and never seen by the peer.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("sales")
	a := newActor(t, "1.0", func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("t1", "c1", "TASK_STATE_COMPLETED"))
	})
	h.upstream("actor", a.url, nil)
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for _, c := range []struct {
		name, path, body, version string
		status                    int
		code                      string // of the fault
		rpc                       int    // of the error; 0: it is HTTP+JSON's
	}{
		{"no JSON", "", `{`, "1.0", 200, "a2a.json", -32700},
		{"nothing", "", ``, "1.0", 200, "a2a.json", -32700},
		{"two values", "", `{} {}`, "1.0", 200, "a2a.json", -32700},
		{"a name twice", "", `{"jsonrpc":"2.0","id":1,"method":"GetTask","method":"CancelTask","params":{"id":"x"}}`, "1.0", 200, "a2a.json", -32700},
		{"a name twice, escaped", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"a","taskId":"1","task\u0049d":"2"}}}`, "1.0", 200, "a2a.json", -32700},
		{"not UTF-8", "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", "1.0", 200, "a2a.json", -32700},
		{"half a character", "", `{"jsonrpc":"2.0","id":1,"method":"\ud800"}`, "1.0", 200, "a2a.json", -32700},
		{"nested deeply", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"x":` + deep + `}}`, "1.0", 200, "a2a.json", -32700},
		{"a batch", "", `[{"jsonrpc":"2.0","id":1,"method":"GetTask"}]`, "1.0", 200, "a2a.request", -32600},
		{"no version of JSON-RPC", "", `{"id":1,"method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"a notification", "", `{"jsonrpc":"2.0","method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"id null", "", `{"jsonrpc":"2.0","id":null,"method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"id of a fraction", "", `{"jsonrpc":"2.0","id":1.5,"method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"id of an object", "", `{"jsonrpc":"2.0","id":{},"method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"id too long", "", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 400) + `","method":"GetTask","params":{"id":"x"}}`, "1.0", 200, "a2a.request", -32600},
		{"no such method", "", `{"jsonrpc":"2.0","id":1,"method":"tasks/destroy","params":{}}`, "1.0", 200, "a2a.method", -32601},
		{"a method of 0.3", "", `{"jsonrpc":"2.0","id":1,"method":"message/send","params":{}}`, "1.0", 200, "a2a.version", -32009},
		{"a method of 1.0 without version", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{}}`, "", 200, "a2a.version", -32009},
		{"a version that is not there", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{}}`, "2.0", 200, "a2a.version", -32009},
		{"two versions", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{}}`, "1.0, 0.3", 200, "a2a.version", -32009},
		{"params of a list", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":[]}`, "1.0", 200, "a2a.params", -32602},
		{"no message", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{}}`, "1.0", 200, "a2a.params", -32602},
		{"a field by its other name", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"a","task_id":"t9"}}}`, "1.0", 200, "a2a.params", -32602},
		{"another's task", "", `{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t9"}}`, "1.0", 200, "a2a.task", -32001},
		{"a message to another's task", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"a","taskId":"t9"}}}`, "1.0", 200, "a2a.task", -32001},
		{"a pointer to another's task", "", `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"a","referenceTaskIds":["t9"]}}}`, "1.0", 200, "a2a.task", -32001},
		{"no such path", "/tasks/t1/x", ``, "1.0", 404, "a2a.path", 0},
		{"0.3 by HTTP+JSON", "/v1/message:send", sending, "", 400, "a2a.version", 0},
		{"1.0 without version by HTTP+JSON", "/message:send", sending, "", 400, "a2a.version", 0},
		{"path and body differ", "/tasks/t1:cancel", `{"id":"t2"}`, "1.0", 400, "a2a.params", 0},
		{"a list by HTTP+JSON", "/message:send", `[]`, "1.0", 400, "a2a.request", 0},
		{"dots", "/tasks/..%2fx:cancel", `{}`, "1.0", 404, "a2a.task", 0},
		{"push to loopback", "/message:send", strings.TrimSuffix(sending, "}") + `,"configuration":{"taskPushNotificationConfig":{"url":"https://127.0.0.1/x"}}}`, "1.0", 400, "a2a.push_url", 0},
	} {
		headers := []string{"Content-Type", "application/json"}
		if c.version != "" {
			headers = append(headers, "A2A-Version", c.version)
		}
		got := h.call(key, "POST", "/a2a/actor"+c.path, c.body, headers...)
		if got.status != c.status || got.problem != c.code || got.decision == "" {
			t.Errorf("%s: %d %s %s, want %d %s", c.name, got.status, got.problem, got.body, c.status, c.code)
		}
		var e struct {
			Error struct {
				Code    int
				Status  string
				Details []map[string]any
				Data    []map[string]any
			}
		}
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || c.rpc != 0 && e.Error.Code != c.rpc || c.rpc == 0 && (e.Error.Code != c.status || e.Error.Status == "") ||
			len(e.Error.Data)+len(e.Error.Details) != 1 {
			t.Errorf("%s: %s, want code %d", c.name, got.body, c.rpc)
		}
	}
	if n := a.calls(); n != 0 {
		t.Errorf("the peer was called %d times", n)
	}
	for _, d := range h.decisions("sales") {
		if d.Verdict != activity.VerdictDeny || d.Result != activity.ResultDenied {
			t.Errorf("decision: %+v", d)
		}
	}
}

// 10 MB pass, and what is larger than the door takes does not.
func TestLarge(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("sales")
	a := newActor(t, "1.0", func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("t1", "c1", "TASK_STATE_COMPLETED"))
	})
	h.upstream("actor", a.url, nil)
	big := `{"message":{"messageId":"m1","role":"ROLE_USER","parts":[{"text":"` + strings.Repeat("x", 10<<20) + `"}]}}`
	if got := h.rpc(key, "actor", "SendMessage", big); got.status != 200 || got.problem != "" {
		t.Errorf("10 MB: %d %s", got.status, got.problem)
	}
	if got := h.rpc(key, "actor", "SendMessage", `{"x":"`+strings.Repeat("x", 33<<20)+`"}`); got.problem != "gateway.too_large" || !strings.Contains(got.body, "-32600") {
		t.Errorf("33 MB: %d %s %s", got.status, got.problem, got.body)
	}
}

// A peer that lies, is silent or sends what is no A2A is caught, whatever it
// says, and nothing of it reaches the agent.
func TestLyingPeer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	sales, other := h.agent("sales"), h.agent("other")
	a := newActor(t, "1.0", nil)
	h.upstream("actor", a.url, nil)
	set := func(say func(w http.ResponseWriter, r *http.Request, id string)) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.say = say
	}
	set(func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("theirs", "their-context", "TASK_STATE_WORKING"))
	})
	if got := h.rpc(other, "actor", "SendMessage", sending); got.problem != "" {
		t.Fatalf("%+v", got)
	}
	const own = "TASK_STATE_WORKING"
	event := func(id, result string) string {
		return `data: {"jsonrpc":"2.0","id":` + id + `,"result":` + result + "}\n\n"
	}
	for _, c := range []struct {
		name, method, params string
		say                  func(w http.ResponseWriter, r *http.Request, id string)
		want                 string // fault; "cut": the stream breaks off
	}{
		{"another's id", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) { result(w, "8", taskResult("t", "c", own)) }, "a2a.answer"},
		{"its id as a text", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) { result(w, `"7"`, taskResult("t", "c", own)) }, "a2a.answer"},
		{"two answers", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, taskResult("t", "c", own))
			result(w, id, taskResult("t", "c", own))
		}, "a2a.answer"},
		{"a result and an error", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+id+`,"result":{},"error":{"code":1,"message":"x"}}`)
		}, "a2a.answer"},
		{"a name twice", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, `{"task":{"id":"t","id":"theirs","status":{"state":"`+own+`"}}}`)
		}, "a2a.answer"},
		{"neither task nor message", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) { result(w, id, `{"ok":true}`) }, "a2a.answer"},
		{"a task and a message", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, `{"task":{"id":"t","status":{"state":"`+own+`"}},"message":{"messageId":"m"}}`)
		}, "a2a.answer"},
		{"another's task", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, taskResult("theirs", "", own))
		}, "a2a.answer"},
		{"another's context", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, taskResult("t2", "their-context", own))
		}, "a2a.answer"},
		{"HTML", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) { _, _ = io.WriteString(w, "<html>") }, "a2a.answer"},
		{"an error of its own", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) { http.Error(w, "broken", 500) }, "a2a.answer"},
		{"not let in", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(401) }, "a2a.peer"},
		{"elsewhere", "SendMessage", sending, func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
		}, "upstream.redirect"},
		{"a stream that was not asked for", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, event(id, taskResult("t", "c", own)))
		}, "a2a.answer"},
		{"no stream", "SendStreamingMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) { result(w, id, taskResult("t", "c", own)) }, "a2a.answer"},
		{"its credential", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, `{"message":{"messageId":"m","parts":[{"text":"`+secret+`"}]}}`)
		}, "upstream.leak"},
		{"larger than is taken", "SendMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			result(w, id, `{"message":{"messageId":"`+strings.Repeat("x", 17<<20)+`"}}`)
		}, "a2a.answer"},
		{"two tasks in one stream", "SendStreamingMessage", sending, func(w http.ResponseWriter, _ *http.Request, id string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, event(id, taskResult("s1", "c", own))+event(id, `{"statusUpdate":{"taskId":"s2","contextId":"c","status":{"state":"`+own+`"}}}`))
		}, "cut"},
		{"another's id in a stream", "SendStreamingMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, event("9", taskResult("s1", "c", own)))
		}, "cut"},
		{"an event without end", "SendStreamingMessage", sending, func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: "+strings.Repeat("x", 5<<20))
		}, "cut"},
	} {
		set(c.say)
		if c.want == "cut" {
			if err := h.cut(sales, "/a2a/actor", c.method, c.params); err == nil {
				t.Errorf("%s: the stream ended in good order", c.name)
			}
			continue
		}
		got := h.rpc(sales, "actor", c.method, c.params)
		if got.problem != c.want || strings.Contains(got.body, "theirs") || strings.Contains(got.body, secret) {
			t.Errorf("%s: %d %s %.300s, want %s", c.name, got.status, got.problem, got.body, c.want)
		}
	}
	// Asked for one task, it tells of another.
	set(func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("mine", "mine", own))
	})
	if got := h.rpc(sales, "actor", "SendMessage", sending); got.problem != "" {
		t.Fatalf("%+v", got)
	}
	set(func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, `{"id":"theirs","status":{"state":"TASK_STATE_WORKING"}}`)
	})
	if got := h.rpc(sales, "actor", "GetTask", `{"id":"mine"}`); got.problem != "a2a.answer" || strings.Contains(got.body, "theirs") {
		t.Errorf("another task than was asked for: %+v", got)
	}
	// A list has the caller's own tasks only, and counts those.
	set(func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, `{"tasks":[{"id":"theirs","status":{"state":"TASK_STATE_WORKING"}},{"id":"mine","status":{"state":"TASK_STATE_WORKING"}}],"nextPageToken":"","pageSize":50,"totalSize":4711}`)
	})
	got := h.rpc(sales, "actor", "ListTasks", `{}`)
	if got.problem != "" || strings.Contains(got.body, "theirs") || !strings.Contains(got.body, `"mine"`) || strings.Contains(got.body, "4711") {
		t.Errorf("list: %s", got.body)
	}
}

// cut reads a stream to its end and says how it ended.
func (h *house) cut(key, path, method, params string) error {
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", h.url+path, strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":`+params+`}`))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("A2A-Version", "1.0")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// A peer that never answers is left after the upstream's patience.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("sales")
	gone := make(chan struct{})
	a := newActor(t, "1.0", func(_ http.ResponseWriter, r *http.Request, _ string) {
		<-r.Context().Done()
		close(gone)
	})
	h.upstream("actor", a.url, nil)
	u, _ := h.upstreams.Lookup("actor")
	shape := u.Upstream
	shape.TimeoutMS = 100
	if _, err := h.upstreams.Put(t.Context(), "ada", shape); err != nil {
		t.Fatal(err)
	}
	if got := h.rpc(key, "actor", "SendMessage", sending); got.problem != "upstream.timeout" || got.status != 504 {
		t.Errorf("%+v", got)
	}
	<-gone
}

// A task belongs to agent, credential and user: for another agent it does not
// exist, nor for another key of the same agent, and this outlives a restart.
func TestTasksAreTheirOwners(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h := newHouse(t, nil)
	sales, other := h.agent("sales"), h.agent("other")
	second := h.key("sales")
	h.upstream("refunds", p.url, nil)
	h.upstream("twin", p.url, nil) // the same peer under another name
	got := h.rpc(sales, "refunds", "SendMessage", sending)
	var a struct {
		Result struct {
			Task struct{ ID, ContextID string }
		}
	}
	if err := json.Unmarshal([]byte(got.body), &a); err != nil || a.Result.Task.ID == "" {
		t.Fatal(got.body, err)
	}
	id := a.Result.Task.ID
	ask := func(name, key, upstream string, want bool) {
		t.Helper()
		for _, m := range []struct{ method, params string }{
			{"GetTask", `{"id":"` + id + `"}`},
			{"CancelTask", `{"id":"` + id + `"}`},
			{"SubscribeToTask", `{"id":"` + id + `"}`},
			{"CreateTaskPushNotificationConfig", `{"taskId":"` + id + `","url":"https://93.184.216.34/"}`},
			{"ListTaskPushNotificationConfigs", `{"taskId":"` + id + `"}`},
			{"SendMessage", `{"message":{"messageId":"m","role":"ROLE_USER","taskId":"` + id + `","parts":[{"text":"x"}]}}`},
		} {
			got := h.rpc(key, upstream, m.method, m.params)
			if hidden := got.problem == "a2a.task"; hidden == want {
				t.Errorf("%s, %s: %s %s", name, m.method, got.problem, got.body)
			}
		}
		got := h.rpc(key, upstream, "ListTasks", `{}`)
		if strings.Contains(got.body, id) != want {
			t.Errorf("%s, list: %s", name, got.body)
		}
	}
	ask("its owner", sales, "refunds", true)
	ask("another agent", other, "refunds", false)
	ask("another key", second, "refunds", false)
	ask("another upstream", sales, "twin", false)
	if got := h.rpc(other, "refunds", "SendMessage", `{"message":{"messageId":"m","role":"ROLE_USER","contextId":"`+a.Result.Task.ContextID+`","parts":[{"text":"what was said before?"}]}}`); got.problem != "a2a.context" {
		t.Errorf("another's context: %+v", got)
	}
	until(t, "the owner in the database", func() bool {
		again := newHouse(t, func(g *house, s *setup) { s.peers.DB = h.db })
		own, _ := again.peers.Owner("refunds", id)
		return own == "sales"
	})
}

// A push address is checked in every form that leads into a private network.
func TestPushAddresses(t *testing.T) {
	t.Parallel()
	names := resolver{
		"public.example": {netip.MustParseAddr("93.184.216.34")}, "inside.example": {netip.MustParseAddr("10.0.0.7")},
		"both.example": {netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("169.254.169.254")}, "six.example": {netip.MustParseAddr("::ffff:127.0.0.1")},
	}
	h := newHouse(t, func(_ *house, s *setup) { s.peers.Resolver = names })
	key := h.agent("sales")
	a := newActor(t, "1.0", func(w http.ResponseWriter, _ *http.Request, id string) {
		result(w, id, taskResult("t1", "c1", "TASK_STATE_WORKING"))
	})
	h.upstream("actor", a.url, nil)
	h.upstream("listed", a.url, &client.Peer{PushHosts: []string{"hooks.corp.internal", ".public.example"}})
	send := func(upstream, url string) answer {
		return h.rpc(key, upstream, "SendMessage", strings.TrimSuffix(sending, "}")+`,"configuration":{"taskPushNotificationConfig":{"url":`+fmt.Sprintf("%q", url)+`}}}`)
	}
	for _, url := range []string{
		"", "x", "//", "ftp://public.example/", "https://user@public.example/", "https://public.example/#x", "file:///etc/passwd",
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
		"https://[64:ff9b::a00:1]/", "https://10.1.2.3/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest", "https://100.64.0.1/", "https://0.0.0.0/",
		"https://localhost/", "https://a.localhost/", "https://localhost./", "https://inside.example/", "https://both.example/", "https://six.example/", "https://unknown.example/",
		"https://①②⑦.⓪.⓪.①/",
	} {
		if got := send("actor", url); got.problem != "a2a.push_url" || !strings.Contains(got.body, "-32602") {
			t.Errorf("%q: %s %s", url, got.problem, got.body)
		}
	}
	if n := a.calls(); n != 0 {
		t.Fatalf("the peer was called %d times", n)
	}
	for upstream, url := range map[string]string{"actor": "https://public.example:8443/hook", "listed": "https://hooks.corp.internal/x"} {
		if got := send(upstream, url); got.problem != "" {
			t.Errorf("%s: %+v", url, got)
		}
	}
	for _, url := range []string{"https://public.example/", "https://93.184.216.34/", "https://evilpublic.example/"} {
		if got := send("listed", url); got.problem != "a2a.push_url" {
			t.Errorf("not listed %s: %+v", url, got)
		}
	}
}

type resolver map[string][]netip.Addr

func (r resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if list, ok := r[host]; ok {
		return list, nil
	}
	return nil, fault.New(fault.KindNotFound, "test", "no such name")
}

// A huge stream passes as it comes: nothing of it is kept but a part for its step.
func TestHugeStream(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("sales")
	const events = 20_000
	a := newActor(t, "1.0", func(w http.ResponseWriter, _ *http.Request, id string) {
		w.Header().Set("Content-Type", "text/event-stream")
		var b bytes.Buffer
		fmt.Fprintf(&b, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\n\n", id, taskResult("t1", "c1", "TASK_STATE_WORKING"))
		chunk := strings.Repeat("y", 1000)
		for range events {
			fmt.Fprintf(&b, ": alive\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\ndata: \"result\":{\"artifactUpdate\":{\"taskId\":\"t1\",\"contextId\":\"c1\",\"artifact\":{\"artifactId\":\"a\",\"parts\":[{\"text\":\"%s\"}]},\"append\":true}}}\r\n\r\n", id, chunk)
			if b.Len() > 1<<20 {
				_, _ = w.Write(b.Bytes())
				b.Reset()
			}
		}
		_, _ = w.Write(b.Bytes())
	})
	h.upstream("actor", a.url, nil)
	got := h.rpc(key, "actor", "SendStreamingMessage", sending)
	if n := strings.Count(got.body, "artifactUpdate"); got.status != 200 || n != events || !strings.Contains(got.body, ": alive\n\n") {
		t.Errorf("%d %s: %d events", got.status, got.problem, n)
	}
}

// The stop cuts a stream, and the peer is told to cancel its task; a task that
// no call is about is cancelled within seconds.
func TestStopCancelsTasks(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	h := newHouse(t, nil)
	key := h.agent("sales")
	h.upstream("refunds", p.url, nil)
	c := h.client(t, key, "refunds", sdk.TransportProtocolHTTPJSON)
	alone := message("slow")
	alone.Config = &sdk.SendMessageConfig{ReturnImmediately: true}
	r, err := c.SendMessage(t.Context(), alone)
	left := taskOf(t, r, err)
	var streamed sdk.TaskID
	stopped := false
	for e, err := range c.SendStreamingMessage(t.Context(), message("slow")) {
		if err != nil {
			break
		}
		if task, ok := e.(*sdk.Task); ok {
			streamed = task.ID
		}
		if _, ok := e.(*sdk.TaskStatusUpdateEvent); ok && !stopped {
			stopped = true
			if _, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "agent", Value: "sales"}, "it ran away", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "the peer was told", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		n := 0
		for _, id := range p.ended {
			if id == left.ID || id == streamed {
				n++
			}
		}
		return n >= 2
	})
	if s := h.peers.Stats(); s.Cancelled < 1 {
		until(t, "it is counted", func() bool { return h.peers.Stats().Cancelled >= 2 })
	}
}
