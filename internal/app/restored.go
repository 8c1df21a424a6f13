package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/audit"
	"reeve/internal/backup"
	"reeve/internal/control"
	"reeve/internal/durable"
	"reeve/internal/fault"
	"reeve/internal/hook"
	"reeve/internal/identity"
)

// RestoredEnds says what ended in a restored folder.
type RestoredEnds struct {
	SignIns    int64 `json:"sign_ins"`
	Tokens     int64 `json:"api_tokens"`
	IntakeKeys int64 `json:"intake_keys"`
	AgentKeys  int64 `json:"agent_keys"`
	Agents     int64 `json:"agents"` // whose certificates and tokens died

	Senders       int64 `json:"sender_secrets"` // of alerts, changes and feedback
	RecoveryCodes int64 `json:"recovery_codes"`
	Approvals     int64 `json:"approvals"` // that waited, or were agreed to and not collected
	Proposals     int64 `json:"proposals"` // that waited for a second person
}

// EndRestored ends what lets agents and senders in, and what is good once, in a
// folder that was restored from a backup of that time: what was revoked or used
// since would be alive again, and nobody can tell which that is. It records that.
// Nothing may run on the folder. docs/backup.md tells what stays.
func EndRestored(ctx context.Context, data string, made time.Time) (out RestoredEnds, err error) {
	db, err := control.Open(ctx, filepath.Join(data, "control.db"))
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	at := control.Micros(time.Now())
	reason := fmt.Sprintf("restored from a backup of %s: what was revoked since is not known", made.UTC().Format(time.RFC3339))
	return out, db.Write(ctx, func(tx *control.Tx) error {
		people, err := identity.EndAll(ctx, tx, at)
		if err != nil {
			return err
		}
		out.SignIns, out.Tokens, out.IntakeKeys, out.RecoveryCodes, out.Proposals = people.SignIns, people.Tokens, people.IntakeKeys, people.RecoveryCodes, people.Proposals
		if out.Agents, out.AgentKeys, err = agent.EndAll(ctx, tx, at, reason); err != nil {
			return err
		}
		if out.Senders, err = hook.EndAll(ctx, tx, at); err != nil {
			return err
		}
		if out.Approvals, err = approval.EndAll(ctx, tx, at, reason); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.restored", Person: "reeve", Action: "restore", Object: "credentials", After: out, Reason: reason})
	})
}

// restorePrefix begins the name of the part of a data folder that a restore works in.
const restorePrefix = ".reeve-restore-"

// Restored is what a backup was restored to.
type Restored struct {
	Manifest *backup.Manifest
	Records  int64 // of both logs, walked
	Ended    RestoredEnds
}

// Restore puts a backup into data, a folder that is empty or not there yet, checks
// it, and ends its credentials unless keep says otherwise. All of that happens in a
// part of the folder, which may be a mount point or a link to another disk: when
// anything is wrong nothing stays, and when the process dies nothing is served, since
// New refuses a folder with such a part.
func Restore(ctx context.Context, from, data, passphrase string, keep bool) (out Restored, err error) {
	data = filepath.Clean(data)
	if list, err := os.ReadDir(data); err == nil && len(list) > 0 {
		return out, fault.New(fault.KindConflict, "backup.not_empty", "the folder %s is not empty", data).WithHint("restore into an empty folder, or one that is not there")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return out, err
	}
	part, err := os.MkdirTemp(data, restorePrefix)
	if err != nil {
		return out, err
	}
	to := filepath.Join(part, "data")
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(data))
		}
	}()
	if out.Manifest, err = backup.Restore(ctx, from, to, passphrase); err != nil {
		return out, err
	}
	logs, err := CheckRestored(ctx, to, out.Manifest)
	if err != nil {
		return out, err
	}
	for _, l := range logs {
		out.Records += l.Records
	}
	if !keep {
		if out.Ended, err = EndRestored(ctx, to, out.Manifest.At); err != nil {
			return out, err
		}
	}
	list, err := os.ReadDir(to)
	if err != nil {
		return out, err
	}
	for _, e := range list {
		if err := os.Rename(filepath.Join(to, e.Name()), filepath.Join(data, e.Name())); err != nil {
			return out, err
		}
	}
	// What was moved is on disk before the mark of a half-made copy is gone.
	if err := durable.SyncDir(data); err != nil {
		return out, err
	}
	return out, os.RemoveAll(part)
}

// empty takes everything out of a folder.
func empty(dir string) error {
	list, err := os.ReadDir(dir)
	for _, e := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// halfRestored refuses a folder whose restore did not end.
func halfRestored(data string) error {
	list, err := os.ReadDir(data)
	if err != nil || !slices.ContainsFunc(list, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), restorePrefix) }) {
		return err
	}
	return fault.New(fault.KindConflict, "backup.half_restored", "a restore into the folder %s did not end", data).
		WithHint("empty the folder and run `reeve restore` again")
}
