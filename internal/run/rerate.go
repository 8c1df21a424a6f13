package run

import (
	"context"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// exchangeTries is how often an exchange is built again because runs got news.
const exchangeTries = 4

// exchangeNotes bounds how many runs live views are told of.
const exchangeNotes = 500

// Exchange brings other costs of stored calls into force, all at once; runs in
// memory follow. What is apart afterwards was not changed: such runs move, or
// their rows tell something else, and Rerate folds them.
func (r *Reader) Exchange(ctx context.Context, x telemetry.Exchange) error {
	for range exchangeTries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		r.mu.Lock()
		r.skipMoving(x)
		r.mu.Unlock()
		if err := x.Build(); err != nil {
			return err
		}
		if done, err := r.exchange(x); done || err != nil {
			return err
		}
	}
	x.Runs(x.Skip)
	return nil
}

// skipMoving sets runs apart of which the store does not have everything. r.mu
// is held.
func (r *Reader) skipMoving(x telemetry.Exchange) (some bool) {
	x.Runs(func(id activity.RunID) {
		_, decided := r.decisions[id]
		if l := r.runs[id]; decided || l != nil && !r.clean(l) {
			x.Skip(id)
			some = true
		}
	})
	return some
}

// exchange commits what was built. The lock is held for all of it: nobody reads a
// step of before beside a row of after.
func (r *Reader) exchange(x telemetry.Exchange) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.skipMoving(x) {
		return false, nil
	}
	name := func(d *telemetry.RollupDelta) {
		k := r.variety.fold(shareKey{d.Minute, d.Family, d.Agent, d.Team, d.Environment, d.Key})
		d.Agent, d.Key = k.agent, k.key
	}
	done, err := x.Commit(name, func(id activity.RunID, revision uint32) {
		l := r.runs[id]
		if l == nil {
			return
		}
		l.revision = max(l.revision, revision)
		if !l.noted && r.o.Notify != nil && len(r.dirty) < exchangeNotes {
			l.noted = true
			r.dirty = append(r.dirty, l)
		}
	})
	if !done || err != nil {
		return false, err
	}
	return true, x.Each(func(c *telemetry.Recost, apart bool) error {
		if apart {
			return nil
		}
		r.held.take(c.Step) // as it was before
		if l := r.runs[c.Run]; l != nil {
			if i := l.find(c.Step); i != none && l.steps[i].usage != none {
				l.usages[l.steps[i].usage].costs(l, r.names, c.New)
			}
		}
		return nil
	})
}

// Rerate gives calls of a run other costs, as if they had been priced so when
// they came: the steps get another revision, and row and rollups follow with the
// same write. It returns when memory has the change; the store has it soon after.
// Costs that their sender gave stay. It tells how many calls changed.
func (r *Reader) Rerate(ctx context.Context, id activity.RunID, costs map[activity.StepID]activity.Cost) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.cur.full(&r.o) {
		r.poke()
		r.changed.Wait()
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	was := r.runs[id] != nil
	r.rerating = true
	defer func() { r.rerating, r.reread = false, nil }()
	l, err := r.find(ctx, id)
	if err != nil || l == nil {
		return 0, err // gone by retention
	}
	if err := holdSteps(ctx, r, l, costs); err != nil {
		return 0, err
	}
	n := 0
	for step, c := range costs {
		i := l.find(step)
		if i == none || !l.steps[i].is(bitSeen) || l.steps[i].usage == none {
			continue
		}
		s, err := r.open(ctx, l, i)
		if err != nil {
			return n, err
		}
		if s.Cost.Basis == activity.CostProvider || s.ReportedCost.Basis == activity.CostProvider {
			continue
		}
		r.retract(l, i)
		s.Cost = c
		l.usages[l.steps[i].usage].costs(l, r.names, c)
		n++
	}
	if n > 0 {
		l.rowAt = 0 // its row is due with this write
		r.mark(l)
	}
	if !was && n > 0 {
		// It came back for this alone and may leave again.
		l.unlink()
		r.finished.push(l)
	}
	return n, nil
}

// holdSteps reads the stored steps of a run at once rather than one by one.
func holdSteps[V any](ctx context.Context, r *Reader, l *live, wanted map[activity.StepID]V) error {
	missing := len(r.reread)
	for step := range wanted {
		if i := l.find(step); i != none && r.pending(&l.steps[i]) == nil && r.held.steps[step] == nil {
			missing++
		}
	}
	if missing < 2 {
		return nil
	}
	steps := r.reread
	if steps == nil {
		var err error
		if steps, err = retry(ctx, r, "reading the steps of a run", func() ([]activity.Step, error) { return r.o.Store.Steps(ctx, l.id) }); err != nil {
			return err
		}
	}
	for k := range steps {
		s := &steps[k]
		if _, ok := wanted[s.Step]; !ok {
			continue
		}
		if i := l.find(s.Step); i != none && r.pending(&l.steps[i]) == nil && r.held.steps[s.Step] == nil {
			r.held.put(keep(s))
		}
	}
	return nil
}
