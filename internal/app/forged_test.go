package app

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"reeve/client"
)

// TestForgedFeedback sends feedback in the name of a source without its proof: none
// of it is kept, whatever is wrong with it, and what the source itself says is.
func TestForgedFeedback(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	base := "http://" + a.Address("listen")
	c := client.New(base, "")
	source := func(name, kind, secret string) string {
		t.Helper()
		s, err := c.PutAlertSource(t.Context(), client.PutAlertSourceRequest{Name: name, Kind: kind, Purpose: "feedback", Team: "support", Environment: "production", Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		return s.Secret
	}
	token, others := source("crm", "feedback", ""), source("shop", "feedback", "")
	const signing = "8f742231b10e8888abcd99yyyzzz85a5"
	source("chat", "slack", signing)
	word := func(session string) string {
		return fmt.Sprintf(`{"session":%q,"kind":"thumb","value":0}`, session)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	reaction := func(ts string) string {
		return fmt.Sprintf(`{"type":"event_callback","team_id":"T1","event":{"type":"reaction_added","user":"U1","reaction":"-1","item":{"type":"message","channel":"C1","ts":%q},"event_ts":%q}}`, ts, now)
	}
	old := strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)
	signed := func(key, at, body string) []string {
		return []string{"X-Slack-Request-Timestamp", at, "X-Slack-Signature", "v0=" + hexMAC(key, "v0:"+at+":"+body)}
	}
	for name, s := range map[string]struct {
		to, body string
		header   []string
	}{
		"no token":                   {"crm", word("none"), nil},
		"a made up token":            {"crm", word("made-up"), []string{"Authorization", "Bearer rvh_0000000000000000"}},
		"another source's token":     {"crm", word("other"), []string{"Authorization", "Bearer " + others}},
		"a source that is not there": {"nobody", word("nobody"), []string{"Authorization", "Bearer " + token}},
		"no signature":               {"chat", reaction("1.1"), nil},
		"a signature by another":     {"chat", reaction("1.2"), signed("not the secret", now, reaction("1.2"))},
		"a signature of other words": {"chat", reaction("1.3"), signed(signing, now, reaction("9.9"))},
		"an old one, sent again":     {"chat", reaction("1.4"), signed(signing, old, reaction("1.4"))},
		"a token for a signature":    {"chat", reaction("1.5"), []string{"Authorization", "Bearer " + token}},
	} {
		if got := post(t.Context(), base+"/api/v1/feedback/"+s.to, "application/json", []byte(s.body), s.header...); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if l, err := c.ListFeedback(t.Context(), client.ListFeedbackRequest{}); err != nil || len(l.Items) != 0 {
		t.Fatalf("forged feedback is kept: %+v, %v", l, err)
	}
	if got := post(t.Context(), base+"/api/v1/feedback/crm", "application/json", []byte(word("true")), "Authorization", "Bearer "+token); got.status/100 != 2 {
		t.Errorf("the source's own: %d %s", got.status, got.body)
	}
	if got := post(t.Context(), base+"/api/v1/feedback/chat", "application/json", []byte(reaction("1.6")), signed(signing, now, reaction("1.6"))...); got.status/100 != 2 {
		t.Errorf("a signed one: %d %s", got.status, got.body)
	}
	l, err := c.ListFeedback(t.Context(), client.ListFeedbackRequest{})
	if err != nil || len(l.Items) != 2 {
		t.Fatalf("%+v, %v", l, err)
	}
	for _, f := range l.Items {
		if f.Source != "crm" && f.Source != "chat" {
			t.Errorf("it is said to be from %q", f.Source)
		}
	}
}
