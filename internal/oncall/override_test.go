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
	viewer := func(team string) func(string, string, string) bool {
		return func(role, of, _ string) bool { return role == "viewer" && of == team }
	}
	for _, c := range []struct {
		who, puts, team string
		ok              bool
	}{
		{"ann", "ann", "support", true},   // of the team
		{"bob", "bob", "elsewhere", true}, // in a rotation
		{"eve", "eve", "elsewhere", false},
		{"ann", "eve", "support", false}, // others are put there by responders
	} {
		_, err := b.Override(t.Context(), Actor{Person: c.who, Can: viewer(c.team)}, "support", Override{Person: c.puts, From: now, To: now.Add(time.Hour)})
		if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.KindDenied) {
			t.Errorf("%s of %s puts %s on call: %v", c.who, c.team, c.puts, err)
		}
	}
}
