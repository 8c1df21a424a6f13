package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/gateway"
	"reeve/internal/steer"
)

var watcher = steer.Person{ID: "per_ada", Name: "ada"}

// steered is a held model house whose runs people can take a hand in.
func steered(t *testing.T) (h *held, book *steer.Book, bodies func() []string) {
	t.Helper()
	var mu sync.Mutex
	var got []string
	h = &held{}
	h.house, h.key, _ = modelHouse(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, string(b))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	}, func(o *gateway.Options) {
		h.book = openBook(t, 50*time.Millisecond)
		o.Approvals = h.book
		var err error
		if book, err = steer.New(t.Context(), steer.Options{DB: openDB(t)}); err != nil {
			t.Fatal(err)
		}
		o.Steer = book
	})
	h.permit(permitAll)
	return h, book, func() []string { mu.Lock(); defer mu.Unlock(); return got }
}

// What a person says to a run is in its next call of the model, once, and in no
// other run's; the decision says so and is about what was sent.
func TestANoteIsTold(t *testing.T) {
	t.Parallel()
	h, book, bodies := steered(t)
	first := <-h.chat()
	run := steer.Place{Run: h.log.Of(t, first.decision).Run.String(), Agent: "refunds"}
	if _, err := book.Tell(t.Context(), run, watcher, `stop at "two"`, false, 0); err != nil {
		t.Fatal(err)
	}
	<-h.chat("X-Reeve-Run", "r2")
	told := <-h.chat()
	<-h.chat()
	all := bodies()
	if len(all) != 4 || all[0] != chat || all[1] != chat || all[3] != chat {
		t.Fatalf("%q", all)
	}
	const want = `,{"role":"user","content":"ada, who supervises this run, says: stop at \"two\""}`
	if !strings.Contains(all[2], want) || strings.Replace(all[2], want, "", 1) != chat {
		t.Errorf("%s", all[2])
	}
	d := h.log.Of(t, told.decision)
	last := d.Reasons[len(d.Reasons)-1]
	if last.Code != "steer.note" || d.ArgumentsBytes != int64(len(all[2])) || told.status != 200 {
		t.Errorf("%d %+v", told.status, d)
	}
}

// A call that is refused tells nothing: the next one does.
func TestANoteWaitsForACallThatGoesOn(t *testing.T) {
	t.Parallel()
	h, book, bodies := steered(t)
	run := steer.Place{Run: h.log.Of(t, (<-h.chat()).decision).Run.String()}
	if _, err := book.Tell(t.Context(), run, watcher, "be brief", false, 0); err != nil {
		t.Fatal(err)
	}
	h.permit(`@id("no") forbid (principal, action, resource);`)
	if got := <-h.chat(); got.status != 403 {
		t.Errorf("%+v", got)
	}
	h.permit(permitAll)
	<-h.chat()
	if all := bodies(); len(all) != 2 || !strings.Contains(all[1], "be brief") {
		t.Errorf("%q", all)
	}
}

// Each call of a run that a person holds waits for people, and goes on when they
// agree, also while it is held.
func TestAHeldRun(t *testing.T) {
	t.Parallel()
	h, book, bodies := steered(t)
	run := steer.Place{Run: h.log.Of(t, (<-h.chat()).decision).Run.String()}
	if _, err := book.Hold(t.Context(), run, watcher, "it repeats itself", 0); err != nil {
		t.Fatal(err)
	}
	if got := <-h.chat(); got.status != 409 {
		t.Errorf("%+v", got)
	}
	a := h.one(approval.Pending)
	if len(a.Ask.Holds) != 1 || a.Ask.Holds[0] != steer.CodeHeld {
		t.Errorf("%+v", a.Ask.Holds)
	}
	if got := <-h.chat("X-Reeve-Run", "r2"); got.status != 200 {
		t.Errorf("another run: %+v", got)
	}
	h.approve()
	got := <-h.chat()
	if d := h.log.Of(t, got.decision); got.status != 200 || d.Verdict != activity.VerdictAllow {
		t.Errorf("%+v %+v", got, d)
	}
	if err := book.Release(t.Context(), run, watcher, ""); err != nil {
		t.Fatal(err)
	}
	if got := <-h.chat(); got.status != 200 || len(bodies()) != 4 {
		t.Errorf("%+v", got)
	}
}
