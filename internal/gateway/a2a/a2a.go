// Package a2a is the door for peers: agents call other agents by the protocol
// A2A through /a2a/{upstream}.
//
// What for: an agent finds a peer's card here and sends it messages; policy
// decides on each (action send_task, resource Peer), the record says who handed
// what to whom, and tasks stay those of the agent that began them. The bindings
// JSON-RPC, HTTP+JSON and gRPC of A2A 1.0, and JSON-RPC of 0.3, are spoken on
// both sides, and one is translated into another where client and peer differ.
//
// Who calls it: the door, through gateway.Protocol; app registers it and runs
// it; api reads and accepts cards.
//
// Promises: what client and peer both speak passes byte for byte. A task or
// context at a peer belongs to agent, credential and user that began it; for
// others it does not exist. A card is fetched, checked and shown with our
// addresses and our signature only; one that changed is not pinned until a
// person accepts it. Credentials go only to the upstream's own origin and those
// that a person named. Whose tasks are is written behind: what a crash loses is
// hidden from all. Safe for concurrent use.
//
// How it fails: with the protocol's own errors (code, google.rpc.Status), and
// faults a2a.*.
//
// Start reading at Protocol.Propose, then exchange.RoundTrip; request.go and
// grpc.go read, see.go checks answers, old.go translates 0.3.
package a2a

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

// MaxDepth is how many agents a message may have come by, the sender included;
// policy sees the depth and may allow fewer.
const MaxDepth = 4

// Options are what a Protocol needs: Upstreams and Base are required.
type Options struct {
	Upstreams *upstream.Registry
	DB        *control.DB // nil: nothing is kept over a restart
	Base      string      // URL by which agents reach the door
	// Sign signs a card's canonical form: a JWS with detached payload. nil: cards
	// are not signed.
	Sign func(payload []byte) (protected, signature string, err error)
	// Delegate gives a token with which the registered agent to may act for a
	// caller; nil: none is given.
	Delegate func(ctx context.Context, c *gateway.Caller, to string) (string, error)
	// Stopped says that a task's agent may not go on; nil: nobody is stopped while
	// no call is in flight.
	Stopped func(t Task) bool
	// Pins remembers cards as people accepted them; nil: none is accepted.
	Pins Pins
	// Approvals keeps what waits for a person; nil: nothing does.
	Approvals *approval.Book
	Resolver  resolver // nil: the system's
	Dev       bool     // cards ask for no credential
	Logger    *slog.Logger
	Now       func() time.Time
}

// Protocol is gateway.Protocol for A2A.
type Protocol struct {
	o     Options
	cards cards
	tasks *tasks

	abandoned chan Task
	given     delegations
	figures   figures
}

// New makes the protocol and loads whose tasks are. It starts nothing.
func New(ctx context.Context, o Options) (*Protocol, error) {
	if o.Upstreams == nil || o.Base == "" {
		return nil, errors.New("peers need upstreams and the door's address")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	p := &Protocol{o: o, abandoned: make(chan Task, 1000)}
	p.cards = cards{p: p, m: map[string]*slot{}}
	p.given.m = map[delegation]given{}
	var err error
	p.tasks, err = newTasks(ctx, o.DB, o.Logger, o.Now)
	return p, err
}

// Run keeps cards fresh, writes whose tasks are, and tells peers of tasks whose
// agent was stopped, until ctx ends.
func (p *Protocol) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { p.tasks.run(ctx) })
	all.Go(func() { p.refresh(ctx) })
	all.Go(func() { p.cancelling(ctx) })
	<-ctx.Done()
	all.Wait()
	return context.Cause(ctx)
}

// Kind implements gateway.Protocol.
func (*Protocol) Kind() string { return "a2a" }

// Root implements gateway.Rooted: the path of gRPC's service.
func (*Protocol) Root() string { return grpcService }

var errWhere = fault.New(fault.KindNotFound, "gateway.upstream", "there is no such upstream").
	WithHint("a gRPC call names its upstream as the request's tenant, as the card says, or in the metadata x-reeve-upstream")

// Enter implements gateway.Entrance: a gRPC call names its upstream as tenant,
// as our cards say, or in its metadata.
func (p *Protocol) Enter(c *gateway.Call) (*upstream.Upstream, error) {
	name := c.Request.Header.Get("X-Reeve-Upstream")
	if wireOf(c) == gRPC {
		switch t := tenantOf(c); {
		case name == "":
			name = t
		case t != "" && t != name:
			return nil, errWhere.WithHint("tenant and x-reeve-upstream differ")
		}
	}
	u, _, ok := p.o.Upstreams.Choose(name)
	if !ok || u.Kind != p.Kind() {
		return nil, errWhere
	}
	return u, nil
}

// Propose implements gateway.Protocol.
func (p *Protocol) Propose(c *gateway.Call) (*gateway.Proposal, error) {
	u := c.Upstream
	out := &gateway.Proposal{
		Action: "send_task", Name: u.Name, Kind: activity.KindA2A,
		Resource: policy.Resource{Type: "Peer", ID: u.Name, Name: u.Name, Effect: "destructive", Classes: u.Classes},
	}
	if u.Peer != nil {
		out.Resource.Effect, out.Resource.Agent = cmp.Or(u.Peer.Effect, "destructive"), u.Peer.Agent
	}
	k, err := p.cards.get(c.Context, u)
	if err == nil {
		p.describe(out, u, k)
	}
	kept, again := c.State.(*asking)
	if again {
		return p.edited(c, out, k, kept)
	}
	r, unread := read(c)
	effect := out.Resource.Effect // of a message; the operation may have another
	if r != nil && r.op != opNone {
		named(out, u.Name, r)
	}
	switch {
	case unread != nil:
		return out, unread
	case err != nil:
		return out, err
	}
	if out.Args, err = argsOf(r); err != nil {
		return out, err
	}
	if r.op == opCard || r.op == opExtendedCard {
		out.Unasked = unasked(u.Name, out.Resource.Pinned)
	}
	if r.op == opCard {
		return out, p.proposeCard(c, out, r, k)
	}
	owner := ownerOf(c)
	x, held, err := p.continued(c, out, r, owner)
	switch {
	case err != nil:
		return out, err
	case held && x == nil: // answered from here
		return out, nil
	case !held:
		if err := p.own(r, owner); err != nil {
			return out, err
		}
		x = &exchange{p: p, u: u, r: r, c: r, owner: owner}
		c.State = &asking{asked: r, owner: owner}
	}
	if x.c != x.r {
		out.Resource.Effect = effect // it forwards what was held, whatever asks for it
	}
	return out, p.prepare(c, out, x, k)
}

// unasked is what to do about a card that is held: people accept a card, they do
// not agree to somebody's reading it.
func unasked(upstream string, accepted bool) string {
	if accepted {
		return "the card is accepted, and policy holds reading it: let it hold send_task by path:operation, SendMessage and SendStreamingMessage alone"
	}
	return "nobody accepted the peer's card: `reeve upstream card " + upstream + "` shows it, `reeve tool accept " + upstream + " " + PinName(upstream) + "` accepts it"
}

// describe puts into a proposal what is known of the peer.
func (p *Protocol) describe(out *gateway.Proposal, u *upstream.Upstream, k *card) {
	pin, accepted := p.pinned(u.Name, k)
	out.Resource.Pinned, out.Pin = accepted, k.hash
	if accepted && pin.Effect != "" {
		out.Resource.Effect = pin.Effect // a person said so when they accepted the card
	}
	if accepted {
		out.Resource.Classes = append(u.Classes[:len(u.Classes):len(u.Classes)], pin.Classes...)
	}
}

// named puts into a proposal which operation it is.
func named(out *gateway.Proposal, upstream string, r *request) {
	out.Name = r.String() + " " + upstream
	switch {
	case ops[r.op].sends:
		out.Kind = activity.KindHandoff
	case ops[r.op].reads:
		out.Resource.Effect = "read"
	case out.Resource.Effect == "destructive":
		out.Resource.Effect = "write" // it ends or changes what was permitted before
	}
}

// edited proposes a message again that a person changed before they agreed.
func (p *Protocol) edited(c *gateway.Call, out *gateway.Proposal, k *card, kept *asking) (*gateway.Proposal, error) {
	var r *request
	var err error
	x := &exchange{p: p, u: c.Upstream, c: kept.asked, owner: kept.owner}
	if kept.held != nil {
		r, err = kept.held.recall(c, c.Body, kept.asked)
		x.alias, out.Collects = kept.held.id, kept.held.id
	} else if r, err = read(c); err == nil {
		r.id = kept.asked.id // this call's own
		x.c = r
	}
	switch {
	case err != nil:
		return out, err
	case k == nil:
		return out, errCard
	case !ops[r.op].sends:
		return out, errParams
	}
	named(out, c.Upstream.Name, r)
	if out.Args, err = argsOf(r); err != nil {
		return out, err
	}
	if err := p.own(r, kept.owner); err != nil {
		return out, err
	}
	x.r = r
	err = p.prepare(c, out, x, k)
	out.Bind = bindOf(r) // people agreed to this, and not to what came
	return out, err
}

// prepare makes ready what goes to the peer.
func (p *Protocol) prepare(c *gateway.Call, out *gateway.Proposal, x *exchange, k *card) error {
	r, u := x.r, c.Upstream
	if x.c != r {
		named(out, u.Name, r)
		var err error
		if out.Args, err = argsOf(r); err != nil {
			return err
		}
	}
	if r.push != nil {
		host, resolve, err := pushHost(u, r.push)
		if resolve {
			x.resolve = host
		}
		if host != "" {
			gateway.AddText(&out.Args, "push:host", []string{host})
		}
		if err != nil {
			return err
		}
		if !k.pushes {
			return errPush
		}
	}
	var err error
	if x.to, err = k.choose(u, r.wire); err != nil {
		return err
	}
	if ops[r.op].sends {
		if len(c.Caller.Chain)+1 > MaxDepth {
			return errDepth.WithHint("a message comes by at most %d agents", MaxDepth)
		}
		x.caller = &c.Caller
		out.Contents = []activity.Content{{Field: activity.ContentInput, Format: "json", From: "a2a", Raw: find(r.params, "message")}}
		out.Bind = bindOf(r)
		if s, ok := c.State.(*asking); ok && s.held != nil {
			out.Bind = s.held.bind
		}
		out.Fixed = r.binding == gRPC // what a person edits is text
		out.Arguments = spanOf(c.Body, r)
	}
	body, err := x.body(c.Body)
	if err != nil {
		return err
	}
	out.Streams = ops[r.op].streams
	out.Rewrites = true // lists are filtered, and wires differ
	out.Forward = &gateway.Forward{Path: "/", Body: body, RoundTrip: x.RoundTrip}
	if s, ok := c.State.(*asking); ok && s.held != nil {
		out.Forward.Header = s.held.headers(c.Request.Header)
	}
	out.Answer = x.watch
	return nil
}

// spanOf is where in a body the message stands, which a person sees and may
// edit; none where the body is not its own.
func spanOf(body []byte, r *request) (s gateway.Span) {
	path := []string{"message"}
	if r.binding == jsonRPC {
		path = []string{"params", "message"}
	}
	if r.binding == gRPC {
		return s
	}
	if m := find(body, path...); m != nil {
		// find gives a part of body itself.
		s.From = cap(body) - cap(m)
		s.To = s.From + len(m)
	}
	return s
}

// argsOf are what policy can ask of a call: the operation's request in 1.0,
// whatever wire it came on.
func argsOf(r *request) (policy.Args, error) {
	if r.op == opCard {
		return policy.Args{Readable: true}, nil
	}
	a := gateway.ArgsOf(r.params)
	gateway.AddText(&a, "path:operation", []string{r.String()})
	return a, nil
}

// own hides what is another's.
func (p *Protocol) own(r *request, owner Task) error {
	for _, id := range append(r.references[:len(r.references):len(r.references)], r.task) {
		if id == "" {
			continue
		}
		if own, _ := p.tasks.whose(owner.Upstream, ownsTask, id, owner.Owner); !own {
			return errTask
		}
	}
	if r.context == "" {
		return nil
	}
	if own, known := p.tasks.whose(owner.Upstream, ownsContext, r.context, owner.Owner); known && !own {
		return errContext
	}
	return nil
}
