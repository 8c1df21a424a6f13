package intake

import (
	"context"

	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
	"reeve/internal/relay"
)

// Relay takes what was accepted, to forward it to others; *relay.Relay is one.
type Relay interface {
	// Wants reports whether somebody may want something of this signal from such
	// a sender.
	Wants(s relay.Signal, team, environment string) bool
	// Offer returns once a is durable, or cannot be; it must not use a after.
	Offer(ctx context.Context, a *relay.Arrival)
}

// relayed are the signals as package relay calls them.
var relayed = [...]relay.Signal{traces: relay.Traces, logs: relay.Logs, metrics: relay.Metrics}

// mark notes what a record turned out to be, in the order in which records came;
// before is how many fragments, log records and metric points there were.
func (n *normaliser) mark(s signal, before [3]int) {
	r := relay.Record{Unreadable: true}
	switch {
	case s == traces && len(n.fragments) > before[traces]:
		f := &n.fragments[len(n.fragments)-1]
		r = relay.Record{Agent: f.Agent, Dialect: f.Dialect, Environment: f.Environment}
	case s == logs && len(n.logs) > before[logs]:
		r = relay.Record{Agent: n.logs[len(n.logs)-1].Agent, Environment: n.resource.Text(dialect.Environment)}
	case s == metrics && len(n.metrics) > before[metrics]:
		r = relay.Record{Agent: n.metrics[len(n.metrics)-1].Agent, Environment: n.resource.Text(dialect.Environment)}
	}
	n.marks = append(n.marks, r)
}

func (n *normaliser) counts() [3]int { return [3]int{len(n.fragments), len(n.logs), len(n.metrics)} }

// offer hands an accepted request on, after the log has it and before its sender
// hears so.
func (in *Intake) offer(ctx context.Context, s signal, w *worker, body []byte, from Sender) {
	if !w.n.marking || len(w.n.marks) == 0 {
		return
	}
	in.relay.Offer(ctx, &relay.Arrival{Signal: relayed[s], Team: from.Team, Environment: from.Environment, Body: body, Records: w.n.marks})
}

// circle refuses what this installation relayed itself: taken in, it would go
// out again, for ever.
func (in *Intake) circle(hop string) error {
	if hop == "" || hop != in.install {
		return nil
	}
	return fault.New(fault.KindInvalid, "intake.circle", "this was relayed by this installation and came back").
		WithHint("a relay destination, or what it relays to, is this server's own intake: remove it")
}
