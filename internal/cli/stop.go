package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

func stopCommands() []command {
	return []command{
		{name: "stop", args: "[flags] AGENT|KIND=VALUE|everything", short: "stop an agent or another target: cut its calls, refuse new ones", long: stopHelp, run: runStop},
		{name: "stop list", args: "[flags]", short: "list the stops in force", run: runStopList},
		{name: "stop lift", args: "[flags] ID", short: "end a stop", run: runStopLift},
	}
}

const stopHelp = `
Stops an agent, or with KIND=VALUE an instance, run, session, user, version,
tool, model, upstream, team, label (label=key=value) or credential, or
everything. It first shows what would be cut and asks; --yes does not ask,
--preview only shows. Calls in flight are cut, an agent's credentials die, and
new calls are refused until the stop is lifted or --for is over. What does not
pass the door goes on: the receipt says so.

  reeve stop refund-agent --reason "refunds twice"
  reeve stop run=0af7651916cd43dd8448eb211c80319c --yes --reason loop
  reeve stop everything --for 10m --reason drill`

// stopTarget reads NAME, KIND=VALUE or everything.
func stopTarget(text string) client.StopTarget {
	if text == "everything" {
		return client.StopTarget{Kind: "everything"}
	}
	if kind, value, ok := strings.Cut(text, "="); ok {
		return client.StopTarget{Kind: kind, Value: value}
	}
	return client.StopTarget{Kind: "agent", Value: text}
}

func targetText(t client.StopTarget) string {
	if t.Value == "" {
		return t.Kind
	}
	return t.Kind + " " + word(t.Value)
}

func runStop(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	var life time.Duration
	var yes, preview bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record (needed)")
	fs.DurationVar(&life, "for", 0, "end by itself after so long; 0 holds until it is lifted")
	fs.BoolVar(&yes, "yes", false, "do not ask")
	fs.BoolVar(&preview, "preview", false, "only show what would be cut")
	text, err := oneWord(fs, args, "agent or KIND=VALUE")
	if err != nil {
		return err
	}
	if life < 0 {
		return fmt.Errorf("%w: --for is not negative", errUsage)
	}
	if reason == "" && !preview {
		return fmt.Errorf("%w: say why with --reason", errUsage)
	}
	t := stopTarget(text)
	if preview || !yes {
		p, err := r.client().PreviewStop(ctx, client.PreviewStopRequest{Target: t})
		if err != nil {
			return err
		}
		out := e.stderr // data goes to stdout, and this is only a question
		if preview {
			out = e.stdout
		}
		if err := r.print(out, p, func(w io.Writer) {
			fmt.Fprintf(w, "stopping %s would cut %d calls now\n", targetText(t), p.Total)
			for _, one := range p.Calls {
				fmt.Fprintf(w, "  %s\t%s\t%s\n", word(one.Agent), word(one.Resource), when(&one.StartedAt))
			}
			if !p.ThroughDoor {
				fmt.Fprintln(w, "no call of this agent came through the door: what it does elsewhere would go on")
			}
		}); err != nil || preview {
			return err
		}
		fmt.Fprintf(e.stderr, "stop %s? [y/N] ", targetText(t))
		answer, err := bufio.NewReader(e.stdin).ReadString('\n')
		if err != nil && answer == "" {
			fmt.Fprintln(e.stderr)
			return fault.New(fault.KindInvalid, "cli.not_asked", "nothing was stopped: there is no terminal to ask at").
				WithHint("--yes stops without asking, --preview only shows")
		}
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			return errors.New("nothing was stopped")
		}
	}
	req := client.CreateStopRequest{Target: t, Reason: reason}
	if life > 0 {
		until := time.Now().Add(life)
		req.Until = &until
	}
	st, err := r.client().CreateStop(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, st, func(w io.Writer) {
		fmt.Fprintf(w, "%s is stopped (%s)\n", targetText(st.Target), st.ID)
		if st.Receipt == nil {
			return
		}
		cut := 0
		for _, n := range st.Receipt.Targets {
			cut += n.CallsCut
		}
		fmt.Fprintf(w, "%d calls cut in %.1f ms, %d credentials dead\n", cut, st.Receipt.TimeToStopMS, st.Receipt.CredentialsRevoked)
		for _, n := range st.Receipt.Notes {
			fmt.Fprintf(w, "note: %s\n", n)
		}
	})
}

func runStopList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListStopsRequest
	var all bool
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&all, "all", false, "also those lifted and over")
	if err := parse(fs, args); err != nil {
		return err
	}
	req.Active = !all
	stops, err := r.client().ListStops(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, stops, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tTARGET\tBY\tSINCE\tUNTIL\tLIFTED\tREASON")
		for _, s := range stops.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, targetText(s.Target), s.By, when(&s.CreatedAt), when(s.Until), when(s.LiftedAt), word(s.Reason))
		}
	})
}

func runStopLift(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record")
	id, err := oneWord(fs, args, "stop")
	if err != nil {
		return err
	}
	st, err := r.client().LiftStop(ctx, client.LiftStopRequest{ID: id, Reason: reason})
	if err != nil {
		return err
	}
	return r.print(e.stdout, st, func(w io.Writer) {
		fmt.Fprintf(w, "%s is let in again; credentials that died stay dead\n", targetText(st.Target))
	})
}
