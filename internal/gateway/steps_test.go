package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// A call that lasts is told of while it does, and its request once; a short one
// is told in one word that says the same.
func TestStepsOfCalls(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Slow") != "" {
			<-hold
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
	short := h.waitFragments(1)
	if f := short[0]; !f.WholeFragment || f.Status != activity.StatusOK || fields(f, activity.ContentInput) == 0 || fields(f, activity.ContentOutput) == 0 {
		t.Errorf("a short call: %+v", f)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json", "X-Slow", "yes")
	}()
	running := h.waitFragments(2)[1]
	if running.WholeFragment || running.Status != activity.StatusRunning || running.End != activity.Unknown || fields(running, activity.ContentInput) == 0 {
		t.Errorf("a call underway: %+v", running)
	}
	close(hold)
	<-done
	ended := h.waitFragments(3)[2]
	if !ended.WholeFragment || ended.Step != running.Step || fields(ended, activity.ContentInput) != 0 || fields(ended, activity.ContentOutput) == 0 {
		t.Errorf("its end: %+v", ended)
	}
	if h.steps.Lost() != 0 {
		t.Errorf("%d steps lost", h.steps.Lost())
	}
}

func fields(f activity.Fragment, of activity.ContentField) (n int) {
	for _, c := range f.Contents {
		if c.Field == of {
			n++
		}
	}
	return n
}

// A log that refuses for now gets the steps once it takes them, each once; what
// does not fit meanwhile is counted, and so is what is left at the end.
func TestStepsThatTheLogRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		refuse, hang, got, most := true, true, 0, 0
		s := gateway.NewSteps(func(ctx context.Context, data []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if hang { // a disk that says nothing, once
				hang = false
				<-ctx.Done()
				return ctx.Err()
			}
			if refuse {
				return fault.New(fault.KindExhausted, "bus.full", "full")
			}
			most = max(most, len(data))
			return activity.DecodeEnvelope(data, new(activity.Batch), func(b *activity.Batch) error { got += len(b.Fragments); return nil })
		}, slog.New(slog.DiscardHandler))
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = s.Run(ctx) }()
		one := &activity.Batch{Sender: "door", Fragments: []activity.Fragment{{Name: strings.Repeat("x", 1000)}}}
		large := &activity.Batch{Sender: "door", Fragments: []activity.Fragment{{Name: strings.Repeat("x", 60_000)}}}
		for range 3 {
			for range 60 {
				s.Tell(large)
			}
			<-time.After(20 * time.Second) // of the bubble
		}
		if s.Lost() != 0 {
			t.Fatalf("%d lost while there is room", s.Lost())
		}
		mu.Lock()
		refuse = false
		mu.Unlock()
		<-time.After(2 * time.Second)
		mu.Lock()
		if got != 180 || most > 2<<20 {
			t.Errorf("the log got %d steps in messages of %d bytes at most, want 180 in messages that it takes", got, most)
		}
		refuse, got = true, 0
		mu.Unlock()
		const many = 20_000 // of 1 kB: 4 MB do not fit
		for range many {
			s.Tell(one)
		}
		<-time.After(2 * time.Second)
		if n := s.Lost(); n == 0 || n > many/2 {
			t.Errorf("%d of %d lost, want what does not fit", n, many)
		}
		end()
		<-ended
		if s.Lost() != many {
			t.Errorf("%d of %d counted as lost at the end", s.Lost(), many)
		}
	})
}
