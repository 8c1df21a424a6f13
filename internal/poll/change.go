package poll

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func scanPoller(row control.Row) (d client.Poller, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return d, fault.New(fault.KindInternal, "poll.stored", "a stored poller cannot be read").WithCause(err)
	}
	return d, nil
}

// complete fills in defaults and refuses what cannot work.
func complete(d *client.Poller) error {
	if d.EverySeconds == 0 {
		d.EverySeconds = 300
	}
	if d.LateSeconds == 0 {
		d.LateSeconds = 7200
	}
	switch {
	case !nameForm.MatchString(d.Name):
		return invalid("%.60q cannot name a poller", d.Name).WithHint("use up to 40 lower-case letters, digits and -, a letter first")
	case d.EverySeconds < 10 || d.EverySeconds > 86_400:
		return invalid("every_seconds is between 10 and 86,400")
	case d.LateSeconds < 60 || d.LateSeconds > 7*86_400:
		return invalid("late_seconds is between 60 and 604,800")
	case d.Team == "":
		return invalid("a poller has a team: the runs are its")
	case d.Credential == nil:
		return invalid("a poller has a credential: nobody's records are public").WithHint("by reference: env, file or vault")
	case d.Credential.Kind == "query":
		return invalid("a credential in an address would stand in every log on the way").WithHint("send it as bearer, header or basic")
	}
	for what, v := range map[string]string{"agent": d.Agent, "environment": d.Environment, "prefix": d.Prefix, "log_group": d.LogGroup, "filter": d.Filter, "scope": d.Scope} {
		if len(v) > 1000 || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' }) {
			return invalid("%s is too long or has control characters", what)
		}
	}
	d.URL = strings.TrimRight(d.URL, "/")
	return completeKind(d)
}

// completeKind is complete for what each kind has of its own.
func completeKind(d *client.Poller) error {
	only := func(kind string, fields map[string]string) error {
		for what, v := range fields {
			if v != "" {
				return invalid("%s means nothing to a poller of kind %s", what, kind)
			}
		}
		return nil
	}
	switch d.Kind {
	case "copilot_studio":
		if d.TokenURL != "" && d.Credential.Kind != "basic" {
			return invalid("with token_url the credential is of kind basic: the client's id and its secret")
		}
		if d.TokenURL != "" && d.Scope == "" {
			d.Scope = d.URL + "/.default"
		}
		return only(d.Kind, map[string]string{"prefix": d.Prefix, "log_group": d.LogGroup})
	case "bedrock_s3":
		if d.Prefix != "" && !strings.HasSuffix(d.Prefix, "/") {
			d.Prefix += "/"
		}
		if !strings.Contains(d.Prefix, "BedrockModelInvocationLogs/") || strings.HasSuffix(d.Prefix, "BedrockModelInvocationLogs/") {
			return invalid("prefix is that of the keys up to the region").WithHint("such as AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/")
		}
		if d.Credential.Kind != "sigv4" {
			return invalid("the credential of a bucket is of kind sigv4")
		}
		return only(d.Kind, map[string]string{"log_group": d.LogGroup, "filter": d.Filter, "token_url": d.TokenURL, "scope": d.Scope})
	case "bedrock_cloudwatch":
		switch {
		case d.LogGroup == "":
			return invalid("log_group is the group that Bedrock writes to").WithHint("such as /aws/bedrock/modelinvocations")
		case d.Credential.Kind != "sigv4":
			return invalid("the credential of CloudWatch is of kind sigv4")
		}
		return only(d.Kind, map[string]string{"prefix": d.Prefix, "filter": d.Filter, "token_url": d.TokenURL, "scope": d.Scope})
	}
	return invalid("%.40q is no kind of poller", d.Kind).WithHint("copilot_studio, bedrock_s3 and bedrock_cloudwatch are")
}

// Put makes or replaces a poller; Revision is the one that was read, 0 to make a
// new one. What was read stays read, unless it now reads elsewhere: then it
// begins at From.
func (p *Poller) Put(ctx context.Context, by string, d client.Poller) (client.Poller, error) {
	if err := complete(&d); err != nil {
		return d, err
	}
	if p.o.Team != nil {
		if err := p.o.Team(ctx, d.Team); err != nil {
			return d, err
		}
	}
	p.change.Lock()
	defer p.change.Unlock()
	all := *p.all.Load()
	old := all[d.Name]
	switch {
	case old == nil && d.Revision != 0:
		return d, notFound(d.Name)
	case old != nil && d.Revision != old.d.Revision:
		return d, fault.New(fault.KindConflict, "poll.revision", "poller %s is at revision %d, not %d", d.Name, old.d.Revision, d.Revision).
			WithHint("read it again and repeat the change")
	case old == nil && len(all) >= maxPollers:
		return d, fault.New(fault.KindExhausted, "poll.too_many", "there are %d pollers already", maxPollers)
	}
	now := p.o.Now().UTC().Truncate(time.Microsecond)
	d.CreatedAt, d.UpdatedAt, d.Revision, d.Status = now, now, d.Revision+1, client.PollerStatus{}
	moved := old == nil
	if old != nil {
		d.CreatedAt = old.d.CreatedAt
		moved = where(&old.d) != where(&d)
		if !moved {
			d.From = old.d.From
		}
	}
	if d.From == nil {
		from := now.Add(-24 * time.Hour)
		d.From = &from
	}
	w, err := p.worker(d)
	if err != nil {
		return d, err
	}
	if !moved {
		w.place = old.place
	}
	err = p.o.DB.Write(ctx, func(tx *control.Tx) error {
		body, err := json.Marshal(d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO pollers (name, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			d.Name, string(body), d.Revision, control.Micros(d.CreatedAt), control.Micros(now)); err != nil {
			return err
		}
		if moved {
			if err := forget(ctx, tx, d.Name); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			if moved && old != nil {
				old.end()
			}
			p.publish(d.Name, w)
		})
		return record(ctx, tx, "admin.poller_put", by, "put", d.Name, old, &d)
	})
	if err != nil {
		return d, err
	}
	return w.shape(), nil
}

// where is what a poller reads: places in it mean nothing elsewhere.
func where(d *client.Poller) string {
	return strings.Join([]string{d.Kind, d.URL, d.Prefix, d.LogGroup, d.Filter}, "\n")
}

// Pause stops a poller, or goes on where it was.
func (p *Poller) Pause(ctx context.Context, by, name string, paused bool) (client.Poller, error) {
	w := (*p.all.Load())[name]
	if w == nil {
		return client.Poller{}, notFound(name)
	}
	d := w.d
	d.Paused = paused
	return p.Put(ctx, by, d)
}

// Delete forgets a poller and its place; the runs stay.
func (p *Poller) Delete(ctx context.Context, by, name string) error {
	p.change.Lock()
	defer p.change.Unlock()
	old := (*p.all.Load())[name]
	if old == nil {
		return notFound(name)
	}
	return p.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM pollers WHERE name = ?`, name); err != nil {
			return err
		}
		if err := forget(ctx, tx, name); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			old.end()
			p.publish(name, nil)
		})
		return record(ctx, tx, "admin.poller_deleted", by, "delete", name, old, nil)
	})
}

func forget(ctx context.Context, tx *control.Tx, name string) error {
	for _, table := range []string{"poller_places", "poller_seen"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE name = ?`, name); err != nil {
			return err
		}
	}
	return nil
}

// publish puts w in force (nil: removes it); change is held.
func (p *Poller) publish(name string, w *worker) {
	all := maps.Clone(*p.all.Load())
	if delete(all, name); w != nil {
		all[name] = w
	}
	p.all.Store(&all)
	select {
	case p.changed <- struct{}{}:
	default: // Run looks anyway
	}
}

func record(ctx context.Context, tx *control.Tx, kind, by, action, name string, old *worker, d *client.Poller) error {
	state := func(d *client.Poller) map[string]any {
		m := map[string]any{"kind": d.Kind, "url": d.URL, "team": d.Team, "environment": d.Environment, "agent": d.Agent, "paused": d.Paused, "revision": d.Revision}
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
	return tx.Event(ctx, control.Event{Type: "poller.updated", Object: name})
}

// worker opens what a poller calls.
func (p *Poller) worker(d client.Poller) (*worker, error) {
	w := &worker{p: p, d: d, wake: make(chan struct{}, 1), place: newPlace()}
	base, err := url.Parse(d.URL)
	if err != nil {
		return nil, invalid("%.100q is no address", d.URL)
	}
	w.base = base
	credential := d.Credential
	if d.TokenURL != "" {
		if w.tokens, err = p.o.Open("poller "+d.Name+" token", d.TokenURL, credential, d.AllowPrivate, callTimeout); err != nil {
			return nil, err
		}
		credential = nil // the token goes there, the secret does not
	}
	w.remote, err = p.o.Open("poller "+d.Name, d.URL, credential, d.AllowPrivate, callTimeout)
	return w, err
}

const callTimeout = 60 * time.Second
