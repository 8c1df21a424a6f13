package gateway_test

import (
	"io"
	"net/http"
	"testing"

	"reeve/internal/activity"
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
