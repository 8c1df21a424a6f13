package remap

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// store is steps in memory, one a run, that need to be mapped again or not. What
// was changed is lost in a crash unless it was flushed.
type store struct {
	mu      sync.Mutex
	steps   map[activity.RunID]*step
	kill    int // the change at which the process dies; 0 never
	n       int
	stop    context.CancelCauseFunc
	fail    error
	visited int
}

type step struct {
	start            time.Time
	version          int32
	differs, changed bool // changed: not flushed yet
	damaged          bool
}

func (s *store) Stats(context.Context) (st telemetry.Stats, err error) {
	for _, x := range s.steps {
		if st.Oldest.IsZero() || x.start.Before(st.Oldest) {
			st.Oldest = x.start
		}
	}
	return st, nil
}

func (s *store) Mapped(_ context.Context, from, to time.Time, below int32) (out []telemetry.MappedRun, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, x := range s.steps {
		if x.version < below && !x.start.Before(from) && x.start.Before(to) {
			out = append(out, telemetry.MappedRun{Run: id, Steps: 1})
		}
	}
	return out, nil
}

func (s *store) Version() int32 { return 3 }

func (s *store) Remap(ctx context.Context, id activity.RunID, q telemetry.Remap) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	x := s.steps[id]
	s.visited++
	if x.damaged {
		return 0, errors.New("cut off")
	}
	told := telemetry.Remapped{Run: id, Dialect: "otel-genai", Version: x.version}
	if x.differs {
		told.Changes = []telemetry.FieldChange{{Field: "session", After: "conv-" + id.String()}}
	}
	if q.Visit != nil {
		q.Visit(&told)
	}
	if !x.differs {
		return 0, nil
	}
	if !q.Dry {
		if s.n++; s.n == s.kill {
			s.stop(errors.New("killed"))
			return 0, context.Cause(ctx)
		}
		x.differs, x.changed, x.version = false, true, 3
	}
	return 1, nil
}

func (s *store) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.steps {
		x.changed = false
	}
	return nil
}

// crash loses what was not flushed.
func (s *store) crash() {
	for _, x := range s.steps {
		if x.changed {
			x.differs, x.changed, x.version = true, false, 1
		}
	}
}

func (s *store) differ() (n int) {
	for _, x := range s.steps {
		if x.differs {
			n++
		}
	}
	return n
}

var first = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// filled has ten runs a day for three days; every second differs.
func filled() *store {
	s := &store{steps: map[activity.RunID]*step{}}
	for n := range 30 {
		var id activity.RunID
		binary.BigEndian.PutUint32(id[:], uint32(n+1))
		s.steps[id] = &step{start: first.AddDate(0, 0, n/10), version: 1, differs: n%2 == 0}
	}
	return s
}

func book(t *testing.T, db *control.DB, s *store) *Book {
	t.Helper()
	var ticks atomic.Int64
	return New(Options{DB: db, Steps: s, Runs: s, Now: func() time.Time { return first.AddDate(0, 0, 5).Add(time.Duration(ticks.Add(1)) * time.Millisecond) }})
}

func open(t *testing.T) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// work runs a book until nothing is left, or it dies.
func work(t *testing.T, b *Book, s *store, id string) client.Remap {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	s.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Run(ctx)
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		r, err := b.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if r.State != "planning" && r.State != "applying" || ctx.Err() != nil {
			stop(nil)
			<-done
			return r
		}
	}
}

// TestPlanAndApply follows a remap from its plan to a second plan, which finds
// nothing.
func TestPlanAndApply(t *testing.T) {
	t.Parallel()
	s := filled()
	b := book(t, open(t), s)
	r, err := b.Plan(t.Context(), "ada", time.Time{}, time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Apply(t.Context(), "ada", r.ID); fault.From(err).Code != "remap.state" {
		t.Fatalf("applied before it was planned: %v", err)
	}
	r = work(t, b, s, r.ID)
	if r.State != "planned" || r.Steps != 30 || r.Changed != 15 || r.Version != 3 || r.Days != r.DaysDone || r.RunsDone != 30 {
		t.Fatalf("planned %+v", r)
	}
	if len(r.Rows) != 1 || r.Rows[0] != (client.RemapRow{Dialect: "otel-genai", Version: 1, Steps: 30, Changed: 15}) {
		t.Errorf("by dialect: %+v", r.Rows)
	}
	if len(r.Fields) != 1 || r.Fields[0].Steps != 15 || len(r.Fields[0].Examples) != 3 {
		t.Errorf("by field: %+v", r.Fields)
	}
	if s.differ() != 15 {
		t.Fatal("a plan changed something")
	}
	if _, err = b.Apply(t.Context(), "ada", r.ID); err != nil {
		t.Fatal(err)
	}
	if r = work(t, b, s, r.ID); r.State != "applied" || r.Applied != 15 || s.differ() != 0 || r.Changed != 15 {
		t.Fatalf("applied %+v, %d left", r, s.differ())
	}
	if _, err := b.Apply(t.Context(), "ada", r.ID); fault.From(err).Code != "remap.state" {
		t.Errorf("applied twice: %v", err)
	}
	again, err := b.Plan(t.Context(), "ada", time.Time{}, time.Time{}, true)
	if err != nil {
		t.Fatal(err)
	}
	if again = work(t, b, s, again.ID); again.Steps != 30 || again.Changed != 0 {
		t.Errorf("a second plan: %+v", again)
	}
	if list, err := b.List(t.Context()); err != nil || len(list) != 2 || list[0].ID != again.ID {
		t.Errorf("listed %+v, %v", list, err)
	}
}

// TestApplyGoesOn kills the process at changes within days and at their ends: what was not in the store is
// done again, and days that were done are not looked at twice.
func TestApplyGoesOn(t *testing.T) {
	t.Parallel()
	for _, kill := range []int{1, 3, 5, 6, 11, 15} {
		s := filled()
		db := open(t)
		b := book(t, db, s)
		r, err := b.Plan(t.Context(), "ada", first.AddDate(0, 0, -1), first.AddDate(0, 0, 4), false)
		if err != nil {
			t.Fatal(err)
		}
		r = work(t, b, s, r.ID)
		if _, err := b.Apply(t.Context(), "ada", r.ID); err != nil {
			t.Fatal(err)
		}
		s.kill, s.visited = kill, 0
		if r = work(t, b, s, r.ID); r.State != "applying" {
			t.Fatalf("killed at %d it is %s", kill, r.State)
		}
		s.crash()
		s.kill = 0
		left := s.differ()
		b = book(t, db, s) // the next start
		if r = work(t, b, s, r.ID); r.State != "applied" || s.differ() != 0 {
			t.Fatalf("killed at %d: %+v, %d left of %d", kill, r, s.differ(), left)
		}
		if days := (kill - 1) / 5; left != 15-5*days {
			t.Errorf("killed at %d: %d were left, %d days were done", kill, left, days)
		}
	}
}

// TestApplyFails holds that a failure is said, and that it may be tried again.
func TestApplyFails(t *testing.T) {
	t.Parallel()
	s := filled()
	b := book(t, open(t), s)
	r, err := b.Plan(t.Context(), "ada", time.Time{}, time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	r = work(t, b, s, r.ID)
	if r, err = b.Apply(t.Context(), "ada", r.ID); err != nil {
		t.Fatal(err)
	}
	s.fail = fault.New(fault.KindUnavailable, "telemetry.storage", "the disk is gone")
	if r = work(t, b, s, r.ID); r.State != "failed" || r.Error != "the disk is gone" {
		t.Fatalf("%+v", r)
	}
	s.fail = nil
	if _, err = b.Apply(t.Context(), "ada", r.ID); err != nil {
		t.Fatal(err)
	}
	if r = work(t, b, s, r.ID); r.State != "applied" || r.Error != "" || s.differ() != 0 {
		t.Fatalf("%+v", r)
	}
}

// TestOneDamagedRun holds that a run that cannot be read keeps no other from being
// mapped, and is said.
func TestOneDamagedRun(t *testing.T) {
	t.Parallel()
	s := filled()
	var damaged activity.RunID
	binary.BigEndian.PutUint32(damaged[:], 3)
	s.steps[damaged].damaged = true
	b := book(t, open(t), s)
	r, err := b.Plan(t.Context(), "ada", time.Time{}, time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if r = work(t, b, s, r.ID); r.State != "planned" || r.Failed != 1 || r.Changed != 14 || !strings.Contains(r.Error, damaged.String()) {
		t.Fatalf("%+v", r)
	}
	if _, err := b.Apply(t.Context(), "ada", r.ID); err != nil {
		t.Fatal(err)
	}
	if r = work(t, b, s, r.ID); r.State != "applied" || r.Failed != 1 || r.Applied != 14 || s.differ() != 1 {
		t.Fatalf("%+v, %d left", r, s.differ())
	}
}

// TestBadTimes holds what is refused.
func TestBadTimes(t *testing.T) {
	t.Parallel()
	b := book(t, open(t), filled())
	for _, x := range [][2]time.Time{{first, first}, {first, first.Add(-1)}, {first.AddDate(-20, 0, 0), first}, {first, first.AddDate(400, 0, 0)}} {
		if _, err := b.Plan(t.Context(), "ada", x[0], x[1], false); fault.From(err).Code != "remap.range" {
			t.Errorf("%v: %v", x, err)
		}
	}
	if _, err := b.Get(t.Context(), "rmp_none"); !fault.Is(err, fault.KindNotFound) {
		t.Error(err)
	}
	if _, err := b.Apply(t.Context(), "ada", "rmp_none"); !fault.Is(err, fault.KindNotFound) {
		t.Error(err)
	}
}
