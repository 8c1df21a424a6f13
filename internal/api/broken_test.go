package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/change"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/incident"
	"reeve/internal/telemetry"
)

// Beside each incident that waits stands the newest change of what it is about, and
// what its runs cost; what is not known is said with its reason, and what the asker
// may not see is not there.
func TestOverviewBroken(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	now := a.o.Now()
	book, err := incident.New(t.Context(), incident.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Incidents = book
	changes := a.o.Changes.(*change.Book)
	signal := func(id, agent, tool string) {
		book.Take(t.Context(), []incident.Signal{{ID: id, Kind: "alert", Fingerprint: id, At: now, Severity: incident.Critical, Title: agent + " is in trouble", Team: "core", Environment: "production", Agent: agent, Tool: tool}})
	}
	signal("s1", "refund", "orders.lookup")
	signal("s2", "triage", "")
	if err := book.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := func(key, agent, title string, before time.Duration) {
		if err := changes.Take(t.Context(), change.Sender{Source: "forge", Team: "core"}, []change.Report{{Key: key, Kind: "deployment", Title: title, Agent: agent, Environment: "production", At: now.Add(-before)}}); err != nil {
			t.Fatal(err)
		}
	}
	report("old", "refund", "an older one", 50*time.Hour)
	report("near", "refund", "version 7 of refund", 20*time.Minute)
	report("other", "somebody", "orders.lookup_all moved", 3*time.Minute)
	report("later", "refund", "after it opened", -time.Minute)
	store := a.o.Store.(*memStore)
	priced := true
	store.answer = func(q telemetry.Query) (*telemetry.Result, error) {
		if !priced {
			return nil, fault.New(fault.KindExhausted, "store.query_time", "too slow")
		}
		return &telemetry.Result{Columns: []telemetry.Column{{Name: "count"}, {Name: "cost"}, {Name: "unpriced"}}, Rows: [][]any{{int64(12), 3.5, int64(2)}}}, nil
	}
	read := func(caller string) map[string]client.BrokenIncident {
		t.Helper()
		out := map[string]client.BrokenIncident{}
		for _, b := range get[client.OverviewBroken](t, a, "/overview/broken", caller).Items {
			out[strings.Fields(b.Title)[0]] = b
		}
		return out
	}
	got := read("as viewer")
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if b := got["refund"]; b.Change == nil || b.Change.Key != "near" || b.Cost == nil || *b.Cost != 3.5 || *b.Runs != 12 || b.Unpriced != 2 || !strings.Contains(b.Q, "refund") {
		t.Errorf("refund: %+v", b)
	}
	if b := got["triage"]; b.Change != nil || !strings.Contains(b.ChangeWhy, "nothing") {
		t.Errorf("triage: %+v", b)
	}
	// A tool's own name tells, a longer one does not.
	report("tool", "", "orders.lookup has another schema", 2*time.Minute)
	if b := read("as viewer")["refund"]; b.Change == nil || b.Change.Key != "tool" {
		t.Errorf("a change of its tool: %+v", b.Change)
	}
	priced = false
	if b := read("as viewer")["refund"]; b.Cost != nil || b.Runs != nil || b.CostWhy == "" || b.Change == nil {
		t.Errorf("without an answer of the store: %+v", b)
	}
	if got := read("as viewer@shop/*"); len(got) != 0 {
		t.Errorf("another team sees %+v", got)
	}
	// The cost counts from the run that its signal names, though it was found later.
	dear := testRun(40, func(r *activity.Run) { r.Agent = "dear" })
	store.runs = append(store.runs, dear)
	book.Take(t.Context(), []incident.Signal{{ID: "s3", Kind: "alert", Fingerprint: "s3", At: now, Severity: incident.Critical, Title: "dear costs much", Team: "core", Environment: "production", Agent: "dear", Run: dear.ID.String()}})
	if err := book.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := read("as viewer")["dear"]; b.From != time.Unix(0, dear.Start).UTC().Format(time.RFC3339) {
		t.Errorf("its cost counts from %s, its run began %s", b.From, time.Unix(0, dear.Start).UTC())
	}
	// At most five are looked at, and the others are counted.
	for _, name := range []string{"aa", "bb", "cc", "dd", "ee", "ff"} {
		signal("more "+name, name, "")
	}
	if err := book.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := get[client.OverviewBroken](t, a, "/overview/broken", "as viewer"); len(out.Items) != 5 || out.More != 4 {
		t.Errorf("%d incidents and %d more", len(out.Items), out.More)
	}
	if got := send(a, "GET", Prefix+"/overview/broken?x=1", "as viewer", ""); got.status != http.StatusBadRequest {
		t.Errorf("an unknown parameter: %d", got.status)
	}
}

// A finding that a live incident has taken in is no row of its own, and leads there.
func TestFindingOfAnIncident(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	now := a.o.Now()
	findings, err := finding.New(t.Context(), finding.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	book, err := incident.New(t.Context(), incident.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Findings, a.o.Incidents = findings, book
	see := func(print, agent string) finding.Finding {
		f, _, err := findings.See(t.Context(), finding.Finding{Detector: "loop", Severity: finding.Critical, Agent: agent, Team: "core", Environment: "production", Fingerprint: print, Text: "it calls the same again and again", First: now, Last: now})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	taken, alone := see("one", "refund"), see("two", "triage")
	placed := book.Take(t.Context(), []incident.Signal{{ID: taken.ID, Kind: "finding", Fingerprint: "one", At: now, Severity: incident.Critical, Title: "refund loops", Team: "core", Environment: "production", Agent: "refund"}})
	if err := book.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := func() map[string]string {
		out := map[string]string{}
		for _, r := range get[client.Overview](t, a, "/overview", "as viewer").NeedsPerson.Items {
			out[r.Kind] += r.Text
		}
		return out
	}
	if got := rows(); !strings.Contains(got["incident"], "refund loops") || !strings.Contains(got["finding"], "triage") || strings.Contains(got["finding"], "refund") {
		t.Errorf("%q", got)
	}
	if f := get[client.Finding](t, a, "/findings/"+taken.ID, "as viewer"); f.Incident != placed[0].Incident {
		t.Errorf("it leads to %q, want %q", f.Incident, placed[0].Incident)
	}
	if f := get[client.Finding](t, a, "/findings/"+alone.ID, "as viewer"); f.Incident != "" {
		t.Errorf("one of none leads to %q", f.Incident)
	}
	if err := findings.Judge(context.Background(), finding.Actor{Person: "per_1", Name: "Ada"}, finding.About{ID: alone.ID, Detector: "loop", Agent: "triage", Fingerprint: "two"}, finding.Noise, ""); err != nil {
		t.Fatal(err)
	}
	if got := rows(); got["finding"] != "" {
		t.Errorf("what is judged waits still: %q", got)
	}
}
