package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"reeve/client"
)

func replayCommands() []command {
	return []command{
		{name: "replay", args: "[flags] RUN", short: "put a recorded model step to another model or prompt", long: replayHelp, run: runReplay},
	}
}

const replayHelp = `
Puts a recorded model step of a run to another model, or with other words, and goes on
as its agent would. Calls of tools are answered from the recording of the run; the first
that is not in it ends the replay and is named, since nobody knows what would have come
of it. The replay is a test: it goes through the door as the run's agent, has a run of
mode test, and is in no figure about people.

  reeve replay run_... --model gpt-4o-mini --evaluator grounded
  reeve replay run_... --upstream anthropic --model claude-haiku-4-5
  reeve replay run_... --system-file shorter.txt`

func runReplay(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.ReplayRunRequest
	var system, prompt, evaluators string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Step, "step", "", "a model step; the run's first where none is given")
	fs.StringVar(&in.Upstream, "upstream", "", "where the model is asked; as it was where none is given")
	fs.StringVar(&in.Model, "model", "", "the model; as it was where none is given")
	fs.StringVar(&system, "system-file", "", "other instructions")
	fs.StringVar(&prompt, "prompt-file", "", "other words in place of the user's last")
	fs.StringVar(&evaluators, "evaluator", "", "evaluators that look at both answers, with commas")
	var err error
	if in.ID, err = oneWord(fs, args, "run"); err != nil {
		return err
	}
	for path, to := range map[string]**string{system: &in.System, prompt: &in.Prompt} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		words := string(text)
		*to = &words
	}
	in.Evaluators = split(evaluators)
	out, err := r.client().ReplayRun(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		for _, what := range slices.Sorted(maps.Keys(out.Left)) {
			fmt.Fprintf(w, "LEFT OUT\t%d %s: the model was asked another thing\n", out.Left[what], what)
		}
		for _, t := range out.Turns {
			if t.Text != "" {
				fmt.Fprintf(w, "says\t%s\n", short(t.Text))
			}
			for _, c := range t.Calls {
				state := "recorded"
				if !c.Recorded {
					state = "NOT RECORDED"
				}
				fmt.Fprintf(w, "calls\t%s %s\t%s\n", c.Name, short(c.Arguments), state)
			}
		}
		for _, c := range out.Checks {
			fmt.Fprintf(w, "%s\t%s, before %s\n", c.Name, orDash(c.Verdict), orDash(c.Before))
		}
		if out.Why != "" {
			fmt.Fprintf(w, "stopped\t%s\n", out.Why)
		}
		if out.Shared != nil {
			fmt.Fprintf(w, "words shared\t%.2f\n", *out.Shared)
		}
		cost := "unknown"
		if out.Cost != nil {
			cost = fmt.Sprintf("%.6f USD", *out.Cost)
		}
		fmt.Fprintf(w, "cost\t%s\nrun\t%s\n", cost, out.TestRun)
	})
}
