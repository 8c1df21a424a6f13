package connection

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

const maxScopes = 50

// server is an authorization server, as its metadata says (RFC 8414).
type server struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Registration  string   `json:"registration_endpoint,omitempty"`
	Revocation    string   `json:"revocation_endpoint,omitempty"`
	Auth          []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	Grants        []string `json:"grant_types_supported,omitempty"`
	Challenges    []string `json:"code_challenge_methods_supported,omitempty"`
	Scopes        []string `json:"scopes_supported,omitempty"`
	Documents     bool     `json:"client_id_metadata_document_supported,omitempty"`
	SaysIssuer    bool     `json:"authorization_response_iss_parameter_supported,omitempty"`
	// Guessed says that it has no metadata: it is of 2025-03-26, at the upstream's
	// own origin and with the paths of that version.
	Guessed bool `json:"guessed,omitempty"`
}

// resource is what an upstream says of itself (RFC 9728).
type resource struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// found is where tokens for an upstream come from.
type found struct {
	server   server
	resource string
	scopes   []string // to ask for unless a person said others; nil: none
}

// discover finds an upstream's authorization server. seen is how it refused us;
// the zero value makes it be asked.
func (b *Book) discover(ctx context.Context, u *upstream.Upstream, seen challenge) (found, error) {
	a := asking(u)
	o := u.Credential.OAuth
	if seen.metadata == "" && len(seen.scopes) == 0 {
		var err error
		if seen, err = a.probe(ctx, u); err != nil {
			return found{}, err
		}
	}
	res, err := a.resource(ctx, u, seen.metadata)
	if err != nil {
		return found{}, err
	}
	out := found{resource: u.Base().String(), scopes: seen.scopes}
	issuer := o.Issuer
	if res != nil {
		out.resource = res.Resource
		if out.scopes == nil {
			out.scopes = scopesOf(res.Scopes)
		}
		switch {
		case issuer == "" && len(res.Servers) > 0:
			issuer = res.Servers[0]
		case issuer != "" && len(res.Servers) > 0 && !slices.Contains(res.Servers, issuer):
			return found{}, discovery("the upstream names other authorization servers than %s", issuer).
				WithHint("set the issuer anew, if it moved there: `reeve upstream set %s --issuer ...`", u.Name)
		case issuer == "":
			return found{}, discovery("the upstream's metadata names no authorization server")
		}
	}
	if o.Resource != "" {
		out.resource = o.Resource
	}
	if issuer != "" {
		out.server, err = a.server(ctx, issuer)
	} else {
		out.server, err = a.legacy(ctx, u)
	}
	return out, err
}

func scopesOf(list []string) (out []string) {
	for _, s := range list {
		if upstream.ValidScope(s) && len(out) < maxScopes {
			out = append(out, s)
		}
	}
	return out
}

// probe asks the upstream for something harmless without a token, to be refused.
func (a *asker) probe(ctx context.Context, u *upstream.Upstream) (challenge, error) {
	method, body := http.MethodGet, ""
	if u.Kind == "mcp" {
		method, body = http.MethodPost, `{"jsonrpc":"2.0","id":0,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	}
	req, err := http.NewRequestWithContext(ctx, method, u.Base().String(), strings.NewReader(body))
	if err != nil {
		return challenge{}, err
	}
	for k, v := range u.Headers {
		req.Header.Set(k, v)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		req.Header.Set("Mcp-Method", "server/discover")
	}
	// The head of the answer is enough, and its body may be a stream.
	if _, err := a.place(req.URL.String()); err != nil {
		return challenge{}, err
	}
	resp, err := a.client(req.URL).Do(req)
	if err != nil {
		return challenge{}, unreachable(req.URL, err)
	}
	_ = resp.Body.Close()
	return readChallenge(resp.Header.Values("WWW-Authenticate")), nil
}

// resource reads the upstream's metadata: where it said, else where it belongs,
// first below its path. nil where there is none.
func (a *asker) resource(ctx context.Context, u *upstream.Upstream, named string) (*resource, error) {
	base := u.Base()
	places := []string{named}
	if named == "" {
		const known = "/.well-known/oauth-protected-resource"
		places = []string{origin(base) + known}
		if path := strings.TrimSuffix(base.EscapedPath(), "/"); path != "" {
			places = []string{origin(base) + known + path, origin(base) + known}
		}
	}
	for _, at := range places {
		var res resource
		ok, err := a.document(ctx, at, &res)
		switch {
		case err != nil:
			return nil, err
		case !ok && named != "":
			return nil, discovery("there is no metadata at %s, which the upstream names", at)
		case !ok:
			continue
		case !covers(res.Resource, base):
			// Else a server could have tokens for another one made and take them.
			return nil, discovery("the metadata at %s is of another resource, %.80q", at, res.Resource)
		case len(res.Servers) > 20:
			return nil, discovery("the metadata at %s names too many authorization servers", at)
		}
		return &res, nil
	}
	return nil, nil
}

// covers reports whether a resource is the upstream, or what it is a part of.
func covers(text string, base *url.URL) bool {
	at, err := url.Parse(text)
	if err != nil || at.Host == "" || at.User != nil || at.Fragment != "" || at.RawQuery != "" || origin(at) != origin(base) {
		return false
	}
	path, own := strings.TrimSuffix(at.EscapedPath(), "/"), strings.TrimSuffix(base.EscapedPath(), "/")
	return path == own || strings.HasPrefix(own, path+"/")
}

// server reads the metadata of an authorization server, at the three places
// where it may be. It must say of itself what it was looked for as.
func (a *asker) server(ctx context.Context, issuer string) (server, error) {
	at, err := a.place(issuer)
	if err != nil {
		return server{}, err
	}
	path := strings.TrimSuffix(at.EscapedPath(), "/")
	places := []string{origin(at) + "/.well-known/oauth-authorization-server" + path, origin(at) + "/.well-known/openid-configuration" + path}
	if path != "" {
		places = append(places, origin(at)+path+"/.well-known/openid-configuration")
	}
	for _, place := range places {
		var s server
		ok, err := a.document(ctx, place, &s)
		if err != nil {
			return server{}, err
		}
		if !ok {
			continue
		}
		if s.Issuer != issuer {
			return server{}, discovery("the metadata at %s is of another authorization server, %.80q", place, s.Issuer)
		}
		s.Guessed = false
		return s, a.checkServer(&s)
	}
	return server{}, discovery("the authorization server %s has no metadata", issuer)
}

// checkServer refuses addresses that must not be asked.
func (a *asker) checkServer(s *server) error {
	if s.Token == "" {
		return discovery("the authorization server %s has no token endpoint", s.Issuer)
	}
	for _, text := range []string{s.Authorization, s.Token, s.Registration, s.Revocation} {
		if text == "" {
			continue
		}
		if _, err := a.place(text); err != nil {
			return err
		}
	}
	return nil
}

// legacy is the authorization server of an upstream without metadata of its own:
// as 2025-03-26 had it, at its origin.
func (a *asker) legacy(ctx context.Context, u *upstream.Upstream) (server, error) {
	at := origin(u.Base())
	var s server
	ok, err := a.document(ctx, at+"/.well-known/oauth-authorization-server", &s)
	if err != nil {
		return server{}, err
	}
	if !ok {
		return server{Issuer: at, Authorization: at + "/authorize", Token: at + "/token", Registration: at + "/register", Challenges: []string{"S256"}, Guessed: true}, nil
	}
	if s.Issuer != at && s.Issuer != at+"/" {
		return server{}, discovery("the metadata at %s is of another authorization server, %.80q", at, s.Issuer)
	}
	s.Guessed = false
	return s, a.checkServer(&s)
}

// errChanged is of an upstream that is not any more what was asked about.
var errChanged = fault.New(fault.KindConflict, "upstream.changed", "the upstream was changed meanwhile").WithHint("try again")
