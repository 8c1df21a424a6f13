package dataset

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Formats of an export, each JSONL in the form of OpenAI's chat.
const (
	Evaluation  = "evaluation"  // messages, and what is expected
	SFT         = "sft"         // messages that end with the answer as it should be
	Preferences = "preferences" // an answer that is preferred to another
)

// Formats lists them.
var Formats = []string{Evaluation, Preferences, SFT}

// Export is what was given out of a data set.
type Export struct {
	ID, Dataset, Format string
	Version             int64
	Items               int64
	SHA256              string // of its content
	Person, Reason      string
	At                  time.Time
	Left                map[string]int64 // items that are not in it, by why; of a new one alone
	Content             []byte           // of a new one alone
	Withdrawn           int64            // items of it that were withdrawn since
}

// line is one item in a format; why says why it is not in it.
func line(format string, s *Set, i *Item) (v any, why string) {
	switch {
	case i.Withdrawn:
		return nil, "withdrawn"
	case i.Consent == ConsentUnknown || i.Consent == ConsentRefused:
		return nil, "no_consent"
	case i.Consent == ConsentBasis && s.Basis == "": // it was taken away since
		return nil, "no_basis"
	}
	meta := map[string]any{
		"item": i.ID, "case": i.Case, "dataset": i.Dataset, "run": i.Run, "agent": i.Agent, "agent_version": i.Version, "consent": i.Consent,
		"redacted": append([]string{}, i.Redacted...), "labels": append([]string{}, i.Labels...), "revision": i.Revision,
	}
	wanted := i.Expected
	if wanted == "" && i.Verdict == Good {
		wanted = i.Answer
	}
	say := func(text string) Message { return Message{"assistant", text} }
	switch format {
	case Evaluation:
		out := map[string]any{"messages": i.Input, "metadata": meta}
		if wanted != "" {
			out["expected"] = wanted
		}
		if len(i.Contains) > 0 {
			out["contains"] = i.Contains
		}
		if len(i.Absent) > 0 {
			out["absent"] = i.Absent
		}
		return out, ""
	case SFT:
		if wanted == "" {
			return nil, "no_right_answer"
		}
		return map[string]any{"messages": append(slices.Clone(i.Input), say(wanted)), "metadata": meta}, ""
	}
	if i.Expected == "" || i.Answer == "" || i.Expected == i.Answer || i.Verdict == Good {
		return nil, "no_pair"
	}
	return map[string]any{
		"input": map[string]any{"messages": i.Input}, "preferred_output": []Message{say(i.Expected)}, "non_preferred_output": []Message{say(i.Answer)}, "metadata": meta,
	}, ""
}

// Export gives a version out in a format: what has consent and was not withdrawn.
// Its record, with each item, is kept before.
func (b *Book) Export(ctx context.Context, who Actor, name string, version int64, format, reason string) (Export, error) {
	x := Export{ID: "exp_" + strings.ToLower(rand.Text()[:24]), Format: format, Person: who.Person, Reason: reason, At: b.o.Now().UTC().Truncate(time.Microsecond), Left: map[string]int64{}}
	switch {
	case !slices.Contains(Formats, format):
		return x, invalid("a format is one of %s", strings.Join(Formats, ", "))
	case strings.TrimSpace(reason) == "" || len(reason) > maxText:
		return x, invalid("an export needs a reason").WithHint("it is kept with it: who asks later where the data went is told")
	}
	s, err := b.Get(ctx, who, name)
	if err != nil {
		return x, err
	}
	for _, role := range []string{"reader", "developer"} {
		if err := who.need(&s, role); err != nil {
			return x, err
		}
	}
	var out bytes.Buffer
	var in []string
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = b.each(ctx, &s, version, func(i *Item) error {
		v, why := line(format, &s, i)
		if why != "" {
			x.Left[why]++
			return nil
		}
		if err := enc.Encode(v); err != nil {
			return err
		}
		if out.Len() > maxExport {
			return fault.New(fault.KindExhausted, "dataset.export_large", "the export has more than %d MiB", maxExport>>20).WithHint("split the data set")
		}
		in = append(in, i.ID)
		return nil
	})
	if err != nil {
		return x, err
	}
	x.Dataset, x.Version = name, s.Version
	sum := sha256.Sum256(out.Bytes())
	x.Items, x.SHA256, x.Content = int64(len(in)), hex.EncodeToString(sum[:]), out.Bytes()
	return x, b.record(ctx, who, &x, in)
}

func (b *Book) record(ctx context.Context, who Actor, x *Export, items []string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// Whoever was erased since the items were read may not go out: the version of
		// a data set does not move with it, the content does.
		for _, item := range items {
			gone, _, err := control.One(ctx, tx, func(r control.Row) (w bool, err error) { return w, r.Scan(&w) }, `SELECT withdrawn FROM dataset_items WHERE id = ?`, item)
			if err != nil {
				return err
			}
			if gone {
				return fault.New(fault.KindConflict, "dataset.conflict", "an item was withdrawn meanwhile").WithHint("export again")
			}
			if _, err := tx.Exec(ctx, `INSERT INTO dataset_exported (export, item) VALUES (?, ?)`, x.ID, item); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO dataset_exports (`+exportColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			x.ID, x.Dataset, x.Version, x.Format, x.Items, x.SHA256, x.Person, x.Reason, control.Micros(x.At)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.dataset_exported", Person: who.Person, Via: who.Via, Action: "export", Object: x.Dataset, Reason: x.Reason, After: map[string]any{"export": x.ID, "version": x.Version, "format": x.Format, "items": x.Items, "sha256": x.SHA256}})
	})
}

const exportColumns = `id, dataset, version, format, items, sha256, person, reason, at`

func scanExport(r control.Row) (x Export, err error) {
	var at int64
	err = r.Scan(&x.ID, &x.Dataset, &x.Version, &x.Format, &x.Items, &x.SHA256, &x.Person, &x.Reason, &at, &x.Withdrawn)
	x.At = control.Time(at)
	return x, err
}

const exportQuery = `SELECT ` + exportColumns + `, (SELECT COUNT(*) FROM dataset_exported e JOIN dataset_items i ON i.id = e.item WHERE e.export = x.id AND i.withdrawn = 1) FROM dataset_exports x`

// Exports lists what was given out of a data set, the newest first.
func (b *Book) Exports(ctx context.Context, who Actor, name string) ([]Export, error) {
	if _, err := b.Get(ctx, who, name); err != nil {
		return nil, err
	}
	return control.All(ctx, b.o.DB, scanExport, exportQuery+` WHERE dataset = ? ORDER BY at DESC LIMIT 500`, name)
}

// Withdrawal is what an erasure took out of data sets.
type Withdrawal struct {
	Items   int64
	Exports []Export // that had any of them: whoever has those has to be told
	IDs     []string // of all their items, of former withdrawals too: what others keep of them goes as well
}

// Withdraw takes the content of a user's cases out of all versions of data sets, of
// one team's or of all ("" for all), keeps theirs out from now on, and tells in which
// exports they were. Whether the asker may erase is the caller's to decide.
func (b *Book) Withdraw(ctx context.Context, who Actor, team, user, reason string) (w Withdrawal, err error) {
	if user == "" {
		return w, nil
	}
	ref := refOf(b.key, user)
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO dataset_withdrawn (user_ref, team, at) VALUES (?, ?, ?) ON CONFLICT (user_ref, team) DO NOTHING`, ref, team, control.Micros(b.o.Now())); err != nil {
			return err
		}
		return w.take(ctx, tx, who, "user "+ref, reason, `user_ref = ? AND (? = '' OR dataset IN (SELECT name FROM datasets WHERE team = ?))`, ref, team, team)
	})
	return w, err
}

// WithdrawRuns is Withdraw for cases that were made of runs, whoever's they are.
func (b *Book) WithdrawRuns(ctx context.Context, who Actor, runs []string, reason string) (w Withdrawal, err error) {
	for some := range slices.Chunk(runs, 500) {
		args := make([]any, len(some))
		for i, r := range some {
			args[i] = r
		}
		where := `run IN (?` + strings.Repeat(", ?", len(some)-1) + `)`
		n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM dataset_items WHERE `+where, args...)
		if err != nil || n == 0 {
			if err != nil {
				return w, err
			}
			continue
		}
		if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			return w.take(ctx, tx, who, "runs", reason, where, args...)
		}); err != nil {
			return w, err
		}
	}
	return w, nil
}

// HeldOf counts the cases with content that were made of runs.
func (b *Book) HeldOf(ctx context.Context, runs map[string]bool) (n int64, err error) {
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (run string, err error) { return run, r.Scan(&run) }, `SELECT run FROM dataset_items WHERE withdrawn = 0 AND run <> ''`)
	for _, run := range list {
		if runs[run] {
			n++
		}
	}
	return n, err
}

// take empties the items that where finds.
func (w *Withdrawal) take(ctx context.Context, tx *control.Tx, who Actor, whose, reason, where string, args ...any) error {
	items, err := control.All(ctx, tx, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE withdrawn = 0 AND `+where, args...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, x := range w.Exports {
		seen[x.ID] = true
	}
	for i := range items {
		it := &items[i]
		kept := Item{Version: it.Version, Task: it.Task, By: it.By} // nothing of what was said
		text, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE dataset_items SET withdrawn = 1, body = ? WHERE id = ?`, string(text), it.ID); err != nil {
			return err
		}
		in, err := control.All(ctx, tx, scanExport, exportQuery+` WHERE x.id IN (SELECT export FROM dataset_exported WHERE item = ?)`, it.ID)
		if err != nil {
			return err
		}
		for _, x := range in {
			if !seen[x.ID] {
				seen[x.ID] = true
				w.Exports = append(w.Exports, x)
			}
		}
	}
	w.Items += int64(len(items))
	ids, err := control.All(ctx, tx, func(r control.Row) (id string, err error) {
		err = r.Scan(&id)
		id, _, _ = strings.Cut(id, "~") // of a set that was deleted, or a former revision
		return id, err
	}, `SELECT id FROM dataset_items WHERE `+where, args...)
	if err != nil {
		return err
	}
	w.IDs = append(w.IDs, ids...)
	return audit.Append(ctx, tx, audit.Record{Kind: "content.erased", Person: who.Person, Via: who.Via, Action: "withdraw", Object: "datasets " + whose, Reason: reason, After: map[string]any{"items": len(items), "exports": len(w.Exports)}})
}
