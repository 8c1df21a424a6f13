package source

import (
	"context"
	"sync"
	"testing"
	"time"

	"reeve/client"
)

// What the door asks is answered from memory, by whatever name steps use, for the
// team that asks; it grows stale by the clock alone.
func TestFresh(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	anybody := Actor{Person: "ada", Can: func(string, string, string) bool { return true }}
	put := func(in client.PutSourceRequest) {
		t.Helper()
		if _, err := b.Put(t.Context(), anybody, in); err != nil {
			t.Fatal(err)
		}
	}
	if !b.Any() {
		t.Error("before anything was read there may be sources")
	}
	if err := b.look(t.Context()); err != nil || b.Any() {
		t.Errorf("there is a source before any was put (%v)", err)
	}
	put(client.PutSourceRequest{Name: "policy", Team: "support", Dataset: "db.public.refund_policy", Aliases: []string{"file:///Policy.md"}, MaxAge: "24h"})
	put(client.PutSourceRequest{Name: "ageless", Team: "support"})
	put(client.PutSourceRequest{Name: "unseen", Team: "support", MaxAge: "1h"})
	for _, name := range []string{"policy", "ageless"} {
		if _, err := b.AddDocuments(t.Context(), Sender{Team: "support"}, name, []client.SourceDocument{{ID: "1", Version: "1", CrawledAt: *now}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, known := b.Fresh("support", "policy"); known || !b.Any() {
		t.Error("known before it was read, or no source at all")
	}
	if err := b.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func(team, name string, fresh, known bool) {
		t.Helper()
		if f, k := b.Fresh(team, name); f != fresh || k != known {
			t.Errorf("%s %s: fresh %v, known %v; want %v, %v", team, name, f, k, fresh, known)
		}
	}
	for _, name := range []string{"policy", "Refund_Policy", "db.public.refund_policy", "file:///policy.md"} {
		check("support", name, true, true)
	}
	check("support", "ageless", false, false)
	check("support", "unseen", false, false)
	check("support", "other", false, false)
	check("support", "", false, false)
	check("sales", "policy", false, false)
	*now = now.Add(25 * time.Hour)
	check("support", "policy", false, true)
}

// What changes is seen without asking: Run reads it again.
func TestFreshFollows(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	anybody := Actor{Person: "ada", Can: func(string, string, string) bool { return true }}
	if _, err := b.Put(t.Context(), anybody, client.PutSourceRequest{Name: "policy", Team: "support", MaxAge: "24h"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddDocuments(t.Context(), Sender{Team: "support"}, "policy", []client.SourceDocument{{ID: "1", Version: "1", CrawledAt: *now}}); err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if fresh, known := b.Fresh("support", "policy"); fresh && known {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Error("not seen in 30 s")
}
