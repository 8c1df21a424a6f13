package budget

import "time"

const (
	exact  = 32 // up to which every time is kept
	pieces = 32 // of a window, above it
)

// bucket counts one limit for one key.
type bucket struct {
	key           bucketKey
	owner         string
	n             int64
	window        uint8
	until         time.Duration // nothing in it counts from then on
	before, after *bucket       // in its queue

	times []time.Duration // ring of the last n, for a small n
	next  int
	held  int

	slots []uint32 // ring of pieces+1: one of them is not over
	slot  int64    // the newest
	sum   int64
}

func newBucket(key bucketKey, p rate, owner string) *bucket {
	b := &bucket{key: key, owner: owner, n: p.n, window: p.window}
	if p.n <= exact {
		b.times = make([]time.Duration, p.n)
	} else {
		b.slots = make([]uint32, pieces+1)
	}
	return b
}

// allowed is how many go through in which window when only a part may.
func (b *bucket) allowed(divide int64) (n int64, window time.Duration) {
	window = windows[b.window]
	switch {
	case divide <= 1:
		return b.n, window
	case b.n >= divide:
		return b.n / divide, window
	}
	// Less than one in a window: one in a longer one.
	return 1, window * time.Duration(divide) / time.Duration(b.n)
}

// remembers is how long what happens now counts.
func (b *bucket) remembers(divide int64) time.Duration {
	_, window := b.allowed(divide)
	if b.slots != nil {
		window += window / pieces
	}
	return window
}

// wait is how long until one more may go through; 0 is now. A clock that went
// back is taken to stand still.
func (b *bucket) wait(at time.Duration, divide int64) time.Duration {
	n, window := b.allowed(divide)
	if b.times != nil {
		return b.waitExact(at, int(n), window)
	}
	return b.waitSliced(at, n)
}

func (b *bucket) waitExact(at time.Duration, n int, window time.Duration) time.Duration {
	if b.held < n {
		return 0
	}
	// The n-th last one must have left.
	nth := b.times[(b.next-n+2*len(b.times))%len(b.times)]
	return max(nth+window-at, 0)
}

func (b *bucket) waitSliced(at time.Duration, n int64) time.Duration {
	size := windows[b.window] / pieces
	b.turn(int64(at / size))
	left := b.sum
	if left < n {
		return 0
	}
	for i := int64(pieces); i >= 0; i-- { // the oldest first
		if left -= int64(b.slots[(b.slot-i+pieces+1)%(pieces+1)]); left < n {
			return max(time.Duration(b.slot-i+pieces+1)*size-at, 1)
		}
	}
	return windows[b.window] // not reached: without all of them nothing is left
}

// turn brings the ring to the slice of now and drops those that left.
func (b *bucket) turn(slot int64) {
	if slot-b.slot > pieces {
		clear(b.slots)
		b.slot, b.sum = slot, 0
		return
	}
	for b.slot < slot {
		b.slot++
		i := b.slot % (pieces + 1)
		b.sum -= int64(b.slots[i])
		b.slots[i] = 0
	}
}

// add counts one.
func (b *bucket) add(at time.Duration) {
	if b.times == nil {
		b.turn(int64(at / (windows[b.window] / pieces)))
		b.slots[b.slot%(pieces+1)]++
		b.sum++
		return
	}
	if b.held > 0 {
		at = max(at, b.times[(b.next-1+len(b.times))%len(b.times)])
	}
	b.times[b.next] = at
	b.next = (b.next + 1) % len(b.times)
	b.held = min(b.held+1, len(b.times))
}
