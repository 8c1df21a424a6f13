package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/steer"
	"reeve/internal/upstream"
)

// inHand holds every call of a run that a person took over, or holds.
func (d *Door) inHand(x *passage) {
	if d.o.Approvals != nil && d.o.Approvals.AnyTaken() {
		if t := d.o.Approvals.Taken(x.record.Run.String()); t != nil {
			x.mustWait(approval.CodeTaken, t.Name+" took this run over")
		}
	}
	if x.unnoted != nil {
		x.record.Reasons = append(slices.Clip(x.record.Reasons), activity.Reason{Code: "steer.note", Text: "it carries what a person said: " + strings.Join(x.noted, ", ")})
	}
	if d.o.Steer != nil {
		if h := d.o.Steer.Held(x.record.Run.String()); h != nil {
			x.mustWait(steer.CodeHeld, h.By.Name+" looks at each call of this run")
		}
	}
}

// mustWait holds a call that policy lets pass.
func (x *passage) mustWait(code, why string) {
	r := &x.record
	if r.Verdict == activity.VerdictAllow {
		r.Verdict, r.Would, r.Enforced = activity.VerdictHold, max(r.Would, activity.VerdictHold), r.Would != activity.VerdictDeny
	}
	r.Reasons = append([]activity.Reason{{Code: code, Text: why}}, r.Reasons...)
}

// held is what a verdict of hold comes to: the call goes on to the stage hold, or
// an approval that it uses meets it.
func (d *Door) held(x *passage) error {
	r, g := &x.record, x.granted
	switch {
	case d.o.Approvals == nil:
		return fault.New(fault.KindDenied, "decision.held", "a person must agree first: %s", because(r.Reasons)).
			WithHint("no approvals are kept here: ask the owner to loosen the policy or the agent's autonomy")
	case g == nil && x.proposal.Unasked != "":
		f := fault.New(fault.KindDenied, "decision.held", "a person must agree first, and is not asked about a call like this: %s", because(r.Reasons)).WithHint("%s", x.proposal.Unasked)
		r.Verdict, r.Would = activity.VerdictDeny, activity.VerdictDeny
		return f
	case g == nil:
		return nil
	case !g.Meets(x.verdict.Asked, x.holds()):
		return d.void(x, "approval.other_policy", "policy asks for something that it was not shown")
	}
	r.Verdict, r.Would, r.Enforced = activity.VerdictAllow, activity.VerdictAllow, true
	x.agreed()
	return nil
}

// agreed puts on record who agreed to the call.
func (x *passage) agreed() {
	r, g := &x.record, x.granted
	if g == nil {
		return
	}
	var names []string
	for i := range g.Votes {
		if v := &g.Votes[i]; v.Bound == g.Bound && v.Verdict != "deny" {
			names = append(names, v.Name)
		}
	}
	r.Reasons = append([]activity.Reason{{Code: "approval.granted", Text: strings.Join(names, " and ") + " agreed"}}, r.Reasons...)
}

// holds is what holds beside statements.
func (x *passage) holds() []string {
	var out []string
	for _, r := range x.record.Reasons {
		if r.Code == approval.CodeTaken || r.Code == steer.CodeHeld || x.verdict.Floor == activity.VerdictHold && strings.HasPrefix(r.Code, "floor.") {
			out = append(out, r.Code)
		}
	}
	return out
}

// ask is the held call as people are asked about it.
func (d *Door) ask(x *passage) approval.Ask {
	r, c, p, a := &x.record, &x.Caller, x.proposal, x.Caller.Agent
	k := approval.Ask{
		Decision: r.ID, Agent: a.Name, Version: a.Version, Owner: a.Owner, Sponsor: a.Sponsor, Team: a.Team, Environment: a.Environment,
		Instance: c.Instance, User: c.User, UserTeams: c.UserTeams, UserGroups: c.UserGroups, Chain: c.Chain, Credential: c.Credential, CredentialID: c.CredentialID, Bound: c.Bound, Epoch: c.Epoch,
		Containment: r.Containment,
		Action:      p.Action, Name: p.Name, Resource: p.Resource.ID, Upstream: r.Upstream, Tool: p.Tool, Effect: p.Resource.Effect, Pin: r.Pin,
		Model: r.Model, Classes: p.Classes, Shown: d.shown(x), Origins: masked(x.origins), Words: p.Words,
		Run: r.Run.String(), Session: r.Session, Step: r.Step.String(), Trace: r.Trace.String(),
		Reasons: r.Reasons, Asked: x.verdict.Asked, Holds: x.holds(),
		Forwarded: !r.LocalTool && !x.outside, Editable: !r.LocalTool && !p.Fixed && len(x.Body) > 0,
		Request: approval.Request{Method: x.Method, Path: x.Path, Query: x.Query},
	}
	k.Request.Body, k.Request.From, k.Request.To = x.shown()
	if k.Effect == "" {
		k.Effect = effectOf(p.Resource.Type)
	}
	for _, g := range x.verdict.Hold {
		k.Groups = append(k.Groups, approval.Group{Name: g.Group, Count: g.Count})
	}
	if u := x.Upstream; u != nil && !r.LocalTool {
		k.UpstreamRevision, k.External, k.Destinations = u.Revision, u.External, []string{u.Host()}
		h := http.Header{}
		upstream.Outgoing(h, x.Request.Header)
		k.Request.Header = h
	}
	b := d.o.Approvals
	k.Arguments = x.bound(b, x.Body)
	run := ""
	if k.Named = x.named; k.Named {
		run = k.Run
	}
	k.Joins = b.Hash([]byte("join"), []byte(k.Agent), []byte(k.User), []byte(strings.Join(k.Chain, " ")), []byte(run), []byte(k.Arguments))
	return k
}

// shown is the body that people see and edit, with the place of its arguments:
// without what content rules take out of it.
func (x *passage) shown() (body []byte, from, to int) {
	p := x.proposal
	if len(x.record.Redacted) == 0 || x.scan.plan == nil {
		return x.Body, p.Arguments.From, p.Arguments.To
	}
	out, _, err := x.scan.plan.Request(x.Body)
	if err != nil {
		return []byte(`"not shown: a content rule refuses it"`), 0, 0
	}
	if p.Arguments.To == 0 || x.protocol == nil {
		return out, 0, 0
	}
	c := x.Call
	c.Body = out
	if p, err = x.protocol.Propose(&c); err != nil {
		return out, 0, 0
	}
	return out, p.Arguments.From, p.Arguments.To
}

// effectOf is what policy takes an action of this type to do that nobody said
// more of.
func effectOf(typ string) string {
	switch typ {
	case "Model":
		return "think"
	case "Source":
		return "read"
	}
	return "destructive"
}

// bind is Bind, made when it is first needed; nil for none.
func (p *Proposal) bind() []byte {
	if p.Bind == nil && p.BindFunc != nil {
		p.Bind = p.BindFunc()
	}
	return p.Bind
}

// bound is the hash of what an approval of this call is bound to.
func (x *passage) bound(b *approval.Book, body []byte) string {
	p := x.proposal
	if bind := p.bind(); bind != nil {
		return b.Hash([]byte("bind"), []byte(x.kind), []byte(x.record.Upstream), []byte(p.Action), []byte(p.Resource.ID), bind, x.boundHeaders())
	}
	form, body := boundBody(body)
	return b.Hash([]byte("call"), []byte(x.kind), []byte(x.record.Upstream), []byte(p.Action), []byte(p.Resource.ID),
		[]byte(x.Method), []byte(x.Path), []byte(x.Query), []byte(form), body, x.boundHeaders())
}

// hold makes a held call wait for people. When they agree, it is decided again
// and goes on; else it ends here. A call that continues a held one goes by its
// approval even where policy would let it pass by now: it happens once.
func (d *Door) hold(ctx context.Context, x *passage) error {
	if x.record.Verdict != activity.VerdictHold && x.proposal.Collects == "" {
		return nil
	}
	if x.test != nil {
		if x.test.Sandbox(x.Upstream.Name) || x.proposal.Action == "call_model" {
			return errTestHeld
		}
		return nil // nothing is made of it: it is answered from the recording
	}
	x.reservation.Release()
	x.reservation = nil
	a, err := d.question(ctx, x)
	if err != nil {
		return err
	}
	return d.follow(ctx, x, a)
}

// question puts a held call to people, or joins the question that was put. A new
// one has its decision on record.
func (d *Door) question(ctx context.Context, x *passage) (*approval.Approval, error) {
	k := d.ask(x)
	if id := x.proposal.Collects; id != "" {
		a, ok := d.o.Approvals.Known(ctx, id)
		if !ok || a.Ask.Agent != k.Agent || a.Ask.User != k.User || a.Ask.Arguments != k.Arguments {
			return nil, fault.New(fault.KindDenied, "approval.void", "the approval %s is not for this", id).WithHint("call again: people are asked anew")
		}
		x.record.Approval = a.ID
		return a, nil
	}
	a, _, err := d.o.Approvals.Hold(ctx, k)
	if err != nil {
		f := fault.From(err)
		if f.Code == "approval.too_many" {
			d.o.Approvals.Flooded(ctx, &k, f)
		}
		r := &x.record
		r.Verdict, r.Would = activity.VerdictDeny, activity.VerdictDeny
		r.Reasons = append([]activity.Reason{{Code: f.Code, Text: f.Message}}, r.Reasons...)
		return nil, f
	}
	x.record.Approval = a.ID
	return a, nil
}

// follow goes with an approval until it is decided what becomes of the call.
func (d *Door) follow(ctx context.Context, x *passage, a *approval.Approval) error {
	if a.State != approval.Approved {
		// This decision ends with handing the question to people.
		if err := d.handed(x); err != nil {
			return err
		}
	}
	a, err := d.await(ctx, x, a)
	if err != nil || x.answered {
		return err
	}
	if a.State == approval.Approved {
		return d.resume(ctx, x, a)
	}
	return d.collect(ctx, x, a)
}

// handed records that the call waits for people.
func (d *Door) handed(x *passage) error {
	r := &x.record
	r.Result, r.ErrorCode = activity.ResultHeld, ""
	r.Completed = d.o.Now().UnixNano()
	r.LatencyUS = (r.Completed - r.At) / 1000
	if err := d.write(context.WithoutCancel(x.Context), x); err != nil {
		return err
	}
	d.o.Steps.begin(d, x)
	return nil
}

// await keeps the call until its approval leaves pending: as its protocol can,
// else for as long as the door waits.
func (d *Door) await(ctx context.Context, x *passage, a *approval.Approval) (*approval.Approval, error) {
	b := d.o.Approvals
	if a.State != approval.Pending {
		return a, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a, changed, ok := b.Follow(a.ID)
	if ok && a.State == approval.Pending {
		if w, is := x.protocol.(Waiter); is && !x.record.LocalTool {
			decided := make(chan struct{})
			go func() {
				defer close(decided)
				d.undecided(ctx, a.ID)
			}()
			head := &headWriter{ResponseWriter: x.w}
			x.told = d.telling(a)
			answered, err := w.Wait(ctx, head, &x.Call, x.proposal, x.told, decided)
			cancel(nil)
			<-decided
			x.wrote, x.Begun = x.wrote || head.begun, x.Begun || head.begun
			if x.Begun {
				x.answering.begin()
			}
			if answered || err != nil {
				x.answered, x.wrote = answered, x.wrote || answered
				return a, err
			}
		} else {
			limit := time.NewTimer(b.Wait())
			defer limit.Stop()
			for ok && a.State == approval.Pending {
				select {
				case <-changed:
				case <-limit.C:
					return nil, d.pending(a)
				case <-d.ending:
					return nil, d.pending(a)
				case <-ctx.Done():
					return nil, d.leftWaiting(x, ctx)
				}
				a, changed, ok = b.Follow(a.ID)
			}
		}
	}
	if x.Context.Err() != nil {
		return nil, d.leftWaiting(x, x.Context)
	}
	if a, _, ok = b.Follow(x.record.Approval); !ok {
		return nil, fault.New(fault.KindUnavailable, "approval.lost", "the approval is not known any more").WithHint("call again")
	}
	if a.State == approval.Pending {
		return nil, d.pending(a)
	}
	return a, nil
}

// leftWaiting is why a call ended while it waited. A stop ends the question too;
// an agent that went away may come again.
func (d *Door) leftWaiting(x *passage, ctx context.Context) error {
	err := x.broke(ctx, ctx.Err(), errGone)
	if f := fault.From(err); strings.HasPrefix(f.Code, "stop.") {
		d.o.Approvals.Discard(x.record.Approval, f.Code, f.Message)
	}
	return err
}

// undecided returns once an approval is no longer pending, or nobody waits.
func (d *Door) undecided(ctx context.Context, id string) {
	for {
		a, changed, ok := d.o.Approvals.Follow(id)
		if !ok || a.State != approval.Pending {
			return
		}
		select {
		case <-changed:
		case <-d.ending:
			return
		case <-ctx.Done():
			return
		}
	}
}

// headWriter notes whether an answer was begun.
type headWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader implements http.ResponseWriter.
func (w *headWriter) WriteHeader(status int) {
	w.begun = w.begun || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *headWriter) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// telling is an approval as a client may know it.
func (d *Door) telling(a *approval.Approval) Held {
	return Held{Approval: a.ID, Address: d.o.Page(a.ID), Reason: because(a.Ask.Reasons), Expires: a.ExpiresAt}
}

// againAfter is when a call that waited too long may come again; it waits then.
const againAfter = time.Second

// pending is what a call gets that waited as long as it may.
func (d *Door) pending(a *approval.Approval) *fault.Error {
	return fault.New(fault.KindConflict, "approval.pending", "a person must agree first, and nobody answered yet: approval %s", a.ID).
		WithHint("%s shows it; the same call again joins it, until %s", d.o.Page(a.ID), a.ExpiresAt.UTC().Format(time.RFC3339)).
		WithRetryAfter(againAfter)
}

// refusal is why a call whose approval ended otherwise does not go on.
func (d *Door) refusal(a *approval.Approval) *fault.Error {
	switch a.State {
	case approval.Denied:
		words := "a person denied it"
		if n := len(a.Votes); n > 0 {
			words = a.Votes[n-1].Name + " denied it"
		}
		if a.Reason != "" {
			words += ": " + a.Reason
		}
		return fault.New(fault.KindDenied, "approval.denied", "%s", words).WithHint("the same action is denied for a day; %s", d.o.Page(a.ID))
	case approval.Expired:
		return fault.New(fault.KindDenied, "approval.expired", "nobody answered in time, so it is denied: approval %s", a.ID).WithHint("call again: people are asked anew")
	case approval.Taken:
		return fault.New(fault.KindDenied, "approval.taken", "a person does this instead: approval %s", a.ID).WithHint("do not do it; further calls of this run wait for that person")
	case approval.Unknown:
		return fault.New(fault.KindDenied, "approval.unknown", "it was being forwarded when Reeve ended: whether it happened is not known, and it is not repeated").
			WithHint("look at the upstream; a person decides what is to be done: %s", d.o.Page(a.ID))
	case approval.Done:
		return fault.New(fault.KindDenied, "approval.answer_lost", "it happened, and its answer was not kept: approval %s", a.ID).WithHint("read the result from the upstream")
	}
	return fault.New(fault.KindDenied, "approval.void", "the approval %s is void: %s", a.ID, a.Reason).WithHint("call again: people are asked anew")
}

// void ends the approval that a call would use, and refuses the call.
func (d *Door) void(x *passage, code, why string) error {
	g := x.granted
	if err := d.o.Approvals.Void(context.WithoutCancel(x.Context), g.ID, code, why); err != nil && !fault.Is(err, fault.KindConflict) {
		d.o.Logger.Warn("an approval is void and it could not be stored; the call is refused", "approval", g.ID, "err", err)
	}
	f := fault.New(fault.KindDenied, "approval.void", "the approval %s is void: %s", g.ID, why).WithHint("call again: people are asked anew")
	r := &x.record
	r.Verdict, r.Would = activity.VerdictDeny, activity.VerdictDeny
	r.Reasons = append([]activity.Reason{{Code: code, Text: why}}, r.Reasons...)
	return f
}

// resume decides again about a call that people agreed to, as everything is now,
// and with the bytes that they agreed to.
func (d *Door) resume(ctx context.Context, x *passage, a *approval.Approval) error {
	request, err := d.o.Approvals.Open(a)
	if err != nil {
		return err
	}
	// What the definition of a tool is now, and what content rules took out, is
	// read anew. A call that comes for another's approval has just been read.
	fresh := a.Edited || x.proposal.Collects == "" && (a.Ask.Pin != "" || len(x.record.Redacted) > 0)
	x.granted = a
	x.again(d, a.ID)
	if code, why := d.changed(x, &a.Ask); code != "" {
		return d.void(x, code, why)
	}
	// A retry may write the same JSON otherwise: what people saw is what goes.
	if a.Edited || !x.outside && !x.record.LocalTool && x.proposal.bind() == nil &&
		!bytes.Equal(x.Body, request.Body) && x.bound(d.o.Approvals, request.Body) == a.Bound {
		x.Body, fresh = request.Body, true
	}
	if fresh && x.protocol != nil && !x.outside {
		if x.proposal, err = x.protocol.Propose(&x.Call); err != nil {
			return err
		}
	}
	x.describe()
	switch {
	case x.record.Pin != a.Ask.Pin:
		return d.void(x, "approval.pin", "the definition of what is called changed")
	case x.bound(d.o.Approvals, x.Body) != a.Bound:
		return d.void(x, "approval.other_arguments", "people agreed to other arguments")
	}
	for _, stage := range []func(*Door, context.Context, *passage) error{(*Door).decide, (*Door).limit, (*Door).content} {
		if err := stage(d, ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// again begins the second decision of a call.
func (x *passage) again(d *Door, id string) {
	old := x.record
	x.asks = cmp.Or(x.asks, old.At) // its step is the wait too
	x.started = d.o.Now()
	x.record = activity.Decision{
		ID: d.o.Decisions.NewID(), At: x.started.UnixNano(), Node: old.Node, Run: old.Run, Step: old.Step, Trace: old.Trace, Span: old.Span,
		Session: old.Session, Upstream: old.Upstream, Approval: id, LocalTool: old.LocalTool, Parent: old.Parent,
	}
	x.recorded, x.reservation, x.scan = false, nil, scanned{}
}

// changed is what an approval was given for and is not so any more; "" when all
// is as it was.
func (d *Door) changed(x *passage, k *approval.Ask) (code, why string) {
	c := &x.Caller
	a, ok := d.o.Agents.Lookup(c.Agent.Name)
	switch {
	case !ok || a.Lifecycle == agent.Retired:
		return "approval.agent", "the agent is not registered any more"
	case a.Contained(x.started) != k.Containment:
		return "approval.containment", "the agent's containment changed"
	case c.Epoch < a.Epoch || k.Epoch < a.Epoch:
		return "approval.credential", "the agent's credentials were ended"
	case c.Credential != k.Credential || c.Credential == "agent_key" && c.CredentialID != k.CredentialID || c.Bound != k.Bound:
		return "approval.credential", "it was asked for with another credential"
	}
	if c.Credential == "agent_key" {
		if text, err := presented(x.Request.Header); err != nil || d.byKey(text, c) != nil {
			return "approval.credential", "the agent's key was revoked"
		}
	}
	c.Agent = a
	if x.record.LocalTool {
		return "", ""
	}
	u, ok := d.o.Upstreams.Lookup(x.Upstream.Name)
	if !ok || u.Revision != k.UpstreamRevision {
		return "approval.upstream", "the upstream changed"
	}
	x.Upstream = u
	return "", ""
}

// claim takes the approval for this call, once. Only then it is forwarded.
func (d *Door) claim(ctx context.Context, x *passage) error {
	g := x.granted
	if g == nil {
		return nil
	}
	if err := d.detach(x); err != nil {
		return err
	}
	err := d.o.Approvals.Claim(context.WithoutCancel(ctx), g.ID, x.record.ID)
	if err == nil {
		x.claims, x.kept = true, &keeping{}
		return nil
	}
	if fault.From(err).Code != "approval.used" {
		return err
	}
	// Another call that joined was first: this one collects.
	x.granted = nil
	a, _, ok := d.o.Approvals.Follow(g.ID)
	if !ok {
		return err
	}
	return d.collect(ctx, x, a)
}

// detach lets a call go on when its agent goes away: what people agreed to
// happens once, and its answer is kept for the retry. Stops end it, and the end
// of the process does.
func (d *Door) detach(x *passage) error {
	request := x.Request.Context()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(request))
	undo := context.AfterFunc(request, func() {
		var f *fault.Error
		if errors.As(context.Cause(request), &f) {
			cancel(f)
		}
	})
	ctx, leave, err := d.enterStops(ctx, x)
	if err != nil {
		undo()
		cancel(nil)
		return err
	}
	before := x.leave
	x.Context = ctx
	x.leave = func() {
		undo()
		leave()
		cancel(nil)
		before()
	}
	return nil
}

// collect gives the call what became of its approval: the stored answer, once
// there is one, or why there is none.
func (d *Door) collect(ctx context.Context, x *passage, a *approval.Approval) error {
	b := d.o.Approvals
	limit := time.NewTimer(max(b.Wait(), time.Second))
	defer limit.Stop()
	for a.State == approval.Executing {
		now, changed, ok := b.Follow(a.ID)
		if !ok {
			break
		}
		if a = now; a.State != approval.Executing {
			break
		}
		select {
		case <-changed:
		case <-limit.C:
			return d.pending(a)
		case <-d.ending:
			return d.pending(a)
		case <-ctx.Done():
			return x.broke(ctx, ctx.Err(), errGone)
		}
	}
	if a.State == approval.Approved { // what claimed it sent nothing after all
		return d.pending(a)
	}
	answer, ok, err := b.Answer(a)
	if err != nil {
		return err
	}
	if !ok || answer.Cut {
		return d.refusal(a)
	}
	if by, is := x.protocol.(Answerer); is && a.State == approval.Taken && !x.record.LocalTool {
		answer = by.Answered(&x.Call, x.proposal, answer)
	}
	x.answered, x.wrote = true, true
	x.w.Header()["X-Reeve-Collected"] = []string{a.ID}
	x.record.Status = int32(answer.Status)
	if x.record.Result == activity.ResultPending {
		x.record.Result = activity.ResultHeld
	}
	if err := d.giveAnswer(x, answer); err != nil {
		return x.broke(ctx, err, errGone)
	}
	if err := b.Collected(context.WithoutCancel(ctx), a.ID); err != nil && !fault.Is(err, fault.KindConflict) {
		d.o.Logger.Warn("it was not noted that an answer was collected: it may be collected again", "approval", a.ID, "err", err)
	}
	return nil
}

func (d *Door) giveAnswer(x *passage, a approval.Answer) error {
	if c, ok := x.protocol.(Collector); ok {
		return c.Collect(x.w, &x.Call, x.proposal, a)
	}
	if !x.Begun {
		h := x.w.Header()
		for k, v := range a.Header {
			h[k] = slices.Clone(v)
		}
		x.w.WriteHeader(a.Status)
	}
	n, err := x.w.Write(a.Body)
	x.sent.n.Add(int64(n))
	return err
}

// maxKept bounds the answer that is kept for a retry.
const maxKept = 1 << 20

// keeping is an answer as it passes, for a retry that collects it.
type keeping struct {
	body []byte
	cut  bool
}

func (k *keeping) add(b []byte) {
	if k == nil || k.cut {
		return
	}
	if len(k.body)+len(b) > maxKept {
		k.body, k.cut = nil, true
		return
	}
	k.body = append(k.body, b...)
}

// enough ends an answer that nobody hears and that is too large to keep.
func (k *keeping) enough() error {
	if k.cut {
		return errGone
	}
	return nil
}

// keptHeaders are those of an answer that are kept with it.
var keptHeaders = []string{"Content-Type", "Content-Encoding", "Content-Language", "Location", "Etag", "Last-Modified", "Retry-After", "X-Request-Id", "Request-Id"}

// used ends the approval that a call claimed with what came of it.
func (d *Door) used(x *passage, f *fault.Error) {
	if !x.claims {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context), 10*time.Second)
	defer cancel()
	var err error
	if !x.forwarded {
		err = d.o.Approvals.Unclaim(ctx, x.granted.ID)
	} else {
		var answer *approval.Answer
		code := "ok"
		if f != nil {
			code = f.Code
		}
		if f == nil {
			answer = &approval.Answer{Status: int(x.record.Status), Header: map[string][]string{}, Body: x.kept.body, Cut: x.kept.cut}
			for _, name := range keptHeaders {
				if v := x.w.Header()[name]; len(v) > 0 {
					answer.Header[name] = v
				}
			}
		}
		err = d.o.Approvals.Finish(ctx, x.granted.ID, code, answer, f == nil && !x.gone)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		// It stays executing: after a restart it is unknown, and never repeated.
		d.o.Logger.Error("what an approved call came to could not be stored", "approval", x.granted.ID, "decision", x.record.ID, "err", err)
	}
}
