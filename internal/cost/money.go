package cost

import (
	"sort"
	"time"

	"reeve/internal/fault"
)

// rates convert money at the rates of a day.
type rates struct {
	to   string
	of   map[string][]dated
	zone *time.Location
}

type dated struct {
	from    time.Time
	dollars float64
}

func (s *Settings) rates() *rates {
	r := &rates{to: s.Currency, of: map[string][]dated{}, zone: s.Location()}
	for _, x := range s.Rates { // by date
		if at, err := time.Parse(time.DateOnly, x.From); err == nil { // checked when it was set
			r.of[x.Currency] = append(r.of[x.Currency], dated{begins(at.Year(), at.Month(), at.Day(), r.zone), x.Dollars})
		}
	}
	return r
}

// dollars is what one unit of a currency is worth at a time. Before its first rate
// nobody knows.
func (r *rates) dollars(currency string, at time.Time) (float64, bool) {
	if currency == "USD" {
		return 1, true
	}
	of := r.of[currency]
	i := sort.Search(len(of), func(i int) bool { return of[i].from.After(at) })
	if i == 0 {
		return 0, false
	}
	return of[i-1].dollars, true
}

// factor turns money of a currency into the one that is shown.
func (r *rates) factor(currency string, at time.Time) (float64, bool) {
	if currency == r.to {
		return 1, true
	}
	from, ok := r.dollars(currency, at)
	to, also := r.dollars(r.to, at)
	return from / to, ok && also
}

// maxCuts bounds how often a period is asked for: once for each time in which no
// rate changes.
const maxCuts = 40

// span is a part of a period in which no rate changes.
type span struct{ from, to time.Time }

// spans cuts a period at the days on which rates change.
func (r *rates) spans(from, to time.Time) ([]span, error) {
	cuts := []time.Time{}
	for _, of := range r.of {
		for _, d := range of {
			if d.from.After(from) && d.from.Before(to) {
				cuts = append(cuts, d.from)
			}
		}
	}
	sort.Slice(cuts, func(i, j int) bool { return cuts[i].Before(cuts[j]) })
	out := []span{}
	for _, at := range cuts {
		if at.After(from) {
			out = append(out, span{from, at})
			from = at
		}
	}
	out = append(out, span{from, to})
	if len(out) > maxCuts {
		return nil, fault.New(fault.KindInvalid, "cost.too_many_rates", "rates change %d times in the period", len(out)-1).WithHint("ask for a shorter period, or in USD")
	}
	return out, nil
}

// Month is the time of a month such as 2026-11 in the organisation's zone.
func (s *Settings) Month(name string) (from, to time.Time, err error) {
	at, err := time.Parse("2006-01", name)
	if err != nil {
		return from, to, invalid("a month is written as 2026-11, not %.20q", name)
	}
	z := s.Location()
	return begins(at.Year(), at.Month(), 1, z), begins(at.Year(), at.Month()+1, 1, z), nil
}

// MonthOf is the name of the month that a time is in.
func (s *Settings) MonthOf(at time.Time) string { return at.In(s.Location()).Format("2006-01") }

// begins is the first moment of a date in a zone. Where the clock skips midnight,
// time.Date gives an hour of the day before: a day that never begins.
func begins(year int, month time.Month, day int, z *time.Location) time.Time {
	at, noon := time.Date(year, month, day, 0, 0, 0, 0, z), time.Date(year, month, day, 12, 0, 0, 0, z)
	for at.Day() != noon.Day() && at.Before(noon) {
		at = at.Add(15 * time.Minute) // clocks change by quarters of an hour
	}
	return at
}

// days are the days of a period in a zone: the first and the last may be parts.
func days(from, to time.Time, z *time.Location) []span {
	var out []span
	for from.Before(to) {
		y, m, d := from.In(z).Date()
		end := begins(y, m, d+1, z)
		if end.After(to) {
			end = to
		}
		out = append(out, span{from, end})
		from = end
	}
	return out
}
