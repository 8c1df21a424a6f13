// Package bus is the log between the parts of Reeve: an embedded NATS server
// with JetStream in the process, reached without a socket.
//
// What for: telemetry and decisions are durable here before anybody is told
// that they arrived; events for live views keep a position to resume from; and
// typed topics carry notices between parts of the process.
//
// Who calls it: app opens it; intake publishes to Activity, package run reads
// it and deletes behind the store's cursor; the gateway publishes to
// Decisions; api reads Events.
//
// Promises: a publish that returned nil survives kill -9 (and, with
// DurabilityDisk, a power cut); messages of a stream are read in the order of
// their sequence; sequences never repeat, also after deletion and restart.
// ACTIVITY and DECISIONS have connections and quotas of their own, so one
// cannot starve the other, and they refuse rather than drop what nobody has
// read. EVENTS and RELAY drop their oldest. Everything is safe for concurrent use.
//
// How it fails: a second process on the folder gets bus.locked; a full quota
// bus.full; a full disk bus.disk_full (refused before the store meets the end
// of the disk, telemetry earlier than decisions); a folder that cannot be
// written bus.read_only; a store that stopped answering bus.write_failed.
//
// Start reading at Open, then Stream.Publish and Stream.Read.
package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"reeve/internal/fault"
)

// Durability says what an acknowledged message survives.
type Durability string

// The durabilities. The zero value means DurabilityProcess.
const (
	DurabilityProcess Durability = "process" // the end of the process, at any moment
	DurabilityDisk    Durability = "disk"    // a power cut too: synced before the answer
)

// Options says where the log lives and how much it may hold. Dir is required.
type Options struct {
	Dir            string                           // made when missing; one process at a time
	Durability     Durability                       // "" is DurabilityProcess
	MaxPayload     int                              // bytes of one message after compression; 0 is 8 MB
	ActivityBytes  int64                            // quota of ACTIVITY; 0 is 4 GB
	DecisionsBytes int64                            // quota of DECISIONS; 0 is 1 GB
	EventsBytes    int64                            // EVENTS drops its oldest beyond this; 0 is 64 MB
	RelayBytes     int64                            // RELAY drops its oldest beyond this; 0 is 1 GB
	MinFree        uint64                           // disk space ACTIVITY leaves for DECISIONS; 0 is 256 MB
	FreeFunc       func(dir string) (uint64, error) // free bytes of the disk; nil asks the system
	Logger         *slog.Logger                     // nil discards
}

const (
	defaultMaxPayload = 8<<20 - 4<<10 // with its envelope 8 MB, above which NATS warns
	// maxRaw bounds a payload before compression and what Read will unpack.
	maxRaw = 64 << 20
	// decisionsMinFree is what DECISIONS leaves of the disk, so that the store
	// never meets its end: after a failed write JetStream refuses until a restart.
	decisionsMinFree = 32 << 20
	defaultMinFree   = 256 << 20
	startTimeout     = 60 * time.Second
	stopTimeout      = 10 * time.Second
	writeTimeout     = 10 * time.Second
	// syncInterval bounds what a power cut may take in DurabilityProcess.
	syncInterval = 10 * time.Second
)

func (o *Options) complete() error {
	if o.Dir == "" {
		return fault.New(fault.KindInvalid, "bus.options", "the bus needs a folder")
	}
	switch o.Durability {
	case "":
		o.Durability = DurabilityProcess
	case DurabilityProcess, DurabilityDisk:
	default:
		return fault.New(fault.KindInvalid, "bus.options", "durability %q is neither %q nor %q", o.Durability, DurabilityProcess, DurabilityDisk)
	}
	orDefault(&o.MaxPayload, defaultMaxPayload)
	orDefault(&o.ActivityBytes, 4<<30)
	orDefault(&o.DecisionsBytes, 1<<30)
	orDefault(&o.EventsBytes, 64<<20)
	orDefault(&o.RelayBytes, 1<<30)
	orDefault(&o.MinFree, defaultMinFree)
	if o.MaxPayload < 64<<10 || o.MaxPayload > maxRaw {
		return fault.New(fault.KindInvalid, "bus.options", "max payload of %d bytes is outside 64 kB to 64 MB", o.MaxPayload)
	}
	if o.FreeFunc == nil {
		o.FreeFunc = freeBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func orDefault[T int | int64 | uint64](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Bus is an open log. Close ends it.
type Bus struct {
	server    *server.Server
	notices   *nats.Conn // of topics
	activity  *Stream
	decisions *Stream
	events    *Events
	relay     *Stream
	undo      []func() error // in the order to run backwards
	held      atomic.Int32   // holders: while there are any nothing is deleted
	closeOnce sync.Once
	closeErr  error
}

// Hold keeps every stream from deleting what was handled until release: whoever
// copies the log beside what refers to it needs both to belong together. Room
// that is held is not free: hold it for as long as a copy takes.
func (b *Bus) Hold() (release func()) {
	b.held.Add(1)
	return sync.OnceFunc(func() { b.held.Add(-1) })
}

// Open locks the folder, starts the server in it and makes its streams. ctx
// bounds the start, which reads back what a crash left behind.
func Open(ctx context.Context, o Options) (_ *Bus, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	b := &Bus{}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if err := prepareFolder(o.Dir); err != nil {
		return nil, err
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	b.undo = append(b.undo, unlock)
	if err := b.start(o); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if b.notices, err = b.connect("notices"); err != nil {
		return nil, err
	}
	if b.decisions, err = b.open(ctx, o, "DECISIONS", o.DecisionsBytes, decisionsMinFree, jetstream.DiscardNew); err != nil {
		return nil, err
	}
	if b.activity, err = b.open(ctx, o, "ACTIVITY", o.ActivityBytes, max(o.MinFree, decisionsMinFree), jetstream.DiscardNew); err != nil {
		return nil, err
	}
	events, err := b.open(ctx, o, "EVENTS", o.EventsBytes, max(o.MinFree, decisionsMinFree), jetstream.DiscardOld)
	if err != nil {
		return nil, err
	}
	b.events = &Events{stream: events}
	if b.relay, err = b.open(ctx, o, "RELAY", o.RelayBytes, max(o.MinFree, decisionsMinFree), jetstream.DiscardOld); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bus) start(o Options) error {
	log := &natsLog{to: o.Logger.With("part", "bus")}
	s, err := server.NewServer(&server.Options{
		ServerName:             "reeve",
		DontListen:             true,
		NoSigs:                 true,
		NoSystemAccount:        true,
		DisableJetStreamBanner: true,
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             o.Durability == DurabilityDisk,
		SyncInterval:           syncInterval,
		// The sum of the quotas and no more: NATS would otherwise take three
		// quarters of what is free now and refuse our streams on a small disk.
		JetStreamMaxStore:     o.ActivityBytes + o.DecisionsBytes + o.EventsBytes + o.RelayBytes + 1<<20,
		JetStreamMaxMemory:    64 << 20,
		MaxPayload:            int32(o.MaxPayload + 4<<10),
		MaxPending:            int64(4*o.MaxPayload + 64<<20),
		StreamMaxBufferedSize: int64(4*o.MaxPayload + 64<<20),
	})
	if err != nil {
		return fault.New(fault.KindInternal, "bus.start", "the log could not be set up").WithCause(err)
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	b.server = s
	b.undo = append(b.undo, func() error {
		s.Shutdown()
		s.WaitForShutdown()
		return nil
	})
	if !s.ReadyForConnections(startTimeout) || !s.JetStreamEnabled() {
		return fault.New(fault.KindUnavailable, "bus.start", "the log in %s did not start", o.Dir).
			WithHint("look at the log lines of part=bus; is the disk full or damaged?").WithCause(errors.New(log.last()))
	}
	return nil
}

func (b *Bus) connect(name string) (*nats.Conn, error) {
	c, err := nats.Connect("", nats.InProcessServer(b.server), nats.Name(name), nats.Timeout(startTimeout),
		nats.MaxReconnects(0), nats.NoCallbacksAfterClientClose())
	if err != nil {
		return nil, fault.New(fault.KindInternal, "bus.start", "the log could not be reached").WithCause(err)
	}
	b.undo = append(b.undo, func() error { c.Close(); return nil })
	return c, nil
}

func (b *Bus) open(ctx context.Context, o Options, name string, quota int64, minFree uint64, discard jetstream.DiscardPolicy) (*Stream, error) {
	conn, err := b.connect(name)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", name, err)
	}
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        name,
		Subjects:    []string{name},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     discard,
		MaxBytes:    quota,
		MaxMsgs:     -1,
		MaxMsgSize:  int32(o.MaxPayload + 4<<10),
		Duplicates:  100 * time.Millisecond, // we send no message ids; its window costs a timer
		AllowDirect: true,
	})
	if err != nil {
		return nil, fault.New(fault.KindUnavailable, "bus.start", "stream %s could not be opened", name).WithCause(err)
	}
	s := &Stream{
		name: name, dir: o.Dir, maxPayload: o.MaxPayload, minFree: minFree, quota: quota,
		free: o.FreeFunc, js: js, stream: stream, direct: make(chan struct{}, directWrites), held: &b.held,
	}
	b.undo = append(b.undo, func() error { s.close(); return nil })
	return s, nil
}

// Activity is the stream of telemetry: bounded, and it refuses when full.
func (b *Bus) Activity() *Stream { return b.activity }

// Decisions is the stream of decision records, with a quota that telemetry
// cannot touch.
func (b *Bus) Decisions() *Stream { return b.decisions }

// Events is the stream that live views follow.
func (b *Bus) Events() *Events { return b.events }

// Relay is the stream of what is to be forwarded to others. It drops its oldest
// when it is full: a receiver that is gone stops nobody here.
func (b *Bus) Relay() *Stream { return b.relay }

// Close waits for writes in flight, stops the server and gives the folder
// free. It may be called twice.
func (b *Bus) Close() error {
	b.closeOnce.Do(func() {
		var errs []error
		for i := len(b.undo) - 1; i >= 0; i-- {
			errs = append(errs, b.undo[i]())
		}
		b.closeErr = errors.Join(errs...)
	})
	return b.closeErr
}

// prepareFolder makes the folder and proves that it can be written: the server
// would say so only in its log.
func prepareFolder(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		probe := filepath.Join(dir, ".probe")
		if err = os.WriteFile(probe, []byte("probe"), 0o600); err == nil {
			err = os.Remove(probe)
		}
	}
	return folderFault(dir, err)
}

// natsLog hands the server's log lines to slog. The server speaks in
// sentences, so they travel as an attribute.
type natsLog struct {
	to *slog.Logger

	mu   sync.Mutex
	text string // the last line of error or worse
}

var _ server.Logger = (*natsLog)(nil)

func (l *natsLog) keep(format string, v []any) string {
	text := fmt.Sprintf(format, v...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
	return text
}

func (l *natsLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return io.ErrUnexpectedEOF.Error()
	}
	return l.text
}

func (l *natsLog) Noticef(format string, v ...any) {
	l.to.Debug("log server notice", "text", fmt.Sprintf(format, v...))
}

func (l *natsLog) Warnf(format string, v ...any) {
	l.to.Warn("log server warning", "text", fmt.Sprintf(format, v...))
}

func (l *natsLog) Fatalf(format string, v ...any) {
	l.to.Error("log server stopped", "text", l.keep(format, v))
}

func (l *natsLog) Errorf(format string, v ...any) {
	l.to.Error("log server error", "text", l.keep(format, v))
}

func (l *natsLog) Debugf(format string, v ...any) {}
func (l *natsLog) Tracef(format string, v ...any) {}
