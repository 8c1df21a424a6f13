package decision

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"reeve/internal/audit/record"
	"reeve/internal/fault"
)

// The keeper moves what the writer wrote from the stream, which is small and
// must have room, to the archive, which is large; it grows the tree and signs
// checkpoints. Its commit is one file, state.json: what a crash interrupts is
// done again from the stream.
//
//	stream  ... | committed | written since        | writer
//	archive ....committed   | not yet committed: cut off at start
const (
	keepEvery = time.Second
	// keepApart is the least time between two commits when records come fast: each
	// costs some milliseconds, and a checkpoint each second is what witnesses take.
	keepApart = 750 * time.Millisecond
	// purgeAfter is how much of the stream is given free at once: that rewrites
	// its blocks.
	purgeEvery = 15 * time.Second
)

// state is what the keeper has committed.
type state struct {
	Log      string           `json:"log"`
	Message  uint64           `json:"message"` // of the stream; what is before may be deleted there
	Seq      int64            `json:"seq"`     // next record to be kept
	Leaf     string           `json:"leaf"`    // of Seq-1
	At       int64            `json:"at"`      // of Seq-1, µs
	Dropped  int64            `json:"dropped"` // records before it fell to retention
	Users    int64            `json:"users"`   // names in records before it are saved
	Records  shelfEnd         `json:"records"`
	Contents shelfEnd         `json:"contents"`
	Open     map[string]int64 `json:"open"` // proposed and not completed: id to sequence
}

// position is how far the keeper is.
type position struct {
	Message uint64
	Seq     int64
}

func (l *Log) stateFile() string { return filepath.Join(l.o.Dir, "state.json") }

// loadState reads what was committed; the zero state when nothing was.
func (l *Log) loadState() (state, error) {
	s := state{Log: l.name, Records: shelfEnd{File: -1}, Contents: shelfEnd{File: -1}}
	text, err := os.ReadFile(l.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, archiveFault(err)
	}
	if s.Log != l.name {
		return s, fault.New(fault.KindConflict, "decision.other_log", "the folder of decisions belongs to the log %s, this is %s", s.Log, l.name).
			WithHint("a node keeps its name; give another node a data folder of its own")
	}
	return s, nil
}

// keep runs until ctx ends; then it keeps what is there and returns.
func (l *Log) keep(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	purged := l.o.Now()
	failing := false
	for ended := false; ; {
		// A keeper that fails is tried again: the stream holds what it did not
		// keep, and decisions go on as long as that has room.
		err := l.keepAll(context.WithoutCancel(ctx))
		if err == nil && l.o.Tree != nil {
			err = l.o.Tree.Sign()
		}
		if err == nil && (ended || l.o.Now().Sub(purged) >= purgeEvery) {
			purged = l.o.Now()
			err = l.o.Stream.DeleteThrough(context.WithoutCancel(ctx), l.kept.Load().Message)
		}
		switch {
		case err != nil && !failing:
			l.o.Logger.Error("decisions are not archived", "err", err)
		case err == nil && failing:
			l.o.Logger.Info("decisions are archived again")
		}
		failing = err != nil
		l.keepErr.Store(&err)
		if ended {
			_ = errors.Join(l.records.close(), l.contents.close()) // what matters was synced
			return
		}
		select {
		case <-ctx.Done():
			ended = true
		case <-tick.C:
		case <-l.ring.full:
			select {
			case <-ctx.Done():
				ended = true
			case <-time.After(keepApart):
			}
		}
	}
}

// keepAll keeps all that the writer wrote.
func (l *Log) keepAll(ctx context.Context) error {
	l.keeping.Lock()
	defer l.keeping.Unlock()
	for {
		at := l.kept.Load()
		chunks, err := l.since(ctx, at.Seq)
		if err != nil {
			return err
		}
		if len(chunks) == 0 {
			return l.keepUsers(ctx)
		}
		if err := l.keepSome(ctx, chunks); err != nil {
			return err
		}
	}
}

// Still archives what was decided and runs do while the archive does not change,
// with how many records it holds: its files can be copied.
func (l *Log) Still(ctx context.Context, do func(records int64) error) error {
	if err := l.keepAll(ctx); err != nil {
		return err
	}
	l.keeping.Lock()
	defer l.keeping.Unlock()
	return do(l.state.Seq)
}

// keepSome appends chunks and commits. After an error what was appended is
// behind the committed end, and is written over.
func (l *Log) keepSome(ctx context.Context, chunks []chunk) error {
	s := l.state
	var fresh []named
	var lines, extras []item
	var leaves []record.Hash
	for i := range chunks {
		c := &chunks[i]
		err := c.each(s.Seq, func(seq int64, e entryAt) error {
			lines = append(lines, item{seq, e.line})
			if e.extra != nil {
				extras = append(extras, item{seq, e.extra})
				n, err := nameOf(e)
				if err != nil {
					return err
				}
				if n.name != "" {
					fresh = append(fresh, n)
				}
			}
			if e.leaf == (record.Hash{}) {
				e.leaf = record.Leaf(e.line)
			}
			leaves = append(leaves, e.leaf)
			return nil
		})
		if err != nil {
			return err
		}
		if c.msg > 0 {
			s.Message = c.msg
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if lines[0].seq != s.Seq {
		return fault.New(fault.KindInternal, "decision.gap", "record %d is missing", s.Seq).WithHint("run reeve audit verify")
	}
	last := lines[len(lines)-1]
	s.At = chunks[len(chunks)-1].at
	if s.At == 0 {
		r, err := record.Parse(last.data)
		if err != nil {
			return err
		}
		s.At = r.At
	}
	s.Seq, s.Leaf = last.seq+1, leaves[len(leaves)-1].String()
	s.Open = l.openNow()
	// Names are saved on the way; when that fails, keepUsers does it later.
	if l.state.Users == l.state.Seq && l.saveUsers(ctx, fresh) == nil {
		s.Users = s.Seq
	}
	if err := l.rewind(); err != nil {
		return err
	}
	if err := l.records.append(lines, l.o.Turns); err != nil {
		return err
	}
	if err := l.contents.append(extras, l.o.Turns); err != nil {
		return err
	}
	if l.o.Tree != nil {
		if err := l.o.Tree.Append(l.state.Seq, leaves); err != nil {
			return err
		}
	}
	return l.commit(s)
}

// rewind forgets what a failed keepSome appended.
func (l *Log) rewind() error {
	return errors.Join(l.records.cut(l.state.Records), l.contents.cut(l.state.Contents))
}

// openNow are the open decisions. It may be newer than what is kept with it:
// reading the log from there adds and removes the difference.
func (l *Log) openNow() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]int64, len(l.opened))
	for id, o := range l.opened {
		out[id] = o.seq
	}
	return out
}

// commit makes s what is kept.
func (l *Log) commit(s state) (err error) {
	if s.Records, err = l.records.sync(); err != nil {
		return err
	}
	if s.Contents, err = l.contents.sync(); err != nil {
		return err
	}
	text, err := json.Marshal(&s)
	if err != nil {
		return err
	}
	if err := replaceFile(l.stateFile(), text); err != nil {
		return archiveFault(err)
	}
	l.state = s
	l.kept.Store(&position{s.Message, s.Seq})
	l.dropped.Store(s.Dropped)
	return nil
}

// at reads one record and its content. A missing one is fault.KindNotFound.
func (l *Log) at(ctx context.Context, seq int64) (entryAt, error) {
	missing := fault.New(fault.KindNotFound, "decision.no_record", "there is no record %d, or retention dropped it", seq)
	if seq < l.dropped.Load() || seq >= l.w.records.Load() {
		return entryAt{}, missing
	}
	var out entryAt
	found := false
	if seq < l.kept.Load().Seq { // one entry, not a whole block's worth of copies
		err := l.records.read(seq, func(it item) error {
			found = it.seq == seq
			out.line = it.data
			return errStop
		})
		if err == nil && found {
			err = l.contents.read(seq, func(it item) error {
				if it.seq == seq {
					out.extra = it.data
				}
				return errStop
			})
		}
		if err != nil {
			return entryAt{}, err
		}
		if !found {
			return entryAt{}, missing
		}
		return out, nil
	}
	chunks, err := l.since(ctx, seq)
	if err != nil {
		return entryAt{}, err
	}
	for i := range chunks {
		err := chunks[i].each(seq, func(at int64, e entryAt) error {
			if found = at == seq; found {
				out = e
			}
			return errStop
		})
		if found {
			return out, nil
		}
		if err != nil && err != errStop {
			return entryAt{}, err
		}
	}
	return entryAt{}, missing
}
