package invoice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"reeve/internal/fault"
)

func p(n int64) *int64 { return &n }

func TestKey(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini", "GPT-4o mini"},
		{"claude-3-haiku", "us.anthropic.claude-3-haiku-20240307-v1:0", "Claude3Haiku", "Claude 3 Haiku", "claude-3-haiku@20240307"},
		{"claude-sonnet-4", "claude-sonnet-4-20250514", "Claude Sonnet 4"},
		{"claude-3-5-sonnet-latest", "Claude 3.5 Sonnet", "Claude Sonnet 3.5", "anthropic.claude-3-5-sonnet-20241022-v2:0"},
		{"gemini-2.5-pro", "models/gemini-2.5-pro"},
	} {
		for _, name := range same {
			if Key(name) != Key(same[0]) {
				t.Errorf("%q has key %q, %q has %q", name, Key(name), same[0], Key(same[0]))
			}
		}
	}
	for _, other := range [][2]string{{"gpt-4o", "gpt-4o-mini"}, {"claude-sonnet-4", "claude-sonnet-4-5"}, {"o1", "o3"}} {
		if Key(other[0]) == Key(other[1]) {
			t.Errorf("%q and %q are one model", other[0], other[1])
		}
	}
}

func TestMicros(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0.06": 60_000, "1": 1_000_000, "-0.0000005": -1, "1e-3": 1000, "123.4567891": 123_456_789} {
		if got, err := microsOf(text, 0); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	if got, err := microsOf("123.45", 2); err != nil || got != 1_234_500 {
		t.Errorf("123.45 cents are %d (%v)", got, err)
	}
	for _, bad := range []string{"", "x", "1/3", "0x10", "1e400", strings.Repeat("9", 70), "NaN", "Inf"} {
		if got, err := microsOf(bad, 0); err == nil {
			t.Errorf("%q is %d", bad, got)
		}
	}
}

// Each format's file becomes the lines that stand below it.
func TestFormats(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			format, lines, err := Parse("", a.Files[0].Data)
			got := "format " + format + "\n"
			for _, l := range lines {
				got += textOf(&l) + "\n"
			}
			if err != nil {
				f := fault.From(err)
				got = f.Code + ": " + f.Message + "\n"
			}
			if os.Getenv("UPDATE") != "" {
				a.Files = append(a.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func textOf(l *Line) string {
	n := func(v *int64) string {
		if v == nil {
			return "?"
		}
		return itoa(int(*v))
	}
	return strings.Join([]string{l.Day, l.Provider, "[" + l.Model + "]", n(l.Micros) + " micro " + l.Currency, "in " + n(l.Input), "cached " + n(l.Cached), "out " + n(l.Output), "requests " + n(l.Requests)}, " ")
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"":            "invoice.format",
		"{":           "invoice.format",
		`{"data":[]}`: "invoice.empty",
		`{"data":[{"start_time":1,"results":[{"object":"organization.usage.images.result"}]},{"start_time":0,"results":[]}]}`: "invoice.line",
		`{"data":[{"start_time":1700000000,"results":[{"object":"something.else"}]}]}`:                                        "invoice.format",
		"a,b\n1,2\n":                          "invoice.format",
		"date,model,cost\n":                   "invoice.empty",
		"date,model,cost\nx,m,1\n":            "invoice.line",
		"date,model,cost\n2026-11-01,m,one\n": "invoice.line",
		"date,model,input_tokens,output_tokens\n2026-11-01,m,-1,2\n": "invoice.line",
		"date,model,cost\n\"2026-11-01,m,1\n":                        "invoice.line",
	} {
		if _, _, err := Parse("", []byte(text)); fault.From(err).Code != code {
			t.Errorf("%q: %v, want %s", text, err, code)
		}
	}
	if _, _, err := Parse("pdf", nil); fault.From(err).Code != "invoice.format" {
		t.Errorf("format pdf: %v", err)
	}
	if _, _, err := Parse("focus", []byte("date,model,cost\n2026-11-01,m,1\n")); fault.From(err).Code != "invoice.format" {
		t.Errorf("a plain table as focus: %v", err)
	}
	if _, _, err := Parse("", []byte(strings.Repeat(" ", MaxBytes+1))); fault.From(err).Code != "invoice.large" {
		t.Errorf("a large file: %v", err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	lines := []Line{
		{Day: "2026-11-01", Model: "gpt-4o-mini-2024-07-18", Micros: p(1_000_000), Currency: "USD", Input: p(100), Output: p(10)},
		{Day: "2026-11-01", Model: "gpt-4o-mini", Micros: p(500_000), Currency: "USD", Input: p(50), Output: p(5)},
		{Day: "2026-11-01", Model: "o3", Micros: p(2_000_000), Currency: "USD"},
		{Day: "2026-11-02", Model: "gpt-4o", Micros: p(10_000_000), Currency: "USD"},
		{Day: "2026-11-02", Model: "", Micros: p(70), Currency: "USD"},
		{Day: "2026-11-02", Model: "tokens-only", Input: p(1_000_000), Output: p(1000)},
	}
	ours := []Ours{
		{Day: "2026-11-01", Model: "gpt-4o-mini", Micros: p(1_495_000), Input: p(150), Output: p(15), Calls: 3},
		{Day: "2026-11-02", Model: "gpt-4o", Micros: p(8_000_000), Calls: 4, Unpriced: 1},
		{Day: "2026-11-02", Model: "claude-sonnet-4", Micros: p(3), Calls: 1},
		{Day: "2026-11-02", Model: "tokens-only", Input: p(1_002_000), Output: p(1000), Calls: 2},
		{Day: "2026-11-03", Model: "gpt-4o", Micros: p(5), Calls: 1}, // the invoice ends before
	}
	rows, sum := Compare(lines, ours, 0)
	states := map[string]string{}
	for _, r := range rows {
		states[r.Day+" "+r.Model] = r.State
	}
	want := map[string]string{
		"2026-11-01 gpt-4o-mini-2024-07-18": "agrees", "2026-11-01 o3": "invoice_only", "2026-11-02 gpt-4o": "less",
		"2026-11-02 ": "invoice_only", "2026-11-02 claude-sonnet-4": "ours_only", "2026-11-02 tokens-only": "agrees",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if *sum.DiffMicros != -2_005_000 || *sum.InvoiceMicros != 13_500_070 || sum.Agreeing != 2 || sum.Other != 4 {
		t.Errorf("summary %+v: difference %d of %d", sum, *sum.DiffMicros, *sum.InvoiceMicros)
	}
	for _, r := range rows {
		if r.Day == "2026-11-02" && r.Model == "gpt-4o" && (len(r.Explanations) != 1 || *r.DiffShare != -0.2) {
			t.Errorf("row %+v", r)
		}
	}
}

// Money in another currency is compared only by a rate that somebody gave.
func TestCompareCurrencies(t *testing.T) {
	t.Parallel()
	lines := []Line{{Day: "2026-11-01", Model: "m", Micros: p(1_000_000), Currency: "EUR"}}
	ours := []Ours{{Day: "2026-11-01", Model: "m", Micros: p(1_080_000), Calls: 1}}
	if rows, _ := Compare(lines, ours, 0); rows[0].State != "unknown" || rows[0].DiffMicros != nil {
		t.Errorf("without a rate: %+v", rows[0])
	}
	if rows, sum := Compare(lines, ours, 1.08); rows[0].State != "agrees" || sum.Currency != "EUR" {
		t.Errorf("with one: %+v", rows[0])
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		if a, err := txtar.ParseFile(file); err == nil {
			f.Add(a.Files[0].Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, lines, err := Parse("", text)
		if err != nil {
			return
		}
		for i := range lines {
			if len(lines[i].Day) != 10 || len(lines[i].Model) > maxText {
				t.Fatalf("line %+v", lines[i])
			}
		}
		Compare(lines, nil, 0)
	})
}

// An invoice says nothing of what other providers bill.
func TestOtherProviders(t *testing.T) {
	t.Parallel()
	n, micros := int64(10), int64(1000)
	lines := []Line{{Day: "2026-11-01", Provider: "OpenAI", Model: "gpt-4o", Input: &n, Output: &n}}
	ours := []Ours{
		{Day: "2026-11-01", Model: "gpt-4o", Provider: "openai", Input: &n, Output: &n, Calls: 1},
		{Day: "2026-11-01", Model: "gpt-4o", Provider: "azure.ai.openai", Input: &n, Output: &n, Calls: 1},
		{Day: "2026-11-01", Model: "claude-sonnet-4-5", Provider: "anthropic", Micros: &micros, Calls: 1},
		{Day: "2026-11-01", Model: "o3", Provider: "openai", Micros: &micros, Calls: 1},
		{Day: "2026-11-01", Model: "house-model", Micros: &micros, Calls: 1},
	}
	got := map[string]string{}
	rows, _ := Compare(lines, ours, 0)
	for _, r := range rows {
		got[r.Model] = r.State
	}
	if len(got) != 3 || got["gpt-4o"] != "agrees" || got["o3"] != "ours_only" || got["house-model"] != "ours_only" {
		t.Errorf("rows %v", got)
	}
	lines[0].Provider = "" // a plain table that does not say whose it is
	if rows, _ := Compare(lines, ours, 0); len(rows) != 4 {
		t.Errorf("%d rows without a provider", len(rows))
	}
}
