package run

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
)

// TestMain lets the test binary be the engine's query child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "query-child" {
		os.Exit(duck.ChildMain(nil, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// engine writes to the embedded engine and to memory, and reads from the
// engine: what that forgets of a step makes a reload go wrong.
type engine struct {
	telemetry.Store
	memory *memory
}

func (e *engine) Append(ctx context.Context, w *telemetry.Write) error {
	if err := e.memory.Append(ctx, w); err != nil {
		return err
	}
	return e.Store.Append(ctx, w)
}

func TestAnyOrderOnTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("writes many segments")
	}
	t.Parallel()
	for seed := range 10 {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		story := randomStory(rng)
		want := play(t, rng, story, false)
		d, err := duck.Open(duck.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		e := &engine{d, newMemory()}
		got := playOn(t, rng, story, true, e.memory, e)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-in order +shuffled):\n%s", seed, diff)
		}
		for id, steps := range e.memory.steps {
			stored, err := d.Steps(t.Context(), id)
			if err != nil || len(stored) != len(steps) {
				t.Fatalf("seed %d: the engine has %d steps of %d: %v", seed, len(stored), len(steps), err)
			}
			for i := range stored {
				if s := &stored[i]; s.Revision != steps[s.Step].Revision || s.Counted != steps[s.Step].Counted {
					t.Errorf("seed %d: step %v: revision %d, want %d", seed, s.Step, s.Revision, steps[s.Step].Revision)
				}
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
