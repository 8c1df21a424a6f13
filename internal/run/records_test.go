package run

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
)

// A sender whose answer a crash took sends again after the restart. Spans find
// themselves by id; records have none.
func TestRecordsResentAfterARestart(t *testing.T) {
	t.Parallel()
	d, err := duck.Open(duck.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	memory := newMemory()
	h := newHarnessOn(t, memory, &engine{d, memory}, nil)

	attribute := func(key, value string) []byte {
		kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
		text := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), value)
		kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), text)
		return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), kv)
	}
	body := func() *activity.Batch {
		b := batchOf(span1(1, 0, -1, activity.KindAgent))
		for i := range 3 {
			at := start0 + int64(i)*1e9
			b.Logs = append(b.Logs,
				activity.LogRecord{Time: at, Body: "went well", Severity: 9, Service: "s", Agent: "a", Attributes: attribute("k", "v")},
				activity.LogRecord{Time: at, Run: idOf[activity.RunID](1), Step: idOf[activity.StepID](0), EventName: "said", Body: `{"a":[1,"ü"]}`})
			b.Metrics = append(b.Metrics,
				activity.MetricPoint{Time: at, Name: "tokens", Unit: "1", Type: "sum", Value: 0.25 + float64(i), Count: activity.Unknown, Attributes: attribute("k", "v"), Point: []byte{1, 2, 3}})
		}
		return b
	}
	h.feed(body())
	h.flush()
	h.restart()
	h.feed(body())
	more := body()
	more.Logs[0].Time++
	h.feed(more)
	h.flush()

	logs, err := d.Logs(t.Context(), telemetry.LogsQuery{})
	if err != nil || len(logs.Logs) != 7 {
		t.Errorf("%d log records stored, want 6 and the new one: %v", len(logs.Logs), err)
	}
	points, err := d.Metrics(t.Context(), telemetry.MetricsQuery{})
	if err != nil || len(points.Points) != 3 {
		t.Errorf("%d metric points stored, want 3: %v", len(points.Points), err)
	}
	if row, err := d.Run(t.Context(), idOf[activity.RunID](1)); err != nil || row.Logs != 3 || row.Steps != 1 {
		t.Errorf("run %+v, want 3 records and 1 step: %v", row, err)
	}
}

// Only JSON has \u escapes to undo: in plain text they are what was said.
func TestPlainTextIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	h.feed(batchOf(span1(1, 0, -1, activity.KindModel,
		said(activity.ContentInput, "text", `path C:\u0041bc`), said(activity.ContentOutput, "json", `"\u0041bc"`))))
	h.flush()
	got, err := h.store.Messages(t.Context(), idOf[activity.RunID](1), nil)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d messages: %v", len(got), err)
	}
	if string(got[0].Raw) != `path C:\u0041bc` || string(got[1].Raw) != `"Abc"` {
		t.Errorf("got %s and %s", got[0].Raw, got[1].Raw)
	}
}

// An outcome that was decided after a run's end holds over what the run reported,
// whether the run is in memory or came back from the store, and until another is
// decided.
func TestSettledOutcome(t *testing.T) {
	t.Parallel()
	d, err := duck.Open(duck.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	memory := newMemory()
	h := newHarnessOn(t, memory, &engine{d, memory}, nil)
	id := idOf[activity.RunID](1)
	check := func(want string, settled bool) {
		t.Helper()
		h.flush()
		row, err := d.Run(t.Context(), id)
		if err != nil || row.Outcome != want || (row.Flags&activity.FlagSettled != 0) != settled || row.Steps != 1 {
			t.Fatalf("row %+v: %v; want outcome %q, settled %t", row, err, want, settled)
		}
	}
	say := func(outcome string) {
		h.feed(&activity.Batch{Settled: []activity.Settled{{Run: id, Outcome: outcome}, {Run: idOf[activity.RunID](99), Outcome: outcome}}})
	}
	labelled := func(want bool) {
		t.Helper()
		if row, err := d.Run(t.Context(), id); err != nil || (row.Flags&activity.FlagLabelled != 0) != want {
			t.Fatalf("row %+v: %v; want labelled %t", row, err, want)
		}
	}
	know := func(outcome string) {
		h.feed(&activity.Batch{Settled: []activity.Settled{{Run: id, Outcome: outcome, Labelled: true}}})
	}
	f := span1(1, 0, -1, activity.KindAgent)
	f.Outcome = activity.OutcomeResolved
	h.feed(batchOf(f))
	check("resolved", false)
	say(activity.OutcomeVerified)
	check("verified_resolved", true)
	h.restart()
	f.Name = "said again"
	h.feed(batchOf(f))
	check("verified_resolved", true)
	h.restart()
	say(activity.OutcomeAbandoned)
	say(activity.OutcomeFailed) // twice in one write
	check("failed", true)
	say(activity.OutcomeVerified)
	f.Name = "said once more" // comes back while its row is on its way
	h.feed(batchOf(f))
	check("verified_resolved", true)
	labelled(false)
	say(activity.OutcomeFailed)
	check("failed", true)
	know(activity.OutcomeFailed) // the same, by somebody who knows
	check("failed", true)
	labelled(true)
	h.restart()
	f.Name = "said a last time"
	h.feed(batchOf(f))
	check("failed", true)
	labelled(true)
	h.restart()
	say(activity.OutcomeFailed) // of a row alone
	check("failed", true)
	labelled(false)
	know(activity.OutcomeFailed)
	check("failed", true)
	labelled(true)
	say("")
	check("resolved", false)
	labelled(false)
	if _, err := d.Run(t.Context(), idOf[activity.RunID](99)); err == nil {
		t.Error("a run that nobody knows came to be by its outcome")
	}
}

// What an older release wrote to the log is clamped when it is read, and what was
// clamped and is sent again is the same record, although it came at another time.
func TestTimesOfTheLogAreClamped(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	f := span1(1, 0, -1, activity.KindAgent)
	f.Start, f.End = start0+90*365*day, start0+90*365*day+5
	b := batchOf(f)
	b.Logs = []activity.LogRecord{{Time: 1, Body: "old"}}
	b.Metrics = []activity.MetricPoint{{Time: start0 + 3*day, Name: "n"}}
	h.feed(b)
	again := batchOf(f)
	again.Received += int64(time.Minute)
	again.Logs = []activity.LogRecord{{Time: 1, Body: "old"}}
	again.Metrics = []activity.MetricPoint{{Time: start0 + 3*day, Name: "n"}}
	h.feed(again)
	h.flush()
	s := h.store.steps[f.Run][f.Step]
	if hour := start0 + int64(time.Hour); s.Start < hour-5 || s.End > hour+int64(time.Minute) || s.Flags&activity.FlagClampedTime == 0 {
		t.Errorf("the step is from %v to %v, flags %v", time.Unix(0, s.Start), time.Unix(0, s.End), s.Flags.Names())
	}
	if sent, _ := activity.Attribute(s.Attributes, activity.TimeSent); sent != time.Unix(0, f.Start).UTC().Format(time.RFC3339Nano) {
		t.Errorf("the step's time was sent as %v", sent)
	}
	if len(h.store.logs) != 1 || h.store.logs[0].Time != start0-int64(activity.LongestAge) {
		t.Errorf("log records: %+v", h.store.logs)
	}
	if len(h.store.points) != 1 || h.store.points[0].Time != start0+int64(time.Hour) {
		t.Errorf("points: %+v", h.store.points)
	}
}

// Records and points have the team of their batch, and its environment unless it has
// none; equal ones of two teams or two instances are two.
func TestRecordsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	send := func(team, environment string, resource []byte) {
		b := batchOf()
		b.Team, b.Environment = team, environment
		b.Logs = []activity.LogRecord{{Time: start0, Body: "up", Environment: "said", Resource: resource}}
		b.Metrics = []activity.MetricPoint{{Time: start0, Name: "n", Environment: "said", Resource: resource}}
		h.feed(b)
	}
	for range 2 {
		send("core", "prod", nil)
		send("core", "", nil)
		send("shop", "prod", nil)
		send("shop", "prod", activity.AppendTime(nil, "instance", 1))
	}
	h.flush()
	var logs, points []string
	for _, l := range h.store.logs {
		logs = append(logs, l.Team+"/"+l.Environment)
	}
	for _, p := range h.store.points {
		points = append(points, p.Team+"/"+p.Environment)
	}
	want := []string{"core/prod", "core/said", "shop/prod", "shop/prod"}
	if !slices.Equal(logs, want) || !slices.Equal(points, want) {
		t.Errorf("records at %v, points at %v, want %v", logs, points, want)
	}
}
