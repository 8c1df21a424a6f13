package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func recordCommands() []command {
	return []command{
		{name: "log list", args: "[flags] [PHRASE]", short: "list log records that came by telemetry", long: logHelp, run: runLogList},
		{name: "metric list", args: "[flags] [NAME]", short: "list metric points that came by telemetry", run: runMetricList},
	}
}

const logHelp = `
Log records that agents and services send, the newest first, with the run that
each belongs to, if any. PHRASE is looked for in what they say (needs the role
reader).

  reeve log list --agent refund-agent --from -1h timeout
  reeve log list --loose --min-severity 17      errors that belong to no run`

func runLogList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListLogsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.MinSeverity, "min-severity", 0, "as OpenTelemetry counts: 9 information, 13 warnings, 17 errors")
	fs.BoolVar(&req.Loose, "loose", false, "only those that belong to no run")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	phrase, err := words(fs, args)
	if err != nil {
		return err
	}
	req.Query = strings.Join(phrase, " ")
	page, err := r.client().ListLogs(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tSEVERITY\tOF\tRUN\tSAYS")
		for _, l := range page.Items {
			of, says := l.Agent, l.Body
			if of == "" {
				of = l.Service
			}
			switch {
			case l.Withheld:
				says = "(needs the role reader)"
			case says == "":
				says = l.EventName
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", l.At.Local().Format(time.DateTime), l.Severity, show(of), word(l.RunID), word(says))
		}
		if page.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", page.Next)
		}
	})
}

func runMetricList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListMetricPointsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 100, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	names, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return fmt.Errorf("%w: name one metric, or none for all", errUsage)
	}
	req.Name = strings.Join(names, "")
	page, err := r.client().ListMetricPoints(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tNAME\tOF\tVALUE\tUNIT\tTYPE")
		for _, p := range page.Items {
			of := p.Agent
			if of == "" {
				of = p.Service
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%g\t%s\t%s\n", p.At.Local().Format(time.DateTime), word(p.Name), show(of), p.Value, word(p.Unit), p.Type)
		}
		if page.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", page.Next)
		}
	})
}
