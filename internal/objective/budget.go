package objective

import (
	"fmt"
	"math"
	"time"

	"reeve/internal/stat"
)

// Counts are what was counted: records, slices of time, or runs and their events.
type Counts struct {
	N    int64   // that are known
	Bad  float64 // of them; of events their number, which may be above N
	Base int64   // that there are
}

func (c Counts) good() int64 { return max(0, c.N-int64(c.Bad)) }

// Coverage is the share of what there is that is known; nil of nothing.
func (c Counts) Coverage() *float64 {
	if c.Base <= 0 {
		return nil
	}
	v := min(1, float64(c.N)/float64(c.Base))
	return &v
}

// Rule is what of the counted may be bad: a share of them, or so many for each.
type Rule struct {
	Allow  float64
	Events bool
	// All are the slices of the whole window, of which Allow are allowed however
	// many are counted yet; 0: of what is counted.
	All int64
}

func (o *Objective) rule(in *Indicator) Rule {
	switch {
	case o.Slice > 0:
		return Rule{Allow: 1 - o.Target, All: int64(o.Window.Length() / o.Slice)}
	case in.Kind == KindEvents:
		return Rule{Allow: *o.Limit, Events: true}
	}
	return Rule{Allow: 1 - o.goal(in)}
}

// Budget is how much may go wrong and how much has.
type Budget struct {
	Counts
	Allowed float64 // of what was counted, how much may be bad
	Spent   float64 // bad of allowed: 1 is all of it
}

// Left is the share of the budget that is left; below 0 it is overspent.
func (b Budget) Left() float64 { return 1 - b.Spent }

// Budget is the state of a budget after what was counted. ok is false where
// nothing was.
func (r Rule) Budget(c Counts) (b Budget, ok bool) {
	n := c.N
	if r.All > 0 {
		n = r.All
	}
	b = Budget{Counts: c, Allowed: r.Allow * float64(n)}
	if c.N <= 0 || b.Allowed <= 0 {
		return b, false
	}
	b.Spent = c.Bad / b.Allowed
	return b, true
}

// Burn is how many times faster than evenly over its window the budget is spent:
// 1 spends exactly all of it. ok is false where nothing was counted.
func (r Rule) Burn(c Counts) (rate float64, ok bool) {
	if c.N <= 0 || r.Allow <= 0 {
		return 0, false
	}
	return c.Bad / float64(c.N) / r.Allow, true
}

// Chance is how likely so many bad ones or more are where the objective is just
// met: by the binomial distribution, or by Poisson's where events are counted.
func (r Rule) Chance(c Counts) float64 {
	bad := int64(math.Ceil(c.Bad - 1e-9))
	switch {
	case c.N <= 0 || bad <= 0:
		return 1
	case r.Events:
		return stat.PoissonAtLeast(bad, r.Allow*float64(c.N))
	}
	return stat.AtLeast(bad, c.N, r.Allow)
}

// Reach says how high the burn rate can rise at all: where everything is bad. It
// is infinite where events are counted.
func (r Rule) Reach() float64 {
	if r.Events {
		return math.Inf(1)
	}
	return 1 / r.Allow
}

// Defaults are the alerts of a window, by the table of the Site Reliability
// Workbook, chapter 5: 2 % of the budget within an hour and 5 % within six call
// somebody, 10 % within three days make a note. The times shrink with windows
// shorter than 30 days, so that the factors stay.
func Defaults(window time.Duration) []Alert {
	const month = 30 * 24 * time.Hour
	var out []Alert
	for _, d := range []struct {
		severity string
		long     time.Duration
		spends   float64
	}{{"critical", time.Hour, 0.02}, {"critical", 6 * time.Hour, 0.05}, {"warning", 72 * time.Hour, 0.10}} {
		a := Alert{Severity: d.severity, Long: d.long}
		if window < month {
			a.Long = max(time.Duration(float64(d.long)*float64(window)/float64(month)).Round(time.Minute), 12*time.Minute)
		}
		a.Short = max(a.Long/12, time.Minute)
		if a.Factor = Factor(window, a.Long, d.spends); window < 24*time.Hour {
			a.Factor = max(a.Factor, 2) // twelve minutes are much of it
		}
		if len(out) > 0 && (out[len(out)-1].Long >= a.Long || a.Factor < 1) {
			continue
		}
		out = append(out, a)
	}
	return out
}

// widen makes alerts look at times that hold whole slices.
func widen(list []Alert, window, slice time.Duration) []Alert {
	var out []Alert
	for _, a := range list {
		share := a.Factor * float64(a.Long) / float64(window)
		if a.Short < slice {
			a.Short = slice
			a.Long = min(max(a.Long, 3*slice), window)
			a.Factor = Factor(window, a.Long, share)
		}
		if a.Factor < 1 || a.Long > 7*24*time.Hour || len(out) > 0 && out[len(out)-1].Long >= a.Long {
			continue
		}
		out = append(out, a)
	}
	return out
}

// Factor is the burn rate that spends a share of the budget of a window within a
// part of it.
func Factor(window, long time.Duration, share float64) float64 {
	f := share * float64(window) / float64(long)
	return math.Round(f*1e6) / 1e6
}

// surprise is how unlikely what an alert sees must be, over all its looks at a
// window together. It keeps one bad run of ten from waking somebody.
const surprise = 0.01

// significance is the chance below which one look of an alert believes what it
// sees: surprise shared among the long times that the window has room for.
func (a Alert) significance(window time.Duration) float64 {
	return surprise * min(1, float64(a.Long)/float64(window))
}

// Exact reports whether an alert is decided by the exact test alone, since its
// factor can never be reached at the target, and why, in words.
func (a Alert) Exact(r Rule) (exact bool, why string) {
	reach := r.Reach()
	switch {
	case a.Factor > reach*(1+1e-9):
		return true, fmt.Sprintf("a burn rate of %.4g can never be reached: with everything bad it is %.4g; the exact test alone decides", a.Factor, reach)
	case a.Factor > reach*(1-1e-9):
		return false, fmt.Sprintf("a burn rate of %.4g is reached only when everything is bad", a.Factor)
	}
	return false, ""
}

// Look is what an alert sees at a time.
type Look struct {
	Alert
	LongCounts, ShortCounts Counts
	LongRate, ShortRate     float64 // burn
	Chance                  float64 // of the long time's, where the objective is just met
	Significance            float64 // below which it is believed
	Never                   string  // why its factor never fires at the target
	Fires                   bool
	Why                     string // it does not speak: no data
}

// Look says whether an alert fires: it burns fast enough over both times, and it
// is no accident of few records. The short one ends it soon after the burning
// ended.
func (a Alert) Look(r Rule, window time.Duration, long, short Counts) Look {
	l := Look{Alert: a, LongCounts: long, ShortCounts: short, Significance: a.significance(window)}
	exact, why := a.Exact(r)
	l.Never = why
	var ok bool
	if l.LongRate, ok = r.Burn(long); !ok {
		l.Chance, l.Why = 1, "nothing was counted in "+span(a.Long)
		return l
	}
	l.Chance = r.Chance(long)
	l.ShortRate, _ = r.Burn(short)
	needs := a.Factor
	if exact {
		needs = 1
	}
	l.Fires = l.LongRate >= needs*(1-1e-12) && l.ShortRate >= needs*(1-1e-12) && l.Chance <= l.Significance
	return l
}

// span writes a time as people do.
func span(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0 && d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d%time.Hour == 0 && d > 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0 && d > 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}
