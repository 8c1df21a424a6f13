package decision

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/bus"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// rows is a store as strict as the contract: it refuses what was stored already.
type rows struct {
	mu     sync.Mutex
	cursor uint64
	all    []activity.Decision
	fail   error
}

func (r *rows) Cursor(context.Context, int) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cursor, nil
}

func (r *rows) Append(_ context.Context, w *telemetry.Write) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	if w.Partition != telemetry.PartitionDecisions || w.Cursor < r.cursor {
		return fmt.Errorf("partition %d, cursor %d behind %d", w.Partition, w.Cursor, r.cursor)
	}
	r.cursor = w.Cursor
	r.all = append(r.all, slices.Clone(w.Decisions)...)
	return nil
}

func (r *rows) Decisions(_ context.Context, q telemetry.DecisionsQuery) (p telemetry.DecisionsPage, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.all {
		if ok, err := fits(&q, time.Now(), &d); err != nil || !ok {
			if err != nil {
				return p, err
			}
			continue
		}
		p.Decisions = append(p.Decisions, d)
	}
	slices.SortFunc(p.Decisions, newestFirst)
	if len(p.Decisions) > q.Limit {
		p.Decisions, p.More = p.Decisions[:q.Limit], true
	}
	return p, nil
}

func (r *rows) Decision(_ context.Context, id string) (*activity.Decision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.all {
		if d.ID == id {
			return &d, nil
		}
	}
	return nil, fault.New(fault.KindNotFound, "test.none", "none")
}

func TestIndex(t *testing.T) {
	t.Parallel()
	b, dir, store := openBus(t, bus.Options{}), t.TempDir(), &rows{}
	l, stop := running(t, b.Decisions(), dir)
	told, rows := 0, 0
	x, err := NewIndex(t.Context(), l, store, func(_ context.Context, list []Notice) {
		for _, n := range list {
			told, rows = told+n.Count, rows+len(n.Newest)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(41, 1))
	var all []*activity.Decision
	propose := func(n int) {
		for range n {
			d := sample(r, l.NewID())
			d.At = time.Now().UnixNano() / 1000 * 1000
			if err := l.Propose(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			all = append(all, d)
		}
	}
	list := func(q telemetry.DecisionsQuery) []activity.Decision {
		t.Helper()
		var out []activity.Decision
		for {
			p, err := x.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p.Decisions...)
			if !p.More {
				return out
			}
			last := out[len(out)-1]
			q.After = telemetry.DecisionPlace{At: last.At, ID: last.ID}
		}
	}
	check := func(name string, pending int) {
		t.Helper()
		got := list(telemetry.DecisionsQuery{Limit: 7})
		if len(got) != len(all) {
			t.Fatalf("%s: %d decisions, want %d", name, len(got), len(all))
		}
		n := 0
		for i, d := range got {
			if want := all[len(all)-1-i]; d.ID != want.ID || d.Agent != want.Agent || d.Seq < 0 || d.Node != "n1" {
				t.Fatalf("%s: at %d is %s, want %s", name, i, d.ID, want.ID)
			}
			if d.Result == activity.ResultPending {
				n++
			}
		}
		if n != pending {
			t.Errorf("%s: %d pending, want %d", name, n, pending)
		}
	}
	propose(10)
	check("at once", 10)
	for _, d := range all[:6] {
		end(r, d)
		l.Complete(d)
	}
	l.barrier(t)
	check("completed", 4)
	if err := x.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("stored", 4)
	propose(5)
	check("stored and not", 9)
	x.tell(t.Context())
	if told != 15 || rows != 15 {
		t.Errorf("told of %d with %d rows", told, rows)
	}
	e, err := search.ParseIn(search.ScopeDecision, "result:pending")
	if err != nil {
		t.Fatal(err)
	}
	if got := list(telemetry.DecisionsQuery{Filter: e}); len(got) != 9 {
		t.Errorf("%d are pending", len(got))
	}
	if d, err := x.Get(t.Context(), all[2].ID); err != nil || d.ID != all[2].ID || d.Result != all[2].Result {
		t.Errorf("stored: %+v, %v", d, err)
	}
	d, err := x.Get(t.Context(), all[12].ID)
	if err != nil || d.Result != activity.ResultPending {
		t.Errorf("pending: %+v, %v", d, err)
	}
	if err := l.Content(t.Context(), d); err != nil || string(d.Context) != string(all[12].Context) || d.ArgumentsHash != all[12].ArgumentsHash {
		t.Errorf("content: %s, %v", d.Context, err)
	}
	for _, id := range []string{"", "dec_x", l.NewID()} {
		if _, err := x.Get(t.Context(), id); fault.From(err).Code != "decision.unknown" {
			t.Errorf("%q gives %v", id, err)
		}
	}
	store.fail = errors.New("the store is down")
	for _, d := range all[6:10] {
		end(r, d)
		l.Complete(d)
	}
	l.barrier(t)
	check("with a store that is down", 5)
	if err := x.flush(t.Context()); !errors.Is(err, store.fail) {
		t.Errorf("flushing gives %v", err)
	}
	check("still", 5)
	stop()
	// The next process: completions of proposals that are before the cursor.
	store.fail = nil
	l, stop = running(t, b.Decisions(), dir)
	if x, err = NewIndex(t.Context(), l, store, nil); err != nil {
		t.Fatal(err)
	}
	check("after a restart", 0)
	if err := x.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(store.all) != 15 {
		t.Errorf("%d rows are stored, want 15", len(store.all))
	}
	check("all stored", 0)
	stop()
}

func TestIndexRun(t *testing.T) {
	t.Parallel()
	b, store := openBus(t, bus.Options{}), &rows{}
	l, stop := running(t, b.Decisions(), t.TempDir())
	x, err := NewIndex(t.Context(), l, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	r := rand.New(rand.NewPCG(42, 1))
	for range 50 {
		d := sample(r, l.NewID())
		if err := l.Propose(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		end(r, d)
		l.Complete(d)
	}
	stop()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(store.all) != 50 {
		t.Errorf("%d rows at the end, want 50", len(store.all))
	}
}
