package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Backups are the copies that were made of everything, the newest first.
type Backups struct {
	Items    []Backup `json:"items"`
	Text     string   `json:"text"`
	Dir      string   `json:"dir"`       // where they are kept
	SameDisk bool     `json:"same_disk"` // that is the disk of the data: it takes both when it goes
	EveryMS  *int64   `json:"every_ms"`  // null: only when asked
	Keep     int      `json:"keep"`
	Sealed   bool     `json:"sealed"` // a passphrase seals the keys of new ones
	Doing    string   `json:"doing,omitempty"`
}

// Backup is one copy.
type Backup struct {
	ID         string           `json:"id"`
	At         time.Time        `json:"at"`    // when it began: what was durable then is in it
	State      string           `json:"state"` // making, whole, sent (as a file to whoever asked), gone (its folder is not there any more), failed
	TookMS     int64            `json:"took_ms"`
	Files      int              `json:"files"`
	Bytes      int64            `json:"bytes"`
	Sealed     bool             `json:"sealed"`
	By         string           `json:"by"` // a person's id, or schedule
	Error      string           `json:"error,omitempty"`
	Program    string           `json:"program,omitempty"`
	Counts     map[string]int64 `json:"counts,omitempty"`
	TriedAt    *time.Time       `json:"tried_at"` // when it was last restored on trial; null: never
	TriedError string           `json:"tried_error,omitempty"`
	TriedMS    int64            `json:"tried_ms,omitempty"`
}

// BackupTrial is what restoring a backup on trial came to.
type BackupTrial struct {
	ID      string        `json:"id"`
	At      time.Time     `json:"at"`
	OK      bool          `json:"ok"`
	Error   string        `json:"error,omitempty"`
	TookMS  int64         `json:"took_ms"`
	Pending bool          `json:"pending"` // it goes on; the list will tell
	Logs    []AuditReport `json:"logs,omitempty"`
}

// BackupRequest names a backup.
type BackupRequest struct {
	ID string `path:"id"`
}

// DownloadBackup writes a new backup, one tar file, to w. It waits for as long as
// the server makes it.
func (c *Client) DownloadBackup(ctx context.Context, w io.Writer) error {
	r, err := c.request(ctx, http.MethodPost, "/api/v1/backup-file", nil)
	if err != nil {
		return err
	}
	h := *c.http
	if t, ok := h.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.ResponseHeaderTimeout = 0
		h.Transport = t
	}
	res, err := h.Do(r)
	if err != nil {
		return fmt.Errorf("downloading a backup: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return problemOf(res)
	}
	_, err = io.Copy(w, res.Body)
	return err
}
