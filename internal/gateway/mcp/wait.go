package mcp

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"reeve/internal/approval"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// waitFor is how long a call is kept open for a person. Clients give up after a
// minute by themselves.
const waitFor = 45 * time.Second

// stateHeld marks a state that was given with a held call's address: what the
// client brings back says nothing and goes nowhere.
const stateHeld = 2

// Wait implements gateway.Waiter. A client that can show people a page is sent
// to the approval's, once; its retry waits. Whatever it answers there only ends
// the wait: a person decides in the console.
func (p *Protocol) Wait(ctx context.Context, w http.ResponseWriter, c *gateway.Call, _ *gateway.Proposal, h gateway.Held, decided <-chan struct{}) (answered bool, err error) {
	if x := p.holding(c); x != nil && isPage(h.Address) {
		page := pageOf(h)
		delete(page, "elicitationId") // left the protocol with 2026-07-28
		params := encoded(page)
		out := append([]byte(`{"jsonrpc":"2.0","id":`), x.m.id...)
		out = append(append(out, `,"result":{"resultType":"input_required","inputRequests":{"approval":{"method":"elicitation/create","params":`...), params...)
		out = append(append(out, `}},"requestState":`...), quote(p.seals.seal([]byte{stateHeld}, x.over()))...)
		out = append(out, `}}`...)
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(out))}
		w.WriteHeader(http.StatusOK)
		_, err := w.Write(out)
		return true, err
	}
	return false, p.hears(c, w, h).until(ctx, decided)
}

// holding is the held request of a client that can be sent to a page and was not
// yet; nil for another.
func (p *Protocol) holding(c *gateway.Call) *exchange {
	m, err := parse(c.Body)
	if err != nil || !isModern(m.own.version) || m.state.to != 0 || !methods[m.method].asks || !opensPages(m.own.caps.in(m.raw)) {
		return nil
	}
	x := &exchange{p: p, c: c, m: m, of: methods[m.method], modern: true}
	if atEntry(c) && x.entered() != nil {
		return nil
	}
	return x
}

// opensPages reports whether a client takes elicitation by URL.
func opensPages(caps []byte) (yes bool) {
	c := wire.NewCursor(caps)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "elicitation" {
			continue
		}
		for in := c.Object(); in.Next(); {
			yes = yes || string(in.Key) == "url"
		}
	}
	return yes && c.End() == nil
}

// Collect implements gateway.Collector: a retry has an id of its own.
func (p *Protocol) Collect(w http.ResponseWriter, c *gateway.Call, _ *gateway.Proposal, a approval.Answer) error {
	body := a.Body
	if asked, err := parse(c.Body); err == nil {
		body = withID(body, isStream(a.Header), asked.id)
	}
	switch {
	case c.Begun && !isStream(a.Header):
		body = wire.AppendSSE(nil, "message", body)
	case !c.Begun:
		h := w.Header()
		for k, v := range a.Header {
			if k != "Content-Length" && k != "Mcp-Session-Id" {
				h[k] = slices.Clone(v)
			}
		}
		w.WriteHeader(a.Status)
	}
	_, err := w.Write(body)
	return err
}

// withID is an answer with another id in its response.
func withID(body []byte, stream bool, id []byte) []byte {
	put := func(msg []byte) []byte {
		m, err := parse(msg)
		if err != nil || !m.isResponse() {
			return msg
		}
		return wire.Apply(nil, msg, []wire.Edit{{From: m.idAt.from, To: m.idAt.to, With: id}})
	}
	if !stream {
		return put(body)
	}
	var out []byte
	s := wire.SSE{Limit: maxAnswer}
	each := func(e *wire.Event) error {
		if len(e.Data) > 0 {
			out = wire.AppendSSE(out, "message", put(e.Data))
		}
		return nil
	}
	if s.Push(body, each) != nil || s.End(each) != nil {
		return body
	}
	return out
}
