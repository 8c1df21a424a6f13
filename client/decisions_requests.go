package client

import "time"

// ListDecisionsRequest filters decisions, newest first. Values separated by
// commas are alternatives; unknown asks for absence.
type ListDecisionsRequest struct {
	Agent    string `query:"agent"`
	Verdict  string `query:"verdict"`
	Would    string `query:"would"`    // what enforcing would have given
	Enforced string `query:"enforced"` // true, false
	Action   string `query:"action"`
	Tool     string `query:"tool"`
	Upstream string `query:"upstream"`
	Code     string `query:"code"` // of one of its reasons
	Result   string `query:"result"`
	Run      string `query:"run"`
	Session  string `query:"session"`
	User     string `query:"user"` // a name (readers only) or a pseudonym, usr_...
	Team     string `query:"team"`
	Query    string `query:"q"` // the search language over decisions
	From     string `query:"from"`
	To       string `query:"to"`
	Limit    int    `query:"limit" max:"1000"`
	Cursor   string `query:"cursor"`
}

// ListRunDecisionsRequest asks for the decisions of a run, newest first.
type ListRunDecisionsRequest struct {
	ID     string `path:"id" json:"-"`
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// DecisionsRecorded is the event decision.recorded: how many decisions of a
// team's agents in an environment were recorded since the last one. IDs are
// some of them, those that were not allowed first.
type DecisionsRecorded struct {
	Team        string   `json:"team"`
	Environment string   `json:"environment"`
	Count       int      `json:"count"`
	Denied      int      `json:"denied"`
	Held        int      `json:"held"`
	WouldDeny   int      `json:"would_deny"` // allowed because nothing is enforced
	IDs         []string `json:"ids"`
	Runs        []string `json:"runs"`
	Agents      []string `json:"agents"`
}

// DecisionReceipt proves that records are in a log, to whoever has the public key.
// `reeve audit receipt verify` checks it without a server.
type DecisionReceipt struct {
	V          int              `json:"v"`
	Checkpoint string           `json:"checkpoint"` // signed note: log, size, root
	Records    []ReceiptRecord  `json:"records"`
	Contents   []ReceiptContent `json:"contents,omitempty"` // for readers
}

// ReceiptRecord is a record verbatim, and the hashes from it to the root.
type ReceiptRecord struct {
	Seq    int64    `json:"seq"`
	Record string   `json:"record"`
	Proof  []string `json:"proof"`
}

// ReceiptContent opens a commitment of a record.
type ReceiptContent struct {
	Seq     int64  `json:"seq"`
	Field   string `json:"field"`
	Key     string `json:"key"`
	Content string `json:"content"`
}

// AuditKey is a public key that signs checkpoints of the audit log.
type AuditKey struct {
	Key       string     `json:"key"` // name+hash+base64, a signed note's verifier key
	AddedAt   time.Time  `json:"added_at"`
	RetiresAt *time.Time `json:"retires_at"`        // nil: it has no successor
	RetiredAt *time.Time `json:"retired_at"`        // nil: it signs
	Vouched   string     `json:"vouched,omitempty"` // note by which the key before names this one
}

// AuditCheckpoint is the newest signed state of a log.
type AuditCheckpoint struct {
	Log        string `json:"log"`
	Size       int64  `json:"size"`
	Checkpoint string `json:"checkpoint"`
}

// AuditReport is what verifying a log found.
type AuditReport struct {
	Log         string      `json:"log"`
	What        string      `json:"what"` // decisions, changes
	Records     int64       `json:"records"`
	First       int64       `json:"first"` // those before fell to retention; their hashes are verified
	Last        int64       `json:"last"`  // -1 for none
	LastLeaf    string      `json:"last_leaf"`
	Erased      int64       `json:"erased"`       // records whose content was erased
	Open        int64       `json:"open"`         // decisions that are not completed
	Agreed      int64       `json:"agreed"`       // records under the largest checkpoint that agrees
	Witnessed   int64       `json:"witnessed"`    // of them under one that a witness kept; later ones could be missing unseen
	WitnessFile bool        `json:"witness_file"` // checkpoints reach the file now
	WitnessURL  bool        `json:"witness_url"`
	Break       *AuditBreak `json:"break"` // nil: the log holds
}

// AuditBreak is where a log does not hold.
type AuditBreak struct {
	Seq    int64  `json:"seq"`
	Reason string `json:"reason"`
}

// AuditVerification is the reports of all logs.
type AuditVerification struct {
	OK    bool          `json:"ok"`
	Items []AuditReport `json:"items"`
}

// RotateAuditKeyRequest makes a new key for checkpoints.
type RotateAuditKeyRequest struct {
	Reason string `json:"reason"`
}

// EraseUserRequest erases what the log of decisions knows of a user.
type EraseUserRequest struct {
	User   string `json:"user"` // the name
	Reason string `json:"reason"`
}

// ErasedUser is what was erased.
type ErasedUser struct {
	Pseudonyms []string        `json:"pseudonyms"`
	Records    int             `json:"records"`
	Cases      int64           `json:"cases"`   // of that user, taken out of data sets
	Exports    []DatasetExport `json:"exports"` // that had any of them: whoever has those is to be told
}

// SIEMTarget is where records stream to.
type SIEMTarget struct {
	Name         string           `json:"name"`
	Kind         string           `json:"kind"`
	Where        string           `json:"where"`
	Sent         int64            `json:"sent"`    // since the start
	Cursors      map[string]int64 `json:"cursors"` // by log: the next record
	Behind       map[string]int64 `json:"behind"`  // by log: records that it does not have
	LastSentAt   *time.Time       `json:"last_sent_at"`
	FailingSince *time.Time       `json:"failing_since"` // nil: it works
	Error        string           `json:"error,omitempty"`
}
