package budget

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) // a Wednesday

// memory is a ledger without a database, open for calls.
func memory(t testing.TB, budgets ...client.Budget) *Ledger {
	t.Helper()
	l := newLedger(Options{Now: func() time.Time { return noon }})
	for i, b := range budgets {
		d, err := define(b)
		if err != nil {
			t.Fatal(err)
		}
		d.count, d.rev = int64(i+1), int64(i+1)
		l.put(d.name, d)
	}
	l.Ready()
	return l
}

func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

func tokenBudget(name, scope, match string, limit float64) client.Budget {
	return client.Budget{Name: name, Scope: scope, Match: match, Unit: "tokens", Limit: limit, Period: "day", Hard: true}
}

func spent(t *testing.T, l *Ledger, name, key string) (spent, reserved int64) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.accounts[name].shares[key]
	if s == nil {
		return 0, 0
	}
	return s.spent, s.reserved
}

func TestReserveAllOrNone(t *testing.T) {
	t.Parallel()
	l := memory(t, tokenBudget("a", "agent", "*", 1000), tokenBudget("t", "team", "core", 500))
	u := Use{Agent: "bot", Team: "core", Calls: 1, Tokens: 400, MoneyNanos: 5}
	r, err := l.Reserve(noon, u)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.Amounts()); got != 2 {
		t.Fatalf("%d budgets took part, want 2", got)
	}
	// The agent's budget has room, the team's has not: neither is charged.
	if _, err := l.Reserve(noon, u); code(err) != "budget.exceeded" {
		t.Fatalf("got %v, want budget.exceeded", err)
	}
	if _, reserved := spent(t, l, "a", "bot"); reserved != 400 {
		t.Errorf("the agent's budget holds %d after a refusal, want 400", reserved)
	}
	r.Settle(noon, 150, 0)
	r.Settle(noon, 400, 0) // the second end changes nothing
	r.Release()
	for _, at := range [][2]string{{"a", "bot"}, {"t", "core"}} {
		if s, reserved := spent(t, l, at[0], at[1]); s != 150 || reserved != 0 {
			t.Errorf("budget %s: spent %d, reserved %d; want 150, 0", at[0], s, reserved)
		}
	}
	r, err = l.Reserve(noon, Use{Agent: "bot", Team: "core", Tokens: 350})
	if err != nil {
		t.Fatal("what was given back cannot be taken again:", err)
	}
	r.Release()
	if s, reserved := spent(t, l, "t", "core"); s != 150 || reserved != 0 {
		t.Errorf("after a release: spent %d, reserved %d; want 150, 0", s, reserved)
	}
}

func TestRefusalSaysWhenItEnds(t *testing.T) {
	t.Parallel()
	l := memory(t, tokenBudget("a", "agent", "bot", 10))
	_, err := l.Reserve(noon, Use{Agent: "bot", Tokens: 11})
	f := fault.From(err)
	if f.Code != "budget.exceeded" || f.RetryAfter != 12*time.Hour || f.Kind.HTTPStatus() != 429 {
		t.Errorf("got %s, retry after %v, status %d", f.Code, f.RetryAfter, f.Kind.HTTPStatus())
	}
}

func TestUnbounded(t *testing.T) {
	t.Parallel()
	soft := tokenBudget("soft", "agent", "bot", 10)
	soft.Hard = false
	l := memory(t, soft, tokenBudget("hard", "agent", "strict", 10))
	if _, err := l.Reserve(noon, Use{Agent: "strict", Tokens: activity.Unknown}); code(err) != "budget.unbounded_call" {
		t.Errorf("hard budget: got %v, want budget.unbounded_call", err)
	}
	if r, err := l.Reserve(noon, Use{Agent: "strict", Tokens: 0, MoneyNanos: activity.Unknown}); r != nil || err != nil {
		t.Errorf("a call without tokens: got %v, %v; no budget counts it", r, err)
	}
	r, err := l.Reserve(noon, Use{Agent: "bot", Tokens: activity.Unknown})
	if err != nil {
		t.Fatal("a budget that warns refuses:", err)
	}
	r.Settle(noon, activity.Unknown, activity.Unknown)
	b, _ := l.Get("soft")
	if b.UnknownCalls != 1 || b.Spent != 0 {
		t.Errorf("spent %v with %d unknown calls; want 0 with 1: unknown is not zero", b.Spent, b.UnknownCalls)
	}
	r, _ = l.Reserve(noon, Use{Agent: "bot", Tokens: 7})
	r.Settle(noon, activity.Unknown, activity.Unknown)
	if s, _ := spent(t, l, "soft", "bot"); s != 7 {
		t.Errorf("an unknown end of a bounded call spent %d, want the bound 7", s)
	}
}

func TestObserveTakesAnyway(t *testing.T) {
	t.Parallel()
	l := memory(t, tokenBudget("a", "agent", "bot", 10))
	r, err := l.Reserve(noon, Use{Agent: "bot", Tokens: 50, Observe: true})
	if code(err) != "budget.exceeded" || r == nil {
		t.Fatalf("got %v, %v; want a reservation and budget.exceeded", r, err)
	}
	r.Settle(noon, 40, 0)
	if s, _ := spent(t, l, "a", "bot"); s != 40 {
		t.Errorf("spent %d, want 40", s)
	}
}

func TestWhoseBudget(t *testing.T) {
	t.Parallel()
	own := tokenBudget("own", "user", "*", 100)
	own.Team = "core"
	l := memory(t, own, tokenBudget("task", "task", "refunds", 100), tokenBudget("user", "user", "usr_1", 100))
	names := func(u Use) (out []string) {
		u.Tokens = 1
		r, err := l.Reserve(noon, u)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range r.Amounts() {
			if strings.Contains(a.Key, u.User) && u.User != "" {
				t.Errorf("the record names the user: %+v", a)
			}
			l.mu.Lock()
			out = append(out, a.Budget+"/"+l.people.name(a.Key))
			l.mu.Unlock()
		}
		return out
	}
	for _, c := range []struct {
		name string
		use  Use
		want string
	}{
		{"nobody's user", Use{Agent: "a", Team: "core"}, ""},
		{"a team's budget counts its own agents", Use{Agent: "a", Team: "core", User: "usr_2"}, "own/usr_2"},
		{"and no others", Use{Agent: "a", Team: "else", User: "usr_2"}, ""},
		{"named user", Use{Agent: "a", Team: "else", User: "usr_1"}, "user/usr_1"},
		{"task", Use{Agent: "a", Task: "refunds"}, "task/refunds"},
		{"other task", Use{Agent: "a", Task: "returns"}, ""},
	} {
		got := ""
		for i, n := range names(c.use) {
			if i > 0 {
				got += " "
			}
			got += n
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPilots(t *testing.T) {
	t.Parallel()
	l := newLedger(Options{Config: Config{PilotCalls: 2, ThrottleBy: 4}})
	for _, d := range l.o.Config.pilots() {
		l.put(d.name, d)
	}
	l.Ready()
	for i := range 5 {
		if _, err := l.Reserve(noon, Use{Agent: "grown", Calls: 1}); err != nil {
			t.Fatal("an agent past its pilot:", err)
		}
		if _, err := l.Reserve(noon, Use{Agent: "young", Calls: 1, Pilot: true}); (err != nil) != (i >= 2) {
			t.Fatalf("pilot's call %d: %v", i+1, err)
		}
	}
	if _, err := l.Put(t.Context(), Actor{}, client.Budget{Name: "pilot-calls", Scope: "agent", Match: "*", Unit: "calls", Period: "day"}); code(err) != "budget.built_in" {
		t.Errorf("changing the pilots' budget: %v", err)
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p           period
		at          string
		since, till string
	}{
		{hour, "2026-11-25T12:59:59.999999999Z", "2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z"},
		{day, "2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"},
		{day, "2026-11-25T01:00:00+02:00", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"}, // UTC, whatever the zone
		{week, "2026-11-29T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},     // a Sunday
		{week, "2026-11-30T00:00:00Z", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"},
		{week, "2027-01-01T10:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{month, "2028-02-29T10:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{month, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got := c.p.at(at)
		since, till := time.Unix(0, got.since).UTC().Format(time.RFC3339), time.Unix(0, got.until).UTC().Format(time.RFC3339)
		if since != c.since || till != c.till {
			t.Errorf("%s of %s: %s to %s, want %s to %s", periodNames[c.p], c.at, since, till, c.since, c.till)
		}
	}
}

func TestNewPeriod(t *testing.T) {
	t.Parallel()
	l := memory(t, tokenBudget("a", "agent", "bot", 100))
	late := time.Date(2026, 11, 25, 23, 59, 59, 0, time.UTC)
	old, err := l.Reserve(late, Use{Agent: "bot", Tokens: 100})
	if err != nil {
		t.Fatal(err)
	}
	next := late.Add(2 * time.Second)
	r, err := l.Reserve(next, Use{Agent: "bot", Tokens: 60})
	if err != nil {
		t.Fatal("a new day has the whole limit:", err)
	}
	old.Settle(next, 90, 0) // belongs to yesterday
	r.Settle(next, 60, 0)
	if s, reserved := spent(t, l, "a", "bot"); s != 60 || reserved != 0 {
		t.Errorf("spent %d, reserved %d; want 60, 0", s, reserved)
	}
	// A clock that goes back gives no new day, neither once nor twice.
	if _, err := l.Reserve(late, Use{Agent: "bot", Tokens: 41}); code(err) != "budget.exceeded" {
		t.Errorf("with the clock back: %v", err)
	}
}

// 64 callers against one budget: the sum of what goes on and what was spent
// never passes the limit by a unit, and at the end nothing is leaked.
func TestConcurrentCallersNeverExceed(t *testing.T) {
	t.Parallel()
	const limit = 1_000_003
	l := memory(t, tokenBudget("all", "team", "core", limit), tokenBudget("each", "agent", "*", limit/4),
		client.Budget{Name: "money", Scope: "team", Match: "core", Unit: "money", Limit: 7.000000003, Period: "total", Hard: true},
		client.Budget{Name: "calls", Scope: "user", Match: "*", Unit: "calls", Limit: 5000, Period: "day", Hard: true})
	agents := []string{"a", "b", "c", "d", "e", "f"}
	var inFlight, used, dollars atomic.Int64
	var over atomic.Int64
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 7))
			for range 2000 {
				u := Use{Agent: agents[rnd.IntN(len(agents))], Team: "core", User: agents[rnd.IntN(3)], Calls: 1, Tokens: 1 + rnd.Int64N(900), MoneyNanos: 1 + rnd.Int64N(900_000)}
				r, err := l.Reserve(noon, u)
				if err != nil {
					continue
				}
				// What is in flight was granted: with what was used it fits.
				if inFlight.Add(u.Tokens)+used.Load() > limit {
					over.Add(1)
				}
				came, cost := rnd.Int64N(u.Tokens+1), rnd.Int64N(u.MoneyNanos+1)
				switch rnd.IntN(4) {
				case 0:
					inFlight.Add(-u.Tokens)
					r.Release()
					continue
				case 1:
					used.Add(u.Tokens)
					dollars.Add(u.MoneyNanos)
					inFlight.Add(-u.Tokens)
					r.Settle(noon, activity.Unknown, activity.Unknown)
				default:
					// Ours first goes down, since the ledger gives to others at once.
					inFlight.Add(came - u.Tokens)
					used.Add(came)
					inFlight.Add(-came)
					dollars.Add(cost)
					r.Settle(noon, came, cost)
				}
			}
		})
	}
	wg.Wait()
	if used.Load() > limit {
		t.Errorf("spent %d of %d", used.Load(), limit)
	}
	if s, reserved := spent(t, l, "all", "core"); s != used.Load() || reserved != 0 {
		t.Errorf("the ledger says spent %d, reserved %d; the callers spent %d", s, reserved, used.Load())
	}
	if s, reserved := spent(t, l, "money", "core"); s != dollars.Load() || s > 7_000_000_003 || reserved != 0 {
		t.Errorf("the ledger says %d nano-dollars, reserved %d; the callers spent %d", s, reserved, dollars.Load())
	}
	if used.Load() < limit/2 {
		t.Errorf("only %d of %d was spent: the test shows nothing", used.Load(), limit)
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	l := memory(t, tokenBudget("a", "agent", "*", 100), tokenBudget("t", "team", "core", 60),
		client.Budget{Name: "c", Scope: "agent", Match: "bot", Unit: "calls", Limit: 3, Period: "hour", Hard: true},
		client.Budget{Name: "m", Scope: "team", Match: "core", Unit: "money", Limit: 7.25, Currency: "USD", Period: "day", Hard: true},
		client.Budget{Name: "soft", Scope: "team", Match: "core", Unit: "money", Limit: 1, Currency: "USD", Period: "day"})
	tok, n, m := l.Left(noon, Use{Agent: "other"})
	if tok == nil || *tok != 100 || n != nil || m != nil {
		t.Errorf("left %v, %v, %v; want 100, nil, nil", tok, n, m)
	}
	if _, _, m := l.Left(noon, Use{Agent: "other", Team: "core"}); m == nil || *m != 7_250_000_000 {
		t.Errorf("money left %v, want 7.25", m)
	}
	r, _ := l.Reserve(noon, Use{Agent: "bot", Team: "core", Calls: 1, Tokens: 10})
	tok, n, _ = l.Left(noon, Use{Agent: "bot", Team: "core"})
	if *tok != 50 || *n != 2 {
		t.Errorf("left %d, %d; want 50, 2", *tok, *n)
	}
	r.Settle(noon, 4, 0)
	if tok, _, _ = l.Left(noon, Use{Agent: "bot", Team: "core"}); *tok != 56 {
		t.Errorf("left %d, want 56", *tok)
	}
}

func TestDefine(t *testing.T) {
	t.Parallel()
	good := client.Budget{Name: "a.b_c-1", Scope: "agent", Match: "*", Unit: "money", Limit: 0.1, Currency: "USD", Period: "total", Hard: true}
	d, err := define(good)
	if err != nil || d.limit != 100_000_000 {
		t.Fatalf("limit %v, %v; want 100000000", d, err)
	}
	for name, change := range map[string]func(*client.Budget){
		"no name":            func(b *client.Budget) { b.Name = "" },
		"capital":            func(b *client.Budget) { b.Name = "A" },
		"long":               func(b *client.Budget) { b.Name = "a234567890123456789012345678901234567890123456789012345678901234" },
		"scope":              func(b *client.Budget) { b.Scope = "model" },
		"no match":           func(b *client.Budget) { b.Match = "" },
		"control characters": func(b *client.Budget) { b.Match = "a\x00" },
		"unit":               func(b *client.Budget) { b.Unit = "euros" },
		"period":             func(b *client.Budget) { b.Period = "year" },
		"negative":           func(b *client.Budget) { b.Limit = -1 },
		"too much":           func(b *client.Budget) { b.Limit = 1e18 },
		"half a token":       func(b *client.Budget) { b.Unit, b.Currency, b.Limit = "tokens", "", 1.5 },
		"tokens in USD":      func(b *client.Budget) { b.Unit = "tokens" },
		"too many tokens":    func(b *client.Budget) { b.Unit, b.Currency, b.Limit = "tokens", "", 1e17 },
	} {
		b := good
		change(&b)
		if _, err := define(b); code(err) != "budget.invalid" {
			t.Errorf("%s: %v, want budget.invalid", name, err)
		}
	}
	b := good
	b.Currency = "EUR"
	if _, err := define(b); code(err) != "budget.currency" {
		t.Errorf("EUR: %v, want budget.currency", err)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	soft := tokenBudget("soft", "agent", "bot", 100)
	soft.Hard = false
	l := memory(t, soft)
	next := func() *Notice {
		select {
		case n := <-l.notices:
			return &n
		default:
			return nil
		}
	}
	spend := func(n int64) {
		r, err := l.Reserve(noon, Use{Agent: "bot", Tokens: n})
		if err != nil {
			t.Fatal(err)
		}
		r.Settle(noon, n, 0)
	}
	spend(79)
	if n := next(); n != nil {
		t.Errorf("at 79 %%: %+v", n)
	}
	spend(1)
	if n := next(); n == nil || n.Percent != 80 || n.Key != "bot" {
		t.Errorf("at 80 %%: %+v", n)
	}
	spend(10)
	spend(200)
	if n := next(); n == nil || n.Percent != 100 || n.Spent != 290 {
		t.Errorf("beyond: %+v", n)
	}
	spend(1)
	if n := next(); n != nil {
		t.Errorf("told again: %+v", n)
	}
}

func TestReserveAllocates(t *testing.T) {
	l := memory(t, tokenBudget("a", "agent", "*", 1e12), tokenBudget("t", "team", "core", 1e12))
	u := Use{Agent: "bot", Team: "core", Calls: 1, Tokens: 10, MoneyNanos: 3}
	got := testing.AllocsPerRun(1000, func() {
		r, err := l.Reserve(noon, u)
		if err != nil {
			t.Fatal(err)
		}
		r.Settle(noon, 5, 1)
	})
	if got > 1 {
		t.Errorf("%v allocations, want at most 1", got)
	}
}
