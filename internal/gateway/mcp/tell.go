package mcp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// What a client hears while its call waits for a person: where the page is, when
// it can open one, and that it still waits, when it asked for progress. Both are
// events, so they begin the answer, and the response is an event too.

// tellEvery is how often a client hears that its call still waits.
const tellEvery = 5 * time.Second

// hearing is a client whose call waits.
type hearing struct {
	p   *Protocol
	w   http.ResponseWriter
	m   *message
	ses *session // nil without one
	h   gateway.Held

	begun    bool
	told     int           // signs of progress so far
	question string        // the id of ours that asks it to open the page; "" none
	declined chan struct{} // the client will not
}

func (p *Protocol) hears(c *gateway.Call, w http.ResponseWriter, h gateway.Held) *hearing {
	m, err := parse(c.Body)
	if err != nil { // it was proposed, so it can be read
		m = &message{}
	}
	k := &hearing{p: p, w: w, m: m, h: h, declined: make(chan struct{})}
	k.ses = p.sessionOf(c)
	if !accepts(c.Request.Header, "text/event-stream") {
		k.w = nil
	}
	return k
}

// sessionOf is the session that a call names; nil for none.
func (p *Protocol) sessionOf(c *gateway.Call) *session {
	id, there, err := one(c.Request.Header, "Mcp-Session-Id")
	if err != nil || !there {
		return nil
	}
	ses, err := p.sessions.find(id, ownerOf(c), revisionOf(c))
	if err != nil {
		return nil
	}
	return ses
}

// until waits for what is decided, as long as the client may. An error is why it
// waits no longer though nothing was decided; nil says that it may come again.
func (k *hearing) until(ctx context.Context, decided <-chan struct{}) error {
	cancelled, gone := make(<-chan struct{}), make(<-chan struct{})
	if k.ses != nil {
		wait, done := k.ses.hold(string(k.m.id))
		defer done()
		cancelled, gone = wait, k.ses.gone
	}
	k.page()
	defer k.paged()
	k.progress()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	limit := time.NewTimer(waitFor)
	defer limit.Stop()
	for {
		select {
		case <-decided:
			return nil
		case <-limit.C:
			return nil
		case <-k.declined:
			return nil
		case <-ctx.Done():
			return nil // the door says why
		case <-cancelled:
			return errCancelled
		case <-gone:
			return errSession
		case <-tick.C:
			k.progress()
		}
	}
}

// say gives the client an event.
func (k *hearing) say(msg []byte) {
	if k.w == nil {
		return
	}
	if !k.begun {
		k.begun = true
		h := k.w.Header()
		h["Content-Type"] = []string{"text/event-stream"}
		h["Cache-Control"] = []string{"no-cache, no-transform"}
		h["X-Accel-Buffering"] = []string{"no"}
		k.w.WriteHeader(http.StatusOK)
	}
	_, _ = k.w.Write(wire.AppendSSE(nil, "message", msg)) // ctx ends when the client is gone
	_ = http.NewResponseController(k.w).Flush()
}

// progress tells a client that asked for it that the call still waits. The
// server's own begins where ours ends: it only has to grow.
func (k *hearing) progress() {
	token := k.m.own.progress.in(k.m.raw)
	switch {
	case len(token) > 0:
		k.told++
		text := "a person must agree first: " + k.h.Reason
		if k.h.Address != "" {
			text += "; " + k.h.Address
		}
		msg := append([]byte(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`), token...)
		msg = strconv.AppendFloat(append(msg, `,"progress":`...), float64(k.told)/1e6, 'f', -1, 64)
		k.say(append(append(append(msg, `,"message":`...), quote(text)...), `}}`...))
	case k.begun:
		_, _ = k.w.Write([]byte(":\n\n")) // keeps those on the way from closing it
		_ = http.NewResponseController(k.w).Flush()
	}
}

// page asks a client with a session to open the approval's page, once for each
// approval. What it answers agrees to nothing.
func (k *hearing) page() {
	n := k.ses
	if n == nil || k.w == nil || !isPage(k.h.Address) || !opensPages(n.caps) || !n.page(k.h.Approval) {
		return
	}
	k.question = `"reeve-hold-` + rand.Text() + `"`
	if n.asking(k.question, ask{method: "elicitation/create", answer: k.heard}) != nil {
		k.question = ""
		return
	}
	msg := []byte(`{"jsonrpc":"2.0","id":` + k.question + `,"method":"elicitation/create","params":`)
	k.say(append(append(msg, encoded(pageOf(k.h))...), '}'))
}

// heard takes the client's answer to the page: who will not open it waits no
// longer.
func (k *hearing) heard(m *message) {
	var r struct{ Action string }
	if m.fault.to == 0 && json.Unmarshal(m.result.in(m.raw), &r) == nil && r.Action == "accept" {
		return
	}
	close(k.declined)
}

// paged tells the client that nothing more is to be done on the page.
func (k *hearing) paged() {
	if k.question == "" {
		return
	}
	k.ses.answered(k.question)
	k.say(append(append([]byte(`{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":`), quote(k.h.Approval)...), `}}`...))
}

// isPage reports whether an approval's address is one that a browser opens.
func isPage(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// pageOf is the approval's page as an elicitation.
func pageOf(h gateway.Held) map[string]any {
	return map[string]any{
		"mode": "url", "url": h.Address, "elicitationId": h.Approval,
		"message": "A person must agree to this action (" + h.Reason + "). It is decided on the page; accepting here only goes on waiting.",
	}
}

// comeBack says in an error how a call that still waits comes again: with the
// token it joins its approval from another session and run too.
func (p *Protocol) comeBack(c *gateway.Call, out *failure) {
	id := c.Approval()
	if id == "" {
		return
	}
	out.Data["retry_token"] = id
	h := c.Held()
	if ses := p.sessionOf(c); ses != nil && isPage(h.Address) && opensPages(ses.caps) {
		out.Code = codeOpen
		out.Data["elicitations"] = []any{pageOf(h)}
	}
}

// hold remembers that a call of the session waits for a person. cancelled is
// closed when the client cancels it.
func (n *session) hold(id string) (cancelled <-chan struct{}, done func()) {
	ch := make(chan struct{})
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held == nil {
		n.held = map[string]chan struct{}{}
	}
	n.held[id] = ch
	return ch, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.held[id] == ch {
			delete(n.held, id)
		}
	}
}

// cancelHeld ends the wait of a call; false when none waits under that id.
func (n *session) cancelHeld(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	ch, ok := n.held[id]
	if ok {
		delete(n.held, id)
		close(ch)
	}
	return ok
}

// page notes that the client is asked to open an approval's page; false when it
// was before.
func (n *session) page(approval string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paged[approval] {
		return false
	}
	if n.paged == nil || len(n.paged) >= maxOpenAsks {
		n.paged = map[string]bool{}
	}
	n.paged[approval] = true
	return true
}
