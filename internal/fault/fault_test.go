package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	f := New(KindExhausted, "intake.backpressure", "the log is %d %% full", 80).WithHint("send again later").WithCause(io.ErrShortWrite)
	wrapped := fmt.Errorf("publishing batch 7: %w", f)

	got := From(wrapped)
	if got != f {
		t.Errorf("From(wrapped) = %v, want the fault inside it", got)
	}
	if !errors.Is(wrapped, io.ErrShortWrite) {
		t.Error("the cause is not reachable through errors.Is")
	}
	if !Is(wrapped, KindExhausted) || Is(wrapped, KindInternal) {
		t.Error("Is does not see the kind")
	}
	if From(nil) != nil {
		t.Error("From(nil) is not nil")
	}
	plain := From(io.EOF)
	if plain.Kind != KindInternal || plain.Message == io.EOF.Error() {
		t.Errorf("From(io.EOF) = %+v: an unknown cause must be internal and must not be shown", plain)
	}
}

// With* copy: a shared fault never changes under another caller.
func TestCopies(t *testing.T) {
	t.Parallel()
	base := New(KindInvalid, "a.b", "m")
	_ = base.WithHint("h")
	_ = base.WithCause(io.EOF)
	if base.Hint != "" || base.Cause != nil {
		t.Errorf("base changed: %+v", base)
	}
}

func TestKindTable(t *testing.T) {
	t.Parallel()
	for k := KindInternal; k <= KindUnavailable; k++ {
		if k.String() == "" || k.HTTPStatus() < 400 || k.GRPCCode() == 0 || k.ExitCode() == 0 {
			t.Errorf("kind %d is not whole: %q %d %d %d", k, k, k.HTTPStatus(), k.GRPCCode(), k.ExitCode())
		}
	}
}
