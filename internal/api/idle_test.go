package api

import (
	"slices"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/telemetry"
)

// An agent that nobody used is one in service without a run and unseen since before the
// days that are asked for, that was there by then; who may not see it is not told.
func TestIdleAgents(t *testing.T) {
	t.Parallel()
	var since time.Time
	store := &memStore{answer: func(q telemetry.Query) (*telemetry.Result, error) {
		since = q.From
		return &telemetry.Result{Columns: []telemetry.Column{{Name: "agent", Kind: "dimension"}, {Name: "count", Kind: "measure"}}, Rows: [][]any{{"busy", int64(3)}}}, nil
	}}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	now := testNow.AddDate(0, 0, -60)
	list, err := agent.New(t.Context(), agent.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = list
	who := agent.Actor{Person: "test", Name: "test", Can: func(string, string, string) bool { return true }}
	create := func(name, team string) {
		t.Helper()
		if _, err := list.Create(t.Context(), who, agent.Agent{Name: name, Team: team, Purpose: "a test"}, ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, team := range map[string]string{"busy": "core", "idle": "core", "seen": "core", "over": "core", "theirs": "shop"} {
		create(name, team)
	}
	if _, err := list.Retire(t.Context(), who, "over", "nobody needs it"); err != nil {
		t.Fatal(err)
	}
	list.Seen(agent.Sighting{Agent: "seen", At: testNow.AddDate(0, 0, -2)})
	now = testNow.AddDate(0, 0, -5)
	create("new", "core")

	ask := func(query, caller string) (names []string) {
		t.Helper()
		for _, x := range get[client.List[client.IdleAgent]](t, a, "/cost/idle-agents"+query, caller).Items {
			names = append(names, x.Agent)
			if x.Team == "" || x.Lifecycle == "" || x.CreatedAt.IsZero() || (x.LastSeen != nil) != (x.Agent == "seen") {
				t.Errorf("%+v", x)
			}
		}
		return names
	}
	if got := ask("", "as viewer@core/production"); !slices.Equal(got, []string{"idle"}) || !since.Equal(testNow.AddDate(0, 0, -30)) {
		t.Errorf("of core these are idle: %v, since %v", got, since)
	}
	if got := ask("?days=1", "as viewer@core/production"); !slices.Equal(got, []string{"idle", "new", "seen"}) {
		t.Errorf("since yesterday these are: %v", got)
	}
	if got := ask("", "as viewer"); !slices.Equal(got, []string{"idle", "theirs"}) {
		t.Errorf("of all teams these are: %v", got)
	}
	for _, days := range []string{"-1", "401"} {
		if got := send(a, "GET", Prefix+"/cost/idle-agents?days="+days, "as viewer", ""); got.status != 400 {
			t.Errorf("%s days: %d %s", days, got.status, got.body)
		}
	}
}
