package agentkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.opentelemetry.io/otel/propagation"
)

// Tools are what some MCP servers offer. Safe for concurrent use.
type Tools struct {
	Defs     []ToolDef
	server   map[string]string // tool -> name of the server that has it
	sessions []*mcp.ClientSession
	by       map[string]*mcp.ClientSession
}

// ErrTool is returned for a tool that answered with an error of its own.
var ErrTool = errors.New("the tool reports an error")

// ToolServer is where an MCP server is, and the key it is shown ("" for none).
type ToolServer struct{ URL, Key string }

// ConnectTools connects to MCP servers (streamable HTTP).
func ConnectTools(ctx context.Context, client string, servers ...ToolServer) (*Tools, error) {
	t := &Tools{server: map[string]string{}, by: map[string]*mcp.ClientSession{}}
	for _, server := range servers {
		u := server.URL
		c := mcp.NewClient(&mcp.Implementation{Name: client, Version: "1"}, nil)
		s, err := c.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: u, DisableStandaloneSSE: true, HTTPClient: keyed(server.Key)}, nil)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connecting to %s: %w", u, err), t.Close())
		}
		t.sessions = append(t.sessions, s)
		list, err := s.ListTools(ctx, nil)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listing tools of %s: %w", u, err), t.Close())
		}
		name := u
		if r := s.InitializeResult(); r != nil && r.ServerInfo != nil {
			name = r.ServerInfo.Name
		}
		for _, tool := range list.Tools {
			schema, err := json.Marshal(tool.InputSchema)
			if err != nil {
				return nil, errors.Join(err, t.Close())
			}
			t.Defs = append(t.Defs, ToolDef{tool.Name, tool.Description, schema})
			t.by[tool.Name] = s
			t.server[tool.Name] = name
		}
	}
	return t, nil
}

// keyed is an HTTP client that shows a key, where there is one, and tells the trace
// that a call is part of: whatever stands between joins its own view of it to ours.
func keyed(key string) *http.Client { return &http.Client{Transport: bearer(key)} }

type bearer string

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b != "" {
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return http.DefaultTransport.RoundTrip(r)
}

// Only returns the same tools restricted to some names.
func (t *Tools) Only(names ...string) *Tools {
	c := *t
	c.Defs = nil
	for _, d := range t.Defs {
		for _, n := range names {
			if d.Name == n {
				c.Defs = append(c.Defs, d)
			}
		}
	}
	return &c
}

// Call runs a tool and gives its text. A tool that says it failed gives its
// text and ErrTool.
func (t *Tools) Call(ctx context.Context, c ToolCall) (string, error) {
	s := t.by[c.Name]
	if s == nil {
		return "", fmt.Errorf("there is no tool %q", c.Name)
	}
	args := json.RawMessage(c.Arguments)
	if !json.Valid(args) {
		return "", fmt.Errorf("arguments of %s are no JSON", c.Name)
	}
	res, err := s.CallTool(ctx, &mcp.CallToolParams{Name: c.Name, Arguments: args})
	if err != nil {
		return "", fmt.Errorf("calling %s: %w", c.Name, err)
	}
	var text strings.Builder
	for _, part := range res.Content {
		if p, ok := part.(*mcp.TextContent); ok {
			text.WriteString(p.Text)
		}
	}
	if res.IsError {
		return text.String(), ErrTool
	}
	return text.String(), nil
}

// Close ends the sessions.
func (t *Tools) Close() error {
	var errs []error
	for _, s := range t.sessions {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
