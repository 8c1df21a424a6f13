package drift

import "math"

// ADWIN watches the mean of a number at every value, over a window that grows
// while nothing changes and is cut where two of its parts differ (Bifet and
// Gavaldà, SDM 2007). Values are best within [0, 1]: shares, outcomes, scores;
// others are scaled by the largest size seen.
//
// Memory is logarithmic in the window. The zero value is not ready: use NewADWIN.
type ADWIN struct {
	delta float64
	rows  [][]bucket // of 2^i values each
	n     float64
	total float64
	sq    float64
	count int
}

type bucket struct{ sum, sq float64 }

const (
	perRow    = 5  // buckets of one size
	mostRows  = 22 // four million values: older ones are forgotten
	cutsEvery = 8  // values between two searches for a cut: ValuesPerLook
	leastPart = 10 // values in a part
)

// ValuesPerLook is how many values come between two searches for a change.
const ValuesPerLook = cutsEvery

// NewADWIN takes the chance that a window is cut although nothing changed, by
// search; 0 is .0002.
func NewADWIN(delta float64) *ADWIN {
	if !(delta > 0 && delta < 1) {
		delta = .0002
	}
	return &ADWIN{delta: delta, rows: make([][]bucket, 1)}
}

// Mean is that of the window.
func (a *ADWIN) Mean() float64 {
	if a.n == 0 {
		return math.NaN()
	}
	return a.total / a.n
}

// Len is how many values the window has.
func (a *ADWIN) Len() int { return int(a.n) }

// Look adds a value and says whether the mean changed; before is the mean of what
// was cut off.
func (a *ADWIN) Look(v float64) (changed bool, before float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return false, math.NaN()
	}
	a.insert(v)
	if a.count++; a.count%cutsEvery != 0 || a.n < 2*leastPart {
		return false, math.NaN()
	}
	for a.n >= 2*leastPart {
		old, ok := a.cut()
		if !ok {
			break
		}
		if !changed {
			before = old
		}
		changed = true
	}
	if !changed {
		before = math.NaN()
	}
	return changed, before
}

func (a *ADWIN) insert(v float64) {
	a.n, a.total, a.sq = a.n+1, a.total+v, a.sq+v*v
	b := bucket{v, v * v}
	for i := 0; ; i++ {
		if i == len(a.rows) {
			a.rows = append(a.rows, nil)
		}
		a.rows[i] = append(a.rows[i], b)
		if len(a.rows[i]) <= perRow {
			return
		}
		x, y := a.rows[i][0], a.rows[i][1]
		a.rows[i] = append(a.rows[i][:0], a.rows[i][2:]...)
		b = bucket{x.sum + y.sum, x.sq + y.sq}
		if i+1 == mostRows {
			size := math.Exp2(float64(i + 1))
			a.n, a.total, a.sq = a.n-size, a.total-b.sum, a.sq-b.sq
			return
		}
	}
}

// cut drops the oldest part if it differs from the rest somewhere; old is the
// mean of the part before the strongest cut.
func (a *ADWIN) cut() (old float64, ok bool) {
	variance := max(a.sq/a.n-(a.total/a.n)*(a.total/a.n), 0)
	if variance == 0 {
		return 0, false
	}
	log := math.Log(2 * math.Log(max(a.n, 3)) / a.delta)
	n0, s0 := 0.0, 0.0
	for i := len(a.rows) - 1; i >= 0; i-- {
		size := math.Exp2(float64(i))
		for _, b := range a.rows[i] {
			n0, s0 = n0+size, s0+b.sum
			n1 := a.n - n0
			if n0 < leastPart || n1 < leastPart {
				continue
			}
			m := 1 / (1/n0 + 1/n1)
			bound := math.Sqrt(2/m*variance*log) + 2/(3*m)*log*math.Sqrt(variance)
			if diff := math.Abs(s0/n0 - (a.total-s0)/n1); diff > bound {
				old = s0 / n0
				a.dropOldest()
				return old, true
			}
		}
	}
	return 0, false
}

func (a *ADWIN) dropOldest() {
	i := len(a.rows) - 1
	for i > 0 && len(a.rows[i]) == 0 {
		i--
	}
	b := a.rows[i][0]
	a.rows[i] = append(a.rows[i][:0], a.rows[i][1:]...)
	if len(a.rows[i]) == 0 && i > 0 {
		a.rows = a.rows[:i]
	}
	a.n, a.total, a.sq = a.n-math.Exp2(float64(i)), a.total-b.sum, a.sq-b.sq
}
