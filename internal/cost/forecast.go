package cost

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"reeve/internal/telemetry/search"
)

// Forecast is what a month will have come to at its end.
type Forecast struct {
	Currency string
	From, To time.Time // of the month
	Spent    float64   // until now
	Expected *float64  // at its end; nil: too little is known
	Low      *float64  // of the 95 % interval
	High     *float64
	Days     int    // that it is learned from
	Method   string // how
	Why      string // where there is none
	Unpriced int64  // calls of the month that are not in Spent
	Chance   func(limit float64) float64
}

// Method names how forecasts are made, in docs and answers.
const Method = "local level with weekday factors (exponential smoothing, additive errors), 4000 paths of resampled errors"

const (
	learnDays = 56 // eight weeks
	leastDays = 8
	// maxUnpriced is the share of a day's calls without a price from which on the
	// day says nothing.
	maxUnpriced = 0.1
	paths       = 4000
)

// Forecast looks ahead to the end of the month that now is in.
func (b *Book) Forecast(ctx context.Context, ask Ask, where search.Expr) (Forecast, error) {
	s := b.Settings()
	now := b.o.Now()
	z := s.Location()
	from, to, err := s.Month(s.MonthOf(now))
	if err != nil {
		return Forecast{}, err
	}
	y, m, d := now.In(z).Date()
	today := begins(y, m, d, z)
	since := begins(y, m, d-learnDays, z)
	if from.Before(since) {
		since = from
	}
	lines, err := b.daily(ctx, ask, &s, where, since, now)
	if err != nil {
		return Forecast{}, err
	}
	out := Forecast{Currency: s.Currency, From: from, To: to, Method: Method}
	var past []float64
	sofar, rest := 0.0, days(now, to, z)
	for _, day := range days(since, now, z) {
		v, calls, unpriced := 0.0, int64(0), int64(0)
		for _, l := range lines {
			if l.At.Before(day.from) || !l.At.Before(day.to) {
				continue
			}
			if l.Cost != nil {
				v += *l.Cost
			}
			calls, unpriced = calls+l.Calls, unpriced+l.Unpriced
			if !l.At.Before(from) {
				out.Unpriced += l.Unpriced
			}
		}
		if !day.from.Before(from) {
			out.Spent += v
		}
		switch {
		case day.from.Before(today) && float64(unpriced) > maxUnpriced*float64(calls):
			past = append(past, math.NaN()) // what it cost nobody knows
		case day.from.Before(today):
			past = append(past, v)
		default:
			sofar = v
		}
	}
	// Before the first day on which anything was spent there was nothing to spend
	// it on.
	first := slices.IndexFunc(past, func(v float64) bool { return v > 0 })
	if first >= 0 {
		past = past[first:]
		for _, v := range past {
			if !math.IsNaN(v) {
				out.Days++
			}
		}
	}
	if out.Days < leastDays {
		out.Why = "it takes 8 whole days, from the first on which something was spent, whose calls have prices"
		return out, nil
	}
	start := begins(y, m, d-len(past), z).In(z)
	ends := ahead(past, int(start.Weekday()), len(rest), sofar, seedOf(past))
	for i := range ends {
		ends[i] += out.Spent - sofar
	}
	slices.Sort(ends)
	mean := 0.0
	for _, v := range ends {
		mean += v / float64(len(ends))
	}
	low, high := ends[len(ends)/40], ends[len(ends)-1-len(ends)/40]
	out.Expected, out.Low, out.High = &mean, &low, &high
	out.Chance = func(limit float64) float64 {
		n, _ := slices.BinarySearch(ends, limit)
		return 1 - float64(n)/float64(len(ends))
	}
	return out, nil
}

// seedOf makes the same series give the same forecast: a figure that moves when it
// is looked at again is no figure.
func seedOf(series []float64) uint64 {
	h := uint64(14695981039346656037)
	for _, v := range series {
		h = (h ^ math.Float64bits(v)) * 1099511628211
	}
	return h
}

// ahead draws what the next days may come to together, the first of them at least
// what was spent on it so far. weekday is that of the first past day.
func ahead(past []float64, weekday, next int, sofar float64, seed uint64) []float64 {
	w := weekdays(past, weekday)
	all := smooth(past, w, weekday)
	rnd := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, paths)
	weeks := math.Sqrt(max(float64(len(past))/7, 1))
	for p := range out {
		f := all[len(all)-1]
		for pick, i := rnd.Float64(), 0; i < len(all); i++ {
			if pick -= all[i].weight; pick < 0 {
				f = all[i]
				break
			}
		}
		// A path begins at a level that is not known exactly, and goes on with
		// weekdays that are not either.
		l, sum := max(0, f.level+f.sd*math.Sqrt(f.alpha)*rnd.NormFloat64()), 0.0
		var as [7]float64
		for d := range as {
			as[d] = w[d] * max(0, 1+f.sd/max(f.level, 1e-9)/weeks*rnd.NormFloat64())
		}
		for i := range next {
			e := f.errs[rnd.IntN(len(f.errs))]
			v := max(0, l+e) * as[(weekday+len(past)+i)%7]
			if i == 0 {
				v = max(v, sofar)
			}
			sum += v
			l = max(0, l+f.alpha*e)
		}
		out[p] = sum
	}
	return out
}

// weekdays are what each day of the week costs of an average day. With less than
// three weeks a weekday's few days say little, and every day is like the others.
func weekdays(past []float64, weekday int) (w [7]float64) {
	for i := range w {
		w[i] = 1
	}
	weeks := len(past) / 7
	if weeks < 3 {
		return w
	}
	of := past[len(past)-weeks*7:]
	first := weekday + len(past) - len(of)
	var by [7][]float64
	for k := range weeks {
		week := of[k*7 : k*7+7]
		total := 0.0
		for _, v := range week {
			total += v / 7
		}
		if !(total > 0) { // nothing, or a day of which nobody knows
			continue
		}
		for i, v := range week {
			d := (first + i) % 7
			by[d] = append(by[d], v/total)
		}
	}
	sum, between, within := 0.0, 0.0, 0.0
	for d := range w {
		if len(by[d]) == 0 {
			return [7]float64{1, 1, 1, 1, 1, 1, 1}
		}
		// The median: one day that ran away is no weekday's habit.
		slices.Sort(by[d])
		n := len(by[d])
		w[d] = (by[d][(n-1)/2] + by[d][n/2]) / 2
		sum += w[d] / 7
		between += (w[d] - 1) * (w[d] - 1) / 7
		for _, v := range by[d] {
			within += (v - w[d]) * (v - w[d]) / float64(7*len(by[d])*max(len(by[d])-1, 1))
		}
	}
	// What differs no more than chance makes it is no habit: the less sure, the
	// nearer to one.
	sure := 0.0
	if between > 0 {
		sure = max(0, 1-1.5*within/between)
	}
	if sum <= 0 {
		return [7]float64{1, 1, 1, 1, 1, 1, 1}
	}
	for d := range w {
		w[d] = 1 + sure*(w[d]/sum-1)
	}
	return w
}

// fit is one way to follow the level: how fast, where that came to, the errors it
// made one step ahead, and how likely it is the right one.
type fit struct {
	alpha, level, sd, weight float64
	errs                     []float64
}

// smooth follows the level of a series without its weekdays, slowly and fast, and
// says how well each does. Which is right is not known either, so each path ahead
// takes one of them.
func smooth(past []float64, w [7]float64, weekday int) []fit {
	var all []fit
	best := math.Inf(1)
	for _, a := range []float64{0.01, 0.05, 0.1, 0.2, 0.35, 0.5} {
		level, errs, square := follow(past, w, weekday, a)
		n := float64(len(errs))
		// Widened for what was fitted.
		sd := math.Sqrt(square / n * n / max(n-2, 1))
		widen := math.Sqrt(n / max(n-2, 1))
		for i := range errs {
			errs[i] *= widen
		}
		all = append(all, fit{alpha: max(a, 1/float64(len(past))), level: level, sd: sd, weight: square, errs: errs})
		best = min(best, square)
	}
	sum := 0.0
	for i := range all {
		if best > 0 {
			all[i].weight = math.Pow(all[i].weight/best, -float64(len(all[i].errs))/2)
		} else if all[i].weight > 0 {
			all[i].weight = 0
		} else {
			all[i].weight = 1
		}
		sum += all[i].weight
	}
	for i := range all {
		all[i].weight /= sum
	}
	return all
}

func follow(past []float64, w [7]float64, weekday int, alpha float64) (level float64, errs []float64, square float64) {
	warm := min(7, len(past)/2)
	n := 0.0
	for i, v := range past {
		f := w[(weekday+i)%7]
		if f < 0.02 || math.IsNaN(v) { // on such days next to nothing is spent: they say nothing of the level
			continue
		}
		d := v / f
		if n < float64(warm) {
			level = (level*n + d) / (n + 1)
			n++
			continue
		}
		e := d - level
		errs = append(errs, e)
		square += e * e
		n++
		level += max(alpha, 1/n) * e // a small factor is the mean so far
	}
	if len(errs) == 0 {
		errs = []float64{0}
	}
	return level, errs, square
}
