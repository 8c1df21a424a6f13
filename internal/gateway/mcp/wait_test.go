package mcp_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

// A held call's client is sent to the approval's page. Whatever it says there,
// only a person lets the call go on, once; a retry collects under its own id.
func TestHeldCalls(t *testing.T) {
	t.Parallel()
	h, book := newHeldHouse(t)
	key := h.agent("refunds")
	f := &fake{modern: true}
	h.server("shop", f, nil)
	h.permit(holdCalls)
	body := func(id, more string) string {
		return strings.Replace(modernBody(id, "tools/call", `"name":"refund","arguments":{"a":1}`+more), `"elicitation":{}`, `"elicitation":{"form":{},"url":{}}`, 1)
	}
	send := func(id, more string) reply {
		return h.send(key, "POST", "/mcp/shop", body(id, more), modernHeaders("tools/call", `"name":"refund"`)...)
	}
	first := send("1", "")
	in := first.result(t)
	q := in.Result.InputRequests["approval"]
	if in.Result.ResultType != "input_required" || q.Method != "elicitation/create" || !strings.Contains(string(q.Params), `"mode":"url"`) {
		t.Fatalf("%d %s", first.status, first.body)
	}
	// The client accepts: the call waits on, and nothing is forwarded.
	retry := make(chan reply, 1)
	go func() {
		retry <- send("2", `,"inputResponses":{"approval":{"action":"accept"}},"requestState":"`+in.Result.RequestState+`"`)
	}()
	held := h.waiting(book)
	select {
	case r := <-retry:
		t.Fatalf("the client's own accept let it go: %d %s", r.status, r.body)
	case <-time.After(300 * time.Millisecond):
	}
	if n := len(f.calls("tools/call")); n != 0 {
		t.Fatalf("%d calls were forwarded before anybody agreed", n)
	}
	h.agree(book, held)
	r := <-retry
	if r.code() != "" || !strings.Contains(r.body, "done") || !strings.Contains(r.body, `"id":2`) {
		t.Fatalf("after a person agreed: %d %s", r.status, r.body)
	}
	if got := f.calls("tools/call"); len(got) != 1 || strings.Contains(got[0].body, "inputResponses") || strings.Contains(got[0].body, "requestState") {
		t.Errorf("the server got %+v", got)
	}
	// Other arguments are another call, which waits.
	other := h.send(key, "POST", "/mcp/shop", strings.Replace(body("3", ""), `{"a":1}`, `{"a":2}`, 1), modernHeaders("tools/call", `"name":"refund"`)...)
	if other.result(t).Result.ResultType != "input_required" || len(f.calls("tools/call")) != 1 {
		t.Errorf("other arguments: %d %s", other.status, other.body)
	}
	// So is everything else of params that the server gets, and a header.
	again := func(id, body string, headers ...string) reply {
		return h.send(key, "POST", "/mcp/shop", body, append(modernHeaders("tools/call", `"name":"refund"`), headers...)...)
	}
	before := len(f.calls("tools/call"))
	plain := body("4", "")
	for what, r := range map[string]reply{
		"a task":         again("5", strings.Replace(plain, `"arguments":{"a":1}`, `"arguments":{"a":1},"task":{"ttl":1}`, 1)),
		"options":        again("6", strings.Replace(plain, `"arguments":{"a":1}`, `"arguments":{"a":1},"options":{"x":1}`, 1)),
		"_meta":          again("7", strings.Replace(plain, `"_meta":{`, `"_meta":{"com.example/tenant":"b",`, 1)),
		"another header": again("9", plain, "X-Account", "another"),
	} {
		if r.result(t).Result.ResultType != "input_required" {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	// What differs in each attempt is not: it collects.
	r = again("10", strings.Replace(plain, `"_meta":{`, `"_meta":{"progressToken":"p10","tracestate":"a=b","baggage":"c=d",`, 1))
	if r.code() != "" || !strings.Contains(r.body, "done") {
		t.Errorf("another progress token: %d %s", r.status, r.body)
	}
	if n := len(f.calls("tools/call")); n != before {
		t.Errorf("%d calls were forwarded that nobody agreed to", n-before)
	}
	// Half a pair would be the same as another half to what compares.
	for _, half := range []string{`\ud800`, `\udbff\u0041`, `\udc00`} {
		r := again("11", strings.Replace(plain, `{"a":1}`, `{"a":"`+half+`"}`, 1))
		if r.code() != "mcp.params" || !strings.Contains(r.body, "-32602") {
			t.Errorf("%s: %d %s", half, r.status, r.body)
		}
	}
	for _, d := range h.log.All() {
		if d.Result == activity.ResultOK && d.Verdict != activity.VerdictAllow {
			t.Errorf("decision %+v", d)
		}
	}
}

// opener begins a session whose client opens pages.
func (h *house) opener(key string) string {
	h.t.Helper()
	r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"t","version":"1"}}}`)
	id := r.header.Get("Mcp-Session-Id")
	if r.status != 200 || id == "" {
		h.t.Fatalf("initialize: %d %v %s", r.status, r.header, r.body)
	}
	return id
}

// waitingCall is a held call's answer as it comes.
type waitingCall struct {
	t    *testing.T
	resp *http.Response
	read *bufio.Reader
}

func (h *house) heldCall(t *testing.T, key, ses, id, meta string) *waitingCall {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"refund","arguments":{"a":1},"_meta":{` + meta + `}}}`
	resp := h.open(key, "POST", "/mcp/shop", body, "Mcp-Session-Id", ses)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || resp.Header.Get("X-Reeve-Decision") == "" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return &waitingCall{t, resp, bufio.NewReader(resp.Body)}
}

type heardMessage struct {
	ID     json.RawMessage
	Method string
	Params struct {
		Mode, URL, ElicitationID, Message string
		ProgressToken                     any
		Progress                          float64
	}
	Result json.RawMessage
	Error  *struct {
		Code int
		Data struct {
			Code         string
			RetryToken   string `json:"retry_token"`
			Elicitations []struct{ Mode, URL, ElicitationID string }
		}
	}
}

// next is the next message of the answer, without what tells progress alone.
func (w *waitingCall) next() (m heardMessage) {
	w.t.Helper()
	for {
		m = heardMessage{}
		if err := json.Unmarshal([]byte(nextData(w.t, w.read)), &m); err != nil {
			w.t.Fatal(err)
		}
		if m.Method != "notifications/progress" {
			return m
		}
	}
}

// A client with a session is asked to open the page while its call waits, and
// hears that it still waits; what it answers agrees to nothing. The result comes
// on the stream that was begun, once a person agreed.
func TestHeldCallsOfSessions(t *testing.T) {
	t.Parallel()
	h, book := newHeldHouse(t)
	key := h.agent("refunds")
	f := &fake{session: true}
	h.server("shop", f, nil)
	h.permit(holdCalls)
	ses := h.opener(key)
	call := h.heldCall(t, key, ses, "5", `"progressToken":"p"`)
	ask := call.next()
	held := h.waiting(book)
	if ask.Method != "elicitation/create" || ask.Params.Mode != "url" || ask.Params.URL != "https://reeve.example/approvals/"+held.ID || ask.Params.ElicitationID != held.ID {
		t.Fatalf("%+v", ask)
	}
	var m heardMessage
	if err := json.Unmarshal([]byte(nextData(t, call.read)), &m); err != nil || m.Method != "notifications/progress" || m.Params.ProgressToken != "p" || m.Params.Progress <= 0 || !strings.Contains(m.Params.Message, held.ID) {
		t.Fatalf("%v %+v", err, m)
	}
	answer := `{"jsonrpc":"2.0","id":` + string(ask.ID) + `,"result":{"action":"accept"}}`
	if r := h.send(key, "POST", "/mcp/shop", answer, "Mcp-Session-Id", h.opener(key)); r.code() != "mcp.response" {
		t.Errorf("answered by another session: %d %s", r.status, r.body)
	}
	if r := h.send(key, "POST", "/mcp/shop", answer, "Mcp-Session-Id", ses); r.status != 202 {
		t.Fatalf("the answer: %d %s", r.status, r.body)
	}
	if n := len(f.calls("tools/call")); n != 0 {
		t.Fatalf("the client's accept let %d calls go", n)
	}
	h.agree(book, held)
	if m := call.next(); m.Method != "notifications/elicitation/complete" || m.Params.ElicitationID != held.ID {
		t.Errorf("%+v", m)
	}
	if m := call.next(); string(m.ID) != "5" || !strings.Contains(string(m.Result), "done") {
		t.Errorf("%+v", m)
	}
	if rest, err := call.read.ReadString(0); strings.TrimSpace(rest) != "" || err == nil || err.Error() != "EOF" {
		t.Errorf("after the result: %q %v", rest, err)
	}
	// The same call again collects what came of it, as JSON.
	r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"refund","arguments":{"a":1}}}`, "Mcp-Session-Id", ses)
	if r.code() != "" || !strings.Contains(r.body, `"id":6`) || r.header.Get("X-Reeve-Collected") != held.ID {
		t.Errorf("again: %d %v %s", r.status, r.header, r.body)
	}
	if n := len(f.calls("tools/call")); n != 1 {
		t.Errorf("%d calls at the server", n)
	}
}

// Who will not open the page waits no longer, and may come back with a token,
// also from another session: it joins the same approval.
func TestHeldCallComesBack(t *testing.T) {
	t.Parallel()
	h, book := newHeldHouse(t)
	key, other := h.agent("refunds"), h.agent("other")
	f := &fake{session: true}
	h.server("shop", f, nil)
	h.permit(holdCalls)
	ses := h.opener(key)
	resp := h.open(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"refund","arguments":{"a":1}}}`, "Mcp-Session-Id", ses)
	defer resp.Body.Close()
	call := &waitingCall{t, resp, bufio.NewReader(resp.Body)}
	ask := call.next()
	held := h.waiting(book)
	if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":`+string(ask.ID)+`,"result":{"action":"decline"}}`, "Mcp-Session-Id", ses); r.status != 202 {
		t.Fatalf("the answer: %d %s", r.status, r.body)
	}
	call.next() // nothing more to do on the page
	m := call.next()
	if m.Error == nil || string(m.ID) != "5" || m.Error.Code != -32042 || m.Error.Data.Code != "approval.pending" || m.Error.Data.RetryToken != held.ID ||
		len(m.Error.Data.Elicitations) != 1 || m.Error.Data.Elicitations[0].URL != "https://reeve.example/approvals/"+held.ID {
		t.Fatalf("%+v", m)
	}
	token := `"reeve/retry":"` + held.ID + `"`
	plain := func(key, ses, args string) reply {
		return h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"refund","arguments":`+args+`,"_meta":{"x":1,`+token+`}}}`, "Mcp-Session-Id", ses)
	}
	// It is for this agent and these arguments alone.
	for name, r := range map[string]reply{
		"another agent":   plain(other, h.begin(other, "/mcp/shop"), `{"a":1}`),
		"other arguments": plain(key, ses, `{"a":2}`),
		"one made up":     h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"refund","arguments":{"a":1},"_meta":{"reeve/retry":"apr_0"}}}`, "Mcp-Session-Id", ses),
	} {
		if r.code() != "approval.void" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	// An edited call goes under the id of the attempt that comes for it.
	was, err := book.Original(held)
	if err != nil {
		t.Fatal(err)
	}
	to, bound, err := h.door.Rehearse(t.Context(), held, []byte(strings.Replace(string(was.Body), `"a":1`, `"a":3`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Edit(t.Context(), held.ID, fin, held.Bound, to, bound); err != nil {
		t.Fatal(err)
	}
	r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":"later","method":"tools/call","params":{"name":"refund","arguments":{"a":1},"_meta":{`+token+`}}}`, "Mcp-Session-Id", h.begin(key, "/mcp/shop"))
	got := f.calls("tools/call")
	if r.code() != "" || !strings.Contains(r.body, `"id":"later"`) || !strings.Contains(r.body, "done") || len(got) != 1 || strings.Contains(got[0].body, "reeve/retry") || !strings.Contains(got[0].body, `{"a":3}`) {
		t.Errorf("%d %s: the server got %+v", r.status, r.body, got)
	}
}

// A client that cancels its call, or ends its session, ends the wait; the
// approval stays, and the server hears of neither.
func TestHeldCallsEnd(t *testing.T) {
	t.Parallel()
	h, book := newHeldHouse(t)
	key, other := h.agent("refunds"), h.agent("other")
	f := &fake{session: true}
	h.server("shop", f, nil)
	h.permit(holdCalls)
	ses := h.begin(key, "/mcp/shop")
	cancelled := func(key, ses string) {
		t.Helper()
		if r := h.send(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}`, "Mcp-Session-Id", ses); r.status != 202 {
			t.Fatalf("cancelled: %d %s", r.status, r.body)
		}
	}
	call := h.heldCall(t, key, ses, "5", `"progressToken":7`)
	held := h.waiting(book)
	cancelled(other, h.begin(other, "/mcp/shop"))
	cancelled(key, h.begin(key, "/mcp/shop"))
	if n := len(f.calls("notifications/cancelled")); n != 2 {
		t.Errorf("%d cancelled calls at the server, which may be its own", n)
	}
	cancelled(key, ses)
	if m := call.next(); m.Error == nil || m.Error.Data.Code != "mcp.cancelled" {
		t.Errorf("%+v", m)
	}
	if n := len(f.calls("notifications/cancelled")); n != 2 {
		t.Errorf("the server heard of a call that it never got")
	}
	call = h.heldCall(t, key, ses, "6", `"progressToken":8`)
	if r := h.send(key, "DELETE", "/mcp/shop", "", "Mcp-Session-Id", ses); r.status != 200 {
		t.Fatalf("ended: %d %s", r.status, r.body)
	}
	if m := call.next(); m.Error == nil || m.Error.Data.Code != "mcp.session" {
		t.Errorf("%+v", m)
	}
	if now := h.waiting(book); now.ID != held.ID {
		t.Errorf("%s waits, not %s", now.ID, held.ID)
	}
	// A denial comes on the stream that was begun.
	call = h.heldCall(t, key, h.begin(key, "/mcp/shop"), fmt.Sprint(9), `"progressToken":9,"reeve/retry":"`+held.ID+`"`)
	if _, err := book.Deny(t.Context(), held.ID, fin); err != nil {
		t.Fatal(err)
	}
	if m := call.next(); m.Error == nil || m.Error.Code != -32001 || m.Error.Data.Code != "approval.denied" || string(m.ID) != "9" {
		t.Errorf("%+v", m)
	}
	if n := len(f.calls("tools/call")); n != 0 {
		t.Errorf("%d calls were forwarded", n)
	}
}

// Once the answer was begun, what the server says otherwise than in events is an
// event too: a page of an HTTP server's, an error, another's answer.
func TestHeldCallsOfBadServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, answer, code, not string }{
		{"words of an HTTP server", "502", "mcp.status", "<html>"},
		{"an error", `{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"message":"Unknown tool"}}`, "-32602", ""},
		{"another's answer", `{"jsonrpc":"2.0","id":99,"result":{"evil":1}}`, "mcp.foreign_answer", "evil"},
		{"no JSON", `{"jsonrpc"`, "mcp.answer", ""},
		{"our credential", `{"jsonrpc":"2.0","id":5,"result":{"content":[{"type":"text","text":"` + secret + `"}]}}`, "upstream.leak", secret},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, book := newHeldHouse(t)
			key := h.agent("refunds")
			f := &fake{session: true, answer: func(m sent) string { return c.answer }}
			h.server("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				if c.answer == "502" && strings.Contains(string(b), "tools/call") {
					w.WriteHeader(http.StatusBadGateway)
					fmt.Fprint(w, "<html>broken</html>")
					return
				}
				f.ServeHTTP(w, reread(r, b))
			}), nil)
			h.permit(holdCalls)
			resp := h.open(key, "POST", "/mcp/shop", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"refund","arguments":{"a":1},"_meta":{"progressToken":1}}}`, "Mcp-Session-Id", h.begin(key, "/mcp/shop"))
			defer resp.Body.Close()
			h.agree(book, h.waiting(book))
			b, err := io.ReadAll(resp.Body)
			r := reply{resp.StatusCode, resp.Header, string(b)}
			if err != nil || r.status != 200 || r.code() != c.code || c.not != "" && strings.Contains(r.body, c.not) {
				t.Errorf("%d %v %s", r.status, err, r.body)
			}
		})
	}
}
