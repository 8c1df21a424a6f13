package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"reeve/client"
)

func changeCommands() []command {
	return []command{
		{name: "change list", args: "[flags]", short: "list what was changed and may show in how agents behave", long: changeHelp, run: runChangeList},
		{name: "change add", args: "[flags] TITLE", short: "report a change: a deployment, a prompt, a model, a flag", long: changeHelp, run: runChangeAdd},
	}
}

const changeHelp = `
A change is what may show in how agents behave. Reeve's own (policies, agents,
tools, upstreams, versions) are there by themselves; a pipeline reports others
with a token that has the role developer:

  reeve change add --kind deployment --agent refund-agent --version 2.4.1 \
    --key "$CI_PIPELINE_ID" --status succeeded "refund-agent 2.4.1 to production"

The same --key again updates it. GitHub, GitLab and OpenFeature send theirs:
"reeve change source add --help".`

func runChangeList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListChangesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "of this agent, and those that are about no agent")
	fs.BoolVar(&req.Only, "only", false, "with --agent: its own alone")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment, and of none")
	fs.StringVar(&req.Kind, "kind", "", "deployment, release, push, prompt, model, policy, flag, ...; several with commas")
	fs.StringVar(&req.Source, "source", "", "reeve, api or a source's name")
	fs.StringVar(&req.Q, "q", "", "a part of the title, the key or a label")
	fs.StringVar(&req.From, "from", "-168h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListChanges(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tKIND\tTITLE\tSTATUS\tAGENT\tENVIRONMENT\tBY\tSOURCE")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.At.Local().Format(time.DateTime), x.Kind, word(x.Title), orDash(x.Status), orDash(x.Agent), orDash(x.Environment), orDash(x.By), x.Source)
		}
		if list.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", list.Next)
		}
	})
}

func runChangeAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.CreateChangeRequest
	var before, after, at string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Kind, "kind", "deployment", "deployment, release, push, prompt, model, policy, configuration, flag, agent, tool, upstream, budget, data or other")
	fs.StringVar(&in.Text, "text", "", "more of it")
	fs.StringVar(&in.Status, "status", "", "of a deployment: pending, running, succeeded, failed, inactive")
	fs.StringVar(&in.Agent, "agent", "", "the agent that it is of")
	fs.StringVar(&in.Team, "team", "", "the team that it is of; an agent's own by itself")
	fs.StringVar(&in.Environment, "environment", "", "where")
	fs.StringVar(&in.Version, "version", "", "the new version")
	fs.StringVar(&in.By, "by", "", "who made it; you by itself")
	fs.StringVar(&in.URL, "url", "", "where there is more")
	fs.StringVar(&in.Key, "key", "", "by which it is known again: the same updates it")
	fs.StringVar(&before, "before", "", "what was, as JSON")
	fs.StringVar(&after, "after", "", "what is, as JSON")
	fs.StringVar(&at, "at", "", "when, RFC 3339; now by itself")
	var err error
	if in.Title, err = oneWord(fs, args, "change by a title in quotes"); err != nil {
		return err
	}
	for _, f := range [...]struct {
		flag, text string
		into       *json.RawMessage
	}{{"before", before, &in.Before}, {"after", after, &in.After}} {
		if f.text == "" {
			continue
		}
		if !json.Valid([]byte(f.text)) {
			return fmt.Errorf("%w: --%s is JSON: a text stands in quotes of its own", errUsage, f.flag)
		}
		*f.into = json.RawMessage(f.text)
	}
	if at != "" {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return fmt.Errorf("%w: --at is RFC 3339, such as 2026-01-31T08:00:00Z", errUsage)
		}
		in.At = &t
	}
	x, err := r.client().CreateChange(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", x.ID, x.Kind, word(x.Title))
	})
}

const changeSourceHelp = `
  reeve change source add forge --kind github --team support --branches main,release/*
  reeve change source add lab --kind gitlab
  reeve change source add flags --kind openfeature

The secret is printed once: it goes into the webhook's settings (GitHub: Secret,
with content type application/json; GitLab: Secret token). docs/changes.md has
the handler for OpenFeature.`
