package rule

import (
	"path/filepath"
	"testing"

	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// A rule is changed by who has a role where it holds: for all environments of a
// team that is more than a role in one of them.
func TestWhoMayChangeRules(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b, err := New(t.Context(), Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	staging := Actor{Person: "p", Name: "ann", Can: func(role, team, environment string) bool {
		return role == "developer" && team == "core" && environment == "staging"
	}}
	everywhere := Actor{Person: "q", Name: "bob", Can: func(string, string, string) bool { return true }}
	put := func(who Actor, team, environment string, revision int64) error {
		_, err := b.Put(t.Context(), who, Rule{Name: "dear", When: "cost > 2.0", Team: team, Environment: environment, Revision: revision})
		return err
	}
	denied := func(what string, err error) {
		t.Helper()
		if fault.From(err).Code != "rule.denied" {
			t.Errorf("%s: %v", what, err)
		}
	}
	denied("all environments", put(staging, "core", "", 0))
	denied("another one", put(staging, "core", "production", 0))
	denied("another team", put(staging, "sales", "staging", 0))
	denied("all teams", put(staging, "", "", 0))
	if err := put(everywhere, "core", "production", 0); err != nil {
		t.Fatal(err)
	}
	denied("taking it to one's own place", put(staging, "core", "staging", 1))
	denied("dropping it", b.Delete(t.Context(), staging, "dear", "in the way"))
	if err := put(everywhere, "core", "staging", 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), staging, "dear", "it is ours"); err != nil {
		t.Error(err)
	}
}
