package pin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// kept is an entry as the database has it, beside its definition.
type kept struct {
	Upstream   string    `json:"upstream"`
	Tool       string    `json:"tool"`
	Hash       string    `json:"accepted,omitempty"`
	Listed     string    `json:"listed"`
	Effect     string    `json:"effect,omitempty"`
	Classes    []string  `json:"classes,omitempty"`
	Paths      Paths     `json:"paths"`
	Vouches    bool      `json:"vouches,omitempty"`
	Findings   []Finding `json:"findings,omitempty"`
	Agreed     []string  `json:"agreed,omitempty"`
	FirstSeen  time.Time `json:"first_seen"`
	ChangedAt  time.Time `json:"changed_at"`
	LastSeen   time.Time `json:"last_seen"`
	AcceptedAt time.Time `json:"accepted_at"`
	AcceptedBy string    `json:"accepted_by,omitempty"`
	Revision   int64     `json:"revision"`
}

func (e *entry) kept() kept {
	return kept{
		e.Upstream, e.Tool, e.Hash, e.Listed, e.Effect, e.Classes, e.Paths, e.Vouches, e.findings, e.agreed,
		e.firstSeen, e.changedAt, e.lastSeen, e.acceptedAt, e.acceptedBy, e.revision,
	}
}

// wire is a definition as it is stored and shown: what the server said, under
// the protocol's names.
type wire struct {
	Name         string          `json:"name"`
	Title        string          `json:"title,omitempty"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"inputSchema,omitempty"`
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
	Annotations  json.RawMessage `json:"annotations,omitempty"`
}

func (t *Tool) wire() wire {
	return wire{t.Name, t.Title, t.Description, t.InputSchema, t.OutputSchema, t.Annotations}
}

func (w *wire) tool() Tool {
	return Tool{w.Name, w.Title, w.Description, w.InputSchema, w.OutputSchema, w.Annotations}
}

// JSON is the definition under the protocol's names.
func (t *Tool) JSON() (json.RawMessage, error) { return json.Marshal(t.wire()) }

func stored(err error) error {
	return fault.New(fault.KindInternal, "pin.stored", "a stored tool cannot be read").WithCause(err)
}

func scanEntry(row control.Row) (*entry, error) {
	var body string
	var listed, accepted *string
	if err := row.Scan(&body, &listed, &accepted); err != nil {
		return nil, err
	}
	var k kept
	if err := json.Unmarshal([]byte(body), &k); err != nil {
		return nil, stored(err)
	}
	e := &entry{
		Pin: Pin{
			Upstream: k.Upstream, Tool: k.Tool, Alias: Alias(k.Upstream, k.Tool), Hash: k.Hash, Listed: k.Listed,
			Effect: k.Effect, Classes: k.Classes, Paths: k.Paths, Vouches: k.Vouches,
		},
		findings: k.Findings, agreed: k.Agreed, firstSeen: k.FirstSeen, changedAt: k.ChangedAt, lastSeen: k.LastSeen,
		acceptedAt: k.AcceptedAt, acceptedBy: k.AcceptedBy, revision: k.Revision, folded: fold(k.Tool),
	}
	if listed != nil {
		var w wire
		if err := json.Unmarshal([]byte(*listed), &w); err != nil {
			return nil, stored(err)
		}
		e.definition = w.tool()
		e.mentions = mentionsOf(&e.definition)
		e.fingerprint = fingerprint(&e.definition)
	}
	if accepted != nil {
		var w wire
		if err := json.Unmarshal([]byte(*accepted), &w); err != nil {
			return nil, stored(err)
		}
		e.shape = shapeOf(w.InputSchema)
	}
	e.settle()
	return e, nil
}

// save makes entries durable and then puts them in force; changes is held.
func (b *Book) save(ctx context.Context, c *catalogue, next []*entry, acts ...audit.Record) error {
	if len(next) == 0 {
		return nil
	}
	// The same definition in other bytes, as after a restart, is nothing to keep.
	news := slices.DeleteFunc(slices.Clone(next), func(e *entry) bool { return e.says(c.upstreams[e.Upstream][e.Tool]) })
	if len(news) == 0 {
		b.all.Store(c.with(next))
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, e := range news {
			if err := b.write(ctx, tx, c.upstreams[e.Upstream][e.Tool], e); err != nil {
				return fmt.Errorf("keeping the tool %s of %s: %w", e.Tool, e.Upstream, err)
			}
		}
		if err := b.bounded(ctx, tx, news); err != nil {
			return err
		}
		for _, r := range acts {
			if err := audit.Append(ctx, tx, r); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { b.all.Store(c.with(next)) })
		return nil
	})
	if err != nil {
		return err
	}
	b.tell(news)
	return nil
}

// bounded drops the oldest forms of tools of an upstream that nobody accepted and
// that it does not list any more, beyond maxBytes: one that changes many
// large definitions without end fills no disk.
func (b *Book) bounded(ctx context.Context, tx *control.Tx, news []*entry) error {
	done := map[string]bool{}
	for _, e := range news {
		if done[e.Upstream] {
			continue
		}
		done[e.Upstream] = true
		if _, err := tx.Exec(ctx, `DELETE FROM tool_versions WHERE upstream = ? AND (tool, hash) IN (
			SELECT tool, hash FROM (
				SELECT v.tool, v.hash, SUM(OCTET_LENGTH(v.definition)) OVER (ORDER BY v.last_seen DESC, v.tool, v.hash) AS sofar
				FROM tool_versions v WHERE v.upstream = ? AND v.accepted_at = 0
				AND NOT EXISTS (SELECT 1 FROM tools t WHERE t.upstream = v.upstream AND t.name = v.tool AND t.listed = v.hash)
			) old WHERE sofar > ?)`, e.Upstream, e.Upstream, b.maxBytes); err != nil {
			return fmt.Errorf("dropping old forms of the tools of %s: %w", e.Upstream, err)
		}
	}
	return nil
}

// says reports whether an entry says what an earlier one did.
func (e *entry) says(old *entry) bool {
	if old == nil {
		return false
	}
	now, before := e.kept(), old.kept()
	now.LastSeen, now.Revision = before.LastSeen, before.Revision
	x, errX := json.Marshal(now)
	y, errY := json.Marshal(before)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// tell says which upstreams changed.
func (b *Book) tell(next []*entry) {
	if b.o.Changed == nil {
		return
	}
	var told []string
	for _, e := range next {
		if !slices.Contains(told, e.Upstream) {
			told = append(told, e.Upstream)
			b.o.Changed(e.Upstream)
		}
	}
}

func (b *Book) write(ctx context.Context, tx *control.Tx, old, e *entry) error {
	e.revision++
	body, err := json.Marshal(e.kept())
	if err != nil {
		return err
	}
	definition, err := e.definition.JSON()
	if err != nil {
		return err
	}
	now := control.Micros(b.o.Now())
	if _, err := tx.Exec(ctx, `INSERT INTO tools (upstream, name, listed, accepted, state, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (upstream, name) DO UPDATE SET listed = excluded.listed, accepted = excluded.accepted, state = excluded.state,
		body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
		e.Upstream, e.Tool, e.Listed, e.Hash, e.State, string(body), e.revision, control.Micros(e.firstSeen), now); err != nil {
		return err
	}
	var acceptedAt int64
	by := ""
	if e.Hash == e.Listed {
		acceptedAt, by = control.Micros(e.acceptedAt), e.acceptedBy
	}
	if _, err := tx.Exec(ctx, `INSERT INTO tool_versions (upstream, tool, hash, definition, first_seen, last_seen, accepted_at, accepted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (upstream, tool, hash) DO UPDATE SET last_seen = excluded.last_seen,
		accepted_at = CASE WHEN excluded.accepted_at > 0 THEN excluded.accepted_at ELSE tool_versions.accepted_at END,
		accepted_by = CASE WHEN excluded.accepted_at > 0 THEN excluded.accepted_by ELSE tool_versions.accepted_by END`,
		e.Upstream, e.Tool, e.Listed, string(definition), control.Micros(e.lastSeen), control.Micros(e.lastSeen), acceptedAt, by); err != nil {
		return err
	}
	// A server that changes without end keeps its newest forms.
	if _, err := tx.Exec(ctx, `DELETE FROM tool_versions WHERE upstream = ? AND tool = ? AND accepted_at = 0 AND hash NOT IN
		(SELECT hash FROM tool_versions WHERE upstream = ? AND tool = ? ORDER BY last_seen DESC LIMIT ?)`,
		e.Upstream, e.Tool, e.Upstream, e.Tool, maxVersions); err != nil {
		return err
	}
	return b.note(ctx, tx, old, e, now)
}

// note opens the findings that are new and closes those that are not there any
// more, each with an event.
func (b *Book) note(ctx context.Context, tx *control.Tx, old, e *entry, now int64) error {
	var before []Finding
	if old != nil {
		before = old.findings
	}
	same := func(a, b Finding) bool { return a.key() == b.key() && a.Hash == b.Hash }
	for _, f := range before {
		if slices.ContainsFunc(e.findings, func(o Finding) bool { return same(o, f) }) {
			continue
		}
		by, how := "", "superseded"
		if e.State == Accepted {
			by, how = e.acceptedBy, "accepted"
		}
		if _, err := tx.Exec(ctx, `UPDATE tool_findings SET closed_at = ?, closed_by = ?, resolution = ? WHERE upstream = ? AND tool = ? AND code = ? AND detail = ? AND hash = ? AND closed_at = 0`,
			now, by, how, e.Upstream, e.Tool, f.Code, f.Detail, f.Hash); err != nil {
			return err
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(e.findings), func(f Finding) bool {
		return slices.ContainsFunc(before, func(o Finding) bool { return same(o, f) })
	})
	for _, f := range fresh {
		if _, err := tx.Exec(ctx, `INSERT INTO tool_findings (upstream, tool, code, text, detail, hash, opened_at, closed_at, closed_by, resolution) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', '')`,
			e.Upstream, e.Tool, f.Code, f.Text, f.Detail, f.Hash, now); err != nil {
			return err
		}
	}
	// A server that goes to and fro leaves the newest; what a person closed stays.
	if len(fresh) > 0 {
		if _, err := tx.Exec(ctx, `DELETE FROM tool_findings WHERE upstream = ? AND tool = ? AND closed_at > 0 AND resolution = 'superseded' AND id NOT IN
			(SELECT id FROM tool_findings WHERE upstream = ? AND tool = ? AND closed_at > 0 AND resolution = 'superseded' ORDER BY id DESC LIMIT ?)`,
			e.Upstream, e.Tool, e.Upstream, e.Tool, maxSuperseded); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]any{"upstream": e.Upstream, "tool": e.Tool, "state": e.State, "codes": codes(e.findings)})
	if err != nil {
		return err
	}
	kind := "tool.updated"
	if len(fresh) > 0 {
		kind = "tool.finding"
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: e.Upstream + "/" + e.Tool, Data: data})
}

func codes(list []Finding) []string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.Code
	}
	return out
}

// FindingRow is a finding as its row keeps it.
type FindingRow struct {
	Finding
	ID             int64
	Upstream, Tool string
	ClosedAt       time.Time // zero: open
	ClosedBy       string
	Resolution     string // accepted, superseded, forgotten
}

// Findings lists findings, the newest first; open leaves out those that are
// closed. Before narrows to older rows, to page.
func (b *Book) Findings(ctx context.Context, open bool, before int64, limit int) ([]FindingRow, error) {
	where, args := []string{"1 = 1"}, []any{}
	if open {
		where = append(where, "closed_at = 0")
	}
	if before > 0 {
		where, args = append(where, "id < ?"), append(args, before)
	}
	return control.All(ctx, b.o.DB, scanFinding, `SELECT id, upstream, tool, code, text, detail, hash, opened_at, closed_at, closed_by, resolution
		FROM tool_findings WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
}

func scanFinding(row control.Row) (f FindingRow, err error) {
	var opened, closed int64
	err = row.Scan(&f.ID, &f.Upstream, &f.Tool, &f.Code, &f.Text, &f.Detail, &f.Hash, &opened, &closed, &f.ClosedBy, &f.Resolution)
	f.At, f.ClosedAt = control.Time(opened), control.Time(closed)
	return f, err
}

// Versions are the definitions of a tool that are kept, the newest first.
func (b *Book) Versions(ctx context.Context, upstream, tool string) ([]Version, error) {
	return control.All(ctx, b.o.DB, scanVersion, `SELECT hash, definition, first_seen, last_seen, accepted_at, accepted_by
		FROM tool_versions WHERE upstream = ? AND tool = ? ORDER BY first_seen DESC, hash LIMIT 500`, upstream, tool)
}

func scanVersion(row control.Row) (v Version, err error) {
	var definition string
	var first, last, accepted int64
	if err := row.Scan(&v.Hash, &definition, &first, &last, &accepted, &v.AcceptedBy); err != nil {
		return v, err
	}
	var w wire
	if err := json.Unmarshal([]byte(definition), &w); err != nil {
		return v, stored(err)
	}
	v.Definition, v.FirstSeen, v.LastSeen, v.AcceptedAt = w.tool(), control.Time(first), control.Time(last), control.Time(accepted)
	return v, nil
}
