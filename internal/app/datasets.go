package app

import (
	"context"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/dataset"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/feedback"
)

// openDatasets opens the cases.
func (a *App) openDatasets(ctx context.Context) (err error) {
	a.datasets, err = dataset.New(ctx, dataset.Options{DB: a.control, Read: a.recorded, Redact: a.redactCase, Logger: a.log.With("part", "datasets")})
	return err
}

// redactCase cuts personal data and secrets out of a text. What content rules
// block cannot be kept in part.
func (a *App) redactCase(team, environment, text string) (string, []string, error) {
	plan, err := a.content.Redacting("", team, environment, commentClasses)
	if err != nil {
		return "", nil, err
	}
	out, found, err := plan.Request([]byte(text))
	var classes []string
	for _, f := range found {
		classes = append(classes, f.Class)
	}
	return string(out), classes, err
}

// recorded reads what a run said, as a case.
func (a *App) recorded(ctx context.Context, run string) (r dataset.Recorded, ok bool, err error) {
	id, err := activity.ParseRunID(run)
	if err != nil {
		return r, false, nil // no run has such an id
	}
	row, err := a.store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	r = dataset.Recorded{Agent: row.Agent, Version: row.Version, Team: row.Team, Environment: row.Environment, Task: row.Task, User: row.User}
	steps, at, err := textsOf{a}.said(ctx, id)
	if err != nil {
		return r, false, err
	}
	var t evaluate.Texts
	readTexts(&t, steps, at)
	r.Answer = t.Answer
	r.Input, r.Tools = conversationOf(steps, at)
	if len(r.Input) == 0 && t.Prompt != "" {
		r.Input = []dataset.Message{{Role: "user", Content: t.Prompt}}
	}
	return r, true, a.heard(ctx, row, &r)
}

// heard adds what users said of a run: the first complaint, and whether they agree
// to its use; who refuses once, refuses.
func (a *App) heard(ctx context.Context, row *activity.Run, r *dataset.Recorded) error {
	all, _, err := a.feedback.List(ctx, feedback.Filter{Run: row.ID.String(), Limit: 100})
	for i := range all {
		f := &all[i]
		if f.Verdict == feedback.Negative && !f.Removed && (r.Feedback == "" || f.At.Before(r.FeedbackAt)) {
			r.Feedback, r.FeedbackAt = f.ID, f.At
		}
		switch {
		case f.Consent == nil:
		case !*f.Consent:
			r.Consent = dataset.ConsentRefused
		case r.Consent == "":
			r.Consent = dataset.ConsentGiven
		}
	}
	return err
}

// conversationOf is what the last model was given, up to what its user said last.
// Tools is whether tools were called, whose results are not part of it.
func conversationOf(steps []activity.Step, at map[int32]*activity.Message) (out []dataset.Message, tools bool) {
	var last *activity.Step
	for i := range steps {
		s := &steps[i]
		switch s.Kind {
		case activity.KindTool, activity.KindMCP:
			tools = true
		case activity.KindModel:
			if last == nil || s.End >= last.End {
				last = s
			}
		}
	}
	if last == nil {
		return nil, tools
	}
	for _, field := range [...]activity.ContentField{activity.ContentSystem, activity.ContentInput} {
		for k, ref := range last.Refs {
			if ref.Field != field || !activity.Said(last.Refs, k) {
				continue
			}
			for _, n := range ordinalsOf(ref.Messages) {
				m := at[n]
				if m == nil {
					continue
				}
				for _, role := range [...]string{"system", "user", "assistant"} {
					text := textOfMessage(m, []string{role, role})
					if field == activity.ContentSystem && role == "system" && text == "" {
						text = textOfMessage(m, nil) // instructions apart have no role
					}
					if strings.TrimSpace(text) != "" {
						out = append(out, dataset.Message{Role: role, Content: text})
						break
					}
				}
			}
		}
	}
	end := len(out)
	for end > 0 && out[end-1].Role != "user" {
		end--
	}
	return out[:end], tools
}
