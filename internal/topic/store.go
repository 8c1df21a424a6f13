package topic

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/encoder"
)

// row is a run as it is stored.
type row struct {
	*seen
	cell  int64
	near  float64
	again bool
}

// number reads the highest number of a cell.
func (b *Book) number(ctx context.Context) error {
	n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT MAX(COALESCE((SELECT MAX(id) FROM topic_cells), 0), COALESCE((SELECT MAX(cell) FROM topic_runs), 0))`)
	if err != nil {
		return fmt.Errorf("reading topics: %w", err)
	}
	b.cells = n
	return nil
}

func (b *Book) readSpace(ctx context.Context, team, environment string) (*space, error) {
	sp := &space{team: team, environment: environment, topics: map[string]*Topic{}}
	cells, err := control.All(ctx, b.o.DB, scanCell, `SELECT id, topic, n, middle, words, last_at FROM topic_cells WHERE team = ? AND environment = ? ORDER BY id`, team, environment)
	if err != nil {
		return nil, fmt.Errorf("reading topics of %s in %s: %w", team, environment, err)
	}
	sp.cells = cells
	for _, c := range cells {
		sp.prompts += c.n
	}
	topics, err := control.All(ctx, b.o.DB, scanTopic, `SELECT `+topicColumns+` FROM topics WHERE team = ? AND environment = ?`, team, environment)
	if err != nil {
		return nil, fmt.Errorf("reading topics of %s in %s: %w", team, environment, err)
	}
	for i := range topics {
		sp.topics[topics[i].ID] = &topics[i]
	}
	return sp, nil
}

func scanCell(r control.Row) (*cell, error) {
	c := &cell{words: map[string]use{}}
	var middle []byte
	var words string
	var at int64
	if err := r.Scan(&c.id, &c.topic, &c.n, &middle, &words, &at); err != nil {
		return nil, err
	}
	if len(middle) != 4*encoder.Size {
		return nil, fmt.Errorf("cell %d has %d bytes", c.id, len(middle))
	}
	for i := range c.sum {
		c.sum[i] = math.Float32frombits(binary.LittleEndian.Uint32(middle[4*i:]))
	}
	c.last = control.Time(at)
	return c, json.Unmarshal([]byte(words), &c.words)
}

const topicColumns = `id, team, environment, name, words, prompts, went_to, revision, created_at, updated_at`

func scanTopic(r control.Row) (t Topic, err error) {
	var words string
	var created, updated int64
	if err := r.Scan(&t.ID, &t.Team, &t.Environment, &t.Name, &words, &t.Prompts, &t.Into, &t.Revision, &created, &updated); err != nil {
		return t, err
	}
	t.CreatedAt, t.UpdatedAt = control.Time(created), control.Time(updated)
	return t, json.Unmarshal([]byte(words), &t.Words)
}

func (b *Book) readSession(ctx context.Context, key sessionKey) (*session, error) {
	s, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (*session, error) {
		s := &session{sessionKey: key}
		var signs string
		var recent []byte
		var at int64
		if err := r.Scan(&s.agent, &s.version, &s.runs, &s.prompts, &signs, &recent, &at); err != nil {
			return nil, err
		}
		s.at = control.Time(at)
		s.unpack(recent)
		return s, json.Unmarshal([]byte(signs), &s.signs)
	}, `SELECT agent, version, runs, prompts, signs, recent, at FROM topic_sessions WHERE team = ? AND environment = ? AND session = ?`, key.team, key.environment, key.session)
	if err == nil && !ok {
		s = &session{sessionKey: key}
	}
	return s, err
}

// store writes what a batch came to in one transaction.
func (b *Book) store(ctx context.Context, c *change) error {
	if len(c.rows)+len(c.updates)+len(c.spaces)+len(c.sessions) == 0 {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, r := range c.rows {
			if err := r.write(ctx, tx); err != nil {
				return err
			}
		}
		for _, s := range c.updates {
			if _, err := tx.Exec(ctx, `UPDATE topic_runs SET outcome = ?, failed = ?, cost = ? WHERE run = ?`, s.outcome, s.failed, unknownAsNull(s.cost), s.id.String()); err != nil {
				return err
			}
		}
		for _, run := range c.again {
			if _, err := tx.Exec(ctx, `UPDATE topic_runs SET asked_again = 1 WHERE run = ?`, run); err != nil {
				return err
			}
		}
		for _, s := range c.sessions {
			if err := s.write(ctx, tx); err != nil {
				return err
			}
		}
		for sp := range c.spaces {
			if err := sp.write(ctx, tx); err != nil {
				return err
			}
		}
		return dropCells(ctx, tx, c.gone)
	})
	if err != nil {
		return err
	}
	for sp := range c.spaces {
		sp.stored()
	}
	return nil
}

func unknownAsNull(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

func (r *row) write(ctx context.Context, tx *control.Tx) error {
	run := r.id.String()
	verdict, _, err := control.One(ctx, tx, func(r control.Row) (v string, err error) { return v, r.Scan(&v) }, `SELECT verdict FROM topic_said WHERE run = ?`, run)
	if err != nil {
		return err
	}
	session := keyOf(r.seen).session
	_, err = tx.Exec(ctx, `INSERT INTO topic_runs (run, cell, team, environment, agent, version, session, outcome, failed, verdict, asked_again, cost, near, at, user_ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (run) DO UPDATE SET cell = excluded.cell, agent = excluded.agent, version = excluded.version, session = excluded.session, outcome = excluded.outcome, failed = excluded.failed,
			asked_again = MAX(topic_runs.asked_again, excluded.asked_again), cost = excluded.cost, near = excluded.near, at = excluded.at, user_ref = excluded.user_ref`,
		run, r.cell, r.team, r.environment, r.agent, r.version, session, r.outcome, r.failed, verdict, r.again, unknownAsNull(r.cost), r.near, control.Micros(r.start), r.user)
	return err
}

func (s *session) write(ctx context.Context, tx *control.Tx) error {
	if s.runs == 0 {
		return nil
	}
	signs, err := json.Marshal(s.signs)
	if err != nil {
		return err
	}
	if s.signs == nil {
		signs = []byte("[]")
	}
	recent := []byte{}
	if !strings.HasPrefix(s.session, "run_") {
		recent = s.pack()
	}
	_, err = tx.Exec(ctx, `INSERT INTO topic_sessions (team, environment, session, agent, version, runs, prompts, score, signs, recent, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team, environment, session) DO UPDATE SET agent = excluded.agent, version = excluded.version, runs = excluded.runs, prompts = excluded.prompts, score = excluded.score, signs = excluded.signs, recent = excluded.recent, at = excluded.at`,
		s.team, s.environment, s.session, s.agent, s.version, s.runs, s.prompts, s.score(), string(signs), recent, control.Micros(s.at))
	return err
}

func (sp *space) write(ctx context.Context, tx *control.Tx) error {
	for _, c := range sp.cells {
		if !c.dirty {
			continue
		}
		words, err := json.Marshal(c.words)
		if err != nil {
			return err
		}
		middle := make([]byte, 0, 4*encoder.Size)
		for _, x := range c.sum {
			middle = binary.LittleEndian.AppendUint32(middle, math.Float32bits(x))
		}
		if _, err := tx.Exec(ctx, `INSERT INTO topic_cells (id, team, environment, topic, n, middle, words, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET topic = excluded.topic, n = excluded.n, middle = excluded.middle, words = excluded.words, last_at = excluded.last_at`,
			c.id, sp.team, sp.environment, c.topic, c.n, middle, string(words), control.Micros(c.last)); err != nil {
			return err
		}
	}
	for _, t := range sp.topics {
		if !t.dirty {
			continue
		}
		words, err := json.Marshal(t.Words)
		if err != nil {
			return err
		}
		// The name and its revision are people's: Rename alone writes them.
		if _, err := tx.Exec(ctx, `INSERT INTO topics (`+topicColumns+`) VALUES (?, ?, ?, '', ?, ?, ?, 0, ?, ?)
			ON CONFLICT (id) DO UPDATE SET words = excluded.words, prompts = excluded.prompts, went_to = excluded.went_to, updated_at = excluded.updated_at`,
			t.ID, t.Team, t.Environment, string(words), t.Prompts, t.Into, control.Micros(t.CreatedAt), control.Micros(t.UpdatedAt)); err != nil {
			return err
		}
	}
	return nil
}

// stored takes note that everything is.
func (sp *space) stored() {
	for _, c := range sp.cells {
		c.dirty = false
	}
	for _, t := range sp.topics {
		t.dirty = false
	}
}

// dropCells has the runs of cells that are part of others follow them; those of
// cells that were given up are grouped with no others.
func dropCells(ctx context.Context, tx *control.Tx, gone []*cell) error {
	for _, c := range gone {
		if _, err := tx.Exec(ctx, `UPDATE topic_runs SET cell = ? WHERE cell = ?`, c.into, c.id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM topic_cells WHERE id = ?`, c.id); err != nil {
			return err
		}
	}
	return nil
}

// Said notes what a run's user thought of it, before or after the run is looked
// at. upTo is how far the feed is read by then, which SaidUpTo gives back.
func (b *Book) Said(ctx context.Context, verdicts map[activity.RunID]string, upTo int64) error {
	now := control.Micros(b.o.Now())
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for id, v := range verdicts {
			n, err := tx.Exec(ctx, `UPDATE topic_runs SET verdict = ? WHERE run = ?`, v, id.String())
			if err != nil {
				return err
			}
			if n == 0 {
				if _, err := tx.Exec(ctx, `INSERT INTO topic_said (run, verdict, at) VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET verdict = excluded.verdict, at = excluded.at`, id.String(), v, now); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO topic_places (feed, seq) VALUES ('feedback', ?) ON CONFLICT (feed) DO UPDATE SET seq = excluded.seq`, upTo)
		return err
	})
}

// SaidUpTo is how far the feed of feedback is read.
func (b *Book) SaidUpTo(ctx context.Context) (seq int64, err error) {
	seq, _, err = control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT seq FROM topic_places WHERE feed = 'feedback'`)
	return seq, err
}

// Erase forgets what somebody asked for: of one team, or of all (""). The counts of
// cells and their words stay, which are nobody's: a word is kept with whom it is of
// as a keyed hash, and names nothing before three people used it. It returns of how
// many runs.
func (b *Book) Erase(ctx context.Context, team, user string) (runs int64, err error) {
	if user == "" {
		return 0, nil
	}
	b.work.Lock() // nobody stores what was read before
	defer b.work.Unlock()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		teams := []string{team}
		if team == "" {
			if teams, err = control.All(ctx, tx, func(r control.Row) (t string, err error) { return t, r.Scan(&t) }, `SELECT DISTINCT team FROM topic_runs`); err != nil {
				return err
			}
		}
		for _, t := range teams {
			ref := b.userRef(t, user)
			if _, err := tx.Exec(ctx, `DELETE FROM topic_sessions WHERE (team, environment, session) IN (SELECT team, environment, session FROM topic_runs WHERE user_ref = ?)`, ref); err != nil {
				return err
			}
			n, err := tx.Exec(ctx, `DELETE FROM topic_runs WHERE user_ref = ?`, ref)
			if err != nil {
				return err
			}
			runs += n
		}
		return nil
	})
	return runs, err
}

// EraseRuns forgets runs, what is known of how their sessions went, and words that
// only whom they are of used: a user and sessions, as they are called. It returns how
// many runs it knew; with dry nothing changes.
func (b *Book) EraseRuns(ctx context.Context, runs map[string]bool, whose []string, dry bool) (n int64, err error) {
	b.work.Lock() // nobody stores what was read before
	defer b.work.Unlock()
	known, err := control.All(ctx, b.o.DB, func(r control.Row) (run string, err error) { return run, r.Scan(&run) }, `SELECT run FROM topic_runs`)
	if err != nil {
		return 0, err
	}
	known = slices.DeleteFunc(known, func(run string) bool { return !runs[run] })
	if n = int64(len(known)); dry {
		return n, nil
	}
	b.skip(runs)
	for some := range slices.Chunk(known, 500) {
		if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			for _, run := range some {
				if _, err := tx.Exec(ctx, `DELETE FROM topic_sessions WHERE (team, environment, session) IN (SELECT team, environment, session FROM topic_runs WHERE run = ?)`, run); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `DELETE FROM topic_runs WHERE run = ?`, run); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return n, err
		}
	}
	teams, err := control.All(ctx, b.o.DB, func(r control.Row) (t string, err error) { return t, r.Scan(&t) }, `SELECT DISTINCT team FROM topic_cells`)
	if err != nil {
		return n, err
	}
	by := map[uint32]bool{}
	for run := range runs { // a run of no session is its own
		by[b.short("by", run)] = true
	}
	for _, name := range whose {
		by[b.short("by", name)] = true
		for _, team := range teams {
			by[b.short("by", b.userRef(team, name))] = true
		}
	}
	return n, b.forgetWords(ctx, by)
}

// maxSkipped bounds the erased runs that are remembered while they may still come.
const maxSkipped = 200_000

// skip leaves out runs that were told of and not looked at yet, or will be.
func (b *Book) skip(runs map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.skipped == nil || len(b.skipped)+len(runs) > maxSkipped {
		b.skipped = make(map[activity.RunID]bool, len(runs))
	}
	for name := range runs {
		if id, err := activity.ParseRunID(name); err == nil {
			b.skipped[id] = true
		}
	}
}

// forgetWords takes out of cells the words of which only these are known to have used
// them. Cells are read anew afterwards. The caller holds work.
func (b *Book) forgetWords(ctx context.Context, by map[uint32]bool) error {
	cells, err := control.All(ctx, b.o.DB, scanCell, `SELECT id, topic, n, middle, words, last_at FROM topic_cells`)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, c := range cells {
			if !c.forget(by) {
				continue
			}
			words, err := json.Marshal(c.words)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE topic_cells SET words = ? WHERE id = ?`, string(words), c.id); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { clear(b.spaces) })
		return nil
	})
}

// forget drops the words that only these used, and reports whether there were any.
func (c *cell) forget(by map[uint32]bool) (changed bool) {
	for w, u := range c.words {
		left, theirs := 0, false
		for i, who := range u.by {
			switch {
			case who == 0:
			case by[who]:
				u.by[i], theirs = 0, true
			default:
				left++
			}
		}
		if !theirs {
			continue
		}
		if changed = true; left == 0 {
			delete(c.words, w)
		} else {
			c.words[w] = u
		}
	}
	return changed
}

// tidy drops what is old, and the oldest of too much.
func (b *Book) tidy(ctx context.Context) error {
	b.work.Lock()
	defer b.work.Unlock()
	now := b.o.Now()
	old, day := control.Micros(now.Add(-keep)), control.Micros(now.Add(-24*time.Hour))
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, q := range []struct {
			text string
			arg  int64
		}{
			{`DELETE FROM topic_runs WHERE at < ?`, old},
			{`DELETE FROM topic_sessions WHERE at < ?`, old},
			{`DELETE FROM topic_cells WHERE last_at < ?`, old},
			{`DELETE FROM topics WHERE updated_at < ? AND prompts = 0`, old},
			{`DELETE FROM topic_said WHERE at < ?`, day},
			{`UPDATE topic_sessions SET recent = X'' WHERE at < ? AND length(recent) > 0`, day},
			{`DELETE FROM topic_runs WHERE run IN (SELECT run FROM topic_runs ORDER BY at DESC LIMIT -1 OFFSET ?)`, maxRows},
			{`DELETE FROM topic_sessions WHERE rowid IN (SELECT rowid FROM topic_sessions ORDER BY at DESC LIMIT -1 OFFSET ?)`, maxRows},
		} {
			if _, err := tx.Exec(ctx, q.text, q.arg); err != nil {
				return err
			}
		}
		return nil
	})
}
