package oncall

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestWhoIsOnCall(t *testing.T) {
	t.Parallel()
	loc := berlin(t)
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	s := Schedule{Name: "support", Zone: "Europe/Berlin", Rotations: []Rotation{
		{People: []string{"ada", "bob"}, Start: at("2026-10-19 09:00"), Every: "week"},
		{People: []string{"eve"}, Start: at("2026-10-19 00:00"), Every: "day", Days: []string{"sat"}, Hours: "22:00-06:00"},
	}, Overrides: []Override{{ID: "o", Person: "mia", From: at("2026-10-28 10:00"), To: at("2026-10-28 12:00")}}}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]string{
		"2026-10-19 08:59": "",    // before the first shift
		"2026-10-19 09:00": "ada", // handing over is to the minute
		"2026-10-24 23:00": "eve", // saturday night
		"2026-10-25 05:59": "eve", // and the sunday morning of it
		"2026-10-25 06:00": "ada",
		"2026-10-26 08:59": "ada", // the clock went back on the 25th: it is still 09:00
		"2026-10-26 09:00": "bob",
		"2026-10-28 10:00": "mia",
		"2026-10-28 12:00": "bob",
		"2026-11-02 09:00": "ada",
	} {
		if got, _, _ := s.At(at(when)); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	// The shifts of two weeks say the same at every quarter of an hour.
	from := at("2026-10-19 00:00")
	shifts := s.Shifts(from, from.AddDate(0, 0, 14))
	for q := from; q.Before(from.AddDate(0, 0, 14)); q = q.Add(15 * time.Minute) {
		i := slices.IndexFunc(shifts, func(x Shift) bool { return !q.Before(x.From) && q.Before(x.To) })
		if want, _, _ := s.At(q); i < 0 || shifts[i].Person != want {
			t.Fatalf("%v: shift %d, want %q in %v", q, i, want, shifts)
		}
	}
}

func TestBadSchedules(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, s := range map[string]Schedule{
		"no zone that is known": {Zone: "Mars/Olympus", Rotations: []Rotation{{People: []string{"a"}, Start: start, Every: "day"}}},
		"no rotation":           {Zone: "UTC"},
		"nobody":                {Zone: "UTC", Rotations: []Rotation{{Start: start, Every: "day"}}},
		"no start":              {Zone: "UTC", Rotations: []Rotation{{People: []string{"a"}, Every: "day"}}},
		"minutes":               {Zone: "UTC", Rotations: []Rotation{{People: []string{"a"}, Start: start, Every: "30m"}}},
		"a strange day":         {Zone: "UTC", Rotations: []Rotation{{People: []string{"a"}, Start: start, Every: "day", Days: []string{"someday"}}}},
		"strange hours":         {Zone: "UTC", Rotations: []Rotation{{People: []string{"a"}, Start: start, Every: "day", Hours: "9 to 5"}}},
	} {
		if err := s.check(); fault.From(err).Code != "oncall.invalid" {
			t.Errorf("%s: %v, want oncall.invalid", name, err)
		}
	}
}

// calls notes whom a book called.
type calls struct {
	list []string
	told []string
}

func (c *calls) call(_ context.Context, _ *control.Tx, p *Page, t Target) (string, error) {
	c.list = append(c.list, fmt.Sprintf("%d %s%s", p.Step, t.Person, t.Channel))
	return fmt.Sprintf("dlv_%d", len(c.list)), nil
}

func (c *calls) tell(_ context.Context, _ *control.Tx, _ *Page, text, _ string) error {
	c.told = append(c.told, text)
	return nil
}

var anybody = Actor{Person: "ada", Can: func(string, string, string) bool { return true }}

func newTestBook(t *testing.T, db *control.DB, c *calls, now *time.Time) *Book {
	t.Helper()
	b, err := New(t.Context(), Options{DB: db, Call: c.call, Told: c.tell, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openDB(t *testing.T) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (b *Book) ring(t *testing.T, page string) {
	t.Helper()
	if err := b.o.DB.Write(t.Context(), func(tx *control.Tx) error { return b.Escalate(t.Context(), tx, control.Timer{Body: page}) }); err != nil {
		t.Fatal(err)
	}
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	db, c := openDB(t), &calls{}
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	b := newTestBook(t, db, c, &now)
	ctx := t.Context()
	if _, err := b.PutSchedule(ctx, anybody, Schedule{Name: "support", Team: "support", Zone: "UTC", Rotations: []Rotation{{People: []string{"bob"}, Start: now.Add(-time.Hour), Every: "week"}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.PutContacts(ctx, Actor{Person: "bob"}, "bob", []Contact{{Channel: "mail", Address: "bob@example.com"}}); err != nil {
		t.Fatal(err)
	}
	if err := b.PutContacts(ctx, Actor{Person: "eve", Can: func(string, string, string) bool { return false }}, "bob", nil); fault.From(err).Code != "oncall.denied" {
		t.Errorf("somebody else changed how bob is reached: %v", err)
	}
	policy := Policy{Name: "support", Team: "support", Levels: []Level{{Schedules: []string{"support"}, After: "5m"}, {People: []string{"nobody-reachable"}, Channels: []string{"chat"}, After: "5m"}}}
	if _, err := b.PutPolicy(ctx, anybody, policy); err != nil {
		t.Fatal(err)
	}
	if _, began, err := b.Begin(ctx, "incident", "inc_0", "other", "x", "critical"); began || err != nil {
		t.Fatalf("a team without a policy was called: %v, %v", began, err)
	}
	p, began, err := b.Begin(ctx, "incident", "inc_1", "support", "x", "critical")
	if err != nil || !began {
		t.Fatal(began, err)
	}
	if _, began, _ := b.Begin(ctx, "incident", "inc_1", "support", "x", "critical"); began {
		t.Error("called twice about one thing")
	}
	if !slices.Equal(c.list, []string{"1 bobmail"}) {
		t.Fatalf("called %v", c.list)
	}
	// Another process goes on where this one was.
	b = newTestBook(t, db, c, &now)
	// Nobody knows whether it arrived: the next level is called at once.
	if err := b.Settled(ctx, p.ID, "dlv_1", "unknown"); err != nil {
		t.Fatal(err)
	}
	if err := b.Settled(ctx, p.ID, "dlv_1", "unknown"); err != nil { // told again after a crash
		t.Fatal(err)
	}
	if !slices.Equal(c.list, []string{"1 bobmail", "2 chat"}) {
		t.Fatalf("called %v after an unknown delivery", c.list)
	}
	if got, _ := b.Page(ctx, p.ID); got.Calls[0].State != "unknown" || got.State != Paging {
		t.Fatalf("page %+v", got)
	}
	if err := b.Settled(ctx, p.ID, "dlv_2", "sent"); err != nil {
		t.Fatal(err)
	}
	b.ring(t, p.ID)
	if got, _ := b.Page(ctx, p.ID); got.State != Exhausted {
		t.Fatalf("state %s when everybody was called", got.State)
	}
	if !slices.ContainsFunc(c.told, func(s string) bool { return strings.Contains(s, "nobody answered") }) {
		t.Errorf("the timeline says nothing of it: %v", c.told)
	}
	if ended, err := b.End(ctx, "inc_1", "ada", "acknowledged"); err != nil || len(ended) != 1 || ended[0].State != Answered {
		t.Fatalf("answered late: %v, %v", ended, err)
	}
	p2, _, err := b.Begin(ctx, "incident", "inc_2", "support", "x", "critical")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.End(ctx, "inc_2", "bob", "acknowledged"); err != nil {
		t.Fatal(err)
	}
	n := len(c.list)
	b.ring(t, p2.ID)
	if err := b.Settled(ctx, p2.ID, fmt.Sprintf("dlv_%d", n), "failed"); err != nil {
		t.Fatal(err)
	}
	if len(c.list) != n {
		t.Errorf("called on after the answer: %v", c.list)
	}
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	b := newTestBook(t, openDB(t), &calls{}, &now)
	s, err := b.PutSchedule(t.Context(), anybody, Schedule{Name: "support", Zone: "UTC", Rotations: []Rotation{{People: []string{"bob"}, Start: now.Add(-time.Hour), Every: "week"}}})
	if err != nil {
		t.Fatal(err)
	}
	name := func(id string) string { return strings.Repeat("Bö;b ", 30) + id }
	text, err := b.Calendar("support", s.Feed, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\r\n"), "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	if !strings.Contains(strings.ReplaceAll(string(text), "\r\n ", ""), `Bö\;b`) {
		t.Errorf("names are not escaped: %s", text)
	}
	for _, secret := range []string{"", "x", s.Feed + "x"} {
		if _, err := b.Calendar("support", secret, name); fault.From(err).Code != "oncall.not_found" {
			t.Errorf("secret %q: %v, want not found", secret, err)
		}
	}
}
