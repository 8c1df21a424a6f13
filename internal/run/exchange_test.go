package run

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
	"reeve/internal/telemetry/search"
)

// otherPrice is what calls of a story cost after prices changed: some get a cost,
// some lose theirs, some change their currency.
func otherPrice(c *telemetry.Call) (activity.Cost, bool) {
	if !c.Usage.Known() { // of what its sender gave neither way may change anything
		return activity.Cost{}, false
	}
	now := activity.Cost{Nanos: 3*max(c.Usage.InputTotal, 0) + 7, Currency: "USD", Basis: activity.CostRateCard, Price: "new"}
	switch {
	case c.Usage.InputTotal%5 == 0:
		now = activity.Cost{}
	case c.Usage.InputTotal%7 == 0:
		now.Currency = "EUR"
	}
	return now, now != c.Cost
}

// priced is a reader on the embedded engine that has read a story.
type priced struct {
	*harness
	store *duck.Store
}

func playPriced(t *testing.T, story []activity.Fragment) *priced {
	t.Helper()
	d, err := duck.Open(duck.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	e := &engine{d, newMemory()}
	h := newHarnessOn(t, e.memory, e, nil)
	for part := range slices.Chunk(story, 5) {
		h.feed(batchOf(part...))
		h.flush()
	}
	h.pass(time.Hour)
	h.flush()
	return &priced{h, d}
}

// says is what the engine tells of costs.
func (p *priced) says() map[string]any {
	p.t.Helper()
	out := map[string]any{}
	page, err := p.store.Runs(p.t.Context(), telemetry.RunsQuery{Limit: 1000})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range page.Runs {
		one, err := p.store.Run(p.t.Context(), r.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, x := range []*activity.Run{&r, one} {
			x.Revision, x.Received, x.Updated = 0, 0, 0
		}
		out["listed "+r.ID.String()], out["run "+r.ID.String()] = r, *one
		steps, err := p.store.Steps(p.t.Context(), r.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		for i := range steps {
			steps[i].Revision, steps[i].Received = 0, 0
		}
		out["steps "+r.ID.String()] = steps
	}
	for _, by := range [][]string{nil, {"agent"}, {"model"}} {
		q := telemetry.Query{Table: "steps", GroupBy: by, Bucket: time.Minute, Select: []telemetry.Measure{{Func: "count"}, {Func: "sum", Field: "cost"}, {Func: "sum", Field: "tokens"}}}
		if by != nil && by[0] == "model" {
			q.Where = &search.Cmp{Field: "call", Op: ":", Values: []string{"true"}}
		}
		got, err := p.store.Query(p.t.Context(), q)
		if err != nil || got.Source != "rollups" {
			p.t.Fatalf("%+v: %v", got, err)
		}
		out["by "+strings.Join(by, ",")] = got.Rows
	}
	return out
}

// TestExchangeAsRerate holds that exchanging the costs of a day says the same, to
// the last figure, as folding each of its runs again, for runs in memory, for
// those that left it, after a restart, with resends, merges and news behind it.
func TestExchangeAsRerate(t *testing.T) {
	if testing.Short() {
		t.Skip("writes many segments")
	}
	t.Parallel()
	exchanged := 0
	for seed := range uint64(16) {
		rng := rand.New(rand.NewPCG(seed, 21))
		story := randomStory(rng)
		for i := range story {
			if f := &story[i]; f.Usage.Known() && i%4 == 0 {
				f.ReportedCost = activity.Cost{Nanos: int64(i) + 1, Currency: "USD", Basis: activity.CostProvider}
			}
		}
		story = append(story, story[:len(story)/2]...)
		fast, slow := playPriced(t, story), playPriced(t, story)
		switch seed % 3 {
		case 1:
			fast.pass(time.Hour)
			slow.pass(time.Hour)
		case 2:
			fast.restart()
			slow.restart()
		}
		costs := map[activity.RunID]map[activity.StepID]activity.Cost{}
		from, to := time.Unix(0, start0), time.Unix(0, start0+3000e9) // of one day, at whatever hour this runs
		note := func(run activity.RunID, step activity.StepID, c activity.Cost) {
			if costs[run] == nil {
				costs[run] = map[activity.StepID]activity.Cost{}
			}
			costs[run][step] = c
		}
		if err := slow.store.Calls(t.Context(), from, to, func(c *telemetry.Call) error {
			if now, ok := otherPrice(c); ok {
				note(c.Run, c.Step, now)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		rerate := func(p *priced) {
			for run, c := range costs {
				if _, err := p.r.Rerate(t.Context(), run, c); err != nil {
					t.Fatal(err)
				}
			}
			p.flush()
		}
		rerate(slow)
		want := len(costs)
		clear(costs)

		for part := (telemetry.Part{Of: 2}); part.Number < part.Of; part.Number++ {
			x, err := fast.store.Exchange(t.Context(), from, to, part, otherPrice)
			if err != nil {
				t.Fatal(err)
			}
			if err := fast.r.Exchange(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			if err := x.Each(func(c *telemetry.Recost, apart bool) error {
				if !part.Has(c.Run) {
					t.Errorf("run %v is not in part %d", c.Run, part.Number)
				}
				if apart {
					note(c.Run, c.Step, c.New)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			x.Close()
		}
		exchanged += want - len(costs)
		rerate(fast)
		if diff := cmp.Diff(slow.says(), fast.says()); diff != "" {
			t.Fatalf("seed %d (-folded +exchanged):\n%s", seed, diff)
		}
		// What comes later finds it so, and takes back what it gave.
		for _, p := range []*priced{fast, slow} {
			late := story[0]
			late.Step, late.Parent, late.Kind, late.Agent, late.AgentExplicit, late.Contents = idOf[activity.StepID](777), activity.StepID{}, activity.KindTool, "another-agent", true, nil
			p.feed(batchOf(late))
			p.flush()
			p.pass(time.Hour)
		}
		if diff := cmp.Diff(slow.says(), fast.says()); diff != "" {
			t.Fatalf("seed %d, after news (-folded +exchanged):\n%s", seed, diff)
		}
	}
	if exchanged == 0 {
		t.Error("every run was folded")
	}
}
