package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"reeve/client"
)

func alertCommands() []command {
	return []command{
		{name: "alert list", args: "[flags]", short: "list what outside systems say is wrong, firing first", long: alertHelp, run: runAlertList},
		{name: "alert show", args: "[flags] ALERT", short: "show an alert with its history", run: runAlertShow},
		{name: "alert close", args: "[flags] ALERT", short: "resolve an alert by hand", run: runAlertClose},
		{name: "alert source list", args: "[flags]", short: "list who sends alerts, with what was taken and refused", run: sourceList("alerts")},
		{name: "alert source add", args: "[flags] NAME", short: "register who sends alerts, or change it; a new one's secret is shown once", long: alertSourceHelp, run: sourceAdd("alerts")},
		{name: "alert source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "alert source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
		{name: "alert source try", args: "[flags] FILE", short: "show what an example would become; nothing is kept", long: alertSourceHelp, run: runAlertSourceTry},
		{name: "change source list", args: "[flags]", short: "list who sends changes, with what was taken and refused", run: sourceList("changes")},
		{name: "change source add", args: "[flags] NAME", short: "register who sends changes, or change it; a new one's secret is shown once", long: changeSourceHelp, run: sourceAdd("changes")},
		{name: "change source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "change source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
		{name: "feedback source list", args: "[flags]", short: "list who sends feedback, with what was taken and refused", run: sourceList("feedback")},
		{name: "feedback source add", args: "[flags] NAME", short: "register who sends feedback, or change it; a new one's secret is shown once", long: feedbackSourceHelp, run: sourceAdd("feedback")},
		{name: "feedback source rotate", args: "[flags] NAME", short: "give a source a new secret; the old one is taken for a while", run: runSourceRotate},
		{name: "feedback source remove", args: "[flags] NAME", short: "remove a source and its secrets; what it sent stays", run: runSourceRemove},
	}
}

const alertHelp = `
An alert is what an outside system says is wrong, once, however often it is told.
Registered sources send to POST /api/v1/alerts/NAME; docs/alerts.md has the line
of configuration for each. A first one:

  curl -X POST http://127.0.0.1:7300/api/v2/alerts -H 'Content-Type: application/json' \
    -d '[{"labels":{"alertname":"Test","severity":"warning"}}]'

(with an intake key as Authorization: Bearer where the server does not run with
--dev). Firing alerts come first.`

func runAlertList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListAlertsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "", "firing or resolved")
	fs.StringVar(&req.Severity, "severity", "", "critical, error, warning, info or unknown; several with commas")
	fs.StringVar(&req.Source, "source", "", "only of this source")
	fs.StringVar(&req.Agent, "agent", "", "only about this agent")
	fs.StringVar(&req.Team, "team", "", "only of this team")
	fs.StringVar(&req.Environment, "environment", "", "only of this environment")
	fs.StringVar(&req.Q, "q", "", "a part of the title, the text, the key or a label")
	fs.StringVar(&req.From, "from", "", "seen since: RFC 3339 or a distance from now")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListAlerts(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		if len(list.Items) == 0 {
			fmt.Fprintln(w, "no alerts; `reeve alert list --help` shows how to send a first one")
			return
		}
		fmt.Fprintln(w, "ALERT\tSTATE\tSEVERITY\tTITLE\tAGENT\tSOURCE\tSINCE\tSEEN")
		for _, a := range list.Items {
			state := a.State
			if a.Acknowledged && a.State == "firing" {
				state = "acknowledged"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", a.ID, state, show(a.Severity), word(a.Title), orDash(a.Agent), a.Source, a.StartedAt.Local().Format(time.DateTime), a.Receptions)
		}
		if list.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", list.Next)
		}
	})
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return word(s)
}

func runAlertShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "alert")
	if err != nil {
		return err
	}
	a, err := r.client().GetAlert(ctx, client.AlertRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) { writeAlert(w, a) })
}

func writeAlert(w io.Writer, a *client.AlertDetail) {
	fmt.Fprintf(w, "%s\t%s\n", word(a.Title), a.State)
	for _, f := range [...][2]string{
		{"severity", a.Severity},
		{"text", a.Text},
		{"source", a.Source + " (" + a.Kind + ")"},
		{"key", a.Key},
		{"agent", a.Agent},
		{"because", a.AgentReason},
		{"team", a.Team},
		{"environment", a.Environment},
		{"resolved by", a.ResolvedBy},
		{"incident", a.Incident},
	} {
		if f[1] != "" {
			fmt.Fprintf(w, "  %s\t%s\n", f[0], word(f[1]))
		}
	}
	fmt.Fprintf(w, "  told\t%d times, %d of them late, %d episodes\n", a.Receptions, a.Late, a.Episodes)
	for _, l := range a.Links {
		fmt.Fprintf(w, "  %s\t%s\n", word(l.Title), word(l.URL))
	}
	for _, name := range sortedKeys(a.Labels) {
		fmt.Fprintf(w, "  label\t%s=%s\n", word(name), word(a.Labels[name]))
	}
	for _, h := range a.History {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", h.ReceivedAt.Local().Format(time.DateTime), h.Kind, word(h.By), word(h.Text))
	}
}

func runAlertClose(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CloseAlertRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why (required)")
	var err error
	if req.ID, err = oneWord(fs, args, "alert"); err != nil {
		return err
	}
	a, err := r.client().CloseAlert(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) { fmt.Fprintf(w, "%s is resolved; a new episode opens it again\n", a.ID) })
}

const alertSourceHelp = `
  reeve alert source add grafana-prod --kind grafana --team platform
  reeve alert source add pager --kind pagerduty --secret-file signing-secret.txt
  reeve alert source add shop --kind json --mapping mapping.json
  reeve alert source try --kind json --mapping mapping.json example.json
  reeve alert source rotate grafana-prod --keep 1h

Kinds: alertmanager, bigpanda, cloudevents, datadog, grafana, json, pagerduty,
sentry, splunk, splunk_observability. PagerDuty and Sentry make the secret, and
show it once where the webhook is made; the others get one from Reeve, which is
printed once. A mapping is a JSON file of CEL expressions:

  {"each":"body.problems", "key":"item.id", "title":"item.name",
   "status":"item.open ? 'firing' : 'resolved'", "severity":"item.level"}

Flags that are not given keep what is there.`

// secretFrom reads a secret from a file, "-" from the standard input, so that it
// stands in no list of processes.
func secretFrom(e env, file string) (string, error) {
	switch file {
	case "":
		return "", nil
	case "-":
		b, err := io.ReadAll(io.LimitReader(e.stdin, 4096))
		return strings.TrimSpace(string(b)), err
	}
	b, err := os.ReadFile(file)
	return strings.TrimSpace(string(b)), err
}

func readMapping(file string) (*client.AlertMapping, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m client.AlertMapping
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("reading the mapping %s: %w", file, err)
	}
	return &m, nil
}

// sourceAdd is `alert source add` and `change source add`.
func sourceAdd(purpose string) func(ctx context.Context, e env, c *command, args []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		var in client.PutAlertSourceRequest
		var secret, mapping, branches string
		fs := c.flags(e)
		r.bind(fs)
		fs.StringVar(&in.Kind, "kind", "", "what it speaks")
		fs.StringVar(&in.Description, "description", "", "what it is")
		fs.StringVar(&in.Team, "team", "", "the team that it speaks for; \"\" all")
		fs.StringVar(&in.Environment, "environment", "", "the environment of what it says")
		fs.StringVar(&in.Auth, "auth", "", "signature or token, where it can both")
		fs.BoolVar(&in.URLToken, "url-token", false, "take its token in the URL too (?token=): logs and proxies keep URLs")
		fs.StringVar(&in.ResolveAfter, "resolve-after", "", "without further word it is over: 4h")
		fs.StringVar(&secret, "secret-file", "", "the secret that the sender made, in a file; - is the standard input")
		fs.StringVar(&mapping, "mapping", "", "a JSON file of CEL expressions, for kind json")
		fs.StringVar(&branches, "branches", "", "whose pushes are changes, with commas: main,release/*; none is the default branch")
		name, err := oneWord(fs, args, "source")
		if err != nil {
			return err
		}
		if in.Secret, err = secretFrom(e, secret); err != nil {
			return err
		}
		if in.Mapping, err = readMapping(mapping); err != nil {
			return err
		}
		if branches != "" {
			in.Branches = strings.Split(branches, ",")
		}
		given := map[string]bool{}
		fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
		list, err := r.client().ListAlertSources(ctx, client.ListAlertSourcesRequest{})
		if err != nil {
			return err
		}
		in.Name, in.Purpose = name, purpose
		for _, s := range list.Items {
			if s.Name == name && s.Registered {
				in = keptSource(in, s, given)
			}
		}
		s, err := r.client().PutAlertSource(ctx, in)
		if err != nil {
			return err
		}
		return r.print(e.stdout, s, func(w io.Writer) { writeSource(w, r.server, s) })
	}
}

// keptSource keeps what no flag was given for.
func keptSource(in client.PutAlertSourceRequest, old client.AlertSource, given map[string]bool) client.PutAlertSourceRequest {
	in.Revision = old.Revision
	for flag, f := range map[string]struct {
		to   *string
		from string
	}{
		"kind": {&in.Kind, old.Kind}, "description": {&in.Description, old.Description}, "team": {&in.Team, old.Team}, "environment": {&in.Environment, old.Environment},
		"auth": {&in.Auth, old.Auth}, "resolve-after": {&in.ResolveAfter, old.ResolveAfter},
	} {
		if !given[flag] {
			*f.to = f.from
		}
	}
	if !given["url-token"] {
		in.URLToken = old.URLToken
	}
	if in.Mapping == nil {
		in.Mapping = old.Mapping
	}
	if !given["branches"] {
		in.Branches = old.Branches
	}
	return in
}

func writeSource(w io.Writer, server string, s *client.AlertSourceWithSecret) {
	fmt.Fprintf(w, "%s sends to %s%s\n", s.Name, strings.TrimRight(server, "/"), s.Path)
	switch {
	case s.Secret == "":
		fmt.Fprintf(w, "and proves itself by %s\n", s.Auth)
	case s.Auth == "token":
		fmt.Fprintf(w, "with Authorization: Bearer %s\nThis token is shown once.\n", s.Secret)
	default:
		fmt.Fprintf(w, "signed with the secret %s\nIt is shown once.\n", s.Secret)
	}
}

func sourceList(purpose string) func(ctx context.Context, e env, c *command, args []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		if err := parse(fs, args); err != nil {
			return err
		}
		list, err := r.client().ListAlertSources(ctx, client.ListAlertSourcesRequest{Purpose: purpose})
		if err != nil {
			return err
		}
		return r.print(e.stdout, list, func(w io.Writer) {
			if len(list.Items) == 0 {
				fmt.Fprintf(w, "nobody is registered; `reeve %s source add --help` shows how\n", strings.TrimSuffix(purpose, "s"))
				return
			}
			fmt.Fprintln(w, "SOURCE\tKIND\tTEAM\tAUTH\tSECRETS\tTAKEN\tREFUSED\tFORGED\tLAST\tLAST ERROR")
			for _, s := range list.Items {
				auth := s.Auth
				if !s.Registered {
					auth = "intake key"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", s.Name, s.Kind, orDash(s.Team), auth, len(s.Secrets), s.Deliveries, s.Refused, s.Forged, when(s.LastAt), orDash(s.LastError))
			}
		})
	}
}

func runSourceRotate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.RotateAlertSourceRequest
	var secret string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Keep, "keep", "24h", "how long the old secret is taken too; 0s ends it at once")
	fs.StringVar(&secret, "secret-file", "", "the new secret that the sender made, in a file; - is the standard input")
	var err error
	if in.Name, err = oneWord(fs, args, "source"); err != nil {
		return err
	}
	if in.Secret, err = secretFrom(e, secret); err != nil {
		return err
	}
	s, err := r.client().RotateAlertSource(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) { writeSource(w, r.server, s) })
}

func runSourceRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "source")
	if err != nil {
		return err
	}
	if err := r.client().DeleteAlertSource(ctx, client.AlertSourceRequest{Name: name}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s is removed: its deliveries are refused from now on\n", name)
	return err
}

// headers are -H flags.
type headers map[string]string

func (h headers) String() string { return "" }

func (h headers) Set(s string) error {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return fmt.Errorf("%q is no header: give Name: value", s)
	}
	h[strings.TrimSpace(name)] = strings.TrimSpace(value)
	return nil
}

func runAlertSourceTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	in := client.TryAlertSourceRequest{Headers: map[string]string{}}
	var mapping string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Kind, "kind", "json", "what the example speaks")
	fs.StringVar(&mapping, "mapping", "", "a JSON file of CEL expressions, for kind json")
	fs.Var(headers(in.Headers), "H", "a header of the example, Name: value; may be given again")
	file, err := oneWord(fs, args, "file (- is the standard input)")
	if err != nil {
		return err
	}
	if in.Mapping, err = readMapping(mapping); err != nil {
		return err
	}
	var body []byte
	if file == "-" {
		body, err = io.ReadAll(io.LimitReader(e.stdin, 1<<20))
	} else {
		body, err = os.ReadFile(file)
	}
	if err != nil {
		return err
	}
	in.Body = string(body)
	tried, err := r.client().TryAlertSource(ctx, in)
	if err != nil {
		return err
	}
	err = r.print(e.stdout, tried, func(w io.Writer) {
		for _, p := range tried.Problems {
			at := ""
			if p.Line > 0 {
				at = fmt.Sprintf(" at line %d, column %d", p.Line, p.Column)
			}
			field := p.Field
			if field == "" {
				field = "body"
			}
			fmt.Fprintf(w, "%s\t%s%s\n", field, word(p.Message), at)
		}
		if len(tried.Problems) == 0 && len(tried.Alerts) == 0 {
			fmt.Fprintln(w, "it is taken, and no alert comes of it")
		}
		for i := range tried.Alerts {
			writeAlert(w, &client.AlertDetail{Alert: tried.Alerts[i]})
		}
	})
	if err == nil && len(tried.Problems) > 0 {
		return exitCode(1)
	}
	return err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
