package series

import (
	"math"

	"reeve/internal/detect/chance"
)

// Cause is the way in which a value is odd.
type Cause uint8

// The causes.
const (
	None     Cause = iota
	Level          // stands where it never stood, or not for so long
	Jump           // moved as it never moved
	Activity       // is more restless than ever
	Pattern        // does something ordinary in an order that never occurred
)

var causeNames = [...]string{"none", "level", "jump", "activity", "pattern"}

// String is the cause's stable name.
func (c Cause) String() string { return causeNames[c] }

// Options of a Detector say what an alarm is worth. The zero value is useful: one
// false alarm a week of a value a minute.
type Options struct {
	AlarmsPerWeek float64 // false ones a person bears from this series; 0 is 1
	LooksPerWeek  float64 // values a week; 0 is 10,080 (minutes)
	MinEffect     float64 // least distance from what was expected, as part of it; 0 is any
	Rest          int     // values of silence after an alarm; 0 is 120
}

// Verdict is what is said of one value.
type Verdict struct {
	Alarm    bool
	Resting  bool    // it would be, but for one just before
	Learning bool    // too little is known yet
	Cause    Cause   // the way in which it is oddest
	Score    float64 // minus the base-10 logarithm of the share of values as odd; 0 while an odder one is near
	Raw      float64 // the same, but not silenced
	Limit    float64 // what Score must reach for an alarm
	Seen     float64
	Expected float64 // what the series was at for long
	Usual    float64 // mean distance from it
}

// The windows, in values. One configuration for every series; docs/detection.md
// says what other ones gave.
const (
	warm     = 100  // values before anything is said
	learning = 20   // values before sizes are learnt
	levelled = 80   // values before distances are: until then both means are alike
	short    = 40   // of the level now
	long     = 400  // of the level for long
	active   = 20   // of the restlessness now
	usual    = 1000 // of what is usual for a size
)

// Detector watches one series. The zero value is not ready: use New.
type Detector struct {
	o    Options
	seen int

	last, now, slow float64 // value; its short and long mean
	away            float64 // mean distance of these two
	move, restless  float64 // mean size of a move, long and short
	spread          float64 // mean distance of values from the long mean

	above, below, moves, restlessness sizes
	order                             pattern

	rest  resting
	quiet int // values until the next alarm may come
	block struct {
		top float64
		n   int
	}
	calibrator chance.Calibrator
}

// blockLength is how many values are one look for the calibration: odd values
// come in groups, and a group is one alarm.
const blockLength = 10

// New watches from nothing.
func New(o Options) *Detector {
	if o.AlarmsPerWeek == 0 {
		o.AlarmsPerWeek = 1
	}
	if o.LooksPerWeek == 0 {
		o.LooksPerWeek = 7 * 24 * 60
	}
	if o.Rest == 0 {
		o.Rest = 120
	}
	return &Detector{o: o, calibrator: chance.Calibrator{Memory: 5000}}
}

// Look judges a value, then learns it.
func (d *Detector) Look(v float64) (out Verdict) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Verdict{Learning: d.seen < warm}
	}
	out.Seen, out.Expected, out.Usual = v, d.slow, d.spread
	if d.seen == 0 {
		out.Expected = v
	}
	out.Raw, out.Cause = d.surprise(v)
	d.seen++
	out.Learning = d.seen <= warm
	if out.Learning {
		out.Cause = None
		return out
	}
	if out.Raw > d.rest.top() {
		out.Score = out.Raw
	}
	d.rest.add(out.Raw, d.o.Rest)
	d.decide(&out)
	d.calibrate(out.Raw)
	return out
}

// surprise is the largest of the four; they are on one scale.
func (d *Detector) surprise(v float64) (top float64, cause Cause) {
	take := func(s float64, c Cause) {
		if s > top {
			top, cause = s, c
		}
	}
	if d.seen == 0 {
		d.last, d.now, d.slow = v, v, v
	}
	n := float64(d.seen + 1)
	move := math.Abs(v - d.last)
	d.last = v
	d.now += (v - d.now) / min(n, short)
	d.slow += (v - d.slow) / min(n, long)
	d.restless += (move - d.restless) / min(n, active)
	const least = 1e-9
	if d.seen > levelled {
		level := (d.now - d.slow) / (d.away + least)
		up, down := max(level, 0), max(-level, 0)
		take(d.above.look(up), Level)
		take(d.below.look(down), Level)
	}
	if d.seen > learning {
		take(d.moves.look(move/(d.move+least)), Jump)
		take(d.restlessness.look(d.restless/(d.move+least)), Activity)
	}
	d.away += (math.Abs(d.now-d.slow) - d.away) / min(n, usual)
	d.move += (move - d.move) / min(n, usual)
	d.spread += (math.Abs(v-d.slow) - d.spread) / min(n, usual)
	take(d.order.look(v, d.seen), Pattern)
	return top, cause
}

// decide compares the score with the limit that gives the alarms a week.
func (d *Detector) decide(out *Verdict) {
	share := d.o.AlarmsPerWeek / d.o.LooksPerWeek
	// Four ways to be odd: by chance alone this is the limit.
	out.Limit = -math.Log10(share / 4)
	if d.calibrator.Ready() {
		out.Limit = max(2, d.calibrator.Threshold(share*blockLength))
	}
	if d.quiet > 0 {
		d.quiet--
		out.Resting = out.Raw >= out.Limit
		return
	}
	if out.Score < out.Limit || math.Abs(out.Seen-out.Expected) < d.o.MinEffect*math.Abs(out.Expected) {
		return
	}
	out.Alarm, d.quiet = true, d.o.Rest
}

func (d *Detector) calibrate(raw float64) {
	d.block.top = max(d.block.top, raw)
	d.block.n++
	if d.block.n == blockLength {
		d.calibrator.Observe(d.block.top)
		d.block.top, d.block.n = 0, 0
	}
}

// resting keeps the largest score of about the last rest values, in parts.
type resting struct {
	parts [restParts]float64
	at, n int
}

const restParts = 12

func (r *resting) top() (top float64) {
	for _, v := range r.parts {
		top = max(top, v)
	}
	return top
}

func (r *resting) add(score float64, rest int) {
	r.parts[r.at] = max(r.parts[r.at], score)
	r.n++
	if r.n >= max(1, rest/restParts) {
		r.n, r.at = 0, (r.at+1)%restParts
		r.parts[r.at] = 0
	}
}
