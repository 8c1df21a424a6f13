package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/app"
	"reeve/internal/audit/tree"
	"reeve/internal/control"
	"reeve/internal/fault"
)

func auditCommands() []command {
	return []command{
		{name: "audit verify", args: "[--data DIR] [--witness FILE] | --server URL", short: "check that the records of decisions and changes are whole", long: auditHelp, run: runAuditVerify},
		{name: "audit list", args: "[flags]", short: "list administrative changes", run: runAuditList},
		{name: "audit keys", args: "", short: "list the public keys that sign checkpoints", run: runAuditKeys},
		{name: "audit rotate", args: "--reason WHY", short: "make a new key for checkpoints", run: runAuditRotate},
		{name: "audit receipt", args: "ID", short: "write the receipt of a decision", long: receiptHelp, run: runAuditReceipt},
		{name: "audit receipt verify", args: "FILE --key PUBLIC", short: "check a receipt without a server", long: receiptHelp, run: runReceiptVerify},
	}
}

const auditHelp = `
Reads the data folder, with or without a server on it, and walks both chained
logs: decisions and administrative changes. Each record names the hash of the
one before; signed checkpoints cover them all. A changed, missing, reordered or
inserted record is found, and content that is gone without a record that says
it was erased.

Who can write the folder can also remove the newest records together with
their checkpoints. Only a checkpoint kept elsewhere shows that: give it with
--witness (the file of audit.witness_file, or one signed note).
Exit 0 when the logs hold, 1 when one does not.

With --server a running Reeve walks its own logs and is taken at its word
(auditors): witnesses and keys are for the folder.

  reeve audit verify --data /var/lib/reeve --witness /mnt/witness/checkpoints
  reeve audit verify --key "$(cat reeve-audit.pub)"
  reeve audit verify --server http://127.0.0.1:7300`

func runAuditVerify(ctx context.Context, e env, c *command, args []string) error {
	var witnesses, keys texts
	var r remote
	cfg, err := loadConfig(e, c, args, func(fs *flag.FlagSet) {
		fs.Var(&witnesses, "witness", "file of checkpoints that was kept elsewhere; may stand more than once")
		fs.Var(&keys, "key", "public key of checkpoints; none takes those in the data folder")
		fs.StringVar(&r.server, "server", "", "`address` of a server that verifies its own logs, instead of the data folder")
		fs.StringVar(&r.token, "token", os.Getenv("REEVE_TOKEN"), "`rvt_` token for --server; none is needed in dev mode (REEVE_TOKEN)")
		fs.StringVar(&r.output, "o", "text", "text or json")
	})
	if err != nil {
		return err
	}
	if r.server != "" {
		if len(witnesses)+len(keys) > 0 {
			return fmt.Errorf("%w: --witness and --key go with the data folder, not with --server", errUsage)
		}
		got, err := r.client().VerifyAudit(ctx)
		if err != nil {
			return err
		}
		return printVerified(e, r, got.Items, false)
	}
	file := filepath.Join(cfg.Data, "control.db")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.KindNotFound, "cli.no_data", "there is no control database in %s", cfg.Data).WithHint("name the data folder with --data")
	}
	var checkpoints []string
	for _, name := range witnesses {
		list, err := readWitness(name)
		if err != nil {
			return err
		}
		checkpoints = append(checkpoints, list...)
	}
	db, err := control.Open(ctx, file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	list, err := app.VerifyLogs(ctx, cfg.Data, db, checkpoints, keys)
	if err != nil {
		return err
	}
	return printVerified(e, r, list, len(witnesses) > 0)
}

// printVerified prints what was found, and is an error when a log does not hold.
func printVerified(e env, r remote, list []client.AuditReport, witness bool) error {
	if err := r.print(e.stdout, client.AuditVerification{OK: broken(list) == nil, Items: list}, func(w io.Writer) {
		for i := range list {
			printReport(w, &list[i], witness)
		}
	}); err != nil {
		return err
	}
	if b := broken(list); b != nil {
		return fault.New(fault.KindInternal, "cli.audit_broken", "the log of %s breaks at record %d: %s", b.What, b.Break.Seq, b.Break.Reason).
			WithHint("%d records before it hold", b.Records)
	}
	return nil
}

func broken(list []client.AuditReport) *client.AuditReport {
	for i := range list {
		if list[i].Break != nil {
			return &list[i]
		}
	}
	return nil
}

func readWitness(name string) ([]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "cli.witness", "the witness file cannot be read").WithCause(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	list, err := tree.ReadWitnessed(f)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "cli.witness", "%s has something that is no checkpoint", name).WithCause(err)
	}
	return list, nil
}

func printReport(w io.Writer, r *client.AuditReport, witness bool) {
	if r.Break != nil {
		fmt.Fprintf(w, "%s\tBROKEN at record %d: %s\n", r.What, r.Break.Seq, r.Break.Reason)
		return
	}
	fmt.Fprintf(w, "%s\t%d records hold", r.What, r.Records)
	if r.Records > 0 {
		fmt.Fprintf(w, "; the last is %d with hash %s", r.Last, r.LastLeaf)
	}
	if r.First > 0 {
		fmt.Fprintf(w, "; retention dropped those before %d, their hashes hold", r.First)
	}
	if r.Erased > 0 {
		fmt.Fprintf(w, "; the content of %d was erased", r.Erased)
	}
	if r.Open > 0 {
		fmt.Fprintf(w, "; %d decisions are not completed", r.Open)
	}
	if witness && r.Witnessed > 0 {
		fmt.Fprintf(w, "\n\tcomplete up to record %d, the last that the witness saw\n", r.Witnessed-1)
		return
	}
	fmt.Fprintln(w, "\n\tcomplete up to the last witness: none was given, so newer records could be missing (--witness FILE)")
}

func runAuditList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListAuditRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Kind, "kind", "", "only this kind; admin. is all that begin so")
	fs.StringVar(&req.Who, "who", "", "only acts of this person")
	fs.StringVar(&req.From, "from", "", "since: a time, or -24h")
	fs.StringVar(&req.To, "to", "", "until")
	fs.IntVar(&req.Limit, "limit", 50, "how many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListAudit(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "SEQ\tAT\tKIND\tWHO\tLEAF")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", x.Seq, when(&x.At), word(x.Kind), word(x.Who), x.Leaf)
		}
	})
}

func runAuditKeys(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListAuditKeys(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) { printKeys(w, list.Items) })
}

func printKeys(w io.Writer, keys []client.AuditKey) {
	fmt.Fprintln(w, "KEY\tSINCE\tUNTIL")
	for _, k := range keys {
		until := k.RetiresAt
		if k.RetiredAt != nil {
			until = k.RetiredAt
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Key, when(&k.AddedAt), when(until))
	}
}

func runAuditRotate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RotateAuditKeyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if req.Reason == "" {
		return fmt.Errorf("%w: say why with --reason", errUsage)
	}
	list, err := r.client().RotateAuditKey(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) { printKeys(w, list.Items) })
}

const receiptHelp = `
Writes the receipt of a decision as JSON: its records verbatim, the proof that
they are in the log, and a signed checkpoint. Who has the public key (reeve
audit keys) checks it with reeve audit receipt verify, without a server.

  reeve audit receipt dec_33nww51panwdx3bagbd3cc9kf0 > receipt.json
  reeve audit receipt verify receipt.json --key "$(cat reeve-audit.pub)"`

func runAuditReceipt(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "decision")
	if err != nil {
		return err
	}
	got, err := r.client().DecisionReceipt(ctx, client.IDRequest{ID: id})
	if err != nil {
		return err
	}
	r.output = "json" // a receipt has no other form
	return r.print(e.stdout, got, nil)
}

func runReceiptVerify(_ context.Context, e env, c *command, args []string) error {
	var keys texts
	var output string
	fs := c.flags(e)
	fs.Var(&keys, "key", "public key that must have signed; may stand more than once (needed)")
	fs.StringVar(&output, "o", "text", "text or json")
	name, err := oneWord(fs, args, "file")
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("%w: name the public key with --key", errUsage)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fault.New(fault.KindInvalid, "cli.receipt", "%s cannot be read", name).WithCause(err)
	}
	receipt, err := tree.ReadReceipt(text)
	if err != nil {
		return fault.New(fault.KindInvalid, "cli.receipt", "%s is no receipt", name).WithCause(err)
	}
	checkpoint, records, err := receipt.Verify(keys...)
	if err != nil {
		return fault.New(fault.KindDenied, "cli.receipt_false", "the receipt does not hold: %s", strings.TrimPrefix(err.Error(), tree.ErrCheckpoint.Error()+": ")).WithCause(err)
	}
	type line struct {
		Seq  int64     `json:"seq"`
		At   time.Time `json:"at"`
		Kind string    `json:"kind"`
		Body string    `json:"body"`
	}
	out := struct {
		Log     string `json:"log"`
		Size    int64  `json:"size"`
		Records []line `json:"records"`
	}{Log: checkpoint.Origin, Size: checkpoint.Size}
	for _, rec := range records {
		out.Records = append(out.Records, line{rec.Seq, time.UnixMicro(rec.At).UTC(), rec.Kind, string(rec.Body)})
	}
	r := remote{output: output}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintf(w, "the receipt holds: %d records of %s, which had %d\n", len(out.Records), out.Log, out.Size)
		for _, x := range out.Records {
			fmt.Fprintf(w, "%d\t%s\t%s\n\t%s\n", x.Seq, x.At.Format(time.RFC3339Nano), word(x.Kind), x.Body)
		}
	})
}
