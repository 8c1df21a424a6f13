package lesson

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/fault"
)

// Server gives agents their lessons: GET /lessons as JSON, and /lessons/mcp as an MCP
// server with a resource for each and a prompt of all. It keeps no sessions, so both
// the protocol's stateless form and clients that initialize are answered.
type Server struct {
	book     *Book
	identify func(*http.Request) (Agent, error)
	refuse   func(http.ResponseWriter, *fault.Error)
	version  string
}

// NewServer serves a book to whom identify finds; refuse writes what it does not let.
func NewServer(b *Book, identify func(*http.Request) (Agent, error), refuse func(http.ResponseWriter, *fault.Error), version string) *Server {
	return &Server{b, identify, refuse, version}
}

// Paths are the patterns that Handler answers.
func Paths() []string { return []string{"/lessons", "/lessons/"} }

// Handler answers them.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lessons", s.list)
	mux.HandleFunc("POST /lessons/mcp", s.mcp)
	return mux
}

// shape is a lesson as agents read it.
type shape struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Text      string `json:"text"`
	Incident  string `json:"incident,omitempty"`
	ExpiresAt string `json:"expires_at"`
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	who, err := s.identify(r)
	if err != nil {
		s.refuse(w, fault.From(err))
		return
	}
	items := []shape{}
	for _, l := range s.book.For(who) {
		items = append(items, shape{l.ID, l.Title, l.Text, l.Incident, l.ExpiresAt.Format("2006-01-02T15:04:05Z")})
		s.book.Gave(who, &l, "http")
	}
	write(w, map[string]any{"items": items})
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // a client that left
}

// MCP.
const (
	latestStateless = "2026-07-28"
	latestSession   = "2025-11-25"
	maxRequest      = 256 << 10
	uriPrefix       = "reeve://lessons"
	promptName      = "lessons"

	codeParse, codeRequest, codeMethod, codeParams = -32700, -32600, -32601, -32602
	codeHeader, codeNoResource                     = -32020, -32002
)

var sessionVersions = []string{"2024-11-05", "2025-03-26", "2025-06-18", latestSession}

type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (s *Server) mcp(w http.ResponseWriter, r *http.Request) {
	who, err := s.identify(r)
	if err != nil {
		s.refuse(w, fault.From(err))
		return
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
		http.Error(w, "application/json is needed", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	var m message
	if json.Unmarshal(body, &m) != nil {
		answer(w, http.StatusBadRequest, nil, nil, &rpcError{codeParse, "this is no JSON-RPC message"})
		return
	}
	if m.JSONRPC != "2.0" || m.Method == "" {
		answer(w, http.StatusBadRequest, m.ID, nil, &rpcError{codeRequest, "this is no JSON-RPC request"})
		return
	}
	if len(m.ID) == 0 { // a notification
		w.WriteHeader(http.StatusAccepted)
		return
	}
	stateless := r.Header.Get("MCP-Protocol-Version") == latestStateless
	result, bad := s.called(who, r.Header, &m, stateless)
	status := http.StatusOK
	if bad != nil && stateless {
		status = map[int]int{codeMethod: http.StatusNotFound}[bad.Code]
		if status == 0 {
			status = http.StatusBadRequest
		}
	}
	if result != nil && stateless {
		result["resultType"] = "complete"
	}
	answer(w, status, m.ID, result, bad)
}

func answer(w http.ResponseWriter, status int, id json.RawMessage, result map[string]any, bad *rpcError) {
	out := map[string]any{"jsonrpc": "2.0", "id": id}
	if len(id) == 0 {
		out["id"] = nil
	}
	if bad != nil {
		out["error"] = bad
	} else {
		out["result"] = result
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // a client that left
}

// called answers a request. What headers repeat of the body has to agree with it.
func (s *Server) called(who Agent, h http.Header, m *message, stateless bool) (map[string]any, *rpcError) {
	var p struct {
		ProtocolVersion string `json:"protocolVersion"`
		URI             string `json:"uri"`
		Name            string `json:"name"`
	}
	if len(m.Params) > 0 && json.Unmarshal(m.Params, &p) != nil {
		return nil, &rpcError{codeParams, "the params are not an object of this method"}
	}
	if stateless {
		named := p.URI + p.Name
		if h.Get("Mcp-Method") != m.Method || named != "" && h.Get("Mcp-Name") != named {
			return nil, &rpcError{codeHeader, "Mcp-Method and Mcp-Name do not say what the message says"}
		}
	}
	switch m.Method {
	case "initialize":
		v := p.ProtocolVersion
		if !slices.Contains(sessionVersions, v) {
			v = latestSession
		}
		return map[string]any{"protocolVersion": v, "capabilities": capabilities(), "serverInfo": s.info(), "instructions": instructions}, nil
	case "server/discover":
		return map[string]any{"supportedVersions": append([]string{latestStateless}, sessionVersions...), "capabilities": capabilities(), "serverInfo": s.info(), "instructions": instructions}, nil
	case "ping":
		return map[string]any{}, nil
	case "resources/list":
		return listed(stateless, "resources", s.resources(who)), nil
	case "resources/templates/list":
		return listed(stateless, "resourceTemplates", []any{}), nil
	case "resources/read":
		return s.read(who, p.URI, stateless)
	case "prompts/list":
		return listed(stateless, "prompts", []any{map[string]any{"name": promptName, "title": "Lessons", "description": "What was learned of incidents and holds for this agent now."}}), nil
	case "prompts/get":
		if p.Name != promptName {
			return nil, &rpcError{codeParams, "there is no such prompt"}
		}
		all := s.give(who, s.book.For(who), "prompt")
		return map[string]any{"description": "What was learned of incidents.", "messages": []any{map[string]any{"role": "user", "content": map[string]any{"type": "text", "text": all}}}}, nil
	}
	return nil, &rpcError{codeMethod, "there is no such method here"}
}

const instructions = "Lessons of former incidents for this agent. Read reeve://lessons, or get the prompt `lessons`, before a task."

func capabilities() map[string]any {
	return map[string]any{"resources": map[string]any{}, "prompts": map[string]any{}}
}

func (s *Server) info() map[string]any {
	return map[string]any{"name": "reeve-lessons", "title": "Lessons", "version": s.version}
}

// listed is a list; the stateless form says how long it holds, and for whom.
func listed(stateless bool, name string, items []any) map[string]any {
	out := map[string]any{name: items}
	if stateless {
		out["ttlMs"], out["cacheScope"] = 60_000, "private"
	}
	return out
}

func (s *Server) resources(who Agent) []any {
	out := []any{map[string]any{"uri": uriPrefix, "name": "lessons", "title": "All lessons", "description": "What was learned of incidents and holds for this agent now.", "mimeType": "text/markdown"}}
	for _, l := range s.book.For(who) {
		out = append(out, map[string]any{"uri": uriPrefix + "/" + l.ID, "name": l.ID, "title": l.Title, "mimeType": "text/markdown"})
	}
	return out
}

func (s *Server) read(who Agent, uri string, stateless bool) (map[string]any, *rpcError) {
	list := s.book.For(who)
	if uri != uriPrefix {
		id, ok := strings.CutPrefix(uri, uriPrefix+"/")
		list = slices.DeleteFunc(list, func(l Lesson) bool { return l.ID != id })
		if !ok || len(list) == 0 {
			code := codeNoResource
			if stateless {
				code = codeParams // its name there
			}
			return nil, &rpcError{code, "there is no such resource for this agent"}
		}
	}
	out := map[string]any{"contents": []any{map[string]any{"uri": uri, "mimeType": "text/markdown", "text": s.give(who, list, "resource")}}}
	if stateless {
		out["ttlMs"], out["cacheScope"] = 0, "private"
	}
	return out, nil
}

// give writes lessons for a model and notes that they were given.
func (s *Server) give(who Agent, list []Lesson, how string) string {
	if len(list) == 0 {
		return "There are no lessons for this agent now."
	}
	var b strings.Builder
	for i := range list {
		l := &list[i]
		fmt.Fprintf(&b, "## %s\n\n%s\n\n_Lesson %s, holds until %s._\n\n", l.Title, l.Text, l.ID, l.ExpiresAt.Format("2006-01-02"))
		s.book.Gave(who, l, how)
	}
	return strings.TrimSpace(b.String()) + "\n"
}
