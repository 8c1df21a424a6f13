package evaluate

import (
	"cmp"
	"context"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
)

// Place is a team and an environment that somebody may see; "*" is all.
type Place struct{ Team, Environment string }

// Filter says which evaluations.
type Filter struct {
	Run, Agent, Version, Evaluator, Verdict, Source, Team, Environment string
	From, To                                                           time.Time
	Visible                                                            []Place // nil: all
	Limit                                                              int
	After                                                              Cursor
}

// Cursor is where a page ended; the zero one is the beginning.
type Cursor struct {
	At int64  `json:"a,omitempty"`
	ID string `json:"i,omitempty"`
}

// where makes the conditions; columns are of table t.
func (f *Filter) where(t string) control.Where {
	var w control.Where
	// A label that was taken back is kept for those who follow (After) alone.
	// Callers go on with AND.
	w.Add("(" + t + "source <> 'human' OR " + t + "verdict <> '')")
	for _, is := range [...]struct{ column, value string }{
		{"run", f.Run}, {"agent", f.Agent}, {"version", f.Version}, {"evaluator", f.Evaluator}, {"source", f.Source}, {"team", f.Team}, {"environment", f.Environment},
	} {
		if is.value != "" {
			w.Add(t+is.column+" = ?", is.value)
		}
	}
	switch f.Verdict {
	case "":
	case "none":
		w.Add(t + "verdict = ''")
	default:
		w.Add(t+"verdict = ?", f.Verdict)
	}
	if !f.From.IsZero() {
		w.Add(t+"at >= ?", control.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.Add(t+"at < ?", control.Micros(f.To))
	}
	if f.Visible != nil {
		or := []string{"1 = 0"}
		var args []any
		for _, p := range f.Visible {
			cond := "1 = 1"
			if p.Team != "*" {
				cond += " AND " + t + "team = ?"
				args = append(args, p.Team)
			}
			if p.Environment != "*" {
				cond += " AND " + t + "environment = ?"
				args = append(args, p.Environment)
			}
			or = append(or, "("+cond+")")
		}
		w.Add("("+strings.Join(or, " OR ")+")", args...)
	}
	if c := f.After; c.ID != "" {
		w.Add("("+t+"at < ? OR ("+t+"at = ? AND "+t+"id > ?))", c.At, c.At, c.ID)
	}
	return w
}

// List lists evaluations, the newest first. next is the zero cursor at the end.
func (b *Book) List(ctx context.Context, f Filter) (all []Evaluation, next Cursor, err error) {
	w := f.where("")
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM evaluations`+w.Text()+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	return all, Cursor{control.Micros(all[limit-1].At), all[limit-1].ID}, nil
}

// Count is what one evaluator found of one version of an agent.
type Count struct {
	Evaluator, Agent, Version, Team, Environment string
	Pass, Unsure, Fail, None                     int64
	Score                                        *float64 // mean
}

// Counts adds up what evaluators found.
func (b *Book) Counts(ctx context.Context, f Filter) ([]Count, error) {
	f.Source, f.After = Online, Cursor{}
	w := f.where("")
	return control.All(ctx, b.o.DB, func(r control.Row) (c Count, err error) {
		return c, r.Scan(&c.Evaluator, &c.Agent, &c.Version, &c.Team, &c.Environment, &c.Pass, &c.Unsure, &c.Fail, &c.None, &c.Score)
	}, `SELECT evaluator, agent, version, team, environment, SUM(verdict = 'pass'), SUM(verdict = 'unsure'), SUM(verdict = 'fail'), SUM(verdict = ''), AVG(score)
		FROM evaluations`+w.Text()+` GROUP BY evaluator, agent, version, team, environment ORDER BY evaluator, SUM(verdict = 'fail') DESC, agent, version LIMIT 1000`, w.Args...)
}

// Judged is what evaluators of one kind found in a part of a period and of a group.
type Judged struct {
	At                       time.Time // zero where time is not split
	Group                    string
	Pass, Unsure, Fail, None int64
}

var judgedBy = map[string]string{"": "''", "agent": "agent", "version": "version", "team": "team", "environment": "environment"}

// Judged counts what the evaluators of a kind that there are now found of answers,
// split by time (0: not) and by one of agent, version, team and environment; by
// anything else it counts nothing.
func (b *Book) Judged(ctx context.Context, kind string, f Filter, by string, width time.Duration) ([]Judged, error) {
	column, ok := judgedBy[by]
	f.Source, f.After = Online, Cursor{}
	w := f.where("")
	if !ok || !b.ofKind(&w, kind) {
		return nil, nil
	}
	bucket, args := control.Bucket(width)
	return control.All(ctx, b.o.DB, func(r control.Row) (x Judged, err error) {
		var at int64
		err = r.Scan(&at, &x.Group, &x.Pass, &x.Unsure, &x.Fail, &x.None)
		x.At = control.BucketTime(at)
		return x, err
	}, `SELECT `+bucket+`, `+column+`, SUM(verdict = 'pass'), SUM(verdict = 'unsure'), SUM(verdict = 'fail'), SUM(verdict = '')
		FROM evaluations`+w.Text()+` GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5000`, append(args, w.Args...)...)
}

// Agreement is how far two judges agree on the same runs: of those both judged
// pass or fail.
type Agreement struct {
	Evaluator            string
	N                    int64
	Both, Neither        int64 // both pass; both fail
	OnlyFirst, OnlyOther int64 // pass by the first alone; by the second alone
}

// Kappa is Cohen's: 1 is agreement in all, 0 what chance would give; false when
// nothing was judged or everything the same way.
func (a *Agreement) Kappa() (float64, bool) {
	n := float64(a.N)
	if n == 0 {
		return 0, false
	}
	seen := float64(a.Both+a.Neither) / n
	p, q := float64(a.Both+a.OnlyFirst)/n, float64(a.Both+a.OnlyOther)/n
	chance := p*q + (1-p)*(1-q)
	if chance >= 1 {
		return 0, false
	}
	return (seen - chance) / (1 - chance), true
}

const agreementColumns = `COUNT(*), SUM(x.verdict = 'pass' AND h.verdict = 'pass'), SUM(x.verdict = 'fail' AND h.verdict = 'fail'), SUM(x.verdict = 'pass' AND h.verdict = 'fail'), SUM(x.verdict = 'fail' AND h.verdict = 'pass')`

func scanAgreement(r control.Row) (a Agreement, err error) {
	return a, r.Scan(&a.Evaluator, &a.N, &a.Both, &a.Neither, &a.OnlyFirst, &a.OnlyOther)
}

// Agreements compare each evaluator with people.
func (b *Book) Agreements(ctx context.Context, f Filter) ([]Agreement, error) {
	f.Source, f.Verdict, f.After = Online, "", Cursor{}
	w := f.where("x.")
	return control.All(ctx, b.o.DB, scanAgreement, `SELECT x.evaluator, `+agreementColumns+` FROM evaluations x JOIN evaluations h ON h.run = x.run AND h.evaluator = x.evaluator AND h.source = 'human'`+
		w.Text()+` AND x.verdict IN ('pass', 'fail') AND h.verdict IN ('pass', 'fail') GROUP BY x.evaluator ORDER BY x.evaluator LIMIT 500`, w.Args...)
}

// PeopleAgree compares people who labelled the same runs.
func (b *Book) PeopleAgree(ctx context.Context, f Filter) ([]Agreement, error) {
	f.Source, f.Verdict, f.After = Human, "", Cursor{}
	w := f.where("x.")
	return control.All(ctx, b.o.DB, scanAgreement, `SELECT x.evaluator, `+agreementColumns+` FROM evaluations x JOIN evaluations h ON h.run = x.run AND h.evaluator = x.evaluator AND h.source = 'human' AND h.person > x.person`+
		w.Text()+` AND x.verdict IN ('pass', 'fail') AND h.verdict IN ('pass', 'fail') GROUP BY x.evaluator ORDER BY x.evaluator LIMIT 500`, w.Args...)
}

// Queue lists what a person should look at: what an evaluator was unsure of,
// then what it failed, then a tenth of what it passed, since only looking at
// alarms tells nothing of what is missed. What this person labelled is not in it.
func (b *Book) Queue(ctx context.Context, person string, f Filter) ([]Evaluation, error) {
	f.Source, f.After = Online, Cursor{}
	w := f.where("x.")
	w.Add(`x.verdict <> '' AND (x.verdict <> 'pass' OR x.seq % 10 = 0)`)
	w.Add(`NOT EXISTS (SELECT 1 FROM evaluations h WHERE h.run = x.run AND h.evaluator = x.evaluator AND h.source = 'human' AND h.verdict <> '' AND h.person = ?)`, person)
	cols := "x." + strings.ReplaceAll(columns, ", ", ", x.")
	return control.All(ctx, b.o.DB, scan, `SELECT `+cols+` FROM evaluations x`+w.Text()+` ORDER BY CASE x.verdict WHEN 'unsure' THEN 0 WHEN 'fail' THEN 1 ELSE 2 END, x.at DESC LIMIT ?`, append(w.Args, cmp.Or(f.Limit, 50))...)
}

// Label keeps what a person says of a run in an evaluator's place; an empty
// verdict takes it back.
func (b *Book) Label(ctx context.Context, who Actor, run activity.RunID, evaluator, verdict, why string) (Evaluation, error) {
	var x Evaluation
	if verdict != "" && verdict != Pass && verdict != Fail {
		return x, invalid("a label is pass or fail, or empty to take it back")
	}
	if len(evaluator) > 100 || !nameShape.MatchString(evaluator) {
		return x, invalid("name the evaluator in whose place you say it")
	}
	t, ok, err := b.o.Runs.Texts(ctx, run)
	if err != nil {
		return x, err
	}
	if !ok || !who.Can("viewer", cmp.Or(t.Team, "*"), cmp.Or(t.Environment, "*")) {
		return x, invalid("there is no such run")
	}
	if err := who.may([]string{"developer", "responder"}, t.Team, t.Environment); err != nil {
		return x, err
	}
	x = Evaluation{
		ID: id("human", run.String(), evaluator, who.Person), Run: run.String(), Evaluator: evaluator, Source: Human, Agent: t.Agent, Version: t.Version, Team: t.Team, Environment: t.Environment,
		Person: who.Person, At: b.o.Now().UTC().Truncate(time.Microsecond), Found: Found{Verdict: verdict, Text: cut(strings.TrimSpace(why), 1000)}, Kind: "label",
	}
	return x, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if verdict == "" {
			_, had, err := control.One(ctx, tx, scan, `SELECT `+columns+` FROM evaluations WHERE id = ?`, x.ID)
			if err != nil || !had {
				return err
			}
		}
		// What is taken back is written too: who took the label for evidence follows
		// by number, and never learns of a row that is gone.
		if err := x.write(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.run_labelled", Person: who.Person, Via: who.Via, Action: "label", Object: x.Run, After: map[string]any{"evaluator": evaluator, "verdict": verdict}})
	})
}
