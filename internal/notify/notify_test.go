package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/notify/channel"
)

var anybody = Actor{Person: "ada", Can: func(string, string, string) bool { return true }}

// receiver is the PagerDuty of a test, after its documents: 202 with the key, one
// alert a key, 429, 400 for a bad routing key.
type receiver struct {
	mu       sync.Mutex
	alerts   map[string]int // requests by dedup key
	answer   []int          // statuses to give, in order; then 202
	drop     int            // answers to lose after taking the event in
	url      string
	lastBody map[string]any
	actions  []string // of events that were taken in, in order
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{alerts: map[string]int{}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		var e map[string]any
		if json.Unmarshal(body, &e) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.lastBody = e
		if len(r.answer) > 0 {
			status := r.answer[0]
			r.answer = r.answer[1:]
			if status == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "1")
			}
			w.WriteHeader(status)
			return
		}
		key, _ := e["dedup_key"].(string)
		r.alerts[key]++
		r.actions = append(r.actions, fmt.Sprint(e["event_action"]))
		if r.drop > 0 {
			r.drop--
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "dedup_key": key})
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func open(t *testing.T) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newBook(t *testing.T, db *control.DB, settled func(Delivery)) *Book {
	t.Helper()
	b, err := New(t.Context(), Options{DB: db, Settled: func(_ context.Context, d Delivery) {
		if settled != nil {
			settled(d)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs a book until the test or stop ends it.
func run(t *testing.T, b *Book) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// until polls a delivery until it is in one of the states.
func until(t *testing.T, b *Book, id string, states ...string) Delivery {
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
		if slices.Contains(states, d.State) {
			return d
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("delivery is %+v, want %v", d, states)
		}
	}
}

func pager(t *testing.T, b *Book, url string) {
	t.Helper()
	if _, err := b.Put(t.Context(), anybody, Change{Name: "pager", Kind: "pagerduty", Settings: channel.Settings{URL: url}, Token: strings.Repeat("k", 32)}); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, b *Book, name, key string) Delivery {
	t.Helper()
	d, err := b.Enqueue(t.Context(), Delivery{Channel: name, Purpose: "page", Object: "inc_1", Message: channel.Message{Key: key, Action: channel.Trigger, Title: "x", Severity: "critical"}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAnswersOfAReceiver(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer []int
		drop   int
		want   string
		tries  int
	}{
		{name: "taken", want: Sent, tries: 1},
		{name: "429, then taken", answer: []int{429}, want: Sent, tries: 2},
		{name: "a revoked key", answer: []int{400}, want: Failed, tries: 1},
		{name: "an answer lost after delivery", drop: 1, want: Sent, tries: 2},
		{name: "500, then taken", answer: []int{500}, want: Sent, tries: 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			r.answer, r.drop = c.answer, c.drop
			b := newBook(t, open(t), nil)
			pager(t, b, r.url)
			stop := run(t, b)
			defer stop()
			d := until(t, b, send(t, b, "pager", "incident-1").ID, Sent, Failed, Unknown)
			if d.State != c.want || len(d.Tries) != c.tries {
				t.Errorf("%s after %d tries, want %s after %d: %+v", d.State, len(d.Tries), c.want, c.tries, d.Tries)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.alerts) > 1 {
				t.Errorf("%d alerts at the receiver, want one at most", len(r.alerts))
			}
		})
	}
}

// The end of something never overtakes its beginning: PagerDuty drops a resolve of
// what is not open, and the alert that comes after it stays for good.
func TestTheEndComesAfterTheBeginning(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.answer = []int{429}
	b := newBook(t, open(t), nil)
	pager(t, b, r.url)
	first := send(t, b, "pager", "incident-1")
	stop := run(t, b)
	defer stop()
	until(t, b, first.ID, Queued)
	var last Delivery
	for _, action := range []string{channel.Acknowledge, channel.Resolve} {
		d, err := b.Enqueue(t.Context(), Delivery{Channel: "pager", Purpose: "sync", Object: "inc_1", Message: channel.Message{Key: "incident-1", Action: action, Title: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		last = d
	}
	until(t, b, last.ID, Sent)
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.actions, " "); got != "trigger acknowledge resolve" {
		t.Errorf("the receiver took in %s", got)
	}
}

// What a killed process was sending is sent again only where the receiver keeps
// one of a key; else nobody knows, and the page is told.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"pagerduty", "slack"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			db := open(t)
			b := newBook(t, db, nil)
			pager(t, b, r.url)
			if _, err := b.Put(t.Context(), anybody, Change{Name: "chat", Kind: "slack", Token: r.url}); err != nil {
				t.Fatal(err)
			}
			name := map[string]string{"pagerduty": "pager", "slack": "chat"}[kind]
			d := send(t, b, name, "incident-1")
			list, _, err := b.claim(t.Context(), 1) // and there the process dies: before, in or after the request
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			if kind == "pagerduty" {
				b.ask(t.Context(), &list[0]) // it had even arrived
			}
			var told []string
			var mu sync.Mutex
			b = newBook(t, db, func(d Delivery) {
				mu.Lock()
				told = append(told, d.State)
				mu.Unlock()
			})
			stop := run(t, b)
			got := until(t, b, d.ID, Sent, Failed, Unknown)
			stop()
			mu.Lock()
			defer mu.Unlock()
			r.mu.Lock()
			defer r.mu.Unlock()
			switch kind {
			case "pagerduty":
				if got.State != Sent || len(r.alerts) != 1 {
					t.Errorf("%s with %v, want one alert that is sent", got.State, r.alerts)
				}
			case "slack":
				if got.State != Unknown || len(r.alerts) != 0 || !slices.Contains(told, Unknown) {
					t.Errorf("%s, told %v, %d requests; want unknown, told so, and nothing sent a second time", got.State, told, len(r.alerts))
				}
			}
		})
	}
}

// A chat that does not answer is not written to twice.
func TestLostAnswerOfAChatIsUnknown(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	r.drop = 5
	b := newBook(t, open(t), nil)
	if _, err := b.Put(t.Context(), anybody, Change{Name: "chat", Kind: "slack", Token: r.url}); err != nil {
		t.Fatal(err)
	}
	stop := run(t, b)
	defer stop()
	d := until(t, b, send(t, b, "chat", "incident-1").ID, Sent, Failed, Unknown)
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.State != Unknown || r.drop != 4 {
		t.Errorf("%s after %d requests, want unknown after one", d.State, 5-r.drop)
	}
}

func TestChannelsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBook(t, open(t), nil)
	for name, c := range map[string]Change{
		"a bad name":              {Name: "Team Chat", Kind: "slack", Token: "xoxb-1", Settings: channel.Settings{Channel: "#x"}},
		"an unknown kind":         {Name: "x", Kind: "pigeon"},
		"plain http":              {Name: "x", Kind: "webhook", Settings: channel.Settings{URL: "http://example.com/x"}, Token: strings.Repeat("s", 20)},
		"a user in the address":   {Name: "x", Kind: "webhook", Settings: channel.Settings{URL: "https://u:p@example.com/x"}, Token: strings.Repeat("s", 20)},
		"a short secret":          {Name: "x", Kind: "webhook", Settings: channel.Settings{URL: "https://example.com/x"}, Token: "short"},
		"another host than Slack": {Name: "x", Kind: "slack", Token: "https://hooks.slack.com.example.com/services/1"},
		"a retired connector":     {Name: "x", Kind: "teams", Token: "https://acme.webhook.office.com/1"},
		"a key of 31":             {Name: "x", Kind: "pagerduty", Token: strings.Repeat("k", 31)},
		"mail without a sender":   {Name: "x", Kind: "email", Settings: channel.Settings{URL: "smtps://mail.example.com"}},
		"mail without TLS":        {Name: "x", Kind: "email", Settings: channel.Settings{URL: "smtp://mail.example.com", From: "r@example.com", Insecure: true}},
		"no ServiceNow":           {Name: "x", Kind: "servicenow", Settings: channel.Settings{URL: "https://example.com"}, Token: "x"},
	} {
		if _, err := b.Put(t.Context(), anybody, c); fault.From(err).Kind != fault.KindInvalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	nobody := Actor{Person: "eve", Can: func(string, string, string) bool { return false }}
	good := Change{Name: "x", Kind: "webhook", Settings: channel.Settings{URL: "https://example.com/x"}, Token: strings.Repeat("s", 20)}
	if _, err := b.Put(t.Context(), nobody, good); fault.From(err).Code != "notify.denied" {
		t.Errorf("somebody without a role: %v", err)
	}
	if _, err := b.Put(t.Context(), anybody, good); err != nil {
		t.Fatal(err)
	}
	// One that leads elsewhere does not take its secret along.
	good.Token, good.Settings.URL = "", "https://elsewhere.example.com/x"
	if _, err := b.Put(t.Context(), anybody, good); fault.From(err).Kind != fault.KindInvalid {
		t.Errorf("a secret went along to another address: %v", err)
	}
	c, err := b.Get("x")
	if err != nil || c.secret.Token != "" {
		t.Errorf("a secret is read back: %v", err)
	}
}

// mailServer is an SMTP server that takes one message.
func mailServer(t *testing.T, refuse string) (address string, got func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	text := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
		say("220 hi")
		buf, data, all := make([]byte, 4096), false, ""
		rest := ""
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			rest += string(buf[:n])
			for {
				line, after, ok := strings.Cut(rest, "\r\n")
				if !ok {
					break
				}
				rest = after
				switch word := strings.ToUpper(line); {
				case data && line == ".":
					data = false
					text <- all
					say("250 taken")
				case data:
					all += line + "\n"
				case strings.HasPrefix(word, "RCPT") && refuse != "":
					say(refuse)
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
	}()
	return "smtp://" + l.Addr().String(), func() string { return <-text }
}

func TestMail(t *testing.T) {
	t.Parallel()
	for refuse, want := range map[string]string{"": Sent, "550 no such person": Failed} {
		address, got := mailServer(t, refuse)
		b := newBook(t, open(t), nil)
		if _, err := b.Put(t.Context(), anybody, Change{Name: "mail", Kind: "email", Settings: channel.Settings{URL: address, From: "reeve@example.com", Channel: "bob@example.com", Insecure: true}}); err != nil {
			t.Fatal(err)
		}
		stop := run(t, b)
		d, err := b.Enqueue(t.Context(), Delivery{Channel: "mail", Message: channel.Message{Action: channel.Trigger, Title: "Wütend\r\nBcc: eve@example.com", Text: "hello\n.\nthere"}})
		if err != nil {
			t.Fatal(err)
		}
		d = until(t, b, d.ID, Sent, Failed, Unknown)
		stop()
		if d.State != want {
			t.Errorf("refuse %q: %s, want %s (%+v)", refuse, d.State, want, d.Tries)
		}
		if want == Sent {
			text := got()
			head, body, _ := strings.Cut(text, "\n\n")
			if strings.Contains(head, "\nBcc:") || !strings.Contains(body, "..\n") && !strings.Contains(body, "\n.") {
				t.Errorf("a title wrote a header, or a dot ended the mail:\n%s", text)
			}
		}
	}
}

// Who changes what a channel is ends the accounts that were linked by it: they could
// sign in their names otherwise.
func TestAnotherSecretEndsLinks(t *testing.T) {
	t.Parallel()
	b := newBook(t, open(t), nil)
	ctx := t.Context()
	put := func(signing string, more func(*Change)) {
		t.Helper()
		c := Change{Name: "chat", Kind: "slack", Team: "support", Token: "xoxb-1", Signing: signing, Settings: channel.Settings{Channel: "C1"}}
		if more != nil {
			more(&c)
		}
		if _, err := b.Put(ctx, anybody, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		signing string
		change  func(*Change)
		want    string
	}{
		{"nothing", "", nil, "per_ann"},
		{"who hears of incidents", "", func(c *Change) { c.Incidents = "warning" }, "per_ann"},
		{"the signing secret", "another", nil, ""},
		{"the bot", "", func(c *Change) { c.Token = "xoxb-2" }, ""},
		{"the team", "", func(c *Change) { c.Team = "sales" }, ""},
	} {
		put("secret", nil)
		if err := b.Link(ctx, "chat", "T1/U1", "per_ann"); err != nil {
			t.Fatal(err)
		}
		put(c.signing, c.change)
		if got, err := b.Linked(ctx, "chat", "T1/U1"); err != nil || got != c.want {
			t.Errorf("%s changed: the account is of %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}
