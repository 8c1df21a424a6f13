package watch

import (
	"fmt"
	"math"

	"reeve/internal/detect/counts"
)

// volumeRuns is how many ended runs of an agent are one count: by runs and not by
// hours, since agents work by day and rest by night.
const volumeRuns = 20

// volumes are counted over volumeRuns runs of an agent. What a single run has too
// much of is for other detectors; here it is a little more of it in each.
var volumes = [...]struct {
	name, words string
	of          func(r *run) int
}{
	{"tool_calls", "calls of tools", func(r *run) int { return r.tools }},
	{"model_calls", "calls of models", func(r *run) int { return r.models }},
	{"handoffs", "hand-overs", func(r *run) int { return r.handoffs }},
	{"retries", "calls that failed again", func(r *run) int { return r.retries }},
}

// volume counts what an agent's runs do, against what its past makes likely
// (Gamma-Poisson).
type volume struct {
	runs int // of the count that is open
	n    [len(volumes)]int
	rate [len(volumes)]*counts.Rate
}

func newVolume() *volume {
	v := &volume{}
	for i := range v.rate {
		// Here it gives the chance alone: raise knows how often somebody may be disturbed.
		v.rate[i] = counts.NewRate(counts.Options{AlarmsPerWeek: 1, LooksPerWeek: 2, MinEffect: 1.2, MinCount: minHits, MinWindows: 10, Memory: 200, Rest: 1})
	}
	return v
}

// lookVolume adds a run that ended, and judges a count that is full.
func (w *Watch) lookVolume(a *agent, r *run, v *volume) {
	for i := range volumes {
		v.n[i] += volumes[i].of(r)
	}
	if v.runs++; v.runs < volumeRuns {
		return
	}
	n := v.n
	v.runs, v.n = 0, [len(volumes)]int{}
	for i, m := range volumes {
		seen := v.rate[i].Look(float64(n[i]), volumeRuns)
		a.look("volume", 1, w.clock)
		if !seen.Alarm {
			continue
		}
		change, effect := "more", seen.Ratio
		if !seen.Rising {
			change, effect = "fewer", 1/math.Max(seen.Ratio, 1e-3)
		}
		w.raiseAt(a, r, alarm{
			detector: "volume", subject: m.name, measure: m.name, effect: effect, p: seen.P, level: effect, steps: r.evidence[:],
			text:     fmt.Sprintf("its last %d runs made %d %s, %s than before", volumeRuns, n[i], m.words, change),
			expected: fmt.Sprintf("%.0f, by its earlier runs", seen.Expected), seen: fmt.Sprint(n[i]),
		})
	}
}
