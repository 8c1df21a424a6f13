// Package durable makes changes of a folder outlive a power cut.
//
// What for: a file that was made, renamed or removed is only there, or gone, for
// good once its folder is synced too.
//
// Who calls it: whoever keeps files of its own: the store, the archive of
// decisions, the authority, stops, backups.
//
// Promises: SyncDir returns nil only once the disk has the folder's entries.
//
// How it fails: with the system's error, for the caller to say what it means.
//
// Start reading at SyncDir.
package durable

import (
	"errors"
	"os"
)

// SyncDir syncs the entries of a folder.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
