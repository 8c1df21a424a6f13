package client

import "time"

// OtherSystems are the other systems that Reeve speaks to, and whether each works.
type OtherSystems struct {
	Items []OtherSystem `json:"items"` // those that fail first
	Parts []string      `json:"parts"` // that were asked; what is missing could not be
	Text  string        `json:"text"`
}

// OtherSystem is one other system.
type OtherSystem struct {
	Kind         string     `json:"kind"` // upstream, channel, alert_source, poller, relay, siem, sign_in
	Name         string     `json:"name"`
	What         string     `json:"what"`      // what it is: mcp, slack, otlp
	Where        string     `json:"where"`     // its address, without secrets; or the path that it sends to
	Direction    string     `json:"direction"` // out (we call), in (it calls), both
	Team         string     `json:"team,omitempty"`
	State        string     `json:"state"` // working, failing, quiet (nothing was tried or came yet), off, unknown
	Reason       string     `json:"reason,omitempty"`
	LastOKAt     *time.Time `json:"last_ok_at"`
	FailingSince *time.Time `json:"failing_since"`
	LastError    string     `json:"last_error,omitempty"`
	Waiting      *int64     `json:"waiting"` // that it does not have yet; null: nothing waits for it
	Path         string     `json:"path"`    // where it is set
}
