package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/behaviour"
	"reeve/internal/budget"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/pin"
	"reeve/internal/policy"
	"reeve/internal/price"
	"reeve/internal/steer"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// Options are what a Door needs: Agents, Upstreams, Policies, Stops, Decisions,
// Steps and Protocols are required.
type Options struct {
	Agents    *agent.Registry
	Upstreams *upstream.Registry
	Policies  *policy.Engine
	Stops     *stop.Board
	Decisions Recorder
	Steps     *Steps
	Protocols []Protocol // one for each kind of upstream

	Budgets *budget.Ledger // nil: none
	Rates   *budget.Rates  // nil: none
	Limits  budget.Config  // of pilots and throttled agents
	Prices  *price.Book    // nil: money is unknown

	Content   *content.Set      // nil: nothing is looked for
	Behaviour *behaviour.Memory // nil: nobody is tainted
	// Findings are what is open about an agent, in the words that policies read
	// in context.findings; it must not wait. nil: nothing is found.
	Findings func(agent, team string) []string
	Pins     *pin.Book // nil: no tool has paths that a person named

	// Approvals keeps what waits for a person; nil refuses what is held. Page is
	// where the console shows one, by its id; nil: nowhere.
	Approvals *approval.Book
	Page      func(id string) string
	// Steer is what people do about live runs; nil: nothing.
	Steer *steer.Book
	Known Known // nil: policies are told nothing of approved versions, freshness and users
	// Coverage counts tool results by whether they were decided; nil: nobody does.
	Coverage Coverage

	Tests    Tests    // nil: no call is part of a test
	Jobs     *Jobs    // nil: work that goes on after a call is not watched over
	Tokens   Tokens   // nil: agent keys only
	Subjects Subjects // nil: nobody is acted for by token

	// Base is the URL by which agents reach the door; "" leaves out of refusals
	// where a token is to be had.
	Base string
	// Guard refuses hosts and origins that are not ours; nil lets all in.
	Guard func(*http.Request) error
	// Keyed tells in dev mode whether a team's senders in an environment have an
	// intake key, and their telemetry so a scope; nil: none has.
	Keyed func(team, environment string) bool
	// Dev makes a caller without a credential an agent of --dev.
	Dev     bool
	MaxBody int64 // of a request, in bytes; 0 is 32 MiB
	Node    string
	Logger  *slog.Logger
	Now     func() time.Time
}

// Recorder keeps decisions. Propose returns once the record is durable, or why
// it is not; Complete never waits for long.
type Recorder interface {
	NewID() string
	Propose(ctx context.Context, d *activity.Decision) error
	Complete(d *activity.Decision)
	// Commit is a keyed digest of a call's arguments.
	Commit(arguments []byte) string
}

const defaultMaxBody = 32 << 20

// Door is the handler of gateway_listen.
type Door struct {
	o         Options
	protocols map[string]Protocol // by kind of upstream
	roots     map[string]Protocol // by the first segment of paths of their own
	figures   figures
	strangers sampler
	concerns  concerns
	ending    chan struct{} // closed when the process ends: nobody waits for people any more
	endOnce   sync.Once
	outside   openActions
	governed  governed
}

// New makes a door. It starts nothing.
func New(o Options) (*Door, error) {
	if o.Agents == nil || o.Upstreams == nil || o.Policies == nil || o.Stops == nil || o.Decisions == nil || o.Steps == nil || len(o.Protocols) == 0 {
		return nil, errors.New("the door needs agents, upstreams, policies, stops, decisions, steps and protocols")
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Page == nil {
		o.Page = func(id string) string { return "reeve approval show " + id }
	}
	if o.Keyed == nil {
		o.Keyed = func(_, _ string) bool { return false }
	}
	d := &Door{o: o, protocols: map[string]Protocol{}, roots: map[string]Protocol{}, ending: make(chan struct{})}
	for _, p := range o.Protocols {
		d.protocols[p.Kind()] = p
		if r, ok := p.(Rooted); ok {
			d.roots[r.Root()] = p
		}
	}
	return d, nil
}

// passage is one call on its way through the stages.
type passage struct {
	Call
	w        http.ResponseWriter
	started  time.Time
	kind     string // of upstream, from the path
	instead  string // the upstream that was asked for, where another stands in; "" else
	repinned string // the model that was asked for, where the agent is pinned to another; "" else
	protocol Protocol
	proposal *Proposal
	claimed  string // the name of an agent that is not registered
	verdict  policy.Decision
	record   activity.Decision
	trace    traceContext

	identified bool // the caller is known: refusals are recorded one each
	recorded   bool // the proposal is durable
	observed   bool // the agent is in observe: what policy and limits refuse is noted
	forwarded  bool
	wrote      bool               // the answer has begun
	outside    bool               // somebody else acts by our answer (Judge)
	onward     http.Header        // what they forward of the headers; nil: what we would
	waits      *approval.Approval // of an outside action: what it waits for; nil: for nobody
	answering  answering          // the same, for who ends the call from elsewhere

	replacement []byte // of an outside action: the arguments to act with; nil: those that were sent

	test   Test   // nil: the call is part of none
	callID string // by which a model knows the tool call; "" unknown

	noted   []string // what a person said to the run that it carries, or was to: by id
	unnoted []byte   // the body as the agent sent it; nil: it went on so

	found    *behaviour.Found   // what the arguments name; nil before it is decided
	origins  []activity.Origin  // of it, for people
	unsent   bool               // no connection was made: the upstream knows nothing of the call
	before   *passage           // the same call at an upstream that could not be reached
	asks     int64              // ns, when a call that waited for people came; 0: it did not
	paced    bool               // it is counted among the calls of its run
	looping  bool               // the same call was made often in its run
	named    bool               // the agent said which run it is: a retry can say so again
	alone    bool               // it gave neither run nor trace: the run is made up
	granted  *approval.Approval // the approval that this call uses; nil: none
	gone     bool               // its agent went away while it was underway
	claims   bool               // and it is claimed
	answered bool               // somebody else's answer went out: nothing is forwarded
	told     Held               // what a Waiter was told of the approval; zero before
	kept     *keeping           // of the answer, for a retry; nil: nothing is kept
	watching *watch             // of the answer that is read; nil before

	news  *news              // what Steps keeps of it; nil: it was not told
	asked []activity.Content // what is stored of the request

	leave func() // of the stop board
	judge Judge  // nil: nothing would be decided about tool calls

	scan        scanned
	reservation *budget.Reservation // nil: no budget matched
	facts       Facts
	hasFacts    bool
	sent        counter
	clock       struct{ forwarded, answered time.Time }
}

// stage is one part of a call's way. An error ends the call with it.
type stage struct {
	name string
	run  func(*Door, context.Context, *passage) error
}

// stages is the way of every call through the door. The context of a stage ends
// with the request; from enter on, with a stop too (passage.Context).
var stages = [...]stage{
	{"accept", (*Door).accept},
	{"identify", (*Door).identify},
	{"propose", (*Door).proposeAs},
	{"join", (*Door).join},
	{"note", (*Door).note},
	{"enter", (*Door).enter},
	{"decide", (*Door).decide},
	{"limit", unlessQuiet((*Door).limit)},
	{"content", unlessQuiet((*Door).content)},
	{"hold", unlessQuiet((*Door).hold)},
	{"record", unlessQuiet((*Door).write)},
	{"claim", (*Door).claim},
	{"forward", (*Door).forward},
}

// unlessQuiet passes over a stage for what is no action of its own.
func unlessQuiet(run func(*Door, context.Context, *passage) error) func(*Door, context.Context, *passage) error {
	return func(d *Door, ctx context.Context, x *passage) error {
		if x.proposal.Quiet {
			return nil
		}
		return run(d, ctx, x)
	}
}

// again is the stage at which a call begins that another upstream takes over: who
// calls is known.
const again = 2

// ServeHTTP takes one call through the stages and settles it, however it ended.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &passage{w: w, started: d.o.Now()}
	x.Context, x.Request = r.Context(), r
	x.x, x.door = x, d
	d.figures.live.Add(1)
	defer d.figures.live.Add(-1)
	err := d.pass(x)
	for err != nil {
		y := d.standIn(x)
		if y == nil {
			break
		}
		d.settle(x, err)
		x, err = y, d.pass(y)
	}
	if err != nil && (!x.wrote || x.Begun) {
		x.tested(fault.From(err)) // before its agent hears of it, and answers the test
		d.refuse(x, fault.From(err))
	}
	x.answering.end()
	d.settle(x, err)
	if err != nil && x.wrote && !x.Begun {
		// The answer is cut: ending it in good order would make half an answer
		// look like a whole one. One that a Waiter began ends with the refusal.
		panic(http.ErrAbortHandler)
	}
}

// pass runs the stages. A panic is a bug in Reeve and ends this call alone.
func (d *Door) pass(x *passage) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.o.Logger.Error("a call at the door failed", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	first := 0
	if x.before != nil {
		first = again
	}
	for i := first; i < len(stages); i++ {
		if err := stages[i].run(d, x.Context, x); err != nil || x.answered {
			return err
		}
	}
	return nil
}

var (
	errMethod  = fault.New(fault.KindInvalid, "gateway.method", "the door takes no such method")
	errUpgrade = fault.New(fault.KindInvalid, "gateway.upgrade", "the door upgrades no connection and opens no tunnel").
			WithHint("call the API by plain HTTP requests")
	errFraming = fault.New(fault.KindInvalid, "gateway.framing", "the request can be read in two ways").
			WithHint("send either Content-Length or chunks, and end lines with CR LF")
	errKeyInURL = fault.New(fault.KindUnauthenticated, "gateway.credential_in_url", "a credential in a URL is seen by everybody on the way").
			WithHint("send it as Authorization: Bearer, and revoke this one: it is known now")
	errPath = fault.New(fault.KindNotFound, "gateway.path", "the door has no such path").
		WithHint("call /llm/{upstream}/..., /http/{upstream}/..., /mcp/{upstream} or /a2a/{upstream}")
)

// accept looks at what needs no credential.
func (d *Door) accept(ctx context.Context, x *passage) error {
	r := x.Request
	if d.o.Guard != nil {
		if err := d.o.Guard(r); err != nil {
			return err
		}
	}
	switch {
	case r.Method == http.MethodConnect || len(r.Header["Upgrade"]) > 0 || len(r.Header["Http2-Settings"]) > 0:
		return errUpgrade
	case r.Method == http.MethodTrace || !upper(r.Method):
		return errMethod
	case ambiguous(ctx):
		return errFraming
	case ctx.Value(badCertKey{}) != nil:
		return errClientCert.WithCause(ctx.Value(badCertKey{}).(error))
	case strings.Contains(r.RequestURI, keyPrefix):
		return errKeyInURL
	}
	path := r.URL.EscapedPath()
	kind, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if p := d.roots[kind]; ok && p != nil {
		x.protocol, x.kind = p, p.Kind()
		x.Method, x.Path, x.Query = r.Method, path, r.URL.RawQuery
		return nil
	}
	protocol := d.protocols[kind]
	if _, whole := protocol.(Entrance); protocol == nil || !ok && !whole {
		return errPath
	}
	name, below, _ := strings.Cut(rest, "/")
	x.protocol = protocol
	x.kind, x.record.Upstream = kind, name
	x.Method, x.Path, x.Query = r.Method, "/"+below, r.URL.RawQuery
	return nil
}

// upper reports whether a method is one that can be written in upper case
// without being read differently elsewhere.
func upper(method string) bool {
	for i := range len(method) {
		if method[i] < 'A' || method[i] > 'Z' {
			return false
		}
	}
	return method != ""
}
