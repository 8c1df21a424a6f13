// Package token makes and verifies the tokens of an installation.
//
// What for: an agent instance shows at the door a JWT-SVID (one audience, five
// minutes at most) or an access token (RFC 9068, an hour at most), or its
// certificate.
//
// Who calls it: api issues with Keys and publishes their JWK set; the gateway
// asks Verifier who is calling.
//
// Promises: each use has its own keys and typ, so a token of one use never
// passes as another. Only ES256 is read. A new key is in the JWK set before it
// signs. A token is verified once and then known by its hash until its end, but
// Standing is asked on every call. A token bound to a key (cnf) is refused,
// since possession is not checked here. Safe for concurrent use.
//
// How it fails: token.invalid (unauthenticated) for whatever is wrong with a
// credential, without saying to the caller what; token.request for what cannot
// be issued; token.keys when the key file cannot be read or written.
//
// Start reading at OpenKeys, then Verifier.Bearer.
package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
	"reeve/internal/identity/ca"
)

// The longest lives of tokens, and the leeway for clocks that differ.
const (
	MaxSVIDLife   = 5 * time.Minute
	MaxAccessLife = time.Hour
	Leeway        = 30 * time.Second

	keyLife = 30 * 24 * time.Hour
	prepare = 2 * ca.RefreshHint
	overlap = MaxAccessLife + 2*ca.RefreshHint
)

// A use is what a key signs; it decides the typ.
type use string

const (
	useSVID   use = "jwt-svid"
	useAccess use = "access"
)

// Sealer encrypts keys at rest; *ca.CA is one.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Options are those of OpenKeys; all but Now are required.
type Options struct {
	Dir         string // an existing folder
	Issuer      string // our issuer URL
	TrustDomain string
	Sealer      Sealer
	Now         func() time.Time // nil is time.Now
}

// Keys are the signing keys of an installation.
type Keys struct {
	o    Options
	file string

	mu    sync.Mutex // guards what follows, and the file
	state keyState
}

type keyState struct {
	Sequence int64  `json:"sequence"`
	Keys     []*key `json:"keys"` // oldest first
}

type key struct {
	ID         string    `json:"kid"`
	Use        use       `json:"use"`
	Sealed     []byte    `json:"key"`
	ActiveFrom time.Time `json:"active_from"`
	DropAt     time.Time `json:"drop_at,omitzero"`

	private *ecdsa.PrivateKey
}

// OpenKeys reads the keys in o.Dir or makes them.
func OpenKeys(o Options) (*Keys, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	k := &Keys{o: o, file: filepath.Join(o.Dir, "token-keys.json")}
	text, err := os.ReadFile(k.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, keysFault(err)
	}
	if err == nil {
		if err := json.Unmarshal(text, &k.state); err != nil {
			return nil, keysFault(err)
		}
	}
	for _, x := range k.state.Keys {
		der, err := o.Sealer.Unseal("token:"+string(x.Use)+":"+x.ID, x.Sealed)
		if err != nil {
			return nil, keysFault(err)
		}
		p, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, keysFault(err)
		}
		var ok bool
		if x.private, ok = p.(*ecdsa.PrivateKey); !ok || x.private.Curve != elliptic.P256() {
			return nil, keysFault(errors.New("not a P-256 key"))
		}
		// Sealed again, since a passphrase may have come since.
		if x.Sealed, err = o.Sealer.Seal("token:"+string(x.Use)+":"+x.ID, der); err != nil {
			return nil, keysFault(err)
		}
	}
	if len(k.state.Keys) > 0 {
		if err := k.save(k.state); err != nil {
			return nil, keysFault(err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k, k.advance()
}

// advance makes and drops keys as the time asks. Holds mu.
func (k *Keys) advance() error {
	now := k.o.Now()
	next := keyState{Sequence: k.state.Sequence}
	for _, x := range k.state.Keys {
		if x.DropAt.IsZero() || now.Before(x.DropAt) {
			next.Keys = append(next.Keys, x)
		}
	}
	changed := len(next.Keys) != len(k.state.Keys)
	for _, u := range []use{useSVID, useAccess} {
		newest := -1
		for i, x := range next.Keys {
			if x.Use == u && x.DropAt.IsZero() {
				newest = i
			}
		}
		from := now
		if newest >= 0 {
			old := *next.Keys[newest]
			if now.Sub(old.ActiveFrom) < keyLife {
				continue
			}
			from = now.Add(prepare)
			old.DropAt = from.Add(overlap)
			next.Keys[newest] = &old
		}
		x, err := k.newKey(u, from)
		if err != nil {
			return err
		}
		next.Keys = append(next.Keys, x)
		changed = true
	}
	if !changed {
		return nil
	}
	next.Sequence++
	if err := k.save(next); err != nil {
		return keysFault(err)
	}
	k.state = next
	return nil
}

func (k *Keys) newKey(u use, from time.Time) (*key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	x := &key{ID: randomID(), Use: u, ActiveFrom: from, private: private}
	x.Sealed, err = k.o.Sealer.Seal("token:"+string(u)+":"+x.ID, der)
	return x, err
}

func (k *Keys) save(s keyState) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(k.o.Dir, ".token-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when renamed
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), k.file); err != nil {
		return err
	}
	d, err := os.Open(k.o.Dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// JWKS gives the public keys of JWT-SVIDs as they stand in a SPIFFE bundle,
// those of access tokens as RFC 9068 clients read them, and how often either
// changed.
func (k *Keys) JWKS() (svid, access []json.RawMessage, sequence int64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.advance(); err != nil {
		return nil, nil, 0, err
	}
	for _, x := range k.state.Keys {
		j := jose.JSONWebKey{Key: x.private.Public(), KeyID: x.ID, Algorithm: string(jose.ES256), Use: "sig"}
		if x.Use == useSVID {
			j.Use, j.Algorithm = "jwt-svid", ""
		}
		text, err := j.MarshalJSON()
		if err != nil {
			return nil, nil, 0, err
		}
		if x.Use == useSVID {
			svid = append(svid, text)
		} else {
			access = append(access, text)
		}
	}
	return svid, access, k.state.Sequence, nil
}

// find gives the public key of a kid for one use only.
func (k *Keys) find(u use, id string) (*ecdsa.PublicKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.o.Now()
	for _, x := range k.state.Keys {
		if x.Use == u && x.ID == id && (x.DropAt.IsZero() || now.Before(x.DropAt)) {
			return &x.private.PublicKey, true
		}
	}
	return nil, false
}

// claims are what our tokens carry.
type claims struct {
	Issuer    string           `json:"iss,omitempty"`
	Subject   string           `json:"sub"`
	Audience  jwt.Audience     `json:"aud"`
	ClientID  string           `json:"client_id,omitempty"`
	ID        string           `json:"jti"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	NotBefore *jwt.NumericDate `json:"nbf,omitempty"`
	Expires   *jwt.NumericDate `json:"exp"`
	Scope     string           `json:"scope,omitempty"`
	Epoch     int64            `json:"reeve_epoch"`
	Confirm   json.RawMessage  `json:"cnf,omitempty"`
}

// Issued is a token as it was made.
type Issued struct {
	Token   string
	ID      string // jti: what names it in decisions and revocations
	Expires time.Time
}

// Subject is the agent instance a token speaks for.
type Subject struct {
	Agent    string
	Instance string
	Epoch    int64 // of the agent now
}

// SVID makes a JWT-SVID for one audience. life is cut to MaxSVIDLife, which 0
// also means.
func (k *Keys) SVID(s Subject, audience string, life time.Duration) (Issued, error) {
	return k.issue(useSVID, s, audience, "", life, MaxSVIDLife)
}

// Access makes an access token (at+jwt) for one audience and the given scopes,
// separated by spaces. life is cut to MaxAccessLife, which 0 also means.
func (k *Keys) Access(s Subject, audience, scope string, life time.Duration) (Issued, error) {
	return k.issue(useAccess, s, audience, scope, life, MaxAccessLife)
}

func (k *Keys) issue(u use, s Subject, audience, scope string, life, most time.Duration) (Issued, error) {
	id, err := ca.AgentID(k.o.TrustDomain, s.Agent, s.Instance)
	if err != nil {
		return Issued{}, err
	}
	if audience == "" || len(audience) > 2048 || len(scope) > 2048 || s.Epoch < 0 {
		return Issued{}, fault.New(fault.KindInvalid, "token.request", "a token needs one audience, at most 2048 bytes of scopes and an epoch")
	}
	if life <= 0 || life > most {
		life = most
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.advance(); err != nil {
		return Issued{}, err
	}
	now := k.o.Now()
	var by *key
	for _, x := range k.state.Keys {
		if x.Use == u && (by == nil || !x.ActiveFrom.After(now)) {
			by = x
		}
	}
	typ := jose.ContentType("JWT")
	c := claims{
		Issuer: k.o.Issuer, Subject: id, Audience: jwt.Audience{audience}, ID: randomID(), Epoch: s.Epoch,
		IssuedAt: jwt.NewNumericDate(now), Expires: jwt.NewNumericDate(now.Add(life)),
	}
	if u == useAccess {
		typ, c.ClientID, c.Scope = "at+jwt", s.Agent, scope
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: by.private, KeyID: by.ID}},
		(&jose.SignerOptions{}).WithType(typ))
	if err != nil {
		return Issued{}, err
	}
	text, err := jwt.Signed(signer).Claims(c).Serialize()
	return Issued{Token: text, ID: c.ID, Expires: c.Expires.Time()}, err
}

func randomID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // documented never to happen
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func keysFault(cause error) error {
	return fault.New(fault.KindUnavailable, "token.keys", "the token keys cannot be read or written").WithCause(cause)
}

// single gives an audience list's only entry.
func single(a jwt.Audience, accepted []string) bool {
	return len(a) == 1 && slices.Contains(accepted, a[0])
}
