package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"reeve/internal/fault"
)

// ErrLagged is returned by Topic.Subscribe when notices were lost because
// handle was too slow: load the state anew and subscribe again.
var ErrLagged = errors.New("notices were lost")

// topicPending bounds what waits for one subscriber.
const (
	topicPending      = 8192
	topicPendingBytes = 16 << 20
)

// Topic carries notices of one type to whoever listens now. They are not
// stored: a notice says "look again", the truth is elsewhere.
type Topic[T any] struct {
	conn    *nats.Conn
	subject string
}

// NewTopic names a topic of b. Name is lower case, with dots.
func NewTopic[T any](b *Bus, name string) Topic[T] {
	return Topic[T]{conn: b.notices, subject: "topic." + name}
}

// Publish hands v, as JSON, to the subscribers of this moment.
func (t Topic[T]) Publish(v T) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a notice of %s: %w", t.subject, err)
	}
	if err := t.conn.Publish(t.subject, data); err != nil {
		return fault.New(fault.KindUnavailable, "bus.closed", "the bus does not take notices").WithHint("Reeve is stopping: try again when it runs").WithCause(err)
	}
	return nil
}

// Subscribe calls handle for each notice, in order, until ctx ends (its cause
// is returned) or notices were lost (ErrLagged). ready, which may be nil, is
// called once every later Publish is sure to be seen.
func (t Topic[T]) Subscribe(ctx context.Context, ready func(), handle func(T)) error {
	sub, err := t.conn.SubscribeSync(t.subject)
	if err != nil {
		return fault.New(fault.KindUnavailable, "bus.closed", "the bus is closed").WithHint("Reeve is stopping: try again when it runs").WithCause(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection, where nothing is subscribed
	if err := sub.SetPendingLimits(topicPending, topicPendingBytes); err != nil {
		return fmt.Errorf("subscribing to %s: %w", t.subject, err)
	}
	if err := t.conn.FlushTimeout(writeTimeout); err != nil {
		return fmt.Errorf("subscribing to %s: %w", t.subject, err)
	}
	if ready != nil {
		ready()
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if errors.Is(err, nats.ErrSlowConsumer) {
				return ErrLagged
			}
			return fault.New(fault.KindUnavailable, "bus.closed", "the bus is closed").WithHint("Reeve is stopping: try again when it runs").WithCause(err)
		}
		var v T
		if err := json.Unmarshal(m.Data, &v); err != nil {
			return fmt.Errorf("decoding a notice of %s: %w", t.subject, err)
		}
		handle(v)
	}
}
