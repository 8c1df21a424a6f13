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
	if len(r.Leads) != 3 || r.Leads[2].Faults != 2 {
		t.Errorf("%+v", r.Leads)
	}
	again, err := Run(t.Context(), Options{Seed: 1, Agents: 5, Days: 2, Each: 2})
	if err != nil || again.Found != r.Found || again.Findings != r.Findings || again.Steps != r.Steps {
		t.Errorf("the same seed gave %+v, then %+v, %v", r, again, err)
	}
}

// Verdicts make the replay quieter and cost no fault, every threshold that moved is
// listed; taking them back is the first run, which is a function of its seed.
func TestNoise(t *testing.T) {
	t.Parallel()
	o := Options{Seed: 3, Agents: 5, Days: 3, Each: 2}
	n, err := Noise(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + n.Text())
	if n.Before.Noise == 0 || n.After.Noise >= n.Before.Noise || n.After.Recall < n.Before.Recall-0.08 || len(n.Moved) == 0 {
		t.Errorf("%+v", n)
	}
	for _, m := range n.Moved {
		if m.Noise == 0 || m.After >= m.Before {
			t.Errorf("%+v", m)
		}
	}
}
