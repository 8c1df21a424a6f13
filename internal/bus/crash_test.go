package bus

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test binary a publisher that is going to be killed.
const childEnv = "REEVE_BUS_TEST_CHILD"

func TestMain(m *testing.M) {
	switch dir := os.Getenv(childEnv); {
	case dir == "":
		os.Exit(m.Run())
	case strings.HasPrefix(dir, "small:"):
		childOnSmallDisk(strings.TrimPrefix(dir, "small:"))
	default:
		childPublishes(dir)
	}
}

// childPublishes publishes numbered messages, small and large, deletes some of
// what it published, and prints each number once it is acknowledged.
func childPublishes(dir string) {
	ctx := context.Background()
	first, err := strconv.Atoi(os.Getenv(childEnv + "_FIRST"))
	if err != nil {
		panic(err)
	}
	b, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	next := first
	filler := strings.Repeat("a span of an agent ", gatherBelow/10)
	for range 16 {
		go func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				msg := fmt.Sprintf("%d ", n)
				if n%50 == 0 {
					msg += filler
				}
				seq, err := b.Activity().Publish(ctx, []byte(msg))
				mu.Lock()
				if err != nil {
					fmt.Fprintln(out, "error", err)
				} else {
					fmt.Fprintln(out, "acked", n, seq)
				}
				if err := out.Flush(); err != nil {
					os.Exit(1) // the parent is gone
				}
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestKill kills a publishing process several times and then looks for every
// acknowledged message, once.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	acked := map[int]bool{}
	var deleted uint64
	seen := map[int]int{}
	next := 0
	for round := range rounds {
		n := runAndKill(t, dir, next, 300+round*500, acked)
		next = n + 1_000_000 // numbers in flight at the kill may be stored too: never use them again
		// Between kills, read and delete as package run does, so that a
		// recovery after a deletion is tried too.
		b := openTest(t, Options{Dir: dir})
		st, err := b.Activity().Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.FirstSeq != deleted+1 && !(round == 0 && st.FirstSeq <= 1) {
			t.Fatalf("round %d: the log starts at %d after deleting through %d", round, st.FirstSeq, deleted)
		}
		got, _ := readAll(t, b.Activity(), deleted+1)
		for _, p := range got {
			num, _, _ := strings.Cut(p, " ")
			n, err := strconv.Atoi(num)
			if err != nil {
				t.Fatal(err)
			}
			seen[n]++
		}
		deleted = st.LastSeq
		if err := b.Activity().DeleteThrough(t.Context(), deleted); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range acked {
		if seen[n] == 0 {
			t.Errorf("message %d was acknowledged and is lost", n)
		}
	}
	for n, times := range seen {
		if times > 1 {
			t.Errorf("message %d is there %d times", n, times)
		}
	}
	t.Logf("%d rounds, %d acknowledged, %d stored", rounds, len(acked), len(seen))
}

// runAndKill runs a child until it acknowledged some messages and kills it. It
// returns the highest number seen.
func runAndKill(t *testing.T, dir string, first, until int, acked map[int]bool) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, fmt.Sprintf("%s_FIRST=%d", childEnv, first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count, highest := 0, first
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var n int
		var seq uint64
		if _, err := fmt.Sscanf(lines.Text(), "acked %d %d", &n, &seq); err != nil {
			if count < until { // once killed, the last line may be cut
				t.Errorf("child says %q", lines.Text())
			}
			break
		}
		acked[n] = true
		highest = max(highest, n)
		if count++; count == until {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || count < until {
		t.Fatalf("child ended with %v after %d of %d", err, count, until)
	}
	return highest
}

// childOnSmallDisk mounts a disk of 64 MB in a namespace of its own, fills it
// and shows what the log says. The result is one line of JSON.
func childOnSmallDisk(dir string) {
	type result struct {
		Mount, Full, Decision, Again string
		Stored, Read                 int
	}
	var r result
	defer func() {
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			os.Exit(1)
		}
	}()
	if err := mountSmall(dir); err != nil {
		r.Mount = err.Error()
		return
	}
	ctx := context.Background()
	b, err := Open(ctx, Options{Dir: dir + "/bus", MinFree: 40 << 20})
	if err != nil {
		r.Mount = err.Error()
		return
	}
	defer b.Close()
	noise := make([]byte, 400<<10)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	for err == nil && r.Stored < 1000 {
		// Random access to the disk's end: compressible data would take long.
		for i := range noise {
			noise[i] = noise[i]*31 + byte(i>>8) + byte(r.Stored)
		}
		if _, err = b.Activity().Publish(ctx, noise); err == nil {
			r.Stored++
		}
	}
	r.Full = code(err)
	_, err = b.Decisions().Publish(ctx, []byte("decision"))
	r.Decision = code(err)
	st, err := b.Activity().Stats(ctx)
	if err != nil {
		r.Again = err.Error()
		return
	}
	_ = b.Activity().Read(ctx, 0, func(seq uint64, _ time.Time, _ [][]byte) error {
		if r.Read++; seq == st.LastSeq {
			return errDone
		}
		return nil
	})
	if err := b.Activity().DeleteThrough(ctx, st.LastSeq); err != nil {
		r.Again = err.Error()
		return
	}
	// The server removes the files behind our back, so this takes a moment.
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-every.C {
		if _, err = b.Activity().Publish(ctx, []byte("again")); err == nil {
			break
		}
	}
	r.Again = code(err)
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=small:"+t.TempDir())
	cmd.SysProcAttr = ownMounts()
	if cmd.SysProcAttr == nil {
		t.Skip("this system has no mount namespaces")
	}
	out, err := cmd.Output()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("no mount namespace here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Mount, Full, Decision, Again string
		Stored, Read                 int
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if r.Mount != "" {
		t.Skipf("no small disk here: %s", r.Mount)
	}
	if r.Full != "bus.disk_full" || r.Decision != "" || r.Again != "" || r.Stored == 0 || r.Read != r.Stored {
		t.Errorf("got %+v; want activity refused with bus.disk_full, decisions going on, everything acknowledged readable, and writing again after deletion", r)
	}
}
