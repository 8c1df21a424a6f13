// Package oauth is the token endpoint of an installation and what belongs to
// it: metadata, keys, introspection, revocation.
//
// What for: an agent that speaks OAuth gets access tokens for the door, or for
// what it may call elsewhere, by proving a key of its own (private_key_jwt or
// its certificate); it exchanges tokens that were given to it for narrower ones
// that say for whom it acts (RFC 8693).
//
// Who calls it: app mounts Handler on the door's listener; api registers keys
// and what a client may ask for; the door's verifier asks Revoked on each call.
//
// Promises: a client assertion is good once, also after a restart. An exchange
// narrows scope, audience and life, keeps every actor and every binding to a
// key, and is refused unless the token was given to the agent that asks. A
// revoked token takes along what was exchanged from it. There are no client
// secrets: what can be copied out of a file is no proof, and clients that know
// only keys have agent keys. Safe for concurrent use.
//
// How it fails: towards clients with the errors of RFC 6749 §5.2 and their
// status; towards the API with oauth.invalid, oauth.not_found, oauth.too_many.
//
// Start reading at Server.Handler, then grant.go.
package oauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// Options are what a Server needs; all but ActFor, Now and Logger are required.
type Options struct {
	DB       *control.DB
	Keys     *token.Keys
	Verifier *token.Verifier
	Agents   token.Agents
	Issuer   string
	// ActFor is asked before an agent is let act for somebody; its error refuses.
	// nil allows what this package allows.
	ActFor func(ctx context.Context, agent token.Agent, subject token.Principal, audience string, scopes []string) error
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
}

// Server answers at /oauth and /.well-known.
type Server struct {
	o Options

	mu      sync.RWMutex // guards what follows, a copy of the database
	clients map[string]Client
	keys    map[string][]Key
	revoked map[string]time.Time // id -> when it would have ended
}

// Client is what an agent may ask of the token endpoint. The zero value asks
// for tokens for the door alone.
type Client struct {
	Scopes    []string      `json:"scopes,omitempty"`    // that it may ask for
	Audiences []string      `json:"audiences,omitempty"` // beside the door
	Resources []string      `json:"resources,omitempty"` // audiences that it is itself: it may introspect their tokens
	Life      time.Duration `json:"life,omitempty"`      // of its tokens; 0 is DefaultLife
	Bound     bool          `json:"bound,omitempty"`     // tokens must be bound to a key
}

// DefaultLife is how long an access token lives unless its client says other.
const DefaultLife = 15 * time.Minute

// Key is a public key with which an agent signs client assertions.
type Key struct {
	Agent     string
	ID        string // kid
	JWK       string
	Epoch     int64
	CreatedAt time.Time
	ExpiresAt time.Time

	key any
	alg string // "" any that fits the key
}

// Bounds.
const (
	MaxKeyLife  = 365 * 24 * time.Hour
	maxKeys     = 8
	maxList     = 64
	maxWord     = 512
	maxJWK      = 8 << 10
	minLife     = time.Minute
	defaultLife = 90 * 24 * time.Hour // of a key
)

// New reads what is stored. Run keeps it tidy.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, clients: map[string]Client{}, keys: map[string][]Key{}, revoked: map[string]time.Time{}}
	type row struct {
		agent string
		c     Client
	}
	clients, err := control.All(ctx, o.DB, func(r control.Row) (out row, err error) {
		var body string
		if err := r.Scan(&out.agent, &body); err != nil {
			return out, err
		}
		return out, json.Unmarshal([]byte(body), &out.c)
	}, `SELECT agent, body FROM oauth_clients`)
	if err != nil {
		return nil, fmt.Errorf("reading the clients of the token endpoint: %w", err)
	}
	for _, r := range clients {
		s.clients[r.agent] = r.c
	}
	keys, err := control.All(ctx, o.DB, scanKey, `SELECT agent, kid, jwk, epoch, created_at, expires_at FROM oauth_keys ORDER BY created_at, kid`)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of clients: %w", err)
	}
	for _, k := range keys {
		s.keys[k.Agent] = append(s.keys[k.Agent], k)
	}
	type dead struct {
		id      string
		expires int64
	}
	gone, err := control.All(ctx, o.DB, func(r control.Row) (d dead, err error) { return d, r.Scan(&d.id, &d.expires) }, `SELECT id, expires_at FROM revoked_tokens`)
	if err != nil {
		return nil, fmt.Errorf("reading the revoked tokens: %w", err)
	}
	for _, d := range gone {
		s.revoked[d.id] = control.Time(d.expires)
	}
	return s, nil
}

func scanKey(r control.Row) (k Key, err error) {
	var created, expires int64
	if err := r.Scan(&k.Agent, &k.ID, &k.JWK, &k.Epoch, &created, &expires); err != nil {
		return k, err
	}
	k.CreatedAt, k.ExpiresAt = control.Time(created), control.Time(expires)
	jwk, err := parseJWK([]byte(k.JWK))
	if err != nil {
		return k, err
	}
	k.key, k.alg = jwk.Key, jwk.Algorithm
	return k, nil
}

// Run forgets what has ended, until ctx ends, whose cause it returns.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if err := s.tidy(ctx); err != nil && ctx.Err() == nil {
			// What stays longer than needed only costs room.
			s.o.Logger.WarnContext(ctx, "what has ended could not be removed", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (s *Server) tidy(ctx context.Context) error {
	now := s.o.Now()
	err := s.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, q := range []string{`DELETE FROM spent_ids WHERE expires_at < ?`, `DELETE FROM revoked_tokens WHERE expires_at < ?`} {
			if _, err := tx.Exec(ctx, q, control.Micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, end := range s.revoked {
		if end.Before(now) {
			delete(s.revoked, id)
		}
	}
	return err
}

// Revoked reports whether a token, or one that it was exchanged from, was
// revoked. It takes no database.
func (s *Server) Revoked(p token.Principal) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.revoked) == 0 {
		return false
	}
	if _, ok := s.revoked[p.CredentialID]; ok {
		return true
	}
	return slices.ContainsFunc(p.From, func(id string) bool { _, ok := s.revoked[id]; return ok })
}

// RevokeToken ends a token by its id, and what was exchanged from it, at the
// latest until the time it would have ended. It is stored before it returns.
func (s *Server) RevokeToken(ctx context.Context, by, id, reason string, expires time.Time) error {
	if id == "" || len(id) > maxWord {
		return invalid("a token's id is its jti")
	}
	// What was exchanged from it may have begun a moment ago and ends no later.
	if limit := s.o.Now().Add(token.MaxAccessLife + token.Leeway); expires.IsZero() || expires.After(limit) {
		expires = limit
	}
	expires = expires.Add(token.Leeway)
	return s.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO revoked_tokens (id, at, expires_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`, id, control.Micros(s.o.Now()), control.Micros(expires)); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.revoked[id] = expires
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "revoke", Person: by, Action: "revoke_token", Object: id, Reason: reason})
	})
}

// Spend notes an id that is good once until expires; a second time is refused
// with oauth.spent, also after a restart.
func (s *Server) Spend(ctx context.Context, kind, id string, expires time.Time) error {
	sum := sha256.Sum256([]byte(kind + "\x00" + id))
	err := s.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO spent_ids (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING`, hex.EncodeToString(sum[:]), control.Micros(expires))
		if err == nil && n == 0 {
			return fault.New(fault.KindUnauthenticated, "oauth.spent", "this was used before").WithHint("sign a new one with another jti")
		}
		return err
	})
	return err
}

// Client is what an agent may ask for.
func (s *Server) Client(agent string) Client {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.clients[agent]
}

// SetClient says what an agent may ask for; callers have checked who asks.
func (s *Server) SetClient(ctx context.Context, by, agent string, c Client) error {
	for _, list := range [][]string{c.Scopes, c.Audiences, c.Resources} {
		if len(list) > maxList {
			return invalid("at most %d scopes, audiences and resources each", maxList)
		}
		for _, w := range list {
			if !word(w) {
				return invalid("%q is no scope, audience or resource", w[:min(len(w), 64)]).WithHint("visible characters without spaces, at most %d", maxWord)
			}
		}
	}
	if c.Life != 0 && (c.Life < minLife || c.Life > token.MaxAccessLife) {
		return invalid("tokens live %s to %s", minLife, token.MaxAccessLife)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO oauth_clients (agent, body, updated_at) VALUES (?, ?, ?) ON CONFLICT (agent) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`,
			agent, string(body), control.Micros(s.o.Now())); err != nil {
			return err
		}
		before := s.Client(agent)
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.clients[agent] = c
		})
		return record(ctx, tx, "admin.oauth_client_updated", by, "update", agent, before, c)
	})
}

// word is a scope-token of RFC 6749 §3.3, long enough for a URL.
func word(s string) bool {
	return s != "" && len(s) <= maxWord && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// AddKeys registers public keys of an agent, from a JWK or a JWK set, in
// addition to those it has. life 0 is 90 days. Callers have checked who asks.
func (s *Server) AddKeys(ctx context.Context, by string, agent token.Agent, text []byte, life time.Duration) ([]Key, error) {
	if life == 0 {
		life = defaultLife
	}
	if life < time.Minute || life > MaxKeyLife {
		return nil, invalid("a client's key lives a minute to a year")
	}
	list, err := parseJWKS(text)
	if err != nil {
		return nil, err
	}
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	var out []Key
	for _, jwk := range list {
		raw, err := jwk.MarshalJSON()
		if err != nil {
			return nil, err
		}
		out = append(out, Key{Agent: agent.Name, ID: jwk.KeyID, JWK: string(raw), Epoch: agent.Epoch, CreatedAt: now, ExpiresAt: now.Add(life), key: jwk.Key, alg: jwk.Algorithm})
	}
	err = s.o.DB.Write(ctx, func(tx *control.Tx) error {
		s.mu.RLock()
		kept := slices.DeleteFunc(slices.Clone(s.keys[agent.Name]), func(k Key) bool { return !k.alive(now, agent.Epoch) })
		s.mu.RUnlock()
		if len(kept)+len(out) > maxKeys {
			return fault.New(fault.KindExhausted, "oauth.too_many", "an agent has at most %d public keys", maxKeys).WithHint("remove some")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM oauth_keys WHERE agent = ? AND (expires_at <= ? OR epoch < ?)`, agent.Name, control.Micros(now), agent.Epoch); err != nil {
			return err
		}
		for _, k := range out {
			if slices.ContainsFunc(kept, func(o Key) bool { return o.ID == k.ID }) {
				return fault.New(fault.KindConflict, "oauth.exists", "agent %s has a key with the kid %q", agent.Name, k.ID)
			}
			kept = append(kept, k)
			if _, err := tx.Exec(ctx, `INSERT INTO oauth_keys (agent, kid, jwk, epoch, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				k.Agent, k.ID, k.JWK, k.Epoch, by, control.Micros(k.CreatedAt), control.Micros(k.ExpiresAt)); err != nil {
				return err
			}
			if err := record(ctx, tx, "key.added", by, "create", agent.Name+"/"+k.ID, nil, json.RawMessage(k.JWK)); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.keys[agent.Name] = kept
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (k Key) alive(now time.Time, epoch int64) bool {
	return now.Before(k.ExpiresAt) && k.Epoch >= epoch
}

// ListKeys are the living public keys of an agent.
func (s *Server) ListKeys(agent token.Agent) []Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.o.Now()
	return slices.DeleteFunc(slices.Clone(s.keys[agent.Name]), func(k Key) bool { return !k.alive(now, agent.Epoch) })
}

// RemoveKey takes a public key away; tokens that it got live on until their
// end. Callers have checked who asks.
func (s *Server) RemoveKey(ctx context.Context, by, agent, kid string) error {
	return s.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM oauth_keys WHERE agent = ? AND kid = ?`, agent, kid)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindNotFound, "oauth.not_found", "agent %s has no such public key", agent)
		}
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.keys[agent] = slices.DeleteFunc(slices.Clone(s.keys[agent]), func(k Key) bool { return k.ID == kid })
		})
		return record(ctx, tx, "key.retired", by, "delete", agent+"/"+kid, nil, nil)
	})
}

func record(ctx context.Context, tx *control.Tx, kind, by, action, object string, before, after any) error {
	return audit.Append(ctx, tx, audit.Record{Kind: kind, Person: by, Action: action, Object: object, Before: before, After: after})
}

// parseJWKS reads a JWK set or a single JWK with public keys that may sign.
func parseJWKS(text []byte) ([]jose.JSONWebKey, error) {
	if len(text) > maxJWK {
		return nil, invalid("a key set is at most %d bytes", maxJWK)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, invalid("this is no JSON").WithCause(err)
	}
	if set.Keys == nil {
		set.Keys = []json.RawMessage{text}
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, invalid("give 1 to %d keys", maxKeys)
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys {
		k, err := parseJWK(raw)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o jose.JSONWebKey) bool { return o.KeyID == k.KeyID }) {
			return nil, invalid("the kid %q is there twice", k.KeyID)
		}
		out = append(out, k)
	}
	return out, nil
}

func parseJWK(raw []byte) (jose.JSONWebKey, error) {
	var private struct {
		D json.RawMessage `json:"d"`
		K json.RawMessage `json:"k"`
	}
	if err := json.Unmarshal(raw, &private); err != nil || private.D != nil || private.K != nil {
		return jose.JSONWebKey{}, invalid("this is not a public key").WithHint("never send private or shared keys; this one must be replaced")
	}
	var k jose.JSONWebKey
	if err := k.UnmarshalJSON(raw); err != nil {
		return jose.JSONWebKey{}, invalid("a key cannot be read").WithCause(err)
	}
	switch {
	case !k.Valid() || !k.IsPublic() || !token.Strong(k.Key):
		return jose.JSONWebKey{}, invalid("a key is too weak or of an unknown kind").WithHint("EC P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits")
	case k.Use != "" && k.Use != "sig":
		return jose.JSONWebKey{}, invalid("a key is not for signing (use %q)", cmp.Or(k.Use, "-"))
	case k.Algorithm != "" && !slices.Contains(token.Algorithms(), jose.SignatureAlgorithm(k.Algorithm)):
		return jose.JSONWebKey{}, invalid("the algorithm %q is not taken", k.Algorithm)
	case !word(k.KeyID):
		return jose.JSONWebKey{}, invalid("a key needs a kid of visible characters")
	}
	k.Certificates, k.CertificatesURL, k.CertificateThumbprintSHA1, k.CertificateThumbprintSHA256 = nil, nil, nil, nil
	return k, nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "oauth.invalid", format, args...)
}
