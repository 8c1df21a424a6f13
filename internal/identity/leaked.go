package identity

import (
	"context"

	"reeve/internal/fault"
)

// Leaked ends a token or an intake key by its text: who holds it may always do
// so. It says whether a living one died, which callers keep to themselves.
func (d *Directory) Leaked(ctx context.Context, text string) (died bool, err error) {
	// What the text proves is enough to end what it is, and nothing else.
	holder := Principal{Kind: "holder", Name: "holder", Grants: []Grant{{Security, Everything, Everything}}}
	if id, ok := parseKey(tokenPrefix, text); ok {
		if _, err := d.Token(ctx, text); err != nil {
			return false, unlessRefused(err)
		}
		return true, d.RevokeToken(ctx, holder, id)
	}
	if id, ok := parseKey(intakePrefix, text); ok {
		if _, err := d.IntakeKey(ctx, text); err != nil {
			return false, unlessRefused(err)
		}
		return true, d.RevokeIntakeKey(ctx, holder, id)
	}
	return false, nil
}

// unlessRefused drops the error of a key that is not alive.
func unlessRefused(err error) error {
	if fault.Is(err, fault.KindUnauthenticated) {
		return nil
	}
	return err
}
