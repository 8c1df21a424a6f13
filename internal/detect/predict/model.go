package predict

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
)

// Judged is a run whose outcome is known.
type Judged struct {
	Run    Run
	Failed bool
}

// Model tells failed runs of one agent from good ones: a logistic regression
// whose weights are kept small.
type Model struct {
	names []string // of the measures, then tools
	mean  []float64
	scale []float64
	w     []float64
	bias  float64
}

// ErrFew says that too few runs of either outcome are judged.
var ErrFew = errors.New("too few judged runs of either outcome")

// LeastRuns is how many judged runs of each outcome a model needs.
const LeastRuns = 5

// Bounds of a model.
const (
	mostTools = 24 // that are looked at one by one, the most used
	rareTool  = 5  // a tool used in fewer runs tells nothing
)

// Fit learns from judged runs. Strength says how small the weights are kept; 0 is
// 10.
func Fit(runs []Judged, strength float64) (*Model, error) {
	if strength == 0 {
		strength = 10
	}
	failed := 0
	for _, r := range runs {
		failed += int(one(r.Failed))
	}
	if failed < LeastRuns || len(runs)-failed < LeastRuns {
		return nil, ErrFew
	}
	m := &Model{names: append(measureNames[:], toolsOf(runs)...)}
	rows := make([][]float64, len(runs))
	for i, r := range runs {
		rows[i] = m.row(r.Run)
	}
	m.standardise(rows)
	// Both outcomes weigh the same, so that the usual one is not all that is learnt.
	weight := [2]float64{float64(len(runs)) / 2 / float64(len(runs)-failed), float64(len(runs)) / 2 / float64(failed)}
	m.solve(rows, runs, weight, strength)
	return m, nil
}

// solve finds the weights by Newton's method: some thirty numbers that depend on
// each other, for which plain gradient steps are too slow or too wild.
func (m *Model) solve(rows [][]float64, runs []Judged, weight [2]float64, strength float64) {
	n := len(m.names)
	m.w = make([]float64, n)
	for range 25 {
		h := make([][]float64, n+1)
		for k := range h {
			h[k] = make([]float64, n+1)
		}
		g := make([]float64, n+1)
		for i, x := range rows {
			y := one(runs[i].Failed)
			p := sigmoid(m.bias + dot(m.w, x))
			c := weight[int(y)]
			for k := range n + 1 {
				xk := at(x, k)
				g[k] += c * (y - p) * xk
				for l := range k + 1 {
					h[k][l] += c * p * (1 - p) * xk * at(x, l)
				}
			}
		}
		for k := range n {
			g[k] -= strength * m.w[k]
			h[k][k] += strength
		}
		h[n][n] += 1e-6
		step := cholesky(h, g)
		for k := range n {
			m.w[k] += step[k]
		}
		m.bias += step[n]
	}
}

// at is a measure, or 1 behind the last: the bias.
func at(x []float64, k int) float64 {
	if k == len(x) {
		return 1
	}
	return x[k]
}

// cholesky solves h x = g for a symmetric positive h, of which the lower half is
// given; h is overwritten.
func cholesky(h [][]float64, g []float64) []float64 {
	n := len(g)
	for i := range n {
		for j := range i + 1 {
			sum := h[i][j]
			for k := range j {
				sum -= h[i][k] * h[j][k]
			}
			if i == j {
				h[i][i] = math.Sqrt(max(sum, 1e-12))
			} else {
				h[i][j] = sum / h[j][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range n {
		x[i] = (g[i] - dot(h[i][:i], x)) / h[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= h[k][i] * x[k]
		}
		x[i] /= h[i][i]
	}
	return x
}

// toolsOf are the tools that were used in enough runs, the most used first.
func toolsOf(runs []Judged) []string {
	n := map[string]int{}
	for _, r := range runs {
		for t := range r.Run.tools {
			n[t]++
		}
	}
	maps.DeleteFunc(n, func(_ string, k int) bool { return k < rareTool || len(runs)-k < rareTool })
	out := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
	return out[:min(len(out), mostTools)]
}

func (m *Model) row(r Run) []float64 {
	out := make([]float64, len(m.names))
	copy(out, r.measures[:])
	for k := measures; k < len(out); k++ {
		out[k] = r.tools[m.names[k]]
	}
	if m.mean != nil {
		m.scaled(out)
	}
	return out
}

func (m *Model) scaled(row []float64) {
	for k := range row {
		row[k] = min(max((row[k]-m.mean[k])/m.scale[k], -3), 3) // an odd run must not decide alone
	}
}

func (m *Model) standardise(rows [][]float64) {
	mean, scale := make([]float64, len(m.names)), make([]float64, len(m.names))
	for k := range mean {
		for _, r := range rows {
			mean[k] += r[k] / float64(len(rows))
		}
		for _, r := range rows {
			scale[k] += (r[k] - mean[k]) * (r[k] - mean[k]) / float64(len(rows))
		}
		scale[k] = max(math.Sqrt(scale[k]), 1e-6)
	}
	m.mean, m.scale = mean, scale
	for _, r := range rows {
		m.scaled(r)
	}
}

// Part is what one measure adds to a prediction, in log odds.
type Part struct {
	Name  string
	Adds  float64
	Value float64 // in usual distances from the mean of the agent's runs
}

// Chance is how likely a run is to be a failed one, where half of all are, and
// what that is made of, the heaviest first.
func (m *Model) Chance(r Run) (p float64, parts []Part) {
	x := m.row(r)
	for k, v := range x {
		parts = append(parts, Part{m.names[k], m.w[k] * v, v})
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.Adds), math.Abs(a.Adds)) })
	return sigmoid(m.bias + dot(m.w, x)), parts
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
