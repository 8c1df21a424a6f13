package api

import (
	"slices"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry/search"
)

func allKnown(roles []identity.Role) bool {
	return !slices.ContainsFunc(roles, func(r identity.Role) bool { return !slices.Contains(identity.Roles(), r) })
}

// Permission is what an operation asks of its caller. The zero Permission is
// refused by New.
type Permission struct {
	kind   permissionKind
	roles  []identity.Role // one of them is enough
	reach  reach
	person bool // not with a token: it grants, approves or releases
	reads  bool // a POST that changes nothing
	own    bool // only one's own, or with the role: the part that makes the change knows whose it is
	recent bool // with a second factor of the last minutes: what is hard to undo
	setup  bool // also with the admin token, while no account exists
}

type permissionKind uint8

const (
	permissionMissing permissionKind = iota
	permissionPublic
	permissionSignedIn
	permissionRole
)

// reach says how the team and the environment of a permission are found.
type reach uint8

const (
	reachRows  reach = iota // the role somewhere; rows elsewhere are filtered out
	reachAll                // the role for all teams and environments
	reachNamed              // the role for what the request names
)

// public needs no credentials: what a person sees before signing in.
func public() Permission { return Permission{kind: permissionPublic} }

// signedIn needs somebody, whatever the roles: one's own things.
func signedIn() Permission { return Permission{kind: permissionSignedIn} }

// rows needs the role for some team; the handler filters rows by it.
func rows(r ...identity.Role) Permission {
	return Permission{kind: permissionRole, roles: r, reach: reachRows}
}

// everywhere needs the role for all teams and environments.
func everywhere(r identity.Role) Permission {
	return Permission{kind: permissionRole, roles: []identity.Role{r}, reach: reachAll}
}

// where needs the role for the team and environment that the request names.
func where(r ...identity.Role) Permission {
	return Permission{kind: permissionRole, roles: r, reach: reachNamed}
}

// own needs somebody for their own things, and the role everywhere for
// anybody else's.
func own(r identity.Role) Permission {
	return Permission{kind: permissionSignedIn, roles: []identity.Role{r}, reach: reachAll, own: true}
}

func (p Permission) onlyPeople() Permission { p.person = true; return p }
func (p Permission) freshly() Permission    { p.person, p.recent = true, true; return p }
func (p Permission) reading() Permission    { p.reads = true; return p }
func (p Permission) orSetup() Permission    { p.setup = true; return p }

// String is the role, or public or signed_in.
func (p Permission) String() string {
	switch p.kind {
	case permissionPublic:
		return "public"
	case permissionSignedIn:
		if p.own {
			return "own or " + p.names()
		}
		return "signed_in"
	}
	return p.names()
}

func (p Permission) names() string {
	var b strings.Builder
	for i, r := range p.roles {
		if i > 0 {
			b.WriteString(" or ")
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// somewhere reports whether the caller has the role for any team.
func somewhere(w identity.Principal, r identity.Role) bool { return len(w.Scopes(r)) > 0 }

// reachOf narrows a question about runs to what the role may see: teams for the
// store's own filter (nil: all), and the predicate that also holds the
// environments.
func reachOf(w identity.Principal, r identity.Role) (teams []string, only search.Expr) {
	var or []search.Expr
	environments := false
	for _, g := range w.Scopes(r) {
		var and []search.Expr
		if g.Team != identity.Everything {
			and = append(and, search.Is("team", g.Team))
		}
		if g.Environment != identity.Everything {
			environments = true
			and = append(and, search.Is("environment", g.Environment))
		}
		if len(and) == 0 {
			return nil, nil
		}
		or = append(or, search.Both(and...))
	}
	teams = w.Teams(r)
	switch {
	case !environments:
		return teams, nil
	case len(or) == 1:
		return teams, or[0]
	}
	return teams, &search.Or{Of: or}
}

// allow decides before the request is read; named permissions are decided by
// allowNamed when it is.
func (p Permission) allow(w *identity.Principal) error {
	if p.kind == permissionPublic {
		return nil
	}
	if w == nil {
		return fault.New(fault.KindUnauthenticated, "api.credentials_missing", "this needs somebody signed in").
			WithHint("sign in (`reeve sign-in`, or the console), or send Authorization: Bearer with a token (REEVE_TOKEN)")
	}
	if w.Kind == identity.KindSetup {
		if p.setup {
			return nil
		}
		return fault.New(fault.KindDenied, "api.setup_only", "the admin token makes the first account and nothing else").
			WithHint("POST %s/people, then sign in", Prefix)
	}
	if p.person && w.Kind == identity.KindToken {
		return fault.New(fault.KindDenied, "api.person_only", "a token may not do this").WithHint("sign in as a person")
	}
	if p.kind == permissionSignedIn {
		return nil
	}
	if slices.ContainsFunc(p.roles, func(r identity.Role) bool {
		if p.reach == reachAll {
			return w.Everywhere(r)
		}
		return somewhere(*w, r)
	}) {
		return nil
	}
	return p.denied()
}

func (p Permission) denied() error {
	e := fault.New(fault.KindDenied, "api.role_missing", "this needs the role %s", p.names())
	if p.reach == reachAll {
		return e.WithHint("for all teams and environments; an admin can grant it")
	}
	return e.WithHint("an admin can grant it")
}

func (p Permission) allowNamed(w identity.Principal, team, environment string) error {
	if p.reach != reachNamed || slices.ContainsFunc(p.roles, func(r identity.Role) bool { return w.Can(r, team, environment) }) {
		return nil
	}
	return fault.New(fault.KindDenied, "api.role_missing", "this needs the role %s for team %q in %q", p.names(), team, environment).
		WithHint("an admin can grant it")
}
