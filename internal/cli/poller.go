package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"reeve/client"
)

func pollerCommands() []command {
	return []command{
		{name: "poller add", args: "[flags] NAME", short: "read what a platform writes down of its agents, or change how", long: pollerHelp, run: runPollerAdd},
		{name: "poller list", args: "[flags]", short: "list what is read, and how that goes", run: runPollerList},
		{name: "poller show", args: "[flags] NAME", short: "show a poller and how it does", run: pollerCommand((*client.Client).GetPoller)},
		{name: "poller test", args: "[flags] NAME", short: "ask for a first page and keep nothing of it", run: runPollerTest},
		{name: "poller now", args: "[flags] NAME", short: "poll before its time", run: pollerCommand((*client.Client).PollNow)},
		{name: "poller pause", args: "[flags] NAME", short: "stop a poller for now", run: pollerCommand((*client.Client).PausePoller)},
		{name: "poller resume", args: "[flags] NAME", short: "go on polling", run: pollerCommand((*client.Client).ResumePoller)},
		{name: "poller remove", args: "[flags] NAME", short: "forget a poller; its runs stay", run: runPollerRemove},
	}
}

const pollerHelp = `
Agents that nobody can instrument are seen by what their platform writes down: a
poller reads it and makes runs of it. The last two hours are read again each time
for what comes late (--late); what is read twice stays one run.

  Copilot Studio, by its transcripts in Dataverse. An application user with read
  access to conversationtranscripts; the secret is changed for a token:
    reeve poller add copilot --kind copilot_studio --team care \
        --url https://contoso.crm4.dynamics.com \
        --token-url https://login.microsoftonline.com/TENANT/oauth2/v2.0/token \
        --credential env:COPILOT_SECRET --as basic:CLIENT_ID

  Amazon Bedrock, by its invocation logs in a bucket (s3:ListBucket, s3:GetObject):
    reeve poller add bedrock --kind bedrock_s3 --team care \
        --url https://BUCKET.s3.us-east-1.amazonaws.com \
        --prefix AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/ \
        --credential file:/run/secrets/aws.json --as sigv4:us-east-1

  or in CloudWatch (logs:FilterLogEvents):
    reeve poller add bedrock --kind bedrock_cloudwatch --team care \
        --url https://logs.us-east-1.amazonaws.com \
        --log-group /aws/bedrock/modelinvocations \
        --credential env:AWS_KEYS --as sigv4:us-east-1
    reeve poller test bedrock

The flags of add change a poller that is there. docs/pollers.md tells what the
records say, and what they cannot.`

func runPollerAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutPollerRequest
	var credential, as, from string
	var every, late time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Kind, "kind", "", "copilot_studio, bedrock_s3 or bedrock_cloudwatch")
	fs.StringVar(&in.URL, "url", "", "of the environment, the bucket, or the service in a region")
	fs.StringVar(&in.Team, "team", "", "whose the runs are")
	fs.StringVar(&in.Environment, "environment", "", "of the runs")
	fs.StringVar(&in.Agent, "agent", "", "whose the runs are, where the records' own name is not wanted")
	fs.StringVar(&in.TokenURL, "token-url", "", "copilot_studio: where the secret is changed for a token")
	fs.StringVar(&in.Scope, "scope", "", "copilot_studio: of that token; URL/.default by default")
	fs.StringVar(&in.Prefix, "prefix", "", "bedrock_s3: of the keys, up to the region")
	fs.StringVar(&in.LogGroup, "log-group", "", "bedrock_cloudwatch: the group that Bedrock writes to")
	fs.StringVar(&in.Filter, "filter", "", "copilot_studio: a further OData filter, such as one agent's")
	fs.StringVar(&from, "from", "", "where the first poll begins: a time or a date; a day ago by default")
	fs.DurationVar(&every, "every", 0, "how often; 5m by default")
	fs.DurationVar(&late, "late", 0, "how much is read again for what comes late; 2h by default")
	fs.BoolVar(&in.AllowPrivate, "allow-private", false, "it is inside the house: private addresses and plain http")
	fs.StringVar(&credential, "credential", "", "env:NAME, file:PATH or vault:PATH#KEY")
	fs.StringVar(&as, "as", "bearer", "how the credential is sent: bearer, basic:USER or sigv4[:REGION[:SERVICE]]")
	name, err := oneWord(fs, args, "poller")
	if err != nil {
		return err
	}
	in.EverySeconds, in.LateSeconds = int64(every/time.Second), int64(late/time.Second)
	if from != "" {
		t, err := time.Parse(time.RFC3339, from)
		if err != nil {
			if t, err = time.Parse(time.DateOnly, from); err != nil {
				return fmt.Errorf("%w: --from %q is neither 2026-11-27 nor 2026-11-27T08:00:00Z", errUsage, from)
			}
		}
		in.From = &t
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetPoller(ctx, client.PollerRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in = mergedPoller(in, old, given)
	case errors.As(err, &problem) && problem.Code == "poll.not_found":
	default:
		return err
	}
	in.Name = name
	if given["credential"] {
		if credential == "-" {
			return fmt.Errorf("%w: --credential is a reference: env:NAME, file:PATH or vault:PATH#KEY", errUsage)
		}
		if in.Credential, err = credentialFrom(e.stdin, credential, as); err != nil {
			return err
		}
	}
	d, err := r.client().PutPoller(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) {
		fmt.Fprintf(w, "poller %s is at revision %d, credential %s\ntry it: reeve poller test %s\n", d.Name, d.Revision, credentialText(d.Credential), d.Name)
	})
}

// mergedPoller is what is there with the flags that were given.
func mergedPoller(in client.PutPollerRequest, old *client.Poller, given map[string]bool) client.PutPollerRequest {
	out := client.PutPollerRequest{
		Kind: old.Kind, URL: old.URL, Team: old.Team, Environment: old.Environment, Agent: old.Agent, Credential: old.Credential, TokenURL: old.TokenURL,
		Scope: old.Scope, Prefix: old.Prefix, LogGroup: old.LogGroup, Filter: old.Filter, From: old.From, EverySeconds: old.EverySeconds, LateSeconds: old.LateSeconds,
		AllowPrivate: old.AllowPrivate, Paused: old.Paused, Revision: old.Revision,
	}
	for name, set := range map[string]func(){
		"kind": func() { out.Kind = in.Kind }, "url": func() { out.URL = in.URL }, "team": func() { out.Team = in.Team },
		"environment": func() { out.Environment = in.Environment }, "agent": func() { out.Agent = in.Agent }, "token-url": func() { out.TokenURL = in.TokenURL },
		"scope": func() { out.Scope = in.Scope }, "prefix": func() { out.Prefix = in.Prefix }, "log-group": func() { out.LogGroup = in.LogGroup },
		"filter": func() { out.Filter = in.Filter }, "from": func() { out.From = in.From }, "every": func() { out.EverySeconds = in.EverySeconds },
		"late": func() { out.LateSeconds = in.LateSeconds }, "allow-private": func() { out.AllowPrivate = in.AllowPrivate },
	} {
		if given[name] {
			set()
		}
	}
	return out
}

func runPollerList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if _, err := words(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListPollers(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tKIND\tTEAM\tSTATE\tRECORDS\tREJECTED\tBEHIND\tLAST POLL")
		for _, d := range list.Items {
			s := d.Status
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", d.Name, d.Kind, d.Team, s.State, s.Records, s.Rejected, behind(s.LagSeconds), when(s.LastPollAt))
			if s.Error != "" {
				fmt.Fprintf(w, "  %s\n", word(s.Error))
			}
		}
	})
}

// behind is a lag that may not be known.
func behind(lag *float64) string {
	if lag == nil {
		return "unknown"
	}
	return seconds(*lag)
}

func (r *remote) poller(e env, d *client.Poller, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) {
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(w, "%s\t%s\n", name, word(text))
			}
		}
		s := d.Status
		row("name", d.Name)
		row("state", s.State)
		row("kind", d.Kind)
		row("url", d.URL)
		row("credential", credentialText(d.Credential))
		row("team", d.Team)
		row("environment", d.Environment)
		row("agent", d.Agent)
		row("prefix", d.Prefix)
		row("log group", d.LogGroup)
		row("filter", d.Filter)
		row("records", fmt.Sprintf("%d read, %d steps, %d rejected", s.Records, s.Steps, s.Rejected))
		row("behind", behind(s.LagSeconds))
		row("read through", when(s.Through))
		row("newest record", when(s.LastRecordAt))
		row("last poll", when(s.LastPollAt))
		row("next poll", when(s.NextPollAt))
		if s.FailingSince != nil {
			row("failing since", when(s.FailingSince))
		}
		row("error", s.Error)
		row("hint", s.Hint)
		row("last rejected", s.LastRejected)
	})
}

// pollerCommand is a command that names a poller and prints it.
func pollerCommand(do func(*client.Client, context.Context, client.PollerRequest) (*client.Poller, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		name, err := oneWord(fs, args, "poller")
		if err != nil {
			return err
		}
		d, err := do(r.client(), ctx, client.PollerRequest{Name: name})
		return r.poller(e, d, err)
	}
}

func runPollerTest(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "poller")
	if err != nil {
		return err
	}
	t, err := r.client().TestPoller(ctx, client.PollerRequest{Name: name})
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, t, func(w io.Writer) {
		if t.OK {
			fmt.Fprintf(w, "it answers in %d ms: %d records on the first page; nothing was kept\n", t.TookMS, t.Records)
			return
		}
		fmt.Fprintln(w, word(t.Error))
		if t.Hint != "" {
			fmt.Fprintln(w, word(t.Hint))
		}
	}); err != nil {
		return err
	}
	if !t.OK {
		return errors.New("the poller cannot read")
	}
	return nil
}

func runPollerRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "poller")
	if err != nil {
		return err
	}
	if err := r.client().DeletePoller(ctx, client.PollerRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "poller %s is forgotten; its runs stay\n", name)
	return nil
}
