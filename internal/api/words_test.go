package api

import (
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// TestWordsThatWereSaid looks for runs by what their messages say, as those who
// may read content and those who may not.
func TestWordsThatWereSaid(t *testing.T) {
	t.Parallel()
	store := fill(t, 20)
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	run := get[client.List[client.Run]](t, a, "/runs?from=-24h&limit=1", "as viewer").Items[0]
	id, err := activity.ParseRunID(run.ID)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(`{"role":"user","content":"where is the marzipan cake"}`)
	start := run.StartedAt.UnixNano()
	if err := store.Append(t.Context(), &telemetry.Write{Cursor: 2, Received: start, Messages: []activity.Message{{
		Run: id, Step: activity.StepOfKey("said"), Time: start, Day: int32(start / 86400e9), Field: activity.ContentInput, Format: "openai.chat",
		Role: "user", Hash: [16]byte{1}, Size: int32(len(raw)), Raw: raw, Agent: run.Agent, Team: run.Team, Env: run.Environment,
	}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who  string
		want int
	}{{"as reader", 1}, {"as viewer", 0}, {"as reader@" + run.Team + "/*", 1}, {"as reader@elsewhere/*", 0}} {
		got := get[client.List[client.Run]](t, a, "/runs?from=-24h&q=marzipan", c.who)
		if len(got.Items) != c.want || c.want == 1 && got.Items[0].ID != run.ID {
			t.Errorf("%s finds %d runs by a word of a message, want %d", c.who, len(got.Items), c.want)
		}
	}
}

// TestUnpricedRunsHaveNoAmount holds that money nobody knows is null, never 0.
func TestUnpricedRunsHaveNoAmount(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Store = fill(t, 20) })
	page := get[client.List[client.Run]](t, a, "/runs?from=-24h&limit=100", "as viewer")
	unpriced := 0
	for _, r := range page.Items {
		if without := r.Coverage.UnknownCostCalls == r.ModelCalls; without != (r.Cost.Amount == nil) || without != (r.Cost.Basis == "unknown") {
			t.Errorf("run %s: %d of %d calls without a price, cost %+v", r.ID, r.Coverage.UnknownCostCalls, r.ModelCalls, r.Cost)
		} else if without {
			unpriced++
		}
	}
	if unpriced != 4 {
		t.Errorf("%d unpriced runs, want 4", unpriced)
	}
	// Runs 1, 6, 11 and 16 have no price: all of sessions s1 and s6.
	for _, s := range get[client.List[client.Session]](t, a, "/sessions?from=-24h&limit=100", "as viewer").Items {
		if none := s.ID == "s1" || s.ID == "s6"; none != (s.Cost.Amount == nil) {
			t.Errorf("session %s: cost %+v", s.ID, s.Cost)
		}
	}
}
