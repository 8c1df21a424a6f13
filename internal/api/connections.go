package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// This file gathers every other system that Reeve speaks to. Nothing is probed
// here: what each part knows of its last exchanges is what is told, and a part
// that never spoke says so. Each is asked as its own page asks it, so that nobody
// sees more here than there.

func connectionOperations() []operation {
	return []operation{
		define(operation{Name: "ListConnections", Method: http.MethodGet, Path: "/connections", Permission: everywhere(identity.Viewer), Summary: "lists the other systems that Reeve speaks to, and whether each works, those that fail first"}, listConnections),
	}
}

const (
	connWorking = "working"
	connFailing = "failing"
	connQuiet   = "quiet"
	connOff     = "off"
	connUnknown = "unknown"
)

var connectionOrder = []string{connFailing, connUnknown, connQuiet, connWorking, connOff}

var connectionParts = []struct {
	name string
	ask  func(*API, context.Context) ([]client.OtherSystem, error)
}{
	{"upstreams", upstreamConnections},
	{"channels", channelConnections},
	{"alert sources", alertSourceConnections},
	{"pollers", pollerConnections},
	{"relay", relayConnections},
	{"siem", siemConnections},
	{"sign-in", signInConnections},
}

func listConnections(a *API, ctx context.Context, _ *struct{}) (*client.OtherSystems, error) {
	out := &client.OtherSystems{Items: []client.OtherSystem{}, Parts: []string{}}
	for _, p := range connectionParts {
		items, err := p.ask(a, ctx)
		if err != nil {
			if fault.From(err).Code != "api.not_here" {
				a.o.Logger.WarnContext(ctx, "connections of a part could not be read", "part", p.name, "err", err)
			}
			continue
		}
		for i := range items {
			items[i].LastError = safeError(items[i].LastError)
		}
		out.Parts = append(out.Parts, p.name)
		out.Items = append(out.Items, items...)
	}
	slices.SortStableFunc(out.Items, func(x, y client.OtherSystem) int {
		return cmp.Or(cmp.Compare(slices.Index(connectionOrder, x.State), slices.Index(connectionOrder, y.State)), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name))
	})
	n := map[string]int{}
	for _, c := range out.Items {
		n[c.State]++
	}
	out.Text = fmt.Sprintf("%s: %d working, %d failing, %d without a word yet.", many(len(out.Items), "connection"), n[connWorking], n[connFailing], n[connQuiet])
	if n[connOff] > 0 {
		out.Text += fmt.Sprintf(" %d off.", n[connOff])
	}
	return out, nil
}

// safeURL is the host of an address: paths of webhooks are secrets, and so may
// be anything that is no address.
func safeURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}

var address = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s"'<>]+`)

// safeError is an error of a client without the addresses that it quotes.
func safeError(text string) string {
	return clip(address.ReplaceAllStringFunc(text, func(a string) string { return cmp.Or(safeURL(a), "(an address)") }), 300)
}

func upstreamConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	l, err := listUpstreams(a, ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []client.OtherSystem
	for _, u := range l.Items {
		c := client.OtherSystem{Kind: "upstream", Name: u.Name, What: u.Kind, Where: safeURL(u.URL), Direction: "out", Team: u.Team, State: connQuiet, LastError: u.Health.LastError, Path: "/settings/upstreams"}
		switch u.Health.State {
		case "ok":
			c.State, c.LastOKAt = connWorking, u.Health.Since
			c.Reason = many(u.Health.Calls, "call") + " since the start, " + count(u.Health.Errors) + " failed"
		case "failing", "open":
			c.State, c.FailingSince = connFailing, u.Health.Since
			c.Reason = map[string]string{"failing": "calls fail", "open": "calls failed until none was tried any more"}[u.Health.State]
		default:
			c.Reason = "nothing was called yet"
		}
		out = append(out, c)
	}
	return out, nil
}

func channelConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	l, err := listChannels(a, ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []client.OtherSystem
	for _, ch := range l.Items {
		c := client.OtherSystem{Kind: "channel", Name: ch.Name, What: ch.Kind, Where: cmp.Or(safeURL(ch.Settings.URL), ch.Settings.Channel), Direction: "out", Team: ch.Team, State: connQuiet, Reason: "nothing was sent yet", Path: "/settings/channels"}
		if ch.Answers != "" {
			c.Direction = "both"
		}
		if err := a.lastDeliveries(ctx, &c); err != nil {
			return nil, err
		}
		if ch.Off {
			c.State, c.Reason = connOff, "somebody switched it off"
		}
		out = append(out, c)
	}
	return out, nil
}

// lastDeliveries tells a channel's state by what was sent last.
func (a *API) lastDeliveries(ctx context.Context, c *client.OtherSystem) error {
	l, err := listDeliveries(a, ctx, &client.ListDeliveriesRequest{Channel: c.Name, Limit: 50})
	if err != nil {
		return err
	}
	waiting, told := int64(0), false
	for _, d := range l.Items { // the newest first
		switch d.State {
		case "queued", "claimed":
			waiting++
		case "sent":
			if c.LastOKAt == nil {
				c.LastOKAt = d.DoneAt
			}
			if !told {
				c.State, c.Reason, told = connWorking, "the last message arrived", true
			}
		case "failed", "unknown":
			if !told {
				c.State, c.Reason, told = connFailing, "the last message did not arrive", true
				if d.State == "unknown" {
					c.Reason = "nobody knows whether the last message arrived"
				}
			}
			if c.LastOKAt == nil {
				c.FailingSince = &d.CreatedAt
				if n := len(d.Tries); n > 0 && c.LastError == "" {
					c.LastError = clip(d.Tries[n-1].Text, 200)
				}
			}
		}
	}
	c.Waiting = &waiting
	return nil
}

func alertSourceConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	l, err := listAlertSources(a, ctx, &client.ListAlertSourcesRequest{})
	if err != nil {
		return nil, err
	}
	var out []client.OtherSystem
	for _, s := range l.Items {
		c := client.OtherSystem{Kind: "alert_source", Name: s.Name, What: s.Kind, Where: s.Path, Direction: "in", Team: s.Team, State: connQuiet, Reason: "nothing came yet", LastOKAt: s.LastAt, LastError: s.LastError, Path: "/settings/alert-sources"}
		switch {
		case s.LastRefused != nil && (s.LastAt == nil || s.LastRefused.After(*s.LastAt)):
			c.State, c.FailingSince, c.Reason = connFailing, s.LastRefused, "what came last could not be taken"
		case s.LastAt != nil:
			c.State, c.Reason = connWorking, many(s.Deliveries, "delivery")
			if s.Deliveries != 1 {
				c.Reason = count(s.Deliveries) + " deliveries"
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func pollerConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	l, err := listPollers(a, ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []client.OtherSystem
	for _, p := range l.Items {
		c := client.OtherSystem{Kind: "poller", Name: p.Name, What: p.Kind, Where: safeURL(p.URL), Direction: "out", Team: p.Team, State: connQuiet, Reason: "it was not asked yet", FailingSince: p.Status.FailingSince, LastError: p.Status.Error, Path: "/settings/pollers"}
		switch {
		case p.Status.State == "paused":
			c.State, c.Reason = connOff, "somebody paused it"
		case p.Status.FailingSince != nil:
			c.State, c.Reason = connFailing, "it cannot be read"
		case p.Status.LastPollAt != nil:
			c.State, c.Reason, c.LastOKAt = connWorking, count(p.Status.Records)+" records were read", p.Status.LastPollAt
		}
		out = append(out, c)
	}
	return out, nil
}

func relayConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	l, err := listRelays(a, ctx, nil)
	if err != nil {
		return nil, err
	}
	var out []client.OtherSystem
	for _, r := range l.Items {
		waiting := r.Status.Waiting
		c := client.OtherSystem{Kind: "relay", Name: r.Name, What: cmp.Or(r.Protocol, "http/protobuf"), Where: safeURL(r.URL), Direction: "out", State: connQuiet, Reason: "nothing was forwarded yet", LastOKAt: r.Status.LastSentAt, FailingSince: r.Status.FailingSince, LastError: r.Status.Error, Waiting: &waiting, Path: "/settings/relay"}
		switch {
		case r.Paused:
			c.State, c.Reason = connOff, "somebody paused it"
		case r.Status.FailingSince != nil:
			c.State, c.Reason = connFailing, "it does not take what is forwarded"
		case r.Status.LastSentAt != nil:
			c.State, c.Reason = connWorking, count(r.Status.Sent)+" records were forwarded"
		}
		out = append(out, c)
	}
	return out, nil
}

func siemConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	// Who may not list where records stream to does not see it here.
	if a.o.SIEM == nil || !whoOf(ctx).Everywhere(identity.Auditor) {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server streams no records")
	}
	var out []client.OtherSystem
	for _, s := range a.o.SIEM() {
		waiting := int64(0)
		for _, n := range s.Behind {
			waiting += n
		}
		c := client.OtherSystem{Kind: "siem", Name: s.Name, What: s.Kind, Where: safeURL(s.Where), Direction: "out", State: connQuiet, Reason: "nothing was sent yet", LastOKAt: s.LastSentAt, FailingSince: s.FailingSince, LastError: s.Error, Waiting: &waiting, Path: "/audit"}
		switch {
		case s.FailingSince != nil:
			c.State, c.Reason = connFailing, "it does not take records"
		case s.LastSentAt != nil:
			c.State, c.Reason = connWorking, count(s.Sent)+" records since the start"
		}
		out = append(out, c)
	}
	return out, nil
}

// signInConnections are directories that people sign in with, and issuers whose
// word agents bring. Nobody keeps when they were last spoken to: that is unknown,
// not well.
func signInConnections(a *API, ctx context.Context) ([]client.OtherSystem, error) {
	var out []client.OtherSystem
	for _, p := range a.o.ProviderButtons {
		out = append(out, client.OtherSystem{Kind: "sign_in", Name: p.Name, What: "OpenID Connect, people", Where: p.Label, Direction: "both", State: connUnknown, Reason: "its last answer is not kept; who signed in stands in the audit log", Path: "/settings/people"})
	}
	// Who may not list issuers on their own page does not see them here.
	if a.o.Credentials == nil || a.o.Credentials.Issuers == nil || !whoOf(ctx).Everywhere(identity.Security) {
		return out, nil
	}
	l, err := listTokenIssuers(a, ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, i := range l.Items {
		out = append(out, client.OtherSystem{Kind: "sign_in", Name: i.Name, What: i.Preset + ", agents", Where: safeURL(i.Issuer), Direction: "out", State: connUnknown, Reason: "when its keys were last fetched is not kept", Path: "/settings/identity"})
	}
	return out, nil
}
