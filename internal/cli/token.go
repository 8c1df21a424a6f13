package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func tokenCommands() []command {
	return []command{
		{name: "sign-in list", args: "[flags]", short: "list where you are signed in, or everybody is", run: runSignInList},
		{name: "sign-in end", args: "[flags] ID", short: "end one of them; current is this one", run: runSignInEnd},
		{name: "token create", args: "[flags]", short: "make a token for programs; it is shown once", long: tokenHelp, run: runTokenCreate},
		{name: "token list", args: "[flags]", short: "list your tokens, or everybody's", run: runTokenList},
		{name: "token revoke", args: "[flags] ID", short: "end a token", run: runTokenRevoke},
	}
}

const tokenHelp = `
A token (rvt_...) is for programs: REEVE_TOKEN or --token with every command, or
Authorization: Bearer. Who makes it is a person who is
signed in; it has at most that person's roles, ends, and ends with the account. It
never approves, releases, gives roles or writes guardrails, and is shown once.

  reeve token create --name dashboards --role "viewer support" --expires-in 30d
  reeve token create --name pipeline --kind service --role "developer support staging"`

func runTokenCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateTokenRequest
	var roles roleFlags
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "name", "", "what it is for")
	fs.StringVar(&req.Kind, "kind", "personal", "personal, for your own tools, or service, for a program that you answer for")
	fs.Var(&roles, "role", "a `role`, for a team and an environment; may be repeated; none: all of yours")
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, like 30d; empty: the server's default")
	if err := parse(fs, args); err != nil {
		return err
	}
	req.Grants = roles
	made, err := r.client().CreateToken(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, made, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", made.Secret)
		fmt.Fprintf(e.stderr, "token %s until %s; it is not shown again. Use it like this:\n  export REEVE_TOKEN=%s\n", made.Token.ID, when(&made.Token.ExpiresAt), made.Secret)
	})
}

func runTokenList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.EverybodyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.Everybody, "everybody", false, "not yours alone; for admins")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListTokens(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tNAME\tKIND\tSTATE\tROLES\tLAST USED\tEXPIRES")
		for _, t := range list.Items {
			state := "active"
			if t.Revoked {
				state = "revoked"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, word(t.Name), t.Kind, state, rolesText(client.Person{Grants: t.Grants}), when(t.LastUsed), when(&t.ExpiresAt))
		}
	})
}

func runTokenRevoke(ctx context.Context, e env, c *command, args []string) error {
	return endOne(ctx, e, c, args, "token", "token %s is revoked\n", (*client.Client).RevokeToken)
}

func runSignInList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.EverybodyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.Everybody, "everybody", false, "not yours alone; for admins")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListSignIns(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tPERSON\tFROM\tBEGAN\tLAST USED\tENDS\tTHIS")
		for _, s := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\n", s.ID, s.PersonID, word(strings.TrimSpace(s.Address+" "+s.Agent)), when(&s.CreatedAt), when(&s.LastUsed), when(&s.ExpiresAt), s.Current)
		}
	})
}

func runSignInEnd(ctx context.Context, e env, c *command, args []string) error {
	return endOne(ctx, e, c, args, "sign-in", "sign-in %s is ended\n", (*client.Client).EndSignIn)
}

// endOne ends one thing by its id and says so.
func endOne(ctx context.Context, e env, c *command, args []string, noun, said string, end func(*client.Client, context.Context, client.IDRequest) error) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, noun)
	if err != nil {
		return err
	}
	if err := end(r.client(), ctx, client.IDRequest{ID: id}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, said, id)
	return nil
}
