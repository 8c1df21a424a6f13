package watch

import (
	"context"
	"strings"
	"time"

	"reeve/internal/activity"
)

// Reading is what is known of a source that a step read, as it was then.
type Reading struct {
	Source   string // its registered name; "" when nothing is known of it
	Stale    bool   // older than somebody said it may be
	Sentence string
	Version  string
}

// read is a step that read a source, waiting to be looked up.
type read struct {
	who
	run  activity.RunID
	step activity.StepID
	name string
	at   time.Time
}

// maxReads is how many reads wait to be looked up; what comes beyond is left out:
// the source stays stale, and the next read of it tells.
const maxReads = 1024

// sourceFor is for how long the answer about a source counts.
const sourceFor = 5 * time.Second

// reads queues what a step read. The caller holds the lock.
func (w *Watch) reads(a *agent, s *activity.Step) {
	if w.o.Sources == nil || w.mute || w.only || s.Status == activity.StatusError || w.o.AnySource != nil && !w.o.AnySource() {
		return
	}
	name := activity.SourceOf(s)
	if name == "" && s.Kind == activity.KindRetrieval {
		if name = s.ToolName; name == "" {
			name = s.Name
		}
	}
	if name == "" {
		return
	}
	// One look-up a source, agent and while: most reads say what is known.
	key := "source\x00" + name
	if w.clock < a.rest[key] {
		return
	}
	if len(a.rest) > 1024 {
		clear(a.rest)
	}
	select {
	case w.asked <- read{a.who, s.Run, s.Step, word(name), time.Unix(0, s.Start).UTC()}:
		a.rest[strings.Clone(key)] = w.clock + int64(sourceFor)
	default:
	}
}

// lookUp asks what was read and tells when it was stale.
func (w *Watch) lookUp(ctx context.Context, q read) {
	got, err := w.o.Sources(ctx, q.team, q.name, q.at)
	if err != nil {
		if ctx.Err() == nil {
			w.o.Logger.Warn("what an agent read could not be looked up", "agent", q.who.name, "err", err)
		}
		return
	}
	if !got.Stale {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.agents[q.who]
	if a == nil {
		return
	}
	var r *run
	for _, x := range w.runs[q.run] {
		if x.of == a {
			r = x
		}
	}
	w.raiseAt(a, r, alarm{
		detector: "stale_source", subject: got.Source, measure: "age", level: 1, effect: 1, steps: []activity.StepID{q.step},
		text: "answered from stale data: " + got.Sentence, expected: "no older than somebody said it may be", seen: "version " + got.Version, why: "as lineage tells",
	})
}
