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

	"reeve/client"
	"reeve/internal/activity"
)

// asker is a server with sessions whose tools ask the client in the middle of a
// call, and wait for the answer, as such servers do.
type asker struct {
	fake
	mu      sync.Mutex
	waiting map[string]chan json.RawMessage
	ask     string // the request's method and params
}

func (a *asker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(body, &m)
	a.mu.Lock()
	ch := a.waiting[string(m.ID)]
	a.mu.Unlock()
	switch {
	case m.Method == "" && ch != nil:
		if m.Result == nil {
			m.Result = m.Error
		}
		ch <- m.Result
		w.WriteHeader(http.StatusAccepted)
	case m.Method == "tools/call":
		w.Header().Set("Content-Type", "text/event-stream")
		ch := make(chan json.RawMessage, 1)
		a.mu.Lock()
		id := fmt.Sprintf(`"ask-%d"`, len(a.waiting))
		a.waiting[id] = ch
		a.mu.Unlock()
		fmt.Fprintf(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"asking\"}}\n\n")
		fmt.Fprintf(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,%s}\n\n", id, a.ask)
		_ = http.NewResponseController(w).Flush()
		select {
		case got := <-ch:
			text, _ := json.Marshal("heard " + string(got))
			fmt.Fprintf(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\",\"text\":%s}]}}\n\n", m.ID, text)
		case <-r.Context().Done():
			a.mu.Lock()
			a.waiting["gone"] = nil
			a.mu.Unlock()
		}
	default:
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		a.fake.ServeHTTP(w, r)
	}
}

func newAsker() *asker {
	return &asker{
		fake: fake{session: true}, waiting: map[string]chan json.RawMessage{},
		ask: `"method":"elicitation/create","params":{"message":"Which order?","requestedSchema":{"type":"object","properties":{"order":{"type":"string"}}}}`,
	}
}

type inputResult struct {
	ID     json.RawMessage
	Result struct {
		ResultType    string
		RequestState  string
		InputRequests map[string]struct {
			Method string
			Params json.RawMessage
		}
		Content []struct{ Text string }
	}
}

func (r reply) result(t *testing.T) (out inputResult) {
	t.Helper()
	text := r.body
	if i := strings.LastIndex(text, "data: "); i >= 0 {
		text = text[i+6:]
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return out
}

// A client without sessions at a server with them: what the server asks in the
// middle of a call becomes input_required, and the call goes on with what the
// client brings.
func TestAsksOfSessionsBecomeInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key, other := h.agent("refunds"), h.agent("other")
	s := newAsker()
	h.server("shop", s, nil)
	args := `"name":"refund","arguments":{"a":1}`
	first := h.modernCall(key, "/mcp/shop", "1", "tools/call", args)
	in := first.result(t)
	q, ok := in.Result.InputRequests["q1"]
	if in.Result.ResultType != "input_required" || !ok || q.Method != "elicitation/create" || in.Result.RequestState == "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	if d := h.log.Of(t, first.header.Get("X-Reeve-Decision")); d.Result != activity.ResultOK {
		t.Errorf("decision %+v", d)
	}
	back := func(state string) string {
		return args + `,"inputResponses":{"q1":{"action":"accept","content":{"order":"o-7"}}},"requestState":"` + state + `"`
	}
	state := in.Result.RequestState
	// Tampered, another's, or for another request: refused, and not spent.
	for name, r := range map[string]reply{
		"tampered":        h.modernCall(key, "/mcp/shop", "2", "tools/call", back(state[:len(state)-4]+"AAAA")),
		"another agent's": h.modernCall(other, "/mcp/shop", "2", "tools/call", back(state)),
		"another tool":    h.modernCall(key, "/mcp/shop", "2", "tools/call", strings.Replace(back(state), `"name":"refund"`, `"name":"drop"`, 1)),
		"other arguments": h.modernCall(key, "/mcp/shop", "2", "tools/call", strings.Replace(back(state), `{"a":1}`, `{"a":2}`, 1)),
		"another method":  h.modernCall(key, "/mcp/shop", "2", "prompts/get", strings.Replace(back(state), `"arguments":{"a":1}`, `"arguments":{}`, 1)),
	} {
		if r.code() != "mcp.state" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	// An answer to what nobody asked is as none: the server asks.
	unasked := h.modernCall(key, "/mcp/shop", "2", "tools/call", args+`,"inputResponses":{"q1":{"action":"accept"}}`)
	if got := unasked.result(t); got.Result.ResultType != "input_required" || got.Result.RequestState == state {
		t.Errorf("without the state: %d %s", unasked.status, unasked.body)
	} else if r := h.modernCall(key, "/mcp/shop", "2", "tools/call", back(got.Result.RequestState)); r.code() != "" {
		t.Errorf("and answered: %d %s", r.status, r.body)
	}
	r := h.modernCall(key, "/mcp/shop", "3", "tools/call", strings.Replace(back(state), `{"a":1}`, `{ "a" : 1 }`, 1))
	out := r.result(t)
	if len(out.Result.Content) != 1 || !strings.Contains(out.Result.Content[0].Text, `"order":"o-7"`) || out.Result.ResultType != "complete" || string(out.ID) != "3" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.modernCall(key, "/mcp/shop", "4", "tools/call", back(state)); r.code() != "mcp.state" {
		t.Errorf("brought a second time: %d %s", r.status, r.body)
	}
	asked := 0
	for _, d := range h.log.All() {
		if d.Action == "ask_user" && d.Resource == "refunds" && d.Upstream == "shop" && d.Parent != "" && d.Result == activity.ResultOK {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("%d records of what the server asked: %+v", asked, h.log.All())
	}
}

// A client with a session at a server without: input_required becomes a request
// to the client.
func TestInputBecomesAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{modern: true, answer: func(m sent) string {
		if m.method != "tools/call" {
			return ""
		}
		var p struct {
			InputResponses map[string]json.RawMessage
			RequestState   string
		}
		_ = json.Unmarshal(m.params, &p)
		if p.RequestState == "" {
			return ok(m, `{"resultType":"input_required","inputRequests":{"who":{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}},"requestState":"s1"}`)
		}
		return ok(m, `{"resultType":"complete","content":[{"type":"text","text":`+string(quoteJSON(p.RequestState+" "+string(p.InputResponses["who"])))+`}]}`)
	}}
	h.server("shop", f, nil)
	id := h.begin(key, "/mcp/shop")
	resp := h.open(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"refund","arguments":{}}}`, "Mcp-Session-Id", id)
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %v %s", resp.StatusCode, resp.Header, b)
	}
	read := bufio.NewReader(resp.Body)
	var ask struct {
		ID     json.RawMessage
		Method string
		Params json.RawMessage
	}
	if err := json.Unmarshal([]byte(nextData(t, read)), &ask); err != nil || ask.Method != "elicitation/create" {
		t.Fatalf("%v %+v", err, ask)
	}
	// Another session does not answer it, nor does an answer to nothing.
	other := h.begin(key, "/mcp/shop")
	answer := `{"jsonrpc":"2.0","id":` + string(ask.ID) + `,"result":{"action":"accept","content":{"name":"Ada"}}}`
	if r := h.send(key, "POST", "/mcp/shop", answer, "Mcp-Session-Id", other); r.code() != "mcp.response" {
		t.Errorf("from another session: %d %s", r.status, r.body)
	}
	if r := h.send(key, "POST", "/mcp/shop", answer, "Mcp-Session-Id", id); r.status != 202 {
		t.Fatalf("the answer: %d %s", r.status, r.body)
	}
	if r := h.send(key, "POST", "/mcp/shop", answer, "Mcp-Session-Id", id); r.code() != "mcp.response" {
		t.Errorf("a second time: %d %s", r.status, r.body)
	}
	if last := nextData(t, read); !strings.Contains(last, `s1 {\"action\":\"accept\"`) || !strings.Contains(last, `"id":5`) {
		t.Errorf("the result: %s", last)
	}
	got := f.calls("tools/call")
	if len(got) != 2 || got[0].header.Get("Mcp-Method") != "tools/call" || got[0].header.Get("Mcp-Name") != "refund" || !strings.Contains(got[0].body, `"elicitation":{}`) {
		t.Errorf("the server got %+v", got)
	}
}

func quoteJSON(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}

func nextData(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && strings.TrimSpace(data) != "" {
			return strings.TrimSpace(data)
		}
	}
}

// What a server asks passes only where ask_user and ask_model permit, and never
// for a secret or to a host that is not listed.
func TestWhatServersMayAsk(t *testing.T) {
	t.Parallel()
	form := func(field string) string {
		return `"method":"elicitation/create","params":{"message":"Please","requestedSchema":{"type":"object","properties":{"` + field + `":{"type":"string"}}}}`
	}
	page := func(url string) string {
		return `"method":"elicitation/create","params":{"mode":"url","message":"Sign in","url":"` + url + `","elicitationId":"e"}`
	}
	sampling := `"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}],"maxTokens":10}`
	calls := `@id("c") permit (principal is Agent, action in [Action::"call_tool", Action::"read_source", Action::"call_model"], resource);`
	user := calls + `@id("u") permit (principal is Upstream, action == Action::"ask_user", resource);`
	model := calls + `@id("u") permit (principal is Upstream, action == Action::"ask_model", resource);`
	for _, c := range []struct {
		name, policy, ask string
		hears             string // what the server is told; "" when the client is asked
	}{
		{"nothing permits", calls, form("order"), `{"action":"decline"}`},
		{"permitted", user, form("order"), ""},
		{"a password", user, form("password"), `{"action":"decline"}`},
		{"a token", user, form("api_key"), `{"action":"decline"}`},
		{"a card", user, form("cardNumber"), `{"action":"decline"}`},
		{"a page", user, page("https://login.example.com/x"), ""},
		{"a page elsewhere", user, page("https://evil.example.net/x"), `{"action":"decline"}`},
		{"a page of no kind", user, page("javascript:alert(1)"), "refused"},
		{"sampling", user, sampling, "refused"},
		{"sampling, permitted", model, sampling, ""},
		{"sampling, no models", model + `@id("m") forbid (principal, action == Action::"call_model", resource);`, sampling, "refused"},
		{"sampling with context", model, strings.Replace(sampling, `"maxTokens"`, `"includeContext":"allServers","maxTokens"`, 1), "refused"},
		{"roots", calls, `"method":"roots/list"`, "refused"},
		{"roots, permitted", user, `"method":"roots/list"`, ""},
		{"something else", user, `"method":"tools/call","params":{}`, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			s := newAsker()
			s.ask = c.ask
			h.server("shop", s, func(u *client.Upstream) { u.AskHosts = []string{"login.example.com"} })
			h.permit(c.policy)
			id := h.begin(key, "/mcp/shop")
			resp := h.open(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"refund","arguments":{}}}`, "Mcp-Session-Id", id)
			defer resp.Body.Close()
			read := bufio.NewReader(resp.Body)
			if note := nextData(t, read); !strings.Contains(note, "asking") {
				t.Fatalf("first: %s", note)
			}
			next := nextData(t, read)
			if c.hears != "" {
				if !strings.Contains(next, "heard ") || !strings.Contains(strings.ReplaceAll(next, `\`, ""), c.hears) {
					t.Errorf("the server heard %s, want %s", next, c.hears)
				}
				return
			}
			var ask struct{ ID json.RawMessage }
			if err := json.Unmarshal([]byte(next), &ask); err != nil || !strings.Contains(next, `"method"`) {
				t.Fatalf("%v %s", err, next)
			}
			if strings.Contains(c.ask, "login.example.com") && !strings.Contains(next, "The server shop asks you to open login.example.com") {
				t.Errorf("the person is asked %s", next)
			}
			if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":`+string(ask.ID)+`,"result":{"fine":true}}`, "Mcp-Session-Id", id); r.status != 202 {
				t.Fatalf("the answer: %d %s", r.status, r.body)
			}
			if last := nextData(t, read); !strings.Contains(last, `fine`) {
				t.Errorf("the result: %s", last)
			}
		})
	}
}

// Servers that do not keep to the protocol are cut short, and the client gets an
// error of the protocol.
func TestBadServers(t *testing.T) {
	t.Parallel()
	event := func(s string) string { return "event: message\ndata: " + s + "\n\n" }
	for _, c := range []struct {
		name   string
		answer func(m sent) string
		code   string
		not    string // does not pass
	}{
		{"another's id", func(sent) string { return `{"jsonrpc":"2.0","id":99,"result":{"evil":1}}` }, "mcp.foreign_answer", "evil"},
		{"another's id in a stream", func(sent) string { return event(`{"jsonrpc":"2.0","id":"1","result":{"evil":1}}`) }, "mcp.foreign_answer", "evil"},
		{"two answers", func(m sent) string { return event(ok(m, `{"content":[]}`)) + event(ok(m, `{"evil":1}`)) }, "mcp.answered_twice", "evil"},
		{"no answer", func(sent) string {
			return event(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`)
		}, "mcp.no_answer", ""},
		{"a name twice", func(m sent) string { return ok(m, `{"content":[],"content":[{"evil":1}]}`) }, "mcp.answer", "evil"},
		{"no JSON", func(sent) string { return `{"jsonrpc":"2.0",` }, "mcp.answer", ""},
		{"a flood", func(m sent) string {
			return strings.Repeat(event(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`), 6000) + event(ok(m, `{"evil":1}`))
		}, "mcp.flood", "evil"},
		{"unknown notifications", func(m sent) string {
			return event(`{"jsonrpc":"2.0","method":"notifications/evil"}`) + event(ok(m, `{"content":[]}`))
		}, "", "evil"},
		{"progress of another call", func(m sent) string {
			return event(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"evil","progress":1}}`) + event(ok(m, `{"content":[]}`))
		}, "", "evil"},
		{"input that nobody can give", func(m sent) string {
			return ok(m, `{"resultType":"input_required","inputRequests":{"a":{"method":"tools/call","params":{"evil":1}}}}`)
		}, "mcp.question_unknown", "evil"},
		{"an error", func(m sent) string {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"Unknown tool"}}`, m.id)
		}, "-32602", ""},
		{"our credential", func(m sent) string { return ok(m, `{"content":[{"type":"text","text":"`+secret+`"}]}`) }, "upstream.leak", secret},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			h.server("shop", &fake{modern: true, answer: c.answer}, nil)
			r := h.modernCall(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
			if c.code != "" && r.code() != c.code || c.not != "" && strings.Contains(r.body, c.not) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if c.code != "" {
				if d := h.log.Of(t, r.header.Get("X-Reeve-Decision")); d.Result != activity.ResultError {
					t.Errorf("decision %+v", d)
				}
			}
		})
	}
	t.Run("a list of 100,000", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, nil)
		key := h.agent("refunds")
		h.server("shop", &fake{modern: true, answer: func(m sent) string {
			return ok(m, `{"tools":[`+strings.TrimSuffix(strings.Repeat(`{"name":"x","inputSchema":{}},`, 100_000), ",")+`]}`)
		}}, nil)
		if r := h.modernCall(key, "/mcp/shop", "1", "tools/list", ""); r.code() != "mcp.list_too_long" || len(r.body) > 1000 {
			t.Errorf("%d %.300s", r.status, r.body)
		}
	})
	t.Run("one that never answers", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, nil)
		key := h.agent("refunds")
		silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			if strings.Contains(string(b), "server/discover") {
				(&fake{modern: true}).ServeHTTP(w, reread(r, b))
				return
			}
			<-r.Context().Done()
		})
		h.server("shop", silent, func(u *client.Upstream) { u.TimeoutMS = 100 })
		r := h.modernCall(key, "/mcp/shop", "1", "tools/call", `"name":"refund","arguments":{}`)
		if r.code() != "upstream.timeout" {
			t.Errorf("%d %s", r.status, r.body)
		}
		if d := h.log.Of(t, r.header.Get("X-Reeve-Decision")); d.Result != activity.ResultTimeout {
			t.Errorf("decision %+v", d)
		}
	})
}

func reread(r *http.Request, b []byte) *http.Request {
	r.Body = io.NopCloser(strings.NewReader(string(b)))
	return r
}
