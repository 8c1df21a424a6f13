package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect"
)

// olderTable is today's without what says agents, models, tokens and input.
func olderTable() *dialect.Map {
	var older []dialect.Dialect
	for _, d := range intake.Dialects() {
		d.Rules = slices.DeleteFunc(slices.Clone(d.Rules), func(r dialect.Rule) bool {
			return strings.HasPrefix(r.Key, "gen_ai.usage.") || strings.HasPrefix(r.Key, "gen_ai.request.") || r.Key == "gen_ai.agent.name" || r.Key == "gen_ai.input.messages"
		})
		older = append(older, d)
	}
	return dialect.NewMap(older...)
}

// oldCalls are so many calls, ten a run, spread over days back from at; of each tenth
// run the user is u.
func oldCalls(from, to, days int, at time.Time, u string) []byte {
	var spans bytes.Buffer
	for i := from; i < to; i++ {
		run := i / 10
		when := at.AddDate(0, 0, -(run%days)).UnixNano() + int64(i)*1e6
		user := fmt.Sprintf("user-%d", run%7)
		if run%10 == 3 {
			user = u
		}
		fmt.Fprintf(&spans, `,{"traceId":"0102030405060708090a0b0c%08x","spanId":"01020304%08x","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.agent.name","value":{"stringValue":"payer"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},{"key":"user.id","value":{"stringValue":"%s"}},
			{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"a crimson plum of %s for number %d\"}]}]"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":1000}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":10}}]}`, run+1, i+1, when, when+5e8, user, user, i)
	}
	return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[` + spans.String()[1:] + `]}]}]}`)
}

// sendOldCalls sends calls in parts.
func sendOldCalls(t testing.TB, a *App, calls, days int, at time.Time, u string) {
	t.Helper()
	for from := 0; from < calls; from += 1000 {
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", oldCalls(from, min(from+1000, calls), days, at, u)); r.status != http.StatusOK {
			t.Fatalf("sending: %+v", r)
		}
	}
}

// TestRemapKilled kills the process with SIGKILL while it maps again, three times. The
// job goes on by itself, ends once, and what it made is what one without a kill makes:
// no step is lost, none is there twice, sums and search agree.
func TestRemapKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	const calls, days = 15_000, 5 // 300 runs a day, after each of which progress is kept
	dir := t.TempDir()
	o := Options{Config: testConfig(filepath.Join(dir, "data")), Logger: slog.New(slog.DiscardHandler), Version: "test", Table: olderTable()}
	a, stop := launchWith(t, o)
	at := time.Now().UTC().Add(-3 * time.Hour)
	sendOldCalls(t, a, calls, days, at, "kim")
	c := client.New("http://"+a.Address("listen"), "")
	sum := func(c *client.Client, from, of string) string {
		t.Helper()
		res, err := c.Query(t.Context(), client.Query{From: from, Select: []client.Measure{{Func: "sum", Field: of, As: "x"}, {Func: "count", As: "n"}}, Start: at.AddDate(0, 0, -days-1).Format(time.RFC3339), End: time.Now().Add(time.Hour).UTC().Format(time.RFC3339), GroupBy: []string{"agent"}})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(res.Rows)
	}
	eventually(t, "all steps", func() bool { return strings.HasSuffix(sum(c, "steps", "duration_ms"), fmt.Sprintf(" %d]]", calls)) })
	stop()

	child := startChild(t, childOptions{Dir: dir})
	plan, err := child.api.PlanRemap(t.Context(), client.PlanRemapRequest{All: true})
	if err != nil {
		t.Fatal(err)
	}
	get := func() *client.Remap {
		t.Helper()
		r, err := child.api.GetRemap(t.Context(), client.RemapRequest{ID: plan.ID})
		if err != nil {
			t.Fatal(err)
		}
		if r.State == "failed" {
			t.Fatalf("it failed: %+v", r)
		}
		return r
	}
	// ends waits for a state as long as the job goes on: on a busy machine a day takes
	// long, and what stands still is wrong.
	ends := func(state string) {
		t.Helper()
		for done := int64(-1); ; {
			var r *client.Remap
			eventually(t, "the remap to go on to "+state, func() bool {
				r = get()
				return r.State == state || r.RunsDone > done
			})
			if done = r.RunsDone; r.State == state {
				return
			}
		}
	}
	ends("planned")
	if r := get(); r.Steps != calls || r.Changed != calls {
		t.Fatalf("planned %+v", r)
	}
	if _, err := child.api.ApplyRemap(t.Context(), client.RemapRequest{ID: plan.ID}); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for kill := range 3 {
		// Somewhere within the work: at once, then after some of what is left was kept.
		var seen *client.Remap
		eventually(t, "work to be killed in", func() bool {
			seen = get()
			return seen.State != "applying" || kill == 0 || seen.RunsDone >= int64(kill)*300
		})
		if seen.State != "applying" {
			break
		}
		kills++
		if err := child.end(t, syscall.SIGKILL); err == nil {
			t.Fatal("it was killed and ended well")
		}
		child = startChild(t, childOptions{Dir: dir})
	}
	if kills == 0 {
		t.Fatal("it was never killed within its work")
	}
	ends("applied")
	if list, err := child.api.ListRemaps(t.Context()); err != nil || len(list.Items) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := child.api.ApplyRemap(t.Context(), client.RemapRequest{ID: plan.ID}); err == nil {
		t.Error("it is applied a second time")
	}
	want := map[string]string{"steps": fmt.Sprintf("[[payer %v %d]]", float64(calls*1000), calls), "runs": fmt.Sprintf("[[payer %v %d]]", float64(calls*1000), calls/10)}
	holds := func(when string) {
		t.Helper()
		for from, w := range want {
			if got := sum(child.api, from, "input_tokens"); got != w {
				t.Errorf("%s: %s sum up to %s, want %s", when, from, got, w)
			}
		}
		for _, n := range []int{7, 12_345, calls - 1} {
			l, err := child.api.ListRuns(t.Context(), client.ListRunsRequest{From: "-10d", Query: fmt.Sprintf(`"for number %d"`, n), Limit: 10})
			if err != nil || len(l.Items) == 0 {
				t.Errorf("%s: what was said in call %d is not found: %v", when, n, err)
			}
		}
	}
	holds("applied")
	again, err := child.api.PlanRemap(t.Context(), client.PlanRemapRequest{All: true})
	if err != nil {
		t.Fatal(err)
	}
	plan = again
	ends("planned")
	if r := get(); r.Steps != calls || r.Changed != 0 {
		t.Errorf("a second plan: %d of %d steps differ", r.Changed, r.Steps)
	}
	t.Logf("killed %d times", kills)
}

// TestRemapAfterErasure plans, erases a user, and applies: what was erased does not
// come back, neither by the plan that saw it nor by a later one.
func TestRemapAfterErasure(t *testing.T) {
	t.Parallel()
	const calls = 400
	dir := filepath.Join(t.TempDir(), "data")
	options := func(table *dialect.Map) Options {
		c := testConfig(t.TempDir())
		c.Data = dir
		return Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test", Table: table}
	}
	a, stop := launchWith(t, options(olderTable()))
	at := time.Now().UTC().Add(-3 * time.Hour)
	sendOldCalls(t, a, calls, 2, at, "usr-kim-7731")
	c := client.New("http://"+a.Address("listen"), "")
	runs := func(q string) int {
		t.Helper()
		l, err := c.ListRuns(t.Context(), client.ListRunsRequest{From: "-10d", Query: q, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(l.Items)
	}
	eventually(t, "the runs", func() bool { return runs("status:done") == calls/10 })
	stop()

	a, stop = launchWith(t, options(nil))
	c = client.New("http://"+a.Address("listen"), "")
	plan, err := c.PlanRemap(t.Context(), client.PlanRemapRequest{All: true})
	plan = remapIs(t, c, plan, err, "planned")
	if plan.Changed != calls || runs("user:usr-kim-7731") != 4 {
		t.Fatalf("%+v, %d runs of the user", plan, runs("user:usr-kim-7731"))
	}
	x, err := c.ErasePerson(t.Context(), client.ErasePersonRequest{User: "usr-kim-7731", Reason: "asked for it"})
	if err != nil || !x.Whole {
		t.Fatalf("%+v, %v", x, err)
	}
	applied, err := c.ApplyRemap(t.Context(), client.RemapRequest{ID: plan.ID})
	if applied = remapIs(t, c, applied, err, "applied"); applied.Applied != calls-40 || applied.Failed != 0 {
		t.Errorf("%+v", applied)
	}
	second, err := c.PlanRemap(t.Context(), client.PlanRemapRequest{All: true})
	if second = remapIs(t, c, second, err, "planned"); second.Steps != calls-40 || second.Changed != 0 {
		t.Errorf("%+v", second)
	}
	if n := runs("user:usr-kim-7731"); n != 0 {
		t.Errorf("%d runs of the user came back", n)
	}
	if n := runs(`"crimson plum of user"`); n != calls/10-4 {
		t.Errorf("what others said is found in %d runs", n)
	}
	var left []string
	until := time.Now().Add(15 * time.Second)
	eventually(t, "an answer", func() bool {
		left = marksIn(t, dir, []string{"usr-kim-7731"})
		return len(left) == 0 || time.Now().After(until)
	})
	for _, l := range left {
		t.Error("it is there again: " + l)
	}
	stop()
}
