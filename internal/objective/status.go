package objective

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// Status is how an objective stands, over time, and what spent its budget.
type Status struct {
	Objective Objective
	Indicator Indicator
	Standing
	Bucket  time.Duration
	Series  []Group // of the window, by bucket
	Spent   []Spender
	Runs    []activity.Run // the newest bad ones, newest first
	Records string         // the search that opens all that are bad
}

// Spender is what a part of the records took from the budget.
type Spender struct {
	By, Name string
	Counts
	Share   float64 // of all that is bad
	Records string  // the search that opens them
}

// Standing is how an objective stood at the last look.
func (b *Book) Standing(name string) (Objective, Standing, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.entries[name]
	if e == nil {
		return Objective{}, Standing{}, notFound(name)
	}
	s := e.standing
	if s.State == "" {
		s.State, s.Why = Waiting, "it is looked at within a minute"
	}
	return e.Objective, s, nil
}

// spenders by dimension, of tables that know it.
var spendersBy = []string{"agent", "version", "task", "error_type", "tool", "model"}

const (
	maxSpenders = 5
	maxBadRuns  = 20
	buckets     = 60
)

// Status computes how an objective stands in its window, of the records of teams
// alone; nil is all.
func (b *Book) Status(ctx context.Context, name string, teams []string) (*Status, error) {
	o, s, err := b.Standing(name)
	if err != nil {
		return nil, err
	}
	in, err := b.o.KPIs.Indicator(o.KPI)
	if err != nil {
		return &Status{Objective: o, Standing: s}, nil // it says why
	}
	c := &counter{o: &o, in: &in, store: b.o.Store, kpis: b.o.KPIs, teams: teams}
	now := b.o.Now()
	from, to := o.Window.At(now)
	out := &Status{Objective: o, Indicator: in, Standing: s, Bucket: bucketOf(to.Sub(from), o.Slice)}
	out.From, out.To = from, to
	to = minTime(to, now)
	if out.Series, err = c.groups(ctx, from, to, out.Bucket, ""); err != nil {
		return nil, err
	}
	out.Series = gather(out.Series, from, out.Bucket)
	if o.Slice == 0 {
		if out.Spent, err = c.spenders(ctx, from, to); err != nil {
			return nil, err
		}
	}
	if bad, err := b.badRuns(ctx, c, from, maxBadRuns); err != nil {
		return nil, err
	} else if bad != nil {
		slices.Reverse(bad)
		out.Runs, out.Records = bad, c.badQuery(from).String()
	} else if in.Kind == KindEvents {
		out.Records = text(search.Both(o.scope(in.Events), in.Where, served(in.Events)))
	} else if o.Slice == 0 {
		out.Records = text(search.Both(o.scope(in.Table), o.known(&in), &search.Not{Of: o.good(&in)}, served(in.Table)))
	}
	return out, nil
}

// served leaves out what belongs to tests, as counts do, of a search that somebody looks
// at.
func served(table string) search.Expr {
	if table == "runs" {
		return notTest()
	}
	return &search.Not{Of: search.Is(search.FieldRunMode, "test")}
}

func text(e search.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// bucketOf is a time of which about so many are in the window.
func bucketOf(length, slice time.Duration) time.Duration {
	for _, d := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour} {
		if length/d <= buckets+10 && d >= slice {
			return d
		}
	}
	return max(7*24*time.Hour, slice)
}

// gather joins groups into buckets; what began before the window, and ended in
// it, is in the first.
func gather(list []Group, from time.Time, bucket time.Duration) (out []Group) {
	at := map[int64]int{}
	for _, g := range list {
		t := g.At.Truncate(bucket)
		if first := from.Truncate(bucket); t.Before(first) {
			t = first
		}
		i, ok := at[t.UnixNano()]
		if !ok {
			i = len(out)
			at[t.UnixNano()] = i
			out = append(out, Group{At: t.UTC()})
		}
		out[i].N, out[i].Bad, out[i].Base = out[i].N+g.N, out[i].Bad+g.Bad, out[i].Base+g.Base
	}
	slices.SortFunc(out, func(x, y Group) int { return x.At.Compare(y.At) })
	return out
}

// spenders says which parts of the records spent the budget, for each dimension
// that tells more than one apart.
func (c *counter) spenders(ctx context.Context, from, to time.Time) (out []Spender, err error) {
	fields := map[string]search.Scope{"runs": search.ScopeRun, "steps": search.ScopeStep, "decisions": search.ScopeDecision}
	for _, by := range spendersBy {
		if _, ok := search.Lookup(fields[c.in.Table], by); !ok || by == "agent" && c.o.Agent != "" || by == "version" && c.o.Version != "" || by == "task" && c.o.Task != "" {
			continue
		}
		if c.in.Table == "runs" && (by == "tool" || by == "model") || c.in.Kind == KindEvents && by == "error_type" {
			continue // a run has several
		}
		list, err := c.groups(ctx, from, to, 0, by)
		if err != nil {
			return nil, err
		}
		total := sum(list)
		all := total.Bad
		list = slices.DeleteFunc(list, func(g Group) bool { return g.Bad <= 0 })
		// First what took more than its size explains: the largest part has the most
		// bad records even where it is the better one.
		more := func(g Group) float64 { return g.Bad - float64(g.N)*total.Bad/float64(max(total.N, 1)) }
		slices.SortFunc(list, func(x, y Group) int {
			return cmp.Or(cmp.Compare(more(y), more(x)), cmp.Compare(y.Bad, x.Bad), cmp.Compare(x.Name, y.Name))
		})
		for _, g := range list[:min(len(list), maxSpenders)] {
			where := search.Expr(search.Unknown(by))
			if g.Name != "" {
				where = search.Is(by, g.Name)
			}
			table, bad := c.in.Table, search.Both(c.o.known(c.in), search.Expr(nil))
			if c.in.Kind == KindEvents {
				table, bad = c.in.Events, c.in.Where
			} else {
				bad = search.Both(bad, &search.Not{Of: c.o.good(c.in)})
			}
			out = append(out, Spender{By: by, Name: g.Name, Counts: g.Counts, Share: g.Bad / all, Records: text(search.Both(c.o.scope(table), where, bad, within(table, from, to), served(table)))})
		}
	}
	return out, nil
}
