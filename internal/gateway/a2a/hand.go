package a2a

import (
	"net/http"
	"unicode/utf8"

	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// What a person gives who takes a held call over is words, or JSON: here it
// becomes a completed task of ours, whose artifact it is, in the words of
// whichever call asks for it.

// byHand is the kind of an answer that a person gave; no peer's answer is taken
// for one, since it leads only to what is said of tasks.
const byHand = "application/vnd.reeve.by-hand+json"

var errByHand = fault.New(fault.KindDenied, "approval.taken", "a person does this instead, and what they gave is no answer to this call").
	WithHint("do not do it; further calls of this run wait for that person")

// Answered implements gateway.Answerer.
func (p *Protocol) Answered(c *gateway.Call, _ *gateway.Proposal, a approval.Answer) approval.Answer {
	id := c.Approval()
	t := Task{}
	s, _ := c.State.(*asking)
	if s != nil {
		t, _ = p.tasks.get(s.owner.Upstream, ownsHeld, id, s.owner.Owner)
		if t.Context == "" {
			t.Context = s.asked.context
		}
	}
	if t.Context == "" {
		t.Context = id
	}
	now := p.o.Now()
	if of, ok := p.o.Approvals.Known(c.Context, id); ok && !of.EndedAt.IsZero() {
		now = of.EndedAt // the same, however often it is asked for
	}
	state, text := "TASK_STATE_COMPLETED", "A person did this instead of the agent that was asked: the artifact is what they gave."
	if a.Status >= http.StatusBadRequest {
		state, text = "TASK_STATE_FAILED", wordsOf(a.Body)
	}
	task := taskJSON(id, t.Context, state, text, now)
	if a.Status < http.StatusBadRequest {
		task["artifacts"] = []any{object{"artifactId": id + "-answer", "name": "answer", "parts": []any{partOf(a.Body)}}}
	}
	body, err := encode(object{"task": task})
	if err != nil { // words of a task of ours: nothing of it fails to encode
		body = nil
	}
	return approval.Answer{Status: http.StatusOK, Header: map[string][]string{"Content-Type": {byHand}}, Body: body}
}

// partOf is what a person gave as a part: an object as data, the rest as text.
func partOf(body []byte) object {
	if strict(body) == nil && isObject(body) {
		if v, err := decode(body); err == nil {
			return object{"data": v, "mediaType": "application/json"}
		}
	}
	return object{"text": wordsOf(body), "mediaType": "text/plain"}
}

// wordsOf is what a person gave as text that every binding can carry.
func wordsOf(body []byte) string {
	if utf8.Valid(body) {
		return string(body)
	}
	return string([]rune(string(body))) // bytes that are none become U+FFFD
}

// giveByHand gives what a person gave, whatever wire the call came on.
func (p *Protocol) giveByHand(w http.ResponseWriter, c *gateway.Call, s *asking, k *kept) error {
	if s == nil || k.result == nil || !s.asked.tells() {
		p.Refuse(w, c, errByHand, "")
		return nil
	}
	return p.retell(w, c, s, k.result)
}
