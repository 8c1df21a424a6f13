package app

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"reeve/client"
	"reeve/internal/fault"
)

// refusal is the fault that New gives for a configuration.
func refusal(t *testing.T, c Config) *fault.Error {
	t.Helper()
	a, err := New(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_ = a.Stop(t.Context()) // the failure below says more
		t.Fatal("New succeeded, want a refusal")
	}
	return fault.From(err)
}

// A taken port is an error at the start that names the setting, and leaves the
// data folder free.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	for flag, set := range map[string]func(*Config, string){
		"--listen":           func(c *Config, addr string) { c.Listen = addr },
		"--otlp-http-listen": func(c *Config, addr string) { c.OTLPHTTPListen = addr },
		"--otlp-grpc-listen": func(c *Config, addr string) { c.OTLPGRPCListen = addr },
	} {
		c := testConfig(dir)
		set(&c, l.Addr().String())
		f := refusal(t, c)
		if f.Code != "app.port_taken" || !strings.Contains(f.Message, l.Addr().String()) || !strings.Contains(f.Hint, flag) {
			t.Errorf("%s: got %s: %s (%s), want app.port_taken with the address and the flag", flag, f.Code, f.Message, f.Hint)
		}
	}
	start(t, func(c *Config) { c.Data = dir })
}

func TestSecondProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, func(c *Config) { c.Data = dir })
	f := refusal(t, testConfig(dir))
	if f.Code != "control.locked" || !strings.Contains(f.Message, strconv.Itoa(os.Getpid())) || !strings.Contains(f.Hint, "--data") {
		t.Errorf("got %s: %s (%s), want control.locked with the pid %d", f.Code, f.Message, f.Hint, os.Getpid())
	}
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	server := startChild(t, childOptions{Dir: t.TempDir(), Mount: "read-only"})
	if server.Code == "" || !strings.Contains(server.Error, "data") || server.Hint == "" {
		t.Errorf("got %q: %s (%s), want a refusal that names the folder and says what to do", server.Code, server.Error, server.Hint)
	}
	if err := server.cmd.Wait(); err == nil {
		t.Error("the server ended with exit code 0")
	}
}

func TestDataFolderIsAFile(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/data"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := refusal(t, testConfig(file)); f.Code != "app.data_folder" || !strings.Contains(f.Message, file) {
		t.Errorf("got %s: %s, want app.data_folder with the path", f.Code, f.Message)
	}
}

// Whatever comes through the real listeners, it gets an answer that says what
// is wrong, and what is good before and after it is kept.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	good := oneRun(t, 0)
	deep := []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","attributes":[{"key":"k","value":` +
		strings.Repeat(`{"arrayValue":{"values":[`, 10_000) + strings.Repeat(`]}}`, 10_000) + `}]}]}]}]}`)
	sent := map[string]bool{}
	for at, key := range []string{"listen", "otlp_http_listen"} {
		url := "http://" + a.Address(key) + "/v1/traces"
		for i, c := range []struct {
			name, kind string
			body       []byte
			header     []string
			status     int
			code       string
		}{
			{"cut protobuf", protobuf, good[:len(good)-3], nil, 400, "intake.malformed"},
			{"no protobuf", protobuf, []byte("hello, this is text"), nil, 400, "intake.malformed"},
			{"cut JSON", "application/json", []byte(`{"resourceSpans":[{"scope`), nil, 400, "intake.malformed"},
			{"deep JSON", "application/json", deep, nil, 400, "intake.too_deep"},
			{"wrong type", "text/plain", good, nil, 415, "intake.media_type"},
			{"no type", "", good, nil, 415, "intake.media_type"},
			{"oversized", protobuf, make([]byte, 1<<20+1), nil, 413, "intake.too_large"},
			{"not gzip", protobuf, good, []string{"Content-Encoding", "gzip"}, 400, "intake.unreadable"},
			{"rebound name", protobuf, good, []string{"Host", "evil.example"}, 421, "api.host"},
			{"foreign page", protobuf, good, []string{"Origin", "http://evil.example"}, 403, "api.origin"},
			{"page on another port", protobuf, good, []string{"Origin", "http://127.0.0.1:1"}, 403, "api.origin"},
			{"page of the same site", protobuf, good, []string{"Sec-Fetch-Site", "same-site"}, 403, "api.origin"},
		} {
			got := post(t.Context(), url, c.kind, c.body, c.header...)
			if got.status != c.status || !strings.Contains(got.body, c.code) {
				t.Errorf("%s, %s: %d %q, want %d with %s", key, c.name, got.status, got.body, c.status, c.code)
			}
			n := 1000*at + i + 1
			if got := post(t.Context(), url, protobuf, oneRun(t, n)); got.status != http.StatusOK {
				t.Errorf("%s: a good body after %s: %+v", key, c.name, got)
			}
			sent[traceOf(n)] = true
		}
		if got := post(t.Context(), "http://"+a.Address(key)+"/v1/elsewhere", protobuf, good); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: an unknown path is answered with %d", key, got.status)
		}
	}

	call := dialGRPC(t, a.Address("otlp_grpc_listen"))
	for name, c := range map[string]struct {
		body []byte
		want codes.Code
	}{
		"cut protobuf": {good[:len(good)-3], codes.InvalidArgument},
		"text":         {[]byte("hello, this is text"), codes.InvalidArgument},
		"oversized":    {make([]byte, 1<<20+1), codes.ResourceExhausted},
	} {
		if err := call(t.Context(), c.body); status.Code(err) != c.want {
			t.Errorf("gRPC, %s: %v, want %v", name, err, c.want)
		}
	}
	if err := call(t.Context(), oneRun(t, 5000)); err != nil {
		t.Errorf("a good call after bad ones: %v", err)
	}
	sent[traceOf(5000)] = true
	wantRuns(t, client.New("http://"+a.Address("listen"), ""), sent, nil)

	// The API behind the same guard.
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"rebound name":   {[]string{"Host", "evil.example:7300"}, 421},
		"foreign page":   {[]string{"Origin", "http://evil.example"}, 403},
		"wrong type":     {[]string{"Content-Type", "text/plain"}, 415},
		"simple request": {nil, 400},
	} {
		got := post(t.Context(), "http://"+a.Address("listen")+"/api/v1/query", "application/json", []byte(`{"nonsense":1}`), c.header...)
		if got.status != c.want || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("API, %s: %d %s, want the problem %d", name, got.status, got.body, c.want)
		}
	}
}

// Without --dev nobody writes without a key.
func TestNoKey(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) { c.Dev = false })
	good := oneRun(t, 0)
	for _, key := range []string{"listen", "otlp_http_listen"} {
		for name, header := range map[string][]string{
			"no key":      nil,
			"a wrong key": {"Authorization", "Bearer rvk_0123456789"},
		} {
			got := post(t.Context(), "http://"+a.Address(key)+"/v1/traces", protobuf, good, header...)
			if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: %d %q, want 401", key, name, got.status, got.body)
			}
		}
	}
	if err := dialGRPC(t, a.Address("otlp_grpc_listen"))(t.Context(), good); status.Code(err) != codes.Unauthenticated {
		t.Errorf("gRPC without a key: %v, want Unauthenticated", err)
	}
	if s := get(t, "http://"+a.Address("listen")+"/api/v1/runs"); s != http.StatusUnauthorized {
		t.Errorf("reading runs without a token: %d, want 401", s)
	}
}

// plain sends and takes bytes as they are.
type plain struct{}

func (plain) Name() string                  { return "proto" }
func (plain) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (plain) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b)
	return nil
}

func dialGRPC(t *testing.T, addr string) func(ctx context.Context, body []byte) error {
	t.Helper()
	c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // nothing is on its way
	return func(ctx context.Context, body []byte) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		var reply []byte
		return c.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &body, &reply, grpc.ForceCodec(plain{}))
	}
}
