package intake

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"testing"
	"time"
)

// TestRealClients runs unmodified third-party clients against the doors: set
// REEVE_CLIENTS to a folder with their drivers and run.sh, installed. The story
// they tell is that of the captures.
func TestRealClients(t *testing.T) {
	folder := os.Getenv("REEVE_CLIENTS")
	if folder == "" {
		t.Skip("REEVE_CLIENTS names no folder of drivers")
	}
	raw, err := os.ReadFile("testdata/captures/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]truth
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, driver, env, truth, file string }{
		{"protobuf", "otel-genai", "", "otel-genai", "driver.mjs"},
		{"json", "otel-genai", "OTLP=json", "otel-genai-json", "driver.mjs"},
		{"grpc", "otel-genai", "OTLP=grpc", "otel-genai-grpc", "driver.mjs"},
		{"openinference", "openinference", "", "openinference", "driver.mjs"},
		{"traceloop", "traceloop", "", "traceloop", "driver.mjs"},
		{"langgraph", "langgraph", "", "langgraph-openinference", "driver.mjs"},
		{"langsmith", "langgraph", "TRACE=langsmith", "langsmith", "driver.mjs"},
		{"vercel", "vercel-ai-v5", "", "vercel-ai-v5", "driver.mjs"},
		{"langfuse", "langfuse", "", "langfuse", "driver.mjs"},
		{"langfuse v3", "langfuse-v3", "", "langfuse-v3", "driver.mjs"},
		{"openai agents", "openai-agents", "", "openai-agents", "driver.mjs"},
		{"datadog", "ddtrace", "", "ddtrace", "driver.cjs"},
		{"datadog 6", "ddtrace6", "", "ddtrace-6", "driver.cjs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, log := fixture(t, func(o *Options) { o.Now = time.Now })
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := &http.Server{Handler: in, ReadHeaderTimeout: 5 * time.Second}
			go server.Serve(l)
			defer server.Close()
			conn := dial(t, in)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, filepath.Join(folder, "run.sh"), c.driver, c.file)
			cmd.Env = append(os.Environ(), "PRODUCT=http://"+l.Addr().String(), "PRODUCT_GRPC=http://"+conn.Target(), "DRIVER_ENV="+c.env, "OUT="+t.TempDir())
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
			got, want := tally(t, log.batches(t)), all[c.truth]
			if gap := gaps[c.truth]; gap != nil {
				gap(&got, &want)
			}
			sort.Strings(want.Models)
			g, _ := json.MarshalIndent(got, "", " ")
			w, _ := json.MarshalIndent(want, "", " ")
			if string(g) != string(w) {
				t.Errorf("got %s\nwant %s", g, w)
			}
			t.Logf("%+v", in.Stats())
		})
	}
}
