package budget

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"reeve/internal/fault"
)

func take(t *testing.T, r *Rates, at time.Time, limit string, k Keys, o ...RatesOption) (ok bool, wait time.Duration) {
	t.Helper()
	err := r.Take(at, []string{limit}, k, o...)
	if err == nil {
		return true, 0
	}
	f := fault.From(err)
	if f.Code != "limit.rate" || f.RetryAfter <= 0 {
		t.Fatalf("%s: %v, retry after %v", limit, err, f.RetryAfter)
	}
	return false, f.RetryAfter
}

var bot = Keys{Agent: "bot", Instance: "i1", User: "u", Team: "core", Resource: "crm GET /x"}

func TestRateEdges(t *testing.T) {
	t.Parallel()
	r := NewRates(noon, 0)
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	for i := range 3 {
		if ok, _ := take(t, r, at(time.Duration(i)*10*time.Second), "3/m by agent", bot); !ok {
			t.Fatalf("call %d of 3 refused", i+1)
		}
	}
	ok, wait := take(t, r, at(59*time.Second), "3/m by agent", bot)
	if ok || wait != time.Second {
		t.Errorf("the fourth within a minute: %v, wait %v; want refused for 1s", ok, wait)
	}
	if ok, _ := take(t, r, at(60*time.Second-1), "3/m by agent", bot); ok {
		t.Error("let through a nanosecond before the minute was over")
	}
	if ok, _ := take(t, r, at(60*time.Second), "3/m by agent", bot); !ok {
		t.Error("refused when the first was a minute ago")
	}
	if ok, _ := take(t, r, at(60*time.Second), "3/m by agent", bot); ok {
		t.Error("a fourth in the minute from 10s on")
	}
	// A clock that goes back makes no room.
	if ok, _ := take(t, r, at(-time.Hour), "3/m by agent", bot); ok {
		t.Error("let through with the clock back")
	}
}

// Whatever the limit and the arrivals, no window of its length has more than n,
// and the time to wait that is told is enough and at most a slice too much.
func TestNeverMoreInAnyWindow(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 31, 32, 33, 100, 500} {
		for _, unit := range []string{"s", "h"} {
			for seed := range uint64(4) {
				rnd := rand.New(rand.NewPCG(seed, uint64(n)))
				limit := fmt.Sprintf("%d/%s by agent", n, unit)
				window := map[string]time.Duration{"s": time.Second, "h": time.Hour}[unit]
				r := NewRates(noon, 0)
				var went []time.Duration
				var at time.Duration
				for range 6 * n {
					at += time.Duration(rnd.Int64N(int64(window) / int64(n)))
					if rnd.IntN(50) == 0 {
						at += time.Duration(rnd.Int64N(2 * int64(window)))
					}
					ok, wait := take(t, r, noon.Add(at), limit, bot)
					if !ok {
						within := 0
						for i := len(went) - 1; i >= 0 && went[i] > at-window-window/pieces; i-- {
							within++
						}
						if within < n {
							t.Fatalf("%s: refused with %d within the window and a slice", limit, within)
						}
						if again, _ := take(t, r, noon.Add(at+wait-1), limit, bot); again {
							t.Fatalf("%s: told to wait %v, a nanosecond less was enough", limit, wait)
						}
						at += wait
						if ok, _ = take(t, r, noon.Add(at), limit, bot); !ok {
							t.Fatalf("%s: waiting %v was not enough", limit, wait)
						}
					}
					went = append(went, at)
				}
				for i := n; i < len(went); i++ {
					if went[i]-went[i-n] < window {
						t.Fatalf("%s: %d within %v", limit, n+1, went[i]-went[i-n])
					}
				}
			}
		}
	}
}

func TestTakeAllOrNone(t *testing.T) {
	t.Parallel()
	r := NewRates(noon, 0)
	limits := []string{"5/h by agent", "2/h by user", "5/h by agent"}
	for i := range 2 {
		if err := r.Take(noon, limits, bot); err != nil {
			t.Fatalf("call %d: %v", i+1, err)
		}
	}
	for range 10 {
		if err := r.Take(noon, limits, bot); err == nil {
			t.Fatal("the user's limit let a third through")
		}
	}
	// The refused ones cost the agent's limit nothing, and the limit that was
	// named twice was charged once.
	for i := range 3 {
		if ok, _ := take(t, r, noon, "5/h by agent", bot); !ok {
			t.Fatalf("the agent's limit was charged for refused calls (call %d)", i+1)
		}
	}
	if ok, _ := take(t, r, noon, "5/h by agent", bot); ok {
		t.Error("the agent's limit let a sixth through")
	}
}

func TestWhoShares(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit  string
		a, b   Keys
		shared bool
	}{
		{"1/d by agent", Keys{Agent: "a", Instance: "1"}, Keys{Agent: "a", Instance: "2"}, true},
		{"1/d by agent", Keys{Agent: "a"}, Keys{Agent: "b"}, false},
		{"1/d by instance", Keys{Agent: "a", Instance: "1"}, Keys{Agent: "a", Instance: "2"}, false},
		{"1/d by instance", Keys{Agent: "a"}, Keys{Agent: "a"}, true}, // a shared key has no instance
		{"1/d by user", Keys{Agent: "a", User: "u"}, Keys{Agent: "b", User: "u"}, true},
		{"1/d by user", Keys{Agent: "a"}, Keys{Agent: "b"}, false},
		{"1/d by user", Keys{Agent: "u"}, Keys{Agent: "b", User: "u"}, false},
		{"1/d by team", Keys{Agent: "a", Team: "t"}, Keys{Agent: "b", Team: "t"}, true},
		{"1/d by resource", Keys{Agent: "a", Team: "t", Resource: "r"}, Keys{Agent: "b", Resource: "r"}, true},
	} {
		r := NewRates(noon, 0)
		take(t, r, noon, c.limit, c.a)
		if ok, _ := take(t, r, noon, c.limit, c.b); ok == c.shared {
			t.Errorf("%s of %+v and %+v: shared %v, want %v", c.limit, c.a, c.b, !ok, c.shared)
		}
	}
	// Two statements with the same text count each for itself.
	r := NewRates(noon, 0)
	one, two := []Rate{{"1/h by agent", "p/1"}}, []Rate{{"1/h by agent", "p/2"}}
	if err := r.TakeRates(noon, one, bot); err != nil {
		t.Fatal(err)
	}
	if err := r.TakeRates(noon, two, bot); err != nil {
		t.Error("another statement:", err)
	}
	if err := r.TakeRates(noon, one, bot); err == nil {
		t.Error("the same statement let a second through")
	}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	r := NewRates(noon, 0)
	by4 := Divided(4)
	// What went through before counts: 20 of 100 are more than the 25 allow after 5.
	for range 20 {
		take(t, r, noon, "100/h by agent", bot)
	}
	went := 0
	for range 50 {
		if ok, _ := take(t, r, noon, "100/h by agent", bot, by4); ok {
			went++
		}
	}
	if went != 5 {
		t.Errorf("throttled to 25 with 20 used: %d went through, want 5", went)
	}
	// One an hour becomes one in four hours.
	if ok, _ := take(t, r, noon, "1/h by team", bot, by4); !ok {
		t.Fatal("the first is refused")
	}
	if ok, wait := take(t, r, noon.Add(time.Hour), "1/h by team", bot, by4); ok || wait != 3*time.Hour {
		t.Errorf("after an hour: %v, wait %v; want refused for 3h", ok, wait)
	}
	if ok, _ := take(t, r, noon.Add(4*time.Hour), "1/h by team", bot, by4); !ok {
		t.Error("refused after four hours")
	}
	c := Defaults()
	if c.Scale("throttled") != by4 || c.Scale("none") != (RatesOption{}) || len(c.Rates("pilot", "throttled")) != 2 || c.Rates("production", "none") != nil {
		t.Error("the defaults throttle by 4 and bound pilots")
	}
}

// A full table refuses new names; it never lets an old one begin anew.
func TestEvictionResetsNothing(t *testing.T) {
	t.Parallel()
	r := NewRates(noon, 80)
	if ok, _ := take(t, r, noon, "1/m by user", Keys{Agent: "a", User: "victim"}); !ok {
		t.Fatal("the first is refused")
	}
	refused := 0
	for i := range 1000 {
		err := r.Take(noon, []string{"1/m by user"}, Keys{Agent: fmt.Sprint("agent", i%20), User: fmt.Sprint("user", i)})
		if err != nil {
			if code(err) != "limit.too_many" {
				t.Fatal(err)
			}
			refused++
		}
	}
	if len(r.buckets) > 80 || refused < 900 {
		t.Errorf("%d buckets of at most 80, %d of 1000 refused", len(r.buckets), refused)
	}
	if ok, _ := take(t, r, noon.Add(time.Minute-1), "1/m by user", Keys{Agent: "a", User: "victim"}); ok {
		t.Error("a flood of names made the limit begin anew")
	}
	// When they are over, all of them go.
	for i := range 200 {
		_ = r.Take(noon.Add(2*time.Minute), []string{"5/s by agent"}, Keys{Agent: "late"})
		_ = i
	}
	if len(r.buckets) != 1 || len(r.owned) != 1 {
		t.Errorf("%d buckets of %d agents left, want 1 of 1", len(r.buckets), len(r.owned))
	}
	// One agent fills no more than its part.
	r = NewRates(noon, 80)
	for i := range 100 {
		_ = r.Take(noon, []string{"1/m by user"}, Keys{Agent: "greedy", User: fmt.Sprint(i)})
	}
	if err := r.Take(noon, []string{"1/m by user"}, Keys{Agent: "other", User: "x"}); err != nil {
		t.Error("one agent's names keep another out:", err)
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1/s by agent", "999999999/d by resource", "30/h by instance", "7/m by user", "7/m by team"} {
		if _, err := parseRate(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "0/s by agent", "-1/s by agent", "1/w by agent", "1/s", "1/s by", "1/s by tool", "1 /s by agent", "1/s by agent ", "1000000000/s by agent", "1/ s by agent", "x/s by agent"} {
		if _, err := parseRate(text); err == nil {
			t.Errorf("%q was read", text)
		}
		if err := NewRates(noon, 0).Take(noon, []string{text}, bot); code(err) != "limit.unreadable" {
			t.Errorf("%q: %v, want limit.unreadable", text, err)
		}
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	r := NewRates(noon, 0)
	limits := []string{"1000000/m by agent", "1000000/h by user"}
	at := noon
	if got := testing.AllocsPerRun(1000, func() {
		at = at.Add(time.Millisecond)
		if err := r.Take(at, limits, bot); err != nil {
			t.Fatal(err)
		}
	}); got > 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
