package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/examples/agentkit"
	"reeve/examples/research"
)

const (
	standby    = "anthropic-standby" // what stands in for the upstream anthropic
	drillCases = "research-questions"
	drillName  = "anthropic-down"
)

// drills make the research agent one that can be tested: it is invoked with the questions of
// a data set, each night with its model's upstream taken as down.
func (d *Demo) drills(ctx context.Context, g *errgroup.Group, at Endpoints) error {
	spec := research.Spec()
	name := spec.Service.Name
	here, err := serve(ctx, g, invocation{d, spec})
	if err != nil {
		return fmt.Errorf("starting the door to the research agent: %w", err)
	}
	target := client.PutInvokeTargetRequest{
		Kind: "http", URL: here, AllowPrivate: true, Body: `{"message": "{{input}}", "token": "{{token}}"}`, Answer: "/reply", Sandbox: []string{"kb"}, Local: spec.Tools, TimeoutS: 120,
	}
	var have client.InvokeTarget
	if err := call(ctx, at, http.MethodGet, "/agents/"+name+"/invoke", nil, &have); err == nil {
		target.Revision = have.Revision // a folder that was kept: it has a new port
	}
	if err := call(ctx, at, http.MethodPut, "/agents/"+name+"/invoke", target, nil); err != nil {
		return fmt.Errorf("saying how %s is invoked: %w", name, err)
	}
	err = call(ctx, at, http.MethodPut, "/datasets/"+drillCases, client.PutDatasetRequest{Team: spec.Service.Namespace, Environment: spec.Service.Environment, About: "What the knowledge base has an answer to."}, nil)
	if conflict(err) {
		return nil // a folder that was kept has the rest, too
	}
	if err != nil {
		return fmt.Errorf("making the data set %s: %w", drillCases, err)
	}
	for _, question := range []string{
		"When does prompt caching pay off?", "How should tools for agents report errors?", "Which latency do users accept from agents?",
		"What did we learn from the carrier outage?", "How are token costs allocated between teams?", "What makes a handover to people work?",
	} {
		item := client.AddDatasetItemRequest{Input: []client.ChatMessage{{Role: "user", Content: question}}, Contains: []string{"in short"}}
		if err := call(ctx, at, http.MethodPost, "/datasets/"+drillCases+"/items", item, nil); err != nil {
			return fmt.Errorf("adding a case to %s: %w", drillCases, err)
		}
	}
	err = call(ctx, at, http.MethodPut, "/drills/"+drillName, client.PutDrillRequest{
		Agent: name, Upstream: "anthropic", Dataset: drillCases, Tolerance: .3, At: "04:30", Zone: "Europe/Berlin",
	}, nil)
	if err == nil {
		err = call(ctx, at, http.MethodPost, "/drills/"+drillName+"/run", nil, nil)
	}
	if err != nil {
		return fmt.Errorf("setting the drill %s: %w", drillName, err)
	}
	return nil
}

// invocation is an agent's address for tests: it works on what it is given with the test's
// own token in place of its key, and tells no telemetry of it.
type invocation struct {
	demo *Demo
	spec agentkit.Spec
}

const maxInvocation = 64 << 10

// ServeHTTP implements http.Handler.
func (i invocation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Message, Token string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxInvocation)).Decode(&in); err != nil || in.Token == "" {
		http.Error(w, "a message and a token are needed", http.StatusBadRequest)
		return
	}
	answer, err := i.work(r.Context(), in.Message, in.Token)
	if err != nil {
		http.Error(w, "the agent has no answer", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"reply": answer}) // who asked may be gone
}

// work asks the model and calls the tools that it names, until it answers.
func (i invocation) work(ctx context.Context, prompt, token string) (string, error) {
	s := &i.spec
	i.demo.mu.Lock()
	door := i.demo.at.Door
	i.demo.mu.Unlock()
	tools, err := agentkit.ConnectTools(ctx, s.Service.Name, agentkit.ToolServer{URL: door + "/mcp/kb", Key: token})
	if err != nil {
		return "", err
	}
	defer func() { _ = tools.Close() }() // its sessions end with the test anyhow
	model := agentkit.Model{Provider: s.Provider, BaseURL: door + "/llm/anthropic", Key: token, Name: s.Model, MaxTokens: s.MaxTokens}
	history := []agentkit.Message{{Role: "user", Content: prompt}}
	offered := tools.Only(s.Tools...)
	for range s.MaxTurns {
		reply, err := model.Ask(ctx, s.System, history, offered.Defs)
		for try := 0; err != nil && try < 3 && ctx.Err() == nil; try++ {
			if pause(ctx, 500*time.Millisecond) == nil {
				reply, err = model.Ask(ctx, s.System, history, offered.Defs)
			}
		}
		if err != nil {
			return "", err
		}
		history = append(history, reply.Message)
		if len(reply.Message.ToolCalls) == 0 {
			return reply.Message.Content, nil
		}
		for _, c := range reply.Message.ToolCalls {
			text, err := offered.Call(ctx, c)
			if err != nil && text == "" {
				text = "error: " + err.Error()
			}
			history = append(history, agentkit.Message{Role: "tool", ToolCallID: c.ID, Content: text})
		}
	}
	return "", errors.New("it took too many turns")
}

// tryCheaper puts recorded runs of the refund agent to a cheaper model, once there are some.
func (d *Demo) tryCheaper(ctx context.Context, at Endpoints) error {
	var before client.List[client.Experiment]
	if err := call(ctx, at, http.MethodGet, "/experiments?kind=proof&limit=1", nil, &before); err != nil || len(before.Items) > 0 {
		return err
	}
	for range 40 {
		var runs client.List[client.Run]
		if err := call(ctx, at, http.MethodGet, "/runs?agent="+heldName+"&status=done&from=-1h&limit=20", nil, &runs); err != nil {
			return fmt.Errorf("listing runs of %s: %w", heldName, err)
		}
		if len(runs.Items) >= 8 {
			break
		}
		if pause(ctx, 6*time.Second) != nil {
			return nil
		}
	}
	in := client.StartExperimentRequest{Agent: heldName, Kind: "proof", Evaluators: []string{"no-leaks"}, Proof: &client.Proof{Upstream: "openai", Model: "gpt-4.1-nano", Runs: 20}, Note: "part of the demo"}
	if err := call(ctx, at, http.MethodPost, "/experiments", in, nil); err != nil {
		return fmt.Errorf("trying a cheaper model: %w", err)
	}
	return nil
}
