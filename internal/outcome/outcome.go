// Package outcome decides how runs ended for their users: from what downstream
// systems, users, rules and judges say, and from what the run itself shows once
// its settling window has passed.
//
// What for: what an agent says of its own success is a claim. An order that was
// placed, a ticket that stayed closed for a week, a user who came back with the
// same question are evidence, and they come later than the run.
//
// Who calls it: api and intake hand in evidence (Report); app runs it; api asks
// why a run counts as it does (Explain). Package run writes what was decided on
// the run's row, where every question finds it.
//
// Promises: evidence is durable when Report returns, may come before its run or
// 30 days after it, in any order and twice; the result depends only on the set
// that came. Settling goes on where it was after a restart. A stronger kind of
// evidence is never overruled by a weaker one; of two equally strong ones the
// later holds. Runs of mode test are never settled. Safe for concurrent use.
//
// How it fails: Report answers outcome.invalid or the database's fault and has
// then kept nothing. While the store or the log refuses, settling waits and goes
// on; nothing is skipped.
//
// Start reading at Decide, then Book.Report and Book.Run.
package outcome

import (
	"cmp"
	"slices"
	"time"

	"reeve/internal/activity"
)

// Facts are what is known of a run when its outcome is decided.
type Facts struct {
	Run      *activity.Run
	Evidence []Evidence // about this run
	Reported string     // the outcome that the agent reported; "" none
	Settled  bool       // its window has passed
	ToPerson bool       // its last step is a person's: somebody took it over
	// Repeat says whether the same user came back with the same within the
	// window; only with Observed, which says whether that could be seen.
	Repeat, Observed bool
}

// Evidence is what was said of how a run ended.
type Evidence struct {
	activity.Evidence
	OurID    string
	Seq      int64
	Agent    string
	Person   string // who reported it
	Received time.Time
	// Unmatched says that its run was not found yet, also where it is named by id;
	// Look is when it is looked for next, zero: no more.
	Unmatched bool
	Look      time.Time
}

// Verdict is what was decided, and why.
type Verdict struct {
	Outcome string // "": nothing yet
	Basis   string // a kind of evidence, "agent" (its own word) or "run" (what the run shows)
	Why     string // in words
	By      *Evidence
}

// Bases of a verdict beside the kinds of evidence.
const (
	BasisAgent = "agent"
	BasisRun   = "run"
)

// labelled reports whether somebody who knows said it, at the time or later: what
// accuracy is counted from. Rules, judges, the agent's word and what a run shows are
// guesses.
func (v *Verdict) labelled() bool {
	return v.Basis == activity.EvidencePerson || v.Basis == activity.EvidenceEvent || v.Basis == activity.EvidenceFeedback
}

// Decide says how a run ended.
//
//	a person, an event, the user      at once, in this order; the later of a kind
//	a rule, a judge                   once settled
//	the agent's own word              once settled
//	what the run shows                once settled
//
// "resolved" becomes verified_resolved when an event, the user or a person says
// it, and implied_resolved else.
func Decide(f Facts) Verdict {
	if f.Run.Mode == "test" {
		return Verdict{}
	}
	if e := strongest(f.Evidence, f.Settled); e != nil {
		return Verdict{Outcome: rung(e), Basis: e.Kind, Why: words(e), By: e}
	}
	if !f.Settled {
		return Verdict{}
	}
	return f.shown()
}

// strongest is the evidence that counts; weak kinds count only once settled.
func strongest(all []Evidence, settled bool) *Evidence {
	kinds := activity.EvidenceKinds()
	var best *Evidence
	for i := range all {
		e := &all[i]
		if weak(e.Kind) && !settled {
			continue
		}
		if best == nil || cmp.Or(
			cmp.Compare(slices.Index(kinds, best.Kind), slices.Index(kinds, e.Kind)), // the smaller index is stronger
			cmp.Compare(e.At, best.At), cmp.Compare(e.Source, best.Source), cmp.Compare(e.OurID, best.OurID)) > 0 {
			best = e
		}
	}
	return best
}

func weak(kind string) bool { return kind == activity.EvidenceRule || kind == activity.EvidenceJudge }

// rung puts what evidence says on the ladder.
func rung(e *Evidence) string {
	switch e.Outcome {
	case activity.OutcomeResolved, activity.OutcomeVerified, activity.OutcomeImplied:
		if weak(e.Kind) {
			return activity.OutcomeImplied
		}
		return activity.OutcomeVerified
	}
	return e.Outcome
}

func words(e *Evidence) string {
	who := map[string]string{
		activity.EvidencePerson: "a person decided it", activity.EvidenceEvent: "a downstream system reported it",
		activity.EvidenceFeedback: "the user said so", activity.EvidenceRule: "a rule says so", activity.EvidenceJudge: "a model judged it so",
	}[e.Kind]
	if e.Source != "" {
		who += ": " + e.Source
	}
	if e.Text != "" {
		who += ", " + e.Text
	}
	return who
}

// shown is what the run itself shows once its window has passed.
func (f *Facts) shown() Verdict {
	r := f.Run
	say := func(outcome, basis, why string) Verdict { return Verdict{Outcome: outcome, Basis: basis, Why: why} }
	reported := f.Reported
	switch reported {
	case activity.OutcomeFailed, activity.OutcomeAbandoned, activity.OutcomeEscalated:
		return say(reported, BasisAgent, "the agent reported it")
	}
	switch {
	case f.ToPerson:
		return say(activity.OutcomeEscalated, BasisRun, "its last step is a person's: somebody took it over")
	case r.RootError && reported == "":
		return say(activity.OutcomeFailed, BasisRun, "its root ended in error and it reported no outcome")
	case r.Status == activity.RunStale && reported == "":
		return say(activity.OutcomeAbandoned, BasisRun, "no end of it came by its deadline")
	case f.Repeat:
		return say(activity.OutcomeDeflected, BasisRun, "no person was needed, but its user came back with the same")
	case reported == activity.OutcomeResolved || reported == activity.OutcomeImplied || reported == activity.OutcomeVerified:
		return say(activity.OutcomeImplied, BasisAgent, "the agent says it is resolved, and nothing contradicts it")
	case r.Mode == "autonomous" || r.Mode == "asynchronous":
		return say(activity.OutcomeContained, BasisRun, "it ended without a person")
	case !f.Observed:
		return say(activity.OutcomeDeflected, BasisRun, "no person was needed; whether its user came back cannot be seen, since it names none")
	}
	return say(activity.OutcomeContained, BasisRun, "no person was needed, and its user did not come back with the same")
}

// Over reports whether a run has ended.
func Over(r *activity.Run) bool {
	return r.Status == activity.RunDone || r.Status == activity.RunStale
}
