package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity/issuer"
	"reeve/internal/identity/token"
)

// everyRole may do everything to agents.
func everyRole() agent.Actor {
	return agent.Actor{Person: "test", Name: "test", Can: func(string, string, string) bool { return true }}
}

func register(t *testing.T, a *App, name string) *agent.Agent {
	t.Helper()
	g, err := a.agents.Create(t.Context(), everyRole(), agent.Agent{Name: name, Team: "core", Purpose: "tests"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The door speaks TLS with a certificate of the built-in authority over h2,
// publishes bundle and revocation list, and knows an agent by its SVID until
// the agent is retired.
func TestDoorWithBuiltInAuthority(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) { c.Gateway.TLS, c.Hosts = "auto", []string{"reeve.example.org"} })
	g := register(t, a, "billing")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	svid, err := a.authority.ca.Issue(csr, "billing", "i1", g.Epoch, 0)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		RootCAs: a.authority.ca.Roots(), Certificates: []tls.Certificate{{Certificate: svid.Chain, PrivateKey: key}},
	}}}
	get := func(path string) (*http.Response, []byte) {
		r, err := client.Get("https://" + a.Address("gateway_listen") + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, body
	}
	r, body := get("/spiffe/bundle")
	if r.ProtoMajor != 2 {
		t.Errorf("spoke %s", r.Proto)
	}
	b, err := spiffebundle.Parse(spiffeid.RequireTrustDomainFromString("reeve.internal"), body)
	if err != nil || len(b.X509Authorities()) != 1 || len(b.JWTAuthorities()) != 1 {
		t.Fatalf("bundle %s: %v", body, err)
	}
	_, list := get("/crl")
	if _, err := x509.ParseRevocationList(list); err != nil {
		t.Error(err)
	}
	leaf, err := x509.ParseCertificate(svid.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(leaf.CRLDistributionPoints) != 0 || !strings.HasPrefix(a.Door(), "https://") {
		t.Errorf("a list to be fetched over TLS is named: %v", leaf.CRLDistributionPoints)
	}
	req := &http.Request{Header: http.Header{}, TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}}
	p, ok, err := a.authority.who.Request(req)
	if err != nil || !ok || p.Agent != "billing" || p.Instance != "i1" || !p.Bound {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	jwt, err := a.authority.keys.Access(token.Access{Subject: token.Subject{Agent: "billing", Epoch: g.Epoch}, Audience: a.authority.issuer})
	if err != nil {
		t.Fatal(err)
	}
	bearer := &http.Request{Header: http.Header{"Authorization": {"Bearer " + jwt.Token}}}
	if p, ok, err := a.authority.who.Request(bearer); err != nil || !ok || p.Agent != "billing" {
		t.Errorf("%+v, %v, %v", p, ok, err)
	}
	if _, err := a.agents.Retire(t.Context(), everyRole(), "billing", "done"); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*http.Request{"certificate": req, "token": bearer} {
		if _, _, err := a.authority.who.Request(r); code(err) != "token.dead" {
			t.Errorf("%s of a retired agent: %v", name, err)
		}
	}
}

// A stop kills an agent's credentials and those of agents that act for it; a
// restart and lifting the stop bring none back, and a revoked token stays so.
func TestCredentialsStayDead(t *testing.T) {
	t.Parallel()
	c := testConfig(t.TempDir())
	c.Identity.Issuer = "http://127.0.0.1:7301" // the same after a restart
	open := func() *App {
		a, err := New(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	for _, name := range []string{"planner", "billing"} {
		register(t, a, name)
	}
	issue := func(x token.Access) token.Issued {
		x.Audience = a.Door()
		out, err := a.authority.keys.Access(x)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	billing := token.Subject{Agent: "billing", Epoch: 1}
	own := issue(token.Access{Subject: billing})
	planner := issue(token.Access{Subject: token.Subject{Agent: "planner", Epoch: 1}})
	chained := issue(token.Access{Subject: billing, Chain: []token.Link{{Agent: "planner", Epoch: 1}}})
	revoked := issue(token.Access{Subject: billing})
	child := issue(token.Access{Subject: billing, From: []string{revoked.ID}})
	if err := a.authority.oauth.RevokeToken(t.Context(), "ada", revoked.ID, "", revoked.Expires); err != nil {
		t.Fatal(err)
	}
	st, err := a.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "agent", Value: "planner"}, "odd", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"stopped", "lifted", "restarted"} {
		switch at {
		case "lifted":
			if _, err := a.credible("planner"); code(err) != "stop.agent" {
				t.Errorf("a stopped agent may have credentials: %v", err)
			}
			if _, err := a.stops.Lift(t.Context(), "ada", st.ID, "fine"); err != nil {
				t.Fatal(err)
			}
		case "restarted":
			if err := a.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			a = open()
			defer func() { _ = a.Stop(context.Background()) }()
		}
		for name, tc := range map[string]struct {
			t    token.Issued
			want string
		}{
			"its own":                    {planner, "token.dead"},
			"of a delegate":              {chained, "token.dead"},
			"of the delegate alone":      {own, ""},
			"revoked":                    {revoked, "token.revoked"},
			"exchanged from the revoked": {child, "token.revoked"},
		} {
			if _, err := a.authority.who.Bearer(t.Context(), tc.t.Token, nil); code(err) != tc.want {
				t.Errorf("%s, %s: %v, want %q", at, name, err, tc.want)
			}
		}
	}
	if g, err := a.credible("planner"); err != nil || g.Epoch != 2 {
		t.Errorf("%+v, %v", g, err)
	}
}

// A token of an outside issuer that was issued before its agent was stopped is
// dead after the stop, although it says nothing of epochs.
func TestForeignTokenDiesWithStop(t *testing.T) {
	t.Parallel()
	a, err := New(t.Context(), Options{Config: testConfig(t.TempDir()), Logger: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Stop(context.Background()) }()
	register(t, a, "billing")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.authority.issuers.Set(t.Context(), "ada", issuer.Issuer{
		Name: "ci", Issuer: "https://ci.example.org", Audiences: []string{a.Door()}, JWKS: set, Rules: []issuer.Rule{{Claims: map[string]string{"sub": "job"}, Agent: "billing"}},
	}); err != nil {
		t.Fatal(err)
	}
	mint := func(issued time.Time) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(s).Claims(map[string]any{
			"iss": "https://ci.example.org", "sub": "job", "client_id": "job", "aud": a.Door(), "iat": issued.Unix(), "exp": issued.Add(time.Hour).Unix(), "jti": "1",
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	old, twin := mint(time.Now()), mint(time.Now().Add(-time.Minute))
	if p, err := a.authority.who.Bearer(t.Context(), old, nil); err != nil || p.Agent != "billing" || p.Credential != "foreign_token" {
		t.Fatalf("%+v, %v", p, err)
	}
	st, err := a.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "agent", Value: "billing"}, "odd", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.stops.Lift(t.Context(), "ada", st.ID, ""); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"known before": old, "never seen": twin} {
		if _, err := a.authority.who.Bearer(t.Context(), text, nil); code(err) != "token.dead" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.authority.who.Bearer(t.Context(), mint(time.Now().Add(token.Leeway)), nil); code(err) != "token.dead" && err != nil {
		t.Errorf("a fresh one: %v", err)
	}
	if err := a.authority.issuers.Delete(t.Context(), "ada", "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.authority.who.Bearer(t.Context(), old, nil); code(err) != "token.invalid" {
		t.Errorf("after its issuer went: %v", err)
	}
}

// Without a passphrase the start says what protects the keys; with one they are
// encrypted, the same authority goes on, and the wrong one is refused.
func TestAuthorityPassphrase(t *testing.T) {
	dir, pass := t.TempDir(), filepath.Join(t.TempDir(), "pass")
	try := func(file string) (root []byte, log string, err error) {
		var out bytes.Buffer
		c := testConfig(dir)
		c.Identity.PassphraseFile = file
		a, err := New(t.Context(), Options{Config: c, Logger: slog.New(slog.NewTextHandler(&out, nil)), Version: "test"})
		if err != nil {
			return nil, out.String(), err
		}
		root = a.authority.ca.RootCertificates()[0]
		return root, out.String(), a.Stop(t.Context())
	}
	root, log, err := try("")
	if err != nil || !strings.Contains(log, "file mode only") {
		t.Fatalf("%v: %s", err, log)
	}
	if err := os.WriteFile(pass, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	same, log, err := try(pass)
	if err != nil || strings.Contains(log, "file mode only") || !bytes.Equal(root, same) {
		t.Fatalf("%v: %s", err, log)
	}
	if _, _, err := try(""); code(err) != "ca.passphrase" {
		t.Errorf("without it: %v", err)
	}
	t.Setenv(passphraseEnv, "correct horse battery")
	if _, _, err := try(""); err != nil {
		t.Errorf("from the environment: %v", err)
	}
	if _, ok := os.LookupEnv(passphraseEnv); ok {
		t.Error("children would inherit the passphrase")
	}
	creds := t.TempDir()
	if err := os.WriteFile(filepath.Join(creds, credentialName), []byte("correct horse battery"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", creds)
	if _, _, err := try(""); err != nil {
		t.Errorf("from a systemd credential: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "identity")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", info, err)
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}
