package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Create registers an agent, as pilot unless it says draft. Empty words take
// their defaults. It needs developer for the team and environment; an agent
// that shall go further than bounded needs security.
func (r *Registry) Create(ctx context.Context, who Actor, n Agent, reason string) (*Agent, error) {
	a, err := r.prepare(who, n, reason)
	if err != nil {
		return nil, err
	}
	err = r.db.Write(ctx, func(tx *control.Tx) error { return r.create(ctx, tx, who, a, reason) })
	if err != nil {
		return nil, err
	}
	return a, nil
}

// prepare fills in the defaults of a new agent and refuses what cannot be kept
// or what the actor may not do.
func (r *Registry) prepare(who Actor, n Agent, reason string) (*Agent, error) {
	a := n.clone()
	for _, d := range []struct {
		field *string
		word  string
	}{
		{&a.Owner, who.Name},
		{&a.Kind, "internal"},
		{&a.Environment, "production"},
		{&a.Mode, "interactive"},
		{&a.Lifecycle, Pilot},
		{&a.Autonomy, Supervised},
		{&a.Containment, None},
		{&a.Enforcement, Enforce},
		{&a.Content, "full"},
		{&a.Origin, OriginRegistered},
	} {
		if *d.field == "" {
			*d.field = d.word
		}
	}
	a.Epoch, a.Version, a.ContainedTill, a.ObserveTill = 1, "", time.Time{}, time.Time{}
	switch {
	case a.check() != nil:
		return nil, a.check()
	case a.Lifecycle != Draft && a.Lifecycle != Pilot:
		return nil, invalid("an agent begins as draft or pilot").WithHint("promote it afterwards")
	case a.Containment != None:
		return nil, invalid("an agent begins without a containment").WithHint("contain it afterwards")
	case !plain(reason, maxReason):
		return nil, invalidReason()
	}
	if err := who.need(a, "registering", developer, security); err != nil {
		return nil, err
	}
	if a.Autonomy == Autonomous {
		if err := who.need(a, "letting go further than bounded", security); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// CreateIn is Create inside a transaction of the caller. A refusal changes
// nothing, so that the caller may go on with the next agent.
func (r *Registry) CreateIn(ctx context.Context, tx *control.Tx, who Actor, n Agent, reason string) (*Agent, error) {
	a, err := r.prepare(who, n, reason)
	if err != nil {
		return nil, err
	}
	return a, r.create(ctx, tx, who, a, reason)
}

// create writes a prepared agent.
func (r *Registry) create(ctx context.Context, tx *control.Tx, who Actor, a *Agent, reason string) error {
	count := func(query string, args ...any) (int, error) {
		n, _, err := control.One(ctx, tx, func(s control.Row) (n int, err error) { return n, s.Scan(&n) }, query, args...)
		return n, err
	}
	switch n, err := count(`SELECT count(*) FROM agents WHERE name = ?`, a.Name); {
	case err != nil:
		return err
	case n > 0:
		return fault.New(fault.KindConflict, "agent.exists", "the name %s is taken", a.Name).WithHint("names are never used again, also not those of retired agents")
	}
	switch n, err := count(`SELECT count(*) FROM agents`); {
	case err != nil:
		return err
	case n >= maxAgents:
		return fault.New(fault.KindExhausted, "agent.too_many", "there are %d agents already", n)
	}
	if err := checkAliases(ctx, tx, a); err != nil {
		return err
	}
	if err := r.permit(nil, a); err != nil {
		return err
	}
	if err := r.save(ctx, tx, who.Name, "create", reason, nil, a); err != nil {
		return err
	}
	if err := setAliases(ctx, tx, a); err != nil {
		return err
	}
	return record(ctx, tx, who, "admin.agent_created", "create", a.Name, reason, nil, a)
}

func invalidReason() error {
	return invalid("a reason is a line of at most %d bytes", maxReason)
}

// checkAliases refuses an alias that another agent of the team has, or that is
// another agent's name: a match must not be a guess. The name of a retired agent
// may be one, since telemetry may go on under it.
func checkAliases(ctx context.Context, tx *control.Tx, a *Agent) error {
	str := func(s control.Row) (v string, err error) { return v, s.Scan(&v) }
	for _, al := range a.Aliases {
		other, ok, err := control.One(ctx, tx, str, `SELECT agent FROM agent_aliases WHERE team = ? AND kind = ? AND value = ? AND agent <> ?`, a.Team, al.Kind, al.Value, a.Name)
		if err == nil && !ok && al.Kind == "name" && al.Value != a.Name {
			other, ok, err = living(ctx, tx, al.Value)
		}
		if err != nil {
			return err
		}
		if ok {
			return fault.New(fault.KindConflict, "agent.alias_taken", "%s %q is agent %s already", al.Kind, al.Value, other).WithHint("take it away there first")
		}
	}
	return nil
}

// living finds an agent by name that is not retired.
func living(ctx context.Context, tx *control.Tx, name string) (string, bool, error) {
	a, err := load(ctx, tx, name)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	return a.Name, a.Lifecycle != Retired, nil
}

// setAliases replaces an agent's aliases, which were checked.
func setAliases(ctx context.Context, tx *control.Tx, a *Agent) error {
	if _, err := tx.Exec(ctx, `DELETE FROM agent_aliases WHERE agent = ?`, a.Name); err != nil {
		return err
	}
	for _, al := range a.Aliases {
		if _, err := tx.Exec(ctx, `INSERT INTO agent_aliases (team, kind, value, agent) VALUES (?, ?, ?, ?)`, a.Team, al.Kind, al.Value, a.Name); err != nil {
			return err
		}
	}
	return nil
}

// change makes the next revision of an agent: edit changes after and refuses
// what may not be. revision is the one that was read; 0 takes any.
func (r *Registry) change(ctx context.Context, who Actor, name string, revision int64, action, reason string, edit func(before, after *Agent) error) (*Agent, error) {
	var after *Agent
	err := r.db.Write(ctx, func(tx *control.Tx) (err error) {
		after, err = r.changeIn(ctx, tx, who, name, revision, action, reason, edit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// changeIn is change inside a transaction.
func (r *Registry) changeIn(ctx context.Context, tx *control.Tx, who Actor, name string, revision int64, action, reason string, edit func(before, after *Agent) error) (*Agent, error) {
	if !plain(reason, maxReason) {
		return nil, invalidReason()
	}
	before, err := load(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	after := before.clone()
	if err := edit(before, after); err != nil {
		return nil, err
	}
	if revision != 0 && revision != before.Revision {
		return nil, fault.New(fault.KindConflict, "agent.conflict", "agent %s was changed meanwhile", name).
			WithHint("it is at revision %d; read it again and repeat", before.Revision)
	}
	if err := after.check(); err != nil {
		return nil, err
	}
	aliases := !slices.Equal(before.Aliases, after.Aliases)
	if aliases {
		if err := checkAliases(ctx, tx, after); err != nil {
			return nil, err
		}
	}
	if action == "update" || action == "promote" && slices.Index(lifecycles, after.Lifecycle) > slices.Index(lifecycles, before.Lifecycle) {
		if err := r.permit(before, after); err != nil {
			return nil, err
		}
	}
	if after.Epoch > before.Epoch {
		if _, err := r.killKeys(ctx, tx, name); err != nil {
			return nil, err
		}
	}
	if err := r.save(ctx, tx, who.Name, action, reason, before, after); err != nil {
		return nil, err
	}
	if aliases {
		if err := setAliases(ctx, tx, after); err != nil {
			return nil, err
		}
	}
	if action == "break_glass" {
		// Told to everybody at once: for a while its policies refuse nothing.
		data, err := json.Marshal(map[string]any{"until": after.ObserveTill, "by": who.Name, "reason": reason})
		if err != nil {
			return nil, err
		}
		if err := tx.Event(ctx, control.Event{Type: "agent.break_glass", Object: name, Data: data}); err != nil {
			return nil, err
		}
	}
	return after, record(ctx, tx, who, "admin.agent_updated", action, name, reason, before, after)
}

// Change changes an agent; a nil field stays. Revision is the one that was
// read, 0 for any. Name, team, environment, lifecycle and containment are not
// in it: they never change, or have acts of their own.
type Change struct {
	Revision                             int64
	Owner, Sponsor, Purpose, Kind, Mode  *string
	Autonomy, Enforcement, Content, Task *string
	DataClasses                          *[]string
	Labels                               *map[string]string
	Aliases                              *[]Alias
	Reason                               string
}

// Update edits an agent: developer or security. What lets an agent do more
// needs security: autonomy beyond bounded, more of it in production, or
// production no longer enforced.
func (r *Registry) Update(ctx context.Context, who Actor, name string, c Change) (*Agent, error) {
	return r.change(ctx, who, name, c.Revision, "update", c.Reason, func(before, after *Agent) error {
		if err := who.need(before, "changing", developer, security); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		for _, f := range []struct {
			to   *string
			from *string
		}{
			{&after.Owner, c.Owner},
			{&after.Sponsor, c.Sponsor},
			{&after.Purpose, c.Purpose},
			{&after.Kind, c.Kind},
			{&after.Mode, c.Mode},
			{&after.Autonomy, c.Autonomy},
			{&after.Enforcement, c.Enforcement},
			{&after.Content, c.Content},
			{&after.Task, c.Task},
		} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		if c.DataClasses != nil {
			after.DataClasses = slices.Clone(*c.DataClasses)
		}
		if c.Labels != nil {
			after.Labels = *c.Labels
		}
		if c.Aliases != nil {
			after.Aliases = slices.Clone(*c.Aliases)
		}
		if err := after.check(); err != nil { // before its words are compared
			return err
		}
		if c.Enforcement != nil {
			after.ObserveTill = time.Time{}
		}
		more := slices.Index(autonomies, after.Autonomy) > slices.Index(autonomies, before.Autonomy)
		loose := before.Enforcement == Enforce && after.Enforcement == Observe ||
			!before.ObserveTill.IsZero() && after.Enforcement == Observe && after.ObserveTill.IsZero()
		if more && (after.Autonomy == Autonomous || before.Lifecycle == Production) || loose && before.Lifecycle == Production {
			return who.need(before, "letting go further", security)
		}
		return nil
	})
}

// Alias gives an agent further aliases inside a transaction: developer or
// security. It says which of them are new, for Unalias.
func (r *Registry) Alias(ctx context.Context, tx *control.Tx, who Actor, name string, add []Alias, reason string) (*Agent, []Alias, error) {
	var added []Alias
	a, err := r.changeIn(ctx, tx, who, name, 0, "alias", reason, func(before, after *Agent) error {
		if err := who.need(before, "changing", developer, security); err != nil {
			return err
		}
		for _, al := range add {
			if !slices.Contains(after.Aliases, al) {
				after.Aliases, added = append(after.Aliases, al), append(added, al)
			}
		}
		return alive(before)
	})
	return a, added, err
}

// Unalias takes aliases away inside a transaction: developer or security. Those
// that the agent does not have are no error.
func (r *Registry) Unalias(ctx context.Context, tx *control.Tx, who Actor, name string, gone []Alias, reason string) (*Agent, error) {
	return r.changeIn(ctx, tx, who, name, 0, "unalias", reason, func(before, after *Agent) error {
		after.Aliases = slices.DeleteFunc(after.Aliases, func(al Alias) bool { return slices.Contains(gone, al) })
		return who.need(before, "changing", developer, security)
	})
}

// Withdraw takes a registration back inside a transaction: developer or
// security, and only while the agent is what it was registered as. It is
// retired, since names are never used again.
func (r *Registry) Withdraw(ctx context.Context, tx *control.Tx, who Actor, name, reason string) (*Agent, error) {
	return r.changeIn(ctx, tx, who, name, 0, "withdraw", reason, func(before, after *Agent) error {
		if err := who.need(before, "withdrawing", developer, security); err != nil {
			return err
		}
		if before.Revision != 1 {
			return fault.New(fault.KindConflict, "agent.changed", "agent %s was changed since it was registered", name).WithHint("security can retire it")
		}
		after.Lifecycle, after.Aliases = Retired, nil
		after.Epoch++
		return nil
	})
}

func alive(a *Agent) error {
	if a.Lifecycle == Retired {
		return fault.New(fault.KindConflict, "agent.retired", "agent %s is retired", a.Name).WithHint("register a new one under another name")
	}
	return nil
}

// steps are the lifecycle's, but for retiring, which every agent can.
var steps = map[string][]string{
	Draft:      {Pilot},
	Pilot:      {Production, Draft},
	Production: {Pilot},
}

// Promote takes an agent a step along its lifecycle, or back: developer or security;
// into production security alone. Whoever asks for production has the gate look first
// (PromoteThrough).
func (r *Registry) Promote(ctx context.Context, who Actor, name, to, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "promote", reason, promoting(who, name, to, reason))
}

// PromoteThrough is Promote of what was looked at: an agent that is of another revision
// or version since is refused, and with keeps its result in the same transaction.
func (r *Registry) PromoteThrough(ctx context.Context, who Actor, name, to, reason string, revision int64, version string, with func(tx *control.Tx) error) (made *Agent, err error) {
	edit := promoting(who, name, to, reason)
	err = r.db.Write(ctx, func(tx *control.Tx) (err error) {
		made, err = r.changeIn(ctx, tx, who, name, revision, "promote", reason, func(before, after *Agent) error {
			// What is observed now goes before what is written down: that lags behind.
			if now := cmp.Or(r.VersionNow(name), before.Version); version != "" && now != version {
				return fault.New(fault.KindConflict, "agent.conflict", "agent %s is observed to be of another version since", name).WithHint("look at it again")
			}
			return edit(before, after)
		})
		if err != nil {
			return err
		}
		return with(tx)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// MayPromote says why Promote would refuse, and changes nothing.
func (r *Registry) MayPromote(who Actor, name, to, reason string) error {
	before, ok := r.Lookup(name)
	if !ok {
		return fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s", name)
	}
	return promoting(who, name, to, reason)(before, before.clone())
}

func promoting(who Actor, name, to, reason string) func(before, after *Agent) error {
	return func(before, after *Agent) error {
		roles := []string{developer, security}
		if to == Production {
			roles = []string{security}
		}
		if err := who.need(before, "promoting", roles...); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		if !slices.Contains(steps[before.Lifecycle], to) {
			e := fault.New(fault.KindConflict, "agent.transition", "agent %s is %s and cannot become %s", name, before.Lifecycle, cut(to))
			if next := steps[before.Lifecycle]; len(next) > 0 {
				return e.WithHint("it can become %s, or be retired", strings.Join(next, " or "))
			}
			return e.WithHint("a retired agent stays retired")
		}
		after.Lifecycle = to
		return nil
	}
}

func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return invalid("this needs a reason").WithHint("it is kept with the change, for whoever asks later")
	}
	return nil
}

// Contain narrows what an agent may do now, until a time or (zero) until it is
// released: responder or security. A containment that would be looser or end
// sooner than the one in force is refused: that is a release.
func (r *Registry) Contain(ctx context.Context, who Actor, name, level string, till time.Time, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "contain", reason, func(before, after *Agent) error {
		if err := who.need(before, "containing", responder, security); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		if err := oneOf("a containment", level, containments[1:]); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		now := r.now()
		if !till.IsZero() && !till.After(now) {
			return invalid("a containment ends in the future")
		}
		held := before.Contained(now)
		sooner := !till.IsZero() && (before.ContainedTill.IsZero() || till.Before(before.ContainedTill))
		if held != None && (sooner || slices.Index(containments, level) < slices.Index(containments, held)) {
			return fault.New(fault.KindConflict, "agent.release_needed", "agent %s is %s, and this would loosen it", name, held).
				WithHint("security can release it; then contain it anew")
		}
		after.Containment, after.ContainedTill = level, micros(till)
		return nil
	})
}

// micros is a time as the database keeps it.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Release ends a containment: security. It brings no credential back.
func (r *Registry) Release(ctx context.Context, who Actor, name, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "release", reason, func(before, after *Agent) error {
		if err := who.need(before, "releasing", security); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		if before.Containment == None {
			return fault.New(fault.KindConflict, "agent.not_contained", "agent %s is not contained", name)
		}
		after.Containment, after.ContainedTill = None, time.Time{}
		return nil
	})
}

// Retire ends an agent for good: security. Its credentials die with it, and its
// name is never used again.
func (r *Registry) Retire(ctx context.Context, who Actor, name, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "retire", reason, func(before, after *Agent) error {
		if err := who.need(before, "retiring", security); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		after.Lifecycle = Retired
		after.Epoch++
		return nil
	})
}

// MaxBreakGlass is how long an agent may go unenforced in an emergency.
const MaxBreakGlass = time.Hour

// BreakGlass sets an agent to observe for at most MaxBreakGlass: responder or
// security. It then enforces again by itself.
func (r *Registry) BreakGlass(ctx context.Context, who Actor, name string, life time.Duration, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "break_glass", reason, func(before, after *Agent) error {
		if err := who.need(before, "breaking the glass for", responder, security); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		if life <= 0 || life > MaxBreakGlass {
			return invalid("an emergency lasts at most %s", MaxBreakGlass)
		}
		if before.Enforced(r.now()) {
			after.Enforcement, after.ObserveTill = Observe, micros(r.now().Add(life))
			return nil
		}
		return fault.New(fault.KindConflict, "agent.observed", "agent %s is in observe already", name)
	})
}

// Raise kills every credential of an agent inside a stop's transaction: those
// issued before its epoch was raised are dead whatever their clock. It says how
// many keys died.
func (r *Registry) Raise(ctx context.Context, tx *control.Tx, name string) (keys int, err error) {
	before, err := load(ctx, tx, name)
	if err != nil {
		return 0, err
	}
	after := before.clone()
	after.Epoch++
	if keys, err = r.killKeys(ctx, tx, name); err != nil {
		return 0, err
	}
	if err := r.save(ctx, tx, "stop", "raise", "a stop ended its credentials", before, after); err != nil {
		return 0, err
	}
	return keys, tx.Event(ctx, control.Event{Type: "admin.agent_updated", Object: name})
}

// EnsureDev finds an agent, or registers it as a draft of the team "dev": what
// --dev does for a call without a credential. Callers make sure of --dev.
func (r *Registry) EnsureDev(ctx context.Context, name string) (*Agent, error) {
	if a, ok := r.Lookup(name); ok {
		return a, nil
	}
	a, err := r.Create(ctx, system(), Agent{
		Name: name, Team: "dev", Environment: "dev", Owner: "dev", Purpose: "called the door in dev mode", Lifecycle: Draft, Autonomy: Bounded, Origin: OriginDev,
	}, "called the door in dev mode")
	if err != nil && fault.From(err).Code == "agent.exists" {
		// Another call was first; its commit may not be in memory yet.
		if a, err = load(ctx, r.db, name); err == nil {
			r.put(a)
		}
	}
	return a, err
}
