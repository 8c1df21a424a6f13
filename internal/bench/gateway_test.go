package bench

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// The load generator against the upstream itself, without a proxy between: what
// is measured must be what happened.
func TestCallersMeasureTheUpstream(t *testing.T) {
	t.Parallel()
	up, stop, err := gatewayUpstream()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for name, rt := range routeOf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m measured
			c := contender{name: "upstream", base: up, pid: os.Getpid(), keys: []string{"k"}}
			o := GatewayOptions{Connections: 2, For: 200 * time.Millisecond, Rate: 100, RunCalls: 3}
			if err := m.round(t.Context(), o, rt, &c, nil); err != nil {
				t.Fatal(err)
			}
			f := m.figures("upstream")
			if f.Errors != 0 || f.CallsPerSecond <= 0 || f.CPUPerCall <= 0 || f.P50 <= 0 || f.P99 < f.P50 || f.FirstP50 <= 0 {
				t.Errorf("figures: %+v", f)
			}
			p := caller{rt: rt, c: &c, runCalls: 1, client: http.DefaultClient}
			if n := len(p.open(t.Context(), o.For, o.Rate, p.call)); n < 5 || n > 25 {
				t.Errorf("%d calls at 100 a second in 200 ms", n)
			}
		})
	}
}

func TestCallersCountFailures(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	t.Cleanup(s.Close)
	var m measured
	err := m.round(t.Context(), GatewayOptions{Connections: 1, For: 20 * time.Millisecond, Rate: 10}, routeOf["http"], &contender{base: s.URL, pid: os.Getpid()}, nil)
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("calls that are all refused: %v", err)
	}
}

func TestRunsOfACaller(t *testing.T) {
	t.Parallel()
	p := caller{rt: routeOf["http"], c: &contender{base: "http://x", keys: []string{"a", "b"}}, runCalls: 5}
	runs := map[string]int{}
	for range 40 {
		req, err := p.request(t.Context(), "/1k", "")
		if err != nil {
			t.Fatal(err)
		}
		runs[req.Header.Get("Authorization")+" "+req.Header.Get("X-Reeve-Run")]++
	}
	// The first call counts one, so each agent's first run is one shorter at most.
	if len(runs) < 8 || len(runs) > 10 {
		t.Errorf("40 calls of 2 agents in runs of 5: %v", runs)
	}
}

func TestReportsReadWell(t *testing.T) {
	t.Parallel()
	r := GatewayReport{Routes: []RouteReport{{Route: "http", Share: 0.61, CPU: 2, Contenders: []GatewayFigures{{Name: "bare proxy", CallsPerSecond: 100}, {Name: "door", CallsPerSecond: 61}}}}}
	var b bytes.Buffer
	if err := r.Text(&b); err != nil || !strings.Contains(b.String(), "61 % of the bare proxy's calls/s with 2.00 times its CPU") {
		t.Error(b.String(), err)
	}
	if n := len(chatAnswer()); n != 1024 {
		t.Errorf("the model answers %d bytes", n)
	}
}
