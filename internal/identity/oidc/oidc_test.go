package oidc

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/fault"
	"reeve/internal/identity"
)

// provider speaks OpenID Connect as a provider does: discovery, keys, an
// authorization endpoint that agrees at once, and a token endpoint that checks
// client, redirect and PKCE.
type fakeProvider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu     sync.Mutex // guards what follows
	asked  url.Values // of the last authorization request
	refuse string     // answer the browser with this error
	change func(header, claims map[string]any)
}

func newProvider(t *testing.T) *fakeProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProvider{t: t, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		p.json(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		n := base64.RawURLEncoding.EncodeToString(key.N.Bytes())
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())
		p.json(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": n, "e": e}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *fakeProvider) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Errorf("answering: %v", err)
	}
}

func (p *fakeProvider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = r.URL.Query()
	back := url.Values{"state": {p.asked.Get("state")}, "code": {"c-1"}}
	if p.refuse != "" {
		back = url.Values{"state": {p.asked.Get("state")}, "error": {p.refuse}}
	}
	http.Redirect(w, r, p.asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if r.FormValue("code") != "c-1" || r.FormValue("redirect_uri") != p.asked.Get("redirect_uri") || id != "reeve" || secret != "s3cret" ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != p.asked.Get("code_challenge") || p.asked.Get("code_challenge_method") != "S256" {
		w.WriteHeader(http.StatusBadRequest)
		p.json(w, map[string]any{"error": "invalid_grant"})
		return
	}
	header := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	claims := map[string]any{
		"iss": p.URL, "aud": "reeve", "sub": "jane-1", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": p.asked.Get("nonce"),
		"email": "jane@example.com", "name": "Jane", "preferred_username": "jane", "groups": []string{"sre", "unheard-of"}, "amr": []string{"pwd", "otp"},
	}
	if p.change != nil {
		p.change(header, claims)
	}
	p.json(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.sign(header, claims)})
}

func (p *fakeProvider) sign(header, claims map[string]any) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			p.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// sessions remembers whom the handler lets in.
type sessions struct {
	mu     sync.Mutex
	logins []identity.Login
	shown  []string
	linked []string
}

func (s *sessions) SignInWith(_ context.Context, l identity.Login, _, _ string) (identity.NewSignIn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = append(s.logins, l)
	return identity.NewSignIn{Cookie: "the-cookie", Secret: "the-secret"}, nil
}

func (s *sessions) ShownFactor(_ context.Context, signIn, _, subject string, _ time.Time) error {
	s.shown = append(s.shown, signIn+" "+subject)
	return nil
}

func (s *sessions) Link(_ context.Context, who identity.Principal, _, subject string) error {
	s.linked = append(s.linked, who.PersonID+" "+subject)
	return nil
}

func (s *sessions) Cookie(_ context.Context, cookie string) (string, string, error) {
	if cookie != "open" {
		return "", "", fault.New(fault.KindUnauthenticated, "identity.ended", "the session has ended")
	}
	return "sgn_1", "per_1", nil
}

type house struct {
	idp      *fakeProvider
	sessions *sessions
	handler  *Handler
	server   *httptest.Server
}

func open(t *testing.T) *house {
	t.Helper()
	t.Setenv("REEVE_TEST_OIDC", "s3cret")
	h := &house{idp: newProvider(t), sessions: &sessions{}}
	var err error
	h.handler, err = New(Options{Sessions: h.sessions, Cookie: "reeve_session", Providers: []Provider{{
		Name: "corp", Issuer: h.idp.URL, ClientID: "reeve", ClientSecretEnv: "REEVE_TEST_OIDC", AllowPrivate: true, Create: true,
		Groups: map[string]Group{"sre": {Teams: []string{"platform"}, Roles: []string{"responder", "developer platform staging"}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(h.handler)
	t.Cleanup(h.server.Close)
	return h
}

// browser follows redirects until the console's own pages and gives the last
// address.
func (h *house) browser(t *testing.T) (*http.Client, func(path string) string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), h.server.URL) && !strings.HasPrefix(r.URL.Path, Prefix) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return c, func(path string) string {
		t.Helper()
		res, err := c.Get(h.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.Header.Get("Location")
	}
}

func TestSignIn(t *testing.T) {
	h := open(t)
	c, visit := h.browser(t)
	at := visit(Prefix + "corp/start?back=/runs")
	u, err := url.Parse(at)
	if err != nil || !strings.HasPrefix(at, "/sign-in#handover=") {
		t.Fatalf("came back at %q", at)
	}
	back, err := url.ParseQuery(u.Fragment)
	if err != nil || back.Get("back") != "/runs" {
		t.Errorf("fragment %q", u.Fragment)
	}
	l := h.sessions.logins[0]
	if l.Issuer != h.idp.URL || l.Subject != "jane-1" || l.Name != "jane" || l.FactorAt.IsZero() || !l.Create {
		t.Errorf("login %+v", l)
	}
	if len(*l.Teams) != 1 || len(*l.Grants) != 2 || (*l.Grants)[1] != (identity.Grant{Role: "developer", Team: "platform", Environment: "staging"}) {
		t.Errorf("teams %v, grants %v", *l.Teams, *l.Grants)
	}
	home, _ := url.Parse(h.server.URL)
	var cookie *http.Cookie
	for _, k := range c.Jar.Cookies(home) {
		if k.Name == "reeve_session" {
			cookie = k
		}
	}
	if cookie == nil || cookie.Value != "the-cookie" {
		t.Fatal("no session cookie")
	}
	if _, err := h.handler.Redeem(back.Get("handover"), "another"); !fault.Is(err, fault.KindUnauthenticated) {
		t.Errorf("another browser's cookie: %v", err)
	}
	at = visit(Prefix + "corp/start")
	u, _ = url.Parse(at)
	back, _ = url.ParseQuery(u.Fragment)
	if in, err := h.handler.Redeem(back.Get("handover"), "the-cookie"); err != nil || in.Secret != "the-secret" {
		t.Errorf("redeeming: %+v, %v", in, err)
	}
	if _, err := h.handler.Redeem(back.Get("handover"), "the-cookie"); err == nil {
		t.Error("redeemed twice")
	}
}

func TestBadTokens(t *testing.T) {
	h := open(t)
	_, visit := h.browser(t)
	for name, change := range map[string]func(header, claims map[string]any){
		"another audience": func(_, c map[string]any) { c["aud"] = "else" },
		"another issuer":   func(_, c map[string]any) { c["iss"] = "https://else.example" },
		"expired":          func(_, c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"another nonce":    func(_, c map[string]any) { c["nonce"] = "x" },
		"no nonce":         func(_, c map[string]any) { delete(c, "nonce") },
		"alg none":         func(h, _ map[string]any) { h["alg"] = "none" },
		"alg HS256":        func(h, _ map[string]any) { h["alg"] = "HS256" },
		"unknown key":      func(h, _ map[string]any) { h["kid"] = "k2" },
	} {
		h.idp.mu.Lock()
		h.idp.change = change
		h.idp.mu.Unlock()
		if at := visit(Prefix + "corp/start"); !strings.HasPrefix(at, "/sign-in#error=oidc.token") {
			t.Errorf("%s: came back at %q", name, at)
		}
	}
	if n := len(h.sessions.logins); n != 0 {
		t.Errorf("%d sign-ins by bad tokens", n)
	}
}

func TestAttemptsBelongToTheirBrowser(t *testing.T) {
	h := open(t)
	// Whoever learns a state cannot finish the sign-in in another browser, nor
	// make somebody else's browser finish theirs.
	_, mine := h.browser(t)
	mine(Prefix + "corp/start")
	h.idp.mu.Lock()
	state := h.idp.asked.Get("state")
	h.idp.mu.Unlock()
	_, others := h.browser(t)
	if at := others(Prefix + "corp/callback?code=c-1&state=" + state); !strings.HasPrefix(at, "/sign-in#error=oidc.state") {
		t.Errorf("a state used before, elsewhere: %q", at)
	}
	if at := others(Prefix + "corp/callback?code=c-1&state=made-up"); !strings.HasPrefix(at, "/sign-in#error=oidc.state") {
		t.Errorf("an unknown state: %q", at)
	}
	h.idp.mu.Lock()
	h.idp.refuse = "access_denied"
	h.idp.mu.Unlock()
	if at := mine(Prefix + "corp/start"); !strings.HasPrefix(at, "/sign-in#error=oidc.refused") {
		t.Errorf("the provider refused: %q", at)
	}
}

func TestFreshAndLink(t *testing.T) {
	h := open(t)
	c, visit := h.browser(t)
	if at := visit(Prefix + "corp/start?fresh=1"); !strings.HasPrefix(at, "/sign-in#error=identity.session") {
		t.Errorf("fresh without a session: %q", at)
	}
	home, _ := url.Parse(h.server.URL)
	c.Jar.SetCookies(home, []*http.Cookie{{Name: "reeve_session", Value: "open"}})
	if at := visit(Prefix + "corp/start?fresh=1&back=/agents/refund"); at != "/agents/refund" || len(h.sessions.shown) != 1 {
		t.Errorf("fresh: %q, %v", at, h.sessions.shown)
	}
	h.idp.mu.Lock()
	if h.idp.asked.Get("prompt") != "login" || h.idp.asked.Get("max_age") != "0" {
		t.Errorf("asked %v", h.idp.asked)
	}
	h.idp.change = func(_, c map[string]any) { delete(c, "amr") }
	h.idp.mu.Unlock()
	if at := visit(Prefix + "corp/start?fresh=1"); !strings.HasPrefix(at, "/sign-in#error=oidc.no_factor") {
		t.Errorf("without a word of a factor: %q", at)
	}
	if at := visit(Prefix + "corp/start?link=1&back=//evil.example/"); at != "/" || len(h.sessions.linked) != 1 {
		t.Errorf("link: %q, %v", at, h.sessions.linked)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Provider{
		"no name":         {Issuer: "https://idp.example", ClientID: "x"},
		"a name to quote": {Name: "a/b", Issuer: "https://idp.example", ClientID: "x"},
		"plain http":      {Name: "a", Issuer: "http://idp.example", ClientID: "x", AllowPrivate: true},
		"unknown role":    {Name: "a", Issuer: "https://idp.example", ClientID: "x", Groups: map[string]Group{"g": {Roles: []string{"root"}}}},
		"missing secret":  {Name: "a", Issuer: "https://idp.example", ClientID: "x", ClientSecretFile: "/nowhere/secret"},
	} {
		if _, err := New(Options{Providers: []Provider{p}}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	two := Provider{Name: "a", Issuer: "https://idp.example", ClientID: "x"}
	if _, err := New(Options{Providers: []Provider{two, two}}); err == nil {
		t.Error("two of one name were accepted")
	}
}
