package connection

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"reeve/internal/upstream"
)

// Browsers come back to another address for each upstream and authorization
// server. A server that sends a person on to another one, so that this one's code
// comes to us as its own, cannot: that one sends browsers to its own place alone,
// also where it does not say who it is (RFC 9207).
//
//	client       comes back to
//	registered   callback/NAME of the upstream, which a person registers
//	dynamic      callback/_MARK of upstream and issuer
//	document     the same, which a document of its own says; one that is served
//	             elsewhere (connections.client_id) has one place for all: callback

// markSize is the length of a mark.
const markSize = 22

// markOf is what upstream and issuer are called in addresses: nobody learns from
// it which they are. No upstream's name has an underscore.
func markOf(u *upstream.Upstream, s *server) string {
	sum := sha256.Sum256([]byte(u.Name + "\x00" + s.Issuer))
	return "_" + base64.RawURLEncoding.EncodeToString(sum[:])[:markSize]
}

func isMark(text string) bool {
	return len(text) == markSize+1 && text[0] == '_' && !strings.ContainsFunc(text[1:], func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// backFor is the last part of the address that browsers come back to for a kind of
// client; "" is the address itself.
func (b *Book) backFor(u *upstream.Upstream, s *server, kind string) string {
	switch {
	case kind == "registered":
		return u.Name
	case kind == "document" && !b.hosted():
		return ""
	}
	return markOf(u, s)
}

// redirect is the address that ends with at; "" where there is no console.
func (b *Book) redirect(at string) string {
	base := b.o.Redirect()
	if base == "" || at == "" {
		return base
	}
	return base + "/" + at
}
