package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"

	"reeve/internal/approval"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// Answered implements gateway.Answerer: what a person gave in the server's place
// becomes the result of the client's request, under its id, in the words of its
// era and as JSON, unless the client takes a stream alone. A status from 400 is
// a tool's error, since HTTP's is that of the transport.
func (p *Protocol) Answered(c *gateway.Call, _ *gateway.Proposal, a approval.Answer) approval.Answer {
	m, err := parse(c.Body)
	if err != nil || !m.isRequest() { // it was proposed, so it is one
		return a
	}
	modern := isModern(m.own.version)
	member, value := ready(a.Body, modern)
	if value == nil {
		member, value = "result", byHand(m, a)
	}
	if member == "result" && modern {
		value = asModern(m.method, value)
	}
	msg := append([]byte(`{"jsonrpc":"2.0","id":`), m.id...)
	msg = append(append(append(append(msg, `,"`...), member...), `":`...), value...)
	msg = append(msg, '}')
	kind := "application/json"
	if h := c.Request.Header; !accepts(h, kind) && accepts(h, "text/event-stream") {
		kind, msg = "text/event-stream", wire.AppendSSE(nil, "message", msg)
	}
	return approval.Answer{Status: http.StatusOK, Header: map[string][]string{"Content-Type": {kind}}, Body: msg}
}

// byHand is a result of a person's words.
func byHand(m *message, a approval.Answer) []byte {
	text := string(a.Body)
	switch m.method {
	case "tools/call":
		out := map[string]any{"content": []any{map[string]any{"type": "text", "text": text}}}
		if isObject(a.Body) { // clients look for it where the tool has an output schema
			out["structuredContent"] = json.RawMessage(a.Body)
		}
		if a.Status >= http.StatusBadRequest {
			out["isError"] = true
		}
		return encoded(out)
	case "resources/read":
		return encoded(map[string]any{"contents": []any{map[string]any{"uri": m.uri, "text": text}}})
	case "prompts/get":
		return encoded(map[string]any{"messages": []any{map[string]any{"role": "user", "content": map[string]any{"type": "text", "text": text}}}})
	case "completion/complete":
		return encoded(map[string]any{"completion": map[string]any{"values": []any{text}}})
	}
	return []byte(`{}`)
}

// ready is the result or the error of a body that is a whole JSON-RPC response
// already, whatever id it has; nil for another, and for one that would ask the
// client for more: nobody waits for what it brings.
func ready(body []byte, modern bool) (member string, value []byte) {
	ours, count := false, 0
	c := wire.NewCursor(body)
	if c.Kind() != '{' {
		return "", nil
	}
	for o := c.Object(); o.Next(); {
		from := c.Pos()
		switch key := string(o.Key); key {
		case "jsonrpc":
			ours = string(c.Word()) == "2.0"
		case "result", "error":
			c.Skip()
			member, value = key, bytes.TrimSpace(c.Since(from))
			count++
		case "method":
			return "", nil
		}
	}
	if c.End() != nil || !ours || count != 1 || !isObject(value) {
		return "", nil
	}
	if member == "error" {
		var e struct {
			Code    *int    `json:"code"`
			Message *string `json:"message"`
		}
		if json.Unmarshal(value, &e) != nil || e.Code == nil || e.Message == nil {
			return "", nil
		}
	} else if modern && !complete(value) {
		return "", nil
	}
	var out bytes.Buffer // on one line, also in a stream
	if json.Compact(&out, value) != nil {
		return "", nil
	}
	return member, out.Bytes()
}

// complete reports whether a result is a request's last.
func complete(result []byte) bool {
	var r struct {
		Type *string `json:"resultType"`
	}
	return json.Unmarshal(result, &r) == nil && (r.Type == nil || *r.Type == "complete")
}

// isObject reports whether a text is one JSON object that reads in one way.
func isObject(text []byte) bool {
	c := wire.NewCursor(text)
	if c.Kind() != '{' {
		return false
	}
	c.Skip()
	return c.End() == nil
}
