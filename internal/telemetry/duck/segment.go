package duck

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"reeve/internal/durable"

	"github.com/parquet-go/parquet-go"
)

// The tables. Content lies apart from messages so that it can be kept shorter
// and read under its own permission.
const (
	tableSteps     = "steps"
	tableMessages  = "messages" // who said what when; no content
	tableContent   = "content"  // the content, at its first appearance in a day
	tableLogs      = "logs"
	tableMetrics   = "metrics"
	tableRuns      = "runs"
	tableDecisions = "decisions"
	tableOldSteps  = "old_steps" // (step, revision): rows of lower revisions are dead
	tableOldRuns   = "old_runs"  // (run, revision): rows of lower revisions are dead
)

var errCorrupt = errors.New("segment is damaged")

// segment is a row of the manifest: one Parquet file.
type segment struct {
	id         int64
	table      string
	day        int32
	rows       int64
	bytes      int64
	raw        int64 // bytes of content as sent (content only)
	tmin, tmax int64 // event times inside
	tier       int   // merges behind it
	encodes    int   // how often its rows were encoded again
	applied    int64 // newest superseded list that its rows were freed of
	idxAt      int64 // where its index begins in the file
	idxLen     int64
}

type dayRange struct{ from, to int32 }

var allDays = dayRange{-1 << 30, 1 << 30}

// segments is the manifest in memory and a cache of open files.
type segments struct {
	dir string

	mu   sync.RWMutex
	all  map[int64]segment
	list map[string][]segment // by table, oldest day first
	open map[int64]*openSegment
	tick int64
	pins int                 // questions that may read any file
	when map[int32]time.Time // when a day was last changed
	dead []segment           // left the manifest while files were pinned
}

// openSegment is an open file; it is closed when nobody reads it any more and
// it is no longer in the cache.
type openSegment struct {
	segment
	once sync.Once
	err  error
	f    *os.File
	idx  indexPlaces
	file *parquet.File
	used int64 // tick, guarded by segments.mu
	refs int   // guarded by segments.mu
	gone bool  // guarded by segments.mu
}

func newSegments(dir string, rows []segment) *segments {
	s := &segments{dir: dir, all: make(map[int64]segment), list: make(map[string][]segment), open: make(map[int64]*openSegment), when: make(map[int32]time.Time)}
	s.replace(nil, rows)
	clear(s.when)
	return s
}

func (s *segments) base(g segment) string {
	return filepath.Join(s.dir, "segments", dayName(g.day), g.table, fmt.Sprintf("%010d", g.id))
}
func (s *segments) path(g segment) string { return s.base(g) + ".parquet" }

func (s *segments) has(id int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.all[id]
	return ok
}

func (s *segments) get(id int64) (segment, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g, ok := s.all[id]
	return g, ok
}

// of lists the segments of a table in a range of days, oldest day first.
func (s *segments) of(table string, days dayRange) []segment {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []segment
	for _, g := range s.list[table] {
		if g.day >= days.from && g.day <= days.to {
			out = append(out, g)
		}
	}
	return out
}

// replace swaps segments in one step for readers.
func (s *segments) replace(gone, come []segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	touched := map[string]bool{}
	for _, g := range gone {
		delete(s.all, g.id)
		touched[g.table] = true
		if o := s.open[g.id]; o != nil {
			delete(s.open, g.id)
			o.gone = true
			if o.refs == 0 {
				o.shut()
			}
		}
	}
	dead := map[int64]bool{}
	for _, g := range gone {
		dead[g.id] = true
	}
	for t := range touched {
		s.list[t] = slices.DeleteFunc(slices.Clone(s.list[t]), func(g segment) bool { return dead[g.id] })
	}
	now := time.Now()
	for _, g := range gone {
		s.when[g.day] = now
	}
	for _, g := range come {
		s.when[g.day] = now
		s.all[g.id] = g
		l := s.list[g.table]
		at, _ := slices.BinarySearchFunc(l, g, func(a, b segment) int {
			return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.id, b.id))
		})
		// Readers hold no reference to the slice outside the lock (of copies).
		s.list[g.table] = slices.Insert(l, at, g)
	}
}

// changed is when a day, or one beside it, was last changed by this process.
func (s *segments) changed(day int32) (last time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for d := day - 1; d <= day+1; d++ {
		if t := s.when[d]; t.After(last) {
			last = t
		}
	}
	return last
}

// pin keeps files from being deleted until unpin: DuckDB opens them by name.
func (s *segments) pin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins++
}

func (s *segments) unpin() {
	s.mu.Lock()
	s.pins--
	var dead []segment
	if s.pins == 0 {
		dead, s.dead = s.dead, nil
	}
	s.mu.Unlock()
	s.unlink(dead)
}

// remove deletes the files of segments that left the manifest, at once or when
// nobody reads them any more.
func (s *segments) remove(gone []segment) {
	s.mu.Lock()
	if s.pins > 0 {
		s.dead = append(s.dead, gone...)
		gone = nil
	}
	s.mu.Unlock()
	s.unlink(gone)
}

func (s *segments) unlink(gone []segment) {
	for _, g := range gone {
		_ = os.Remove(s.path(g))
		_ = syscall.Rmdir(filepath.Dir(s.path(g)))               // only when empty
		_ = syscall.Rmdir(filepath.Dir(filepath.Dir(s.path(g)))) // only when empty
	}
}

// sweep deletes every file that the manifest does not name.
func (s *segments) sweep() error {
	root := filepath.Join(s.dir, "segments")
	return filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		stem, _, _ := strings.Cut(filepath.Base(p), ".")
		if id, err := strconv.ParseInt(stem, 10, 64); err == nil {
			if g, ok := s.all[id]; ok && p == s.path(g) {
				return nil
			}
		}
		return os.Remove(p)
	})
}

const maxOpen = 192

// acquire opens a segment or takes it from the cache; release it afterwards.
func (s *segments) acquire(g segment) (*openSegment, error) {
	s.mu.Lock()
	s.tick++
	o := s.open[g.id]
	if o == nil {
		o = &openSegment{segment: g}
		if _, ok := s.all[g.id]; ok {
			s.open[g.id] = o
			s.evict()
		} else {
			o.gone = true
		}
	}
	o.refs++
	o.used = s.tick
	s.mu.Unlock()
	o.once.Do(func() { o.err = o.load(s) })
	if o.err != nil {
		err := o.err
		s.release(o)
		return nil, err
	}
	return o, nil
}

func (s *segments) release(o *openSegment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.refs--
	if o.refs == 0 && o.gone {
		o.shut()
	}
}

// evict forgets the file used longest ago. Called with mu held.
func (s *segments) evict() {
	for len(s.open) > maxOpen {
		var old *openSegment
		for _, o := range s.open {
			if o.refs == 0 && (old == nil || o.used < old.used) {
				old = o
			}
		}
		if old == nil {
			return
		}
		delete(s.open, old.id)
		old.gone = true
		old.shut()
	}
}

func (s *segments) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, o := range s.open {
		delete(s.open, id)
		o.gone = true
		if o.refs == 0 {
			o.shut()
		}
	}
}

func (o *openSegment) shut() {
	if o.f != nil {
		_ = o.f.Close()
	}
}

func (o *openSegment) load(s *segments) error {
	var err error
	if o.f, err = os.Open(s.path(o.segment)); err != nil {
		return err
	}
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	if o.file, err = openParquet(o.f, info.Size()); err != nil {
		return fmt.Errorf("%w: %w", errCorrupt, err)
	}
	if o.file.NumRows() != o.rows {
		return fmt.Errorf("%w: %d rows, manifest says %d", errCorrupt, o.file.NumRows(), o.rows)
	}
	return o.placeIndex()
}

// openParquet opens without page indexes: a merged file has ten thousands.
func openParquet(f io.ReaderAt, size int64) (_ *parquet.File, err error) {
	defer recoverDamage(&err)
	return parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.FileReadMode(parquet.ReadModeSync),
		parquet.ReadBufferSize(4096))
}

// recoverDamage turns a panic of the Parquet library over damaged bytes into an
// error; the bytes are a file's, so the library's panic is about outside input.
func recoverDamage(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errCorrupt, p)
	}
}

// writeFile writes a file under a temporary name, syncs it and gives it its
// name. The folder's own sync is the caller's.
func writeFile(path string, fill func(*os.File) error) (size int64, err error) {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(tmp)
		}
	}()
	if err := fill(f); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(tmp, path)
}

// makeDir makes a folder and syncs its new parents.
func (s *segments) makeDir(g segment) error {
	dir := filepath.Dir(s.path(g))
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(durable.SyncDir(filepath.Dir(dir)), durable.SyncDir(filepath.Dir(filepath.Dir(dir))))
}
