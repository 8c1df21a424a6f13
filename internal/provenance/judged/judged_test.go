package judged

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/provenance"
)

func newBook(t *testing.T) *Book {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	b, err := New(Options{DB: db, Now: func() time.Time { now = now.Add(time.Minute); return now }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// last is a run whose last report was at fault.
func last(n int) []provenance.Step {
	run := []provenance.Step{{Agent: "user", Kind: provenance.Asks, Text: "please do the task"}}
	for i := range 6 + n%5 {
		run = append(run, provenance.Step{Agent: fmt.Sprint("a", i%3), Kind: provenance.Says, Text: strings.Repeat("all is well here ", 3+i)})
	}
	return run
}

// Verdicts move the order of their own team's suspects, by a difference that is told,
// and back when they are taken back.
func TestVerdictsMoveTheOrderAndBack(t *testing.T) {
	t.Parallel()
	b, who := newBook(t), Actor{Person: "usr_1", Name: "Ada"}
	first := func(team string) (right int) {
		l, err := b.Learned(t.Context(), team)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 10 {
			if run := last(n + 100); provenance.Blame(run, l.Weights)[0].Step == len(run)-1 {
				right++
			}
		}
		return right
	}
	before := first("core")
	for n := range 30 {
		run := last(n)
		said := provenance.Verdict{Run: run, Step: len(run) - 1}
		example, ok := said.Example()
		if !ok {
			t.Fatal("it cannot be guilty")
		}
		if err := b.Name(t.Context(), who, Verdict{Run: fmt.Sprint("run_", n), Team: "core", Environment: "production", Agent: "a", Step: "stp_1", Kind: "model", Example: example, Reason: "it made it up"}); err != nil {
			t.Fatal(err)
		}
	}
	after := first("core")
	l, _ := b.Learned(t.Context(), "core")
	if before > 5 || after < 9 || l.Verdicts != 30 || len(l.Changes) == 0 || l.Changes[0].Now == l.Changes[0].Shipped {
		t.Errorf("%d of 10 right before, %d after %d verdicts: %+v", before, after, l.Verdicts, l.Changes)
	}
	if other, err := b.Learned(t.Context(), "shop"); err != nil || other.Verdicts != 0 || other.Weights != provenance.DefaultWeights || len(other.Changes) != 0 {
		t.Errorf("another team learned of it: %+v %v", other, err)
	}
	// A second Book, as after a restart, has learned the same.
	again, _ := New(Options{DB: b.o.DB})
	if m, err := again.Learned(t.Context(), "core"); err != nil || cmp.Diff(l, m) != "" {
		t.Errorf("after a restart: %v %s", err, cmp.Diff(l, m))
	}
	if v, err := b.Of(t.Context(), "run_7"); err != nil || v == nil || v.By != "Ada" || v.Reason != "it made it up" || v.At.IsZero() {
		t.Errorf("%+v %v", v, err)
	}
	for n := range 30 {
		if err := b.TakeBack(t.Context(), who, fmt.Sprint("run_", n)); err != nil {
			t.Fatal(err)
		}
	}
	if l, _ := b.Learned(t.Context(), "core"); l.Weights != provenance.DefaultWeights || l.Verdicts != 0 {
		t.Errorf("taken back, %+v", l)
	}
	if err := b.TakeBack(t.Context(), who, "run_1"); fault.From(err).Code != "judged.not_found" {
		t.Errorf("taken back twice: %v", err)
	}
	if err := b.Name(t.Context(), who, Verdict{Run: "run_1", Reason: strings.Repeat("x", 1001)}); fault.From(err).Code != "judged.reason" {
		t.Error(err)
	}
}

// What is stored in another form teaches nothing, and is no reason to fail.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	b, who := newBook(t), Actor{Person: "usr_1", Name: "Ada"}
	for i, x := range []provenance.Example{{}, {Form: 99, Steps: [][]float32{{1}}, Same: []bool{true}}, {Form: 1, Steps: [][]float32{{1}}, Right: 5, Same: []bool{true}}} {
		if err := b.Name(t.Context(), who, Verdict{Run: fmt.Sprint(i), Team: "core", Example: x}); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := b.Learned(t.Context(), "core"); err != nil || l.Weights != provenance.DefaultWeights {
		t.Errorf("%+v %v", l, err)
	}
}
