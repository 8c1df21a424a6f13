package bus

import (
	"context"
	"encoding/json"
	"errors"
	"time"

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
type Events struct{ stream *Stream }

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
	acks := make([]jetstream.PubAckFuture, 0, len(events))
	for _, ev := range events {
		data, err := json.Marshal(ev)
		if err != nil {
			return fault.New(fault.KindInternal, "bus.event", "event %s cannot be encoded", ev.Type).WithCause(err)
		}
		if len(data) > s.maxPayload {
			return s.tooLarge(len(data))
		}
		ack, err := s.js.PublishAsync(s.name, data)
		if err != nil {
			return s.translate(err)
		}
		acks = append(acks, ack)
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

// Last is the position of the newest event: reading after it sees only what
// is still to come.
func (e *Events) Last(ctx context.Context) (uint64, error) {
	st, err := e.stream.Stats(ctx)
	return st.LastSeq, err
}

// Read calls handle for each event after position after, in order, until ctx
// ends (its cause is returned) or handle fails (its error is returned). It
// returns ErrTooOld when events after that position are gone or the position
// is from another log, and when a slow reader is overtaken by deletion.
func (e *Events) Read(ctx context.Context, after uint64, handle func(position uint64, at time.Time, ev Event) error) error {
	st, err := e.stream.Stats(ctx)
	if err != nil {
		return err
	}
	if after+1 < st.FirstSeq || after > st.LastSeq {
		return ErrTooOld
	}
	return e.stream.follow(ctx, after+1, func(seq uint64, at time.Time, msg []byte) error {
		if seq != after+1 {
			return ErrTooOld
		}
		after = seq
		var ev Event
		if err := json.Unmarshal(msg, &ev); err != nil {
			return errCorrupt.WithCause(err)
		}
		return handle(seq, at, ev)
	})
}
