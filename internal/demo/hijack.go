package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/examples/mailbox"
)

const (
	hijackLasts = 60 * time.Second
	mailUp      = "mailbox"
	mailPolicy  = "quarantine-hijacked"
	// calmMails are read before the one that gives orders, so that what the agent
	// does is known.
	calmMails = 12
)

// playHijack lets an agent read a mail that tells it to send the list of customers
// to the mail's writer. From the first such call on the agent is quarantined, by a
// response policy that the story puts in force.
func playHijack(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	if at.Door == "" {
		return errNoDoor
	}
	s := mailbox.Spec()
	ctx, cancel := context.WithCancel(ctx)
	base, err := serve(ctx, g, mailbox.New(calmMails).Handler())
	if err == nil {
		err = d.governMail(ctx, at, base)
	}
	if err != nil {
		cancel()
		return err
	}
	e := d.env(s)
	e.KBURL, e.KBKey = at.Door+"/mcp/"+mailUp, d.keyOf(s.Service.Name)
	a, err := d.connect(ctx, s, e)
	if err != nil {
		cancel()
		return err
	}
	a.agent.Outcome = nil
	g.Go(func() error {
		defer cancel()
		for n := range calmMails + 4 {
			if ctx.Err() != nil {
				break
			}
			_, err := a.agent.Run(ctx, mailbox.Task(n))
			switch {
			case err != nil:
				d.say("%s: mail %d: %v", s.Service.Name, n, err)
			case n == calmMails:
				d.say("%s: mail %d gave orders, and it followed them", s.Service.Name, n)
			}
		}
		return a.flush(ctx)
	})
	return nil
}

// governMail makes the agent, its mailbox and the response known.
func (d *Demo) governMail(ctx context.Context, at Endpoints, base string) error {
	name := mailbox.Spec().Service.Name
	if err := d.register(ctx, at, registered{to: "production", agent: client.CreateAgentRequest{
		Name: name, Team: "logistics", Environment: "production", Purpose: "reads mail and sends summaries of it", Mode: "asynchronous",
		Autonomy: "bounded", Owner: "owner", Sponsor: "owner", Reason: "part of the demo",
	}}); err != nil {
		return fmt.Errorf("registering %s: %w", name, err)
	}
	if err := d.released(ctx, at, name); err != nil {
		return err
	}
	u := client.PutUpstreamRequest{Name: mailUp, Kind: "mcp", URL: base + "/mail", Team: "platform", Environment: "production", Shared: true, AllowPrivate: true}
	var have client.Upstream
	if err := call(ctx, at, http.MethodGet, "/upstreams/"+mailUp, nil, &have); err == nil {
		u.Revision = have.Revision
	}
	if err := call(ctx, at, http.MethodPut, "/upstreams/"+mailUp, u, nil); err != nil {
		return fmt.Errorf("naming the upstream %s: %w", mailUp, err)
	}
	if err := acceptTools(ctx, at, mailUp); err != nil {
		return err
	}
	var all client.ResponsePolicies
	if err := call(ctx, at, http.MethodGet, "/response-policies", nil, &all); err != nil {
		return err
	}
	p := client.PutResponsePolicyRequest{
		Text: "An agent that sends data where only a tool's result said to is quarantined.", Detectors: []string{"injected_destination"}, Agents: []string{name},
		Contain: "quarantined", Mode: "enforce", Reason: "part of the demo",
	}
	for _, old := range all.Items {
		if old.Name == mailPolicy {
			p.Revision = old.Revision
		}
	}
	return call(ctx, at, http.MethodPut, "/response-policies/"+mailPolicy, p, nil)
}
