package app

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// openEvaluations reads the evaluators.
func (a *App) openEvaluations(ctx context.Context) (err error) {
	a.evaluations, err = evaluate.New(ctx, evaluate.Options{
		DB: a.control, Runs: textsOf{a}, Find: a.findClasses, Model: a.askJudge, Agent: a.placeOfAgent, Logger: a.log.With("part", "evaluations"),
	})
	return err
}

// placeOfAgent is where an agent that lives belongs.
func (a *App) placeOfAgent(name string) (team, environment string, ok bool) {
	g, ok := a.agents.Lookup(name)
	if !ok || g.Lifecycle == agent.Retired {
		return "", "", false
	}
	return g.Team, g.Environment, true
}

// findClasses are the classes of secrets and personal data in a text. The error
// says that there may be more: the text is none, or what finds stopped at what is
// blocked.
func (a *App) findClasses(team, environment, text string) (out []string, err error) {
	plan, err := a.content.Redacting("", team, environment, commentClasses)
	if err != nil {
		return nil, err
	}
	// Rules for answers may find more than the classes that are looked for in
	// requests, and the other way round.
	_, found, err := plan.Answer([]byte(text))
	_, more, err2 := plan.Request([]byte(text))
	for _, f := range append(found, more...) {
		if !slices.Contains(out, f.Class) {
			out = append(out, f.Class)
		}
	}
	return out, errors.Join(err, err2)
}

// textsOf reads what runs said, for evaluators.
type textsOf struct{ app *App }

const (
	// textSteps bounds the steps of a run that are read for its texts: of a larger
	// one the first ones, and its root.
	textSteps     = 2000
	textDocuments = 200
	textBytes     = 1 << 20
	// messageBytes bounds what is loaded to find them.
	messageBytes = 4 << 20
)

func (r textsOf) Ended(ctx context.Context, since time.Time, limit int) ([]activity.Run, error) {
	page, err := r.app.store.Runs(ctx, telemetry.RunsQuery{From: since, Filter: search.Is("status", "done"), Limit: limit})
	return page.Runs, err
}

// Newest implements evaluate.Runs.
func (r textsOf) Newest(ctx context.Context, e *evaluate.Evaluator, since time.Time, limit int) ([]activity.RunID, error) {
	where := search.Both(search.Is("status", "done"), &search.Not{Of: search.Is("mode", evaluate.Test)})
	for name, of := range map[string][]string{"team": {e.Team}, "environment": {e.Environment}, "agent": e.Agents} {
		if len(of) > 0 && of[0] != "" {
			where = search.Both(where, search.Is(name, of...))
		}
	}
	page, err := r.app.store.Runs(ctx, telemetry.RunsQuery{From: since, Filter: where, Limit: limit})
	out := make([]activity.RunID, len(page.Runs))
	for i := range page.Runs {
		out[i] = page.Runs[i].ID
	}
	return out, err
}

func (r textsOf) Texts(ctx context.Context, id activity.RunID) (evaluate.Texts, bool, error) {
	run, err := r.app.store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return evaluate.Texts{}, false, nil
	}
	if err != nil {
		return evaluate.Texts{}, false, err
	}
	t := evaluate.Texts{
		Agent: run.Agent, Version: run.Version, Team: run.Team, Environment: run.Environment, Task: run.Task, Mode: run.Mode, Steps: run.Steps, Errors: run.Errors, Cost: math.NaN(), Ended: time.Unix(0, run.End),
	}
	if run.Cost.Basis != activity.CostUnknown {
		t.Cost = float64(run.Cost.Nanos) / 1e9
	}
	steps, at, err := r.said(ctx, id)
	if err != nil {
		return t, false, err
	}
	readTexts(&t, steps, at)
	return t, true, nil
}

// said reads a run's steps, and the messages that say what it was asked, read and
// answered, by ordinal.
func (r textsOf) said(ctx context.Context, id activity.RunID) ([]activity.Step, map[int32]*activity.Message, error) {
	page, err := r.app.store.StepsPage(ctx, id, telemetry.StepsQuery{Limit: textSteps, Light: true})
	if err != nil {
		return nil, nil, err
	}
	msgs, err := r.app.store.MessagesWithin(ctx, id, wantedOf(page.Steps), messageBytes)
	if err != nil {
		return nil, nil, err
	}
	at := make(map[int32]*activity.Message, len(msgs))
	for i := range msgs {
		at[msgs[i].Ordinal] = &msgs[i]
	}
	return page.Steps, at, nil
}

// wantedOf are the messages that say what a run was asked, read and answered. The
// answers of roots and of the last model come first: there is a bound on what is
// loaded, and without the answer there is nothing to judge.
func wantedOf(steps []activity.Step) []int32 {
	seen := map[int32]bool{}
	var out []int32
	want := func(s *activity.Step, is func(activity.ContentField) bool) {
		for k, ref := range s.Refs {
			if !activity.Said(s.Refs, k) || !is(ref.Field) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				if !seen[n] && len(out) < 4*textSteps {
					seen[n] = true
					out = append(out, n)
				}
			}
		}
	}
	answers := func(f activity.ContentField) bool { return f == activity.ContentOutput }
	others := func(f activity.ContentField) bool {
		return f != activity.ContentTools && f != activity.ContentSystem
	}
	var last *activity.Step
	for i := range steps {
		s := &steps[i]
		if s.Parent == (activity.StepID{}) && s.Kind != activity.KindModel {
			want(s, answers)
		}
		if s.Kind == activity.KindModel && (last == nil || s.End >= last.End) {
			last = s
		}
	}
	if last != nil {
		want(last, answers)
	}
	for i := range steps {
		want(&steps[i], others)
	}
	return out
}

// ordinalsOf reads a list such as "0-31,33".
func ordinalsOf(text string) (out []int32) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		a, err := strconv.ParseInt(from, 10, 32)
		if err != nil {
			continue
		}
		b := a
		if isRange {
			if b, err = strconv.ParseInt(to, 10, 32); err != nil {
				continue
			}
		}
		for n := a; n <= b && len(out) < 10_000; n++ {
			out = append(out, int32(n))
		}
	}
	return out
}

// readTexts finds the question, the answer and what was read. The answer is what
// the root gave back, else what the last model said; evidence is what retrievals
// and tools returned.
func readTexts(t *evaluate.Texts, steps []activity.Step, at map[int32]*activity.Message) {
	said := func(s *activity.Step, field activity.ContentField, roles ...string) string {
		var out []string
		for k, ref := range s.Refs {
			if ref.Field != field || !activity.Said(s.Refs, k) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				if m := at[n]; m != nil {
					if text := textOfMessage(m, roles); text != "" {
						out = append(out, text)
					}
				}
			}
		}
		if len(roles) > 0 && len(out) > 1 {
			out = out[len(out)-1:] // the last word
		}
		return strings.Join(out, "\n")
	}
	var root, first, last *activity.Step
	left := textBytes
	for i := range steps {
		s := &steps[i]
		switch s.Kind {
		case activity.KindModel:
			if first == nil {
				first = s
			}
			if last == nil || s.End >= last.End {
				last = s
			}
		case activity.KindRetrieval, activity.KindTool, activity.KindMCP, activity.KindRerank:
			text := said(s, activity.ContentDocuments)
			if text == "" {
				text = said(s, activity.ContentResult)
			}
			if text == "" {
				text = said(s, activity.ContentOutput)
			}
			if text != "" && len(t.Documents) < textDocuments && left > 0 {
				text = text[:min(len(text), left)]
				left -= len(text)
				t.Documents = append(t.Documents, evaluate.Document{Step: s.Step.String(), Name: s.Name, Text: strings.ToValidUTF8(text, "")})
			}
		}
		if s.Parent == (activity.StepID{}) && s.Kind != activity.KindModel && (root == nil || s.Start < root.Start) {
			root = s
		}
	}
	for _, s := range []*activity.Step{root, last} {
		if s != nil && t.Answer == "" {
			t.Answer = said(s, activity.ContentOutput, "assistant", "")
		}
	}
	for _, s := range []*activity.Step{root, first} {
		if s != nil && t.Prompt == "" {
			t.Prompt = said(s, activity.ContentInput, "user", "")
		}
	}
}

// textOfMessage is a message's text, if it is of one of the roles; of any where
// none is given.
func textOfMessage(m *activity.Message, roles []string) string {
	parsed, err := genai.Parse(m.Format, m.Raw)
	if err != nil {
		if len(roles) > 0 {
			return ""
		}
		return string(m.Raw)
	}
	if len(roles) > 0 && parsed.Role != roles[0] && parsed.Role != roles[1] {
		return ""
	}
	var b strings.Builder
	for _, p := range parsed.Parts {
		text := p.Text
		if text == "" && (p.Type == genai.PartToolResult || p.Type == genai.PartDocument || p.Type == genai.PartJSON) {
			text = p.Data
		}
		if p.Type == genai.PartReasoning || text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(text)
	}
	return b.String()
}

// evaluateFigures gives what evaluators did.
func (p *parts) evaluateFigures(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	s := p.a.evaluations.Stats()
	for _, f := range []figure{
		{"reeve_evaluated_runs_total", "Runs that evaluators looked at.", counter, float64(s.Runs)},
		{"reeve_evaluations_total", "What they found.", counter, float64(s.Evaluations)},
		{"reeve_evaluations_dropped_total", "Runs that were not looked at: too many waited.", counter, float64(s.Dropped)},
		{"reeve_evaluations_failed_total", "Runs that could not be read, after several tries.", counter, float64(s.Failed)},
		{"reeve_evaluating_seconds_total", "Time that evaluators took.", counter, float64(s.Micros) / 1e6},
		{"reeve_evaluations_waiting", "Runs that wait for them.", gauge, float64(s.Waiting)},
		{"reeve_judge_answers_total", "Answers of judges.", counter, float64(s.Asked)},
		{"reeve_judge_unasked_total", "Questions that judges were not asked: refused, spent, or the model away.", counter, float64(s.Unasked)},
		{"reeve_judge_tokens_total", "Tokens that judges used.", counter, float64(s.Tokens)},
		{"reeve_judge_cost_usd_total", "What judges cost, as far as prices are known.", counter, float64(s.Nanos) / 1e9},
		{"reeve_judge_waiting", "Questions that wait for judges.", gauge, float64(s.Judging)},
	} {
		out <- f.metric()
	}
}
