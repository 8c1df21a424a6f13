// Package faults injects faults of known truth into a fleet and says what the
// detectors found of them: how many, how soon, and what they told beside.
//
// What for: a detector is worth what it finds against what it costs in attention;
// neither is known without a fleet whose truth is known.
//
// Who calls it: bench, as `reeve bench faults`; a test with a small fleet.
//
// Promises: the fleet is a function of its seed. It runs in event time through
// the code that watches a server, step by step, so nothing looks ahead; what the
// store adds to a detection (a second at most) is not in the figures.
//
// How it fails: Run returns the first error of what watches.
//
// Start reading at Run, then fleet.go for what agents do.
package faults

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/finding"
	"reeve/internal/telemetry"
	"reeve/internal/watch"
)

// Options shape the fleet.
type Options struct {
	Seed   uint64
	Agents int           // 0 is 12
	Days   int           // of learning before the first fault; 0 is 5
	Each   int           // faults of each kind; 0 is 12
	Every  time.Duration // between runs of an agent; 0 is 40 s
	// Verdicts are what people said before; nil: nothing.
	Verdicts Verdicts
}

// Report is what was found.
type Report struct {
	Agents        int            `json:"agents"`
	Runs          int            `json:"runs"`
	Steps         int            `json:"steps"`
	Kinds         []KindFigures  `json:"kinds"`
	Faults        int            `json:"faults"`
	Found         int            `json:"found"`
	Recall        float64        `json:"recall"`
	Findings      int            `json:"findings"` // warning and critical, in the time with faults
	True          int            `json:"true"`     // of an agent in a fault
	Precision     float64        `json:"precision"`
	MedianSeconds float64        `json:"median_seconds"` // from the end of the fault's first step
	P90Seconds    float64        `json:"p90_seconds"`
	QuietWeeks    float64        `json:"quiet_agent_weeks"` // learning, without any fault
	QuietAlarms   int            `json:"quiet_alarms"`      // warning and critical in them
	QuietByKind   map[string]int `json:"quiet_by_detector"`
	CPUPerStepNS  float64        `json:"cpu_ns_a_step"` // of what watches; the fleet's own is taken off
	Leads         []Lead         `json:"leads"`
	judged        []judged
}

// judged is a finding of warning or critical with whether a fault was behind it.
type judged struct {
	detector, agent string
	at              time.Time
	right           bool
}

// KindFigures are those of one kind of fault.
type KindFigures struct {
	Kind          string         `json:"kind"`
	About         string         `json:"about"`
	Faults        int            `json:"faults"`
	Found         int            `json:"found"`
	MedianSeconds float64        `json:"median_seconds"`
	By            map[string]int `json:"by"` // first detector to tell
}

// sink keeps findings as they are told.
type sink struct {
	list []told
	said Verdicts
}

type told struct {
	finding.Finding
	at time.Time
}

// See implements watch.Findings.
func (s *sink) See(_ context.Context, f finding.Finding) (finding.Finding, bool, error) {
	s.list = append(s.list, told{f, time.Unix(0, f.Event)})
	return f, true, nil
}

// Learned implements watch.Findings.
func (s *sink) Learned(detector, agent string) finding.Learned { return s.said[place{detector, agent}] }

// episode is one injected fault.
type episode struct {
	kind       string
	agent      int
	begin, end time.Time
	first      time.Time // its first faulty step ended
	found      time.Duration
	by         string
	told       bool
}

// Run lets the fleet work and counts what was found.
func Run(ctx context.Context, o Options) (*Report, error) {
	def(&o.Agents, 12)
	def(&o.Days, 5)
	def(&o.Each, 12)
	if o.Every <= 0 {
		o.Every = 40 * time.Second
	}
	s := &sink{said: o.Verdicts}
	now := start
	w, err := watch.New(watch.Options{Findings: s, Now: func() time.Time { return now }})
	if err != nil {
		return nil, err
	}
	f := newFleet(o)
	list := f.plan(start.Add(time.Duration(o.Days) * day))
	end := list[len(list)-1].end.Add(30 * time.Minute)
	r := &Report{Agents: o.Agents, QuietByKind: map[string]int{}}
	var cpu time.Duration
	lead, faulty := newLeads(), start.Add(time.Duration(o.Days)*day)
	for ctx.Err() == nil {
		ev, ok := f.next(end)
		if !ok {
			break
		}
		now = ev.at
		lead.see(ev, start.Add(day), faulty, f, list)
		if ev.decision != nil {
			w.Decided(ev.decision)
		}
		wr := telemetry.Write{Received: ev.at.UnixNano(), Steps: ev.steps, Messages: ev.messages, Runs: ev.runs}
		began := time.Now()
		w.Observe(&wr)
		cpu += time.Since(began)
		w.Drain(ctx)
		r.Steps += len(ev.steps)
		r.Runs += len(ev.runs)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.Steps > 0 {
		r.CPUPerStepNS = float64(cpu.Nanoseconds()) / float64(r.Steps)
	}
	r.count(o, f, list, s.list)
	r.Leads = lead.count(f, list)
	return r, nil
}

func def(v *int, to int) {
	if *v <= 0 {
		*v = to
	}
}

// count compares what was told with what was injected.
func (r *Report) count(o Options, f *fleet, list []*episode, all []told) {
	faulty := start.Add(time.Duration(o.Days) * day)
	r.QuietWeeks = float64(o.Agents) * float64(o.Days-1) / 7 // the first day is for learning
	for _, x := range all {
		if x.Severity == finding.Info {
			continue
		}
		if x.at.Before(faulty) {
			if x.at.After(start.Add(day)) {
				r.QuietAlarms++
				r.QuietByKind[x.Detector]++
				r.judged = append(r.judged, judged{x.Detector, x.Agent, x.at, false})
			}
			continue
		}
		r.Findings++
		right := r.True
		for _, e := range list {
			if f.agents[e.agent].name != x.Agent || x.at.Before(e.first) || x.at.After(e.end.Add(2*time.Minute)) || e.first.IsZero() {
				continue
			}
			r.True++
			if !e.told {
				e.told, e.found, e.by = true, x.at.Sub(e.first), x.Detector
			}
			break
		}
		r.judged = append(r.judged, judged{x.Detector, x.Agent, x.at, r.True > right})
	}
	by := map[string]*KindFigures{}
	var took []float64
	for _, e := range list {
		k := by[e.kind]
		if k == nil {
			k = &KindFigures{Kind: e.kind, About: kinds[e.kind].about, By: map[string]int{}}
			by[e.kind] = k
		}
		k.Faults++
		r.Faults++
		if e.told {
			k.Found++
			r.Found++
			k.By[e.by]++
			took = append(took, e.found.Seconds())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		k := by[name]
		var of []float64
		for _, e := range list {
			if e.kind == name && e.told {
				of = append(of, e.found.Seconds())
			}
		}
		k.MedianSeconds = quantile(of, 0.5)
		r.Kinds = append(r.Kinds, *k)
	}
	r.Recall = float64(r.Found) / math.Max(float64(r.Faults), 1)
	r.Precision = float64(r.True) / math.Max(float64(r.Findings), 1)
	r.MedianSeconds, r.P90Seconds = quantile(took, 0.5), quantile(took, 0.9)
}

func quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return -1
	}
	slices.Sort(x)
	return x[min(int(q*float64(len(x))), len(x)-1)]
}

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d agents, %d runs, %d steps in event time\n\n", r.Agents, r.Runs, r.Steps)
	fmt.Fprintf(&b, "%-18s %8s %10s  %s\n", "fault", "found", "median s", "told first by")
	for _, k := range r.Kinds {
		var by []string
		for _, name := range slices.Sorted(maps.Keys(k.By)) {
			by = append(by, fmt.Sprintf("%s %d", name, k.By[name]))
		}
		fmt.Fprintf(&b, "%-18s %3d of %2d %10.1f  %s\n", k.Kind, k.Found, k.Faults, k.MedianSeconds, strings.Join(by, ", "))
	}
	fmt.Fprintf(&b, "\nrecall     %.3f (%d of %d; aim .9)\n", r.Recall, r.Found, r.Faults)
	fmt.Fprintf(&b, "precision  %.3f (%d of %d findings of warning and critical; aim .8)\n", r.Precision, r.True, r.Findings)
	fmt.Fprintf(&b, "detection  %.1f s median, %.1f s p90 after the end of the fault's first step (aim 10 s median)\n", r.MedianSeconds, r.P90Seconds)
	fmt.Fprintf(&b, "quiet      %d alarms in %.1f agent-weeks without a fault: %.2f an agent-week, over all detectors\n", r.QuietAlarms, r.QuietWeeks, float64(r.QuietAlarms)/math.Max(r.QuietWeeks, 1e-9))
	for _, name := range slices.Sorted(maps.Keys(r.QuietByKind)) {
		fmt.Fprintf(&b, "           %-22s %d\n", name, r.QuietByKind[name])
	}
	for _, l := range r.Leads {
		fmt.Fprintf(&b, "lead       %-14s told before its KPI's breach in %d of %d (in %d it was never breached), median %.0f s before\n", l.Kind, l.Before, l.Faults, l.Never, l.MedianSeconds)
	}
	fmt.Fprintf(&b, "cost       %.0f ns a step, one at a time\n", r.CPUPerStepNS)
	return b.String()
}
