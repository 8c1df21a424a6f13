package agent

import (
	"context"
	"slices"
	"time"

	"reeve/internal/control"
)

// Containments lists the words of containment, mildest first.
func Containments() []string { return slices.Clone(containments) }

// RespondIn sets a containment inside a transaction: what package response does
// for a finding, and what it takes back. want is given the agent as it is and
// says what shall hold, until a time or (zero) until somebody ends it; its error
// is returned as it is. Unlike Contain it may loosen, so callers take back only
// what they set themselves. action is respond, extend_response or undo_response.
func (r *Registry) RespondIn(ctx context.Context, tx *control.Tx, who Actor, name, action, reason string, want func(now *Agent) (level string, till time.Time, err error)) (*Agent, error) {
	return r.changeIn(ctx, tx, who, name, 0, action, reason, func(before, after *Agent) error {
		if err := who.need(before, "containing", responder, security); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		level, till, err := want(before)
		if err != nil {
			return err
		}
		if err := oneOf("a containment", level, containments); err != nil {
			return err
		}
		if level == None {
			till = time.Time{}
		}
		after.Containment, after.ContainedTill = level, micros(till)
		return nil
	})
}
