package api

import (
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// Role is what somebody may do, for a team and an environment or for all.
type Role = string

// The roles (see docs: People). Every role includes viewer.
const (
	RoleViewer    Role = "viewer"    // metadata
	RoleReader    Role = "reader"    // content
	RoleDeveloper Role = "developer" // reader, and the agents of the team
	RoleApprover  Role = "approver"  // reader, and held actions
	RoleResponder Role = "responder" // stop, contain, incidents
	RoleSecurity  Role = "security"  // policy, upstreams, identity, intake keys
	RoleAuditor   Role = "auditor"   // the audit log
	RoleAdmin     Role = "admin"     // people
)

// includes lists, for each role, the roles that come with it. Admin does not
// bring reader: who manages people need not read what customers wrote.
var includes = map[Role][]Role{
	RoleViewer:    {RoleViewer},
	RoleReader:    {RoleReader, RoleViewer},
	RoleDeveloper: {RoleDeveloper, RoleReader, RoleViewer},
	RoleApprover:  {RoleApprover, RoleReader, RoleViewer},
	RoleResponder: {RoleResponder, RoleViewer},
	RoleSecurity:  {RoleSecurity, RoleViewer},
	RoleAuditor:   {RoleAuditor, RoleViewer},
	RoleAdmin:     {RoleAdmin, RoleViewer},
}

// Roles lists the roles in the order they are shown.
func Roles() []Role {
	return []Role{RoleViewer, RoleReader, RoleDeveloper, RoleApprover, RoleResponder, RoleSecurity, RoleAuditor, RoleAdmin}
}

func knownRole(r Role) bool { return includes[r] != nil }

// Permission is what an operation asks of its caller. The zero Permission is
// refused by New.
type Permission struct {
	kind   permissionKind
	role   Role
	reach  reach
	person bool // not with a token: it grants, approves or releases
	reads  bool // a POST that changes nothing
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
func rows(r Role) Permission { return Permission{kind: permissionRole, role: r, reach: reachRows} }

// everywhere needs the role for all teams and environments.
func everywhere(r Role) Permission {
	return Permission{kind: permissionRole, role: r, reach: reachAll}
}

// where needs the role for the team and environment that the request names.
func where(r Role) Permission { return Permission{kind: permissionRole, role: r, reach: reachNamed} }

func (p Permission) onlyPeople() Permission { p.person = true; return p }
func (p Permission) reading() Permission    { p.reads = true; return p }
func (p Permission) orSetup() Permission    { p.setup = true; return p }

// String is the role, or public or signed_in.
func (p Permission) String() string {
	switch p.kind {
	case permissionPublic:
		return "public"
	case permissionSignedIn:
		return "signed_in"
	}
	return p.role
}

// kindSetup is who holds the admin token: nobody yet, but about to be.
const kindSetup = "setup"

// Who is the caller of an operation.
type Who struct {
	Kind      string    // person, token, dev
	ID        string    // the person's, "" for dev
	SignInID  string    // of a session
	TokenID   string    // of a token
	ExpiresAt time.Time // of the session or token; zero: never
	Grants    []client.Grant
	Principal any // what Identity made of the credentials; handed back to it
}

func (w *Who) has(r Role, fits func(client.Grant) bool) bool {
	return w != nil && slices.ContainsFunc(w.Grants, func(g client.Grant) bool {
		return slices.Contains(includes[g.Role], r) && fits(g)
	})
}

// can reports whether the role holds for a team's environment.
func (w *Who) can(r Role, team, environment string) bool {
	return w.has(r, func(g client.Grant) bool {
		return (g.Team == "*" || g.Team == team && team != "") && (g.Environment == "*" || g.Environment == environment)
	})
}

// covers reports whether the caller has all that a grant gives.
func (w *Who) covers(g client.Grant) bool {
	for _, r := range includes[g.Role] {
		if !w.has(r, func(own client.Grant) bool {
			return (own.Team == "*" || own.Team == g.Team) && (own.Environment == "*" || own.Environment == g.Environment)
		}) {
			return false
		}
	}
	return true
}

func (w *Who) somewhere(r Role) bool { return w.has(r, func(client.Grant) bool { return true }) }

func (w *Who) everywhere(r Role) bool {
	return w.has(r, func(g client.Grant) bool { return g.Team == "*" && g.Environment == "*" })
}

// reachOf narrows a question about runs to what the role may see: teams for the
// store's own filter (nil: all), and the predicate that also holds the
// environments.
func (w *Who) reachOf(r Role) (teams []string, only search.Expr) {
	var or []search.Expr
	all := false
	for _, g := range w.Grants {
		if !slices.Contains(includes[g.Role], r) {
			continue
		}
		var and []search.Expr
		if g.Team == "*" {
			all = true
		} else {
			teams = append(teams, g.Team)
			and = append(and, search.Is("team", g.Team))
		}
		if g.Environment != "*" {
			and = append(and, search.Is("environment", g.Environment))
		}
		if len(and) == 0 {
			return nil, nil
		}
		or = append(or, search.Both(and...))
	}
	if all {
		teams = nil
	} else {
		slices.Sort(teams)
		teams = slices.Compact(teams)
	}
	environments := slices.ContainsFunc(w.Grants, func(g client.Grant) bool {
		return slices.Contains(includes[g.Role], r) && g.Environment != "*"
	})
	if !environments && !all {
		return teams, nil
	}
	if len(or) == 1 {
		return teams, or[0]
	}
	return teams, &search.Or{Of: or}
}

// allow decides before the request is read; named permissions are decided by
// allowNamed when it is.
func (p Permission) allow(w *Who) error {
	if p.kind == permissionPublic {
		return nil
	}
	if w == nil {
		return fault.New(fault.KindUnauthenticated, "api.credentials_missing", "this needs somebody signed in").
			WithHint("sign in, or send Authorization: Bearer with a token")
	}
	if w.Kind == kindSetup {
		if p.setup {
			return nil
		}
		return fault.New(fault.KindDenied, "api.setup_only", "the admin token makes the first account and nothing else").
			WithHint("POST %s/people, then sign in", Prefix)
	}
	if p.person && w.Kind == "token" {
		return fault.New(fault.KindDenied, "api.person_only", "a token may not do this").WithHint("sign in as a person")
	}
	if p.kind == permissionSignedIn {
		return nil
	}
	ok := w.somewhere(p.role)
	if p.reach == reachAll {
		ok = w.everywhere(p.role)
	}
	if !ok {
		return p.denied()
	}
	return nil
}

func (p Permission) denied() error {
	e := fault.New(fault.KindDenied, "api.role_missing", "this needs the role %s", p.role)
	if p.reach == reachAll {
		return e.WithHint("for all teams and environments; an admin can grant it")
	}
	return e.WithHint("an admin can grant it")
}

func (p Permission) allowNamed(w *Who, team, environment string) error {
	if p.reach != reachNamed || w.can(p.role, team, environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "api.role_missing", "this needs the role %s for team %q in %q", p.role, team, environment).
		WithHint("an admin can grant it")
}
