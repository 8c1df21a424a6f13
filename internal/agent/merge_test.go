package agent

import (
	"net/netip"
	"slices"
	"testing"
)

func TestMergeOfTwoAgents(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.agent("refund")
	h.agent("refund-v2")
	aliases := []Alias{{"service", "refunds"}}
	if _, err := h.Update(t.Context(), as(developer), "refund-v2", Change{Aliases: &aliases}); err != nil {
		t.Fatal(err)
	}
	_, secret, err := h.CreateKey(t.Context(), as(developer), "refund-v2", NewKey{Label: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ name, into, reason, role, want string }{
		"itself":     {"refund", "refund", "r", developer, "agent.invalid"},
		"nobody":     {"other", "refund", "r", developer, "agent.not_found"},
		"into none":  {"refund-v2", "other", "r", developer, "agent.not_found"},
		"no reason":  {"refund-v2", "refund", " ", developer, "agent.invalid"},
		"a stranger": {"refund-v2", "refund", "r", responder, "agent.denied"},
	} {
		_, _, err := h.Merge(t.Context(), as(c.role), c.name, c.into, c.reason)
		h.want(name, err, c.want)
	}
	if a, _ := h.Lookup("refund-v2"); a.Lifecycle != Pilot {
		t.Fatalf("after refusals it is %s", a.Lifecycle)
	}
	merged, kept, err := h.Merge(t.Context(), as(developer), "refund-v2", "refund", "registered twice")
	if err != nil {
		t.Fatal(err)
	}
	if merged.Lifecycle != Retired || merged.MergedInto != "refund" || !slices.Equal(kept.Aliases, []Alias{{"service", "refunds"}, {"name", "refund-v2"}}) {
		t.Errorf("merged %+v into %+v", merged, kept)
	}
	h.restart()
	if _, _, err := h.Key(secret, netip.Addr{}); code(err) != "agent.key" {
		t.Errorf("its key lives: %v", err)
	}
	_, err = h.Unmerge(t.Context(), as(developer), "refund", "r")
	h.want("unmerging what is not merged", err, "agent.not_merged")
	back, err := h.Unmerge(t.Context(), as(developer), "refund-v2", "they differ")
	if err != nil {
		t.Fatal(err)
	}
	kept, _ = h.Lookup("refund")
	if back.Lifecycle != Pilot || back.MergedInto != "" || !slices.Equal(back.Aliases, aliases) || len(kept.Aliases) != 0 {
		t.Errorf("back %+v, kept %+v", back, kept)
	}
	if _, _, err := h.Key(secret, netip.Addr{}); code(err) != "agent.key" {
		t.Errorf("its key came back: %v", err)
	}
	if _, err := h.Promote(t.Context(), as(security), "refund-v2", Production, "ready"); err != nil {
		t.Fatal(err)
	}
	_, _, err = h.Merge(t.Context(), as(developer), "refund-v2", "refund", "r")
	h.want("a developer merges production", err, "agent.denied")
}
