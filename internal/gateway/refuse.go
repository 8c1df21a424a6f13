package gateway

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
)

// statuses are those that a fault's kind does not give.
var statuses = map[string]int{
	"api.host":              http.StatusMisdirectedRequest,
	"gateway.method":        http.StatusMethodNotAllowed,
	"gateway.too_large":     http.StatusRequestEntityTooLarge,
	"upstream.timeout":      http.StatusGatewayTimeout,
	"upstream.unreachable":  http.StatusBadGateway,
	"upstream.broken":       http.StatusBadGateway,
	"upstream.redirect":     http.StatusBadGateway,
	"upstream.leak":         http.StatusBadGateway,
	"upstream.encoded":      http.StatusBadGateway,
	"upstream.address":      http.StatusBadGateway,
	"gateway.client_closed": 499,
}

// Status is the HTTP status that a refusal at the door has.
func Status(f *fault.Error) int {
	if s, ok := statuses[f.Code]; ok {
		return s
	}
	return f.Kind.HTTPStatus()
}

// Refuse answers with a problem document, for protocols whose clients have no
// shape of their own.
func Refuse(w http.ResponseWriter, f *fault.Error) {
	status := Status(f)
	body, err := json.Marshal(client.Problem{Title: f.Kind.String(), Status: status, Detail: f.Message, Code: f.Code, Hint: f.Hint})
	if err != nil { // strings and an int: cannot happen
		panic(err)
	}
	RefusalHeaders(w.Header(), f)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// RefusalHeaders sets what every refusal tells by header, whatever its shape.
func RefusalHeaders(h http.Header, f *fault.Error) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Reeve-Code", f.Code)
	switch f.Kind {
	case fault.KindUnauthenticated:
		if h.Get("WWW-Authenticate") == "" {
			h.Set("WWW-Authenticate", "Bearer")
		}
	case fault.KindExhausted, fault.KindUnavailable:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", "1")
		}
	}
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
}

// refuse answers a call that a stage ended before its answer began. An
// identified caller's refusal has a record of its own; a stranger's is counted,
// and now and then recorded, so that strangers cannot fill the log that
// decisions need.
func (d *Door) refuse(x *passage, f *fault.Error) {
	if f.Kind == fault.KindInternal {
		d.o.Logger.Error("a call at the door failed", "decision", x.record.ID, "err", f)
	}
	if a := x.Caller.Agent; a != nil && !x.forwarded && Status(f) == http.StatusServiceUnavailable {
		d.concerns.note(f, a.Name, d.o.Now())
	}
	switch {
	case x.recorded:
	case x.identified:
		if err := d.denied(x, f); err != nil {
			f = fault.From(err)
		}
	default:
		d.stranger(x, f)
	}
	if x.forwarded { // the upstream's headers are of an answer that does not pass
		maps.DeleteFunc(x.w.Header(), func(name string, _ []string) bool { return !strings.HasPrefix(name, "X-Reeve-") })
	}
	if f.Code == errFraming.Code {
		x.w.Header().Set("Connection", "close") // where the next request begins is not known
	}
	if text := d.challenge(x, f); text != "" {
		x.w.Header().Set("WWW-Authenticate", text)
	}
	if x.protocol != nil {
		x.protocol.Refuse(x.w, &x.Call, f, x.recordID())
	} else {
		Refuse(x.w, f)
	}
}

func (x *passage) recordID() string {
	if x.recorded {
		return x.record.ID
	}
	return ""
}

// denied records a refusal that came before, or instead of, the proposal.
func (d *Door) denied(x *passage, f *fault.Error) error {
	r := &x.record
	if r.ID == "" {
		_ = d.join(x.Context, x) // its refusal, if any, is f
	}
	x.describe()
	if r.Verdict == activity.VerdictAllow {
		r.Verdict, r.Would, r.Enforced = activity.VerdictDeny, activity.VerdictDeny, true
		r.Reasons = append([]activity.Reason{{Code: f.Code, Text: f.Message}}, r.Reasons...)
	}
	return d.closed(x, f)
}

// closed writes the one record of an action that will never happen.
func (d *Door) closed(x *passage, f *fault.Error) error {
	r := &x.record
	r.Result, r.ErrorCode = activity.ResultDenied, f.Code
	r.Completed = d.o.Now().UnixNano()
	r.LatencyUS = (r.Completed - r.At) / 1000
	// Who asked may be gone; the record is made all the same, and its log bounds
	// the wait.
	return d.write(context.WithoutCancel(x.Context), x)
}

// stranger counts a refusal of somebody who is nobody yet.
func (d *Door) stranger(x *passage, f *fault.Error) {
	d.figures.strangers.Add(1)
	r := &x.record
	// Of all of them, sampled or not: what is counted as let in was let in.
	r.Verdict, r.Would, r.Enforced = activity.VerdictDeny, activity.VerdictDeny, true
	r.Result, r.ErrorCode = activity.ResultDenied, f.Code
	missed, ok := d.strangers.take(x.started)
	if !ok {
		return
	}
	r.ID, r.At, r.Node = d.o.Decisions.NewID(), x.started.UnixNano(), d.o.Node
	x.describe()
	text := f.Message
	if missed > 0 {
		text += "; " + strconv.FormatInt(missed, 10) + " more refusals of strangers since the last that was recorded"
	}
	if r.Agent = x.claimed; r.Agent == "" && x.Request != nil {
		r.Agent = claimed(x.Request)
	}
	r.Reasons = []activity.Reason{{Code: f.Code, Text: text}}
	if err := d.closed(x, f); err != nil {
		d.o.Logger.Debug("a stranger's refusal was not recorded", "err", err) // it is refused all the same
	}
}

// claimed is the name that a stranger gives itself, as far as it can be one.
func claimed(r *http.Request) string {
	name := r.Header.Get("X-Reeve-Agent")
	if len(name) > 64 {
		return ""
	}
	return name
}

// sampler lets one event through a second and counts the others.
type sampler struct {
	mu     sync.Mutex
	last   time.Time
	missed int64
}

func (s *sampler) take(now time.Time) (missed int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < time.Second {
		s.missed++
		return 0, false
	}
	missed, s.missed, s.last = s.missed, 0, now
	return missed, true
}
