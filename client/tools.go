package client

import (
	"encoding/json"
	"time"
)

// Tool is a tool of an MCP server as the server listed it last and as people
// accepted it. One whose state is not accepted waits for a person.
type Tool struct {
	Upstream    string        `json:"upstream"`
	Name        string        `json:"name"`
	Alias       string        `json:"alias"` // its name at /mcp
	Title       string        `json:"title,omitempty"`
	Description string        `json:"description"`
	State       string        `json:"state"`              // accepted, held
	Reason      string        `json:"reason,omitempty"`   // why it is held
	Findings    []ToolFinding `json:"findings"`           // each reason
	Listed      string        `json:"listed"`             // hash of the definition that the server listed last
	Accepted    string        `json:"accepted,omitempty"` // hash of the one that a person accepted
	Effect      string        `json:"effect"`             // think, read, write, destructive; unknown counts as destructive
	Classes     []string      `json:"classes"`
	Paths       ToolPaths     `json:"paths"`
	Vouches     bool          `json:"vouches"` // what its results name may be sent to
	FirstSeen   time.Time     `json:"first_seen"`
	ChangedAt   time.Time     `json:"changed_at"`
	AcceptedAt  *time.Time    `json:"accepted_at"`
	AcceptedBy  string        `json:"accepted_by,omitempty"` // a person's name, or first_use
	Revision    int64         `json:"revision"`
}

// ToolPaths are where in a tool's arguments something stands, as JSON Pointers
// with * for any element of an array.
type ToolPaths struct {
	Destination []string `json:"destination,omitempty"`
	Recipient   []string `json:"recipient,omitempty"`
	Amount      []string `json:"amount,omitempty"`
}

// ToolFinding is a reason why a tool is or was held.
type ToolFinding struct {
	ID         int64      `json:"id,omitempty"`
	Upstream   string     `json:"upstream,omitempty"`
	Tool       string     `json:"tool,omitempty"`
	Code       string     `json:"code"`    // new, changed, back, shadows, reserved, mentions, duplicate, hidden_text, instructions, unreadable, moved, by_person
	Serious    bool       `json:"serious"` // accepting the tool takes naming it
	Text       string     `json:"text"`
	Detail     string     `json:"detail,omitempty"`
	Hash       string     `json:"hash,omitempty"`
	At         time.Time  `json:"at"`
	ClosedAt   *time.Time `json:"closed_at,omitempty"`
	Resolution string     `json:"resolution,omitempty"` // accepted, superseded, forgotten
}

// ToolVersion is a definition that a server listed once.
type ToolVersion struct {
	Hash       string          `json:"hash"`
	Definition json.RawMessage `json:"definition"`
	FirstSeen  time.Time       `json:"first_seen"`
	LastSeen   time.Time       `json:"last_seen"`
	AcceptedAt *time.Time      `json:"accepted_at"`
	AcceptedBy string          `json:"accepted_by,omitempty"`
}

// ToolDetail is a tool with what it was and what changed.
type ToolDetail struct {
	Tool
	Definition json.RawMessage `json:"definition"` // as listed last
	Suggested  ToolSuggestion  `json:"suggested"`
	Difference ToolDifference  `json:"difference"` // from what was accepted to what is listed; empty for a tool that is new
	Versions   []ToolVersion   `json:"versions"`   // the newest first
}

// ToolSuggestion is what a definition says of itself; nothing of it is in force.
type ToolSuggestion struct {
	Effect  string    `json:"effect"`
	Why     string    `json:"why"`
	Classes []string  `json:"classes"`
	Paths   ToolPaths `json:"paths"`
}

// ToolDifference is what a definition says that another one did not. Invisible
// characters stand in it as \u{202e}.
type ToolDifference struct {
	From  string           `json:"from,omitempty"` // hash
	To    string           `json:"to,omitempty"`
	Texts []TextDifference `json:"texts"` // title, description and descriptions within schemas
	Parts []PartDifference `json:"parts"` // of schemas and annotations
}

// TextDifference is how a text changed, word by word.
type TextDifference struct {
	Path  string      `json:"path"` // /description, /inputSchema/properties/to/description
	Words []WordPiece `json:"words"`
}

// WordPiece is a stretch of a text that stayed, came or went.
type WordPiece struct {
	Change string `json:"change"` // same, added, removed
	Text   string `json:"text"`
}

// PartDifference is a value that came, went or changed.
type PartDifference struct {
	Path   string `json:"path"`
	Change string `json:"change"`           // added, removed, changed
	Before string `json:"before,omitempty"` // as JSON
	After  string `json:"after,omitempty"`
}

// ListToolsRequest narrows a list of tools.
type ListToolsRequest struct {
	Upstream string `query:"upstream"`
	State    string `query:"state"`
	Q        string `query:"q"` // a part of the name or description
	Limit    int    `query:"limit" max:"1000"`
	Cursor   string `query:"cursor"`
}

// ToolRequest names a tool.
type ToolRequest struct {
	Upstream string `path:"upstream"`
	Tool     string `path:"tool"`
}

// ToolDifferenceRequest asks how two definitions of a tool differ, by hash; from
// is the accepted one and to the listed one when they are left out.
type ToolDifferenceRequest struct {
	Upstream string `path:"upstream"`
	Tool     string `path:"tool"`
	From     string `query:"from"`
	To       string `query:"to"`
}

// AcceptToolRequest accepts the definition that hash names, which is the one
// that was shown.
type AcceptToolRequest struct {
	Upstream    string    `path:"upstream" json:"-"`
	Tool        string    `path:"tool" json:"-"`
	Hash        string    `json:"hash"`
	Effect      string    `json:"effect,omitempty"` // think, read, write, destructive; left out it is unknown, which counts as destructive
	Classes     []string  `json:"classes,omitempty"`
	Paths       ToolPaths `json:"paths"`
	Vouches     bool      `json:"vouches,omitempty"`     // what its results name may be sent to: a directory, a register of customers
	Acknowledge []string  `json:"acknowledge,omitempty"` // codes of the serious findings that were seen
	Reason      string    `json:"reason"`
}

// HoldToolRequest makes a tool wait for a person.
type HoldToolRequest struct {
	Upstream string `path:"upstream" json:"-"`
	Tool     string `path:"tool" json:"-"`
	Reason   string `json:"reason"`
}

// UpstreamToolsRequest names an upstream whose tools are meant.
type UpstreamToolsRequest struct {
	Upstream string `path:"upstream"`
}

// UpstreamTools is what an upstream lists.
type UpstreamTools struct {
	Upstream string `json:"upstream"`
	Digest   string `json:"digest"` // of all that is listed: accepting all takes it
	Items    []Tool `json:"items"`
}

// AcceptToolsRequest accepts every tool of an upstream that waits and has no
// serious finding. Digest is that of what was shown.
type AcceptToolsRequest struct {
	Upstream  string `path:"upstream" json:"-"`
	Digest    string `json:"digest"`
	Suggested bool   `json:"suggested,omitempty"` // takes suggested effects, classes and paths where nobody set any
	Reason    string `json:"reason"`
}

// AcceptedTools are the tools that were accepted together, and those that still
// wait.
type AcceptedTools struct {
	Accepted []Tool `json:"accepted"`
	Waiting  []Tool `json:"waiting"`
}

// ForgetToolRequest drops a tool with its versions: the next list has it as new.
type ForgetToolRequest struct {
	Upstream string `path:"upstream"`
	Tool     string `path:"tool"`
	Reason   string `query:"reason"`
}

// ListToolFindingsRequest narrows a list of findings.
type ListToolFindingsRequest struct {
	Open   bool   `query:"open"`
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// Origin is where something that a call's arguments name came from.
type Origin struct {
	Path     string `json:"path"`            // JSON Pointer of the argument, * for any element; path:NAME, query:NAME
	Index    int    `json:"index,omitempty"` // among several values at that path
	From     int    `json:"from"`            // its bytes within the argument's text
	To       int    `json:"to"`
	Kind     string `json:"kind"`           // url, host, email, account, phone, path, id, name
	Entity   string `json:"entity"`         // people and accounts are masked
	Source   string `json:"source"`         // user, system, tool, model (nobody before it), unknown
	Tool     string `json:"tool,omitempty"` // whose result it stood in first
	Step     string `json:"step,omitempty"` // in which it was heard first
	First    bool   `json:"first"`          // the agent never sent anything there
	Injected bool   `json:"injected"`       // a destination that a tool's result gave, and nobody else
}
