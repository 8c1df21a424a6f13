package client

import "time"

// RelayDestination is an OTLP back end that what arrives is forwarded to.
// Filters that are empty let everything pass.
type RelayDestination struct {
	Name         string            `json:"name"`
	URL          string            `json:"url"`      // HTTP: the address below which /v1/traces and the others are; gRPC: host and port
	Protocol     string            `json:"protocol"` // http/protobuf (the default) or grpc
	Signals      []string          `json:"signals"`  // traces, logs, metrics
	Agents       []string          `json:"agents,omitempty"`
	Teams        []string          `json:"teams,omitempty"` // of the sender's key
	Environments []string          `json:"environments,omitempty"`
	Dialects     []string          `json:"dialects,omitempty"` // of spans; logs and metrics pass
	Redact       []string          `json:"redact,omitempty"`   // classes of content that are cut out, beside what content rules say
	Headers      map[string]string `json:"headers,omitempty"`
	Credential   *Credential       `json:"credential,omitempty"`  // by reference: env, file or vault
	Compression  string            `json:"compression,omitempty"` // gzip (the default) or none
	AllowPrivate bool              `json:"allow_private,omitempty"`
	TimeoutMS    int64             `json:"timeout_ms,omitempty"` // of one request; 0 is 10 s
	Paused       bool              `json:"paused"`
	Configured   bool              `json:"configured"` // by the configuration file: nobody changes it here
	Revision     int64             `json:"revision"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	Status       RelayStatus       `json:"status"`
}

// RelayStatus is how a destination does. Counts are since it was made.
type RelayStatus struct {
	State        string     `json:"state"`       // sending, idle, failing, paused
	Sent         int64      `json:"sent"`        // records that it took
	Filtered     int64      `json:"filtered"`    // records that its filters left out
	Rejected     int64      `json:"rejected"`    // records that it said it cannot take: they are not sent again
	Lost         int64      `json:"lost"`        // batches that the queue dropped, being full, before they were sent
	Waiting      int64      `json:"waiting"`     // batches in the queue that it does not have yet
	LagSeconds   float64    `json:"lag_seconds"` // age of the oldest of them
	LastSentAt   *time.Time `json:"last_sent_at"`
	FailingSince *time.Time `json:"failing_since"` // nil: it works
	NextTryAt    *time.Time `json:"next_try_at"`
	Error        string     `json:"error,omitempty"`
	LastRejected string     `json:"last_rejected,omitempty"` // what it said about records that it did not take
}

// RelayRequest names a destination.
type RelayRequest struct {
	Name string `path:"name"`
}

// PutRelayRequest makes a destination (revision 0) or replaces the one that was
// read at that revision. A new one begins with what arrives from now on.
type PutRelayRequest struct {
	Name         string            `path:"name" json:"-"`
	URL          string            `json:"url"`
	Protocol     string            `json:"protocol,omitempty"`
	Signals      []string          `json:"signals,omitempty"`
	Agents       []string          `json:"agents,omitempty"`
	Teams        []string          `json:"teams,omitempty"`
	Environments []string          `json:"environments,omitempty"`
	Dialects     []string          `json:"dialects,omitempty"`
	Redact       []string          `json:"redact,omitempty"`
	Headers      map[string]string `json:"headers,omitempty"`
	Credential   *Credential       `json:"credential,omitempty"`
	Compression  string            `json:"compression,omitempty"`
	AllowPrivate bool              `json:"allow_private,omitempty"`
	TimeoutMS    int64             `json:"timeout_ms,omitempty"`
	Paused       bool              `json:"paused,omitempty"`
	Revision     int64             `json:"revision,omitempty"`
}

// RelayTest is how one span of ours was taken by a destination.
type RelayTest struct {
	OK      bool   `json:"ok"`
	TookMS  int64  `json:"took_ms"`
	TraceID string `json:"trace_id"` // by which it is found there
	Error   string `json:"error,omitempty"`
	Hint    string `json:"hint,omitempty"`
}
