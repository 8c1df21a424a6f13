package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/dataset"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/feedback"
	"reeve/internal/kpi"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/topic"
)

// Outside computes the KPIs whose records are not, or not all, in the store of
// activity: satisfaction and response of feedback, frustration of topics,
// groundedness of evaluations, and how soon gates have what people complained of. A nil book knows nothing.
type Outside struct {
	Topics      *topic.Book
	Feedback    *feedback.Book
	Evaluations *evaluate.Book
	Datasets    *dataset.Book
	Experiments *experiment.Book
	// Sources say how old they were, and Runs lists runs, narrowed to what the asker may see.
	Sources Aged
	Runs    func(context.Context, telemetry.RunsQuery) (telemetry.RunsPage, error)
	// Ask counts runs, narrowed to what the asker may see.
	Ask kpi.Ask
	// See says what the asker may see; nil sees all.
	See func(context.Context) []alert.Place
}

// KPIs are the definitions that Outside knows.
var outsideKPIs = []string{"csat", "feedback_response_rate", "frustration_rate", "groundedness", "feedback_to_fix", "fresh_answers"}

// Knows reports a definition that Outside computes.
func (o Outside) Knows(id string) bool {
	switch id {
	case "frustration_rate":
		return o.Topics != nil
	case "groundedness":
		return o.Evaluations != nil
	case "fresh_answers":
		return o.Sources != nil && o.Runs != nil
	case "feedback_to_fix":
		return o.Datasets != nil && o.Experiments != nil
	}
	return o.Feedback != nil && slices.Contains(outsideKPIs, id)
}

// Figures gives what a question asks Outside for; scope narrows it.
func (o Outside) Figures(scope *client.KPIScope) func(context.Context, string, *kpi.Question) ([]kpi.Cell, bool, error) {
	return func(ctx context.Context, id string, q *kpi.Question) ([]kpi.Cell, bool, error) {
		if !o.Knows(id) {
			return nil, false, nil
		}
		if id == "fresh_answers" {
			cells, err := o.freshAnswers(ctx, q)
			return byRecords(cells, q.Bucket), true, err
		}
		if scope.Task != "" {
			return unknownCell("sessions, feedback and evaluations know no task"), true, nil
		}
		if !slices.Contains([]string{"", "agent", "version", "team", "environment"}, q.By) {
			return unknownCell("sessions, feedback and evaluations know no " + q.By), true, nil
		}
		var visible []alert.Place
		if o.See != nil {
			visible = o.See(ctx)
		}
		cells, err := o.cells(ctx, id, scope, q, visible)
		return byRecords(cells, q.Bucket), true, err
	}
}

func unknownCell(why string) []kpi.Cell { return []kpi.Cell{{Figure: kpi.Figure{Why: why}}} }

func (o Outside) cells(ctx context.Context, id string, s *client.KPIScope, q *kpi.Question, visible []alert.Place) (cells []kpi.Cell, err error) {
	switch id {
	case "feedback_to_fix":
		return o.fixes(ctx, s, q, visible)
	case "frustration_rate":
		f := topic.Filter{Team: s.Team, Environment: s.Environment, Agent: s.Agent, Version: s.Version, From: q.From, To: q.To, Visible: places[topic.Place](visible)}
		all, _, err := o.Topics.Frustrations(ctx, f, q.By, q.Bucket)
		for _, x := range all {
			cells = append(cells, kpi.Cell{At: x.At, Group: x.Group, Figure: kpi.ShareFigure(x.Frustrated, x.Sessions)})
		}
		return cells, err
	case "groundedness":
		f := evaluate.Filter{Team: s.Team, Environment: s.Environment, Agent: s.Agent, Version: s.Version, From: q.From, To: q.To, Visible: places[evaluate.Place](visible)}
		all, err := o.Evaluations.Judged(ctx, "groundedness", f, q.By, q.Bucket)
		for _, x := range all {
			c := kpi.Cell{At: x.At, Group: x.Group, Figure: kpi.ShareFigure(x.Pass, x.Pass+x.Fail)}
			if n := x.Pass + x.Fail + x.Unsure + x.None; n > 0 {
				share := float64(x.Pass+x.Fail) / float64(n)
				c.Coverage = &share
			}
			cells = append(cells, c)
		}
		return cells, err
	}
	f := feedback.Filter{Team: s.Team, Environment: s.Environment, Agent: s.Agent, Version: s.Version, From: q.From, To: q.To, Visible: places[feedback.Place](visible)}
	said, err := o.Feedback.Said(ctx, f, q.By, q.Bucket)
	if err != nil || id == "csat" {
		for _, x := range said {
			cells = append(cells, kpi.Cell{At: x.At, Group: x.Group, Figure: kpi.ShareFigure(x.Positive, x.Positive+x.Neutral+x.Negative)})
		}
		return cells, err
	}
	return o.responses(ctx, said, q)
}

// errFixesCut says that complaints and gates are too many to be read together.
const errFixesCut = "there are more complaints and gates than are read together"

// fix is a case that a complaint made, and when a gate that has it was passed; zero: by
// the end of the period none was.
type fix struct {
	dataset.Complaint
	fixed time.Time
}

// allFixes are the cases of complaints that came by the end of a period; why says that
// it cannot be told.
func (o Outside) allFixes(ctx context.Context, s *client.KPIScope, to time.Time, visible []alert.Place) (out []fix, why string, err error) {
	complaints, cut, err := o.Datasets.Complaints(ctx)
	if err != nil || len(complaints) == 0 {
		return nil, "", err
	}
	all, more, err := o.Experiments.Passes(ctx, complaints[len(complaints)-1].At) // of the oldest
	if err != nil {
		return nil, "", err
	}
	if cut || more {
		return nil, errFixesCut, nil
	}
	passes := map[[2]string][]experiment.Pass{}
	for _, p := range all {
		passes[[2]string{p.Agent, p.Dataset}] = append(passes[[2]string{p.Agent, p.Dataset}], p)
	}
	for i := range complaints {
		c := &complaints[i]
		if s.Team != "" && c.Team != s.Team || s.Environment != "" && c.Environment != s.Environment || s.Agent != "" && c.Agent != s.Agent || !c.At.Before(to) || !seenAt(visible, c.Team, c.Environment) {
			continue
		}
		f := fix{Complaint: *c}
		of := passes[[2]string{c.Agent, c.Dataset}]
		if at := slices.IndexFunc(of, func(p experiment.Pass) bool { return c.In(p.Version, p.At) }); at >= 0 && of[at].At.Before(to) {
			f.fixed = of[at].At
		}
		out = append(out, f)
	}
	return out, "", nil
}

func (f *fix) days() float64 { return f.fixed.Sub(f.At).Hours() / 24 }

func (f *fix) group(by string) string {
	return map[string]string{"agent": f.Agent, "team": f.Team, "environment": f.Environment}[by]
}

// fixes are the days from complaints to the gates that have them, by when those were
// passed.
func (o Outside) fixes(ctx context.Context, s *client.KPIScope, q *kpi.Question, visible []alert.Place) ([]kpi.Cell, error) {
	if s.Version != "" || q.By == "version" {
		return unknownCell("a fix is of another version than its complaint"), nil
	}
	list, why, err := o.allFixes(ctx, s, q.To, visible)
	switch {
	case err != nil:
		return nil, err
	case why != "":
		return unknownCell(why), nil
	}
	days, open := map[outsideKey][]float64{}, map[string]int64{}
	for i := range list {
		f := &list[i]
		group := f.group(q.By)
		switch {
		case f.fixed.IsZero():
			open[group]++
		case !f.fixed.Before(q.From):
			k := outsideKey{group: group}
			if q.Bucket > 0 {
				k.at = f.fixed.UnixNano() / int64(q.Bucket) * int64(q.Bucket)
			}
			days[k] = append(days[k], f.days())
		}
	}
	var cells []kpi.Cell
	for k, all := range days {
		c := kpi.Cell{Group: k.group, Figure: kpi.MedianFigure(all)}
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		} else {
			share := float64(c.N) / float64(c.N+open[k.group])
			c.Coverage = &share
		}
		cells = append(cells, c)
	}
	if len(cells) == 0 && len(open) > 0 {
		return unknownCell("no complaint that is a case has passed a gate yet"), nil
	}
	return cells, nil
}

// seenAt reports whether a place is among those that somebody may see; nil sees all.
func seenAt(visible []alert.Place, team, environment string) bool {
	return visible == nil || slices.ContainsFunc(visible, func(p alert.Place) bool {
		return (p.Team == "*" || team == "" || p.Team == team) && (p.Environment == "*" || environment == "" || p.Environment == environment)
	})
}

// places are what somebody may see, as a subject has them; nil stays all.
func places[P ~struct{ Team, Environment string }](list []alert.Place) []P {
	if list == nil {
		return nil
	}
	out := make([]P, len(list))
	for i, p := range list {
		out[i] = P(p)
	}
	return out
}

type outsideKey struct {
	at    int64
	group string
}

// responses are runs of which a user said something, of those that are over. What
// was said of runs of before the period counts where it was said, so that a share
// is never above one.
func (o Outside) responses(ctx context.Context, said []feedback.Said, q *kpi.Question) (cells []kpi.Cell, err error) {
	if o.Ask == nil {
		return nil, nil
	}
	ended := search.Is("status", "done", "stale")
	query := telemetry.Query{Table: "runs", From: q.From, To: q.To, Where: search.Both(q.Where["runs"], ended), Bucket: q.Bucket, NoTests: true, Select: []telemetry.Measure{{Func: "count", As: "n"}}}
	if q.By != "" {
		query.GroupBy = []string{q.By}
	}
	res, err := o.Ask(ctx, query)
	if err != nil {
		return nil, err
	}
	if res.Cut { // a run whose group is left out would count as one that nobody answered
		return []kpi.Cell{{Figure: kpi.Figure{Why: "there are more values of " + q.By + " than can be told apart: ask for a shorter period"}}}, nil
	}
	runs := map[outsideKey]int64{}
	a := newAnswers(res)
	for _, row := range res.Rows {
		var k outsideKey
		for i, c := range res.Columns {
			switch c.Kind {
			case "time":
				k.at, _ = row[i].(int64)
			case "dimension":
				k.group, _ = row[i].(string)
			}
		}
		runs[k] = a.count(row, "n")
	}
	answered := map[outsideKey]int64{}
	for _, x := range said {
		k := outsideKey{group: x.Group}
		if q.Bucket > 0 {
			k.at = x.At.UnixNano()
		}
		answered[k] = x.Runs
		if _, ok := runs[k]; !ok {
			runs[k] = x.Runs
		}
	}
	for k, n := range runs {
		c := kpi.Cell{Group: k.group, Figure: kpi.ShareFigure(min(answered[k], n), n)}
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// byRecords has the cells with the most records first, as all KPIs have them;
// those of a series are in the order of time.
func byRecords(cells []kpi.Cell, bucket time.Duration) []kpi.Cell {
	slices.SortStableFunc(cells, func(a, b kpi.Cell) int {
		if bucket > 0 && !a.At.Equal(b.At) {
			return a.At.Compare(b.At)
		}
		if a.N != b.N {
			return int(b.N - a.N)
		}
		return strings.Compare(a.Group, b.Group)
	})
	return cells
}
