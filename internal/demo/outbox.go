package demo

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// Outgoing is one message as it arrived at one of the demo's receivers.
type Outgoing struct {
	At      time.Time         `json:"at"`
	Channel string            `json:"channel"` // the demo's name of it
	To      string            `json:"to"`      // method and path, or a mail's recipient
	Headers map[string]string `json:"headers"` // without what authorizes
	Body    string            `json:"body"`
}

// outbox stands where Slack, PagerDuty, a mail server and the house's own webhook
// stand for others, and keeps what arrives: the very bytes. Safe for concurrent use.
type outbox struct {
	mu   sync.Mutex // guards list
	list []Outgoing // the oldest first
}

// Bounds of the outbox: what is older goes.
const (
	maxOutgoing = 300
	maxOutBody  = 256 << 10
	maxMailers  = 16
)

func (o *outbox) keep(m Outgoing) {
	m.At = time.Now().UTC()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) >= maxOutgoing {
		o.list = slices.Delete(o.list, 0, len(o.list)-maxOutgoing+1)
	}
	o.list = append(o.list, m)
}

// all is what arrived, the newest first.
func (o *outbox) all() []Outgoing {
	o.mu.Lock()
	out := slices.Clone(o.list)
	o.mu.Unlock()
	slices.Reverse(out)
	return out
}

// shown are the headers that a page shows: none that authorizes.
var shown = []string{"Content-Type", "User-Agent", "Idempotency-Key", "X-Reeve-Timestamp", "X-Reeve-Signature"}

// receive answers as the vendors document it.
func (o *outbox) receive() http.Handler {
	mux := http.NewServeMux()
	take := func(channel string, answer func(w http.ResponseWriter, body []byte)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOutBody))
			if err != nil {
				http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				return
			}
			m := Outgoing{Channel: channel, To: r.Method + " " + r.URL.Path, Headers: map[string]string{}, Body: string(body)}
			for _, h := range shown {
				if v := r.Header.Get(h); v != "" {
					m.Headers[h] = v
				}
			}
			o.keep(m)
			w.Header().Set("Content-Type", "application/json")
			answer(w, body)
		}
	}
	mux.HandleFunc("POST /slack/api/chat.postMessage", take("slack", func(w http.ResponseWriter, _ []byte) {
		fmt.Fprintf(w, `{"ok":true,"channel":"C0DEMO","ts":"%d.000100"}`, time.Now().Unix())
	}))
	mux.HandleFunc("POST /pagerduty/v2/enqueue", take("pagerduty", func(w http.ResponseWriter, body []byte) {
		var in struct {
			Key string `json:"dedup_key"`
		}
		_ = json.Unmarshal(body, &in) // a body that is none has no key
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "dedup_key": in.Key}) // the caller has gone away
	}))
	mux.HandleFunc("POST /customers", take("customers", func(w http.ResponseWriter, _ []byte) { fmt.Fprint(w, `{}`) }))
	return mux
}

// mail serves SMTP on a free loopback port until ctx ends: as much of it as a
// mail's delivery needs.
func (o *outbox) mail(ctx context.Context, g *errgroup.Group) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	g.Go(func() error {
		<-ctx.Done()
		return l.Close()
	})
	g.Go(func() error {
		room := make(chan struct{}, maxMailers)
		var all sync.WaitGroup
		defer all.Wait()
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return nil
				}
				return err
			}
			room <- struct{}{}
			all.Go(func() {
				defer func() { <-room }()
				defer c.Close()
				defer context.AfterFunc(ctx, func() { _ = c.Close() })() // who is silent holds nothing up
				if c.SetDeadline(time.Now().Add(20*time.Second)) == nil {
					o.converse(textproto.NewConn(c))
				}
			})
		}
	})
	return l.Addr().String(), nil
}

// converse takes mails of one connection. What is not understood is refused.
func (o *outbox) converse(c *textproto.Conn) {
	say := func(code int, text string) bool { return c.PrintfLine("%d %s", code, text) == nil }
	if !say(220, "outbox ready") {
		return
	}
	var to []string
	for range 100 {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		ok := true
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO", "MAIL", "RSET", "NOOP":
			ok = say(250, "ok")
		case "RCPT":
			_, at, _ := strings.Cut(rest, "<")
			at, _, _ = strings.Cut(at, ">")
			to = append(to, at)
			ok = say(250, "ok")
		case "DATA":
			if !say(354, "go on") {
				return
			}
			body, whole := rawMail(c)
			if !whole {
				return
			}
			o.keep(Outgoing{Channel: "mail", To: strings.Join(to, ", "), Headers: map[string]string{}, Body: body})
			to = nil
			ok = say(250, "kept")
		case "QUIT":
			_ = say(221, "bye") // the caller has gone away
			return
		default:
			ok = say(502, "not here")
		}
		if !ok {
			return
		}
	}
}

// rawMail reads a mail as it was sent, dots and line ends as they are, up to its end.
func rawMail(c *textproto.Conn) (string, bool) {
	var out strings.Builder
	for out.Len() < maxOutBody {
		line, err := c.R.ReadString('\n')
		if err != nil {
			return "", false
		}
		if line == ".\r\n" {
			return out.String(), true
		}
		out.WriteString(line)
	}
	return "", false
}

//go:embed outbox.css
var outboxCSS []byte

var outboxPage = template.Must(template.New("outbox").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Outbox of the demo</title><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/demo/outbox.css"></head>
<body><main><h1>Outbox of the demo</h1>
<p>What Reeve sent out, byte for byte as it arrived: the demo stands where Slack, PagerDuty, the mail server and the house's own webhook stand for others. Like all of the demo it is open to whoever reaches this port. <a href="/demo/outbox">Look again</a>, or <a href="/">go back to the console</a>.</p>
{{if not .}}<p>Nothing was sent yet. Play a story that goes wrong: an incident calls people.</p>{{end}}
{{range .}}<article><h2>{{.Channel}}</h2><p><time datetime="{{.At.Format "2006-01-02T15:04:05Z07:00"}}">{{.At.Format "15:04:05 UTC"}}</time> to <code>{{.To}}</code></p>
{{if .Headers}}<dl>{{range $k, $v := .Headers}}<dt>{{$k}}</dt><dd>{{$v}}</dd>{{end}}</dl>{{end}}
<pre tabindex="0">{{.Body}}</pre></article>
{{end}}</main></body></html>
`))

// Outbox answers GET /demo/outbox: a page, and JSON to who asks for that. It asks for
// no session, as the demo's dev mode does not: what is in it is made up.
func (d *Demo) Outbox() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/outbox", func(w http.ResponseWriter, r *http.Request) {
		all := d.out.all()
		if strings.Contains(r.Header.Get("Accept"), "application/json") {
			answer(w, http.StatusOK, client.List[Outgoing]{Items: all})
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_ = outboxPage.Execute(w, all) // the browser has gone away
	})
	mux.HandleFunc("GET /demo/outbox.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(outboxCSS)
	})
	return mux
}

// callPeople makes the house able to tell people: channels that end in the outbox,
// who is on call, and who is called next.
func (d *Demo) callPeople(ctx context.Context, g *errgroup.Group, at Endpoints) error {
	base, err := serve(ctx, g, d.out.receive())
	if err != nil {
		return fmt.Errorf("starting the outbox: %w", err)
	}
	mail, err := d.out.mail(ctx, g)
	if err != nil {
		return fmt.Errorf("starting the outbox's mail: %w", err)
	}
	var have client.List[client.Channel]
	if err := call(ctx, at, http.MethodGet, "/channels", nil, &have); err != nil {
		return err
	}
	for _, c := range []client.PutChannelRequest{
		{Name: "demo-slack", Kind: "slack", Incidents: "warning", Token: "xoxb-demo", Settings: client.ChannelSettings{URL: base + "/slack/api/chat.postMessage", Channel: "#agents"}},
		{Name: "demo-pagerduty", Kind: "pagerduty", Token: strings.Repeat("d", 32), Settings: client.ChannelSettings{URL: base + "/pagerduty/v2/enqueue"}},
		{Name: "demo-mail", Kind: "email", Settings: client.ChannelSettings{URL: "smtp://" + mail, From: "reeve@shop.example", Insecure: true}},
		{Name: "demo-customers", Kind: "webhook", Token: strings.Repeat("c", 32), Settings: client.ChannelSettings{URL: base + "/customers"}},
	} {
		for _, old := range have.Items {
			if old.Name == c.Name { // a folder that was kept: it leads to another port now
				c.Revision = old.Revision
			}
		}
		if err := call(ctx, at, http.MethodPut, "/channels/"+c.Name, c, nil); err != nil {
			return fmt.Errorf("naming the channel %s: %w", c.Name, err)
		}
	}
	sre, err := d.signIn(ctx, at, "sre")
	if err != nil {
		return err
	}
	if err := sre.call(ctx, http.MethodPut, "/contacts/me", client.PutContactsRequest{Items: []client.Contact{{Channel: "demo-mail", Address: "sre@shop.example"}}}, nil); err != nil {
		return fmt.Errorf("saying how the SRE is reached: %w", err)
	}
	err = call(ctx, at, http.MethodPut, "/on-call/support", client.PutScheduleRequest{
		Team: "support", Zone: "Europe/Berlin", Rotations: []client.Rotation{{People: []string{"sre"}, Start: time.Now().UTC().Truncate(24 * time.Hour), Every: "week"}},
	}, nil)
	if err != nil && !conflict(err) {
		return fmt.Errorf("making the schedule: %w", err)
	}
	err = call(ctx, at, http.MethodPut, "/escalation-policies/support", client.PutEscalationPolicyRequest{
		Team: "support", For: "incidents", Levels: []client.EscalationLevel{{Schedules: []string{"support"}, After: "5m"}, {Channels: []string{"demo-pagerduty"}, After: "15m"}},
	}, nil)
	if err != nil && !conflict(err) {
		return fmt.Errorf("saying who is called: %w", err)
	}
	return nil
}
