package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/identity"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/topic"
)

// This file says what is asked that what agents read has no answer to.

// mostCovered bounds the runs of a period whose topics are looked at one by one.
const mostCovered = 50_000

// lostOutcomes are those of runs that did not answer what was asked; a run that ended in
// error and reported none is one too.
var lostOutcomes = []string{"failed", "escalated", "abandoned", "deflected"}

func lostRuns() search.Expr {
	return search.Either(search.Is("outcome", lostOutcomes...), search.Both(search.Unknown("outcome"), search.Is("failed", "true")))
}

func people(where search.Expr) search.Expr {
	return search.Both(where, &search.Not{Of: search.Is("mode", "test")})
}

// demand counts what was asked about one thing.
type demand struct{ runs, supported, told, lost int64 }

func (t *demand) add(r *activity.Run) {
	t.runs++
	switch {
	case slices.Contains([]string{"resolved", "verified_resolved", "implied_resolved", "contained"}, r.Outcome):
		t.told++
		// A run that read nothing was answered from what the model knows: that is no support.
		if len(r.Sources) > 0 {
			t.supported++
		}
	case slices.Contains(lostOutcomes, r.Outcome), r.Outcome == "" && r.RootError:
		t.told++
		t.lost++
	}
}

// coverage is what was asked about, and how often it was answered by a run that had read
// something: by topic where Topics knows the run, else by the task that its agent names.
// Where there are more runs than are looked at one by one it is by task alone.
func (a *API) coverage(ctx context.Context, where search.Expr, req *client.ReadinessRequest, out *client.Readiness) error {
	abouts, titles, ok, err := a.abouts(ctx, req.Team, req.Environment, out.From, out.To)
	if err != nil {
		return err
	}
	if !ok {
		return a.taskCoverage(ctx, where, out)
	}
	topics, tasks := map[string]*demand{}, map[string]*demand{}
	add := func(in map[string]*demand, name string, r *activity.Run) {
		t := in[name]
		if t == nil {
			t = &demand{}
			in[name] = t
		}
		t.add(r)
	}
	var grouped, all int64
	_, more, err := eachRun(ctx, a.seenRuns, telemetry.RunsQuery{Filter: people(where), From: out.From, To: out.To}, mostCovered, every(func(r *activity.Run) {
		all++
		if id := abouts[r.ID.String()]; id != "" {
			grouped++
			add(topics, id, r)
			return
		}
		add(tasks, r.Task, r)
	}))
	if err != nil {
		return err
	}
	if more {
		return a.taskCoverage(ctx, where, out)
	}
	if grouped > 0 && 2*grouped >= all {
		out.Grouped = "topic"
	}
	put := func(x client.TopicCoverage, t *demand, which search.Expr) {
		x.Asked, x.Supported, x.Backlog = t.runs, source.Share(t.supported, t.told), t.lost
		x.Records = search.Both(people(where), which, lostRuns()).String()
		out.Topics = append(out.Topics, x)
	}
	for id, t := range topics {
		put(client.TopicCoverage{Topic: titles[id], ID: id, By: "topic"}, t, search.Is("topic", id))
	}
	for task, t := range tasks {
		which := search.Expr(search.Unknown("task"))
		if task != "" {
			which = search.Is("task", task)
		}
		if grouped > 0 { // the rest of the task's runs stand with their topics
			which = search.Both(which, search.Unknown("topic"))
		}
		put(client.TopicCoverage{Topic: task, By: "task"}, t, which)
	}
	weigh(out)
	return nil
}

// weigh adds coverage up by demand, and puts the largest backlog first.
func weigh(out *client.Readiness) {
	weight, sum := 0.0, 0.0
	for i := range out.Topics {
		if x := &out.Topics[i]; x.Supported != nil {
			weight += float64(x.Asked)
			sum += float64(x.Asked) * x.Supported.Value
		}
	}
	if weight > 0 {
		v := sum / weight
		out.Coverage = &v
	}
	slices.SortStableFunc(out.Topics, func(x, y client.TopicCoverage) int {
		return cmp.Or(cmp.Compare(y.Backlog, x.Backlog), cmp.Compare(y.Asked, x.Asked), strings.Compare(x.Topic, y.Topic), strings.Compare(x.ID, y.ID))
	})
	out.Topics = out.Topics[:min(len(out.Topics), 200)]
}

// abouts are the topics of the runs of a period with what each topic is called; ok is
// false where there are more than are looked at.
func (a *API) abouts(ctx context.Context, team, environment string, from, to time.Time) (of, titles map[string]string, ok bool, err error) {
	book := a.o.Topics.Topics
	if book == nil {
		return nil, nil, true, nil
	}
	// A run counts there by its end, and here by its start.
	f := topic.Filter{Team: team, Environment: environment, From: from, To: to.Add(24 * time.Hour), Visible: topicPlaces(whoOf(ctx))}
	if f.To.Sub(f.From) > topicMost {
		f.From = f.To.Add(-topicMost) // nothing older is kept
	}
	if of, ok, err = book.Abouts(ctx, f, mostCovered); err != nil || !ok {
		return nil, nil, false, err
	}
	all, err := book.Topics(ctx, f.Visible)
	if err != nil {
		return nil, nil, false, err
	}
	titles = map[string]string{}
	for run, id := range of {
		id = finalTopic(all, id)
		t, known := all[id]
		if !known {
			delete(of, run)
			continue
		}
		of[run], titles[id] = id, t.Title()
	}
	return of, titles, true, nil
}

// taskCoverage is coverage by the task that agents name, added up by the store.
func (a *API) taskCoverage(ctx context.Context, where search.Expr, out *client.Readiness) error {
	out.Topics, out.Grouped = []client.TopicCoverage{}, "task"
	resolved := search.Is("outcome", "resolved", "verified_resolved", "implied_resolved", "contained")
	read := &search.Not{Of: search.Unknown("source")}
	res, err := a.askLimited(ctx, telemetry.Query{
		Table: "runs", From: out.From, To: out.To, GroupBy: []string{"task"}, Where: people(where), OrderBy: "-asked",
		Select: []telemetry.Measure{
			{Func: "count", As: "asked"},
			{Func: "count", As: "supported", Where: search.Both(resolved, read)},
			{Func: "count", As: "told", Where: search.Either(resolved, lostRuns())},
			{Func: "count", As: "lost", Where: lostRuns()},
		},
	})
	if err != nil {
		return err
	}
	t := newAnswers(res)
	for _, row := range t.rows {
		x := client.TopicCoverage{Topic: t.text(row, "task"), By: "task", Asked: t.count(row, "asked"), Supported: source.Share(t.count(row, "supported"), t.count(row, "told")), Backlog: t.count(row, "lost")}
		task := search.Expr(search.Unknown("task"))
		if x.Topic != "" {
			task = search.Is("task", x.Topic)
		}
		x.Records = search.Both(people(where), task, lostRuns()).String()
		out.Topics = append(out.Topics, x)
	}
	weigh(out)
	return nil
}

// listUnanswered lists what was asked in runs that did not answer it. Whose words the asker
// may not read has none, and says so.
func listUnanswered(a *API, ctx context.Context, req *client.ListUnansweredRequest) (*client.List[client.UnansweredQuestion], error) {
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = a.o.Now().UTC()
	}
	if from.IsZero() {
		from = to.Add(-topicPeriod)
	}
	where := search.Both(people(nil), lostRuns())
	for name, v := range map[string]string{"team": req.Team, "environment": req.Environment, "task": req.Task} {
		switch {
		case name == "task" && v == "unknown": // as searches have it
			where = search.Both(where, search.Unknown("task"))
		case v != "":
			where = search.Both(where, search.Is(name, v))
		}
	}
	if req.Topic != "" {
		which, err := a.whichTopic(ctx, req.Topic, from, to)
		if err != nil {
			return nil, err
		}
		where = search.Both(where, which)
	}
	page, err := a.seenRuns(ctx, telemetry.RunsQuery{Filter: where, From: from, To: to, Limit: min(orDefault(req.Limit, 20), 100), Cursor: req.Cursor})
	if err != nil {
		return nil, err
	}
	abouts, titles, _, err := a.abouts(ctx, req.Team, req.Environment, from, to)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.UnansweredQuestion]{Items: []client.UnansweredQuestion{}, Next: page.Next}
	who := whoOf(ctx)
	for i := range page.Runs {
		r := &page.Runs[i]
		id := abouts[r.ID.String()]
		x := client.UnansweredQuestion{Run: r.ID.String(), At: time.Unix(0, r.Start).UTC(), Agent: r.Agent, Topic: titles[id], TopicID: id, Task: r.Task, Outcome: cmp.Or(r.Outcome, "failed"), Sources: list(r.Sources)}
		x.Hidden = !who.Can(identity.Reader, r.Team, r.Environment)
		if !x.Hidden && a.o.Topics.Asked != nil {
			texts, _, err := a.o.Topics.Asked.Asked(ctx, r.ID)
			if err != nil {
				return nil, err
			}
			if len(texts) > 0 {
				x.Text = clip(texts[len(texts)-1], 400)
			}
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}

// whichTopic is the search for a topic's runs by its id; none: for those of none.
func (a *API) whichTopic(ctx context.Context, id string, from, to time.Time) (search.Expr, error) {
	c := search.Is("topic", id)
	if id == "none" {
		c = search.Unknown("topic")
	}
	return a.runsAbout(ctx, c, from, to)
}
