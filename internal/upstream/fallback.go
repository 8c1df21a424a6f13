package upstream

import "time"

// Choose finds the upstream of a name, or the first of its fallbacks that
// answers while it does not. It is asked before anything of a call is decided,
// so that policy, budgets and the record are about what is really called; nothing
// was forwarded by then. instead is the name that was asked for, "" when it is
// the one.
//
// A fallback stands in only for its like: the same kind, dialect, environment
// and region, of the same team or shared, and never outside the house for one
// inside.
//
// Before all that comes whom a person switched it to (Switch), whether it answers
// or not.
func (r *Registry) Choose(name string) (u *Upstream, instead string, ok bool) {
	u, ok = r.Lookup(name)
	if ok {
		if s := (*r.switches.Load())[name]; s.inForce(r.now()) {
			if f, there := r.Lookup(s.To); there && f.standsInFor(u) {
				return f, name, true
			}
		}
	}
	if !ok || len(u.Fallback) == 0 || !u.breaker.Rests() {
		return u, "", ok
	}
	for _, other := range u.Fallback {
		if f, there := r.Lookup(other); there && f.standsInFor(u) && !f.breaker.Rests() {
			return f, name, true
		}
	}
	return u, "", true // all of them rest: the call learns it from its own
}

// Instead finds the first fallback of an upstream that was not tried yet and does
// not rest, for a call that could not be sent.
func (r *Registry) Instead(name string, tried map[string]bool) (*Upstream, bool) {
	u, ok := r.Lookup(name)
	if !ok {
		return nil, false
	}
	for _, other := range u.Fallback {
		if f, there := r.Lookup(other); there && !tried[other] && f.standsInFor(u) && !f.breaker.Rests() {
			return f, true
		}
	}
	return nil, false
}

func (u *Upstream) standsInFor(o *Upstream) bool {
	return u.Kind == o.Kind && u.Dialect == o.Dialect && u.Environment == o.Environment && u.Region == o.Region &&
		(u.Team == o.Team || u.Shared) && (!u.External || o.External)
}

// Rests reports whether Allow would refuse a call now. It lets nothing through.
func (b *Breaker) Rests() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != "open" {
		return false
	}
	now := b.now()
	return now.Before(b.until) || !b.probing.IsZero() && now.Sub(b.probing) < probeLife
}

// Heard reports how an upstream answered the door's own question about what it
// offers. It changes what people see and closes nothing: calls decide that.
func (b *Breaker) Heard(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil && b.row == 0:
		b.turn("ok", b.now())
	case err != nil:
		b.last = clipped(err)
		if b.state != "open" {
			b.turn("failing", b.now())
		}
	}
}

// Checked reports a health check: it turns the state as a call does, and counts
// as none.
func (b *Breaker) Checked(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.row, b.pause, b.probing = 0, 0, time.Time{}
		b.turn("ok", b.now())
		return
	}
	b.failed(err)
	if b.state == "open" { // the next check comes before a call needs to try
		if until := b.now().Add(checkEvery + checkTimeout); until.After(b.until) {
			b.until = until
		}
	}
}

// StandIns are the fallbacks of an upstream that may stand in for it, whether they answer
// now or not; ok is false where there is no such upstream.
func (r *Registry) StandIns(name string) (names []string, ok bool) {
	u, ok := r.Lookup(name)
	if !ok {
		return nil, false
	}
	for _, other := range u.Fallback {
		if f, there := r.Lookup(other); there && f.standsInFor(u) {
			names = append(names, other)
		}
	}
	return names, true
}
