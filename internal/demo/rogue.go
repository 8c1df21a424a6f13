package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

const rogueLasts = 2 * time.Minute

// playRogue lets the payout helper go through orders and refund them one after
// the other, ever larger ones, until somebody stops it: its lines here are its
// own terminal. The door allows each call (small writes are what it is for);
// what is wrong is the pattern, which a person sees. If nobody does, the demo
// stops it.
func playRogue(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	if at.Door == "" {
		return errNoDoor
	}
	if err := d.released(ctx, at, rogueName); err != nil {
		return err
	}
	d.mu.Lock()
	key := d.agentKeys[rogueName]
	d.mu.Unlock()
	lasts := time.Duration(d.o.Pace * float64(rogueLasts))
	// Two refunds are under way at any moment, so that a stop has something to cut.
	session := fmt.Sprintf("payout-%d", r.IntN(1_000_000))
	ctx, cancel := context.WithTimeout(ctx, lasts+30*time.Second)
	hands, hctx := errgroup.WithContext(ctx)
	for i := range 2 {
		own := rand.New(rand.NewPCG(r.Uint64(), uint64(i)))
		hands.Go(func() error { return d.refundAll(hctx, at, key, session, own, i) })
	}
	g.Go(func() error {
		defer cancel()
		ended := make(chan struct{})
		go func() { _ = hands.Wait(); close(ended) }() // each hand has said why it ended
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			<-ended
			return nil
		case <-time.After(lasts):
		}
		d.say("%s: nobody has stopped it; the demo does.", rogueName)
		if err := call(ctx, at, http.MethodPost, "/stops", client.CreateStopRequest{Target: client.StopTarget{Kind: "agent", Value: rogueName}, Reason: "refunds one order after the other, ever larger"}, nil); err != nil {
			d.log.Warn("the rogue could not be stopped", "err", err)
			cancel()
		}
		<-ended
		return nil
	})
	return nil
}

// refundAll is one of the rogue's hands: look an order up, refund more than it
// cost, the next.
func (d *Demo) refundAll(ctx context.Context, at Endpoints, key, session string, r *rand.Rand, hand int) error {
	for n := 1; ctx.Err() == nil; n++ {
		order := fmt.Sprint(1000 + r.IntN(400))
		if _, err := d.rogueCall(ctx, at, key, session, http.MethodGet, "/api/orders/"+order, nil); err != nil {
			return d.ended(err)
		}
		amount := float64(20*n) + r.Float64()*40
		d.say("%s[%d]: refunding %.2f EUR for order %s ...", rogueName, hand+1, amount, order)
		began := time.Now()
		if _, err := d.rogueCall(ctx, at, key, session, http.MethodPost, "/api/refunds", map[string]any{"order_id": order, "amount": amount, "reason": "goodwill"}); err != nil {
			d.say("%s[%d]: refund of order %s ended after %.1f s", rogueName, hand+1, order, time.Since(began).Seconds())
			return d.ended(err)
		}
		d.say("%s[%d]: paid", rogueName, hand+1)
	}
	return nil
}

// ended says what the agent saw when it was ended.
func (d *Demo) ended(err error) error {
	d.say("%s: cut off: %v", rogueName, err)
	return err
}

// rogueCall makes one call through the door.
func (d *Demo) rogueCall(ctx context.Context, at Endpoints, key, session, method, path string, body any) ([]byte, error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, at.Door+"/http/shop"+path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("X-Reeve-Session", session)
	req.Header.Set("X-Reeve-Run", session)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		p := &client.Problem{Status: resp.StatusCode, Title: resp.Status, Detail: string(raw[:min(len(raw), 300)]), Code: "http"}
		_ = json.Unmarshal(raw, p) // an answer that is no problem document keeps its text as detail
		return nil, p
	}
	return raw, nil
}
