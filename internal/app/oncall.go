package app

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"reeve/internal/api"
	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/oncall"
	"reeve/internal/upstream"
	"reeve/internal/visible"
)

// This file joins incidents and approvals to the people who are called about
// them. What calls is looked for again by a sweep, so that no crash between a
// commit and its consequence leaves somebody uncalled.

// calling is who is called, and by what.
type calling struct {
	book    *oncall.Book
	notices *notify.Book
	linkKey []byte
	news    chan incidentNews // what incidents say; what does not fit the sweep finds
	client  *http.Client
	missed  atomic.Bool     // news of incidents found no room
	paged   map[string]bool // approvals about which people were called; of the sweep alone
}

type incidentNews struct {
	incident incident.Incident
	why      string // opened, worse, back; "" a person changed it
}

// openOnCall reads channels, schedules, policies and pages.
func (a *App) openOnCall(ctx context.Context) (err error) {
	c := &a.calling
	c.client = channel.NewClient(func(ip netip.Addr) error {
		return upstream.CheckAddress(ip, a.o.Config.Dev || a.o.Config.Channels.AllowPrivate)
	})
	c.news = make(chan incidentNews, 1024)
	if c.linkKey, err = keyFile(filepath.Join(a.o.Config.Data, "chat-key"), 32); err != nil {
		return err
	}
	if c.notices, err = notify.New(ctx, notify.Options{DB: a.control, Sealer: a.authority.ca, Logger: a.log.With("part", "notices"), Settled: a.delivered, Outside: a.toldFromOutside, Client: c.client}); err != nil {
		return err
	}
	c.book, err = oncall.New(ctx, oncall.Options{DB: a.control, Logger: a.log.With("part", "on call"), Call: a.callTarget, Told: a.toldOfPage})
	if err != nil {
		return err
	}
	a.timers[oncall.TimerEscalate] = c.book.Escalate
	return nil
}

// outside is the address of a path of the console as people reach it.
func (a *App) outside(path string) string {
	if base := a.o.Config.Approvals.Console; base != "" {
		return strings.TrimRight(base, "/") + path
	}
	scheme := "http"
	if a.o.Config.TLS.Cert != "" {
		scheme = "https"
	}
	if at := a.Address("listen"); at != "" {
		return scheme + "://" + at + path
	}
	return ""
}

func (a *App) onCallAPI() *api.OnCall {
	return &api.OnCall{Book: a.calling.book, Notices: a.calling.notices, Address: a.outside, Link: a.readLink}
}

// callTarget puts the message of a page to one contact into its transaction.
func (a *App) callTarget(ctx context.Context, tx *control.Tx, p *oncall.Page, t oncall.Target) (string, error) {
	d := notify.Delivery{Channel: t.Channel, Purpose: "page", Object: p.Object, Page: p.ID, Team: p.Team, Person: t.Person, Level: p.Step}
	m := channel.Message{Key: p.Kind + "-" + p.Object, Action: channel.Trigger, Title: p.Title, Severity: cmp.Or(p.Severity, "warning"), To: t.Address, Source: "team " + cmp.Or(p.Team, "unknown")}
	switch p.Kind {
	case "incident":
		m.URL = a.outside("/incidents/" + p.Object)
		m.Text = fmt.Sprintf("You are called as level %d of %s.", p.Step, p.Policy)
		m.Buttons = []channel.Button{{ID: "acknowledge", Label: "Acknowledge", Style: "primary"}}
	case "approval":
		d.Purpose = "approval"
		if err := a.approvalMessage(ctx, p.Object, t.Person, &m); err != nil {
			return "", err
		}
	}
	d.Message = m
	d, err := a.calling.notices.EnqueueIn(ctx, tx, d)
	return d.ID, err
}

// maxInMessage is how much of an action's arguments a message shows; what is
// longer is decided on its page.
const maxInMessage = 700

// approvalMessage tells what waits. It can be agreed to from a chat only where
// all of it is shown, and nothing is destroyed. Arguments are shown to a person who
// may decide or read there, and to the channels that an escalation names.
func (a *App) approvalMessage(ctx context.Context, id, person string, m *channel.Message) error {
	ap, ok := a.approvals.Known(ctx, id)
	if !ok {
		return nil // it is over, and so is its page in a moment
	}
	k := &ap.Ask
	m.URL = a.approvalPage(id)
	m.Title = visible.Line(fmt.Sprintf("%s wants to %s: %s", k.Agent, strings.ReplaceAll(k.Action, "_", " "), k.Resource), 300)
	m.Fields = []channel.Field{{Name: "Effect", Value: cmp.Or(k.Effect, "unknown")}, {Name: "Team", Value: k.Team}, {Name: "Environment", Value: k.Environment}, {Name: "Without an answer", Value: "it does not happen at " + ap.ExpiresAt.UTC().Format("15:04:05 UTC")}}
	buttons := []channel.Button{{ID: "deny", Label: "Deny", Style: "danger"}}
	shown := person == ""
	if !shown {
		can, err := a.rightsOf(ctx, person)
		if err != nil {
			return err
		}
		shown = can("approver", k.Team, k.Environment) || can("reader", k.Team, k.Environment)
	}
	if r, err := a.approvals.Open(ap); err == nil && shown {
		if body := string(r.Arguments()); len(body) <= maxInMessage {
			m.Fields = append(m.Fields, channel.Field{Name: "Arguments", Value: visible.Line(body, 0)})
			if k.Effect == "write" {
				m.Data = map[string]string{"bound": ap.Bound}
				buttons = append([]channel.Button{{ID: "approve", Label: "Approve", Style: "primary"}}, buttons...)
			}
		} else {
			m.Text = fmt.Sprintf("Its arguments have %d bytes: open it to see them.", len(body))
		}
	}
	m.Buttons = buttons
	return nil
}

// toldOfPage writes what a page did on the timeline of its incident.
func (a *App) toldOfPage(ctx context.Context, tx *control.Tx, p *oncall.Page, text, detail string) error {
	if p.Kind != "incident" {
		return nil
	}
	err := a.incidents.TellIn(ctx, tx, p.Object, incident.Entry{At: time.Now().UTC().Truncate(time.Microsecond), Kind: "page", Text: text, Detail: detail, Evidence: &incident.Evidence{Kind: "page", ID: p.ID}})
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	return err
}

// delivered hands what came of a delivery to its page.
func (a *App) delivered(ctx context.Context, d notify.Delivery) {
	if d.Page == "" {
		return
	}
	if err := a.calling.book.Settled(ctx, d.Page, d.ID, d.State); err != nil && ctx.Err() == nil {
		a.log.Error("what came of a call was not noted; the next level is called at its time", "page", d.Page, "delivery", d.ID, "err", err)
	}
}

// noteDeliveries hands to pages what came of their deliveries where they were not
// told of it: a kill came between the two, or the page could not be stored then.
// Without it such a call stayed queued on record, and one of which nobody knows
// whether it arrived was waited for.
func (a *App) noteDeliveries(ctx context.Context, pages []oncall.Page) error {
	for i := range pages {
		for _, c := range pages[i].Calls {
			if c.State != notify.Queued {
				continue
			}
			d, err := a.calling.notices.Delivery(ctx, c.Delivery)
			switch {
			case fault.Is(err, fault.KindNotFound): // it is older than deliveries are kept
				continue
			case err != nil:
				return err
			case d.State == notify.Queued || d.State == notify.Claimed:
				continue
			}
			if err := a.calling.book.Settled(ctx, pages[i].ID, d.ID, d.State); err != nil {
				return err
			}
		}
	}
	return nil
}

// heardOfIncident is told of incidents and must not wait.
func (a *App) heardOfIncident(i incident.Incident, why string) {
	select {
	case a.calling.news <- incidentNews{i, why}:
	default: // the sweep finds it
		a.calling.missed.Store(true)
	}
}

// sweepEvery is how soon what a crash or a full channel left out is found.
const sweepEvery = 5 * time.Second

// callPeople calls people about incidents, and ends that when it is over.
func (a *App) callPeople(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	a.calling.missed.Store(true) // what a kill left out
	// Once at a start of those that are over, too: what a kill left out stays so.
	recent, err := a.calling.book.Pages(ctx, "", 1000)
	if err == nil {
		err = a.noteDeliveries(ctx, recent)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Error("what came of calls before this start was not noted", "err", err)
	}
	if err := a.sweepCalls(ctx); err != nil && ctx.Err() == nil {
		a.log.Error("who has to be called was not looked for and is again", "err", err)
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case n := <-a.calling.news:
			err = a.followIncident(ctx, n)
		case <-tick.C:
			err = a.sweepCalls(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("people were not called or told and are again", "err", err)
		}
	}
}

// pages reports whether an incident wakes somebody: what is only information does
// not.
func pages(i *incident.Incident) bool { return i.State == incident.Open && i.Severity != incident.Info }

func (a *App) followIncident(ctx context.Context, n incidentNews) error {
	i := &n.incident
	if n.why != "" {
		if err := a.tellChannels(ctx, i, n.why); err != nil {
			return err
		}
	}
	if n.why == "opened" && pages(i) {
		if err := a.sayUncovered(ctx, i); err != nil {
			return err
		}
	}
	if pages(i) {
		return a.callAbout(ctx, i)
	}
	return a.endCalls(ctx, i)
}

// sayUncovered says on an incident that nobody is called about it, since no
// escalation policy is its team's.
func (a *App) sayUncovered(ctx context.Context, i *incident.Incident) error {
	if _, ok := a.calling.book.For(i.Team, "incidents"); ok {
		return nil
	}
	of := "incidents of no team"
	if i.Team != "" {
		of = "team " + i.Team
	}
	return a.incidents.Tell(ctx, i.ID, incident.Entry{Kind: "page", Text: "Nobody is called: no escalation policy covers " + of, Detail: "`reeve oncall policy` makes one; one without a team covers those without their own"})
}

func (a *App) callAbout(ctx context.Context, i *incident.Incident) error {
	_, _, err := a.calling.book.Begin(ctx, "incident", i.ID, i.Team, fmt.Sprintf("Incident %d: %s", i.Number, visible.Line(i.Title, 200)), i.Severity)
	return err
}

// endCalls ends the pages about an incident that somebody took up or that is
// over, and tells the channels that were told of it.
func (a *App) endCalls(ctx context.Context, i *incident.Incident) error {
	o := endOf{object: i.ID, team: i.Team, person: i.AcknowledgedBy, why: "it is " + i.State, action: channel.Acknowledge, severity: i.Severity, again: true, url: a.outside(fmt.Sprintf("/incidents/%d", i.Number))}
	word := "is taken up"
	if !i.Live() {
		o.action, word = channel.Resolve, "is over"
	}
	if i.State == incident.Open { // it became mild
		o.person, o.why, o.again = "", "it is "+i.Severity, false
	}
	o.title = func(*notify.Delivery) string {
		return fmt.Sprintf("Incident %d %s: %s", i.Number, word, visible.Line(i.Title, 200))
	}
	return a.over(ctx, &o)
}

// endOf is the end of what people were called about or told of.
type endOf struct {
	object, team, person, why, action, severity, url string
	again                                            bool // also where no page is open: others were told of it
	title                                            func(first *notify.Delivery) string
	only                                             func(c notify.Channel) bool // nil: all that were told
}

// over ends pages and tells each channel once that something is taken up or over:
// those that keep state, and those that were told of it at all. All of it is one
// transaction: a kill after the pages' end would leave it open at receivers for good.
func (a *App) over(ctx context.Context, o *endOf) error {
	var ended []oncall.Page
	err := a.control.Write(ctx, func(tx *control.Tx) (err error) {
		if ended, err = a.calling.book.EndIn(ctx, tx, o.object, o.person, o.why); err != nil || !o.again && len(ended) == 0 {
			return err
		}
		for _, p := range ended {
			if err := a.calling.notices.CancelIn(ctx, tx, p.ID); err != nil {
				return err
			}
		}
		places, err := a.toBeTold(ctx, tx, o)
		if err != nil {
			return err
		}
		for _, d := range places {
			if _, err := a.calling.notices.EnqueueIn(ctx, tx, notify.Delivery{Channel: d.Channel, Purpose: "sync", Object: o.object, Team: o.team, Message: channel.Message{
				Key: d.Message.Key, Action: o.action, To: d.Message.To, Severity: o.severity, Title: o.title(d), URL: o.url,
			}}); err != nil {
				return err
			}
		}
		return nil
	})
	return cmp.Or(err, a.noteDeliveries(ctx, ended))
}

// toBeTold are the last deliveries to places that do not know of an end yet. What was
// cancelled before it was sent is not there; what was cancelled after a try that ended
// in nobody knows may be.
func (a *App) toBeTold(ctx context.Context, r control.Reader, o *endOf) (out []*notify.Delivery, err error) {
	// The users of agents got their one message: how it goes on in the house is not theirs.
	list, err := a.calling.notices.DeliveriesIn(ctx, r, notify.Filter{Object: o.object, Except: toldFor, Limit: 500})
	if err != nil {
		return nil, err
	}
	type place struct{ channel, key, to string }
	seen := map[place]bool{}
	for i := range list { // the newest first
		d := &list[i]
		p := place{d.Channel, d.Message.Key, d.Message.To}
		if seen[p] || d.State == notify.Cancelled && !d.MayBeThere() {
			continue
		}
		seen[p] = true
		if d.Message.Action == o.action || d.Message.Action == channel.Resolve {
			continue
		}
		if o.only != nil {
			if c, err := a.calling.notices.Get(d.Channel); err != nil || !o.only(c) {
				continue
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// sweepEnds tells of ends that were not told: a kill came between the end and its
// news, or there was more news than the queue holds.
func (a *App) sweepEnds(ctx context.Context) error {
	list, err := a.incidents.List(ctx, incident.Filter{States: []string{incident.Acknowledged, incident.Mitigated, incident.Resolved, incident.Reviewed}, Limit: 500}, nil)
	if err != nil {
		return err
	}
	for i := range list {
		action := channel.Resolve
		if list[i].Live() {
			action = channel.Acknowledge
		}
		places, err := a.toBeTold(ctx, a.control, &endOf{object: list[i].ID, action: action})
		if err != nil {
			return err
		}
		if len(places) > 0 {
			if err := a.endCalls(ctx, &list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellChannels tells the channels that follow incidents.
func (a *App) tellChannels(ctx context.Context, i *incident.Incident, why string) error {
	rank := []string{incident.Info, incident.Warning, incident.Critical}
	for _, c := range a.calling.notices.List() {
		if c.Off || c.Incidents == "" || slices.Index(rank, i.Severity) < slices.Index(rank, c.Incidents) || c.Team != "" && c.Team != i.Team {
			continue
		}
		fields := []channel.Field{{Name: "Severity", Value: i.Severity}, {Name: "Agents", Value: cmp.Or(strings.Join(i.Agents[:min(len(i.Agents), 8)], ", "), "unknown")}, {Name: "Signals", Value: fmt.Sprint(i.Signals)}}
		if i.Cause != nil {
			fields = append(fields, channel.Field{Name: "Shares", Value: visible.Line(i.Cause.Kind+" "+i.Cause.Value, 200)})
		}
		text := map[string]string{"opened": "It is new.", "worse": "It became worse.", "back": "It came back."}[why]
		if _, err := a.calling.notices.Enqueue(ctx, notify.Delivery{Channel: c.Name, Purpose: "notice", Object: i.ID, Team: i.Team, Message: channel.Message{
			Key: "incident-" + i.ID, Action: channel.Trigger, Severity: i.Severity, Title: fmt.Sprintf("Incident %d: %s", i.Number, visible.Line(i.Title, 200)), Text: text,
			Fields: fields, URL: a.outside(fmt.Sprintf("/incidents/%d", i.Number)), Source: strings.Join(i.Agents[:min(len(i.Agents), 3)], ","),
			Buttons: []channel.Button{{ID: "acknowledge", Label: "Acknowledge", Style: "primary"}},
		}}); err != nil {
			return err
		}
	}
	return nil
}

// sweepCalls finds incidents that nobody was called about, and pages whose
// object is taken up or over.
func (a *App) sweepCalls(ctx context.Context) error {
	list, err := a.incidents.List(ctx, incident.Filter{States: []string{incident.Open}, Limit: 200}, nil)
	if err != nil {
		return err
	}
	now := time.Now()
	for i := range list {
		if !pages(&list[i]) || now.Sub(list[i].OpenedAt) > 24*time.Hour {
			continue
		}
		had, err := a.calling.book.Pages(ctx, list[i].ID, 1)
		if err != nil {
			return err
		}
		if len(had) == 0 {
			if err := a.callAbout(ctx, &list[i]); err != nil {
				return err
			}
		}
	}
	if err := a.sweepApprovals(ctx); err != nil {
		return err
	}
	if a.calling.missed.Swap(false) {
		if err := a.sweepEnds(ctx); err != nil {
			a.calling.missed.Store(true)
			return err
		}
	}
	open, err := a.calling.book.Open(ctx)
	if err == nil {
		err = a.noteDeliveries(ctx, open)
	}
	if err != nil {
		return err
	}
	for _, p := range open {
		switch p.Kind {
		case "incident":
			i, err := a.incidents.Get(ctx, p.Object)
			if err == nil && !pages(&i) {
				err = a.endCalls(ctx, &i)
			}
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return err
			}
		case "approval":
			if ap, ok := a.approvals.Known(ctx, p.Object); !ok || ap.State != approval.Pending {
				if err := a.endApprovalCalls(ctx, p.Object); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sweepApprovals calls people about what waits and about which nobody was called:
// the database took no page when it was asked for, or a kill came between.
func (a *App) sweepApprovals(ctx context.Context) error {
	list, err := a.approvals.List(ctx, approval.Filter{States: []approval.State{approval.Pending}, Limit: 1000})
	if err != nil {
		return err
	}
	paged := map[string]bool{} // of those that wait now: what is known once is not asked for again
	for _, ap := range list {
		if _, ok := a.calling.book.For(ap.Ask.Team, "approvals"); !ok {
			continue
		}
		if !a.calling.paged[ap.ID] {
			had, err := a.calling.book.Pages(ctx, ap.ID, 1)
			if err != nil {
				return err
			}
			if now, ok := a.approvals.Known(ctx, ap.ID); len(had) == 0 && ok && now.State == approval.Pending {
				if err := a.callAboutApproval(ctx, ap.ID, ap.Ask.Team, ap.Ask.Agent, ap.Ask.Resource); err != nil {
					return err
				}
			}
		}
		paged[ap.ID] = true
	}
	a.calling.paged = paged
	return nil
}

func (a *App) callAboutApproval(ctx context.Context, id, team, agent, resource string) error {
	_, _, err := a.calling.book.Begin(ctx, "approval", id, team, agent+" waits for a person: "+resource, "warning")
	return err
}

// approvalMoved calls people about what waits for them, and ends that when it
// was answered. It follows the outbox.
func (a *App) approvalMoved(ctx context.Context, kind string, data []byte) {
	var n approval.Notice
	if err := json.Unmarshal(data, &n); err != nil {
		return
	}
	var err error
	if n.State == approval.Pending {
		if kind == "approval.requested" {
			err = a.callAboutApproval(ctx, n.ID, n.Team, n.Agent, n.Resource)
		}
	} else {
		err = a.endApprovalCalls(ctx, n.ID)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Error("people were not called about an approval, and are by the next sweep", "approval", n.ID, "err", err)
	}
}

// endApprovalCalls ends the pages about what does not wait any more, and tells the
// receivers that keep state: it would stay open there. A chat shows who answered.
func (a *App) endApprovalCalls(ctx context.Context, id string) error {
	word := "over"
	if ap, ok := a.approvals.Known(ctx, id); ok {
		word = string(ap.State)
	}
	return a.over(ctx, &endOf{
		object: id, why: "it does not wait any more", action: channel.Resolve, severity: "info", url: a.approvalPage(id),
		title: func(d *notify.Delivery) string { return visible.Line("It is "+word+": "+d.Message.Title, 300) },
		only: func(c notify.Channel) bool {
			k, ok := channel.Find(c.Kind)
			return ok && k.Keyed
		},
	})
}

// linkFor is a token by which a signed-in person takes a chat's account as their
// own, within the hour.
func (a *App) linkFor(name, account string, now time.Time) string {
	body, err := json.Marshal([]any{name, account, now.Add(time.Hour).Unix()})
	if err != nil { // strings and a number: cannot happen
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(a.linkMAC(text))
}

func (a *App) linkMAC(text string) []byte {
	h := hmac.New(sha256.New, a.calling.linkKey)
	h.Write([]byte("chat link\x00" + text))
	return h.Sum(nil)
}

func (a *App) readLink(token string) (name, account string, err error) {
	bad := fault.New(fault.KindInvalid, "chat.link", "this link of a chat is not valid any more").WithHint("press the button in the chat again")
	text, sum, _ := strings.Cut(token, ".")
	given, err1 := base64.RawURLEncoding.DecodeString(sum)
	body, err2 := base64.RawURLEncoding.DecodeString(text)
	if err1 != nil || err2 != nil || !hmac.Equal(given, a.linkMAC(text)) {
		return "", "", bad
	}
	var parts [3]json.RawMessage
	var until int64
	if json.Unmarshal(body, &parts) != nil || json.Unmarshal(parts[0], &name) != nil || json.Unmarshal(parts[1], &account) != nil || json.Unmarshal(parts[2], &until) != nil || time.Now().Unix() > until {
		return "", "", bad
	}
	return name, account, nil
}

// slackAnswer takes a button that somebody pressed in Slack. It answers at once,
// as Slack wants it within three seconds; what came of it is said to who pressed.
func (a *App) slackAnswer(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("channel")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err := channel.VerifySlack(a.calling.notices.Signing(name), r.Header.Get("X-Slack-Request-Timestamp"), r.Header.Get("X-Slack-Signature"), body, time.Now()); err != nil {
		http.Error(w, "not signed by Slack", http.StatusUnauthorized)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	in, ok := channel.ReadInteraction([]byte(form.Get("payload")))
	if !ok {
		w.WriteHeader(http.StatusOK) // what is no button needs no answer
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 2500*time.Millisecond)
	defer cancel()
	said := a.fromChat(ctx, name, in)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"response_type": "ephemeral", "replace_original": false, "text": said})
	if in.ResponseURL != "" {
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
			defer cancel()
			channel.Respond(ctx, a.calling.client, in.ResponseURL, said)
		}()
	}
}

// fromChat does what a linked person pressed, and says what came of it.
func (a *App) fromChat(ctx context.Context, name string, in channel.Interaction) string {
	account := in.Team + "/" + in.User
	d, err := a.calling.notices.Delivery(ctx, in.Value)
	if err != nil || d.Channel != name || !slices.ContainsFunc(d.Message.Buttons, func(b channel.Button) bool { return b.ID == in.Action }) {
		return "This button is of no message that Reeve knows."
	}
	person, err := a.calling.notices.Linked(ctx, name, account)
	if err != nil {
		return "Reeve could not look up who you are. Try again."
	}
	if person == "" {
		return "Reeve does not know who you are. Sign in and link this account: " + a.outside("/link-chat?token="+url.QueryEscape(a.linkFor(name, account, time.Now())))
	}
	if in.Action == "approve" && d.Person != "" && d.Person != person {
		return "Somebody else was asked by this message. You may answer it in the console: " + a.outside("/approvals/"+url.PathEscape(d.Object))
	}
	p, err := a.identity.Person(ctx, person)
	if err != nil || p.Disabled || !p.EndsAt.IsZero() && !time.Now().Before(p.EndsAt) {
		return "Your account in Reeve is closed."
	}
	said, err := a.api.FromChat(ctx, identity.Principal{Kind: identity.KindPerson, PersonID: p.ID, Name: p.Name, Grants: p.Grants}, in.Action, d.Object, d.Message.Data["bound"])
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.KindInternal {
			a.log.Error("what was pressed in a chat failed", "channel", name, "err", err)
		}
		return strings.TrimSpace(f.Message + ". " + f.Hint)
	}
	return said
}

// stateBack takes what a system of paging or tickets tells of what it was sent. An
// answer of 5xx has it told again.
func (a *App) stateBack(w http.ResponseWriter, r *http.Request) {
	kind := r.PathValue("kind")
	if !channel.Tells(kind) {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	t, err := a.calling.notices.Receive(ctx, kind, r.PathValue("channel"), r.Header, body)
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.KindInternal {
			a.log.Error("what a channel's receiver told was not taken", "channel", r.PathValue("channel"), "err", err)
		}
		http.Error(w, f.Message, f.Kind.HTTPStatus())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"outcome": t.Outcome, "again": t.Again})
}

// toldFromOutside does what people did to an incident where it was sent. The
// channel acts as a responder of its team, and of all teams if it is of none.
func (a *App) toldFromOutside(ctx context.Context, c notify.Channel, t notify.Told) (outcome, text string, err error) {
	if !strings.HasPrefix(t.Change.Key, "incident-") {
		return notify.Nothing, "only incidents follow it: what waits for agreement is answered here", nil
	}
	who := incident.Actor{Via: "channel " + c.Name, Name: c.Name, Can: func(_, team, _ string) bool { return c.Team == "" || c.Team == team }}
	_, changed, err := a.incidents.FromOutside(ctx, who, t.Object, incident.Outside{
		Where: fmt.Sprintf("channel %s (%s)", c.Name, c.Kind), By: visible.Line(t.Change.By, 200), To: visible.Line(t.Change.To, 200), State: t.Change.State,
	})
	switch {
	case err != nil:
		return "", "", err
	case !changed:
		return notify.Nothing, "it stands so already, or is over", nil
	}
	return notify.TakenOver, "", nil
}

// calendar is a schedule as an iCalendar feed.
func (a *App) calendar(w http.ResponseWriter, r *http.Request) {
	names := func(id string) string {
		if p, err := a.identity.Person(r.Context(), id); err == nil {
			return cmp.Or(p.FullName, p.Name)
		}
		return id
	}
	name, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
	text, err := a.calling.book.Calendar(name, r.URL.Query().Get("key"), names)
	if !ok || err != nil {
		http.Error(w, "there is no such calendar", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text)
}
