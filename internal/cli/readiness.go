package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"reeve/client"
)

func readinessCommands() []command {
	return []command{
		{name: "source readiness", args: "[flags]", short: "say how far what agents read can be relied on", long: readinessHelp, run: runSourceReadiness},
		{name: "source audit", args: "[flags] NAME FILE", short: "hold answers from a source against the truth", long: readinessHelp, run: runSourceAudit},
	}
}

const readinessHelp = `
Says of each source how fresh it is and how often it is made anew, which share of
its assertions' results failed in 30 days, what its last audit found, and how
many runs read it; of all runs, the share whose sources were all fresh; and by
topic what was asked, what was answered with support, and what was not answered.

  reeve source readiness
  reeve source set refund_policy --max-error-rate 0.05 --min-accuracy 0.95 --on-breach out
  reeve source audit refund_policy audit.json --truth "price list of 2026-11"

An audit is a JSON list of {"question", "answer", "truth"}; or "right": true or
false where a person said it. A limit is broken where the whole 95 % interval is
beyond it, from ten results on: that is a finding, and with --on-breach out the
source is out of use until it keeps its limits again.`

func runSourceReadiness(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ReadinessRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "RFC 3339, or a distance from now; a week by default")
	fs.StringVar(&req.To, "to", "", "as --from; now by default")
	fs.StringVar(&req.Team, "team", "", "of this team alone")
	fs.StringVar(&req.Environment, "environment", "", "runs of this environment alone")
	if err := parse(fs, args); err != nil {
		return err
	}
	x, err := r.client().GetReadiness(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "answers whose sources were all fresh: %s of %d runs looked at (%d read something; of %d nobody knows)\n", shareWord(x.AllFresh), x.Looked, x.Reading, x.Unknown)
		if x.Coverage != nil {
			fmt.Fprintf(w, "asked topics answered with support, by demand: %.1f %%\n", 100**x.Coverage)
		}
		fmt.Fprintln(w, "\nSOURCE\tSTATE\tEVERY\tERRORS\tACCURACY\tRUNS\tFRESH\tUSE\tBREAKS")
		for _, s := range x.Sources {
			every, use, breaks := "unknown", "in use", "-"
			if s.Every != nil {
				every = time.Duration(*s.Every * 1e6).Round(time.Second).String()
			}
			if s.Source.OutOfUse != nil {
				use = "OUT"
			}
			if len(s.Breaches) > 0 {
				breaks = s.Breaches[0].Text
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Source.Name, s.Source.State, every, shareWord(s.ErrorRate), shareWord(s.Accuracy), s.Runs, shareWord(s.Fresh), use, breaks)
		}
		fmt.Fprintf(w, "\n%s\tASKED\tWITH SUPPORT\tNOT ANSWERED\n", "TOPIC")
		for _, t := range x.Topics {
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\n", show(word(t.Topic)), t.Asked, shareWord(t.Supported), t.Backlog)
		}
	})
}

func shareWord(s *client.SourceShare) string {
	if s == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.1f%% (%.1f to %.1f, n=%d)", 100*s.Value, 100*s.Low, 100*s.High, s.N)
}

func runSourceAudit(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	in := client.AuditSourceRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Truth, "truth", "", "what the answers are held against, in a line")
	rest, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return fmt.Errorf("%w: reeve source audit NAME FILE", errUsage)
	}
	in.Name = rest[0]
	text, err := os.ReadFile(rest[1])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &in.Items); err != nil {
		return fmt.Errorf("%w: %s is no JSON list of questions: %w", errUsage, rest[1], err)
	}
	a, err := r.client().AuditSource(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d of %d answers are right\n", a.ID, a.Correct, a.Asked)
		for _, x := range a.Wrong {
			fmt.Fprintf(w, "  wrong\t%s\t%s\n", word(x.Question), word(x.Answer))
		}
	})
}
