package mcp_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// sent is a message that a fake server got.
type sent struct {
	header http.Header
	method string
	id     json.RawMessage
	params json.RawMessage
	result json.RawMessage
	body   string
	verb   string
}

// fake is a server of tools that a test scripts: answer gives what it says to a
// request, as a whole JSON-RPC message or as events that begin with "event:" or
// "data:". It speaks the eras that are set.
type fake struct {
	modern, session bool
	answer          func(m sent) string // "" is an empty result
	get             func(w http.ResponseWriter, r *http.Request)

	mu   sync.Mutex
	got  []sent
	next int
}

func (f *fake) all() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.got...)
}

// calls are the messages of a method.
func (f *fake) calls(method string) (out []sent) {
	for _, m := range f.all() {
		if m.method == method {
			out = append(out, m)
		}
	}
	return out
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
		Result json.RawMessage `json:"result"`
	}
	_ = json.Unmarshal(b, &m)
	s := sent{header: r.Header.Clone(), method: m.Method, id: m.ID, params: m.Params, result: m.Result, body: string(b), verb: r.Method}
	f.mu.Lock()
	f.got = append(f.got, s)
	f.next++
	n := f.next
	f.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+secret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch {
	case r.Method == http.MethodGet && f.get != nil:
		f.get(w, r)
		return
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case len(m.ID) == 0 || m.Method == "":
		w.WriteHeader(http.StatusAccepted)
		return
	}
	modern := strings.Contains(string(m.Params), `"io.modelcontextprotocol/protocolVersion"`)
	say := func(text string) {
		if strings.HasPrefix(text, "event:") || strings.HasPrefix(text, "data:") || strings.HasPrefix(text, "id:") {
			w.Header().Set("Content-Type", "text/event-stream")
		} else {
			w.Header().Set("Content-Type", "application/json")
		}
		_, _ = io.WriteString(w, text)
	}
	if modern && !f.modern {
		w.WriteHeader(http.StatusBadRequest)
		say(`{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Server not initialized"}}`)
		return
	}
	switch {
	case m.Method == "initialize" && f.session:
		w.Header().Set("Mcp-Session-Id", fmt.Sprintf("theirs-%d", n))
		say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"logging":{}},"serverInfo":{"name":"fake","version":"1"}}}`, m.ID))
		return
	case m.Method == "server/discover" && f.modern:
		say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"resources":{},"prompts":{}},"instructions":"use it well","ttlMs":0,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"2"}}}}`, m.ID))
		return
	case !modern && (!f.session || m.Method == "server/discover"):
		w.WriteHeader(http.StatusBadRequest)
		say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"missing _meta"}}`, m.ID))
		return
	}
	text := ""
	if f.answer != nil {
		text = f.answer(s)
	}
	if text == "" {
		text = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[{"type":"text","text":"done"}]}}`, m.ID)
	}
	say(text)
}

// ok is a result for a request.
func ok(m sent, result string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.id, result)
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{},"roots":{}}}`

// modernCall sends a request of 2026-07-28; params are without their braces.
func (h *house) modernCall(key, path, id, method, params string, headers ...string) reply {
	h.t.Helper()
	return h.send(key, "POST", path, modernBody(id, method, params), append(modernHeaders(method, params), headers...)...)
}

func modernBody(id, method, params string) string {
	if params != "" {
		params += ","
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{` + params + modernMeta + `}}`
}

func modernHeaders(method, params string) []string {
	out := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	var p struct{ Name, URI, TaskID string }
	_ = json.Unmarshal([]byte("{"+params+"}"), &p)
	for _, v := range []string{p.Name, p.URI, p.TaskID} {
		if v != "" {
			out = append(out, "Mcp-Name", v)
		}
	}
	return out
}

// begin begins a session and gives its id.
func (h *house) begin(key, path string) string {
	h.t.Helper()
	r := h.send(key, "POST", path, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{},"sampling":{},"roots":{}},"clientInfo":{"name":"t","version":"1"}}}`)
	id := r.header.Get("Mcp-Session-Id")
	if r.status != 200 || id == "" {
		h.t.Fatalf("initialize: %d %v %s", r.status, r.header, r.body)
	}
	if r := h.send(key, "POST", path, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "Mcp-Session-Id", id); r.status != 202 {
		h.t.Fatalf("initialized: %d %s", r.status, r.body)
	}
	return id
}

// code is that of the error in an answer, whole or as an event; "" none.
func (r reply) code() string {
	text := r.body
	if i := strings.LastIndex(text, "data: "); i >= 0 {
		text = text[i+6:]
	}
	var m struct {
		Error struct {
			Code int
			Data struct{ Code string }
		}
	}
	_ = json.Unmarshal([]byte(text), &m)
	if m.Error.Data.Code == "" && m.Error.Code != 0 {
		return fmt.Sprint(m.Error.Code)
	}
	return m.Error.Data.Code
}
