// Command reeve watches, records and answers for AI agents: one program, no
// other service needed. `reeve help` lists what it can do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"reeve/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
