package client

import "time"

// Poller is a system that Reeve asks for records of agents that nobody can
// instrument. What it says becomes runs, as if an SDK had sent them.
type Poller struct {
	Name         string      `json:"name"`
	Kind         string      `json:"kind"` // copilot_studio, bedrock_s3 or bedrock_cloudwatch
	URL          string      `json:"url"`  // copilot_studio: the environment's; bedrock_s3: the bucket's; bedrock_cloudwatch: the service's in a region
	Team         string      `json:"team"` // whose the runs are
	Environment  string      `json:"environment,omitempty"`
	Agent        string      `json:"agent,omitempty"`      // "": as the records say
	Credential   *Credential `json:"credential,omitempty"` // by reference: env, file or vault
	TokenURL     string      `json:"token_url,omitempty"`  // copilot_studio: where the credential (basic: client id and secret) is changed for a token
	Scope        string      `json:"scope,omitempty"`      // of that token; "" is URL/.default
	Prefix       string      `json:"prefix,omitempty"`     // bedrock_s3: of the keys, up to the region
	LogGroup     string      `json:"log_group,omitempty"`  // bedrock_cloudwatch
	Filter       string      `json:"filter,omitempty"`     // copilot_studio: a further OData filter, such as one agent's
	From         *time.Time  `json:"from,omitempty"`       // where the first poll begins; nil is a day before it was made
	EverySeconds int64       `json:"every_seconds"`        // 0 is 300
	LateSeconds  int64       `json:"late_seconds"`         // how much is read again for records that come late; 0 is two hours
	AllowPrivate bool        `json:"allow_private,omitempty"`
	Paused       bool        `json:"paused"`
	Revision     int64       `json:"revision"`
	CreatedAt    time.Time   `json:"created_at"`
	UpdatedAt    time.Time   `json:"updated_at"`

	Status PollerStatus `json:"status"`
}

// PollerStatus is how a poller does. Counts are since it was made.
type PollerStatus struct {
	State        string     `json:"state"`       // waiting, reading, failing, paused
	Records      int64      `json:"records"`     // that were read: conversations, calls
	Steps        int64      `json:"steps"`       // that they became
	Rejected     int64      `json:"rejected"`    // records that cannot be read
	LagSeconds   *float64   `json:"lag_seconds"` // since all that was there had been read; nil: that was never so
	LastPollAt   *time.Time `json:"last_poll_at"`
	LastRecordAt *time.Time `json:"last_record_at"` // the newest record's own time
	Through      *time.Time `json:"through"`        // records up to here were read, but for late ones
	FailingSince *time.Time `json:"failing_since"`  // nil: it works
	NextPollAt   *time.Time `json:"next_poll_at"`
	Error        string     `json:"error,omitempty"`
	Hint         string     `json:"hint,omitempty"`
	LastRejected string     `json:"last_rejected,omitempty"` // why a record could not be read
}

// PollerRequest names a poller.
type PollerRequest struct {
	Name string `path:"name"`
}

// PutPollerRequest makes a poller (revision 0) or replaces the one that was read
// at that revision; what was read stays read.
type PutPollerRequest struct {
	Name         string      `path:"name" json:"-"`
	Kind         string      `json:"kind"`
	URL          string      `json:"url"`
	Team         string      `json:"team"`
	Environment  string      `json:"environment,omitempty"`
	Agent        string      `json:"agent,omitempty"`
	Credential   *Credential `json:"credential,omitempty"`
	TokenURL     string      `json:"token_url,omitempty"`
	Scope        string      `json:"scope,omitempty"`
	Prefix       string      `json:"prefix,omitempty"`
	LogGroup     string      `json:"log_group,omitempty"`
	Filter       string      `json:"filter,omitempty"`
	From         *time.Time  `json:"from,omitempty"`
	EverySeconds int64       `json:"every_seconds,omitempty"`
	LateSeconds  int64       `json:"late_seconds,omitempty"`
	AllowPrivate bool        `json:"allow_private,omitempty"`
	Paused       bool        `json:"paused,omitempty"`
	Revision     int64       `json:"revision,omitempty"`
}

// PollerTest is what a poller's system answered to a first question. Nothing of
// it is kept.
type PollerTest struct {
	OK      bool   `json:"ok"`
	TookMS  int64  `json:"took_ms"`
	Records int64  `json:"records"` // on the first page
	Error   string `json:"error,omitempty"`
	Hint    string `json:"hint,omitempty"`
}
