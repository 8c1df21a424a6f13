package upstream

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// leakable is the shortest secret that is looked for: shorter ones stand in
// every text by chance.
const leakable = 8

// Leak looks for the upstream's credential in an answer on its way to an agent.
// What may be its beginning is held back until the next piece shows what it is,
// so that not even a part of it passes. It is used by one goroutine; a nil Leak
// finds nothing.
type Leak struct {
	secrets [][]byte
	held    []byte
	joined  []byte
}

// Leak watches for the credential as it is now; nil when there is none to find.
func (u *Upstream) Leak() *Leak {
	if u.Credential == nil {
		return nil
	}
	v, err := u.value()
	if err != nil || len(v) < leakable {
		return nil
	}
	if known := u.leak.Load(); known != nil && known.value == v {
		return &Leak{secrets: known.forms}
	}
	secrets := u.secrets(v)
	forms := [][]byte{[]byte(secrets[0])}
	also := func(s string) {
		if !slices.ContainsFunc(forms, func(f []byte) bool { return strings.Contains(s, string(f)) }) {
			forms = append(forms, []byte(s))
		}
	}
	for _, s := range secrets {
		also(s)
		also(url.QueryEscape(s))
		also(strings.NewReplacer(`\`, `\\`, `"`, `\"`, `/`, `\/`).Replace(s))
		also(base64.StdEncoding.EncodeToString([]byte(s)))
	}
	if u.Credential.Kind == "basic" {
		also(base64.StdEncoding.EncodeToString([]byte(u.Credential.User + ":" + v)))
	}
	u.leak.Store(&leakForms{value: v, forms: forms})
	return &Leak{secrets: forms}
}

// secrets are the parts of a credential's value that nobody may see. Those of
// kind sigv4 never go upstream, but a session's token does.
func (u *Upstream) secrets(v string) []string {
	if u.Credential.Kind == "sigv4" {
		if k, ok := parseKeys(u.Credential.User, v); ok {
			out := []string{k.secret}
			if len(k.token) >= leakable {
				out = append(out, k.token)
			}
			return out
		}
	}
	return []string{v}
}

// leakForms are the ways in which a credential can be written.
type leakForms struct {
	value string
	forms [][]byte
}

// In reports whether a text contains the credential.
func (l *Leak) In(text string) bool {
	if l == nil {
		return false
	}
	for _, s := range l.secrets {
		if strings.Contains(text, string(s)) {
			return true
		}
	}
	return false
}

// Next gives what of the answer may go on after a piece arrived; it is valid
// until the following call. found says that the credential is in it: nothing
// more may go on.
func (l *Leak) Next(piece []byte) (out []byte, found bool) {
	if l == nil {
		return piece, false
	}
	if len(l.held) > 0 {
		l.joined = append(append(l.joined[:0], l.held...), piece...)
		piece = l.joined
	}
	keep := 0
	for _, s := range l.secrets {
		if bytes.Contains(piece, s) {
			return nil, true
		}
		keep = max(keep, begins(piece, s))
	}
	l.held = append(l.held[:0], piece[len(piece)-keep:]...)
	return piece[:len(piece)-keep], false
}

// begins is how many bytes at the end of p are the beginning of s.
func begins(p, s []byte) int {
	for n := min(len(p), len(s)-1); n > 0; n-- {
		if p[len(p)-n] == s[0] && bytes.HasPrefix(s, p[len(p)-n:]) {
			return n
		}
	}
	return 0
}

// End gives what was held back: the answer ended before it was the credential.
func (l *Leak) End() []byte {
	if l == nil {
		return nil
	}
	return l.held
}
