package evaluate

import (
	"context"
	"math"

	"reeve/internal/control"
)

// Calibration is how far what an evaluator says at its revision can be believed:
// its verdicts beside those of people on the same runs, and what of all that it
// judged would be good if people had looked.
type Calibration struct {
	Evaluator, Kind string
	Revision        int64

	Judged map[string]int64    // runs by verdict
	Beside map[string][2]int64 // by verdict: of those that people labelled, how many they passed and failed

	Tokens      int64
	Cost        float64 // USD, of what has a price
	CostUnknown int64   // answers whose price is not known
}

// z is the 97.5 % point of the normal distribution.
const z = 1.959963984540054

// Labelled is how many runs both judged.
func (c *Calibration) Labelled() (n int64) {
	for _, b := range c.Beside {
		n += b[0] + b[1]
	}
	return n
}

// agreement are the cells of those that both passed or failed.
func (c *Calibration) agreement() Agreement {
	p, f := c.Beside[Pass], c.Beside[Fail]
	return Agreement{Evaluator: c.Evaluator, N: p[0] + p[1] + f[0] + f[1], Both: p[0], OnlyFirst: p[1], OnlyOther: f[0], Neither: f[1]}
}

// Kappa is Cohen's with a 95 % interval (Fleiss, Cohen and Everitt 1969); false
// where it is not defined.
func (c *Calibration) Kappa() (kappa, low, high float64, ok bool) {
	a := c.agreement()
	return a.Interval()
}

// Point is Kappa alone, of however few labels.
func (c *Calibration) Point() (float64, bool) {
	a := c.agreement()
	return a.Kappa()
}

// minKappa is from how many labels on kappa has an interval: below, the normal
// approximation says more than anybody knows.
const minKappa = 20

// Interval is Kappa with a 95 % interval; false below minKappa labels.
func (a *Agreement) Interval() (kappa, low, high float64, ok bool) {
	if kappa, ok = a.Kappa(); !ok || a.N < minKappa {
		return 0, 0, 0, false
	}
	n := float64(a.N)
	cell := [2][2]float64{{float64(a.Both) / n, float64(a.OnlyFirst) / n}, {float64(a.OnlyOther) / n, float64(a.Neither) / n}}
	row := [2]float64{cell[0][0] + cell[0][1], cell[1][0] + cell[1][1]}
	col := [2]float64{cell[0][0] + cell[1][0], cell[0][1] + cell[1][1]}
	chance := row[0]*col[0] + row[1]*col[1]
	var same, other float64
	for i := range 2 {
		for j := range 2 {
			if d := col[i] + row[j]; i == j {
				x := 1 - (row[i]+col[i])*(1-kappa)
				same += cell[i][i] * x * x
			} else {
				other += cell[i][j] * d * d
			}
		}
	}
	rest := kappa - chance*(1-kappa)
	v := (same + (1-kappa)*(1-kappa)*other - rest*rest) / ((1 - chance) * (1 - chance) * n)
	e := z * math.Sqrt(max(v, 0))
	low, high = max(kappa-e, -1), min(kappa+e, 1)
	// Where all agree the formula has no width. Of n that all agree, up to 3/n of the
	// rest may not (the rule of three), which costs kappa that over 1 - chance.
	if three := 3 / n / (1 - chance); a.Both+a.Neither == a.N {
		low = max(-1, min(low, 1-three))
	} else if a.Both+a.Neither == 0 {
		high = min(1, max(high, kappa+three))
	}
	return kappa, low, high, true
}

// Passed is the share that the evaluator passed, of what it had a verdict on.
func (c *Calibration) Passed() (passed, n int64) {
	return c.Judged[Pass], c.Judged[Pass] + c.Judged[Unsure] + c.Judged[Fail]
}

// minBeside is how many labels a verdict needs before anything is said of it.
const minBeside = 5

// Corrected is the share of all judged runs that people would pass: of each
// verdict the share that they passed, weighted by how often it was given. It goes
// by verdict, and not by the judge's errors on good and on bad runs, because people
// are shown runs by verdict (Queue): among those the errors would look larger than
// they are, whereas within a verdict what is labelled stands for the rest.
// false with fewer than minBeside labels of a verdict that was given.
func (c *Calibration) Corrected() (share, low, high float64, ok bool) {
	_, n := c.Passed()
	if n == 0 {
		return 0, 0, 0, false
	}
	var v, second float64
	for _, verdict := range Verdicts {
		q := float64(c.Judged[verdict]) / float64(n)
		if q == 0 {
			continue
		}
		b := c.Beside[verdict]
		m := float64(b[0] + b[1])
		if m < minBeside {
			return 0, 0, 0, false
		}
		raw, p := float64(b[0])/m, (float64(b[0])+1)/(m+2) // what was never seen may still be
		share += q * raw
		v += q * q * p * (1 - p) / (m + 2)
		second += q * p * p
	}
	v += max(second-share*share, 0) / float64(n) // how often each verdict is given is itself a sample
	e := z * math.Sqrt(v)
	return share, max(share-e, 0), min(share+e, 1), true
}

// Calibrations tell of each evaluator that there is, at its revision now.
func (b *Book) Calibrations(ctx context.Context, f Filter) ([]Calibration, error) {
	f.Source, f.Verdict, f.After = Online, "", Cursor{}
	at := map[string]*Calibration{}
	var out []*Calibration
	for _, e := range b.Evaluators() {
		c := &Calibration{Evaluator: e.Name, Kind: e.Kind, Revision: e.Revision, Judged: map[string]int64{}, Beside: map[string][2]int64{}}
		at[e.Name] = c
		out = append(out, c)
	}
	w := f.where("x.")
	w.Add("x.revision = (SELECT e.revision FROM evaluators e WHERE e.name = x.evaluator)")
	type row struct {
		name, verdict              string
		n, passed, failed, unknown int64
		tokens, nanos              int64
	}
	scan := func(r control.Row) (x row, err error) {
		return x, r.Scan(&x.name, &x.verdict, &x.n, &x.passed, &x.failed, &x.tokens, &x.nanos, &x.unknown)
	}
	// Several people may have labelled a run: they are one verdict, the one that more
	// of them gave.
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT x.evaluator, x.verdict, COUNT(*), COALESCE(SUM(h.s > 0), 0), COALESCE(SUM(h.s < 0), 0), SUM(x.tokens), COALESCE(SUM(x.cost_nanos), 0), SUM(x.tokens > 0 AND x.cost_nanos IS NULL)
		FROM evaluations x LEFT JOIN (SELECT run, evaluator, SUM(CASE verdict WHEN 'pass' THEN 1 WHEN 'fail' THEN -1 ELSE 0 END) s FROM evaluations WHERE source = 'human' GROUP BY run, evaluator) h ON h.run = x.run AND h.evaluator = x.evaluator`+
		w.Text()+` GROUP BY x.evaluator, x.verdict`, w.Args...)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		c := at[r.name]
		if c == nil {
			continue
		}
		c.Judged[r.verdict] += r.n
		c.Beside[r.verdict] = [2]int64{r.passed, r.failed}
		c.Tokens, c.Cost, c.CostUnknown = c.Tokens+r.tokens, c.Cost+float64(r.nanos)/1e9, c.CostUnknown+r.unknown
	}
	all := make([]Calibration, len(out))
	for i, c := range out {
		delete(c.Beside, "")
		all[i] = *c
	}
	return all, nil
}
