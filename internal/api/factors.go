package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Providers are the ways to sign in beside a password; *oidc.Handler is one.
type Providers interface {
	Redeem(code, cookie string) (identity.NewSignIn, error)
}

func factorOf(f identity.Factor) client.Factor {
	return client.Factor{ID: f.ID, Kind: f.Kind, Label: f.Label, CreatedAt: f.CreatedAt, LastUsed: optionalTime(f.LastUsed), Confirmed: f.Confirmed}
}

func listFactors(a *API, ctx context.Context, req *client.IDRequest) (*client.Factors, error) {
	who := whoOf(ctx)
	person := req.ID
	if person == "me" {
		person = who.PersonID
	}
	all, codes, err := a.o.Identity.Factors(ctx, who, person)
	if err != nil {
		return nil, err
	}
	out := &client.Factors{Items: []client.Factor{}, RecoveryCodesLeft: codes}
	for _, f := range all {
		out.Items = append(out.Items, factorOf(f))
	}
	return out, nil
}

func beginFactor(a *API, ctx context.Context, req *client.BeginFactorRequest) (*client.Enrolment, error) {
	e, err := a.o.Identity.BeginFactor(ctx, whoOf(ctx), req.Label, req.Password)
	if err != nil {
		return nil, err
	}
	return &client.Enrolment{Factor: factorOf(e.Factor), Secret: e.Secret, URI: e.URI, Image: "data:image/png;base64," + base64.StdEncoding.EncodeToString(e.PNG)}, nil
}

func confirmFactor(a *API, ctx context.Context, req *client.ConfirmFactorRequest) (*client.RecoveryCodes, error) {
	codes, err := a.o.Identity.ConfirmFactor(ctx, whoOf(ctx), req.ID, req.Code)
	if err != nil {
		return nil, err
	}
	return &client.RecoveryCodes{Codes: list(codes)}, nil
}

func removeFactor(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	return &struct{}{}, a.o.Identity.RemoveFactor(ctx, whoOf(ctx), req.ID)
}

func renewRecovery(a *API, ctx context.Context, _ *struct{}) (*client.RecoveryCodes, error) {
	codes, err := a.o.Identity.RenewRecovery(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &client.RecoveryCodes{Codes: list(codes)}, nil
}

func refreshFactor(a *API, ctx context.Context, req *client.CodeRequest) (*client.FreshUntil, error) {
	until, err := a.o.Identity.Refresh(ctx, whoOf(ctx), req.Code)
	if err != nil {
		return nil, err
	}
	return &client.FreshUntil{Until: until.UTC()}, nil
}

func siteOf(ctx context.Context) identity.Site { return identity.Site{Origin: callOf(ctx).origin} }

func beginPasskey(a *API, ctx context.Context, req *client.BeginFactorRequest) (*client.PasskeyEnrolment, error) {
	f, options, err := a.o.Identity.BeginPasskey(ctx, whoOf(ctx), req.Label, req.Password, siteOf(ctx))
	if err != nil {
		return nil, err
	}
	return &client.PasskeyEnrolment{Factor: factorOf(f), Options: options}, nil
}

func confirmPasskey(a *API, ctx context.Context, req *client.ConfirmPasskeyRequest) (*client.RecoveryCodes, error) {
	codes, err := a.o.Identity.ConfirmPasskey(ctx, whoOf(ctx), req.ID, siteOf(ctx), req.Credential)
	if err != nil {
		return nil, err
	}
	return &client.RecoveryCodes{Codes: list(codes)}, nil
}

// askPasskey asks who is signed in for one of their own passkeys, and everybody
// else for one to sign in with.
func askPasskey(a *API, ctx context.Context, _ *struct{}) (*client.PasskeyOptions, error) {
	options, err := a.o.Identity.AskPasskey(ctx, whoOf(ctx), siteOf(ctx))
	if err != nil {
		return nil, err
	}
	return &client.PasskeyOptions{Options: options}, nil
}

func showPasskey(a *API, ctx context.Context, req *client.PasskeyRequest) (*client.FreshUntil, error) {
	until, err := a.o.Identity.RefreshWithPasskey(ctx, whoOf(ctx), siteOf(ctx), req.Credential)
	if err != nil {
		return nil, err
	}
	return &client.FreshUntil{Until: until.UTC()}, nil
}

func signInWithPasskey(a *API, ctx context.Context, req *client.PasskeyRequest) (*client.SignedIn, error) {
	c := callOf(ctx)
	in, err := a.o.Identity.SignInWithPasskey(ctx, siteOf(ctx), req.Credential, c.address, c.agent)
	if err != nil {
		return nil, err
	}
	return signedInAs(c, in), nil
}

// redeemSignIn gives a page that came back from a provider what its requests
// need beside the cookie.
func redeemSignIn(a *API, ctx context.Context, req *client.CodeRequest) (*client.SignedIn, error) {
	if a.o.Providers == nil {
		return nil, fault.New(fault.KindNotFound, "api.no_providers", "no provider is set up here").WithHint("see oidc in docs/configuration.md")
	}
	c := callOf(ctx)
	if i := slices.IndexFunc(c.cookies, func(k *http.Cookie) bool { return k.Value != "" }); i < 0 {
		return nil, fault.New(fault.KindUnauthenticated, "oidc.handover", "this browser has no session to fetch").WithHint("sign in again")
	}
	var in identity.NewSignIn
	var err error
	for _, cookie := range c.cookies[:min(len(c.cookies), maxCookies)] {
		if in, err = a.o.Providers.Redeem(req.Code, cookie.Value); err == nil {
			return &client.SignedIn{ID: in.SignIn.ID, Secret: in.Secret, Person: personOf(in.Person), ExpiresAt: in.SignIn.ExpiresAt}, nil
		}
	}
	return nil, err
}

// freshUntil is when a principal's second factor stops counting; nil when it
// does not now.
func freshUntil(w identity.Principal, now time.Time) *time.Time {
	if w.FactorAt.IsZero() || !w.Fresh(now) {
		return nil
	}
	return optionalTime(w.FactorAt.Add(identity.FreshFor))
}
