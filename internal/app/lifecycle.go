package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// stack holds how to undo what was built, so that a half-finished New unwinds
// the same way as a finished App stops: last built, first undone.
type stack struct {
	mu   sync.Mutex
	undo []undoStep
}

type undoStep struct {
	name string
	stop func(context.Context) error
}

func (s *stack) push(name string, stop func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undo = append(s.undo, undoStep{name, stop})
}

// lastGrace is what the steps that are left have together once the time is up: a
// store that was not closed is worse than a late stop, but not than none.
const lastGrace = 5 * time.Second

// unwind runs every step once, in reverse order, even when one fails. For one that
// does not return within the time the others do not wait: it is named, and left to
// the end of the process. A second call finds nothing left to do.
func (s *stack) unwind(ctx context.Context, within time.Duration, log *slog.Logger) error {
	s.mu.Lock()
	steps := s.undo
	s.undo = nil
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	last := time.NewTimer(within + lastGrace)
	defer last.Stop()
	var errs []error
	over := false // the last grace, too
	for _, u := range slices.Backward(steps) {
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- u.stop(ctx) }()
		var err error
		late := false
		switch {
		case over:
			// Closing what is quick to close costs nothing.
			select {
			case err = <-done:
			case <-time.After(10 * time.Millisecond):
				late = true
			}
		case ctx.Err() == nil:
			select {
			case err = <-done:
			case <-ctx.Done():
				// It was told; one that ends by that is waited for a little.
				select {
				case err = <-done:
				case <-time.After(lastGrace / 5):
					late = true
				}
			}
		default:
			select {
			case err = <-done:
			case <-last.C:
				late, over = true, true
			}
		}
		if late {
			err = fmt.Errorf("it did not end within %s", within)
			log.Error("part did not stop in time", "part", u.name, "took", time.Since(began))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", u.name, err))
		}
		log.Debug("stopped", "part", u.name, "took", time.Since(began))
	}
	return errors.Join(errs...)
}

// running are the loops that have not ended, by name.
type running struct {
	mu    sync.Mutex
	names map[string]bool
	group sync.WaitGroup
}

// start runs a loop until it returns.
func (r *running) start(name string, loop func()) {
	r.mu.Lock()
	if r.names == nil {
		r.names = map[string]bool{}
	}
	r.names[name] = true
	r.mu.Unlock()
	r.group.Go(func() {
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.names, name)
		}()
		loop()
	})
}

// wait returns once all loops have ended, or after the time with the names of those
// that have not.
func (r *running) wait(within time.Duration) []string {
	done := make(chan struct{})
	go func() { r.group.Wait(); close(done) }()
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-done:
		return nil
	case <-t.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.names))
}
