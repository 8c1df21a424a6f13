package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
)

// A selection may be runs by their ids, or a stretch of time; what the caller may
// not see is not found, and no run stands on both sides.
func TestDifferentSelections(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 100 {
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) {
			r.Models, r.Steps = []string{"m"}, int64(n%7)
			if n < 20 {
				r.Models, r.Steps = []string{"other"}, int64(100+n)
				r.Labels = []activity.Label{{Key: "group", Value: "gold"}}
			}
			if n == 99 {
				r.Team, r.Environment = "shop", "staging"
			}
		}))
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	ask := func(body, token string) answer { return send(a, "POST", Prefix+"/runs/different", token, body) }
	var ids []string
	for n := range 20 {
		ids = append(ids, store.runs[n].ID.String())
	}
	picked, _ := json.Marshal(ids)
	out := decode[client.Different](t, ask(`{"runs": `+string(picked)+`, "from": "-30d"}`, "as admin"), http.StatusOK)
	if out.Selected != 20 || out.Rest != 80 {
		t.Fatalf("%d and %d runs", out.Selected, out.Rest)
	}
	for _, name := range []string{"model", "label:group"} {
		i := slices.IndexFunc(out.Items, func(d client.Difference) bool { return d.Name == name })
		if i < 0 {
			t.Errorf("%s is not among %+v", name, out.Items)
		}
	}
	i := slices.IndexFunc(out.Measures, func(m client.DifferentMeasure) bool { return m.Name == "steps" })
	if i < 0 || !out.Measures[i].Clear || *out.Measures[i].Median != 109 || out.Measures[i].Selected != 20 || out.Measures[i].Rest != 80 {
		t.Errorf("measures: %+v", out.Measures)
	}
	if i = slices.IndexFunc(out.Measures, func(m client.DifferentMeasure) bool { return m.Name == "errors" }); i < 0 || out.Measures[i].Clear {
		t.Errorf("errors that are equal differ: %+v", out.Measures)
	}
	if got := ask(`{"runs": ["`+store.runs[99].ID.String()+`"], "from": "-30d"}`, "as viewer@core/*"); got.status != http.StatusNotFound {
		t.Errorf("a run of another team: %d %s", got.status, got.body)
	}
	first, last := store.runs[0].Start, store.runs[0].Start
	for n := range 20 {
		first, last = min(first, store.runs[n].Start), max(last, store.runs[n].Start)
	}
	stretch := fmt.Sprintf(`{"selected_from": %q, "selected_to": %q, "from": "-30d"}`, time.Unix(0, first).UTC().Format(time.RFC3339Nano), time.Unix(0, last+1).UTC().Format(time.RFC3339Nano))
	byTime := decode[client.Different](t, ask(stretch, "as admin"), http.StatusOK)
	if byTime.Selected != 20 || byTime.Rest != 80 || len(byTime.Items) != len(out.Items)-btoi(slices.ContainsFunc(out.Items, func(d client.Difference) bool { return d.Name == "hour" })) {
		t.Errorf("by time: %d and %d, %+v against %+v", byTime.Selected, byTime.Rest, byTime.Items, out.Items)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What lies beside runs is compared too: the prompt that was sent, the policies that
// took part, the version of what was read. What cannot be read is named.
func TestDifferentBeside(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	failed := func(n int) bool { return n%4 == 0 }
	var ids []activity.RunID
	for n := range 200 {
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) {
			r.Sources = []string{"handbook"}
			if failed(n) {
				r.ErrorType, r.Errors = "timeout", 1
			}
			ids = append(ids, r.ID)
		}))
	}
	broken := false
	store.answer = func(q telemetry.Query) (*telemetry.Result, error) {
		if broken && q.Table == "messages" {
			return nil, fault.New(fault.KindExhausted, "store.query_memory", "too much")
		}
		out := &telemetry.Result{}
		for n, id := range ids {
			value := "aaaabbbbccccdddd"
			if q.Table == "decisions" {
				value = "house"
			}
			if failed(n) {
				if value = "1111222233334444"; q.Table == "decisions" {
					value = "house freeze"
				}
			}
			out.Rows = append(out.Rows, []any{fmt.Sprintf("%x", id[:]), value, int64(1)})
		}
		return out, nil
	}
	middle := store.runs[100].Start
	a := newTestAPI(t, func(o *Options) {
		o.Store = store
		o.Sources = versioned{all: []client.SourceVersion{{Version: "8", At: time.Unix(0, middle)}, {Version: "7", At: time.Unix(0, middle).Add(-1000 * time.Hour)}}}
	})
	ask := func(selection string) client.Different {
		return decode[client.Different](t, send(a, "POST", Prefix+"/runs/different", "as admin", `{"selection": "`+selection+`", "from": "-30d"}`), http.StatusOK)
	}
	value := func(out client.Different, name string) string {
		for _, d := range out.Items {
			if d.Name == name && d.Effect > 0 {
				return d.Value
			}
		}
		return ""
	}
	out := ask("errors>0")
	if len(out.Unread) > 0 || value(out, "prompt") != "111122223333" || value(out, "policy") != "freeze" {
		t.Errorf("%+v", out)
	}
	newer := ask("started>=" + time.Unix(0, middle).UTC().Format(time.RFC3339Nano))
	if got := value(newer, "source_version"); got != "handbook 8" {
		t.Errorf("the newer runs read %q: %+v", got, newer.Items)
	}
	broken = true
	if out = ask("errors>0"); !slices.Equal(out.Unread, []string{"prompt"}) || value(out, "prompt") != "" || value(out, "policy") != "freeze" {
		t.Errorf("without prompts: %+v", out)
	}
}

// versioned is what a team reads, in its versions.
type versioned struct {
	Sources
	all []client.SourceVersion
}

func (v versioned) Versions(context.Context, string, string) ([]client.SourceVersion, error) {
	return v.all, nil
}

// Words are looked for only where their reader may read, on whichever side they stand.
func TestDifferentReadsWhereOneMay(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	who := identity.Principal{Kind: identity.KindPerson, PersonID: "per_x", Grants: []identity.Grant{{Role: identity.Reader, Team: "refunds", Environment: "*"}, {Role: identity.Viewer, Team: "shop", Environment: "*"}}}
	ctx := context.WithValue(t.Context(), callKey{}, &call{who: &who})
	for _, c := range []struct {
		query, selection string
		teams            []string
	}{
		{`"IBAN"`, "team:shop", []string{"refunds"}},
		{"team:shop", `"IBAN"`, []string{"refunds"}},
		{"team:shop", "status:done", []string{"refunds", "shop"}},
	} {
		all, err := a.runsQuery(ctx, &client.ListRunsRequest{Query: c.query})
		if err != nil {
			t.Fatal(err)
		}
		s, err := a.selected(ctx, &client.DifferentRequest{Query: c.query, Selection: c.selection}, all)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(slices.Values(s.query.Teams)); !slices.Equal(got, c.teams) {
			t.Errorf("%s among %s reads teams %v, want %v", c.selection, c.query, got, c.teams)
		}
	}
}
