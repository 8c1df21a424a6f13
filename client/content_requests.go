package client

import "time"

// ContentRule says what happens to secrets and personal data in what agents say
// and are told.
type ContentRule struct {
	Name        string    `json:"name"`
	Classes     []string  `json:"classes"`               // "secret", "pii", "pii.payment.card", "custom.NAME", ...: each with what lies below it
	Pattern     string    `json:"pattern,omitempty"`     // an expression (RE2) of the house's own, found as class custom.NAME
	Action      string    `json:"action"`                // flag, redact_store, redact, block
	Direction   string    `json:"direction"`             // request, answer, both
	Agent       string    `json:"agent,omitempty"`       // "" all
	Team        string    `json:"team,omitempty"`        // "" all
	Environment string    `json:"environment,omitempty"` // "" all
	Reason      string    `json:"reason"`
	Revision    int64     `json:"revision"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// ContentRuleRequest names a content rule.
type ContentRuleRequest struct {
	Name string `path:"name"`
}

// PutContentRuleRequest makes a content rule (revision 0) or replaces the one
// that was read at that revision.
type PutContentRuleRequest struct {
	Name        string   `path:"name" json:"-"`
	Classes     []string `json:"classes,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Action      string   `json:"action"`
	Direction   string   `json:"direction,omitempty"` // both
	Agent       string   `json:"agent,omitempty"`
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Reason      string   `json:"reason"`
	Revision    int64    `json:"revision,omitempty"`
}

// TryContentRequest asks what the rules find in a text. Nothing is stored, and
// none of Reeve's keys dies of it.
type TryContentRequest struct {
	Text        string `json:"text"`
	Answer      bool   `json:"answer,omitempty"` // as an answer to an agent; else as its request
	Agent       string `json:"agent,omitempty"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	All         bool   `json:"all,omitempty"` // look for every class that is known, whatever the rules
}

// TriedContent is what was found and what would become of the text.
type TriedContent struct {
	Found     []ContentFound `json:"found"`
	Blocked   bool           `json:"blocked"`
	Forwarded string         `json:"forwarded"` // "" when blocked
	Stored    string         `json:"stored"`
}

// ContentFound is a class that was found. Start and end are bytes of the text.
type ContentFound struct {
	Class  string `json:"class"`
	Rule   string `json:"rule,omitempty"` // "" when no rule names it
	Action string `json:"action"`
	Start  int    `json:"start"`
	End    int    `json:"end"`
}
