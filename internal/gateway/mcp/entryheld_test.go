package mcp_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/gateway"
)

// A call at the one entry that people agreed to is read a second time, with the
// tool's definition as it is then: its header still names the tool as the body does.
func TestHeldAtTheEntry(t *testing.T) {
	t.Parallel()
	db, err := control.Open(t.Context(), t.TempDir()+"/approvals.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := approval.Default()
	c.Wait = 20 * time.Second
	book, err := approval.New(t.Context(), approval.Options{DB: db, Key: make([]byte, approval.KeySize), Config: c})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = book.Run(ctx) })
	t.Cleanup(func() { cancel(); loops.Wait() })
	h := newHouse(t, func(o *gateway.Options) { o.Approvals = book })
	key := h.agent("refunds")
	f := offering("order", 2, &fake{modern: true})
	h.server("orders", f, nil)
	h.looks.Store(true)
	h.eventually(func() bool {
		return strings.Contains(h.modernCall(key, "/mcp", "1", "tools/list", "").listed(t), "orders__order_0")
	})
	h.permit(permitAll + `@id("h") @hold("finance") forbid (principal, action == Action::"call_tool", resource);`)
	got := make(chan reply, 1)
	go func() {
		got <- h.modernCall(key, "/mcp", "2", "tools/call", `"name":"orders__order_0","arguments":{"a":1}`)
	}()
	var held *approval.Approval
	h.eventually(func() bool {
		list, err := book.List(t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
		if err == nil && len(list) == 1 {
			held = list[0]
		}
		return held != nil
	})
	if held.Ask.Pin == "" {
		t.Fatal("the tool has no pin: it is not read again")
	}
	if _, err := book.Approve(t.Context(), held.ID, approval.Person{ID: "usr_fin", Name: "Fin", Groups: []string{"finance"}}, held.Bound); err != nil {
		t.Fatal(err)
	}
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
