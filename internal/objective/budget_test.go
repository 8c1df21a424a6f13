package objective

import (
	"math"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// The worked examples of the Site Reliability Workbook, chapters 2 and 5.
func TestWorkbook(t *testing.T) {
	t.Parallel()
	// "If your service receives 3,000,000 requests over four weeks at 99.9 %, the
	// budget is 3,000 errors; an outage with 1,500 costs half of it."
	r := Rule{Allow: 1 - 0.999}
	b, ok := r.Budget(Counts{N: 3_000_000, Bad: 1500, Base: 3_000_000})
	if !ok {
		t.Fatal("no budget")
	}
	near(t, "the budget of 3 M requests", b.Allowed, 3000, 1e-6)
	near(t, "what an outage of 1,500 costs", b.Spent, 0.5, 1e-9)

	// Table 5-4: burn rates, error rates at 99.9 % and times until nothing is left.
	for _, c := range []struct {
		errors, rate float64
		left         time.Duration
	}{{0.001, 1, 30 * day}, {0.002, 2, 15 * day}, {0.01, 10, 3 * day}, {1, 1000, 43 * time.Minute}} {
		rate, _ := r.Burn(Counts{N: 1_000_000, Bad: c.errors * 1_000_000})
		near(t, "the burn rate", rate, c.rate, c.rate*1e-9)
		if left := time.Duration(float64(30*day) / rate); left.Truncate(time.Minute) != c.left.Truncate(time.Minute) && (left-c.left).Abs() > time.Minute {
			t.Errorf("a rate of %v spends all in %v, want %v", c.rate, left, c.left)
		}
	}

	// Table 5-8: what to begin with.
	want := []Alert{{"critical", time.Hour, 5 * time.Minute, 14.4}, {"critical", 6 * time.Hour, 30 * time.Minute, 6}, {"warning", 3 * day, 6 * time.Hour, 1}}
	if got := Defaults(30 * day); len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("alerts of 30 days are %v, want %v", got, want)
	}
	near(t, "the factor for 2 % of 28 days within an hour", Factor(28*day, time.Hour, 0.02), 13.44, 1e-9)

	// Low traffic: ten requests an hour, one fails: a burn rate of 1,000 and 13.9 %
	// of the budget, seven failures a month. The exact test does not wake anybody
	// for one, and does for two.
	low := Counts{N: 10, Bad: 1, Base: 10}
	if rate, _ := r.Burn(low); math.Abs(rate-100) > 1e-6 {
		t.Errorf("one failure of ten burns at %v", rate)
	}
	month, _ := r.Budget(Counts{N: 7200, Bad: 1, Base: 7200})
	near(t, "what one failure of 7,200 requests costs", month.Spent, 0.1389, 1e-4)
	a := want[0]
	if l := a.Look(r, 30*day, low, Counts{N: 1, Bad: 1}); l.Fires {
		t.Errorf("one failure of ten fires: %+v", l)
	}
	if l := a.Look(r, 30*day, Counts{N: 10, Bad: 3}, Counts{N: 3, Bad: 2}); !l.Fires {
		t.Errorf("three failures of ten do not fire: %+v", l)
	}

	// Low targets: at 90 % everything failing burns at ten, never at 14.4.
	r = Rule{Allow: 0.1}
	exact, why := a.Exact(r)
	if !exact || !strings.Contains(why, "can never be reached") {
		t.Errorf("14.4 at 90 %%: exact %t, %q", exact, why)
	}
	if l := a.Look(r, 30*day, Counts{N: 60, Bad: 24}, Counts{N: 5, Bad: 3}); !l.Fires || l.Never == "" {
		t.Errorf("40 %% bad where 10 %% may be does not fire: %+v", l)
	}
	if l := a.Look(r, 30*day, Counts{N: 60, Bad: 9}, Counts{N: 5, Bad: 3}); l.Fires {
		t.Errorf("15 %% of 60 bad where 10 %% may be fires: %+v", l)
	}
	if exact, why := (Alert{Factor: 10}).Exact(r); exact || !strings.Contains(why, "only when everything") {
		t.Errorf("10 at 90 %%: exact %t, %q", exact, why)
	}
	if exact, why := (Alert{Factor: 6}).Exact(r); exact || why != "" {
		t.Errorf("6 at 90 %%: exact %t, %q", exact, why)
	}
}

// The worked examples of the OpenSLO specification and its examples.
func TestOpenSLOMaths(t *testing.T) {
	t.Parallel()
	// Ratio metric: 99 good of 100 is .99; one bad of 100 is the same.
	c := Counts{N: 100, Bad: 1}
	near(t, "99 of 100", float64(c.good())/float64(c.N), 0.99, 1e-12)
	// Budgeting method: two weeks of 24,000 requests a day at 95 %.
	b, _ := Rule{Allow: 1 - 0.95}.Budget(Counts{N: 336_000, Bad: 1, Base: 336_000})
	near(t, "the budget of two weeks in requests", b.Allowed, 16_800, 1e-6)
	o := Objective{Window: Window{Rolling: 14 * day}, Slice: time.Minute, Target: 0.95}
	slices, _ := o.rule(&Indicator{}).Budget(Counts{N: 1, Bad: 0})
	near(t, "the budget of two weeks in minutes", slices.Allowed, 16*60+48, 1e-6)
	if n := o.rule(&Indicator{}).All; n != 20_160 {
		t.Errorf("two weeks have %d minutes", n)
	}
	// Low traffic: a week at 99.95 % allows 5 minutes 2.4 seconds.
	o = Objective{Window: Window{Calendar: "week"}, Slice: time.Minute, Target: 0.9995}
	slices, _ = o.rule(&Indicator{}).Budget(Counts{N: 1})
	near(t, "the budget of a week in seconds", slices.Allowed*60, 302.4, 1e-6)
}

// Budgets are of counts: a quiet hour that was all bad weighs as much as it had
// records, not as much as a busy one.
func TestCountsNotRatios(t *testing.T) {
	t.Parallel()
	b, _ := Rule{Allow: 0.1}.Budget(sum([]Group{{Counts: Counts{N: 990, Bad: 0}}, {Counts: Counts{N: 10, Bad: 10}}}))
	near(t, "spent", b.Spent, 0.1, 1e-12) // the average of ratios would say five times all of it
	if _, ok := (Rule{Allow: 0.1}).Budget(Counts{}); ok {
		t.Error("nothing has a budget")
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	r := Rule{Allow: 0.2, Events: true}
	b, _ := r.Budget(Counts{N: 100, Bad: 30, Base: 100})
	near(t, "spent", b.Spent, 1.5, 1e-12)
	// Poisson: 30 or more where 20 are expected.
	near(t, "the chance", r.Chance(Counts{N: 100, Bad: 30}), 0.0218, 1e-4)
	if !math.IsInf(r.Reach(), 1) {
		t.Error("events have a highest rate")
	}
}

func TestDefaultsShrink(t *testing.T) {
	t.Parallel()
	for _, w := range []time.Duration{time.Hour, day, 7 * day, 28 * day, 90 * day, 365 * day} {
		list := Defaults(w)
		if len(list) == 0 {
			t.Errorf("a window of %v has no alert", w)
		}
		for _, a := range list {
			if a.Long > w || a.Short >= a.Long || a.Factor < 1-1e-9 {
				t.Errorf("a window of %v has %+v", w, a)
			}
		}
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC) // Berlin's clocks go forward in this hour
	for _, c := range []struct{ calendar, zone, from, to string }{
		{"day", "", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"},
		{"day", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"week", "", "2026-03-23T00:00:00Z", "2026-03-30T00:00:00Z"},
		{"month", "Europe/Berlin", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"quarter", "", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"},
		{"year", "America/New_York", "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"},
	} {
		from, to := Window{Calendar: c.calendar, Zone: c.zone}.At(now)
		if got := from.UTC().Format(time.RFC3339) + " " + to.UTC().Format(time.RFC3339); got != c.from+" "+c.to {
			t.Errorf("the %s in %q is %s, want %s %s", c.calendar, c.zone, got, c.from, c.to)
		}
	}
	if from, to := (Window{Rolling: day}).At(now); !to.Equal(now) || now.Sub(from) != day {
		t.Errorf("a rolling day is %v to %v", from, to)
	}
}
