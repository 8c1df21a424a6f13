package client

// BudgetRequest names a budget.
type BudgetRequest struct {
	Name string `path:"name"`
}

// PutBudgetRequest makes a budget (revision 0) or replaces the one that was
// read at that revision. What was spent stays, unless scope, match, unit, period
// or team change.
type PutBudgetRequest struct {
	Name     string  `path:"name" json:"-"`
	Scope    string  `json:"scope"` // agent, user, task, team
	Match    string  `json:"match"` // the agent, user, task or team; "*" gives each its own
	Unit     string  `json:"unit"`  // tokens, money, calls
	Limit    float64 `json:"limit"`
	Currency string  `json:"currency,omitempty"` // USD
	Period   string  `json:"period"`             // hour, day, week, month, total
	Hard     bool    `json:"hard,omitempty"`     // refuse beyond it; else warn
	Team     string  `json:"team,omitempty"`     // it counts this team's agents alone; "" the whole house's
	Revision int64   `json:"revision,omitempty"`
}
