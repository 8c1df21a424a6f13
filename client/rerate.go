package client

import "time"

// Rerate is a time whose model calls are priced again: first planned, with the
// difference, then applied, and undone where it was wrong. Costs that the sender
// gave stay.
type Rerate struct {
	ID        string      `json:"id"`
	State     string      `json:"state"` // planning, planned, applying, applied, undoing, undone, failed
	From      time.Time   `json:"from"`
	To        time.Time   `json:"to"`
	Prices    string      `json:"prices"` // in_force, or card: one that was given to be tried, which is never applied
	Days      int64       `json:"days"`
	DaysDone  int64       `json:"days_done"` // of the state's work
	Calls     int64       `json:"calls"`
	Given     int64       `json:"given"`   // calls whose cost their sender gave: they stay
	Changed   int64       `json:"changed"` // calls whose cost differs; of an applied one, that were changed
	Before    *float64    `json:"before"`  // dollars of the calls that differ; null where none had a price
	After     *float64    `json:"after"`
	Rows      []RerateRow `json:"rows"`
	Person    string      `json:"person"`
	CreatedAt time.Time   `json:"created_at"`
	EndedAt   *time.Time  `json:"ended_at"` // of the state's work
	TookMS    int64       `json:"took_ms"`
	Error     string      `json:"error,omitempty"`
}

// RerateRow is what differs for one model of a provider.
type RerateRow struct {
	Provider   string   `json:"provider,omitempty"`
	Model      string   `json:"model"`
	Currency   string   `json:"currency"`
	Calls      int64    `json:"calls"`
	Changed    int64    `json:"changed"`
	Before     *float64 `json:"before"`      // of the changed; null where none had a price
	After      *float64 `json:"after"`       // null where none has one
	NewlyKnown int64    `json:"newly_known"` // calls that had no price
	NowUnknown int64    `json:"now_unknown"` // calls that lose theirs
}

// PlanRerateRequest asks what pricing a time again would change. Card is a rate
// card to be tried, in YAML; without it the prices in force are taken.
type PlanRerateRequest struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Card string    `json:"card,omitempty"`
}

// RerateRequest names one.
type RerateRequest struct {
	ID string `path:"id"`
}
