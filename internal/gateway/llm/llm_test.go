package llm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
	"reeve/internal/upstream"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var today = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func protocol() *Protocol { return New(func() time.Time { return today }) }

// up is an upstream of a dialect, with rules that the cases use.
func up(dialect string) *upstream.Upstream {
	gone := today.Add(-time.Hour)
	u := &upstream.Upstream{Upstream: client.Upstream{Name: "up", Kind: "llm", Dialect: dialect, URL: "https://llm.example.com", Team: "core", External: true, Region: "eu", Classes: []string{"internal"}}}
	if dialect == "openai" {
		u.Models = []client.ModelRule{
			{Name: "*"}, {Name: "gpt-4o*", MaxOutput: 16384, Classes: []string{"pii"}}, {Name: "gpt-3.5", Deprecated: &gone, Region: "us"},
		}
	}
	return u
}

// parseCall reads METHOD PATH, then header lines, then the body.
func parseCall(dialect string, text []byte) *gateway.Call {
	head, body, _ := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	path, query, _ := strings.Cut(target, "?")
	h := http.Header{}
	if method == http.MethodPost {
		h.Set("Content-Type", "application/json")
	}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ": ")
		h.Set(k, v)
	}
	return &gateway.Call{
		Upstream: up(dialect), Method: method, Path: path, Query: query, Body: bytes.TrimSuffix(body, []byte("\n")), Request: &http.Request{Header: h},
	}
}

func shownProposal(p *gateway.Proposal, err error) string {
	var b strings.Builder
	if err != nil {
		f := fault.From(err)
		fmt.Fprintf(&b, "fault %s %s: %s; %s\n", f.Kind, f.Code, f.Message, f.Hint)
		if p == nil {
			return b.String()
		}
	}
	r := p.Resource
	fmt.Fprintf(&b, "%s %q kind=%s\n", p.Action, p.Name, p.Kind)
	fmt.Fprintf(&b, "resource %s provider=%s region=%s classes=%v deprecated=%v effect=%s\n", r.ID, r.Provider, r.Region, r.Classes, r.Deprecated, r.Effect)
	fmt.Fprintf(&b, "input=%d output=%d tokens=%d streams=%v\n", p.MaxInput, p.MaxOutput, p.MaxTokens, p.Streams)
	if p.Model != nil {
		fmt.Fprintf(&b, "endpoint=%s max_output=%d tools=%q hosted=%q\n", p.Model.Endpoint, p.Model.MaxOutput, p.Model.Tools, p.Model.HostedTools)
	}
	showContents(&b, p.Contents)
	for _, t := range p.ToolResults {
		fmt.Fprintf(&b, "result %s %s %q\n", t.CallID, t.Name, t.Text)
	}
	return b.String()
}

// showContents shows contents as the run page reads them.
func showContents(b *strings.Builder, list []activity.Content) {
	for _, c := range list {
		fmt.Fprintf(b, "%s %s\n", c.Field, c.Format)
		one := func(raw []byte) bool {
			m, err := genai.Parse(c.Format, raw)
			if err != nil {
				fmt.Fprintf(b, "  broken: %v\n", err)
				return true
			}
			fmt.Fprintf(b, "  %s %s\n", m.Role, m.FinishReason)
			for _, p := range m.Parts {
				fmt.Fprintf(b, "  - %s\n", strings.TrimSpace(strings.Join([]string{p.Type, p.ID, p.Name, p.Text, p.Arguments, p.URI, p.Data}, " ")))
			}
			return true
		}
		if strings.HasSuffix(c.Format, ".messages") || strings.HasSuffix(c.Format, ".tools") {
			if err := genai.Split(c.Raw, one); err != nil {
				fmt.Fprintf(b, "  broken: %v\n", err)
			}
			continue
		}
		one(c.Raw)
	}
}

// cases runs each over a folder of txtar files; the name of a file begins with
// its dialect. each gives the files that are expected.
func cases(t *testing.T, dir string, each func(t *testing.T, dialect string, in map[string][]byte) []txtar.File) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := map[string][]byte{}
			for _, f := range a.Files {
				in[f.Name] = f.Data
			}
			dialect, _, _ := strings.Cut(name, "-")
			for _, want := range each(t, dialect, in) {
				if d := cmp.Diff(string(in[want.Name]), string(want.Data)); d != "" && !*update {
					t.Errorf("%s: %s", want.Name, d)
				}
				i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == want.Name })
				if i < 0 {
					a.Files = append(a.Files, want)
				} else {
					a.Files[i] = want
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestPropose reads testdata/propose: a file has requests NAME and what is
// proposed, NAME.want.
func TestPropose(t *testing.T) {
	t.Parallel()
	cases(t, "propose", func(t *testing.T, dialect string, in map[string][]byte) (out []txtar.File) {
		for name, text := range in {
			if strings.HasSuffix(name, ".want") {
				continue
			}
			c := parseCall(dialect, text)
			p, err := protocol().Propose(c)
			out = append(out, txtar.File{Name: name + ".want", Data: []byte(shownProposal(p, err))})
		}
		return out
	})
}

// stream turns the readable form of an answer into its bytes: a line of an event
// stream is NAME JSON, or !NAME JSON for a failure.
func stream(kind string, invoke bool, text []byte) []byte {
	if kind != "application/vnd.amazon.eventstream" {
		return text
	}
	var out []byte
	for line := range strings.Lines(string(text)) {
		name, data, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var h []byte
		if failure, ok := strings.CutPrefix(name, "!"); ok {
			h = wire.AppendHeader(wire.AppendHeader(h, ":exception-type", failure), ":content-type", "application/json")
			h = wire.AppendHeader(h, ":message-type", "exception")
		} else {
			h = wire.AppendHeader(wire.AppendHeader(h, ":event-type", name), ":content-type", "application/json")
			h = wire.AppendHeader(h, ":message-type", "event")
			if invoke {
				data = `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `","p":"abc"}`
			}
		}
		out = wire.AppendFrame(out, h, []byte(data))
	}
	return out
}

// unstream is its reverse.
func unstream(t *testing.T, kind string, invoke bool, b []byte) string {
	t.Helper()
	if kind != "application/vnd.amazon.eventstream" {
		return string(b)
	}
	var out strings.Builder
	f := wire.Frames{Limit: 1 << 20}
	each := func(ev *wire.Event) error {
		data := ev.Data
		if invoke && ev.Failure == "" {
			var v struct{ Bytes []byte }
			if err := json.Unmarshal(data, &v); err != nil {
				return err
			}
			data = v.Bytes
		}
		name := ev.Name
		if ev.Failure != "" {
			name = "!" + ev.Failure
		}
		fmt.Fprintf(&out, "%s %s\n", name, data)
		return nil
	}
	if err := errors.Join(f.Push(b, each), f.End(each)); err != nil {
		t.Errorf("what goes on is no event stream: %v", err)
	}
	return out.String()
}

// passed runs an answer through the watcher in pieces that end at cuts.
func passed(t *testing.T, c *gateway.Call, status int, kind string, body []byte, judge gateway.Judge, cuts []int) (string, gateway.Facts, error) {
	t.Helper()
	p, err := protocol().Propose(c)
	if err != nil {
		t.Fatal(err)
	}
	return fed(p.Answer(status, http.Header{"Content-Type": {kind}}, judge), body, cuts)
}

func denying(names ...string) gateway.Judge {
	return func(t gateway.ToolCall) *fault.Error {
		if slices.Contains(names, t.Name) || slices.Contains(names, "*") {
			return fault.New(fault.KindDenied, "policy.forbid", "a policy forbids it, decision dec_1").WithHint("ask the owner of this tool")
		}
		return nil
	}
}

func shownFacts(f gateway.Facts, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "fault %v\n", fault.From(err).Code)
	}
	fmt.Fprintf(&b, "usage %+v\nmodel=%s id=%s finish=%s first=%v\n", f.Usage, f.Model, f.ResponseID, f.FinishReason, !f.FirstToken.IsZero())
	if f.ErrorType != "" {
		fmt.Fprintf(&b, "error %s: %s\n", f.ErrorType, f.ErrorMessage)
	}
	for _, t := range f.ToolCalls {
		fmt.Fprintf(&b, "call %s %s %s\n", t.ID, t.Name, t.Arguments)
	}
	showContents(&b, f.Contents)
	return b.String()
}

// TestAnswer reads testdata/answer: a request, its answer (status and type on
// the first line), which tools a judge refuses, and what goes on then. However
// the answer is cut into pieces, the same goes on, and all of it unchanged when
// nothing is refused.
func TestAnswer(t *testing.T) {
	t.Parallel()
	cases(t, "answer", func(t *testing.T, dialect string, in map[string][]byte) []txtar.File {
		c := parseCall(dialect, in["request"])
		head, text, _ := bytes.Cut(in["answer"], []byte("\n"))
		code, kind, _ := strings.Cut(string(head), " ")
		status, err := strconv.Atoi(code)
		if err != nil {
			t.Fatal(err)
		}
		invoke := strings.Contains(c.Path, "/invoke")
		body := stream(kind, invoke, text)
		deny := denying(strings.Fields(string(in["deny"]))...)
		same := func(what string, judge gateway.Judge, want string, exact bool) (string, string) {
			out, facts, err := passed(t, c, status, kind, body, judge, nil)
			shown := shownFacts(facts, err)
			if _, overtakes := in["overtakes"]; exact && in["always"] == nil && err == nil && out != want && !(overtakes && judge != nil && sameEvents(out, want)) {
				t.Errorf("%s: the answer is changed:\n%s", what, cmp.Diff(want, out))
			}
			for _, cuts := range splits(len(body)) {
				got, facts, e := passed(t, c, status, kind, body, judge, cuts)
				if got != out && err == nil || shownFacts(facts, e) != shown {
					t.Fatalf("%s: cut at %v it gives (%v)\n%s\n%s", what, cuts, e, cmp.Diff(out, got), cmp.Diff(shown, shownFacts(facts, e)))
				}
			}
			return out, shown
		}
		_, watched := same("without a judge", nil, string(body), true)
		_, allowed := same("with a judge who allows", denying(), string(body), true)
		if watched != allowed && !strings.HasPrefix(allowed, "fault") {
			t.Errorf("the facts differ with a judge: %s", cmp.Diff(watched, allowed))
		}
		out, _ := same("with a judge who refuses", deny, "", false)
		files := []txtar.File{{Name: "facts", Data: []byte(watched)}}
		if strings.HasPrefix(allowed, "fault") {
			files = append(files, txtar.File{Name: "judged", Data: []byte(allowed)})
		}
		if len(in["deny"]) > 0 {
			shown := unstream(t, kind, invoke, []byte(out))
			if !strings.HasSuffix(shown, "\n") {
				shown += "\n"
			}
			files = append(files, txtar.File{Name: "refused", Data: []byte(shown)})
		}
		return files
	})
}

// sameEvents says whether two streams have the same events, in any order.
func sameEvents(a, b string) bool {
	sorted := func(s string) []string {
		l := strings.SplitAfter(s, "\n\n")
		slices.Sort(l)
		return l
	}
	return slices.Equal(sorted(a), sorted(b))
}

// splits are ways to cut n bytes: at each single place, and into equal pieces.
func splits(n int) (out [][]int) {
	step := max(n/400, 1)
	for i := 1; i < n; i += step {
		out = append(out, []int{i})
	}
	for _, size := range []int{1, 2, 3, 7, 64} {
		var cuts []int
		for i := size; i < n; i += size {
			cuts = append(cuts, i)
		}
		out = append(out, cuts)
	}
	return out
}

func TestDocumented(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]int64{
		"gpt-4o": 16384, "gpt-4o-mini-2024-07-18": 16384, "ft:gpt-4o-mini:org::id": 16384, "openai/gpt-4o": 16384, "gpt-4": 8192, "gpt-4-0613": 8192,
		"gpt-4.1-mini": 32768, "gpt-5-nano": 128000, "gpt-5.9": activity.Unknown, "gpt-40": activity.Unknown, "o3-mini": 100000, "o": activity.Unknown,
		"gemini-2.5-flash": 65536, "eu.anthropic.claude-3-5-sonnet-20241022-v2:0": 8192, "amazon.nova-lite-v1:0": 10000, "llama-3": activity.Unknown, "": activity.Unknown,
		"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0": 128000,
	} {
		if got := documented(model); got != want {
			t.Errorf("documented(%s) = %d, want %d", model, got, want)
		}
	}
}
