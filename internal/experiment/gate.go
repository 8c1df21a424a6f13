package experiment

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// GateSet is the data set on whose cases an agent has to pass before it goes into
// production.
type GateSet struct {
	Agent   string
	Dataset string
	Least   int64 // cases that it has to have, of those that were approved
	Person  string
	At      time.Time
	Approved
}

// Approved is which cases of a gate's data set security saw: what is changed since, or
// taken out, is what nobody saw.
type Approved struct {
	Version int64     // of the data set; 0: nobody saw any
	Cases   int64     // that an experiment ran of it then
	Born    time.Time // of the data set: one that is made anew is another
	By      string
	Seen    time.Time
}

const (
	usualLeast = 5
	maxLeast   = 500 // that an experiment can run
)

const gateSetColumns = `agent, dataset, least, person, at, approved_version, approved_cases, approved_born, approved_by, approved_at`

func scanGateSet(r control.Row) (g GateSet, err error) {
	var at, born, seen int64
	err = r.Scan(&g.Agent, &g.Dataset, &g.Least, &g.Person, &at, &g.Version, &g.Cases, &born, &g.By, &seen)
	g.At, g.Born, g.Seen = control.Time(at), control.Time(born), control.Time(seen)
	return g, err
}

func (g *GateSet) save(ctx context.Context, tx *control.Tx) error {
	if g.Version == 0 {
		g.Approved = Approved{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO gate_sets (`+gateSetColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET dataset = excluded.dataset, least = excluded.least, person = excluded.person, at = excluded.at,
		approved_version = excluded.approved_version, approved_cases = excluded.approved_cases, approved_born = excluded.approved_born, approved_by = excluded.approved_by, approved_at = excluded.approved_at`,
		g.Agent, g.Dataset, g.Least, g.Person, control.Micros(g.At), g.Version, g.Cases, micros(g.Born), g.By, micros(g.Seen))
	return err
}

// micros is 0 for no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return control.Micros(t)
}

// GateSet is an agent's, if it has one.
func (b *Book) GateSet(ctx context.Context, agent string) (GateSet, bool, error) {
	return b.gateSet(ctx, b.o.DB, agent)
}

func (b *Book) gateSet(ctx context.Context, r control.Reader, agent string) (GateSet, bool, error) {
	return control.One(ctx, r, scanGateSet, `SELECT `+gateSetColumns+` FROM gate_sets WHERE agent = ?`, agent)
}

// PutGateSet says on whose cases an agent has to pass. The first one a developer of
// its place may name; another one, or fewer cases, is security's: it would be the way
// around the gate. Its cases are those that security saw: seen, where it has a version,
// is what the actor looked at, and counts as approved where they are security.
func (b *Book) PutGateSet(ctx context.Context, who Actor, g GateSet, seen Approved) (GateSet, error) {
	team, environment, _, err := b.place(who, g.Agent, "viewer")
	if err != nil {
		return g, err
	}
	if g.Least == 0 {
		g.Least = usualLeast
	}
	if g.Dataset == "" || g.Least < 1 || g.Least > maxLeast {
		return g, invalid("name the data set of the gate, and 1 to %d cases that it has at least", maxLeast)
	}
	g.Person, g.At = who.Name, b.o.Now().UTC().Truncate(time.Microsecond)
	return g, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := b.gateSet(ctx, tx, g.Agent)
		if err != nil {
			return err
		}
		developer, security := who.Can("developer", team, environment), who.Can("security", team, environment)
		if known && (was.Dataset != g.Dataset || g.Least < was.Least) {
			developer = false
		}
		if !developer && !security {
			return fault.New(fault.KindDenied, "experiment.denied", "this needs the role security for team %q in %q", team, environment).WithHint("a developer may name the first data set of a gate, or ask for more cases")
		}
		switch {
		case security && seen.Version > 0:
			g.Approved = seen
			g.By, g.Seen = who.Name, g.At
		case known && was.Dataset == g.Dataset:
			g.Approved = was.Approved // more cases are asked for: what was seen stays seen
		}
		if err := g.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.gate_set", Person: who.Person, Via: who.Via, Action: "put", Object: g.Agent, Before: was.Dataset, After: map[string]any{"dataset": g.Dataset, "least": g.Least, "approved_version": g.Version, "approved_cases": g.Cases}})
	})
}

// ApproveGate says that the cases of a gate's data set, as seen has them, are those that
// its agent has to pass. It is security's: who writes cases does not say that they are
// enough.
func (b *Book) ApproveGate(ctx context.Context, who Actor, agent, dataset string, seen Approved) error {
	team, environment, _, err := b.place(who, agent, "viewer")
	if err != nil {
		return err
	}
	if !who.Can("security", team, environment) {
		return fault.New(fault.KindDenied, "experiment.denied", "approving the cases of a gate needs the role security for team %q in %q", team, environment).WithHint("`reeve gate cases %s` shows what they have to look at", agent)
	}
	if seen.Version == 0 {
		return invalid("data set %s has no case that could be approved", dataset)
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		g, ok, err := b.gateSet(ctx, tx, agent)
		if err != nil {
			return err
		}
		if !ok || g.Dataset != dataset {
			return fault.New(fault.KindConflict, "experiment.conflict", "data set %s is not the gate of agent %s", dataset, agent).WithHint("`reeve gate set %s --dataset NAME` names it", agent)
		}
		was := g.Version
		g.Approved = seen
		g.By, g.Seen = who.Name, b.o.Now().UTC().Truncate(time.Microsecond)
		if err := g.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.gate_set", Person: who.Person, Via: who.Via, Action: "approve", Object: agent, Before: was, After: map[string]any{"dataset": dataset, "approved_version": g.Version, "approved_cases": g.Cases}})
	})
}

// Outcomes of a gate.
const (
	GatePassed     = "passed"     // and promoted
	GateRefused    = "refused"    //
	GateOverridden = "overridden" // promoted although it did not pass, or without asking
)

// GateResult is what a gate came to, with the list as it was.
type GateResult struct {
	ID, Agent, Outcome string
	At                 time.Time
	Body               json.RawMessage
}

// KeepGate keeps a gate's result beside its record in the audit log, whose checkpoints
// sign it: in the transaction of what it led to.
func (b *Book) KeepGate(ctx context.Context, tx *control.Tx, who Actor, agent, outcome, reason string, body any) (id string, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	id = "gat_" + strings.ToLower(rand.Text()[:24])
	if _, err := tx.Exec(ctx, `INSERT INTO gate_results (id, agent, outcome, body, at) VALUES (?, ?, ?, ?, ?)`, id, agent, outcome, string(text), control.Micros(b.o.Now())); err != nil {
		return "", err
	}
	return id, audit.Append(ctx, tx, audit.Record{Kind: "admin.agent_gate", Person: who.Person, Via: who.Via, Action: outcome, Object: agent, Reason: reason, After: json.RawMessage(text)})
}

// Gates are what an agent's gate came to, the newest first.
func (b *Book) Gates(ctx context.Context, agent string, limit int) ([]GateResult, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (g GateResult, err error) {
		var text string
		var at int64
		err = r.Scan(&g.ID, &g.Agent, &g.Outcome, &text, &at)
		g.Body, g.At = json.RawMessage(text), control.Time(at)
		return g, err
	}, `SELECT id, agent, outcome, body, at FROM gate_results WHERE agent = ? ORDER BY at DESC, id LIMIT ?`, agent, limit)
}

// TestRuns are the runs of an agent's tests since a time.
func (b *Book) TestRuns(ctx context.Context, agent string, since time.Time) (map[activity.RunID]bool, error) {
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (id string, err error) { return id, r.Scan(&id) },
		`SELECT run FROM experiment_results WHERE run <> '' AND experiment IN (SELECT id FROM experiments WHERE agent = ? AND at >= ?) LIMIT 100000`, agent, control.Micros(since.Add(-maxExperiment)))
	if err != nil {
		return nil, err
	}
	out := map[activity.RunID]bool{}
	for _, text := range all {
		if id, err := activity.ParseRunID(text); err == nil {
			out[id] = true
		}
	}
	return out, nil
}

// Newest is the newest experiment of an agent on a data set, whoever may see it.
func (b *Book) Newest(ctx context.Context, agent, dataset string) (Experiment, bool, error) {
	return control.One(ctx, b.o.DB, scanExperiment, `SELECT `+experimentColumns+` FROM experiments WHERE agent = ? AND dataset = ? AND kind = 'golden' ORDER BY at DESC, id LIMIT 1`, agent, dataset)
}

// Pass is a gate that was passed.
type Pass struct {
	Agent, Dataset string
	Version        int64 // of the data set; 0 was not kept
	At             time.Time
}

const maxPasses = 10_000 // that are read together

// Passes lists the gates that were passed since a time, the oldest first, with the data
// sets that they were passed on; cut says that there are later ones.
func (b *Book) Passes(ctx context.Context, since time.Time) (out []Pass, cut bool, err error) {
	out, err = control.All(ctx, b.o.DB, func(r control.Row) (p Pass, err error) {
		var text string
		var at int64
		if err := r.Scan(&p.Agent, &text, &at); err != nil {
			return p, err
		}
		var body struct {
			Dataset string `json:"dataset"`
			Version int64  `json:"dataset_version"`
		}
		err = json.Unmarshal([]byte(text), &body)
		p.At, p.Dataset, p.Version = control.Time(at), body.Dataset, body.Version
		return p, err
	}, `SELECT agent, body, at FROM gate_results WHERE outcome = ? AND at >= ? ORDER BY at LIMIT ?`, GatePassed, control.Micros(since), maxPasses+1)
	return out[:min(len(out), maxPasses)], len(out) > maxPasses, err
}
