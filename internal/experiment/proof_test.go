package experiment

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"reeve/internal/fault"
)

// A proof compares each run with itself: what it saves, and how much worse its answers
// are; runs of which one answer is unknown are in neither.
func TestProof(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.book.o.Recorded = func(_ context.Context, agent, team, environment string, limit int) (out []string, err error) {
		if agent != "refund" || team != "core" || environment != "production" {
			t.Errorf("%s %s %s", agent, team, environment)
		}
		for i := range limit {
			out = append(out, fmt.Sprintf("run_%d", i))
		}
		return out, nil
	}
	long := strings.Repeat("x", 200) // which the evaluator fails
	h.book.o.Again = func(_ context.Context, run, _, model string) (Replaying, float64, error) {
		r := Replaying{Agent: "refund", Run: run, Model: model, Was: "It is lost.", Recording: &Recording{}}
		answer, paid := "It is lost.", 0.004
		switch run {
		case "run_0", "run_1":
			answer = long // worse
		case "run_2":
			r.Was = long // and better
		case "run_3":
			r.Left = map[string]int64{"media": 1}
		case "run_4":
			return r, 0, fault.New(fault.KindConflict, "experiment.not_recorded", "what this step was given was not recorded")
		case "run_5":
			answer = ""
		case "run_8":
			r.Beside = 3
		case "run_6":
			paid = math.NaN()
		case "run_7":
			r.Was = ""
		}
		r.Ask = func(context.Context, *Test, *Chat) (Spoken, error) {
			return Spoken{Turn: Turn{Text: answer}, Model: model, Cost: 0.001}, nil
		}
		return r, paid, nil
	}
	x, s, all := h.run(Plan{Kind: ProofKind, Evaluators: []string{"short"}, Proof: &Proof{Model: "small", Runs: 20}})
	v := s.Saved
	if x.State != Done || v == nil || v.Compared != 16 || v.Unknown != 4 || v.Priced != 15 || math.Abs(v.Before-0.004) > 1e-9 || math.Abs(v.Now-0.001) > 1e-9 || math.Abs(v.Saving-0.003) > 1e-9 || v.Low > v.Saving || v.High < v.Saving {
		t.Fatalf("%+v %+v", x, v)
	}
	if s.Pairs.OnlyFirst != 2 || s.Pairs.OnlySecond != 1 || s.A != 15 || s.B != 14 || math.Abs(v.Quality+1.0/16) > 1e-9 || v.Lower > -0.2 || v.Higher < 0.1 {
		t.Errorf("%+v %+v", s, v)
	}
	if text := v.InWords(); !strings.Contains(text, "16 runs were compared, 4 could not be and are left out") || !strings.Contains(text, "takes 38 runs or more") || !strings.Contains(text, "-6.2 points") {
		t.Error(text)
	}
	for _, r := range all {
		if r.Answer != "" {
			t.Errorf("what was said is kept: %+v", r)
		}
		if r.Item == "run_8" && r.Group == "a" && (r.Failed || !strings.Contains(r.Why, "other conversations, and in neither figure: 3")) {
			t.Errorf("calls that are not of the conversation are not told: %+v", r)
		}
	}
	good := Plan{Agent: "refund", Kind: ProofKind, Evaluators: []string{"short"}, Proof: &Proof{Model: "small", Runs: 20}}
	for name, change := range map[string]func(*Plan){
		"no model": func(p *Plan) { p.Proof = &Proof{Runs: 20} }, "no evaluator": func(p *Plan) { p.Evaluators = nil }, "too many runs": func(p *Plan) { p.Proof = &Proof{Model: "m", Runs: 101} },
		"no runs": func(p *Plan) { p.Proof = &Proof{Model: "m"} }, "repeats": func(p *Plan) { p.Repeats = 2 }, "another kind": func(p *Plan) { p.Kind = "magic" },
	} {
		p := good
		change(&p)
		if _, err := h.book.Start(t.Context(), anybody, p); fault.From(err).Code != "experiment.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.book.Start(t.Context(), Actor{Can: func(role, _, _ string) bool { return role != "reader" }}, good); fault.From(err).Code != "experiment.denied" {
		t.Errorf("who may not read: %v", err)
	}
}

// As good is out of reach of fewer pairs than the least that are named.
func TestLeastPairs(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]bool{leastPairs - 1: false, leastPairs: true} {
		p := paired(n, 0, 0)
		if _, low, _ := pairedDifference(&p); low > -asGood != want {
			t.Errorf("%d pairs without a difference: from %.4f", n, low)
		}
	}
}

// The interval of a paired difference: wide with few pairs, also without a difference.
func TestPairedDifference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, b, c      int64
		d, low, high float64
	}{
		{10, 0, 0, 0, -.1633, .1633}, {100, 0, 0, 0, -.0192, .0192}, {100, 10, 2, -.08, -.1460, -.0108}, {2, 2, 0, -1, -1, .193},
	} {
		p := paired(c.n, c.b, c.c)
		d, low, high := pairedDifference(&p)
		if math.Abs(d-c.d) > 1e-9 || math.Abs(low-c.low) > .001 || math.Abs(high-c.high) > .001 {
			t.Errorf("%+v: %.4f %.4f %.4f", c, d, low, high)
		}
	}
}
