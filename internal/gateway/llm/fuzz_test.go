package llm

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// seeds are the files of a folder of cases by their dialect.
func seeds(f *testing.F, dir string, each func(dialect string, in map[string][]byte)) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		in := map[string][]byte{}
		for _, x := range a.Files {
			in[x.Name] = x.Data
		}
		dialect, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txtar"), "-")
		each(dialect, in)
	}
}

func FuzzPropose(f *testing.F) {
	seeds(f, "propose", func(dialect string, in map[string][]byte) {
		for name, text := range in {
			if c := parseCall(dialect, text); !strings.HasSuffix(name, ".want") {
				f.Add(dialect, c.Method, c.Path, c.Body)
			}
		}
	})
	f.Fuzz(func(t *testing.T, dialect, method, path string, body []byte) {
		if dialects[dialect] == nil {
			return
		}
		c := &gateway.Call{Upstream: up(dialect), Method: method, Path: path, Body: body, Request: &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}}
		whole := bytes.Clone(body)
		p, err := protocol().Propose(c)
		if !bytes.Equal(whole, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if f := fault.From(err); !strings.HasPrefix(f.Code, "llm.") {
				t.Fatalf("code %s", f.Code)
			}
			return
		}
		if p.Action != "call_model" || p.Resource.Type != "Model" || p.Model == nil || p.MaxInput < activity.Unknown || p.MaxOutput < activity.Unknown {
			t.Fatalf("a proposal without meaning: %+v", p)
		}
		if len(body) > 0 && (!json.Valid(body) || !utf8.Valid(body)) {
			t.Fatalf("a broken body passes: %q", body)
		}
		if p.MaxInput > 0 && p.MaxInput < int64(len(body)) {
			t.Fatalf("%d bytes are at most %d tokens", len(body), p.MaxInput)
		}
		// What the simplest of readers takes for the model is what was decided on.
		var simple struct{ Model any }
		if json.Unmarshal(body, &simple) == nil && dialect == "openai" && method == "POST" {
			if name, _ := simple.Model.(string); name != p.Resource.Name {
				t.Fatalf("model %q was read as %q", name, p.Resource.Name)
			}
		}
	})
}

// FuzzAnswer holds for any bytes of an answer: without a judge they pass as they
// are; with one who allows all, they do or the call ends; however they are cut,
// it is the same; and no call passes a judge who refuses.
func FuzzAnswer(f *testing.F) {
	seeds(f, "answer", func(dialect string, in map[string][]byte) {
		c := parseCall(dialect, in["request"])
		head, text, _ := bytes.Cut(in["answer"], []byte("\n"))
		code, kind, _ := strings.Cut(string(head), " ")
		status, err := strconv.Atoi(code)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(dialect, c.Path, c.Body, status, kind, stream(kind, strings.Contains(c.Path, "/invoke"), text), uint16(7))
	})
	f.Fuzz(func(t *testing.T, dialect, path string, request []byte, status int, kind string, body []byte, at uint16) {
		if dialects[dialect] == nil || len(body) > 1<<16 {
			return
		}
		c := &gateway.Call{Upstream: up(dialect), Method: "POST", Path: path, Body: request, Request: &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}}
		p, err := protocol().Propose(c)
		if err != nil {
			return
		}
		run := func(judge gateway.Judge, cuts []int) (string, gateway.Facts, error) {
			a := p.Answer(status, http.Header{"Content-Type": {kind}}, judge)
			return fed(a, body, cuts)
		}
		var cuts []int
		for i := int(at)%97 + 1; i < len(body); i += int(at)%97 + 1 {
			cuts = append(cuts, i)
		}
		out, facts, err := run(nil, nil)
		if out != string(body) || err != nil {
			t.Fatalf("without a judge %q became %q (%v)", body, out, err)
		}
		if again, cutFacts, _ := run(nil, cuts); again != out || shownFacts(cutFacts, nil) != shownFacts(facts, nil) {
			t.Fatalf("cut at %v: %s\nwhole: %s", cuts, shownFacts(cutFacts, nil), shownFacts(facts, nil))
		}
		asked := 0
		out, _, err = run(func(gateway.ToolCall) *fault.Error { asked++; return nil }, nil)
		if err == nil && out != string(body) && !sameBytes(out, string(body)) && !bytes.Contains(body, []byte("ontinue")) && !bytes.Contains(body, []byte("artial")) {
			t.Fatalf("with a judge who allows %q became %q", body, out)
		}
		again, _, cutErr := run(denying(), cuts)
		if (err == nil) != (cutErr == nil) || err == nil && again != out {
			t.Fatalf("with a judge, cut at %v: %q (%v)\nwhole: %q (%v)", cuts, again, cutErr, out, err)
		}
		refused, _, err := run(denying("*"), nil)
		if err != nil {
			return
		}
		// What went on is read again: nobody may find a call in it.
		a := p.Answer(status, http.Header{"Content-Type": {kind}}, denying())
		if _, facts, err := fed(a, []byte(refused), nil); err != nil || len(facts.ToolCalls) > 0 && asked > 0 && !bytes.Contains(body, []byte("artial")) && !bytes.Contains(body, []byte("ontinue")) {
			t.Fatalf("of %q went on %q, which is read as %v (%v)", body, refused, facts.ToolCalls, err)
		}
	})
}

// sameBytes says whether two streams have the same bytes: events may overtake.
func sameBytes(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return bytes.Equal(x, y)
}

func fed(a gateway.Answer, body []byte, cuts []int) (string, gateway.Facts, error) {
	var out []byte
	at := 0
	for _, end := range append(cuts, len(body)) {
		if end <= at {
			continue
		}
		piece := bytes.Clone(body[at:end])
		got, err := a.Next(piece)
		out = append(out, got...)
		for i := range piece {
			piece[i] = 'x' // the door uses its buffers again
		}
		if at = end; err != nil {
			_, facts := a.End(err)
			return string(out), facts, err
		}
	}
	rest, facts := a.End(nil)
	out = append(out, rest...)
	if facts.Fault != nil {
		return string(out), facts, facts.Fault
	}
	return string(out), facts, nil
}
