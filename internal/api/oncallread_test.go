package api

import (
	"context"
	"testing"

	"reeve/internal/identity"
)

// A call's title is of an incident or an approval: who sees neither reads it only when
// they were called.
func TestWhoReadsACall(t *testing.T) {
	t.Parallel()
	viewer := func(team string) identity.Principal {
		return identity.Principal{Kind: identity.KindPerson, PersonID: "per_1", Grants: []identity.Grant{{Role: identity.Viewer, Team: team, Environment: identity.Everything}}}
	}
	for _, c := range []struct {
		name         string
		who          identity.Principal
		team, called string
		want         bool
	}{
		{"of one's team", viewer("support"), "support", "", true},
		{"of another team", viewer("support"), "sales", "", false},
		{"of no team", viewer("support"), "", "", false},
		{"of no team, by who sees all", viewer(identity.Everything), "", "", true},
		{"to oneself", viewer("support"), "", "per_1", true},
		{"to somebody else", viewer("support"), "", "per_2", false},
	} {
		ctx := context.WithValue(t.Context(), callKey{}, &call{who: &c.who})
		if got := mayReadCall(ctx, c.team, c.called); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
