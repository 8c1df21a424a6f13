package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry/search"
)

func me(a *API, ctx context.Context, _ *struct{}) (*client.Me, error) {
	who := whoOf(ctx)
	needed, err := a.o.Identity.SetupNeeded(ctx)
	if err != nil {
		return nil, err
	}
	out := &client.Me{Kind: who.Kind, Grants: grantsOf(who.Grants), TokenID: who.TokenID, Dev: a.o.Dev, SetupNeeded: needed, Operations: []string{}}
	if who.PersonID != "" {
		p, err := a.o.Identity.Person(ctx, who.PersonID)
		if err != nil {
			return nil, err
		}
		shape := personOf(p)
		out.Person = &shape
	}
	out.ExpiresAt = optionalTime(who.ExpiresAt)
	out.HasFactor, out.FreshUntil = who.HasFactor, freshUntil(who, a.o.Now())
	for i := range a.table {
		if a.table[i].Permission.allow(&who) == nil {
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
	out := &client.Setup{Needed: needed, Dev: a.o.Dev, Providers: []client.ProviderButton{}}
	if a.o.ProviderButtons != nil {
		out.Providers = append(out.Providers, a.o.ProviderButtons...)
	}
	return out, nil
}

func signIn(a *API, ctx context.Context, req *client.SignInRequest) (*client.SignedIn, error) {
	c := callOf(ctx)
	in, err := a.o.Identity.SignIn(ctx, req.Name, req.Password, req.Code, c.address, c.agent)
	if err != nil {
		return nil, err
	}
	return signedInAs(c, in), nil
}

// signedInAs answers with a new session, whose cookie goes with it.
func signedInAs(c *call, in identity.NewSignIn) *client.SignedIn {
	// Not ExpiresAt: that is when the session ends unused, and use moves it.
	c.cookie = &http.Cookie{
		Name: SessionCookie, Value: in.Cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure,
	}
	return &client.SignedIn{ID: in.SignIn.ID, Secret: in.Secret, Person: personOf(in.Person), ExpiresAt: in.SignIn.ExpiresAt}
}

func listSignIns(a *API, ctx context.Context, req *client.EverybodyRequest) (*client.List[client.SignIn], error) {
	who := whoOf(ctx)
	all, err := a.o.Identity.SignIns(ctx, who, req.Everybody)
	return listOf(all, err, func(s identity.SignIn) client.SignIn { return signInOf(s, who.SignInID) })
}

func listOf[From, To any](items []From, err error, shape func(From) To) (*client.List[To], error) {
	if err != nil {
		return nil, err
	}
	out := &client.List[To]{Items: make([]To, len(items))}
	for i, item := range items {
		out.Items[i] = shape(item)
	}
	return out, nil
}

func endSignIn(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	c, who, id := callOf(ctx), whoOf(ctx), req.ID
	if id == "current" {
		if id = who.SignInID; id == "" {
			return nil, fault.New(fault.KindNotFound, "api.no_session", "this request came without a session")
		}
	}
	if err := a.o.Identity.EndSignIn(ctx, who, id); err != nil {
		return nil, err
	}
	if id == who.SignInID {
		c.cookie = &http.Cookie{Name: SessionCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure, MaxAge: -1}
	}
	return &struct{}{}, nil
}

func listPeople(a *API, ctx context.Context, req *client.PageRequest) (*client.List[client.Person], error) {
	people, next, err := a.o.Identity.People(ctx, req.Cursor, orDefault(req.Limit, 200))
	out, err := listOf(people, err, personOf)
	if err != nil {
		return nil, err
	}
	out.Next = next
	return out, nil
}

func createPerson(a *API, ctx context.Context, req *client.CreatePersonRequest) (*client.Person, error) {
	c, who := callOf(ctx), whoOf(ctx)
	n := identity.NewPerson{
		Name: req.Name, FullName: req.FullName, Email: req.Email, Password: req.Password, Teams: req.Teams, Grants: grantsFrom(req.Grants),
	}
	var p identity.Person
	var err error
	if who.Kind == identity.KindSetup {
		p, err = a.o.Identity.CreateFirstPerson(ctx, c.bearer, c.address, n)
	} else {
		// Roles need a fresh factor and a second person, who must not see the
		// password: the account is made without them when somebody has to agree.
		if len(n.Grants) > 0 {
			if err := a.fresh(ctx); err != nil {
				return nil, err
			}
		}
		return a.createWithRoles(ctx, who, n)
	}
	if err != nil {
		return nil, err
	}
	out := personOf(p)
	return &out, nil
}

func (a *API) createWithRoles(ctx context.Context, who identity.Principal, n identity.NewPerson) (*client.Person, error) {
	grants := n.Grants
	alone := who.Kind == identity.KindDev
	if len(grants) > 0 && !alone {
		var err error
		if alone, err = a.o.Identity.Alone(ctx, who, []identity.Role{identity.Admin}, identity.Everything, identity.Everything); err != nil {
			return nil, err
		}
		if !alone {
			n.Grants = nil
		}
	}
	if len(grants) > 0 && alone {
		ctx = audit.WithSecond(ctx, audit.Self)
	}
	p, err := a.o.Identity.CreatePerson(ctx, who, n)
	if err != nil {
		return nil, err
	}
	out := personOf(p)
	if len(grants) == 0 || alone {
		return &out, nil
	}
	shapes := grantsOf(grants)
	q, err := askRoles(a, ctx, &client.UpdatePersonRequest{ID: p.ID, Grants: &shapes})
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(client.UpdatePersonRequest{Version: p.Version, Grants: &shapes})
	if err != nil {
		return nil, fmt.Errorf("asking for the roles of %s: %w", p.ID, err)
	}
	asked, err := a.o.Identity.Propose(ctx, who, identity.Proposal{
		Operation: "UpdatePerson", Path: "/people/" + p.ID, Body: string(body), Summary: q.summary, Team: q.team, Environment: q.environment,
	})
	if err != nil {
		return nil, err
	}
	out.Waits = asked.ID
	return &out, nil
}

func updatePerson(a *API, ctx context.Context, req *client.UpdatePersonRequest) (*client.Person, error) {
	if req.Version == 0 {
		return nil, fault.New(fault.KindInvalid, "api.version_missing", "an update names the version it was made from").
			WithHint("read the account and send its version")
	}
	// A session that somebody found open must not become theirs for good.
	if who := whoOf(ctx); req.Password != nil && who.HasFactor || req.Grants != nil {
		if err := a.fresh(ctx); err != nil {
			return nil, err
		}
	}
	change := identity.PersonChange{
		ID: req.ID, Version: req.Version, FullName: req.FullName, Email: req.Email, Password: req.Password, Disabled: req.Disabled, Teams: req.Teams,
	}
	if req.Grants != nil {
		grants := grantsFrom(*req.Grants)
		change.Grants = &grants
	}
	p, err := a.o.Identity.UpdatePerson(ctx, whoOf(ctx), change)
	if err != nil {
		return nil, err
	}
	out := personOf(p)
	return &out, nil
}

func listTeams(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Team], error) {
	teams, err := a.o.Identity.Teams(ctx)
	return listOf(teams, err, teamOf)
}

func createTeam(a *API, ctx context.Context, req *client.CreateTeamRequest) (*client.Team, error) {
	t, err := a.o.Identity.CreateTeam(ctx, whoOf(ctx), req.Name, req.Channel)
	if err != nil {
		return nil, err
	}
	out := teamOf(t)
	return &out, nil
}

// life reads how long a credential shall live; "" leaves it to its kind.
func life(expiresIn string) (time.Duration, error) {
	if expiresIn == "" {
		return 0, nil
	}
	ms, err := (search.Field{Type: search.TypeDuration}).Read(expiresIn, time.Time{})
	const century = 100 * 365 * 24 * 3600e3
	if err != nil || ms.Number < 1000 || ms.Number > century {
		return 0, fault.New(fault.KindInvalid, "api.expires_in", "expires_in is %q", clip(expiresIn, 50)).WithHint("a duration such as 30d or 12h")
	}
	return time.Duration(ms.Number * 1e6), nil
}

func listTokens(a *API, ctx context.Context, req *client.EverybodyRequest) (*client.List[client.Token], error) {
	tokens, err := a.o.Identity.Tokens(ctx, whoOf(ctx), req.Everybody)
	return listOf(tokens, err, tokenOf)
}

func createToken(a *API, ctx context.Context, req *client.CreateTokenRequest) (*client.NewToken, error) {
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	t, secret, err := a.o.Identity.CreateToken(ctx, whoOf(ctx), identity.NewToken{Name: req.Name, Kind: req.Kind, Grants: grantsFrom(req.Grants), Life: d})
	if err != nil {
		return nil, err
	}
	return &client.NewToken{Token: tokenOf(t), Secret: secret}, nil
}

func revokeToken(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	return &struct{}{}, a.o.Identity.RevokeToken(ctx, whoOf(ctx), req.ID)
}

func listIntakeKeys(a *API, ctx context.Context, _ *struct{}) (*client.List[client.IntakeKey], error) {
	keys, err := a.o.Identity.IntakeKeys(ctx, whoOf(ctx))
	return listOf(keys, err, intakeKeyOf)
}

func createIntakeKey(a *API, ctx context.Context, req *client.CreateIntakeKeyRequest) (*client.NewIntakeKey, error) {
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	k, secret, err := a.o.Identity.CreateIntakeKey(ctx, whoOf(ctx), identity.NewIntakeKey{
		Name: req.Name, Team: req.Team, Environment: req.Environment, SpansPerSecond: req.SpansPerSecond, BytesPerSecond: req.BytesPerSecond, Life: d,
	})
	if err != nil {
		return nil, err
	}
	return &client.NewIntakeKey{Key: intakeKeyOf(k), Secret: secret}, nil
}

func revokeIntakeKey(a *API, ctx context.Context, req *client.IDRequest) (*struct{}, error) {
	return &struct{}{}, a.o.Identity.RevokeIntakeKey(ctx, whoOf(ctx), req.ID)
}

func listAudit(a *API, ctx context.Context, req *client.ListAuditRequest) (*client.List[client.AuditRecord], error) {
	if a.o.Audit == nil {
		return nil, fault.New(fault.KindUnavailable, "api.audit", "there is no audit log here")
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	f := audit.Filter{Kind: req.Kind, Person: req.Who, From: from, To: to, Limit: orDefault(req.Limit, 100)}
	if req.Cursor != "" {
		if f.Before, err = strconv.ParseInt(req.Cursor, 10, 64); err != nil {
			return nil, errCursor
		}
	}
	entries, err := a.o.Audit(ctx, f)
	out, err := listOf(entries, err, func(e audit.Entry) client.AuditRecord {
		return client.AuditRecord{Seq: e.Seq, At: e.At, Kind: e.Kind, Who: e.Person, Record: e.Raw, Leaf: e.Leaf, Before: e.Before, After: e.After}
	})
	if err != nil {
		return nil, err
	}
	if n := len(entries); n == f.Limit {
		out.Next = strconv.FormatInt(entries[n-1].Seq, 10)
	}
	return out, nil
}
