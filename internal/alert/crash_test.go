package alert

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/control/controltest"
)

// What Take returned nil for survives kill -9, and a state that was told stands.
func TestKilled(t *testing.T) {
	t.Parallel()
	if file := os.Getenv("ALERT_CRASH_FILE"); file != "" {
		takeUntilKilled(file)
		return
	}
	file := filepath.Join(t.TempDir(), "control.db")
	acked := map[string]string{} // by key, the last state that was acknowledged
	for round := range 4 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "ALERT_CRASH_FILE="+file, fmt.Sprintf("ALERT_CRASH_ROUND=%d", round))
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			key, state, ok := strings.Cut(lines.Text(), " ")
			if !ok || state != Firing && state != Resolved {
				t.Fatalf("the child says %q", lines.Text())
			}
			acked[key] = state
			if n == 200+60*round { // what it still says was acknowledged too
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait() // it was killed
	}
	db, err := controltest.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b, err := New(t.Context(), Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for key, state := range acked {
		d, err := b.Get(t.Context(), ID("crash", key))
		// A word that was not acknowledged may have been kept: a later state is no loss.
		if err != nil || state == Resolved && d.State != Resolved {
			lost++
			t.Logf("%s was %s: %v %v", key, state, d.State, err)
		}
	}
	if lost > 0 || len(acked) < 500 {
		t.Errorf("%d of %d acknowledged alerts are lost", lost, len(acked))
	}
}

// takeUntilKilled takes alerts from several callers and says each that was kept.
func takeUntilKilled(file string) {
	ctx := context.Background()
	db, err := controltest.Open(ctx, file)
	if err != nil {
		panic(err)
	}
	b, err := New(ctx, Options{DB: db})
	if err != nil {
		panic(err)
	}
	start := time.Now()
	var said sync.Mutex
	var wg sync.WaitGroup
	for caller := range 4 {
		wg.Go(func() {
			for i := range 100_000 {
				state := []string{Firing, Resolved}[i%2]
				key := fmt.Sprintf("%s-%d-%d", os.Getenv("ALERT_CRASH_ROUND"), caller, i/2)
				if b.Take(ctx, Sender{Source: "crash"}, []Report{{Key: key, State: state, Title: "t", At: start.Add(time.Duration(i%2) * time.Microsecond)}}) == nil {
					said.Lock()
					_, _ = fmt.Println(key, state)
					said.Unlock()
				}
			}
		})
	}
	wg.Wait()
}
