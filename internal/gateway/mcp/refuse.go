package mcp

import (
	"encoding/json"
	"net/http"
	"strconv"

	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
)

// JSON-RPC's codes, and those that the protocol or we give.
const (
	codeParse      = -32700
	codeInvalid    = -32600
	codeMethod     = -32601
	codeParams     = -32602
	codeInternal   = -32603
	codeDenied     = -32001
	codeExhausted  = -32002
	codeHeader     = -32020
	codeCapability = -32021
	codeVersion    = -32022
	codeOpen       = -32042 // 2025-11-25: a page must be opened first
)

// codes are those of faults with a meaning of their own, with the HTTP status
// that carries them; status 0 is 200, since clients read JSON-RPC errors there
// and take other statuses for broken transport.
var codes = map[string]struct {
	code   int
	status int
}{
	"mcp.parse":             {codeParse, 400},
	"mcp.batch":             {codeInvalid, 400},
	"mcp.message":           {codeInvalid, 400},
	"mcp.id":                {codeInvalid, 400},
	"mcp.params":            {codeParams, 400},
	"mcp.meta":              {codeParams, 400},
	"mcp.too_large":         {codeInvalid, 413},
	"gateway.too_large":     {codeInvalid, 413},
	"mcp.header":            {codeHeader, 400},
	"mcp.version":           {codeVersion, 400},
	"mcp.tasks_wanted":      {codeCapability, 400},
	"mcp.content_type":      {codeInvalid, 415},
	"mcp.accept":            {codeInvalid, 406},
	"mcp.session":           {codeInvalid, 404},
	"mcp.no_session":        {codeInvalid, 400},
	"mcp.path":              {codeInvalid, 404},
	"mcp.http_method":       {codeInvalid, 405},
	"mcp.response":          {codeInvalid, 400},
	"mcp.event":             {codeInvalid, 400},
	"mcp.arguments":         {codeParams, 0},
	"mcp.name":              {codeParams, 0},
	"mcp.state":             {codeParams, 0},
	"mcp.task":              {codeParams, 0},
	"mcp.task_over":         {codeParams, 0},
	"gateway.method":        {codeInvalid, 405},
	"gateway.scope":         {codeDenied, 403}, // clients step up by the status
	"api.host":              {codeInvalid, 421},
	"api.origin":            {codeInvalid, 403},
	"gateway.client_closed": {codeInternal, 499},
}

// failure is a JSON-RPC error as it goes to a client.
type failure struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data,omitempty"`
}

// failureOf puts a fault into JSON-RPC's words.
func failureOf(f *fault.Error, decision string) (failure, int) {
	out := failure{Code: codeInternal, Message: f.Message, Data: map[string]any{"code": f.Code}}
	if f.Hint != "" {
		out.Data["hint"] = f.Hint
	}
	if decision != "" {
		out.Data["decision"] = decision
	}
	if f.RetryAfter > 0 {
		out.Data["retry_after"] = int(f.RetryAfter.Seconds() + 1)
	}
	if c, ok := codes[f.Code]; ok {
		out.Code = c.code
		if f.Code == "mcp.version" {
			out.Data["supported"] = []string{modernVersion}
		}
		if f.Code == errTasksWanted.Code {
			out.Data["requiredCapabilities"] = map[string]any{"extensions": map[string]any{keyTasks: struct{}{}}}
		}
		return out, c.status
	}
	switch f.Kind {
	case fault.KindUnauthenticated:
		out.Code = codeDenied
		return out, http.StatusUnauthorized
	case fault.KindDenied:
		out.Code = codeDenied
	case fault.KindExhausted:
		out.Code = codeExhausted
	case fault.KindInvalid:
		out.Code = codeInvalid
	case fault.KindNotFound:
		out.Code = codeInvalid
		return out, http.StatusNotFound
	}
	return out, 0
}

// errorMessage is a whole JSON-RPC error. An id that could not be read is left
// out.
func errorMessage(id []byte, f failure) []byte {
	text, err := json.Marshal(f)
	if err != nil { // strings and numbers
		panic(err)
	}
	out := []byte(`{"jsonrpc":"2.0",`)
	if id != nil {
		out = append(append(append(out, `"id":`...), id...), ',')
	}
	return append(append(append(out, `"error":`...), text...), '}')
}

// Refuse implements gateway.Protocol.
func (p *Protocol) Refuse(w http.ResponseWriter, c *gateway.Call, f *fault.Error, decision string) {
	h := w.Header()
	gateway.RefusalHeaders(h, f)
	out, status := failureOf(f, decision)
	id := idOf(c.Body)
	if f.Code == "mcp.version" {
		if v := c.Request.Header.Get("Mcp-Protocol-Version"); v != "" {
			out.Data["requested"] = word(v)
		}
	}
	if f.Code == "mcp.method" {
		out.Code = codeMethod
		if m, _ := parse(c.Body); m != nil && m.own.version != "" {
			status = http.StatusNotFound // as 2026-07-28 has it
		}
	}
	if f.Code == "approval.pending" {
		p.comeBack(c, &out)
	}
	if c.Begun {
		_, _ = w.Write(wire.AppendSSE(nil, "message", errorMessage(id, out))) // the agent may be gone
		return
	}
	if status == 0 {
		status = http.StatusOK
		if id == nil { // nobody reads an error in an answer that has no body
			status = gateway.Status(f)
		}
	}
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", "POST, GET, DELETE")
	}
	body := errorMessage(id, out)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the agent may be gone
}
