package price

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

func book(t testing.TB) *Book {
	t.Helper()
	b, err := Embedded() // compiles every rule
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func usage(in, read, write, out, reasoning int64) activity.Usage {
	return activity.Usage{InputTotal: in, CacheRead: read, CacheWrite: write, OutputTotal: out, Reasoning: reasoning}
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	want := About{
		Source: "@pydantic/genai-prices", Version: "0.1.8", Date: "2026-09-23", Licence: "MIT",
		SHA256: "eed1d3441db7e80abd0035bbdb80ce7ec8ba6b904b690327c9647dfb9cd4870d", Providers: 43, Models: 1694,
	}
	if diff := cmp.Diff(want, book(t).About()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCost holds prices that were worked out by hand from the providers' lists.
func TestCost(t *testing.T) {
	t.Parallel()
	b := book(t)
	unknown := int64(activity.Unknown)
	noon := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, provider, model string
		at                    time.Time
		usage                 activity.Usage
		nanos                 int64 // -1: unknown
		label                 string
	}{
		// 1,000 x 0.15 + 500 x 0.60 USD a million.
		{"plain", "openai", "gpt-4o-mini", noon, usage(1000, unknown, unknown, 500, unknown), 450_000, "openai/gpt-4o-mini"},
		// 600 x 0.15 + 400 x 0.075 + 500 x 0.60.
		{"cache read", "openai", "gpt-4o-mini-2024-07-18", noon, usage(1000, 400, unknown, 500, 100), 420_000, "openai/gpt-4o-mini"},
		// 500 x 3 + 300 x 0.3 + 200 x 3.75 + 100 x 15.
		{"cache write", "anthropic", "claude-3-5-sonnet-20241022", noon, usage(1000, 300, 200, 100, unknown), 3_840_000, "anthropic/claude-3-5-sonnet"},
		// The provider is found by the model when nobody names it.
		{"no provider", "", "claude-3-5-sonnet-20241022", noon, usage(1000, 0, 0, 0, unknown), 3_000_000, "anthropic/claude-3-5-sonnet"},
		// 1.25 up to 200,000 tokens of input, 2.50 above, for all of them; output 10 and 15.
		{"tier below", "google", "gemini-2.5-pro", noon, usage(200_000, unknown, unknown, 1000, unknown), 260_000_000, "google/gemini-2.5-pro"},
		{"tier above", "google", "gemini-2.5-pro", noon, usage(200_001, unknown, unknown, 1000, unknown), 515_002_500, "google/gemini-2.5-pro"},
		{"azure has openai's models", "azure.ai.openai", "gpt-4o-mini", noon, usage(1000, unknown, unknown, 500, unknown), 450_000, "openai/gpt-4o-mini"},
		{"embedding has no output", "openai", "text-embedding-3-small", noon, usage(1_000_000, unknown, unknown, unknown, unknown), 20_000_000, "openai/text-embedding-3-small"},
		{"output not reported", "openai", "gpt-4o-mini", noon, usage(1000, unknown, unknown, unknown, unknown), -1, ""},
		{"input not reported", "openai", "gpt-4o-mini", noon, usage(unknown, unknown, unknown, 5, unknown), -1, ""},
		{"model nobody knows", "openai", "gpt-fail", noon, usage(1, 0, 0, 1, 0), -1, ""},
		{"provider nobody knows", "my-own", "gpt-4o-mini", noon, usage(1, 0, 0, 1, 0), -1, ""},
		{"litellm's spelling", "litellm", "openai/gpt-4o-mini", noon, usage(1000, unknown, unknown, 500, unknown), 450_000, "openai/gpt-4o-mini"},
		{"more cached than there is", "openai", "gpt-4o-mini", noon, usage(100, 1000, unknown, 0, unknown), 7_500, "openai/gpt-4o-mini"},
	}
	for _, test := range tests {
		want := activity.Cost{}
		if test.nanos >= 0 {
			want = activity.Cost{Nanos: test.nanos, Currency: "USD", Basis: activity.CostBook, Price: "genai-prices@2026-09-23 " + test.label}
		}
		got := b.Cost(test.provider, test.model, test.at, test.usage)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
	}
}

func TestRatesHold(t *testing.T) {
	t.Parallel()
	_, from, until, err := constraint("", "16:30:00Z", "00:30:00Z")
	if err != nil {
		t.Fatal(err)
	}
	night := rate{dayStart: from, dayEnd: until}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for hour, want := range map[time.Duration]bool{0: true, 29 * time.Minute: true, 30 * time.Minute: false, 16 * time.Hour: false, 17 * time.Hour: true} {
		if got := night.holds(day.Add(hour).UnixNano()); got != want {
			t.Errorf("%v: %v, want %v", hour, got, want)
		}
	}
	start, _, _, err := constraint("2026-03-13", "", "")
	if err != nil {
		t.Fatal(err)
	}
	dated := rate{from: start}
	if dated.holds(start-1) || !dated.holds(start) {
		t.Error("a start date begins at its midnight, UTC")
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	const text = `
name: acme
currency: eur
prices:
  - provider: openai
    model: gpt-4o*
    until: 2026-07-01
    input: 0.1
    output: 0.2
  - model: in-house
    request: 0.001
`
	c, err := ReadCard([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	imported, err := ReadCard([]byte("name: contract\nkind: imported\nprices: [{model: gpt-4o-mini, input: 9, output: 9}]"))
	if err != nil {
		t.Fatal(err)
	}
	b := book(t).With(imported, c)
	spring, autumn := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	u := usage(1000, 500, activity.Unknown, 100, activity.Unknown)
	for _, test := range []struct {
		model string
		at    time.Time
		want  activity.Cost
	}{
		{"gpt-4o-mini", spring, activity.Cost{Nanos: 120_000, Currency: "EUR", Basis: activity.CostRateCard, Price: "rate-card@acme openai/gpt-4o*"}},
		{"gpt-4o-mini", autumn, activity.Cost{Nanos: 9_900_000, Currency: "USD", Basis: activity.CostImported, Price: "imported@contract gpt-4o-mini"}},
		{"in-house", autumn, activity.Cost{Nanos: 1_000_000, Currency: "EUR", Basis: activity.CostRateCard, Price: "rate-card@acme in-house"}},
	} {
		if diff := cmp.Diff(test.want, b.Cost("openai", test.model, test.at, u)); diff != "" {
			t.Errorf("%s at %v: -want +got:\n%s", test.model, test.at, diff)
		}
	}
	for _, bad := range []string{
		"", "prices: []", "name: x\nprise: []", "name: x\nprices: [{model: m}]", "name: x\nprices: [{input: 1}]",
		"name: x\nprices: [{model: m, input: -1}]", "name: x\nkind: gift", "name: x\ncurrency: dollars", "name: x\nprices: [{model: m, input: 1, from: soon}]", "][",
	} {
		if _, err := ReadCard([]byte(bad)); !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), "price.card_invalid") {
			t.Errorf("card %q: %v", bad, err)
		}
	}
}

func TestCostAllocatesNothing(t *testing.T) {
	b := book(t)
	u, at := usage(1000, 500, 0, 100, 0), time.Now()
	if n := testing.AllocsPerRun(100, func() { b.Cost("openai", "gpt-4o-mini", at, u) }); n > 0 {
		t.Errorf("%v allocations a lookup", n)
	}
}

func FuzzReadCard(f *testing.F) {
	f.Add([]byte("name: x\nprices: [{model: m, input: 1, from: 2026-01-01}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := ReadCard(text); (c == nil) == (err == nil) {
			t.Errorf("card %v, error %v", c, err)
		}
	})
}

func BenchmarkCost(b *testing.B) {
	k := book(b)
	u, at := usage(1000, 500, 0, 100, 0), time.Now()
	for b.Loop() {
		k.Cost("openai", "gpt-4o-mini", at, u)
	}
}
