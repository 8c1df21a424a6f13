package topic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/encoder"
	"reeve/internal/fault"
	"reeve/internal/topic/mood"
)

// mostNew bounds the prompts of one run that are read for meaning: the first of
// them says what was asked for, the last ones whether it was asked again.
const mostNew = 8

// tooSoon is less than a person needs to read an answer and ask again: the same
// text of two runs is one prompt then.
const tooSoon = 10 * time.Second

// change is what a batch came to.
type change struct {
	rows     []*row
	updates  []*seen // of runs that have a row already
	sessions map[sessionKey]*session
	again    []string // runs whose prompt was asked again
	spaces   map[*space]bool
	gone     []*cell
}

// Work looks at some of the runs that wait, and reports whether more do; Run does
// it by itself.
func (b *Book) Work(ctx context.Context) (more bool, err error) {
	b.work.Lock()
	defer b.work.Unlock()
	batch, more := b.take()
	began := time.Now()
	defer func() { b.stats.micros.Add(time.Since(began).Microseconds()) }()
	c := &change{sessions: map[sessionKey]*session{}, spaces: map[*space]bool{}}
	var errs []error
	for i := range batch {
		err := b.look(ctx, &batch[i], c)
		if errors.Is(err, errPlaces) {
			b.stats.skipped.Add(1)
			continue
		}
		if err != nil {
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			errs = append(errs, fmt.Errorf("reading what was asked in %s: %w", batch[i].id, err))
			b.later(batch[i])
			batch[i].id = activity.RunID{}
		}
	}
	b.regroup(c)
	if err := b.store(ctx, c); err != nil {
		b.forget() // it has what is not stored
		b.later(slices.DeleteFunc(batch, func(s seen) bool { return s.id == activity.RunID{} })...)
		return false, errors.Join(append(errs, err)...)
	}
	b.stats.runs.Add(int64(len(c.rows)))
	return more, errors.Join(errs...)
}

// look reads what was asked in a run and finds its cell and its session's signs.
func (b *Book) look(ctx context.Context, s *seen, c *change) error {
	known, has, err := control.One(ctx, b.o.DB, func(r control.Row) (cell int64, err error) { return cell, r.Scan(&cell) }, `SELECT cell FROM topic_runs WHERE run = ?`, s.id.String())
	if err != nil {
		return err
	}
	if has && known != 0 {
		c.updates = append(c.updates, s)
		return b.leave(ctx, s, c)
	}
	texts, ok, err := b.o.Prompts.Asked(ctx, s.id)
	if err != nil {
		return err
	}
	if !ok {
		return nil // it is gone
	}
	texts = texts[max(0, len(texts)-maxAsked):]
	r := &row{seen: s}
	if len(texts) == 0 {
		c.rows = append(c.rows, r)
		return nil
	}
	ses, err := b.session(ctx, keyOf(s), c)
	if err != nil {
		return err
	}
	c.rows = append(c.rows, r)
	hashes := make([]uint32, len(texts))
	for i, t := range texts {
		hashes[i] = b.hashOf(t)
	}
	fresh, first := ses.fresh(texts, hashes)
	if len(texts) == 1 && ses.last() == hashes[0] && s.start.Sub(ses.at).Abs() < tooSoon {
		fresh = nil
	}
	if len(fresh) == 0 { // the run went on with what was asked before it
		if r.cell = ses.lastCell; r.cell == 0 {
			fresh, first = texts[len(texts)-1:], len(texts) == 1
		}
	}
	ses.runs++
	ses.agent, ses.version = s.agent, s.version
	if s.start.After(ses.at) {
		ses.at = s.start
	}
	b.read(s, r, ses, fresh, first, c)
	return b.leave(ctx, s, c)
}

// read takes a run's new prompts into its place and its session.
func (b *Book) read(s *seen, r *row, ses *session, fresh []string, first bool, c *change) {
	if len(fresh) > mostNew {
		fresh = append(fresh[:1:1], fresh[len(fresh)-mostNew+1:]...)
	}
	sp := b.spaces[[2]string{s.team, s.environment}]
	by := b.short("by", cmp.Or(s.user, keyOf(s).session))
	for i, text := range fresh {
		b.o.Turns.Take()
		v := encoder.Encode(text)
		b.o.Turns.Give()
		b.stats.prompts.Add(1)
		if v == (encoder.Vector{}) {
			continue
		}
		if r.cell == 0 {
			at := sp.put(&v, wordsOf(text), by, s.start, b.next)
			r.cell, r.near = at.id, at.near(&v)
			c.spaces[sp] = true
		}
		run := s.id.String()
		if before, cosine := ses.like(&v); mood.Repeats(cosine, text) {
			ses.sign(Sign{Kind: mood.ReAsk, Run: run, Like: before, Cosine: cosine, At: s.start})
			if before != run {
				c.again = append(c.again, before)
			} else {
				r.again = true
			}
		}
		for _, kind := range mood.Signs(text, first && i == 0) {
			ses.sign(Sign{Kind: kind, Run: run, At: s.start})
		}
		ses.remember(run, b.hashOf(text), &v)
		ses.lastCell = r.cell
	}
}

// leave notes whether a run's user gave up.
func (b *Book) leave(ctx context.Context, s *seen, c *change) error {
	key := keyOf(s)
	ses := c.sessions[key]
	if ses == nil && s.outcome != activity.OutcomeAbandoned {
		has, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int, err error) { return n, r.Scan(&n) },
			`SELECT COUNT(*) FROM topic_sessions WHERE team = ? AND environment = ? AND session = ? AND signs LIKE '%"abandoned"%'`, key.team, key.environment, key.session)
		if err != nil || has == 0 {
			return err
		}
	}
	ses, err := b.session(ctx, key, c)
	if err != nil || ses.runs == 0 {
		return err
	}
	run := s.id.String()
	is := func(x Sign) bool { return x.Kind == mood.Left && x.Run == run }
	switch at := slices.IndexFunc(ses.signs, is); {
	case s.outcome == activity.OutcomeAbandoned && at < 0:
		ses.sign(Sign{Kind: mood.Left, Run: run, At: s.start})
	case s.outcome != activity.OutcomeAbandoned && at >= 0:
		ses.signs = slices.Delete(ses.signs, at, at+1)
	}
	return nil
}

func (b *Book) hashOf(text string) uint32 { return b.short("text", strings.TrimSpace(text)) }

func (b *Book) next() int64 { b.cells++; return b.cells }

// regroup finds the topics of places anew whose prompts changed.
func (b *Book) regroup(c *change) {
	now := b.o.Now()
	for _, sp := range b.spaces {
		if sp.moved == 0 || now.Sub(sp.grouped) < regroupIn {
			continue
		}
		b.o.Turns.Take()
		c.gone = append(c.gone, sp.condense()...)
		sp.regroup(now, func(at time.Time) string { return activity.Mint("tpc_", at.UnixNano()) })
		b.o.Turns.Give()
		c.spaces[sp] = true
	}
}

// space reads a place's cells and topics, and makes room for them.
func (b *Book) space(ctx context.Context, team, environment string) error {
	key := [2]string{team, environment}
	b.used[key] = b.o.Now()
	if b.spaces[key] != nil {
		return nil
	}
	for len(b.spaces) >= maxSpaces {
		var oldest [2]string
		for k, at := range b.used {
			// One with news that no topic was found in yet stays until it was.
			if b.spaces[k] != nil && k != key && (b.spaces[oldest] == nil || at.Before(b.used[oldest])) {
				oldest = k
			}
		}
		if b.spaces[oldest] == nil {
			break
		}
		delete(b.spaces, oldest)
		delete(b.used, oldest)
	}
	sp, err := b.readSpace(ctx, team, environment)
	if err != nil {
		return err
	}
	if len(sp.cells) == 0 {
		n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM (SELECT DISTINCT team, environment FROM topic_cells)`)
		if err != nil {
			return err
		}
		if n >= maxPlaces {
			return errPlaces
		}
	}
	sp.breathe = func() { b.o.Turns.Give(); b.o.Turns.Take() }
	b.spaces[key] = sp
	return nil
}

// errPlaces says that prompts of one more place are not grouped.
var errPlaces = fault.New(fault.KindExhausted, "topic.places", "prompts of %d teams and environments are grouped, and of no more", maxPlaces)

type sessionKey struct{ team, environment, session string }

// keyOf is the session of a run; a run of none is its own.
func keyOf(s *seen) sessionKey {
	return sessionKey{s.team, s.environment, cmp.Or(s.session, s.id.String())}
}

func (b *Book) session(ctx context.Context, key sessionKey, c *change) (*session, error) {
	if err := b.space(ctx, key.team, key.environment); err != nil {
		return nil, err
	}
	if s := c.sessions[key]; s != nil {
		return s, nil
	}
	s, err := b.readSession(ctx, key)
	if err == nil {
		c.sessions[key] = s
	}
	return s, err
}
