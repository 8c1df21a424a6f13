package points

import (
	"context"
	"net/http"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// Copilot Studio waits for less than copilotPatience and then goes on as if it
// had been allowed. So the answer is made within copilotAnswer: what is not
// decided by then is blocked, and what is held is blocked at once.
const (
	copilotPatience = time.Second
	copilotAnswer   = 800 * time.Millisecond
)

// copilotVerdict is the answer to analyze-tool-execution.
type copilotVerdict struct {
	Block       bool   `json:"blockAction"`
	ReasonCode  int    `json:"reasonCode,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Diagnostics string `json:"diagnostics,omitempty"`
}

// Reason codes of blocked actions; the platform shows them as they are.
const (
	copilotDenied    = 1
	copilotHeld      = 2
	copilotUndecided = 3
)

// copilotError is an error in the platform's own shape.
type copilotError struct {
	Code        int    `json:"errorCode"`
	Message     string `json:"message"`
	Status      int    `json:"httpStatus"`
	Diagnostics string `json:"diagnostics,omitempty"`
}

// copilotValidate says that this endpoint is there and that the credential is
// good for the agent of the path.
func (s *Server) copilotValidate(w http.ResponseWriter, r *http.Request) {
	if _, err := s.copilotCaller(r); err != nil {
		copilotFails(w, fault.From(err))
		return
	}
	write(w, http.StatusOK, map[string]any{"isSuccessful": true, "status": "OK"})
}

func copilotFails(w http.ResponseWriter, f *fault.Error) {
	status := gateway.Status(f)
	gateway.RefusalHeaders(w.Header(), f)
	write(w, status, copilotError{Code: status * 10, Message: f.Message, Status: status, Diagnostics: f.Code})
}

// copilotCaller is the agent of the path, as the credential vouches for it.
func (s *Server) copilotCaller(r *http.Request) (gateway.Caller, error) {
	if v := r.URL.Query()["api-version"]; len(v) > 1 {
		return gateway.Caller{}, invalid("api-version stands twice")
	}
	who, err := s.speaker(r)
	if err != nil {
		return gateway.Caller{}, err
	}
	return s.caller(who, r.PathValue("agent"), "")
}

// copilotAnalyze decides the call of a tool that a Copilot Studio agent is about
// to make.
func (s *Server) copilotAnalyze(w http.ResponseWriter, r *http.Request) {
	started := s.o.Now()
	c, err := s.copilotCaller(r)
	var o object
	if err == nil {
		o, err = body(w, r)
	}
	var q *gateway.Outside
	if err == nil {
		q, err = s.copilotCall(c, o)
	}
	if err != nil {
		// An error lets the action go on: what can be understood as a question is
		// blocked, and only who is nobody gets an error.
		f := fault.From(err)
		if f.Kind == fault.KindUnauthenticated || c.Agent == nil {
			copilotFails(w, f)
			return
		}
		write(w, http.StatusOK, copilotVerdict{Block: true, ReasonCode: copilotUndecided, Reason: f.Message, Diagnostics: f.Code})
		return
	}
	decided := make(chan *gateway.Outcome)
	gone := make(chan bool, 1) // whether the platform had gone on when it was told to block
	go func() {                // ends with the record, whose log bounds its wait
		out := s.o.Door.Judge(context.WithoutCancel(r.Context()), q)
		select {
		case decided <- out:
		case late := <-gone:
			s.afterBlock(q, out, late)
		}
	}()
	timer := time.NewTimer(copilotAnswer - s.o.Now().Sub(started))
	defer timer.Stop()
	select {
	case out := <-decided:
		w.Header().Set("X-Reeve-Decision", out.Record.ID)
		write(w, http.StatusOK, copilotSays(out))
		if s.o.Now().Sub(started) >= copilotPatience {
			s.unchecked(q, out)
		}
	case <-timer.C:
		write(w, http.StatusOK, copilotVerdict{Block: true, ReasonCode: copilotUndecided, Reason: "no decision was made in time", Diagnostics: "decision.late"})
		gone <- s.o.Now().Sub(started) >= copilotPatience
	}
}

// afterBlock settles a decision that was made after the answer.
func (s *Server) afterBlock(q *gateway.Outside, out *gateway.Outcome, late bool) {
	switch {
	case late:
		s.unchecked(q, out)
	case out.Fault == nil:
		s.undone(out.Record.ID)
	}
}

// unchecked counts an action that the platform went on with: the answer came
// too late.
func (s *Server) unchecked(q *gateway.Outside, out *gateway.Outcome) {
	if s.o.Coverage != nil {
		a := q.Caller.Agent
		s.o.Coverage.Unchecked(a.Name, a.Team, a.Environment)
	}
	if out.Fault == nil {
		s.o.Door.Late(out.Record.ID)
	}
}

// undone completes what was allowed after the platform had been told to block.
func (s *Server) undone(id string) {
	_, err := s.o.Door.Complete(id, gateway.Report{Cancel: true, Error: "the decision came after the action was blocked"}, func(_, _, _ string) bool { return true })
	if err != nil {
		s.o.Logger.Warn("a late decision was not completed", "decision", id, "err", err)
	}
}

func copilotSays(out *gateway.Outcome) copilotVerdict {
	f := out.Fault
	switch {
	case f == nil:
		return copilotVerdict{}
	case out.Held != nil || out.Record.Verdict == activity.VerdictHold:
		return copilotVerdict{Block: true, ReasonCode: copilotHeld, Reason: f.Message, Diagnostics: out.Record.ID}
	}
	return copilotVerdict{Block: true, ReasonCode: copilotDenied, Reason: f.Message, Diagnostics: out.Record.ID}
}

// copilotCall reads the question. The platform reports no results, so the record
// ends with the decision.
func (s *Server) copilotCall(c gateway.Caller, o object) (*gateway.Outside, error) {
	tool, err := o.child("toolDefinition")
	if err != nil {
		return nil, err
	}
	meta, err := o.child("conversationMetadata")
	if err != nil {
		return nil, err
	}
	about, err := meta.child("agent")
	if err != nil {
		return nil, err
	}
	q := &gateway.Outside{Caller: c, Point: "copilot_studio", Body: o["inputValues"], Life: 5 * time.Minute}
	var conversation, step, id string
	for _, f := range []struct {
		in   object
		name string
		to   *string
	}{{tool, "name", &q.Tool}, {meta, "conversationId", &conversation}, {meta, "planStepId", &step}, {about, "id", &id}} {
		if *f.to, err = f.in.text(f.name); err != nil {
			return nil, err
		}
		if len(*f.to) > maxName || !plain(*f.to) {
			return nil, invalid("%s has at most %d bytes of text without control characters", f.name, maxName)
		}
	}
	q.CallID = step
	q.Header = grouped("", conversation, "")
	switch a := s.copilotAgent(c.Agent, id); {
	case a == nil || a.Name == c.Agent.Name:
	case c.Credential == teamToken || c.Credential == foreignToken:
		if a.Team == c.Agent.Team && a.Environment == c.Agent.Environment {
			q.Caller.Agent, q.Caller.Epoch = a, a.Epoch
		}
	default:
		q.Refused = errNoAgent
	}
	if q.Caller.Agent.Lifecycle == agent.Retired {
		return nil, fault.New(fault.KindDenied, "decision.denied", "the agent %s is retired", q.Caller.Agent.Name)
	}
	return q, toolCall(q)
}

// copilotAgent is the registered agent that has a Copilot Studio agent's id as an
// alias, rather one of the platform's team and environment; nil for none. Only a
// token or an outside issuer's credential, which is the platform's and not one
// agent's, may ask for it: an agent's own credential speaks for that agent alone.
func (s *Server) copilotAgent(platform *agent.Agent, id string) (found *agent.Agent) {
	if id == "" {
		return nil
	}
	for _, a := range s.o.Agents.List() {
		if a.Lifecycle == agent.Retired || !slices.ContainsFunc(a.Aliases, func(l agent.Alias) bool { return l.Kind == "agent_id" && l.Value == id }) {
			continue
		}
		if a.Name == platform.Name || a.Team == platform.Team && a.Environment == platform.Environment {
			return a
		}
		found = a
	}
	return found
}
