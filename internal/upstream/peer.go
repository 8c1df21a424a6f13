package upstream

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"reeve/client"
)

const (
	maxOrigins  = 10
	maxCardKeys = 64 << 10
)

// checkPeer refuses what is no peer.
func checkPeer(u *client.Upstream) error {
	p := u.Peer
	switch {
	case u.Kind != "a2a" && p != nil:
		return invalid("only an upstream of kind a2a has peer")
	case u.Kind != "a2a":
		return nil
	case u.Dialect != "" || len(u.Routes)+len(u.Models)+len(u.Fallback) > 0:
		return invalid("a peer has no dialect, routes, models or fallback")
	case u.Credential != nil && u.Credential.Kind == "sigv4":
		return invalid("a peer's credential is of kind bearer, header, basic or query")
	case p == nil:
		return nil
	case p.Effect != "" && !slices.Contains(effects, p.Effect):
		return invalid("a peer's effect is read, write or destructive")
	case p.Binding != "" && !slices.Contains([]string{"JSONRPC", "HTTP+JSON", "GRPC"}, p.Binding):
		return invalid("a peer's binding is JSONRPC, HTTP+JSON or GRPC")
	case len(p.Agent) > 64 || len(p.Origins) > maxOrigins || len(p.PushHosts) > 100 || len(p.CardKeys) > maxCardKeys:
		return invalid("a peer has at most %d origins, 100 push hosts and %d bytes of card keys", maxOrigins, maxCardKeys)
	}
	if p.CardPath != "" {
		if _, err := segments(p.CardPath); err != nil {
			return err
		}
	}
	for _, o := range p.Origins {
		if err := checkOrigin(u, o); err != nil {
			return err
		}
	}
	for _, h := range p.PushHosts {
		if h == "" || len(h) > 253 || strings.Trim(h, ".") == "" || strings.ContainsAny(h, "/:@ \t\r\n*") || h != strings.ToLower(h) {
			return invalid("push host %.60q is no host in lower case", h)
		}
	}
	var keys struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if p.CardKeys != "" && (json.Unmarshal([]byte(p.CardKeys), &keys) != nil || len(keys.Keys) == 0) {
		return invalid("card_keys is a JWK set with at least one key")
	}
	return nil
}

func checkOrigin(u *client.Upstream, text string) error {
	o, err := url.Parse(text)
	switch {
	case err != nil || o.Hostname() == "" || o.User != nil || o.Path != "" || o.RawQuery != "" || o.Fragment != "":
		return invalid("origin %.80q is not written like https://api.example.com:8443", text)
	case o.Scheme != "https" && (o.Scheme != "http" || !u.AllowPrivate):
		return invalid("origin %.80q: plain http is only for addresses inside the house", text)
	}
	if ip, err := netip.ParseAddr(o.Hostname()); err == nil {
		return CheckAddress(ip, u.AllowPrivate)
	}
	return nil
}

// origins are the places besides its own at which a peer may be.
func origins(u *client.Upstream) []string {
	if u.Peer == nil {
		return nil
	}
	return u.Peer.Origins
}

// May reports whether calls of this upstream, with its credential, may go to an
// address: at its own origin, or at one that a person named.
func (u *Upstream) May(to *url.URL) bool {
	if to.User != nil || to.Scheme != "https" && to.Scheme != "http" {
		return false
	}
	own := sameOrigin(to, u.base)
	return own || slices.ContainsFunc(origins(&u.Upstream), func(text string) bool {
		o, err := url.Parse(text)
		return err == nil && sameOrigin(to, o)
	})
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// Base is the upstream's address. It must not be changed.
func (u *Upstream) Base() *url.URL { return u.base }

// Cleartext2 sends requests to the upstream in HTTP/2 without TLS, with the same
// care for addresses: gRPC inside the house is spoken so.
func (u *Upstream) Cleartext2() http.RoundTripper {
	u.cleartext.Do(func() {
		t := newTransport(u.AllowPrivate, time.Duration(u.TimeoutMS)*time.Millisecond)
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
		u.clear2 = t
	})
	return u.clear2
}
