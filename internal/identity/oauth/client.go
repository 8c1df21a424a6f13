package oauth

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// MaxAssertionLife is the longest life of a client assertion.
const MaxAssertionLife = 5 * time.Minute

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// caller is an agent that authenticated itself at an endpoint.
type caller struct {
	agent    token.Agent
	instance string            // of its certificate; "" by assertion
	cert     *x509.Certificate // by which it authenticated; nil by assertion
}

// problem is an error of RFC 6749 §5.2.
type problem struct {
	status     int
	code, text string
	cause      error
}

func (p *problem) Error() string { return p.code + ": " + p.text }

func (p *problem) Unwrap() error { return p.cause }

func refuse(code, text string, cause error) *problem {
	p := &problem{status: http.StatusBadRequest, code: code, text: text, cause: cause}
	if code == "invalid_client" {
		p.status = http.StatusUnauthorized
	}
	var f *fault.Error
	if errors.As(cause, &f) && (f.Kind == fault.KindUnavailable || f.Kind == fault.KindInternal) {
		p.status, p.code, p.text = http.StatusServiceUnavailable, "temporarily_unavailable", "try again"
	}
	return p
}

// authenticate says which agent asks: by private_key_jwt, or by the certificate
// that it showed.
func (s *Server) authenticate(r *http.Request, form map[string]string) (caller, *problem) {
	switch {
	case form["client_secret"] != "" || strings.HasPrefix(strings.ToLower(r.Header.Get("Authorization")), "basic "):
		return caller{}, refuse("invalid_client", "client secrets are not taken: sign a client assertion, or show a certificate", nil)
	case form["client_assertion"] != "" || form["client_assertion_type"] != "":
		return s.byAssertion(r.Context(), form)
	case r.TLS != nil && len(r.TLS.PeerCertificates) > 0:
		return s.byCertificate(r, form)
	}
	return caller{}, refuse("invalid_client", "no client authentication", nil)
}

func (s *Server) byCertificate(r *http.Request, form map[string]string) (caller, *problem) {
	leaf := r.TLS.PeerCertificates[0]
	p, err := s.o.Verifier.Peer(leaf)
	if err != nil {
		return caller{}, refuse("invalid_client", "the client certificate is not taken", err)
	}
	if id := form["client_id"]; id != "" && s.agentOf(id) != p.Agent {
		return caller{}, refuse("invalid_client", "client_id is not the certificate's", nil)
	}
	a, err := s.o.Agents(p.Agent)
	if err != nil {
		return caller{}, refuse("invalid_client", fault.From(err).Message, err)
	}
	return caller{agent: a, instance: p.Instance, cert: leaf}, nil
}

// agentOf is the agent of a client id: its name, or the address of its metadata
// document.
func (s *Server) agentOf(clientID string) string {
	if rest, ok := strings.CutPrefix(clientID, s.o.Issuer+"/agents/"); ok {
		if name, ok := strings.CutSuffix(rest, "/client.json"); ok {
			return name
		}
	}
	return clientID
}

// byAssertion verifies a client assertion (RFC 7523 §3). Our issuer must be its
// only audience: one that also names another server could be spent there first.
func (s *Server) byAssertion(ctx context.Context, form map[string]string) (caller, *problem) {
	no := func(cause error) (caller, *problem) {
		return caller{}, refuse("invalid_client", "the client assertion is not valid", cause)
	}
	if form["client_assertion_type"] != jwtBearer {
		return no(errors.New("another client_assertion_type"))
	}
	text := form["client_assertion"]
	if len(text) > token.MaxToken {
		return no(errors.New("too long"))
	}
	t, err := jwt.ParseSigned(text, token.Algorithms())
	if err != nil {
		return no(err)
	}
	if len(t.Headers) != 1 {
		return no(errors.New("not one signature"))
	}
	var c jwt.Claims
	if err := t.UnsafeClaimsWithoutVerification(&c); err != nil { // only to find the keys
		return no(err)
	}
	name := s.agentOf(c.Subject)
	a, agentErr := s.o.Agents(name)
	if agentErr != nil {
		return no(agentErr)
	}
	if err := s.verifyWithKeys(t, a, &c); err != nil {
		return no(err)
	}
	now := s.o.Now()
	switch {
	case c.Issuer != c.Subject || s.agentOf(c.Subject) != a.Name:
		return no(errors.New("iss and sub are not the client"))
	case form["client_id"] != "" && s.agentOf(form["client_id"]) != a.Name:
		return no(errors.New("client_id is another"))
	case len(c.Audience) != 1 || c.Audience[0] != s.o.Issuer:
		return no(errors.New("our issuer is not the only audience"))
	case c.ID == "" || len(c.ID) > 256:
		return no(errors.New("jti missing or too long"))
	case c.Expiry == nil || !now.Before(c.Expiry.Time().Add(token.Leeway)):
		return no(errors.New("expired, or without an end"))
	case c.Expiry.Time().After(now.Add(MaxAssertionLife + token.Leeway)):
		return no(errors.New("lives too long"))
	case c.IssuedAt != nil && (c.IssuedAt.Time().After(now.Add(token.Leeway)) || c.Expiry.Time().Sub(c.IssuedAt.Time()) > MaxAssertionLife):
		return no(errors.New("issued in the future, or lives too long"))
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(token.Leeway)):
		return no(errors.New("not yet valid"))
	}
	if err := s.Spend(ctx, "assertion:"+a.Name, c.ID, c.Expiry.Time().Add(2*token.Leeway)); err != nil {
		if fault.From(err).Code != "oauth.spent" {
			return caller{}, &problem{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", text: "try again", cause: err}
		}
		return no(err)
	}
	return caller{agent: a}, nil
}

// verifyWithKeys verifies with the agent's own keys: by kid when there is one.
func (s *Server) verifyWithKeys(t *jwt.JSONWebToken, a token.Agent, c *jwt.Claims) error {
	keys := s.ListKeys(a)
	if kid := t.Headers[0].KeyID; kid != "" {
		keys = slices.DeleteFunc(keys, func(k Key) bool { return k.ID != kid })
	}
	err := errors.New("no key of the client fits")
	for _, k := range keys {
		if k.alg != "" && k.alg != t.Headers[0].Algorithm {
			continue // a key signs with the algorithm it was registered for
		}
		if err = t.Claims(k.key, c); err == nil {
			return nil
		}
	}
	return err
}
