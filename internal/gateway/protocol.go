// Package gateway is the door: what agents do passes it, and it decides,
// records, forwards and can end each action.
//
// What for: an agent calls a model or an API through /llm/{upstream}/... or
// /http/{upstream}/... and presents a credential of its own; the upstream's
// credential is added here and never seen by the agent.
//
// Who calls it: app serves the handler on gateway_listen.
//
// Promises: each call goes through the stages below in this order. Nothing is
// forwarded before its decision record is durable; what cannot be recorded is
// refused. Nothing on the path waits for the control database or the telemetry
// store. A stop ends calls in flight. What is not acted on passes byte for
// byte, and streams are not buffered.
//
//	accept    limits, host and origin
//	identify  whose credential is this, what does it stand for
//	propose   what would the call do (a Protocol reads it)
//	join      run, session and trace that it belongs to
//	note      what a person said to the run, into a call of its model
//	enter     is it stopped (stop.Board)
//	decide    policy and floor (policy.Engine)
//	limit     rates and budgets, reserved at their upper bound
//	content   block, redact, flag
//	hold      wait for a person, then decide again (approval.Book)
//	record    decision.Log, durable
//	claim     an approval is used once
//	forward   with the upstream's credential, answer watched as it passes
//	settle    budget, decision completed, step of the run published
//
// How it fails: closed, with a stable code in the shape that the protocol's
// clients read, and X-Reeve-Decision where there is a record.
//
// Start reading at Call and Proposal, then the stages in that order.
package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

// Caller is who calls, as the credential proved it and the register knows it.
type Caller struct {
	Agent        *agent.Agent
	Credential   string // x509_svid, jwt_svid, access_token, foreign_token, agent_key, team_token, dev
	CredentialID string // key id, jti or serial; never a secret
	Bound        bool   // tied to a key whose possession was shown
	Instance     string
	User         string   // whom it acts for; "" for nobody
	UserTeams    []string // of that user, as our directory knows them
	UserGroups   []string
	Chain        []string // agents it acts for, nearest first
	Scopes       []string // of an access token of ours; none: it is not narrowed
	Epoch        int64    // of the agent when the credential was made
	Expires      time.Time
	Address      netip.Addr
}

// Protocol reads one family of wire formats: what a request proposes, and how
// to say no so that real clients understand. Values are immutable and safe for
// concurrent use.
type Protocol interface {
	// Kind is the kind of upstream that it serves: llm, http.
	Kind() string
	// Propose says what a request asks for. It forwards nothing and keeps
	// nothing of c; c.Body is whole and must not be changed.
	Propose(c *Call) (*Proposal, error)
	// Refuse answers with f in the shape that clients of this protocol read;
	// decision is "" when there is none.
	Refuse(w http.ResponseWriter, c *Call, f *fault.Error, decision string)
}

// Waiter is a Protocol that can carry a wait for a person. For the others the
// door keeps the call open for a while, then answers with the approval's
// address and Retry-After; the retry joins.
type Waiter interface {
	// Wait is called when a call is held and its approval is durable and pending.
	// It may answer the client at once (an input_required result, a task): then
	// answered is true and the call ends here; the retry collects. Or it keeps the
	// connection alive until decided is closed or ctx ends, or for as long as it
	// likes: answered is false. What it writes to w meanwhile begins the answer
	// (Call.Begun): only a body may follow.
	Wait(ctx context.Context, w http.ResponseWriter, c *Call, p *Proposal, h Held, decided <-chan struct{}) (answered bool, err error)
}

// Held is an approval as a Waiter tells it to a client.
type Held struct {
	Approval string // its id
	Address  string // the console's page of it
	Reason   string // why it is held, in words
	Expires  time.Time
}

// Collector is a Protocol that gives a stored answer to a retry in its own way:
// one whose answers repeat something of the request, such as its id.
type Collector interface {
	Collect(w http.ResponseWriter, c *Call, p *Proposal, a approval.Answer) error
}

// Answerer is a Protocol whose clients cannot read a person's words as they are:
// it puts what a person gave in the upstream's place, who took a held call over,
// into an answer to that call. The others' clients get it as it was given.
type Answerer interface {
	Answered(c *Call, p *Proposal, a approval.Answer) approval.Answer
}

// Call is one request at the door, before anything was decided about it.
type Call struct {
	Context  context.Context
	Request  *http.Request // headers as they came; its body is spent
	Upstream *upstream.Upstream
	Method   string
	Path     string // below the upstream, as it stands in the request line ("/v1/chat/completions")
	Query    string // raw
	Body     []byte
	Caller   Caller
	Begun    bool // a Waiter began the answer: its head is sent
	State    any  // a Protocol's own, from one Propose of the call to the next

	x    *passage // nil for a call that nobody makes
	door *Door
}

// Entrance is a Protocol with an address that stands for several upstreams:
// /KIND without a name.
type Entrance interface {
	Protocol
	// Enter finds the upstream that such a call is for. c has no Upstream yet;
	// c.Body is whole. One that is for none of them is for upstream.Nowhere.
	Enter(c *Call) (*upstream.Upstream, error)
}

// Rooted is an Entrance that is called at paths of its own as well, since some of
// its clients cannot be given one: a gRPC client calls /package.Service/Method
// wherever it is.
type Rooted interface {
	Entrance
	// Root is the first segment of those paths. Such a call's Path is whole.
	Root() string
}

// Trailing is an Answer with trailers, which are asked for after End.
type Trailing interface{ Trailers() http.Header }

// Proposal is what a call would do, in the words of policy, budget and record.
type Proposal struct {
	Action   string // activity's words: call_model, call_api, call_tool
	Name     string // of the step: "chat gpt-4o", "GET /v1/users/{id}"
	Kind     activity.Kind
	Resource policy.Resource
	Args     policy.Args
	Model    *policy.ModelCall // call_model
	Tool     string            // call_tool
	Classes  []string          // data classes that the request carries, as far as known
	Pin      string            // hash of the definition that it is decided on; "" for none

	// Ask is what a server asks back of its caller: decided by the policies about
	// that, with the agent as the resource. nil for what agents do themselves.
	Ask *policy.Ask

	// Background says that the work goes on at the provider after the answer, and
	// Job that the call is about work that does, by the provider's id: Jobs.
	Background bool
	Job        string

	// Quiet is what is no action of its own: a handshake, a list, a sign of life.
	// It is identified, stopped and watched as any call, but decided by the owner of
	// the upstream alone (policy.Engine.Reaches), and recorded only when it is
	// refused.
	Quiet bool
	// Late says that the answer to a quiet call is what an earlier call brings:
	// content rules hold for it as they did for that one's.
	Late bool

	// What budgets need. MaxTokens is a provable upper bound of the call's tokens
	// (request bytes as input, plus the most output that request, upstream and
	// price book allow); activity.Unknown when nothing bounds it.
	MaxTokens, MaxInput, MaxOutput int64
	Streams                        bool

	// What the step keeps.
	Contents    []activity.Content
	ToolResults []ToolResult // results that the request brings back to a model

	// Bind is what an approval of this call is bound to, when that is not every
	// byte of it: a request's own id differs in each retry. nil: method, path,
	// query and body, JSON in its canonical form. The headers that go upstream are
	// part of it either way, but for those that differ between retries.
	Bind []byte
	// BindFunc gives Bind where it is needed, which it seldom is; nil: Bind is all.
	BindFunc func() []byte
	// Same is what is the same when the call is made again, to count how often it
	// is; nil: the bytes at Arguments, else Bind, else all of the call.
	Same []byte
	// Arguments are where in Call.Body the arguments stand that a person sees and
	// may edit; zero is the whole body.
	Arguments Span
	Shown     approval.Shown // what of them a person looks at first
	Words     string         // what the agent says of the call; hostile text
	Fixed     bool           // a person cannot edit it
	// Collects is the approval that the call is about, by its id: a question that
	// asks how an earlier call goes on. It is joined if it was asked for by the
	// same agent and user, and for what this call is bound to. "" for none.
	Collects string
	// Unasked is for a call about which people are not asked, since agreeing to it
	// once means nothing: one that is held is refused with this hint. "" for none.
	Unasked string

	// Forward is what goes upstream. A Protocol leaves it nil to pass path, query
	// and body on as they came.
	Forward *Forward
	// Rewrites says that the answer's watcher may change its length.
	Rewrites bool

	// Answer makes the watcher of the upstream's answer; nil passes it through
	// and looks at its status alone. judge is nil when nothing would be decided
	// about tool calls: then every byte passes as it is. With a judge the answer
	// may become longer or shorter, so its Content-Length does not pass.
	Answer func(status int, h http.Header, judge Judge) Answer
}

// Span is a part of a body.
type Span struct{ From, To int }

// Forward replaces what goes upstream.
type Forward struct {
	Path, Query string
	Body        []byte
	Header      http.Header               // of the agent; nil: those of the call
	Sign        func(*http.Request) error // after headers and credential; nil for nothing
	// RoundTrip carries the request, which has the upstream's address and
	// credential, and gives the answer, which is watched as any other. It ends
	// with the request's context. nil is the upstream's own transport.
	RoundTrip func(*http.Request) (*http.Response, error)
}

// ToolResult is a tool's result as a request hands it back to a model. A request
// repeats the whole conversation: only what came after the model's last words
// is meant here.
type ToolResult struct{ CallID, Name, Text string }

// Answer watches an upstream's answer on its way to the agent. It is used by one
// goroutine.
type Answer interface {
	// Next takes the piece that arrived and gives what may go on now, which may
	// alias piece and is valid until the following call. Pieces that nothing acts
	// on go on as they are and at once.
	Next(piece []byte) ([]byte, error)
	// End says that no more comes; err is nil for a whole answer. What was held
	// back and may go on is returned; Facts.Fault says why something may not.
	End(err error) ([]byte, Facts)
}

// Ruled is an Answer that knows which parts of it its reader puts together: it
// applies content rules itself, so that they hold for texts that come in parts.
type Ruled interface {
	// Rules is called once, before Next. With true the door leaves the rules to it:
	// Next and End then fail with what a rule blocks (content.blocked).
	Rules(p *content.Plan) bool
	// Found is what was found, once the answer has ended.
	Found() []content.Found
}

// Judge decides on a tool call that a model's answer proposes, once its
// arguments are complete: allowed, or the fault to show instead, whose message
// or hint names the decision.
type Judge func(t ToolCall) *fault.Error

// ToolCall is a call of an agent's local tool as a model proposed it.
type ToolCall struct {
	ID, Name  string
	Arguments []byte // JSON as the model gave it; may be broken
}

// Facts are what an answer said about itself.
type Facts struct {
	Usage        activity.Usage // activity.NoUsage when the answer has none
	Model        string         // that answered
	ResponseID   string
	FinishReason string
	FirstToken   time.Time // zero: not seen
	ErrorType    string    // of an error that the body tells, also under status 200
	ErrorMessage string
	Contents     []activity.Content
	ToolCalls    []ToolCall
	Fault        *fault.Error // why the rest was kept back, the call ends with it; nil: nothing was
}
