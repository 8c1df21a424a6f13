package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/pin"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

// Ask is what the door would put to policy for a call that nobody makes, read by
// the same protocol and from the same registers as a real one. Resources are
// named as decisions name them: "openai/gpt-4o" for call_model, "crm GET
// /v1/users/7" for call_api, "tracker.create_issue" or "local.search" for
// call_tool, "refunds" for send_task, "tracker file:///a" or "tracker
// prompt/summary" for read_source. A call that the door refuses before it asks
// policy gives that fault.
func (d *Door) Ask(ctx context.Context, who Caller, action, resource string) (*policy.Request, error) {
	x := &passage{started: d.o.Now()}
	x.Context, x.Caller = ctx, who
	if err := d.spelled(x, action, resource); err != nil {
		return nil, err
	}
	return d.request(x), nil
}

// Named fills o with the action on a resource, both by the names that Ask takes.
// Arguments of a tool are o.Body as it is.
func (d *Door) Named(ctx context.Context, o *Outside, action, resource string) error {
	x := &passage{started: d.o.Now()}
	x.Context, x.Caller = ctx, o.Caller
	if action == "call_tool" {
		if name, ok := strings.CutPrefix(resource, policy.Local+"."); ok && name != "" {
			o.Tool = name
			return nil
		}
		u, tool, err := d.namedTool(resource)
		if err == nil {
			d.ServerTool(o, u, tool)
		}
		return err
	}
	err := d.spelled(x, action, resource)
	o.Proposal, o.Upstream, o.Method, o.Path, o.Query = x.proposal, x.Upstream, x.Method, x.Path, x.Query
	return err
}

// namedTool finds the server of a tool by the tool's name, "server.tool".
func (d *Door) namedTool(resource string) (u *upstream.Upstream, tool string, err error) {
	server, tool, ok := strings.Cut(resource, ".")
	if !ok || server == "" || tool == "" || server == policy.Local {
		return nil, "", asked("a tool's resource is `SERVER.NAME`, or `%s.NAME` for one inside the agent, not %.100q", policy.Local, resource)
	}
	u, err = d.upstreamOf(server, "mcp")
	return u, tool, err
}

// ServerTool fills o with the call of a tool of an MCP server, whose arguments
// are o.Body, on the definition that people accepted.
func (d *Door) ServerTool(o *Outside, u *upstream.Upstream, tool string) {
	o.Upstream, o.Proposal = u, d.serverTool(u, tool, o.Body)
}

// serverTool is the call of a tool of an MCP server, as the book of pins knows it.
func (d *Door) serverTool(u *upstream.Upstream, tool string, args []byte) *Proposal {
	var p pin.Pin
	if d.o.Pins != nil {
		p, _ = d.o.Pins.Lookup(u.Name, tool)
	}
	return &Proposal{
		Action: "call_tool", Name: tool, Kind: activity.KindTool, Tool: tool, Args: ArgsOf(args), Pin: p.Hash,
		Resource: policy.Resource{
			Type: "Tool", ID: u.Name + "." + tool, Name: tool, Effect: p.Effect, Pinned: p.State == pin.Accepted,
			Classes: append(u.Classes[:len(u.Classes):len(u.Classes)], p.Classes...),
		},
	}
}

// spelled fills x with an action and its resource by their names.
func (d *Door) spelled(x *passage, action, resource string) (err error) {
	switch action {
	case "call_model":
		name, model, _ := strings.Cut(resource, "/")
		if x.Upstream, err = d.upstreamOf(name, "llm"); err != nil {
			return err
		}
		return d.askModel(x, model)
	case "call_api":
		words := strings.SplitN(resource, " ", 3)
		if len(words) != 3 {
			return asked("an API's resource is `UPSTREAM METHOD /path`, not %.100q", resource)
		}
		if x.Upstream, err = d.upstreamOf(words[0], "http"); err != nil {
			return err
		}
		return d.askAPI(x, words[1], words[2])
	case "call_tool":
		if name, ok := strings.CutPrefix(resource, policy.Local+"."); ok && name != "" {
			x.proposal = &Proposal{Action: action, Tool: name, Args: ArgsOf(nil), Resource: localTool(x.Caller.Agent, name)}
			return nil
		}
		u, tool, err := d.namedTool(resource)
		if err != nil {
			return err
		}
		x.Upstream, x.proposal = u, d.serverTool(u, tool, nil)
		return nil
	case "read_source":
		server, name, ok := strings.Cut(resource, " ")
		if !ok || name == "" {
			return asked("a source's resource is `SERVER URI` or `SERVER prompt/NAME`, not %.100q", resource)
		}
		if x.Upstream, err = d.upstreamOf(server, "mcp"); err != nil {
			return err
		}
		x.proposal = serverSource(x.Upstream, name)
		return nil
	case "send_task":
		if x.Upstream, err = d.upstreamOf(resource, "a2a"); err != nil {
			return err
		}
		x.Body = []byte(`{"message":{"messageId":"asked","role":"ROLE_USER","parts":[{"text":"?"}]}}`)
		return d.askProtocol(x, http.MethodPost, "/message:send", "application/json", "A2A-Version", "1.0")
	}
	return asked("the door decides call_model, call_api, call_tool, send_task and read_source, not %.40q", action)
}

// serverSource is the reading of a resource or prompt of an MCP server, named as
// gateway/mcp names it.
func serverSource(u *upstream.Upstream, name string) *Proposal {
	return &Proposal{
		Action: "read_source", Name: name, Kind: activity.KindRetrieval, Args: policy.Args{Readable: true},
		Resource: policy.Resource{Type: "Source", ID: u.Name + " " + name, Name: name, Trusted: !u.External, Classes: u.Classes},
	}
}

// Listed reports whether the server of a tool ("server.tool") ever listed it; a
// local tool is nobody's to list.
func (d *Door) Listed(resource string) bool {
	server, tool, ok := strings.Cut(resource, ".")
	if !ok || server == policy.Local || d.o.Pins == nil {
		return true
	}
	_, listed := d.o.Pins.Lookup(server, tool)
	return listed
}

func asked(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "gateway.asked", format, args...)
}

func (d *Door) upstreamOf(name, kind string) (*upstream.Upstream, error) {
	u, ok := d.o.Upstreams.Lookup(name)
	if !ok || u.Kind != kind {
		return nil, fault.New(fault.KindNotFound, "upstream.not_found", "there is no upstream %.60s of kind %s", name, kind).WithHint("`reeve upstream list` lists them")
	}
	return u, nil
}

// askModel has the protocol read the smallest request for a model.
func (d *Door) askModel(x *passage, model string) error {
	if model == "" {
		return asked("a model's resource is `UPSTREAM/MODEL`")
	}
	escaped := url.PathEscape(model)
	body := map[string]any{"messages": []any{map[string]any{"role": "user", "content": "?"}}, "max_tokens": 1}
	path := ""
	switch x.Upstream.Dialect {
	case "azure":
		path = "/openai/deployments/" + escaped + "/chat/completions"
	case "bedrock":
		path, body = "/model/"+escaped+"/converse", map[string]any{
			"messages": []any{map[string]any{"role": "user", "content": []any{map[string]any{"text": "?"}}}}, "inferenceConfig": map[string]any{"maxTokens": 1},
		}
	case "gemini":
		path, body = "/v1beta/models/"+escaped+":generateContent", map[string]any{
			"contents": []any{map[string]any{"parts": []any{map[string]any{"text": "?"}}}}, "generationConfig": map[string]any{"maxOutputTokens": 1},
		}
	case "anthropic":
		path, body["model"] = "/v1/messages", model
	default:
		path, body["model"] = "/v1/chat/completions", model
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	x.Body = text
	return d.askProtocol(x, http.MethodPost, path, "application/json")
}

func (d *Door) askAPI(x *passage, method, path string) error {
	path, x.Query, _ = strings.Cut(path, "?")
	return d.askProtocol(x, method, path, "")
}

func (d *Door) askProtocol(x *passage, method, path, content string, headers ...string) error {
	p := d.protocols[x.Upstream.Kind]
	if p == nil {
		return errPath
	}
	x.Request = &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: x.Query}, Header: http.Header{}, Body: http.NoBody}
	if content != "" {
		x.Request.Header.Set("Content-Type", content)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		x.Request.Header.Set(headers[i], headers[i+1])
	}
	x.Method, x.Path = method, path
	var err error
	x.proposal, err = p.Propose(&x.Call)
	return err
}

// localTool is a tool inside an agent's process, as policy sees it.
func localTool(a *agent.Agent, name string) policy.Resource {
	return policy.Resource{
		Type: "Tool", ID: policy.LocalTool(name), Upstream: policy.Local, UpstreamTeam: a.Team, UpstreamShared: true,
		Pinned: true, // its definition is the agent's own, there is nothing to compare it with
		Effect: a.Labels[effectLabel+name], Name: name,
	}
}
