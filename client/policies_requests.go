package client

import "time"

// ListPoliciesRequest narrows the list of policies; empty fields match all.
type ListPoliciesRequest struct {
	Team string `query:"team"`
}

// PolicyRequest names a policy.
type PolicyRequest struct {
	Name string `path:"name"`
}

// PutPolicyRequest makes a policy (revision 0) or replaces the one that was read
// at that revision. Without a mode it keeps the one it has; a new policy of a
// team begins in observe, any other is enforced.
type PutPolicyRequest struct {
	Name      string `path:"name" json:"-"`
	Team      string `json:"team,omitempty"` // whose agents it is about; empty: security's own, for everybody
	Guardrail bool   `json:"guardrail,omitempty"`
	Mode      string `json:"mode,omitempty"` // observe, enforce
	Cedar     string `json:"cedar"`
	Reason    string `json:"reason,omitempty"`
	Revision  int64  `json:"revision,omitempty"`
}

// DeletePolicyRequest ends a policy; its revisions stay. Revision is the one
// that was read; 0 takes any.
type DeletePolicyRequest struct {
	Name     string `path:"name"`
	Revision int64  `query:"revision"`
	Reason   string `query:"reason"`
}

// PolicyModeRequest puts a policy in observe or enforce.
type PolicyModeRequest struct {
	Name   string `path:"name" json:"-"`
	Mode   string `json:"mode"`
	Reason string `json:"reason,omitempty"`
}

// RestorePolicyRequest makes a policy again what it was at a revision.
type RestorePolicyRequest struct {
	Name     string `path:"name" json:"-"`
	Revision int64  `json:"revision"`
	Reason   string `json:"reason,omitempty"`
}

// ValidatePolicyRequest is a policy to look at without keeping it.
type ValidatePolicyRequest struct {
	Name      string `json:"name,omitempty"`
	Team      string `json:"team,omitempty"`
	Guardrail bool   `json:"guardrail,omitempty"`
	Cedar     string `json:"cedar"`
}

// PolicyValidation is what is wrong with a policy's text, if anything.
type PolicyValidation struct {
	OK         bool              `json:"ok"`
	Problems   []PolicyProblem   `json:"problems"`
	Statements []PolicyStatement `json:"statements"`
	Warnings   []string          `json:"warnings"`
}

// PolicyProblem is why a policy's text is refused, and where; lines and columns
// begin at 1.
type PolicyProblem struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// PolicyRevision is a policy as it was from a time on.
type PolicyRevision struct {
	Revision  int64     `json:"revision"`
	Version   int64     `json:"version"` // of the set that it began, as decisions name it
	At        time.Time `json:"at"`
	Author    string    `json:"author"`
	Action    string    `json:"action"` // create, edit, mode, restore, delete
	Reason    string    `json:"reason"`
	Team      string    `json:"team"`
	Guardrail bool      `json:"guardrail"`
	Mode      string    `json:"mode"`
	Cedar     string    `json:"cedar"`
}

// CheckRequest asks whether an agent could do something now. Context gives what
// a call would bring; what is left out is as an agent key brings it: not bound,
// for nobody, nothing read before.
type CheckRequest struct {
	Agent    string           `json:"agent"`
	Action   string           `json:"action"`   // call_model, call_api, call_tool
	Resource string           `json:"resource"` // "openai/gpt-4o", "crm GET /v1/users/7", "local.search"
	Context  *CheckContext    `json:"context,omitempty"`
	Policies []ProposedPolicy `json:"policies,omitempty"` // as if these were in force
}

// CheckContext is what a call would bring, in the words of the policies' schema.
type CheckContext struct {
	Credential      string             `json:"credential,omitempty"` // x509_svid, jwt_svid, access_token, foreign_token, agent_key, dev
	Bound           bool               `json:"bound,omitempty"`
	Instance        string             `json:"instance,omitempty"`
	User            string             `json:"user,omitempty"`
	UserDirectory   string             `json:"user_directory,omitempty"` // who knows the user: reeve, an issuer
	UserActive      *bool              `json:"user_active,omitempty"`    // left out: what is known here
	Version         string             `json:"version,omitempty"`        // of the agent; left out: the newest seen
	VersionApproved *bool              `json:"version_approved,omitempty"`
	Address         string             `json:"address,omitempty"`  // of the caller
	Findings        []string           `json:"findings,omitempty"` // detectors that found something of it
	Fresh           *bool              `json:"fresh,omitempty"`    // of a source: as new as its policy asks
	Budget          *CheckBudget       `json:"budget,omitempty"`
	UserTeams       []string           `json:"user_teams,omitempty"`
	UserGroups      []string           `json:"user_groups,omitempty"`
	Chain           []string           `json:"chain,omitempty"` // agents it acts for, nearest first
	Classes         []string           `json:"classes,omitempty"`
	Now             *time.Time         `json:"now,omitempty"`
	Args            *CheckArgs         `json:"args,omitempty"`
	Model           *CheckModel        `json:"model,omitempty"`
	Taint           *CheckTaint        `json:"taint,omitempty"`
	Destinations    *CheckDestinations `json:"destinations,omitempty"`
}

// CheckArgs are arguments by JSON Pointer ("/amount"), path:NAME or query:NAME.
type CheckArgs struct {
	Text   map[string][]string `json:"text,omitempty"`
	Int    map[string]int64    `json:"int,omitempty"`
	Number map[string]string   `json:"number,omitempty"` // "12.50": at most four decimals
	Flag   map[string]bool     `json:"flag,omitempty"`
}

// CheckModel is what a model is asked for.
type CheckModel struct {
	MaxOutput   int64    `json:"max_output,omitempty"`
	Tools       []string `json:"tools,omitempty"`
	HostedTools []string `json:"hosted_tools,omitempty"`
}

// CheckBudget is what is left of the tightest budget.
type CheckBudget struct {
	Money  *float64 `json:"money,omitempty"` // at most four decimals count
	Tokens *int64   `json:"tokens,omitempty"`
	Calls  *int64   `json:"calls,omitempty"`
}

// CheckTaint is what was read before.
type CheckTaint struct {
	Classes   []string `json:"classes,omitempty"`
	Sources   []string `json:"sources,omitempty"`
	Upstreams []string `json:"upstreams,omitempty"`
	Untrusted bool     `json:"untrusted,omitempty"`
}

// CheckDestinations are where the call would send data.
type CheckDestinations struct {
	All       []string `json:"all,omitempty"`
	Domains   []string `json:"domains,omitempty"`
	FirstSeen []string `json:"first_seen,omitempty"`
	Injected  []string `json:"injected,omitempty"`
	External  bool     `json:"external,omitempty"`
}

// CheckAnswer is what the door would say.
type CheckAnswer struct {
	Verdict       string       `json:"verdict"` // allow, hold, deny: in force
	Would         string       `json:"would"`   // with everything enforced
	Enforced      bool         `json:"enforced"`
	Floor         string       `json:"floor"` // what the agent's standing allows at most
	Reasons       []Reason     `json:"reasons"`
	Policies      []PolicyRef  `json:"policies"` // statements that match or cannot be evaluated
	Hold          []HoldGroup  `json:"hold"`     // whose agreement is due first
	Redact        []string     `json:"redact"`   // classes taken out before forwarding
	Limits        []PolicyRate `json:"limits"`
	PolicyVersion int64        `json:"policy_version"`
	Text          string       `json:"text"`           // all of it in words
	Hint          string       `json:"hint,omitempty"` // what about the question may be a slip
}

// HoldGroup is a group of which so many people must agree.
type HoldGroup struct {
	Group string `json:"group"`
	Count int    `json:"count"`
}

// PolicyRate is a rate that a matching statement sets.
type PolicyRate struct {
	Limit     string `json:"limit"` // "30/h by agent"
	Statement string `json:"statement"`
}

// ProposedPolicy is a policy as it would be. Without a mode it is enforced;
// Delete leaves it out.
type ProposedPolicy struct {
	Name      string `json:"name"`
	Team      string `json:"team,omitempty"`
	Guardrail bool   `json:"guardrail,omitempty"`
	Mode      string `json:"mode,omitempty"`
	Cedar     string `json:"cedar,omitempty"`
	Delete    bool   `json:"delete,omitempty"`
}

// SimulateRequest tries policies on the decisions recorded in a period.
type SimulateRequest struct {
	Policies []ProposedPolicy  `json:"policies,omitempty"`
	Whole    bool              `json:"whole,omitempty"`  // the policies are the whole set
	Agents   map[string]string `json:"agents,omitempty"` // observe or enforce, by agent
	Agent    string            `json:"agent,omitempty"`  // only this agent's decisions
	From     string            `json:"from,omitempty"`   // RFC 3339 or a distance from now; empty: a week ago
	To       string            `json:"to,omitempty"`
}

// SimulationRequest names a simulation of one's own.
type SimulationRequest struct {
	ID string `path:"id"`
}

// Simulation is what a change would have changed. It is kept for a day, for who
// asked for it.
type Simulation struct {
	ID         string        `json:"id"`
	State      string        `json:"state"` // waiting, running, done, failed
	Error      string        `json:"error,omitempty"`
	From       time.Time     `json:"from"`
	To         time.Time     `json:"to"`
	Until      time.Time     `json:"until"`     // how far the period was tried
	Progress   float64       `json:"progress"`  // 0 to 1
	Decisions  int64         `json:"decisions"` // looked at
	Replayed   int64         `json:"replayed"`
	NotKept    int64         `json:"not_kept"`  // could not be tried: what they depend on was not kept
	Elsewhere  int64         `json:"elsewhere"` // denied by something else than policy
	Others     int64         `json:"others"`    // decided otherwise today without it: of what others changed since
	Changed    int64         `json:"changed"`
	Stricter   int64         `json:"stricter"`
	Looser     int64         `json:"looser"`
	Cut        bool          `json:"cut"` // too long to be tried in full: Until says how far it came
	Changes    []ChangeGroup `json:"changes"`
	MoreGroups int64         `json:"more"` // changes that stand in no group
}

// ChangeGroup counts decisions that would change alike.
type ChangeGroup struct {
	Agent    string    `json:"agent"`
	Team     string    `json:"team"`
	Action   string    `json:"action"`
	Resource string    `json:"resource"`
	Was      string    `json:"was"`
	Becomes  string    `json:"becomes"`
	Reason   Reason    `json:"reason"`
	Count    int64     `json:"count"`
	Examples []string  `json:"examples"` // ids of decisions
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// WouldRequest asks what observing kept from being refused.
type WouldRequest struct {
	Agent string `query:"agent"`
	From  string `query:"from"` // RFC 3339 or a distance from now; empty: a week ago
	To    string `query:"to"`
}

// WouldAnswer counts decisions that enforcing would have refused.
type WouldAnswer struct {
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Decisions int64         `json:"decisions"` // looked at
	Refused   int64         `json:"refused"`
	Cut       bool          `json:"cut"` // too many to be read in full: a shorter period is exact
	Groups    []ChangeGroup `json:"groups"`
	More      int64         `json:"more"` // refusals that stand in no group
}

// EnforceRequest enforces a policy or an agent. Without the id of a simulation
// that showed what this would refuse, the answer is that simulation and nothing
// changes.
type EnforceRequest struct {
	Name       string `path:"name" json:"-"`
	Simulation string `json:"simulation,omitempty"`
	Preview    bool   `json:"preview,omitempty"` // only show
	Days       int    `json:"days,omitempty"`    // of the simulation; 0 is 7
	Reason     string `json:"reason,omitempty"`
}

// EnforceAnswer is what was done, or the simulation to look at first.
type EnforceAnswer struct {
	Enforced   bool        `json:"enforced"`
	Simulation *Simulation `json:"simulation"` // nil when it was enforced
}

// ProposePolicyRequest asks for the smallest policy that permits what an agent
// did.
type ProposePolicyRequest struct {
	Agent string `json:"agent"`
	Days  int    `json:"days,omitempty"` // 0 is 30
}

// PolicyProposal is the smallest policy for an agent. Simulation tries it on the
// period before the one that it was made from.
type PolicyProposal struct {
	Policy     ProposedPolicy `json:"policy"`
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	Decisions  int64          `json:"decisions"`
	Unread     int64          `json:"unread"` // decisions that could not be read: what they used may be missing
	Cut        bool           `json:"cut"`    // not all of the period was read
	Used       []UsedResource `json:"used"`
	Simulation *Simulation    `json:"simulation"`
}

// UsedResource is what an agent was allowed to act on.
type UsedResource struct {
	Action   string    `json:"action"`
	Resource string    `json:"resource"`
	Effects  []string  `json:"effects"`
	Classes  []string  `json:"classes"`
	Count    int64     `json:"count"`
	Last     time.Time `json:"last"`
}

// BreakGlassRequest lets an agent go unenforced in an emergency.
type BreakGlassRequest struct {
	Name    string `path:"name" json:"-"`
	Minutes int    `json:"minutes"` // at most 60
	Reason  string `json:"reason"`
}
