package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func objectiveCommands() []command {
	return []command{
		{name: "objective list", args: "[flags]", short: "list objectives with what is left of their budgets", long: objectiveHelp, run: runObjectiveList},
		{name: "objective show", args: "[flags] NAME", short: "show an objective, its alerts and what spent its budget", long: objectiveHelp, run: runObjectiveShow},
		{name: "objective add", args: "[flags] NAME", short: "make or change an objective", long: objectiveHelp, run: runObjectiveAdd},
		{name: "objective delete", args: "[flags] NAME", short: "drop an objective", run: runObjectiveDelete},
		{name: "objective proposals", args: "[flags]", short: "list changes of autonomy that budgets speak for", run: runObjectiveProposals},
		{name: "objective accept", args: "[flags] PROPOSAL", short: "change an agent's autonomy as proposed", run: runObjectiveDecide(true)},
		{name: "objective decline", args: "[flags] PROPOSAL", short: "leave an agent's autonomy as it is", run: runObjectiveDecide(false)},
	}
}

const objectiveHelp = `
An objective says what a KPI should come to. What may go wrong until it does not is
its budget, and how fast that is spent raises alarms (docs/objectives.md).

  reeve objective add refund-done --kpi task_completion --agent refund-agent --target 0.95
  reeve objective add refund-fast --kpi run_latency_p95 --agent refund-agent --limit 8000 --target 0.95
  reeve objective add refund-people --kpi escalation_rate --agent refund-agent --target 0.10
  reeve objective add accuracy --kpi answer_accuracy --target 0.95 --stream --labels 500
  reeve objective show refund-done
  reeve apply -f slo.yaml        # documents of OpenSLO

The target of a share is the share itself: at least it, or at most it where less is
better. Of a KPI that has values (latency, cost) --limit is what a record may come
to, and the target is the share of records that keep it. With --slice slices of
time are counted: one is good when the KPI's figure in it keeps the limit.`

// objectiveRequest is an objective as the flags or a file give it.
func bindObjective(fs *flag.FlagSet, req *client.PutObjectiveRequest) (window *client.ObjectiveWindow, stream *bool, flow *client.ObjectiveStream, limit *string) {
	window, flow = &client.ObjectiveWindow{}, &client.ObjectiveStream{}
	fs.StringVar(&req.KPI, "kpi", "", "the KPI: reeve kpi list")
	fs.StringVar(&req.Title, "title", "", "what it is called")
	fs.StringVar(&req.Text, "text", "", "in words, a line")
	fs.Float64Var(&req.Target, "target", 0, "from 0 to 1")
	limit = fs.String("limit", "", "what a record's value, a slice's figure or the events of a run may come to")
	fs.StringVar(&req.Slice, "slice", "", "count slices of time: 1h")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Version, "version", "", "only of this version")
	fs.StringVar(&req.Task, "task", "", "only of this task")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only in this environment")
	fs.StringVar(&window.Rolling, "window", "", "over the last: 30d (the default)")
	fs.StringVar(&window.Calendar, "calendar", "", "or over each day, week, month, quarter, year")
	fs.StringVar(&window.Zone, "zone", "", "time zone of the calendar")
	stream = fs.Bool("stream", false, "watch verdicts one by one by an anytime-valid sequence")
	fs.Int64Var(&flow.Labels, "labels", 0, "over so many labelled runs (default 500)")
	fs.StringVar(&flow.Within, "within", "", "or so long (default 24h)")
	fs.Float64Var(&flow.Alpha, "alpha", 0, "chance that a good stream ever alarms (default 0.05)")
	fs.Float64Var(&req.Coverage, "coverage", 0, "share of the records that must be known (default 0.3)")
	fs.Int64Var(&req.Minimum, "minimum", 0, "records below which the budget is not called spent (default 50)")
	fs.BoolVar(&req.Propose, "propose", false, "propose a lasting change of the agent's autonomy, down or up")
	return window, stream, flow, limit
}

func runObjectiveAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutObjectiveRequest
	fs := c.flags(e)
	r.bind(fs)
	window, stream, flow, limit := bindObjective(fs, &req)
	file := fs.String("f", "", "read it from a file in YAML or JSON, by the API's names; - is standard input")
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	name, err := oneWord(fs, args, "objective")
	if err != nil {
		return err
	}
	if *file != "" {
		reason := req.Reason
		req = client.PutObjectiveRequest{}
		if err := readYAML(e, *file, &req); err != nil {
			return err
		}
		req.Reason = reason
	} else {
		if *limit != "" {
			var v float64
			if _, err := fmt.Sscanf(*limit, "%g", &v); err != nil {
				return fmt.Errorf("%w: --limit is a number", errUsage)
			}
			req.Limit = &v
		}
		if *window != (client.ObjectiveWindow{}) {
			req.Window = window
		}
		if *stream {
			req.Stream = flow
		}
	}
	req.Name = name
	api := r.client()
	if have, err := api.GetObjective(ctx, client.ObjectiveRequest{Name: name}); err == nil {
		req.Revision = have.Revision
	} else if !missing(err) {
		return err
	}
	o, err := api.PutObjective(ctx, req)
	if err != nil {
		return err
	}
	for _, w := range o.Status.Warnings {
		fmt.Fprintf(e.stderr, "reeve: warning: %s\n", word(w))
	}
	return r.print(e.stdout, o, func(w io.Writer) {
		fmt.Fprintf(w, "objective %s is in force, revision %d\n", o.Name, o.Revision)
	})
}

func runObjectiveList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListObjectivesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only in this environment")
	fs.StringVar(&req.State, "state", "", "only in this state: met, burning, missed, spent, frozen, no_data")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListObjectives(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tSTATE\tLEFT\tVALUE\tWANTED\tN\tCOVERED\tAGENT\tWINDOW")
		for i := range list.Items {
			o := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", o.Name, o.Status.State, seenShare(o.Status.Left), objectiveValue(o), objectiveWanted(o), o.Status.N, seenShare(o.Status.Coverage), show(word(o.Agent)), windowText(o.Window))
		}
	})
}

// objectiveValue is what an objective's own figure comes to: a share of records,
// or events by run.
func objectiveValue(o *client.Objective) string {
	if o.Target == 0 && o.Limit != nil {
		return inUnit("count", o.Status.Value)
	}
	return inUnit("share", o.Status.Value)
}

// objectiveWanted is an objective in a few words.
func objectiveWanted(o *client.Objective) string {
	share := fmt.Sprintf("%.4g %%", 100*o.Target)
	bound := map[string]string{"up": "at least", "down": "at most"}[o.Direction]
	switch {
	case o.Limit == nil:
		return bound + " " + share
	case o.Target == 0:
		return fmt.Sprintf("at most %.4g a run", *o.Limit)
	case o.Slice != "":
		return fmt.Sprintf("%s %s in %s of slices of %s", bound, inUnit(o.Unit, o.Limit), share, o.Slice)
	}
	return fmt.Sprintf("%s %s in %s", bound, inUnit(o.Unit, o.Limit), share)
}

func windowText(w client.ObjectiveWindow) string {
	if w.Calendar != "" {
		return strings.TrimSpace("each " + w.Calendar + " " + w.Zone)
	}
	return "last " + w.Rolling
}

func runObjectiveShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "objective")
	if err != nil {
		return err
	}
	o, err := r.client().GetObjectiveStatus(ctx, client.ObjectiveRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, o, func(w io.Writer) { showObjective(w, o) })
}

func showObjective(w io.Writer, o *client.ObjectiveStatus) {
	s := &o.Status
	fmt.Fprintf(w, "%s\t%s\n", o.Name, word(o.Title))
	fmt.Fprintf(w, "wanted\t%s %s\n", o.KPI, objectiveWanted(&o.Objective))
	fmt.Fprintf(w, "window\t%s\n", windowText(o.Window))
	fmt.Fprintf(w, "state\t%s\n", s.State)
	if s.Why != "" {
		fmt.Fprintf(w, "why\t%s\n", word(s.Why))
	}
	unit := "share"
	if o.Target == 0 && o.Limit != nil {
		unit = "count"
	}
	fmt.Fprintf(w, "value\t%s", inUnit(unit, s.Value))
	if s.Low != nil && s.High != nil {
		fmt.Fprintf(w, " (%s to %s) of %d, covered %s", inUnit(unit, s.Low), inUnit(unit, s.High), s.N, show(seenShare(s.Coverage)))
	}
	fmt.Fprintln(w)
	if s.Allowed != nil {
		fmt.Fprintf(w, "budget\t%.4g bad of %.4g allowed, %s left\n", s.Bad, *s.Allowed, seenShare(s.Left))
	}
	if x := s.Stream; x != nil {
		fmt.Fprintf(w, "stream\t%d of %d labelled runs are good (%.1f to %.1f %%); worth %.3g, and %.3g alarms\n", x.Passed, x.N, 100*x.Low, 100*x.High, x.Worth, x.Needs)
	}
	for _, h := range s.Alarms {
		fmt.Fprintf(w, "alarm\t%s since %s: %s\t%s\n", h.Severity, when(&h.Since), word(h.Text), h.Finding)
	}
	for _, t := range s.Warnings {
		fmt.Fprintf(w, "warning\t%s\n", word(t))
	}
	if p := o.Proposal; p != nil {
		fmt.Fprintf(w, "proposed\t%s from %s to %s: %s\t%s\n", word(p.Agent), p.From, p.To, word(p.Why), p.ID)
	}
	if len(s.Burns) > 0 {
		fmt.Fprintln(w, "\nALERT\tOVER\tFIRES AT\tBURNS\tBURNS NOW\tCHANCE\tFIRES")
		for _, b := range s.Burns {
			fmt.Fprintf(w, "%s\t%s, %s\t%.4g\t%s\t%s\t%.2g\t%t\n", b.Severity, b.Long, b.Short, b.Factor, inUnit("count", b.LongRate), inUnit("count", b.ShortRate), b.Chance, b.Fires)
		}
	}
	if len(o.Spent) > 0 {
		fmt.Fprintln(w, "\nSPENT BY\tNAME\tBAD\tOF\tSHARE")
		for _, x := range o.Spent {
			fmt.Fprintf(w, "%s\t%s\t%.4g\t%d\t%.0f %%\n", x.By, show(word(x.Name)), x.Bad, x.N, 100*x.Share)
		}
	}
	if len(o.Runs) > 0 {
		fmt.Fprintln(w, "\nRUN\tENDED\tOUTCOME\tVERSION\tTASK\tERROR")
		for _, x := range o.Runs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, when(x.EndedAt), show(x.Outcome), word(x.Version), word(x.Task), word(x.Error))
		}
	}
	if o.Records != "" {
		fmt.Fprintf(w, "\nall of them: reeve %s list '%s'\n", strings.TrimSuffix(o.Table, "s"), word(o.Records))
	}
}

func runObjectiveDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteObjectiveRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
	var err error
	if req.Name, err = oneWord(fs, args, "objective"); err != nil {
		return err
	}
	if err := r.client().DeleteObjective(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s is gone\n", req.Name)
	return nil
}

func runObjectiveProposals(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListObjectiveProposalsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Objective, "objective", "", "only of this objective")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.State, "state", "", "only open, accepted, declined or lapsed")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListObjectiveProposals(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSTATE\tAGENT\tFROM\tTO\tAT\tOBJECTIVE\tWHY")
		for i := range list.Items {
			p := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.State, word(p.Agent), p.From, p.To, when(&p.At), p.Objective, word(p.Why))
		}
	})
}

// runObjectiveDecide accepts or declines a proposal.
func runObjectiveDecide(accept bool) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var req client.DecideObjectiveProposalRequest
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&req.Reason, "reason", "", "why; it is recorded")
		var err error
		if req.ID, err = oneWord(fs, args, "proposal"); err != nil {
			return err
		}
		decide := r.client().DeclineObjectiveProposal
		if accept {
			decide = r.client().AcceptObjectiveProposal
		}
		p, err := decide(ctx, req)
		if err != nil {
			return err
		}
		return r.print(e.stdout, p, func(w io.Writer) {
			if accept {
				fmt.Fprintf(w, "%s is %s now\n", word(p.Agent), p.To)
				return
			}
			fmt.Fprintf(w, "%s stays %s\n", word(p.Agent), p.From)
		})
	}
}
