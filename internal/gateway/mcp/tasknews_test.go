package mcp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"reeve/client"
	"reeve/internal/content"
	"reeve/internal/control/controltest"
	"reeve/internal/gateway"
)

// maker is a server without sessions that makes a task of each call of a tool and
// tells who listens what it is told to say.
type maker struct {
	fake
	mu     sync.Mutex
	n      int
	over   map[string]string // the last status of tasks, by id; "gone": it knows them no more
	listen chan string       // params of subscriptions/listen
	say    chan string       // events for who listens
}

func newMaker() *maker {
	k := &maker{over: map[string]string{}, listen: make(chan string, 8), say: make(chan string, 8)}
	k.fake = fake{modern: true, answer: k.answer}
	return k
}

func (k *maker) set(id, status string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over[id] = status
}

func (k *maker) answer(m sent) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var p struct{ TaskID string }
	_ = json.Unmarshal(m.params, &p)
	task := func(kind, id string) string {
		status := k.over[id]
		if status == "" {
			status = "working"
		}
		return `{"resultType":"` + kind + `","taskId":"` + id + `","status":"` + status + `","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":null,"pollIntervalMs":100}`
	}
	switch m.method {
	case "tools/list":
		return ok(m, `{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[{"name":"refund","inputSchema":{"type":"object"}}]}`)
	case "tools/call":
		k.n++
		return ok(m, task("task", fmt.Sprintf("s%d", k.n)))
	case "tasks/get":
		if k.over[p.TaskID] == "gone" {
			return `{"jsonrpc":"2.0","id":` + string(m.id) + `,"error":{"code":-32602,"message":"no such task"}}`
		}
		if k.over[p.TaskID] == "broken" {
			return ok(m, `{"resultType":"complete"}`)
		}
		return ok(m, task("complete", p.TaskID))
	}
	return ""
}

func (k *maker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	switch {
	case strings.Contains(string(body), `"method":"server/discover"`):
		rec := &recorded{header: http.Header{}}
		k.fake.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Replace(rec.body.String(), `"prompts":{}`, `"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1))
	case strings.Contains(string(body), `"method":"subscriptions/listen"`):
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		k.listen <- string(body)
		for {
			select {
			case text := <-k.say:
				fmt.Fprintf(w, "data: %s\n\n", text)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	default:
		k.fake.ServeHTTP(w, r)
	}
}

// listened waits until somebody listens with what is wanted, and gives the body.
func (k *maker) listened(h *house, want string) string {
	h.t.Helper()
	for body := range k.listen {
		if strings.Contains(body, want) {
			return body
		}
	}
	return ""
}

// A client with a session lists the tasks that it made at a server without one,
// and hears what is new of them on its session's stream.
func TestTasksAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	k := newMaker()
	h.server("shop", k, nil)
	ses := h.begin(key, "/mcp/shop")
	send := func(key, ses, method, params string) reply {
		return h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+`}}`, "Mcp-Session-Id", ses)
	}
	type listed struct {
		Result struct {
			Tasks      []struct{ TaskID, Status, ResultType string }
			NextCursor string
		}
	}
	list := func(params string) (reply, listed) {
		var out listed
		r := send(key, ses, "tasks/list", params)
		_ = json.Unmarshal([]byte(r.body), &out)
		return r, out
	}
	if r, got := list(""); r.code() != "" || got.Result.Tasks == nil || len(got.Result.Tasks) != 0 {
		t.Fatalf("none: %d %s", r.status, r.body)
	}
	for range 23 {
		if r := send(key, ses, "tools/call", `"name":"refund","arguments":{},"task":{}`); !strings.Contains(r.body, `"taskId"`) {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	k.set("s1", "completed")
	k.set("s2", "gone")
	k.set("s5", "broken") // from here on the list has what was known
	r, got := list("")
	tasks := got.Result.Tasks
	if len(tasks) != 19 || got.Result.NextCursor == "" || tasks[0].Status != "completed" || tasks[1].Status != "working" || tasks[0].ResultType != "" || strings.Contains(r.body, "ttlMs") || !strings.HasSuffix(tasks[0].TaskID, ".s1") || !strings.HasSuffix(tasks[1].TaskID, ".s3") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r, got := list(`"cursor":"` + got.Result.NextCursor + `"`); len(got.Result.Tasks) != 3 || got.Result.NextCursor != "" {
		t.Errorf("the rest: %d %s", r.status, r.body)
	}
	if r := send(key, ses, "tasks/get", `"taskId":"`+tasks[0].TaskID+`"`); !strings.Contains(r.body, `"status":"completed"`) {
		t.Errorf("by a name of the list: %d %s", r.status, r.body)
	}
	for _, bad := range []string{`"x"`, `"-1"`, `7`, `{}`, `"99999999999999999999999"`} {
		if r, _ := list(`"cursor":` + bad); r.code() != "mcp.params" {
			t.Errorf("cursor %s: %d %s", bad, r.status, r.body)
		}
	}
	if r := send(other, h.begin(other, "/mcp/shop"), "tasks/list", ""); !strings.Contains(r.body, `"tasks":[]`) {
		t.Errorf("another's: %d %s", r.status, r.body)
	}

	// The session's own stream says what is new.
	resp := h.open(key, "GET", "/mcp/shop", "", "Mcp-Session-Id", ses, "Accept", "text/event-stream")
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	body := k.listened(h, `"taskIds":["s10"`)
	if !strings.Contains(body, `"io.modelcontextprotocol/tasks":{}`) || strings.Contains(body, `"s1",`) {
		t.Errorf("it listens with %s", body)
	}
	note := func(id, status string) string {
		return `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"` + id + `","status":"` + status + `","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":60000,"result":{"content":[]}}}`
	}
	k.say <- note("s1000", "completed") // nobody asked about it
	k.say <- note("s3", "completed")
	heard := nextData(t, read)
	if !strings.Contains(heard, `"method":"notifications/tasks/status"`) || !strings.Contains(heard, `"taskId":"`+tasks[1].TaskID+`"`) || !strings.Contains(heard, `"ttl":60000`) || strings.Contains(heard, "result") || strings.Contains(heard, "ttlMs") {
		t.Errorf("heard %s", heard)
	}
	if _, got := list(""); got.Result.Tasks[1].Status != "completed" {
		t.Errorf("what was heard is not listed: %+v", got)
	}
	// A task that is made meanwhile is listened to as well.
	if r := send(key, ses, "tools/call", `"name":"refund","arguments":{},"task":{}`); !strings.Contains(r.body, `"taskId"`) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	k.listened(h, `"s24"`)
}

// A client without sessions subscribes to tasks of a server with them: what the
// server says by itself comes with the result.
func TestNewsOfTasksOfSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	k := newTasker()
	say := make(chan string)
	k.fake.get = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case text := <-say:
				fmt.Fprintf(w, "data: %s\n\n", text)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}
	h.server("shop", withCapability(k), nil)
	_, made := h.taking(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
	_, theirs := h.taking(other, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
	id := made.Result.TaskID
	if id == "" || theirs.Result.TaskID == "" {
		t.Fatalf("%+v %+v", made, theirs)
	}
	params := `"notifications":{"taskIds":["` + id + `","` + theirs.Result.TaskID + `","t9"]}`
	if r := h.modernCall(key, "/mcp/shop", "2", "subscriptions/listen", params); r.code() != "mcp.tasks_wanted" {
		t.Errorf("of who takes no tasks: %d %s", r.status, r.body)
	}
	// It can be asked less than when it made the task: the server knows it by
	// another session then.
	body := strings.Replace(modernBody("2", "subscriptions/listen", params), `"elicitation":{},"sampling":{}`, `"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1)
	resp := h.open(key, "POST", "/mcp/shop", body, append(modernHeaders("subscriptions/listen", params), "Accept", "application/json, text/event-stream")...)
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	if ack := nextData(t, read); !strings.Contains(ack, `"taskIds":["`+id+`"]`) {
		t.Fatalf("agreed to %s", ack)
	}
	status := func(id string) string {
		return `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"` + id + `","status":"completed","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttl":60000}}`
	}
	say <- status("t2") // the other's
	say <- status("t1") // it still works by tasks/get
	got := nextData(t, read)
	if !strings.Contains(got, `"method":"notifications/tasks"`) || !strings.Contains(got, `"taskId":"`+id+`"`) || !strings.Contains(got, `"status":"working"`) || !strings.Contains(got, `"io.modelcontextprotocol/subscriptionId":2`) {
		t.Errorf("heard %s", got)
	}
	say <- status("t1")
	if got := nextData(t, read); !strings.Contains(got, `"status":"completed"`) || !strings.Contains(got, "by task") || strings.Contains(got, "related-task") || strings.Contains(got, `"ttl"`) {
		t.Errorf("heard %s", got)
	}
}

// Where client and server are both without sessions, names of tasks are ours in
// subscriptions too, and what a notification asks of people is decided.
func TestNewsOfTasksPass(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	k := newMaker()
	h.server("shop", k, nil)
	_, made := h.taking(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
	_, theirs := h.taking(other, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
	id := made.Result.TaskID
	params := `"notifications":{"toolsListChanged":true,"taskIds":["` + theirs.Result.TaskID + `","` + id + `"]}`
	body := strings.Replace(modernBody("2", "subscriptions/listen", params), `"elicitation":{}`, `"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1)
	resp := h.open(key, "POST", "/mcp/shop", body, append(modernHeaders("subscriptions/listen", params), "Accept", "application/json, text/event-stream")...)
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	if got := k.listened(h, "taskIds"); !strings.Contains(got, `"taskIds":["s1"]`) {
		t.Fatalf("the server got %s", got)
	}
	k.say <- `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":2},"notifications":{"taskIds":["s1"]}}}`
	if ack := nextData(t, read); !strings.Contains(ack, `"taskIds":["`+id+`"]`) {
		t.Errorf("agreed to %s", ack)
	}
	asks := func(id, field string) string {
		return `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"` + id + `","status":"input_required","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":null,"inputRequests":{"who":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"` + field + `":{"type":"string"}}}}}}}}`
	}
	k.say <- asks("s1", "password") // is kept back
	k.say <- asks("s2", "order")    // so is another's
	k.say <- asks("s1", "order")
	if got := nextData(t, read); !strings.Contains(got, `"order"`) || !strings.Contains(got, `"taskId":"`+id+`"`) {
		t.Errorf("heard %s", got)
	}
	asked := 0
	for _, d := range h.log.All() {
		if d.Action == "ask_user" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("%d questions were decided", asked)
	}
}

// ruled is a house with content rules: mail addresses are taken out, cards block.
func ruled(t *testing.T) *house {
	return newHouse(t, func(o *gateway.Options) {
		db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "rules.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		rules, err := content.New(t.Context(), content.Options{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []client.ContentRule{
			{Name: "mail", Classes: []string{"pii.email"}, Action: "redact", Direction: "both", Reason: "a test"},
			{Name: "card", Classes: []string{"pii.payment.card"}, Action: "block", Direction: "both", Reason: "a test"},
		} {
			if _, err := rules.Put(t.Context(), content.Actor{Person: "ada"}, r); err != nil {
				t.Fatal(err)
			}
		}
		o.Content = rules
	})
}

// Content rules hold for what comes on streams that are listened to, message by
// message and at once.
func TestRulesHoldOnStreams(t *testing.T) {
	t.Parallel()
	const mail, card = "write to ada.lovelace@example.com", "pay with 4111 1111 1111 1111"
	status := func(text string) string {
		return `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"s1","status":"completed","createdAt":"2026-01-01T00:00:00Z","lastUpdatedAt":"2026-01-01T00:00:00Z","ttlMs":null,"statusMessage":"` + text + `","result":{"content":[{"type":"text","text":"` + text + `"}]}}}`
	}
	t.Run("subscription", func(t *testing.T) {
		t.Parallel()
		h, k := ruled(t), newMaker()
		key := h.agent("refunds")
		h.server("shop", k, nil)
		_, made := h.taking(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
		params := `"notifications":{"taskIds":["` + made.Result.TaskID + `"]}`
		body := strings.Replace(modernBody("2", "subscriptions/listen", params), `"elicitation":{}`, `"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}`, 1)
		resp := h.open(key, "POST", "/mcp/shop", body, append(modernHeaders("subscriptions/listen", params), "Accept", "application/json, text/event-stream")...)
		defer resp.Body.Close()
		read := bufio.NewReader(resp.Body)
		k.listened(h, "taskIds")
		k.say <- status(card) // is not told
		k.say <- status(mail)
		if got := nextData(t, read); strings.Contains(got, "ada.lovelace") || strings.Count(got, "redacted:pii.email") != 2 || !strings.Contains(got, made.Result.TaskID) {
			t.Errorf("heard %s", got)
		}
	})
	t.Run("the session's stream", func(t *testing.T) {
		t.Parallel()
		h, k := ruled(t), newMaker()
		key := h.agent("refunds")
		h.server("shop", k, nil)
		ses := h.begin(key, "/mcp/shop")
		h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":{},"task":{}}}`, "Mcp-Session-Id", ses)
		resp := h.open(key, "GET", "/mcp/shop", "", "Mcp-Session-Id", ses, "Accept", "text/event-stream")
		defer resp.Body.Close()
		read := bufio.NewReader(resp.Body)
		k.listened(h, "taskIds")
		k.say <- status(card)
		k.say <- status(mail)
		if got := nextData(t, read); strings.Contains(got, "ada.lovelace") || !strings.Contains(got, "redacted:pii.email") || !strings.Contains(got, "notifications/tasks/status") {
			t.Errorf("heard %s", got)
		}
	})
	t.Run("resumed", func(t *testing.T) {
		t.Parallel()
		h := ruled(t)
		key := h.agent("refunds")
		h.server("shop", &fake{session: true, get: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i, text := range []string{mail, card} {
				fmt.Fprintf(w, "id: e%d\ndata: {\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}\n\n", i, i, text)
			}
		}}, nil)
		resp := h.open(key, "GET", "/mcp/shop", "", "Mcp-Session-Id", h.begin(key, "/mcp/shop"), "Accept", "text/event-stream")
		defer resp.Body.Close()
		read := bufio.NewReader(resp.Body)
		if got := nextData(t, read); !strings.Contains(got, "redacted:pii.email") || strings.Contains(got, "ada.lovelace") {
			t.Errorf("heard %s", got)
		}
		if got := nextData(t, read); !strings.Contains(got, "content.blocked") || strings.Contains(got, "4111") {
			t.Errorf("heard %s", got)
		}
	})
}
