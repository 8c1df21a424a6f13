package faults

import (
	"slices"
	"time"

	"reeve/internal/activity"
)

// leadKinds are the faults that a figure of an hour shows in the end, each with that
// figure.
var leadKinds = map[string]figure{"cost_runaway": meanCost, "latency_creep": meanTook, "quality_drop": failedShare}

type figure uint8

const (
	failedShare figure = iota
	meanCost
	meanTook
	figures
)

// Lead is how long before its KPI a fault was told. The KPI is the figure of the last
// hour (share of failed runs, mean cost, mean duration of a run), asked for at each
// run's end, with at least ten runs; it is breached when it is worse than in any hour
// of the days without a fault.
type Lead struct {
	Kind          string  `json:"kind"`
	Faults        int     `json:"faults"` // that were told
	Before        int     `json:"before"` // told before the breach, or without any
	Never         int     `json:"never"`  // of these, never breached
	MedianSeconds float64 `json:"median_seconds"`
}

// hourly keeps the figures of an agent's last hour.
type hourly struct {
	runs   []ranOnce
	sum    [figures]float64
	worst  [figures]float64     // of the days without a fault
	breach map[*episode]float64 // seconds after its first step; not there: none
}

type ranOnce struct {
	at time.Time
	of [figures]float64
}

// leads follows what runs cost and took.
type leads struct {
	open map[activity.RunID]*ranOnce
	of   map[string]*hourly
}

func newLeads() *leads {
	return &leads{map[activity.RunID]*ranOnce{}, map[string]*hourly{}}
}

// see takes in an event; list are the faults, from the time on when there are any.
func (l *leads) see(ev *event, quietFrom, faulty time.Time, f *fleet, list []*episode) {
	for i := range ev.steps {
		s := &ev.steps[i]
		r := l.open[s.Run]
		if r == nil {
			r = &ranOnce{}
			l.open[s.Run] = r
		}
		r.of[meanCost] += float64(s.Cost.Nanos)
		r.of[meanTook] += float64(s.End - s.Start)
	}
	for i := range ev.runs {
		end := &ev.runs[i]
		r := l.open[end.ID]
		delete(l.open, end.ID)
		if r == nil {
			continue
		}
		if r.at = ev.at; end.RootError {
			r.of[failedShare] = 1
		}
		h := l.of[end.Agent]
		if h == nil {
			h = &hourly{breach: map[*episode]float64{}}
			l.of[end.Agent] = h
		}
		h.add(*r)
		switch {
		case len(h.runs) < 10 || ev.at.Before(quietFrom):
		case ev.at.Before(faulty):
			for k := range figures {
				h.worst[k] = max(h.worst[k], h.sum[k]/float64(len(h.runs)))
			}
		default:
			h.look(ev.at, end.Agent, f, list)
		}
	}
}

func (h *hourly) add(r ranOnce) {
	h.runs = append(h.runs, r)
	for k := range figures {
		h.sum[k] += r.of[k]
	}
	for len(h.runs) > 1 && r.at.Sub(h.runs[0].at) > time.Hour {
		for k := range figures {
			h.sum[k] -= h.runs[0].of[k]
		}
		h.runs = h.runs[1:]
	}
}

func (h *hourly) look(at time.Time, agent string, f *fleet, list []*episode) {
	for _, e := range list {
		k, ok := leadKinds[e.kind]
		if !ok || e.first.IsZero() || f.agents[e.agent].name != agent || at.Before(e.first) || at.After(e.end.Add(30*time.Minute)) {
			continue
		}
		if _, known := h.breach[e]; !known && h.sum[k]/float64(len(h.runs)) > h.worst[k] {
			h.breach[e] = at.Sub(e.first).Seconds()
		}
	}
}

// count says how long before its breach each fault was told.
func (l *leads) count(f *fleet, list []*episode) (out []Lead) {
	for _, kind := range []string{"cost_runaway", "latency_creep", "quality_drop"} {
		x := Lead{Kind: kind}
		var took []float64
		for _, e := range list {
			h := l.of[f.agents[e.agent].name]
			if e.kind != kind || !e.told || h == nil {
				continue
			}
			x.Faults++
			at, ok := h.breach[e]
			switch {
			case !ok:
				x.Never++
				x.Before++
			case e.found.Seconds() < at:
				x.Before++
				took = append(took, at-e.found.Seconds())
			default:
				took = append(took, at-e.found.Seconds())
			}
		}
		slices.Sort(took)
		x.MedianSeconds = quantile(took, 0.5)
		out = append(out, x)
	}
	return out
}
