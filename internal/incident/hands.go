package incident

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// MakeCase is the act that makes a run an evaluation case. It changes nothing that
// runs, so it can be done after an incident's end too.
const MakeCase = "make_case"

// Offer is something that can be done about an incident.
type Offer struct {
	Kind   string // contain, stop, lower_budget, pin_model, pin_version, switch_upstream, source_out, tell_affected, make_case
	Target string
	Level  string // of a containment, the kind of a stop's target, what is pinned or called in its place
	Text   string // what it does, in words
	Why    string
	// Words are what people are told, of tell_affected, or what would have been right,
	// of make_case.
	Words string `json:",omitempty"`
	// Incident is the one that it is about, set by the Book.
	Incident string `json:",omitempty"`
}

// Preview is what doing it would come to.
type Preview struct {
	Text  string   // in words
	Hits  []string // what it would touch: live calls, agents
	Undo  string   // how it is taken back, in words
	Needs string   // what the asker lacks for it; "" nothing
	Draft string   // words to begin with, where it needs some
	// Second says that a second person agrees before it is done.
	Second bool
}

// Hands do what other parts of Reeve can do about an incident; app fills them.
// What needs a role or a second factor is refused by the part that does it.
type Hands interface {
	Offers(ctx context.Context, i *Incident) []Offer
	// Text says in words what an offer does.
	Text(o Offer) string
	// Place is where what an offer touches lies; "*" is everywhere. Who acts is a
	// responder there.
	Place(ctx context.Context, o Offer) (Place, error)
	Preview(ctx context.Context, who Actor, o Offer) (Preview, error)
	// Do does it and gives what Undo needs to take it back.
	Do(ctx context.Context, who Actor, o Offer, reason string, until time.Time) (result string, undo json.RawMessage, err error)
	Undo(ctx context.Context, who Actor, o Offer, undo json.RawMessage, reason string) (result string, err error)
}

// The states of an act.
const (
	Doing  = "doing" // found so after a crash: it may have been done
	Done   = "done"
	Failed = "failed"
	Undone = "undone"
)

// Act is something that a person did about an incident.
type Act struct {
	ID       string    `json:"-"`
	Incident string    `json:"-"`
	State    string    `json:"-"`
	At       time.Time `json:"-"`

	Offer    Offer           `json:"offer"`
	Place    Place           `json:"place,omitzero"` // where what it touched lies
	Person   string          `json:"person"`
	Reason   string          `json:"reason,omitempty"`
	Result   string          `json:"result,omitempty"`
	Until    time.Time       `json:"until,omitzero"`
	Undo     json.RawMessage `json:"undo,omitempty"`
	UndoneBy string          `json:"undone_by,omitempty"`
	UndoneAt time.Time       `json:"undone_at,omitzero"`
}

func (a *Act) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_acts (id, incident, state, at, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`, a.ID, a.Incident, a.State, control.Micros(a.At), string(body))
	return err
}

const actColumns = `id, incident, state, at, body FROM incident_acts`

func scanAct(r control.Row) (a Act, err error) {
	var at int64
	var body string
	if err := r.Scan(&a.ID, &a.Incident, &a.State, &at, &body); err != nil {
		return a, err
	}
	a.At = control.Time(at)
	return a, json.Unmarshal([]byte(body), &a)
}

// Acts lists what was done about an incident, the newest first.
func (b *Book) Acts(ctx context.Context, id string) ([]Act, error) {
	return control.All(ctx, b.o.DB, scanAct, `SELECT `+actColumns+` WHERE incident = ? ORDER BY at DESC LIMIT 500`, id)
}

// Offers lists what can be done about an incident now.
func (b *Book) Offers(ctx context.Context, id string) ([]Offer, error) {
	i, err := b.Get(ctx, id)
	if err != nil || b.o.Hands == nil {
		return nil, err
	}
	list := b.o.Hands.Offers(ctx, &i)
	for n := range list {
		list[n].Incident = i.ID
	}
	return list, nil
}

// PlaceOf is where what an offer of an incident touches lies; "*" is everywhere.
func (b *Book) PlaceOf(ctx context.Context, o Offer) (Place, error) {
	h, err := b.hands()
	if err != nil {
		return Place{}, err
	}
	return h.Place(ctx, o)
}

func (b *Book) hands() (Hands, error) {
	if b.o.Hands == nil {
		return nil, fault.New(fault.KindUnavailable, "incident.no_door", "this server has no door, so nothing can be done here")
	}
	return b.o.Hands, nil
}

// PreviewAct tells what doing it would come to, without doing it.
func (b *Book) PreviewAct(ctx context.Context, who Actor, id string, o Offer) (Preview, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	h, err := b.hands()
	if err != nil {
		return Preview{}, err
	}
	o.Incident = i.ID
	if _, err := mayAct(ctx, h, &who, &i, o); err != nil {
		return Preview{}, err
	}
	return h.Preview(ctx, who, o)
}

// mayAct is the place that an act touches, for somebody who responds there and for
// some part of the incident.
func mayAct(ctx context.Context, h Hands, who *Actor, i *Incident, o Offer) (Place, error) {
	if _, err := who.part(i); err != nil {
		return Place{}, err
	}
	at, err := h.Place(ctx, o)
	if err != nil {
		return at, err
	}
	if !who.can(at.Team, at.Environment) {
		return at, denied(at.Team, at.Environment)
	}
	return at, nil
}

// Do does something about an incident. It is noted before and after: what is
// found without an end after a crash may have been done.
func (b *Book) Do(ctx context.Context, who Actor, id string, o Offer, reason string, until time.Time) (Act, error) {
	i, err := b.Get(ctx, id)
	if err != nil {
		return Act{}, err
	}
	h, err := b.hands()
	if err != nil {
		return Act{}, err
	}
	o.Incident, o.Text = i.ID, h.Text(o)
	at, err := mayAct(ctx, h, &who, &i, o)
	if err != nil {
		return Act{}, err
	}
	if !i.Live() && (o.Kind != MakeCase || i.State == Merged) {
		return Act{}, wrongState(&i, "acted on")
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxText {
		return Act{}, invalid("this needs a reason of at most %d bytes", maxText).WithHint("it is kept with what is done")
	}
	a := Act{ID: activity.Mint("act_", b.now().UnixNano()), Incident: i.ID, State: Doing, At: b.now(), Offer: o, Place: at, Person: who.Person, Reason: reason, Until: until}
	if err := b.o.DB.Write(ctx, func(tx *control.Tx) error { return a.save(ctx, tx) }); err != nil {
		return Act{}, err
	}
	var did error
	a.Result, a.Undo, did = h.Do(ctx, who, o, reason, until)
	a.State = Done
	text := "Did: " + within(o.Text)
	if did != nil {
		f := fault.From(did)
		a.State, a.Result = Failed, f.Message
		text = "Could not: " + within(o.Text)
	}
	return a, b.noteAct(ctx, &a, text, did)
}

// within is a sentence as a part of another one.
func within(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(r)) + text[n:]
}

// noteAct stores how an act ended, though its caller may have left, and hands
// its error on.
func (b *Book) noteAct(ctx context.Context, a *Act, text string, did error) error {
	ctx = context.WithoutCancel(ctx)
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := a.save(ctx, tx); err != nil {
			return err
		}
		e := Entry{At: b.now(), Kind: "act", Text: text, Detail: orText(a.Result, a.Reason), Evidence: &Evidence{"act", a.ID}, Person: a.Person}
		if a.Place.Team != "*" {
			e.Team, e.Environment = a.Place.Team, a.Place.Environment
		}
		if a.State == Undone {
			e.Person = a.UndoneBy
		}
		return b.TellIn(ctx, tx, a.Incident, e)
	})
	if did != nil {
		return did
	}
	return err
}

// UndoAct takes back what was done.
func (b *Book) UndoAct(ctx context.Context, who Actor, id, reason string) (Act, error) {
	h, err := b.hands()
	if err != nil {
		return Act{}, err
	}
	a, ok, err := control.One(ctx, b.o.DB, scanAct, `SELECT `+actColumns+` WHERE id = ?`, id)
	if err != nil {
		return Act{}, err
	}
	if !ok {
		return Act{}, notFound("act")
	}
	i, err := b.Get(ctx, a.Incident)
	if err != nil {
		return Act{}, err
	}
	if _, err := mayAct(ctx, h, &who, &i, a.Offer); err != nil {
		return Act{}, err
	}
	if a.State != Done && a.State != Doing {
		return Act{}, conflict("it is %s: there is nothing to take back", a.State)
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxText {
		return Act{}, invalid("this needs a reason of at most %d bytes", maxText)
	}
	result, err := h.Undo(ctx, who, a.Offer, a.Undo, reason)
	if err != nil {
		return Act{}, err
	}
	a.State, a.Result, a.UndoneBy, a.UndoneAt = Undone, result, who.Person, b.now()
	return a, b.noteAct(ctx, &a, "Taken back: "+within(orText(a.Offer.Text, a.Offer.Kind+" "+a.Offer.Target)), nil)
}
