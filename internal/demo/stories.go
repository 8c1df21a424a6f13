package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/examples/shop"
)

// story is something that goes wrong, to be replayed at any time.
type story struct {
	name, title string
	lasts       time.Duration
	door        bool // needs one
	play        func(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error
}

func stories() []story {
	return []story{
		{"outage", "Model provider fails with 529 for 90 s; agents retry", 90 * time.Second, false, playOutage},
		{"refund", "An agent asks for a large refund; a person answers in the inbox", refundLasts, true, playRefund},
		{"rogue", "An agent refunds order after order; stop it", rogueLasts, true, playRogue},
		{"hijack", "A mail tells an agent to send customers' data away; it is quarantined", hijackLasts, true, playHijack},
		{"stale-data", "A job is skipped, an agent answers wrongly, people put it right, and a lesson is learned", staleLasts, false, playStale},
		{"runaway", "An agent loops on one tool with growing context", 2 * time.Minute, false, playRunaway},
	}
}

// playOutage makes the provider answer 529. Extra tasks make sure that somebody
// is asking while it lasts.
func playOutage(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	d.model.Outage(529, time.Now().Add(time.Duration(d.o.Pace*float64(90*time.Second))))
	for _, name := range []string{"refund-agent", "research-agent", "refund-agent", "data-analyst"} {
		d.mu.Lock()
		a := d.agents[name]
		d.mu.Unlock()
		t := a.spec.Task(r)
		g.Go(func() error { d.runTask(ctx, a, t); return nil })
	}
	return nil
}

// playRunaway gives a research agent a knowledge base whose index is broken:
// every search promises one more page. The agent believes it.
func playRunaway(d *Demo, ctx context.Context, g *errgroup.Group, r *rand.Rand) error {
	broken := shop.New(d.o.Seed, shop.Faults{EndlessSearch: true}, d.o.Pace)
	ctx, cancel := context.WithCancel(ctx)
	base, err := serve(ctx, g, broken.Handler())
	if err != nil {
		cancel()
		return err
	}
	s := liveSpecs()[1]
	e := d.env(s)
	e.KBURL = base + "/kb"
	a, err := d.connect(ctx, s, e)
	if err != nil {
		cancel()
		return err
	}
	g.Go(func() error {
		defer cancel()
		d.runTask(ctx, a, s.Task(r))
		return a.flush(ctx)
	})
	return nil
}

// Play starts a story. It is refused while the same one is still playing, or
// before the live agents run.
func (d *Demo) Play(name string) (until time.Time, err error) {
	for _, s := range stories() {
		if s.name != name {
			continue
		}
		d.mu.Lock()
		if !d.ready {
			d.mu.Unlock()
			return until, &client.Problem{Status: http.StatusServiceUnavailable, Code: "demo.building", Title: "not ready", Detail: "the demo is still being built", Hint: "try again in a few seconds"}
		}
		if until = d.playing[name]; time.Now().Before(until) {
			d.mu.Unlock()
			return until, &client.Problem{Status: http.StatusConflict, Code: "demo.playing", Title: "already playing", Detail: "the story " + name + " is still playing", Hint: "it ends at " + until.Format(time.TimeOnly)}
		}
		until = time.Now().Add(time.Duration(d.o.Pace * float64(s.lasts)))
		d.playing[name] = until
		ctx, g := d.ctx, d.extra
		d.mu.Unlock()
		if err := s.play(d, ctx, g, rand.New(rand.NewPCG(d.o.Seed, uint64(until.UnixNano())))); err != nil {
			return until, fmt.Errorf("playing %s: %w", name, err)
		}
		d.say("Playing %s: %s.", s.name, s.title)
		return until, nil
	}
	return until, &client.Problem{Status: http.StatusNotFound, Code: "demo.unknown_story", Title: "no such story", Detail: fmt.Sprintf("there is no story %q", name), Hint: "hijack, outage, refund, rogue, runaway and stale-data are there"}
}

// playAdvice plays the story of the stale table with a warehouse and an agent of
// its own, with or without the fault: `reeve bench why` counts whether the cause is
// found.
func (d *Demo) playAdvice(seed uint64, fault bool) error {
	d.mu.Lock()
	ready, ctx, g := d.ready, d.ctx, d.extra
	d.mu.Unlock()
	if !ready {
		return &client.Problem{Status: http.StatusServiceUnavailable, Code: "demo.building", Title: "not ready", Detail: "the demo is still being built", Hint: "try again in a few seconds"}
	}
	return d.advise(ctx, g, advice{agent: fmt.Sprint("advisor-", seed), schema: fmt.Sprint("shop", seed), seed: seed, fault: fault})
}

// Handler answers POST /x/demo/play/{story}, POST /x/demo/advise/{seed} and POST /x/demo/become/{person}.
// The answer to the second is the API's answer to a sign-in, cookie included.
func (d *Demo) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /x/demo/play/{story}", func(w http.ResponseWriter, r *http.Request) {
		until, err := d.Play(r.PathValue("story"))
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusAccepted, map[string]any{"story": r.PathValue("story"), "until": until.UTC().Format(time.RFC3339)})
	})
	mux.HandleFunc("POST /x/demo/advise/{seed}", func(w http.ResponseWriter, r *http.Request) {
		seed, err := strconv.ParseUint(r.PathValue("seed"), 10, 32)
		if err != nil {
			err = &client.Problem{Status: http.StatusBadRequest, Code: "demo.seed", Title: "no seed", Detail: "a seed is a number"}
		} else {
			err = d.playAdvice(seed, r.URL.Query().Get("fault") != "none")
		}
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusAccepted, map[string]any{"agent": fmt.Sprint("advisor-", seed), "job": fmt.Sprintf("dbt/model.shop%d.return_policy", seed)})
	})
	mux.HandleFunc("POST /x/demo/become/{person}", func(w http.ResponseWriter, r *http.Request) {
		in, cookies, err := d.become(r.Context(), r.PathValue("person"))
		if err != nil {
			refuse(w, err)
			return
		}
		for _, c := range cookies {
			w.Header().Add("Set-Cookie", c)
		}
		answer(w, http.StatusOK, in)
	})
	// Another page in the visitor's browser must not press these buttons.
	return http.NewCrossOriginProtection().Handler(mux)
}

func (d *Demo) become(ctx context.Context, name string) (in client.SignedIn, cookies []string, err error) {
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	if at.API == "" {
		return in, nil, &client.Problem{Status: http.StatusServiceUnavailable, Code: "demo.building", Title: "not ready", Detail: "the demo is still being built", Hint: "try again in a few seconds"}
	}
	for _, p := range d.people {
		if p.name == name {
			h, err := callHeader(ctx, at, http.MethodPost, "/sign-ins", client.SignInRequest{Name: p.name, Password: p.password}, &in)
			if err != nil {
				return in, nil, err
			}
			return in, h.Values("Set-Cookie"), nil
		}
	}
	return in, nil, &client.Problem{Status: http.StatusNotFound, Code: "demo.unknown_person", Title: "no such person", Detail: fmt.Sprintf("the demo has no %q", name)}
}

func refuse(w http.ResponseWriter, err error) {
	p, ok := err.(*client.Problem)
	if !ok {
		p = &client.Problem{Status: http.StatusInternalServerError, Code: "demo.failed", Title: "the demo could not do that", Detail: err.Error()}
	}
	answer(w, p.Status, p)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser has gone away: nobody to tell
}

// Notices are what the console shows of the demo: who to be, what to play.
func (d *Demo) Notices() []client.Notice {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.ready {
		return []client.Notice{{ID: "demo-building", Title: "The demo is being built", Text: "Thirty days of history are on their way through the intake."}}
	}
	who := client.Notice{
		ID: "demo-people", Title: "This is a demo",
		Text: "History is generated and marked so; refund-agent, research-agent, data-analyst and returns-nightly are live. " +
			"Send your own agent to " + d.at.OTLP + ".",
	}
	for _, p := range d.people {
		who.Actions = append(who.Actions, client.NoticeAction{Label: "Be the " + p.title, Method: http.MethodPost, Path: "/x/demo/become/" + p.name})
	}
	play := client.Notice{
		ID: "demo-stories", Title: "Make something go wrong",
		Links: []client.NoticeLink{{Label: "Runs that failed", Path: "/runs?q=failed%3Atrue"}},
	}
	if d.at.Door != "" {
		play.Links = append(play.Links, client.NoticeLink{Label: "What was sent out", Path: "/demo/outbox", Beside: true}, client.NoticeLink{Label: "The rogue's page", Path: "/agents/" + rogueName})
	}
	for _, s := range stories() {
		if s.door && d.at.Door == "" {
			continue
		}
		if until := d.playing[s.name]; time.Now().Before(until) {
			play.Text += fmt.Sprintf("Playing %s until %s. ", s.name, until.Format(time.TimeOnly))
		}
		play.Actions = append(play.Actions, client.NoticeAction{Label: s.title, Method: http.MethodPost, Path: "/x/demo/play/" + s.name})
	}
	return []client.Notice{who, play}
}
