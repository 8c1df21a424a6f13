// Package mcp is the door for servers of tools: the Model Context Protocol, in
// its sessions (2025-03-26 to 2025-11-25) and without them (2026-07-28).
//
// What for: an agent speaks MCP to /mcp/{upstream}, or to /mcp for all servers
// at once, and presents a credential of its own. Each tool that it calls and
// each resource and prompt that it reads is an action that policy decides; what
// a server asks back of the agent is one too.
//
// Who calls it: the door, through gateway.Protocol; app registers it and runs
// Run.
//
// Promises: a message that two readers could read differently, or whose headers
// say another thing than its body, goes nowhere. Lists show what the caller may
// use. Session ids are ours and belong to one credential, user and upstream; so
// do the upstream's sessions behind them. What a server sends belongs to an open
// call of the same caller or goes nowhere. A client of either era reaches a
// server of either era. Messages that nothing acts on pass byte for byte.
//
// How it fails: with JSON-RPC errors that carry our code, hint and the decision
// (refuse.go). What cannot be decided is refused.
//
// Start reading at Protocol.Propose and methods; message.go reads, answer.go
// watches answers, era.go finds out what a server speaks, and bridge.go and
// those beside it carry calls between the eras.
package mcp

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/upstream"
)

// Pin is what is in force about a tool.
type Pin struct {
	Hash     string   // of the definition that was accepted
	Effect   string   // "" nobody said
	Classes  []string // of data that it handles
	Alias    string   // its name at /mcp; "" it has none
	Accepted bool     // what the server listed last is what a person accepted
}

// Tool is a tool as its server lists it.
type Tool struct {
	Name, Title, Description               string
	InputSchema, OutputSchema, Annotations []byte
	Tasks                                  string // execution.taskSupport of 2025-11-25; "" none
}

// Pins knows which definitions of tools a person accepted.
type Pins interface {
	// See takes note of an upstream's list and gives the pin of each tool; whole
	// says that there are no others.
	See(ctx context.Context, upstream string, tools []Tool, whole bool) ([]Pin, error)
	// Lookup finds a tool's pin without waiting.
	Lookup(upstream, tool string) (Pin, bool)
	// Tools names the tools that an upstream was seen to have.
	Tools(upstream string) []string
	// Alias finds the tool that /mcp lists under a name.
	Alias(name string) (upstream, tool string, ok bool)
}

// Options are what a Protocol needs; all may be empty.
type Options struct {
	Pins   Pins   // nil: no tool was ever accepted
	Config Config // has the servers that are processes of this host
	// Upstreams are the servers there are now; nil: nothing is asked by the door
	// itself, and /mcp is empty.
	Upstreams func() []*upstream.Upstream
	Logger    *slog.Logger
	Now       func() time.Time
}

// Protocol is gateway.Protocol for servers of tools. Make one with New.
type Protocol struct {
	o         Options
	sessions  sessions
	seals     *seals
	eras      eras
	links     links
	params    params
	children  *children
	catalogue catalogue
	found     found
	nowhere   *upstream.Upstream
	waits     waits
	tasks     tasks
	answers   decisions
}

// New makes a protocol. It starts nothing.
func New(o Options) *Protocol {
	if o.Pins == nil {
		o.Pins = noPins{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Protocol{o: o, seals: newSeals(o.Now), children: newChildren(o.Config, o.Logger), nowhere: upstream.Nowhere("mcp")}
	p.sessions.now = o.Now
	return p
}

// Kind implements gateway.Protocol.
func (*Protocol) Kind() string { return "mcp" }

// Run ends what nobody uses any more until ctx ends.
func (p *Protocol) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		again := time.NewTicker(lookEvery)
		defer again.Stop()
		for {
			p.look(ctx)
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			<-looked
			p.sessions.end()
			p.waits.end()
			p.tasks.end()
			p.links.end()
			p.children.end()
			return context.Cause(ctx)
		case <-tick.C:
			p.sessions.sweep()
			p.seals.sweep()
			p.links.sweep(p.o.Now())
			p.tasks.sweep(p.o.Now())
		}
	}
}

var (
	errPath = fault.New(fault.KindNotFound, "mcp.path", "a server of tools is one address").
		WithHint("call /mcp/{upstream} without anything behind it")
	errHTTPMethod = fault.New(fault.KindInvalid, "mcp.http_method", "messages are POSTed; a session may be listened to with GET and ended with DELETE")
	errSession    = fault.New(fault.KindNotFound, "mcp.session", "there is no such session of this caller at this upstream").
			WithHint("begin a new one with initialize")
	errNoSession = fault.New(fault.KindInvalid, "mcp.no_session", "the message names no session and says no version").
			WithHint("begin with initialize, or send io.modelcontextprotocol/protocolVersion in _meta as 2026-07-28 has it")
	errAccept = fault.New(fault.KindInvalid, "mcp.accept", "the answer may be application/json or text/event-stream").
			WithHint("send Accept: application/json, text/event-stream")
	errContent = fault.New(fault.KindInvalid, "mcp.content_type", "messages are application/json")
)

// Propose implements gateway.Protocol.
func (p *Protocol) Propose(c *gateway.Call) (*gateway.Proposal, error) {
	if c.Path != "/" {
		return nil, errPath
	}
	switch c.Method {
	case http.MethodPost:
		return p.post(c)
	case http.MethodGet:
		return p.listen(c)
	case http.MethodDelete:
		return p.leave(c)
	}
	return nil, errHTTPMethod
}

type noPins struct{}

func (noPins) See(_ context.Context, _ string, tools []Tool, _ bool) ([]Pin, error) {
	return make([]Pin, len(tools)), nil
}
func (noPins) Lookup(string, string) (Pin, bool)            { return Pin{}, false }
func (noPins) Tools(string) []string                        { return nil }
func (noPins) Alias(string) (upstream, tool string, _ bool) { return "", "", false }
