package changes

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"reeve/internal/change"
	"reeve/internal/fault"
)

var update = flag.Bool("update", false, "rewrite what is wanted")

// now is when all examples arrive.
var now = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

type example struct {
	file    string
	archive *txtar.Archive
	kind    string
	request Request
	want    string
}

func examples(t testing.TB) []example {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	var out []example
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x := example{file: file, archive: a, request: Request{Header: http.Header{}, Now: now}}
		for _, f := range a.Files {
			text := strings.TrimSpace(string(f.Data))
			switch f.Name {
			case "kind":
				x.kind = text
			case "branches":
				x.request.Branches = strings.Split(text, ",")
			case "headers":
				for _, line := range strings.Split(text, "\n") {
					name, value, _ := strings.Cut(line, ":")
					x.request.Header.Set(name, strings.TrimSpace(value))
				}
			case "body":
				x.request.Body = f.Data
			case "want":
				x.want = string(f.Data)
			}
		}
		out = append(out, x)
	}
	return out
}

func show(reports []change.Report, err error) string {
	if err != nil {
		f := fault.From(err)
		return "refused: " + f.Code + ": " + f.Message + "\n"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if reports == nil {
		reports = []change.Report{}
	}
	if err := e.Encode(reports); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestExamples(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, x := range examples(t) {
		reports, err := Receivers[x.kind](&x.request)
		seen[x.kind] = seen[x.kind] || len(reports) > 0
		got := show(reports, err)
		if *update {
			files := x.archive.Files[:0:0]
			for _, f := range x.archive.Files {
				if f.Name != "want" {
					files = append(files, f)
				}
			}
			x.archive.Files = append(files, txtar.File{Name: "want", Data: []byte(got)})
			if err := os.WriteFile(x.file, txtar.Format(x.archive), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.file, diff)
		}
	}
	for kind := range Receivers {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// Whatever arrives, no receiver panics, and each report names its kind and has a
// title and a key.
func FuzzReceivers(f *testing.F) {
	for _, x := range examples(f) {
		f.Add(x.kind, x.request.Header.Get("X-GitHub-Event"), x.request.Body)
	}
	f.Fuzz(func(t *testing.T, kind, event string, body []byte) {
		read, ok := Receivers[kind]
		if !ok {
			return
		}
		reports, err := read(&Request{Header: http.Header{"X-Github-Event": {event}}, Body: body, Now: now})
		if err != nil {
			if !fault.Is(err, fault.KindInvalid) {
				t.Error(err)
			}
			return
		}
		for _, r := range reports {
			if r.Key == "" || r.Title == "" || r.Kind == "" {
				t.Errorf("%s gives %+v", kind, r)
			}
		}
	})
}
