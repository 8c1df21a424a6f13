package outcome

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Limits of a trial: each run is explained from its evidence and steps.
const (
	tryRuns  = 300
	tryShown = 20
)

// Past is what a rule is tried on: runs that began in a time, within what the
// asker may see.
type Past struct {
	From, To time.Time
	Teams    []string    // nil: every team
	Only     search.Expr // nil: all
}

// Trial is what a rule would have said of runs that are there.
type Trial struct {
	Past
	Whole    bool // false: it finds more; the newest were looked at
	Found    int  // runs that it finds, and were looked at
	Decides  int  // of them, those whose outcome would be by its word
	Changes  int  // of those, the ones that would then end otherwise
	Stronger int  // where stronger evidence, or the later of equally strong, stands
	Waits    int  // not settled yet: its word would count once they are
	Late     int  // that go on and are late by it now
	Runs     []TrialRun
}

// TrialRun is one run of a trial.
type TrialRun struct {
	Run       *activity.Run
	Now, Then string // "": nothing yet
	Why       string // then
	Late      string // in words; "" it is not
}

// Try says what a rule would say of runs of the past; nothing is kept. A rule of
// the same name in force does not count beside it: it is the one that it becomes.
func (b *Book) Try(ctx context.Context, r Rule, past Past) (Trial, error) {
	r.Name = cmp.Or(r.Name, "trial")
	t := Trial{Past: past, Runs: []TrialRun{}}
	if err := r.compile(); err != nil {
		return t, err
	}
	where := []search.Expr{r.where, &search.Not{Of: search.Is("mode", "test")}, past.Only}
	if r.Team != "" {
		where = append(where, search.Is("team", r.Team))
	}
	if r.Environment != "" {
		where = append(where, search.Is("environment", r.Environment))
	}
	page, err := b.o.Store.Runs(ctx, telemetry.RunsQuery{Filter: search.Both(where...), From: past.From, To: past.To, Teams: past.Teams, Limit: tryRuns})
	if err != nil {
		return t, err
	}
	t.Whole, t.Found = page.Next == "", len(page.Runs)
	facts, err := b.facts(ctx, page.Runs)
	if err != nil {
		return t, err
	}
	now := b.o.Now()
	for i := range facts {
		one, err := b.try(ctx, &r, &facts[i], now, &t)
		if err != nil {
			return t, fmt.Errorf("trying a rule on run %s: %w", facts[i].Run.ID, err)
		}
		// Those of which it changes something are what one wants to see.
		if one.Late != "" || one.Now != one.Then {
			t.Runs = append(t.Runs, one)
		}
	}
	t.Runs = t.Runs[:min(len(t.Runs), tryShown)]
	return t, nil
}

// try asks a rule about a run that it finds, and counts.
func (b *Book) try(ctx context.Context, r *Rule, f *Facts, now time.Time, t *Trial) (TrialRun, error) {
	one := TrialRun{Run: f.Run, Now: Decide(*f).Outcome}
	if !Over(f.Run) {
		l, late, err := b.late(ctx, r, f.Run, now)
		if err != nil {
			return one, err
		}
		if late {
			one.Late = l.Text
			t.Late++
		}
	}
	if r.Outcome == "" {
		one.Then = one.Now
		return one, nil
	}
	with := *f
	with.Evidence = nil
	for _, e := range f.Evidence {
		if e.Kind != activity.EvidenceRule || e.Source != r.Name {
			with.Evidence = append(with.Evidence, e)
		}
	}
	with.Evidence = append(with.Evidence, Evidence{Evidence: activity.Evidence{Kind: activity.EvidenceRule, Source: r.Name, Outcome: r.Outcome, Run: f.Run.ID, At: ended(f.Run), Text: r.Text}})
	v := Decide(with)
	one.Then, one.Why = v.Outcome, v.Why
	switch {
	case v.By != nil && v.By.Kind == activity.EvidenceRule && v.By.Source == r.Name:
		t.Decides++
		if one.Now != one.Then {
			t.Changes++
		}
	case !f.Settled && v.Outcome == "":
		t.Waits++
	default:
		t.Stronger++
	}
	return one, nil
}
