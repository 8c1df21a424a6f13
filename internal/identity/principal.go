package identity

import (
	"slices"
	"strings"
	"time"
)

// Role is what somebody may do, for a team and environment or for all.
type Role string

// The roles. Every role includes viewer.
const (
	Viewer    Role = "viewer"    // metadata
	Reader    Role = "reader"    // content
	Developer Role = "developer" // the team's agents
	Approver  Role = "approver"  // held actions
	Responder Role = "responder" // stop, contain, incidents
	Security  Role = "security"  // policy, upstreams, identity
	Auditor   Role = "auditor"   // the audit log
	Admin     Role = "admin"     // people
)

// Roles lists the roles in the order they are shown.
func Roles() []Role {
	return []Role{Viewer, Reader, Developer, Approver, Responder, Security, Auditor, Admin}
}

// includes reports whether role a brings role b with it. Only those who work
// with what agents said also read it: who manages people need not.
func includes(a, b Role) bool {
	switch {
	case a == b, b == Viewer:
		return true
	case b == Reader:
		return a == Developer || a == Approver
	}
	return false
}

// Everything stands for every team or every environment in a Grant.
const Everything = "*"

// Grant is a role for a team (by name) and an environment.
type Grant struct {
	Role        Role
	Team        string
	Environment string
}

func (g Grant) covers(role Role, team, environment string) bool {
	return includes(g.Role, role) && (g.Team == Everything || g.Team == team && team != "") &&
		(g.Environment == Everything || g.Environment == environment)
}

// Principal is who acts: a person signed in, a token, or the process itself
// (KindDev, KindSetup). The zero Principal may do nothing.
type Principal struct {
	Kind      string
	PersonID  string // the token's owner for a token; "" for dev and setup
	Name      string
	SignInID  string // of a sign-in
	TokenID   string // of a token
	Grants    []Grant
	ExpiresAt time.Time // of the credential; zero for dev
	HasFactor bool      // the person has a second factor
	FactorAt  time.Time // when this session last showed it; zero: never
}

// The kinds of principals.
const (
	KindPerson = "person"
	KindToken  = "token"
	KindDev    = "dev"
	KindSetup  = "setup"
)

// Dev is the principal of --dev: every role everywhere, for loopback only.
func Dev() Principal {
	return Principal{Kind: KindDev, Name: "dev", Grants: everyRole()}
}

func everyRole() []Grant {
	var all []Grant
	for _, r := range Roles() {
		all = append(all, Grant{r, Everything, Everything})
	}
	return all
}

// Can reports whether p has the role for that team and environment. Everything
// asks for the role everywhere; no team ("") is covered only by a grant for
// every team.
func (p Principal) Can(role Role, team, environment string) bool {
	return slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.covers(role, team, environment) })
}

// Everywhere reports whether p has the role for all teams and environments.
func (p Principal) Everywhere(role Role) bool { return p.Can(role, Everything, Everything) }

// Teams lists the teams that p has the role for in some environment, sorted:
// nil for all, empty for none.
func (p Principal) Teams(role Role) []string {
	teams := []string{}
	for _, g := range p.Grants {
		if !includes(g.Role, role) {
			continue
		}
		if g.Team == Everything {
			return nil
		}
		teams = append(teams, g.Team)
	}
	slices.Sort(teams)
	return slices.Compact(teams)
}

// Scopes lists the grants of p that bring the role, for filters by team and
// environment.
func (p Principal) Scopes(role Role) []Grant {
	var fit []Grant
	for _, g := range p.Grants {
		if includes(g.Role, role) {
			fit = append(fit, Grant{role, g.Team, g.Environment})
		}
	}
	return fit
}

// within reports whether somebody with the grants in have may pass on g.
func within(g Grant, have []Grant) bool {
	return slices.ContainsFunc(have, func(h Grant) bool { return h.covers(g.Role, g.Team, g.Environment) })
}

// intersect is what both lists allow: for each pair, the narrower grant.
func intersect(a, b []Grant) []Grant {
	var both []Grant
	for _, x := range a {
		for _, y := range b {
			role, ok := narrower(x.Role, y.Role)
			team, teamOK := narrowerScope(x.Team, y.Team)
			env, envOK := narrowerScope(x.Environment, y.Environment)
			if g := (Grant{role, team, env}); ok && teamOK && envOK && !slices.Contains(both, g) {
				both = append(both, g)
			}
		}
	}
	// What another grant brings anyway is left out.
	return slices.DeleteFunc(slices.Clone(both), func(g Grant) bool {
		return slices.ContainsFunc(both, func(h Grant) bool { return h != g && h.covers(g.Role, g.Team, g.Environment) })
	})
}

// narrower is the most that two roles both include.
func narrower(a, b Role) (Role, bool) {
	for _, r := range []Role{a, b, Reader, Viewer} {
		if includes(a, r) && includes(b, r) {
			return r, true
		}
	}
	return "", false
}

func narrowerScope(a, b string) (string, bool) {
	switch {
	case a == Everything:
		return b, true
	case b == Everything, a == b:
		return a, true
	}
	return "", false
}

const maxGrants = 200

// checkGrants refuses unknown roles and unreadable scopes, and sorts out
// doubles.
func checkGrants(grants []Grant) ([]Grant, error) {
	if len(grants) > maxGrants {
		return nil, invalid("%d roles are more than %d", len(grants), maxGrants)
	}
	var out []Grant
	for _, g := range grants {
		if !slices.Contains(Roles(), g.Role) {
			return nil, invalid("%q is no role", g.Role).WithHint("the roles are %v", Roles())
		}
		if !validScope(g.Team) || !validScope(g.Environment) {
			return nil, invalid("role %s needs a team and an environment", g.Role).WithHint("%q stands for all", Everything)
		}
		if !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Grant) int {
		return strings.Compare(string(a.Role)+"\x00"+a.Team+"\x00"+a.Environment, string(b.Role)+"\x00"+b.Team+"\x00"+b.Environment)
	})
	return out, nil
}

func validScope(s string) bool { return s == Everything || validName(s) }

// validName reports whether s can name a team or environment: 1 to 64 letters,
// digits and . _ - / space, beginning with a letter or digit.
func validName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("._-/ ", r)) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
