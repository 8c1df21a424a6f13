// Package feedback keeps what people and downstream systems said of runs'
// results, and joins each word to the run that it is about, whichever came first.
//
// What for: system figures do not tell whether an agent helped. Those whom it
// worked for do, days later, twice, through a web page, a mail, a chat or another
// vendor's tool, and rarely with our id of the run.
//
// Who calls it: intake and app hand over what senders say (Take, TakeLogs), api
// what programs and people say; the store of activity tells of runs (Observe);
// outcomes and others follow by sequence (After).
//
// Promises: what Take returned nil for is on disk, once, however often it is sent:
// the same sender's key is the same feedback, and the newer word of it counts.
// A run is joined within a second of being known, before or after its feedback,
// after a crash too. Feedback of one team never joins another's run. Observe
// never waits. Comments are redacted before they are stored. Memory and rows are
// bounded. Safe for concurrent use.
//
// How it fails: faults feedback.*; feedback.busy and feedback.too_many are to be
// sent again later.
//
// Start reading at Report, then Book.Take and join.go.
package feedback

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// The verdicts. "" is said of what is neither, such as a comment alone.
const (
	Positive = "positive"
	Neutral  = "neutral"
	Negative = "negative"
)

// The kinds.
const (
	Thumb   = "thumb"   // up or down
	Rating  = "rating"  // a number on a scale
	Done    = "done"    // whether the task was done
	Comment = "comment" // words alone
	Label   = "label"   // a word of a fixed list
)

// Kinds lists them.
var Kinds = []string{Thumb, Rating, Done, Comment, Label}

// Who gave a feedback.
const (
	User   = "user"   // a person for whom the agent worked
	System = "system" // a downstream system, an evaluator of another tool
)

// On is what a feedback is about, by whatever the sender knows. At least one is
// given; the more exact one counts: run, trace, run's name, join key, session.
type On struct {
	Run     string // run_…
	Trace   string // 32 hex digits, or a UUID
	RunKey  string // the name that the sender gave the run (X-Reeve-Run)
	JoinKey string // anything that was bound to a run
	Session string
	Step    string
}

// Report is what one sender says.
type Report struct {
	Key     string // the sender's own: the same key is the same feedback; "" makes one of its content
	On      On
	Name    string // what was asked ("helpfulness"); may be ""
	Kind    string
	Value   *float64 // of a thumb 1 or 0, of a rating the number, of done 1 or 0
	Min     float64  // of the scale; both 0: 0 to 1, or 1 to 5 for whole numbers above 1
	Max     float64
	Label   string
	Comment string
	User    string // who gave it; stored as a keyed hash
	Giver   string // User unless said otherwise
	Consent *bool  // whether it may be used to train or test; nil: not asked
	Contact string // where the person wants to be told what became of it; sealed
	At      time.Time
	Removed bool // the sender took it back
}

// Sender is where reports come from.
type Sender struct {
	Source      string
	Team        string
	Environment string
	Verified    bool // it proved who it is, or shows a ticket of ours
	// Keys is whose keys the reports' are; "" the source's own. A ticket's are the
	// same through a link and through every form.
	Keys string
}

// Bounds of what is kept.
const (
	maxKey     = 300
	maxWord    = 200
	maxComment = 4000
	maxContact = 320
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "feedback.invalid", format, args...)
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// check makes a report whole, or says what is wrong with it.
func (r *Report) check(now time.Time) error {
	r.Comment = strings.TrimSpace(clip(r.Comment, maxComment))
	r.Label = strings.TrimSpace(clip(r.Label, maxWord))
	r.Name, r.User, r.Contact = clip(r.Name, maxWord), clip(r.User, maxKey), clip(r.Contact, maxContact)
	if r.Giver == "" {
		r.Giver = User
	}
	if r.Kind == "" {
		switch {
		case r.Value != nil:
			r.Kind = Rating
		case r.Label != "":
			r.Kind = Label
		default:
			r.Kind = Comment
		}
	}
	switch {
	case !slices.Contains(Kinds, r.Kind):
		return invalid("kind is one of %s, not %.40q", strings.Join(Kinds, ", "), r.Kind)
	case r.Giver != User && r.Giver != System:
		return invalid("giver is %s or %s", User, System)
	case len(r.Key) > maxKey:
		return invalid("a key has at most %d bytes", maxKey)
	case r.Value != nil && (math.IsNaN(*r.Value) || math.IsInf(*r.Value, 0)):
		return invalid("value is a number")
	case r.Removed:
		if r.Key == "" {
			return invalid("what is taken back is named by its key")
		}
	case (r.Kind == Thumb || r.Kind == Done) && (r.Value == nil || *r.Value != 0 && *r.Value != 1):
		return invalid("a %s has the value 1 or 0", r.Kind)
	case r.Kind == Rating && r.Value == nil:
		return invalid("a rating has a value")
	case r.Kind == Rating && r.Max != r.Min && (r.Max < r.Min || *r.Value < r.Min || *r.Value > r.Max):
		return invalid("the rating %g is not on its scale of %g to %g", *r.Value, r.Min, r.Max)
	case r.Kind == Comment && r.Comment == "":
		return invalid("a feedback says something: a value, a label or a comment")
	case r.Kind == Label && r.Label == "":
		return invalid("a label has a word")
	}
	if r.Kind == Rating && r.Min == r.Max && r.twoScales() {
		r.Kind, r.Label, r.Value = Label, cmp.Or(r.Label, floatText(*r.Value)), nil
	}
	if r.Kind == Rating && r.Min == r.Max {
		r.Min, r.Max = 0, 1
		if v := *r.Value; v > 1 || v < 0 {
			if v < 1 || v > 5 {
				return invalid("the rating %g has no scale", v).WithHint("give min and max; without them it is 0 to 1, or 1 to 5")
			}
			r.Min, r.Max = 1, 5
		}
	}
	if r.At.IsZero() || r.At.After(now) {
		r.At = now
	}
	if now.Sub(r.At) > keep {
		return invalid("it is of %s, which is longer ago than feedback is kept", r.At.UTC().Format(time.DateOnly))
	}
	return r.On.check()
}

// twoScales reports whether a rating without a scale may be good on one of those
// that its name is used with and bad on another: 1 is the best of 0 to 1 and the
// worst of 1 to 5; of 0 to 10, which is how likely people are to recommend, all up
// to 5 is bad. Such a number has no verdict, rather than a wrong one.
func (r *Report) twoScales() bool {
	low, v := strings.ToLower(r.Name), *r.Value
	if strings.Contains(low, "nps") && v > 0 && v <= 5 {
		return true
	}
	return v == 1 && slices.ContainsFunc([]string{"csat", "rating", "stars", "satisfaction"}, func(part string) bool { return strings.Contains(low, part) })
}

// check makes what a feedback is about canonical.
func (o *On) check() error {
	for _, s := range []string{o.Run, o.Trace, o.RunKey, o.JoinKey, o.Session, o.Step} {
		if len(s) > maxKey || clip(s, maxKey) != s {
			return invalid("an id has at most %d bytes of text", maxKey)
		}
	}
	if o.Trace != "" {
		hexed := strings.ToLower(strings.ReplaceAll(o.Trace, "-", ""))
		b, err := hex.DecodeString(hexed)
		if err != nil || len(b) != len(activity.TraceID{}) || [16]byte(b) == [16]byte{} {
			return invalid("a trace is 32 hex digits, not %.60q", o.Trace)
		}
		o.Trace = hexed
	}
	if o.Run != "" {
		if _, err := activity.ParseRunID(o.Run); err != nil {
			return invalid("%.60q is no id of a run", o.Run).WithHint("give a trace or a join key where you do not have ours")
		}
	}
	if o.Run == "" && o.Trace == "" && o.RunKey == "" && o.JoinKey == "" && o.Session == "" {
		return fault.New(fault.KindInvalid, "feedback.about_nothing", "it does not say what it is about").WithHint("give run, trace, run_key, join_key or session")
	}
	return nil
}

// Where a rating on 0 to 1 begins to be good, and where it ends to be bad: of
// five stars four and five are good, one and two bad.
const (
	goodFrom = 0.7
	badTo    = 0.4
)

var goodWords = []string{"positive", "good", "pass", "passed", "up", "thumbs_up", "thumbsup", "+1", "yes", "true", "helpful", "correct", "resolved", "like", "satisfied", "👍"}

var badWords = []string{"negative", "bad", "fail", "failed", "down", "thumbs_down", "thumbsdown", "-1", "no", "false", "unhelpful", "incorrect", "wrong", "unresolved", "dislike", "dissatisfied", "👎"}

// verdict is what a report says of the result, as far as it says it. Words are
// not guessed from: a comment alone has none.
func (r *Report) verdict() string {
	if r.Value != nil {
		span := r.Max - r.Min
		if span == 0 {
			span = 1
		}
		x := (*r.Value - r.Min) / span
		switch {
		case x >= goodFrom:
			return Positive
		case x <= badTo:
			return Negative
		}
		return Neutral
	}
	word := strings.ToLower(r.Label)
	switch {
	case slices.Contains(goodWords, word):
		return Positive
	case slices.Contains(badWords, word):
		return Negative
	}
	return ""
}

// id names a feedback: by its sender's key, else by all that it says.
func (r *Report) id(from *Sender) string {
	h := sha256.New()
	put := func(words ...string) {
		for _, w := range words {
			h.Write([]byte(w))
			h.Write([]byte{0})
		}
	}
	// A sender's keys are its team's: nobody replaces another team's feedback.
	put("feedback", cmp.Or(from.Keys, from.Source), from.Team, from.Environment)
	if r.Key != "" {
		put("key", r.Key)
	} else {
		value := ""
		if r.Value != nil {
			value = floatText(*r.Value)
		}
		put("content", r.On.Run, r.On.Trace, r.On.RunKey, r.On.JoinKey, r.On.Session, r.On.Step, r.Name, r.Kind, value, r.Label, r.Comment, r.User, r.At.UTC().Format(time.RFC3339Nano))
	}
	return "fbk_" + activity.Text32(h.Sum(nil)[:15])
}

// Feedback is one, as it is kept.
type Feedback struct {
	ID          string    `json:"-"`
	Seq         int64     `json:"-"`
	Source      string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	Giver       string    `json:"-"`
	Verdict     string    `json:"-"`
	Kind        string    `json:"-"`
	UserRef     string    `json:"-"`
	Run         string    `json:"-"` // "" until it is joined
	Agent       string    `json:"-"`
	Version     string    `json:"-"`
	Failed      *bool     `json:"-"` // whether the run had errors; nil unknown
	At          time.Time `json:"-"`
	ReceivedAt  time.Time `json:"-"`

	Name     string    `json:"name,omitempty"`
	Value    *float64  `json:"value,omitempty"`
	Min      float64   `json:"min,omitempty"`
	Max      float64   `json:"max,omitempty"`
	Label    string    `json:"label,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Redacted []string  `json:"redacted,omitempty"` // classes that were cut out of the comment
	Verified bool      `json:"verified,omitempty"`
	Consent  *bool     `json:"consent,omitempty"`
	Contact  []byte    `json:"contact,omitempty"` // sealed
	On       On        `json:"on"`
	Test     bool      `json:"test,omitempty"` // its run is of mode test
	JoinedBy string    `json:"joined_by,omitempty"`
	Task     string    `json:"task,omitempty"`
	Session  string    `json:"session,omitempty"`
	JoinedAt time.Time `json:"joined_at,omitzero"`
	Times    int       `json:"times,omitempty"` // how often it was sent
	Removed  bool      `json:"removed,omitempty"`
	Erased   bool      `json:"erased,omitempty"`
	Told     []Telling `json:"told,omitempty"`
	Status   *Status   `json:"status,omitempty"` // what the giver is shown; nil: nothing was said yet
	Watched  time.Time `json:"watched,omitzero"` // until when they can see it by a link; zero: they have none
}

// Telling is what a person was told of what became of a complaint.
type Telling struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
	How  string    `json:"how"` // the channel, or by_hand
}
