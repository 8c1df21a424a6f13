package run

import (
	"testing"

	"reeve/internal/activity"
)

// What a run says of itself does not take it out of all that leaves tests out, once
// the door has seen it.
func TestTheDoorSaysWhatIsATest(t *testing.T) {
	t.Parallel()
	mode := func(m string) func(*activity.Fragment) { return func(f *activity.Fragment) { f.Mode = m } }
	root := span1(1, 1, -1, activity.KindAgent, mode("test"))
	door := func(m string) activity.Fragment {
		return span1(1, 2, 1, activity.KindModel, mode(m), func(f *activity.Fragment) { f.Source, f.Dialect = activity.SourceGateway, "door" })
	}
	for _, c := range []struct {
		name  string
		steps []activity.Fragment
		want  string
	}{
		{"nobody at the door", []activity.Fragment{root}, "test"},
		{"live at the door", []activity.Fragment{root, door("interactive")}, "interactive"},
		{"of no mode at the door", []activity.Fragment{root, door("")}, ""},
		{"a test at the door", []activity.Fragment{root, door("test")}, "test"},
		{"the door's word of a test comes first", []activity.Fragment{span1(1, 1, -1, activity.KindAgent, mode("interactive")), door("test")}, "interactive"},
	} {
		h := newHarness(t, newMemory(), nil)
		h.feed(batchOf(c.steps...))
		h.flush()
		if got := h.row(idOf[activity.RunID](1)).Mode; got != c.want {
			t.Errorf("%s: mode %q, want %q", c.name, got, c.want)
		}
	}
}
