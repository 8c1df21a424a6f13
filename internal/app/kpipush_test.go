package app

import (
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"reeve/client"
)

// What users said is a KPI as any other: with its sample and its course, split by
// agent, as an objective, on /metrics, and at a receiver of OTLP with the credential
// it asks for. A receiver that refuses is counted and harms nobody.
func TestKPIsOfWhatUsersSaid(t *testing.T) {
	t.Parallel()
	bodies := make(chan *metrics.MetricsData, 10)
	var stolen atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/stolen", http.StatusTemporaryRedirect)
			return
		}
		if r.URL.Path == "/stolen" {
			stolen.Store(true)
			return
		}
		if r.URL.Path == "/refuses" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		raw, _ := io.ReadAll(r.Body)
		var d metrics.MetricsData
		if r.URL.Path != "/v1/metrics" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("X-Dataset") != "kpis" || proto.Unmarshal(raw, &d) != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		select {
		case bodies <- &d:
		default:
		}
	}))
	defer receiver.Close()
	a := start(t, func(c *Config) {
		c.KPIs.Push = []KPIPush{
			{URL: receiver.URL + "/refuses", AllowPrivate: true},
			{URL: receiver.URL + "/moved", Headers: map[string]string{"X-Dataset": "kpis"}, AllowPrivate: true},
			{URL: receiver.URL + "/v1/metrics", Headers: map[string]string{"X-Dataset": "kpis"}, AllowPrivate: true},
		}
	})
	c := client.New("http://"+a.Address("listen"), "")
	const runs = 40
	sendSpans(t, a, streamRuns(7_000_000, runs, "clerk", func(int) string { return "resolved" })...)
	said := time.Now().Add(-2 * time.Hour)
	var page *client.List[client.Run]
	eventually(t, "the runs", func() (ok bool) {
		var err error
		page, err = c.ListRuns(t.Context(), client.ListRunsRequest{Limit: 100})
		return err == nil && len(page.Items) == runs
	})
	for i := range 10 {
		v := 1.0
		if i < 3 {
			v = 0
		}
		if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Trace: page.Items[i].TraceIDs[0]}, Kind: "thumb", Value: &v, At: &said}); err != nil {
			t.Fatal(err)
		}
	}
	find := func(id string) client.KPI {
		list, err := c.ListKPIs(t.Context(), client.ListKPIsRequest{From: "-3h", Agent: "clerk"})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list.Items, func(k client.KPI) bool { return k.ID == id })
		return list.Items[i]
	}
	eventually(t, "what users said to be a figure", func() bool { return find("csat").N == 10 && find("feedback_response_rate").N == runs })
	if k := find("csat"); *k.Value != .7 || k.HitCount != 7 || *k.Low >= .7 || *k.High <= .7 || strings.Contains(k.Formula, "no data") {
		t.Errorf("csat: %+v", k)
	}
	if k := find("feedback_response_rate"); math.Abs(*k.Value-.25) > 1e-9 || k.HitCount != 10 {
		t.Errorf("response: %+v", k)
	}
	for _, id := range []string{"csat", "feedback_response_rate"} {
		d, err := c.GetKPI(t.Context(), client.KPIRequest{ID: id, From: "-3h", By: "agent"})
		if err != nil || len(d.Groups) != 1 || d.Groups[0].Name != "clerk" || len(d.Series) == 0 {
			t.Errorf("%s: %+v, %v", id, d, err)
		}
	}
	if d, err := c.GetKPI(t.Context(), client.KPIRequest{ID: "csat", From: "-3h", By: "tool"}); err != nil || d.Groups[0].Value != nil || !strings.Contains(d.Groups[0].Why, "know no tool") {
		t.Errorf("by tool: %+v, %v", d, err)
	}

	// An objective on it counts slices of time, and refuses a task that it cannot know.
	limit := .9
	slice := client.PutObjectiveRequest{Name: "happy", KPI: "csat", Agent: "clerk", Target: .5, Limit: &limit, Slice: "1h", Coverage: .001}
	if _, err := c.PutObjective(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the hour in which users were unhappy to count as bad", func() bool {
		o, err := c.GetObjectiveStatus(t.Context(), client.ObjectiveRequest{Name: "happy"})
		return err == nil && slices.ContainsFunc(o.Series, func(p client.ObjectivePoint) bool { return p.Bad >= 1 })
	})
	slice.Name, slice.Task = "refund", "refund"
	if _, err := c.PutObjective(t.Context(), slice); err == nil || !strings.Contains(err.Error(), "knows no task") {
		t.Errorf("a task: %v", err)
	}

	if err := a.computeKPIs(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	var got *metrics.MetricsData
	seen := map[string]float64{}
	for seen["reeve.kpi.records task_completion "] != runs { // earlier sendings are from before
		got = <-bodies
		clear(seen)
		for _, m := range got.ResourceMetrics[0].ScopeMetrics[0].Metrics {
			for _, p := range m.GetGauge().DataPoints {
				if p.TimeUnixNano == 0 || p.Attributes[1].Key != "unit" {
					t.Fatalf("%v", p)
				}
				seen[m.Name+" "+p.Attributes[0].Value.GetStringValue()+" "+p.Attributes[2].Value.GetStringValue()] = p.GetAsDouble()
			}
		}
	}
	// Three thumbs point down: their runs count as failed once that has settled.
	if done := seen["reeve.kpi.value task_completion "]; seen["reeve.kpi.value csat clerk"] != .7 || seen["reeve.kpi.records csat clerk"] != 10 || done != 1 && done != .925 {
		t.Errorf("%v", seen)
	}
	if _, ok := seen["reeve.kpi.value groundedness "]; ok {
		t.Error("an unknown figure has a value")
	}
	if stolen.Load() {
		t.Error("a redirect was followed: what authorizes goes to another address")
	}
	text := metricsPage(t, a)
	for _, want := range []string{`reeve_kpi_value{agent="clerk",kpi="csat",unit="share"} 0.7`, `result="sent"} `, `result="failed"} `} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}

// A receiver that could not be called safely is refused at the start.
func TestKPIReceiversAreChecked(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://127.0.0.1:4318/v1/metrics": "plain http", "https://127.0.0.1/v1/metrics": "is private", "ftp://x": "begins with", "https://u:p@x": "is no address",
	} {
		cfg := testConfig(t.TempDir())
		cfg.KPIs.Push = []KPIPush{{URL: url}}
		a, err := New(t.Context(), Options{Config: cfg, Logger: slog.New(slog.DiscardHandler), Version: "test"})
		if err == nil {
			_ = a.Stop(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "kpis.push[0]") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func metricsPage(t *testing.T, a *App) string {
	t.Helper()
	resp, err := http.Get("http://" + a.Address("listen") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
