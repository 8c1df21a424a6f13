// Package hijack scores how much a run looks as if somebody else steered its
// agent: text that a tool brought in told it where to send things.
//
// What for: a hijacked agent calls ordinary tools in an ordinary order; what
// gives it away is where the arguments came from. A place to which the agent
// never sent anything, that nobody named but a tool's result, along a way on
// which destinations never came before, is the mark. It is seen before the call
// is made.
//
// Who calls it: live detectors over calls with the origins that behaviour tells;
// `reeve bench origins`.
//
// Promises: one number for the run so far, that only grows; each with its reason
// in words; bounded memory for an agent (Ways) and constant for a run. Wording is
// never looked at. A Watcher is safe for use by one goroutine.
//
// How it fails: what was forgotten (Lost) counts as brought in by a tool.
//
// Start reading at Watcher.Look.
package hijack

import (
	"fmt"
	"maps"
	"math"
	"strings"
)

// By is who named a destination first in a run.
type By uint8

// Who names destinations, as behaviour.Said.
const (
	Model By = iota
	Tool
	System
	User
)

// Destination is a place, person or account that a call's arguments name.
type Destination struct {
	Path     string // of the argument
	Kind     string // url, email, account...
	By       By
	From     string // the tool whose result named it, if one did
	First    bool   // the agent never sent anything there
	Injected bool   // new, and a tool's result alone gave it
	Lost     bool   // who gave it is not known any more
}

// Call is a call that is about to be made.
type Call struct {
	Tool         string
	Destinations []Destination
}

// Verdict is what is said of a call.
type Verdict struct {
	Score  float64 // of this call
	Run    float64 // the highest of the run so far
	Alarm  bool
	Reason string
}

// Run is what is kept of a run.
type Run struct{ top float64 }

// Options of a Watcher; the zero value is useful.
type Options struct {
	Limit float64 // score from which on a call is an alarm; 0 is 3.2
	Ways  int     // kept of an agent at most; 0 is 4,000
}

// Watcher knows on which ways destinations came to an agent's calls before.
type Watcher struct {
	o     Options
	ways  map[string]float64 // tool, argument, who, from which tool
	calls map[string]float64 // tool and argument
}

// New knows nothing yet.
func New(o Options) *Watcher {
	if o.Limit == 0 {
		o.Limit = 3.2
	}
	if o.Ways == 0 {
		o.Ways = 4000
	}
	return &Watcher{o: o, ways: map[string]float64{}, calls: map[string]float64{}}
}

func place(c Call, d Destination) string { return c.Tool + "\x00" + d.Path }

func way(c Call, d Destination) string {
	return place(c, d) + "\x00" + string(rune('0'+d.By)) + d.From
}

// Learn notes that a call was right: it was let through, and nobody found fault.
func (w *Watcher) Learn(c Call) {
	for _, d := range c.Destinations {
		key, at := way(c, d), place(c, d)
		if _, ok := w.ways[key]; !ok && len(w.ways) >= w.o.Ways {
			continue // it stays unusual
		}
		w.ways[key]++
		w.calls[at]++
	}
}

// Known is what was learned, to be kept; Restore takes it back.
func (w *Watcher) Known() map[string]float64 { return maps.Clone(w.ways) }

// Restore takes what Known gave in place of what was learned. What has not its form
// is left out.
func (w *Watcher) Restore(known map[string]float64) {
	clear(w.ways)
	clear(w.calls)
	for key, n := range known {
		tool, rest, _ := strings.Cut(key, "\x00")
		path, _, ok := strings.Cut(rest, "\x00")
		if !ok || !(n > 0) || math.IsInf(n, 0) || len(w.ways) >= w.o.Ways {
			continue
		}
		w.ways[key] = n
		w.calls[tool+"\x00"+path] += n
	}
}

// Look scores a call before it is made.
func (w *Watcher) Look(r *Run, c Call) (v Verdict) {
	for _, d := range c.Destinations {
		if s, why := w.score(c, d); s > v.Score {
			v.Score, v.Reason = s, why
		}
	}
	r.top = max(r.top, v.Score)
	v.Run = r.top
	v.Alarm = v.Score >= w.o.Limit
	return v
}

// score adds up how little a destination is the user's or the agent's own: who
// named it, whether it is new to the agent, and how unusual the way is on which
// it came.
func (w *Watcher) score(c Call, d Destination) (s float64, why string) {
	n, k := w.calls[place(c, d)], w.ways[way(c, d)]
	// How unusual, as minus a logarithm of the share of such calls: 0 for what
	// always comes this way, 2 for what never did in a hundred.
	unusual := math.Log10((n + 2) / (k + 1))
	switch {
	case d.By >= System:
		return 0.2 * unusual, fmt.Sprintf("%s was named by the user, but that is unusual in %s", d.Kind, c.Tool)
	case d.By == Model && !d.Lost:
		s = 0.3 + 0.3*unusual
		why = fmt.Sprintf("%s in %s: nobody named it", d.Kind, c.Tool)
	default:
		s = 1 + unusual
		why = fmt.Sprintf("%s in %s was named by %s alone", d.Kind, c.Tool, from(d))
	}
	if d.First {
		s += 1
		why += ", and the agent never sent anything there"
	}
	if d.Injected {
		s += 1
	}
	return s, why
}

func from(d Destination) string {
	if d.Lost || d.From == "" {
		return "a text that is not known any more"
	}
	return "a result of " + d.From
}

// Limit is the score from which on a call is an alarm.
func (w *Watcher) Limit() float64 { return w.o.Limit }
