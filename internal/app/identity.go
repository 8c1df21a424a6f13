package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/api"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/enrol"
	"reeve/internal/identity/issuer"
	"reeve/internal/identity/oauth"
	"reeve/internal/identity/token"
	"reeve/internal/identity/workload"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/upstream/connection"
)

// passphraseEnv may hold the passphrase of the authority's keys.
const passphraseEnv = "REEVE_IDENTITY_PASSPHRASE"

// authority is what gives agents their identity and says who calls.
type authority struct {
	issuer    string // URL of the door, iss in our tokens
	ca        *ca.CA
	keys      *token.Keys
	who       *token.Verifier
	oauth     *oauth.Server
	issuers   *issuer.Registry
	desk      *enrol.Desk
	workloads *workload.Registry
	sockets   *workload.Server
	tls       *tls.Config // of the door; nil: none
}

// Door is the URL by which agents reach the door; it is the issuer of their
// tokens.
func (a *App) Door() string { return a.authority.issuer }

// bindDoor takes the door's address before anything else needs it: the issuer
// in our tokens is this address unless the configuration names another.
func (a *App) bindDoor(context.Context) error {
	return a.open("gateway_listen", a.o.Config.GatewayListen, func(ctx context.Context, l net.Listener) error {
		return a.serveDoor(ctx, l)
	})
}

// openIdentity opens the authority, before anything asks who calls.
func (a *App) openIdentity(ctx context.Context) (err error) {
	dir, t := filepath.Join(a.o.Config.Data, "identity"), &a.authority
	t.issuer = a.issuer()
	t.ca, err = ca.Open(ca.Options{
		Dir: dir, TrustDomain: a.o.Config.Identity.TrustDomain, PassphraseFile: a.passphraseFile(), PassphraseEnv: passphraseEnv,
		CRLURL: a.crlURL(), RootCert: a.o.Config.Identity.RootCert, RootKey: a.o.Config.Identity.RootKey, Log: a.log.With("part", "authority"),
	})
	if err != nil {
		return err
	}
	// What this process starts has no use for it.
	if err := os.Unsetenv(passphraseEnv); err != nil {
		return err
	}
	if t.ca.FileMode() {
		a.log.Warn("file mode only: the authority's keys are protected by the rights of their file and nothing else",
			"data", dir, "hint", "give a passphrase with identity.passphrase_file, the systemd credential "+credentialName+", or "+passphraseEnv)
	}
	t.keys, err = token.OpenKeys(token.Options{Dir: dir, Issuer: t.issuer, TrustDomain: t.ca.TrustDomain(), Sealer: t.ca})
	if err != nil {
		return err
	}
	t.issuers, err = issuer.New(ctx, issuer.Options{
		DB: a.control, Own: t.issuer, Changed: func() { t.who.Forget() }, Logger: a.log.With("part", "issuers"), Loopback: a.o.Config.Dev,
	})
	if err != nil {
		return err
	}
	t.who = token.NewVerifier(token.VerifierOptions{
		Keys: t.keys, CA: t.ca, Audiences: []string{t.issuer}, Base: t.issuer, Standing: a.standing, Foreign: a.foreign,
	})
	t.oauth, err = oauth.New(ctx, oauth.Options{
		DB: a.control, Keys: t.keys, Verifier: t.who, Agents: a.credible, Issuer: t.issuer, ActFor: a.mayActFor, Logger: a.log.With("part", "oauth"),
	})
	if err != nil {
		return err
	}
	t.desk = enrol.New(enrol.Options{
		DB: a.control, CA: t.ca, Keys: t.keys, Verifier: t.who, Agents: a.credible, Key: a.agentKey, Workload: a.foreign, Logger: a.log.With("part", "enrol"),
	})
	if t.workloads, err = workload.OpenRegistry(ctx, a.control, nil); err != nil {
		return err
	}
	t.sockets = workload.New(workload.Options{
		Registry: t.workloads, Desk: t.desk, CA: t.ca, Keys: t.keys, Verifier: t.who, Agents: a.credible, Standing: a.standing,
		Logger: a.log.With("part", "workload"),
	})
	if err := a.bindWorkload(); err != nil {
		return err
	}
	t.tls, err = a.doorTLS()
	return err
}

// credentials gives the API what proves agents.
func (a *App) credentials() *api.Credentials {
	t := &a.authority
	return &api.Credentials{
		Issuer: t.issuer, OAuth: t.oauth, Desk: t.desk, Workloads: t.workloads, Issuers: t.issuers, CA: t.ca, Agents: a.credible,
		Rotate: a.rotate, Changed: t.sockets.Changed,
	}
}

// rotate makes a new root. The record comes first: a rotation that was recorded
// and did not happen is repeated, one that happened unrecorded is a hole.
func (a *App) rotate(ctx context.Context, by, reason string, compromised bool) error {
	err := a.control.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.ca_rotated", Person: by, Action: "rotate", Object: a.authority.ca.TrustDomain(), Reason: reason, After: map[string]any{"compromised": compromised},
		})
	})
	if err != nil {
		return err
	}
	if err := a.authority.ca.Rotate(compromised); err != nil {
		return err
	}
	a.authority.sockets.Changed()
	return nil
}

// agentChanged is told of each change of an agent once it is in force.
func (t *authority) agentChanged(before, after *agent.Agent) {
	if t.desk == nil {
		return // while the process is built
	}
	if before != nil && (after.Epoch > before.Epoch || after.Lifecycle == agent.Retired) {
		t.desk.Stopped(after.Name)
		t.sockets.Changed()
	}
}

// agentKey finds the agent of an agent key that is used to enrol.
func (a *App) agentKey(text, remote string) (name, id string, err error) {
	var from netip.Addr
	if at, err := netip.ParseAddrPort(remote); err == nil {
		from = at.Addr()
	}
	k, g, err := a.agents.Key(text, from)
	if err != nil {
		return "", "", err
	}
	return g.Name, k.ID, nil
}

// bindWorkload listens for processes of this host. The socket is open to all of
// them: who gets what is decided by what the kernel says of the caller.
func (a *App) bindWorkload() error {
	path := a.o.Config.Identity.WorkloadSocket
	if path == "" {
		return nil
	}
	if !workload.Supported {
		return fault.New(fault.KindInvalid, "config.invalid", "identity.workload_socket: callers can be attested on Linux only")
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return fault.New(fault.KindConflict, "app.port_taken", "identity.workload_socket: another program listens on %s", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		_ = os.Remove(path) // of a process that was killed; if it stays, listening says so
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fault.New(fault.KindUnavailable, "app.listen", "identity.workload_socket: cannot listen on %s", path).WithCause(err).
			WithHint("a socket's path has at most 107 bytes, and its folder must be there")
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return errors.Join(err, l.Close())
	}
	a.listeners = append(a.listeners, &listener{key: "workload_socket", net: l, serve: func(ctx context.Context) error {
		if err := a.authority.sockets.Serve(ctx, l); err != nil && ctx.Err() == nil {
			return err
		}
		return nil
	}})
	a.stack.push("workload_socket", func(context.Context) error {
		_ = l.Close() // already closed when it served
		return nil
	})
	return nil
}

// crlURL is what certificates name: where the configuration says that the list
// is published, else the door when it speaks plain http.
func (a *App) crlURL() string {
	if u := a.o.Config.Identity.CRLURL; u != "" {
		return u
	}
	if strings.HasPrefix(a.authority.issuer, "http://") {
		return a.authority.issuer + "/crl"
	}
	return ""
}

// credentialName is the passphrase's name in systemd's LoadCredential=.
const credentialName = "reeve-passphrase"

func (a *App) passphraseFile() string {
	if f := a.o.Config.Identity.PassphraseFile; f != "" {
		return f
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return ""
	}
	file := filepath.Join(dir, credentialName)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}

// issuer is the door's URL as agents know it.
func (a *App) issuer() string {
	if u := a.o.Config.Identity.Issuer; u != "" {
		return u
	}
	scheme := "http"
	if a.o.Config.gatewayTLS() != "off" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(cmp.Or(a.Address("gateway_listen"), a.o.Config.GatewayListen))
	if err != nil {
		return scheme + "://localhost"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
		if len(a.o.Config.Hosts) > 0 {
			host = strings.ToLower(a.o.Config.Hosts[0])
		}
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// foreign verifies a token of an outside issuer. It carries no epoch of ours, so
// it gets the one that its agent had when it was issued: what was issued before
// a stop is dead after it.
func (a *App) foreign(ctx context.Context, text string) (token.Principal, error) {
	p, err := a.authority.issuers.Verify(ctx, text)
	if err != nil || p.Agent == "" {
		return p, err
	}
	// Its clock may be ahead of ours, and the stop must win.
	p.Epoch, err = a.agents.EpochAt(ctx, p.Agent, p.Issued.Add(-token.Leeway))
	return p, err
}

// standing reports whether a credential still holds, on every call: nobody
// revoked it, the agent is there, not retired, and was not stopped since the
// credential was made; and the same for each agent that it acts for.
func (a *App) standing(p token.Principal) error {
	if a.authority.oauth.Revoked(p) {
		return fault.New(fault.KindUnauthenticated, "token.revoked", "this credential was revoked").WithHint("get a new one")
	}
	if err := a.stands(p.Agent, p.Epoch); err != nil {
		return err
	}
	for _, l := range p.Lineage {
		if err := a.stands(l.Agent, l.Epoch); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) stands(name string, epoch int64) error {
	g, ok := a.agents.Lookup(name)
	if !ok || g.Lifecycle == agent.Retired || epoch < g.Epoch {
		return fault.New(fault.KindUnauthenticated, "token.dead", "this credential no longer holds").
			WithHint("its agent is not registered, was retired, or was stopped after it was made; get a new one")
	}
	return nil
}

// mayHave refuses a new credential to an agent that is not there, retired, or
// stopped at this moment; it gives the agent's epoch.
func (a *App) mayHave(name string) (*agent.Agent, error) {
	g, ok := a.agents.Lookup(name)
	if !ok || g.Lifecycle == agent.Retired {
		return nil, fault.New(fault.KindDenied, "token.no_agent", "there is no agent of this name that may have credentials").
			WithHint("`reeve agent create` registers one; a retired one stays retired")
	}
	return g, a.stops.Check(stop.Call{Agent: g.Name, Team: g.Team, Labels: g.Labels, Version: g.Version})
}

// credible is mayHave in identity's words.
func (a *App) credible(name string) (token.Agent, error) {
	g, err := a.mayHave(name)
	if g == nil {
		return token.Agent{}, err
	}
	return token.Agent{Name: g.Name, Team: g.Team, Environment: g.Environment, Purpose: g.Purpose, Epoch: g.Epoch}, err
}

// mayActFor asks policy whether an agent may act for whom a token speaks.
func (a *App) mayActFor(_ context.Context, who token.Agent, subject token.Principal, audience string, scopes []string) error {
	g, ok := a.agents.Lookup(who.Name)
	if !ok {
		return fault.New(fault.KindDenied, "token.no_agent", "there is no agent of this name that may have credentials")
	}
	act := policy.Act{
		Agent: a.policyAgent(g), User: subject.User, Groups: subject.UserGroups, Depth: len(subject.Chain), Audience: audience, Scopes: scopes,
	}
	if subject.Agent != "" && subject.Agent != who.Name {
		act.Depth++
		if act.User == "" {
			act.For = policy.Agent{Name: subject.Agent}
			if f, ok := a.agents.Lookup(subject.Agent); ok {
				act.For = a.policyAgent(f)
			}
		}
	}
	d := a.engine.Act(&act)
	if d.Verdict == activity.VerdictAllow {
		return nil
	}
	why := "no policy permits it"
	if len(d.Reasons) > 0 {
		why = d.Reasons[0].Text
	}
	return fault.New(fault.KindDenied, "policy.act_for", "agent %s may not act for that: %s", who.Name, why)
}

// policyAgent is an agent in the words of policy.
func (a *App) policyAgent(g *agent.Agent) policy.Agent {
	enforcement := "enforce"
	if now := time.Now(); !g.Enforced(now) {
		enforcement = "observe"
	}
	return policy.Agent{
		Name: g.Name, Team: g.Team, Owner: g.Owner, Kind: g.Kind, Lifecycle: g.Lifecycle, Autonomy: g.Autonomy, Environment: g.Environment,
		Mode: g.Mode, Containment: g.Contained(time.Now()), Enforcement: enforcement, Classes: g.DataClasses, Labels: g.Labels,
	}
}

// Subject lets a call be made on somebody's behalf; see gateway.Subjects.
func (t *authority) Subject(ctx context.Context, text string, c *gateway.Caller) error {
	p, err := t.who.ActFor(ctx, text, token.Principal{Agent: c.Agent.Name, User: c.User, UserGroups: c.UserGroups, Chain: c.Chain, Expires: c.Expires})
	if err != nil {
		return err
	}
	c.User, c.UserGroups, c.Chain, c.Expires = p.User, p.UserGroups, p.Chain, p.Expires
	return nil
}

// door is what the gateway's listener serves beside calls.
func (a *App) door() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /spiffe/bundle", a.serveBundle)
	mux.Handle("GET /crl", a.authority.ca.CRLHandler())
	tokens := a.authority.oauth.Handler()
	for _, p := range connection.Paths() {
		mux.HandleFunc(p, a.connections.Documents)
	}
	for _, p := range oauth.Paths() {
		mux.Handle(p, tokens)
	}
	desk := a.authority.desk.Handler()
	for _, p := range enrol.Paths() {
		mux.Handle(p, desk)
	}
	mux.HandleFunc("GET "+token.CardKeysPath, a.serveCardKeys)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	return mux
}

// serveBundle publishes what others need to verify our identities.
func (a *App) serveBundle(w http.ResponseWriter, r *http.Request) {
	svid, _, sequence, err := a.authority.keys.JWKS()
	var text []byte
	if err == nil {
		text, err = a.authority.ca.Bundle(svid, sequence)
	}
	if err != nil {
		a.log.ErrorContext(r.Context(), "bundle not made", "err", err)
		http.Error(w, "bundle not available", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(text)
}

func urlHost(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", err
	}
	return u.Hostname(), nil
}
