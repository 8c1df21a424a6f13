package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func relayCommands() []command {
	return []command{
		{name: "relay add", args: "[flags] NAME", short: "forward telemetry to another OTLP back end, or change how", long: relayHelp, run: runRelayAdd},
		{name: "relay list", args: "[flags]", short: "list where telemetry is forwarded to, and how that goes", run: runRelayList},
		{name: "relay show", args: "[flags] NAME", short: "show a relay destination and how it does", run: runRelayShow},
		{name: "relay test", args: "[flags] NAME", short: "send one span to a relay destination", run: runRelayTest},
		{name: "relay pause", args: "[flags] NAME", short: "stop forwarding to a destination for now", run: runRelayPause},
		{name: "relay resume", args: "[flags] NAME", short: "go on forwarding to a destination", run: runRelayResume},
		{name: "relay remove", args: "[flags] NAME", short: "forget a relay destination", run: runRelayRemove},
	}
}

const relayHelp = `
What senders send is forwarded as it came to other OTLP back ends, at least once
and with the ids it had. A destination begins with what arrives after it was
made; what it does not take waits in a queue (relay.max_bytes), which drops its
oldest when it is full. The flags of add change a destination that is there.

  reeve relay add honeycomb --url https://api.honeycomb.io \
      --credential env:HONEYCOMB_KEY --as header:x-honeycomb-team
  reeve relay add collector --url http://10.0.0.5:4317 --protocol grpc \
      --allow-private --signal traces --environment production
  reeve relay add datadog --url https://otlp.datadoghq.eu --signal traces \
      --credential file:/run/secrets/dd --as header:dd-api-key \
      --header dd-otlp-source=llmobs --redact pii --redact secret
  reeve relay test honeycomb

--redact cuts classes of content out (reeve content classes lists them), beside
what content rules say for the agent; attributes named like credentials and keys
of Reeve never go out.`

func runRelayAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutRelayRequest
	var credential, as string
	var headers texts
	lists := map[string]*texts{"signal": {}, "agent": {}, "team": {}, "environment": {}, "dialect": {}, "redact": {}}
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.URL, "url", "", "where it is: the address above /v1/traces, or of a gRPC server")
	fs.StringVar(&in.Protocol, "protocol", "", "http/protobuf or grpc")
	fs.StringVar(&in.Compression, "compression", "", "gzip or none")
	fs.BoolVar(&in.AllowPrivate, "allow-private", false, "it is inside the house: private addresses and plain http")
	fs.Int64Var(&in.TimeoutMS, "timeout-ms", 0, "how long a request may take")
	for name, words := range map[string]string{
		"signal": "traces, logs or metrics; several, all by default", "agent": "only of this agent; several", "team": "only from keys of this team; several",
		"environment": "only of this environment; several", "dialect": "only spans of this dialect; several", "redact": "a class of content that is cut out; several",
	} {
		fs.Var(lists[name], name, words+`; "" for none`)
	}
	fs.Var(&headers, "header", "NAME=VALUE that is sent with each request; several; no secrets")
	fs.StringVar(&credential, "credential", "", "env:NAME, file:PATH, vault:PATH#KEY, or none")
	fs.StringVar(&as, "as", "bearer", "how the credential is sent: bearer, header:NAME, basic:USER or sigv4[:REGION[:SERVICE]]")
	name, err := oneWord(fs, args, "destination")
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetRelay(ctx, client.RelayRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in = mergedRelay(in, old, given)
	case errors.As(err, &problem) && problem.Code == "relay.not_found":
	default:
		return err
	}
	in.Name = name
	for flag, into := range map[string]*[]string{
		"signal": &in.Signals, "agent": &in.Agents, "team": &in.Teams, "environment": &in.Environments, "dialect": &in.Dialects, "redact": &in.Redact,
	} {
		if given[flag] {
			*into = nil
			for _, v := range *lists[flag] {
				if v != "" {
					*into = append(*into, v)
				}
			}
		}
	}
	if given["header"] {
		in.Headers = map[string]string{}
		for _, h := range headers {
			k, v, ok := strings.Cut(h, "=")
			if !ok {
				return fmt.Errorf("%w: --header %q is not NAME=VALUE", errUsage, h)
			}
			in.Headers[k] = v
		}
	}
	if given["credential"] {
		if credential == "-" {
			return fmt.Errorf("%w: --credential is a reference: env:NAME, file:PATH or vault:PATH#KEY", errUsage)
		}
		if in.Credential, err = credentialFrom(e.stdin, credential, as); err != nil {
			return err
		}
	}
	d, err := r.client().PutRelay(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) {
		fmt.Fprintf(w, "relay %s is at revision %d, credential %s\n", d.Name, d.Revision, credentialText(d.Credential))
	})
}

// mergedRelay is what is there with the flags that were given.
func mergedRelay(in client.PutRelayRequest, old *client.RelayDestination, given map[string]bool) client.PutRelayRequest {
	out := client.PutRelayRequest{
		URL: old.URL, Protocol: old.Protocol, Signals: old.Signals, Agents: old.Agents, Teams: old.Teams, Environments: old.Environments, Dialects: old.Dialects,
		Redact: old.Redact, Headers: old.Headers, Credential: old.Credential, Compression: old.Compression, AllowPrivate: old.AllowPrivate,
		TimeoutMS: old.TimeoutMS, Paused: old.Paused, Revision: old.Revision,
	}
	for name, set := range map[string]func(){
		"url": func() { out.URL = in.URL }, "protocol": func() { out.Protocol = in.Protocol }, "compression": func() { out.Compression = in.Compression },
		"allow-private": func() { out.AllowPrivate = in.AllowPrivate }, "timeout-ms": func() { out.TimeoutMS = in.TimeoutMS },
	} {
		if given[name] {
			set()
		}
	}
	return out
}

func runRelayList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if _, err := words(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRelays(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tSTATE\tSENT\tREJECTED\tLOST\tWAITING\tBEHIND\tURL")
		for _, d := range list.Items {
			s := d.Status
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", d.Name, s.State, s.Sent, s.Rejected, s.Lost, s.Waiting, seconds(s.LagSeconds), word(d.URL))
			if s.Error != "" {
				fmt.Fprintf(w, "  %s\n", word(s.Error))
			}
		}
	})
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

func runRelayShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "destination")
	if err != nil {
		return err
	}
	d, err := r.client().GetRelay(ctx, client.RelayRequest{Name: name})
	return r.relay(e, d, err)
}

// relay prints one destination.
func (r *remote) relay(e env, d *client.RelayDestination, err error) error {
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
		row("url", d.URL)
		row("protocol", d.Protocol+", "+d.Compression)
		row("credential", credentialText(d.Credential))
		row("signals", strings.Join(d.Signals, ", "))
		for name, list := range map[string][]string{"agents": d.Agents, "teams": d.Teams, "environments": d.Environments, "dialects": d.Dialects, "redacted": d.Redact} {
			row(name, strings.Join(list, ", "))
		}
		row("records", fmt.Sprintf("%d sent, %d filtered, %d rejected", s.Sent, s.Filtered, s.Rejected))
		row("waiting", fmt.Sprintf("%d batches, the oldest for %s", s.Waiting, seconds(s.LagSeconds)))
		if s.Lost > 0 {
			row("lost", fmt.Sprintf("%d batches, dropped by the full queue", s.Lost))
		}
		row("last sent", when(s.LastSentAt))
		if s.FailingSince != nil {
			row("failing since", when(s.FailingSince))
			row("next try", when(s.NextTryAt))
		}
		row("error", s.Error)
		row("last rejected", s.LastRejected)
	})
}

func runRelayPause(ctx context.Context, e env, c *command, args []string) error {
	return settleRelay((*client.Client).PauseRelay)(ctx, e, c, args)
}

func runRelayResume(ctx context.Context, e env, c *command, args []string) error {
	return settleRelay((*client.Client).ResumeRelay)(ctx, e, c, args)
}

func settleRelay(do func(*client.Client, context.Context, client.RelayRequest) (*client.RelayDestination, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		name, err := oneWord(fs, args, "destination")
		if err != nil {
			return err
		}
		d, err := do(r.client(), ctx, client.RelayRequest{Name: name})
		return r.relay(e, d, err)
	}
}

func runRelayRemove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "destination")
	if err != nil {
		return err
	}
	if err := r.client().DeleteRelay(ctx, client.RelayRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "nothing is relayed to %s any more\n", name)
	return nil
}

func runRelayTest(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "destination")
	if err != nil {
		return err
	}
	t, err := r.client().TestRelay(ctx, client.RelayRequest{Name: name})
	if err != nil {
		return err
	}
	err = r.print(e.stdout, t, func(w io.Writer) {
		if t.OK {
			fmt.Fprintf(w, "%s took a span in %d ms; find it there by trace %s\n", name, t.TookMS, t.TraceID)
		}
	})
	if err == nil && !t.OK {
		return fmt.Errorf("%s did not take a span: %s", name, word(t.Error))
	}
	return err
}
