package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// stoppedBy is why an experiment stopped that a person ended.
const stoppedBy = "stopped by a person"

var (
	errStopped = errors.New(stoppedBy)
	errTooLong = errors.New("too long")
)

// Interrupted is why an experiment failed that the end of the process, or a crash, cut
// short; before it was said of crashes, those have no reason.
const Interrupted = "Reeve ended while it was underway"

// Stop ends an experiment; what it found stays.
func (b *Book) Stop(ctx context.Context, who Actor, id string) error {
	x, err := b.Get(ctx, who, id)
	if err != nil {
		return err
	}
	if _, _, _, err := b.place(who, x.Agent, "developer"); err != nil {
		return err
	}
	waited := b.unqueue(id, x.State)
	if waited == nil {
		return nil
	}
	// It is said at once, and not when the ones before it are through.
	waited.State, waited.Why, waited.EndedAt = Stopped, stoppedBy, b.o.Now().UTC().Truncate(time.Microsecond)
	b.finished(ctx, waited)
	b.drilled(ctx, waited, false)
	return b.keep(ctx, waited)
}

// unqueue has an experiment stop: one that waits is taken out of the queue and returned.
func (b *Book) unqueue(id, state string) *Experiment {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cancel := b.stop[id]; cancel != nil {
		cancel(errStopped)
		return nil
	}
	for i, w := range b.waiting {
		if w.ID == id {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			return w
		}
	}
	if state == Waiting {
		b.stop[id] = func(error) {} // it was just taken up
	}
	return nil
}

// enqueue has an experiment carried out when it is its turn. One team cannot take
// the whole queue.
func (b *Book) enqueue(x *Experiment) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := 0
	for _, w := range b.waiting {
		if w.Team == x.Team {
			own++
		}
	}
	if len(b.waiting) >= maxWaiting || own >= maxOfTeam {
		return fault.New(fault.KindExhausted, "experiment.too_many", "%d experiments wait already, %d of team %q; at most %d and %d may", len(b.waiting), own, x.Team, maxWaiting, maxOfTeam).WithHint("try again when one is done")
	}
	b.waiting = append(b.waiting, x)
	select {
	case b.woken <- struct{}{}:
	default: // it is told already
	}
	return nil
}

// next takes the experiment whose turn it is: the oldest of the team of which none
// was taken up for the longest time.
func (b *Book) next() *Experiment {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := -1
	for i, w := range b.waiting {
		if at < 0 || b.served[w.Team] < b.served[b.waiting[at].Team] {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	x := b.waiting[at]
	b.waiting = slices.Delete(b.waiting, at, at+1)
	b.turn++
	b.served[x.Team] = b.turn
	return x
}

// Run carries experiments out, one after the other, starts bias plans that are due,
// and forgets old answers, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	first := time.NewTimer(firstLook)
	defer first.Stop()
	for {
		for x := b.next(); x != nil && ctx.Err() == nil; x = b.next() {
			b.One(ctx, x)
			b.Look(ctx)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.woken:
		case <-b.due:
			b.Look(ctx)
		case <-first.C: // what was due while nobody was there, or was broken off
			b.Look(ctx)
		case <-tick.C:
			b.Look(ctx)
		}
	}
}

// Look does what is due at a time: old answers go, plans start. Run does it by itself.
func (b *Book) Look(ctx context.Context) {
	if err := b.forgetOld(ctx); err != nil && ctx.Err() == nil {
		b.o.Logger.Warn("old answers of experiments could not be forgotten", "err", err)
	}
	if err := b.plansDue(ctx); err != nil && ctx.Err() == nil {
		b.o.Logger.Warn("bias plans could not be looked at", "err", err)
	}
	if err := b.drillsDue(ctx); err != nil && ctx.Err() == nil {
		b.o.Logger.Warn("failover drills could not be looked at", "err", err)
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
		x.State, x.Why = Stopped, stoppedBy
	case errors.Is(context.Cause(run), errTooLong):
		x.State, x.Why = Stopped, fmt.Sprintf("it took longer than %s", maxExperiment)
	case err != nil && ctx.Err() != nil:
		x.State, x.Why = Failed, Interrupted
	case err != nil:
		x.State, x.Why = Failed, fault.From(err).Message
	default:
		x.State = Done
	}
	b.finished(context.WithoutCancel(ctx), x)
	b.drilled(context.WithoutCancel(ctx), x, x.State == Failed && ctx.Err() != nil)
	// Also when the process ends: it would be found underway for ever.
	if err := b.keep(context.WithoutCancel(ctx), x); err != nil {
		b.o.Logger.Error("what an experiment came to could not be kept", "experiment", x.ID, "err", err)
	}
}

func (b *Book) carryOut(ctx context.Context, x *Experiment) error {
	tasks, err := b.tasksOf(ctx, x)
	if err != nil {
		return err
	}
	switch x.Kind {
	case ProofKind:
		return b.prove(ctx, x, tasks)
	case DrillKind:
		return b.drill(ctx, x, tasks)
	}
	target, err := b.Target(ctx, x.Agent)
	if err != nil {
		return err
	}
	seq := 0
	for repeat := range x.Repeats {
		for i := range tasks {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r, err := b.try(ctx, x, &target, &tasks[i], "")
			if err != nil {
				return err
			}
			r.Repeat = repeat
			seq++
			if err := b.record(ctx, x, seq, r); err != nil {
				return err
			}
			if !r.Valid {
				return unguarded(&r)
			}
		}
	}
	return nil
}

// unguarded ends an experiment: the door saw nothing of one of its tests as such. What
// its tools did, nobody knows, and it is not done again.
func unguarded(r *Result) error {
	return fault.New(fault.KindDenied, "experiment.unguarded", "a test did not come through the door as one: %s", r.Why)
}

// try puts one task to the agent, where down is not "" with that upstream taken as down.
func (b *Book) try(ctx context.Context, x *Experiment, target *Target, task *Task, down string) (Result, error) {
	r := Result{Experiment: x.ID, Item: task.Item, Pair: task.Pair, Group: task.Group, At: b.o.Now().UTC().Truncate(time.Microsecond)}
	var recording *Recording
	if task.Run != "" {
		var err error
		if recording, err = b.o.Recording(ctx, task.Run); err != nil {
			return r, err
		}
	}
	t := b.Tests.open(x.Agent, target, recording, down)
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
	t.tell(&r)
	if x.Kind != DrillKind {
		r.Upstreams, r.Cost = nil, nil // a golden task's is in the run
	}
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
	if strings.TrimSpace(r.Answer) == "" { // it has no wrong word either, and must not pass for that
		r.Failed, r.Why = true, "it answered nothing"
		return r, nil
	}
	for _, call := range r.Refused {
		// What policy refuses is what users would meet; what a test refuses has no end.
		if strings.HasPrefix(call, "test.upstream_down") {
			r.Failed, r.Why = true, "no fallback took a call over: "+call
			return r, nil
		}
		if strings.HasPrefix(call, "test.") {
			r.Failed, r.Stopped = true, true
			r.Why = "the test stops at a call that is not in the recording: " + call
			return r, nil
		}
	}
	return r, b.look(ctx, x, task, &r)
}

// look says whether an answer passes: every check that has something to say has to.
func (b *Book) look(ctx context.Context, x *Experiment, task *Task, r *Result) error {
	if x.Kind == tryKind {
		r.Passed = true // it answered, as a test: nothing more was asked
		return nil
	}
	if x.Kind == BiasKind {
		low := strings.ToLower(r.Answer)
		r.Passed = slices.ContainsFunc(x.Bias.Favours, func(w string) bool { return strings.Contains(low, strings.ToLower(w)) })
		return nil
	}
	agrees := near
	if x.Kind == AuditKind {
		agrees = b.o.Agrees
	}
	r.Checks = checkWords(task, r.Answer, agrees)
	if task.Private {
		// Whose question it was may be erased, and nobody would find this answer then. Its
		// run has it, as long as content is kept.
		r.Answer = ""
	}
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
		_, err = tx.Exec(ctx, `INSERT INTO experiment_results (experiment, seq, item, passed, valid, failed, pair, side, run, cost_nanos, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			x.ID, seq, r.Item, r.Passed && r.Valid, r.Valid, r.Failed || r.Answer == "" && x.Kind != ProofKind && x.Kind != AuditKind && x.Kind != DrillKind, r.Pair, r.Group, r.RunID, r.Cost, string(text))
		return err
	})
}
