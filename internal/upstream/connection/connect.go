package connection

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/fault"
	"reeve/internal/upstream"
)

const (
	attemptLife = 10 * time.Minute
	maxAttempts = 1000
	maxOwn      = 20 // attempts of one person
)

// Starter is who begins or finishes a connection.
type Starter struct {
	Person  string // stable and never empty
	Name    string // for people
	Session string // of sign-in; "" for none
}

// attempt is a person on the way to an authorization server.
type attempt struct {
	upstream string
	by       Starter
	anywhere bool // any session of the same person may finish it
	verifier string
	redirect string
	next     grant // without its tokens; next.Client.Back is where the browser comes back
	until    time.Time
}

// attempts are those under way, by their state.
type attempts struct {
	now func() time.Time
	mu  sync.Mutex
	all map[string]attempt
}

func (s *attempts) put(a attempt) (state string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := 0
	for name, old := range s.all {
		switch {
		case !s.now().Before(old.until):
			delete(s.all, name)
		case old.by.Person == a.by.Person:
			own++
		}
	}
	if len(s.all) >= maxAttempts || own >= maxOwn {
		return "", fault.New(fault.KindExhausted, "upstream.too_many_attempts", "too many connections are under way").WithHint("finish some, or wait %d minutes", int(attemptLife.Minutes()))
	}
	if s.all == nil {
		s.all = map[string]attempt{}
	}
	state = rand.Text() + rand.Text()
	s.all[state] = a
	return state, nil
}

// take gives an attempt to who may finish it, once. Whoever else comes with its
// state leaves it where it is.
func (s *attempts) take(state, upstream string, by Starter) (attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.all[state]
	if !ok || !s.now().Before(a.until) || a.upstream != upstream || a.by.Person != by.Person || !a.anywhere && a.by.Session != by.Session {
		return attempt{}, false
	}
	delete(s.all, state)
	return a, true
}

// Waiting is the upstream that an attempt is for.
func (b *Book) Waiting(state string) (upstream string, ok bool) {
	b.attempts.mu.Lock()
	defer b.attempts.mu.Unlock()
	a, ok := b.attempts.all[state]
	return a.upstream, ok && b.o.Now().Before(a.until)
}

var errAttempt = fault.New(fault.KindDenied, "upstream.attempt", "this connection was not begun in this session, is finished, or took too long").
	WithHint("begin it again where you are signed in")

// upstream finds one whose credential is a token.
func (b *Book) upstream(name string) (*upstream.Upstream, error) {
	u, ok := b.o.Upstream(name)
	switch {
	case !ok:
		return nil, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %s", name)
	case !u.Granted():
		return nil, fault.New(fault.KindInvalid, "upstream.no_oauth", "the credential of upstream %s is no token of an authorization server", name).
			WithHint("`reeve upstream set %s --oauth code` makes it one", name)
	}
	return u, nil
}

// Begin begins to connect an upstream: it finds out who its authorization server
// is now, and gives the address at which a person agrees. By client credentials
// it is connected at once, and there is no address.
func (b *Book) Begin(ctx context.Context, name string, by Starter, anywhere bool) (client.ConnectionAttempt, error) {
	u, err := b.upstream(name)
	if err != nil {
		return client.ConnectionAttempt{}, err
	}
	l := b.line(u.Name)
	f, err := b.discover(ctx, u, challenge{})
	if err != nil {
		return client.ConnectionAttempt{}, l.failing(b.o.Now(), err)
	}
	if u.Credential.OAuth.Grant == "client_credentials" {
		return b.connectOurselves(ctx, u, l, by, &f)
	}
	s := &f.server
	switch {
	case s.Authorization == "":
		return client.ConnectionAttempt{}, broken(s, "it has no place where people agree")
	case !slices.Contains(s.Challenges, "S256"):
		return client.ConnectionAttempt{}, broken(s, "it does not say that it takes PKCE with S256, without which codes can be stolen")
	}
	if b.o.Redirect() == "" {
		return client.ConnectionAttempt{}, fault.New(fault.KindUnavailable, "upstream.no_console", "there is no console to which the browser could come back").WithHint("set connections.console")
	}
	old := l.good(u)
	a := attempt{upstream: u.Name, by: by, anywhere: anywhere, verifier: rand.Text() + rand.Text(), until: b.o.Now().Add(attemptLife)}
	a.next = grant{Mark: u.Mark(), Server: *s, Resource: f.resource}
	had := identity{}
	if old != nil {
		had = old.Client
		a.next.Asked = wanted(u, f.scopes, old.Missing)
		if len(old.Missing) > 0 {
			a.next.Asked = wanted(u, a.next.Asked, a.next.Asked, old.Scopes)
		}
		a.next.Missing = old.Missing
	} else {
		a.next.Asked = wanted(u, f.scopes)
	}
	if slices.Contains(s.Scopes, "offline_access") && len(a.next.Asked) < maxScopes && !slices.Contains(a.next.Asked, "offline_access") {
		a.next.Asked = append(a.next.Asked, "offline_access") // else nobody renews it
	}
	if a.next.Client, err = b.identify(ctx, u, s, had); err != nil {
		return client.ConnectionAttempt{}, l.failing(b.o.Now(), err)
	}
	a.redirect = b.redirect(a.next.Client.Back)
	state, err := b.attempts.put(a)
	if err != nil {
		return client.ConnectionAttempt{}, err
	}
	return client.ConnectionAttempt{AuthorizationURL: a.address(state), ExpiresAt: &a.until, Connection: b.State(u)}, nil
}

// address is where a person agrees.
func (a *attempt) address(state string) string {
	at, err := url.Parse(a.next.Server.Authorization)
	if err != nil { // was read before
		panic(err)
	}
	sum := sha256.Sum256([]byte(a.verifier))
	q := at.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": a.next.Client.ID, "redirect_uri": a.redirect, "state": state,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
		"resource": a.next.Resource, "scope": strings.Join(a.next.Asked, " "),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if slices.Contains(a.next.Asked, "offline_access") {
		q.Set("prompt", "consent") // OpenID Connect gives it for nothing less
	}
	at.RawQuery = q.Encode()
	return at.String()
}

// connectOurselves connects an upstream by client credentials.
func (b *Book) connectOurselves(ctx context.Context, u *upstream.Upstream, l *line, by Starter, f *found) (client.ConnectionAttempt, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return client.ConnectionAttempt{}, context.Cause(ctx)
	}
	k := l.good(u)
	if k != nil && k.Client.Issuer != f.server.Issuer {
		k = nil
	}
	next, err := b.forOurselves(ctx, u, k, f)
	if err != nil {
		return client.ConnectionAttempt{}, l.failing(b.o.Now(), err)
	}
	next.By, next.At = by.Name, b.o.Now()
	if err := b.connected(ctx, u, l, next, by); err != nil {
		return client.ConnectionAttempt{}, err
	}
	return client.ConnectionAttempt{Connection: b.State(u)}, nil
}

// Finish ends an attempt with what the authorization server said.
func (b *Book) Finish(ctx context.Context, by Starter, said client.FinishConnectionRequest) (client.Connection, error) {
	u, err := b.upstream(said.Name)
	if err != nil {
		return client.Connection{}, err
	}
	a, ok := b.attempts.take(said.State, u.Name, by)
	if !ok {
		return client.Connection{}, errAttempt
	}
	s := &a.next.Server
	switch {
	case a.next.Mark != u.Mark():
		return client.Connection{}, errChanged
	case said.Issuer != "" && said.Issuer != s.Issuer || said.Issuer == "" && s.SaysIssuer, said.At != a.next.Client.Back:
		// The answer may be another server's (RFC 9207), which would get our code.
		return client.Connection{}, fault.New(fault.KindDenied, "upstream.issuer", "the answer does not come from the authorization server %s", s.Issuer).
			WithHint("begin again; if it happens again, the server or somebody on the way is not what it says")
	case said.Error != "":
		return client.Connection{}, fault.New(fault.KindDenied, "upstream.not_granted", "the authorization server did not grant it: %.100q", said.Error)
	case said.Code == "" || len(said.Code) > maxToken:
		return client.Connection{}, fault.New(fault.KindInvalid, "upstream.attempt", "the answer has no code").WithHint("begin again")
	}
	l := b.line(u.Name)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return client.Connection{}, context.Cause(ctx)
	}
	next, err := b.token(ctx, u, a.next, url.Values{"grant_type": {"authorization_code"}, "code": {said.Code}, "redirect_uri": {a.redirect}, "code_verifier": {a.verifier}})
	if err != nil {
		return client.Connection{}, l.failing(b.o.Now(), err)
	}
	next.By, next.At = by.Name, b.o.Now()
	// What was asked for and not given is missing only when the upstream says so.
	next.Missing = nil
	if err := b.connected(ctx, u, l, next, by); err != nil {
		return client.Connection{}, err
	}
	return b.State(u), nil
}

// connected puts in force what a person connected.
func (b *Book) connected(ctx context.Context, u *upstream.Upstream, l *line, k *grant, by Starter) error {
	err := b.keep(ctx, u, l, k, audit.Record{
		Kind: "admin.upstream_connected", Person: by.Person, Action: "connect", Object: u.Name,
		After: map[string]any{"issuer": k.Server.Issuer, "client": k.Client.ID, "scopes": k.Scopes, "resource": k.Resource},
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.fault, l.refused, l.discovery, l.extended = nil, time.Time{}, time.Time{}, nil
	l.mu.Unlock()
	b.o.Logger.Info("an upstream was connected", "upstream", u.Name, "issuer", k.Server.Issuer, "client", k.Client.Kind, "by", by.Person)
	return nil
}

// Disconnect gives up what was granted for an upstream, here at once and at its
// authorization server if that answers.
func (b *Book) Disconnect(ctx context.Context, name string, by Starter) error {
	u, err := b.upstream(name)
	if err != nil {
		return err
	}
	l := b.line(u.Name)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	k := l.good(u)
	if k == nil {
		return nil
	}
	lost := *k
	lost.Access, lost.Refresh, lost.Scopes, lost.Missing, lost.By, lost.At = "", "", nil, nil, "", time.Time{}
	if err := b.keep(ctx, u, l, &lost, audit.Record{Kind: "admin.upstream_disconnected", Person: by.Person, Action: "disconnect", Object: u.Name, Before: map[string]any{"issuer": k.Server.Issuer, "scopes": k.Scopes}}); err != nil {
		return err
	}
	if err := b.revoke(ctx, u, k); err != nil {
		// It is not used any more here; there it ends by itself.
		b.o.Logger.Warn("the token of an upstream was not revoked at its authorization server", "upstream", u.Name, "err", err)
	}
	return nil
}
