package bus

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go/jetstream"

	"reeve/internal/fault"
)

// ErrTooOld is returned by Events.Read for a position that is no longer (or
// was never) in the stream: the reader must load its state anew.
var ErrTooOld = errors.New("position is no longer in the stream of events")

// Event says that something changed. Readers fetch what they need by ID.
type Event struct {
	Type string          `json:"type"` // "run.updated"
	ID   string          `json:"id,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Events is the stream that live views follow. Each event has a position of
// its own, larger than those before. Safe for concurrent use.
//
// What is published together lies in one message: hundreds of runs change in a
// moment, and a message costs far more than an event. A position is the
// message's sequence and the event's place in it, from 1.
type Events struct {
	stream *Stream

	mu       sync.Mutex // guards what follows
	readers  int
	asked    time.Time // when somebody last read, or was about to
	skipping bool      // the newest event says that others are left out
}

const (
	placeBits   = 12
	placeMask   = 1<<placeBits - 1 // also: behind the last event of the message
	eventsBytes = 256 << 10        // about what one message holds
)

// followFor is for how long after somebody read events they are stored all the same:
// a browser that lost its connection is back by then.
const followFor = 2 * time.Minute

// typeSkipped is the event behind which others are left out. Nobody is shown it.
const typeSkipped = "events.skipped"

// Skip reports whether nobody reads events, nor did lately: then those that only say
// that something moved need not be published. Whoever reads on from before them gets
// ErrTooOld.
func (e *Events) Skip(ctx context.Context) (bool, error) {
	// Held while the mark is written, so that nobody begins to read behind it and
	// still misses what comes next.
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.readers > 0 || time.Since(e.asked) < followFor:
		return false, nil
	case e.skipping:
		return true, nil
	}
	if err := e.Publish(ctx, Event{Type: typeSkipped}); err != nil {
		return false, err
	}
	e.skipping = true
	return true, nil
}

// follow notes that somebody reads, until done.
func (e *Events) follow() (done func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readers++
	e.asked, e.skipping = time.Now(), false
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.readers--
		e.asked = time.Now()
	}
}

// Publish appends events in order and returns once all are stored.
func (e *Events) Publish(ctx context.Context, events ...Event) error {
	s := e.stream
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed(s.name)
	}
	s.writers.Add(1)
	s.mu.Unlock()
	defer s.writers.Done()
	if err := s.checkDisk(); err != nil {
		return err
	}
	var acks []jetstream.PubAckFuture
	for len(events) > 0 {
		msg, n, err := packEvents(events)
		if err != nil {
			return err
		}
		if len(msg) > s.maxPayload {
			return s.tooLarge(len(msg))
		}
		ack, err := s.js.PublishAsync(s.name, msg)
		if err != nil {
			return s.translate(err)
		}
		acks, events = append(acks, ack), events[n:]
	}
	timeout := time.NewTimer(writeTimeout)
	defer timeout.Stop()
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return s.translate(err)
		case <-timeout.C:
			return s.translate(context.DeadlineExceeded)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// packEvents makes a message of as many events as it may hold.
func packEvents(events []Event) (msg []byte, n int, err error) {
	size := 0
	for i := 0; i < len(events) && size < eventsBytes; i++ {
		size += len(events[i].Type) + len(events[i].ID) + len(events[i].Data) + 48
	}
	raw := make([]byte, 0, size)
	var one []byte
	for n < len(events) && n < placeMask-1 && len(raw) < eventsBytes {
		if one, err = appendEvent(one[:0], &events[n]); err != nil {
			return nil, 0, fault.New(fault.KindInternal, "bus.event", "event %s cannot be encoded", events[n].Type).WithCause(err)
		}
		raw = append(binary.AppendUvarint(raw, uint64(len(one))), one...)
		n++
	}
	msg = make([]byte, 1+s2.MaxEncodedLen(len(raw)))
	msg[0] = formGathered
	return msg[:1+len(s2.Encode(msg[1:], raw))], n, nil
}

// appendEvent writes an event as json.Marshal does, without going through its
// data twice: runs that change are hundreds a second.
func appendEvent(dst []byte, e *Event) ([]byte, error) {
	if !plainText(e.Type) || !plainText(e.ID) || len(e.Data) == 0 || !json.Valid(e.Data) {
		data, err := json.Marshal(e)
		return append(dst, data...), err
	}
	dst = append(append(append(dst, `{"type":"`...), e.Type...), '"')
	if e.ID != "" {
		dst = append(append(append(dst, `,"id":"`...), e.ID...), '"')
	}
	return append(append(append(dst, `,"data":`...), e.Data...), '}'), nil
}

// plainText reports whether s stands in JSON as it is.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Last is the position of the newest event: reading after it sees only what
// is still to come.
func (e *Events) Last(ctx context.Context) (uint64, error) {
	e.follow()() // whoever asks is about to read
	st, err := e.stream.Stats(ctx)
	if st.LastSeq == 0 {
		return 0, err
	}
	return st.LastSeq<<placeBits | placeMask, err
}

// Read calls handle for each event after position after, in order, until ctx
// ends (its cause is returned) or handle fails (its error is returned). It
// returns ErrTooOld when events after that position are gone or the position
// is from another log, when some were left out because nobody read (see Skip), and
// when a slow reader is overtaken by deletion.
func (e *Events) Read(ctx context.Context, after uint64, handle func(position uint64, at time.Time, ev Event) error) error {
	defer e.follow()()
	st, err := e.stream.Stats(ctx)
	if err != nil {
		return err
	}
	next, place := after>>placeBits, after&placeMask
	if place == placeMask || next == 0 {
		next, place = next+1, 0
	}
	if next < st.FirstSeq || after > st.LastSeq<<placeBits|placeMask {
		return ErrTooOld
	}
	var raw []byte
	var payloads [][]byte
	return e.stream.follow(ctx, next, func(seq uint64, at time.Time, msg []byte) error {
		if seq != next {
			return ErrTooOld
		}
		var err error
		if len(msg) > 0 && msg[0] == '{' { // an event alone, as it once was written
			payloads = append(payloads[:0], msg)
		} else if raw, payloads, err = unpack(msg, raw, payloads[:0]); err != nil {
			return err
		}
		for i, p := range payloads {
			if uint64(i) < place {
				continue
			}
			var ev Event
			if err := json.Unmarshal(p, &ev); err != nil {
				return errCorrupt.WithCause(err)
			}
			if ev.Type == typeSkipped {
				return ErrTooOld
			}
			if err := handle(seq<<placeBits|uint64(i+1), at, ev); err != nil {
				return err
			}
		}
		next, place = next+1, 0
		return nil
	})
}

// Forget deletes all events. Who follows them is told ErrTooOld and reads its state
// anew.
func (e *Events) Forget(ctx context.Context) error {
	if err := e.stream.stream.Purge(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return e.stream.translate(err)
	}
	return nil
}
