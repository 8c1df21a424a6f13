package cli

import (
	"context"
	"fmt"
	"io"

	"reeve/client"
)

func canaryCommands() []command {
	return []command{
		{name: "canary list", args: "[flags]", short: "list the models that are asked fixed prompts", long: canaryHelp, run: runCanaryList},
		{name: "canary show", args: "[flags] NAME", short: "show what a canary was answered", run: runCanaryShow},
		{name: "canary put", args: "[flags] NAME", short: "ask a model fixed prompts on a schedule", long: canaryHelp, run: runCanaryPut},
		{name: "canary accept", args: "[flags] NAME", short: "take what answers now for the new normal", run: canaryCommand((*client.Client).AcceptCanary)},
		{name: "canary ask", args: "[flags] NAME", short: "ask a canary's prompts now", run: canaryCommand((*client.Client).AskCanary)},
		{name: "canary delete", args: "[flags] NAME", short: "drop a canary", run: runCanaryDelete},
	}
}

const canaryHelp = `
A canary asks a model, by the name that agents ask for, the same short questions on
a schedule, through the door as an agent of yours. When what answers under that name
changes (its own name, its fingerprint, its answers, how it counts tokens), that is
a finding. docs/detection.md tells how.

  reeve canary put gpt-4o --agent canary --team core --upstream openai --model gpt-4o --every 1h
  reeve canary show gpt-4o
  reeve canary accept gpt-4o --reason "we moved to the new one"`

func runCanaryList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	all, err := r.client().ListCanaries(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tTEAM\tUPSTREAM\tMODEL\tEVERY\tDUE\tCHANGED")
		for i := range all.Items {
			x := &all.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Name, x.Team, x.Upstream, word(x.Model), x.Every, dueText(x), shiftText(x))
		}
	})
}

func dueText(x *client.Canary) string {
	if x.Off {
		return "off"
	}
	return when(&x.Due)
}

func shiftText(x *client.Canary) string {
	switch {
	case len(x.Shifts) > 0:
	case x.FailedAt != nil && (x.AnsweredAt == nil || x.FailedAt.After(*x.AnsweredAt)):
		if x.AnsweredAt == nil {
			return "never answered"
		}
		return "not answered since " + when(x.AnsweredAt)
	case x.Rounds < x.Needed:
		return fmt.Sprintf("not known yet: %d of %d rounds", x.Rounds, x.Needed)
	default:
		return "nothing"
	}
	return word(x.Shifts[0].Text)
}

func runCanaryShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "canary")
	if err != nil {
		return err
	}
	x, err := r.client().GetCanary(ctx, client.CanaryRequest{Name: name})
	return r.canary(e, x, err)
}

// canary prints one with its newest answers.
func (r *remote) canary(e env, x *client.Canary, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "canary\t%s, revision %d\nasks\t%s at %s as %s every %s\nnormal from\t%s\n", x.Name, x.Revision, word(x.Model), x.Upstream, x.Agent, x.Every, when(&x.NormalFrom))
		for _, s := range x.Shifts {
			fmt.Fprintf(w, "changed\t%s (distance %.2f, by chance %.2g)\n", word(s.Text), s.Distance, s.Chance)
		}
		for i := range x.Answers {
			a := &x.Answers[i]
			text := word(a.Text)
			if a.Error != "" {
				text = "not answered: " + word(a.Error)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", when(&a.At), word(a.Prompt), text, word(a.Model))
		}
	})
}

func runCanaryPut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutCanaryRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "whose it is (needed)")
	fs.StringVar(&req.Environment, "environment", "production", "of which environment")
	fs.StringVar(&req.Agent, "agent", "", "as whom it asks, a registered agent of that team (needed)")
	fs.StringVar(&req.Upstream, "upstream", "", "where (needed)")
	fs.StringVar(&req.Model, "model", "", "the name that agents ask for (needed)")
	fs.StringVar(&req.Every, "every", "1h", "how often: 10m to 168h")
	fs.Var((*texts)(&req.Prompts), "prompt", "asked in place of Reeve's own eight; may be given again")
	fs.BoolVar(&req.Off, "off", false, "keep it without asking")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "canary"); err != nil {
		return err
	}
	x, err := r.client().PutCanary(ctx, req)
	return r.canary(e, x, err)
}

// canaryCommand does something with one canary, for a reason.
func canaryCommand(do func(*client.Client, context.Context, client.CanaryReasonRequest) (*client.Canary, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var req client.CanaryReasonRequest
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&req.Reason, "reason", "", "why, for the record")
		var err error
		if req.Name, err = oneWord(fs, args, "canary"); err != nil {
			return err
		}
		x, err := do(r.client(), ctx, req)
		return r.canary(e, x, err)
	}
}

func runCanaryDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteCanaryRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "canary"); err != nil {
		return err
	}
	if err := r.client().DeleteCanary(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "canary %s is gone\n", req.Name)
	return nil
}
