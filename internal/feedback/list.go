package feedback

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Place is a team and an environment that somebody may see; "*" is all.
type Place struct{ Team, Environment string }

// Filter says which feedback.
type Filter struct {
	Agent, Version, Team, Environment, Source, Verdict, Giver, Run, Q string
	Joined                                                            *bool
	From, To                                                          time.Time
	Visible                                                           []Place // nil: all
	Limit                                                             int
	After                                                             Cursor
}

// Cursor is where a page ended; the zero one is the beginning.
type Cursor struct {
	At int64  `json:"a,omitempty"`
	ID string `json:"i,omitempty"`
}

func (f *Filter) where() control.Where {
	var w control.Where
	for _, is := range [...]struct{ column, value string }{
		{"agent", f.Agent}, {"version", f.Version}, {"team", f.Team}, {"environment", f.Environment}, {"source", f.Source}, {"giver", f.Giver}, {"run", f.Run},
	} {
		if is.value != "" {
			w.Add(is.column+" = ?", is.value)
		}
	}
	switch f.Verdict {
	case "":
	case "none":
		w.Add("verdict = ''")
	default:
		w.Add("verdict = ?", f.Verdict)
	}
	if f.Joined != nil {
		if *f.Joined {
			w.Add("run <> ''")
		} else {
			w.Add("run = ''")
		}
	}
	if f.Q != "" {
		w.Add(`LOWER(body) LIKE ? ESCAPE '\'`, control.Like(f.Q))
	}
	if !f.From.IsZero() {
		w.Add("at >= ?", control.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.Add("at < ?", control.Micros(f.To))
	}
	f.see(&w)
	if c := f.After; c.ID != "" {
		w.Add("(at < ? OR (at = ? AND id > ?))", c.At, c.At, c.ID)
	}
	return w
}

// see narrows to what somebody may see. Feedback that names no team is the
// house's: only who sees all teams sees it.
func (f *Filter) see(w *control.Where) {
	if f.Visible == nil {
		return
	}
	or := []string{"1 = 0"}
	var args []any
	for _, p := range f.Visible {
		cond := "1 = 1"
		if p.Team != "*" {
			cond += " AND team = ?"
			args = append(args, p.Team)
		}
		if p.Environment != "*" {
			cond += " AND environment = ?"
			args = append(args, p.Environment)
		}
		or = append(or, "("+cond+")")
	}
	w.Add("("+strings.Join(or, " OR ")+")", args...)
}

// List lists feedback, the newest first. next is the zero cursor at the end.
func (b *Book) List(ctx context.Context, f Filter) (all []Feedback, next Cursor, err error) {
	w := f.where()
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM feedback`+w.Text()+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	return all, Cursor{control.Micros(all[limit-1].At), all[limit-1].ID}, nil
}

// Count is how many feedbacks of one kind an agent's version has.
type Count struct {
	Team, Environment, Agent, Version  string
	Positive, Neutral, Negative, Other int64
	Runs                               int64 // that have any
	Failed                             int64 // of those, with errors
	PositiveOK, SaidOK                 int64 // of runs without errors: positive, and with any verdict
}

// Add adds the figures of another.
func (c *Count) Add(d *Count) {
	c.Positive, c.Neutral, c.Negative, c.Other = c.Positive+d.Positive, c.Neutral+d.Neutral, c.Negative+d.Negative, c.Other+d.Other
	c.Runs, c.Failed, c.PositiveOK, c.SaidOK = c.Runs+d.Runs, c.Failed+d.Failed, c.PositiveOK+d.PositiveOK, c.SaidOK+d.SaidOK
}

// Counts adds up what users said, by agent and version. What systems said is not
// in it.
func (b *Book) Counts(ctx context.Context, f Filter) ([]Count, error) {
	f.Giver, f.After = User, Cursor{}
	w := f.where()
	w.Add("run <> '' AND test = 0")
	return control.All(ctx, b.o.DB, func(r control.Row) (c Count, err error) {
		return c, r.Scan(&c.Team, &c.Environment, &c.Agent, &c.Version, &c.Positive, &c.Neutral, &c.Negative, &c.Other, &c.Runs, &c.Failed, &c.PositiveOK, &c.SaidOK)
	}, `SELECT team, environment, agent, version, SUM(verdict = 'positive'), SUM(verdict = 'neutral'), SUM(verdict = 'negative'), SUM(verdict = ''),
		COUNT(DISTINCT run), COUNT(DISTINCT CASE WHEN failed = 1 THEN run END), SUM(verdict = 'positive' AND failed = 0), SUM(verdict <> '' AND failed = 0)
		FROM feedback`+w.Text()+` GROUP BY team, environment, agent, version ORDER BY COUNT(*) DESC, agent, version LIMIT 500`, w.Args...)
}

// Bucket is what users said in a part of a period.
type Bucket struct {
	At                          time.Time
	Positive, Neutral, Negative int64
}

// Series counts by parts of a period.
func (b *Book) Series(ctx context.Context, f Filter, width time.Duration) ([]Bucket, error) {
	f.Giver, f.After = User, Cursor{}
	w := f.where()
	w.Add("test = 0")
	us := width.Microseconds()
	return control.All(ctx, b.o.DB, func(r control.Row) (x Bucket, err error) {
		var at int64
		err = r.Scan(&at, &x.Positive, &x.Neutral, &x.Negative)
		x.At = control.Time(at)
		return x, err
	}, `SELECT at / ? * ?, SUM(verdict = 'positive'), SUM(verdict = 'neutral'), SUM(verdict = 'negative') FROM feedback`+w.Text()+` GROUP BY 1 ORDER BY 1 LIMIT 2000`, append([]any{us, us}, w.Args...)...)
}

// Said is what users said in a part of a period and of a group.
type Said struct {
	At                          time.Time // zero where time is not split
	Group                       string
	Positive, Neutral, Negative int64
	Runs                        int64 // of which anything was said
}

// saidBy are the columns that Said is split by.
var saidBy = map[string]string{"": "''", "agent": "agent", "version": "version", "team": "team", "environment": "environment"}

// Said counts what users said of runs, split by time (0: not) and by one of agent,
// version, team and environment; by anything else it counts nothing.
func (b *Book) Said(ctx context.Context, f Filter, by string, width time.Duration) ([]Said, error) {
	column, ok := saidBy[by]
	if !ok {
		return nil, nil
	}
	f.Giver, f.After = User, Cursor{}
	w := f.where()
	w.Add("run <> '' AND test = 0")
	bucket, args := control.Bucket(width)
	return control.All(ctx, b.o.DB, func(r control.Row) (x Said, err error) {
		var at int64
		err = r.Scan(&at, &x.Group, &x.Positive, &x.Neutral, &x.Negative, &x.Runs)
		x.At = control.BucketTime(at)
		return x, err
	}, `SELECT `+bucket+`, `+column+`, SUM(verdict = 'positive'), SUM(verdict = 'neutral'), SUM(verdict = 'negative'), COUNT(DISTINCT run) FROM feedback`+w.Text()+
		` GROUP BY 1, 2 ORDER BY 1, 6 DESC, 2 LIMIT 5000`, append(args, w.Args...)...)
}

// Unmatched counts what has no run.
func (b *Book) Unmatched(ctx context.Context, f Filter) (n int64, err error) {
	no := false
	f.Joined, f.After = &no, Cursor{}
	w := f.where()
	n, _, err = control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM feedback`+w.Text(), w.Args...)
	return n, err
}

// Erase removes what people said and who they were from feedback: one by its id,
// or all that a user of a team gave. That it was given, when and with which
// verdict stays, so that no figure changes; the same sender's key is never taken
// again.
func (b *Book) Erase(ctx context.Context, who Actor, id, team, user, reason string) (n int, err error) {
	if (id == "") == (user == "") {
		return 0, invalid("give an id, or a team and its user")
	}
	if strings.TrimSpace(reason) == "" {
		return 0, invalid("erasing needs a reason")
	}
	// Before anything is looked for: who may not erase here learns nothing of who
	// said something.
	if user != "" && !who.Can("developer", team, "*") && !who.Can("security", team, "*") {
		return 0, fault.New(fault.KindDenied, "feedback.denied", "erasing feedback of team %q needs the role developer or security there, in every environment", team)
	}
	b.write.Lock()
	defer b.write.Unlock()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		query, args := ` WHERE id = ?`, []any{id}
		if user != "" {
			// What came with telemetry had no team before it was joined.
			query, args = ` WHERE user_ref = ? OR (user_ref = ? AND team = ?)`, []any{b.userRef(team, user), b.userRef("", user), team}
		}
		list, err := control.All(ctx, tx, scan, `SELECT `+columns+` FROM feedback`+query, args...)
		if err != nil {
			return err
		}
		if id != "" && (len(list) == 0 || !who.Can("viewer", list[0].Team, list[0].Environment)) {
			return fault.New(fault.KindNotFound, "feedback.not_found", "there is no feedback %.60s", id)
		}
		for i := range list {
			f := &list[i]
			if !who.Can("developer", f.Team, f.Environment) && !who.Can("security", f.Team, f.Environment) {
				return fault.New(fault.KindDenied, "feedback.denied", "erasing feedback of team %q needs the role developer or security there", f.Team)
			}
			f.clear()
			if err := b.unwatch(ctx, tx, f); err != nil {
				return err
			}
		}
		if n = len(list); n == 0 {
			return nil
		}
		object := cmp.Or(id, "user "+b.userRef(team, user))
		if err := audit.Append(ctx, tx, audit.Record{Kind: "content.erased", Person: who.Person, Via: who.Via, Action: "erase", Object: "feedback " + object, Reason: reason}); err != nil {
			return err
		}
		return b.tell(ctx, tx, list)
	})
	if err == nil && n > 0 {
		b.o.Moved()
	}
	return n, err
}

// EraseRuns is Erase for all that people said of runs. The caller has decided that it
// may: who erases runs of every team.
func (b *Book) EraseRuns(ctx context.Context, who Actor, runs map[string]bool, reason string, dry bool) (n int, err error) {
	b.write.Lock()
	defer b.write.Unlock()
	ids, err := control.All(ctx, b.o.DB, func(r control.Row) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) }, `SELECT id, run FROM feedback WHERE run <> ''`)
	if err != nil {
		return 0, err
	}
	ids = slices.DeleteFunc(ids, func(p [2]string) bool { return !runs[p[1]] })
	for some := range slices.Chunk(ids, 500) {
		err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			var list []Feedback
			for _, p := range some {
				f, ok, err := read(ctx, tx, p[0])
				if err != nil {
					return err
				}
				if !ok || f.Erased || f.UserRef == "" && f.Comment == "" && f.Contact == nil {
					continue // nobody's words
				}
				n++
				if dry {
					continue
				}
				f.clear()
				if err := b.unwatch(ctx, tx, &f); err != nil {
					return err
				}
				list = append(list, f)
			}
			if len(list) == 0 {
				return nil
			}
			if err := audit.Append(ctx, tx, audit.Record{Kind: "content.erased", Person: who.Person, Via: who.Via, Action: "erase", Object: fmt.Sprintf("feedback of %d runs", len(runs)), Reason: reason}); err != nil {
				return err
			}
			return b.tell(ctx, tx, list)
		})
		if err != nil {
			return n, err
		}
	}
	if n > 0 && !dry {
		b.o.Moved()
	}
	return n, nil
}

// clear takes out what somebody said and who they were.
func (f *Feedback) clear() {
	f.Comment, f.UserRef, f.Contact, f.Redacted, f.Consent, f.Erased = "", "", nil, nil, nil, true
	f.Told, f.Status = nil, nil
	if f.Kind == Label && f.Verdict == "" {
		f.Label = ""
	}
}

// HeldOf counts what a user gave, of every team.
func (b *Book) HeldOf(ctx context.Context, teams []string, user string) (n int64, err error) {
	refs := []any{b.userRef("", user)}
	for _, t := range teams {
		refs = append(refs, b.userRef(t, user))
	}
	n, _, err = control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM feedback WHERE user_ref IN (?`+strings.Repeat(", ?", len(refs)-1)+`)`, refs...)
	return n, err
}

// Contact is where the giver wants to be told; "" when they gave nothing.
func (b *Book) contact(f *Feedback) string {
	if len(f.Contact) == 0 || b.o.Sealer == nil {
		return ""
	}
	plain, err := b.o.Sealer.Unseal("feedback "+f.ID, f.Contact)
	if err != nil {
		b.o.Logger.Warn("a contact cannot be unsealed", "feedback", f.ID, "err", err)
		return ""
	}
	return string(plain)
}

// maxTold bounds what one is told.
const maxTold = 10

// Tell notes what the giver was told of what became of it, and gives where to
// tell them: sending is the person's own act.
func (b *Book) Tell(ctx context.Context, who Actor, id, text string) (f Feedback, contact string, err error) {
	text = strings.TrimSpace(clip(text, maxComment))
	if text == "" {
		return f, "", invalid("say what they are told")
	}
	b.write.Lock()
	defer b.write.Unlock()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		var ok bool
		if f, ok, err = read(ctx, tx, id); err != nil {
			return err
		}
		switch {
		case !ok || !who.Can("viewer", f.Team, f.Environment):
			return fault.New(fault.KindNotFound, "feedback.not_found", "there is no feedback %.60s", id)
		case !who.Can("responder", f.Team, f.Environment) && !who.Can("developer", f.Team, f.Environment):
			return fault.New(fault.KindDenied, "feedback.denied", "answering needs the role responder or developer for team %q", f.Team)
		case f.Erased:
			return fault.New(fault.KindConflict, "feedback.erased", "what this person said was erased; nobody knows whom to tell")
		case len(f.Told) >= maxTold:
			return fault.New(fault.KindExhausted, "feedback.too_many", "they were told %d times", maxTold)
		}
		if contact = b.contact(&f); contact == "" {
			hint := "forms ask for one where feedback is negative"
			if f.Watching(b.o.Now()) {
				hint = "they can see what becomes of it by a link: `reeve feedback status " + id + " --state working TEXT`"
			}
			return fault.New(fault.KindConflict, "feedback.no_contact", "this person left no address").WithHint("%s", hint)
		}
		f.Told = append(f.Told, Telling{At: b.o.Now().UTC().Truncate(time.Microsecond), By: cmp.Or(who.Name, who.Person), Text: text, How: "by_hand"})
		if err := f.save(ctx, tx); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.feedback_told", Person: who.Person, Via: who.Via, Action: "tell", Object: id}); err != nil {
			return err
		}
		return b.tell(ctx, tx, []Feedback{f})
	})
	return f, contact, err
}
