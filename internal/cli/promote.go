package cli

import (
	"context"
	"fmt"
	"io"

	"reeve/client"
)

const promoteHelp = `
Takes an agent into production if it passes a list that is computed now, from the
last seven days: evaluations, the newest experiment on cases, what policy would
have refused, a budget, latency, coverage, open incidents, approvals that wait. What
it came to is kept in the audit log, whose checkpoints sign it; a refusal names the
run that fails.

  reeve promote refund --look
  reeve promote refund --reason "golden tasks pass"`

func runPromote(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PassGateRequest
	var look bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.To, "to", "production", "the lifecycle")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record (needed)")
	fs.BoolVar(&look, "look", false, "only show the list")
	var err error
	if in.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	var g *client.Gate
	if look {
		g, err = r.client().GetGate(ctx, client.GateRequest{Name: in.Name})
	} else {
		g, err = r.client().PassGate(ctx, in)
	}
	if err != nil {
		return err
	}
	return r.print(e.stdout, g, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", g.Agent, orDash(g.Version), g.Lifecycle)
		for _, k := range g.Checks {
			sign := "ok"
			if !k.Passed {
				sign = "NO"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\n", sign, k.Name, word(k.Text), k.Run, k.About)
		}
	})
}
