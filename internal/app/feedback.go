package app

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/activity"
	"reeve/internal/alert"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/incident"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// openFeedback reads what waits for its run. The runs are asked for later, when
// store and reader are there.
func (a *App) openFeedback(ctx context.Context) error {
	key, err := hashKey(filepath.Join(a.o.Config.Data, "feedback-key"))
	if err != nil {
		return err
	}
	a.feedback, err = feedback.New(ctx, feedback.Options{
		DB: a.control, Key: key, Runs: runsSeen{a}, Logger: a.log.With("part", "feedback"), Redact: a.redactComment, Sealer: a.authority.ca, Moved: func() { wake(a.feedbackMoved) },
	})
	return err
}

// commentClasses are cut out of every comment, beside what content rules say:
// people write their card's number into them.
var commentClasses = []string{"pii.email", "pii.phone", "pii.payment.iban", "pii.payment.card", "pii.national_id", "secret"}

// redactComment cuts out of a comment what must not be kept. What cannot be
// looked at, or may not pass at all, is not kept.
func (a *App) redactComment(team, environment, text string) (string, []string) {
	plan, err := a.content.Redacting("", team, environment, commentClasses)
	if err != nil {
		a.log.Warn("a comment could not be looked at and is not kept", "err", err)
		return "[redacted]", []string{"unreadable"}
	}
	out, found, err := plan.Request([]byte(text))
	var classes []string
	for _, f := range found {
		classes = append(classes, f.Class)
	}
	if err != nil {
		return "[redacted]", append(classes, "blocked")
	}
	return string(out), classes
}

// runsSeen finds runs for feedback, in memory first.
type runsSeen struct{ app *App }

func (r runsSeen) Run(ctx context.Context, id activity.RunID) (feedback.Seen, bool, error) {
	if row, ok := r.app.reader.LiveRun(id); ok {
		return feedback.SeenOf(row), true, nil
	}
	if !r.app.store.HasRun(id) {
		return feedback.Seen{}, false, nil
	}
	row, err := r.app.store.Run(ctx, id)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return feedback.Seen{}, false, nil
	case err != nil:
		return feedback.Seen{}, false, err
	}
	return feedback.SeenOf(row), true, nil
}

func (r runsSeen) OfSession(ctx context.Context, team, environment, session string, by time.Time) (feedback.Seen, bool, error) {
	filter := search.Is("session", session)
	var last *activity.Run
	take := func(run *activity.Run) {
		if run.Session == session && run.Team == team && (environment == "" || run.Environment == environment) && run.Start <= by.UnixNano() && (last == nil || run.Start > last.Start) {
			last = run
		}
	}
	page, err := r.app.store.Runs(ctx, telemetry.RunsQuery{Filter: filter, To: by.Add(time.Second), Limit: 50})
	if err != nil {
		return feedback.Seen{}, false, err
	}
	for i := range page.Runs {
		take(&page.Runs[i])
	}
	live := r.app.reader.LiveRuns(filter)
	for i := range live {
		take(&live[i])
	}
	if last == nil {
		return feedback.Seen{}, false, nil
	}
	return feedback.SeenOf(last), true, nil
}

// saidAgainst are the complaints about a run, for why it ended so.
type saidAgainst struct{ app *App }

// mostAgainst bounds what is told of one run.
const mostAgainst = 20

func (s saidAgainst) Against(ctx context.Context, run *activity.Run) (out []string, err error) {
	all, err := s.app.feedback.OfRun(ctx, run.ID)
	for i := len(all) - 1; i >= 0 && len(out) < mostAgainst; i-- {
		f := &all[i]
		if f.Verdict != feedback.Negative || f.Removed || f.Team != run.Team {
			continue
		}
		// Not in its own words: why is for those who may not read content, too.
		who := "a user said that it did not help"
		if f.Giver != feedback.User {
			who = "a system said that it is wrong"
		}
		if f.Name != "" {
			who += " (" + f.Name + ")"
		}
		out = append(out, who)
	}
	return out, err
}

// feedbackURL is the address at which people outside reach a path.
func (a *App) feedbackURL(path string) string {
	if base := a.o.Config.Approvals.Console; base != "" {
		return strings.TrimSuffix(base, "/") + path // it may have a path of its own, behind a proxy
	}
	scheme := "http"
	if a.o.Config.TLS.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + a.Address("listen") + path
}

const (
	// pulseEvery is how often what users say is looked at without a word of news.
	pulseEvery = 5 * time.Second
	// pulseSoon bounds how often it is looked at with them.
	pulseSoon = time.Second
	// answerWithin is when those who complained should have an answer.
	answerWithin = 24 * time.Hour
)

// feedbackSource is who reports that users are unhappy.
var feedbackSource = alert.Sender{Source: "reeve:feedback", Kind: "feedback"} // no registered sender can be called so

// spike is one that fires.
type spike struct {
	negative int64 // as it was told last
	asked    bool  // somebody has to answer
}

func spikeKey(at [3]string) string { return "unhappy " + at[0] + "/" + at[1] + "/" + at[2] }

// watchFeedback makes an alert of each agent with whom more users are unhappy
// than usual, which becomes an incident as any other does, and sees that
// somebody has to answer them by a date.
func (a *App) watchFeedback(ctx context.Context) error {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	firing, err := a.firingSpikes(ctx)
	if err != nil {
		return err
	}
	for {
		if err := a.lookAtFeedback(ctx, firing); err != nil && ctx.Err() == nil {
			a.log.Warn("what users say was not looked at and is again", "err", err)
		}
		select {
		case <-a.feedbackMoved:
			soon := time.NewTimer(pulseSoon) // more may come with it
			select {
			case <-soon.C:
			case <-ctx.Done():
				soon.Stop()
			}
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// firingSpikes are those of the process before.
func (a *App) firingSpikes(ctx context.Context) (map[[3]string]*spike, error) {
	out := map[[3]string]*spike{}
	list, _, err := a.alerts.List(ctx, alert.Filter{State: alert.Firing, Source: feedbackSource.Source, Limit: 1000})
	for _, x := range list {
		out[[3]string{x.Labels["team"], x.Labels["environment"], x.Labels["agent"]}] = &spike{}
	}
	return out, err
}

// lookAtFeedback takes one look. firing are the spikes there are.
func (a *App) lookAtFeedback(ctx context.Context, firing map[[3]string]*spike) error {
	keep := make(map[[3]string]bool, len(firing))
	for at := range firing {
		keep[at] = true
	}
	pulses, err := a.feedback.Pulses(ctx, keep)
	if err != nil {
		return err
	}
	for i := range pulses {
		p := &pulses[i]
		at := [3]string{p.Team, p.Environment, p.Agent}
		was := firing[at]
		switch {
		case p.Spike() && (was == nil || was.negative != p.Negative):
			if err := a.tellSpike(ctx, at, p); err != nil {
				return err
			}
			if was == nil {
				was = &spike{}
				firing[at] = was
			}
			was.negative = p.Negative
		case was != nil && p.Over():
			from := feedbackSource
			from.Team, from.Environment = p.Team, p.Environment
			if err := a.alerts.Take(ctx, from, []alert.Report{{Key: spikeKey(at), State: alert.Resolved, Title: "Users are unhappy with " + p.Agent, Text: "As many are content as before.", Labels: spikeLabels(p)}}); err != nil {
				return err
			}
			delete(firing, at)
		}
	}
	var errs []error
	for at, x := range firing {
		if !x.asked {
			var err error
			x.asked, err = a.askToAnswer(ctx, at)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// unhappyYet says which agents of an incident more users than usual are unhappy
// with still, where responses.feedback_first asks for it.
func (a *App) unhappyYet(ctx context.Context, i incident.Incident) (string, error) {
	if !a.o.Config.Responses.FeedbackFirst {
		return "", nil
	}
	list, _, err := a.alerts.List(ctx, alert.Filter{State: alert.Firing, Source: feedbackSource.Source, Limit: 1000})
	if err != nil || len(list) == 0 {
		return "", err
	}
	members, err := a.incidents.Members(ctx, i.ID, 2000)
	if err != nil {
		return "", err
	}
	for _, x := range list {
		// Of this incident's own signals: that users are unhappy about something else
		// is another incident's.
		if slices.ContainsFunc(members, func(m incident.Member) bool { return m.ID == x.ID }) {
			return "more users than usual are unhappy with " + x.Labels["agent"] + " still", nil
		}
	}
	return "", nil
}

func spikeLabels(p *feedback.Pulse) map[string]string {
	labels := map[string]string{"agent": p.Agent, "team": p.Team, "environment": p.Environment, "signal": "feedback"}
	if p.Versions != "" {
		labels["version"] = p.Versions
	}
	if len(p.Runs) > 0 {
		labels["run"] = p.Runs[0]
	}
	return labels
}

func (a *App) tellSpike(ctx context.Context, at [3]string, p *feedback.Pulse) error {
	severity := alert.Error
	if p.Severe {
		severity = alert.Critical
	}
	from := feedbackSource
	from.Team, from.Environment = p.Team, p.Environment
	return a.alerts.Take(ctx, from, []alert.Report{{
		Key: spikeKey(at), State: alert.Firing, Severity: severity, Title: "Users are unhappy with " + p.Agent, Text: p.Text(), Labels: spikeLabels(p),
		Links: []alert.Link{{Title: "Their feedback", URL: a.feedbackURL("/feedback?agent=" + p.Agent + "&verdict=negative")}},
	}})
}

// askToAnswer gives an incident that users opened somebody who answers them, and
// a date; false when the incident is not there yet.
func (a *App) askToAnswer(ctx context.Context, at [3]string) (bool, error) {
	id, live, ok := a.incidents.Of(alert.ID(feedbackSource.Source, spikeKey(at)))
	if !ok {
		return false, nil
	}
	if !live {
		return true, nil
	}
	tasks, err := a.incidents.Tasks(ctx, id)
	if err != nil {
		return false, err
	}
	for _, t := range tasks {
		if t.By == feedbackActor.Person {
			return true, nil
		}
	}
	owner := ""
	if g, found := a.agents.Lookup(at[2]); found {
		owner = g.Owner
	}
	owner = cmp.Or(owner, at[1]+" owner of "+at[2])
	_, err = a.incidents.AddTask(ctx, feedbackActor, id, incident.Task{
		Kind: incident.TaskAction, Owner: owner, DueAt: time.Now().Add(answerWithin).UTC().Truncate(time.Microsecond), Text: "Tell those who complained of " + at[2] + " what became of it",
	})
	if fault.Is(err, fault.KindNotFound) { // not stored yet
		return false, nil
	}
	return err == nil, err
}

// feedbackActor is Reeve itself, where it asks somebody to answer.
var feedbackActor = incident.Actor{Person: "reeve", Name: "Reeve", Can: func(string, string, string) bool { return true }}

// feedbackFigures gives what was said.
func (p *parts) feedbackFigures(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	s := p.a.feedback.Stats()
	for _, f := range []figure{
		{"reeve_feedback_taken_total", "Feedback that was kept or replaced what was said before.", counter, float64(s.Taken)},
		{"reeve_feedback_duplicates_total", "Feedback that was sent again and said nothing new.", counter, float64(s.Duplicates)},
		{"reeve_feedback_refused_total", "Feedback that could not be taken.", counter, float64(s.Refused)},
		{"reeve_feedback_joined_total", "Feedback that was joined to its run.", counter, float64(s.Joined)},
		{"reeve_feedback", "Feedback that is kept.", gauge, float64(s.Kept)},
		{"reeve_feedback_waiting", "Feedback that waits for its run.", gauge, float64(s.Waiting)},
	} {
		out <- f.metric()
	}
}
