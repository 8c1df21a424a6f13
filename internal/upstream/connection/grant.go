package connection

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

const maxToken = 16 << 10

// answerError is an authorization server's refusal (RFC 6749 §5.2).
type answerError struct {
	status int
	code   string
}

func (e *answerError) Error() string {
	return "the authorization server answers " + strconv.Itoa(e.status) + " " + e.code
}

// refusedBy reports whether an authorization server refused with a code.
func refusedBy(err error, code string) bool {
	var a *answerError
	return errors.As(err, &a) && a.code == code
}

func broken(s *server, format string) *fault.Error {
	return fault.New(fault.KindUnavailable, "upstream.authorization_server", "the authorization server %s: "+format, s.Issuer)
}

// refusal is an error answer in our words. Of the server's own text only its code
// is shown: the rest is somebody else's.
func refusal(s *server, status int, body []byte) error {
	var said struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what says nothing has no code
	if len(said.Error) > 64 || strings.ContainsFunc(said.Error, unprintable) {
		said.Error = ""
	}
	return fault.New(fault.KindUnavailable, "upstream.authorization_server", "the authorization server %s refuses with %s (status %d)", s.Issuer, orNothing(said.Error), status).
		WithCause(&answerError{status: status, code: said.Error})
}

func orNothing(code string) string {
	if code == "" {
		return "no code"
	}
	return code
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f }

// token asks the token endpoint. The form is what the grant adds.
func (b *Book) token(ctx context.Context, u *upstream.Upstream, k grant, form url.Values) (*grant, error) {
	if k.Resource != "" {
		form.Set("resource", k.Resource)
	}
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if err := b.show(u, &k.Server, k.Client, form, h); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.Server.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = h
	status, _, body, err := asking(u).do(req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, refusal(&k.Server, status, body)
	}
	if err := k.read(body, b.o.Now()); err != nil {
		return nil, err
	}
	return &k, nil
}

// read takes what a token endpoint gave.
func (k *grant) read(body []byte, now time.Time) error {
	var t struct {
		Access  string  `json:"access_token"`
		Type    string  `json:"token_type"`
		Refresh string  `json:"refresh_token"`
		Expires seconds `json:"expires_in"`
		Scope   *string `json:"scope"`
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return broken(&k.Server, "its answer cannot be read").WithCause(err)
	}
	switch {
	case !strings.EqualFold(t.Type, "Bearer"):
		return broken(&k.Server, "it gives tokens of a type other than Bearer")
	case t.Access == "" || len(t.Access) > maxToken || len(t.Refresh) > maxToken || strings.ContainsFunc(t.Access+t.Refresh, func(r rune) bool { return r <= ' ' || r > '~' }):
		return broken(&k.Server, "its token cannot be sent")
	}
	k.Access, k.Got, k.Expires = t.Access, now, time.Time{}
	if t.Expires > 0 {
		k.Expires = now.Add(min(time.Duration(t.Expires), 366*24*3600) * time.Second)
	}
	if t.Refresh != "" { // else the one that it has stays
		k.Refresh = t.Refresh
	}
	k.Scopes = k.Asked
	if t.Scope != nil {
		k.Scopes = scopesOf(strings.Fields(*t.Scope))
	}
	k.Missing = slices.DeleteFunc(slices.Clone(k.Missing), func(s string) bool { return slices.Contains(k.Scopes, s) })
	return nil
}

// seconds are a number that some write as a text.
type seconds float64

func (s *seconds) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil || !(n >= 0 && n < 1e12) {
		n = 0 // the same as if it had said nothing
	}
	*s = seconds(n)
	return nil
}

// refresh renews a grant of a person's. Its scopes stay.
func (b *Book) refresh(ctx context.Context, u *upstream.Upstream, k *grant) (*grant, error) {
	return b.token(ctx, u, *k, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {k.Refresh}})
}

// forOurselves gets a token by client credentials. anew is what a person or the
// upstream now asks for; nil: what is known serves.
func (b *Book) forOurselves(ctx context.Context, u *upstream.Upstream, k *grant, anew *found) (*grant, error) {
	next := grant{Mark: u.Mark(), At: b.o.Now()}
	if k != nil {
		next = *k
	}
	if anew == nil && (k == nil || k.Server.Token == "") {
		f, err := b.discover(ctx, u, challenge{})
		if err != nil {
			return nil, err
		}
		anew = &f
	}
	if anew != nil {
		next.Server, next.Resource, next.Moved = anew.server, anew.resource, ""
		next.Asked = wanted(u, anew.scopes, next.Missing)
	}
	if g := next.Server.Grants; len(g) > 0 && !slices.Contains(g, "client_credentials") {
		return nil, broken(&next.Server, "it has no client credentials")
	}
	var err error
	if next.Client, err = b.identify(ctx, u, &next.Server, next.Client); err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(next.Asked) > 0 {
		form.Set("scope", strings.Join(next.Asked, " "))
	}
	return b.token(ctx, u, next, form)
}

// wanted are the scopes to ask for: what people said, else what the upstream
// wants, and what it asked for since.
func wanted(u *upstream.Upstream, named []string, more ...[]string) []string {
	out := slices.Clone(u.Credential.OAuth.Scopes)
	if len(out) == 0 {
		out = slices.Clone(named)
	}
	for _, list := range more {
		for _, s := range list {
			if !slices.Contains(out, s) && len(out) < maxScopes {
				out = append(out, s)
			}
		}
	}
	return out
}
