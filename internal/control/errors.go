package control

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"reeve/internal/fault"
)

// translate says what an error of the driver means; nil stays nil, and an
// error that is none of the driver's stays as it is.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fault.New(fault.KindConflict, "control.exists", "this exists already").WithCause(err)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault.New(fault.KindConflict, "control.reference", "something that this names does not exist, or something still names this").
			WithHint("look the names up; what is still named is ended where it is named first").WithCause(err)
	}
	switch e.Code() & 0xff { // the rest of an extended code only says where it happened
	case sqlite3.SQLITE_INTERRUPT:
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.New(fault.KindUnavailable, "control.busy", "the control database is busy").
			WithHint("try again; does another program hold it?").WithCause(err)
	case sqlite3.SQLITE_FULL:
		return diskFull(err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return readOnly("the control database", err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.New(fault.KindInternal, "control.corrupt", "the control database is damaged").
			WithHint("restore the newest backup of control.db").WithCause(err)
	case sqlite3.SQLITE_IOERR:
		return fault.New(fault.KindUnavailable, "control.io", "the disk of the control database failed").
			WithHint("look at the system's log").WithCause(err)
	}
	return fault.New(fault.KindInternal, "control.failed", "the control database refused a statement").
		WithHint("try again; the server's log has the cause, which is a bug of Reeve when it stays").WithCause(err)
}

func diskFull(err error) error {
	return fault.New(fault.KindUnavailable, "control.disk_full", "the disk of the control database is full").
		WithHint("free some space; writing goes on by itself").WithCause(err)
}

func readOnly(what string, err error) error {
	return fault.New(fault.KindUnavailable, "control.read_only", "%s cannot be written", what).
		WithHint("check owner and mode, and that the disk is not mounted read-only").WithCause(err)
}

// folderFault says what an operating system's error means for a folder; nil
// stays nil.
func folderFault(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return diskFull(err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return readOnly("the folder "+dir, err)
	}
	return fault.New(fault.KindUnavailable, "control.folder", "the folder %s cannot be used", dir).WithCause(err)
}
