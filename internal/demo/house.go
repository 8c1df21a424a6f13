package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/examples/warehouse"
)

// strangers are the agents of the fleet that nobody registered, as there are in
// every house.
var strangers = []string{"incident-scribe", "survey-coder", "damage-assessor", "onboarding-buddy"}

// autonomyOf is how far agents of a kind of work may go; the others only read.
var autonomyOf = map[string]string{"refund": "bounded", "matching": "bounded", "triage": "bounded", "returns": "bounded"}

// furnish makes what a house has around its agents: their registrations, what they
// read, and what users said of them.
func (d *Demo) furnish(ctx context.Context, at Endpoints, said []opinion) error {
	if err := d.registerFleet(ctx, at); err != nil {
		return err
	}
	if err := d.house(ctx, at, time.Now()); err != nil {
		return err
	}
	return d.tell(ctx, at, said)
}

// registerFleet registers the agents of the history, as their owners did: they do
// not call through the door, so that they are observed.
func (d *Demo) registerFleet(ctx context.Context, at Endpoints) error {
	for i := range fleet {
		m := &fleet[i]
		if slices.Contains(strangers, m.name) {
			continue
		}
		w := works[m.work]
		autonomy := autonomyOf[m.work]
		if autonomy == "" {
			autonomy = "read_only"
		}
		err := call(ctx, at, http.MethodPost, "/agents", client.CreateAgentRequest{
			Name: m.name, Team: m.team, Environment: m.environment, Purpose: purposes[m.work], Mode: w.mode, Autonomy: autonomy,
			Enforcement: "observe", Owner: "owner", Sponsor: "owner", Labels: map[string]string{"framework": m.framework}, Reason: "part of the demo",
		}, nil)
		if conflict(err) { // a live one, or a folder that was kept
			continue
		}
		if err == nil && m.environment == "production" {
			err = promote(ctx, at, m.name, "production")
		}
		if err != nil {
			return fmt.Errorf("registering %s: %w", m.name, err)
		}
	}
	return nil
}

// purposes say in a sentence what each kind of work is for.
var purposes = map[string]string{
	"orders":   "tells customers where their orders are",
	"refund":   "answers questions about orders and gives money back",
	"triage":   "sends each request to whom it belongs",
	"writing":  "drafts texts that a person sends",
	"research": "answers questions from documents",
	"checking": "checks what others did against the rules",
	"coding":   "sorts records into categories",
	"query":    "answers questions about figures",
	"matching": "matches records that belong together",
	"returns":  "checks open returns at night",
}

// house is what agents read from: two tables that are loaded every night, and a
// handbook that nobody has crawled for a while.
func (d *Demo) house(ctx context.Context, at Endpoints, now time.Time) error {
	for _, schema := range []string{"crm", "stock"} {
		w := warehouse.New(schema, d.o.Seed, warehouse.Faults{})
		if err := w.Load(ctx, at.API, d.keyOfPlace(place{"data", "production"}), now); err != nil {
			return fmt.Errorf("telling of the table %s: %w", w.Table(), err)
		}
		if err := d.mayBe(ctx, at, w.Table(), "36h"); err != nil {
			return err
		}
	}
	err := call(ctx, at, http.MethodPut, "/sources/"+url.PathEscape("handbook"), client.PutSourceRequest{
		Kind: "corpus", Team: "support", Owner: "owner", Description: "What support may promise, crawled from the intranet.", Trusted: true, WarnAge: "720h", MaxAge: "1440h",
	}, nil)
	if err != nil && !conflict(err) {
		return fmt.Errorf("registering the handbook: %w", err)
	}
	crawled := now.Add(-41 * 24 * time.Hour)
	docs := client.SourceDocuments{}
	for i, title := range []string{"Refunds", "Warranty", "Returns by post", "Damaged parcels", "Vouchers"} {
		docs.Documents = append(docs.Documents, client.SourceDocument{ID: fmt.Sprintf("handbook/%d", i+1), Version: "3", CrawledAt: crawled, Title: title})
	}
	if _, err := callWith(ctx, at, d.keyOfPlace(place{"support", "production"}), http.MethodPost, "/sources/handbook/documents", docs, nil); err != nil {
		return fmt.Errorf("telling of the handbook's documents: %w", err)
	}
	return worth(ctx, at)
}

// worth says what runs are worth, as the owner believes.
func worth(ctx context.Context, at Endpoints) error {
	is := func(low, value, high float64) client.Assumption {
		return client.Assumption{Low: low, Value: value, High: high}
	}
	err := call(ctx, at, http.MethodPut, "/value/assumptions", client.ValueAssumptions{
		Hour:   is(38, 45, 55),
		Tasks:  map[string]client.TaskWorth{"": {Minutes: is(3, 6, 9)}},
		Harm:   map[string]client.Assumption{"failed": is(1, 4, 12), "abandoned": is(0, 1, 3), "escalated": is(0, .5, 1)},
		Source: "finance, measured on 200 tickets", Reason: "part of the demo",
	}, nil)
	if err != nil && !conflict(err) {
		return fmt.Errorf("saying what runs are worth: %w", err)
	}
	return nil
}

func (d *Demo) keyOfPlace(p place) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.keys[p]
}

// judges are what looks at the live agents' answers, without a model. They begin
// once no more runs of the history end: its texts are made of parts that do not
// follow from each other.
func (d *Demo) judges(ctx context.Context, at Endpoints) error {
	tick := time.NewTicker(6 * time.Second)
	defer tick.Stop()
	history := url.QueryEscape(time.Now().Add(-9 * time.Minute).UTC().Format(time.RFC3339)) // its runs began earlier
	for before, round := -1, 0; round < 30; round++ {
		var running client.List[client.Run]
		err := call(ctx, at, http.MethodGet, "/runs?status=running&from=-720h&limit=1000&to="+history, nil, &running)
		if n := len(running.Items); err == nil && n < 1000 && n == before {
			break // some senders of the history died before their root left: they stay
		} else if err == nil {
			before = n
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	for name, e := range map[string]client.PutEvaluatorRequest{
		"grounded":   {Kind: "groundedness", Agents: []string{"research-agent", "refund-agent"}},
		"no-leaks":   {Kind: "leak", Share: .5},
		"house-tone": {Kind: "voice", Agents: []string{"refund-agent", "research-agent"}, Rules: map[string]string{"Promises.yml": promises}},
	} {
		if err := call(ctx, at, http.MethodPut, "/evaluators/"+name, e, nil); err != nil && !conflict(err) {
			return fmt.Errorf("setting the evaluator %s: %w", name, err)
		}
	}
	// One model is asked whether it is still itself.
	canary := client.PutCanaryRequest{Team: "research", Environment: "production", Agent: "research-agent", Upstream: "openai", Model: "gpt-5-mini", Every: "10m"}
	if err := call(ctx, at, http.MethodPut, "/canaries/gpt-5-mini", canary, nil); err != nil && !conflict(err) {
		return fmt.Errorf("watching a model: %w", err)
	}
	return d.tryCheaper(ctx, at)
}

// promises is a rule of the house's voice, in Vale's form.
const promises = `extends: existence
message: "'%s' promises what we cannot keep"
level: warning
ignorecase: true
tokens:
  - guarantee[ds]?
  - immediately
  - definitely
  - as soon as possible
`

// opinion is what a user said of a generated run.
type opinion struct {
	trace   [16]byte
	where   place
	user    string
	at      time.Time
	value   float64 // 1 or 0: a thumb; else a rating of 1 to 5
	rating  bool
	comment string
}

// opine lets some users say what they think of the run. Whether and what follows
// from the run's own number, so that the history stays what it was without it.
func (o *one) opine() {
	if o.task.User == "" || o.h.days-o.h.day > 14 || o.trace[15]%9 != 0 {
		return
	}
	n := int(o.trace[14])
	happy := map[string]int{"resolved": 90, "contained": 70, "": 75, "escalated": 45, "abandoned": 25, "failed": 8}[o.ended]*256/100 > n
	p := opinion{trace: o.trace, where: place{o.m.team, o.m.environment}, user: o.task.User, at: o.at.Add(time.Duration(20+n) * time.Second), rating: o.trace[13]%3 == 0}
	texts := pleased
	if p.value = 1; !happy {
		p.value, texts = 0, displeased
	}
	if p.rating {
		p.value = 4 + float64(o.trace[12]%2)
		if !happy {
			p.value = 1 + float64(o.trace[12]%2)
		}
	}
	if o.trace[11]%3 == 0 || !happy && o.trace[11]%3 == 1 {
		p.comment = texts[int(o.trace[10])%len(texts)]
	}
	o.h.said = append(o.h.said, p)
}

var (
	pleased    = []string{"quick, thank you", "solved it", "clear answer", "better than waiting on the phone"}
	displeased = []string{"it asked me the same thing twice", "I still do not know when it comes", "the answer was wrong", "it never understood the question", "I want to talk to a person", "that is not what I asked", "wrong order"}
)

// tell reports what users said, and gives how many did.
func (d *Demo) tell(ctx context.Context, at Endpoints, said []opinion) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, p := range said {
		g.Go(func() error {
			in := client.CreateFeedbackRequest{
				FeedbackAbout: client.FeedbackAbout{Trace: fmt.Sprintf("%x", p.trace)}, Key: fmt.Sprintf("demo-%x", p.trace[:8]), Name: "helpful", Kind: "thumb",
				Value: &p.value, Comment: p.comment, User: p.user, Giver: "user", At: &p.at, Team: p.where.team, Environment: p.where.environment,
			}
			if p.rating {
				in.Name, in.Kind, in.Min, in.Max = "satisfaction", "rating", 1, 5
			}
			if err := call(ctx, at, http.MethodPost, "/feedback", in, nil); err != nil && !conflict(err) {
				return fmt.Errorf("telling what a user said: %w", err)
			}
			return nil
		})
	}
	return g.Wait()
}
