package watch

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/rule"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Store answers the questions of rules.
type Store interface {
	Query(ctx context.Context, q telemetry.Query) (*telemetry.Result, error)
}

// Asker asks the store what rules of scope query are about, each once in a part of
// its window, and tells what holds.
type Asker struct {
	Store    Store
	KPIs     KPIs // answers rules about a KPI
	Findings Findings
	Rules    func() []*rule.Rule
	Logger   *slog.Logger
	Now      func() time.Time

	asking sync.Mutex           // one round at a time; guards what follows
	due    map[string]time.Time // by rule and revision
	rest   map[string]time.Time // by rule and agent
	bad    map[string]struct{}  // rules whose failure was logged
}

const (
	askEvery = 30 * time.Second
	askMost  = 10 * time.Minute
	askTime  = 10 * time.Second

	maxResting = 50_000
)

// Run asks until ctx ends, whose cause it returns. What was told before a restart is
// told again as the same finding.
func (a *Asker) Run(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		a.Ask(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Ask asks each rule that is due.
func (a *Asker) Ask(ctx context.Context) {
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.due == nil {
		a.due, a.rest, a.bad = map[string]time.Time{}, map[string]time.Time{}, map[string]struct{}{}
	}
	now := a.Now()
	for k, till := range a.rest {
		if now.After(till) {
			delete(a.rest, k)
		}
	}
	if len(a.rest) > maxResting { // names come from senders: then some are told again
		clear(a.rest)
	}
	rules := slices.Clone(a.Rules())
	key := func(r *rule.Rule) string { return fmt.Sprintf("%s %d", r.Name, r.Revision) }
	slices.SortStableFunc(rules, func(x, y *rule.Rule) int { return a.due[key(x)].Compare(a.due[key(y)]) }) // the longest unasked first
	for _, r := range rules {
		if r.Scope != rule.OfQuery || ctx.Err() != nil {
			continue
		}
		key := key(r)
		if now.Before(a.due[key]) {
			continue
		}
		a.due[key] = now.Add(min(max(r.Window/20, askEvery), askMost))
		if err := a.ask(ctx, r, now); err != nil && ctx.Err() == nil {
			r.Failed() // the rule's list says that it could not be asked
			if _, told := a.bad[key]; !told {
				a.bad[key] = struct{}{}
				a.Logger.Warn("a rule could not be asked of the store and is again", "rule", r.Name, "err", err)
			}
		}
	}
	if len(a.due) > 1000 { // of rules that were changed since
		clear(a.due)
		clear(a.bad)
	}
}

// Window is a time that a rule is asked about, within what somebody may see.
type Window struct {
	From, To time.Time
	Bucket   time.Duration // 0: as one
	Teams    []string      // nil: all
	Only     search.Expr   // nil: all of theirs
}

// KPIs computes the KPI that a rule is about.
type KPIs func(ctx context.Context, r *rule.Rule, w Window) ([]rule.Row, error)

// TooMany refuses an answer of which a part would be missing: that a rule did not hold
// there would be a guess.
func TooMany() error {
	return fault.New(fault.KindInvalid, "rule.too_many_figures", "that is more figures than can be looked at in one go").WithHint("take a longer window, fewer days or agents, or ask of all together")
}

// rowsOf asks what a rule of scope query is about.
func rowsOf(ctx context.Context, s Store, k KPIs, r *rule.Rule, w Window) ([]rule.Row, error) {
	if r.Query != nil && r.Query.KPI != "" {
		if k == nil {
			return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server computes no KPIs")
		}
		return k(ctx, r, w)
	}
	q, err := r.Ask(w.From, w.To, w.Bucket)
	if err != nil {
		return nil, err
	}
	if q.Teams == nil {
		q.Teams = w.Teams
	}
	q.Where = search.Both(q.Where, w.Only)
	res, err := s.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	if res.Cut {
		return nil, TooMany()
	}
	return r.Rows(res), nil
}

func (a *Asker) ask(ctx context.Context, r *rule.Rule, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	rows, err := rowsOf(ctx, a.Store, a.KPIs, r, Window{From: now.Add(-r.Window), To: now})
	if err != nil {
		return err
	}
	for _, row := range rows {
		m := row.Measures(r.Window)
		key := r.Name + "\x00" + row.Team + "\x00" + row.Agent
		if !r.Holds(&m) || now.Before(a.rest[key]) {
			continue
		}
		a.rest[key] = now.Add(r.Rest)
		f := foundByQuery(r, &row)
		f.Event = now.UnixNano()
		if _, _, err := a.Findings.See(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// foundByQuery is the finding of a row of which a rule holds. Its figures are
// telemetry's, so the agent is claimed.
func foundByQuery(r *rule.Rule, row *rule.Row) finding.Finding {
	f := finding.Finding{
		Detector: r.Detector(), Severity: r.Severity, Team: row.Team, Environment: row.Environment, Agent: row.Agent, Text: r.Text, Measure: "rule",
		Expected: "not: " + r.When, Seen: fmt.Sprintf("value %s of %d records in %s", short(row.Value), row.Records, r.Window), Why: fmt.Sprintf("rule %s, revision %d", r.Name, r.Revision),
	}
	if r.Query != nil && r.Query.KPI != "" && row.Low < row.High && !math.IsInf(row.Low, 0) {
		f.Seen += fmt.Sprintf(", 95 %% interval %s to %s", short(row.Low), short(row.High))
	}
	if f.Team == "" {
		f.Team = r.Team
	}
	if f.Text == "" {
		f.Text = "the rule " + r.Name + " holds"
	}
	return f
}

// TryQuery tells when a rule of scope query would have held: one question to the
// store in buckets of the rule's window, so a window counts from its begin and not
// from each minute.
func TryQuery(ctx context.Context, s Store, k KPIs, r *rule.Rule, p Past) (Trial, error) {
	t := Trial{From: p.From, To: p.To, Oldest: p.To, Whole: true, Agents: map[string]int{}, Days: map[string]int{}}
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	bucket := r.Window
	if least := p.To.Sub(p.From) / maxTried; bucket < least {
		bucket = least.Truncate(time.Minute) + time.Minute
	}
	rows, err := rowsOf(ctx, s, k, r, Window{From: p.From, To: p.To, Bucket: bucket, Teams: p.Teams, Only: p.Only})
	if err != nil {
		return t, err
	}
	slices.SortStableFunc(rows, func(x, y rule.Row) int { return x.At.Compare(y.At) })
	rest := map[string]time.Time{}
	for i := range rows {
		row := &rows[i]
		if row.Agent != "" && p.See != nil && !p.See(row.Team, row.Environment) {
			continue
		}
		t.Runs += int(row.Records)
		if row.Records > 0 && row.At.Before(t.Oldest) {
			t.Oldest = row.At
		}
		m := row.Measures(r.Window)
		key := row.Team + "\x00" + row.Agent
		if !r.Holds(&m) || row.At.Before(rest[key]) {
			continue
		}
		rest[key] = row.At.Add(max(r.Rest, bucket))
		f := foundByQuery(r, row)
		f.First, f.Last, f.Count = row.At, row.At, 1
		t.Fired++
		t.Agents[row.Agent]++
		t.Days[row.At.Format("2006-01-02")]++
		t.Findings = append(t.Findings, f)
	}
	slices.Reverse(t.Findings)
	t.Findings = t.Findings[:min(len(t.Findings), tryShown)]
	return t, nil
}

// maxTried bounds the windows of a trial.
const maxTried = 2000
