package approval

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

const columns = `id, state, joins, arguments, bound, ask, request, edited, answer, mac, created_at, expires_at, COALESCE(decided_at, 0),
	COALESCE(ended_at, 0), used_by, code, reason, asked, delivered FROM approvals`

func scan(r control.Row) (*Approval, error) {
	a := &Approval{}
	var created, expires, decided, ended int64
	var delivered int
	if err := r.Scan(&a.ID, &a.State, &a.Ask.Joins, &a.Ask.Arguments, &a.Bound, &a.raw, &a.request, &a.edited, &a.answer, &a.mac, &created, &expires,
		&decided, &ended, &a.UsedBy, &a.Code, &a.Reason, &a.Asked, &delivered); err != nil {
		return nil, err
	}
	a.CreatedAt, a.ExpiresAt, a.DecidedAt, a.EndedAt = control.Time(created), control.Time(expires), control.Time(decided), control.Time(ended)
	a.Edited, a.Delivered = len(a.edited) > 0, delivered != 0
	if err := json.Unmarshal(a.raw, &a.Ask); err != nil {
		return nil, errTampered.WithCause(err)
	}
	return a, nil
}

type vote struct {
	id  string
	v   Vote
	mac string
}

func scanVote(r control.Row) (x vote, err error) {
	var groups string
	var at int64
	var opened *int64
	if err := r.Scan(&x.id, &x.v.Person, &x.v.Name, &x.v.Verdict, &groups, &x.v.Bound, &x.v.Reason, &at, &opened, &x.mac); err != nil {
		return x, err
	}
	x.v.At = control.Time(at)
	if opened != nil {
		x.v.OpenedAt = control.Time(*opened)
	}
	if err := json.Unmarshal([]byte(groups), &x.v.Groups); err != nil {
		return x, errTampered.WithCause(err)
	}
	return x, nil
}

// votes adds to each approval what people said of it. One that is not Reeve's
// own word is left out, so that it counts for nothing.
func (b *Book) votes(ctx context.Context, r control.Reader, list ...*Approval) error {
	if len(list) == 0 {
		return nil
	}
	byID := make(map[string]*Approval, len(list))
	args := make([]any, 0, len(list))
	for _, a := range list {
		byID[a.ID] = a
		args = append(args, a.ID)
	}
	all, err := control.All(ctx, r, scanVote, `SELECT approval, person, name, verdict, groups, bound, reason, at, opened_at, mac FROM approval_votes
		WHERE approval IN (?`+strings.Repeat(", ?", len(list)-1)+`) ORDER BY at, person`, args...)
	if err != nil {
		return err
	}
	for i := range all {
		x := &all[i]
		if !same(x.mac, b.keys.voteMAC(x.id, &x.v)) {
			b.log.Error("a vote on an approval was changed or put in from outside of Reeve", "approval", x.id, "person", x.v.Person)
			continue
		}
		a := byID[x.id]
		a.Votes = append(a.Votes, x.v)
	}
	return nil
}

func (b *Book) read(ctx context.Context, r control.Reader, id string) (*Approval, error) {
	a, ok, err := control.One(ctx, r, scan, `SELECT `+columns+` WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.KindNotFound, "approval.not_found", "there is no such approval").WithHint("`reeve approval list` lists those that wait")
	}
	return a, b.votes(ctx, r, a)
}

// Get reads one by id.
func (b *Book) Get(ctx context.Context, id string) (*Approval, error) {
	a, err := b.read(ctx, b.db, id)
	if err != nil {
		return nil, err
	}
	return b.fresher(a), nil
}

// Known is an approval as it stands, or as it ended: what is long over is read
// from the database, which is not believed about what may still be used.
func (b *Book) Known(ctx context.Context, id string) (*Approval, bool) {
	if a, _, ok := b.Follow(id); ok {
		return a, true
	}
	a, err := b.read(ctx, b.db, id)
	if err != nil || !a.State.over() {
		return nil, false
	}
	return a, true
}

// fresher adds what memory knows and the database does not have yet.
func (b *Book) fresher(a *Approval) *Approval {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byID[a.ID]; l != nil {
		a.Asked = max(a.Asked, l.asked)
	}
	return a
}

// Filter narrows List; zero fields do not.
type Filter struct {
	States   []State
	Agent    string
	Resource string
	Run      string
	Before   time.Time // created before
	BeforeID string    // of those created at Before
	Limit    int       // at most 1,000; 0 is 100
}

// List gives approvals, the newest first.
func (b *Book) List(ctx context.Context, f Filter) ([]*Approval, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(clause string, values ...any) {
		where, args = append(where, clause), append(args, values...)
	}
	if len(f.States) > 0 {
		values := make([]any, len(f.States))
		for i, s := range f.States {
			values[i] = string(s)
		}
		add(`state IN (?`+strings.Repeat(", ?", len(values)-1)+`)`, values...)
	}
	for column, value := range map[string]string{"agent": f.Agent, "resource": f.Resource, "run": f.Run} {
		if value != "" {
			add(column+` = ?`, value)
		}
	}
	if !f.Before.IsZero() {
		us := control.Micros(f.Before)
		add(`(created_at < ? OR created_at = ? AND id < ?)`, us, us, f.BeforeID)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	args = append(args, min(limit, 1000))
	list, err := control.All(ctx, b.db, scan, `SELECT `+columns+` WHERE `+strings.Join(where, " AND ")+` ORDER BY created_at DESC, id DESC LIMIT ?`, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i] = b.fresher(list[i])
	}
	return list, b.votes(ctx, b.db, list...)
}

// insert stores a new approval.
func (b *Book) insert(ctx context.Context, tx *control.Tx, a *Approval) error {
	k := &a.Ask
	_, err := tx.Exec(ctx, `INSERT INTO approvals (id, state, agent, team, environment, run, resource, joins, arguments, bound, ask, request, mac, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, string(a.State), k.Agent, k.Team, k.Environment, k.Run, k.Resource, k.Joins, k.Arguments, a.Bound, string(a.raw), a.request, a.mac,
		control.Micros(a.CreatedAt), control.Micros(a.ExpiresAt))
	return err
}

// update stores what may change of an approval, if it is still in the state
// from: that is the compare-and-set of every step.
func (b *Book) update(ctx context.Context, tx *control.Tx, a *Approval, from State) error {
	n, err := tx.Exec(ctx, `UPDATE approvals SET state = ?, bound = ?, edited = ?, answer = ?, expires_at = ?, decided_at = ?, ended_at = ?, used_by = ?,
		code = ?, reason = ?, asked = ?, delivered = ? WHERE id = ? AND state = ?`,
		string(a.State), a.Bound, a.edited, a.answer, control.Micros(a.ExpiresAt), stamp(a.DecidedAt), stamp(a.EndedAt), a.UsedBy,
		a.Code, a.Reason, a.Asked, a.Delivered, a.ID, string(from))
	if err == nil && n == 0 {
		err = errSettled
	}
	return err
}

func stamp(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := control.Micros(t)
	return &us
}

// Notice is what live views are told of an approval.
type Notice struct {
	ID          string `json:"id"`
	State       State  `json:"state"`
	Agent       string `json:"agent"`
	Team        string `json:"team"`
	Environment string `json:"environment"`
	Resource    string `json:"resource"`
	Run         string `json:"run,omitempty"`
}

// record writes the audit record and the event of a step, and tells memory once
// it is durable.
func (b *Book) record(ctx context.Context, tx *control.Tx, a *Approval, kind, by string, after map[string]any) error {
	if after == nil {
		after = map[string]any{}
	}
	after["agent"], after["resource"], after["state"], after["decision"] = a.Ask.Agent, a.Ask.Resource, a.State, a.Ask.Decision
	if err := audit.Append(ctx, tx, audit.Record{Kind: "approval." + kind, Person: by, Action: kind, Object: a.ID, After: after, Reason: a.Reason}); err != nil {
		return err
	}
	data, err := notice(a)
	if err != nil {
		return err
	}
	if err := tx.Event(ctx, control.Event{Type: "approval." + kind, Object: a.ID, Data: data}); err != nil {
		return err
	}
	order := b.order.Add(1) // within the transaction: steps of an approval follow each other there
	tx.AfterCommit(func() {
		b.publish(a, order)
		b.changed(a, kind)
	})
	return nil
}

func notice(a *Approval) ([]byte, error) {
	k := &a.Ask
	return json.Marshal(Notice{a.ID, a.State, k.Agent, k.Team, k.Environment, k.Resource, k.Run})
}
