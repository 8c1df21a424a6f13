package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func testDist() fs.FS {
	return fstest.MapFS{
		"index.html":           {Data: []byte(`<meta name="reeve-nonce" content="{{nonce}}"><div id="root"></div>`)},
		"favicon.svg":          {Data: []byte("<svg/>")},
		"manifest.json":        {Data: []byte("{}")},
		"assets/a-1b2c.js":     {Data: []byte("export const a = 1;")},
		"assets/a-1b2c.js.br":  {Data: []byte("small")},
		"assets/b-1b2c.css":    {Data: []byte("a{}")},
		"assets/c-1b2c.woff2":  {Data: []byte("font")},
		"assets/d-1b2c.secret": {Data: []byte("no type")},
	}
}

func get(t *testing.T, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServe(t *testing.T) {
	t.Parallel()
	h := handler(testDist(), Options{})
	for _, tc := range []struct {
		name, method, path, encoding string
		status                       int
		cache, kind, coding          string
	}{
		{"page", "GET", "/", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"route of the console", "GET", "/runs/run_0123?tab=graph", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"agent with a dot", "GET", "/agents/refund.js", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"script", "GET", "/assets/a-1b2c.js", "", 200, forGood, "text/javascript; charset=utf-8", ""},
		{"script, brotli", "GET", "/assets/a-1b2c.js", "gzip, br", 200, forGood, "text/javascript; charset=utf-8", "br"},
		{"script, brotli refused", "GET", "/assets/a-1b2c.js", "br;q=0, gzip", 200, forGood, "text/javascript; charset=utf-8", ""},
		{"style without a small copy", "GET", "/assets/b-1b2c.css", "br", 200, forGood, "text/css; charset=utf-8", ""},
		{"font", "GET", "/assets/c-1b2c.woff2", "", 200, forGood, "font/woff2", ""},
		{"icon", "GET", "/favicon.svg", "", 200, "public, max-age=3600", "image/svg+xml", ""},
		{"old hash", "GET", "/assets/a-0000.js", "", 404, "", "text/plain; charset=utf-8", ""},
		{"the copy itself", "GET", "/assets/a-1b2c.js.br", "", 404, "", "text/plain; charset=utf-8", ""},
		{"unknown kind", "GET", "/assets/d-1b2c.secret", "", 404, "", "text/plain; charset=utf-8", ""},
		{"manifest stays inside", "GET", "/manifest.json", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"climbing out", "GET", "/assets/../index.html", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"head", "HEAD", "/", "", 200, "no-store", "text/html; charset=utf-8", ""},
		{"post", "POST", "/", "", 405, "", "text/plain; charset=utf-8", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := get(t, h, tc.method, tc.path, "Accept-Encoding", tc.encoding)
			got := w.Header()
			if w.Code != tc.status || got.Get("Cache-Control") != tc.cache || got.Get("Content-Type") != tc.kind || got.Get("Content-Encoding") != tc.coding {
				t.Errorf("%s %s: got %d, cache %q, type %q, coding %q; want %d, %q, %q, %q", tc.method, tc.path,
					w.Code, got.Get("Cache-Control"), got.Get("Content-Type"), got.Get("Content-Encoding"), tc.status, tc.cache, tc.kind, tc.coding)
			}
			if tc.method == "HEAD" && w.Body.Len() != 0 {
				t.Errorf("HEAD %s: got a body of %d bytes, want none", tc.path, w.Body.Len())
			}
		})
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	h := handler(testDist(), Options{})
	inPage := regexp.MustCompile(`content="([A-Za-z0-9_-]{24})"`)
	seen := map[string]bool{}
	for range 3 {
		w := get(t, h, "GET", "/")
		m := inPage.FindStringSubmatch(w.Body.String())
		if m == nil {
			t.Fatalf("page: got %q, want a nonce in it", w.Body.String())
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "style-src 'self' 'nonce-"+m[1]+"'") || strings.Contains(policy, "unsafe") {
			t.Errorf("policy: got %q, want it to allow styles with nonce %s and nothing unsafe", policy, m[1])
		}
		if seen[m[1]] {
			t.Errorf("nonce %s: got it twice, want a fresh one each time", m[1])
		}
		seen[m[1]] = true
	}
}

func TestPageHeadersOfTheCaller(t *testing.T) {
	t.Parallel()
	h := handler(testDist(), Options{PageHeaders: func(h http.Header) string {
		h.Set("Content-Security-Policy", "from the caller")
		return "given"
	}})
	w := get(t, h, "GET", "/runs")
	if got := w.Header().Get("Content-Security-Policy"); got != "from the caller" {
		t.Errorf("policy: got %q, want the caller's", got)
	}
	if !strings.Contains(w.Body.String(), `content="given"`) {
		t.Errorf("page: got %q, want the caller's nonce", w.Body.String())
	}
}

// The page of the real build must name only files that are there, nothing
// inline that the policy would refuse, and no other origin.
func TestBuild(t *testing.T) {
	t.Parallel()
	h := Handler(Options{})
	page := get(t, h, "GET", "/").Body.String()
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(refs) < 3 {
		t.Fatalf("page: got %d references, want script, style and icon", len(refs))
	}
	for _, ref := range refs {
		if !strings.HasPrefix(ref[1], "/") || strings.HasPrefix(ref[1], "//") {
			t.Errorf("page names %q, want files of this origin only", ref[1])
			continue
		}
		if w := get(t, h, "GET", ref[1]); w.Code != 200 || strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Errorf("page names %q: got %d %s, want a file", ref[1], w.Code, w.Header().Get("Content-Type"))
		}
	}
	if regexp.MustCompile(`(?i)<style|<script(?: [^>]*)?>[^<]|\son\w+=|\sstyle=`).MatchString(page) {
		t.Errorf("page: got inline code or style, which the policy refuses:\n%s", page)
	}
	err := fs.WalkDir(files, "dist/assets", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimSuffix(path.Base(p), ".br")
		if !regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.\w+$`).MatchString(name) {
			t.Errorf("%s is cached for good: want a hash in its name", p)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Addresses of a registry in the lockfile would tie the build to one mirror.
func TestLockfileHasNoAddresses(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) {
		t.Error(`package-lock.json: got "resolved" addresses, want none (see .npmrc)`)
	}
}
