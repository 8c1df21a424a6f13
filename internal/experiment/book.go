package experiment

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
	// Recorded are the newest runs of an agent at its place that have an answer, by id, and
	// Again is how the first conversation of one is put to another model, with what its
	// model calls cost by today's prices (NaN unknown). nil: nothing is proven by replays.
	Recorded func(ctx context.Context, agent, team, environment string, limit int) ([]string, error)
	Again    func(ctx context.Context, run, upstream, model string) (Replaying, float64, error)
	// Agrees compares an answer of an audit with the truth; nil: there are no audits.
	Agrees func(answer, truth string) bool
	// Tell is told what bias plans came to; nil where nobody is.
	Tell func(ctx context.Context, what Told) error
	// StandIns are what the door calls where an upstream with models cannot be reached, for
	// agents of a team; an error where there is no such upstream. Rights is what a person
	// may do now. TellDrill is told what drills came to. nil: nothing is drilled, and nobody
	// is told.
	StandIns  func(upstream, team string) ([]string, error)
	Rights    func(ctx context.Context, person string) (func(role, team, environment string) bool, error)
	TellDrill func(ctx context.Context, what DrillTold) error
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

	mu      sync.Mutex
	stop    map[string]context.CancelCauseFunc // running ones
	waiting []*Experiment                      // in the order of their start
	served  map[string]int64                   // by team: when one of it was last taken up, as a count
	turn    int64
	woken   chan struct{} // one may wait
	due     chan struct{} // the same, for what is to be started

	replays map[string]int // that are underway, by team
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
	Proof      *Proof   `json:"proof,omitempty"`
	Drill      *Drill   `json:"drill,omitempty"`
	OfPlan     string   `json:"of_plan,omitempty"` // that started it by itself
	Extra      bool     `json:"extra,omitempty"`   // beside the schedule of OfPlan
	// Asks are an audit's tasks: what a source's plan sampled. They are not stored; an experiment
	// that the process's end cuts short is failed and not repeated.
	Asks []Task `json:"-"`
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
	Drilled      *Drilled  `json:"drilled,omitempty"` // what a drill came to, once it ended

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
	b := &Book{o: o, woken: make(chan struct{}, 1), due: make(chan struct{}, 1), stop: map[string]context.CancelCauseFunc{}, served: map[string]int64{}, replays: map[string]int{}}
	return b, o.DB.Write(ctx, func(tx *control.Tx) error {
		left, err := control.All(ctx, tx, scanExperiment, `SELECT `+experimentColumns+` FROM experiments WHERE state IN ('waiting', 'running')`)
		if err != nil {
			return err
		}
		for i := range left {
			left[i].State, left[i].Why = Failed, Interrupted
			if err := left[i].save(ctx, tx); err != nil {
				return err
			}
		}
		return b.drillsBrokenOff(ctx, tx)
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
		return t, errPrivate()
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
	switch p.Kind {
	case ProofKind:
		return p.checkProof()
	case DrillKind:
		return p.checkDrill()
	case Golden:
		return nil
	case AuditKind:
		return p.checkAudit()
	case BiasKind:
	default:
		return invalid("an experiment is of kind golden, bias or proof, not %.20q", p.Kind).WithHint("a failover is tried with `reeve drill`")
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
	if p.Kind == DrillKind {
		return nil, invalid("a failover is tried by a drill of its own").WithHint("`reeve drill set`, then `reeve drill run`")
	}
	return b.start(ctx, who, p, nil)
}

// start is Start, with what else happens in the transaction that plans it.
func (b *Book) start(ctx context.Context, who Actor, p Plan, also func(tx *control.Tx, x *Experiment) error) (*Experiment, error) {
	p.Kind, p.Repeats = cmp.Or(p.Kind, Golden), cmp.Or(p.Repeats, 1)
	if err := p.check(); err != nil {
		return nil, err
	}
	team, environment, version, err := b.place(who, p.Agent, "developer")
	if err != nil {
		return nil, err
	}
	if p.Kind == ProofKind || p.Kind == DrillKind && p.Dataset == "" {
		err = b.mayProve(who, team, environment) // it invokes no agent
	} else {
		_, err = b.Target(ctx, p.Agent)
	}
	if err != nil {
		return nil, err
	}
	x := &Experiment{
		ID: "xpr_" + strings.ToLower(rand.Text()[:24]), Team: team, Environment: environment, State: Waiting, At: b.o.Now().UTC().Truncate(time.Microsecond), Plan: p, AgentVersion: version,
		By: who.Name, Person: who.Person, who: who,
	}
	if p.Baseline != "" {
		if err := b.Beside(ctx, who, x, p.Baseline); err != nil {
			return nil, err
		}
	}
	tasks, err := b.tasksOf(ctx, x)
	if err != nil {
		return nil, err
	}
	each := p.Repeats
	if p.Kind == DrillKind {
		each = 2 // with the upstream, and without it
	}
	if x.Tasks = len(tasks) * each; len(tasks) == 0 || x.Tasks > maxPlanItems {
		return nil, invalid("an experiment has 1 to %d tasks, repeats with them; this one has %d", maxPlanItems, x.Tasks)
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := x.save(ctx, tx); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, x); err != nil {
				return err
			}
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.experiment", Person: who.Person, Via: who.Via, Action: "start", Object: x.ID, After: map[string]any{"agent": x.Agent, "dataset": x.Dataset, "version": x.Version, "tasks": x.Tasks}})
	})
	if err != nil {
		return nil, err
	}
	out := *x // the queue's is changed by who carries it out
	if err := b.enqueue(x); err != nil {
		x.State, x.Why = Failed, "too many experiments wait"
		return nil, errors.Join(err, b.keep(ctx, x))
	}
	return &out, nil
}

// Beside has an experiment compared with another one on the same cases.
func (b *Book) Beside(ctx context.Context, who Actor, x *Experiment, baseline string) error {
	was, err := b.Get(ctx, who, baseline)
	switch {
	case err != nil:
		return err
	case was.ID == x.ID:
		return invalid("an experiment is not compared with itself")
	case x.Kind == ProofKind || x.Kind == DrillKind:
		return invalid("an experiment of kind %s compares two by itself", x.Kind)
	case was.Kind != x.Kind || was.Dataset != x.Dataset || x.Kind != Golden && !sameCases(x, &was):
		return invalid("experiment %s ran on other cases", baseline).WithHint("compare with one of kind %s%s", x.Kind, ofSet(x.Dataset))
	}
	x.Baseline = baseline
	return nil
}

func ofSet(name string) string {
	if name == "" {
		return " of the same cases"
	}
	return " on data set " + name
}

// sameCases reports whether two experiments without a data set asked the same: items of
// others are numbered, and would be paired with what is another question.
func sameCases(x, was *Experiment) bool {
	if x.Kind == BiasKind {
		return x.Bias != nil && was.Bias != nil && slices.Equal(x.Bias.Prompts, was.Bias.Prompts) && slices.Equal(x.Bias.A, was.Bias.A) && slices.Equal(x.Bias.B, was.Bias.B)
	}
	return x.Agent == was.Agent && x.OfPlan == was.OfPlan
}

func (b *Book) tasksOf(ctx context.Context, x *Experiment) ([]Task, error) {
	switch x.Kind {
	case BiasKind:
		return x.Bias.tasks(), nil
	case ProofKind:
		return b.recordedTasks(ctx, x, x.Proof.Runs)
	case DrillKind:
		if x.Dataset == "" {
			return b.recordedTasks(ctx, x, x.Drill.Runs)
		}
	case AuditKind:
		return x.Asks, nil
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
	_, err = tx.Exec(ctx, `INSERT INTO experiments (id, agent, team, environment, kind, dataset, state, body, at, of_plan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`,
		x.ID, x.Agent, x.Team, x.Environment, x.Kind, x.Dataset, x.State, string(text), control.Micros(x.At), x.OfPlan)
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
