package api

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/connect"
	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

func listFrameworks(a *API, ctx context.Context, req *client.ListFrameworksRequest) (*client.List[client.Framework], error) {
	all, err := connect.All()
	if err != nil {
		return nil, err
	}
	t, err := a.target(ctx, req.Host, cmp.Or(req.Agent, "my-agent"), cmp.Or(req.Environment, "production"))
	if err != nil {
		return nil, err
	}
	if req.Keys {
		t.Key = connect.NoIntakeKey
	}
	return listOf(all, nil, func(f connect.Framework) client.Framework { return a.framework(ctx, f, t) })
}

// target is this server with names for keys in the place of keys.
func (a *API) target(ctx context.Context, host, agent, environment string) (connect.Target, error) {
	t := connect.Target{Agent: agent, Environment: environment, AgentKey: connect.NoAgentKey, Key: connect.NoIntakeKey}
	if a.o.Dev {
		t.Key = ""
	}
	if err := t.Check(); err != nil {
		return t, err
	}
	host = cmp.Or(host, "127.0.0.1")
	if len(host) > 255 || !hostForm(host) {
		return t, fault.New(fault.KindInvalid, "api.parameter_invalid", "host is %q, which is none", clip(host, 50))
	}
	at := client.Addresses{}
	if a.o.Health != nil {
		h, err := a.o.Health.Health(ctx)
		if err != nil {
			return t, err
		}
		at = h.Addresses
	}
	t.Console = reachable(at.Console, host)
	if t.OTLP = reachable(at.OTLPHTTP, host); t.OTLP == "" {
		t.OTLP = t.Console // the same paths are there
	}
	t.Door = reachable(at.Door, host)
	return t, nil
}

// hostForm: a name or an address, as browsers write it.
func hostForm(host string) bool {
	u, err := url.Parse("http://" + net.JoinHostPort(host, "1"))
	return err == nil && u.Hostname() == host && u.Path == "" && !slices.ContainsFunc([]rune(host), func(r rune) bool {
		return !(r == '.' || r == '-' || r == ':' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

// reachable is an address with the name by which the caller reaches this host where
// the listener has every address, or only this host's own.
func reachable(address, host string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	if own := u.Hostname(); own == "" || own == "localhost" || net.ParseIP(own).IsLoopback() && net.ParseIP(host).IsLoopback() {
		u.Host = net.JoinHostPort(host, u.Port())
	}
	return u.Scheme + "://" + u.Host
}

func (a *API) framework(ctx context.Context, f connect.Framework, t connect.Target) client.Framework {
	if f.Upstream != "" && a.o.Upstreams != nil {
		all := a.o.Upstreams.List()
		if i := slices.IndexFunc(all, func(u client.Upstream) bool {
			return (u.Dialect == f.Upstream || u.Kind == f.Upstream) && maySeeUpstream(whoOf(ctx), u)
		}); i >= 0 {
			t.Upstream = all[i].Name
		}
	}
	out := client.Framework{ID: f.ID, Title: f.Title, Group: f.Group, About: f.About, Keys: f.Keys, Waits: f.Waits, Dialects: f.Dialects, Upstream: t.Upstream}
	if out.Keys == nil {
		out.Keys = []string{}
	}
	for _, p := range f.Fill(t) {
		out.Parts = append(out.Parts, client.SnippetPart{Title: p.Title, Text: p.Text})
	}
	return out
}

// connectAgent makes the keys that a framework asks for. What was made stays when
// a later part fails: it is listed, and ends by itself.
func connectAgent(a *API, ctx context.Context, req *client.ConnectRequest) (*client.ConnectedAgent, error) {
	f, err := connect.Find(req.Framework)
	if err != nil {
		return nil, err
	}
	t, err := a.target(ctx, req.Host, req.Agent, req.Environment)
	if err != nil {
		return nil, err
	}
	out := &client.ConnectedAgent{Agent: req.Agent, Since: a.o.Now().UTC()}
	life := cmp.Or(req.ExpiresIn, "30d")
	if slices.Contains(f.Keys, "agent") {
		if t.Door == "" {
			return nil, fault.New(fault.KindUnavailable, "connect.no_door", "%s goes through the door, and this server has none", f.Title).
				WithHint("set gateway_listen, or choose a way that only sends telemetry")
		}
		if out.Registered, err = a.register(ctx, req, f); err != nil {
			return nil, err
		}
		k, err := createAgentKey(a, ctx, &client.CreateAgentKeyRequest{Name: req.Agent, Label: f.Title, ExpiresIn: life})
		if err != nil {
			return nil, err
		}
		t.AgentKey, k.Key, out.AgentKey = k.Key, "", k
	}
	if slices.Contains(f.Keys, "intake") && !a.o.Dev {
		k, err := createIntakeKey(a, ctx, &client.CreateIntakeKeyRequest{Name: req.Agent + " (" + f.Title + ")", Team: req.Team, Environment: req.Environment, ExpiresIn: life})
		if err != nil {
			return nil, err
		}
		t.Key, out.IntakeKey = k.Secret, &k.Key
	}
	out.Framework = a.framework(ctx, f, t)
	return out, nil
}

// register makes the agent where nobody did: a pilot, supervised.
func (a *API) register(ctx context.Context, req *client.ConnectRequest, f connect.Framework) (made bool, err error) {
	_, _, err = a.visible(ctx, req.Agent)
	if err == nil || !fault.Is(err, fault.KindNotFound) {
		return false, err
	}
	_, err = createAgent(a, ctx, &client.CreateAgentRequest{
		Name: req.Agent, Team: req.Team, Environment: req.Environment, Purpose: "connected as: " + f.Title, Reason: "connected by " + f.ID,
	})
	return err == nil, err
}

// beforeKeys is how much earlier than its key a first step may say that it
// began: clocks differ, and some tell of what is over.
const beforeKeys = 10 * time.Second

func connectProgress(a *API, ctx context.Context, req *client.ConnectProgressRequest) (*client.ConnectProgress, error) {
	since, _, err := a.period(cmp.Or(req.Since, "-1h"), "")
	if err != nil {
		return nil, err
	}
	if req.Agent == "" {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "agent is missing")
	}
	from := since.Add(-beforeKeys).Format(time.RFC3339Nano)
	out := &client.ConnectProgress{Agent: req.Agent, Others: []string{}, Dialects: []string{}, Missing: []client.LintFinding{}}
	runs, err := listRuns(a, ctx, &client.ListRunsRequest{Agent: req.Agent, From: from, Sort: "-started", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(runs.Items) > 0 {
		out.Run = &runs.Items[0]
	} else if out.Others, err = a.strangers(ctx, from, since); err != nil {
		return nil, err
	}
	if a.o.Decisions != nil {
		ds, err := listDecisions(a, ctx, &client.ListDecisionsRequest{Agent: req.Agent, From: since.Format(time.RFC3339Nano), Limit: 100})
		if err != nil {
			return nil, err
		}
		if n := len(ds.Items); n > 0 {
			out.Decision = &ds.Items[n-1] // the newest come first
		}
	}
	if out.KeyUsedAt, err = a.keyUsed(ctx, req.Key); err != nil {
		return nil, err
	}
	if out.Run == nil {
		return out, nil
	}
	name := out.Run.Agent // as its telemetry calls it
	found, err := lint(a, ctx, &client.LintRequest{Agent: name, From: from})
	if err != nil {
		return nil, err
	}
	for _, l := range found.Items {
		if l.Agent == name && l.Team == out.Run.Team {
			out.Dialects, out.Score, out.Missing = l.Dialects, &l.Score, l.Findings
		}
	}
	return out, nil
}

// strangers are agents that were never seen before and are since then: likely
// the one that is waited for, under another name.
func (a *API) strangers(ctx context.Context, from string, since time.Time) ([]string, error) {
	out := []string{}
	runs, err := listRuns(a, ctx, &client.ListRunsRequest{From: from, Sort: "started", Limit: 50})
	if err != nil {
		return nil, err
	}
	for _, r := range runs.Items {
		if r.Agent == "" || slices.Contains(out, r.Agent) || len(out) == 5 {
			continue
		}
		old, err := listRuns(a, ctx, &client.ListRunsRequest{Query: "agent:" + search.Quote(r.Agent), To: since.Add(-beforeKeys).Format(time.RFC3339Nano), From: "-7d", Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(old.Items) == 0 {
			out = append(out, r.Agent)
		}
	}
	return out, nil
}

func (a *API) keyUsed(ctx context.Context, id string) (*time.Time, error) {
	if id == "" {
		return nil, nil
	}
	keys, err := listIntakeKeys(a, ctx, &struct{}{})
	if err != nil {
		return nil, err
	}
	for _, k := range keys.Items {
		if k.ID == id {
			return k.LastUsed, nil
		}
	}
	return nil, nil
}
