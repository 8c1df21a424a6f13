package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files")

func TestGeneratedFiles(t *testing.T) {
	t.Parallel()
	source, err := ClientSource()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{"../../docs/openapi.json": OpenAPI(), "../../client/operations.go": source} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from the table (%v): run go test ./internal/api -run TestGeneratedFiles -update", path, err)
		}
	}
}

func TestOpenAPIRefersToWhatItHas(t *testing.T) {
	t.Parallel()
	var doc struct {
		Components struct {
			Schemas map[string]map[string]any
		}
	}
	raw := OpenAPI()
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(raw), `"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if doc.Components.Schemas[name]["type"] != "object" {
			t.Errorf("schema %s is referred to and not there", name)
		}
	}
	required, _ := json.Marshal(doc.Components.Schemas["Step"]["required"])
	if strings.Contains(string(required), "run_id") || !strings.Contains(string(required), "start_ns") {
		t.Errorf("a step requires %s; light rows have no run_id and always start_ns", required)
	}
}
