package decision

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/tree"
	"reeve/internal/bus"
)

// TestMain lets the test binary be the process that TestKill kills.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "decide-child" {
		if err := decideChild(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// openWhole opens stream, tree and log in dir.
func openWhole(dir string) (*bus.Bus, *Log, error) {
	b, err := bus.Open(context.Background(), bus.Options{Dir: filepath.Join(dir, "bus")})
	if err != nil {
		return nil, nil, err
	}
	keys, _, err := tree.OpenKeys(filepath.Join(dir, "keys.json"), "ins/audit", plainSealer{}, time.Now())
	if err != nil {
		return nil, nil, err
	}
	t, err := tree.Open(tree.Options{Dir: filepath.Join(dir, "log", "tree"), Origin: "ins/audit/n1", Keys: keys})
	if err != nil {
		return nil, nil, err
	}
	l, err := Open(context.Background(), Options{Stream: b.Decisions(), Dir: filepath.Join(dir, "log"), Install: "ins", Node: "n1", Tree: t})
	return b, l, err
}

// decideChild proposes as fast as it can and says which proposals were
// acknowledged and which of them it completed, until it is killed.
func decideChild(dir string) error {
	_, l, err := openWhole(dir)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	fmt.Println("ready")
	for i := range 8 {
		go func() {
			r := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
			for {
				d := sample(r, l.NewID())
				d.At = time.Now().UnixNano()
				if err := l.Propose(context.Background(), d); err != nil {
					ended <- err
					return
				}
				fmt.Println(d.ID) // acknowledged: may be forwarded
				if r.IntN(4) > 0 {
					end(r, d)
					l.Complete(d)
				}
			}
		}()
	}
	return <-ended
}

// TestKill kills a process that decides at full speed. Every acknowledged
// proposal is in the log, once; the log holds from its first record on; and
// nothing stays open. REEVE_KILLS says how often.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("REEVE_KILLS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	acked := map[string]bool{}
	for range rounds {
		killOne(t, dir, acked)
	}
	b, l, err := openWhole(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.barrier(t)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	found := outcomes(t, chain(t, l))
	unknown := 0
	for id, result := range found {
		if result == activity.ResultPending.String() {
			t.Errorf("%s is still open", id)
		}
		if result == activity.ResultUnknown.String() {
			unknown++
		}
	}
	for id := range acked {
		if _, ok := found[id]; !ok {
			t.Errorf("%s was acknowledged and is not in the log", id)
		}
	}
	if len(acked) == 0 || unknown == 0 {
		t.Errorf("%d acknowledged, %d unknown: the test showed nothing", len(acked), unknown)
	}
	keys, err := tree.PublicKeys(filepath.Join(dir, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Verify(filepath.Join(dir, "log"), nil, keys)
	if err != nil || r.Break != nil || r.Open != 0 {
		t.Errorf("%+v %+v, %v", r, r.Break, err)
	}
	t.Logf("%d rounds: %d acknowledged, %d in the log, %d unknown, %d records", rounds, len(acked), len(found), unknown, r.Records)
}

func killOne(t *testing.T, dir string, acked map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "decide-child", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	if line, err := in.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the process says %q, %v", line, err)
	}
	time.AfterFunc(50*time.Millisecond+rand.N(1500*time.Millisecond), func() { _ = cmd.Process.Kill() })
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	lines := strings.Split(string(text), "\n")
	for _, id := range lines[:len(lines)-1] { // the last one may be cut short
		acked[id] = true
	}
}
