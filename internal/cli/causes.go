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
	})
}
