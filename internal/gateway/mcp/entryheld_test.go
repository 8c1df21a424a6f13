package mcp_test

import (
	"strings"
	"testing"
)

// A call at the one entry that people agreed to is read a second time, with the
// tool's definition as it is then: its header still names the tool as the body does.
func TestHeldAtTheEntry(t *testing.T) {
	t.Parallel()
	h, book := newHeldHouse(t)
	key := h.agent("refunds")
	f := offering("order", 2, &fake{modern: true})
	h.server("orders", f, nil)
	h.looks.Store(true)
	h.eventually(func() bool {
		return strings.Contains(h.modernCall(key, "/mcp", "1", "tools/list", "").listed(t), "orders__order_0")
	})
	h.permit(holdCalls)
	got := make(chan reply, 1)
	go func() {
		got <- h.modernCall(key, "/mcp", "2", "tools/call", `"name":"orders__order_0","arguments":{"a":1}`)
	}()
	held := h.waiting(book)
	if held.Ask.Pin == "" {
		t.Fatal("the tool has no pin: it is not read again")
	}
	h.agree(book, held)
	r := <-got
	calls := f.calls("tools/call")
	if r.code() != "" || len(calls) != 1 || calls[0].header.Get("Mcp-Name") != "order_0" || !strings.Contains(calls[0].body, `"name":"order_0"`) {
		t.Fatalf("%d %s: the server got %+v", r.status, r.body, calls)
	}
	// The same call again collects.
	if r := h.modernCall(key, "/mcp", "3", "tools/call", `"name":"orders__order_0","arguments":{"a":1}`); r.code() != "" || r.header.Get("X-Reeve-Collected") != held.ID || len(f.calls("tools/call")) != 1 {
		t.Errorf("again: %d %s", r.status, r.body)
	}
}
