package response

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/finding"
)

// book is a book of findings beside a house, which tells it of them.
func (h *house) book() *finding.Book {
	h.t.Helper()
	b, err := finding.New(h.t.Context(), finding.Options{DB: h.db, Now: func() time.Time { return h.now }, Opened: h.Found})
	if err != nil {
		h.t.Fatal(err)
	}
	h.o.Live = b.Live
	return b
}

// sees is one sighting.
func (h *house) sees(b *finding.Book, name, severity string) finding.Finding {
	h.t.Helper()
	f := h.found(name, "loop", true)
	f.Severity = severity
	f, _, err := b.See(h.t.Context(), f)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// drain responds to what the house was told of.
func (h *house) drain() (out []Act) {
	h.t.Helper()
	for {
		select {
		case f := <-h.Responder.found:
			out = append(out, h.respond(f)...)
		default:
			return out
		}
	}
}

// A finding that becomes critical is responded to by who asked for critical ones,
// once; one that a person called noise is not.
func TestRespondToWhatBecomesCritical(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a", "b")
	h.policy(Policy{Name: "worst", Severity: finding.Critical, Contain: agent.Quarantined, For: time.Hour, Mode: Enforce})
	b := h.book()
	h.sees(b, "a", finding.Warning)
	noisy := h.sees(b, "b", finding.Warning)
	if acts := h.drain(); len(acts) != 0 {
		t.Fatalf("a warning led to %+v", acts)
	}
	if err := b.Judge(t.Context(), finding.Actor{Person: "p1", Name: "ann"}, finding.About{ID: noisy.ID, Detector: "loop", Agent: "b"}, finding.Noise, "known"); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(30 * time.Minute)
	h.sees(b, "a", finding.Critical)
	h.sees(b, "b", finding.Critical)
	acts := h.drain()
	if len(acts) != 1 || acts[0].State != InForce || acts[0].Agent != "a" || h.contained("a") != agent.Quarantined {
		t.Fatalf("critical led to %+v; a is %s", acts, h.contained("a"))
	}
	if acts[0].Took > int64(10*time.Second) {
		t.Errorf("it took %s, counted from the record that made it critical", time.Duration(acts[0].Took))
	}
	h.sees(b, "a", finding.Critical)
	if acts := h.drain(); len(acts) != 0 {
		t.Errorf("seen again it did %+v", acts)
	}
}

// More findings at once than the queue holds are responded to all the same.
func TestRespondBeyondTheQueue(t *testing.T) {
	t.Parallel()
	const room, all = 8, 30
	h := open(t, 5)
	h.Responder.found = make(chan finding.Finding, room)
	h.policy(Policy{Name: "all", Contain: agent.Quarantined, For: time.Hour, Mode: Enforce})
	b := h.book()
	for i := range all {
		h.sees(b, fmt.Sprint("a", i), finding.Warning)
	}
	if h.missed.Load() == 0 || len(h.Responder.found) != room {
		t.Fatalf("%d are queued and none was missed", len(h.Responder.found))
	}
	h.o.Now = func() time.Time { return h.now.Add(time.Hour) } // so long after that a start looks for none of them
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for n := 0; n < all; {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%d of %d findings were responded to", n, all)
		}
		acts, err := h.List(t.Context(), Filter{Limit: 2 * all})
		if err != nil {
			t.Fatal(err)
		}
		n = len(acts)
	}
	stop()
	<-ended
}

// What was done holds while its cause goes on: not for what was under way, not for
// noise, not over a person, and not for ever.
func TestExtend(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a", "b", "c", "d")
	h.policy(Policy{Name: "loops", Contain: agent.Throttled, For: time.Hour, Mode: Enforce})
	b := h.book()
	began := h.now
	first := map[string]finding.Finding{}
	for _, n := range []string{"a", "b", "c", "d"} {
		first[n] = h.sees(b, n, finding.Warning)
	}
	h.drain()
	h.now = began.Add(10 * time.Minute)
	h.sees(b, "b", finding.Warning) // under way still, then over
	h.now = began.Add(50 * time.Minute)
	for _, n := range []string{"a", "c", "d"} {
		h.sees(b, n, finding.Warning)
	}
	if err := b.Judge(t.Context(), finding.Actor{Person: "p1", Name: "ann"}, finding.About{ID: first["c"].ID, Detector: "loop", Agent: "c"}, finding.Noise, "known"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.agents.Release(t.Context(), boss(), "d", "it is meant to"); err != nil {
		t.Fatal(err)
	}
	h.now = began.Add(time.Hour)
	h.due()
	for n, want := range map[string]string{"a": agent.Throttled, "b": agent.None, "c": agent.None, "d": agent.None} {
		if got := h.contained(n); got != want {
			t.Errorf("after an hour %s is %s, want %s", n, got, want)
		}
	}
	acts, err := h.List(t.Context(), Filter{Agent: "a"})
	if err != nil || len(acts) != 1 || acts[0].State != InForce || acts[0].Extended != 1 || !acts[0].Until.Equal(began.Add(2*time.Hour)) {
		t.Fatalf("of a: %+v, %v", acts, err)
	}
	if got, want := acts[0].Says(), "extended once: its cause goes on"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	known, _ := h.agents.Lookup("a")
	if !known.ContainedTill.Equal(began.Add(2 * time.Hour)) {
		t.Errorf("a is held until %s", known.ContainedTill)
	}
	revisions, err := h.agents.Revisions(t.Context(), "a")
	if err != nil || revisions[0].Action != "extend_response" || revisions[0].Author != "response loops" {
		t.Errorf("the timeline says %+v, %v", revisions[0], err)
	}
	told, _, err := control.One(t.Context(), h.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM outbox WHERE type = 'response.extended'`)
	if err != nil || told != 1 {
		t.Errorf("told %d times, %v, want 1", told, err)
	}
	// It goes on for longer than anything is done without a person.
	for hour := 2; hour <= 24; hour++ {
		h.now = began.Add(time.Duration(hour)*time.Hour - 10*time.Minute)
		h.sees(b, "a", finding.Warning)
		h.now = h.now.Add(10 * time.Minute)
		if hour < 24 {
			h.due()
			if got := h.contained("a"); got != agent.Throttled {
				t.Fatalf("in hour %d a is %s", hour, got)
			}
		}
	}
	h.due()
	acts, err = h.List(t.Context(), Filter{Agent: "a"})
	if err != nil || acts[0].State != Ended || h.contained("a") != agent.None || !strings.Contains(acts[0].EndReason, "goes on") {
		t.Errorf("after a day: %+v, %v; a is %s", acts[0], err, h.contained("a"))
	}
}

// A process that was down when the time of a response was up extends it as well.
func TestExtendAfterAPause(t *testing.T) {
	t.Parallel()
	h := open(t, 5, "a")
	h.policy(Policy{Name: "loops", Contain: agent.Throttled, For: time.Hour, Mode: Enforce})
	b := h.book()
	began := h.now
	h.sees(b, "a", finding.Warning)
	h.drain()
	h.now = began.Add(59 * time.Minute)
	h.sees(b, "a", finding.Warning)
	h.now = began.Add(70 * time.Minute)
	if got := h.contained("a"); got != agent.None {
		t.Fatalf("its own end has passed, and a is %s", got)
	}
	// The register writes so before the timer is looked at.
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.agents.Run(ctx) }()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if known, _ := h.agents.Lookup("a"); known.Containment == agent.None {
			break
		}
		<-look.C
	}
	stop()
	<-ended
	h.due()
	if got := h.contained("a"); got != agent.Throttled {
		t.Errorf("a is %s, want throttled again", got)
	}
	// Once the policy observes, it ends.
	p := h.Policies()[0]
	p.Mode = Observe
	h.policy(p)
	h.now = began.Add(129 * time.Minute)
	h.sees(b, "a", finding.Warning)
	h.now = began.Add(131 * time.Minute)
	h.due()
	if got := h.contained("a"); got != agent.None {
		t.Errorf("under a policy that observes a is %s", got)
	}
}
