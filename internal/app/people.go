package app

import (
	"context"

	"reeve/client"
	"reeve/internal/api"
	"reeve/internal/identity"
	"reeve/internal/identity/oidc"
)

// openPeople opens the accounts, after the authority that seals their second
// factors, and the providers that people sign in with.
func (a *App) openPeople(ctx context.Context) (err error) {
	log := a.log.With("part", "identity")
	a.identity, err = identity.New(identity.Options{DB: a.control, Dir: a.o.Config.Data, Sealer: a.authority.ca, Logger: log})
	if err != nil {
		return err
	}
	if err := a.identity.LoadKeys(ctx); err != nil {
		return err
	}
	a.signIns, err = oidc.New(oidc.Options{Providers: a.o.Config.OIDC, Sessions: a.identity, Cookie: api.SessionCookie, Logger: log})
	if err != nil || a.o.Config.Dev {
		return err // in dev mode nobody has to sign in: no token to hand out
	}
	a.adminToken, err = a.identity.AdminToken(ctx)
	return err
}

// providerButtons is what the sign-in page offers beside a password.
func (a *App) providerButtons() []client.ProviderButton {
	var out []client.ProviderButton
	for _, b := range a.signIns.Buttons() {
		out = append(out, client.ProviderButton{Name: b.Name, Label: b.Label, URL: b.URL})
	}
	return out
}
