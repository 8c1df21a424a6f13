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
