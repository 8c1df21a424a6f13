package oauth

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"reeve/internal/identity/token"
)

const maxForm = 64 << 10

// Handler serves the endpoints below the issuer.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		s.form(w, r, func(form map[string]string) (any, *problem) {
			a, p := s.token(r, form)
			return a, p
		})
	})
	mux.HandleFunc("POST /oauth/introspect", func(w http.ResponseWriter, r *http.Request) {
		s.form(w, r, func(form map[string]string) (any, *problem) { return s.introspect(r, form) })
	})
	mux.HandleFunc("POST /oauth/revoke", func(w http.ResponseWriter, r *http.Request) {
		s.form(w, r, func(form map[string]string) (any, *problem) { return s.revoke(r, form) })
	})
	mux.HandleFunc("GET /oauth/authorize", s.authorize)
	mux.HandleFunc("GET /oauth/jwks", s.jwks)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
	// The same document: clients of OpenID Connect discover nothing else.
	mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("GET /.well-known/oauth-protected-resource", s.resource)
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/", s.resource)
	mux.HandleFunc("GET /agents/{name}/client.json", s.clientDocument)
	return mux
}

// Paths are those that Handler serves, as patterns of http.ServeMux.
func Paths() []string {
	return []string{"/oauth/", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/", "/agents/{name}/client.json"}
}

// form reads a form strictly and answers as RFC 6749 §5 says.
func (s *Server) form(w http.ResponseWriter, r *http.Request, act func(map[string]string) (any, *problem)) {
	w.Header().Set("Cache-Control", "no-store")
	form, p := readForm(w, r)
	var out any
	if p == nil {
		out, p = act(form)
	}
	if p != nil {
		s.refuse(w, r, p)
		return
	}
	if out == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	writeJSON(w, out)
}

func readForm(w http.ResponseWriter, r *http.Request) (map[string]string, *problem) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", "send a form (application/x-www-form-urlencoded)", err)
	}
	if r.URL.RawQuery != "" {
		// Addresses end in logs; what belongs here does not.
		return nil, refuse("invalid_request", "parameters belong in the body", nil)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return nil, refuse("invalid_request", "the body is too long or was cut", err)
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse("invalid_request", "the form cannot be read", err)
	}
	form := make(map[string]string, len(values))
	for k, v := range values {
		if len(v) > 1 {
			if k == "resource" || k == "audience" {
				return nil, refuse("invalid_target", "a token has one audience", nil)
			}
			return nil, refuse("invalid_request", "a parameter is there twice", nil)
		}
		form[k] = v[0]
	}
	return form, nil
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, p *problem) {
	level := s.o.Logger.InfoContext
	if p.status >= 500 {
		level = s.o.Logger.ErrorContext
	}
	level(r.Context(), "token endpoint refused", "path", r.URL.Path, "code", p.code, "why", p.text, "err", p.cause)
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="reeve"`)
	}
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	text, _ := json.Marshal(map[string]string{"error": p.code, "error_description": p.text}) // strings always encode
	_, _ = w.Write(text)
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (s *Server) jwks(w http.ResponseWriter, r *http.Request) {
	_, access, _, err := s.o.Keys.JWKS()
	if err != nil {
		s.o.Logger.ErrorContext(r.Context(), "key set not made", "err", err)
		http.Error(w, "key set not available", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Cache-Control", "max-age=60")
	writeJSON(w, map[string]any{"keys": access})
}

// metadata is RFC 8414's.
func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	i := s.o.Issuer
	auth := []string{"private_key_jwt", "tls_client_auth"}
	var algs []string
	for _, a := range token.Algorithms() {
		algs = append(algs, string(a))
	}
	w.Header().Set("Cache-Control", "max-age=300")
	writeJSON(w, map[string]any{
		"issuer":                                                   i,
		"authorization_endpoint":                                   i + "/oauth/authorize",
		"token_endpoint":                                           i + "/oauth/token",
		"introspection_endpoint":                                   i + "/oauth/introspect",
		"revocation_endpoint":                                      i + "/oauth/revoke",
		"jwks_uri":                                                 i + "/oauth/jwks",
		"grant_types_supported":                                    []string{clientCredentials, tokenExchange},
		"response_types_supported":                                 []string{}, // nobody signs in here: see authorize
		"subject_types_supported":                                  []string{"public"},
		"id_token_signing_alg_values_supported":                    []string{"ES256"},
		"token_endpoint_auth_methods_supported":                    auth,
		"token_endpoint_auth_signing_alg_values_supported":         algs,
		"introspection_endpoint_auth_methods_supported":            auth,
		"introspection_endpoint_auth_signing_alg_values_supported": algs,
		"revocation_endpoint_auth_methods_supported":               auth,
		"revocation_endpoint_auth_signing_alg_values_supported":    algs,
		"dpop_signing_alg_values_supported":                        algs,
		"tls_client_certificate_bound_access_tokens":               true,
		"client_id_metadata_document_supported":                    true,
	})
}

// authorize is named because clients do not read metadata without it (the official
// one of MCP). It grants nothing: agents prove a key of their own.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	s.refuse(w, r, refuse("unsupported_response_type", "nobody signs in here: agents get tokens at the token endpoint, by client_credentials", nil))
}

// resource is RFC 9728's, for the door as a resource and for its parts. It names
// no scopes: a token without them is not narrowed, and one that has too few is
// told at the call which it needs. Whether there is an upstream of the name is
// for those to know who may call it.
func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	part := strings.TrimPrefix(r.URL.EscapedPath(), "/.well-known/oauth-protected-resource")
	if part != "" && !token.Part(part) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "max-age=300")
	writeJSON(w, map[string]any{
		"resource":                 s.o.Issuer + part,
		"authorization_servers":    []string{s.o.Issuer},
		"jwks_uri":                 s.o.Issuer + "/oauth/jwks",
		"bearer_methods_supported": []string{"header"},
		"tls_client_certificate_bound_access_tokens": true,
		"resource_name": "Reeve",
	})
}

// clientDocument is an agent's client id metadata document: its address is a
// client id, at our token endpoint and wherever such documents are read.
func (s *Server) clientDocument(w http.ResponseWriter, r *http.Request) {
	a, err := s.o.Agents(r.PathValue("name"))
	if err != nil {
		http.Error(w, "there is no such client", http.StatusNotFound)
		return
	}
	keys := []json.RawMessage{}
	for _, k := range s.ListKeys(a) {
		keys = append(keys, json.RawMessage(k.JWK))
	}
	w.Header().Set("Cache-Control", "max-age=60")
	writeJSON(w, map[string]any{
		"client_id":                  s.o.Issuer + "/agents/" + url.PathEscape(a.Name) + "/client.json",
		"client_name":                a.Name,
		"grant_types":                []string{clientCredentials, tokenExchange},
		"response_types":             []string{},
		"redirect_uris":              []string{},
		"token_endpoint_auth_method": "private_key_jwt",
		"scope":                      strings.Join(s.Client(a.Name).Scopes, " "),
		"jwks":                       map[string]any{"keys": keys},
	})
}

// introspection is RFC 7662's answer.
type introspection struct {
	Active    bool           `json:"active"`
	Scope     string         `json:"scope,omitempty"`
	ClientID  string         `json:"client_id,omitempty"`
	Username  string         `json:"username,omitempty"`
	TokenType string         `json:"token_type,omitempty"`
	Expires   int64          `json:"exp,omitempty"`
	Issued    int64          `json:"iat,omitempty"`
	Subject   string         `json:"sub,omitempty"`
	Audience  string         `json:"aud,omitempty"`
	Issuer    string         `json:"iss,omitempty"`
	ID        string         `json:"jti,omitempty"`
	Actor     map[string]any `json:"act,omitempty"`
	Confirm   map[string]any `json:"cnf,omitempty"`
}

// introspect tells an agent about its own tokens, and a client that is a
// resource about tokens for it; about others it says that they are not active,
// so that nobody learns what there is.
func (s *Server) introspect(r *http.Request, form map[string]string) (*introspection, *problem) {
	who, p := s.authenticate(r, form)
	if p != nil {
		return nil, p
	}
	if form["token"] == "" {
		return nil, refuse("invalid_request", "token is missing", nil)
	}
	t, audience, err := s.o.Verifier.Inspect(r.Context(), form["token"])
	if err != nil || !s.mayKnow(who, t, audience) || !s.stands(t) {
		return &introspection{}, nil
	}
	out := &introspection{
		Active: true, Scope: strings.Join(t.Scopes, " "), ClientID: t.Agent, Username: t.User, TokenType: "Bearer", Expires: t.Expires.Unix(),
		Issued: t.Issued.Unix(), Subject: t.Identity.Subject, Audience: audience, Issuer: s.o.Issuer, ID: t.CredentialID,
	}
	for i := len(t.Identity.Actors) - 1; i >= 0; i-- {
		act := map[string]any{"sub": t.Identity.Actors[i]}
		if out.Actor != nil {
			act["act"] = out.Actor
		}
		out.Actor = act
	}
	if jkt := t.JKT(); jkt != "" {
		out.TokenType, out.Confirm = "DPoP", map[string]any{"jkt": jkt}
	}
	if x5t := t.X5T(); x5t != "" {
		out.Confirm = map[string]any{"x5t#S256": x5t}
	}
	return out, nil
}

func (s *Server) mayKnow(who caller, t token.Principal, audience string) bool {
	if t.Agent == who.agent.Name || t.Party() == who.agent.Name {
		return true
	}
	for _, own := range s.Client(who.agent.Name).Resources {
		if own == audience {
			return true
		}
	}
	return false
}

// stands reports whether a token of ours holds now: its agent and those that it
// acts for have not been stopped since, and nobody revoked it.
func (s *Server) stands(t token.Principal) bool {
	if s.Revoked(t) {
		return false
	}
	for _, l := range append([]token.Link{{Agent: t.Agent, Epoch: t.Epoch}}, t.Lineage...) {
		if a, err := s.o.Agents(l.Agent); err != nil || l.Epoch < a.Epoch {
			return false
		}
	}
	return true
}

// revoke is RFC 7009: an agent ends a token of its own, or one that it gave
// away. Unknown tokens are ended already.
func (s *Server) revoke(r *http.Request, form map[string]string) (any, *problem) {
	who, p := s.authenticate(r, form)
	if p != nil {
		return nil, p
	}
	if form["token"] == "" {
		return nil, refuse("invalid_request", "token is missing", nil)
	}
	t, _, err := s.o.Verifier.Inspect(r.Context(), form["token"])
	if err != nil {
		return nil, nil
	}
	if t.Agent != who.agent.Name && t.Party() != who.agent.Name && !acts(t, who.agent.Name) {
		return nil, refuse("invalid_request", "this token was issued to another client", nil)
	}
	if err := s.RevokeToken(r.Context(), "agent:"+who.agent.Name, t.CredentialID, "", t.Expires); err != nil {
		return nil, &problem{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", text: "try again", cause: err}
	}
	return nil, nil
}

// acts reports whether a token acts for an agent.
func acts(t token.Principal, agent string) bool {
	for _, a := range t.Chain {
		if a == agent {
			return true
		}
	}
	return false
}
