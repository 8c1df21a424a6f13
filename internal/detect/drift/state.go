package drift

import (
	"math/rand/v2"
	"slices"
)

// Kept is what a Monitor has learned, for a file: the reference is what somebody
// approved, and must outlive the process.
type Kept struct {
	Runs, Compared int
	At             int64
	Random         []byte // where the permutations are
	Features       []KeptFeature
}

// KeptFeature is one feature of it.
type KeptFeature struct {
	Name              string
	Reference, Window []float64
	At                int
	Kinds             []string
	Streak            int
	Shifted           bool
}

// Keep copies what was learned.
func (m *Monitor) Keep() Kept {
	k := Kept{Runs: m.runs, Compared: m.compared, At: m.at}
	k.Random, _ = m.source.MarshalBinary() // it never fails
	for i := range m.features {
		f := &m.features[i]
		k.Features = append(k.Features, KeptFeature{
			f.Name, slices.Clone(f.reference), slices.Clone(f.window), f.at, slices.Clone(f.list), f.streak, f.shifted,
		})
	}
	return k
}

// Restore takes what was kept in place of what was learned. It reports whether it
// fits: what is of other features, or is longer than the options allow, is not
// taken, and the Monitor stays as it is.
func (m *Monitor) Restore(k Kept) bool {
	if len(k.Features) != len(m.features) || k.Runs < 0 || k.Compared < 0 {
		return false
	}
	source := rand.NewPCG(1, 2)
	if source.UnmarshalBinary(k.Random) != nil {
		return false
	}
	for i := range k.Features {
		f, of := &k.Features[i], &m.features[i]
		whole := len(f.Window) == m.o.Window
		switch {
		case f.Name != of.Name, len(f.Reference) > m.o.Reference, len(f.Window) > m.o.Window, len(f.Kinds) > mostKinds:
			return false
		case f.At < 0, whole && f.At >= m.o.Window, !whole && f.At != 0:
			return false
		case of.Kinds && slices.ContainsFunc(slices.Concat(f.Reference, f.Window), func(x float64) bool { return !(x >= 0 && x <= mostKinds) }):
			return false
		}
	}
	for i := range k.Features {
		f, of := &k.Features[i], &m.features[i]
		*of = feature{Feature: of.Feature, reference: f.Reference, window: f.Window, at: f.At, names: map[string]int{}, list: f.Kinds, streak: f.Streak, shifted: f.Shifted}
		for n, kind := range f.Kinds {
			if kind != "" { // it was forgotten
				of.names[kind] = n
			}
		}
	}
	m.runs, m.compared, m.at = k.Runs, k.Compared, k.At
	m.source, m.rng = source, rand.New(source)
	return true
}

// Learn adds a run and compares nothing: what is over needs no alarm, and what
// goes on is found at the next Look.
func (m *Monitor) Learn(values []Value) {
	if len(values) != len(m.features) {
		return
	}
	learning := m.Learning()
	m.runs++
	for i, v := range values {
		m.features[i].add(v, learning, m.o)
	}
}

// Forget gives the kinds that gone holds of no name, and reports how many they
// were; with dry they stay. Their shares count on under no name.
func (m *Monitor) Forget(gone func(kind string) bool, dry bool) (n int) {
	for i := range m.features {
		f := &m.features[i]
		for k, kind := range f.list {
			if kind == "" || !gone(kind) {
				continue
			}
			if n++; !dry {
				delete(f.names, kind)
				f.list[k] = ""
			}
		}
	}
	return n
}

// KeptADWIN is what an ADWIN has learned, for a file.
type KeptADWIN struct {
	Rows            [][][2]float64 // sum and sum of squares
	N, Sum, Squares float64
	Count           int
}

// Keep copies what was learned.
func (a *ADWIN) Keep() KeptADWIN {
	k := KeptADWIN{N: a.n, Sum: a.total, Squares: a.sq, Count: a.count}
	for _, row := range a.rows {
		kept := make([][2]float64, 0, len(row))
		for _, b := range row {
			kept = append(kept, [2]float64{b.sum, b.sq})
		}
		k.Rows = append(k.Rows, kept)
	}
	return k
}

// Restore takes what was kept in place of what was learned. It reports whether it
// fits, else nothing changed; the chance of a wrong cut stays.
func (a *ADWIN) Restore(k KeptADWIN) bool {
	n := 0.0
	if len(k.Rows) < 1 || len(k.Rows) > mostRows || k.Count < 0 {
		return false
	}
	rows := make([][]bucket, 0, len(k.Rows))
	for i, row := range k.Rows {
		if len(row) > perRow {
			return false
		}
		var of []bucket
		for _, b := range row {
			of = append(of, bucket{b[0], b[1]})
			n += float64(uint64(1) << i)
		}
		rows = append(rows, of)
	}
	if n != k.N {
		return false
	}
	a.rows, a.n, a.total, a.sq, a.count = rows, k.N, k.Sum, k.Squares, k.Count
	return true
}
