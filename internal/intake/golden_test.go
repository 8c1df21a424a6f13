package intake

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden holds every field that the table fills in from the captures: a
// change of the map shows here line by line (and raises dialect.MapVersion).
func TestGolden(t *testing.T) {
	t.Parallel()
	bodies, err := filepath.Glob("testdata/captures/*/*.body.bin")
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	folders := map[string]bool{}
	for name := range madeAt {
		folders[filepath.Join("testdata/made", name)] = true
	}
	for _, body := range bodies {
		folders[filepath.Dir(body)] = true
	}
	for folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			if _, made := madeAt[filepath.Base(folder)]; made {
				sendMade(t, in, filepath.Base(folder))
			} else {
				send(t, in, filepath.Base(folder))
			}
			var got bytes.Buffer
			for _, b := range log.batches(t) {
				for i := range b.Fragments {
					dump(&got, &b.Fragments[i])
				}
				for _, l := range b.Logs {
					fmt.Fprintf(&got, "log %s step=%s severity=%d agent=%s body=%q attributes=%s\n", l.EventName, l.Step, l.Severity, l.Agent, l.Body, activity.AttributesJSON(nil, l.Attributes))
				}
				for _, m := range b.Metrics {
					fmt.Fprintf(&got, "metric %s %s unit=%s value=%g count=%d agent=%s attributes=%s\n", m.Name, m.Type, m.Unit, m.Value, m.Count, m.Agent, activity.AttributesJSON(nil, m.Attributes))
				}
			}
			file := filepath.Join(folder, "want.txt")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("-want +got (rewrite with -update):\n%s", d)
			}
		})
	}
}

// madeAt is where bodies that were made after documentation are sent: their file
// and their path.
var madeAt = map[string][2]string{
	"claude-code": {"001-logs.json", "/v1/logs"}, "codex": {"001-logs.json", "/v1/logs"},
	"copilot-studio": {"001-rows.json", "/v1/copilot-studio/transcripts"}, "bedrock-logs": {"001-records.jsonl", "/v1/bedrock/invocations"},
}

func sendMade(t *testing.T, in *Intake, name string) {
	t.Helper()
	at := madeAt[name]
	body, err := os.ReadFile(filepath.Join("testdata/made", name, at[0]))
	if err != nil {
		t.Fatal(err)
	}
	if w := post(in, at[1], "application/json", body); w.Code/100 != 2 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// dump writes what a fragment says, without what is unknown.
func dump(w *bytes.Buffer, f *activity.Fragment) {
	fmt.Fprintf(w, "%s %s %q step=%s parent=%s run=%s %d..%d", f.Kind, f.Status, f.Name, f.Step, f.Parent, f.Run, f.Start, f.End)
	for _, kv := range [][2]string{
		{"agent", f.Agent},
		{"agent_id", f.AgentID},
		{"version", f.AgentVersion},
		{"service", f.Service},
		{"environment", f.Environment},
		{"task", f.Task},
		{"run_name", f.RunName},
		{"session", f.Session},
		{"user", f.User},
		{"mode", f.Mode},
		{"outcome", f.Outcome},
		{"provider", f.Provider},
		{"requested", f.ModelRequested},
		{"model", f.Model},
		{"response", f.ResponseID},
		{"finish", f.FinishReason},
		{"tool", f.ToolName},
		{"call", f.ToolCallID},
		{"error", f.ErrorType},
		{"message", f.StatusMessage},
		{"dialect", f.Dialect},
		{"scope", f.Scope},
		{"scope_version", f.ScopeVersion},
	} {
		if kv[1] != "" {
			fmt.Fprintf(w, " %s=%q", kv[0], kv[1])
		}
	}
	if f.Usage != activity.NoUsage {
		fmt.Fprintf(w, " usage=%+v", f.Usage)
	}
	fmt.Fprintf(w, " flags=%v only_content=%t\n", f.Flags.Names(), f.OnlyContent)
	for _, l := range f.Labels {
		fmt.Fprintf(w, "  label %s=%q\n", l.Key, l.Value)
	}
	for _, c := range f.Contents {
		fmt.Fprintf(w, "  %s %s from=%s order=%d %s\n", c.Field, c.Format, c.From, c.Order, c.Raw)
	}
	if len(f.Attributes) > 0 {
		fmt.Fprintf(w, "  attributes %s\n", activity.AttributesJSON(nil, f.Attributes))
	}
}
