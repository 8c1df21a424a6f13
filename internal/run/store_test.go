package run

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// memory is a telemetry.Store that keeps everything in maps, as strictly as
// the contract allows: it forgets what a write's owner may reuse.
type memory struct {
	telemetry.Store // panics on what the reader has no business calling

	mu       sync.Mutex
	cursor   uint64
	appends  int
	steps    map[activity.RunID]map[activity.StepID]activity.Step
	messages map[activity.RunID][]activity.Message
	content  map[string][]byte // by day and hash
	rows     map[activity.RunID]activity.Run
	logs     []activity.LogRecord
	points   []activity.MetricPoint
	rollups  map[string]telemetry.RollupDelta
	fail     error // returned by Append while set
	raw      int64
}

func newMemory() *memory {
	return &memory{
		steps: map[activity.RunID]map[activity.StepID]activity.Step{}, messages: map[activity.RunID][]activity.Message{},
		rows: map[activity.RunID]activity.Run{}, rollups: map[string]telemetry.RollupDelta{}, content: map[string][]byte{},
	}
}

func contentKey(m *activity.Message) string { return fmt.Sprint(m.Day, m.Hash) }

func (m *memory) Cursor(context.Context, int) (uint64, error) { return m.cursor, nil }

func (m *memory) Append(_ context.Context, w *telemetry.Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if w.Cursor < m.cursor {
		return errors.New("cursor went back")
	}
	m.cursor = w.Cursor
	m.appends++
	for i := range w.Steps {
		s := keep(&w.Steps[i]).step
		// What an engine has no column for.
		s.WholeFragment, s.OnlyContent = false, false
		s.Refs = slices.Clone(s.Refs)
		if m.steps[s.Run] == nil {
			m.steps[s.Run] = map[activity.StepID]activity.Step{}
		}
		if old, ok := m.steps[s.Run][s.Step]; ok && old.Revision >= s.Revision {
			return fmt.Errorf("step %v: revision %d after %d", s.Step, s.Revision, old.Revision)
		}
		m.steps[s.Run][s.Step] = s
	}
	for i := range w.Messages {
		x := w.Messages[i]
		x.Raw = bytes.Clone(x.Raw)
		m.raw += int64(len(x.Raw))
		if x.Raw != nil {
			m.content[contentKey(&x)] = x.Raw
		} else if m.content[contentKey(&x)] == nil {
			return fmt.Errorf("message %d of %v has no content anywhere", x.Ordinal, x.Run)
		}
		if int(x.Ordinal) != len(m.messages[x.Run]) {
			return fmt.Errorf("message %d of %v after %d", x.Ordinal, x.Run, len(m.messages[x.Run]))
		}
		m.messages[x.Run] = append(m.messages[x.Run], x)
	}
	for i := range w.Runs {
		if old := m.rows[w.Runs[i].ID]; old.Revision >= w.Runs[i].Revision {
			return fmt.Errorf("run %v: revision %d after %d", old.ID, w.Runs[i].Revision, old.Revision)
		}
		m.rows[w.Runs[i].ID] = w.Runs[i]
	}
	for _, l := range w.Logs { // the write's memory is the caller's
		l.Body, l.Session, l.Attributes = strings.Clone(l.Body), strings.Clone(l.Session), bytes.Clone(l.Attributes)
		m.logs = append(m.logs, l)
	}
	for _, p := range w.Metrics {
		p.Attributes, p.Point = bytes.Clone(p.Attributes), bytes.Clone(p.Point)
		m.points = append(m.points, p)
	}
	for i := range w.Rollups {
		d := &w.Rollups[i]
		k := fmt.Sprint(d.Minute, d.Family, d.Agent, d.Team, d.Environment, d.Key)
		t, ok := m.rollups[k]
		if !ok {
			t = *d
			t.Latency = slices.Clone(d.Latency)
		} else {
			t.Runs += d.Runs
			t.Count += d.Count
			t.Errors += d.Errors
			t.InputTotal += d.InputTotal
			t.OutputTotal += d.OutputTotal
			t.CacheRead += d.CacheRead
			t.Unknown += d.Unknown
			t.CostNanos += d.CostNanos
			t.CostUnknown += d.CostUnknown
			t.Latency = compact(append(slices.Clone(t.Latency), d.Latency...))
		}
		if t.Runs|t.Count|t.Errors|t.InputTotal|t.OutputTotal|t.CacheRead|t.Unknown|t.CostNanos|t.CostUnknown == 0 && len(t.Latency) == 0 {
			delete(m.rollups, k)
		} else {
			m.rollups[k] = t
		}
	}
	return nil
}

func (m *memory) Run(_ context.Context, id activity.RunID) (*activity.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.rows[id]
	if !ok {
		return nil, fault.New(fault.KindNotFound, "run.not_found", "no such run")
	}
	return &row, nil
}

func (m *memory) HasRun(id activity.RunID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.rows[id]
	return ok
}

func (m *memory) Runs(_ context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p telemetry.RunsPage
	for _, r := range m.rows {
		ok, err := search.MatchAt(q.Filter, time.Unix(0, start0), &r, nil)
		if err != nil {
			return p, err
		}
		if ok && (q.From.IsZero() || r.Start >= q.From.UnixNano()) {
			p.Runs = append(p.Runs, r)
		}
	}
	return p, nil
}

func (m *memory) Steps(_ context.Context, id activity.RunID) ([]activity.Step, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []activity.Step
	for _, s := range m.steps[id] {
		out = append(out, s)
	}
	return out, nil
}

func (m *memory) Step(_ context.Context, run activity.RunID, id activity.StepID) (*activity.Step, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.steps[run][id]; ok {
		return &s, nil
	}
	return nil, fault.New(fault.KindNotFound, "telemetry.no_step", "there is no step %s", id)
}

func (m *memory) Messages(_ context.Context, id activity.RunID, _ []int32) ([]activity.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.messages[id])
	for i := range out {
		out[i].Raw = m.content[contentKey(&out[i])]
	}
	return out, nil
}

func (m *memory) Logs(_ context.Context, q telemetry.LogsQuery) (telemetry.LogsPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p telemetry.LogsPage
	for _, l := range m.logs {
		if q.Run.IsZero() || l.Run == q.Run {
			p.Logs = append(p.Logs, l)
		}
	}
	return p, nil
}

func (m *memory) Metrics(context.Context, telemetry.MetricsQuery) (telemetry.MetricsPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return telemetry.MetricsPage{Points: slices.Clone(m.points)}, nil
}

// tape is a Log that holds messages in memory.
type tape struct {
	mu       sync.Mutex
	messages [][]byte
	deleted  uint64
	more     chan struct{}
}

func newTape() *tape { return &tape{more: make(chan struct{}, 1)} }

func (t *tape) write(b ...*activity.Batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var msg []byte
	for _, x := range b {
		msg = activity.AppendBatch(msg, x)
	}
	t.messages = append(t.messages, msg)
	select {
	case t.more <- struct{}{}:
	default:
	}
}

func (t *tape) Read(ctx context.Context, from uint64, handle func(uint64, time.Time, [][]byte) error) error {
	for seq := max(from, 1); ; {
		t.mu.Lock()
		var msg []byte
		if int(seq) <= len(t.messages) {
			msg = bytes.Clone(t.messages[seq-1])
		}
		t.mu.Unlock()
		if msg == nil {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-t.more:
			}
			continue
		}
		if err := handle(seq, time.Now(), [][]byte{msg}); err != nil {
			return err
		}
		for i := range msg { // payloads are valid during the call only
			msg[i] = 0xdd
		}
		seq++
	}
}

func (t *tape) DeleteThrough(_ context.Context, seq uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deleted = max(t.deleted, seq)
	return nil
}

// start0 is when the story of every test begins: not long ago, as the real
// store treats old days another way.
var start0 = time.Now().Truncate(time.Hour).Add(-2 * time.Hour).UnixNano()

func idOf[T ~[16]byte](n int) (id T) {
	binary.BigEndian.PutUint64(id[8:], uint64(n)+1)
	return id
}
