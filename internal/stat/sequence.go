package stat

import (
	"math"

	"reeve/internal/detect/chance"
)

func lgamma(x float64) float64 { v, _ := math.Lgamma(x); return v }

func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

// Anytime is an interval of a share after k of n successes that holds at all
// times at once: the chance that it ever misses, however often one looks, is at
// most alpha. It is wider than Wilson's, which holds for one look.
func Anytime(k, n int64, alpha float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	p, inside := float64(k)/float64(n), anytime(k, n, alpha)
	return edge(p, 0, inside), edge(p, 1, inside)
}

// anytime tells which shares lie in the interval: those whose likelihood is not
// beaten by the mixture's by more than 1/alpha.
func anytime(k, n int64, alpha float64) func(p float64) bool {
	s, f := float64(k), float64(n-k)
	mixture := lbeta(s+0.5, f+0.5) - lbeta(0.5, 0.5)
	return func(p float64) bool { return mixture-logBernoulli(s, f, p) < -math.Log(alpha) }
}

// logBernoulli is the logarithm of p^s (1-p)^f, where 0^0 is 1.
func logBernoulli(s, f, p float64) float64 {
	var v float64
	if s > 0 {
		v += s * math.Log(p)
	}
	if f > 0 {
		v += f * math.Log1p(-p)
	}
	return v
}

// edge is the last value from inside towards to that is inside.
func edge(from, to float64, inside func(float64) bool) float64 {
	if inside(to) {
		return to
	}
	for range 60 {
		if mid := (from + to) / 2; inside(mid) {
			from = mid
		} else {
			to = mid
		}
	}
	return from
}

// Sequence watches a stream of successes and failures for falling short of a
// target share. The chance that it ever alarms while each success has at least
// the target's chance, given what came before, is at most Alpha, however often
// one looks and however long the stream is.
//
// It adds up bets against the target that begin at different places of the
// stream, each with a part of the money, so that a stream that was good for long
// does not hide that it is bad now. Not safe for concurrent use.
type Sequence struct {
	Target float64
	Alpha  float64
	Every  int64 // a further bet begins after so many

	Seen, Passed int64
	Begun        int64   // bets
	Bets         []Bet   // those that are watched, oldest first
	Worth        float64 // the most that all were worth together
}

// Bet is one bet: what came since it began.
type Bet struct {
	Money     float64
	N, Passed int64
}

// maxBets are watched at once. Dropping one gives its money away, which makes
// alarms rarer, never more frequent.
const maxBets = 48

// prior is how many observations the bets' belief about how bad bad is is worth:
// it looks for shares a few points under the target first.
const prior = 50

// NewSequence watches for less than target; a further bet begins after every
// observations.
func NewSequence(target, alpha float64, every int64) *Sequence {
	return &Sequence{Target: target, Alpha: alpha, Every: max(every, 1)}
}

// Add takes the next observation.
func (s *Sequence) Add(passed bool) {
	if s.Seen%s.Every == 0 {
		s.Begin()
	}
	s.Seen++
	one := int64(0)
	if passed {
		one = 1
	}
	s.Passed += one
	for i := range s.Bets {
		s.Bets[i].N++
		s.Bets[i].Passed += one
	}
}

// Begin places a further bet with its part of the money: 1/2, 1/6, 1/12... of all.
// Add does it by itself every so many observations; whoever counts time as well
// calls it when a time has passed.
func (s *Sequence) Begin() {
	s.Begun++
	j := float64(s.Begun)
	s.Bets = append(s.Bets, Bet{Money: 1 / (j * (j + 1))})
	if len(s.Bets) > maxBets {
		s.Bets = append(s.Bets[:0], s.Bets[1:]...)
	}
}

// Value is what the bets are worth now, of one unit put in.
func (s *Sequence) Value() float64 {
	worth := 1 / float64(s.Begun+1) // not placed yet
	for _, b := range s.Bets {
		worth += b.Money * math.Exp(min(logWorth(b.Passed, b.N-b.Passed, s.Target), 600))
	}
	s.Worth = max(s.Worth, worth)
	return worth
}

// Alarm reports whether the stream has fallen short of the target.
func (s *Sequence) Alarm() bool { return s.Value() >= 1/s.Alpha }

// logWorth is the likelihood of what came under shares below the target, mixed,
// over that under the target. For any share of at least the target its expected
// growth is none, since the ratio of two likelihoods falls in it.
func logWorth(passed, failed int64, target float64) float64 {
	if target <= 0 || target >= 1 {
		if target >= 1 && failed > 0 {
			return math.Inf(1)
		}
		return 0
	}
	a, b := target*prior, (1-target)*prior
	s, f := float64(passed), float64(failed)
	part := math.Log(chance.Beta(target, a+s, b+f)) - math.Log(chance.Beta(target, a, b))
	return lbeta(a+s, b+f) - lbeta(a, b) + part - logBernoulli(s, f, target)
}
