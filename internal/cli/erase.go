package cli

import (
	"context"
	"fmt"
	"io"

	"reeve/client"
)

func eraseCommands() []command {
	return []command{
		{name: "decision erase", args: "--user NAME --reason WHY", short: "erase a user's name and the content of decisions made for them", long: decisionEraseHelp, run: runDecisionErase},
	}
}

const decisionEraseHelp = `
Erases what the log of decisions knows of a user: the name behind the pseudonyms,
the content of the decisions made for them, and the keys of their commitments. The
records stay, and reeve audit verify accepts what is missing because content.erased
says so. It cannot be undone, and needs the role admin and a factor shown just now.

  reeve decision erase --user okta:ada@example.com --reason "request of 3 May"

Users are named as decisions show them, issuer:subject (reeve decision get).`

func runDecisionErase(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.EraseUserRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.User, "user", "", "whose, as decisions name them (needed)")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if req.User == "" || req.Reason == "" {
		return fmt.Errorf("%w: say whose with --user and why with --reason", errUsage)
	}
	out, err := r.client().EraseUser(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintf(w, "erased the name of %s (%d pseudonyms) and the content of %d records\n", word(req.User), len(out.Pseudonyms), out.Records)
	})
}
