package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// A skipped job leaves a table stale, an agent answers from it, and its run is
// asked why: the job is named, with whom it reached; without the lineage, nothing is.
func TestWhy(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	base := "http://" + a.Address("listen")
	c := client.New(base, "")
	now := time.Now().UTC()
	event := func(job, state, run string, at time.Time) string {
		return fmt.Sprintf(`{"eventType":"%s","eventTime":"%s","producer":"urn:test","schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
			"run":{"runId":"%s"},"job":{"namespace":"etl","name":"%s"},"inputs":[],"outputs":[{"namespace":"warehouse","name":"refund_policy"}]}`, state, at.Format(time.RFC3339), run, job)
	}
	for _, e := range []string{
		event("load_policies", "COMPLETE", "0194c1b0-0000-7000-8000-000000000001", now.Add(-50*time.Hour)),
		event("load_policies", "ABORT", "0194c1b0-0000-7000-8000-000000000002", now.Add(-5*time.Hour)),
	} {
		if r := post(t.Context(), base+"/api/v1/lineage", "application/json", []byte(e)); r.status >= 300 {
			t.Fatalf("lineage: %+v", r)
		}
	}
	put := client.PutSourceRequest{Name: "refund_policy", Kind: "dataset", Namespace: "warehouse", Dataset: "refund_policy", MaxAge: "24h"}
	if _, err := c.PutSource(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	trace := func(n int, source string) string {
		attribute := func(key, value string) string {
			return fmt.Sprintf(`{"key":"%s","value":{"stringValue":"%s"}}`, key, value)
		}
		span := func(id, parent byte, name string, attributes ...string) string {
			return fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","parentSpanId":"%s","name":"%s","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s]}`,
				n, int(id), map[bool]string{true: fmt.Sprintf("%016x", int(parent))}[parent > 0], name, now.Add(time.Duration(id)*time.Second-time.Minute).UnixNano(), now.Add(time.Duration(id)*time.Second-59*time.Second).UnixNano(), strings.Join(attributes, ","))
		}
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join([]string{
			span(1, 0, "invoke_agent refunds", attribute("gen_ai.operation.name", "invoke_agent"), attribute("gen_ai.agent.name", "refunds"), attribute("reeve.outcome", "failed"), attribute("reeve.user", fmt.Sprint("u", n))),
			span(2, 1, "execute_retrieval", attribute("gen_ai.operation.name", "retrieval"), attribute("reeve.source", source)),
			span(3, 1, "chat", attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.provider.name", "openai"), attribute("gen_ai.request.model", "gpt-4o"), attribute("gen_ai.response.model", "gpt-4o-2024-08-06")),
		}, ",") + `]}]}]}`
	}
	for n, source := range map[int]string{1: "refund_policy", 2: "refund_policy", 3: "unheard_of"} {
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(trace(n, source))); r.status != http.StatusOK {
			t.Fatalf("sending: %+v", r)
		}
	}
	whys := map[string]*client.Why{} // by the source that was read
	eventually(t, "the three runs", func() bool {
		list, err := c.ListRuns(t.Context(), client.ListRunsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.Items {
			if r.StepCount < 3 || r.Outcome == nil || *r.Outcome != "failed" {
				return false
			}
			w, err := c.GetRunWhy(t.Context(), client.WhyRequest{ID: r.ID})
			if err != nil {
				t.Fatal(err)
			}
			whys[r.Sources[0]] = w
		}
		return len(list.Items) == 3
	})
	w := whys["refund_policy"]
	if !w.Known || w.Causes[0].Node != "job:etl/load_policies" || !strings.Contains(w.Sentence, "aborted") {
		t.Fatalf("%s\n%+v\nunknown %+v", w.Sentence, w.Causes, w.Unknown)
	}
	if b := w.Blast; b == nil || b.Runs != 2 || b.Users == nil || *b.Users != 2 {
		t.Errorf("reached %+v", w.Blast)
	}
	if w := whys["unheard_of"]; w.Known || len(w.Causes) > 0 || len(w.Unknown) == 0 || !w.Unknown[0].Blocks {
		t.Errorf("a run of which nothing is known: %s\n%+v", w.Sentence, w.Unknown)
	}
	doc, err := c.RunProv(t.Context(), w.RunID)
	if err != nil || !json.Valid(doc) || !strings.Contains(string(doc), `"wasGeneratedBy"`) {
		t.Errorf("%v: %.300s", err, doc)
	}
	i, err := c.OpenIncident(t.Context(), client.OpenIncidentRequest{Title: "Wrong refunds", Severity: "warning", Kind: "wrong_answer", Agents: []string{"refunds"}})
	if err != nil {
		t.Fatal(err)
	}
	of, err := c.GetIncidentWhy(t.Context(), client.IncidentRequest{ID: i.ID})
	if err != nil || !of.Known || of.Causes[0].Node != "job:etl/load_policies" || of.Blast == nil {
		t.Errorf("the incident: %v\n%+v", err, of)
	}
	if got := get(t, base+"/api/v1/runs/"+w.RunID+"/why?format=rdf"); got != http.StatusBadRequest {
		t.Errorf("another format: %d", got)
	}
}
