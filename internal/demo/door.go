package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"reeve/client"
	"reeve/examples/agentkit"
)

// rogueName is the agent that the story rogue is about.
const rogueName = "payout-helper"

// registered is an agent that calls through the door.
type registered struct {
	agent client.CreateAgentRequest
	to    string // production: promoted; "" stays a pilot
}

// governed are the live agents and the rogue, as their teams would register
// them.
func governed() []registered {
	var out []registered
	purpose := map[string]string{
		"refund-agent":    "answers questions about orders and gives money back",
		"research-agent":  "answers questions from the knowledge base",
		"data-analyst":    "answers questions about figures",
		"returns-nightly": "checks open returns at night",
	}
	autonomy := map[string]string{"research-agent": "read_only", "data-analyst": "read_only", heldName: "bounded", "returns-nightly": "bounded"}
	for _, s := range liveSpecs() {
		r := registered{agent: client.CreateAgentRequest{
			Name: s.Service.Name, Team: s.Service.Namespace, Environment: s.Service.Environment, Purpose: purpose[s.Service.Name],
			Mode: s.Mode, Autonomy: autonomy[s.Service.Name], Owner: "owner", Sponsor: "owner", Reason: "part of the demo",
		}}
		if s.Service.Environment == "production" {
			r.to = "production"
		}
		out = append(out, r)
	}
	return append(out, registered{agent: client.CreateAgentRequest{
		Name: rogueName, Team: "finance", Environment: "production", Purpose: "pays out small refunds that a person agreed to", Mode: "autonomous",
		Autonomy: "bounded", Owner: "owner", Sponsor: "owner", Reason: "part of the demo",
	}})
}

// govern names the upstreams and registers the live agents, so that their calls
// pass the door. Without a door they go straight to the models.
func (d *Demo) govern(ctx context.Context, at Endpoints, models, tools string) error {
	if at.Door == "" {
		return nil
	}
	for name, u := range map[string]client.PutUpstreamRequest{
		"openai":    {Kind: "llm", Dialect: "openai", URL: models, External: true, Credential: &client.Credential{Kind: "bearer", Source: "value", Value: "demo"}},
		"anthropic": {Kind: "llm", Dialect: "anthropic", URL: models, External: true, Fallback: []string{standby}, Credential: &client.Credential{Kind: "header", Header: "x-api-key", Source: "value", Value: "demo"}},
		// The same provider by another way: an outage of the provider is one of both.
		standby: {Kind: "llm", Dialect: "anthropic", URL: models, External: true, Credential: &client.Credential{Kind: "header", Header: "x-api-key", Source: "value", Value: "demo"}},
		"shop": {Kind: "http", URL: tools, Routes: []client.Route{
			{Method: "GET", Path: "/api/orders/{id}", Effect: "read"},
			{Method: "POST", Path: "/api/refunds", Effect: "write", Shows: client.Shows{Amount: []string{"/amount"}}},
		}},
		"kb":     {Kind: "mcp", URL: tools + "/kb"},
		"orders": {Kind: "mcp", URL: tools + "/orders"},
	} {
		u.Name, u.Team, u.Environment, u.Shared, u.AllowPrivate = name, "platform", "production", true, true
		var have client.Upstream
		if err := call(ctx, at, http.MethodGet, "/upstreams/"+name, nil, &have); err == nil {
			u.Revision = have.Revision // a folder that was kept: the servers have new ports
		}
		if err := call(ctx, at, http.MethodPut, "/upstreams/"+name, u, nil); err != nil {
			return fmt.Errorf("naming the upstream %s: %w", name, err)
		}
	}
	for _, r := range governed() {
		if err := d.register(ctx, at, r); err != nil {
			return fmt.Errorf("registering %s: %w", r.agent.Name, err)
		}
	}
	for _, server := range []string{"kb", "orders"} {
		if err := acceptTools(ctx, at, server); err != nil {
			return err
		}
	}
	return keepRefunds(ctx, at)
}

// largeRefunds is the support team's own rule. Of what an agent of autonomy
// bounded may write, this waits for a person.
const largeRefunds = `@id("large-refund") @hold("approvers") @reason("from 200 EUR on a person gives money back")
forbid (principal == Agent::"refund-agent", action == Action::"call_api", resource == Api::"shop POST /api/refunds")
unless { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").lessThan(decimal("200.0")) };
`

// keepRefunds makes that rule, and lets agents of autonomy bounded write as often
// as a support team works, which is more than the policy says that an
// installation begins with.
func keepRefunds(ctx context.Context, at Endpoints) error {
	in := client.PutPolicyRequest{Team: "support", Mode: "enforce", Cedar: largeRefunds, Reason: "part of the demo"}
	if err := call(ctx, at, http.MethodPut, "/policies/large-refunds", in, nil); err != nil && !conflict(err) {
		return fmt.Errorf("making the policy of large refunds: %w", err)
	}
	var bounded client.Policy
	if err := call(ctx, at, http.MethodGet, "/policies/bounded", nil, &bounded); err != nil {
		return fmt.Errorf("reading the policy of bounded agents: %w", err)
	}
	more := strings.Replace(bounded.Cedar, `@limit("60/h by agent")`, `@limit("600/h by agent")`, 1)
	if more == bounded.Cedar {
		return nil // a folder that was kept
	}
	in = client.PutPolicyRequest{Mode: bounded.Mode, Cedar: more, Revision: bounded.Revision, Reason: "support refunds all day"}
	if err := call(ctx, at, http.MethodPut, "/policies/bounded", in, nil); err != nil {
		return fmt.Errorf("changing the policy of bounded agents: %w", err)
	}
	return nil
}

// writes are the tools that change something; the others read.
var writes = map[string]bool{"issue_refund": true, "flag_order": true, "send_mail": true}

// acceptTools accepts what a server of tools offers: until somebody did, nobody
// may call them. The door lists a new server's within seconds.
func acceptTools(ctx context.Context, at Endpoints, upstream string, acknowledge ...string) error {
	var tools client.List[client.Tool]
	for until := time.Now().Add(20 * time.Second); len(tools.Items) == 0; {
		if err := call(ctx, at, http.MethodGet, "/tools?upstream="+upstream, nil, &tools); err != nil {
			return fmt.Errorf("listing the tools of %s: %w", upstream, err)
		}
		if len(tools.Items) > 0 {
			break
		}
		if time.Now().After(until) {
			return fmt.Errorf("the door lists no tools of %s", upstream)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	for _, t := range tools.Items {
		if t.State != "held" {
			continue
		}
		effect := "read"
		if writes[t.Name] {
			effect = "write"
		}
		in := client.AcceptToolRequest{Hash: t.Listed, Effect: effect, Acknowledge: acknowledge, Reason: "part of the demo"}
		if err := call(ctx, at, http.MethodPost, "/tools/"+upstream+"/"+t.Name+"/accept", in, nil); err != nil {
			return fmt.Errorf("accepting %s of %s: %w", t.Name, upstream, err)
		}
	}
	return nil
}

func (d *Demo) register(ctx context.Context, at Endpoints, r registered) error {
	name := r.agent.Name
	err := call(ctx, at, http.MethodPost, "/agents", r.agent, nil)
	if err != nil && !conflict(err) {
		return err
	}
	if err == nil && r.to != "" {
		if err := promote(ctx, at, name, r.to); err != nil {
			return err
		}
	}
	return d.newKey(ctx, at, name)
}

// promote takes an agent a step along. One whose history is being read is observed
// to be of another version every moment: it is looked at again, as a person would.
func promote(ctx context.Context, at Endpoints, name, to string) error {
	for range 20 {
		err := call(ctx, at, http.MethodPost, "/agents/"+name+"/promote", client.PromoteAgentRequest{To: to, Reason: "part of the demo", Ungated: to == "production"}, nil)
		var p *client.Problem
		if !errors.As(err, &p) || p.Code != "agent.conflict" {
			return err
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("promoting %s: it was of another version each time", name)
}

// newKey gives an agent a key for this start.
func (d *Demo) newKey(ctx context.Context, at Endpoints, name string) error {
	var key client.AgentKey
	if err := call(ctx, at, http.MethodPost, "/agents/"+name+"/keys", client.CreateAgentKeyRequest{Label: "demo", ExpiresIn: "7d"}, &key); err != nil {
		return fmt.Errorf("making a key of %s: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.agentKeys[name] = key.Key
	return nil
}

// through points an agent's model at the door, with the agent's own key instead
// of the provider's; with d.mu held.
func (d *Demo) through(e *agentkit.Env, name string) {
	key := d.agentKeys[name]
	if d.at.Door == "" || key == "" {
		return
	}
	e.OpenAIURL, e.OpenAIKey = d.at.Door+"/llm/openai/v1", key
	e.AnthropicURL, e.AnthropicKey = d.at.Door+"/llm/anthropic", key
	e.KBURL, e.KBKey = d.at.Door+"/mcp/kb", key
	e.OrdersURL, e.OrdersKey = d.at.Door+"/mcp/orders", key
}

// released makes an agent that a story stopped before able to call again: its
// stops are lifted, and it gets a new key, since the old ones stay dead.
func (d *Demo) released(ctx context.Context, at Endpoints, name string) error {
	var stops client.List[client.Stop]
	if err := call(ctx, at, http.MethodGet, "/stops?active=true&limit=1000", nil, &stops); err != nil {
		return err
	}
	for _, s := range stops.Items {
		if s.Target.Kind == "agent" && s.Target.Value == name {
			if err := call(ctx, at, http.MethodPost, "/stops/"+s.ID+"/lift", client.LiftStopRequest{Reason: "the story begins anew"}, nil); err != nil {
				return err
			}
		}
	}
	var a client.Agent
	if err := call(ctx, at, http.MethodGet, "/agents/"+name, nil, &a); err != nil {
		return err
	}
	if a.Lifecycle == "retired" {
		return &client.Problem{Status: http.StatusConflict, Code: "demo.retired", Title: "retired", Detail: name + " was retired, which is for good", Hint: "start the demo anew"}
	}
	if a.Containment != "none" {
		err := call(ctx, at, http.MethodPost, "/agents/"+name+"/release", client.AgentReasonRequest{Reason: "the story begins anew"}, nil)
		if err != nil {
			return err
		}
	}
	return d.newKey(ctx, at, name)
}

var errNoDoor = errors.New("this demo has no door: start it with --gateway-listen")
