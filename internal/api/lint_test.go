package api

import (
	"slices"
	"testing"
)

// An agent that only the door tells of is not asked for what only its own spans
// could carry; its score is of the rest.
func TestLintOfTheDoorAlone(t *testing.T) {
	t.Parallel()
	k := lintKey{"refunds", "support"}
	counts := make([]map[lintKey]int64, 2*len(standard)+1)
	for i := range standard {
		counts[2*i], counts[2*i+1] = map[lintKey]int64{k: 4}, map[lintKey]int64{k: 1}
	}
	fields := func(byDoor bool) (out []string) {
		for _, f := range lintOf(k, 4, counts, doorAlone, byDoor).Findings {
			out = append(out, f.Field)
		}
		return out
	}
	for _, f := range []string{"version", "tool call id"} {
		if !slices.Contains(fields(false), f) || slices.Contains(fields(true), f) {
			t.Errorf("%s: with spans %q, without %q", f, fields(false), fields(true))
		}
	}
	if got, want := len(fields(true)), len(standard)-2; got != want {
		t.Errorf("%d findings without spans, want %d", got, want)
	}
	if s := lintOf(k, 4, counts, doorAlone, true).Score; s != 0.75 {
		t.Errorf("score %v, want 0.75", s)
	}
}
