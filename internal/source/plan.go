package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Where an audit plan has its questions from.
const (
	FromDataset    = "dataset"    // cases of a data set, which say what is right
	FromSheet      = "sheet"      // questions with their truth, kept with the plan
	FromRecorded   = "recorded"   // what users asked in runs that read the source; the truth is asked for
	FromUnanswered = "unanswered" // what users asked in runs that came to nothing
)

// AuditPlan asks an agent sampled questions at times, as tests, and keeps how often
// it was right as an audit of the source that it answers from.
//
//	due --Ask--> running --Asked: done--> audit kept, due again in Every
//	                     \--failed------> trouble, due again in Every
//	                     \--ended with the process--> due at once
type AuditPlan struct {
	Source  string    `json:"-"`
	Running string    `json:"-"` // "": nothing is asked now
	NextAt  time.Time `json:"-"` // zero while it is paused

	Revision     int64         `json:"revision"`
	Agent        string        `json:"agent"`
	Questions    string        `json:"questions"`
	Dataset      string        `json:"dataset,omitempty"`
	Sheet        []Known       `json:"sheet,omitempty"`
	TruthURL     string        `json:"truth_url,omitempty"` // answers {"question"} with {"truth"}
	AllowPrivate bool          `json:"allow_private,omitempty"`
	Sample       int           `json:"sample"`
	Every        time.Duration `json:"every"`
	Paused       bool          `json:"paused,omitempty"`
	By           string        `json:"by,omitempty"`
	// Teams are those within which it may act: who set it may have left, and what the
	// plan may read must not grow with the teams of what it names.
	Teams     []string  `json:"teams,omitempty"`
	LastAt    time.Time `json:"last_at,omitzero"`
	Last      string    `json:"last,omitempty"`       // experiment
	LastAudit string    `json:"last_audit,omitempty"` // what it came to
	Trouble   string    `json:"trouble,omitempty"`    // why it came to none the last time
}

// Known is a question of which somebody knows the answer.
type Known struct {
	Question string `json:"question"`
	Truth    string `json:"truth"`
}

// Answered is what became of one sampled question.
type Answered struct {
	Item  string // case, number in the sheet, or run in which it was asked
	Run   string // of the test
	Said  bool   // there was an answer that could be looked at
	Right bool
	Why   string
}

// Asked is what a sample came to so far.
type Asked struct {
	Done, Failed bool
	// Lost: the process that asked ended before it was done.
	Lost  bool
	Why   string
	Items []Answered
}

// Auditor asks agents. Its methods are called by Audits alone, and by PutPlan.
type Auditor interface {
	// Check says why a plan cannot be: the agent cannot be invoked, its questions
	// cannot be read by who sets it.
	Check(ctx context.Context, who Actor, team string, p *AuditPlan) error
	// Ask begins to put a sample to the agent, and gives by what it is known.
	Ask(ctx context.Context, p *AuditPlan) (id string, err error)
	// Asked is what it came to so far.
	Asked(ctx context.Context, id string) (Asked, error)
}

const (
	leastSample = leastHeld // a limit is broken from so many on
	mostSample  = 200
	usualSample = 50
	usualEvery  = 7 * 24 * time.Hour
	leastEvery  = time.Hour
	mostEvery   = 366 * 24 * time.Hour
	maxSheet    = maxAudit
	planEvery   = 2 * time.Second
	askWithin   = 3 * time.Minute
	maxURL      = 2000
)

var noPlan = fault.New(fault.KindNotFound, "source.no_audit_plan", "this source has no audit plan").WithHint("`reeve source plan SOURCE --agent AGENT --dataset NAME` makes one")

func (p *AuditPlan) check() error {
	p.Sample, p.Every = cmp.Or(p.Sample, usualSample), cmp.Or(p.Every, usualEvery)
	switch {
	case p.Agent == "" || len(p.Agent) > maxName:
		return invalid("say which agent is asked")
	case p.Sample < leastSample || p.Sample > mostSample:
		return invalid("a sample has %d to %d questions: a limit is looked at from %d answers on", leastSample, mostSample, leastSample)
	case p.Every < leastEvery || p.Every > mostEvery:
		return invalid("a plan asks at most once an hour and at least once a year")
	case len(p.Sheet) > 0 != (p.Questions == FromSheet), p.Dataset != "" != (p.Questions == FromDataset):
		return invalid("questions are from a data set, or a sheet, or recorded: one of these")
	}
	switch p.Questions {
	case FromDataset:
		if len(p.Dataset) > maxName {
			return invalid("a data set's name has at most %d bytes", maxName)
		}
	case FromSheet:
		if len(p.Sheet) > maxSheet {
			return invalid("a sheet has at most %d questions", maxSheet)
		}
		for i, k := range p.Sheet {
			if strings.TrimSpace(k.Question) == "" || len(k.Question) > 4*maxText || len(k.Truth) > 4*maxText || len(wordsOf(k.Truth)) == 0 {
				return invalid("sheet[%d] needs a question and its truth, of at most %d bytes each", i, 4*maxText)
			}
		}
	case FromRecorded, FromUnanswered:
		if p.TruthURL == "" {
			return invalid("nobody knows the truth of what users asked: name where it is asked for (truth_url)")
		}
	default:
		return invalid("questions are %s, %s, %s or %s, not %.20q", FromDataset, FromSheet, FromRecorded, FromUnanswered, p.Questions)
	}
	if p.TruthURL != "" && (p.Questions == FromDataset || p.Questions == FromSheet) {
		return invalid("cases and sheets say the truth themselves: a truth_url is for recorded questions")
	}
	if len(p.TruthURL) > maxURL || p.TruthURL != "" && !strings.HasPrefix(p.TruthURL, "https://") && !strings.HasPrefix(p.TruthURL, "http://") {
		return invalid("truth_url is an http or https address of at most %d bytes", maxURL)
	}
	return nil
}

const planColumns = `source, running, next_at, body`

func scanPlan(r control.Row) (p AuditPlan, err error) {
	var next int64
	var body string
	if err := r.Scan(&p.Source, &p.Running, &next, &body); err != nil {
		return p, err
	}
	if next != math.MaxInt64 {
		p.NextAt = control.Time(next)
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return p, fault.New(fault.KindInternal, "source.stored", "a stored audit plan cannot be read").WithCause(err)
	}
	return p, nil
}

func (p *AuditPlan) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	next := int64(math.MaxInt64)
	if !p.NextAt.IsZero() {
		next = control.Micros(p.NextAt)
	}
	_, err = tx.Exec(ctx, `INSERT INTO source_audit_plans (`+planColumns+`) VALUES (?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET running = excluded.running, next_at = excluded.next_at, body = excluded.body`, p.Source, p.Running, next, string(body))
	return err
}

// Plans are the audit plans by source.
func (b *Book) Plans(ctx context.Context) (map[string]AuditPlan, error) {
	all, err := control.All(ctx, b.o.DB, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans`)
	out := make(map[string]AuditPlan, len(all))
	for _, p := range all {
		out[p.Source] = p
	}
	return out, err
}

// Plan is how a source is audited by itself.
func (b *Book) Plan(ctx context.Context, name string) (AuditPlan, error) {
	p, ok, err := control.One(ctx, b.o.DB, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans WHERE source = ?`, name)
	if err == nil && !ok {
		err = noPlan
	}
	return p, err
}

// owned is the team of a source that who may audit.
func (b *Book) owned(ctx context.Context, r control.Reader, who Actor, name string) (string, error) {
	s, ok, err := control.One(ctx, r, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, name)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", notFound(name)
	case !who.Can("developer", s.team, "*"):
		return "", fault.New(fault.KindDenied, "source.denied", "a source is audited by developers of its team")
	}
	return s.team, nil
}

// PutPlan says how a source is audited by itself. A new plan asks at once; a change
// leaves what is underway and when it asks next.
func (b *Book) PutPlan(ctx context.Context, who Actor, p AuditPlan) (AuditPlan, error) {
	if err := p.check(); err != nil {
		return p, err
	}
	team, err := b.owned(ctx, b.o.DB, who, p.Source)
	if err != nil {
		return p, err
	}
	if b.o.Auditor == nil {
		return p, fault.New(fault.KindUnavailable, "source.no_auditor", "this server invokes no agents")
	}
	if err := b.o.Auditor.Check(ctx, who, team, &p); err != nil {
		return p, err
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	p.By = who.Person
	return p, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		switch still, err := b.owned(ctx, tx, who, p.Source); {
		case err != nil:
			return err
		case still != team:
			return fault.New(fault.KindConflict, "source.conflict", "source %.60s was given to another team meanwhile", p.Source)
		}
		was, known, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans WHERE source = ?`, p.Source)
		if err != nil {
			return err
		}
		if p.Revision != was.Revision {
			return fault.New(fault.KindConflict, "source.conflict", "the audit plan of %.60s was changed meanwhile", p.Source).WithHint("read it again and give its revision")
		}
		p.Revision++
		p.Running, p.LastAt, p.Last, p.LastAudit, p.Trouble = was.Running, was.LastAt, was.Last, was.LastAudit, was.Trouble
		p.NextAt = time.Time{}
		if !p.Paused {
			if p.NextAt = now; known && !was.LastAt.IsZero() && was.LastAt.Add(p.Every).After(now) {
				p.NextAt = was.LastAt.Add(p.Every)
			}
		}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		// Not its questions: they may be content.
		after := map[string]any{"agent": p.Agent, "questions": p.Questions, "dataset": p.Dataset, "known": len(p.Sheet), "truth_url": p.TruthURL, "sample": p.Sample, "every": p.Every.String(), "paused": p.Paused}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.source_audit_plan", Person: who.Person, Via: who.Via, Action: "put", Object: p.Source, After: after}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: p.Source})
	})
}

// PlanNow has a plan ask at once, beside its times.
func (b *Book) PlanNow(ctx context.Context, who Actor, name string) (p AuditPlan, err error) {
	return p, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := b.owned(ctx, tx, who, name); err != nil {
			return err
		}
		var ok bool
		if p, ok, err = control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans WHERE source = ?`, name); err != nil {
			return err
		}
		switch {
		case !ok:
			return noPlan
		case p.Running != "":
			return fault.New(fault.KindConflict, "source.conflict", "it asks now: experiment %s", p.Running)
		case p.Paused:
			return fault.New(fault.KindConflict, "source.conflict", "the plan is paused").WithHint("put it without paused first")
		}
		p.NextAt = b.o.Now().UTC().Truncate(time.Microsecond)
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.source_audit_plan", Person: who.Person, Via: who.Via, Action: "now", Object: name})
	})
}

// DropPlan ends a plan; the audits that it made stay.
func (b *Book) DropPlan(ctx context.Context, who Actor, name string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := b.owned(ctx, tx, who, name); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM source_audit_plans WHERE source = ?`, name)
		if err != nil {
			return err
		}
		if n == 0 {
			return noPlan
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.source_audit_plan", Person: who.Person, Via: who.Via, Action: "delete", Object: name}); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: name})
	})
}

// Ask has plans ask when their time has come, and keeps what that came to, until
// ctx ends.
func (b *Book) Ask(ctx context.Context) error {
	tick := time.NewTicker(planEvery)
	defer tick.Stop()
	for {
		if err := b.plansDue(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("audit plans were not all looked at", "err", err) // they are in a moment
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Book) plansDue(ctx context.Context) error {
	if b.o.Auditor == nil {
		return nil
	}
	due, err := control.All(ctx, b.o.DB, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans WHERE running <> '' OR next_at <= ? ORDER BY next_at, source`, control.Micros(b.o.Now()))
	for i := range due {
		p := &due[i]
		if p.Running == "" {
			err = b.ask(ctx, p)
		} else {
			err = b.asked(ctx, p)
		}
		if err != nil {
			return fmt.Errorf("auditing source %s: %w", p.Source, err)
		}
	}
	return err
}

// ask begins to ask. What cannot be begun is tried again in an hour, and says why: an
// agent that cannot be invoked now may be then.
func (b *Book) ask(ctx context.Context, p *AuditPlan) error {
	bounded, cancel := context.WithTimeout(ctx, askWithin)
	id, err := b.o.Auditor.Ask(bounded, p)
	cancel()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return b.moved(ctx, p, func(now *AuditPlan) {
		now.LastAt = b.o.Now().UTC().Truncate(time.Microsecond)
		next := now.LastAt.Add(now.Every)
		if err == nil {
			now.Running, now.Last, now.Trouble = id, id, ""
		} else {
			now.Trouble = fault.From(err).Message
			next = now.LastAt.Add(min(now.Every, leastEvery))
		}
		if !now.Paused {
			now.NextAt = next
		}
	}, nil)
}

// moved changes a plan that is still as it was looked at, with what goes with it.
func (b *Book) moved(ctx context.Context, p *AuditPlan, change func(*AuditPlan), more func(*control.Tx) error) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		now, ok, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM source_audit_plans WHERE source = ?`, p.Source)
		if err != nil || !ok || now.Running != p.Running {
			return err // it was ended meanwhile: what it asked counts for nothing
		}
		change(&now)
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		if err := now.save(ctx, tx); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "source.updated", Object: p.Source})
	})
}

// asked keeps what a sample came to, once it is done.
func (b *Book) asked(ctx context.Context, p *AuditPlan) error {
	x, err := b.o.Auditor.Asked(ctx, p.Running)
	switch {
	case fault.Is(err, fault.KindNotFound):
		x = Asked{Failed: true, Lost: true}
	case err != nil:
		return err
	case !x.Done && !x.Failed:
		return nil
	}
	trouble := ""
	if x.Failed {
		trouble = "its experiment " + p.Running + " came to no end: " + cmp.Or(x.Why, "Reeve was started anew while it asked")
	}
	a, body := client.SourceAudit{}, []byte(nil)
	if !x.Failed {
		if a, body, err = b.auditOf(p, &x); err != nil {
			return err
		}
		if a.Asked == 0 {
			trouble = fmt.Sprintf("none of %d questions was answered; the first: %s", len(x.Items), cmp.Or(firstWhy(x.Items), "no reason is known"))
		}
	}
	return b.moved(ctx, p, func(now *AuditPlan) {
		now.Running, now.Trouble = "", trouble
		if x.Lost && !now.Paused { // nothing is wrong with it
			now.NextAt = b.o.Now().UTC().Truncate(time.Microsecond)
		}
		if a.Asked > 0 {
			now.LastAudit = a.ID
		}
	}, func(tx *control.Tx) error {
		if a.Asked == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO source_audits (id, source, at, asked, correct, person, body) VALUES (?, ?, ?, ?, ?, ?, ?)`, a.ID, p.Source, control.Micros(a.At), a.Asked, a.Correct, system.Person, string(body)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.source_audited", Person: system.Person, Via: "plan", Action: "audit", Object: p.Source, After: map[string]any{"id": a.ID, "asked": a.Asked, "correct": a.Correct, "experiment": p.Running}})
	})
}

func firstWhy(items []Answered) string {
	for i := range items {
		if items[i].Why != "" {
			return items[i].Why
		}
	}
	return ""
}

// auditOf makes an audit of answers. A question that got no answer says nothing of
// what the source holds: it is counted apart.
func (b *Book) auditOf(p *AuditPlan, x *Asked) (a client.SourceAudit, body []byte, err error) {
	a = client.SourceAudit{At: b.o.Now().UTC().Truncate(time.Microsecond), Agent: p.Agent, Experiment: p.Running, Truth: p.truth(), Wrong: []client.AuditItem{}}
	for _, y := range x.Items {
		switch {
		case !y.Said:
			a.Unanswered++
			continue
		case y.Right:
			a.Correct++
		case len(a.Wrong) < 20:
			a.Wrong = append(a.Wrong, client.AuditItem{Item: y.Item, Run: y.Run})
		}
		a.Asked++
	}
	a.ID = activity.Mint("aud", a.At.UnixNano())
	body, err = json.Marshal(storedAudit{a.Truth, a.Wrong, a.Agent, a.Experiment, a.Unanswered})
	return a, body, err
}

// truth is what answers are held against, in a line.
func (p *AuditPlan) truth() string {
	switch p.Questions {
	case FromDataset:
		return "cases of data set " + p.Dataset
	case FromSheet:
		return "a sheet of " + count(int64(len(p.Sheet)), "question")
	}
	return "what " + cut(p.TruthURL, 200) + " says of " + p.Questions + " questions"
}

// Agrees guesses whether an answer says what is true: it has every number of the
// truth, at least four fifths of its other words, and a denial where it has one.
func Agrees(answer, truth string) bool { return agrees(answer, truth) }

// Names are all names by which steps call a source.
func (b *Book) Names(ctx context.Context, name string) ([]string, error) {
	s, ok, err := control.One(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources WHERE name = ?`, name)
	if err == nil && !ok {
		err = notFound(name)
	}
	return s.called(), err
}
