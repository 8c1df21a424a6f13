package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/control"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/oncall"
)

// deskHouse is a server with an agent whose refunds a policy holds, two approvers with
// their accounts in a chat, and who is called about what waits.
type deskHouse struct {
	*App
	t     *testing.T
	api   *client.Client
	key   string
	chat  outside
	pager outside
	done  outside // refunds
	bo    string  // the first level's approver
}

func newDeskHouse(t *testing.T) *deskHouse {
	t.Helper()
	h := &deskHouse{App: start(t, func(c *Config) { c.Approvals.Wait, c.Approvals.Life = 2*time.Minute, 3*time.Minute }), t: t}
	ctx := t.Context()
	h.api = client.New("http://"+h.Address("listen"), "")
	register(t, h.App, "payer")
	var err error
	if _, h.key, err = h.agents.CreateKey(ctx, everyRole(), "payer", agent.NewKey{Label: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.upstreams.Put(ctx, "test", client.Upstream{
		Name: "shop", Kind: "http", URL: h.done.serve(t, 200, `{"refunded":true}`), Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Routes: []client.Route{{Method: "POST", Path: "/refunds", Effect: "write"}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.api.PutPolicy(ctx, client.PutPolicyRequest{Name: "held", Mode: "enforce", Reason: "a test", Cedar: `@id("held") @hold("approvers") permit (principal, action == Action::"call_api", resource in Upstream::"shop");`}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.identity.CreateTeam(ctx, identity.Dev(), "core", ""); err != nil && !strings.Contains(err.Error(), "exist") {
		t.Fatal(err)
	}
	can := func(string, string, string) bool { return true }
	if _, err := h.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: can}, notify.Change{
		Name: "chat", Kind: "slack", Settings: channel.Settings{URL: h.chat.serve(t, 200, `{"ok":true,"channel":"C1","ts":"1.2"}`), Channel: "#ops"}, Token: "xoxb-1", Signing: "slack-secret",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: can}, notify.Change{Name: "pager", Kind: "pagerduty", Settings: channel.Settings{URL: h.pager.serve(t, 202, `{"status":"success"}`)}, Token: strings.Repeat("k", 32)}); err != nil {
		t.Fatal(err)
	}
	var people []string
	for i, name := range []string{"bo", "cy"} {
		p, err := h.identity.CreatePerson(ctx, identity.Dev(), identity.NewPerson{Name: name, Password: "three unrelated words here", Teams: []string{"core"}, Grants: []identity.Grant{{Role: identity.Approver, Team: "core", Environment: identity.Everything}}})
		if err != nil {
			t.Fatal(err)
		}
		account := fmt.Sprint("U", i+1)
		if err := h.calling.book.PutContacts(ctx, oncall.Actor{Person: p.ID}, p.ID, []oncall.Contact{{Channel: "chat", Address: account}}); err != nil {
			t.Fatal(err)
		}
		if err := h.calling.notices.Link(ctx, "chat", "T1/"+account, p.ID); err != nil {
			t.Fatal(err)
		}
		people = append(people, p.ID)
	}
	h.bo = people[0]
	if _, err := h.calling.book.PutPolicy(ctx, oncall.Actor{Person: "test", Can: can}, oncall.Policy{Name: "core", Team: "core", For: "approvals", Levels: []oncall.Level{
		{People: people[:1], Channels: []string{"pager"}, After: "10s"}, {People: people[1:], After: "10m"},
	}}); err != nil {
		t.Fatal(err)
	}
	return h
}

// refund makes a call that is held; its answer comes when somebody answered.
func (h *deskHouse) refund(order int) <-chan answer {
	got := make(chan answer, 1)
	go func() {
		got <- post(h.t.Context(), h.Door()+"/http/shop/refunds", "application/json", fmt.Appendf(nil, `{"order":%d}`, order), "Authorization", "Bearer "+h.key)
	}()
	return got
}

// message waits for the message in chat about an order, to an account.
func (h *deskHouse) message(order int, to string) (text string) {
	h.t.Helper()
	eventually(h.t, fmt.Sprintf("the message to %s about order %d", to, order), func() bool {
		for _, m := range h.chat.all() {
			raw, err := json.Marshal(m)
			if err == nil && m["channel"] == to && strings.Contains(string(raw), fmt.Sprintf(`\"order\":%d`, order)) {
				text = string(raw)
				return true
			}
		}
		return false
	})
	return text
}

// press presses a button of a message in chat.
func (h *deskHouse) press(text, button, account string) string {
	h.t.Helper()
	_, rest, ok := strings.Cut(text, fmt.Sprintf(`"action_id":%q`, button))
	_, rest, found := strings.Cut(rest, `"value":"`)
	value, _, _ := strings.Cut(rest, `"`)
	if !ok || !found {
		h.t.Fatalf("no button %s in %s", button, text)
	}
	payload := fmt.Sprintf(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":%q},"actions":[{"action_id":%q,"value":%q}]}`, account, button, value)
	body, at := "payload="+url.QueryEscape(payload), fmt.Sprint(time.Now().Unix())
	got := post(h.t.Context(), "http://"+h.Address("listen")+"/chat/slack/chat", "application/x-www-form-urlencoded", []byte(body), "X-Slack-Request-Timestamp", at, "X-Slack-Signature", "v0="+hexMAC("slack-secret", "v0:"+at+":"+body))
	if got.status != http.StatusOK {
		h.t.Fatalf("pressing %s: %+v", button, got)
	}
	return got.body
}

// refunded reports whether the upstream was asked for a refund of an order.
func (h *deskHouse) refunded(order int) bool {
	for _, b := range h.done.all() {
		if b["order"] == float64(order) {
			return true
		}
	}
	return false
}

func (h *deskHouse) page(object string) oncall.Page {
	h.t.Helper()
	list, err := h.calling.book.Pages(h.t.Context(), object, 2)
	if err != nil || len(list) != 1 {
		h.t.Fatalf("pages of %s: %+v, %v", object, list, err)
	}
	return list[0]
}

// waiting is the approval of an order.
func (h *deskHouse) waiting(order int) (id string) {
	h.t.Helper()
	eventually(h.t, "the approval", func() bool {
		list, err := h.approvals.List(h.t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
		if err != nil {
			return false
		}
		for _, ap := range list {
			if r, err := h.approvals.Open(ap); err == nil && string(r.Arguments()) == fmt.Sprintf(`{"order":%d}`, order) {
				id = ap.ID
			}
		}
		return id != ""
	})
	return id
}

// What waits for a person is in the chat of the team's approver within 5 s; agreeing
// there lets the held call go on, and the other level is not called.
func TestApprovedInChat(t *testing.T) {
	t.Parallel()
	h := newDeskHouse(t)
	began := time.Now()
	got := h.refund(1)
	text := h.message(1, "U1")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the message came %s after the call", took)
	}
	id := h.waiting(1)
	if h.refunded(1) {
		t.Fatal("it was done before anybody agreed")
	}
	// Who is called and may neither decide nor read there is not shown what it is about.
	vic, err := h.identity.CreatePerson(t.Context(), identity.Dev(), identity.NewPerson{Name: "vic", Password: "three unrelated words here", Teams: []string{"core"}, Grants: []identity.Grant{{Role: identity.Viewer, Team: "core", Environment: identity.Everything}}})
	if err != nil {
		t.Fatal(err)
	}
	for person, want := range map[string]bool{vic.ID: false, h.bo: true, "": true} {
		var m channel.Message
		if err := h.approvalMessage(t.Context(), id, person, &m); err != nil {
			t.Fatal(err)
		}
		shown := slices.ContainsFunc(m.Fields, func(f channel.Field) bool { return f.Name == "Arguments" })
		offered := slices.ContainsFunc(m.Buttons, func(b channel.Button) bool { return b.ID == "approve" })
		if shown != want || offered != want {
			t.Errorf("%q is shown the arguments: %v, and may approve: %v; want %v", person, shown, offered, want)
		}
	}
	if said := h.press(text, "approve", "U1"); !strings.Contains(said, "Approved.") {
		t.Fatalf("who agreed is told %s", said)
	}
	select {
	case a := <-got:
		if a.status != http.StatusOK || !strings.Contains(a.body, "refunded") || !h.refunded(1) {
			t.Errorf("the held call came back as %+v", a)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the held call is held still")
	}
	eventually(t, "the end of calling", func() bool { return h.page(id).State != oncall.Paging })
	if p := h.page(id); p.Step != 1 || len(p.Calls) != 2 || p.Calls[0].State != notify.Sent {
		t.Errorf("the page is %+v", p)
	}
	eventually(t, "the end of it where pages go", func() bool {
		var events []string
		for _, e := range h.pager.all() {
			if e["dedup_key"] == "approval-"+id {
				events = append(events, fmt.Sprint(e["event_action"]))
			}
		}
		return len(events) == 2 && events[0] == "trigger" && events[1] == "resolve"
	})

	// Denying there, too; and who is not an approver may not.
	denied := h.refund(2)
	if said := h.press(h.message(2, "U1"), "deny", "U1"); !strings.Contains(said, "Denied") {
		t.Errorf("who denied is told %s", said)
	}
	if a := <-denied; a.status != http.StatusForbidden || h.refunded(2) {
		t.Errorf("what was denied came back as %+v", a)
	}
}

// Without an answer the next level is called at its time, and when that is over the
// action does not happen.
func TestNobodyAnswersInChat(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a level waits ten seconds at least")
	}
	h := newDeskHouse(t)
	got := h.refund(3)
	h.message(3, "U1")
	first := time.Now()
	id := h.waiting(3)
	text := h.message(3, "U2")
	if after := time.Since(first); after < 9*time.Second || after > 15*time.Second {
		t.Errorf("the next level was called %s after the first, want 10 s", after)
	}
	if p := h.page(id); p.Step != 2 || p.State != oncall.Paging {
		t.Errorf("the page is %+v", p)
	}
	// Its end comes now instead of in minutes: the row's time and its timer.
	if err := h.control.Write(t.Context(), func(tx *control.Tx) error {
		now := time.Now().Add(-time.Second)
		if _, err := tx.Exec(t.Context(), `UPDATE approvals SET expires_at = ? WHERE id = ?`, control.Micros(now), id); err != nil {
			return err
		}
		return tx.SetTimer(t.Context(), control.Timer{ID: "approval/" + id, Kind: approval.TimerExpire, Due: now, Body: id})
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-got:
		if a.status != http.StatusForbidden || !strings.Contains(a.body, "approval.expired") {
			t.Errorf("without an answer it came back as %+v", a)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("what nobody answered is held still")
	}
	if h.refunded(3) {
		t.Error("what nobody agreed to was done")
	}
	eventually(t, "the end of calling", func() bool { return h.page(id).State == oncall.Ended })
	if said := h.press(text, "approve", "U2"); strings.Contains(said, "Approved") || h.refunded(3) {
		t.Errorf("who agrees too late is told %s", said)
	}
}

// A page that the database did not take when it was asked for is begun later.
func TestApprovalCallsAreLookedForAgain(t *testing.T) {
	t.Parallel()
	h := newDeskHouse(t)
	sql := func(text string) {
		t.Helper()
		if err := h.control.Write(t.Context(), func(tx *control.Tx) error {
			_, err := tx.Exec(t.Context(), text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	sql(`CREATE TRIGGER no_pages BEFORE INSERT ON pages BEGIN SELECT RAISE(ABORT, 'the disk does not take it'); END`)
	got := h.refund(4)
	id := h.waiting(4)
	// What is said once was said, and came to nothing.
	eventually(t, "the event to be relayed", func() bool {
		n, ok, err := control.One(t.Context(), h.control, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT o.seq FROM outbox o, cursors c WHERE o.object = ? AND c.name = 'relay' AND c.seq >= o.seq`, id)
		return err == nil && ok && n > 0
	})
	if list, err := h.calling.book.Pages(t.Context(), id, 1); err != nil || len(list) != 0 {
		t.Fatalf("the database took a page: %+v, %v", list, err)
	}
	sql(`DROP TRIGGER no_pages`)
	h.press(h.message(4, "U1"), "approve", "U1")
	if a := <-got; a.status != http.StatusOK {
		t.Errorf("it came back as %+v", a)
	}
	if p := h.page(id); len(p.Calls) != 2 {
		t.Errorf("called %+v", p.Calls)
	}
}

// What came of a delivery is on its page although a kill came between noting the one
// and telling the other, and calls on where nobody knows; what is over before it was
// sent is cancelled there.
func TestCallsAreNotedAfterAll(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	can := func(string, string, string) bool { return true }
	var chat, pager outside
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(busy.Close)
	for _, c := range []notify.Change{
		{Name: "chat", Kind: "slack", Token: chat.serve(t, 200, "ok")},
		{Name: "busy", Kind: "slack", Token: busy.URL},
		{Name: "pager", Kind: "pagerduty", Settings: channel.Settings{URL: pager.serve(t, 202, `{"status":"success"}`)}, Token: strings.Repeat("k", 32)},
	} {
		if _, err := a.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: can}, c); err != nil {
			t.Fatal(err)
		}
	}
	for team, first := range map[string]string{"": "chat", "slow": "busy"} {
		if team != "" {
			if _, err := a.identity.CreateTeam(ctx, identity.Dev(), team, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.calling.book.PutPolicy(ctx, oncall.Actor{Person: "test", Can: can}, oncall.Policy{Name: "house" + team, Team: team, Levels: []oncall.Level{{Channels: []string{first}, After: "1h"}, {Channels: []string{"pager"}, After: "1h"}}}); err != nil {
			t.Fatal(err)
		}
	}
	everybody := incident.Actor{Person: "test", Name: "test", Can: can}
	open := func(team string) incident.Incident {
		i, err := a.incidents.Open(ctx, everybody, incident.Report{Title: "tools fail", Severity: "critical", Team: team})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	page := func(id string) (p oncall.Page) {
		list, err := a.calling.book.Pages(ctx, id, 1)
		if err == nil && len(list) == 1 {
			p = list[0]
		}
		return p
	}
	i := open("")
	eventually(t, "the first call", func() bool { p := page(i.ID); return len(p.Calls) == 1 && p.Calls[0].State == notify.Sent })
	if n := len(pager.all()); n != 0 {
		t.Fatalf("%d calls of the next level", n)
	}
	// As a kill between the two leaves it.
	if err := a.control.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE pages SET body = replace(body, '"state":"sent"', '"state":"queued"') WHERE object = ?`, i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE deliveries SET state = ? WHERE object = ?`, notify.Unknown, i.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the call of the next level", func() bool {
		p := page(i.ID)
		return len(p.Calls) == 2 && p.Calls[0].State == notify.Unknown && p.Calls[1].State == notify.Sent && len(pager.all()) == 1
	})

	slow := open("slow")
	eventually(t, "the first try", func() bool {
		list, err := a.calling.notices.Deliveries(ctx, notify.Filter{Object: slow.ID})
		return err == nil && len(list) == 1 && list[0].Attempts == 1 && list[0].State == notify.Queued
	})
	if _, err := a.incidents.Acknowledge(ctx, everybody, slow.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of it", func() bool {
		p := page(slow.ID)
		return p.State == oncall.Answered && len(p.Calls) == 1 && p.Calls[0].State == notify.Cancelled
	})
}

// A call whose answer was lost may have arrived: it is taken back here when somebody
// takes the incident up, and its receiver is told so all the same, and of the end.
func TestWhatMayBeThereIsEnded(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	can := func(string, string, string) bool { return true }
	events := make(chan string, 16)
	lose := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Action string `json:"event_action"`
		}
		_ = json.NewDecoder(r.Body).Decode(&e)
		events <- e.Action
		if lose {
			lose = false
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
			}
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"success"}`)
	}))
	t.Cleanup(s.Close)
	if _, err := a.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: can}, notify.Change{Name: "pager", Kind: "pagerduty", Settings: channel.Settings{URL: s.URL}, Token: strings.Repeat("k", 32)}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.calling.book.PutPolicy(ctx, oncall.Actor{Person: "test", Can: can}, oncall.Policy{Name: "house", Levels: []oncall.Level{{Channels: []string{"pager"}, After: "1h"}}}); err != nil {
		t.Fatal(err)
	}
	everybody := incident.Actor{Person: "test", Name: "test", Can: can}
	i, err := a.incidents.Open(ctx, everybody, incident.Report{Title: "tools fail", Severity: "critical"})
	if err != nil {
		t.Fatal(err)
	}
	// What was under way when somebody took it up is tried once more under its key, as
	// the receiver may not have it, and the rest comes after that.
	last := ""
	next := func(want string) {
		t.Helper()
		for {
			select {
			case got := <-events:
				if got != want && got == last {
					continue
				}
				if last = got; got != want {
					t.Fatalf("the receiver is told %s, want %s", got, want)
				}
				return
			case <-time.After(15 * time.Second):
				t.Fatalf("the receiver is not told %s", want)
			}
		}
	}
	next("trigger")
	if _, err := a.incidents.Acknowledge(ctx, everybody, i.ID, "mine"); err != nil {
		t.Fatal(err)
	}
	next("acknowledge")
	if _, err := a.incidents.Resolve(ctx, everybody, i.ID, "over"); err != nil {
		t.Fatal(err)
	}
	next("resolve")
}
