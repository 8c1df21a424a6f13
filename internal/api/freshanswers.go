package api

import (
	"context"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/kpi"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file says how fresh what runs read was when they read it: all runs of a period, and
// not the newest few, for the KPI and for readiness alike.

const (
	// mostReadings bounds the runs that are looked at one by one.
	mostReadings = 50_000
	// runsAtOnce is how many runs are read at a time by what goes through many.
	runsAtOnce = 1000
)

// Aged tells how old sources were.
type Aged interface {
	History(ctx context.Context, from, to time.Time) (*source.History, error)
}

func (a *API) aged() Aged {
	if a.o.Sources == nil {
		return nil
	}
	return a.o.Sources
}

// seenRuns lists runs, narrowed to what the asker may see.
func (a *API) seenRuns(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error) {
	seen := telemetry.Query{Table: "runs", Where: q.Filter}
	if err := a.restrict(ctx, &seen, search.ScopeRun, q.Filter); err != nil {
		return telemetry.RunsPage{}, err
	}
	q.Filter, q.Teams, q.Content = seen.Where, seen.Teams, seen.Content
	return a.o.Store.Runs(ctx, q)
}

// eachRun goes through the runs of a question, the newest first, until most of them were
// taken; more says that there are others.
func eachRun(ctx context.Context, list func(context.Context, telemetry.RunsQuery) (telemetry.RunsPage, error), q telemetry.RunsQuery, most int, take func(*activity.Run) bool) (n int, more bool, err error) {
	q.Limit = runsAtOnce
	for {
		page, err := list(ctx, q)
		if err != nil {
			return n, false, err
		}
		for i := range page.Runs {
			if n == most {
				return n, true, nil
			}
			if take(&page.Runs[i]) {
				n++
			}
		}
		if page.Next == "" || len(page.Runs) == 0 {
			return n, false, nil
		}
		q.Cursor = page.Next
	}
}

// every takes each run that eachRun shows.
func every(show func(*activity.Run)) func(*activity.Run) bool {
	return func(r *activity.Run) bool { show(r); return true }
}

// peopleRead are runs that read something and are no tests.
func peopleRead(where search.Expr) search.Expr {
	return search.Both(where, &search.Not{Of: search.Unknown("source")}, &search.Not{Of: search.Is("mode", "test")})
}

// How what a run read stood.
const (
	allFresh = iota
	someStale
	someUnknown // and none stale
)

// readingOf is how all that a run read stood, and each of its sources.
func readingOf(h *source.History, r *activity.Run, each func(name, state string)) int {
	out := allFresh
	at := time.Unix(0, r.Start).UTC()
	for _, name := range r.Sources {
		s, state := h.At(r.Team, name, at)
		if s != "" && each != nil {
			each(s, state)
		}
		switch state {
		case "stale":
			out = someStale
		case "unknown":
			if out == allFresh {
				out = someUnknown
			}
		}
	}
	return out
}

// readings looks up what all runs of the period that read something read, as it was then.
func (a *API) readings(ctx context.Context, where search.Expr, out *client.Readiness) error {
	reads := peopleRead(where)
	res, err := a.askLimited(ctx, telemetry.Query{Table: "runs", From: out.From, To: out.To, Where: reads})
	if err != nil {
		return err
	}
	if len(res.Rows) > 0 {
		out.Reading = newAnswers(res).count(res.Rows[0], "count")
	}
	h, err := a.o.Sources.History(ctx, out.From, out.To)
	if err != nil {
		return err
	}
	type tally struct{ runs, fresh, known int64 }
	of := map[string]*tally{}
	var fresh, known int64
	_, _, err = eachRun(ctx, a.seenRuns, telemetry.RunsQuery{Filter: reads, From: out.From, To: out.To}, mostReadings, every(func(r *activity.Run) {
		out.Looked++
		switch readingOf(h, r, func(name, state string) {
			t := of[name]
			if t == nil {
				t = &tally{}
				of[name] = t
			}
			t.runs++
			if state != "unknown" {
				t.known++
			}
			if state == "fresh" || state == "warn" {
				t.fresh++
			}
		}) {
		case allFresh:
			known, fresh = known+1, fresh+1
		case someStale:
			known++
		default:
			out.Unknown++
		}
	}))
	if err != nil {
		return err
	}
	out.AllFresh = source.Share(fresh, known)
	for i := range out.Sources {
		x := &out.Sources[i]
		if t := of[x.Source.Name]; t != nil {
			x.Runs, x.Fresh = t.runs, source.Share(t.fresh, t.known)
		}
	}
	return nil
}

// freshAnswers are the runs whose sources were all fresh, of those that read something of
// which that is known.
func (o Outside) freshAnswers(ctx context.Context, q *kpi.Question) ([]kpi.Cell, error) {
	if why := q.Unasked["runs"]; why != "" {
		return unknownCell(why), nil
	}
	group := func(*activity.Run) string { return "" }
	switch q.By {
	case "":
	case "agent":
		group = func(r *activity.Run) string { return r.Agent }
	case "version":
		group = func(r *activity.Run) string { return r.Version }
	case "team":
		group = func(r *activity.Run) string { return r.Team }
	case "environment":
		group = func(r *activity.Run) string { return r.Environment }
	case "task":
		group = func(r *activity.Run) string { return r.Task }
	default:
		return unknownCell("what runs read is not told apart by " + q.By), nil
	}
	h, err := o.Sources.History(ctx, q.From, q.To)
	if err != nil || !h.Any() {
		return nil, err
	}
	type tally struct{ fresh, known, all int64 }
	of := map[outsideKey]*tally{}
	_, more, err := eachRun(ctx, o.Runs, telemetry.RunsQuery{Filter: peopleRead(q.Where["runs"]), From: q.From, To: q.To}, mostReadings, every(func(r *activity.Run) {
		k := outsideKey{group: group(r)}
		if q.Bucket > 0 {
			k.at = r.Start / int64(q.Bucket) * int64(q.Bucket)
		}
		t := of[k]
		if t == nil {
			t = &tally{}
			of[k] = t
		}
		t.all++
		switch readingOf(h, r, nil) {
		case allFresh:
			t.fresh, t.known = t.fresh+1, t.known+1
		case someStale:
			t.known++
		}
	}))
	if err != nil {
		return nil, err
	}
	if more { // a part of them would be of the newest alone
		return unknownCell("more than 50,000 runs of the period read something: ask for a shorter one"), nil
	}
	var cells []kpi.Cell
	for k, t := range of {
		c := kpi.Cell{Group: k.group, Figure: kpi.ShareFigure(t.fresh, t.known)}
		if t.known == 0 {
			c.Why = "of nothing that was read is it known how old it was, or how old it may be"
		}
		share := float64(t.known) / float64(t.all)
		c.Coverage = &share
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		}
		cells = append(cells, c)
	}
	return cells, nil
}
