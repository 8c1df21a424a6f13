package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"reeve/client"
	"reeve/examples/warehouse"
)

// incidentWait is for how long the story waits for its incident.
const incidentWait = 2 * time.Minute

// session is a person of the demo, signed in as in a browser.
type session struct {
	at             Endpoints
	cookie, secret string
}

func (d *Demo) signIn(ctx context.Context, at Endpoints, name string) (*session, error) {
	for _, p := range d.people {
		if p.name != name {
			continue
		}
		var in client.SignedIn
		h, err := callHeader(ctx, at, http.MethodPost, "/sign-ins", client.SignInRequest{Name: p.name, Password: p.password}, &in)
		if err != nil {
			return nil, fmt.Errorf("signing in as %s: %w", name, err)
		}
		s := &session{at: at, secret: in.Secret}
		for _, c := range (&http.Response{Header: h}).Cookies() {
			s.cookie = c.Name + "=" + c.Value
		}
		return s, nil
	}
	return nil, fmt.Errorf("the demo has no %q", name)
}

// call asks the API as this person.
func (s *session) call(ctx context.Context, method, path string, body, into any) error {
	_, err := callAs(ctx, s.at, http.Header{"Cookie": {s.cookie}, client.SessionHeader: {s.secret}}, method, path, body, into)
	return err
}

// putRight plays the people's part of the story of the stale table, up to the
// lesson: the source is taken out of use, the customers are told, the job runs, the
// source is put back, a run becomes a case, the review is written, and the agent
// reads what was learned. What a visitor did before is passed by.
func (d *Demo) putRight(ctx context.Context, a *liveAgent, house *warehouse.Warehouse, at Endpoints, key string) error {
	name := a.agent.Name
	sre, err := d.signIn(ctx, at, "sre")
	if err != nil {
		return err
	}
	// The data set is the team's developers'; who responds adds cases to it.
	set := client.PutDatasetRequest{Team: "support", Environment: "production", About: "What went wrong for customers, as cases"}
	if err := call(ctx, at, http.MethodPut, "/datasets/support-incidents", set, nil); err != nil {
		return err
	}
	i, err := d.incidentOf(ctx, at, name)
	if err != nil {
		return err
	}
	p := &putting{d: d, ctx: ctx, sre: sre, incident: i}
	p.step("the SRE takes incident up", "/acknowledge", client.IncidentNoteRequest{Note: "Customers get yesterday's policies."})
	out := p.act("source_out", "", "Its table was not loaded today.")
	p.tell()
	p.say("the job runs after all")
	if p.err == nil {
		p.keep(house.CatchUp(ctx, at.API, key, time.Now()))
	}
	p.undo(out, "The table was loaded.")
	p.step("customers get today's policies", "/mitigate", client.IncidentNoteRequest{Note: "The table is loaded, and in use again."})
	if p.err == nil {
		d.ask(ctx, a, 6, uint64(i.Number))
	}
	p.act("make_case", "Read the policy of today; where the table is older than a day, say that a person will answer.", "What comes next is tried on it.")
	p.step("it is over", "/resolve", client.IncidentNoteRequest{Note: "Answers are right again."})
	p.review()
	p.learn(name)
	if p.err == nil && at.Door != "" {
		p.keep(d.readLessons(ctx, at.Door, d.keyOf(name)))
	}
	if p.err == nil {
		d.ask(ctx, a, 6, uint64(i.Number)+1) // so that there is an after
	}
	if p.err == nil {
		d.say("%s: incident %d is reviewed, and the agent has read its lesson.", name, i.Number)
	}
	return p.err
}

// incidentOf waits for the live incident that an agent is in.
func (d *Demo) incidentOf(ctx context.Context, at Endpoints, agent string) (i client.Incident, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, incidentWait, errors.New("no incident of "+agent+" opened"))
	defer cancel()
	for {
		var live client.List[client.Incident]
		if err := call(ctx, at, http.MethodGet, "/incidents?state=live&agent="+url.QueryEscape(agent), nil, &live); err != nil {
			return i, err
		}
		if len(live.Items) > 0 {
			return live.Items[0], nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return i, err
		}
	}
}

// pause waits, or says why it ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// putting is the way of one incident to its end; the first error ends it.
type putting struct {
	d        *Demo
	ctx      context.Context // of the story: a putting lives no longer than putRight
	sre      *session
	incident client.Incident
	err      error
}

func (p *putting) keep(err error) {
	if err != nil && !conflict(err) {
		p.err = errors.Join(p.err, err)
	}
}

// say waits as long as a person reads, and tells what comes.
func (p *putting) say(what string) {
	if p.err != nil {
		return
	}
	p.d.say("Incident %d: %s.", p.incident.Number, what)
	p.keep(pause(p.ctx, time.Duration(p.d.o.Pace*float64(4*time.Second))))
}

func (p *putting) path(rest string) string { return "/incidents/" + p.incident.ID + rest }

func (p *putting) step(what, rest string, body any) {
	if p.say(what); p.err == nil {
		p.keep(p.sre.call(p.ctx, http.MethodPost, p.path(rest), body, nil))
	}
}

// act does the first thing of a kind that is offered, and gives what takes it back;
// "" where none is offered.
func (p *putting) act(kind, words, reason string) (id string) {
	if p.say(map[string]string{"source_out": "the table is taken out of use", "make_case": "a run that went wrong becomes a case"}[kind]); p.err != nil {
		return ""
	}
	var offers client.List[client.IncidentOffer]
	p.keep(p.sre.call(p.ctx, http.MethodGet, p.path("/offers"), nil, &offers))
	k := slices.IndexFunc(offers.Items, func(o client.IncidentOffer) bool { return o.Kind == kind })
	if k < 0 || p.err != nil {
		return ""
	}
	o := offers.Items[k]
	var done client.IncidentAct
	p.keep(p.sre.call(p.ctx, http.MethodPost, p.path("/acts"), client.IncidentActRequest{Kind: o.Kind, Target: o.Target, Level: o.Level, Message: words, Reason: reason}, &done))
	return done.ID
}

func (p *putting) undo(act, reason string) {
	if act != "" && p.err == nil {
		p.keep(p.sre.call(p.ctx, http.MethodPost, "/incident-acts/"+act+"/undo", client.UndoActRequest{Reason: reason}, nil))
	}
}

// tell writes to the customers; a second person agrees.
func (p *putting) tell() {
	if p.say("the customers are told"); p.err != nil {
		return
	}
	req := client.IncidentActRequest{Kind: "tell_affected", Target: "demo-customers", Reason: "They were told a wrong number of days."}
	var preview client.IncidentPreview
	if p.keep(p.sre.call(p.ctx, http.MethodPost, p.path("/preview"), req, &preview)); p.err != nil {
		return
	}
	req.Message = preview.Draft
	var asked client.Proposal
	p.keep(p.sre.call(p.ctx, http.MethodPost, p.path("/acts"), req, &asked))
	if p.err == nil && asked.Operation != "" { // with one responder nobody else could agree, and it is done at once
		p.keep(call(p.ctx, p.sre.at, http.MethodPost, "/proposals/"+asked.ID+"/confirm", nil, nil))
	}
}

func (p *putting) review() {
	if p.say("the review is written from the timeline"); p.err != nil {
		return
	}
	var r client.IncidentReview
	if p.keep(p.sre.call(p.ctx, http.MethodGet, p.path("/review"), nil, &r)); p.err == nil {
		p.keep(p.sre.call(p.ctx, http.MethodPut, p.path("/review"), client.SaveReviewRequest{Text: r.Text, Revision: r.Revision, Done: true}, nil))
	}
}

func (p *putting) learn(agent string) {
	if p.say("what was learned becomes a lesson"); p.err != nil {
		return
	}
	p.keep(p.sre.call(p.ctx, http.MethodPost, "/lessons", client.CreateLessonRequest{
		Title: "A table can be older than its answers", Text: "Before you answer from the return policies, look at when they were loaded. Older than a day: say so, and hand over to a person.",
		Team: "support", Environment: "production", Agents: []string{agent}, Incident: p.incident.ID, Owner: "sre", Measure: "failures", ExpiresAt: time.Now().Add(90 * 24 * time.Hour),
	}, nil))
}

// readLessons lets an agent fetch its lessons at the door, as it does before it works.
func (d *Demo) readLessons(ctx context.Context, door, key string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, door+"/lessons", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetching lessons: %s", resp.Status)
	}
	return nil
}
