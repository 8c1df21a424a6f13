package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"reeve/client"
	"reeve/internal/app"
	"reeve/internal/backup"
)

func backupCommands() []command {
	return []command{
		{name: "backup", args: "[flags] [FILE]", short: "make a backup of everything, in the server's folder or as one file here", long: backupHelp, run: runBackup},
		{name: "backup list", args: "[flags]", short: "list backups, and when a restore was last tried", run: runBackupList},
		{name: "backup try", args: "[flags] BACKUP", short: "have a backup restored on trial and its records checked", run: runBackupTry},
		{name: "backup verify", args: "[flags] FILE|DIR", short: "check a backup here, without a server", long: backupHelp, run: runBackupVerify},
		{name: "restore", args: "[flags] --data DIR FILE|DIR", short: "restore a backup into an empty folder", long: backupHelp, run: runRestore},
	}
}

const backupHelp = `
A backup is all that an installation is, taken while it works: people, policies
and their records, keys, decisions, telemetry, and what is in the log and not yet
stored. docs/backup.md says what to do with it.

  reeve backup                        into the server's folder of backups
  reeve backup reeve.tar              made by the server, written here as one file
  reeve backup list
  reeve backup try bak_...            restored on trial by the server, and checked
  reeve backup verify reeve.tar       checked here, without any server
  reeve restore reeve.tar --data DIR  into an empty folder; then: reeve serve --data DIR

With a passphrase (backup.passphrase_file, or REEVE_BACKUP_PASSPHRASE where the
server runs) the keys in it are sealed; restoring then needs it again.`

func runBackup(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	switch len(list) {
	case 0:
		b, err := r.client().MakeBackup(ctx)
		if err != nil {
			return err
		}
		return r.print(e.stdout, b, func(w io.Writer) {
			if b.State == "making" {
				fmt.Fprintln(w, "it is being made: `reeve backup list` shows when it is whole")
				return
			}
			fmt.Fprintf(w, "%s\t%d files, %s in %s%s\n", b.ID, b.Files, size(b.Bytes), time.Duration(b.TookMS)*time.Millisecond, sealedWord(b.Sealed))
		})
	case 1:
		return r.download(ctx, e, list[0])
	}
	return fmt.Errorf("%w: name one file, or none", errUsage)
}

func sealedWord(sealed bool) string {
	if sealed {
		return ", its keys sealed"
	}
	return ", its keys as they are: whoever has it is this installation"
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d kB", (n+1023)/1024)
}

// download writes a backup to a file of its owner alone, under another name
// until it is whole.
func (r *remote) download(ctx context.Context, e env, file string) (err error) {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s exists already", file)
	}
	tmp := file + ".part"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp)
		}
	}()
	if err := r.client().DownloadBackup(ctx, f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	m, err := unpacked(ctx, tmp, func(dir string) (*backup.Manifest, error) { return backup.Check(ctx, dir) })
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	return r.print(e.stdout, m, func(w io.Writer) { printManifest(w, file, m) })
}

func printManifest(w io.Writer, at string, m *backup.Manifest) {
	fmt.Fprintf(w, "%s\tis whole: %d files, %s%s\n", at, len(m.Files), size(m.Bytes()), sealedWord(m.Salt != ""))
	fmt.Fprintf(w, "id\t%s\nmade\t%s, in %s\nof\t%s\nby\t%s\n", word(m.ID), m.At.Format(time.RFC3339), m.Took.Round(time.Millisecond), word(m.Install), word(m.Program))
	for _, k := range []string{"decision_records", "telemetry_steps", "telemetry_segments"} {
		fmt.Fprintf(w, "%s\t%d\n", k, m.Counts[k])
	}
}

// unpacked gives a backup as a folder: itself, or what a file of one holds, for
// as long as use runs.
func unpacked(ctx context.Context, at string, use func(dir string) (*backup.Manifest, error)) (*backup.Manifest, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return use(at)
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	dir := filepath.Clean(at) + ".unpacked"
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if _, err := backup.ReadTar(ctx, f, dir); err != nil {
		return nil, err
	}
	return use(dir)
}

func runBackupList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	l, err := r.client().ListBackups(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tMADE\tSTATE\tFILES\tSIZE\tKEYS\tBY\tTRIED\tWHY NOT")
		for _, b := range l.Items {
			tried := "never"
			if b.TriedAt != nil {
				tried = when(b.TriedAt)
			}
			keys := "as they are"
			if b.Sealed {
				keys = "sealed"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", b.ID, when(&b.At), b.State, b.Files, size(b.Bytes), keys, word(b.By), tried, word(b.Error+b.TriedError))
		}
		fmt.Fprintf(w, "\n%s They are kept in %s.\n", word(l.Text), word(l.Dir))
	})
}

func runBackupTry(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "backup")
	if err != nil {
		return err
	}
	t, err := r.client().TryBackup(ctx, client.BackupRequest{ID: id})
	if err != nil {
		return err
	}
	err = r.print(e.stdout, t, func(w io.Writer) {
		if t.Pending {
			fmt.Fprintln(w, "it is being tried: `reeve backup list` shows what came of it")
			return
		}
		if !t.OK {
			fmt.Fprintf(w, "%s\tdoes not restore: %s\n", t.ID, word(t.Error))
			return
		}
		fmt.Fprintf(w, "%s\trestores, in %s\n", t.ID, time.Duration(t.TookMS)*time.Millisecond)
		for _, l := range t.Logs {
			fmt.Fprintf(w, "log of %s\t%d records, whole\n", l.What, l.Records)
		}
	})
	if err == nil && !t.OK && !t.Pending {
		return exitCode(1)
	}
	return err
}

func runBackupVerify(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	fs.StringVar(&r.output, "o", "text", "text or json")
	at, err := oneWord(fs, args, "backup")
	if err != nil {
		return err
	}
	m, err := unpacked(ctx, at, func(dir string) (*backup.Manifest, error) {
		m, err := backup.Check(ctx, dir)
		if err != nil || m.Salt != "" && os.Getenv("REEVE_BACKUP_PASSPHRASE") == "" {
			return m, err // the bytes hold; what is in them needs the passphrase
		}
		to := filepath.Clean(at) + ".trial"
		defer func() { _ = os.RemoveAll(to) }()
		if _, err := backup.Restore(ctx, dir, to, os.Getenv("REEVE_BACKUP_PASSPHRASE")); err != nil {
			return m, err
		}
		_, err = app.CheckRestored(ctx, to, m)
		return m, err
	})
	if err != nil {
		return err
	}
	return r.print(e.stdout, m, func(w io.Writer) { printManifest(w, at, m) })
}

func runRestore(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var data string
	fs := c.flags(e)
	fs.StringVar(&r.output, "o", "text", "text or json")
	fs.StringVar(&data, "data", "", "the folder to restore into; it must be empty, or not be there")
	alive := fs.Bool("keep-credentials", false, "let keys, tokens and sign-ins of the backup live, those too that were revoked since")
	at, err := oneWord(fs, args, "backup")
	if err != nil {
		return err
	}
	if data == "" {
		return fmt.Errorf("%w: say where to with --data", errUsage)
	}
	var got app.Restored
	m, err := unpacked(ctx, at, func(dir string) (*backup.Manifest, error) {
		var err error
		got, err = app.Restore(ctx, dir, data, os.Getenv("REEVE_BACKUP_PASSPHRASE"), *alive)
		return got.Manifest, err
	})
	if err != nil {
		return err
	}
	return r.print(e.stdout, m, func(w io.Writer) {
		printManifest(w, data, m)
		fmt.Fprintf(w, "records\t%d of changes and decisions, whole\nnext\treeve serve --data %s; end the old one first: two of one name are one too many\n", got.Records, data)
		if *alive {
			fmt.Fprintf(w, "mind\tkeys, tokens and sign-ins that were revoked since %s are alive again\n", m.At.Format(time.RFC3339))
		} else {
			fmt.Fprintf(w, "ended\t%d keys of %d agents with all their certificates and tokens, %d API tokens, %d intake keys, %d secrets of senders, %d sign-ins, %d recovery codes, %d approvals, %d proposals: what was revoked or used since is not known; give new ones\n",
				got.Ended.AgentKeys, got.Ended.Agents, got.Ended.Tokens, got.Ended.IntakeKeys, got.Ended.Senders, got.Ended.SignIns, got.Ended.RecoveryCodes, got.Ended.Approvals, got.Ended.Proposals)
		}
		fmt.Fprintf(w, "mind\tpeople, roles, policies, stops and containments are those of %s: go through what the audit log kept elsewhere says since\n", m.At.Format(time.RFC3339))
	})
}
