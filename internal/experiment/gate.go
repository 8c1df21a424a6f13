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
	Least   int64 // cases that it has to have
	Person  string
	At      time.Time
}

const (
	usualLeast = 5
	maxLeast   = 500 // that an experiment can run
)

func scanGateSet(r control.Row) (g GateSet, err error) {
	var at int64
	err = r.Scan(&g.Agent, &g.Dataset, &g.Least, &g.Person, &at)
	g.At = control.Time(at)
	return g, err
}

// GateSet is an agent's, if it has one.
func (b *Book) GateSet(ctx context.Context, agent string) (GateSet, bool, error) {
	return control.One(ctx, b.o.DB, scanGateSet, `SELECT agent, dataset, least, person, at FROM gate_sets WHERE agent = ?`, agent)
}

// PutGateSet says on whose cases an agent has to pass. The first one a developer of
// its place may name; another one, or fewer cases, is security's: it would be the way
// around the gate.
func (b *Book) PutGateSet(ctx context.Context, who Actor, g GateSet) (GateSet, error) {
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
		was, known, err := control.One(ctx, tx, scanGateSet, `SELECT agent, dataset, least, person, at FROM gate_sets WHERE agent = ?`, g.Agent)
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
		if _, err := tx.Exec(ctx, `INSERT INTO gate_sets (agent, dataset, least, person, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET dataset = excluded.dataset, least = excluded.least, person = excluded.person, at = excluded.at`,
			g.Agent, g.Dataset, g.Least, g.Person, control.Micros(g.At)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.gate_set", Person: who.Person, Via: who.Via, Action: "put", Object: g.Agent, Before: was.Dataset, After: map[string]any{"dataset": g.Dataset, "least": g.Least}})
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
