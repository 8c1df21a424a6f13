package client

import "time"

// Remap is a time whose stored steps are mapped again by today's table: first
// planned, with what differs, then applied.
type Remap struct {
	ID       string       `json:"id"`
	State    string       `json:"state"` // planning, planned, applying, applied, failed
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to"`
	All      bool         `json:"all"`       // also steps that today's version made
	Version  int          `json:"version"`   // of the table that it was planned with
	Days     int64        `json:"days"`      // of the time
	DaysDone int64        `json:"days_done"` // of the state's work
	RunsDone int64        `json:"runs_done"` // of the state's work
	Steps    int64        `json:"steps"`     // that another table made, as the plan found them
	Changed  int64        `json:"changed"`   // of those, that differ by today's
	Applied  int64        `json:"applied"`   // that were changed
	Rows     []RemapRow   `json:"rows"`
	Fields   []RemapField `json:"fields"`

	Person    string     `json:"person"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"` // of the state's work
	TookMS    int64      `json:"took_ms"`
	Failed    int64      `json:"failed"` // runs that could not be read, and stay as they are
	Error     string     `json:"error,omitempty"`
}

// RemapRow is the steps of one dialect that one version of the table made.
type RemapRow struct {
	Dialect string `json:"dialect"`
	Version int    `json:"version"`
	Steps   int64  `json:"steps"`
	Changed int64  `json:"changed"`
}

// RemapField is a field that differs, in how many steps, with up to three of them.
type RemapField struct {
	Field    string         `json:"field"`
	Steps    int64          `json:"steps"`
	Examples []RemapExample `json:"examples"`
}

// RemapExample is a field of one step, as it is and as it is to be. Of content it
// tells where it comes from, never what was said.
type RemapExample struct {
	Run    string `json:"run"`
	Step   string `json:"step"`
	Name   string `json:"name,omitempty"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// PlanRemapRequest asks what mapping again would change. A time that is left out
// is open. All asks for steps of today's version as well.
type PlanRemapRequest struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	All  bool       `json:"all,omitempty"`
}

// RemapRequest names one.
type RemapRequest struct {
	ID string `path:"id"`
}
