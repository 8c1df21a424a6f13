package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// unwind runs every step once, in reverse order, even when one fails or the
// time is up: a store that was not closed is worse than a late stop. A second
// call finds nothing left to do.
func (s *stack) unwind(ctx context.Context, log *slog.Logger) error {
	s.mu.Lock()
	steps := s.undo
	s.undo = nil
	s.mu.Unlock()
	var errs []error
	for _, u := range slices.Backward(steps) {
		began := time.Now()
		if err := u.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", u.name, err))
		}
		log.Debug("stopped", "part", u.name, "took", time.Since(began))
	}
	return errors.Join(errs...)
}
