package token

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"

	"reeve/internal/fault"
	"reeve/internal/identity/ca"
)

const issuer, door = "https://reeve.example.org", "https://door.example.org"

type world struct {
	now  time.Time
	ca   *ca.CA
	keys *Keys
	v    *Verifier
	dead map[string]bool
	dir  string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{now: time.Now().Truncate(time.Second), dead: map[string]bool{}, dir: t.TempDir()}
	var err error
	if w.ca, err = ca.Open(ca.Options{Dir: w.dir, TrustDomain: "example.org", Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	w.open(t)
	return w
}

func (w *world) open(t testing.TB) {
	t.Helper()
	var err error
	w.keys, err = OpenKeys(Options{Dir: w.dir, Issuer: issuer, TrustDomain: "example.org", Sealer: w.ca, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.v = NewVerifier(VerifierOptions{Keys: w.keys, CA: w.ca, Audiences: []string{door}, Base: door, Standing: func(p Principal) error {
		if w.dead[p.CredentialID] {
			return fault.New(fault.KindUnauthenticated, "test.dead", "dead")
		}
		return nil
	}})
}

var agent = Subject{Agent: "billing", Instance: "i1", Epoch: 3}

func (w *world) key(u use) *key {
	for _, x := range w.keys.state.Keys {
		if x.Use == u {
			return x
		}
	}
	return nil
}

func mint(t testing.TB, alg jose.SignatureAlgorithm, k any, kid, typ string, c any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k, KeyID: kid}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svid, err := w.keys.SVID(agent, door, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	access, err := w.keys.Access(Access{Subject: agent, Audience: door, Scope: "a b"})
	if err != nil {
		t.Fatal(err)
	}
	w.open(t)     // the keys outlive the process
	for range 2 { // verified, then known
		got, err := w.v.Bearer(t.Context(), svid.Token, nil)
		want := Principal{
			Credential: "jwt_svid", CredentialID: svid.ID, Agent: "billing", Instance: "i1", Epoch: 3, Issued: svid.Expires.Add(-MaxSVIDLife), Expires: svid.Expires,
			Identity: Identity{Issuer: "example.org", Kind: KindAgent, Subject: "spiffe://example.org/agent/billing/i1"},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Principal{})); err != nil || diff != "" {
			t.Errorf("%s, %v", diff, err)
		}
		got, err = w.v.Bearer(t.Context(), access.Token, nil)
		if err != nil || got.Credential != "access_token" || !cmp.Equal(got.Scopes, []string{"a", "b"}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	w.dead[svid.ID] = true
	if _, err := w.v.Bearer(t.Context(), svid.Token, nil); fault.From(err).Code != "test.dead" {
		t.Errorf("a known token outlived its revocation: %v", err)
	}
	w.now = access.Expires.Add(Leeway)
	if _, err := w.v.Bearer(t.Context(), access.Token, nil); fault.From(err).Code != "token.invalid" {
		t.Errorf("a known token outlived its end: %v", err)
	}
}

// The reference implementation reads our bundle and accepts our JWT-SVIDs.
func TestGoSpiffeAccepts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys, _, n, err := w.keys.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	text, err := w.ca.Bundle(keys, n)
	if err != nil {
		t.Fatal(err)
	}
	b, err := spiffebundle.Parse(spiffeid.RequireTrustDomainFromString("example.org"), text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.keys.SVID(agent, door, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwtsvid.ParseAndValidate(s.Token, b, []string{door}); err != nil {
		t.Error(err)
	}
	a, err := w.keys.Access(Access{Subject: agent, Audience: door, Scope: ""})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwtsvid.ParseAndValidate(a.Token, b, []string{door}); err == nil {
		t.Error("an access token passes as a JWT-SVID")
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), newWorld(t)
	access, svid := w.key(useAccess), w.key(useSVID)
	shape := func(edit func(*claims)) claims {
		c := claims{
			Issuer: issuer, Subject: "a", Audience: jwt.Audience{door}, ClientID: "a", ID: "j",
			IssuedAt: jwt.NewNumericDate(w.now), Expires: jwt.NewNumericDate(w.now.Add(time.Minute)),
		}
		if edit != nil {
			edit(&c)
		}
		return c
	}
	with := func(edit func(*claims)) string {
		return mint(t, jose.ES256, access.private, access.ID, "at+jwt", shape(edit))
	}
	good := with(nil)
	if _, err := w.v.Bearer(t.Context(), good, nil); err != nil {
		t.Fatal(err)
	}
	date := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(w.now.Add(d)) }
	if _, err := w.v.Bearer(t.Context(), with(func(c *claims) { c.IssuedAt, c.Expires = date(-time.Minute), date(-29*time.Second) }), nil); err != nil {
		t.Errorf("within the leeway: %v", err)
	}
	part := strings.Split(good, ".")
	point, err := x509.MarshalPKIXPublicKey(access.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + part[1] + "."
	for name, text := range map[string]string{
		"empty":             "",
		"words":             "a.b.c",
		"long":              strings.Repeat("a", MaxToken+1),
		"alg none":          none,
		"no signature":      part[0] + "." + part[1] + ".",
		"public key as mac": mint(t, jose.HS256, point, access.ID, "at+jwt", shape(nil)),
		"other key, our id": mint(t, jose.ES256, other.key(useAccess).private, access.ID, "at+jwt", shape(nil)),
		"unknown key":       mint(t, jose.ES256, access.private, "x", "at+jwt", shape(nil)),
		"svid key":          mint(t, jose.ES256, svid.private, svid.ID, "at+jwt", shape(nil)),
		"access key as JWT": mint(t, jose.ES256, access.private, access.ID, "JWT", shape(nil)),
		"other typ":         mint(t, jose.ES256, access.private, access.ID, "dpop+jwt", shape(nil)),
		"issuer":            with(func(c *claims) { c.Issuer = "https://x" }),
		"audience":          with(func(c *claims) { c.Audience = jwt.Audience{"x"} }),
		"two audiences":     with(func(c *claims) { c.Audience = jwt.Audience{door, "x"} }),
		"no audience":       with(func(c *claims) { c.Audience = nil }),
		"expired":           with(func(c *claims) { c.IssuedAt, c.Expires = date(-time.Minute), date(-Leeway) }),
		"no end":            with(func(c *claims) { c.Expires = nil }),
		"no start":          with(func(c *claims) { c.IssuedAt = nil }),
		"no id":             with(func(c *claims) { c.ID = "" }),
		"future":            with(func(c *claims) { c.IssuedAt = date(31 * time.Second) }),
		"not before":        with(func(c *claims) { c.NotBefore = date(31 * time.Second) }),
		"too long a life":   with(func(c *claims) { c.Expires = date(2 * time.Hour) }),
		"bound twice":       with(func(c *claims) { c.Confirm = &confirm{JKT: "x", X5T: "y"} }),
		"bound to nothing":  with(func(c *claims) { c.Confirm = &confirm{} }),
		"to be exchanged":   with(func(c *claims) { c.Party = "b" }),
		"client of a path":  with(func(c *claims) { c.ClientID, c.Subject = "a/b", "a/b" }),
		"other client":      with(func(c *claims) { c.ClientID = "b" }),
		"other actor":       with(func(c *claims) { c.Actor = &actor{Subject: "b"} }),
		"user, no actor":    with(func(c *claims) { c.User, c.Subject = "okta:jane", "jane" }),
		"chain, no actor":   with(func(c *claims) { c.Chain = []Link{{Agent: "b"}} }),
		"too deep":          with(func(c *claims) { c.Chain, c.Actor = make([]Link, MaxDepth+1), &actor{Subject: "a"} }),
		"svid of elsewhere": mint(t, jose.ES256, svid.private, svid.ID, "JWT", shape(func(c *claims) { c.Subject = "spiffe://example.com/agent/a/i" })),
		"svid with an act":  mint(t, jose.ES256, svid.private, svid.ID, "JWT", shape(func(c *claims) { c.Subject, c.Actor = "spiffe://example.org/agent/a/i", &actor{Subject: "a"} })),
	} {
		if p, err := w.v.Bearer(t.Context(), text, nil); err == nil || fault.From(err).Code != "token.invalid" || p.Agent != "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, s := range []Subject{{}, {Agent: "a/b", Instance: "i"}, {Agent: "a", Instance: "i", Epoch: -1}} {
		if _, err := w.keys.SVID(s, door, 0); err == nil {
			t.Errorf("%+v was given a token", s)
		}
	}
	if _, err := w.keys.SVID(agent, "", 0); fault.From(err).Code != "token.request" {
		t.Error(err)
	}
}

// A new key is published before it signs, and an old one verifies to the end.
func TestKeysTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = w.now.Add(keyLife)
	old, err := w.keys.Access(Access{Subject: agent, Audience: door, Scope: ""})
	if err != nil {
		t.Fatal(err)
	}
	_, list, n, err := w.keys.JWKS()
	if err != nil || len(list) != 2 || n != 2 {
		t.Fatal(len(list), n, err)
	}
	first := w.key(useAccess).ID
	w.now = w.now.Add(prepare)
	fresh, err := w.keys.Access(Access{Subject: agent, Audience: door, Scope: ""})
	if err != nil {
		t.Fatal(err)
	}
	if tok, err := jwt.ParseSigned(fresh.Token, []jose.SignatureAlgorithm{jose.ES256}); err != nil || tok.Headers[0].KeyID == first {
		t.Error("the old key still signs", err)
	}
	for _, x := range []Issued{old, fresh} {
		if _, err := w.v.Bearer(t.Context(), x.Token, nil); err != nil {
			t.Error(err)
		}
	}
	w.now = w.now.Add(overlap)
	if _, list, _, err = w.keys.JWKS(); err != nil || len(list) != 1 {
		t.Error(len(list), err)
	}
}

// A passphrase that comes later encrypts the keys that were there.
func TestSealedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("correct horse battery"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.ca, err = ca.Open(ca.Options{Dir: w.dir, TrustDomain: "example.org", PassphraseFile: pass}); err != nil {
		t.Fatal(err)
	}
	w.open(t)
	text, err := os.ReadFile(filepath.Join(w.dir, "token-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s keyState
	if err := json.Unmarshal(text, &s); err != nil || len(s.Keys) != 3 {
		t.Fatal(len(s.Keys), err)
	}
	for _, x := range s.Keys {
		if _, err := x509.ParsePKCS8PrivateKey(x.Sealed[1:]); err == nil {
			t.Errorf("the %s key is in the clear", x.Use)
		}
	}
}

func TestPeerWithoutAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := NewVerifier(VerifierOptions{Keys: w.keys, Standing: func(Principal) error { return errors.New("asked") }})
	if _, err := v.Peer(nil); fault.From(err).Code != "token.invalid" {
		t.Error(err)
	}
	if _, err := w.v.Peer(nil); fault.From(err).Code != "ca.peer" {
		t.Error(err)
	}
}

func FuzzBearer(f *testing.F) {
	w := newWorld(f)
	s, err := w.keys.SVID(agent, door, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := w.v.Bearer(t.Context(), text, nil)
		if err == nil && p.Agent != agent.Agent {
			t.Errorf("%q is %+v", text, p)
		}
	})
}
