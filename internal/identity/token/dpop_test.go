package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
)

type proofClaims struct {
	ID     string `json:"jti,omitempty"`
	Method string `json:"htm,omitempty"`
	URL    string `json:"htu,omitempty"`
	Issued int64  `json:"iat,omitempty"`
	Hash   string `json:"ath,omitempty"`
}

func proofKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func jktOf(t testing.TB, k *ecdsa.PrivateKey) string {
	t.Helper()
	jwk := jose.JSONWebKey{Key: k.Public()}
	thumb, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(thumb)
}

func proofOf(t testing.TB, k any, alg jose.SignatureAlgorithm, typ jose.ContentType, c proofClaims) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, (&jose.SignerOptions{EmbedJWK: true}).WithType(typ))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ath(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func dpopRequest(token, proof string) *http.Request {
	r := httptest.NewRequest("POST", "http://10.0.0.1/llm/openai/v1/chat?x=1", nil)
	r.Header.Set("Authorization", "DPoP "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return r
}

func TestDPoP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k, other := proofKey(t), proofKey(t)
	tok, err := w.keys.Access(Access{Subject: agent, Audience: door, JKT: jktOf(t, k)})
	if err != nil {
		t.Fatal(err)
	}
	good := func() proofClaims {
		return proofClaims{ID: randomID(), Method: "POST", URL: door + "/llm/openai/v1/chat", Issued: w.now.Unix(), Hash: ath(tok.Token)}
	}
	with := func(edit func(*proofClaims)) string {
		c := good()
		edit(&c)
		return proofOf(t, k, jose.ES256, "dpop+jwt", c)
	}
	proof := with(func(*proofClaims) {})
	p, ok, err := w.v.Request(dpopRequest(tok.Token, proof))
	if err != nil || !ok || !p.Bound || p.Agent != "billing" {
		t.Fatalf("%+v, %v, %v", p, ok, err)
	}
	own := with(func(c *proofClaims) { c.URL = "http://10.0.0.1:80/llm/openai/v1/chat" })
	if _, _, err := w.v.Request(dpopRequest(tok.Token, own)); err != nil {
		t.Errorf("the request's own origin: %v", err)
	}
	bearer := httptest.NewRequest("POST", "/", nil)
	bearer.Header.Set("Authorization", "Bearer "+tok.Token)
	bearer.Header.Set("DPoP", with(func(*proofClaims) {}))
	twice := dpopRequest(tok.Token, with(func(*proofClaims) {}))
	twice.Header.Add("DPoP", with(func(*proofClaims) {}))
	weak, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := w.keys.Access(Access{Subject: agent, Audience: door})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*http.Request{
		"replayed":       dpopRequest(tok.Token, proof),
		"none":           dpopRequest(tok.Token, ""),
		"two":            twice,
		"as bearer":      bearer,
		"another key":    dpopRequest(tok.Token, proofOf(t, other, jose.ES256, "dpop+jwt", good())),
		"another typ":    dpopRequest(tok.Token, proofOf(t, k, jose.ES256, "JWT", good())),
		"another method": dpopRequest(tok.Token, with(func(c *proofClaims) { c.Method = "GET" })),
		"another path":   dpopRequest(tok.Token, with(func(c *proofClaims) { c.URL = door + "/llm/openai/v1/other" })),
		"another host":   dpopRequest(tok.Token, with(func(c *proofClaims) { c.URL = "https://x/llm/openai/v1/chat" })),
		"with a query":   dpopRequest(tok.Token, with(func(c *proofClaims) { c.URL += "?x=1" })),
		"another token":  dpopRequest(tok.Token, with(func(c *proofClaims) { c.Hash = ath("x") })),
		"no token":       dpopRequest(tok.Token, with(func(c *proofClaims) { c.Hash = "" })),
		"no jti":         dpopRequest(tok.Token, with(func(c *proofClaims) { c.ID = "" })),
		"long jti":       dpopRequest(tok.Token, with(func(c *proofClaims) { c.ID = strings.Repeat("x", 257) })),
		"old":            dpopRequest(tok.Token, with(func(c *proofClaims) { c.Issued = w.now.Add(-proofLife - time.Second).Unix() })),
		"future":         dpopRequest(tok.Token, with(func(c *proofClaims) { c.Issued = w.now.Add(Leeway + time.Second).Unix() })),
		"before we were": dpopRequest(tok.Token, with(func(c *proofClaims) { c.Issued = w.now.Add(-2 * time.Second).Unix() })),
		"words":          dpopRequest(tok.Token, "a.b.c"),
		"oversized":      dpopRequest(tok.Token, strings.Repeat("a", maxProof+1)),
		"mac":            dpopRequest(tok.Token, mint(t, jose.HS256, []byte(strings.Repeat("k", 32)), "", "dpop+jwt", good())),
		"no key in it":   dpopRequest(tok.Token, mint(t, jose.ES256, k, "", "dpop+jwt", good())),
		"private key":    dpopRequest(tok.Token, privateProof(t, k, good())),
		"weak key":       dpopRequest(tok.Token, mintEmbedded(t, weak, good())),
		"unbound token":  dpopRequest(plain.Token, with(func(c *proofClaims) { c.Hash = ath(plain.Token) })),
	} {
		p, ok, err := w.v.Request(r)
		if !ok || fault.From(err).Code != "token.proof" || p.Agent != "" {
			t.Errorf("%s: %+v, %v, %v", name, p, ok, err)
		}
	}
	// A proof is refused for as long as it would be good, and forgotten then.
	w.now = w.now.Add(proofLife + Leeway + time.Second)
	if _, _, err := w.v.Request(dpopRequest(tok.Token, with(func(*proofClaims) {}))); err != nil {
		t.Error(err)
	}
	w.now = w.now.Add(2 * (proofLife + Leeway))
	if _, _, err := w.v.Request(dpopRequest(tok.Token, with(func(*proofClaims) {}))); err != nil {
		t.Error(err)
	}
	if n := len(w.v.proofs.fresh) + len(w.v.proofs.old); n != 1 {
		t.Errorf("%d proofs remembered", n)
	}
}

// privateProof embeds the private key, as a careless client would.
func privateProof(t testing.TB, k *ecdsa.PrivateKey, c proofClaims) string {
	t.Helper()
	jwk := jose.JSONWebKey{Key: k}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k}, (&jose.SignerOptions{}).WithType("dpop+jwt").WithHeader("jwk", jwk))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mintEmbedded(t testing.TB, k *ecdsa.PrivateKey, c proofClaims) string {
	t.Helper()
	return proofOf(t, k, jose.ES512, "dpop+jwt", c)
}

// A token bound to a certificate is good only with it.
func TestCertificateBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := proofKey(t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	if err != nil {
		t.Fatal(err)
	}
	leaf := func() *x509.Certificate {
		s, err := w.ca.Issue(csr, "billing", "i1", 3, 0)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(s.Chain[0])
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine, other := leaf(), leaf()
	tok, err := w.keys.Access(Access{Subject: agent, Audience: door, X5T: Thumbprint(mine), NotAfter: mine.NotAfter})
	if err != nil {
		t.Fatal(err)
	}
	if tok.Expires.After(mine.NotAfter) {
		t.Errorf("ends %v, its certificate %v", tok.Expires, mine.NotAfter)
	}
	for name, tc := range map[string]struct {
		state *tls.ConnectionState
		want  string
	}{
		"its own": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{mine}}, ""},
		"another": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{other}}, "token.proof"},
		"none":    {&tls.ConnectionState{}, "token.proof"},
		"no TLS":  {nil, "token.proof"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = tc.state
		r.Header.Set("Authorization", "Bearer "+tok.Token)
		p, _, err := w.v.Request(r)
		if got := codeOf(err); got != tc.want || p.Bound != (tc.want == "") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := w.keys.Access(Access{Subject: agent, Audience: door, NotAfter: w.now}); codeOf(err) != "token.over" {
		t.Errorf("of a certificate that ended: %v", err)
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestExchangeable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issue := func(a Access) string {
		a.Subject = agent
		if a.Audience == "" {
			a.Audience = door
		}
		x, err := w.keys.Access(a)
		if err != nil {
			t.Fatal(err)
		}
		return x.Token
	}
	svid, err := w.keys.SVID(agent, door, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		text, by string
		ok       bool
	}{
		"its own":           {issue(Access{}), "billing", true},
		"of another":        {issue(Access{}), "clerk", false},
		"given to":          {issue(Access{Delegate: "clerk"}), "clerk", true},
		"given away":        {issue(Access{Delegate: "clerk"}), "billing", false},
		"other audience":    {issue(Access{Audience: "https://x"}), "billing", false},
		"svid":              {svid.Token, "billing", false},
		"nothing":           {"", "billing", false},
		"on behalf of jane": {issue(Access{User: "okta:jane", UserName: "jane"}), "billing", true},
	} {
		if _, err := w.v.Exchangeable(t.Context(), tc.text, tc.by); (err == nil) != tc.ok || err != nil && codeOf(err) != "token.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A chain says the same to others (act, outermost first) and to us.
func TestChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	x, err := w.keys.Access(Access{
		Subject: Subject{Agent: "clerk", Epoch: 1}, Audience: door, User: "okta:jane", UserName: "jane",
		Chain: []Link{{"billing", 3}, {"planner", 4}}, From: []string{"a", "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.v.Bearer(t.Context(), x.Token, nil)
	if err != nil || p.Agent != "clerk" || p.User != "okta:jane" || strings.Join(p.Chain, " ") != "billing planner" || p.Identity.Kind != KindUser ||
		strings.Join(p.Identity.Actors, " ") != "clerk billing planner" || p.Identity.Subject != "jane" {
		t.Errorf("%+v, %v", p, err)
	}
	x, err = w.keys.Access(Access{Subject: Subject{Agent: "clerk", Epoch: 1}, Audience: door, Chain: []Link{{"billing", 3}, {"planner", 4}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err = w.v.Bearer(t.Context(), x.Token, nil)
	if err != nil || p.Identity.Subject != "planner" || strings.Join(p.Identity.Actors, " ") != "clerk billing" || p.Identity.Kind != KindAgent {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := w.keys.Access(Access{Subject: agent, Audience: door, Chain: make([]Link, MaxDepth+1)}); codeOf(err) != "token.depth" {
		t.Errorf("too deep: %v", err)
	}
}

func FuzzProof(f *testing.F) {
	k := proofKey(f)
	now := time.Now()
	x := NewProofs("", func() time.Time { return now })
	f.Add(proofOf(f, k, jose.ES256, "dpop+jwt", proofClaims{ID: "j", Method: "POST", URL: "http://10.0.0.1/llm/openai/v1/chat", Issued: now.Unix()}))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		jkt, err := x.Check(dpopRequest("", text), "")
		if (jkt == "") != (err != nil) {
			t.Errorf("%q: %q, %v", text, jkt, err)
		}
	})
}

func BenchmarkBearer(b *testing.B) {
	w := newWorld(b)
	s, err := w.keys.Access(Access{Subject: agent, Audience: door})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	for name, cached := range map[string]bool{"cached": true, "uncached": false} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !cached {
					w.v.Forget()
				}
				if _, _, err := w.v.Request(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
