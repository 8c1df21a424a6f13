package app

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/price"
)

// The whole process is killed at random moments while 64 callers spend against
// hard budgets in tokens, money and calls: what the upstream served never comes to
// more than a limit, by a token or a cent, and nothing leaks: in the end the
// budgets are full but for what killed calls may have used. REEVE_KILLS sets how
// often.
func TestBudgetsOverKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("REEVE_KILLS")); err == nil {
		kills = n
	}
	// The most tokens of a call: its bytes, what a provider adds (256) and its max_tokens.
	const callers, most = 64, 450
	book, err := price.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var served struct{ calls, tokens, nanos atomic.Int64 }
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		u := activity.NoUsage
		u.InputTotal, u.OutputTotal = 1+rand.Int64N(30), rand.Int64N(100)
		served.calls.Add(1)
		served.tokens.Add(u.InputTotal + u.OutputTotal)
		served.nanos.Add(book.Cost("openai", "gpt-4o", time.Now(), u).Nanos)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id":"c","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, u.InputTotal, u.OutputTotal)
	}))
	t.Cleanup(up.Close)
	// The end of each budget comes into sight before the last kill, whatever the
	// machine makes in a round.
	limits := map[string]float64{"tokens": float64(kills) * 40_000, "money": float64(kills) * 0.3, "calls": float64(kills) * 1500}
	dir := t.TempDir()
	begin := func(first bool) *child {
		c := startChild(t, childOptions{Dir: dir})
		if !first {
			return c
		}
		if _, err := c.api.PutUpstream(t.Context(), client.PutUpstreamRequest{
			Name: "openai", Kind: "llm", Dialect: "openai", URL: up.URL, Team: "dev", Environment: "dev", AllowPrivate: true,
		}); err != nil {
			t.Fatal(err)
		}
		for unit, limit := range limits {
			if _, err := c.api.PutBudget(t.Context(), client.PutBudgetRequest{Name: "all-" + unit, Scope: "team", Match: "dev", Unit: unit, Limit: limit, Period: "total", Hard: true}); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	t.Cleanup(transport.CloseIdleConnections)
	call := func(ctx context.Context, c *child, n int) (status int, code string) {
		req, err := http.NewRequestWithContext(ctx, "POST", "http://"+c.Gateway+"/llm/openai/v1/chat/completions",
			strings.NewReader(`{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"spend"}]}`))
		if err != nil {
			return 0, err.Error()
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Reeve-Agent", fmt.Sprint("spender-", n%4))
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Header.Get("X-Reeve-Code")
	}
	within := func(when string) {
		t.Helper()
		for unit, got := range map[string]float64{"tokens": float64(served.tokens.Load()), "money": float64(served.nanos.Load()) / 1e9, "calls": float64(served.calls.Load())} {
			if got > limits[unit]+1e-12 {
				t.Fatalf("%s: the upstream served %v %s of %v", when, got, unit, limits[unit])
			}
		}
	}
	for round := range kills {
		c := begin(round == 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var group sync.WaitGroup
		for n := range callers {
			group.Go(func() {
				for ctx.Err() == nil {
					if _, code := call(ctx, c, n); code == "budget.exceeded" {
						return
					}
				}
			})
		}
		<-time.After(time.Duration(100+rand.IntN(900)) * time.Millisecond)
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		_ = c.cmd.Wait() // it was killed
		cancel()
		group.Wait()
		within(fmt.Sprint("after kill ", round+1))
	}
	c := begin(false)
	var refused atomic.Int64
	var group sync.WaitGroup
	for n := range callers { // and now to the end
		group.Go(func() {
			for t.Context().Err() == nil {
				switch _, code := call(t.Context(), c, n); code {
				case "budget.exceeded":
					refused.Add(1)
					return
				case "", "budget.not_ready", "limit.rate":
				default:
					t.Errorf("a call: %s", code)
					return
				}
			}
		})
	}
	group.Wait()
	// A call settles after its answer, so those refusals may be due to what was
	// still reserved: the end is a refusal while nothing is.
	for {
		list, err := c.api.ListBudgets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		settled := !slices.ContainsFunc(list.Items, func(b client.Budget) bool { return b.Reserved != 0 })
		if _, code := call(t.Context(), c, 0); settled && code == "budget.exceeded" {
			break
		}
	}
	within("in the end")
	// What each budget holds as spent is what was served and at most what calls
	// that a kill took had reserved; nothing stays reserved.
	list, err := c.api.ListBudgets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	full := false
	for _, b := range list.Items {
		limit, ok := limits[b.Unit]
		if !ok || !strings.HasPrefix(b.Name, "all-") {
			continue
		}
		got, bound := map[string]float64{"tokens": float64(served.tokens.Load()), "money": float64(served.nanos.Load()) / 1e9, "calls": float64(served.calls.Load())}[b.Unit],
			map[string]float64{"tokens": most, "money": most * 15e-6, "calls": 1}[b.Unit]
		if b.Reserved != 0 || b.Spent > limit+1e-9 || b.Spent < got-1e-9 {
			t.Errorf("%s: %v spent and %v reserved of %v, served %v", b.Unit, b.Spent, b.Reserved, limit, got)
		}
		if lost := b.Spent - got; lost > float64(kills*callers)*bound+1e-9 {
			t.Errorf("%s: %v are spent that nobody used; %d kills of %d callers explain %v", b.Unit, lost, kills, callers, float64(kills*callers)*bound)
		}
		full = full || limit-b.Spent < bound
		t.Logf("%s: served %v, spent %v of %v", b.Unit, math.Round(got*1e6)/1e6, b.Spent, limit)
	}
	if !full || refused.Load() != callers {
		t.Errorf("no budget was spent to its end (%d callers refused)", refused.Load())
	}
	if err := c.end(t, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
