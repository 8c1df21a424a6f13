package response

import (
	"context"
	"fmt"
	"testing"
	"time"

	"reeve/internal/agent"
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
