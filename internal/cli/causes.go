package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func causesCommands() []command {
	return []command{
		{name: "run different", args: "[flags] SELECTION", short: "say what sets a selection of runs apart from the rest", long: differentHelp, run: runRunDifferent},
		{name: "run suspects", args: "[flags] RUN", short: "rank the steps at which a run may have gone wrong first", long: suspectsHelp, run: runRunSuspects},
		{name: "run suspects judge", args: "[flags] RUN STEP", short: "name the step at which a run went wrong, from which the order of suspects learns", long: judgeSuspectsHelp, run: runSuspectsJudge},
		{name: "run suspects unjudge", args: "[flags] RUN", short: "take back the step that was named, with what was learned of it", long: judgeSuspectsHelp, run: runSuspectsUnjudge},
		{name: "run suspects weights", args: "[flags]", short: "list the steps that people named, and what they made of the order of suspects", long: judgeSuspectsHelp, run: runSuspectsWeights},
		{name: "run probably-failed", args: "[flags] AGENT", short: "rank an agent's unjudged runs by how likely each has failed", long: probablyHelp, run: runProbablyFailed},
	}
}

const differentHelp = `
SELECTION is a search (see reeve help run list) that holds for some of the runs. Or
select a stretch of time with --selected-from and --selected-to, alone or with a
search, or runs by their ids with --runs. What is more or less frequent among these
than among the others comes out, the strongest first, with counts and the interval of
the difference. Rows that chance would bring among so many values are left out.

  reeve run different 'any(status:error)'
  reeve run different --within agent:refund-agent 'duration>10s' --from -7d
  reeve run different --selected-from -2h --selected-to -1h --from -2d
  reeve run different --runs run_a,run_b,run_c
  reeve run different outcome:failed -o json`

func runRunDifferent(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DifferentRequest
	var ids string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Query, "within", "", "which runs at all: a search")
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.StringVar(&req.SelectedFrom, "selected-from", "", "select what began from here on")
	fs.StringVar(&req.SelectedTo, "selected-to", "", "select what began before this")
	fs.StringVar(&ids, "runs", "", "select runs by their ids, with commas between them")
	fs.IntVar(&req.Limit, "limit", 20, "at most so many rows")
	terms, err := words(fs, args)
	if err != nil {
		return err
	}
	if ids != "" {
		req.Runs = strings.Split(ids, ",")
	}
	if len(terms) == 0 && ids == "" && req.SelectedFrom == "" && req.SelectedTo == "" {
		return fmt.Errorf("%w: give a selection such as 'errors>0', a stretch of time, or --runs", errUsage)
	}
	req.Selection = strings.Join(terms, " ")
	out, err := r.client().Different(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if out.Selected == 0 || out.Rest == 0 {
			fmt.Fprintf(w, "%d runs are selected and %d are not: there is nothing to compare\n", out.Selected, out.Rest)
			return
		}
		if len(out.Items) == 0 {
			fmt.Fprintf(w, "nothing sets the %d selected runs apart from the other %d beyond chance\n", out.Selected, out.Rest)
		} else {
			fmt.Fprintln(w, "WHAT\tVALUE\tSELECTED\tREST\tDIFFERENCE\tTIMES LIKELIER")
		}
		for _, d := range out.Items {
			fmt.Fprintf(w, "%s\t%s\t%d of %d (%.0f %%)\t%d of %d (%.0f %%)\t%+.0f (%+.0f to %+.0f)\t%.1f\n", d.Name, word(d.Value),
				d.Selected, out.Selected, 100*d.Share, d.Rest, out.Rest, 100*d.RestShare, 100*d.Effect, 100*d.Low, 100*d.High, d.Lift)
		}
		first := true
		for _, m := range out.Measures {
			if !m.Clear || m.Median == nil || m.RestMedian == nil {
				continue
			}
			if first {
				fmt.Fprintln(w, "\nMEASURE\tSELECTED, MEDIAN\tREST, MEDIAN\tKNOWN FOR")
				first = false
			}
			fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%d and %d\n", m.Name, *m.Median, *m.RestMedian, m.Selected, m.Rest)
		}
		if len(out.Unread) > 0 {
			fmt.Fprintf(w, "\nNot compared, since it could not be read in time: %s.\n", strings.Join(out.Unread, ", "))
		}
		if out.Truncated {
			fmt.Fprintln(w, "\nThere are more runs: the newest were looked at.")
		}
	})
}

const suspectsHelp = `
The steps of a run compete for where it went wrong first: hard evidence (a failed or
denied call, an empty retrieval), then figures and names that nobody gave, assumptions,
repeats, and where in the run they stand. It is evidence and no verdict.`

func runRunSuspects(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	out, err := r.client().ListSuspects(ctx, client.RunRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if len(out.Asked) == 0 {
			fmt.Fprintln(w, "nothing is known to be wrong with this run: no step is blamed")
			return
		}
		if len(out.Items) == 0 {
			fmt.Fprintf(w, "none of its %d steps can be blamed: nothing is known of what they said or called\n", out.Steps)
			return
		}
		fmt.Fprintln(w, "CHANCE\tAGENT\tKIND\tNAME\tWHY\tSTEP")
		for _, s := range out.Items {
			fmt.Fprintf(w, "%.0f %%\t%s\t%s\t%s\t%s\t%s\n", 100*s.P, show(s.Agent), s.Kind, word(s.Name), strings.Join(s.Reasons, ", "), s.StepID)
		}
		if v := out.Verdict; v != nil {
			fmt.Fprintf(w, "\n%s named %s %s (%s)", v.By, v.Kind, word(v.StepName), v.StepID)
			if v.Reason != "" {
				fmt.Fprintf(w, ": %s", word(v.Reason))
			}
			fmt.Fprintln(w)
		}
		if l := out.Learned; l != nil {
			fmt.Fprintf(w, "\nThe order is learned from %d verdicts in team %s: reeve run suspects weights\n", l.Verdicts, l.Team)
		}
	})
}

const judgeSuspectsHelp = `
Each verdict moves the order of suspects in the runs of its team. What was moved is
listed against the shipped weights, and a verdict that is taken back takes its change
back.

  reeve run suspects run_...
  reeve run suspects judge run_... stp_... --reason "it took the wrong order"
  reeve run suspects unjudge run_...
  reeve run suspects weights`

func runSuspectsJudge(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.JudgeSuspectsRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why")
	terms, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(terms) != 2 {
		return fmt.Errorf("%w: give a run and a step: reeve run suspects lists them", errUsage)
	}
	req.ID, req.StepID = terms[0], terms[1]
	out, err := r.client().JudgeSuspects(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintf(w, "named %s; the order in team %s is learned from %d verdicts\n", req.StepID, out.Learned.Team, out.Learned.Verdicts)
	})
}

func runSuspectsUnjudge(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	out, err := r.client().JudgeSuspects(ctx, client.JudgeSuspectsRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) { fmt.Fprintln(w, "taken back") })
}

func runSuspectsWeights(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.ListSuspectVerdictsRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "of one team")
	fs.IntVar(&req.Limit, "limit", 100, "at most so many verdicts")
	if rest, err := words(fs, args); err != nil {
		return err
	} else if len(rest) > 0 {
		return fmt.Errorf("%w: it takes no words but flags", errUsage)
	}
	out, err := r.client().ListSuspectVerdicts(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if len(out.Items) == 0 {
			fmt.Fprintln(w, "nobody named a step yet: the order is the one that Reeve is shipped with")
			return
		}
		for _, t := range out.Teams {
			fmt.Fprintf(w, "Team %s, learned from %d verdicts\n", t.Team, t.Verdicts)
			fmt.Fprintln(w, "EVIDENCE\tSHIPPED\tNOW")
			for _, x := range t.Changes {
				fmt.Fprintf(w, "%s\t%+.2f\t%+.2f\n", x.Evidence, x.Shipped, x.Now)
			}
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, "WHEN\tBY\tAGENT\tSTEP\tRUN\tREASON")
		for _, v := range out.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t%s\t%s\n", v.At.Format("2006-01-02 15:04"), v.By, show(v.Agent), v.Kind, word(v.StepName), v.RunID, word(v.Reason))
		}
	})
}

const probablyHelp = `
What failure looks like is learned from the agent's judged runs: those of which a
person, the user or a downstream system said how they ended (reeve outcome). Five
that failed and five that did not are needed. How far to believe it is measured on
judged runs that were not learned from.`

func runProbablyFailed(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.ListProbablyFailedRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "-30d", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 20, "at most so many runs")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	req.Agent = name
	out, err := r.client().ListProbablyFailed(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintln(w, out.Text)
		if !out.Learned {
			return
		}
		if len(out.Bins) > 0 {
			fmt.Fprintln(w, "\nCHANCE\tJUDGED RUNS\tPREDICTED\tFAILED")
			for _, b := range out.Bins {
				fmt.Fprintf(w, "%.0f to %.0f %%\t%d\t%.0f %%\t%.0f %%\n", 100*b.Low, 100*b.High, b.Runs, 100*b.Predicted, 100*b.Failed)
			}
		}
		fmt.Fprintln(w, "\nCHANCE\tSTARTED\tTASK\tWHY\tRUN")
		for _, x := range out.Items {
			var why []string
			for _, p := range x.Parts {
				why = append(why, fmt.Sprintf("%s %+.1f", word(p.Name), p.Adds))
			}
			fmt.Fprintf(w, "%.0f %%\t%s\t%s\t%s\t%s\n", 100*x.P, x.Start.Format("2006-01-02 15:04"), show(word(x.Task)), strings.Join(why, ", "), x.RunID)
		}
		if out.Truncated {
			fmt.Fprintln(w, "\nThere are more runs: the newest were looked at.")
		}
	})
}
