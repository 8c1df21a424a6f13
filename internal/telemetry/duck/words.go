package duck

import (
	"database/sql"
	"sync"

	"reeve/internal/activity"
)

// words gives numbers to the texts that many run rows repeat: models, tools,
// senders. They are kept in the index, written by the commit that first uses
// them. Safe for concurrent use; the zero value is empty.
type words struct {
	mu    sync.RWMutex
	ids   map[string]int64
	texts []string // by number
	saved int      // so many of them are in the index; guarded by Store.write
}

// Beyond these a text is written out: it is not one of few.
const (
	maxWords    = 32 << 10
	maxWordSize = 64
)

// id is the number of a text; false when it has none.
func (w *words) id(s string) (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, ok := w.ids[s]; ok {
		return n, true
	}
	if len(s) > maxWordSize || len(w.texts) >= maxWords {
		return 0, false
	}
	if w.ids == nil {
		w.ids = make(map[string]int64)
	}
	n := int64(len(w.texts))
	w.ids[s], w.texts = n, append(w.texts, s)
	return n, true
}

func (w *words) text(n int64) (string, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if n < 0 || n >= int64(len(w.texts)) {
		return "", false
	}
	return w.texts[n], true
}

func (w *words) load(x *index) error {
	rows, err := x.w.Query(`SELECT word FROM words ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		w.id(s)
	}
	w.saved = len(w.texts)
	return rows.Err()
}

// save writes what the index lacks, as part of a commit, and returns how many
// it then has.
func (w *words) save(tx *sql.Tx) (int, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for n := w.saved; n < len(w.texts); n++ {
		if _, err := tx.Exec(`INSERT INTO words (id, word) VALUES (?, ?)`, n, w.texts[n]); err != nil {
			return 0, err
		}
	}
	return len(w.texts), nil
}

// word is str for texts that many rows repeat.
func (p *packer) word(v *string, w *words) {
	if !p.reading {
		if n, ok := w.id(*v); ok {
			n++
			p.int(&n)
			return
		}
	}
	var n int64
	if p.int(&n); n == 0 {
		p.str(v)
		return
	}
	text, ok := w.text(n - 1)
	if !ok {
		p.fail()
		return
	}
	*v = text
}

// rowColumns are those of a run row in the index, in the order of runArgs and
// scanRun.
const rowColumns = `start, id, agent, team, environment, status, outcome, session, user, task, version, mode, name,
	failed, errors, steps, duration, cost, tokens, updated, revision, blob`

// thin packs what a run row in the index has no column for.
func (p *packer) thin(r *activity.Run, w *words) {
	list(p, &r.Traces, func(t *activity.TraceID) { p.fixed(t[:]) })
	for _, s := range []*string{&r.AgentID, &r.Sender, &r.ErrorType} {
		p.word(s, w)
	}
	number8(p, &r.Status, func(s activity.RunStatus) int64 { return int64(s) }, func(n int64) activity.RunStatus { return activity.RunStatus(n) })
	for _, t := range []*int64{&r.End, &r.Received} {
		d := *t - r.Start
		p.int(&d)
		if p.reading {
			*t = r.Start + d
		}
	}
	for _, n := range []*int64{&r.ModelCalls, &r.ToolCalls, &r.Logs, &r.UnknownUsageCalls, &r.UnknownCostCalls} {
		p.int(n)
	}
	p.usage(&r.Usage)
	p.int(&r.Cost.Nanos)
	p.word(&r.Cost.Currency, w)
	number8(p, &r.Cost.Basis, func(b activity.CostBasis) int64 { return int64(b) }, func(n int64) activity.CostBasis { return activity.CostBasis(n) })
	p.word(&r.Cost.Price, w)
	for _, l := range []*[]string{&r.Models, &r.Tools, &r.Sources, &r.Agents, &r.Dialects, &r.Tags} {
		list(p, l, func(s *string) { p.word(s, w) })
	}
	p.labels(&r.Labels)
	number8(p, &r.Flags, func(f activity.Flag) int64 { return int64(f) }, func(n int64) activity.Flag { return activity.Flag(n) })
	p.bool(&r.Partial)
}

func scanRun(rows *sql.Rows, w *words) (activity.Run, error) {
	var r activity.Run
	var id, blob sql.RawBytes
	var skip sql.RawBytes
	var failed int64
	if err := rows.Scan(&r.Start, &id, &r.Agent, &r.Team, &r.Environment, &skip, &r.Outcome, &r.Session, &r.User, &r.Task, &r.Version, &r.Mode,
		&r.Name, &failed, &r.Errors, &r.Steps, &skip, &skip, &skip, &r.Updated, &r.Revision, &blob); err != nil {
		return r, err
	}
	copy(r.ID[:], id)
	r.RootError = failed != 0
	p := packer{b: blob, reading: true}
	p.thin(&r, w)
	if p.damaged {
		return r, errCorrupt
	}
	return r, nil
}
