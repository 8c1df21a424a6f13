package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"reeve/client"
	"reeve/internal/stop"
)

func withStops(t *testing.T) (testAPI, *stop.Board) {
	t.Helper()
	a := newTestAPI(t, func(o *Options) {
		o.AgentPlace = func(name string) (string, string, bool) { return "core", "production", name == "refund-agent" }
	})
	board, err := stop.New(t.Context(), stop.Options{DB: a.house.db, Node: "n"})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Stops = board
	return a, board
}

func TestStopPreviewAndLift(t *testing.T) {
	t.Parallel()
	a, board := withStops(t)
	ctx, leave, err := board.Enter(t.Context(), stop.Call{ID: "dec_1", Agent: "refund-agent"})
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-ctx.Done(); leave() }()
	target := `{"target":{"kind":"agent","value":"refund-agent"},"reason":"refunds twice"}`

	got := send(a, http.MethodPost, Prefix+"/stops/preview", "as responder", `{"target":{"kind":"agent","value":"refund-agent"}}`)
	var p client.StopPreview
	if err := json.Unmarshal(got.body, &p); err != nil || got.status != http.StatusOK || p.Total != 1 || ctx.Err() != nil {
		t.Fatalf("preview: %d %s, context %v", got.status, got.body, ctx.Err())
	}
	got = send(a, http.MethodPost, Prefix+"/stops", "as responder", target)
	var st client.Stop
	if err := json.Unmarshal(got.body, &st); err != nil || got.status != http.StatusCreated || st.Receipt == nil || len(st.Receipt.CallsCut) != 1 {
		t.Fatalf("stop: %d %s", got.status, got.body)
	}
	if _, _, err := board.Enter(t.Context(), stop.Call{Agent: "refund-agent"}); err == nil {
		t.Error("a stopped agent was let in")
	}
	if l := get[client.List[client.Stop]](t, a, "/stops?active=true", "as viewer"); len(l.Items) != 1 || l.Items[0].ID != st.ID {
		t.Errorf("list: %+v", l)
	}
	if got := send(a, http.MethodPost, Prefix+"/stops/"+st.ID+"/lift", "as responder", `{"reason":"mended"}`); got.status != http.StatusOK {
		t.Errorf("lift: %d %s", got.status, got.body)
	}
	if l := get[client.List[client.Stop]](t, a, "/stops?active=true", "as viewer"); len(l.Items) != 0 {
		t.Errorf("after the lift: %+v", l)
	}
	if got := send(a, http.MethodPost, Prefix+"/stops/none/lift", "as responder", `{}`); got.status != http.StatusNotFound {
		t.Errorf("lift of nothing: %d %s", got.status, got.body)
	}
}

// Who answers for a team stops what is the team's, and sees its stops.
func TestStopsReachTheirTeam(t *testing.T) {
	t.Parallel()
	a, _ := withStops(t)
	for _, c := range []struct {
		caller, target string
		want           int
	}{
		{"as responder@core/production", `{"kind":"agent","value":"refund-agent"}`, http.StatusCreated},
		{"as responder@core/*", `{"kind":"team","value":"core"}`, http.StatusCreated},
		{"as responder@core/production", `{"kind":"team","value":"core"}`, http.StatusForbidden},
		{"as responder@shop/*", `{"kind":"agent","value":"refund-agent"}`, http.StatusForbidden},
		{"as responder@shop/*", `{"kind":"team","value":"core"}`, http.StatusForbidden},
		{"as responder@core/*", `{"kind":"agent","value":"unknown"}`, http.StatusForbidden},
		{"as responder@core/*", `{"kind":"everything"}`, http.StatusForbidden},
		{"as responder@core/*", `{"kind":"tool","value":"x"}`, http.StatusForbidden},
		{"as admin", `{"kind":"everything"}`, http.StatusForbidden},
		{"as responder", `{"kind":"planet","value":"x"}`, http.StatusBadRequest},
	} {
		body := `{"target":` + c.target + `,"reason":"test"}`
		if got := send(a, http.MethodPost, Prefix+"/stops", c.caller, body); got.status != c.want {
			t.Errorf("%s stops %s: %d %s, want %d", c.caller, c.target, got.status, got.body, c.want)
		}
	}
	if l := get[client.List[client.Stop]](t, a, "/stops", "as viewer@shop/*"); len(l.Items) != 0 {
		t.Errorf("another team sees %+v", l.Items)
	}
	if l := get[client.List[client.Stop]](t, a, "/stops", "as viewer@core/*"); len(l.Items) != 2 {
		t.Errorf("the team sees %+v", l.Items)
	}
}

func TestStopsWithoutADoor(t *testing.T) {
	t.Parallel()
	if got := send(newTestAPI(t, nil), http.MethodGet, Prefix+"/stops", "as viewer", ""); got.problem(t).Code != "api.not_here" {
		t.Errorf("%d %s", got.status, got.body)
	}
}
