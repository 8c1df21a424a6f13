package duck

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/telemetrytest"
)

var crashStart = time.Now().UTC().Add(-3 * time.Hour).Truncate(24 * time.Hour)

// appendChild appends the writes of a fixed generator from the store's cursor
// on, tells each acknowledged one, and merges beside it.
func appendChild(dir string) int {
	start, err := time.Parse(time.RFC3339, os.Args[3])
	if err != nil {
		return 2
	}
	ctx := context.Background()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	at, err := s.Cursor(ctx, 0)
	if err != nil {
		return 1
	}
	go func() {
		for {
			_ = s.maintain(ctx, false) // it is killed in the middle of merges too
		}
	}()
	g := telemetrytest.NewGenerator(99, start)
	for n := uint64(1); ; n++ {
		w := g.Write(20)
		if n <= at {
			continue
		}
		if err := s.Append(ctx, w); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(n)
	}
}

func TestAppendSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	acked, unsaid := uint64(0), uint64(1) // unsaid: how many writes may have been stored since
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "append-child", dir, crashStart.Format(time.RFC3339))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		life := time.Duration(300+r.IntN(500)) * time.Millisecond
		kill := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		// On a busy machine so short a life ends before its first write: every second
		// one is counted from there.
		fromFirst := round%2 == 1
		if fromFirst {
			kill.Reset(time.Minute)
		}
		unsaid++ // each life may store one more than it lives to tell
		for lines := bufio.NewScanner(out); lines.Scan(); unsaid = 1 {
			if fromFirst && unsaid > 1 {
				kill.Reset(life)
			}
			if _, err := fmt.Sscan(lines.Text(), &acked); err != nil {
				t.Fatal(err)
			}
		}
		kill.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	s := openTest(t, Options{Dir: dir})
	ctx := context.Background()
	at, err := s.Cursor(ctx, 0)
	if err != nil || at < acked || at > acked+unsaid {
		t.Fatalf("the cursor is %d (%v), acknowledged were %d", at, err, acked)
	}
	if acked < uint64(rounds/2) {
		t.Fatalf("only %d writes in %d rounds: nothing was tested", acked, rounds)
	}
	g := telemetrytest.NewGenerator(99, crashStart)
	var steps int64
	for range at {
		w := g.Write(20)
		steps += int64(len(w.Steps))
		by := map[activity.RunID]int{}
		for _, x := range w.Steps {
			by[x.Run]++
		}
		got, err := s.Steps(ctx, w.Runs[0].ID)
		if err != nil || len(got) != by[w.Runs[0].ID] {
			t.Fatalf("a run has %d steps (%v), want %d", len(got), err, by[w.Runs[0].ID])
		}
	}
	st, err := s.Stats(ctx)
	if err != nil || st.Steps != steps {
		t.Errorf("%d steps are stored (%v), want %d: none lost, none twice", st.Steps, err, steps)
	}
	t.Logf("%d writes, %d steps, %d files", at, steps, st.Files)
}
