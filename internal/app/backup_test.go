package app

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"reeve/client"
	"reeve/internal/backup"
	"reeve/internal/fault"
)

// A backup that is taken under load restores to a server that has all which was
// acknowledged before it began, nothing twice, with both chains whole; then it
// goes on where it was.
func TestABackupUnderLoadRestores(t *testing.T) {
	t.Parallel()
	a := start(t, func(o *Config) { o.Backup.Keep = 2 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	acked := map[string]bool{}
	enough := make(chan struct{})
	var wg sync.WaitGroup
	for k := range 3 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil && i < 4000; i++ {
				n := k*10_000 + i
				if r := post(ctx, "http://"+a.Address("listen")+"/v1/traces", protobuf, oneRun(t, n)); r.status != http.StatusOK {
					continue
				}
				mu.Lock()
				if acked[traceOf(n)] = true; len(acked) == 300 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-t.Context().Done():
		t.Fatal("300 runs were never taken")
	}
	mu.Lock()
	before := make(map[string]bool, len(acked))
	for id := range acked {
		before[id] = true
	}
	mu.Unlock()
	c := client.New("http://"+a.Address("listen"), "")
	if none, err := c.ListBackups(t.Context()); err != nil || none.Items == nil {
		t.Fatalf("before the first it is no list: %+v, %v", none, err)
	}
	made, err := c.MakeBackup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if made.State != "whole" || made.Files == 0 || made.Sealed {
		t.Errorf("made %+v", made)
	}
	trial, err := c.TryBackup(t.Context(), client.BackupRequest{ID: made.ID})
	if err != nil || !trial.OK || len(trial.Logs) == 0 {
		t.Fatalf("on trial: %+v, %v", trial, err)
	}
	cancel()
	wg.Wait()
	list, err := c.ListBackups(t.Context())
	if err != nil || len(list.Items) != 1 || list.Items[0].TriedAt == nil || list.Items[0].TriedError != "" || !list.SameDisk {
		t.Fatalf("listed: %+v, %v", list, err)
	}

	// One that somebody spoiled is told, and never restored.
	dir := filepath.Join(list.Dir, made.ID)
	data := filepath.Join(t.TempDir(), "restored")
	if _, err := backup.Restore(t.Context(), dir, data, ""); err != nil {
		t.Fatal(err)
	}
	linked, behind := throughALink(t)
	if got, err := Restore(t.Context(), dir, linked, "", false); err != nil || got.Records == 0 {
		t.Errorf("through a link: %+v, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(behind, "control.db")); err != nil {
		t.Errorf("it is not on the disk that the link leads to: %v", err)
	}
	if list, err := filepath.Glob(filepath.Join(behind, restorePrefix+"*")); err != nil || len(list) != 0 {
		t.Errorf("left: %q, %v", list, err)
	}
	spoil := filepath.Join(dir, "control.db")
	if err := os.WriteFile(spoil, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bad, err := c.TryBackup(t.Context(), client.BackupRequest{ID: made.ID}); err != nil || bad.OK || bad.Error == "" {
		t.Errorf("a spoiled backup on trial: %+v, %v", bad, err)
	}
	linked, behind = throughALink(t)
	if _, err := Restore(t.Context(), dir, linked, "", false); err == nil {
		t.Error("a spoiled backup was restored")
	}
	if left, err := os.ReadDir(behind); err != nil || len(left) != 0 {
		t.Errorf("of a spoiled backup stays %v, %v", left, err)
	}
	if err := os.Mkdir(filepath.Join(behind, restorePrefix+"1"), 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(linked)
	if _, err := New(t.Context(), Options{Config: cfg, Logger: slog.New(slog.DiscardHandler), Version: "test"}); fault.From(err).Code != "backup.half_restored" {
		t.Errorf("a folder whose restore did not end was served: %v", err)
	}

	again := start(t, func(o *Config) { o.Data = data })
	logs, err := client.New("http://"+again.Address("listen"), "").VerifyAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs.Items {
		if l.Break != nil {
			t.Errorf("the restored log of %s breaks: %+v", l.What, l.Break)
		}
	}
	wantRuns(t, client.New("http://"+again.Address("listen"), ""), before, acked)
	// It takes what is new, also what it has already.
	if r := post(t.Context(), "http://"+again.Address("listen")+"/v1/traces", protobuf, oneRun(t, 99_999)); r.status != http.StatusOK {
		t.Fatalf("the restored server does not take telemetry: %+v", r)
	}
	before[traceOf(99_999)] = true
	wantRuns(t, client.New("http://"+again.Address("listen"), ""), before, acked)

	for range 3 {
		if _, err := c.MakeBackup(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadDir(list.Dir); err != nil || len(kept) != 2 {
		t.Errorf("%d backups are kept, want 2", len(kept))
	}
	if _, err := c.TryBackup(t.Context(), client.BackupRequest{ID: "bak_none"}); err == nil {
		t.Error("a backup that is not there was tried")
	}
	if _, err := c.TryBackup(t.Context(), client.BackupRequest{ID: "../../etc"}); err == nil {
		t.Error("a path was taken for a backup")
	}
}

// throughALink is an empty data folder that is a link, in a folder where nothing can
// be made or renamed, as a mount point is.
func throughALink(t *testing.T) (link, folder string) {
	t.Helper()
	folder = t.TempDir()
	link = filepath.Join(t.TempDir(), "data")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(link), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(link), 0o700) })
	return link, folder
}

// Several installations may share one folder: each forgets its own backups and no
// others. The passphrase that seals the keys is in no backup, wherever it lies.
func TestBackupsOfSeveralInstallations(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	var theirs []string
	for range 2 {
		a := start(t, func(o *Config) {
			o.Backup.Dir, o.Backup.Keep = shared, 1
			o.Backup.PassphraseFile = filepath.Join(o.Data, "passphrase.txt")
			if err := os.MkdirAll(o.Data, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(o.Backup.PassphraseFile, []byte("correct horse\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		})
		c := client.New("http://"+a.Address("listen"), "")
		var last client.Backup
		for range 2 {
			made, err := c.MakeBackup(t.Context())
			if err != nil || !made.Sealed {
				t.Fatalf("made %+v, %v", made, err)
			}
			last = *made
		}
		list, err := c.ListBackups(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(list.Dir, last.ID)
		m, err := backup.Check(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range m.Files {
			if f.Path == "passphrase.txt" {
				t.Error("the passphrase lies in the backup that it seals")
			}
		}
		if kept, err := os.ReadDir(list.Dir); err != nil || len(kept) != 1 {
			t.Errorf("%d of its backups are kept, %v; want the newest", len(kept), err)
		}
		theirs = append(theirs, at)
	}
	for _, at := range theirs {
		if _, err := os.Stat(filepath.Join(at, backup.ManifestName)); err != nil {
			t.Errorf("the other installation deleted it: %v", err)
		}
	}
}
