package examples_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The files to copy are what they are for: a hook that blocks when it fails, and
// proxies that let nothing through undecided.
func TestPointFiles(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("points", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var settings struct {
		Hooks map[string][]struct {
			Hooks []struct {
				Type, URL, OnFailure string
				Timeout              int
				Headers              map[string]string
				AllowedEnvVars       []string
			}
		}
	}
	if err := json.Unmarshal(read("claude-settings.json"), &settings); err != nil {
		t.Fatal(err)
	}
	// `reeve run --listen` has the address that the file names.
	if doc, err := os.ReadFile("../docs/decision-points.md"); err != nil || !strings.Contains(string(doc), "--listen 127.0.0.1:7391 -- claude") {
		t.Errorf("the page does not start Claude Code at the file's address: %v", err)
	}
	for _, event := range []string{"PreToolUse", "PostToolUse", "PostToolUseFailure"} {
		h := settings.Hooks[event][0].Hooks[0]
		if h.Type != "http" || !strings.HasPrefix(h.URL, "http://127.0.0.1:7391/hooks/claude-code") || !strings.Contains(h.Headers["Authorization"], "$REEVE_AGENT_KEY") || len(h.AllowedEnvVars) != 2 {
			t.Errorf("%s: %+v", event, h)
		}
		if event == "PreToolUse" && (h.OnFailure != "block" || h.Timeout*1000 <= 20_000) {
			t.Errorf("%s does not block when it fails, or ends before its wait: %+v", event, h)
		}
	}
	for name, must := range map[string]string{"envoy.yaml": "failure_mode_allow: false", "agentgateway.yaml": "failureMode: deny"} {
		text := read(name)
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(string(text), must) {
			t.Errorf("%s lets through what was not decided", name)
		}
	}
}
