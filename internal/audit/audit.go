// Package audit is the chained record of every decision and every
// administrative change.
//
// What for: to prove afterwards who did what, in which order, and that nothing
// between was taken out or changed.
//
// Who calls it: subject packages append inside the transaction of the change;
// api lists; the command line and the console verify.
//
// Promises: a record is one line of canonical JSON (RFC 8785; see package record)
// stored verbatim, its leaf is SHA-256(0x00 || record), and each record holds
// the leaf of the one before, so the records are ready to be the leaves of an
// RFC 6962 tree. Sequences start at 0 and have no gap. What changed is
// committed to with a keyed hash and kept apart, so it can be erased without
// breaking the chain. Safe for concurrent use.
//
// How it fails: Append returns the database's error, which undoes the change
// too: no change without its record. Verify says in its Report where the chain
// breaks; it cannot see the removal of the newest records.
//
// Start reading at Append and Verify.
package audit

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"reeve/internal/audit/record"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// node names the writer within the installation; there is one a node.
const node = "local"

// Record is what is to be recorded of one act. Before and After are what the
// object was and became, as values that encode to JSON (nil: did not exist);
// leave secrets out of them.
type Record struct {
	Kind   string // "admin.person_created"
	Person string // the id of who acted: a person, or "dev", "setup"
	Via    string // the token or sign-in used, by id
	Action string // "create"
	Object string // the id of what was acted on
	Before any
	After  any
	Reason string
}

// Entry is a record that is in the log. Before and After are empty once erased
// and where nothing was there.
type Entry struct {
	Seq    int64
	At     time.Time
	Kind   string
	Person string
	Raw    []byte // the canonical JSON, verbatim
	Leaf   string // base64url
	Before json.RawMessage
	After  json.RawMessage
}

// envelope reads back what Append wrote.
type envelope struct {
	V    int             `json:"v"`
	Log  string          `json:"log"`
	Seq  int64           `json:"seq"`
	At   int64           `json:"at"`
	Prev string          `json:"prev"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

type body struct {
	Person string      `json:"person"`
	Before *commitment `json:"before"`
	After  *commitment `json:"after"`
}

// commitment stands for content (record.Commit).
type commitment struct {
	C string `json:"c"`
	N int    `json:"n"`
}

func commit(key []byte, field string, content []byte) commitment {
	return commitment{C: record.Commit(key, field, content), N: len(content)}
}

func (c commitment) value() map[string]any {
	return map[string]any{"c": c.C, "n": int64(c.N)}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func leafOf(line []byte) string { return record.Leaf(line).String() }

func logName(install string) string { return LogName(install) }

// LogName is what the log of administrative changes is called in its records.
func LogName(install string) string { return install + "/audit/" + node }

// Leaves reads the leaf hashes of records from seq on, in order.
func Leaves(ctx context.Context, db *control.DB, seq int64, limit int) ([]record.Hash, error) {
	list, err := control.All(ctx, db, scanText, `SELECT leaf FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?`, seq, limit)
	if err != nil {
		return nil, err
	}
	out := make([]record.Hash, len(list))
	for i, text := range list {
		if out[i], err = record.ParseHash(text); err != nil {
			return nil, fmt.Errorf("reading record %d: %w", seq+int64(i), err)
		}
	}
	return out, nil
}

// Lines reads records verbatim from seq on, in order.
func Lines(ctx context.Context, db *control.DB, seq int64, limit int) ([][]byte, error) {
	list, err := control.All(ctx, db, scanText, `SELECT record FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?`, seq, limit)
	out := make([][]byte, len(list))
	for i, text := range list {
		out[i] = []byte(text)
	}
	return out, err
}

// Append records an act in tx; it becomes part of the log when tx commits.
func Append(ctx context.Context, tx *control.Tx, r Record) error {
	next, err := tx.Next(ctx, "audit")
	if err != nil {
		return err
	}
	seq := next - 1 // leaves of a tree count from 0
	var prev string
	if seq > 0 {
		p, ok, err := control.One(ctx, tx, scanText, `SELECT leaf FROM audit WHERE seq = ?`, seq-1)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.KindInternal, "audit.broken", "the audit log lacks its newest record").
				WithHint("run reeve audit verify")
		}
		prev = p
	}
	key := make([]byte, 32)
	rand.Read(key)
	content := map[string]any{}
	before, err := r.describe(content, key, "before", r.Before)
	if err != nil {
		return err
	}
	after, err := r.describe(content, key, "after", r.After)
	if err != nil {
		return err
	}
	for name, v := range map[string]string{"person": r.Person, "via": r.Via, "action": r.Action, "object": r.Object, "reason": r.Reason} {
		if v != "" {
			content[name] = v
		}
	}
	if second := secondOf(ctx); second != "" {
		content["second"] = second
	}
	now := time.Now().UnixMicro()
	line := map[string]any{"v": int64(1), "log": logName(tx.Install()), "seq": seq, "at": now, "kind": r.Kind, "body": content}
	if prev != "" {
		line["prev"] = prev
	}
	text, err := record.Canonical(line)
	if err != nil {
		return fmt.Errorf("recording %s: %w", r.Kind, err)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO audit (seq, at, kind, person, record, leaf) VALUES (?, ?, ?, ?, ?, ?)`,
		seq, now, r.Kind, r.Person, string(text), leafOf(text)); err != nil {
		return err
	}
	if before == nil && after == nil {
		return nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO audit_content (seq, key, before_state, after_state) VALUES (?, ?, ?, ?)`,
		seq, encode(key), before, after)
	return err
}

// describe commits to a state in content and returns its JSON for keeping; nil
// for no state.
func (r Record) describe(content map[string]any, key []byte, field string, state any) (*string, error) {
	if state == nil {
		return nil, nil
	}
	data, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("recording %s, state %s: %w", r.Kind, field, err)
	}
	content[field] = commit(key, field, data).value()
	text := string(data)
	return &text, nil
}

func scanText(r control.Row) (s string, err error) { return s, r.Scan(&s) }

// Filter narrows List; zero fields do not.
type Filter struct {
	Kind   string // or a prefix ending in a dot: "admin."
	Person string
	From   time.Time
	To     time.Time // not included
	Before int64     // records older than this sequence, to page; 0 is from the newest
	Limit  int       // at most 1000; 0 is 100
}

const entryColumns = `a.seq, a.at, a.kind, a.person, a.record, a.leaf, c.before_state, c.after_state
	FROM audit a LEFT JOIN audit_content c ON c.seq = a.seq`

func scanEntry(r control.Row) (e Entry, err error) {
	var at int64
	var before, after *string
	err = r.Scan(&e.Seq, &at, &e.Kind, &e.Person, &e.Raw, &e.Leaf, &before, &after)
	e.At = control.Time(at)
	if before != nil {
		e.Before = json.RawMessage(*before)
	}
	if after != nil {
		e.After = json.RawMessage(*after)
	}
	return e, err
}

// After gives records from a sequence on, oldest first, for who follows the log.
func After(ctx context.Context, r control.Reader, seq int64, limit int) ([]Entry, error) {
	return control.All(ctx, r, scanEntry, `SELECT `+entryColumns+` WHERE a.seq >= ? ORDER BY a.seq LIMIT ?`, seq, limit)
}

// List gives records, newest first.
func List(ctx context.Context, db *control.DB, f Filter) ([]Entry, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(clause string, values ...any) {
		where = append(where, clause)
		args = append(args, values...)
	}
	switch {
	case strings.HasSuffix(f.Kind, "."):
		add("a.kind >= ? AND a.kind < ?", f.Kind, f.Kind[:len(f.Kind)-1]+"/") // "/" follows "."
	case f.Kind != "":
		add("a.kind = ?", f.Kind)
	}
	if f.Person != "" {
		add("a.person = ?", f.Person)
	}
	if !f.From.IsZero() {
		add("a.at >= ?", control.Micros(f.From))
	}
	if !f.To.IsZero() {
		add("a.at < ?", control.Micros(f.To))
	}
	if f.Before > 0 {
		add("a.seq < ?", f.Before)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	args = append(args, min(limit, 1000))
	return control.All(ctx, db, scanEntry, `SELECT `+entryColumns+` WHERE `+strings.Join(where, " AND ")+` ORDER BY a.seq DESC LIMIT ?`, args...)
}

// Report is what Verify found. Whether records are missing after LastSeq only
// a witness outside this installation can say: compare LastLeaf with it.
type Report struct {
	Records  int64
	LastSeq  int64  // -1 for none
	LastLeaf string // base64url
	Erased   int64  // records whose content is gone
	Agreed   int64  // records under the largest checkpoint that agrees (VerifyTree)
	Break    *Break // the first one; nil when the chain holds
}

// Break is where the chain does not hold.
type Break struct {
	Seq    int64
	Reason string
}

const verifyPage = 500

// Verify walks the whole chain and stops at the first break.
func Verify(ctx context.Context, db *control.DB) (Report, error) {
	r := Report{LastSeq: -1}
	for {
		page, err := control.All(ctx, db, scanKeyed, `SELECT c.key, `+entryColumns+` WHERE a.seq > ? ORDER BY a.seq LIMIT ?`, r.LastSeq, verifyPage)
		if err != nil {
			return r, fmt.Errorf("verifying after record %d: %w", r.LastSeq, err)
		}
		for _, e := range page {
			if reason := r.check(e, db.Install()); reason != "" {
				r.Break = &Break{Seq: e.Seq, Reason: reason}
				return r, nil
			}
			r.Records++
			r.LastSeq, r.LastLeaf = e.Seq, e.Leaf
		}
		if len(page) < verifyPage {
			return r, nil
		}
	}
}

type keyedEntry struct {
	Entry
	key *string
}

func scanKeyed(r control.Row) (k keyedEntry, err error) {
	k.Entry, err = scanEntry(rowWith{r, &k.key})
	return k, err
}

// rowWith scans one more column before the others.
type rowWith struct {
	control.Row
	first any
}

func (r rowWith) Scan(dest ...any) error { return r.Row.Scan(append([]any{r.first}, dest...)...) }

// check gives the reason why e does not continue the chain, or "".
func (r *Report) check(e keyedEntry, install string) string {
	if e.Seq != r.LastSeq+1 {
		return fmt.Sprintf("record %d is missing", r.LastSeq+1)
	}
	if leafOf(e.Raw) != e.Leaf {
		return "the record was changed after it was written"
	}
	var env envelope
	if err := json.Unmarshal(e.Raw, &env); err != nil {
		return "the record is no JSON"
	}
	var b body
	if err := json.Unmarshal(env.Body, &b); err != nil {
		return "the record's body is no JSON object"
	}
	switch {
	case env.V != 1:
		return fmt.Sprintf("the record has version %d", env.V)
	case env.Log != logName(install):
		return "the record is of another log: " + env.Log
	case env.Seq != e.Seq:
		return fmt.Sprintf("the record says that it is number %d", env.Seq)
	case env.Prev != r.LastLeaf:
		return "the record does not follow the one before"
	case env.Kind != e.Kind, env.At != control.Micros(e.At), b.Person != e.Person:
		return "the row's columns differ from the record"
	}
	if b.Before == nil && b.After == nil {
		return ""
	}
	if e.key == nil {
		r.Erased++
		return ""
	}
	key, err := base64.RawURLEncoding.DecodeString(*e.key)
	if err != nil {
		return "the content's key cannot be read"
	}
	if !b.Before.holds(key, "before", e.Before) || !b.After.holds(key, "after", e.After) {
		return "the content was changed after it was written"
	}
	return ""
}

// holds reports whether content is what was committed to; a nil commitment is
// to nothing.
func (c *commitment) holds(key []byte, field string, content []byte) bool {
	if c == nil {
		return content == nil
	}
	return content != nil && *c == commit(key, field, content)
}
