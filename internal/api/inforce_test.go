package api

import (
	"net/http"
	"slices"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
)

func TestOverviewSaysWhatIsInForce(t *testing.T) {
	t.Parallel()
	a, _ := withStops(t)
	register, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = register
	decode[client.Agent](t, send(a, "POST", Prefix+"/agents", "as developer", `{"name":"refund","team":"core","environment":"production","purpose":"refunds","enforcement":"observe"}`), http.StatusCreated)
	decode[client.Agent](t, send(a, "POST", Prefix+"/agents/refund/contain", "as responder", `{"containment":"read_only","reason":"odd"}`), http.StatusOK)
	decode[client.Stop](t, send(a, "POST", Prefix+"/stops", "as responder", `{"target":{"kind":"tool","value":"issue_refund"},"reason":"drill"}`), http.StatusCreated)

	kinds := func(who string) (kinds, sources []string) {
		o := get[client.Overview](t, a, "/overview", who)
		for _, r := range o.InForce.Items {
			kinds = append(kinds, r.Kind)
		}
		slices.Sort(kinds)
		return kinds, o.InForce.Sources
	}
	got, sources := kinds("as viewer")
	if want := []string{"containment", "observe", "stop"}; !slices.Equal(got, want) {
		t.Errorf("in force: %q, want %q", got, want)
	}
	if want := []string{"agents", "stops"}; !slices.Equal(sources, want) {
		t.Errorf("reported by %q, want %q", sources, want)
	}
	// Who breaks the glass is seen until it ends, wherever the agent is.
	decode[client.Agent](t, send(a, "POST", Prefix+"/agents", "as developer", `{"name":"triage","team":"core","environment":"staging","purpose":"sorts tickets"}`), http.StatusCreated)
	decode[client.Agent](t, send(a, "POST", Prefix+"/agents/triage/break-glass", "as responder", `{"minutes":15,"reason":"customers wait"}`), http.StatusOK)
	if got, _ := kinds("as viewer"); !slices.Contains(got, "break_glass") {
		t.Errorf("in force: %q, and no glass is broken", got)
	}
	if got, _ := kinds("as viewer@shop/*"); slices.Contains(got, "containment") {
		t.Errorf("another team sees %q", got)
	}
	// Many agents in observe are one row, which counts them.
	for _, name := range []string{"one", "two", "three"} {
		decode[client.Agent](t, send(a, "POST", Prefix+"/agents", "as developer", `{"name":"`+name+`","team":"core","environment":"production","purpose":"refunds","enforcement":"observe"}`), http.StatusCreated)
	}
	var rows []client.OverviewRow
	for _, r := range get[client.Overview](t, a, "/overview", "as viewer").InForce.Items {
		if r.Kind == "observe" {
			rows = append(rows, r)
		}
	}
	if len(rows) != 1 || rows[0].Text != "4 agents are in observe in production: nothing is refused of them" || rows[0].Path != "/agents?show=observe" {
		t.Errorf("four agents in observe are %+v", rows)
	}
}
