package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// The grants and token types that are spoken.
const (
	clientCredentials = "client_credentials"
	tokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"

	typeAccess = "urn:ietf:params:oauth:token-type:access_token"
	typeJWT    = "urn:ietf:params:oauth:token-type:jwt"
	typeID     = "urn:ietf:params:oauth:token-type:id_token"
)

// answer is a successful answer of the token endpoint.
type answer struct {
	AccessToken string `json:"access_token"`
	Issued      string `json:"issued_token_type,omitempty"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope,omitempty"`
}

func (s *Server) token(r *http.Request, form map[string]string) (*answer, *problem) {
	who, p := s.authenticate(r, form)
	if p != nil {
		return nil, p
	}
	var a token.Access
	switch form["grant_type"] {
	case clientCredentials:
		a, p = s.credentials(who, form)
	case tokenExchange:
		a, p = s.exchange(r, who, form)
	case "":
		return nil, refuse("invalid_request", "grant_type is missing", nil)
	default:
		return nil, refuse("unsupported_grant_type", "client_credentials and token exchange are spoken here", nil)
	}
	if p != nil {
		return nil, p
	}
	if p := s.bind(r, who, &a); p != nil {
		return nil, p
	}
	issued, err := s.o.Keys.Access(a)
	if err != nil {
		f := fault.From(err)
		if f.Code == "token.depth" || f.Code == "token.over" {
			return nil, refuse("invalid_grant", f.Message, err)
		}
		return nil, refuse("invalid_request", f.Message, err)
	}
	out := &answer{AccessToken: issued.Token, TokenType: "Bearer", ExpiresIn: int64(issued.Expires.Sub(s.o.Now()) / time.Second), Scope: issued.Scope}
	if a.JKT != "" {
		out.TokenType = "DPoP"
	}
	if form["grant_type"] == tokenExchange {
		out.Issued = typeAccess
	}
	s.o.Logger.InfoContext(r.Context(), "token issued", "agent", who.agent.Name, "grant", form["grant_type"], "token", issued.ID, "audience", a.Audience, "depth", len(a.Chain))
	return out, nil
}

// credentials is the client credentials grant: a token that speaks for the
// agent alone.
func (s *Server) credentials(who caller, form map[string]string) (token.Access, *problem) {
	c := s.Client(who.agent.Name)
	scopes, p := narrow(form["scope"], c.Scopes, nil)
	if p != nil {
		return token.Access{}, p
	}
	audience, p := s.audience(form, c)
	if p != nil {
		return token.Access{}, p
	}
	a := token.Access{Subject: who.subject(), Audience: audience, Scope: strings.Join(scopes, " "), Life: or(c.Life, DefaultLife)}
	if to := form["delegate_to"]; to != "" {
		if audience != s.o.Issuer {
			return token.Access{}, refuse("invalid_target", "a token to be exchanged is for us", nil)
		}
		if _, err := s.o.Agents(s.agentOf(to)); err != nil {
			return token.Access{}, refuse("invalid_request", "delegate_to names no agent", err)
		}
		a.Delegate = s.agentOf(to)
	}
	return a, nil
}

func (w caller) subject() token.Subject {
	return token.Subject{Agent: w.agent.Name, Instance: w.instance, Epoch: w.agent.Epoch}
}

func or(life, otherwise time.Duration) time.Duration {
	if life == 0 {
		return otherwise
	}
	return life
}

// narrow checks the scopes that are asked for against each list that bounds
// them; nil lists bound nothing.
func narrow(asked string, bounds ...[]string) ([]string, *problem) {
	scopes := strings.Fields(asked)
	for i, sc := range scopes {
		if !word(sc) || slices.Contains(scopes[:i], sc) {
			return nil, refuse("invalid_scope", "a scope is malformed or there twice", nil)
		}
		for j, b := range bounds {
			// The client's own list always bounds; the others when they are there.
			if (j == 0 || b != nil) && !slices.Contains(b, sc) {
				return nil, refuse("invalid_scope", "the scope "+sc+" is not this client's to ask for", nil)
			}
		}
	}
	return scopes, nil
}

// audience is the one that is asked for, by resource (RFC 8707) or audience;
// without any it is the door.
func (s *Server) audience(form map[string]string, c Client) (string, *problem) {
	asked := form["resource"]
	if a := form["audience"]; a != "" {
		if asked != "" && asked != a {
			return "", refuse("invalid_target", "a token has one audience", nil)
		}
		asked = a
	}
	if asked == "" || asked == s.o.Issuer {
		return s.o.Issuer, nil
	}
	if !s.ours(asked) && !slices.Contains(c.Audiences, asked) {
		return "", refuse("invalid_target", "this client may not ask for tokens for that audience", nil)
	}
	return asked, nil
}

// ours reports whether an audience is the door or a part of it: every client may
// have tokens for that, since what they are good for is decided call by call.
func (s *Server) ours(audience string) bool {
	part, ok := strings.CutPrefix(audience, s.o.Issuer)
	return ok && (part == "" || token.Part(part))
}

// bind ties a token to the key that was shown with the request: a DPoP proof,
// or the client certificate. A binding that the exchanged token had stays.
func (s *Server) bind(r *http.Request, who caller, a *token.Access) *problem {
	had := a.JKT
	if len(r.Header.Values("DPoP")) > 0 {
		jkt, err := s.o.Verifier.Proofs().Check(r, "")
		if err != nil {
			return refuse("invalid_dpop_proof", "the DPoP proof is not valid", err)
		}
		if had != "" && had != jkt {
			return refuse("invalid_grant", "the subject token is bound to another key", nil)
		}
		a.JKT = jkt
	} else if had != "" {
		return refuse("invalid_grant", "the subject token is bound to a key: send a DPoP proof of it", nil)
	}
	if a.X5T != "" && (who.cert == nil || token.Thumbprint(who.cert) != a.X5T) {
		return refuse("invalid_grant", "the subject token is bound to a certificate that was not shown", nil)
	}
	if who.cert != nil {
		if a.NotAfter.IsZero() || who.cert.NotAfter.Before(a.NotAfter) {
			a.NotAfter = who.cert.NotAfter
		}
		if a.JKT == "" {
			a.X5T = token.Thumbprint(who.cert)
		}
	}
	if a.Delegate != "" {
		// Nobody uses it as it is, and the agent that may exchange it has not this
		// key: there its own authentication is what counts.
		a.JKT, a.X5T = "", ""
	} else if s.Client(who.agent.Name).Bound && a.JKT == "" && a.X5T == "" {
		return refuse("invalid_request", "this client's tokens are bound to a key: send a DPoP proof or authenticate by certificate", nil)
	}
	return nil
}

// exchange is token exchange (RFC 8693): a token that was given to this agent
// becomes one with which it acts for whom the first one spoke for.
func (s *Server) exchange(r *http.Request, who caller, form map[string]string) (token.Access, *problem) {
	none := token.Access{}
	if t := form["subject_token_type"]; !slices.Contains([]string{typeAccess, typeJWT, typeID}, t) || form["subject_token"] == "" {
		return none, refuse("invalid_request", "give a subject_token of type access_token, id_token or jwt", nil)
	}
	if t := form["requested_token_type"]; t != "" && t != typeAccess && t != typeJWT {
		return none, refuse("invalid_request", "only access tokens are issued", nil)
	}
	if form["delegate_to"] != "" {
		return none, refuse("invalid_request", "delegate_to belongs to client_credentials", nil)
	}
	subject, err := s.o.Verifier.Exchangeable(r.Context(), form["subject_token"], who.agent.Name)
	if err != nil {
		return none, refuse("invalid_grant", "the subject token is not valid here, or was not given to this agent", err)
	}
	if slices.ContainsFunc(subject.Scopes, func(sc string) bool { return strings.HasPrefix(sc, "test:") }) {
		// A token for a test is good for that test: what comes of it would be free of it.
		return none, refuse("invalid_grant", "the subject token was made for a test, and is not exchanged", nil)
	}
	end := subject.Expires
	if actor, p := s.actorToken(r.Context(), who, form); p != nil {
		return none, p
	} else if !actor.IsZero() && actor.Before(end) {
		end = actor
	}
	c := s.Client(who.agent.Name)
	audience, p := s.audience(form, c)
	if p != nil {
		return none, p
	}
	asked, bound := form["scope"], subject.Scopes
	if subject.Credential == "access_token" {
		if bound == nil {
			bound = []string{} // our token without scopes has none to give on
		}
		if asked == "" {
			asked = strings.Join(subject.Scopes, " ")
		}
	}
	scopes, p := narrow(asked, c.Scopes, bound)
	if p != nil && form["scope"] == "" {
		// Nothing was asked for: what both may have.
		scopes, p = slices.DeleteFunc(slices.Clone(bound), func(sc string) bool { return !slices.Contains(c.Scopes, sc) }), nil
	}
	if p != nil {
		return none, p
	}
	a := token.Access{
		Subject: who.subject(), Audience: audience, Scope: strings.Join(scopes, " "), Life: or(c.Life, DefaultLife), NotAfter: end,
		User: subject.User, UserName: subject.UserName, Groups: subject.UserGroups, Chain: subject.Lineage, Prior: subject.Prior, JKT: subject.JKT(), X5T: subject.X5T(),
	}
	if subject.Credential == "access_token" {
		a.From = append(slices.Clone(subject.From), subject.CredentialID)
	}
	if subject.Agent != "" && subject.Agent != who.agent.Name {
		a.Chain = append([]token.Link{{Agent: subject.Agent, Epoch: subject.Epoch}}, subject.Lineage...)
	}
	if a.User == "" && subject.Agent == "" {
		return none, refuse("invalid_grant", "the subject token speaks for nobody that is known here", nil)
	}
	for _, l := range a.Chain {
		// What an agent may not ask for itself, nobody may ask for on its behalf.
		if !s.ours(audience) && !slices.Contains(s.Client(l.Agent).Audiences, audience) {
			return none, refuse("invalid_target", "agent "+l.Agent+", for which this acts, may not ask for that audience", nil)
		}
	}
	if len(a.Chain)+len(a.Prior) > token.MaxDepth || len(a.From) > 4*token.MaxDepth {
		return none, refuse("invalid_grant", "this was delegated too often", nil)
	}
	if s.o.ActFor != nil {
		if err := s.o.ActFor(r.Context(), who.agent, subject, audience, scopes); err != nil {
			return none, refuse("invalid_grant", fault.From(err).Message, err)
		}
	}
	return a, nil
}

// actorToken verifies the actor token, if there is one: it must speak for the
// agent that asks, since nobody lets another act.
func (s *Server) actorToken(ctx context.Context, who caller, form map[string]string) (end time.Time, _ *problem) {
	text, kind := form["actor_token"], form["actor_token_type"]
	if text == "" && kind == "" {
		return time.Time{}, nil
	}
	no := func(cause error) (time.Time, *problem) {
		return time.Time{}, refuse("invalid_request", "the actor token is not valid, or speaks for another agent", cause)
	}
	if text == "" || kind != typeAccess && kind != typeJWT {
		return no(errors.New("actor_token and actor_token_type belong together"))
	}
	p, audience, err := s.o.Verifier.Inspect(ctx, text)
	switch {
	case err != nil:
		return no(err)
	case p.Agent != who.agent.Name || p.Party() != "" || p.User != "" || len(p.Chain) > 0:
		return no(errors.New("speaks for another"))
	case audience != s.o.Issuer:
		return no(errors.New("another audience"))
	case p.Epoch < who.agent.Epoch || s.Revoked(p):
		return no(errors.New("dead"))
	}
	return p.Expires, nil
}
