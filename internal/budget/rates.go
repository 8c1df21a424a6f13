package budget

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
)

// Rates counts how often things happen and refuses what is too often.
//
// A limit "n/m by agent" lets at most n through in any minute, wherever the
// minute begins; a token bucket would let 2n-1 through in the minute after a
// pause. Up to 32 the times themselves are kept, and a place is free exactly
// when its minute is over. Above it the window is cut into 32 slices that are
// counted, and a place is free at most a slice (3 % of the window) late, never
// early.
//
//	        |<------------- window ------------>|now
//	slices  |  3 |  0 |  9 | ...           |  4 |  2
//	          ^ counts until the whole slice is outside
type Rates struct {
	start time.Time // times are kept since then, by the monotonic clock
	most  int

	mu      sync.Mutex
	buckets map[bucketKey]*bucket
	idle    [4]queue // by window, the longest unused first
	owned   map[string]int
}

// Keys are by whom limits count.
type Keys struct{ Agent, Instance, User, Team, Resource string }

// Rate is a limit of a policy's statement. Each statement counts for itself,
// whatever else has the same text. It has the fields of policy.Limit, so that
// one converts into the other.
type Rate struct{ Text, Statement string }

// RatesOption changes how Take counts. The zero value changes nothing.
type RatesOption struct{ divide int64 }

// maxDivide keeps a divided limit within what a bucket remembers.
const maxDivide = 32

// Divided lets only the n-th part through: of 30/m divided by 4 seven a minute,
// of 1/m one in four minutes. What happened before counts as well.
func Divided(by int64) RatesOption { return RatesOption{min(max(by, 1), maxDivide)} }

// DefaultBuckets is how many buckets a Rates holds at most, some 300 bytes
// each.
const DefaultBuckets = 200_000

// NewRates makes empty buckets, at most so many (0: DefaultBuckets). now is the
// time at which counting starts.
func NewRates(now time.Time, most int) *Rates {
	if most <= 0 {
		most = DefaultBuckets
	}
	return &Rates{start: now, most: most, buckets: map[bucketKey]*bucket{}, owned: map[string]int{}}
}

// by is what a limit counts for.
type by uint8

const (
	perAgent by = iota
	perInstance
	perUser
	perTeam
	perResource
)

var byNames = [...]string{"agent", "instance", "user", "team", "resource"}

var windows = [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}

const windowNames = "smhd"

// rate is a limit as read.
type rate struct {
	n      int64
	window uint8 // index of windows
	by     by
}

var errRate = errors.New("it is no limit")

// parseRate reads "30/h by agent". It is quick enough to be asked each time,
// which saves remembering limits of policies that are long gone.
func parseRate(text string) (rate, error) {
	count, rest, ok := strings.Cut(text, "/")
	n, err := strconv.ParseInt(count, 10, 64)
	if !ok || err != nil || n < 1 || n > 999_999_999 || len(rest) < 5 || rest[1:5] != " by " {
		return rate{}, errRate
	}
	w := strings.IndexByte(windowNames, rest[0])
	for i, name := range byNames {
		if w >= 0 && rest[5:] == name {
			return rate{n, uint8(w), by(i)}, nil
		}
	}
	return rate{}, errRate
}

// bucketKey names a bucket. Who has no instance or user shares one with the
// same agent's others that have none, so leaving a name out gains nothing.
type bucketKey struct {
	Rate
	by   by
	a, b string
}

func keyOf(r Rate, b by, k *Keys) bucketKey {
	key := bucketKey{Rate: r, by: b}
	switch b {
	case perAgent:
		key.a = k.Agent
	case perInstance:
		key.a, key.b = k.Agent, k.Instance
	case perUser:
		if key.b = k.User; k.User == "" {
			key.a = k.Agent
		}
	case perTeam:
		key.a = k.Team
	default:
		key.a = k.Resource
	}
	return key
}

// Take charges every limit once, or none when one of them has nothing left.
// Limits are texts such as "30/h by agent"; the same text twice counts once.
func (r *Rates) Take(now time.Time, limits []string, k Keys, options ...RatesOption) error {
	if len(limits) == 0 {
		return nil
	}
	var buf [8]Rate
	list := buf[:0]
	for _, l := range limits {
		list = append(list, Rate{Text: l})
	}
	return r.TakeRates(now, list, k, options...)
}

// TakeRates is Take for limits that belong to statements.
func (r *Rates) TakeRates(now time.Time, limits []Rate, k Keys, options ...RatesOption) error {
	if len(limits) == 0 {
		return nil
	}
	var o RatesOption
	for _, more := range options {
		o.divide = max(o.divide, more.divide)
	}
	var buf [8]charge
	list := buf[:0]
	r.mu.Lock()
	defer r.mu.Unlock()
	at := now.Sub(r.start)
	r.forget(at)
	for _, l := range limits {
		c, err := r.look(at, l, &k, o)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	for i, c := range list {
		if !charged(list[:i], c.bucket) {
			c.bucket.add(at)
			r.touch(c.bucket, at, o)
		}
	}
	return nil
}

// charge is a bucket that a call is about to be counted in.
type charge struct{ bucket *bucket }

func charged(list []charge, b *bucket) bool {
	for _, c := range list {
		if c.bucket == b {
			return true
		}
	}
	return false
}

// look finds the bucket of a limit and whether it has room.
func (r *Rates) look(at time.Duration, l Rate, k *Keys, o RatesOption) (charge, error) {
	p, err := parseRate(l.Text)
	if err != nil { // policies are checked when they are saved
		return charge{}, fault.New(fault.KindDenied, "limit.unreadable", "the limit %.60q cannot be read", l.Text)
	}
	b, err := r.bucket(keyOf(l, p.by, k), p, k.Agent)
	if err != nil {
		return charge{}, err
	}
	if wait := b.wait(at, o.divide); wait > 0 {
		f := fault.New(fault.KindExhausted, "limit.rate", "the limit %s is used up", l.Text).WithRetryAfter(wait)
		if o.divide > 1 {
			f = f.WithHint("retry in %s; the agent is throttled to 1/%d of it", shortly(wait), o.divide)
		} else {
			f = f.WithHint("retry in %s", shortly(wait))
		}
		return charge{}, f
	}
	return charge{b}, nil
}

func shortly(d time.Duration) time.Duration {
	if d < time.Second {
		return max(d.Round(time.Millisecond), time.Millisecond)
	}
	return d.Round(time.Second)
}

// bucket finds or makes a bucket. A full table refuses new ones, since putting
// a bucket out that is in use would let its limit begin anew; and one agent
// that takes on ever new names fills no more than its part.
func (r *Rates) bucket(key bucketKey, p rate, agent string) (*bucket, error) {
	if b := r.buckets[key]; b != nil {
		return b, nil
	}
	if len(r.buckets) >= r.most || r.owned[agent] >= max(r.most/8, 1) {
		return nil, fault.New(fault.KindExhausted, "limit.too_many", "limits count for too many names at once").
			WithHint("retry in %s", windows[p.window]).WithRetryAfter(windows[p.window])
	}
	b := newBucket(key, p, agent)
	r.buckets[key] = b
	r.owned[agent]++
	r.idle[p.window].append(b)
	return b, nil
}

// touch notes that a bucket was used.
func (r *Rates) touch(b *bucket, at time.Duration, o RatesOption) {
	q := &r.idle[b.window]
	b.until = max(b.until, at+b.remembers(o.divide))
	if q.last != b {
		q.remove(b)
		q.append(b)
	}
}

// forget drops buckets in which nothing counts any more: a new one would be the
// same. At most a few at a time, so that no call waits for it.
func (r *Rates) forget(at time.Duration) {
	for i := range r.idle {
		q := &r.idle[i]
		for range 4 {
			b := q.first
			if b == nil || at < b.until {
				break
			}
			q.remove(b)
			delete(r.buckets, b.key)
			if r.owned[b.owner]--; r.owned[b.owner] <= 0 {
				delete(r.owned, b.owner)
			}
		}
	}
}

// queue is a list of buckets by last use.
type queue struct{ first, last *bucket }

func (q *queue) append(b *bucket) {
	b.before, b.after = q.last, nil
	if q.last == nil {
		q.first = b
	} else {
		q.last.after = b
	}
	q.last = b
}

func (q *queue) remove(b *bucket) {
	if b.before == nil {
		q.first = b.after
	} else {
		b.before.after = b.after
	}
	if b.after == nil {
		q.last = b.before
	} else {
		b.after.before = b.before
	}
	b.before, b.after = nil, nil
}
