package api

import (
	"context"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// roleIdentity knows callers by tokens that say what they may do:
// "rvt_viewer" for a role everywhere, "rvt_viewer@core/production" for one
// place. It stands where a test is about roles alone.
type roleIdentity struct{}

func (roleIdentity) Authenticate(_ context.Context, c Credentials) (*Who, error) {
	if c.Bearer == "admin-token" {
		return &Who{Kind: kindSetup}, nil
	}
	spec, ok := strings.CutPrefix(c.Bearer, "rvt_")
	if !ok && c.Session == "" {
		return nil, fault.New(fault.KindUnauthenticated, "identity.token", "unknown token")
	}
	w := &Who{Kind: "person", ID: "per_1"}
	for _, g := range strings.Split(spec, "+") {
		role, place, ok := strings.Cut(g, "@")
		team, env, _ := strings.Cut(place, "/")
		if !ok {
			team, env = "*", "*"
		}
		if role != "none" {
			w.Grants = append(w.Grants, client.Grant{Role: role, Team: team, Environment: env})
		}
	}
	return w, nil
}

func (roleIdentity) SetupNeeded(context.Context) (bool, error) { return false, nil }

func (roleIdentity) SignIn(context.Context, client.SignInRequest, string, string) (client.SignedIn, string, error) {
	return client.SignedIn{ID: "sgn_1", Secret: "s", ExpiresAt: time.Now().Add(time.Hour)}, "cookie", nil
}

func (roleIdentity) SignIns(context.Context, *Who, bool) ([]client.SignIn, error) { return nil, nil }
func (roleIdentity) EndSignIn(context.Context, *Who, string) error                { return nil }
func (roleIdentity) Person(context.Context, string) (client.Person, error) {
	return client.Person{}, nil
}

func (roleIdentity) People(context.Context, Page) (client.List[client.Person], error) {
	return client.List[client.Person]{}, nil
}

func (roleIdentity) CreatePerson(context.Context, *Who, client.CreatePersonRequest) (client.Person, error) {
	return client.Person{ID: "per_new"}, nil
}

func (roleIdentity) CreateFirstPerson(context.Context, string, client.CreatePersonRequest) (client.Person, error) {
	return client.Person{ID: "per_first"}, nil
}

func (roleIdentity) UpdatePerson(context.Context, *Who, client.UpdatePersonRequest) (client.Person, error) {
	return client.Person{}, nil
}
func (roleIdentity) Teams(context.Context) ([]client.Team, error) { return nil, nil }

func (roleIdentity) CreateTeam(context.Context, *Who, client.CreateTeamRequest) (client.Team, error) {
	return client.Team{ID: "tm_1"}, nil
}
func (roleIdentity) Tokens(context.Context, *Who, bool) ([]client.Token, error) { return nil, nil }

func (roleIdentity) CreateToken(context.Context, *Who, client.CreateTokenRequest) (client.NewToken, error) {
	return client.NewToken{Secret: newRequestID()}, nil
}
func (roleIdentity) RevokeToken(context.Context, *Who, string) error { return nil }

func (roleIdentity) IntakeKeys(context.Context) ([]client.IntakeKey, error) {
	return []client.IntakeKey{{ID: "x", Team: "core", Environment: "production"}}, nil
}

func (roleIdentity) CreateIntakeKey(context.Context, *Who, client.CreateIntakeKeyRequest) (client.NewIntakeKey, error) {
	return client.NewIntakeKey{}, nil
}
func (roleIdentity) RevokeIntakeKey(context.Context, *Who, string) error { return nil }

func (roleIdentity) Audit(context.Context, client.ListAuditRequest) (client.List[client.AuditRecord], error) {
	return client.List[client.AuditRecord]{}, nil
}
