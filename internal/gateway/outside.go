package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/behaviour"
	"reeve/internal/fault"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// Outside is an action that does not pass the door: somebody else acts, or
// forwards, by our answer. It is decided and recorded as a call at the door is,
// and its record says that we did not forward it.
type Outside struct {
	Caller Caller
	Point  string // who asks: decisions, authzen, ext_authz, claude_code, copilot_studio
	// Header groups the agent's own records: X-Reeve-Run, X-Reeve-Session and
	// Traceparent are read of it, and Content-Type where Body is no JSON.
	Header http.Header
	// Onward are the headers that who asks forwards with the request: an approval is
	// bound to them. nil: it forwards none, or those that the door would.
	Onward http.Header
	CallID string // by which a model knows the call; "" unknown

	// One of Tool, a tool inside the agent's process, and Proposal, made by
	// ProposeAt. Body is the call's arguments or its HTTP body.
	Tool     string
	Proposal *Proposal
	Upstream *upstream.Upstream
	Method   string
	Path     string
	Query    string
	Body     []byte

	// Replaces says that the asker declared that it can act with other arguments
	// than it sent. Without it a decision that needs that is a denial.
	Replaces bool
	// Life is how long the asker may take until it reports how the action ended;
	// 0 is an hour. Unreported is for one that never will: its record ends at
	// once.
	Life       time.Duration
	Unreported bool
	Wait       time.Duration // for a person, where one must agree first; 0 answers at once
	Refused    *fault.Error  // by who read the question: it is recorded, and not decided; nil: decide
}

// Outcome is what was decided of an Outside.
type Outcome struct {
	Record    activity.Decision
	Fault     *fault.Error // nil: allowed
	Arguments []byte       // to act with in place of those that were sent; nil: as sent
	Expires   time.Time    // until when it can be reported how the action ended; zero: not at all
	Held      *Held        // a person must agree first: asking again joins the same approval; nil: nobody is asked
}

const (
	outsideLife    = time.Hour
	maxOutsideLife = 24 * time.Hour
	pointCode      = "point."
)

var errObligation = fault.New(fault.KindDenied, "decision.obligation", "it may only be done with something taken out of its arguments, and who asks did not declare that it can do that").
	WithHint("declare the obligation `arguments` and act with the arguments of the answer")

// Identify finds the agent whose credential a request carries, as for a call at
// the door. A refusal is counted, and now and then recorded, as a stranger's.
func (d *Door) Identify(r *http.Request) (Caller, error) {
	x := &passage{started: d.o.Now(), kind: "decisions"}
	x.Context, x.Request = r.Context(), r
	err := d.identify(r.Context(), x)
	if err == nil {
		return x.Caller, nil
	}
	f := fault.From(err)
	if x.identified {
		if err := d.denied(x, f); err != nil {
			f = fault.From(err)
		}
	} else {
		d.stranger(x, f)
	}
	d.figures.count(x, d.o.Now())
	return Caller{}, f
}

// ProposeAt reads what a request that somebody else forwards to an upstream
// would do. The upstream's protocol reads it as at the door; what it refuses is
// refused.
func (d *Door) ProposeAt(ctx context.Context, o *Outside) error {
	p := d.protocols[o.Upstream.Kind]
	if p == nil {
		return errNoUpstream
	}
	c := Call{
		Context: ctx, Upstream: o.Upstream, Method: o.Method, Path: o.Path, Query: o.Query, Body: o.Body, Caller: o.Caller,
		Request: o.request(ctx),
	}
	var err error
	o.Proposal, err = p.Propose(&c)
	return err
}

// request stands for the request that is not made to us.
func (o *Outside) request(ctx context.Context) *http.Request {
	h := o.Header
	if h == nil {
		h = http.Header{}
	}
	return (&http.Request{Method: o.Method, URL: &url.URL{Path: o.Path, RawQuery: o.Query}, Header: h, Body: http.NoBody}).WithContext(ctx)
}

// Judge decides an action that somebody else carries out, and records the
// decision before it answers. What cannot be recorded is denied.
func (d *Door) Judge(ctx context.Context, o *Outside) *Outcome {
	x := &passage{started: d.o.Now(), kind: o.Point, identified: true, outside: true, callID: o.CallID}
	x.x, x.door = x, d
	x.Context, x.Request, x.Caller, x.Upstream = ctx, o.request(ctx), o.Caller, o.Upstream
	x.Method, x.Path, x.Query, x.Body = o.Method, o.Path, o.Query, o.Body
	x.proposal, x.onward = o.Proposal, o.Onward
	if o.Tool != "" {
		x.proposal = &Proposal{
			Action: "call_tool", Name: o.Tool, Kind: activity.KindTool, Tool: o.Tool, Args: ArgsOf(o.Body), Resource: localTool(o.Caller.Agent, o.Tool),
		}
		x.record.Upstream, x.record.LocalTool = policy.Local, true
	} else {
		x.record.Upstream, x.protocol = o.Upstream.Name, d.protocols[o.Upstream.Kind]
		if !o.Replaces {
			p := *o.Proposal
			p.Fixed = true // who acts does it with what it asked about
			x.proposal = &p
		}
	}
	f := fault.From(d.judge(ctx, x, o))
	out := &Outcome{Fault: f}
	if f == nil && x.recorded {
		d.goes(x)
	}
	if f != nil {
		f = d.refuseOutside(x, f)
		out.Fault = f
		if a := x.waits; a != nil && a.State == approval.Pending {
			held := d.telling(a)
			out.Held = &held
		}
	} else {
		out.Arguments = x.replacement
	}
	r := &x.record
	now := d.o.Now()
	switch {
	case f != nil || !x.recorded:
		x.reservation.Release()
		if x.recorded && out.Held == nil {
			d.o.Steps.end(d, x, f, now)
		}
	case o.Unreported || d.outside.full(r.Agent):
		r.Result, r.Completed, r.LatencyUS = activity.ResultUnknown, now.UnixNano(), now.Sub(x.started).Microseconds()
		r.ErrorCode = "decision.unreported"
		d.endOutside(x, nil, now)
	default:
		if o.Tool != "" && len(x.payload()) > 0 {
			x.proposal.Contents = []activity.Content{{Field: activity.ContentInput, Format: formatOf(o.Body), From: "arguments", Raw: x.payload()}}
		}
		d.o.Steps.begin(d, x)
		out.Expires = d.outside.add(x, now, o.Life)
	}
	d.figures.count(x, now)
	out.Record = *r
	if !x.recorded {
		out.Record.ID = "" // there is none to look for
	}
	return out
}

// judge is the part of Judge that may refuse. A panic is a bug in Reeve and
// denies.
func (d *Door) judge(ctx context.Context, x *passage, o *Outside) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.o.Logger.Error("a decision for a call elsewhere failed", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if err := d.join(ctx, x); err != nil {
		return err
	}
	x.describe()
	r, a := &x.record, x.Caller.Agent
	if x.test != nil && !x.test.Sandbox(r.Upstream) {
		x.tested(errTestOutside)
		return errTestOutside
	}
	if err := d.o.Stops.Check(stop.Call{
		ID: r.ID, Agent: r.Agent, Instance: r.Instance, Run: r.Run.String(), Session: r.Session, User: x.Caller.User, Version: r.Version,
		Tool: r.Tool, Model: r.Model, Upstream: r.Upstream, Team: r.Team, Credential: r.CredentialID, Resource: r.Resource, Chain: r.Chain, Labels: a.Labels,
	}); err != nil {
		return err
	}
	if o.Refused != nil {
		return o.Refused
	}
	if x.proposal.Quiet {
		return d.reach(x) // no action of its own: identified and stopped as any, not decided
	}
	if err := d.decide(ctx, x); err != nil {
		return err
	}
	if err := d.limit(ctx, x); err != nil {
		return err
	}
	if err := d.content(ctx, x); err != nil {
		return err
	}
	if err := x.replaced(o); err != nil {
		return err
	}
	if err := d.holdOutside(ctx, x, o); err != nil {
		return err
	}
	x.mark()
	if err := d.write(ctx, x); err != nil || x.granted == nil {
		return err
	}
	return d.claimOutside(ctx, x)
}

// holdOutside puts a held action to people and waits for them, as long as the
// asker does. When they agree it is decided again.
func (d *Door) holdOutside(ctx context.Context, x *passage, o *Outside) error {
	if x.record.Verdict != activity.VerdictHold {
		return nil
	}
	x.reservation.Release()
	x.reservation = nil
	x.mark()
	a, err := d.question(ctx, x)
	if err != nil {
		return err
	}
	x.waits = a
	if a.State == approval.Pending {
		if err := d.handed(x); err != nil {
			return err
		}
		if a, err = d.AwaitApproval(ctx, a.ID, o.Wait); err != nil {
			return err
		}
		x.waits = a
	}
	switch {
	case a.State == approval.Pending:
		return d.pending(a)
	case a.State != approval.Approved:
		x.waits = nil
		return d.refusal(a)
	}
	x.waits = nil
	if err := d.resume(ctx, x, a); err != nil {
		return err
	}
	return x.replaced(o)
}

// AwaitApproval waits until an approval is no longer pending, but at most so
// long, and tells how it stands then.
func (d *Door) AwaitApproval(ctx context.Context, id string, most time.Duration) (*approval.Approval, error) {
	limit := time.NewTimer(most)
	defer limit.Stop()
	for {
		a, changed, ok := d.o.Approvals.Follow(id)
		if !ok {
			return nil, fault.New(fault.KindUnavailable, "approval.lost", "the approval is not known any more").WithHint("ask again")
		}
		if a.State != approval.Pending || most <= 0 {
			return a, nil
		}
		select {
		case <-changed:
		case <-limit.C:
			return a, nil
		case <-d.ending:
			return a, nil
		case <-ctx.Done():
			return nil, errGone.WithCause(ctx.Err())
		}
	}
}

// claimOutside takes the approval for this answer, once: who else joined it is
// told that it was used.
func (d *Door) claimOutside(ctx context.Context, x *passage) error {
	ctx = context.WithoutCancel(ctx)
	if err := d.o.Approvals.Claim(ctx, x.granted.ID, x.record.ID); err != nil {
		x.granted = nil
		return err
	}
	return nil
}

// usedOutside ends the approval of an action with how it ended.
func (d *Door) usedOutside(x *passage) {
	if x.granted == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context), 10*time.Second)
	defer cancel()
	code := cmp.Or(x.record.ErrorCode, "ok")
	if err := d.o.Approvals.Finish(ctx, x.granted.ID, code, nil, true); err != nil {
		// It stays executing: after a restart it is unknown, and never repeated.
		d.o.Logger.Error("what an approved action came to could not be stored", "approval", x.granted.ID, "decision", x.record.ID, "err", err)
	}
}

// replaced checks what the content stage made of the arguments: only who
// declared that they can replace them is asked to.
func (x *passage) replaced(o *Outside) error {
	body := x.payload()
	if len(x.record.Redacted) == 0 && (x.granted == nil || !x.granted.Edited) || bytes.Equal(body, o.Body) {
		x.replacement = nil
		return nil
	}
	if !o.Replaces {
		return errObligation
	}
	x.replacement = body
	if o.Tool != "" && !json.Valid(body) {
		return fault.New(fault.KindDenied, "decision.obligation", "what must be taken out of the arguments leaves none that can be read")
	}
	return nil
}

// mark marks the record: we decided and did not forward.
func (x *passage) mark() {
	r := &x.record
	code := pointCode + x.kind
	if slices.ContainsFunc(r.Reasons, func(v activity.Reason) bool { return v.Code == code }) {
		return
	}
	r.Reasons = append(slices.Clip(r.Reasons), activity.Reason{Code: code, Text: "not forwarded by us: asked by way of " + strings.ReplaceAll(x.kind, "_", " ")})
}

// PointOf is the decision point that a record was made for; "" for a call that
// passed the door.
func PointOf(r *activity.Decision) string {
	for _, v := range r.Reasons {
		if name, ok := strings.CutPrefix(v.Code, pointCode); ok {
			return name
		}
	}
	return ""
}

// refuseOutside records a refusal, unless its record is there: of an action that
// waits for people, or of one that people agreed to and somebody else did.
func (d *Door) refuseOutside(x *passage, f *fault.Error) *fault.Error {
	if f.Kind == fault.KindInternal {
		d.o.Logger.Error("a decision for a call elsewhere failed", "decision", x.record.ID, "err", f)
	}
	r := &x.record
	switch {
	case x.waits != nil && x.waits.State == approval.Pending:
	case x.recorded && r.Result == activity.ResultPending:
		now := d.o.Now()
		r.Result, r.ErrorCode, r.Completed, r.LatencyUS = activity.ResultDenied, f.Code, now.UnixNano(), now.Sub(x.started).Microseconds()
		d.o.Decisions.Complete(r)
	case !x.recorded:
		x.mark()
		if err := d.denied(x, f); err != nil {
			return fault.From(err)
		}
	}
	return f
}

// Report says how an action ended that was allowed elsewhere.
type Report struct {
	OK       bool
	Error    string // in words, of who acted
	Result   []byte // what the tool gave; nil: not told
	Cancel   bool   // it was never done
	Duration time.Duration
}

var (
	errOutsideUnknown = fault.New(fault.KindNotFound, "decision.not_open", "no decision of this id waits for a report").
				WithHint("only who asked reports, once, before the answer's expires_at; a restart of Reeve ends what was open as unknown")
	errOutsideClosed = fault.New(fault.KindConflict, "decision.closed", "it was reported before that the action ended otherwise")
)

// Complete takes in how an action ended. may says whether who reports may speak
// for an agent. Reporting the same again changes nothing.
func (d *Door) Complete(id string, r Report, may func(agent, team, environment string) bool) (activity.Result, error) {
	result := activity.ResultError
	switch {
	case r.Cancel:
		result = activity.ResultCut
	case r.OK:
		result = activity.ResultOK
	}
	x, was, err := d.outside.take(id, may)
	switch {
	case err != nil:
		return 0, err
	case x == nil && was == result:
		return was, nil
	case x == nil:
		return 0, errOutsideClosed
	}
	now := d.o.Now()
	rec := &x.record
	rec.Result, rec.Completed, rec.LatencyUS = result, now.UnixNano(), now.Sub(x.started).Microseconds()
	if r.Duration > 0 {
		rec.UpstreamUS = r.Duration.Microseconds()
	}
	var f *fault.Error
	if result != activity.ResultOK {
		f = fault.New(fault.KindUnavailable, "tool.error", "%s", clipped(r.Error, "the tool failed"))
		if r.Cancel {
			f = fault.New(fault.KindDenied, "tool.not_done", "%s", clipped(r.Error, "it was not done"))
		}
		rec.ErrorCode = f.Code
	}
	rec.BytesOut = int64(len(r.Result))
	d.heardOutside(x, r.Result)
	d.outside.done(id, result)
	d.endOutside(x, f, now)
	return result, nil
}

func clipped(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	if len(s) > 500 {
		s = s[:500]
	}
	return strings.ToValidUTF8(s, "")
}

// heardOutside notes what an action's result brings to the agent, before it is
// asked about its next one.
func (d *Door) heardOutside(x *passage, result []byte) {
	if len(result) == 0 {
		return
	}
	x.facts = Facts{Usage: activity.NoUsage}
	x.hasFacts = true
	x.facts.Contents = []activity.Content{{Field: activity.ContentOutput, Format: formatOf(result), From: "report", Raw: result}}
	m := d.o.Behaviour
	if m == nil {
		return
	}
	t := behaviour.Taint{Classes: slices.Clone(x.proposal.Resource.Classes)}
	if x.Upstream != nil {
		t.Upstreams, t.Untrusted = []string{x.Upstream.Name}, x.Upstream.External
	}
	if d.o.Content != nil && x.scan.plan != nil {
		_, found, err := x.scan.plan.Request(result)
		if err == nil {
			for _, f := range found {
				t.Classes = append(t.Classes, f.Class)
			}
		}
	}
	m.Touch(x.who(), t)
	m.Heard(x.who(), behaviour.Source{By: behaviour.ByTool, Tool: x.proposal.Resource.ID, Step: x.record.Step.String()}, result, true)
}

// endOutside completes the record of an allowed action and publishes its step.
func (d *Door) endOutside(x *passage, f *fault.Error, now time.Time) {
	r := &x.record
	r.Cost = activity.Cost{}
	spent := int64(0)
	if x.proposal.MaxTokens > 0 {
		spent = activity.Unknown // nobody tells us what a model used elsewhere
	}
	x.reservation.Settle(x.started, spent, spent)
	r.Reserved = x.reservation.Amounts()
	d.o.Decisions.Complete(r)
	d.usedOutside(x)
	d.o.Steps.end(d, x, f, now)
}

// Late completes an allowed action whose asker went on without our answer.
func (d *Door) Late(id string) {
	x, _, err := d.outside.take(id, func(_, _, _ string) bool { return true })
	if err != nil || x == nil {
		return // it was denied: the record says so
	}
	now := d.o.Now()
	r := &x.record
	r.Result, r.Completed, r.LatencyUS, r.ErrorCode = activity.ResultUnknown, now.UnixNano(), now.Sub(x.started).Microseconds(), "decision.late"
	d.outside.done(id, r.Result)
	d.endOutside(x, nil, now)
}

// Sweep ends what nobody reported in time, until ctx ends.
func (d *Door) Sweep(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			d.sweep(d.o.Now())
		}
	}
}

func (d *Door) sweep(now time.Time) {
	for _, x := range d.outside.expired(now) {
		r := &x.record
		r.Result, r.Completed, r.LatencyUS, r.ErrorCode = activity.ResultUnknown, now.UnixNano(), now.Sub(x.started).Microseconds(), "decision.unreported"
		d.outside.done(r.ID, r.Result)
		d.endOutside(x, nil, now)
	}
}

func formatOf(b []byte) string {
	if json.Valid(b) {
		return "json"
	}
	return "text"
}

// Would reports whether policy allows an action, without recording that it was
// asked, and without counting it.
func (d *Door) Would(ctx context.Context, o *Outside) bool {
	x := &passage{started: d.o.Now(), kind: o.Point, outside: true}
	x.x, x.door = x, d
	x.Context = ctx
	x.Request, x.Caller, x.Upstream = o.request(ctx), o.Caller, o.Upstream
	x.Method, x.Path, x.Query, x.Body, x.proposal = o.Method, o.Path, o.Query, o.Body, o.Proposal
	if o.Tool != "" {
		x.proposal = &Proposal{Action: "call_tool", Tool: o.Tool, Args: ArgsOf(o.Body), Resource: localTool(o.Caller.Agent, o.Tool)}
	}
	d.look(x)
	v := d.o.Policies.Decide(d.request(x))
	return v.Verdict == activity.VerdictAllow && d.delegators(x) == nil && d.pinned(x) == nil
}

// SweepNow ends what nobody reported in time, as Sweep does now and then.
func (d *Door) SweepNow() { d.sweep(d.o.Now()) }

// RefuseAs writes a refusal in the shape that clients of o's upstream read.
func (d *Door) RefuseAs(ctx context.Context, w http.ResponseWriter, o *Outside, f *fault.Error, decision string) {
	if decision != "" {
		w.Header().Set("X-Reeve-Decision", decision)
	}
	if o.Upstream == nil || d.protocols[o.Upstream.Kind] == nil {
		Refuse(w, f)
		return
	}
	c := Call{Context: ctx, Upstream: o.Upstream, Method: o.Method, Path: o.Path, Query: o.Query, Body: o.Body, Caller: o.Caller, Request: o.request(ctx)}
	d.protocols[o.Upstream.Kind].Refuse(w, &c, f, decision)
}

// Refused is why an action does not happen whose approval is neither pending nor
// approved.
func (d *Door) Refused(a *approval.Approval) *fault.Error { return d.refusal(a) }

// Page is where people see an approval.
func (d *Door) Page(id string) string { return d.o.Page(id) }
