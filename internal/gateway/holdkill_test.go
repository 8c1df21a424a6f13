package gateway_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

// agreeToAll is people who agree to everything, a little later.
func agreeToAll(ctx context.Context, b *approval.Book) {
	for ctx.Err() == nil {
		list, err := b.List(ctx, approval.Filter{States: []approval.State{approval.Pending}})
		if err != nil {
			return
		}
		for _, a := range list {
			if rand.IntN(3) > 0 {
				_, _ = b.Approve(ctx, a.ID, finance, a.Bound) // one that is settled meanwhile is
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// The door is killed at random moments while people agree to what it holds:
// nothing that was asked for is lost, and nothing happens twice. What was being
// forwarded is unknown from then on. REEVE_KILLS sets how often.
func TestHeldCallsAndKills(t *testing.T) {
	t.Parallel()
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("REEVE_KILLS")); err == nil {
		kills = n
	}
	var mu sync.Mutex
	seen := map[string]int{}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/n/")
		mu.Lock()
		seen[name]++
		mu.Unlock()
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(up.Close)
	dir := t.TempDir()
	n, asked, answered, unknown := 0, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for round := range kills + 1 {
		c, address, key := startChild(t, dir, up.URL, childHolds+"=1")
		ctx, cancel := context.WithCancel(t.Context())
		// call makes a call and notes what it came to; a retry is the same call.
		call := func(name string) {
			req, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/http/shop/n/"+name, nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("X-Api-Key", key)
			req.Header.Set("X-Reeve-Run", "n-"+name)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				return // killed, or about to be
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			switch code := resp.Header.Get("X-Reeve-Code"); {
			case resp.StatusCode == http.StatusOK && err == nil && string(body) == name:
				answered[name] = true
			case code == "approval.unknown":
				unknown[name] = true
			case code == "approval.void" || code == "approval.denied":
				t.Errorf("%s: %s %s", name, code, body)
			}
		}
		var workers sync.WaitGroup
		mu.Lock()
		var again []string
		for name := range asked {
			if !answered[name] && !unknown[name] {
				again = append(again, name)
			}
		}
		mu.Unlock()
		for i := range 8 {
			workers.Go(func() {
				for j := i; j < len(again) && ctx.Err() == nil; j += 8 {
					call(again[j])
				}
				if round == kills {
					return // the last process only answers for the others
				}
				for ctx.Err() == nil {
					mu.Lock()
					n++
					name := strconv.Itoa(n)
					asked[name] = true
					mu.Unlock()
					call(name)
				}
			})
		}
		if round < kills {
			timer := time.NewTimer(time.Duration(100+rand.IntN(500)) * time.Millisecond)
			<-timer.C
			if err := c.Process.Kill(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			_ = c.Wait() // it was killed
			cancel()
			workers.Wait()
			continue
		}
		workers.Wait()
		cancel()
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
	}
	mu.Lock()
	defer mu.Unlock()
	for name := range asked {
		switch {
		case seen[name] > 1:
			t.Errorf("%s happened %d times", name, seen[name])
		case answered[name] && seen[name] != 1:
			t.Errorf("%s was answered and the upstream never saw it", name)
		case !answered[name] && !unknown[name]:
			t.Errorf("%s was asked for, and neither answered nor said to be unknown", name)
		}
	}
	states := heldStates(t, dir)
	if len(answered) == 0 || states[approval.Executing] != 0 || states[approval.Unknown] != len(unknown) {
		t.Errorf("%d answered, %d told to be unknown, states %v", len(answered), len(unknown), states)
	}
	t.Logf("%d kills: %d asked for, %d seen by the upstream, %d answered, %d unknown, states %v", kills, len(asked), len(seen), len(answered), len(unknown), states)
}

func heldStates(t *testing.T, dir string) map[approval.State]int {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	type count struct {
		state string
		n     int
	}
	list, err := control.All(t.Context(), db, func(r control.Row) (c count, err error) { return c, r.Scan(&c.state, &c.n) }, `SELECT state, COUNT(*) FROM approvals GROUP BY state`)
	if err != nil {
		t.Fatal(err)
	}
	out := map[approval.State]int{}
	for _, c := range list {
		out[approval.State(c.state)] = c.n
	}
	return out
}
