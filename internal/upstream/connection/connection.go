// Package connection gets access tokens for upstreams that ask for them by OAuth.
//
// What for: a server of tools or an API names its authorization server; there a
// person agrees once that Reeve may call it (authorization code with PKCE), or
// Reeve speaks for itself (client credentials). What is granted is kept here and
// renewed before it ends.
//
// Who calls it: upstream asks for tokens and tells which were refused; api
// begins and ends connections; app mounts Documents and runs Run.
//
// Promises: tokens and secrets are stored sealed, go to the server that they are
// for and to nobody else, and are never made of what an agent presented. A
// secret goes only to the authorization server that was found when a person set
// the upstream or connected it, until a person does so again. Every address that
// an upstream names is dialled with the upstream's own rules about addresses, and
// redirects are not followed. An attempt is finished once, by the person who
// began it, in the session that began it. A token that is in use is found without
// waiting. Safe for concurrent use.
//
// How it fails: upstream.not_connected when a person has to do something,
// upstream.scope_missing when more must be granted, upstream.discovery and
// upstream.authorization_server when the other side does not answer as it should,
// upstream.attempt for an attempt that is none.
//
// Start reading at Book.Token and Book.Begin; discover.go finds the authorization
// server, client.go says who we are there, grant.go asks it for tokens.
package connection

import (
	"context"
	"crypto/ecdsa"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// Sealer keeps secrets from who reads the database; *ca.CA is one.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Options are what a Book needs; DB and Sealer are required.
type Options struct {
	DB     *control.DB
	Sealer Sealer
	// ClientID is the address of our client id metadata document; "" for none.
	ClientID string
	// Redirect is where browsers come back to; it is asked when a connection
	// begins, since the console's port is known late.
	Redirect func() string
	// Upstream finds an upstream by name, for renewals.
	Upstream func(name string) (*upstream.Upstream, bool)
	Logger   *slog.Logger
	Now      func() time.Time // nil is time.Now
}

// Book is the connections of all upstreams.
type Book struct {
	o        Options
	key      *ecdsa.PrivateKey // by which we sign as a client
	attempts attempts

	mu  sync.Mutex // guards all
	all map[string]*line

	renewals, failures atomic.Int64
}

// Stats are what a Book counted since the start.
type Stats struct {
	Renewals int64 // tokens that were got
	Failures int64 // that were asked for and not got
}

// Stats counts. It is safe for concurrent use.
func (b *Book) Stats() Stats { return Stats{b.renewals.Load(), b.failures.Load()} }

// line is what is known of one upstream.
type line struct {
	name string
	turn chan struct{} // whoever holds its one token asks the authorization server
	now  atomic.Pointer[grant]
	used atomic.Int64 // seconds, when a token was last asked for

	mu        sync.Mutex // guards what follows
	fault     *fault.Error
	failed    time.Time   // when fault was found
	refused   time.Time   // when a token that was new was refused
	extended  []time.Time // when the upstream asked for more scopes
	discovery time.Time   // when the upstream was last asked anew after a refusal
}

// grant is what an authorization server gave us, as it is stored. It never
// changes; a new one takes its place.
type grant struct {
	Mark     string    `json:"mark"` // of the upstream that it is for
	Server   server    `json:"server"`
	Resource string    `json:"resource"`
	Client   identity  `json:"client"`
	Access   string    `json:"access,omitempty"`
	Refresh  string    `json:"refresh,omitempty"`
	Got      time.Time `json:"got"`
	Expires  time.Time `json:"expires"` // zero: it did not say
	Asked    []string  `json:"asked,omitempty"`
	Scopes   []string  `json:"scopes,omitempty"`  // granted
	Missing  []string  `json:"missing,omitempty"` // asked for by the upstream, not granted
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"` // when a person connected it
	// Moved says that the upstream names another authorization server than this
	// since: nothing more is asked of either before a person connects it anew.
	Moved string `json:"moved,omitempty"`
}

const (
	askTime    = 30 * time.Second // for all that one token needs
	failedFor  = 2 * time.Second  // an authorization server that failed is let alone
	spare      = 10 * time.Second // before its end a token is not used any more
	freshFor   = 5 * time.Second  // a token that is refused this soon was no good
	restFor    = 30 * time.Second // after that, no other is got for a while
	maxExtends = 10               // times in an hour that an upstream may ask for more
	idleAfter  = 10 * time.Minute // tokens that only we need are not renewed when nobody uses them
)

// New reads what is stored.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Redirect == nil {
		o.Redirect = func() string { return "" }
	}
	if o.Upstream == nil {
		o.Upstream = func(string) (*upstream.Upstream, bool) { return nil, false }
	}
	b := &Book{o: o, all: map[string]*line{}}
	b.attempts.now = o.Now
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Run renews tokens before they end, until ctx does, whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		b.renewDue(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// renewDue renews what ends soon, one after the other.
func (b *Book) renewDue(ctx context.Context) {
	b.mu.Lock()
	var due []*line
	for _, l := range b.all {
		if k := l.now.Load(); k != nil && b.due(l, k) {
			due = append(due, l)
		}
	}
	b.mu.Unlock()
	for _, l := range due {
		u, ok := b.o.Upstream(l.name)
		if !ok || !u.Granted() || ctx.Err() != nil {
			continue
		}
		if _, err := b.renew(ctx, u, l, ""); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("the token of an upstream was not renewed", "upstream", l.name, "err", err)
		}
	}
}

// due reports whether a token is to be renewed now: in the last fifth of its
// life, at most five minutes before its end.
func (b *Book) due(l *line, k *grant) bool {
	now := b.o.Now()
	if k.Access == "" || k.Expires.IsZero() {
		return false
	}
	if k.Refresh == "" && (!k.Client.own() || now.Unix()-l.used.Load() > int64(idleAfter.Seconds())) {
		return false
	}
	early := min(k.Expires.Sub(k.Got)/5, 5*time.Minute)
	return !now.Before(k.Expires.Add(-max(early, spare)))
}

// line is the one of an upstream.
func (b *Book) line(name string) *line {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.all[name]
	if l == nil {
		l = &line{name: name, turn: make(chan struct{}, 1)}
		b.all[name] = l
	}
	return l
}

// good is what is known, if it is of this upstream as it is now.
func (l *line) good(u *upstream.Upstream) *grant {
	if k := l.now.Load(); k != nil && k.Mark == u.Mark() {
		return k
	}
	return nil
}

// alive reports whether the token can be used now.
func (k *grant) alive(now time.Time) bool {
	return k != nil && k.Access != "" && (k.Expires.IsZero() || now.Before(k.Expires.Add(-spare)))
}

// Current implements upstream.Tokens.
func (b *Book) Current(u *upstream.Upstream) string {
	if k := b.line(u.Name).good(u); k.alive(b.o.Now()) {
		return k.Access
	}
	return ""
}

// Token implements upstream.Tokens.
func (b *Book) Token(ctx context.Context, u *upstream.Upstream) (string, error) {
	l := b.line(u.Name)
	now := b.o.Now()
	if at := now.Unix(); at-l.used.Load() > 30 { // not each call writes what all read
		l.used.Store(at)
	}
	if k := l.good(u); k.alive(now) {
		return k.Access, nil
	}
	return b.renew(ctx, u, l, "")
}

// renew gets a token in place of one that is not good any more; "" for any. It
// asks once for all who wait.
func (b *Book) renew(ctx context.Context, u *upstream.Upstream, l *line, bad string) (string, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	k := l.good(u)
	if bad == "" && k.alive(b.o.Now()) && !b.due(l, k) || bad != "" && k.alive(b.o.Now()) && k.Access != bad {
		return k.Access, nil // somebody else got it meanwhile
	}
	if err := l.resting(b.o.Now()); err != nil {
		return "", err
	}
	// Who waits for it may go away; those who come next need it all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	next, err := b.ask(ctx, u, k)
	if err != nil {
		b.failures.Add(1)
		err = l.failing(b.o.Now(), err)
		if k.alive(b.o.Now()) && bad == "" {
			return k.Access, nil // it was to be renewed early
		}
		return "", err
	}
	b.renewals.Add(1)
	l.failing(b.o.Now(), nil)
	if err := b.keep(ctx, u, l, next); err != nil {
		return "", err
	}
	return next.Access, nil
}

// ask gets a token in the way that the upstream's grant has.
func (b *Book) ask(ctx context.Context, u *upstream.Upstream, k *grant) (*grant, error) {
	if k != nil && k.Moved != "" {
		return nil, issuerChanged(u, k.Moved)
	}
	if u.Credential.OAuth.Grant == "client_credentials" {
		return b.forOurselves(ctx, u, k, nil)
	}
	if k == nil || k.Refresh == "" {
		return nil, upstream.NotConnected(u)
	}
	next, err := b.refresh(ctx, u, k)
	if refusedBy(err, "invalid_grant") {
		// It was used up, taken back or ended: only a person helps.
		lost := *k
		lost.Access, lost.Refresh = "", ""
		if kept := b.keep(ctx, u, b.line(u.Name), &lost); kept != nil {
			return nil, kept
		}
		return nil, upstream.NotConnected(u).WithCause(err)
	}
	return next, err
}

// resting refuses to ask again so soon after it failed.
func (l *line) resting(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil && now.Sub(l.failed) < failedFor {
		return l.fault
	}
	return nil
}

// failing keeps why no token was got; nil: one was.
func (l *line) failing(now time.Time, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.fault = nil
		return nil
	}
	l.fault, l.failed = fault.From(err), now
	return l.fault
}

// State implements upstream.Tokens.
func (b *Book) State(u *upstream.Upstream) client.Connection {
	out := client.Connection{State: "not_connected", Grant: u.Credential.OAuth.Grant}
	l := b.line(u.Name)
	k := l.good(u)
	l.mu.Lock()
	why := l.fault
	l.mu.Unlock()
	if o := u.Credential.OAuth; o.Grant == "authorization_code" && o.ClientID != "" {
		out.Client, out.Redirect = "registered", b.redirect(u.Name)
	}
	if k != nil {
		if out.Grant == "authorization_code" {
			out.Redirect = b.redirect(k.Client.Back)
		}
		out.Issuer, out.Resource, out.Scopes, out.Missing = k.Server.Issuer, k.Resource, slices.Clone(k.Scopes), slices.Clone(k.Missing)
		out.ClientID, out.Client, out.ClientAuth = k.Client.ID, k.Client.Kind, k.Client.Auth
		out.ConnectedBy, out.ConnectedAt = k.By, instant(k.At)
		out.Renews = k.Refresh != "" || out.Grant == "client_credentials"
		if k.Access != "" {
			out.ExpiresAt = instant(k.Expires)
		}
		switch {
		case k.Moved != "":
			out.Code, out.Error = "upstream.issuer_changed", issuerChanged(u, k.Moved).Message
		case len(k.Missing) > 0:
			out.State = "scope_missing"
		case k.alive(b.o.Now()) || k.Refresh != "" && k.Access != "" && why == nil:
			out.State = "connected"
		case out.Grant == "client_credentials" && k.Access != "" && why == nil:
			out.State = "connected" // the next call gets a new token
		}
	}
	if why != nil && out.State != "connected" && out.Code == "" {
		if out.Code, out.Error = why.Code, why.Message; why.Code != "upstream.not_connected" && out.State == "not_connected" {
			out.State = "failed"
		}
	}
	return out
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Drop implements upstream.Tokens.
func (b *Book) Drop(ctx context.Context, tx *control.Tx, name string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM upstream_connections WHERE upstream = ?`, name); err != nil {
		return err
	}
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.all, name) // who holds the line keeps nothing: see keep
	})
	return nil
}
