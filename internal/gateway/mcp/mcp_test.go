package mcp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/gateway"
)

// A tool is called in both eras: decided with its resource and arguments,
// recorded before it goes on, and a step of the run.
func TestToolCall(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"stateless", "session"} {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			f := &fake{modern: true, session: true}
			h.server("shop", f, nil)
			args := `"name":"refund","arguments":{"amount":12.5,"order":"o-1"}`
			var r reply
			if era == "stateless" {
				r = h.modernCall(key, "/mcp/shop", `"a"`, "tools/call", args)
			} else {
				id := h.begin(key, "/mcp/shop")
				r = h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{`+args+`}}`, "Mcp-Session-Id", id, "Mcp-Protocol-Version", "2025-11-25")
			}
			if r.status != 200 || !strings.Contains(r.body, `"done"`) {
				t.Fatalf("%d %s", r.status, r.body)
			}
			d := h.log.Of(t, r.header.Get("X-Reeve-Decision"))
			if d.Action != "call_tool" || d.Resource != "shop.refund" || d.Tool != "refund" || d.Upstream != "shop" || d.Effect != "read" || d.Pin != "h" ||
				d.Result != activity.ResultOK || d.Verdict != activity.VerdictAllow || d.ArgumentsHash == "" {
				t.Errorf("decision: %+v", d)
			}
			got := f.calls("tools/call")
			if len(got) != 1 || got[0].header.Get("Authorization") != "Bearer "+secret || !strings.Contains(got[0].body, args) {
				t.Fatalf("the server got %+v", got)
			}
			if era == "session" && !strings.HasPrefix(got[0].header.Get("Mcp-Session-Id"), "theirs-") {
				t.Errorf("the server got the session id %q", got[0].header.Get("Mcp-Session-Id"))
			}
			h.eventually(func() bool {
				for _, s := range h.base.Fragments() {
					if s.Kind == activity.KindTool && s.Status == activity.StatusOK && s.ToolName == "refund" && s.DecisionID == d.ID && s.Run == d.Run {
						return true
					}
				}
				return false
			})
			// Nothing but the call has a record.
			if all := h.log.All(); len(all) != 1 {
				t.Errorf("%d decisions: %+v", len(all), all)
			}
		})
	}
}

// What policy denies never reaches the server, and the client gets the
// protocol's own error with the decision.
func TestDenied(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{modern: true}
	h.server("shop", f, nil)
	h.permit(permitAll + `@id("big") forbid (principal, action == Action::"call_tool", resource == Tool::"shop.refund") when { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").greaterThan(decimal("100.0")) };
		@id("file") forbid (principal, action == Action::"read_source", resource == Source::"shop file:///etc/passwd");
		@id("prompt") forbid (principal, action == Action::"read_source", resource == Source::"shop prompt/evil");`)
	for _, c := range []struct{ method, params, code string }{
		{"tools/call", `"name":"refund","arguments":{"amount":50}`, ""},
		{"tools/call", `"name":"refund","arguments":{"amount":500}`, "decision.denied"},
		{"resources/read", `"uri":"file:///etc/hosts"`, ""},
		{"resources/read", `"uri":"file:///etc/passwd"`, "decision.denied"},
		{"prompts/get", `"name":"evil"`, "decision.denied"},
		{"prompts/get", `"name":"good"`, ""},
		{"completion/complete", `"ref":{"type":"ref/prompt","name":"evil"},"argument":{"name":"a","value":"b"}`, "decision.denied"},
	} {
		before := len(f.calls(c.method))
		r := h.modernCall(key, "/mcp/shop", "1", c.method, c.params)
		if r.status != 200 || r.code() != c.code {
			t.Errorf("%s %s: %d %s", c.method, c.params, r.status, r.body)
			continue
		}
		d := h.log.Of(t, r.header.Get("X-Reeve-Decision"))
		reached := len(f.calls(c.method)) > before
		if reached != (c.code == "") || (d.Result == activity.ResultDenied) != (c.code != "") {
			t.Errorf("%s %s: reached %v, decision %+v", c.method, c.params, reached, d)
		}
		if c.code != "" && (!strings.Contains(r.body, `"code":-32001`) || !strings.Contains(r.body, d.ID)) {
			t.Errorf("%s: the error is %s", c.method, r.body)
		}
	}
}

// Lists show what the caller may use, and only definitions that were accepted.
func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{modern: true, answer: func(m sent) string {
		switch m.method {
		case "tools/list":
			return ok(m, `{"resultType":"complete","tools":[{"name":"get","inputSchema":{"type":"object"}}, {"name":"drop","inputSchema":{"type":"object"}},{"name":"new","description":"unseen","inputSchema":{"type":"object"}}],"ttlMs":5,"cacheScope":"private"}`)
		case "resources/list":
			return "event: message\ndata: " + ok(m, `{"resources":[{"uri":"a://1","name":"one"},{"uri":"b://2","name":"two"}]}`) + "\n\n"
		case "prompts/list":
			return ok(m, `{"prompts":[{"name":"p1"},{"name":"p2"}]}`)
		}
		return ""
	}}
	h.server("shop", f, nil)
	h.pins.held["shop.new"] = true
	h.permit(`@id("t") permit (principal, action == Action::"call_tool", resource) unless { resource == Tool::"shop.drop" };
		@id("h") @hold("security") forbid (principal, action == Action::"call_tool", resource) unless { resource.pinned };
		@id("r") permit (principal, action == Action::"read_source", resource == Source::"shop b://2");
		@id("q") permit (principal, action == Action::"read_source", resource == Source::"shop prompt/p1");`)
	for method, want := range map[string]string{
		"tools/list":     `"tools":[{"name":"get","inputSchema":{"type":"object"}}],"ttlMs":5`,
		"resources/list": `"resources":[{"uri":"b://2","name":"two"}]`,
		"prompts/list":   `"prompts":[{"name":"p1"}]`,
	} {
		if r := h.modernCall(key, "/mcp/shop", "1", method, ""); r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", method, r.status, r.body)
		}
	}
	if len(h.log.All()) != 0 {
		t.Errorf("lists were recorded: %+v", h.log.All())
	}
	if tools := h.pins.Tools("shop"); len(tools) != 3 {
		t.Errorf("the book saw %v", tools)
	}
	// Whom nothing is for learns nothing.
	h.permit(`@id("t") permit (principal == Agent::"other", action, resource);`)
	if r := h.modernCall(key, "/mcp/shop", "1", "tools/list", ""); r.code() != "mcp.not_entitled" {
		t.Errorf("with nothing permitted: %d %s", r.status, r.body)
	}
}

// A session belongs to one credential, user and upstream.
func TestSessionsAreBound(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	a, b := h.agent("refunds"), h.agent("other")
	f := &fake{session: true}
	h.server("shop", f, nil)
	h.server("files", f, nil)
	id := h.begin(a, "/mcp/shop")
	if raw := len(id); raw != 22 {
		t.Errorf("the session id %q has no 128 bits", id)
	}
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	for _, c := range []struct {
		name, key, path, id string
		status              int
	}{
		{"its own", a, "/mcp/shop", id, 200},
		{"another agent's", b, "/mcp/shop", id, 404},
		{"at another upstream", a, "/mcp/files", id, 404},
		{"the server's own", a, "/mcp/shop", "theirs-1", 404},
		{"none", a, "/mcp/shop", "", 400},
	} {
		for _, verb := range []string{"POST", "DELETE", "GET"} {
			if c.status == 200 && verb != "POST" {
				continue
			}
			body := list
			if verb != "POST" {
				body = ""
			}
			headers := []string{"Accept", "application/json, text/event-stream"}
			if c.id != "" {
				headers = append(headers, "Mcp-Session-Id", c.id)
			}
			if r := h.send(c.key, verb, c.path, body, headers...); r.status != c.status {
				t.Errorf("%s %s: %d %s, want %d", verb, c.name, r.status, r.body, c.status)
			}
		}
	}
	if r := h.send(a, "DELETE", "/mcp/shop", "", "Mcp-Session-Id", id); r.status != 200 {
		t.Errorf("DELETE: %d %s", r.status, r.body)
	}
	if r := h.send(a, "POST", "/mcp/shop", list, "Mcp-Session-Id", id); r.status != 404 {
		t.Errorf("after its end: %d %s", r.status, r.body)
	}
	// An upstream that changed is another one.
	id = h.begin(a, "/mcp/files")
	u, _ := h.upstreams.Lookup("files")
	next := u.Upstream
	next.TimeoutMS = 5000
	if _, err := h.upstreams.Put(t.Context(), "ada", next); err != nil {
		t.Fatal(err)
	}
	if r := h.send(a, "POST", "/mcp/files", list, "Mcp-Session-Id", id); r.status != 404 {
		t.Errorf("after a change of the upstream: %d %s", r.status, r.body)
	}
}

// A message that can be read in two ways, or whose headers say another thing
// than its body, goes nowhere.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{modern: true}
	h.server("shop", f, nil)
	call := func(params string) string { return modernBody("1", "tools/call", params) }
	good := call(`"name":"refund","arguments":{"a":1}`)
	headers := modernHeaders("tools/call", `"name":"refund"`)
	with := func(pairs ...string) []string { return append(append([]string(nil), headers...), pairs...) }
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"as it should be", good, headers, 200, ""},
		{"no JSON", `{`, headers, 400, "mcp.parse"},
		{"a name twice", strings.Replace(good, `"id":1`, `"id":1,"id":2`, 1), headers, 400, "mcp.parse"},
		{"a name twice in params", strings.Replace(good, `"name":"refund"`, `"name":"refund","name":"drop"`, 1), headers, 400, "mcp.parse"},
		{"a name in another case", strings.Replace(good, `"name":"refund"`, `"name":"refund","Name":"drop"`, 1), headers, 400, "mcp.parse"},
		{"an argument twice", strings.Replace(good, `{"a":1}`, `{"a":1,"a":2}`, 1), headers, 200, "mcp.arguments"},
		{"arguments that are no object", strings.Replace(good, `{"a":1}`, `[1]`, 1), headers, 200, "mcp.arguments"},
		{"bad UTF-8", strings.Replace(good, `"a":1`, "\"a\":\"\xff\"", 1), headers, 400, "mcp.parse"},
		{"a batch", "[" + good + "]", headers, 400, "mcp.batch"},
		{"an id of null", strings.Replace(good, `"id":1`, `"id":null`, 1), headers, 400, "mcp.id"},
		{"an id of true", strings.Replace(good, `"id":1`, `"id":true`, 1), headers, 400, "mcp.id"},
		{"an id that is an object", strings.Replace(good, `"id":1`, `"id":{}`, 1), headers, 400, "mcp.id"},
		{"a broken id", strings.Replace(good, `"id":1`, `"id":1.5`, 1), headers, 400, "mcp.id"},
		{"a huge id", strings.Replace(good, `"id":1`, `"id":123456789012345678901234567890`, 1), headers, 400, "mcp.id"},
		{"a long id", strings.Replace(good, `"id":1`, `"id":"`+strings.Repeat("x", 300)+`"`, 1), headers, 400, "mcp.id"},
		{"no version of JSON-RPC", strings.Replace(good, `"jsonrpc":"2.0",`, ``, 1), headers, 400, "mcp.message"},
		{"a request and a response", strings.Replace(good, `"id":1`, `"id":1,"result":{}`, 1), headers, 400, "mcp.message"},
		{"another method in the header", good, with("Mcp-Method", "tools/list"), 400, "mcp.header"},
		{"no method in the header", good, with("Mcp-Method", ""), 400, "mcp.header"},
		{"another name in the header", good, with("Mcp-Name", "get"), 400, "mcp.header"},
		{"no name in the header", good, with("Mcp-Name", ""), 400, "mcp.header"},
		{"a name in base64", good, with("Mcp-Name", "=?base64?cmVmdW5k?="), 200, ""},
		{"another name in base64", good, with("Mcp-Name", "=?base64?Z2V0?="), 400, "mcp.header"},
		{"another version in the header", good, with("Mcp-Protocol-Version", "2027-01-01"), 400, "mcp.header"},
		{"no version in the header", good, with("Mcp-Protocol-Version", ""), 400, "mcp.header"},
		{"a version nobody knows", strings.Replace(good, "2026-07-28", "2030-01-01", 1), with("Mcp-Protocol-Version", "2030-01-01"), 400, "mcp.version"},
		{"no capabilities", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, with("Mcp-Method", "tools/list"), 400, "mcp.meta"},
		{"a response", `{"jsonrpc":"2.0","id":1,"result":{}}`, headers, 400, "mcp.response"},
		{"an unknown method", modernBody("1", "tools/forget", ""), with("Mcp-Method", "tools/forget"), 404, "mcp.method"},
		{"a method of another time", modernBody("1", "logging/setLevel", ""), with("Mcp-Method", "logging/setLevel"), 404, "mcp.method"},
		{"a notification of the server's", `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`, headers, 403, "mcp.method"},
		{"no tool", call(`"arguments":{}`), with("Mcp-Name", ""), 400, "mcp.params"},
		{"a name of control characters", call(`"name":"a\u0000b","arguments":{}`), with("Mcp-Name", "=?base64?YQBi?="), 200, "mcp.name"},
		{"text", good, with("Content-Type", "text/plain"), 415, "mcp.content_type"},
		{"5 MB", call(`"name":"refund","arguments":{"a":"` + strings.Repeat("x", 5<<20) + `"}`), headers, 413, "mcp.too_large"},
		{"10 MB of arguments", call(`"name":"refund","arguments":{"a":"` + strings.Repeat("x", 10<<20) + `"}`), headers, 413, "mcp.too_large"},
	} {
		before := len(f.calls("tools/call"))
		r := h.send(key, "POST", "/mcp/shop", c.body, c.headers...)
		if r.status != c.status || r.code() != c.code {
			t.Errorf("%s: %d %s %s, want %d %s", c.name, r.status, r.code(), r.body, c.status, c.code)
		}
		if reached := len(f.calls("tools/call")) > before; reached != (c.code == "") {
			t.Errorf("%s: reached the server: %v", c.name, reached)
		}
		if c.code == "" {
			continue
		}
		d := h.log.Of(t, r.header.Get("X-Reeve-Decision"))
		if d.Result != activity.ResultDenied || d.ErrorCode != c.code || d.Agent != "refunds" {
			t.Errorf("%s: decision %+v", c.name, d)
		}
	}
	for verb, status := range map[string]int{"GET": 405, "DELETE": 405, "PUT": 405} {
		if r := h.send(key, verb, "/mcp/shop", "", "Mcp-Protocol-Version", "2026-07-28"); r.status != status {
			t.Errorf("%s without sessions: %d %s", verb, r.status, r.body)
		}
	}
	if r := h.send(key, "POST", "/mcp/shop/more", good, headers...); r.status != 404 {
		t.Errorf("below the address: %d %s", r.status, r.body)
	}
	if r := h.send("", "POST", "/mcp/shop", good, headers...); r.status != 401 || r.code() != "gateway.credential_missing" {
		t.Errorf("a stranger: %d %s", r.status, r.body)
	}
}

// A tool whose schema asks for headers in a way that there is not is not used, as
// clients of 2026-07-28 have to; what a server with sessions writes there means
// nothing.
func TestToolsWithBrokenHeaders(t *testing.T) {
	t.Parallel()
	const tools = `{"resultType":"complete","tools":[{"name":"good","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}},` +
		`{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"array","x-mcp-header":"A"}}}}],"ttlMs":5,"cacheScope":"private"}`
	for _, modern := range []bool{true, false} {
		h := newHouse(t, nil)
		key := h.agent("refunds")
		f := &fake{modern: modern, session: !modern, answer: func(m sent) string {
			if m.method == "tools/list" {
				return ok(m, tools)
			}
			return ""
		}}
		h.server("shop", f, nil)
		r := h.modernCall(key, "/mcp/shop", "1", "tools/list", "")
		if got := strings.Contains(r.body, `"bad"`); got == modern || !strings.Contains(r.body, `"good"`) {
			t.Errorf("stateless server %v: the list is %s", modern, r.body)
		}
		r = h.modernCall(key, "/mcp/shop", "2", "tools/call", `"name":"bad","arguments":{"a":[]}`)
		want := ""
		if modern {
			want = "mcp.tool_headers"
		}
		if r.code() != want || len(f.calls("tools/call")) > 0 == modern {
			t.Errorf("stateless server %v: the call got %s", modern, r.body)
		}
	}
}

// A server without session ids that has no stream of its own ends no session by
// saying so.
func TestNoStreamEndsNoSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{session: true, get: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }}
	h.server("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.ServeHTTP(nameless{w}, r)
	}), nil)
	id := h.begin(key, "/mcp/shop")
	with := []string{"Mcp-Session-Id", id, "Mcp-Protocol-Version", "2025-11-25"}
	h.send(key, "GET", "/mcp/shop", "", append([]string{"Accept", "text/event-stream"}, with...)...)
	if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, with...); r.code() != "" {
		t.Errorf("afterwards a call got %s", r.body)
	}
}

// nameless gives no session an id.
type nameless struct{ http.ResponseWriter }

func (n nameless) WriteHeader(status int) {
	n.Header().Del("Mcp-Session-Id")
	n.ResponseWriter.WriteHeader(status)
}

func (n nameless) Write(b []byte) (int, error) {
	n.Header().Del("Mcp-Session-Id")
	return n.ResponseWriter.Write(b)
}

// A client of MCP is led to the metadata of the server that it called.
func TestChallengeOfAServer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) { o.Base = "https://door.example" })
	h.server("shop", &fake{modern: true}, nil)
	for path, part := range map[string]string{"/mcp/shop": "/mcp/shop", "/mcp": "/mcp", "/mcp/Shop": ""} {
		r := h.modernCall("wrong", path, "1", "tools/list", "")
		if want := `Bearer error="invalid_token", resource_metadata="https://door.example/.well-known/oauth-protected-resource` + part + `"`; r.status != 401 || r.header.Get("WWW-Authenticate") != want {
			t.Errorf("%s: %d %s, want %s", path, r.status, r.header.Get("WWW-Authenticate"), want)
		}
	}
}

// What one caller was given is for no cache that others share, whatever the
// server says; and what a server lists is asked anew for each caller.
func TestAnswersAreOfTheirCaller(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	a, b := h.agent("refunds"), h.agent("other")
	f := &fake{modern: true, answer: func(m sent) string {
		switch m.method {
		case "tools/list":
			return ok(m, `{"resultType":"complete","tools":[{"name":"get","inputSchema":{"type":"object"}},{"name":"drop","inputSchema":{"type":"object"}}],"ttlMs":60000,"cacheScope":"public"}`)
		case "resources/list":
			return "event: message\ndata: " + ok(m, `{"resultType":"complete","cacheScope" : "public","ttlMs":60000,"resources":[{"uri":"a://1","name":"one"}]}`) + "\n\n"
		case "resources/read":
			return ok(m, `{"resultType":"complete","contents":[{"uri":"a://1","text":"cacheScope public"}],"ttlMs":60000,"cacheScope":"pub\u006cic"}`)
		}
		return ""
	}}
	h.server("shop", f, nil)
	h.permit(`@id("a") permit (principal == Agent::"refunds", action, resource); @id("b") permit (principal == Agent::"other", action, resource) unless { resource == Tool::"shop.drop" };`)
	for _, c := range []struct {
		method, params string
	}{{"server/discover", ""}, {"tools/list", ""}, {"resources/list", ""}, {"resources/read", `"uri":"a://1"`}} {
		before := len(f.calls(c.method))
		for _, key := range []string{a, b} {
			r := h.modernCall(key, "/mcp/shop", "1", c.method, c.params)
			var m struct {
				Result struct {
					CacheScope string
					TTL        int `json:"ttlMs"`
				}
			}
			text := r.body
			if i := strings.Index(text, "data: "); i >= 0 {
				text = text[i+6:]
			}
			if err := json.Unmarshal([]byte(text), &m); err != nil || m.Result.CacheScope != "private" {
				t.Errorf("%s: %v, %d %s", c.method, err, r.status, r.body)
			}
			if c.method == "resources/read" && !strings.Contains(r.body, `"text":"cacheScope public"`) {
				t.Errorf("content was changed: %s", r.body)
			}
			if drop := strings.Contains(r.body, `"drop"`); drop != (c.method == "tools/list" && key == a) {
				t.Errorf("%s shows drop: %v", c.method, drop)
			}
		}
		if n := len(f.calls(c.method)) - before; n < 2 {
			t.Errorf("%s: asked %d times for two callers", c.method, n)
		}
	}
}

// A stream is resumed by who was given its events, in the session in which they
// were given, and the server gets its own id back.
func TestEventsBelongToTheirSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	a, b := h.agent("refunds"), h.agent("other")
	f := &fake{session: true, answer: func(m sent) string {
		return "id: ev-1\nevent: message\ndata: " + ok(m, `{"content":[]}`) + "\n\n"
	}}
	var resumed atomic.Value
	f.get = func(w http.ResponseWriter, r *http.Request) {
		resumed.Store(r.Header.Get("Last-Event-Id"))
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
	}
	h.server("shop", f, nil)
	call := func(key, session string) string {
		t.Helper()
		r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{}}}`, "Mcp-Session-Id", session, "Accept", "application/json, text/event-stream")
		for line := range strings.Lines(r.body) {
			if id, ok := strings.CutPrefix(line, "id:"); ok {
				return strings.TrimSpace(id)
			}
		}
		t.Fatalf("no id of an event: %d %s", r.status, r.body)
		return ""
	}
	own, second, others := h.begin(a, "/mcp/shop"), h.begin(a, "/mcp/shop"), h.begin(b, "/mcp/shop")
	event := call(a, own)
	for _, c := range []struct {
		name, key, session, last string
		status                   int
	}{
		{"its own", a, own, event, 200},
		{"in another session of its own", a, second, event, 400},
		{"another agent's, in its session", b, others, event, 400},
		{"another agent's session", b, own, event, 404},
		{"the server's own id", a, own, "ev-1", 400},
		{"changed", a, own, event + "x", 400},
	} {
		resumed.Store("")
		r := h.send(c.key, "GET", "/mcp/shop", "", "Mcp-Session-Id", c.session, "Last-Event-Id", c.last, "Accept", "text/event-stream")
		got, _ := resumed.Load().(string)
		if r.status != c.status || (got == "ev-1") != (c.status == 200) || got != "" && got != "ev-1" {
			t.Errorf("%s: %d %s, the server was asked for %q", c.name, r.status, r.body, got)
		}
	}
}

// Nothing that a server links to is fetched by the door: no icon, no resource
// link, no page, whatever shape it comes in.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		t.Errorf("fetched %s", r.URL)
	}))
	defer trap.Close()
	icons := `"icons":[{"src":"` + trap.URL + `/icon.svg","mimeType":"image/svg+xml","sizes":["any"]}]`
	links := `"content":[{"type":"resource_link","uri":"` + trap.URL + `/r","name":"r",` + icons + `},{"type":"resource","resource":{"uri":"` + trap.URL + `/e","text":"t"}},{"type":"text","text":"see ` + trap.URL + `/t"}]`
	h := newHouse(t, nil)
	key := h.agent("refunds")
	f := &fake{modern: true, session: true, answer: func(m sent) string {
		switch m.method {
		case "tools/list":
			return ok(m, `{"resultType":"complete","tools":[{"name":"get",`+icons+`,"inputSchema":{"$ref":"`+trap.URL+`/schema"}}]}`)
		case "resources/list":
			return ok(m, `{"resultType":"complete","resources":[{"uri":"`+trap.URL+`/a","name":"a",`+icons+`}]}`)
		case "resources/read":
			return ok(m, `{"resultType":"complete","contents":[{"uri":"`+trap.URL+`/b","text":"t"}]}`)
		case "tools/call":
			return ok(m, `{"resultType":"complete",`+links+`}`)
		}
		return ""
	}}
	h.server("shop", f, nil)
	h.looks.Store(true)
	id := h.begin(key, "/mcp/shop")
	for _, c := range []struct{ method, params string }{
		{"tools/list", ""}, {"resources/list", ""}, {"resources/read", `"uri":"` + trap.URL + `/b"`}, {"tools/call", `"name":"get","arguments":{}`},
	} {
		if r := h.modernCall(key, "/mcp/shop", "1", c.method, c.params); r.status != 200 || r.code() != "" || !strings.Contains(r.body, trap.URL) {
			t.Errorf("%s: %d %s", c.method, r.status, r.body)
		}
		if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":1,"method":"`+c.method+`","params":{`+c.params+`}}`, "Mcp-Session-Id", id); r.status != 200 || !strings.Contains(r.body, trap.URL) {
			t.Errorf("%s with a session: %d %s", c.method, r.status, r.body)
		}
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("%d links were followed", n)
	}
}
