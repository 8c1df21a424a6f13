package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/rule"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// History is what is read of the past.
type History interface {
	Runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error)
	StepsPage(ctx context.Context, id activity.RunID, q telemetry.StepsQuery) (telemetry.StepsPage, error)
}

// Past is which part of it, and what of it the asker may see.
type Past struct {
	From, To time.Time
	Teams    []string // nil: all
	// Only is what of the teams' the asker may see; nil: all. TryQuery asks with it.
	Only search.Expr
	See  func(team, environment string) bool
}

// Trial is when a rule would have held.
type Trial struct {
	From, To, Oldest time.Time // Oldest: of the runs that were looked at
	Runs, Steps      int
	Whole            bool // false: there are older runs than those that were looked at
	Fired            int
	Agents           map[string]int
	Days             map[string]int // by date, UTC
	Findings         []finding.Finding
}

// Bounds of a trial: it answers a person who waits.
const (
	tryRuns     = 3_000
	trySteps    = 120_000
	tryOfRun    = 500
	tryShown    = 50
	tryPatience = 20 * time.Second
)

// ofDecisions are the words of rules that the door's decisions say: the steps that a
// trial replays do not.
var ofDecisions = []string{"refused", "hijack_score", "authenticated"}

// Try replays stored runs through a rule, in the order in which their steps
// ended, as if it had been on: the newest runs first until a bound is met. What a
// rule asks of decisions cannot be tried: it would never have held, which is not so.
func Try(ctx context.Context, h History, r *rule.Rule, p Past) (Trial, error) {
	if i := slices.IndexFunc(ofDecisions, r.Asks); i >= 0 {
		return Trial{}, fault.New(fault.KindInvalid, "rule.untriable", "%s is known from the door's decisions, which a trial does not replay: when this rule would have held is unknown", ofDecisions[i]).
			WithHint("try it without that word, or save it: its findings tell when it holds from now on")
	}
	t := Trial{From: p.From, To: p.To, Oldest: p.To, Whole: true, Agents: map[string]int{}, Days: map[string]int{}}
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	steps, runs, err := t.read(ctx, h, r, p)
	if err != nil {
		return t, err
	}
	sink := &collect{}
	var now time.Time
	w, err := New(Options{Findings: sink, Rules: func() []*rule.Rule { return []*rule.Rule{r} }, Now: func() time.Time { return now }})
	if err != nil {
		return t, err
	}
	w.only = true
	slices.SortFunc(steps, func(x, y activity.Step) int { return int(max(min(x.End-y.End, 1), -1)) })
	ends := map[activity.RunID]int{}
	for i := range steps {
		ends[steps[i].Run] = i
	}
	wr := telemetry.Write{Steps: make([]activity.Step, 1)}
	for i := range steps {
		wr.Steps[0], wr.Runs = steps[i], wr.Runs[:0]
		wr.Steps[0].Revision = 1
		if ends[steps[i].Run] == i {
			wr.Runs = append(wr.Runs, runs[steps[i].Run])
		}
		wr.Received = steps[i].End
		now = time.Unix(0, wr.Received)
		w.Observe(&wr)
		w.Drain(ctx)
	}
	t.Runs, t.Steps, t.Fired = len(runs), len(steps), len(sink.list)
	for _, f := range sink.list {
		t.Agents[f.Agent]++
		t.Days[f.First.Format("2006-01-02")]++
	}
	slices.Reverse(sink.list)
	t.Findings = sink.list[:min(len(sink.list), tryShown)]
	return t, nil
}

// read gets the steps of the runs that the rule may be about.
func (t *Trial) read(ctx context.Context, h History, r *rule.Rule, p Past) (steps []activity.Step, runs map[activity.RunID]activity.Run, err error) {
	runs = map[activity.RunID]activity.Run{}
	q := telemetry.RunsQuery{From: p.From, To: p.To, Teams: p.Teams, Limit: 500}
	for {
		page, err := h.Runs(ctx, q)
		if err != nil {
			return nil, nil, fmt.Errorf("reading runs: %w", err)
		}
		for i := range page.Runs {
			row := &page.Runs[i]
			if !p.See(row.Team, row.Environment) || !r.About(row.Agent, row.Team, row.Environment) && !slices.ContainsFunc(row.Agents, func(n string) bool { return r.About(n, row.Team, row.Environment) }) {
				continue
			}
			if len(runs) >= tryRuns || len(steps) >= trySteps || ctx.Err() != nil {
				t.Whole = false
				return steps, runs, nil
			}
			found, err := h.StepsPage(ctx, row.ID, telemetry.StepsQuery{Limit: tryOfRun})
			if err != nil {
				if ctx.Err() != nil {
					t.Whole = false
					return steps, runs, nil
				}
				return nil, nil, fmt.Errorf("reading the steps of %s: %w", row.ID, err)
			}
			end := *row
			end.Status = activity.RunDone
			runs[row.ID] = end
			steps = append(steps, found.Steps...)
			t.Whole = t.Whole && !found.More
			if at := time.Unix(0, row.Start).UTC(); at.Before(t.Oldest) {
				t.Oldest = at
			}
		}
		if page.Next == "" {
			return steps, runs, nil
		}
		q.Cursor = page.Next
	}
}

// collect keeps findings in memory.
type collect struct{ list []finding.Finding }

// See implements Findings.
func (c *collect) See(_ context.Context, f finding.Finding) (finding.Finding, bool, error) {
	f.First = time.Unix(0, f.Event).UTC()
	f.Last, f.Count, f.Lag = f.First, 1, 0
	c.list = append(c.list, f)
	return f, true, nil
}

// Learned implements Findings.
func (c *collect) Learned(string, string) finding.Learned { return finding.Learned{} }

// CatchUp learns from what was stored after the last position that was observed:
// what a crash took from memory, or with nothing learned the newest runs. It
// finds nothing: what is over needs no alarm. Call it before Observe.
func (w *Watch) CatchUp(ctx context.Context, h interface {
	History
	Cursor(ctx context.Context, partition int) (uint64, error)
}, partition int,
) error {
	cursor, err := h.Cursor(ctx, partition)
	if err != nil {
		return fmt.Errorf("asking how far the store is: %w", err)
	}
	from := w.mark[partition]
	if cursor <= from.Cursor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, catchTime)
	defer cancel()
	steps, runs, err := w.missed(ctx, h, from.Received)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading what was not observed: %w", err)
	}
	w.mute = true
	slices.SortFunc(steps, func(x, y activity.Step) int { return int(max(min(x.Received-y.Received, 1), -1)) })
	for len(steps) > 0 {
		n := min(len(steps), 500)
		w.Observe(&telemetry.Write{Partition: partition, Steps: steps[:n], Received: steps[n-1].Received})
		steps = steps[n:]
	}
	w.Observe(&telemetry.Write{Partition: partition, Runs: runs, Cursor: cursor})
	w.mute = false
	w.o.Logger.Info("caught up with behaviour that was not observed", "runs", len(runs))
	return nil
}

// Bounds of catching up: a start does not wait for it.
const (
	catchRuns  = 3_000
	catchSteps = 60_000
	catchTime  = 8 * time.Second
)

func (w *Watch) missed(ctx context.Context, h History, after int64) (steps []activity.Step, runs []activity.Run, err error) {
	q := telemetry.RunsQuery{Sort: "updated", Limit: 500}
	for {
		page, err := h.Runs(ctx, q)
		if err != nil {
			return steps, runs, err
		}
		for i := range page.Runs {
			row := &page.Runs[i]
			if row.Updated <= after || len(runs) >= catchRuns || len(steps) >= catchSteps {
				return steps, runs, nil
			}
			found, err := h.StepsPage(ctx, row.ID, telemetry.StepsQuery{Limit: tryOfRun})
			if err != nil {
				return steps, runs, err
			}
			for _, s := range found.Steps {
				if s.Received > after {
					s.Revision = 1
					steps = append(steps, s)
				}
			}
			runs = append(runs, *row)
		}
		if page.Next == "" {
			return steps, runs, nil
		}
		q.Cursor = page.Next
	}
}
