package topic

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/detect/chance"
	"reeve/internal/fault"
	"reeve/internal/stat"
	"reeve/internal/topic/mood"
)

// Place is a team and an environment that somebody may see; "*" is all.
type Place struct{ Team, Environment string }

// Filter says of which runs figures are.
type Filter struct {
	Team, Environment, Agent, Version string
	From, To                          time.Time // both are needed
	Visible                           []Place   // nil: all
}

func (f *Filter) where(alias string) control.Where {
	var w control.Where
	w.Is(alias+"team", f.Team)
	w.Is(alias+"environment", f.Environment)
	w.Is(alias+"agent", f.Agent)
	w.Is(alias+"version", f.Version)
	w.Add(alias+"at >= ?", control.Micros(f.From))
	w.Add(alias+"at < ?", control.Micros(f.To))
	see(&w, alias, f.Visible)
	return w
}

// see narrows to what somebody may see.
func see(w *control.Where, alias string, places []Place) {
	if places == nil {
		return
	}
	or := []string{"1 = 0"}
	var args []any
	for _, p := range places {
		cond := "1 = 1"
		if p.Team != "*" {
			cond += " AND " + alias + "team = ?"
			args = append(args, p.Team)
		}
		if p.Environment != "*" {
			cond += " AND " + alias + "environment = ?"
			args = append(args, p.Environment)
		}
		or = append(or, "("+cond+")")
	}
	w.Add("("+strings.Join(or, " OR ")+")", args...)
}

// Figures are what became of the runs that were about a topic. A share's second
// number is of how many.
type Figures struct {
	Topic              string // "" is what is not grouped
	Runs, Sessions     int64
	Resolved, Known    int64
	Satisfied, Said    int64
	Unanswered, Told   int64 // failed, handed over, given up, complained of, or asked again; of those of which anything is known
	AskedAgain         int64
	Priced             int64
	Cost               float64 // USD, of those that are priced
	All                int64   // runs of all topics in this period
	Before, AllBefore  int64   // the same of the period before
	Then, AllThen, Now int64   // sessions: of the topic and of all then, of all now
	Drift              string  // "", "more", "less": its share changed by more than chance
	First              time.Time
}

const figureColumns = `COUNT(*), COUNT(DISTINCT r.session),
	SUM(r.outcome IN ('resolved', 'verified_resolved', 'implied_resolved')), SUM(r.outcome <> '' OR r.failed = 1),
	SUM(r.verdict = 'positive'), SUM(r.verdict <> ''),
	SUM(r.outcome IN ('failed', 'escalated', 'abandoned') OR (r.outcome = '' AND r.failed = 1) OR r.verdict = 'negative' OR r.asked_again = 1), SUM(r.outcome <> '' OR r.failed = 1 OR r.verdict <> '' OR r.asked_again = 1), SUM(r.asked_again),
	COUNT(r.cost), COALESCE(SUM(r.cost), 0), MIN(r.at)`

func scanFigures(r control.Row) (f Figures, err error) {
	var first int64
	err = r.Scan(&f.Topic, &f.Runs, &f.Sessions, &f.Resolved, &f.Known, &f.Satisfied, &f.Said, &f.Unanswered, &f.Told, &f.AskedAgain, &f.Priced, &f.Cost, &first)
	f.First = control.Time(first)
	return f, err
}

// Figures adds up by topic, the most asked for first; what is not grouped is last.
func (b *Book) Figures(ctx context.Context, f Filter) ([]Figures, error) {
	w := f.where("r.")
	w.Add("r.cell <> 0")
	out, err := control.All(ctx, b.o.DB, scanFigures, `SELECT COALESCE(c.topic, ''), `+figureColumns+` FROM topic_runs r LEFT JOIN topic_cells c ON c.id = r.cell`+w.Text()+` GROUP BY COALESCE(c.topic, '') ORDER BY COUNT(*) DESC, 1`, w.Args...)
	if err != nil {
		return nil, err
	}
	before := f
	before.From, before.To = f.From.Add(-f.To.Sub(f.From)), f.From
	w = before.where("r.")
	w.Add("r.cell <> 0")
	type count struct {
		topic       string
		n, sessions int64
	}
	was, err := control.All(ctx, b.o.DB, func(r control.Row) (c count, err error) { return c, r.Scan(&c.topic, &c.n, &c.sessions) },
		`SELECT COALESCE(c.topic, ''), COUNT(*), COUNT(DISTINCT r.session) FROM topic_runs r LEFT JOIN topic_cells c ON c.id = r.cell`+w.Text()+` GROUP BY COALESCE(c.topic, '')`, w.Args...)
	if err != nil {
		return nil, err
	}
	then := map[string]count{}
	var now, past count
	for _, c := range was {
		then[c.topic] = c
		past.n, past.sessions = past.n+c.n, past.sessions+c.sessions
	}
	for i := range out {
		now.n, now.sessions = now.n+out[i].Runs, now.sessions+out[i].Sessions
	}
	for i := range out {
		f, c := &out[i], then[out[i].Topic]
		f.All, f.Before, f.AllBefore = now.n, c.n, past.n
		f.Then, f.AllThen, f.Now = c.sessions, past.sessions, now.sessions
	}
	drift(out)
	slices.SortStableFunc(out, func(a, b Figures) int {
		if (a.Topic == "") != (b.Topic == "") {
			return cmp.Compare(len(b.Topic), len(a.Topic))
		}
		return cmp.Compare(b.Runs, a.Runs)
	})
	return out, nil
}

// driftShare is how many of the topics that are said to have changed may have
// changed by chance alone.
const driftShare = .05

// leastDrift is how many sessions the two periods need each. Sessions are counted,
// since one session with many runs is one user's wish.
const leastDrift = 30

// drift marks the topics whose share of all runs changed by more than chance, with
// the number of topics looked at taken into account.
func drift(all []Figures) {
	if len(all) == 0 || all[0].Now < leastDrift || all[0].AllThen < leastDrift {
		return
	}
	ps := make([]float64, len(all))
	for i := range all {
		f := &all[i]
		ps[i] = stat.Fisher(f.Sessions, f.Now-f.Sessions, f.Then, f.AllThen-f.Then)
	}
	for i, yes := range chance.Choose(ps, driftShare) {
		f := &all[i]
		switch {
		case !yes || f.Topic == "":
		case float64(f.Sessions)*float64(f.AllThen) > float64(f.Then)*float64(f.Now):
			f.Drift = "more"
		default:
			f.Drift = "less"
		}
	}
}

// Topics lists topics by id, those that are no more included.
func (b *Book) Topics(ctx context.Context, visible []Place) (map[string]Topic, error) {
	var w control.Where
	see(&w, "", visible)
	all, err := control.All(ctx, b.o.DB, scanTopic, `SELECT `+topicColumns+` FROM topics`+w.Text()+` ORDER BY updated_at DESC LIMIT 20000`, w.Args...)
	out := make(map[string]Topic, len(all))
	for _, t := range all {
		out[t.ID] = t
	}
	return out, err
}

var errNotFound = fault.New(fault.KindNotFound, "topic.not_found", "there is no such topic").WithHint("`reeve topic list` lists them")

// mostInto bounds how far a topic is followed that became part of another.
const mostInto = 10

// Get reads a topic; of one that is no more, the one that it is part of now.
func (b *Book) Get(ctx context.Context, id string) (t Topic, err error) {
	for range mostInto {
		var ok bool
		t, ok, err = control.One(ctx, b.o.DB, scanTopic, `SELECT `+topicColumns+` FROM topics WHERE id = ?`, id)
		if err != nil {
			return t, err
		}
		if !ok {
			return t, errNotFound
		}
		if t.Into == "" {
			return t, nil
		}
		id = t.Into
	}
	return t, errNotFound
}

// Asked is a run with the topic that it was about.
type Asked struct {
	Run, Topic, Team, Environment, Agent, Version, Session, Outcome, Verdict string
	Failed, AskedAgain                                                       bool
	Cost                                                                     *float64
	Near                                                                     float64
	At                                                                       time.Time
}

const askedColumns = `r.run, COALESCE(c.topic, ''), r.team, r.environment, r.agent, r.version, r.session, r.outcome, r.verdict, r.failed, r.asked_again, r.cost, r.near, r.at`

func scanAsked(r control.Row) (a Asked, err error) {
	var at int64
	err = r.Scan(&a.Run, &a.Topic, &a.Team, &a.Environment, &a.Agent, &a.Version, &a.Session, &a.Outcome, &a.Verdict, &a.Failed, &a.AskedAgain, &a.Cost, &a.Near, &at)
	a.At = control.Time(at)
	return a, err
}

// Runs lists runs of a topic ("" those of none), the newest first; unanswered asks
// for those alone that nobody answered. typical has those first that are nearest to
// what the others asked.
func (b *Book) Runs(ctx context.Context, f Filter, topic string, unanswered, typical bool, limit int, before time.Time) ([]Asked, error) {
	if !before.IsZero() {
		f.To = before
	}
	w := f.where("r.")
	w.Add("r.cell <> 0")
	if topic == "" {
		w.Add("COALESCE(c.topic, '') = ''")
	} else {
		w.Add("c.topic = ?", topic)
	}
	if unanswered {
		w.Add("(r.outcome IN ('failed', 'escalated', 'abandoned') OR (r.outcome = '' AND r.failed = 1) OR r.verdict = 'negative' OR r.asked_again = 1)")
	}
	order := "r.at DESC, r.run"
	if typical {
		order = "r.near DESC, r.at DESC"
	}
	return control.All(ctx, b.o.DB, scanAsked, `SELECT `+askedColumns+` FROM topic_runs r LEFT JOIN topic_cells c ON c.id = r.cell`+w.Text()+` ORDER BY `+order+` LIMIT ?`, append(w.Args, limit)...)
}

// Of are the ids of the runs that were about some topics, the newest first: of no topics,
// those that were about any. Its places and period are the filter's.
func (b *Book) Of(ctx context.Context, f Filter, topics []string, limit int) ([]activity.RunID, error) {
	w := f.where("r.")
	if len(topics) == 0 {
		w.Add("c.topic <> ''")
	} else {
		args := make([]any, len(topics))
		for i := range topics {
			args[i] = topics[i]
		}
		w.Add("c.topic IN (?"+strings.Repeat(", ?", len(topics)-1)+")", args...)
	}
	return control.All(ctx, b.o.DB, func(r control.Row) (id activity.RunID, err error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return id, err
		}
		return activity.ParseRunID(text)
	}, `SELECT r.run FROM topic_runs r JOIN topic_cells c ON c.id = r.cell`+w.Text()+` ORDER BY r.at DESC LIMIT ?`, append(w.Args, limit)...)
}

// Abouts are the topics of the runs of a period, by run, the newest first; runs that were
// not looked at, or are of no topic, are not in it. false: there are more than limit.
func (b *Book) Abouts(ctx context.Context, f Filter, limit int) (map[string]string, bool, error) {
	w := f.where("r.")
	w.Add("c.topic <> ''")
	type about struct{ run, topic string }
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (a about, err error) { return a, r.Scan(&a.run, &a.topic) },
		`SELECT r.run, c.topic FROM topic_runs r JOIN topic_cells c ON c.id = r.cell`+w.Text()+` ORDER BY r.at DESC LIMIT ?`, append(w.Args, limit+1)...)
	out := make(map[string]string, len(all))
	for _, a := range all[:min(len(all), limit)] {
		out[a.run] = a.topic
	}
	return out, len(all) <= limit, err
}

// OfRun is what a run was about; false when it was not looked at (yet).
func (b *Book) OfRun(ctx context.Context, run activity.RunID) (Asked, bool, error) {
	return control.One(ctx, b.o.DB, scanAsked, `SELECT `+askedColumns+` FROM topic_runs r LEFT JOIN topic_cells c ON c.id = r.cell WHERE r.run = ?`, run.String())
}

// Part is a topic's figures of an agent and version, or of a part of the period.
type Part struct {
	At time.Time // of a series
	Figures
}

// ByAgent splits a topic's figures; Topic is agent and version there.
func (b *Book) ByAgent(ctx context.Context, f Filter, topic string) ([]Figures, error) {
	w := f.where("r.")
	w.Add("c.topic = ?", topic)
	return control.All(ctx, b.o.DB, scanFigures, `SELECT r.agent, `+figureColumns+` FROM topic_runs r JOIN topic_cells c ON c.id = r.cell`+w.Text()+` GROUP BY r.agent ORDER BY COUNT(*) DESC LIMIT 50`, w.Args...)
}

// Series splits a topic's figures by time; "" is all topics.
func (b *Book) Series(ctx context.Context, f Filter, topic string, width time.Duration) ([]Part, error) {
	w := f.where("r.")
	w.Add("r.cell <> 0")
	if topic != "" {
		w.Add("c.topic = ?", topic)
	}
	us := max(width.Microseconds(), 1)
	type bucket struct {
		at int64
		Figures
	}
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (p Part, err error) {
		var x bucket
		var first int64
		err = r.Scan(&x.at, &x.Runs, &x.Sessions, &x.Resolved, &x.Known, &x.Satisfied, &x.Said, &x.Unanswered, &x.Told, &x.AskedAgain, &x.Priced, &x.Cost, &first)
		return Part{At: control.Time(x.at), Figures: x.Figures}, err
	}, `SELECT r.at / ? * ?, `+figureColumns+` FROM topic_runs r LEFT JOIN topic_cells c ON c.id = r.cell`+w.Text()+` GROUP BY 1 ORDER BY 1 LIMIT 1000`, append([]any{us, us}, w.Args...)...)
	return all, err
}

// Session is how patient one session's user was.
type Session struct {
	Session, Team, Environment, Agent, Version string
	Runs, Prompts                              int64
	Score                                      float64
	Signs                                      []Sign
	At                                         time.Time
}

const sessionColumns = `session, team, environment, agent, version, runs, prompts, score, signs, at`

func scanSession(r control.Row) (s Session, err error) {
	var signs string
	var at int64
	if err := r.Scan(&s.Session, &s.Team, &s.Environment, &s.Agent, &s.Version, &s.Runs, &s.Prompts, &s.Score, &signs, &at); err != nil {
		return s, err
	}
	s.At = control.Time(at)
	return s, json.Unmarshal([]byte(signs), &s.Signs)
}

// Sessions lists sessions with a sign, the most frustrated first.
func (b *Book) Sessions(ctx context.Context, f Filter, limit int) ([]Session, error) {
	w := f.where("")
	w.Add("score > 0")
	return control.All(ctx, b.o.DB, scanSession, `SELECT `+sessionColumns+` FROM topic_sessions`+w.Text()+` ORDER BY score DESC, at DESC, session LIMIT ?`, append(w.Args, limit)...)
}

// SessionOf is the mood of the session of a run; false when it was not looked at.
func (b *Book) SessionOf(ctx context.Context, a *Asked) (Session, bool, error) {
	return control.One(ctx, b.o.DB, scanSession, `SELECT `+sessionColumns+` FROM topic_sessions WHERE team = ? AND environment = ? AND session = ?`, a.Team, a.Environment, a.Session)
}

// Frustration is how many of the sessions were frustrated, by agent, version or
// time.
type Frustration struct {
	At                   time.Time
	Group                string
	Frustrated, Sessions int64
}

// groupColumns are what frustration is split by.
var groupColumns = map[string]string{"": "''", "agent": "agent", "version": "version", "team": "team", "environment": "environment"}

// Frustrations counts sessions, split by a column of groupColumns and by time (0:
// not); ok is false where it cannot be split so.
func (b *Book) Frustrations(ctx context.Context, f Filter, by string, width time.Duration) (all []Frustration, ok bool, err error) {
	column, ok := groupColumns[by]
	if !ok {
		return nil, false, nil
	}
	w := f.where("")
	bucket, args := control.Bucket(width)
	args = append(args, mood.Frustrated)
	all, err = control.All(ctx, b.o.DB, func(r control.Row) (x Frustration, err error) {
		var at int64
		err = r.Scan(&at, &x.Group, &x.Frustrated, &x.Sessions)
		x.At = control.BucketTime(at)
		return x, err
	}, `SELECT `+bucket+`, `+column+`, SUM(score >= ?), COUNT(*) FROM topic_sessions`+w.Text()+` GROUP BY 1, 2 ORDER BY 1, 4 DESC LIMIT 5000`, append(args, w.Args...)...)
	return all, true, err
}

// Actor is who changes something.
type Actor struct {
	Person, Name, Via string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

const maxName = 120

// Rename calls a topic by a name of somebody's; "" takes it back.
func (b *Book) Rename(ctx context.Context, who Actor, id, name string, revision int64) (Topic, error) {
	name = strings.TrimSpace(name)
	if len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return Topic{}, fault.New(fault.KindInvalid, "topic.name", "a name is a line of %d bytes at most", maxName)
	}
	t, err := b.Get(ctx, id)
	if err != nil {
		return t, err
	}
	if !who.Can("developer", cmp.Or(t.Team, "*"), cmp.Or(t.Environment, "*")) {
		return t, fault.New(fault.KindDenied, "topic.denied", "this needs the role developer for team %q in %q", t.Team, t.Environment)
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE topics SET name = ?, revision = revision + 1 WHERE id = ? AND revision = ?`, name, t.ID, revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "topic.conflict", "topic %s was named meanwhile", t.ID).WithHint("read it again and give its revision")
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.topic_named", Person: who.Person, Via: who.Via, Action: "name", Object: t.ID, After: json.RawMessage(marshal(map[string]string{"name": name}))})
	})
	if err != nil {
		return t, err
	}
	return b.Get(ctx, t.ID)
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a map of texts
	}
	return b
}
