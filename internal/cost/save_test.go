package cost

import (
	"math"
	"testing"
	"time"

	"reeve/internal/activity"
)

// flat prices a million input tokens at 1,000 dollars, and such as are read from a cache
// at 100; of the model "unpriced" it knows nothing.
type flat struct{}

func (flat) Cost(_, model string, _ time.Time, u activity.Usage) activity.Cost {
	if model == "unpriced" {
		return activity.Cost{}
	}
	read := max(u.CacheRead, 0)
	return activity.Cost{Nanos: (u.InputTotal-read)*1e6 + read*1e5, Basis: activity.CostBook, Currency: "USD"}
}

// A run whose prompts outgrow its first costs what lies beyond four times that, by the
// price of the calls as they were, and at least beyond 8,000 tokens; short runs, small
// prompts and calls without a price cost nothing of it, and the last are counted.
func TestContextThatGrows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		model         string
		prompts       []int64
		cached        int64 // of each
		saved         float64
		calls, tokens int64
		unpriced      int64
	}{
		"within the limit":       {prompts: []int64{3000, 6000, 9000, 12_000}},
		"beyond it":              {prompts: []int64{3000, 6000, 20_000, 30_000}, saved: 8 + 18, calls: 2, tokens: 26_000},
		"a small first prompt":   {prompts: []int64{100, 500, 8000, 9000}, saved: 1, calls: 1, tokens: 1000},
		"three calls":            {prompts: []int64{100, 50_000, 50_000}},
		"read from a cache":      {prompts: []int64{3000, 6000, 12_000, 24_000}, cached: 1000, saved: 12 - .45, calls: 1, tokens: 12_000},
		"without a price":        {model: "unpriced", prompts: []int64{3000, 3000, 24_000, 24_000}, unpriced: 2},
		"nothing said of a call": {prompts: []int64{-1, 50_000, 50_000, 50_000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls []link
			for i, n := range c.prompts {
				u := activity.Usage{InputTotal: n, OutputTotal: 10, CacheRead: activity.Unknown, CacheWrite: activity.Unknown, Reasoning: activity.Unknown}
				if c.cached > 0 {
					u.CacheRead = c.cached
				}
				calls = append(calls, link{int64(i) * 1e9, u})
			}
			s := Settings{Currency: "USD"}
			g := newGain("context")
			swollen(chainKey{agent: "refunds", model: c.model}, calls, flat{}, s.rates(), g)
			g.finish()
			if math.Abs(*g.Figure-c.saved) > 1e-9 || g.Calls != c.calls || g.Tokens != c.tokens || g.Unpriced != c.unpriced {
				t.Errorf("saves %v of %d calls and %d tokens, %d unpriced; want %v, %d, %d, %d", *g.Figure, g.Calls, g.Tokens, g.Unpriced, c.saved, c.calls, c.tokens, c.unpriced)
			}
			if (c.saved > 0) != (len(g.Agents) == 1 && g.Agents[0].Agent == "refunds" && len(g.Runs) == 1) {
				t.Errorf("by agent %+v, by run %+v", g.Agents, g.Runs)
			}
		})
	}
}
