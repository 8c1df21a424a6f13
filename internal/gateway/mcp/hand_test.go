package mcp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/pin"
)

// asking is a house whose calls wait for people of finance.
func asking(t *testing.T) (*house, *approval.Book) {
	t.Helper()
	h, book := newHeldHouse(t)
	h.permit(permitAll + `@id("h") @hold("finance") forbid (principal, action, resource);`)
	return h, book
}

// takenOver answers the one call that waits with a person's words.
func (h *house) takenOver(book *approval.Book, a approval.Answer) {
	h.t.Helper()
	held := h.waiting(book)
	if _, err := book.TakeOver(h.t.Context(), held.ID, fin, &a, false); err != nil {
		h.t.Fatal(err)
	}
}

// What a person answers in the server's place is a result of the client's own
// request, in the words of its era and in a form that it takes, at each address.
func TestTakenOverIsAResult(t *testing.T) {
	t.Parallel()
	h, book := asking(t)
	key := h.agent("refunds")
	f := &fake{modern: true}
	h.server("shop", f, nil)
	h.looks.Store(true)
	h.pins.mu.Lock()
	h.pins.alias["shop__refund"] = [2]string{"shop", "refund"}
	h.pins.mu.Unlock()
	session := h.begin(key, "/mcp/shop")
	entry := h.begin(key, "/mcp")
	const words, whole = "refunded by hand", `{"jsonrpc":"2.0","id":99,"result":{"content":[{"type":"text","text":"all"}],"isError":true}}`
	content := func(text string) string { return `{"content":[{"type":"text","text":` + string(quoteJSON(text)) + `}]` }
	for i, c := range []struct {
		what, path, method, params, session string
		accept                              string
		answer                              approval.Answer
		member, want                        string
	}{
		{"without sessions", "/mcp/shop", "tools/call", `"name":"refund"`, "", "", approval.Answer{Status: 200, Body: []byte(words)}, "result", content(words) + `,"resultType":"complete"}`},
		{"at the one entry", "/mcp", "tools/call", `"name":"shop__refund"`, "", "", approval.Answer{Status: 200, Body: []byte(words)}, "result", content(words) + `,"resultType":"complete"}`},
		{"with a session", "/mcp/shop", "tools/call", `"name":"refund"`, session, "", approval.Answer{Status: 200, Body: []byte(words)}, "result", content(words) + `}`},
		{"with a session at the one entry", "/mcp", "tools/call", `"name":"shop__refund"`, entry, "", approval.Answer{Status: 200, Body: []byte(words)}, "result", content(words) + `}`},
		{"as a stream", "/mcp/shop", "tools/call", `"name":"refund"`, "", "text/event-stream", approval.Answer{Status: 200, Body: []byte("two\nlines")}, "result", content("two\nlines") + `,"resultType":"complete"}`},
		{"as JSON alone", "/mcp/shop", "tools/call", `"name":"refund"`, "", "application/json", approval.Answer{Status: 200, Body: []byte(words)}, "result", content(words) + `,"resultType":"complete"}`},
		{"data", "/mcp/shop", "tools/call", `"name":"refund"`, session, "", approval.Answer{Status: 201, Body: []byte(`{"n": 12345678901234567890}`)}, "result", content(`{"n": 12345678901234567890}`) + `,"structuredContent":{"n":12345678901234567890}}`},
		{"an error", "/mcp/shop", "tools/call", `"name":"refund"`, session, "", approval.Answer{Status: 409, Body: []byte(words)}, "result", content(words) + `,"isError":true}`},
		{"a whole result", "/mcp/shop", "tools/call", `"name":"refund"`, "", "", approval.Answer{Status: 200, Body: []byte(whole)}, "result", content("all") + `,"isError":true,"resultType":"complete"}`},
		{"a whole result without an id", "/mcp/shop", "tools/call", `"name":"refund"`, session, "", approval.Answer{Status: 200, Body: []byte(strings.Replace(whole, `"id":99,`, "", 1))}, "result", content("all") + `,"isError":true}`},
		{"a whole error", "/mcp/shop", "tools/call", `"name":"refund"`, "", "", approval.Answer{Status: 200, Body: []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}`)}, "error", `{"code":-1,"message":"no"}`},
		{"a result that asks on", "/mcp/shop", "tools/call", `"name":"refund"`, "", "", approval.Answer{Status: 200, Body: []byte(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}}`)}, "result", content(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}}`) + `,"structuredContent":{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required"}},"resultType":"complete"}`},
		{"a resource", "/mcp/shop", "resources/read", `"uri":"a://b"`, "", "", approval.Answer{Status: 200, Body: []byte(words)}, "result", `{"contents":[{"uri":"a://b","text":"refunded by hand"}],"resultType":"complete","ttlMs":0,"cacheScope":"private"}`},
		{"a prompt", "/mcp/shop", "prompts/get", `"name":"p"`, session, "", approval.Answer{Status: 200, Body: []byte(words)}, "result", `{"messages":[{"role":"user","content":{"type":"text","text":"refunded by hand"}}]}`},
	} {
		id := fmt.Sprintf(`"call-%d"`, i)
		params := c.params
		if c.method == "tools/call" {
			params += fmt.Sprintf(`,"arguments":{"a":%d}`, i)
		}
		body, headers := modernBody(id, c.method, params), modernHeaders(c.method, c.params)
		if c.session != "" {
			body, headers = `{"jsonrpc":"2.0","id":`+id+`,"method":"`+c.method+`","params":{`+params+`}}`, []string{"Mcp-Session-Id", c.session}
		}
		if c.accept != "" {
			headers = append(headers, "Accept", c.accept)
		}
		// Each is of a run of its own: in another, people would be asked again.
		headers = append(headers, "X-Reeve-Run", fmt.Sprintf("run-%d", i))
		got := make(chan reply, 1)
		go func() { got <- h.send(key, "POST", c.path, body, headers...) }()
		c.answer.Header = map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}}
		h.takenOver(book, c.answer)
		r := <-got
		kind, text := "application/json", r.body
		if c.accept == "text/event-stream" {
			kind, text = c.accept, strings.TrimSpace(text[strings.Index(text, "data: ")+6:])
		}
		var msg map[string]json.RawMessage
		if r.status != http.StatusOK || r.header.Get("Content-Type") != kind || json.Unmarshal([]byte(text), &msg) != nil ||
			len(msg) != 3 || string(msg["jsonrpc"]) != `"2.0"` || string(msg["id"]) != id || !sameJSON(t, msg[c.member], c.want) {
			t.Errorf("%s: %d %v %s\nwant %s %s", c.what, r.status, r.header, r.body, c.member, c.want)
		}
	}
	if n := len(f.calls("tools/call")); n != 0 {
		t.Errorf("%d calls reached the server", n)
	}
}

func sameJSON(t *testing.T, a []byte, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return json.Unmarshal(a, &x) == nil && reflect.DeepEqual(x, y)
}

// What would be put to policy for a tool is what a call of it is decided on.
func TestAskAboutATool(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), t.TempDir()+"/pins.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	book, err := pin.New(t.Context(), pin.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.See(t.Context(), "shop", []pin.Tool{{Name: "get.one", Description: "Gets."}, {Name: "drop", Description: "Drops."}}, true); err != nil {
		t.Fatal(err)
	}
	v, err := book.Get("shop", "get.one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Accept(t.Context(), pin.Actor{Person: "ada"}, "shop", "get.one", pin.Acceptance{Hash: v.Listed, Effect: "read", Classes: []string{"personal"}, Reason: "looked at"}); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(o *gateway.Options) { o.Pins = book })
	h.pins.held["shop.drop"] = true
	key := h.agent("refunds")
	h.server("shop", &fake{modern: true}, nil)
	h.permit(`@id("reads") permit (principal == Agent::"refunds", action == Action::"call_tool", resource in Upstream::"shop") when { resource.pinned && resource.effect == Effect::"read" };`)
	found, _ := h.agents.Lookup("refunds")
	for _, c := range []struct {
		tool string
		want activity.Verdict
	}{{"get.one", activity.VerdictAllow}, {"drop", activity.VerdictDeny}} {
		q, err := h.door.Ask(t.Context(), gateway.Caller{Agent: found, Credential: "agent_key"}, "call_tool", "shop."+c.tool)
		if err != nil {
			t.Fatal(err)
		}
		would := h.policies.Decide(q)
		r := h.modernCall(key, "/mcp/shop", "1", "tools/call", `"name":"`+c.tool+`"`)
		is := h.log.Of(t, r.header.Get("X-Reeve-Decision"))
		if would.Verdict != c.want || is.Verdict != c.want || q.Resource.ID != is.Resource || !reflect.DeepEqual(would.Policies, is.Policies) || !reflect.DeepEqual(would.Reasons, is.Reasons) {
			t.Errorf("%s: asked %+v of %+v, called %+v", c.tool, would, q.Resource, is)
		}
		if c.tool == "get.one" && !strings.Contains(fmt.Sprint(q.Resource.Classes), "personal") {
			t.Errorf("classes %v", q.Resource.Classes)
		}
	}
	for resource, code := range map[string]string{"shop": "gateway.asked", "shop.": "gateway.asked", ".x": "gateway.asked", "local.": "gateway.asked", "nowhere.x": "upstream.not_found"} {
		if _, err := h.door.Ask(t.Context(), gateway.Caller{Agent: found, Credential: "agent_key"}, "call_tool", resource); err == nil || fault.From(err).Code != code {
			t.Errorf("%q: %v", resource, err)
		}
	}
}
