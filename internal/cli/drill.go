package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func drillCommands() []command {
	return []command{
		{name: "drill set", args: "[flags] DRILL", short: "try a failover at times: an upstream taken as down for an agent's cases", long: drillHelp, run: runDrillSet},
		{name: "drill list", args: "[flags]", short: "list failover drills with what they came to last", run: runDrillList},
		{name: "drill show", args: "[flags] DRILL", short: "show a failover drill with its history", run: runDrillShow},
		{name: "drill run", args: "[flags] DRILL", short: "try a failover now", run: runDrillRun},
		{name: "drill remove", args: "[flags] DRILL", short: "end a failover drill; its experiments stay", run: runDrillRemove},
	}
}

const drillHelp = `
A failover drill takes an upstream with models as down, in its own tests alone, and puts
an agent's cases once with it and once without: the cases of a data set, for which the
agent is invoked, or recorded runs that are replayed. It says whether what stands in
answered, how long that took, what it cost, and how many answers still pass. Live calls
go where they always do. docs/drills.md tells how.

  reeve drill set openai-down --agent refund --upstream openai --dataset refunds --at 04:30 --zone Europe/Berlin
  reeve drill set openai-replay --agent refund --upstream openai --runs 40 --evaluator grounded --every 7d
  reeve drill run openai-down --wait

A drill fails, and raises an alert, where fewer cases than --least are answered, where the
share that passes falls for certain by more than --tolerance, or where the upstream has no
fallback any more.`

func runDrillSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutDrillRequest
	var evaluators string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Agent, "agent", "", "the agent (needed)")
	fs.StringVar(&in.Upstream, "upstream", "", "what is taken as down (needed)")
	fs.StringVar(&in.Dataset, "dataset", "", "whose cases the agent is invoked with")
	fs.IntVar(&in.Runs, "runs", 0, "in place of a data set: the newest recorded runs, at most so many")
	fs.StringVar(&in.Model, "model", "", "of --runs: the model that is asked; as recorded where none is given")
	fs.StringVar(&evaluators, "evaluator", "", "evaluators that look at each answer, with commas")
	fs.Float64Var(&in.Least, "least", 1, "share of cases that has to be answered")
	fs.Float64Var(&in.Tolerance, "tolerance", .1, "by how much the share that passes may fall")
	fs.StringVar(&in.Every, "every", "", "by time: 24h, 7d")
	fs.StringVar(&in.At, "at", "", "each day at a time: 04:30")
	fs.StringVar(&in.Zone, "zone", "", "of --at: Europe/Berlin; UTC where none is given")
	fs.BoolVar(&in.Paused, "paused", false, "keep it and do not run it by time")
	var err error
	if in.Name, err = oneWord(fs, args, "drill"); err != nil {
		return err
	}
	if in.Agent == "" || in.Upstream == "" || (in.Dataset == "") == (in.Runs == 0) {
		return fmt.Errorf("%w: give --agent, --upstream, and --dataset or --runs", errUsage)
	}
	in.Evaluators = split(evaluators)
	was, err := r.client().GetDrill(ctx, client.NameRequest{Name: in.Name})
	var p *client.Problem
	switch {
	case err == nil:
		in.Revision = was.Revision
	case !errors.As(err, &p) || p.Code != "experiment.not_found":
		return err
	}
	d, err := r.client().PutDrill(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) { drillLines(w, d) })
}

// drillWhen is a drill's schedule in words.
func drillWhen(d *client.Drill) string {
	switch {
	case d.Paused:
		return "paused"
	case d.Every != "":
		every, err := time.ParseDuration(d.Every)
		if err == nil && every%(24*time.Hour) == 0 {
			return fmt.Sprintf("every %dd", every/(24*time.Hour))
		}
		return "every " + d.Every
	case d.At != "":
		zone := d.Zone
		if zone == "" {
			zone = "UTC"
		}
		return "daily at " + d.At + " " + zone
	}
	return "when asked"
}

func drillState(d *client.Drill) string {
	switch {
	case d.Running != "":
		return "running"
	case d.Failing:
		return "FAILING"
	case d.Trouble != "":
		return "no result"
	case d.Result == nil || d.Result.Came == nil:
		return "not run yet"
	}
	return d.Result.Came.Verdict
}

func pointsText(i client.Interval) string {
	if i.Value == nil {
		return "unknown"
	}
	text := fmt.Sprintf("%+.1f", 100**i.Value)
	if i.Low != nil && i.High != nil {
		text += fmt.Sprintf(" (%+.1f to %+.1f)", 100**i.Low, 100**i.High)
	}
	return text
}

func runDrillList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListDrillsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().ListDrills(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		fmt.Fprintln(w, "DRILL\tAGENT\tDOWN\tINSTEAD\tWHEN\tNEXT\tSTATE\tANSWERED\tQUALITY, POINTS\tBY")
		for i := range l.Items {
			d := &l.Items[i]
			answered, quality := "-", "-"
			if d.Result != nil && d.Result.Came != nil {
				answered, quality = shareText(d.Result.Came.Answered), pointsText(d.Result.Came.Quality)
			}
			next := "-"
			if d.NextAt != nil {
				next = when(d.NextAt)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, d.Agent, word(d.Upstream), orDash(word(strings.Join(d.Fallbacks, ","))), drillWhen(d), next, drillState(d), answered, quality, orDash(word(d.By)))
		}
	})
}

// drillLines print one with its history.
func drillLines(w io.Writer, d *client.Drill) {
	of := "data set " + d.Dataset
	if d.Runs > 0 {
		of = fmt.Sprintf("the newest %d recorded runs", d.Runs)
		if d.Model != "" {
			of += ", asked " + d.Model
		}
	}
	fmt.Fprintf(w, "drill\t%s, revision %d\t%s\n", d.Name, d.Revision, drillState(d))
	fmt.Fprintf(w, "takes\t%s as down for %s, %s\n", word(d.Upstream), d.Agent, word(of))
	fmt.Fprintf(w, "instead\t%s\n", orDash(word(strings.Join(d.Fallbacks, ", "))))
	fmt.Fprintf(w, "asks for\t%.0f %% answered, at most %.0f points of quality less\t%d compared cases or more\n", 100*d.Least, 100*d.Tolerance, d.Needs)
	if len(d.Evaluators) > 0 {
		fmt.Fprintf(w, "judged by\t%s\n", word(strings.Join(d.Evaluators, ", ")))
	}
	next := "not by time"
	if d.NextAt != nil {
		next = "next " + when(d.NextAt)
	}
	fmt.Fprintf(w, "when\t%s\t%s\tset by %s\n", drillWhen(d), next, orDash(word(d.By)))
	if d.Trouble != "" {
		fmt.Fprintf(w, "no result\t%s\n", word(d.Trouble))
	}
	for i := range d.History {
		x := &d.History[i]
		verdict, says := x.State, x.Why
		if x.Came != nil && x.State == "done" {
			verdict, says = x.Came.Verdict, x.Came.Says
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", when(&x.At), x.Experiment, verdict, word(says))
	}
}

func runDrillShow(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "drill", func(ctx context.Context, api *client.Client, name string) (*client.Drill, error) {
		return api.GetDrill(ctx, client.NameRequest{Name: name})
	}, drillLines)
}

func runDrillRun(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var wait bool
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&wait, "wait", false, "wait until it is done; it fails unless the drill passed")
	name, err := oneWord(fs, args, "drill")
	if err != nil {
		return err
	}
	d, err := r.client().RunDrill(ctx, client.NameRequest{Name: name})
	if err != nil {
		return err
	}
	mine := d.Running
	for wait && err == nil && d.Running == mine && mine != "" {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
			d, err = r.client().GetDrill(ctx, client.NameRequest{Name: name})
		}
	}
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, d, func(w io.Writer) { drillLines(w, d) }); err != nil {
		return err
	}
	if !wait {
		return nil
	}
	for i := range d.History {
		if x := &d.History[i]; x.Experiment == mine && x.State == "done" && x.Came != nil && x.Came.Verdict == "passed" {
			return nil
		}
	}
	return errors.New("the drill did not pass")
}

func runDrillRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "drill")
	if err != nil {
		return err
	}
	return r.client().DeleteDrill(ctx, client.NameRequest{Name: name})
}
