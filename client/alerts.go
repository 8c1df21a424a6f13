package client

import (
	"encoding/json"
	"time"
)

// Alert is what an outside system, or Reeve itself, says is wrong: all its
// deliveries about the same thing are one alert, firing or resolved.
type Alert struct {
	ID             string            `json:"id"`
	Source         string            `json:"source"` // the alert source's name
	Kind           string            `json:"kind"`   // of the source: alertmanager, pagerduty...
	Key            string            `json:"key"`    // the sender's own, by which deliveries are one alert
	State          string            `json:"state"`  // firing, resolved
	Acknowledged   bool              `json:"acknowledged"`
	Severity       string            `json:"severity"` // critical, error, warning, info; "" unknown
	Title          string            `json:"title"`
	Text           string            `json:"text,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	Links          []AlertLink       `json:"links,omitempty"`
	Agent          string            `json:"agent,omitempty"`
	AgentReason    string            `json:"agent_reason,omitempty"` // which label named it
	Team           string            `json:"team,omitempty"`
	Environment    string            `json:"environment,omitempty"`
	StartedAt      time.Time         `json:"started_at"` // of this episode, by the sender's clock
	ResolvedAt     *time.Time        `json:"resolved_at"`
	ResolvedBy     string            `json:"resolved_by,omitempty"` // sender, silence (no further word), or a person
	ExpiresAt      *time.Time        `json:"expires_at"`            // resolved then without further word; nil: never
	FirstSeenAt    time.Time         `json:"first_seen_at"`
	LastSeenAt     time.Time         `json:"last_seen_at"`
	StateChangedAt time.Time         `json:"state_changed_at"`
	Receptions     int64             `json:"receptions"` // deliveries that spoke of it
	Late           int64             `json:"late"`       // of them, that came after newer word and changed nothing
	Episodes       int64             `json:"episodes"`   // times it began to fire
}

// AlertLink leads to where the sender shows more.
type AlertLink struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

// AlertDetail is an alert with its history and what its sender last sent.
type AlertDetail struct {
	Alert
	History []AlertEvent `json:"history"` // newest first
	// Raw is the sender's own words as they came, cut at 64 kB; null for those
	// who may not read content.
	Raw      *string `json:"raw"`
	RawBytes int64   `json:"raw_bytes"`
	Incident string  `json:"incident,omitempty"` // that it is part of; "" none, or none that the asker may see
}

// AlertEvent is a change of an alert.
type AlertEvent struct {
	Seq        int64     `json:"seq"` // over all alerts, in the order of commits
	AlertID    string    `json:"alert_id"`
	Kind       string    `json:"kind"` // fired, refired, changed, acknowledged, unacknowledged, resolved, silent, closed
	At         time.Time `json:"at"`   // by the sender's clock
	ReceivedAt time.Time `json:"received_at"`
	Severity   string    `json:"severity,omitempty"`
	By         string    `json:"by,omitempty"`
	Text       string    `json:"text,omitempty"`
}

// ListAlertsRequest filters alerts. Firing ones come first, then the last
// changed.
type ListAlertsRequest struct {
	State       string `query:"state"`    // firing, resolved; "" both
	Severity    string `query:"severity"` // several are joined by commas
	Source      string `query:"source"`
	Agent       string `query:"agent"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Q           string `query:"q"`    // a part of the title, the text, the key or a label
	From        string `query:"from"` // last seen since
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// AlertRequest names an alert.
type AlertRequest struct {
	ID string `path:"id"`
}

// CloseAlertRequest closes an alert by hand.
type CloseAlertRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}

// AlertSource is a registered sender of alerts or of changes.
type AlertSource struct {
	Name         string        `json:"name"`
	Purpose      string        `json:"purpose"` // alerts, changes, feedback
	Kind         string        `json:"kind"`
	Description  string        `json:"description,omitempty"`
	Team         string        `json:"team,omitempty"`
	Environment  string        `json:"environment,omitempty"`
	Auth         string        `json:"auth"`      // signature, token
	URLToken     bool          `json:"url_token"` // the token may stand in the URL, for senders that cannot set a header
	ResolveAfter string        `json:"resolve_after,omitempty"`
	Branches     []string      `json:"branches,omitempty"` // whose pushes are changes, as patterns; none is the default branch
	Mapping      *AlertMapping `json:"mapping,omitempty"`
	Registered   bool          `json:"registered"` // false: it made itself known with an intake key
	Revision     int64         `json:"revision"`

	Path        string       `json:"path"` // where it sends to, below the server's address
	Secrets     []HookSecret `json:"secrets"`
	Deliveries  int64        `json:"deliveries"`
	Refused     int64        `json:"refused"` // could not be read
	Forged      int64        `json:"forged"`  // wrong signature or token
	LastAt      *time.Time   `json:"last_at"`
	LastRefused *time.Time   `json:"last_refused_at"`
	LastError   string       `json:"last_error,omitempty"`
	CreatedAt   time.Time    `json:"created_at"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// HookSecret is one of the secrets of a source, never its text.
type HookSecret struct {
	ID        string     `json:"id"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // set on the older one by a rotation
	UsedAt    *time.Time `json:"used_at"`
}

// AlertMapping says in CEL what any JSON means. Each field is an expression over
// body (the request's JSON), headers (lower-case names) and received (a time);
// where each is given, the others are asked once for each of its elements, as
// item.
type AlertMapping struct {
	Each     string `json:"each,omitempty"`
	When     string `json:"when,omitempty"` // false: it is no alert
	Key      string `json:"key,omitempty"`
	Status   string `json:"status,omitempty"`
	Severity string `json:"severity,omitempty"`
	Title    string `json:"title,omitempty"`
	Text     string `json:"text,omitempty"`
	At       string `json:"at,omitempty"`
	Labels   string `json:"labels,omitempty"`
	URL      string `json:"url,omitempty"`
}

// PutAlertSourceRequest makes or changes a source.
type PutAlertSourceRequest struct {
	Name         string        `json:"-" path:"name"`
	Purpose      string        `json:"purpose,omitempty"`
	Kind         string        `json:"kind,omitempty"`
	Description  string        `json:"description,omitempty"`
	Team         string        `json:"team,omitempty"`
	Environment  string        `json:"environment,omitempty"`
	Auth         string        `json:"auth,omitempty"`
	URLToken     bool          `json:"url_token,omitempty"`
	ResolveAfter string        `json:"resolve_after,omitempty"`
	Branches     []string      `json:"branches,omitempty"`
	Mapping      *AlertMapping `json:"mapping,omitempty"`
	// Secret is the one that the sender made (PagerDuty, Sentry); without one a
	// new source gets one from Reeve, which is answered once.
	Secret   string `json:"secret,omitempty"`
	Revision int64  `json:"revision,omitempty"`
}

// AlertSourceWithSecret is a source and a secret that is shown once; it is ""
// when the sender made it.
type AlertSourceWithSecret struct {
	AlertSource
	Secret string `json:"secret,omitempty"`
}

// AlertSourceRequest names a source.
type AlertSourceRequest struct {
	Name string `path:"name"`
}

// ListAlertSourcesRequest filters sources.
type ListAlertSourcesRequest struct {
	Purpose string `query:"purpose"` // alerts, changes, feedback; "" all
}

// RotateAlertSourceRequest gives a source a new secret; the old one is taken
// until Keep has passed.
type RotateAlertSourceRequest struct {
	Name   string `json:"-" path:"name"`
	Secret string `json:"secret,omitempty"`
	Keep   string `json:"keep,omitempty"` // a duration; "" is 24h, "0s" ends the old one at once
}

// TryAlertSourceRequest asks what a delivery would become; nothing is kept.
type TryAlertSourceRequest struct {
	Kind    string            `json:"kind"`
	Mapping *AlertMapping     `json:"mapping,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body"`
}

// TriedAlerts is what a delivery would become.
type TriedAlerts struct {
	Alerts   []Alert          `json:"alerts"`
	Changes  []Change         `json:"changes,omitempty"`
	Problems []MappingProblem `json:"problems,omitempty"`
}

// MappingProblem is what is wrong with a field of a mapping, or with the body.
type MappingProblem struct {
	Field   string `json:"field,omitempty"` // "" the body
	Message string `json:"message"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// Change is something that was changed and may show in how agents behave.
type Change struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"` // deployment, release, push, prompt, model, policy, configuration, flag, agent, tool, upstream, budget
	Title       string            `json:"title"`
	Text        string            `json:"text,omitempty"`
	Status      string            `json:"status,omitempty"` // of a deployment: pending, running, succeeded, failed, inactive
	Agent       string            `json:"agent,omitempty"`
	AgentReason string            `json:"agent_reason,omitempty"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Version     string            `json:"version,omitempty"`
	By          string            `json:"by,omitempty"`
	URL         string            `json:"url,omitempty"`
	Source      string            `json:"source"` // reeve, api, or a source's name
	Key         string            `json:"key"`
	Before      json.RawMessage   `json:"before,omitempty"`
	After       json.RawMessage   `json:"after,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	At          time.Time         `json:"at"`
	EndedAt     *time.Time        `json:"ended_at,omitempty"` // of a deployment that took time
	ReceivedAt  time.Time         `json:"received_at"`
}

// CreateChangeRequest reports a change. The same key again updates it.
type CreateChangeRequest struct {
	Kind        string            `json:"kind"`
	Title       string            `json:"title"`
	Text        string            `json:"text,omitempty"`
	Status      string            `json:"status,omitempty"`
	Agent       string            `json:"agent,omitempty"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Version     string            `json:"version,omitempty"`
	By          string            `json:"by,omitempty"`
	URL         string            `json:"url,omitempty"`
	Key         string            `json:"key,omitempty"` // of the sender: the same again is the same change
	Before      json.RawMessage   `json:"before,omitempty"`
	After       json.RawMessage   `json:"after,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	At          *time.Time        `json:"at,omitempty"` // nil: now
}

// ListChangesRequest filters changes, the newest first.
type ListChangesRequest struct {
	Agent       string `query:"agent"` // its own, and those that are about no agent
	Only        bool   `query:"only"`  // with agent: its own alone
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Kind        string `query:"kind"` // several are joined by commas
	Source      string `query:"source"`
	Q           string `query:"q"`
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// ChangeRequest names a change.
type ChangeRequest struct {
	ID string `path:"id"`
}
