package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// ListAgentsRequest filters and pages registered agents.
type ListAgentsRequest struct {
	Team        string `query:"team"`
	Lifecycle   string `query:"lifecycle"`
	Environment string `query:"environment"`
	Origin      string `query:"origin"`
	Query       string `query:"q"`         // part of name, owner, purpose or a label
	Contained   bool   `query:"contained"` // only those that are
	Observed    bool   `query:"observed"`  // only those in observe
	Broken      bool   `query:"broken"`    // only those that break the standard
	Sort        string `query:"sort"`      // name (default), worst, seen
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// AgentRequest names an agent.
type AgentRequest struct {
	Name string `path:"name"`
}

// CreateAgentRequest registers an agent. Empty words take their defaults: a
// supervised pilot in production, enforced, whose owner is who asks.
type CreateAgentRequest struct {
	Name        string            `json:"name"`
	Team        string            `json:"team"`
	Purpose     string            `json:"purpose"`
	Owner       string            `json:"owner,omitempty"`
	Sponsor     string            `json:"sponsor,omitempty"`
	Kind        string            `json:"kind,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	Lifecycle   string            `json:"lifecycle,omitempty"` // draft or pilot
	Autonomy    string            `json:"autonomy,omitempty"`
	Enforcement string            `json:"enforcement,omitempty"`
	Content     string            `json:"content,omitempty"`
	Task        string            `json:"task,omitempty"`
	DataClasses []string          `json:"data_classes,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Aliases     []AgentAlias      `json:"aliases,omitempty"`
	Reason      string            `json:"reason,omitempty"`
}

// UpdateAgentRequest changes an agent; what is left out stays. Revision is the
// one that was read; 0 takes any.
type UpdateAgentRequest struct {
	Name        string            `path:"name" json:"-"`
	Revision    int64             `json:"revision,omitempty"`
	Owner       *string           `json:"owner,omitempty"`
	Sponsor     *string           `json:"sponsor,omitempty"`
	Purpose     *string           `json:"purpose,omitempty"`
	Kind        *string           `json:"kind,omitempty"`
	Mode        *string           `json:"mode,omitempty"`
	Autonomy    *string           `json:"autonomy,omitempty"`
	Enforcement *string           `json:"enforcement,omitempty"`
	Content     *string           `json:"content,omitempty"`
	Task        *string           `json:"task,omitempty"`
	DataClasses *[]string         `json:"data_classes,omitempty"`
	Labels      map[string]string `json:"labels,omitzero"` // replaces all; empty takes all away
	Aliases     *[]AgentAlias     `json:"aliases,omitempty"`
	Reason      string            `json:"reason,omitempty"`
}

// PromoteAgentRequest takes an agent a step along its lifecycle, or back.
type PromoteAgentRequest struct {
	Name   string `path:"name" json:"-"`
	To     string `json:"to"` // draft, pilot, production (through the gate)
	Reason string `json:"reason"`
	// Ungated goes into production although the gate refuses: security's, with a fresh
	// second factor, and kept as such.
	Ungated bool `json:"ungated,omitempty"`
}

// ContainAgentRequest narrows what an agent may do, until a time or until it is
// released.
type ContainAgentRequest struct {
	Name        string     `path:"name" json:"-"`
	Containment string     `json:"containment"` // throttled, supervised, read_only, quarantined
	Until       *time.Time `json:"until,omitempty"`
	Reason      string     `json:"reason"`
}

// PinAgentRequest holds an agent to a model or a version.
type PinAgentRequest struct {
	Name   string     `path:"name" json:"-"`
	Kind   string     `json:"kind"`           // model, version
	From   string     `json:"from,omitempty"` // model: in place of which other
	Value  string     `json:"value"`
	Until  *time.Time `json:"until,omitempty"`
	Reason string     `json:"reason"`
}

// UnpinAgentRequest takes a pin of an agent out.
type UnpinAgentRequest struct {
	Name   string `path:"name" json:"-"`
	Kind   string `json:"kind"`
	From   string `json:"from,omitempty"`
	Reason string `json:"reason"`
}

// AgentReasonRequest is an act on an agent with its reason.
type AgentReasonRequest struct {
	Name   string `path:"name" json:"-"`
	Reason string `json:"reason"`
}

// CreateAgentKeyRequest makes a key of an agent.
type CreateAgentKeyRequest struct {
	Name      string   `path:"name" json:"-"`
	Label     string   `json:"label"`
	Networks  []string `json:"networks,omitempty"`   // from where it may be used; none: from anywhere
	ExpiresIn string   `json:"expires_in,omitempty"` // 90d at most; empty: 30 days
}

// AgentKeyRequest names a key of an agent.
type AgentKeyRequest struct {
	Name string `path:"name"`
	ID   string `path:"id"`
}

// LeakedKeyRequest is the whole text of a key of Reeve that others have seen, or
// a list of such as GitHub's secret scanning sends to partners.
type LeakedKeyRequest struct {
	Key string `json:"key"`
	// Reported is not nil when the body was such a list.
	Reported []ReportedKey `json:"-"`
}

// ReportedKey is one element of that list; fields that are not here are let be,
// since their set is GitHub's.
type ReportedKey struct {
	Token  string `json:"token"`
	Type   string `json:"type"`
	URL    string `json:"url"`
	Source string `json:"source"`
}

// maxReported bounds a list of keys; GitHub sends a few at a time.
const maxReported = 1000

// UnmarshalJSON reads either form.
func (r *LeakedKeyRequest) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		r.Reported = []ReportedKey{}
		if err := json.Unmarshal(b, &r.Reported); err != nil {
			return err
		}
		if len(r.Reported) > maxReported {
			return fmt.Errorf("a list of %d keys; at most %d", len(r.Reported), maxReported)
		}
		return nil
	}
	type one LeakedKeyRequest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode((*one)(r))
}
