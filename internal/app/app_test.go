package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/telemetry/duck"
)

// childEnv makes the test binary a server in a process of its own.
const childEnv = "REEVE_APP_TEST_CHILD"

// TestMain lets the test binary be the query child, and a server to be killed.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "query-child":
		os.Exit(duck.ChildMain(nil, os.Stdin, os.Stdout))
	case os.Getenv(childEnv) != "":
		os.Exit(childServes())
	}
	os.Exit(m.Run())
}

func testConfig(dir string) Config {
	c := DefaultConfig()
	c.Data, c.Dev = dir, true
	c.Listen, c.GatewayListen, c.OTLPHTTPListen, c.OTLPGRPCListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Intake.MaxBody = 1 << 20
	c.Runs.Quiet = 200 * time.Millisecond
	return c
}

// start runs a whole Reeve in this process until the test ends.
func start(t *testing.T, change func(*Config)) *App {
	t.Helper()
	c := testConfig(t.TempDir())
	if change != nil {
		change(&c)
	}
	a, err := New(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, a.Stop(context.Background())); err != nil {
			t.Errorf("running Reeve: %v", err)
		}
	})
	eventually(t, "readiness", func() bool { return get(t, "http://"+a.Address("listen")+"/readyz") == http.StatusOK })
	return a
}

// eventually asks until it is true, for half a minute.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited for %s in vain", what)
		case <-tick.C:
		}
	}
}

func get(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// answer is what a sender was told.
type answer struct {
	status int
	header http.Header
	body   string
}

// post sends a body; a status of 0 means that no answer came.
func post(ctx context.Context, url, kind string, body []byte, header ...string) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{body: err.Error()}
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{body: err.Error()}
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

const protobuf = "application/x-protobuf"

// traceOf is the trace id of the n-th run of a test.
func traceOf(n int) string { return fmt.Sprintf("%032x", n+1) }

// oneRun is a request with one finished root span: the n-th run.
func oneRun(t *testing.T, n int) []byte {
	t.Helper()
	id, err := hex.DecodeString(traceOf(n))
	if err != nil {
		t.Fatal(err)
	}
	text := func(k, v string) *common.KeyValue {
		return &common.KeyValue{Key: k, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}}
	}
	now := uint64(time.Now().UnixNano())
	body, err := proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{{
		TraceId: id, SpanId: id[8:], Name: "invoke_agent robust", StartTimeUnixNano: now - 1e6, EndTimeUnixNano: now,
		Attributes: []*common.KeyValue{text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "robust")},
	}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// runsOf reads every run of the test's agent: steps by trace id.
func runsOf(t *testing.T, c *client.Client) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for r, err := range c.AllRuns(t.Context(), client.ListRunsRequest{Agent: "robust", From: "-24h", Limit: 1000}) {
		if err != nil {
			t.Fatalf("listing runs: %v", err)
		}
		for _, id := range r.TraceIDs {
			out[id] += r.StepCount
		}
	}
	return out
}

// wantRuns waits until exactly the runs of ids are there, each with one step;
// those of maybe may be there too.
func wantRuns(t *testing.T, c *client.Client, ids, maybe map[string]bool) {
	t.Helper()
	var lost, odd []string
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		lost, odd = nil, nil
		got := runsOf(t, c)
		for id := range ids {
			if got[id] == 0 {
				lost = append(lost, id)
			}
		}
		for id, steps := range got {
			if steps != 1 || !ids[id] && !maybe[id] {
				odd = append(odd, fmt.Sprintf("%s with %d steps", id, steps))
			}
		}
		if len(lost) == 0 && len(odd) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("of %d acknowledged runs %d are lost (%.5q); not sent or not once: %.5q", len(ids), len(lost), lost, odd)
		case <-tick.C:
		}
	}
}

// childOptions say what the server in another process is given.
type childOptions struct {
	Dir   string
	Mount string        // "": none; "small": a disk of its own; "read-only": one that cannot be written
	Quiet time.Duration // after which a run is over; 0: the tests' own

	Socket *os.File `json:"-"` // handed over as the door's
	Env    []string `json:"-"` // beside the test's own
}

// childHello is the first line that it prints.
type childHello struct {
	Mount             string // why there is no disk of its own
	Console, HTTP     string
	Code, Error, Hint string
	GRPC, Gateway     string
}

// childServes is the server's process. On stdin it takes "fill" and "free": to
// fill its disk to the last byte, and to free it again.
func childServes() int {
	out := json.NewEncoder(os.Stdout)
	var o childOptions
	var hello childHello
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &o); err != nil {
		panic(err)
	}
	if o.Mount != "" {
		if err := mountDisk(o.Dir, o.Mount == "read-only"); err != nil {
			hello.Mount = err.Error()
			_ = out.Encode(hello)
			return 0
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := testConfig(filepath.Join(o.Dir, "data"))
	if o.Quiet > 0 {
		c.Runs.Quiet = o.Quiet
	}
	a, err := New(ctx, Options{Config: c, Logger: NewLogger(os.Stderr, LogConfig{Level: "warn"}), Version: "test"})
	if err != nil {
		f := fault.From(err)
		hello.Code, hello.Error, hello.Hint = f.Code, f.Message, f.Hint
		_ = out.Encode(hello)
		return 1
	}
	hello.Console, hello.HTTP, hello.GRPC = a.Address("listen"), a.Address("otlp_http_listen"), a.Address("otlp_grpc_listen")
	hello.Gateway = a.Address("gateway_listen")
	if err := out.Encode(hello); err != nil {
		return 1
	}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			ballast := filepath.Join(o.Dir, "ballast")
			switch lines.Text() {
			case "fill":
				fmt.Println("filled:", fillDisk(ballast))
			case "free":
				fmt.Println("freed:", os.Remove(ballast))
			}
		}
	}()
	if err := errors.Join(a.Run(ctx), a.Stop(context.Background())); err != nil {
		fmt.Fprintln(os.Stderr, "the server ended with", err)
		return 1
	}
	return 0
}

func fillDisk(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 1} { // the last bytes one by one
		for b := make([]byte, size); err == nil; {
			_, err = f.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		err = nil
	}
	return nil
}

// child is a server in another process.
type child struct {
	childHello
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Reader
	log   *bytes.Buffer
	api   *client.Client
}

func startChild(t *testing.T, o childOptions) *child {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0]), log: &bytes.Buffer{}}
	c.cmd.Env = append(append(os.Environ(), o.Env...), childEnv+"="+string(raw))
	c.cmd.Stderr = c.log
	if o.Socket != nil {
		c.cmd.ExtraFiles = []*os.File{o.Socket}
		c.cmd.Env = append(c.cmd.Env, "LISTEN_FDS=1", "LISTEN_FDNAMES=gateway_listen")
	}
	if o.Mount != "" {
		if c.cmd.SysProcAttr = ownMounts(); c.cmd.SysProcAttr == nil {
			t.Skip("this system has no mount namespaces")
		}
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = c.cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("no mount namespace here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // mostly gone already
		_ = c.cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", c.log)
		}
	})
	c.lines = bufio.NewReader(stdout)
	if line, err := c.lines.ReadString('\n'); err != nil || json.Unmarshal([]byte(line), &c.childHello) != nil {
		t.Fatalf("the server began with %q: %v\n%s", line, err, c.log)
	}
	if c.Mount != "" {
		t.Skipf("no disk of its own here: %s", c.Mount)
	}
	c.api = client.New("http://"+c.Console, "")
	if c.Code == "" {
		eventually(t, "readiness", func() bool { return get(t, "http://"+c.Console+"/readyz") == http.StatusOK })
	}
	return c
}

// tell gives an order and waits until it is carried out.
func (c *child) tell(t *testing.T, order string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.stdin, order); err != nil {
		t.Fatal(err)
	}
	line, err := c.lines.ReadString('\n')
	if err != nil || !strings.Contains(line, "<nil>") {
		t.Fatalf("%s: %q, %v", order, line, err)
	}
}

// end sends a signal and waits until the process is gone.
func (c *child) end(t *testing.T, s os.Signal) error {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	return c.cmd.Wait()
}
