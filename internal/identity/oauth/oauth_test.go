package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/token"
)

const issuer = "https://reeve.example.org"

type world struct {
	t      testing.TB
	mu     sync.Mutex
	at     time.Time
	agents map[string]token.Agent
	gone   map[string]bool
	db     *control.DB
	ca     *ca.CA
	keys   *token.Keys
	v      *token.Verifier
	s      *Server
	key    map[string]*ecdsa.PrivateKey
	n      int
	// foreign stands for the outside issuers: what their tokens say, by text.
	foreign map[string]token.Principal
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) pass(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.Add(d) }

func newWorld(t testing.TB, names ...string) *world {
	t.Helper()
	w := &world{t: t, at: time.Now().Truncate(time.Second), agents: map[string]token.Agent{}, gone: map[string]bool{}, key: map[string]*ecdsa.PrivateKey{}, foreign: map[string]token.Principal{}}
	dir := t.TempDir()
	var err error
	if w.db, err = controltest.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() })
	if w.ca, err = ca.Open(ca.Options{Dir: dir, TrustDomain: "example.org", Now: w.now}); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = token.OpenKeys(token.Options{Dir: dir, Issuer: issuer, TrustDomain: "example.org", Sealer: w.ca, Now: w.now}); err != nil {
		t.Fatal(err)
	}
	w.v = token.NewVerifier(token.VerifierOptions{
		Keys: w.keys, CA: w.ca, Audiences: []string{issuer}, Base: issuer,
		Foreign: func(_ context.Context, text string) (token.Principal, error) {
			if p, ok := w.foreign[text]; ok {
				return p, nil
			}
			return token.Principal{}, fault.New(fault.KindUnauthenticated, "token.invalid", "no")
		},
		Standing: func(p token.Principal) error {
			if !w.s.stands(p) && p.Credential != "foreign_token" {
				return fault.New(fault.KindUnauthenticated, "token.dead", "dead")
			}
			return nil
		},
	})
	w.open()
	for _, name := range names {
		w.agent(name)
	}
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.s, err = New(w.t.Context(), Options{DB: w.db, Keys: w.keys, Verifier: w.v, Issuer: issuer, Now: w.now, Agents: func(name string) (token.Agent, error) {
		a, ok := w.agents[name]
		if !ok || w.gone[name] {
			return token.Agent{}, fault.New(fault.KindDenied, "token.no_agent", "no such agent")
		}
		return a, nil
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) agent(name string) {
	w.t.Helper()
	a := token.Agent{Name: name, Team: "core", Environment: "production", Epoch: 1}
	w.agents[name] = a
	err := w.db.Write(w.t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO agents (name, team, body, epoch, revision, version, created_at, updated_at) VALUES (?, 'core', '{}', 1, 1, '', 0, 0)`, name)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.key[name] = k
	if _, err := w.s.AddKeys(w.t.Context(), "ada", a, jwkOf(w.t, k.Public(), "k1"), 0); err != nil {
		w.t.Fatal(err)
	}
}

func jwkOf(t testing.TB, public any, kid string) []byte {
	t.Helper()
	text, err := (&jose.JSONWebKey{Key: public, KeyID: kid, Algorithm: "", Use: "sig"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

type assertion struct {
	Issuer    string `json:"iss,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  any    `json:"aud,omitempty"`
	ID        string `json:"jti,omitempty"`
	Issued    int64  `json:"iat,omitempty"`
	NotBefore int64  `json:"nbf,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, k any, kid string, c any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *world) claims(agent string) assertion {
	w.n++
	return assertion{
		Issuer: agent, Subject: agent, Audience: issuer, ID: "j" + strconv.Itoa(w.n), Issued: w.now().Unix(), Expires: w.now().Add(time.Minute).Unix(),
	}
}

func (w *world) assertion(agent string) string {
	return sign(w.t, jose.ES256, w.key[agent], "k1", w.claims(agent))
}

// reply is what an endpoint answered.
type reply struct {
	status int
	body   map[string]any
	header http.Header
}

func (r reply) text(key string) string { s, _ := r.body[key].(string); return s }

func (r reply) String() string {
	text, _ := json.Marshal(r.body)
	return strconv.Itoa(r.status) + " " + string(text)
}

func (w *world) post(path string, form map[string]string, edit ...func(*http.Request)) reply {
	w.t.Helper()
	values := url.Values{}
	for k, v := range form {
		values.Set(k, v)
	}
	r := httptest.NewRequest("POST", "http://10.0.0.1"+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, e := range edit {
		e(r)
	}
	return w.do(r)
}

func (w *world) do(r *http.Request) reply {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.s.Handler().ServeHTTP(rec, r)
	out := reply{status: rec.Code, header: rec.Header()}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &out.body); err != nil {
			out.body = map[string]any{"text": rec.Body.String()}
		}
	}
	return out
}

// as adds an agent's authentication to a form.
func (w *world) as(agent string, form map[string]string) map[string]string {
	out := map[string]string{"client_assertion_type": jwtBearer, "client_assertion": w.assertion(agent)}
	for k, v := range form {
		out[k] = v
	}
	return out
}

func (w *world) grant(agent string, more map[string]string, edit ...func(*http.Request)) reply {
	w.t.Helper()
	form := w.as(agent, map[string]string{"grant_type": clientCredentials})
	for k, v := range more {
		form[k] = v
	}
	return w.post("/oauth/token", form, edit...)
}

func (w *world) exchange(agent, subject string, more map[string]string, edit ...func(*http.Request)) reply {
	w.t.Helper()
	form := w.as(agent, map[string]string{"grant_type": tokenExchange, "subject_token": subject, "subject_token_type": typeAccess})
	for k, v := range more {
		form[k] = v
	}
	return w.post("/oauth/token", form, edit...)
}

func (w *world) must(r reply) string {
	w.t.Helper()
	if r.status != http.StatusOK || r.text("access_token") == "" {
		w.t.Fatalf("refused: %v", r)
	}
	return r.text("access_token")
}

func (w *world) client(agent string, c Client) {
	w.t.Helper()
	if err := w.s.SetClient(w.t.Context(), "ada", agent, c); err != nil {
		w.t.Fatal(err)
	}
}

func want(t testing.TB, name string, r reply, status int, code string) {
	t.Helper()
	if r.status != status || r.text("error") != code || r.body["access_token"] != nil {
		t.Errorf("%s: %v, want %d %s", name, r, status, code)
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	w.client("billing", Client{Scopes: []string{"tools:call", "runs:read"}, Audiences: []string{"https://api.example.org"}})
	r := w.grant("billing", map[string]string{"scope": "tools:call"})
	text := w.must(r)
	if r.header.Get("Cache-Control") != "no-store" || r.text("token_type") != "Bearer" || r.text("scope") != "tools:call" || r.body["expires_in"] != DefaultLife.Seconds() {
		t.Errorf("%v %v", r, r.header)
	}
	p, err := w.v.Bearer(t.Context(), text, nil)
	if err != nil || p.Agent != "billing" || p.Instance != "" || p.Bound {
		t.Errorf("%+v, %v", p, err)
	}
	// Its metadata document's address is a client id too, and a JWK set is read
	// from there.
	id := issuer + "/agents/billing/client.json"
	c := w.claims(id)
	w.must(w.post("/oauth/token", map[string]string{"grant_type": clientCredentials, "client_id": id, "client_assertion_type": jwtBearer, "client_assertion": sign(t, jose.ES256, w.key["billing"], "k1", c)}))
	doc := w.do(httptest.NewRequest("GET", "/agents/billing/client.json", nil))
	if doc.text("client_id") != id || len(doc.body["jwks"].(map[string]any)["keys"].([]any)) != 1 {
		t.Errorf("document %v", doc)
	}
	elsewhere := w.must(w.grant("billing", map[string]string{"resource": "https://api.example.org"}))
	if _, err := w.v.Bearer(t.Context(), elsewhere, nil); err == nil {
		t.Error("a token for another audience opens the door")
	}
	for name, tc := range map[string]struct {
		form map[string]string
		code string
	}{
		"a scope that it has not": {map[string]string{"scope": "tools:call admin"}, "invalid_scope"},
		"a scope twice":           {map[string]string{"scope": "tools:call tools:call"}, "invalid_scope"},
		"a scope with a quote":    {map[string]string{"scope": `a"b`}, "invalid_scope"},
		"another audience":        {map[string]string{"audience": "https://x.example.org"}, "invalid_target"},
		"no part of the door":     {map[string]string{"resource": issuer + "/http/x"}, "invalid_target"},
		"beside the door":         {map[string]string{"resource": issuer + ".evil.example/mcp"}, "invalid_target"},
		"a part given away":       {map[string]string{"delegate_to": "billing", "resource": issuer + "/mcp/tracker"}, "invalid_target"},
		"two audiences":           {map[string]string{"audience": issuer, "resource": "https://api.example.org"}, "invalid_target"},
		"another grant":           {map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
		"no grant":                {map[string]string{"grant_type": ""}, "invalid_request"},
		"given to nobody":         {map[string]string{"delegate_to": "nobody"}, "invalid_request"},
		"given away for outside":  {map[string]string{"delegate_to": "billing", "resource": "https://api.example.org"}, "invalid_target"},
	} {
		want(t, name, w.grant("billing", tc.form), 400, tc.code)
	}
}

// Everything that is wrong with a client's authentication is invalid_client,
// and the answer does not say what.
func TestAssertions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing", "clerk")
	k := w.key["billing"]
	point, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	with := func(edit func(*assertion)) string {
		c := w.claims("billing")
		edit(&c)
		return sign(t, jose.ES256, k, "k1", c)
	}
	good := with(func(*assertion) {})
	part := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + part[1] + "."
	used := with(func(*assertion) {})
	send := func(text string) reply {
		return w.post("/oauth/token", map[string]string{"grant_type": clientCredentials, "client_assertion_type": jwtBearer, "client_assertion": text})
	}
	w.must(send(used))
	at := func(d time.Duration) int64 { return w.now().Add(d).Unix() }
	for name, text := range map[string]string{
		"replayed":                used,
		"alg none":                none,
		"no signature":            part[0] + "." + part[1] + ".",
		"key as mac (PKIX)":       sign(t, jose.HS256, point, "k1", w.claims("billing")),
		"key as mac (point)":      sign(t, jose.HS256, public, "k1", w.claims("billing")),
		"key as mac (JWK)":        sign(t, jose.HS256, jwkOf(t, k.Public(), "k1"), "k1", w.claims("billing")),
		"another's key":           sign(t, jose.ES256, w.key["clerk"], "k1", w.claims("billing")),
		"another kid":             sign(t, jose.ES256, k, "k2", w.claims("billing")),
		"unknown agent":           sign(t, jose.ES256, k, "k1", w.claims("nobody")),
		"words":                   "a.b.c",
		"nothing":                 "",
		"oversized":               strings.Repeat("a", token.MaxToken+1),
		"wrong audience":          with(func(c *assertion) { c.Audience = "https://x.example.org" }),
		"the endpoint":            with(func(c *assertion) { c.Audience = issuer + "/oauth/token" }),
		"two audiences":           with(func(c *assertion) { c.Audience = []string{issuer, "https://x.example.org"} }),
		"no audience":             with(func(c *assertion) { c.Audience = nil }),
		"wrong issuer":            with(func(c *assertion) { c.Issuer = "clerk" }),
		"another's subject":       with(func(c *assertion) { c.Issuer, c.Subject = "clerk", "clerk" }),
		"expired":                 with(func(c *assertion) { c.Issued, c.Expires = at(-2*time.Minute), at(-token.Leeway) }),
		"no end":                  with(func(c *assertion) { c.Expires = 0 }),
		"not yet valid":           with(func(c *assertion) { c.NotBefore = at(31 * time.Second) }),
		"issued in the future":    with(func(c *assertion) { c.Issued = at(31 * time.Second) }),
		"too long a life":         with(func(c *assertion) { c.Expires = at(6 * time.Minute) }),
		"too long a life, no iat": with(func(c *assertion) { c.Issued, c.Expires = 0, at(6*time.Minute) }),
		"no jti":                  with(func(c *assertion) { c.ID = "" }),
		"long jti":                with(func(c *assertion) { c.ID = strings.Repeat("x", 257) }),
	} {
		want(t, name, send(text), 401, "invalid_client")
	}
	form := map[string]string{"grant_type": clientCredentials}
	want(t, "none", w.post("/oauth/token", form), 401, "invalid_client")
	want(t, "basic", w.post("/oauth/token", form, func(r *http.Request) { r.SetBasicAuth("billing", "secret") }), 401, "invalid_client")
	want(t, "secret", w.post("/oauth/token", map[string]string{"grant_type": clientCredentials, "client_id": "billing", "client_secret": "x"}), 401, "invalid_client")
	want(t, "another type", w.grant("billing", map[string]string{"client_assertion_type": "urn:x"}), 401, "invalid_client")
	want(t, "another client_id", w.grant("billing", map[string]string{"client_id": "clerk"}), 401, "invalid_client")

	w.open() // spent stays spent
	want(t, "replayed after a restart", send(used), 401, "invalid_client")
	a := w.agents["billing"]
	a.Epoch++ // a stop
	w.agents["billing"] = a
	want(t, "of a key from before a stop", send(with(func(*assertion) {})), 401, "invalid_client")
	if _, err := w.s.AddKeys(t.Context(), "ada", a, jwkOf(t, k.Public(), "k2"), 0); err != nil {
		t.Fatal(err)
	}
	w.must(send(sign(t, jose.ES256, k, "k2", w.claims("billing"))))
	w.gone["billing"] = true
	want(t, "of an agent that is gone", send(sign(t, jose.ES256, k, "k2", w.claims("billing"))), 401, "invalid_client")
}

func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	send := func(kind, target, body string) reply {
		r := httptest.NewRequest("POST", target, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return w.do(r)
	}
	const form = "application/x-www-form-urlencoded"
	want(t, "JSON", send("application/json", "/oauth/token", "{}"), 400, "invalid_request")
	want(t, "no type", send("", "/oauth/token", "{}"), 400, "invalid_request")
	want(t, "in the address", send(form, "/oauth/token?grant_type=x", ""), 400, "invalid_request")
	want(t, "twice", send(form, "/oauth/token", "grant_type=a&grant_type=b"), 400, "invalid_request")
	want(t, "two resources", send(form, "/oauth/token", "resource=a&resource=b"), 400, "invalid_target")
	want(t, "oversized", send(form, "/oauth/token", "a="+strings.Repeat("a", maxForm)), 400, "invalid_request")
	want(t, "malformed", send(form, "/oauth/token", "a=%zz"), 400, "invalid_request")
	if r := w.do(httptest.NewRequest("GET", "/oauth/token", nil)); r.status != 405 {
		t.Errorf("GET: %v", r)
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		if r := w.do(httptest.NewRequest("GET", path, nil)); r.text("issuer") != issuer || r.text("token_endpoint") != issuer+"/oauth/token" {
			t.Errorf("%s: %v", path, r)
		}
	}
	if r := w.do(httptest.NewRequest("GET", "/.well-known/oauth-protected-resource", nil)); r.text("resource") != issuer {
		t.Errorf("resource: %v", r)
	}
	for _, part := range []string{"/mcp", "/mcp/tracker"} {
		r := w.do(httptest.NewRequest("GET", "/.well-known/oauth-protected-resource"+part, nil))
		if r.text("resource") != issuer+part || r.body["authorization_servers"].([]any)[0] != issuer || r.body["scopes_supported"] != nil {
			t.Errorf("resource %s: %v", part, r)
		}
	}
	for _, part := range []string{"/", "/mcp/", "/mcp/a/b", "/mcp/%74racker", "/http/x", "/mcp/Tracker"} {
		if r := w.do(httptest.NewRequest("GET", "/.well-known/oauth-protected-resource"+part, nil)); r.status != 404 {
			t.Errorf("resource %s: %v", part, r)
		}
	}
	if r := w.do(httptest.NewRequest("GET", "/oauth/authorize?response_type=code", nil)); r.status != 400 || r.text("error") != "unsupported_response_type" {
		t.Errorf("authorize: %v", r)
	}
	if r := w.do(httptest.NewRequest("GET", "/oauth/jwks", nil)); len(r.body["keys"].([]any)) != 1 || strings.Contains(r.String(), `"d"`) {
		t.Errorf("keys: %v", r)
	}
	if r := w.do(httptest.NewRequest("GET", "/agents/nobody/client.json", nil)); r.status != 404 {
		t.Errorf("nobody's document: %v", r)
	}
}

func (w *world) svid(agent, instance string, life time.Duration) (tls.ConnectionState, *x509.Certificate) {
	w.t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, w.key[agent])
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.ca.Issue(csr, agent, instance, w.agents[agent].Epoch, life)
	if err != nil {
		w.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(s.Chain[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, leaf
}

func over(state tls.ConnectionState) func(*http.Request) {
	return func(r *http.Request) { r.TLS = &state }
}

// By certificate: the token is bound to it, carries the instance and ends with
// it.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing", "clerk")
	state, leaf := w.svid("billing", "i1", 5*time.Minute)
	form := map[string]string{"grant_type": clientCredentials, "client_id": "billing"}
	r := w.post("/oauth/token", form, over(state))
	text := w.must(r)
	p, _, err := w.v.Inspect(t.Context(), text)
	if err != nil || p.X5T() != token.Thumbprint(leaf) || p.Instance != "i1" || p.Expires.After(leaf.NotAfter) {
		t.Errorf("%+v, %v", p, err)
	}
	use := httptest.NewRequest("GET", "/", nil)
	use.Header.Set("Authorization", "Bearer "+text)
	if _, _, err := w.v.Request(use); fault.From(err).Code != "token.proof" {
		t.Errorf("without the certificate: %v", err)
	}
	use.TLS = &state
	if p, _, err := w.v.Request(use); err != nil || !p.Bound {
		t.Errorf("%+v, %v", p, err)
	}
	want(t, "another client_id", w.post("/oauth/token", map[string]string{"grant_type": clientCredentials, "client_id": "clerk"}, over(state)), 401, "invalid_client")
	// The binding outlives an exchange, and cannot be shed by the assertion.
	again := w.post("/oauth/token", map[string]string{"grant_type": tokenExchange, "subject_token": text, "subject_token_type": typeAccess}, over(state))
	if p, _, err := w.v.Inspect(t.Context(), w.must(again)); err != nil || p.X5T() != token.Thumbprint(leaf) {
		t.Errorf("%+v, %v", p, err)
	}
	want(t, "binding shed", w.exchange("billing", text, nil), 400, "invalid_grant")
	if err := w.ca.Revoke(p.CredentialID, leaf.NotAfter); err == nil {
		t.Error("a jti was taken for a serial")
	}
	a := w.agents["billing"]
	a.Epoch++
	w.agents["billing"] = a
	want(t, "stopped", w.post("/oauth/token", form, over(state)), 401, "invalid_client")
	stranger := newWorld(t, "billing")
	state, _ = stranger.svid("billing", "i1", 0)
	want(t, "of another authority", w.post("/oauth/token", form, over(state)), 401, "invalid_client")
}

func (w *world) proof(k *ecdsa.PrivateKey, path string) func(*http.Request) {
	w.n++
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(map[string]any{"jti": strconv.Itoa(w.n), "htm": "POST", "htu": issuer + path, "iat": w.now().Unix()}).Serialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return func(r *http.Request) { r.Header.Set("DPoP", text) }
}

func TestDPoP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := jose.JSONWebKey{Key: k.Public()}
	thumb, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	shown := w.proof(k, "/oauth/token")
	r := w.grant("billing", nil, shown)
	text := w.must(r)
	if p, _, err := w.v.Inspect(t.Context(), text); err != nil || p.JKT() != base64.RawURLEncoding.EncodeToString(thumb) || r.text("token_type") != "DPoP" {
		t.Errorf("%+v, %v, %v", p, err, r)
	}
	want(t, "replayed", w.grant("billing", nil, shown), 400, "invalid_dpop_proof")
	want(t, "for another endpoint", w.grant("billing", nil, w.proof(k, "/oauth/revoke")), 400, "invalid_dpop_proof")
	want(t, "binding shed", w.exchange("billing", text, nil), 400, "invalid_grant")
	want(t, "bound to another key", w.exchange("billing", text, nil, w.proof(w.key["billing"], "/oauth/token")), 400, "invalid_grant")
	w.must(w.exchange("billing", text, nil, w.proof(k, "/oauth/token")))
	w.client("billing", Client{Bound: true})
	want(t, "a bearer token where none may be", w.grant("billing", nil), 400, "invalid_request")
	w.must(w.grant("billing", nil, w.proof(k, "/oauth/token")))
}

// A delegates to B, B to C: each token says for whom it acts, nothing is added
// and nobody is left out.
func TestExchangeChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "planner", "billing", "clerk", "thief")
	for _, name := range []string{"planner", "billing", "clerk", "thief"} {
		w.client(name, Client{Scopes: []string{"a", "b", "c"}, Audiences: []string{"https://api.example.org"}})
	}
	w.client("planner", Client{Scopes: []string{"a", "b"}})
	first := w.must(w.grant("planner", map[string]string{"scope": "a b", "delegate_to": "billing"}))
	if _, err := w.v.Bearer(t.Context(), first, nil); err == nil {
		t.Error("a token to be exchanged opens the door")
	}
	want(t, "a thief", w.exchange("thief", first, nil), 400, "invalid_grant")
	want(t, "who gave it", w.exchange("planner", first, nil), 400, "invalid_grant")
	want(t, "more scope", w.exchange("billing", first, map[string]string{"scope": "a c"}), 400, "invalid_scope")
	want(t, "an audience that the first may not", w.exchange("billing", first, map[string]string{"audience": "https://api.example.org"}), 400, "invalid_target")
	r := w.exchange("billing", first, map[string]string{"scope": "a"})
	second := w.must(r)
	p, err := w.v.Bearer(t.Context(), second, nil)
	if err != nil || p.Agent != "billing" || strings.Join(p.Chain, " ") != "planner" || strings.Join(p.Scopes, " ") != "a" || r.text("issued_token_type") != typeAccess {
		t.Errorf("%+v, %v", p, err)
	}
	want(t, "scope taken back", w.exchange("billing", second, map[string]string{"scope": "a b"}), 400, "invalid_scope")
	want(t, "another's token", w.exchange("clerk", second, nil), 400, "invalid_grant")
	intro := w.post("/oauth/introspect", w.as("billing", map[string]string{"token": second}))
	if intro.body["active"] != true || intro.text("sub") != "planner" || intro.body["act"].(map[string]any)["sub"] != "billing" {
		t.Errorf("introspection %v", intro)
	}
	if other := w.post("/oauth/introspect", w.as("clerk", map[string]string{"token": second})); other.body["active"] != false || len(other.body) != 1 {
		t.Errorf("introspection by another: %v", other)
	}
	// Revoking the first takes along what came of it, also after a restart.
	if r := w.post("/oauth/revoke", w.as("planner", map[string]string{"token": first})); r.status != 200 {
		t.Errorf("revocation %v", r)
	}
	for range 2 {
		if _, err := w.v.Bearer(t.Context(), second, nil); fault.From(err).Code != "token.dead" {
			t.Errorf("a token outlived the one it came from: %v", err)
		}
		want(t, "a dead token", w.exchange("billing", first, nil), 400, "invalid_grant")
		w.open()
	}
}

func TestExchangeStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "planner", "billing")
	w.client("planner", Client{})
	text := w.must(w.exchange("billing", w.must(w.grant("planner", map[string]string{"delegate_to": "billing"})), nil))
	if _, err := w.v.Bearer(t.Context(), text, nil); err != nil {
		t.Fatal(err)
	}
	a := w.agents["planner"]
	a.Epoch++
	w.agents["planner"] = a
	if _, err := w.v.Bearer(t.Context(), text, nil); fault.From(err).Code != "token.dead" {
		t.Errorf("a delegate's token outlived the stop of who delegated: %v", err)
	}
}

func TestExchangeBounds(t *testing.T) {
	t.Parallel()
	names := []string{"a0", "a1", "a2", "a3", "a4", "a5"}
	w := newWorld(t, names...)
	w.client("a0", Client{Life: 2 * time.Minute})
	own := w.must(w.grant("a0", nil))
	p, err := w.v.Bearer(t.Context(), own, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.client("a0", Client{Life: time.Hour})
	again, err := w.v.Bearer(t.Context(), w.must(w.exchange("a0", own, nil)), nil)
	if err != nil || again.Expires.After(p.Expires) || len(again.Chain) != 0 {
		t.Errorf("an exchange lengthened a life: %+v, %v", again, err)
	}
	// Actor tokens: the agent's own, and their end bounds too.
	actor := w.must(w.grant("a1", nil))
	sub := w.must(w.grant("a0", map[string]string{"delegate_to": "a1"}))
	w.must(w.exchange("a1", sub, map[string]string{"actor_token": actor, "actor_token_type": typeAccess}))
	for name, more := range map[string]map[string]string{
		"another's actor token":   {"actor_token": own, "actor_token_type": typeAccess},
		"actor token, no type":    {"actor_token": actor},
		"type, no actor token":    {"actor_token_type": typeAccess},
		"actor token of words":    {"actor_token": "a.b.c", "actor_token_type": typeAccess},
		"a type of subject token": {"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"},
		"no subject token":        {"subject_token": ""},
		"a type of new token":     {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
		"delegated on":            {"delegate_to": "a2"},
	} {
		want(t, name, w.exchange("a1", sub, more), 400, "invalid_request")
	}
	// A chain by way of the foreign form, since ours gives to one at a time.
	deep := make([]token.Link, token.MaxDepth)
	for i := range deep {
		deep[i] = token.Link{Agent: names[i+1], Epoch: 1}
	}
	at, err := w.keys.Access(token.Access{Subject: token.Subject{Agent: "a0", Epoch: 1}, Audience: issuer, Chain: deep, Delegate: "a5"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "too deep", w.exchange("a5", at.Token, nil), 400, "invalid_grant")
}

// A user's token of an outside issuer: given to this agent, narrowed, and the
// actors that it names stay.
func TestExchangeForUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing", "thief")
	w.client("billing", Client{Scopes: []string{"tools:call"}, Audiences: []string{"https://api.example.org"}})
	outside := func(name string, p token.Principal) string {
		text := "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://idp.example.org","n":"`+name+`"}`)) + ".x"
		p.Credential, p.Expires = "foreign_token", w.now().Add(3*time.Minute)
		p.Identity = token.Identity{Issuer: "https://idp.example.org", Kind: token.KindUser, Subject: "jane", Actors: p.Prior}
		w.foreign[text] = p.WithParty("billing")
		return text
	}
	jane := token.Principal{User: "okta:jane", UserName: "jane", Uses: []string{"exchange"}, Prior: []string{"portal"}}
	text := outside("jane", jane)
	want(t, "a thief", w.exchange("thief", text, nil), 400, "invalid_grant")
	want(t, "an unknown scope", w.exchange("billing", text, map[string]string{"scope": "admin"}), 400, "invalid_scope")
	r := w.exchange("billing", text, map[string]string{"scope": "tools:call", "audience": "https://api.example.org", "subject_token_type": typeJWT})
	p, audience, err := w.v.Inspect(t.Context(), w.must(r))
	if err != nil || audience != "https://api.example.org" || p.User != "okta:jane" || strings.Join(p.Identity.Actors, " ") != "billing portal" || p.Expires.After(w.now().Add(3*time.Minute)) {
		t.Errorf("%+v, %v", p, err)
	}
	mine := w.must(w.exchange("billing", text, nil))
	on, err := w.v.Bearer(t.Context(), w.must(w.exchange("billing", mine, nil)), nil)
	if err != nil || on.User != "okta:jane" || strings.Join(on.Identity.Actors, " ") != "billing portal" || on.Identity.Subject != "jane" {
		t.Errorf("an actor was dropped: %+v, %v", on, err)
	}
	jane.Uses = []string{"enrol"}
	want(t, "an issuer that is not for this", w.exchange("billing", outside("other", jane), nil), 400, "invalid_grant")
	want(t, "an issuer that nobody registered", w.exchange("billing", "x."+base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://evil"}`))+".x", nil), 400, "invalid_grant")

	// At the door the same token comes beside the agent's own credential.
	own, err := w.v.Bearer(t.Context(), w.must(w.grant("billing", nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	acting, err := w.v.ActFor(t.Context(), text, own)
	if err != nil || acting.User != "okta:jane" || acting.Agent != "billing" {
		t.Errorf("%+v, %v", acting, err)
	}
	thief, err := w.v.Bearer(t.Context(), w.must(w.grant("thief", nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.v.ActFor(t.Context(), text, thief); fault.From(err).Code != "token.invalid" {
		t.Errorf("a thief acts for jane: %v", err)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing", "clerk")
	text := w.must(w.grant("billing", nil))
	want(t, "by another", w.post("/oauth/revoke", w.as("clerk", map[string]string{"token": text})), 400, "invalid_request")
	want(t, "nothing", w.post("/oauth/revoke", w.as("clerk", nil)), 400, "invalid_request")
	want(t, "by nobody", w.post("/oauth/revoke", map[string]string{"token": text}), 401, "invalid_client")
	if r := w.post("/oauth/revoke", w.as("billing", map[string]string{"token": "unknown", "token_type_hint": "x"})); r.status != 200 {
		t.Errorf("unknown: %v", r)
	}
	if _, err := w.v.Bearer(t.Context(), text, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := w.post("/oauth/revoke", w.as("billing", map[string]string{"token": text})); r.status != 200 {
			t.Errorf("%v", r)
		}
	}
	if _, err := w.v.Bearer(t.Context(), text, nil); fault.From(err).Code != "token.dead" {
		t.Errorf("after its revocation: %v", err)
	}
	if r := w.post("/oauth/introspect", w.as("billing", map[string]string{"token": text})); r.body["active"] != false {
		t.Errorf("introspection after its revocation: %v", r)
	}
	w.pass(2*token.MaxAccessLife + time.Minute)
	if err := w.s.tidy(t.Context()); err != nil || len(w.s.revoked) != 0 {
		t.Errorf("%d revocations kept for ever, %v", len(w.s.revoked), err)
	}
	n, _, err := control.One(t.Context(), w.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM spent_ids`)
	if err != nil || n != 0 {
		t.Errorf("%d spent ids kept for ever, %v", n, err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	a := w.agents["billing"]
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := (&jose.JSONWebKey{Key: k, KeyID: "p"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := (&jose.JSONWebKey{Key: k.Public(), KeyID: "e", Use: "enc"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	mac := []byte(`{"kty":"oct","kid":"m","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`)
	for name, tc := range map[string]struct {
		text []byte
		life time.Duration
		code string
	}{
		"private":   {private, 0, "oauth.invalid"},
		"shared":    {mac, 0, "oauth.invalid"},
		"weak":      {jwkOf(t, weak.Public(), "w"), 0, "oauth.invalid"},
		"for enc":   {enc, 0, "oauth.invalid"},
		"no kid":    {jwkOf(t, k.Public(), ""), 0, "oauth.invalid"},
		"taken kid": {jwkOf(t, k.Public(), "k1"), 0, "oauth.exists"},
		"words":     {[]byte("hello"), 0, "oauth.invalid"},
		"empty set": {[]byte(`{"keys":[]}`), 0, "oauth.invalid"},
		"twice":     {[]byte(`{"keys":[` + string(jwkOf(t, k.Public(), "x")) + "," + string(jwkOf(t, k.Public(), "x")) + `]}`), 0, "oauth.invalid"},
		"oversized": {make([]byte, maxJWK+1), 0, "oauth.invalid"},
		"years":     {jwkOf(t, k.Public(), "y"), 2 * MaxKeyLife, "oauth.invalid"},
	} {
		if _, err := w.s.AddKeys(t.Context(), "ada", a, tc.text, tc.life); err == nil || fault.From(err).Code != tc.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range maxKeys - 1 {
		if _, err := w.s.AddKeys(t.Context(), "ada", a, jwkOf(t, k.Public(), "n"+strconv.Itoa(i)), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.s.AddKeys(t.Context(), "ada", a, jwkOf(t, k.Public(), "more"), 0); fault.From(err).Code != "oauth.too_many" {
		t.Errorf("one too many: %v", err)
	}
	w.open()
	if n := len(w.s.ListKeys(a)); n != maxKeys {
		t.Errorf("%d keys after a restart", n)
	}
	w.pass(time.Minute)
	if n := len(w.s.ListKeys(a)); n != 1 {
		t.Errorf("%d keys outlived their end", n)
	}
	if err := w.s.RemoveKey(t.Context(), "ada", "billing", "k1"); err != nil {
		t.Fatal(err)
	}
	want(t, "a removed key", w.grant("billing", nil), 401, "invalid_client")
	if err := w.s.RemoveKey(t.Context(), "ada", "billing", "k1"); fault.From(err).Code != "oauth.not_found" {
		t.Errorf("twice: %v", err)
	}
	for _, c := range []Client{{Scopes: []string{"a b"}}, {Audiences: []string{""}}, {Life: time.Second}, {Life: 2 * time.Hour}, {Scopes: make([]string, maxList+1)}} {
		if err := w.s.SetClient(t.Context(), "ada", "billing", c); fault.From(err).Code != "oauth.invalid" {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The database gone: nothing is issued, and the client is told to come again.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	r := w.grant("billing", nil)
	if r.status != 503 || r.header.Get("Retry-After") == "" || r.body["access_token"] != nil {
		t.Errorf("%v", r)
	}
}

// Many at once with one assertion: one of them is served.
func TestAssertionRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "billing")
	form := w.as("billing", map[string]string{"grant_type": clientCredentials})
	var wg sync.WaitGroup
	var mu sync.Mutex
	served := 0
	for range 8 {
		wg.Go(func() {
			values := url.Values{}
			for k, v := range form {
				values.Set(k, v)
			}
			r := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(values.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			w.s.Handler().ServeHTTP(rec, r)
			mu.Lock()
			defer mu.Unlock()
			if rec.Code == 200 {
				served++
			}
		})
	}
	wg.Wait()
	if served != 1 {
		t.Errorf("%d served", served)
	}
}

func FuzzForm(f *testing.F) {
	w := newWorld(f, "billing")
	f.Add("grant_type=client_credentials&client_assertion_type=" + url.QueryEscape(jwtBearer) + "&client_assertion=a.b.c")
	f.Add("grant_type=" + url.QueryEscape(tokenExchange) + "&subject_token=a.b.c")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		w.s.Handler().ServeHTTP(rec, r)
		if rec.Code == 200 || rec.Code >= 500 {
			t.Errorf("%q: %d %s", body, rec.Code, rec.Body)
		}
	})
}

func FuzzJWKS(f *testing.F) {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Add(jwkOf(f, k.Public(), "k"))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseJWKS(text)
		if (len(keys) == 0) != (err != nil) {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if !k.IsPublic() || !token.Strong(k.Key) {
				t.Errorf("took %+v", k)
			}
		}
	})
}

// A token for one server of tools is good there and nowhere else.
func TestTokensForParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.agent("billing")
	for part, good := range map[string][]string{
		"/mcp":         {"/mcp", "/mcp/", "/mcp/tracker", "/mcp/tracker/", "/mcp/trackers", "/mcp/%74racker"},
		"/mcp/tracker": {"/mcp/tracker", "/mcp/tracker/"},
	} {
		text := w.must(w.grant("billing", map[string]string{"resource": issuer + part}))
		for _, path := range []string{"/mcp", "/mcp/", "/mcp/tracker", "/mcp/tracker/", "/mcp/trackers", "/mcp/%74racker", "/mcp2", "/http/mcp/tracker", "/llm/openai/v1/x", "/access/v1/evaluation"} {
			_, err := w.v.Bearer(t.Context(), text, httptest.NewRequest("POST", path, nil))
			if (err == nil) != slices.Contains(good, path) {
				t.Errorf("a token for %s at %s: %v", part, path, err)
			}
		}
		if _, err := w.v.Bearer(t.Context(), text, nil); err == nil {
			t.Errorf("a token for %s is good where no path is known", part)
		}
		want(t, "exchanged", w.exchange("billing", text, nil), 400, "invalid_grant")
	}
}
