package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/budget"
)

// A team sets budgets for its own agents, security for the whole house; what
// others spend is not shown.
func TestBudgets(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	ledger, err := budget.Open(t.Context(), budget.Options{DB: a.house.db, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ledger.Ready()
	a.o.Budgets = ledger
	path := Prefix + "/budgets/daily"
	own := `{"scope":"agent","match":"*","unit":"tokens","limit":1000,"period":"day","hard":true,"team":"core"}`
	house := strings.Replace(own, `"core"`, `""`, 1)
	for _, c := range []struct {
		name, caller, body string
		want               int
	}{
		{"another team's developer", "as developer@shop/*", own, http.StatusForbidden},
		{"in one environment only", "as developer@core/production", own, http.StatusForbidden},
		{"a viewer", "as viewer@core/*", own, http.StatusForbidden},
		{"for the house", "as developer@core/*", house, http.StatusForbidden},
		{"euros", "as developer@core/*", strings.Replace(own, `"tokens"`, `"money","currency":"EUR"`, 1), http.StatusBadRequest},
		{"an unknown field", "as developer@core/*", strings.Replace(own, `"hard"`, `"soft"`, 1), http.StatusBadRequest},
		{"its own developer", "as developer@core/*", own, http.StatusOK},
		{"made already", "as developer@core/*", own, http.StatusConflict},
		{"taken over", "as developer@shop/*", strings.Replace(own, `"core"`, `"shop"`, 1), http.StatusForbidden},
	} {
		if got := send(a, http.MethodPut, path, c.caller, c.body); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.want)
		}
	}
	if got := send(a, http.MethodPut, Prefix+"/budgets/house", "as security", house); got.status != http.StatusOK {
		t.Fatalf("security: %d %s", got.status, got.body)
	}
	r, err := ledger.Reserve(time.Now(), budget.Use{Agent: "bot", Team: "core", Tokens: 10})
	if err != nil {
		t.Fatal(err)
	}
	r.Settle(time.Now(), 7, 0)
	b := get[client.Budget](t, a, "/budgets/daily", "as viewer@core/*")
	if b.Spent != 7 || len(b.Shares) != 1 || b.Shares[0].Key != "bot" || b.ResetsAt == nil || !b.Ready {
		t.Errorf("read: %+v", b)
	}
	// Three are the pilots', which belong to the house.
	for caller, want := range map[string]int{"as viewer@core/*": 1, "as viewer@shop/*": 0, "as viewer": 5} {
		if l := get[client.List[client.Budget]](t, a, "/budgets", caller); len(l.Items) != want {
			t.Errorf("%s sees %d budgets, want %d", caller, len(l.Items), want)
		}
	}
	for _, c := range []struct {
		caller, name string
		want         int
	}{
		{"as viewer@shop/*", "daily", http.StatusNotFound},
		{"as viewer@core/*", "house", http.StatusNotFound},
	} {
		if got := send(a, http.MethodGet, Prefix+"/budgets/"+c.name, c.caller, ""); got.status != c.want {
			t.Errorf("%s reads %s: %d, want %d", c.caller, c.name, got.status, c.want)
		}
	}
	for _, c := range []struct {
		caller, name string
		want         int
	}{
		{"as developer@core/*", "house", http.StatusForbidden},
		{"as security", "pilot-calls", http.StatusConflict},
		{"as developer@core/*", "daily", http.StatusNoContent},
		{"as developer@core/*", "daily", http.StatusNotFound},
	} {
		if got := send(a, http.MethodDelete, Prefix+"/budgets/"+c.name, c.caller, ""); got.status != c.want {
			t.Errorf("%s deletes %s: %d %s, want %d", c.caller, c.name, got.status, got.body, c.want)
		}
	}
}
