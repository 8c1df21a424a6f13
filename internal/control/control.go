// Package control is the control database: what people decide and configure.
//
// What for: accounts, keys, policies and the like live here, in plain SQL that
// SQLite and PostgreSQL both read. A change, its audit record and its event
// share one transaction.
//
// Who calls it: the subject packages (identity, audit, later policy and
// others) through Write and the query helpers; app opens it, relays its outbox
// to the bus and runs its timers.
//
// Promises: a Write is atomic and, once it returned nil, survives kill -9 and
// a power cut; writes are serial, WriteFirst before those that wait, reads see a
// snapshot and never wait for them. Events are relayed at least once, in the order of commits. A timer
// fires once as far as its transaction goes. Everything is safe for concurrent
// use.
//
// How it fails: driver errors come back as faults with codes control.busy,
// control.disk_full, control.read_only, control.exists, control.reference,
// control.corrupt and control.newer; a context that ends gives its cause.
//
// Start reading at Open and DB.Write, then query.go; the tables are in
// migrations/.
package control

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // registers the driver

	"reeve/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open control database. Close ends it.
type DB struct {
	writer  *sql.DB // one connection: SQLite has one writer, and a queue here is fair where its own lock is not
	readers *sql.DB
	folder  *sql.DB // folds the log into the database, beside the writer
	install string
	file    string

	turns    turns
	unsynced bool // the writer's connection does not sync; of who has the turn
	writes   atomic.Int64
	wakes    wakes
}

// Open opens or makes the database file (mode 0600) and brings its tables up
// to date. One process at a time should use it: see LockFolder.
func Open(ctx context.Context, file string) (_ *DB, err error) {
	db := &DB{wakes: newWakes(), file: file}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	// SQLite gives its -wal and -shm files the mode of the database.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, folderFault(path.Dir(file), err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return nil, folderFault(path.Dir(file), err)
	}
	if db.writer, err = open(file, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if err := db.migrate(ctx, migrations); err != nil {
		return nil, err
	}
	if db.folder, err = open(file, 1, ""); err != nil {
		return nil, err
	}
	if db.readers, err = open(file, max(4, runtime.NumCPU()), "_pragma=query_only(1)"); err != nil {
		return nil, err
	}
	if err := db.readers.PingContext(ctx); err != nil {
		return nil, translate(ctx, err)
	}
	return db, db.loadInstall(ctx)
}

func open(file string, connections int, more string) (*sql.DB, error) {
	// synchronous(FULL): a revocation that was confirmed must survive a power cut.
	// secure_delete: what was erased is not to be read in the file's free pages.
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=trusted_schema(0)&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(" + strconv.Itoa(walPages) + ")&" + more
	d, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	d.SetMaxOpenConns(connections)
	d.SetMaxIdleConns(connections)
	return d, nil
}

// CopyTo writes the database as it is at one moment to a file that does not
// exist yet. Writers and readers go on meanwhile.
func (db *DB) CopyTo(ctx context.Context, file string) error {
	own, err := open(db.file, 1, "")
	if err != nil {
		return err
	}
	_, err = own.ExecContext(ctx, `VACUUM INTO ?`, file)
	if err := errors.Join(err, own.Close()); err != nil {
		return translate(ctx, err)
	}
	return os.Chmod(file, 0o600)
}

// Scrub writes the database anew and empties its log, so that free pages hold nothing of
// what was deleted or changed. Writers wait meanwhile, some seconds a GB; readers do not,
// and one that is in the middle keeps the log from being emptied: that is an error, and
// asking again helps.
func (db *DB) Scrub(ctx context.Context) error {
	if err := db.turns.take(ctx, ordinary); err != nil {
		return translate(ctx, err)
	}
	defer db.turns.give()
	if _, err := db.writer.ExecContext(ctx, `VACUUM`); err != nil {
		return translate(ctx, err)
	}
	var busy, pages, moved int
	if err := db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return translate(ctx, err)
	}
	if busy != 0 {
		return fault.New(fault.KindUnavailable, "control.busy", "somebody reads what was there before").WithHint("ask again")
	}
	return nil
}

// Close ends the database; it may be called twice.
func (db *DB) Close() error {
	var errs []error
	for _, d := range []*sql.DB{db.readers, db.folder, db.writer} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// Install is this installation's random id, made with its database.
func (db *DB) Install() string { return db.install }

func (db *DB) loadInstall(ctx context.Context) error {
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES ('install', ?) ON CONFLICT (name) DO NOTHING`, strings.ToLower(rand.Text())); err != nil {
			return err
		}
		id, _, err := One(ctx, tx, func(r Row) (id string, err error) { return id, r.Scan(&id) }, `SELECT value FROM settings WHERE name = 'install'`)
		db.install = id
		return err
	})
}

// migrate applies the numbered files that this database has not seen, in the
// order of their numbers, all in one transaction. A number may be missing: parts that are built side by side take theirs beforehand, and what
// was applied is known by number and not by the highest one.
func (db *DB) migrate(ctx context.Context, files fs.FS) error {
	if _, err := db.writer.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL)`); err != nil {
		return translate(ctx, err)
	}
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("listing migrations: %w", err)
	}
	slices.Sort(names)
	numbers := make([]int, len(names))
	for i, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if numbers[i], err = strconv.Atoi(number); err != nil || numbers[i] < 1 || slices.Contains(numbers[:i], numbers[i]) {
			return fmt.Errorf("migration %s should begin with a number of its own", name)
		}
	}
	return db.Write(ctx, func(tx *Tx) error {
		applied, err := All(ctx, tx, func(r Row) (v int, err error) { return v, r.Scan(&v) }, `SELECT version FROM schema_migrations`)
		if err != nil {
			return err
		}
		for _, v := range applied {
			if !slices.Contains(numbers, v) {
				return fault.New(fault.KindConflict, "control.newer", "the control database is of a newer release (it has change %d, which this one does not know)", v).
					WithHint("start the newer release, or restore a backup made by this one")
			}
		}
		for i, name := range names {
			version := numbers[i]
			if slices.Contains(applied, version) {
				continue
			}
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return fmt.Errorf("reading migration %s: %w", name, err)
			}
			if _, err := tx.Exec(ctx, string(text)); err != nil {
				return fmt.Errorf("applying migration %s: %w", name, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO schema_migrations (version, name, at) VALUES (?, ?, ?)`, version, path.Base(name), Micros(time.Now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// Micros is t as the database stores it; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads what Micros wrote, in UTC.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
