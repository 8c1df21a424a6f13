package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func retentionCommands() []command {
	return []command{
		{name: "retention list", args: "[flags]", short: "show how long telemetry is kept", long: retentionHelp, run: runRetentionList},
		{name: "retention preview", args: "[flags] KIND DAYS", short: "count what a rule of retention would drop", long: retentionHelp, run: runRetentionPreview},
		{name: "retention set", args: "[flags] KIND DAYS", short: "say how long something is kept", long: retentionHelp, run: runRetentionSet},
		{name: "retention unset", args: "[flags] KIND", short: "drop a rule of retention", long: retentionHelp, run: runRetentionUnset},
		{name: "erase", args: "[flags] --user USER", short: "erase what every part holds of a user of agents, a session or a run", long: eraseHelp, run: runErase},
		{name: "erase list", args: "[flags]", short: "list the receipts of erasures", run: runEraseList},
		{name: "connection list", args: "[flags]", short: "list the systems that Reeve speaks to, and whether each works", run: runConnectionList},
	}
}

const retentionHelp = `
How long telemetry is kept, by kind, environment and team. The most specific rule
holds: team and environment, then team, then environment, then all. Kinds: content
(messages, arguments, results) and runs (everything of a run). 0 days is for good.

  reeve retention list
  reeve retention preview content 14 --team support
  reeve retention set content 14 --team support --reason "contract of 2026"
  reeve retention unset content --team support --reason "it ended"

What is older goes within the hour and does not come back: preview first.`

func runRetentionList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	k, err := r.client().GetRetention(ctx)
	if err != nil {
		return err
	}
	return r.retention(e, k)
}

func (r *remote) retention(e env, k *client.Retention) error {
	return r.print(e.stdout, k, func(w io.Writer) {
		fmt.Fprintln(w, "KIND\tENVIRONMENT\tTEAM\tKEPT\tBY\tWHY")
		for _, x := range k.Rules {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Kind, orAny(x.Environment), orAny(x.Team), daysWord(x.Days), word(x.By), word(x.Reason))
		}
		fmt.Fprintf(w, "runs\tany\tany\t%s\tconfiguration\t\n", daysWord(k.RunsDays))
		content := "with its run"
		if k.ContentDays > 0 {
			content = daysWord(k.ContentDays)
		}
		fmt.Fprintf(w, "content\tany\tany\t%s\tconfiguration\t\n", content)
		fmt.Fprintf(w, "\n%s The store has %s.\n", word(k.Text), size(k.Bytes))
	})
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return word(s)
}

func daysWord(days int64) string {
	if days == 0 {
		return "for good"
	}
	return fmt.Sprintf("%d days", days)
}

func retentionFlags(e env, c *command, r *remote, in *client.PutRetentionRequest, args []string, days bool) error {
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Environment, "environment", "", "only this environment")
	fs.StringVar(&in.Team, "team", "", "only this team")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if !days && len(list) == 1 {
		in.Kind = list[0]
		return nil
	}
	if len(list) != 2 || !days {
		return fmt.Errorf("%w: name a kind%s", errUsage, map[bool]string{true: " and a number of days"}[days])
	}
	in.Kind = list[0]
	if _, err := fmt.Sscanf(strings.TrimSuffix(list[1], "d"), "%d", &in.Days); err != nil {
		return fmt.Errorf("%w: %s is no number of days", errUsage, list[1])
	}
	return nil
}

func runRetentionPreview(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutRetentionRequest
	if err := retentionFlags(e, c, &r, &in, args, true); err != nil {
		return err
	}
	p, err := r.client().PreviewRetention(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		fmt.Fprintln(w, word(p.Text))
		for _, x := range p.Places {
			fmt.Fprintf(w, "%d runs\tteam %s\t%s\n", x.Runs, orAny(x.Team), orAny(x.Environment))
		}
		if p.Back > 0 {
			fmt.Fprintf(w, "%d runs that would go now would stay.\n", p.Back)
		}
	})
}

func runRetentionSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutRetentionRequest
	if err := retentionFlags(e, c, &r, &in, args, true); err != nil {
		return err
	}
	k, err := r.client().PutRetention(ctx, in)
	if err != nil {
		return err
	}
	return r.retention(e, k)
}

func runRetentionUnset(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutRetentionRequest
	if err := retentionFlags(e, c, &r, &in, args, false); err != nil {
		return err
	}
	k, err := r.client().DeleteRetention(ctx, client.DeleteRetentionRequest{Kind: in.Kind, Environment: in.Environment, Team: in.Team, Reason: in.Reason})
	if err != nil {
		return err
	}
	return r.retention(e, k)
}

const eraseHelp = `
Erase what every part of Reeve holds of a user of agents: runs made for them,
cases made of these, decisions' content and the name behind their pseudonyms,
what they said, and words of it and their name in incidents, findings, messages,
evaluations and all else. The receipt says what each part did and what is left; it
does not say of whom. A session or a run alone is erased in the same way.

  reeve erase --user kim --dry-run
  reeve erase --user kim --reason "asked for it on 3 May"
  reeve erase --session chat-4711 --reason "a card number in it"
  reeve erase --run run_06ez... --reason "sent by mistake"
  reeve erase list`

func runErase(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.ErasePersonRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.User, "user", "", "the user, as telemetry and calls name them")
	fs.StringVar(&in.Session, "session", "", "or a session")
	fs.StringVar(&in.Run, "run", "", "or a run, by its id")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record")
	fs.BoolVar(&in.DryRun, "dry-run", false, "only tell what there is")
	if err := parse(fs, args); err != nil {
		return err
	}
	if in.User == "" && in.Session == "" && in.Run == "" {
		return fmt.Errorf("%w: say whom with --user, or what with --session or --run", errUsage)
	}
	x, err := r.client().ErasePerson(ctx, in)
	if err != nil {
		return err
	}
	err = r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n\nPART\tHOLDS\tERASED\tLEFT\tWHAT\n", word(x.Text))
		for _, p := range x.Parts {
			what := p.Note
			if p.Error != "" {
				what = "FAILED: " + p.Error
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", p.Part, number(p.Holds), number(p.Erased), p.Left, word(what))
		}
		if x.ID != "" {
			fmt.Fprintf(w, "\nreceipt\t%s\n", x.ID)
		}
	})
	if err == nil && !in.DryRun && !x.Whole {
		return exitCode(1)
	}
	return err
}

func runEraseList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().ListErasures(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		fmt.Fprintln(w, "RECEIPT\tOF A\tAT\tBY\tWHOLE\tWHY")
		for _, x := range l.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%t\t%s\n", x.ID, x.Of, x.At.Format(time.RFC3339), word(x.By), x.Whole, word(x.Reason))
		}
	})
}

func runConnectionList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().ListConnections(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		fmt.Fprintln(w, "STATE\tKIND\tNAME\tWHAT\tWHERE\tLAST GOOD\tWHY")
		for _, x := range l.Items {
			why := x.Reason
			if x.LastError != "" && x.State == "failing" {
				why += ": " + x.LastError
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.State, x.Kind, word(x.Name), word(x.What), word(x.Where), when(x.LastOKAt), word(why))
		}
		fmt.Fprintf(w, "\n%s\n", word(l.Text))
	})
}
