package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/feedback"
	"reeve/internal/kpi"
	"reeve/internal/topic"
)

// OutsideKPIs computes the KPIs whose records are not in the store of activity:
// satisfaction of feedback, frustration of topics. see says what the asker may see;
// a nil book knows nothing.
func OutsideKPIs(topics *topic.Book, said *feedback.Book, scope *client.KPIScope, see func(context.Context) ([]topic.Place, []feedback.Place)) func(context.Context, string, *kpi.Question) ([]kpi.Cell, bool, error) {
	return func(ctx context.Context, id string, q *kpi.Question) ([]kpi.Cell, bool, error) {
		moods, words := see(ctx)
		switch {
		case id != "frustration_rate" && id != "csat":
			return nil, false, nil
		case scope.Task != "":
			return []kpi.Cell{{Figure: kpi.Figure{Why: "sessions and feedback know no task"}}}, true, nil
		case id == "frustration_rate" && topics != nil:
			return frustration(ctx, topics, topic.Filter{Team: scope.Team, Environment: scope.Environment, Agent: scope.Agent, Version: scope.Version, From: q.From, To: q.To, Visible: moods}, q)
		case id == "csat" && said != nil:
			return satisfaction(ctx, said, feedback.Filter{Team: scope.Team, Environment: scope.Environment, Agent: scope.Agent, Version: scope.Version, From: q.From, To: q.To, Visible: words}, q)
		}
		return nil, false, nil
	}
}

func frustration(ctx context.Context, book *topic.Book, f topic.Filter, q *kpi.Question) (cells []kpi.Cell, known bool, err error) {
	all, ok, err := book.Frustrations(ctx, f, q.By, q.Bucket)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		return []kpi.Cell{{Figure: kpi.Figure{Why: "sessions know no " + q.By}}}, true, nil
	}
	for _, x := range all {
		cells = append(cells, kpi.Cell{At: x.At, Group: x.Group, Figure: kpi.ShareFigure(x.Frustrated, x.Sessions)})
	}
	return byRecords(cells, q.Bucket), true, nil
}

func satisfaction(ctx context.Context, book *feedback.Book, f feedback.Filter, q *kpi.Question) (cells []kpi.Cell, known bool, err error) {
	if q.Bucket > 0 {
		if q.By != "" {
			return []kpi.Cell{{Figure: kpi.Figure{Why: "satisfaction over time is not split"}}}, true, nil
		}
		all, err := book.Series(ctx, f, q.Bucket)
		for _, x := range all {
			cells = append(cells, kpi.Cell{At: x.At, Figure: kpi.ShareFigure(x.Positive, x.Positive+x.Neutral+x.Negative)})
		}
		return cells, true, err
	}
	group, ok := map[string]func(*feedback.Count) string{
		"": func(*feedback.Count) string { return "" }, "agent": func(c *feedback.Count) string { return c.Agent }, "version": func(c *feedback.Count) string { return c.Version },
		"team": func(c *feedback.Count) string { return c.Team }, "environment": func(c *feedback.Count) string { return c.Environment },
	}[q.By]
	if !ok {
		return []kpi.Cell{{Figure: kpi.Figure{Why: "feedback knows no " + q.By}}}, true, nil
	}
	counts, err := book.Counts(ctx, f)
	if err != nil {
		return nil, false, err
	}
	sums := map[string]*feedback.Count{}
	for i := range counts {
		g := group(&counts[i])
		if sums[g] == nil {
			sums[g] = &feedback.Count{}
		}
		sums[g].Add(&counts[i])
	}
	for g, c := range sums {
		cells = append(cells, kpi.Cell{Group: g, Figure: kpi.ShareFigure(c.Positive, c.Positive+c.Neutral+c.Negative)})
	}
	return byRecords(cells, 0), true, nil
}

// byRecords has the cells with the most records first, as all KPIs have them;
// those of a series stay in their order.
func byRecords(cells []kpi.Cell, bucket time.Duration) []kpi.Cell {
	if bucket == 0 {
		slices.SortStableFunc(cells, func(a, b kpi.Cell) int {
			if a.N != b.N {
				return int(b.N - a.N)
			}
			return strings.Compare(a.Group, b.Group)
		})
	}
	return cells
}
