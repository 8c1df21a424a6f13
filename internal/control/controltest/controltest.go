// Package controltest opens control databases for tests, quickly.
//
// What for: making the tables takes more than a second under the race
// detector, and nearly every test wants a database of its own. Here the tables
// are made once a process and each new database is a copy of that file.
//
// Who calls it: tests only.
//
// Promises: Open does what control.Open does, with an installation id of its
// own for every file; the tables are those of control's migrations.
//
// How it fails: as control.Open does.
//
// Start reading at Open.
package controltest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"reeve/internal/control"
)

// Open opens file, after making it of a finished database's copy when it is not there.
func Open(ctx context.Context, file string) (*control.DB, error) {
	if err := place(file); err != nil {
		return nil, err
	}
	return control.Open(ctx, file)
}

func place(file string) error {
	finished, err := template()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making a control database: %w", err)
	}
	_, err = f.Write(finished)
	return errors.Join(err, f.Close())
}

// template is the file of a database with all tables and nothing in them.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "controltest")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the template: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	file := filepath.Join(dir, "control.db")
	db, err := control.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	// Every copy draws an installation id of its own.
	err = db.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM settings WHERE name = 'install'`)
		return err
	})
	// The last connection that closes folds the log into the file.
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})
