package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// running starts a reader in a bubble of its own time.
func running(t *testing.T, store *memory, log *tape, opts func(*Options)) *Reader {
	t.Helper()
	o := Options{Log: log, Store: store, HashKey: make([]byte, 32), Prices: flat{}}
	if opts != nil {
		opts(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// elapse lets the bubble's time go by: nothing waits for a real clock here.
func elapse(d time.Duration) { <-time.After(d) }

// now makes a batch that arrives at the bubble's time.
func now(f ...activity.Fragment) *activity.Batch {
	b := batchOf(f...)
	b.Received = time.Now().UnixNano()
	return b
}

func TestLifeOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, log := newMemory(), newTape()
		var mu sync.Mutex
		notes := map[activity.RunStatus]int{}
		r := running(t, store, log, func(o *Options) {
			o.Notify = func(_ context.Context, n []Note) {
				mu.Lock()
				defer mu.Unlock()
				for _, x := range n {
					notes[x.Status]++
				}
			}
		})
		id := idOf[activity.RunID](1)
		stored := func() activity.RunStatus {
			synctest.Wait()
			row, err := store.Run(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return row.Status
		}
		log.write(now(span1(1, 1, 0, activity.KindModel, used(10, 1))))
		synctest.Wait()
		if row, steps, _, ok := r.Live(id); !ok || row.Status != activity.RunRunning || !row.Partial || len(steps) != 1 {
			t.Errorf("a run must be seen at its first step: %+v %v", row, ok)
		}
		elapse(2 * time.Second)
		if s := stored(); s != activity.RunRunning {
			t.Errorf("status %v after a child", s)
		}
		if _, steps, _, _ := r.Live(id); len(steps) != 0 {
			t.Error("a stored step is the store's to tell")
		}
		elapse(time.Minute)
		if s := stored(); s != activity.RunRunning {
			t.Errorf("status %v without a root", s)
		}
		log.write(now(span1(1, 0, -1, activity.KindAgent)))
		elapse(4 * time.Second)
		if s := stored(); s != activity.RunRunning {
			t.Errorf("status %v before it was quiet", s)
		}
		elapse(3 * time.Second)
		if s := stored(); s != activity.RunDone {
			t.Errorf("status %v after its root ended and quiet", s)
		}
		elapse(time.Hour)
		synctest.Wait()
		if n := r.Stats().Live; n != 0 {
			t.Errorf("%d runs in memory an hour after", n)
		}
		log.write(now(span1(1, 2, 0, activity.KindModel, used(5, 1))))
		elapse(2 * time.Second)
		if s := stored(); s != activity.RunRunning {
			t.Errorf("status %v after a late step", s)
		}
		elapse(10 * time.Second)
		if s := stored(); s != activity.RunDone {
			t.Errorf("status %v at last", s)
		}
		row, _ := store.Run(t.Context(), id)
		if row.Usage.InputTotal != 15 || row.Steps != 3 {
			t.Errorf("row %+v", row)
		}
		mu.Lock()
		defer mu.Unlock()
		if notes[activity.RunRunning] == 0 || notes[activity.RunDone] == 0 {
			t.Errorf("notes %v", notes)
		}
	})
}

func TestStaleAndWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, log := newMemory(), newTape()
		running(t, store, log, nil)
		status := func(n int) activity.RunStatus {
			synctest.Wait()
			row, err := store.Run(t.Context(), idOf[activity.RunID](n))
			if err != nil {
				t.Fatal(err)
			}
			return row.Status
		}
		log.write(
			now(span1(1, 1, 0, activity.KindTool)),
			now(span1(2, 10, -1, activity.KindAgent), span1(2, 11, 10, activity.KindHuman, func(f *activity.Fragment) {
				f.Waiting, f.End, f.Status, f.WholeFragment = true, activity.Unknown, activity.StatusRunning, false
			})),
			now(span1(3, 20, 999, activity.KindAgent, func(f *activity.Fragment) { f.Outcome = "resolved" })),
		)
		elapse(time.Minute)
		if a, b, c := status(1), status(2), status(3); a != activity.RunRunning || b != activity.RunWaiting || c != activity.RunDone {
			t.Errorf("after a minute: %v, %v, %v", a, b, c)
		}
		elapse(time.Hour)
		if a, b := status(1), status(2); a != activity.RunStale || b != activity.RunWaiting {
			t.Errorf("after an hour: %v, %v", a, b)
		}
		log.write(now(span1(2, 11, 10, activity.KindHuman)))
		elapse(10 * time.Second)
		if s := status(2); s != activity.RunDone {
			t.Errorf("after the person answered: %v", s)
		}
	})
}

// A run that waits for a person for three days is one run, however often Reeve is
// started anew meanwhile: it waits, and is neither stale nor lost, and ends when the
// person answers. One for which nobody comes is stale in the end.
func TestAWaitingRunOutlivesRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, log := newMemory(), newTape()
		lives := 0
		live := func(d time.Duration) {
			t.Helper()
			lives++
			r, err := New(Options{Log: log, Store: store, HashKey: make([]byte, 32), Prices: flat{}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			elapse(d)
			synctest.Wait()
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		status := func(n int) activity.RunStatus {
			t.Helper()
			row, err := store.Run(t.Context(), idOf[activity.RunID](n))
			if err != nil {
				t.Fatal(err)
			}
			return row.Status
		}
		asks := func(run, root, step int) *activity.Batch {
			return now(span1(run, root, -1, activity.KindAgent, func(f *activity.Fragment) {
				f.End, f.Status, f.WholeFragment = activity.Unknown, activity.StatusRunning, false
			}), span1(run, step, root, activity.KindHuman, func(f *activity.Fragment) {
				f.Waiting, f.End, f.Status, f.WholeFragment = true, activity.Unknown, activity.StatusRunning, false
			}))
		}
		log.write(asks(1, 10, 11), asks(2, 20, 21))
		for day := range 3 {
			live(11 * time.Hour)
			elapse(2 * time.Hour) // nothing runs
			live(11 * time.Hour)
			if a, b := status(1), status(2); a != activity.RunWaiting || b != activity.RunWaiting {
				t.Fatalf("on day %d after %d lives: %v, %v", day+1, lives, a, b)
			}
		}
		log.write(now(span1(1, 11, 10, activity.KindHuman), span1(1, 10, -1, activity.KindAgent)))
		live(time.Minute)
		if s := status(1); s != activity.RunDone {
			t.Errorf("after the person answered: %v", s)
		}
		if row, err := store.Run(t.Context(), idOf[activity.RunID](1)); err != nil || row.Steps != 2 {
			t.Errorf("%+v, %v", row, err)
		}
		live(5 * 24 * time.Hour)
		if a, b := status(1), status(2); a != activity.RunDone || b != activity.RunStale {
			t.Errorf("eight days after it asked: %v, %v", a, b)
		}
	})
}

// TestStoreRefuses holds that nothing is lost while the store is down, that
// the reader stops reading rather than filling memory, and says so.
func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, log := newMemory(), newTape()
		r := running(t, store, log, func(o *Options) { o.FlushSteps = 10 })
		store.mu.Lock()
		store.fail = errors.New("disk full")
		store.mu.Unlock()
		for n := range 100 {
			log.write(now(span1(n, n, -1, activity.KindModel, used(1, 1))))
		}
		elapse(40 * time.Second)
		synctest.Wait()
		if lag, err := r.Lag(); lag < 30*time.Second || err == nil {
			t.Errorf("lag %v, %v", lag, err)
		}
		if n := r.Stats().Fragments; n > 30 {
			t.Errorf("%d fragments read while the store refuses", n)
		}
		store.mu.Lock()
		store.fail = nil
		store.mu.Unlock()
		elapse(20 * time.Second)
		synctest.Wait()
		if lag, err := r.Lag(); lag != 0 || err != nil {
			t.Errorf("lag %v, %v after recovery", lag, err)
		}
		if len(store.rows) != 100 || log.deleted != 100 {
			t.Errorf("%d rows, log deleted through %d", len(store.rows), log.deleted)
		}
	})
}

func TestLiveRuns(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	for n := range 300 {
		h.feed(batchOf(span1(n, n, -1, activity.KindAgent, func(f *activity.Fragment) { f.Agent = fmt.Sprint("agent-", n%3) })))
	}
	all := h.r.LiveRuns(nil)
	if len(all) != 300 || all[0].Start < all[1].Start {
		t.Errorf("%d live runs", len(all))
	}
	one := h.r.LiveRuns(&search.Cmp{Field: "agent", Op: ":", Values: []string{"agent-1"}})
	if len(one) != 100 {
		t.Errorf("%d live runs of one agent", len(one))
	}
	h.flush()
	if n := len(h.r.LiveRuns(nil)); n != 0 {
		t.Errorf("%d live runs are newer than the store", n)
	}
}

func TestBadPayloads(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	good := activity.AppendBatch(nil, batchOf(span1(1, 1, -1, activity.KindModel, used(1, 1))))
	for _, p := range [][]byte{nil, {0xff}, good[:len(good)-3], []byte("hello")} {
		h.seq++
		if err := h.r.handle(t.Context(), h.seq, h.now, [][]byte{p, good}); err != nil {
			t.Fatal(err)
		}
	}
	var zero activity.Fragment
	h.r.stats.Undecodable = 0
	h.feed(batchOf(zero, activity.Fragment{Trace: activity.TraceID{1}, Start: -5, End: -9}, span1(1, 2, 2, activity.KindTool, func(f *activity.Fragment) { f.End = 1 })))
	h.flush()
	run := h.row(idOf[activity.RunID](1))
	if run.Steps != 2 || run.Usage.InputTotal != 1 || run.Flags != activity.FlagSelfParent|activity.FlagEndBeforeStart {
		t.Errorf("steps %d, input %d, flags %v", run.Steps, run.Usage.InputTotal, run.Flags.Names())
	}
}

// TestBrokenContent holds that text that is no array is kept as one message.
func TestBrokenContent(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`[`, `{"role":"user"}`, `[{"a":1},{"b"`, `not json`, `[1,2`, `[[[[`, `["x",]`} {
		h := newHarness(t, newMemory(), nil)
		h.feed(batchOf(span1(1, 1, -1, activity.KindModel, said(activity.ContentInput, "openai.messages", raw))))
		h.flush()
		id := idOf[activity.RunID](1)
		if n := len(h.store.messages[id]); n == 0 {
			t.Errorf("%q: nothing kept", raw)
		}
	}
}

func TestLongRun(t *testing.T) {
	if testing.Short() {
		t.Skip("50,000 steps")
	}
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	for n := 0; n < 50_000; n += 500 {
		var f []activity.Fragment
		for k := n; k < n+500; k++ {
			f = append(f, span1(1, k, k-1, activity.KindModel, used(1, 1))) // one chain, as deep as it gets
		}
		h.feed(batchOf(f...))
		if n%10_000 == 0 {
			h.flush()
		}
	}
	began := time.Now()
	h.flush()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("one commit took %v", took)
	}
	run := h.row(idOf[activity.RunID](1))
	if run.ModelCalls != 1 || run.Usage.InputTotal != 1 || run.Steps != 50_000 {
		t.Errorf("calls %d, input %d, steps %d", run.ModelCalls, run.Usage.InputTotal, run.Steps)
	}
}

// FuzzPayload holds that no bytes on the log make the fold panic.
func FuzzPayload(f *testing.F) {
	good := activity.AppendBatch(nil, batchOf(
		span1(1, 1, 0, activity.KindModel, used(1, 1), said(activity.ContentInput, "openai.messages", `[{"role":"user","content":"x"}]`)),
		span1(1, 0, -1, activity.KindAgent), span1(1, 2, 2, activity.KindTool),
	))
	f.Add(good)
	f.Add(append(good, good[:len(good)/2]...))
	f.Fuzz(func(t *testing.T, p []byte) {
		h := newHarness(t, newMemory(), nil)
		if err := h.r.payload(t.Context(), p, start0); err != nil && !errors.Is(err, activity.ErrCodec) {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		h.r.commit(ctx, true)
		if h.r.failing != nil || ctx.Err() != nil {
			t.Fatalf("not stored: %v, %v", h.r.failing, ctx.Err())
		}
	})
}

// Whoever tells of changes may wait for others: the next are told soon after all
// the same.
func TestSlowTelling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newTape()
		var mu sync.Mutex
		var told []time.Time
		running(t, newMemory(), log, func(o *Options) {
			o.Notify = func(context.Context, []Note) {
				mu.Lock()
				told = append(told, time.Now())
				first := len(told) == 1
				mu.Unlock()
				if first {
					elapse(5 * time.Second)
				}
			}
		})
		log.write(now(span1(1, 1, -1, activity.KindAgent)))
		elapse(2 * time.Second) // it is being told
		log.write(now(span1(2, 2, -1, activity.KindAgent)))
		elapse(10 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		if len(told) < 2 || told[1].Sub(told[0]) > 5*time.Second+notifyPause+time.Second {
			t.Errorf("told at %v", told)
		}
	})
}

// While nobody would be told, runs that change are left out, and told from the moment
// on when somebody would be.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newTape()
		var nobody atomic.Bool
		var mu sync.Mutex
		told := map[activity.RunID]int{}
		running(t, newMemory(), log, func(o *Options) {
			o.Nobody = func(context.Context) bool { return nobody.Load() }
			o.Notify = func(_ context.Context, notes []Note) {
				mu.Lock()
				defer mu.Unlock()
				for _, n := range notes {
					told[n.ID]++
				}
			}
		})
		count := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return told[idOf[activity.RunID](n)]
		}
		nobody.Store(true)
		log.write(now(span1(1, 1, -1, activity.KindAgent)))
		elapse(2 * time.Second)
		if n := count(1); n != 0 {
			t.Errorf("nobody follows: told %d times", n)
		}
		nobody.Store(false)
		log.write(now(span1(1, 2, 0, activity.KindTool)))
		elapse(2 * time.Second)
		if n := count(1); n == 0 {
			t.Error("somebody follows: a run that changed was not told of")
		}
	})
}
