// Package duck is the embedded telemetry engine: Parquet segments in UTC-day
// partitions, an index in SQLite, and DuckDB in a child process for questions.
//
// What for: one node keeps and searches all activity without another service,
// in files that any tool reads.
//
// Who calls it: app opens it; package run appends; api reads, all through
// telemetry.Store.
//
// Promises: one transaction in index.db {segments, rollups, run rows, cursor}
// after the segments are synced is the only commit, so an Append is whole or
// absent after kill -9; files that the index does not name are deleted at
// start. Runs, steps, messages and rollups are read without DuckDB, so a crash
// or an overrun of a question harms nobody else. Merging never blocks Append.
//
// How it fails: a full disk or a read-only folder is a fault of kind
// unavailable from Append, which then changed nothing; a damaged segment is set
// aside, counted in Stats and logged, and the rest stays readable; while the
// query child is down, questions that need it are refused as unavailable.
//
// Start reading at Store.Append, then at the layout below.
//
//	index.db                                    manifest, run rows of 7 days, rollups, cursors
//	segments/2026-01-31/steps/0000000042.parquet rows of one Append or of a merge, with an index by run
//	aside/                                       damaged segments
//	sums/                                        kept answers to questions about whole days; nothing is lost with them
//	tmp/                                         DuckDB's spill files
package duck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

var _ telemetry.Store = (*Store)(nil)

// Options are what Open needs. Dir is required.
type Options struct {
	Dir    string
	Logger *slog.Logger
	// Exec starts the query child, e.g. {"/usr/bin/reeve", "query-child"}. Empty:
	// this executable with the argument query-child.
	Exec []string
	// Memory bounds DuckDB's buffers in the child (default 384 MB); the child is
	// killed when its resident memory passes ChildLimit (default 1 GB).
	Memory, ChildLimit int64
	// Timeout bounds one question (default 30 s).
	Timeout time.Duration
	// RunRows is how long run rows stay in the index (default 7 days); older ones
	// are read from segments.
	RunRows time.Duration
	// Stages counts where time goes; may be nil.
	Stages *telemetry.Stages
	// Now is the clock (default time.Now).
	Now func() time.Time
}

// Store is the engine. Safe for concurrent use.
type Store struct {
	o      Options
	log    *slog.Logger
	unlock func()
	index  *index
	segs   *segments
	child  *child
	known  filter // runs that may have rows

	write  sync.Mutex // one Append, fold of rollups or commit of a merge at a time
	recent starts     // guarded by write
	fresh  freshRuns
	closed atomic.Bool
	enc    encoders
	maint  sync.Mutex // one merge pass or retention at a time
	rolls  *rollups
	words  words
	sums   keptSums
}

// Open opens or creates the store in o.Dir. It deletes what an interrupted
// Append or merge left behind, and fails with kind conflict when another
// process has the folder open.
func Open(o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Memory <= 0 {
		o.Memory = 384 << 20
	}
	if o.ChildLimit <= 0 {
		o.ChildLimit = 1 << 30
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.RunRows <= 0 {
		o.RunRows = 7 * 24 * time.Hour
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the telemetry store: %w", err)
	}
	o.Dir = dir
	for _, d := range []string{"", "segments", "aside", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, storageFault("opening the telemetry store", err)
		}
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, log: o.Logger, unlock: unlock}
	if s.index, err = openIndex(filepath.Join(dir, "index.db")); err != nil {
		unlock()
		return nil, storageFault("opening the telemetry index", err)
	}
	if s.rolls, err = newRollups(); err == nil {
		err = s.load()
	}
	if err != nil {
		_ = s.index.close()
		unlock()
		return nil, err
	}
	s.child = newChild(&s.o)
	return s, nil
}

// load reads the manifest, removes what it does not name, and fills the filter
// of known runs.
func (s *Store) load() error {
	rows, err := s.index.manifest()
	if err != nil {
		return storageFault("reading the manifest", err)
	}
	s.segs = newSegments(s.o.Dir, rows)
	if err := s.segs.sweep(); err != nil {
		return storageFault("removing what the manifest does not name", err)
	}
	for _, g := range rows {
		if _, err := os.Stat(s.segs.path(g)); errors.Is(err, fs.ErrNotExist) {
			s.setAside(g, err)
		}
	}
	if err := s.words.load(s.index); err != nil {
		return storageFault("reading the words of run rows", err)
	}
	if err := s.rolls.load(s.index); err != nil {
		return storageFault("reading rollups", err)
	}
	for _, g := range s.segs.of(tableRuns, allDays) {
		if err := s.segs.eachKey(g, s.known.addKey); err != nil {
			s.setAside(g, err)
		}
	}
	if err := s.loadFresh(); err != nil {
		return storageFault("reading fresh run rows", err)
	}
	files, err := openSums(filepath.Join(s.o.Dir, "sums"), s.segs)
	if err != nil {
		// Figures are computed again; what is on disk cannot be read, nor written.
		s.log.Warn("kept answers are not on disk", "err", err)
		files = nil
	}
	s.sums.files = files
	return nil
}

// Close stops the query child and releases the folder. A second call does
// nothing.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.child.close()
	for range 4 { // what moved until now does not any more; the rest is asked again
		if !s.sums.save(func([]int64) bool { return true }) {
			break
		}
	}
	s.write.Lock()
	defer s.write.Unlock()
	err := s.index.close()
	s.segs.close()
	s.unlock()
	return err
}

// Cursor is the log position of the partition's last commit.
func (s *Store) Cursor(ctx context.Context, partition int) (uint64, error) {
	return s.index.cursor(ctx, partition)
}

// HasRun reports whether the run may have rows; false is certain.
func (s *Store) HasRun(id activity.RunID) bool { return s.known.has(id) }

// setAside takes a damaged segment out of the manifest and moves its files to
// aside/, where a person may look at them.
func (s *Store) setAside(g segment, cause error) {
	s.write.Lock()
	defer s.write.Unlock()
	s.setAsideLocked(g, cause)
}

func (s *Store) setAsideLocked(g segment, cause error) {
	if !s.segs.has(g.id) {
		return
	}
	s.log.Error("segment is damaged: set aside", "table", g.table, "day", dayName(g.day), "segment", g.id, "rows", g.rows, "err", cause)
	if err := s.index.setAside(g); err != nil {
		s.log.Error("segment not set aside in the manifest", "segment", g.id, "err", err)
		return
	}
	s.segs.replace([]segment{g}, nil)
	p := s.segs.path(g)
	_ = os.Rename(p, filepath.Join(s.o.Dir, "aside", fmt.Sprintf("%s-%s-%s", dayName(g.day), g.table, filepath.Base(p))))
}

// storageFault says in words what the disk refused.
func storageFault(doing string, err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), diskFull(err):
		return fault.New(fault.KindUnavailable, "telemetry.disk_full", "the disk of the telemetry store is full").
			WithHint("free space or lower the retention").WithCause(fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), readOnly(err):
		return fault.New(fault.KindUnavailable, "telemetry.read_only", "the folder of the telemetry store cannot be written").
			WithHint("check owner and mount of the data folder").WithCause(fmt.Errorf("%s: %w", doing, err))
	}
	return fault.New(fault.KindUnavailable, "telemetry.storage", "the telemetry store cannot read or write its files").
		WithHint("look whether the disk of the data folder is full or read-only; the server's log names the file").
		WithCause(fmt.Errorf("%s: %w", doing, err))
}

func lock(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, storageFault("locking the telemetry store", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.KindConflict, "telemetry.in_use", "another process uses this telemetry store").
			WithHint("stop it, or give this one a folder of its own with --data").WithCause(err)
	}
	return func() {
		// Closing is not enough while a process that is just being started still
		// has a copy of the descriptor.
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
		_ = f.Close()
	}, nil
}

const nsPerDay = 24 * int64(time.Hour)

// dayOf is the partition of an event time: days since 1970 UTC.
func dayOf(ns int64) int32 {
	d := ns / nsPerDay
	if ns%nsPerDay < 0 {
		d--
	}
	return int32(d)
}

func dayName(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// indexBytes is what index.db takes on disk.
func (s *Store) indexBytes() int64 {
	var n int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(s.o.Dir, "index.db"+suffix)); err == nil {
			n += info.Size()
		}
	}
	return n
}
