package client

import "time"

// UpstreamRequest names an upstream.
type UpstreamRequest struct {
	Name string `path:"name"`
}

// PutUpstreamRequest makes an upstream (revision 0) or replaces the one that was
// read at that revision. Changing url, headers or allow_private drops a
// credential that is not given anew; a credential of source value without a
// value keeps the stored one.
type PutUpstreamRequest struct {
	Name         string            `path:"name" json:"-"`
	Kind         string            `json:"kind"`
	Dialect      string            `json:"dialect,omitempty"`
	URL          string            `json:"url"`
	Team         string            `json:"team"`
	Environment  string            `json:"environment"`
	Shared       bool              `json:"shared,omitempty"`
	External     bool              `json:"external,omitempty"`
	Region       string            `json:"region,omitempty"`
	Headers      map[string]string `json:"headers,omitempty"`
	Credential   *Credential       `json:"credential,omitempty"`
	Models       []ModelRule       `json:"models,omitempty"`
	Routes       []Route           `json:"routes,omitempty"`
	Classes      []string          `json:"classes,omitempty"`
	MaxTokens    int64             `json:"max_tokens,omitempty"`
	TimeoutMS    int64             `json:"timeout_ms,omitempty"`
	AllowPrivate bool              `json:"allow_private,omitempty"`
	Fallback     []string          `json:"fallback,omitempty"`
	HealthPath   string            `json:"health_path,omitempty"`
	Peer         *Peer             `json:"peer,omitempty"`
	AskHosts     []string          `json:"ask_hosts,omitempty"` // mcp: hosts that it may send people to
	Revision     int64             `json:"revision,omitempty"`
}

// SwitchUpstreamRequest sends an upstream's calls to another one like it.
type SwitchUpstreamRequest struct {
	Name   string     `path:"name" json:"-"`
	To     string     `json:"to"`
	Until  *time.Time `json:"until,omitempty"`
	Reason string     `json:"reason"`
}

// SwitchBackRequest lets an upstream's calls go to it again.
type SwitchBackRequest struct {
	Name   string `path:"name" json:"-"`
	Reason string `json:"reason"`
}
