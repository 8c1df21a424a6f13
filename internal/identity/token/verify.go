package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
	"reeve/internal/identity/ca"
)

// MaxToken is the longest token that is read, in bytes.
const MaxToken = 8 << 10

// maxCached bounds what is remembered; past it all is forgotten, which costs a
// verification each.
const maxCached = 100_000

// Principal is who a credential speaks for. Values that a Verifier hands out
// are shared: do not change what they point to.
type Principal struct {
	Credential   string // "x509_svid", "jwt_svid", "access_token" or "foreign_token"
	CredentialID string // serial or jti
	Agent        string
	Instance     string // "" when copies of an agent may share the credential
	User         string // whom it acts for, "<issuer's name>:<subject>"; "" nobody
	UserName     string // the same person's sub at its own issuer
	UserGroups   []string
	Bound        bool // possession of a key was shown
	Epoch        int64
	Chain        []string // agents it acts for, nearest first
	Lineage      []Link   // of Chain: their epochs when the token was made
	Prior        []string // actors before those that other issuers named; they decide nothing
	From         []string // ids of the tokens it was exchanged from
	Uses         []string // of an outside token: what it is taken for (door, exchange)
	Scopes       []string
	Issued       time.Time // zero: not known
	Expires      time.Time
	Identity     Identity

	audience string
	party    string // of a token that only this agent may exchange
	jkt, x5t string
}

// Link is an agent that a credential stands on: when that agent is stopped, so
// is the credential.
type Link struct {
	Agent string `json:"a"`
	Epoch int64  `json:"e"`
}

// Identity is a principal in the words to which those of every directory are
// normalised.
type Identity struct {
	Issuer  string   `json:"issuer"`           // URL, or trust domain
	Tenant  string   `json:"tenant,omitempty"` // of an issuer that serves several
	Kind    string   `json:"kind"`             // agent, user or service
	Subject string   `json:"subject"`
	Parent  string   `json:"parent,omitempty"` // what it was made from: blueprint, repository, namespace
	Actors  []string `json:"actors,omitempty"` // who acts for it, the present one first
}

// The kinds of an Identity.
const (
	KindAgent   = "agent"
	KindUser    = "user"
	KindService = "service"
)

// Foreign verifies tokens of outside issuers. Its principals name a registered
// agent, a user, or neither.
type Foreign func(ctx context.Context, text string) (Principal, error)

// Verifier says who calls. The zero value is not usable; see NewVerifier.
type Verifier struct {
	o      VerifierOptions
	proofs *Proofs

	mu    sync.RWMutex // guards known
	known map[[32]byte]Principal
}

// VerifierOptions are what a Verifier needs. Keys and Standing are required.
type VerifierOptions struct {
	Keys      *Keys
	CA        *ca.CA   // nil: no client certificates
	Audiences []string // that are ours
	// Standing is asked on each call whether a credential still holds (epoch,
	// revocation); its error is returned as it is.
	Standing func(Principal) error
	Foreign  Foreign // nil: our own tokens only
	// Base is the URL by which clients reach us, for DPoP's htu; "" is what the
	// request itself says.
	Base string
}

// NewVerifier makes a Verifier.
func NewVerifier(o VerifierOptions) *Verifier {
	return &Verifier{o: o, proofs: NewProofs(o.Base, o.Keys.o.Now), known: map[[32]byte]Principal{}}
}

// Proofs are those that the Verifier has seen; the token endpoint shares them.
func (v *Verifier) Proofs() *Proofs { return v.proofs }

// Request says who calls with r, by its token (Bearer or DPoP) or, without one,
// by the client certificate that TLS saw. ok is false when r brings neither:
// other kinds of credentials (agent keys) are for the caller to read.
func (v *Verifier) Request(r *http.Request) (p Principal, ok bool, err error) {
	list := r.Header.Values("Authorization")
	if len(list) > 1 {
		return Principal{}, true, invalid(errors.New("more than one Authorization"))
	}
	if len(list) == 0 {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return Principal{}, false, nil
		}
		p, err = v.Peer(r.TLS.PeerCertificates[0])
		return p, true, err
	}
	scheme, text, _ := strings.Cut(list[0], " ")
	if dpop := strings.EqualFold(scheme, "DPoP"); dpop || strings.EqualFold(scheme, "Bearer") && IsToken(text) {
		p, err = v.Bearer(r.Context(), text, r)
		return p, true, err
	}
	return Principal{}, false, nil
}

// IsToken reports whether a bearer value has the form of a signed token, which
// no key of ours has.
func IsToken(text string) bool { return strings.Count(text, ".") == 2 }

// Bearer verifies a token that r brings. r may be nil for a token that is bound
// to no key.
func (v *Verifier) Bearer(ctx context.Context, text string, r *http.Request) (Principal, error) {
	p, err := v.read(ctx, text)
	if err != nil {
		return Principal{}, err
	}
	switch {
	case p.Agent == "":
		return Principal{}, invalid(errors.New("speaks for no agent"))
	case p.party != "":
		return Principal{}, invalid(errors.New("may only be exchanged"))
	case !v.forUs(p, UseDoor) && !v.forPart(p, r):
		return Principal{}, invalid(errors.New("not for the door"))
	}
	if err := v.possession(&p, text, r); err != nil {
		return Principal{}, err
	}
	return p, v.o.Standing(p)
}

// possession has the caller show the key that a token is bound to.
func (v *Verifier) possession(p *Principal, text string, r *http.Request) error {
	dpop := r != nil && len(r.Header.Get("Authorization")) > 5 && strings.EqualFold(r.Header.Get("Authorization")[:5], "DPoP ")
	switch {
	case p.jkt != "":
		// A bound token must not be downgraded to Bearer (RFC 9449 §7.2).
		if !dpop {
			return proofFault(errors.New("a token bound to a key of DPoP came without the scheme DPoP"))
		}
		jkt, err := v.proofs.Check(r, text)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(jkt), []byte(p.jkt)) != 1 {
			return proofFault(errors.New("another key"))
		}
		p.Bound = true
	case dpop:
		return proofFault(errors.New("the token is bound to no key of DPoP"))
	case p.x5t != "":
		if r == nil || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 ||
			subtle.ConstantTimeCompare([]byte(Thumbprint(r.TLS.PeerCertificates[0])), []byte(p.x5t)) != 1 {
			return proofFault(errors.New("the certificate that the token is bound to was not shown"))
		}
		p.Bound = true
	}
	return nil
}

// Thumbprint is a certificate's x5t#S256 (RFC 8705).
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Peer verifies a client certificate whose key TLS has seen proven.
func (v *Verifier) Peer(cert *x509.Certificate) (Principal, error) {
	if v.o.CA == nil {
		return Principal{}, invalid(errors.New("no certificate authority"))
	}
	c, err := v.o.CA.Peer(cert)
	if err != nil {
		return Principal{}, err
	}
	p := Principal{
		Credential: "x509_svid", CredentialID: c.Serial, Agent: c.Agent, Instance: c.Instance, Bound: true, Epoch: c.Epoch, Expires: c.NotAfter,
		Identity: Identity{Issuer: v.o.CA.TrustDomain(), Kind: KindAgent, Subject: c.ID},
	}
	return p, v.o.Standing(p)
}

// Exchangeable verifies a token that an agent wants to exchange: of ours or of
// an outside issuer, for us, and given to this agent (azp, else the client). It
// must stand.
func (v *Verifier) Exchangeable(ctx context.Context, text, agent string) (Principal, error) {
	p, err := v.read(ctx, text)
	if err != nil {
		return Principal{}, err
	}
	if p.Credential == "jwt_svid" {
		return Principal{}, invalid(errors.New("a JWT-SVID is no token to exchange"))
	}
	if !v.forUs(p, UseExchange) {
		return Principal{}, invalid(errors.New("not for us to exchange"))
	}
	if agent == "" || cmp.Or(p.party, p.Agent) != agent {
		return Principal{}, invalid(errors.New("was given to another party"))
	}
	if p.Agent != "" {
		if err := v.o.Standing(p); err != nil {
			return Principal{}, err
		}
	}
	return p, nil
}

// The uses of outside tokens, as their registration allows them.
const (
	UseDoor     = "door"
	UseExchange = "exchange"
)

// forUs reports whether a token is meant for us: by its audience, or what the
// registration of its issuer takes it for.
func (v *Verifier) forUs(p Principal, use string) bool {
	if p.Credential == "foreign_token" {
		return slices.Contains(p.Uses, use)
	}
	return slices.Contains(v.o.Audiences, p.audience)
}

// forPart reports whether a token is meant for the part of the door that r calls:
// for one server of tools, or for all of them. It is good nowhere else.
func (v *Verifier) forPart(p Principal, r *http.Request) bool {
	path, ok := strings.CutPrefix(p.audience, v.o.Base)
	if !ok || v.o.Base == "" || r == nil || p.Credential != "access_token" || !Part(path) {
		return false
	}
	// As the door reads it: what is escaped names nothing there.
	at := r.URL.EscapedPath()
	return at == path || strings.HasPrefix(at, path+"/")
}

// Part reports whether a path is a part of the door for which tokens are made: a
// resource of its own, with metadata at the well-known place (RFC 9728).
func Part(path string) bool {
	if path == "/mcp" {
		return true
	}
	name, ok := strings.CutPrefix(path, "/mcp/")
	return ok && name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// ActFor lets an agent that authenticated itself as p act for whom a subject
// token speaks, for one call: the token must be one that this agent might
// exchange. What it says is added to p.
func (v *Verifier) ActFor(ctx context.Context, text string, p Principal) (Principal, error) {
	s, err := v.Exchangeable(ctx, text, p.Agent)
	switch {
	case err != nil:
		return Principal{}, err
	case s.jkt != "" || s.x5t != "":
		return Principal{}, proofFault(errors.New("a subject token that is bound to a key is exchanged first"))
	case p.User != "" && s.User != "" && p.User != s.User:
		return Principal{}, invalid(errors.New("for another user than the credential"))
	}
	if s.User != "" {
		p.User, p.UserName, p.UserGroups = s.User, s.UserName, s.UserGroups
	}
	if s.Agent != "" && s.Agent != p.Agent {
		p.Lineage = append(slices.Clone(p.Lineage), Link{Agent: s.Agent, Epoch: s.Epoch})
		p.Chain = append(slices.Clone(p.Chain), s.Agent)
	}
	p.Lineage, p.Chain = append(slices.Clone(p.Lineage), s.Lineage...), append(slices.Clone(p.Chain), s.Chain...)
	if len(p.Chain)+len(s.Prior) > MaxDepth {
		return Principal{}, fault.New(fault.KindDenied, "token.depth", "a call stands on at most %d agents", MaxDepth)
	}
	p.From = append(slices.Clone(p.From), s.From...)
	if s.Credential == "access_token" {
		p.From = append(p.From, s.CredentialID)
	}
	if s.Expires.Before(p.Expires) || p.Expires.IsZero() {
		p.Expires = s.Expires
	}
	p.Identity = s.Identity
	return p, nil
}

// Inspect verifies a token of ours whatever it is for and whoever holds it, for
// introspection and revocation, and gives its audience.
func (v *Verifier) Inspect(ctx context.Context, text string) (p Principal, audience string, err error) {
	if len(text) > MaxToken || v.foreignIssuer(text) {
		return Principal{}, "", invalid(errors.New("not ours"))
	}
	p, err = v.read(ctx, text)
	return p, p.audience, err
}

// JKT is the thumbprint of the DPoP key that a token is bound to, or "".
func (p Principal) JKT() string { return p.jkt }

// X5T is the thumbprint of the certificate that a token is bound to, or "".
func (p Principal) X5T() string { return p.x5t }

// Party is the agent to which an outside token was given (its azp).
func (p Principal) Party() string { return p.party }

// WithParty gives a principal of an outside token the agent it was given to.
func (p Principal) WithParty(agent string) Principal { p.party = agent; return p }

// read verifies what a token itself says, or remembers that it did.
func (v *Verifier) read(ctx context.Context, text string) (Principal, error) {
	if len(text) > MaxToken {
		return Principal{}, invalid(errors.New("too long"))
	}
	now, hash := v.o.Keys.o.Now(), sha256.Sum256([]byte(text))
	v.mu.RLock()
	p, ok := v.known[hash]
	v.mu.RUnlock()
	if ok && now.Before(p.Expires.Add(Leeway)) {
		return p, nil
	}
	var err error
	if v.foreignIssuer(text) {
		p, err = v.o.Foreign(ctx, text)
	} else if p, err = v.verify(text, now); err != nil {
		err = invalid(err)
	}
	if err != nil {
		return Principal{}, err
	}
	v.mu.Lock()
	if len(v.known) >= maxCached {
		clear(v.known)
	}
	v.known[hash] = p
	v.mu.Unlock()
	return p, nil
}

// Forget drops what is remembered, after an outside issuer was changed.
func (v *Verifier) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.known)
}

// foreignIssuer reports whether a token says to be of another issuer, which
// decides only who looks at it.
func (v *Verifier) foreignIssuer(text string) bool {
	if v.o.Foreign == nil {
		return false
	}
	iss, ok := ClaimedIssuer(text)
	return ok && iss != v.o.Keys.o.Issuer
}

// ClaimedIssuer is the iss of a token that nobody has verified.
func ClaimedIssuer(text string) (string, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return "", false
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(body, &c) != nil || c.Issuer == "" {
		return "", false
	}
	return c.Issuer, true
}

func (v *Verifier) verify(text string, now time.Time) (Principal, error) {
	t, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Principal{}, err
	}
	if len(t.Headers) != 1 {
		return Principal{}, errors.New("not one signature")
	}
	// The typ chooses the keys; a key of another use is not looked at. Keys
	// that the header itself brings (jwk, jku, x5c) are never used.
	h := t.Headers[0]
	typ, _ := h.ExtraHeaders[jose.HeaderType].(string)
	u, most := useSVID, MaxSVIDLife
	switch typ {
	case "JWT":
	case "at+jwt":
		u, most = useAccess, MaxAccessLife
	default:
		return Principal{}, errors.New("unknown typ")
	}
	pub, ok := v.o.Keys.find(u, h.KeyID)
	if !ok {
		return Principal{}, errors.New("unknown key")
	}
	var c claims
	if err := t.Claims(pub, &c); err != nil {
		return Principal{}, err
	}
	switch {
	case c.Issuer != v.o.Keys.o.Issuer:
		return Principal{}, errors.New("another issuer")
	case len(c.Audience) != 1:
		return Principal{}, errors.New("not one audience")
	case c.ID == "":
		return Principal{}, errors.New("jti missing")
	case len(c.Chain) > MaxDepth:
		return Principal{}, errors.New("too deep")
	}
	if err := checkTimes(c.IssuedAt, c.NotBefore, c.Expires, now, most); err != nil {
		return Principal{}, err
	}
	if u == useSVID {
		return v.svid(c)
	}
	return v.access(c)
}

// checkTimes holds the times of a token, proof or assertion to now and to the
// longest life.
func checkTimes(issued, notBefore, expires *jwt.NumericDate, now time.Time, most time.Duration) error {
	switch {
	case expires == nil || issued == nil:
		return errors.New("exp or iat missing")
	case !now.Before(expires.Time().Add(Leeway)):
		return errors.New("expired")
	case issued.Time().After(now.Add(Leeway)) || notBefore != nil && notBefore.Time().After(now.Add(Leeway)):
		return errors.New("not yet valid")
	case expires.Time().Sub(issued.Time()) > most:
		return errors.New("lives too long")
	}
	return nil
}

func (v *Verifier) svid(c claims) (Principal, error) {
	agent, instance, ok := ca.ParseAgentID(v.o.Keys.o.TrustDomain, c.Subject)
	if !ok {
		return Principal{}, errors.New("another subject")
	}
	if c.Confirm != nil || c.Actor != nil || c.User != "" {
		return Principal{}, errors.New("a JWT-SVID of ours has none of cnf, act, user")
	}
	return Principal{
		Credential: "jwt_svid", CredentialID: c.ID, Agent: agent, Instance: instance, Epoch: c.Epoch, Issued: c.IssuedAt.Time(), Expires: c.Expires.Time(),
		Identity: Identity{Issuer: v.o.Keys.o.TrustDomain, Kind: KindAgent, Subject: c.Subject}, audience: c.Audience[0],
	}, nil
}

func (v *Verifier) access(c claims) (Principal, error) {
	p := Principal{
		Credential: "access_token", CredentialID: c.ID, Agent: c.ClientID, Instance: c.Instance, User: c.User, Epoch: c.Epoch, Lineage: c.Chain,
		Prior: c.Prior, From: c.From, Scopes: strings.Fields(c.Scope), Issued: c.IssuedAt.Time(), Expires: c.Expires.Time(), audience: c.Audience[0], party: c.Party,
		Identity: Identity{Issuer: v.o.Keys.o.Issuer, Kind: KindAgent, Subject: c.Subject},
	}
	// The names of an agent are checked although we wrote them: a key that was
	// lost must not become a way to write anything into logs.
	if _, err := ca.AgentID(v.o.Keys.o.TrustDomain, c.ClientID, "none"); err != nil {
		return Principal{}, errors.New("another client")
	}
	acting := c.Subject
	if c.User != "" {
		p.UserName, p.UserGroups, p.Identity.Kind = c.Subject, c.Groups, KindUser
	}
	if c.Actor != nil {
		acting = c.Actor.Subject
		for at := c.Actor; at != nil; at = at.Actor {
			p.Identity.Actors = append(p.Identity.Actors, at.Subject)
		}
	} else if c.User != "" || len(c.Chain) > 0 {
		return Principal{}, errors.New("act missing")
	}
	if acting != c.ClientID {
		return Principal{}, errors.New("another actor")
	}
	for _, l := range c.Chain {
		p.Chain = append(p.Chain, l.Agent)
	}
	if c.Confirm != nil {
		if (c.Confirm.JKT == "") == (c.Confirm.X5T == "") {
			return Principal{}, errors.New("cnf of an unknown kind")
		}
		p.jkt, p.x5t = c.Confirm.JKT, c.Confirm.X5T
	}
	return p, nil
}

func invalid(cause error) error {
	return fault.New(fault.KindUnauthenticated, "token.invalid", "the token is not valid here").WithCause(cause)
}
