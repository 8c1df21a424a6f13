package run

import (
	"context"
	"slices"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// An outcome is decided hours or days after its run ended, of thousands of runs at
// once. Bringing each back into memory with its steps would cost milliseconds a
// run for one word; its row alone is read and written as the next revision. A run
// that comes back before that row is in the store learns of it from decided.

// decided is an outcome whose row is in a write that may not be in the store yet.
type decided struct {
	outcome  string
	labelled bool
	revision uint32
	write    uint32
}

// settled takes over what was decided of a run's outcome. Nothing else of the
// run moves: it is not younger for it, and a run that nobody knows stays so.
func (r *Reader) settled(ctx context.Context, s *activity.Settled) error {
	l := r.runs[s.Run]
	if l == nil && s.Outcome == "" { // what the run itself reported is in its steps
		var err error
		if l, err = r.find(ctx, s.Run); err != nil {
			return err
		}
	}
	switch {
	case l == nil:
		return r.settleRow(ctx, s)
	case l.settled == s.Outcome && l.labelled == s.Labelled:
		return nil
	}
	l.settled, l.labelled = r.names.get(s.Outcome), s.Labelled
	l.rowAt = 0 // it is written with the next write
	r.mark(l)
	return nil
}

// settleRow writes the outcome onto the row of a run that is not in memory.
func (r *Reader) settleRow(ctx context.Context, s *activity.Settled) error {
	if !r.o.Store.HasRun(s.Run) {
		return nil
	}
	row, err := retry(ctx, r, "reading a run", func() (*activity.Run, error) {
		row, err := r.o.Store.Run(ctx, s.Run)
		if fault.Is(err, fault.KindNotFound) {
			return nil, nil
		}
		return row, err
	})
	if err != nil || row == nil {
		return err
	}
	before, ahead := r.decisions[s.Run]
	if ahead {
		row.Revision = max(row.Revision, before.revision)
		row.Outcome = before.outcome
		row.Flags = settledFlags(row.Flags, before.labelled)
	}
	if row.Flags == settledFlags(row.Flags, s.Labelled) && row.Outcome == s.Outcome {
		return nil
	}
	row.Outcome = r.names.get(s.Outcome)
	row.Flags = settledFlags(row.Flags, s.Labelled)
	if ahead && before.write == r.cur.number {
		r.dropRow(s.Run)
	} else {
		row.Revision++
	}
	r.cur.Runs = append(r.cur.Runs, *row)
	if r.cur.since.IsZero() {
		r.cur.since = r.o.Now()
	}
	r.decisions[s.Run] = decided{row.Outcome, s.Labelled, row.Revision, r.cur.number}
	if r.o.Notify != nil {
		r.others = append(r.others, Note{
			ID: row.ID, Status: row.Status, Agent: row.Agent, Team: row.Team, Environment: row.Environment,
			Session: row.Session, Steps: row.Steps, Updated: row.Updated,
		})
	}
	return nil
}

// settledFlags are a run's flags once its outcome is decided.
func settledFlags(f activity.Flag, labelled bool) activity.Flag {
	f = f&^activity.FlagLabelled | activity.FlagSettled
	if labelled {
		f |= activity.FlagLabelled
	}
	return f
}

// dropRow takes a run's row out of the current write.
func (r *Reader) dropRow(id activity.RunID) {
	r.cur.Runs = slices.DeleteFunc(r.cur.Runs, func(x activity.Run) bool { return x.ID == id })
}

// recallSettled gives a run that comes back what was decided of it and is not in
// the store yet.
func (r *Reader) recallSettled(l *live, row *activity.Run) {
	if row.Flags&activity.FlagSettled != 0 {
		l.settled, l.labelled = row.Outcome, row.Flags&activity.FlagLabelled != 0
	}
	d, ok := r.decisions[l.id]
	if !ok {
		return
	}
	l.settled, l.labelled, l.revision = d.outcome, d.labelled, max(l.revision, d.revision)
	if d.write == r.cur.number {
		r.dropRow(l.id)
		l.rowAt = 0
		r.mark(l)
	}
}

// forgetSettled drops what the store has by now.
func (r *Reader) forgetSettled() {
	for id, d := range r.decisions {
		if d.write <= r.stored {
			delete(r.decisions, id)
		}
	}
}
