package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/backup"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry/duck"
)

// BackupConfig says where backups are kept, and how often one is made.
type BackupConfig struct {
	Dir            string        `yaml:"dir" doc:"Folder of backups; empty: backups, in the data folder. Another disk is safer."`
	Every          time.Duration `yaml:"every" doc:"Make one so often. 0: only when asked."`
	Keep           int           `yaml:"keep" doc:"Keep so many; older ones go once a newer one is whole."`
	PassphraseFile string        `yaml:"passphrase_file" doc:"File with the passphrase that seals the keys in backups; REEVE_BACKUP_PASSPHRASE is another way. Empty: keys lie in them as they are."`
}

func (c *BackupConfig) validate() error {
	if c.Every < 0 || c.Every > 0 && c.Every < time.Minute || c.Keep < 1 || c.Keep > 1000 {
		return fault.New(fault.KindInvalid, "config.invalid", "backup: every is 0 or a minute and more, keep is 1 to 1000")
	}
	return nil
}

// backups makes copies of everything while the process goes on.
type backups struct {
	app *App

	one  sync.Mutex // one backup or trial at a time
	jobs chan job   // run does them: what was asked for goes on when the asker has gone

	mu     sync.Mutex // guards what follows
	doing  string     // what goes on now, for people
	last   client.Backup
	tried  time.Time
	failed int64 // since the start
}

// trialFolder is where a backup is restored on trial, in the data folder.
const trialFolder = "backup-trial"

// longestCopy bounds how long the log is held for a backup.
const longestCopy = time.Hour

func (a *App) openBackups(context.Context) error {
	b := &backups{app: a, jobs: make(chan job, 1)}
	if dir := a.o.Config.Backup.Dir; dir != "" && filepath.Clean(dir) == filepath.Clean(a.o.Config.Data) {
		return fault.New(fault.KindInvalid, "config.invalid", "backup.dir is the data folder itself").WithHint("name another folder, best on another disk")
	}
	a.backups = b
	return nil
}

// sweep deletes what a killed process left: half-made copies, and a trial.
func (b *backups) sweep() {
	_ = os.RemoveAll(filepath.Join(b.app.o.Config.Data, trialFolder))
	for _, dir := range []string{b.dir(), b.app.o.Config.Data} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // not there yet
		}
		for _, e := range entries {
			if e.IsDir() && (strings.HasPrefix(e.Name(), backup.PartPrefix) || strings.HasPrefix(e.Name(), "send-bak_")) {
				_ = os.RemoveAll(filepath.Join(dir, e.Name()))
			}
		}
	}
}

// dir is a folder of this installation alone, so that several may share the one
// that is configured: each forgets its own backups and no others.
func (b *backups) dir() string {
	base := cmp.Or(b.app.o.Config.Backup.Dir, filepath.Join(b.app.o.Config.Data, "backups"))
	return filepath.Join(base, "reeve-"+b.app.control.Install())
}

func (b *backups) passphrase() (string, error) {
	if p := os.Getenv("REEVE_BACKUP_PASSPHRASE"); p != "" {
		return p, nil
	}
	file := b.app.o.Config.Backup.PassphraseFile
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(text)) == "" {
		return "", fault.New(fault.KindUnavailable, "backup.passphrase_file", "the file with the passphrase of backups cannot be read, or is empty").WithHint("backup.passphrase_file names it").WithCause(err)
	}
	return strings.TrimSpace(string(text)), nil
}

// job is something that run does; done is closed when it is over.
type job struct {
	do   func(ctx context.Context)
	done chan struct{}
}

// patience is how long an asker waits for the end of what was asked for.
const patience = 20 * time.Second

func busy() *fault.Error {
	return fault.New(fault.KindConflict, "backup.busy", "a backup or a trial goes on already").WithHint("`reeve backup list` shows it")
}

// hand gives run something to do and waits a while; over says that it is done.
func (b *backups) hand(ctx context.Context, do func(ctx context.Context)) (over bool, err error) {
	b.mu.Lock()
	doing := b.doing != ""
	b.mu.Unlock()
	if doing {
		return false, busy()
	}
	j := job{do, make(chan struct{})}
	select {
	case b.jobs <- j:
	default:
		return false, busy()
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-j.done:
		return true, nil
	case <-wait.C:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// Make has a backup taken into the folder of backups. One that takes longer than
// an asker waits is told as making, and listed when it is whole.
func (b *backups) Make(ctx context.Context, by string) (client.Backup, error) {
	var out client.Backup
	var failed error
	over, err := b.hand(ctx, func(ctx context.Context) { out, failed = b.make(ctx, by) })
	if err != nil || !over {
		return client.Backup{At: time.Now().UTC(), State: "making"}, err
	}
	return out, failed
}

// make takes a backup, and forgets those beyond what is kept.
func (b *backups) make(ctx context.Context, by string) (client.Backup, error) {
	if !b.one.TryLock() {
		return client.Backup{}, busy()
	}
	defer b.one.Unlock()
	id := "bak_" + time.Now().UTC().Format("20060102T150405.000Z")
	b.say("making " + id)
	defer b.say("")
	m, err := b.take(ctx, filepath.Join(b.dir(), id), id)
	if err == nil {
		err = b.prune(id)
	}
	if err != nil {
		b.mu.Lock()
		b.failed++
		b.mu.Unlock()
		b.app.log.Error("no backup was made", "err", err)
		return client.Backup{}, errors.Join(err, b.note(context.WithoutCancel(ctx), client.Backup{ID: id, At: time.Now(), By: by, State: "failed", Error: fault.From(err).Message}))
	}
	out := backupShape(m)
	out.By = by
	b.app.log.Info("backup made", "id", id, "files", out.Files, "bytes", out.Bytes, "took", m.Took)
	return out, b.note(ctx, out)
}

func (b *backups) say(what string) {
	b.mu.Lock()
	b.doing = what
	b.mu.Unlock()
}

func backupShape(m *backup.Manifest) client.Backup {
	return client.Backup{ID: m.ID, At: m.At, State: "whole", TookMS: m.Took.Milliseconds(), Files: len(m.Files), Bytes: m.Bytes(), Sealed: m.Salt != "", Counts: m.Counts, Program: m.Program}
}

// take copies every part. The order makes them belong together: what refers to
// the log comes before the log, and the log lets nothing go meanwhile, so that a
// part which is a moment older is brought up to date from it as after a crash.
func (b *backups) take(ctx context.Context, dir, id string) (*backup.Manifest, error) {
	passphrase, err := b.passphrase()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, err
	}
	a := b.app
	ctx, cancel := context.WithTimeout(ctx, longestCopy)
	defer cancel()
	release := a.bus.Hold()
	defer release()
	return backup.Make(ctx, dir, backup.Options{
		Data: a.o.Config.Data, ID: id, Install: a.control.Install(), Program: a.o.Version, Passphrase: passphrase, Secret: secretFile,
		Parts: []backup.Part{
			{Name: "small files", Copy: b.copySmall},
			{Name: "proofs of changes", Copy: func(_ context.Context, s *backup.Stage) error {
				return a.proofs.changes.Still(func() error { return copyAll(s, "audit/tree") })
			}},
			{Name: "control", Copy: func(ctx context.Context, s *backup.Stage) error {
				to, err := s.Dir("control.db")
				if err != nil {
					return err
				}
				s.Add("control.db")
				return a.control.CopyTo(ctx, to)
			}},
			{Name: "decisions", Copy: func(ctx context.Context, s *backup.Stage) error {
				return a.decisions.Still(ctx, func(records int64) error {
					s.Counts["decision_records"] = records
					return a.proofs.decisions.Still(func() error { return copyDecisions(s) })
				})
			}},
			{Name: "telemetry", Copy: b.copyTelemetry},
			{Name: "log", Copy: copyLog},
		},
	})
}

// notSmall are the folders and files that are copied in their own way, or are of
// the running process alone.
var notSmall = []string{"control.db", "control.db-wal", "control.db-shm", "telemetry/", "bus/", "decisions/", "audit/tree/", "backups/", trialFolder + "/", backup.PartPrefix, "lock", "admin-token"}

func small(path string, own string) bool {
	return !slices.ContainsFunc(append([]string{own}, notSmall...), func(p string) bool {
		return path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) || p == backup.PartPrefix && strings.HasPrefix(path, p)
	}) && !strings.HasSuffix(path, ".tmp") && !strings.HasSuffix(path, ".sock")
}

func (b *backups) copySmall(_ context.Context, s *backup.Stage) error {
	files, err := s.Files(".")
	if err != nil {
		return err
	}
	own, err := filepath.Rel(b.app.o.Config.Data, b.dir())
	if err != nil || !filepath.IsLocal(own) {
		own = "backups"
	}
	own = filepath.ToSlash(own) + "/"
	passphrase, _ := os.Stat(b.app.o.Config.Backup.PassphraseFile) // nil when there is none
	for _, f := range files {
		if !small(f, own) {
			continue
		}
		if at, err := os.Stat(filepath.Join(b.app.o.Config.Data, filepath.FromSlash(f))); err == nil && passphrase != nil && os.SameFile(at, passphrase) {
			continue // what seals the keys does not lie beside them
		}
		if err := s.Copy(f, -1); err != nil && !os.IsNotExist(err) { // it may be one that is replaced just now
			return err
		}
	}
	return nil
}

func copyAll(s *backup.Stage, folder string) error {
	files, err := s.Files(folder)
	for _, f := range files {
		if err != nil || strings.HasSuffix(f, ".tmp") || strings.HasSuffix(f, ".tmp-tile") {
			continue
		}
		err = s.Copy(f, -1)
	}
	return err
}

// copyDecisions links the files of the archive that are closed; the last of each
// shelf still grows.
func copyDecisions(s *backup.Stage) error {
	files, err := s.Files("decisions")
	if err != nil {
		return err
	}
	last := map[string]string{}
	for _, f := range files {
		last[filepath.Dir(f)] = f
	}
	for _, f := range files {
		shelf := strings.HasPrefix(f, "decisions/records/") || strings.HasPrefix(f, "decisions/content/")
		if shelf && last[filepath.Dir(f)] != f && strings.HasSuffix(f, ".log") {
			err = s.Link(f)
		} else {
			err = s.Copy(f, -1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *backups) copyTelemetry(ctx context.Context, s *backup.Stage) error {
	to, err := s.Dir("telemetry/index.db")
	if err != nil {
		return err
	}
	held, err := b.app.store.Snapshot(ctx, to, func(file string) error { return s.Link("telemetry/" + file) })
	if err != nil {
		return err
	}
	s.Add("telemetry/index.db")
	s.Counts["telemetry_segments"], s.Counts["telemetry_rows"], s.Counts["telemetry_steps"] = held.Segments, held.Rows, held.Steps
	return s.Copy("telemetry/hash-key", -1)
}

// copyLog copies the log's files while it is written to. The newest block of a
// stream first: once it is copied the ones before it grow no more, so that what
// is copied is the log as it was at one moment.
func copyLog(_ context.Context, s *backup.Stage) error {
	files, err := s.Files("bus")
	if err != nil {
		return err
	}
	block := func(f string) int64 {
		n, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(f), ".blk"), 10, 64)
		if err != nil || !strings.HasSuffix(f, ".blk") {
			return 1 << 62 // states and names before any block
		}
		return n
	}
	slices.SortStableFunc(files, func(x, y string) int { return cmp.Compare(block(y), block(x)) })
	for _, f := range files {
		if f == "bus/lock" || strings.HasSuffix(f, ".tmp") {
			continue
		}
		if err := s.Copy(f, -1); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// secretFile reports the files that let whoever has them be this installation.
func secretFile(path string) bool {
	return strings.HasPrefix(path, "identity/") || strings.HasPrefix(path, "upstream-secrets/") || path == "audit/keys.json" || strings.HasSuffix(path, "-key")
}

// prune forgets the oldest backups beyond what is kept; never the newest.
func (b *backups) prune(newest string) error {
	list, err := b.folders()
	if err != nil {
		return err
	}
	for len(list) > b.app.o.Config.Backup.Keep && list[0] != newest {
		if err := os.RemoveAll(filepath.Join(b.dir(), list[0])); err != nil {
			return err
		}
		list = list[1:]
	}
	return nil
}

var backupName = regexp.MustCompile(`^bak_[0-9]{8}T[0-9]{6}\.[0-9]{3}Z$`)

// folders names the backups that are there, the oldest first.
func (b *backups) folders() ([]string, error) {
	entries, err := os.ReadDir(b.dir())
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() || !backupName.MatchString(e.Name()) {
			continue
		}
		if _, err := os.Stat(filepath.Join(b.dir(), e.Name(), backup.ManifestName)); err == nil {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// note keeps what became of a backup, with a record of the change.
func (b *backups) note(ctx context.Context, c client.Backup) error {
	b.mu.Lock()
	if c.State == "whole" {
		b.last = c
	}
	b.mu.Unlock()
	return b.app.control.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO backups (id, at, took_ms, files, bytes, sealed, by_who, state, error, tried_at, tried_error, tried_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0)`,
			c.ID, control.Micros(c.At), c.TookMS, c.Files, c.Bytes, map[bool]int{true: 1}[c.Sealed], c.By, c.State, c.Error); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.backup", Person: c.By, Action: c.State, Object: c.ID, After: map[string]any{"files": c.Files, "bytes": c.Bytes, "sealed": c.Sealed}})
	})
}

// Try has a backup restored into a folder of its own beside it, opened, and both
// chains of records and the counts checked. Nothing of it stays.
func (b *backups) Try(ctx context.Context, by, id string) (client.BackupTrial, error) {
	if _, err := b.place(id); err != nil {
		return client.BackupTrial{}, err
	}
	var out client.BackupTrial
	var failed error
	over, err := b.hand(ctx, func(ctx context.Context) { out, failed = b.try(ctx, by, id) })
	if err != nil || !over {
		return client.BackupTrial{ID: id, At: time.Now().UTC(), Pending: true}, err
	}
	return out, failed
}

func (b *backups) try(ctx context.Context, by, id string) (client.BackupTrial, error) {
	if !b.one.TryLock() {
		return client.BackupTrial{}, busy()
	}
	defer b.one.Unlock()
	at, err := b.place(id)
	if err != nil {
		return client.BackupTrial{}, err
	}
	b.say("trying " + id)
	defer b.say("")
	passphrase, err := b.passphrase()
	if err != nil {
		return client.BackupTrial{}, err
	}
	began := time.Now()
	// Beside the data: keys are open in it, and the folder of backups may be
	// anybody's.
	to := filepath.Join(b.app.o.Config.Data, trialFolder)
	defer func() { _ = os.RemoveAll(to) }()
	if err := os.RemoveAll(to); err != nil {
		return client.BackupTrial{}, err
	}
	out := client.BackupTrial{ID: id, At: began.UTC()}
	m, err := backup.Restore(ctx, at, to, passphrase)
	if err == nil {
		out.Logs, err = CheckRestored(ctx, to, m)
	}
	out.TookMS = time.Since(began).Milliseconds()
	if err != nil {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		out.Error = fault.From(err).Message
		b.app.log.Error("a backup did not restore", "id", id, "err", err)
	} else {
		out.OK = true
		b.mu.Lock()
		b.tried = out.At
		b.mu.Unlock()
	}
	return out, b.app.control.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE backups SET tried_at = ?, tried_error = ?, tried_ms = ? WHERE id = ?`, control.Micros(out.At), out.Error, out.TookMS, id); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.backup", Person: by, Action: "try", Object: id, After: map[string]any{"ok": out.OK, "error": out.Error}})
	})
}

// CheckRestored opens a restored data folder that nobody runs on, and holds its
// records and counts against what its manifest says.
func CheckRestored(ctx context.Context, data string, m *backup.Manifest) (_ []client.AuditReport, err error) {
	db, err := control.Open(ctx, filepath.Join(data, "control.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if db.Install() != m.Install {
		return nil, fault.New(fault.KindConflict, "backup.broken", "the backup is of another installation than its manifest says")
	}
	logs, err := VerifyLogs(ctx, data, db, nil, nil)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		if l.Break != nil {
			return logs, fault.New(fault.KindConflict, "backup.broken", "the log of %s breaks at record %d: %s", l.What, l.Break.Seq, l.Break.Reason)
		}
		if l.What == "decisions" && l.Last+1 < m.Counts["decision_records"] {
			return logs, fault.New(fault.KindConflict, "backup.broken", "the log of decisions ends at record %d, and %d were kept", l.Last, m.Counts["decision_records"])
		}
	}
	store, err := duck.Open(duck.Options{Dir: filepath.Join(data, "telemetry")})
	if err != nil {
		return logs, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s, err := store.Stats(ctx)
	if err != nil {
		return logs, err
	}
	if want := m.Counts["telemetry_steps"]; s.Steps != want {
		return logs, fault.New(fault.KindConflict, "backup.broken", "the store holds %d steps, and %d were kept", s.Steps, want)
	}
	return logs, nil
}

// place is the folder of a backup by its id.
func (b *backups) place(id string) (string, error) {
	list, err := b.folders()
	if err != nil {
		return "", err
	}
	if !slices.Contains(list, id) {
		return "", fault.New(fault.KindNotFound, "backup.not_found", "there is no backup %.60q", id).WithHint("`reeve backup list` shows what there is")
	}
	return filepath.Join(b.dir(), id), nil
}

// Send makes a backup and writes it to w as one file; nothing of it is kept here.
// Others may be made while whoever asked reads theirs.
func (b *backups) Send(ctx context.Context, by string, begin func(size int64) io.Writer) error {
	dir, size, err := b.toSend(ctx, by)
	defer func() { _ = os.RemoveAll(dir) }()
	if err != nil {
		return err
	}
	return backup.WriteTar(ctx, begin(size), dir)
}

func (b *backups) toSend(ctx context.Context, by string) (dir string, size int64, err error) {
	id := "bak_" + time.Now().UTC().Format("20060102T150405.000Z")
	dir = filepath.Join(b.dir(), "send-"+id)
	if !b.one.TryLock() {
		return dir, 0, busy()
	}
	defer b.one.Unlock()
	b.say("sending " + id)
	defer b.say("")
	m, err := b.take(ctx, dir, id)
	if err != nil {
		return dir, 0, err
	}
	c := backupShape(m)
	c.By, c.State = by, "sent"
	return dir, c.Bytes, b.note(ctx, c)
}

// List tells what backups there are and how the last trial went.
func (b *backups) List(ctx context.Context) (client.Backups, error) {
	out := client.Backups{Items: []client.Backup{}, Dir: b.dir(), Keep: b.app.o.Config.Backup.Keep, SameDisk: sameDisk(b.dir(), b.app.o.Config.Data)}
	if every := b.app.o.Config.Backup.Every; every > 0 {
		ms := every.Milliseconds()
		out.EveryMS = &ms
	}
	passphrase, err := b.passphrase()
	out.Sealed = err == nil && passphrase != ""
	there, err := b.folders()
	if err != nil {
		return out, err
	}
	out.Items, err = control.All(ctx, b.app.control, func(r control.Row) (c client.Backup, err error) {
		var at, tried int64
		var sealed int
		if err := r.Scan(&c.ID, &at, &c.TookMS, &c.Files, &c.Bytes, &sealed, &c.By, &c.State, &c.Error, &tried, &c.TriedError, &c.TriedMS); err != nil {
			return c, err
		}
		c.At, c.Sealed = control.Time(at), sealed == 1
		if tried > 0 {
			t := control.Time(tried)
			c.TriedAt = &t
		}
		if c.State == "whole" && !slices.Contains(there, c.ID) {
			c.State = "gone"
		}
		return c, nil
	}, `SELECT id, at, took_ms, files, bytes, sealed, by_who, state, error, tried_at, tried_error, tried_ms FROM backups ORDER BY at DESC LIMIT 200`)
	if err != nil {
		return out, err
	}
	b.mu.Lock()
	out.Doing = b.doing
	b.mu.Unlock()
	out.Text = backupText(out, time.Now())
	return out, nil
}

func backupText(b client.Backups, now time.Time) string {
	var last, tried *client.Backup
	for i := range b.Items {
		c := &b.Items[i]
		if last == nil && (c.State == "whole" || c.State == "sent") {
			last = c
		}
		if tried == nil && c.TriedAt != nil && c.TriedError == "" {
			tried = c
		}
	}
	if last == nil {
		return "No backup was ever made here."
	}
	text := fmt.Sprintf("The last backup was made %s ago.", now.Sub(last.At).Round(time.Minute))
	if tried == nil {
		return text + " None was ever tried: nobody knows whether it restores."
	}
	return text + fmt.Sprintf(" One was restored on trial %s ago, and held.", now.Sub(*tried.TriedAt).Round(time.Minute))
}

// sameDisk reports whether two folders share a disk; a folder that is not there
// yet is where its parent is.
func sameDisk(a, b string) bool {
	device := func(dir string) (uint64, bool) {
		for {
			var st syscall.Stat_t
			if err := syscall.Stat(dir, &st); err == nil {
				return uint64(st.Dev), true
			}
			up := filepath.Dir(dir)
			if up == dir {
				return 0, false
			}
			dir = up
		}
	}
	x, ok1 := device(a)
	y, ok2 := device(b)
	return ok1 && ok2 && x == y
}

// run makes one so often as the configuration says, counted from the last one.
func (b *backups) run(ctx context.Context) error {
	b.sweep()
	list, err := b.List(ctx)
	if err != nil {
		// A folder of backups that cannot be read is told, and no reason not to serve.
		b.app.log.Error("the folder of backups cannot be read", "err", err)
	}
	b.mu.Lock()
	for i := len(list.Items) - 1; i >= 0; i-- {
		c := list.Items[i]
		if c.State == "whole" || c.State == "sent" {
			b.last = c
		}
		if c.TriedAt != nil && c.TriedError == "" && c.TriedAt.After(b.tried) {
			b.tried = *c.TriedAt
		}
	}
	last := b.last.At
	b.mu.Unlock()
	every := b.app.o.Config.Backup.Every
	for {
		due := (<-chan time.Time)(nil) // never, without a schedule
		if every > 0 {
			due = time.After(max(time.Second, time.Until(last.Add(every))))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case j := <-b.jobs:
			j.do(ctx)
			close(j.done)
		case <-due:
			last = time.Now()
			if _, err := b.make(ctx, "schedule"); err != nil && ctx.Err() == nil {
				b.app.log.Warn("the next backup is tried at its time", "every", every) // make said why
			}
		}
	}
}
