package enrol

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/token"
)

const issuer = "https://reeve.example.org"

type world struct {
	t      testing.TB
	at     time.Time
	agents map[string]token.Agent
	why    map[string]error // why an agent may have nothing now
	db     *control.DB
	ca     *ca.CA
	d      *Desk
	v      *token.Verifier
	key    *ecdsa.PrivateKey
	csr    string
	// outside is what tokens of other platforms say.
	outside map[string]token.Principal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, at: time.Now().Truncate(time.Second), agents: map[string]token.Agent{}, why: map[string]error{}, outside: map[string]token.Principal{}}
	now := func() time.Time { return w.at }
	dir := t.TempDir()
	var err error
	if w.db, err = controltest.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() })
	if w.ca, err = ca.Open(ca.Options{Dir: dir, TrustDomain: "example.org", Now: now}); err != nil {
		t.Fatal(err)
	}
	keys, err := token.OpenKeys(token.Options{Dir: dir, Issuer: issuer, TrustDomain: "example.org", Sealer: w.ca, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	w.v = token.NewVerifier(token.VerifierOptions{Keys: keys, CA: w.ca, Audiences: []string{issuer}, Standing: func(p token.Principal) error {
		if p.Epoch < w.agents[p.Agent].Epoch {
			return fault.New(fault.KindUnauthenticated, "token.dead", "dead")
		}
		return nil
	}})
	w.d = New(Options{
		DB: w.db, CA: w.ca, Keys: keys, Verifier: w.v, Now: now,
		Agents: func(name string) (token.Agent, error) {
			a, ok := w.agents[name]
			if !ok {
				return token.Agent{}, fault.New(fault.KindDenied, "token.no_agent", "no such agent")
			}
			return a, w.why[name]
		},
		Key: func(text, _ string) (string, string, error) {
			if text == "rvk_good" {
				return "billing", "rvk_good", nil
			}
			return "", "", fault.New(fault.KindUnauthenticated, "agent.key", "no")
		},
		Workload: func(_ context.Context, text string) (token.Principal, error) {
			p, ok := w.outside[text]
			if !ok {
				return p, fault.New(fault.KindUnauthenticated, "token.invalid", "no")
			}
			return p, nil
		},
	})
	w.agent("billing")
	if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, w.key)
	if err != nil {
		t.Fatal(err)
	}
	w.csr = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	return w
}

func (w *world) agent(name string) {
	w.t.Helper()
	w.agents[name] = token.Agent{Name: name, Team: "core", Environment: "production", Epoch: 1}
	err := w.db.Write(w.t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(w.t.Context(), `INSERT INTO agents (name, team, body, epoch, revision, version, created_at, updated_at) VALUES (?, 'core', '{}', 1, 1, '', 0, 0)`, name)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) join() string {
	w.t.Helper()
	_, secret, err := w.d.CreateJoinToken(w.t.Context(), "ada", w.agents["billing"], "test", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

type reply struct {
	status int
	code   string
	doc    document
}

func (w *world) post(path string, body any, edit ...func(*http.Request)) reply {
	w.t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	for _, e := range edit {
		e(r)
	}
	rec := httptest.NewRecorder()
	w.d.Handler().ServeHTTP(rec, r)
	out := reply{status: rec.Code}
	var p struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out.doc); err != nil {
		w.t.Fatal(err)
	}
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	out.code = p.Code
	return out
}

func (w *world) must(r reply) document {
	w.t.Helper()
	if r.status != http.StatusOK {
		w.t.Fatalf("refused: %+v", r)
	}
	return r.doc
}

func certs(t testing.TB, text string) []*x509.Certificate {
	t.Helper()
	var out []*x509.Certificate
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return out
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
}

func over(chain []*x509.Certificate) func(*http.Request) {
	return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: chain} }
}

// An instance joins once, renews itself over mTLS under its own id, and gets
// JWT-SVIDs; the reference implementation verifies what it got.
func TestLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	join := w.join()
	doc := w.must(w.post("/identity/svid", request{CSR: w.csr, JoinToken: join}))
	chain := certs(t, doc.Chain)
	td := spiffeid.RequireTrustDomainFromString("example.org")
	bundle := x509bundle.FromX509Authorities(td, certs(t, doc.Bundle))
	id, _, err := x509svid.Verify(chain, bundle, x509svid.WithTime(w.at))
	if err != nil || id.String() != doc.ID || doc.ID != "spiffe://example.org/agent/billing/"+doc.Instance {
		t.Errorf("%v, %v, %+v", id, err, doc)
	}
	if got := w.post("/identity/svid", request{CSR: w.csr, JoinToken: join}); got.code != "enrol.credential" {
		t.Errorf("a join token joins twice: %+v", got)
	}
	renewed := w.must(w.post("/identity/svid", request{CSR: w.csr, TTL: "30m"}, over(chain)))
	if renewed.Instance != doc.Instance || renewed.ExpiresAt.Sub(w.at) > 30*time.Minute || renewed.RenewAt.After(w.at.Add(15*time.Minute)) {
		t.Errorf("renewed %+v", renewed)
	}
	j := w.must(w.post("/identity/jwt", request{Audience: []string{issuer}}, over(chain)))
	p, err := w.v.Bearer(t.Context(), j.Token, nil)
	if err != nil || p.Agent != "billing" || p.Instance != doc.Instance {
		t.Errorf("%+v, %v", p, err)
	}
	list, err := w.d.JoinTokens(t.Context(), "billing")
	if err != nil || len(list) != 1 || list[0].Instance != doc.Instance || list[0].UsedAt.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
	other := w.must(w.post("/identity/svid", request{CSR: w.csr}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer rvk_good") }))
	if other.Instance == doc.Instance {
		t.Error("two instances have one id")
	}
	// A stop: by epoch at once, and on the revocation list for others.
	a := w.agents["billing"]
	a.Epoch++
	w.agents["billing"], w.why["billing"] = a, fault.New(fault.KindDenied, "stop.agent", "stopped")
	if got := w.post("/identity/svid", request{CSR: w.csr}, over(chain)); got.code != "token.dead" {
		t.Errorf("after a stop: %+v", got)
	}
	if err := w.d.round(t.Context(), "billing"); err != nil {
		t.Fatal(err)
	}
	lists, err := w.ca.CRLs()
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.ParseRevocationList(lists[0])
	if err != nil || len(crl.RevokedCertificateEntries) != 3 {
		t.Errorf("%d on the list, %v", len(crl.RevokedCertificateEntries), err)
	}
	w.at = w.at.Add(3 * time.Hour)
	if err := w.d.round(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if n, _, _ := control.One(t.Context(), w.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM svids`); n != 0 {
		t.Errorf("%d kept for ever", n)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := w.join()
	der, _ := pem.Decode([]byte(w.csr))
	chain := certs(t, w.must(w.post("/identity/svid", request{CSR: base64.StdEncoding.EncodeToString(der.Bytes), JoinToken: w.join()})).Chain)
	key := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", text) }
	}
	for name, tc := range map[string]struct {
		path string
		body any
		edit func(*http.Request)
		want string
	}{
		"nothing":            {"/identity/svid", request{CSR: w.csr}, nil, "enrol.credential"},
		"no request":         {"/identity/svid", request{JoinToken: broken}, nil, "ca.csr"},
		"words":              {"/identity/svid", request{CSR: "hello", JoinToken: broken}, nil, "ca.csr"},
		"a certificate":      {"/identity/svid", request{CSR: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", JoinToken: broken}, nil, "ca.csr"},
		"broken":             {"/identity/svid", request{CSR: "AAAA", JoinToken: broken}, nil, "ca.csr"},
		"oversized":          {"/identity/svid", request{CSR: strings.Repeat("A", 2*ca.MaxCSR+1), JoinToken: broken}, nil, "ca.csr"},
		"body oversized":     {"/identity/svid", strings.Repeat("A", maxBody+1), nil, "enrol.invalid"},
		"unknown field":      {"/identity/svid", `{"csr":"","agent":"clerk"}`, nil, "enrol.invalid"},
		"two values":         {"/identity/svid", `{} {}`, nil, "enrol.invalid"},
		"form":               {"/identity/svid", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "enrol.invalid"},
		"short life":         {"/identity/svid", request{CSR: w.csr, TTL: "1s"}, nil, "enrol.invalid"},
		"unknown join token": {"/identity/svid", request{CSR: w.csr, JoinToken: "rvj_abc_def"}, nil, "enrol.credential"},
		"guessed join token": {"/identity/svid", request{CSR: w.csr, JoinToken: broken[:len(broken)-1] + "!"}, nil, "enrol.credential"},
		"workload words":     {"/identity/svid", request{CSR: w.csr, WorkloadToken: "a.b.c"}, nil, "token.invalid"},
		"unknown key":        {"/identity/svid", request{CSR: w.csr}, key("Bearer rvk_bad"), "agent.key"},
		"basic":              {"/identity/svid", request{CSR: w.csr}, key("Basic eDp5"), "enrol.credential"},
		"two credentials":    {"/identity/svid", request{CSR: w.csr, JoinToken: broken}, key("Bearer rvk_good"), "enrol.credential"},
		"jwt for a key":      {"/identity/jwt", request{Audience: []string{"x"}}, key("Bearer rvk_good"), "enrol.credential"},
		"jwt for nobody":     {"/identity/jwt", request{Audience: []string{"x"}}, nil, "enrol.credential"},
		"jwt of two":         {"/identity/jwt", request{Audience: []string{"x", "y"}}, over(chain), "enrol.invalid"},
		"jwt of none":        {"/identity/jwt", request{}, over(chain), "enrol.invalid"},
		"stranger's chain":   {"/identity/svid", request{CSR: w.csr}, over(certs(t, stranger(t))), "ca.peer"},
	} {
		edit := tc.edit
		if edit == nil {
			edit = func(*http.Request) {}
		}
		if got := w.post(tc.path, tc.body, edit); got.code != tc.want || got.doc.Chain != "" || got.doc.Token != "" {
			t.Errorf("%s: %+v, want %s", name, got, tc.want)
		}
	}
	// Nothing of this spent the join token.
	w.must(w.post("/identity/svid", request{CSR: w.csr, JoinToken: broken}))

	late := w.join()
	w.at = w.at.Add(DefaultJoinLife)
	if got := w.post("/identity/svid", request{CSR: w.csr, JoinToken: late}); got.code != "enrol.credential" {
		t.Errorf("after its end: %+v", got)
	}
	old := w.join()
	a := w.agents["billing"]
	a.Epoch++
	w.agents["billing"] = a
	if got := w.post("/identity/svid", request{CSR: w.csr, JoinToken: old}); got.code != "enrol.credential" {
		t.Errorf("of before a stop: %+v", got)
	}
	w.why["billing"] = fault.New(fault.KindDenied, "stop.agent", "stopped")
	if got := w.post("/identity/svid", request{CSR: w.csr, JoinToken: w.join()}); got.code != "stop.agent" {
		t.Errorf("while stopped: %+v", got)
	}
}

func stranger(t testing.TB) string {
	w := newWorld(t)
	return w.must(w.post("/identity/svid", request{CSR: w.csr, JoinToken: w.join()})).Chain
}

func TestWorkloadToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := token.Principal{Credential: "foreign_token", CredentialID: "j", Agent: "billing", Epoch: 1, Expires: w.at.Add(time.Minute), Uses: []string{"enrol"}}
	w.outside["a.b.c"] = p
	doc := w.must(w.post("/identity/enrol", request{CSR: w.csr, WorkloadToken: "a.b.c"}))
	if doc.Instance == "" {
		t.Error("no instance")
	}
	if got := w.post("/identity/enrol", request{CSR: w.csr, WorkloadToken: "a.b.c"}); got.code != "enrol.credential" {
		t.Errorf("twice: %+v", got)
	}
	p.Uses = []string{"door"}
	w.outside["d.e.f"] = p
	if got := w.post("/identity/enrol", request{CSR: w.csr, WorkloadToken: "d.e.f"}); got.code != "enrol.credential" {
		t.Errorf("of an issuer that enrols nobody: %+v", got)
	}
	p.Uses, p.Epoch = []string{"enrol"}, 0
	w.outside["g.h.i"] = p
	if got := w.post("/identity/enrol", request{CSR: w.csr, WorkloadToken: "g.h.i"}); got.code != "enrol.credential" {
		t.Errorf("issued before a stop: %+v", got)
	}
}

// Many at once with one join token: one of them joins.
func TestJoinRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	join := w.join()
	body, err := json.Marshal(request{CSR: w.csr, JoinToken: join})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	served := 0
	for range 8 {
		wg.Go(func() {
			r := httptest.NewRequest("POST", "/identity/svid", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			w.d.Handler().ServeHTTP(rec, r)
			mu.Lock()
			defer mu.Unlock()
			if rec.Code == http.StatusOK {
				served++
			}
		})
	}
	wg.Wait()
	if served != 1 {
		t.Errorf("%d joined", served)
	}
}

func TestJoinTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.agents["billing"]
	for _, life := range []time.Duration{time.Millisecond, MaxJoinLife + 1} {
		if _, _, err := w.d.CreateJoinToken(t.Context(), "ada", a, "", life); fault.From(err).Code != "enrol.invalid" {
			t.Errorf("%v: %v", life, err)
		}
	}
	if _, _, err := w.d.CreateJoinToken(t.Context(), "ada", a, "a\nb", 0); fault.From(err).Code != "enrol.invalid" {
		t.Errorf("two lines: %v", err)
	}
	j, secret, err := w.d.CreateJoinToken(t.Context(), "ada", a, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.d.RevokeJoinToken(t.Context(), "ada", "clerk", j.ID); fault.From(err).Code != "enrol.not_found" {
		t.Errorf("of another agent: %v", err)
	}
	if err := w.d.RevokeJoinToken(t.Context(), "ada", "billing", j.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.post("/identity/svid", request{CSR: w.csr, JoinToken: secret}); got.code != "enrol.credential" {
		t.Errorf("revoked: %+v", got)
	}
	for range maxJoin {
		w.join()
	}
	if _, _, err := w.d.CreateJoinToken(t.Context(), "ada", a, "", 0); fault.From(err).Code != "enrol.too_many" {
		t.Errorf("one too many: %v", err)
	}
	seen := map[string]bool{}
	for range 10_000 {
		id := NewInstance()
		if seen[id] || len(id) != 22 {
			t.Fatalf("%q comes twice or is short", id)
		}
		seen[id] = true
	}
}

func FuzzRequest(f *testing.F) {
	w := newWorld(f)
	good, _ := json.Marshal(request{CSR: w.csr, JoinToken: "rvj_a_b", TTL: "1h"})
	f.Add(string(good))
	f.Add(`{"csr":"AAAA","workload_token":"a.b.c"}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/identity/svid", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.d.Handler().ServeHTTP(rec, r)
		if rec.Code == http.StatusOK || rec.Code >= 500 {
			t.Errorf("%q: %d %s", body, rec.Code, rec.Body)
		}
	})
}
