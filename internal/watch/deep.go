package watch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/detect/drift"
	"reeve/internal/detect/forest"
	course "reeve/internal/detect/series"
	"reeve/internal/detect/template"
	"reeve/internal/finding"
)

// deep is what is known of whole runs of an agent, where it has enough of them:
// their course over time, several measures together, what changed since a version
// was approved. About 120 KiB an agent.
type deep struct {
	drift  *drift.Monitor // nil before the first run
	bad    *drift.ADWIN   // whether its runs ended badly
	forest *forest.Forest
	course [len(courses)]*course.Detector
	volume *volume
	runs   int64
	week   float64 // runs of a week, by which looks are rare
}

// Bounds: agents with what is known of whole runs, and with kinds of log lines.
const (
	maxDeep     = 200
	maxLogs     = 200
	deepFrom    = 20               // runs that ended before any of this begins
	driftRest   = 30 * time.Second // between two comparisons of an agent's runs
	maxLogLines = 400              // kinds of an agent's log lines
)

// courses are the measures of runs that are watched one by one over time.
var courses = [...]string{"duration", "cost", "input_tokens", "output_tokens"}

var driftFeatures = []drift.Feature{
	{Name: "duration", SayFunc: func(x float64) string { return time.Duration(x).Round(time.Millisecond).String() }},
	{Name: "cost", SayFunc: money},
	{Name: "input_tokens"},
	{Name: "output_tokens"},
	{Name: "tool_calls"},
	{Name: "model_calls"},
	{Name: "outcome", Kinds: true},
	{Name: "task", Kinds: true},
	{Name: "tool_called_most", Kinds: true},
	{Name: "language_asked", Kinds: true},
	{Name: "language_answered", Kinds: true},
	{Name: "topic_asked", Kinds: true},
	{Name: "topic_answered", Kinds: true},
}

var forestMeasures = []string{"steps", "tool_calls", "model_calls", "errors", "input_tokens", "output_tokens", "cost", "duration", "surprise"}

// deepOf finds or makes what is known of an agent's whole runs; nil when it has too
// few, or when there are too many agents that work.
func (w *Watch) deepOf(a *agent) *deep {
	if a.deep != nil {
		return a.deep
	}
	if a.runs < deepFrom {
		return nil
	}
	if w.deeps >= maxDeep {
		var quiet *agent
		for _, x := range w.agents {
			if x.deep != nil && (quiet == nil || x.seen < quiet.seen) {
				quiet = x
			}
		}
		if quiet == nil || w.clock-quiet.seen < int64(time.Hour) {
			return nil
		}
		quiet.deep = nil
		w.deeps--
	}
	a.deep = &deep{}
	w.deeps++
	return a.deep
}

// runsPerWeek is how many runs a week has, by those since the agent was first seen.
func (a *agent) runsPerWeek(now int64) float64 {
	span := math.Max(float64(now-a.first), float64(time.Hour))
	return math.Max(float64(a.runs)*float64(7*24*time.Hour)/span, 50)
}

// deepRun looks at a run that ended.
func (w *Watch) deepRun(a *agent, r *run, bad bool) {
	d := w.deepOf(a)
	if d == nil || w.only {
		return
	}
	d.runs++
	if d.drift == nil {
		d.begin(w, a, a.runsPerWeek(w.clock))
	}
	took := r.took()
	w.lookForest(a, r, d, took)
	w.lookCourse(a, r, d, took)
	w.lookDrift(a, r, d, took, bad)
	w.lookBad(a, r, d, bad)
	w.lookVolume(a, r, d.volume)
}

// begin makes what looks at runs, for an agent that has so many a week.
func (d *deep) begin(w *Watch, a *agent, week float64) {
	d.week = week
	d.drift = drift.New(driftFeatures, drift.Options{AlarmsPerWeek: w.alarms("drift", a), RunsPerWeek: week, Rest: driftRest})
	d.volume = newVolume()
	d.bad = drift.NewADWIN(w.chanceOfCut(a, week))
	d.forest = forest.New(forestMeasures, 1, forest.Options{AlarmsPerWeek: w.alarms("unusual_run", a), LooksPerWeek: week})
	for i := range d.course {
		d.course[i] = course.New(course.Options{AlarmsPerWeek: w.alarms("course", a), LooksPerWeek: week, Rest: 20})
	}
}

// chanceOfCut is by what chance the share of bad runs may be found changed although it
// is not, by look: so that of the alarms of drift that a person allows half are its.
func (w *Watch) chanceOfCut(a *agent, runsPerWeek float64) float64 {
	return min(w.alarms("drift", a)*drift.ValuesPerLook/runsPerWeek/2, .002)
}

// alarms is what a person allows; the detectors take none as a very small one.
func (w *Watch) alarms(name string, a *agent) float64 { return math.Max(w.allowed(name, a), 1e-6) }

func (w *Watch) lookForest(a *agent, r *run, d *deep, took time.Duration) {
	surprise := math.NaN()
	if r.moves >= 4 {
		surprise = r.surprise / float64(r.moves)
	}
	v := d.forest.Look([]float64{
		float64(r.steps), float64(r.tools), float64(r.models), float64(r.errors), large(r.in), large(r.out), large(r.cost), large(int64(took)), surprise,
	})
	a.look("unusual_run", 1, w.clock)
	if !v.Alarm || len(v.Parts) == 0 {
		return
	}
	var parts []string
	for _, p := range v.Parts[:min(len(v.Parts), 3)] {
		parts = append(parts, fmt.Sprintf("%s (%.0f %%)", strings.ReplaceAll(p.Name, "_", " "), 100*p.Share))
	}
	w.raiseAt(a, r, alarm{
		detector: "unusual_run", subject: v.Parts[0].Name, measure: "several measures together", effect: 1, p: v.P, level: 1, steps: r.evidence[:],
		text: "a run is unlike the others in several measures together", expected: "what its runs are like together", seen: "above all " + strings.Join(parts, ", "),
		why: fmt.Sprintf("%.2g of ordinary runs are as unusual", v.P),
	})
}

// large puts a size on the scale of its logarithm; what is unknown counts for
// nothing.
func large(n int64) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return math.Log(float64(n))
}

func (w *Watch) lookCourse(a *agent, r *run, d *deep, took time.Duration) {
	for i, n := range [...]int64{int64(took), r.cost, r.in, r.out} {
		x := large(n)
		if math.IsNaN(x) {
			continue
		}
		v := d.course[i].Look(x)
		a.look("course", 1, w.clock)
		if !v.Alarm {
			continue
		}
		name := strings.ReplaceAll(courses[i], "_", " ")
		w.raiseAt(a, r, alarm{
			detector: "course", subject: courses[i], measure: name, effect: 1, level: 1, steps: r.evidence[:],
			text: "the course of the " + name + " of its runs is unlike any before", expected: "a course as before", seen: v.Cause.String(), why: "one of some " + fmt.Sprint(d.runs) + " runs",
		})
	}
}

func (w *Watch) lookDrift(a *agent, r *run, d *deep, took time.Duration, bad bool) {
	number := func(n int64) drift.Value { return drift.Value{Number: float64(n), Missing: n <= 0} }
	kind := func(name string) drift.Value { return drift.Value{Kind: name, Missing: name == ""} }
	most, calls := "", int64(0)
	for _, c := range r.calls {
		if c.n > calls || c.n == calls && c.name < most {
			most, calls = c.name, c.n
		}
	}
	outcome := "well"
	if bad {
		outcome = "badly"
	}
	values := []drift.Value{
		number(int64(took)), number(r.cost), number(r.in), number(r.out),
		{Number: float64(r.tools)},
		{Number: float64(r.models)},
		{Kind: outcome},
		{Kind: r.task, Missing: r.task == ""},
		{Kind: most, Missing: most == ""},
		kind(r.talk.in.language()),
		kind(r.talk.out.language()),
		kind(r.talk.in.topic()),
		kind(r.talk.out.topic()),
	}
	if w.mute { // a feature is told once: not now, when nobody would hear it
		d.drift.Learn(values)
		return
	}
	for _, s := range d.drift.Look(w.clock, values) {
		w.raiseAt(a, r, alarm{
			detector: "drift", subject: s.Feature, measure: strings.ReplaceAll(s.Feature, "_", " "), effect: s.Distance, level: 1, steps: r.evidence[:],
			text: "no longer as it was: " + finding.OneLine(s.What), expected: "as in the 400 runs that are its normal",
			seen: finding.OneLine(s.What), why: fmt.Sprintf("distance %.2f, PSI %.2f, by chance %.2g; over the last %d runs", s.Distance, s.PSI, s.P, s.Runs),
		})
	}
}

// lookBad watches the share of runs that end badly, at every run and from the first
// on: the comparison of lookDrift needs five hundred runs.
func (w *Watch) lookBad(a *agent, r *run, d *deep, bad bool) {
	v := 0.0
	if bad {
		v = 1
	}
	changed, before := d.bad.Look(v)
	now := d.bad.Mean()
	if !changed || now <= before { // that fewer end badly is nothing to call for
		return
	}
	w.raiseAt(a, r, alarm{
		detector: "drift", subject: "outcome", measure: "share of bad runs", effect: now - before, level: 1, steps: r.evidence[:],
		text: "more of its runs end badly than before", expected: fmt.Sprintf("%.0f %% that end badly", 100*before), seen: fmt.Sprintf("%.0f %% of the last %d runs", 100*now, d.bad.Len()),
		why: fmt.Sprintf("the mean of its runs changed (ADWIN, by chance at most %.2g of looks)", w.chanceOfCut(a, a.runsPerWeek(w.clock))),
	})
}

// Approved begins the normal of an agent anew: a version was approved, or a person
// says that this is how it is now.
func (w *Watch) Approved(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.agents {
		if a.deep != nil && a.deep.drift != nil && w.canonical(a.name) == name {
			a.deep.drift.Reset()
			a.deep.bad = drift.NewADWIN(w.chanceOfCut(a, a.runsPerWeek(w.clock)))
			w.dirty, w.savedAt = true, 0
		}
	}
}

// lines are the kinds of log lines of an agent.
type lines struct {
	miner *template.Miner
	news  *template.Novelty
}

// log looks at a log record of a run. What it says stays in the log: a finding is
// read by more people than content is.
func (w *Watch) log(l *activity.LogRecord) {
	if l.Run.IsZero() || l.Body == "" || w.only {
		return
	}
	var r *run
	for _, x := range w.runs[l.Run] {
		if r == nil || x.of.name == l.Agent {
			r = x
		}
	}
	if r == nil {
		return
	}
	a := r.of
	if a.lines == nil {
		if w.logs >= maxLogs {
			return
		}
		w.logs++
		a.lines = &lines{template.New(template.Options{Templates: maxLogLines}), template.NewNovelty(w.alarms("new_log", a))}
	}
	m := a.lines.miner.Add(l.Body[:min(len(l.Body), 2000)])
	if !a.lines.news.Look(time.Unix(0, w.clock), m) {
		return
	}
	severity := map[bool]string{true: finding.Warning, false: finding.Info}[l.Severity >= 17]
	w.raiseAt(a, r, alarm{
		detector: "new_log", subject: fmt.Sprintf("kind %d", m.ID), severity: severity, measure: "kinds of log lines", effect: 1, level: 1, steps: []activity.StepID{l.Step},
		text: "its logs have a kind of line that never came before", expected: "the kinds of lines that its logs have had", seen: logSeverity(l.Severity) + " line of " + word(l.Scope+" "+l.EventName),
		why: fmt.Sprintf("%.2g of the lines just before were of new kinds", m.Share),
	})
}

// LogKinds are the kinds of an agent's log lines, with values masked.
type LogKinds struct {
	Agent, Team, Environment string
	Door                     bool
	Kinds                    []template.Template // the most frequent first
}

// LogKinds reads them under any of its names. What they say is content.
func (w *Watch) LogKinds(names []string, team string) (out []LogKinds) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.agents {
		if a.lines != nil && slices.Contains(names, a.name) && (team == "" || a.team == team || a.team == "") {
			out = append(out, LogKinds{a.name, a.team, a.environment, a.door, a.lines.miner.Templates()})
		}
	}
	slices.SortFunc(out, func(x, y LogKinds) int {
		return strings.Compare(fmt.Sprint(!x.Door, x.Agent, x.Environment), fmt.Sprint(!y.Door, y.Agent, y.Environment))
	})
	return out
}

// logSeverity is an OTLP severity in words.
func logSeverity(n int32) string {
	switch {
	case n >= 21:
		return "a fatal"
	case n >= 17:
		return "an error"
	case n >= 13:
		return "a warning"
	case n >= 1:
		return "an ordinary"
	}
	return "a"
}
