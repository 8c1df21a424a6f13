package approval

import (
	"context"
	"maps"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Takeover is a run that a person finishes instead of its agent: its further
// calls are held.
type Takeover struct {
	Run      string
	Approval string
	Agent    string
	Person   string
	Name     string
	At       time.Time
	Until    time.Time
}

// CodeTaken is the reason of verdicts that hold because a person took the run
// over.
const CodeTaken = "approval.run_taken"

// takenFor is how long a run stays with a person who does not give it back.
const takenFor = 24 * time.Hour

// Taken is who took a run over; nil for nobody. It reads memory alone: it is
// asked on every call.
func (b *Book) Taken(run string) *Takeover {
	m := *b.runs.Load()
	if len(m) == 0 {
		return nil
	}
	t := m[run]
	if t != nil && !b.now().Before(t.Until) {
		return nil
	}
	return t
}

// AnyTaken reports whether any run is taken over: mostly none is.
func (b *Book) AnyTaken() bool { return len(*b.runs.Load()) > 0 }

func (b *Book) loadRuns(ctx context.Context) error {
	list, err := control.All(ctx, b.db, func(r control.Row) (*Takeover, error) {
		t := &Takeover{}
		var at, until int64
		err := r.Scan(&t.Run, &t.Approval, &t.Agent, &t.Person, &t.Name, &at, &until)
		t.At, t.Until = control.Time(at), control.Time(until)
		return t, err
	}, `SELECT run, approval, agent, person, name, at, until_at FROM approval_runs WHERE until_at > ?`, control.Micros(b.now()))
	if err != nil {
		return err
	}
	m := make(map[string]*Takeover, len(list))
	for _, t := range list {
		m[t.Run] = t
	}
	b.runs.Store(&m)
	return nil
}

// TakenRuns lists the runs that people took over and have not given back.
func (b *Book) TakenRuns() []*Takeover {
	var out []*Takeover
	for _, t := range *b.runs.Load() {
		if b.now().Before(t.Until) {
			out = append(out, t)
		}
	}
	return out
}

// setRun changes one run of the map that calls read.
func (b *Book) setRun(run string, t *Takeover) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := maps.Clone(*b.runs.Load())
	if t == nil {
		delete(m, run)
	} else {
		m[run] = t
	}
	b.runs.Store(&m)
}

// TakeOver ends an approval by a person who acts instead of the agent. answer is
// what the agent gets as the action's result; nil refuses it. With keep the
// run's further calls are held until the person gives it back.
func (b *Book) TakeOver(ctx context.Context, id string, p Person, answer *Answer, keep bool) (*Approval, error) {
	return b.answer(ctx, id, p, "takeover", func(tx *control.Tx, a *Approval, _ *Vote) error {
		if answer != nil {
			a.answer = b.keys.box(a.ID, "answer", answer)
		}
		if !keep || a.Ask.Run == "" {
			return nil
		}
		now := b.now().UTC().Truncate(time.Microsecond)
		t := &Takeover{Run: a.Ask.Run, Approval: a.ID, Agent: a.Ask.Agent, Person: p.ID, Name: p.Name, At: now, Until: now.Add(takenFor)}
		if _, err := tx.Exec(ctx, `INSERT INTO approval_runs (run, approval, agent, person, name, at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (run) DO UPDATE SET approval = excluded.approval, agent = excluded.agent, person = excluded.person, name = excluded.name, at = excluded.at, until_at = excluded.until_at`,
			t.Run, t.Approval, t.Agent, t.Person, t.Name, control.Micros(t.At), control.Micros(t.Until)); err != nil {
			return err
		}
		tx.AfterCommit(func() { b.setRun(t.Run, t) })
		return nil
	})
}

// GiveBack lets a run's agent go on.
func (b *Book) GiveBack(ctx context.Context, id string, p Person) (*Approval, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	var out *Approval
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		a, err := b.read(ctx, tx, id)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM approval_runs WHERE run = ? AND approval = ?`, a.Ask.Run, a.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "approval.not_taken", "nobody took the run over by this approval")
		}
		out = a
		a.Reason = p.Reason
		tx.AfterCommit(func() { b.setRun(a.Ask.Run, nil) })
		return b.record(ctx, tx, a, "given_back", p.ID, map[string]any{"run": a.Ask.Run})
	})
	return out, err
}

// tell records that an agent asks for too much, and tells live views.
func (b *Book) tell(ctx context.Context, tx *control.Tx, a *Approval, code string) error {
	if err := audit.Append(ctx, tx, audit.Record{Kind: "approval.flood", Person: "reeve", Action: "flood", Object: a.Ask.Agent, After: map[string]any{
		"code": code, "resource": a.Ask.Resource, "run": a.Ask.Run,
	}, Reason: a.Reason}); err != nil {
		return err
	}
	data, err := notice(a)
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "approval.flood", Object: a.Ask.Agent, Data: data})
}
