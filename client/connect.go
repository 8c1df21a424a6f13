package client

import "time"

// ListFrameworksRequest asks how agents join. What is left out is a placeholder
// in the answer.
type ListFrameworksRequest struct {
	Host        string `query:"host"` // by which the caller reaches this server; "" is 127.0.0.1
	Agent       string `query:"agent"`
	Environment string `query:"environment"`
	Keys        bool   `query:"keys"` // with a place for an intake key also where none is needed
}

// Framework is one way for an agent to join.
type Framework struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Group    string        `json:"group"`
	About    string        `json:"about"`
	Keys     []string      `json:"keys"`               // what is made for it: intake, agent
	Waits    []string      `json:"waits"`              // what shows that it works: step, decision
	Dialects []string      `json:"dialects,omitempty"` // what its spans are recognised as
	Upstream string        `json:"upstream,omitempty"` // the upstream that its calls go to; "" is none, or none yet
	Parts    []SnippetPart `json:"parts"`
}

// SnippetPart is something to copy, and where to.
type SnippetPart struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// ConnectRequest makes what an agent needs to join: an intake key, a key of the
// agent, and the agent itself where nobody registered it.
type ConnectRequest struct {
	Framework   string `path:"framework" json:"-"`
	Agent       string `json:"agent"`
	Team        string `json:"team"`
	Environment string `json:"environment"`
	Host        string `json:"host,omitempty"`
	ExpiresIn   string `json:"expires_in,omitempty"` // of the keys; 30d by default
}

// ConnectedAgent is a framework filled in with fresh keys, which are shown once.
type ConnectedAgent struct {
	Framework  Framework  `json:"framework"`
	Agent      string     `json:"agent"`
	Registered bool       `json:"registered"` // the agent was registered by this
	IntakeKey  *IntakeKey `json:"intake_key"` // without its secret, which stands in the parts
	AgentKey   *AgentKey  `json:"agent_key"`
	Since      time.Time  `json:"since"` // what comes from now on shows that it works
}

// ConnectProgressRequest asks what arrived of an agent.
type ConnectProgressRequest struct {
	Agent string `query:"agent"`
	Since string `query:"since"` // RFC 3339 or a distance from now; "" is -1h
	Key   string `query:"key"`   // the id of the intake key that was made
}

// ConnectProgress is what arrived of an agent, and what its telemetry leaves
// out.
type ConnectProgress struct {
	Agent     string        `json:"agent"`
	Run       *Run          `json:"run"`         // its first one since then; nil: no step yet
	Decision  *Decision     `json:"decision"`    // its first one since then; nil: none yet
	KeyUsedAt *time.Time    `json:"key_used_at"` // the intake key was seen, also under another agent's name
	Others    []string      `json:"others"`      // agents whose first step came since then, while this one's did not
	Dialects  []string      `json:"dialects"`
	Score     *float64      `json:"score"` // of the minimal standard; nil without telemetry
	Missing   []LintFinding `json:"missing"`
}
