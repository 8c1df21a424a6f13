// Package points decides actions that do not pass the door: who acts asks here
// first, and does what the answer says.
//
// What for: tools inside an agent's process, another proxy's traffic and agents
// of other platforms meet no gateway of ours. The same policies, stops, limits
// and content rules decide for them, the same log records it, marked as not
// forwarded by us.
//
// Who calls it: app serves the handler on the door's listener; api calls Decide,
// Await and Complete for tokens of people and programs; package extauthz asks
// for proxies.
//
//	/decisions                 our own shape: frameworks and scripts
//	/access/v1/...             OpenID AuthZEN 1.0; /authzen/{agent}/access/v1/... for one agent
//	/hooks/claude-code         Claude Code's http hooks
//	/copilot-studio/{agent}/…  Copilot Studio's external threat detection
//
// Promises: a decision is durable before it is answered. What cannot be read
// without doubt is refused, and what cannot be decided is not allowed: each
// protocol gets the answer that keeps its client from acting. Who asks acts for
// an agent only with that agent's credential, or with a token whose roles reach
// it. An obligation that the asker did not declare is a denial. Bodies, waits
// and memory are bounded. Safe for concurrent use.
//
// How it fails: our own shape with problem documents, the others in the way that
// they define.
//
// Start reading at Server.Decide.
package points

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/upstream"
)

// Options are what a Server needs: Door, Agents and Upstreams are required.
type Options struct {
	Door      *gateway.Door
	Agents    *agent.Registry
	Upstreams *upstream.Registry
	// Token finds whose API token (rvt_...) a request carries; nil: only agents'
	// own credentials are taken.
	Token func(ctx context.Context, text string) (Speaker, error)
	// Base is the URL of the listener, which metadata names.
	Base     string
	Coverage *Coverage // nil: nothing is counted
	Logger   *slog.Logger
	Now      func() time.Time
}

// Server answers decision points.
type Server struct {
	o     Options
	keys  keys
	held  waiting // for people
	hooks ids     // of calls of Claude Code that run
}

// New makes a server. It starts nothing.
func New(o Options) (*Server, error) {
	if o.Door == nil || o.Agents == nil || o.Upstreams == nil {
		return nil, errors.New("decision points need the door, agents and upstreams")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{o: o}, nil
}

// Speaker is who asks: an agent by its own credential, or somebody whose token
// reaches agents.
type Speaker struct {
	Agent *gateway.Caller // nil: a token
	ID    string          // of the token; never a secret
	May   func(team, environment string) bool

	proof http.Header // of the agent: an approval is for this credential, and it must be good when it is used
}

// Bounds of what is asked and told.
const (
	maxBody      = 1 << 20
	maxName      = 256 // of a tool, a call, a user
	maxArguments = 512 << 10
	maxWait      = time.Minute
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "decision.invalid", format, args...)
}

var errNoAgent = fault.New(fault.KindNotFound, "decision.agent", "there is no such agent, or who asks may not speak for it").
	WithHint("an agent's own credential speaks for that agent; a token needs the role developer for its team and environment")

// caller is the agent that a question is about, as policy and record know it.
// What an agent says of its user is nothing: a verified subject token names it.
func (s *Server) caller(who Speaker, name, user string) (gateway.Caller, error) {
	if c := who.Agent; c != nil {
		switch {
		case name != "" && name != c.Agent.Name:
			return gateway.Caller{}, errNoAgent
		case user != "" && user != c.User:
			return gateway.Caller{}, fault.New(fault.KindDenied, "decision.user", "an agent's own credential does not say whom it acts for").
				WithHint("send the user's token as X-Reeve-Subject-Token, or ask with a team's token")
		}
		return *c, nil
	}
	if name == "" {
		return gateway.Caller{}, invalid("say which agent asks: `agent`")
	}
	a, ok := s.o.Agents.Lookup(name)
	if !ok || who.May == nil || !who.May(a.Team, a.Environment) {
		return gateway.Caller{}, errNoAgent
	}
	if len(user) > maxName {
		return gateway.Caller{}, invalid("the user's name is longer than %d bytes", maxName)
	}
	return gateway.Caller{Agent: a, Credential: teamToken, CredentialID: who.ID, User: user, Epoch: a.Epoch}, nil
}

// may says whether who asks may speak for an agent that it asked for before.
func (who Speaker) may(agent, team, environment string) bool {
	if who.Agent != nil {
		return who.Agent.Agent.Name == agent
	}
	return who.May != nil && who.May(team, environment)
}

// asked says whether who comes has the credential that an agent asked with, as
// far as an approval is bound to it: others may look and change nothing.
func (who Speaker) asked(c *gateway.Caller) bool {
	if who.Agent == nil {
		return c.Credential == teamToken
	}
	w := who.Agent
	return w.Credential == c.Credential && w.Bound == c.Bound && (w.Credential != agentKey || w.CredentialID == c.CredentialID)
}

// Kinds of credentials.
const (
	teamToken    = "team_token"
	agentKey     = "agent_key"
	foreignToken = "foreign_token"
)

// Decide decides a tool call in our own shape.
func (s *Server) Decide(ctx context.Context, who Speaker, req *client.DecideRequest) (*client.DecisionAnswer, error) {
	c, err := s.caller(who, req.Agent, req.User)
	if err != nil {
		return nil, err
	}
	o, err := outsideOf(c, req)
	if err != nil {
		return nil, err
	}
	if req.WaitMS < 0 || req.WaitMS > maxWait.Milliseconds() {
		return nil, invalid("wait_ms is between 0 and %d", maxWait.Milliseconds())
	}
	o.Header, o.Wait = who.proven(o.Header), time.Duration(req.WaitMS)*time.Millisecond
	holds := func(g ground) bool { return s.holds(o, g) }
	a, err := s.keys.once(ctx, s.o.Now(), asked{c.Agent.Name, req.Key}, digest(o), holds, func() (*client.DecisionAnswer, ground) {
		out, g := s.judge(ctx, o)
		return s.answer(o, out), g
	})
	if err == nil && a.Verdict == "hold" && req.Key != "" {
		// The key's answer was to ask a person: how that stands is today's answer.
		now, err := s.Await(ctx, who, &client.AwaitDecisionRequest{ID: a.ID, WaitMS: req.WaitMS})
		if err == nil || !fault.Is(err, fault.KindNotFound) {
			return now, err
		}
	}
	return a, err
}

// judge decides, and says on what ground.
func (s *Server) judge(ctx context.Context, o *gateway.Outside) (*gateway.Outcome, ground) {
	g := ground{at: s.o.Now(), standing: s.o.Door.Standing(o)}
	out := s.o.Door.Judge(ctx, o)
	g.record = out.Record
	return out, g
}

// holds reports whether an answer that allows o may be told again.
func (s *Server) holds(o *gateway.Outside, g ground) bool {
	return s.o.Now().Sub(g.at) < allowLife && s.o.Door.StillHolds(o, &g.record, g.standing)
}

// outsideOf checks a question in our own shape.
func outsideOf(c gateway.Caller, req *client.DecideRequest) (*gateway.Outside, error) {
	o := &gateway.Outside{Caller: c, Point: "decisions", Tool: req.Tool, Body: req.Arguments, CallID: req.CallID, Unreported: req.Unreported}
	for _, v := range req.Obligations {
		if v != obligationArguments {
			return nil, invalid("there is no obligation %.40q", v).WithHint("the only one is %q", obligationArguments)
		}
		o.Replaces = true
	}
	for name, v := range map[string]string{"call_id": req.CallID, "run": req.Run, "session": req.Session, "key": req.Key, "traceparent": req.Traceparent} {
		if len(v) > maxName || !plain(v) {
			return nil, invalid("%s has at most %d bytes of text without control characters", name, maxName)
		}
	}
	o.Header = grouped(req.Run, req.Session, req.Traceparent)
	return o, toolCall(o)
}

// grouped are the headers by which an agent groups its own records.
func grouped(run, session, traceparent string) http.Header {
	h := http.Header{}
	for name, v := range map[string]string{"X-Reeve-Run": run, "X-Reeve-Session": session, "Traceparent": traceparent} {
		if v != "" {
			h[name] = []string{v}
		}
	}
	return h
}

// toolCall checks a tool's name and arguments.
func toolCall(o *gateway.Outside) error {
	switch {
	case o.Tool == "":
		return invalid("say which tool: `tool`")
	case len(o.Tool) > maxName || !plain(o.Tool):
		return invalid("a tool's name has at most %d bytes of text without control characters", maxName)
	case len(o.Body) > maxArguments:
		return fault.New(fault.KindInvalid, "decision.too_large", "arguments have at most %d bytes", maxArguments)
	}
	if string(o.Body) == "null" {
		o.Body = nil
	}
	if len(o.Body) == 0 {
		return nil
	}
	if o.Body[0] != '{' {
		return invalid("arguments are a JSON object")
	}
	if !gateway.ArgsOf(o.Body).Readable {
		return invalid("the arguments can be read in two ways: a name twice, bad UTF-8, or too deep")
	}
	return nil
}

const obligationArguments = "arguments"

// answer puts an outcome into our own shape.
func (s *Server) answer(o *gateway.Outside, out *gateway.Outcome) *client.DecisionAnswer {
	r := &out.Record
	a := &client.DecisionAnswer{
		ID: r.ID, Verdict: r.Verdict.String(), Would: r.Would.String(), Enforced: r.Enforced, Reasons: []client.Reason{}, Obligations: []client.Obligation{},
	}
	for _, v := range r.Reasons {
		a.Reasons = append(a.Reasons, client.Reason{Code: v.Code, Text: v.Text})
	}
	if h := out.Held; h != nil {
		a.Approval = &client.AnswerApproval{ID: h.Approval, Address: h.Address, ExpiresAt: &h.Expires}
		a.Code, a.Reason, a.Hint = out.Fault.Code, out.Fault.Message, out.Fault.Hint
		s.held.put(r.ID, o, h.Approval, "", a)
		return a
	}
	if f := out.Fault; f != nil {
		if r.Verdict == activity.VerdictHold {
			a.Verdict = activity.VerdictDeny.String() // nobody is asked, or they said no
		}
		if r.Verdict == activity.VerdictAllow { // nothing was recorded: what it would have been does not count
			a.Verdict, a.Would, a.Enforced = activity.VerdictDeny.String(), activity.VerdictDeny.String(), true
		}
		a.Code, a.Reason, a.Hint = f.Code, f.Message, f.Hint
		return a
	}
	a.Reason = "allowed"
	if out.Arguments != nil {
		a.Arguments = out.Arguments
		a.Obligations = append(a.Obligations, client.Obligation{ID: "arguments", Type: obligationArguments})
	}
	if !out.Expires.IsZero() {
		a.ExpiresAt = &out.Expires
	}
	return a
}

// Await says how a held action stands, and waits for it as long as is asked. Once
// people answered, it is decided again, as everything is then: for who asked, by
// the kind of credential that asked. Others only read.
func (s *Server) Await(ctx context.Context, who Speaker, req *client.AwaitDecisionRequest) (*client.DecisionAnswer, error) {
	if req.WaitMS < 0 || req.WaitMS > maxWait.Milliseconds() {
		return nil, invalid("wait_ms is between 0 and %d", maxWait.Milliseconds())
	}
	h, ok := s.held.get(req.ID)
	if !ok || h.first == nil || !who.may(h.caller.Agent.Name, h.caller.Agent.Team, h.caller.Agent.Environment) {
		return nil, errNotHeld
	}
	h.mu.Lock() // one decides, the others get its answer
	defer h.mu.Unlock()
	mine := who.asked(&h.caller)
	if h.final != nil && (h.final.Verdict != activity.VerdictAllow.String() || s.holds(&h.question, h.ground)) {
		return h.final, nil
	}
	if h.final != nil {
		// It was allowed and is not any more: as everything that was not asked yet.
		if !mine || h.large {
			return nil, errNotHeld
		}
		return s.decideHeld(ctx, who, h)
	}
	stands, err := s.o.Door.AwaitApproval(ctx, h.approval, time.Duration(req.WaitMS)*time.Millisecond)
	if err == nil && stands.State == approval.Pending {
		return h.first, nil
	}
	if err == nil && stands.State != approval.Approved {
		h.end(refused(h.first, s.o.Door.Refused(stands)), ground{})
		return h.final, nil
	}
	if !mine {
		return h.first, nil // who asked has yet to come for it
	}
	return s.decideHeld(ctx, who, h)
}

// decideHeld decides a held question again, for who asked it. Called with the
// question's lock held.
func (s *Server) decideHeld(ctx context.Context, who Speaker, h *heldQuestion) (*client.DecisionAnswer, error) {
	now, ok := s.o.Agents.Lookup(h.caller.Agent.Name)
	if !ok {
		return nil, errNotHeld
	}
	o := h.outside()
	o.Caller.Agent = now // as it stands now, not as it asked
	if h.final != nil {
		o.Caller.Epoch = now.Epoch // a new question, of who has just shown who it is
	}
	o.Header = who.proven(o.Header)
	out, g := s.judge(ctx, o)
	a := s.answer(o, out)
	switch {
	case out.Held == nil:
		h.end(a, g)
	case h.final != nil: // people are asked anew, and their answer is this one's
		h.final, h.first, h.approval = nil, a, out.Held.Approval
	}
	return a, nil
}

// refused is the answer to a question that people said no to, or not at all.
func refused(first *client.DecisionAnswer, f *fault.Error) *client.DecisionAnswer {
	a := *first
	a.Verdict, a.Code, a.Reason, a.Hint = activity.VerdictDeny.String(), f.Code, f.Message, f.Hint
	return &a
}

var errNotHeld = fault.New(fault.KindNotFound, "decision.not_held", "no decision of this id waits for a person").
	WithHint("ask again: the same question joins what waits; `reeve decision show` reads a decision")

// Complete takes in how an allowed action ended.
func (s *Server) Complete(_ context.Context, who Speaker, req *client.CompleteDecisionRequest) (*client.CompletedDecision, error) {
	rep := gateway.Report{Error: req.Error, Result: req.Output, Duration: time.Duration(req.DurationMS) * time.Millisecond}
	switch req.Result {
	case "ok":
		rep.OK = true
	case "error":
	case "cancelled":
		rep.Cancel = true
	default:
		return nil, invalid("result is ok, error or cancelled, not %.40q", req.Result)
	}
	if req.DurationMS < 0 || req.DurationMS > (24*time.Hour).Milliseconds() {
		return nil, invalid("duration_ms is between 0 and a day")
	}
	result, err := s.o.Door.Complete(req.ID, rep, who.may)
	if err != nil {
		return nil, err
	}
	return &client.CompletedDecision{ID: req.ID, Result: result.String()}, nil
}

// plain reports whether a text has no control characters and is UTF-8.
func plain(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}
