// Package token makes and verifies the tokens of an installation.
//
// What for: an agent instance shows at the door a JWT-SVID (one audience, five
// minutes at most) or an access token (RFC 9068, an hour at most), or its
// certificate.
//
// Who calls it: oauth and enrol issue with Keys and publish their JWK sets; the
// gateway asks Verifier who is calling; oauth reads subject tokens with it.
//
// Promises: each use has its own keys and typ, so a token of one use never
// passes as another. Only ES256 is read from our own. A new key is in the JWK
// set before it signs. A token is verified once and then known by its hash until
// its end, but standing is asked on every call, and so is possession of the key
// that a token is bound to. Safe for concurrent use.
//
// How it fails: token.invalid (unauthenticated) for whatever is wrong with a
// credential, without saying to the caller what; token.proof for a DPoP proof or
// certificate that does not fit; token.request, token.depth and token.over for
// what cannot be issued; token.keys when the key file cannot be read or written.
//
// Start reading at OpenKeys, then Verifier.Request.
package token

import (
	"cmp"
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
	useCard   use = "agent-card"
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
	for _, u := range []use{useSVID, useAccess, useCard} {
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
		if x.Use == useCard {
			continue
		}
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

// MaxDepth is how many agents a token may stand on; policy sees the depth and
// may allow fewer.
const MaxDepth = 4

// claims are what our tokens carry. What begins with reeve_ is ours alone: who
// acts and for whom, in words that need no guessing. The registered claims say
// the same to others.
type claims struct {
	Issuer    string           `json:"iss,omitempty"`
	Subject   string           `json:"sub"`
	Profile   string           `json:"sub_profile,omitempty"` // ai_agent, user
	Audience  jwt.Audience     `json:"aud"`
	ClientID  string           `json:"client_id,omitempty"`
	Party     string           `json:"azp,omitempty"` // the agent that may exchange it, when not the client
	ID        string           `json:"jti"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	NotBefore *jwt.NumericDate `json:"nbf,omitempty"`
	Expires   *jwt.NumericDate `json:"exp"`
	Scope     string           `json:"scope,omitempty"`
	Actor     *actor           `json:"act,omitempty"`
	MayAct    *actor           `json:"may_act,omitempty"`
	Confirm   *confirm         `json:"cnf,omitempty"`
	Epoch     int64            `json:"reeve_epoch"`
	Instance  string           `json:"reeve_instance,omitempty"`
	User      string           `json:"reeve_user,omitempty"`
	Groups    []string         `json:"reeve_groups,omitempty"`
	Chain     []Link           `json:"reeve_chain,omitempty"`
	Prior     []string         `json:"reeve_prior,omitempty"`
	From      []string         `json:"reeve_from,omitempty"`
}

// actor is act and may_act of RFC 8693; the outermost acts now, what is inside
// it did before.
type actor struct {
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub"`
	Profile string `json:"sub_profile,omitempty"`
	Actor   *actor `json:"act,omitempty"`
}

// confirm binds a token to a key: of DPoP proofs (RFC 9449) or of a client
// certificate (RFC 8705).
type confirm struct {
	JKT string `json:"jkt,omitempty"`
	X5T string `json:"x5t#S256,omitempty"`
}

// The words of sub_profile.
const (
	profileAgent = "ai_agent"
	profileUser  = "user"
)

// Issued is a token as it was made.
type Issued struct {
	Token   string
	ID      string // jti: what names it in decisions and revocations
	Scope   string
	Expires time.Time
}

// Subject is the agent instance a token speaks for.
type Subject struct {
	Agent    string
	Instance string // "" for a credential that copies of an agent share
	Epoch    int64  // of the agent now
}

// Access is an access token to make. Subject, Audience are required.
type Access struct {
	Subject  Subject
	Audience string
	Scope    string        // separated by spaces
	Life     time.Duration // cut to MaxAccessLife, which 0 also means
	NotAfter time.Time     // ends no later; zero: no bound
	JKT, X5T string        // key it is bound to; at most one of them
	Delegate string        // only this agent may exchange it, and nobody may use it otherwise

	// Of an exchanged token.
	User     string   // whom the agents act for, as Principal.User
	UserName string   // the same person's sub at its own issuer
	Groups   []string // of the user, as its issuer says
	Chain    []Link   // agents it stands on, nearest first
	Prior    []string // actors before those, in the words of other issuers
	From     []string // ids of the tokens it comes from
}

// SVID makes a JWT-SVID for one audience. life is cut to MaxSVIDLife, which 0
// also means.
func (k *Keys) SVID(s Subject, audience string, life time.Duration) (Issued, error) {
	id, err := ca.AgentID(k.o.TrustDomain, s.Agent, s.Instance)
	if err != nil {
		return Issued{}, err
	}
	return k.issue(useSVID, claims{Subject: id, Audience: jwt.Audience{audience}, Epoch: s.Epoch}, min(or(life, MaxSVIDLife), MaxSVIDLife), time.Time{})
}

// Access makes an access token (at+jwt) for one audience.
func (k *Keys) Access(a Access) (Issued, error) {
	s := a.Subject
	if _, err := ca.AgentID(k.o.TrustDomain, s.Agent, cmp.Or(s.Instance, "none")); err != nil {
		return Issued{}, err
	}
	if len(a.Chain)+len(a.Prior) > MaxDepth {
		return Issued{}, fault.New(fault.KindDenied, "token.depth", "a token stands on at most %d agents", MaxDepth)
	}
	c := claims{
		Subject: s.Agent, Profile: profileAgent, Audience: jwt.Audience{a.Audience}, ClientID: s.Agent, Scope: a.Scope, Epoch: s.Epoch,
		Instance: s.Instance, User: a.User, Groups: a.Groups, Chain: a.Chain, Prior: a.Prior, From: a.From,
	}
	if a.JKT != "" || a.X5T != "" {
		c.Confirm = &confirm{JKT: a.JKT, X5T: a.X5T}
	}
	if a.Delegate != "" {
		c.Party, c.MayAct = a.Delegate, &actor{Subject: a.Delegate, Profile: profileAgent}
	}
	if a.User != "" {
		c.Subject, c.Profile = cmp.Or(a.UserName, a.User), profileUser
	} else if n := len(a.Chain); n > 0 {
		c.Subject = a.Chain[n-1].Agent // who began
	}
	if a.User != "" || len(a.Chain) > 0 {
		var list []string
		for i, l := range a.Chain {
			if a.User == "" && i == len(a.Chain)-1 {
				break // it is the subject
			}
			list = append(list, l.Agent)
		}
		c.Actor = nest(append([]string{s.Agent}, append(list, a.Prior...)...))
	}
	return k.issue(useAccess, c, min(or(a.Life, MaxAccessLife), MaxAccessLife), a.NotAfter)
}

// nest puts actors into each other, the first outermost.
func nest(list []string) *actor {
	var out *actor
	for _, name := range slices.Backward(list) {
		out = &actor{Subject: name, Profile: profileAgent, Actor: out}
	}
	return out
}

func or(life, most time.Duration) time.Duration {
	if life <= 0 {
		return most
	}
	return life
}

func (k *Keys) issue(u use, c claims, life time.Duration, end time.Time) (Issued, error) {
	if c.Audience[0] == "" || len(c.Audience[0]) > 2048 || len(c.Scope) > 2048 || c.Epoch < 0 {
		return Issued{}, fault.New(fault.KindInvalid, "token.request", "a token needs one audience, at most 2048 bytes of scopes and an epoch")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.advance(); err != nil {
		return Issued{}, err
	}
	now := k.o.Now()
	expires := now.Add(life)
	if !end.IsZero() && end.Before(expires) {
		expires = end
	}
	if !expires.After(now) {
		return Issued{}, fault.New(fault.KindDenied, "token.over", "what this token would stand on has ended")
	}
	by := k.signing(u)
	typ := jose.ContentType("JWT")
	if u == useAccess {
		typ = "at+jwt"
	}
	c.Issuer, c.ID, c.IssuedAt, c.Expires = k.o.Issuer, randomID(), jwt.NewNumericDate(now), jwt.NewNumericDate(expires)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: by.private, KeyID: by.ID}},
		(&jose.SignerOptions{}).WithType(typ))
	if err != nil {
		return Issued{}, err
	}
	text, err := jwt.Signed(signer).Claims(c).Serialize()
	if err != nil {
		return Issued{}, err
	}
	if len(text) > MaxToken {
		return Issued{}, fault.New(fault.KindInvalid, "token.request", "a token of this would be longer than %d bytes", MaxToken)
	}
	return Issued{Token: text, ID: c.ID, Scope: c.Scope, Expires: c.Expires.Time()}, nil
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
