package app

import (
	"context"
	"net/http"
	"strings"

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
	http.Redirect(w, r, "/upstreams/connected#"+connection.Fragment(name, r.URL.Query()), http.StatusSeeOther)
}
