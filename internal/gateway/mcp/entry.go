package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

// The one entry: all servers that an agent may use, as one. Tools and prompts are
// named upstream__name; a resource is read from the server that listed it.

const (
	findTools   = "find_tools"
	manyTools   = 60 // beyond it a client is shown find_tools and what it found
	maxFound    = 50
	maxFinders  = 10_000
	mostFound   = 20
	usualFound  = 8
	toolsNotice = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
)

var errAlias = fault.New(fault.KindNotFound, "mcp.no_such_tool", "no server that you may use has this").
	WithHint("tools/list lists what there is; %s searches it", findTools)

// atEntry reports whether a call came to the one entry.
func atEntry(c *gateway.Call) bool {
	return c.Request != nil && c.Request.URL != nil && strings.Trim(c.Request.URL.Path, "/") == "mcp"
}

// Enter implements gateway.Entrance: it finds the server that a message is for.
func (p *Protocol) Enter(c *gateway.Call) (*upstream.Upstream, error) {
	nowhere := p.nowhere
	if c.Method != http.MethodPost {
		return nowhere, nil
	}
	m, err := parse(c.Body)
	if err != nil {
		return nowhere, nil // it is refused as on every address
	}
	name := ""
	switch m.method {
	case "tools/call":
		if m.name == findTools {
			return nowhere, nil
		}
		name, _, _ = p.o.Pins.Alias(m.name)
	case "prompts/get":
		name, _, _ = strings.Cut(m.name, "__")
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		name = p.lister(m.uri)
	case "tasks/get", "tasks/update", "tasks/cancel":
		_, own, _ := strings.Cut(m.task, ".") // Propose looks at its mark
		name, _, _ = strings.Cut(own, "/")
	case "completion/complete":
		if ref := m.ref.in(m.raw); len(ref) > 0 {
			var r struct{ Name, URI string }
			_ = json.Unmarshal(ref, &r) // Propose reads it again
			if name, _, _ = strings.Cut(r.Name, "__"); r.URI != "" {
				name = p.lister(r.URI)
			}
		}
	default:
		return nowhere, nil
	}
	for _, u := range p.upstreams() {
		if u.Name == name {
			return u, nil
		}
	}
	return nowhere, nil
}

func (p *Protocol) upstreams() []*upstream.Upstream {
	if p.o.Upstreams == nil {
		return nil
	}
	return p.o.Upstreams()
}

// lister is the server that listed a resource; "" for none, or for several: then
// nobody can say whose it is.
func (p *Protocol) lister(uri string) string {
	found := ""
	for _, u := range p.upstreams() {
		o := p.catalogue.of(u.Name, u.Revision)
		if o == nil {
			continue
		}
		for i := range o.resources {
			if o.resources[i].name == uri {
				if found != "" {
					return ""
				}
				found = u.Name
				break
			}
		}
	}
	return found
}

// entered makes of a message at the entry one for the server that it is for.
func (x *exchange) entered() error {
	m, u := x.m, x.c.Upstream
	if u == x.p.nowhere {
		switch {
		case m.method == "tools/call" && m.name != findTools, m.method == "prompts/get", m.method == "completion/complete", strings.HasPrefix(m.method, "resources/") && m.uri != "":
			return errAlias
		case strings.HasPrefix(m.method, "tasks/") && m.method != "tasks/list":
			return errTask
		}
		return nil
	}
	var edits []wire.Edit
	name := ""
	switch m.method {
	case "tools/call":
		_, name, _ = x.p.o.Pins.Alias(m.name)
		edits = []wire.Edit{{From: m.nameAt.from, To: m.nameAt.to, With: quote(name)}}
	case "prompts/get":
		name = strings.TrimPrefix(m.name, u.Name+"__")
		edits = []wire.Edit{{From: m.nameAt.from, To: m.nameAt.to, With: quote(name)}}
	case "completion/complete":
		ref := m.ref.in(m.raw)
		c := wire.Inner(ref)
		for o := c.Object(); o.Next(); {
			if string(o.Key) == "name" {
				from := m.ref.from + c.Pos()
				own := strings.TrimPrefix(c.Text(), u.Name+"__")
				edits = []wire.Edit{{From: from, To: m.ref.from + c.Pos(), With: quote(own)}}
			}
		}
	}
	if len(edits) == 0 {
		return nil
	}
	next, err := parse(wire.Apply(nil, m.raw, edits))
	if err != nil {
		return err
	}
	x.m, x.out = next, next.raw
	x.own = name
	return nil
}

// found is what callers found with find_tools, the latest last.
type found struct {
	mu  sync.Mutex
	all map[owner][]string
}

func (f *found) of(who owner) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[who]
}

func (f *found) add(who owner, names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil || len(f.all) >= maxFinders {
		f.all = map[owner][]string{}
	}
	list := slices.DeleteFunc(slices.Clone(f.all[who]), func(n string) bool { return slices.Contains(names, n) })
	list = append(list, names...)
	f.all[who] = list[max(0, len(list)-maxFound):]
}

// seen is a tool that the caller may see.
type seen struct {
	u *upstream.Upstream
	o *offer
}

// visible are the tools of all servers that the caller may see.
func (x *exchange) visible() (out []seen) {
	ask := x.c.Asker("call_tool")
	for _, u := range x.p.upstreams() {
		o := x.p.catalogue.of(u.Name, u.Revision)
		if o == nil {
			continue
		}
		for i := range o.tools {
			t := &o.tools[i]
			if t.alias == "" {
				continue
			}
			res, pin := x.p.toolOf(u, t.name)
			v := ask.Would(u, res).Verdict
			if v == activity.VerdictAllow || v == activity.VerdictHold && pin.Accepted {
				out = append(out, seen{u, t})
			}
		}
	}
	return out
}

// atOnce answers what is for no server.
func (x *exchange) atOnce(req *http.Request) (*http.Response, error) {
	m := x.m
	if m == nil {
		return x.announced(req)
	}
	if m.isNotification() {
		return accepted(req), nil
	}
	reply := func(result []byte) (*http.Response, error) {
		if x.modern {
			result = asModern(m.method, result)
		}
		return x.localResult(req, result), nil
	}
	switch m.method {
	case "initialize":
		return x.beginEntry(req)
	case "server/discover":
		return reply(asDiscovered(entryInfo(latestSession)))
	case "ping", "logging/setLevel":
		return reply([]byte("{}"))
	case "tools/list":
		return reply(x.entryTools())
	case "prompts/list":
		return reply(x.entryList("prompts"))
	case "resources/list":
		return reply(x.entryList("resources"))
	case "resources/templates/list":
		return reply([]byte(`{"resourceTemplates":[]}`))
	case "subscriptions/listen":
		return x.announced(req)
	case "tools/call":
		return x.search(req)
	}
	return nil, errMethod(m.method)
}

// entryInfo is what the entry says of itself.
func entryInfo(version string) []byte {
	return []byte(`{"protocolVersion":"` + version + `","capabilities":{"tools":{"listChanged":true},"prompts":{},"resources":{},"completions":{}},"serverInfo":{"name":"reeve","version":"1"},` +
		`"instructions":"Tools of several servers, named server__tool. When find_tools is listed, search with it first: what it finds is listed from then on."}`)
}

func (x *exchange) beginEntry(req *http.Request) (*http.Response, error) {
	return x.ours(req, entryLink{})
}

// entryLink stands for the entry in a session; the servers behind it have links
// of their own.
type entryLink struct{ link }

func (entryLink) modern() bool { return false }
func (entryLink) info() []byte { return entryInfo(latestSession) }

// findTool is find_tools as it is listed.
const findTool = `{"name":"find_tools","title":"Find tools","description":"Searches the tools of all connected servers by words of their name or description, and lists the best matches with their schemas. Call it before using a tool that is not listed.",` +
	`"inputSchema":{"type":"object","properties":{"query":{"type":"string","description":"What the tool should do, in a few words"},"limit":{"type":"integer","minimum":1,"maximum":20,"description":"How many to list; 8 when absent"}},"required":["query"]},` +
	`"annotations":{"readOnlyHint":true,"openWorldHint":false}}`

// entryTools is the list of tools: all of them, or find_tools and what was found
// when there are many.
func (x *exchange) entryTools() []byte {
	all := x.visible()
	out := []byte(`{"tools":[`)
	some := false
	add := func(raw []byte) {
		if some {
			out = append(out, ',')
		}
		some = true
		out = append(out, raw...)
	}
	if len(all) > manyTools {
		add([]byte(findTool))
		mine := x.p.found.of(ownerOf(x.c))
		all = slices.DeleteFunc(all, func(s seen) bool { return !slices.Contains(mine, s.o.alias) })
	}
	slices.SortFunc(all, func(a, b seen) int { return strings.Compare(a.o.alias, b.o.alias) })
	for _, s := range all {
		add(renamed(s.o.raw, s.o.alias))
	}
	return append(out, `]}`...)
}

// renamed is a definition under another name.
func renamed(raw []byte, name string) []byte {
	c := wire.Inner(raw)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "name" {
			from := c.Pos()
			c.Skip()
			return wire.Apply(nil, raw, []wire.Edit{{From: from, To: c.Pos(), With: quote(name)}})
		}
	}
	return raw
}

// entryList is the list of prompts or resources.
func (x *exchange) entryList(list string) []byte {
	ask := x.c.Asker("read_source")
	out := []byte(`{"` + list + `":[`)
	some := false
	for _, u := range x.p.upstreams() {
		o := x.p.catalogue.of(u.Name, u.Revision)
		if o == nil {
			continue
		}
		offers := o.resources
		if list == "prompts" {
			offers = o.prompts
		}
		for i := range offers {
			name := offers[i].name
			if list == "prompts" {
				name = "prompt/" + name
			}
			if ask.Would(u, sourceOf(u, name)).Verdict == deny {
				continue
			}
			if some {
				out = append(out, ',')
			}
			some = true
			if list == "prompts" {
				out = append(out, renamed(offers[i].raw, offers[i].alias)...)
			} else {
				out = append(out, offers[i].raw...)
			}
		}
	}
	return append(out, `]}`...)
}

// searchable is what find_tools looks through.
func searchable(t *Tool) string {
	return strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(t.Name) + " " + t.Title + " " + t.Description[:min(len(t.Description), 2000)])
}

// search answers find_tools.
func (x *exchange) search(req *http.Request) (*http.Response, error) {
	var args struct {
		Query string `json:"query"`
		Limit int    `json:"limit"`
	}
	if raw := x.m.args.in(x.m.raw); len(raw) == 0 || json.Unmarshal(raw, &args) != nil || strings.TrimSpace(args.Query) == "" || len(args.Query) > 1000 {
		return nil, errArgs
	}
	best := ranked(x.visible(), args.Query, min(max(args.Limit, 0), mostFound))
	names := make([]string, 0, len(best))
	list := []byte("[")
	for i, s := range best {
		names = append(names, s.o.alias)
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, renamed(s.o.raw, s.o.alias)...)
	}
	list = append(list, ']')
	if len(names) > 0 {
		x.p.found.add(ownerOf(x.c), names)
		x.p.catalogue.version.Add(1) // who listens is told
	}
	structured := append(append([]byte(`{"tools":`), list...), '}')
	out := append([]byte(`{"content":[{"type":"text","text":`), quote(string(structured))...)
	out = append(append(append(out, `}],"structuredContent":`...), structured...), '}')
	if x.modern {
		out = asModern(x.m.method, out)
	}
	return x.localResult(req, out), nil
}

// ranked are the tools that a search finds, the best first: by how many of its
// words they have, and a word of the name counts for more.
func ranked(all []seen, query string, limit int) []seen {
	if limit == 0 {
		limit = usualFound
	}
	words := strings.Fields(strings.ToLower(strings.NewReplacer("_", " ", "-", " ", ",", " ", ".", " ").Replace(query)))
	if len(words) > 50 {
		words = words[:50]
	}
	type scored struct {
		seen
		score int
	}
	var hits []scored
	for _, s := range all {
		score := 0
		name := strings.ToLower(s.o.alias)
		for _, w := range words {
			if len(w) < 2 && (w[0] < '0' || w[0] > '9') {
				continue
			}
			stem := strings.TrimSuffix(w, "s")
			switch {
			case strings.Contains(name, stem):
				score += 5
			case strings.Contains(s.o.text, stem):
				score++
			}
		}
		if score > 0 {
			hits = append(hits, scored{s, score})
		}
	}
	slices.SortFunc(hits, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.o.alias, b.o.alias))
	})
	out := make([]seen, 0, limit)
	for _, h := range hits[:min(len(hits), limit)] {
		out = append(out, h.seen)
	}
	return out
}

// shape is what tells one list of the caller's from the next.
func (x *exchange) shape() uint64 {
	h := fnv.New64a()
	_, _ = h.Write(x.entryTools())
	return h.Sum64()
}

// announced tells the caller when its list of tools has changed.
func (x *exchange) announced(req *http.Request) (*http.Response, error) {
	want := subscription{Tools: true}
	if x.modern {
		var f *fault.Error
		if want, f = x.wanted(); f != nil {
			return nil, f
		}
		want = subscription{Tools: want.Tools}
	}
	return x.respond(req, func(ctx context.Context, say emit) error {
		ask := x.c.Asker("call_tool")
		state := func() [2]int64 {
			return [2]int64{x.p.catalogue.version.Load(), ask.Would(x.p.nowhere, sourceOf(x.p.nowhere, "")).Version}
		}
		// Before the acknowledgement: whoever has that is told of what changes then.
		last, shape := state(), x.shape()
		if x.modern {
			if err := say(x.subscriptionNote("notifications/subscriptions/acknowledged", `"notifications":`+string(encoded(want))), false); err != nil {
				return err
			}
		}
		var gone <-chan struct{}
		if x.ses != nil {
			gone = x.ses.gone
		}
		tick := time.NewTicker(lookEvery / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-gone:
				return nil
			case <-tick.C:
			}
			now := state()
			if now == last || !want.Tools {
				continue
			}
			last = now
			next := x.shape()
			if next == shape {
				continue
			}
			shape = next
			msg := []byte(toolsNotice)
			if x.modern {
				m, err := parse(msg)
				if err != nil { // of our own
					panic(err)
				}
				msg = rewrite(m, nil, append([]byte(`"`+keySub+`":`), x.m.id...), nil)
			}
			if err := say(msg, false); err != nil {
				return err
			}
		}
	})
}
