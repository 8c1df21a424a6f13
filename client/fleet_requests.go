package client

// ListUnknownAgentsRequest filters agents that were seen and not registered.
type ListUnknownAgentsRequest struct {
	State  string `query:"state"` // "" is open; all lists every one
	Team   string `query:"team"`
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// UnknownAgentRequest names an unknown agent.
type UnknownAgentRequest struct {
	ID string `path:"id"`
}

// RegisterUnknownRequest registers an unknown agent. Empty words take what is
// known of it: a supervised pilot in observe, whose owner is who asks.
type RegisterUnknownRequest struct {
	ID          string            `path:"id" json:"-"`
	Name        string            `json:"name,omitempty"`
	Team        string            `json:"team,omitempty"` // only when it came without one
	Environment string            `json:"environment,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Sponsor     string            `json:"sponsor,omitempty"`
	Purpose     string            `json:"purpose,omitempty"`
	Kind        string            `json:"kind,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	Autonomy    string            `json:"autonomy,omitempty"`
	Enforcement string            `json:"enforcement,omitempty"` // observe unless it says enforce
	DataClasses []string          `json:"data_classes,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Reason      string            `json:"reason,omitempty"`
}

// MergeUnknownRequest makes an unknown agent a registered one by an alias.
type MergeUnknownRequest struct {
	ID     string `path:"id" json:"-"`
	Into   string `json:"into"`
	Reason string `json:"reason"`
}

// UnknownReasonRequest acts on an unknown agent for a reason.
type UnknownReasonRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason"`
}

// AdoptAgentsRequest registers unknown agents together, in observe.
type AdoptAgentsRequest struct {
	IDs     []string `json:"ids,omitempty"`
	All     bool     `json:"all,omitempty"`  // every open one that may be seen
	Team    string   `json:"team,omitempty"` // for those that came without one
	Owner   string   `json:"owner,omitempty"`
	Sponsor string   `json:"sponsor,omitempty"`
	Purpose string   `json:"purpose,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

// MatchAgentRequest asks which registered agent a claim would be.
type MatchAgentRequest struct {
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Name        string `query:"name"`
	AgentID     string `query:"agent_id"`
	Service     string `query:"service"`
}
