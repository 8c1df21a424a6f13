package cli

import (
	"context"
	"fmt"
	"io"

	"reeve/client"
)

func lintCommands() []command {
	return []command{
		{name: "lint", args: "[flags]", short: "say what telemetry leaves out, what that costs, and what sets it", long: lintHelp, run: runLint},
	}
}

const lintHelp = `
The minimal standard asks telemetry for the agent, its version and environment,
session and user, the outcome, the model and tokens of calls, and the ids of tool
calls. For each agent: how much of it is there, what is missing, what cannot be
done without, and what sets it. With --min the exit code is 1 when an agent falls
short, for a pipeline.

  reeve lint --from -7d
  reeve lint --agent refund-agent --min 0.9`

func runLint(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.LintRequest
	var least float64
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.Agent, "agent", "", "of this agent alone")
	fs.Float64Var(&least, "min", 0, "the least score, 0 to 1")
	if err := parse(fs, args); err != nil {
		return err
	}
	if least < 0 || least > 1 {
		return fmt.Errorf("%w: --min is between 0 and 1", errUsage)
	}
	list, err := r.client().Lint(ctx, req)
	if err != nil {
		return err
	}
	short := 0
	for _, l := range list.Items {
		if l.Score < least {
			short++
		}
	}
	err = r.print(e.stdout, list, func(w io.Writer) {
		if len(list.Items) == 0 {
			fmt.Fprintln(w, "nothing was sent in this period")
		}
		for _, l := range list.Items {
			fmt.Fprintf(w, "%s\t%.0f %%\t%d runs\n", word(l.Agent), 100*l.Score, l.Runs)
			for _, f := range l.Findings {
				fmt.Fprintf(w, "  %s\t%.0f %% missing\t%s\n\t\tset %s\n\t\t  %s\n", f.Field, 100*f.Share, f.Costs, f.Fix, f.Line)
			}
			for _, s := range l.Seen {
				if s.Count != nil && *s.Count == 0 {
					fmt.Fprintf(w, "  no %s\tnothing seen\t%s\n", s.Kind, s.Fix)
				}
			}
		}
	})
	if err == nil && short > 0 {
		return fmt.Errorf("%d of %d agents are below %.2f", short, len(list.Items), least)
	}
	return err
}
