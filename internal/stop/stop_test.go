package stop

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// clock is a clock that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// raiser stands for the registered agents: it knows one.
type raiser struct{ name string }

func (r raiser) Raise(_ context.Context, _ *control.Tx, name string) (int, error) {
	if name != r.name {
		return 0, fault.New(fault.KindNotFound, "agent.not_found", "none")
	}
	return 2, nil
}

func openDB(t testing.TB, file string) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func open(t testing.TB, change func(*Options)) (*Board, *control.DB) {
	t.Helper()
	db := openDB(t, filepath.Join(t.TempDir(), "control.db"))
	o := Options{DB: db, Node: "node-1", Agents: raiser{"refund-agent"}}
	if change != nil {
		change(&o)
	}
	b, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b, db
}

func stopIt(t testing.TB, b *Board, kind, value string) client.Stop {
	t.Helper()
	st, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: kind, Value: value}, "it misbehaves", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// full is a call with every field that a stop can name.
func full() Call {
	return Call{
		ID: "dec_1", Agent: "refund-agent", Instance: "i-1", Run: "run-1", Session: "s-1", User: "u-1", Version: "v-1", Tool: "orders.refund",
		Model: "gpt-4o", Upstream: "openai", Team: "support", Credential: "rvk_1", Chain: []string{"caller", "planner"}, Labels: map[string]string{"tier": "1"},
	}
}

// Each kind of target takes the call that carries it and no other, before the
// call and while it lasts.
func TestTargets(t *testing.T) {
	t.Parallel()
	cases := []struct{ kind, value, code string }{
		{KindAgent, "refund-agent", "stop.agent"},
		{KindAgent, "caller", "stop.agent"}, // for which it acts
		{KindAgent, "planner", "stop.agent"},
		{KindInstance, "i-1", "stop.instance"},
		{KindRun, "run-1", "stop.run"},
		{KindSession, "s-1", "stop.session"},
		{KindUser, "u-1", "stop.user"},
		{KindVersion, "v-1", "stop.version"},
		{KindTool, "orders.refund", "stop.tool"},
		{KindModel, "gpt-4o", "stop.model"},
		{KindModel, "openai/gpt-4o", "stop.model"},
		{KindUpstream, "openai", "stop.upstream"},
		{KindTeam, "support", "stop.team"},
		{KindLabel, "tier=1", "stop.label"},
		{KindCredential, "rvk_1", "stop.credential"},
		{KindEverything, "", "stop.everything"},
	}
	for _, c := range cases {
		t.Run(c.kind+" "+c.value, func(t *testing.T) {
			t.Parallel()
			b, db := open(t, nil)
			ctx, leave, err := b.Enter(t.Context(), full())
			if err != nil {
				t.Fatal(err)
			}
			other, leaveOther, err := b.Enter(t.Context(), Call{Agent: "other", Upstream: "open", Model: "ai/gpt-4o", Labels: map[string]string{"tier": "2"}})
			if err != nil {
				t.Fatal(err)
			}
			defer leaveOther()
			go func() { <-ctx.Done(); leave(); leave() }()
			go func() { <-other.Done(); leaveOther() }()
			st := stopIt(t, b, c.kind, c.value)
			if got := code(context.Cause(ctx)); got != c.code {
				t.Errorf("the live call's cause is %q, want %q", got, c.code)
			}
			if _, _, err := b.Enter(t.Context(), full()); code(err) != c.code {
				t.Errorf("the next call: %v, want %s", err, c.code)
			}
			if err := b.Check(full()); code(err) != c.code {
				t.Errorf("asked without entering: %v, want %s", err, c.code)
			}
			if _, _, err := b.Enter(t.Context(), Call{}); (c.kind == KindEverything) != (err != nil) {
				t.Errorf("a call that names nothing: %v", err)
			}
			want := 1
			if c.kind == KindEverything {
				want = 2
			}
			if cut := other.Err() != nil; cut != (want == 2) || len(st.Receipt.CallsCut) != want {
				t.Errorf("the other call cut: %v; the receipt lists %d calls, want %d", cut, len(st.Receipt.CallsCut), want)
			}
			if _, err := b.Lift(t.Context(), "ada", st.ID, "mended"); err != nil {
				t.Fatal(err)
			}
			if err := b.Check(full()); err != nil {
				t.Errorf("asked after the stop was lifted: %v", err)
			}
			if _, leave, err := b.Enter(t.Context(), full()); err != nil {
				t.Errorf("after the stop was lifted: %v", err)
			} else {
				leave()
			}
			if r, err := audit.Verify(t.Context(), db); err != nil || r.Break != nil || r.Records != 3 {
				t.Errorf("audit: %+v, %v; want stop, receipt and lift", r, err)
			}
		})
	}
}

func TestStopsSurviveAReopenedDatabase(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "control.db")
	db := openDB(t, file)
	b, err := New(t.Context(), Options{DB: db, Node: "n"})
	if err != nil {
		t.Fatal(err)
	}
	held := stopIt(t, b, KindAgent, "refund-agent")
	lifted := stopIt(t, b, KindTeam, "support")
	if _, err := b.Lift(t.Context(), "ada", lifted.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = New(t.Context(), Options{DB: openDB(t, file), Node: "n"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("got %v, want stop.agent", err)
	}
	if _, leave, err := b.Enter(t.Context(), Call{Team: "support"}); err != nil {
		t.Errorf("the lifted stop holds: %v", err)
	} else {
		leave()
	}
	list, err := b.List(t.Context(), true, 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("active: %v, %v", list, err)
	}
	if diff := cmp.Diff(held, list[0]); diff != "" {
		t.Errorf("the stop with its receipt (-made +read):\n%s", diff)
	}
}

// A thousand calls in flight: all are cut and counted, and calls that come
// meanwhile are either refused or cut.
func TestThousandLiveCalls(t *testing.T) {
	t.Parallel()
	b, _ := open(t, func(o *Options) { o.Grace = 20 * time.Second })
	const n = 1000
	var wg sync.WaitGroup
	var cut, refused, went atomic.Int64
	one := func(agent string, chain ...string) {
		ctx, leave, err := b.Enter(t.Context(), Call{Agent: agent, Chain: chain, StartedAt: time.Now()})
		if err != nil {
			refused.Add(1)
			return
		}
		wg.Go(func() {
			<-ctx.Done()
			if code(context.Cause(ctx)) == "stop.agent" {
				cut.Add(1)
			} else {
				went.Add(1)
			}
			leave()
		})
	}
	for i := range n {
		if i%10 == 0 {
			one(fmt.Sprintf("delegate-%d", i%3), "refund-agent")
		} else {
			one("refund-agent")
		}
	}
	preview, err := b.Preview(client.StopTarget{Kind: KindAgent, Value: "refund-agent"})
	if err != nil || preview.Total != n || len(preview.Agents) != 4 {
		t.Fatalf("preview: %d calls of %v, %v", preview.Total, preview.Agents, err)
	}
	var late sync.WaitGroup
	for range 8 {
		late.Go(func() {
			for range 200 {
				one("refund-agent")
			}
		})
	}
	st := stopIt(t, b, KindAgent, "refund-agent")
	late.Wait()
	wg.Wait()
	if cut.Load()+refused.Load() != n+1600 || went.Load() != 0 || b.Live() != 0 {
		t.Errorf("%d cut, %d refused, %d otherwise, %d live; want %d in all", cut.Load(), refused.Load(), went.Load(), b.Live(), n+1600)
	}
	r := st.Receipt
	if r.Targets[0].CallsCut < n || r.CredentialsRevoked != 2 || !r.ThroughDoor || r.TimeToStopMS <= 0 {
		t.Errorf("receipt: %+v", r.Targets)
	}
	if diff := cmp.Diff([]string{"delegate-0", "delegate-1", "delegate-2"}, r.Delegates); diff != "" {
		t.Error(diff)
	}
	t.Logf("time to stop %d calls: %.2f ms", r.Targets[0].CallsCut, r.TimeToStopMS)
}

func TestAStopEndsByItself(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	b, db := open(t, func(o *Options) { o.Now = c.now })
	st, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindAgent, Value: "refund-agent"}, "for an hour", c.now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour - time.Microsecond)
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("before its end: %v", err)
	}
	c.pass(time.Microsecond)
	if _, leave, err := b.Enter(t.Context(), full()); err != nil {
		t.Errorf("at its end: %v", err)
	} else {
		leave()
	}
	b.tick(t.Context())
	b.tick(t.Context())
	if n := len(b.stops.Load().all); n != 0 {
		t.Errorf("%d stops in memory after the end", n)
	}
	entries, err := audit.List(t.Context(), db, audit.Filter{Kind: "revoke.ended"})
	if err != nil || len(entries) != 1 {
		t.Errorf("audit: %d records that it ended, %v", len(entries), err)
	}
	if list, err := b.List(t.Context(), true, 0); err != nil || len(list) != 0 {
		t.Errorf("active: %v, %v", list, err)
	}
	if got, err := b.Get(t.Context(), st.ID); err != nil || got.Until == nil {
		t.Errorf("Get: %+v, %v", got, err)
	}
}

func TestANodeThatIsCutOffRefusesAndCuts(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Now()}
	b, _ := open(t, func(o *Options) { o.Now, o.StaleAfter = c.now, 2*time.Second })
	ctx, leave, err := b.Enter(t.Context(), full())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	c.pass(1900 * time.Millisecond)
	b.Heartbeat()
	c.pass(2 * time.Second)
	b.tick(t.Context())
	if ctx.Err() != nil {
		t.Fatal("cut in time")
	}
	c.pass(time.Millisecond)
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.stale" {
		t.Errorf("got %v, want stop.stale", err)
	}
	b.tick(t.Context())
	if got := code(context.Cause(ctx)); got != "stop.stale" {
		t.Errorf("the live call's cause is %q", got)
	}
	b.Heartbeat()
	if _, leave, err := b.Enter(t.Context(), full()); err != nil {
		t.Errorf("once a commit was seen: %v", err)
	} else {
		leave()
	}
}

// A database that takes no writes does not keep a stop from being in force.
func TestAStopThatCannotBeStoredHolds(t *testing.T) {
	t.Parallel()
	b, db := open(t, nil)
	ctx, leave, err := b.Enter(t.Context(), full())
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-ctx.Done(); leave() }()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindAgent, Value: "refund-agent"}, "now", time.Time{})
	if code(err) != "stop.not_stored" || st.Receipt == nil || len(st.Receipt.CallsCut) != 1 {
		t.Errorf("Stop: %+v, %v", st, err)
	}
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("the next call: %v", err)
	}
	if held := b.held(); len(held) != 1 || held[0].ID != st.ID {
		t.Errorf("it is not shown: %+v", held)
	}
}

func TestReceiptOfAnAgentThatDoesNotUseTheDoor(t *testing.T) {
	t.Parallel()
	b, _ := open(t, nil)
	r := stopIt(t, b, KindAgent, "refund-agent").Receipt
	if r.ThroughDoor || len(r.Notes) != 2 || r.CredentialsRevoked != 2 {
		t.Errorf("registered: %+v", r)
	}
	r = stopIt(t, b, KindAgent, "nobody").Receipt
	if r.ThroughDoor || len(r.Notes) != 3 || r.CredentialsRevoked != 0 {
		t.Errorf("unknown: %+v", r)
	}
}

// A call that does not end when it is told to does not hold up the receipt.
func TestACallThatLingers(t *testing.T) {
	t.Parallel()
	b, _ := open(t, func(o *Options) { o.Grace = time.Millisecond })
	sent := &atomic.Int64{}
	sent.Store(42)
	_, leave, err := b.Enter(t.Context(), Call{ID: "dec_1", Agent: "a", Sent: sent})
	if err != nil {
		t.Fatal(err)
	}
	r := stopIt(t, b, KindEverything, "").Receipt
	leave()
	if len(r.CallsCut) != 1 || r.CallsCut[0].BytesOut != 42 || len(r.Notes) != 1 {
		t.Errorf("receipt: %+v", r)
	}
}

func TestRefusedStops(t *testing.T) {
	t.Parallel()
	b, _ := open(t, nil)
	long := make([]byte, 2000)
	for i := range long {
		long[i] = 'x'
	}
	past := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		name, kind, value, reason string
		until                     time.Time
		want                      string
	}{
		{"no kind", "", "x", "r", time.Time{}, "stop.target"},
		{"unknown kind", "planet", "x", "r", time.Time{}, "stop.target"},
		{"no value", KindAgent, "", "r", time.Time{}, "stop.target"},
		{"value of everything", KindEverything, "x", "r", time.Time{}, "stop.target"},
		{"label without value", KindLabel, "tier", "r", time.Time{}, "stop.target"},
		{"long value", KindAgent, string(long), "r", time.Time{}, "stop.target"},
		{"line break", KindAgent, "a\nb", "r", time.Time{}, "stop.target"},
		{"no UTF-8", KindAgent, "\xff", "r", time.Time{}, "stop.target"},
		{"no reason", KindAgent, "a", " ", time.Time{}, "stop.invalid"},
		{"long reason", KindAgent, "a", string(long), time.Time{}, "stop.invalid"},
		{"over already", KindAgent, "a", "r", past, "stop.invalid"},
	} {
		if _, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: c.kind, Value: c.value}, c.reason, c.until); code(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := b.Lift(t.Context(), "ada", "stop_none", ""); code(err) != "stop.not_found" {
		t.Errorf("Lift: %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, _ := open(t, func(o *Options) { o.StaleAfter = time.Second })
	done := errors.New("done")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(done)
	if err := b.Run(ctx); !errors.Is(err, done) {
		t.Errorf("Run: %v", err)
	}
}

// BenchmarkEnter is what every call at the door pays: with stops in force that
// do not take it, from all cores at once.
func BenchmarkEnter(b *testing.B) {
	for _, n := range []int{0, 1000} {
		b.Run(fmt.Sprintf("%d stops", n), func(b *testing.B) {
			board, _ := open(b, nil)
			all := make([]*client.Stop, n)
			for i := range all {
				all[i] = &client.Stop{ID: fmt.Sprint(i), Target: client.StopTarget{Kind: KindAgent, Value: fmt.Sprintf("agent-%d", i)}}
			}
			board.stops.Store(newSet(all))
			c := full()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, leave, err := board.Enter(context.Background(), c)
					if err != nil {
						b.Error(err)
						return
					}
					leave()
				}
			})
		})
	}
}

// What agents see ends before any call is woken to settle, and it has its cause.
func TestAnswersEndBeforeCallsAreWoken(t *testing.T) {
	t.Parallel()
	b, _ := open(t, nil)
	const n = 50
	var mu sync.Mutex
	hung, early := 0, 0
	contexts := make([]context.Context, n)
	for i := range n {
		c := full()
		c.HangUp = func(cause error) {
			mu.Lock()
			defer mu.Unlock()
			hung++
			for _, ctx := range contexts {
				if ctx.Err() != nil {
					early++
				}
			}
			if code(cause) != "stop.agent" {
				t.Errorf("cause %v", cause)
			}
		}
		ctx, leave, err := b.Enter(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		contexts[i] = ctx
		go func() { <-ctx.Done(); leave() }()
	}
	st := stopIt(t, b, KindAgent, "refund-agent")
	mu.Lock()
	defer mu.Unlock()
	if hung != n || early != 0 || len(st.Receipt.CallsCut) != n {
		t.Errorf("%d answers ended, %d times after a call was woken; the receipt lists %d", hung, early, len(st.Receipt.CallsCut))
	}
}
