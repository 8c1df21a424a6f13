package alerts

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/fault"
)

var update = flag.Bool("update", false, "rewrite what is wanted")

// now is when all examples arrive.
var now = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

// example is one file of testdata.
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
	if err != nil || len(files) < 20 {
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
			data := strings.TrimSpace(string(f.Data))
			switch f.Name {
			case "kind":
				x.kind = data
			case "path":
				x.request.Path = data
			case "query":
				if x.request.Query, err = url.ParseQuery(data); err != nil {
					t.Fatal(err)
				}
			case "headers":
				for _, line := range strings.Split(data, "\n") {
					name, value, _ := strings.Cut(line, ":")
					x.request.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
				}
			case "body":
				x.request.Body = f.Data
			case "mapping":
				var m client.AlertMapping
				if err := json.Unmarshal(f.Data, &m); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				program, problems := Compile(&m)
				if len(problems) > 0 {
					t.Fatalf("%s: %v", file, problems)
				}
				x.request.Mapping = program
			case "want":
				x.want = string(f.Data)
			}
		}
		out = append(out, x)
	}
	return out
}

// golden is a report as the files show it.
type golden struct {
	Key      string            `json:"key"`
	State    string            `json:"state"`
	Severity string            `json:"severity"`
	Title    string            `json:"title"`
	Text     string            `json:"text,omitempty"`
	Labels   map[string]string `json:"labels"`
	Links    []alert.Link      `json:"links,omitempty"`
	At       string            `json:"at,omitempty"`
	Started  string            `json:"started,omitempty"`
	Expires  string            `json:"expires,omitempty"`
	Ack      string            `json:"ack,omitempty"`
	By       string            `json:"by,omitempty"`
	Note     string            `json:"note,omitempty"`
	Raw      int               `json:"raw_bytes"`
}

func show(reports []alert.Report, err error) string {
	if err != nil {
		f := fault.From(err)
		return "refused: " + f.Code + ": " + f.Message + "\n"
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339Nano)
	}
	out := []golden{}
	for _, r := range reports {
		out = append(out, golden{r.Key, r.State, r.Severity, r.Title, r.Text, r.Labels, r.Links, at(r.At), at(r.Started), at(r.Expires), r.Ack, r.By, r.Note, len(r.Raw)})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(out); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for _, x := range examples(t) {
		rec, ok := Receivers[x.kind]
		if !ok {
			t.Errorf("%s: no receiver %q", x.file, x.kind)
			continue
		}
		reports, err := rec.Read(&x.request)
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
		for i := range reports {
			if err := reports[i].Check(); err != nil && !strings.HasPrefix(got, "refused") {
				t.Errorf("%s: %v", x.file, err)
			}
		}
	}
}

// Every kind has an example that is taken.
func TestEveryKindHasExamples(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, x := range examples(t) {
		if !strings.HasPrefix(x.want, "refused") && strings.Contains(x.want, `"key"`) {
			seen[x.kind] = true
		}
	}
	for kind := range Receivers {
		if !seen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// The fingerprint is Prometheus's own: values from its model package.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{map[string]string{}, "cbf29ce484222325"},
		{map[string]string{"name": "garland, briggs", "fear": "love is not enough"}, fmt.Sprintf("%016x", uint64(5799056148416392346))},
		{map[string]string{"name": "garland, briggs", "fear": "love is not enough", "empty": ""}, fmt.Sprintf("%016x", uint64(5799056148416392346))},
	} {
		if got := fingerprint(c.labels); got != c.want {
			t.Errorf("%v: %s, want %s", c.labels, got, c.want)
		}
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		m     client.AlertMapping
		field string
	}{
		{"nothing", client.AlertMapping{}, "key"},
		{"a syntax error", client.AlertMapping{Title: "body.("}, "title"},
		{"an unknown name", client.AlertMapping{Title: "bdy.x"}, "title"},
		{"an unknown function", client.AlertMapping{Title: "body.x.exec()"}, "title"},
		{"too long", client.AlertMapping{Title: "'" + strings.Repeat("x", 5000) + "'"}, "title"},
		{"too deep", client.AlertMapping{Title: strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500)}, "title"},
	} {
		_, problems := Compile(&c.m)
		if len(problems) == 0 || problems[0].Field != c.field || problems[0].Message == "" {
			t.Errorf("%s: %+v", c.name, problems)
		}
		if err := CheckMapping(&c.m); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		name, body string
		m          client.AlertMapping
		field      string
	}{
		{"each is no list", `{}`, client.AlertMapping{Each: "1", Title: "'x'"}, "each"},
		{"when is no bool", `{}`, client.AlertMapping{When: "1", Title: "'x'"}, "when"},
		{"labels are no map", `{}`, client.AlertMapping{Title: "'x'", Labels: "[1]"}, "labels"},
		{"title is a list", `{}`, client.AlertMapping{Title: "[1]"}, "title"},
		{"no time", `{}`, client.AlertMapping{Title: "'x'", At: "'soon'"}, "at"},
		{"an empty key and title", `{}`, client.AlertMapping{Title: "''"}, "key"},
		// What would take minutes ends at its cost.
		{"costly", `{"l":[` + strings.Repeat("1,", 3000) + `1]}`, client.AlertMapping{Title: "string(body.l.map(a, body.l.map(b, body.l.map(c, a)).size()).size())"}, "title"},
	} {
		program, problems := Compile(&c.m)
		if len(problems) > 0 {
			t.Errorf("%s: %+v", c.name, problems)
			continue
		}
		_, err := anyJSON(&Request{Body: []byte(c.body), Now: now, Header: http.Header{}, Mapping: program})
		if !fault.Is(err, fault.KindInvalid) || ProblemOf(err).Field != c.field {
			t.Errorf("%s: %v (field %q)", c.name, err, ProblemOf(err).Field)
		}
	}
	// A secret of the request becomes no label.
	program, _ := Compile(&client.AlertMapping{Title: "'x'", Labels: "headers"})
	got, err := anyJSON(&Request{Body: []byte(`{}`), Now: now, Header: http.Header{"Authorization": {"Bearer s"}, "X-Reeve-Token": {"s"}, "X-Other": {"o"}}, Mapping: program})
	if err != nil || len(got[0].Labels) != 1 || got[0].Labels["x-other"] != "o" {
		t.Errorf("%v, %v", got, err)
	}
	// When: what is no alert is taken and nothing comes of it.
	program, _ = Compile(&client.AlertMapping{Title: "body.t", When: "has(body.t)"})
	if got, err := anyJSON(&Request{Body: []byte(`{}`), Now: now, Mapping: program}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 1, 5, 59, 0, 0, time.UTC)
	for _, s := range []string{"2026-11-01T05:59:00Z", "2026-11-01T06:59:00+01:00", "2026-11-01T06:59:00+0100", "2026-11-01 05:59:00", "1793512740", "1793512740.000", "1793512740000", "1793512740000000", "1793512740000000000"} {
		if got := timeOf(s); !got.Equal(want) {
			t.Errorf("%s: %s", s, got)
		}
	}
	for _, s := range []string{"", "0", "-1", "NaN", "1e400", "0001-01-01T00:00:00Z", "soon", "12"} {
		if got := timeOf(s); !got.IsZero() {
			t.Errorf("%q: %s, want none", s, got)
		}
	}
}

// Whatever arrives, no receiver panics, and what it gives fits an alert or is
// refused as such.
func FuzzReceivers(f *testing.F) {
	for _, x := range examples(f) {
		f.Add(x.kind, x.request.Path, x.request.Header.Get("Content-Type"), x.request.Body)
	}
	f.Fuzz(func(t *testing.T, kind, path, contentType string, body []byte) {
		rec, ok := Receivers[kind]
		if !ok {
			return
		}
		program, _ := Compile(&client.AlertMapping{Title: "body.title", Labels: "body.labels"})
		for _, m := range []*Program{nil, program} {
			reports, err := rec.Read(&Request{Header: http.Header{"Content-Type": {contentType}, "Ce-Specversion": {"1.0"}}, Path: path, Body: body, Now: now, Mapping: m})
			if err != nil {
				if f := fault.From(err); f.Kind != fault.KindInvalid {
					t.Errorf("%v", err)
				}
				continue
			}
			for i := range reports {
				if err := reports[i].Check(); err != nil {
					t.Errorf("%s gives a report that is none: %+v: %v", kind, reports[i], err)
				}
			}
		}
	})
}
