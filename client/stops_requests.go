package client

import "time"

// ListStopsRequest filters stops.
type ListStopsRequest struct {
	Active bool `query:"active"` // only those in force
	Limit  int  `query:"limit" max:"1000"`
}

// CreateStopRequest stops a target. A stop without an end holds until it is
// lifted.
type CreateStopRequest struct {
	Target StopTarget `json:"target"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
}

// LiftStopRequest ends a stop.
type LiftStopRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason,omitempty"`
}

// PreviewStopRequest asks what a stop would cut.
type PreviewStopRequest struct {
	Target StopTarget `json:"target"`
}

// StopPreview is what a stop would cut at this moment. Calls is cut off at
// 1,000; Total is their number.
type StopPreview struct {
	Target      StopTarget `json:"target"`
	Total       int        `json:"total"`
	Calls       []CutCall  `json:"calls"`
	Agents      []string   `json:"agents"`
	ThroughDoor bool       `json:"through_door"` // false: this agent's traffic does not pass the door
}
