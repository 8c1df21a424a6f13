package gateway_test

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/gateway"
	"reeve/internal/identity/token"
	"reeve/internal/stop"
	"reeve/internal/testkit"
)

// Two hundred streams in flight, a tenth of them of an agent that acts for the
// one that is stopped: how long until their agents read the last byte.
func TestTimeToStop(t *testing.T) {
	t.Parallel()
	const streams, rounds = 200, 5
	known := tokens{p: map[string]token.Principal{"a.delegate.x": {Credential: "access_token", Agent: "delegate", Epoch: 1, Chain: []string{"refunds"}}}}
	h := newHouse(t, func(o *gateway.Options) { o.Tokens = known })
	h.agent("delegate")
	if _, err := h.agents.Create(t.Context(), testkit.EveryRole(), agent.Agent{Name: "refunds", Team: "support", Purpose: "tests", Autonomy: agent.Autonomous}, ""); err != nil {
		t.Fatal(err)
	}
	known.p["a.refunds.x"] = token.Principal{Credential: "jwt_svid", Agent: "refunds", Epoch: 1}
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
				return
			}
			if rc.Flush() != nil {
				return
			}
			select {
			case <-tick.C:
			case <-r.Context().Done():
			}
		}
	}), nil)
	transport := &http.Transport{MaxIdleConnsPerHost: streams}
	t.Cleanup(transport.CloseIdleConnections)
	var took []time.Duration
	for range rounds {
		var mu sync.Mutex
		var last []time.Time
		var readers sync.WaitGroup
		for i := range streams {
			text := "a.refunds.x"
			if i%10 == 0 {
				text = "a.delegate.x"
			}
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/http/shop/v1/orders/1", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+text)
			resp, err := transport.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatal(resp, err)
			}
			readers.Go(func() {
				defer func() { _ = resp.Body.Close() }()
				var at time.Time
				buf := make([]byte, 512)
				for {
					n, err := resp.Body.Read(buf)
					if n > 0 {
						at = time.Now()
					}
					if err != nil {
						break
					}
				}
				mu.Lock()
				defer mu.Unlock()
				last = append(last, at)
			})
		}
		began := time.Now()
		st, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: stop.KindAgent, Value: "refunds"}, "it misbehaves", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		readers.Wait()
		for _, at := range last {
			took = append(took, max(at.Sub(began), 0))
		}
		if n := st.Receipt.Targets[0].CallsCut; n != streams || !slices.Equal(st.Receipt.Delegates, []string{"delegate"}) {
			t.Errorf("%d calls cut, delegates %v", n, st.Receipt.Delegates)
		}
		if _, err := h.stops.Lift(t.Context(), "ada", st.ID, "mended"); err != nil {
			t.Fatal(err)
		}
		a, _ := h.agents.Lookup("refunds")
		known.p["a.refunds.x"] = token.Principal{Credential: "jwt_svid", Agent: "refunds", Epoch: a.Epoch}
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("last byte after the request to stop, %d streams: p50 %s, p99 %s, most %s", len(took), took[len(took)/2], p99, took[len(took)-1])
	if p99 > 2*time.Second { // far above the 25 ms that are meant: this machine may be busy
		t.Errorf("p99 is %s", p99)
	}
}
