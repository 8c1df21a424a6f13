package budget

import (
	"math"
	"time"
)

// period is how long a limit holds before it is counted anew, in UTC.
type period uint8

const (
	hour period = iota
	day
	week // from Monday
	month
	total // never anew
	periods
)

var periodNames = [...]string{"hour", "day", "week", "month", "total"}

// span is a period's beginning and end in ns, the end not included.
type span struct{ since, until int64 }

func (p period) at(now time.Time) span {
	t := now.UTC()
	y, m, d := t.Date()
	var from, to time.Time
	switch p {
	case hour:
		from = time.Date(y, m, d, t.Hour(), 0, 0, 0, time.UTC)
		to = from.Add(time.Hour)
	case day:
		from = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		to = from.AddDate(0, 0, 1)
	case week:
		from = time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
		to = from.AddDate(0, 0, 7)
	case month:
		from = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		to = from.AddDate(0, 1, 0)
	default:
		return span{0, math.MaxInt64}
	}
	return span{from.UnixNano(), to.UnixNano()}
}

// calendar remembers the periods of now, since asking the calendar for each
// call would cost more than all the rest. It only goes forward: a clock that is
// set back gives nobody a new period.
type calendar [periods]span

func (c *calendar) at(p period, now time.Time) span {
	if now.UnixNano() >= c[p].until || c[p].until == 0 {
		c[p] = p.at(now)
	}
	return c[p]
}
