package upstream

import (
	"context"
	"maps"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Actor is who switches.
type Actor struct {
	Person, Via string // id, and the sign-in or token
	Name        string // as people read it
}

// switched is where calls of an upstream go in its place, by a person's act.
type switched struct {
	client.UpstreamSwitch
	till time.Time // zero: until it is taken back
}

func (s *switched) inForce(now time.Time) bool {
	return s != nil && (s.till.IsZero() || now.Before(s.till))
}

// loadSwitches reads what people switched.
func (r *Registry) loadSwitches(ctx context.Context) error {
	type row struct {
		name string
		s    switched
	}
	rows, err := control.All(ctx, r.db, func(c control.Row) (x row, err error) {
		var at, until int64
		if err := c.Scan(&x.name, &x.s.To, &x.s.By, &x.s.Reason, &at, &until); err != nil {
			return x, err
		}
		x.s.At = control.Time(at)
		x.s.setTill(until)
		return x, nil
	}, `SELECT upstream, target, by, reason, at, until FROM upstream_switches`)
	if err != nil {
		return err
	}
	all := make(map[string]*switched, len(rows))
	for i := range rows {
		all[rows[i].name] = &rows[i].s
	}
	r.switches.Store(&all)
	return nil
}

func (s *switched) setTill(micros int64) {
	if s.till, s.Until = (time.Time{}), nil; micros > 0 {
		s.till = control.Time(micros)
		s.Until = &s.till
	}
}

// Switched is where calls of an upstream go in its place now; nil for nowhere.
func (r *Registry) Switched(name string) *client.UpstreamSwitch {
	s := (*r.switches.Load())[name]
	if !s.inForce(r.now()) {
		return nil
	}
	out := s.UpstreamSwitch
	return &out
}

// Alike are the upstreams that a person may switch another one to, by name.
func (r *Registry) Alike(name string) []string {
	u, ok := r.Lookup(name)
	if !ok {
		return nil
	}
	var out []string
	for _, o := range r.Of(u.Kind) {
		if o.Name != name && o.standsInFor(u) && u.Kind != "mcp" {
			out = append(out, o.Name)
		}
	}
	return out
}

// Switch sends the calls of an upstream to another one like it, until a time or
// (zero) until it is switched back. What is called is decided anew: policies,
// budgets and the record are about the other one. Servers of tools are not
// switched: their sessions are of one server.
func (r *Registry) Switch(ctx context.Context, by Actor, name, to string, till time.Time, reason string) (client.Upstream, error) {
	r.change.Lock()
	defer r.change.Unlock()
	u, ok := r.Lookup(name)
	other, there := r.Lookup(to)
	now := r.now().UTC().Truncate(time.Microsecond)
	switch {
	case !ok:
		return client.Upstream{}, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %.40s", name)
	case !there:
		return client.Upstream{}, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %.40s", to)
	case name == to || u.Kind == "mcp" || !other.standsInFor(u):
		return client.Upstream{}, fault.New(fault.KindInvalid, "upstream.unlike", "%s cannot stand in for %s", to, name).
			WithHint("one of the same kind, dialect, environment and region, of the same team or shared, and not outside the house for one inside")
	case r.Switched(to) != nil:
		return client.Upstream{}, fault.New(fault.KindConflict, "upstream.switched", "calls of %s go elsewhere themselves", to).WithHint("switch it back first")
	case r.pointsTo(name) != "":
		return client.Upstream{}, fault.New(fault.KindConflict, "upstream.switched", "calls of %s go to %s, so it cannot be switched away from", r.pointsTo(name), name).WithHint("switch that one back first")
	case strings.TrimSpace(reason) == "" || len(reason) > maxReason:
		return client.Upstream{}, invalid("this needs a reason of at most %d bytes", maxReason)
	case !till.IsZero() && !till.After(now):
		return client.Upstream{}, invalid("a switch ends in the future")
	}
	s := &switched{UpstreamSwitch: client.UpstreamSwitch{To: to, By: by.Name, At: now, Reason: reason}}
	until := int64(0)
	if !till.IsZero() {
		until = control.Micros(till)
	}
	s.setTill(until)
	return r.setSwitch(ctx, by, u, s, until, reason)
}

const maxReason = 1000

// pointsTo is an upstream whose calls go to another one now; "" for none. A call
// takes one step only, so switches in a row are refused.
func (r *Registry) pointsTo(name string) string {
	for from, s := range *r.switches.Load() {
		if s.To == name && s.inForce(r.now()) {
			return from
		}
	}
	return ""
}

// SwitchBack lets an upstream's calls go to it again.
func (r *Registry) SwitchBack(ctx context.Context, by Actor, name, reason string) (client.Upstream, error) {
	r.change.Lock()
	defer r.change.Unlock()
	u, ok := r.Lookup(name)
	switch {
	case !ok:
		return client.Upstream{}, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %.40s", name)
	case r.Switched(name) == nil:
		return client.Upstream{}, fault.New(fault.KindConflict, "upstream.not_switched", "calls of %s go to it as it is", name)
	case strings.TrimSpace(reason) == "" || len(reason) > maxReason:
		return client.Upstream{}, invalid("this needs a reason of at most %d bytes", maxReason)
	}
	return r.setSwitch(ctx, by, u, &switched{}, 0, reason)
}

// setSwitch writes where an upstream's calls go, "" for to itself, and puts it in
// force. The caller holds change.
func (r *Registry) setSwitch(ctx context.Context, by Actor, u *Upstream, s *switched, until int64, reason string) (client.Upstream, error) {
	action, before := "switch", r.Switched(u.Name)
	err := r.db.Write(ctx, func(tx *control.Tx) (err error) {
		if s.To == "" {
			action = "switch_back"
			_, err = tx.Exec(ctx, `DELETE FROM upstream_switches WHERE upstream = ?`, u.Name)
		} else {
			_, err = tx.Exec(ctx, `INSERT INTO upstream_switches (upstream, target, by, reason, at, until) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (upstream) DO UPDATE SET target = excluded.target, by = excluded.by, reason = excluded.reason, at = excluded.at, until = excluded.until`,
				u.Name, s.To, s.By, reason, control.Micros(s.At), until)
		}
		if err != nil {
			return err
		}
		tx.AfterCommit(func() {
			all := maps.Clone(*r.switches.Load())
			if delete(all, u.Name); s.To != "" {
				all[u.Name] = s
			}
			r.switches.Store(&all)
		})
		after := map[string]any{"to": s.To, "until": s.Until}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.upstream_" + action, Person: by.Person, Via: by.Via, Action: action, Object: u.Name, Reason: reason, Before: before, After: after}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "upstream.updated", Object: u.Name})
	})
	if err != nil {
		return client.Upstream{}, err
	}
	return u.Shape(), nil
}
