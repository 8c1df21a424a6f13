// Package approval keeps actions that wait for a person: what exactly was asked
// for, what people said, and that it happens once at most.
//
// What for: an action that policy or floor holds becomes an approval, bound to
// a hash of the very bytes that would be forwarded. A person approves, denies,
// edits it or takes it over; the door then decides again and uses it once.
//
// Who calls it: the gateway holds, follows and uses; api answers for people;
// app opens it, runs its timers and voids what a change made void.
//
// Promises: an approval and each word about it is durable before anybody is
// told. The first answer wins. What was agreed to is checked against keyed
// hashes when it is used, so that a row changed from outside is worth nothing.
// It is claimed by compare-and-set before it is forwarded, and one that was
// being forwarded when the process died is unknown for good, never repeated.
// The requests are sealed. What is asked on each call (Taken) reads memory
// alone. Safe for concurrent use.
//
//	            .-> denied, taken, expired, void
//	pending ----+-> approved --> executing --> done
//	                   |              '------> unknown
//	                   '-> expired, void
//
// How it fails: closed. approval.not_stored when the database takes no
// approval; approval.too_many beyond an agent's limits; approval.denied_before
// for what a person denied in the last day; approval.settled for who answers
// late; approval.void, approval.expired, approval.tampered for what may not be
// used.
//
// Start reading at Book.Hold, then vote.go and use.go.
package approval

import (
	"encoding/json"
	"slices"
	"time"

	"reeve/internal/activity"
)

// State is where an approval stands.
type State string

// The states.
const (
	Pending   State = "pending"
	Approved  State = "approved"  // agreed to, not used yet
	Executing State = "executing" // claimed: forwarded, or about to be
	Done      State = "done"      // forwarded, and its end is known
	Unknown   State = "unknown"   // was being forwarded when the process died
	Denied    State = "denied"
	Expired   State = "expired"
	Void      State = "void"  // something that it was given for changed
	Taken     State = "taken" // a person does it, or gave the result
)

// Open reports whether an approval still waits for a person.
func (s State) Open() bool { return s == Pending }

// over reports whether nothing will change any more.
func (s State) over() bool { return s != Pending && s != Approved && s != Executing }

// Group is a group of which Count distinct people must agree. The empty name
// stands for whoever may approve for the agent's team.
type Group struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Ask is an action that a person must agree to: who, what, for whom, why it is
// held, and all that makes an approval void when it changes. It never changes.
type Ask struct {
	Decision     string   `json:"decision"` // of the verdict that holds
	Agent        string   `json:"agent"`
	Version      string   `json:"version,omitempty"`
	Owner        string   `json:"owner,omitempty"`
	Sponsor      string   `json:"sponsor,omitempty"`
	Team         string   `json:"team"`
	Environment  string   `json:"environment"`
	Instance     string   `json:"instance,omitempty"`
	User         string   `json:"user,omitempty"`
	UserTeams    []string `json:"user_teams,omitempty"`
	UserGroups   []string `json:"user_groups,omitempty"`
	Chain        []string `json:"chain,omitempty"`
	Credential   string   `json:"credential,omitempty"` // kind
	CredentialID string   `json:"credential_id,omitempty"`
	Bound        bool     `json:"bound,omitempty"`
	Epoch        int64    `json:"epoch,omitempty"`
	Containment  string   `json:"containment,omitempty"`

	Action           string   `json:"action"`
	Name             string   `json:"name"` // of the step
	Resource         string   `json:"resource"`
	Upstream         string   `json:"upstream"`
	UpstreamRevision int64    `json:"upstream_revision,omitempty"`
	Tool             string   `json:"tool,omitempty"`
	Model            string   `json:"model,omitempty"`
	Effect           string   `json:"effect"`
	Pin              string   `json:"pin,omitempty"`
	Classes          []string `json:"classes,omitempty"`
	Destinations     []string `json:"destinations,omitempty"`
	External         bool     `json:"external,omitempty"`
	Shown            Shown    `json:"shown,omitzero"`
	// Origins say where what the arguments name came from, people and accounts
	// masked.
	Origins []activity.Origin `json:"origins,omitempty"`

	Run     string `json:"run"`
	Named   bool   `json:"named,omitempty"` // the agent said which run it is: a retry says so again
	Session string `json:"session,omitempty"`
	Step    string `json:"step,omitempty"`
	Trace   string `json:"trace,omitempty"`

	Reasons []activity.Reason    `json:"reasons"`
	Asked   []activity.PolicyRef `json:"asked,omitempty"` // the statements that hold
	Holds   []string             `json:"holds,omitempty"` // what holds beside them: "floor.supervised", CodeTaken
	Groups  []Group              `json:"groups,omitempty"`
	Words   string               `json:"words,omitempty"` // what the agent says about it: hostile text

	// Forwarded says that the door forwards it. Else somebody else acts, and the
	// door is only asked.
	Forwarded bool `json:"forwarded"`
	// Editable says that arguments may be changed before it is forwarded.
	Editable bool `json:"editable,omitempty"`

	// Arguments is the keyed hash of what is asked for (Book.Hash), Joins what a
	// retry has in common with it (Book.Hash of agent, user, run and arguments).
	Arguments string `json:"-"`
	Joins     string `json:"-"`
	// Request is what would be forwarded; it is sealed.
	Request Request `json:"-"`
}

// Shown are the paths of what a person looks at first, as the pinned
// definition has them: JSON Pointers into the arguments.
type Shown struct {
	Amount      []string `json:"amount,omitempty"`
	Currency    []string `json:"currency,omitempty"`
	Destination []string `json:"destination,omitempty"`
	Recipient   []string `json:"recipient,omitempty"`
}

// Request is the bytes of a call, without credentials.
type Request struct {
	Method string              `json:"method,omitempty"`
	Path   string              `json:"path,omitempty"`
	Query  string              `json:"query,omitempty"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"`
	// From and To are where in Body the arguments stand that a person sees and
	// edits; To 0 is all of it.
	From int `json:"from,omitempty"`
	To   int `json:"to,omitempty"`
}

// Arguments is the part of the body that a person sees.
func (r *Request) Arguments() []byte {
	if r.To == 0 {
		return r.Body
	}
	return r.Body[r.From:r.To]
}

// Answer is what an approved action came to, kept for the retry that collects
// it.
type Answer struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"`
	Cut    bool                `json:"cut,omitempty"` // it was too large to keep
}

// Vote is what a person said.
type Vote struct {
	Person   string
	Name     string
	Verdict  string   // approve, edit, deny, takeover
	Groups   []string // of those asked for, which the person stands for
	Bound    string   // the hash of what it was said about
	Reason   string
	At       time.Time
	OpenedAt time.Time // zero: never opened
}

// Approval is one at a moment. Values are shared: do not change them.
type Approval struct {
	ID        string
	State     State
	Ask       Ask
	Bound     string // the hash of what is agreed to
	Edited    bool
	Votes     []Vote
	CreatedAt time.Time
	ExpiresAt time.Time
	DecidedAt time.Time // zero while it waits
	EndedAt   time.Time
	UsedBy    string // the decision under which it was forwarded
	Code      string // why it ended so
	Reason    string
	Asked     int64 // calls that asked for it
	Delivered bool

	raw     []byte // of Ask, as it was stored
	request []byte // sealed
	edited  []byte // sealed
	answer  []byte // sealed
	mac     string
}

// GroupProgress is a group with how many of it agreed so far.
type GroupProgress struct {
	Group
	Have int
}

// Progress lists the groups that are asked, with how many of each agreed to what
// it is about now.
func (a *Approval) Progress() []GroupProgress {
	var out []GroupProgress
	for _, g := range a.groups() {
		p := GroupProgress{Group: g}
		for i := range a.Votes {
			if v := &a.Votes[i]; v.agrees(a.Bound) && v.stands(g.Name) {
				p.Have++
			}
		}
		out = append(out, p)
	}
	return out
}

// Missing lists the groups of which more people must agree, with how many.
func (a *Approval) Missing() []Group {
	var out []Group
	for _, p := range a.Progress() {
		if p.Have < p.Count {
			out = append(out, Group{p.Name, p.Count - p.Have})
		}
	}
	return out
}

// groups are those asked for; where no policy names any, one person who may
// approve.
func (a *Approval) groups() []Group {
	if len(a.Ask.Groups) == 0 {
		return []Group{{"", 1}}
	}
	return a.Ask.Groups
}

func (v *Vote) agrees(bound string) bool {
	return (v.Verdict == "approve" || v.Verdict == "edit") && v.Bound == bound
}

func (v *Vote) stands(group string) bool {
	if group == "" {
		return true
	}
	return slices.Contains(v.Groups, group)
}

// Meets reports whether the approval was shown every statement of asked and
// everything else that holds: it meets exactly those.
func (a *Approval) Meets(asked []activity.PolicyRef, holds []string) bool {
	for _, h := range holds {
		if !slices.Contains(a.Ask.Holds, h) {
			return false
		}
	}
	for _, ref := range asked {
		if !slices.Contains(a.Ask.Asked, ref) {
			return false
		}
	}
	return true
}

func encodeAsk(a *Ask) []byte {
	b, err := json.Marshal(a)
	if err != nil { // strings, numbers and flags: cannot happen
		panic(err)
	}
	return b
}
