package app

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

// backPath is where browsers come back to from the authorization server of an
// upstream.
const backPath = "/auth/upstream/callback"

// openUpstreams loads what the door forwards to, and the tokens that it has for
// it, which the authority keeps sealed.
func (a *App) openUpstreams(ctx context.Context) (err error) {
	c := a.o.Config.Connections
	if c.ClientID == "" {
		c.ClientID = connection.DocumentAt(a.authority.issuer)
	}
	a.connections, err = connection.New(ctx, connection.Options{
		DB: a.control, Sealer: a.authority.ca, ClientID: c.ClientID, Redirect: a.comeBack, Logger: a.log.With("part", "connections"),
		Upstream: func(name string) (*upstream.Upstream, bool) { return a.upstreams.Lookup(name) },
	})
	if err != nil {
		return err
	}
	a.upstreams, err = upstream.New(ctx, upstream.Options{
		DB: a.control, Dir: a.o.Config.Data, Vault: a.o.Config.Vault, Static: a.o.Config.MCP.Upstreams(), Tokens: a.connections,
		Logger: a.log.With("part", "upstream"),
	})
	return err
}

// consoleAt is where people's browsers reach the console; "" nowhere.
func (a *App) consoleAt() string {
	at := a.Address("listen")
	switch {
	case a.o.Config.Connections.Console != "":
		return strings.TrimSuffix(a.o.Config.Connections.Console, "/")
	case a.o.Config.Approvals.Console != "":
		return a.o.Config.Approvals.Console
	case at == "":
		return ""
	case a.o.Config.TLS.Cert != "":
		return "https://" + at
	}
	return "http://" + at
}

// comeBack is the address that authorization servers send browsers back to.
func (a *App) comeBack() string {
	if at := a.consoleAt(); at != "" {
		return at + backPath
	}
	return ""
}

// cameBack takes a browser back from an authorization server. Its page finishes
// the connection, in the session of who is signed in there: this navigation
// comes from elsewhere and carries no session. What the page needs goes into the
// fragment, which no server sees.
func (a *App) cameBack(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	name, _ := a.connections.Waiting(r.URL.Query().Get("state")) // an unknown one is told so by the page
	http.Redirect(w, r, "/upstreams/connected#"+connection.Fragment(name, r.PathValue("at"), r.URL.Query()), http.StatusSeeOther)
}

var (
	connectionStates = prometheus.NewDesc("reeve_upstream_connections", "Upstreams that are called with tokens of an authorization server, by how the connection stands.", []string{"state"}, nil)
	connectionEnds   = prometheus.NewDesc("reeve_upstream_token_ends_seconds", "Seconds until the token in use ends, and whether it is renewed without a person.", []string{"upstream", "renews"}, nil)
)

// connectionFigures gives how the connections of upstreams stand.
func (p *parts) connectionFigures(out chan<- prometheus.Metric) {
	states := map[string]int{"connected": 0, "not_connected": 0, "scope_missing": 0, "failed": 0}
	now := time.Now()
	for _, kind := range []string{"a2a", "http", "llm", "mcp"} {
		for _, u := range p.a.upstreams.Of(kind) {
			if !u.Granted() {
				continue
			}
			k := p.a.connections.State(u)
			states[k.State]++
			if k.ExpiresAt != nil {
				out <- prometheus.MustNewConstMetric(connectionEnds, prometheus.GaugeValue, k.ExpiresAt.Sub(now).Seconds(), u.Name, strconv.FormatBool(k.Renews))
			}
		}
	}
	for state, n := range states {
		out <- prometheus.MustNewConstMetric(connectionStates, prometheus.GaugeValue, float64(n), state)
	}
	s := p.a.connections.Stats()
	for _, f := range []figure{
		{"reeve_upstream_token_renewals_total", "Tokens for upstreams that authorization servers gave.", prometheus.CounterValue, float64(s.Renewals)},
		{"reeve_upstream_token_failures_total", "Tokens that were asked for and not got.", prometheus.CounterValue, float64(s.Failures)},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}
