package connection

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// Refused implements upstream.Tokens.
func (b *Book) Refused(ctx context.Context, u *upstream.Upstream, token string, r upstream.Refusal) (string, error) {
	l, seen := b.line(u.Name), readChallenge(r.Challenge)
	if r.Status == http.StatusForbidden {
		return b.extend(ctx, u, l, token, seen.scopes)
	}
	k := l.good(u)
	if k != nil && k.Access == token && b.o.Now().Sub(k.Got) < freshFor {
		// A new one would be refused as well. Perhaps it moved to another
		// authorization server: then a person has to look.
		l.rest(b.o.Now())
		return "", b.moved(ctx, u, l, k, seen)
	}
	if err := l.rested(b.o.Now()); err != nil {
		return "", err
	}
	return b.renew(ctx, u, l, token)
}

var errRefused = fault.New(fault.KindUnavailable, "upstream.token_refused", "the upstream refuses the token that its authorization server gave")

// rest notes that a new token was refused.
func (l *line) rest(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused, l.fault, l.failed = now, errRefused, now
}

func (l *line) rested(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.refused.IsZero() && now.Sub(l.refused) < restFor {
		return errRefused
	}
	return nil
}

// moved asks the upstream once more who its authorization server is. What was
// granted by another one is of no use, and who we are there is told to nobody
// else: a person connects it anew.
func (b *Book) moved(ctx context.Context, u *upstream.Upstream, l *line, k *grant, seen challenge) error {
	l.mu.Lock()
	again := b.o.Now().Sub(l.discovery) >= time.Minute
	if again {
		l.discovery = b.o.Now()
	}
	l.mu.Unlock()
	if !again {
		return errRefused
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	f, err := b.discover(ctx, u, seen)
	if err != nil || f.server.Issuer == k.Server.Issuer {
		return errRefused.WithCause(err)
	}
	lost := *k
	lost.Access, lost.Refresh, lost.Moved = "", "", f.server.Issuer
	if err := b.keep(ctx, u, l, &lost); err != nil {
		return err
	}
	return issuerChanged(u, f.server.Issuer)
}

func issuerChanged(u *upstream.Upstream, issuer string) *fault.Error {
	return fault.New(fault.KindUnavailable, "upstream.issuer_changed", "the upstream names another authorization server now, %s", issuer).
		WithHint("if that is right, a person connects it anew: `reeve upstream connect %s`", u.Name)
}

// extend gets a token with scopes that the upstream wants beside those that were
// granted (RFC 6750 §3.1, insufficient_scope). Where a person has to agree they
// are noted for them.
func (b *Book) extend(ctx context.Context, u *upstream.Upstream, l *line, token string, more []string) (string, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	k := l.good(u)
	switch {
	case k == nil:
		return "", upstream.NotConnected(u)
	case k.alive(b.o.Now()) && k.Access != token:
		return k.Access, nil // somebody else asked for more meanwhile
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	next := *k
	next.Missing = slices.Clone(k.Missing)
	for _, s := range more {
		if !slices.Contains(next.Missing, s) && !slices.Contains(k.Scopes, s) && len(next.Missing) < maxScopes {
			next.Missing = append(next.Missing, s)
		}
	}
	missing := scopeMissing(u, next.Missing)
	if !k.Client.own() || len(more) == 0 {
		if len(next.Missing) > len(k.Missing) {
			if err := b.keep(ctx, u, l, &next); err != nil {
				return "", err
			}
		}
		return "", missing
	}
	asked := wanted(u, k.Asked, k.Asked, next.Missing)
	if !l.mayExtend(b.o.Now()) || len(asked) == len(k.Asked) {
		return "", missing // it was asked for all that and given less
	}
	next.Asked = asked
	got, err := b.forOurselves(ctx, u, &next, nil)
	if err != nil {
		return "", l.failing(b.o.Now(), err)
	}
	return got.Access, b.keep(ctx, u, l, got)
}

// mayExtend bounds how often an upstream asks for more.
func (l *line) mayExtend(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.extended = slices.DeleteFunc(l.extended, func(at time.Time) bool { return now.Sub(at) > time.Hour })
	if len(l.extended) >= maxExtends {
		return false
	}
	l.extended = append(l.extended, now)
	return true
}

func scopeMissing(u *upstream.Upstream, missing []string) error {
	f := fault.New(fault.KindUnavailable, "upstream.scope_missing", "upstream %s wants more than was granted", u.Name)
	if len(missing) > 0 {
		f = fault.New(fault.KindUnavailable, "upstream.scope_missing", "upstream %s wants the scopes %s beside those that were granted", u.Name, strings.Join(missing, " "))
	}
	return f.WithHint("a person connects it anew and agrees to them: `reeve upstream connect %s`", u.Name)
}
