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

// InventoryRequest asks for what an agent used. From and To are dates or times;
// with one, only what was used on the days between counts.
type InventoryRequest struct {
	Name   string `path:"name"`
	From   string `query:"from"`
	To     string `query:"to"`
	Format string `query:"format"` // "" or cyclonedx
}

// InventoryChangesRequest compares what an agent used in the days up to two
// dates.
type InventoryChangesRequest struct {
	Name string `path:"name"`
	From string `query:"from"`
	To   string `query:"to"`   // "" is now
	Days int    `query:"days"` // that a date stands for; 0 is 7
}

// ApprovePartRequest says that a part of an agent is known, or no longer.
type ApprovePartRequest struct {
	Name   string `path:"name" json:"-"`
	Kind   string `json:"kind"`
	Part   string `json:"part"`
	Known  *bool  `json:"known,omitempty"` // nil is true
	Reason string `json:"reason"`
}

// ApproveVersionRequest says that a version is what the agent should be.
type ApproveVersionRequest struct {
	Name   string `path:"name" json:"-"`
	Hash   string `path:"hash" json:"-"`
	Reason string `json:"reason"`
}

// WaiveRequest lets an agent break a rule of the standard until a date.
type WaiveRequest struct {
	Name   string `path:"name" json:"-"`
	Rule   string `json:"rule"`
	Until  string `json:"until"` // a date or time, or a life such as 30d
	Reason string `json:"reason"`
}

// WaiverRequest names a waiver.
type WaiverRequest struct {
	Name string `path:"name"`
	Rule string `path:"rule"`
}

// MergeAgentRequest says that an agent is another one that was registered too.
type MergeAgentRequest struct {
	Name   string `path:"name" json:"-"`
	Into   string `json:"into"`
	Reason string `json:"reason"`
}
