package client

import "time"

// CostScope narrows a question about cost. Month wins over From and To; without
// any it is the month that goes on.
type CostScope struct {
	Month       string `query:"month"` // 2026-11, in the organisation's zone
	From        string `query:"from"`
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Where       string `query:"where"` // a search of steps
}

// CostSplitRequest asks for cost by something.
type CostSplitRequest struct {
	By          string `query:"by"` // call, run, session, user, team, agent, version, task, outcome, model, provider, environment, centre, day, month
	Limit       int    `query:"limit"`
	Month       string `query:"month"`
	From        string `query:"from"`
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Where       string `query:"where"`
}

// CostSplit is a period's cost by something.
type CostSplit struct {
	By       string     `json:"by"`
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	Zone     string     `json:"zone"`
	Currency string     `json:"currency"`
	Total    CostLine   `json:"total"`
	Lines    []CostLine `json:"lines"` // the dearest first; days and months in their order
	More     int64      `json:"more"`  // lines that are not told
	Rest     *CostLine  `json:"rest"`  // what is not told comes to; nil: every line is told
	// Unallocated is the share of the cost that no cost centre pays; of by=centre.
	Unallocated *float64 `json:"unallocated"`
}

// CostLine is what one agent, user, model... cost. Null is unknown.
type CostLine struct {
	Name     string            `json:"name"` // "" where its records name none
	Parts    map[string]string `json:"parts,omitempty"`
	At       *time.Time        `json:"at"`
	Cost     *float64          `json:"cost"`
	Share    *float64          `json:"share"` // of the total
	Calls    int64             `json:"calls"`
	Unpriced int64             `json:"unpriced"` // calls whose money is unknown
	Tokens   *float64          `json:"tokens"`
	Minutes  float64           `json:"people_minutes"`
	People   *float64          `json:"people_cost"`       // nil: nobody said what an hour costs
	Records  string            `json:"records,omitempty"` // the search of steps that opens them
}

// CostSettings are how an organisation counts money.
type CostSettings struct {
	Currency string       `json:"currency"`     // that figures are shown in
	Zone     string       `json:"zone"`         // of its days and months
	Hour     float64      `json:"people_hour"`  // what an hour of people costs, in Currency; 0: nobody said
	Rates    []CostRate   `json:"rates"`        // dollars for one unit, from a day on
	Centres  []CostCentre `json:"centres"`      // the first that fits counts; else the agent's label cost_centre
	Report   CostReport   `json:"report"`       // by mail
	Revision int64        `json:"revision"`     // as it was read; 0 for the first
	By       string       `json:"by,omitempty"` // who set them
	At       *time.Time   `json:"at"`           // when; nil: never
}

// CostRate is what one unit of a currency is worth in dollars from a day on.
type CostRate struct {
	Currency string  `json:"currency"`
	From     string  `json:"from"`
	Dollars  float64 `json:"dollars"`
}

// CostCentre says who pays. Empty fields fit everything, a star at the end fits
// all that begin so.
type CostCentre struct {
	Centre      string `json:"centre"`
	Team        string `json:"team,omitempty"`
	Agent       string `json:"agent,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// CostReport is the monthly report by mail.
type CostReport struct {
	Channel string   `json:"channel,omitempty"` // a channel of kind mail; "" sends none
	To      []string `json:"to,omitempty"`      // none: the channel's own address
	Day     int      `json:"day,omitempty"`     // of the month after
	// What is told and not set: the newest month that was sent, when, and when the
	// next is due.
	LastMonth string     `json:"last_month,omitempty"`
	LastAt    *time.Time `json:"last_at,omitempty"`
	NextAt    *time.Time `json:"next_at,omitempty"`
}

// CostForecast is what the month that goes on will have come to at its end.
type CostForecast struct {
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Currency  string        `json:"currency"`
	Spent     float64       `json:"spent"`    // until now
	Unpriced  int64         `json:"unpriced"` // calls that are not in it
	Expected  *float64      `json:"expected"` // nil: too little is known, see why
	Low       *float64      `json:"low"`      // of the 95 % interval
	High      *float64      `json:"high"`
	Days      int64         `json:"days"` // that it is learned from
	Method    string        `json:"method"`
	Why       string        `json:"why,omitempty"`
	Budgets   []CostBudget  `json:"budgets"`   // of a month, in money
	Anomalies []CostAnomaly `json:"anomalies"` // of the month: findings about cost, the newest first
}

// CostBudget is a budget of this month beside what its agents will have spent.
type CostBudget struct {
	Name     string   `json:"name"`
	Scope    string   `json:"scope"`
	Match    string   `json:"match"`
	Limit    float64  `json:"limit"` // dollars
	Spent    float64  `json:"spent"`
	Hard     bool     `json:"hard"`
	Expected *float64 `json:"expected"` // dollars; nil where scope and records do not meet
	Chance   *float64 `json:"chance"`   // that the limit is passed
}

// CostAnomaly is a finding about cost.
type CostAnomaly struct {
	ID       string    `json:"id"`
	Detector string    `json:"detector"`
	Agent    string    `json:"agent"`
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	At       time.Time `json:"at"`
	Open     bool      `json:"open"`
}

// Dependency is how much hangs on whom.
type Dependency struct {
	From      time.Time         `json:"from"`
	To        time.Time         `json:"to"`
	Currency  string            `json:"currency"`
	Calls     int64             `json:"calls"`
	Providers []DependencyShare `json:"providers"`
	Models    []DependencyShare `json:"models"`
	Regions   []DependencyShare `json:"regions"` // "" is unknown
	// Concentration is the chance that two calls picked at random go to the same
	// provider; Even is that of as many providers with equal shares.
	Concentration float64 `json:"concentration"`
	Even          float64 `json:"even"`
}

// DependencyShare is what hangs on one provider, model or region.
type DependencyShare struct {
	Name       string          `json:"name"`
	Provider   string          `json:"provider,omitempty"` // of a model
	Calls      int64           `json:"calls"`
	Share      float64         `json:"share"` // of all calls
	Cost       *float64        `json:"cost"`
	Unpriced   int64           `json:"unpriced"`
	Runs       int64           `json:"runs"`  // that called it; regions do not tell
	Users      int64           `json:"users"` // those runs were for, where known
	Daily      float64         `json:"daily_calls"`
	Agents     []DependedAgent `json:"agents"`     // that an outage would reach
	Deprecated *time.Time      `json:"deprecated"` // from this day on; nil: nobody said
	Fallbacks  []string        `json:"fallbacks"`  // upstreams that the door would call instead
}

// DependedAgent is an agent that an outage would reach.
type DependedAgent struct {
	Agent string  `json:"agent"`
	Team  string  `json:"team,omitempty"`
	Calls int64   `json:"calls"`
	Share float64 `json:"share"` // of its own calls
}

// Savings are ways to have spent less in a period, each with its proof.
type Savings struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Currency string    `json:"currency"`
	Looked   int64     `json:"looked"` // calls that were looked at
	Cut      bool      `json:"cut"`    // there were more
	Items    []Saving  `json:"items"`
}

// Saving is one way to spend less.
type Saving struct {
	ID       string        `json:"id"` // prompt_cache, context, repeats
	Title    string        `json:"title"`
	How      string        `json:"how"`    // how the figure comes about
	Do       string        `json:"do"`     // what would bring it
	Figure   *float64      `json:"figure"` // nil: unknown
	AtMost   bool          `json:"at_most"`
	Proved   float64       `json:"proved"`  // of checked, what the runs' messages prove
	Checked  float64       `json:"checked"` // the figure of the runs below
	Calls    int64         `json:"calls"`
	Tokens   int64         `json:"tokens"`
	Unpriced int64         `json:"unpriced"` // calls that would count and have no price
	Agents   []SavingAgent `json:"agents"`
	Runs     []SavingRun   `json:"runs"`
}

// SavingAgent is an agent's part.
type SavingAgent struct {
	Agent  string  `json:"agent"`
	Model  string  `json:"model,omitempty"`
	Figure float64 `json:"figure"`
	Calls  int64   `json:"calls"`
}

// SavingRun is a run's part.
type SavingRun struct {
	Run    string  `json:"run"`
	Agent  string  `json:"agent"`
	Figure float64 `json:"figure"`
	Calls  int64   `json:"calls"`
	Proved bool    `json:"proved"`
	What   string  `json:"what"`
}

// IdleRequest asks for agents that nobody used.
type IdleRequest struct {
	Days int `query:"days"` // without a run; 30 by default
}

// IdleAgent is an agent that nobody used: without a run, or without anybody whom
// its runs were for.
type IdleAgent struct {
	Agent     string     `json:"agent"`
	Team      string     `json:"team"`
	Owner     string     `json:"owner"`
	Lifecycle string     `json:"lifecycle"`
	LastSeen  *time.Time `json:"last_seen"` // nil: never
	CreatedAt time.Time  `json:"created_at"`
}

// CostFileRequest asks for a month as a file.
type CostFileRequest struct {
	Month string `query:"month"` // the month before by default
	Kind  string `query:"kind"`  // chargeback, focus
	Team  string `query:"team"`
}

// CostFile is a file to hand on. Unpriced calls are not in its money.
type CostFile struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Text     string  `json:"text"`
	Rows     int64   `json:"rows"`
	Unpriced int64   `json:"unpriced"`
	Currency string  `json:"currency"`
	Total    float64 `json:"total"`
}

// CostReportRequest asks for the report of a month.
type CostReportRequest struct {
	Month string `query:"month"` // the month before by default
	Team  string `query:"team"`
	PDF   bool   `query:"pdf"`
}

// SendCostReportRequest names the month whose report is mailed.
type SendCostReportRequest struct {
	Month string `json:"month,omitempty"` // the month before by default
}

// MonthlyReport is a month on two pages.
type MonthlyReport struct {
	Month string `json:"month"`
	Text  string `json:"text"`          // Markdown
	PDF   string `json:"pdf,omitempty"` // base64
}
