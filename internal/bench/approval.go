package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// ApprovalOptions shape the measurement of a held call: how soon it is in the
// inbox, and how soon it goes on once a person agreed.
type ApprovalOptions struct {
	Bin      string
	Calls    int // held, one after the other
	Waiting  int // other calls that wait all the while
	Spans    int // a second, sent beside it; 0: none
	Progress io.Writer
}

// ApprovalReport is what a call and a person saw, in ms.
type ApprovalReport struct {
	Calls   int       `json:"calls"`
	Waiting int       `json:"waiting"`
	Spans   int       `json:"spans_per_second"`
	Event   Quantiles `json:"event"`    // from the call to the event of the live inbox
	Listed  Quantiles `json:"listed"`   // to a list that has it
	Chat    Quantiles `json:"chat"`     // to the message at the team's chat
	Agreed  Quantiles `json:"answered"` // from the approval to its answer
	Forward Quantiles `json:"forward"`  // from the approval to the upstream's first byte
	Whole   Quantiles `json:"whole"`    // from the approval to the agent's answer
}

// Quantiles of a measurement.
type Quantiles struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func quantilesOf(ms []float64) Quantiles {
	return Quantiles{rank(ms, 0.5), rank(ms, 0.99), rank(ms, 1)}
}

// Text writes the report for people.
func (r *ApprovalReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d held calls, %d others waiting, beside %d spans/s\n", r.Calls, r.Waiting, r.Spans)
	for _, l := range []struct {
		what string
		q    Quantiles
	}{
		{"call to event in the live inbox", r.Event},
		{"call to a list that has it", r.Listed},
		{"call to the message in chat", r.Chat},
		{"approve to its answer", r.Agreed},
		{"approve to upstream", r.Forward},
		{"approve to the agent's answer", r.Whole},
	} {
		_, e := fmt.Fprintf(w, "%-34s p50 %6.1f ms, p99 %6.1f ms, most %6.1f ms\n", l.what, l.q.P50, l.q.P99, l.q.Max)
		err = errors.Join(err, e)
	}
	return err
}

func approvalMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o ApprovalOptions
	var output string
	fs := flag.NewFlagSet("reeve bench approval", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Calls, "calls", 100, "held calls, one after the other")
	fs.IntVar(&o.Waiting, "waiting", 0, "other calls that wait for a person all the while")
	fs.IntVar(&o.Spans, "spans", 0, "spans a second that are taken in beside it")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Progress = stderr
	r, err := Approvals(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// Approvals holds calls and agrees to them, one by one.
func Approvals(ctx context.Context, o ApprovalOptions) (*ApprovalReport, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	up, arrived, stop, err := heldUpstream()
	if err != nil {
		return nil, err
	}
	defer stop()
	// The limits of one agent are far below what is measured here.
	g, err := startConfigured(ctx, o.Bin, "approvals:\n  open: 1000\n  hourly: 10000\n  wait: 10m\n")
	if err != nil {
		return nil, err
	}
	defer g.end()
	chat, err := startChat()
	if err != nil {
		return nil, err
	}
	defer chat.close()
	b, err := g.holding(ctx, up, arrived, chat)
	if err != nil {
		return nil, fmt.Errorf("setting the door up: %w", err)
	}
	if o.Spans > 0 {
		end, err := beside(ctx, o.Bin, "http://"+g.server.OTLP, o.Spans)
		if err != nil {
			return nil, err
		}
		defer end()
		if err := wait(ctx, 3*time.Second); err != nil { // until the load flows
			return nil, err
		}
	}
	return b.measure(ctx, o)
}

// heldUpstream says when each call arrived.
func heldUpstream() (base string, arrived <-chan time.Time, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, nil, err
	}
	at := make(chan time.Time, 16)
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		at <- now
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"done":true}`)
	})}
	go func() { _ = s.Serve(l) }() // ends with stop
	return "http://" + l.Addr().String(), at, func() { _ = s.Close() }, nil
}

// holder makes held calls and answers them.
type holder struct {
	*governed
	key     string
	arrived <-chan time.Time
	events  chan told
	chat    *chatStub
}

// chatStub is Slack's chat.postMessage, and notes when the message about each call came.
type chatStub struct {
	url  string
	http *http.Server

	mu sync.Mutex
	at map[int]time.Time // by the amount of the call
}

// chatAmount finds the amount among a message's shown arguments.
var chatAmount = regexp.MustCompile(`amount\\": ?(\d+)`)

func startChat() (*chatStub, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &chatStub{url: "http://" + l.Addr().String() + "/api/chat.postMessage", at: map[int]time.Time{}}
	c.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if m := chatAmount.FindSubmatch(body); err == nil && m != nil {
			if n, err := strconv.Atoi(string(m[1])); err == nil {
				c.mu.Lock()
				if c.at[n].IsZero() {
					c.at[n] = now
				}
				c.mu.Unlock()
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1503435956.000247"}`)
	})}
	go func() { _ = c.http.Serve(l) }() // ends with close
	return c, nil
}

func (c *chatStub) close() { _ = c.http.Close() }

// came waits until the message about a call came.
func (c *chatStub) came(ctx context.Context, n int) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		c.mu.Lock()
		at := c.at[n]
		c.mu.Unlock()
		if !at.IsZero() {
			return at, nil
		}
		if err := wait(ctx, time.Millisecond); err != nil {
			return at, fmt.Errorf("call %d was told to no chat: %w", n, err)
		}
	}
}

// called has the chat called about what waits.
func (g *governed) called(ctx context.Context, chat *chatStub) error {
	if _, err := g.api.PutChannel(ctx, client.PutChannelRequest{Name: "chat", Kind: "slack", Team: "bench", Settings: client.ChannelSettings{URL: chat.url, Channel: "#approvals"}, Token: "xoxb-bench"}); err != nil {
		return err
	}
	_, err := g.api.PutEscalationPolicy(ctx, client.PutEscalationPolicyRequest{Name: "bench", Team: "bench", For: "approvals", Levels: []client.EscalationLevel{{Channels: []string{"chat"}, After: "1h"}}})
	return err
}

// told is an approval of which the live inbox heard.
type told struct {
	id string
	at time.Time
}

// holding registers an upstream whose calls a policy holds, and an agent.
func (g *governed) holding(ctx context.Context, up string, arrived <-chan time.Time, chat *chatStub) (*holder, error) {
	if err := g.settle(ctx, up, 10, 1); err != nil {
		return nil, err
	}
	if err := g.called(ctx, chat); err != nil {
		return nil, err
	}
	if _, err := g.api.PutUpstream(ctx, client.PutUpstreamRequest{
		Name: "held", Kind: "http", URL: up, Team: "bench", Environment: "production", AllowPrivate: true,
		Routes: []client.Route{{Method: "POST", Path: "/refunds", Effect: "write", Shows: client.Shows{Amount: []string{"/amount"}}}},
	}); err != nil {
		return nil, err
	}
	if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{
		Name: "held", Mode: "enforce", Reason: "measures approvals",
		Cedar: `@id("held") @hold("approvers") permit (principal, action == Action::"call_api", resource in Upstream::"held");`,
	}); err != nil {
		return nil, err
	}
	keys, err := g.keys(ctx, 1)
	if err != nil {
		return nil, err
	}
	return &holder{governed: g, key: keys[0], arrived: arrived, events: make(chan told, 16), chat: chat}, nil
}

// listen reads the events of the live inbox until ctx ends; ready is closed once
// it follows.
func (h *holder) listen(ctx context.Context, ready chan<- struct{}) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.server.HTTP+"/api/v1/events?types=approval.requested", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	first := true
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if first {
			first = false
			close(ready)
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		at := time.Now()
		var n struct{ ID string }
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			return err
		}
		select {
		case h.events <- told{n.ID, at}:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// call makes one held call; its answer comes when a person agreed.
func (h *holder) call(ctx context.Context, n int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.door+"/http/held/refunds", strings.NewReader(`{"amount": `+strconv.Itoa(n)+`}`))
	if err != nil {
		return err
	}
	req.Header.Set("X-Api-Key", h.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("a held call came back as %d: %s", resp.StatusCode, body)
	}
	return err
}

func (h *holder) measure(ctx context.Context, o ApprovalOptions) (*ApprovalReport, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var all errgroup.Group
	ready := make(chan struct{})
	all.Go(func() error { _ = h.listen(ctx, ready); return nil }) // its end is ours
	select {
	case <-ready:
	case <-time.After(10 * time.Second):
		return nil, errors.New("there are no events")
	}
	for i := range o.Waiting {
		all.Go(func() error { _ = h.call(ctx, 1_000_000+i); return nil }) // nobody answers it
		if _, err := h.event(ctx); err != nil {
			return nil, err
		}
	}
	var event, listed, chat, agreed, forward, whole []float64
	for n := range o.Calls {
		if n%50 == 0 {
			fmt.Fprintf(o.Progress, "held call %d of %d\n", n+1, o.Calls)
		}
		answered := make(chan error, 1)
		began := time.Now()
		go func() { answered <- h.call(ctx, n) }()
		e, err := h.event(ctx)
		if err != nil {
			return nil, err
		}
		event = append(event, ms(e.at.Sub(began)))
		list, err := h.api.ListApprovals(ctx, client.ListApprovalsRequest{Limit: 50})
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list.Items, func(a client.Approval) bool { return a.ID == e.id })
		if i < 0 {
			return nil, fmt.Errorf("approval %s is not in the inbox", e.id)
		}
		listed = append(listed, ms(time.Since(began)))
		at, err := h.chat.came(ctx, n) // what is answered before is not told there
		if err != nil {
			return nil, err
		}
		chat = append(chat, ms(at.Sub(began)))
		said := time.Now()
		if _, err := h.api.Approve(ctx, client.ApproveRequest{ID: e.id, Hash: list.Items[i].Arguments.Hash}); err != nil {
			return nil, err
		}
		agreed = append(agreed, ms(time.Since(said)))
		select {
		case at := <-h.arrived:
			forward = append(forward, ms(at.Sub(said)))
		case <-time.After(10 * time.Second):
			return nil, fmt.Errorf("approval %s was never forwarded", e.id)
		}
		if err := <-answered; err != nil {
			return nil, err
		}
		whole = append(whole, ms(time.Since(said)))
	}
	end()
	_ = all.Wait() // they end with the context
	return &ApprovalReport{
		Calls: o.Calls, Waiting: o.Waiting, Spans: o.Spans,
		Event: quantilesOf(event), Listed: quantilesOf(listed), Chat: quantilesOf(chat), Agreed: quantilesOf(agreed), Forward: quantilesOf(forward), Whole: quantilesOf(whole),
	}, nil
}

func (h *holder) event(ctx context.Context) (told, error) {
	select {
	case e := <-h.events:
		return e, nil
	case <-time.After(10 * time.Second):
		return told{}, errors.New("the inbox heard of no held call for ten seconds")
	case <-ctx.Done():
		return told{}, ctx.Err()
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
