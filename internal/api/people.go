package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

func me(a *API, ctx context.Context, _ *struct{}) (*client.Me, error) {
	who := whoOf(ctx)
	needed, err := a.o.Identity.SetupNeeded(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.Me{Kind: who.Kind, Grants: who.Grants, TokenID: who.TokenID, Dev: a.o.Dev, SetupNeeded: needed, Operations: []string{}}
	if out.Grants == nil {
		out.Grants = []client.Grant{}
	}
	if who.ID != "" {
		p, err := a.o.Identity.Person(ctx, who.ID)
		if err != nil {
			return nil, err
		}
		out.Person = &p
	}
	if !who.ExpiresAt.IsZero() {
		out.ExpiresAt = &who.ExpiresAt
	}
	for i := range a.table {
		if a.table[i].Permission.allow(who) == nil {
			out.Operations = append(out.Operations, a.table[i].Name)
		}
	}
	return out, nil
}

func setup(a *API, ctx context.Context, _ *struct{}) (*client.Setup, error) {
	needed, err := a.o.Identity.SetupNeeded(ctx)
	if err != nil {
		return nil, err
	}
	return &client.Setup{Needed: needed, Dev: a.o.Dev}, nil
}

func signIn(a *API, ctx context.Context, req *client.SignInRequest) (*client.SignedIn, error) {
	c := callOf(ctx)
	in, value, err := a.o.Identity.SignIn(ctx, *req, c.address, c.agent)
	if err != nil {
		return nil, err
	}
	c.cookie = &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure,
		MaxAge: max(1, int(in.ExpiresAt.Sub(a.o.Now())/time.Second)),
	}
	return &in, nil
}

func listSignIns(a *API, ctx context.Context, req *client.EverybodyRequest) (*client.List[client.SignIn], error) {
	who := whoOf(ctx)
	if err := mayAskForAll(who, req.Everybody); err != nil {
		return nil, err
	}
	items, err := a.o.Identity.SignIns(ctx, who, req.Everybody)
	return listOf(items, err)
}

func mayAskForAll(who *Who, everybody bool) error {
	if everybody && !who.everywhere(RoleAdmin) {
		return everywhere(RoleAdmin).denied()
	}
	return nil
}

func listOf[T any](items []T, err error) (*client.List[T], error) {
	if err != nil {
		return nil, err
	}
	if items == nil {
		items = []T{}
	}
	return &client.List[T]{Items: items}, nil
}

func endSignIn(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	c, id := callOf(ctx), req.ID
	if id == "current" {
		if id = c.who.SignInID; id == "" {
			return nil, fault.New(fault.KindNotFound, "api.no_session", "this request came without a session")
		}
	}
	if err := a.o.Identity.EndSignIn(ctx, c.who, id); err != nil {
		return nil, err
	}
	if id == c.who.SignInID {
		c.cookie = &http.Cookie{Name: sessionCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure, MaxAge: -1}
	}
	return &struct{}{}, nil
}

func listPeople(a *API, ctx context.Context, req *client.PageRequest) (*client.List[client.Person], error) {
	page, err := a.o.Identity.People(ctx, Page{Limit: orDefault(req.Limit, 200), Cursor: req.Cursor})
	if err != nil {
		return nil, err
	}
	if page.Items == nil {
		page.Items = []client.Person{}
	}
	return &page, nil
}

func createPerson(a *API, ctx context.Context, req *client.CreatePersonRequest) (*client.Person, error) {
	if err := checkGrants(req.Grants); err != nil {
		return nil, err
	}
	c := callOf(ctx)
	if c.who.Kind == kindSetup {
		p, err := a.o.Identity.CreateFirstPerson(ctx, c.bearer, *req)
		return &p, err
	}
	p, err := a.o.Identity.CreatePerson(ctx, c.who, *req)
	return &p, err
}

func updatePerson(a *API, ctx context.Context, req *client.UpdatePersonRequest) (*client.Person, error) {
	if req.Version == 0 {
		return nil, fault.New(fault.KindInvalid, "api.version_missing", "an update names the version it was made from").
			WithHint("read the account and send its version")
	}
	if req.Grants != nil {
		if err := checkGrants(*req.Grants); err != nil {
			return nil, err
		}
	}
	p, err := a.o.Identity.UpdatePerson(ctx, whoOf(ctx), *req)
	return &p, err
}

func checkGrants(grants []client.Grant) error {
	for _, g := range grants {
		if !knownRole(g.Role) {
			return fault.New(fault.KindInvalid, "api.unknown_role", "there is no role %q", clip(g.Role, 50)).WithHint("%v", Roles())
		}
		if g.Team == "" || g.Environment == "" {
			return fault.New(fault.KindInvalid, "api.grant_reach", "a role is for a team and an environment").WithHint(`"*" means all`)
		}
	}
	return nil
}

func listTeams(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Team], error) {
	return listOf(a.o.Identity.Teams(ctx))
}

func createTeam(a *API, ctx context.Context, req *client.CreateTeamRequest) (*client.Team, error) {
	t, err := a.o.Identity.CreateTeam(ctx, whoOf(ctx), *req)
	return &t, err
}

func listTokens(a *API, ctx context.Context, req *client.EverybodyRequest) (*client.List[client.Token], error) {
	who := whoOf(ctx)
	if err := mayAskForAll(who, req.Everybody); err != nil {
		return nil, err
	}
	return listOf(a.o.Identity.Tokens(ctx, who, req.Everybody))
}

func createToken(a *API, ctx context.Context, req *client.CreateTokenRequest) (*client.NewToken, error) {
	if err := checkGrants(req.Grants); err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	for _, g := range req.Grants {
		if !who.covers(g) {
			return nil, fault.New(fault.KindDenied, "api.grant_exceeds", "a token has at most its maker's roles, and %s for %q in %q is not among yours", g.Role, g.Team, g.Environment)
		}
	}
	t, err := a.o.Identity.CreateToken(ctx, who, *req)
	return &t, err
}

func revokeToken(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	return &struct{}{}, a.o.Identity.RevokeToken(ctx, whoOf(ctx), req.ID)
}

func listIntakeKeys(a *API, ctx context.Context, _ *struct{}) (*client.List[client.IntakeKey], error) {
	keys, err := a.o.Identity.IntakeKeys(ctx)
	who := whoOf(ctx)
	keys = slices.DeleteFunc(keys, func(k client.IntakeKey) bool { return !who.can(RoleDeveloper, k.Team, k.Environment) })
	return listOf(keys, err)
}

func createIntakeKey(a *API, ctx context.Context, req *client.CreateIntakeKeyRequest) (*client.NewIntakeKey, error) {
	k, err := a.o.Identity.CreateIntakeKey(ctx, whoOf(ctx), *req)
	return &k, err
}

func revokeIntakeKey(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	keys, err := a.o.Identity.IntakeKeys(ctx)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	if !slices.ContainsFunc(keys, func(k client.IntakeKey) bool { return k.ID == req.ID && who.can(RoleDeveloper, k.Team, k.Environment) }) {
		return nil, fault.New(fault.KindNotFound, "api.no_intake_key", "there is no intake key %s", clip(req.ID, 60))
	}
	return &struct{}{}, a.o.Identity.RevokeIntakeKey(ctx, who, req.ID)
}

func listAudit(a *API, ctx context.Context, req *client.ListAuditRequest) (*client.List[client.AuditRecord], error) {
	if _, _, err := a.period(req.From, req.To); err != nil {
		return nil, err
	}
	req.Limit = orDefault(req.Limit, 100)
	page, err := a.o.Identity.Audit(ctx, *req)
	if page.Items == nil {
		page.Items = []client.AuditRecord{}
	}
	return &page, err
}
