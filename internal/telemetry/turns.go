package telemetry

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Turns makes way for calls. While somebody waits at the door, heavy work
// (decoding, folding, encoding and merging telemetry, compressing the archive)
// keeps to half of the processors, at least one; else it takes all. With all of
// them busy the runtime looks at the network every 10 ms only, and each
// hand-over from goroutine to goroutine may wait as long again.
//
// Safe for concurrent use; a nil one lets everything go at once.
type Turns struct {
	most   int
	urgent atomic.Pointer[func() bool]

	mu    sync.Mutex // guards what follows
	given sync.Cond
	taken int
	held  int // by who must have everything at once
}

// NewTurns makes turns that nobody has to wait for until Urgent is called.
func NewTurns() *Turns {
	t := &Turns{most: max(1, runtime.GOMAXPROCS(0)/2)}
	t.given.L = &t.mu
	return t
}

// Urgent says how to find out whether somebody waits for an answer now.
func (t *Turns) Urgent(is func() bool) { t.urgent.Store(&is) }

// Take waits for a turn, which Give ends. Who has one takes no other, and waits
// for no lock that is held by one who waits for a turn.
func (t *Turns) Take() {
	if t == nil {
		return
	}
	is := t.urgent.Load()
	t.mu.Lock()
	for t.held > 0 || is != nil && t.taken >= t.most && (*is)() {
		t.given.Wait()
	}
	t.taken++
	t.mu.Unlock()
}

// Give ends a turn.
func (t *Turns) Give() {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.taken--
	t.mu.Unlock()
	t.given.Signal()
}

// holdFor bounds how long Hold keeps heavy work from beginning, whoever forgets
// to release it.
const holdFor = 250 * time.Millisecond

// Hold keeps heavy work from beginning until release is called, for a quarter of
// a second at most: a stop must not wait behind telemetry. What has begun goes on.
func (t *Turns) Hold() (release func()) {
	if t == nil {
		return func() {}
	}
	t.mu.Lock()
	t.held++
	t.mu.Unlock()
	once := sync.OnceFunc(func() {
		t.mu.Lock()
		t.held--
		t.mu.Unlock()
		t.given.Broadcast()
	})
	timer := time.AfterFunc(holdFor, once)
	return func() {
		timer.Stop()
		once()
	}
}

// restEvery is how long heavy work computes before it lets others run.
const restEvery = time.Millisecond

// Rest lets other goroutines run when work went on for long since last, which it
// sets. The runtime itself would let it compute for 10 ms.
func Rest(last *time.Time) {
	if now := time.Now(); now.Sub(*last) > restEvery {
		runtime.Gosched()
		*last = time.Now()
	}
}
