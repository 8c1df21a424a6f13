package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func promoteCommands() []command {
	return []command{
		{name: "promote", args: "[flags] AGENT", short: "take an agent into production if it passes the gate", long: promoteHelp, run: runPromote},
		{name: "gate cases", args: "[flags] AGENT", short: "show what became of a gate's cases since security approved them", long: gateCasesHelp, run: runGateCases},
		{name: "gate approve", args: "--version N AGENT", short: "approve the cases of a gate as they were looked at", long: gateApproveHelp, run: runGateApprove},
		{name: "gate set", args: "[flags] AGENT", short: "name the data set on whose cases an agent has to pass", long: gateSetHelp, run: runGateSet},
	}
}

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
another one, or fewer cases, is security's. Its cases count once security approved them:
here, with the version that they looked at, or with reeve gate approve.

  reeve gate set refund --dataset refunds --least 20
  reeve gate set refund --dataset refunds --least 20 --version 12`

const gateCasesHelp = `
Shows what became of the cases of an agent's gate since security approved them: those
that were added, changed, taken out, or came and went. Cases that are added close the
gate until they are passed; what was changed or taken out closes it until security
approves the cases again.

  reeve gate cases refund`

const gateApproveHelp = `
Approves the cases of an agent's gate as they are in the version that was looked at; it
needs the roles security and reader. Somebody who changes them meanwhile is not approved
with it.

  reeve gate cases refund
  reeve gate approve refund --version 12`

func runGateCases(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	x, err := r.client().ListGateChanges(ctx, client.GateRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s\tversion %d\tapproved %d\n", x.Dataset, x.Version, x.Since)
		for _, k := range x.Items {
			fmt.Fprintf(w, "%s\t%s\n", k.What, k.Case)
			for _, side := range []struct {
				sign string
				item *client.DatasetItem
			}{{"-", k.Was}, {"+", k.Is}} {
				if side.item != nil {
					fmt.Fprintf(w, "\t%s %s\n", side.sign, word(caseInWords(side.item)))
				}
			}
		}
		if x.More {
			fmt.Fprintln(w, "and others: `reeve dataset show` has each version")
		}
	})
}

// caseInWords is what a case asks and what it says is right.
func caseInWords(i *client.DatasetItem) string {
	if i.Withdrawn {
		return "withdrawn: its person was erased"
	}
	asked := ""
	if n := len(i.Input); n > 0 {
		asked = i.Input[n-1].Content
	}
	out := fmt.Sprintf("%q expects %q", asked, i.Expected)
	if len(i.Contains) > 0 {
		out += fmt.Sprintf(" with %q", i.Contains)
	}
	if len(i.Absent) > 0 {
		out += fmt.Sprintf(" without %q", i.Absent)
	}
	if i.Consent == "refused" {
		out += " (refused: not run)"
	}
	if i.By != "" {
		out += " by " + i.By
	}
	return out
}

func runGateApprove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.ApproveGateRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.Int64Var(&in.Version, "version", 0, "of the data set, that was looked at (needed)")
	var err error
	if in.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	g, err := r.client().ApproveGate(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, g, func(w io.Writer) { printGate(w, g) })
}

func runGateSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutGateSetRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Dataset, "dataset", "", "the data set (needed)")
	fs.Int64Var(&in.Least, "least", 0, "cases that it has to have; 5 where none is given")
	fs.Int64Var(&in.Version, "version", 0, "of the data set, that security looked at and approves; 0 approves nothing")
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
	if k := g.Cases; k != nil {
		by := "approved by nobody"
		if k.ApprovedVersion > 0 {
			by = fmt.Sprintf("version %d approved by %s", k.ApprovedVersion, orDash(k.ApprovedBy))
		}
		fmt.Fprintf(w, "%s\tversion %d\t%s\t%d cases, %d added, %d changed or gone, %d withdrawn\n", g.Dataset, k.Version, by, k.Cases, k.Added, k.Changed, k.Withdrawn)
	}
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
