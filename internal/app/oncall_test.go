package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
	"reeve/internal/oncall"
)

// outside is what a vendor's stub was sent.
type outside struct {
	mu   sync.Mutex
	sent []map[string]any
}

func (o *outside) serve(t *testing.T, status int, said string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			o.mu.Lock()
			o.sent = append(o.sent, body)
			o.mu.Unlock()
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (o *outside) all() []map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]map[string]any{}, o.sent...)
}

func hexMAC(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// An incident calls its team; the answer comes from chat, and from where pages go.
func TestCallsAreAnsweredOutside(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx, base := t.Context(), "http://"+a.Address("listen")
	everybody := incident.Actor{Person: "test", Name: "test", Can: func(string, string, string) bool { return true }}
	if _, err := a.identity.CreateTeam(ctx, identity.Dev(), "support", ""); err != nil {
		t.Fatal(err)
	}
	bo, err := a.identity.CreatePerson(ctx, identity.Dev(), identity.NewPerson{Name: "bo", Password: "three unrelated words here", Teams: []string{"support"}, Grants: []identity.Grant{{Role: identity.Responder, Team: "support", Environment: identity.Everything}}})
	if err != nil {
		t.Fatal(err)
	}
	var slack, pager outside
	for _, c := range []notify.Change{
		{Name: "chat", Kind: "slack", Team: "support", Settings: channel.Settings{URL: slack.serve(t, 200, `{"ok":true,"channel":"C1","ts":"1.2"}`), Channel: "#ops"}, Token: "xoxb-1", Signing: "slack-secret"},
		{Name: "pager", Kind: "pagerduty", Team: "support", Settings: channel.Settings{URL: pager.serve(t, 202, `{"status":"success"}`)}, Token: strings.Repeat("k", 32), Signing: "pager-secret", Incidents: "warning"},
	} {
		if _, err := a.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: everybody.Can}, c); err != nil {
			t.Fatal(err)
		}
	}
	all := oncall.Actor{Person: bo.ID, Can: everybody.Can}
	if err := a.calling.book.PutContacts(ctx, all, bo.ID, []oncall.Contact{{Channel: "chat", Address: "U1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.calling.book.PutPolicy(ctx, all, oncall.Policy{Name: "support", Team: "support", Levels: []oncall.Level{{People: []string{bo.ID}, After: "5m"}}}); err != nil {
		t.Fatal(err)
	}
	opened := func(title string) incident.Incident {
		i, err := a.incidents.Open(ctx, everybody, incident.Report{Title: title, Severity: "warning", Team: "support", Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	state := func(id, want string) func() bool {
		return func() bool {
			i, err := a.incidents.Get(ctx, id)
			return err == nil && i.State == want
		}
	}
	first := opened("tools fail")
	eventually(t, "the call in chat", func() bool { return len(slack.all()) == 1 })
	text, _ := json.Marshal(slack.all()[0])
	_, value, ok := strings.Cut(string(text), `"value":"`)
	if value, _, _ = strings.Cut(value, `"`); !ok || slack.all()[0]["channel"] != "U1" {
		t.Fatalf("the message has no button or goes elsewhere: %s", text)
	}
	press := func(secret, button string) (int, string) {
		payload := fmt.Sprintf(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"actions":[{"action_id":%q,"value":%q}]}`, button, value)
		body, at := "payload="+url.QueryEscape(payload), fmt.Sprint(time.Now().Unix())
		got := post(ctx, base+"/chat/slack/chat", "application/x-www-form-urlencoded", []byte(body), "X-Slack-Request-Timestamp", at, "X-Slack-Signature", "v0="+hexMAC(secret, "v0:"+at+":"+body))
		return got.status, got.body
	}
	if status, _ := press("other", "acknowledge"); status != http.StatusUnauthorized {
		t.Errorf("a forged button: %d", status)
	}
	_, said := press("slack-secret", "acknowledge")
	_, token, ok := strings.Cut(said, "/link-chat?token=")
	token, _, _ = strings.Cut(token, `"`)
	if token, err = url.QueryUnescape(token); !ok || err != nil {
		t.Fatalf("a stranger is told %s", said)
	}
	name, account, err := a.readLink(token)
	if err != nil || name != "chat" || account != "T1/U1" {
		t.Fatalf("the link is of %s %s, %v", name, account, err)
	}
	if _, _, err := a.readLink(token + "x"); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a changed link: %v", err)
	}
	if err := a.calling.notices.Link(ctx, name, account, bo.ID); err != nil {
		t.Fatal(err)
	}
	if _, said := press("slack-secret", "approve"); !strings.Contains(said, "no message") {
		t.Errorf("a button that the message does not have: %s", said)
	}
	if _, said := press("slack-secret", "acknowledge"); !strings.Contains(said, "You have incident") {
		t.Fatalf("a linked person is told %s", said)
	}
	eventually(t, "the end of the call", func() bool {
		list, err := a.calling.book.Pages(ctx, first.ID, 1)
		return err == nil && len(list) == 1 && list[0].State == oncall.Answered && list[0].AnsweredBy == bo.ID
	})

	// What is done where pages go comes back, once and in order.
	second := opened("answers are wrong")
	eventually(t, "the event at the pager", func() bool {
		for _, e := range pager.all() {
			if e["dedup_key"] == "incident-"+second.ID && e["event_action"] == "trigger" {
				return true
			}
		}
		return false
	})
	tell := func(secret, id, event string, at time.Time) (int, string) {
		body := fmt.Sprintf(`{"event":{"id":%q,"event_type":%q,"occurred_at":%q,"agent":{"summary":"Ann"},"data":{"incident_key":"incident-%s"}}}`, id, event, at.UTC().Format(time.RFC3339Nano), second.ID)
		got := post(ctx, base+"/chat/pagerduty/pager", "application/json", []byte(body), "X-PagerDuty-Signature", "v1="+hexMAC(secret, body))
		return got.status, got.body
	}
	at := time.Now()
	if status, _ := tell("other", "e0", "incident.resolved", at); status != http.StatusUnauthorized {
		t.Errorf("a forged state: %d", status)
	}
	if status, said := tell("pager-secret", "e1", "incident.acknowledged", at); status != 200 || !strings.Contains(said, `"done"`) {
		t.Errorf("%d %s", status, said)
	}
	eventually(t, "the incident taken up there", state(second.ID, incident.Acknowledged))
	eventually(t, "the end of calling", func() bool {
		list, err := a.calling.book.Pages(ctx, second.ID, 1)
		return err == nil && len(list) == 1 && list[0].State != oncall.Paging
	})
	if _, said := tell("pager-secret", "e2", "incident.resolved", at.Add(2*time.Millisecond)); !strings.Contains(said, `"done"`) {
		t.Errorf("resolved there: %s", said)
	}
	if _, said := tell("pager-secret", "e3", "incident.unacknowledged", at.Add(time.Millisecond)); !strings.Contains(said, `"late"`) {
		t.Errorf("what was before that: %s", said)
	}
	if _, said := tell("pager-secret", "e2", "incident.resolved", at.Add(2*time.Millisecond)); !strings.Contains(said, `"again":true`) {
		t.Errorf("the same again: %s", said)
	}
	if !state(second.ID, incident.Resolved)() {
		t.Error("the incident is not over")
	}
	if got := post(ctx, base+"/chat/teams/pager", "application/json", []byte("{}")); got.status != http.StatusNotFound {
		t.Errorf("a kind that tells nothing: %d", got.status)
	}
}
