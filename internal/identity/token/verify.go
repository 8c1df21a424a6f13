package token

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
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

// Principal is who a credential speaks for.
type Principal struct {
	Credential   string // "x509_svid", "jwt_svid" or "access_token"
	CredentialID string // serial or jti
	Agent        string
	Instance     string
	User         string
	Bound        bool // possession of a key was shown
	Epoch        int64
	Chain        []string // agents it acts for, nearest first
	Lineage      []Link   // of Chain: their epochs when the token was made
	Scopes       []string
	Expires      time.Time
}

// Link is an agent that a credential stands on: when that agent is stopped, so
// is the credential.
type Link struct {
	Agent string `json:"a"`
	Epoch int64  `json:"e"`
}

// Verifier says who calls. The zero value is not usable; see NewVerifier.
type Verifier struct {
	keys     *Keys
	ca       *ca.CA
	accepted []string
	standing func(Principal) error

	mu    sync.RWMutex // guards known
	known map[[32]byte]Principal
}

// NewVerifier takes the audiences that are ours, the authority (nil: no client
// certificates) and standing, which is asked on each call whether a credential
// still holds (epoch, revocation); its error is returned as it is.
func NewVerifier(keys *Keys, authority *ca.CA, audiences []string, standing func(Principal) error) *Verifier {
	return &Verifier{keys: keys, ca: authority, accepted: audiences, standing: standing, known: map[[32]byte]Principal{}}
}

// Request says who calls with r, by its bearer token or, without one, by the
// client certificate that TLS saw. ok is false when r brings neither: other
// kinds of credentials (agent keys) are for the caller to read.
func (v *Verifier) Request(r *http.Request) (p Principal, ok bool, err error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case len(r.Header.Values("Authorization")) > 1:
		return Principal{}, true, invalid(errors.New("more than one Authorization"))
	case strings.EqualFold(scheme, "Bearer") && IsToken(text):
		p, err = v.Bearer(r.Context(), text, r)
		return p, true, err
	case scheme == "" && r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		p, err = v.Peer(r.TLS.PeerCertificates[0])
		return p, true, err
	}
	return Principal{}, false, nil
}

// IsToken reports whether a bearer value has the form of a signed token, which
// no key of ours has.
func IsToken(text string) bool {
	return strings.Count(text, ".") == 2 && !strings.HasPrefix(text, "rv")
}

// Bearer verifies a token of ours.
func (v *Verifier) Bearer(_ context.Context, text string, _ *http.Request) (Principal, error) {
	if len(text) > MaxToken {
		return Principal{}, invalid(errors.New("too long"))
	}
	now, hash := v.keys.o.Now(), sha256.Sum256([]byte(text))
	v.mu.RLock()
	p, ok := v.known[hash]
	v.mu.RUnlock()
	if !ok || !now.Before(p.Expires.Add(Leeway)) {
		var err error
		if p, err = v.verify(text, now); err != nil {
			return Principal{}, invalid(err)
		}
		v.mu.Lock()
		if len(v.known) >= maxCached {
			clear(v.known)
		}
		v.known[hash] = p
		v.mu.Unlock()
	}
	if err := v.standing(p); err != nil {
		return Principal{}, err
	}
	return p, nil
}

// Peer verifies a client certificate whose key TLS has seen proven.
func (v *Verifier) Peer(cert *x509.Certificate) (Principal, error) {
	if v.ca == nil {
		return Principal{}, invalid(errors.New("no certificate authority"))
	}
	c, err := v.ca.Peer(cert)
	if err != nil {
		return Principal{}, err
	}
	p := Principal{Credential: "x509_svid", CredentialID: c.Serial, Agent: c.Agent, Instance: c.Instance, Bound: true, Epoch: c.Epoch, Expires: c.NotAfter}
	if err := v.standing(p); err != nil {
		return Principal{}, err
	}
	return p, nil
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
	u, p, most := useSVID, Principal{Credential: "jwt_svid"}, MaxSVIDLife
	switch typ {
	case "JWT":
	case "at+jwt":
		u, p, most = useAccess, Principal{Credential: "access_token"}, MaxAccessLife
	default:
		return Principal{}, errors.New("unknown typ")
	}
	pub, ok := v.keys.find(u, h.KeyID)
	if !ok {
		return Principal{}, errors.New("unknown key")
	}
	var c claims
	if err := t.Claims(pub, &c); err != nil {
		return Principal{}, err
	}
	switch {
	case c.Issuer != v.keys.o.Issuer:
		return Principal{}, errors.New("another issuer")
	case !single(c.Audience, v.accepted):
		return Principal{}, errors.New("another audience")
	case c.Expires == nil || c.IssuedAt == nil || c.ID == "":
		return Principal{}, errors.New("exp, iat or jti missing")
	case !now.Before(c.Expires.Time().Add(Leeway)):
		return Principal{}, errors.New("expired")
	case c.IssuedAt.Time().After(now.Add(Leeway)) || c.NotBefore != nil && c.NotBefore.Time().After(now.Add(Leeway)):
		return Principal{}, errors.New("not yet valid")
	case c.Expires.Time().Sub(c.IssuedAt.Time()) > most:
		return Principal{}, errors.New("lives too long")
	case len(c.Confirm) > 0:
		return Principal{}, errors.New("bound to a key")
	}
	if p.Agent, p.Instance, ok = ca.ParseAgentID(v.keys.o.TrustDomain, c.Subject); !ok {
		return Principal{}, errors.New("another subject")
	}
	if u == useAccess && c.ClientID != p.Agent {
		return Principal{}, errors.New("another client")
	}
	p.CredentialID, p.Epoch, p.Expires, p.Scopes = c.ID, c.Epoch, c.Expires.Time(), strings.Fields(c.Scope)
	return p, nil
}

func invalid(cause error) error {
	return fault.New(fault.KindUnauthenticated, "token.invalid", "the token is not valid here").WithCause(cause)
}
