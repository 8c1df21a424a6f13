package agent

import (
	"context"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
)

// What an agent can be pinned to.
const (
	PinModel   = "model"
	PinVersion = "version"
)

// Pin holds an agent to one model or one version for a while: what a person does
// when a model has become bad, or a version was released that should not have been.
type Pin struct {
	Kind string `json:"kind"`
	// From is the model that is asked for and not called any more; "" of a version.
	From string `json:"from,omitempty"`
	// Value is the model that is called in its place, or the version that may act.
	Value  string    `json:"value"`
	Till   time.Time `json:"till,omitzero"` // zero: until somebody takes it out
	By     string    `json:"by"`            // as revisions show it
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

const maxPins = 8

// inForce reports whether a pin holds at now.
func (p *Pin) inForce(now time.Time) bool { return p.Till.IsZero() || now.Before(p.Till) }

// slot is what a pin is about: there is one of each.
func (p *Pin) slot() string { return p.Kind + " " + p.From }

// Pinned are the pins in force at now. The result is shared when all of them are.
func (a *Agent) Pinned(now time.Time) []Pin {
	if !slices.ContainsFunc(a.Pins, func(p Pin) bool { return !p.inForce(now) }) {
		return a.Pins
	}
	return slices.DeleteFunc(slices.Clone(a.Pins), func(p Pin) bool { return !p.inForce(now) })
}

// PinnedModel is the model that is called in place of another at now; "" for none.
func (a *Agent) PinnedModel(model string, now time.Time) string {
	for i := range a.Pins {
		if p := &a.Pins[i]; p.Kind == PinModel && p.From == model && p.inForce(now) {
			return p.Value
		}
	}
	return ""
}

// PinnedVersion is the one version that may act at now; "" for any.
func (a *Agent) PinnedVersion(now time.Time) string {
	for i := range a.Pins {
		if p := &a.Pins[i]; p.Kind == PinVersion && p.inForce(now) {
			return p.Value
		}
	}
	return ""
}

// check refuses a pin that cannot be kept.
func (p *Pin) check() error {
	switch {
	case p.Kind != PinModel && p.Kind != PinVersion:
		return oneOf("a pin's kind", p.Kind, []string{PinModel, PinVersion})
	case p.Value == "" || !plain(p.Value, maxText) || !plain(p.From, maxText):
		return invalid("a pin names a %s in a line of at most %d bytes", p.Kind, maxText)
	case p.Kind == PinVersion && p.From != "":
		return invalid("a pin to a version has no other that it is in place of")
	case p.Kind == PinModel && (p.From == "" || p.From == p.Value):
		return invalid("a pin to a model says in place of which other")
	}
	return nil
}

// Pin holds an agent to a model or version, in place of a pin about the same:
// developer, responder or security. Only Kind, From, Value and Till of p are read.
func (r *Registry) Pin(ctx context.Context, who Actor, name string, p Pin, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "pin", reason, func(before, after *Agent) error {
		if err := who.need(before, "pinning", responder, developer, security); err != nil {
			return err
		}
		if err := alive(before); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		now := r.now()
		p.Value, p.From, p.Till, p.At, p.By, p.Reason = strings.TrimSpace(p.Value), strings.TrimSpace(p.From), micros(p.Till), micros(now), who.Name, reason
		if err := p.check(); err != nil {
			return err
		}
		if !p.Till.IsZero() && !p.Till.After(now) {
			return invalid("a pin ends in the future")
		}
		kept := slices.DeleteFunc(slices.Clone(before.Pinned(now)), func(o Pin) bool { return o.slot() == p.slot() })
		if p.Kind == PinModel && slices.ContainsFunc(kept, func(o Pin) bool { return o.Kind == PinModel && (o.From == p.Value || o.Value == p.From) }) {
			return fault.New(fault.KindConflict, "agent.pin_chain", "a model that is called in place of another is not itself replaced").
				WithHint("take the other pin out first: `reeve agent unpin %s`", name)
		}
		after.Pins = append(kept, p)
		return nil
	})
}

// Unpin takes a pin out: responder, developer or security. From is the model that
// was asked for, "" for the version.
func (r *Registry) Unpin(ctx context.Context, who Actor, name, kind, from, reason string) (*Agent, error) {
	return r.change(ctx, who, name, 0, "unpin", reason, func(before, after *Agent) error {
		if err := who.need(before, "taking pins out", responder, developer, security); err != nil {
			return err
		}
		if err := needReason(reason); err != nil {
			return err
		}
		slot := (&Pin{Kind: kind, From: from}).slot()
		after.Pins = slices.DeleteFunc(slices.Clone(before.Pinned(r.now())), func(o Pin) bool { return o.slot() == slot })
		if len(after.Pins) == len(before.Pinned(r.now())) {
			return fault.New(fault.KindConflict, "agent.not_pinned", "agent %s has no such pin", name).WithHint("`reeve agent show %s` lists them", name)
		}
		return nil
	})
}

// VersionNow is the version that was observed last, also before it is written
// down; "" unknown.
func (r *Registry) VersionNow(name string) string {
	e, ok := r.entry(name)
	if !ok {
		return ""
	}
	if v := e.version.Load(); v != nil {
		return *v
	}
	return e.at.Load().Version
}
