package control

import (
	"context"
	"database/sql"
	"fmt"
)

// Row is one row of an answer, for a scan function.
type Row interface{ Scan(dest ...any) error }

// Reader is what can be asked: a *DB (a snapshot of what is committed) or a
// *Tx (which sees its own changes).
type Reader interface {
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (db *DB) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return db.readers.QueryContext(ctx, query, args...)
}

// All runs a query and scans each row. No rows give a nil slice.
func All[T any](ctx context.Context, r Reader, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := r.query(ctx, query, args...)
	if err != nil {
		return nil, translate(ctx, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, translate(ctx, err)
		}
		all = append(all, v)
	}
	return all, translate(ctx, rows.Err())
}

// One runs a query and scans its first row; ok is false when there is none.
func One[T any](ctx context.Context, r Reader, scan func(Row) (T, error), query string, args ...any) (v T, ok bool, err error) {
	all, err := All(ctx, r, scan, query, args...)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// Tx is a transaction that Write opened. It is valid during the call and for
// one goroutine.
type Tx struct {
	tx     *sql.Tx
	db     *DB
	after  []func()
	events bool
	timers bool
}

// Write runs f in a transaction: f's nil commits, its error (returned as it
// is) undoes everything. Writers wait for each other, readers for nobody. f
// must not call Write or read through the DB.
func (db *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	return db.write(ctx, ordinary, f)
}

// WriteFirst is Write before all that wait for their turn: for what must not wait
// behind bookkeeping, such as a stop.
func (db *DB) WriteFirst(ctx context.Context, f func(tx *Tx) error) error {
	return db.write(ctx, first, f)
}

// writeLoose is Write whose commit does not wait for the disk: a power cut may
// undo it, though never one of it and keep a later one. kill -9 does not.
func (db *DB) writeLoose(ctx context.Context, f func(tx *Tx) error) error {
	return db.write(ctx, loose, f)
}

func (db *DB) write(ctx context.Context, k writeKind, f func(tx *Tx) error) error {
	tx := &Tx{db: db}
	if err := db.commit(ctx, k, tx, f); err != nil {
		return err
	}
	if db.writes.Add(1)%checkpointEvery == 0 {
		wake(db.wakes.checkpoint)
	}
	if tx.events {
		wake(db.wakes.relay)
	}
	if tx.timers {
		wake(db.wakes.timers)
	}
	for _, g := range tx.after {
		g()
	}
	return nil
}

// commit runs f in its turn.
func (db *DB) commit(ctx context.Context, k writeKind, tx *Tx, f func(tx *Tx) error) error {
	if err := db.turns.take(ctx, k); err != nil {
		return translate(ctx, err)
	}
	defer db.turns.give()
	if err := db.synced(ctx, k); err != nil {
		return translate(ctx, err)
	}
	t, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return translate(ctx, err)
	}
	// After Commit this does nothing; a failed rollback leaves nothing to do
	// but what closing the connection does.
	defer func() { _ = t.Rollback() }()
	tx.tx = t
	if err := f(tx); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return translate(ctx, err)
	}
	return nil
}

func (tx *Tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.tx.QueryContext(ctx, query, args...)
}

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	r, err := tx.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, translate(ctx, err)
	}
	if changed, err = r.RowsAffected(); err != nil {
		return 0, translate(ctx, err)
	}
	return changed, nil
}

// Install is DB.Install.
func (tx *Tx) Install() string { return tx.db.install }

// AfterCommit has f called once the transaction is durable, before Write
// returns: the place to update what is held in memory.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Next takes the next value of a named sequence, from 1. Values follow the
// order of commits and an undone transaction leaves no gap.
func (tx *Tx) Next(ctx context.Context, name string) (int64, error) {
	v, ok, err := One(ctx, tx, func(r Row) (v int64, err error) { return v, r.Scan(&v) },
		`INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value`, name)
	if err != nil || !ok {
		return 0, fmt.Errorf("taking the next value of %s: %w", name, err)
	}
	return v, nil
}
