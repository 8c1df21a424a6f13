// Package upstream is what the door forwards to: model providers and HTTP APIs,
// each with its own credential.
//
// What for: an agent names an upstream and a path; where that is, what may be
// called there, which credential opens it and whether it answers stand here.
//
// Who calls it: the door looks up, matches, authorizes and dials for every
// call; api and the command line put and delete.
//
// Promises: Lookup reads memory only and what it gives never changes. No
// credential is ever read back: one given as a value is kept in a file of mode
// 0600 in the data folder, apart from the database. Changing an upstream's URL
// or headers drops its credential. Addresses are checked when dialled, after
// the name was resolved, and redirects are never followed, so neither a name
// nor an answer leads the door into the house's own network.
//
// How it fails: refusals are faults upstream.*; a dial that is refused gives
// upstream.address, a failing upstream upstream.open, a credential that is not
// there upstream.credential_missing.
//
// Start reading at Registry.Put and Upstream.Authorize; dial.go has the
// addresses, route.go the entitlements, breaker.go the health.
package upstream

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

// Options are what a Registry needs; DB and Dir are required.
type Options struct {
	DB  *control.DB
	Dir string // the data folder
	// SecretDirs are the folders that credentials of source file may lie in;
	// nil means /run/secrets and "secrets" in Dir.
	SecretDirs []string
	Vault      VaultConfig // for credentials of source vault
	// Static are upstreams that the configuration defines: nobody changes or
	// deletes them, and they come before stored ones of the same name.
	Static []client.Upstream
	// Tokens gets the tokens of upstreams whose credential is of kind oauth; nil
	// refuses such credentials.
	Tokens Tokens
	Logger *slog.Logger
	Now    func() time.Time // nil means time.Now
}

// Registry is the upstreams, in memory and in the control database.
type Registry struct {
	db      *control.DB
	dir     string // of secrets given as values
	folders []string
	vault   *vault
	tokens  Tokens
	log     *slog.Logger
	now     func() time.Time

	change sync.Mutex
	all    atomic.Pointer[map[string]*Upstream]

	switches atomic.Pointer[map[string]*switched]
}

// Upstream is one upstream as the door uses it. It never changes; its health
// does.
type Upstream struct {
	client.Upstream
	registry  *Registry
	base      *url.URL
	routes    []route
	transport *http.Transport
	send      http.RoundTripper // over transport
	static    bool              // the configuration defines it
	clear2    *http.Transport   // made by cleartext
	cleartext sync.Once
	breaker   *Breaker
	secret    string // the value, for source value
	secretID  string // the name of its file
	file      atomic.Pointer[fileSecret]
	leak      atomic.Pointer[leakForms]
}

// fileSecret is a credential's file as last read.
type fileSecret struct {
	value   string
	checked time.Time
	changed time.Time
}

// stored is an upstream as the database keeps it.
type stored struct {
	client.Upstream
	Secret string `json:"secret_file,omitempty"`
}

const (
	maxUpstreams = 1000
	maxSecret    = 16 << 10
	fileEvery    = time.Second // how often a credential's file is looked at
)

// New loads the upstreams. It starts nothing.
func New(ctx context.Context, o Options) (*Registry, error) {
	r := &Registry{db: o.DB, dir: filepath.Join(o.Dir, "upstream-secrets"), folders: o.SecretDirs, tokens: o.Tokens, log: o.Logger, now: o.Now}
	if r.folders == nil {
		r.folders = []string{"/run/secrets", filepath.Join(o.Dir, "secrets")}
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	var err error
	if r.vault, err = newVault(o.Vault, r.log, r.now); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fault.New(fault.KindUnavailable, "upstream.folder", "the folder of upstream credentials cannot be made").WithCause(err)
	}
	rows, err := control.All(ctx, r.db, scan, `SELECT `+columns)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Upstream, len(rows))
	for _, s := range rows {
		secret := ""
		if s.Secret != "" {
			b, err := os.ReadFile(filepath.Join(r.dir, s.Secret))
			if err != nil {
				r.log.Warn("an upstream's credential cannot be read", "upstream", s.Name, "err", err)
			}
			secret = string(b)
		}
		u, err := r.build(s, secret, nil)
		if err != nil {
			return nil, err
		}
		all[u.Name] = u
	}
	for _, s := range o.Static {
		if all[s.Name] != nil {
			r.log.Warn("an upstream of the configuration stands for a stored one", "upstream", s.Name)
		}
		s.CreatedAt, s.UpdatedAt = r.now().UTC(), r.now().UTC()
		u, err := r.build(stored{Upstream: s}, "", nil)
		if err != nil {
			return nil, err
		}
		u.static, all[s.Name] = true, u
	}
	r.all.Store(&all)
	return r, r.loadSwitches(ctx)
}

const columns = `body FROM upstreams`

func scan(row control.Row) (s stored, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return s, fault.New(fault.KindInternal, "upstream.stored", "a stored upstream cannot be read").WithCause(err)
	}
	return s, nil
}

// build makes what the door uses of what is stored.
func (r *Registry) build(s stored, secret string, breaker *Breaker) (*Upstream, error) {
	base, err := url.Parse(s.URL)
	if err != nil {
		return nil, invalid("%q is no URL", s.URL)
	}
	routes, err := compile(s.Routes)
	if err != nil {
		return nil, err
	}
	if breaker == nil {
		breaker = NewBreaker(r.now)
	}
	u := &Upstream{
		Upstream: s.Upstream, registry: r, base: base, routes: routes, breaker: breaker, secret: secret, secretID: s.Secret,
		transport: newTransport(s.AllowPrivate, time.Duration(s.TimeoutMS)*time.Millisecond),
	}
	u.send = u.transport
	if c := u.Credential; c != nil && c.Kind == kindOAuth {
		u.send = renewing{u}
	}
	return u, nil
}

// Lookup finds an upstream by name, without a lock.
func (r *Registry) Lookup(name string) (*Upstream, bool) {
	u, ok := (*r.all.Load())[name]
	return u, ok
}

// Of are the upstreams of a kind by name, as the door uses them.
func (r *Registry) Of(kind string) []*Upstream {
	var out []*Upstream
	all := *r.all.Load()
	for _, u := range all {
		if u.Kind == kind {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *Upstream) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// List is all upstreams by name, with their health and without secrets.
func (r *Registry) List() []client.Upstream {
	var out []client.Upstream
	all := *r.all.Load()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name].Shape())
	}
	return out
}

// Shape is the upstream as people see it.
func (u *Upstream) Shape() client.Upstream {
	out := u.Upstream
	if out.Credential != nil {
		c := *out.Credential
		_, err := u.value()
		c.Value, c.Set = "", err == nil
		out.Credential = &c
		if c.Kind == kindOAuth && u.registry.tokens != nil {
			state := u.registry.tokens.State(u)
			out.Connection = &state
		}
	}
	out.Health = u.breaker.Health()
	out.Switch = u.registry.Switched(u.Name)
	return out
}

// Put makes or replaces an upstream. Revision is the one that was read, 0 to
// make a new one. A credential of source value without a value keeps the stored
// one; when URL, headers or the right to private addresses change, a credential
// that is not given anew is dropped, which the answer shows.
func (r *Registry) Put(ctx context.Context, by string, in client.Upstream) (client.Upstream, error) {
	if err := r.check(&in); err != nil {
		return client.Upstream{}, err
	}
	r.change.Lock()
	defer r.change.Unlock()
	old := (*r.all.Load())[in.Name]
	switch {
	case old != nil && old.static:
		return client.Upstream{}, errStatic
	case old == nil && in.Revision != 0:
		return client.Upstream{}, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %s", in.Name)
	case old != nil && in.Revision != old.Revision:
		return client.Upstream{}, fault.New(fault.KindConflict, "upstream.revision", "upstream %s is at revision %d, not %d", in.Name, old.Revision, in.Revision).
			WithHint("read it again and repeat the change")
	case old == nil && len(*r.all.Load()) >= maxUpstreams:
		return client.Upstream{}, fault.New(fault.KindExhausted, "upstream.too_many", "there are %d upstreams already", maxUpstreams)
	}
	now := r.now().UTC().Truncate(time.Microsecond)
	s := stored{Upstream: in}
	s.CreatedAt, s.UpdatedAt, s.Revision, s.Health, s.Connection, s.Switch = now, now, in.Revision+1, client.UpstreamHealth{}, nil, nil
	var breaker *Breaker
	if old != nil {
		s.CreatedAt = old.CreatedAt
		if s.URL == old.URL {
			breaker = old.breaker
		}
	}
	secret, dropped, err := s.keep(old)
	if err != nil {
		return client.Upstream{}, err
	}
	fresh := s.Secret == "" && secret != ""
	if fresh {
		s.Secret = strings.ToLower(rand.Text())
		if err := writeSecret(filepath.Join(r.dir, s.Secret), secret); err != nil {
			return client.Upstream{}, fault.New(fault.KindUnavailable, "upstream.folder", "the credential cannot be stored").WithCause(err)
		}
	}
	u, err := r.build(s, secret, breaker)
	if err == nil {
		err = r.db.Write(ctx, func(tx *control.Tx) error {
			body, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO upstreams (name, body, created_at, updated_at, revision) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, revision = excluded.revision`,
				s.Name, string(body), control.Micros(s.CreatedAt), control.Micros(now), s.Revision); err != nil {
				return err
			}
			if err := r.disconnect(ctx, tx, old, u); err != nil {
				return err
			}
			tx.AfterCommit(func() { r.publish(s.Name, u) })
			kind := "admin.upstream_put"
			if dropped {
				kind = "admin.upstream_credential_dropped"
			}
			return record(ctx, tx, kind, by, "put", s.Name, old, &s)
		})
	}
	if err != nil {
		if fresh {
			_ = os.Remove(filepath.Join(r.dir, s.Secret)) // nobody refers to it
		}
		return client.Upstream{}, err
	}
	if old != nil && old.secretID != s.Secret {
		r.forget(old.secretID)
	}
	if dropped {
		r.log.Warn("an upstream changed where it leads: its credential was dropped", "upstream", s.Name, "by", by)
	}
	return u.Shape(), nil
}

var errStatic = fault.New(fault.KindConflict, "upstream.configured", "the configuration file defines this upstream").
	WithHint("change it there")

// keep finds the credential of the new state: its secret, and whether the old
// one was dropped. It takes the value out of s.
func (s *stored) keep(old *Upstream) (secret string, dropped bool, err error) {
	moved := old != nil && (s.URL != old.URL || !maps.Equal(s.Headers, old.Headers) || s.AllowPrivate != old.AllowPrivate || !slices.Equal(origins(&s.Upstream), origins(&old.Upstream)))
	var had *client.Credential
	if old != nil {
		had = old.Credential
	}
	if s.Credential == nil {
		return "", had != nil && moved, nil
	}
	c := *s.Credential
	s.Credential = &c
	c.Set = false
	same := had != nil && had.Source == c.Source && had.Ref == c.Ref
	switch {
	case c.Source == "value" && c.Value != "":
		secret, c.Value = c.Value, ""
	case same && moved:
		s.Credential = nil
		return "", true, nil
	case c.Source == "value" && same:
		secret, s.Secret = old.secret, old.secretID
	case c.Source == "value":
		return "", false, invalid("the credential has no value")
	}
	return secret, false, nil
}

func writeSecret(path, secret string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret)
	return errors.Join(err, f.Sync(), f.Close())
}

func (r *Registry) forget(id string) {
	if id == "" {
		return
	}
	if err := os.Remove(filepath.Join(r.dir, id)); err != nil {
		r.log.Warn("an old upstream credential could not be removed", "err", err)
	}
}

// Delete removes an upstream and its credential.
func (r *Registry) Delete(ctx context.Context, by, name string) error {
	r.change.Lock()
	defer r.change.Unlock()
	old, ok := r.Lookup(name)
	if !ok {
		return fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %s", name)
	}
	if old.static {
		return errStatic
	}
	err := r.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM upstreams WHERE name = ?`, name); err != nil {
			return err
		}
		if err := r.disconnect(ctx, tx, old, nil); err != nil {
			return err
		}
		tx.AfterCommit(func() { r.publish(name, nil) })
		return record(ctx, tx, "admin.upstream_deleted", by, "delete", name, old, nil)
	})
	if err == nil {
		r.forget(old.secretID)
	}
	return err
}

// publish puts u in force (nil: removes it); change is held.
func (r *Registry) publish(name string, u *Upstream) {
	all := maps.Clone(*r.all.Load())
	if old := all[name]; old != nil {
		old.transport.CloseIdleConnections() // calls in flight end on it
	}
	if delete(all, name); u != nil {
		all[name] = u
	}
	r.all.Store(&all)
}

func record(ctx context.Context, tx *control.Tx, kind, by, action, name string, old *Upstream, s *stored) error {
	state := func(u client.Upstream) map[string]any {
		m := map[string]any{"kind": u.Kind, "url": u.URL, "team": u.Team, "environment": u.Environment, "allow_private": u.AllowPrivate, "revision": u.Revision}
		if c := u.Credential; c != nil {
			m["credential"] = c.Kind + " from " + c.Source
			if c.OAuth != nil {
				m["oauth"] = *c.OAuth
			}
		}
		return m
	}
	var before, after any
	if old != nil {
		before = state(old.Upstream)
	}
	if s != nil {
		after = state(s.Upstream)
	}
	if err := audit.Append(ctx, tx, audit.Record{Kind: kind, Person: by, Action: action, Object: name, Before: before, After: after}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "upstream.updated", Object: name})
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "upstream.invalid", format, args...)
}

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	envForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	scopeForm   = regexp.MustCompile(`^[a-z0-9-]{0,64}$`)
	askHostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:[0-9]{1,5})?$`)
	headerForm  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
)

// check refuses what cannot work or would not be safe.
func (r *Registry) check(u *client.Upstream) error {
	switch {
	case u.Name == "local":
		return invalid("%q stands for the tools that run inside an agent's own process", u.Name)
	case !nameForm.MatchString(u.Name):
		return invalid("%.60q cannot name an upstream", u.Name).WithHint("use up to 40 lower-case letters, digits and -, a letter first")
	case u.Kind != "llm" && u.Kind != "http" && u.Kind != "mcp" && u.Kind != "a2a":
		return invalid("an upstream's kind is llm, http, mcp or a2a")
	case u.Kind == "llm" && !slices.Contains([]string{"openai", "anthropic", "azure", "bedrock", "gemini"}, u.Dialect):
		return invalid("a model upstream's dialect is openai, anthropic, azure, bedrock or gemini")
	case u.Kind == "http" && u.Dialect != "":
		return invalid("an HTTP upstream has no dialect")
	case u.Kind == "mcp" && !slices.Contains([]string{"", "stateless", "session", "sse"}, u.Dialect):
		return invalid("a server of tools has the dialect stateless (2026-07-28), session (2025-03-26 to 2025-11-25) or sse (2024-11-05), or none, and then is asked")
	case u.Kind == "mcp" && len(u.Routes)+len(u.Models)+len(u.Fallback) > 0:
		return invalid("a server of tools has no routes, models or fallback")
	case u.Team == "" || u.Environment == "" || len(u.Team) > 64 || len(u.Environment) > 64:
		return invalid("an upstream belongs to a team and an environment")
	case u.TimeoutMS < 0 || u.TimeoutMS > 3_600_000 || u.MaxTokens < 0:
		return invalid("timeout_ms is at most an hour, and no limit is negative")
	case len(u.Headers) > 50 || len(u.Models) > 1000 || len(u.Classes) > 50 || len(u.Fallback) > 5:
		return invalid("an upstream has at most 50 headers, 1,000 models, 50 classes and 5 fallbacks")
	case slices.Contains(u.Fallback, u.Name):
		return invalid("an upstream is no fallback of its own")
	}
	base, err := url.Parse(u.URL)
	if err != nil || len(u.URL) > 2000 || base.Hostname() == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" || base.Opaque != "" {
		return invalid("url is an address like https://api.example.com/v1, without user, query and fragment")
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http":
		return invalid("url begins with https:// or http://")
	case base.Scheme == "http" && !u.AllowPrivate:
		return invalid("plain http would show credential and content to everybody on the way").WithHint("use https, or --allow-private (allow_private) for an address inside the house")
	}
	if base.Path != "" {
		if _, err := segments(base.EscapedPath()); err != nil {
			return err
		}
	}
	if len(u.AskHosts) > 50 || len(u.AskHosts) > 0 && u.Kind != "mcp" {
		return invalid("at most 50 hosts, to which a server of tools may send people")
	}
	for i, h := range u.AskHosts {
		if u.AskHosts[i] = strings.ToLower(h); !askHostForm.MatchString(u.AskHosts[i]) {
			return invalid("%.60q is no host", h)
		}
	}
	if u.HealthPath != "" {
		if _, err := segments(u.HealthPath); err != nil {
			return err
		}
	}
	if ip, err := netip.ParseAddr(base.Hostname()); err == nil {
		if err := CheckAddress(ip, u.AllowPrivate); err != nil {
			return err
		}
	}
	if err := checkHeaders(u.Headers); err != nil {
		return err
	}
	for _, m := range u.Models {
		if m.Name == "" || len(m.Name) > 200 || strings.Contains(strings.TrimSuffix(m.Name, "*"), "*") || m.MaxOutput < 0 {
			return invalid("model %.60q is no name and no prefix ending in *", m.Name)
		}
	}
	if _, err := compile(u.Routes); err != nil {
		return err
	}
	if err := checkPeer(u); err != nil {
		return err
	}
	return r.checkCredential(u.Credential)
}

func checkHeaders(all map[string]string) error {
	for k, v := range all {
		if !headerForm.MatchString(k) || len(v) > 4096 || strings.ContainsAny(v, "\r\n\x00") {
			return invalid("header %.60q cannot be sent", k)
		}
		if removed(http.CanonicalHeaderKey(k)) {
			return invalid("header %s is set by Reeve itself", k).WithHint("give a credential as credential")
		}
	}
	return nil
}

func (r *Registry) checkCredential(c *client.Credential) error {
	if c == nil {
		return nil
	}
	if c.Kind == kindOAuth || c.OAuth != nil {
		if err := r.checkOAuth(c); err != nil || c.Source == "" {
			return err
		}
	}
	switch {
	case !slices.Contains([]string{"bearer", "header", "basic", "query", "sigv4", kindOAuth}, c.Kind):
		return invalid("a credential's kind is bearer, header, basic, query, sigv4 or oauth")
	case c.Kind == "sigv4" && (!scopeForm.MatchString(c.Region) || !scopeForm.MatchString(c.Header) || strings.ContainsFunc(c.User, unprintable) || strings.ContainsAny(c.User, ",/=:")):
		return invalid("a sigv4 credential has a region, the service's name as header where the host does not show it, and the access key's id as user")
	case c.Kind == "sigv4" && c.Value != "" && !goodKeys(c):
		return invalid("a sigv4 credential's value is the secret key where user is the access key's id, else ID:SECRET, ID:SECRET:TOKEN or JSON with AccessKeyId, SecretAccessKey and SessionToken")
	case (c.Kind == "header" || c.Kind == "query") && !headerForm.MatchString(c.Header):
		return invalid("a %s credential needs header, the name it is sent under", c.Kind)
	case c.Kind == "basic" && (c.User == "" || strings.ContainsAny(c.User, ":\r\n")):
		return invalid("a basic credential needs user")
	case len(c.Value) > maxSecret || strings.ContainsAny(c.Value, "\r\n\x00") && !keyed(c):
		return invalid("a credential's value is one line of at most %d bytes", maxSecret)
	case c.Value != "" && c.Source != "value":
		return invalid("a credential from %.20q has no value", c.Source)
	}
	switch c.Source {
	case "value":
		if c.Ref != "" {
			return invalid("a credential given as a value has no ref")
		}
	case "env":
		// Reeve's own variables hold its own secrets.
		if !envForm.MatchString(c.Ref) || strings.HasPrefix(c.Ref, "VAULT_") || strings.HasPrefix(c.Ref, "REEVE_") && !strings.HasPrefix(c.Ref, "REEVE_UPSTREAM_") {
			return invalid("ref names an environment variable of the server, and none of Reeve's own or of Vault")
		}
	case "file":
		if !r.allowedFile(filepath.Clean(c.Ref)) {
			return invalid("a credential's file lies in a folder of secrets").WithHint("put it in one of %s", strings.Join(r.folders, ", "))
		}
	case "vault":
		return r.vault.checkRef(c.Ref)
	default:
		return invalid("a credential's source is value, env, file or vault")
	}
	return nil
}

func (r *Registry) allowedFile(path string) bool {
	return filepath.IsAbs(path) && slices.ContainsFunc(r.folders, func(dir string) bool {
		abs, err := filepath.Abs(dir)
		return err == nil && strings.HasPrefix(path, abs+string(filepath.Separator))
	})
}

func missing(name string) *fault.Error {
	return fault.New(fault.KindUnavailable, "upstream.credential_missing", "the credential of upstream %s is not there", name).
		WithHint("set it again, or mend the variable or file it comes from")
}

// value is what goes upstream of the credential, as it is now.
func (u *Upstream) value() (string, error) {
	if u.Credential.Kind == kindOAuth {
		return u.held()
	}
	return u.sourced()
}

// sourced is the credential's secret as it is now where it comes from.
func (u *Upstream) sourced() (string, error) {
	v := ""
	switch c := u.Credential; c.Source {
	case "value":
		v = u.secret
	case "env":
		v = os.Getenv(c.Ref)
	case "file":
		return u.fromFile(c.Ref)
	case "vault":
		v, err := u.registry.vault.value(c.Ref)
		if err != nil {
			return "", missing(u.Name).WithCause(err)
		}
		return v, nil
	}
	if v == "" {
		return "", missing(u.Name)
	}
	return v, nil
}

// fromFile reads the credential's file again when it changed, so that a rotated
// secret is used within a second.
func (u *Upstream) fromFile(path string) (string, error) {
	now := u.registry.now()
	old := u.file.Load()
	if old != nil && now.Sub(old.checked) < fileEvery {
		return old.value, nil
	}
	// Links are followed first: a link out of the folder would read anything.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", missing(u.Name).WithCause(err)
	}
	if !u.registry.insideReal(real) {
		return "", missing(u.Name)
	}
	info, err := os.Stat(real)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSecret {
		return "", missing(u.Name).WithCause(err)
	}
	f := &fileSecret{checked: now, changed: info.ModTime()}
	if old != nil && old.changed.Equal(f.changed) {
		f.value = old.value
	} else {
		b, err := os.ReadFile(real)
		if err != nil {
			return "", missing(u.Name).WithCause(err)
		}
		f.value = strings.TrimSpace(string(b))
	}
	if f.value == "" || strings.ContainsAny(f.value, "\r\n\x00") && u.Credential.Kind != "sigv4" && !keyed(u.Credential) {
		return "", missing(u.Name)
	}
	u.file.Store(f)
	return f.value, nil
}

func (r *Registry) insideReal(real string) bool {
	return slices.ContainsFunc(r.folders, func(dir string) bool {
		d, err := filepath.EvalSymlinks(dir)
		return err == nil && strings.HasPrefix(real, d+string(filepath.Separator))
	})
}

// Authorize adds the upstream's headers and its own credential to a request
// whose agent's headers went through Outgoing. It comes last: a signature is of
// the URL and body as they are now.
func (u *Upstream) Authorize(req *http.Request) error {
	for k, v := range u.Headers {
		req.Header.Set(k, v)
	}
	c := u.Credential
	if c == nil {
		return nil
	}
	if c.Kind == kindOAuth {
		return u.bear(req)
	}
	v, err := u.value()
	if err != nil {
		return err
	}
	switch c.Kind {
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+v)
	case "header":
		req.Header.Set(c.Header, v)
	case "basic":
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.User+":"+v)))
	case "sigv4":
		return u.sign(req, v, u.registry.now())
	case "query":
		q := req.URL.Query()
		q.Set(c.Header, v)
		req.URL.RawQuery = q.Encode()
	}
	return nil
}

// removed names the headers of an agent's request that never go upstream: its
// own credentials, what belongs to one connection, and what is for Reeve.
func removed(name string) bool {
	switch name {
	case "Authorization", "Proxy-Authorization", "Dpop", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Amz-Security-Token", "Client-Cert", "Client-Cert-Chain", "X-Forwarded-Client-Cert",
		"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Content-Length":
		return true
	}
	return strings.HasPrefix(name, "X-Reeve-")
}

// redirects names the headers by which an agent would have an upstream take the
// call for another one, by method, path or who it comes from, than was decided.
// An operator may still set them as an upstream's own.
func redirects(name string) bool {
	switch name {
	case "Forwarded", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip":
		return true
	}
	return Rewrites(name) || strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Amzn-Oidc-")
}

// Rewrites reports whether a header, by its name in canonical form, would have an
// upstream take a call for another one by its method, host or path.
func Rewrites(name string) bool {
	switch hyphened(name) {
	case "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Original-Host",
		"X-Rewrite-Url", "X-Host", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Url", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Host", "X-Forwarded-Server":
		return true
	}
	return false
}

// Goes reports whether an agent's header of a name in canonical form goes upstream,
// unless Connection names it.
func Goes(name string) bool {
	name = hyphened(name)
	return !removed(name) && !redirects(name)
}

// hyphened is a header's name as CGI and its kin read it, who take an underscore
// for a hyphen.
func hyphened(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	return http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

// Outgoing copies what may go upstream of an agent's headers.
func Outgoing(dst, src http.Header) {
	var named []string // by Connection: they end here
	for _, v := range src["Connection"] {
		for name := range strings.SplitSeq(v, ",") {
			named = append(named, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for k, v := range src {
		name := http.CanonicalHeaderKey(k)
		if slices.Contains(named, name) {
			continue
		}
		if Goes(name) {
			dst[k] = slices.Clone(v)
		}
	}
}

// Nowhere stands for the upstream of calls that are for none in particular. It
// leads nowhere: whoever proposes a call to it carries the call himself.
func Nowhere(kind string) *Upstream {
	r := &Registry{now: time.Now, log: slog.New(slog.DiscardHandler)}
	t := newTransport(false, 0)
	return &Upstream{
		Upstream: client.Upstream{Name: "*", Kind: kind, Shared: true}, registry: r, base: &url.URL{Scheme: "http", Host: "nowhere.invalid"},
		transport: t, send: t, breaker: NewBreaker(time.Now),
	}
}

// Transport sends requests to the upstream; it follows no redirect. Where the
// credential is a token, one that the upstream refuses is replaced and the
// request made again.
func (u *Upstream) Transport() http.RoundTripper { return u.send }

// Breaker is the upstream's health.
func (u *Upstream) Breaker() *Breaker { return u.breaker }
