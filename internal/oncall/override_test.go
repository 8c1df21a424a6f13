package oncall

import (
	"testing"
	"time"

	"reeve/internal/fault"
)

// Shifts are taken by those whom a schedule knows: a stranger would be called in
// their place.
func TestWhoMayTakeShifts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	b := newTestBook(t, openDB(t), &calls{}, &now)
	if _, err := b.PutSchedule(t.Context(), anybody, Schedule{Name: "support", Team: "support", Zone: "UTC", Rotations: []Rotation{{People: []string{"bob"}, Start: now.Add(-time.Hour), Every: "week"}}}); err != nil {
		t.Fatal(err)
	}
	of := func(grant, team string) func(string, string, string) bool {
		return func(role, at, _ string) bool { return at == team && (role == grant || role == "viewer") }
	}
	for _, c := range []struct {
		who, puts, role, team string
		ok                    bool
	}{
		{"ann", "ann", "approver", "support", true}, // of the team
		{"vic", "vic", "viewer", "support", false},  // who only looks is told nothing by being called
		{"bob", "bob", "viewer", "elsewhere", true}, // in a rotation
		{"eve", "eve", "approver", "elsewhere", false},
		{"ann", "eve", "approver", "support", false}, // others are put there by responders
	} {
		_, err := b.Override(t.Context(), Actor{Person: c.who, Can: of(c.role, c.team)}, "support", Override{Person: c.puts, From: now, To: now.Add(time.Hour)})
		if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.KindDenied) {
			t.Errorf("%s of %s puts %s on call: %v", c.who, c.team, c.puts, err)
		}
	}
}
