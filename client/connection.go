package client

import "time"

// OAuth says how Reeve gets access tokens for an upstream. They are Reeve's own:
// what agents present never goes there.
type OAuth struct {
	// Grant is authorization_code, where a person connects the upstream once, or
	// client_credentials, where Reeve speaks for itself.
	Grant string `json:"grant"`
	// Issuer is the authorization server; "" is the one that the upstream names
	// when it is first asked, which then stays until a person connects it anew.
	Issuer string `json:"issuer,omitempty"`
	// ClientID is who Reeve is there; "" is the address of its client id metadata
	// document, and where such are not read a dynamic registration.
	ClientID string `json:"client_id,omitempty"`
	// ClientAuth is none, client_secret_basic, client_secret_post or
	// private_key_jwt; "" is what the authorization server takes of what there is.
	ClientAuth string   `json:"client_auth,omitempty"`
	Scopes     []string `json:"scopes,omitempty"`   // none: those that the upstream asks for
	Resource   string   `json:"resource,omitempty"` // RFC 8707; "" is what the upstream's metadata says
}

// Connection is how things stand between Reeve and an upstream's authorization
// server.
type Connection struct {
	// State is connected; not_connected, where a person has to connect it (with
	// client_credentials: nobody asked yet); scope_missing, where the upstream
	// wants more than was granted; or failed, which is tried again.
	State       string     `json:"state"`
	Grant       string     `json:"grant"`
	Issuer      string     `json:"issuer,omitempty"`
	Resource    string     `json:"resource,omitempty"`
	ClientID    string     `json:"client_id,omitempty"`
	Client      string     `json:"client,omitempty"` // registered, document, dynamic
	ClientAuth  string     `json:"client_auth,omitempty"`
	Redirect    string     `json:"redirect,omitempty"` // where browsers come back to, for who registers Reeve there
	Scopes      []string   `json:"scopes,omitempty"`   // that were granted
	Missing     []string   `json:"missing,omitempty"`  // that the upstream asked for beside them
	ConnectedBy string     `json:"connected_by,omitempty"`
	ConnectedAt *time.Time `json:"connected_at"`
	ExpiresAt   *time.Time `json:"expires_at"` // of the token now in use; nil: it did not say, or there is none
	Renews      bool       `json:"renews"`     // without a person
	Code        string     `json:"code,omitempty"`
	Error       string     `json:"error,omitempty"` // why it is not connected
}

// ConnectUpstreamRequest begins to connect an upstream.
type ConnectUpstreamRequest struct {
	Name string `path:"name" json:"-"`
	// Anywhere lets any session of the same person finish it, for one begun at a
	// command line and agreed to in a browser.
	Anywhere bool `json:"anywhere,omitempty"`
}

// ConnectionAttempt is where a person agrees to a connection. A connection that
// needs nobody is made at once and has no address.
type ConnectionAttempt struct {
	AuthorizationURL string     `json:"authorization_url,omitempty"`
	ExpiresAt        *time.Time `json:"expires_at"`
	Connection       Connection `json:"connection"`
}

// FinishConnectionRequest is what the authorization server said, as it came back
// with the person's browser.
type FinishConnectionRequest struct {
	Name             string `path:"name" json:"-"`
	State            string `json:"state"`
	Code             string `json:"code,omitempty"`
	Issuer           string `json:"iss,omitempty"`
	At               string `json:"at,omitempty"` // the last part of the address at which the browser came back
	Error            string `json:"error,omitempty"`
	ErrorDescription string `json:"error_description,omitempty"`
}
