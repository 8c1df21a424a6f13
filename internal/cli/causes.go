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
SELECTION is a search (see reeve help run list) that holds for some of the runs. What
is more or less frequent among these than among the others comes out, the strongest
first, with counts and the interval of the difference. Rows that chance would bring
among so many values are left out.

  reeve run different 'any(status:error)'
  reeve run different --within agent:refund-agent 'duration>10s' --from -7d
  reeve run different outcome:failed -o json`

func runRunDifferent(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DifferentRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Query, "within", "", "which runs at all: a search")
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 20, "at most so many rows")
	terms, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(terms) == 0 {
		return fmt.Errorf("%w: give a selection such as 'errors>0'", errUsage)
	}
	req.Selection = strings.Join(terms, " ")
	out, err := r.client().Different(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		switch {
		case out.Selected == 0 || out.Rest == 0:
			fmt.Fprintf(w, "%d runs are selected and %d are not: there is nothing to compare\n", out.Selected, out.Rest)
			return
		case len(out.Items) == 0:
			fmt.Fprintf(w, "nothing sets the %d selected runs apart from the other %d beyond chance\n", out.Selected, out.Rest)
			return
		}
		fmt.Fprintln(w, "WHAT\tVALUE\tSELECTED\tREST\tDIFFERENCE\tTIMES LIKELIER")
		for _, d := range out.Items {
			fmt.Fprintf(w, "%s\t%s\t%d of %d (%.0f %%)\t%d of %d (%.0f %%)\t%+.0f (%+.0f to %+.0f)\t%.1f\n", d.Name, word(d.Value),
				d.Selected, out.Selected, 100*d.Share, d.Rest, out.Rest, 100*d.RestShare, 100*d.Effect, 100*d.Low, 100*d.High, d.Lift)
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
