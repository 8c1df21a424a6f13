package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/app"
	"reeve/internal/bench"
	"reeve/internal/demo"
	"reeve/internal/fault"
)

func demoCommands() []command {
	return []command{
		{name: "demo", args: "[flags]", short: "run Reeve with a small fleet of live agents to look at", long: demoHelp, run: runDemo},
		{name: "demo play", args: "NAME", short: "replay a story (hijack, outage, rogue, runaway, stale-data) in the running demo", run: runDemoPlay},
		{name: "bench", args: "ingest|crash|gateway|stop|hijack|approval|faults|why|... [flags]", short: "measure a server: Reeve or any OTLP endpoint", run: runBench},
	}
}

const demoHelp = `
Fills a temporary folder with 30 days of generated history of 40 agents in 6
teams, starts live agents with real tools and a scripted model server, and
serves the console in dev mode. Data is kept only with --data.
Stories to replay: ` + "`reeve demo play outage`, `... refund`, `... rogue`, `... stale-data`, `... hijack`, `... runaway`" + `, or the
buttons in the console.`

func runDemo(ctx context.Context, e env, c *command, args []string) error {
	var o demo.Options
	cfg, err := loadConfig(e, c, append([]string{"--dev"}, args...), func(fs *flag.FlagSet) {
		fs.Uint64Var(&o.Seed, "seed", 1, "of history, tasks and answers")
		fs.Float64Var(&o.Pace, "pace", 1, "scales the waiting of models, tools and agents; 0.1 hurries")
		fs.IntVar(&o.Days, "days", 30, "of generated history; -1 for none")
	})
	if err != nil {
		return err
	}
	// What a visitor wants to read is the demo's own banner, not our log.
	if _, set := os.LookupEnv("REEVE_LOG_LEVEL"); !set && cfg.Log.Level == "info" {
		cfg.Log.Level = "warn"
	}
	if cfg.Data == app.DefaultConfig().Data {
		dir, err := os.MkdirTemp("", "reeve-demo-")
		if err != nil {
			return fmt.Errorf("making a temporary data folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		cfg.Data = filepath.Join(dir, "data")
	}
	log := app.NewLogger(e.stderr, cfg.Log)
	o.Out, o.Logger = e.stdout, log
	d := demo.New(o)
	a, err := app.New(ctx, app.Options{
		Config: cfg, Logger: log, Version: version(),
		Notices: notices(d.Notices), Mount: map[string]http.Handler{"/x/demo/": d.Handler(), "/demo/": d.Outbox()},
	})
	if err != nil {
		return err
	}
	at := demo.Endpoints{API: "http://" + a.Address("listen")}
	if otlp := a.Address("otlp_http_listen"); otlp != "" {
		at.OTLP = "http://" + otlp
	}
	if a.Address("gateway_listen") != "" {
		at.Door = a.Door()
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(gctx, a) })
	g.Go(func() error {
		err := d.Run(gctx, at)
		if errors.Is(err, context.Canceled) && gctx.Err() != nil {
			return nil
		}
		return err
	})
	return g.Wait()
}

func runDemoPlay(ctx context.Context, e env, c *command, args []string) error {
	var server string
	fs := c.flags(e)
	fs.StringVar(&server, "server", envOr("REEVE_SERVER", "http://127.0.0.1:7300"), "`address` of the running demo (REEVE_SERVER)")
	story, err := oneWord(fs, args, "story")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/x/demo/play/"+url.PathEscape(story), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.New(fault.KindUnavailable, "cli.no_demo", "no demo answers at %s", server).WithCause(err).
			WithHint("start one with `reeve demo`, or name its address with --server")
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reading the demo's answer: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		problem := &client.Problem{Status: resp.StatusCode}
		if json.Unmarshal(body, problem) != nil || problem.Detail == "" {
			problem.Detail = "the server at " + server + " is no demo"
		}
		return problem
	}
	var playing struct {
		Story string    `json:"story"`
		Until time.Time `json:"until"`
	}
	if err := json.Unmarshal(body, &playing); err != nil {
		return fmt.Errorf("reading the demo's answer: %w", err)
	}
	fmt.Fprintf(e.stdout, "playing %s until %s; watch %s\n", playing.Story, playing.Until.Local().Format(time.TimeOnly), server)
	return nil
}

// notices lets a plain function stand where the API asks for notices.
type notices func() []client.Notice

func (n notices) Notices(context.Context) ([]client.Notice, error) { return n(), nil }

func runBench(ctx context.Context, e env, _ *command, args []string) error {
	return exitCode(bench.Main(ctx, args, e.stdout, e.stderr))
}
