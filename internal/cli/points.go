package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"reeve/client"
	"reeve/internal/fault"
)

func pointsCommands() []command {
	return []command{
		{name: "decision ask", args: "[flags] TOOL [ARGUMENTS]", short: "decide an action that does not pass the door", long: askDecisionHelp, run: runDecisionAsk},
		{name: "decision complete", args: "[flags] ID", short: "report how an allowed action ended", run: runDecisionComplete},
		{name: "coverage", args: "[flags]", short: "show how much of what agents do was decided", long: coverageHelp, run: runCoverage},
	}
}

const askDecisionHelp = `
Decides and records an action that does not pass the door: a tool of the agent's
own, or a step of a script that acts for it. Exit code 3 says no. Report how it
ended with "reeve decision complete", or say --unreported.

  reeve decision ask --agent clerk pay '{"amount": 5}'
  reeve decision ask --agent clerk --wait 60000 --unreported deploy && ./deploy.sh`

func runDecisionAsk(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DecideRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "`name` of the registered agent that acts (needed)")
	fs.StringVar(&req.User, "user", "", "whom it acts for")
	fs.StringVar(&req.Session, "session", "", "session that the action belongs to")
	fs.StringVar(&req.Run, "run", "", "run that the action belongs to")
	fs.StringVar(&req.Key, "key", "", "the same key and question give the same decision")
	fs.Int64Var(&req.WaitMS, "wait", 0, "how many milliseconds to wait for a person, at most 60000")
	fs.BoolVar(&req.Unreported, "unreported", false, "nobody will report how it ended")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if req.Agent == "" || len(list) == 0 || len(list) > 2 {
		return fmt.Errorf("%w: say --agent, the tool and, if it has any, its arguments as JSON", errUsage)
	}
	req.Tool = list[0]
	if len(list) == 2 {
		if !json.Valid([]byte(list[1])) {
			return fmt.Errorf("%w: the arguments are no JSON", errUsage)
		}
		req.Arguments = json.RawMessage(list[1])
	}
	a, err := r.client().Decide(ctx, req)
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", a.Verdict, a.ID)
		if a.Approval != nil {
			fmt.Fprintf(w, "waits for a person\t%s\n", a.Approval.Address)
		}
	}); err != nil {
		return err
	}
	if a.Verdict != "allow" {
		f := fault.New(fault.KindDenied, a.Code, "%s", a.Reason)
		if a.Hint != "" {
			f = f.WithHint("%s", a.Hint)
		}
		return f
	}
	return nil
}

func runDecisionComplete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.CompleteDecisionRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Result, "result", "ok", "ok, error or cancelled")
	fs.StringVar(&req.Error, "error", "", "what went wrong, in words")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 1 {
		return fmt.Errorf("%w: name the decision", errUsage)
	}
	req.ID = list[0]
	done, err := r.client().CompleteDecision(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, done, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\n", done.ID, done.Result) })
}

const coverageHelp = `
How much of what agents do was decided: tool results that came back to a model,
how many of them came of calls that a decision allowed, and how many actions
went on without waiting for the answer. The least covered agent comes first.

  reeve coverage
  reeve coverage --agent clerk --from 2026-11-01T00:00:00Z`

func runCoverage(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListCoverageRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only this agent")
	fs.StringVar(&req.From, "from", "", "first day, UTC; empty: 30 days ago")
	fs.StringVar(&req.To, "to", "", "last day, UTC; empty: today")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListCoverage(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tTEAM\tCOVERED\tRESULTS\tUNGOVERNED\tUNCHECKED")
		for _, v := range list.Items {
			share := "-"
			if v.Share != nil {
				share = fmt.Sprintf("%.0f %%", *v.Share*100)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", v.Agent, v.Team, share, v.Results, v.Ungoverned, v.Unchecked)
		}
	})
}
