package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"

	"reeve/client"
)

func biasCommands() []command {
	return []command{
		{name: "bias set", args: "[flags] PLAN", short: "replay bias pairs at times and for each version", long: biasHelp, run: runBiasSet},
		{name: "bias list", args: "[flags]", short: "list bias plans", run: runBiasList},
		{name: "bias delete", args: "[flags] PLAN", short: "end a bias plan; its experiments stay", run: runBiasDelete},
	}
}

const biasHelp = `
A bias plan replays pairs of prompts that differ in one word, at times and for each
new version of an agent, as tests. The word should make no difference: where it does
beyond chance (a paired test; all looks of a plan together are wrong about a fair agent
in 5 of 100 cases), an alert says so.

  reeve bias set names --agent refund --pairs pairs.yaml --every 7d --on-version
  reeve bias list

The file is that of reeve experiment start --bias.`

// readPairs reads a file of bias pairs.
func readPairs(path string) (out client.BiasPairs, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return out, err
	}
	if err := yaml.UnmarshalWithOptions(text, &out, yaml.Strict(), yaml.UseJSONUnmarshaler()); err != nil {
		return out, fmt.Errorf("%w: %s: %s", errUsage, path, yaml.FormatError(err, false, true))
	}
	return out, nil
}

func runBiasSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutBiasPlanRequest
	var pairs string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Agent, "agent", "", "the agent (needed)")
	fs.StringVar(&pairs, "pairs", "", "YAML file of pairs (needed)")
	fs.IntVar(&in.Repeats, "repeats", 1, "how often each prompt is put; a pair counts once")
	fs.StringVar(&in.Every, "every", "", "by time: 24h, 7d")
	fs.BoolVar(&in.OnVersion, "on-version", false, "once for each version of the agent that is observed")
	fs.BoolVar(&in.Paused, "paused", false, "keep it and do not run it")
	var err error
	if in.Name, err = oneWord(fs, args, "plan"); err != nil {
		return err
	}
	if in.Agent == "" || pairs == "" {
		return fmt.Errorf("%w: give --agent and --pairs", errUsage)
	}
	if in.Bias, err = readPairs(pairs); err != nil {
		return err
	}
	have, err := r.client().ListBiasPlans(ctx, client.ListBiasPlansRequest{})
	if err != nil {
		return err
	}
	for _, p := range have.Items {
		if p.Name == in.Name {
			in.Revision = p.Revision
		}
	}
	p, err := r.client().PutBiasPlan(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) { biasLine(w, *p) })
}

func biasLine(w io.Writer, p client.BiasPlan) {
	state := "no difference"
	switch {
	case p.Paused:
		state = "paused"
	case p.Trouble != "":
		state = p.Trouble
	case p.Last == "":
		state = "not run yet"
	case p.Adverse:
		state = "ADVERSE"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Agent, p.Bias.Attribute, orDash(p.Every), orDash(p.Last), word(state))
}

func runBiasList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListBiasPlansRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().ListBiasPlans(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		for _, p := range l.Items {
			biasLine(w, p)
		}
	})
}

func runBiasDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "plan")
	if err != nil {
		return err
	}
	return r.client().DeleteBiasPlan(ctx, client.NameRequest{Name: name})
}
