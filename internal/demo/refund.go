package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// heldName is the agent whose large refunds wait for a person: see largeRefunds.
const heldName = "refund-agent"

const refundLasts = 10 * time.Minute

// playRefund lets the refund agent ask for a large refund, which waits for a
// person: approve, edit or deny it in the inbox, and see what the agent does.
func playRefund(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	d.mu.Lock()
	door := d.at.Door
	d.mu.Unlock()
	if door == "" {
		return errNoDoor
	}
	return d.refundHeld(ctx, g, r, time.Duration(d.o.Pace*float64(refundLasts)))
}

// refundHeld asks for one refund and waits for it: its lines here are the
// agent's own terminal.
func (d *Demo) refundHeld(ctx context.Context, g *errgroup.Group, r *rand.Rand, lasts time.Duration) error {
	d.mu.Lock()
	at, key := d.at, d.agentKeys[heldName]
	d.mu.Unlock()
	session, order := fmt.Sprintf("ticket-%d", r.IntN(1_000_000)), fmt.Sprint(1000+r.IntN(400))
	amount := float64(200+r.IntN(250)) + 0.90
	g.Go(func() error {
		ctx, cancel := context.WithTimeout(ctx, lasts)
		defer cancel()
		if _, err := d.rogueCall(ctx, at, key, session, http.MethodGet, "/api/orders/"+order, nil); err != nil {
			return d.heldEnd(ctx, err)
		}
		d.say("%s: wants to refund %.2f EUR for order %s, which waits for a person: see Inbox", heldName, amount, order)
		body := map[string]any{"order_id": order, "amount": amount, "reason": "arrived broken, the customer asks for the money back"}
		for {
			answer, err := d.rogueCall(ctx, at, key, session, http.MethodPost, "/api/refunds", body)
			var p *client.Problem
			switch {
			case err == nil:
				d.say("%s: a person agreed; the shop says %.200s", heldName, answer)
				return nil
			case !errors.As(err, &p) || p.Code != "approval.pending":
				return d.heldEnd(ctx, err)
			}
			select {
			case <-ctx.Done():
				return d.heldEnd(ctx, ctx.Err())
			case <-time.After(time.Second): // as Retry-After says
			}
		}
	})
	return nil
}

// heldEnd says why the refund was not made.
func (d *Demo) heldEnd(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		d.say("%s: no refund: %v", heldName, err)
	}
	return nil
}
