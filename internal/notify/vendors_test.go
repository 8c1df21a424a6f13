package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/notify/channel"
)

// vendorStub is a receiver as its maker's document has it: what it refuses, how it
// throttles, and what it makes of a request.
type vendorStub struct {
	kind string

	mu       sync.Mutex
	revoked  bool
	throttle int            // requests that are told to come again
	lose     int            // answers that are lost after the request was taken in
	made     map[string]int // messages, alerts, tickets by what they are known by
	asked    int
}

// refused are the answers to a credential that is not valid any more.
var refused = map[string]struct {
	status int
	said   string
}{
	"slack":      {200, `{"ok":false,"error":"token_revoked"}`},
	"teams":      {401, `{"error":{"code":"DirectApiAuthorizationRequired","message":"The OAuth authorization scheme or a valid signature is required."}}`},
	"pagerduty":  {400, `{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}`},
	"jsm":        {401, `{"message":"Could not authenticate","took":0.0,"requestId":"1"}`},
	"servicenow": {401, `{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}`},
	"webhook":    {401, `{"error":"signature does not match"}`},
}

func (v *vendorStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	w.Header().Set("Content-Type", "application/json")
	say := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	switch no := refused[v.kind]; {
	case v.revoked:
		say(no.status, no.said)
		return
	case v.throttle > 0:
		v.throttle--
		w.Header().Set("Retry-After", "1")
		say(http.StatusTooManyRequests, map[string]string{"slack": `{"ok":false,"error":"ratelimited"}`, "jsm": `{"message":"You are making too many requests!"}`}[v.kind])
		return
	}
	status, text, made := v.take(r, body)
	if made && v.lose > 0 {
		v.lose--
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
		return
	}
	say(status, text)
}

// take is what the receiver makes of a request; made: something is there because of it.
func (v *vendorStub) take(r *http.Request, body map[string]any) (status int, text string, made bool) {
	one := func(key any) { v.made[fmt.Sprint(key)]++ }
	once := func(key any) { v.made[fmt.Sprint(key)] = 1 }
	switch v.kind {
	case "slack": // a message is a message, whatever was before
		one("message")
		return 200, `{"ok":true,"channel":"C1","ts":"1503435956.000247"}`, true
	case "teams":
		one("card")
		return 202, "", true
	case "pagerduty":
		once(body["dedup_key"])
		return 202, `{"status":"success","message":"Event processed","dedup_key":"incident-inc_1"}`, true
	case "jsm": // an open alert of the same alias counts up
		once(body["alias"])
		return 202, `{"result":"Request will be processed","took":0.302,"requestId":"43a29c5c"}`, true
	case "webhook":
		once(r.Header.Get("Idempotency-Key"))
		return 200, `{}`, true
	}
	// ServiceNow makes a ticket of each POST; looking is free.
	if r.Method == http.MethodGet {
		found := "[]"
		if v.made[strings.TrimPrefix(r.URL.Query().Get("sysparm_query"), "correlation_id=")] > 0 {
			found = `[{"sys_id":"9d385017","number":"INC0010023"}]`
		}
		return 200, `{"result":` + found + `}`, false
	}
	if r.Method == http.MethodPost {
		one(body["correlation_id"])
	}
	return 201, `{"result":{"sys_id":"9d385017","number":"INC0010023"}}`, true
}

// total is how many things people see there.
func (v *vendorStub) total() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range v.made {
		n += k
	}
	return n
}

// mailStub is an SMTP server by RFC 5321: it throttles with 451, refuses a password with
// 535, and may go away after it took a mail in.
func (v *vendorStub) mail(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			v.speak(conn)
			conn.Close()
		}
	}()
	return "smtp://" + l.Addr().String()
}

func (v *vendorStub) speak(conn net.Conn) {
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	say("220 mail.example ESMTP")
	data := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		word := strings.ToUpper(lines.Text())
		v.mu.Lock()
		revoked, throttled := v.revoked, v.throttle > 0
		v.mu.Unlock()
		switch {
		case data && word == ".":
			data = false
			v.mu.Lock()
			v.made["mail"]++
			lost := v.lose > 0
			v.lose--
			v.mu.Unlock()
			if lost {
				return
			}
			say("250 2.0.0 taken")
		case data:
		case strings.HasPrefix(word, "EHLO"):
			v.mu.Lock()
			v.asked++
			v.mu.Unlock()
			say("250-mail.example\r\n250 AUTH PLAIN")
		case strings.HasPrefix(word, "AUTH") && revoked:
			say("535 5.7.8 authentication credentials invalid")
		case strings.HasPrefix(word, "AUTH"):
			say("235 2.7.0 authentication succeeded")
		case strings.HasPrefix(word, "MAIL") && throttled:
			say("451 4.7.1 try again later")
		case strings.HasPrefix(word, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(word, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// vendorChannel registers a channel of a kind that leads to a stub.
func vendorChannel(t *testing.T, b *Book, v *vendorStub) {
	t.Helper()
	c := Change{Name: "there", Kind: v.kind, Signing: "shared"}
	if v.kind == "email" {
		c.Settings = channel.Settings{URL: v.mail(t), From: "reeve@example.com", Channel: "bob@example.com", User: "reeve", Insecure: true}
		c.Token, c.Signing = "password", ""
	} else {
		s := httptest.NewServer(v)
		t.Cleanup(s.Close)
		c.Settings = channel.Settings{URL: s.URL, Channel: "#ops"}
		c.Token = map[string]string{"slack": "xoxb-1", "teams": s.URL}[v.kind]
		if c.Token == "" {
			c.Token = strings.Repeat("k", 32)
		}
		if v.kind == "servicenow" {
			c.Settings.User = "reeve"
		}
	}
	if _, err := b.Put(t.Context(), anybody, c); err != nil {
		t.Fatal(err)
	}
}

// states are the changes that a receiver tells of, as its document writes them; at is
// when they were made there.
var states = map[string]func(id int, done string, at time.Time) (http.Header, []byte){
	"pagerduty": func(id int, done string, at time.Time) (http.Header, []byte) {
		return pagerDutySays("shared", fmt.Sprint("e", id), "incident."+done, "incident-inc_1", at)
	},
	"jsm": func(_ int, done string, at time.Time) (http.Header, []byte) {
		action := map[string]string{"acknowledged": "Acknowledge", "resolved": "Close"}[done]
		return http.Header{"Authorization": {"Bearer shared"}}, fmt.Appendf(nil, `{"action":%q,"alert":{"alertId":"052652ac","alias":"incident-inc_1","updatedAt":%d,"username":"ann@example.com"},"source":{"type":"API"},"integrationName":"Reeve"}`, action, at.UnixMilli())
	},
	"servicenow": func(id int, done string, at time.Time) (http.Header, []byte) {
		state := map[string]string{"acknowledged": "2", "resolved": "6"}[done]
		return http.Header{"Authorization": {"Bearer shared"}}, fmt.Appendf(nil, `{"sys_id":"9d385017","number":"INC0010023","correlation_id":"incident-inc_1","state":%q,"sys_updated_by":"ann","sys_updated_on":%q,"sys_mod_count":"%d"}`, state, at.UTC().Format(time.DateTime), id)
	},
}

// untold says why a receiver never tells of a state.
var untold = map[string]string{
	"slack":   "a message has no state; what people press comes as an interaction, signed and dated",
	"teams":   "a Workflow's webhook answers nobody: its card opens the console",
	"email":   "a mail has no state",
	"webhook": "the receiver is the house's own: it calls the API",
}

// TestChannelsAsDocumented: each kind of channel against a stub of its maker's document,
// in each way in which it goes wrong.
func TestChannelsAsDocumented(t *testing.T) {
	t.Parallel()
	type want struct {
		state string
		made  int // there, in the end
		asked int // at least so many requests
	}
	again, no := want{Sent, 1, 2}, want{Failed, 0, 1}
	// What took a request in and lost its answer: asked again only where that makes one.
	keyed, unkeyed := want{Sent, 1, 2}, want{Unknown, 1, 1}
	cases := map[string]map[string]want{
		"email":      {"throttled": {Queued, 0, 1}, "revoked": no, "lost": unkeyed}, // its next try is a minute later
		"jsm":        {"throttled": again, "revoked": no, "lost": keyed},
		"pagerduty":  {"throttled": again, "revoked": no, "lost": keyed},
		"servicenow": {"throttled": again, "revoked": no, "lost": keyed},
		"slack":      {"throttled": again, "revoked": no, "lost": unkeyed},
		"teams":      {"throttled": again, "revoked": no, "lost": unkeyed},
		"webhook":    {"throttled": again, "revoked": no, "lost": keyed},
	}
	for _, k := range channel.Kinds() {
		for _, name := range []string{"throttled", "revoked", "lost"} {
			w, ok := cases[k.Name][name]
			if !ok {
				t.Errorf("%s, %s: nobody says what happens", k.Name, name)
				continue
			}
			t.Run(k.Name+" "+name, func(t *testing.T) {
				t.Parallel()
				v := &vendorStub{kind: k.Name, made: map[string]int{}, revoked: name == "revoked"}
				if name == "throttled" {
					v.throttle = 1
				}
				if name == "lost" {
					v.lose = 1
				}
				b := newBook(t, open(t), nil)
				vendorChannel(t, b, v)
				stop := run(t, b)
				defer stop()
				id := send(t, b, "there", "incident-inc_1").ID
				d := untilTried(t, b, id, w.state)
				v.mu.Lock()
				asked := v.asked
				v.mu.Unlock()
				if d.State != w.state || v.total() != w.made || asked < w.asked {
					t.Errorf("%s after %d requests, %d there; want %s, %d: %+v", d.State, asked, v.total(), w.state, w.made, d.Tries)
				}
				if name == "throttled" && (d.Tries[0].Answer.Outcome != channel.Again || d.Tries[0].Answer.Wait <= 0) {
					t.Errorf("throttled: %+v", d.Tries[0])
				}
			})
		}
		if !channel.Tells(k.Name) {
			if untold[k.Name] == "" {
				t.Errorf("%s tells of no state, and nobody says why", k.Name)
			}
			continue
		}
		t.Run(k.Name+" changed there first, and out of order", func(t *testing.T) {
			t.Parallel()
			var done []string
			b, err := New(t.Context(), Options{DB: open(t), Outside: func(_ context.Context, _ Channel, got Told) (string, string, error) {
				done = append(done, got.Change.State)
				return TakenOver, "", nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			v := &vendorStub{kind: k.Name, made: map[string]int{}}
			vendorChannel(t, b, v)
			send(t, b, "there", "incident-inc_1")
			at := time.Now().Add(-time.Hour).Truncate(time.Second)
			say := func(id int, state string, at time.Time) Told {
				t.Helper()
				h, body := states[k.Name](id, state, at)
				got, err := b.Receive(t.Context(), k.Name, "there", h, body)
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			if got := say(9, "resolved", at); got.Outcome != TakenOver || got.Object != "inc_1" {
				t.Errorf("ended there first: %+v", got)
			}
			if got := say(3, "acknowledged", at.Add(-time.Minute)); got.Outcome != Late {
				t.Errorf("taken up before that, told after: %+v", got)
			}
			if got := say(9, "resolved", at); !got.Again {
				t.Errorf("told twice: %+v", got)
			}
			if strings.Join(done, " ") != channel.Resolve {
				t.Errorf("done here: %q", done)
			}
		})
	}
}

// untilTried waits until a delivery was tried and is in a state, or has ended.
func untilTried(t *testing.T, b *Book, id, state string) Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := b.Delivery(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Tries) > 0 && (d.State == state || d.State == Sent || d.State == Failed || d.State == Unknown) {
			return d
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("delivery is %+v, want %s", d, state)
		}
	}
}
