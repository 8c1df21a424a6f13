package source

import (
	"fmt"
	"testing"
	"time"

	"reeve/client"
)

// TestHistory: what is asked in memory for many readings is what is asked one by one.
func TestHistory(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	who := Actor{Person: "ada", Can: anyone}
	for _, in := range []client.PutSourceRequest{
		{Name: "prices", Team: "support", Namespace: "pg", Dataset: "prices", Aliases: []string{"price_list"}, MaxAge: "24h", WarnAge: "12h"},
		{Name: "house", Namespace: "pg", Dataset: "house", MaxAge: "1h"},
		{Name: "notes", Team: "support", Namespace: "pg", Dataset: "notes"},
		{Name: "theirs", Team: "other", Namespace: "pg", Dataset: "theirs", MaxAge: "1h"},
	} {
		if _, err := b.Put(t.Context(), who, in); err != nil {
			t.Fatal(err)
		}
	}
	*now = t0.Add(100 * time.Hour)
	for _, v := range []struct {
		team, dataset string
		at            time.Duration
	}{{"support", "prices", 0}, {"support", "prices", 30 * time.Hour}, {"support", "prices", 70 * time.Hour}, {"", "house", 40 * time.Hour}, {"support", "notes", 0}, {"other", "theirs", 40 * time.Hour}} {
		f := &Facts{Versions: []Version{{Dataset: Dataset{"pg", v.dataset}, Version: fmt.Sprint(v.at), At: t0.Add(v.at)}}}
		if err := b.Take(t.Context(), Sender{Team: v.team}, f); err != nil {
			t.Fatal(err)
		}
	}
	// From a time on: the version before it counts still.
	h, err := b.History(t.Context(), t0.Add(20*time.Hour), t0.Add(80*time.Hour))
	if err != nil || !h.Any() {
		t.Fatalf("%+v, %v", h, err)
	}
	seen := map[string]int{}
	for hour := 20; hour <= 80; hour++ {
		at := t0.Add(time.Duration(hour)*time.Hour + time.Minute)
		for _, team := range []string{"support", "other", "third"} {
			for _, name := range []string{"prices", "PRICE_LIST", "house", "notes", "theirs", "nothing"} {
				uses, err := b.AsOf(t.Context(), team, []Ref{{Name: name, At: at}})
				if err != nil {
					t.Fatal(err)
				}
				source, state := h.At(team, name, at)
				if source != uses[0].Source || state != uses[0].State {
					t.Fatalf("%s reads %s at %d h: %q %s, one by one %q %s", team, name, hour, source, state, uses[0].Source, uses[0].State)
				}
				seen[state]++
			}
		}
	}
	for _, state := range []string{"fresh", "warn", "stale", "unknown"} {
		if seen[state] == 0 {
			t.Errorf("nothing was %s: %v", state, seen)
		}
	}
	if h, err := b.History(t.Context(), t0.Add(-time.Hour), t0.Add(-time.Minute)); err != nil {
		t.Error(err)
	} else if _, state := h.At("support", "prices", t0.Add(-time.Minute)); state != "unknown" {
		t.Errorf("before the first version: %s", state)
	}
}
