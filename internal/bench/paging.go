package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/client"
)

// The steps of a page at which the server is killed.
const (
	stepOpened   = "opened"   // the incident's opening was answered; nothing is claimed, or just now
	stepClaimed  = "claimed"  // the server connects: claimed, and nothing sent
	stepRequest  = "request"  // the request was sent, and the receiver did not take it in
	stepTaken    = "taken"    // the receiver took it in, and did not answer
	stepAnswered = "answered" // the receiver answered; whether that was noted is chance
	stepNoted    = "noted"    // the answer was noted
)

var pagingSteps = []string{stepOpened, stepClaimed, stepRequest, stepTaken, stepAnswered, stepNoted}

// The receivers: one that keeps one of a key, one that takes no key.
const (
	withKey    = "pagerduty"
	withoutKey = "slack"
)

// PagingOptions say how often the server is killed while it calls people.
type PagingOptions struct {
	Server    *Server
	Rounds    int // kills at each step, for each receiver; 0 is 5
	Incidents int // that are opened together before a kill; 0 is 3
	Seed      uint64
	Progress  io.Writer
}

// PagingRow is what became of the calls of the incidents that were open at a kill.
type PagingRow struct {
	Receiver  string `json:"receiver"`
	Step      string `json:"step"`
	Kills     int    `json:"kills"`
	Incidents int    `json:"incidents"`
	Once      int    `json:"delivered_once"`
	Twice     int    `json:"delivered_twice"`
	Never     int    `json:"never_delivered"` // and shown so: unknown or failed
	Unknown   int    `json:"unknown"`         // shown so, whether it was delivered or not
	Escalated int    `json:"escalated"`       // and the next level was called, once
	Lost      int    `json:"lost"`            // not delivered, and shown as sent or as on its way
	Hidden    int    `json:"hidden"`          // unknown, and the page does not say so or called nobody else
}

// PagingReport is what came of all kills.
type PagingReport struct {
	Kills  int         `json:"kills"`
	Rows   []PagingRow `json:"rows"`
	Orphan int         `json:"left_open"` // alerts that stayed open at the receiver after the incident's end
	Faults []string    `json:"faults,omitempty"`
}

// Err is nil when nothing was delivered twice where the receiver takes a key, and
// nothing was lost or hidden.
func (r *PagingReport) Err() error {
	if len(r.Faults) > 0 {
		return fmt.Errorf("%d faults, the first: %s", len(r.Faults), r.Faults[0])
	}
	return nil
}

// Text writes the report for people.
func (r *PagingReport) Text(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%d kills; first level of the policy, and the step at which the server was killed:\n%-10s %-9s %5s %9s %5s %6s %6s %8s %10s %5s %7s\n",
		r.Kills, "receiver", "step", "kills", "incidents", "once", "twice", "never", "unknown", "escalated", "lost", "hidden"); err != nil {
		return err
	}
	for _, x := range r.Rows {
		if _, err := fmt.Fprintf(w, "%-10s %-9s %5d %9d %5d %6d %6d %8d %10d %5d %7d\n", x.Receiver, x.Step, x.Kills, x.Incidents, x.Once, x.Twice, x.Never, x.Unknown, x.Escalated, x.Lost, x.Hidden); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "alerts left open after the incident's end: %d\n", r.Orphan); err != nil {
		return err
	}
	for _, f := range r.Faults {
		if _, err := fmt.Fprintln(w, "fault:", f); err != nil {
			return err
		}
	}
	return nil
}

func pagingMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o PagingOptions
	var bin, output string
	fs := flag.NewFlagSet("reeve bench paging", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Rounds, "rounds", 5, "kills at each step, for each receiver")
	fs.IntVar(&o.Incidents, "incidents", 3, "incidents that are opened together before a kill")
	fs.Uint64Var(&o.Seed, "seed", 1, "of the moments")
	fs.StringVar(&bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	dir, cleanup, err := tempDir()
	if err != nil {
		return err
	}
	defer cleanup()
	if o.Server, err = NewServer(bin, dir, io.Discard); err != nil {
		return err
	}
	o.Progress = stderr
	r, err := Paging(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(report(stdout, output, r), r.Err())
}

// trap kills the server when a call comes to a step.
type trap struct {
	mu       sync.Mutex
	receiver string
	step     string
	spring   func()
	sprung   chan struct{}
}

// set makes it ready for one kill.
func (t *trap) set(receiver, step string, kill func()) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.receiver, t.step, t.sprung = receiver, step, make(chan struct{})
	done := t.sprung
	t.spring = sync.OnceFunc(func() { kill(); close(done) })
	return done
}

func (t *trap) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spring = nil
}

// at is called by a receiver; true: the server was killed here.
func (t *trap) at(receiver, step string) bool {
	t.mu.Lock()
	spring := t.spring
	if spring == nil || t.receiver != receiver || t.step != step {
		t.mu.Unlock()
		return false
	}
	t.spring = nil
	t.mu.Unlock()
	spring()
	return true
}

// receiver is somebody's system of paging or chat, after its maker's document.
type receiver struct {
	name string
	url  string
	trap *trap
	http *http.Server

	mu     sync.Mutex
	events map[string]int  // triggers by what they are about
	made   map[string]int  // alerts or messages that people see, by what they are about
	open   map[string]bool // alerts that are open
	bad    []string        // requests that the document does not allow
}

func startReceiver(name string, t *trap) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{name: name, url: "http://" + l.Addr().String() + "/v2/enqueue", trap: t, events: map[string]int{}, made: map[string]int{}, open: map[string]bool{}}
	r.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: r}
	go func() { _ = r.http.Serve(trapped{l, r}) }() // ends with close
	return r, nil
}

func (r *receiver) close() { _ = r.http.Close() }

// trapped is a listener that tells of each connection before a byte of it is read.
type trapped struct {
	net.Listener
	r *receiver
}

func (l trapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.r.trap.at(l.r.name, stepClaimed) {
		// Its sender is dead: what it wrote meanwhile was not read by anybody.
		err := c.Close()
		if err != nil {
			return nil, err
		}
		return l.Accept()
	}
	return c, err
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil || r.trap.at(r.name, stepRequest) {
		return // not taken in
	}
	status, answer := r.take(body)
	if r.trap.at(r.name, stepTaken) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
	_ = http.NewResponseController(w).Flush() // its reader may be dead
	r.trap.at(r.name, stepAnswered)
}

// take takes a request in as the document of its receiver says.
func (r *receiver) take(body []byte) (status int, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.name == withoutKey {
		return r.takeMessage(body)
	}
	return r.takeEvent(body)
}

// takeMessage is Slack's incoming webhook: each message is one, whatever was before.
func (r *receiver) takeMessage(body []byte) (int, string) {
	var m struct {
		Text   string
		Blocks []json.RawMessage
	}
	if json.Unmarshal(body, &m) != nil || m.Text == "" && len(m.Blocks) == 0 {
		r.bad = append(r.bad, clipped(body))
		return http.StatusBadRequest, "invalid_payload"
	}
	if number, _, ok := strings.Cut(strings.TrimPrefix(m.Text, "Incident "), ":"); ok && !strings.Contains(number, " ") {
		r.events[number]++
		r.made[number]++
	}
	return http.StatusOK, "ok"
}

// takeEvent is PagerDuty's Events API v2: what triggers with the key of an open alert
// is of that alert; a trigger without a key, or after a resolve, is another one.
func (r *receiver) takeEvent(body []byte) (int, string) {
	var e struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		Key        string `json:"dedup_key"`
		Payload    struct{ Summary, Source, Severity string }
	}
	bad := json.Unmarshal(body, &e) != nil || len(e.RoutingKey) != 32 || len(e.Key) > 255
	switch e.Action {
	case "trigger":
		bad = bad || e.Payload.Summary == "" || len(e.Payload.Summary) > 1024 || e.Payload.Source == "" || !slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity)
	case "acknowledge", "resolve":
		bad = bad || e.Key == ""
	default:
		bad = true
	}
	if bad {
		r.bad = append(r.bad, clipped(body))
		return http.StatusBadRequest, `{"status":"invalid event","message":"Event object is invalid","errors":["it is not as documented"]}`
	}
	about := strings.TrimPrefix(e.Key, "incident-")
	switch {
	case e.Action == "trigger":
		r.events[about]++
		if e.Key == "" {
			about = fmt.Sprint("no key ", len(r.made))
		}
		if !r.open[about] {
			r.made[about]++
			r.open[about] = true
		}
	case e.Action == "resolve":
		delete(r.open, about)
	}
	answer, err := json.Marshal(map[string]string{"status": "success", "message": "Event processed", "dedup_key": cmp.Or(e.Key, about)})
	if err != nil {
		return http.StatusInternalServerError, ""
	}
	return http.StatusAccepted, string(answer)
}

func clipped(b []byte) string { return string(b[:min(len(b), 200)]) }

func (r *receiver) count(about string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.made[about]
}

// paged is an incident that was open at a kill.
type paged struct {
	row    *PagingRow
	id     string
	number string
	target string // the channel of the first level
}

// pagingRun is one measurement.
type pagingRun struct {
	o    PagingOptions
	api  *client.Client
	trap *trap
	at   map[string]*receiver
	all  []paged
	rng  *rand.Rand
	rep  *PagingReport
}

// Paging opens incidents, kills the server at each step of calling people about them,
// starts it again, and compares what receivers hold with what pages say.
func Paging(ctx context.Context, o PagingOptions) (*PagingReport, error) {
	o.Rounds, o.Incidents, o.Seed = cmp.Or(o.Rounds, 5), cmp.Or(o.Incidents, 3), cmp.Or(o.Seed, 1)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	p := &pagingRun{o: o, api: client.New("http://"+o.Server.HTTP, ""), trap: &trap{}, at: map[string]*receiver{}, rng: rand.New(rand.NewPCG(o.Seed, 11)), rep: &PagingReport{}}
	for _, name := range []string{withKey, withoutKey} {
		r, err := startReceiver(name, p.trap)
		if err != nil {
			return nil, err
		}
		defer r.close()
		p.at[name] = r
	}
	if err := o.Server.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = o.Server.Stop() }()
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	p.rep.Rows = make([]PagingRow, 0, 2*len(pagingSteps))
	for _, target := range []string{withKey, withoutKey} {
		for _, step := range pagingSteps {
			p.rep.Rows = append(p.rep.Rows, PagingRow{Receiver: target, Step: step})
		}
	}
	for i := range p.rep.Rows {
		row := &p.rep.Rows[i]
		for range o.Rounds {
			if err := p.round(ctx, row); err != nil {
				return nil, fmt.Errorf("killing it with %s at %q: %w", row.Receiver, row.Step, err)
			}
			p.rep.Kills++
		}
		fmt.Fprintf(o.Progress, "%s, %s: %d kills\n", row.Receiver, row.Step, row.Kills)
	}
	return p.rep, p.judge(ctx)
}

// settle makes two teams: one whose first level is the receiver that takes a key and
// whose second the other, and one the other way round. A level waits longer than the
// measurement: a second level is called because nobody knows of the first.
func (p *pagingRun) settle(ctx context.Context) error {
	for _, c := range []client.PutChannelRequest{
		{Name: withKey, Kind: "pagerduty", Settings: client.ChannelSettings{URL: p.at[withKey].url}, Token: strings.Repeat("k", 32)},
		{Name: withoutKey, Kind: "slack", Token: p.at[withoutKey].url},
	} {
		if _, err := p.api.PutChannel(ctx, c); err != nil {
			return err
		}
	}
	for first, second := range map[string]string{withKey: withoutKey, withoutKey: withKey} {
		if _, err := p.api.CreateTeam(ctx, client.CreateTeamRequest{Name: first}); err != nil {
			return err
		}
		if _, err := p.api.PutEscalationPolicy(ctx, client.PutEscalationPolicyRequest{Name: first, Team: first, Levels: []client.EscalationLevel{
			{Channels: []string{first}, After: "24h"}, {Channels: []string{second}, After: "24h"},
		}}); err != nil {
			return err
		}
	}
	return nil
}

// round opens incidents, has the server killed at a step, and starts it again.
func (p *pagingRun) round(ctx context.Context, row *PagingRow) error {
	var once sync.Once
	kill := func() { once.Do(func() { _ = p.o.Server.Kill() }) } // its state is seen by the next start
	killed := p.trap.set(row.Receiver, row.Step, kill)
	row.Kills++
	title, first := fmt.Sprintf("%s of kill %d", row.Step, p.rep.Kills+1), ""
	for range p.o.Incidents {
		x, err := p.api.OpenIncident(ctx, client.OpenIncidentRequest{Title: title, Severity: "critical", Team: row.Receiver, Environment: "production"})
		if err != nil { // the kill came between: it may be there, unanswered, or not
			break
		}
		first = cmp.Or(first, x.ID)
	}
	switch row.Step {
	case stepOpened:
		if err := wait(ctx, time.Duration(p.rng.IntN(4000))*time.Microsecond); err != nil {
			return err
		}
		kill()
	case stepNoted:
		if err := p.noted(ctx, first); err != nil {
			return err
		}
		kill()
	default:
		select {
		case <-killed:
		case <-time.After(30 * time.Second):
			return errors.New("no call came to that step within half a minute")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.trap.clear()
	if err := p.o.Server.Start(ctx); err != nil {
		return err
	}
	list, err := p.api.ListIncidents(ctx, client.ListIncidentsRequest{Q: title, Team: row.Receiver, Limit: 100})
	if err != nil {
		return err
	}
	var opened []paged // whether that was answered or not
	for _, x := range list.Items {
		if x.Title == title {
			opened = append(opened, paged{row: row, id: x.ID, number: fmt.Sprint(x.Number), target: row.Receiver})
		}
	}
	row.Incidents += len(opened)
	p.all = append(p.all, opened...)
	return p.quiet(ctx, opened)
}

// noted waits until the answer of an incident's first call is on record, which is the
// moment before its page is told.
func (p *pagingRun) noted(ctx context.Context, incident string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		list, err := p.api.ListDeliveries(ctx, client.ListDeliveriesRequest{Object: incident})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list.Items, func(d client.Delivery) bool { return d.State == "sent" }) {
			return nil
		}
	}
}

// quiet waits until nothing about some incidents is on its way any more.
func (p *pagingRun) quiet(ctx context.Context, list []paged) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		moving := 0
		for _, x := range list {
			pages, err := p.api.ListPages(ctx, client.ListPagesRequest{Object: x.id})
			if err != nil {
				return err
			}
			if len(pages.Items) == 0 || len(pages.Items[0].Calls) == 0 {
				moving++
				continue
			}
			for _, c := range pages.Items[0].Calls {
				if c.State == "queued" {
					moving++
				}
			}
		}
		if moving == 0 {
			return nil
		}
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("%d calls are on their way still: %w", moving, err)
		}
	}
}

func (p *pagingRun) fault(x *paged, format string, args ...any) {
	p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("incident %s (%s at %s): ", x.number, x.target, x.row.Step)+fmt.Sprintf(format, args...))
}

// judge compares, after the last start, what receivers hold with what pages say; then
// it ends the incidents, which may not raise anything again.
func (p *pagingRun) judge(ctx context.Context) error {
	other := map[string]string{withKey: withoutKey, withoutKey: withKey}
	held := func(name string, x *paged) int {
		if name == withKey {
			return p.at[name].count(x.id)
		}
		return p.at[name].count(x.number)
	}
	for i := range p.all {
		x := &p.all[i]
		pages, err := p.api.ListPages(ctx, client.ListPagesRequest{Object: x.id})
		if err != nil {
			return err
		}
		if len(pages.Items) != 1 {
			p.fault(x, "%d pages", len(pages.Items))
			continue
		}
		calls := pages.Items[0].Calls
		first, next := "", 0
		for _, c := range calls {
			switch {
			case c.Level == 1 && first == "":
				first = c.State
			case c.Level == 2:
				next++
			}
		}
		n, beyond := held(x.target, x), held(other[x.target], x)
		switch {
		case n == 1:
			x.row.Once++
		case n > 1:
			x.row.Twice++
			p.fault(x, "delivered %d times, and shown as %s", n, first)
		case first == "unknown" || first == "failed":
			x.row.Never++
		default:
			x.row.Lost++
			p.fault(x, "not delivered, and shown as %s", first)
		}
		if first == "unknown" {
			x.row.Unknown++
			switch {
			case x.target == withKey:
				x.row.Hidden++
				p.fault(x, "unknown, although the receiver takes a key")
			case next == 1 && beyond == 1:
				x.row.Escalated++
			default:
				x.row.Hidden++
				p.fault(x, "unknown, and the next level was called %d times and has %d", next, beyond)
			}
		} else if next != 0 || beyond != 0 {
			p.fault(x, "%s, and the next level was called %d times and has %d", first, next, beyond)
		}
	}
	return p.over(ctx)
}

// over ends all incidents and looks for alerts that stay open, or were raised again.
func (p *pagingRun) over(ctx context.Context) error {
	for _, x := range p.all {
		if _, err := p.api.ResolveIncident(ctx, client.IncidentNoteRequest{ID: x.id, Note: "the measurement is over"}); err != nil {
			return err
		}
	}
	key := p.at[withKey]
	left := func() int {
		key.mu.Lock()
		defer key.mu.Unlock()
		return len(key.open)
	}
	for end := time.Now().Add(30 * time.Second); left() > 0 && time.Now().Before(end); {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	p.rep.Orphan = left()
	if p.rep.Orphan > 0 {
		p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("%d alerts stay open at the receiver", p.rep.Orphan))
	}
	for _, r := range p.at {
		r.mu.Lock()
		if len(r.bad) > 0 {
			p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("%s was sent %d requests that its document does not allow: %s", r.name, len(r.bad), r.bad[0]))
		}
		for about, n := range r.made {
			if n > 1 && r.name == withKey {
				p.rep.Faults = append(p.rep.Faults, fmt.Sprintf("%s has %d alerts of %s", r.name, n, about))
			}
		}
		r.mu.Unlock()
	}
	slices.Sort(p.rep.Faults)
	return nil
}
