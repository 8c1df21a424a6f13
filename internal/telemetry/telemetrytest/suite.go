package telemetrytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Run runs the suite; open makes an empty store that the test owns.
func Run(t *testing.T, open func(*testing.T) telemetry.Store) {
	for _, c := range []struct {
		name string
		do   func(*testing.T, telemetry.Store)
	}{
		{"what is appended is read", readsBack},
		{"steps are read in pages and alone", pages},
		{"the cursor moves with the append", cursor},
		{"a later revision replaces", revisions},
		{"messages are found by their hash", messages},
		{"runs are listed and paged", lists},
		{"searches agree with Match", searches},
		{"searches know steps of the day after", longRuns},
		{"steps are aggregated", aggregates},
		{"rollups add up", rollups},
		{"logs and metric points", records},
		{"records and points have a place", recordPlaces},
		{"decisions are listed, searched and counted", decisions},
		{"teams see their own", teams},
		{"retention drops partitions", retention},
		{"runs are forgotten, or what was said in them", forget},
		{"hostile input is harmless", hostile},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() { _ = s.Close() })
			c.do(t, s)
		})
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
		return v
	}
}

func write(t *testing.T, s telemetry.Store, w *telemetry.Write) {
	t.Helper()
	if err := s.Append(context.Background(), w); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// recent is a start within what an index keeps.
func recent() time.Time { return time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Hour) }

func byRun(w *telemetry.Write) map[activity.RunID][]activity.Step {
	out := map[activity.RunID][]activity.Step{}
	for _, s := range w.Steps {
		out[s.Run] = append(out[s.Run], s)
	}
	return out
}

func readsBack(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(1, recent())
	w := g.Write(30)
	// A step with everything that is unusual about it.
	odd := &w.Steps[3]
	odd.Tags, odd.Labels = []string{"a", "b"}, []activity.Label{{Key: "tier", Value: "gold"}}
	odd.Links = []activity.Link{
		{TraceID: activity.TraceID{1}, SpanID: activity.SpanID{2}},
		{TraceID: activity.TraceID{1}, SpanID: activity.SpanID{3}, Run: activity.RunID{4}, Step: activity.StepID{5}, Kind: activity.LinkSameCall},
	}
	odd.Events, odd.Layers, odd.ScopeAttribute = []byte{10, 0}, []byte("layers"), String(nil, "k", "v")
	odd.Attributes = append(odd.Attributes, 0x0a, 0x07, 0x0a, 0x01, 'm', 0x12, 0x02, 0x32, 0x00) // an empty map
	odd.Attributes = String(odd.Attributes, "sep", "a\x1fb")
	odd.End, odd.Status = activity.Unknown, activity.StatusRunning
	odd.ReportedCost = activity.Cost{Nanos: 5, Basis: activity.CostProvider, Currency: "EUR"}
	odd.Flags = activity.FlagClockSkew | activity.FlagTruncated
	w.Steps[4].Step, w.Steps[4].Span = activity.StepOfKey("a decision"), activity.SpanID{}
	write(t, s, w)
	for id, want := range byRun(w) {
		got := must(s.Steps(ctx, id))(t)
		if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
			t.Fatalf("steps of %s (-want +got):\n%s", id, d)
		}
	}
	for i := range w.Runs {
		want := w.Runs[i]
		if !s.HasRun(want.ID) {
			t.Errorf("HasRun(%s) is false", want.ID)
		}
		got := must(s.Run(ctx, want.ID))(t)
		if d := cmp.Diff(&want, got); d != "" {
			t.Fatalf("run (-want +got):\n%s", d)
		}
	}
	if _, err := s.Run(ctx, activity.RunOfKey("nobody")); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("an unknown run gives %v, want not_found", err)
	}
	st := must(s.Stats(ctx))(t)
	if st.Steps != int64(len(w.Steps)) || st.Runs != int64(len(w.Runs)) || st.Bytes == 0 {
		t.Errorf("stats are %+v", st)
	}
}

func sorted(in []activity.Step) map[activity.StepID]activity.Step {
	out := map[activity.StepID]activity.Step{}
	for _, s := range in {
		out[s.Step] = s
	}
	return out
}

// pages reads a run's steps piece by piece: together they are what Steps
// gives, in order, each once, with the newest revision.
func pages(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	w := NewGenerator(3, recent()).Write(40)
	run := w.Runs[0].ID
	for i := range w.Steps { // one run with all of them, some at the same time
		w.Steps[i].Run, w.Steps[i].Start = run, w.Steps[i/3].Start
		w.Steps[i].Tags = []string{"a"}
	}
	write(t, s, w)
	again := &telemetry.Write{Cursor: w.Cursor + 1, Steps: slices.Clone(w.Steps[5:6])}
	again.Steps[0].Revision, again.Steps[0].Name = again.Steps[0].Revision+1, "renamed"
	write(t, s, again)
	want := must(s.Steps(ctx, run))(t)
	slices.SortFunc(want, telemetry.ByStart)
	if len(want) < 40 {
		t.Fatalf("the run has %d steps", len(want))
	}
	for _, light := range []bool{false, true} {
		for _, limit := range []int{0, 1, 7, len(want)} {
			var got []activity.Step
			q := telemetry.StepsQuery{Limit: limit, Light: light}
			for {
				page := must(s.StepsPage(ctx, run, q))(t)
				got = append(got, page.Steps...)
				if !page.More {
					break
				}
				if len(page.Steps) != limit || len(got) >= len(want) {
					t.Fatalf("limit %d: a page of %d steps after which %d are read says that more follow", limit, len(page.Steps), len(got))
				}
				last := &got[len(got)-1]
				q.After = telemetry.StepPlace{Start: last.Start, Step: last.Step}
			}
			full := want
			if light {
				full = make([]activity.Step, len(want))
				for i := range want {
					full[i] = lightOf(&want[i])
				}
			}
			if d := cmp.Diff(full, got); d != "" {
				t.Fatalf("pages of %d, light %v (-want +got):\n%s", limit, light, d)
			}
		}
	}
	for i := range want {
		if d := cmp.Diff(&want[i], must(s.Step(ctx, run, want[i].Step))(t)); d != "" {
			t.Fatalf("one step (-want +got):\n%s", d)
		}
	}
	if _, err := s.Step(ctx, run, activity.StepOfKey("nothing")); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("an unknown step gives %v, want not_found", err)
	}
	if _, err := s.Step(ctx, activity.RunOfKey("nobody"), want[0].Step); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a step of an unknown run gives %v, want not_found", err)
	}
}

// lightOf is what StepsQuery.Light promises of a step.
func lightOf(s *activity.Step) activity.Step {
	cost := s.Cost
	cost.Price = ""
	return activity.Step{
		Fragment: activity.Fragment{
			Run: s.Run, Step: s.Step, Parent: s.Parent, Trace: s.Trace, Span: s.Span, Environment: s.Environment,
			Start: s.Start, End: s.End, TTFT: s.TTFT, Kind: s.Kind, Status: s.Status, Source: s.Source, Name: s.Name, Agent: s.Agent,
			Provider: s.Provider, Model: s.Model, FinishReason: s.FinishReason, ToolName: s.ToolName, ToolCallID: s.ToolCallID,
			ErrorType: s.ErrorType, StatusMessage: s.StatusMessage, DecisionID: s.DecisionID, Flags: s.Flags, Usage: s.Usage,
		},
		Revision: s.Revision, Team: s.Team, Cost: cost, Counted: s.Counted, Refs: s.Refs,
	}
}

func cursor(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	if n := must(s.Cursor(ctx, 3))(t); n != 0 {
		t.Errorf("a new store's cursor is %d", n)
	}
	write(t, s, &telemetry.Write{Partition: 3, Cursor: 17})
	write(t, s, &telemetry.Write{Partition: 4, Cursor: 5})
	if n := must(s.Cursor(ctx, 3))(t); n != 17 {
		t.Errorf("the cursor is %d, want 17", n)
	}
	if err := s.Append(ctx, &telemetry.Write{Partition: 3, Cursor: 16}); !fault.Is(err, fault.KindConflict) {
		t.Errorf("an append behind the cursor gives %v, want conflict", err)
	}
}

func revisions(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(2, recent())
	w := g.Write(5)
	write(t, s, w)
	again := &telemetry.Write{Cursor: w.Cursor + 1, Steps: []activity.Step{w.Steps[0]}, Runs: []activity.Run{w.Runs[0]}}
	again.Steps[0].Revision, again.Steps[0].Name = 2, "renamed"
	again.Runs[0].Revision, again.Runs[0].Outcome = 2, "resolved"
	again.Runs[0].Start -= 1e9
	write(t, s, again)
	got := sorted(must(s.Steps(ctx, w.Steps[0].Run))(t))
	if n := got[w.Steps[0].Step].Name; n != "renamed" {
		t.Errorf("the step is called %q", n)
	}
	if r := must(s.Run(ctx, w.Runs[0].ID))(t); r.Outcome != "resolved" {
		t.Errorf("the run's outcome is %q", r.Outcome)
	}
	page := must(s.Runs(ctx, telemetry.RunsQuery{Limit: 100}))(t)
	if len(page.Runs) != len(w.Runs) {
		t.Errorf("%d runs are listed, want %d", len(page.Runs), len(w.Runs))
	}
	if n := must(s.Stats(ctx))(t).Runs; n != int64(len(w.Runs)) {
		t.Errorf("stats count %d runs, want %d", n, len(w.Runs))
	}
	for _, table := range []struct {
		name string
		want int
	}{{"steps", len(w.Steps)}, {"runs", len(w.Runs)}} {
		// A name that rollups do not know makes the engine read rows.
		res := must(s.Query(ctx, telemetry.Query{Table: table.name, Select: []telemetry.Measure{{Func: "count"}, {Func: "avg", Field: "duration_ms"}}}))(t)
		if res.Source != "rows" || fmt.Sprint(res.Rows[0][0]) != fmt.Sprint(table.want) {
			t.Errorf("%s counted %v from %s, want %d", table.name, res.Rows, res.Source, table.want)
		}
	}
}

func messages(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(3, recent())
	w := g.Write(4)
	write(t, s, w)
	// Another run of the day refers to a message that is stored already.
	first := w.Messages[0]
	copied := first
	copied.Run, copied.Ordinal, copied.Raw = w.Runs[1].ID, 1000, nil
	bad := first
	bad.Run, bad.Ordinal, bad.Hash, bad.Raw, bad.Size = w.Runs[1].ID, 1001, [16]byte{9}, []byte("\xff\xfe not text"), 11
	gone := copied
	gone.Ordinal, gone.Hash = 1002, [16]byte{8}
	write(t, s, &telemetry.Write{Cursor: w.Cursor + 1, Messages: []activity.Message{copied, bad, gone}})
	all := must(s.Messages(ctx, w.Runs[0].ID, nil))(t)
	var want []activity.Message
	for _, m := range w.Messages {
		if m.Run == w.Runs[0].ID {
			want = append(want, m)
		}
	}
	if d := cmp.Diff(want, all); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	some := must(s.Messages(ctx, w.Runs[1].ID, []int32{1000, 1001, 1002}))(t)
	if len(some) != 3 || string(some[0].Raw) != string(first.Raw) || string(some[1].Raw) != string(bad.Raw) || some[2].Raw != nil {
		t.Errorf("messages by ordinal are %+v", some)
	}
	// What was said is told apart by the first half of its hash, without being read.
	counts := map[string]int64{}
	for _, m := range append(slices.Clone(w.Messages), copied, bad, gone) {
		counts[fmt.Sprintf("%x %x", m.Run[:], m.Hash[:8])]++
	}
	res := must(s.Query(ctx, telemetry.Query{Table: "messages", GroupBy: []string{"run", "hash"}}))(t)
	if len(res.Rows) != len(counts) {
		t.Errorf("%d groups of messages by run and hash, want %d", len(res.Rows), len(counts))
	}
	for _, r := range res.Rows {
		var run activity.RunID
		if !telemetry.ParseUUID(fmt.Sprint(r[0]), (*[16]byte)(&run)) || counts[fmt.Sprintf("%x %v", run[:], r[1])] != r[2] {
			t.Errorf("a group of messages that is none: %v", r)
		}
	}
}

func lists(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(4, recent())
	w := g.Write(120)
	write(t, s, w)
	for _, sort := range []string{"", "-started", "duration", "cost", "steps", "errors", "tokens", "updated", "-cost"} {
		seen, cursor, pages := map[activity.RunID]bool{}, "", 0
		for {
			p := must(s.Runs(ctx, telemetry.RunsQuery{Limit: 50, Sort: sort, Cursor: cursor}))(t)
			for _, r := range p.Runs {
				if seen[r.ID] {
					t.Fatalf("sort %q lists %s twice", sort, r.ID)
				}
				seen[r.ID] = true
			}
			pages++
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if len(seen) != 120 || pages != 3 {
			t.Errorf("sort %q lists %d runs on %d pages, want 120 on 3", sort, len(seen), pages)
		}
	}
	if _, err := s.Runs(ctx, telemetry.RunsQuery{Cursor: "nonsense"}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a bad cursor gives %v, want invalid", err)
	}
	if _, err := s.Runs(ctx, telemetry.RunsQuery{Sort: "id; drop table runs"}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a bad sort gives %v, want invalid", err)
	}
}

// searches compares the engine with search.Match over the same runs.
func searches(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(5, recent())
	w := g.Write(60)
	w.Runs[0].Labels = []activity.Label{{Key: "tier", Value: "gold"}, {Key: "n.x", Value: "12"}}
	w.Runs[1].Outcome, w.Runs[1].Status = "resolved", activity.RunRunning
	w.Runs[2].Cost, w.Runs[2].End = activity.Cost{}, activity.Unknown
	w.Runs[3].Flags = activity.FlagClockSkew
	w.Runs[4].Name = "it's 100% \"odd\" \\ *"
	write(t, s, w)
	steps := byRun(w)
	now := time.Now()
	for _, text := range []string{
		"agent:agent-01", "agent:agent-01,agent-02", "agent!=agent-01", "agent:agent-0*", "agent~GENT-1", "cost>0.005", "cost!=unknown", "cost:unknown",
		"NOT cost>0.005", "duration>=29s", "duration:unknown", "status:running", "status:done outcome:unknown", "outcome:resolved OR errors>0", "steps>10 tokens<20k",
		"failed:false", "partial:false", "label.tier:gold", "label.tier:unknown", "label.n.x>11", "flag:clock_skew", "flag!=clock_skew", "model:gpt-4o", "tool:lookup*",
		"tool~ORDER", "started>-3h", "ended<-3h", "any(kind:tool status:error)", "any(kind:model duration>1s)", "all(status:ok)", "NOT all(status:ok)", "any(tokens>4000)",
		"any(root:true)", "any(child(kind:tool status:error))", "any(kind:tool parent(kind:agent))", "any(parent(kind:tool))", "any(attr.app.context.key_03~order)",
		"any(attr.gen_ai.usage.input_tokens>4000)", "any(attr.gen_ai.response.finish_reasons:stop kind:model)", "any(attr.nothing:unknown)", "any(attr.user.id:user-1*)",
		"any(resource.host.name:node-7)", "any(resource.host.name:node-8)", "any(error~upstream)", "name~odd", `name:"it's 100% \"odd\" \\ \*"`, "any(flag:truncated)",
		"any(model:unknown kind:model)", "any(response_id:chatcmpl-0*)", "trace_id:" + w.Runs[7].Traces[0].String(), "id:" + w.Runs[8].ID.String(),
		"any(id:" + w.Steps[5].Step.String() + ")", "any(trace_id:" + w.Steps[20].Trace.String() + ")", "any(span_id:" + w.Steps[9].Span.String() + ")",
	} {
		e, err := search.Parse(text)
		if err != nil {
			t.Fatalf("parse %s: %v", text, err)
		}
		want, got := map[string]bool{}, map[string]bool{}
		for i := range w.Runs {
			r := &w.Runs[i]
			ok, err := search.MatchAt(e, now, r, func() []activity.Step { return steps[r.ID] })
			if err != nil {
				t.Fatalf("match %s: %v", text, err)
			}
			if ok {
				want[r.ID.String()] = true
			}
		}
		p, err := s.Runs(ctx, telemetry.RunsQuery{Filter: e, Limit: 1000})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, r := range p.Runs {
			got[r.ID.String()] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %d runs, want %d", text, len(got), len(want))
		}
	}
	phrase := string(w.Messages[3].Raw[len(w.Messages[3].Raw)-60:])
	phrase = strings.ToUpper(phrase[:40])
	p := must(s.Runs(ctx, telemetry.RunsQuery{Filter: &search.Text{Phrase: phrase}, Content: true}))(t)
	if len(p.Runs) != 1 || p.Runs[0].ID != w.Messages[3].Run {
		t.Errorf("a phrase of a message finds %d runs", len(p.Runs))
	}
	p = must(s.Runs(ctx, telemetry.RunsQuery{Filter: &search.Text{Phrase: phrase}}))(t)
	if len(p.Runs) != 0 {
		t.Errorf("without the permission a phrase of a message finds %d runs", len(p.Runs))
	}
}

// longRuns holds that a run is found by a step long after its start, also beside
// runs of the period that have not ended, and also when it is old.
func longRuns(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	for i, age := range []time.Duration{4 * 24 * time.Hour, 20 * 24 * time.Hour} {
		for k, open := range []bool{true, false} {
			start := time.Now().Add(-age - time.Duration(k)*6*time.Hour)
			g := NewGenerator(uint64(31+2*i+k), start)
			w := g.Write(3)
			w.Cursor = uint64(1 + 2*i + k)
			night := int64(20 * time.Hour)
			run := &w.Runs[0]
			var late *activity.Step
			for j := range w.Steps {
				if x := &w.Steps[j]; x.Run == run.ID && x.Kind == activity.KindModel {
					late = x
				}
			}
			late.Start, late.End, late.ErrorType = late.Start+night, late.End+night, "after_the_night"
			run.End, run.Status = max(run.End, late.End), activity.RunDone
			if open {
				w.Runs[1].Status, w.Runs[1].End = activity.RunRunning, activity.Unknown
			}
			write(t, s, w)
			from, to := time.Unix(0, run.Start).Add(-time.Minute), time.Unix(0, run.Start).Add(time.Minute)
			for _, text := range []string{"any(error_type:after_the_night)", "NOT all(error_type!=after_the_night)"} {
				e, err := search.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				p := must(s.Runs(ctx, telemetry.RunsQuery{Filter: e, From: from, To: to, Limit: 100}))(t)
				found := false
				for _, r := range p.Runs {
					found = found || r.ID == run.ID
				}
				if !found {
					t.Errorf("%s of runs that started %v ago, one of them open: %v, finds %d runs, not the one with a step 20 h later", text, age, open, len(p.Runs))
				}
			}
		}
	}
}

func aggregates(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(6, recent())
	w := g.Write(50)
	write(t, s, w)
	want := map[string][2]int64{}
	for _, x := range w.Steps {
		if x.Counted {
			c := want[x.Model]
			want[x.Model] = [2]int64{c[0] + 1, c[1] + x.Usage.InputTotal}
		}
	}
	e, err := search.ParseIn(search.ScopeStep, "kind:model")
	if err != nil {
		t.Fatal(err)
	}
	res := must(s.Query(ctx, telemetry.Query{
		Table: "steps", GroupBy: []string{"model"}, Where: e, OrderBy: "-in",
		Select: []telemetry.Measure{{Func: "count", As: "n"}, {Func: "sum", Field: "input_tokens", As: "in"}, {Func: "p95", Field: "duration_ms", As: "p95"}},
	}))(t)
	if len(res.Rows) != len(want) {
		t.Errorf("%d models, want %d", len(res.Rows), len(want))
	}
	for _, r := range res.Rows {
		m := fmt.Sprint(r[0])
		if fmt.Sprint(r[1], r[2]) != fmt.Sprint(want[m][0], want[m][1]) {
			t.Errorf("%s: %v, want %v", m, r, want[m])
		}
	}
	filtered(t, s, w)
	for _, q := range []telemetry.Query{
		{Table: "steps", Select: []telemetry.Measure{{Func: "products", Field: "cost", With: "x) --"}}},
		{Table: "steps", Select: []telemetry.Measure{{Func: "quantile", Field: "cost", At: 2}}},
		{Table: "nothing"},
		{Table: "steps", GroupBy: []string{"1; drop table steps"}},
		{Table: "steps", Select: []telemetry.Measure{{Func: "exec", Field: "cost"}}},
		{Table: "steps", Select: []telemetry.Measure{{Func: "sum", Field: "cost) from x --"}}},
		{Table: "steps", OrderBy: "x"},
		{Table: "messages", Where: &search.Text{Phrase: "secret"}},
	} {
		if _, err := s.Query(ctx, q); err == nil || fault.From(err).Kind == fault.KindInternal {
			t.Errorf("query %+v gives %v, want a refusal", q, err)
		}
	}
}

// filtered compares measures that have conditions of their own with what they are
// over the rows.
func filtered(t *testing.T, s telemetry.Store, w *telemetry.Write) {
	ctx := context.Background()
	failed, err := search.ParseIn(search.ScopeStep, "status:error")
	if err != nil {
		t.Fatal(err)
	}
	var n, bad, squares, products float64
	var durations []float64
	paths := map[string]float64{}
	tools := map[activity.RunID][]activity.Step{}
	for _, x := range w.Steps {
		if x.Kind == activity.KindTool {
			tools[x.Run] = append(tools[x.Run], x)
		}
		n++
		if x.End >= 0 {
			durations = append(durations, float64(x.End-x.Start)/1e6)
		}
		if x.Status != activity.StatusError {
			continue
		}
		bad++
		if x.Counted && x.Usage.InputTotal >= 0 {
			squares += float64(x.Usage.InputTotal) * float64(x.Usage.InputTotal)
			if x.Usage.OutputTotal >= 0 {
				products += float64(x.Usage.InputTotal) * float64(x.Usage.OutputTotal)
			}
		}
	}
	res := must(s.Query(ctx, telemetry.Query{Table: "steps", Select: []telemetry.Measure{
		{Func: "count", As: "n"},
		{Func: "count", As: "bad", Where: failed},
		{Func: "squares", Field: "input_tokens", As: "squares", Where: failed},
		{Func: "products", Field: "input_tokens", With: "output_tokens", As: "products", Where: failed},
		{Func: "quantile", Field: "duration_ms", At: 0.3, As: "q"},
	}}))(t)
	got := make([]float64, 5)
	for i, v := range res.Rows[0] {
		if v != nil { // the sum of nothing
			if _, err := fmt.Sscan(fmt.Sprint(v), &got[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Sort(durations)
	res2 := must(s.Query(ctx, telemetry.Query{Table: "steps", Select: []telemetry.Measure{{Func: "quantiles", Field: "duration_ms", Ats: []float64{0.3, 0.9}, As: "q"}}}))(t)
	if list, ok := res2.Rows[0][0].([]any); !ok || len(list) != 2 || fmt.Sprint(list[0]) != fmt.Sprint(res.Rows[0][4]) {
		t.Errorf("two quantiles are %v, the first alone %v", res2.Rows[0][0], res.Rows[0][4])
	}
	want := []float64{n, bad, squares, products, durations[max(0, int(math.Ceil(0.3*float64(len(durations))))-1)]}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9*max(1, want[i]) {
			t.Errorf("%s is %v, want %v", res.Columns[i].Name, got[i], want[i])
		}
	}
	for _, r := range w.Runs {
		list := tools[r.ID]
		slices.SortFunc(list, telemetry.ByStart)
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].ToolName
		}
		paths[strings.Join(names, " > ")]++
	}
	res = must(s.Query(ctx, telemetry.Query{Table: "runs", GroupBy: []string{"path"}, Select: []telemetry.Measure{{Func: "count", As: "n"}}}))(t)
	for _, r := range res.Rows {
		path, _ := r[0].(string)
		if fmt.Sprint(r[1]) != fmt.Sprint(paths[path]) {
			t.Errorf("%v runs went %q, want %v", r[1], path, paths[path])
		}
	}
	if len(res.Rows) != len(paths) {
		t.Errorf("%d ways through the tools, want %d", len(res.Rows), len(paths))
	}
}

func rollups(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(7, recent())
	var n, errs int64
	for range 4 {
		w := g.Write(20)
		for i := range w.Steps {
			n++
			errs += int64(b2i(w.Steps[i].Status == activity.StatusError))
		}
		write(t, s, w)
	}
	q := telemetry.Query{
		Table: "steps", GroupBy: []string{"agent"}, Bucket: 5 * time.Minute,
		Select: []telemetry.Measure{{Func: "count", As: "n"}, {Func: "sum", Field: "errors", As: "e"}, {Func: "p95", Field: "duration_ms", As: "p"}},
	}
	for _, when := range []string{"at once", "again"} {
		res := must(s.Query(ctx, q))(t)
		var gotN, gotE int64
		for _, r := range res.Rows {
			gotN += r[2].(int64)
			gotE += int64(r[3].(float64))
		}
		if gotN != n || gotE != errs {
			t.Errorf("%s: %d steps and %d errors from %s, want %d and %d", when, gotN, gotE, res.Source, n, errs)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// recordPlaces holds that log records and points are found, and forgotten, by team
// and environment.
func recordPlaces(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(9, recent())
	w := g.Write(1)
	places := []telemetry.Place{{Team: "core", Environment: "prod"}, {Team: "core", Environment: "dev"}, {Team: "shop", Environment: "prod"}, {}}
	now := recent()
	for i, p := range places {
		for k, at := range []time.Time{now, now.Add(-48 * time.Hour)} {
			w.Logs = append(w.Logs, activity.LogRecord{Time: at.UnixNano(), Body: fmt.Sprint("line ", i, k), Agent: "a", Team: p.Team, Environment: p.Environment})
			w.Metrics = append(w.Metrics, activity.MetricPoint{Time: at.UnixNano(), Name: "n", Type: "gauge", Value: float64(i), Count: activity.Unknown, Agent: "a", Team: p.Team, Environment: p.Environment})
		}
	}
	w.Logs = append(w.Logs, activity.LogRecord{Time: now.Add(-48 * time.Hour).UnixNano(), Run: w.Runs[0].ID, Body: "of the run", Agent: "a", Team: "core", Environment: "prod"})
	write(t, s, w)
	check := func(when string, at []telemetry.Place, want int) {
		t.Helper()
		l := must(s.Logs(ctx, telemetry.LogsQuery{OnlyLoose: true, Places: at, Limit: 100}))(t)
		m := must(s.Metrics(ctx, telemetry.MetricsQuery{Places: at, Limit: 100}))(t)
		if len(l.Logs) != want || len(m.Points) != want {
			t.Errorf("%s: %d records and %d points at %v, want %d", when, len(l.Logs), len(m.Points), at, want)
		}
		for i := range l.Logs {
			if !holds(at, l.Logs[i].Team, l.Logs[i].Environment) {
				t.Errorf("%s: a record of %s/%s at %v", when, l.Logs[i].Team, l.Logs[i].Environment, at)
			}
		}
	}
	check("all", nil, 8)
	check("nowhere", []telemetry.Place{}, 0)
	check("no place", []telemetry.Place{{}}, 2)
	check("a team", []telemetry.Place{{Team: "core", Environment: telemetry.Anywhere}}, 4)
	check("an environment", []telemetry.Place{{Team: telemetry.Anywhere, Environment: "prod"}}, 4)
	check("a team's environment", []telemetry.Place{{Team: "core", Environment: "dev"}}, 2)
	check("two", []telemetry.Place{{Team: "core", Environment: "dev"}, {Team: "shop", Environment: "prod"}}, 4)
	if l := must(s.Logs(ctx, telemetry.LogsQuery{Run: w.Runs[0].ID, Places: []telemetry.Place{{Team: "shop", Environment: "prod"}}}))(t); len(l.Logs) != 0 {
		t.Errorf("records of another team's run: %d", len(l.Logs))
	}
	d := must(s.Forget(ctx, telemetry.Forget{Loose: func(team, environment string) time.Time {
		if team == "core" && environment == "prod" {
			return now.Add(-24 * time.Hour)
		}
		return time.Time{}
	}}))(t)
	if d.Rows != 2 {
		t.Errorf("%d rows were forgotten, want a record and a point", d.Rows)
	}
	check("forgotten", []telemetry.Place{{Team: "core", Environment: "prod"}}, 1)
	check("forgotten, the rest", nil, 7)
	if l := must(s.Logs(ctx, telemetry.LogsQuery{Run: w.Runs[0].ID}))(t); len(l.Logs) != 1 {
		t.Errorf("the run has %d records, want its one: it is kept with the run", len(l.Logs))
	}
}

func holds(places []telemetry.Place, team, environment string) bool {
	return places == nil || slices.ContainsFunc(places, func(p telemetry.Place) bool { return p.Holds(team, environment) })
}

func records(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(8, recent())
	w := g.Write(2)
	at := recent().UnixNano()
	for i := range 30 {
		l := activity.LogRecord{
			Time: at + int64(i)*1e9, Severity: int32(9 + i%2*8), Body: fmt.Sprintf("line %d of the log", i), Agent: "agent-01", Service: "svc",
			Attributes: Int(nil, "i", int64(i)), Resource: String(nil, "host.name", "h"),
		}
		if i < 10 {
			l.Run, l.Step = w.Runs[0].ID, w.Steps[0].Step
		}
		w.Logs = append(w.Logs, l)
		w.Metrics = append(w.Metrics, activity.MetricPoint{Time: l.Time, Name: "tokens", Type: "sum", Value: float64(i), Count: activity.Unknown, Agent: "agent-01", Point: []byte{1}})
	}
	write(t, s, w)
	got := must(s.Logs(ctx, telemetry.LogsQuery{Run: w.Runs[0].ID, Limit: 100}))(t)
	if len(got.Logs) != 10 || !cmp.Equal(got.Logs[0], w.Logs[9]) {
		t.Errorf("logs of the run: %d, newest differs by\n%s", len(got.Logs), cmp.Diff(w.Logs[9], got.Logs[0]))
	}
	var all []activity.LogRecord
	for cursor := ""; ; {
		p := must(s.Logs(ctx, telemetry.LogsQuery{OnlyLoose: true, MinSeverity: 17, Limit: 4, Cursor: cursor}))(t)
		all = append(all, p.Logs...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(all) != 10 || !cmp.Equal(all[0], w.Logs[29]) {
		t.Errorf("loose errors: %d, want 10", len(all))
	}
	p := must(s.Logs(ctx, telemetry.LogsQuery{Text: "LINE 12 ", From: time.Unix(0, at)}))(t)
	if len(p.Logs) != 1 || p.Logs[0].Body != "line 12 of the log" {
		t.Errorf("a phrase finds %+v", p.Logs)
	}
	m := must(s.Metrics(ctx, telemetry.MetricsQuery{Name: "tokens", Limit: 3}))(t)
	if len(m.Points) != 3 || m.Next == "" || !cmp.Equal(m.Points[0], w.Metrics[29]) {
		t.Errorf("metric points: %+v", m)
	}
}

func teams(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(9, recent())
	w := g.Write(40)
	write(t, s, w)
	for _, teams := range [][]string{{"team-a"}, {"team-a", "team-b"}, {}} {
		in := map[string]bool{}
		for _, x := range teams {
			in[x] = true
		}
		runs, steps := 0, 0
		for _, r := range w.Runs {
			runs += b2i(in[r.Team])
		}
		for _, x := range w.Steps {
			steps += b2i(in[x.Team])
		}
		p := must(s.Runs(ctx, telemetry.RunsQuery{Teams: teams, Limit: 100}))(t)
		if len(p.Runs) != runs {
			t.Errorf("%v see %d runs, want %d", teams, len(p.Runs), runs)
		}
		for _, sel := range [][]telemetry.Measure{{{Func: "count"}}, {{Func: "count"}, {Func: "max", Field: "duration_ms"}}} {
			res := must(s.Query(ctx, telemetry.Query{Table: "steps", Teams: teams, Select: sel}))(t)
			if fmt.Sprint(res.Rows[0][0]) != fmt.Sprint(steps) {
				t.Errorf("%v count %v steps from %s, want %d", teams, res.Rows[0][0], res.Source, steps)
			}
		}
	}
}

func retention(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	old := NewGenerator(10, recent().Add(-40*24*time.Hour)).Write(10)
	write(t, s, old)
	young := NewGenerator(11, recent()).Write(10)
	young.Cursor = 2
	write(t, s, young)
	if _, err := s.Run(ctx, old.Runs[0].ID); err != nil {
		t.Errorf("a run of 40 days ago: %v", err)
	}
	page := must(s.Runs(ctx, telemetry.RunsQuery{Limit: 100}))(t)
	if len(page.Runs) != 20 {
		t.Errorf("%d runs are listed over all time, want 20", len(page.Runs))
	}
	p, told := telemetry.Retention{Now: time.Now(), MaxAge: 30 * 24 * time.Hour}, []time.Time(nil)
	full := errors.New("no place to write it down")
	p.Dropping = func(time.Time) error { return full }
	if d, err := s.Retain(ctx, p); !errors.Is(err, full) || d.Files != 0 {
		t.Errorf("dropped %+v, %v, of which nobody could write down that it was", d, err)
	}
	if _, err := s.Run(ctx, old.Runs[0].ID); err != nil {
		t.Errorf("after a pass that was stopped: %v", err)
	}
	p.Dropping = func(before time.Time) error { told = append(told, before); return nil }
	d := must(s.Retain(ctx, p))(t)
	if d.Partitions == 0 || d.Bytes == 0 || len(told) != 1 || !told[0].Equal(p.Now.Add(-p.MaxAge)) {
		t.Errorf("retention dropped %+v, told %v", d, told)
	}
	must(s.Retain(ctx, p))(t)
	if len(told) != 1 {
		t.Errorf("told %v, the second time of nothing", told)
	}
	if _, err := s.Run(ctx, old.Runs[0].ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a run past its retention gives %v", err)
	}
	if got := must(s.Steps(ctx, young.Runs[0].ID))(t); len(got) == 0 {
		t.Error("a young run lost its steps")
	}
}

// forget takes the content of a run, then the run; others keep all of theirs,
// also what they share with it.
func forget(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	w := NewGenerator(14, recent()).Write(12)
	write(t, s, w)
	read := func(id activity.RunID) (said []string, steps int) {
		t.Helper()
		for _, m := range must(s.Messages(ctx, id, nil))(t) {
			said = append(said, string(m.Raw))
		}
		return said, len(must(s.Steps(ctx, id))(t))
	}
	before, steps := map[activity.RunID][]string{}, map[activity.RunID]int{}
	shared := map[string]int{} // runs that hold a text
	for i := range w.Runs {
		id := w.Runs[i].ID
		before[id], steps[id] = read(id)
		texts := slices.Clone(before[id])
		slices.Sort(texts)
		for _, text := range slices.Compact(texts) {
			shared[text]++
		}
	}
	gone := w.Runs[0].ID
	others := func(when string) {
		t.Helper()
		for id := range before {
			if id == gone {
				continue
			}
			if said, n := read(id); !slices.Equal(said, before[id]) || n != steps[id] {
				t.Errorf("%s another run has %d messages and %d steps, or others than before: want %d and %d", when, len(said), n, len(before[id]), steps[id])
			}
		}
	}
	only := map[activity.RunID]struct{}{gone: {}}
	if d := must(s.Forget(ctx, telemetry.Forget{}))(t); d != (telemetry.Dropped{}) {
		t.Errorf("forgetting nobody dropped %+v", d)
	}
	d := must(s.Forget(ctx, telemetry.Forget{Runs: only, ContentOnly: true}))(t)
	if d.Rows == 0 {
		t.Errorf("forgetting content dropped %+v", d)
	}
	said, n := read(gone)
	if n != steps[gone] {
		t.Errorf("with its content a run lost steps: %d of %d are left", n, steps[gone])
	}
	for i, text := range said {
		if text != "" && shared[text] < 2 {
			t.Errorf("message %d is still read: %.40q", i, text)
		}
	}
	others("once its content was forgotten")
	must(s.Forget(ctx, telemetry.Forget{Runs: only}))(t)
	if _, err := s.Run(ctx, gone); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a forgotten run gives %v", err)
	}
	if got := must(s.Steps(ctx, gone))(t); len(got) != 0 {
		t.Errorf("a forgotten run has %d steps", len(got))
	}
	if got := must(s.Runs(ctx, telemetry.RunsQuery{Limit: 100}))(t); len(got.Runs) != len(w.Runs)-1 {
		t.Errorf("%d runs are listed, want %d", len(got.Runs), len(w.Runs)-1)
	}
	res := must(s.Query(ctx, telemetry.Query{Table: "steps", GroupBy: []string{"kind", "name"}}))(t)
	var sum, want int64
	for _, row := range res.Rows {
		c, _ := row[len(row)-1].(int64)
		sum += c
	}
	for id, n := range steps {
		if id != gone {
			want += int64(n)
		}
	}
	if sum != want {
		t.Errorf("%d steps are counted from rows, want %d", sum, want)
	}
	others("once it was forgotten")
	if d := must(s.Forget(ctx, telemetry.Forget{Runs: only}))(t); d.Rows != 0 {
		t.Errorf("forgetting it again dropped %+v", d)
	}
}

func hostile(t *testing.T, s telemetry.Store) {
	ctx := context.Background()
	g := NewGenerator(12, recent())
	w := g.Write(3)
	x := &w.Steps[0]
	x.Name, x.Agent = "'; DROP TABLE runs; --", "\xff\x00\x1f'"
	x.Attributes = []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3}
	x.Start, x.End = -5, 1<<62
	w.Runs[0].Name, w.Runs[0].Agent = x.Name, x.Agent
	w.Runs[0].Labels = []activity.Label{{Key: "\x1f", Value: "\x1e"}}
	write(t, s, w)
	got := sorted(must(s.Steps(ctx, x.Run))(t))
	if y := got[x.Step]; y.Name != x.Name || string(y.Attributes) != string(x.Attributes) || y.Start != x.Start || y.End != x.End {
		t.Errorf("read back %+v", y)
	}
	e, err := search.Parse(`name:"'; DROP TABLE runs; --"`)
	if err != nil {
		t.Fatal(err)
	}
	p := must(s.Runs(ctx, telemetry.RunsQuery{Filter: e}))(t)
	if len(p.Runs) != 1 {
		t.Errorf("a quote in a name finds %d runs", len(p.Runs))
	}
	res := must(s.Query(ctx, telemetry.Query{Table: "steps", GroupBy: []string{"agent", "name"}}))(t)
	if len(res.Rows) == 0 {
		t.Error("nothing is counted")
	}
}
