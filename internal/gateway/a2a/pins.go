package a2a

import (
	"context"
	"encoding/json"

	"reeve/internal/pin"
)

// Pins remembers definitions as people accepted them; *pin.Book is one.
type Pins interface {
	See(ctx context.Context, upstream string, tools []pin.Tool, whole bool) ([]pin.Pin, error)
	Lookup(upstream, tool string) (pin.Pin, bool)
}

// PinName is what a peer's card is called among the definitions that wait for a
// person.
func PinName(upstream string) string { return upstream + "-card" }

// definition is a card as a definition: its name and description stand by
// themselves, so that a change of words is shown as one, and everything else,
// with the words of its skills, in annotations.
func (k *card) definition(upstream string) (pin.Tool, error) {
	o, err := cardJSON(k.pb)
	if err != nil {
		return pin.Tool{}, err
	}
	t := pin.Tool{Name: PinName(upstream), Title: k.pb.GetName(), Description: k.pb.GetDescription()}
	delete(o, "name")
	delete(o, "description")
	text, err := canonicalJSON(o)
	t.Annotations = json.RawMessage(text)
	return t, err
}

// seen has a card compared with what people accepted; what cannot be noted is
// not accepted either.
func (p *Protocol) seen(ctx context.Context, upstream string, k *card) {
	if p.o.Pins == nil {
		return
	}
	// The call that found it may end; what was found is kept.
	list, err := p.o.Pins.See(context.WithoutCancel(ctx), upstream, []pin.Tool{k.tool}, true)
	switch {
	case err != nil:
		p.o.Logger.Warn("a peer's card could not be compared with what was accepted", "upstream", upstream, "err", err)
	case len(list) == 1 && list[0].State != pin.Accepted:
		p.o.Logger.Info("a peer's card waits for a person", "upstream", upstream, "reason", list[0].Reason)
	}
}

// pinned is the pin of this very card, and whether a person accepted it.
func (p *Protocol) pinned(upstream string, k *card) (pin.Pin, bool) {
	if p.o.Pins == nil {
		return pin.Pin{}, false
	}
	q, ok := p.o.Pins.Lookup(upstream, PinName(upstream))
	return q, ok && q.State == pin.Accepted && q.Hash == k.hash && q.Listed == k.hash
}
