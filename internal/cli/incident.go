package cli

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
)

func incidentCommands() []command {
	return []command{
		{name: "incident list", args: "[flags]", short: "list incidents, those that touch most people first", long: incidentHelp, run: runIncidentList},
		{name: "incident show", args: "[flags] INCIDENT", short: "show an incident: timeline, signals and why each is there", long: incidentHelp, run: runIncidentShow},
		{name: "incident open", args: "[flags] TITLE", short: "open an incident by hand", long: incidentHelp, run: runIncidentOpen},
		{name: "incident ack", args: "[flags] INCIDENT", short: "say that you look at an incident: paging ends", long: incidentHelp, run: incidentState((*client.Client).AcknowledgeIncident)},
		{name: "incident mitigate", args: "[flags] INCIDENT", short: "say that people are safe from an incident", long: incidentHelp, run: incidentState((*client.Client).MitigateIncident)},
		{name: "incident resolve", args: "[flags] INCIDENT", short: "end an incident", long: incidentHelp, run: incidentState((*client.Client).ResolveIncident)},
		{name: "incident reopen", args: "[flags] INCIDENT", short: "open an incident again", long: incidentHelp, run: incidentState((*client.Client).ReopenIncident)},
		{name: "incident note", args: "[flags] INCIDENT", short: "add words to an incident's timeline", long: incidentHelp, run: incidentState((*client.Client).NoteIncident)},
		{name: "incident set", args: "[flags] INCIDENT", short: "change title, severity, kind, owner and roles of an incident", long: incidentHelp, run: runIncidentSet},
		{name: "incident merge", args: "[flags] INCIDENT INTO", short: "make an incident part of another", long: incidentHelp, run: runIncidentMerge},
		{name: "incident split", args: "[flags] INCIDENT", short: "take signals out of an incident", long: incidentHelp, run: runIncidentSplit},
		{name: "incident undo", args: "[flags] ID", short: "take a merge, a split or an act back", long: incidentHelp, run: runIncidentUndo},
		{name: "incident act", args: "[flags] INCIDENT", short: "list, try or do what can be done about an incident", long: incidentHelp, run: runIncidentAct},
		{name: "incident review", args: "[flags] INCIDENT", short: "print the review of an incident as Markdown", long: incidentHelp, run: runIncidentReview},
		{name: "incident actions", args: "[flags]", short: "list what is to be done after incidents, the first due first", long: incidentActionsHelp, run: runIncidentActions},
		{name: "incident weights", args: "[flags]", short: "show by which weights signals are joined, and what verdicts changed", run: runIncidentWeights},
		{name: "silence list", args: "[flags]", short: "list silences and maintenance windows", long: silenceHelp, run: runSilenceList},
		{name: "silence add", args: "[flags] MATCHER...", short: "keep matching signals from making incidents for a time", long: silenceHelp, run: runSilenceAdd},
		{name: "silence end", args: "[flags] ID", short: "end a silence", long: silenceHelp, run: runSilenceEnd},
	}
}

const incidentHelp = `
An incident is findings and alerts with one cause as far as is known. Each signal
says why it is there; what does not belong is taken out, and what belongs
together is merged. Both can be taken back. docs/incidents.md tells more.

  reeve incident list
  reeve incident show 12
  reeve incident ack 12
  reeve incident act 12 --kind contain --target refunds --level supervised --reason "wrong refunds" --preview
  reeve incident resolve 12 --reason "rolled back"
  reeve incident review 12 > review.md
  reeve incident review 12 --pdf review.pdf

INCIDENT is a number or an id.`

func runIncidentList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListIncidentsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "live", "live, all, or open, acknowledged, mitigated, resolved, reviewed, merged with commas")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Severity, "severity", "", "info, warning or critical")
	fs.StringVar(&req.Q, "q", "", "a part of the title or of an agent's name")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListIncidents(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NUMBER\tSTATE\tSEVERITY\tSINCE\tPEOPLE\tSIGNALS\tOWNER\tWHAT")
		for i := range list.Items {
			x := &list.Items[i]
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", x.Number, x.State, x.Severity, when(&x.OpenedAt), peopleWord(x.People), x.Signals, show(x.Owner), word(x.Title))
		}
	})
}

func peopleWord(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return fmt.Sprint(*n)
}

func runIncidentShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	x, err := r.client().GetIncident(ctx, client.IncidentRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { writeIncident(w, x) })
}

func writeIncident(w io.Writer, x *client.IncidentDetail) {
	fmt.Fprintf(w, "%d\t%s\n", x.Number, word(x.Title))
	row := func(name, format string, values ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", values...) }
	row("state", "%s, %s, %s", x.State, x.Severity, show(strings.ReplaceAll(x.Kind, "_", " ")))
	row("since", "%s", when(&x.OpenedAt))
	row("owner", "%s", show(x.Owner))
	row("touches", "%s people, %d runs, agents %s", peopleWord(x.People), x.Runs, word(strings.Join(x.Agents, ", ")))
	if x.Cause != nil {
		row("shares", "%s %s: %s", x.Cause.Kind, word(x.Cause.Value), word(x.CauseText))
	} else {
		row("shares", "unknown")
	}
	fmt.Fprintln(w)
	for _, t := range x.Timeline {
		evidence := ""
		if t.Evidence != nil {
			evidence = t.Evidence.Kind + " " + t.Evidence.ID
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.At.Local().Format("01-02 15:04:05"), word(t.Text), word(t.Detail), word(evidence))
	}
	fmt.Fprintln(w)
	for _, m := range x.Members {
		state := "firing"
		if !m.Firing {
			state = "over"
		}
		why := make([]string, len(m.Reasons))
		for i, r := range m.Reasons {
			why[i] = fmt.Sprintf("%s (%.2f)", r.Text, r.Weight)
		}
		fmt.Fprintf(w, "%s\t%s\t%d times\t%.2f\t%s\t%s\n", state, word(m.Title), m.Count, m.Score, word(strings.Join(why, "; ")), word(m.Fingerprint))
	}
}

// incidentState is a command that changes the state of an incident.
func incidentState(do func(*client.Client, context.Context, client.IncidentNoteRequest) (*client.Incident, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var req client.IncidentNoteRequest
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&req.Note, "note", "", "why, or what was done")
		fs.StringVar(&req.Note, "reason", "", "the same as --note")
		id, err := oneWord(fs, args, "incident")
		if err != nil {
			return err
		}
		req.ID = id
		x, err := do(r.client(), ctx, req)
		if err != nil {
			return err
		}
		return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "incident %d is %s: %s\n", x.Number, x.State, word(x.Title)) })
	}
}

func runIncidentOpen(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.OpenIncidentRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Text, "text", "", "what is known of it")
	fs.StringVar(&req.Severity, "severity", "warning", "info, warning or critical")
	fs.StringVar(&req.Kind, "kind", "", "wrong_answer, wrong_action or outage")
	fs.StringVar(&req.Team, "team", "", "whose it is")
	fs.StringVar(&req.Environment, "environment", "", "where")
	fs.Var((*texts)(&req.Agents), "agent", "an agent that it is about; may be given again")
	title, err := oneWord(fs, args, "title, in quotes")
	if err != nil {
		return err
	}
	req.Title = title
	x, err := r.client().OpenIncident(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "incident %d is open: %s\n", x.Number, word(x.Title)) })
}

func runIncidentSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.UpdateIncidentRequest{}
	fs := c.flags(e)
	r.bind(fs)
	for name, to := range map[string]**string{"title": &req.Title, "severity": &req.Severity, "kind": &req.Kind, "owner": &req.Owner, "lead": &req.Lead, "communications": &req.Communications} {
		fs.Func(name, "its new "+name, func(s string) error { *to = &s; return nil })
	}
	fs.StringVar(&req.Reason, "reason", "", "why")
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	req.ID = id
	x, err := r.client().UpdateIncident(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "incident %d: %s, %s, owner %s, lead %s, communications %s\n", x.Number, x.Severity, show(x.Kind), show(x.Owner), show(x.Lead), show(x.Communications))
	})
}

func runIncidentMerge(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.MergeIncidentRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why they are one")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name the incident and the one that it is part of", errUsage)
	}
	req.ID, req.Into = list[0], list[1]
	x, err := r.client().MergeIncident(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "incident %d has %d signals now: %s\n", x.Number, x.Signals, word(x.Title))
	})
}

func runIncidentSplit(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	req := client.SplitIncidentRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.Var((*texts)(&req.Fingerprints), "signal", "the fingerprint of a signal to take out; may be given again")
	fs.StringVar(&req.Reason, "reason", "", "why they do not belong")
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	req.ID = id
	x, err := r.client().SplitIncident(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "incident %d has %d signals: %s\n", x.Number, x.Signals, word(x.Title))
	})
}

func runIncidentUndo(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why")
	id, err := oneWord(fs, args, "merge or split (mov_...) or act (act_...)")
	if err != nil {
		return err
	}
	if strings.HasPrefix(id, "act_") {
		x, err := r.client().UndoIncidentAct(ctx, client.UndoActRequest{ID: id, Reason: reason})
		if err != nil {
			return err
		}
		return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "taken back: %s\n", word(x.Result)) })
	}
	x, err := r.client().UndoIncidentMove(ctx, client.UndoMoveRequest{ID: id, Reason: reason})
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "taken back; incident %d has %d signals\n", x.Number, x.Signals) })
}

func runIncidentAct(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.IncidentActRequest
	var preview bool
	var until time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Kind, "kind", "", "contain, stop, lower_budget, pin_model, pin_version, switch_upstream, source_out, tell_affected or make_case; without it what can be done is listed")
	fs.StringVar(&req.Target, "target", "", "the agent, tool, model, upstream, version, source, budget or run")
	fs.StringVar(&req.Level, "level", "", "of a containment; the kind of what is stopped; a budget's new limit; MODEL > OTHER, a version, the other upstream, or the data set of a case")
	fs.StringVar(&req.Message, "message", "", "of tell_affected: what people are told (--preview has a draft); of make_case: what would have been right")
	fs.StringVar(&req.Reason, "reason", "", "why; it is kept")
	fs.DurationVar(&until, "for", 0, "how long, such as 2h; 0 is until it is taken back")
	fs.BoolVar(&preview, "preview", false, "tell what it would come to, and do nothing")
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	req.ID = id
	switch {
	case req.Kind == "":
		list, err := r.client().ListIncidentOffers(ctx, client.IncidentRequest{ID: id})
		if err != nil {
			return err
		}
		return r.print(e.stdout, list, func(w io.Writer) {
			fmt.Fprintln(w, "KIND\tTARGET\tLEVEL\tWHAT\tWHY")
			for _, o := range list.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.Kind, word(o.Target), word(o.Level), word(o.Text), word(o.Why))
			}
		})
	case preview:
		p, err := r.client().PreviewIncidentAct(ctx, req)
		if err != nil {
			return err
		}
		return r.print(e.stdout, p, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n%s\n", word(p.Text), word(p.Undo))
			if p.Needs != "" {
				fmt.Fprintf(w, "you may not: %s\n", word(p.Needs))
			}
			if p.Second {
				fmt.Fprintln(w, "a second person agrees before it is done")
			}
			if p.Draft != "" {
				fmt.Fprintf(w, "\n%s\n", p.Draft)
			}
		})
	}
	if until > 0 {
		at := time.Now().Add(until)
		req.Until = &at
	}
	x, err := r.client().ActOnIncident(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n%s takes it back\n", x.State, word(x.Result), "reeve incident undo "+x.ID)
	})
}

func runIncidentReview(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var pdf string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&pdf, "pdf", "", "write it as a PDF to this file")
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	if pdf != "" {
		x, err := r.client().GetIncidentReviewPDF(ctx, client.IncidentRequest{ID: id})
		if err != nil {
			return err
		}
		raw, err := base64.StdEncoding.DecodeString(x.PDF)
		if err != nil {
			return fmt.Errorf("reading the PDF: %w", err)
		}
		return os.WriteFile(pdf, raw, 0o600)
	}
	x, err := r.client().GetIncidentReview(ctx, client.IncidentRequest{ID: id})
	if err != nil {
		return err
	}
	if r.output == "json" {
		return r.print(e.stdout, x, nil)
	}
	_, err = io.WriteString(cleaner{e.stdout}, x.Text+"\n")
	return err
}

func runIncidentWeights(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var revert int64
	fs := c.flags(e)
	r.bind(fs)
	fs.Int64Var(&revert, "revert", 0, "take what this revision changed back")
	if err := parse(fs, args); err != nil {
		return err
	}
	var x *client.IncidentWeights
	var err error
	if revert > 0 {
		x, err = r.client().RevertIncidentWeights(ctx, client.RevertWeightsRequest{Revision: revert})
	} else {
		x, err = r.client().GetIncidentWeights(ctx)
	}
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintln(w, "RULE\tWEIGHT\tDEFAULT\tWHAT")
		for _, t := range x.Weights {
			fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%s\n", t.Rule, t.Weight, t.Default, t.Text)
		}
		for _, h := range x.History {
			for _, d := range h.Changes {
				fmt.Fprintf(w, "revision %d\t%s %.3f > %.3f\t%s\t%s\n", h.Revision, d.Rule, d.Before, d.After, show(h.Person), word(h.Why))
			}
		}
	})
}

const silenceHelp = `
A silence keeps signals that match from making incidents until a time; a
maintenance window is one that is planned. What still fires at the end is taken
in. Matchers are Alertmanager's: name=value, name!=value, name=~regex, name!~regex,
on agent, team, environment, tool, server, model, provider, source, policy,
severity and every label.

  reeve silence add --for 2h --reason "index is rebuilt" source=handbook
  reeve silence add --kind maintenance --start 2026-12-01T20:00:00Z --for 4h --reason "CRM upgrade" server=crm`

func runSilenceList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListSilencesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.All, "all", false, "those that are over too")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListSilences(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tKIND\tSTATE\tTEAM\tMATCHERS\tENDS\tHELD\tAUTHOR\tREASON")
		for i := range list.Items {
			s := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.ID, s.Kind, s.State, show(s.Team), word(matcherWords(s.Matchers)), when(&s.EndsAt), s.Held, show(s.Author), word(s.Reason))
		}
	})
}

func matcherWords(list []client.SilenceMatcher) string {
	out := make([]string, len(list))
	for i, m := range list {
		op := map[[2]bool]string{{true, false}: "=", {false, false}: "!=", {true, true}: "=~", {false, true}: "!~"}[[2]bool{m.IsEqual, m.IsRegex}]
		out[i] = m.Name + op + m.Value
	}
	return strings.Join(out, ", ")
}

func readMatcher(s string) (client.SilenceMatcher, error) {
	at := strings.IndexAny(s, "=!")
	if at <= 0 {
		return client.SilenceMatcher{}, fmt.Errorf("%w: %q is no matcher such as agent=refunds", errUsage, s)
	}
	m := client.SilenceMatcher{Name: s[:at], IsEqual: true}
	rest := s[at:]
	for _, op := range []struct {
		text         string
		equal, regex bool
	}{{"=~", true, true}, {"!~", false, true}, {"!=", false, false}, {"=", true, false}} {
		if value, ok := strings.CutPrefix(rest, op.text); ok {
			m.Value, m.IsEqual, m.IsRegex = strings.Trim(value, `"`), op.equal, op.regex
			return m, nil
		}
	}
	return m, fmt.Errorf("%w: %q is no matcher such as agent=refunds", errUsage, s)
}

func runSilenceAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateSilenceRequest
	var length time.Duration
	var start string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Kind, "kind", "silence", "silence or maintenance")
	fs.StringVar(&req.Team, "team", "", "only signals of this team")
	fs.StringVar(&req.Reason, "reason", "", "why; required")
	fs.DurationVar(&length, "for", 2*time.Hour, "how long")
	fs.StringVar(&start, "start", "", "when it begins (RFC 3339); now without it")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	for _, s := range list {
		m, err := readMatcher(s)
		if err != nil {
			return err
		}
		req.Matchers = append(req.Matchers, m)
	}
	from := time.Now()
	if start != "" {
		if from, err = time.Parse(time.RFC3339, start); err != nil {
			return fmt.Errorf("%w: --start %q is no time such as 2026-12-01T20:00:00Z", errUsage, start)
		}
		req.StartsAt = &from
	}
	req.EndsAt = from.Add(length)
	s, err := r.client().CreateSilence(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "%s is %s until %s: %s\n", s.ID, s.State, when(&s.EndsAt), word(matcherWords(s.Matchers)))
	})
}

func runSilenceEnd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.EndSilenceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why")
	id, err := oneWord(fs, args, "silence")
	if err != nil {
		return err
	}
	req.ID = id
	s, err := r.client().EndSilence(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) { fmt.Fprintf(w, "%s is over\n", s.ID) })
}

const incidentActionsHelp = `
Actions are what reviews ask for, so that an incident does not come again: each has an
owner and a date. Compensations put right what was done wrong; a second person agrees
before they are done.

  reeve incident actions --mine
  reeve incident actions --kind compensation --unagreed     those that wait for you`

func runIncidentActions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListIncidentActionsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.Mine, "mine", false, "only yours")
	fs.StringVar(&req.Kind, "kind", "action", "action or compensation")
	fs.BoolVar(&req.Unagreed, "unagreed", false, "of compensations: those that wait for your agreement")
	if err := parse(fs, args); err != nil {
		return err
	}
	out, err := r.client().ListIncidentActions(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if len(out.Items) == 0 {
			fmt.Fprintln(w, "nothing is to be done")
			return
		}
		fmt.Fprintln(w, "ID\tINCIDENT\tDUE\tOWNER\tAGREED BY\tWHAT")
		for _, t := range out.Items {
			due := "-"
			if t.DueAt != nil {
				due = t.DueAt.Local().Format("2006-01-02 15:04")
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", t.ID, t.Number, due, show(t.Owner), show(t.ApprovedBy), word(t.Text))
		}
	})
}
