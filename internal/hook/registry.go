package hook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Sealer encrypts what must be readable again.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Options of a Registry. DB is required.
type Options struct {
	DB     *control.DB
	Sealer Sealer // nil leaves it to the file's rights
	Logger *slog.Logger
	Now    func() time.Time
	// CheckMapping refuses a mapping that cannot be evaluated; nil refuses all.
	CheckMapping func(*client.AlertMapping) error
}

// Registry holds the sources. Readers take no lock.
type Registry struct {
	o  Options
	mu sync.Mutex // one change at a time

	all atomic.Pointer[snapshot]
	// strangers are proofs for sources that nobody knows.
	strangers atomic.Int64
}

// snapshot never changes once it is stored.
type snapshot struct {
	byName  map[string]*Hook
	byToken map[[sha256.Size]byte]string // the source's name
}

// Actor is who asks for a change.
type Actor struct {
	Person, Via string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// body is what stands in the database as JSON.
type body struct {
	Description  string               `json:"description,omitempty"`
	Environment  string               `json:"environment,omitempty"`
	Auth         string               `json:"auth"`
	URLToken     bool                 `json:"url_token,omitempty"`
	ResolveAfter string               `json:"resolve_after,omitempty"`
	Branches     []string             `json:"branches,omitempty"`
	Mapping      *client.AlertMapping `json:"mapping,omitempty"`
}

// New reads the register.
func New(ctx context.Context, o Options) (*Registry, error) {
	if o.DB == nil {
		return nil, errors.New("hook: a database is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CheckMapping == nil {
		o.CheckMapping = func(*client.AlertMapping) error { return invalid("mappings are not taken here") }
	}
	r := &Registry{o: o}
	return r, r.load(ctx)
}

type row struct {
	h    Hook
	body string
}

func scan(s control.Row) (out row, err error) {
	out.h.stats = &stats{}
	var registered int
	var created, updated, deliveries, refused, forgeries, last, lastRefused int64
	h := &out.h
	err = s.Scan(&h.Name, &h.Purpose, &h.Kind, &h.Team, &registered, &out.body, &h.Revision, &created, &updated, &deliveries, &refused, &forgeries, &last, &lastRefused)
	h.Registered, h.CreatedAt, h.UpdatedAt = registered == 1, control.Time(created), control.Time(updated)
	h.stats.deliveries.Store(deliveries)
	h.stats.refused.Store(refused)
	h.stats.forged.Store(forgeries)
	h.stats.lastAt.Store(last)
	h.stats.refusedAt.Store(lastRefused)
	return out, err
}

const columns = `name, purpose, kind, team, registered, body, revision, created_at, updated_at, deliveries, refused, forged, last_at, refused_at`

type secretRow struct {
	hook, id, text         string
	created, expires, used int64
}

// load reads everything; counts that are in memory are kept.
func (r *Registry) load(ctx context.Context) error {
	rows, err := control.All(ctx, r.o.DB, scan, `SELECT `+columns+` FROM hooks`)
	if err != nil {
		return err
	}
	secrets, err := control.All(ctx, r.o.DB, func(s control.Row) (out secretRow, err error) {
		return out, s.Scan(&out.hook, &out.id, &out.text, &out.created, &out.expires, &out.used)
	}, `SELECT hook, id, secret, created_at, expires_at, used_at FROM hook_secrets ORDER BY created_at, id`)
	if err != nil {
		return err
	}
	old := r.all.Load()
	next := &snapshot{byName: map[string]*Hook{}, byToken: map[[sha256.Size]byte]string{}}
	for i := range rows {
		h, err := rows[i].build()
		if err != nil {
			return err
		}
		if old != nil && old.byName[h.Name] != nil {
			h.stats = old.byName[h.Name].stats
		}
		next.byName[h.Name] = h
	}
	for _, s := range secrets {
		if h := next.byName[s.hook]; h != nil {
			h.secrets = append(h.secrets, r.open(s))
		}
	}
	for _, h := range next.byName {
		for i := range h.secrets {
			if h.Auth == Token {
				next.byToken[h.secrets[i].hash] = h.Name
			}
		}
	}
	r.all.Store(next)
	return nil
}

func (w *row) build() (*Hook, error) {
	var b body
	if err := json.Unmarshal([]byte(w.body), &b); err != nil {
		return nil, fault.New(fault.KindInternal, "hook.stored", "a stored source cannot be read").WithCause(err)
	}
	h := &w.h
	h.Description, h.Environment, h.Auth, h.URLToken, h.AlertSource.ResolveAfter, h.Branches, h.Mapping = b.Description, b.Environment, b.Auth, b.URLToken, b.ResolveAfter, b.Branches, b.Mapping
	h.ResolveAfter, _ = time.ParseDuration(b.ResolveAfter) // checked when it was set; "" is none
	h.kind, _ = KindOf(h.Kind)
	h.Path = "/api/v1/" + h.Purpose + "/" + h.Name
	return h, nil
}

// open reads a secret; one that cannot be unsealed fits nothing.
func (r *Registry) open(s secretRow) secret {
	out := secret{id: s.id, created: control.Time(s.created), expires: control.Time(s.expires), used: &atomic.Int64{}}
	out.used.Store(s.used)
	how, text, _ := strings.Cut(s.text, ":")
	var raw []byte
	var err error
	switch how {
	case "hash":
		if raw, err = hex.DecodeString(text); err == nil {
			copy(out.hash[:], raw)
		}
	case "plain", "sealed":
		if raw, err = base64.RawStdEncoding.DecodeString(text); err == nil && how == "sealed" {
			if r.o.Sealer == nil {
				err = errors.New("sealed, and there is nothing to open it")
			} else {
				raw, err = r.o.Sealer.Unseal("hook "+s.id, raw)
			}
		}
		out.plain = raw
	}
	if err != nil {
		r.o.Logger.Error("a source's secret cannot be opened: its deliveries are refused", "source", s.hook, "err", err)
		out.plain = nil
	}
	return out
}

// Lookup finds a source by name.
func (r *Registry) Lookup(name string) (*Hook, bool) {
	h, ok := r.all.Load().byName[name]
	return h, ok
}

// ByToken finds the source of one of the tokens that a request carries.
func (r *Registry) ByToken(tokens []string) (*Hook, bool) {
	all := r.all.Load()
	for _, text := range tokens[:min(len(tokens), 8)] {
		// A map from hashes tells by its time nothing about a secret.
		if name, ok := all.byToken[sha256.Sum256([]byte(text))]; ok {
			return all.byName[name], true
		}
	}
	return nil, false
}

// Unknown refuses a delivery for a source that nobody knows as a forged one is.
func (r *Registry) Unknown(auth string) error {
	r.strangers.Add(1)
	return forged(auth)
}

// Strangers counts deliveries for sources that nobody knows.
func (r *Registry) Strangers() int64 { return r.strangers.Load() }

// List lists the sources of a purpose by name; "" is both.
func (r *Registry) List(purpose string) []client.AlertSource {
	var out []client.AlertSource
	for _, h := range r.all.Load().byName {
		if purpose == "" || h.Purpose == purpose {
			out = append(out, h.shape())
		}
	}
	slices.SortFunc(out, func(a, b client.AlertSource) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Get reads one.
func (r *Registry) Get(name string) (client.AlertSource, error) {
	h, ok := r.Lookup(name)
	if !ok {
		return client.AlertSource{}, notFound(name)
	}
	return h.shape(), nil
}

func timeAt(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	t := control.Time(us)
	return &t
}

// shape is the source as the API shows it.
func (h *Hook) shape() client.AlertSource {
	out := h.AlertSource
	out.Secrets = []client.HookSecret{}
	for i := range h.secrets {
		s := &h.secrets[i]
		out.Secrets = append(out.Secrets, client.HookSecret{ID: s.id, CreatedAt: s.created, ExpiresAt: timeAt(control.Micros(s.expires)), UsedAt: timeAt(s.used.Load())})
	}
	out.Deliveries, out.Refused, out.Forged = h.stats.deliveries.Load(), h.stats.refused.Load(), h.stats.forged.Load()
	out.LastAt, out.LastRefused = timeAt(h.stats.lastAt.Load()), timeAt(h.stats.refusedAt.Load())
	if why := h.stats.lastError.Load(); why != nil {
		out.LastError = *why
	}
	return out
}

// check fills in the defaults of what is asked for and refuses what cannot be.
func (r *Registry) check(in *client.PutAlertSourceRequest) (Kind, error) {
	kind, ok := KindOf(in.Kind)
	if !ok {
		var names []string
		for _, k := range Kinds {
			if in.Purpose == "" || in.Purpose == k.Purpose {
				names = append(names, k.Name)
			}
		}
		return kind, invalid("kind is one of %s", strings.Join(names, ", "))
	}
	in.Purpose, in.Auth = cmp.Or(in.Purpose, kind.Purpose), cmp.Or(in.Auth, kind.Auth[0])
	in.ResolveAfter = cmp.Or(in.ResolveAfter, kind.ResolveAfter)
	switch {
	case !GoodName(in.Name):
		return kind, invalid("a source's name has letters, digits, dots, dashes and underscores, at most %d", maxName)
	case in.Purpose != kind.Purpose:
		return kind, invalid("%s sends %s", kind.Title, kind.Purpose)
	case !slices.Contains(kind.Auth, in.Auth):
		return kind, invalid("%s proves itself by %s", kind.Title, strings.Join(kind.Auth, " or "))
	case in.URLToken && in.Auth != Token:
		return kind, invalid("url_token is for sources with a token")
	case in.Mapping != nil && !kind.Mapping:
		return kind, invalid("only sources of kind json have a mapping")
	case len(in.Branches) > 0 && !kind.Branches:
		return kind, invalid("only sources that push have branches")
	case len(in.Branches) > 50 || slices.ContainsFunc(in.Branches, badPattern):
		return kind, invalid("branches are at most 50 names or patterns: main, release/*")
	case len(in.Description) > maxText || len(in.Team) > maxName || len(in.Environment) > maxName:
		return kind, invalid("a field of the source is too long")
	}
	if in.ResolveAfter != "" {
		if d, err := time.ParseDuration(in.ResolveAfter); err != nil || d < time.Minute || d > 90*24*time.Hour {
			return kind, invalid("resolve_after is a duration from 1m to 2160h, not %.40q", in.ResolveAfter)
		}
	}
	if in.Mapping != nil {
		if err := r.o.CheckMapping(in.Mapping); err != nil {
			return kind, err
		}
	}
	return kind, checkSecret(in.Secret)
}

func badPattern(s string) bool {
	_, err := path.Match(s, "x")
	return err != nil || s == "" || len(s) > maxName
}

func checkSecret(s string) error {
	if s != "" && (len(s) < minSecret || len(s) > maxSecret || strings.TrimSpace(s) != s) {
		return invalid("a secret has %d to %d characters and no space at its ends", minSecret, maxSecret)
	}
	return nil
}

// Put makes a source or changes one. A new one's secret comes back once, unless
// the sender made it.
func (r *Registry) Put(ctx context.Context, who Actor, in client.PutAlertSourceRequest) (client.AlertSourceWithSecret, error) {
	var out client.AlertSourceWithSecret
	if in.Kind == "" && in.Revision > 0 { // a change need not repeat what a source is
		if h, ok := r.Lookup(in.Name); ok {
			in.Kind = h.Kind
		}
	}
	kind, err := r.check(&in)
	if err != nil {
		return out, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, exists := r.Lookup(in.Name)
	switch {
	case !who.Can("developer", in.Team, cmp.Or(in.Environment, "*")), exists && !who.Can("developer", old.Team, cmp.Or(old.Environment, "*")):
		return out, fault.New(fault.KindDenied, "hook.denied", "a source is set by developers of the team that it speaks for").WithHint("give --team, or ask an admin for the role")
	case exists && in.Revision != old.Revision:
		return out, fault.New(fault.KindConflict, "hook.revision", "source %s is at revision %d, not %d", in.Name, old.Revision, in.Revision).WithHint("read it again and repeat the change")
	case !exists && in.Revision != 0:
		return out, notFound(in.Name)
	case exists && old.Registered && (old.Kind != in.Kind || old.Purpose != in.Purpose):
		return out, fault.New(fault.KindConflict, "hook.kind", "source %s is of kind %s", in.Name, old.Kind).WithHint("remove it first, or choose another name")
	case !exists && len(r.all.Load().byName) >= maxHooks:
		return out, fault.New(fault.KindExhausted, "hook.too_many", "there are %d sources already", maxHooks).WithHint("remove some")
	}
	fresh := !exists || !old.Registered || old.Auth != in.Auth
	secret := in.Secret
	if fresh && secret == "" {
		if kind.Theirs {
			return out, invalid("%s makes the secret: give it", kind.Title).WithHint("it is shown once when the webhook is made there")
		}
		secret = mint()
		out.Secret = secret
	}
	err = r.o.DB.Write(ctx, func(tx *control.Tx) error {
		if !exists {
			if err := unused(ctx, tx, &in); err != nil {
				return err
			}
		}
		us := control.Micros(r.o.Now())
		text, err := json.Marshal(body{in.Description, in.Environment, in.Auth, in.URLToken, in.ResolveAfter, in.Branches, in.Mapping})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hooks (name, purpose, kind, team, registered, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET purpose = excluded.purpose, kind = excluded.kind, team = excluded.team, registered = 1, body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			in.Name, in.Purpose, in.Kind, in.Team, string(text), in.Revision+1, us, us); err != nil {
			return err
		}
		if fresh && exists { // a secret of the other way of proving fits nothing
			if _, err := tx.Exec(ctx, `DELETE FROM hook_secrets WHERE hook = ?`, in.Name); err != nil {
				return err
			}
		}
		if secret != "" {
			if err := r.addSecret(ctx, tx, in.Name, in.Auth, secret, control.Micros(r.o.Now().Add(keepOld))); err != nil {
				return err
			}
		}
		record := audit.Record{Kind: "admin.hook_put", Person: who.Person, Via: who.Via, Action: "put", Object: in.Name, After: said(&in)}
		if exists {
			record.Before = old.said()
		}
		return r.record(ctx, tx, record)
	})
	if err == nil {
		err = r.load(ctx)
	}
	if err != nil {
		return client.AlertSourceWithSecret{}, err
	}
	out.AlertSource, err = r.Get(in.Name)
	return out, err
}

// unused refuses a name that another team's source had: what that said is kept
// under it.
func unused(ctx context.Context, tx *control.Tx, in *client.PutAlertSourceRequest) error {
	team, had, err := control.One(ctx, tx, func(row control.Row) (s string, err error) { return s, row.Scan(&s) }, `SELECT team FROM hook_names WHERE name = ?`, in.Name)
	if err != nil || !had || team == in.Team {
		return err
	}
	return fault.New(fault.KindConflict, "hook.name_taken", "a source of another team was called %s, and what it said is kept under that name", in.Name).
		WithHint("choose another name")
}

// said is what the audit record holds of a source: no secret.
func said(in *client.PutAlertSourceRequest) any {
	c := *in
	c.Secret = ""
	return struct {
		Name string `json:"name"`
		client.PutAlertSourceRequest
	}{in.Name, c}
}

func (h *Hook) said() any {
	return said(&client.PutAlertSourceRequest{
		Name: h.Name, Purpose: h.Purpose, Kind: h.Kind, Description: h.Description, Team: h.Team, Environment: h.Environment, Auth: h.Auth,
		URLToken: h.URLToken, ResolveAfter: h.AlertSource.ResolveAfter, Branches: h.Branches, Mapping: h.Mapping, Revision: h.Revision,
	})
}

func (r *Registry) record(ctx context.Context, tx *control.Tx, a audit.Record) error {
	if err := audit.Append(ctx, tx, a); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "alert_source.updated", Object: a.Object})
}

// keepOld is how long the secret before is taken beside a new one.
const keepOld = 24 * time.Hour

// addSecret adds a secret and lets the newest one before it live until then;
// older ones end: there are two at most.
func (r *Registry) addSecret(ctx context.Context, tx *control.Tx, name, auth, text string, until int64) error {
	id := "hks_" + random(12)
	stored, err := r.store(id, auth, text)
	if err != nil {
		return err
	}
	us := control.Micros(r.o.Now())
	if _, err := tx.Exec(ctx, `DELETE FROM hook_secrets WHERE hook = ? AND (expires_at <> 0 OR ? <= ?)`, name, until, us); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE hook_secrets SET expires_at = ? WHERE hook = ?`, until, name); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO hook_secrets (id, hook, secret, created_at) VALUES (?, ?, ?, ?)`, id, name, stored, us)
	return err
}

func (r *Registry) store(id, auth, text string) (string, error) {
	if auth == Token {
		sum := sha256.Sum256([]byte(text))
		return "hash:" + hex.EncodeToString(sum[:]), nil
	}
	if r.o.Sealer == nil {
		return "plain:" + base64.RawStdEncoding.EncodeToString([]byte(text)), nil
	}
	sealed, err := r.o.Sealer.Seal("hook "+id, []byte(text))
	return "sealed:" + base64.RawStdEncoding.EncodeToString(sealed), err
}

// Rotate gives a source a new secret, and lets the old one live for a while.
func (r *Registry) Rotate(ctx context.Context, who Actor, in client.RotateAlertSourceRequest) (client.AlertSourceWithSecret, error) {
	var out client.AlertSourceWithSecret
	keep := keepOld
	if in.Keep != "" {
		var err error
		if keep, err = time.ParseDuration(in.Keep); err != nil || keep < 0 || keep > 30*24*time.Hour {
			return out, invalid("keep is a duration from 0s to 720h, not %.40q", in.Keep)
		}
	}
	if err := checkSecret(in.Secret); err != nil {
		return out, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.changeable(who, in.Name)
	if err != nil {
		return out, err
	}
	secret := in.Secret
	if secret == "" {
		if h.kind.Theirs {
			return out, invalid("%s makes the secret: give the new one", h.kind.Title)
		}
		secret = mint()
		out.Secret = secret
	}
	err = r.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := r.addSecret(ctx, tx, in.Name, h.Auth, secret, control.Micros(r.o.Now().Add(keep))); err != nil {
			return err
		}
		return r.record(ctx, tx, audit.Record{Kind: "admin.hook_rotated", Person: who.Person, Via: who.Via, Action: "rotate", Object: in.Name})
	})
	if err == nil {
		err = r.load(ctx)
	}
	if err != nil {
		return client.AlertSourceWithSecret{}, err
	}
	out.AlertSource, err = r.Get(in.Name)
	return out, err
}

func (r *Registry) changeable(who Actor, name string) (*Hook, error) {
	h, ok := r.Lookup(name)
	if !ok {
		return nil, notFound(name)
	}
	if !who.Can("developer", h.Team, cmp.Or(h.Environment, "*")) {
		return nil, fault.New(fault.KindDenied, "hook.denied", "a source is set by developers of the team that it speaks for")
	}
	return h, nil
}

// Delete removes a source with its secrets; what it sent stays.
func (r *Registry) Delete(ctx context.Context, who Actor, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.changeable(who, name)
	if err != nil {
		return err
	}
	err = r.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM hooks WHERE name = ?`, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hook_names (name, team, deleted_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET team = excluded.team, deleted_at = excluded.deleted_at`, name, h.Team, control.Micros(r.o.Now())); err != nil {
			return err
		}
		return r.record(ctx, tx, audit.Record{Kind: "admin.hook_deleted", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Before: h.said()})
	})
	if err != nil {
		return err
	}
	return r.load(ctx)
}

// Known is the source of a sender that shows an intake key: it is made when it
// first sends, and has no secret of its own.
func (r *Registry) Known(ctx context.Context, purpose, kind, team, environment string) (*Hook, error) {
	name := kind
	for _, part := range [...]string{team, environment} {
		if part != "" {
			name += "." + part
		}
	}
	if !GoodName(name) {
		sum := sha256.Sum256([]byte(team + "\x00" + environment))
		name = kind + "." + hex.EncodeToString(sum[:6])
	}
	same := func(h *Hook) bool {
		return h.Purpose == purpose && h.Kind == kind && h.Team == team && h.Environment == environment
	}
	if h, ok := r.Lookup(name); ok && same(h) {
		return h, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, ok := r.Lookup(name); ok { // a registered one that has this name is somebody else's
		if same(h) {
			return h, nil
		}
		return nil, fault.New(fault.KindConflict, "hook.name_taken", "source %s is registered for others", name).WithHint("register a source and send with its token")
	}
	if len(r.all.Load().byName) >= maxHooks {
		return nil, fault.New(fault.KindExhausted, "hook.too_many", "there are %d sources already", maxHooks).WithHint("remove some")
	}
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		k, _ := KindOf(kind)
		text, err := json.Marshal(body{Environment: environment, Auth: Token, ResolveAfter: k.ResolveAfter})
		if err != nil {
			return err
		}
		us := control.Micros(r.o.Now())
		if _, err := tx.Exec(ctx, `INSERT INTO hooks (name, purpose, kind, team, registered, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, 0, ?, 1, ?, ?)`,
			name, purpose, kind, team, string(text), us, us); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "alert_source.updated", Object: name})
	})
	if err == nil {
		err = r.load(ctx)
	}
	h, _ := r.Lookup(name)
	return h, err
}

// Run writes counts down every ten seconds, and when it ends.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = r.flush(last) // counts of the last seconds: nothing depends on them
			return context.Cause(ctx)
		case <-tick.C:
			if err := r.flush(ctx); err != nil && ctx.Err() == nil {
				r.o.Logger.Warn("counts of sources were not written", "err", err)
			}
		}
	}
}

func (r *Registry) flush(ctx context.Context) error {
	var dirty []*Hook
	for _, h := range r.all.Load().byName {
		if h.stats.dirty.Swap(false) {
			dirty = append(dirty, h)
		}
	}
	if len(dirty) == 0 {
		return nil
	}
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, h := range dirty {
			if _, err := tx.Exec(ctx, `UPDATE hooks SET deliveries = ?, refused = ?, forged = ?, last_at = ?, refused_at = ? WHERE name = ?`,
				h.stats.deliveries.Load(), h.stats.refused.Load(), h.stats.forged.Load(), h.stats.lastAt.Load(), h.stats.refusedAt.Load(), h.Name); err != nil {
				return err
			}
			for i := range h.secrets {
				if _, err := tx.Exec(ctx, `UPDATE hook_secrets SET used_at = ? WHERE id = ? AND used_at < ?`, h.secrets[i].used.Load(), h.secrets[i].id, h.secrets[i].used.Load()); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		for _, h := range dirty {
			h.stats.dirty.Store(true)
		}
	}
	return err
}

// Count is what one source was sent, for /metrics.
type Count struct {
	Name, Purpose, Kind         string
	Deliveries, Refused, Forged int64
}

// Counts are the counts of all sources.
func (r *Registry) Counts() []Count {
	var out []Count
	all := r.all.Load().byName
	for _, name := range slices.Sorted(maps.Keys(all)) {
		h := all[name]
		out = append(out, Count{h.Name, h.Purpose, h.Kind, h.stats.deliveries.Load(), h.stats.refused.Load(), h.stats.forged.Load()})
	}
	return out
}
