package run

import (
	"testing"
	"time"

	"reeve/internal/activity"
)

// TestRerate holds that rows, steps and rollups follow a call's new cost, for a
// run in memory and for one that has left it, and that what a sender gave stays.
func TestRerate(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in memory", "not stored yet", "gone", "after a restart"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, newMemory(), nil)
			var fs []activity.Fragment
			for i := range 3 {
				f := span1(1, i+2, -1, activity.KindModel)
				f.Kind, f.Model, f.Usage = activity.KindModel, "m", activity.Usage{InputTotal: 100, OutputTotal: 10, CacheRead: -1, CacheWrite: -1, Reasoning: -1}
				if i == 2 {
					f.ReportedCost = activity.Cost{Nanos: 5, Currency: "USD", Basis: activity.CostProvider}
				}
				fs = append(fs, f)
			}
			h.feed(batchOf(fs...))
			run := fs[0].Run
			if where != "not stored yet" {
				h.flush()
			}
			switch where {
			case "gone":
				h.pass(48 * time.Hour)
				h.flush()
				h.pass(time.Hour)
			case "after a restart":
				h.restart()
			}
			costs := map[activity.StepID]activity.Cost{}
			for i := range fs {
				costs[fs[i].Step] = activity.Cost{Nanos: 1000, Currency: "USD", Basis: activity.CostRateCard, Price: "new"}
			}
			n, err := h.r.Rerate(t.Context(), run, costs)
			if err != nil || n != 2 {
				t.Fatalf("%d changed, %v", n, err)
			}
			h.flush()
			if got := h.store.rows[run].Cost.Nanos; got != 2005 {
				t.Errorf("the run costs %d", got)
			}
			for i := range fs {
				s := h.store.steps[run][fs[i].Step]
				if want := map[bool]int64{true: 5, false: 1000}[i == 2]; s.Cost.Nanos != want {
					t.Errorf("call %d costs %+v", i, s.Cost)
				}
			}
			sum := int64(0)
			for _, d := range h.store.rollups {
				sum += d.CostNanos
			}
			if sum != 2*2005 { // of the agent, and of the model
				t.Errorf("rollups say %d", sum)
			}
			// What comes later of the run finds it as it is.
			more := span1(1, 9, -1, activity.KindTool)
			h.feed(batchOf(more))
			h.flush()
			if got := h.store.rows[run].Cost.Nanos; got != 2005 {
				t.Errorf("after another step the run costs %d", got)
			}
		})
	}
}

// book is a price book of one price.
type book activity.Cost

func (b book) Cost(_, _ string, _ time.Time, u activity.Usage) activity.Cost {
	if !u.Known() {
		return activity.Cost{}
	}
	return activity.Cost(b)
}

// A run that comes back from the store costs what it was said to cost, in that
// currency, whatever the price book says by now.
func TestReloadedCostKeepsItsCurrency(t *testing.T) {
	t.Parallel()
	for name, today := range map[string]book{
		"another currency": {Nanos: 70, Currency: "EUR", Basis: activity.CostRateCard, Price: "contract"},
		"no price":         {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, newMemory(), nil)
			call := span1(1, 2, -1, activity.KindModel, func(f *activity.Fragment) {
				f.Usage = activity.Usage{InputTotal: 100, OutputTotal: 10, CacheRead: -1, CacheWrite: -1, Reasoning: -1}
			})
			h.feed(batchOf(call))
			h.flush()
			want := activity.Cost{Nanos: 200, Currency: "USD", Basis: activity.CostBook}
			if got := h.store.rows[call.Run].Cost; got != want {
				t.Fatalf("at first the run costs %+v, want %+v", got, want)
			}
			h.opts = func(o *Options) { o.Prices = today }
			h.restart()
			h.feed(batchOf(span1(1, 9, -1, activity.KindTool)))
			h.flush()
			if got := h.store.rows[call.Run].Cost; got != want {
				t.Errorf("after a late step the run costs %+v, want %+v", got, want)
			}
			for key, d := range h.store.rollups {
				if d.CostNanos != 0 && d.CostNanos != want.Nanos {
					t.Errorf("rollup %s says %d", key, d.CostNanos)
				}
			}
		})
	}
}
