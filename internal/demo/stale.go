package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/examples/advisor"
	"reeve/examples/agentkit"
	"reeve/examples/warehouse"
)

// staleLasts is how long it takes from the first question to the lesson.
const staleLasts = 150 * time.Second

// advised is how many questions it gets, and how many customers ask at a time.
const (
	advised   = 24
	customers = 3
)

// advice is one warehouse with the agent that answers from it.
type advice struct {
	agent  string
	schema string // of the warehouse: its tables are schema.table
	seed   uint64
	fault  bool // today's load is skipped
	right  bool // people put it right afterwards
}

// playStale lets an agent answer from a table that was not loaded today, because
// its job was skipped: the policy changed, and the table did not.
func playStale(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	return d.advise(ctx, g, advice{agent: "policy-advisor", schema: "shop", seed: r.Uint64(), fault: true, right: true})
}

// advise registers what the story needs (an agent, the server of its tool, the
// source with its greatest age), reports the jobs of four days, and lets customers
// ask. A downstream check knows what the shop decided and reports each outcome.
func (d *Demo) advise(ctx context.Context, g *errgroup.Group, o advice) error {
	d.mu.Lock()
	at, lineageKey := d.at, d.keys[place{"support", "production"}]
	d.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	house := warehouse.New(o.schema, o.seed, warehouse.Faults{SkipLoad: o.fault})
	base, err := serve(ctx, g, house.Handler())
	if err == nil {
		err = house.Load(ctx, at.API, lineageKey, time.Now())
	}
	if err == nil {
		err = d.mayBe(ctx, at, house.Table(), "24h")
	}
	s := advisor.Spec(o.agent, house.Table())
	if err == nil && at.Door != "" {
		err = d.governAdvisor(ctx, at, s, o, base)
	}
	if err != nil {
		cancel()
		return err
	}
	e := d.env(s)
	if key := d.keyOf(o.agent); at.Door != "" && key != "" {
		e.KBURL, e.KBKey = at.Door+"/mcp/"+o.schema+"-warehouse", key
	} else {
		e.KBURL = base + "/warehouse"
	}
	a, err := d.connect(ctx, s, e)
	if err != nil {
		cancel()
		return err
	}
	a.agent.Outcome = func(t agentkit.Task, res agentkit.Result) string { return checked(house, t, res) }
	g.Go(func() error {
		defer cancel()
		d.ask(ctx, a, advised, o.seed)
		if err := a.flush(ctx); err != nil || !o.right || at.Door == "" {
			return err
		}
		if err := d.putRight(ctx, a, house, at, lineageKey); err != nil && ctx.Err() == nil {
			d.say("%s: the story could not be played to its end: %v", o.agent, err)
		}
		return a.flush(ctx)
	})
	return nil
}

// checked is what the downstream check says of an answer: it knows what the shop
// decided today.
func checked(house *warehouse.Warehouse, t agentkit.Task, res agentkit.Result) string {
	words := strings.Fields(strings.TrimRight(t.Prompt, "?. "))
	if len(words) == 0 || strings.Contains(res.Answer, "A colleague") {
		return ""
	}
	if strings.Contains(res.Answer, fmt.Sprintf(" %d days", house.Right(words[len(words)-1]))) {
		return "resolved"
	}
	return "failed"
}

// ask lets customers ask n questions.
func (d *Demo) ask(ctx context.Context, a *liveAgent, n int, seed uint64) {
	questions := make(chan agentkit.Task, n)
	r := rand.New(rand.NewPCG(seed, 3))
	for range n {
		questions <- a.spec.Task(r)
	}
	close(questions)
	var all errgroup.Group
	for range customers {
		all.Go(func() error {
			for t := range questions {
				d.runTask(ctx, a, t)
			}
			return nil
		})
	}
	_ = all.Wait() // runTask has logged what went wrong
	d.say("%s: answered %d questions.", a.agent.Name, n)
}

func (d *Demo) keyOf(agent string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.agentKeys[agent]
}

// governAdvisor makes the agent and the server of its tool known to the door.
func (d *Demo) governAdvisor(ctx context.Context, at Endpoints, s agentkit.Spec, o advice, base string) error {
	r := registered{to: "production", agent: client.CreateAgentRequest{
		Name: o.agent, Team: s.Service.Namespace, Environment: s.Service.Environment, Purpose: "tells customers how long they may return something",
		Mode: s.Mode, Autonomy: "read_only", Owner: "owner", Sponsor: "owner", Reason: "part of the demo",
	}}
	if err := d.register(ctx, at, r); err != nil {
		return fmt.Errorf("registering %s: %w", o.agent, err)
	}
	name := o.schema + "-warehouse"
	u := client.PutUpstreamRequest{Name: name, Kind: "mcp", URL: base + "/warehouse", Team: "platform", Environment: "production", Shared: true, AllowPrivate: true}
	var have client.Upstream
	if err := call(ctx, at, http.MethodGet, "/upstreams/"+name, nil, &have); err == nil {
		u.Revision = have.Revision
	}
	if err := call(ctx, at, http.MethodPut, "/upstreams/"+name, u, nil); err != nil {
		return fmt.Errorf("naming the upstream %s: %w", name, err)
	}
	return acceptTools(ctx, at, name, "shadows") // each warehouse has the same tool
}

// mayBe says how old a table may be, of the source that lineage made of it.
func (d *Demo) mayBe(ctx context.Context, at Endpoints, table, age string) error {
	var all client.List[client.Source]
	if err := call(ctx, at, http.MethodGet, "/sources", nil, &all); err != nil {
		return err
	}
	i := slices.IndexFunc(all.Items, func(s client.Source) bool { return s.Dataset == table })
	if i < 0 {
		return fmt.Errorf("lineage told nothing of the table %s", table)
	}
	s := all.Items[i]
	return call(ctx, at, http.MethodPut, "/sources/"+url.PathEscape(s.Name), client.PutSourceRequest{
		Kind: s.Kind, Namespace: s.Namespace, Dataset: s.Dataset, Team: s.Team, Owner: "owner", Description: "Return policies by category, loaded every day.",
		Trusted: true, MaxAge: age, Revision: s.Revision,
	}, nil)
}
