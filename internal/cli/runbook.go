package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"reeve/client"
)

func runbookCommands() []command {
	return []command{
		{name: "runbook list", args: "[flags]", short: "list what is done about incidents, step by step", long: runbookHelp, run: runRunbookList},
		{name: "runbook put", args: "[flags] RUNBOOK", short: "make or change a runbook from a file", long: runbookHelp, run: runRunbookPut},
		{name: "runbook remove", args: "[flags] RUNBOOK", short: "end a runbook", long: runbookHelp, run: runRunbookRemove},
		{name: "runbook try", args: "[flags] INCIDENT RUNBOOK", short: "say what a runbook would do, without doing it", long: runbookHelp, run: runRunbookTry},
		{name: "runbook start", args: "[flags] INCIDENT RUNBOOK", short: "begin a runbook on an incident", long: runbookHelp, run: runRunbookStart},
		{name: "runbook runs", args: "[flags] INCIDENT", short: "list the runbooks that were run on an incident", long: runbookHelp, run: runRunbookRuns},
		{name: "runbook waiting", args: "[flags]", short: "list the runs of runbooks that wait for your agreement", long: runbookHelp, run: runRunbookWaiting},
		{name: "runbook approve", args: "[flags] RUN", short: "agree to a runbook that somebody else proposed", long: runbookHelp, run: onRunbookRun((*client.Client).ApproveRunbook, "", "")},
		{name: "runbook step", args: "[flags] RUN", short: "do the next step of a runbook", long: runbookHelp, run: onRunbookRun((*client.Client).StepRunbook, "result", "what came of a step that a person does")},
		{name: "runbook roll-back", args: "[flags] RUN", short: "take back what a runbook did", long: runbookHelp, run: onRunbookRun((*client.Client).RollBackRunbook, "reason", "why; it is kept")},
	}
}

const runbookHelp = `
A runbook is what is done about incidents of a kind, step by step: acts of Reeve, and
words for people. It is tried first, may need a second person, and is rolled back in
one go.

  reeve runbook put contain-and-tell --file runbook.yaml
  reeve runbook try 12 contain-and-tell
  reeve runbook start 12 contain-and-tell --reason "wrong refunds"
  reeve runbook approve rbr_...
  reeve runbook step rbr_...               does the next step
  reeve runbook roll-back rbr_... --reason "it was the source"

A file:

  text: what to do when agents write wrong records
  kinds: [wrong_action]
  approval: true
  steps:
    - {text: Hold their writes, kind: contain, target: "{agents}", level: supervised, for: 4h}
    - {text: Block what they share, kind: stop, target: "{cause}", level: tool}
    - {text: Ask the owners of the records what to put right}

{agents} is each agent of the incident, {cause} what most of its signals share.`

func runRunbookList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRunbooks(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "RUNBOOK\tTEAM\tFOR\tSTEPS\tSECOND PERSON\tWHAT")
		for _, b := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%t\t%s\n", b.Name, word(orWord(b.Team, "all")), orWord(strings.Join(b.Kinds, ", "), "all kinds"), len(b.Steps), b.Approval, word(b.Text))
		}
	})
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func runRunbookPut(ctx context.Context, e env, c *command, args []string) error {
	var file, team string
	return aboutOne(ctx, e, c, args, "runbook", func(ctx context.Context, api *client.Client, name string) (*client.Runbook, error) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var in struct {
			Text     string
			Kinds    []string
			Approval bool
			Steps    []struct{ Text, Kind, Target, Level, For string }
		}
		if err := yaml.UnmarshalWithOptions(raw, &in, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errUsage, file, err)
		}
		req := client.PutRunbookRequest{Name: name, Team: team, Text: in.Text, Kinds: in.Kinds, Approval: in.Approval}
		for _, s := range in.Steps {
			req.Steps = append(req.Steps, client.RunbookStep(s))
		}
		return api.PutRunbook(ctx, req)
	}, func(w io.Writer, b *client.Runbook) {
		fmt.Fprintf(w, "runbook %s is at revision %d with %d steps\n", b.Name, b.Revision, len(b.Steps))
	}, func(fs *flag.FlagSet) {
		fs.StringVar(&file, "file", "", "its text, kinds, approval and steps as YAML")
		fs.StringVar(&team, "team", "", "whose it is; without it all teams'")
	})
}

func runRunbookRemove(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "runbook", func(ctx context.Context, api *client.Client, name string) (string, error) {
		return name, api.DeleteRunbook(ctx, client.NameRequest{Name: name})
	}, func(w io.Writer, name string) { fmt.Fprintf(w, "runbook %s is gone\n", name) })
}

// incidentAndBook reads an incident and a runbook.
func incidentAndBook(fs *flag.FlagSet, args []string) (id, name string, err error) {
	list, err := words(fs, args)
	if err == nil && len(list) != 2 {
		err = fmt.Errorf("%w: name an incident and a runbook", errUsage)
	}
	if err != nil {
		return "", "", err
	}
	return list[0], list[1], nil
}

func runRunbookTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, name, err := incidentAndBook(fs, args)
	if err != nil {
		return err
	}
	trial, err := r.client().TryRunbook(ctx, client.TryRunbookRequest{ID: id, Runbook: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, trial, func(w io.Writer) {
		for n, s := range trial.Steps {
			fmt.Fprintf(w, "%d\t%s\n", n+1, word(s.Text))
			for _, p := range s.Previews {
				fmt.Fprintf(w, "\t%s %s\n", word(p.Text), word(p.Undo))
			}
			if s.Problem != "" {
				fmt.Fprintf(w, "\tcannot be done: %s\n", word(s.Problem))
			}
		}
	})
}

func writeRunbookRun(w io.Writer, x *client.RunbookRun) {
	fmt.Fprintf(w, "%s\t%s is %s\n", x.ID, x.Runbook, strings.ReplaceAll(x.State, "_", " "))
	for n, s := range x.Steps {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", n+1, s.State, word(s.Text), word(s.Result))
	}
}

func runRunbookStart(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.StartRunbookRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why; it is kept")
	var err error
	if req.ID, req.Runbook, err = incidentAndBook(fs, args); err != nil {
		return err
	}
	x, err := r.client().StartRunbook(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { writeRunbookRun(w, x) })
}

func runRunbookRuns(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "incident", func(ctx context.Context, api *client.Client, id string) (*client.List[client.RunbookRun], error) {
		return api.ListRunbookRuns(ctx, client.IncidentRequest{ID: id})
	}, func(w io.Writer, list *client.List[client.RunbookRun]) {
		for i := range list.Items {
			writeRunbookRun(w, &list.Items[i])
		}
	})
}

// onRunbookRun is a command that does something to a run; flag names its words.
func onRunbookRun(do func(*client.Client, context.Context, client.RunbookRunRequest) (*client.RunbookRun, error), name, usage string) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var req client.RunbookRunRequest
		return aboutOne(ctx, e, c, args, "run of a runbook (rbr_...)", func(ctx context.Context, api *client.Client, id string) (*client.RunbookRun, error) {
			req.ID = id
			return do(api, ctx, req)
		}, writeRunbookRun, func(fs *flag.FlagSet) {
			if name != "" {
				fs.StringVar(&req.Text, name, "", usage)
			}
		})
	}
}

func runRunbookWaiting(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	out, err := r.client().ListWaitingRunbookRuns(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if len(out.Items) == 0 {
			fmt.Fprintln(w, "no runbook waits for you")
			return
		}
		fmt.Fprintln(w, "RUN\tINCIDENT\tRUNBOOK\tBY\tWHY")
		for _, x := range out.Items {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", x.ID, x.Number, x.Runbook, show(x.By), word(x.Reason))
		}
	})
}
