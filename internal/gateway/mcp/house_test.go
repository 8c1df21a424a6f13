package mcp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/gateway"
	"reeve/internal/gateway/mcp"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
	"reeve/internal/upstream"
)

// house is a door for servers of tools with everything real around it but the
// log of decisions and the pins, which the test reads and sets.
type house struct {
	t         testing.TB
	db        *control.DB
	agents    *agent.Registry
	upstreams *upstream.Registry
	policies  *policy.Engine
	stops     *stop.Board
	door      *gateway.Door
	protocol  *mcp.Protocol
	pins      *pins
	url       string
	log       testkit.Decisions
	looks     atomic.Bool // the door asks servers by itself, and /mcp has them
	base      *testkit.House
}

// pins accepts every tool as a read unless the test says otherwise.
type pins struct {
	mu    sync.Mutex
	seen  map[string][]mcp.Tool
	held  map[string]bool // "upstream.tool"
	alias map[string][2]string
	fail  error
}

func (p *pins) See(_ context.Context, upstream string, tools []mcp.Tool, whole bool) ([]mcp.Pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return nil, p.fail
	}
	if whole {
		delete(p.seen, upstream)
	}
	out := make([]mcp.Pin, len(tools))
	for i, t := range tools {
		t.InputSchema = bytes.Clone(t.InputSchema)
		p.seen[upstream] = append(p.seen[upstream], t)
		p.alias[upstream+"__"+t.Name] = [2]string{upstream, t.Name}
		out[i], _ = p.pin(upstream, t.Name)
	}
	return out, nil
}

func (p *pins) pin(upstream, tool string) (mcp.Pin, bool) {
	return mcp.Pin{Hash: "h", Effect: "read", Alias: upstream + "__" + tool, Accepted: !p.held[upstream+"."+tool]}, true
}

func (p *pins) Lookup(upstream, tool string) (mcp.Pin, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pin(upstream, tool)
}

func (p *pins) Tools(upstream string) (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.seen[upstream] {
		out = append(out, t.Name)
	}
	return out
}

func (p *pins) Alias(name string) (upstream, tool string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.alias[name]
	return a[0], a[1], ok
}

const permitAll = testkit.PermitAll

func newHouse(t testing.TB, change func(*gateway.Options)) *house {
	t.Helper()
	return newHouseWith(t, mcp.Config{}, change)
}

func newHouseWith(t testing.TB, config mcp.Config, change func(*gateway.Options)) *house {
	t.Helper()
	base := testkit.NewHouse(t, config.Upstreams()...)
	h := &house{
		t: t, base: base, db: base.DB, agents: base.Agents, upstreams: base.Upstreams, policies: base.Policies, stops: base.Stops,
		pins: &pins{seen: map[string][]mcp.Tool{}, held: map[string]bool{}, alias: map[string][2]string{}},
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	logger := slog.New(slog.DiscardHandler)
	if os.Getenv("REEVE_MCP_LOG") != "" {
		logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	steps := gateway.NewSteps(base.Publish, logger)
	h.protocol = mcp.New(mcp.Options{
		Pins: h.pins, Config: config, Logger: logger, Upstreams: func() []*upstream.Upstream {
			if !h.looks.Load() {
				return nil // most tests count what a server is asked
			}
			return h.upstreams.Of("mcp")
		},
	})
	o := gateway.Options{
		Behaviour: base.Memory, Agents: h.agents, Upstreams: h.upstreams, Policies: h.policies, Stops: h.stops, Decisions: &h.log, Steps: steps,
		Protocols: []gateway.Protocol{h.protocol}, Node: "n1", Logger: logger,
	}
	if change != nil {
		change(&o)
	}
	h.door, err = gateway.New(o)
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = steps.Run(ctx) })
	all.Go(func() { _ = h.protocol.Run(ctx) })
	all.Go(func() { _ = h.door.Serve(ctx, l, gateway.Serving{Drain: time.Second}) })
	t.Cleanup(func() { cancel(); all.Wait() })
	h.url = "http://" + l.Addr().String()
	return h
}

func (h *house) permit(texts ...string) {
	h.t.Helper()
	h.base.Permit(texts...)
}

// agent registers an agent that may do everything and gives its key.
func (h *house) agent(name string) string {
	h.t.Helper()
	return h.base.Agent(name)
}

const secret = "sk-upstream-0123456789abcdef"

// at registers a server of tools by its address.
func (h *house) at(name, url string, change func(*client.Upstream)) {
	h.t.Helper()
	u := client.Upstream{
		Name: name, Kind: "mcp", URL: url, Team: "support", Environment: "production", AllowPrivate: true,
		Credential: &client.Credential{Kind: "bearer", Source: "value", Value: secret},
	}
	if change != nil {
		change(&u)
	}
	if _, err := h.upstreams.Put(h.t.Context(), "ada", u); err != nil {
		h.t.Fatal(err)
	}
}

// server registers a server of tools that answers as the handler does.
func (h *house) server(name string, handler http.Handler, change func(*client.Upstream)) *httptest.Server {
	h.t.Helper()
	s := httptest.NewServer(handler)
	h.t.Cleanup(s.Close)
	h.at(name, s.URL+"/mcp", change)
	return s
}

// reply is one answer of the door.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request with headers given as name, value, …
func (h *house) send(key, method, path, body string, headers ...string) reply {
	h.t.Helper()
	resp := h.open(key, method, path, body, headers...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		b = append(b, "\n(read: "+err.Error()+")"...)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (h *house) open(key, method, path, body string, headers ...string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp
}

// TestServe is a door for a look by hand: REEVE_MCP_SERVE="ref=http://…/mcp
// old=http://…/mcp,session" go test -run TestServe.
func TestServe(t *testing.T) {
	spec := os.Getenv("REEVE_MCP_SERVE")
	if spec == "" {
		t.Skip("for a look by hand")
	}
	h := newHouse(t, func(o *gateway.Options) { o.Dev = true })
	h.policies.Dev = true
	for word := range strings.FieldsSeq(spec) {
		name, rest, _ := strings.Cut(word, "=")
		url, dialect, _ := strings.Cut(rest, ",")
		h.at(name, url, func(u *client.Upstream) { u.Dialect, u.Credential = dialect, nil })
	}
	fmt.Println("door", h.url)
	if f := os.Getenv("REEVE_MCP_URL_FILE"); f != "" {
		if err := os.WriteFile(f, []byte(h.url), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// eventually waits until a condition holds.
func (h *house) eventually(is func() bool) {
	h.t.Helper()
	for range 5000 {
		if is() {
			return
		}
		<-time.After(time.Millisecond)
	}
	h.t.Fatal("it never became so")
}
