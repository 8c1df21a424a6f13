package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"reeve/internal/activity"
)

// refusals are the beginnings of codes with which the door refuses.
var refusals = []string{"decision.", "http.no_route", "policy.", "floor.", "content.", "budget.", "stop.", "approval.", "limit."}

// forbidden are errors by which others say that something is not allowed.
var forbidden = []string{"401", "403", "forbidden", "unauthorized", "permission", "access_denied", "accessdenied", "not_authorized"}

// Refused says that a step did not happen because somebody did not let it.
func Refused(s *activity.Step) bool {
	if s.Status != activity.StatusError {
		return false
	}
	if slices.ContainsFunc(refusals, func(code string) bool { return strings.HasPrefix(s.ErrorType, code) }) {
		return true
	}
	e := strings.ToLower(s.ErrorType)
	return e != "" && slices.ContainsFunc(forbidden, func(word string) bool { return strings.Contains(e, word) })
}

// contains reports a step that is only made of others.
func contains(k activity.Kind) bool {
	return k == activity.KindAgent || k == activity.KindWorkflow || k == activity.KindTask || k == activity.KindOther
}

func stepID(s *activity.Step) string { return "step:" + s.Step.String() }

var stepRoles = map[activity.Kind]string{
	activity.KindModel: "model call", activity.KindTool: "tool call", activity.KindMCP: "tool call", activity.KindHTTP: "call",
	activity.KindRetrieval: "retrieval", activity.KindMemory: "memory", activity.KindHandoff: "handoff", activity.KindPlan: "plan", activity.KindHuman: "person",
}

// step is the node of a step.
func (g *builder) step(s *activity.Step) *node {
	id := stepID(s)
	if n := g.at[id]; n != nil {
		return n
	}
	n := g.add(Step, id, cmp.Or(s.Name, s.Kind.String()))
	n.Role = cmp.Or(stepRoles[s.Kind], s.Kind.String()+" step")
	n.At = when(s.Start)
	if v := cmp.Or(s.AgentVersion, g.c.Run.Version); v != "" {
		n.Version = text(v)
	}
	n.onPath = g.failing[s.Step]
	n.evidence("step", s.Step.String(), n.Role+" "+n.Name)
	return n
}

// mostSteps bounds the steps in order that are drawn.
const mostSteps = 24

// steps draws the steps that say something: the answer, what failed, what was read.
func (g *builder) steps() {
	c := g.c
	if missing := int(c.Run.Steps) - len(c.Steps); c.Whole && missing > 0 || len(c.Steps) == 0 {
		g.lost = true
		n := g.add(Step, "step:missing", plural(max(missing, 1), "step")+" not on record")
		n.Role = "missing steps"
		n.unknown(n.Name+": what the agent did there is unknown", "the agent's telemetry (spans of each step), kept as long as the run's row: see retention", true)
		n.onPath = true
		g.link("outcome", n.ID, "may stand on")
	}
	g.path()
	if s := g.last(); s != nil {
		n := g.step(s)
		g.answers = n.ID
		g.link("outcome", n.ID, "was said by")
	}
	failed, refused, fine := 0, 0, 0
	for i := range c.Steps {
		s := &c.Steps[i]
		switch {
		case s.Status == activity.StatusError && contains(s.Kind):
			g.container(s)
		case Refused(s):
			refused++
			n := g.step(s)
			n.with = append(n.with, "it was refused: "+cmp.Or(s.ErrorType, s.StatusMessage))
			n.Sentence = "it was refused: " + cmp.Or(s.ErrorType, s.StatusMessage)
			g.below(n)
		case s.Status == activity.StatusError && s.Kind != activity.KindModel:
			failed++
			n := g.step(s)
			if again := g.later[s.Step]; again != nil && !g.failing[s.Step] {
				n.Sentence = "it failed with " + cmp.Or(s.ErrorType, "an error") + " and went well when it was tried again"
				n.evidence("step", again.Step.String(), "the try that went well")
			} else {
				n.against(.75, "its call failed with "+failure(s))
			}
			g.below(n)
		case c.Empty[s.Step]:
			n := g.step(s)
			n.against(.7, "it looked something up and nothing came back")
			g.below(n)
		case s.Kind == activity.KindRetrieval || s.Kind == activity.KindTool || s.Kind == activity.KindMCP:
			if fine++; fine <= mostSteps {
				n := g.step(s)
				n.fine("it went well")
				g.below(n)
			} else {
				g.omitted++
			}
		}
	}
	if failed == 0 && len(c.Steps) > 0 && !g.erred && !g.lost {
		g.note(Step, fmt.Sprintf("none of its %s failed", plural(len(c.Steps), "step")))
	}
	if refused == 0 && len(c.Steps) > 0 && !g.lost {
		g.note(Entitlement, "no step was refused")
	}
}

// below hangs a step under the answer that was given after it, or under the
// outcome where there is none.
func (g *builder) below(n *node) {
	how := "was told by"
	if n.State == Guilty || n.onPath {
		how = "followed"
	}
	if g.answers != "" && n.ID != g.answers && !n.onPath {
		g.link(g.answers, n.ID, how)
		return
	}
	g.link("outcome", n.ID, "ended with")
}

// failure is an error in words.
func failure(s *activity.Step) string {
	words := cmp.Or(s.ErrorType, "an error")
	if m := strings.TrimSpace(s.StatusMessage); m != "" && m != s.ErrorType {
		words += ": " + clip(m, 160)
	}
	return words
}

// container judges an agent or a workflow that failed: by what failed in it, or by
// itself where nothing did.
func (g *builder) container(s *activity.Step) {
	if !g.failing[s.Step] || g.failingBelow(s) {
		return
	}
	n := g.step(s)
	n.onPath = true
	g.link("outcome", n.ID, "ended with")
	if g.lost {
		n.unknown("it ended with "+failure(s)+", and which step failed in it is not on record", "the spans of its steps", true)
		return
	}
	if refusal := Refused(s); refusal {
		n.Sentence = "it was refused: " + failure(s)
		return
	}
	n.against(.7, "it failed by itself with "+failure(s)+": none of its steps did")
}

func (g *builder) failingBelow(s *activity.Step) bool {
	for i := range g.c.Steps {
		if x := &g.c.Steps[i]; g.failing[x.Step] && x.Step != s.Step && g.under(x, s.Step) {
			return true
		}
	}
	return false
}

// under reports whether a step is inside another.
func (g *builder) under(s *activity.Step, of activity.StepID) bool {
	for range 64 { // cycles end
		if s.Parent == of {
			return true
		}
		if s = g.stepOf[s.Parent]; s == nil {
			return false
		}
	}
	return false
}

// path marks the steps that the run's error passed: from the last one that failed
// and was not made good, up to its root.
func (g *builder) path() {
	if !g.erred {
		return
	}
	var last *activity.Step
	for i := range g.c.Steps {
		s := &g.c.Steps[i]
		if s.Status != activity.StatusError || g.later[s.Step] != nil || contains(s.Kind) {
			continue
		}
		if last == nil || same(s, &g.c.Run) && !same(last, &g.c.Run) || same(s, &g.c.Run) == same(last, &g.c.Run) && s.End >= last.End {
			last = s
		}
	}
	for s, n := last, 0; s != nil && n < 64; s, n = g.stepOf[s.Parent], n+1 {
		g.failing[s.Step] = true
	}
	if last != nil {
		return
	}
	for i := range g.c.Steps { // no call failed: the containers did by themselves
		if s := &g.c.Steps[i]; s.Status == activity.StatusError {
			g.failing[s.Step] = true
		}
	}
}

// same says that a step failed with what its run ended with.
func same(s *activity.Step, r *activity.Run) bool {
	return r.ErrorType != "" && s.ErrorType == r.ErrorType
}

// recovered are failed calls after which the same tool or model went well.
func recovered(steps []activity.Step) map[activity.StepID]*activity.Step {
	out := map[activity.StepID]*activity.Step{}
	good := map[string]*activity.Step{}
	for i := len(steps) - 1; i >= 0; i-- {
		s := &steps[i]
		key := s.Kind.String() + "\x00" + cmp.Or(s.ToolName, s.Name)
		switch s.Status {
		case activity.StatusOK:
			good[key] = s
		case activity.StatusError:
			if good[key] != nil {
				out[s.Step] = good[key]
			}
		}
	}
	return out
}

// last is the step that gave the answer: the last model call that went well.
func (g *builder) last() *activity.Step {
	for i := len(g.c.Steps) - 1; i >= 0; i-- {
		if s := &g.c.Steps[i]; s.Kind == activity.KindModel && s.Status != activity.StatusError && !g.inner[s.Step] {
			return s
		}
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
