// Package pin remembers what the tools of MCP servers are, as a person accepted
// them, and holds what is new or has changed.
//
// What for: a tool's name, description and schema are text that a server sends
// and a model obeys. A server may change them after they were looked at, call
// its tool like another server's, or write instructions and invisible
// characters into them. What an agent may use is therefore the definition that
// a person accepted, byte for byte in its canonical form, with the effect, data
// classes and paths that the person gave it.
//
// Who calls it: the door's MCP part tells of each list of tools (See) and asks
// at each call (Lookup); policy asks which argument paths a tool has; api and
// the command line list, show, accept and hold.
//
// Promises: a definition's hash is SHA-256 over its RFC 8785 form. A tool that
// was not accepted in exactly this form is held, and stays so until a person
// accepts it, also when the server takes the change back. Each reason why a
// tool is held is a finding: a row that lasts and an event. Lookup reads memory
// only and takes no lock. What See and the changes of people do is durable
// before it is in force. Memory and rows are bounded. Safe for concurrent use.
//
// How it fails: See returns the database's error and then changes nothing, so
// that what could not be noted is not accepted either; a list that is too long
// is refused with pin.too_many. Changes of people fail with pin.not_found,
// pin.conflict (the definition is not the one that was shown), pin.acknowledge
// and pin.invalid.
//
// Start reading at Pin, Book.See and Book.Accept; hidden.go and instructions.go
// look at texts, difference.go shows changes.
package pin

import (
	"encoding/json"
	"slices"
	"time"
)

// Tool is a tool as its server lists it. Fields that are not there are empty.
type Tool struct {
	Name, Title, Description               string
	InputSchema, OutputSchema, Annotations json.RawMessage
}

// States of a pin.
const (
	Accepted = "accepted" // a person accepted what the server listed last
	Held     = "held"     // it waits for a person
)

// Paths are where in a tool's arguments a person says that something stands, as
// JSON Pointers with "*" for any element of an array.
type Paths struct {
	Destination []string `json:"destination,omitempty"` // where data goes: a URL, host, address, channel
	Recipient   []string `json:"recipient,omitempty"`   // who gets it: a person, an account
	Amount      []string `json:"amount,omitempty"`      // how much of it: money, a count
}

// all are the paths of every kind.
func (p Paths) all() []string { return slices.Concat(p.Destination, p.Recipient, p.Amount) }

// Pin is what is in force about a tool. Values handed out are shared: do not
// change them.
type Pin struct {
	Upstream, Tool string
	Alias          string // its name where all servers are one: upstream__tool
	Hash           string // of the definition that was accepted; "" none was
	Listed         string // of the definition that the server listed last
	Effect         string // think, read, write, destructive; "" nobody said, which counts as destructive
	Classes        []string
	Paths          Paths
	Vouches        bool   // what its results name may be sent to: a directory, a register of customers
	State          string // Accepted, Held
	Reason         string // why it is held, in words; "" it is not
}

// Codes of findings.
const (
	Fresh        = "new"          // no definition was accepted
	Changed      = "changed"      // it is not the definition that was accepted
	Back         = "back"         // it changed, and is what was accepted again
	Shadows      = "shadows"      // another upstream has a tool of that name
	Reserved     = "reserved"     // the name is the door's own
	Mentions     = "mentions"     // its text names another upstream's tool
	Duplicate    = "duplicate"    // the list has the name twice
	Hidden       = "hidden_text"  // its text has characters or parts that nobody sees
	Instructions = "instructions" // its text tells the model what to do beside the tool
	Unreadable   = "unreadable"   // its schemas cannot be read in one way only
	Moved        = "moved"        // the upstream leads elsewhere now
	ByPerson     = "by_person"    // a person holds it
)

// serious are the findings that a person must name to accept a tool.
var serious = []string{Shadows, Reserved, Mentions, Duplicate, Hidden, Instructions, ByPerson}

// Serious reports whether accepting a tool with this finding takes naming it.
func Serious(code string) bool { return slices.Contains(serious, code) }

// Finding is one reason why a tool is held.
type Finding struct {
	Code   string    `json:"code"`
	Text   string    `json:"text"` // in words, with what was hidden made visible
	Detail string    `json:"detail,omitempty"`
	Hash   string    `json:"hash,omitempty"` // of the definition it is about
	At     time.Time `json:"at"`
}

// Version is a definition that a server listed once.
type Version struct {
	Hash       string
	Definition Tool
	FirstSeen  time.Time
	LastSeen   time.Time
	AcceptedAt time.Time // zero: never
	AcceptedBy string    // a person's id, or FirstUse
}

// FirstUse is who accepts where the configuration trusts the first sight.
const FirstUse = "first_use"
