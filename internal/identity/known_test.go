package identity

import (
	"slices"
	"testing"
)

// Who signs in here by an account elsewhere is known by it, with the teams they are
// in and whether they still may act.
func TestKnownAs(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.admin()
	const issuer = "https://idp.example"
	if _, err := h.SignInWith(t.Context(), Login{Issuer: issuer, Subject: "u-7", Name: "bob", Create: true}, "127.0.0.1", "a test"); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.KnownAs(issuer, "u-7"); ok {
		t.Error("known before it was read")
	}
	check := func(what string, active bool, teams ...string) {
		t.Helper()
		if err := h.readKnown(t.Context()); err != nil {
			t.Fatal(err)
		}
		k, ok := h.KnownAs(issuer, "u-7")
		if !ok || k.Active != active || !slices.Equal(k.Teams, teams) {
			t.Errorf("%s: %+v %v, want active %v of %v", what, k, ok, active, teams)
		}
	}
	check("new", true)
	var bob Person
	people, _, err := h.People(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.Name == "bob" {
			bob = p
		}
	}
	yes, teams := true, []string{"support"}
	if _, err := h.CreateTeam(t.Context(), admin, "support", ""); err != nil {
		t.Fatal(err)
	}
	if bob, err = h.UpdatePerson(t.Context(), admin, PersonChange{ID: bob.ID, Teams: &teams, Version: bob.Version}); err != nil {
		t.Fatal(err)
	}
	check("of a team", true, "support")
	if _, err := h.UpdatePerson(t.Context(), admin, PersonChange{ID: bob.ID, Disabled: &yes, Version: bob.Version}); err != nil {
		t.Fatal(err)
	}
	check("disabled", false, "support")
	for _, other := range [][2]string{{issuer, "u-8"}, {"https://evil.example", "u-7"}, {"", ""}} {
		if _, ok := h.KnownAs(other[0], other[1]); ok {
			t.Errorf("%q is known", other)
		}
	}
}
