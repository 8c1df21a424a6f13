package extauthz

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

var (
	errRPC = fault.New(fault.KindInvalid, "ext_authz.rpc", "the body is no JSON-RPC request that can be read in one way only").
		WithHint("one request or notification a body; batches are not taken")
	errRPCMethod = fault.New(fault.KindDenied, "ext_authz.method", "this method is not decided for other proxies").
			WithHint("tools are: tools/call. Send resources, prompts and tasks through /mcp")
)

// quietMethods are what is no action of its own.
var quietMethods = map[string]bool{
	"initialize": true, "ping": true, "server/discover": true, "tools/list": true, "resources/list": true, "resources/templates/list": true,
	"prompts/list": true, "logging/setLevel": true, "notifications/initialized": true, "notifications/cancelled": true, "notifications/progress": true,
	"notifications/roots/list_changed": true,
}

// server reads a request to an MCP server: a tool's call is decided on its
// accepted definition, handshakes and lists pass, anything else is denied.
func (s *Server) server(o *gateway.Outside, u *upstream.Upstream) error {
	quiet := func(name string) error {
		o.Proposal = &gateway.Proposal{
			Action: "call_tool", Name: name, Kind: activity.KindMCP, Quiet: true, Resource: policy.Resource{Type: "Tool", ID: u.Name + " " + name},
		}
		return nil
	}
	if o.Method == "GET" || o.Method == "DELETE" { // a stream of notifications, the end of a session
		return quiet(o.Method)
	}
	if o.Method != "POST" {
		return errRPCMethod
	}
	m, err := readRPC(o.Body)
	switch {
	case err != nil:
		return err
	case m.method == "": // the client's answer to the server's question
		return errRPCMethod
	case quietMethods[m.method]:
		return quiet(m.method)
	case m.method != "tools/call":
		return errRPCMethod
	}
	o.Body = m.arguments
	s.o.Door.ServerTool(o, u, m.tool)
	// The proxy forwards all of params.
	if o.Proposal.Bind, err = gateway.Canonical(m.params, ofThisTry); err != nil {
		return errRPC
	}
	o.CallID = ""
	return nil
}

// ofThisTry are the params that differ when a client repeats a call and change
// nothing of what it does.
func ofThisTry(depth int, in, name string) bool {
	return depth == 2 && in == "_meta" && (name == "progressToken" || name == "traceparent" || name == "tracestate" || name == "baggage")
}

type rpc struct {
	method, tool      string
	params, arguments []byte
}

// readRPC reads the method of a JSON-RPC request, and of tools/call the tool and
// its arguments as they stand.
func readRPC(b []byte) (m rpc, err error) {
	top, err := members(b)
	if err != nil {
		return m, err
	}
	version, err := text(top["jsonrpc"])
	if err != nil || version != "2.0" {
		return m, errRPC
	}
	if m.method, err = text(top["method"]); err != nil || m.method != "tools/call" {
		return m, err
	}
	params, err := members(top["params"])
	if err != nil {
		return m, err
	}
	if m.tool, err = text(params["name"]); err != nil || m.tool == "" || len(m.tool) > 256 || !plain(m.tool) {
		return m, errRPC
	}
	m.params, m.arguments = top["params"], params["arguments"]
	if len(m.arguments) > 0 && !gateway.ArgsOf(m.arguments).Readable {
		return m, errRPC
	}
	return m, nil
}

// members reads an object whose exact names all differ.
func members(b []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, errRPC
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errRPC
	}
	out := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if _, again := out[name]; err != nil || !ok || again {
			return nil, errRPC
		}
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil, errRPC
		}
		out[name] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, errRPC
	}
	if _, err := dec.Token(); err == nil {
		return nil, errRPC // something follows
	}
	return out, nil
}

// text reads a string; "" for absent.
func text(raw json.RawMessage) (s string, err error) {
	if raw == nil {
		return "", nil
	}
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", errRPC
	}
	return s, nil
}

func plain(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}
