// Package httpapi reads calls of HTTP APIs at the door.
//
// What for: /http/{upstream}/... forwards to any HTTP API; what may be called
// are the upstream's routes, which policy knows as Api resources with effect
// and arguments.
//
// Who calls it: the door, through gateway.Protocol; app registers it.
//
// Promises: a path that two readers could take for two paths is refused; what
// no route takes is refused; arguments are read from query, path and a JSON or
// form body, and everything passes byte for byte.
//
// How it fails: with the faults of upstream.Route, http.no_route and http.query.
// Refusals are problem documents.
//
// Start reading at Protocol.Propose.
package httpapi

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
)

// Protocol is gateway.Protocol for HTTP APIs.
type Protocol struct{}

// New makes the protocol.
func New() Protocol { return Protocol{} }

// Kind implements gateway.Protocol.
func (Protocol) Kind() string { return "http" }

// Refuse implements gateway.Protocol.
func (Protocol) Refuse(w http.ResponseWriter, _ *gateway.Call, f *fault.Error, _ string) {
	gateway.Refuse(w, f)
}

// Propose implements gateway.Protocol.
func (Protocol) Propose(c *gateway.Call) (*gateway.Proposal, error) {
	p := &gateway.Proposal{
		Action: "call_api", Name: c.Method, Kind: activity.KindHTTP,
		Resource: policy.Resource{Type: "Api", ID: c.Upstream.Name + " " + c.Method, Method: c.Method},
	}
	route, ok, err := c.Upstream.Route(c.Method, c.Path)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, fault.New(fault.KindDenied, "http.no_route", "no route of upstream %s takes %s of this path", c.Upstream.Name, c.Method).
			WithHint("`reeve upstream set %s --route` gives all its routes, each with its effect", c.Upstream.Name)
	}
	p.Name = c.Method + " " + route.Path
	p.Resource.ID = c.Upstream.Name + " " + route.Name
	p.Resource.Route, p.Resource.Effect = route.Path, route.Effect
	p.Shown = approval.Shown(route.Shows)
	p.Resource.Classes = append(c.Upstream.Classes[:len(c.Upstream.Classes):len(c.Upstream.Classes)], route.Classes...)
	if p.Args, err = args(c, route); err != nil {
		return p, err
	}
	if content := c.Request.Header.Get("Content-Type"); len(c.Body) > 0 && kept(content) {
		p.Contents = []activity.Content{{Field: activity.ContentInput, Format: format(content), From: "body", Raw: c.Body}}
	}
	return p, nil
}

// args are what policy can ask of the call.
func args(c *gateway.Call, route client.Route) (policy.Args, error) {
	var a policy.Args
	switch kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); {
	case len(c.Request.Header["Content-Encoding"]) > 0 && len(c.Body) > 0:
		a.Bytes = int64(len(c.Body)) // compressed: not readable
	case err == nil && kind == "application/x-www-form-urlencoded":
		a = form(c.Body)
	case len(c.Body) == 0 || err == nil && json(kind) || looksLikeJSON(c.Body):
		a = gateway.ArgsOf(c.Body)
	default:
		a.Bytes = int64(len(c.Body))
	}
	if c.Query != "" {
		q, err := url.ParseQuery(c.Query)
		if err != nil {
			return a, fault.New(fault.KindInvalid, "http.query", "the query can be read in two ways").
				WithHint("separate parameters with & and escape as RFC 3986 says")
		}
		for name, values := range q {
			gateway.AddText(&a, "query:"+name, values)
		}
	}
	parameters(&a, route.Path, c.Path)
	return a, nil
}

func json(kind string) bool { return kind == "application/json" || strings.HasSuffix(kind, "+json") }

// looksLikeJSON: an API may read JSON whatever the type says, so policy reads it too.
func looksLikeJSON(b []byte) bool {
	s := strings.TrimLeft(string(b[:min(len(b), 64)]), " \t\r\n")
	return s != "" && (s[0] == '{' || s[0] == '[')
}

// form reads a form body; its fields are arguments as /name.
func form(body []byte) policy.Args {
	a := policy.Args{Bytes: int64(len(body))}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return a
	}
	a.Readable = true
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for name, values := range fields {
		gateway.AddText(&a, "/"+escape.Replace(name), values)
	}
	return a
}

// parameters adds the segments that stand for {name} in the route.
func parameters(a *policy.Args, pattern, path string) {
	names, parts := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, n := range names {
		inside, ok := strings.CutPrefix(n, "{")
		if !ok || i >= len(parts) {
			continue
		}
		inside = strings.TrimSuffix(inside, "}")
		value := parts[i]
		if rest, ok := strings.CutSuffix(inside, "..."); ok {
			inside, value = rest, strings.Join(parts[i:], "/")
		}
		if text, err := url.PathUnescape(value); err == nil {
			value = text
		}
		gateway.AddText(a, "path:"+inside, []string{value})
	}
}

// kept says whether a body is text that is worth keeping with the step.
func kept(content string) bool {
	kind, _, err := mime.ParseMediaType(content)
	return err == nil && (json(kind) || strings.HasPrefix(kind, "text/") || kind == "application/x-www-form-urlencoded" || kind == "application/xml")
}

func format(content string) string {
	if kind, _, err := mime.ParseMediaType(content); err == nil && json(kind) {
		return "json"
	}
	return "text"
}
