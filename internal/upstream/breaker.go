package upstream

import (
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// Breaker keeps calls from an upstream that fails, and lets one through from
// time to time to see whether it still does. It is safe for concurrent use.
type Breaker struct {
	now func() time.Time

	mu      sync.Mutex
	row     int // failures in a row
	until   time.Time
	pause   time.Duration
	probing time.Time // when the one call was let through; zero: none
	state   string
	since   time.Time
	last    string
	calls   int64
	errors  int64
	recent  [256]time.Duration
	taken   int
}

const (
	tripAfter  = 5
	firstPause = 5 * time.Second
	maxPause   = time.Minute
	probeLife  = 30 * time.Second // a probe that never came back is given up
)

// NewBreaker makes a closed breaker; nil means time.Now.
func NewBreaker(now func() time.Time) *Breaker {
	if now == nil {
		now = time.Now
	}
	return &Breaker{now: now, state: "unknown"}
}

// Allow refuses a call while the breaker is open.
func (b *Breaker) Allow() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != "open" {
		return nil
	}
	now := b.now()
	if now.Before(b.until) || !b.probing.IsZero() && now.Sub(b.probing) < probeLife {
		return fault.New(fault.KindUnavailable, "upstream.open", "the upstream failed %d times in a row and is left alone for now", b.row).
			WithHint("retry in %s", max(b.until.Sub(now), time.Second).Round(time.Second))
	}
	b.probing = now
	return nil
}

// Done reports how an allowed call went: a nil error is an answer that is no
// fault of the upstream's. A call that was cut or refused by us is not reported.
func (b *Breaker) Done(took time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.calls++
	if err == nil {
		b.recent[b.taken%len(b.recent)] = took
		b.taken++
		b.row, b.pause, b.probing = 0, 0, time.Time{}
		b.turn("ok", now)
		return
	}
	b.errors++
	b.failed(err)
}

// failed notes a failure in a row; mu is held.
func (b *Breaker) failed(err error) {
	now := b.now()
	b.row++
	b.last = clipped(err)
	switch probe := !b.probing.IsZero(); {
	case probe || b.state != "open" && b.row >= tripAfter:
		b.pause = min(max(2*b.pause, firstPause), maxPause)
		b.until, b.probing = now.Add(b.pause), time.Time{}
		b.turn("open", now)
	case b.state != "open":
		b.turn("failing", now)
	}
}

// clipped is an error as people see it.
func clipped(err error) string {
	text := err.Error()
	return text[:min(len(text), 300)]
}

func (b *Breaker) turn(state string, now time.Time) {
	if b.state != state {
		b.state, b.since = state, now
	}
}

// Health is how the upstream answers now.
func (b *Breaker) Health() client.UpstreamHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := client.UpstreamHealth{State: b.state, LastError: b.last, Calls: b.calls, Errors: b.errors}
	if !b.since.IsZero() {
		since := b.since.UTC()
		h.Since = &since
	}
	if n := min(b.taken, len(b.recent)); n > 0 {
		sorted := slices.Clone(b.recent[:n])
		slices.Sort(sorted)
		ms := float64(sorted[(n*95+99)/100-1].Microseconds()) / 1000
		h.P95MS = &ms
	}
	return h
}
