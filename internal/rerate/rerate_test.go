package rerate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// store is calls in memory that can be changed.
type store struct {
	calls []telemetry.Call
	fail  int // the change at which it ends with an error; 0 never
	n     int
}

func (s *store) Calls(_ context.Context, from, to time.Time, visit func(*telemetry.Call) error) error {
	for i := range s.calls {
		c := s.calls[i]
		if c.Start < from.UnixNano() || c.Start >= to.UnixNano() {
			continue
		}
		if err := visit(&c); err != nil {
			return err
		}
	}
	return nil
}

// Exchange works its calls out; half of the runs are apart from the start.
func (s *store) Exchange(ctx context.Context, from, to time.Time, part telemetry.Part, price func(*telemetry.Call) (activity.Cost, bool)) (telemetry.Exchange, error) {
	x := &exchange{s: s, apart: map[activity.RunID]bool{}}
	return x, s.Calls(ctx, from, to, func(c *telemetry.Call) error {
		if !part.Has(c.Run) {
			return nil
		}
		if now, ok := price(c); ok {
			x.apart[c.Run] = c.Run[0]%2 == 0
			x.all = append(x.all, telemetry.Recost{Run: c.Run, Step: c.Step, Old: c.Cost, New: now})
		}
		return nil
	})
}

func (s *store) ExchangeParts(time.Time) int { return 3 }

type runs struct{ *store }

func (r runs) Exchange(_ context.Context, x telemetry.Exchange) error {
	if r.n++; r.n == r.fail {
		return errKilled
	}
	return x.Each(func(c *telemetry.Recost, apart bool) error {
		if !apart {
			r.set(c.Run, map[activity.StepID]activity.Cost{c.Step: c.New})
		}
		return nil
	})
}

type exchange struct {
	telemetry.Exchange
	s     *store
	all   []telemetry.Recost
	apart map[activity.RunID]bool
}

func (x *exchange) Close() {}

func (x *exchange) Each(visit func(*telemetry.Recost, bool) error) error {
	for i := range x.all {
		if err := visit(&x.all[i], x.apart[x.all[i].Run]); err != nil {
			return err
		}
	}
	return nil
}

var errKilled = errors.New("killed")

func (s *store) Rerate(_ context.Context, run activity.RunID, costs map[activity.StepID]activity.Cost) (int, error) {
	if s.n++; s.n == s.fail {
		return 0, errKilled
	}
	return s.set(run, costs), nil
}

func (s *store) set(run activity.RunID, costs map[activity.StepID]activity.Cost) int {
	n := 0
	for i := range s.calls {
		c := &s.calls[i]
		if cost, ok := costs[c.Step]; ok && c.Run == run && c.Cost.Basis != activity.CostProvider {
			c.Cost = cost
			n++
		}
	}
	return n
}

// each prices a token of input at so many nanos; "mystery" has no price.
type each int64

func (e each) Cost(_, model string, _ time.Time, u activity.Usage) activity.Cost {
	if model == "mystery" || !u.Known() {
		return activity.Cost{}
	}
	return activity.Cost{Nanos: int64(e) * u.InputTotal, Currency: "USD", Basis: activity.CostRateCard, Price: "card"}
}

var month = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func book(t *testing.T, s *store, prices Prices) *Book {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(Options{DB: db, Dir: filepath.Join(t.TempDir(), "rerates"), Calls: s, Runs: runs{s}, Prices: prices, Try: func(card string) (Prices, error) {
		if card != "double" {
			return nil, fault.New(fault.KindInvalid, "price.card_invalid", "no card")
		}
		return each(200), nil
	}})
}

// finish does the work that was begun.
func (b *Book) finish(t *testing.T, id string) client.Rerate {
	t.Helper()
	r, err := b.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b.work(t.Context(), &r)
	return r
}

func calls(n int) *store {
	s := &store{}
	for i := range n {
		var c telemetry.Call
		c.Run[0], c.Run[11], c.Step[0], c.Step[1] = byte(i/5+1), byte(i/5), byte(i+1), byte(i>>8)
		c.Start = month.Add(time.Duration(i) * 6 * time.Hour).UnixNano()
		c.Model, c.Usage = "m", activity.NoUsage
		c.Usage.InputTotal = 1000
		c.Cost = activity.Cost{Nanos: 50_000, Currency: "USD", Basis: activity.CostBook, Price: "book"}
		switch i % 10 {
		case 3: // its sender said what it cost
			c.Cost = activity.Cost{Nanos: 7, Currency: "USD", Basis: activity.CostProvider}
		case 4: // loses its price
			c.Model = "mystery"
		case 5: // had none
			c.Cost = activity.Cost{}
		case 6: // agrees already
			c.Cost = each(100).Cost("", "m", time.Time{}, c.Usage)
		case 7: // used nobody knows what
			c.Usage, c.Cost = activity.NoUsage, activity.Cost{}
		}
		s.calls = append(s.calls, c)
	}
	return s
}

func TestRerate(t *testing.T) {
	t.Parallel()
	s := calls(40)
	before := append([]telemetry.Call(nil), s.calls...)
	b := book(t, s, each(100))
	r, err := b.Plan(t.Context(), "jo", month, month.AddDate(0, 1, 0), "")
	if err != nil || r.State != "planning" || r.Days != 30 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := b.Apply(t.Context(), "jo", r.ID); fault.From(err).Code != "rerate.state" {
		t.Errorf("applied while it is planned: %v", err)
	}
	r = b.finish(t, r.ID)
	// Of ten: five rise from 50,000 to 100,000, one loses its price, one gets one.
	if r.State != "planned" || r.Calls != 40 || r.Given != 4 || r.Changed != 28 || len(r.Rows) != 2 {
		t.Fatalf("planned %+v", r)
	}
	for i, want := range []client.RerateRow{{Model: "m", Calls: 36, Changed: 24, NewlyKnown: 4}, {Model: "mystery", Calls: 4, Changed: 4, NowUnknown: 4}} {
		if g := r.Rows[i]; g.Model != want.Model || g.Calls != want.Calls || g.Changed != want.Changed || g.NewlyKnown != want.NewlyKnown || g.NowUnknown != want.NowUnknown {
			t.Errorf("row %d is %+v, want %+v", i, g, want)
		}
	}
	if *r.Before != 0.0012 || *r.After != 0.0024 || r.Rows[1].After != nil {
		t.Errorf("%v before, %v after", *r.Before, *r.After)
	}
	for i := range s.calls {
		if s.calls[i] != before[i] {
			t.Fatalf("planning changed call %d", i)
		}
	}

	if _, err := b.Apply(t.Context(), "jo", r.ID); err != nil {
		t.Fatal(err)
	}
	// A crash after some runs were changed: the next start goes on.
	s.fail = 3
	got, _ := b.Get(t.Context(), r.ID)
	if err := b.apply(t.Context(), &got); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if r = b.finish(t, r.ID); r.State != "applied" || r.DaysDone != 30 {
		t.Fatalf("applied %+v", r)
	}
	for i := range s.calls {
		c := &s.calls[i]
		want := each(100).Cost("", c.Model, time.Time{}, c.Usage)
		if i%10 == 3 {
			want = before[i].Cost
		}
		if c.Cost.Nanos != want.Nanos || c.Cost.Basis != want.Basis {
			t.Errorf("call %d costs %+v, want %+v", i, c.Cost, want)
		}
	}
	if _, err := b.Apply(t.Context(), "jo", r.ID); fault.From(err).Code != "rerate.state" {
		t.Errorf("applied twice: %v", err)
	}
	if _, err := b.Undo(t.Context(), "jo", r.ID); err != nil {
		t.Fatal(err)
	}
	if r = b.finish(t, r.ID); r.State != "undone" {
		t.Fatalf("undone %+v", r)
	}
	for i := range s.calls {
		if s.calls[i] != before[i] {
			t.Errorf("call %d is %+v, was %+v", i, s.calls[i].Cost, before[i].Cost)
		}
	}
	if _, err := b.Undo(t.Context(), "jo", r.ID); fault.From(err).Code != "rerate.state" {
		t.Errorf("undone twice: %v", err)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := calls(20)
	b := book(t, s, each(100))
	apply := func(from time.Time) string {
		r, err := b.Plan(t.Context(), "jo", from, from.AddDate(0, 0, 3), "")
		if err != nil {
			t.Fatal(err)
		}
		b.finish(t, r.ID)
		if _, err := b.Apply(t.Context(), "jo", r.ID); err != nil {
			t.Fatal(err)
		}
		if r = b.finish(t, r.ID); r.State != "applied" {
			t.Fatalf("%+v", r)
		}
		return r.ID
	}
	first := apply(month)
	b.o.Prices = each(300)
	second := apply(month.AddDate(0, 0, 1))
	if _, err := b.Undo(t.Context(), "jo", first); fault.From(err).Code != "rerate.later" {
		t.Errorf("undone before the later one: %v", err)
	}
	for _, id := range []string{second, first} {
		if _, err := b.Undo(t.Context(), "jo", id); err != nil {
			t.Fatal(err)
		}
		b.finish(t, id)
	}
	if s.calls[5].Cost.Basis != activity.CostUnknown || s.calls[0].Cost.Nanos != 50_000 {
		t.Errorf("after both were undone: %+v, %+v", s.calls[5].Cost, s.calls[0].Cost)
	}
}

func TestBadPlans(t *testing.T) {
	t.Parallel()
	s := calls(10)
	b := book(t, s, each(100))
	for name, at := range map[string][2]time.Time{
		"backwards": {month, month.Add(-time.Hour)}, "nothing": {month, month}, "of years": {month, month.AddDate(3, 0, 0)}, "of no time": {},
	} {
		if _, err := b.Plan(t.Context(), "jo", at[0], at[1], ""); fault.From(err).Code != "rerate.range" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Plan(t.Context(), "jo", month, month.AddDate(0, 1, 0), "nonsense"); fault.From(err).Code != "price.card_invalid" {
		t.Errorf("a bad card: %v", err)
	}
	r, err := b.Plan(t.Context(), "jo", month, month.AddDate(0, 1, 0), "double")
	if err != nil {
		t.Fatal(err)
	}
	if r = b.finish(t, r.ID); r.State != "planned" || *r.After == 0 || r.Prices != "card" {
		t.Errorf("tried %+v", r)
	}
	if _, err := b.Apply(t.Context(), "jo", r.ID); fault.From(err).Code != "rerate.tried" {
		t.Errorf("a tried card was applied: %v", err)
	}
	if _, err := b.Get(t.Context(), "rrt_none"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

// TestCutFile holds that a frame that a crash cut off is as if it were never
// written, and that what follows is found.
func TestCutFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.costs")
	one := func(step byte) *changes {
		ch := &changes{}
		ch.add(&telemetry.Recost{Run: activity.RunID{1}, Step: activity.StepID{step}, Old: activity.Cost{Nanos: int64(step), Basis: activity.CostBook, Currency: "EUR", Price: "p"}})
		return ch
	}
	write := func(step byte) {
		u, err := openUndo(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(u.keep(one(step)), u.Close()); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	write(2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	write(3)
	got := map[byte]activity.Cost{}
	if err := readUndo(path, func(_ activity.RunID, costs map[activity.StepID]activity.Cost) error {
		for step, c := range costs {
			got[step[0]] = c
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[1].Nanos != 1 || got[3].Currency != "EUR" || got[3].Price != "p" {
		t.Errorf("read %+v", got)
	}
}

func FuzzUndo(f *testing.F) {
	ch := &changes{}
	ch.add(&telemetry.Recost{Run: activity.RunID{1}, Step: activity.StepID{2}, Old: activity.Cost{Nanos: 3, Currency: "USD", Price: "p"}})
	path := filepath.Join(f.TempDir(), "x")
	u, err := openUndo(path)
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(u.keep(ch), u.Close()); err != nil {
		f.Fatal(err)
	}
	whole, _ := os.ReadFile(path)
	dec, _ := zstd.NewReader(bytes.NewReader(nil))
	plain, err := dec.DecodeAll(whole[4:], nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = parse(b, func(activity.RunID, map[activity.StepID]activity.Cost) error { return nil }) // it may only not break
	})
}

// TestUndoKeeps holds that a cost which its sender gave meanwhile stays, and that
// of a call that was kept twice, over a crash, the first cost comes back.
func TestUndoKeeps(t *testing.T) {
	t.Parallel()
	s := calls(10)
	before := append([]telemetry.Call(nil), s.calls...)
	b := book(t, s, each(100))
	r, err := b.Plan(t.Context(), "jo", month, month.AddDate(0, 1, 0), "")
	if err != nil {
		t.Fatal(err)
	}
	b.finish(t, r.ID)
	if _, err := b.Apply(t.Context(), "jo", r.ID); err != nil {
		t.Fatal(err)
	}
	// A crash, and other prices when it starts again: all is kept twice.
	s.fail = s.n + 5
	got, _ := b.Get(t.Context(), r.ID)
	if err := b.apply(t.Context(), &got); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	b.o.Prices = each(300)
	if r = b.finish(t, r.ID); r.State != "applied" {
		t.Fatalf("%+v", r)
	}
	given := activity.Cost{Nanos: 9, Currency: "USD", Basis: activity.CostProvider}
	s.calls[0].Cost = given
	if _, err := b.Undo(t.Context(), "jo", r.ID); err != nil {
		t.Fatal(err)
	}
	if r = b.finish(t, r.ID); r.State != "undone" {
		t.Fatalf("%+v", r)
	}
	if s.calls[0].Cost != given {
		t.Errorf("what its sender gave became %+v", s.calls[0].Cost)
	}
	for i := 1; i < len(s.calls); i++ {
		if s.calls[i] != before[i] {
			t.Errorf("call %d is %+v, was %+v", i, s.calls[i].Cost, before[i].Cost)
		}
	}
	if left, _ := b.files(r.ID); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
