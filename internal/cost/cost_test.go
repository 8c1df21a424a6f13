package cost

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

func book(t *testing.T, now time.Time) *Book {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b, err := New(t.Context(), Options{DB: db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, b *Book, s Settings) {
	t.Helper()
	s.Revision = b.Settings().Revision
	if _, err := b.Put(t.Context(), Actor{Person: "ada"}, s); err != nil {
		t.Fatal(err)
	}
}

// Rates hold from their day on, in the organisation's zone; before the first of a
// currency nobody knows. A period is asked for in parts in which none changes.
func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	b := book(t, now)
	put(t, b, Settings{Currency: "EUR", Zone: "Europe/Vienna", Rates: []Rate{{"EUR", "2026-10-10", 1.25}, {"EUR", "2026-01-01", 1.0}, {"CHF", "2026-01-01", 0.5}}})
	s := b.Settings()
	r := s.rates()
	vienna := s.Location()
	for _, c := range []struct {
		currency string
		at       time.Time
		want     float64
		known    bool
	}{
		{"USD", time.Date(2026, 10, 9, 23, 59, 0, 0, vienna), 1, true},
		{"USD", time.Date(2026, 10, 10, 0, 0, 0, 0, vienna), 0.8, true},
		{"EUR", time.Date(2019, 1, 1, 0, 0, 0, 0, vienna), 1, true},
		{"CHF", time.Date(2026, 10, 10, 0, 0, 0, 0, vienna), 0.4, true},
		{"USD", time.Date(2025, 12, 31, 0, 0, 0, 0, vienna), 0, false},
		{"GBP", now, 0, false},
	} {
		if got, ok := r.factor(c.currency, c.at); ok != c.known || ok && got != c.want {
			t.Errorf("%s at %v: %v %t, want %v %t", c.currency, c.at, got, ok, c.want, c.known)
		}
	}
	from, to, err := s.Month("2026-10")
	if err != nil || !from.Equal(time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC)) || !to.Equal(time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("October in Vienna is %v to %v, %v", from, to, err)
	}
	if got := len(days(from, to, vienna)); got != 31 {
		t.Errorf("October has %d days over the change of the clock", got)
	}
	spans, err := r.spans(from, to)
	if err != nil || len(spans) != 2 || !spans[0].to.Equal(spans[1].from) {
		t.Errorf("spans %v, %v", spans, err)
	}

	// What the store answers in two currencies over a change of rates comes to one sum.
	ask := func(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
		cols := []telemetry.Column{{Name: "agent"}, {Name: "currency"}, {Name: "calls"}, {Name: "cost"}, {Name: "unpriced"}}
		return &telemetry.Result{Columns: cols, Rows: [][]any{{"a", "USD", int64(2), 10.0, int64(0)}, {"a", "GBP", int64(3), 7.0, int64(0)}, {"a", nil, int64(1), nil, int64(1)}}}, nil
	}
	x, err := b.Split(t.Context(), ask, Question{From: from, To: to, By: "agent"})
	if err != nil || len(x.Lines) != 1 || x.Lines[0].Cost == nil || *x.Lines[0].Cost != 10+8 || x.Lines[0].Calls != 12 || x.Lines[0].Unpriced != 8 {
		t.Errorf("the sum over both currencies: %+v, %v", x, err)
	}
}

func TestCentres(t *testing.T) {
	t.Parallel()
	s := Settings{Centres: []Centre{{Centre: "1", Team: "sales", Environment: "production"}, {Centre: "2", Agent: "bot-*"}, {Centre: "3", Team: "sales"}}}
	for _, c := range []struct{ team, agent, environment, label, want string }{
		{"sales", "bot-1", "production", "9", "1"},
		{"sales", "bot-1", "test", "9", "2"},
		{"sales", "x", "test", "9", "3"},
		{"support", "x", "test", "9", "9"},
		{"support", "x", "test", "", ""},
	} {
		if got := s.Centre(c.team, c.agent, c.environment, c.label); got != c.want {
			t.Errorf("%+v: centre %q", c, got)
		}
	}
}

// The report of a month goes out once, on its day in the zone, and not for a month
// that was over when somebody first wanted it.
func TestReportGoesOutOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	b := book(t, now)
	b.o.Now = func() time.Time { return now }
	put(t, b, Settings{Zone: "Asia/Tokyo", Report: Report{Channel: "mail", To: []string{"finance@example.com"}, Day: 2}})
	var sent []string
	write := func(_ context.Context, month string) (Written, error) {
		return Written{Month: month, Text: "text of " + month}, nil
	}
	send := func(_ context.Context, _ *control.Tx, _ string, _ []string, w Written, asked bool) error {
		sent = append(sent, fmt.Sprintf("%s: %s, asked %t", w.Month, w.Text, asked))
		return nil
	}
	for _, c := range []struct {
		at   time.Time
		next string // said after it, in UTC
	}{
		{now, "2026-12-01T21:00"}, // its day is past: nobody wanted it then
		{time.Date(2026, 12, 1, 20, 59, 0, 0, time.UTC), "2026-12-01T21:00"}, // 5:59 on the 2nd in Tokyo
		{time.Date(2026, 12, 1, 21, 0, 0, 0, time.UTC), "2027-01-01T21:00"},
		{time.Date(2026, 12, 5, 0, 0, 0, 0, time.UTC), "2027-01-01T21:00"},
	} {
		now = c.at
		if err := b.due(t.Context(), write, send); err != nil {
			t.Fatal(err)
		}
		got, err := b.Sending(t.Context())
		if err != nil || got.NextAt.UTC().Format("2006-01-02T15:04") != c.next || (len(sent) > 0) != (got.LastMonth == "2026-11" && !got.LastAt.IsZero()) {
			t.Errorf("at %s: %+v, %v, want the next at %s", c.at, got, err, c.next)
		}
	}
	put(t, b, Settings{Zone: "Asia/Tokyo"})
	if got, err := b.Sending(t.Context()); err != nil || !got.NextAt.IsZero() || got.LastMonth != "2026-11" {
		t.Errorf("without a report: %+v, %v", got, err)
	}
	if err := b.SendNow(t.Context(), Actor{Person: "ada"}, "2026-11", write, send); fault.From(err).Code != "cost.invalid" {
		t.Errorf("nobody gets it, and it goes out: %v", err)
	}
	if want := []string{"2026-11: text of 2026-11, asked false"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

// A person sends a month's report when they want it; then it goes out by itself no
// more, but that of a month that goes on still does.
func TestReportIsSentNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	b := book(t, now)
	b.o.Now = func() time.Time { return now }
	put(t, b, Settings{Report: Report{Channel: "mail", Day: 1}})
	var sent []string
	write := func(_ context.Context, month string) (Written, error) { return Written{Month: month}, nil }
	send := func(_ context.Context, _ *control.Tx, _ string, _ []string, w Written, asked bool) error {
		sent = append(sent, fmt.Sprintf("%s %t", w.Month, asked))
		return nil
	}
	who := Actor{Person: "ada"}
	for month, code := range map[string]string{"2026-12": "cost.invalid", "last": "cost.invalid"} {
		if err := b.SendNow(t.Context(), who, month, write, send); fault.From(err).Code != code {
			t.Errorf("%s: %v, want %s", month, err, code)
		}
	}
	due := func() {
		t.Helper()
		if err := b.due(t.Context(), write, send); err != nil {
			t.Fatal(err)
		}
	}
	act := func(month string) {
		t.Helper()
		if err := b.SendNow(t.Context(), who, month, write, send); err != nil {
			t.Fatal(err)
		}
	}
	act("2026-11") // as far as it is
	now = time.Date(2026, 12, 1, 7, 0, 0, 0, time.UTC)
	due()
	act("2026-11")
	due()
	now = time.Date(2027, 1, 1, 5, 0, 0, 0, time.UTC)
	act("2026-12")
	now = now.Add(2 * time.Hour)
	due()
	if want := []string{"2026-11 true", "2026-11 false", "2026-11 true", "2026-12 true"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	b := book(t, time.Now())
	for name, s := range map[string]Settings{
		"a currency":       {Currency: "euros"},
		"a zone":           {Zone: "Local"},
		"an hour":          {Hour: -1},
		"a rate of USD":    {Rates: []Rate{{"USD", "2026-01-01", 1}}},
		"a rate of no day": {Rates: []Rate{{"EUR", "January", 1}}},
		"a rate of zero":   {Rates: []Rate{{"EUR", "2026-01-01", 0}}},
		"two of a day":     {Rates: []Rate{{"EUR", "2026-01-01", 1}, {"eur", "2026-01-01", 2}}},
		"no rate to show":  {Currency: "EUR"},
		"a nameless one":   {Centres: []Centre{{Team: "x"}}},
		"a bad day":        {Report: Report{Channel: "mail", Day: 31}},
		"no channel":       {Report: Report{To: []string{"a@example.com"}}},
		"two lines":        {Report: Report{Channel: "mail", To: []string{"a@example.com\r\nBcc: b@example.com"}}},
	} {
		_, err := b.Put(t.Context(), Actor{Person: "ada"}, s)
		if err == nil || fault.From(err).Code != "cost.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.Settings().Revision != 0 {
		t.Error("something that was refused was kept")
	}
}

// A call that was made again with the same arguments is found, and costs what the
// model call that read it did; with other arguments it is another.
func TestRepeats(t *testing.T) {
	t.Parallel()
	at := int64(0)
	step := func(kind activity.Kind, tool, args string, nanos int64) activity.Step {
		at += 1000
		s := activity.Step{Fragment: activity.Fragment{Start: at, End: at + 1, Kind: kind, ToolName: tool, Agent: "a", Usage: activity.NoUsage}}
		s.Step[0] = byte(at / 1000)
		if args != "" {
			s.Refs = []activity.ContentRef{{Field: activity.ContentArguments, Messages: args}}
		}
		if kind == activity.KindModel {
			s.Call, s.Counted, s.Cost = true, true, activity.Cost{Nanos: nanos, Currency: "USD", Basis: activity.CostBook}
		}
		return s
	}
	steps := []activity.Step{
		step(activity.KindTool, "look", "0", 0), step(activity.KindModel, "", "", 1e9),
		step(activity.KindTool, "look", "1", 0), step(activity.KindModel, "", "", 2e9),
		step(activity.KindTool, "look", "0", 0), step(activity.KindModel, "", "", 4e9),
		step(activity.KindTool, "look", "", 0), step(activity.KindModel, "", "", 8e9),
		step(activity.KindTool, "other", "0", 0), step(activity.KindModel, "", "", 16e9),
	}
	g := newGain("repeats")
	again(activity.RunID{1}, "a", steps, (&Settings{Currency: "USD"}).rates(), g)
	if g.sum != 4 || g.Calls != 1 || g.runs[activity.RunID{1}].What != "look was called 2 times with the same arguments" {
		t.Errorf("repeats come to %v of %d calls: %+v", g.sum, g.Calls, g.runs)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	if got := expand("0-2,7,x-y,9"); !slices.Equal(got, []string{"0", "1", "2", "7", "9"}) {
		t.Errorf("expanded to %q", got)
	}
	if got := expand("0-99999999999"); len(got) != maxOrdinals {
		t.Errorf("a long range has %d", len(got))
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	offers := []Offer{{Provider: "azure", Region: "westeurope", Models: []OfferedModel{{Name: "gpt-4o*"}}}, {Provider: "openai", Models: []OfferedModel{{Name: "gpt-4o", Region: "eu"}, {Name: "*"}}}}
	for _, c := range []struct{ provider, model, want string }{
		{"aws.bedrock", "us.anthropic.claude-3-haiku-20240307-v1:0", "us"},
		{"aws.bedrock", "arn:aws:bedrock:eu-central-1::foundation-model/x", "eu-central-1"},
		{"azure.ai.openai", "gpt-4o-mini", "westeurope"},
		{"openai", "gpt-4o", "eu"},
		{"openai", "o3", ""},
		{"anthropic", "claude", ""},
	} {
		if got := regionOf(c.provider, c.model, offers); got != c.want {
			t.Errorf("%s %s is in %q, want %q", c.provider, c.model, got, c.want)
		}
	}
}

// Every day of every zone begins once, and a month has its days: in some the clock
// skips midnight, and time.Date gives an hour of the day before.
func TestDaysBegin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, month string
		days        int
	}{
		{"America/Santiago", "2026-09", 30},
		{"America/Santiago", "2024-09", 30},
		{"Atlantic/Azores", "2026-03", 31},
		{"America/Havana", "2026-03", 31},
		{"Asia/Beirut", "2026-03", 31},
		{"America/Asuncion", "2022-10", 31}, // it skips the midnight that begins the 2nd
		{"America/Sao_Paulo", "2017-10", 31},
		{"Asia/Amman", "2022-04", 30},
		{"Africa/Cairo", "2026-04", 30},
		{"Pacific/Apia", "2011-12", 30}, // it had no 30th
		{"Asia/Kathmandu", "2026-09", 30},
		{"Australia/Lord_Howe", "2026-10", 31},
	} {
		s := Settings{Zone: c.zone}
		from, to, err := s.Month(c.month)
		if err != nil {
			t.Fatal(err)
		}
		all := days(from, to, s.Location())
		if len(all) != c.days {
			t.Errorf("%s of %s has %d days, want %d", c.month, c.zone, len(all), c.days)
		}
		if got := from.In(s.Location()).Format(time.DateOnly); got != c.month+"-01" {
			t.Errorf("%s of %s begins on %s", c.month, c.zone, got)
		}
		for i := 1; i < len(all); i++ {
			if !all[i].from.Equal(all[i-1].to) || !all[i].from.Before(all[i].to) {
				t.Errorf("%s of %s: day %d is %v to %v", c.month, c.zone, i, all[i].from, all[i].to)
			}
		}
	}
}

// Names that senders chose are no formulas in a spreadsheet.
func TestFilesHaveNoFormulas(t *testing.T) {
	t.Parallel()
	x := &spent{day: span{time.Now(), time.Now()}, parts: [5]string{"@SUM(A1)", "-2+3", "=1+1", "+1", "="}, Line: Line{Cost: new(float64), Calls: 1}}
	row, err := x.focus(&Settings{Currency: "USD"}, time.Now(), time.Now(), nil, "install", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range row {
		if v != "" && slices.Contains([]byte("=+-@"), v[0]) {
			t.Errorf("%s is %q", focusColumns[i], v)
		}
	}
}

// Equal calls that were made side by side are read by one model call, which is
// paid once.
func TestRepeatsSideBySide(t *testing.T) {
	t.Parallel()
	steps := []activity.Step{}
	for i := range 3 {
		s := activity.Step{Fragment: activity.Fragment{Start: int64(i), End: 10, Kind: activity.KindTool, ToolName: "look", Agent: "a"}, Refs: []activity.ContentRef{{Field: activity.ContentArguments, Messages: "0"}}}
		s.Step[0] = byte(i + 1)
		steps = append(steps, s)
	}
	m := activity.Step{Fragment: activity.Fragment{Start: 11, End: 12, Kind: activity.KindModel, Agent: "a", Usage: activity.NoUsage}, Call: true, Counted: true, Cost: activity.Cost{Nanos: 5e9, Currency: "USD", Basis: activity.CostBook}}
	m.Step[0] = 9
	g := newGain("repeats")
	again(activity.RunID{1}, "a", append(steps, m), (&Settings{Currency: "USD"}).rates(), g)
	if g.sum != 5 || g.Calls != 2 {
		t.Errorf("two repeats that one call read come to %v of %d calls, want 5 of 2", g.sum, g.Calls)
	}
}

// A split that does not tell every line says what the others come to, and a file
// that would not be whole is refused.
func TestWhatIsNotTold(t *testing.T) {
	t.Parallel()
	b := book(t, time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	ask := func(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
		r := &telemetry.Result{Columns: []telemetry.Column{{Name: "run"}, {Name: "currency"}, {Name: "calls"}, {Name: "cost"}}}
		if len(q.GroupBy) == 1 {
			r.Rows = [][]any{{nil, "USD", int64(30_000), 60_000.0}}
			return r, nil
		}
		for i := range maxRows {
			id := activity.RunID{byte(i), byte(i >> 8), 1}
			r.Rows = append(r.Rows, []any{hexOf(id), "USD", int64(1), 2.0})
		}
		return r, nil
	}
	x, err := b.Split(t.Context(), ask, Question{From: time.Now().Add(-time.Hour), To: time.Now(), By: "run", Limit: 10})
	if err != nil || len(x.Lines) != 10 || x.Rest == nil || x.Rest.Calls != 29_990 || *x.Rest.Cost != 59_980 {
		t.Errorf("the rest is %+v of %d lines, %v", x.Rest, len(x.Lines), err)
	}
	if _, err := b.Chargeback(t.Context(), ask, "2026-10", nil, nil); err == nil || fault.From(err).Code != "cost.too_large" {
		t.Errorf("a file that is not whole: %v", err)
	}
}

func hexOf(id activity.RunID) string { return hex.EncodeToString(id[:]) }
