package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"reeve/client"
)

func frameworkCommands() []command {
	return []command{
		{name: "connect", args: "[flags] [FRAMEWORK]", short: "show how an agent joins, by what it is built with, with its keys", long: frameworkHelp, run: runConnect},
	}
}

const frameworkHelp = `
Without FRAMEWORK: the list. With one: what to copy, and where to, for this
server. --make-keys makes the keys that stand in it, and registers the agent
where nobody did; they are shown once. --wait then tells when the first step and
the first decision have arrived, and what the telemetry leaves out.

  reeve connect
  reeve connect langfuse --agent refund-agent --team support
  reeve connect openai-sdk --agent refund-agent --team support --make-keys --wait 10m`

func runConnect(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ConnectRequest
	var keys bool
	var wait time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "my-agent", "what the agent is called")
	fs.StringVar(&req.Team, "team", "", "whose it is")
	fs.StringVar(&req.Environment, "environment", "production", "where it runs")
	fs.StringVar(&req.ExpiresIn, "expires-in", "30d", "how long the keys live")
	fs.BoolVar(&keys, "make-keys", false, "make the keys and put them in")
	fs.DurationVar(&wait, "wait", 0, "wait so long for the first step and decision")
	list, err := words(fs, args)
	switch {
	case err != nil:
		return err
	case len(list) > 1:
		return fmt.Errorf("%w: one framework at a time", errUsage)
	case keys && req.Team == "":
		return fmt.Errorf("%w: --make-keys needs --team", errUsage)
	}
	if u, err := url.Parse(r.server); err == nil {
		req.Host = u.Hostname()
	}
	if len(list) == 0 {
		return r.frameworks(ctx, e, &req)
	}
	req.Framework = list[0]
	since := time.Now()
	var shown any
	var f *client.Framework
	var key string
	if keys {
		made, err := r.client().Connect(ctx, req)
		if err != nil {
			return err
		}
		shown, f, since = made, &made.Framework, made.Since
		if made.IntakeKey != nil {
			key = made.IntakeKey.ID
		}
	} else if f, err = r.framework(ctx, &req); err != nil {
		return err
	} else {
		shown = f
	}
	if err := r.print(e.stdout, shown, func(w io.Writer) { printFramework(w, f) }); err != nil || wait == 0 {
		return err
	}
	return r.await(ctx, e, f, req.Agent, key, since, wait)
}

func (r *remote) frameworks(ctx context.Context, e env, req *client.ConnectRequest) error {
	all, err := r.client().ListFrameworks(ctx, client.ListFrameworksRequest{Host: req.Host, Agent: req.Agent, Environment: req.Environment})
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		group := ""
		for _, f := range all.Items {
			if f.Group != group {
				group = f.Group
				fmt.Fprintf(w, "%s\n", group)
			}
			fmt.Fprintf(w, "  %s\t%s\n", f.ID, f.Title)
		}
	})
}

func (r *remote) framework(ctx context.Context, req *client.ConnectRequest) (*client.Framework, error) {
	all, err := r.client().ListFrameworks(ctx, client.ListFrameworksRequest{Host: req.Host, Agent: req.Agent, Environment: req.Environment})
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		if all.Items[i].ID == req.Framework {
			return &all.Items[i], nil
		}
	}
	return nil, fmt.Errorf("there is no framework %q: reeve connect lists them, and opentelemetry is for all others", req.Framework)
}

// printFramework leaves the parts as they are: they are copied.
func printFramework(w io.Writer, f *client.Framework) {
	fmt.Fprintf(w, "# %s\n# %s\n", f.Title, f.About)
	for _, p := range f.Parts {
		fmt.Fprintf(w, "\n# %s\n", p.Title)
		fmt.Fprintln(w, strings.ReplaceAll(p.Text, "\t", "    ")) // a tab would be a column here
	}
}

// connectEvery is how often is asked what arrived.
const connectEvery = time.Second

// await tells of each thing as it arrives, on stderr so that what was printed
// stays what it was.
func (r *remote) await(ctx context.Context, e env, f *client.Framework, agent, key string, since time.Time, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(connectEvery)
	defer tick.Stop()
	open := map[string]bool{}
	for _, w := range f.Waits {
		open[w] = true
	}
	p := &client.ConnectProgress{} // as last told
	told := false
	for len(open) > 0 || p.Run != nil && p.Score == nil { // what is missing is known once its steps are stored
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			if len(open) == 0 {
				fmt.Fprintf(e.stderr, "what its telemetry leaves out is not known yet: ask `reeve lint --agent %s`\n", word(agent))
				return nil
			}
			return fmt.Errorf("nothing more came in %s: %s", wait, missingWords(open, p))
		case <-tick.C:
		}
		now, err := r.client().ConnectProgress(ctx, client.ConnectProgressRequest{Agent: agent, Since: since.Format(time.RFC3339Nano), Key: key})
		if err != nil {
			if ctx.Err() != nil {
				continue
			}
			return err
		}
		p = now
		if open["step"] && p.Run != nil {
			delete(open, "step")
			fmt.Fprintf(e.stderr, "first step: run %s, %d steps so far, understood as %s\n", p.Run.ID, p.Run.StepCount, word(strings.Join(p.Run.Dialects, ", ")))
		}
		if open["decision"] && p.Decision != nil {
			delete(open, "decision")
			fmt.Fprintf(e.stderr, "first decision: %s %s %s\n", p.Decision.ID, p.Decision.Verdict, word(p.Decision.Resource))
		}
		if !told && p.Run == nil && len(p.Others) > 0 {
			told = true
			fmt.Fprintf(e.stderr, "seen meanwhile, under another name: %s\n", word(strings.Join(p.Others, ", ")))
		}
	}
	printGaps(e.stderr, p)
	return nil
}

// printGaps tells what an agent's telemetry leaves out of the minimal standard,
// what that costs and the line that sets it.
func printGaps(w io.Writer, p *client.ConnectProgress) {
	if p.Score == nil {
		return
	}
	if len(p.Missing) == 0 {
		fmt.Fprintln(w, "nothing is missing of the minimal standard")
		return
	}
	fmt.Fprintf(w, "%.0f %% of the minimal standard is there; missing:\n", 100**p.Score)
	for _, m := range p.Missing {
		fmt.Fprintf(w, "  %s (%s)\n    set %s\n", m.Field, m.Costs, m.Fix)
		if m.Line != "" {
			fmt.Fprintf(w, "      %s\n", m.Line)
		}
	}
}

func missingWords(open map[string]bool, p *client.ConnectProgress) string {
	var out []string
	for _, w := range []string{"step", "decision"} {
		if open[w] {
			out = append(out, "no "+w)
		}
	}
	if p != nil && p.KeyUsedAt != nil && open["step"] {
		out = append(out, "though its intake key was used: look at the agent's name")
	}
	return strings.Join(out, ", ")
}
