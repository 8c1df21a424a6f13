package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/bus"
	"reeve/internal/control/controltest"
	"reeve/internal/decision"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
	"reeve/internal/upstream"
)

// childDir makes the test binary a door in a process of its own, on this
// folder, in front of the upstream at childUpstream.
const (
	childDir      = "REEVE_DOOR_TEST_DIR"
	childUpstream = "REEVE_DOOR_TEST_UPSTREAM"
	// childHolds makes it hold every call, and people agree at once.
	childHolds = "REEVE_DOOR_TEST_HOLDS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir, os.Getenv(childUpstream)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child serves a door until it is killed or its standard input ends. It prints
// its address and the agent's key.
func child(dir, to string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	b, err := bus.Open(ctx, bus.Options{Dir: filepath.Join(dir, "bus"), Logger: log})
	if err != nil {
		return err
	}
	defer b.Close()
	db, err := controltest.Open(ctx, filepath.Join(dir, "control.db"))
	if err != nil {
		return err
	}
	decisions, err := decision.Open(ctx, decision.Options{Stream: b.Decisions(), Dir: filepath.Join(dir, "decisions"), Install: "test", Node: "n1"})
	if err != nil {
		return err
	}
	agents, err := agent.New(ctx, agent.Options{DB: db})
	if err != nil {
		return err
	}
	upstreams, err := upstream.New(ctx, upstream.Options{DB: db, Dir: dir})
	if err != nil {
		return err
	}
	stops, err := stop.New(ctx, stop.Options{DB: db, Node: "n1", Agents: agents})
	if err != nil {
		return err
	}
	if _, ok := agents.Lookup("killed"); !ok {
		if _, err := agents.Create(ctx, testkit.EveryRole(), agent.Agent{Name: "killed", Team: "core", Purpose: "tests", Autonomy: agent.Autonomous}, ""); err != nil {
			return err
		}
		if _, err := upstreams.Put(ctx, "ada", client.Upstream{
			Name: "shop", Kind: "http", URL: to, Team: "core", Environment: "production", AllowPrivate: true,
			Routes: []client.Route{{Method: "GET", Path: "/n/{n}", Effect: "read"}},
		}); err != nil {
			return err
		}
	}
	key, err := sameKey(ctx, agents, filepath.Join(dir, "agent-key"))
	if err != nil {
		return err
	}
	compiler, err := policy.NewCompiler()
	if err != nil {
		return err
	}
	text := permitAll
	holds := os.Getenv(childHolds) != ""
	if holds {
		text = `@id("hold") @hold("finance") permit (principal, action, resource);`
	}
	statements, err := compiler.Compile(policy.Document{Name: "test", Cedar: text})
	if err != nil {
		return err
	}
	engine := &policy.Engine{}
	engine.Replace(1, statements)
	steps := gateway.NewSteps(func(ctx context.Context, batch []byte) error { _, err := b.Activity().Publish(ctx, batch); return err }, log)
	c := approval.Default()
	c.Open, c.Hourly, c.Wait = 1000, 10_000, 10*time.Second
	book, err := approval.New(ctx, approval.Options{DB: db, Key: make([]byte, approval.KeySize), Config: c})
	if err != nil {
		return err
	}
	door, err := gateway.New(gateway.Options{
		Approvals: book,
		Agents:    agents, Upstreams: upstreams, Policies: engine, Stops: stops, Decisions: decisions, Steps: steps,
		Protocols: []gateway.Protocol{httpapi.New()}, Node: "n1",
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var loops sync.WaitGroup
	loops.Go(func() { _ = decisions.Run(ctx) })
	loops.Go(func() { _ = steps.Run(ctx) })
	loops.Go(func() { _ = door.Serve(ctx, l, gateway.Serving{Drain: time.Second}) })
	if holds {
		loops.Go(func() { agreeToAll(ctx, book) })
	}
	fmt.Println(l.Addr(), key)
	_, _ = io.Copy(io.Discard, os.Stdin)
	cancel()
	loops.Wait()
	return nil
}

// sameKey is the agent's key, the same after a restart: an approval is void for
// another.
func sameKey(ctx context.Context, agents *agent.Registry, file string) (string, error) {
	if key, err := os.ReadFile(file); err == nil {
		return string(key), nil
	}
	_, key, err := agents.CreateKey(ctx, testkit.EveryRole(), "killed", agent.NewKey{Label: "test"})
	if err != nil {
		return "", err
	}
	return key, os.WriteFile(file, []byte(key), 0o600)
}

// The upstream counts what it receives, the door is killed at random moments
// under load: every call that the upstream saw has its decision record.
// REEVE_KILLS sets how often.
func TestNoHiddenAction(t *testing.T) {
	t.Parallel()
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("REEVE_KILLS")); err == nil {
		kills = n
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[strings.TrimPrefix(r.URL.Path, "/n/")] = true
	}))
	t.Cleanup(up.Close)
	dir := t.TempDir()
	n, answered := 0, 0
	for round := range kills {
		c, address, key := startChild(t, dir, up.URL)
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for ctx.Err() == nil {
					mu.Lock()
					n++
					name := strconv.Itoa(n)
					mu.Unlock()
					req, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/http/shop/n/"+name, nil)
					if err != nil {
						return
					}
					req.Header.Set("X-Api-Key", key)
					req.Header.Set("X-Reeve-Run", "n-"+name)
					if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
						_ = resp.Body.Close()
						if resp.StatusCode == http.StatusOK {
							mu.Lock()
							answered++
							mu.Unlock()
						}
					}
				}
			})
		}
		timer := time.NewTimer(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		<-timer.C
		if err := c.Process.Kill(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		_ = c.Wait() // it was killed
		cancel()
		workers.Wait()
	}
	decided, open := recorded(t, dir)
	mu.Lock()
	defer mu.Unlock()
	for name := range seen {
		if !decided[activity.ScopeOf("core", "production").RunOfKey("n-"+name)] {
			t.Errorf("the upstream saw call %s and no decision was recorded", name)
		}
	}
	if open > 0 {
		t.Errorf("%d decisions were left without an end", open)
	}
	if len(seen) == 0 || answered == 0 {
		t.Error("no call was made")
	}
	t.Logf("%d kills: %d calls sent, %d seen by the upstream, %d answered, %d decided", kills, n, len(seen), answered, len(decided))
}

func startChild(t *testing.T, dir, to string, more ...string) (c *exec.Cmd, address, key string) {
	t.Helper()
	c = exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), childDir+"="+dir, childUpstream+"="+to), more...)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil { // it ends with this process
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the door did not start: %v", err)
	}
	address, key, _ = strings.Cut(strings.TrimSpace(line), " ")
	return c, address, key
}

// recorded reads the runs of all decisions in a folder that nobody writes.
func recorded(t *testing.T, dir string) (runs map[activity.RunID]bool, open int) {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: filepath.Join(dir, "bus"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	log, err := decision.Open(t.Context(), decision.Options{Stream: b.Decisions(), Dir: filepath.Join(dir, "decisions"), Install: "test", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	runs = map[activity.RunID]bool{}
	if err := log.Each(t.Context(), time.Unix(0, 0), time.Now().Add(time.Hour), func(d *activity.Decision) error {
		runs[d.Run] = true
		if d.Result == activity.ResultPending {
			open++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return runs, open
}
