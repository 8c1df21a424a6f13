package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/incident"
)

// What is to be done after incidents is listed with its incident; compensations that
// wait are there for who may agree, and a bad question says what is wrong with it.
func TestIncidentActions(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	now := a.o.Now()
	book, err := incident.New(t.Context(), incident.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Incidents = book
	made := decode[client.Incident](t, send(a, "POST", Prefix+"/incidents", "as responder", `{"title":"refunds twice","severity":"critical","team":"core","environment":"production"}`), http.StatusCreated)
	add := func(body string) {
		decode[client.IncidentTask](t, send(a, "POST", Prefix+"/incidents/"+made.ID+"/tasks", "as responder", body), http.StatusCreated)
	}
	add(`{"kind":"action","text":"limit the amount","owner":"me","due_at":"2026-12-01T17:00:00Z"}`)
	add(`{"kind":"compensation","text":"take refund 17 back"}`)
	list := func(query, caller string) []client.IncidentTask {
		t.Helper()
		return get[client.List[client.IncidentTask]](t, a, "/incident-actions"+query, caller).Items
	}
	if got := list("?mine=true", "as responder"); len(got) != 1 || got[0].Number != made.Number || got[0].Title != "refunds twice" || got[0].DueAt == nil {
		t.Errorf("mine: %+v", got)
	}
	for c, want := range map[[2]string]int{
		{"?kind=compensation", "as viewer"}: 1, {"?kind=compensation&unagreed=true", "as responder"}: 0, {"?kind=compensation&unagreed=true", "as responder@core/*"}: 1,
		{"?kind=compensation&unagreed=true", "as responder@shop/*"}: 0, {"?kind=compensation", "as viewer@shop/*"}: 0, {"", "as viewer@shop/*"}: 0, {"", "as viewer"}: 1,
	} {
		if got := list(c[0], c[1]); len(got) != want {
			t.Errorf("%s %s: %d, want %d", c[1], c[0], len(got), want)
		}
	}
	for _, query := range []string{"?kind=step", "?unagreed=true", "?kind=action&unagreed=true"} {
		if got := send(a, "GET", Prefix+"/incident-actions"+query, "as viewer", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	if _, err := book.PutRunbook(t.Context(), incident.Actor{Person: "per_1", Name: "Ada", Can: func(string, string, string) bool { return true }}, incident.Runbook{Name: "ask", Approval: true, Steps: []incident.RunbookStep{{Text: "Ask"}}}); err != nil {
		t.Fatal(err)
	}
	decode[client.RunbookRun](t, send(a, "POST", Prefix+"/incidents/"+made.ID+"/runbook-runs", "as responder", `{"runbook":"ask","reason":"wrong"}`), http.StatusCreated)
	for caller, want := range map[string]int{"as responder": 0, "as responder@*/*": 1, "as viewer": 0, "as responder@shop/*": 0} {
		if got := get[client.List[client.RunbookRun]](t, a, "/runbook-runs", caller); len(got.Items) != want || want > 0 && got.Items[0].Number != made.Number {
			t.Errorf("%s: %+v", caller, got.Items)
		}
	}
	// The draft of the review has why it happened, if only that nobody knows.
	if r := get[client.IncidentReview](t, a, "/incidents/"+made.ID+"/review", "as viewer"); !strings.Contains(r.Text, "What the records say") {
		t.Errorf("the draft:\n%s", r.Text)
	}
}
