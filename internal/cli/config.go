package cli

import (
	"context"
	"flag"
	"fmt"
	"os"

	"reeve/internal/app"
)

func configCommands() []command {
	return []command{
		{name: "config check", args: "[--config FILE]", short: "say whether the configuration is sound", run: runConfigCheck},
		{name: "config show", args: "[--config FILE]", short: "print the configuration in force, with the meaning of each key", run: runConfigShow},
	}
}

// loadConfig reads --config, environment and flags as every command does that
// works on the server's configuration.
func loadConfig(e env, c *command, args []string, more func(*flag.FlagSet)) (app.Config, error) {
	fs := c.flags(e)
	file, _ := os.LookupEnv("REEVE_CONFIG")
	fs.StringVar(&file, "config", file, "YAML `file` with the configuration (REEVE_CONFIG)")
	given := app.BindFlags(fs)
	if more != nil {
		more(fs)
	}
	if err := parse(fs, args); err != nil {
		return app.Config{}, err
	}
	if fs.NArg() > 0 {
		return app.Config{}, fmt.Errorf("%w: %q is one word too many", errUsage, fs.Arg(0))
	}
	if err := app.CheckEnvironment(os.Environ()); err != nil {
		return app.Config{}, err
	}
	return app.Load(file, os.LookupEnv, given())
}

func runConfigCheck(_ context.Context, e env, c *command, args []string) error {
	cfg, err := loadConfig(e, c, args, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "the configuration is sound; data folder %s, console %s\n", cfg.Data, orOff(cfg.Listen))
	return nil
}

func runConfigShow(_ context.Context, e env, c *command, args []string) error {
	cfg, err := loadConfig(e, c, args, nil)
	if err != nil {
		return err
	}
	return cfg.Show(e.stdout)
}

func orOff(addr string) string {
	if addr == "" {
		return "off"
	}
	return addr
}
