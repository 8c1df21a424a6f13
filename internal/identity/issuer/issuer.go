// Package issuer is the register of outside issuers whose tokens are taken:
// clusters, build systems and identity providers.
//
// What for: an agent that already has a token of its own platform shows that
// one, at the door or to enrol, and a user's token says for whom it acts. What
// the claims of each directory mean is normalised to one principal.
//
// Who calls it: the token verifier asks Verify for every token that is not
// ours; enrol takes workload tokens; api and the command line register.
//
// Promises: a token counts only when its issuer is registered with exactly that
// iss, its signature is by a key of that issuer's set, one of its audiences is
// listed, the required claims are there, and it lives no longer than allowed.
// Keys are fetched over https from public addresses, unless the registration
// allows private ones, and kept for an hour; when they cannot be renewed they
// are used for a day. Safe for concurrent use.
//
// How it fails: token.invalid for a token, whatever is wrong with it;
// issuer.keys (unavailable) when keys cannot be fetched; issuer.invalid,
// issuer.not_found, issuer.exists for changes.
//
// Start reading at Issuer, then Registry.Verify; presets.go has the directories.
package issuer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
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

// Issuer is one registration.
type Issuer struct {
	Name         string              `json:"name"`
	Preset       string              `json:"preset"` // whose words its claims are
	Issuer       string              `json:"issuer"` // iss, compared exactly
	JWKSURL      string              `json:"jwks_url,omitempty"`
	JWKS         json.RawMessage     `json:"jwks,omitempty"` // given instead of fetched
	Audiences    []string            `json:"audiences"`
	Required     map[string][]string `json:"required,omitempty"` // claim -> values taken; none: any
	Rules        []Rule              `json:"rules"`
	Uses         []string            `json:"uses"`                 // door, enrol, exchange
	MaxLife      time.Duration       `json:"max_life,omitempty"`   // 0 is a day
	UserClaim    string              `json:"user_claim,omitempty"` // "" is the preset's
	AllowPrivate bool                `json:"allow_private"`        // keys from private addresses, and http on loopback
	Revision     int64               `json:"-"`
}

// Rule says which agent a token belongs to: the first rule whose claims all fit
// counts. A value that ends in * fits by its beginning.
type Rule struct {
	Claims map[string]string `json:"claims"`
	Agent  string            `json:"agent"`
}

// What tokens of an issuer are taken for.
const (
	UseDoor     = token.UseDoor     // as a credential at the door
	UseEnrol    = "enrol"           // to get an SVID
	UseExchange = token.UseExchange // as subject token: for whom an agent acts
)

// Bounds.
const (
	maxIssuers = 100
	maxRules   = 1000
	maxValues  = 64
	maxText    = 512
	maxLife    = 24 * time.Hour
)

// Options of a Registry; DB is required.
type Options struct {
	DB      *control.DB
	Own     string           // our own issuer, which nobody else may claim to be
	Changed func()           // told of each change; may be nil
	Now     func() time.Time // nil is time.Now
	Logger  *slog.Logger     // nil discards
	// Loopback lets registrations with AllowPrivate reach this host itself; else
	// loopback stays refused. Tests and development set it.
	Loopback bool
}

// Registry holds the registered issuers.
type Registry struct {
	o Options

	mu    sync.RWMutex // guards list
	byIss map[string]*entry
}

// entry is an issuer with its keys.
type entry struct {
	Issuer
	words words
	keys  keySet
}

// New reads what is registered.
func New(ctx context.Context, o Options) (*Registry, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	r := &Registry{o: o, byIss: map[string]*entry{}}
	list, err := control.All(ctx, o.DB, func(row control.Row) (i Issuer, err error) {
		var body string
		if err := row.Scan(&body, &i.Revision); err != nil {
			return i, err
		}
		return i, json.Unmarshal([]byte(body), &i)
	}, `SELECT body, revision FROM token_issuers ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("reading the outside issuers: %w", err)
	}
	for _, i := range list {
		e, err := r.entry(i)
		if err != nil {
			return nil, fmt.Errorf("reading the outside issuer %s: %w", i.Name, err)
		}
		r.byIss[i.Issuer] = e
	}
	return r, nil
}

func (r *Registry) entry(i Issuer) (*entry, error) {
	e := &entry{Issuer: i, words: presets[i.Preset].words}
	e.keys.fetch = r.fetcher(i)
	if i.UserClaim != "" {
		e.words.user = []string{i.UserClaim}
	}
	if len(i.JWKS) > 0 {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(i.JWKS, &set); err != nil {
			return nil, invalid("the key set cannot be read").WithCause(err)
		}
		e.keys.fixed = usable(set)
		if len(e.keys.fixed) == 0 {
			return nil, invalid("the key set has no public key that may sign")
		}
	}
	return e, nil
}

// List is every registration by name.
func (r *Registry) List() []Issuer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []Issuer
	for _, e := range r.byIss {
		out = append(out, e.Issuer)
	}
	slices.SortFunc(out, func(a, b Issuer) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// BySubject is the issuer of a name, where it is the standard subject by which its
// users are told apart: then they are the same here and where they sign in. Any
// other claim may be theirs to choose.
func (r *Registry) BySubject(name string) (issuer string, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for iss, e := range r.byIss {
		if e.Name == name {
			return iss, len(e.words.user) == 1 && e.words.user[0] == "sub"
		}
	}
	return "", false
}

// Set registers an issuer or replaces a registration; callers have checked who
// asks. It completes i from its preset and gives what is kept.
func (r *Registry) Set(ctx context.Context, by string, i Issuer) (Issuer, error) {
	if err := r.complete(&i); err != nil {
		return Issuer{}, err
	}
	e, err := r.entry(i)
	if err != nil {
		return Issuer{}, err
	}
	body, err := json.Marshal(i)
	if err != nil {
		return Issuer{}, err
	}
	err = r.o.DB.Write(ctx, func(tx *control.Tx) error {
		r.mu.RLock()
		var before *Issuer
		for iss, old := range r.byIss {
			switch {
			case old.Name == i.Name:
				before = &old.Issuer
			case iss == i.Issuer:
				r.mu.RUnlock()
				return fault.New(fault.KindConflict, "issuer.exists", "%s is registered as %s already", i.Issuer, old.Name).
					WithHint("one iss has one registration: change that one")
			}
		}
		n := len(r.byIss)
		r.mu.RUnlock()
		if before == nil && n >= maxIssuers {
			return fault.New(fault.KindExhausted, "issuer.too_many", "there are %d issuers already", n)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO token_issuers (name, body, revision, updated_at) VALUES (?, ?, 1, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = token_issuers.revision + 1, updated_at = excluded.updated_at`,
			i.Name, string(body), control.Micros(r.o.Now())); err != nil {
			return err
		}
		e.Revision = 1
		if before != nil {
			e.Revision = before.Revision + 1
		}
		tx.AfterCommit(func() { r.put(i.Name, e) })
		rec := audit.Record{Kind: "admin.issuer_updated", Person: by, Action: "set", Object: i.Name, After: i}
		if before != nil {
			rec.Before = *before
		}
		return audit.Append(ctx, tx, rec)
	})
	return e.Issuer, err
}

// put replaces a registration by name; nil removes it.
func (r *Registry) put(name string, e *entry) {
	r.mu.Lock()
	next := maps.Clone(r.byIss)
	maps.DeleteFunc(next, func(_ string, old *entry) bool { return old.Name == name })
	if e != nil {
		next[e.Issuer.Issuer] = e
	}
	r.byIss = next
	r.mu.Unlock()
	r.o.Changed()
}

// Delete ends a registration: its tokens are refused from then on. Callers have
// checked who asks.
func (r *Registry) Delete(ctx context.Context, by, name string) error {
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM token_issuers WHERE name = ?`, name)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindNotFound, "issuer.not_found", "there is no issuer of this name")
		}
		tx.AfterCommit(func() { r.put(name, nil) })
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.issuer_deleted", Person: by, Action: "delete", Object: name})
	})
}

// complete takes what is missing from the preset and refuses what cannot be.
func (r *Registry) complete(i *Issuer) error {
	if i.Preset == "" {
		i.Preset = "oidc"
	}
	p, ok := presets[i.Preset]
	if !ok {
		return invalid("there is no preset %q", clip(i.Preset)).WithHint("one of %s", strings.Join(Presets(), ", "))
	}
	if i.Issuer == "" {
		i.Issuer = p.issuer
	}
	if i.JWKSURL == "" && len(i.JWKS) == 0 && p.jwks != nil {
		i.JWKSURL = p.jwks(i.Issuer)
	}
	if len(i.Uses) == 0 {
		i.Uses = slices.Clone(p.uses)
	}
	for _, claim := range p.required {
		if _, ok := i.Required[claim]; !ok {
			i.Required = maps.Clone(i.Required)
			if i.Required == nil {
				i.Required = map[string][]string{}
			}
			i.Required[claim] = nil
		}
	}
	if i.MaxLife == 0 {
		i.MaxLife = maxLife
	}
	return r.check(*i)
}

func (r *Registry) check(i Issuer) error {
	switch {
	case !name(i.Name):
		return invalid("an issuer's name is %q", clip(i.Name)).WithHint("lower-case letters, digits and . _ -, at most 64")
	case !line(i.Issuer) || i.Issuer == r.o.Own:
		return invalid("an issuer needs an iss, and not our own")
	case len(i.Audiences) == 0 || len(i.Audiences) > maxValues || slices.ContainsFunc(i.Audiences, func(a string) bool { return !line(a) }):
		return invalid("an issuer needs the audiences under which its tokens are for us").WithHint("such as the address of the door")
	case len(i.Rules) > maxRules || len(i.Required) > maxValues:
		return invalid("at most %d rules and %d required claims", maxRules, maxValues)
	case i.MaxLife < time.Minute || i.MaxLife > maxLife:
		return invalid("tokens may live a minute to a day")
	case presets[i.Preset].shared && len(i.Required[presets[i.Preset].required[0]]) == 0:
		return invalid("many share this iss: say which %s is yours", presets[i.Preset].required[0]).
			WithHint("required: {%s: [...]}", presets[i.Preset].required[0])
	}
	for _, u := range i.Uses {
		if u != UseDoor && u != UseEnrol && u != UseExchange {
			return invalid("%q is none of door, enrol, exchange", clip(u))
		}
	}
	for claim, values := range i.Required {
		if !line(claim) || len(values) > maxValues || slices.ContainsFunc(values, func(v string) bool { return !line(v) }) {
			return invalid("the required claim %q is malformed", clip(claim))
		}
	}
	for _, rule := range i.Rules {
		if !name(rule.Agent) || len(rule.Claims) == 0 || len(rule.Claims) > maxValues {
			return invalid("a rule names one agent and at least one claim")
		}
		for claim, v := range rule.Claims {
			if !line(claim) || !line(v) || v == "*" {
				return invalid("the rule for agent %s has a malformed claim %q", rule.Agent, clip(claim)).WithHint("a value, or its beginning and *")
			}
		}
	}
	if i.JWKSURL != "" {
		return r.checkURL(i.JWKSURL, i.AllowPrivate)
	}
	if len(i.JWKS) == 0 {
		return r.checkURL(i.Issuer, i.AllowPrivate) // whose discovery document is asked
	}
	return nil
}

func (r *Registry) checkURL(text string, private bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return invalid("%q is no address to fetch keys from", clip(text))
	}
	if u.Scheme != "https" {
		ip, err := netip.ParseAddr(u.Hostname())
		if u.Scheme != "http" || !private || !r.o.Loopback || err != nil || !ip.IsLoopback() {
			return invalid("keys are fetched over https").WithHint("give the keys themselves (jwks) where that cannot be")
		}
	}
	return nil
}

// name is of the form of an agent's.
func name(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && strings.IndexByte("._-", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func line(s string) bool {
	return s != "" && len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func clip(s string) string { return s[:min(len(s), 64)] }

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "issuer.invalid", format, args...)
}

// Verify verifies a token of a registered issuer and says who it speaks for;
// Uses of what it gives are what it is taken for.
func (r *Registry) Verify(ctx context.Context, text string) (token.Principal, error) {
	if len(text) > token.MaxToken {
		return token.Principal{}, refuse(fmt.Errorf("too long"))
	}
	iss, ok := token.ClaimedIssuer(text)
	if !ok {
		return token.Principal{}, refuse(fmt.Errorf("no iss"))
	}
	r.mu.RLock()
	e := r.byIss[iss]
	r.mu.RUnlock()
	if e == nil {
		return token.Principal{}, refuse(fmt.Errorf("issuer %q is not registered", clip(iss)))
	}
	return e.verify(ctx, text, r.o.Now())
}

func refuse(cause error) error {
	return fault.New(fault.KindUnauthenticated, "token.invalid", "the token is not valid here").WithCause(cause)
}
