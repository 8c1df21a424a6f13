package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"reeve/client"
)

func kpiCommands() []command {
	return []command{
		{name: "kpi list", args: "[flags]", short: "list the KPIs with what they come to", long: kpiHelp, run: runKPIList},
		{name: "kpi show", args: "[flags] KPI", short: "show one KPI: formula, figure, interval, sample, records", long: kpiHelp, run: runKPIShow},
		{name: "kpi records", args: "[flags] KPI", short: "list the records behind a KPI that no search finds", long: kpiRecordsHelp, run: runKPIRecords},
		{name: "kpi set", args: "[flags] KPI", short: "define a KPI of your own, or its next version", long: kpiSetHelp, run: runKPISet},
		{name: "kpi try", args: "[flags]", short: "say what a definition of a KPI would come to, without keeping it", long: kpiSetHelp, run: runKPITry},
		{name: "kpi delete", args: "[flags] KPI", short: "drop a KPI of your own", run: runKPIDelete},
		{name: "kpi versions", args: "[flags] KPI", short: "list the versions of a KPI of your own", run: runKPIVersions},
		{name: "kpi value", args: "[flags]", short: "say what runs were worth, and how far each assumption moves it", long: kpiValueHelp, run: runKPIValue},
		{name: "kpi assumptions", args: "[flags]", short: "list the versions of what runs were said to be worth", run: runKPIAssumptions},
		{name: "kpi assume", args: "[flags]", short: "say what runs are worth and what harm costs", long: kpiValueHelp, run: runKPIAssume},
	}
}

const kpiHelp = `
Each KPI has a written formula with a version, and each figure says how many
records it is from (N), its 95 % interval, and of how much nothing is known
(COVERED). reeve kpi show tells the formula and the search that opens the records.

  reeve kpi list --from -30d --agent refund-agent
  reeve kpi show containment_rate --by version
  reeve kpi show cost_per_resolved --by agent --from -7d

docs/kpis.md explains them one by one.`

func (r *remote) bindScope(fs *flag.FlagSet, s *client.KPIScope) {
	fs.StringVar(&s.From, "from", "", "since: -7d (the default), -24h, or a time")
	fs.StringVar(&s.To, "to", "", "until; left out: now")
	fs.StringVar(&s.Environment, "environment", "", "only of this environment")
	fs.StringVar(&s.Team, "team", "", "only of this team")
	fs.StringVar(&s.Agent, "agent", "", "only of this agent")
	fs.StringVar(&s.Version, "version", "", "only of this version of agents")
	fs.StringVar(&s.Task, "task", "", "only of this task")
}

// inUnit writes a figure as people read it.
func inUnit(unit string, v *float64) string {
	if v == nil {
		return "unknown"
	}
	switch unit {
	case "share":
		return fmt.Sprintf("%.1f %%", 100**v)
	case "usd":
		return fmt.Sprintf("%.4f USD", *v)
	case "ms":
		return time.Duration(*v * 1e6).Round(time.Millisecond).String()
	case "min":
		return fmt.Sprintf("%.2f min", *v)
	case "days":
		return fmt.Sprintf("%.1f days", *v)
	case "bits":
		return fmt.Sprintf("%.2f bits", *v)
	}
	return fmt.Sprintf("%.4g", *v)
}

func interval(unit string, f *client.KPIFigure) string {
	if f.Low == nil || f.High == nil {
		return ""
	}
	return inUnit(unit, f.Low) + " to " + inUnit(unit, f.High)
}

func seenShare(c *float64) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100**c)
}

func runKPIList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListKPIsRequest
	fs := c.flags(e)
	r.bind(fs)
	var s client.KPIScope
	r.bindScope(fs, &s)
	if err := parse(fs, args); err != nil {
		return err
	}
	req = client.ListKPIsRequest{From: s.From, To: s.To, Environment: s.Environment, Team: s.Team, Agent: s.Agent, Version: s.Version, Task: s.Task}
	list, err := r.client().ListKPIs(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tVALUE\tINTERVAL\tN\tCOVERED\tBETTER\tWHY UNKNOWN")
		for _, k := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", k.ID, inUnit(k.Unit, k.Value), interval(k.Unit, &k.KPIFigure), k.N, seenShare(k.Coverage), k.Direction, word(k.Why))
		}
	})
}

func runKPIShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.KPIRequest
	fs := c.flags(e)
	r.bind(fs)
	var s client.KPIScope
	r.bindScope(fs, &s)
	fs.StringVar(&req.By, "by", "", "split by agent, version, task, mode, environment, model, tool, error_type...")
	fs.StringVar(&req.Bucket, "bucket", "", "of the series: 1h, 1d")
	series := fs.Bool("series", false, "show it over time")
	var err error
	if req.ID, err = oneWord(fs, args, "KPI"); err != nil {
		return err
	}
	req.From, req.To, req.Environment, req.Team, req.Agent, req.Version, req.Task = s.From, s.To, s.Environment, s.Team, s.Agent, s.Version, s.Task
	k, err := r.client().GetKPI(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, k, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", k.ID, word(k.Title))
		fmt.Fprintf(w, "means\t%s\n", word(k.About))
		fmt.Fprintf(w, "formula\t%s\n", word(k.Formula))
		fmt.Fprintf(w, "version\t%d; owner %s\n", k.Version, word(k.Owner))
		fmt.Fprintf(w, "value\t%s\n", inUnit(k.Unit, k.Value))
		if t := interval(k.Unit, &k.KPIFigure); t != "" {
			fmt.Fprintf(w, "interval\t%s (%s)\n", t, k.Method)
		}
		if k.Previous != nil && k.Previous.Value != nil {
			fmt.Fprintf(w, "before\t%s (%s)\n", inUnit(k.Unit, k.Previous.Value), interval(k.Unit, k.Previous))
		}
		fmt.Fprintf(w, "from\t%d records, covered %s\n", k.N, show(seenShare(k.Coverage)))
		if k.Why != "" {
			fmt.Fprintf(w, "unknown\t%s\n", word(k.Why))
		}
		fmt.Fprintf(w, "records\t%s: %s\n", k.Table, show(k.Records))
		if len(k.Guards) > 0 {
			fmt.Fprintf(w, "beside it\t%s\n", strings.Join(k.Guards, ", "))
		}
		switch {
		case k.GroupsWhy != "":
			fmt.Fprintf(w, "by %s\tunknown: %s\n", k.By, word(k.GroupsWhy))
		case len(k.Groups) > 0:
			fmt.Fprintf(w, "\n%s\tVALUE\tINTERVAL\tN\tCOVERED\n", strings.ToUpper(k.By))
			for _, g := range k.Groups {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", show(g.Name), inUnit(k.Unit, g.Value), interval(k.Unit, &g.KPIFigure), g.N, seenShare(g.Coverage))
			}
			if k.Cut {
				fmt.Fprintf(w, "only the %d with the most records are listed, of %d\n", len(k.Groups), k.GroupCount)
			}
		}
		if *series && k.SeriesWhy != "" {
			fmt.Fprintf(w, "\nover time\tunknown: %s\n", word(k.SeriesWhy))
		} else if *series {
			fmt.Fprintln(w, "\nFROM\tVALUE\tINTERVAL\tN")
			for _, p := range k.Series {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", when(&p.At), inUnit(k.Unit, p.Value), interval(k.Unit, &p.KPIFigure), p.N)
			}
		}
	})
}

const kpiRecordsHelp = `
What users said, sessions, evaluations and cases: as many as the KPI is from, the
newest first. --hits lists only those that count of a share; --by with --group those
of one group. The records of other KPIs are runs, steps or decisions: reeve kpi show
tells the search that finds them (reeve run list, reeve decision list, reeve query).

  reeve kpi records csat --agent refund-agent --hits
  reeve kpi records frustration_rate --by agent --group refund-agent`

func runKPIRecords(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListKPIRecordsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "since: -7d (the default), -24h, or a time")
	fs.StringVar(&req.To, "to", "", "until; left out: now")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Version, "version", "", "only of this version of agents")
	fs.StringVar(&req.By, "by", "", "agent, version, team or environment, with --group")
	fs.StringVar(&req.Group, "group", "", "only of this one; left out with --by: of those that name none")
	fs.BoolVar(&req.Hits, "hits", false, "of a share only those that count")
	fs.IntVar(&req.Limit, "limit", 100, "how many, at most 1000")
	fs.StringVar(&req.Cursor, "cursor", "", "go on where a list ended")
	var err error
	if req.ID, err = oneWord(fs, args, "KPI"); err != nil {
		return err
	}
	list, err := r.client().ListKPIRecords(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "WHEN\tKIND\tAGENT\tVERSION\tSAYS\tVALUE\tRUN\tID")
		for i := range list.Items {
			x := &list.Items[i]
			value := ""
			if x.Value != nil {
				value = fmt.Sprintf("%.4g", *x.Value)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", when(&x.At), x.Kind, show(x.Agent), word(x.Version), word(x.Says), value, x.Run, word(x.ID))
		}
		if list.Next != "" {
			fmt.Fprintf(w, "there are more: --cursor %s\n", list.Next)
		}
	})
}

const kpiSetHelp = `
A file in YAML or JSON, with exactly one shape (docs/kpis.md tells them all):

  title: Refunds issued
  about: Of the refund runs that are over, those in which a refund was issued.
  unit: share            # share, usd, ms, min, tokens, count, bits
  direction: up          # up, down, none
  owner: shop
  share: {table: runs, of: "tool:issue_refund", among: "task:refund status:done"}

  reeve kpi try -f refunds.yaml --from -30d
  reeve kpi set refunds_issued -f refunds.yaml

A change is a new version; reeve kpi versions lists them.`

func runKPITry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	file := fs.String("f", "", "the file; - is standard input")
	from := fs.String("from", "", "since when; the last 7 days by default")
	environment := fs.String("environment", "", "in this environment alone")
	if err := parse(fs, args); err != nil {
		return err
	}
	var put client.PutKPIRequest
	if err := readYAML(e, *file, &put); err != nil {
		return err
	}
	t, err := r.client().TryKPI(ctx, client.TryKPIRequest{
		Title: put.Title, About: put.About, Unit: put.Unit, Direction: put.Direction, Owner: put.Owner, Team: put.Team, KPIShape: put.KPIShape, From: *from, Environment: *environment,
	})
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		fmt.Fprintf(w, "value\t%s\t%s\n", inUnit(put.Unit, t.Value), interval(put.Unit, &t.KPIFigure))
		if t.Value == nil && t.Why != "" {
			fmt.Fprintf(w, "why\t%s\n", word(t.Why))
		}
		fmt.Fprintf(w, "from\t%d %s: %s\n", t.N, t.Table, word(t.Records))
		fmt.Fprintf(w, "formula\t%s\n", word(t.Formula))
	})
}

func runKPISet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	file := fs.String("f", "", "the file; - is standard input")
	reason := fs.String("reason", "", "why; it is recorded")
	id, err := oneWord(fs, args, "KPI")
	if err != nil {
		return err
	}
	var req client.PutKPIRequest
	if err := readYAML(e, *file, &req); err != nil {
		return err
	}
	req.ID, req.Reason = id, *reason
	list, err := r.client().ListKPIs(ctx, client.ListKPIsRequest{Definitions: true})
	if err != nil {
		return err
	}
	for _, k := range list.Items {
		if k.ID == id && k.Custom {
			req.Version = k.Version
		}
	}
	k, err := r.client().PutKPI(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, k, func(w io.Writer) { fmt.Fprintf(w, "%s is defined, version %d: %s\n", k.ID, k.Version, word(k.Formula)) })
}

// readYAML reads a file in YAML or JSON by the JSON names of a shape.
func readYAML(e env, file string, into any) error {
	if file == "" {
		return fmt.Errorf("%w: name the file with -f", errUsage)
	}
	var data []byte
	var err error
	if file == "-" {
		data, err = io.ReadAll(io.LimitReader(e.stdin, 1<<20))
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return err
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		return errors.New(file + " is no YAML: " + err.Error())
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return errors.New(file + ": " + strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func runKPIDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteKPIRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	var err error
	if req.ID, err = oneWord(fs, args, "KPI"); err != nil {
		return err
	}
	if err := r.client().DeleteKPI(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s is gone; its versions stay\n", req.ID)
	return nil
}

func runKPIVersions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "KPI")
	if err != nil {
		return err
	}
	list, err := r.client().ListKPIVersions(ctx, client.IDRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "VERSION\tAT\tBY\tFORMULA\tREASON")
		for _, v := range list.Items {
			formula := word(v.Formula)
			if v.Dropped {
				formula = "dropped"
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", v.Version, when(&v.At), word(v.By), formula, word(v.Reason))
		}
	})
}

const kpiValueHelp = `
What runs were worth: resolved runs times what the assumptions say, less the cost of
models, people's minutes and harm. Each assumption has a low and a high; the ledger
shows how far each moves the result. reeve kpi assume puts the next version of the
assumptions in force:

  source: finance, March 2026
  hour: {value: 48, low: 40, high: 60}
  tasks:
    refund: {minutes: {value: 6, low: 4, high: 9}, money: {value: 0, low: 0, high: 0}}
  harm:
    failed: {value: 2, low: 0.5, high: 10}`

func runKPIValue(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.KPIScope
	fs := c.flags(e)
	r.bind(fs)
	r.bindScope(fs, &req)
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().GetValueLedger(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		if l.Assumptions == nil {
			fmt.Fprintln(w, "nobody has said what runs are worth: reeve kpi assume -f FILE")
			return
		}
		fmt.Fprintf(w, "net\t%s\t(%s to %s as the assumptions may be off)\n", amount(l.Net, l.Currency), amount(l.Low, l.Currency), amount(l.High, l.Currency))
		fmt.Fprintf(w, "value\t%s\t%d of %d runs with a known outcome; %d unknown\n", amount(l.Value, l.Currency), l.Valued, l.Runs, l.Unknown)
		fmt.Fprintf(w, "models\t%s\t%d of them priced\n", amount(l.Cost, l.Currency), l.Priced)
		fmt.Fprintf(w, "people\t%s\t\n", amount(l.People, l.Currency))
		fmt.Fprintf(w, "harm\t%s\t\n", amount(l.Harm, l.Currency))
		fmt.Fprintf(w, "assumptions\tversion %d by %s\t%s\n\n", l.Assumptions.Version, word(l.Assumptions.By), word(l.Assumptions.Source))
		fmt.Fprintln(w, "IF THIS WERE\tNET AT LOW\tNET AT HIGH")
		for _, s := range l.Sensitivity {
			fmt.Fprintf(w, "%s %g to %g\t%.2f\t%.2f\n", word(s.Name), s.Low, s.High, s.NetLow, s.NetHigh)
		}
	})
}

func runKPIAssume(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	file := fs.String("f", "", "the file; - is standard input")
	reason := fs.String("reason", "", "why; it is recorded")
	if err := parse(fs, args); err != nil {
		return err
	}
	var req client.ValueAssumptions
	if err := readYAML(e, *file, &req); err != nil {
		return err
	}
	now, err := r.client().GetValueLedger(ctx, client.KPIScope{From: "-1h"})
	if err != nil {
		return err
	}
	req.Reason, req.Version = *reason, 0
	if now.Assumptions != nil {
		req.Version = now.Assumptions.Version
	}
	a, err := r.client().PutAssumptions(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) { fmt.Fprintf(w, "assumptions are in force, version %d\n", a.Version) })
}

func runKPIAssumptions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListAssumptions(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "VERSION\tAT\tBY\tHOUR\tTASKS\tSOURCE\tREASON")
		for _, a := range list.Items {
			fmt.Fprintf(w, "%d\t%s\t%s\t%g\t%d\t%s\t%s\n", a.Version, when(a.At), word(a.By), a.Hour.Value, len(a.Tasks), word(a.Source), word(a.Reason))
		}
	})
}
