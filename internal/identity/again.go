package identity

import (
	"context"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Again finds out whether somebody who was let in before still is, and with
// which roles: for what stays open longer than a request. It does not count as
// use, so that an open stream keeps no session alive. It fails as Session and
// Token do.
func (d *Directory) Again(ctx context.Context, who Principal) (Principal, error) {
	var owner string
	var granted []Grant
	switch who.Kind {
	case KindPerson:
		s, ok, err := control.One(ctx, d.db, func(r control.Row) (SignIn, error) { return d.scanSignIn(r) },
			`SELECT `+signInColumns+` WHERE id = ? AND ended_at IS NULL`, who.SignInID)
		if err != nil {
			return Principal{}, err
		}
		if !ok || !d.now().Before(s.ExpiresAt) {
			return Principal{}, ended()
		}
		owner, who.ExpiresAt, who.FactorAt = s.PersonID, s.ExpiresAt, s.FactorAt
	case KindToken:
		t, ok, err := control.One(ctx, d.db, d.scanToken, `SELECT `+tokenColumns+` WHERE id = ?`, who.TokenID)
		if err != nil {
			return Principal{}, err
		}
		if !ok || !t.RevokedAt.IsZero() || !d.now().Before(t.ExpiresAt) {
			return Principal{}, ended()
		}
		owner, granted = t.Owner, t.Grants
	default:
		return who, nil
	}
	p, err := d.Person(ctx, owner)
	if err != nil {
		return Principal{}, err
	}
	if p.off(d.now()) {
		return Principal{}, ended()
	}
	who.Grants = p.Grants
	if who.Kind == KindToken {
		who.Grants = intersect(granted, p.Grants)
	}
	return who, nil
}

func ended() error {
	return fault.New(fault.KindUnauthenticated, "identity.ended", "the session or token has ended").WithHint("sign in again")
}
