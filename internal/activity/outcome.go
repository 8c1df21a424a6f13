package activity

// How a run ended for its user. The first four are a ladder: each says what the
// one before it says and something more.
//
//	deflected          it ended, and no person was needed in it
//	contained          and its user did not come back with the same within the settling window
//	implied_resolved   and something indirect says that the task is done: the agent, a rule, a judge
//	verified_resolved  a downstream system, or the user, said so
//
// OutcomeResolved is what an agent reports of itself; once it is settled it is one
// of the others. "" is unknown.
const (
	OutcomeResolved  = "resolved"
	OutcomeDeflected = "deflected"
	OutcomeContained = "contained"
	OutcomeImplied   = "implied_resolved"
	OutcomeVerified  = "verified_resolved"
	OutcomeEscalated = "escalated"
	OutcomeAbandoned = "abandoned"
	OutcomeFailed    = "failed"
)

// Outcomes lists them.
func Outcomes() []string {
	return []string{
		OutcomeResolved, OutcomeVerified, OutcomeImplied, OutcomeContained, OutcomeDeflected,
		OutcomeEscalated, OutcomeAbandoned, OutcomeFailed,
	}
}

// Kinds of evidence about an outcome, strongest first: what a stronger one says
// holds, whatever weaker ones say and whenever they say it.
const (
	EvidencePerson   = "person"   // somebody who may decide it decided it
	EvidenceEvent    = "event"    // a downstream system: an order was placed, a ticket stayed closed
	EvidenceFeedback = "feedback" // the user said so
	EvidenceRule     = "rule"     // a condition over the run that a person wrote
	EvidenceJudge    = "judge"    // a model's opinion
)

// EvidenceKinds lists them, strongest first.
func EvidenceKinds() []string {
	return []string{EvidencePerson, EvidenceEvent, EvidenceFeedback, EvidenceRule, EvidenceJudge}
}

// Evidence is what somebody says of how a run ended. It names the run by exactly
// one of Run, Session and Key; the run may arrive after it.
type Evidence struct {
	Kind        string
	Source      string // who: the event's name, the judge's, the rule's; a short word
	ID          string // of the sender's; the same source and id say it once
	Team        string
	Environment string
	Run         RunID
	Session     string // the last run of this session that began before At
	Key         string // a label join_key, or any label's value, of the run
	Outcome     string // one of Outcomes: what is said
	At          int64  // ns: when it happened
	Text        string // in words, a line; may be ""
}
