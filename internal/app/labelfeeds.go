package app

import (
	"context"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/feedback"
)

// What users say and what judges find is evidence of how a run ended. Both are
// read by the number of their last change, so that a word that is changed or
// taken back is changed or taken back here too.

const (
	feedEvery = 3 * time.Second
	feedBatch = 500
)

// feedOutcomes reads feedback and evaluations for evidence until ctx ends.
func (a *App) feedOutcomes(ctx context.Context) error {
	t := time.NewTicker(feedEvery)
	defer t.Stop()
	for {
		for _, feed := range []func(context.Context) error{a.feedFeedback, a.feedEvaluations} {
			if err := feed(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("what was said of runs is not evidence yet", "err", err) // it is read again from where it was
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

func (a *App) feedFeedback(ctx context.Context) error {
	return follow(ctx, a, "feedback", a.feedback.After, func(f *feedback.Feedback) int64 { return f.Seq }, func(f *feedback.Feedback) (activity.Evidence, bool, bool) {
		id, err := activity.ParseRunID(f.Run)
		if err != nil { // it waits for its run, and comes again when it has it
			return activity.Evidence{}, false, false
		}
		outcome, said := saidOutcome(f)
		e := activity.Evidence{Kind: activity.EvidenceFeedback, Source: "feedback", ID: f.ID, Team: f.Team, Environment: f.Environment, Run: id, Outcome: outcome, At: f.At.UnixNano(), Text: string(f.Kind)}
		if f.Giver == feedback.System {
			e.Kind, e.Source = activity.EvidenceJudge, "feedback:"+f.Source
			said = said && outcomeScore(f)
		}
		return e, !said, true
	})
}

// saidOutcome is the outcome that a feedback says; false where it says none.
func saidOutcome(f *feedback.Feedback) (string, bool) {
	switch {
	case f.Removed || f.Kind == feedback.Comment || f.Kind == feedback.Label:
	case f.Verdict == feedback.Positive:
		return activity.OutcomeResolved, true
	case f.Verdict == feedback.Negative:
		return activity.OutcomeFailed, true
	}
	return activity.OutcomeFailed, false
}

// outcomeEvaluator reports whether an evaluator judges how a run ended, and not
// one side of it: its name says so.
func outcomeEvaluator(name string) bool {
	return name == "outcome" || strings.HasPrefix(name, "outcome-")
}

// outcomeScore reports whether what another system says of a run is how it ended:
// the sender calls it so (kind done), or its name is one of an evaluator of
// outcomes, in whatever way the sender writes names. A toxicity of 0.02 says
// nothing of success.
func outcomeScore(f *feedback.Feedback) bool {
	return f.Kind == feedback.Done || outcomeEvaluator(nameOfScore.Replace(strings.ToLower(f.Name)))
}

var nameOfScore = strings.NewReplacer("_", "-", ".", "-", " ", "-")

func (a *App) feedEvaluations(ctx context.Context) error {
	return follow(ctx, a, "evaluations", a.evaluations.After, func(e *evaluate.Evaluation) int64 { return e.Seq }, func(x *evaluate.Evaluation) (activity.Evidence, bool, bool) {
		id, err := activity.ParseRunID(x.Run)
		if err != nil || !outcomeEvaluator(x.Evaluator) {
			return activity.Evidence{}, false, false
		}
		e := activity.Evidence{Kind: activity.EvidenceJudge, Source: x.Evaluator, ID: x.Run, Team: x.Team, Environment: x.Environment, Run: id, Outcome: activity.OutcomeFailed, At: x.At.UnixNano(), Text: x.Kind}
		if x.Source == evaluate.Human {
			// A person's word is not the judge's restated, nor another person's: each
			// label has its own id.
			e.Kind, e.Source, e.ID = activity.EvidencePerson, x.Evaluator+":people", x.ID
		}
		if x.Verdict == evaluate.Pass {
			e.Outcome = activity.OutcomeResolved
		}
		return e, x.Verdict != evaluate.Pass && x.Verdict != evaluate.Fail, true
	})
}

// follow hands what is new of a feed on as evidence; read says what an entry is,
// whether it takes back what was said, and whether it is anything.
func follow[T any](ctx context.Context, a *App, feed string, after func(ctx context.Context, seq int64, limit int) ([]T, error), number func(*T) int64, read func(*T) (e activity.Evidence, back, is bool)) error {
	seq, err := a.outcomes.Follow(ctx, feed)
	if err != nil {
		return err
	}
	for {
		list, err := after(ctx, seq, feedBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if e, back, is := read(&list[i]); is {
				switch err := a.outcomes.Restate(ctx, e, back); {
				case fault.Is(err, fault.KindInvalid): // it would be refused for ever, and hold up all behind it
					a.log.Warn("what was said of a run is no evidence", "run", e.Run.String(), "err", err)
				case err != nil:
					return err
				}
			}
			seq = number(&list[i])
		}
		if err := a.outcomes.Followed(ctx, feed, seq); err != nil {
			return err
		}
		if len(list) < feedBatch {
			return nil
		}
	}
}
