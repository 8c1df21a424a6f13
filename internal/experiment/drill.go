package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/stat"
)

// DrillKind is an experiment that tries a failover: each case once as ever, and once with
// an upstream taken as down in that test alone.
const DrillKind = "drill"

// Drill is the failover that is tried, and what is asked of it.
type Drill struct {
	Upstream  string   `json:"upstream"`            // taken as down
	Fallbacks []string `json:"fallbacks,omitempty"` // what the door may call in its place, as it was when it began
	Runs      int      `json:"runs,omitempty"`      // the newest recorded ones, at most, in place of a data set
	Model     string   `json:"model,omitempty"`     // of Runs; "" as recorded
	Least     float64  `json:"least"`               // share of cases that have to be answered
	Tolerance float64  `json:"tolerance"`           // by how much the share that passes may fall
}

// What a drill came to.
const (
	DrillPassed  = "passed"
	DrillFailed  = "failed"
	DrillUnsure  = "unsure"  // answered, and too few could be compared to know about quality
	DrillNothing = "nothing" // no case says anything of the failover
)

// Drilled is what came of a drill. A case is asked where it called the upstream that was
// taken as down; it is answered where something else answered its calls and it came to an
// end of its own.
type Drilled struct {
	Verdict   string   `json:"verdict"`
	Cases     int64    `json:"cases"` // that were tried
	Asked     int64    `json:"asked"`
	Answered  int64    `json:"answered"`
	Untouched int64    `json:"untouched"`        // cases that never called the upstream
	Unclear   int64    `json:"unclear"`          // cases that failed on their own, also with the upstream
	Served    []string `json:"served,omitempty"` // what answered in its place
	Lost      []Lost   `json:"lost,omitempty"`   // the first cases that were not answered

	Compared int64    `json:"compared"` // answered both ways and judged both times
	Before   int64    `json:"before"`   // of them that passed with the upstream
	Now      int64    `json:"now"`      // and without
	Only     [2]int64 `json:"only"`     // passed only with it, only without
	Quality  Range    `json:"quality"`  // share that passes without it less that with it

	Took       Took     `json:"took"`
	Priced     int64    `json:"priced"`                // cases of which both are priced
	CostBefore *float64 `json:"cost_before,omitempty"` // USD a case
	CostNow    *float64 `json:"cost_now,omitempty"`
	Cost       Range    `json:"cost"` // USD a case more without it
}

// Range is a value with its 95 % interval; nil is unknown.
type Range struct {
	Value *float64 `json:"value,omitempty"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// Took is how long cases took that were answered both ways, in milliseconds; nil unknown.
type Took struct {
	Before *int64 `json:"before,omitempty"` // median
	Now    *int64 `json:"now,omitempty"`
	Slow   *int64 `json:"slow,omitempty"` // 95 of 100 were faster, without the upstream
}

// Lost is a case that was not answered without the upstream. Why is in words of ours: a
// fault's, or a code.
type Lost struct {
	Item string `json:"item"`
	Run  string `json:"run,omitempty"`
	Why  string `json:"why"`
}

const (
	usualTolerance = .1
	maxLost        = 5
	maxLostWhy     = 300
)

func (p *Plan) checkDrill() error {
	x := p.Drill
	switch {
	case x == nil || x.Upstream == "" || len(x.Upstream) > 64:
		return invalid("a drill names the upstream that it takes as down")
	case (p.Dataset == "") == (x.Runs == 0):
		return invalid("a drill has either the cases of a data set, or a number of recorded runs")
	case p.Dataset != "" && x.Model != "" || len(x.Model) > 200:
		return invalid("a model is named for recorded runs alone: an agent chooses its own")
	case p.Dataset == "" && (x.Runs < 1 || x.Runs > maxProofRuns):
		return invalid("a drill replays 1 to %d recorded runs", maxProofRuns)
	case p.Dataset == "" && len(p.Evaluators) == 0:
		return invalid("a drill of recorded runs names evaluators: without them nobody knows whether the answers are as good").WithHint("--evaluator grounded")
	case !(x.Least > 0) || x.Least > 1:
		return invalid("the share that has to be answered is above 0 and at most 1")
	case !(x.Tolerance > 0) || x.Tolerance >= 1:
		return invalid("the tolerance is above 0 and under 1: a share of cases that pass")
	case p.Repeats != 1 || p.Baseline != "":
		return invalid("a drill has no repeats or baseline: each case is compared with itself")
	}
	return nil
}

// Needs is how many cases have to be compared before a drill can pass, even where no two
// answers differ: with fewer the interval is wider than what is tolerated.
func (x *Drill) Needs() int64 {
	e := 1.959963984540054 / x.Tolerance
	return max(1, int64(math.Floor(e-2))+1)
}

// drill puts each case once with the upstream and once without. Which comes first
// alternates, so that neither has warm caches throughout.
func (b *Book) drill(ctx context.Context, x *Experiment, tasks []Task) error {
	var target Target
	if x.Dataset != "" {
		var err error
		if target, err = b.Target(ctx, x.Agent); err != nil {
			return err
		}
	}
	seq := 0
	for i := range tasks {
		arms := [2]string{"a", "b"}
		if i%2 == 1 {
			arms = [2]string{"b", "a"}
		}
		for _, arm := range arms {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			down := ""
			if arm == "b" {
				down = x.Drill.Upstream
			}
			var r Result
			if x.Dataset == "" {
				r = b.drillReplay(ctx, x, tasks[i].Run, down)
			} else {
				var err error
				if r, err = b.try(ctx, x, &target, &tasks[i], down); err != nil {
					return err
				}
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.Pair, r.Group = r.Item, arm
			seq++
			if err := b.record(ctx, x, seq, r); err != nil {
				return err
			}
			if !r.Valid {
				return unguarded(&r)
			}
		}
	}
	return nil
}

// drillReplay puts a recorded run to its model again, as its agent would. What was said is
// not kept with it.
func (b *Book) drillReplay(ctx context.Context, x *Experiment, run, down string) Result {
	out := Result{Experiment: x.ID, Item: run, Valid: true, At: b.o.Now().UTC().Truncate(time.Microsecond)}
	unclear := func(why string) Result {
		out.Unclear, out.Failed, out.Why, out.Valid = true, true, why, true
		return out
	}
	r, _, err := b.o.Again(ctx, run, x.Drill.Upstream, x.Drill.Model)
	switch {
	case err != nil:
		return unclear(fault.From(err).Message)
	case len(r.Left) > 0:
		return unclear("it was given what cannot be replayed, such as images")
	}
	r.Was, r.Evaluators = "", x.Evaluators // each is compared with the other, not with what was recorded
	limit, cancel := context.WithTimeout(ctx, replayTime)
	defer cancel()
	t := b.Tests.open(x.Agent, &Target{}, r.Recording, down)
	t.replay = true
	defer b.Tests.close(t)
	out.Run = t.Key
	began := time.Now()
	said, err := replay(limit, t, &r)
	out.TookMS = time.Since(began).Milliseconds()
	t.tell(&out)
	out.Valid = true // it never acts, and so cannot act past the door
	switch {
	case err != nil:
		out.Failed, out.Why = true, fault.From(err).Message
		return out
	case said.Stopped != nil:
		out.Failed, out.Stopped, out.Why = true, true, said.Why
		return out
	case said.Answer == "":
		out.Failed, out.Why = true, said.Why
		return out
	}
	if err := b.judgeReplay(limit, x.who, &r, &said); err != nil {
		return unclear(fault.From(err).Message)
	}
	out.Passed, _, out.Checks = verdicts(said.Checks)
	return out
}

// judged reports whether anything said whether a result is right.
func (r *Result) judged() bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Verdict == "pass" || c.Verdict == "fail" || c.Verdict == "unsure" })
}

// ownFault reports whether a case failed with the upstream for a reason that is not the
// upstream's: what becomes of it without says nothing then.
func (r *Result) ownFault(upstream string) bool {
	if !r.Failed {
		return false
	}
	refused := slices.ContainsFunc(r.Refused, func(call string) bool { return !strings.HasPrefix(call, "upstream.") })
	return refused || slices.Contains(r.Upstreams, upstream)
}

// drillOf adds a drill's results up.
func drillOf(x *Drill, all []Result) Drilled {
	var d Drilled
	pairs, order := map[string]*[2]*Result{}, []string(nil)
	for i := range all {
		r := &all[i]
		p := pairs[r.Pair]
		if p == nil {
			p = &[2]*Result{}
			pairs[r.Pair], order = p, append(order, r.Pair)
		}
		if r.Group == "b" {
			p[1] = r
		} else {
			p[0] = r
		}
	}
	var before, now []int64
	var paid, pays float64
	var more stat.Sums
	for _, item := range order {
		a, b := pairs[item][0], pairs[item][1]
		if a == nil || b == nil {
			continue // it was broken off between the two
		}
		d.Cases++
		switch {
		case a.Unclear || b.Unclear || a.ownFault(x.Upstream):
			d.Unclear++
			continue
		case !b.Avoided:
			d.Untouched++
			continue
		}
		d.Asked++
		// An agent that says something by itself when its model is gone was not answered.
		if len(b.Upstreams) == 0 || b.Failed && !b.Stopped {
			d.lose(b)
			continue
		}
		d.Answered++
		for _, u := range b.Upstreams {
			if !slices.Contains(d.Served, u) {
				d.Served = append(d.Served, u)
			}
		}
		if a.Failed || !slices.Contains(a.Upstreams, x.Upstream) {
			continue // the upstream itself did not answer: there is nothing to compare with
		}
		if a.judged() && (b.judged() || b.Stopped) {
			d.compare(a.Passed, b.Passed)
		}
		if b.Failed {
			continue
		}
		before, now = append(before, a.TookMS), append(now, b.TookMS)
		if a.Cost != nil && b.Cost != nil {
			was, is := float64(*a.Cost)/1e9, float64(*b.Cost)/1e9
			paid, pays = paid+was, pays+is
			more.N, more.Sum, more.Square = more.N+1, more.Sum+is-was, more.Square+(is-was)*(is-was)
		}
	}
	if len(before) > 0 {
		d.Took = Took{Before: new(rank(before, .5)), Now: new(rank(now, .5)), Slow: new(rank(now, .95))}
	}
	if d.Priced = more.N; d.Priced > 0 {
		d.CostBefore, d.CostNow = new(paid/float64(more.N)), new(pays/float64(more.N))
		d.Cost.Value = new(*d.CostNow - *d.CostBefore)
		if _, low, high, _ := more.Mean(); d.Priced > 1 {
			d.Cost.Low, d.Cost.High = &low, &high
		}
	}
	if d.Compared > 0 {
		v, low, high := pairedDifference(&Paired{Pairs: d.Compared, OnlyFirst: d.Only[0], OnlySecond: d.Only[1]})
		d.Quality = Range{&v, &low, &high}
	}
	d.Verdict = d.judge(x)
	return d
}

func (d *Drilled) lose(r *Result) {
	if len(d.Lost) == maxLost {
		return
	}
	why := r.Why
	if why == "" {
		why = "no call of it was answered, and it said something by itself"
	}
	if n := len(r.Refused); n > 0 && !strings.Contains(why, r.Refused[n-1]) {
		why += " (" + r.Refused[n-1] + ")"
	}
	d.Lost = append(d.Lost, Lost{Item: r.Item, Run: r.RunID, Why: strings.ToValidUTF8(why[:min(len(why), maxLostWhy)], "")})
}

func (d *Drilled) compare(before, now bool) {
	d.Compared++
	if before {
		d.Before++
	}
	if now {
		d.Now++
	}
	if before && !now {
		d.Only[0]++
	} else if now && !before {
		d.Only[1]++
	}
}

// judge says what a drill came to. It fails for certain only: where too few were answered,
// or where the whole interval of the fall is beyond what is tolerated; it passes where none
// of it is.
func (d *Drilled) judge(x *Drill) string {
	switch {
	case d.Asked == 0:
		return DrillNothing
	case float64(d.Answered)/float64(d.Asked) < x.Least:
		return DrillFailed
	case d.Compared == 0:
		return DrillUnsure
	case *d.Quality.High < -x.Tolerance:
		return DrillFailed
	case *d.Quality.Low > -x.Tolerance:
		return DrillPassed
	}
	return DrillUnsure
}

// rank is the nearest-rank quantile.
func rank(all []int64, q float64) int64 {
	all = slices.Clone(all)
	slices.Sort(all)
	return all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
}

// InWords tells what a drill came to.
func (d *Drilled) InWords(x *Drill) string {
	if d.Asked == 0 {
		out := fmt.Sprintf("none of %d cases says anything of a failover of %s", d.Cases, x.Upstream)
		if d.Untouched > 0 {
			out += fmt.Sprintf(": %d never called it", d.Untouched)
		}
		if d.Unclear > 0 {
			out += fmt.Sprintf("; %d failed on their own, also with it, or could not be put again", d.Unclear)
		}
		return out
	}
	served := "nothing"
	if len(d.Served) > 0 {
		served = strings.Join(d.Served, ", ")
	}
	low, high := stat.Wilson(d.Answered, d.Asked)
	out := fmt.Sprintf("with %s taken as down, %d of %d cases were answered (%.0f to %.0f %%), by %s", x.Upstream, d.Answered, d.Asked, 100*low, 100*high, served)
	if len(d.Lost) > 0 {
		out += "; one that was not: " + d.Lost[0].Why
	}
	switch {
	case d.Answered == 0:
	case d.Compared == 0:
		out += "; no answer could be compared with one of " + x.Upstream + ", so nothing is known of quality"
	default:
		out += fmt.Sprintf("; %+.1f points of quality (%+.1f to %+.1f) in %d compared", 100**d.Quality.Value, 100**d.Quality.Low, 100**d.Quality.High, d.Compared)
		if n := x.Needs(); d.Compared < n && d.Verdict == DrillUnsure {
			out += fmt.Sprintf(", and %d are the least that can pass", n)
		}
	}
	if t := d.Took; t.Now != nil {
		out += fmt.Sprintf("; a case took %d ms instead of %d (medians)", *t.Now, *t.Before)
	}
	if d.CostNow != nil {
		out += fmt.Sprintf(" and cost %.6f USD instead of %.6f", *d.CostNow, *d.CostBefore)
	}
	return out
}
