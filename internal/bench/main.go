package bench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"reeve/internal/bench/labelled"
)

const mainUsage = `Usage: reeve bench NAME [flags]

  ingest   send a load of agent spans to an OTLP endpoint and report what the
           server spent on it (any server; --start runs a Reeve of our own)
  crash    kill a Reeve under load again and again, then compare what it kept
           with what it acknowledged

  gateway  send calls through the door and through a bare Go proxy (and nginx),
           in turn; ratios of one run
  stop     stop an agent with streams in flight, and see when each ends
  lag      send a live run step by step, and see when a page that follows it has
           read each
  hijack   replay recorded agent runs, benign and under prompt injection, through
           the door under the shipped policies, and count what is held
  storm    send a storm of alerts made from faults of known truth into incidents, and
           compare these with the truth
  approval hold calls and agree to them: how soon a call is in inbox and chat, and how
           soon it goes on
  paging   kill the server at each step of calling people, and compare what
           receivers hold with what pages say
  contain  have agents get into a loop, at the door and in telemetry, and see when
           the door refuses their next call because of it
  faults   let a simulated fleet work for days, inject faults of known truth, and
           count what the detectors found of them, how soon, and what beside
  noise    the same fleet: judge each finding by the truth, replay it after the
           verdicts, and see what moved
  kpi      ask for every page of figures over many steps, and compare the figures
           with what the raw records of the same server add up to
  why      play the demo's stale table with seed after seed, with and without its
           fault, and count how often the right cause comes first
  dialects take in recorded requests of many clients, and the same steps as plain
           OTLP, and compare the processor time (in the source tree)
  rerate   price a month of calls again after a price change, and back

Against labelled data, with the product's own code:

`

const mainUsageEnd = `
reeve bench gateway --help lists the flags of that one, and so do the others.
`

func helpText() string { return mainUsage + labelled.Help() + mainUsageEnd }

// Main is the command `reeve bench`; args follow the word bench. It returns the
// exit code: 0 done, 1 failed, 2 wrong usage.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, helpText())
		return 2
	}
	var err error
	switch args[0] {
	case "ingest":
		err = ingestMain(ctx, args[1:], stdout, stderr)
	case "crash":
		err = crashMain(ctx, args[1:], stdout, stderr)
	case "gateway":
		err = gatewayMain(ctx, args[1:], stdout, stderr)
	case "stop":
		err = stopMain(ctx, args[1:], stdout, stderr)
	case "lag":
		err = lagMain(ctx, args[1:], stdout, stderr)
	case "hijack":
		err = hijackMain(ctx, args[1:], stdout, stderr)
	case "storm":
		err = stormMain(ctx, args[1:], stdout, stderr)
	case "approval":
		err = approvalMain(ctx, args[1:], stdout, stderr)
	case "paging":
		err = pagingMain(ctx, args[1:], stdout, stderr)
	case "contain":
		err = containMain(ctx, args[1:], stdout, stderr)
	case "faults":
		err = faultsMain(ctx, args[1:], stdout, stderr)
	case "noise":
		err = noiseMain(ctx, args[1:], stdout, stderr)
	case "kpi":
		err = kpiMain(ctx, args[1:], stdout, stderr)
	case "why":
		err = whyMain(ctx, args[1:], stdout, stderr)
	case "dialects":
		err = dialectsMain(ctx, args[1:], stdout, stderr)
	case "rerate":
		err = rerateMain(ctx, args[1:], stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, helpText())
		return 0
	default:
		if !slices.Contains(labelled.Names(), args[0]) {
			fmt.Fprintf(stderr, "reeve: error: bench knows no %q; `reeve bench help` lists what it knows\n", args[0])
			return 2
		}
		err = labelled.Main(ctx, args[0], args[1:], stdout, stderr)
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage), errors.Is(err, labelled.ErrUsage):
		return 2
	}
	fmt.Fprintf(stderr, "reeve: error: %v\n", err)
	return 1
}

var errUsage = errors.New("wrong usage") // the flag set has said why

func parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(fs.Output(), "reeve: error: %q is one word too many\n", fs.Arg(0))
		return errUsage
	}
	return nil
}

func ingestMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o IngestOptions
	var output, serverArgs string
	var verbose bool
	fs := flag.NewFlagSet("reeve bench ingest", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Int64Var(&o.Load.Spans, "spans", 1_000_000, "how many spans")
	fs.IntVar(&o.Load.SpanBytes, "span-bytes", 1600, "1600, or 16000 for history that grows and is resent at every turn")
	fs.Uint64Var(&o.Load.Seed, "seed", 1, "the load is a function of it")
	fs.IntVar(&o.Load.Agents, "agents", 50, "how many agents send")
	fs.IntVar(&o.Load.OpenRuns, "open-runs", 40, "runs of one agent in progress at a time")
	fs.IntVar(&o.Load.Batch, "batch", 512, "spans in one body at most")
	fs.DurationVar(&o.Load.Period, "period", 24*time.Hour, "event time covered, ending now")
	fs.BoolVar(&o.Load.Cost, "cost", false, "each model call reports its cost")
	fs.StringVar(&o.Target.Endpoint, "endpoint", "http://127.0.0.1:4318", "OTLP endpoint: http://host:4318 or grpc://host:4317; with --start, grpc picks gRPC")
	fs.StringVar(&o.Target.Key, "key", "", "intake key, sent as Bearer")
	fs.BoolVar(&o.Target.Gzip, "gzip", false, "compress bodies")
	fs.IntVar(&o.Concurrency, "concurrency", 4, "connections")
	fs.Float64Var(&o.Rate, "rate", 0, "spans a second; 0 is as fast as the server takes them")
	fs.StringVar(&o.API, "api", "", "the server's console address (http://127.0.0.1:7300): reads, stages and the count of what was stored")
	fs.StringVar(&o.Token, "token", "", "token for the API")
	fs.StringVar(&o.Metrics, "metrics", "", "URL of the server's Prometheus page, if it is not API/metrics")
	fs.IntVar(&o.Pid, "pid", 0, "the server's process id: its CPU (children included) and memory from /proc")
	fs.StringVar(&o.Data, "data", "", "the server's data folder, for bytes a span on disk; with --start, where to keep it")
	fs.BoolVar(&o.Start, "start", false, "start a Reeve in a temporary folder and measure that")
	fs.StringVar(&o.Bin, "bin", "", "the program that --start runs (default: this one)")
	fs.StringVar(&serverArgs, "server-args", "", "more flags for --start, separated by spaces")
	fs.DurationVar(&o.Idle, "idle", 0, "watch the idle server so long before the load")
	fs.DurationVar(&o.Settle, "settle", 2*time.Minute, "longest wait until the server is done")
	fs.BoolVar(&o.NoReads, "no-reads", false, "leave the read latencies out")
	fs.StringVar(&output, "o", "text", "text or json")
	fs.BoolVar(&verbose, "server-log", false, "pass on what the started server says")
	if err := parse(fs, args); err != nil {
		return err
	}
	if output != "text" && output != "json" {
		fmt.Fprintf(stderr, "reeve: error: -o %s: want text or json\n", output)
		return errUsage
	}
	o.ServerArgs = strings.Fields(serverArgs)
	o.Progress = stderr
	if verbose {
		o.ServerLog = stderr
	}
	r, err := Ingest(ctx, o)
	if r != nil && r.Bodies > 0 {
		write := r.Text
		if output == "json" {
			write = r.JSON
		}
		err = errors.Join(err, write(stdout))
	}
	return err
}

// report writes what was measured, for people or as JSON.
func report(w io.Writer, output string, r interface{ Text(w io.Writer) error }) error {
	if output == "json" {
		return json.NewEncoder(w).Encode(r)
	}
	return r.Text(w)
}
