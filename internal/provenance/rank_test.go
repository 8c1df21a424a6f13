package provenance

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// world makes parts whose figures are ordinary, but for what is added.
type world struct{ r *rand.Rand }

func (w world) windows(n int, level float64, add ...float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = level * (1 + .05*w.r.NormFloat64())
		if i < len(add) {
			out[i] += add[i]
		}
	}
	return out
}

func (w world) part(id string, level float64, add ...float64) Part {
	return Part{ID: id, Normal: w.windows(100, level), Before: w.windows(3, level), Now: w.windows(4, level, add...), Volume: 100}
}

// An agent calls a gateway's tools; one of them slows all that call it. The leaf
// is found, whatever the noise.
func TestLeafFirst(t *testing.T) {
	t.Parallel()
	right := 0
	for seed := range uint64(50) {
		w := world{rand.New(rand.NewPCG(seed, 1))}
		slow := []float64{.5, .8, .6, .7}
		parts := []Part{
			w.part("agent", 2, slow...), w.part("crm", .4, slow...), w.part("store", .1, slow...), w.part("search", .3), w.part("model", 1),
			w.part("elsewhere", .2, 5, 5, 5, 5),
			{ID: "proxy"},
		}
		edges := []Edge{{"agent", "crm"}, {"agent", "search"}, {"agent", "model"}, {"crm", "proxy"}, {"proxy", "store"}}
		got := Rank("agent", parts, edges)
		if len(got) > 0 && got[0].ID == "store" {
			right++
			if !slices.Equal(got[0].Path, []string{"agent", "crm", "proxy", "store"}) {
				t.Errorf("path %v", got[0].Path)
			}
		}
		if slices.ContainsFunc(got, func(c Cause) bool { return c.ID == "elsewhere" }) {
			t.Error("what cannot be reached is a cause")
		}
		total := 0.0
		for _, c := range got {
			total += c.Score
			if len(c.Reasons) < 2 || c.Score < 0 {
				t.Errorf("%+v", c)
			}
		}
		if total > 1+1e-9 {
			t.Errorf("scores add up to %v", total)
		}
	}
	if right < 48 {
		t.Errorf("the leaf is first in %d of 50", right)
	}
}

// Nothing is invented: ordinary times, no figures, or what was as bad before.
func TestNoCause(t *testing.T) {
	t.Parallel()
	w := world{rand.New(rand.NewPCG(1, 2))}
	edges := []Edge{{"agent", "tool"}, {"tool", "agent"}, {"tool", "tool"}}
	if got := Rank("agent", []Part{w.part("agent", 1), w.part("tool", 1)}, edges); len(got) != 0 {
		t.Errorf("ordinary times: %+v", got)
	}
	if got := Rank("agent", []Part{{ID: "agent"}, {ID: "tool"}}, edges); len(got) != 0 {
		t.Errorf("nothing known: %+v", got)
	}
	if got := Rank("nobody", nil, edges); len(got) != 0 {
		t.Errorf("no such symptom: %+v", got)
	}
	old := w.part("tool", 1, 5, 5, 5, 5)
	old.Before = []float64{6, 6, 6}
	for _, c := range Rank("agent", []Part{w.part("agent", 1, 5, 5, 5, 5), old}, edges) {
		if c.ID == "tool" {
			t.Errorf("what was as bad before is a cause: %+v", c)
		}
	}
	bad := Part{ID: "agent", Normal: []float64{math.NaN(), math.Inf(1)}, Now: []float64{math.NaN()}}
	if got := Rank("agent", []Part{bad}, nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Two tools slow down alike; the one that was changed just before is first, and
// so is the one that began first.
func TestChangeAndOnset(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	add := []float64{3, 3, 3, 3}
	first := func(alter func(b *Part)) string {
		w := world{rand.New(rand.NewPCG(4, 4))}
		a, b, top := w.part("a", 1, add...), w.part("b", 1, add...), w.part("agent", 2, 6, 6, 6, 6)
		b.Normal, b.Before, b.Now = a.Normal, a.Before, a.Now
		a.Onset, b.Onset, top.Onset = began, began, began
		alter(&b)
		got := Rank("agent", []Part{top, a, b}, []Edge{{"agent", "a"}, {"agent", "b"}})
		if len(got) < 2 {
			t.Fatalf("%+v", got)
		}
		return got[0].ID + ": " + strings.Join(got[0].Reasons, "; ")
	}
	if got := first(func(b *Part) { b.Changed, b.Change = began.Add(-10*time.Minute), "version 7" }); !strings.HasPrefix(got, "b") || !strings.Contains(got, "version 7 10m0s before it began") {
		t.Error(got)
	}
	if got := first(func(b *Part) { b.Changed = began.Add(time.Minute) }); !strings.HasPrefix(got, "a") {
		t.Errorf("a change after it began: %s", got)
	}
	if got := first(func(b *Part) { b.Onset = began.Add(-time.Minute) }); !strings.HasPrefix(got, "b") || !strings.Contains(got, "before the symptom") {
		t.Error(got)
	}
	if got := first(func(b *Part) { b.Onset = began.Add(time.Minute) }); !strings.HasPrefix(got, "a") {
		t.Error(got)
	}
}
