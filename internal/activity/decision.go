package activity

// Verdict is what was decided of a proposed action.
type Verdict uint8

// The verdicts, strictest last, so that the stricter of two is the larger.
const (
	VerdictAllow Verdict = iota
	VerdictHold          // waits for a person
	VerdictDeny
)

var verdictNames = [...]string{"allow", "hold", "deny"}

// String is the verdict's stable name; an unknown one is a denial.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "deny"
}

// ParseVerdict finds a verdict by its name; ok is false for an unknown one,
// which is VerdictDeny.
func ParseVerdict(s string) (v Verdict, ok bool) {
	for i, n := range verdictNames {
		if n == s {
			return Verdict(i), true
		}
	}
	return VerdictDeny, false
}

// Result is how the decided action went on.
type Result uint8

// The results. A decision is pending from its proposal to its completion.
const (
	ResultPending Result = iota
	ResultOK
	ResultError   // the upstream answered with an error, or could not be reached
	ResultDenied  // never forwarded
	ResultCut     // ended by a stop, or by the agent that went away
	ResultTimeout // the upstream took longer than it may
	ResultUnknown // forwarded, and how it ended was lost in a crash
	ResultHeld    // handed to people: its approval says how it went on, under a decision of its own
)

var resultNames = [...]string{"pending", "ok", "error", "denied", "cut", "timeout", "unknown", "held"}

// String is the result's stable name.
func (r Result) String() string {
	if int(r) < len(resultNames) {
		return resultNames[r]
	}
	return "unknown"
}

// ParseResult finds a result by its name; ok is false for an unknown one.
func ParseResult(s string) (r Result, ok bool) {
	for i, n := range resultNames {
		if n == s {
			return Result(i), true
		}
	}
	return ResultUnknown, false
}

// Reason says why a decision is what it is: a stable dotted code
// ("floor.quarantined", "policy.no_permit", "policy.forbid",
// "budget.exceeded", "limit.rate", "content.secret", "stop.agent") and words
// for people.
type Reason struct{ Code, Text string }

// PolicyRef names a statement that took part in a decision: the policy's name,
// the statement's @id and the SHA-256 of its text in hex.
type PolicyRef struct{ Policy, Statement, Hash string }

// Reserve is what a decision held back in a budget before its call. Key, Count
// and Since say in which account, so that a restart finds it by the record
// alone.
type Reserve struct {
	Budget string // the budget's name
	Key    string // whose share of it: the agent, user, task or team
	Count  int64  // the budget's revision at which its counting began anew
	Since  int64  // ns, the beginning of the period; 0 for one that never ends
	Unit   string // tokens, money (nano-units of its currency) or calls
	Amount int64
	Spent  int64 // what it came to; Unknown until completion
}

// Decision is the record of one proposed action: what was asked, by whom, for
// whom, what was decided and why, and how it ended. It is proposed (durable
// before the call is forwarded) and completed once.
type Decision struct {
	ID        string // dec_..., minted by the door, sorts by time
	At        int64  // ns, when it was proposed
	Completed int64  // ns; Unknown while pending
	Node      string

	Agent        string // registered name, or the claimed one with Registered false
	Registered   bool
	Instance     string
	Version      string
	Team         string
	Environment  string
	Lifecycle    string
	Autonomy     string
	Containment  string
	Credential   string   // kind: x509_svid, jwt_svid, access_token, foreign_token, agent_key, team_token, dev; "" for none
	CredentialID string   // key id, jti or serial; never a secret
	Bound        bool     // the credential is tied to a key that its holder proved
	Chain        []string // agents it acts for, nearest first
	User         string   // whom it acts for, as a pseudonym; "" for nobody

	Action   string // call_tool, call_model, call_api, send_task, read_source, ask_model, ask_user
	Resource string // "upstream/gpt-4o", "orders.refund", "upstream GET /v1/users/{id}"
	Upstream string
	Tool     string
	Model    string
	Effect   string // think, read, write, destructive
	Pin      string

	ArgumentsHash  string // keyed commitment (base64url); "" for none
	ArgumentsBytes int64

	Verdict       Verdict // in force
	Would         Verdict // what enforcing would have given; differs only when Enforced is false
	Enforced      bool
	Floor         Verdict // the floor's own answer
	Reasons       []Reason
	Policies      []PolicyRef
	PolicyVersion int64
	Context       []byte   // the Cedar request {principal, action, resource, context, entities} as JSON, redacted; may be nil
	Redacted      []string // classes redacted before forwarding

	Run      RunID
	Step     StepID
	Trace    TraceID
	Span     SpanID
	Session  string
	Approval string
	Reserved []Reserve

	Result     Result
	Status     int32  // of the upstream's answer; 0 none
	ErrorCode  string // ours, "" when the call went well
	LatencyUS  int64  // whole time at the door; Unknown while pending
	UpstreamUS int64  // of it, waiting for the upstream; Unknown while pending
	DecideUS   int64  // of it, ours before forwarding
	BytesIn    int64
	BytesOut   int64
	Usage      Usage
	Cost       Cost
	Seq        int64  // of its record in the log of decisions; Unknown until it is read from there
	EndSeq     int64  // of the record of its completion; Unknown while pending
	LocalTool  bool   // proposed by a model's answer for a tool inside the agent's process
	Parent     string // the decision whose answer proposed this one
}

// Origin is where something that a call's arguments name came from.
type Origin struct {
	Path     string `json:"path"`            // JSON Pointer of the argument, "*" for any element; path:NAME, query:NAME
	Index    int    `json:"index,omitempty"` // among several values at that path
	From     int    `json:"from"`            // its bytes within the argument's text
	To       int    `json:"to"`
	Kind     string `json:"kind"`               // url, host, email, account, phone, path, id, name
	Entity   string `json:"entity"`             // in its normal form; in a decision's record people and accounts are masked
	Source   string `json:"source"`             // user, system, tool, model (nobody before it); unknown: what was heard earlier is lost
	Tool     string `json:"tool,omitempty"`     // whose result it stood in first
	Step     string `json:"step,omitempty"`     // in which it was heard first
	First    bool   `json:"first,omitempty"`    // this agent never sent anything there
	Injected bool   `json:"injected,omitempty"` // a destination that a tool's result gave, and nobody else
}
