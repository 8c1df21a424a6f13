package experiment

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Said is what an agent answered.
type Said struct {
	Answer  string
	Skipped string // why the answer cannot count; ""
}

// Options of a Book. All but Logger and Now are required.
type Options struct {
	DB *control.DB
	// Agent is where an agent belongs and which version is observed.
	Agent func(name string) (team, environment, version string, ok bool)
	// Cases are the tasks of a version of a data set; 0 the newest, which is told.
	Cases func(ctx context.Context, who Actor, dataset string, version int64) ([]Task, int64, error)
	// Recording reads what the tools of a run came to.
	Recording func(ctx context.Context, run string) (*Recording, error)
	// Invoke puts a task to an agent, as a test.
	Invoke func(ctx context.Context, t *Test, target *Target, task *Task) (Said, error)
	// Look has an evaluator look at an answer: pass, unsure, fail or "".
	Look func(ctx context.Context, who Actor, evaluator, agent string, task *Task, answer string) (Check, error)
	// Configured are targets of the configuration file; they go before others.
	Configured map[string]Target
	Logger     *slog.Logger
	Now        func() time.Time
}

// Book keeps targets, experiments and bias plans. Make one with New, start it with
// Run.
type Book struct {
	o     Options
	Tests Tests
	queue chan *Experiment

	mu   sync.Mutex
	stop map[string]context.CancelCauseFunc // running ones
}

// Actor is who does something.
type Actor struct {
	Person, Name, Via string
	// Can reports whether the actor has a role for a team and environment; "*"
	// stands for all of them.
	Can func(role, team, environment string) bool
}

// Plan is what an experiment does.
type Plan struct {
	Agent      string   `json:"-"`
	Kind       string   `json:"-"` // golden, bias
	Dataset    string   `json:"-"`
	Version    int64    `json:"dataset_version"` // of the data set
	Repeats    int      `json:"repeats"`
	Evaluators []string `json:"evaluators,omitempty"`
	Baseline   string   `json:"baseline,omitempty"` // an experiment on the same cases
	Note       string   `json:"note,omitempty"`
	Bias       *Bias    `json:"bias,omitempty"`
}

// Kinds of experiments.
const (
	Golden   = "golden"
	BiasKind = "bias"
)

// Bias is pairs of prompts that differ in one word alone, which should make no
// difference: each prompt has {{x}}, which is one of A in one and of B in the other.
type Bias struct {
	Attribute string   `json:"attribute"`
	Prompts   []string `json:"prompts"`
	A         []string `json:"a"`
	B         []string `json:"b"`
	Favours   []string `json:"favours"` // an answer with any of these words is a favourable one
}

// Experiment is one, with what came of it so far.
type Experiment struct {
	ID          string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	State       string    `json:"-"`
	At          time.Time `json:"-"`
	Plan
	AgentVersion string    `json:"agent_version,omitempty"`
	By           string    `json:"by,omitempty"`
	Person       string    `json:"person,omitempty"`
	EndedAt      time.Time `json:"ended_at,omitzero"`
	Why          string    `json:"why,omitempty"` // failed, stopped
	Tasks        int       `json:"tasks"`

	who Actor
}

// States.
const (
	Waiting = "waiting"
	Running = "running"
	Done    = "done"
	Failed  = "failed"
	Stopped = "stopped"
)

// New opens the book. What was underway when the process before ended is failed.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Agent == nil || o.Cases == nil || o.Recording == nil || o.Invoke == nil || o.Look == nil {
		return nil, errors.New("experiment: an option is missing")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Book{o: o, queue: make(chan *Experiment, maxWaiting), stop: map[string]context.CancelCauseFunc{}}
	return b, o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE experiments SET state = 'failed' WHERE state IN ('waiting', 'running')`)
		return err
	})
}

func (b *Book) place(who Actor, agent, role string) (team, environment, version string, err error) {
	team, environment, version, ok := b.o.Agent(agent)
	if !ok || !who.Can("viewer", team, environment) {
		return "", "", "", fault.New(fault.KindNotFound, "experiment.not_found", "there is no agent %.64s", agent)
	}
	if !who.Can(role, team, environment) {
		return "", "", "", fault.New(fault.KindDenied, "experiment.denied", "this needs the role %s for team %q in %q", role, team, environment)
	}
	return team, environment, version, nil
}

const targetColumns = `agent, revision, body, updated_at`

func scanTarget(r control.Row) (t Target, err error) {
	var text string
	var at int64
	if err := r.Scan(&t.Agent, &t.Revision, &text, &at); err != nil {
		return t, err
	}
	t.UpdatedAt = control.Time(at)
	return t, json.Unmarshal([]byte(text), &t)
}

// Target is how an agent is invoked; not_possible when nobody said how.
func (b *Book) Target(ctx context.Context, agent string) (Target, error) {
	if t, ok := b.o.Configured[agent]; ok {
		t.Agent = agent
		return t, nil
	}
	t, ok, err := control.One(ctx, b.o.DB, scanTarget, `SELECT `+targetColumns+` FROM invoke_targets WHERE agent = ?`, agent)
	if err == nil && !ok {
		err = fault.New(fault.KindNotFound, "experiment.not_possible", "agent %s cannot be tested: nobody said how it is invoked", agent).
			WithHint("`reeve invoke set %s --http URL --body '{\"message\": \"{{input}}\", \"token\": \"{{token}}\"}'`; a command is set in the configuration file", agent)
	}
	return t, err
}

// PutTarget says how an agent is invoked.
func (b *Book) PutTarget(ctx context.Context, who Actor, t Target) (Target, error) {
	// What cases say is sent there, and what comes back is shown: as an upstream it is
	// security's to name, and one inside the house that of everywhere.
	if _, _, _, err := b.place(who, t.Agent, "security"); err != nil {
		return t, err
	}
	if t.AllowPrivate && !who.Can("security", "*", "*") {
		return t, fault.New(fault.KindDenied, "experiment.denied", "an address inside the house needs the role security everywhere")
	}
	if err := t.Check(false); err != nil {
		return t, err
	}
	if _, ok := b.o.Configured[t.Agent]; ok {
		return t, fault.New(fault.KindConflict, "experiment.conflict", "the configuration file says how agent %s is invoked", t.Agent)
	}
	return t, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, scanTarget, `SELECT `+targetColumns+` FROM invoke_targets WHERE agent = ?`, t.Agent)
		if err != nil {
			return err
		}
		if known && t.Revision != was.Revision || !known && t.Revision != 0 {
			return fault.New(fault.KindConflict, "experiment.conflict", "how %s is invoked was changed meanwhile", t.Agent).WithHint("read it again and give its revision")
		}
		t.Revision++
		t.UpdatedAt = b.o.Now().UTC().Truncate(time.Microsecond)
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO invoke_targets (`+targetColumns+`) VALUES (?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET revision = excluded.revision, body = excluded.body, updated_at = excluded.updated_at`,
			t.Agent, t.Revision, string(text), control.Micros(t.UpdatedAt)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.invoke_put", Person: who.Person, Via: who.Via, Action: "put", Object: t.Agent, After: json.RawMessage(text)})
	})
}

func (p *Plan) check() error {
	switch {
	case p.Repeats < 1 || p.Repeats > maxRepeats:
		return invalid("a case is repeated 1 to %d times", maxRepeats)
	case len(p.Evaluators) > 20 || len(p.Note) > 1000:
		return invalid("an experiment has at most 20 evaluators")
	case p.Kind == Golden && p.Dataset == "":
		return invalid("name the data set whose cases are run")
	}
	if p.Kind != BiasKind {
		return nil
	}
	x := p.Bias
	switch {
	case x == nil || x.Attribute == "" || len(x.Attribute) > 100:
		return invalid("a bias test names the attribute")
	case len(x.Prompts) == 0 || len(x.A) == 0 || len(x.A) != len(x.B) || len(x.Prompts)*len(x.A)*2 > maxPlanItems:
		return invalid("a bias test has prompts, and as many words a as b, at most %d prompts in all", maxPlanItems)
	case len(x.Favours) == 0 || len(x.Favours) > 50 || slices.Contains(x.Favours, ""):
		return invalid("favours has the words of a favourable answer")
	}
	for _, prompt := range x.Prompts {
		if !strings.Contains(prompt, "{{x}}") || len(prompt) > maxBody {
			return invalid("each prompt has {{x}} where the word goes")
		}
	}
	return nil
}

// tasks are those of a bias test: two of each pair.
func (x *Bias) tasks() (out []Task) {
	for i, prompt := range x.Prompts {
		for j := range x.A {
			pair := fmt.Sprintf("%d.%d", i+1, j+1)
			for _, g := range []struct{ group, word string }{{"a", x.A[j]}, {"b", x.B[j]}} {
				out = append(out, Task{Item: pair + g.group, Pair: pair, Group: g.group, Messages: []Message{{"user", strings.ReplaceAll(prompt, "{{x}}", g.word)}}})
			}
		}
	}
	return out
}

// Start plans an experiment; Run carries it out.
func (b *Book) Start(ctx context.Context, who Actor, p Plan) (*Experiment, error) {
	p.Kind, p.Repeats = cmp.Or(p.Kind, Golden), cmp.Or(p.Repeats, 1)
	if err := p.check(); err != nil {
		return nil, err
	}
	team, environment, version, err := b.place(who, p.Agent, "developer")
	if err != nil {
		return nil, err
	}
	if _, err := b.Target(ctx, p.Agent); err != nil {
		return nil, err
	}
	x := &Experiment{
		ID: "xpr_" + strings.ToLower(rand.Text()[:24]), Team: team, Environment: environment, State: Waiting, At: b.o.Now().UTC().Truncate(time.Microsecond), Plan: p, AgentVersion: version,
		By: who.Name, Person: who.Person, who: who,
	}
	if p.Baseline != "" {
		was, err := b.Get(ctx, who, p.Baseline)
		if err != nil {
			return nil, err
		}
		if was.Kind != p.Kind || was.Dataset != p.Dataset {
			return nil, invalid("experiment %s ran on other cases", p.Baseline)
		}
	}
	tasks, err := b.tasksOf(ctx, x)
	if err != nil {
		return nil, err
	}
	if x.Tasks = len(tasks) * p.Repeats; len(tasks) == 0 || x.Tasks > maxPlanItems {
		return nil, invalid("an experiment has 1 to %d tasks, repeats with them; this one has %d", maxPlanItems, x.Tasks)
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := x.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.experiment", Person: who.Person, Via: who.Via, Action: "start", Object: x.ID, After: map[string]any{"agent": x.Agent, "dataset": x.Dataset, "version": x.Version, "tasks": x.Tasks}})
	})
	if err != nil {
		return nil, err
	}
	out := *x // the queue's is changed by who carries it out
	select {
	case b.queue <- x:
		return &out, nil
	default:
		x.State, x.Why = Failed, "too many experiments wait"
		err := fault.New(fault.KindExhausted, "experiment.too_many", "%d experiments wait already", maxWaiting).WithHint("try again when one is done")
		return nil, errors.Join(err, b.keep(ctx, x))
	}
}

func (b *Book) tasksOf(ctx context.Context, x *Experiment) ([]Task, error) {
	if x.Kind == BiasKind {
		return x.Bias.tasks(), nil
	}
	tasks, version, err := b.o.Cases(ctx, x.who, x.Dataset, x.Version)
	x.Version = version
	return tasks, err
}

func (x *Experiment) save(ctx context.Context, tx *control.Tx) error {
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO experiments (id, agent, team, environment, kind, dataset, state, body, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`,
		x.ID, x.Agent, x.Team, x.Environment, x.Kind, x.Dataset, x.State, string(text), control.Micros(x.At))
	return err
}

func (b *Book) keep(ctx context.Context, x *Experiment) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := x.save(ctx, tx); err != nil {
			return err
		}
		data, err := json.Marshal(map[string]any{"experiment": x.ID, "agent": x.Agent, "state": x.State})
		if err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "experiment.updated", Object: x.ID, Data: data})
	})
}

var (
	errStopped = errors.New("stopped by a person")
	errTooLong = errors.New("too long")
)

// Stop ends an experiment; what it found stays.
func (b *Book) Stop(ctx context.Context, who Actor, id string) error {
	x, err := b.Get(ctx, who, id)
	if err != nil {
		return err
	}
	if _, _, _, err := b.place(who, x.Agent, "developer"); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if cancel := b.stop[id]; cancel != nil {
		cancel(errStopped)
	} else if x.State == Waiting {
		b.stop[id] = func(error) {} // it is not begun
	}
	return nil
}

// Run carries experiments out, one after the other, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case x := <-b.queue:
			b.One(ctx, x)
		}
	}
}

// One carries an experiment out. Run does it by itself.
func (b *Book) One(ctx context.Context, x *Experiment) {
	bounded, end := context.WithTimeoutCause(ctx, maxExperiment, errTooLong)
	defer end()
	run, cancel := context.WithCancelCause(bounded)
	defer cancel(nil)
	b.mu.Lock()
	_, early := b.stop[x.ID]
	b.stop[x.ID] = cancel
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.stop, x.ID)
		b.mu.Unlock()
	}()
	if early {
		cancel(errStopped)
	}
	x.State = Running
	err := b.keep(run, x)
	if err == nil {
		err = b.carryOut(run, x)
	}
	x.EndedAt = b.o.Now().UTC().Truncate(time.Microsecond)
	switch {
	case errors.Is(context.Cause(run), errStopped):
		x.State, x.Why = Stopped, "stopped by a person"
	case errors.Is(context.Cause(run), errTooLong):
		x.State, x.Why = Stopped, fmt.Sprintf("it took longer than %s", maxExperiment)
	case err != nil:
		x.State, x.Why = Failed, fault.From(err).Message
	default:
		x.State = Done
	}
	// Also when the process ends: it would be found underway for ever.
	if err := b.keep(context.WithoutCancel(ctx), x); err != nil {
		b.o.Logger.Error("what an experiment came to could not be kept", "experiment", x.ID, "err", err)
	}
}

func (b *Book) carryOut(ctx context.Context, x *Experiment) error {
	target, err := b.Target(ctx, x.Agent)
	if err != nil {
		return err
	}
	tasks, err := b.tasksOf(ctx, x)
	if err != nil {
		return err
	}
	seq := 0
	for repeat := range x.Repeats {
		for i := range tasks {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r, err := b.try(ctx, x, &target, &tasks[i])
			if err != nil {
				return err
			}
			r.Repeat = repeat
			seq++
			if err := b.record(ctx, x, seq, r); err != nil {
				return err
			}
			if !r.Valid {
				// The door saw nothing of it as a test: what its tools did, nobody knows. It is
				// not done again.
				return fault.New(fault.KindDenied, "experiment.unguarded", "a test did not come through the door as one: %s", r.Why)
			}
		}
	}
	return nil
}

// try puts one task to the agent.
func (b *Book) try(ctx context.Context, x *Experiment, target *Target, task *Task) (Result, error) {
	r := Result{Experiment: x.ID, Item: task.Item, Pair: task.Pair, Group: task.Group, At: b.o.Now().UTC().Truncate(time.Microsecond)}
	var recording *Recording
	if task.Run != "" {
		var err error
		if recording, err = b.o.Recording(ctx, task.Run); err != nil {
			return r, err
		}
	}
	t := b.Tests.open(x.Agent, target, recording)
	defer b.Tests.close(t)
	r.Run = t.Key
	limit, cancel := context.WithTimeout(ctx, target.timeout())
	defer cancel()
	began := time.Now()
	said, err := b.o.Invoke(limit, t, target, task)
	r.TookMS = time.Since(began).Milliseconds()
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	t.mu.Lock()
	r.Calls, r.Refused = t.calls, slices.Clone(t.refused)
	t.mu.Unlock()
	r.Valid = r.Calls > 0
	r.Answer = said.Answer[:min(len(said.Answer), maxAnswer)]
	r.Answer = strings.ToValidUTF8(r.Answer, "")
	switch {
	case err != nil:
		r.Why, r.Failed = fault.From(err).Message, true
		if errors.Is(limit.Err(), context.DeadlineExceeded) {
			r.Why = fmt.Sprintf("no answer within %s", target.timeout())
		}
		return r, nil
	case !r.Valid:
		r.Why = "no call of it came to the door with the test's identity"
		return r, nil
	}
	for _, call := range r.Refused {
		// What policy refuses is what users would meet; what a test refuses has no end.
		if strings.HasPrefix(call, "test.") {
			r.Failed = true
			r.Why = "the test stops at a call that is not in the recording: " + call
			return r, nil
		}
	}
	return r, b.look(ctx, x, task, &r)
}

// look says whether an answer passes: every check that has something to say has to.
func (b *Book) look(ctx context.Context, x *Experiment, task *Task, r *Result) error {
	if x.Kind == BiasKind {
		low := strings.ToLower(r.Answer)
		r.Passed = slices.ContainsFunc(x.Bias.Favours, func(w string) bool { return strings.Contains(low, strings.ToLower(w)) })
		return nil
	}
	r.Checks = checkWords(task, r.Answer)
	for _, name := range x.Evaluators {
		c, err := b.o.Look(ctx, x.who, name, x.Agent, task, r.Answer)
		if err != nil {
			return err
		}
		r.Checks = append(r.Checks, c)
	}
	said := false
	r.Passed = true
	for _, c := range r.Checks {
		switch c.Verdict {
		case "pass":
			said = true
		case "fail", "unsure":
			said, r.Passed = true, false
			if r.Why == "" {
				r.Why = c.Name + " says " + c.Verdict
			}
		}
	}
	if !said {
		r.Passed, r.Why = false, "nothing says what would be right: give the case what it expects, or the experiment an evaluator"
	}
	return nil
}

func (b *Book) record(ctx context.Context, x *Experiment, seq int, r Result) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO experiment_results (experiment, seq, item, passed, body) VALUES (?, ?, ?, ?, ?)`, x.ID, seq, r.Item, r.Passed && r.Valid, string(text))
		return err
	})
}

const experimentColumns = `id, agent, team, environment, kind, dataset, state, body, at`

func scanExperiment(r control.Row) (x Experiment, err error) {
	var text string
	var at int64
	if err := r.Scan(&x.ID, &x.Agent, &x.Team, &x.Environment, &x.Kind, &x.Dataset, &x.State, &text, &at); err != nil {
		return x, err
	}
	x.At = control.Time(at)
	return x, json.Unmarshal([]byte(text), &x)
}

// Get is one experiment, for who may see it.
func (b *Book) Get(ctx context.Context, who Actor, id string) (Experiment, error) {
	x, ok, err := control.One(ctx, b.o.DB, scanExperiment, `SELECT `+experimentColumns+` FROM experiments WHERE id = ?`, id)
	if err == nil && (!ok || !who.Can("viewer", x.Team, x.Environment)) {
		err = fault.New(fault.KindNotFound, "experiment.not_found", "there is no experiment %.60s", id)
	}
	return x, err
}

// List lists experiments, the newest first, of an agent or ("") of all.
func (b *Book) List(ctx context.Context, who Actor, agent, kind string, limit int) ([]Experiment, error) {
	var w control.Where
	w.Is("agent", agent)
	w.Is("kind", kind)
	all, err := control.All(ctx, b.o.DB, scanExperiment, `SELECT `+experimentColumns+` FROM experiments`+w.Text()+` ORDER BY at DESC, id LIMIT 1000`, w.Args...)
	all = slices.DeleteFunc(all, func(x Experiment) bool { return !who.Can("viewer", x.Team, x.Environment) })
	return all[:min(len(all), cmp.Or(limit, 100))], err
}

// Results are what came of an experiment's tasks, in their order.
func (b *Book) Results(ctx context.Context, id string) ([]Result, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (x Result, err error) {
		var text string
		if err := r.Scan(&x.Experiment, &text); err != nil {
			return x, err
		}
		return x, json.Unmarshal([]byte(text), &x)
	}, `SELECT experiment, body FROM experiment_results WHERE experiment = ? ORDER BY seq`, id)
}

// Summary is what an experiment comes to.
type Summary struct {
	Figures
	Against *Paired // with its baseline, on the cases that both ran once or more: by whether all tries passed
	// Of a bias test.
	Pairs           *Paired
	A, NA, B, NB    int64
	Ratio, Low, Top float64 // NaN unknown
}

// Sum adds an experiment up.
func (b *Book) Sum(ctx context.Context, x *Experiment) (Summary, []Result, error) {
	all, err := b.Results(ctx, x.ID)
	s := Summary{Figures: figures(all, x.Repeats), Ratio: math.NaN(), Low: math.NaN(), Top: math.NaN()}
	if err != nil {
		return s, nil, err
	}
	if x.Kind == BiasKind {
		s.bias(all)
	}
	if x.Baseline == "" {
		return s, all, nil
	}
	before, err := b.Results(ctx, x.Baseline)
	if err != nil {
		return s, all, err
	}
	was, is := byItem(before), byItem(all)
	var pairs, first, second int64
	for item, now := range is {
		then, ok := was[item]
		if !ok {
			continue
		}
		pairs++
		switch {
		case then && !now:
			first++
		case now && !then:
			second++
		}
	}
	p := paired(pairs, first, second)
	s.Against = &p
	return s, all, nil
}

func byItem(all []Result) map[string]bool {
	out := map[string]bool{}
	for i := range all {
		r := &all[i]
		if !r.Valid {
			continue
		}
		was, seen := out[r.Item]
		out[r.Item] = r.Passed && (was || !seen)
	}
	return out
}

// bias compares the two of each pair. A pair is what was drawn: its repeats are one
// answer each, that of most of them, or a few pairs repeated often would seem many.
// What did not answer is no answer that favours nobody: it is not counted.
func (s *Summary) bias(all []Result) {
	votes := map[string]*[2]int{} // of pair and group: favourable, not
	var pairs []string
	for i := range all {
		r := &all[i]
		if !r.Valid || r.Failed || r.Answer == "" {
			continue
		}
		v := votes[r.Pair+r.Group]
		if v == nil {
			v = &[2]int{}
			votes[r.Pair+r.Group] = v
		}
		if r.Passed {
			v[0]++
		} else {
			v[1]++
		}
		if !slices.Contains(pairs, r.Pair) {
			pairs = append(pairs, r.Pair)
		}
	}
	var both, first, second int64
	for _, p := range pairs {
		a, b := votes[p+"a"], votes[p+"b"]
		if a == nil || b == nil || a[0] == a[1] || b[0] == b[1] {
			continue
		}
		one, two := a[0] > a[1], b[0] > b[1]
		both++
		s.NA, s.NB = s.NA+1, s.NB+1
		if one {
			s.A++
		}
		if two {
			s.B++
		}
		if one && !two {
			first++
		} else if two && !one {
			second++
		}
	}
	p := paired(both, first, second)
	s.Pairs = &p
	if r, low, high, ok := FourFifths(s.A, s.NA, s.B, s.NB); ok {
		s.Ratio, s.Low, s.Top = r, low, high
	}
}
