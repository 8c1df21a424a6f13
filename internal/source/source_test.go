package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

var t0 = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

// open is a book at a time that the test moves.
func open(t testing.TB) (*Book, *time.Time) {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	now := t0
	b, err := New(Options{DB: db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return b, &now
}

func anyone(string, string, string) bool { return true }

func take(t testing.TB, b *Book, f *Facts, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if f.Rejected > 0 {
		t.Fatalf("rejected %d: %v", f.Rejected, f.Reasons)
	}
	if err := b.Take(t.Context(), Sender{Team: "support"}, f); err != nil {
		t.Fatal(err)
	}
}

// run is an OpenLineage event of a job that reads one table and writes another.
func run(job, id, kind string, at time.Time, in, out string) []byte {
	set := func(name string) string {
		if name == "" {
			return "[]"
		}
		return `[{"namespace":"postgres://db:5432","name":"` + name + `","facets":{}}]`
	}
	return []byte(`{"eventType":"` + kind + `","eventTime":"` + at.Format(time.RFC3339Nano) + `","run":{"runId":"` + id + `","facets":{}},"job":{"namespace":"airflow","name":"` + job + `"},
		"inputs":` + set(in) + `,"outputs":` + set(out) + `,"producer":"x","schemaURL":"y"}`)
}

// TestStaleData is the story of a skipped job: orders are extracted, a policy
// table is made of them, an agent answers from the table. When the extract is
// skipped the table is not made anew, and the answer says which job, which
// version, how old.
func TestStaleData(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	*now = t0.Add(50 * time.Hour) // deliveries may be late, times of events count
	deliver := func(body []byte) {
		f, err := Lineage(body, *now)
		take(t, b, f, err)
	}
	deliver(run("extract_orders", "run-1", "COMPLETE", t0, "", "db.raw.orders"))
	deliver(run("build_policy", "run-2", "COMPLETE", t0.Add(time.Hour), "db.raw.orders", "db.public.refund_policy"))
	if _, err := b.Put(t.Context(), Actor{Person: "dev", Can: anyone}, client.PutSourceRequest{
		Name: "db.public.refund_policy", Team: "support", Namespace: "postgres://db:5432", Dataset: "db.public.refund_policy", MaxAge: "24h", WarnAge: "12h", Aliases: []string{"refunds"},
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(at time.Time) client.SourceUse {
		t.Helper()
		uses, err := b.AsOf(t.Context(), "support", []Ref{{StepID: "stp_1", Name: "refund_policy", At: at}})
		if err != nil || len(uses) != 1 {
			t.Fatalf("%+v, %v", uses, err)
		}
		return uses[0]
	}
	if use := ask(t0.Add(2 * time.Hour)); use.State != "fresh" || use.Version.Version != "run-2" || len(use.Causes) != 0 {
		t.Errorf("fresh: %+v", use)
	}
	// The next day the extract is skipped, and so what follows never runs.
	skipped := t0.Add(25 * time.Hour)
	deliver([]byte(`{"metadata":{"dbt_schema_version":"x"},"eventType":"ABORT","eventTime":"` + skipped.Format(time.RFC3339) + `","run":{"runId":"run-3"},"job":{"namespace":"airflow","name":"extract_orders"},"outputs":[{"namespace":"postgres://db:5432","name":"db.raw.orders"}]}`))
	use := ask(t0.Add(30 * time.Hour))
	if use.State != "stale" || use.Version.Version != "run-2" || *use.AgeMS != 29*3600*1e3 {
		t.Errorf("stale: %+v", use)
	}
	if len(use.Causes) != 1 || use.Causes[0].Job != "airflow/extract_orders" || use.Causes[0].State != Aborted || !use.Causes[0].GoodAt.Equal(t0) {
		t.Fatalf("causes %+v", use.Causes)
	}
	if path := strings.Join(use.Causes[0].Path, " > "); path != "airflow/extract_orders > db.raw.orders > airflow/build_policy > db.public.refund_policy" {
		t.Errorf("path %s", path)
	}
	for _, want := range []string{"version run-2", "29 hours old", "airflow/extract_orders was aborted"} {
		if !strings.Contains(use.Sentence, want) {
			t.Errorf("%q does not say %q", use.Sentence, want)
		}
	}
	// What comes later changes nothing about then, but says what came.
	deliver(run("extract_orders", "run-4", "COMPLETE", t0.Add(40*time.Hour), "", "db.raw.orders"))
	deliver(run("build_policy", "run-5", "COMPLETE", t0.Add(41*time.Hour), "db.raw.orders", "db.public.refund_policy"))
	uses, err := b.AsOf(t.Context(), "support", []Ref{{Name: "refunds", At: t0.Add(30 * time.Hour)}})
	if err != nil || uses[0].State != "stale" || uses[0].Newer.Version != "run-5" || len(uses[0].Causes) != 1 {
		t.Errorf("afterwards: %+v, %v", uses, err)
	}
	all, err := b.List(t.Context())
	if err != nil || len(all) != 2 || all[1].State != "fresh" {
		t.Errorf("list %+v, %v", all, err)
	}
}

// TestDocuments is the other story: a chunk of an old version is still in the
// index.
func TestDocuments(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	doc := func(version string, days int) client.SourceDocument {
		return client.SourceDocument{ID: "policy.md", Version: version, CrawledAt: t0.Add(time.Duration(days) * 24 * time.Hour), Embedding: "text-embedding-3-small"}
	}
	*now = t0.Add(60 * 24 * time.Hour)
	got, err := b.AddDocuments(t.Context(), Sender{Team: "support"}, "handbook", []client.SourceDocument{doc("3", 0), doc("4", 10), doc("5", 20), {ID: "x"}})
	if err != nil || got.Accepted != 3 || got.Rejected != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	at := t0.Add(41 * 24 * time.Hour)
	uses, err := b.AsOf(t.Context(), "support", []Ref{{Name: "handbook", At: at, Documents: []DocumentRef{{"policy.md", "3"}, {"policy.md", ""}, {"other.md", ""}}}})
	if err != nil {
		t.Fatal(err)
	}
	d := uses[0].Documents
	if d[0].Sentence != "answered from version 3 of policy.md, 41 days old, version 5 existed" || d[0].Newer != "5" {
		t.Errorf("%+v", d[0])
	}
	if d[1].Version != "5" || d[1].Newer != "" || d[2].AgeMS != nil {
		t.Errorf("%+v", d[1:])
	}
	if uses[0].State != "warn" {
		t.Errorf("state %s: %s", uses[0].State, uses[0].Sentence)
	}
	detail, err := b.Get(t.Context(), "handbook")
	if err != nil || detail.Kind != "corpus" || len(detail.Newest) != 1 || detail.Newest[0].Version != "5" || detail.Newest[0].Versions != 3 {
		t.Errorf("%+v, %v", detail, err)
	}
	if _, err := b.AddDocuments(t.Context(), Sender{Team: "sales"}, "handbook", []client.SourceDocument{doc("9", 1)}); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("another team's source: %v", err)
	}
}

// TestAnotherOwner holds that a source which gets an owner keeps its history, and
// that what comes later still reaches it.
func TestAnotherOwner(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	*now = t0.Add(50 * time.Hour)
	deliver := func(team string, body []byte) {
		t.Helper()
		f, err := Lineage(body, *now)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Take(t.Context(), Sender{Team: team}, f); err != nil {
			t.Fatal(err)
		}
	}
	deliver("", run("extract", "1", "COMPLETE", t0, "", "w.policy"))
	deliver("", run("extract", "2", "FAIL", t0.Add(24*time.Hour), "", "w.policy"))
	if _, err := b.Put(t.Context(), Actor{Person: "dev", Can: anyone}, client.PutSourceRequest{Name: "w.policy", Team: "core", MaxAge: "12h"}); err != nil {
		t.Fatal(err)
	}
	deliver("", run("extract", "3", "FAIL", t0.Add(48*time.Hour), "", "w.policy"))
	d, err := b.Get(t.Context(), "w.policy")
	if err != nil || d.Team != "core" || len(d.Writers) != 1 || len(d.Upstream) != 1 || d.Upstream[0].At != t0.Add(48*time.Hour) {
		t.Errorf("%+v, %v", d, err)
	}
	// Another team's lineage of a dataset of that name is another source.
	deliver("sales", run("extract", "4", "COMPLETE", t0.Add(49*time.Hour), "", "w.policy"))
	all, err := b.List(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("%d sources, %v", len(all), err)
	}
	if d, err = b.Get(t.Context(), "w.policy"); err != nil || d.Versions != 1 {
		t.Errorf("%d versions, %v", d.Versions, err)
	}
}

// TestAgain holds that a delivery which comes twice, or out of order, changes
// nothing.
func TestAgain(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	*now = t0.Add(2 * time.Hour)
	end, begin := run("j", "r", "COMPLETE", t0.Add(time.Hour), "a", "b"), run("j", "r", "START", t0, "a", "b")
	for _, body := range [][]byte{end, begin, end} {
		f, err := Lineage(body, *now)
		take(t, b, f, err)
	}
	d, err := b.Get(t.Context(), "b")
	if err != nil || d.Versions != 1 || len(d.Writers) != 1 || d.Writers[0].State != Complete || len(d.Upstream) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

const (
	dbtSources = `{"metadata":{"dbt_schema_version":"https://schemas.getdbt.com/dbt/sources/v3.json","generated_at":"2026-11-01T07:00:00Z"},"results":[
		{"unique_id":"source.shop.raw.orders","max_loaded_at":"2026-10-30T06:00:00Z","snapshotted_at":"2026-11-01T06:00:00Z","status":"error","criteria":{"warn_after":{"count":12,"period":"hour"},"error_after":{"count":1,"period":"day"},"filter":null}},
		{"unique_id":"source.shop.raw.users","error":"relation is missing","status":"runtime error"}]}`
	dbtResults = `{"metadata":{"dbt_schema_version":"https://schemas.getdbt.com/dbt/run-results/v6.json","generated_at":"2026-11-01T05:00:00Z","invocation_id":"inv-1"},"results":[
		{"unique_id":"model.shop.stg_orders","status":"error","message":"boom","timing":[{"name":"execute","completed_at":"2026-11-01T04:59:00Z"}],"relation_name":"\"db\".\"public\".\"stg_orders\""},
		{"unique_id":"model.shop.orders","status":"skipped","timing":[],"relation_name":"\"db\".\"public\".\"orders\""},
		{"unique_id":"model.shop.users","status":"success","timing":[],"adapter_response":{"rows_affected":42}},
		{"unique_id":"test.shop.not_null","status":"fail","timing":[]}]}`
	expectations = `{"success":false,"statistics":{"evaluated_expectations":2},"meta":{"active_batch_definition":{"data_asset_name":"orders"},"run_id":{"run_time":"2026-11-01T05:00:00+00:00"}},"results":[
		{"success":true,"expectation_config":{"expectation_type":"expect_table_row_count_to_be_between","kwargs":{}}},
		{"success":false,"expectation_config":{"expectation_type":"expect_column_values_to_not_be_null","kwargs":{"column":"id"}}}]}`
	soda = `{"scanEndTimestamp":"2026-11-01T05:00:00+00:00","checks":[{"name":"row_count > 0","outcome":"pass","table":"orders"},{"name":"missing_count(id) = 0","outcome":"fail","table":"orders","column":"id"}]}`
)

func TestArtefacts(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	*now = t0.Add(2 * time.Hour)
	for _, body := range []string{dbtSources, dbtResults, expectations, soda} {
		f, err := Artefact([]byte(body), "", *now)
		take(t, b, f, err)
	}
	for name, want := range map[string]struct {
		state   string
		failing int64
	}{"raw.orders": {"stale", 1}, "db.public.orders": {"unknown", 0}, "users": {"unknown", 0}} {
		d, err := b.Get(t.Context(), name)
		if err != nil || d.State != want.state || d.Failing != want.failing {
			t.Errorf("%s: %+v, %v", name, d.Source, err)
		}
	}
	d, err := b.Get(t.Context(), "db.public.orders")
	if err != nil || len(d.Upstream) != 1 || d.Upstream[0].State != Skipped {
		t.Errorf("skipped model: %+v, %v", d.Upstream, err)
	}
	if d, err = b.Get(t.Context(), "users"); err != nil || d.Version == nil || *d.Version.Items != 42 {
		t.Errorf("made model: %+v, %v", d.Version, err)
	}
	// Two tools that both look at "orders" are two sources: their datasets differ.
	all, err := b.List(t.Context())
	if err != nil || len(all) != 7 {
		t.Errorf("%d sources, %v", len(all), err)
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{`, `7`, `"x"`, `[`, `nope`} {
		if _, err := Lineage([]byte(body), t0); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("lineage %q: %v", body, err)
		}
		if _, err := Artefact([]byte(body), "", t0); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("artefact %q: %v", body, err)
		}
	}
	f, err := Lineage([]byte(`[{}, 7, {"job":{"name":""}}, {"eventType":"COMPLETE","job":{"name":"x"},"outputs":[{"name":""}]}]`), t0)
	if err != nil || f.Rejected != 3 || len(f.Versions) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := Lineage([]byte("["+strings.TrimSuffix(strings.Repeat("{},", maxEvents+1), ",")+"]"), t0); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("too many: %v", err)
	}
	b, _ := open(t)
	for _, in := range []client.PutSourceRequest{
		{Name: "a b"}, {Name: "../x"}, {Name: ""}, {Name: "x", Kind: "what"}, {Name: "x", MaxAge: "soon"}, {Name: "x", MaxAge: "1h", WarnAge: "2h"}, {Name: "x", MaxAge: "-1h"},
	} {
		if _, err := b.Put(context.Background(), Actor{Can: anyone}, in); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if _, err := b.Put(context.Background(), Actor{Can: func(string, string, string) bool { return false }}, client.PutSourceRequest{Name: "x"}); !fault.Is(err, fault.KindDenied) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := b.Put(context.Background(), Actor{Can: anyone}, client.PutSourceRequest{Name: "handbook"}); err != nil {
		t.Fatal(err)
	}
	sales := Actor{Can: func(_, team, _ string) bool { return team == "sales" }}
	if _, err := b.Put(context.Background(), sales, client.PutSourceRequest{Name: "handbook", Team: "sales", Revision: 1}); !fault.Is(err, fault.KindDenied) {
		t.Errorf("a team takes what is registered for all: %v", err)
	}
	if _, err := b.Put(context.Background(), Actor{Can: anyone}, client.PutSourceRequest{Name: "x", Revision: 3}); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a revision of nothing: %v", err)
	}
}

// TestPublished reads the example events that OpenLineage publishes: set
// REEVE_OPENLINEAGE to a folder of them.
func TestPublished(t *testing.T) {
	folder := os.Getenv("REEVE_OPENLINEAGE")
	if folder == "" {
		t.Skip("REEVE_OPENLINEAGE names no folder of events")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*event*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	more, err := filepath.Glob(filepath.Join(folder, "*_complete.json"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := open(t)
	for _, file := range append(files, more...) {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Lineage(body, t0.Add(300*24*time.Hour))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		t.Logf("%-45s %d runs, %d versions, %d edges, %d checks, %d rejected", filepath.Base(file), len(f.Runs), len(f.Versions), len(f.Edges), len(f.Checks), f.Rejected)
		if f.Rejected > 0 || len(f.Runs)+len(f.Versions) == 0 {
			t.Errorf("%s: %+v", file, f.Reasons)
		}
		if err := b.Take(t.Context(), Sender{}, f); err != nil {
			t.Error(err)
		}
	}
	body, err := os.ReadFile(filepath.Join(folder, "dbt_run_results_artifact.json"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Artefact(body, "", t0)
	if err != nil || f.Rejected > 0 || len(f.Runs) == 0 {
		t.Errorf("dbt: %+v, %v", f, err)
	}
}

func FuzzLineage(f *testing.F) {
	f.Add([]byte(dbtSources))
	f.Add([]byte(dbtResults))
	f.Add([]byte(expectations))
	f.Add([]byte(soda))
	f.Add(run("j", "r", "COMPLETE", t0, "a", "b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func() (*Facts, error){
			func() (*Facts, error) { return Lineage(body, t0) },
			func() (*Facts, error) { return Artefact(body, "", t0) },
		} {
			facts, err := read()
			if err != nil {
				continue
			}
			for _, v := range facts.Versions {
				if v.Dataset.Name == "" || v.Version == "" || v.At.After(t0.Add(time.Hour)) {
					t.Fatalf("%+v", v)
				}
			}
		}
	})
}
