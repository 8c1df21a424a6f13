package telemetry

import (
	"time"

	"reeve/internal/activity"
)

// Remap asks for the steps of a run to be mapped again by today's table.
type Remap struct {
	From, To time.Time // steps that began then
	All      bool      // also those of today's version
	Dry      bool      // nothing changes: only tell
	// Visit is told of every step that was mapped again; nil tells nobody.
	Visit func(*Remapped)
}

// Remapped is what became of a step that was mapped again.
type Remapped struct {
	Run     activity.RunID
	Step    activity.StepID
	Name    string
	Start   int64
	Dialect string
	Version int32 // of the table that had made it
	// Changes are the fields that differ; none where the tables agree.
	Changes []FieldChange
}

// FieldChange is a field that differs. Content is named, never told.
type FieldChange struct{ Field, Before, After string }

// MappedRun is a run with steps that an older table made.
type MappedRun struct {
	Run   activity.RunID
	Steps int64
}
