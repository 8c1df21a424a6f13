package provenance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Hard evidence names the step, whatever stands around it.
func TestBlameEvidence(t *testing.T) {
	t.Parallel()
	plain := func() []Step {
		return []Step{
			{Agent: "user", Kind: Asks, Text: "refund order 1234 of Ada"},
			{Agent: "clerk", Kind: Calls, Text: `{"order": "1234"}`},
			{Agent: "orders", Kind: Tells, Text: "order 1234, paid 20 EUR by Ada"},
			{Agent: "clerk", Kind: Calls, Text: `{"order": "1234", "amount": 20}`},
			{Agent: "orders", Kind: Tells, Text: "order 1234 is being refunded"},
			{Agent: "clerk", Kind: Says, Text: "Order 1234 was refunded, thank you"},
		}
	}
	for name, c := range map[string]struct {
		at     int
		alter  func(s *Step)
		reason string
	}{
		"failed":        {3, func(s *Step) { s.Failed = true }, "its call failed"},
		"denied":        {3, func(s *Step) { s.Denied = true }, "it was denied"},
		"schema":        {3, func(s *Step) { s.Broken = true }, "it does not fit its schema"},
		"empty":         {1, func(s *Step) { s.Empty = true }, "its retrieval brought nothing"},
		"contradiction": {3, func(s *Step) { s.Text = `{"order": "7890", "amount": 999, "to": "DE44"}` }, "states what nobody gave"},
		"made up": {5, func(s *Step) {
			s.Text = "I assume that order 5555 was refunded, let's say on the 3rd, as a placeholder"
		}, "says that it assumes"},
	} {
		run := plain()
		c.alter(&run[c.at])
		got := Blame(run, DefaultWeights)
		if got[0].Step != c.at || !slices.Contains(got[0].Reasons, c.reason) {
			t.Errorf("%s: step %d for %v, want %d", name, got[0].Step, got[0].Reasons, c.at)
		}
		sum := 0.0
		for _, s := range got {
			sum += s.P
			if k := run[s.Step].Kind; k == Asks || k == Tells {
				t.Errorf("%s: blames what cannot be guilty", name)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s: adds up to %v", name, sum)
		}
		if agent, p := BlameAgent(got); agent != "clerk" || p < .99 {
			t.Errorf("%s: %s %v", name, agent, p)
		}
	}
}

func TestBlameNothing(t *testing.T) {
	t.Parallel()
	for _, run := range [][]Step{nil, {{Kind: Asks, Text: "do it"}}, {{Kind: Says}}} {
		got := Blame(run, DefaultWeights)
		if agent, _ := BlameAgent(got); len(got) != 0 || agent != "" {
			t.Errorf("%v: %+v", run, got)
		}
	}
}

// Where an organisation's runs fail otherwise than in general, a few verdicts
// are enough to learn it.
func TestFit(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	made := func() (v Verdict) {
		v.Run = append(v.Run, Step{Agent: "user", Kind: Asks, Text: "please do the task"})
		n := 6 + r.IntN(8)
		for i := range n {
			v.Run = append(v.Run, Step{Agent: fmt.Sprint("a", r.IntN(3)), Kind: Says, Text: strings.Repeat("all is well here ", 3+i)})
		}
		// Here the last report is always at fault.
		v.Step = len(v.Run) - 1
		return v
	}
	var verdicts []Verdict
	for range 30 {
		verdicts = append(verdicts, made())
	}
	right := func(w Weights) (n int) {
		for range 50 {
			v := made()
			if Blame(v.Run, w)[0].Step == v.Step {
				n++
			}
		}
		return n
	}
	before, after := right(DefaultWeights), right(Fit(verdicts, DefaultWeights, 0))
	if before > 25 || after < 45 {
		t.Errorf("%d of 50 right before, %d after", before, after)
	}
	if w := Fit([]Verdict{{Step: 3}}, DefaultWeights, 0); w != DefaultWeights {
		t.Error("a verdict on nothing was learnt")
	}
	if s := DefaultWeights.String(); !strings.HasPrefix(s, "+1.50 ") {
		t.Error(s)
	}
}
