package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

const kindOAuth = "oauth"

// Tokens gets access tokens for upstreams whose credential is of kind oauth.
type Tokens interface {
	// Current is the token in use, without waiting; "" when there is none.
	Current(u *Upstream) string
	// Token is a token that is good now. It waits only when there is none.
	Token(ctx context.Context, u *Upstream) (string, error)
	// Refused is told that the upstream did not take a token. It gives another one
	// to try, or says why there is none.
	Refused(ctx context.Context, u *Upstream, token string, r Refusal) (string, error)
	// State is how things stand, for people.
	State(u *Upstream) client.Connection
	// Drop forgets everything about an upstream of that name, in the transaction
	// that moves or removes it.
	Drop(ctx context.Context, tx *control.Tx, name string) error
}

// Refusal is how an upstream refused a token.
type Refusal struct {
	Status    int      // 401 or 403
	Challenge []string // its WWW-Authenticate headers
}

var (
	errTokenRefused = fault.New(fault.KindUnavailable, "upstream.token_refused", "the upstream refuses the tokens that Reeve has for it").
			WithHint("`reeve upstream connect NAME` connects it anew")
	errNoTokens = fault.New(fault.KindInvalid, "upstream.invalid", "this server gets no tokens for upstreams")
)

const (
	maxScopes   = 50
	maxRenewals = 3 // of the token of one request: once for it, and for scopes that are asked for
)

// Granted reports whether the upstream's credential is a token that is asked for.
func (u *Upstream) Granted() bool { return u.Credential != nil && u.Credential.Kind == kindOAuth }

// keyed reports whether a credential's value may be a key, which has lines.
func keyed(c *client.Credential) bool {
	return c.OAuth != nil && c.OAuth.ClientAuth == "private_key_jwt"
}

// checkOAuth refuses what cannot be asked for.
func (r *Registry) checkOAuth(c *client.Credential) error {
	o := c.OAuth
	switch {
	case c.Kind != kindOAuth || o == nil:
		return invalid("a credential of kind oauth has oauth, and no other has")
	case r.tokens == nil:
		return errNoTokens
	case o.Grant != "authorization_code" && o.Grant != "client_credentials":
		return invalid("an oauth credential's grant is authorization_code or client_credentials")
	case !slices.Contains([]string{"", "none", "client_secret_basic", "client_secret_post", "private_key_jwt"}, o.ClientAuth):
		return invalid("client_auth is none, client_secret_basic, client_secret_post or private_key_jwt")
	case strings.HasPrefix(o.ClientAuth, "client_secret") && (c.Source == "" || o.ClientID == ""):
		return invalid("client_auth %s needs client_id and a secret", o.ClientAuth)
	case o.ClientAuth == "none" && c.Source != "":
		return invalid("a client that does not authenticate itself has no secret")
	case o.ClientAuth == "none" && o.Grant == "client_credentials":
		return invalid("the grant client_credentials needs a client that authenticates itself")
	case c.Source != "" && o.ClientID == "":
		return invalid("a secret belongs to a client_id")
	case c.Source != "" && o.Issuer == "" && o.ClientAuth != "private_key_jwt":
		return invalid("a client secret needs the issuer that it is for").
			WithHint("--issuer names the authorization server: else it would go to whichever the upstream names")
	case c.Source == "" && (c.Ref != "" || c.Value != ""):
		return invalid("a credential's source is value, env, file or vault")
	case len(o.ClientID) > 2000 || strings.ContainsFunc(o.ClientID, unprintable):
		return invalid("client_id is at most 2,000 characters that can be seen")
	case len(o.Scopes) > maxScopes || slices.ContainsFunc(o.Scopes, func(s string) bool { return !ValidScope(s) }):
		return invalid("at most %d scopes, each of characters that can be seen, without quotes", maxScopes)
	}
	for _, text := range []string{o.Issuer, o.Resource} {
		if at, err := url.Parse(text); text != "" && (err != nil || len(text) > 2000 || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || at.User != nil || at.Fragment != "" || at.RawQuery != "") {
			return invalid("%.80q is no address of an authorization server or resource", text)
		}
	}
	return nil
}

// ValidScope reports whether a text is a scope-token (RFC 6749 §3.3).
func ValidScope(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// ClientSecret is the secret or key with which Reeve shows the upstream's
// authorization server who it is; "" for none.
func (u *Upstream) ClientSecret() (string, error) {
	if u.Credential == nil || u.Credential.Source == "" {
		return "", nil
	}
	return u.sourced()
}

// held is the token in use.
func (u *Upstream) held() (string, error) {
	if t := u.registry.tokens; t != nil {
		if v := t.Current(u); v != "" {
			return v, nil
		}
	}
	return "", NotConnected(u)
}

// NotConnected says that an upstream has no token and how to get one.
func NotConnected(u *Upstream) *fault.Error {
	return fault.New(fault.KindUnavailable, "upstream.not_connected", "upstream %s is not connected to its authorization server", u.Name).
		WithHint("a person connects it: `reeve upstream connect %s`, or on its page", u.Name)
}

// bear adds the token to a request.
func (u *Upstream) bear(req *http.Request) error {
	if u.registry.tokens == nil {
		return NotConnected(u)
	}
	v, err := u.registry.tokens.Token(req.Context(), u)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+v)
	return nil
}

// renewing sends requests and replaces the token when the upstream refuses it.
// A refused request was not acted on, so it may be made again.
type renewing struct{ u *Upstream }

// RoundTrip implements http.RoundTripper.
func (t renewing) RoundTrip(req *http.Request) (*http.Response, error) {
	for range maxRenewals {
		resp, err := t.u.transport.RoundTrip(req)
		if err != nil || !tokenRefused(resp) {
			return resp, err
		}
		token, bearer := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
		if !bearer || req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
			return resp, nil // made by somebody else, or cannot be repeated
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // the connection can be used again
		_ = resp.Body.Close()
		next, err := t.u.registry.tokens.Refused(req.Context(), t.u, token, Refusal{Status: resp.StatusCode, Challenge: resp.Header.Values("WWW-Authenticate")})
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+next)
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
	return nil, errTokenRefused
}

// tokenRefused reports whether it is the token that an answer refuses.
func tokenRefused(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusForbidden:
		return slices.ContainsFunc(resp.Header.Values("WWW-Authenticate"), func(v string) bool { return strings.Contains(v, "insufficient_scope") })
	}
	return false
}

// disconnect drops what was granted for the old state of an upstream when the
// new one is for other purposes; change is held.
func (r *Registry) disconnect(ctx context.Context, tx *control.Tx, old, u *Upstream) error {
	if r.tokens == nil || old == nil || !old.Granted() || u != nil && u.Granted() && old.Mark() == u.Mark() {
		return nil
	}
	return r.tokens.Drop(ctx, tx, old.Name)
}

// Mark is the same as long as a token that was granted for the upstream may be
// used for it: where it leads, whose it is, and who Reeve is to its
// authorization server.
func (u *Upstream) Mark() string {
	c := client.Credential{}
	if u.Credential != nil {
		c = *u.Credential
	}
	c.Value, c.Set = "", false
	text, err := json.Marshal([]any{u.Kind, u.URL, u.Headers, u.AllowPrivate, u.Team, u.Environment, c})
	if err != nil { // texts and booleans
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
