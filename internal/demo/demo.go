package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/examples/agentkit"
	"reeve/examples/modelserver"
	"reeve/examples/shop"
)

// Options shape a Demo. The zero value works.
type Options struct {
	Seed   uint64       // of history, tasks and answers [1]
	Days   int          // of history [30]; negative: none
	Out    io.Writer    // progress and banner; nil: none
	Logger *slog.Logger // nil: none
	Pace   float64      // scales the waiting of models, tools and agents [1]; tests hurry
}

// Endpoints are where the server listens.
type Endpoints struct {
	API  string // http://127.0.0.1:7300
	OTLP string // http://127.0.0.1:4318; "" uses API, which takes OTLP too
	Door string // http://127.0.0.1:7301; "": agents call their models directly
}

// Demo is a fleet beside a server. Safe for concurrent use.
type Demo struct {
	o      Options
	log    *slog.Logger
	people []person
	model  *modelserver.Server
	out    *outbox
	shop   *shop.Shop

	mu        sync.Mutex // guards what follows
	at        Endpoints  // empty until Run knows them
	ready     bool       // live agents are running
	playing   map[string]time.Time
	keys      map[place]string  // intake keys; "" where the server needs none
	agentKeys map[string]string // by agent: what it presents at the door
	agents    map[string]*liveAgent
	extra     *errgroup.Group // story runs
	ctx       context.Context // of Run: what a story starts must end with it
	models    string          // base URL of the scripted model
	tools     string          // base URL of the shop
}

// place is where an intake key writes to.
type place struct{ team, environment string }

// person is somebody to sign in as.
type person struct {
	name, title, password string
	roles                 []string
	team                  string   // for which the roles hold; "*": all
	teams                 []string // to which they belong
}

// New checks and wires; nothing starts.
func New(o Options) *Demo {
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Days == 0 {
		o.Days = 30
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Pace == 0 {
		o.Pace = 1
	}
	model := modelserver.Everyday(o.Seed)
	model.Pace = o.Pace
	d := &Demo{
		o: o, log: o.Logger, out: &outbox{}, model: modelserver.New(model), shop: shop.New(o.Seed, shop.Everyday(), o.Pace),
		playing: map[string]time.Time{}, keys: map[place]string{}, agentKeys: map[string]string{}, agents: map[string]*liveAgent{},
		people: []person{
			{name: "platform-engineer", title: "platform engineer", roles: []string{"admin", "reader", "developer", "security"}, team: "*", teams: []string{"platform"}},
			{name: "sre", title: "SRE", roles: []string{"responder", "approver", "reader"}, team: "*", teams: []string{"platform", "support"}},
			{name: "owner", title: "business owner", roles: []string{"viewer"}, team: "support", teams: []string{"support"}},
		},
	}
	for i := range d.people {
		d.people[i].password = newPassword(d.people[i].name)
	}
	return d
}

// newPassword makes one for this start only: a data folder that is kept must
// not hold accounts whose password is in a public source. Reeve refuses one
// that holds the account's name.
func newPassword(name string) string {
	for {
		if p := strings.ToLower(rand.Text()[:14]); !strings.Contains(p, name) {
			return p
		}
	}
}

// Run fills the server at the endpoints and keeps the live agents going until
// ctx ends. It returns nil then.
func (d *Demo) Run(ctx context.Context, at Endpoints) error {
	if at.OTLP == "" {
		at.OTLP = at.API
	}
	g, ctx := errgroup.WithContext(ctx)
	err := d.start(ctx, g, at)
	if err == nil {
		err = g.Wait()
	} else {
		err = errors.Join(err, context.Cause(ctx))
	}
	d.mu.Lock()
	extra := d.extra
	d.ready = false
	d.mu.Unlock()
	if extra != nil {
		_ = extra.Wait() // each has logged its own error
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (d *Demo) start(ctx context.Context, g *errgroup.Group, at Endpoints) error {
	begin := time.Now()
	d.say("Building the demo: six teams, three people, %d days of history of %d agents.", max(d.o.Days, 0), len(fleet))
	if err := waitReady(ctx, at); err != nil {
		return err
	}
	if err := d.settle(ctx, at); err != nil {
		return err
	}
	models, err := serve(ctx, g, d.model)
	if err != nil {
		return fmt.Errorf("starting the scripted model: %w", err)
	}
	tools, err := serve(ctx, g, d.shop.Handler())
	if err != nil {
		return fmt.Errorf("starting the shop: %w", err)
	}
	if err := d.govern(ctx, at, models, tools); err != nil {
		return err
	}
	sent := historyTotals{}
	if d.o.Days > 0 {
		if sent, err = d.sendHistory(ctx, at, time.Now()); err != nil {
			return fmt.Errorf("sending the history: %w", err)
		}
	}
	d.mu.Lock()
	d.at, d.ctx, d.models, d.tools, d.extra, d.ready = at, ctx, models, tools, &errgroup.Group{}, true
	d.mu.Unlock()
	if err := d.startLive(ctx, g); err != nil {
		return err
	}
	if at.Door != "" && d.o.Days > 0 {
		if err := d.objectives(ctx, at); err != nil {
			return err
		}
	}
	if at.Door != "" {
		if err := d.furnish(ctx, at, sent.said); err != nil {
			return err
		}
		if err := d.callPeople(ctx, g, at); err != nil {
			return err
		}
		if err := d.drills(ctx, g, at); err != nil {
			return err
		}
		g.Go(func() error { return d.judges(ctx, at) })
		// One question waits from the start, until somebody answers it.
		if err := d.refundHeld(ctx, d.extra, mathrand.New(mathrand.NewPCG(d.o.Seed, 1)), 24*time.Hour); err != nil {
			return err
		}
	}
	d.banner(sent, time.Since(begin))
	g.Go(func() error { <-ctx.Done(); return nil }) // without live agents Run still waits
	return nil
}

func (d *Demo) say(format string, args ...any) { fmt.Fprintf(d.o.Out, format+"\n", args...) }

// banner is what a visitor reads first: ten lines.
func (d *Demo) banner(h historyTotals, took time.Duration) {
	d.say("")
	d.say("  Reeve is at    %s    (ready after %.1f s)", d.at.API, took.Seconds())
	for i, p := range d.people {
		label := "                 "
		if i == 0 {
			label = "  Sign in as     "
		}
		d.say("%s%-18s password %s   the %s; or switch in the console", label, p.name, p.password, p.title)
	}
	if h.skipped {
		d.say("  Generated      history was here already; generated runs are marked so")
	} else {
		d.say("  Generated      %d runs, %d steps of %d agents in %d teams over %d days, marked as generated", h.runs, h.spans, len(fleet), len(teams), max(d.o.Days, 0))
	}
	through := "straight to"
	if d.at.Door != "" {
		through = "through the door at " + d.at.Door + " to"
	}
	d.say("  Live           refund-agent, research-agent, data-analyst, returns-nightly: real calls %s a scripted model, and MCP servers", through)
	d.say("  Look first at  Overview, then open a running run of refund-agent and watch it end")
	d.say("  Then play      reeve demo play rogue, and stop payout-helper on its page; refund, and answer it in the inbox; or outage, runaway (buttons are in the console)")
	d.say("  Your agent     OTEL_EXPORTER_OTLP_ENDPOINT=%s joins the fleet; no key is needed here", d.at.OTLP)
	d.say("  Stop           Ctrl-C; the data go with it unless you gave --data")
	d.say("")
}

// serve listens on a free loopback port until ctx ends.
func serve(ctx context.Context, g *errgroup.Group, h http.Handler) (base string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	g.Go(func() error {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.Close() // agents are told by the same context: nothing is worth waiting for
	})
	return "http://" + l.Addr().String(), nil
}

// env is where a live agent finds its world.
func (d *Demo) env(s agentkit.Spec) agentkit.Env {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := agentkit.Env{
		OpenAIURL: d.models + "/v1", OpenAIKey: "demo", AnthropicURL: d.models, AnthropicKey: "demo",
		OrdersURL: d.tools + "/orders", KBURL: d.tools + "/kb",
		Setup: agentkit.SetupOptions{Endpoint: d.at.OTLP},
	}
	d.through(&e, s.Service.Name)
	if key := d.keys[place{s.Service.Namespace, s.Service.Environment}]; key != "" {
		e.Setup.Headers = map[string]string{"Authorization": "Bearer " + key}
	}
	return e
}
