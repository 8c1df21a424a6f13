// Package dataset keeps cases from recorded runs: what was asked, what was
// answered, what would have been right, and where each comes from.
//
// What for: a run that went wrong becomes a case with one act; cases are what
// experiments and gates are run on, and what models may be trained on. Of each it
// is known from which run it is, who agreed to its use, and what was cut out of
// it; and a person who is erased leaves the next export, with a list of those they
// were in.
//
// Who calls it: api for people; experiment and app's gate read versions; app fills
// in what runs said and what is cut out, and tells of people who are erased.
//
// Promises: a version of a data set is the same items for ever, but for the content
// of what was withdrawn, which is gone from all of them. One run is one case: its
// id is the same in each data set. Nothing is kept that was not looked at for
// personal data and secrets. An export has only items with consent, and its record
// is kept before its content is given out. Safe for concurrent use.
//
// How it fails: dataset.invalid, not_found, denied, conflict, too_many; nothing is
// stored in part.
//
// Start reading at Item, then Book.Add and Book.Export.
package dataset

import (
	"crypto/hmac"
	"crypto/sha256"
	"regexp"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Set is a data set.
type Set struct {
	Name        string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	Version     int64     `json:"-"`
	UpdatedAt   time.Time `json:"-"`
	Born        time.Time `json:"-"` // one that is made anew under its name is another
	Items       int64     `json:"-"` // in its newest version

	About string `json:"about,omitempty"`
	// Basis is why the organisation may use what its users said, where it need not
	// ask each: the contract's clause. "" is none, and then each has to agree.
	Basis string `json:"basis,omitempty"`
}

// Whether a person agreed to the use of what they said.
const (
	ConsentGiven   = "given"   // they did
	ConsentBasis   = "basis"   // the data set's basis covers it
	ConsentOwn     = "own"     // a person of the house wrote it
	ConsentUnknown = "unknown" // it is not exported
	ConsentRefused = "refused" // nor this
)

// Consents lists them.
var Consents = []string{ConsentGiven, ConsentBasis, ConsentOwn, ConsentUnknown, ConsentRefused}

// Verdicts of an item: whether the recorded answer was as it should be.
const (
	Good = "good"
	Bad  = "bad"
)

// Message is one of a conversation, in OpenAI's words.
type Message struct {
	Role    string `json:"role"` // system, user, assistant
	Content string `json:"content"`
}

// Item is a case.
type Item struct {
	ID        string    `json:"-"`
	Dataset   string    `json:"-"`
	Case      string    `json:"-"` // the same for one run in each data set
	Added     int64     `json:"-"`
	Removed   int64     `json:"-"` // 0: it is in the newest version
	Revision  int64     `json:"-"`
	Run       string    `json:"-"`
	Agent     string    `json:"-"`
	UserRef   string    `json:"-"`
	Withdrawn bool      `json:"-"`
	Verdict   string    `json:"-"`
	Consent   string    `json:"-"`
	At        time.Time `json:"-"`

	Input    []Message `json:"input"`
	Answer   string    `json:"answer,omitempty"`   // as recorded
	Expected string    `json:"expected,omitempty"` // as it should be
	Contains []string  `json:"contains,omitempty"` // what an answer must have in it
	Absent   []string  `json:"absent,omitempty"`   // what it must not have
	Labels   []string  `json:"labels,omitempty"`
	Note     string    `json:"note,omitempty"`

	Version    string    `json:"version,omitempty"` // of the agent
	Task       string    `json:"task,omitempty"`
	Redacted   []string  `json:"redacted,omitempty"` // classes that were cut out; none: nothing was found
	Tools      bool      `json:"tools,omitempty"`    // the run called tools, which are not part of Input
	Feedback   string    `json:"feedback,omitempty"` // what was said of the run, by its id
	FeedbackAt time.Time `json:"feedback_at,omitzero"`
	By         string    `json:"by,omitempty"` // who made it a case
}

// Recorded is what a run said, as app reads it.
type Recorded struct {
	Agent, Version, Team, Environment, Task, User string
	Input                                         []Message
	Answer                                        string
	Tools                                         bool
	Feedback                                      string // negative, of the run; "" none
	FeedbackAt                                    time.Time
	Consent                                       string // that its user gave with it; "" unknown
}

// Bounds.
const (
	maxSets     = 1000
	maxItems    = 10_000 // of one data set, removed ones with them
	maxItem     = 64 << 10
	maxMessages = 200
	maxText     = 2000
	maxWords    = 50
	maxExport   = 32 << 20
)

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "dataset.invalid", format, args...)
}

func (s *Set) check() error {
	switch {
	case !nameShape.MatchString(s.Name):
		return invalid("a data set's name has 1 to 63 of a-z, 0-9 and hyphens")
	case len(s.About) > maxText || len(s.Basis) > maxText || len(s.Team) > 200 || len(s.Environment) > 200:
		return invalid("the texts of a data set have at most %d bytes", maxText)
	}
	return nil
}

func (i *Item) check() error {
	size := len(i.Answer) + len(i.Expected) + len(i.Note)
	for _, m := range i.Input {
		if m.Role != "system" && m.Role != "user" && m.Role != "assistant" {
			return invalid("a message is of system, user or assistant, not %.20q", m.Role)
		}
		size += len(m.Content)
	}
	for _, list := range [...][]string{i.Contains, i.Absent, i.Labels} {
		if len(list) > maxWords {
			return invalid("an item has at most %d words of a kind", maxWords)
		}
		for _, w := range list {
			if w == "" {
				return invalid("a word is not empty")
			}
			size += len(w)
		}
	}
	switch {
	case len(i.Input) == 0 || len(i.Input) > maxMessages || i.Input[len(i.Input)-1].Role != "user":
		return invalid("an item has 1 to %d messages, and the last one is the user's", maxMessages)
	case size > maxItem:
		return invalid("an item has at most %d bytes", maxItem)
	case i.Verdict != "" && i.Verdict != Good && i.Verdict != Bad:
		return invalid("a verdict is good or bad, or none")
	}
	return nil
}

// CaseOf is the id of a run as a case.
func CaseOf(run string) string { return shortID("case_", run) }

func shortID(prefix string, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return prefix + activity.Text32(sum[:15])
}

// refOf is a user by a keyed digest: a plain one of a phone number could be guessed.
func refOf(key []byte, user string) string {
	if user == "" {
		return ""
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(user))
	return activity.Text32(m.Sum(nil)[:15])
}
