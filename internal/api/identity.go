package api

import (
	"context"

	"reeve/client"
)

// Credentials are what a request presents: a bearer token, or a session's
// cookie with its secret.
type Credentials struct {
	Bearer  string
	Session string
	Secret  string
	Address string
	Agent   string
}

// Page asks for a part of a list.
type Page struct {
	Limit  int
	Cursor string
}

// Identity is people, sessions, tokens and keys as the API needs them. Every
// change takes who asks, for its audit record and for the limits on what one
// may grant.
type Identity interface {
	// Authenticate finds who a bearer token or a session belongs to; unknown,
	// expired and revoked ones are fault.KindUnauthenticated. The admin token,
	// while it lives, gives a Who of kind "setup" without grants.
	Authenticate(ctx context.Context, c Credentials) (*Who, error)
	// SetupNeeded reports whether no account exists yet.
	SetupNeeded(ctx context.Context) (bool, error)

	// SignIn opens a session; cookie is what the browser keeps beside the
	// secret in the answer.
	SignIn(ctx context.Context, req client.SignInRequest, address, agent string) (in client.SignedIn, cookie string, err error)
	SignIns(ctx context.Context, who *Who, everybody bool) ([]client.SignIn, error)
	EndSignIn(ctx context.Context, who *Who, id string) error

	Person(ctx context.Context, id string) (client.Person, error)
	People(ctx context.Context, p Page) (client.List[client.Person], error)
	CreatePerson(ctx context.Context, who *Who, req client.CreatePersonRequest) (client.Person, error)
	// CreateFirstPerson spends the admin token.
	CreateFirstPerson(ctx context.Context, adminToken string, req client.CreatePersonRequest) (client.Person, error)
	UpdatePerson(ctx context.Context, who *Who, req client.UpdatePersonRequest) (client.Person, error)

	Teams(ctx context.Context) ([]client.Team, error)
	CreateTeam(ctx context.Context, who *Who, req client.CreateTeamRequest) (client.Team, error)

	Tokens(ctx context.Context, who *Who, everybody bool) ([]client.Token, error)
	CreateToken(ctx context.Context, who *Who, req client.CreateTokenRequest) (client.NewToken, error)
	RevokeToken(ctx context.Context, who *Who, id string) error

	IntakeKeys(ctx context.Context) ([]client.IntakeKey, error)
	CreateIntakeKey(ctx context.Context, who *Who, req client.CreateIntakeKeyRequest) (client.NewIntakeKey, error)
	RevokeIntakeKey(ctx context.Context, who *Who, id string) error

	Audit(ctx context.Context, req client.ListAuditRequest) (client.List[client.AuditRecord], error)
}
