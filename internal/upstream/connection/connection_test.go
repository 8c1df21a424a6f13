package connection_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/upstream/connection"
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := fault.From(err).Code; err == nil || got != code {
		t.Errorf("got %v, want the code %s", err, code)
	}
}

func TestAPersonConnects(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	g.scopes = []string{"issues:read"}
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))

	_, err := h.call(u, "first")
	wantCode(t, err, "upstream.not_connected")
	c := h.connect(s)
	if c.State != "connected" || c.Issuer != s.URL || c.Client != "dynamic" || c.ConnectedBy != "ada" || len(c.Scopes) != 1 || !c.Renews {
		t.Errorf("connected as %+v", c)
	}
	if got, err := h.call(u, "second"); got != "200 done" {
		t.Errorf("the call got %q, %v", got, err)
	}
	q := s.code
	if q.Get("resource") != g.URL+"/mcp" || q.Get("scope") != "issues:read" || q.Get("code_challenge_method") != "S256" || !strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:7300/auth/upstream/callback/_") {
		t.Errorf("the person was sent with %v", q)
	}
	if f := s.last(); f.Get("resource") != g.URL+"/mcp" || f.Get("client_id") != "dynamic-1" {
		t.Errorf("the token was asked for with %v", f)
	}
	if m := s.clients[0]; m["application_type"] != "native" || m["token_endpoint_auth_method"] != "none" {
		t.Errorf("registered as %v", m)
	}
	// What is kept is sealed and survives a restart.
	for _, name := range []string{"control.db", "control.db-wal"} {
		if text, _ := os.ReadFile(filepath.Join(h.dir, name)); strings.Contains(string(text), s.tokens[0]) || strings.Contains(string(text), s.refresh) {
			t.Errorf("a token stands in %s", name)
		}
	}
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h.open()
	u, _ = h.ups.Lookup("tracker")
	if got, err := h.call(u, "third"); got != "200 done" {
		t.Errorf("after a restart the call got %q, %v", got, err)
	}
	if n := len(s.tokens); n != 1 {
		t.Errorf("%d tokens were asked for, want 1", n)
	}
}

func TestTokensRotate(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.rotate = true
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	first := s.refresh
	h.later(2 * time.Hour)
	// All who wait get the one new token.
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := h.call(u, "x"); got != "200 done" {
				t.Errorf("the call got %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if len(s.tokens) != 2 || s.refresh == first {
		t.Errorf("tokens %v, want one renewal that brings another refresh token", s.tokens)
	}
	h.later(2 * time.Hour)
	if got, err := h.call(u, "y"); got != "200 done" {
		t.Errorf("after the second rotation the call got %q, %v", got, err)
	}
	// A stolen or spent refresh token ends it; nobody asks again and again.
	s.set(func() { s.refresh = "taken back" })
	h.later(2 * time.Hour)
	n := len(s.forms)
	for range 5 {
		_, err := h.call(u, "z")
		wantCode(t, err, "upstream.not_connected")
	}
	if got := len(s.forms) - n; got != 1 {
		t.Errorf("a refused refresh token was shown %d times, want once", got)
	}
	if st := h.book.State(u); st.State != "not_connected" {
		t.Errorf("state %+v", st)
	}
	h.connect(s)
}

func TestFinishedByItsStarterOnly(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.meta = map[string]any{"authorization_response_iss_parameter_supported": true}
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	begin := func(anywhere bool) (state, code string) {
		a, err := h.book.Begin(t.Context(), "tracker", ada, anywhere)
		if err != nil {
			t.Fatal(err)
		}
		return s.visit(a.AuthorizationURL)
	}
	finish := func(by connection.Starter, r client.FinishConnectionRequest) error {
		r.Name, r.At = "tracker", s.at()
		_, err := h.book.Finish(t.Context(), by, r)
		return err
	}
	other := ada
	other.Session = "sgn_9"
	state, code := begin(false)
	wantCode(t, finish(bob, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.attempt")
	wantCode(t, finish(other, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.attempt")
	wantCode(t, finish(ada, client.FinishConnectionRequest{State: state + "x", Code: code, Issuer: s.URL}), "upstream.attempt")
	if err := finish(ada, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}); err != nil {
		t.Errorf("its starter: %v", err)
	}
	wantCode(t, finish(ada, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.attempt")

	state, code = begin(true)
	wantCode(t, finish(bob, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.attempt")
	if err := finish(other, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}); err != nil {
		t.Errorf("begun for any session of the same person: %v", err)
	}
	for name, iss := range map[string]string{"none": "", "another": "https://evil.example", "with a slash": s.URL + "/"} {
		state, code = begin(false)
		n := len(s.forms)
		wantCode(t, finish(ada, client.FinishConnectionRequest{State: state, Code: code, Issuer: iss}), "upstream.issuer")
		if len(s.forms) != n {
			t.Errorf("issuer %s: the code was sent on", name)
		}
	}
	state, _ = begin(false)
	wantCode(t, finish(ada, client.FinishConnectionRequest{State: state, Error: "access_denied", Issuer: s.URL}), "upstream.not_granted")
	state, code = begin(false)
	h.later(11 * time.Minute)
	wantCode(t, finish(ada, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.attempt")
	state, code = begin(false)
	h.put(g.URL+"/mcp", byCode(client.OAuth{Scopes: []string{"more"}}))
	wantCode(t, finish(ada, client.FinishConnectionRequest{State: state, Code: code, Issuer: s.URL}), "upstream.changed")
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{ClientID: "reeve"}))
	var err error
	for range 21 {
		_, err = h.book.Begin(t.Context(), "tracker", ada, false)
	}
	wantCode(t, err, "upstream.too_many_attempts")
	if _, err := h.book.Begin(t.Context(), "tracker", bob, false); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

func TestStepUpByAPerson(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	g.scopes = []string{"read"}
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	g.set(func() { g.want = "read write" })
	_, err := h.call(u, "x")
	wantCode(t, err, "upstream.scope_missing")
	st := h.book.State(u)
	if st.State != "scope_missing" || len(st.Missing) != 1 || st.Missing[0] != "write" {
		t.Errorf("state %+v", st)
	}
	g.set(func() { g.want = "" })
	if st := h.connect(s); st.State != "connected" || !has(st.Scopes, "write") || !has(st.Scopes, "read") {
		t.Errorf("connected anew as %+v", st)
	}
	if got := s.code.Get("scope"); got != "read write" {
		t.Errorf("asked for %q, want what there was and what is missing", got)
	}
}

func TestStepUpForOurselves(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.meta = map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}}
	g := newGuarded(t, s.URL)
	g.scopes = []string{"read"}
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", client.Credential{Kind: "oauth", Source: "value", Value: "s e:cret", OAuth: &client.OAuth{Grant: "client_credentials", ClientID: "reeve+1", Issuer: s.URL}})
	if got, err := h.call(u, "one"); got != "200 done" {
		t.Fatalf("the call got %q, %v", got, err)
	}
	if s.auth[0] != "Basic cmVldmUlMkIxOnMrZSUzQWNyZXQ=" || s.last().Get("client_secret") != "" || s.last().Get("resource") != g.URL+"/mcp" {
		t.Errorf("authenticated by %q, %v", s.auth[0], s.last())
	}
	g.set(func() {
		g.want = "write"
		g.accept = func(token string) bool {
			if token == "access-2" {
				g.want = ""
			}
			return true
		}
	})
	if got, err := h.call(u, "two"); got != "200 done" {
		t.Errorf("after a step-up the call got %q, %v", got, err)
	}
	if got := s.last().Get("scope"); got != "read write" {
		t.Errorf("asked for %q", got)
	}
	if got := g.bodies[len(g.bodies)-1]; got != "two" {
		t.Errorf("the call was made again with %q", got)
	}
	// One that always wants more is asked a few times, not for ever.
	n := 0
	g.set(func() {
		g.accept = func(string) bool {
			n++
			g.want = "scope" + string(rune('a'+n%26))
			return true
		}
	})
	before := len(s.forms)
	for range 30 {
		if _, err := h.call(u, "three"); err == nil {
			t.Fatal("a call without its scope went through")
		}
	}
	if got := len(s.forms) - before; got > 10 {
		t.Errorf("%d tokens were asked for", got)
	}
}

func TestARefusedTokenIsReplaced(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	h.later(time.Minute)
	bad := s.tokens[0]
	g.set(func() { g.accept = func(token string) bool { return token != bad } })
	if got, err := h.call(u, "again"); got != "200 done" || g.bodies[0] != "again" {
		t.Errorf("the call got %q, %v", got, err)
	}
	// An upstream that takes none: one more token, then rest.
	g.set(func() { g.accept = func(string) bool { return false } })
	h.later(time.Minute)
	n := len(s.forms)
	for range 20 {
		_, err := h.call(u, "never")
		wantCode(t, err, "upstream.token_refused")
	}
	if got := len(s.forms) - n; got != 1 {
		t.Errorf("%d tokens were asked for, want 1", got)
	}
	g.set(func() { g.accept = func(string) bool { return true } })
	h.later(time.Minute)
	if got, err := h.call(u, "well"); got != "200 done" {
		t.Errorf("when it is well again the call got %q, %v", got, err)
	}
}

func TestAnotherIssuerNeedsAPerson(t *testing.T) {
	t.Parallel()
	s, evil := newIssuer(t), newIssuer(t)
	for _, m := range []*issuer{s, evil} {
		m.registers = map[string]any{"client_id": "dyn", "client_secret": "given"}
	}
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", client.Credential{Kind: "oauth", OAuth: &client.OAuth{Grant: "client_credentials"}})
	if got, err := h.call(u, "one"); got != "200 done" {
		t.Fatalf("the call got %q, %v", got, err)
	}
	g.set(func() { g.issuers = []string{evil.URL}; g.accept = func(string) bool { return false } })
	h.later(time.Minute)
	for range 3 {
		_, _ = h.call(u, "two")
		h.later(time.Minute)
	}
	_, err := h.call(u, "three")
	wantCode(t, err, "upstream.issuer_changed")
	if len(evil.forms) > 0 {
		t.Errorf("the secret went to another authorization server: %v", evil.forms)
	}
	if st := h.book.State(u); st.Code != "upstream.issuer_changed" {
		t.Errorf("state %+v", st)
	}
	g.set(func() { g.accept = func(string) bool { return true } })
	if _, err := h.book.Begin(t.Context(), "tracker", ada, false); err != nil {
		t.Fatal(err)
	}
	if got, err := h.call(u, "four"); got != "200 done" || len(evil.forms) != 1 {
		t.Errorf("once a person agreed the call got %q, %v", got, err)
	}
}

func TestWhoWeAre(t *testing.T) {
	t.Parallel()
	t.Run("document", func(t *testing.T) {
		t.Parallel()
		s := newIssuer(t)
		s.meta = map[string]any{"client_id_metadata_document_supported": true, "token_endpoint_auth_methods_supported": []string{"none", "private_key_jwt"}}
		h := newHouse(t)
		if err := h.db.Close(); err != nil {
			t.Fatal(err)
		}
		h.doc = "https://reeve.example.com/oauth/client.json"
		h.open()
		g := newGuarded(t, s.URL)
		h.put(g.URL+"/mcp", byCode(client.OAuth{}))
		if c := h.connect(s); c.Client != "document" || !strings.HasPrefix(c.ClientID, "https://reeve.example.com/oauth/client-with-key/_") || len(s.clients) != 0 {
			t.Errorf("we are %+v", c)
		}
		if f := s.last(); f.Get("client_assertion") == "" {
			t.Errorf("asked with %v", f)
		}
		mark := s.at()
		for path, back := range map[string]string{
			"/oauth/client.json": "", "/oauth/client-with-key.json": "",
			"/oauth/client/" + mark + ".json": "/" + mark, "/oauth/client-with-key/" + mark + ".json": "/" + mark,
		} {
			w := httptest.NewRecorder()
			h.book.Documents(w, httptest.NewRequest(http.MethodGet, path, nil))
			var doc map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc["client_id"] != "https://reeve.example.com"+path || !strings.Contains(w.Body.String(), `"http://127.0.0.1:7300/auth/upstream/callback`+back+`"`) {
				t.Errorf("%s is %s", path, w.Body)
			}
			if jwks := doc["jwks"]; (jwks != nil) != (doc["token_endpoint_auth_method"] == "private_key_jwt") || strings.Contains(w.Body.String(), `"d"`) {
				t.Errorf("%s is %s", path, w.Body)
			}
		}
		for _, path := range []string{"/oauth/client/tracker.json", "/oauth/client/_short.json", "/oauth/client/" + mark, "/oauth/client/../client.json", "/oauth/client/" + mark + ".json/x"} {
			w := httptest.NewRecorder()
			h.book.Documents(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
			if w.Code != http.StatusNotFound {
				t.Errorf("%s is %d %s", path, w.Code, w.Body)
			}
		}
	})
	t.Run("key", func(t *testing.T) {
		t.Parallel()
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		s := newIssuer(t)
		h := newHouse(t)
		g := newGuarded(t, s.URL)
		text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		u := h.put(g.URL+"/mcp", client.Credential{Kind: "oauth", Source: "value", Value: text, OAuth: &client.OAuth{Grant: "client_credentials", ClientID: "reeve", ClientAuth: "private_key_jwt"}})
		if got, err := h.call(u, "x"); got != "200 done" {
			t.Errorf("the call got %q, %v", got, err)
		}
		if f := s.last(); f.Get("client_assertion") == "" || f.Get("client_id") != "reeve" {
			t.Errorf("asked with %v", f)
		}
	})
	t.Run("wrong key", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		s := newIssuer(t)
		g := newGuarded(t, s.URL)
		u := h.put(g.URL+"/mcp", client.Credential{Kind: "oauth", Source: "value", Value: "no key", OAuth: &client.OAuth{Grant: "client_credentials", ClientID: "reeve", ClientAuth: "private_key_jwt"}})
		_, err := h.call(u, "x")
		wantCode(t, err, "upstream.client_key")
	})
	t.Run("post", func(t *testing.T) {
		t.Parallel()
		s := newIssuer(t)
		s.meta = map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_post"}}
		s.registers = map[string]any{"client_id": "dyn", "client_secret": "given"}
		h := newHouse(t)
		g := newGuarded(t, s.URL)
		h.put(g.URL+"/mcp", byCode(client.OAuth{}))
		h.connect(s)
		if f := s.last(); f.Get("client_secret") != "given" || s.clients[0]["token_endpoint_auth_method"] != "client_secret_post" {
			t.Errorf("asked with %v, registered as %v", f, s.clients)
		}
		h.connect(s)
		if len(s.clients) != 1 {
			t.Errorf("registered %d times", len(s.clients))
		}
	})
	t.Run("nobody registers", func(t *testing.T) {
		t.Parallel()
		s := newIssuer(t)
		s.meta = map[string]any{"registration_endpoint": nil}
		h := newHouse(t)
		g := newGuarded(t, s.URL)
		h.put(g.URL+"/mcp", byCode(client.OAuth{}))
		_, err := h.book.Begin(t.Context(), "tracker", ada, false)
		wantCode(t, err, "upstream.client")
	})
}

func TestWhatIsNotBelieved(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T, s *issuer, g *guarded, o client.OAuth) error {
		t.Helper()
		h := newHouse(t)
		h.put(g.URL+"/mcp", byCode(o))
		_, err := h.book.Begin(t.Context(), "tracker", ada, false)
		return err
	}
	for name, c := range map[string]struct {
		spoil func(s *issuer, g *guarded)
		o     client.OAuth
		code  string
	}{
		"metadata of another issuer":   {spoil: func(s *issuer, _ *guarded) { s.meta = map[string]any{"issuer": "https://good.example"} }, code: "upstream.discovery"},
		"the issuer with a slash":      {spoil: func(s *issuer, _ *guarded) { s.meta = map[string]any{"issuer": s.URL + "/"} }, code: "upstream.discovery"},
		"metadata of another resource": {spoil: func(_ *issuer, g *guarded) { g.resource = "https://bank.example/mcp" }, code: "upstream.discovery"},
		"a resource beside it":         {spoil: func(_ *issuer, g *guarded) { g.resource = g.URL + "/mc" }, code: "upstream.discovery"},
		"no PKCE":                      {spoil: func(s *issuer, _ *guarded) { s.meta = map[string]any{"code_challenge_methods_supported": nil} }, code: "upstream.authorization_server"},
		"plain PKCE": {spoil: func(s *issuer, _ *guarded) {
			s.meta = map[string]any{"code_challenge_methods_supported": []string{"plain"}}
		}, code: "upstream.authorization_server"},
		"no authorization server":   {spoil: func(_ *issuer, g *guarded) { g.issuers = nil }, code: "upstream.discovery"},
		"an issuer inside the host": {spoil: func(_ *issuer, g *guarded) { g.issuers = []string{"https://169.254.169.254/latest"} }, code: "upstream.address"},
		"one by plain http":         {spoil: func(_ *issuer, g *guarded) { g.issuers = []string{"http://auth.example"} }, code: "upstream.discovery"},
		"an issuer by file":         {spoil: func(_ *issuer, g *guarded) { g.issuers = []string{"file:///etc/passwd"} }, code: "upstream.discovery"},
		"a token endpoint inside": {spoil: func(s *issuer, _ *guarded) {
			s.meta = map[string]any{"registration_endpoint": "https://169.254.169.254/x"}
		}, code: "upstream.address"},
		"another than people said":      {o: client.OAuth{Issuer: "https://good.example"}, code: "upstream.discovery"},
		"an authorization place by js":  {spoil: func(s *issuer, _ *guarded) { s.meta = map[string]any{"authorization_endpoint": "javascript:alert(1)"} }, code: "upstream.discovery"},
		"an endpoint that is too large": {spoil: func(s *issuer, _ *guarded) { s.meta = map[string]any{"x": strings.Repeat("x", 300<<10)} }, code: "upstream.discovery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newIssuer(t)
			g := newGuarded(t, s.URL)
			if c.spoil != nil {
				c.spoil(s, g)
			}
			wantCode(t, begin(t, s, g, c.o), c.code)
		})
	}
	t.Run("public upstreams name no place in the house", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		s := newIssuer(t)
		// The rules are the upstream's own: its address is public, so that of its
		// authorization server has to be.
		c := byCode(client.OAuth{Issuer: s.URL})
		if _, err := h.ups.Put(t.Context(), "per_1", client.Upstream{Name: "tracker", Kind: "mcp", URL: "https://127.0.0.1:1/mcp", Team: "core", Environment: "production", Credential: &c}); err == nil {
			t.Error("a private address without allow_private was taken")
		}
		if _, err := h.ups.Put(t.Context(), "per_1", client.Upstream{Name: "tracker", Kind: "mcp", URL: "https://localhost:1/mcp", Team: "core", Environment: "production", Credential: &c}); err != nil {
			t.Fatal(err)
		}
		_, err := h.book.Begin(t.Context(), "tracker", ada, false)
		wantCode(t, err, "upstream.address")
	})
	t.Run("redirects", func(t *testing.T) {
		t.Parallel()
		s := newIssuer(t)
		front := httptest.NewServer(http.RedirectHandler(s.URL+"/.well-known/oauth-authorization-server", http.StatusFound))
		t.Cleanup(front.Close)
		g := newGuarded(t, front.URL)
		wantCode(t, begin(t, s, g, client.OAuth{}), "upstream.discovery")
	})
	t.Run("tokens of another type", func(t *testing.T) {
		t.Parallel()
		for _, answer := range []string{`{"access_token":"x","token_type":"DPoP"}`, `{"token_type":"Bearer"}`, `{"access_token":"a b","token_type":"Bearer"}`, `{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}`, `[]`, ``} {
			s := newIssuer(t)
			odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
			t.Cleanup(odd.Close)
			s.meta = map[string]any{"token_endpoint": odd.URL}
			g := newGuarded(t, s.URL)
			h := newHouse(t)
			u := h.put(g.URL+"/mcp", client.Credential{Kind: "oauth", Source: "value", Value: "secret", OAuth: &client.OAuth{Grant: "client_credentials", ClientID: "reeve", Issuer: s.URL}})
			_, err := h.call(u, "x")
			wantCode(t, err, "upstream.authorization_server")
		}
	})
}

// A connection belongs to the upstream as it was: one that leads elsewhere, or is
// another of the same name, has none.
func TestAMovedUpstreamIsNotConnected(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g, other := newGuarded(t, s.URL), newGuarded(t, s.URL)
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	u := h.put(other.URL+"/mcp", byCode(client.OAuth{}))
	if u.Credential != nil {
		t.Errorf("its credential is still %+v", u.Credential)
	}
	u = h.put(other.URL+"/mcp", byCode(client.OAuth{}))
	_, err := h.call(u, "x")
	wantCode(t, err, "upstream.not_connected")
	if len(other.seen) > 0 {
		t.Errorf("another upstream saw %v", other.seen)
	}
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	if err := h.ups.Delete(t.Context(), "per_1", "tracker"); err != nil {
		t.Fatal(err)
	}
	u = h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	_, err = h.call(u, "x")
	wantCode(t, err, "upstream.not_connected")
}

func TestDisconnected(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	refresh := s.refresh
	if err := h.book.Disconnect(t.Context(), "tracker", ada); err != nil {
		t.Fatal(err)
	}
	_, err := h.call(u, "x")
	wantCode(t, err, "upstream.not_connected")
	if len(s.revoked) != 1 || s.revoked[0] != refresh {
		t.Errorf("revoked %v, want the refresh token", s.revoked)
	}
}

func TestOfflineAccess(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	s.meta = map[string]any{"scopes_supported": []string{"openid", "offline_access"}}
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{Scopes: []string{"a"}}))
	h.connect(s)
	if s.code.Get("scope") != "a offline_access" || s.code.Get("prompt") != "consent" {
		t.Errorf("asked with %v", s.code)
	}
}

func TestFragment(t *testing.T) {
	t.Parallel()
	got := connection.Fragment("tracker", "_x", url.Values{"state": {"s"}, "code": {"a&b"}, "next": {"https://evil.example"}, "at": {"_evil"}})
	if got != "at=_x&code=a%26b&state=s&upstream=tracker" {
		t.Errorf("got %q", got)
	}
}

func TestRefreshedEarlyWithoutWaiting(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	g := newGuarded(t, s.URL)
	h := newHouse(t)
	u := h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(s)
	h.later(56 * time.Minute) // five minutes before its end at the latest
	h.book.RenewDue(t.Context())
	if h.book.Current(u) != "access-3" {
		t.Errorf("the token in use is %s, of %v", h.book.Current(u), s.tokens)
	}
	s.set(func() { s.down = true })
	h.later(56 * time.Minute)
	h.book.RenewDue(t.Context())
	if h.book.Current(u) != "access-3" {
		t.Error("a token that is still good was given up because it could not be renewed early")
	}
}

// A server that sends people on to another one gets nothing of it, also where that
// one does not say who it is: browsers come back to another place from each.
func TestMixedUp(t *testing.T) {
	t.Parallel()
	honest, evil := newIssuer(t), newIssuer(t)
	g := newGuarded(t, honest.URL)
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	h.connect(honest)
	good := honest.at()
	// The upstream, or another one, now names the other server, where a person
	// begins. It sends the browser on to the honest one, which sends it back to the
	// place that it knows, with its code and the state of this attempt.
	g.set(func() { g.issuers = []string{evil.URL} })
	a, err := h.book.Begin(t.Context(), "tracker", ada, false)
	if err != nil {
		t.Fatal(err)
	}
	state, _ := evil.visit(a.AuthorizationURL)
	if bad := evil.at(); bad == "" || bad == good {
		t.Fatalf("both send browsers back to %q", bad)
	}
	_, err = h.book.Finish(t.Context(), ada, client.FinishConnectionRequest{Name: "tracker", State: state, Code: "code-of-the-honest-one", At: good})
	wantCode(t, err, "upstream.issuer")
	if len(evil.forms) != 0 {
		t.Errorf("it got the code: %v", evil.forms)
	}
	// One that people registered comes back to the upstream's own place.
	h.put(g.URL+"/mcp", byCode(client.OAuth{ClientID: "reeve"}))
	a, err = h.book.Begin(t.Context(), "tracker", ada, false)
	if err != nil {
		t.Fatal(err)
	}
	if state, _ = evil.visit(a.AuthorizationURL); evil.at() != "tracker" || a.Connection.Redirect != "http://127.0.0.1:7300/auth/upstream/callback/tracker" {
		t.Errorf("%q, %+v", evil.at(), a.Connection)
	}
	for _, at := range []string{"", good, "other", "Tracker"} {
		_, err = h.book.Finish(t.Context(), ada, client.FinishConnectionRequest{Name: "tracker", State: state, Code: "x", At: at})
		if err == nil {
			t.Errorf("at %q it is connected", at)
		}
	}
}

// A client secret goes only to the server that a person said it is for.
func TestASecretHasAnIssuer(t *testing.T) {
	t.Parallel()
	s, evil := newIssuer(t), newIssuer(t)
	for _, m := range []*issuer{s, evil} {
		m.meta = map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_basic"}}
	}
	g := newGuarded(t, evil.URL)
	h := newHouse(t)
	secret := func(issuer string) client.Credential {
		return client.Credential{Kind: "oauth", Source: "value", Value: "s3cret-of-reeve", OAuth: &client.OAuth{Grant: "client_credentials", ClientID: "reeve", Issuer: issuer}}
	}
	c := secret("")
	_, err := h.ups.Put(t.Context(), "per_1", client.Upstream{Name: "tracker", Kind: "mcp", URL: g.URL + "/mcp", Team: "core", Environment: "production", AllowPrivate: true, Credential: &c})
	wantCode(t, err, "upstream.invalid")
	u := h.put(g.URL+"/mcp", secret(s.URL))
	if _, err := h.call(u, "x"); err == nil {
		t.Error("the upstream names another server, and was called")
	}
	if len(evil.forms) != 0 || len(evil.auth) != 0 {
		t.Errorf("the other server got %v %v", evil.forms, evil.auth)
	}
	g.set(func() { g.issuers = []string{s.URL} })
	h.later(time.Minute)
	if got, err := h.call(u, "x"); got != "200 done" {
		t.Errorf("the call got %q, %v", got, err)
	}
}

// That an upstream is in the house lets it name no other host there.
func TestPlacesInTheHouse(t *testing.T) {
	t.Parallel()
	s := newIssuer(t)
	local := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	s.meta = map[string]any{"issuer": local}
	g := newGuarded(t, strings.Replace(local, "http:", "https:", 1))
	h := newHouse(t)
	h.put(g.URL+"/mcp", byCode(client.OAuth{}))
	_, err := h.book.Begin(t.Context(), "tracker", ada, false)
	wantCode(t, err, "upstream.address")
	g.set(func() { g.issuers = []string{local} })
	h.later(time.Minute)
	_, err = h.book.Begin(t.Context(), "tracker", ada, false)
	wantCode(t, err, "upstream.discovery") // not even plain http is
	if len(s.clients) != 0 {
		t.Errorf("it was asked: %v", s.clients)
	}
	// Named by a person it may be.
	s.set(func() {
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint"} {
			s.meta[name] = local + "/" + strings.TrimSuffix(name, "_endpoint")
		}
	})
	h.put(g.URL+"/mcp", byCode(client.OAuth{Issuer: local}))
	if _, err := h.book.Begin(t.Context(), "tracker", ada, false); fault.From(err).Code == "upstream.address" || fault.From(err).Code == "upstream.discovery" {
		t.Errorf("named by a person: %v", err)
	}
}
