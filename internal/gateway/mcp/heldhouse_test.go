package mcp_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"reeve/internal/approval"
	"reeve/internal/control/controltest"
	"reeve/internal/gateway"
)

// holdCalls is the policy by which people of finance are asked about calls of
// tools.
const holdCalls = permitAll + `@id("h") @hold("finance") forbid (principal, action == Action::"call_tool", resource);`

var fin = approval.Person{ID: "usr_fin", Name: "Fin", Groups: []string{"finance"}}

// newHeldHouse is a house whose held calls become approvals in a book of its own.
func newHeldHouse(t *testing.T) (*house, *approval.Book) {
	t.Helper()
	db, err := controltest.Open(t.Context(), t.TempDir()+"/approvals.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := approval.Default()
	c.Open, c.Wait = 50, 10*time.Second
	book, err := approval.New(t.Context(), approval.Options{DB: db, Key: make([]byte, approval.KeySize), Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = book.Run(ctx) })
	t.Cleanup(func() { cancel(); loops.Wait() })
	return newHouse(t, func(o *gateway.Options) {
		o.Approvals = book
		o.Page = func(id string) string { return "https://reeve.example/approvals/" + id }
	}), book
}

// waiting is the one approval that waits.
func (h *house) waiting(book *approval.Book) (held *approval.Approval) {
	h.t.Helper()
	h.eventually(func() bool {
		list, err := book.List(h.t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
		if err == nil && len(list) == 1 {
			held = list[0]
		}
		return held != nil
	})
	return held
}

// agree lets a held call go on, as a person of finance.
func (h *house) agree(book *approval.Book, held *approval.Approval) {
	h.t.Helper()
	if _, err := book.Approve(h.t.Context(), held.ID, fin, held.Bound); err != nil {
		h.t.Fatal(err)
	}
}
