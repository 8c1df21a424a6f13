package client

import (
	"encoding/json"
	"time"
)

// Approval is an action that waits for a person, or did.
type Approval struct {
	ID        string     `json:"id"`
	State     string     `json:"state"` // pending, approved, executing, done, unknown, denied, expired, void, taken
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"` // then it is denied, or, once approved, void
	DecidedAt *time.Time `json:"decided_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Page      string     `json:"page"` // of the console

	// Words says what will happen, in one sentence.
	Words       string   `json:"words"`
	Agent       string   `json:"agent"`
	Version     string   `json:"version,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Team        string   `json:"team"`
	Environment string   `json:"environment"`
	User        string   `json:"user,omitempty"`
	Chain       []string `json:"chain"`
	RunID       string   `json:"run_id"`
	Session     string   `json:"session,omitempty"`
	DecisionID  string   `json:"decision_id"`       // that holds it
	UsedBy      string   `json:"used_by,omitempty"` // the decision under which it was forwarded

	Action       string       `json:"action"`
	Name         string       `json:"name"`
	Resource     string       `json:"resource"`
	Upstream     string       `json:"upstream"`
	Tool         string       `json:"tool,omitempty"`
	Model        string       `json:"model,omitempty"`
	Effect       string       `json:"effect"`
	Pin          string       `json:"pin,omitempty"`
	Classes      []string     `json:"classes"`
	Destinations []string     `json:"destinations"`
	External     bool         `json:"external"`  // data leaves the house
	Forwarded    bool         `json:"forwarded"` // by the door; else the agent does it itself
	Amount       *ShownText   `json:"amount"`    // as the pinned definition says where it stands
	Currency     *ShownText   `json:"currency"`
	Destination  *ShownText   `json:"destination"`
	Recipient    *ShownText   `json:"recipient"`
	AgentWords   *ShownText   `json:"agent_words"` // what the agent says of it: a quote, nothing more
	Reasons      []Reason     `json:"reasons"`
	Statements   []PolicyRef  `json:"statements"` // that hold; it meets exactly these
	Groups       []VoteGroup  `json:"groups"`
	Votes        []Vote       `json:"votes"`
	Asked        int64        `json:"asked"` // calls that asked for it
	Code         string       `json:"code,omitempty"`
	Reason       string       `json:"reason,omitempty"`
	Arguments    *Arguments   `json:"arguments"` // nil without the role reader
	Can          ApprovalCan  `json:"can"`
	Takeover     *Takeover    `json:"takeover"` // of the run, while it lasts
	Similar      []PastAnswer `json:"similar"`  // newest first; of one that is read alone
}

// ShownText is text that somebody hostile may have written, with what hides or
// misleads in it made visible. Text is the pieces put together.
type ShownText struct {
	Text   string  `json:"text"`
	Pieces []Piece `json:"pieces"`
	Bytes  int     `json:"bytes"` // of the whole text
	Cut    bool    `json:"cut"`   // what is shown is its beginning
	Marked int     `json:"marked"`
}

// Piece is a part of a ShownText. Kind is empty for what stands there; else it is
// a mark: control, bidi, invisible, tag, mixed, space, stacked, invalid, bracket,
// cut.
type Piece struct {
	Text string `json:"text"`
	Kind string `json:"kind,omitempty"`
}

// Arguments are what the action is done with. Hash is what a person agrees to.
type Arguments struct {
	Hash   string          `json:"hash"`
	Bytes  int             `json:"bytes"`
	Edited bool            `json:"edited"` // not what the agent asked for
	Fields []ArgumentField `json:"fields"` // of JSON and forms, path and query; empty for other texts
	More   int             `json:"more"`   // fields beyond those that are listed
	Whole  *ShownText      `json:"whole"`  // nil once they are not kept any more
	// Origins say where what the arguments name came from, with its place within
	// each; of what the agent asked for, before an edit.
	Origins []Origin `json:"origins,omitempty"`
}

// ArgumentField is one value of the arguments.
type ArgumentField struct {
	Path   string     `json:"path"` // JSON Pointer, or path:NAME, query:NAME
	Kind   string     `json:"kind"` // text, number, flag, null
	Value  ShownText  `json:"value"`
	Was    *ShownText `json:"was"`              // before it was edited; nil: it was not
	Origin []string   `json:"origin,omitempty"` // where the value comes from: user, model, tool:UPSTREAM/TOOL
}

// VoteGroup is a group of which Count distinct people must agree; the empty name
// is whoever may approve for the agent's team.
type VoteGroup struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Have  int    `json:"have"`
}

// Vote is what a person said.
type Vote struct {
	Person  string    `json:"person"`
	Name    string    `json:"name"`
	Verdict string    `json:"verdict"` // approve, edit, deny, takeover
	Groups  []string  `json:"groups"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Opened  bool      `json:"opened"` // had opened it
	Counts  bool      `json:"counts"` // is about the arguments as they are now
}

// ApprovalCan is what the asker may do. Why says why not.
type ApprovalCan struct {
	Approve  bool   `json:"approve"`
	Edit     bool   `json:"edit"`
	Deny     bool   `json:"deny"`
	TakeOver bool   `json:"take_over"`
	GiveBack bool   `json:"give_back"`
	Unopened bool   `json:"unopened"` // it is too long to be seen at once: open it before you approve
	Why      string `json:"why,omitempty"`
}

// Takeover is a run that a person finishes instead of the agent.
type Takeover struct {
	Approval string    `json:"approval"`
	Person   string    `json:"person"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
}

// PastAnswer is how an action of the same agent on the same resource was answered.
type PastAnswer struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`
	At     time.Time `json:"at"`
	By     []string  `json:"by"`
	Reason string    `json:"reason,omitempty"`
	Same   bool      `json:"same"` // with the same arguments
}

// ListApprovalsRequest filters approvals.
type ListApprovalsRequest struct {
	State    string `query:"state"` // some, with commas; empty: pending; all: every one
	Agent    string `query:"agent"`
	Resource string `query:"resource"`
	Run      string `query:"run"`
	Limit    int    `query:"limit" max:"1000"`
	Cursor   string `query:"cursor"`
}

// ApproveRequest agrees to an approval. Hash is that of the arguments that were
// shown: somebody may have edited them since.
type ApproveRequest struct {
	ID     string `path:"id" json:"-"`
	Hash   string `json:"hash"`
	Reason string `json:"reason,omitempty"`
}

// ApprovalReasonRequest says why.
type ApprovalReasonRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `json:"reason,omitempty"`
}

// EditApprovalRequest agrees to an action with other arguments, which are decided
// on again: values by JSON Pointer, or the whole text.
type EditApprovalRequest struct {
	ID     string         `path:"id" json:"-"`
	Hash   string         `json:"hash"`
	Edits  []ArgumentEdit `json:"edits,omitempty"`
	Whole  *string        `json:"whole,omitempty"`
	Reason string         `json:"reason,omitempty"`
}

// ArgumentEdit replaces the value at a JSON Pointer; nothing else changes by a
// byte.
type ArgumentEdit struct {
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// TakeOverRequest ends an approval by a person who acts instead. Answer is what
// the agent gets as the result; without one its call is refused. Further calls of
// the run are held until it is given back, unless LetGoOn.
type TakeOverRequest struct {
	ID      string      `path:"id" json:"-"`
	Answer  *HandAnswer `json:"answer,omitempty"`
	LetGoOn bool        `json:"let_go_on,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

// HandAnswer is a result that a person gives.
type HandAnswer struct {
	Status      int    `json:"status,omitempty"`       // 0 is 200
	ContentType string `json:"content_type,omitempty"` // empty: application/json where it is JSON, else text
	Body        string `json:"body"`
}

// ApprovalIndicators say how approvals are answered, over a period.
type ApprovalIndicators struct {
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	Asked      int64          `json:"asked"`
	Answered   int64          `json:"answered"`
	Pending    int64          `json:"pending"` // now
	States     map[string]int `json:"states"`  // of those asked in the period
	AnswerP50  *float64       `json:"answer_p50_s"`
	AnswerP95  *float64       `json:"answer_p95_s"`
	Unopened   *float64       `json:"unopened_share"` // approved without having been opened; nil: none was approved
	Approvers  []ApproverLoad `json:"approvers"`      // the most answers first
	Incomplete bool           `json:"incomplete"`     // more were asked than are counted
}

// ApproverLoad is what one person answered.
type ApproverLoad struct {
	Name     string   `json:"name"`
	Answers  int      `json:"answers"`
	Approved int      `json:"approved"`
	Denied   int      `json:"denied"`
	Unopened int      `json:"unopened"`
	PerDay   float64  `json:"per_day"`
	P50      *float64 `json:"p50_s"` // from question to answer
}

// ApprovalIndicatorsRequest asks for a period; empty is the last seven days.
type ApprovalIndicatorsRequest struct {
	From string `query:"from"`
	To   string `query:"to"`
	Team string `query:"team"`
}
