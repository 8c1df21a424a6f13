package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func feedbackCommands() []command {
	return []command{
		{name: "feedback list", args: "[flags]", short: "list what people and systems said of runs", long: feedbackHelp, run: runFeedbackList},
		{name: "feedback show", args: "[flags] FEEDBACK", short: "show one", run: runFeedbackShow},
		{name: "feedback summary", args: "[flags]", short: "add up what users said of each agent's versions, and who said nothing", long: feedbackHelp, run: runFeedbackSummary},
		{name: "feedback patterns", args: "[flags]", short: "say which steps of an agent's runs go with unhappy users", long: patternsHelp, run: runFeedbackPatterns},
		{name: "feedback add", args: "[flags] [COMMENT]", short: "send a feedback", long: feedbackHelp, run: runFeedbackAdd},
		{name: "feedback link", args: "[flags]", short: "make signed links for a mail or a chat", long: feedbackHelp, run: runFeedbackLink},
		{name: "feedback bind", args: "[flags] KEY", short: "say which run a join key names", long: feedbackHelp, run: runFeedbackBind},
		{name: "feedback tell", args: "[flags] FEEDBACK", short: "note what somebody was told of what became of it, and print where to tell them", run: runFeedbackTell},
		{name: "feedback status", args: "[flags] FEEDBACK [TEXT]", short: "say what somebody sees, by their link, of what became of what they said", run: runFeedbackStatus},
		{name: "feedback erase", args: "[flags] [FEEDBACK]", short: "erase what was said and by whom", run: runFeedbackErase},
		{name: "feedback form list", args: "[flags]", short: "list the forms of web pages", run: runFeedbackForms},
		{name: "feedback form set", args: "[flags] NAME", short: "let pages of an origin send feedback", long: feedbackHelp, run: runFeedbackFormSet},
		{name: "feedback form remove", args: "[flags] NAME", short: "remove a form; what it sent stays", run: runFeedbackFormRemove},
	}
}

const feedbackHelp = `
Feedback is what people, or systems downstream, said of a run's result. It is
joined to its run by the run's id, its trace, a session, or a join key that you
bind to it, whichever comes first.

  reeve feedback add --trace 0af7651916cd43dd8448eb211c80319c --thumb down "wrong order"
  reeve feedback link --trace 0af7651916cd43dd8448eb211c80319c --user ada
  reeve feedback form set shop --team support --origin https://shop.example
  reeve feedback summary --from -168h

Slack, Pendo and your own senders are registered as sources ("reeve feedback
source add"); Langfuse, Datadog, LangSmith and OpenTelemetry send with their
traces. docs/feedback.md has each.`

const feedbackSourceHelp = `
  reeve feedback source add slack --kind slack --team support --environment production --secret-file signing-secret.txt
  reeve feedback source add pendo --kind pendo --team support --environment production
  reeve feedback source add crm --kind feedback --team support --environment production

Deliveries go to the path that is printed. Slack: subscribe to reaction_added and
reaction_removed, and bind each answer's message to its run ("reeve feedback bind
slack:CHANNEL:TS --trace TRACE"). Runs are found within the source's team and
environment, so give both.`

const patternsHelp = `
Compares the share of unhappy users of an agent's runs with and without each pattern of
steps: a tool used, two tools one after the other, a tool that failed, one that was
called again and again with the same arguments, a refusal, another agent, a slow call, a
retrieval that brought nothing, many steps. One run a user, the newest 1,000.

  reeve feedback patterns --agent refund --from -720h

Each is tested by Fisher's exact test; found are those that stay so with all patterns
taken together (Benjamini and Hochberg, at most one in twenty by chance). A pattern goes
with complaints; that it causes them is not said: a hard question may bring both.`

func runFeedbackPatterns(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.FeedbackPatternsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "of this agent (needed)")
	fs.StringVar(&req.Version, "version", "", "only of this version")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment")
	fs.StringVar(&req.From, "from", "-720h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Least, "least", 0, "runs with a pattern, and without, before it is tested; 10 by default")
	fs.IntVar(&req.Limit, "limit", 20, "at most so many beside those that were found")
	if err := parse(fs, args); err != nil {
		return err
	}
	if req.Agent == "" {
		return fmt.Errorf("%w: give --agent", errUsage)
	}
	x, err := r.client().FeedbackPatterns(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) {
		if x.Possible != "" {
			fmt.Fprintln(w, word(x.Possible))
			return
		}
		fmt.Fprintln(w, word(x.Says))
		fmt.Fprintln(w, "\nPATTERN\tUNHAPPY WITH\tWITHOUT\tDIFFERENCE\tP\tFOUND")
		for _, p := range x.Items {
			found := "no"
			if p.Found {
				found = "yes"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%+.0f (%+.0f to %+.0f) points\t%.2g\t%s\n", word(patternWord(p)), shareText(p.With), shareText(p.Without), 100**p.Diff.Value, 100**p.Diff.Low, 100**p.Diff.High, p.P, found)
		}
	})
}

// patternWord says what a pattern is.
func patternWord(p client.FeedbackPattern) string {
	switch p.Kind {
	case "tool":
		return "used " + p.Name
	case "then":
		return p.Name + " then " + p.Then
	case "tool_error", "model_error":
		return p.Name + " failed"
	case "loop":
		return p.Name + " again and again"
	case "model":
		return "asked " + p.Name
	case "slow":
		return "slow " + p.Name
	case "nothing_found":
		return p.Name + " found nothing"
	case "handoff":
		return "another agent"
	case "many_steps":
		return "many steps"
	case "person":
		return "a person took part"
	}
	return strings.TrimSpace(p.Kind + " " + p.Name)
}

func runFeedbackList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListFeedbackRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Version, "version", "", "only of this version")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment")
	fs.StringVar(&req.Source, "source", "", "only from this sender: api, link, form:NAME, slack, ...")
	fs.StringVar(&req.Verdict, "verdict", "", "positive, neutral, negative or none")
	fs.StringVar(&req.Giver, "giver", "", "user or system")
	fs.StringVar(&req.Run, "run", "", "only of this run")
	fs.StringVar(&req.Joined, "joined", "", "yes or no: whether its run is known")
	fs.StringVar(&req.Q, "q", "", "a part of the comment")
	fs.StringVar(&req.From, "from", "-168h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListFeedback(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tAT\tVERDICT\tWHAT\tAGENT\tVERSION\tRUN\tSOURCE\tCOMMENT")
		for i := range list.Items {
			f := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.At.Local().Format(time.DateTime), orDash(f.Verdict), word(said(f)), orDash(f.Agent), orDash(f.Version), orDash(f.Run), f.Source, word(f.Comment))
		}
		if list.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", list.Next)
		}
	})
}

// said is a feedback's value in words.
func said(f *client.Feedback) string {
	switch {
	case f.Removed:
		return "taken back"
	case f.Value == nil:
		return strings.TrimSpace(f.Kind + " " + f.Label)
	case f.Kind == "thumb" || f.Kind == "done":
		yes, no := "up", "down"
		if f.Kind == "done" {
			yes, no = "done", "not done"
		}
		if *f.Value == 1 {
			return yes
		}
		return no
	}
	return fmt.Sprintf("%g of %g", *f.Value, f.Max)
}

func runFeedbackShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "feedback")
	if err != nil {
		return err
	}
	f, err := r.client().GetFeedback(ctx, client.FeedbackRequest{ID: id})
	return r.feedback(e, f, err)
}

func (r *remote) feedback(e env, f *client.Feedback, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, f, func(w io.Writer) {
		row := func(name, value string) {
			if value != "" {
				fmt.Fprintf(w, "%s\t%s\n", name, word(value))
			}
		}
		row("feedback", f.ID)
		row("verdict", f.Verdict)
		row("what", said(f))
		row("asked", f.Name)
		row("comment", f.Comment)
		row("from", f.Giver+" by "+f.Source)
		if !f.Verified {
			row("proof", "none: a page of an allowed origin said so")
		}
		row("at", when(&f.At))
		row("agent", f.Agent)
		row("version", f.Version)
		if f.Run == "" {
			row("run", "not known yet")
		} else {
			row("run", f.Run+", by "+strings.ReplaceAll(f.JoinedBy, "_", " "))
		}
		row("trace", f.About.Trace)
		row("join key", f.About.JoinKey)
		row("session", f.About.Session)
		row("cut out", strings.Join(f.Redacted, ", "))
		if f.Erased {
			row("erased", "what was said and by whom")
		}
		for _, t := range f.Told {
			row("told", when(&t.At)+" by "+t.By+": "+t.Text)
		}
	})
}

// aboutFlags are the ways to say what a feedback is about.
func aboutFlags(fs *flag.FlagSet, about *client.FeedbackAbout) {
	fs.StringVar(&about.Run, "run", "", "the run's id")
	fs.StringVar(&about.Trace, "trace", "", "or its trace: 32 hex digits or a UUID")
	fs.StringVar(&about.RunKey, "run-key", "", "or the name that you gave it")
	fs.StringVar(&about.JoinKey, "join-key", "", "or what was bound to it: an order, a ticket, a message")
	fs.StringVar(&about.Session, "session", "", "or its session: the last run of it by then")
}

func runFeedbackAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.CreateFeedbackRequest
	var thumb, consent string
	var rating float64
	fs := c.flags(e)
	r.bind(fs)
	aboutFlags(fs, &in.FeedbackAbout)
	fs.StringVar(&thumb, "thumb", "", "up or down")
	fs.Float64Var(&rating, "rating", -1, "a number of --min to --max; 1 to 5 by itself")
	fs.Float64Var(&in.Min, "min", 0, "the scale's lower end")
	fs.Float64Var(&in.Max, "max", 0, "the scale's upper end")
	fs.StringVar(&in.Label, "label", "", "a word, such as pass")
	fs.StringVar(&in.Name, "name", "", "what was asked")
	fs.StringVar(&in.Key, "key", "", "by which it is known again: the same replaces it")
	fs.StringVar(&in.User, "user", "", "who said it; kept as a keyed hash")
	fs.StringVar(&in.Contact, "contact", "", "where they want to be told what became of it")
	fs.StringVar(&consent, "consent", "", "yes or no: whether it may be used to train and test")
	fs.StringVar(&in.Giver, "giver", "", "user, or system for what a system found")
	fs.StringVar(&in.Team, "team", "", "the team whose run it is")
	fs.StringVar(&in.Environment, "environment", "", "where it ran")
	rest, err := words(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) > 1:
		return fmt.Errorf("%w: the comment is one word in quotes", errUsage)
	case len(rest) == 1:
		in.Comment = rest[0]
	}
	switch {
	case thumb == "up" || thumb == "down":
		v := map[string]float64{"up": 1, "down": 0}[thumb]
		in.Kind, in.Value = "thumb", &v
	case thumb != "":
		return fmt.Errorf("%w: --thumb is up or down", errUsage)
	case rating != -1:
		in.Kind, in.Value = "rating", &rating
	}
	switch consent {
	case "":
	case "yes", "no":
		yes := consent == "yes"
		in.Consent = &yes
	default:
		return fmt.Errorf("%w: --consent is yes or no", errUsage)
	}
	f, err := r.client().CreateFeedback(ctx, in)
	return r.feedback(e, f, err)
}

func runFeedbackSummary(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.FeedbackSummaryRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Version, "version", "", "only of this version")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment")
	fs.StringVar(&req.From, "from", "-168h", "start of the period")
	fs.StringVar(&req.To, "to", "", "end of the period")
	if err := parse(fs, args); err != nil {
		return err
	}
	s, err := r.client().FeedbackSummary(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tVERSION\tRUNS\tANSWERED\tSATISFIED\tIF ALL ANSWERED\tBAD\tGOOD")
		line := func(agent, version string, f *client.FeedbackFigures) {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\n", agent, orDash(version), f.Runs, shareText(f.ResponseRate), shareText(f.Satisfaction), boundsText(f), f.Negative, f.Positive)
		}
		for i := range s.Agents {
			line(s.Agents[i].Agent, s.Agents[i].Version, &s.Agents[i].FeedbackFigures)
		}
		line("all", "", &s.All)
		if s.Unmatched > 0 {
			fmt.Fprintf(w, "\n%d without a run (reeve feedback list --joined no)\n", s.Unmatched)
		}
		for _, t := range s.Themes {
			fmt.Fprintf(w, "\n%d times: %s\t%s\n", t.Count, word(t.Words), word(t.Example))
		}
	})
}

func shareText(s client.Share) string {
	if s.Value == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f%% (%.0f-%.0f, n=%d)", 100**s.Value, 100**s.Low, 100**s.High, s.N)
}

func boundsText(f *client.FeedbackFigures) string {
	if f.Worst == nil {
		return "-"
	}
	text := fmt.Sprintf("%.0f%% to %.0f%%", 100**f.Worst, 100**f.Best)
	if f.Adjusted != nil {
		text = fmt.Sprintf("about %.0f%%, ", 100**f.Adjusted) + text
	}
	return text
}

func runFeedbackLink(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.CreateFeedbackLinkRequest
	fs := c.flags(e)
	r.bind(fs)
	aboutFlags(fs, &in.FeedbackAbout)
	fs.StringVar(&in.User, "user", "", "who gets it; kept as a keyed hash")
	fs.StringVar(&in.Question, "question", "", "what the page asks")
	fs.StringVar(&in.Expires, "expires", "168h", "how long it can be used")
	fs.StringVar(&in.Team, "team", "", "the team whose run it is")
	fs.StringVar(&in.Environment, "environment", "", "where it ran")
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().CreateFeedbackLink(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		fmt.Fprintf(w, "link\t%s\nup\t%s\ndown\t%s\nuntil\t%s\n", l.URL, l.Up, l.Down, when(&l.ExpiresAt))
	})
}

func runFeedbackBind(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.BindFeedbackKeyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Run, "run", "", "the run's id")
	fs.StringVar(&in.Trace, "trace", "", "or its trace")
	fs.StringVar(&in.Team, "team", "", "the team whose run it is")
	fs.StringVar(&in.Environment, "environment", "", "where it ran")
	var err error
	if in.Key, err = oneWord(fs, args, "join key"); err != nil {
		return err
	}
	k, err := r.client().BindFeedbackKey(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, k, func(w io.Writer) { fmt.Fprintf(w, "%s\t%s\n", word(k.Key), k.Run) })
}

func runFeedbackStatus(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.SetFeedbackStatusRequest
	var revoke bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.State, "state", "", "open, working or corrected (needed)")
	fs.BoolVar(&revoke, "revoke", false, "end the links by which they see it")
	rest, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 || len(rest) > 2 || revoke != (in.State == "") || revoke && len(rest) > 1 {
		return fmt.Errorf("%w: reeve feedback status FEEDBACK --state working [TEXT], or --revoke", errUsage)
	}
	in.ID = rest[0]
	if revoke {
		if err := r.client().RevokeFeedbackStatus(ctx, client.FeedbackRequest{ID: in.ID}); err != nil {
			return err
		}
		_, err := fmt.Fprintln(e.stdout, "its links show nothing any more")
		return err
	}
	if len(rest) == 2 {
		in.Text = rest[1]
	}
	f, err := r.client().SetFeedbackStatus(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, f, func(w io.Writer) {
		fmt.Fprintf(w, "they see it as %s until %s\n", in.State, f.WatchedTill.Format(time.DateOnly))
	})
}

func runFeedbackErase(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.EraseFeedbackRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Team, "team", "", "with --user: the team that the user's feedback is of")
	fs.StringVar(&in.User, "user", "", "all that this user gave")
	fs.StringVar(&in.Reason, "reason", "", "why")
	rest, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 1 || len(rest) == 1 == (in.User != "") {
		return fmt.Errorf("%w: give a feedback's id, or --user", errUsage)
	}
	if len(rest) == 1 {
		in.ID = rest[0]
	}
	x, err := r.client().EraseFeedback(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "%d erased\n", x.Erased) })
}

func runFeedbackTell(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	in := client.TellFeedbackRequest{}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Text, "text", "", "what they are told")
	var err error
	if in.ID, err = oneWord(fs, args, "feedback"); err != nil {
		return err
	}
	t, err := r.client().TellFeedback(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) { fmt.Fprintf(w, "noted; tell them at\t%s\n", word(t.Contact)) })
}

func runFeedbackForms(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListFeedbackForms(ctx, client.ListFeedbackFormsRequest{})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tTEAM\tENVIRONMENT\tORIGINS\tTICKETS\tKEY\tREVISION")
		for _, f := range list.Items {
			tickets := "not asked for"
			if f.Ticket {
				tickets = "required"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", word(f.Name), orDash(f.Team), orDash(f.Environment), strings.Join(f.Origins, ","), tickets, f.Key, f.Revision)
		}
	})
}

func runFeedbackFormSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutFeedbackFormRequest
	var origins string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Team, "team", "", "the team whose runs the pages speak of")
	fs.StringVar(&in.Environment, "environment", "", "and the environment")
	fs.StringVar(&origins, "origin", "", "the pages that may send: https://shop.example; several with commas")
	fs.BoolVar(&in.Ticket, "ticket", false, "take only what shows a ticket (reeve feedback link)")
	fs.StringVar(&in.Question, "question", "", "what the page asks")
	var err error
	if in.Name, err = oneWord(fs, args, "form"); err != nil {
		return err
	}
	if in.Origins = strings.FieldsFunc(origins, func(r rune) bool { return r == ',' || r == ' ' }); len(in.Origins) == 0 {
		return fmt.Errorf("%w: give --origin, the pages that may send", errUsage)
	}
	list, err := r.client().ListFeedbackForms(ctx, client.ListFeedbackFormsRequest{})
	if err != nil {
		return err
	}
	for _, f := range list.Items {
		if f.Name == in.Name {
			in.Revision = f.Revision
		}
	}
	f, err := r.client().PutFeedbackForm(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, f, func(w io.Writer) { fmt.Fprintf(w, "form\t%s\nkey\t%s\n\n%s\n", word(f.Name), f.Key, f.Snippet) })
}

func runFeedbackFormRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "form")
	if err != nil {
		return err
	}
	if err := r.client().DeleteFeedbackForm(ctx, client.FeedbackFormRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "form %s is removed; what it sent stays\n", name)
	return nil
}
