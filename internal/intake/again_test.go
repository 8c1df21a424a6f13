package intake

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// recordings are the folders of recorded traffic and of bodies made after
// documentation.
func recordings(t testing.TB) []string {
	t.Helper()
	bodies, err := filepath.Glob("testdata/captures/*/*.body.bin")
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	folders := map[string]bool{}
	for _, body := range bodies {
		folders[filepath.Base(filepath.Dir(body))] = true
	}
	for name := range madeAt {
		folders[name] = true
	}
	return slices.Sorted(maps.Keys(folders))
}

// mapped is what a recording becomes by a table.
func mapped(t *testing.T, name string, table *dialect.Map) []activity.Batch {
	t.Helper()
	in, log := fixture(t, nil)
	in.table = table
	if _, made := madeAt[name]; made {
		sendMade(t, in, name)
	} else {
		send(t, in, name)
	}
	return log.batches(t)
}

// older is the registry without some of its rules, as it was before they were
// added. Rules that decide to which step or run a record belongs are never
// younger than it: ids do not change.
func older(rng *rand.Rand, share float64) *dialect.Map {
	var all []dialect.Dialect
	for _, d := range registry() {
		d.Rules = slices.DeleteFunc(slices.Clone(d.Rules), func(r dialect.Rule) bool {
			switch {
			case r.Field == dialect.RunKey, r.Field == dialect.PendingSpan, r.Field == dialect.PendingParent, r.Events:
				return false
			case dialect.LooksSecret([]byte(r.Key)):
				return false // without its rule it would be dropped as a credential
			}
			return rng.Float64() < share
		})
		all = append(all, d)
	}
	return dialect.NewMap(all...)
}

// TestMapAgainIsStill holds that today's table changes nothing of what today's
// table made, for everything that was ever recorded.
func TestMapAgainIsStill(t *testing.T) {
	t.Parallel()
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := dialect.NewMap(registry()...)
			again := table.Again()
			for _, b := range mapped(t, name, table) {
				for i := range b.Fragments {
					was := told(&b.Fragments[i])
					if now := told(mapAgain(again, &b.Fragments[i])); was != now {
						t.Errorf("-was +again:\n%s", cmp.Diff(was, now))
					}
				}
			}
		})
	}
}

// TestMapAgainIsFresh holds that what an older table left, mapped again, is what
// today's table makes of the same bodies.
func TestMapAgainIsFresh(t *testing.T) {
	t.Parallel()
	for _, name := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := dialect.NewMap(registry()...)
			again := table.Again()
			fresh := map[activity.StepID][]string{}
			for _, b := range mapped(t, name, table) {
				for i := range b.Fragments {
					if f := &b.Fragments[i]; !f.OnlyContent {
						fresh[f.Step] = append(fresh[f.Step], told(f))
					}
				}
			}
			changed := 0
			for seed := range uint64(12) {
				n := map[activity.StepID]int{}
				for _, b := range mapped(t, name, older(rand.New(rand.NewPCG(seed, 47)), []float64{1, 0.1, 0.3, 0.5, 0.7, 0.9}[seed%6])) {
					for i := range b.Fragments {
						f := &b.Fragments[i]
						if f.OnlyContent || n[f.Step] >= len(fresh[f.Step]) {
							continue
						}
						old := told(f)
						got, want := told(mapAgain(again, f)), fresh[f.Step][n[f.Step]]
						n[f.Step]++
						if got != want {
							t.Errorf("seed %d (-fresh +again):\n%s", seed, cmp.Diff(want, got))
						}
						if got != old {
							changed++
						}
					}
				}
			}
			if changed == 0 {
				t.Error("nothing was mapped otherwise by any older table")
			}
		})
	}
}

// mapAgain maps a fragment whose contents are stored.
func mapAgain(again *dialect.Again, f *activity.Fragment) *activity.Fragment {
	c := *f
	c.Contents = nil
	refs := make([]activity.ContentRef, len(f.Contents))
	for i, x := range f.Contents {
		refs[i] = activity.ContentRef{Field: x.Field, Format: x.Format, From: x.From, Order: x.Order}
	}
	again.Map(&c, refs, func(i int) []byte { return f.Contents[i].Raw })
	for i, r := range refs {
		if r.Order == dialect.Replaced {
			continue
		}
		c.Contents = append(c.Contents, activity.Content{Field: r.Field, Format: r.Format, From: r.From, Order: r.Order, Raw: f.Contents[i].Raw})
	}
	return &c
}

// told is all that a fragment says, its lists in order.
func told(f *activity.Fragment) string {
	c := *f
	c.Contents = slices.Clone(c.Contents)
	slices.SortStableFunc(c.Contents, func(a, b activity.Content) int {
		return strings.Compare(fmt.Sprintf("%02d %010d %s %s %s", a.Field, a.Order, a.From, a.Format, a.Raw), fmt.Sprintf("%02d %010d %s %s %s", b.Field, b.Order, b.From, b.Format, b.Raw))
	})
	c.Labels, c.Tags = slices.Clone(c.Labels), slices.Clone(c.Tags)
	slices.SortFunc(c.Labels, func(a, b activity.Label) int { return strings.Compare(a.Key+a.Value, b.Key+b.Value) })
	slices.Sort(c.Tags)
	var out bytes.Buffer
	dump(&out, &c)
	fmt.Fprintf(&out, "  tags %q cost %+v ttft %d waiting %t explicit %t decision %q\n", c.Tags, c.ReportedCost, c.TTFT, c.Waiting, c.AgentExplicit, c.DecisionID)
	fmt.Fprintf(&out, "  resource %s\n  events %x\n", activity.AttributesJSON(nil, c.Resource), c.Events)
	return out.String()
}
