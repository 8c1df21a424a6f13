package control

import (
	"context"
	"database/sql"
	"sync"
)

// Kinds of writes: in what order they get their turn, and whether their commit
// waits for the disk.
type writeKind int

const (
	ordinary writeKind = iota
	first              // before those that wait
	loose              // not synced
)

// turns gives the one writer's connection to one at a time: who is first before
// the others, these in the order in which they came.
type turns struct {
	mu          sync.Mutex // guards what follows
	taken       bool
	first, rest []chan struct{}
}

func (t *turns) take(ctx context.Context, k writeKind) error {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{}, 1)
	line := &t.rest
	if k == first {
		line = &t.first
	}
	*line = append(*line, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	for i, c := range *line {
		if c == mine {
			*line = append((*line)[:i], (*line)[i+1:]...)
			t.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	t.mu.Unlock()
	t.give() // it came at the same moment
	return context.Cause(ctx)
}

func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range []*[]chan struct{}{&t.first, &t.rest} {
		if len(*line) > 0 {
			next := (*line)[0]
			*line = (*line)[1:]
			next <- struct{}{}
			return
		}
	}
	t.taken = false
}

// synced makes the writer's next commit wait for the disk, or not to. The writer
// has a turn. A connection that was opened anew syncs, which is never wrong; one
// that may not sync is never taken for one that does, so it counts as such from
// before it is told until after it was told otherwise, whoever goes away meanwhile.
func (db *DB) synced(ctx context.Context, k writeKind) error {
	if (k == loose) == db.unsynced {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if k == loose {
		db.unsynced = true
		_, err := db.writer.ExecContext(ctx, `PRAGMA synchronous = NORMAL`)
		return err
	}
	_, err := db.writer.ExecContext(ctx, `PRAGMA synchronous = FULL`)
	db.unsynced = err != nil
	return err
}

// checkpointEvery is after how many writes the log of the database is folded into
// it, beside the writers instead of within one's commit. SQLite does so itself at
// ten times as many pages (walPages), where Relay does not run.
const (
	checkpointEvery = 100
	walPages        = 10_000
)

// checkpoints folds the log into the database until ctx ends.
func (db *DB) checkpoints(ctx context.Context) {
	for {
		select {
		case <-db.wakes.checkpoint:
		case <-ctx.Done():
			return
		}
		// A failure costs nothing yet: the log grows, and the next one folds it.
		var busy, pages, folded sql.NullInt64
		_ = db.folder.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &folded)
	}
}
