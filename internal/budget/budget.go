// Package budget bounds what agents spend, and how often they act.
//
// What for: a budget holds tokens, money or calls of an agent, a user, a task
// or a team within a period; before a call its provable upper bound is
// reserved, after it what was not used is given back. A rate says how often
// something may happen in any second, minute, hour or day.
//
// Who calls it: the door calls Ledger.Reserve and Rates.Take for every call; api
// and the command line put, list and delete budgets; app feeds Ledger.Replay
// from the decision log.
//
// Promises: Reserve takes from all budgets that match or from none, and spent
// plus reserved never passes a hard limit, whatever runs at the same time and
// also after a crash: a reservation is part of the decision's record, which is
// durable before the call is forwarded, and one that was never settled stays
// spent. Rates.Take charges all limits or none and never lets more than n
// through in any window. Neither waits for a disk. Safe for concurrent use.
//
// How it fails: budget.exceeded and budget.unbounded_call refuse a call,
// budget.not_ready while a start still reads the log, limit.rate with the time
// to wait; changes fail with budget.invalid, budget.currency, budget.denied,
// budget.not_found, budget.revision and budget.built_in.
//
// Start reading at Ledger.Reserve, then book.go for what survives a crash;
// rates.go is apart from all that.
package budget

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
)

// scope is whom a budget is for.
type scope uint8

const (
	byAgent scope = iota
	byUser
	byTask
	byTeam
	scopes
)

var scopeNames = [...]string{"agent", "user", "task", "team"}

// unit is what a budget counts.
type unit uint8

const (
	tokens unit = iota
	money
	calls
)

var unitNames = [...]string{"tokens", "money", "calls"}

// Everyone as a budget's match gives each agent, user, task or team a share of
// its own, with the whole limit.
const Everyone = "*"

// Currency is what money is counted in: that of the price book.
const Currency = "USD"

const (
	nanosPerUnit = 1e9
	maxCount     = 1 << 53 // beyond it a JSON number loses digits
	maxMoney     = 9e9     // nano-units in an int64
	maxBudgets   = 5000
	maxName      = 63
	maxMatch     = 200
)

// definition is a budget as it was set. It never changes.
type definition struct {
	name    string
	scope   scope
	match   string
	unit    unit
	limit   int64 // tokens, calls, or nano-units of Currency
	period  period
	hard    bool
	team    string
	count   int64 // the revision at which its counting began
	pilots  bool  // for pilots only, from the configuration
	rev     int64
	updated time.Time
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9._-]*$`)

// define reads a budget as a person wrote it.
func define(b client.Budget) (*definition, error) {
	d := &definition{name: b.Name, match: b.Match, hard: b.Hard, team: b.Team}
	if !nameForm.MatchString(b.Name) || len(b.Name) > maxName {
		return nil, invalid("%.60q cannot name a budget", b.Name).WithHint("use up to %d lower-case letters, digits, dots, - and _, a letter first", maxName)
	}
	i := slices.Index(scopeNames[:], b.Scope)
	if i < 0 {
		return nil, invalid("a budget's scope is agent, user, task or team")
	}
	d.scope = scope(i)
	if b.Match == "" || len(b.Match) > maxMatch || strings.ContainsFunc(b.Match, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return nil, invalid("a budget names the %s it is for", b.Scope).WithHint("* gives each %s a share of its own", b.Scope)
	}
	if len(b.Team) > maxMatch {
		return nil, invalid("%.60q is no team", b.Team)
	}
	if i = slices.Index(unitNames[:], b.Unit); i < 0 {
		return nil, invalid("a budget's unit is tokens, money or calls")
	}
	d.unit = unit(i)
	if i = slices.Index(periodNames[:], b.Period); i < 0 {
		return nil, invalid("a budget's period is hour, day, week, month or total")
	}
	d.period = period(i)
	var err error
	d.limit, err = readLimit(d.unit, b.Limit, b.Currency)
	return d, err
}

func readLimit(u unit, limit float64, currency string) (int64, error) {
	switch {
	case math.IsNaN(limit) || limit < 0:
		return 0, invalid("a budget's limit is a number from 0 on")
	case u == money && currency != "" && currency != Currency:
		return 0, fault.New(fault.KindInvalid, "budget.currency", "a budget in %.10q cannot be counted: prices are in %s and there are no exchange rates", currency, Currency).
			WithHint("give the limit in %s", Currency)
	case u == money && limit > maxMoney:
		return 0, invalid("a budget's limit is at most %d %s", int64(maxMoney), Currency)
	case u == money:
		// Rounded down after what binary fractions add: 0.1 is 0.1, and never more.
		return int64(math.Floor(limit*nanosPerUnit + 1e-3)), nil
	case currency != "":
		return 0, invalid("a budget of %s has no currency", unitNames[u])
	case limit != math.Trunc(limit) || limit > maxCount:
		return 0, invalid("a budget of %s has a whole number as its limit", unitNames[u])
	}
	return int64(limit), nil
}

// text is an amount with its unit, for messages.
func (u unit) text(amount int64) string {
	if u == money {
		return fmt.Sprintf("%.4f %s", float64(amount)/nanosPerUnit, Currency)
	}
	return fmt.Sprintf("%d %s", amount, unitNames[u])
}

// shown is an amount of a unit as people see it.
func (u unit) shown(amount int64) float64 {
	if u == money {
		return float64(amount) / nanosPerUnit
	}
	return float64(amount)
}

// same reports whether two definitions count the same thing, so that what was
// spent under one is spent under the other.
func (d *definition) same(o *definition) bool {
	return d.scope == o.scope && d.match == o.match && d.unit == o.unit && d.period == o.period && d.team == o.team
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "budget.invalid", format, args...)
}

// Use is what a call may spend at most, and for whom. The door fills it from
// what it knows itself: names that an agent merely claims (headers, run ids)
// must not choose a budget.
type Use struct {
	Agent string
	User  string // "" for nobody: then no user's budget applies
	Task  string // the agent's registered task; "" for none
	Team  string
	Pilot bool // the agent is a pilot: the pilots' daily budgets apply too

	Observe bool // hard budgets refuse nothing and say what they would have refused

	// What it may come to at most. Unknown when nothing bounds it, which a hard
	// budget of that unit refuses; 0 when the call spends none of it.
	Calls, Tokens, MoneyNanos int64
}

// covers reports whether a budget is for calls like this one: a team's budget
// counts what that team's agents do and nobody else's.
func (d *definition) covers(u *Use) bool {
	return (!d.pilots || u.Pilot) && (d.team == "" || d.team == u.Team)
}

func (u *Use) amount(k unit) int64 {
	v := u.Calls
	switch k {
	case tokens:
		v = u.Tokens
	case money:
		v = u.MoneyNanos
	}
	if v < 0 {
		return activity.Unknown
	}
	return min(v, maxCount-1) // as much as a record can say
}

// of is whose share of a budget of that scope the call takes from.
func (u *Use) of(s scope) string {
	switch s {
	case byAgent:
		return u.Agent
	case byUser:
		return u.User
	case byTask:
		return u.Task
	}
	return u.Team
}
