package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

// Calls are counted by the name that is kept of a tool, however it came, and
// whatever the number of steps, each step counts once.
func TestCallsByTheNameThatIsKept(t *testing.T) {
	t.Parallel()
	r := &run{}
	long := strings.Repeat("x", maxWord)
	for _, name := range []string{"a", "b", "a", "two\nlines", "two\nlines", "two lines", long + "y", long + "z", long} {
		r.called(name)
	}
	got := map[string]int64{}
	for _, c := range r.calls {
		got[c.name] = c.n
	}
	want := map[string]int64{"a": 2, "b": 1, word("two\nlines"): 3, long: 3}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(r.calls) != len(want) {
		t.Errorf("calls are %v, want %v", got, want)
	}
	for i := range 3 * maxCalls {
		r.called(fmt.Sprint("tool ", i))
	}
	if len(r.calls) != maxCalls {
		t.Errorf("%d tools are told apart, want %d", len(r.calls), maxCalls)
	}
}

func TestStepSet(t *testing.T) {
	t.Parallel()
	var s stepSet
	id := func(i int) activity.StepID { return activity.StepOfKey(fmt.Sprint(i)) }
	for i := range 3 * fewSteps {
		if s.has(id(i)) || !s.add(id(i)) || s.add(id(i)) || !s.has(id(i)) || s.len() != i+1 {
			t.Fatalf("id %d: has %v, %d ids", i, s.has(id(i)), s.len())
		}
	}
	for i := range 3 * fewSteps {
		if !s.has(id(i)) || s.add(id(i)) {
			t.Fatalf("id %d was lost", i)
		}
	}
}

// The first calls and the newest of one that is repeated are its evidence.
func TestRepeatedCallKeepsItsSteps(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	a := newAgent(who{name: "a"}, x.now.UnixNano())
	r := &run{of: a}
	id := func(i int) activity.StepID { return activity.StepOfKey(fmt.Sprint(i)) }
	if r.mostSame() != 0 {
		t.Errorf("a run without calls has made one %d times", r.mostSame())
	}
	x.w.clock = x.now.Add(time.Second).UnixNano()
	for i := range 9 {
		x.w.repeat(a, r, 7, "search", id(i))
		x.w.repeat(a, r, uint64(100+i), "other", id(100+i))
		if r.mostSame() != i+1 {
			t.Errorf("after %d calls it has made one %d times", i+1, r.mostSame())
		}
	}
	want := [6]activity.StepID{id(0), id(1), id(2), id(6), id(7), id(8)}
	if r.most.steps != want || r.most.tool != "search" || r.looped != 8 {
		t.Errorf("most is %+v with %d looped", r.most, r.looped)
	}
}
