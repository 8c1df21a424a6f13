package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type house struct {
	*Registry
	db  *control.DB
	dir string
	clock
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{dir: t.TempDir(), clock: clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	var err error
	if h.db, err = controltest.Open(t.Context(), filepath.Join(h.dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	h.again(t)
	return h
}

func (h *house) again(t *testing.T) {
	t.Helper()
	var err error
	if h.Registry, err = New(t.Context(), Options{DB: h.db, Dir: h.dir, Now: h.clock.now}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) put(t *testing.T, u client.Upstream) client.Upstream {
	t.Helper()
	out, err := h.Put(t.Context(), "ada", u)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func openai() client.Upstream {
	return client.Upstream{
		Name: "openai", Kind: "llm", Dialect: "openai", URL: "https://api.example.com/v1", Team: "core", Environment: "production",
		Credential: &client.Credential{Kind: "bearer", Source: "value", Value: "sk-secret-1"},
	}
}

func (h *house) authorization(t *testing.T, name string) (string, error) {
	t.Helper()
	u, ok := h.Lookup(name)
	if !ok {
		t.Fatal("not there")
	}
	req := httptest.NewRequest(http.MethodGet, "/x?a=1", nil)
	err := u.Authorize(req)
	return req.Header.Get("Authorization"), err
}

func TestCredentialIsNeverReadBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := h.put(t, openai())
	if got.Credential.Value != "" || !got.Credential.Set || h.List()[0].Credential.Value != "" {
		t.Errorf("shown: %+v", got.Credential)
	}
	h.again(t) // as after a restart
	if a, err := h.authorization(t, "openai"); a != "Bearer sk-secret-1" || err != nil {
		t.Errorf("Authorize: %q, %v", a, err)
	}
	entries, err := audit.List(t.Context(), h.db, audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(string(e.Raw)+string(e.Before)+string(e.After), "sk-secret") {
			t.Error("the audit log holds the credential")
		}
	}
	body, _, err := control.One(t.Context(), h.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT body FROM upstreams`)
	if err != nil || strings.Contains(body, "sk-secret") {
		t.Errorf("the database holds the credential: %s, %v", body, err)
	}
	files, err := os.ReadDir(filepath.Join(h.dir, "upstream-secrets"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := h.Delete(t.Context(), "ada", "openai"); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(filepath.Join(h.dir, "upstream-secrets")); len(files) != 0 {
		t.Error("a deleted upstream's credential stays on disk")
	}
	if err := h.Delete(t.Context(), "ada", "openai"); code(err) != "upstream.not_found" {
		t.Error(err)
	}
}

func TestChangingWhereItLeadsDropsTheCredential(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*client.Upstream)
		kept   bool
	}{
		"nothing":       {func(*client.Upstream) {}, true},
		"limits":        {func(u *client.Upstream) { u.MaxTokens = 5 }, true},
		"url":           {func(u *client.Upstream) { u.URL = "https://evil.example.com" }, false},
		"headers":       {func(u *client.Upstream) { u.Headers = map[string]string{"X-To": "me"} }, false},
		"allow private": {func(u *client.Upstream) { u.AllowPrivate = true }, false},
		"a new value":   {func(u *client.Upstream) { u.URL = "https://b.example.com"; u.Credential.Value = "sk-secret-2" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			u := h.put(t, openai())
			c.change(&u)
			got := h.put(t, u)
			a, err := h.authorization(t, "openai")
			if kept := got.Credential != nil && a != "" && err == nil; kept != c.kept {
				t.Errorf("kept %v: %+v, sends %q, %v", kept, got.Credential, a, err)
			}
			if files, _ := os.ReadDir(filepath.Join(h.dir, "upstream-secrets")); (len(files) == 1) != c.kept {
				t.Errorf("%d files of secrets", len(files))
			}
			if _, err := h.Put(t.Context(), "ada", u); code(err) != "upstream.revision" {
				t.Errorf("an old revision: %v", err)
			}
		})
	}
}

func TestCredentialFromAFileIsReadAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	dir := filepath.Join(h.dir, "secrets")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string, at time.Time) {
		t.Helper()
		path := filepath.Join(dir, "key")
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	u := openai()
	u.Credential = &client.Credential{Kind: "bearer", Source: "file", Ref: filepath.Join(dir, "key")}
	if got := h.put(t, u); got.Credential.Set {
		t.Error("set before the file is there")
	}
	if _, err := h.authorization(t, "openai"); code(err) != "upstream.credential_missing" {
		t.Error(err)
	}
	write("one\n", h.clock.now())
	if a, err := h.authorization(t, "openai"); a != "Bearer one" || err != nil {
		t.Errorf("%q, %v", a, err)
	}
	write("two\n", h.clock.now().Add(time.Minute))
	h.pass(2 * time.Second)
	if a, err := h.authorization(t, "openai"); a != "Bearer two" || err != nil {
		t.Errorf("after rotation: %q, %v", a, err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	u.Name, u.Credential = "other", &client.Credential{Kind: "bearer", Source: "file", Ref: filepath.Join(dir, "link")}
	h.put(t, u)
	if _, err := h.authorization(t, "other"); code(err) != "upstream.credential_missing" {
		t.Errorf("a link out of the folder: %v", err)
	}
}

func TestRefusedUpstreams(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, c := range map[string]struct {
		change func(*client.Upstream)
		want   string
	}{
		"name":            {func(u *client.Upstream) { u.Name = "a_b" }, "upstream.invalid"},
		"kind":            {func(u *client.Upstream) { u.Kind = "mcp" }, "upstream.invalid"},
		"dialect":         {func(u *client.Upstream) { u.Dialect = "x" }, "upstream.invalid"},
		"scheme":          {func(u *client.Upstream) { u.URL = "file:///etc/passwd" }, "upstream.invalid"},
		"plain":           {func(u *client.Upstream) { u.URL = "http://api.example.com" }, "upstream.invalid"},
		"user":            {func(u *client.Upstream) { u.URL = "https://a:b@example.com" }, "upstream.invalid"},
		"query":           {func(u *client.Upstream) { u.URL = "https://example.com/?a=1" }, "upstream.invalid"},
		"dots":            {func(u *client.Upstream) { u.URL = "https://example.com/a/../b" }, "upstream.path"},
		"loopback":        {func(u *client.Upstream) { u.URL = "https://127.0.0.1" }, "upstream.address"},
		"mapped":          {func(u *client.Upstream) { u.URL = "https://[::ffff:10.0.0.1]" }, "upstream.address"},
		"metadata":        {func(u *client.Upstream) { u.URL = "http://169.254.169.254"; u.AllowPrivate = true }, "upstream.address"},
		"header":          {func(u *client.Upstream) { u.Headers = map[string]string{"authorization": "x"} }, "upstream.invalid"},
		"header injected": {func(u *client.Upstream) { u.Headers = map[string]string{"X-A": "a\r\nB: c"} }, "upstream.invalid"},
		"credential":      {func(u *client.Upstream) { u.Credential.Value = "" }, "upstream.invalid"},
		"vault": {func(u *client.Upstream) {
			u.Credential = &client.Credential{Kind: "bearer", Source: "vault", Ref: "a#b"}
		}, "upstream.invalid"},
		"our variable": {func(u *client.Upstream) {
			u.Credential = &client.Credential{Kind: "bearer", Source: "env", Ref: "REEVE_TOKEN"}
		}, "upstream.invalid"},
		"any file": {func(u *client.Upstream) {
			u.Credential = &client.Credential{Kind: "bearer", Source: "file", Ref: "/run/secrets/../../etc/shadow"}
		}, "upstream.invalid"},
		"own fallback": {func(u *client.Upstream) { u.Fallback = []string{"openai"} }, "upstream.invalid"},
		"effect":       {func(u *client.Upstream) { u.Routes = []client.Route{{Method: "GET", Path: "/", Effect: "nice"}} }, "upstream.invalid"},
	} {
		u := openai()
		c.change(&u)
		if _, err := h.Put(t.Context(), "ada", u); code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if n := len(h.List()); n != 0 {
		t.Errorf("%d upstreams", n)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]bool{ // refused without and with allow_private
		"93.184.216.34":          {false, false},
		"2606:4700::1111":        {false, false},
		"10.1.2.3":               {true, false},
		"192.168.0.1":            {true, false},
		"172.16.0.1":             {true, false},
		"127.0.0.1":              {true, false},
		"::1":                    {true, false},
		"fd12::1":                {true, false},
		"100.64.1.1":             {true, false},
		"::ffff:127.0.0.1":       {true, false},
		"64:ff9b::a00:1":         {true, false},
		"2002:a00:1::":           {true, false},
		"::127.0.0.1":            {true, false},
		"2001:0:53aa:64c::1":     {true, false},
		"0.0.0.0":                {true, true},
		"::":                     {true, true},
		"169.254.1.1":            {true, true},
		"fe80::1%eth0":           {true, true},
		"169.254.169.254":        {true, true},
		"::ffff:169.254.169.254": {true, true},
		"64:ff9b::a9fe:a9fe":     {true, true},
		"::ffff:0:a00:1":         {true, false},
		"::ffff:0:a9fe:a9fe":     {true, true},
		"fd00:ec2::254":          {true, true},
		"100.100.100.200":        {true, true},
		"224.0.0.1":              {true, true},
		"255.255.255.255":        {true, true},
	} {
		for i, allow := range []bool{false, true} {
			if err := CheckAddress(netip.MustParseAddr(text), allow); (err != nil) != want[i] {
				t.Errorf("%s, allow_private %v: %v", text, allow, err)
			}
		}
	}
}

// The address is checked when dialled: a name that leads inside is refused.
func TestDialAndRedirects(t *testing.T) {
	t.Parallel()
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
	}))
	defer s.Close()
	local := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	req := func() *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, local, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if _, err := newTransport(false, 0).RoundTrip(req()); code(err) != "upstream.address" || asked != 0 {
		t.Errorf("a name that leads to loopback: %v, asked %d times", err, asked)
	}
	h := open(t)
	u := openai()
	u.URL, u.AllowPrivate = local, true
	h.put(t, u)
	up, _ := h.Lookup("openai")
	resp, err := up.Client().Do(req())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusFound || asked != 1 {
		t.Errorf("status %d, asked %d times, %v", resp.StatusCode, asked, err)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	routes, err := compile([]client.Route{
		{Name: "all", Method: "*", Path: "/v1/files/{rest...}", Effect: "read"},
		{Name: "one", Method: "GET", Path: "/v1/users/{id}", Effect: "read"},
		{Name: "me", Method: "GET", Path: "/v1/users/me", Effect: "read"},
		{Name: "any", Method: "*", Path: "/v1/users/{id}", Effect: "write"},
		{Name: "", Method: "DELETE", Path: "/v1/users/{id}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	u := &Upstream{routes: routes}
	for _, c := range []struct{ method, path, want, code string }{
		{"GET", "/v1/users/me", "me", ""},
		{"GET", "/v1/users/%6de", "me", ""},
		{"GET", "/v1/users/7", "one", ""},
		{"POST", "/v1/users/7", "any", ""},
		{"DELETE", "/v1/users/7", "DELETE /v1/users/{id}", ""},
		{"PUT", "/v1/files/a/b/c", "all", ""},
		{"GET", "/v1/users", "", ""},
		{"GET", "/v1/users/", "", ""},
		{"GET", "/v1/users/7/keys", "", ""},
		{"get", "/v1/users/me", "any", ""}, // a method is what it is
		{"GET", "/v1/users/a%2Fb", "", "upstream.path"},
		{"GET", "/v1/users/a%5cb", "", "upstream.path"},
		{"GET", "/v1/files/../users/7", "", "upstream.path"},
		{"GET", "/v1/files/%2e%2E/users/7", "", "upstream.path"},
		{"GET", "/v1/files/%252e%252e/users/7", "", "upstream.path"},
		{"GET", "/v1/files/./a", "", "upstream.path"},
		{"GET", "/v1//users/7", "", "upstream.path"},
		{"GET", "/v1/users/7%00", "", "upstream.path"},
		{"GET", "/v1/users/..;/x", "", "upstream.path"},
		{"GET", "/v1/users/%zz", "", "upstream.path"},
		{"GET", "v1/users/7", "", "upstream.path"},
	} {
		r, ok, err := u.Route(c.method, c.path)
		if r.Name != c.want || ok != (c.want != "") || code(err) != c.code {
			t.Errorf("%s %s: %q %v, want %q %s", c.method, c.path, r.Name, err, c.want, c.code)
		}
	}
	if r, _, _ := u.Route("DELETE", "/v1/users/7"); r.Effect != "destructive" {
		t.Errorf("a route without effect is %q", r.Effect)
	}
	for _, path := range []string{"", "a", "/{", "/{}", "/a{b}", "/{rest...}/a", "/{a}{b}", "/*", "/../a"} {
		if _, err := compile([]client.Route{{Method: "GET", Path: path, Effect: "read"}}); err == nil {
			t.Errorf("route %q was taken", path)
		}
	}
}

func FuzzSegments(f *testing.F) {
	for _, s := range []string{"/", "/a/b", "/%2e%2e/a", "/a%2Fb", "//", "/a/../b", "/%c3%28"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		parts, err := segments(path)
		if err != nil {
			return
		}
		for i, p := range parts {
			if p == "." || p == ".." || strings.ContainsAny(p, "/\\\x00%;") || p == "" && i < len(parts)-1 {
				t.Errorf("%q was read as %q", path, parts)
			}
		}
	})
}

func TestOutgoing(t *testing.T) {
	t.Parallel()
	src := http.Header{
		"Authorization": {"Bearer rvk_x"}, "Cookie": {"a"}, "X-Api-Key": {"rvk_x"}, "X-Goog-Api-Key": {"k"}, "X-Reeve-Run": {"r"},
		"Connection": {"close, X-Hop"}, "X-Hop": {"1"}, "Upgrade": {"h2c"}, "Accept": {"a", "b"}, "Content-Type": {"c"},
		"Dpop": {"proof"}, "X_api_key": {"rvk_x"},
	}
	// By these an upstream would take the call for another than was decided.
	for _, name := range []string{
		"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Original-Method", "X-Rewrite-URL", "Forwarded",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-User", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Amzn-Oidc-Data", "X_HTTP_Method_Override",
	} {
		src.Set(name, "x")
	}
	src["x-forwarded-proto"] = []string{"http"}
	dst := http.Header{}
	Outgoing(dst, src)
	if len(dst) != 2 || len(dst["Accept"]) != 2 || dst.Get("Content-Type") != "c" {
		t.Errorf("went upstream: %v", dst)
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(t, openai())
	u, _ := h.Lookup("openai")
	if got, err := u.Target("/chat/a%20b", "q=%2F"); err != nil || got.String() != "https://api.example.com/v1/chat/a%20b?q=%2F" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := u.Target("/../admin", ""); code(err) != "upstream.path" {
		t.Error(err)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b := NewBreaker(c.now)
	fail := errors.New("refused")
	for range tripAfter {
		if err := b.Allow(); err != nil {
			t.Fatal(err)
		}
		b.Done(0, fail)
	}
	if err := b.Allow(); code(err) != "upstream.open" || b.Health().State != "open" {
		t.Errorf("after %d failures: %v, %+v", tripAfter, err, b.Health())
	}
	c.pass(firstPause)
	if err := b.Allow(); err != nil {
		t.Errorf("the probe: %v", err)
	}
	if err := b.Allow(); code(err) != "upstream.open" {
		t.Errorf("beside the probe: %v", err)
	}
	b.Done(0, fail)
	c.pass(firstPause)
	if err := b.Allow(); code(err) != "upstream.open" {
		t.Errorf("the second pause is no longer: %v", err)
	}
	c.pass(firstPause)
	if err := b.Allow(); err != nil {
		t.Errorf("the second probe: %v", err)
	}
	b.Done(40*time.Millisecond, nil)
	h := b.Health()
	if err := b.Allow(); err != nil || h.State != "ok" || h.Calls != 7 || h.Errors != 6 || *h.P95MS != 40 {
		t.Errorf("mended: %v, %+v", err, h)
	}
}
