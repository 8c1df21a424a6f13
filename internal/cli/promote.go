package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

const promoteHelp = `
Takes an agent into production if it passes a list that is computed now, from what
its version did in the last seven days: evaluations, an experiment on all cases of the
data set that is its gate, what policy would have refused, a budget, latency, coverage,
open incidents, approvals that wait. There is no other way into production. What it
came to is kept in the audit log, whose checkpoints sign it; a refusal names the run
that fails.

  reeve gate set refund --dataset refunds --least 20
  reeve promote refund --look
  reeve promote refund --reason "golden tasks pass"

With --ungated security goes without it, with a second factor of the last minutes; that
is kept, too.`

const gateSetHelp = `
Names the data set on whose cases an agent has to pass before it goes into production:
all of them, in their newest version. The first one a developer of its team may name;
another one, or fewer cases, is security's.

  reeve gate set refund --dataset refunds --least 20`

func runGateSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutGateSetRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Dataset, "dataset", "", "the data set (needed)")
	fs.Int64Var(&in.Least, "least", 0, "cases that it has to have; 5 where none is given")
	var err error
	if in.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	g, err := r.client().PutGateSet(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, g, func(w io.Writer) { printGate(w, g) })
}

func runPromote(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PassGateRequest
	var look bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Reason, "reason", "", "why, for the record (needed)")
	fs.BoolVar(&in.Ungated, "ungated", false, "although it does not pass: security's, and kept as such")
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
	return r.print(e.stdout, g, func(w io.Writer) { printGate(w, g) })
}

func printGate(w io.Writer, g *client.Gate) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", g.Agent, orDash(g.Version), g.Lifecycle)
	for _, k := range g.Checks {
		sign := "ok"
		if !k.Passed {
			sign = "NO"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\n", sign, k.Name, word(k.Text), k.Run, k.About)
	}
	for _, k := range g.Records {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\n", k.At.Format(time.DateTime), k.Outcome, orDash(k.Version), word(k.Reason), strings.Join(k.Failed, ","))
	}
}
