package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

const auditHelp = `
Reads the data folder, with or without a server on it, and walks the chain of
records: each names the hash of the one before. Removing the newest records
cannot be seen from inside; compare the last hash with one noted elsewhere.
Exit 0 when the chain holds, 1 when it is broken.`

func runAuditVerify(ctx context.Context, e env, c *command, args []string) error {
	cfg, err := loadConfig(e, c, args, nil)
	if err != nil {
		return err
	}
	file := filepath.Join(cfg.Data, "control.db")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.KindNotFound, "cli.no_data", "there is no control database in %s", cfg.Data).WithHint("name the data folder with --data")
	}
	db, err := control.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	report, err := audit.Verify(ctx, db)
	if err != nil {
		return err
	}
	if report.Break != nil {
		return fault.New(fault.KindInternal, "cli.audit_broken", "the chain breaks at record %d: %s", report.Break.Seq, report.Break.Reason).
			WithHint("%d records before it hold", report.Records)
	}
	fmt.Fprintf(e.stdout, "%d records hold", report.Records)
	if report.Records > 0 {
		fmt.Fprintf(e.stdout, "; the last is %d with hash %s", report.LastSeq, report.LastLeaf)
	}
	if report.Erased > 0 {
		fmt.Fprintf(e.stdout, "; the content of %d was erased", report.Erased)
	}
	fmt.Fprintln(e.stdout, "\ncomplete up to the last hash that was noted elsewhere")
	return nil
}
