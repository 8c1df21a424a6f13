package agent

import (
	"testing"
	"time"
)

func TestPins(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	pin := func(role, kind, from, value string, life time.Duration) error {
		p := Pin{Kind: kind, From: from, Value: value, By: "somebody else"}
		if life != 0 {
			p.Till = h.now.Add(life)
		}
		_, err := h.Pin(ctx, as(role), "refund", p, "it is worse")
		return err
	}
	h.want("an auditor", pin(auditor, PinModel, "a", "b", 0), "agent.denied")
	h.want("an unknown kind", pin(responder, "tool", "a", "b", 0), "agent.invalid")
	h.want("to nothing", pin(responder, PinModel, "a", "", 0), "agent.invalid")
	h.want("in place of nothing", pin(responder, PinModel, "", "b", 0), "agent.invalid")
	h.want("to itself", pin(responder, PinModel, "a", "a", 0), "agent.invalid")
	h.want("a version in place of one", pin(responder, PinVersion, "a", "b", 0), "agent.invalid")
	h.want("two lines", pin(responder, PinModel, "a", "b\nc", 0), "agent.invalid")
	h.want("in the past", pin(responder, PinModel, "a", "b", -time.Hour), "agent.invalid")
	h.want("a model", pin(responder, PinModel, "a", "b", time.Hour), "")
	h.want("what replaces", pin(responder, PinModel, "b", "c", 0), "agent.pin_chain")
	h.want("by what is replaced", pin(responder, PinModel, "c", "a", 0), "agent.pin_chain")
	h.want("another place", pin(developer, PinModel, "a", "d", 2*time.Hour), "")
	h.want("a version", pin(responder, PinVersion, "", "v1", 0), "")
	h.restart()
	a, _ := h.Lookup("refund")
	if len(a.Pins) != 2 || a.PinnedModel("a", h.now) != "d" || a.PinnedModel("b", h.now) != "" || a.PinnedVersion(h.now) != "v1" || a.Pins[0].By != developer || a.Pins[0].Reason != "it is worse" {
		t.Errorf("pins %+v", a.Pins)
	}
	h.pass(2 * time.Hour)
	if a, _ := h.Lookup("refund"); a.PinnedModel("a", h.now) != "" || len(a.Pinned(h.now)) != 1 || len(a.Pins) != 2 {
		t.Errorf("after its time: %+v", a.Pins)
	}
	if err := h.end(ctx); err != nil {
		t.Fatal(err)
	}
	if a, _ := h.Lookup("refund"); len(a.Pins) != 1 {
		t.Errorf("tidied: %+v", a.Pins)
	}
	unpin := func(role, kind, from, reason string) error {
		_, err := h.Unpin(ctx, as(role), "refund", kind, from, reason)
		return err
	}
	h.want("an auditor", unpin(auditor, PinVersion, "", "well"), "agent.denied")
	h.want("without a reason", unpin(responder, PinVersion, "", " "), "agent.invalid")
	h.want("what is not there", unpin(responder, PinModel, "a", "well"), "agent.not_pinned")
	h.want("the version", unpin(responder, PinVersion, "", "well"), "")
	if a, _ := h.Lookup("refund"); len(a.Pins) != 0 {
		t.Errorf("out: %+v", a.Pins)
	}
	for i := range maxPins {
		h.want("one more", pin(responder, PinModel, string(rune('e'+i)), "z", 0), "")
	}
	h.want("one too many", pin(responder, PinModel, "y", "z", 0), "agent.invalid")
}
