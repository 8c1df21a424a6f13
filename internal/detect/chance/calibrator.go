package chance

import "math"

// Calibrator turns a score of unknown distribution into the probability that an
// ordinary value is as large. It keeps the largest values of the past and fits
// their tail, so that it speaks of values rarer than any it has seen.
//
// The tail is fitted with a generalised Pareto distribution by moments (the
// peaks-over-threshold method of extreme value theory, as in SPOT, Siffer et al.,
// KDD 2017). Memory fades: a value seen half a memory ago counts half.
//
// The zero value remembers 10,000 values.
type Calibrator struct {
	Memory float64 // values after which the past counts less; 0 is 10,000

	n        float64 // values seen, faded
	level    float64 // where the tail begins: about one value in fifty is above
	step     float64
	over     float64 // how many were above level, faded
	sum, sq  float64 // of what they exceed it by, faded
	seen     int
	largest  float64
	smallest float64
}

const tailShare = 0.02

// Observe learns one score.
func (c *Calibrator) Observe(score float64) {
	if math.IsNaN(score) || math.IsInf(score, 0) {
		return
	}
	memory := c.Memory
	if memory == 0 {
		memory = 10_000
	}
	c.seen++
	if c.seen == 1 {
		c.level, c.largest, c.smallest = score, score, score
		c.step = math.Max(math.Abs(score)/10, 1e-9)
	}
	c.largest, c.smallest = max(c.largest, score), min(c.smallest, score)
	keep := 1 - 1/min(float64(c.seen)+1, memory)
	c.n, c.over, c.sum, c.sq = c.n*keep+1, c.over*keep, c.sum*keep, c.sq*keep
	if excess := score - c.level; excess > 0 {
		c.over++
		c.sum += excess
		c.sq += excess * excess
	}
	c.follow(score)
}

// follow moves level towards the quantile 1-tailShare by a step whose size is a
// part of the spread of the scores (stochastic approximation).
func (c *Calibrator) follow(score float64) {
	spread := max((c.largest-c.smallest)/20, 1e-12)
	gain := spread / math.Sqrt(1+float64(min(c.seen, 5_000))/20)
	if score > c.level {
		c.level += gain * (1 - tailShare)
	} else {
		c.level -= gain * tailShare
	}
}

// Ready says whether enough was seen to speak of the tail.
func (c *Calibrator) Ready() bool { return c.seen >= 200 && c.over > 2 }

// tail gives share, scale and shape of what lies above level.
func (c *Calibrator) tail() (share, scale, shape float64) {
	share = c.over / c.n
	mean := c.sum / c.over
	variance := max(c.sq/c.over-mean*mean, 1e-12*mean*mean+1e-300)
	r := mean * mean / variance
	shape = min(max((1-r)/2, -0.2), 0.4) // heavier or shorter ones are not known from so few
	return share, mean * (1 - shape), shape
}

// P is the probability that an ordinary score is at least this one. Below the
// tail, and before Ready, it is 1.
func (c *Calibrator) P(score float64) float64 {
	if !c.Ready() || score <= c.level {
		return 1
	}
	share, scale, shape := c.tail()
	x := (score - c.level) / scale
	if math.Abs(shape) < 1e-6 {
		return share * math.Exp(-x)
	}
	base := 1 + shape*x
	if base <= 0 {
		return 0
	}
	return share * math.Pow(base, -1/shape)
}

// Threshold is the score that an ordinary value reaches with probability p;
// infinite before Ready.
func (c *Calibrator) Threshold(p float64) float64 {
	if !c.Ready() || !(p > 0) {
		return math.Inf(1)
	}
	share, scale, shape := c.tail()
	if p >= share {
		return c.level
	}
	if math.Abs(shape) < 1e-6 {
		return c.level + scale*math.Log(share/p)
	}
	return c.level + scale/shape*(math.Pow(share/p, shape)-1)
}
