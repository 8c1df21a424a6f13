package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/rogpeppe/go-internal/testscript"

	"reeve/client"
	"reeve/internal/cli"
)

// TestMain makes this test binary answer to the name reeve, so that scripts
// (and the query child that a server starts) run the program under test.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"reeve": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
		"xdg-open": browse,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"server": server, "http": request, "await": await, "adopt": adopt, "enrol": enrol, "times": times, "held": held, "authority": authority},
	})
}

// server starts `reeve serve` with the flags given, on free ports, and waits
// until it is ready: SERVER, DOOR and OTLP are its addresses,
// LISTEN the first without its scheme, PID its process, the file server.out is
// what it greets with. It is stopped politely at the script's end.
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: server [flags]")
	}
	var program string
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, "reeve"); program == "" && executable(p) {
			program = p
		}
	}
	cmd := exec.Command(program, append([]string{
		"serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--otlp-http-listen", "127.0.0.1:0", "--otlp-grpc-listen", "127.0.0.1:0",
	}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	log, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	cmd.Stderr = log
	out, err := os.Create(ts.MkAbs("server.out"))
	ts.Check(err)
	cmd.Stdout = out
	ts.Check(cmd.Start())
	ts.Setenv("PID", strconv.Itoa(cmd.Process.Pid))
	said := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		ts.Check(err)
		return string(text)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // one that ended already shows below
		if err := <-ended; err != nil {
			ts.Fatalf("the server ended with %v\n%s", err, said(log))
		}
		_, _ = log.Close(), out.Close()
	})

	until(ts, "the server does not say where it is", func() bool {
		for line := range strings.Lines(said(out)) {
			if at, ok := strings.CutPrefix(line, "Reeve is at "); ok {
				ts.Setenv("SERVER", strings.TrimSpace(at))
				ts.Setenv("LISTEN", strings.TrimPrefix(strings.TrimSpace(at), "http://"))
			}
			if at, ok := strings.CutPrefix(line, "Agents call the door at "); ok {
				ts.Setenv("DOOR", strings.TrimSpace(at))
			}
			if at, ok := strings.CutPrefix(line, "Send OTLP to "); ok {
				ts.Setenv("OTLP", strings.Fields(at)[0])
			}
		}
		return ts.Getenv("OTLP") != "" && ts.Getenv("DOOR") != ""
	})
	ts.Setenv("REEVE_SERVER", ts.Getenv("SERVER"))
	until(ts, "the server is not ready", func() bool {
		resp, err := http.Get(ts.Getenv("SERVER") + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // nothing was read
		return resp.StatusCode == http.StatusOK
	})
}

// request sends one HTTP request and prints status and body. A body is JSON in
// a file; TOKEN is sent as a Bearer token unless it is empty.
//
//	http POST $OTLP/v1/traces trace.json
func request(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] http METHOD URL [FILE]")
	}
	var body io.Reader
	if len(args) == 3 {
		body = strings.NewReader(ts.ReadFile(args[2]))
	}
	req, err := http.NewRequest(args[0], args[1], body)
	ts.Check(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := ts.Getenv("TOKEN"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), resp.Status+"\n"+string(text)+"\n")
	ts.Check(err)
	if neg != (resp.StatusCode >= 300) {
		ts.Fatalf("the answer is %s: %s", resp.Status, text)
	}
}

// times replaces @48h@ in files by the time 48 hours ago, and @ns 48h@ by its
// nanoseconds: what is old stays as old whenever the script runs.
func times(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: times FILE...")
	}
	now := time.Now().UTC().Truncate(time.Hour)
	for _, file := range args {
		text := agoPattern.ReplaceAllStringFunc(ts.ReadFile(file), func(s string) string {
			m := agoPattern.FindStringSubmatch(s)
			ago, err := time.ParseDuration(m[2])
			ts.Check(err)
			if m[1] != "" {
				return strconv.FormatInt(now.Add(-ago).UnixNano(), 10)
			}
			return now.Add(-ago).Format(time.RFC3339)
		})
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

var agoPattern = regexp.MustCompile(`@(ns )?([0-9]+h)@`)

// adopt makes TOKEN what a file holds.
func adopt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: adopt FILE")
	}
	ts.Setenv("TOKEN", strings.TrimSpace(ts.ReadFile(args[0])))
}

// enrol makes FACTOR and CODE the id and a current code of the enrolment in a
// file of JSON.
func enrol(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: enrol FILE")
	}
	var e client.Enrolment
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	code, err := totp.GenerateCode(e.Secret, time.Now())
	ts.Check(err)
	ts.Setenv("FACTOR", e.Factor.ID)
	ts.Setenv("CODE", code)
}

// held makes APPROVAL the id of the oldest held action that waits for a person.
func held(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: held")
	}
	list, err := client.New(ts.Getenv("SERVER"), "").ListApprovals(context.Background(), client.ListApprovalsRequest{})
	ts.Check(err)
	if len(list.Items) == 0 {
		ts.Fatalf("nothing waits for a person")
	}
	ts.Setenv("APPROVAL", list.Items[len(list.Items)-1].ID)
}

// await runs a reeve command until what it prints contains the text.
//
//	await refund-agent reeve run list
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await TEXT COMMAND...")
	}
	until(ts, "never printed "+args[0], func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && strings.Contains(ts.ReadFile("stdout"), args[0])
	})
}

func until(ts *testscript.TestScript, otherwise string, is func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			ts.Fatalf("%s", otherwise)
		case <-tick.C:
		}
	}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
