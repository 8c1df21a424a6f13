// Package alert keeps what outside systems, and Reeve's own findings, say is
// wrong: one alert a thing, firing or resolved, however often it is told.
//
// What for: monitoring repeats itself, retries, and delivers out of order. Who
// must act wants each thing once, with since when, how often, and whether it is
// over.
//
// Who calls it: intake hands over what receivers read (Take), app what our own
// detectors found; api lists, reads and closes; who groups alerts follows
// Changes by sequence.
//
// Promises: what Take returned nil for is on disk. The same report again
// changes nothing but counts. Reports may come late or in any order: the
// sender's own times decide, and an older word never undoes a newer one. Memory
// and rows are bounded. Concurrent callers share one transaction, so that a
// storm costs few writes. Safe for concurrent use.
//
// How it fails: alert.busy when more waits than is kept in memory, and
// alert.too_many when so many fire that no more are kept: both are refusals of
// the whole delivery, to be sent again. Other faults have codes alert.*.
//
// Start reading at Report and entry.take, which decides; then Book.Take.
package alert

import (
	"crypto/sha256"
	"encoding/base32"
	"sort"
	"strings"
	"time"

	"reeve/internal/fault"
)

// The states of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// The severities, worst first. "" is unknown.
const (
	Critical = "critical"
	Error    = "error"
	Warning  = "warning"
	Info     = "info"
)

// Severities lists them, worst first.
var Severities = []string{Critical, Error, Warning, Info}

// Link leads to where the sender shows more.
type Link struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

// Report is what one delivery says of one alert.
type Report struct {
	Key      string // the sender's own: the same key is the same alert
	State    string
	Severity string
	Title    string
	Text     string
	Labels   map[string]string
	Links    []Link
	At       time.Time // since when this is so, by the sender's clock; zero: unknown, it is so now
	Started  time.Time // of this episode; zero: unknown
	Expires  time.Time // without further word it is over then; zero: never
	Ack      string    // Acked, Unacked, or "" when nothing is said of it
	By, Note string    // who did it there, and what is to be said of it in the history
	Raw      []byte    // the sender's own words
}

// What a report may say of acknowledgement.
const (
	Acked   = "acknowledged"
	Unacked = "unacknowledged"
)

// Sender is who reports.
type Sender struct {
	Source       string // the name of the alert source
	Kind         string
	Team         string
	Environment  string
	ResolveAfter time.Duration // for reports without Expires; 0 is never
}

// Bounds of what is kept of a report.
const (
	maxKey    = 512
	maxTitle  = 500
	maxText   = 8000
	maxLabels = 64
	maxLabel  = 500
	maxLinks  = 10
	maxURL    = 2000
	maxRaw    = 64 << 10
)

// ID is the id of the alert that a source knows by a key.
func ID(source, key string) string {
	sum := sha256.Sum256([]byte("alert\x00" + source + "\x00" + key))
	return "alt_" + strings.ToLower(enc32.EncodeToString(sum[:16]))
}

var enc32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// clip cuts text to n bytes at a rune's end and makes it valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// bound makes a report fit what is kept; a key that is too long is replaced by
// its hash, so that it stays the same alert.
func (r *Report) bound() {
	if len(r.Key) > maxKey {
		sum := sha256.Sum256([]byte(r.Key))
		r.Key = "sha256:" + enc32.EncodeToString(sum[:])
	}
	r.Key = clip(r.Key, maxKey)
	r.Title, r.Text = strings.TrimSpace(clip(r.Title, maxTitle)), clip(r.Text, maxText)
	if r.Title == "" {
		r.Title = clip(r.Key, maxTitle)
	}
	if len(r.Labels) > maxLabels {
		names := make([]string, 0, len(r.Labels))
		for n := range r.Labels {
			names = append(names, n)
		}
		sort.Strings(names)
		kept := make(map[string]string, maxLabels)
		for _, n := range names[:maxLabels] {
			kept[n] = r.Labels[n]
		}
		r.Labels = kept
	}
	for n, v := range r.Labels {
		if short, value := clip(n, maxLabel), clip(v, maxLabel); short != n || value != v {
			delete(r.Labels, n)
			r.Labels[short] = value
		}
	}
	kept := r.Links[:0]
	for _, l := range r.Links {
		// Anything but the web would be a link that acts in the reader's browser.
		if len(kept) < maxLinks && len(l.URL) <= maxURL && (strings.HasPrefix(l.URL, "https://") || strings.HasPrefix(l.URL, "http://")) {
			kept = append(kept, Link{clip(l.Title, maxLabel), clip(l.URL, maxURL)})
		}
	}
	r.Links = kept
}

// Check reports a report that no alert can be made of.
func (r *Report) Check() error {
	switch {
	case r.Key == "":
		return fault.New(fault.KindInvalid, "alert.no_key", "an alert has nothing by which it would be known again").WithHint("send the sender's own key, or a title")
	case r.State != Firing && r.State != Resolved:
		return fault.New(fault.KindInvalid, "alert.state", "an alert is firing or resolved, not %.40q", r.State)
	}
	return nil
}
