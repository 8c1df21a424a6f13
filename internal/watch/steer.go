package watch

import (
	"bytes"
	"encoding/json"
	"fmt"

	"reeve/internal/activity"
	"reeve/internal/detect/hijack"
)

// This file keeps the hijack score of whole runs, from where the door says that the
// arguments of each call came from.

const (
	maxWays = 400 // of an agent: a run of its own keeps a few
	maxSent = 32  // calls of a run that are learned when it ended
)

// steering is the score of a run so far.
type steering struct {
	run  hijack.Run
	top  float64
	sent []hijack.Call // that were let through, to be learned when nobody found fault
}

// steered scores a call that the door decided, and tells once the score is that of
// a run which somebody else steers. The caller holds the lock.
func (w *Watch) steered(a *agent, r *run, d *call) {
	c := hijack.Call{Tool: d.resource, Destinations: origins(d.context)}
	if len(c.Destinations) == 0 {
		return
	}
	if a.ways == nil {
		a.ways = hijack.New(hijack.Options{Ways: maxWays})
	}
	if r.steer == nil {
		r.steer = &steering{}
	}
	v := a.ways.Look(&r.steer.run, c)
	r.steer.top = v.Run
	if !v.Alarm {
		if d.verdict == activity.VerdictAllow && len(r.steer.sent) < maxSent {
			r.steer.sent = append(r.steer.sent, c)
		}
		return
	}
	w.raise(a, r, alarm{
		detector: "hijack", measure: "hijack score", effect: v.Score, level: v.Score, steps: []activity.StepID{d.step},
		text:     fmt.Sprintf("the run looks steered by somebody else: %s", v.Reason),
		expected: "destinations that its user or earlier tasks named, on ways that its arguments came before", seen: fmt.Sprintf("score %.1f of at most 5", v.Score),
		why: fmt.Sprintf("decision %s, %s; from %.1f on a run counts as steered", d.id, d.verdict, a.ways.Limit()),
	})
}

// learnWays takes what a run sent as the agent's own ways, when it ended and nothing of
// it looked steered.
func (r *run) learnWays() {
	if r.steer == nil || r.of.ways == nil {
		return
	}
	if r.steer.top < r.of.ways.Limit() {
		for _, c := range r.steer.sent {
			r.of.ways.Learn(c)
		}
	}
	r.steer.sent = nil
}

// origins reads where the destinations of a decision's call came from.
func origins(context []byte) (out []hijack.Destination) {
	const key = `,"origins":`
	at := bytes.LastIndex(context, []byte(key)) // it is written last
	if at < 0 {
		return nil
	}
	var list []activity.Origin
	// The record is ours; what does not read has no origins.
	_ = json.NewDecoder(bytes.NewReader(context[at+len(key):])).Decode(&list)
	for i := range list {
		o := &list[i]
		switch o.Kind {
		case "url", "host", "email", "account", "phone", "name":
		default:
			continue
		}
		to := hijack.Destination{Path: o.Path, Kind: o.Kind, From: o.Tool, First: o.First, Injected: o.Injected}
		switch o.Source {
		case "user":
			to.By = hijack.User
		case "system":
			to.By = hijack.System
		case "tool":
			to.By = hijack.Tool
		case "unknown":
			to.By, to.Lost = hijack.Tool, true
		}
		out = append(out, to)
	}
	return out
}
