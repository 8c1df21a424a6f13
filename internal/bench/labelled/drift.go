package labelled

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"reeve/internal/detect/chance"
	"reeve/internal/detect/drift"
)

// worker makes runs of an agent; a change alters them from some run on.
type worker struct {
	r       *rand.Rand
	changed string
}

var driftFeatures = []drift.Feature{
	{Name: "latency"},
	{Name: "output length"},
	{Name: "steps"},
	{Name: "cost"},
	{Name: "prompt length"},
	{Name: "groundedness"},
	{Name: "tool", Kinds: true},
	{Name: "task", Kinds: true},
	{Name: "outcome", Kinds: true},
	{Name: "language", Kinds: true},
}

// changes are what may happen to an agent without anything breaking.
var changes = []string{"slower", "longer answers", "another model", "other tasks", "other tools", "worse outcomes", "longer prompts"}

func (w *worker) pick(names []string, shares ...float64) drift.Value {
	x := w.r.Float64()
	for i, s := range shares {
		if x -= s; x < 0 {
			return drift.Value{Kind: names[i]}
		}
	}
	return drift.Value{Kind: names[len(names)-1]}
}

func (w *worker) run() []drift.Value {
	is := func(c string) float64 { return float64(whole(w.changed == c)) }
	lognormal := func(median, spread float64) drift.Value {
		return drift.Value{Number: median * math.Exp(spread*w.r.NormFloat64())}
	}
	other := is("another model")
	steps := 4 + float64(w.r.IntN(6)) + other*float64(w.r.IntN(3))
	tools, tasks := []string{"search", "orders", "mail", "refund"}, []string{"where is it", "refund", "change", "other"}
	tool := w.pick(tools, .5, .3, .15)
	if w.changed == "other tools" {
		tool = w.pick(tools, .25, .3, .3)
	}
	task := w.pick(tasks, .5, .25, .2)
	if w.changed == "other tasks" {
		task = w.pick(tasks, .3, .25, .2)
	}
	outcomes := []string{"good", "failed", "escalated"}
	outcome := w.pick(outcomes, .85, .07)
	if w.changed == "worse outcomes" {
		outcome = w.pick(outcomes, .6, .3)
	}
	return []drift.Value{
		lognormal(3*(1+.4*is("slower")-.2*other), .5), lognormal(400*(1+.35*is("longer answers")+.25*other), .5),
		{Number: steps},
		lognormal(.02*(1+.2*is("longer answers")), .6), lognormal(900*(1+.4*is("longer prompts")), .6),
		{Number: min(1, .8+.1*w.r.NormFloat64()-.05*other)},
		tool, task, outcome, w.pick([]string{"en", "de", "fr"}, .8, .15),
	}
}

// driftBench simulates agents: weeks in which nothing changes, and changes.
func driftBench(ctx context.Context, _ string, seed uint64) (*Report, error) {
	return driftTrials(ctx, seed, 30, 40)
}

func driftTrials(ctx context.Context, seed uint64, agents, trials int) (*Report, error) {
	const weeks, perWeek, within = 4, 1000, 200
	monitor := func() *drift.Monitor { return drift.New(driftFeatures, drift.Options{RunsPerWeek: perWeek}) }
	alarms := 0
	for a := range agents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w, m := worker{r: rand.New(rand.NewPCG(seed, uint64(a)))}, monitor()
		for m.Learning() {
			m.Look(0, w.run())
		}
		for range weeks * perWeek {
			alarms += len(m.Look(0, w.run()))
		}
	}
	r := &Report{About: fmt.Sprintf("Simulated agents with %d features, %d runs a week: %d weeks in which nothing changes, %d changes of each of %d kinds", len(driftFeatures), perWeek, agents*weeks, trials, len(changes))}
	r.add("false alarms an agent-week", float64(alarms)/float64(agents*weeks)).atMost(1)
	found, n := 0, 0
	var delays []float64
	var each []Figure
	for k, change := range changes {
		hits := 0
		for trial := range trials {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			w, m := worker{r: rand.New(rand.NewPCG(seed+1, uint64(1000*k+trial)))}, monitor()
			for range 400 + 100 + 20*(trial%7) {
				m.Look(0, w.run())
			}
			w.changed = change
			for i := range within {
				if len(m.Look(0, w.run())) > 0 {
					hits++
					delays = append(delays, float64(i+1))
					break
				}
			}
		}
		found, n = found+hits, n+trials
		each = append(each, Figure{Name: "  " + change, Value: float64(hits) / float64(trials), N: trials})
	}
	low, high := chance.Wilson(float64(found), float64(n))
	r.add(fmt.Sprintf("changes found within %d runs", within), float64(found)/float64(n)).atLeast(.9).of(n).interval(low, high)
	r.Figures = append(r.Figures, each...)
	slices.Sort(delays)
	if len(delays) > 0 {
		r.add("runs until it was found, median", delays[len(delays)/2])
		r.add("  nine of ten", delays[len(delays)*9/10])
	}
	return r, nil
}
