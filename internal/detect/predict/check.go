package predict

import (
	"cmp"
	"math"
	"slices"
)

// Among turns a chance where half of all runs fail into one where such a share does.
func Among(p, share float64) float64 {
	share = min(max(share, 1e-3), 1-1e-3)
	p = min(max(p, 1e-9), 1-1e-9)
	return sigmoid(math.Log(p/(1-p)) + math.Log(share/(1-share)))
}

// Bin says what came of runs of about one chance.
type Bin struct {
	Low, High float64
	Runs      int
	Predicted float64 // mean chance
	Failed    float64 // share of them
}

// Checked is how far a model of these runs may be believed.
type Checked struct {
	AUROC float64
	Bins  []Bin // those with runs, from low chances to high ones
}

// folds that judged runs are cut into: each is judged by what the others teach.
const folds = 5

// Check judges each run by a model of the others, in five parts. ok is false where
// one of the parts leaves too few of either outcome.
func Check(runs []Judged) (c Checked, ok bool) {
	ps := make([]float64, len(runs))
	// By outcome in turn, so that no part has all of one.
	part, n := make([]int, len(runs)), [2]int{}
	for i, r := range runs {
		k := int(one(r.Failed))
		part[i] = n[k] % folds
		n[k]++
	}
	for f := range folds {
		var rest []Judged
		failed := 0.0
		for i, r := range runs {
			if part[i] != f {
				rest = append(rest, r)
				failed += one(r.Failed)
			}
		}
		m, err := Fit(rest, 0)
		if err != nil {
			return c, false
		}
		for i, r := range runs {
			if part[i] == f {
				p, _ := m.Chance(r.Run)
				ps[i] = Among(p, failed/float64(len(rest)))
			}
		}
	}
	c.AUROC = auroc(ps, runs)
	for _, edge := range [][2]float64{{0, .1}, {.1, .25}, {.25, .5}, {.5, .75}, {.75, 1}} {
		b := Bin{Low: edge[0], High: edge[1]}
		for i, p := range ps {
			if p >= edge[0] && (p < edge[1] || edge[1] == 1) {
				b.Runs++
				b.Predicted += p
				b.Failed += one(runs[i].Failed)
			}
		}
		if b.Runs > 0 {
			b.Predicted, b.Failed = b.Predicted/float64(b.Runs), b.Failed/float64(b.Runs)
			c.Bins = append(c.Bins, b)
		}
	}
	return c, true
}

// auroc is in how many pairs of a failed and a good run the failed one has the larger
// chance; equal ones count half.
func auroc(ps []float64, runs []Judged) float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	below, right, bad, good := 0.0, 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		j, k, n := i, 0.0, 0.0
		for ; j < len(order) && ps[order[j]] == ps[order[i]]; j++ {
			if runs[order[j]].Failed {
				k++
			} else {
				n++
			}
		}
		right += k * (below + n/2)
		below, bad, good = below+n, bad+k, good+n
		i = j
	}
	return right / (bad * good)
}
