package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"reeve/internal/activity"
	"reeve/internal/intake"
)

// DialectsOptions say whose recordings are taken in.
type DialectsOptions struct {
	Folder   string        // of folders of recorded requests
	Only     string        // of one recording
	For      time.Duration // how long each is measured
	Steps    int           // of each, as plain OTLP, for a server to take in and store; 0 leaves that out
	Bin      string        // that server's program; "" is this one
	Profile  string        // file for a profile of the processor; "" takes none
	Progress io.Writer
}

// DialectCost is what taking in one sender's steps costs, beside the same steps
// as plain OTLP with the GenAI conventions.
type DialectCost struct {
	Recording string  `json:"recording"`
	Requests  int     `json:"requests"`
	Steps     int     `json:"steps"`
	Bytes     float64 `json:"bytes_per_step"`
	Plain     float64 `json:"plain_bytes_per_step"`
	Micros    float64 `json:"cpu_us_per_step"`
	PlainUS   float64 `json:"plain_cpu_us_per_step"`
	Handler   float64 `json:"handler_ratio"`      // of the two before: of the intake's handler alone
	Stored    float64 `json:"stored_cpu_us_step"` // what a server spends on a plain step until it is stored; 0: not measured
	Ratio     float64 `json:"ratio"`              // of a server, until a step is stored
}

// DialectsReport is that of all recordings.
type DialectsReport struct {
	Dialects []DialectCost `json:"dialects"`
}

// aimDialect is how much more than plain OTLP a dialect may cost.
const aimDialect = 1.5

// Text writes the report for people.
func (r *DialectsReport) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "recording\tsteps\tbytes a step\tas plain OTLP\thandler, us a step\tas plain OTLP\tserver, us a plain step\tserver's ratio")
	for _, d := range r.Dialects {
		mark := ""
		if d.Ratio > aimDialect {
			mark = " !"
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%.2f%s\n", d.Recording, d.Steps, d.Bytes, d.Plain, d.Micros, d.PlainUS, d.Stored, d.Ratio, mark)
	}
	fmt.Fprintf(t, "\nserver's ratio: a step by its own wire format against the same step as plain OTLP, until it is stored; aim %.1f\n", aimDialect)
	return t.Flush()
}

func dialectsMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := DialectsOptions{Progress: stderr}
	var output string
	fs := flag.NewFlagSet("reeve bench dialects", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.Folder, "recordings", "internal/intake/testdata", "folder of recorded requests, each with NAME.body.bin and NAME.meta.json; those of the source tree by default")
	fs.StringVar(&o.Only, "only", "", "of one recording")
	fs.DurationVar(&o.For, "for", 400*time.Millisecond, "processor time that each is measured for")
	fs.IntVar(&o.Steps, "steps", 20_000, "plain steps of each that a server takes in and stores; 0 leaves that out")
	fs.StringVar(&o.Bin, "bin", "", "that server's program (default: this one)")
	fs.StringVar(&o.Profile, "profile", "", "file that gets a profile of the processor")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	r, err := Dialects(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// recorded is a request as its client sent it.
type recorded struct {
	path   string
	method string
	header http.Header
	body   []byte
}

// keptLog keeps the last batches, or drops them.
type keptLog struct {
	keep bool
	got  []byte
}

func (s *keptLog) Publish(_ context.Context, b []byte) error {
	if s.keep {
		s.got = append(s.got, b...)
	}
	return nil
}

// drain is a response that nobody reads.
type drain struct {
	header http.Header
	status int
	said   bytes.Buffer
}

func (d *drain) Header() http.Header         { return d.header }
func (d *drain) WriteHeader(n int)           { d.status = n }
func (d *drain) Write(b []byte) (int, error) { return d.said.Write(b) }

// Dialects takes recordings in, again and again, and the same steps as plain
// OTLP between them, in one thread.
func Dialects(ctx context.Context, o DialectsOptions) (*DialectsReport, error) {
	all, names, err := readRecordings(o.Folder)
	if err != nil {
		return nil, err
	}
	log := &keptLog{}
	in, err := intake.New(intake.Options{Log: log, Anonymous: &intake.Sender{ID: "bench"}})
	if err != nil {
		return nil, err
	}
	var server *Server
	salt := uint64(0)
	if o.Steps > 0 {
		s, cleanup, err := tempServer(ctx, o.Bin, "", nil, io.Discard)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		server = s
	}
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	r := &DialectsReport{}
	for _, name := range names {
		if o.Only != "" && o.Only != name {
			continue
		}
		d, err := measureDialect(ctx, in, log, name, all[name], o.For)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if d.Steps > 0 && server != nil {
			if d.Stored, err = storedCost(ctx, server, all[name], o.Steps, &salt); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			d.Ratio = (d.Stored + d.Micros - d.PlainUS) / d.Stored
		}
		if d.Steps > 0 {
			r.Dialects = append(r.Dialects, d)
			fmt.Fprintf(o.Progress, "%s %.2f\n", name, d.Ratio)
		}
	}
	if len(r.Dialects) == 0 {
		return nil, fmt.Errorf("no steps are recorded in %s", o.Folder)
	}
	return r, nil
}

func measureDialect(ctx context.Context, in *intake.Intake, log *keptLog, name string, list []recorded, forSo time.Duration) (DialectCost, error) {
	d := DialectCost{Recording: name}
	var theirs, plain []recorded
	for _, r := range list {
		log.keep, log.got = true, log.got[:0]
		if err := r.send(in); err != nil {
			return d, err
		}
		log.keep = false
		body, steps, err := plainly(log.got, 0)
		if err != nil {
			return d, err
		}
		if steps == 0 {
			continue // scores, or nothing that is a step
		}
		d.Requests++
		d.Steps += steps
		d.Bytes += float64(len(r.body))
		d.Plain += float64(len(body))
		theirs = append(theirs, r)
		plain = append(plain, recorded{path: "/v1/traces", method: http.MethodPost, header: http.Header{"Content-Type": {"application/x-protobuf"}}, body: body})
	}
	if d.Steps == 0 {
		return d, nil
	}
	// In turn, so that a busier minute meets both.
	const turns = 6
	var a, b, na, nb float64
	for range turns {
		cpu, n, err := spend(ctx, in, theirs, forSo/turns)
		if err != nil {
			return d, err
		}
		a, na = a+cpu, na+n
		if cpu, n, err = spend(ctx, in, plain, forSo/turns); err != nil {
			return d, err
		}
		b, nb = b+cpu, nb+n
	}
	steps := float64(d.Steps)
	d.Bytes, d.Plain = d.Bytes/steps, d.Plain/steps
	d.Micros, d.PlainUS = a/na/steps*1e6, b/nb/steps*1e6
	d.Handler = d.Micros / d.PlainUS
	d.Ratio = d.Handler
	return d, nil
}

// storedCost is what a server of its own spends on a plain step until it is stored,
// in microseconds of processor: steps of a recording with new ids each time.
func storedCost(ctx context.Context, s *Server, list []recorded, steps int, salt *uint64) (float64, error) {
	api := newAPI("http://"+s.HTTP, "")
	span := window{time.Now().AddDate(-2, 0, 0), time.Now().AddDate(0, 0, 2)}
	already, err := api.count(ctx, span)
	if err != nil {
		return 0, err
	}
	to, err := newSender(Target{Endpoint: "http://" + s.OTLP}, 1)
	if err != nil {
		return 0, err
	}
	defer to.close()
	before, _ := procUsage(s.Pid())
	sent := 0
	log := &keptLog{keep: true}
	in, err := intake.New(intake.Options{Log: log, Anonymous: &intake.Sender{ID: "bench"}})
	if err != nil {
		return 0, err
	}
	var batches [][]byte
	for i := range list {
		log.got = nil
		if err := list[i].send(in); err != nil {
			return 0, err
		}
		batches = append(batches, log.got)
	}
	for sent < steps {
		*salt++
		for _, b := range batches {
			body, n, err := plainly(b, *salt)
			if err != nil {
				return 0, err
			}
			if n == 0 {
				continue
			}
			if busy, res := deliver(ctx, to, body); res.err != nil {
				return 0, fmt.Errorf("after %d busy answers: %w", busy, res.err)
			}
			sent += n
		}
	}
	// Steps that a span and a log record told of are one: it is done when no more
	// come. Rows of runs and merges follow.
	for last, same := int64(-1), 0; same < 4; {
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return 0, err
		}
		n, err := api.count(ctx, span)
		if err != nil {
			return 0, err
		}
		if same++; n != last {
			last, same = n, 0
		}
	}
	if last, err := api.count(ctx, span); err != nil || last-already < int64(sent)/3 {
		return 0, fmt.Errorf("%d of %d steps are stored: %w", last-already, sent, err)
	}
	after, _ := procUsage(s.Pid())
	return (after.cpu - before.cpu) / float64(sent) * 1e6, nil
}

// spend sends requests over and over and tells the processor's seconds and how
// often.
func spend(ctx context.Context, in *intake.Intake, list []recorded, forSo time.Duration) (cpu, times float64, err error) {
	began := ownCPU()
	for cpu < forSo.Seconds() {
		for range 20 {
			for i := range list {
				if err := list[i].send(in); err != nil {
					return 0, 0, err
				}
			}
			times++
		}
		if ctx.Err() != nil {
			return 0, 0, context.Cause(ctx)
		}
		cpu = ownCPU() - began
	}
	return cpu, times, nil
}

func (r *recorded) send(in *intake.Intake) error {
	req, err := http.NewRequest(r.method, r.path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.Header = r.header
	w := &drain{header: http.Header{}, status: http.StatusOK}
	in.ServeHTTP(w, req)
	if w.status/100 != 2 {
		return fmt.Errorf("%s is answered with %d %.200s", r.path, w.status, w.said.String())
	}
	return nil
}

// readRecordings reads folders of requests below a folder, by their names.
func readRecordings(folder string) (map[string][]recorded, []string, error) {
	all := map[string][]recorded{}
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := filepath.Base(filepath.Dir(path))
		at, kind := madeRecording(path)
		switch {
		case strings.HasSuffix(path, ".body.bin"):
			r, err := readRecording(path)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			all[name] = append(all[name], r)
		case at != "":
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[name] = append(all[name], recorded{path: at, method: http.MethodPost, header: http.Header{"Content-Type": {kind}}, body: body})
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	return all, names, nil
}

// madeRecording is where a body goes that was made after a vendor's documents.
func madeRecording(path string) (at, kind string) {
	const json = "application/json"
	for ending, at := range map[string]string{"-logs.json": "/v1/logs", "-rows.json": "/v1/copilot-studio/transcripts", "-records.jsonl": "/v1/bedrock/invocations"} {
		if strings.HasSuffix(path, ending) {
			return at, json
		}
	}
	return "", ""
}

func readRecording(file string) (r recorded, err error) {
	if r.body, err = os.ReadFile(file); err != nil {
		return r, err
	}
	raw, err := os.ReadFile(strings.TrimSuffix(file, ".body.bin") + ".meta.json")
	if err != nil {
		return r, err
	}
	var meta struct {
		Method, Path string
		Headers      map[string][]string
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		return r, err
	}
	r.method, r.path, r.header = meta.Method, meta.Path, http.Header{}
	for k, v := range meta.Headers {
		if k != "Content-Length" && k != "Content-Encoding" { // bodies are recorded decoded
			r.header[k] = v
		}
	}
	if kind := r.header.Get("Content-Type"); kind == "" || strings.HasPrefix(kind, "application/grpc") {
		r.header.Set("Content-Type", "application/x-protobuf") // the same message over gRPC
	}
	return r, nil
}

// plainOperations are the GenAI conventions' names of kinds of step.
var plainOperations = map[activity.Kind]string{
	activity.KindModel: "chat", activity.KindEmbedding: "embeddings", activity.KindTool: "execute_tool", activity.KindAgent: "invoke_agent",
	activity.KindWorkflow: "invoke_workflow", activity.KindRetrieval: "retrieval",
}

// plainContents are their names of content.
var plainContents = map[activity.ContentField]string{
	activity.ContentInput: "gen_ai.input.messages", activity.ContentOutput: "gen_ai.output.messages", activity.ContentSystem: "gen_ai.system_instructions",
	activity.ContentTools: "gen_ai.tool.definitions", activity.ContentArguments: "gen_ai.tool.call.arguments", activity.ContentResult: "gen_ai.tool.call.result",
}

// plainly writes the steps of batches as an OTLP request with the GenAI
// conventions: all that was understood of them, and their content. salt makes
// their ids others.
func plainly(batches []byte, salt uint64) (body []byte, steps int, err error) {
	var records []byte
	service := "bench"
	err = activity.DecodeEnvelope(batches, nil, func(b *activity.Batch) error {
		for i := range b.Fragments {
			f := &b.Fragments[i]
			if f.Service != "" {
				service = f.Service
			}
			s := plainSpan(f)
			s.salted(salt)
			records = AppendSpan(records, &s)
			steps++
		}
		return nil
	})
	if err != nil {
		return nil, 0, errors.Join(errors.New("what the intake published"), err)
	}
	resource := AppendText(nil, ResourceAttr, "service.name", service)
	return AppendRequest(nil, resource, Scope{"bench", "1"}, records), steps, nil
}

func (s *Span) salted(salt uint64) {
	mix := salt * 0x9E3779B97F4A7C15
	for i := range 8 {
		b := byte(mix >> (8 * i))
		s.Trace[i] ^= b
		s.ID[i] ^= b
		if s.Parent != ([8]byte{}) {
			s.Parent[i] ^= b
		}
	}
}

func plainSpan(f *activity.Fragment) Span {
	s := Span{Trace: f.Trace, ID: f.Span, Name: f.Name, Kind: KindClient, Start: f.Start, End: max(f.End, f.Start), StatusMessage: f.StatusMessage}
	if s.ID == ([8]byte{}) {
		copy(s.ID[:], f.Step[:])
	}
	if s.Trace == ([16]byte{}) {
		s.Trace = f.Run
	}
	copy(s.Parent[:], f.Parent[:])
	if f.Status == activity.StatusError {
		s.Status = StatusError
	}
	text := func(key, v string) {
		if v != "" {
			s.Attributes = AppendText(s.Attributes, SpanAttr, key, v)
		}
	}
	number := func(key string, v int64) {
		if v >= 0 {
			s.Attributes = AppendInt(s.Attributes, SpanAttr, key, v)
		}
	}
	text("gen_ai.operation.name", cmp.Or(plainOperations[f.Kind], f.Kind.String()))
	text("gen_ai.provider.name", f.Provider)
	text("gen_ai.request.model", f.ModelRequested)
	text("gen_ai.response.model", f.Model)
	text("gen_ai.response.id", f.ResponseID)
	text("gen_ai.agent.name", f.Agent)
	text("gen_ai.agent.id", f.AgentID)
	text("gen_ai.agent.version", f.AgentVersion)
	text("gen_ai.conversation.id", f.Session)
	text("user.id", f.User)
	text("gen_ai.tool.name", f.ToolName)
	text("gen_ai.tool.call.id", f.ToolCallID)
	text("error.type", f.ErrorType)
	if f.FinishReason != "" {
		s.Attributes = AppendTexts(s.Attributes, SpanAttr, "gen_ai.response.finish_reasons", f.FinishReason)
	}
	number("gen_ai.usage.input_tokens", f.Usage.InputTotal)
	number("gen_ai.usage.output_tokens", f.Usage.OutputTotal)
	number("gen_ai.usage.cache_read.input_tokens", f.Usage.CacheRead)
	number("gen_ai.usage.cache_creation.input_tokens", f.Usage.CacheWrite)
	for i := range f.Contents {
		c := &f.Contents[i]
		text(cmp.Or(plainContents[c.Field], "content."+c.Field.String()), string(c.Raw))
	}
	return s
}
