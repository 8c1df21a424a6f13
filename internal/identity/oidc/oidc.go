// Package oidc lets people sign in with an outside provider by OpenID Connect.
//
// What for: a browser is sent to the provider (authorization code flow with
// PKCE, RFC 7636, state and nonce) and comes back; groups that the provider
// names become teams and roles; a second factor that it saw counts here.
//
// Who calls it: app mounts the Handler at /auth/oidc/ on the console's listener;
// api hands the session over to the page (Redeem).
//
// Promises: an ID token is taken only with a good signature, our audience, the
// nonce of this browser's own attempt and an unexpired life; an attempt is used
// once, by the browser that began it, within ten minutes. What is kept of
// attempts is bounded. It adds a way to sign in, not a model: sessions, roles
// and their ends are identity's. Safe for concurrent use.
//
// How it fails: the browser is sent to /sign-in with a stable code in the
// fragment (oidc.provider, oidc.state, oidc.token, oidc.refused and identity's
// own); causes are logged, never shown.
//
// Start reading at Handler.start and Handler.callback.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Prefix is where the handler lives.
const Prefix = "/auth/oidc/"

// Provider is the configuration of one provider.
type Provider struct {
	Name             string           `yaml:"name"`               // part of the address: letters, digits, dash
	Label            string           `yaml:"label"`              // on the button; "" is the name
	Issuer           string           `yaml:"issuer"`             // exactly as in its discovery document
	ClientID         string           `yaml:"client_id"`          //
	ClientSecretFile string           `yaml:"client_secret_file"` // the file that holds it; "" for a public client
	ClientSecretEnv  string           `yaml:"client_secret_env"`  // or the environment variable
	Scopes           []string         `yaml:"scopes"`             // beside openid; none: profile, email
	GroupsClaim      string           `yaml:"groups_claim"`       // "" is groups
	NameClaim        string           `yaml:"name_claim"`         // of a new account; "" is preferred_username, else email
	Groups           map[string]Group `yaml:"groups"`             // by the provider's name of the group
	Create           bool             `yaml:"create"`             // make an account at the first sign-in
	FactorMethods    []string         `yaml:"factor_methods"`     // amr values that are a second factor; none: mfa, otp, hwk, fpt, sc
	FactorContexts   []string         `yaml:"factor_contexts"`    // acr values that are one
	AllowPrivate     bool             `yaml:"allow_private"`      // the provider lives in the house: plain http on loopback too
}

// Group says what a group of the provider stands for here.
type Group struct {
	Teams []string `yaml:"teams"`
	Roles []string `yaml:"roles"` // "security", or "developer support production"
}

// Sessions is what sign-in does with whom a provider vouched for;
// *identity.Directory is one.
type Sessions interface {
	SignInWith(ctx context.Context, l identity.Login, address, agent string) (identity.NewSignIn, error)
	ShownFactor(ctx context.Context, signIn, issuer, subject string, at time.Time) error
	Cookie(ctx context.Context, cookie string) (signIn, person string, err error)
	Link(ctx context.Context, who identity.Principal, issuer, subject string) error
}

// Options of a Handler. Providers and Sessions are required.
type Options struct {
	Providers []Provider
	Sessions  Sessions
	Cookie    string // name of the session's cookie
	Client    *http.Client
	Now       func() time.Time // nil is time.Now
	Logger    *slog.Logger     // nil discards
}

const (
	attemptLife  = 10 * time.Minute
	handoverLife = time.Minute
	maxAttempts  = 2000
	bindCookie   = "reeve_oidc"
)

// Handler serves the two addresses of each provider.
type Handler struct {
	o         Options
	providers map[string]*provider
	attempts  store[attempt]
	handovers store[handover]
}

type provider struct {
	Provider
	secret string

	mu   sync.Mutex // guards what discovery fills in
	conf *oauth2.Config
	ids  *oidc.IDTokenVerifier
}

// attempt is a browser on its way to the provider.
type attempt struct {
	provider, verifier, nonce, bind, back string
	fresh, link                           bool
	signIn, person                        string // of the session that asked, for fresh and link
	redirect                              string
}

// handover is an opened session that its page has not fetched yet.
type handover struct{ in identity.NewSignIn }

// New checks the configuration and reads secrets. It asks no provider: one that
// is down must not keep Reeve from starting.
func New(o Options) (*Handler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	h := &Handler{o: o, providers: map[string]*provider{}}
	h.attempts.init(o.Now, attemptLife)
	h.handovers.init(o.Now, handoverLife)
	for i, p := range o.Providers {
		made, err := read(p)
		if err != nil {
			return nil, fmt.Errorf("provider %d of oidc: %w", i+1, err)
		}
		if h.providers[p.Name] != nil {
			return nil, invalid("two providers are named %q", p.Name)
		}
		h.providers[p.Name] = made
	}
	return h, nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.KindInvalid, "config.invalid", "oidc: "+format, args...)
}

func read(p Provider) (*provider, error) {
	for _, r := range p.Name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') {
			return nil, invalid("the name %q has something other than lower-case letters, digits and dashes", p.Name)
		}
	}
	u, err := url.Parse(p.Issuer)
	switch {
	case p.Name == "" || p.ClientID == "":
		return nil, invalid("name and client_id are required")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, invalid("%s: issuer %q is no address", p.Name, p.Issuer)
	case u.Scheme != "https" && !(u.Scheme == "http" && p.AllowPrivate && loopback(u.Hostname())):
		return nil, invalid("%s: the issuer must be https", p.Name)
	}
	for name, g := range p.Groups {
		if _, err := grants(g.Roles); err != nil {
			return nil, invalid("%s: group %q: %v", p.Name, name, err)
		}
		if i := slices.IndexFunc(g.Teams, func(t string) bool { return !identity.ValidTeam(t) }); i >= 0 {
			return nil, invalid("%s: group %q: %q cannot name a team", p.Name, name, g.Teams[i])
		}
	}
	made := &provider{Provider: p}
	if p.GroupsClaim == "" {
		made.GroupsClaim = "groups"
	}
	if len(p.Scopes) == 0 {
		made.Scopes = []string{"profile", "email"}
	}
	if len(p.FactorMethods) == 0 {
		made.FactorMethods = []string{"mfa", "otp", "hwk", "fpt", "sc"}
	}
	switch {
	case p.ClientSecretFile != "":
		text, err := os.ReadFile(p.ClientSecretFile)
		if err != nil {
			return nil, invalid("%s: client_secret_file cannot be read: %v", p.Name, err)
		}
		made.secret = strings.TrimSpace(string(text))
	case p.ClientSecretEnv != "":
		if made.secret = os.Getenv(p.ClientSecretEnv); made.secret == "" {
			return nil, invalid("%s: the variable %s is empty", p.Name, p.ClientSecretEnv)
		}
	}
	return made, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// grants reads roles as "role", "role team" or "role team environment".
func grants(texts []string) ([]identity.Grant, error) {
	var out []identity.Grant
	for _, t := range texts {
		words := strings.Fields(t)
		if len(words) == 0 || len(words) > 3 || !slices.Contains(identity.Roles(), identity.Role(words[0])) {
			return nil, fmt.Errorf("%q is no role; write \"security\" or \"developer support production\"", t)
		}
		g := identity.Grant{Role: identity.Role(words[0]), Team: identity.Everything, Environment: identity.Everything}
		if len(words) > 1 {
			g.Team = words[1]
		}
		if len(words) > 2 {
			g.Environment = words[2]
		}
		out = append(out, g)
	}
	return out, nil
}

// Button is a provider as the sign-in page shows it.
type Button struct{ Name, Label, URL string }

// Buttons lists the providers in the order of the configuration.
func (h *Handler) Buttons() []Button {
	var out []Button
	for _, p := range h.o.Providers {
		label := p.Label
		if label == "" {
			label = p.Name
		}
		out = append(out, Button{p.Name, label, Prefix + p.Name + "/start"})
	}
	return out
}

// ServeHTTP answers /auth/oidc/{provider}/start and /callback.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, act, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	p := h.providers[name]
	if r.Method != http.MethodGet || p == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	var err error
	switch act {
	case "start":
		err = h.start(w, r, p)
	case "callback":
		err = h.callback(w, r, p)
	default:
		http.NotFound(w, r)
		return
	}
	if err == nil {
		return
	}
	f := fault.From(err)
	h.o.Logger.Info("sign-in with provider refused", "provider", name, "code", f.Code, "err", err)
	http.Redirect(w, r, "/sign-in#error="+url.QueryEscape(f.Code)+"&message="+url.QueryEscape(f.Message), http.StatusFound)
}

// open asks the provider for its addresses once; a failure is asked again.
func (p *provider) open(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conf != nil {
		return p.conf, p.ids, nil
	}
	found, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return nil, nil, fault.New(fault.KindUnavailable, "oidc.provider", "the provider %s does not answer as one", p.Name).WithCause(err).
			WithHint("issuer must be exactly what its discovery document says")
	}
	p.conf = &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.secret, Endpoint: found.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...)}
	// Keys are fetched under a context of their own later: this one ends.
	p.ids = found.VerifierContext(context.WithoutCancel(ctx), &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}})
	return p.conf, p.ids, nil
}

func (h *Handler) ctx(r *http.Request) context.Context {
	return oidc.ClientContext(r.Context(), h.o.Client)
}

// start sends the browser to the provider. back is where the page goes on
// afterwards; fresh asks for a second factor for the session that is open, link
// adds the login to its account.
func (h *Handler) start(w http.ResponseWriter, r *http.Request, p *provider) error {
	conf, _, err := p.open(h.ctx(r))
	if err != nil {
		return err
	}
	q := r.URL.Query()
	a := attempt{
		provider: p.Name, verifier: oauth2.GenerateVerifier(), nonce: random(), bind: random(), back: local(q.Get("back")),
		fresh: q.Get("fresh") == "1", link: q.Get("link") == "1", redirect: redirectOf(r, p.Name),
	}
	if a.fresh || a.link {
		c, err := r.Cookie(h.o.Cookie)
		if err != nil {
			return fault.New(fault.KindUnauthenticated, "identity.session", "the session has ended").WithHint("sign in again")
		}
		if a.signIn, a.person, err = h.o.Sessions.Cookie(r.Context(), c.Value); err != nil {
			return err
		}
	}
	state, err := h.attempts.put(a)
	if err != nil {
		return err
	}
	// Lax: the way back from the provider is a navigation from elsewhere.
	http.SetCookie(w, &http.Cookie{Name: bindCookie, Value: a.bind, Path: Prefix, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil, MaxAge: int(attemptLife.Seconds())})
	opts := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.verifier), oidc.Nonce(a.nonce), oauth2.SetAuthURLParam("redirect_uri", a.redirect)}
	if a.fresh {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	http.Redirect(w, r, conf.AuthCodeURL(state, opts...), http.StatusFound)
	return nil
}

// claims of an ID token that sign-in reads; groups and name are looked up by
// their configured names.
type claims struct {
	Nonce    string   `json:"nonce"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Username string   `json:"preferred_username"`
	AMR      []string `json:"amr"`
	ACR      string   `json:"acr"`
	AuthTime int64    `json:"auth_time"`
}

// callback takes the browser back from the provider.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request, p *provider) error {
	q := r.URL.Query()
	a, ok := h.attempts.take(q.Get("state"))
	bind, err := r.Cookie(bindCookie)
	if !ok || a.provider != p.Name || err != nil || !same(bind.Value, a.bind) {
		return fault.New(fault.KindUnauthenticated, "oidc.state", "this sign-in was not begun here, or took too long").WithHint("try again")
	}
	http.SetCookie(w, &http.Cookie{Name: bindCookie, Path: Prefix, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil, MaxAge: -1})
	if e := q.Get("error"); e != "" {
		return fault.New(fault.KindDenied, "oidc.refused", "the provider refused").WithCause(fmt.Errorf("%.100q: %.300q", e, q.Get("error_description")))
	}
	conf, ids, err := p.open(h.ctx(r))
	if err != nil {
		return err
	}
	token, err := conf.Exchange(h.ctx(r), q.Get("code"), oauth2.VerifierOption(a.verifier), oauth2.SetAuthURLParam("redirect_uri", a.redirect))
	if err != nil {
		return fault.New(fault.KindUnavailable, "oidc.provider", "the provider did not give a token").WithCause(err)
	}
	login, err := p.vouched(h.ctx(r), ids, token, a.nonce, h.o.Now())
	if err != nil {
		return err
	}
	return h.finish(w, r, a, login)
}

// finish does what the attempt was for.
func (h *Handler) finish(w http.ResponseWriter, r *http.Request, a attempt, l identity.Login) error {
	switch {
	case a.link:
		who := identity.Principal{Kind: identity.KindPerson, PersonID: a.person, SignInID: a.signIn}
		if err := h.o.Sessions.Link(r.Context(), who, l.Issuer, l.Subject); err != nil {
			return err
		}
	case a.fresh:
		if l.FactorAt.IsZero() {
			return fault.New(fault.KindDenied, "oidc.no_factor", "the provider did not say that it saw a second factor").WithHint("add one here under Account")
		}
		if err := h.o.Sessions.ShownFactor(r.Context(), a.signIn, l.Issuer, l.Subject, l.FactorAt); err != nil {
			return err
		}
	default:
		in, err := h.o.Sessions.SignInWith(r.Context(), l, addressOf(r), r.UserAgent())
		if err != nil {
			return err
		}
		code, err := h.handovers.put(handover{in})
		if err != nil {
			return err
		}
		http.SetCookie(w, &http.Cookie{Name: h.o.Cookie, Value: in.Cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
		// The fragment never leaves the browser; the page trades it for the
		// secret that goes with the cookie, once.
		http.Redirect(w, r, "/sign-in#handover="+code+"&back="+url.QueryEscape(a.back), http.StatusFound)
		return nil
	}
	http.Redirect(w, r, a.back, http.StatusFound)
	return nil
}

// vouched reads whom the provider vouches for.
func (p *provider) vouched(ctx context.Context, ids *oidc.IDTokenVerifier, token *oauth2.Token, nonce string, now time.Time) (identity.Login, error) {
	bad := func(err error) (identity.Login, error) {
		return identity.Login{}, fault.New(fault.KindUnauthenticated, "oidc.token", "the provider's token is not good").WithCause(err)
	}
	text, _ := token.Extra("id_token").(string)
	if text == "" {
		return bad(errors.New("no id_token"))
	}
	id, err := ids.Verify(ctx, text)
	if err != nil {
		return bad(err)
	}
	var c claims
	var all map[string]any
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return bad(err)
	}
	if !same(c.Nonce, nonce) {
		return bad(errors.New("another nonce"))
	}
	l := identity.Login{Issuer: id.Issuer, Subject: id.Subject, Name: c.Username, FullName: c.Name, Email: c.Email, Create: p.Create}
	if own, _ := all[p.NameClaim].(string); own != "" {
		l.Name = own
	}
	if l.Name == "" {
		l.Name = c.Email
	}
	if slices.ContainsFunc(c.AMR, func(m string) bool { return slices.Contains(p.FactorMethods, m) }) || c.ACR != "" && slices.Contains(p.FactorContexts, c.ACR) {
		l.FactorAt = now
		if at := time.Unix(c.AuthTime, 0); c.AuthTime > 0 && at.Before(now) {
			l.FactorAt = at // the provider may remember the factor of this morning
		}
	}
	if len(p.Groups) > 0 {
		teams, roles := p.stands(all[p.GroupsClaim])
		l.Teams, l.Grants = &teams, &roles
	}
	return l, nil
}

// stands is what the groups in a claim stand for.
func (p *provider) stands(claim any) (teams []string, roles []identity.Grant) {
	var names []string
	switch v := claim.(type) {
	case string:
		names = []string{v}
	case []any:
		for _, n := range v {
			if s, ok := n.(string); ok {
				names = append(names, s)
			}
		}
	}
	for _, n := range names {
		g, ok := p.Groups[n]
		if !ok {
			continue
		}
		for _, t := range g.Teams {
			if !slices.Contains(teams, t) {
				teams = append(teams, t)
			}
		}
		given, err := grants(g.Roles)
		if err != nil {
			continue // New has checked them
		}
		for _, r := range given {
			if !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return teams, roles
}

// Redeem gives the page the secret of the session that its cookie stands for:
// once, within a minute, and only with the very cookie.
func (h *Handler) Redeem(code, cookie string) (identity.NewSignIn, error) {
	o, ok := h.handovers.take(code)
	if !ok || !same(cookie, o.in.Cookie) {
		return identity.NewSignIn{}, fault.New(fault.KindUnauthenticated, "oidc.handover", "this sign-in was fetched before, or took too long").WithHint("sign in again")
	}
	return o.in, nil
}

func redirectOf(r *http.Request, name string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + Prefix + name + "/callback"
}

// local is a path of the console to go on at; anything else is its start.
func local(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, `\`) || len(back) > 2000 {
		return "/"
	}
	return back
}

func addressOf(r *http.Request) string {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return a.Addr().Unmap().String()
}
