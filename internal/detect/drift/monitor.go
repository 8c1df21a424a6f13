package drift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"reeve/internal/detect/chance"
)

// Options of a Monitor; the zero value is useful.
type Options struct {
	AlarmsPerWeek float64 // false ones a person bears from this agent; 0 is 1
	RunsPerWeek   float64 // 0 is 1,000
	Reference     int     // runs that are the normal; 0 is 400
	Window        int     // runs of now; 0 is 100
	Every         int     // runs between two comparisons; 0 is 20
	MinEffect     float64 // least distance (KS, or root of Jensen-Shannon); 0 is .1

	// Rest is the least time between two comparisons, for agents with many runs a
	// second: one costs milliseconds. 0 is none.
	Rest time.Duration
}

// Feature is what is compared: numbers by their distribution, kinds by their
// shares.
type Feature struct {
	Name  string
	Kinds bool

	SayFunc func(float64) string // writes a number for people; nil: four digits, no unit
}

// Value is a feature of one run.
type Value struct {
	Number  float64
	Kind    string
	Missing bool
}

// Shift is a feature that drifted.
type Shift struct {
	Feature  string
	Distance float64 // KS of numbers, Jensen-Shannon of kinds
	PSI      float64
	P        float64 // of such a distance by chance
	What     string  // in words: where it was, and is
	Before   float64 // median, or share of the kind that changed most
	Now      float64
	Kind     string // that changed most
	Runs     int    // of now that it is based on
}

// most kinds of a feature; the rest is one kind.
const mostKinds = 48

// Monitor compares the last runs of an agent with its reference.
type Monitor struct {
	o        Options
	features []feature
	runs     int   // since the reference was begun
	compared int   // at which of them the last comparison was
	at       int64 // and when
	source   *rand.PCG
	rng      *rand.Rand // of source
}

type feature struct {
	Feature
	reference []float64
	window    []float64 // a ring
	at        int
	names     map[string]int // kinds as numbers
	list      []string
	streak    int  // looks in a row at which it stood out
	shifted   bool // and was told
}

// New begins to collect the reference.
func New(features []Feature, o Options) *Monitor {
	def := func(v *float64, to float64) {
		if *v == 0 {
			*v = to
		}
	}
	def(&o.AlarmsPerWeek, 1)
	def(&o.RunsPerWeek, 1000)
	def(&o.MinEffect, .1)
	for v, to := range map[*int]int{&o.Reference: 400, &o.Window: 100, &o.Every: 20} {
		if *v == 0 {
			*v = to
		}
	}
	m := &Monitor{o: o}
	for _, f := range features {
		m.features = append(m.features, feature{Feature: f})
	}
	m.Reset()
	return m
}

// Reset begins a new reference: a new version was approved, or a person says that
// this is the new normal.
func (m *Monitor) Reset() {
	m.runs, m.compared, m.at = 0, 0, 0
	m.source = rand.NewPCG(1, 2)
	m.rng = rand.New(m.source)
	for i := range m.features {
		f := &m.features[i]
		*f = feature{Feature: f.Feature, names: map[string]int{}}
	}
}

// Learning says that the reference is not full yet.
func (m *Monitor) Learning() bool { return m.runs < m.o.Reference }

// persistence is at how many looks in a row a feature must stand out.
const persistence = 2

// Look adds a run that ended at so many nanoseconds, with a value for each feature
// in their order, and tells what shifted, once for each feature until Reset.
func (m *Monitor) Look(at int64, values []Value) []Shift {
	if len(values) != len(m.features) {
		return nil
	}
	learning := m.Learning()
	m.Learn(values)
	since := m.runs - m.o.Reference
	if learning || m.runs-max(m.compared, m.o.Reference) < m.o.Every || m.at != 0 && at-m.at < int64(m.o.Rest) {
		return nil
	}
	m.compared, m.at = m.runs, at
	return m.compare(min(since, m.o.Window))
}

func (f *feature) add(v Value, learning bool, o Options) {
	if v.Missing || !f.Kinds && (math.IsNaN(v.Number) || math.IsInf(v.Number, 0)) {
		return
	}
	x := v.Number
	if f.Kinds {
		x = float64(f.number(v.Kind))
	}
	switch {
	case learning:
		f.reference = append(f.reference, x)
	case len(f.window) < o.Window:
		f.window = append(f.window, x)
	default:
		f.window[f.at] = x
		f.at = (f.at + 1) % o.Window
	}
}

// number gives a kind its number; those beyond the most share one.
func (f *feature) number(kind string) int {
	n, ok := f.names[kind]
	if !ok {
		n = min(len(f.list), mostKinds)
		if n < mostKinds {
			f.list = append(f.list, kind)
			f.names[kind] = n
		}
	}
	return n
}

// compare asks of all features at once whether they are what they were.
func (m *Monitor) compare(runs int) (out []Shift) {
	looks := m.o.RunsPerWeek / float64(m.o.Every)
	if m.o.Rest > 0 {
		looks = min(looks, float64(7*24*time.Hour)/float64(m.o.Rest))
	}
	share := min(m.o.AlarmsPerWeek/looks, .2)
	deals := min(int(4*float64(len(m.features))/share)+1, 20_000)
	ps, ds := make([]float64, len(m.features)), make([]float64, len(m.features))
	for i := range m.features {
		f := &m.features[i]
		ps[i] = math.NaN()
		if f.shifted || len(f.reference) < 50 || len(f.window) < 20 {
			continue
		}
		pair := f.pair()
		// A difference too small to be told needs no chance: it counts as likely,
		// which makes the choice among the others stricter.
		if ds[i], ps[i] = pair.distance(), 1; f.tells(ds[i], m.o.MinEffect) {
			ps[i] = permuted(pair, ds[i], deals, m.rng)
		}
	}
	chosen := chance.Choose(ps, share)
	for i := range m.features {
		f := &m.features[i]
		if !chosen[i] || !f.tells(ds[i], m.o.MinEffect) {
			f.streak = 0
			continue
		}
		if f.streak++; f.streak >= persistence {
			f.shifted = true
			s := f.tell()
			s.P, s.Distance, s.Runs = ps[i], ds[i], min(runs, len(f.window))
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Shift) int {
		switch {
		case a.P < b.P:
			return -1
		case a.P > b.P:
			return 1
		}
		return 0
	})
	return out
}

// tells says whether a distance is large enough for a person to want to know.
func (f *feature) tells(distance, least float64) bool {
	if f.Kinds {
		return math.Sqrt(distance) >= least
	}
	return distance >= least
}

func (f *feature) pair() permutable {
	if !f.Kinds {
		return newSorted(f.reference, f.window)
	}
	k := &kinds{n: len(f.reference), a: make([]float64, mostKinds+1), b: make([]float64, mostKinds+1)}
	for _, list := range [][]float64{f.reference, f.window} {
		for _, v := range list {
			k.values = append(k.values, int(v))
		}
	}
	return k
}

// tell says in words where a feature was and is.
func (f *feature) tell() (s Shift) {
	s.Feature = f.Name
	if !f.Kinds {
		s.Before, s.Now = middle(f.reference), middle(f.window)
		s.PSI = psiOfNumbers(f.reference, f.window)
		say := f.SayFunc
		if say == nil {
			say = func(x float64) string { return fmt.Sprintf("%.4g", x) }
		}
		s.What = fmt.Sprintf("median of %s was %s, is %s", strings.ReplaceAll(f.Name, "_", " "), say(s.Before), say(s.Now))
		return s
	}
	a, b := make([]float64, mostKinds+1), make([]float64, mostKinds+1)
	for _, v := range f.reference {
		a[int(v)]++
	}
	for _, v := range f.window {
		b[int(v)]++
	}
	s.PSI = PSI(a[:min(len(f.list)+1, len(a))], b[:min(len(f.list)+1, len(b))])
	top := 0.0
	for i := range a {
		p, q := a[i]/float64(len(f.reference)), b[i]/float64(len(f.window))
		if math.Abs(q-p) > top {
			top, s.Before, s.Now, s.Kind = math.Abs(q-p), p, q, "others"
			if i < len(f.list) {
				s.Kind = f.list[i]
			}
		}
	}
	s.What = fmt.Sprintf("%s %q was %.0f %% of runs, is %.0f %%", f.Name, s.Kind, 100*s.Before, 100*s.Now)
	return s
}

func middle(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// psiOfNumbers takes the tenths of the first sample for kinds.
func psiOfNumbers(a, b []float64) float64 {
	s := slices.Sorted(slices.Values(a))
	var cuts []float64
	for i := 1; i < 10; i++ {
		cuts = append(cuts, s[i*len(s)/10])
	}
	count := func(xs []float64) []float64 {
		out := make([]float64, 10)
		for _, x := range xs {
			i := 0
			for i < len(cuts) && x >= cuts[i] {
				i++
			}
			out[i]++
		}
		return out
	}
	return PSI(count(a), count(b))
}
