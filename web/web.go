// Package web is the console: its built files and the handler that serves them.
//
// What for: one binary carries its own user interface; no Node is needed to
// build or run Reeve.
//
// Who calls it: app mounts Handler behind everything else of the console's
// listener.
//
// Promises: files whose name carries a hash may be cached for good; the page
// itself never is, and each answer's page has a fresh nonce, so that only the
// console's own styles run under a strict content security policy. Any path
// that is no file gets the page: the console's router shows it. Safe for
// concurrent use.
//
// How it fails: a missing hashed file is 404, a method other than GET and HEAD
// 405. Handler panics when the embedded files hold no page, which is a bug in
// the build.
//
// Start reading at Handler. The sources are in src, the build in package.json.
package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed all:dist
var files embed.FS

// Options of the handler; the zero value is useful.
type Options struct {
	// PageHeaders sets the headers of an answer that is the page and returns the
	// nonce that its content security policy allows. nil: a policy of our own
	// that allows scripts and styles of this origin and that nonce.
	PageHeaders func(http.Header) (nonce string)
}

const (
	noncePlaceholder = "{{nonce}}"
	forGood          = "public, max-age=31536000, immutable"
)

// types are the media types of the files that a build makes. The system's own
// table differs between machines.
var types = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

// Handler serves the console.
func Handler(o Options) http.Handler {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic("web: " + err.Error())
	}
	return handler(dist, o)
}

func handler(dist fs.FS, o Options) http.Handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		panic("web: the embedded files hold no page: " + err.Error())
	}
	headers := o.PageHeaders
	if headers == nil {
		headers = pageHeaders
	}
	c := &console{dist: dist, before: page, headers: headers}
	if i := bytes.Index(page, []byte(noncePlaceholder)); i >= 0 {
		c.before, c.after = page[:i], page[i+len(noncePlaceholder):]
	}
	return c
}

// console serves one build. before and after are the page around its nonce.
type console struct {
	dist          fs.FS
	before, after []byte
	headers       func(http.Header) string
}

// ServeHTTP answers with a file or with the page.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	switch {
	case strings.HasPrefix(name, "assets/"):
		c.file(w, r, name, forGood)
	case name == "favicon.svg":
		c.file(w, r, name, "public, max-age=3600")
	default:
		c.page(w, r)
	}
}

func (c *console) file(w http.ResponseWriter, r *http.Request, name, cache string) {
	kind := types[path.Ext(name)]
	body, err := fs.ReadFile(c.dist, name)
	if err != nil || kind == "" {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cache)
	h.Set("X-Content-Type-Options", "nosniff")
	if small, err := fs.ReadFile(c.dist, name+".br"); err == nil {
		h.Set("Vary", "Accept-Encoding")
		if accepts(r, "br") {
			h.Set("Content-Encoding", "br")
			body = small
		}
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

func (c *console) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	nonce := c.headers(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(c.before)+len(nonce)+len(c.after)))
	if r.Method == http.MethodHead {
		return
	}
	for _, part := range [][]byte{c.before, []byte(nonce), c.after} {
		if _, err := w.Write(part); err != nil {
			return // the reader went away
		}
	}
}

// accepts reports whether the caller takes a coding; q=0 refuses it.
func accepts(r *http.Request, coding string) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if !strings.EqualFold(strings.TrimSpace(name), coding) {
				continue
			}
			q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			if !found {
				return true
			}
			v, err := strconv.ParseFloat(q, 64)
			return err == nil && v > 0
		}
	}
	return false
}

// pageHeaders allows what the console does and nothing else: its own files,
// its own API, and styles that carry the nonce.
func pageHeaders(h http.Header) string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	nonce := base64.RawURLEncoding.EncodeToString(b[:])
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	return nonce
}
