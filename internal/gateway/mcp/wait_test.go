package mcp_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/gateway"
)

// A held call's client is sent to the approval's page. Whatever it says there,
// only a person lets the call go on, once; a retry collects under its own id.
func TestHeldCalls(t *testing.T) {
	t.Parallel()
	var book *approval.Book
	db, err := control.Open(t.Context(), t.TempDir()+"/approvals.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := approval.Default()
	c.Wait = time.Second
	book, err = approval.New(t.Context(), approval.Options{DB: db, Key: make([]byte, approval.KeySize), Config: c, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = book.Run(ctx) })
	t.Cleanup(func() { cancel(); loops.Wait() })
	h := newHouse(t, func(o *gateway.Options) { o.Approvals = book })
	key := h.agent("refunds")
	f := &fake{modern: true}
	h.server("shop", f, nil)
	h.permit(permitAll + `@id("h") @hold("finance") forbid (principal, action == Action::"call_tool", resource);`)
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
	var held *approval.Approval
	h.eventually(func() bool {
		list, err := book.List(t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
		if err == nil && len(list) == 1 {
			held = list[0]
		}
		return held != nil
	})
	select {
	case r := <-retry:
		t.Fatalf("the client's own accept let it go: %d %s", r.status, r.body)
	case <-time.After(300 * time.Millisecond):
	}
	if n := len(f.calls("tools/call")); n != 0 {
		t.Fatalf("%d calls were forwarded before anybody agreed", n)
	}
	person := approval.Person{ID: "usr_fin", Name: "Fin", Groups: []string{"finance"}}
	if _, err := book.Approve(t.Context(), held.ID, person, held.Bound); err != nil {
		t.Fatal(err)
	}
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
