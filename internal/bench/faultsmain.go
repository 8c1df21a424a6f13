package bench

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"reeve/internal/bench/faults"
)

func faultsMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return fleetMain(args, stdout, stderr, "reeve bench faults", func(o faults.Options) (texter, error) { return faults.Run(ctx, o) })
}

func noiseMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return fleetMain(args, stdout, stderr, "reeve bench noise", func(o faults.Options) (texter, error) { return faults.Noise(ctx, o) })
}

// texter is what a simulated fleet gave.
type texter interface{ Text() string }

func fleetMain(args []string, stdout, stderr io.Writer, name string, run func(faults.Options) (texter, error)) error {
	var o faults.Options
	var output string
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Uint64Var(&o.Seed, "seed", 1, "the fleet is a function of it")
	fs.IntVar(&o.Agents, "agents", 12, "how many agents work")
	fs.IntVar(&o.Days, "days", 5, "of learning before the first fault")
	fs.IntVar(&o.Each, "each", 12, "faults of each kind")
	fs.DurationVar(&o.Every, "every", 0, "between the runs of an agent; 0 is 40s")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if output != "text" && output != "json" || o.Agents < 1 || o.Agents > 500 || o.Days < 2 || o.Days > 60 || o.Each < 1 || o.Each > 500 {
		fmt.Fprintln(stderr, "reeve: error: -o is text or json; there are 1 to 500 agents, 2 to 60 days and 1 to 500 faults of each kind")
		return errUsage
	}
	r, err := run(o)
	if err != nil {
		return err
	}
	if output == "json" {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, err = io.WriteString(stdout, r.Text())
	return err
}
