package client

import (
	"encoding/json"
	"time"
)

// This file holds the shapes of what proves an agent: public keys, join tokens,
// workloads, outside issuers and the authority.

// AgentJWK is a public key with which an agent signs client assertions.
type AgentJWK struct {
	Agent     string          `json:"agent"`
	KeyID     string          `json:"kid"`
	JWK       json.RawMessage `json:"jwk"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// AddAgentJWKsRequest registers public keys, as a JWK or a JWK set. Private keys
// are refused.
type AddAgentJWKsRequest struct {
	Name      string          `path:"name" json:"-"`
	JWKS      json.RawMessage `json:"jwks"`
	ExpiresIn string          `json:"expires_in,omitempty"` // empty: 90 days
}

// AgentJWKRequest names a public key of an agent.
type AgentJWKRequest struct {
	Name  string `path:"name"`
	KeyID string `path:"kid"`
}

// AgentOAuth is what an agent may ask of the token endpoint.
type AgentOAuth struct {
	ClientID  string   `json:"client_id"` // its metadata document's address; its name works too
	Scopes    []string `json:"scopes"`    // that it may ask for
	Audiences []string `json:"audiences"` // beside the door
	Resources []string `json:"resources"` // audiences that it is itself: it may introspect their tokens
	LifeS     int64    `json:"life_s"`    // of its tokens, in seconds; 0 the default
	Bound     bool     `json:"bound"`     // its tokens must be bound to a key
}

// PutAgentOAuthRequest replaces what an agent may ask of the token endpoint.
type PutAgentOAuthRequest struct {
	Name      string   `path:"name" json:"-"`
	Scopes    []string `json:"scopes,omitempty"`
	Audiences []string `json:"audiences,omitempty"`
	Resources []string `json:"resources,omitempty"`
	LifeS     int64    `json:"life_s,omitempty"`
	Bound     bool     `json:"bound,omitempty"`
}

// JoinToken is a one-time token by which an instance of an agent enrols.
type JoinToken struct {
	ID        string     `json:"id"`
	Agent     string     `json:"agent"`
	Label     string     `json:"label"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	UsedAt    *time.Time `json:"used_at"`
	Instance  string     `json:"instance,omitempty"` // that it made
	Token     string     `json:"token,omitempty"`    // when it was made, and never again
}

// CreateJoinTokenRequest makes a join token.
type CreateJoinTokenRequest struct {
	Name      string `path:"name" json:"-"`
	Label     string `json:"label,omitempty"`
	ExpiresIn string `json:"expires_in,omitempty"` // empty: an hour
}

// AgentItemRequest names something of an agent by its id.
type AgentItemRequest struct {
	Name string `path:"name"`
	ID   string `path:"id"`
}

// RevokeCredentialRequest ends one credential of an agent: a token by its jti,
// or a certificate by its serial.
type RevokeCredentialRequest struct {
	Name   string `path:"name" json:"-"`
	ID     string `json:"id"`
	Reason string `json:"reason,omitempty"`
}

// CreateAgentSVIDRequest asks for a certificate of a new instance.
type CreateAgentSVIDRequest struct {
	Name string `path:"name" json:"-"`
	CSR  string `json:"csr"` // PEM
}

// AgentSVID is an instance's certificate.
type AgentSVID struct {
	ID        string    `json:"spiffe_id"`
	Instance  string    `json:"instance"`
	Serial    string    `json:"serial"`
	Chain     string    `json:"certificate_chain"` // PEM
	Bundle    string    `json:"bundle"`            // PEM of the roots
	ExpiresAt time.Time `json:"expires_at"`
}

// Workload says which processes of the server's host are an agent. Every
// selector that is given must fit.
type Workload struct {
	ID        string     `json:"id"`
	Agent     string     `json:"agent"`
	UID       *int64     `json:"uid"`
	Exe       string     `json:"exe,omitempty"`    // SHA-256 of the executable
	Cgroup    string     `json:"cgroup,omitempty"` // it, or what is below it
	ParentPID int64      `json:"parent_pid,omitempty"`
	ParentAge uint64     `json:"parent_start,omitempty"` // field 22 of /proc/PID/stat
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// CreateWorkloadRequest registers processes as an agent's.
type CreateWorkloadRequest struct {
	Name      string `path:"name" json:"-"`
	UID       *int64 `json:"uid,omitempty"`
	Exe       string `json:"exe,omitempty"`
	Cgroup    string `json:"cgroup,omitempty"`
	ParentPID int64  `json:"parent_pid,omitempty"`
	ParentAge uint64 `json:"parent_start,omitempty"`
	ExpiresIn string `json:"expires_in,omitempty"` // empty: until it is removed
}

// TokenIssuer is an outside issuer whose tokens are taken.
type TokenIssuer struct {
	Name         string              `json:"name"`
	Preset       string              `json:"preset"` // oidc, kubernetes, github-actions, entra, okta, oracle
	Issuer       string              `json:"issuer"` // iss, compared exactly
	JWKSURL      string              `json:"jwks_url,omitempty"`
	JWKS         json.RawMessage     `json:"jwks,omitempty"` // instead of fetching
	Audiences    []string            `json:"audiences"`
	Required     map[string][]string `json:"required"` // claim -> values taken; none: any
	Rules        []TokenRule         `json:"rules"`
	Uses         []string            `json:"uses"` // door, enrol, exchange
	MaxLifeS     int64               `json:"max_life_s"`
	UserClaim    string              `json:"user_claim,omitempty"`
	AllowPrivate bool                `json:"allow_private"`
	Revision     int64               `json:"revision"`
}

// TokenRule says which agent a token belongs to: the first whose claims all fit.
type TokenRule struct {
	Claims map[string]string `json:"claims"` // a value that ends in * fits by its beginning
	Agent  string            `json:"agent"`
}

// PutTokenIssuerRequest registers an outside issuer or replaces a registration.
// What is left out comes from the preset.
type PutTokenIssuerRequest struct {
	Name         string              `path:"name" json:"-"`
	Preset       string              `json:"preset,omitempty"`
	Issuer       string              `json:"issuer,omitempty"`
	JWKSURL      string              `json:"jwks_url,omitempty"`
	JWKS         json.RawMessage     `json:"jwks,omitempty"`
	Audiences    []string            `json:"audiences"`
	Required     map[string][]string `json:"required,omitempty"`
	Rules        []TokenRule         `json:"rules,omitempty"`
	Uses         []string            `json:"uses,omitempty"`
	MaxLifeS     int64               `json:"max_life_s,omitempty"`
	UserClaim    string              `json:"user_claim,omitempty"`
	AllowPrivate bool                `json:"allow_private,omitempty"`
}

// TokenIssuerRequest names an outside issuer.
type TokenIssuerRequest struct {
	Name string `path:"name"`
}

// Authority is the certificate authority as others need to know it.
type Authority struct {
	TrustDomain string          `json:"trust_domain"`
	Issuer      string          `json:"issuer"`   // iss of our tokens; the door's address
	Sealed      bool            `json:"sealed"`   // keys are encrypted under a passphrase
	Sequence    int64           `json:"sequence"` // of the bundle
	Roots       []AuthorityRoot `json:"roots"`    // oldest first
}

// AuthorityRoot is a root in the bundle.
type AuthorityRoot struct {
	Fingerprint string    `json:"fingerprint"` // SHA-256, hex
	Certificate string    `json:"certificate"` // PEM
	NotAfter    time.Time `json:"not_after"`
}

// RotateAuthorityRequest makes a new root. Compromised drops the old one and
// everything that it signed at once.
type RotateAuthorityRequest struct {
	Compromised bool   `json:"compromised,omitempty"`
	Reason      string `json:"reason"`
}
