package points

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// claude answers Claude Code's http hooks: PreToolUse is decided, PostToolUse
// and PostToolUseFailure report how the call ended.
//
// Claude Code goes on when a hook answers with anything but 2xx, unless its
// settings say onFailure: block. So every refusal of a PreToolUse, also of a
// credential or of a body that cannot be read, is a 200 that denies. What is
// allowed is answered without a word: the user's own permission rules go on to
// hold. ?approve=true answers "allow" instead, for runs where nobody sits.
func (s *Server) claude(w http.ResponseWriter, r *http.Request) {
	who, err := s.speaker(r)
	var o object
	if err == nil {
		o, err = body(w, r)
	}
	var h hook
	if err == nil {
		h, err = readHook(o)
	}
	if err == nil && h.event != "PreToolUse" {
		s.claudeAfter(w, who, h)
		return
	}
	if err != nil {
		f := fault.From(err)
		w.Header().Set("X-Reeve-Code", f.Code)
		write(w, http.StatusOK, denies("Reeve refuses: "+f.Message))
		return
	}
	write(w, http.StatusOK, s.claudeBefore(r, w.Header(), who, h))
}

// claudeWait is how long a hook waits for a person unless its URL says wait_ms;
// the hook's own timeout must be longer.
const claudeWait = 20 * time.Second

// hook is what Claude Code tells of a tool call.
type hook struct {
	event, session, tool, callID string
	input, response              json.RawMessage
	failure                      string
}

func readHook(o object) (h hook, err error) {
	for name, to := range map[string]*string{
		"hook_event_name": &h.event, "session_id": &h.session, "tool_name": &h.tool, "tool_use_id": &h.callID, "error": &h.failure,
	} {
		if name == "error" {
			_ = json.Unmarshal(o[name], to) // in words, or not at all
			continue
		}
		if *to, err = o.text(name); err != nil {
			return h, err
		}
	}
	h.input, h.response = o["tool_input"], o["tool_response"]
	switch h.event {
	case "PreToolUse", "PostToolUse", "PostToolUseFailure":
	default:
		return h, invalid("the hook answers PreToolUse, PostToolUse and PostToolUseFailure, not %.40q", h.event)
	}
	if len(h.session) > maxName || len(h.callID) > maxName || !plain(h.session+h.callID) {
		return h, invalid("session_id and tool_use_id have at most %d bytes of text without control characters", maxName)
	}
	return h, nil
}

// hookOutput is the answer to a PreToolUse hook.
type hookOutput struct {
	Specific *hookDecision `json:"hookSpecificOutput,omitempty"`
}

type hookDecision struct {
	Event    string          `json:"hookEventName"`
	Decision string          `json:"permissionDecision,omitempty"` // allow, deny, ask
	Reason   string          `json:"permissionDecisionReason,omitempty"`
	Updated  json.RawMessage `json:"updatedInput,omitempty"`
}

func denies(why string) hookOutput {
	return hookOutput{&hookDecision{Event: "PreToolUse", Decision: "deny", Reason: why}}
}

func (s *Server) claudeBefore(r *http.Request, h http.Header, who Speaker, k hook) hookOutput {
	c, err := s.caller(who, r.URL.Query().Get("agent"), "")
	o := &gateway.Outside{Caller: c, Point: "claude_code", Tool: k.tool, Body: k.input, CallID: k.callID, Replaces: true}
	o.Header = who.proven(grouped(r.Header.Get("X-Reeve-Run"), or(r.Header.Get("X-Reeve-Session"), k.session), r.Header.Get("Traceparent")))
	if err == nil {
		err = toolCall(o)
	}
	if err != nil {
		f := fault.From(err)
		h.Set("X-Reeve-Code", f.Code)
		return denies("Reeve refuses: " + f.Message)
	}
	o.Wait = claudeWait
	if text := r.URL.Query().Get("wait_ms"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > maxWait.Milliseconds() {
			return denies("Reeve refuses: wait_ms in the hook's URL is between 0 and " + strconv.FormatInt(maxWait.Milliseconds(), 10))
		}
		o.Wait = time.Duration(n) * time.Millisecond
	}
	out := s.o.Door.Judge(r.Context(), o)
	h.Set("X-Reeve-Decision", out.Record.ID)
	if f := out.Fault; f != nil {
		h.Set("X-Reeve-Code", f.Code)
		why := "Reeve (" + out.Record.ID + "): " + f.Message
		if out.Held != nil {
			why += ". Ask for it at " + out.Held.Address + " and try again"
		}
		return denies(why)
	}
	s.hooks.put(hookKey(c.Agent.Name, k), out.Record.ID)
	d := &hookDecision{Event: "PreToolUse", Updated: out.Arguments}
	switch {
	case r.URL.Query().Get("approve") == "true":
		d.Decision, d.Reason = "allow", "Reeve: decision "+out.Record.ID
	case out.Arguments != nil:
		d.Decision, d.Reason = "ask", "Reeve took out of the input what may not leave (decision "+out.Record.ID+")"
	default:
		return hookOutput{}
	}
	return hookOutput{d}
}

// claudeAfter completes the decision of a call that ran. There is nothing to
// refuse any more: whatever happens, the answer holds nobody up.
func (s *Server) claudeAfter(w http.ResponseWriter, who Speaker, k hook) {
	name := ""
	if who.Agent != nil {
		name = who.Agent.Agent.Name
	}
	id := s.hooks.take(hookKey(name, k))
	rep := gateway.Report{OK: k.event == "PostToolUse", Result: k.response, Error: k.failure}
	err := error(errNotKnown)
	if id != "" {
		_, err = s.o.Door.Complete(id, rep, who.may)
	}
	if err != nil {
		w.Header().Set("X-Reeve-Code", fault.From(err).Code)
	}
	write(w, http.StatusOK, struct{}{})
}

var errNotKnown = fault.New(fault.KindNotFound, "decision.not_open", "no decision is known for this call")

// hookKey is by what a call is known again once it ran.
func hookKey(agent string, k hook) [sha256.Size]byte {
	h := sha256.New()
	last := []byte(k.callID)
	if k.callID == "" {
		last = append([]byte("input:"), k.input...)
	}
	for _, part := range [...][]byte{[]byte(agent), []byte(k.session), []byte(k.tool), last} {
		h.Write(part)
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// ids remembers the decisions of calls whose callers do not keep them. Its zero
// value is empty; the oldest are forgotten first.
type ids struct {
	mu    sync.Mutex
	of    map[[sha256.Size]byte]string
	order [][sha256.Size]byte
}

const maxIDs = 20_000

func (m *ids) put(k [sha256.Size]byte, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[[sha256.Size]byte]string{}
	}
	if len(m.order) >= maxIDs {
		delete(m.of, m.order[0])
		m.order = m.order[1:]
	}
	m.of[k] = id
	m.order = append(m.order, k)
}

func (m *ids) take(k [sha256.Size]byte) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.of[k]
	delete(m.of, k)
	return id
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
