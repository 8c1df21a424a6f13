package cli

import (
	"cmp"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"reeve/client"
)

func spendCommands() []command {
	return []command{
		{name: "cost by", args: "[flags] WHAT", short: "add up what was spent by agent, user, outcome, cost centre, day...", long: splitHelp, run: runCostBy},
		{name: "cost forecast", args: "[flags]", short: "say what the month will come to, beside budgets", run: runCostForecast},
		{name: "cost dependency", args: "[flags]", short: "say what hangs on each provider, model and region", run: runCostDepend},
		{name: "cost savings", args: "[flags]", short: "list what could have been saved, with proof", long: savingsHelp, run: runCostSavings},
		{name: "cost idle", args: "[flags]", short: "list agents that nobody used", run: runCostIdle},
		{name: "cost file", args: "[flags] KIND", short: "write a month as a chargeback or FOCUS file", long: costFileHelp, run: runCostFile},
		{name: "cost report", args: "[flags]", short: "write the report of a month, as Markdown or PDF", run: runCostReport},
		{name: "cost settings", args: "[flags]", short: "show or set currency, rates, zone and cost centres", long: costSettingsHelp, run: runCostSettings},
	}
}

const splitHelp = `
Adds up what model calls cost, by what is named: call, run, session, user, team,
agent, version, task, outcome, model, provider, environment, centre (who pays),
day or month. Without a time it is the month that goes on, in the organisation's
zone and currency (reeve cost settings).

  reeve cost by agent
  reeve cost by centre --month 2026-10
  reeve cost by user --agent refunds --from -7d
  reeve cost by model --where 'environment:production'

What has no price is counted as calls, never as zero.`

// scopeFlags bind what narrows a question about cost.
func scopeFlags(fs *flag.FlagSet, s *client.CostScope, where bool) {
	fs.StringVar(&s.Month, "month", "", "a month such as 2026-10; the one that goes on by default")
	fs.StringVar(&s.From, "from", "", "RFC 3339, or a distance from now: -7d")
	fs.StringVar(&s.To, "to", "", "as --from; now by default")
	fs.StringVar(&s.Team, "team", "", "of this team's agents alone")
	fs.StringVar(&s.Agent, "agent", "", "of this agent alone")
	fs.StringVar(&s.Environment, "environment", "", "of this environment alone")
	if where {
		fs.StringVar(&s.Where, "where", "", "a search of steps: model:gpt-4o*")
	}
}

func runCostBy(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var s client.CostScope
	var limit int
	fs := c.flags(e)
	r.bind(fs)
	scopeFlags(fs, &s, true)
	fs.IntVar(&limit, "limit", 0, "lines to show")
	by, err := oneWord(fs, args, "dimension")
	if err != nil {
		return err
	}
	x, err := r.client().SplitCost(ctx, client.CostSplitRequest{By: by, Limit: limit, Month: s.Month, From: s.From, To: s.To, Environment: s.Environment, Team: s.Team, Agent: s.Agent, Where: s.Where})
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s to %s (%s): %s for %d calls, %d without a price\n", localTime(x.From, x.Zone), localTime(x.To, x.Zone), x.Zone, spent(x.Total.Cost, x.Currency), x.Total.Calls, x.Total.Unpriced)
		if x.Unallocated != nil {
			fmt.Fprintf(w, "no cost centre pays %.1f %% of it\n", 100**x.Unallocated)
		}
		fmt.Fprintf(w, "\n%s\tCOST\tSHARE\tCALLS\tUNPRICED\tTOKENS\tPEOPLE MIN\tPEOPLE\n", strings.ToUpper(by))
		for _, l := range x.Lines {
			share, tokens, people := "", "unknown", ""
			if l.Share != nil {
				share = fmt.Sprintf("%.1f%%", 100**l.Share)
			}
			if l.Tokens != nil {
				tokens = fmt.Sprintf("%.0f", *l.Tokens)
			}
			if l.People != nil {
				people = spent(l.People, x.Currency)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%.1f\t%s\n", costName(by, &l), spent(l.Cost, x.Currency), share, l.Calls, l.Unpriced, tokens, l.Minutes, people)
		}
		if x.More > 0 {
			fmt.Fprintf(w, "and %d more: --limit\n", x.More)
		}
	})
}

func costName(by string, l *client.CostLine) string {
	name := word(l.Name)
	switch by {
	case "call":
		return name + " of " + word(l.Parts["run"]) + " (" + word(l.Parts["agent"]) + ", " + word(l.Parts["model"]) + ")"
	case "run", "version", "task":
		return name + " (" + word(l.Parts["agent"]) + ")"
	case "centre":
		if l.Name == "" {
			return "unallocated"
		}
	}
	return name
}

func spent(v *float64, currency string) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.4f %s", *v, currency)
}

func localTime(t time.Time, zone string) string {
	if z, err := time.LoadLocation(zone); err == nil { // else in UTC, which it says
		t = t.In(z)
	}
	return t.Format("2006-01-02 15:04")
}

func runCostForecast(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var s client.CostScope
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&s.Team, "team", "", "of this team's agents alone")
	fs.StringVar(&s.Agent, "agent", "", "of this agent alone")
	fs.StringVar(&s.Environment, "environment", "", "of this environment alone")
	if err := parse(fs, args); err != nil {
		return err
	}
	f, err := r.client().ForecastCost(ctx, s)
	if err != nil {
		return err
	}
	return r.print(e.stdout, f, func(w io.Writer) {
		fmt.Fprintf(w, "spent until now: %s (%d calls without a price)\n", spent(&f.Spent, f.Currency), f.Unpriced)
		if f.Expected == nil {
			fmt.Fprintf(w, "no forecast: %s\n", f.Why)
		} else {
			fmt.Fprintf(w, "at the end of the month: %s, between %s and %s in 95 of 100 cases\nfrom %d days; %s\n", spent(f.Expected, f.Currency), spent(f.Low, f.Currency), spent(f.High, f.Currency), f.Days, f.Method)
		}
		for _, b := range f.Budgets {
			ahead := "its agents' cost is not forecast"
			if b.Expected != nil && b.Chance != nil {
				ahead = fmt.Sprintf("expected %.2f USD, passed with chance %.0f %%", *b.Expected, 100**b.Chance)
			}
			fmt.Fprintf(w, "budget %s: %.2f of %.2f USD; %s\n", b.Name, b.Spent, b.Limit, ahead)
		}
		for _, x := range f.Anomalies {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.At.Format(time.RFC3339), x.Detector, word(x.Agent), word(x.Text))
		}
	})
}

func runCostDepend(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var s client.CostScope
	fs := c.flags(e)
	r.bind(fs)
	scopeFlags(fs, &s, true)
	if err := parse(fs, args); err != nil {
		return err
	}
	d, err := r.client().Dependency(ctx, s)
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) {
		fmt.Fprintf(w, "%d calls; two picked at random go to the same provider with chance %.2f (evenly spread: %.2f)\n", d.Calls, d.Concentration, d.Even)
		for _, part := range []struct {
			head string
			of   []client.DependencyShare
		}{{"PROVIDER", d.Providers}, {"MODEL", d.Models}, {"REGION", d.Regions}} {
			fmt.Fprintf(w, "\n%s\tSHARE\tCALLS A DAY\tCOST\tAGENTS\tRUNS\tUSERS\tDEPRECATED\tFALLBACK\n", part.head)
			for _, x := range part.of {
				from, fallback := "-", "none"
				if x.Deprecated != nil {
					from = x.Deprecated.Format(time.DateOnly)
				}
				if len(x.Fallbacks) > 0 {
					fallback = strings.Join(x.Fallbacks, ",")
				}
				fmt.Fprintf(w, "%s\t%.1f%%\t%.1f\t%s\t%d\t%d\t%d\t%s\t%s\n", word(x.Name), 100*x.Share, x.Daily, spent(x.Cost, d.Currency), len(x.Agents), x.Runs, x.Users, from, fallback)
			}
		}
	})
}

const savingsHelp = `
Looks for what could have been saved: prompts that the provider's cache would
have held, prompts that grew beyond four times a run's first, and tool calls made
again with the same arguments. Each has its figure, priced by the price book, and
the runs that it comes from; "proved" is what their recorded messages show. Below
stand the newest 20 proofs of cheaper models, by recorded replays, which are of no
period: reeve experiment start AGENT --model NAME makes one.

  reeve cost savings --from -7d`

func runCostSavings(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var s client.CostScope
	fs := c.flags(e)
	r.bind(fs)
	scopeFlags(fs, &s, false)
	if err := parse(fs, args); err != nil {
		return err
	}
	x, err := r.client().Savings(ctx, s)
	if err != nil {
		return err
	}
	proofs, err := r.client().ListExperiments(ctx, client.ListExperimentsRequest{Kind: "proof", Limit: 20})
	if err != nil {
		return err
	}
	of := savingsAndProofs{x, proofs.Items}
	return r.print(e.stdout, of, func(w io.Writer) {
		cut := ""
		if x.Cut {
			cut = ", of more"
		}
		fmt.Fprintf(w, "%d calls were looked at%s\n", x.Looked, cut)
		for _, i := range x.Items {
			bound := ""
			if i.AtMost {
				bound = "at most "
			}
			fmt.Fprintf(w, "\n%s: %s%s of %d calls (%d without a price)\n  %s\n  do: %s\n  of the runs below %.4f, proved %.4f\n", i.Title, bound, spent(i.Figure, x.Currency), i.Calls, i.Unpriced, i.How, i.Do, i.Checked, i.Proved)
			for _, a := range i.Agents {
				fmt.Fprintf(w, "  %s\t%s\t%.4f\t%d calls\n", word(a.Agent), word(a.Model), a.Figure, a.Calls)
			}
			for _, q := range i.Runs {
				fmt.Fprintf(w, "  %s\t%s\t%.4f\t%s\n", q.Run, word(q.Agent), q.Figure, word(q.What))
			}
		}
		proofLines(w, of.Proofs)
	})
}

// savingsAndProofs is what `cost savings` prints: the figures of a period, and the proofs
// of cheaper models that there are.
type savingsAndProofs struct {
	*client.Savings
	Proofs []client.Experiment `json:"proofs"`
}

// proofLines list proofs of cheaper models as the page Cost does.
func proofLines(w io.Writer, all []client.Experiment) {
	fmt.Fprintln(w, "\nCheaper models, by recorded replays")
	if len(all) == 0 {
		fmt.Fprintln(w, "  none was tried: reeve experiment start AGENT --model NAME --evaluator NAME")
		return
	}
	fmt.Fprintln(w, "  PROOF\tAT\tAGENT\tMODEL\tRUNS\tCOST, USD\tWOULD COST\tQUALITY, POINTS\tSAYS")
	usd := func(v *float64) string {
		if v == nil {
			return "unknown"
		}
		return fmt.Sprintf("%.6f", *v)
	}
	for i := range all {
		x := &all[i]
		model, runs, before, now, quality, says := "", x.State, "-", "-", "-", x.Why
		if x.Proof != nil {
			model = x.Proof.Model
		}
		if v := x.Proves; v != nil && x.State == "done" {
			runs, before, now, quality = fmt.Sprintf("%d of %d", v.Compared, v.Compared+v.Unknown), usd(v.Before), usd(v.Now), pointsText(v.Quality)
			switch {
			case v.Quality.Low != nil && *v.Quality.Low > -asGood:
				says = "as good"
			case v.Quality.High != nil && *v.Quality.High < 0:
				says = "worse"
			default:
				says = "not known yet"
			}
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.At.Local().Format(time.DateTime), x.Agent, word(model), runs, before, now, quality, word(says))
	}
}

// asGood is by how much the share that passes may be lower, at the end of its interval,
// and still be as good (docs/experiments.md).
const asGood = .05

func runCostIdle(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.IdleRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.IntVar(&req.Days, "days", 0, "without a run; 30 by default")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListIdleAgents(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tTEAM\tOWNER\tLIFECYCLE\tLAST SEEN")
		for _, a := range list.Items {
			seen := "never"
			if a.LastSeen != nil {
				seen = a.LastSeen.Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Agent, word(a.Team), word(a.Owner), a.Lifecycle, seen)
		}
	})
}

const costFileHelp = `
Writes a month as a file to hand on: chargeback (cost centre, team, agent, model)
or focus (FOCUS 1.2 of finops.org: one row a day, provider, model and agent). The
file goes to standard output, what is not in it to standard error.

  reeve cost file chargeback --month 2026-10 > chargeback.csv
  reeve cost file focus > focus.csv        # the month before`

func runCostFile(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CostFileRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Month, "month", "", "a month such as 2026-10; the one before by default")
	fs.StringVar(&req.Team, "team", "", "of this team's agents alone")
	var err error
	if req.Kind, err = oneWord(fs, args, "chargeback or focus"); err != nil {
		return err
	}
	f, err := r.client().CostFile(ctx, req)
	if err != nil {
		return err
	}
	if r.output == "json" {
		return r.print(e.stdout, f, nil)
	}
	if f.Unpriced > 0 {
		hint(e.stderr, fmt.Sprintf("%d calls have no price and are not in its money", f.Unpriced))
	}
	_, err = io.WriteString(e.stdout, f.Text)
	return err
}

func runCostReport(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CostReportRequest
	var pdf string
	var send bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Month, "month", "", "a month such as 2026-10; the one before by default")
	fs.StringVar(&req.Team, "team", "", "of this team's agents alone")
	fs.StringVar(&pdf, "pdf", "", "write it as a PDF to this file")
	fs.BoolVar(&send, "send", false, "mail it now to those whom the settings name, with its PDF (admin)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if send {
		if pdf != "" || req.Team != "" {
			return fmt.Errorf("%w: --send mails the report of every team; it takes neither --pdf nor --team", errUsage)
		}
		s, err := r.client().SendCostReport(ctx, client.SendCostReportRequest{Month: req.Month})
		if err != nil {
			return err
		}
		return r.print(e.stdout, s, func(w io.Writer) {
			fmt.Fprintf(w, "it goes out by %s to %s; `reeve channel deliveries` says what came of it\n", word(s.Report.Channel), show(strings.Join(s.Report.To, ", ")))
		})
	}
	req.PDF = pdf != ""
	x, err := r.client().CostReport(ctx, req)
	if err != nil {
		return err
	}
	if pdf != "" {
		raw, err := base64.StdEncoding.DecodeString(x.PDF)
		if err != nil {
			return fmt.Errorf("reading the PDF: %w", err)
		}
		return os.WriteFile(pdf, raw, 0o600)
	}
	return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprint(w, x.Text) })
}

const costSettingsHelp = `
Shows how money is counted, or sets it from a YAML file (admin). A file replaces
all of it; -o json shows what there is in the same words.

  currency: EUR                # that figures are shown in
  zone: Europe/Vienna          # of days and months
  people_hour: 60              # what an hour of people costs, in currency
  rates:                       # dollars for one unit, from a day on
    - {currency: EUR, from: 2026-01-01, dollars: 1.08}
  centres:                     # the first that fits; else the agent's label cost_centre
    - {centre: "4711", team: support}
    - {centre: "4712", agent: "sales-*"}
  report:                      # by mail, of each month
    {channel: mail, to: [finance@example.com], day: 2}

  reeve cost settings
  reeve cost settings --file money.yaml`

func runCostSettings(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var file string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&file, "file", "", "set them from this YAML file")
	if err := parse(fs, args); err != nil {
		return err
	}
	s, err := r.client().GetCostSettings(ctx)
	if err != nil {
		return err
	}
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		next := client.CostSettings{}
		if err := yaml.UnmarshalWithOptions(text, &next, yaml.Strict(), yaml.UseJSONUnmarshaler()); err != nil {
			return fmt.Errorf("%w: %s: %s", errUsage, file, yaml.FormatError(err, false, true))
		}
		next.Revision = s.Revision
		if s, err = r.client().PutCostSettings(ctx, next); err != nil {
			return err
		}
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "figures in %s, days and months of %s, revision %d\n", s.Currency, s.Zone, s.Revision)
		if s.Hour > 0 {
			fmt.Fprintf(w, "an hour of people costs %.2f %s\n", s.Hour, s.Currency)
		}
		for _, x := range s.Rates {
			fmt.Fprintf(w, "rate\t%s\tfrom %s\t%g USD\n", x.Currency, x.From, x.Dollars)
		}
		for _, x := range s.Centres {
			fmt.Fprintf(w, "centre\t%s\tteam %s\tagent %s\tenvironment %s\n", x.Centre, show(x.Team), show(x.Agent), show(x.Environment))
		}
		if s.Report.Channel != "" {
			fmt.Fprintf(w, "report\tby %s to %s\ton day %d\n", s.Report.Channel, show(strings.Join(s.Report.To, ", ")), s.Report.Day)
			fmt.Fprintf(w, "\tnext %s, last %s\n", when(s.Report.NextAt), cmp.Or(s.Report.LastMonth, "none"))
		}
	})
}
