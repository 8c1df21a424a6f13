package api

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/enrol"
	"reeve/internal/identity/issuer"
	"reeve/internal/identity/oauth"
	"reeve/internal/identity/token"
	"reeve/internal/identity/workload"
)

// Credentials are the parts that prove agents.
type Credentials struct {
	Issuer    string // our own
	OAuth     *oauth.Server
	Desk      *enrol.Desk
	Workloads *workload.Registry
	Issuers   *issuer.Registry
	CA        *ca.CA
	Agents    token.Agents
	// Rotate makes a new root and records who asked.
	Rotate func(ctx context.Context, by, reason string, compromised bool) error
	// Changed is told when a workload was registered or removed.
	Changed func()
}

func (a *API) credentials() (*Credentials, error) {
	if a.o.Credentials == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server gives out no identities")
	}
	return a.o.Credentials, nil
}

// proving finds the parts and an agent for which the caller has one of the
// roles.
func (a *API) proving(ctx context.Context, name string, roles ...identity.Role) (*Credentials, token.Agent, error) {
	c, err := a.credentials()
	if err != nil {
		return nil, token.Agent{}, err
	}
	_, found, err := a.visible(ctx, name)
	if err != nil {
		return nil, token.Agent{}, err
	}
	if err := where(roles...).allowNamed(whoOf(ctx), found.Team, found.Environment); err != nil {
		return nil, token.Agent{}, err
	}
	return c, token.Agent{Name: found.Name, Team: found.Team, Environment: found.Environment, Purpose: found.Purpose, Epoch: found.Epoch}, nil
}

// giving is proving for an agent that may have credentials now.
func (a *API) giving(ctx context.Context, name string) (*Credentials, token.Agent, error) {
	c, _, err := a.proving(ctx, name, identity.Developer, identity.Security)
	if err != nil {
		return nil, token.Agent{}, err
	}
	g, err := c.Agents(name)
	return c, g, err
}

// lasting is giving for what proves an agent for long: that of a production agent
// needs a second factor, as its keys do.
func (a *API) lasting(ctx context.Context, name string) (*Credentials, token.Agent, error) {
	c, g, err := a.giving(ctx, name)
	if err != nil {
		return nil, token.Agent{}, err
	}
	if _, found, err := a.visible(ctx, name); err != nil || found.Lifecycle == agent.Production {
		if err == nil {
			err = a.fresh(ctx)
		}
		if err != nil {
			return nil, token.Agent{}, err
		}
	}
	return c, g, nil
}

func jwkOf(k oauth.Key) client.AgentJWK {
	return client.AgentJWK{Agent: k.Agent, KeyID: k.ID, JWK: json.RawMessage(k.JWK), CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt}
}

func listAgentJWKs(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentJWK], error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security, identity.Auditor)
	if err != nil {
		return nil, err
	}
	return listOf(c.OAuth.ListKeys(g), nil, jwkOf)
}

func addAgentJWKs(a *API, ctx context.Context, req *client.AddAgentJWKsRequest) (*client.List[client.AgentJWK], error) {
	c, g, err := a.lasting(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	keys, err := c.OAuth.AddKeys(ctx, actor(ctx), g, req.JWKS, d)
	return listOf(keys, err, jwkOf)
}

func removeAgentJWK(a *API, ctx context.Context, req *client.AgentJWKRequest) (*struct{}, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, c.OAuth.RemoveKey(ctx, actor(ctx), g.Name, req.KeyID)
}

func (c *Credentials) oauthOf(name string) *client.AgentOAuth {
	o := c.OAuth.Client(name)
	return &client.AgentOAuth{
		ClientID: c.Issuer + "/agents/" + url.PathEscape(name) + "/client.json", Scopes: append([]string{}, o.Scopes...), Audiences: append([]string{}, o.Audiences...),
		Resources: append([]string{}, o.Resources...), LifeS: int64(o.Life / time.Second), Bound: o.Bound,
	}
}

func getAgentOAuth(a *API, ctx context.Context, req *client.AgentRequest) (*client.AgentOAuth, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Viewer)
	if err != nil {
		return nil, err
	}
	return c.oauthOf(g.Name), nil
}

// putAgentOAuth asks for security: scopes and audiences are what an agent may
// reach elsewhere.
func putAgentOAuth(a *API, ctx context.Context, req *client.PutAgentOAuthRequest) (*client.AgentOAuth, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Security)
	if err != nil {
		return nil, err
	}
	if req.LifeS < 0 || req.LifeS > int64(token.MaxAccessLife/time.Second) {
		return nil, fault.New(fault.KindInvalid, "oauth.invalid", "tokens live an hour at most")
	}
	err = c.OAuth.SetClient(ctx, actor(ctx), g.Name, oauth.Client{
		Scopes: req.Scopes, Audiences: req.Audiences, Resources: req.Resources, Life: time.Duration(req.LifeS) * time.Second, Bound: req.Bound,
	})
	if err != nil {
		return nil, err
	}
	return c.oauthOf(g.Name), nil
}

func joinTokenOf(j enrol.JoinToken) client.JoinToken {
	return client.JoinToken{ID: j.ID, Agent: j.Agent, Label: j.Label, CreatedAt: j.CreatedAt, ExpiresAt: j.ExpiresAt, UsedAt: optionalTime(j.UsedAt), Instance: j.Instance}
}

func listJoinTokens(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.JoinToken], error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security, identity.Auditor)
	if err != nil {
		return nil, err
	}
	list, err := c.Desk.JoinTokens(ctx, g.Name)
	return listOf(list, err, joinTokenOf)
}

func createJoinToken(a *API, ctx context.Context, req *client.CreateJoinTokenRequest) (*client.JoinToken, error) {
	c, g, err := a.lasting(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	j, secret, err := c.Desk.CreateJoinToken(ctx, actor(ctx), g, req.Label, d)
	if err != nil {
		return nil, err
	}
	out := joinTokenOf(j)
	out.Token = secret
	return &out, nil
}

func revokeJoinToken(a *API, ctx context.Context, req *client.AgentItemRequest) (*struct{}, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, c.Desk.RevokeJoinToken(ctx, actor(ctx), g.Name, req.ID)
}

func createAgentSVID(a *API, ctx context.Context, req *client.CreateAgentSVIDRequest) (*client.AgentSVID, error) {
	c, g, err := a.giving(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(req.CSR))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, fault.New(fault.KindInvalid, "ca.csr", "csr is no certificate request in PEM")
	}
	s, instance, err := c.Desk.Issue(ctx, enrol.Proof{Agent: g, Via: "person", ID: actor(ctx)}, block.Bytes, 0)
	if err != nil {
		return nil, err
	}
	return &client.AgentSVID{ID: s.ID, Instance: instance, Serial: s.Serial, Chain: pemOf(s.Chain), Bundle: pemOf(c.CA.RootCertificates()), ExpiresAt: s.NotAfter}, nil
}

func pemOf(list [][]byte) string {
	var b strings.Builder
	for _, der := range list {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a strings.Builder never fails
	}
	return b.String()
}

func revokeCredential(a *API, ctx context.Context, req *client.RevokeCredentialRequest) (*struct{}, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Responder, identity.Security)
	if err != nil {
		return nil, err
	}
	// A certificate is one that was issued here to this agent; what is none of
	// these is taken for the id of a token, which cannot be looked up.
	if done, err := c.Desk.RevokeCertificate(ctx, actor(ctx), g.Name, req.ID, req.Reason); err != nil || done {
		return &struct{}{}, err
	}
	return &struct{}{}, c.OAuth.RevokeToken(ctx, actor(ctx), req.ID, req.Reason, time.Time{})
}

func workloadOf(e workload.Entry) client.Workload {
	out := client.Workload{ID: e.ID, Agent: e.Agent, Exe: e.Selectors.Exe, Cgroup: e.Selectors.Cgroup, CreatedAt: e.CreatedAt, ExpiresAt: optionalTime(e.ExpiresAt)}
	if e.Selectors.UID != nil {
		uid := int64(*e.Selectors.UID)
		out.UID = &uid
	}
	if p := e.Selectors.Parent; p != nil {
		out.ParentPID, out.ParentAge = int64(p.PID), p.Start
	}
	return out
}

func listWorkloads(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.Workload], error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security, identity.Auditor)
	if err != nil {
		return nil, err
	}
	return listOf(c.Workloads.List(g.Name), nil, workloadOf)
}

func createWorkload(a *API, ctx context.Context, req *client.CreateWorkloadRequest) (*client.Workload, error) {
	c, g, err := a.giving(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	s := workload.Selectors{Exe: req.Exe, Cgroup: req.Cgroup}
	if req.UID != nil {
		uid := uint32(*req.UID)
		if int64(uid) != *req.UID {
			return nil, fault.New(fault.KindInvalid, "workload.invalid", "%d is no user id", *req.UID)
		}
		s.UID = &uid
	}
	if req.ParentPID != 0 || req.ParentAge != 0 {
		s.Parent = &workload.Parent{PID: int32(req.ParentPID), Start: req.ParentAge}
		if int64(s.Parent.PID) != req.ParentPID {
			return nil, fault.New(fault.KindInvalid, "workload.invalid", "%d is no process id", req.ParentPID)
		}
	}
	var expires time.Time
	if d != 0 {
		expires = a.o.Now().Add(d)
	}
	e, err := c.Workloads.Add(ctx, actor(ctx), g.Name, s, expires)
	if err != nil {
		return nil, err
	}
	c.Changed()
	out := workloadOf(e)
	return &out, nil
}

func deleteWorkload(a *API, ctx context.Context, req *client.AgentItemRequest) (*struct{}, error) {
	c, g, err := a.proving(ctx, req.Name, identity.Developer, identity.Responder, identity.Security)
	if err != nil {
		return nil, err
	}
	if err := c.Workloads.Remove(ctx, actor(ctx), g.Name, req.ID); err != nil {
		return nil, err
	}
	c.Changed()
	return &struct{}{}, nil
}

func tokenIssuerOf(i issuer.Issuer) client.TokenIssuer {
	out := client.TokenIssuer{
		Name: i.Name, Preset: i.Preset, Issuer: i.Issuer, JWKSURL: i.JWKSURL, JWKS: i.JWKS, Audiences: i.Audiences, Required: map[string][]string{},
		Rules: []client.TokenRule{}, Uses: i.Uses, MaxLifeS: int64(i.MaxLife / time.Second), UserClaim: i.UserClaim, AllowPrivate: i.AllowPrivate, Revision: i.Revision,
	}
	for claim, values := range i.Required {
		out.Required[claim] = append([]string{}, values...)
	}
	for _, r := range i.Rules {
		out.Rules = append(out.Rules, client.TokenRule{Claims: r.Claims, Agent: r.Agent})
	}
	return out
}

func listTokenIssuers(a *API, _ context.Context, _ *struct{}) (*client.List[client.TokenIssuer], error) {
	c, err := a.credentials()
	if err != nil {
		return nil, err
	}
	return listOf(c.Issuers.List(), nil, tokenIssuerOf)
}

func putTokenIssuer(a *API, ctx context.Context, req *client.PutTokenIssuerRequest) (*client.TokenIssuer, error) {
	c, err := a.credentials()
	if err != nil {
		return nil, err
	}
	if req.MaxLifeS < 0 || req.MaxLifeS > 24*3600 {
		return nil, fault.New(fault.KindInvalid, "issuer.invalid", "tokens may live a minute to a day")
	}
	in := issuer.Issuer{
		Name: req.Name, Preset: req.Preset, Issuer: req.Issuer, JWKSURL: req.JWKSURL, JWKS: req.JWKS, Audiences: req.Audiences, Required: req.Required,
		Uses: req.Uses, MaxLife: time.Duration(req.MaxLifeS) * time.Second, UserClaim: req.UserClaim, AllowPrivate: req.AllowPrivate,
	}
	if string(in.JWKS) == "null" {
		in.JWKS = nil
	}
	for _, r := range req.Rules {
		in.Rules = append(in.Rules, issuer.Rule{Claims: r.Claims, Agent: r.Agent})
	}
	i, err := c.Issuers.Set(ctx, actor(ctx), in)
	if err != nil {
		return nil, err
	}
	out := tokenIssuerOf(i)
	return &out, nil
}

func deleteTokenIssuer(a *API, ctx context.Context, req *client.TokenIssuerRequest) (*struct{}, error) {
	c, err := a.credentials()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, c.Issuers.Delete(ctx, actor(ctx), req.Name)
}

func getAuthority(a *API, _ context.Context, _ *struct{}) (*client.Authority, error) {
	c, err := a.credentials()
	if err != nil {
		return nil, err
	}
	out := &client.Authority{TrustDomain: c.CA.TrustDomain(), Issuer: c.Issuer, Sealed: !c.CA.FileMode(), Sequence: c.CA.Sequence(), Roots: []client.AuthorityRoot{}}
	for _, der := range c.CA.RootCertificates() {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(der)
		out.Roots = append(out.Roots, client.AuthorityRoot{Fingerprint: hex.EncodeToString(sum[:]), Certificate: pemOf([][]byte{der}), NotAfter: cert.NotAfter})
	}
	return out, nil
}

func rotateAuthority(a *API, ctx context.Context, req *client.RotateAuthorityRequest) (*client.Authority, error) {
	c, err := a.credentials()
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(req.Reason) == "" || len(req.Reason) > 1000 {
		return nil, fault.New(fault.KindInvalid, "ca.reason", "a rotation needs a reason of at most 1000 bytes")
	}
	if err := c.Rotate(ctx, actor(ctx), req.Reason, req.Compromised); err != nil {
		return nil, err
	}
	return getAuthority(a, ctx, nil)
}
