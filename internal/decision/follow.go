package decision

import (
	"context"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/fault"
)

// chunk is a run of records in order, and the content beside them.
type chunk struct {
	msg   uint64 // the message that it came in; 0 for one from the archive
	first int64
	next  int64 // sequence behind its last record
	lines []byte
	extra []byte

	// What the writer knows of its own records; empty for those read from disk.
	at     int64 // µs of the last one
	leaves []record.Hash
	told   []told
}

// size is about what c takes in memory.
func (c *chunk) size() int { return len(c.lines) + len(c.extra) + toldBytes*len(c.told) }

// ring keeps what was written last, so that those who follow the log closely
// read it neither from the stream nor from the archive.
type ring struct {
	mu     sync.Mutex
	chunks []chunk
	bytes  int
	head   int64 // next sequence of the log
	full   chan struct{}
	since  int64 // of head, when full was signalled
}

const (
	ringBytes = 16 << 20
	// signalAfter records the keeper is woken before its time.
	signalAfter = 1000
)

func (r *ring) put(c chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chunks = append(r.chunks, c)
	r.bytes += c.size()
	drop := 0
	for r.bytes > ringBytes && drop < len(r.chunks)-1 {
		r.bytes -= r.chunks[drop].size()
		drop++
	}
	if drop > 0 {
		kept := copy(r.chunks, r.chunks[drop:])
		clear(r.chunks[kept:])
		r.chunks = r.chunks[:kept]
	}
	r.head = c.next
	if r.head-r.since >= signalAfter {
		r.since = r.head
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

// from gives the chunks with the records from seq on; ok is false when some of
// them are no longer here.
func (r *ring) from(seq int64) (out []chunk, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq >= r.head {
		return nil, true
	}
	if len(r.chunks) == 0 || r.chunks[0].first > seq {
		return nil, false
	}
	for i := len(r.chunks) - 1; i >= 0; i-- {
		if r.chunks[i].first <= seq {
			return append(out, r.chunks[i:]...), true
		}
	}
	return nil, false
}

// readAtOnce bounds what since gives when it reads from disk.
const readAtOnce = 4 << 20

// since gives records from seq on, in order; none when seq is the end of the
// log. The first chunk may begin before seq. It reads memory when it can, else
// the archive, else the stream.
func (l *Log) since(ctx context.Context, seq int64) ([]chunk, error) {
	for range 3 { // what was in the stream a moment ago may be in the archive now
		if out, ok := l.ring.from(seq); ok {
			return out, nil
		}
		at := l.kept.Load()
		out, err := l.fromArchive(seq, at.Seq)
		if len(out) > 0 || err != nil {
			return out, err
		}
		if out, err = l.fromStream(ctx, seq, at.Message); len(out) > 0 || err != nil {
			return out, err
		}
	}
	return nil, fault.New(fault.KindInternal, "decision.gap", "record %d is neither in the stream nor in the archive", seq).
		WithHint("run reeve audit verify")
}

func (l *Log) fromArchive(seq, end int64) (out []chunk, err error) {
	if seq >= end {
		return nil, nil
	}
	c := chunk{first: seq, next: seq}
	err = l.records.read(seq, func(it item) error {
		if it.seq >= end || len(c.lines) > readAtOnce {
			return errStop
		}
		if c.next == c.first {
			c.first = it.seq // what retention dropped is jumped over
		}
		c.lines = append(append(c.lines, it.data...), '\n')
		c.next = it.seq + 1
		return nil
	})
	if err != nil || c.next == c.first {
		return nil, err
	}
	err = l.contents.read(c.first, func(it item) error {
		if it.seq >= c.next {
			return errStop
		}
		c.extra = append(c.extra, it.data...)
		return nil
	})
	return []chunk{c}, err
}

func (l *Log) fromStream(ctx context.Context, seq int64, message uint64) (out []chunk, err error) {
	st, err := l.o.Stream.Stats(ctx)
	if err != nil {
		return nil, err
	}
	size := 0
	err = l.o.Stream.ReadThrough(ctx, message+1, st.LastSeq, func(msg uint64, _ time.Time, payloads [][]byte) error {
		c, err := chunkOf(msg, payloads)
		if err != nil || c.next <= seq {
			return err
		}
		out = append(out, c)
		if size += len(c.lines) + len(c.extra); size > readAtOnce {
			return errStop
		}
		return nil
	})
	if err == errStop {
		err = nil
	}
	return out, err
}

// chunkOf copies a message of the stream.
func chunkOf(msg uint64, payloads [][]byte) (chunk, error) {
	c := chunk{msg: msg}
	if len(payloads) != 2 {
		return c, errForked
	}
	c.lines = append(c.lines, payloads[0]...)
	c.extra = append(c.extra, payloads[1]...)
	n := int64(0)
	for line := range lines(c.lines) {
		if n == 0 {
			r, err := record.Parse(line)
			if err != nil {
				return c, err
			}
			c.first = r.Seq
		}
		n++
	}
	c.next = c.first + n
	return c, nil
}

// entryAt is a record of the log with what stands beside it.
type entryAt struct {
	line  []byte
	extra []byte // its content as the stream has it; nil: none
	leaf  record.Hash
	told  told
}

// content reads what the record commits to; nil for nothing.
func (e *entryAt) content() (*content, error) {
	if e.extra == nil {
		return nil, nil
	}
	c, _, err := readContent(e.extra)
	return &c, err
}

// each calls do for the records of c from seq on, each with its content.
func (c *chunk) each(seq int64, do func(seq int64, e entryAt) error) error {
	rest := c.extra
	at := c.first
	for line := range lines(c.lines) {
		e := entryAt{line: line}
		for len(rest) > 0 {
			of, raw, after, err := cutContent(rest)
			if err != nil {
				return err
			}
			if of > at {
				break
			}
			rest = after
			if of == at {
				e.extra = raw
			}
		}
		if i := at - c.first; i < int64(len(c.told)) {
			e.leaf, e.told = c.leaves[i], c.told[i]
		}
		if at >= seq {
			if err := do(at, e); err != nil {
				return err
			}
		}
		at++
	}
	return nil
}

// Each calls do for every decision that was proposed in [from, to), in the order
// of the log, with its content where that was not erased, and with how it ended
// where that was recorded. It reads the archive from front to back (some 100,000
// a second): for questions that need each decision whole, such as trying other
// policies on a month. d is do's to keep. An error of do ends it.
func (l *Log) Each(ctx context.Context, from, to time.Time, do func(*activity.Decision) error) error {
	seq, err := l.firstAt(ctx, from)
	if err != nil {
		return err
	}
	f := folder{open: map[string]*activity.Decision{}}
	for end := to.UnixNano(); ; {
		chunks, err := l.since(ctx, seq)
		if err != nil {
			return err
		}
		if len(chunks) == 0 {
			return f.rest(do)
		}
		for i := range chunks {
			err := chunks[i].each(seq, func(at int64, e entryAt) error {
				return f.add(at, e, from.UnixNano(), end, do)
			})
			if err == errStop {
				return f.rest(do)
			}
			if err != nil {
				return err
			}
		}
		seq = chunks[len(chunks)-1].next
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
}

// folder joins proposals and completions again. A decision whose completion is
// far behind is given without it, so that what it holds stays bounded.
type folder struct {
	open  map[string]*activity.Decision
	order []*activity.Decision
}

// keepOpen is how many decisions Each holds for their completions.
const keepOpen = 4096

func (f *folder) add(seq int64, e entryAt, from, until int64, do func(*activity.Decision) error) error {
	r, err := record.Parse(e.line)
	if err != nil {
		return err
	}
	switch r.Kind {
	case KindProposed:
		d, err := proposedOf(&r)
		if err != nil {
			return err
		}
		if r.At*1000 >= until+int64(time.Hour) {
			return errStop // completions of the period are behind us, but for a few
		}
		if d.At < from || d.At >= until {
			return nil
		}
		if err := e.fill(d); err != nil {
			return err
		}
		f.order = append(f.order, d)
		if d.Result == activity.ResultPending {
			f.open[d.ID] = d
		}
	case KindCompleted:
		ended := blank()
		o, err := readCompleted(r.Body, &ended)
		if err != nil {
			return err
		}
		if p := f.open[o.id]; p != nil {
			conclude(p, &ended)
			p.EndSeq = seq
			delete(f.open, o.id)
		}
	}
	for len(f.order) > 0 && (f.open[f.order[0].ID] == nil || len(f.order) > keepOpen) {
		if err := f.next(do); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) next(do func(*activity.Decision) error) error {
	d := f.order[0]
	f.order = f.order[1:]
	delete(f.open, d.ID)
	return do(d)
}

func (f *folder) rest(do func(*activity.Decision) error) error {
	for len(f.order) > 0 {
		if err := f.next(do); err != nil {
			return err
		}
	}
	return nil
}

// firstAt finds the first record at or after a time by halving.
func (l *Log) firstAt(ctx context.Context, t time.Time) (int64, error) {
	low, high := l.dropped.Load(), l.w.records.Load()
	want := t.UnixMicro()
	for low < high {
		mid := (low + high) / 2
		at, err := l.timeOf(ctx, mid)
		if err != nil {
			return 0, err
		}
		if at >= want {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}

func (l *Log) timeOf(ctx context.Context, seq int64) (at int64, err error) {
	e, err := l.at(ctx, seq)
	if err != nil {
		return 0, err
	}
	r, err := record.Parse(e.line)
	return r.At, err
}
