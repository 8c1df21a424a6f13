package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"reeve/internal/app"
	"reeve/internal/telemetry/duck"
)

func serveCommands() []command {
	return []command{
		{name: "serve", args: "[flags]", short: "run Reeve: console, API, intake", long: serveHelp, run: runServe},
		{name: "version", short: "print the version", run: runVersion},
		{name: "query-child", hidden: true, short: "the supervised process that reads segments", run: runQueryChild},
	}
}

const serveHelp = `
Keeps all state in one folder (--data). On loopback with --dev neither API nor
intake asks for a token; without it, the first start prints a one-time admin
token and writes it to <data>/admin-token.

Send OTLP to 127.0.0.1:4318 (HTTP) or 127.0.0.1:4317 (gRPC); read runs at
http://127.0.0.1:7300. Settings: ` + "`reeve config show`" + `.

SIGHUP reads configuration and policy files again: log.level and policies take
force at once, for other keys the health page says that they need a restart, and
a file that is wrong changes nothing.`

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func runVersion(_ context.Context, e env, _ *command, _ []string) error {
	fmt.Fprintln(e.stdout, "reeve", version())
	return nil
}

func runServe(ctx context.Context, e env, c *command, args []string) error {
	cfg, err := loadConfig(e, c, args, nil)
	if err != nil {
		return err
	}
	log, level := app.NewLeveled(e.stderr, cfg.Log)
	a, err := app.New(ctx, app.Options{Config: cfg, Logger: log, Level: level, Version: version()})
	if err != nil {
		return err
	}
	greet(e, a, cfg)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	ended := make(chan struct{})
	defer func() { <-ended }()
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-again:
				cfg, err := loadConfig(e, c, args, nil)
				a.Reload(ctx, cfg, err)
			}
		}
	}()
	return serve(ctx, a)
}

// serve runs a built App until ctx ends and closes it in either case.
func serve(ctx context.Context, a *app.App) error {
	app.TuneMemory()
	app.TuneProcessors()
	err := a.Run(ctx)
	stopErr := a.Stop(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	return stopErr
}

func greet(e env, a *app.App, cfg app.Config) {
	if addr := a.Address("listen"); addr != "" {
		scheme := "http"
		if cfg.TLS.Cert != "" {
			scheme = "https"
		}
		fmt.Fprintf(e.stdout, "Reeve is at %s://%s\n", scheme, addr)
	}
	if addr := a.Address("otlp_http_listen"); addr != "" {
		fmt.Fprintf(e.stdout, "Send OTLP to http://%s (HTTP)", addr)
		if addr := a.Address("otlp_grpc_listen"); addr != "" {
			fmt.Fprintf(e.stdout, " or %s (gRPC)", addr)
		}
		fmt.Fprintln(e.stdout)
	}
	if addr := a.Address("gateway_listen"); addr != "" {
		fmt.Fprintf(e.stdout, "Agents call the door at %s\n", a.Door())
	}
	if token := a.AdminToken(); token != "" {
		fmt.Fprintf(e.stdout, "First start: make the first account with this one-time admin token\n  %s\n(also in %s)\n", token, filepath.Join(cfg.Data, "admin-token"))
	}
}

func runQueryChild(_ context.Context, _ env, _ *command, args []string) error {
	return exitCode(duck.ChildMain(args, os.Stdin, os.Stdout))
}
