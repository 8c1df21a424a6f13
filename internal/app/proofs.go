package app

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/audit/tree"
	"reeve/internal/control"
	"reeve/internal/decision"
	"reeve/internal/fault"
)

// proofs is what proves that the two chained logs were not changed.
type proofs struct {
	app       *App
	keys      *tree.Keys
	decisions *tree.Tree
	changes   *tree.Tree
	witness   *tree.Witness
	verifying sync.Mutex
}

// AuditKeysFile is where the keys of checkpoints are, below the data folder.
func auditKeysFile(data string) string { return filepath.Join(data, "audit", "keys.json") }

// openAudit opens keys and trees before anything is recorded.
func (a *App) openAudit(context.Context) (err error) {
	p := &a.proofs
	p.app = a
	install := a.control.Install()
	var fresh bool
	p.keys, fresh, err = tree.OpenKeys(auditKeysFile(a.o.Config.Data), install+"/audit", a.authority.ca, time.Now())
	if err != nil {
		return err
	}
	if fresh {
		a.log.Info("the audit log is signed with a new key: note it elsewhere", "key", p.keys.Public()[0])
	}
	p.witness = tree.NewWitness(tree.WitnessOptions{
		File: a.o.Config.Audit.WitnessFile, URL: a.o.Config.Audit.WitnessURL, Logger: a.log.With("part", "witness"),
	})
	if p.decisions, err = a.openTree(filepath.Join("decisions", "tree"), decision.LogName(install, a.stops.Node())); err != nil {
		return err
	}
	p.changes, err = a.openTree(filepath.Join("audit", "tree"), audit.LogName(install))
	return err
}

// openTree opens a tree; tiles that a power cut took are made again from the
// records.
func (a *App) openTree(dir, origin string) (*tree.Tree, error) {
	o := tree.Options{Dir: filepath.Join(a.o.Config.Data, dir), Origin: origin, Keys: a.proofs.keys, Witness: a.proofs.witness.Offer}
	t, err := tree.Open(o)
	if fault.From(err) == nil || fault.From(err).Code != "tree.lost" {
		return t, err
	}
	a.log.Warn("tiles of the audit log are gone: they are made again", "log", origin, "err", err)
	if err := tree.Reset(o.Dir); err != nil {
		return nil, err
	}
	return tree.Open(o)
}

// keepAudit grows the tree of administrative changes, signs it, retires keys and
// applies the retention of decisions.
func (a *App) keepAudit(ctx context.Context) error {
	grow, hour := time.NewTicker(time.Second), time.NewTicker(time.Hour)
	defer grow.Stop()
	defer hour.Stop()
	failing, noted := false, false
	for {
		err := a.proofs.grow(ctx)
		if err == nil && !noted {
			if err = a.proofs.noteKeys(ctx); err == nil {
				noted = true
			}
		}
		if ctx.Err() == nil && (err != nil) != failing {
			failing = err != nil
			if failing {
				a.log.Error("checkpoints of the audit log are not signed", "err", err)
			} else {
				a.log.Info("checkpoints of the audit log are signed again")
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-grow.C:
		case <-hour.C:
			if _, err := a.proofs.keys.Retire(time.Now()); err != nil {
				a.log.Error("audit keys were not retired", "err", err)
			}
			noted = false
			c := a.o.Config.Audit
			if err := a.decisions.Retain(ctx, decision.Retention{Records: c.DecisionsAge, Content: c.DecisionsBody}); err != nil {
				a.log.Error("retention of decisions did not finish", "err", err) // they stay an hour longer
			}
		}
	}
}

// grow adds the changes that were recorded since, and signs.
func (p *proofs) grow(ctx context.Context) error {
	const some = 2000
	for {
		from := p.changes.Size()
		leaves, err := audit.Leaves(ctx, p.app.control, from, some)
		if err != nil {
			return err
		}
		if len(leaves) > 0 {
			if err := p.changes.Append(from, leaves); err != nil {
				return err
			}
		}
		if len(leaves) < some {
			return p.changes.Sign()
		}
	}
}

// noteKeys records in both logs the keys that came and went since. It may run
// again after a crash: what is recorded is not recorded twice.
func (p *proofs) noteKeys(ctx context.Context) error {
	for _, kind := range []string{decision.KindKeyAdded, decision.KindRetired} {
		known, err := audit.List(ctx, p.app.control, audit.Filter{Kind: kind, Limit: 1000})
		if err != nil {
			return err
		}
		for _, k := range p.keys.All() {
			if kind == decision.KindRetired && k.Retired.IsZero() || slices.ContainsFunc(known, func(e audit.Entry) bool { return strings.Contains(string(e.Raw), k.Public) }) {
				continue
			}
			body := map[string]any{"key": k.Public}
			if kind == decision.KindKeyAdded && k.Vouch != nil {
				body["note"] = string(k.Vouch)
			}
			if err := p.app.decisions.Note(ctx, kind, body); err != nil {
				return err
			}
			err := p.app.control.Write(ctx, func(tx *control.Tx) error {
				return audit.Append(ctx, tx, audit.Record{Kind: kind, Person: "reeve", Action: "sign", Object: k.Public, Reason: string(k.Vouch)})
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Keys lists the public keys of checkpoints.
func (p *proofs) Keys() []client.AuditKey {
	var out []client.AuditKey
	for _, k := range p.keys.All() {
		e := client.AuditKey{Key: k.Public, AddedAt: k.Added, Vouched: string(k.Vouch)}
		if !k.Retires.IsZero() {
			e.RetiresAt = &k.Retires
		}
		if !k.Retired.IsZero() {
			e.RetiredAt = &k.Retired
		}
		out = append(out, e)
	}
	return out
}

// Rotate makes a new key; the old ones sign beside it for the configured time.
func (p *proofs) Rotate(ctx context.Context, by, reason string) ([]client.AuditKey, error) {
	before := p.keys.Public()
	v, err := p.keys.Rotate(time.Now(), p.app.o.Config.Audit.KeyOverlap)
	if err != nil {
		return nil, err
	}
	err = p.app.control.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.audit_key_rotated", Person: by, Action: "rotate", Object: v.Public, Before: before[len(before)-1], After: v.Public, Reason: reason,
		})
	})
	if err != nil {
		return nil, err
	}
	return p.Keys(), p.noteKeys(ctx)
}

// Checkpoints are the newest of each log.
func (p *proofs) Checkpoints() []client.AuditCheckpoint {
	var out []client.AuditCheckpoint
	for _, t := range []*tree.Tree{p.decisions, p.changes} {
		text := t.Latest()
		c, err := tree.ParseCheckpoint(text)
		if err != nil {
			continue // none yet
		}
		out = append(out, client.AuditCheckpoint{Log: c.Origin, Size: c.Size, Checkpoint: string(text)})
	}
	return out
}

// Receipt proves a decision's records. content opens its commitments too.
func (p *proofs) Receipt(ctx context.Context, d *activity.Decision, content bool) (*client.DecisionReceipt, error) {
	r, err := p.app.decisions.Receipt(ctx, p.decisions, d, content)
	if err != nil {
		return nil, err
	}
	out := &client.DecisionReceipt{V: r.V, Checkpoint: r.Checkpoint}
	for _, x := range r.Records {
		out.Records = append(out.Records, client.ReceiptRecord{Seq: x.Seq, Record: x.Record, Proof: x.Proof})
	}
	for _, x := range r.Contents {
		out.Contents = append(out.Contents, client.ReceiptContent{Seq: x.Seq, Field: x.Field, Key: x.Key, Content: x.Content})
	}
	return out, nil
}

// ProveChange is the receipt of a record in the log of changes, as JSON. A record of
// a moment ago waits for its checkpoint.
func (p *proofs) ProveChange(ctx context.Context, kind, object string) ([]byte, error) {
	e, err := p.changeAbout(ctx, kind, object)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var r tree.Receipt
		err := r.Add(p.changes, e.Seq, e.Raw)
		if err == nil {
			return json.Marshal(r)
		}
		if f := fault.From(err); f == nil || f.Code != "tree.not_signed" {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// changesLooked bounds how many records of a kind are looked through.
const changesLooked = 50_000

func (p *proofs) changeAbout(ctx context.Context, kind, object string) (audit.Entry, error) {
	f := audit.Filter{Kind: kind, Limit: 1000}
	for range changesLooked / f.Limit {
		list, err := audit.List(ctx, p.app.control, f)
		if err != nil {
			return audit.Entry{}, err
		}
		for _, e := range list {
			var line struct {
				Body struct {
					Object string `json:"object"`
				} `json:"body"`
			}
			if err := json.Unmarshal(e.Raw, &line); err == nil && line.Body.Object == object {
				return e, nil
			}
		}
		if len(list) < f.Limit {
			break
		}
		f.Before = list[len(list)-1].Seq
	}
	return audit.Entry{}, fault.New(fault.KindNotFound, "audit.no_record", "the log of changes has no such record")
}

// Erase removes what the log of decisions knows of a user.
func (p *proofs) Erase(ctx context.Context, user, by, reason string) (*client.ErasedUser, error) {
	// The change is recorded without the name: that is what goes.
	e, err := p.app.decisions.Erase(ctx, user, by, reason)
	if err != nil {
		return nil, err
	}
	err = p.app.control.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.user_erased", Person: by, Action: "erase", Object: strings.Join(e.Pseudonyms, ","), After: map[string]any{"records": e.Records}, Reason: reason,
		})
	})
	return &client.ErasedUser{Pseudonyms: e.Pseudonyms, Records: e.Records}, err
}

// EraseRuns removes the content of what was decided in runs.
func (p *proofs) EraseRuns(ctx context.Context, runs []activity.RunID, by, reason string) (int, error) {
	n, err := p.app.decisions.EraseRuns(ctx, runs, by, reason)
	if err != nil || n == 0 {
		return n, err
	}
	return n, p.app.control.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.runs_erased", Person: by, Action: "erase", Object: fmt.Sprintf("%d runs", len(runs)), After: map[string]any{"records": n}, Reason: reason})
	})
}

// Verify walks both logs. One walk at a time.
func (p *proofs) Verify(ctx context.Context) ([]client.AuditReport, error) {
	if !p.verifying.TryLock() {
		return nil, fault.New(fault.KindExhausted, "audit.busy", "the logs are being verified already")
	}
	defer p.verifying.Unlock()
	list, err := VerifyLogs(ctx, p.app.o.Config.Data, p.app.control, nil, p.keys.Public())
	s := p.witness.State()
	for i := range list {
		list[i].WitnessFile, list[i].WitnessURL = p.app.o.Config.Audit.WitnessFile != "" && s.FileErr == "", p.app.o.Config.Audit.WitnessURL != "" && s.URLErr == ""
	}
	return list, err
}

// VerifyLogs checks the log of decisions and that of administrative changes in a
// data folder, with or without a process on it. checkpoints are what witnesses
// kept; keys are the public keys, none takes those of the folder.
func VerifyLogs(ctx context.Context, data string, db *control.DB, checkpoints, keys []string) ([]client.AuditReport, error) {
	if len(keys) == 0 {
		public, err := tree.PublicKeys(auditKeysFile(data))
		if err != nil {
			return nil, err
		}
		keys = public
	}
	d, err := decision.Verify(filepath.Join(data, "decisions"), checkpoints, keys)
	if err != nil {
		return nil, err
	}
	out := []client.AuditReport{reportOf(d)}
	if d.Log == "" {
		out = nil // no decision was ever made here
	}
	c, err := audit.VerifyTree(ctx, db, filepath.Join(data, "audit", "tree"), checkpoints, keys)
	if err != nil {
		return nil, err
	}
	changes := client.AuditReport{
		Log: audit.LogName(db.Install()), What: "changes", Records: c.Records, Last: c.LastSeq, LastLeaf: c.LastLeaf, Erased: c.Erased, Agreed: c.Agreed, Witnessed: seenBy(audit.LogName(db.Install()), checkpoints),
	}
	if c.Break != nil {
		changes.Break = &client.AuditBreak{Seq: c.Break.Seq, Reason: c.Break.Reason}
	}
	if len(out) > 0 {
		out[0].Witnessed = seenBy(d.Log, checkpoints)
	}
	return append(out, changes), nil
}

func reportOf(d decision.Report) client.AuditReport {
	r := client.AuditReport{
		Log: d.Log, What: "decisions", Records: d.Records, First: d.First, Last: d.Last, LastLeaf: d.LastLeaf, Erased: d.Erased, Open: d.Open, Agreed: d.Agreed,
	}
	if d.Break != nil {
		r.Break = &client.AuditBreak{Seq: d.Break.Seq, Reason: d.Break.Reason}
	}
	return r
}

// seenBy is the size of the largest checkpoint of a log that a witness kept.
func seenBy(log string, checkpoints []string) (size int64) {
	for _, text := range checkpoints {
		if c, err := tree.ParseCheckpoint([]byte(text)); err == nil && c.Origin == log {
			size = max(size, c.Size)
		}
	}
	return size
}
