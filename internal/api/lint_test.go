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
		for _, f := range lintOf(k, 4, counts, doorAlone, byDoor, 0, 0).Findings {
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
	if s := lintOf(k, 4, counts, doorAlone, true, 0, 0).Score; s != 0.75 {
		t.Errorf("score %v, want 0.75", s)
	}
}

// An agent whose tools are seen and whose arguments are not is told so; one
// that captures them is not.
func TestLintOfArguments(t *testing.T) {
	t.Parallel()
	k := lintKey{"refunds", "support"}
	counts := make([]map[lintKey]int64, 2*len(standard)+1)
	for _, tt := range []struct {
		tools, arguments int64
		findings         int
		score            float64
	}{{0, 0, 0, 0}, {3, 0, 1, 0}, {3, 2, 0, 1}} {
		got := lintOf(k, 4, counts, nil, false, tt.tools, tt.arguments)
		if len(got.Findings) != tt.findings || got.Score != tt.score {
			t.Errorf("%d tools, arguments of %d: %d findings, score %v", tt.tools, tt.arguments, len(got.Findings), got.Score)
		}
		for _, f := range got.Findings {
			if f.Line == "" || f.Costs == "" || f.Open != "agent:refunds kind:tool" {
				t.Errorf("finding %+v", f)
			}
		}
	}
	for _, r := range standard {
		if r.line == "" || r.costs == "" || r.fix == "" {
			t.Errorf("rule %s does not say what it costs and what sets it", r.field)
		}
	}
}

// What nobody here can know is not said to be missing.
func TestLintSeen(t *testing.T) {
	t.Parallel()
	k := lintKey{"refunds", "support"}
	s := seenCounts{sources: map[lintKey]int64{k: 2}, feedback: nil, decisions: map[lintKey]int64{}}
	got := map[string]string{}
	for _, x := range s.of(k, 0) {
		switch {
		case x.Count == nil && x.Fix == "":
			got[x.Kind] = "unknown"
		case x.Count != nil && *x.Count == 0 && x.Fix != "":
			got[x.Kind] = "missing"
		case x.Count != nil && *x.Count > 0 && x.Fix == "":
			got[x.Kind] = "seen"
		}
	}
	for kind, want := range map[string]string{"identity": "unknown", "traces": "missing", "decisions": "missing", "feedback": "unknown", "sources": "seen"} {
		if got[kind] != want {
			t.Errorf("%s is %q, want %q", kind, got[kind], want)
		}
	}
}
