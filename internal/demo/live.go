package demo

import (
	"context"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/examples/agentkit"
	"reeve/examples/analyst"
	"reeve/examples/nightly"
	"reeve/examples/research"
	"reeve/examples/support"
)

// liveAgent is one running example. Its agent is safe for concurrent use: a
// story may give it extra tasks.
type liveAgent struct {
	spec  agentkit.Spec
	agent *agentkit.Agent
	close func(context.Context) error
}

func liveSpecs() []agentkit.Spec {
	return []agentkit.Spec{support.Spec(), research.Spec(), analyst.Spec(), nightly.Spec()}
}

// startLive connects the four agents and lets each work at its own pace.
func (d *Demo) startLive(ctx context.Context, g *errgroup.Group) error {
	for i, s := range liveSpecs() {
		a, err := d.connect(ctx, s, d.env(s))
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.agents[s.Service.Name] = a
		d.mu.Unlock()
		g.Go(func() error {
			d.work(ctx, a, rand.New(rand.NewPCG(d.o.Seed, uint64(100+i))))
			return a.flush(ctx)
		})
	}
	return nil
}

func (d *Demo) connect(ctx context.Context, s agentkit.Spec, e agentkit.Env) (*liveAgent, error) {
	agent, closeAgent, err := s.Start(ctx, e)
	if err != nil {
		return nil, err
	}
	agent.Outcome = told
	return &liveAgent{spec: s, agent: agent, close: closeAgent}, nil
}

// told stands for what a customer or a back office says of a run afterwards: by
// the words of the task, in the shares of the history. Work that nobody waits
// for has nobody who says so.
func told(t agentkit.Task, _ agentkit.Result) string {
	if t.User == "" && t.Session == "" {
		return ""
	}
	h := fnv.New32a()
	for _, s := range []string{t.Session, t.User, t.Prompt} {
		_, _ = io.WriteString(h, s)
	}
	return outcomes[h.Sum32()%uint32(len(outcomes))]
}

// flush sends what is left after ctx has ended; the server may be gone already,
// which loses nothing that anybody waits for.
func (a *liveAgent) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = a.close(ctx)
	return nil
}

// calm stretches the live agents' waits: beside the history's rate of a few
// runs a minute four busy agents would be a wall at its end, and the laptop's fan.
const calm = 4

// work gives an agent task after task: the first at once, then with waits that
// are exponential around its mean, as arrivals are.
func (d *Demo) work(ctx context.Context, a *liveAgent, r *rand.Rand) {
	wait := time.Duration(r.Float64() * d.o.Pace * float64(2*time.Second))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		d.runTask(ctx, a, a.spec.Task(r))
		wait = time.Duration(min(r.ExpFloat64(), 3) * calm * d.o.Pace * float64(a.spec.Every))
	}
}

// runTask runs one task. A run that fails is what a demo is for: it is on the
// screen, and only a debug line here.
func (d *Demo) runTask(ctx context.Context, a *liveAgent, t agentkit.Task) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if _, err := a.agent.Run(ctx, t); err != nil && ctx.Err() == nil {
		d.log.Debug("demo run failed", "agent", a.agent.Name, "err", err)
	}
}
