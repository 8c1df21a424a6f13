package experiment

import (
	"context"
	"fmt"
	"math"
	"time"

	"reeve/internal/fault"
	"reeve/internal/stat"
)

// ProofKind is an experiment that puts recorded runs to another model: what it would
// have saved, and whether its answers are as good.
const ProofKind = "proof"

// Proof is what recorded runs are put to.
type Proof struct {
	Upstream string `json:"upstream,omitempty"` // as each was where none is given
	Model    string `json:"model"`
	Runs     int    `json:"runs"` // the newest ones, at most
}

const (
	maxProofRuns = 100
	// asGood is by how much the share that passes may be lower, at the end of its
	// interval, and still be as good; leastPairs are needed to know even where no two
	// answers differ (1.96/(n+2) has to be less).
	asGood     = .05
	leastPairs = 38
)

func (p *Plan) checkProof() error {
	x := p.Proof
	switch {
	case x == nil || x.Model == "" || len(x.Model) > 200 || len(x.Upstream) > 64:
		return invalid("a proof names the model that recorded runs are put to")
	case x.Runs < 1 || x.Runs > maxProofRuns:
		return invalid("a proof is of 1 to %d recorded runs", maxProofRuns)
	case len(p.Evaluators) == 0:
		return invalid("a proof names evaluators: without them nobody knows whether the answers are as good").WithHint("--evaluator grounded")
	case p.Repeats != 1 || p.Baseline != "" || p.Dataset != "":
		return invalid("a proof has no data set, repeats or baseline: each run is compared with itself")
	}
	return nil
}

// mayProve refuses who may not read what the agent's runs said.
func (b *Book) mayProve(who Actor, team, environment string) error {
	if b.o.Recorded == nil || b.o.Again == nil {
		return fault.New(fault.KindUnavailable, "experiment.not_possible", "this server replays nothing")
	}
	if !who.Can("reader", team, environment) {
		return fault.New(fault.KindDenied, "experiment.denied", "a proof compares what runs said: this needs the role reader for team %q in %q", team, environment)
	}
	return nil
}

// recordedTasks are the recorded runs that are replayed.
func (b *Book) recordedTasks(ctx context.Context, x *Experiment, most int) ([]Task, error) {
	runs, err := b.o.Recorded(ctx, x.Agent, x.Team, x.Environment, most)
	if err != nil {
		return nil, err
	}
	out := make([]Task, len(runs))
	for i, run := range runs {
		out[i] = Task{Item: run, Run: run}
	}
	return out, nil
}

// prove puts the recorded runs of a proof to its model, one after the other: of each its
// first conversation, to the answer. Each is two results: a as recorded, b as replayed.
// What was said is not kept.
func (b *Book) prove(ctx context.Context, x *Experiment, tasks []Task) error {
	seq := 0
	for i := range tasks {
		before, now := b.proveOne(ctx, x, tasks[i].Run)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, r := range []Result{before, now} {
			seq++
			if err := b.record(ctx, x, seq, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Book) proveOne(ctx context.Context, x *Experiment, run string) (before, now Result) {
	at := b.o.Now().UTC().Truncate(time.Microsecond)
	before = Result{Experiment: x.ID, Item: run, Pair: run, Group: "a", Run: run, Valid: true, At: at}
	now = before
	now.Group, now.Run = "b", ""
	unknown := func(why string) (Result, Result) { // a pair of which one is unknown is not counted
		before.Failed, now.Failed, now.Why = true, true, why
		return before, now
	}
	r, paid, err := b.o.Again(ctx, run, x.Proof.Upstream, x.Proof.Model)
	if err != nil {
		return unknown(fault.From(err).Message)
	}
	switch {
	case len(r.Left) > 0:
		return unknown("it was given what cannot be replayed, such as images")
	case r.Was == "":
		return unknown("what it answered was not recorded")
	}
	r.Evaluators = x.Evaluators
	limit, cancel := context.WithTimeout(ctx, replayTime)
	defer cancel()
	t := b.Tests.open(x.Agent, &Target{}, r.Recording, "")
	t.replay = true
	defer b.Tests.close(t)
	began := time.Now()
	out, err := replay(limit, t, &r)
	now.TookMS, now.RunID, now.Run = time.Since(began).Milliseconds(), t.runID(), t.Key
	if err == nil {
		err = b.judgeReplay(limit, x.who, &r, &out)
	}
	switch {
	case err != nil:
		return unknown(fault.From(err).Message)
	case out.Answer == "":
		return unknown(out.Why)
	}
	if r.Beside > 0 {
		before.Why = fmt.Sprintf("model calls of the run that are of other conversations, and in neither figure: %d", r.Beside)
	}
	now.Calls = len(out.Spoken)
	before.Cost, now.Cost = nanosOf(paid), nanosOf(out.Cost)
	var said, again bool
	before.Passed, said, before.Checks = verdicts(out.Before)
	now.Passed, again, now.Checks = verdicts(out.Checks)
	if !said || !again {
		return unknown("its evaluators had nothing to judge in one of the two answers")
	}
	if !now.Passed && before.Passed {
		now.Why = "the answer before passed, and this one does not"
	}
	return before, now
}

// verdicts say whether checks pass together, and whether any had something to say. Their
// texts are not kept: they may quote the run.
func verdicts(all []Check) (passed, said bool, out []Check) {
	passed = true
	for _, c := range all {
		out = append(out, Check{Name: c.Name, Verdict: c.Verdict})
		switch c.Verdict {
		case "pass":
			said = true
		case "fail", "unsure":
			said, passed = true, false
		}
	}
	return passed && said, said, out
}

func nanosOf(usd float64) *int64 {
	if math.IsNaN(usd) || usd < 0 || usd > 1e9 {
		return nil
	}
	return new(int64(math.Round(usd * 1e9)))
}

// Saved is what a proof comes to, of the runs of which both answers were judged.
type Saved struct {
	Compared, Unknown      int64   // pairs
	Priced                 int64   // pairs of which both have a price
	Before, Now            float64 // USD a run; NaN unknown
	Saving, Low, High      float64 // Before less Now, with the 95 % interval of Student's t; NaN unknown
	Quality, Lower, Higher float64 // share that passes now less the share that passed, with its 95 % interval; NaN unknown
}

// saved adds the pairs of a proof up; s has their verdicts already.
func (s *Summary) saved(all []Result) {
	by := map[string]*[2]*Result{}
	var order []string
	for i := range all {
		r := &all[i]
		p := by[r.Pair]
		if p == nil {
			p = &[2]*Result{}
			by[r.Pair], order = p, append(order, r.Pair)
		}
		if r.Group == "b" {
			p[1] = r
		} else {
			p[0] = r
		}
	}
	nan := math.NaN()
	v := Saved{Before: nan, Now: nan, Saving: nan, Low: nan, High: nan, Quality: nan, Lower: nan, Higher: nan}
	var before, now float64
	var less []float64
	for _, pair := range order {
		a, b := by[pair][0], by[pair][1]
		if a == nil || b == nil || a.Failed || b.Failed {
			v.Unknown++
			continue
		}
		v.Compared++
		if a.Cost == nil || b.Cost == nil {
			continue
		}
		x, y := float64(*a.Cost)/1e9, float64(*b.Cost)/1e9
		before, now, less = before+x, now+y, append(less, x-y)
	}
	if n := float64(len(less)); n > 0 {
		v.Priced = int64(len(less))
		v.Before, v.Now = before/n, now/n
		v.Saving = v.Before - v.Now
		if n > 1 {
			var squares float64
			for _, d := range less {
				squares += (d - v.Saving) * (d - v.Saving)
			}
			e := stat.Student(n-1) * math.Sqrt(squares/(n-1)/n)
			v.Low, v.High = v.Saving-e, v.Saving+e
		}
	}
	if s.Pairs != nil && s.Pairs.Pairs > 0 {
		v.Quality, v.Lower, v.Higher = pairedDifference(s.Pairs)
	}
	s.Saved = &v
}

// pairedDifference is the share of the second less that of the first, with a 95 %
// interval: half a pair is added to each cell (Agresti and Min 2005), so that few pairs
// without a difference do not seem to be certain.
func pairedDifference(p *Paired) (d, low, high float64) {
	n, b, c := float64(p.Pairs), float64(p.OnlyFirst), float64(p.OnlySecond)
	d = (c - b) / n
	n, b, c = n+2, b+0.5, c+0.5
	mid := (c - b) / n
	e := 1.959963984540054 * math.Sqrt((b+c)-(c-b)*(c-b)/n) / n
	return d, math.Max(mid-e, -1), math.Min(mid+e, 1)
}

// InWords tells a proof.
func (v *Saved) InWords() string {
	if v.Compared == 0 {
		return fmt.Sprintf("none of %d runs could be compared", v.Unknown)
	}
	out := fmt.Sprintf("%d runs were compared, %d could not be and are left out", v.Compared, v.Unknown)
	if v.Priced > 0 {
		out += fmt.Sprintf("; the first conversation of a run cost %.5f USD and would cost %.5f", v.Before, v.Now)
	}
	out += fmt.Sprintf("; %+.1f points of quality (%+.1f to %+.1f)", 100*v.Quality, 100*v.Lower, 100*v.Higher)
	if v.Compared < leastPairs {
		out += fmt.Sprintf("; to be as good takes %d runs or more", leastPairs)
	}
	return out
}
