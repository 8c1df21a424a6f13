package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
)

// Algorithms are what outsiders may sign with: no MACs, so that a public key is
// never taken for a shared one, and never none.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256, jose.PS256, jose.EdDSA}
}

const (
	// proofLife is how far a proof's iat may be from now, either way.
	proofLife = time.Minute
	// maxProofs bounds the proofs remembered; when there is no room, a proof is
	// refused: a replay must not get through by flooding.
	maxProofs = 500_000
	maxProof  = 8 << 10
)

// Proofs checks DPoP proofs (RFC 9449) and lets each be used once. They are
// remembered in memory only, and so a proof made before this process began is
// refused: it could have been used already.
type Proofs struct {
	base  string
	now   func() time.Time
	start time.Time

	mu    sync.Mutex // guards the two generations
	turn  time.Time  // when old is dropped
	fresh map[[32]byte]struct{}
	old   map[[32]byte]struct{}
}

// NewProofs makes an empty memory. base is the URL by which clients reach us;
// "" is what each request itself says. now may be nil.
func NewProofs(base string, now func() time.Time) *Proofs {
	if now == nil {
		now = time.Now
	}
	return &Proofs{base: base, now: now, start: now().Truncate(time.Second), fresh: map[[32]byte]struct{}{}}
}

// Check verifies the proof that r brings, for an access token ("" at the token
// endpoint), and gives the thumbprint of its key.
func (x *Proofs) Check(r *http.Request, accessToken string) (jkt string, err error) {
	if r == nil || len(r.Header.Values("DPoP")) != 1 {
		return "", proofFault(errors.New("not one DPoP header"))
	}
	jkt, id, err := x.read(r, r.Header.Get("DPoP"), accessToken)
	if err != nil {
		return "", proofFault(err)
	}
	return jkt, x.spend(id)
}

func (x *Proofs) read(r *http.Request, text, accessToken string) (jkt string, id [32]byte, err error) {
	if len(text) > maxProof {
		return "", id, errors.New("too long")
	}
	t, err := jwt.ParseSigned(text, Algorithms())
	if err != nil {
		return "", id, err
	}
	if len(t.Headers) != 1 || t.Headers[0].ExtraHeaders[jose.HeaderType] != "dpop+jwt" {
		return "", id, errors.New("not of typ dpop+jwt")
	}
	key := t.Headers[0].JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() || !Strong(key.Key) {
		return "", id, errors.New("no public key that is strong enough")
	}
	var c struct {
		ID       string           `json:"jti"`
		Method   string           `json:"htm"`
		URL      string           `json:"htu"`
		IssuedAt *jwt.NumericDate `json:"iat"`
		Hash     string           `json:"ath"`
	}
	if err := t.Claims(key.Key, &c); err != nil {
		return "", id, err
	}
	now := x.now()
	switch {
	case c.ID == "" || len(c.ID) > 256:
		return "", id, errors.New("jti missing or too long")
	case c.Method != r.Method:
		return "", id, errors.New("another method")
	case !x.here(r, c.URL):
		return "", id, errors.New("another URL")
	case c.IssuedAt == nil || c.IssuedAt.Time().Before(now.Add(-proofLife)) || c.IssuedAt.Time().After(now.Add(Leeway)):
		return "", id, errors.New("not of now")
	case c.IssuedAt.Time().Before(x.start):
		return "", id, errors.New("made before this process began")
	}
	if accessToken != "" {
		sum := sha256.Sum256([]byte(accessToken))
		if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(c.Hash)) != 1 {
			return "", id, errors.New("for another token")
		}
	}
	thumb, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", id, err
	}
	return base64.RawURLEncoding.EncodeToString(thumb), sha256.Sum256(append(thumb, c.ID...)), nil
}

// here reports whether a proof's URL is that of the request, without query and
// fragment: as the client knows us, or as the request itself says.
func (x *Proofs) here(r *http.Request, claimed string) bool {
	u, err := url.Parse(claimed)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.EscapedPath() != r.URL.EscapedPath() {
		return false
	}
	if x.base != "" {
		if b, err := url.Parse(x.base); err == nil && origin(u) == origin(b) {
			return true
		}
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return origin(u) == origin(&url.URL{Scheme: scheme, Host: r.Host})
}

func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// spend notes a proof, or refuses one that was seen.
func (x *Proofs) spend(id [32]byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	// A generation lasts as long as a proof may be shown, so one that is gone
	// with the older generation is too old by itself.
	if now := x.now(); !now.Before(x.turn) {
		if now.Sub(x.turn) >= proofLife+Leeway {
			x.fresh = map[[32]byte]struct{}{} // nobody came for a whole generation
		}
		x.old, x.fresh, x.turn = x.fresh, map[[32]byte]struct{}{}, now.Add(proofLife+Leeway)
	}
	if _, ok := x.fresh[id]; ok {
		return proofFault(errors.New("seen before"))
	}
	if _, ok := x.old[id]; ok {
		return proofFault(errors.New("seen before"))
	}
	if len(x.fresh)+len(x.old) >= maxProofs {
		return fault.New(fault.KindExhausted, "token.proofs", "too many DPoP proofs at once").WithHint("retry in a minute")
	}
	x.fresh[id] = struct{}{}
	return nil
}

// Strong reports whether a public key may verify what outsiders sign: P-256,
// P-384, Ed25519, or RSA of 2048 to 4096 bits with an exponent that costs no
// more than usual.
func Strong(key any) bool {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		name := k.Curve.Params().Name
		return name == "P-256" || name == "P-384"
	case ed25519.PublicKey:
		return true
	case *rsa.PublicKey:
		n := k.N.BitLen()
		return n >= 2048 && n <= 4096 && k.E == 65537
	}
	return false
}

func proofFault(cause error) error {
	return fault.New(fault.KindUnauthenticated, "token.proof", "the key that this token is bound to was not shown").WithCause(cause).
		WithHint("send Authorization: DPoP with a fresh proof, or use the client certificate of the token")
}
