package a2a

import (
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	a2apb "github.com/a2aproject/a2a-go/v2/a2apb/v1"

	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// What a held message came to is kept as it was answered: to whichever call
// forwarded it, in that call's wire. Here it becomes the answer to another call,
// which may ask in another wire, and for a task instead of a message's answer.

var errKept = fault.New(fault.KindDenied, "approval.answer_lost", "it happened, and its answer was kept for another binding").WithHint("ask for the task")

// Collect implements gateway.Collector: it gives a stored answer.
func (p *Protocol) Collect(w http.ResponseWriter, c *gateway.Call, _ *gateway.Proposal, a approval.Answer) error {
	k := kept{kind: mediaType(http.Header(a.Header)), body: a.Body}
	k.read()
	s, _ := c.State.(*asking)
	if k.kind == byHand {
		return p.giveByHand(w, c, s, &k)
	}
	if s != nil && k.result != nil && !k.passes(s) {
		return p.retell(w, c, s, k.result)
	}
	b := wireOf(c)
	if b != k.binding || b == gRPC && k.events == 0 {
		p.Refuse(w, c, errKept, "")
		return nil
	}
	h, body := w.Header(), a.Body
	for name, v := range a.Header {
		h[name] = v
	}
	switch b {
	case gRPC:
		h[http.TrailerPrefix+"Grpc-Status"] = []string{"0"}
	case jsonRPC:
		// An answer carries the id of the call that gets it.
		if id := idOf(c); id != nil && k.kind != "text/event-stream" && strict(body) == nil {
			body = with(body, "id", id)
		}
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(body)
	return err
}

// retell gives a stored result in the words of the call that collects it.
func (p *Protocol) retell(w http.ResponseWriter, c *gateway.Call, s *asking, result object) error {
	x := &exchange{p: p, u: c.Upstream, r: s.asked, c: s.asked, owner: s.owner, to: iface{wire: wire{httpJSON, era10}}}
	if s.held != nil {
		x.alias = s.held.id
		task, _ := result["task"].(object)
		if id, _ := task["id"].(string); id != "" && id != x.alias {
			if own, _ := p.tasks.whose(x.u.Name, ownsTask, id, s.owner.Owner); own {
				p.tasks.lead(x.u.Name, x.alias, id) // a call of its own forwarded it
			}
			renameTask(result, id, x.alias)
		}
	}
	resp, err := x.give(result)
	if err != nil {
		return err
	}
	return x.write(w, resp)
}

// kept is a stored answer.
type kept struct {
	kind string
	body []byte

	binding binding
	era     era
	bare    bool   // it is a task, and not what answers a message
	events  int    // how many results it has
	result  object // the first that is a task or a message, as 1.0 answers to a message; nil: there is none
}

// passes reports whether a call may have the bytes as they are.
func (k *kept) passes(s *asking) bool {
	o := ops[s.asked.op]
	if s.asked.binding != k.binding || s.asked.era != k.era {
		return false
	}
	if k.events > 1 {
		return o.streams
	}
	return s.held == nil && !k.bare && o.streams == (k.kind == "text/event-stream")
}

// read finds the result. What cannot be read has none.
func (k *kept) read() {
	switch k.kind {
	case "application/grpc+proto":
		k.binding = gRPC
		k.frames()
	case "text/event-stream":
		k.binding = httpJSON
		for b := k.body; ; {
			end := eventEnd(b, 0)
			if end == 0 {
				return
			}
			if data, ok := eventData(b[:end]); ok {
				k.take(data)
			}
			b = b[end:]
		}
	default:
		k.binding = httpJSON
		k.take(k.body)
	}
}

// take reads one result in JSON.
func (k *kept) take(data []byte) {
	if strict(data) != nil || !isObject(data) {
		return
	}
	k.events++
	if find(data, "jsonrpc") != nil {
		k.binding = jsonRPC
		if data = find(data, "result"); !isObject(data) {
			return
		}
	}
	v, err := decode(data)
	o, ok := v.(object)
	if err != nil || !ok {
		return
	}
	if _, old := o["kind"].(string); old {
		k.era = era03
		if v, err = newResult(opSend, o); err != nil {
			return
		}
		o, _ = v.(object)
	}
	k.found(o)
}

// found notes a result of 1.0.
func (k *kept) found(o object) {
	_, task := o["task"].(object)
	_, message := o["message"].(object)
	_, id := o["id"].(string)
	_, status := o["status"].(object)
	switch {
	case k.result != nil:
	case task || message:
		k.result = o
	case id && status:
		k.result, k.bare = object{"task": o}, true
	}
}

// frames reads the messages of gRPC: a task or what answers a message, of which
// the bytes do not say which; only one of both has an id where it should.
func (k *kept) frames() {
	for b := k.body; len(b) >= frameHead; {
		n := int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4])
		if b[0] != 0 || n > len(b)-frameHead {
			return
		}
		msg := b[frameHead : frameHead+n]
		b = b[frameHead+n:]
		k.events++
		var r a2apb.StreamResponse
		var t a2apb.Task
		var m proto.Message
		switch {
		case proto.Unmarshal(msg, &r) == nil && (r.GetTask().GetId() != "" && r.GetTask().GetStatus() != nil || r.GetMessage().GetMessageId() != "" || r.GetStatusUpdate().GetTaskId() != "" || r.GetArtifactUpdate().GetTaskId() != ""):
			m = &r
		case proto.Unmarshal(msg, &t) == nil && t.GetId() != "" && t.GetStatus() != nil:
			m = &t
		default:
			continue
		}
		text, err := protojson.Marshal(m)
		if err != nil {
			continue
		}
		if o, ok := decoded(text).(object); ok {
			k.found(o)
		}
	}
}
