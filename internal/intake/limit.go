package intake

import (
	"math"
	"sync"
	"time"

	"reeve/internal/fault"
)

// limits hold senders back: bytes in flight over all and for each, and each
// one's rate. Nothing waits here; a caller is let in or told when to come again.
type limits struct {
	total int64

	mu      sync.Mutex
	used    int64
	senders map[string]*account

	// What all senders sent lately, as summed up at a time.
	summed time.Time
	recent float64
	active int
}

// account is one sender's share. Tokens may be in debt: a request is let in
// while they are above zero and pays what it cost when that is known.
type account struct {
	inFlight    int64
	spans       float64
	bytes       float64
	refilled    time.Time
	initialised bool

	recent float64   // what was accepted of it lately, in bytes, the older the less
	seen   time.Time // when recent was that
}

// maxAccounts bounds memory; idle ones beyond it are forgotten, which only ever
// gives a sender a fresh burst.
const maxAccounts = 4096

func newLimits(total int64) *limits {
	return &limits{total: total, senders: map[string]*account{}}
}

// retryError is a refusal with the time after which to come again.
type retryError struct {
	why   *fault.Error
	after time.Duration
}

func (e *retryError) Error() string { return e.why.Error() }

func (e *retryError) Unwrap() error { return e.why }

func (l *limits) inFlight() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// full reports that not even a small request would be let in.
func (l *limits) full() bool { return l.inFlight() >= l.total }

func (l *limits) account(id string, now time.Time) *account {
	a := l.senders[id]
	if a == nil {
		if len(l.senders) >= maxAccounts {
			for k, old := range l.senders {
				if old.inFlight == 0 && now.Sub(old.refilled) > time.Minute && now.Sub(old.seen) > time.Minute {
					delete(l.senders, k)
				}
			}
		}
		a = &account{}
		l.senders[id] = a
	}
	return a
}

// refill adds what the time since the last call earned, up to two seconds' worth.
func (a *account) refill(s Sender, now time.Time) {
	if !a.initialised {
		a.spans, a.bytes, a.initialised, a.refilled = 2*s.SpansPerSecond, 2*s.BytesPerSecond, true, now
		return
	}
	if d := now.Sub(a.refilled).Seconds(); d > 0 {
		a.spans = min(a.spans+d*s.SpansPerSecond, 2*s.SpansPerSecond)
		a.bytes = min(a.bytes+d*s.BytesPerSecond, 2*s.BytesPerSecond)
		a.refilled = now
	}
}

// enter asks whether a sender is within its rate.
func (l *limits) enter(s Sender, now time.Time) error {
	if s.SpansPerSecond <= 0 && s.BytesPerSecond <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(s.ID, now)
	a.refill(s, now)
	wait := 0.0
	if s.SpansPerSecond > 0 && a.spans <= 0 {
		wait = -a.spans / s.SpansPerSecond
	}
	if s.BytesPerSecond > 0 && a.bytes <= 0 {
		wait = max(wait, -a.bytes/s.BytesPerSecond)
	}
	if wait == 0 && (s.SpansPerSecond <= 0 || a.spans > 0) && (s.BytesPerSecond <= 0 || a.bytes > 0) {
		return nil
	}
	return &retryError{
		fault.New(fault.KindExhausted, "intake.quota", "this key is above its quota").WithHint("send less, or ask for a larger quota"),
		time.Duration(math.Ceil(max(wait, 0.001)*1000)) * time.Millisecond,
	}
}

// charge takes from the sender's rate what a request was.
func (l *limits) charge(s Sender, records, bytes int64, now time.Time) {
	if s.SpansPerSecond <= 0 && s.BytesPerSecond <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(s.ID, now)
	a.refill(s, now)
	a.spans -= float64(records)
	a.bytes -= float64(bytes)
}

// recently is the time constant of what a sender sent lately.
const recently = 10 * time.Second

// lately is what was accepted of a sender lately, seen from now.
func (a *account) lately(now time.Time) float64 {
	if d := now.Sub(a.seen); d > 0 {
		return a.recent * math.Exp(-d.Seconds()/recently.Seconds())
	}
	return a.recent
}

// count notes what was accepted of a sender: bytes, and what records take beyond.
func (l *limits) count(id string, records, bytes int64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(id, now)
	a.recent, a.seen = a.lately(now)+float64(bytes+records*recordBytes), now
}

// heavy reports whether a sender sent as much lately as all did on average, or more:
// of senders at least one always did.
func (l *limits) heavy(id string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.summed) > time.Second/4 || now.Before(l.summed) {
		l.summed, l.recent, l.active = now, 0, 0
		for _, a := range l.senders {
			if v := a.lately(now); v >= 1 {
				l.recent += v
				l.active++
			}
		}
	}
	if l.active < 2 {
		return true
	}
	a := l.senders[id]
	return a != nil && a.lately(now)*float64(l.active) >= l.recent
}

// reserve takes n more bytes in flight for a request that holds held. All of them together stay below
// the total; one sender stays below half of it, so that another always finds
// room, except that a single request of any allowed size passes.
func (l *limits) reserve(id string, held, n int64, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.account(id, now)
	if l.used+n > l.total || (a.inFlight > held && a.inFlight+n > l.total/2) {
		return &retryError{
			fault.New(fault.KindExhausted, "intake.busy", "too much is being taken in at this moment").WithHint("send again"),
			time.Second,
		}
	}
	l.used += n
	a.inFlight += n
	return nil
}

func (l *limits) release(id string, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used -= n
	if a := l.senders[id]; a != nil {
		a.inFlight -= n
	}
}

// ticket is what one request holds of the bytes in flight.
type ticket struct {
	l   *limits
	id  string
	n   int64
	now time.Time
}

// grow makes the ticket good for n bytes.
func (t *ticket) grow(n int64) error {
	if n <= t.n {
		return nil
	}
	if err := t.l.reserve(t.id, t.n, n-t.n, t.now); err != nil {
		return err
	}
	t.n = n
	return nil
}

// growWithin is grow up to half of all: what a single request of an allowed size
// needs must be found when nobody else sends.
func (t *ticket) growWithin(n int64) error { return t.grow(min(n, t.l.total/2)) }

// trim gives back what is held above n bytes.
func (t *ticket) trim(n int64) {
	if n = max(n, 0); n < t.n {
		t.l.release(t.id, t.n-n)
		t.n = n
	}
}

func (t *ticket) close() {
	if t.n > 0 {
		t.l.release(t.id, t.n)
		t.n = 0
	}
}
