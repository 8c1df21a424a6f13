package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/gateway"
)

// provider keeps background answers.
type provider struct {
	mu        sync.Mutex
	status    map[string]string
	cancelled []string
	refuses   int // cancels that are answered with 503 first
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	id := strings.TrimPrefix(r.URL.Path, "/v1/responses/")
	switch {
	case r.URL.Path == "/v1/responses":
		id = fmt.Sprintf("resp_%d", len(p.status)+1)
		p.status[id] = "queued"
	case strings.HasSuffix(id, "/cancel"):
		if p.refuses > 0 {
			p.refuses--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		id = strings.TrimSuffix(id, "/cancel")
		if r.Header.Get("Authorization") != "Bearer "+secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.cancelled = append(p.cancelled, id)
		p.status[id] = "cancelled"
	}
	usage := "null"
	if p.status[id] == "completed" {
		usage = `{"input_tokens":40,"output_tokens":7,"total_tokens":47}`
	}
	_, _ = fmt.Fprintf(w, `{"id":%q,"object":"response","status":%q,"model":"gpt-4o-mini","output":[],"usage":%s}`, id, p.status[id], usage)
}

func (p *provider) wasCancelled(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.cancelled {
		if c == id {
			return true
		}
	}
	return false
}

// watched opens the list of jobs until its end is called.
func watched(t *testing.T, h *house) (jobs *gateway.Jobs, end func()) {
	t.Helper()
	jobs, err := gateway.NewJobs(t.Context(), gateway.JobsOptions{DB: h.db, Upstreams: h.upstreams, Stops: h.stops})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = jobs.Run(ctx) }()
	var once sync.Once
	end = func() { once.Do(func() { cancel(); <-ended }) }
	t.Cleanup(end)
	return jobs, end
}

func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for range 4000 {
		if yes() {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("%s: not within 4 s", what)
}

// Work that goes on at the provider is the agent's that left it there; a stop
// cancels it, also after a restart; an answer that it is over ends it, and its step
// learns what it came to.
func TestBackgroundJobs(t *testing.T) {
	t.Parallel()
	p := &provider{status: map[string]string{}}
	var h *house
	var jobs *gateway.Jobs
	var end func()
	h, key, _ := modelHouse(t, p.ServeHTTP)
	jobs, end = watched(t, h)
	h.reopen(func(o *gateway.Options) { o.Jobs = jobs })
	other := h.agent("other")
	post := func(key string) answer {
		return h.call(key, "POST", "/llm/openai/v1/responses", `{"model":"gpt-4o-mini","max_output_tokens":50,"background":true,"input":"think"}`, "Content-Type", "application/json")
	}
	get := func(key, id string) answer { return h.call(key, "GET", "/llm/openai/v1/responses/"+id, "") }

	if a := post(key); a.status != 200 || !strings.Contains(a.body, "resp_1") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	until(t, "the job", func() bool { return jobs.Len() == 1 })
	if a := get(other, "resp_1"); a.status != 404 || a.problem != "llm.unknown_job" {
		t.Errorf("another agent's job: %d %s", a.status, a.problem)
	}
	if a := get(key, "resp_9"); a.status != 404 || a.problem != "llm.unknown_job" {
		t.Errorf("nobody's job: %d %s", a.status, a.problem)
	}
	a := get(key, "resp_1")
	if d := h.log.Of(t, a.decision); a.status != 200 || d.Model != "gpt-4o-mini" || d.Action != "call_model" {
		t.Errorf("one's own: %d %s, %+v", a.status, a.body, d)
	}
	// It ends: the step of the call that began it has the usage, once.
	p.mu.Lock()
	p.status["resp_1"] = "completed"
	p.mu.Unlock()
	get(key, "resp_1")
	get(key, "resp_1") // it can still be asked for
	until(t, "its end", func() bool { return jobs.Len() == 0 })
	until(t, "its usage", func() bool {
		n := 0
		for _, f := range h.base.Fragments() {
			if f.Kind == activity.KindModel && f.Usage.OutputTotal == 7 {
				n++
			}
		}
		return n == 1
	})
	// The next one is cancelled by a stop, at a second try, and the receipt has it.
	p.refuses = 1
	began := h.log.Of(t, post(key).decision)
	until(t, "the second job", func() bool { return jobs.Len() == 1 })
	st, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "agent", Value: "refunds"}, "a test", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Receipt.CallsCut) != 1 || st.Receipt.CallsCut[0].DecisionID != began.ID {
		t.Errorf("cut: %+v", st.Receipt.CallsCut)
	}
	until(t, "the cancel", func() bool { return p.wasCancelled("resp_2") && jobs.Len() == 0 })
	if p.wasCancelled("resp_1") {
		t.Error("what was over was cancelled")
	}
	if _, err := h.stops.Lift(t.Context(), "ada", st.ID, "a test"); err != nil {
		t.Fatal(err)
	}
	// After a restart too, also when the stop came while we were away.
	for _, before := range []bool{false, true} {
		id := fmt.Sprintf("resp_%d", len(p.status)+1)
		if a := post(other); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		until(t, "a job", func() bool { return jobs.Len() == 1 })
		end()
		stop := func() string {
			st, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "model", Value: "gpt-4o-mini"}, "a test", time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return st.ID
		}
		var lift string
		if before {
			lift = stop()
		}
		jobs, end = watched(t, h)
		h.reopen(func(o *gateway.Options) { o.Jobs = jobs })
		if !before {
			if jobs.Len() != 1 {
				t.Fatalf("%d jobs after a restart", jobs.Len())
			}
			lift = stop()
		}
		until(t, "the cancel after a restart", func() bool { return p.wasCancelled(id) && jobs.Len() == 0 })
		if _, err := h.stops.Lift(t.Context(), "ada", lift, "a test"); err != nil {
			t.Fatal(err)
		}
	}
}

// Without the entitlement it is refused, by the guardrail that comes with Reeve.
func TestBackgroundNeedsAnEntitlement(t *testing.T) {
	t.Parallel()
	p := &provider{status: map[string]string{}}
	h, key, _ := modelHouse(t, p.ServeHTTP)
	h.permit(permitAll + `@id("hosted-tools") forbid (principal, action == Action::"call_model", resource) unless { context has model && context.model.hosted_tools.isEmpty() };`)
	if a := h.call(key, "POST", "/llm/openai/v1/responses", `{"model":"gpt-4o-mini","max_output_tokens":50,"background":true,"input":"x"}`, "Content-Type", "application/json"); a.status != 403 || len(p.status) != 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := h.call(key, "POST", "/llm/openai/v1/batches", `{}`, "Content-Type", "application/json"); a.status != 403 || a.problem != "llm.unknown_path" {
		t.Errorf("a batch: %d %s", a.status, a.problem)
	}
}
