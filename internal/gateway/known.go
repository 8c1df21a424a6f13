package gateway

import (
	"time"

	"reeve/internal/policy"
)

// Known is what policies ask of a call and other subjects know. Each answers from
// memory, at once, and what it gives is not changed.
type Known interface {
	// VersionApproved reports whether a person approved the version of an agent.
	VersionApproved(agent, version string) bool
	// Fresh reports whether what a team calls by a name is no older than it may be;
	// known is false where nobody said how old that is, or when it was made.
	Fresh(team, source string) (fresh, known bool)
	// OutOfUse reports whether somebody took out of use the source that a team calls
	// so; exact: only by a name that a person gave the source as an alias, since the
	// name is one of a tool or a route.
	OutOfUse(team, name string, exact bool) bool
	// User is what is known of a call's user.
	User(user string) KnownUser
}

// KnownUser is what is known of a user: which directory has them, whether they
// still may act (nil: it does not say), and of which teams they are.
type KnownUser struct {
	Directory string
	Active    *bool
	Teams     []string
	// Registered is whether the issuer that names the user is, where nobody here
	// knows Active: a token of it that lives says that the user is.
	Registered bool
}

// known puts into a request what others know. until is when the token ends that
// names its user, zero where none does: nobody vouches for a user after that, nor
// for one whom a team's token or a key names.
func (d *Door) known(req *policy.Request, until time.Time) {
	f := d.o.Known
	if f == nil {
		return
	}
	c := &req.Call
	c.VersionApproved = c.Version != "" && f.VersionApproved(req.Agent.Name, c.Version)
	if c.User != "" {
		u := f.User(c.User)
		c.UserDirectory, c.UserActive = u.Directory, u.Active
		if u.Active == nil && u.Directory != "" && d.o.Now().Before(until) {
			c.UserActive = &u.Registered
		}
		if len(c.UserTeams) == 0 {
			c.UserTeams = u.Teams
		}
	}
	d.freshness(req)
}

// freshness says of a source how old it is; and of anything whether the source that
// it reads was taken out of use.
func (d *Door) freshness(req *policy.Request) {
	x := &req.Resource
	x.Fresh, x.OutOfUse = nil, false
	if d.o.Known == nil {
		return
	}
	team, exact := req.Agent.Team, x.Type != "Source"
	x.OutOfUse = d.o.Known.OutOfUse(team, x.ID, exact) || x.Name != "" && d.o.Known.OutOfUse(team, x.Name, exact)
	if exact {
		return
	}
	if fresh, known := d.o.Known.Fresh(req.Agent.Team, x.Name); known {
		x.Fresh = &fresh
	}
}
