package app

import (
	"strings"

	"reeve/internal/gateway"
)

// known tells the door what policies ask of a call and other subjects know.
type known struct{ a *App }

// VersionApproved implements gateway.Known.
func (f known) VersionApproved(agent, version string) bool {
	return f.a.fleet.VersionApproved(agent, version)
}

// Fresh implements gateway.Known.
func (f known) Fresh(team, source string) (fresh, known bool) { return f.a.sources.Fresh(team, source) }

// OutOfUse implements gateway.Known.
func (f known) OutOfUse(team, name string, exact bool) bool {
	return f.a.sources.IsOut(team, name, exact)
}

// User implements gateway.Known. A user is "<issuer's name>:<subject>". Who signs in
// here by that account is one of the directory's people; for others their issuer
// speaks, by a token that lives an hour at most, and for nobody once it is gone.
func (f known) User(user string) gateway.KnownUser {
	name, subject, ok := strings.Cut(user, ":")
	if !ok {
		return gateway.KnownUser{}
	}
	issuer, ok := f.a.authority.issuers.BySubject(name)
	if ok {
		if k, ok := f.a.identity.KnownAs(issuer, subject); ok {
			return gateway.KnownUser{Directory: "reeve", Active: &k.Active, Teams: k.Teams}
		}
	}
	return gateway.KnownUser{Directory: name, Registered: issuer != ""}
}
