package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func outcomeCommands() []command {
	return []command{
		{name: "outcome show", args: "[flags] RUN", short: "say how a run ended for its user, and why it counts so", long: outcomeHelp, run: runOutcomeShow},
		{name: "outcome report", args: "[flags] OUTCOME", short: "report what a downstream system says of how a run ended", long: outcomeHelp, run: runOutcomeReport},
		{name: "outcome decide", args: "[flags] RUN OUTCOME", short: "decide how a run ended; it holds over all evidence", long: outcomeHelp, run: runOutcomeDecide},
		{name: "outcome evidence", args: "[flags]", short: "list evidence about outcomes", long: outcomeHelp, run: runOutcomeEvidence},
		{name: "outcome rules", args: "[flags]", short: "list rules about outcomes, deadlines and stuck runs", long: outcomeRuleHelp, run: runOutcomeRules},
		{name: "outcome rule try", args: "[flags] [NAME]", short: "say what a rule about outcomes would say of recent runs, without keeping it", long: outcomeRuleHelp, run: runOutcomeRuleTry},
		{name: "outcome rule set", args: "[flags] NAME", short: "make or change a rule about outcomes", long: outcomeRuleHelp, run: runOutcomeRuleSet},
		{name: "outcome rule delete", args: "[flags] NAME", short: "drop a rule about outcomes", run: runOutcomeRuleDelete},
	}
}

const outcomeHelp = `
How a run ended for its user. What an agent says of itself is a claim; the outcome
is decided by evidence, the strongest kind first: a person's decision, an event of
a downstream system, the user's feedback, a rule, a judge. What nobody spoke of is
settled by what the run shows once its window has passed (reeve outcome rules shows
the windows): deflected, contained, implied_resolved, escalated, abandoned, failed.

  reeve outcome show run_...
  reeve outcome report --source orders --key order_id=4711 --id evt_1 resolved
  reeve outcome report --source helpdesk --session s-17 --text "reopened" failed
  reeve outcome decide --reason "the customer called" run_... escalated
  reeve outcome evidence --waiting

A key is the value of the run's label join_key, or NAME=VALUE of any label. The run
may come up to 30 days after its evidence. The same source and id say it once.`

func runOutcomeShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	o, err := r.client().GetRunOutcome(ctx, client.RunRequest{ID: id})
	return r.outcome(e, o, err)
}

func (r *remote) outcome(e env, o *client.RunOutcome, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, o, func(w io.Writer) {
		fmt.Fprintf(w, "outcome\t%s\n", show(o.Outcome))
		if o.Decided != "" && o.Decided != o.Outcome {
			fmt.Fprintf(w, "decided\t%s (it is counted in a moment)\n", o.Decided)
		}
		fmt.Fprintf(w, "why\t%s\n", word(o.Why))
		if o.SettlesAt != nil {
			fmt.Fprintf(w, "settles\t%s (window %s)\n", when(o.SettlesAt), o.Window)
		}
		if o.Waiting != nil {
			fmt.Fprintf(w, "waited\t%s for people\n", (time.Duration(*o.Waiting) * time.Millisecond).Round(time.Second))
		}
		if len(o.Evidence) > 0 {
			fmt.Fprintln(w)
			evidenceTable(w, o.Evidence)
		}
	})
}

func evidenceTable(w io.Writer, list []client.OutcomeEvidence) {
	fmt.Fprintln(w, "KIND\tSOURCE\tSAYS\tAT\tABOUT\tTEXT\tCOUNTS")
	for _, x := range list {
		about := x.RunID
		switch {
		case about != "" && x.Waiting:
			about += ", waits"
		case about != "":
		case x.Session != "":
			about = "session " + x.Session + ", waits"
		default:
			about = x.Key + ", waits"
		}
		counts := ""
		if x.Counts {
			counts = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Kind, word(x.Source), x.Outcome, when(&x.At), word(about), word(x.Text), counts)
	}
}

func runOutcomeReport(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ReportOutcomeRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Kind, "kind", "event", "event, feedback or judge")
	fs.StringVar(&req.Source, "source", "", "who says it: a short word such as orders")
	fs.StringVar(&req.SenderID, "id", "", "the sender's own id of it; the same source and id say it once")
	fs.StringVar(&req.RunID, "run", "", "the run's id")
	fs.StringVar(&req.Session, "session", "", "the session: its last run that had begun")
	fs.StringVar(&req.Key, "key", "", "the value of the run's label join_key, or NAME=VALUE of any label")
	fs.StringVar(&req.Team, "team", "", "whose run; left out: your team")
	fs.StringVar(&req.Environment, "environment", "", "only a run of this environment")
	fs.StringVar(&req.Text, "text", "", "in words, a line")
	at := fs.String("at", "", "when it happened, RFC 3339; left out: now")
	var err error
	if req.Outcome, err = oneWord(fs, args, "outcome"); err != nil {
		return err
	}
	if *at != "" {
		t, err := time.Parse(time.RFC3339, *at)
		if err != nil {
			return fmt.Errorf("%w: --at is no time: %s", errUsage, *at)
		}
		req.At = &t
	}
	x, err := r.client().ReportOutcome(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { evidenceTable(w, []client.OutcomeEvidence{*x}) })
}

func runOutcomeDecide(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DecideOutcomeRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	given, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(given) != 2 {
		return fmt.Errorf("%w: give the run and the outcome", errUsage)
	}
	req.ID, req.Outcome = given[0], given[1]
	o, err := r.client().DecideOutcome(ctx, req)
	return r.outcome(e, o, err)
}

func runOutcomeEvidence(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListEvidenceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "about runs of this agent alone")
	fs.StringVar(&req.Team, "team", "", "of this team alone")
	fs.StringVar(&req.Kind, "kind", "", "person, event, feedback or judge")
	fs.BoolVar(&req.Waiting, "waiting", false, "only what has not found its run")
	fs.IntVar(&req.Limit, "limit", 0, "at most so many; 0 is 100")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListEvidence(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) { evidenceTable(w, list.Items) })
}

const outcomeRuleHelp = `
A rule says how the runs that a search finds ended, unless an event, the user or a
person says otherwise; or how long they may take (--deadline) and be without news
(--stuck): a run beyond that is a finding. A run's own label deadline (RFC 3339)
counts as well.

  reeve outcome rule set issued --where 'task:refund any(kind:tool name:issue_refund status:ok)' --outcome resolved
  reeve outcome rule set claims --where 'task:claims mode:asynchronous' --deadline 72h --stuck 4h
  reeve outcome rule try --where 'task:refund any(kind:tool name:issue_refund status:ok)' --outcome resolved

try needs no name; with one it stands in for that rule. What was settled before a
rule was set stays as it is.`

func runOutcomeRules(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListOutcomeRules(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintf(w, "runs are settled after their end: interactive %s, autonomous %s, asynchronous %s\n\n", list.Windows["interactive"], list.Windows["autonomous"], list.Windows["asynchronous"])
		fmt.Fprintln(w, "NAME\tWHERE\tOUTCOME\tDEADLINE\tSTUCK\tTEAM\tBY\tREVISION")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", x.Name, word(x.Where), x.Outcome, x.Deadline, x.Stuck, word(x.Team), word(x.By), x.Revision)
		}
	})
}

// outcomeRuleFlags are what try and set share.
type outcomeRuleFlags struct{ where, outcome, deadline, stuck, team, environment string }

func (x *outcomeRuleFlags) bind(fs *flag.FlagSet) {
	fs.StringVar(&x.where, "where", "", "which runs, as a search")
	fs.StringVar(&x.outcome, "outcome", "", "how they ended")
	fs.StringVar(&x.deadline, "deadline", "", "how long they may take, such as 72h")
	fs.StringVar(&x.stuck, "stuck", "", "how long they may be without news")
	fs.StringVar(&x.team, "team", "", "only runs of this team")
	fs.StringVar(&x.environment, "environment", "", "only in this environment")
}

func runOutcomeRuleTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var x outcomeRuleFlags
	var days int
	fs := c.flags(e)
	r.bind(fs)
	x.bind(fs)
	fs.IntVar(&days, "days", 0, "how far back; 0 is 30")
	given, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(given) > 1 {
		return fmt.Errorf("%w: give at most one rule", errUsage)
	}
	t, err := r.client().TryOutcomeRule(ctx, client.TryOutcomeRuleRequest{
		Name: strings.Join(given, ""), Where: x.where, Outcome: x.outcome, Deadline: x.deadline, Stuck: x.stuck, Team: x.team, Environment: x.environment, Days: days,
	})
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		of := "all"
		if !t.Whole {
			of = "the newest"
		}
		fmt.Fprintf(w, "it finds %d runs (%s of them since %s)\n", t.Found, of, t.From.Format(time.DateOnly))
		if x.outcome != "" {
			fmt.Fprintf(w, "decided by it\t%d, %d otherwise than now\n", t.Decides, t.Changes)
			fmt.Fprintf(w, "stronger evidence\t%d\n", t.Stronger)
			fmt.Fprintf(w, "not settled yet\t%d\n", t.Waits)
		}
		if x.deadline != "" || x.stuck != "" {
			fmt.Fprintf(w, "late now\t%d\n", t.Late)
		}
		if len(t.Runs) > 0 {
			fmt.Fprintln(w, "\nRUN\tAGENT\tNOW\tTHEN\tLATE")
		}
		for _, x := range t.Runs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.RunID, word(x.Agent), show(x.Now), show(x.Then), word(x.Late))
		}
	})
}

func runOutcomeRuleSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var x outcomeRuleFlags
	var req client.PutOutcomeRuleRequest
	fs := c.flags(e)
	r.bind(fs)
	x.bind(fs)
	fs.StringVar(&req.Text, "text", "", "in words, a line")
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	var err error
	if req.Name, err = oneWord(fs, args, "rule"); err != nil {
		return err
	}
	req.Where, req.Outcome, req.Deadline, req.Stuck, req.Team, req.Environment = x.where, x.outcome, x.deadline, x.stuck, x.team, x.environment
	list, err := r.client().ListOutcomeRules(ctx)
	if err != nil {
		return err
	}
	for _, x := range list.Items {
		if x.Name == req.Name {
			req.Revision = x.Revision
		}
	}
	kept, err := r.client().PutOutcomeRule(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, kept, func(w io.Writer) { fmt.Fprintf(w, "rule %s is in force, revision %d\n", kept.Name, kept.Revision) })
}

func runOutcomeRuleDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteOutcomeRuleRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	var err error
	if req.Name, err = oneWord(fs, args, "rule"); err != nil {
		return err
	}
	if err := r.client().DeleteOutcomeRule(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "rule %s is gone; what it decided stays until its runs are settled again\n", req.Name)
	return nil
}
