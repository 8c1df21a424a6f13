package faults

import "testing"

// A small fleet: most faults are found, soon, and little is told beside them.
func TestFaults(t *testing.T) {
	t.Parallel()
	r, err := Run(t.Context(), Options{Seed: 1, Agents: 5, Days: 2, Each: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + r.Text())
	if r.Faults != 14 || r.Recall < 0.85 || r.Precision < 0.7 || r.MedianSeconds > 15 {
		t.Errorf("recall %.2f, precision %.2f, median %.1f s of %d faults", r.Recall, r.Precision, r.MedianSeconds, r.Faults)
	}
	again, err := Run(t.Context(), Options{Seed: 1, Agents: 5, Days: 2, Each: 2})
	if err != nil || again.Found != r.Found || again.Findings != r.Findings || again.Steps != r.Steps {
		t.Errorf("the same seed gave %+v, then %+v, %v", r, again, err)
	}
}
