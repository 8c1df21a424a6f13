package connection

import (
	"strings"

	"reeve/internal/upstream"
)

// challenge is what an upstream says of the token that it wants, in
// WWW-Authenticate: Bearer.
type challenge struct {
	metadata string // address of its protected-resource metadata
	scopes   []string
	code     string // invalid_token, insufficient_scope
}

const maxChallenge = 8 << 10

// readChallenge reads the parameters of the first Bearer challenge; others and
// what cannot be read say nothing.
func readChallenge(headers []string) (c challenge) {
	for _, h := range headers {
		if len(h) > maxChallenge {
			continue
		}
		for name, value := range bearerParams(h) {
			switch name {
			case "resource_metadata":
				c.metadata = value
			case "error":
				c.code = value
			case "scope":
				for _, s := range strings.Fields(value) {
					if upstream.ValidScope(s) && len(c.scopes) < maxScopes {
						c.scopes = append(c.scopes, s)
					}
				}
			}
		}
	}
	return c
}

// bearerParams gives the parameters of the Bearer challenge in a header that may
// hold several (RFC 9110 §11.6.1).
func bearerParams(h string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		in := false
		for h != "" {
			h = strings.TrimLeft(h, " \t,")
			word := h[:wordEnd(h)]
			h = h[len(word):]
			if word == "" {
				if h == "" {
					return
				}
				h = h[1:] // what no grammar has
				continue
			}
			rest := strings.TrimLeft(h, " \t")
			if !strings.HasPrefix(rest, "=") {
				in = strings.EqualFold(word, "Bearer") // a scheme
				continue
			}
			var value string
			value, h = paramValue(strings.TrimLeft(rest[1:], " \t"))
			if in && !yield(strings.ToLower(word), value) {
				return
			}
		}
	}
}

// wordEnd is where a token of RFC 9110 ends.
func wordEnd(s string) int {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return i
		}
	}
	return len(s)
}

// paramValue reads a token or a quoted string and gives what follows it.
func paramValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		n := strings.IndexAny(s, ", \t")
		if n < 0 {
			n = len(s)
		}
		return s[:n], s[n:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i == len(s) {
				return "", ""
			}
		}
		b.WriteByte(s[i])
	}
	return "", "" // never closed
}
