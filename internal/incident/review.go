package incident

import (
	"cmp"
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

// Review is what is written after an incident: drafted from its timeline, edited
// by people.
type Review struct {
	Incident  string    `json:"-"`
	State     string    `json:"-"` // draft, done
	UpdatedAt time.Time `json:"-"`
	Revision  int64     `json:"-"`

	Text   string `json:"text"` // Markdown
	Author string `json:"author"`
}

// The kinds of tasks.
const (
	TaskAction       = "action"       // to do after it, so that it does not come again
	TaskCompensation = "compensation" // to put right what was done wrong; needs a second person
	TaskStep         = "step"         // of the playbook
)

// Task is something that a person does about or after an incident.
type Task struct {
	ID       string    `json:"-"`
	Incident string    `json:"-"`
	Kind     string    `json:"-"`
	Owner    string    `json:"-"`
	DueAt    time.Time `json:"-"`
	DoneAt   time.Time `json:"-"`

	Text       string    `json:"text"`
	Place      Place     `json:"place,omitzero"`     // the part of the incident that it is about; none: all of it
	Evidence   *Evidence `json:"evidence,omitempty"` // the record to put right
	By         string    `json:"by"`
	CreatedAt  time.Time `json:"created_at"`
	ApprovedBy string    `json:"approved_by,omitempty"`
	DoneBy     string    `json:"done_by,omitempty"`
	Result     string    `json:"result,omitempty"`
}

const taskColumns = `id, incident, kind, owner, due_at, done_at, body FROM incident_tasks`

func scanTask(r control.Row) (t Task, err error) {
	var due, done int64
	var body string
	if err := r.Scan(&t.ID, &t.Incident, &t.Kind, &t.Owner, &due, &done, &body); err != nil {
		return t, err
	}
	t.DueAt, t.DoneAt = control.Time(due), control.Time(done)
	return t, json.Unmarshal([]byte(body), &t)
}

func (t *Task) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_tasks (id, incident, kind, owner, due_at, done_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, due_at = excluded.due_at, done_at = excluded.done_at, body = excluded.body`,
		t.ID, t.Incident, t.Kind, t.Owner, control.Micros(t.DueAt), control.Micros(t.DoneAt), string(body))
	return err
}

// Playbook are the steps for a kind of incident.
func Playbook(kind string) []string {
	switch kind {
	case WrongAnswer:
		return []string{
			"Stop the wrong answers: contain the agent, or take the source or version out of use",
			"Find who saw them: the affected people and runs below",
			"Correct them: tell those people what was wrong and what is right",
			"Find which data, model or rule made the answer",
			"Check that new answers are right before the limit is lifted",
		}
	case WrongAction:
		return []string{
			"Stop it: contain the agent or block the tool, so that no further record is changed",
			"List what was changed and where: the records below",
			"Decide for each whether it is put right, and how; a second person agrees",
			"Put them right and note each",
			"Rotate what the agent may have seen or sent: keys, tokens",
			"Check entitlements before the limit is lifted",
		}
	case Outage:
		return []string{
			"Find out whether it is ours: the cause above, and the provider's status",
			"Move calls elsewhere: a stand-in model or upstream",
			"Tell the teams whose agents are touched",
			"Check that runs that failed were done again, or by people",
		}
	}
	return []string{"Say what kind of incident it is: wrong answer, wrong action or outage", "Contain what is going wrong", "Tell whom it touches"}
}

// Tasks lists the tasks of an incident, open ones first.
func (b *Book) Tasks(ctx context.Context, id string) ([]Task, error) {
	return control.All(ctx, b.o.DB, scanTask, `SELECT `+taskColumns+` WHERE incident = ? ORDER BY done_at > 0, due_at = 0, due_at, id LIMIT 1000`, id)
}

// OpenActions lists what is to be done after incidents, the first due first;
// owner "" is everybody's.
func (b *Book) OpenActions(ctx context.Context, owner string) ([]Task, error) {
	return control.All(ctx, b.o.DB, scanTask, `SELECT `+taskColumns+` WHERE kind = ? AND done_at = 0 AND (? = '' OR owner = ?) ORDER BY due_at = 0, due_at, id LIMIT 500`, TaskAction, owner, owner)
}

// OpenCompensations lists what is to be put right and not done, over all
// incidents, the first due first; unagreed leaves those that nobody agreed to.
func (b *Book) OpenCompensations(ctx context.Context, unagreed bool) ([]Task, error) {
	all, err := control.All(ctx, b.o.DB, scanTask, `SELECT `+taskColumns+` WHERE kind = ? AND done_at = 0 ORDER BY due_at = 0, due_at, id LIMIT 500`, TaskCompensation)
	if unagreed {
		all = slices.DeleteFunc(all, func(t Task) bool { return t.ApprovedBy != "" })
	}
	return all, err
}

// MayAgree reports whether somebody may agree to what another proposed for a part
// of an incident.
func (b *Book) MayAgree(ctx context.Context, who Actor, incident, by string, part Place) bool {
	i, err := b.Get(ctx, incident)
	if err != nil || who.Person == by && who.Person != "dev" {
		return false
	}
	return who.may(&i) == nil || part != Place{} && who.can(part.Team, part.Environment)
}

const maxTasks = 500

// AddTask adds something to do.
func (b *Book) AddTask(ctx context.Context, who Actor, id string, t Task) (Task, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return Task{}, err
	}
	if t.Place, err = who.part(&i); err != nil {
		return Task{}, err
	}
	t.Text = strings.TrimSpace(t.Text)
	switch {
	case t.Text == "" || len(t.Text) > maxText:
		return Task{}, invalid("a task has 1 to %d bytes of words", maxText)
	case !slices.Contains([]string{TaskAction, TaskCompensation, TaskStep}, t.Kind):
		return Task{}, invalid("a task is an action, a compensation or a step")
	case t.Kind == TaskAction && (t.Owner == "" || t.DueAt.IsZero()):
		return Task{}, invalid("an action has an owner and a date").WithHint("what nobody owns is not done")
	case len(t.Owner) > 100:
		return Task{}, invalid("a person's id has at most 100 bytes")
	}
	old, err := b.Tasks(ctx, i.ID)
	if err != nil {
		return Task{}, err
	}
	if len(old) >= maxTasks {
		return Task{}, fault.New(fault.KindExhausted, "incident.too_many", "an incident has at most %d tasks", maxTasks)
	}
	now := b.now()
	t.ID, t.Incident, t.By, t.CreatedAt, t.DoneAt, t.DoneBy, t.ApprovedBy, t.Result = activity.Mint("tsk_", now.UnixNano()), i.ID, who.Person, now, time.Time{}, "", "", ""
	return t, b.saveTask(ctx, who, &t, "add_task", Entry{At: now, Kind: "task", Text: taskWord(t.Kind) + ": " + t.Text, Person: who.Person, Evidence: t.Evidence, Team: t.Place.Team, Environment: t.Place.Environment})
}

func taskWord(kind string) string {
	return map[string]string{TaskAction: "To do after it", TaskCompensation: "To put right", TaskStep: "Step"}[kind]
}

func (b *Book) saveTask(ctx context.Context, who Actor, t *Task, action string, e Entry) error {
	if e.Evidence == nil {
		e.Evidence = &Evidence{"audit", "incident." + action}
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := t.save(ctx, tx); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{
			Kind: "incident." + action, Person: who.Person, Via: who.Via, Action: action, Object: t.Incident,
			After: map[string]any{"task": t.ID, "kind": t.Kind, "owner": t.Owner, "done": !t.DoneAt.IsZero(), "approved_by": t.ApprovedBy},
		}); err != nil {
			return err
		}
		return b.TellIn(ctx, tx, t.Incident, e)
	})
}

// TaskChange is what changes of a task; nil fields stay.
type TaskChange struct {
	Owner   *string
	DueAt   *time.Time
	Approve bool
	Done    *bool
	Result  string
}

// ChangeTask changes a task. A compensation is agreed to by somebody else than
// who proposed it before it can be done.
func (b *Book) ChangeTask(ctx context.Context, who Actor, id string, c TaskChange) (Task, error) {
	t, ok, err := control.One(ctx, b.o.DB, scanTask, `SELECT `+taskColumns+` WHERE id = ?`, id)
	if err != nil {
		return Task{}, err
	}
	if !ok {
		return Task{}, notFound("task")
	}
	i, err := b.Get(ctx, t.Incident)
	if err != nil {
		return Task{}, err
	}
	// Whose task it is may say that it is done; the rest is for who responds there.
	mine := t.Owner == who.Person && !c.Approve && c.Owner == nil && c.DueAt == nil
	if err := who.may(&i); err != nil && !mine && (t.Place == Place{} || !who.can(t.Place.Team, t.Place.Environment)) {
		return Task{}, err
	}
	now := b.now()
	e := Entry{At: now, Kind: "task", Person: who.Person, Evidence: t.Evidence, Team: t.Place.Team, Environment: t.Place.Environment}
	switch {
	case c.Approve:
		if t.Kind != TaskCompensation || t.ApprovedBy != "" {
			return Task{}, conflict("it does not wait for anybody's agreement")
		}
		if who.Person == t.By && who.Person != "dev" {
			return Task{}, fault.New(fault.KindDenied, "incident.second_person", "somebody else agrees to what you propose")
		}
		t.ApprovedBy, e.Text = who.Person, "Agreed to put right: "+t.Text
	case c.Done != nil && *c.Done:
		if t.Kind == TaskCompensation && t.ApprovedBy == "" {
			return Task{}, conflict("a second person has to agree first")
		}
		if !t.DoneAt.IsZero() {
			return Task{}, conflict("it is done already")
		}
		t.DoneAt, t.DoneBy, t.Result, e.Text, e.Detail = now, who.Person, short(c.Result, maxText), "Done: "+t.Text, c.Result
	case c.Done != nil:
		t.DoneAt, t.DoneBy, t.Result, e.Text = time.Time{}, "", "", "Not done after all: "+t.Text
	case c.Owner != nil || c.DueAt != nil:
		e.Text = "Changed owner or date: " + t.Text
	default:
		return Task{}, invalid("nothing to change was given")
	}
	if c.Owner != nil {
		t.Owner = *c.Owner
	}
	if c.DueAt != nil {
		t.DueAt = c.DueAt.UTC().Truncate(time.Microsecond)
	}
	return t, b.saveTask(ctx, who, &t, "change_task", e)
}

// Why is what is known of why an incident came about, in words; the zero value says
// that nothing was looked at.
type Why struct {
	Sentence                            string
	Causes, Possible, Unknown, RuledOut []string
}

// Review reads what was written, or drafts it from the timeline and from what why
// says; why is asked only then, and may be nil.
func (b *Book) Review(ctx context.Context, id string, name func(person string) string, why func(context.Context) Why) (Review, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return Review{}, err
	}
	r, ok, err := control.One(ctx, b.o.DB, func(row control.Row) (r Review, err error) {
		var at int64
		var body string
		if err := row.Scan(&r.Incident, &r.State, &at, &r.Revision, &body); err != nil {
			return r, err
		}
		r.UpdatedAt = control.Time(at)
		return r, json.Unmarshal([]byte(body), &r)
	}, `SELECT incident, state, updated_at, revision, body FROM incident_reviews WHERE incident = ?`, i.ID)
	if err != nil || ok {
		return r, err
	}
	var known Why
	if why != nil {
		known = why(ctx)
	}
	text, err := b.draft(ctx, &i, name, &known)
	return Review{Incident: i.ID, State: "draft", UpdatedAt: b.now(), Text: text}, err
}

// draft writes a review from what is on record. What nobody recorded is said to
// be unknown.
func (b *Book) draft(ctx context.Context, i *Incident, name func(string) string, known *Why) (string, error) {
	timeline, err := b.Timeline(ctx, i.ID)
	if err != nil {
		return "", err
	}
	tasks, err := b.Tasks(ctx, i.ID)
	if err != nil {
		return "", err
	}
	acts, err := b.Acts(ctx, i.ID)
	if err != nil {
		return "", err
	}
	var w strings.Builder
	f := func(format string, args ...any) { fmt.Fprintf(&w, format+"\n", args...) }
	who := func(id string) string { return md(cmp.Or(name(id), "unknown")) }
	f("# Review of incident %d: %s\n", i.Number, md(i.Title))
	f("| | |\n|---|---|")
	f("| Severity | %s |", i.Severity)
	f("| Kind | %s |", cmp.Or(strings.ReplaceAll(i.Kind, "_", " "), "unknown"))
	f("| Began | %s |", stamp(i.OpenedAt))
	f("| Acknowledged | %s |", took(i.OpenedAt, i.AcknowledgedAt, who(i.AcknowledgedBy)))
	f("| Mitigated | %s |", took(i.OpenedAt, i.MitigatedAt, ""))
	f("| Resolved | %s |", took(i.OpenedAt, i.ResolvedAt, ""))
	f("| Owner | %s |", who(i.Owner))
	f("| Lead | %s |", who(i.Lead))
	f("| Communications | %s |\n", who(i.Communications))
	f("## What happened\n")
	f("%s of %s came in (%d with repetitions), about %s.", plural(i.Signals, "signal"), plural(len(i.Agents), "agent"), i.Occurrences, cmp.Or(md(strings.Join(i.Agents[:min(len(i.Agents), 8)], ", ")), "no agent that is known"))
	if i.Cause != nil {
		f("What most of them share: %s %s (%s).", i.Cause.Kind, md(i.Cause.Value), md(i.CauseText))
	} else {
		f("What they share beyond that: unknown.")
	}
	people := "unknown: no run named its user"
	if i.People >= 0 {
		people = fmt.Sprintf("%d", i.People)
	}
	f("\n## Whom it touched\n\n- People: %s\n- Runs: %d\n", people, i.Runs)
	f("## Timeline (UTC)\n")
	for _, e := range timeline {
		by := ""
		if e.Person != "" {
			by = ", " + who(e.Person)
		}
		evidence := ""
		if e.Evidence != nil {
			evidence = fmt.Sprintf(" [%s %s]", e.Evidence.Kind, md(e.Evidence.ID))
		}
		detail := ""
		if e.Detail != "" {
			detail = ": " + md(e.Detail)
		}
		f("- %s%s: %s%s%s", e.At.Format("15:04:05"), by, md(e.Text), detail, evidence)
	}
	f("\n## What was done about it\n")
	if len(acts) == 0 {
		f("Nothing was done through Reeve.")
	}
	slices.Reverse(acts)
	for _, a := range acts {
		f("- %s, %s: %s (%s)", a.At.Format("15:04:05"), who(a.Person), md(orText(a.Offer.Text, a.Offer.Kind+" "+a.Offer.Target)), a.State)
	}
	f("\n## Why it happened\n\n_Write what is proved, with its evidence; write unknown where it is not._\n")
	known.write(f)
	f("## What went well, what did not\n\n- \n")
	f("## What was put right\n")
	listTasks(f, tasks, TaskCompensation, who)
	f("\n## What is done so that it does not come again\n")
	listTasks(f, tasks, TaskAction, who)
	return w.String(), nil
}

// write puts what is known under its heading: what speaks for a cause, what may be
// one, what nobody knows, and what was ruled out.
func (w *Why) write(f func(string, ...any)) {
	if w.Sentence == "" {
		f("What the records say of it: unknown.\n")
		return
	}
	f("What the records say: %s\n", md(w.Sentence))
	for _, part := range []struct {
		title string
		lines []string
	}{{"Likely causes", w.Causes}, {"Possible causes", w.Possible}, {"Unknown", w.Unknown}, {"Ruled out", w.RuledOut}} {
		if len(part.lines) == 0 {
			continue
		}
		f("%s:\n", part.title)
		for _, line := range part.lines {
			f("- %s", md(line))
		}
		f("")
	}
}

func listTasks(f func(string, ...any), tasks []Task, kind string, who func(string) string) {
	n := 0
	for _, t := range tasks {
		if t.Kind != kind {
			continue
		}
		n++
		mark, due := " ", ""
		if !t.DoneAt.IsZero() {
			mark = "x"
		}
		if !t.DueAt.IsZero() {
			due = ", due " + t.DueAt.Format("2006-01-02")
		}
		f("- [%s] %s (%s%s)", mark, md(t.Text), who(t.Owner), due)
	}
	if n == 0 {
		f("Nothing is on record.")
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format("2006-01-02 15:04:05")
}

func took(from, to time.Time, by string) string {
	if to.IsZero() {
		return "not recorded"
	}
	out := stamp(to) + ", after " + to.Sub(from).Round(time.Second).String()
	if by != "" {
		out += ", by " + by
	}
	return out
}

// md keeps what others wrote from acting as Markdown or HTML.
func md(s string) string {
	return strings.NewReplacer("\\", "\\\\", "<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "`", "\\`", "*", "\\*", "_", "\\_", "|", "\\|", "\n", " ", "\r", " ").Replace(s)
}

const maxReview = 200_000

// SaveReview stores what people wrote; done ends the incident as reviewed.
func (b *Book) SaveReview(ctx context.Context, who Actor, id, text string, revision int64, done bool) (Review, error) {
	if len(text) > maxReview || strings.TrimSpace(text) == "" {
		return Review{}, invalid("a review has 1 to %d bytes", maxReview)
	}
	i, err := b.Get(ctx, id)
	if err != nil {
		return Review{}, err
	}
	if err := who.may(&i); err != nil {
		return Review{}, err
	}
	if done && i.State != Resolved && i.State != Reviewed {
		return Review{}, wrongState(&i, Reviewed)
	}
	now := b.now()
	r := Review{Incident: i.ID, State: "draft", UpdatedAt: now, Revision: revision + 1, Text: text, Author: who.Person}
	if done {
		r.State = "done"
	}
	body, err := json.Marshal(r)
	if err != nil {
		return Review{}, err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO incident_reviews (incident, state, updated_at, revision, body) SELECT ?, ?, ?, ?, ? WHERE ? = 0 OR EXISTS (SELECT 1 FROM incident_reviews WHERE incident = ?)
			ON CONFLICT (incident) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at, revision = excluded.revision, body = excluded.body WHERE incident_reviews.revision = ?`,
			i.ID, r.State, control.Micros(now), r.Revision, string(body), revision, i.ID, revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return conflict("somebody changed the review since you read it").WithHint("read it again, and put your words into theirs")
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "incident.review", Person: who.Person, Via: who.Via, Action: "review", Object: i.ID, After: map[string]any{"state": r.State, "revision": r.Revision}})
	})
	if err != nil {
		return Review{}, err
	}
	if done && i.State == Resolved {
		_, err = b.act(ctx, who, i.ID, 0, "reviewed", "", func(g *group, now time.Time) (Entry, error) {
			g.inc.State, g.inc.ReviewedAt = Reviewed, now
			return Entry{Kind: "state", Text: "Reviewed"}, nil
		})
	}
	return r, err
}
