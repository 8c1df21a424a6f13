package run

import (
	"fmt"
	"strings"
	"testing"

	"reeve/internal/activity"
)

// A step that is told again and again with another model does not make its run
// keep them all, and each step keeps its own.
func TestTextsOfARunAreBounded(t *testing.T) {
	t.Parallel()
	l, n := &live{}, newNames()
	for i := range 100 {
		at := l.place(idOf[activity.StepID](i))
		l.steps[at].key = l.text(n, fmt.Sprint("model ", i))
	}
	l.usages = append(l.usages, usage{})
	l.usages[0].costs(l, n, activity.Cost{Nanos: 3, Currency: "EUR", Basis: activity.CostBook})
	for i := range 10_000 {
		l.steps[7].key = l.text(n, strings.Repeat("x", maxNameSize)+fmt.Sprint(i))
		if len(l.texts.list) > 2*(len(l.steps)+len(l.usages))+2*scanTexts+1 {
			t.Fatalf("%d texts of %d steps", len(l.texts.list), len(l.steps))
		}
	}
	for i := range l.steps {
		want := fmt.Sprint("model ", i)
		if i == 7 {
			want = strings.Repeat("x", maxNameSize) + "9999"
		}
		if got := l.texts.at(l.steps[i].key); got != want {
			t.Errorf("step %d has %q, want %q", i, got, want)
		}
	}
	if c := l.usages[0].cost(l); c.Currency != "EUR" || c.Nanos != 3 {
		t.Errorf("cost %+v", c)
	}
	if got := l.texts.size(); got > 1<<20 {
		t.Errorf("%d bytes", got)
	}
}

// Long texts are their run's alone: no table keeps them.
func TestLongTextsAreNotShared(t *testing.T) {
	t.Parallel()
	var w whos
	n := newNames()
	short := w.get(n, who{agent: "a"})
	if w.get(n, who{agent: "a"}) != short {
		t.Error("two runs of one agent do not share what it says")
	}
	long := w.get(n, who{agent: "a", task: strings.Repeat("x", maxNameSize+1)})
	if len(w.young) != 1 || len(long.task) != maxNameSize+1 {
		t.Errorf("%d kept", len(w.young))
	}
	for i := range 3 * maxWhos {
		w.get(n, who{agent: fmt.Sprint(i)})
	}
	if len(w.young)+len(w.old) > 2*maxWhos {
		t.Errorf("%d kept", len(w.young)+len(w.old))
	}
}
