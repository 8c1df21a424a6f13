package api

import (
	"context"
	"math"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/kpi"
	"reeve/internal/rule"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/watch"
)

// RuleKPIs answers rules about a KPI: the same definition that the page shows,
// computed over the rule's window.
type RuleKPIs struct {
	KPIs    *kpi.Book
	Ask     kpi.Ask
	Outside Outside
	// Place is where a registered agent runs; what is not of the store names agents alone.
	Place func(agent string) (team, environment string)
}

// maxRuleRows bounds an answer: names come from senders.
const maxRuleRows = 20_000

// Rows is the KPI of a rule over a window, of each agent or of all together. A figure
// that nobody knows is no row.
func (k RuleKPIs) Rows(ctx context.Context, r *rule.Rule, w watch.Window) ([]rule.Row, error) {
	d, err := k.KPIs.Get(r.Query.KPI)
	if err != nil {
		return nil, err
	}
	q, err := k.question(r, w)
	if err != nil {
		return nil, err
	}
	all, err := kpi.Evaluate(ctx, k.asking(r, w), []*kpi.Definition{d}, q)
	if err != nil {
		return nil, err
	}
	var out []rule.Row
	for _, c := range all[d.ID].Cells {
		if c.Value == nil || w.Bucket > 0 && c.At.IsZero() {
			continue
		}
		row := rule.Row{At: c.At, Value: *c.Value, Records: c.N, Low: math.Inf(-1), High: math.Inf(1)}
		switch {
		case c.Low != nil && c.High != nil:
			row.Low, row.High = *c.Low, *c.High
		case d.Count != nil: // counted, not sampled
			row.Low, row.High = row.Value, row.Value
		}
		if r.Query.By == "agent" {
			k.place(&row, c.Group)
			if row.Agent == "" || !r.About(row.Agent, row.Team, row.Environment) {
				continue
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// question narrows what a KPI is asked of to what the rule is about.
func (k RuleKPIs) question(r *rule.Rule, w watch.Window) (kpi.Question, error) {
	scope := client.KPIScope{Team: r.Team, Environment: r.Environment}
	if len(r.Agents) == 1 {
		scope.Agent = r.Agents[0]
	} else if len(r.Agents) > 1 && r.Query.By == "" && k.Outside.Knows(r.Query.KPI) {
		return kpi.Question{}, fault.New(fault.KindInvalid, "rule.invalid", "%s of several agents together is not known", r.Query.KPI).WithHint("ask of each agent, or of one")
	}
	if r.Query.By == "agent" && r.Team == "" && k.Outside.Knows(r.Query.KPI) {
		return kpi.Question{}, fault.New(fault.KindInvalid, "rule.invalid", "%s is known by the names of agents alone", r.Query.KPI).WithHint("name the team: two teams may have an agent of that name")
	}
	q := kpi.Question{From: w.From.UTC(), To: w.To.UTC(), Bucket: w.Bucket, By: r.Query.By, Ledger: k.KPIs.Assumptions(), Outside: k.Outside.Figures(&scope), Where: map[string]search.Expr{}, Unasked: map[string]string{}}
	for table, fields := range queryTables {
		narrowed := []search.Expr{}
		if w.Only != nil {
			narrowed = append(narrowed, w.Only)
		}
		for name, values := range map[string][]string{"environment": {r.Environment}, "agent": r.Agents} {
			if values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }); len(values) == 0 {
				continue
			}
			if _, ok := search.Lookup(fields, name); !ok {
				q.Unasked[table] = table + " know no " + name
				continue
			}
			narrowed = append(narrowed, search.Is(name, values...))
		}
		q.Where[table] = search.Both(narrowed...)
	}
	return q, nil
}

// asking puts a question to the store within the rule's teams, and tells agents of
// the same name in two places apart.
func (k RuleKPIs) asking(r *rule.Rule, w watch.Window) kpi.Ask {
	return func(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
		q.Limit, q.Teams = maxRuleRows, w.Teams
		if r.Team != "" {
			q.Teams = []string{r.Team}
		}
		if r.Query.By == "" {
			return whole(k.Ask(ctx, q))
		}
		i := slices.Index(q.GroupBy, "agent")
		q.GroupBy = slices.Concat(q.GroupBy[:i], ruleDimensions, q.GroupBy[i+1:])
		res, err := whole(k.Ask(ctx, q))
		if err != nil {
			return nil, err
		}
		return inOne(res), nil
	}
}

// whole refuses an answer that was cut.
func whole(res *telemetry.Result, err error) (*telemetry.Result, error) {
	if err == nil && res.Cut {
		return nil, watch.TooMany()
	}
	return res, err
}

var ruleDimensions = []string{"team", "environment", "agent"}

// inOne makes one dimension, called agent, of a place and an agent.
func inOne(res *telemetry.Result) *telemetry.Result {
	var at [3]int
	out := &telemetry.Result{}
	for i, c := range res.Columns {
		if n := slices.Index(ruleDimensions, c.Name); n >= 0 && c.Kind == "dimension" {
			at[n] = i
			if c.Name != "agent" {
				continue
			}
		}
		out.Columns = append(out.Columns, c)
	}
	for _, row := range res.Rows {
		var parts [3]string
		for n, i := range at {
			parts[n], _ = row[i].(string)
		}
		cells := make([]any, 0, len(out.Columns))
		for i, v := range row {
			switch i {
			case at[0], at[1]:
			case at[2]:
				cells = append(cells, strings.Join(parts[:], "\x00"))
			default:
				cells = append(cells, v)
			}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

// place says of whom a cell is.
func (k RuleKPIs) place(row *rule.Row, group string) {
	if parts := strings.SplitN(group, "\x00", 3); len(parts) == 3 {
		row.Team, row.Environment, row.Agent = parts[0], parts[1], parts[2]
		return
	}
	row.Agent = group
	if k.Place != nil {
		row.Team, row.Environment = k.Place(group)
	}
}

// ruleKPIs is how this asker's trials ask for KPIs: of what they may see.
func (a *API) ruleKPIs() RuleKPIs {
	k := RuleKPIs{KPIs: a.o.KPIs, Ask: a.o.Store.Query, Outside: a.outside()}
	if all := a.o.Agents; all != nil {
		k.Place = func(name string) (string, string) {
			if g, ok := all.Lookup(name); ok {
				return g.Team, g.Environment
			}
			return "", ""
		}
	}
	return k
}

// seesRuleKPI refuses a rule about a KPI that is not there, or that is of another
// team than the rule: whoever reads the rule's findings reads its figures.
func (a *API) seesRuleKPI(who identity.Principal, q *client.RuleQuery, team string) error {
	if q == nil || q.KPI == "" {
		return nil
	}
	book, err := a.kpis()
	if err != nil {
		return err
	}
	d, err := book.Get(q.KPI)
	if err != nil {
		return err
	}
	switch {
	case d.Custom && !seesTeam(who, d.Team):
		return fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %.63q", q.KPI)
	case d.Custom && d.Team != "" && d.Team != team:
		return fault.New(fault.KindInvalid, "rule.invalid", "KPI %s is of team %s: a rule about it is too", q.KPI, d.Team)
	}
	return nil
}
