package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"reeve/internal/alert"
	"reeve/internal/change"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/hook"
	"reeve/internal/intake/alerts"
	"reeve/internal/intake/changes"
	"reeve/internal/intake/said"
)

// Alerts keeps what is reported as wrong; *alert.Book is one.
type Alerts interface {
	Take(ctx context.Context, from alert.Sender, reports []alert.Report) error
}

// Changes keeps what is reported as changed; *change.Book is one.
type Changes interface {
	Take(ctx context.Context, from change.Sender, reports []change.Report) error
}

// Feedback keeps what people said; *feedback.Book is one.
type Feedback interface {
	Take(ctx context.Context, from feedback.Sender, reports []feedback.Report) ([]string, error)
}

// The paths of outside senders. Below its own address a source also has the
// paths that its kind's clients append; without it they find their source by the
// token, or by an intake key.
const (
	alertsPath  = "/api/v1/alerts/"
	changesPath = "/api/v1/changes/"
	saidPath    = "/api/v1/feedback/"
	promPath    = "/api/v2/alerts"
	pandaPath   = "/data/v2/alerts"
	hecPath     = "/services/collector"
)

// maxHookBody bounds a delivery: it may have to be read before its signature can
// be looked at.
const maxHookBody = 4 << 20

// hecPaths are those of Splunk's HTTP Event Collector.
var hecPaths = []string{"", "/event", "/event/1.0", "/raw", "/raw/1.0", "/ack", "/health", "/health/1.0"}

// hookPaths are what serveHook takes, as patterns of a mux.
func hookPaths() []string {
	own := alertsPath + "{source}"
	out := []string{"POST " + changesPath + "{source}", "POST " + saidPath + "{source}", "POST " + own, "OPTIONS " + own, "POST " + own + promPath, "POST " + own + pandaPath, "POST " + promPath, "POST " + pandaPath}
	for _, p := range hecPaths {
		out = append(out, hecPath+p, own+hecPath+p)
	}
	return out
}

// place is where a request of an outside sender leads.
type place struct {
	late    error // what is wrong with a delivery, told once it is proved
	purpose string
	source  string // "" where the sender's proof says which
	kind    string // of the client that has this path; "" any
	path    string // after the source's address
}

// placeOf finds it; false for a path of others.
func placeOf(path string) (place, bool) {
	if name, ok := strings.CutPrefix(path, changesPath); ok {
		return place{purpose: hook.Changes, source: name}, name != "" && !strings.Contains(name, "/")
	}
	if name, ok := strings.CutPrefix(path, saidPath); ok {
		return place{purpose: hook.Feedback, source: name}, name != "" && !strings.Contains(name, "/")
	}
	p := place{purpose: hook.Alerts, path: path}
	if rest, ok := strings.CutPrefix(path, alertsPath); ok {
		p.source, p.path = rest, ""
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			p.source, p.path = rest[:i], rest[i:]
		}
	}
	switch {
	case p.path == promPath:
		p.kind = "alertmanager"
	case p.path == pandaPath:
		p.kind = "bigpanda"
	case p.path == hecPath || strings.HasPrefix(p.path, hecPath+"/"):
		p.kind = "splunk"
	case p.path != "" || p.source == "":
		return p, false
	}
	return p, true
}

// serveHook takes a delivery of an outside sender.
func (in *Intake) serveHook(w http.ResponseWriter, r *http.Request, p place) {
	if r.Method == http.MethodOptions {
		in.handshake(w, r, p)
		return
	}
	if p.kind == "splunk" && strings.HasPrefix(strings.TrimPrefix(p.path, hecPath), "/health") {
		reply(w, alerts.Reply{Status: http.StatusOK, Body: `{"text":"HEC is healthy","code":17}`})
		return
	}
	if err := in.delivery(w, r, p); err != nil {
		in.refuseHook(w, p, err)
	}
}

// refuseHook answers as the client of a path expects.
func (in *Intake) refuseHook(w http.ResponseWriter, p place, err error) {
	rec, ok := alerts.Receivers[p.kind]
	if !ok || rec.Failed == nil {
		in.refuse(w, true, err)
		return
	}
	in.stats.refused.Add(1)
	f := fault.From(err)
	if f.Kind == fault.KindInternal {
		in.logger.Error("delivery not taken", "code", f.Code, "err", err)
	}
	reply(w, rec.Failed(f.Kind.HTTPStatus(), f))
}

func reply(w http.ResponseWriter, a alerts.Reply) {
	if a.Type == "" && a.Body != "" {
		a.Type = "application/json"
	}
	if a.Type != "" {
		w.Header().Set("Content-Type", a.Type)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.Status)
	_, _ = w.Write([]byte(a.Body)) // the sender left: nobody to tell
}

// handshake answers the question of CloudEvents' webhooks whether they may send.
// It grants nothing: each delivery is proved.
func (in *Intake) handshake(w http.ResponseWriter, r *http.Request, p place) {
	origin := r.Header.Get("WebHook-Request-Origin")
	if origin == "" || len(origin) > 255 || strings.ContainsAny(origin, "\r\n") || p.source == "" {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("WebHook-Allowed-Origin", origin)
	w.Header().Set("WebHook-Allowed-Rate", "*")
	w.Header().Set("Allow", http.MethodPost)
	w.WriteHeader(http.StatusOK)
}

// unproved is the sender of bodies that have to be read before their signature
// can be looked at. Strangers send such to any source whose name they know: all
// of them together take the room of one sender, so that the others keep theirs.
const unproved = "deliveries that are not proved yet"

// delivery proves, reads and keeps a delivery, and answers it.
func (in *Intake) delivery(w http.ResponseWriter, r *http.Request, p place) error {
	if r.Method != http.MethodPost {
		return fault.New(fault.KindInvalid, "intake.method", "%s is not how this is sent", r.Method).WithHint("POST it")
	}
	if in.hooks == nil {
		return fault.New(fault.KindUnavailable, "intake.no_hooks", "this server takes no alerts")
	}
	h, proved, err := in.senderOf(r, &p)
	if err == nil && !proved && h.Auth == hook.Token {
		err = h.Check(&hook.Delivery{Header: r.Header, Query: r.URL.Query(), Now: in.now()})
		proved = err == nil
	}
	if err != nil {
		return in.turnAway(w, r, p, err)
	}
	if proved && p.late != nil {
		return p.late
	}
	from := Sender{ID: unproved}
	if proved {
		from.ID = "hook " + h.Name
	}
	return in.within(w, r, from, min(in.config.MaxBody, maxHookBody), func(ctx context.Context, work *worker, _ Sender) error {
		now := in.now()
		if !proved {
			if err := h.Check(&hook.Delivery{Header: r.Header, Body: work.body, Now: now}); err != nil {
				return stranger(p, err)
			}
			if p.late != nil {
				return p.late
			}
		}
		answer, err := in.keepDelivery(ctx, h, p, r, work.body)
		if err != nil {
			var f *fault.Error
			if errors.As(err, &f) && f.Kind == fault.KindInvalid {
				h.Refused(now, f.Message)
			}
			return err
		}
		h.Took(now)
		reply(w, answer)
		return nil
	})
}

// turnAway refuses a request before its body was looked at. Who names a source
// and has no proof of it learns nothing of whether it is there: the answer is one,
// and comes as late as if a signature had been made over the body.
func (in *Intake) turnAway(w http.ResponseWriter, r *http.Request, p place, err error) error {
	if p.source == "" || !fault.Is(err, fault.KindUnauthenticated) {
		return err
	}
	return in.within(w, r, Sender{ID: unproved}, min(in.config.MaxBody, maxHookBody), func(_ context.Context, work *worker, _ Sender) error {
		hook.Decoy(work.body)
		return stranger(p, err)
	})
}

// stranger is what somebody without proof is told of a source that he named.
func stranger(p place, err error) error {
	if p.source != "" && fault.Is(err, fault.KindUnauthenticated) && fault.From(err).Code != "hook.stale" {
		return hook.Stranger
	}
	return err
}

// senderOf finds the source of a request. proved reports that it showed a
// credential already.
func (in *Intake) senderOf(r *http.Request, p *place) (h *hook.Hook, proved bool, err error) {
	if p.source != "" {
		h, ok := in.hooks.Lookup(p.source)
		if !ok || h.Purpose != p.purpose {
			return nil, false, in.hooks.Unknown("proof")
		}
		if keyInURL(r) && !(h.URLToken && h.Auth == hook.Token) {
			err := errKeyInURL()
			h.Refused(in.now(), fault.From(err).Message) // its owner is told, the caller may be anybody
			return nil, false, in.hooks.Unknown("proof")
		}
		if p.kind != "" && h.Kind != p.kind { // told to who has the proof
			p.late = fault.New(fault.KindInvalid, "intake.hook_kind", "source %s does not speak this path", h.Name).WithHint("it is of kind %s: send to %s", h.Kind, h.Path)
		} else {
			p.kind = h.Kind
		}
		if !h.Registered {
			// It was made for an intake key, and has no secret of its own.
			return in.keyed(r, p)
		}
		return h, false, nil
	}
	if keyInURL(r) {
		return nil, false, errKeyInURL()
	}
	if h, ok := in.hooks.ByToken(hook.Tokens(r.Header)); ok && h.Purpose == p.purpose {
		if h.Kind != p.kind {
			return nil, false, fault.New(fault.KindInvalid, "intake.hook_kind", "source %s does not speak this path", h.Name).WithHint("it is of kind %s: send to %s", h.Kind, h.Path)
		}
		return h, false, nil // Check looks whether the token still lives
	}
	return in.keyed(r, p)
}

// keyed finds the source of who shows an intake key.
func (in *Intake) keyed(r *http.Request, p *place) (*hook.Hook, bool, error) {
	from, err := in.identify(r.Context(), append(credentials(r.Header.Get), hook.Tokens(r.Header)...))
	if err != nil {
		return nil, false, err
	}
	if err := in.limits.enter(from, in.now()); err != nil {
		return nil, false, err
	}
	h, err := in.hooks.Known(r.Context(), p.purpose, p.kind, from.Team, from.Environment)
	if err == nil && p.source != "" && h.Name != p.source {
		return nil, false, in.hooks.Unknown("key")
	}
	return h, true, err
}

func errKeyInURL() error {
	return fault.New(fault.KindInvalid, "intake.key_in_url", "a key stands in the URL, where logs and proxies keep it").
		WithHint("send it as a header, and replace this key")
}

// keepDelivery reads a delivery and keeps it.
func (in *Intake) keepDelivery(ctx context.Context, h *hook.Hook, p place, r *http.Request, body []byte) (alerts.Reply, error) {
	if p.kind == "splunk" && strings.HasSuffix(p.path, "/ack") {
		return acks(body)
	}
	if h.Purpose == hook.Changes {
		return in.keepChanges(ctx, h, r, body)
	}
	if h.Purpose == hook.Feedback {
		return in.keepFeedback(ctx, h, body)
	}
	rec, ok := alerts.Receivers[h.Kind]
	if !ok {
		return alerts.Reply{}, fault.New(fault.KindInternal, "intake.hook_unknown", "nobody reads sources of kind %s", h.Kind)
	}
	// Raw words are slices of the body, whose memory serves the next request: one
	// copy for all of them, which may be as long as it each.
	req := &alerts.Request{Header: r.Header, Query: r.URL.Query(), Path: p.path, Body: bytes.Clone(body), Now: in.now()}
	if h.Mapping != nil {
		req.Mapping = in.mapping(h)
	}
	reports, err := rec.Read(req)
	if err != nil {
		return alerts.Reply{}, err
	}
	err = in.alerts.Take(ctx, alert.Sender{Source: h.Name, Kind: h.Kind, Team: h.Team, Environment: h.Environment, ResolveAfter: h.ResolveAfter}, reports)
	if err != nil {
		return alerts.Reply{}, err
	}
	in.stats.alerts.Add(int64(len(reports)))
	if rec.Took != nil {
		return rec.Took(req, len(reports)), nil
	}
	return accepted(len(reports)), nil
}

func accepted(n int) alerts.Reply {
	text, _ := json.Marshal(map[string]int{"accepted": n}) // a number
	return alerts.Reply{Status: http.StatusAccepted, Body: string(text)}
}

// keepChanges reads a delivery of changes and keeps it.
func (in *Intake) keepChanges(ctx context.Context, h *hook.Hook, r *http.Request, body []byte) (alerts.Reply, error) {
	read, ok := changes.Receivers[h.Kind]
	if !ok {
		return alerts.Reply{}, fault.New(fault.KindInternal, "intake.hook_unknown", "nobody reads sources of kind %s", h.Kind)
	}
	reports, err := read(&changes.Request{Header: r.Header, Body: body, Now: in.now(), Branches: h.Branches})
	if err == nil {
		err = in.changes.Take(ctx, change.Sender{Source: h.Name, Team: h.Team, Environment: h.Environment}, reports)
	}
	if err != nil {
		return alerts.Reply{}, err
	}
	in.stats.changes.Add(int64(len(reports)))
	return accepted(len(reports)), nil
}

// keepFeedback reads a delivery of what people said and keeps it.
func (in *Intake) keepFeedback(ctx context.Context, h *hook.Hook, body []byte) (alerts.Reply, error) {
	rec, ok := said.Receivers[h.Kind]
	if !ok || in.feedback == nil {
		return alerts.Reply{}, fault.New(fault.KindInternal, "intake.hook_unknown", "nobody reads sources of kind %s", h.Kind)
	}
	req := &said.Request{Body: body, Now: in.now()}
	if rec.Answer != nil {
		if text := rec.Answer(req); text != nil {
			return alerts.Reply{Status: http.StatusOK, Body: string(text)}, nil
		}
	}
	reports, err := rec.Read(req)
	if err != nil {
		return alerts.Reply{}, err
	}
	_, err = in.feedback.Take(ctx, feedback.Sender{Source: h.Name, Team: h.Team, Environment: h.Environment, Verified: true}, reports)
	if err != nil {
		return alerts.Reply{}, err
	}
	return accepted(len(reports)), nil
}

// compiled is a source's mapping, of one of its revisions.
type compiled struct {
	revision int64
	program  *alerts.Program
}

// mapping compiles a source's mapping once for each revision.
func (in *Intake) mapping(h *hook.Hook) *alerts.Program {
	if c, ok := in.programs.Load(h.Name); ok && c.(compiled).revision == h.Revision {
		return c.(compiled).program
	}
	program, _ := alerts.Compile(h.Mapping) // checked when it was set; what fails since then fails when asked
	in.programs.Store(h.Name, compiled{h.Revision, program})
	return program
}

// acks answers which of a forwarder's batches are kept: all, since no answer
// came before they were.
func acks(body []byte) (alerts.Reply, error) {
	var ask struct {
		Acks []int64 `json:"acks"`
	}
	if err := json.Unmarshal(body, &ask); err != nil || len(ask.Acks) > 10_000 {
		return alerts.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a list of acknowledgements").WithCause(err)
	}
	out := map[string]bool{}
	for _, id := range ask.Acks {
		out[strconv.FormatInt(id, 10)] = true
	}
	text, err := json.Marshal(map[string]any{"acks": out})
	return alerts.Reply{Status: http.StatusOK, Body: string(text)}, err
}
