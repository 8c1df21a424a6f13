package kpi

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Assumption is a number that somebody believes, with how far off it may be.
type Assumption struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Worth is what one resolved run of a task is worth.
type Worth struct {
	Minutes Assumption `json:"minutes"` // of people, saved
	Money   Assumption `json:"money"`   // revenue, or cost avoided beside minutes
}

// Assumptions are what the value ledger is computed with. Money is in the price
// book's currency.
type Assumptions struct {
	Hour   Assumption            `json:"hour"`   // what an hour of people's time costs
	Tasks  map[string]Worth      `json:"tasks"`  // by task; "" is any other
	Harm   map[string]Assumption `json:"harm"`   // what a run costs that ended so: failed, abandoned, escalated, deflected
	Source string                `json:"source"` // where they are from

	Version int       `json:"-"`
	By      string    `json:"-"`
	Reason  string    `json:"-"`
	At      time.Time `json:"-"`
}

func (a Assumption) check(what string) error {
	if math.IsNaN(a.Value+a.Low+a.High) || math.IsInf(a.Value+a.Low+a.High, 0) || a.Low < 0 || a.Low > a.Value || a.Value > a.High || a.High > 1e9 {
		return invalid("%s: an assumption is low <= value <= high, from 0 to 1e9", what).WithHint("give low and high as far as you would not be surprised")
	}
	return nil
}

// Check says what is wrong with assumptions.
func (a *Assumptions) Check() error {
	if err := a.Hour.check("hour"); err != nil {
		return err
	}
	if len(a.Tasks) == 0 || len(a.Tasks) > 200 || len(a.Harm) > 10 || a.Source == "" || len(a.Source) > 300 {
		return invalid("assumptions name 1 to 200 tasks, and where they are from").WithHint(`the task "" is every task that is not named`)
	}
	for name, w := range a.Tasks {
		if err := cmp.Or(w.Minutes.check("tasks."+name+".minutes"), w.Money.check("tasks."+name+".money")); err != nil {
			return err
		}
	}
	for name, h := range a.Harm {
		if !slices.Contains([]string{"failed", "abandoned", "escalated", "deflected"}, name) {
			return invalid("harm.%.40s is no outcome that does harm", name).WithHint("failed, abandoned, escalated, deflected")
		}
		if err := h.check("harm." + name); err != nil {
			return err
		}
	}
	return nil
}

// Group are runs of one task and outcome.
type Group struct {
	Task, Outcome string
	Runs          int64
	Cost          float64 // of models
	Waiting       float64 // people's minutes
	Priced        int64   // runs whose cost is known
}

// Ledger is what the runs of a period came to in money.
type Ledger struct {
	Value, Cost, People, Harm, Net float64
	Low, High                      float64 // of Net, with every assumption as bad, and as good, as it may be
	Runs, Valued, Priced           int64   // with a known outcome; of them resolved and with a worth; of them with a known cost
	Sensitivity                    []Swing // the largest first
	Lines                          []LedgerLine
}

// LedgerLine is one task and outcome of the ledger.
type LedgerLine struct {
	Group
	Value, Harm float64
}

// Swing is what net value would be with one assumption at its low and its high.
type Swing struct {
	Name      string
	Low, High Assumed
}

// Assumed is an assumption's value and the net value with it.
type Assumed struct{ At, Net float64 }

// Compute is the ledger of groups under assumptions.
func Compute(groups []Group, a *Assumptions) Ledger {
	l := compute(groups, a, nil)
	best := a.each()
	for _, x := range best {
		low, high := compute(groups, a, map[string]float64{x.name: x.is.Low}), compute(groups, a, map[string]float64{x.name: x.is.High})
		l.Sensitivity = append(l.Sensitivity, Swing{x.name, Assumed{x.is.Low, low.Net}, Assumed{x.is.High, high.Net}})
	}
	slices.SortStableFunc(l.Sensitivity, func(x, y Swing) int {
		return cmp.Or(cmp.Compare(math.Abs(y.High.Net-y.Low.Net), math.Abs(x.High.Net-x.Low.Net)), strings.Compare(x.Name, y.Name))
	})
	worst, good := map[string]float64{}, map[string]float64{}
	for _, s := range l.Sensitivity {
		if s.Low.Net <= s.High.Net {
			worst[s.Name], good[s.Name] = s.Low.At, s.High.At
		} else {
			worst[s.Name], good[s.Name] = s.High.At, s.Low.At
		}
	}
	l.Low, l.High = compute(groups, a, worst).Net, compute(groups, a, good).Net
	return l
}

type named struct {
	name string
	is   Assumption
}

// each lists the assumptions by name.
func (a *Assumptions) each() []named {
	out := []named{{"hour", a.Hour}}
	for task, w := range a.Tasks {
		out = append(out, named{"tasks." + task + ".minutes", w.Minutes}, named{"tasks." + task + ".money", w.Money})
	}
	for outcome, h := range a.Harm {
		out = append(out, named{"harm." + outcome, h})
	}
	slices.SortFunc(out, func(x, y named) int { return strings.Compare(x.name, y.name) })
	return out
}

func compute(groups []Group, a *Assumptions, instead map[string]float64) (l Ledger) {
	value := func(name string, is Assumption) float64 {
		if v, ok := instead[name]; ok {
			return v
		}
		return is.Value
	}
	hour := value("hour", a.Hour)
	for _, g := range groups {
		line := LedgerLine{Group: g}
		l.Runs += g.Runs
		l.Priced += g.Priced
		l.Cost += g.Cost
		l.People += g.Waiting / 60 * hour
		task := g.Task
		if _, ok := a.Tasks[task]; !ok {
			task = ""
		}
		if w, ok := a.Tasks[task]; ok && (resolved(g.Outcome) || g.Outcome == "contained") {
			each := value("tasks."+task+".minutes", w.Minutes)/60*hour + value("tasks."+task+".money", w.Money)
			line.Value = float64(g.Runs) * each
			l.Valued += g.Runs
		}
		if h, ok := a.Harm[g.Outcome]; ok {
			line.Harm = float64(g.Runs) * value("harm."+g.Outcome, h)
		}
		l.Value, l.Harm = l.Value+line.Value, l.Harm+line.Harm
		l.Lines = append(l.Lines, line)
	}
	l.Net = l.Value - l.Cost - l.People - l.Harm
	return l
}

// groups asks for what the ledger is made of. Why says that there is too much of it:
// a ledger of a part would be a wrong one.
func groups(ctx context.Context, ask Ask, q *Question) (out map[cellKey][]Group, why string, err error) {
	query := q.query("runs")
	known, err := parse("runs", "known", "$known")
	if err != nil {
		return nil, "", err
	}
	query.Where = search.Both(query.Where, known)
	query.Select = []telemetry.Measure{
		{Func: "count", As: "n"}, {Func: "count", Field: "cost", As: "priced"}, {Func: "sum", Field: "cost", As: "cost"}, {Func: "sum", Field: "waiting_ms", As: "waiting"},
	}
	for _, d := range []string{"task", "outcome"} {
		if d != q.By {
			query.GroupBy = append(query.GroupBy, d)
		}
	}
	res, err := ask(ctx, query)
	if err != nil {
		return nil, "", err
	}
	if res.Cut {
		return nil, fmt.Sprintf("there are more than %d tasks and outcomes in the period: ask for a shorter one, or for one agent", len(res.Rows)), nil
	}
	out = map[cellKey][]Group{}
	for _, row := range res.Rows {
		var k cellKey
		var g Group
		for i, c := range res.Columns {
			text, _ := row[i].(string)
			n, _ := number(row[i])
			switch {
			case c.Kind == "time":
				k.at, _ = row[i].(int64)
			case c.Name == "task":
				g.Task = text
			case c.Name == "outcome":
				g.Outcome = cmp.Or(text, "failed")
			case c.Name == "n":
				g.Runs = int64(n)
			case c.Name == "priced":
				g.Priced = int64(n)
			case c.Name == "cost":
				g.Cost = n
			case c.Name == "waiting":
				g.Waiting = n / 60_000
			}
			if c.Kind == "dimension" && c.Name == q.By {
				k.group = text
			}
		}
		out[k] = append(out[k], g)
	}
	return out, "", nil
}

// Value is the ledger of a period.
func Value(ctx context.Context, ask Ask, q Question) (*Ledger, error) {
	if q.Ledger == nil {
		return nil, errNoAssumptions
	}
	q.Bucket, q.By = 0, ""
	by, why, err := groups(ctx, ask, &q)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, fault.New(fault.KindExhausted, "kpi.too_many_groups", "%s", why)
	}
	l := Compute(by[cellKey{}], q.Ledger)
	return &l, nil
}

func (d *Definition) ledger(ctx context.Context, ask Ask, q *Question) ([]Cell, error) {
	if q.Ledger == nil {
		return []Cell{{Figure: Figure{Why: "no data: nobody has said what runs are worth (`reeve kpi assume`)"}}}, nil
	}
	by, why, err := groups(ctx, ask, q)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return []Cell{{Figure: Figure{Why: why}}}, nil
	}
	if q.Bucket == 0 && q.By == "" && len(by) == 0 {
		return []Cell{{Figure: Figure{Why: "no run with a known outcome"}}}, nil
	}
	var out []Cell
	for k, list := range by {
		l := Compute(list, q.Ledger)
		v, low, high := l.Net, l.Low, l.High
		if d.Ledger == "harm" {
			worst, best := map[string]float64{}, map[string]float64{}
			for name, h := range q.Ledger.Harm {
				best["harm."+name], worst["harm."+name] = h.Low, h.High
			}
			v, low, high = l.Harm, compute(list, q.Ledger, best).Harm, compute(list, q.Ledger, worst).Harm
		}
		c := Cell{Group: k.group, Figure: figure(v, low, high, true, l.Runs, l.Runs)}
		c.Coverage = covered(l.Priced, l.Runs)
		if q.Bucket > 0 {
			c.At = time.Unix(0, k.at).UTC()
		}
		out = append(out, c)
	}
	sortCells(out)
	return out, nil
}
