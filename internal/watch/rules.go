package watch

import (
	"fmt"
	"math"
	"strings"
	"time"

	"reeve/internal/finding"
	"reeve/internal/rule"
)

// applyRules asks the rules about what the write touched. The caller holds the
// lock.
func (w *Watch) applyRules() {
	rules := w.o.Rules()
	if len(rules) == 0 || w.mute {
		return
	}
	for _, r := range w.touched {
		w.askRun(rules, r)
	}
	for _, a := range w.looked {
		w.askAgent(rules, a)
	}
}

func (w *Watch) askRun(rules []*rule.Rule, r *run) {
	var m rule.Measures
	ready := false
	for _, u := range rules {
		if u.Scope != rule.Run || !u.About(w.canonical(r.of.name), r.of.team, r.of.environment) {
			continue
		}
		if _, told := r.told[u.Detector()]; told {
			continue // it held of this run
		}
		if !ready {
			m, ready = r.measures(w.clock), true
		}
		if u.Holds(&m) && w.rested(r.of, u) {
			if r.told == nil {
				r.told, r.feels = map[string]int64{}, map[string]float64{}
			}
			r.told[u.Detector()] = w.clock
			w.findRule(u, r.of, r, &m)
		}
	}
}

func (w *Watch) askAgent(rules []*rule.Rule, a *agent) {
	for _, u := range rules {
		if u.Scope != rule.Agent || !u.About(w.canonical(a.name), a.team, a.environment) {
			continue
		}
		m := a.measures(w.clock, u.Window)
		if u.Holds(&m) && w.rested(a, u) {
			w.findRule(u, a, nil, &m)
		}
	}
}

// rested reports whether a rule may be told about an agent, and begins its rest.
func (w *Watch) rested(a *agent, u *rule.Rule) bool {
	key := u.Detector()
	if w.clock < a.rest[key] {
		return false
	}
	a.rest[key] = w.clock + int64(u.Rest)
	return true
}

func (w *Watch) findRule(u *rule.Rule, a *agent, r *run, m *rule.Measures) {
	f := finding.Finding{
		Detector: u.Detector(), Severity: u.Severity, Team: a.team, Environment: a.environment, Agent: a.name, Version: a.version,
		Text: u.Text, Measure: "rule", Expected: "not: " + u.When, Seen: said(u.When, m), Why: fmt.Sprintf("rule %s, revision %d", u.Name, u.Revision), Authenticated: a.door,
	}
	if f.Text == "" {
		f.Text = "the rule " + u.Name + " holds"
	}
	if u.Window > 0 {
		f.Seen += " in " + u.Window.String()
	}
	if r == nil {
		r = a.moving
	}
	if r != nil {
		f.Version, f.Task, f.Runs = r.version, r.task, []string{r.id.String()}
		for i := len(r.evidence) - 1; i >= 0; i-- {
			if !r.evidence[i].IsZero() {
				f.Steps = append(f.Steps, r.evidence[i].String())
			}
		}
	}
	w.find(f)
}

// said are the figures that a condition names.
func said(when string, m *rule.Measures) string {
	var out []string
	for _, v := range rule.Variables() {
		if v.Type == "double" && strings.Contains(when, v.Name) {
			if x, ok := m.Value(v.Name); ok {
				out = append(out, fmt.Sprintf("%s %s", v.Name, short(x)))
			}
		}
	}
	return strings.Join(out, ", ")
}

func short(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.4g", x)
}

// measures are what rules ask of a run.
func (r *run) measures(now int64) rule.Measures {
	a := r.of
	m := rule.Measures{
		Agent: a.name, Team: a.team, Environment: a.environment, Version: r.version, Task: r.task, Authenticated: a.door,
		Steps: float64(r.steps), ModelCalls: float64(r.models), ToolCalls: float64(r.tools), Errors: float64(r.errors), Refused: float64(r.refused),
		Retries: float64(r.retries), Looped: float64(r.looped), Handoffs: float64(r.handoffs), News: float64(r.fresh),
		InputTokens: float64(r.in), OutputTokens: float64(r.out), Cost: float64(r.cost) / 1e9, WaitingSeconds: float64(r.waited) / 1e9, Calls: make(map[string]int64, len(r.calls)),
	}
	for _, c := range r.calls {
		m.Calls[c.name] = c.n
	}
	if r.steer != nil {
		m.Steered = r.steer.top
	}
	if r.moves > 0 {
		m.Surprise = r.surprise / float64(r.moves)
	}
	if r.firstIn > 0 {
		m.ContextGrowth = float64(r.lastIn) / float64(r.firstIn)
	}
	m.SameCall = float64(r.mostSame())
	for _, k := range r.failing {
		m.Failures = math.Max(m.Failures, float64(k.n))
	}
	if r.start > 0 && now > r.start {
		m.Seconds = float64(now-r.start) / 1e9
	}
	return m
}

// measures are what rules ask of an agent over a window.
func (a *agent) measures(now int64, window time.Duration) rule.Measures {
	s := a.series.since(now - int64(window))
	m := rule.Measures{
		Agent: a.name, Team: a.team, Environment: a.environment, Version: a.version, Authenticated: a.door,
		Steps: float64(s.Steps), ModelCalls: float64(s.Models), ToolCalls: float64(s.Tools), Errors: float64(s.Errors), Refused: float64(s.Refused),
		Retries: float64(s.Retries), Looped: float64(s.Looped), Handoffs: float64(s.Handoffs), News: float64(s.News),
		InputTokens: s.In, OutputTokens: s.Out, Cost: s.Cost / 1e9, WaitingSeconds: s.Waited / 1e3,
		Runs: float64(s.Runs), Ended: float64(s.Ended), FailedRuns: float64(s.Failed), Window: window.Seconds(),
	}
	m.P50, _ = s.Quantile(0.5)
	m.P95, _ = s.Quantile(0.95)
	if s.Moves > 0 {
		m.Surprise = s.Surprise / s.Moves
	}
	if s.Growns > 0 {
		m.ContextGrowth = s.Growth / s.Growns
	}
	return m
}
