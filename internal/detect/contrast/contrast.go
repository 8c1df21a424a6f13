// Package contrast says what sets a selection apart from the rest: the slow runs,
// the failed ones, those of an hour.
//
// What for: "which version, model, tool or user group do these have in common
// that the others do not" is the first question at every peak of a chart.
//
// Who calls it: the API's "what is different", over runs or steps; `reeve bench
// different`.
//
// Promises: attributes in the order of how much they set the selection apart, by
// the least effect that the counts allow, so that chance in small numbers does
// not come first; every row with its counts and interval; rows that chance would
// bring are left out (Benjamini and Hochberg). Memory is bounded; the same rows
// give the same answer. A Table belongs to one goroutine.
//
// How it fails: with an empty selection or no rest the answer is empty. What
// found no room is counted under Other.
//
// Start reading at Table.Add, then Table.Rank and Table.Measures.
package contrast

import (
	"cmp"
	"math"
	"slices"

	"reeve/internal/detect/chance"
)

// Attribute is one property of a row. A row may have several of one name (the
// tools of a run).
type Attribute struct{ Name, Value string }

// Other stands for values that found no room.
const Other = "(other)"

// Bounds of a table.
const (
	mostNames  = 256
	mostValues = 2000 // of a name
)

// Difference is a value that is more or less frequent in the selection than in
// the rest.
type Difference struct {
	Name, Value      string
	Selected, Of     int     // rows of the selection with it, of all of it
	Rest, OfRest     int     // rows of the rest with it, of all of it
	Share, RestShare float64 // the same as shares
	Effect           float64 // Share - RestShare
	Low, High        float64 // its interval of 95 %
	Lift             float64 // how many times likelier a row is selected with it than without
	P                float64 // of such a difference by chance
}

// Table counts rows. The zero value is empty and ready.
type Table struct {
	total   [2]int
	counts  map[string]map[string]*[2]int
	figures []figures
}

// Add counts a row. Values that it has twice count once.
func (t *Table) Add(row []Attribute, selected bool) {
	side := 0
	if selected {
		side = 1
	}
	t.total[side]++
	if t.counts == nil {
		t.counts = map[string]map[string]*[2]int{}
	}
	for i, a := range row {
		if slices.Contains(row[:i], a) {
			continue
		}
		values := t.counts[a.Name]
		if values == nil {
			if len(t.counts) >= mostNames {
				continue
			}
			values = map[string]*[2]int{}
			t.counts[a.Name] = values
		}
		n := values[a.Value]
		if n == nil {
			if len(values) >= mostValues {
				a.Value = Other
			}
			if n = values[a.Value]; n == nil {
				n = &[2]int{}
				values[a.Value] = n
			}
		}
		n[side]++
	}
}

// falseShare is how many of the rows of an answer may be there by chance.
const falseShare = .05

// Rank lists what sets the selection apart: for each name the value that does so
// most, the strongest first; limit is how many at most (0 is all).
func (t *Table) Rank(limit int) []Difference {
	if t.total[0] == 0 || t.total[1] == 0 {
		return nil
	}
	var all []Difference
	var ps []float64
	for name, values := range t.counts {
		for value, n := range values {
			if value == Other {
				continue
			}
			d := t.difference(name, value, *n)
			all, ps = append(all, d), append(ps, d.P)
		}
	}
	best := map[string]Difference{}
	for i, chosen := range chance.Choose(ps, falseShare) {
		d := all[i]
		if b, ok := best[d.Name]; chosen && d.least() > 0 && (!ok || before(d, b) < 0) {
			best[d.Name] = d
		}
	}
	var out []Difference
	for _, d := range best {
		out = append(out, d)
	}
	slices.SortFunc(out, before)
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// least is the smallest effect, of either sign, that the counts allow.
func (d Difference) least() float64 {
	if d.Effect >= 0 {
		return d.Low
	}
	return -d.High
}

// before orders by the least effect; of two that say the same, what the selection
// has comes before what it lacks.
func before(a, b Difference) int {
	lacks := func(d Difference) int {
		if d.Effect < 0 {
			return 1
		}
		return 0
	}
	sure := func(d Difference) float64 { return math.Round(d.least() * 1e9) } // the two sides of a split differ in the last digit
	return cmp.Or(cmp.Compare(sure(b), sure(a)), cmp.Compare(lacks(a), lacks(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
}

// difference compares two shares; the interval is Newcombe's (1998), from the
// Wilson intervals of both.
func (t *Table) difference(name, value string, n [2]int) Difference {
	k, of, r, ofRest := float64(n[1]), float64(t.total[1]), float64(n[0]), float64(t.total[0])
	d := Difference{Name: name, Value: value, Selected: n[1], Of: t.total[1], Rest: n[0], OfRest: t.total[0], Share: k / of, RestShare: r / ofRest}
	d.Effect = d.Share - d.RestShare
	l1, u1 := chance.Wilson(k, of)
	l2, u2 := chance.Wilson(r, ofRest)
	d.Low = d.Effect - math.Hypot(d.Share-l1, u2-d.RestShare)
	d.High = d.Effect + math.Hypot(u1-d.Share, d.RestShare-l2)
	with, without := (k+.5)/(k+r+1), (of-k+.5)/(of-k+ofRest-r+1)
	d.Lift = with / without
	d.P = twoSided(k, of, r, ofRest)
	return d
}

// twoSided is how likely such a difference of two shares is by chance: by the
// exact tail of a Beta-Binomial where counts are small, since a rare value's
// normal curve tells too much.
func twoSided(k, of, r, ofRest float64) float64 {
	low, high := chance.BetaBinomial(k, of, r+.5, ofRest-r+.5)
	return min(1, 2*min(low, high))
}
