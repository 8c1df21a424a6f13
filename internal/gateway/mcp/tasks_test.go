package mcp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// tasker is a server with sessions that runs tools as tasks: "ask" asks twice on
// the stream of tasks/result, "break" fails, the others are done when they are
// asked for.
type tasker struct {
	fake
	mu      sync.Mutex
	answers map[string]chan string // by the ids of its questions
	states  map[string]string      // of tasks
	results map[string]string
	n       int
}

func newTasker() *tasker {
	k := &tasker{answers: map[string]chan string{}, states: map[string]string{}, results: map[string]string{}}
	k.fake = fake{session: true, answer: k.say}
	return k
}

func (k *tasker) state(id string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return fmt.Sprintf(`{"taskId":"%s","status":"%s","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttl":60000,"pollInterval":50.5}`, id, k.states[id])
}

func (k *tasker) say(m sent) string {
	var p struct {
		Name   string
		TaskID string
		Task   json.RawMessage
	}
	_ = json.Unmarshal(m.params, &p)
	switch m.method {
	case "tools/list":
		return ok(m, `{"tools":[{"name":"refund","inputSchema":{"type":"object"},"execution":{"taskSupport":"optional"}},{"name":"ask","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}},{"name":"break","inputSchema":{"type":"object"},"execution":{"taskSupport":"required"}},{"name":"plain","inputSchema":{"type":"object"}}]}`)
	case "tools/call":
		if p.Task == nil {
			return ""
		}
		k.mu.Lock()
		k.n++
		id := fmt.Sprintf("t%d", k.n)
		k.states[id], k.results[id] = "working", `"result":{"content":[{"type":"text","text":"by task"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"`+id+`"},"x":1}}`
		switch p.Name {
		case "ask":
			k.states[id] = "input_required"
		case "break":
			k.states[id], k.results[id] = "failed", `"error":{"code":-32603,"message":"broken"}`
		}
		k.mu.Unlock()
		return ok(m, `{"task":`+k.state(id)+`}`)
	case "tasks/get", "tasks/cancel":
		k.mu.Lock()
		state := k.states[p.TaskID]
		over := state == "completed" || state == "failed" || state == "cancelled"
		switch {
		case m.method == "tasks/cancel" && !over:
			k.states[p.TaskID] = "cancelled"
		case m.method == "tasks/get" && state == "working":
			k.states[p.TaskID] = "completed" // the next time
		}
		k.mu.Unlock()
		if m.method == "tasks/cancel" && over {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"it is over"}}`, m.id)
		}
		return ok(m, strings.Replace(k.state(p.TaskID), `"completed"`, `"`+map[bool]string{true: "working", false: "completed"}[state == "working"]+`"`, 1))
	}
	return ""
}

func (k *tasker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		ID     json.RawMessage
		Method string
		Params struct{ TaskID string }
		Result json.RawMessage
	}
	_ = json.Unmarshal(body, &m)
	k.mu.Lock()
	ch := k.answers[string(m.ID)]
	k.mu.Unlock()
	switch {
	case m.Method == "" && ch != nil:
		ch <- string(m.Result)
		w.WriteHeader(http.StatusAccepted)
		return
	case m.Method != "tasks/result":
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		k.fake.ServeHTTP(w, r)
		return
	}
	id := m.Params.TaskID
	k.mu.Lock()
	asking := k.states[id] == "input_required"
	k.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	if asking {
		heard := make(chan string, 2)
		for i, what := range []string{"order", "password"} {
			ask := fmt.Sprintf(`"ask-%s-%d"`, id, i)
			k.mu.Lock()
			k.answers[ask] = heard
			k.mu.Unlock()
			fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"elicitation/create\",\"params\":{\"message\":\"Which?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"string\"}}},\"_meta\":{\"io.modelcontextprotocol/related-task\":{\"taskId\":\"%s\"}}}}\n\n", ask, what, id)
		}
		_ = http.NewResponseController(w).Flush()
		var all []string
		for range 2 {
			select {
			case got := <-heard:
				all = append(all, got)
			case <-r.Context().Done():
				return
			}
		}
		text, _ := json.Marshal(strings.Join(all, " and "))
		k.mu.Lock()
		k.states[id], k.results[id] = "completed", `"result":{"content":[{"type":"text","text":`+string(text)+`}]}`
		k.mu.Unlock()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,%s}\n\n", m.ID, k.results[id])
}

type taskReply struct {
	ID     json.RawMessage
	Result struct {
		ResultType, TaskID, Status string
		TTLMs                      *int64
		PollIntervalMs             int64
		TTL                        json.RawMessage
		Result                     json.RawMessage
		Error                      struct{ Code int }
		InputRequests              map[string]struct{ Method string }
	}
}

// taking is a request of a client without sessions that takes tasks.
func (h *house) taking(key, path, id, method, params string) (reply, taskReply) {
	h.t.Helper()
	body := strings.Replace(modernBody(id, method, params), `"elicitation":{}`, `"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1)
	r := h.send(key, "POST", path, body, modernHeaders(method, params)...)
	var out taskReply
	text := r.body
	if i := strings.LastIndex(text, "data: "); i >= 0 {
		text = text[i+6:]
	}
	_ = json.Unmarshal([]byte(text), &out)
	return r, out
}

// A client of 2026-07-28 that takes tasks gets those of a server with sessions:
// created, polled, asked for input, answered, done, ended.
func TestTasksOfSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	k := newTasker()
	h.server("shop", withCapability(k), nil)
	r, d := h.taking(key, "/mcp/shop", "1", "server/discover", "")
	if !strings.Contains(r.body, `"extensions":{"io.modelcontextprotocol/tasks":{}}`) || strings.Contains(r.body, `"tasks":{"`) {
		t.Fatalf("%d %s %+v", r.status, r.body, d)
	}
	call := func(name, more string) (reply, taskReply) {
		return h.taking(key, "/mcp/shop", "2", "tools/call", `"name":"`+name+`","arguments":{}`+more)
	}
	about := func(key, method, id, more string) (reply, taskReply) {
		return h.taking(key, "/mcp/shop", "3", method, `"taskId":"`+id+`"`+more)
	}
	r, made := call("refund", "")
	if got := made.Result; got.ResultType != "task" || got.TaskID == "" || got.TaskID == "t1" || got.Status != "working" || got.TTLMs == nil || *got.TTLMs != 60000 || got.PollIntervalMs != 50 || got.TTL != nil {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r, got := about(key, "tasks/get", made.Result.TaskID, ""); got.Result.Status != "working" || got.Result.ResultType != "complete" || got.Result.Result != nil || got.Result.TaskID != made.Result.TaskID {
		t.Errorf("working: %d %s", r.status, r.body)
	}
	if r, got := about(key, "tasks/get", made.Result.TaskID, ""); got.Result.Status != "completed" || !strings.Contains(string(got.Result.Result), "by task") || strings.Contains(r.body, "related-task") || !strings.Contains(r.body, `"x":1`) {
		t.Errorf("completed: %d %s", r.status, r.body)
	}
	if r, got := about(key, "tasks/cancel", made.Result.TaskID, ""); r.code() != "" || got.Result.ResultType != "complete" || got.Result.TaskID != "" {
		t.Errorf("ended when it was over: %d %s", r.status, r.body)
	}
	// Another's task is none, nor is one that is made up.
	for _, c := range []struct{ name, key, id string }{
		{"another's", other, made.Result.TaskID}, {"made up", key, "t1"}, {"the server's name with a mark", key, "AAAAAAAAAAAAAAAA.t1"},
	} {
		for method, more := range map[string]string{"tasks/get": "", "tasks/cancel": "", "tasks/update": `,"inputResponses":{}`} {
			if r, _ := about(c.key, method, c.id, more); r.code() != "mcp.task" {
				t.Errorf("%s of %s: %d %s", method, c.name, r.status, r.body)
			}
		}
	}
	// At the one entry a task says whose it is.
	h.looks.Store(true)
	h.eventually(func() bool {
		return strings.Contains(h.modernCall(key, "/mcp", "1", "tools/list", "").body, "shop__refund")
	})
	_, made = h.taking(key, "/mcp", "5", "tools/call", `"name":"shop__refund","arguments":{}`)
	if r, got := h.taking(key, "/mcp", "6", "tasks/get", `"taskId":"`+made.Result.TaskID+`"`); got.Result.Status != "working" || got.Result.TaskID != made.Result.TaskID {
		t.Errorf("at the one entry: %d %s", r.status, r.body)
	}
	for _, at := range []string{"/mcp/shop", "/mcp"} {
		if r, _ := h.taking(other, at, "7", "tasks/get", `"taskId":"`+made.Result.TaskID+`"`); r.code() != "mcp.task" {
			t.Errorf("another's at %s: %d %s", at, r.status, r.body)
		}
	}
	if r, got := call("break", ""); got.Result.ResultType != "task" {
		t.Errorf("%d %s", r.status, r.body)
	} else if r, got := about(key, "tasks/get", got.Result.TaskID, ""); got.Result.Status != "failed" || got.Result.Error.Code != -32603 || got.Result.Result != nil {
		t.Errorf("failed: %d %s", r.status, r.body)
	}
	if r, got := call("plain", `,"task":{"ttl":5}`); got.Result.ResultType != "complete" || got.Result.TaskID != "" {
		t.Errorf("a tool that is no task: %d %s", r.status, r.body)
	}
	// Who does not take tasks gets none.
	if r := h.modernCall(key, "/mcp/shop", "4", "tools/call", `"name":"ask","arguments":{}`); r.code() != "mcp.tasks_wanted" || r.status != 400 || !strings.Contains(r.body, `"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}`) {
		t.Errorf("a tool that must be a task: %d %s", r.status, r.body)
	}
	if r := h.modernCall(key, "/mcp/shop", "4", "tools/call", `"name":"refund","arguments":{}`); r.result(t).Result.ResultType != "complete" {
		t.Errorf("one that may be: %d %s", r.status, r.body)
	}
	if r := h.modernCall(key, "/mcp/shop", "4", "tasks/get", `"taskId":"`+made.Result.TaskID+`"`); r.code() != "mcp.tasks_wanted" {
		t.Errorf("tasks/get: %d %s", r.status, r.body)
	}
	// It asks: the form for a password is declined, the other reaches the client.
	r, made = call("ask", "")
	_, got := about(key, "tasks/get", made.Result.TaskID, "")
	if got.Result.Status != "input_required" || len(got.Result.InputRequests) != 1 || got.Result.InputRequests["q1"].Method != "elicitation/create" {
		t.Fatalf("%s: %+v", r.body, got)
	}
	if _, got := about(key, "tasks/update", made.Result.TaskID, `,"inputResponses":{"none":{}}`); got.Result.ResultType != "complete" {
		t.Errorf("an answer to nothing: %+v", got)
	}
	if _, got := about(key, "tasks/get", made.Result.TaskID, ""); got.Result.Status != "input_required" || len(got.Result.InputRequests) != 1 {
		t.Errorf("it still waits: %+v", got)
	}
	if r, got := about(key, "tasks/update", made.Result.TaskID, `,"inputResponses":{"q1":{"action":"accept","content":{"order":"o-7"}}}`); r.code() != "" || got.Result.ResultType != "complete" || got.Result.Status != "" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	h.eventually(func() bool {
		r, got = about(key, "tasks/get", made.Result.TaskID, "")
		return got.Result.Status == "completed"
	})
	if !strings.Contains(string(got.Result.Result), "decline") || !strings.Contains(string(got.Result.Result), "o-7") {
		t.Errorf("%d %s", r.status, r.body)
	}
	// One that waits is ended.
	_, made = call("ask", "")
	about(key, "tasks/get", made.Result.TaskID, "")
	if r, got := about(key, "tasks/cancel", made.Result.TaskID, ""); got.Result.ResultType != "complete" {
		t.Errorf("ended: %d %s", r.status, r.body)
	}
	if _, got := about(key, "tasks/get", made.Result.TaskID, ""); got.Result.Status != "cancelled" {
		t.Errorf("ended: %+v", got)
	}
}

// withCapability has a server say at initialize that it runs tools as tasks.
func withCapability(k *tasker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if !strings.Contains(string(body), `"method":"initialize"`) {
			k.ServeHTTP(w, r)
			return
		}
		rec := &recorded{header: http.Header{}}
		k.ServeHTTP(rec, r)
		for name, v := range rec.header {
			w.Header()[name] = v
		}
		_, _ = io.WriteString(w, strings.Replace(rec.body.String(), `"logging":{}`, `"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}`, 1))
	})
}

type recorded struct {
	header http.Header
	body   strings.Builder
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorded) WriteHeader(int)             {}

// A client with a session asks a server without one for a task: the server's own,
// or one that was done at once; the server's question comes on the stream of
// tasks/result.
func TestTasksOfStateless(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	var mu sync.Mutex
	heard, cancelled := "", false
	task := func(status, more string) string {
		return `{"resultType":"complete","taskId":"s1","status":"` + status + `","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":60000,"pollIntervalMs":100` + more + `}`
	}
	f := &fake{modern: true, answer: func(m sent) string {
		mu.Lock()
		defer mu.Unlock()
		takes := strings.Contains(string(m.params), `"extensions":{"io.modelcontextprotocol/tasks":{}}`)
		switch {
		case m.method == "tools/list":
			return ok(m, `{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[{"name":"refund","inputSchema":{"type":"object"}},{"name":"plain","inputSchema":{"type":"object"}}]}`)
		case m.method == "tools/call" && strings.Contains(string(m.params), `"task":`):
			return `{"jsonrpc":"2.0","id":` + string(m.id) + `,"error":{"code":-32602,"message":"no such param"}}`
		case m.method == "tools/call" && takes && strings.Contains(string(m.params), `"refund"`):
			return ok(m, strings.Replace(task("working", ""), `"resultType":"complete"`, `"resultType":"task"`, 1))
		case !strings.HasPrefix(m.method, "tasks/"):
			return ""
		case !takes || m.header.Get("Mcp-Name") != "s1":
			return `{"jsonrpc":"2.0","id":` + string(m.id) + `,"error":{"code":-32021,"message":"no tasks"}}`
		case m.method == "tasks/update":
			heard = string(m.params)
		case m.method == "tasks/cancel":
			cancelled = true
		case cancelled:
			return ok(m, task("cancelled", ""))
		case heard != "":
			return ok(m, task("completed", `,"result":{"resultType":"complete","content":[{"type":"text","text":"by task"}]}`))
		default:
			return ok(m, task("input_required", `,"inputRequests":{"who":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}}`))
		}
		return ok(m, `{"resultType":"complete"}`)
	}}
	h.server("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if !strings.Contains(string(body), `"method":"server/discover"`) {
			f.ServeHTTP(w, r)
			return
		}
		rec := &recorded{header: http.Header{}}
		f.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Replace(rec.body.String(), `"prompts":{}`, `"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1))
	}), nil)
	begun := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"t","version":"1"}}}`)
	ses := begun.header.Get("Mcp-Session-Id")
	if !strings.Contains(begun.body, `"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}`) || strings.Contains(begun.body, "extensions") {
		t.Fatalf("%d %s", begun.status, begun.body)
	}
	send := func(id, method, params string) reply {
		return h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":{`+params+`}}`, "Mcp-Session-Id", ses)
	}
	if r := send("1", "tools/list", ""); strings.Count(r.body, `"execution":{"taskSupport":"optional"}`) != 2 {
		t.Errorf("%d %s", r.status, r.body)
	}
	made := func(r reply) (id, status string) {
		var m struct {
			Result struct {
				Task struct {
					TaskID, Status string
					TTL            *int64
					PollInterval   int64
				}
			}
		}
		_ = json.Unmarshal([]byte(r.body), &m)
		if m.Result.Task.TTL == nil || *m.Result.Task.TTL <= 0 {
			t.Errorf("%d %s", r.status, r.body)
		}
		return m.Result.Task.TaskID, m.Result.Task.Status
	}
	id, status := made(send("2", "tools/call", `"name":"refund","arguments":{},"task":{"ttl":1000}`))
	if id == "" || id == "s1" || status != "working" {
		t.Fatalf("%s %s", id, status)
	}
	if r := send("3", "tasks/get", `"taskId":"`+id+`"`); !strings.Contains(r.body, `"status":"input_required"`) || strings.Contains(r.body, "inputRequests") || strings.Contains(r.body, "ttlMs") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.send(other, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"`+id+`"}}`, "Mcp-Session-Id", h.begin(other, "/mcp/shop")); r.code() != "mcp.task" {
		t.Errorf("another's: %d %s", r.status, r.body)
	}
	resp := h.open(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":4,"method":"tasks/result","params":{"taskId":"`+id+`"}}`, "Mcp-Session-Id", ses)
	defer resp.Body.Close()
	call := &waitingCall{t, resp, bufio.NewReader(resp.Body)}
	ask := nextData(t, call.read)
	var q struct {
		ID     json.RawMessage
		Params struct {
			Meta map[string]struct{ TaskID string } `json:"_meta"`
		}
	}
	if err := json.Unmarshal([]byte(ask), &q); err != nil || q.Params.Meta["io.modelcontextprotocol/related-task"].TaskID != id {
		t.Fatalf("%v %s", err, ask)
	}
	if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":`+string(q.ID)+`,"result":{"action":"accept","content":{"name":"Ada"}}}`, "Mcp-Session-Id", ses); r.status != 202 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	last := nextData(t, call.read)
	if !strings.Contains(last, "by task") || !strings.Contains(last, `"related-task":`) && !strings.Contains(last, `related-task":{"taskId":"`+id+`"}`) || strings.Contains(last, "resultType") {
		t.Errorf("%s", last)
	}
	mu.Lock()
	if !strings.Contains(heard, `"inputResponses":{"who":{"action":"accept","content":{"name":"Ada"}}}`) {
		t.Errorf("the server heard %s", heard)
	}
	mu.Unlock()
	if r := send("5", "tasks/cancel", `"taskId":"`+id+`"`); !strings.Contains(r.body, `"status":"cancelled"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	// Done at once is a task that is over.
	id, status = made(send("6", "tools/call", `"name":"plain","arguments":{},"task":{}`))
	if id == "" || status != "completed" {
		t.Fatalf("%s %s", id, status)
	}
	if r := send("7", "tasks/get", `"taskId":"`+id+`"`); !strings.Contains(r.body, `"status":"completed"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := send("8", "tasks/result", `"taskId":"`+id+`"`); !strings.Contains(r.body, `"text":"done"`) || !strings.Contains(r.body, id) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := send("9", "tasks/cancel", `"taskId":"`+id+`"`); r.code() != "mcp.task_over" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := send("10", "tools/call", `"name":"plain","arguments":{}`); !strings.Contains(r.body, `"text":"done"`) || strings.Contains(r.body, "task") {
		t.Errorf("without a wish: %d %s", r.status, r.body)
	}
}

// What a task of a server without sessions asks is decided like any question, once
// for all polls.
func TestTaskInputsAreDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	field := "order"
	f := &fake{modern: true, answer: func(m sent) string {
		switch m.method {
		case "tools/call":
			return ok(m, `{"resultType":"task","taskId":"s1","status":"working","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":null}`)
		case "tasks/get":
			return ok(m, `{"resultType":"complete","taskId":"s1","status":"input_required","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":null,"inputRequests":{"who":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"`+field+`":{"type":"string"}}}}}}}`)
		case "tasks/update":
			return ok(m, `{"resultType":"complete"}`)
		}
		return ""
	}}
	h.server("shop", f, nil)
	_, made := h.taking(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
	for range 3 {
		if r, got := h.taking(key, "/mcp/shop", "2", "tasks/get", `"taskId":"`+made.Result.TaskID+`"`); got.Result.InputRequests["who"].Method == "" || got.Result.TaskID != made.Result.TaskID {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	asked := 0
	for _, d := range h.log.All() {
		if d.Action == "ask_user" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("three polls are %d questions", asked)
	}
	if r, _ := h.taking(key, "/mcp/shop", "3", "tasks/update", `"taskId":"`+made.Result.TaskID+`","inputResponses":{"who":{"action":"accept"}}`); r.code() != "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := f.calls("tasks/update"); len(got) != 1 || !strings.Contains(got[0].body, `"taskId":"s1"`) || got[0].header.Get("Mcp-Name") != "s1" || !strings.Contains(got[0].body, `"inputResponses":{"who":{"action":"accept"}}`) {
		t.Errorf("the server got %+v", got)
	}
	field = "password"
	if r, _ := h.taking(key, "/mcp/shop", "4", "tasks/get", `"taskId":"`+made.Result.TaskID+`"`); r.code() != "mcp.secrets" {
		t.Errorf("a password: %d %s", r.status, r.body)
	}
}
