// Package alerts reads what monitoring systems send: bytes in, alerts out.
//
// What for: each vendor says firing and resolved in its own words, at its own
// time, under its own key. One file a sender turns that into alert.Report.
//
// Who calls it: intake, once a delivery was proved to be its source's; api to
// show what a pasted example would become.
//
// Promises: pure functions of the request; nothing is kept and nothing waits.
// What a sender adds to its format is ignored; what an alert needs and lacks is
// refused with what was looked for. The work is linear in the body, and a
// mapping's cost is limited.
//
// How it fails: faults of kind invalid with codes alerts.*; they make the whole
// delivery refused, since a part that was taken would be taken again.
//
// Start reading at Receivers, then plain.go for the words that all share.
package alerts

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/fault"
)

// Request is one delivery.
type Request struct {
	Header http.Header
	Query  url.Values
	Path   string // what follows the source's address: "" or "/services/collector/event"
	Body   []byte
	Now    time.Time
	// Mapping is the source's; nil where it has none.
	Mapping *Program
}

// Receiver reads one kind of source.
type Receiver struct {
	Read func(*Request) ([]alert.Report, error)
	// Took is the answer to a delivery that was kept; nil answers 202 and {}.
	Took func(r *Request, reports int) Reply
	// Failed is the answer to one that was not; nil answers with a problem.
	Failed func(status int, err *fault.Error) Reply
}

// Reply is an answer.
type Reply struct {
	Status int
	Type   string // "" is JSON
	Body   string
}

// Receivers are the receivers by the name of their kind.
var Receivers = map[string]Receiver{
	"alertmanager":         {Read: alertmanager, Took: tookAlertmanager},
	"bigpanda":             {Read: bigPanda, Took: tookBigPanda},
	"cloudevents":          {Read: cloudEvents},
	"datadog":              {Read: datadog},
	"grafana":              {Read: grafana},
	"json":                 {Read: anyJSON},
	"pagerduty":            {Read: pagerDuty},
	"sentry":               {Read: sentry},
	"splunk":               {Read: splunk, Took: tookSplunk, Failed: failedSplunk},
	"splunk_observability": {Read: splunkObservability},
}

// maxReports bounds one delivery.
const maxReports = 5000

func malformed(what string, err error) error {
	return fault.New(fault.KindInvalid, "alerts.malformed", "the body is not %s", what).WithCause(err)
}

func missing(what string) error {
	return fault.New(fault.KindInvalid, "alerts.missing", "the body has no %s", what)
}

func tooMany() error {
	return fault.New(fault.KindInvalid, "alerts.too_many", "a delivery has at most %d alerts", maxReports).WithHint("send smaller batches")
}

// decode reads JSON into a struct of what is looked at.
func decode(body []byte, what string, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return malformed(what, err)
	}
	return nil
}

// first is the first that is not empty.
func first(all ...string) string {
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}

// links are the addresses that are there.
func links(pairs ...string) (out []alert.Link) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if url := strings.TrimSpace(pairs[i+1]); url != "" {
			out = append(out, alert.Link{Title: pairs[i], URL: url})
		}
	}
	return out
}

// text is a value that senders write as a string, a number or a bool.
type text string

// UnmarshalJSON takes scalars; anything else is kept as JSON.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case bytes.Equal(b, []byte("null")):
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

// Shape is a report as the API shows it, for who tries a source out.
func Shape(source, kind string, r *alert.Report, now time.Time) client.Alert {
	out := client.Alert{
		ID: alert.ID(source, r.Key), Source: source, Kind: kind, Key: r.Key, State: r.State, Severity: r.Severity, Title: r.Title, Text: r.Text, Labels: r.Labels,
		Acknowledged: r.Ack == alert.Acked, StartedAt: now, FirstSeenAt: now, LastSeenAt: now, StateChangedAt: now, Receptions: 1,
	}
	for _, l := range r.Links {
		out.Links = append(out.Links, client.AlertLink(l))
	}
	if !r.At.IsZero() {
		out.StartedAt = r.At
	}
	if !r.Started.IsZero() {
		out.StartedAt = r.Started
	}
	if r.State == alert.Resolved {
		at := now
		if !r.At.IsZero() {
			at = r.At
		}
		out.ResolvedAt, out.ResolvedBy = &at, "sender"
	} else {
		out.Episodes = 1
		if !r.Expires.IsZero() {
			out.ExpiresAt = &r.Expires
		}
	}
	return out
}
