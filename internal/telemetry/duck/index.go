package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"modernc.org/sqlite"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// index is index.db: the manifest, cursors, run rows of the last days and
// rollups. Everything in it but the cursors could be made again from segments.
type index struct {
	w, r *sql.DB // one writer connection, several readers

	mu       sync.Mutex
	free, to int64 // segment numbers that are reserved: from free up to, but not, to
}

// reservedAtATime is how many segment numbers one transaction takes, so that an
// Append has one transaction and not two.
const reservedAtATime = 256

// Run rows are clustered by start: new ones go to the end of the tree and a
// list is a scan. By id they are found through the segments' indexes. The
// partial indexes serve lists of what is rare.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS cursors (part INTEGER PRIMARY KEY, position INTEGER NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS segments (id INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, day INTEGER NOT NULL,
		row_count INTEGER NOT NULL, bytes INTEGER NOT NULL, raw INTEGER NOT NULL, tmin INTEGER NOT NULL, tmax INTEGER NOT NULL,
		tier INTEGER NOT NULL, encodes INTEGER NOT NULL, applied INTEGER NOT NULL, idx_at INTEGER NOT NULL, idx_len INTEGER NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS aside (id INTEGER PRIMARY KEY, tbl TEXT NOT NULL, day INTEGER NOT NULL, row_count INTEGER NOT NULL)`,
	// bucket is the last minute of a block, so that what is older than a minute is
	// found by it alone.
	`CREATE TABLE IF NOT EXISTS rollups (level INTEGER NOT NULL, family INTEGER NOT NULL, bucket INTEGER NOT NULL, data BLOB NOT NULL,
		PRIMARY KEY (level, family, bucket))`,
	`CREATE TABLE IF NOT EXISTS news (seq INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS fresh (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, data BLOB NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS words (id INTEGER PRIMARY KEY, word TEXT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS runs (start INTEGER NOT NULL, id BLOB NOT NULL, agent TEXT NOT NULL, team TEXT NOT NULL,
		environment TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, session TEXT NOT NULL, user TEXT NOT NULL,
		task TEXT NOT NULL, version TEXT NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL, failed INTEGER NOT NULL, errors INTEGER NOT NULL,
		steps INTEGER NOT NULL, duration INTEGER, cost INTEGER, tokens INTEGER, updated INTEGER NOT NULL,
		revision INTEGER NOT NULL, blob BLOB NOT NULL, PRIMARY KEY (start, id)) WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS runs_agent ON runs (agent, start)`,
	// Sessions are of no order: by the hour, what a commit touches lies together.
	// Without it every commit would write most pages of this index.
	`CREATE INDEX IF NOT EXISTS runs_session_hour ON runs (start / 3600000000000, session) WHERE session <> ''`,
	`CREATE INDEX IF NOT EXISTS runs_open ON runs (status, start) WHERE status <> 'done'`,
	`CREATE INDEX IF NOT EXISTS runs_failed ON runs (start) WHERE failed = 1`,
}

// ownFile makes the database's file for its owner alone before SQLite makes it
// for everybody; its log and shared memory take the mode over when they are
// made. Files of an older release are narrowed.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func openIndex(path string) (*index, error) {
	if err := ownFile(path); err != nil {
		return nil, err
	}
	dsn := "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	w, err := sql.Open("sqlite", dsn+"&_txlock=immediate&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(2000)&_pragma=journal_size_limit(8388608)")
	if err != nil {
		return nil, err
	}
	w.SetMaxOpenConns(1)
	if err := checkVersion(w); err != nil {
		_ = w.Close()
		return nil, err
	}
	for _, s := range schema {
		if _, err := w.Exec(s); err != nil {
			_ = w.Close()
			return nil, err
		}
	}
	r, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)&_pragma=cache_size(-8000)")
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	r.SetMaxOpenConns(4)
	r.SetMaxIdleConns(4)
	return &index{w: w, r: r}, nil
}

// schemaVersion is the form of index.db.
const schemaVersion = 6

// checkVersion marks a new index and refuses one of another form, which would
// fail only later and less plainly.
func checkVersion(w *sql.DB) error {
	var version, tables int
	if err := w.QueryRow(`SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version`).Scan(&version, &tables); err != nil {
		return err
	}
	if version != schemaVersion && (version != 0 || tables > 0) {
		return fault.New(fault.KindConflict, "telemetry.index_version", "index.db has form %d, this program reads %d", version, schemaVersion).
			WithHint("start it on another data folder, or with the release that made this one")
	}
	_, err := w.Exec(fmt.Sprintf(`PRAGMA user_version = %d`, schemaVersion))
	return err
}

func (x *index) close() error { return errors.Join(x.r.Close(), x.w.Close()) }

func (x *index) cursor(ctx context.Context, partition int) (uint64, error) {
	var n int64
	err := x.r.QueryRowContext(ctx, `SELECT position FROM cursors WHERE part = ?`, partition).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return uint64(n), storageFault("reading the cursor", err)
}

func (x *index) manifest() ([]segment, error) {
	rows, err := x.w.Query(`SELECT id, tbl, day, row_count, bytes, raw, tmin, tmax, tier, encodes, applied, idx_at, idx_len FROM segments ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []segment
	for rows.Next() {
		var g segment
		if err := rows.Scan(&g.id, &g.table, &g.day, &g.rows, &g.bytes, &g.raw, &g.tmin, &g.tmax, &g.tier, &g.encodes, &g.applied, &g.idxAt, &g.idxLen); err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// reserve takes n segment numbers. A number whose segment was never committed
// is not used again, so that a leftover file cannot be mistaken for another.
func (x *index) reserve(n int) (first int64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.to-x.free < int64(n) {
		take := int64(max(n, reservedAtATime))
		err := x.tx(context.Background(), func(tx *sql.Tx) error {
			return tx.QueryRow(`INSERT INTO meta (key, value) VALUES ('segment', ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value
				RETURNING value`, take).Scan(&x.to)
		})
		if err != nil {
			return 0, err
		}
		x.to++
		x.free = x.to - take
	}
	first = x.free
	x.free += int64(n)
	return first, nil
}

func (x *index) tx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := x.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func insertSegments(tx *sql.Tx, come []segment) error {
	for _, g := range come {
		if _, err := tx.Exec(`INSERT INTO segments (id, tbl, day, row_count, bytes, raw, tmin, tmax, tier, encodes, applied, idx_at, idx_len) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			g.id, g.table, g.day, g.rows, g.bytes, g.raw, g.tmin, g.tmax, g.tier, g.encodes, g.applied, g.idxAt, g.idxLen); err != nil {
			return err
		}
	}
	return nil
}

func deleteSegments(tx *sql.Tx, gone []segment) error {
	for _, g := range gone {
		res, err := tx.Exec(`DELETE FROM segments WHERE id = ?`, g.id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("segment %d is no longer in the manifest", g.id))
		}
	}
	return nil
}

// swap replaces segments in one transaction.
func (x *index) swap(gone, come []segment) error {
	return x.tx(context.Background(), func(tx *sql.Tx) error {
		if err := deleteSegments(tx, gone); err != nil {
			return err
		}
		return insertSegments(tx, come)
	})
}

func (x *index) setAside(g segment) error {
	return x.tx(context.Background(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM segments WHERE id = ?`, g.id); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT OR REPLACE INTO aside (id, tbl, day, row_count) VALUES (?,?,?,?)`, g.id, g.table, g.day, g.rows)
		return err
	})
}

const runInsert = `INSERT OR REPLACE INTO runs (` + rowColumns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`

func unknownNull(n int64) any {
	if n == activity.Unknown {
		return nil
	}
	return n
}

// pruneRuns drops run rows that started before a time, and rollups that a
// coarser level stands for.
func (x *index) pruneRuns(before time.Time) error {
	_, err := x.w.Exec(`DELETE FROM runs WHERE start < ?`, before.UnixNano())
	return err
}

const (
	sqliteFull     = 13
	sqliteReadOnly = 8
	sqliteCantOpen = 14
)

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func diskFull(err error) bool { return sqliteCode(err) == sqliteFull }
func readOnly(err error) bool {
	c := sqliteCode(err)
	return c == sqliteReadOnly || c == sqliteCantOpen
}
