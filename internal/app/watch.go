package app

import (
	"context"
	"path/filepath"
	"time"

	"reeve/internal/activity"
	"reeve/internal/api"
	"reeve/internal/feedback"
	"reeve/internal/finding"
	"reeve/internal/fleet"
	"reeve/internal/gateway"
	"reeve/internal/kpi"
	"reeve/internal/provenance/judged"
	"reeve/internal/response"
	"reeve/internal/rule"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/watch"
)

// watching is what looks at behaviour, and what follows from it.
type watching struct {
	findings *finding.Book
	settings *watch.Settings
	rules    *rule.Book
	asker    *watch.Asker
	watch    *watch.Watch
	judged   *judged.Book // which steps of failed runs people named
	respond  *response.Responder
	moved    chan struct{} // some finding did
}

// openWatch loads findings, rules and what follows from them, before anything is
// observed.
func (a *App) openWatch(ctx context.Context) (err error) {
	w := &a.watching
	w.moved = make(chan struct{}, 1)
	if w.respond, err = response.New(ctx, response.Options{DB: a.control, Agents: a.agents, PerHour: a.o.Config.Responses.AgentsPerHour, PerTeam: a.o.Config.Responses.AgentsPerHourOfTeam, Live: w.live, Logger: a.log.With("part", "responses")}); err != nil {
		return err
	}
	a.timers[response.TimerEnd] = w.respond.End
	if w.findings, err = finding.New(ctx, finding.Options{DB: a.control, Logger: a.log.With("part", "findings"), Opened: a.opened, Moved: w.tell}); err != nil {
		return err
	}
	if w.settings, err = watch.OpenSettings(ctx, a.control, nil); err != nil {
		return err
	}
	if w.rules, err = rule.New(ctx, rule.Options{DB: a.control, Logger: a.log.With("part", "rules")}); err != nil {
		return err
	}
	w.watch, err = watch.New(watch.Options{
		Findings: w.findings, Settings: w.settings, Rules: w.rules.Active, Canonical: a.fleet.Canonical, Sources: a.readAt, AnySource: a.anySource,
		File: filepath.Join(a.o.Config.Data, "watch"), Logger: a.log.With("part", "watch"),
	})
	if err != nil {
		return err
	}
	if w.judged, err = judged.New(judged.Options{DB: a.control}); err != nil {
		return err
	}
	w.asker = &watch.Asker{Store: asked{a}, KPIs: a.ruleKPIs, Findings: w.findings, Rules: w.rules.Active, Logger: a.log.With("part", "rules"), Now: time.Now}
	return a.openCanaries()
}

// ruleKPIs computes what rules about a KPI ask, of all teams.
func (a *App) ruleKPIs(ctx context.Context, r *rule.Rule, w watch.Window) ([]rule.Row, error) {
	return api.RuleKPIs{KPIs: a.kpis, Ask: a.store.Query, Outside: a.outsideKPIs(), Place: func(name string) (string, string) {
		if g, ok := a.agents.Lookup(name); ok {
			return g.Team, g.Environment
		}
		return "", ""
	}}.Rows(ctx, r, w)
}

// askersOf are the rules that ask for a KPI, those that are off too: one that is put
// on again asks for it.
func (a *App) askersOf(id string) (out []kpi.Asker) {
	for _, r := range a.watching.rules.List() {
		if r.Query != nil && r.Query.KPI == id {
			out = append(out, kpi.Asker{Rule: r.Name, Team: r.Team})
		}
	}
	return out
}

// asked is the store as rules ask it; it is opened after them.
type asked struct{ app *App }

func (s asked) Query(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
	return s.app.store.Query(ctx, q)
}

// anySource reports whether anything is known of any source.
func (a *App) anySource() bool { return a.sources != nil && a.sources.Any() }

// readAt is what a source was when an agent read it.
func (a *App) readAt(ctx context.Context, team, name string, at time.Time) (watch.Reading, error) {
	if a.sources == nil {
		return watch.Reading{}, nil
	}
	uses, err := a.sources.AsOf(ctx, team, []source.Ref{{Name: name, At: at}})
	if err != nil || len(uses) == 0 {
		return watch.Reading{}, err
	}
	u := &uses[0]
	out := watch.Reading{Source: u.Source, Stale: u.State == "stale", Sentence: u.Sentence}
	if u.Version != nil {
		out.Version = u.Version.Version
	}
	return out, nil
}

// opened tells who follows findings of one that is new or became more severe.
func (a *App) opened(f finding.Finding) { a.watching.respond.Found(f) }

// live are the open findings that see wants, as responses ask for them: findings are
// opened after these.
func (w *watching) live(see func(*finding.Finding) bool) []finding.Finding {
	return w.findings.Live(see)
}

// tell wakes who follows findings; one word is enough.
func (w *watching) tell() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

func (w *watching) runResponses(ctx context.Context) error { return w.respond.Run(ctx) }

// watched is the store with those beside it who must have seen what it takes: what
// they miss at the end of the process nobody tells them again.
type watched struct {
	telemetry.Store
	feedback *feedback.Book
	keys     func(*telemetry.Write) // ends keys of ours that stand in it
}

func (o watched) Append(ctx context.Context, w *telemetry.Write) error {
	// Before it: what is told of runs is read again from the log if this process
	// ends in between, and kept once all the same.
	if err := o.feedback.TakeLogs(ctx, w.Logs); err != nil {
		return err
	}
	if err := o.Store.Append(ctx, w); err != nil {
		return err
	}
	o.keys(w)
	return nil
}

// stored shows what was stored to all others who look at it, while the next write is
// appended: a process that ends in between leaves out a second of their measures.
func (a *App) stored(w *telemetry.Write) {
	a.fleet.Observe(w)
	a.watching.watch.Observe(w)
	a.feedback.Observe(w)
	a.evaluations.Observe(w)
	a.countVerdicts(w)
	a.topics.Observe(w)
}

// witnessed is the log of decisions with those behind it who look at decisions.
type witnessed struct {
	gateway.Recorder
	fleet *fleet.Fleet
	watch *watch.Watch
}

func (w witnessed) Propose(ctx context.Context, d *activity.Decision) error {
	err := w.Recorder.Propose(ctx, d)
	if err == nil {
		w.fleet.Decided(d)
		w.watch.Decided(d)
	}
	return err
}
