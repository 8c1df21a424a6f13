package feedback

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"reeve/internal/activity"
)

// called is a run's steps: each a word "tool", "tool!" failed, "tool@" slow, or of
// another kind.
func called(words ...string) []activity.Step {
	var out []activity.Step
	for i, w := range words {
		s := activity.Step{Fragment: activity.Fragment{Step: activity.StepID{byte(i + 1)}, Kind: activity.KindTool, Status: activity.StatusOK, Start: int64(i) * 1e9, End: int64(i)*1e9 + 1e6}}
		switch last := w[len(w)-1]; last {
		case '!':
			w, s.Status = w[:len(w)-1], activity.StatusError
		case '@':
			w, s.End = w[:len(w)-1], s.Start+9e8
		}
		switch w {
		case "model":
			s.Kind, s.Model = activity.KindModel, "m"
		case "find", "find+":
			s.Kind, s.Name = activity.KindRetrieval, "docs"
			if w == "find+" {
				s.Refs = []activity.ContentRef{{Field: activity.ContentDocuments, Messages: "3"}}
			}
		case "policy":
			s.ToolName, s.Status, s.ErrorType = "refund", activity.StatusError, "policy.tool_denied"
		case "other":
			s.Kind, s.Agent = activity.KindAgent, "helper"
		default:
			s.ToolName = w
			s.Refs = []activity.ContentRef{{Field: activity.ContentArguments, Messages: "1"}}
		}
		out = append(out, s)
	}
	return out
}

// TestPatternsOfSteps: what steps have in common is told by what they are.
func TestPatternsOfSteps(t *testing.T) {
	t.Parallel()
	var p Patterns
	for i := range 40 {
		words := []string{"model", "find+", "look"}
		switch i {
		case 0:
			words = []string{"model", "find", "look", "look", "look", "pay!", "look@", "policy", "other"}
		case 1:
			words = []string{"model"}
		}
		p.Add(Judged{Run: fmt.Sprint("run_", i), Agent: "shop", Unhappy: i == 0}, called(words...))
	}
	all, tested := p.Compare(1)
	got := map[what]int64{}
	for _, c := range all {
		got[what{c.Kind, c.Name, c.Then}] = c.With
	}
	for w, want := range map[what]int64{
		{HasTool, "look", ""}: 39, {HasTool, "pay", ""}: 1, {HasToolError, "pay", ""}: 1, {HasLoop, "look", ""}: 1, {HasSlow, "look", ""}: 1, {HasThen, "look", "look"}: 1,
		{HasThen, "look", "pay"}: 1, {HasThen, "pay", "look"}: 1, {HasRefusal, "", ""}: 1, {HasHandoff, "", ""}: 1, {HasNothing, "docs", ""}: 1, {HasManySteps, "", ""}: 1,
	} {
		if got[w] != want {
			t.Errorf("%+v: %d runs, want %d", w, got[w], want)
		}
		delete(got, w)
	}
	delete(got, what{HasThen, "look", "refund"})
	for _, w := range []what{{HasTool, "refund", ""}, {HasToolError, "refund", ""}} {
		delete(got, w)
	}
	if len(got) != 0 || tested != len(all) {
		t.Errorf("more patterns: %+v, tested %d of %d", got, tested, len(all))
	}
}

// sample is n runs that use each of 30 tools by chance, in any order; a run with the
// tool named bad has an unhappy user so much more often.
func sample(rnd *rand.Rand, n int, bad string, more float64) *Patterns {
	var p Patterns
	for i := range n {
		var words []string
		unhappy := .2
		for k := range 30 {
			w := fmt.Sprint("t", k)
			if rnd.Float64() < .05+.02*float64(k) {
				words = append(words, w)
				if w == bad {
					unhappy += more
				}
			}
		}
		rnd.Shuffle(len(words), func(a, b int) { words[a], words[b] = words[b], words[a] })
		p.Add(Judged{Run: fmt.Sprint("run_", i), Unhappy: rnd.Float64() < unhappy, At: time.Unix(int64(i), 0)}, called(words...))
	}
	return &p
}

// TestPatternsFindWhatIsThere: a tool whose runs leave more users unhappy is found, with
// an interval that has the true difference, and nothing that says less stands before it.
func TestPatternsFindWhatIsThere(t *testing.T) {
	t.Parallel()
	p := sample(rand.New(rand.NewPCG(7, 7)), 400, "t9", .35)
	all, tested := p.Compare(10)
	c := &all[0]
	if tested < 100 || !c.Found || c.Kind != HasTool || c.Name != "t9" || c.Low > .35 || c.High < .35 || c.Diff < .2 {
		t.Fatalf("of %d: %+v", tested, c)
	}
	p.Show(c)
	if len(c.Runs) != shownRuns || len(c.Others) != shownRuns {
		t.Errorf("%d runs with, %d without", len(c.Runs), len(c.Others))
	}
}

// TestPatternsKeepStillWithoutCause: where no pattern has to do with what users think, of
// 200 samples at most one in twenty has anything that is called found.
func TestPatternsKeepStillWithoutCause(t *testing.T) {
	t.Parallel()
	wrong, tests := 0, 0
	for seed := range 200 {
		p := sample(rand.New(rand.NewPCG(uint64(seed), 99)), 120, "", 0)
		all, tested := p.Compare(10)
		tests += tested
		if len(all) > 0 && all[0].Found {
			wrong++
		}
	}
	t.Logf("%d of 200 samples claim something, %d patterns tested in all", wrong, tests)
	if wrong > 10 || tests < 200*20 {
		t.Errorf("%d of 200 samples without a cause claim one, of %d tests", wrong, tests)
	}
}
