package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/topic"
)

// recordPlace is where a page of records ended; the zero one is the beginning.
type recordPlace struct {
	At int64  `json:"a,omitempty"`
	ID string `json:"i,omitempty"`
}

// recordsOf says which records behind a figure are listed.
type recordsOf struct {
	client.KPIScope
	by, group string
	hits      bool
	limit     int
	after     recordPlace
	from, to  time.Time
	visible   []alert.Place
}

// records lists what Outside computes a figure of, the newest first: as many as the
// figure says.
func (o Outside) records(ctx context.Context, id string, r *recordsOf) (out []client.KPIRecord, next recordPlace, err error) {
	if !o.Knows(id) {
		return nil, next, fault.New(fault.KindInvalid, "kpi.no_records", "nothing supplies %s here", id).WithHint("`reeve kpi show %s` says what would", id)
	}
	switch id {
	case "csat":
		f := feedback.Filter{Team: r.Team, Environment: r.Environment, Agent: r.Agent, Version: r.Version, From: r.from, To: r.to, Visible: places[feedback.Place](r.visible), Limit: r.limit, After: feedback.Cursor(r.after)}
		all, at, err := o.Feedback.SaidOf(ctx, f, r.by, r.group, r.hits)
		for i := range all {
			x := &all[i]
			out = append(out, client.KPIRecord{Kind: "feedback", ID: x.ID, Run: x.Run, At: x.At, Agent: x.Agent, Version: x.Version, Team: x.Team, Environment: x.Environment, Says: x.Verdict, Value: x.Value, Counts: x.Verdict == feedback.Positive})
		}
		return out, recordPlace(at), err
	case "groundedness":
		f := evaluate.Filter{Team: r.Team, Environment: r.Environment, Agent: r.Agent, Version: r.Version, From: r.from, To: r.to, Visible: places[evaluate.Place](r.visible), Limit: r.limit, After: evaluate.Cursor(r.after)}
		all, at, err := o.Evaluations.JudgedOf(ctx, id, f, r.by, r.group, r.hits)
		for i := range all {
			x := &all[i]
			out = append(out, client.KPIRecord{Kind: "evaluation", ID: x.ID, Run: x.Run, At: x.At, Agent: x.Agent, Version: x.Version, Team: x.Team, Environment: x.Environment, Says: x.Verdict, Value: x.Score, Counts: x.Verdict == evaluate.Pass})
		}
		return out, recordPlace(at), err
	case "frustration_rate":
		f := topic.Filter{Team: r.Team, Environment: r.Environment, Agent: r.Agent, Version: r.Version, From: r.from, To: r.to, Visible: places[topic.Place](r.visible)}
		all, at, err := o.Topics.SessionsOf(ctx, f, r.by, r.group, r.hits, r.limit, topic.Cursor(r.after))
		for i := range all {
			x := &all[i]
			says := "calm"
			if x.Frustrated() {
				says = "frustrated"
			}
			one := client.KPIRecord{Kind: "session", ID: x.Session, At: x.At, Agent: x.Agent, Version: x.Version, Team: x.Team, Environment: x.Environment, Says: says, Value: &x.Score, Counts: x.Frustrated()}
			if len(x.Signs) > 0 {
				one.Run = x.Signs[0].Run
			}
			out = append(out, one)
		}
		return out, recordPlace(at), err
	case "feedback_to_fix":
		return o.fixesOf(ctx, r)
	}
	return nil, next, fault.New(fault.KindInvalid, "kpi.no_records", "the records of %s are not listed", id)
}

// fixesOf lists the cases that were fixed in a period, the newest fix first.
func (o Outside) fixesOf(ctx context.Context, r *recordsOf) (out []client.KPIRecord, next recordPlace, err error) {
	if r.Version != "" || r.by == "version" {
		return nil, next, invalid("a fix is of another version than its complaint")
	}
	list, why, err := o.allFixes(ctx, &r.KPIScope, r.to, r.visible)
	if err != nil {
		return nil, next, err
	}
	if why != "" {
		return nil, next, fault.New(fault.KindExhausted, "kpi.too_many_groups", "%s", why)
	}
	list = slices.DeleteFunc(list, func(f fix) bool {
		return f.fixed.IsZero() || f.fixed.Before(r.from) || r.by != "" && f.group(r.by) != r.group
	})
	newest := func(at int64, id string, bt int64, bid string) int {
		return cmp.Or(cmp.Compare(bt, at), cmp.Compare(id, bid))
	}
	slices.SortFunc(list, func(a, b fix) int {
		return newest(a.fixed.UnixMicro(), a.Item, b.fixed.UnixMicro(), b.Item)
	})
	for i := range list {
		f := &list[i]
		if r.after != (recordPlace{}) && newest(f.fixed.UnixMicro(), f.Item, r.after.At, r.after.ID) <= 0 {
			continue
		}
		if len(out) == r.limit {
			last := &out[len(out)-1]
			return out, recordPlace{last.At.UnixMicro(), last.ID}, nil
		}
		days := f.days()
		out = append(out, client.KPIRecord{Kind: "case", ID: f.Item, Run: f.Run, Dataset: f.Dataset, At: f.fixed, Agent: f.Agent, Team: f.Team, Environment: f.Environment, Says: "complained of " + f.At.UTC().Format(time.RFC3339), Value: &days, Counts: true})
	}
	return out, next, nil
}
