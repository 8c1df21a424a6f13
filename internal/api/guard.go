package api

import (
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"reeve/internal/fault"
)

// GuardOptions say what a listener answers to.
type GuardOptions struct {
	// Hosts are names beside 127.0.0.1, [::1] and localhost that the listener is
	// reached by; without port.
	Hosts []string
	// Foreign reports a request that pages of other origins make by design, and
	// whose handler looks at their origin by itself. May be nil.
	Foreign func(*http.Request) bool
}

var (
	errMisdirected = fault.New(fault.KindInvalid, "api.host", "this server does not answer to that name").
			WithHint("use 127.0.0.1 or localhost, or add the name to the configuration's hosts")
	errOrigin = fault.New(fault.KindDenied, "api.origin", "a page of another origin may not do this")
)

// Guard stands in front of a listener's handler, whatever it serves. It
// refuses names that are not ours with 421 (a rebound name passes every check
// that looks at origins only), and what another origin's page sends with 403,
// except safe reads, whose answers such a page cannot see: there is no CORS. It
// sets the headers that keep answers from being framed, sniffed or embedded.
func Guard(next http.Handler, o GuardOptions) http.Handler {
	check := Guarded(o)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if err := check(r); err != nil {
			f := fault.From(err)
			writeProblem(w, statusOf(f), f)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Guarded is what Guard refuses, for a listener that answers in its own shape.
func Guarded(o GuardOptions) func(*http.Request) error {
	hosts := map[string]bool{"localhost": true}
	for _, h := range o.Hosts {
		hosts[strings.ToLower(strings.TrimSuffix(h, "."))] = true
	}
	return func(r *http.Request) error {
		switch {
		case !ours(r.Host, hosts):
			return errMisdirected
		case r.Method != http.MethodGet && r.Method != http.MethodHead && foreign(r) && (o.Foreign == nil || !o.Foreign(r)):
			return errOrigin
		}
		return nil
	}
}

func ours(host string, names map[string]bool) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if names[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || ip == netip.IPv6Loopback())
}

// foreign reports whether a browser sent this for a page that is not ours.
// Ports matter: a page on another local port is another origin, and "same-site".
func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host)
}

// PageHeaders replaces the headers of Guard for the console's page and returns
// the nonce that its own scripts and styles carry. Call it for each page.
func PageHeaders(h http.Header) (nonce string) {
	var b [18]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	nonce = base64.RawURLEncoding.EncodeToString(b[:])
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
		"'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return nonce
}
