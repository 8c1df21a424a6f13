package duck

import (
	"os"
	"testing"

	"reeve/internal/telemetry"
	"reeve/internal/telemetry/telemetrytest"
)

// TestMain lets the test binary be the query child and the process that
// TestAppendSurvivesKill kills.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "query-child":
		os.Exit(ChildMain(nil, os.Stdin, os.Stdout))
	case len(os.Args) > 1 && os.Args[1] == "append-child":
		os.Exit(appendChild(os.Args[2]))
	}
	os.Exit(m.Run())
}

func openTest(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	telemetrytest.Run(t, func(t *testing.T) telemetry.Store { return openTest(t, Options{}) })
}
