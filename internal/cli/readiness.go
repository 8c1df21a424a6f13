package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"reeve/client"
)

func readinessCommands() []command {
	return []command{
		{name: "source unanswered", args: "[flags]", short: "list what was asked and not answered, with its runs", long: readinessHelp, run: runSourceUnanswered},
		{name: "source readiness", args: "[flags]", short: "say how far what agents read can be relied on", long: readinessHelp, run: runSourceReadiness},
		{name: "source audit", args: "[flags] NAME FILE", short: "hold answers from a source against the truth", long: readinessHelp, run: runSourceAudit},
		{name: "source audits", args: "[flags] NAME", short: "list audits of a source with their error rates", run: runSourceAudits},
		{name: "source plan", args: "[flags] NAME", short: "have an agent asked sampled questions at times, and held against the truth", long: planHelp, run: runSourcePlan},
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
		fmt.Fprintf(w, "\nASKED ABOUT\tBY\tASKED\tWITH SUPPORT\tNOT ANSWERED\n")
		for _, t := range x.Topics {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\n", show(word(t.Topic)), t.By, t.Asked, shareWord(t.Supported), t.Backlog)
		}
	})
}

func runSourceUnanswered(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListUnansweredRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "RFC 3339, or a distance from now; a week by default")
	fs.StringVar(&req.To, "to", "", "as --from; now by default")
	fs.StringVar(&req.Team, "team", "", "of this team alone")
	fs.StringVar(&req.Environment, "environment", "", "of this environment alone")
	fs.StringVar(&req.Topic, "topic", "", "about this topic, by id; none: about none")
	fs.StringVar(&req.Task, "task", "", "of this task; unknown: of runs that name none")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many, 100 at once")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListUnanswered(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tRUN\tAGENT\tOUTCOME\tTOPIC OR TASK\tASKED")
		for _, x := range list.Items {
			asked := x.Text
			if x.Hidden {
				asked = "(you may not read content)"
			}
			about := x.Topic
			if about == "" {
				about = x.Task
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.At.Local().Format(time.DateTime), x.Run, orDash(x.Agent), x.Outcome, orDash(word(about)), orDash(word(asked)))
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

const planHelp = `
Shows how a source is audited by itself; with --agent it says so. The agent is asked
sampled questions as tests (reeve invoke set): tools are answered from recordings or go
to a sandbox, nothing is written. What it answers is held against the truth, which is

  --dataset NAME      the cases of a data set say what is right
  --sheet FILE        a JSON list of {"question", "truth"}
  --truth-url URL     asked for what users asked in runs that read the source, or with
                      --unanswered in runs that came to nothing: POST {"question"} is
                      answered with {"truth"}, "" where it is not known

  reeve source plan refund_policy --agent refund --dataset refunds --sample 50 --every 24h
  reeve source plan refund_policy --now
  reeve source audits refund_policy

The error rate has its 95 % interval (Wilson); a question that got no answer is counted
apart. The newest audit is what --min-accuracy of reeve source set is about. A name in
--sandbox of reeve invoke set makes the agent read the source as it is now; from a
recording it answers from what was read then.`

func runSourcePlan(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutAuditPlanRequest
	var sheet string
	var now, end, unanswered bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Agent, "agent", "", "who is asked")
	fs.StringVar(&in.Dataset, "dataset", "", "its cases are the questions")
	fs.StringVar(&sheet, "sheet", "", "JSON file of questions with their truth")
	fs.StringVar(&in.TruthURL, "truth-url", "", "where the truth of users' questions is asked for")
	fs.BoolVar(&unanswered, "unanswered", false, "with --truth-url: what users asked in runs that came to nothing")
	fs.BoolVar(&in.AllowPrivate, "allow-private", false, "--truth-url may be inside the house")
	fs.IntVar(&in.Sample, "sample", 0, "how many questions each time; 50 by default")
	fs.StringVar(&in.Every, "every", "", "how often: 24h, 7d (default)")
	fs.BoolVar(&in.Paused, "paused", false, "keep it and do not ask")
	fs.BoolVar(&now, "now", false, "ask now, beside its times")
	fs.BoolVar(&end, "end", false, "end it; its audits stay")
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	of := client.SourceRequest{Name: name}
	sets := in.Agent != "" || in.Dataset != "" || sheet != "" || in.TruthURL != "" || unanswered || in.Sample != 0 || in.Every != "" || in.Paused
	switch {
	case now && end, (now || end) && sets:
		return fmt.Errorf("%w: --now and --end stand alone", errUsage)
	case end:
		if err := r.client().DeleteAuditPlan(ctx, of); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "%s is not audited by itself any more\n", name)
		return err
	case sets && in.Agent == "":
		return fmt.Errorf("%w: give --agent", errUsage)
	}
	var p *client.AuditPlan
	switch {
	case now:
		p, err = r.client().AskAuditPlan(ctx, of)
	case sets:
		if p, err = r.putAuditPlan(ctx, name, sheet, unanswered, in); err != nil {
			return err
		}
	default:
		p, err = r.client().GetAuditPlan(ctx, of)
	}
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) { auditPlanLines(w, p) })
}

func (r *remote) putAuditPlan(ctx context.Context, name, sheet string, unanswered bool, in client.PutAuditPlanRequest) (*client.AuditPlan, error) {
	in.Name = name
	if unanswered {
		in.Questions = "unanswered"
	}
	if sheet != "" {
		text, err := os.ReadFile(sheet)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &in.Sheet); err != nil {
			return nil, fmt.Errorf("%w: %s is no JSON list of questions with their truth: %w", errUsage, sheet, err)
		}
	}
	old, err := r.client().GetAuditPlan(ctx, client.SourceRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in.Revision = old.Revision
	case errors.As(err, &problem) && problem.Code == "source.no_audit_plan":
	default:
		return nil, err
	}
	return r.client().PutAuditPlan(ctx, in)
}

func auditPlanLines(w io.Writer, p *client.AuditPlan) {
	from := p.Questions + " questions, the truth by " + word(p.TruthURL)
	switch p.Questions {
	case "dataset":
		from = "data set " + word(p.Dataset)
	case "sheet":
		from = fmt.Sprintf("a sheet of %d questions", p.Known)
	}
	fmt.Fprintf(w, "%s\tagent %s, %d of %s every %s\n", p.Source, p.Agent, p.Sample, from, p.Every)
	switch {
	case p.NotPossible != "":
		fmt.Fprintf(w, "  not possible\t%s\n", word(p.NotPossible))
	case p.Running != "":
		fmt.Fprintf(w, "  asks now\t%s\n", p.Running)
	case p.Paused:
		fmt.Fprintln(w, "  paused")
	case p.NextAt != nil:
		fmt.Fprintf(w, "  asks next\t%s\n", p.NextAt.Format(time.RFC3339))
	}
	if p.Last != "" {
		fmt.Fprintf(w, "  asked last\t%s, audit %s\n", p.Last, orDash(p.LastAudit))
	}
	if p.Trouble != "" {
		fmt.Fprintf(w, "  trouble\t%s\n", word(p.Trouble))
	}
}

func runSourceAudits(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	l, err := r.client().ListSourceAudits(ctx, client.SourceRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		if len(l.Items) == 0 {
			fmt.Fprintln(w, "it was not audited")
			return
		}
		fmt.Fprintln(w, "AUDIT\tAT\tWRONG\tNO ANSWER\tASKED\tAGAINST")
		for _, a := range l.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", a.ID, a.At.Format(time.RFC3339), shareWord(a.ErrorRate), a.Unanswered, orDash(a.Agent), word(a.Truth))
		}
	})
}
