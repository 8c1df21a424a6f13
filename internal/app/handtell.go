package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/incident"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/visible"
)

// tellHand tells the users of affected runs, through a channel that reaches people
// outside: each once an incident, whatever is sent again.
type tellHand struct{ app *App }

const (
	// maxTold bounds the people of one message: more are a matter for a mailing of
	// the house's own.
	maxTold   = 2000
	toldOfOne = 100 // in one transaction
	toldFor   = "affected"
)

// tells reports whether a channel can carry a message to a user.
func tells(c *notify.Channel) bool { return !c.Off && (c.Kind == "email" || c.Kind == "webhook") }

func (h tellHand) offers(_ context.Context, i *incident.Incident) (out []incident.Offer) {
	if len(i.Agents) == 0 || i.Runs == 0 && i.People <= 0 {
		return nil
	}
	for _, c := range h.app.calling.notices.List() {
		if tells(&c) && (c.Team == "" || c.Team == i.Team) && len(out) < maxOffered {
			out = append(out, incident.Offer{Kind: handTell, Target: c.Name, Why: "their runs share what the incident is about"})
		}
	}
	return out
}

// place is the incident's, or everywhere when it touches several.
func (h tellHand) place(ctx context.Context, o incident.Offer) (incident.Place, error) {
	i, err := h.app.incidents.Get(ctx, o.Incident)
	if err != nil {
		return incident.Place{}, err
	}
	at := incident.Place{Team: i.Team, Environment: i.Environment}
	if at.Team == "" || slices.ContainsFunc(i.Places, func(p incident.Place) bool { return p != at }) {
		return everywhere, nil
	}
	return at, nil
}

// recipient is a user with their address in the channel.
type recipient struct{ user, address string }

// addressOf is where a channel reaches a user; "" where it cannot. A user is as the
// sender named them, with their issuer before them where they have one.
func addressOf(c *notify.Channel, user string) string {
	if c.Kind == "webhook" {
		return user
	}
	_, after, _ := strings.Cut(user, ":")
	for _, s := range []string{user, after} {
		if a, err := mail.ParseAddress(s); err == nil && a.Address == s && !strings.ContainsAny(s, "\r\n") {
			return s
		}
	}
	return ""
}

// reached is whom a message would go to.
type reached struct {
	channel     notify.Channel
	incident    incident.Incident
	to          []recipient
	told        int // before
	unreachable int
	watching    int // complained without an address, and see what becomes of it by a link
}

func (h tellHand) reach(ctx context.Context, who incident.Actor, o incident.Offer) (*reached, error) {
	i, err := h.app.incidents.Get(ctx, o.Incident)
	if err != nil {
		return nil, err
	}
	c, err := h.app.calling.notices.Get(o.Target)
	if err != nil {
		return nil, err
	}
	if !tells(&c) || c.Team != "" && c.Team != i.Team {
		return nil, fault.New(fault.KindInvalid, "incident.act", "channel %.60s does not reach the users of agents", o.Target).WithHint("a channel of kind email or webhook, of the incident's team or of all")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s := i.ReachOf(time.Now())
	// Who is a user of a run is what its sender says: nobody outside the places for
	// which the teller responds is told on the word of somebody else's sender.
	var teams []string
	if who.Can == nil || !who.Can("responder", "*", "*") {
		teams = []string{i.Team}
	}
	res, err := h.app.store.Query(ctx, telemetry.Query{
		Table: "runs", Where: s.Where(), From: s.From, To: s.To.Add(time.Minute), GroupBy: []string{"user"},
		Select: []telemetry.Measure{{Func: "count", As: "n"}}, Limit: maxTold + 2, NoTests: true, Teams: teams,
	})
	if err != nil {
		return nil, err
	}
	var users []string
	for _, row := range res.Rows {
		if u, ok := row[0].(string); ok && u != "" {
			users = append(users, u)
		}
	}
	if len(users) > maxTold {
		return nil, fault.New(fault.KindExhausted, "incident.too_many", "it touches more than %d people", maxTold).WithHint("take their runs out with `reeve run list` and tell them by a mailing of your own")
	}
	slices.Sort(users)
	told, err := h.app.incidents.Told(ctx, i.ID, users)
	if err != nil {
		return nil, err
	}
	out := &reached{channel: c, incident: i}
	for _, u := range users {
		switch at := addressOf(&c, u); {
		case told[u]:
			out.told++
		case at == "":
			out.unreachable++
		default:
			out.to = append(out.to, recipient{u, at})
		}
	}
	out.watching, err = h.app.feedback.Watching(ctx, teamOf(teams), h.runsOf(&i))
	return out, err
}

// teamOf is the one team that somebody answers for; "" all.
func teamOf(teams []string) string {
	if len(teams) == 1 {
		return teams[0]
	}
	return ""
}

// runsOf picks of some runs those that an incident is about.
func (h tellHand) runsOf(i *incident.Incident) func(context.Context, []string) (map[string]bool, error) {
	s := i.ReachOf(time.Now())
	return func(ctx context.Context, runs []string) (map[string]bool, error) {
		page, err := h.app.store.Runs(ctx, telemetry.RunsQuery{Filter: search.Both(s.Where(), search.Is("id", runs...)), From: s.From, To: s.To.Add(time.Minute), Limit: len(runs)})
		out := map[string]bool{}
		for k := range page.Runs {
			out[page.Runs[k].ID.String()] = true
		}
		return out, err
	}
}

func (h tellHand) preview(ctx context.Context, who incident.Actor, o incident.Offer) (incident.Preview, error) {
	r, err := h.reach(ctx, who, o)
	if err != nil {
		return incident.Preview{}, err
	}
	text := fmt.Sprintf("Sends %d messages through %s, one to each user of a run that shares what the incident is about.", len(r.to), o.Target)
	if r.told > 0 {
		text += fmt.Sprintf(" %d were told before and are left out.", r.told)
	}
	if r.unreachable > 0 {
		text += fmt.Sprintf(" %d cannot be reached so: their names are no addresses of this channel.", r.unreachable)
	}
	if r.watching > 0 {
		text += fmt.Sprintf(" %d who complained and left no address are shown it behind the link that they were given.", r.watching)
	}
	text += " Users are as the senders of the runs named them: look at the places below before you agree."
	out := incident.Preview{Hits: domains(r.to), Text: text, Draft: r.incident.Message(), Second: true, Undo: "What was sent or shown stays so; undo takes back what still waits."}
	if len(r.to) == 0 && r.watching == 0 {
		out.Needs = "nobody is left whom this channel reaches"
	}
	return out, nil
}

// domains are where the recipients are, by how many: who agrees sees a mailing to
// strangers, and nobody reads from a preview whom it touched.
func domains(to []recipient) (out []string) {
	by := map[string]int{}
	for _, r := range to {
		_, domain, ok := strings.Cut(r.address, "@")
		if !ok {
			domain = "users without an address"
		}
		by[domain]++
	}
	for d, n := range by {
		out = append(out, fmt.Sprintf("%d of %s", n, visible.Line(d, 80)))
	}
	slices.SortFunc(out, func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), strings.Compare(x, y)) })
	return out[:min(len(out), 20)]
}

// toldUndo is what was queued for whom, by the number of the message.
type toldUndo struct {
	Message string `json:"message"`
}

func (h tellHand) do(ctx context.Context, who incident.Actor, o incident.Offer, _ string, _ time.Time) (string, any, error) {
	words := strings.TrimSpace(o.Words)
	if words == "" || len(words) > incident.MaxMessage {
		return "", nil, fault.New(fault.KindInvalid, "incident.act", "a message has 1 to %d bytes", incident.MaxMessage).WithHint("the preview has a draft to begin with")
	}
	r, err := h.reach(ctx, who, o)
	if err != nil {
		return "", nil, err
	}
	// From here on it is done to its end: half of the people told by chance is worse
	// than who asked having left.
	ctx = context.WithoutCancel(ctx)
	id, sent := activity.Mint("msg_", time.Now().UnixNano()), 0
	for part := range slices.Chunk(r.to, toldOfOne) {
		n := 0
		err := h.app.control.Write(ctx, func(tx *control.Tx) (err error) {
			n, err = h.enqueue(ctx, tx, r, part, id, words)
			return err
		})
		if err != nil {
			return "", nil, fmt.Errorf("telling the affected, %d of %d are told: %w", sent, len(r.to), err)
		}
		sent += n
	}
	said := fmt.Sprintf("%d people are told through %s", sent, o.Target)
	if r.watching > 0 {
		n, err := h.showWatching(ctx, who, r, words)
		if err != nil {
			// The messages are on their way: that these were not shown it is part of what is told.
			h.app.log.Error("who complained is not shown what became of it", "incident", r.incident.ID, "err", err)
			return said + ", and nobody who has a link is shown it: see the log", toldUndo{id}, nil
		}
		said += fmt.Sprintf(", %d are shown it behind their link", n)
	}
	return said, toldUndo{id}, nil
}

// showWatching shows the message to who complained of the incident's runs without an
// address, behind the link that they were given.
func (h tellHand) showWatching(ctx context.Context, who incident.Actor, r *reached, words string) (int, error) {
	state := feedback.StatusWorking
	if r.incident.State == incident.Resolved || r.incident.State == incident.Reviewed {
		state = feedback.StatusCorrected
	}
	by := feedback.Actor{Person: who.Person, Name: who.Name, Via: "incident " + r.incident.ID, Can: func(role, team, environment string) bool {
		return who.Can == nil || who.Can(role, cmp.Or(team, "*"), cmp.Or(environment, "*"))
	}}
	team := ""
	if who.Can != nil && !who.Can("responder", "*", "*") {
		team = r.incident.Team
	}
	return h.app.feedback.TellWatching(ctx, by, team, state, visible.Text(words), h.runsOf(&r.incident))
}

// enqueue adds the messages to some people in one transaction with the note that
// they were told.
func (h tellHand) enqueue(ctx context.Context, tx *control.Tx, r *reached, part []recipient, id, words string) (n int, err error) {
	i := &r.incident
	for _, to := range part {
		d, err := h.app.calling.notices.EnqueueIn(ctx, tx, notify.Delivery{
			Channel: r.channel.Name, Purpose: toldFor, Object: i.ID, Page: id, Team: i.Team,
			Message: channel.Message{
				Key: i.ID + "-" + h.app.incidents.Heard(i.ID, to.user), Action: channel.Trigger, Title: "About what you received from us", Text: visible.Text(words), Severity: "info",
				To: to.address, Source: cmp.Or(i.Team, "us"), Data: map[string]string{"user": to.user},
			},
		})
		if err != nil {
			return n, err
		}
		fresh, err := h.app.incidents.ToldIn(ctx, tx, i.ID, to.user, id, d.ID)
		if err != nil {
			return n, err
		}
		if !fresh { // somebody told them this very moment
			if _, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE id = ?`, d.ID); err != nil {
				return n, err
			}
			continue
		}
		n++
	}
	return n, nil
}

func (h tellHand) undo(ctx context.Context, _ incident.Actor, _ incident.Offer, undo json.RawMessage, _ string) (string, error) {
	var u toldUndo
	if err := json.Unmarshal(undo, &u); err != nil || u.Message == "" {
		return "", lost(err)
	}
	back, all := 0, 0
	err := h.app.control.Write(ctx, func(tx *control.Tx) error {
		if err := h.app.calling.notices.CancelIn(ctx, tx, u.Message); err != nil {
			return err
		}
		list, err := control.All(ctx, tx, func(r control.Row) (d [2]string, err error) { return d, r.Scan(&d[0], &d[1]) }, `SELECT id, state FROM deliveries WHERE page = ?`, u.Message)
		if err != nil {
			return err
		}
		back, all = 0, len(list)
		for _, d := range list {
			if d[1] != notify.Cancelled {
				continue
			}
			back++
			if err := h.app.incidents.UntoldIn(ctx, tx, d[0]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if back == 0 {
		return "", fault.New(fault.KindConflict, "incident.act", "all %d messages went out already", all).WithHint("tell them anew what is right: `reeve incident note` keeps that it was done")
	}
	return fmt.Sprintf("%d of %d messages did not go out", back, all), nil
}
