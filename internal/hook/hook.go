// Package hook knows the outside systems that send alerts and changes, and
// proves that a delivery is theirs.
//
// What for: anybody can post JSON. A source is registered with its kind, the
// team it speaks for, and one or two secrets; what it sends is taken only with a
// signature over its raw bytes, or a token, that one of them made.
//
// Who calls it: intake looks a source up, verifies (Check) and counts; api and
// the command line register, rotate and remove.
//
// Promises: Lookup and Check read memory only. Secrets are compared in constant
// time and every live one is tried. A token is kept as its hash; a signing
// secret is sealed. No secret is read back. A change is durable, audited and in
// force when its call returns. Safe for concurrent use.
//
// How it fails: a wrong or missing proof is the fault hook.forged or
// hook.no_proof, an old one hook.stale; a source that nobody knows fails as a
// forged one does, so that names cannot be guessed.
//
// Start reading at Kinds, then Hook.Check in verify.go and Registry.Put.
package hook

import (
	"crypto/sha256"
	"slices"
	"sync/atomic"
	"time"
	"unicode"

	"reeve/client"
	"reeve/internal/fault"
)

// The purposes of a source.
const (
	Alerts  = "alerts"
	Changes = "changes"
	// Feedback is of senders of what people said.
	Feedback = "feedback"
)

// The ways in which a sender proves itself.
const (
	Signature = "signature" // over the raw body, as its kind makes it
	Token     = "token"     // in a header, or in the URL where that was allowed
)

// Kind is what a source speaks.
type Kind struct {
	Name, Title, Purpose string
	Auth                 []string // what it can; the first is the default
	Theirs               bool     // the sender makes the secret, and shows it once
	ResolveAfter         string   // default, for senders that never say that it is over
	Mapping              bool     // may have one
	Branches             bool     // may have some
	scheme               scheme
}

// Kinds are the senders that are known, by purpose and name.
var Kinds = []Kind{
	{Name: "alertmanager", Title: "Prometheus and Alertmanager", Purpose: Alerts, Auth: []string{Token}},
	{Name: "bigpanda", Title: "BigPanda's Alerts API", Purpose: Alerts, Auth: []string{Token}},
	{Name: "cloudevents", Title: "CloudEvents", Purpose: Alerts, Auth: []string{Token, Signature}, scheme: standardWebhook},
	{Name: "datadog", Title: "Datadog monitors", Purpose: Alerts, Auth: []string{Token}},
	{Name: "grafana", Title: "Grafana", Purpose: Alerts, Auth: []string{Token, Signature}, scheme: grafana},
	{Name: "json", Title: "Any JSON", Purpose: Alerts, Auth: []string{Token, Signature}, scheme: standardWebhook, Mapping: true},
	{Name: "pagerduty", Title: "PagerDuty webhooks v3", Purpose: Alerts, Auth: []string{Signature}, Theirs: true, scheme: pagerDuty},
	{Name: "sentry", Title: "Sentry", Purpose: Alerts, Auth: []string{Signature}, Theirs: true, scheme: sentry},
	{Name: "splunk", Title: "Splunk (HEC and alert webhook)", Purpose: Alerts, Auth: []string{Token}, ResolveAfter: "4h"},
	{Name: "splunk_observability", Title: "Splunk Observability Cloud", Purpose: Alerts, Auth: []string{Signature, Token}, scheme: signalFX},
	{Name: "github", Title: "GitHub webhooks", Purpose: Changes, Auth: []string{Signature}, scheme: gitHub, Branches: true},
	{Name: "gitlab", Title: "GitLab webhooks", Purpose: Changes, Auth: []string{Token}, Branches: true},
	{Name: "feedback", Title: "Feedback in our own form", Purpose: Feedback, Auth: []string{Token, Signature}, scheme: standardWebhook},
	{Name: "pendo", Title: "Pendo agent analytics", Purpose: Feedback, Auth: []string{Token}},
	{Name: "slack", Title: "Slack reactions (Events API)", Purpose: Feedback, Auth: []string{Signature}, Theirs: true, scheme: slack},
	{Name: "openfeature", Title: "OpenFeature flag changes", Purpose: Changes, Auth: []string{Token}},
}

// KindOf finds a kind by its name.
func KindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// Hook is a registered source. What Lookup gives never changes, but for its
// counts.
type Hook struct {
	client.AlertSource // without counts and secrets
	ResolveAfter       time.Duration

	kind    Kind
	secrets []secret
	stats   *stats
}

// secret is one that a sender may use.
type secret struct {
	id      string
	hash    [sha256.Size]byte // of a token
	plain   []byte            // a signing secret; nil for a token, or when it cannot be unsealed
	created time.Time
	expires time.Time     // zero: does not
	used    *atomic.Int64 // µs
}

func (s *secret) live(now time.Time) bool { return s.expires.IsZero() || now.Before(s.expires) }

// stats are counts; they are written down now and then.
type stats struct {
	deliveries, refused, forged, lastAt, refusedAt atomic.Int64
	lastError                                      atomic.Pointer[string]
	dirty                                          atomic.Bool
}

// Took counts a delivery that was kept.
func (h *Hook) Took(now time.Time) {
	h.stats.deliveries.Add(1)
	h.stats.lastAt.Store(now.UnixMicro())
	h.stats.dirty.Store(true)
}

// Refused counts a delivery that was the sender's and could not be taken.
func (h *Hook) Refused(now time.Time, why string) {
	h.stats.refused.Add(1)
	h.failed(now, why)
}

func (h *Hook) failed(now time.Time, why string) {
	if len(why) > 300 {
		why = why[:300]
	}
	h.stats.refusedAt.Store(now.UnixMicro())
	h.stats.lastError.Store(&why)
	h.stats.dirty.Store(true)
}

const (
	maxName   = 80
	maxText   = 500
	maxExpr   = 4000
	minSecret = 16
	maxSecret = 512
	maxHooks  = 1000
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "hook.invalid", format, args...)
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "hook.not_found", "there is no source %.80s", name).WithHint("`reeve alert source list` and `reeve change source list` list them")
}

// GoodName reports a name that stands in paths and on command lines as it is.
func GoodName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '.' || s[0] == '-' {
		return false
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !(unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' || r == '-') {
			return false
		}
	}
	return true
}
