package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/intake/dialect"
)

// ofVendors are the captures in wire formats of vendors' own, with the path and
// media type of their first body.
var ofVendors = []struct{ name, file, path, kind string }{
	{"datadog", "ddtrace/001-POST-evp_proxy_v2_api_v2_llmobs", "/evp_proxy/v2/api/v2/llmobs", "application/json"},
	{"datadog evaluation", "ddtrace/002-POST-evp_proxy_v2_api_intake_llm-obs_v2_eval-metric", "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric", "application/json"},
	{"datadog apm", "ddtrace/003-PUT-v0.4_traces", "/v0.4/traces", "application/msgpack"},
	{"langfuse", "langfuse-v3/001-POST-api_public_ingestion", "/api/public/ingestion", "application/json"},
	{"langsmith", "langsmith/002-POST-runs_multipart", "/runs/multipart", "multipart/form-data; boundary=----LangSmithFormBoundary1xt53u0ooi"},
	{"openai agents", "openai-agents/001-POST-v1_traces_ingest", "/v1/traces/ingest", "application/json"},
}

func bodyOf(tb testing.TB, file string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata/captures", file+".body.bin"))
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// folded is every step that was published, folded, by id.
func folded(t *testing.T, log *memoryLog) map[activity.StepID]activity.Layers {
	t.Helper()
	out := map[activity.StepID]activity.Layers{}
	for _, b := range log.batches(t) {
		for i := range b.Fragments {
			f := b.Fragments[i]
			out[f.Step] = out[f.Step].Add(&activity.Layer{Fragment: f})
		}
	}
	return out
}

// TestResendOfVendors holds that a body sent again, as SDKs do when an answer is
// lost, changes nothing.
func TestResendOfVendors(t *testing.T) {
	t.Parallel()
	for _, v := range ofVendors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			for range 2 {
				if w := post(in, v.path, v.kind, bodyOf(t, v.file)); w.Code/100 != 2 {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			once, onceLog := fixture(t, nil)
			post(once, v.path, v.kind, bodyOf(t, v.file))
			got, want := folded(t, log), folded(t, onceLog)
			if len(got) != len(want) {
				t.Fatalf("%d steps, once %d", len(got), len(want))
			}
			for id, layers := range want {
				if fmt.Sprintf("%+v", got[id]) != fmt.Sprintf("%+v", layers) {
					t.Errorf("step %s differs after a resend", id)
				}
			}
		})
	}
}

// TestScores holds that what vendors call scores, evaluations and feedback stands
// at the step that it is about.
func TestScores(t *testing.T) {
	t.Parallel()
	for name, about := range map[string]string{"langfuse-v3": "refund-agent", "ddtrace": "refund-agent", "ddtrace-6": "refund-agent", "langfuse": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			send(t, in, name)
			steps := map[activity.StepID]string{}
			runs := map[activity.RunID]bool{}
			var scores []activity.LogRecord
			for _, b := range log.batches(t) {
				for i := range b.Fragments {
					steps[b.Fragments[i].Step] = b.Fragments[i].Name
					runs[b.Fragments[i].Run] = true
				}
				scores = append(scores, b.Logs...)
			}
			if len(scores) != 1 || scores[0].EventName != dialect.EvaluationEvent {
				t.Fatalf("scores %+v", scores)
			}
			attributes := string(activity.AttributesJSON(nil, scores[0].Attributes))
			for _, want := range []string{`"gen_ai.evaluation.name":"csat"`, `"gen_ai.evaluation.score.value":4`} {
				if !strings.Contains(attributes, want) {
					t.Errorf("no %s in %s", want, attributes)
				}
			}
			if !runs[scores[0].Run] {
				t.Errorf("the score is of run %s, which nobody sent", scores[0].Run)
			}
			if about != "" && steps[scores[0].Step] != about {
				t.Errorf("the score is of step %q, not %q", steps[scores[0].Step], about)
			}
		})
	}
}

// TestCodingAgents reads the log records of coding agents, made after their
// documentation: a session is seen although it sends no spans.
func TestCodingAgents(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]truth{
		"claude-code": {
			Runs: 1, CallsOK: 2, CallsFailed: 1, ToolCalls: 2, Input: whole64(12 + 9000 + 1200 + 15 + 10200), CacheRead: whole64(9000 + 10200), Output: whole64(285),
			Agent: "claude-code", Session: text("5f0c"), User: text("jane@example.com"), Models: []string{"claude-sonnet-4-5"}, CacheReported: 2, Traces: 1,
		},
		"codex": {
			Runs: 1, CallsOK: 1, CallsFailed: 1, ToolCalls: 1, Input: whole64(1200), CacheRead: whole64(1000), Output: whole64(90),
			Agent: "codex_exec", Session: text("0199-conv"), User: text("acc-1"), Models: []string{"gpt-5-codex"}, CacheReported: 1, Traces: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(filepath.Join("testdata/made", name, "001-logs.json"))
			if err != nil {
				t.Fatal(err)
			}
			in, log := fixture(t, nil)
			if w := post(in, "/v1/logs", "application/json", body); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			batches := log.batches(t)
			got := tally(t, batches)
			if g, w := fmt.Sprintf("%+v", plain(got)), fmt.Sprintf("%+v", plain(want)); g != w {
				t.Errorf("got  %s\nwant %s", g, w)
			}
			kinds := map[activity.Kind]int{}
			for id, layers := range folded(t, log) {
				f := layers[0].Fragment
				kinds[f.Kind]++
				if f.Kind == activity.KindAgent && (!f.Parent.IsZero() || f.End-f.Start < 3e9) {
					t.Errorf("the turn %s has parent %s and lasts %d ns", id, f.Parent, f.End-f.Start)
				}
			}
			if kinds[activity.KindAgent] != 1 || kinds[activity.KindDecision] != 1 {
				t.Errorf("kinds %v", kinds)
			}
			if s := in.Stats(); s.Logs != 8 || s.Spans != 0 {
				t.Errorf("counted %d records and %d spans", s.Logs, s.Spans)
			}
		})
	}
}

func whole64(n int64) *int64 { return &n }
func text(s string) *string  { return &s }
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// plain is a truth without pointers, to compare and print.
func plain(t truth) string {
	return fmt.Sprint(t.Runs, t.CallsOK, t.CallsFailed, t.Embeddings, t.ToolCalls, deref(t.Input), deref(t.CacheRead), deref(t.Output), t.Agent, deref(t.Session), deref(t.User), t.Models, t.CacheReported)
}

// TestUnknownOfVendors holds that members which nobody knows are kept.
func TestUnknownOfVendors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, body string }{
		"datadog":        {"/api/v2/llmobs", `[{"spans":[{"trace_id":"7","span_id":"8","name":"x","start_ns":1795374258000000000,"duration":5,"meta":{"span.kind":"tool","novel":{"a":1}},"tags":["novel:tag"],"metrics":{"novel":2.5}}]}]`},
		"datadog public": {"/api/intake/llm-obs/v1/trace/spans", `{"data":{"type":"span","attributes":{"ml_app":"novel","spans":[{"trace_id":"7","span_id":"8","parent_id":"undefined","name":"x","start_ns":1795374258000000000,"duration":5,"meta":{"kind":"agent","novel":true}}]}}}`},
		"langfuse":       {"/api/public/ingestion", `{"batch":[{"id":"1","type":"span-create","timestamp":"2026-11-22T19:04:18Z","body":{"id":"o","traceId":"t","name":"x","startTime":"2026-11-22T19:04:18Z","novel":{"a":1}}}]}`},
		"langsmith":      {"/runs/batch", `{"post":[{"id":"r","name":"x","run_type":"tool","start_time":"2026-11-22T19:04:18Z","novel":{"a":1},"extra":{"metadata":{"novel":"y"}}}],"patch":[]}`},
		"openai agents":  {"/v1/traces/ingest", `{"data":[{"object":"trace.span","id":"span_1","trace_id":"trace_1","started_at":"2026-11-22T19:04:18Z","span_data":{"type":"function","name":"x","novel":{"a":1}}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			if w := post(in, c.path, "application/json", []byte(c.body)); w.Code/100 != 2 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			fragments := log.batches(t)[0].Fragments
			attributes := string(activity.AttributesJSON(nil, fragments[0].Attributes))
			if len(fragments) != 1 || !strings.Contains(attributes, "novel") {
				t.Errorf("lost: %s", attributes)
			}
		})
	}
}

// TestBadVendors holds what each way of sending answers to what it cannot take.
func TestBadVendors(t *testing.T) {
	t.Parallel()
	in, log := fixture(t, nil)
	many := `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{},`, 20_001), ",") + `]}`
	for _, c := range []struct {
		name, method, path, kind, body string
		code                           int
	}{
		{"no JSON", "POST", "/api/v2/llmobs", "application/json", `{`, 400},
		{"no msgpack", "PUT", "/v0.4/traces", "application/msgpack", "\xc1", 400},
		{"msgpack of something else", "PUT", "/v0.4/traces", "application/msgpack", "\x01", 400},
		{"deep msgpack", "PUT", "/v0.4/traces", "application/msgpack", strings.Repeat("\x91", 200_000), 400},
		{"no batch", "POST", "/api/public/ingestion", "application/json", `[]`, 400},
		{"too many", "POST", "/api/public/ingestion", "application/json", many, 413},
		{"no boundary", "POST", "/runs/multipart", "multipart/form-data", `x`, 400},
		{"a form that is cut", "POST", "/runs/multipart", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"post.1\"\r\n\r\n{", 400},
		{"no list of runs", "POST", "/runs/batch", "application/json", `3`, 400},
		{"feedback of nothing", "POST", "/feedback", "application/json", `{"key":"x"}`, 400},
		{"no items", "POST", "/v1/traces/ingest", "application/json", `"x"`, 400},
		{"wrong type", "POST", "/api/public/ingestion", "text/html", `{}`, 415},
		{"wrong method", "GET", "/api/public/ingestion", "", ``, 405},
		{"no such path", "POST", "/api/public/other", "application/json", `{}`, 404},
		{"key in the URL", "POST", "/api/public/ingestion?api_key=1", "application/json", `{}`, 403},
	} {
		r, err := http.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w := serve(in, r)
		var f struct{ Message string }
		if w.Code != c.code && (c.name != "key in the URL" || w.Code/100 != 4) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || !strings.HasPrefix(f.Message, "intake.") {
			t.Errorf("%s: no code in %s", c.name, w.Body)
		}
	}
	if len(log.data) > 0 {
		t.Errorf("something was kept")
	}
}

// TestEventsWithFaults holds that one bad event costs nothing but itself.
func TestEventsWithFaults(t *testing.T) {
	t.Parallel()
	in, log := fixture(t, nil)
	w := post(in, "/api/public/ingestion", "application/json", []byte(`{"batch":[
		{"id":"1","type":"span-create","timestamp":"2026-11-22T19:04:18Z","body":{"id":"o","traceId":"t","name":"good","startTime":"2026-11-22T19:04:18Z"}},
		{"id":"2","type":"span-create","timestamp":"2026-11-22T19:04:18Z","body":{"id":"p","name":"no trace"}},
		{"id":"3","type":"what-create","body":{"id":"q","traceId":"t"}},
		{"id":"4","type":"score-create","body":{"traceId":"t"}},
		{"id":"5","type":"trace-create","body":null},
		7]}`))
	var got struct {
		Successes, Errors []struct {
			ID     string
			Status int
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusMultiStatus {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if len(got.Successes) != 1 || len(got.Errors) != 5 || got.Successes[0].Status != 201 || got.Errors[0].ID != "2" {
		t.Errorf("answer %s", w.Body)
	}
	if steps := folded(t, log); len(steps) != 1 {
		t.Errorf("%d steps", len(steps))
	}
	if s := in.Stats(); s.Rejected != 5 || s.Spans != 1 {
		t.Errorf("counted %+v", s)
	}
}

// TestKeysOfVendors holds that each vendor's client may put its key where it
// puts it, and that none is let in without.
func TestKeysOfVendors(t *testing.T) {
	t.Parallel()
	keys := keyring{"good": {ID: "key_1", Team: "support"}}
	in, _ := fixture(t, func(o *Options) { o.Anonymous, o.Keys = nil, keys })
	places := [][2]string{{"Authorization", "Bearer good"}, {"x-api-key", "good"}, {"DD-API-KEY", "good"}, {"Authorization", "Basic cGs6Z29vZA=="}}
	for _, v := range ofVendors {
		if w := post(in, v.path, v.kind, bodyOf(t, v.file)); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d", v.name, w.Code)
		}
		if w := post(in, v.path, v.kind, bodyOf(t, v.file), "x-api-key", "forged"); w.Code != http.StatusUnauthorized {
			t.Errorf("%s with a forged key: %d", v.name, w.Code)
		}
		for _, p := range places {
			if w := post(in, v.path, v.kind, bodyOf(t, v.file), p[0], p[1]); w.Code/100 != 2 {
				t.Errorf("%s with %s: %d %s", v.name, p[0], w.Code, w.Body)
			}
		}
	}
}

// TestInfo holds what the clients of Datadog and LangSmith look for before they
// send.
func TestInfo(t *testing.T) {
	t.Parallel()
	in, _ := fixture(t, nil)
	r, err := http.NewRequest(http.MethodGet, "/info", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := serve(in, r)
	var got struct {
		Endpoints []string
		Batch     struct {
			Multipart bool `json:"use_multipart_endpoint"`
		} `json:"batch_ingest_config"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !slices.Contains(got.Endpoints, "/evp_proxy/v2/") || !got.Batch.Multipart {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestHostileBodies sends what once took time that grew with the square of its
// size: a list in a list in a list, an entity of many events with many members, a
// run of many parts. They are small, and so must be the work; what is asserted is
// that they are answered and kept within bounds.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000)
	var events, parts strings.Builder
	for i := range 140 {
		events.WriteString(`{"id":"e","type":"span-update","timestamp":"2026-11-22T19:04:18Z","body":{"id":"o","traceId":"t"`)
		for j := range 900 {
			fmt.Fprintf(&events, `,"k%d_%d":1`, i, j)
		}
		events.WriteString("}},")
	}
	for i := range 40_000 {
		fmt.Fprintf(&parts, "--b\r\nContent-Disposition: form-data; name=\"post.a.f%d\"\r\n\r\n1\r\n", i)
	}
	parts.WriteString("--b--\r\n")
	for _, c := range []struct{ path, kind, body string }{
		{"/v1/traces/ingest", "application/json", `{"data":[{"object":"trace.span","id":"s","trace_id":"t","started_at":"2026-11-22T19:04:18Z","span_data":{"type":"generation","input":` + deep + `}}]}`},
		{"/api/public/ingestion", "application/json", `{"batch":[{"id":"1","type":"generation-create","timestamp":"2026-11-22T19:04:18Z","body":{"id":"o","traceId":"t","startTime":"2026-11-22T19:04:18Z","input":` + deep + `}}]}`},
		{"/api/public/ingestion", "application/json", `{"batch":[` + strings.TrimSuffix(events.String(), ",") + `]}`},
		{"/runs/multipart", "multipart/form-data; boundary=b", parts.String()},
	} {
		in, log := fixture(t, nil)
		if w := post(in, c.path, c.kind, []byte(c.body)); w.Code/100 != 2 {
			t.Errorf("%s: %d %.200s", c.path, w.Code, w.Body)
		}
		for _, b := range log.batches(t) {
			for _, f := range b.Fragments {
				if n := len(activity.Attributes(f.Attributes)); n > 300 {
					t.Errorf("%s: a step with %d attributes", c.path, n)
				}
			}
		}
	}
}

// TestPathsLeavePages holds that mounting an Intake takes no page away from who
// shares the listener.
func TestPathsLeavePages(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, p := range Paths() {
		mux.HandleFunc(p, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	}
	for _, page := range []string{"/", "/runs", "/feedback", "/sources", "/decisions"} {
		r, err := http.NewRequest(http.MethodGet, page, nil)
		if err != nil {
			t.Fatal(err)
		}
		if w := serve(mux, r); w.Code != http.StatusTeapot {
			t.Errorf("GET %s is taken: %d", page, w.Code)
		}
	}
}

// FuzzVendors gives any bytes to any vendor's way of sending.
func FuzzVendors(f *testing.F) {
	all := newDoors(registry()).vendor
	paths := slices.Sorted(maps.Keys(all))
	for _, v := range ofVendors {
		f.Add(uint8(slices.Index(paths, v.path)), bodyOf(f, v.file))
	}
	w := newWorker(f)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		var out dialect.Writer
		e := all[paths[int(which)%len(paths)]][0]
		r := dialect.Request{Header: http.Header{}, Params: map[string]string{"boundary": "----LangSmithFormBoundary1xt53u0ooi"}, Body: bytes.Clone(body), Now: at.UnixNano()}
		reply, err := e.Take(&out, &r)
		if err != nil {
			return
		}
		if len(reply.Body) > 0 && !json.Valid(reply.Body) {
			t.Fatalf("the answer is no JSON: %s", reply.Body)
		}
		for s, request := range map[signal][]byte{traces: out.Traces(), logs: out.Logs()} {
			if request == nil {
				continue
			}
			if err := w.n.run(s, request, at, dev); err != nil {
				t.Fatalf("what we wrote we cannot read: %v", err)
			}
			if w.n.rejected > 0 {
				t.Fatalf("what we wrote we refuse: %v", w.n.reasons)
			}
			check(t, &w.n)
		}
	})
}

// cpu is the process's own time: other work on the machine does not count.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for oneself
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkVendors compares the wire formats: cpu-ns/step is the figure, otlp-json
// the floor for those that are JSON. The steps are those of the captures.
func BenchmarkVendors(b *testing.B) {
	floor := append([]struct{ name, file, path, kind string }{
		{"otlp protobuf", "vercel-ai-v5/001-POST-v1_traces", "/v1/traces", protobuf},
		{"otlp json", "otel-genai-json/001-POST-v1_traces", "/v1/traces", "application/json"},
		{"langfuse otlp", "langfuse/001-POST-api_public_otel_v1_traces", "/api/public/otel/v1/traces", "application/json"},
	}, ofVendors...)
	for _, v := range floor {
		b.Run(v.name, func(b *testing.B) {
			in, log := fixture(b, nil)
			body := bodyOf(b, v.file)
			b.SetBytes(int64(len(body)))
			before := cpu()
			for b.Loop() {
				log.data = log.data[:0]
				if w := post(in, v.path, v.kind, body); w.Code/100 != 2 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			s := in.Stats()
			if n := s.Spans + s.Logs; n > 0 {
				b.ReportMetric(float64(cpu()-before)/float64(n), "cpu-ns/step")
				b.ReportMetric(float64(cpu()-before)*1024/float64(b.N*len(body)), "cpu-ns/kB")
			}
		})
	}
}
