package api

import (
	"context"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Identity is people, sign-ins, tokens and keys; *identity.Directory is one.
type Identity interface {
	Session(ctx context.Context, cookie, secret string) (identity.Principal, error)
	Token(ctx context.Context, text string) (identity.Principal, error)
	Again(ctx context.Context, who identity.Principal) (identity.Principal, error)
	SetupNeeded(ctx context.Context) (bool, error)

	SignIn(ctx context.Context, name, password, code, address, agent string) (identity.NewSignIn, error)
	SignIns(ctx context.Context, who identity.Principal, everybody bool) ([]identity.SignIn, error)
	EndSignIn(ctx context.Context, who identity.Principal, id string) error

	Factors(ctx context.Context, who identity.Principal, person string) (factors []identity.Factor, codes int, err error)
	BeginFactor(ctx context.Context, who identity.Principal, label, password string) (identity.Enrolment, error)
	ConfirmFactor(ctx context.Context, who identity.Principal, id, code string) (recovery []string, err error)
	RemoveFactor(ctx context.Context, who identity.Principal, id string) error
	RenewRecovery(ctx context.Context, who identity.Principal) (codes []string, err error)
	Refresh(ctx context.Context, who identity.Principal, code string) (until time.Time, err error)

	BeginPasskey(ctx context.Context, who identity.Principal, label, password string, site identity.Site) (f identity.Factor, options []byte, err error)
	ConfirmPasskey(ctx context.Context, who identity.Principal, id string, site identity.Site, answer []byte) (recovery []string, err error)
	AskPasskey(ctx context.Context, who identity.Principal, site identity.Site) (options []byte, err error)
	SignInWithPasskey(ctx context.Context, site identity.Site, answer []byte, address, agent string) (identity.NewSignIn, error)
	RefreshWithPasskey(ctx context.Context, who identity.Principal, site identity.Site, answer []byte) (until time.Time, err error)

	Emergencies(ctx context.Context) ([]identity.Person, error)

	Leaked(ctx context.Context, text string) (died bool, err error)

	Alone(ctx context.Context, who identity.Principal, roles []identity.Role, team, environment string) (bool, error)
	Propose(ctx context.Context, who identity.Principal, p identity.Proposal) (identity.Proposal, error)
	Proposals(ctx context.Context, open bool, limit int) ([]identity.Proposal, error)
	Proposal(ctx context.Context, id string) (identity.Proposal, error)
	Decide(ctx context.Context, who identity.Principal, id, to string) (identity.Proposal, error)
	Finish(ctx context.Context, who identity.Principal, id, failure string) error
	Standing(ctx context.Context, person, via string) (identity.Principal, error)

	Person(ctx context.Context, id string) (identity.Person, error)
	People(ctx context.Context, after string, limit int) (people []identity.Person, next string, err error)
	CreatePerson(ctx context.Context, who identity.Principal, p identity.NewPerson) (identity.Person, error)
	CreateFirstPerson(ctx context.Context, adminToken, address string, p identity.NewPerson) (identity.Person, error)
	UpdatePerson(ctx context.Context, who identity.Principal, c identity.PersonChange) (identity.Person, error)

	Teams(ctx context.Context) ([]identity.Team, error)
	CreateTeam(ctx context.Context, who identity.Principal, name, channel string) (identity.Team, error)

	Tokens(ctx context.Context, who identity.Principal, everybody bool) ([]identity.Token, error)
	CreateToken(ctx context.Context, who identity.Principal, n identity.NewToken) (t identity.Token, secret string, err error)
	RevokeToken(ctx context.Context, who identity.Principal, id string) error

	IntakeKeys(ctx context.Context, who identity.Principal) ([]identity.IntakeKey, error)
	CreateIntakeKey(ctx context.Context, who identity.Principal, n identity.NewIntakeKey) (k identity.IntakeKey, secret string, err error)
	RevokeIntakeKey(ctx context.Context, who identity.Principal, id string) error
}

// AuditLog reads the audit log, newest first; audit.List with its database is
// one.
type AuditLog func(ctx context.Context, f audit.Filter) ([]audit.Entry, error)

// principal finds who a bearer token speaks for. The admin token is nobody who
// may do anything but make the first account, which checks the token itself.
func (a *API) principal(ctx context.Context, bearer string) (identity.Principal, error) {
	switch prefix, _, _ := strings.Cut(bearer, "_"); prefix {
	case "rvk", "rvi":
		return identity.Principal{}, fault.New(fault.KindDenied, "api.agent_credential", "keys of agents and senders do not open the API").
			WithHint("use a token made under Settings: rvt_...")
	case "rva":
		needed, err := a.o.Identity.SetupNeeded(ctx)
		if err != nil {
			return identity.Principal{}, err
		}
		if !needed {
			return identity.Principal{}, fault.New(fault.KindUnauthenticated, "api.admin_token", "the admin token has been used").
				WithHint("sign in")
		}
		return identity.Principal{Kind: identity.KindSetup}, nil
	}
	return a.o.Identity.Token(ctx, bearer)
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func grantsOf(grants []identity.Grant) []client.Grant {
	out := make([]client.Grant, len(grants))
	for i, g := range grants {
		out[i] = client.Grant{Role: string(g.Role), Team: g.Team, Environment: g.Environment}
	}
	return out
}

func grantsFrom(grants []client.Grant) []identity.Grant {
	var out []identity.Grant
	for _, g := range grants {
		out = append(out, identity.Grant{Role: identity.Role(g.Role), Team: g.Team, Environment: g.Environment})
	}
	return out
}

func personOf(p identity.Person) client.Person {
	return client.Person{
		ID: p.ID, Name: p.Name, FullName: p.FullName, Email: p.Email, Disabled: p.Disabled, Teams: list(p.Teams),
		Grants: grantsOf(p.Grants), CreatedAt: p.CreatedAt, Version: p.Version,
	}
}

func signInOf(s identity.SignIn, current string) client.SignIn {
	return client.SignIn{
		ID: s.ID, PersonID: s.PersonID, CreatedAt: s.CreatedAt, LastUsed: s.LastUsed, ExpiresAt: s.ExpiresAt, Agent: s.Agent, Address: s.Address,
		Current: s.ID == current,
	}
}

func teamOf(t identity.Team) client.Team {
	return client.Team{ID: t.ID, Name: t.Name, Channel: t.Channel, People: list(t.People), CreatedAt: t.CreatedAt, Version: t.Version}
}

func tokenOf(t identity.Token) client.Token {
	return client.Token{
		ID: t.ID, Name: t.Name, Kind: t.Kind, Owner: t.Owner, Grants: grantsOf(t.Grants), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
		LastUsed: optionalTime(t.LastUsed), Revoked: !t.RevokedAt.IsZero(),
	}
}

func intakeKeyOf(k identity.IntakeKey) client.IntakeKey {
	return client.IntakeKey{
		ID: k.ID, Name: k.Name, Team: k.Team, Environment: k.Environment, SpansPerSecond: k.SpansPerSecond, BytesPerSecond: k.BytesPerSecond,
		CreatedAt: k.CreatedAt, ExpiresAt: optionalTime(k.ExpiresAt), LastUsed: optionalTime(k.LastUsed), Revoked: !k.RevokedAt.IsZero(),
	}
}
