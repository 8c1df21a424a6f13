package retention

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

const day = 24 * time.Hour

func TestTheMostSpecificRuleHolds(t *testing.T) {
	t.Parallel()
	r := Rules{Default: map[string]time.Duration{Runs: 90 * day, Content: 0}, List: []Rule{
		{Kind: Content, Team: "support", Age: 7 * day},
		{Kind: Content, Environment: "production", Age: 14 * day},
		{Kind: Content, Team: "support", Environment: "production", Age: 3 * day},
		{Kind: Runs, Team: "audit", Age: Forever},
		{Kind: Runs, Environment: "test", Age: 5 * day},
	}}
	for _, c := range []struct {
		kind, environment, team string
		want                    time.Duration
	}{
		{Content, "production", "support", 3 * day},
		{Content, "staging", "support", 7 * day},
		{Content, "production", "core", 14 * day},
		{Content, "staging", "core", 90 * day}, // with its run
		{Content, "test", "core", 5 * day},     // never longer than its run
		{Content, "staging", "audit", Forever},
		{Runs, "production", "audit", Forever},
		{Runs, "test", "audit", Forever}, // a team before an environment
		{Runs, "test", "core", 5 * day},
		{Runs, "production", "core", 90 * day},
	} {
		if got := r.Of(c.kind, c.environment, c.team); got != c.want {
			t.Errorf("%s of %s in %s is kept %v, want %v", c.kind, c.team, c.environment, got, c.want)
		}
	}
	if got := r.Longest(Runs); got != Forever {
		t.Errorf("the longest is %v, want for good", got)
	}
	r.List = r.List[:3]
	if got := r.Longest(Runs); got != 90*day {
		t.Errorf("the longest is %v, want 90 days", got)
	}
	if got := r.Places(); len(got) != 4 || got[0] != (Place{"production", "support"}) || got[1] != (Place{"", "support"}) {
		t.Errorf("places %v, want the most specific first", got)
	}
}

// What goes by whole days is older than anything of any place may be: also where
// two rules together keep what neither keeps alone.
func TestNothingIsKeptLongerThanTheLongest(t *testing.T) {
	t.Parallel()
	r := Rules{Default: map[string]time.Duration{Runs: 30 * day, Content: 0}, List: []Rule{{Kind: Content, Environment: "production", Age: 365 * day}, {Kind: Runs, Team: "legal", Age: 365 * day}}}
	if got := r.Longest(Content); got != 365*day {
		t.Errorf("content is kept %v at most, want 365 days: legal's in production is", got)
	}
	names := []string{"", "a", "b"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		r := Rules{Default: map[string]time.Duration{Runs: time.Duration(rnd.IntN(4)) * day, Content: time.Duration(rnd.IntN(4)) * day}}
		for range rnd.IntN(5) {
			r.List = append(r.List, Rule{Kind: Kinds()[rnd.IntN(2)], Environment: names[rnd.IntN(3)], Team: names[rnd.IntN(3)], Age: time.Duration(rnd.IntN(6)) * day})
		}
		for _, kind := range Kinds() {
			long := r.Longest(kind)
			for _, e := range []string{"a", "b", "c"} {
				for _, team := range []string{"a", "b", "c"} {
					if got := r.Of(kind, e, team); long != Forever && (got == Forever || got > long) {
						t.Fatalf("%s of %s in %s is kept %v, and the longest is %v: %+v", kind, team, e, got, long, r)
					}
				}
			}
		}
	}
}

func TestBook(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil || r.Records == 0 {
			t.Errorf("the audit log: %+v, %v", r, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	told := 0
	b := New(db, map[string]time.Duration{Runs: 90 * day}, func() { told++ }, nil)
	ada := Actor{Person: "per_1", Name: "Ada"}
	want := func(what string, err error, code string) {
		t.Helper()
		if err == nil || fault.From(err).Code != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	ok := Rule{Kind: Content, Team: "support", Age: 7 * day, Reason: "contract"}
	for what, spoil := range map[string]func(*Rule){
		"no kind":           func(r *Rule) { r.Kind = "" },
		"another kind":      func(r *Rule) { r.Kind = "rumours" },
		"below zero":        func(r *Rule) { r.Age = -day },
		"half a day":        func(r *Rule) { r.Age = 12 * time.Hour },
		"a hundred years":   func(r *Rule) { r.Age = 40_000 * day },
		"a name of a novel": func(r *Rule) { r.Team = strings.Repeat("x", 101) },
	} {
		bad := ok
		spoil(&bad)
		want(what, b.Put(t.Context(), ada, bad), "retention.rule")
	}
	bare := ok
	bare.Reason = " "
	want("no reason", b.Put(t.Context(), ada, bare), "retention.reason")
	want("a rule that is not there", b.Delete(t.Context(), ada, ok), "retention.not_found")
	if told != 0 {
		t.Errorf("refused rules were told %d times", told)
	}
	for _, age := range []time.Duration{7 * day, 9 * day} {
		ok.Age = age
		if err := b.Put(t.Context(), ada, ok); err != nil {
			t.Fatal(err)
		}
		r, err := b.Rules(t.Context())
		if err != nil || len(r.List) != 1 || r.Of(Content, "x", "support") != age || r.List[0].By != "Ada" {
			t.Errorf("rules %+v, %v", r, err)
		}
	}
	if err := b.Delete(t.Context(), ada, ok); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Rules(t.Context()); err != nil || len(r.List) != 0 || told != 3 {
		t.Errorf("after deleting: %+v, %v, told %d times", r, err, told)
	}
}
