package duck

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"reeve/internal/fault"
)

// Snapshot copies the index to the file to, as it is at one commit, and names
// each segment of that commit to link, relative to the store's folder. Segments
// are never written to, so a link is a copy. Appends and questions go on
// meanwhile; nothing that is named is deleted before Snapshot returns.
func (s *Store) Snapshot(ctx context.Context, to string, link func(file string) error) (Held, error) {
	var h Held
	if s.closed.Load() {
		return h, fault.New(fault.KindUnavailable, "telemetry.closed", "the telemetry store is closed")
	}
	s.segs.pin() // before the copy: what it names must still be there
	defer s.segs.unpin()
	own, err := sql.Open("sqlite", "file:"+filepath.Join(s.o.Dir, "index.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return h, storageFault("copying the index", err)
	}
	_, err = own.ExecContext(ctx, `VACUUM INTO ?`, to) // a read of one moment: Append does not wait
	if err := errors.Join(err, own.Close()); err != nil {
		return h, storageFault("copying the index", err)
	}
	db, err := sql.Open("sqlite", "file:"+to+"?mode=ro&immutable=1")
	if err != nil {
		return h, storageFault("reading the copied index", err)
	}
	defer func() { _ = db.Close() }()
	list, err := (&index{w: db}).manifest()
	if err != nil {
		return h, storageFault("reading the copied index", err)
	}
	for _, g := range list {
		if err := ctx.Err(); err != nil {
			return h, context.Cause(ctx)
		}
		rel, err := filepath.Rel(s.o.Dir, s.segs.path(g))
		if err != nil {
			return h, err
		}
		if err := link(filepath.ToSlash(rel)); err != nil {
			return h, err
		}
		h.Segments++
		h.Rows += g.rows
		switch g.table {
		case tableSteps:
			h.Steps += g.rows
		case tableOldSteps:
			h.Steps -= g.rows
		}
	}
	return h, nil
}

// Held is what a snapshot holds. Steps are counted as Stats of the copy will.
type Held struct{ Segments, Rows, Steps int64 }
