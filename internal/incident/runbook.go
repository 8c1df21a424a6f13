package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// A runbook is what is done about incidents of a kind, step by step: acts of Reeve,
// and words for people. A run of one on an incident goes
//
//	waiting --a second person--> running --each step--> done | failed
//	                                     \--rollback---> rolled_back
//
// Each act needs the roles of who does the step, as on the incident's page, and is
// one of the incident's acts: rolling back undoes them, the last first.

// RunbookStep is one step: an act, or words alone.
type RunbookStep struct {
	Text string `json:"text"`
	// Act is what is done; an empty kind is a person's to do. A target of {cause} is
	// what most signals share, {agents} each agent of the incident.
	Act Offer         `json:"act,omitzero"`
	For time.Duration `json:"for,omitempty"` // how long the act holds; 0 until it is taken back
}

// Runbook is one, as it is kept.
type Runbook struct {
	Name      string    `json:"-"`
	Team      string    `json:"-"` // whose; "" all teams'
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Text     string        `json:"text,omitempty"`
	Kinds    []string      `json:"kinds,omitempty"`    // of incidents that it is offered for; none: all
	Approval bool          `json:"approval,omitempty"` // a second person agrees before it begins
	Steps    []RunbookStep `json:"steps"`
	By       string        `json:"by"`
}

// The states of a run of a runbook.
const (
	RunWaiting    = "waiting"
	RunRunning    = "running"
	RunDone       = "done"
	RunFailed     = "failed"
	RunRolledBack = "rolled_back"
)

// StepDone is what became of a step of a run.
type StepDone struct {
	RunbookStep
	State  string    `json:"state"` // open, done, failed, undone
	Acts   []string  `json:"acts,omitempty"`
	Result string    `json:"result,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// RunbookRun is a runbook on an incident.
type RunbookRun struct {
	ID       string    `json:"-"`
	Incident string    `json:"-"`
	State    string    `json:"-"`
	At       time.Time `json:"-"`
	Revision int64     `json:"-"`

	Runbook    string     `json:"runbook"`
	Team       string     `json:"team,omitempty"`
	Of         int64      `json:"of"` // the runbook's revision
	Reason     string     `json:"reason"`
	By         string     `json:"by"`
	ApprovedBy string     `json:"approved_by,omitempty"`
	Steps      []StepDone `json:"steps"`
}

const (
	maxRunbooks     = 500
	maxRunbookSteps = 30
)

func (r *Runbook) check() error {
	switch {
	case !goodName(r.Name):
		return invalid("a runbook's name has 1 to 60 of a-z, 0-9 and -")
	case len(r.Steps) == 0 || len(r.Steps) > maxRunbookSteps:
		return invalid("a runbook has 1 to %d steps", maxRunbookSteps)
	case len(r.Text) > maxText:
		return invalid("a text has at most %d bytes", maxText)
	}
	for _, k := range r.Kinds {
		if !slices.Contains([]string{WrongAnswer, WrongAction, Outage}, k) {
			return invalid("a kind is wrong_answer, wrong_action or outage")
		}
	}
	for i, s := range r.Steps {
		switch {
		case strings.TrimSpace(s.Text) == "" || len(s.Text) > 500:
			return invalid("step %d has 1 to 500 bytes of words", i+1)
		case s.Act.Kind != "" && (s.Act.Target == "" || len(s.Act.Target) > 300 || len(s.Act.Level) > 100 || len(s.Act.Kind) > 40):
			return invalid("step %d acts on a target: a name, {cause} or {agents}", i+1)
		case s.For < 0 || s.For > 30*24*time.Hour:
			return invalid("step %d holds for at most 30 days", i+1)
		}
	}
	return nil
}

func goodName(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') })
}

func scanRunbook(row control.Row) (r Runbook, err error) {
	var at int64
	var body string
	if err := row.Scan(&r.Name, &r.Team, &r.Revision, &at, &body); err != nil {
		return r, err
	}
	r.UpdatedAt = control.Time(at)
	return r, json.Unmarshal([]byte(body), &r)
}

const runbookColumns = `name, team, revision, updated_at, body FROM runbooks`

// Runbooks lists all, by name.
func (b *Book) Runbooks(ctx context.Context) ([]Runbook, error) {
	return control.All(ctx, b.o.DB, scanRunbook, `SELECT `+runbookColumns+` ORDER BY name LIMIT ?`, maxRunbooks)
}

// Runbook reads one.
func (b *Book) Runbook(ctx context.Context, name string) (Runbook, error) {
	r, ok, err := control.One(ctx, b.o.DB, scanRunbook, `SELECT `+runbookColumns+` WHERE name = ?`, name)
	if err == nil && !ok {
		err = notFound("runbook")
	}
	return r, err
}

// keeps is nil for who keeps a team's runbooks: its responders, for all teams those
// of all.
func (a *Actor) keeps(team string) error {
	if team == "" {
		team = "*"
	}
	if a.can(team, "*") {
		return nil
	}
	return denied(team, "*")
}

// PutRunbook makes or changes a runbook. Runs that go on keep the steps they have.
func (b *Book) PutRunbook(ctx context.Context, who Actor, r Runbook) (Runbook, error) {
	if err := who.keeps(r.Team); err != nil {
		return r, err
	}
	if err := r.check(); err != nil {
		return r, err
	}
	r.By, r.UpdatedAt = who.Person, b.now()
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		old, there, err := control.One(ctx, tx, scanRunbook, `SELECT `+runbookColumns+` WHERE name = ?`, r.Name)
		if err != nil {
			return err
		}
		if there {
			if err := who.keeps(old.Team); err != nil {
				return err
			}
			if r.Revision != 0 && r.Revision != old.Revision {
				return conflict("somebody changed it since you read it").WithHint("read it again")
			}
		} else if n, _, err := control.One(ctx, tx, func(row control.Row) (n int64, err error) { return n, row.Scan(&n) }, `SELECT COUNT(*) FROM runbooks`); err != nil || n >= maxRunbooks {
			if err == nil {
				err = fault.New(fault.KindExhausted, "incident.too_many", "there are %d runbooks", n)
			}
			return err
		}
		r.Revision = old.Revision + 1
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO runbooks (name, team, revision, updated_at, body) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET team = excluded.team, revision = excluded.revision, updated_at = excluded.updated_at, body = excluded.body`,
			r.Name, r.Team, r.Revision, control.Micros(r.UpdatedAt), string(body)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.runbook", Person: who.Person, Via: who.Via, Action: "put", Object: r.Name, After: r})
	})
	return r, err
}

// DeleteRunbook ends a runbook; its runs stay.
func (b *Book) DeleteRunbook(ctx context.Context, who Actor, name string) error {
	r, err := b.Runbook(ctx, name)
	if err != nil {
		return err
	}
	if err := who.keeps(r.Team); err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM runbooks WHERE name = ?`, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.runbook", Person: who.Person, Via: who.Via, Action: "delete", Object: name, Before: r})
	})
}

// offers are the acts that a step comes to on an incident.
func (s *RunbookStep) offers(i *Incident) ([]Offer, error) {
	o := s.Act
	o.Text = s.Text
	switch {
	case o.Kind == "":
		return nil, nil
	case o.Target == "{cause}":
		if i.Cause == nil {
			return nil, conflict("nobody knows the cause of incident %d", i.Number).WithHint("act on what you know by name")
		}
		o.Target = i.Cause.Value
	case o.Target == "{agents}":
		var out []Offer
		for _, name := range i.Agents {
			o.Target = name
			out = append(out, o)
		}
		if len(out) == 0 {
			return nil, conflict("incident %d names no agent", i.Number)
		}
		return out, nil
	}
	return []Offer{o}, nil
}

// Tried is what a step would come to.
type Tried struct {
	Step     RunbookStep
	Previews []Preview
	Problem  string // why it cannot be done; "" nothing
}

// TryRunbook says what a runbook would do to an incident, without doing it.
func (b *Book) TryRunbook(ctx context.Context, who Actor, id, name string) ([]Tried, error) {
	i, r, err := b.runbookFor(ctx, who, id, name)
	if err != nil {
		return nil, err
	}
	var out []Tried
	for _, s := range r.Steps {
		t := Tried{Step: s}
		list, err := s.offers(&i)
		for _, o := range list {
			var p Preview
			if p, err = b.PreviewAct(ctx, who, i.ID, o); err != nil {
				break
			}
			if p.Needs != "" {
				t.Problem = p.Needs
			}
			t.Previews = append(t.Previews, p)
		}
		if err != nil {
			t.Problem = fault.From(err).Message
		}
		out = append(out, t)
	}
	return out, nil
}

func (b *Book) runbookFor(ctx context.Context, who Actor, id, name string) (Incident, Runbook, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return i, Runbook{}, err
	}
	if _, err := who.part(&i); err != nil {
		return i, Runbook{}, err
	}
	r, err := b.Runbook(ctx, name)
	if err == nil && r.Team != "" && !i.touches(r.Team) {
		err = conflict("it is a runbook of team %s, which the incident does not touch", r.Team)
	}
	if err == nil {
		err = who.follows(&i, r.Team)
	}
	return i, r, err
}

// follows is nil for somebody who may have a hand in a runbook of a team on an
// incident: who responds for that team where the incident touches it, and for one of
// no team, who may speak for any part of it.
func (a *Actor) follows(i *Incident, team string) error {
	if team == "" {
		_, err := a.part(i)
		return err
	}
	if i.Team == team && a.can(team, i.Environment) || slices.ContainsFunc(i.Places, func(p Place) bool { return p.Team == team && a.can(team, p.Environment) }) {
		return nil
	}
	return denied(team, i.Environment)
}

func scanRun(row control.Row) (r RunbookRun, err error) {
	var at int64
	var body string
	if err := row.Scan(&r.ID, &r.Incident, &r.State, &at, &r.Revision, &body); err != nil {
		return r, err
	}
	r.At = control.Time(at)
	return r, json.Unmarshal([]byte(body), &r)
}

const runColumns = `id, incident, state, at, revision, body FROM runbook_runs`

// RunbookRuns lists the runs on an incident, the newest first.
func (b *Book) RunbookRuns(ctx context.Context, id string) ([]RunbookRun, error) {
	return control.All(ctx, b.o.DB, scanRun, `SELECT `+runColumns+` WHERE incident = ? ORDER BY at DESC, id LIMIT 100`, id)
}

// WaitingRuns lists the runs that wait for a second person, over all incidents, the
// oldest first.
func (b *Book) WaitingRuns(ctx context.Context) ([]RunbookRun, error) {
	return control.All(ctx, b.o.DB, scanRun, `SELECT `+runColumns+` WHERE state = ? ORDER BY at, id LIMIT 200`, RunWaiting)
}

// save stores a run as its caller saw it: whoever comes second is told so.
func (r *RunbookRun) save(ctx context.Context, tx *control.Tx) error {
	was := r.Revision
	r.Revision++
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO runbook_runs (id, incident, state, at, revision, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, revision = excluded.revision, body = excluded.body WHERE runbook_runs.revision = ?`,
		r.ID, r.Incident, r.State, control.Micros(r.At), r.Revision, string(body), was)
	if err == nil && n == 0 {
		err = conflict("somebody else is at it").WithHint("read it again")
	}
	return err
}

func (b *Book) noteRun(ctx context.Context, who Actor, r *RunbookRun, action, text, detail string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := r.save(ctx, tx); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{Kind: "incident.runbook", Person: who.Person, Via: who.Via, Action: action, Object: r.Incident, Reason: detail, After: map[string]any{"run": r.ID, "runbook": r.Runbook, "state": r.State}}); err != nil {
			return err
		}
		return b.TellIn(ctx, tx, r.Incident, Entry{At: b.now(), Kind: "runbook", Text: text, Detail: detail, Evidence: &Evidence{"audit", "incident.runbook"}, Person: who.Person, Team: r.Team})
	})
}

// StartRunbook begins a runbook on an incident; one that needs a second person waits
// for them.
func (b *Book) StartRunbook(ctx context.Context, who Actor, id, name, reason string) (RunbookRun, error) {
	i, book, err := b.runbookFor(ctx, who, id, name)
	if err != nil {
		return RunbookRun{}, err
	}
	if !i.Live() {
		return RunbookRun{}, wrongState(&i, "acted on")
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxText {
		return RunbookRun{}, invalid("this needs a reason of at most %d bytes", maxText)
	}
	now := b.now()
	r := RunbookRun{ID: activity.Mint("rbr_", now.UnixNano()), Incident: i.ID, State: RunRunning, At: now, Runbook: book.Name, Team: book.Team, Of: book.Revision, Reason: reason, By: who.Person}
	text := "Began runbook " + book.Name
	if book.Approval {
		r.State = RunWaiting
		text = "Proposed runbook " + book.Name + ": a second person agrees first"
	}
	for _, s := range book.Steps {
		r.Steps = append(r.Steps, StepDone{RunbookStep: s, State: "open"})
	}
	return r, b.noteRun(ctx, who, &r, "start", text, reason)
}

func (b *Book) run(ctx context.Context, who Actor, id string) (RunbookRun, Incident, error) {
	r, ok, err := control.One(ctx, b.o.DB, scanRun, `SELECT `+runColumns+` WHERE id = ?`, id)
	if err != nil {
		return r, Incident{}, err
	}
	if !ok {
		return r, Incident{}, notFound("run of a runbook")
	}
	i, err := b.Get(ctx, r.Incident)
	if err == nil {
		err = who.follows(&i, r.Team)
	}
	return r, i, err
}

// ApproveRunbook agrees to what somebody else proposed.
func (b *Book) ApproveRunbook(ctx context.Context, who Actor, id string) (RunbookRun, error) {
	r, _, err := b.run(ctx, who, id)
	switch {
	case err != nil:
		return r, err
	case r.State != RunWaiting:
		return r, conflict("it does not wait for anybody's agreement")
	case who.Person == r.By && who.Person != "dev":
		return r, fault.New(fault.KindDenied, "incident.second_person", "somebody else agrees to what you propose")
	}
	r.State, r.ApprovedBy = RunRunning, who.Person
	return r, b.noteRun(ctx, who, &r, "approve", "Agreed to runbook "+r.Runbook, "")
}

// StepRunbook does the next step: its acts, or for a person's own step what they say
// came of it.
func (b *Book) StepRunbook(ctx context.Context, who Actor, id, result string) (RunbookRun, error) {
	r, i, err := b.run(ctx, who, id)
	if err != nil {
		return r, err
	}
	at := slices.IndexFunc(r.Steps, func(s StepDone) bool { return s.State == "open" })
	if r.State != RunRunning || at < 0 {
		return r, conflict("it is %s", strings.ReplaceAll(r.State, "_", " "))
	}
	s := &r.Steps[at]
	if len(result) > maxText {
		return r, invalid("what came of it has at most %d bytes", maxText)
	}
	s.By, s.At, s.State, s.Result = who.Person, b.now(), "done", result
	// The step is taken before it is done, so that two people do not do it twice; what
	// a kill comes between stands as an act of its own on the incident.
	if err := b.o.DB.Write(ctx, func(tx *control.Tx) error { return r.save(ctx, tx) }); err != nil {
		return r, err
	}
	ctx = context.WithoutCancel(ctx)
	list, err := s.offers(&i)
	until := time.Time{}
	if s.For > 0 {
		until = s.At.Add(s.For)
	}
	for _, o := range list {
		var a Act
		if a, err = b.Do(ctx, who, i.ID, o, "runbook "+r.Runbook+": "+r.Reason, until); err != nil {
			break
		}
		s.Acts = append(s.Acts, a.ID)
		s.Result = strings.TrimPrefix(s.Result+"; "+a.Result, "; ")
	}
	text := fmt.Sprintf("Step %d of %s is done: %s", at+1, r.Runbook, s.Text)
	switch {
	case err != nil:
		s.State, s.Result, r.State = "failed", fault.From(err).Message, RunFailed
		text = fmt.Sprintf("Step %d of %s failed: %s", at+1, r.Runbook, s.Text)
	case at == len(r.Steps)-1:
		r.State = RunDone
	}
	return r, b.noteRun(ctx, who, &r, "step", text, s.Result)
}

// RollBackRunbook takes back what the steps did, the last first, as far as it can be
// taken back.
func (b *Book) RollBackRunbook(ctx context.Context, who Actor, id, reason string) (RunbookRun, error) {
	r, _, err := b.run(ctx, who, id)
	switch {
	case err != nil:
		return r, err
	case r.State == RunRolledBack || r.State == RunWaiting:
		return r, conflict("there is nothing to take back")
	case strings.TrimSpace(reason) == "" || len(reason) > maxText:
		return r, invalid("this needs a reason of at most %d bytes", maxText)
	}
	left := 0
	for n := len(r.Steps) - 1; n >= 0; n-- {
		s := &r.Steps[n]
		for k := len(s.Acts) - 1; k >= 0; k-- {
			if _, err := b.UndoAct(ctx, who, s.Acts[k], reason); err != nil && fault.From(err).Code != "incident.conflict" {
				s.Result = "could not be taken back: " + fault.From(err).Message
				left++
				continue
			}
			s.State = "undone"
		}
	}
	r.State = RunRolledBack
	text := "Rolled back runbook " + r.Runbook
	if left > 0 {
		r.State = RunFailed
		text = fmt.Sprintf("Rolled back runbook %s, but for %s", r.Runbook, plural(left, "act"))
	}
	return r, b.noteRun(ctx, who, &r, "roll_back", text, reason)
}
