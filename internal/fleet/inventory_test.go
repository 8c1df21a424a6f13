package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/telemetry"
)

// attr is an OTLP KeyValue of text, as it lies in a step.
func attr(key, value string) []byte {
	v := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), value)
	kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
	kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), v)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), kv)
}

func partsList(inv Inventory) []string {
	var out []string
	for _, p := range inv.Parts {
		mark := "?"
		if p.Known {
			mark = "+"
		}
		out = append(out, fmt.Sprintf("%s%s %s %d", mark, p.Kind, p.Name, p.Seen))
	}
	return out
}

func (h *house) inventory(a *agent.Agent, from, to time.Time) []string {
	h.t.Helper()
	inv, err := h.Inventory(h.t.Context(), a, from, to)
	if err != nil {
		h.t.Fatal(err)
	}
	return partsList(inv)
}

// worked is a day's work of the agent refund.
func (h *house) worked(model string) {
	is := func(edit func(*activity.Step)) activity.Step {
		return h.said(func(s *activity.Step) { s.Agent, s.AgentVersion = "refund", "1.4"; edit(s) })
	}
	h.observe(
		is(func(s *activity.Step) { s.Kind, s.Model, s.Provider = activity.KindModel, model, "openai" }),
		is(func(s *activity.Step) { s.Kind, s.Model, s.Provider = activity.KindModel, model, "openai" }),
		is(func(s *activity.Step) {
			s.Kind, s.ToolName, s.Attributes = activity.KindTool, "refund_order", attr("mcp.server.name", "orders")
		}),
		is(func(s *activity.Step) {
			s.Kind, s.Name, s.Attributes = activity.KindRetrieval, "policies", append(attr("db.collection.name", "policies_v3"), attr("openlineage.job.name", "nightly")...)
		}),
		is(func(s *activity.Step) { s.Kind, s.Name = activity.KindHandoff, "search" }),
	)
}

func TestInventory(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.o.Known = func(_ *agent.Agent, kind, name, detail string) bool {
		return kind == KindModel && name == "gpt-4o" && detail == "openai" || kind == KindServer && name == "orders"
	}
	a := h.register("refund", nil)
	h.register("search", nil)
	h.worked("gpt-4o")
	h.Decided(&activity.Decision{At: h.clock().UnixNano(), Agent: "refund", Registered: true, Team: "core", Environment: "production", Upstream: "crm", Policies: []activity.PolicyRef{{Policy: "core-refunds"}}})
	h.drain()
	want := []string{
		"+model gpt-4o 2", "?tool refund_order 1", "?server crm 1", "+server orders 1", "?source policies 1", "?dataset policies_v3 1",
		"+policy core-refunds 1", "?job nightly 1", "+peer search 1", "?code 1.4 0",
	}
	for _, when := range []string{"in memory", "written", "after a restart"} {
		if got := h.inventory(a, time.Time{}, time.Time{}); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if when == "in memory" {
			h.flushed()
			continue
		}
		known := h.o.Known
		h.restart()
		h.o.Known = known
	}
	if err := h.Approve(t.Context(), dev, a, KindTool, "refund_order", true, "ours"); err != nil {
		t.Fatal(err)
	}
	if got := h.inventory(a, time.Time{}, time.Time{}); got[1] != "+tool refund_order 1" {
		t.Errorf("approved: %s", got[1])
	}
	h.want("a stranger approves", h.Approve(t.Context(), as("viewer"), a, KindTool, "x", true, "r"), "fleet.denied")
	h.want("no kind", h.Approve(t.Context(), dev, a, "thing", "x", true, "r"), "fleet.part")
	h.want("no reason", h.Approve(t.Context(), dev, a, KindTool, "x", true, " "), "fleet.reason")
}

func TestInventoryOfTwoDates(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.register("refund", nil)
	first := h.clock()
	h.worked("gpt-4o")
	h.flushed()
	h.pass(10 * 24 * time.Hour)
	h.worked("gpt-5") // not written yet
	changes, err := h.Diff(t.Context(), a, first, h.clock(), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		if c.Change != "same" {
			got = append(got, fmt.Sprintf("%s %s %s %d->%d", c.Change, c.Kind, c.Name, c.Before, c.After))
		}
	}
	want := []string{"added model gpt-5 0->2", "removed model gpt-4o 2->0"}
	if !slices.Equal(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
	if got := h.inventory(a, first.AddDate(0, 0, 1), first.AddDate(0, 0, 5)); len(got) != 1 || got[0] != "?code 1.4 0" {
		t.Errorf("in days without work: %q", got)
	}
	_, err = h.Diff(t.Context(), a, h.clock(), first, 3)
	h.want("dates the wrong way round", err, "fleet.period")
	_, err = h.Diff(t.Context(), a, first, h.clock(), 0)
	h.want("no days", err, "fleet.period")
}

func TestPeersComeFromRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.register("refund", nil)
	h.observe(h.named("refund"))
	h.Observe(&telemetry.Write{Cursor: 9, Received: h.clock().UnixNano(), Runs: []activity.Run{{Revision: 1, Agent: "refund", Team: "core", Environment: "production", Agents: []string{"refund", "search"}}}})
	if got := h.inventory(a, time.Time{}, time.Time{}); !slices.Equal(got, []string{"?peer search 1"}) {
		t.Errorf("%q", got)
	}
}

// What a sender invents costs no memory without end.
func TestInventoryIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.register("refund", nil)
	for i := range 2 * maxItems {
		h.observe(h.said(func(s *activity.Step) {
			s.Agent, s.Kind, s.ToolName = "refund", activity.KindTool, fmt.Sprint("tool", i)
		}))
	}
	inv, err := h.Inventory(t.Context(), a, time.Time{}, time.Time{})
	if err != nil || len(inv.Parts) != maxItems || inv.Left != maxItems {
		t.Errorf("%d parts, %d left out, %v", len(inv.Parts), inv.Left, err)
	}
	h.flushed()
}

func BenchmarkObserve(b *testing.B) {
	h := bench(b)
	steps := make([]activity.Step, 20_000)
	for i := range steps {
		s := &steps[i]
		n := i / 10
		s.Revision, s.Team, s.Environment = 1, "core", "production"
		s.Run, s.Step = activity.RunOfKey(fmt.Sprint(n)), activity.StepOfKey(fmt.Sprint(i))
		s.Agent, s.AgentExplicit, s.Service, s.AgentVersion = fmt.Sprintf("agent-%d", n%300), true, fmt.Sprintf("svc-%d", n%300), "1.0"
		s.Start = time.Now().UnixNano()
		switch i % 10 {
		case 0:
			s.Kind = activity.KindAgent
		case 1, 3, 5, 7:
			s.Kind, s.Model, s.ModelRequested, s.Provider = activity.KindModel, "gpt-4o-2024-08-06", "gpt-4o", "openai"
		default:
			s.Kind, s.ToolName, s.Attributes = activity.KindTool, fmt.Sprint("tool", i%10), attr("mcp.server.name", "orders")
		}
	}
	w := &telemetry.Write{Steps: steps, Received: time.Now().UnixNano()}
	b.ReportAllocs()
	for b.Loop() {
		w.Cursor++
		h.Observe(w)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(steps)), "ns/step")
}
