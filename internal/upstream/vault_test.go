package upstream

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
)

// fakeVault speaks Vault's protocol for a KV engine, version 2, at secret/.
type fakeVault struct {
	*httptest.Server
	mu      sync.Mutex
	secrets map[string]map[string]any
	token   string
	down    bool
	reads   atomic.Int64
	renewed atomic.Int64
}

func newFakeVault(t *testing.T) *fakeVault {
	f := &fakeVault{token: "hvs.first", secrets: map[string]map[string]any{"openai": {"key": "sk-one", "number": 7}}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeVault) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fakeVault) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	name, kv := strings.CutPrefix(r.URL.Path, "/v1/secret/data/")
	switch {
	case f.down:
		say(http.StatusServiceUnavailable, map[string]any{"errors": []string{"Vault is sealed"}})
	case r.Header.Get("X-Vault-Token") != f.token || r.Header.Get("X-Vault-Request") != "true":
		say(http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
	case r.Method == http.MethodPost && r.URL.Path == "/v1/auth/token/renew-self":
		f.renewed.Add(1)
		say(http.StatusOK, map[string]any{"auth": map[string]any{"client_token": f.token, "lease_duration": 3600, "renewable": true}})
	case r.Method == http.MethodGet && kv && f.secrets[name] != nil:
		f.reads.Add(1)
		say(http.StatusOK, map[string]any{
			"request_id": "1", "lease_duration": 0, "renewable": false,
			"data": map[string]any{"data": f.secrets[name], "metadata": map[string]any{"version": 3, "destroyed": false}},
		})
	default:
		say(http.StatusNotFound, map[string]any{"errors": []string{}})
	}
}

func newRegistry(t *testing.T, change func(*Options)) *Registry {
	t.Helper()
	h := open(t)
	o := Options{DB: h.db, Dir: h.dir}
	change(&o)
	r, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVault(t *testing.T) {
	t.Parallel()
	f := newFakeVault(t)
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	write := func(s string) {
		if err := os.WriteFile(token, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hvs.first")
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	r := newRegistry(t, func(o *Options) {
		o.Vault = VaultConfig{Address: f.URL, TokenFile: token}
		o.Now = func() time.Time { return now }
	})
	in := client.Upstream{
		Name: "openai", Kind: "http", URL: "https://api.example.com", Team: "core", Environment: "production",
		Credential: &client.Credential{Kind: "bearer", Source: "vault", Ref: "secret/data/openai#key"},
	}
	if _, err := r.Put(t.Context(), "dev", in); err != nil {
		t.Fatal(err)
	}
	sent := func() string {
		u, _ := r.Lookup("openai")
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
		if err := u.Authorize(req); err != nil {
			return err.Error()
		}
		return req.Header.Get("Authorization")
	}
	for range 50 {
		if got := sent(); got != "Bearer sk-one" {
			t.Fatalf("sent %q", got)
		}
	}
	if n := f.reads.Load(); n != 1 {
		t.Errorf("vault was read %d times for 50 calls", n)
	}
	// Rotated in Vault: used at the next refresh, without a restart.
	f.set(func() { f.secrets["openai"]["key"] = "sk-two" })
	now = now.Add(vaultEvery)
	r.vault.refresh(t.Context())
	if got := sent(); got != "Bearer sk-two" || f.renewed.Load() != 1 {
		t.Errorf("after a rotation sent %q, token renewed %d times", got, f.renewed.Load())
	}
	// The token is replaced in its file, as Vault's agent does.
	f.set(func() { f.token = "hvs.second"; f.secrets["openai"]["key"] = "sk-three" })
	write("hvs.second")
	now = now.Add(vaultEvery)
	r.vault.refresh(t.Context())
	if got := sent(); got != "Bearer sk-three" {
		t.Errorf("with a new token sent %q", got)
	}
	// A Vault that is down takes nobody's secret away, for an hour.
	f.set(func() { f.down = true })
	for range 5 {
		now = now.Add(vaultEvery)
		r.vault.refresh(t.Context())
	}
	if got := sent(); got != "Bearer sk-three" {
		t.Errorf("while Vault is down sent %q", got)
	}
	now = now.Add(2 * vaultStale)
	if got := sent(); !strings.HasPrefix(got, "upstream.credential_missing") || strings.Contains(got, "hvs.") || strings.Contains(got, "sk-") {
		t.Errorf("two hours later: %q", got)
	}
	f.set(func() { f.down = false })
	now = now.Add(2 * time.Second)
	if got := sent(); got != "Bearer sk-three" {
		t.Errorf("when Vault is back sent %q", got)
	}
	for name, ref := range map[string]string{
		"no key": "secret/data/openai", "dots": "secret/data/../../sys/raw#key", "elsewhere": "sys/raw/core#key", "query": "secret/data/x?list=true#key", "empty": "",
	} {
		bad := in
		bad.Name, bad.Credential = "bad", &client.Credential{Kind: "bearer", Source: "vault", Ref: ref}
		if _, err := r.Put(t.Context(), "dev", bad); err == nil {
			t.Errorf("%s: a credential of ref %q is taken", name, ref)
		}
	}
	for name, ref := range map[string]string{"none there": "secret/data/none#key", "no such key": "secret/data/openai#other", "no text": "secret/data/openai#number"} {
		now = now.Add(2 * time.Second)
		if v, err := r.vault.value(ref); err == nil {
			t.Errorf("%s: %q", name, v)
		}
	}
}

func TestHealthAndFallback(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	var asked atomic.Int64
	main := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/base/healthy" {
			asked.Add(1)
		}
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer main.Close()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	r := newRegistry(t, func(o *Options) { o.Now = func() time.Time { return now } })
	put := func(u client.Upstream) {
		u.Kind, u.Dialect, u.Environment, u.AllowPrivate = "llm", "openai", "production", true
		if u.URL == "" {
			u.URL = "http://127.0.0.1:1"
		}
		if _, err := r.Put(t.Context(), "dev", u); err != nil {
			t.Fatal(u.Name, err)
		}
	}
	put(client.Upstream{Name: "main", Team: "core", URL: main.URL + "/base", HealthPath: "/healthy", Fallback: []string{"outside", "foreign", "gone", "second"}})
	put(client.Upstream{Name: "outside", Team: "core", External: true})
	put(client.Upstream{Name: "foreign", Team: "shop"})
	put(client.Upstream{Name: "second", Team: "shop", Shared: true})
	choose := func() string {
		u, instead, ok := r.Choose("main")
		if !ok {
			return "none"
		}
		return u.Name + " " + instead
	}
	u, _ := r.Lookup("main")
	u.check(t.Context())
	if got := choose(); got != "main " || u.breaker.Health().State != "ok" || asked.Load() != 1 {
		t.Errorf("healthy: %s, %s, asked %d", got, u.breaker.Health().State, asked.Load())
	}
	broken.Store(true)
	for range tripAfter {
		u.check(t.Context())
	}
	// Those that lead outside, belong to others or are not there do not stand in.
	if got := choose(); got != "second main" {
		t.Errorf("unhealthy: %s, want second for main", got)
	}
	if h := u.breaker.Health(); h.Calls != 0 || h.State != "open" {
		t.Errorf("health checks count as calls: %+v", h)
	}
	f, _ := r.Lookup("second")
	for range tripAfter {
		f.breaker.Done(time.Second, errLookup)
	}
	if got := choose(); got != "main " {
		t.Errorf("all of them rest: %s", got)
	}
	broken.Store(false)
	u.check(t.Context())
	if got := choose(); got != "main " || u.breaker.Allow() != nil {
		t.Errorf("healthy again: %s", got)
	}
}

var errLookup = invalid("test")
