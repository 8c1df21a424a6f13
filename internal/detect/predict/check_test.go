package predict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Judged runs of which a third fail: a model of the others tells them apart, and of the
// runs to which it gives some chance about that share had failed.
func TestCheck(t *testing.T) {
	t.Parallel()
	c, ok := Check(judged(rand.New(rand.NewPCG(1, 1)), 600))
	if !ok || c.AUROC < .85 {
		t.Fatalf("%v %+v", ok, c)
	}
	runs := 0
	for _, b := range c.Bins {
		runs += b.Runs
		if b.Runs >= 40 && math.Abs(b.Predicted-b.Failed) > .15 {
			t.Errorf("%+v", b)
		}
		if b.Predicted < b.Low || b.Predicted > b.High {
			t.Errorf("%+v", b)
		}
	}
	if runs != 600 {
		t.Errorf("%d runs in bins", runs)
	}
	// Outcomes by chance: nothing is told apart.
	r := rand.New(rand.NewPCG(2, 2))
	all := judged(r, 600)
	for i := range all {
		all[i].Failed = r.IntN(3) == 0
	}
	if c, ok := Check(all); !ok || c.AUROC < .42 || c.AUROC > .58 {
		t.Errorf("by chance: %+v", c)
	}
	if _, ok := Check(all[:8]); ok {
		t.Error("checked on eight runs")
	}
}

func TestAmong(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]float64{{.5, .2, .2}, {.5, .5, .5}, {.9, .5, .9}, {.8, .2, .5}} {
		if got := Among(c[0], c[1]); math.Abs(got-c[2]) > 1e-9 {
			t.Errorf("%v among %v: %v, want %v", c[0], c[1], got, c[2])
		}
	}
	if p := Among(0, 0); !(p >= 0) || math.IsNaN(Among(1, 1)) {
		t.Error(p)
	}
}

func TestAUROC(t *testing.T) {
	t.Parallel()
	runs := []Judged{{Failed: true}, {Failed: false}, {Failed: true}, {Failed: false}}
	for _, c := range []struct {
		ps   []float64
		want float64
	}{{[]float64{.9, .1, .8, .2}, 1}, {[]float64{.1, .9, .2, .8}, 0}, {[]float64{.5, .5, .5, .5}, .5}, {[]float64{.9, .5, .5, .1}, .875}} {
		if got := auroc(c.ps, runs); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", c.ps, got, c.want)
		}
	}
}
