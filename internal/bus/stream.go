package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"reeve/internal/fault"
)

// A message on the wire is one byte and one s2 block:
//
//	0 | s2(payload)                                 published alone
//	1 | s2(uvarint length, payload, uvarint …)      gathered
const (
	formAlone    = 0
	formGathered = 1
)

const (
	// gatherBelow is the size from which a payload goes alone: from there on
	// the cost of a message is its bytes, and gathering would only copy them.
	gatherBelow = 64 << 10
	// gatherMax bounds a gathered message, so that memory and latency stay bounded.
	gatherMax = 256 << 10
	// directWrites bounds the large payloads compressed and in flight at once.
	directWrites = 4
	// readAhead is how many messages Read fetches before they are handled: of
	// batches of half a megabyte, two megabytes. A bound in bytes makes the client
	// keep a list of a million places.
	readAhead = 4
)

// Stream is a durable, ordered log of messages. Safe for concurrent use.
type Stream struct {
	name       string
	dir        string
	maxPayload int
	minFree    uint64
	quota      int64
	free       func(string) (uint64, error)
	js         jetstream.JetStream
	stream     jetstream.Stream
	direct     chan struct{} // a token for each large write in flight
	held       *atomic.Int32 // of the bus: nothing is deleted while it is above 0

	mu      sync.Mutex // guards what follows
	open    *group     // collects while a write is in flight; nil when empty
	flying  bool       // a goroutine runs in fly
	closed  bool
	writers sync.WaitGroup // fly and direct writes; Add under mu, so never after closed
}

// group is the payloads of one message to be.
type group struct {
	data  []byte
	taken chan struct{} // closed when fly takes it: a new group may open
	done  chan struct{} // closed when seq and err are final
	seq   uint64
	err   error
}

// Publish stores data and returns its message's sequence once it is durable.
// Small payloads of concurrent callers share one message (and its sequence);
// data may be reused after the return unless ctx ended first, and then the
// payload may or may not be stored.
//
// Faults: bus.full (exhausted), bus.disk_full, bus.too_large, bus.closed,
// bus.write_failed.
func (s *Stream) Publish(ctx context.Context, data []byte) (uint64, error) {
	if len(data) > maxRaw {
		return 0, s.tooLarge(len(data))
	}
	if len(data) >= gatherBelow {
		return s.publishAlone(ctx, data)
	}
	g, err := s.join(ctx, data)
	if err != nil {
		return 0, err
	}
	select {
	case <-g.done:
		return g.seq, g.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// join adds data to the open group, waiting while that is full.
func (s *Stream) join(ctx context.Context, data []byte) (*group, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, errClosed(s.name)
		}
		g := s.open
		if g != nil && len(g.data)+len(data) > gatherMax {
			s.mu.Unlock()
			select {
			case <-g.taken:
				continue
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		if g == nil {
			g = &group{taken: make(chan struct{}), done: make(chan struct{})}
			s.open = g
		}
		g.data = binary.AppendUvarint(g.data, uint64(len(data)))
		g.data = append(g.data, data...)
		if !s.flying {
			s.flying = true
			s.writers.Go(s.fly)
		}
		s.mu.Unlock()
		return g, nil
	}
}

// fly writes one group after the other until none is open. It serves many
// callers, so it obeys none of their contexts.
func (s *Stream) fly() {
	for {
		s.mu.Lock()
		g := s.open
		s.open = nil
		if g == nil {
			s.flying = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		close(g.taken)
		g.seq, g.err = s.write(context.Background(), formGathered, g.data)
		close(g.done)
	}
}

func (s *Stream) publishAlone(ctx context.Context, data []byte) (uint64, error) {
	select {
	case s.direct <- struct{}{}:
		defer func() { <-s.direct }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, errClosed(s.name)
	}
	s.writers.Add(1)
	s.mu.Unlock()
	defer s.writers.Done()
	return s.write(ctx, formAlone, data)
}

// buffers holds the compressed form of messages between writes.
var buffers = make(spares, directWrites)

// spares are buffers that wait to be used again. A pool of the library would lose
// them to the collector, twice a second under load, and they are of a megabyte.
type spares chan *[]byte

func (s spares) get() *[]byte {
	select {
	case b := <-s:
		return b
	default:
		return new([]byte)
	}
}

// sparesOf is the size from which a buffer is not kept.
const sparesOf = 2 << 20

func (s spares) put(b *[]byte) {
	if cap(*b) > sparesOf {
		return
	}
	select {
	case s <- b:
	default:
	}
}

func (s *Stream) write(ctx context.Context, form byte, data []byte) (uint64, error) {
	if err := s.checkDisk(); err != nil {
		return 0, err
	}
	buf := buffers.get()
	defer buffers.put(buf)
	need := 1 + s2.MaxEncodedLen(len(data))
	if cap(*buf) < need {
		*buf = make([]byte, need)
	}
	msg := (*buf)[:need]
	msg[0] = form
	msg = msg[:1+len(s2.Encode(msg[1:], data))]
	if len(msg) > s.maxPayload {
		return 0, s.tooLarge(len(msg))
	}
	return s.send(ctx, msg)
}

// send publishes one finished message and translates what NATS says.
func (s *Stream) send(ctx context.Context, msg []byte) (uint64, error) {
	wctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ack, err := s.js.PublishMsg(wctx, &nats.Msg{Subject: s.name, Data: msg})
	if err != nil {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return 0, s.translate(err)
	}
	return ack.Sequence, nil
}

// Room is why Publish refuses now for want of disk: bus.disk_full, or what keeps
// the folder from being looked at; nil when there is room.
func (s *Stream) Room() error { return s.checkDisk() }

func (s *Stream) checkDisk() error {
	free, err := s.free(s.dir)
	if err != nil {
		return folderFault(s.dir, err)
	}
	if free < s.minFree {
		return fault.New(fault.KindUnavailable, "bus.disk_full", "the disk of %s is full: %d MB are free, and the log %s leaves %d MB of it", s.dir, free>>20, s.name, s.minFree>>20).
			WithHint("free some space; writing goes on by itself")
	}
	return nil
}

func (s *Stream) tooLarge(n int) error {
	return fault.New(fault.KindInvalid, "bus.too_large", "a message of %d bytes is larger than %d", n, s.maxPayload).
		WithHint("send smaller batches")
}

func errClosed(name string) error {
	return fault.New(fault.KindUnavailable, "bus.closed", "the log %s is closed", name).WithHint("Reeve is stopping: send it again when it runs")
}

func (s *Stream) translate(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrConnectionClosed):
		return errClosed(s.name).(*fault.Error).WithCause(err)
	case errors.Is(err, nats.ErrMaxPayload):
		return s.tooLarge(s.maxPayload + 1)
	case errors.As(err, &api) && api.Description == server.ErrMaxBytes.Error():
		return fault.New(fault.KindExhausted, "bus.full", "the log %s holds its %d bytes and nobody has read them yet", s.name, s.quota).
			WithHint("wait and send again; if this lasts, look why the store lags").WithCause(err)
	}
	// JetStream answers nothing at all after a failed write, and refuses the
	// stream until a restart: the likely reason is the disk.
	return fault.New(fault.KindUnavailable, "bus.write_failed", "the log %s does not take writes", s.name).
		WithHint("check the disk and its file permissions, then restart").WithCause(err)
}

// Read calls handle for each message from sequence from on, in order, and then
// for each new one, until ctx ends (its cause is returned) or handle fails
// (its error is returned). from 0 or 1 is the oldest; a from that is already
// deleted starts at the oldest that is left, which handle sees by its seq.
// received is when the log stored the message. payloads are valid only during
// the call.
func (s *Stream) Read(ctx context.Context, from uint64, handle func(seq uint64, received time.Time, payloads [][]byte) error) error {
	var raw []byte
	var payloads [][]byte
	return s.follow(ctx, from, func(seq uint64, received time.Time, msg []byte) (err error) {
		raw, payloads, err = unpack(msg, raw, payloads[:0])
		if err != nil {
			return fmt.Errorf("reading message %d of %s: %w", seq, s.name, err)
		}
		return handle(seq, received, payloads)
	})
}

// follow is Read without unpacking. An ordered consumer restarts itself after
// a gap, so what arrives is in order and complete.
func (s *Stream) follow(ctx context.Context, from uint64, handle func(seq uint64, received time.Time, msg []byte) error) error {
	consumer, err := s.js.OrderedConsumer(ctx, s.name, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   max(from, 1),
	})
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return s.unreadable(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return s.unreadable(err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return s.unreadable(err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return s.unreadable(err)
		}
		if err := handle(meta.Sequence.Stream, meta.Timestamp, m.Data()); err != nil {
			return err
		}
	}
}

func (s *Stream) unreadable(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrMsgIteratorClosed) {
		return errClosed(s.name).(*fault.Error).WithCause(err)
	}
	return fault.New(fault.KindUnavailable, "bus.read_failed", "the log %s cannot be read", s.name).WithCause(err)
}

// errCorrupt is a message that this package did not write.
var errCorrupt = fault.New(fault.KindInternal, "bus.corrupt", "a message of the log cannot be unpacked").
	WithHint("the folder bus/ of the data folder was damaged: look at the disk, and restore a backup")

// unpack splits a message into payloads, reusing raw and into.
func unpack(msg, raw []byte, into [][]byte) ([]byte, [][]byte, error) {
	if len(msg) == 0 {
		return raw, into, errCorrupt
	}
	n, err := s2.DecodedLen(msg[1:])
	if err != nil || n > maxRaw {
		return raw, into, errCorrupt.WithCause(err)
	}
	if raw, err = s2.Decode(raw[:cap(raw)], msg[1:]); err != nil {
		return raw, into, errCorrupt.WithCause(err)
	}
	switch msg[0] {
	case formAlone:
		return raw, append(into, raw), nil
	case formGathered:
		for rest := raw; len(rest) > 0; {
			size, k := binary.Uvarint(rest)
			if k <= 0 || size > uint64(len(rest)-k) {
				return raw, into, errCorrupt
			}
			end := k + int(size)
			into = append(into, rest[k:end:end])
			rest = rest[end:]
		}
		return raw, into, nil
	}
	return raw, into, errCorrupt
}

// DeleteThrough deletes the messages up to and including seq. A seq beyond the
// end moves the end there, so the next message gets a higher one: a reader
// that calls it with its cursor at the start never mistakes a new message for
// an old one, even if a power cut took the tail of the log. While the bus is
// held it does nothing: the next call deletes more.
func (s *Stream) DeleteThrough(ctx context.Context, seq uint64) error {
	if seq == 0 || s.held.Load() > 0 {
		return nil
	}
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSequence(seq+1)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("deleting through %d: %w", seq, s.translate(err))
	}
	return nil
}

// Stats is how much a stream holds. FirstSeq is LastSeq+1 when it is empty.
type Stats struct {
	Bytes    uint64
	Quota    int64 // the most Bytes may be
	Messages uint64
	FirstSeq uint64
	LastSeq  uint64
	LastAt   time.Time // when the last message was stored; zero for none
}

// Stats asks the server, some 0.1 ms.
func (s *Stream) Stats(ctx context.Context) (Stats, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return Stats{}, context.Cause(ctx)
		}
		return Stats{}, s.unreadable(err)
	}
	st := info.State
	return Stats{
		Bytes: st.Bytes, Quota: s.quota, Messages: st.Msgs,
		FirstSeq: st.FirstSeq, LastSeq: st.LastSeq, LastAt: st.LastTime,
	}, nil
}

// close refuses new writes and waits for those in flight.
func (s *Stream) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.writers.Wait()
}
