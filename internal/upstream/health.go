package upstream

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"reeve/internal/fault"
)

const (
	checkEvery   = 10 * time.Second
	checkTimeout = 5 * time.Second
	checksAtOnce = 8
	checkBody    = 64 << 10
)

// Run looks after what is not asked by calls: it asks the health path of each
// upstream that has one every ten seconds, and keeps secrets from Vault fresh,
// until ctx ends, whose cause it returns.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		r.checkAll(ctx)
		r.vault.refresh(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// checkAll asks every upstream with a health path, a few at once.
func (r *Registry) checkAll(ctx context.Context) {
	places := make(chan struct{}, checksAtOnce)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, u := range *r.all.Load() {
		if u.HealthPath == "" {
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-places }()
			// Not all in one moment: they may be behind one door of their own.
			t := time.NewTimer(rand.N(time.Second))
			defer t.Stop()
			select {
			case <-t.C:
				u.check(ctx)
			case <-ctx.Done():
			}
		})
	}
}

// check asks an upstream how it is, with its own credential.
func (u *Upstream) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := u.ask(ctx)
	if ctx.Err() == context.Canceled { // we are ending
		return
	}
	u.breaker.Checked(err)
}

func (u *Upstream) ask(ctx context.Context) error {
	target, err := u.Target(u.HealthPath, "")
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	if err := u.Authorize(req); err != nil {
		return err
	}
	resp, err := u.Client().Do(req)
	if err != nil {
		return fault.New(fault.KindUnavailable, "upstream.unhealthy", "its health path could not be asked").WithCause(err)
	}
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, checkBody); err != nil && err != io.EOF {
		return fmt.Errorf("reading the answer of the health path: %w", err)
	}
	// 401 and 403 come from an upstream that answers; whether calls may is
	// another question.
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusNotFound {
		return fault.New(fault.KindUnavailable, "upstream.unhealthy", "its health path answers %d", resp.StatusCode)
	}
	return nil
}
