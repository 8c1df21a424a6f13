// Package intake is the letter box: it takes OpenTelemetry over HTTP and gRPC,
// says who sent it, turns it into activity and puts it on the log.
//
// What for: agents send traces, logs and metrics with any OTLP exporter; what
// arrives is decoded by hand, mapped by the dialects' table (MapVersion) and
// published as one activity.Batch a request.
//
// Who calls it: app mounts Intake as a handler on both HTTP listeners and
// calls ServeGRPC with the gRPC one, and fills in Log and Keys.
//
// Promises: a request is acknowledged only after Log.Publish returned. Memory
// is bounded by Config.InFlight, which counts bodies, what they decode to, and what
// many small records take, and by maxRecords a request; what does not fit is refused
// with advice when to come again, never queued. What can be read of a request is kept, and what
// cannot is counted in its partial success. Safe for concurrent use.
//
// How it fails: every refusal is a google.rpc.Status in the request's encoding
// with a stable code from package fault (intake.*, or the log's own).
//
// Start reading at Intake.accept; http.go and grpc.go are its two doors, otlp.go
// the decoder, dialect the table.
package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/hook"
	"reeve/internal/intake/dialect"
	"reeve/internal/intake/dialect/adk"
	"reeve/internal/intake/dialect/agentops"
	"reeve/internal/intake/dialect/bedrocklog"
	"reeve/internal/intake/dialect/claudecode"
	"reeve/internal/intake/dialect/codex"
	"reeve/internal/intake/dialect/copilotstudio"
	"reeve/internal/intake/dialect/datadog"
	"reeve/internal/intake/dialect/genkit"
	"reeve/internal/intake/dialect/laminar"
	"reeve/internal/intake/dialect/langfuse"
	"reeve/internal/intake/dialect/langsmith"
	"reeve/internal/intake/dialect/livekit"
	"reeve/internal/intake/dialect/logfire"
	"reeve/internal/intake/dialect/mastra"
	"reeve/internal/intake/dialect/mlflow"
	"reeve/internal/intake/dialect/openaiagents"
	"reeve/internal/intake/dialect/openinference"
	"reeve/internal/intake/dialect/openlit"
	"reeve/internal/intake/dialect/openllmetry"
	"reeve/internal/intake/dialect/opik"
	"reeve/internal/intake/dialect/otelgenai"
	"reeve/internal/intake/dialect/vercel"
	"reeve/internal/relay"
	"reeve/internal/telemetry"
)

// registry lists the dialects; where several recognise a span, the first names
// it. A new dialect is a folder, its import and line here, and what tests ask for then:
// its row in docs/dialects.md and its edges in internal/arch.
func registry() []dialect.Dialect {
	return []dialect.Dialect{
		langfuse.Dialect(),
		datadog.Dialect(),
		openaiagents.Dialect(),
		openinference.Dialect(),
		openllmetry.Dialect(),
		vercel.Dialect(),
		langsmith.Dialect(),
		laminar.Dialect(),
		agentops.Dialect(),
		mlflow.Dialect(),
		mastra.Dialect(),
		adk.Dialect(),
		genkit.Dialect(),
		livekit.Dialect(),
		openlit.Dialect(),
		opik.Dialect(),
		copilotstudio.Dialect(),
		bedrocklog.Dialect(),
		otelgenai.Dialect(),
		// Names so plain that they say nothing of who uses them come last.
		logfire.Dialect(),
		codex.Dialect(),
		claudecode.Dialect(),
	}
}

// Dialects are the vocabularies that intake reads; the table is made of them.
func Dialects() []dialect.Dialect { return registry() }

// Table is the table in force.
func Table() *dialect.Map { return dialect.NewMap(registry()...) }

// Log takes encoded batches.
type Log interface {
	// Publish stores one encoded batch and returns when it is kept. A log that
	// is full or whose reader lags returns a fault of kind exhausted. It must
	// not use batch after it returned, unless ctx ended first.
	Publish(ctx context.Context, batch []byte) error
}

// Keys knows intake keys.
type Keys interface {
	// Sender is who presents the credential: a fault of kind unauthenticated
	// for an unknown or dead one.
	Sender(ctx context.Context, credential string) (Sender, error)
}

// Sender is an authenticated sender with its limits.
type Sender struct {
	ID             string // the key's id, or "dev"
	Team           string
	Environment    string  // wins over what the sender claims; "" takes the sender's
	SpansPerSecond float64 // records of any signal; 0 is no limit
	BytesPerSecond float64 // after decompression; 0 is no limit
}

// Config limits what senders may send.
type Config struct {
	MaxBody      int64 // largest request after decompression
	MaxAttribute int64 // largest attribute or content; longer ones are cut and flagged
	InFlight     int64 // bytes of all requests being worked on
}

// DefaultConfig is 16 MB, 1 MB and 64 MB.
func DefaultConfig() Config {
	return Config{MaxBody: 16 << 20, MaxAttribute: 1 << 20, InFlight: 64 << 20}
}

// Validate refuses limits that would refuse everything.
func (c Config) Validate() error {
	switch {
	case c.MaxBody < 64<<10 || c.MaxBody > 256<<20:
		return fault.New(fault.KindInvalid, "intake.config", "max_body of %d bytes is outside 64 kB to 256 MB", c.MaxBody)
	case c.MaxAttribute < 1<<10 || c.MaxAttribute > c.MaxBody:
		return fault.New(fault.KindInvalid, "intake.config", "max_attribute of %d bytes is outside 1 kB to max_body", c.MaxAttribute)
	case c.InFlight < c.MaxBody:
		return fault.New(fault.KindInvalid, "intake.config", "in_flight of %d bytes is below max_body", c.InFlight)
	}
	return nil
}

// Options are what an Intake needs. Log is required, and so is Keys or
// Anonymous.
type Options struct {
	Config    Config // zero: DefaultConfig
	Log       Log
	Keys      Keys         // nil: only Anonymous
	Anonymous *Sender      // who sends without a credential (dev on loopback); nil refuses them
	Logger    *slog.Logger // nil is silent
	Now       func() time.Time
	Stages    *telemetry.Stages // counts where time goes; may be nil
	Sources   Sources           // nil: lineage is refused
	Relay     Relay             // nil: nothing is forwarded
	Install   string            // this installation's id, by which a relay's circle is seen
	Hooks     *hook.Registry    // registered outside senders; nil: alerts are refused
	Alerts    Alerts            // required with Hooks
	Changes   Changes           // likewise
	Feedback  Feedback          // nil takes none
	Table     *dialect.Map      // how attributes are read; nil: Table()

	// Slow says why less must come than does, or nil: while it does, those are refused
	// with it who send more than others. It must not wait. May be nil.
	Slow func() error

	// Keeps is how long telemetry is kept, 0 for ever: times before that, or before
	// activity.LongestAge, are clamped and flagged. It must not wait. Nil: for ever.
	Keeps func() time.Duration
}

// Intake takes requests. It is an http.Handler for Paths.
type Intake struct {
	config    Config
	log       Log
	keys      Keys
	anonymous *Sender
	logger    *slog.Logger
	now       func() time.Time
	table     *dialect.Map
	doors     doors
	sources   Sources
	relay     Relay
	install   string
	hooks     *hook.Registry
	alerts    Alerts
	changes   Changes
	feedback  Feedback
	programs  sync.Map // of sources' mappings: name -> compiled
	limits    *limits
	keeps     func() time.Duration
	slow      func() error
	workers   sync.Pool    // *worker
	ready     chan *worker // those of usual requests, which the collector must not take
	stages    *telemetry.Stages

	stats struct {
		requests, refused, bytes, spans, logs, points, alerts, changes, rejected atomic.Int64
		last                                                                     atomic.Int64
	}
}

// worker is the memory of one request.
type worker struct {
	body, proto, batch []byte
	out                dialect.Writer // of vendors' own wire formats
	n                  normaliser
}

// New checks o and makes an Intake; nothing runs.
func New(o Options) (*Intake, error) {
	if o.Config == (Config{}) {
		o.Config = DefaultConfig()
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Hooks != nil && (o.Alerts == nil || o.Changes == nil) {
		return nil, errors.New("intake: with hooks, somebody must keep alerts and changes")
	}
	if o.Log == nil || (o.Keys == nil && o.Anonymous == nil) {
		return nil, errors.New("intake: a log, and keys or an anonymous sender, are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in := &Intake{
		config: o.Config, log: o.Log, keys: o.Keys, anonymous: o.Anonymous, logger: o.Logger, now: o.Now, stages: o.Stages, sources: o.Sources, relay: o.Relay, install: o.Install,
		hooks: o.Hooks, alerts: o.Alerts, changes: o.Changes, feedback: o.Feedback,
		table: cmp.Or(o.Table, Table()), doors: newDoors(registry()), limits: newLimits(o.Config.InFlight),
	}
	in.ready = make(chan *worker, readyWorkers)
	if in.slow = o.Slow; in.slow == nil {
		in.slow = func() error { return nil }
	}
	if in.keeps = o.Keeps; in.keeps == nil {
		in.keeps = func() time.Duration { return 0 }
	}
	in.workers.New = func() any { return &worker{n: in.normaliser()} }
	return in, nil
}

// Stats are counts since the start.
type Stats struct {
	Requests, Refused    int64 // refused: answered with an error
	Bytes                int64 // of bodies, decompressed
	Spans, Logs, Points  int64 // accepted
	Alerts, Changes      int64 // reports of them, accepted
	Rejected             int64 // records that could not be read
	InFlight             int64 // bytes being worked on now
	Last                 time.Time
	MapVersion, Dialects int
}

// Stats reads the counts.
func (in *Intake) Stats() Stats {
	s := Stats{
		Requests: in.stats.requests.Load(), Refused: in.stats.refused.Load(), Bytes: in.stats.bytes.Load(),
		Spans: in.stats.spans.Load(), Logs: in.stats.logs.Load(), Points: in.stats.points.Load(), Alerts: in.stats.alerts.Load(), Changes: in.stats.changes.Load(), Rejected: in.stats.rejected.Load(),
		InFlight: in.limits.inFlight(), MapVersion: dialect.MapVersion, Dialects: len(registry()),
	}
	if ns := in.stats.last.Load(); ns > 0 {
		s.Last = time.Unix(0, ns).UTC()
	}
	return s
}

func (in *Intake) normaliser() normaliser {
	return normaliser{table: in.table, maxAttribute: int(in.config.MaxAttribute), keeps: in.keeps, orders: map[activity.StepID]int32{}}
}

func (in *Intake) worker() *worker {
	select {
	case w := <-in.ready:
		return w
	default:
		return in.workers.Get().(*worker)
	}
}

// readyWorkers is how many wait whatever the collector does, and readyBytes what
// each may hold at most: a pool alone loses them twice a second under load.
const (
	readyWorkers = 4
	readyBytes   = 4 << 20
)

// largeRequest is how many records one request may have had for its memory to be
// kept for the next.
const largeRequest = 1 << 14

// large reports that a giant was read: what its records took in many small places
// is given up as a whole.
func (n *normaliser) large() bool {
	return max(n.records, len(n.orders), cap(n.fragments), cap(n.logs), cap(n.metrics), cap(n.scratch), cap(n.marks)) > largeRequest
}

// bytes is about what n holds for the next request.
func (n *normaliser) bytes() int {
	return cap(n.fragments)*int(unsafe.Sizeof(activity.Fragment{})) + cap(n.logs)*int(unsafe.Sizeof(activity.LogRecord{})) +
		cap(n.metrics)*int(unsafe.Sizeof(activity.MetricPoint{})) + cap(n.scratch)*int(unsafe.Sizeof([]byte{})) + cap(n.marks)*int(unsafe.Sizeof(relay.Record{})) +
		cap(n.arena)
}

// keep gives memory back for the next request, unless one giant made it large.
func (in *Intake) keep(w *worker) {
	const most = 4 << 20
	if cap(w.body) > most {
		w.body = nil
	}
	if cap(w.proto) > most {
		w.proto = nil
	}
	if cap(w.batch) > most {
		w.batch = nil
	}
	w.n.held = nil
	if w.n.large() {
		w.n = in.normaliser()
	}
	w.n.told = dialect.Writer{}
	w.n.batch = activity.Batch{}
	clear(w.n.marks[:cap(w.n.marks)]) // they alias the body
	if cap(w.body)+cap(w.proto)+cap(w.batch)+w.n.bytes() <= readyBytes {
		select {
		case in.ready <- w:
			return
		default:
		}
	}
	in.workers.Put(w)
}

// identify finds out who presents a credential; "" is none.
func (in *Intake) identify(ctx context.Context, credentials []string) (Sender, error) {
	if len(credentials) == 0 || in.keys == nil {
		if in.anonymous != nil {
			return *in.anonymous, nil
		}
		return Sender{}, fault.New(fault.KindUnauthenticated, "intake.no_key", "an intake key is needed").
			WithHint("send it as Authorization: Bearer KEY, as x-api-key, or as the password of Basic")
	}
	var last error
	for _, c := range credentials {
		s, err := in.keys.Sender(ctx, c)
		if err == nil {
			return s, nil
		}
		last = err
		if !fault.Is(err, fault.KindUnauthenticated) {
			return Sender{}, err
		}
	}
	// In dev every client may keep its dummy key.
	if in.anonymous != nil {
		return *in.anonymous, nil
	}
	return Sender{}, last
}

// answer is what a sender is told about an accepted request.
type answer struct {
	rejected int64
	message  string
}

// jsonGrowth is how many times as long as the largest body the protobuf of a JSON
// request may be: that of telemetry is shorter, that of empty objects three times
// as long.
const jsonGrowth = 2

// accept decodes a body, publishes it, and returns once the log has it.
func (in *Intake) accept(ctx context.Context, w *worker, s signal, asJSON bool, body []byte, from Sender) (answer, error) {
	if why := in.slow(); why != nil && in.limits.heavy(from.ID, in.now()) {
		return answer{}, why
	}
	unknown := ""
	if asJSON {
		began := in.stages.Begin()
		out, name, err := transcode(w.proto[:0], s, body, int(jsonGrowth*in.config.MaxBody))
		in.stages.End(telemetry.StageDecode, began)
		w.proto, unknown = out, name
		if err != nil {
			return answer{}, err
		}
		if held := w.n.held; held != nil {
			if err := held.growWithin(int64(len(body) + 2*len(out))); err != nil {
				return answer{}, err
			}
		}
		body = out
	}
	now := in.now()
	in.stages.Take()
	began := in.stages.Begin()
	w.n.marking = in.relay != nil && in.relay.Wants(relayed[s], from.Team, from.Environment)
	err := w.n.run(s, body, now, from)
	in.stages.End(telemetry.StageNormalise, began)
	in.stages.Give()
	if err != nil {
		return answer{}, err
	}
	if w.n.accepted+w.n.rejected == 0 && (unknown != "" || w.n.skipped != 0) {
		return answer{}, nothingOf(s, unknown, w.n.skipped)
	}
	b := &w.n.batch
	in.limits.charge(from, w.n.accepted, int64(len(body)), now)
	began = in.stages.Begin()
	err = in.publish(ctx, w, b)
	in.stages.End(telemetry.StageLog, began)
	if err != nil {
		return answer{}, err
	}
	in.limits.count(from.ID, w.n.accepted, int64(len(body)), now)
	in.offer(ctx, s, w, body, from)
	in.stats.bytes.Add(int64(len(body)))
	in.stats.rejected.Add(w.n.rejected)
	in.stats.last.Store(now.UnixNano())
	switch s {
	case traces:
		in.stats.spans.Add(w.n.accepted)
	case logs:
		in.stats.logs.Add(w.n.accepted)
	case metrics:
		in.stats.points.Add(w.n.accepted)
	}
	a := answer{rejected: w.n.rejected}
	if a.rejected > 0 {
		a.message = strings.Join(w.n.reasons, "; ")
	}
	return a, nil
}

// nothingOf refuses another shape that was sent here by mistake: acknowledged as
// nothing it would be lost in silence.
func nothingOf(s signal, unknown string, field uint64) error {
	if unknown != "" {
		unknown = fmt.Sprintf("a member %q", unknown)
	} else {
		unknown = fmt.Sprintf("a field %d", field)
	}
	return fault.New(fault.KindInvalid, "intake.malformed", "nothing in the body is a record of %s: it has %s, which OTLP does not know there", names[s], unknown).
		WithHint("docs/sending.md lists the paths of other clients")
}

// publishSize is where a batch is cut: the log's messages are at most 8 MB.
// Parts of one request may then be kept while a later one fails; the sender
// sends all again, and folding the same step twice changes nothing.
const publishSize = 3 << 20

func (in *Intake) publish(ctx context.Context, w *worker, b *activity.Batch) error {
	part := *b
	for len(b.Fragments)+len(b.Logs)+len(b.Metrics) > 0 {
		size := 0
		part.Fragments, b.Fragments = cutAt(b.Fragments, &size, sizeOfFragment)
		part.Logs, b.Logs = cutAt(b.Logs, &size, func(l *activity.LogRecord) int { return 200 + len(l.Attributes) + len(l.Body) })
		part.Metrics, b.Metrics = cutAt(b.Metrics, &size, func(m *activity.MetricPoint) int { return 200 + len(m.Attributes) + len(m.Point) })
		w.batch = activity.AppendBatch(slices.Grow(w.batch[:0], size), &part)
		if err := in.log.Publish(ctx, w.batch); err != nil {
			w.batch = nil // a log whose caller left may still be reading it
			return err
		}
	}
	return nil
}

func sizeOfFragment(f *activity.Fragment) int {
	n := 400 + len(f.Attributes) + len(f.Events) + len(f.StatusMessage)
	for i := range f.Contents {
		n += len(f.Contents[i].Raw)
	}
	return n
}

// cutAt takes from the front what fits into publishSize, one at least if
// nothing else was taken.
func cutAt[T any](all []T, size *int, of func(*T) int) (part, rest []T) {
	for i := range all {
		n := of(&all[i])
		if *size > 0 && *size+n > publishSize {
			return all[:i], all[i:]
		}
		*size += n
	}
	return all, all[len(all):]
}
