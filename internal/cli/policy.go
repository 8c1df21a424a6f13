package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"reeve/client"
)

const policyHelp = `
A policy is a named file of Cedar statements. A policy of a team is about that
team's agents and begins in observe: it refuses nothing and shows what it would
have refused. Without --team it is security's own, for everybody.

  reeve policy put refunds --team support --file refunds.cedar --reason "first try"
  reeve policy simulate refunds --file refunds.cedar
  reeve policy mode refunds enforce --reason "nothing would break"

Cedar is explained in docs/policies.md.`

func runPolicyList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListPoliciesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "only this team's")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListPolicies(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "POLICY\tFOR\tMODE\tSTATEMENTS\tFROM\tREVISION\tCHANGED\tBY")
		for _, p := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\n", p.Name, word(policyFor(&p)), p.Mode, len(p.Statements), p.Origin, p.Revision, when(&p.UpdatedAt), word(p.Author))
		}
	})
}

func policyFor(p *client.Policy) string {
	switch {
	case p.Guardrail:
		return "everybody (guardrail)"
	case p.Team == "":
		return "everybody"
	}
	return "team " + p.Team
}

func runPolicyGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	p, err := r.client().GetPolicy(ctx, client.PolicyRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		// Comments that are Cedar's own, so that what is printed is a policy.
		fmt.Fprintf(w, "// %s: %s, %s, revision %d by %s", p.Name, word(policyFor(p)), p.Mode, p.Revision, word(p.Author))
		if p.Reason != "" {
			fmt.Fprintf(w, " (%s)", word(p.Reason))
		}
		fmt.Fprintln(w)
		fmt.Fprint(w, strings.TrimRight(strings.ReplaceAll(p.Cedar, "\t", "  "), "\n")+"\n")
	})
}

// readText reads a file, or standard input for -.
func readText(e env, path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("%w: give the text with --file, - for standard input", errUsage)
	}
	in := e.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("reading the policy: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return "", fmt.Errorf("reading the policy: %w", err)
	}
	return string(b), nil
}

func runPolicyPut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutPolicyRequest
	var file string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&file, "file", "", "the Cedar `text`; - for standard input")
	fs.StringVar(&in.Team, "team", "", "whose agents it is about; empty: everybody's")
	fs.BoolVar(&in.Guardrail, "guardrail", false, "forbids for everybody, beyond what policies permit")
	fs.StringVar(&in.Mode, "mode", "", "observe or enforce; empty: as it is")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	in.Name = name
	if in.Cedar, err = readText(e, file); err != nil {
		return err
	}
	old, err := r.client().GetPolicy(ctx, client.PolicyRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in.Revision = old.Revision
		if in.Team == "" && !in.Guardrail {
			in.Team, in.Guardrail = old.Team, old.Guardrail
		}
	case errors.As(err, &problem) && problem.Code == "policy.not_found":
	default:
		return err
	}
	p, err := r.client().PutPolicy(ctx, in)
	return r.policy(e, p, err)
}

// policy prints the policy that an act left.
func (r *remote) policy(e env, p *client.Policy, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		fmt.Fprintf(w, "policy %s for %s is at revision %d, in %s, with %d statements\n", p.Name, word(policyFor(p)), p.Revision, p.Mode, len(p.Statements))
		for _, text := range p.Warnings {
			fmt.Fprintf(w, "warning: %s\n", word(text))
		}
	})
}

func runPolicyDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeletePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	req.Name = name
	if err := r.client().DeletePolicy(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "policy %s is deleted; `reeve policy restore %s REVISION` brings it back\n", name, name)
	return nil
}

func runPolicyMode(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PolicyModeRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name a policy and observe or enforce", errUsage)
	}
	req.Name, req.Mode = list[0], list[1]
	p, err := r.client().SetPolicyMode(ctx, req)
	return r.policy(e, p, err)
}

func runPolicyRestore(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RestorePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name a policy and a revision", errUsage)
	}
	if _, err := fmt.Sscanf(list[1], "%d", &req.Revision); err != nil {
		return fmt.Errorf("%w: %q is no revision", errUsage, list[1])
	}
	req.Name = list[0]
	p, err := r.client().RestorePolicy(ctx, req)
	return r.policy(e, p, err)
}

func runPolicyRevisions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	list, err := r.client().ListPolicyRevisions(ctx, client.PolicyRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "REVISION\tSET\tAT\tBY\tWHAT\tMODE\tREASON")
		for _, v := range list.Items {
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\t%s\t%s\n", v.Revision, v.Version, when(&v.At), word(v.Author), v.Action, v.Mode, word(v.Reason))
		}
	})
}

func runPolicyCheck(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ValidatePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "whose agents it is about; empty: everybody's")
	fs.BoolVar(&req.Guardrail, "guardrail", false, "it may only forbid")
	path, err := oneWord(fs, args, "file")
	if err != nil {
		return err
	}
	if req.Cedar, err = readText(e, path); err != nil {
		return err
	}
	v, err := r.client().ValidatePolicy(ctx, req)
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, v, func(w io.Writer) {
		for _, p := range v.Problems {
			fmt.Fprintf(w, "%s:%d:%d: %s\n", path, p.Line, p.Column, word(p.Text))
		}
		for _, text := range v.Warnings {
			fmt.Fprintf(w, "warning: %s\n", word(text))
		}
		if v.OK {
			fmt.Fprintf(w, "%d statements, all sound\n", len(v.Statements))
		}
	}); err != nil {
		return err
	}
	if !v.OK {
		return exitCode(1)
	}
	return nil
}
