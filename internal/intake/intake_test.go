package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
)

// memoryLog keeps what was published, and fails when told to.
type memoryLog struct {
	mu    sync.Mutex
	data  []byte
	fail  error
	block chan struct{}
}

func (l *memoryLog) Publish(ctx context.Context, batch []byte) error {
	if l.block != nil {
		select {
		case <-l.block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	l.data = append(l.data, batch...)
	return nil
}

// batches decodes everything published, each with memory of its own.
func (l *memoryLog) batches(t testing.TB) (out []activity.Batch) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := activity.DecodeEnvelope(slices.Clone(l.data), nil, func(got *activity.Batch) error {
		b := *got
		b.Fragments, b.Logs, b.Metrics = nil, slices.Clone(got.Logs), slices.Clone(got.Metrics)
		for _, f := range got.Fragments {
			f.Contents, f.Tags, f.Labels, f.Links = slices.Clone(f.Contents), slices.Clone(f.Tags), slices.Clone(f.Labels), slices.Clone(f.Links)
			b.Fragments = append(b.Fragments, f)
		}
		out = append(out, b)
		return nil
	})
	if err != nil {
		t.Fatalf("the log does not decode: %v", err)
	}
	return out
}

type keyring map[string]Sender

func (k keyring) Sender(_ context.Context, credential string) (Sender, error) {
	if s, ok := k[credential]; ok {
		return s, nil
	}
	return Sender{}, fault.New(fault.KindUnauthenticated, "identity.unknown_key", "this key is not known")
}

var dev = Sender{ID: "dev"}

// fixture is an Intake over a memory log. Unless set, time is that of the
// captures, so that nothing is skewed.
func fixture(t testing.TB, change func(*Options)) (*Intake, *memoryLog) {
	t.Helper()
	log := &memoryLog{}
	o := Options{Log: log, Anonymous: &dev, Keeps: func() time.Duration { return 90 * 24 * time.Hour }, Now: func() time.Time { return time.Unix(0, 1795400000e9).UTC() }}
	if change != nil {
		change(&o)
	}
	in, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return in, log
}

func post(in http.Handler, path, kind string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return serve(in, r)
}

func serve(in http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	return w
}

const protobuf = "application/x-protobuf"

// dial connects a client that sends bodies as they are.
func dial(t *testing.T, in *Intake) *grpc.ClientConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.ServeGRPC(ctx, l, nil) }()
	c, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ServeGRPC = %v", err)
		}
	})
	return c
}

func call(ctx context.Context, c *grpc.ClientConn, s signal, body []byte, opts ...grpc.CallOption) ([]byte, error) {
	var reply rawMessage
	var codec encoding.CodecV2 = rawCodec{}
	err := c.Invoke(ctx, "/"+services[s]+"/Export", &rawMessage{plain: body}, &reply, append(opts, grpc.ForceCodecV2(codec))...)
	return bytes.Clone(reply.bytes()), err
}

type truth struct {
	Runs          int      `json:"runs"`
	CallsOK       int      `json:"model_calls_ok"`
	CallsFailed   int      `json:"model_calls_failed"`
	Embeddings    int      `json:"embeddings"`
	ToolCalls     int      `json:"tool_calls"`
	Input         *int64   `json:"input_total"`
	CacheRead     *int64   `json:"input_cache_read"`
	Output        *int64   `json:"output_total"`
	UnknownUsage  int      `json:"unknown_usage_calls"`
	Agent         string   `json:"agent"`
	Session       *string  `json:"session"`
	User          *string  `json:"user"`
	Models        []string `json:"models"`
	Traces        int      `json:"traces"`
	InContent     int      `json:"tool_calls_in_content"`
	CacheReported int      `json:"cache_reported_calls"`
}

// tally is the reference reading of fragments: only leaf calls count. A model
// step below another model step is the same call, told by two instruments.
func tally(t *testing.T, batches []activity.Batch) truth {
	t.Helper()
	steps := map[activity.StepID]*activity.Fragment{}
	runs, traces := map[activity.RunID]bool{}, map[activity.TraceID]bool{}
	calls := map[string]bool{} // tool calls asked for in what models said
	models := map[string]bool{}
	var order []activity.StepID
	var got truth
	for i := range batches {
		for j := range batches[i].Fragments {
			f := &batches[i].Fragments[j]
			runs[f.Run], traces[f.Trace] = true, true
			for _, c := range f.Contents {
				if c.Field != activity.ContentOutput || c.Order >= activity.ContentBand(2) || !strings.HasSuffix(c.Format, ".messages") {
					continue
				}
				if err := genai.Split(c.Raw, func(e []byte) bool {
					m, err := genai.Parse(c.Format, e)
					if err != nil {
						t.Errorf("%s from %s: %v", c.Format, c.From, err)
					}
					for _, p := range m.Parts {
						if p.Type == genai.PartToolCall {
							calls[f.Step.String()+p.Name+p.ID] = true
						}
					}
					return true
				}); err != nil {
					t.Errorf("%s from %s: %v: %s", c.Format, c.From, err, c.Raw)
				}
			}
			if !f.OnlyContent {
				steps[f.Step] = f
				order = append(order, f.Step)
			}
		}
	}
	nested := map[activity.StepID]bool{}
	for _, f := range steps {
		if f.Kind != activity.KindModel {
			continue
		}
		for p := steps[f.Parent]; p != nil; p = steps[p.Parent] {
			if p.Kind == activity.KindModel {
				nested[f.Step] = true
			}
		}
	}
	add := func(to **int64, n int64) {
		if n < 0 {
			return
		}
		if *to == nil {
			*to = new(int64)
		}
		**to += n
	}
	for _, id := range order {
		f := steps[id]
		switch f.Kind {
		case activity.KindTool:
			got.ToolCalls++
			continue
		case activity.KindModel, activity.KindEmbedding:
		case activity.KindAgent, activity.KindWorkflow:
			if f.Parent.IsZero() {
				got.Agent = f.Agent
			}
			got.note(f)
			continue
		default:
			got.note(f)
			continue
		}
		got.note(f)
		for _, m := range []string{f.ModelRequested, f.Model} {
			if m != "" {
				models[m] = true
			}
		}
		if nested[id] {
			continue
		}
		switch {
		case f.Kind == activity.KindEmbedding:
			got.Embeddings++
		case f.Status == activity.StatusError:
			got.CallsFailed++
		default:
			got.CallsOK++
		}
		if !f.Usage.Known() && f.Status != activity.StatusError {
			got.UnknownUsage++
		}
		add(&got.Input, f.Usage.InputTotal)
		add(&got.CacheRead, f.Usage.CacheRead)
		add(&got.Output, f.Usage.OutputTotal)
		if f.Usage.CacheRead >= 0 {
			got.CacheReported++
		}
	}
	got.Runs, got.Traces, got.InContent = len(runs), len(traces), len(calls)
	got.Models = []string{}
	for m := range models {
		got.Models = append(got.Models, m)
	}
	sort.Strings(got.Models)
	return got
}

func (g *truth) note(f *activity.Fragment) {
	if f.Session != "" {
		g.Session = &f.Session
	}
	if f.User != "" {
		g.User = &f.User
	}
}

// gaps are known differences between what a careful reader finds and what the
// dialects do, each with its reason.
var gaps = map[string]func(got, want *truth){}

// TestCaptures sends every recorded body through the doors and compares with
// what a careful reader found in it.
func TestCaptures(t *testing.T) {
	t.Parallel()
	var all map[string]truth
	raw, err := os.ReadFile("testdata/captures/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, log := fixture(t, nil)
			send(t, in, name)
			batches := log.batches(t)
			got := tally(t, batches)
			sort.Strings(want.Models)
			if gap := gaps[name]; gap != nil {
				gap(&got, &want)
			}
			g, _ := json.MarshalIndent(got, "", " ")
			w, _ := json.MarshalIndent(want, "", " ")
			if !bytes.Equal(g, w) {
				t.Errorf("got %s\nwant %s", g, w)
			}
			for _, b := range batches {
				for _, f := range b.Fragments {
					if f.Flags&^activity.FlagAgentGuessed != 0 {
						t.Errorf("step %s has flags %v", f.Name, f.Flags.Names())
					}
					if f.Dialect == "otel" || f.MapVersion == 0 {
						t.Errorf("step %s has dialect %q version %d", f.Name, f.Dialect, f.MapVersion)
					}
				}
			}
		})
	}
}

// send replays a capture through HTTP, or gRPC where it was recorded so.
func send(t *testing.T, in *Intake, name string) {
	t.Helper()
	bodies, err := filepath.Glob(filepath.Join("testdata/captures", name, "*.body.bin"))
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no bodies of %s: %v", name, err)
	}
	var conn *grpc.ClientConn
	for _, file := range bodies {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			Method, Path, Protocol string
			Headers                map[string][]string
		}
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".body.bin") + ".meta.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &meta); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "-grpc") {
			if conn == nil {
				conn = dial(t, in)
			}
			ctx := metadata.AppendToOutgoingContext(t.Context(), "api_key", "test")
			if reply, err := call(ctx, conn, signalNames[strings.TrimSuffix(file[strings.LastIndex(file, "v1_")+3:], ".body.bin")], body); err != nil || len(reply) > 0 {
				t.Fatalf("%s: %x, %v", file, reply, err)
			}
			continue
		}
		r := httptest.NewRequest(meta.Method, meta.Path, bytes.NewReader(body))
		for k, v := range meta.Headers {
			if k != "Content-Length" && k != "Content-Encoding" { // bodies are recorded decoded
				r.Header[k] = v
			}
		}
		w := serve(in, r)
		if w.Code/100 != 2 || strings.Contains(w.Body.String(), "partialSuccess") {
			t.Fatalf("%s: %d %s", file, w.Code, w.Body)
		}
	}
}
