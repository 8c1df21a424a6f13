package mcp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

const (
	lookEvery   = 2 * time.Second
	relistEvery = 5 * time.Minute
	relistAgain = 30 * time.Second // after one that failed
	relistTime  = 20 * time.Second
	maxLooking  = 4 // servers that are asked at once
)

// catalogue is what servers offer, as they told the door itself: with the
// upstream's own credential and for no agent. New servers and tools are known
// through it before anybody calls them, and /mcp lists from it.
type catalogue struct {
	version atomic.Int64 // grows with each change
	mu      sync.Mutex
	all     map[string]*offers
}

// offers are those of one server. They never change: new ones take their place.
type offers struct {
	revision  int64
	tools     []offer
	prompts   []offer
	resources []offer
	asked     time.Time
	failed    error
}

// offer is one thing that a server offers.
type offer struct {
	name  string // of a tool or prompt, or a URI
	alias string // its name at /mcp; "" none
	pin   Pin    // of a tool
	raw   []byte // as it was listed
	text  string // what find_tools looks through, in lower case
}

func (c *catalogue) of(name string, revision int64) *offers {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.all[name]; o != nil && o.revision == revision {
		return o
	}
	return nil
}

func (c *catalogue) put(name string, o *offers) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]*offers{}
	}
	old := c.all[name]
	c.all[name] = o
	if old == nil || !slices.EqualFunc(old.tools, o.tools, sameOffer) || !slices.EqualFunc(old.prompts, o.prompts, sameOffer) || !slices.EqualFunc(old.resources, o.resources, sameOffer) {
		c.version.Add(1)
	}
}

func sameOffer(a, b offer) bool {
	return a.name == b.name && a.alias == b.alias && bytes.Equal(a.raw, b.raw)
}

// stale makes a server be asked again soon.
func (c *catalogue) stale(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.all[name]; o != nil {
		next := *o
		next.asked = time.Time{}
		c.all[name] = &next
	}
}

// keep forgets servers that are gone.
func (c *catalogue) keep(there map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.all {
		if !there[name] {
			delete(c.all, name)
			c.version.Add(1)
		}
	}
}

// look asks the servers that were not asked for long, or never.
func (p *Protocol) look(ctx context.Context) {
	if p.o.Upstreams == nil {
		return
	}
	there := map[string]bool{}
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxLooking)
	for _, u := range p.o.Upstreams() {
		there[u.Name] = true
		o := p.catalogue.of(u.Name, u.Revision)
		wait := relistEvery
		if o != nil && o.failed != nil {
			wait = relistAgain
			if code := fault.From(o.failed).Code; code == "upstream.not_connected" || code == "upstream.scope_missing" {
				wait = lookEvery // it is asked once a person connected it: before, nobody is
			}
		}
		if o != nil && p.o.Now().Sub(o.asked) < wait {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p.ask(ctx, u, o)
		})
	}
	p.catalogue.keep(there)
	wg.Wait()
}

// ask asks a server for what it offers.
func (p *Protocol) ask(ctx context.Context, u *upstream.Upstream, old *offers) {
	ctx, cancel := context.WithTimeout(ctx, relistTime)
	defer cancel()
	next := &offers{revision: u.Revision, asked: p.o.Now()}
	err := p.list(ctx, u, next)
	if !errors.Is(ctx.Err(), context.Canceled) { // we are ending
		u.Breaker().Heard(err)
	}
	if err != nil {
		p.o.Logger.Debug("a server was not asked for its tools", "upstream", u.Name, "err", err)
		if old != nil { // what was known stays
			next.tools, next.prompts, next.resources = old.tools, old.prompts, old.resources
		}
		next.failed = err
	}
	p.catalogue.put(u.Name, next)
}

// list fills in what a server offers.
func (p *Protocol) list(ctx context.Context, u *upstream.Upstream, o *offers) error {
	like, err := outgoing(ctx, u)
	if err != nil {
		return err
	}
	l, err := p.linkTo(u, like, owner{agent: "*", upstream: u.Name}, nil, nil)
	if err != nil {
		return err
	}
	var tools []Tool
	err = p.pages(ctx, like, l, "tools/list", "tools", func(e entry, raw []byte) {
		tools = append(tools, e.tool)
		o.tools = append(o.tools, offer{name: e.name, raw: raw, text: searchable(&e.tool)})
	})
	if err != nil {
		return err
	}
	p.params.learn(u.Name, tools, true)
	pins, err := p.o.Pins.See(ctx, u.Name, tools, true)
	if err != nil || len(pins) != len(tools) {
		return errors.Join(errAnswer, err)
	}
	for i := range pins {
		o.tools[i].alias, o.tools[i].pin = pins[i].Alias, pins[i]
	}
	// Not every server has these; what it has no list of it does not offer.
	_ = p.pages(ctx, like, l, "prompts/list", "prompts", func(e entry, raw []byte) {
		if alias := u.Name + "__" + e.name; callable(alias) {
			o.prompts = append(o.prompts, offer{name: e.name, alias: alias, raw: raw})
		}
	})
	_ = p.pages(ctx, like, l, "resources/list", "resources", func(e entry, raw []byte) {
		o.resources = append(o.resources, offer{name: e.name, alias: e.name, raw: raw})
	})
	return nil
}

// callable reports whether the clients of model providers take a name.
func callable(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			continue
		}
		return false
	}
	return name != "" && len(name) <= 64
}

// pages gives each entry of a list to each.
func (p *Protocol) pages(ctx context.Context, like *http.Request, l link, method, list string, each func(e entry, raw []byte)) error {
	var cursor []byte
	n := 0
	for range maxPages {
		result, err := p.listing(ctx, like, l, method, cursor)
		if err != nil {
			return err
		}
		_, all, _, wrong := entries(result, list)
		if wrong != nil {
			return wrong
		}
		for _, e := range all {
			if n++; n > maxListed {
				return errLong
			}
			each(e, bytes.Clone(e.at.in(result)))
		}
		if cursor = nextCursor(result); cursor == nil {
			return nil
		}
	}
	return errLong
}

// listing asks for one page of a list.
func (p *Protocol) listing(ctx context.Context, like *http.Request, l link, method string, cursor []byte) ([]byte, error) {
	f, err := l.call(ctx, like, nil, func(id []byte) []byte {
		params := []byte{}
		if l.modern() {
			params = append(params, `"_meta":{"`+keyVersion+`":"`+modernVersion+`","`+keyClient+`":{"name":"reeve","version":"1"},"`+keyCaps+`":{}}`...)
		}
		if cursor != nil {
			if len(params) > 0 {
				params = append(params, ',')
			}
			params = append(append(params, `"cursor":`...), cursor...)
		}
		out := append(append([]byte(`{"jsonrpc":"2.0","id":`), id...), `,"method":"`+method+`","params":{`...)
		return append(append(out, params...), `}}`...)
	})
	if err != nil {
		return nil, err
	}
	defer f.end()
	for {
		msg, err := f.next(ctx)
		if err != nil {
			return nil, err
		}
		m, err := parse(msg)
		switch {
		case err != nil && (m == nil || m.id == nil):
			return nil, errAnswer.WithCause(err)
		case m.isResponse() && m.result.to != 0:
			return m.result.in(m.raw), nil
		case m.isResponse():
			return nil, errAnswer
		}
	}
}

// outgoing is a request with the upstream's own address and credential.
func outgoing(ctx context.Context, u *upstream.Upstream) (*http.Request, error) {
	target, err := u.Target("", "")
	if err != nil {
		return nil, err
	}
	req := (&http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept-Encoding": {"identity"}, "User-Agent": {"reeve"}},
	}).WithContext(ctx)
	return req, u.Authorize(req)
}

// linkTo is a connection to a server in the era that it speaks.
func (p *Protocol) linkTo(u *upstream.Upstream, like *http.Request, of owner, caps, client []byte) (link, error) {
	modern, err := p.eras.modern(u, like)
	if err != nil {
		return nil, err
	}
	if modern {
		return &httpLink{u: u, now: true, version: modernVersion, ids: &p.links.ids}, nil
	}
	return p.links.get(p, u, of, like, caps, client)
}
