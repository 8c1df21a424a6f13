package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func contentCommands() []command {
	return []command{
		{name: "content list", args: "[flags]", short: "list the rules for secrets and personal data in content", run: runContentList},
		{name: "content set", args: "[flags] NAME", short: "make or change a content rule", long: contentHelp, run: runContentSet},
		{name: "content delete", args: "[flags] NAME", short: "remove a content rule", run: runContentDelete},
		{name: "content try", args: "[flags] [TEXT]", short: "show what the rules find in a text, given or on standard input", long: contentHelp, run: runContentTry},
		{name: "content classes", args: "[flags]", short: "list what can be found in content", run: runContentClasses},
	}
}

const contentHelp = `
A content rule says what happens when a secret or personal data is found in what
agents send (requests) or are sent (answers):

  block         the call is refused; an answer is cut
  redact        neither forwarded nor stored
  redact_store  forwarded as it is, stored without
  flag          only noted in the decision

Classes name what is looked for, each with what lies below it: secret, pii,
pii.payment, ...; 'reeve content classes' lists them. --pattern adds an
expression (RE2) of the house's own, found as custom.NAME. Keys of Reeve's own
are looked for without a rule, and die when they are seen.

  reeve content set no-secrets --class secret --action block --reason "policy 7"
  reeve content set cards --class pii.payment --action redact --direction request \
      --team shop --reason "PCI"
  reeve content set tickets --pattern "TCK-[0-9]{4,8}" --action redact_store --reason "internal"
  echo "my card is 4111 1111 1111 1111" | reeve content try --all`

func runContentSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutContentRuleRequest
	var classes texts
	fs := c.flags(e)
	r.bind(fs)
	fs.Var(&classes, "class", "what is looked for; several")
	fs.StringVar(&in.Pattern, "pattern", "", "an expression of the house's own")
	fs.StringVar(&in.Action, "action", "", "flag, redact_store, redact or block")
	fs.StringVar(&in.Direction, "direction", "", "request, answer or both")
	fs.StringVar(&in.Agent, "agent", "", "for this agent alone")
	fs.StringVar(&in.Team, "team", "", "for this team's agents alone")
	fs.StringVar(&in.Environment, "environment", "", "for this environment alone")
	fs.StringVar(&in.Reason, "reason", "", "why")
	name, err := oneWord(fs, args, "content rule")
	if err != nil {
		return err
	}
	in.Name, in.Classes = name, classes
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetContentRule(ctx, client.ContentRuleRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in = mergedContentRule(in, old, given)
	case errors.As(err, &problem) && problem.Code == "content.not_found":
	default:
		return err
	}
	rule, err := r.client().PutContentRule(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, rule, func(w io.Writer) {
		fmt.Fprintf(w, "content rule %s is at revision %d and in force\n", rule.Name, rule.Revision)
	})
}

// mergedContentRule is what is there with the flags that were given.
func mergedContentRule(in client.PutContentRuleRequest, old *client.ContentRule, given map[string]bool) client.PutContentRuleRequest {
	out := client.PutContentRuleRequest{
		Name: in.Name, Classes: old.Classes, Pattern: old.Pattern, Action: old.Action, Direction: old.Direction,
		Agent: old.Agent, Team: old.Team, Environment: old.Environment, Reason: old.Reason, Revision: old.Revision,
	}
	for name, set := range map[string]func(){
		"class": func() { out.Classes = in.Classes }, "pattern": func() { out.Pattern = in.Pattern }, "action": func() { out.Action = in.Action },
		"direction": func() { out.Direction = in.Direction }, "agent": func() { out.Agent = in.Agent }, "team": func() { out.Team = in.Team },
		"environment": func() { out.Environment = in.Environment }, "reason": func() { out.Reason = in.Reason },
	} {
		if given[name] {
			set()
		}
	}
	return out
}

func runContentList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListContentRules(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tACTION\tDIRECTION\tCLASSES\tPATTERN\tAGENT\tTEAM\tENVIRONMENT\tREASON")
		for _, v := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Name, v.Action, v.Direction, word(strings.Join(v.Classes, ",")), word(v.Pattern),
				word(v.Agent), word(v.Team), word(v.Environment), word(v.Reason))
		}
	})
}

func runContentDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "content rule")
	if err != nil {
		return err
	}
	if err := r.client().DeleteContentRule(ctx, client.ContentRuleRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "content rule %s is removed\n", name)
	return nil
}

func runContentClasses(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ContentClasses(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		for _, v := range list.Items {
			fmt.Fprintln(w, v)
		}
	})
}

func runContentTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.TryContentRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&in.All, "all", false, "look for everything that is known, whatever the rules")
	fs.BoolVar(&in.Answer, "answer", false, "as an answer to an agent; else as its request")
	fs.StringVar(&in.Agent, "agent", "", "as this agent's")
	fs.StringVar(&in.Team, "team", "", "as this team's")
	fs.StringVar(&in.Environment, "environment", "", "in this environment")
	if err := parse(fs, args); err != nil {
		return err
	}
	text := strings.Join(fs.Args(), " ")
	if text == "" {
		b, err := io.ReadAll(io.LimitReader(e.stdin, 900<<10))
		if err != nil {
			return fmt.Errorf("reading the text: %w", err)
		}
		text = string(b)
	}
	in.Text = text
	t, err := r.client().TryContent(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		fmt.Fprintln(w, "CLASS\tRULE\tACTION\tBYTES")
		for _, f := range t.Found {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d-%d\n", f.Class, word(f.Rule), f.Action, f.Start, f.End)
		}
		switch {
		case t.Blocked:
			fmt.Fprintln(w, "it would be blocked")
		case t.Forwarded == text:
			fmt.Fprintln(w, "it would be forwarded as it is")
		default:
			fmt.Fprintf(w, "it would be forwarded as: %q\n", t.Forwarded)
		}
		if t.Stored != text {
			fmt.Fprintf(w, "it would be stored as: %q\n", t.Stored)
		}
	})
}
