package duck

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

func TestFixedText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	letters := "abAB k.\xc3\xa9"
	for range 20_000 {
		text := make([]byte, r.IntN(60))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		phrase := make([]byte, 1+r.IntN(3))
		for i := range phrase {
			phrase[i] = letters[r.IntN(7)]
		}
		f, ok := newFixedText(string(phrase))
		if !ok {
			t.Fatalf("%q is not looked for", phrase)
		}
		var got, want []int
		f.each(text, func(at int) int { got = append(got, at); return at + 1 })
		low := slices.Clone(text) // bytes.ToLower makes three bytes of one that is no letter
		for i, c := range low {
			if c >= 'A' && c <= 'Z' {
				low[i] = c + 'a' - 'A'
			}
		}
		for i := range text {
			if bytes.HasPrefix(low[i:], bytes.ToLower(phrase)) {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q stands in %q at %v, want %v", phrase, text, got, want)
		}
	}
	for _, other := range []string{"", "é", "a\x00b"} {
		if _, ok := newFixedText(other); ok {
			t.Errorf("%q is looked for without DuckDB", other)
		}
	}
}

// What is found without DuckDB is what DuckDB finds: over several segments, pages
// and cases, at the ends of texts and not across two of them.
func TestPhraseAsDuckDB(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := openTest(t, Options{})
	r := rand.New(rand.NewPCG(3, 4))
	start := time.Now().Add(-3 * time.Hour).Truncate(time.Minute).UnixNano()
	words := []string{"stock", "Warehouse", "warehouse refused", "WAREHOUSE  REFUSED", "Warehouse Refused.", "refused", "", "ware", "house refused", strings.Repeat("filler ", 40)}
	var said []activity.RunID
	for n := range 3 {
		w := &telemetry.Write{Cursor: uint64(n + 1), Received: start}
		for i := range 400 {
			run := activity.RunOfTrace(activity.TraceID{byte(n), byte(i), byte(i >> 8), 1})
			at := start + int64(r.IntN(120))*minuteNanos
			w.Runs = append(w.Runs, activity.Run{ID: run, Revision: 1, Agent: "a", Start: at, End: at + 1e9, Status: activity.RunDone, Received: at, Updated: at})
			has := false
			for k := range 3 {
				text := words[r.IntN(len(words))] + words[r.IntN(len(words))] + strings.Repeat("x", r.IntN(3000))
				has = has || strings.Contains(strings.ToLower(text), "warehouse refused")
				w.Messages = append(w.Messages, activity.Message{
					Run: run, Ordinal: int32(k), Day: dayOf(at), Hash: [16]byte{byte(n), byte(i), byte(i >> 8), byte(k), 9, 9, 9, 9, 9, 9}, Size: int32(len(text)), Raw: []byte(text), Time: at, Role: "user",
				})
			}
			if has {
				said = append(said, run)
			}
		}
		if err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	all := s.source(time.Time{}, time.Time{})
	defer all.release()
	got, ok := s.saying(ctx, all, "warehouse REFUSED")
	if !ok {
		t.Fatal("it is left to DuckDB")
	}
	if d := differs(got, said); d != "" {
		t.Errorf("said in %d runs, want %d: %s", len(got), len(said), d)
	}
	// An hour, through the list of runs, and the same by DuckDB alone.
	from := time.Unix(0, start).Add(30 * time.Minute)
	q := telemetry.RunsQuery{Filter: &search.Text{Phrase: "warehouse refused"}, Content: true, From: from, To: from.Add(time.Hour), Limit: 5000}
	page, err := s.Runs(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Query(ctx, telemetry.Query{Table: "runs", Where: q.Filter, Content: true, From: q.From, To: q.To, GroupBy: []string{"run"}, Select: []telemetry.Measure{{Func: "count"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Runs) == 0 || len(page.Runs) != len(res.Rows) {
		t.Errorf("the list has %d runs, DuckDB alone %d", len(page.Runs), len(res.Rows))
	}
	// Nothing is found of what nobody said; and what is not ASCII is DuckDB's.
	if got, ok := s.saying(ctx, all, "warehouse accepted"); !ok || len(got) != 0 {
		t.Errorf("nobody said it, and it is found in %d runs", len(got))
	}
	if _, ok := s.saying(ctx, all, "größe"); ok {
		t.Error("what needs Unicode's folding is not left to DuckDB")
	}
	// More runs than a condition may name are DuckDB's.
	if got, ok := s.saying(ctx, all, "x"); ok || len(got) != 0 && len(got) <= phraseRuns {
		t.Errorf("%d runs are named", len(got))
	}
}

func differs(got, want []activity.RunID) string {
	in := map[activity.RunID]int{}
	for _, id := range got {
		in[id]++
	}
	for _, id := range want {
		in[id]--
	}
	n := 0
	for _, k := range in {
		if k != 0 {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n, " runs differ")
}
