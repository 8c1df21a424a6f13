package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/enrol"
	"reeve/internal/identity/issuer"
	"reeve/internal/identity/oauth"
	"reeve/internal/identity/token"
	"reeve/internal/identity/workload"
)

// withCredentials gives an API the parts that prove agents, and one agent.
func withCredentials(t *testing.T) (testAPI, *agent.Registry) {
	t.Helper()
	a := newTestAPI(t, nil)
	list, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = list
	dir := t.TempDir()
	authority, err := ca.Open(ca.Options{Dir: dir, TrustDomain: "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.OpenKeys(token.Options{Dir: dir, Issuer: "https://reeve.example.org", TrustDomain: "example.org", Sealer: authority})
	if err != nil {
		t.Fatal(err)
	}
	agents := func(name string) (token.Agent, error) {
		g, ok := list.Lookup(name)
		if !ok || g.Lifecycle == agent.Retired {
			return token.Agent{}, fault.New(fault.KindDenied, "token.no_agent", "none")
		}
		return token.Agent{Name: g.Name, Team: g.Team, Environment: g.Environment, Epoch: g.Epoch}, nil
	}
	verifier := token.NewVerifier(token.VerifierOptions{Keys: keys, CA: authority, Standing: func(token.Principal) error { return nil }})
	tokens, err := oauth.New(t.Context(), oauth.Options{DB: a.house.db, Keys: keys, Verifier: verifier, Agents: agents, Issuer: "https://reeve.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	outside, err := issuer.New(t.Context(), issuer.Options{DB: a.house.db, Own: "https://reeve.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	workloads, err := workload.OpenRegistry(t.Context(), a.house.db, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.o.Credentials = &Credentials{
		Issuer: "https://reeve.example.org", OAuth: tokens, Desk: enrol.New(enrol.Options{DB: a.house.db, CA: authority, Keys: keys, Verifier: verifier, Agents: agents}),
		Workloads: workloads, Issuers: outside, CA: authority, Agents: agents, Changed: func() {},
		Rotate: func(_ context.Context, _, _ string, compromised bool) error { return authority.Rotate(compromised) },
	}
	return a, list
}

// Who may give an agent what, and that nothing secret is read back.
func TestCredentials(t *testing.T) {
	t.Parallel()
	a, list := withCredentials(t)
	ask := func(method, path, caller, body string, status int) answer {
		t.Helper()
		got := send(a, method, Prefix+path, caller, body)
		if got.status != status {
			t.Errorf("%s %s as %s: %d %s, want %d", method, path, caller, got.status, got.body, status)
		}
		return got
	}
	dev, sec, resp, view := "as developer@core/production", "as security@core/production", "as responder@core/production", "as viewer@core/production"
	ask("POST", "/agents", dev, `{"name":"refund","team":"core","purpose":"gives money back"}`, 201)
	jwk := `{"jwks":{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}`
	ask("POST", "/agents/refund/jwks", view, jwk, 403)
	ask("POST", "/agents/refund/jwks", "as developer@shop/production", jwk, 404)
	ask("POST", "/agents/refund/jwks", dev, strings.Replace(jwk, `"kid"`, `"d":"AQAB","kid"`, 1), 400)
	ask("POST", "/agents/refund/jwks", dev, jwk, 201)
	ask("POST", "/agents/refund/jwks", dev, jwk, 409)
	if keys := get[client.List[client.AgentJWK]](t, a, "/agents/refund/jwks", resp); len(keys.Items) != 1 || keys.Items[0].KeyID != "k1" {
		t.Errorf("keys %+v", keys)
	}
	ask("DELETE", "/agents/refund/jwks/k1", resp, "", 204)
	ask("DELETE", "/agents/refund/jwks/k1", resp, "", 404)

	ask("PUT", "/agents/refund/oauth", dev, `{"scopes":["tools:call"]}`, 403)
	ask("PUT", "/agents/refund/oauth", sec, `{"scopes":["tools call"]}`, 400)
	ask("PUT", "/agents/refund/oauth", sec, `{"life_s":7200}`, 400)
	ask("PUT", "/agents/refund/oauth", sec, `{"scopes":["tools:call"],"life_s":300}`, 200)
	if o := get[client.AgentOAuth](t, a, "/agents/refund/oauth", view); len(o.Scopes) != 1 || o.LifeS != 300 || o.ClientID != "https://reeve.example.org/agents/refund/client.json" {
		t.Errorf("oauth %+v", o)
	}

	ask("POST", "/agents/refund/join-tokens", resp, `{}`, 403)
	var join client.JoinToken
	if err := json.Unmarshal(ask("POST", "/agents/refund/join-tokens", dev, `{"label":"x"}`, 201).body, &join); err != nil || !strings.HasPrefix(join.Token, join.ID+"_") {
		t.Errorf("%+v, %v", join, err)
	}
	if got := ask("GET", "/agents/refund/join-tokens", resp, "", 200); strings.Contains(string(got.body), join.Token) || !strings.Contains(string(got.body), join.ID) {
		t.Errorf("the list shows %s", got.body)
	}
	ask("DELETE", "/agents/refund/join-tokens/"+join.ID, resp, "", 204)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, _ := json.Marshal(map[string]string{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))})
	ask("POST", "/agents/refund/svids", view, string(csr), 403)
	ask("POST", "/agents/refund/svids", dev, `{"csr":"x"}`, 400)
	var svid client.AgentSVID
	if err := json.Unmarshal(ask("POST", "/agents/refund/svids", dev, string(csr), 201).body, &svid); err != nil {
		t.Fatal(err)
	}
	ask("POST", "/agents/refund/credentials/revoke", dev, `{"id":"`+svid.Serial+`"}`, 403)
	ask("POST", "/agents/refund/credentials/revoke", resp, `{"id":"`+svid.Serial+`","reason":"odd"}`, 204)
	if !a.o.Credentials.CA.Revoked(svid.Serial) {
		t.Error("the certificate lives on")
	}
	ask("POST", "/agents/refund/credentials/revoke", resp, `{"id":"some-jti"}`, 204)
	if !a.o.Credentials.OAuth.Revoked(token.Principal{CredentialID: "some-jti"}) {
		t.Error("the token lives on")
	}

	ask("POST", "/agents/refund/workloads", dev, `{"uid":7}`, 400)
	ask("POST", "/agents/refund/workloads", dev, `{"uid":-7,"cgroup":"/a"}`, 400)
	ask("POST", "/agents/refund/workloads", dev, `{"parent_pid":99999999999,"parent_start":1}`, 400)
	var w client.Workload
	if err := json.Unmarshal(ask("POST", "/agents/refund/workloads", dev, `{"uid":7,"cgroup":"/a.slice"}`, 201).body, &w); err != nil || w.ExpiresAt != nil || w.UID == nil || *w.UID != 7 {
		t.Errorf("%+v, %v", w, err)
	}
	ask("DELETE", "/agents/refund/workloads/"+w.ID, resp, "", 204)

	reg := `{"issuer":"https://idp.example.org","audiences":["https://reeve.example.org"],"rules":[{"agent":"refund","claims":{"sub":"refund"}}]}`
	ask("PUT", "/issuers/idp", sec, reg, 403)
	ask("PUT", "/issuers/idp", "as security", strings.Replace(reg, "https://idp", "http://idp", 1), 400)
	ask("PUT", "/issuers/idp", "as security", reg, 200)
	if got := get[client.List[client.TokenIssuer]](t, a, "/issuers", "as security"); len(got.Items) != 1 || got.Items[0].Preset != "oidc" || got.Items[0].MaxLifeS != 86400 {
		t.Errorf("issuers %+v", got)
	}
	ask("GET", "/issuers", dev, "", 403)
	ask("DELETE", "/issuers/idp", "as security", "", 204)

	if got := get[client.Authority](t, a, "/ca", view); got.Sealed || len(got.Roots) != 1 || !strings.Contains(got.Roots[0].Certificate, "BEGIN CERTIFICATE") {
		t.Errorf("authority %+v", got)
	}
	ask("POST", "/ca/rotate", sec, `{"reason":"drill"}`, 403)

	// What proves a production agent for long needs a second factor.
	everyone := agent.Actor{Person: "t", Name: "t", Can: func(string, string, string) bool { return true }}
	if _, err := list.Promote(t.Context(), everyone, "refund", agent.Production, "a test"); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{"join-tokens": `{"label":"x"}`, "jwks": jwk} {
		if got := ask("POST", "/agents/refund/"+path, "as bare developer@core/production", body, 403); !strings.Contains(string(got.body), "identity.") {
			t.Errorf("%s of a production agent: %s", path, got.body)
		}
	}

	// A retired agent is given nothing.
	if _, err := list.Retire(t.Context(), agent.Actor{Person: "t", Name: "t", Can: func(string, string, string) bool { return true }}, "refund", "done"); err != nil {
		t.Fatal(err)
	}
	ask("POST", "/agents/refund/join-tokens", dev, `{}`, 403)
	ask("POST", "/agents/refund/svids", dev, string(csr), 403)
	ask("POST", "/agents/refund/jwks", dev, jwk, 403)
}
