package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

func upstreamCommands() []command {
	return []command{
		{name: "upstream list", args: "[flags]", short: "list what the door forwards to", run: runUpstreamList},
		{name: "upstream set", args: "[flags] NAME", short: "make or change an upstream", long: upstreamHelp, run: runUpstreamSet},
		{name: "upstream switch", args: "[flags] NAME OTHER", short: "send an upstream's calls to another one like it", long: switchHelp, run: runUpstreamSwitch},
		{name: "upstream switch-back", args: "[flags] NAME", short: "let an upstream's calls go to it again", run: runUpstreamSwitchBack},
		{name: "upstream delete", args: "[flags] NAME", short: "remove an upstream and its credential", run: runUpstreamDelete},
	}
}

const upstreamHelp = `
Flags that are not given keep what is there. The credential comes from the
server's environment (--credential env:OPENAI_API_KEY), from a file in one of
its folders of secrets (file:/run/secrets/openai), from Vault
(vault:secret/data/openai#key) or from standard input (--credential -), and is
never shown again. Changing --url drops a credential
that is not given anew.

A model upstream's dialect is the format that its agents speak; their SDK's
base URL is the door's address and /llm/NAME, with /v1 for OpenAI's:

  reeve upstream set openai --kind llm --dialect openai \
      --url https://api.openai.com --team core --credential env:OPENAI_API_KEY
  reeve upstream set claude --kind llm --dialect anthropic \
      --url https://api.anthropic.com --team core --max-tokens 8192 \
      --credential env:ANTHROPIC_API_KEY --as header:x-api-key \
      --model "claude-opus-4-* max=32000" --model claude-haiku-4-5
  reeve upstream set azure --kind llm --dialect azure --region swedencentral \
      --url https://NAME.openai.azure.com --team core \
      --credential env:AZURE_OPENAI_API_KEY --as header:api-key
  reeve upstream set bedrock --kind llm --dialect bedrock --team core \
      --url https://bedrock-runtime.eu-west-1.amazonaws.com \
      --credential file:/run/secrets/aws.json --as sigv4
  reeve upstream set gemini --kind llm --dialect gemini --team core \
      --url https://generativelanguage.googleapis.com \
      --credential env:GEMINI_API_KEY --as header:x-goog-api-key

A sigv4 credential is ID:SECRET, ID:SECRET:SESSION_TOKEN, or the JSON that
Amazon's tools print; --as sigv4:REGION:SERVICE says what the host does not.

  reeve upstream set crm --kind http --url https://crm.example.com --team core \
      --route "GET /v1/users/{id} read" --credential - --as header:X-Token
  reeve upstream set crm --add-route "POST /v1/notes write"
  reeve upstream set crm --remove-route "POST /v1/notes"

A server of MCP tools is one address; which versions of the protocol it speaks
is found out by asking, or said by --dialect:

  reeve upstream set tracker --kind mcp --url https://mcp.example.com/mcp \
      --team core --credential env:TRACKER_TOKEN

One that wants tokens of an authorization server is connected once by a person,
or Reeve speaks for itself; reeve upstream connect tells more:

  reeve upstream set tracker --kind mcp --url https://mcp.example.com/mcp \
      --team core --oauth code
  reeve upstream set billing --kind mcp --url https://mcp.example.com/billing \
      --team core --oauth client --client-id reeve --credential env:BILLING_SECRET \
      --issuer https://login.example.com

A peer is another agent, which speaks A2A; its card says how. The card waits
for a person: see reeve upstream card. With --peer-agent it is one that is
registered here, and acts for whoever sends to it.

  reeve upstream set refunds --kind a2a --url https://refunds.example.com \
      --team core --peer-agent refunds --effect write`

// texts is a flag that may be given several times.
type texts []string

func (l *texts) String() string     { return strings.Join(*l, ", ") }
func (l *texts) Set(s string) error { *l = append(*l, s); return nil }

func runUpstreamSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutUpstreamRequest
	var fallback, models, hosts texts
	var routes routeFlags
	var credential, as string
	var peer peerFlags
	var oauth oauthFlags
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&in.Kind, "kind", "", "llm, http, mcp or a2a")
	fs.StringVar(&in.Dialect, "dialect", "", "of a model upstream: openai, anthropic, azure, bedrock, gemini; of a server of tools: stateless, session, sse")
	fs.StringVar(&in.URL, "url", "", "where it is")
	fs.StringVar(&in.Team, "team", "", "whose it is")
	fs.StringVar(&in.Environment, "environment", "production", "of which environment")
	fs.BoolVar(&in.Shared, "shared", false, "agents of other teams may call it, where a policy permits that; without it only agents of its own team may")
	fs.BoolVar(&in.External, "external", false, "data sent there leaves the house")
	fs.BoolVar(&in.AllowPrivate, "allow-private", false, "it is inside the house: private addresses and plain http")
	fs.Int64Var(&in.MaxTokens, "max-tokens", 0, "most tokens of a call; 0 no limit")
	fs.Int64Var(&in.TimeoutMS, "timeout-ms", 0, "how long its answer may take to begin; 0 no limit")
	fs.Var(&fallback, "fallback", "an upstream that stands in while this one fails; several, in order")
	fs.StringVar(&in.HealthPath, "health-path", "", "a path below the address that is asked every ten seconds")
	fs.Var(&hosts, "ask-host", "a host to which a server of tools may send people; several, \"\" for none")
	routes.bind(fs)
	fs.StringVar(&in.Region, "region", "", "where it runs, for policies")
	fs.Var(&models, "model", `what may be asked for: "NAME [max=TOKENS] [deprecated=DATE] [region=REGION]", a NAME ending in * for all that begin so; several, "" for every model`)
	fs.StringVar(&credential, "credential", "", "env:NAME, file:PATH, vault:PATH#KEY, - for standard input, or none")
	fs.StringVar(&as, "as", "bearer", "how the credential is sent: bearer, header:NAME, query:NAME, basic:USER or sigv4[:REGION[:SERVICE]]")
	peer.bind(fs)
	oauth.bind(fs)
	name, err := oneWord(fs, args, "upstream")
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetUpstream(ctx, client.UpstreamRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in = merged(in, old, given)
	case errors.As(err, &problem) && problem.Code == "upstream.not_found":
	default:
		return err
	}
	in.Name = name
	if given["fallback"] {
		in.Fallback = fallback
	}
	if given["ask-host"] {
		in.AskHosts = slices.DeleteFunc(hosts, func(h string) bool { return h == "" })
	}
	if in.Routes, err = routes.merged(in.Routes, given["route"]); err != nil {
		return err
	}
	if given["model"] {
		if in.Models, err = modelRules(models); err != nil {
			return err
		}
	}
	if in.Peer, err = peer.merged(in.Peer, given); err != nil {
		return err
	}
	if given["credential"] {
		if in.Credential, err = credentialFrom(e.stdin, credential, as); err != nil {
			return err
		}
	}
	var had *client.Credential
	if old != nil {
		had = old.Credential
	}
	if in.Credential, err = oauth.merged(in.Credential, had, given); err != nil {
		return err
	}
	u, err := r.client().PutUpstream(ctx, in)
	if err != nil {
		return err
	}
	if old != nil {
		for _, line := range routeChanges(old.Routes, u.Routes) {
			fmt.Fprintln(e.stderr, "route "+line)
		}
	}
	return r.print(e.stdout, u, func(w io.Writer) {
		fmt.Fprintf(w, "upstream %s is at revision %d, credential %s\n", u.Name, u.Revision, connectionText(u))
		if k := u.Connection; k != nil && k.State != "connected" && k.Grant == "authorization_code" {
			fmt.Fprintf(w, "a person connects it: reeve upstream connect %s\n", u.Name)
		}
		if old != nil && old.Credential != nil && u.Credential == nil && credential != "none" {
			fmt.Fprintln(w, "its credential was dropped, since it leads elsewhere now: give it again with --credential")
		}
	})
}

// merged is what is there with the flags that were given.
func merged(in client.PutUpstreamRequest, old *client.Upstream, given map[string]bool) client.PutUpstreamRequest {
	out := client.PutUpstreamRequest{
		Kind: old.Kind, Dialect: old.Dialect, URL: old.URL, Team: old.Team, Environment: old.Environment, Shared: old.Shared, External: old.External,
		Region: old.Region, Headers: old.Headers, Credential: old.Credential, Models: old.Models, Routes: old.Routes, Classes: old.Classes,
		MaxTokens: old.MaxTokens, TimeoutMS: old.TimeoutMS, AllowPrivate: old.AllowPrivate, Fallback: old.Fallback, HealthPath: old.HealthPath,
		AskHosts: old.AskHosts, Peer: old.Peer,
		Revision: old.Revision,
	}
	for name, set := range map[string]func(){
		"kind": func() { out.Kind = in.Kind }, "dialect": func() { out.Dialect = in.Dialect }, "url": func() { out.URL = in.URL },
		"team": func() { out.Team = in.Team }, "environment": func() { out.Environment = in.Environment },
		"shared": func() { out.Shared = in.Shared }, "external": func() { out.External = in.External },
		"allow-private": func() { out.AllowPrivate = in.AllowPrivate }, "max-tokens": func() { out.MaxTokens = in.MaxTokens },
		"region":     func() { out.Region = in.Region },
		"timeout-ms": func() { out.TimeoutMS = in.TimeoutMS }, "health-path": func() { out.HealthPath = in.HealthPath },
	} {
		if given[name] {
			set()
		}
	}
	return out
}

// modelRules reads the --model flags.
func modelRules(list []string) (out []client.ModelRule, err error) {
	for _, text := range list {
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		rule := client.ModelRule{Name: f[0]}
		for _, option := range f[1:] {
			name, value, _ := strings.Cut(option, "=")
			err := error(nil)
			switch name {
			case "max":
				rule.MaxOutput, err = strconv.ParseInt(value, 10, 64)
			case "deprecated":
				var at time.Time
				at, err = time.Parse(time.DateOnly, value)
				rule.Deprecated = &at
			case "region":
				rule.Region = value
			default:
				err = errUsage
			}
			if err != nil {
				return nil, fmt.Errorf("%w: --model %q: %q is not max=TOKENS, deprecated=YYYY-MM-DD or region=REGION", errUsage, text, option)
			}
		}
		out = append(out, rule)
	}
	return out, nil
}

func credentialFrom(stdin io.Reader, text, as string) (*client.Credential, error) {
	if text == "none" {
		return nil, nil
	}
	kind, name, _ := strings.Cut(as, ":")
	c := &client.Credential{Kind: kind}
	switch kind {
	case "basic":
		c.User = name
	case "sigv4":
		c.Region, c.Header, _ = strings.Cut(name, ":")
	default:
		c.Header = name
	}
	if text == "-" {
		b, err := io.ReadAll(io.LimitReader(stdin, 64<<10))
		if err != nil {
			return nil, fmt.Errorf("reading the credential: %w", err)
		}
		c.Source, c.Value = "value", strings.TrimSpace(string(b))
		return c, nil
	}
	source, ref, ok := strings.Cut(text, ":")
	if !ok || source != "env" && source != "file" && source != "vault" {
		return nil, fmt.Errorf("%w: --credential is env:NAME, file:PATH, vault:PATH#KEY, - or none", errUsage)
	}
	c.Source, c.Ref = source, ref
	return c, nil
}

// connectionText is an upstream's credential in a few words, and of one that is a
// token how things stand.
func connectionText(u *client.Upstream) string {
	if u.Connection != nil {
		return "oauth, " + strings.ReplaceAll(u.Connection.State, "_", " ")
	}
	return credentialText(u.Credential)
}

func credentialText(c *client.Credential) string {
	switch {
	case c == nil:
		return "none"
	case !c.Set:
		return "missing (" + c.Source + ")"
	}
	return c.Kind + " from " + c.Source
}

func runUpstreamList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListUpstreams(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tKIND\tURL\tTEAM\tENVIRONMENT\tCREDENTIAL\tSTATE")
		for _, u := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Name, u.Kind, word(u.URL), word(u.Team), word(u.Environment), connectionText(&u), stateText(&u))
		}
	})
}

// stateText is how an upstream does, with why where it does not.
func stateText(u *client.Upstream) string {
	if u.Switch != nil {
		return switchText(u)
	}
	if h := &u.Health; h.LastError != "" && (h.State == "failing" || h.State == "open") {
		return h.State + ": " + word(h.LastError)
	}
	return u.Health.State
}

const switchHelp = `
Calls of NAME go to OTHER until they are switched back: one of the same kind,
dialect, environment and region, of the same team or shared, and not outside the
house for one inside. Policies, budgets and the record are about the one that is
really called.

  reeve upstream switch openai openai-eu --for 4h --reason "half of the calls fail"
  reeve upstream switch-back openai --reason "their status page is green"`

func runUpstreamSwitch(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.SwitchUpstreamRequest
	var life time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	fs.DurationVar(&life, "for", 0, "end by itself after so long; 0 holds until it is switched back")
	var err error
	if req.Name, req.To, err = twoWords(fs, args, "an upstream and the one to call in its place"); err != nil {
		return err
	}
	if req.Until, err = endOf(life); err != nil {
		return err
	}
	u, err := r.client().SwitchUpstream(ctx, req)
	return r.switched(e, u, err)
}

func runUpstreamSwitchBack(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.SwitchBackRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Name, err = oneWord(fs, args, "upstream"); err != nil {
		return err
	}
	u, err := r.client().SwitchBackUpstream(ctx, req)
	return r.switched(e, u, err)
}

// switched prints where an upstream's calls go.
func (r *remote) switched(e env, u *client.Upstream, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, u, func(w io.Writer) { fmt.Fprintf(w, "upstream %s: %s\n", u.Name, switchText(u)) })
}

func switchText(u *client.Upstream) string {
	s := u.Switch
	if s == nil {
		return "its calls go to it"
	}
	until := ""
	if s.Until != nil {
		until = " until " + when(s.Until)
	}
	return "its calls go to " + s.To + until + ", by " + word(s.By) + ": " + word(s.Reason)
}

func runUpstreamDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "upstream")
	if err != nil {
		return err
	}
	if err := r.client().DeleteUpstream(ctx, client.UpstreamRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "upstream %s is removed\n", name)
	return nil
}
