package labelled

import "testing"

// The benches that make their own data reach their aims, in a small edition, on
// a seed that nobody looked at.
func TestMadeBenches(t *testing.T) {
	t.Parallel()
	what, err := differentTrials(t.Context(), 7, 40)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := driftTrials(t.Context(), 7, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Report{what, moved} {
		for _, f := range r.Figures {
			if !f.Reached() {
				t.Errorf("%+v", f)
			}
		}
	}
}
