package points

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"reeve/internal/approval"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// This file answers AuthZEN's Access Request profile (draft). What is held was
// put to people when it was evaluated; a request finds that approval, and its
// task tells how it stands. An approved task is no permission: the question is
// evaluated again, and that evaluation uses the approval once.

const (
	requestsPath       = "/access/v1/requests"
	capabilityRequests = "urn:openid:authzen:capability:access-request"
)

// requestable tells in a denial's context that people were asked, and where to
// hear of it.
func (s *Server) requestable(c map[string]any, e evaluation, o *gateway.Outside, out *gateway.Outcome) {
	h := out.Held
	s.held.put(out.Record.ID, o, h.Approval, e.triple(), nil)
	c["reason"] = "approval_required"
	c["reason_text"] = out.Fault.Message
	c["access_request"] = map[string]any{
		"endpoint": s.o.Base + requestsPath, "expires_at": h.Expires.UTC().Format(time.RFC3339), "form_url": h.Address,
		"display": map[string]any{"title": "A person must agree", "description": h.Reason},
	}
}

// triple is subject, action and resource of a question, comparable.
func (e evaluation) triple() string {
	b, err := question(e)
	if err != nil {
		return ""
	}
	return string(b)
}

var errBinding = fault.New(fault.KindInvalid, "decision.binding", "no denial of this evaluation_id waits for this subject, action and resource").
	WithHint("echo context.evaluation_id and context.access_request.expires_at of the denial, before it expires")

// postRequest finds the approval of a denied evaluation.
func (s *Server) postRequest(w http.ResponseWriter, r *http.Request) {
	echo(w, r)
	who, err := s.speaker(r)
	var o object
	if err == nil {
		o, err = body(w, r)
	}
	var h *heldQuestion
	if err == nil {
		h, err = s.requested(who, o)
	}
	if err != nil {
		requestFails(w, fault.From(err))
		return
	}
	w.Header().Set("Location", s.o.Base+requestsPath+"/"+h.approval)
	s.task(r.Context(), w, http.StatusAccepted, h)
}

// requested checks that a request is about a denial that waits for people.
func (s *Server) requested(who Speaker, o object) (*heldQuestion, error) {
	if _, ok := o["items"]; ok {
		return nil, invalid("several items in one request are not taken: send one request for each")
	}
	e, err := readEvaluation(o)
	if err != nil {
		return nil, err
	}
	denial, err := o.child("denial")
	if err != nil {
		return nil, err
	}
	id, err := denial.text("evaluation_id")
	if err != nil {
		return nil, err
	}
	until, err := denial.text("expires_at")
	if err != nil {
		return nil, err
	}
	expires, err := time.Parse(time.RFC3339, until)
	h, ok := s.held.get(id)
	if err != nil || s.o.Now().After(expires.Add(time.Minute)) || !ok || !who.may(h.caller.Agent.Name, h.caller.Agent.Team, h.caller.Agent.Environment) ||
		h.asked == "" || h.asked != e.triple() {
		return nil, errBinding
	}
	return h, nil
}

// getRequest tells how a task stands.
func (s *Server) getRequest(w http.ResponseWriter, r *http.Request) {
	echo(w, r)
	who, err := s.speaker(r)
	if err != nil {
		requestFails(w, fault.From(err))
		return
	}
	h, ok := s.held.get(r.PathValue("task"))
	if !ok || h.asked == "" || !who.may(h.caller.Agent.Name, h.caller.Agent.Team, h.caller.Agent.Environment) {
		requestFails(w, fault.New(fault.KindNotFound, "decision.task", "there is no such task").WithHint("evaluate again: the same question joins what waits"))
		return
	}
	s.task(r.Context(), w, http.StatusOK, h)
}

// task writes how an approval stands, in the profile's words.
func (s *Server) task(ctx context.Context, w http.ResponseWriter, status int, h *heldQuestion) {
	a, err := s.o.Door.AwaitApproval(ctx, h.approval, 0)
	if err != nil {
		requestFails(w, fault.From(err))
		return
	}
	t := map[string]any{
		"id": a.ID, "status": taskStatus(a.State), "status_endpoint": s.o.Base + requestsPath + "/" + a.ID, "expires_at": a.ExpiresAt.UTC().Format(time.RFC3339),
		"links": map[string]string{"review": s.o.Door.Page(a.ID)},
	}
	v := map[string]any{"task": t}
	if t["status"] == "approved" {
		v["result"] = map[string]any{"mode": "reevaluate", "approval": map[string]any{"id": a.ID, "approved_until": t["expires_at"]}}
	} else if t["status"] == "pending" {
		w.Header().Set("Retry-After", "5")
	}
	write(w, status, v)
}

func taskStatus(s approval.State) string {
	switch s {
	case approval.Pending, approval.Denied, approval.Expired:
		return string(s)
	case approval.Approved, approval.Executing, approval.Done:
		return "approved"
	case approval.Void, approval.Taken:
		return "cancelled"
	}
	return "failed"
}

// requestFails answers with a problem document of the profile's types.
func requestFails(w http.ResponseWriter, f *fault.Error) {
	status := gateway.Status(f)
	typ := map[string]string{"decision.binding": "invalid_denial_binding", "decision.task": "task_not_found"}[f.Code]
	if typ == "" {
		typ = "invalid_request"
	}
	b, err := json.Marshal(map[string]any{
		"type": "urn:openid:authzen:access-request:error:" + typ, "title": f.Kind.String(), "status": status, "detail": f.Message, "code": f.Code, "hint": f.Hint,
	})
	if err != nil {
		gateway.Refuse(w, f)
		return
	}
	gateway.RefusalHeaders(w.Header(), f)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
