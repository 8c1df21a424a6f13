package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/stat"
)

// streamRuns are the spans of n runs of an agent that said how they ended.
func streamRuns(first, n int, agent string, outcome func(i int) string, more ...any) []string {
	at := time.Now().Add(-time.Minute)
	out := make([]string, 0, n)
	for i := range n {
		attributes := append([]any{"gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", agent, "reeve.label.case", fmt.Sprintf("%s-%d", agent, i)}, more...)
		if o := outcome(i); o != "" {
			attributes = append(attributes, "reeve.outcome", o)
		}
		out = append(out, spanJSON(first+i, 0, -1, "agent", at, at.Add(time.Second), false, attributes...))
	}
	return out
}

// patiently is eventually for work that a busy machine takes minutes for.
func patiently(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited for %s in vain", what)
		case <-tick.C:
		}
	}
}

// The promise of a stated accuracy, through the real engine: with 94 % seeded
// against "at least 95 %" the alarm comes within a minute of the label that
// decides, and of streams at 96 % at most 5 % ever alarm.
func TestObjectiveOfAccuracy(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	put := func(name, kpi, agent string) {
		t.Helper()
		if _, err := c.PutObjective(t.Context(), client.PutObjectiveRequest{Name: name, KPI: kpi, Agent: agent, Target: 0.95, Coverage: 0.01, Minimum: 1e6, Stream: &client.ObjectiveStream{Labels: 500}}); err != nil {
			t.Fatal(err)
		}
	}

	// The labels of the stream are those of seed 39, of which the last decides.
	r, s := rand.New(rand.NewPCG(39, 94)), stat.NewSequence(0.95, 0.05, 500)
	var labels []string
	for !s.Alarm() {
		good := r.Float64() < 0.94
		s.Add(good)
		labels = append(labels, map[bool]string{true: "resolved", false: "failed"}[good])
	}
	put("accuracy", "answer_accuracy", "answers")
	for part := range slices.Chunk(streamRuns(1_000_000, len(labels), "answers", func(int) string { return "" }), 500) {
		sendSpans(t, a, part...)
	}
	say := func(i int) error {
		_, err := c.ReportOutcome(t.Context(), client.ReportOutcomeRequest{Source: "cases", SenderID: fmt.Sprint(i), Key: fmt.Sprintf("case=answers-%d", i), Outcome: labels[i]})
		return err
	}
	stands := func(name string) *client.Objective {
		t.Helper()
		o, err := c.GetObjective(t.Context(), client.ObjectiveRequest{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	last := len(labels) - 1
	for begin := 0; begin < last; begin += 500 {
		// A bet begins with every 500th label: those before are counted first, so
		// that the order in which runs are found within 500 does not matter.
		end := min(begin+500, last)
		g := new(errgroup.Group)
		g.SetLimit(8)
		for i := begin; i < end; i++ {
			g.Go(func() error { return say(i) })
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		patiently(t, fmt.Sprintf("%d labels to be counted", end), func() bool {
			o := stands("accuracy")
			return o.Status.Stream != nil && o.Status.Stream.N == int64(end)
		})
	}
	if o := stands("accuracy"); o.Status.Stream.Short || slices.ContainsFunc(o.Status.Alarms, func(h client.ObjectiveHeld) bool { return h.Kind == "missed" }) {
		t.Fatalf("it alarms before the label that decides: %+v", o.Status.Stream)
	}
	told := time.Now()
	if err := say(last); err != nil {
		t.Fatal(err)
	}
	var held client.ObjectiveHeld
	patiently(t, "the alarm", func() bool {
		list := stands("accuracy").Status.Alarms
		i := slices.IndexFunc(list, func(h client.ObjectiveHeld) bool { return h.Kind == "missed" })
		if i >= 0 {
			held = list[i]
		}
		return i >= 0
	})
	took := time.Since(told).Round(time.Millisecond)
	t.Logf("after %d labels at %.1f %% the alarm came %v after the last", len(labels), 100*float64(s.Passed)/float64(s.Seen), took)
	if took > time.Minute {
		t.Errorf("the alarm came %v after the label that decides; within a minute is promised", took)
	}
	f, err := c.GetFinding(t.Context(), client.FindingRequest{ID: held.Finding})
	if err != nil || f.Detector != "objective_missed" || f.Agent != "answers" || len(f.Runs) == 0 || !strings.Contains(f.Seen, "holds however often one looks") {
		t.Errorf("the finding is %+v, %v", f, err)
	}

	// 200 streams at 96 %.
	const streams, each = 200, 100
	r = rand.New(rand.NewPCG(96, 96))
	for i := range streams {
		agent := fmt.Sprintf("steady-%d", i)
		put(agent, "task_completion", agent)
	}
	patiently(t, "all objectives to be looked at", func() bool {
		list, err := c.ListObjectives(t.Context(), client.ListObjectivesRequest{State: "waiting"})
		return err == nil && len(list.Items) == 0
	})
	for i := range streams {
		sendSpans(t, a, streamRuns(2_000_000+i*each, each, fmt.Sprintf("steady-%d", i), func(int) string {
			if r.Float64() < 0.96 {
				return "resolved"
			}
			return "failed"
		})...)
	}
	alarms := map[string]bool{}
	patiently(t, "all labels to be counted", func() bool {
		list, err := c.ListObjectives(t.Context(), client.ListObjectivesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range list.Items {
			o := &list.Items[i]
			if !strings.HasPrefix(o.Name, "steady-") || o.Status.Stream == nil {
				continue
			}
			if o.Status.Stream.N == each {
				n++
			}
			if o.Status.Stream.Short {
				alarms[o.Name] = true
			}
		}
		return n == streams
	})
	t.Logf("%d of %d streams at 96 %% alarm", len(alarms), streams)
	if len(alarms) > streams/20 {
		t.Errorf("%d of %d streams at 96 %% alarm", len(alarms), streams)
	}
}
