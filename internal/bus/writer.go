package bus

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"reeve/internal/fault"
)

// codeMoved is the server's code for a message that expected another predecessor.
const codeMoved = jetstream.ErrorCode(10071)

// PublishAfter stores payloads as one message, provided that last is the newest
// message there is (0: none yet), and returns its sequence once it is durable.
// It is for a stream with one writer whose messages build on each other: after
// a failure it cannot know whether the message was stored, and the sequence
// keeps a late one from following a newer one.
//
// Faults: bus.moved (conflict) when another message was stored after last, and
// those of Publish.
func (s *Stream) PublishAfter(ctx context.Context, last uint64, payloads ...[]byte) (uint64, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, errClosed(s.name)
	}
	s.writers.Add(1)
	s.mu.Unlock()
	defer s.writers.Done()
	if err := s.checkDisk(); err != nil {
		return 0, err
	}
	raw := buffers.get()
	defer buffers.put(raw)
	*raw = (*raw)[:0]
	for _, p := range payloads {
		*raw = binary.AppendUvarint(*raw, uint64(len(p)))
		*raw = append(*raw, p...)
	}
	if len(*raw) > maxRaw {
		return 0, s.tooLarge(len(*raw))
	}
	msg := make([]byte, 1+s2.MaxEncodedLen(len(*raw)))
	msg[0] = formGathered
	msg = msg[:1+len(s2.Encode(msg[1:], *raw))]
	if len(msg) > s.maxPayload {
		return 0, s.tooLarge(len(msg))
	}
	wctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ack, err := s.js.PublishMsg(wctx, &nats.Msg{Subject: s.name, Data: msg}, jetstream.WithExpectLastSequence(last), jetstream.WithRetryAttempts(0))
	var api *jetstream.APIError
	switch {
	case err == nil:
		return ack.Sequence, nil
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.As(err, &api) && api.ErrorCode == codeMoved:
		return 0, fault.New(fault.KindConflict, "bus.moved", "the log %s has other messages after %d", s.name, last).WithCause(err)
	}
	return 0, s.translate(err)
}

// errEnough ends ReadThrough.
var errEnough = errors.New("read enough")

// ReadThrough is Read up to message to, which must exist or be deleted; then it
// returns nil.
func (s *Stream) ReadThrough(ctx context.Context, from, to uint64, handle func(seq uint64, received time.Time, payloads [][]byte) error) error {
	st, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	if to = min(to, st.LastSeq); st.Messages == 0 || max(from, st.FirstSeq) > to {
		return nil
	}
	err = s.Read(ctx, from, func(seq uint64, received time.Time, payloads [][]byte) error {
		if seq <= to {
			if err := handle(seq, received, payloads); err != nil {
				return err
			}
		}
		if seq >= to {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
