package channel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var message = &Message{ID: "dlv_1", Key: "incident-inc_1", Action: Trigger, Title: "Incident 4: <!channel> tools fail", Text: "5 agents", Severity: "critical", URL: "https://reeve.example/incidents/4", At: time.Unix(1_800_000_000, 0), Fields: []Field{{"Agents", "refunds"}}, Buttons: []Button{{ID: "acknowledge", Label: "Acknowledge", Value: "dlv_1", Style: "primary"}}}

// stub answers as a vendor's document says and keeps what it was sent.
func stub(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, body map[string]any)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(raw, &body)
		handle(w, r, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestSlackAsDocumented(t *testing.T) {
	t.Parallel()
	answer := `{"ok":true,"channel":"C1","ts":"1503435956.000247"}`
	var got map[string]any
	url := stub(t, func(w http.ResponseWriter, r *http.Request, body map[string]any) {
		got = body
		if r.Header.Get("Authorization") != "Bearer xoxb-1" {
			answer = `{"ok":false,"error":"invalid_auth"}`
		}
		fmt.Fprint(w, answer)
	})
	s := Settings{Channel: "#ops", URL: url}
	a := sendSlack(t.Context(), NewClient(nil), s, Secret{Token: "xoxb-1"}, message)
	if a.Outcome != Sent || a.Ref != "C1/1503435956.000247" {
		t.Fatalf("answer %+v", a)
	}
	text, _ := json.Marshal(got)
	if strings.Contains(string(text), "<!channel>") || got["channel"] != "#ops" || !strings.Contains(string(text), `"action_id":"acknowledge"`) {
		t.Errorf("a title calls the whole channel, or the shape is wrong: %s", text)
	}
	for said, want := range map[string]string{
		`{"ok":false,"error":"ratelimited"}`: Again, `{"ok":false,"error":"token_revoked"}`: Failed, `{"ok":false,"error":"channel_not_found"}`: Failed, `<html>`: Unknown,
	} {
		answer = said
		if a := sendSlack(t.Context(), NewClient(nil), s, Secret{Token: "xoxb-1"}, message); a.Outcome != want {
			t.Errorf("%s: %s, want %s", said, a.Outcome, want)
		}
	}
}

func TestVerifySlack(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	body := []byte("payload=%7B%22type%22%3A%22block_actions%22%7D")
	at := fmt.Sprint(now.Unix())
	sign := func(secret, at string) string { return "v0=" + mac(secret, "v0:"+at+":", string(body)) }
	for name, c := range map[string]struct {
		secrets []string
		at, sig string
		ok      bool
	}{
		"right":              {[]string{"new", "old"}, at, sign("old", at), true},
		"another secret":     {[]string{"new"}, at, sign("old", at), false},
		"no secret at all":   {nil, at, sign("", at), false},
		"an empty secret":    {[]string{""}, at, sign("", at), false},
		"six minutes old":    {[]string{"new"}, fmt.Sprint(now.Unix() - 360), sign("new", fmt.Sprint(now.Unix()-360)), false},
		"another time":       {[]string{"new"}, fmt.Sprint(now.Unix() - 1), sign("new", at), false},
		"no time":            {[]string{"new"}, "", sign("new", ""), false},
		"no signature":       {[]string{"new"}, at, "", false},
		"from the far ahead": {[]string{"new"}, fmt.Sprint(now.Unix() + 3600), sign("new", fmt.Sprint(now.Unix()+3600)), false},
	} {
		if err := VerifySlack(c.secrets, c.at, c.sig, body, now); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadInteraction(f *testing.F) {
	f.Add([]byte(`{"type":"block_actions","user":{"id":"U1"},"team":{"id":"T1"},"actions":[{"action_id":"approve","value":"dlv_1"}],"response_url":"https://hooks.slack.com/x"}`))
	f.Add([]byte(`{"type":"view_submission"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if in, ok := ReadInteraction(b); ok && in.User == "" {
			t.Errorf("%q is from nobody", b)
		}
	})
}

func TestTeamsAsDocumented(t *testing.T) {
	t.Parallel()
	url := stub(t, func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		text, _ := json.Marshal(body)
		if body["type"] != "message" || !strings.Contains(string(text), `"contentType":"application/vnd.microsoft.card.adaptive"`) || !strings.Contains(string(text), `"Action.OpenUrl"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	if a := sendTeams(t.Context(), NewClient(nil), Settings{}, Secret{Token: url}, message); a.Outcome != Sent {
		t.Errorf("answer %+v", a)
	}
}

// A ticket that an earlier try made is found again, and closed with its codes.
func TestServiceNowMakesOneTicket(t *testing.T) {
	t.Parallel()
	tickets := map[string]map[string]any{}
	lose := true
	url := stub(t, func(w http.ResponseWriter, r *http.Request, body map[string]any) {
		if u, p, ok := r.BasicAuth(); !ok || u != "reeve" || p != "pw" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.Method {
		case http.MethodGet:
			list := []any{}
			for id, b := range tickets {
				if r.URL.Query().Get("sysparm_query") == "correlation_id="+b["correlation_id"].(string) {
					list = append(list, map[string]string{"sys_id": id, "number": "INC1"})
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"result": list})
		case http.MethodPost:
			tickets[fmt.Sprint("id", len(tickets))] = body
			if lose {
				lose = false
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					conn.Close()
				}
				return
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"result":{"sys_id":"id0","number":"INC1"}}`)
		case http.MethodPatch:
			for k, v := range body {
				tickets["id0"][k] = v
			}
			fmt.Fprint(w, `{"result":{"sys_id":"id0","number":"INC1"}}`)
		}
	})
	s, secret := Settings{URL: url, User: "reeve"}, Secret{Token: "pw"}
	if a := sendServiceNow(t.Context(), NewClient(nil), s, secret, message); a.Outcome != Unknown {
		t.Fatalf("the answer was lost after the ticket was made: %+v", a)
	}
	if a := sendServiceNow(t.Context(), NewClient(nil), s, secret, message); a.Outcome != Sent || a.Ref != "INC1" || len(tickets) != 1 {
		t.Fatalf("%+v and %d tickets, want one", a, len(tickets))
	}
	over := *message
	over.Action = Resolve
	if a := sendServiceNow(t.Context(), NewClient(nil), s, secret, &over); a.Outcome != Sent || tickets["id0"]["state"] != "6" || tickets["id0"]["close_code"] == nil {
		t.Errorf("%+v, ticket %v", a, tickets["id0"])
	}
	if a := sendServiceNow(t.Context(), NewClient(nil), s, Secret{Token: "revoked"}, message); a.Outcome != Failed || a.Status != 401 {
		t.Errorf("a revoked password: %+v", a)
	}
}

func TestWebhookIsSigned(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 20)
	var ok bool
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		ok = r.Header.Get("X-Reeve-Signature") == "v1="+mac(secret, r.Header.Get("X-Reeve-Timestamp"), ".", string(raw)) && r.Header.Get("Idempotency-Key") == "dlv_1"
	}))
	t.Cleanup(s.Close)
	if a := sendWebhook(t.Context(), NewClient(nil), Settings{URL: s.URL}, Secret{Token: secret}, message); a.Outcome != Sent || !ok {
		t.Errorf("answer %+v, signed %v", a, ok)
	}
	// A redirect is not followed: it would carry the message elsewhere.
	moved := httptest.NewServer(http.RedirectHandler(s.URL, http.StatusFound))
	t.Cleanup(moved.Close)
	if a := sendWebhook(t.Context(), NewClient(nil), Settings{URL: moved.URL}, Secret{Token: secret}, message); a.Outcome != Failed {
		t.Errorf("a redirect: %+v", a)
	}
}

// A channel reaches no address that is refused, by HTTP or by mail.
func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(s.Close)
	h := NewClient(func(ip netip.Addr) error {
		if ip.IsLoopback() {
			return errors.New("refused")
		}
		return nil
	})
	if a := sendWebhook(t.Context(), h, Settings{URL: s.URL}, Secret{Token: "0123456789abcdef0123456789abcdef"}, message); a.Outcome == Sent || called {
		t.Errorf("%+v, called: %t", a, called)
	}
	if c, err := dialMail(t.Context(), h, Settings{URL: "smtp://" + s.Listener.Addr().String(), Insecure: true}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v %v", c, err)
	}
}
