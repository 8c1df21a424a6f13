package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

func (h *house) uses(from, to time.Time) []string {
	h.t.Helper()
	list, err := h.Uses(h.t.Context(), from, to)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, u := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", u.Agent, u.Kind, u.Name, u.Seen, u.Detail)))
	}
	return out
}

func TestUses(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", nil)
	first := h.clock()
	h.worked("gpt-4o")
	h.observe(h.said(func(s *activity.Step) {
		s.Agent, s.Service, s.Source, s.Kind, s.ToolName = "refund", "", activity.SourceGateway, activity.KindMCP, "close_order"
	}))
	h.Decided(&activity.Decision{At: h.clock().UnixNano(), Agent: "refund", Registered: true, Team: "core", Environment: "production", Upstream: "crm", Tool: "close_order", Chain: []string{"boss"}, Policies: []activity.PolicyRef{{Policy: "core-refunds"}}})
	h.drain()
	// Of the door's call only what the door alone knows: the server of a tool that
	// steps had, and for whom it worked. Parts of the agent itself are no edges.
	want := []string{
		"refund dataset policies_v3 1", "refund model gpt-4o -1 openai", "refund peer boss 1 acts for it", "refund peer search 1", "refund server crm 1", "refund server orders 1",
		"refund source policies 1", "refund tool close_order -1 crm", "refund tool refund_order -1 orders",
	}
	sorted := func(from, to time.Time) []string {
		list := h.uses(from, to)
		slices.Sort(list)
		return list
	}
	for _, when := range []string{"in memory", "written", "after a restart"} {
		if got := sorted(first, first.Add(time.Hour)); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if when == "in memory" {
			h.flushed()
			continue
		}
		h.restart()
	}
	h.Decided(&activity.Decision{At: h.clock().UnixNano(), Agent: "refund", Registered: true, Team: "core", Environment: "production", Upstream: "crm", Tool: "never_made"})
	h.drain()
	if got := sorted(first, first.Add(time.Hour)); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "never_made") }) {
		t.Errorf("a tool that was only asked for is used: %q", got)
	}
	h.pass(10 * 24 * time.Hour)
	h.worked("gpt-4o") // partly in memory, partly written
	if got := sorted(first, h.clock()); !slices.Contains(got, "refund server orders 2") || !slices.Contains(got, "refund model gpt-4o -1 openai") {
		t.Errorf("over both days:\n%s", strings.Join(got, "\n"))
	}
	if got := sorted(h.clock(), h.clock().Add(time.Hour)); !slices.Contains(got, "refund server orders 1") || slices.Contains(got, "refund server crm 1") {
		t.Errorf("the second day:\n%s", strings.Join(got, "\n"))
	}
	h.flushed()
	if got := sorted(first.AddDate(0, 0, 2), first.AddDate(0, 0, 3)); !slices.Equal(got, []string{"refund model gpt-4o -1 openai", "refund tool refund_order -1 orders"}) {
		// In between nothing was counted by day; what is counted better elsewhere stays.
		t.Errorf("days without work:\n%s", strings.Join(got, "\n"))
	}
	if got := sorted(first.AddDate(0, 0, -9), first.AddDate(0, 0, -8)); len(got) != 0 {
		t.Errorf("before it was seen: %q", got)
	}
}
