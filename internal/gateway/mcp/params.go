package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// param is an argument of a tool that its schema wants repeated in a header.
type param struct {
	header string   // Mcp-Param-…, in canonical form
	path   []string // of properties
	kind   string   // string, integer, boolean
}

// params are those of the tools that were listed, by upstream and tool.
type params struct {
	mu  sync.RWMutex
	all map[string]map[string]mirrored
}

// mirrored is what a tool wants repeated in headers.
type mirrored struct {
	list []param
	// broken says that its schema wants it in a way that there is not: clients of
	// 2026-07-28 do not use such a tool.
	broken bool
	tasks  string // whether it runs as a task at a server with sessions: required, optional
}

func (s *params) of(upstream, tool string) (m mirrored, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m, known = s.all[upstream][tool]
	return m, known
}

var errToolHeaders = fault.New(fault.KindDenied, "mcp.tool_headers", "the server's definition of this tool asks for headers in a way that makes it invalid").
	WithHint("x-mcp-header names a header once, of a string, integer or boolean that properties lead to")

// learn takes note of a list of tools; whole says that there are no others.
func (s *params) learn(upstream string, tools []Tool, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]map[string]mirrored{}
	}
	if s.all[upstream] == nil || whole {
		s.all[upstream] = make(map[string]mirrored, len(tools))
	}
	of := s.all[upstream]
	for i := range tools {
		if len(of) >= maxListed {
			return
		}
		list, ok := headerParams(tools[i].InputSchema)
		if !ok {
			list = nil
		}
		of[tools[i].Name] = mirrored{list: list, broken: !ok, tasks: tools[i].Tasks}
	}
}

const maxSafe = 1<<53 - 1

// headerParams reads x-mcp-header from an input schema; ok is false when the
// schema uses it in a way that makes the tool invalid.
func headerParams(schema []byte) (list []param, ok bool) {
	if !strings.Contains(string(schema), `"x-mcp-header"`) {
		return nil, true
	}
	var root any
	if json.Unmarshal(schema, &root) != nil {
		return nil, false
	}
	seen := map[string]bool{}
	ok = true
	var walk func(v any, path []string, reachable bool)
	walk = func(v any, path []string, reachable bool) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e, nil, false)
			}
		case map[string]any:
			if name, there := v["x-mcp-header"]; there {
				text, isText := name.(string)
				kind, _ := v["type"].(string)
				good := isText && reachable && len(path) > 0 && token(text) && !seen[strings.ToLower(text)] && (kind == "string" || kind == "integer" || kind == "boolean")
				if !good {
					ok = false
					return
				}
				seen[strings.ToLower(text)] = true
				list = append(list, param{header: http.CanonicalHeaderKey("Mcp-Param-" + text), path: path, kind: kind})
			}
			for key, e := range v {
				inner, isObject := e.(map[string]any)
				if key == "properties" && reachable && isObject {
					for name, p := range inner {
						walk(p, append(path[:len(path):len(path)], name), true)
					}
					continue
				}
				walk(e, nil, false)
			}
		}
	}
	walk(root, nil, true)
	return list, ok
}

// token is the syntax of a header's name.
func token(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// at gives the value at a path of an object as a header carries it; there is
// false for none, for null and for what is of no kind that headers carry.
func (p *param) at(args []byte) (text string, there bool) {
	c := wire.Inner(args)
	for i, name := range p.path {
		found := false
		for o := c.Object(); o.Next(); {
			if string(o.Key) == name {
				found = true
				break
			}
		}
		if !found {
			return "", false
		}
		if i < len(p.path)-1 {
			c = wire.Inner(c.Raw())
		}
	}
	switch kind := c.Kind(); {
	case kind == '"' && p.kind == "string":
		return c.Text(), true
	case kind == '0' && p.kind == "integer":
		return string(c.Raw()), true
	case (kind == 't' || kind == 'f') && p.kind == "boolean":
		return string(c.Raw()), true
	}
	return "", false
}

// checkParams compares what the headers say of arguments with the arguments.
func (x *exchange) checkParams() error {
	of, _ := x.p.params.of(x.c.Upstream.Name, x.m.name)
	if of.broken && x.p.eras.known(x.c.Upstream) {
		return errToolHeaders
	}
	list := of.list
	for i := range list {
		p := &list[i]
		want, there := p.at(x.m.args.in(x.m.raw))
		value, given, err := one(x.c.Request.Header, p.header)
		switch {
		case err != nil:
			return err
		case !there && !given:
			continue
		case !there:
			return errHeader("the header %s repeats an argument that is not there", p.header)
		case !given:
			return errHeader("the header %s is missing", p.header)
		}
		text, ok := decodeHeader(value)
		if !ok || !p.same(text, want) {
			return errHeader("the header %s says another thing than the argument", p.header)
		}
	}
	return nil
}

func (p *param) same(a, b string) bool {
	if p.kind != "integer" {
		return a == b
	}
	x, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && x == y && x <= maxSafe && x >= -maxSafe
}

// withParams adds to a request what the tool's schema wants repeated in headers.
func (x *exchange) withParams(ctx context.Context, req *http.Request, l link) (*http.Request, error) {
	if x.m.method != "tools/call" {
		return req, nil
	}
	of, known := x.p.params.of(x.c.Upstream.Name, x.m.name)
	if !known {
		x.p.relist(ctx, req, x.c.Upstream.Name, l, x.ses.meta(false))
		of, _ = x.p.params.of(x.c.Upstream.Name, x.m.name)
	}
	list := of.list
	switch {
	case of.broken:
		return nil, errToolHeaders
	case len(list) == 0:
		return req, nil
	}
	req = req.Clone(ctx)
	for i := range list {
		if v, there := list[i].at(x.m.args.in(x.m.raw)); there {
			req.Header[list[i].header] = []string{encodeHeader(v)}
		}
	}
	return req, nil
}

// relist asks a server for its tools, to know what it wants in headers. What it
// does not tell it will refuse by itself.
func (p *Protocol) relist(ctx context.Context, like *http.Request, upstream string, l link, meta []byte) {
	var cursor []byte
	for range maxPages {
		f, err := l.call(ctx, like, nil, func(id []byte) []byte {
			out := append(append([]byte(`{"jsonrpc":"2.0","id":`), id...), `,"method":"tools/list","params":{"_meta":{`...)
			out = append(append(out, meta...), '}')
			if cursor != nil {
				out = append(append(out, `,"cursor":`...), cursor...)
			}
			return append(out, `}}`...)
		})
		if err != nil {
			return
		}
		var result []byte
		for result == nil {
			msg, err := f.next(ctx)
			if err != nil {
				break
			}
			if m, err := parse(msg); err == nil && m.result.to != 0 {
				result = m.result.in(m.raw)
			}
		}
		f.end()
		_, all, _, wrong := entries(result, "tools")
		if wrong != nil {
			return
		}
		tools := make([]Tool, len(all))
		for i := range all {
			tools[i] = all[i].tool
		}
		p.params.learn(upstream, tools, false)
		if cursor = nextCursor(result); cursor == nil {
			return
		}
	}
}

const maxPages = 100

func nextCursor(result []byte) []byte {
	c := wire.NewCursor(result)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "nextCursor" && c.Kind() == '"' {
			return c.Raw()
		}
	}
	return nil
}
