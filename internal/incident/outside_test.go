package incident

import (
	"testing"

	"reeve/internal/fault"
)

func TestFromOutside(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	b.Take(t.Context(), []Signal{sig("a", "tool errors", tool("crm__search"))})
	id := b.live(t)[0].ID
	pager := Actor{Via: "channel pager", Can: func(_, team, _ string) bool { return team == "support" }}
	other := Actor{Via: "channel other", Can: func(_, team, _ string) bool { return team == "risk" }}
	if _, _, err := b.FromOutside(t.Context(), other, id, Outside{State: "resolve"}); fault.From(err).Code != "incident.denied" {
		t.Errorf("another team's channel: %v", err)
	}
	for _, c := range []struct {
		name, state string
		changed     bool
		want        string
	}{
		{"taken up there", "acknowledge", true, Acknowledged},
		{"our own word comes back", "acknowledge", false, Acknowledged},
		{"given to somebody", "reassign", true, Acknowledged},
		{"dropped there", "unacknowledge", true, Open},
		{"ended there first", "resolve", true, Resolved},
		{"taken up after the end", "acknowledge", false, Resolved},
		{"given to somebody after the end", "reassign", false, Resolved},
	} {
		_, changed, err := b.FromOutside(t.Context(), pager, id, Outside{Where: "channel pager", By: "Ann", To: "Bo", State: c.state})
		i, err2 := b.Get(t.Context(), id)
		if err != nil || err2 != nil || changed != c.changed || i.State != c.want {
			t.Errorf("%s: changed %t, %s, %v", c.name, changed, i.State, err)
		}
	}
	// What a person here has is not taken from them.
	if _, err := b.Reopen(t.Context(), anybody, id, ""); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := b.FromOutside(t.Context(), pager, id, Outside{State: "unacknowledge"}); err != nil || changed {
		t.Errorf("a person's incident was dropped from outside: %v", err)
	}
}
