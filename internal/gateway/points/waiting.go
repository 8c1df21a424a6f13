package points

import (
	"net/http"
	"sync"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/gateway"
)

// waiting keeps the questions that wait for people, by the ids of the decision
// that asked them and of their approval. Its zero value is empty; the oldest are forgotten first: who
// asks again joins the same approval.
type waiting struct {
	mu    sync.Mutex
	of    map[string]*heldQuestion
	order []string
}

// heldQuestion is a question that waits.
type heldQuestion struct {
	question gateway.Outside
	caller   gateway.Caller
	header   http.Header // without a credential: who comes for the answer has its own
	approval string
	asked    string                 // of AuthZEN: subject, action and resource
	first    *client.DecisionAnswer // hold

	mu     sync.Mutex
	final  *client.DecisionAnswer // once it is decided
	ground ground                 // of final
	large  bool                   // the question was not kept
}

const maxWaiting = 5_000

func (w *waiting) put(id string, o *gateway.Outside, approval, asked string, first *client.DecisionAnswer) {
	h := &heldQuestion{question: *o, caller: o.Caller, approval: approval, asked: asked, first: first, header: o.Header.Clone()}
	for _, name := range credentials {
		h.header.Del(name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]*heldQuestion{}
	}
	for len(w.order) >= maxWaiting {
		delete(w.of, w.order[0])
		w.order = w.order[1:]
	}
	for _, id := range []string{id, approval} {
		if _, again := w.of[id]; !again {
			w.order = append(w.order, id)
		}
		w.of[id] = h
	}
}

func (w *waiting) get(id string) (*heldQuestion, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, ok := w.of[id]
	return h, ok
}

// end keeps the answer and its ground. The question is kept while the answer may
// have to be given anew, unless it is large.
func (h *heldQuestion) end(a *client.DecisionAnswer, g ground) {
	h.final, h.ground = a, g
	o := &h.question
	if a.Verdict == activity.VerdictAllow.String() && len(o.Body) <= maxKept {
		return
	}
	h.large = true
	h.question = gateway.Outside{Caller: h.caller, Point: o.Point, Upstream: o.Upstream, Tool: o.Tool}
}

// outside is the question, to be decided again.
func (h *heldQuestion) outside() *gateway.Outside {
	o := h.question
	o.Header = h.header.Clone()
	o.Wait = 0
	return &o
}
