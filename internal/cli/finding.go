package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

func findingCommands() []command {
	return []command{
		{name: "agent behaviour", args: "[flags] NAME", short: "show what was measured of an agent, and what is normal of it", run: runAgentBehaviour},
		{name: "agent log-kinds", args: "[flags] AGENT", short: "list the kinds of an agent's log lines, with values masked", long: "\nThe findings of new_log name a kind by its number: kind 7. What lines say is content,\nso it takes the role reader.", run: runAgentLogKinds},
		{name: "finding list", args: "[flags]", short: "list what detectors saw, with what other parts found", long: findingHelp, run: runFindingList},
		{name: "finding show", args: "[flags] ID", short: "show a finding with its evidence and what was done about it", long: findingHelp, run: runFindingShow},
		{name: "finding useful", args: "[flags] ID", short: "say that a finding was worth a look", long: findingHelp, run: judging("useful")},
		{name: "finding noise", args: "[flags] ID", short: "say that a finding was not worth a look", long: findingHelp, run: judging("noise")},
		{name: "finding unjudge", args: "[flags] ID", short: "take back what was said of a finding", long: findingHelp, run: judging("")},
		{name: "finding false-alarm", args: "[flags] ID", short: "call a finding noise and take back what followed from it", long: findingHelp, run: runFindingFalseAlarm},
		{name: "detector list", args: "[flags]", short: "list detectors with what is wanted of them", long: detectorHelp, run: runDetectorList},
		{name: "detector set", args: "[flags] NAME", short: "say what is wanted of a detector, by effect", long: detectorHelp, run: runDetectorSet},
		{name: "detector reset", args: "[flags] NAME", short: "go back to the default", long: detectorHelp, run: runDetectorReset},
		{name: "rule list", args: "[flags]", short: "list the rules that people wrote over measures", long: ruleHelp, run: runRuleList},
		{name: "rule get", args: "[flags] NAME", short: "list the versions of a rule", long: ruleHelp, run: runRuleGet},
		{name: "rule try", args: "[flags]", short: "say when a condition would have held in the last days", long: ruleHelp, run: runRuleTry},
		{name: "rule put", args: "[flags] NAME", short: "make or change a rule", long: ruleHelp, run: runRulePut},
		{name: "rule delete", args: "[flags] NAME", short: "drop a rule", long: ruleHelp, run: runRuleDelete},
		{name: "rule words", args: "[flags]", short: "list what a rule can ask about", long: ruleHelp, run: runRuleWords},
		{name: "response policies", args: "[flags]", short: "list what follows from which findings", long: responseHelp, run: runResponsePolicies},
		{name: "response put", args: "[flags] NAME", short: "make or change a response policy", long: responseHelp, run: runResponsePut},
		{name: "response delete", args: "[flags] NAME", short: "drop a response policy", long: responseHelp, run: runResponseDelete},
		{name: "response list", args: "[flags]", short: "list what was done about findings, or would have been", long: responseHelp, run: runResponseList},
		{name: "response revert", args: "[flags] ID", short: "take a response back", long: responseHelp, run: acting((*client.Client).RevertResponse)},
		{name: "response apply", args: "[flags] ID", short: "do what a braked or observing policy would have done", long: responseHelp, run: acting((*client.Client).ApplyResponse)},
	}
}

const findingHelp = `
A finding is what one detector saw: a loop, a tool never used before, a run that
costs far more than the agent's runs do. It says what was expected, what was seen,
how rare that is, and which runs and steps show it. Findings whose agent had
proved who it is are authenticated; the others are claims, on which nothing acts.

  reeve finding list --state open
  reeve finding show fnd_...
  reeve finding noise fnd_... --reason "it polls by design"
  reeve finding false-alarm fnd_... --reason "the new tool is ours"

useful and noise change how many alarms the detector may raise about the agent
(reeve detector list shows it), and finding unjudge takes that back. false-alarm
is noise, and also takes back what Reeve did because of the finding.`

func runFindingList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListFindingsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "of this agent alone")
	fs.StringVar(&req.Detector, "detector", "", "of this detector alone")
	fs.StringVar(&req.Severity, "severity", "", "info, warning or critical")
	fs.StringVar(&req.State, "state", "", "open or closed; else both")
	fs.StringVar(&req.Verdict, "verdict", "", "useful, noise or none")
	fs.StringVar(&req.Run, "run", "", "with this run as evidence")
	fs.StringVar(&req.Team, "team", "", "of this team alone")
	fs.StringVar(&req.From, "from", "", "seen since: -24h, or a time")
	fs.IntVar(&req.Limit, "limit", 0, "at most so many; 0 is 100")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListFindings(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSEVERITY\tDETECTOR\tAGENT\tWHAT\tTIMES\tLAST SEEN\tVERDICT\tDONE")
		for _, f := range list.Items {
			verdict := ""
			if f.Verdict != nil {
				verdict = f.Verdict.Verdict
			}
			name := f.Agent
			if !f.Authenticated && name != "" {
				name += " (claimed)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", f.ID, f.Severity, f.Detector, word(name), word(f.Text), f.Count, when(&f.LastSeen), word(verdict), word(responsesIn(f.Responses)))
		}
	})
}

func responsesIn(list []client.Response) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.Contain + " " + x.State
	}
	return strings.Join(out, ", ")
}

func runFindingShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "finding")
	if err != nil {
		return err
	}
	f, err := r.client().GetFinding(ctx, client.FindingRequest{ID: id})
	return r.finding(e, f, err)
}

func (r *remote) finding(e env, f *client.Finding, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, f, func(w io.Writer) {
		row := func(name, value string) {
			if value != "" {
				fmt.Fprintf(w, "%s\t%s\n", name, word(value))
			}
		}
		row("finding", f.ID)
		row("detector", f.Detector+", "+f.Severity)
		row("what", f.Text)
		row("expected", f.Expected)
		row("seen", f.Seen)
		row("why", f.Why)
		row("agent", f.Agent)
		if f.Authenticated {
			row("identity", "the agent had proved who it is")
		} else {
			row("identity", "claimed: nothing acts on it")
		}
		row("version", f.Version)
		row("task", f.Task)
		row("times", strconv.FormatInt(f.Count, 10)+", first "+when(&f.FirstSeen)+", last "+when(&f.LastSeen))
		if f.ClosedAt != nil {
			row("closed", when(f.ClosedAt))
		}
		for _, id := range f.Runs {
			row("run", id)
		}
		for _, id := range f.Steps {
			row("step", id)
		}
		for _, x := range f.Responses {
			row("response", responseLine(x))
		}
		if f.Verdict != nil {
			row("verdict", f.Verdict.Verdict+", by "+f.Verdict.By+", "+when(&f.Verdict.At))
			row("reason", f.Verdict.Reason)
		}
		row("dealt with at", f.Path)
	})
}

func responseLine(x client.Response) string {
	s := x.ID + ": " + x.Contain + ", " + x.State + " by " + x.Policy
	if x.TookMS != nil {
		s += fmt.Sprintf(", %d ms after the record came", *x.TookMS)
	}
	if x.Why != "" {
		s += ": " + x.Why
	}
	return s
}

// judging makes the command that gives one verdict.
func judging(verdict string) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var reason string
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&reason, "reason", "", "why, for whoever looks later")
		id, err := oneWord(fs, args, "finding")
		if err != nil {
			return err
		}
		f, err := r.client().JudgeFinding(ctx, client.JudgeFindingRequest{ID: id, Verdict: verdict, Reason: reason})
		return r.finding(e, f, err)
	}
}

func runFindingFalseAlarm(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var reason string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why (needed)")
	id, err := oneWord(fs, args, "finding")
	if err != nil {
		return err
	}
	f, err := r.client().FalseAlarm(ctx, client.FalseAlarmRequest{ID: id, Reason: reason})
	return r.finding(e, f, err)
}

const detectorHelp = `
A detector is set by effect: how many alarms about one agent you are ready to look
at in a week in which nothing is wrong, and which effect is too small to be told.
How rare something must be follows from both and from what the agent usually does.

  reeve detector list
  reeve detector set cost --alarms 0.5 --effect 4 --reason "costs vary here"
  reeve detector set loop --agent poller --off --reason "it polls by design"
  reeve detector reset loop --agent poller

A verdict "noise" on a finding halves the alarms that are allowed about that agent,
"useful" gives half of that back; the list shows where that is so.`

func runDetectorList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListDetectors(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "DETECTOR\tAGENT\tALARMS A WEEK\tSMALLEST EFFECT\tREST\tSEVERITY\tOPEN\tUSEFUL\tNOISE\tLOOKS AT")
		for _, d := range list.Items {
			settingRow(w, d, d.Setting, strconv.Itoa(d.Open), strconv.Itoa(d.Useful), strconv.Itoa(d.Noise), d.About)
			for _, s := range d.Agents {
				settingRow(w, d, s, "", "", "", s.Reason)
			}
			for _, l := range d.Adjusted {
				fmt.Fprintf(w, "%s\t%s\t%.2g (set %g)\t%.3g (set %g)\t\t\t\t%d\t%d\tby people's verdicts\n", d.Name, l.Agent, l.Allowed, l.Set, l.Effect, d.Setting.MinimumEffect, l.Useful, l.Noise)
			}
		}
	})
}

func settingRow(w io.Writer, d client.Detector, s client.DetectorSetting, open, useful, noise, about string) {
	alarms := fmt.Sprintf("%g", s.AlarmsPerWeek)
	effect := strings.TrimSpace(fmt.Sprintf("%g %s", s.MinimumEffect, d.Unit))
	if d.Fixed {
		alarms, effect = "each", ""
	}
	if s.Off {
		alarms = "off"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, cmp.Or(s.Agent, "all"), alarms, effect, s.Rest, s.Severity, open, useful, noise, about)
}

func runDetectorSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutDetectorRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "for this agent alone; else for all")
	fs.BoolVar(&req.Off, "off", false, "it tells nothing")
	fs.Float64Var(&req.AlarmsPerWeek, "alarms", 0, "about one agent in a week in which nothing is wrong")
	fs.Float64Var(&req.MinimumEffect, "effect", 0, "what is smaller is not told")
	fs.StringVar(&req.Rest, "rest", "", "after an alarm about the same: 10m")
	fs.StringVar(&req.Severity, "severity", "", "of what it finds: info, warning, critical")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "detector"); err != nil {
		return err
	}
	// What is not given stays as it is.
	list, err := r.client().ListDetectors(ctx)
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for _, d := range list.Items {
		if d.Name == req.Name {
			keepSetting(&req, d, given)
		}
	}
	s, err := r.client().PutDetector(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "%s for %s: %g alarms a week, effects from %g, off %t\n", req.Name, cmp.Or(s.Agent, "all agents"), s.AlarmsPerWeek, s.MinimumEffect, s.Off)
	})
}

func keepSetting(req *client.PutDetectorRequest, d client.Detector, given map[string]bool) {
	have := d.Setting
	if req.Agent != "" {
		have.Revision = 0
		for _, s := range d.Agents {
			if s.Agent == req.Agent {
				have = s
			}
		}
	}
	req.Revision = have.Revision
	if !given["alarms"] {
		req.AlarmsPerWeek = have.AlarmsPerWeek
	}
	if !given["effect"] {
		req.MinimumEffect = have.MinimumEffect
	}
	if !given["rest"] {
		req.Rest = have.Rest
	}
	if !given["severity"] {
		req.Severity = have.Severity
	}
	if !given["off"] {
		req.Off = have.Off
	}
}

func runDetectorReset(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ResetDetectorRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "of this agent; else what holds for all")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "detector"); err != nil {
		return err
	}
	return r.client().ResetDetector(ctx, req)
}

const ruleHelp = `
A rule is a condition in CEL over what is measured of a run (scope run, asked while
it goes) or of an agent over a window (scope agent). It makes a finding when it
holds. Try it first: the same question is asked of the runs of the last days.

  reeve rule words
  reeve rule try --when 'cost > 2.0'
  reeve rule try --scope agent --window 1h --when 'error_rate > 0.2 && steps > 50'
  reeve rule put dear --when 'cost > 2.0 && task == "refund"' --severity critical \
      --text "a refund costs more than two dollars"
  reeve rule list

Rules are objects with versions; reeve rule delete keeps them.`

// ruleFlags are what try and put share.
type ruleFlags struct {
	when, scope, window, team, environment, rest string
	agents                                       texts

	table, search, figure, of, kpi string
	by                             string
}

// query is what a rule asks the store; nil: it asks nothing.
func (x *ruleFlags) query() *client.RuleQuery {
	if x.kpi != "" {
		return &client.RuleQuery{KPI: x.kpi, Table: x.table, Where: x.search, Func: x.figure, Of: x.of, By: x.by}
	}
	if x.table == "" && x.search == "" && x.figure == "" && x.of == "" {
		return nil
	}
	q := &client.RuleQuery{Table: cmp.Or(x.table, "runs"), Where: x.search, Of: x.of, By: x.by}
	q.Func, q.Field, _ = strings.Cut(cmp.Or(x.figure, "count"), " ")
	if x.of != "" && x.figure == "" {
		q.Func = "share"
	}
	return q
}

func (x *ruleFlags) bind(fs *flag.FlagSet) {
	fs.StringVar(&x.when, "when", "", "the condition, in CEL (needed)")
	fs.StringVar(&x.scope, "scope", "", "run (while each goes), agent (over a window) or query (of what a search finds)")
	fs.StringVar(&x.window, "window", "", "of scopes agent and query: 5m to 168h")
	fs.StringVar(&x.table, "table", "", "of scope query: runs, steps, decisions, messages or logs")
	fs.StringVar(&x.search, "search", "", "of scope query: the search, as on the page of that table")
	fs.StringVar(&x.figure, "figure", "", `of scope query: count, "p95 duration_ms", "sum cost"...; the condition calls it value`)
	fs.StringVar(&x.kpi, "kpi", "", "of scope query: a KPI by its id (reeve kpi list), in place of a search and a figure")
	fs.StringVar(&x.of, "of", "", "of scope query: the share of what this search finds, among all that --search finds")
	fs.StringVar(&x.by, "by", "", "of scope query: agent, each apart; else all together")
	fs.StringVar(&x.team, "team", "", "of whose agents; else all")
	fs.StringVar(&x.environment, "environment", "", "in which environment; else all")
	fs.StringVar(&x.rest, "rest", "", "after it held, until it is told again about the same agent: 10m")
	fs.Var(&x.agents, "agent", "about this agent alone; may be given again")
}

func runRuleTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var x ruleFlags
	var days int
	fs := c.flags(e)
	r.bind(fs)
	x.bind(fs)
	fs.IntVar(&days, "days", 0, "how far back; 0 is 30")
	if err := parse(fs, args); err != nil {
		return err
	}
	t, err := r.client().TryRule(ctx, client.TryRuleRequest{
		When: x.when, Scope: x.scope, Window: x.window, Query: x.query(), Team: x.team, Environment: x.environment, Agents: x.agents, Rest: x.rest, Days: days,
	})
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		of := "all"
		if !t.Whole {
			of = "the newest"
		}
		fmt.Fprintf(w, "it would have held %d times in %s %d runs since %s", t.Fired, of, t.Runs, t.From.Format(time.DateOnly))
		if t.PerWeek != nil {
			fmt.Fprintf(w, ", %.1f times a week", *t.PerWeek)
		}
		fmt.Fprintln(w)
		for _, a := range t.Agents {
			fmt.Fprintf(w, "%s\t%d\n", word(a.Agent), a.Fired)
		}
		for _, f := range t.Findings {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", when(&f.FirstSeen), word(f.Agent), word(f.Seen), strings.Join(f.Runs, " "))
		}
	})
}

func runRulePut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var x ruleFlags
	var req client.PutRuleRequest
	fs := c.flags(e)
	r.bind(fs)
	x.bind(fs)
	fs.StringVar(&req.Text, "text", "", "what it finds, in words")
	fs.StringVar(&req.Severity, "severity", "", "info, warning or critical")
	fs.BoolVar(&req.Off, "off", false, "keep it without asking it")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "rule"); err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetRule(ctx, client.RuleRequest{Name: req.Name})
	var problem *client.Problem
	switch {
	case err == nil:
		keepRule(&req, &x, old, given)
	case errors.As(err, &problem) && problem.Code == "rule.not_found":
	default:
		return err
	}
	if q := x.query(); q != nil {
		req.Query = q
	}
	req.When, req.Scope, req.Window, req.Team, req.Environment, req.Agents, req.Rest = x.when, x.scope, x.window, x.team, x.environment, x.agents, x.rest
	u, err := r.client().PutRule(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, u, func(w io.Writer) { fmt.Fprintf(w, "rule %s is at revision %d\n", u.Name, u.Revision) })
}

// keepRule fills in what was not given from the rule as it is.
func keepRule(req *client.PutRuleRequest, x *ruleFlags, old *client.Rule, given map[string]bool) {
	req.Revision = old.Revision
	for _, f := range []struct {
		name string
		to   *string
		from string
	}{
		{"when", &x.when, old.When},
		{"scope", &x.scope, old.Scope},
		{"window", &x.window, old.Window},
		{"team", &x.team, old.Team},
		{"environment", &x.environment, old.Environment},
		{"rest", &x.rest, old.Rest},
		{"text", &req.Text, old.Text},
		{"severity", &req.Severity, old.Severity},
	} {
		if !given[f.name] {
			*f.to = f.from
		}
	}
	if x.scope == "run" {
		x.window = ""
	}
	req.Query = old.Query
	if !given["agent"] {
		x.agents = old.Agents
	}
	if !given["off"] {
		req.Off = old.Off
	}
}

func runRuleList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRules(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "RULE\tSTATE\tSCOPE\tSEVERITY\tWHEN\tTEAM\tOPEN\tREVISION\tBY")
		for _, u := range list.Items {
			state := "on"
			if u.Off {
				state = "off"
			}
			if u.Failures > 0 {
				state += fmt.Sprintf(" (%d failures)", u.Failures)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", u.Name, state, strings.TrimSpace(u.Scope+" "+u.Window), u.Severity, word(u.When), cmp.Or(u.Team, "all"), u.Open, u.Revision, word(u.By))
		}
	})
}

func runRuleGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "rule")
	if err != nil {
		return err
	}
	list, err := r.client().ListRuleRevisions(ctx, client.RuleRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "REVISION\tAT\tBY\tWHEN\tREASON")
		for _, u := range list.Items {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", u.Revision, when(&u.UpdatedAt), word(u.By), word(u.When), word(u.Reason))
		}
	})
}

func runRuleDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteRuleRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "rule"); err != nil {
		return err
	}
	return r.client().DeleteRule(ctx, req)
}

func runRuleWords(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRuleWords(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "WORD\tTYPE\tSCOPES\tWHAT")
		for _, v := range list.Items {
			scopes := []string{}
			if v.Run {
				scopes = append(scopes, "run")
			}
			if v.Agent {
				scopes = append(scopes, "agent")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.Name, v.Type, strings.Join(scopes, ", "), v.About)
		}
	})
}

func runAgentBehaviour(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.BehaviourRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "since: -6h, or a time; else -24h")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	b, err := r.client().AgentBehaviour(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, b, func(w io.Writer) {
		if len(b.Seen) == 0 {
			fmt.Fprintln(w, "nothing was seen of it")
		}
		for _, s := range b.Seen {
			printBehaviour(w, &s)
		}
	})
}

func runAgentLogKinds(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	out, err := r.client().ListLogKinds(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		if len(out.Items) == 0 {
			fmt.Fprintln(w, "no log lines of its runs were seen")
		}
		for _, x := range out.Items {
			fmt.Fprintf(w, "%s, %s %s\n", word(x.Name), map[string]string{"door": "by the door", "telemetry": "by telemetry, claimed"}[x.Source], x.Environment)
			fmt.Fprintln(w, "KIND\tLINES\tTEXT")
			for _, k := range x.Kinds {
				fmt.Fprintf(w, "%d\t%d\t%s\n", k.ID, k.Lines, word(k.Text))
			}
		}
	})
}

func printBehaviour(w io.Writer, s *client.Behaviour) {
	t := s.Total
	known := map[string]string{"door": "by the door", "telemetry": "by telemetry, claimed"}[s.Source]
	fmt.Fprintf(w, "%s, %s\t%d runs, %d steps, %d errors, %d refused, %d retries, %d repeated calls, %d of %d answers refuse in words\n", word(s.Name), known, t.Runs, t.Steps, t.Errors, t.Refused, t.Retries, t.Repeated, t.Declined, t.Answers)
	if s.Path != nil {
		fmt.Fprintf(w, "  path\t%.2f bits a step, repeatable %.0f %%\n", s.Path.Entropy, 100*s.Path.Repeatable)
	}
	for _, p := range s.Parts {
		fmt.Fprintf(w, "  %s\t%s\t%d\t%d errors, %d repeated, %d retries, %d refused%s\n", p.Kind, word(p.Name), p.Calls, p.Errors, p.Repeated, p.Retries, p.Refused, partWords(&p))
	}
	for _, x := range s.Ranges {
		fmt.Fprintf(w, "  normal\t%s\t%.4g\t99 of 100 below %.4g\t%d values\n", word(x.Measure), x.Median, x.High, x.Values)
	}
}

// partWords are the measures that only some parts have.
func partWords(p *client.BehaviourPart) (out string) {
	if p.Handoffs != nil {
		out += fmt.Sprintf(", %d handed on", *p.Handoffs)
	}
	if p.Declined != nil && p.Answers != nil {
		out += fmt.Sprintf(", %d of %d answers refuse", *p.Declined, *p.Answers)
	}
	if p.ContextGrowth != nil {
		out += fmt.Sprintf(", input grows %.1f times", *p.ContextGrowth)
	}
	if p.OutputPerCall != nil {
		out += fmt.Sprintf(", %.0f tokens a call", *p.OutputPerCall)
	}
	if p.WaitingMS != nil && *p.WaitingMS > 0 {
		out += fmt.Sprintf(", waited %s", (time.Duration(*p.WaitingMS) * time.Millisecond).Round(time.Second))
	}
	return out
}

const responseHelp = `
A response policy says what follows from which findings without a person: an agent
is throttled, supervised, read_only or quarantined, for a time. It acts only for
agents that had proved who they are, at most for so many agents an hour
(responses.agents_per_hour), and begins in observe: then it records what it would
have done.

  reeve response policies
  reeve response put loops --detector loop --contain throttled --for 1h
  reeve response list --state would
  reeve response put loops --mode enforce --reason "looked at a week of it"
  reeve response revert rsp_... --reason "false alarm"

What a person had set comes back when it ends or is reverted. What the brake held
back waits: reeve response list --state braked, then response apply.`

func runResponsePolicies(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListResponsePolicies(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "POLICY\tMODE\tDETECTORS\tFROM\tTHEN\tFOR\tTEAM\tDONE\tWOULD\tREVISION\tBY")
		for _, p := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", p.Name, p.Mode, cmp.Or(strings.Join(p.Detectors, ","), "all"), cmp.Or(p.Severity, "info"), p.Contain,
				cmp.Or(p.For, "until ended"), cmp.Or(p.Team, "all"), p.Acts, p.Would, p.Revision, word(p.By))
		}
		fmt.Fprintf(w, "at most %d agents an hour without a person, %d of one team\n", list.PerHour, list.PerTeam)
	})
}

func runResponsePut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PutResponsePolicyRequest
	var detectors, agents texts
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Text, "text", "", "what it is for")
	fs.Var(&detectors, "detector", "whose findings: loop, rule:NAME; may be given again; none: all")
	fs.StringVar(&req.Severity, "severity", "", "of findings from this severity on")
	fs.StringVar(&req.Team, "team", "", "of whose agents; else all")
	fs.StringVar(&req.Environment, "environment", "", "in which environment; else all")
	fs.Var(&agents, "agent", "about this agent alone; may be given again")
	fs.StringVar(&req.Contain, "contain", "", "throttled, supervised, read_only or quarantined")
	fs.StringVar(&req.For, "for", "", "how long: 1h; empty: until a person ends it")
	fs.StringVar(&req.Mode, "mode", "", "observe or enforce")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "response policy"); err != nil {
		return err
	}
	req.Detectors, req.Agents = detectors, agents
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	list, err := r.client().ListResponsePolicies(ctx)
	if err != nil {
		return err
	}
	for _, p := range list.Items {
		if p.Name == req.Name {
			keepResponse(&req, p, given)
		}
	}
	p, err := r.client().PutResponsePolicy(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		fmt.Fprintf(w, "response policy %s is at revision %d, in %s\n", p.Name, p.Revision, p.Mode)
	})
}

func keepResponse(req *client.PutResponsePolicyRequest, p client.ResponsePolicy, given map[string]bool) {
	req.Revision = p.Revision
	for _, f := range []struct {
		name string
		to   *string
		from string
	}{
		{"text", &req.Text, p.Text},
		{"severity", &req.Severity, p.Severity},
		{"team", &req.Team, p.Team},
		{"environment", &req.Environment, p.Environment},
		{"contain", &req.Contain, p.Contain},
		{"for", &req.For, p.For},
		{"mode", &req.Mode, p.Mode},
	} {
		if !given[f.name] {
			*f.to = f.from
		}
	}
	if !given["detector"] {
		req.Detectors = p.Detectors
	}
	if !given["agent"] {
		req.Agents = p.Agents
	}
}

func runResponseDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeleteResponsePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Name, err = oneWord(fs, args, "response policy"); err != nil {
		return err
	}
	return r.client().DeleteResponsePolicy(ctx, req)
}

func runResponseList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListResponsesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "of this agent alone")
	fs.StringVar(&req.Finding, "finding", "", "because of this finding")
	fs.StringVar(&req.State, "state", "", "in_force, ended, reverted, would, braked, claimed, not_needed or failed")
	fs.IntVar(&req.Limit, "limit", 0, "at most so many; 0 is 100")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListResponses(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tAT\tSTATE\tAGENT\tCONTAIN\tBECAUSE\tPOLICY\tUNTIL\tWHY")
		for _, x := range list.Items {
			until := ""
			if x.Until != nil {
				until = when(x.Until)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, when(&x.At), x.State, word(x.Agent), x.Contain, x.Detector+" "+x.Finding, x.Policy, word(until), word(x.Why))
		}
	})
}

// acting makes the command that reverts or applies.
func acting(do func(c *client.Client, ctx context.Context, req client.ResponseActRequest) (*client.Response, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var reason string
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&reason, "reason", "", "why (needed)")
		id, err := oneWord(fs, args, "response")
		if err != nil {
			return err
		}
		x, err := do(r.client(), ctx, client.ResponseActRequest{ID: id, Reason: reason})
		if err != nil {
			return err
		}
		return r.print(e.stdout, x, func(w io.Writer) { fmt.Fprintf(w, "%s: the agent %s, %s\n", x.State, x.Agent, responseLine(*x)) })
	}
}
