package relay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func scanDestination(row control.Row) (d client.RelayDestination, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return d, fault.New(fault.KindInternal, "relay.stored", "a stored relay destination cannot be read").WithCause(err)
	}
	return d, nil
}

// Put makes or replaces a destination; Revision is the one that was read, 0 to
// make a new one. A new one begins with what arrives from now on; a changed one
// goes on where it was.
func (r *Relay) Put(ctx context.Context, by string, d client.RelayDestination) (client.RelayDestination, error) {
	if err := complete(&d); err != nil {
		return d, err
	}
	r.change.Lock()
	defer r.change.Unlock()
	all := *r.all.Load()
	old := all[d.Name]
	switch {
	case old != nil && old.d.Configured:
		return d, errConfigured
	case old == nil && d.Revision != 0:
		return d, notFound(d.Name)
	case old != nil && d.Revision != old.d.Revision:
		return d, fault.New(fault.KindConflict, "relay.revision", "relay destination %s is at revision %d, not %d", d.Name, old.d.Revision, d.Revision).
			WithHint("read it again and repeat the change")
	case old == nil && len(all) >= maxDestinations:
		return d, fault.New(fault.KindExhausted, "relay.too_many", "there are %d relay destinations already", maxDestinations)
	}
	now := r.o.Now().UTC().Truncate(time.Microsecond)
	d.CreatedAt, d.UpdatedAt, d.Revision, d.Configured, d.Status = now, now, d.Revision+1, false, client.RelayStatus{}
	if old != nil {
		d.CreatedAt = old.d.CreatedAt
	}
	w, err := r.worker(d)
	if err != nil {
		return d, err
	}
	st, err := r.o.Queue.Stats(ctx)
	if err != nil {
		return d, err
	}
	if old != nil {
		w.place = old.place
	} else {
		w.at = cursor{name: d.Name, seq: st.LastSeq}
	}
	err = r.o.DB.Write(ctx, func(tx *control.Tx) error {
		body, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO relay_destinations (name, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			d.Name, string(body), d.Revision, control.Micros(d.CreatedAt), control.Micros(now)); err != nil {
			return err
		}
		if old == nil {
			if _, err := tx.Exec(ctx, `INSERT INTO relay_cursors (name, seq, counts) VALUES (?, ?, '{}')
				ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, counts = excluded.counts`, d.Name, int64(st.LastSeq)); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { r.publish(d.Name, w) })
		return record(ctx, tx, "admin.relay_put", by, "put", d.Name, old, &d)
	})
	if err != nil {
		return d, err
	}
	return w.shape(ctx, st), nil
}

// Pause stops sending to a destination, or goes on; what arrives meanwhile
// waits in the queue as long as that has room.
func (r *Relay) Pause(ctx context.Context, by, name string, paused bool) (client.RelayDestination, error) {
	old := (*r.all.Load())[name]
	if old == nil {
		return client.RelayDestination{}, notFound(name)
	}
	d := old.d
	d.Paused = paused
	return r.Put(ctx, by, d)
}

// Delete forgets a destination and what it does not have yet.
func (r *Relay) Delete(ctx context.Context, by, name string) error {
	r.change.Lock()
	defer r.change.Unlock()
	old := (*r.all.Load())[name]
	switch {
	case old == nil:
		return notFound(name)
	case old.d.Configured:
		return errConfigured
	}
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, table := range []string{"relay_destinations", "relay_cursors"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE name = ?`, name); err != nil {
				return err
			}
		}
		old.mu.Lock()
		old.gone = true
		old.mu.Unlock()
		tx.AfterCommit(func() { r.publish(name, nil) })
		return record(ctx, tx, "admin.relay_deleted", by, "delete", name, old, nil)
	})
}

var errConfigured = fault.New(fault.KindConflict, "relay.configured", "the configuration file defines this relay destination").WithHint("change it there")

// publish puts w in force (nil: removes it); change is held.
func (r *Relay) publish(name string, w *worker) {
	all := maps.Clone(*r.all.Load())
	if delete(all, name); w != nil {
		all[name] = w
	}
	r.all.Store(&all)
	select {
	case r.changed <- struct{}{}:
	default: // Run looks anyway
	}
}

func record(ctx context.Context, tx *control.Tx, kind, by, action, name string, old *worker, d *client.RelayDestination) error {
	state := func(d *client.RelayDestination) map[string]any {
		m := map[string]any{
			"url": d.URL, "protocol": d.Protocol, "signals": d.Signals, "agents": d.Agents, "teams": d.Teams,
			"environments": d.Environments, "dialects": d.Dialects, "redact": d.Redact, "paused": d.Paused, "revision": d.Revision,
		}
		if c := d.Credential; c != nil {
			m["credential"] = c.Kind + " from " + c.Source
		}
		return m
	}
	var before, after any
	if old != nil {
		before = state(&old.d)
	}
	if d != nil {
		after = state(d)
	}
	if err := audit.Append(ctx, tx, audit.Record{Kind: kind, Person: by, Action: action, Object: name, Before: before, After: after}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "relay.updated", Object: name})
}

// Test sends one span of ours and says how that went. Nothing is tried again.
func (r *Relay) Test(ctx context.Context, name string) (client.RelayTest, error) {
	w := (*r.all.Load())[name]
	if w == nil {
		return client.RelayTest{}, notFound(name)
	}
	if w.broken != nil {
		return client.RelayTest{Error: fault.From(w.broken).Message, Hint: fault.From(w.broken).Hint}, nil
	}
	signal, _ := signalOf(w.d.Signals[0]) // checked when it was put
	began := r.o.Now()
	var trace [16]byte
	rand.Read(trace[:])
	var body []byte
	if signal == Traces {
		body = testSpan(trace, began)
	}
	out := w.send(ctx, signal, body, 1)
	t := client.RelayTest{OK: out.err == nil && out.rejected == 0, TookMS: r.o.Now().Sub(began).Milliseconds(), Error: out.note}
	if signal == Traces {
		t.TraceID = hex.EncodeToString(trace[:])
	}
	if out.err != nil {
		t.Error = fault.From(out.err).Message
	}
	return t, nil
}
