package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A part that does not stop must not keep the others from being closed, nor the
// process from its end.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const within = 10 * time.Second
		var s stack
		var closed []string
		release := make(chan struct{})
		step := func(name string, stop func(context.Context) error) {
			s.push(name, func(ctx context.Context) error {
				err := stop(ctx)
				closed = append(closed, name)
				return err
			})
		}
		well := func(context.Context) error { return nil }
		step("folder", well)
		step("control", func(context.Context) error { return errors.New("disk on fire") })
		step("polite", func(ctx context.Context) error { <-ctx.Done(); return nil }) // its time is up at once
		s.push("stuck", func(context.Context) error { <-release; return nil })
		step("slow", func(context.Context) error { <-time.After(8 * time.Second); return nil })
		began := time.Now()
		err := s.unwind(t.Context(), within, slog.New(slog.DiscardHandler))
		if took := time.Since(began); took > within+lastGrace || took < within {
			t.Errorf("the stop took %v, want the %v that one step used up and a little", took, within)
		}
		if want := []string{"slow", "polite", "control", "folder"}; !slices.Equal(closed, want) {
			t.Errorf("closed %v, want %v", closed, want)
		}
		if err == nil || !strings.Contains(err.Error(), "stopping stuck") || !strings.Contains(err.Error(), "disk on fire") || strings.Contains(err.Error(), "polite") {
			t.Errorf("the stop says %v", err)
		}
		if err := s.unwind(t.Context(), within, slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("a second stop says %v", err)
		}
		close(release)
	})
}

func TestLoopsAreWaitedForSoLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r running
		release := make(chan struct{})
		r.start("quick", func() {})
		r.start("stuck", func() { <-release })
		r.start("slow", func() { <-time.After(time.Second) })
		began := time.Now()
		if left := r.wait(5 * time.Second); !slices.Equal(left, []string{"stuck"}) || time.Since(began) != 5*time.Second {
			t.Errorf("after %v these are left: %v", time.Since(began), left)
		}
		close(release)
		if left := r.wait(5 * time.Second); left != nil {
			t.Errorf("these are left: %v", left)
		}
	})
}
