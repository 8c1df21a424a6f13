package budget

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/control/controltest"
)

// logFile stands for the log of decisions: a record is durable against kill -9
// once it is written.
type logFile struct {
	mu sync.Mutex
	f  *os.File
	n  uint64
	l  *Ledger
}

func (f *logFile) add(d *activity.Decision) error {
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.f.Write(append(line, '\n')); err != nil {
		return err
	}
	f.n++
	f.l.Replay(f.n, d)
	return nil
}

// reopen opens a ledger as a start does: snapshot, then the log after it.
func reopen(t testing.TB, dir string) (*Ledger, *logFile) {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := Open(t.Context(), Options{DB: db, Dir: filepath.Join(dir, "budget"), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	// A line that the kill cut was never durable.
	lines := strings.SplitAfter(string(raw), "\n")
	if last := lines[len(lines)-1]; last != "" {
		if err := os.Truncate(path, int64(len(raw)-len(last))); err != nil {
			t.Fatal(err)
		}
	}
	lines = lines[:len(lines)-1]
	after := l.Start(uint64(len(lines)))
	for i, line := range lines {
		if uint64(i+1) <= after {
			continue
		}
		var d activity.Decision
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		l.Replay(uint64(i+1), &d)
	}
	l.Ready()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return l, &logFile{f: f, n: uint64(len(lines)), l: l}
}

const crashLimit = 200_000

var dev = Actor{Person: "dev", Can: func(string, string, string) bool { return true }}

// call is what the door does with one call; used is told what the upstream did
// before anything else of it is known here.
func call(l *Ledger, f *logFile, id string, rnd *rand.Rand, used func(int64)) error {
	r, err := l.Reserve(noon, Use{Agent: fmt.Sprint("a", rnd.IntN(3)), Team: "core", User: "jo", Calls: 1, Tokens: 1 + rnd.Int64N(900)})
	if err != nil {
		return err
	}
	d := activity.Decision{ID: id, Completed: activity.Unknown, Reserved: r.Amounts()}
	if err := f.add(&d); err != nil {
		r.Release()
		return err
	}
	done := d
	done.Completed = noon.UnixNano()
	switch rnd.IntN(5) {
	case 0: // could not be forwarded after all
		r.Release()
		done.Result = activity.ResultDenied
	case 1: // nobody knows
		used(d.Reserved[0].Amount)
		r.Settle(noon, activity.Unknown, activity.Unknown)
	default:
		spent := rnd.Int64N(d.Reserved[0].Amount + 1)
		used(spent)
		r.Settle(noon, spent, 0)
	}
	done.Reserved = r.Amounts()
	return f.add(&done)
}

// The child of TestNeverMoreAlsoAfterKill: calls until it is killed.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv("REEVE_TEST_BUDGET_CHILD")
	if dir == "" {
		t.Skip("it is another test's child")
	}
	l, f := reopen(t, dir)
	upstream, err := os.OpenFile(filepath.Join(dir, "upstream"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "ready")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(g)))
			for i := range 100_000 {
				_ = call(l, f, fmt.Sprintf("dec_%d_%d_%d", os.Getpid(), g, i), rnd, func(n int64) { fmt.Fprintf(upstream, "%d\n", n) })
				if i%50 == 0 {
					if err := l.snapshot(); err != nil {
						panic(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// Never a token more, also after kill -9 at any moment: what the upstream served
// over all lives of the process stays within the budget, and what the budget
// counts is at least that.
func TestNeverMoreAlsoAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := reopen(t, dir)
	for _, b := range []client.Budget{
		{Name: "all", Scope: "team", Match: "core", Unit: "tokens", Limit: crashLimit, Period: "total", Hard: true},
		{Name: "each", Scope: "agent", Match: "*", Unit: "tokens", Limit: crashLimit, Period: "day", Hard: true},
		{Name: "users", Scope: "user", Match: "*", Unit: "calls", Limit: 1e9, Period: "month"},
	} {
		if _, err := l.Put(t.Context(), dev, b); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rounds := 12
	for round := range rounds {
		cmd := exec.Command(exe, "-test.run=^TestCrashChild$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), "REEVE_TEST_BUDGET_CHILD="+dir)
		said, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(said)
		if !scanner.Scan() || scanner.Text() != "ready" {
			t.Fatalf("round %d: the child says %q", round, scanner.Text())
		}
		kill := time.NewTimer(time.Duration(5+rand.IntN(60)) * time.Millisecond)
		<-kill.C
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed, as it should
	}
	served := int64(0)
	raw, err := os.ReadFile(filepath.Join(dir, "upstream"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var n int64
		if _, err := fmt.Sscan(line, &n); err == nil {
			served += n
		}
	}
	l, _ = reopen(t, dir)
	counted, reserved := spent(t, l, "all", "core")
	t.Logf("served %d of %d, counted %d, in %d lives", served, crashLimit, counted, rounds)
	if served > crashLimit || counted < served || reserved != 0 || served == 0 {
		t.Errorf("the upstream served %d of %d; counted %d, reserved %d", served, crashLimit, counted, reserved)
	}
}

// What a restart makes of snapshot and log is what was live, but for calls that
// were going on, whose reservation stays spent.
func TestReplayIsLiveState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		dir := t.TempDir()
		l, f := reopen(t, dir)
		revision := map[string]int64{}
		put := func(b client.Budget) {
			b.Revision = revision[b.Name]
			got, err := l.Put(t.Context(), dev, b)
			if err != nil {
				t.Fatal(err)
			}
			revision[b.Name] = got.Revision
		}
		put(client.Budget{Name: "all", Scope: "team", Match: "core", Unit: "tokens", Limit: 60_000, Period: "day", Hard: true})
		put(client.Budget{Name: "each", Scope: "agent", Match: "*", Unit: "tokens", Limit: 30_000, Period: "week", Hard: true})
		put(client.Budget{Name: "users", Scope: "user", Match: "*", Unit: "calls", Limit: 50, Period: "total"})
		for i := range 150 {
			_ = call(l, f, fmt.Sprint("dec_", seed, "_", i), rnd, func(int64) {})
			switch rnd.IntN(40) {
			case 0:
				if err := l.snapshot(); err != nil {
					t.Fatal(err)
				}
			case 1: // another limit keeps the count, another period begins anew
				put(client.Budget{Name: "each", Scope: "agent", Match: "*", Unit: "tokens", Limit: 30_000 + float64(i), Period: "week", Hard: true})
			case 2:
				put(client.Budget{Name: "all", Scope: "team", Match: "core", Unit: "tokens", Limit: 60_000, Period: []string{"day", "month"}[rnd.IntN(2)], Hard: true})
			}
		}
		again, _ := reopen(t, dir)
		want, got := state(l), state(again)
		for k, v := range want {
			if got[k] != v {
				t.Errorf("seed %d: %s is %d after a restart, was %d", seed, k, got[k], v)
			}
		}
	}
}

// state is what every share has spent or reserved.
func state(l *Ledger) map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int64{}
	for name, a := range l.accounts {
		for key, s := range a.shares {
			if n := s.spent + s.reserved; n != 0 {
				out[name+"/"+key] = n
			}
		}
	}
	return out
}

// A snapshot that cannot be read is no loss, and one that knows more than the
// log counts no record twice.
func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, f := reopen(t, dir)
	if _, err := l.Put(t.Context(), dev, tokenBudget("a", "agent", "*", 1e6)); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := call(l, f, fmt.Sprint("dec_", i), rand.New(rand.NewPCG(uint64(i), 1)), func(int64) {}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.snapshot(); err != nil {
		t.Fatal(err)
	}
	want := state(l)
	again, _ := reopen(t, dir)
	if got := state(again); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("from the snapshot %v, want %v", got, want)
	}
	path := filepath.Join(dir, "budget", snapshotFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	again, _ = reopen(t, dir)
	if got := state(again); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("with a damaged snapshot %v, want %v", got, want)
	}
}

func TestNotReady(t *testing.T) {
	t.Parallel()
	l := newLedger(Options{Now: func() time.Time { return noon }})
	d, err := define(tokenBudget("a", "agent", "bot", 10))
	if err != nil {
		t.Fatal(err)
	}
	l.put("a", d)
	if _, err := l.Reserve(noon, Use{Agent: "bot", Tokens: 1}); code(err) != "budget.not_ready" {
		t.Errorf("before the log is read: %v", err)
	}
	if _, err := l.Reserve(noon, Use{Agent: "other", Tokens: 1}); err != nil {
		t.Errorf("without a budget: %v", err)
	}
	l.Ready()
	if _, err := l.Reserve(noon, Use{Agent: "bot", Tokens: 1}); err != nil {
		t.Error(err)
	}
}
