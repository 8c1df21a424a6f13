package gateway

import (
	"context"

	"reeve/internal/activity"
)

// Speaker is a Protocol into whose calls a person's words can be put.
type Speaker interface {
	// Say is c.Body with text as what was said last to the model; ok is false when
	// this call can carry none.
	Say(c *Call, text string) (body []byte, ok bool)
}

// note puts what people said to the run into a call of its model. The call is then
// read anew, so that all that follows is about what is really sent.
func (d *Door) note(_ context.Context, x *passage) error {
	by, ok := x.protocol.(Speaker)
	if !ok || d.o.Steer == nil || !d.o.Steer.Any() || x.proposal == nil || x.proposal.Kind != activity.KindModel {
		return nil
	}
	asked := x.Body
	for _, n := range d.o.Steer.Take(x.record.Run.String(), x.Caller.Agent.Name, x.record.ID) {
		body, ok := by.Say(&x.Call, n.By.Name+", who supervises this run, says: "+n.Text)
		x.noted = append(x.noted, n.ID)
		if !ok {
			return nil // the next call carries it
		}
		x.Body, x.unnoted = body, asked
	}
	if x.unnoted == nil {
		return nil
	}
	p, err := x.protocol.Propose(&x.Call)
	x.proposal = p
	return err
}
