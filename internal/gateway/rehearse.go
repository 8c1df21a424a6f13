package gateway

import (
	"context"
	"net/http"
	"net/url"

	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/fault"
)

// Rehearse is what an approval would be bound to with another body, decided on as
// everything is now: nothing is recorded or forwarded. It gives the body with
// the place of its arguments, and its hash.
//
// Faults: those of reading the call, approval.edit_denied, approval.edit_other.
func (d *Door) Rehearse(ctx context.Context, a *approval.Approval, body []byte) (to approval.Request, bound string, err error) {
	k := &a.Ask
	was, err := d.o.Approvals.Original(a)
	if err != nil {
		return to, "", err
	}
	x := &passage{started: d.o.Now()}
	x.Context = ctx
	who, ok := d.o.Agents.Lookup(k.Agent)
	u, found := d.o.Upstreams.Lookup(k.Upstream)
	if !ok || !found || d.protocols[u.Kind] == nil {
		return to, "", fault.New(fault.KindConflict, "approval.void", "the agent or the upstream is not there any more")
	}
	x.Caller = Caller{
		Agent: who, Credential: k.Credential, CredentialID: k.CredentialID, Bound: k.Bound, Instance: k.Instance, User: k.User,
		UserTeams: k.UserTeams, UserGroups: k.UserGroups, Chain: k.Chain, Epoch: k.Epoch,
	}
	x.kind, x.protocol, x.Upstream, x.record.Upstream = u.Kind, d.protocols[u.Kind], u, u.Name
	x.Method, x.Path, x.Query, x.Body = was.Method, was.Path, was.Query, body
	x.Request = &http.Request{Method: was.Method, URL: &url.URL{Path: was.Path, RawQuery: was.Query}, Header: http.Header(was.Header), Body: http.NoBody, ContentLength: int64(len(body))}
	x.record.Session = k.Session
	if x.proposal, err = x.protocol.Propose(&x.Call); err != nil {
		return to, "", err
	}
	p := x.proposal
	if p.Action != k.Action || p.Resource.ID != k.Resource {
		return to, "", fault.New(fault.KindInvalid, "approval.edit", "these arguments would make it another action: %s", p.Resource.ID)
	}
	d.look(x)
	x.verdict = d.o.Policies.Decide(d.request(x))
	v := &x.verdict
	x.record.Verdict, x.record.Reasons = v.Verdict, v.Reasons
	switch {
	case x.scan.err != nil:
		return to, "", x.scan.err
	case v.Verdict == activity.VerdictDeny:
		return to, "", fault.New(fault.KindDenied, "approval.edit_denied", "with these arguments it is denied: %s", because(v.Reasons))
	case v.Verdict == activity.VerdictHold && !a.Meets(v.Asked, x.holds()):
		return to, "", fault.New(fault.KindDenied, "approval.edit_other", "with these arguments policy asks for more: %s", because(v.Reasons)).
			WithHint("deny it: the agent may ask anew with them")
	}
	to = approval.Request{Body: body, From: p.Arguments.From, To: p.Arguments.To}
	return to, x.bound(d.o.Approvals, body), nil
}
