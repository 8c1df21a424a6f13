package connection_test

import (
	"crypto/sha256"
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

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

// issuer is an authorization server; change its fields before it is asked.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	meta      map[string]any // over what it says by itself
	scope     string         // that it grants; "" what is asked for
	life      int
	rotate    bool
	down      bool
	code      url.Values // of the last visit
	serial    int
	refresh   string // the one that is good
	tokens    []string
	forms     []url.Values // of the token endpoint
	auth      []string     // the Authorization headers there
	clients   []map[string]any
	registers map[string]any
	revoked   []string
	key       any // that assertions are verified with
}

func newIssuer(t *testing.T) *issuer {
	s := &issuer{t: t, life: 3600, registers: map[string]any{"client_id": "dynamic-1"}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		var c map[string]any
		_ = json.NewDecoder(r.Body).Decode(&c)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clients = append(s.clients, c)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(s.registers)
	})
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.revoked = append(s.revoked, r.PostForm.Get("token"))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *issuer) metadata(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "registration_endpoint": s.URL + "/register",
		"revocation_endpoint": s.URL + "/revoke", "code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"},
	}
	for k, v := range s.meta {
		if m[k] = v; v == nil {
			delete(m, k)
		}
	}
	_ = json.NewEncoder(w).Encode(m)
}

// visit is a person who agrees at the authorization server.
func (s *issuer) visit(address string) (state, code string) {
	s.t.Helper()
	at, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, s.URL+"/authorize?") {
		s.t.Fatalf("the address to agree at is %q, want one of %s", address, s.URL)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = at.Query()
	s.serial++
	return s.code.Get("state"), "code-" + strconv.Itoa(s.serial)
}

// at is the last part of the address that the browser of the last visit goes back
// to.
func (s *issuer) at() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, part, _ := strings.Cut(s.code.Get("redirect_uri"), "/auth/upstream/callback/")
	return part
}

func (s *issuer) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := r.PostForm
	s.forms, s.auth = append(s.forms, f), append(s.auth, r.Header.Get("Authorization"))
	no := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
	}
	if s.down {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	scope := f.Get("scope")
	switch f.Get("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(f.Get("code_verifier")))
		if f.Get("code") != "code-"+strconv.Itoa(s.serial) || base64.RawURLEncoding.EncodeToString(sum[:]) != s.code.Get("code_challenge") || f.Get("redirect_uri") != s.code.Get("redirect_uri") {
			no("invalid_grant")
			return
		}
		scope = s.code.Get("scope")
	case "refresh_token":
		if f.Get("refresh_token") != s.refresh {
			no("invalid_grant")
			return
		}
	case "client_credentials":
		if s.key != nil && !s.signed(f) {
			no("invalid_client")
			return
		}
	}
	if s.scope != "" {
		scope = s.scope
	}
	s.serial++
	token := "access-" + strconv.Itoa(s.serial)
	s.tokens = append(s.tokens, token)
	out := map[string]any{"access_token": token, "token_type": "bearer", "expires_in": s.life, "scope": scope}
	if f.Get("grant_type") != "client_credentials" && (s.refresh == "" || s.rotate) {
		s.refresh = "refresh-" + strconv.Itoa(s.serial)
		out["refresh_token"] = s.refresh
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *issuer) signed(f url.Values) bool {
	t, err := jwt.ParseSigned(f.Get("client_assertion"), []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA})
	if err != nil {
		return false
	}
	var c jwt.Claims
	if err := t.Claims(s.key, &c); err != nil {
		return false
	}
	return c.Issuer == f.Get("client_id") && c.Subject == c.Issuer && len(c.Audience) == 1 && c.Audience[0] == s.URL && c.ID != "" && c.Expiry != nil
}

func (s *issuer) last() url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forms[len(s.forms)-1]
}

func (s *issuer) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// guarded is an upstream that wants a token of an issuer.
type guarded struct {
	*httptest.Server
	mu       sync.Mutex
	issuers  []string
	resource string // in its metadata; "" its own address
	scopes   []string
	named    bool   // its challenge names its metadata
	want     string // the scope that its calls need
	accept   func(token string) bool
	bodies   []string
	seen     []string // tokens
	hidden   bool     // no metadata
}

func newGuarded(t *testing.T, issuers ...string) *guarded {
	g := &guarded{issuers: issuers, named: true, accept: func(string) bool { return true }}
	mux := http.NewServeMux()
	metadata := func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.hidden {
			http.NotFound(w, r)
			return
		}
		resource := g.resource
		if resource == "" {
			resource = g.URL + "/mcp"
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"resource": resource, "authorization_servers": g.issuers, "scopes_supported": g.scopes})
	}
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/mcp", metadata)
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		buf := make([]byte, 1024)
		for {
			n, err := r.Body.Read(buf)
			body.Write(buf[:n])
			if err != nil {
				break
			}
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok {
			g.seen = append(g.seen, token)
		}
		challenge := "Bearer"
		if g.named {
			challenge += ` resource_metadata="` + g.URL + `/.well-known/oauth-protected-resource/mcp"`
		}
		switch {
		case !ok || !g.accept(token):
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		case g.want != "":
			w.Header().Set("WWW-Authenticate", challenge+`, error="insufficient_scope", scope="`+g.want+`"`)
			w.WriteHeader(http.StatusForbidden)
		default:
			g.bodies = append(g.bodies, body.String())
			_, _ = w.Write([]byte("done"))
		}
	})
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *guarded) set(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// house is a registry with a book of connections.
type house struct {
	t    *testing.T
	dir  string
	db   *control.DB
	book *connection.Book
	ups  *upstream.Registry
	doc  string
	mu   sync.Mutex
	at   time.Time
}

type plain struct{}

func (plain) Seal(name string, secret []byte) ([]byte, error) {
	out := []byte(name + "\x00")
	for _, c := range secret {
		out = append(out, c^0x5a)
	}
	return out, nil
}

func (plain) Unseal(name string, sealed []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(sealed), name+"\x00")
	if !ok {
		return nil, http.ErrNotSupported
	}
	out := []byte(rest)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out, nil
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, dir: t.TempDir(), at: time.Now()}
	h.open()
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// open opens the house, again after it was closed.
func (h *house) open() {
	h.t.Helper()
	var err error
	if h.db, err = controltest.Open(h.t.Context(), filepath.Join(h.dir, "control.db")); err != nil {
		h.t.Fatal(err)
	}
	db := h.db
	h.t.Cleanup(func() { _ = db.Close() })
	h.book, err = connection.New(h.t.Context(), connection.Options{
		DB: h.db, Sealer: plain{}, ClientID: h.doc, Now: h.now, Redirect: func() string { return "http://127.0.0.1:7300/auth/upstream/callback" },
		Upstream: func(name string) (*upstream.Upstream, bool) { return h.ups.Lookup(name) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if h.ups, err = upstream.New(h.t.Context(), upstream.Options{DB: h.db, Dir: h.dir, Tokens: h.book, Now: h.now}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) put(address string, c client.Credential) *upstream.Upstream {
	h.t.Helper()
	in := client.Upstream{Name: "tracker", Kind: "mcp", URL: address, Team: "core", Environment: "production", AllowPrivate: true, Credential: &c}
	if old, ok := h.ups.Lookup("tracker"); ok {
		in.Revision = old.Revision
	}
	if _, err := h.ups.Put(h.t.Context(), "per_1", in); err != nil {
		h.t.Fatal(err)
	}
	u, _ := h.ups.Lookup("tracker")
	return u
}

var (
	ada = connection.Starter{Person: "per_1", Name: "ada", Session: "sgn_1"}
	bob = connection.Starter{Person: "per_2", Name: "bob", Session: "sgn_2"}
)

func byCode(o client.OAuth) client.Credential {
	o.Grant = "authorization_code"
	return client.Credential{Kind: "oauth", OAuth: &o}
}

// connect connects the upstream as a person does.
func (h *house) connect(s *issuer) client.Connection {
	h.t.Helper()
	a, err := h.book.Begin(h.t.Context(), "tracker", ada, false)
	if err != nil {
		h.t.Fatalf("beginning: %v", err)
	}
	state, code := s.visit(a.AuthorizationURL)
	c, err := h.book.Finish(h.t.Context(), ada, client.FinishConnectionRequest{Name: "tracker", State: state, Code: code, At: s.at()})
	if err != nil {
		h.t.Fatalf("finishing: %v", err)
	}
	return c
}

// call makes a request through the upstream's transport, as the door does.
func (h *house) call(u *upstream.Upstream, body string) (string, error) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, u.Base().String(), strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := u.Authorize(req); err != nil {
		return "", err
	}
	resp, err := u.Transport().RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	out := make([]byte, 64)
	n, _ := resp.Body.Read(out)
	return strconv.Itoa(resp.StatusCode) + " " + string(out[:n]), nil
}

func has(list []string, s string) bool { return slices.Contains(list, s) }
