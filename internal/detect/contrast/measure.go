package contrast

import (
	"cmp"
	"math"
	"slices"

	"reeve/internal/detect/chance"
)

// Measure is a figure of rows, on both sides, over the rows where it is known.
type Measure struct {
	Name               string
	Selected, Rest     int // rows that know it
	Median, RestMedian float64
	P95, RestP95       float64
	P                  float64 // of such a difference by chance; 1 where either side has too few
	Clear              bool    // the two sides differ beyond chance
}

// leastKnown is how many rows of each side a test of ranks needs: its normal
// curve tells nothing of fewer.
const leastKnown = 5

type figures struct {
	name string
	of   [2][]float64
}

// Number notes a figure of a row. What is no number is unknown, and not noted;
// so are figures beyond the first 256 names.
func (t *Table) Number(name string, v float64, selected bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	i := slices.IndexFunc(t.figures, func(f figures) bool { return f.name == name })
	if i < 0 {
		if len(t.figures) >= mostNames {
			return
		}
		i, t.figures = len(t.figures), append(t.figures, figures{name: name})
	}
	side := 0
	if selected {
		side = 1
	}
	t.figures[i].of[side] = append(t.figures[i].of[side], v)
}

// Measures lists the figures in the order in which they first came. Which of
// them differ is decided for all together, as Rank does.
func (t *Table) Measures() []Measure {
	out := make([]Measure, 0, len(t.figures))
	ps := make([]float64, 0, len(t.figures))
	for _, f := range t.figures {
		a, b := slices.Clone(f.of[1]), slices.Clone(f.of[0])
		slices.Sort(a)
		slices.Sort(b)
		m := Measure{
			Name: f.name, Selected: len(a), Rest: len(b), Median: quantile(a, .5), RestMedian: quantile(b, .5),
			P95: quantile(a, .95), RestP95: quantile(b, .95), P: 1,
		}
		if len(a) >= leastKnown && len(b) >= leastKnown {
			m.P = ranks(a, b)
		}
		out, ps = append(out, m), append(ps, m.P)
	}
	for i, chosen := range chance.Choose(ps, falseShare) {
		out[i].Clear = chosen && out[i].P < 1
	}
	return out
}

// quantile is that of a sorted list by the nearest rank; NaN of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[min(len(sorted)-1, max(0, int(math.Ceil(q*float64(len(sorted))))-1))]
}

// ranks is how likely it is by chance that two sorted lists lie so far apart
// (Mann and Whitney, equal figures sharing their rank).
func ranks(a, b []float64) float64 {
	type one struct {
		v    float64
		mine bool
	}
	all := make([]one, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, one{v, true})
	}
	for _, v := range b {
		all = append(all, one{v, false})
	}
	slices.SortFunc(all, func(x, y one) int { return cmp.Compare(x.v, y.v) })
	n, m := float64(len(a)), float64(len(b))
	var sum, ties float64
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		rank := float64(i+1+j) / 2
		for _, o := range all[i:j] {
			if o.mine {
				sum += rank
			}
		}
		same := float64(j - i)
		ties += same*same*same - same
		i = j
	}
	total := n + m
	variance := n * m / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 1 // all are equal
	}
	z := (sum - n*(n+1)/2 - n*m/2) / math.Sqrt(variance)
	return min(1, 2*chance.Normal(math.Abs(z)))
}
