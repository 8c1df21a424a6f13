package bench_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"reeve/internal/bench"
	"reeve/internal/cli"
)

// TestMain lets the test binary be the server that is measured, and its query child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == "query-child") {
		os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// A server of its own is killed at each step between claiming a call and noting what
// came of it: a receiver that takes a key has one alert, another at most one message,
// and what is not known to have arrived is shown so and calls the next level.
func TestPagingOverKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	var log bytes.Buffer
	s, err := bench.NewServer("", filepath.Join(t.TempDir(), "data"), &log)
	if err != nil {
		t.Fatal(err)
	}
	r, err := bench.Paging(t.Context(), bench.PagingOptions{Server: s, Rounds: 1, Incidents: 2})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	var text bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	unknown := 0
	for _, x := range r.Rows {
		if x.Kills != 1 || x.Incidents == 0 || x.Once+x.Never != x.Incidents {
			t.Errorf("%+v", x)
		}
		unknown += x.Unknown
	}
	// The kills come where they should: between claim and note there is what nobody knows.
	if unknown == 0 {
		t.Error("no kill left a call unknown")
	}
}
