package fleet

import (
	"encoding/json"
	"net/url"
	"os"
	"path"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"reeve/internal/agent"
)

// cyclonedx is the published schema of CycloneDX 1.6 with what it refers to.
func cyclonedx(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	load := func(name string) *jsonschema.Schema {
		raw, err := os.ReadFile("testdata/cyclonedx/" + name)
		if err != nil {
			t.Fatal(err)
		}
		s := &jsonschema.Schema{}
		if err := json.Unmarshal(raw, s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, err := load("bom-1.6.schema.json").Resolve(&jsonschema.ResolveOptions{
		Loader: func(u *url.URL) (*jsonschema.Schema, error) { return load(path.Base(u.Path)), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCycloneDXIsValid(t *testing.T) {
	t.Parallel()
	schema := cyclonedx(t)
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	a := &agent.Agent{Name: "refund", Team: "core", Environment: "production", Purpose: "gives money back", Lifecycle: "pilot", Autonomy: "bounded", Owner: "ann"}
	inv := Inventory{Agent: "refund", Left: 2}
	for _, kind := range itemKinds {
		inv.Parts = append(inv.Parts, Part{Kind: kind, Name: "a " + kind, Detail: "of it", Known: kind == KindModel, FirstSeen: at, LastSeen: at, Seen: 3, Run: "run_x"},
			Part{Kind: kind, Name: "\"quoted\" & <odd> " + kind})
	}
	inv.Parts = append(inv.Parts, inv.Parts[0]) // twice: a reference must be unique
	check := func(name string, bom map[string]any) {
		t.Helper()
		raw, err := json.Marshal(bom)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	full := CycloneDX(a, inv, "0123456789abcdef", "1.0", at)
	check("everything", full)
	check("nothing", CycloneDX(a, Inventory{Agent: "refund"}, "", "", at))
	if n := len(full["components"].([]any)) + len(full["services"].([]any)); n != 2*len(itemKinds) {
		t.Errorf("%d parts in the bill, want %d", n, 2*len(itemKinds))
	}
	if again := CycloneDX(a, inv, "0123456789abcdef", "1.0", at.Add(time.Hour)); again["serialNumber"] != full["serialNumber"] {
		t.Error("the serial number depends on the clock")
	}
	// The schema refuses what is none: the check can fail.
	full["specVersion"] = "one"
	full["components"].([]any)[0].(map[string]any)["type"] = "robot"
	raw, _ := json.Marshal(full)
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if schema.Validate(v) == nil {
		t.Error("the schema takes a component of type robot")
	}
}
