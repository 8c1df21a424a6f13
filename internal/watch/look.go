package watch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"reeve/internal/activity"
	"reeve/internal/finding"
)

// alarm is what a detector is about to tell.
type alarm struct {
	detector string
	subject  string
	severity string // "" is the setting's
	text     string
	measure  string
	expected string
	seen     string
	why      string
	effect   float64
	p        float64 // how likely that much is; 0 for what no chance explains
	level    float64 // within a run the same is told again at twice the level
	steps    []activity.StepID
	chance   func() float64 // p, where it costs something: asked once the effect is large enough
	byAgent  bool           // it rests by agent and not by run; the run is evidence
	words    func(*alarm)   // writes what is said, once it is known to be told; nil: it is written
}

// raise tells a finding if it is large and rare enough for what is set. It
// reports whether it did.
func (w *Watch) raise(a *agent, r *run, m alarm) bool {
	d, ok := detector(m.detector)
	if !ok {
		return false
	}
	if w.mute || w.only {
		return false
	}
	name := w.canonical(a.name)
	set := w.o.Settings.For(d, name)
	if set.Off {
		return false
	}
	expect, allowed := 0.0, 0.0
	var learned finding.Learned
	if !d.Fixed {
		g := a.gate(m.detector, a.first)
		learned = w.o.Findings.Learned(m.detector, name)
		least := set.MinimumEffect * learned.Effect()
		if d.Top > 0 { // what is as plain as can be stays told, whatever was called noise
			least = min(least, max(d.Top, set.MinimumEffect))
		}
		if m.effect < least {
			return false
		}
		if m.chance != nil {
			m.p = m.chance()
		}
		allowed = set.AlarmsPerWeek * learned.Factor()
		expect = m.p * g.perWeek(w.clock)
		if expect > allowed {
			return false
		}
	}
	key := m.detector + "\x00" + m.subject
	if r != nil && !m.byAgent {
		if at, told := r.told[key]; told && (m.level < 2*r.feels[key] || w.clock-at < int64(2*time.Second)) {
			return false
		}
		if r.told == nil {
			r.told, r.feels = map[string]int64{}, map[string]float64{}
		}
		if len(r.told) < 64 {
			r.told[key], r.feels[key] = w.clock, m.level
		}
	} else if w.clock < a.rest[key] {
		return false
	}
	if len(a.rest) > 1024 {
		clear(a.rest)
	}
	a.rest[key] = w.clock + int64(set.Rest)
	if m.words != nil {
		m.words(&m)
	}
	if !d.Fixed && m.p > 0 {
		m.why = join(m.why, fmt.Sprintf("while nothing is wrong this comes %s a week; %s", times(expect), allows(allowed, learned)))
	}
	f := finding.Finding{
		Detector: m.detector, Severity: m.severity, Team: a.team, Environment: a.environment, Agent: a.name, Version: a.version, Subject: word(m.subject),
		Text: m.text, Measure: m.measure, Expected: m.expected, Seen: m.seen, Why: m.why, Authenticated: a.door,
	}
	if f.Severity == "" {
		f.Severity = set.Severity
	}
	if r != nil {
		f.Version, f.Task = r.version, r.task
		f.Runs = []string{r.id.String()}
	}
	for _, s := range m.steps {
		if !s.IsZero() && !slices.Contains(f.Steps, s.String()) {
			f.Steps = append(f.Steps, s.String())
		}
	}
	w.find(f)
	return true
}

func (w *Watch) canonical(name string) string {
	if w.o.Canonical != nil {
		if c := w.o.Canonical(name); c != "" {
			return c
		}
	}
	return name
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func times(x float64) string {
	switch {
	case x < 0.001:
		return "less than once in a thousand times"
	case x < 0.1:
		return "once in " + strconv.Itoa(int(math.Round(1/x))) + " times"
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + " times"
}

func allows(x float64, l finding.Learned) string {
	s := strconv.FormatFloat(x, 'g', 3, 64) + " is allowed"
	if l.Noise > 0 {
		s += fmt.Sprintf(", after %d called noise", l.Noise)
	}
	return s
}

// look looks at what the write touched. The caller holds the lock.
func (w *Watch) look() {
	for _, r := range w.touched {
		r.touched = false
		w.lookAtRun(r)
	}
	for _, a := range w.looked {
		a.touched = false
		w.lookAtAgent(a)
	}
	if w.o.Rules != nil {
		w.applyRules()
	}
	clear(w.touched)
	clear(w.looked)
	w.touched, w.looked = w.touched[:0], w.looked[:0]
}

// lookAtRun judges a run by what it is so far.
func (w *Watch) lookAtRun(r *run) {
	a := r.of
	w.lookForLoop(a, r)
	w.lookForStorm(a, r)
	if r.ended {
		return
	}
	w.soFar(a, r, "cost", float64(r.cost), func(x float64) string { return money(x) }, "the run cost %s so far")
	w.soFar(a, r, "run_length", float64(r.steps), func(x float64) string { return fmt.Sprintf("%.0f steps", x) }, "the run took %s so far")
	if r.models >= 3 && r.firstIn > 0 {
		w.soFar(a, r, "context_growth", float64(r.lastIn)/float64(r.firstIn), func(x float64) string { return fmt.Sprintf("%.1f times", x) }, "the input of the run's model calls grew %s")
	}
	if r.moves >= 4 {
		w.soFar(a, r, "unusual_path", r.surprise/float64(r.moves), func(x float64) string { return fmt.Sprintf("%.1f bits a step", x) }, "the order of the run's tools is unusual: %s")
	}
}

// soFar judges a figure of a run that only grows against what runs come to.
func (w *Watch) soFar(a *agent, r *run, name string, x float64, say func(float64) string, text string) {
	t := a.ranges[name]
	if t == nil || t.seen < warm || x <= 0 {
		return
	}
	median := t.median()
	if median <= 0 || x < 1.5*median {
		return // most runs are here
	}
	m := alarm{
		detector: name, measure: name, effect: x / median, level: x, steps: r.evidence[:],
		chance: func() float64 { return t.above(x) },
		words: func(m *alarm) {
			m.text, m.seen = fmt.Sprintf(text, say(x))+fmt.Sprintf(", %.1f times the median", x/median), say(x)
			m.expected = "half of the runs stay below " + say(median) + ", 99 of 100 below " + say(t.quantile(0.99))
			m.why = fmt.Sprintf("%.1f times the median of %d runs", x/median, t.seen)
		},
	}
	if m.effect >= 10 && name == "cost" {
		m.severity = finding.Critical
	}
	w.raise(a, r, m)
}

func money(nanos float64) string { return strconv.FormatFloat(nanos/1e9, 'g', 3, 64) + " USD" }

// lookForLoop judges how often a run made the same call.
func (w *Watch) lookForLoop(a *agent, r *run) {
	c := r.most
	if c == nil || c.n < 3 {
		return
	}
	t := a.ranges["loop"]
	p, expected := 0.0, "an agent that makes the same call with the same arguments learns nothing new from it"
	effect := float64(c.n)
	if t != nil && t.seen >= warm {
		p = t.atLeast(float64(c.n))
		high := math.Max(t.quantile(0.99), 1)
		expected = fmt.Sprintf("99 of 100 of its %d runs make the same call at most %.0f times", t.seen, math.Ceil(high))
		if float64(c.n) <= high {
			return
		}
	} else {
		effect /= 1.6 // before its runs are known, more is asked
	}
	m := alarm{
		detector: "loop", subject: c.tool, measure: "loop", effect: effect, p: p, level: float64(c.n), steps: c.steps[:],
		text: fmt.Sprintf("called %s %d times with the same arguments in one run", c.tool, c.n), expected: expected, seen: strconv.Itoa(c.n) + " times",
	}
	if c.n >= 25 {
		m.severity = finding.Critical
	}
	w.raise(a, r, m)
}

// lookForStorm judges failures one after the other.
func (w *Watch) lookForStorm(a *agent, r *run) {
	for name, k := range r.failing {
		if k.n < 3 {
			continue
		}
		rate := 0.05
		if s := a.shares["errors"]; s != nil {
			rate = s.rate()
		}
		// Each call may begin a streak.
		m := alarm{
			detector: "retry_storm", subject: name, measure: "failures in a row", effect: float64(k.n), p: math.Pow(rate, float64(k.n)), level: float64(k.n), steps: k.steps[:],
			text: fmt.Sprintf("%s failed %d times in a row in one run", name, k.n), expected: fmt.Sprintf("%.1f %% of its calls fail", 100*rate), seen: fmt.Sprintf("%d in a row", k.n),
		}
		if k.class != "" {
			m.text += " (" + k.class + ")"
		}
		w.raise(a, r, m)
	}
}

// lookAtAgent judges shares of the newest outcomes.
func (w *Watch) lookAtAgent(a *agent) {
	w.proportion(a, "errors", "errors", "calls failed")
	w.proportion(a, "refusals", "refusals", "actions were denied or held")
	w.proportion(a, "declined", "declined", "answers refused in words")
	w.proportion(a, "failed_runs", "failed_runs", "runs ended badly")
}

// minHits is how many there must be at least: fewer are nothing to act on.
const minHits = 5

func (w *Watch) proportion(a *agent, kind, detector, text string) {
	v, s := a.last[kind], a.shares[kind]
	if v == nil || v.n < windowOf || s.all < warm {
		return
	}
	k := v.hits()
	if k < minHits {
		return
	}
	rate := s.rate()
	m := alarm{
		detector: detector, measure: detector, effect: float64(k) / windowOf / rate, p: s.atLeast(k, windowOf),
		text: fmt.Sprintf("%d of the last %d %s", k, windowOf, text), expected: fmt.Sprintf("%.1f %% of the %.0f before", 100*s.hits/math.Max(s.all, 1), s.all), seen: fmt.Sprintf("%d of %d", k, windowOf),
	}
	run := a.newest()
	if run != nil {
		m.steps = run.evidence[:]
	}
	// Of all looks at twenty, those that overlap are one.
	if w.raiseAt(a, run, m) {
		v.bits, v.n = 0, 0 // the next twenty speak for themselves
	}
}

// raiseAt is raise for what rests by agent and not by run; the run is evidence.
func (w *Watch) raiseAt(a *agent, r *run, m alarm) bool {
	m.byAgent = true
	return w.raise(a, r, m)
}

// newest is the run of an agent that moved last.
func (a *agent) newest() *run { return a.moving }

// novel judges a name that was never used before.
func (w *Watch) novel(a *agent, r *run, kind, what, name string, n *novelty, step activity.StepID) {
	a.bucket(w.clock).News++
	r.fresh++
	names := len(a.known[kind]) - 1
	if names == 0 {
		return // the first of its kind says nothing of the others
	}
	m := alarm{
		detector: kind, subject: name, measure: "first seen", effect: float64(n.Since), level: 1, steps: []activity.StepID{step},
		text:     fmt.Sprintf("used the %s %s for the first time", what, name),
		expected: fmt.Sprintf("one of the %d that it knows", names), seen: name,
		why: fmt.Sprintf("its last %d uses brought nothing new", n.Since),
	}
	if kind == "provider_change" {
		m.text = fmt.Sprintf("another %s answers: %s", what, name)
	}
	// Names that come often are no news: what came new in the last week counts
	// against what is allowed.
	week, allowed := 0, w.allowed(kind, a)
	for _, u := range a.known[kind] {
		if u.N <= 3 && w.clock-u.Last < int64(7*24*time.Hour) {
			week++
		}
	}
	if float64(week) > 3*allowed+2 {
		return
	}
	w.raise(a, r, m)
}

func (w *Watch) allowed(name string, a *agent) float64 {
	d, _ := detector(name)
	return w.o.Settings.For(d, w.canonical(a.name)).AlarmsPerWeek
}

// level judges the median of the last ten values of a measure.
func (w *Watch) level(a *agent, r *run, measure string, b *block) {
	if b.normal == nil {
		if b.normal = a.span(measure + " " + b.subject); b.normal == nil {
			return
		}
	}
	t := b.normal
	sorted := b.vals
	slices.Sort(sorted[:])
	median := (sorted[blockOf/2-1] + sorted[blockOf/2]) / 2
	// Tens overlap: a new one of which every second value is new counts half.
	a.look(measure, 2.0/blockOf, w.clock)
	if t.seen >= warm {
		w.judgeLevel(a, r, measure, b.subject, median, t)
	}
	if b.n%blockOf == 0 {
		t.learn(median)
	}
}

func (w *Watch) judgeLevel(a *agent, r *run, measure, subject string, median float64, t *tail) {
	usual := t.median()
	if usual <= 0 || median <= 0 {
		return
	}
	low := measure == "output_length" && median < usual
	m := alarm{detector: measure, subject: subject, measure: measure, effect: max(median/usual, 1), level: median, steps: r.evidence[:]}
	if low {
		m.effect = usual / median
	}
	if m.effect < 1.2 {
		return // most are: what comes next costs more
	}
	m.chance = func() float64 {
		p := t.level(median, low)
		if measure == "output_length" {
			p *= 2 // either way
		}
		return p
	}
	m.words = func(m *alarm) {
		say := func(x float64) string {
			return time.Duration(x * float64(time.Second)).Round(time.Millisecond).String()
		}
		if measure == "output_length" {
			say = func(x float64) string { return fmt.Sprintf("%.0f tokens", x) }
		}
		m.text = fmt.Sprintf("%s: the median of the last %d is %s, usually %s", subject, blockOf, say(median), say(usual))
		m.expected = fmt.Sprintf("%s, by %d earlier tens; 98 of 100 are between %s and %s", say(usual), t.seen, say(t.quantile(0.01)), say(t.quantile(0.99)))
		m.seen = say(median)
		m.why = fmt.Sprintf("%.1f times as much", median/usual)
	}
	w.raiseAt(a, r, m)
}

// offHours judges the hour at which an agent works.
func (w *Watch) offHours(a *agent, r *run, s *activity.Step) {
	usual, working, weekend := a.usual(w.clock)
	i, _ := slot(w.clock)
	days := working
	if i >= 24 && weekend < 2 && working < 5 {
		return
	}
	if i >= 24 {
		days = working + weekend
	}
	a.look("off_hours", 1, w.clock)
	if usual > 0.002 {
		return
	}
	w.raiseAt(a, r, alarm{
		detector: "off_hours", measure: "hour", effect: float64(days), p: usual / 100, level: 1, steps: []activity.StepID{s.Step},
		text: "began work at " + time.Unix(0, w.clock).UTC().Format("Monday 15:04") + " UTC", expected: fmt.Sprintf("in %d days it did %.1f %% of its work within an hour of that", working+weekend, 100*usual),
		seen: time.Unix(0, w.clock).UTC().Format("15:04"),
	})
}

// shift judges what users ask about now against before.
func (w *Watch) shift(a *agent, r *run) {
	t := &a.topic
	d := divergence(&t.recent, &t.long)
	for i := range t.long {
		t.long[i] = t.long[i]*0.98 + t.recent[i]
	}
	t.recent, t.n = [topicBins]float32{}, 0
	if t.blocks++; t.blocks < 5 {
		return
	}
	span := a.span("topic_shift")
	if span == nil {
		return
	}
	a.look("topic_shift", 1, w.clock)
	if span.seen >= warm {
		usual := span.median()
		w.raiseAt(a, r, alarm{
			detector: "topic_shift", measure: "topic_shift", effect: d / math.Max(usual, 1e-9), p: span.above(d), steps: r.evidence[:],
			text:     fmt.Sprintf("what users ask about changed: the words of the last %d messages are %.2f bits from those before", topicOf, d),
			expected: fmt.Sprintf("%.2f bits", usual), seen: fmt.Sprintf("%.2f bits", d),
		})
	}
	span.learn(d)
}

// run takes in a run's row: an end makes its figures part of what is normal.
func (w *Watch) run(row *activity.Run) {
	if row.Status != activity.RunDone && row.Status != activity.RunStale {
		return
	}
	bad := row.RootError || row.Outcome == "failed" || row.Outcome == "abandoned"
	for _, r := range w.runs[row.ID] {
		if !r.ended {
			w.end(r, bad)
		}
	}
}

// end adds a run's figures to what is normal of its agent.
func (w *Watch) end(r *run, bad bool) {
	a := r.of
	w.lookAtRun(r)
	r.ended = true
	r.learnWays()
	if r.steps == 0 {
		return
	}
	a.runs++
	b := a.bucket(w.clock)
	b.Ended++
	if bad {
		b.Failed++
	}
	a.result("failed_runs", bad)
	if r.models >= 2 && r.firstIn > 0 {
		b.Growth += float64(r.lastIn) / float64(r.firstIn)
		b.Growns++
	}
	for _, name := range [...]string{"cost", "run_length", "context_growth", "unusual_path", "loop"} {
		a.look(name, 1, w.clock)
	}
	a.look("retry_storm", float64(r.tools+r.models), w.clock)
	for _, kind := range [...]string{"errors", "refusals", "failed_runs", "declined"} {
		a.look(kind, math.Max(float64(r.tools+r.models)/windowOf*2, 0.1), w.clock)
	}
	learn := func(name string, x float64) {
		if t := a.span(name); t != nil && x > 0 && !r.cut {
			t.learn(x)
		}
	}
	learn("cost", float64(r.cost))
	learn("run_length", float64(r.steps))
	if r.models >= 3 && r.firstIn > 0 {
		learn("context_growth", float64(r.lastIn)/float64(r.firstIn))
	}
	if r.moves >= 4 {
		learn("unusual_path", r.surprise/float64(r.moves))
	}
	if r.tools+r.models > 0 {
		learn("loop", float64(max(r.mostSame(), 1)))
	}
	if r.cut {
		delete(w.cut, r.id)
	} else {
		w.deepRun(a, r, bad)
	}
	w.part(a, r, bad)
	// A late step still counts; what compares it with earlier ones may go.
	w.steps -= r.counted.len()
	r.counted, r.failing, r.same = stepSet{}, nil, sames{}
}

// part counts a run for its version and task.
func (w *Watch) part(a *agent, r *run, bad bool) {
	for kind, name := range map[string]string{"version": r.version, "task": r.task} {
		if name == "" {
			continue
		}
		p := a.part(kind, name, w.clock)
		p.Calls++
		if bad {
			p.Errors++
		}
		p.In, p.Out, p.Cost = p.In+float64(r.in), p.Out+float64(r.out), p.Cost+float64(r.cost)
		p.Took += float64(r.took()) / 1e6
		p.Looped, p.Retries, p.Refused = p.Looped+int64(r.looped), p.Retries+int64(r.retries), p.Refused+int64(r.refused)
		p.Models, p.Tools, p.Handoffs = p.Models+int64(r.models), p.Tools+int64(r.tools), p.Handoffs+int64(r.handoffs)
		p.Answers, p.Declined, p.Waited = p.Answers+int64(r.answers), p.Declined+int64(r.declined), p.Waited+float64(r.waited)/1e6
		if r.models >= 2 && r.firstIn > 0 {
			p.Growth += float64(r.lastIn) / float64(r.firstIn)
			p.Growns++
		}
		if kind == "version" {
			a.version = r.version
		}
	}
}

// decided takes in what the door decided about an agent that proved who it is:
// refusals, and where its calls send data. The caller holds the lock.
func (w *Watch) decided(d *call) {
	a := w.agentOf(d.who)
	var r *run
	if !d.run.IsZero() {
		r = w.runOf(d.run, a)
	}
	refused, again := d.verdict != activity.VerdictAllow, false
	if r != nil && d.verdict == activity.VerdictHold {
		again = word(d.resource) == r.held // asked for once more while a person thinks
		r.held = word(d.resource)
	}
	if refused = refused && !again; refused {
		a.bucket(w.clock).Refused++
		if d.tool != "" {
			a.part("tool", d.tool, w.clock).Refused++
		}
	}
	if !again {
		a.result("refusals", refused)
	}
	if r == nil {
		w.lookAtAgent(a)
		return
	}
	r.last, a.moving = w.clock, r
	if refused {
		r.refused++
	}
	to := destinations(d.context)
	for _, name := range to.All {
		w.uses(a, r, "new_destination", "destination", name, d.step)
	}
	for _, name := range to.Injected {
		w.raise(a, r, alarm{
			detector: "injected_destination", subject: name, measure: "destination", level: 1, steps: []activity.StepID{d.step},
			text:     fmt.Sprintf("%s would send data to %s, which only a tool's result named", d.resource, name),
			expected: "destinations that the user, the system or an earlier task named", seen: name, why: "decision " + d.id + ", " + d.verdict.String(),
		})
	}
	w.steered(a, r, d)
	w.lookAtAgent(a)
}

type places struct {
	All      []string `json:"all"`
	Injected []string `json:"injected"`
}

// destinations reads where a decision's call sends data from the request that was
// decided.
func destinations(context []byte) (out places) {
	const key = `"destinations":`
	at := bytes.Index(context, []byte(key))
	if at < 0 {
		return out
	}
	// The record is ours and small; what does not read has no destinations.
	_ = json.NewDecoder(bytes.NewReader(context[at+len(key):])).Decode(&out)
	return out
}

// bound forgets what was quiet longest when there is too much.
func (w *Watch) bound() {
	if len(w.runs) > maxRuns || w.steps > maxStepIDs {
		w.forgetRuns()
	}
}

func (w *Watch) forgetRuns() {
	type old struct {
		id     activity.RunID
		proved int
		last   int64
	}
	list := make([]old, 0, len(w.runs))
	for id, all := range w.runs {
		o := old{id: id}
		for _, r := range all {
			if o.last = max(o.last, r.last); r.of.door {
				o.proved = 1
			}
		}
		list = append(list, o)
	}
	// Anybody can claim as many as there is room for: what is proved goes last.
	slices.SortFunc(list, func(x, y old) int { return cmp.Or(cmp.Compare(x.proved, y.proved), cmp.Compare(x.last, y.last)) })
	drop := max((len(list)+3)/4, len(list)-maxRuns*3/4)
	for _, o := range list[:drop] {
		for _, r := range w.runs[o.id] {
			if !r.ended {
				w.end(r, false)
				w.forgot.Add(1)
			}
		}
		delete(w.runs, o.id)
	}
}

func (w *Watch) forgetAgents() {
	proved := func(a *agent) int {
		if a.door {
			return 1
		}
		return 0
	}
	list := slices.SortedFunc(maps.Values(w.agents), func(x, y *agent) int { return cmp.Or(cmp.Compare(proved(x), proved(y)), cmp.Compare(x.seen, y.seen)) })
	gone := map[*agent]bool{}
	for _, a := range list[:max(len(list)/20, 1)] {
		gone[a] = true
		delete(w.agents, a.who)
		if a.deep != nil {
			w.deeps--
		}
		if a.lines != nil {
			w.logs--
		}
		w.forgot.Add(1)
	}
	for id, all := range w.runs {
		all = slices.DeleteFunc(all, func(r *run) bool { return gone[r.of] })
		if w.runs[id] = all; len(all) == 0 {
			delete(w.runs, id)
		}
	}
	w.last = nil
}
