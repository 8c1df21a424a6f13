package identity

import (
	"sync"
	"time"
)

// maxBuckets bounds a limiter's memory to a few MB, whoever asks.
const maxBuckets = 20_000

// limiter allows a burst of attempts per key and then one each interval. What
// succeeded is given back, so only failures count.
type limiter struct {
	burst float64
	every time.Duration

	mu      sync.Mutex // guards buckets
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(burst int, every time.Duration) *limiter {
	return &limiter{burst: float64(burst), every: every, buckets: map[string]bucket{}}
}

func (l *limiter) at(b bucket, now time.Time) bucket {
	return bucket{min(l.burst, b.left+float64(now.Sub(b.at))/float64(l.every)), now}
}

// take spends an attempt; when none is left, wait is how long until there is.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	if !known {
		l.makeRoom(now)
		b = bucket{l.burst, now}
	}
	if b = l.at(b, now); b.left < 1 {
		l.buckets[key] = b
		return time.Duration((1 - b.left) * float64(l.every)), false
	}
	b.left--
	l.buckets[key] = b
	return 0, true
}

// giveBack undoes a take.
func (l *limiter) giveBack(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	if !known {
		return
	}
	if b = l.at(b, now); b.left+1 >= l.burst {
		delete(l.buckets, key)
		return
	}
	b.left++
	l.buckets[key] = b
}

// makeRoom forgets who has nothing against them; if that is nobody it forgets
// anybody, since refusing newcomers would let a stranger lock out everyone. It
// frees a quarter at a time, so that a flood of names costs little each.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for key, b := range l.buckets {
		if l.at(b, now).left >= l.burst {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) <= maxBuckets*3/4 {
			return
		}
		delete(l.buckets, key)
	}
}
