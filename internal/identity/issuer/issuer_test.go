package issuer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

const door = "https://reeve.example.org"

type world struct {
	at  time.Time
	db  *control.DB
	r   *Registry
	key *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{at: time.Now().Truncate(time.Second), db: db, key: newKey(t)}
	w.open(t, false)
	return w
}

func (w *world) open(t testing.TB, loopback bool) {
	t.Helper()
	var err error
	if w.r, err = New(t.Context(), Options{DB: w.db, Own: door, Now: func() time.Time { return w.at }, Loopback: loopback}); err != nil {
		t.Fatal(err)
	}
}

func setOf(t testing.TB, keys map[string]*ecdsa.PrivateKey) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for kid, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: kid, Use: "sig", Algorithm: "ES256"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *world) sign(t testing.TB, alg jose.SignatureAlgorithm, k any, kid string, c map[string]any) string {
	t.Helper()
	body := map[string]any{"aud": door, "iat": w.at.Unix(), "exp": w.at.Add(5 * time.Minute).Unix(), "jti": "j1"}
	for name, v := range c {
		if body[name] = v; v == nil {
			delete(body, name)
		}
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(body).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *world) set(t testing.TB, i Issuer) {
	t.Helper()
	if i.JWKS == nil && i.JWKSURL == "" {
		i.JWKS = setOf(t, map[string]*ecdsa.PrivateKey{"k1": w.key})
	}
	if i.Audiences == nil {
		i.Audiences = []string{door}
	}
	if _, err := w.r.Set(t.Context(), "ada", i); err != nil {
		t.Fatal(err)
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// The same principal comes out of every directory's own words.
func TestPresets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		i      Issuer
		claims map[string]any
		want   token.Identity
		agent  string // that it is
		party  string // that it was given to
		user   string
	}{
		"kubernetes": {
			Issuer{Preset: "kubernetes", Issuer: "https://kubernetes.default.svc", Rules: []Rule{{map[string]string{"sub": "system:serviceaccount:shop:billing"}, "billing"}}},
			map[string]any{"sub": "system:serviceaccount:shop:billing", "aud": []string{door}, "kubernetes.io": map[string]any{
				"namespace": "shop", "pod": map[string]any{"name": "billing-1", "uid": "u"}, "serviceaccount": map[string]any{"name": "billing", "uid": "v"},
			}},
			token.Identity{Issuer: "https://kubernetes.default.svc", Kind: "service", Subject: "system:serviceaccount:shop:billing", Parent: "shop"},
			"billing", "", "",
		},
		"github": {
			Issuer{Preset: "github-actions", Required: map[string][]string{"repository": {"example/shop"}}, Rules: []Rule{{map[string]string{"sub": "repo:example/shop:ref:refs/heads/*"}, "releaser"}}},
			map[string]any{"sub": "repo:example/shop:ref:refs/heads/main", "repository": "example/shop", "repository_owner": "example", "run_id": "1"},
			token.Identity{Issuer: "https://token.actions.githubusercontent.com", Tenant: "example", Kind: "service", Subject: "repo:example/shop:ref:refs/heads/main", Parent: "example/shop"},
			"releaser", "", "",
		},
		"entra agent": {
			Issuer{Preset: "entra", Issuer: "https://login.microsoftonline.com/t1/v2.0", Rules: []Rule{{map[string]string{"azp": "app1"}, "billing"}}},
			map[string]any{"sub": "s", "oid": "o1", "tid": "t1", "azp": "app1", "idtyp": "app", "xms_par_app_azp": "blueprint1", "uti": "u", "jti": nil},
			token.Identity{Issuer: "https://login.microsoftonline.com/t1/v2.0", Tenant: "t1", Kind: "agent", Subject: "o1", Parent: "blueprint1"},
			"billing", "", "",
		},
		"entra user by an agent": {
			Issuer{Preset: "entra", Issuer: "https://sts.windows.net/t1/", Rules: []Rule{{map[string]string{"appid": "app1"}, "billing"}}},
			map[string]any{"sub": "s", "oid": "jane", "tid": "t1", "appid": "app1", "scp": "read", "groups": []string{"g1"}},
			token.Identity{Issuer: "https://sts.windows.net/t1/", Tenant: "t1", Kind: "user", Subject: "jane"},
			"", "billing", "i:jane",
		},
		"okta chain": {
			Issuer{Preset: "okta", Issuer: "https://example.okta.com/oauth2/default", Rules: []Rule{{map[string]string{"cid": "0oa2"}, "clerk"}}},
			map[string]any{"sub": "jane", "uid": "00u1", "cid": "0oa2", "act": map[string]any{"sub": "0oa2", "sub_profile": "ai_agent", "act": map[string]any{"sub": "0oa1"}}},
			token.Identity{Issuer: "https://example.okta.com/oauth2/default", Kind: "user", Subject: "jane", Actors: []string{"0oa2", "0oa1"}},
			"", "clerk", "i:00u1",
		},
		"okta service": {
			Issuer{Preset: "okta", Issuer: "https://example.okta.com/oauth2/default", Rules: []Rule{{map[string]string{"cid": "0oa2"}, "clerk"}}},
			map[string]any{"sub": "0oa2", "cid": "0oa2"},
			token.Identity{Issuer: "https://example.okta.com/oauth2/default", Kind: "service", Subject: "0oa2"},
			"clerk", "", "",
		},
		"oracle": {
			Issuer{Preset: "oracle", Issuer: "https://identity.oraclecloud.com/", Required: map[string][]string{"tenant": {"idcs-1"}}, Rules: []Rule{{map[string]string{"client_id": "c1"}, "billing"}}},
			map[string]any{"sub": "c1", "sub_type": "client", "client_id": "c1", "tenant": "idcs-1", "tok_type": "AT"},
			token.Identity{Issuer: "https://identity.oraclecloud.com/", Tenant: "idcs-1", Kind: "service", Subject: "c1"},
			"billing", "", "",
		},
		"oidc user": {
			Issuer{Issuer: "https://idp.example.org", UserClaim: "email", Rules: []Rule{{map[string]string{"azp": "portal"}, "billing"}}},
			map[string]any{"sub": "jane", "azp": "portal", "email": "jane@example.org"},
			token.Identity{Issuer: "https://idp.example.org", Kind: "user", Subject: "jane"},
			"", "billing", "i:jane@example.org",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.i.Name = "i"
			w.set(t, tc.i)
			w.open(t, false) // as stored
			tc.claims["iss"] = w.r.List()[0].Issuer
			p, err := w.r.Verify(t.Context(), w.sign(t, jose.ES256, w.key, "k1", tc.claims))
			if err != nil {
				t.Fatal(err, fault.From(err).Cause)
			}
			if diff := cmp.Diff(tc.want, p.Identity); diff != "" || p.Agent != tc.agent || p.Party() != tc.party || p.User != tc.user {
				t.Errorf("%s%+v", diff, p)
			}
			if p.CredentialID == "" || p.Credential != "foreign_token" || len(p.Uses) == 0 || !p.Expires.After(w.at) {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const iss = "https://idp.example.org"
	w.set(t, Issuer{Name: "i", Issuer: iss, Required: map[string][]string{"env": {"prod*"}}, Rules: []Rule{{map[string]string{"sub": "billing"}, "billing"}}})
	good := map[string]any{"iss": iss, "sub": "billing", "client_id": "billing", "env": "production"}
	with := func(name string, v any) string {
		c := map[string]any{}
		for k, x := range good {
			c[k] = x
		}
		c[name] = v
		return w.sign(t, jose.ES256, w.key, "k1", c)
	}
	text := with("x", 1)
	if p, err := w.r.Verify(t.Context(), text); err != nil || p.Agent != "billing" {
		t.Fatal(p, err)
	}
	at := func(d time.Duration) int64 { return w.at.Add(d).Unix() }
	point, err := w.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	deep := map[string]any{"sub": "e"}
	for range token.MaxDepth {
		deep = map[string]any{"sub": "d", "act": deep}
	}
	part := strings.Split(text, ".")
	for name, text := range map[string]string{
		"words":             "a.b.c",
		"nothing":           "",
		"oversized":         strings.Repeat("a", token.MaxToken+1),
		"no signature":      part[0] + "." + part[1] + ".",
		"alg none":          "eyJhbGciOiJub25lIn0." + part[1] + ".",
		"key as mac":        w.sign(t, jose.HS256, append([]byte(nil), point...), "k1", good),
		"another key":       w.sign(t, jose.ES256, newKey(t), "k1", good),
		"another kid":       w.sign(t, jose.ES256, w.key, "k2", good),
		"another issuer":    with("iss", iss+"/"),
		"no issuer":         with("iss", nil),
		"another audience":  with("aud", "x"),
		"no audience":       with("aud", nil),
		"expired":           with("exp", at(-token.Leeway)),
		"no end":            with("exp", nil),
		"end as text":       with("exp", "tomorrow"),
		"no iat":            with("iat", nil),
		"future":            with("iat", at(31*time.Second)),
		"not before":        with("nbf", at(31*time.Second)),
		"lives too long":    with("exp", at(25*time.Hour)),
		"required missing":  with("env", nil),
		"required other":    with("env", "staging"),
		"bound to a key":    with("cnf", map[string]any{"jkt": "x"}),
		"no subject":        with("sub", nil),
		"no rule":           w.sign(t, jose.ES256, w.key, "k1", map[string]any{"iss": iss, "sub": "other", "env": "production"}),
		"actor without sub": with("act", map[string]any{"x": "y"}),
		"too deep":          with("act", deep),
	} {
		if p, err := w.r.Verify(t.Context(), text); code(err) != "token.invalid" || p.Agent != "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if err := w.r.Delete(t.Context(), "ada", "i"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.r.Verify(t.Context(), text); code(err) != "token.invalid" {
		t.Errorf("after its issuer was deleted: %v", err)
	}
	if err := w.r.Delete(t.Context(), "ada", "i"); code(err) != "issuer.not_found" {
		t.Errorf("twice: %v", err)
	}
}

// May_act names who may: another party is refused, whatever azp says.
func TestMayAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const iss = "https://idp.example.org"
	w.set(t, Issuer{Name: "i", Issuer: iss, Rules: []Rule{{map[string]string{"azp": "portal"}, "billing"}, {map[string]string{"azp": "desk"}, "clerk"}}})
	c := map[string]any{"iss": iss, "sub": "jane", "azp": "portal", "may_act": map[string]any{"sub": "portal"}}
	if p, err := w.r.Verify(t.Context(), w.sign(t, jose.ES256, w.key, "k1", c)); err != nil || p.Party() != "billing" {
		t.Errorf("%+v, %v", p, err)
	}
	c["may_act"] = map[string]any{"sub": "desk"}
	if p, err := w.r.Verify(t.Context(), w.sign(t, jose.ES256, w.key, "k1", c)); code(err) != "token.invalid" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestBadRegistrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := setOf(t, map[string]*ecdsa.PrivateKey{"k1": w.key})
	good := func() Issuer {
		return Issuer{Name: "i", Issuer: "https://idp.example.org", Audiences: []string{door}, JWKS: keys, Rules: []Rule{{map[string]string{"sub": "a"}, "a"}}}
	}
	for name, edit := range map[string]func(*Issuer){
		"name":               func(i *Issuer) { i.Name = "I" },
		"no iss":             func(i *Issuer) { i.Issuer = "" },
		"our own iss":        func(i *Issuer) { i.Issuer = door },
		"no audience":        func(i *Issuer) { i.Audiences = nil },
		"preset":             func(i *Issuer) { i.Preset = "x" },
		"use":                func(i *Issuer) { i.Uses = []string{"all"} },
		"rule of everything": func(i *Issuer) { i.Rules = []Rule{{map[string]string{"sub": "*"}, "a"}} },
		"rule of nothing":    func(i *Issuer) { i.Rules = []Rule{{nil, "a"}} },
		"rule of no agent":   func(i *Issuer) { i.Rules = []Rule{{map[string]string{"sub": "a"}, "A b"}} },
		"life":               func(i *Issuer) { i.MaxLife = 48 * time.Hour },
		"plain http":         func(i *Issuer) { i.JWKS, i.JWKSURL = nil, "http://idp.example.org/keys" },
		"file":               func(i *Issuer) { i.JWKS, i.JWKSURL = nil, "file:///etc/passwd" },
		"user in address":    func(i *Issuer) { i.JWKS, i.JWKSURL = nil, "https://a:b@idp.example.org/keys" },
		"iss that is no URL": func(i *Issuer) { i.JWKS, i.Issuer = nil, "idp" },
		"keys":               func(i *Issuer) { i.JWKS = json.RawMessage(`{"keys":[]}`) },
		"shared iss":         func(i *Issuer) { i.Preset = "github-actions" },
	} {
		i := good()
		edit(&i)
		if _, err := w.r.Set(t.Context(), "ada", i); code(err) != "issuer.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := w.r.Set(t.Context(), "ada", good()); err != nil || got.Revision != 1 {
		t.Fatal(got, err)
	}
	if got, err := w.r.Set(t.Context(), "ada", good()); err != nil || got.Revision != 2 {
		t.Error(got, err)
	}
	other := good()
	other.Name = "j"
	if _, err := w.r.Set(t.Context(), "ada", other); code(err) != "issuer.exists" {
		t.Errorf("one iss twice: %v", err)
	}
}

// Keys are found by discovery, kept, renewed for a kid that is not there, and
// used for a day when the issuer is gone.
func TestFetching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(t, true)
	var fetched, broken atomic.Int64
	keys := map[string]*ecdsa.PrivateKey{"k1": w.key}
	var iss, claimed string
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case broken.Load() > 0:
			http.Error(rw, "down", http.StatusBadGateway)
		case r.URL.Path == "/.well-known/openid-configuration":
			_ = json.NewEncoder(rw).Encode(map[string]string{"issuer": claimed, "jwks_uri": iss + "/keys"})
		case r.URL.Path == "/keys":
			fetched.Add(1)
			_, _ = rw.Write(setOf(t, keys))
		}
	}))
	defer srv.Close()
	iss, claimed = srv.URL, srv.URL
	w.set(t, Issuer{Name: "i", Issuer: iss, JWKS: json.RawMessage{}, AllowPrivate: true, Rules: []Rule{{map[string]string{"sub": "a"}, "a"}}, JWKSURL: iss + "/keys"})
	i := w.r.List()[0]
	i.JWKSURL, i.JWKS = "", nil
	if _, err := w.r.Set(t.Context(), "ada", i); err != nil {
		t.Fatal(err)
	}
	try := func(kid string, k *ecdsa.PrivateKey) error {
		_, err := w.r.Verify(t.Context(), w.sign(t, jose.ES256, k, kid, map[string]any{"iss": iss, "sub": "a"}))
		return err
	}
	for range 3 {
		if err := try("k1", w.key); err != nil {
			t.Fatal(err, fault.From(err).Cause)
		}
	}
	if fetched.Load() != 1 {
		t.Errorf("fetched %d times", fetched.Load())
	}
	next := newKey(t)
	keys["k2"] = next
	for range 5 { // strangers' kids do not make us ask again and again
		if err := try("nonsense", next); code(err) != "token.invalid" {
			t.Error(err)
		}
	}
	if fetched.Load() != 1 {
		t.Errorf("fetched %d times for kids that are not there", fetched.Load())
	}
	w.at = w.at.Add(keysAgain)
	if err := try("k2", next); err != nil || fetched.Load() != 2 {
		t.Errorf("a new key: %v, fetched %d times", err, fetched.Load())
	}
	broken.Store(1)
	w.at = w.at.Add(keysStale - time.Minute)
	if err := try("k1", w.key); err != nil {
		t.Errorf("the issuer is gone for less than a day: %v", err)
	}
	w.at = w.at.Add(2 * time.Minute)
	if err := try("k1", w.key); code(err) != "issuer.keys" {
		t.Errorf("the issuer is gone for a day: %v", err)
	}
	broken.Store(0)
	claimed = "https://evil.example.org"
	w.open(t, true)
	if err := try("k1", w.key); code(err) != "issuer.keys" {
		t.Errorf("a discovery document of another issuer: %v", err)
	}
}

// Addresses that are not public are refused when dialling, redirects are not
// followed, long answers are cut off.
func TestFetchingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(t, true)
	for addr, tc := range map[string]struct{ public, private bool }{
		"93.184.215.14": {true, true}, "2606:2800:21f:cb07::1": {true, true},
		"10.0.0.1": {false, true}, "192.168.1.1": {false, true}, "fd00::1": {false, true}, "100.64.0.1": {false, true}, "127.0.0.1": {false, true}, "::1": {false, true},
		"169.254.169.254": {false, false}, "fe80::1": {false, false}, "0.0.0.0": {false, false}, "::": {false, false}, "224.0.0.1": {false, false},
		"255.255.255.255": {false, false}, "0.1.2.3": {false, false}, "198.18.0.1": {false, false}, "64:ff9b::a9fe:a9fe": {false, false},
	} {
		ip := netip.MustParseAddr(addr)
		if w.r.reachable(ip, false) != tc.public || w.r.reachable(ip, true) != tc.private {
			t.Errorf("%s: public %v, private %v", addr, w.r.reachable(ip, false), w.r.reachable(ip, true))
		}
	}
	w.open(t, false)
	if w.r.reachable(netip.MustParseAddr("127.0.0.1"), true) {
		t.Error("loopback is reached by a server that is not in dev mode")
	}
	w.open(t, true)
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hits++
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(rw, r, "/keys", http.StatusFound)
		case "/long":
			_, _ = rw.Write(make([]byte, maxKeySet+1))
		}
	}))
	defer srv.Close()
	for _, path := range []string{"/redirect", "/long"} {
		if err := getJSON(t.Context(), w.r.client(true), srv.URL+path, &struct{}{}); err == nil {
			t.Errorf("%s was read", path)
		}
	}
	if hits != 2 {
		t.Errorf("%d requests", hits)
	}
	if err := getJSON(context.Background(), w.r.client(false), srv.URL+"/keys", &struct{}{}); err == nil || !strings.Contains(err.Error(), "not a public address") || hits != 2 {
		t.Errorf("loopback was reached: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	w.set(f, Issuer{Name: "i", Issuer: "https://idp.example.org", Rules: []Rule{{map[string]string{"sub": "a"}, "a"}}})
	f.Add(w.sign(f, jose.ES256, w.key, "k1", map[string]any{"iss": "https://idp.example.org", "sub": "a"}))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := w.r.Verify(t.Context(), text)
		if err == nil && p.Agent != "a" {
			t.Errorf("%q is %+v", text, p)
		}
	})
}

func FuzzClaims(f *testing.F) {
	w := newWorld(f)
	w.set(f, Issuer{Name: "i", Issuer: "https://idp.example.org", Rules: []Rule{{map[string]string{"/a/b": "x*"}, "a"}}})
	e := w.r.byIss["https://idp.example.org"]
	f.Add([]byte(`{"iss":"https://idp.example.org","sub":"a","aud":["x"],"exp":1e9,"act":{"sub":"b","act":{"sub":"c"}},"a":{"b":"xy"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := claims{}
		if json.Unmarshal(text, &c) != nil {
			return
		}
		_ = e.checkClaims(c, w.at)
		if p, err := e.principal(c); err == nil && p.Agent == "" && p.User == "" {
			t.Errorf("%s is nobody: %+v", text, p)
		}
	})
}
