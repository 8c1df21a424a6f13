package points

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// This file answers the OpenID AuthZEN Authorization API 1.0.
//
// Subjects are agents ("agent" by registered name), or people ("user",
// "identity") for whom an agent acts: which one says the credential, the base
// URL (/authzen/{agent}) or context.agent. Resources are what decisions are
// about ("tool", "model", "api", by the names that `reeve can` takes); any other
// type is of an application: it is decided as the agent's own tool TYPE.ACTION,
// whose arguments are the question itself, so that policies read
// /resource/id or /subject/properties/role.

const (
	authzenWellKnown = "/.well-known/authzen-configuration"
	maxEvaluations   = 200
	obligationCustom = "custom"
)

func (s *Server) authzen(mux *http.ServeMux) {
	for _, base := range []string{"", "/authzen/{agent}"} {
		mux.HandleFunc("POST "+base+"/access/v1/evaluation", s.zen(s.evaluation))
		mux.HandleFunc("POST "+base+"/access/v1/evaluations", s.zen(s.evaluations))
		for _, what := range []string{"subject", "resource", "action"} {
			mux.HandleFunc("POST "+base+"/access/v1/search/"+what, s.zen(func(ctx context.Context, q zenAsker, o object) (any, error) {
				return s.search(ctx, q, what, o)
			}))
		}
	}
	mux.HandleFunc("POST "+requestsPath, s.postRequest)
	mux.HandleFunc("GET "+requestsPath+"/{task}", s.getRequest)
	mux.HandleFunc("GET "+authzenWellKnown, s.zenMetadata)
	mux.HandleFunc("GET "+authzenWellKnown+"/authzen/{agent}", s.zenMetadata)
}

// zenAsker is who asks, and what the address says.
type zenAsker struct {
	Speaker
	agent  string // of the base URL; "" none
	header http.Header
}

// zen is a handler of AuthZEN: it echoes the request's id, and errors are a
// status and a sentence.
func (s *Server) zen(h func(context.Context, zenAsker, object) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		echo(w, r)
		who, err := s.speaker(r)
		var o object
		if err == nil {
			o, err = body(w, r)
		}
		var v any
		if err == nil {
			v, err = h(r.Context(), zenAsker{who, r.PathValue("agent"), r.Header}, o)
		}
		if err != nil {
			zenFails(w, fault.From(err))
			return
		}
		write(w, http.StatusOK, v)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get("X-Request-ID"); id != "" && len(id) <= maxName {
		w.Header().Set("X-Request-ID", id)
	}
}

// zenFails answers with the statuses that the API has: 400, 401, 403 and 500,
// and 503 where trying again may help.
func zenFails(w http.ResponseWriter, f *fault.Error) {
	status := f.Kind.HTTPStatus()
	switch f.Kind {
	case fault.KindInvalid, fault.KindNotFound, fault.KindConflict:
		status = http.StatusBadRequest
	}
	gateway.RefusalHeaders(w.Header(), f)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	text := f.Message
	if f.Hint != "" {
		text += "; " + f.Hint
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// zenMetadata describes the decision point. It needs no credential.
func (s *Server) zenMetadata(w http.ResponseWriter, r *http.Request) {
	echo(w, r)
	base := s.o.Base
	if name := r.PathValue("agent"); name != "" {
		base += "/authzen/" + name
	}
	at := base + "/access/v1/"
	w.Header().Set("Cache-Control", "public, max-age=3600")
	write(w, http.StatusOK, map[string]any{
		"policy_decision_point": base, "access_evaluation_endpoint": at + "evaluation", "access_evaluations_endpoint": at + "evaluations",
		"search_subject_endpoint": at + "search/subject", "search_resource_endpoint": at + "search/resource", "search_action_endpoint": at + "search/action",
		"supported_obligations": []string{obligationCustom}, "access_request_endpoint": s.o.Base + requestsPath, "capabilities": []string{capabilityRequests},
	})
}

// evaluation is one question of AuthZEN. The raw parts are kept: an
// application's arguments are the question as it came.
type evaluation struct {
	subject, action, resource entity
	context                   object
	raw                       object
}

type entity struct {
	there           bool
	kind, id        string // an action's name is its id
	properties      object
	propertiesAsRaw json.RawMessage
}

// readEntity reads a subject, a resource (both with type and id) or an action
// (with a name). need says which must be there.
func readEntity(o object, name string, need ...string) (e entity, err error) {
	c, err := o.child(name)
	if err != nil {
		return e, err
	}
	if c == nil {
		if len(need) > 0 {
			return e, invalid("%s is missing", name)
		}
		return e, nil
	}
	e.there = true
	idName := "id"
	if name == "action" {
		idName = "name"
	}
	for field, to := range map[string]*string{"type": &e.kind, idName: &e.id} {
		if *to, err = c.text(field); err != nil {
			return e, err
		}
		if len(*to) > 2*maxName || !plain(*to) {
			return e, invalid("%s.%s has at most %d bytes of text without control characters", name, field, 2*maxName)
		}
		if *to == "" && slices.Contains(need, field) {
			return e, invalid("%s.%s is missing", name, field)
		}
	}
	if e.properties, err = c.child("properties"); err != nil {
		return e, err
	}
	e.propertiesAsRaw = c["properties"]
	return e, nil
}

func readEvaluation(o object) (e evaluation, err error) {
	if e.subject, err = readEntity(o, "subject", "type", "id"); err != nil {
		return e, err
	}
	if e.action, err = readEntity(o, "action", "name"); err != nil {
		return e, err
	}
	if e.resource, err = readEntity(o, "resource", "type", "id"); err != nil {
		return e, err
	}
	e.context, err = o.child("context")
	e.raw = o
	return e, err
}

// zenDecision is the answer to one evaluation.
type zenDecision struct {
	Decision bool           `json:"decision"`
	Context  map[string]any `json:"context,omitempty"`
}

func (s *Server) evaluation(ctx context.Context, who zenAsker, o object) (any, error) {
	e, err := readEvaluation(o)
	if err != nil {
		return nil, err
	}
	d, err := s.evaluate(ctx, who, e)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// evaluations answers several questions in order. One that cannot be answered is
// a denial that says why; the others are answered all the same.
func (s *Server) evaluations(ctx context.Context, who zenAsker, o object) (any, error) {
	var list []json.RawMessage
	if err := o.into("evaluations", &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return s.evaluation(ctx, who, o)
	}
	if len(list) > maxEvaluations {
		return nil, invalid("at most %d evaluations in a request", maxEvaluations)
	}
	options, err := o.child("options")
	if err != nil {
		return nil, err
	}
	semantic, err := options.text("evaluations_semantic")
	if err != nil {
		return nil, err
	}
	switch semantic {
	case "", "execute_all", "deny_on_first_deny", "permit_on_first_permit":
	default:
		return nil, invalid("there is no evaluations_semantic %.60q", semantic)
	}
	out := []zenDecision{}
	for _, raw := range list {
		if err := ctx.Err(); err != nil {
			return nil, fault.New(fault.KindUnavailable, "gateway.client_closed", "who asks closed the call")
		}
		d, err := s.oneOf(ctx, who, o, raw)
		if err != nil {
			f := fault.From(err)
			d = zenDecision{Context: map[string]any{"error": map[string]any{"status": f.Kind.HTTPStatus(), "message": f.Message}}}
		}
		out = append(out, d)
		if semantic == "deny_on_first_deny" && !d.Decision || semantic == "permit_on_first_permit" && d.Decision {
			break
		}
	}
	return map[string]any{"evaluations": out}, nil
}

// oneOf answers one of several questions; what it leaves out it has from all.
func (s *Server) oneOf(ctx context.Context, who zenAsker, all object, raw json.RawMessage) (d zenDecision, err error) {
	var own object
	if err := json.Unmarshal(raw, &own); err != nil || own == nil {
		return d, invalid("an evaluation is an object")
	}
	o := object{}
	for _, name := range []string{"subject", "action", "resource", "context"} {
		if v, ok := all[name]; ok {
			o[name] = v
		}
		if v, ok := own[name]; ok {
			o[name] = v
		}
	}
	e, err := readEvaluation(o)
	if err != nil {
		return d, err
	}
	return s.evaluate(ctx, who, e)
}

// evaluate decides one question.
func (s *Server) evaluate(ctx context.Context, who zenAsker, e evaluation) (d zenDecision, err error) {
	o, err := s.zenOutside(ctx, who, e)
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.KindInvalid && f.Code == "decision.invalid" {
			return d, f
		}
		// What we do not know is not allowed; to tell more would say what exists.
		return zenDecision{Context: map[string]any{"reason": f.Message, "reason_code": f.Code}}, nil
	}
	return s.zenAnswer(e, o, s.o.Door.Judge(ctx, o)), nil
}

func (s *Server) zenAnswer(e evaluation, o *gateway.Outside, out *gateway.Outcome) zenDecision {
	d := zenDecision{Decision: out.Fault == nil, Context: map[string]any{"evaluation_id": out.Record.ID, "verdict": out.Record.Verdict.String()}}
	if f := out.Fault; f != nil {
		d.Context["reason"], d.Context["reason_code"] = f.Message, f.Code
		if out.Held != nil {
			s.requestable(d.Context, e, o, out)
		}
		return d
	}
	if out.Arguments != nil {
		d.Context["obligations"] = []any{map[string]any{
			"id": "arguments", "type": obligationCustom, "properties": map[string]any{"name": obligationArguments, "arguments": json.RawMessage(out.Arguments)},
		}}
	}
	return d
}

var errSubject = fault.New(fault.KindDenied, "decision.subject", "this type of subject is not known here").
	WithHint("agent, by its registered name; or user, for whom the agent of the credential, of the address or of context.agent acts")

// zenOutside puts a question into the door's words.
func (s *Server) zenOutside(ctx context.Context, who zenAsker, e evaluation) (*gateway.Outside, error) {
	c, err := s.zenCaller(who, e)
	if err != nil {
		return nil, err
	}
	o := &gateway.Outside{Caller: c, Point: "authzen", Unreported: true}
	run, err1 := e.context.text("run")
	session, err2 := e.context.text("session")
	callID, err3 := e.context.text("call_id")
	if err1 != nil || err2 != nil || err3 != nil || len(run) > maxName || len(session) > maxName || len(callID) > maxName || !plain(run+session+callID) {
		return nil, invalid("context.run, context.session and context.call_id have at most %d bytes of text without control characters", maxName)
	}
	o.CallID = callID
	o.Header = who.proven(grouped(or(run, who.header.Get("X-Reeve-Run")), or(session, who.header.Get("X-Reeve-Session")), who.header.Get("Traceparent")))
	if o.Replaces, err = declares(e.context); err != nil {
		return nil, err
	}
	return o, s.zenAction(ctx, o, e)
}

// declares reports whether the asker said that it meets our obligations.
func declares(context object) (bool, error) {
	var list []string
	if err := context.into("supported_obligations", &list); err != nil {
		return false, err
	}
	return slices.Contains(list, obligationCustom), nil
}

// zenCaller is the agent of a question, and whom it acts for.
func (s *Server) zenCaller(who zenAsker, e evaluation) (gateway.Caller, error) {
	named, err := e.context.text("agent")
	if err != nil {
		return gateway.Caller{}, err
	}
	name := who.agent
	for _, n := range []string{named, who.own()} {
		if name == "" {
			name = n
		}
	}
	switch e.subject.kind {
	case "agent":
		if who.agent != "" && e.subject.id != who.agent {
			return gateway.Caller{}, errNoAgent
		}
		return s.caller(who.Speaker, e.subject.id, "")
	case "user", "identity":
		if named != "" && named != name {
			return gateway.Caller{}, errNoAgent
		}
		return s.caller(who.Speaker, name, e.subject.id)
	}
	return gateway.Caller{}, errSubject
}

func (who Speaker) own() string {
	if who.Agent == nil {
		return ""
	}
	return who.Agent.Agent.Name
}

// zenAction finds action and resource of a question.
func (s *Server) zenAction(ctx context.Context, o *gateway.Outside, e evaluation) error {
	action := e.action.id
	switch e.resource.kind {
	case "tool":
		if !slices.Contains([]string{"call_tool", "tools/call"}, action) {
			return fault.New(fault.KindDenied, "decision.action", "a tool is called: the action is call_tool, not %.60q", action)
		}
		o.Body = firstRaw(e.context["arguments"], e.action.properties["arguments"], e.resource.properties["arguments"])
		name := e.resource.id
		if !strings.Contains(name, ".") {
			name = "local." + name
		}
		if err := s.o.Door.Named(ctx, o, "call_tool", name); err != nil {
			return err
		}
		if o.Tool == "" {
			return nil
		}
		return toolCall(o)
	case "model":
		return s.o.Door.Named(ctx, o, or(action, "call_model"), e.resource.id)
	case "api":
		return s.o.Door.Named(ctx, o, or(action, "call_api"), e.resource.id)
	}
	o.Tool = e.resource.kind + "." + action
	var err error
	if o.Body, err = question(e); err != nil {
		return err
	}
	return toolCall(o)
}

// question is the question itself, as the arguments of an application's own tool.
func question(e evaluation) ([]byte, error) {
	part := func(x entity, names ...string) map[string]any {
		m := map[string]any{names[0]: x.id}
		if len(names) > 1 {
			m[names[1]] = x.kind
		}
		if x.properties != nil {
			m["properties"] = x.propertiesAsRaw
		}
		return m
	}
	b, err := json.Marshal(map[string]any{
		"subject": part(e.subject, "id", "type"), "action": part(e.action, "name"), "resource": part(e.resource, "id", "type"),
	})
	if err != nil {
		return nil, fmt.Errorf("writing the question: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		return nil, invalid("the question is no JSON")
	}
	return compact.Bytes(), nil
}

func firstRaw(list ...json.RawMessage) []byte {
	for _, v := range list {
		if len(v) > 0 && string(v) != "null" {
			return v
		}
	}
	return nil
}
