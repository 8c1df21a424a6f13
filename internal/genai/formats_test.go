package genai

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestParse reads testdata/*.txtar: files come in pairs, NAME.FORMAT and
// NAME.want. The format's dot is a dash in the name.
func TestParse(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out txtar.Archive
		out.Comment = a.Comment
		wants := map[string]string{}
		for _, f := range a.Files {
			if name, ok := strings.CutSuffix(f.Name, ".want"); ok {
				wants[name] = string(f.Data)
			}
		}
		for _, f := range a.Files {
			name, format, _ := strings.Cut(f.Name, ".")
			if format == "want" {
				continue
			}
			format = strings.ReplaceAll(format, "-", ".")
			got := golden(format, bytes.TrimSpace(f.Data))
			if got != wants[name] && !*update {
				t.Errorf("%s: %s: got\n%swant\n%s", file, name, got, wants[name])
			}
			out.Files = append(out.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(&out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// golden is what Parse makes of raw, as JSON without empty fields.
func golden(format string, raw []byte) string {
	m, err := Parse(format, raw)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	// Role is cheap and may not know (LangChain's role is the name of a class).
	if r := Role(format, raw); r != "" && r != m.Role {
		return "Role says " + r + ", Parse says " + m.Role + "\n"
	}
	var b bytes.Buffer
	b.WriteString("role=" + m.Role)
	if m.Name != "" {
		b.WriteString(" name=" + m.Name)
	}
	if m.FinishReason != "" {
		b.WriteString(" finish=" + m.FinishReason)
	}
	b.WriteString("\n")
	for _, p := range m.Parts {
		b.WriteString("- " + p.Type)
		for _, kv := range [][2]string{{"id", p.ID}, {"name", p.Name}, {"text", p.Text}, {"arguments", p.Arguments}, {"mime", p.MimeType}, {"uri", p.URI}, {"data", p.Data}} {
			if kv[1] != "" {
				b.WriteString(" " + kv[0] + "=" + kv[1])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestParseRefusesWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, format := range []string{Messages, OpenAI, OpenInference, Parts, Tools, Documents, JSON} {
		if _, err := Parse(format, []byte(`{"role":`)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", format, err)
		}
	}
	for _, format := range []string{Text, "of the next release"} {
		if m, err := Parse(format, []byte(`{"role":`)); err != nil || m.Parts[0].Text != `{"role":` {
			t.Errorf("%s: %+v, %v", format, m, err)
		}
	}
}

func TestRoleAllocatesNothing(t *testing.T) {
	raw := []byte(`{"content":"` + strings.Repeat("x", 1000) + `","role":"assistant"}`)
	if n := testing.AllocsPerRun(100, func() {
		if Role(Messages, raw) != "assistant" {
			t.Fatal("wrong role")
		}
	}); n != 0 {
		t.Errorf("%.0f allocations, want 0", n)
	}
}

// FuzzParse: nothing panics, what is JSON is read, and Role agrees with Parse
// wherever the message's own keys are not repeated.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range a.Files {
			f.Add(bytes.TrimSpace(c.Data))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, format := range []string{Messages, Parts, Events, Tools, Documents, OpenAI, Anthropic, OpenInference, OpenInferenceTools, Traceloop, JSON, Text} {
			_, err := Parse(format, raw)
			if err != nil && json.Valid(raw) {
				t.Fatalf("%s: %v for valid JSON %s", format, err, raw)
			}
			Role(format, raw)
		}
	})
}
