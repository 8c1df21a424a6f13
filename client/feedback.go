package client

import "time"

// Feedback is what a person or a downstream system said of a run's result.
type Feedback struct {
	ID          string            `json:"id"`
	Source      string            `json:"source"`  // api, link, telemetry, form:NAME, or the name of a registered sender
	Giver       string            `json:"giver"`   // user, system
	Kind        string            `json:"kind"`    // thumb, rating, done, comment, label
	Verdict     string            `json:"verdict"` // positive, neutral, negative; "" says neither
	Name        string            `json:"name,omitempty"`
	Value       *float64          `json:"value"`
	Min         float64           `json:"min"`
	Max         float64           `json:"max"`
	Label       string            `json:"label,omitempty"`
	Comment     string            `json:"comment,omitempty"` // for readers
	HasComment  bool              `json:"has_comment"`
	Redacted    []string          `json:"redacted"` // classes that were cut out of the comment
	User        string            `json:"user,omitempty"`
	Verified    bool              `json:"verified"` // its sender proved who it is; else a page of an allowed origin said so
	Consent     *bool             `json:"consent"`  // may be used to train and test; null: not asked
	Contact     bool              `json:"contact"`  // the person left an address
	Run         string            `json:"run,omitempty"`
	JoinedBy    string            `json:"joined_by,omitempty"` // run, trace, run_key, join_key, session
	About       FeedbackAbout     `json:"about"`
	Agent       string            `json:"agent,omitempty"`
	Version     string            `json:"version,omitempty"`
	Task        string            `json:"task,omitempty"`
	Session     string            `json:"session,omitempty"`
	Failed      *bool             `json:"failed"` // the run had errors; null: not joined
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Times       int               `json:"times"` // how often it was sent
	Removed     bool              `json:"removed"`
	Erased      bool              `json:"erased"`
	Told        []FeedbackTelling `json:"told"`
	At          time.Time         `json:"at"`
	ReceivedAt  time.Time         `json:"received_at"`
	JoinedAt    *time.Time        `json:"joined_at"`
	Status      *FeedbackStatus   `json:"status"`       // what the person is shown by their link; null: nothing was said yet
	WatchedTill *time.Time        `json:"watched_till"` // until when they can see it; null: they have no link
}

// FeedbackStatus is what a person is shown of what became of what they said.
type FeedbackStatus struct {
	State string    `json:"state"` // open, working, corrected
	Text  string    `json:"text,omitempty"`
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"` // is not shown to them
}

// SetFeedbackStatusRequest says what a person is shown behind their link.
type SetFeedbackStatusRequest struct {
	ID    string `json:"-" path:"id"`
	State string `json:"state"` // open, working, corrected
	Text  string `json:"text,omitempty"`
}

// FeedbackAbout is what a feedback is about, by whatever its sender knows; the
// first of them that is given counts.
type FeedbackAbout struct {
	Run     string `json:"run,omitempty"`      // run_…
	Trace   string `json:"trace,omitempty"`    // 32 hex digits, or a UUID
	RunKey  string `json:"run_key,omitempty"`  // the name that the sender gave the run
	JoinKey string `json:"join_key,omitempty"` // anything that was bound to a run
	Session string `json:"session,omitempty"`
	Step    string `json:"step,omitempty"`
}

// FeedbackTelling is what the person was told of what became of it.
type FeedbackTelling struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// CreateFeedbackRequest is a feedback from a program or a person. The same key
// again replaces what was said.
type CreateFeedbackRequest struct {
	FeedbackAbout
	Key         string     `json:"key,omitempty"`
	Name        string     `json:"name,omitempty"` // what was asked
	Kind        string     `json:"kind,omitempty"` // thumb, rating, done, comment, label; by what is given where empty
	Value       *float64   `json:"value,omitempty"`
	Min         float64    `json:"min,omitempty"`
	Max         float64    `json:"max,omitempty"`
	Label       string     `json:"label,omitempty"`
	Comment     string     `json:"comment,omitempty"`
	User        string     `json:"user,omitempty"` // who gave it; kept as a keyed hash
	Giver       string     `json:"giver,omitempty"`
	Consent     *bool      `json:"consent,omitempty"`
	Contact     string     `json:"contact,omitempty"` // where they want to be told what became of it; sealed
	At          *time.Time `json:"at,omitempty"`
	Removed     bool       `json:"removed,omitempty"` // it was taken back
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
}

// ListFeedbackRequest narrows a list of feedback.
type ListFeedbackRequest struct {
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Source      string `query:"source"`
	Verdict     string `query:"verdict"` // positive, neutral, negative, none
	Giver       string `query:"giver"`
	Run         string `query:"run"`
	Joined      string `query:"joined"` // yes, no
	Q           string `query:"q"`
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// FeedbackRequest names a feedback.
type FeedbackRequest struct {
	ID string `path:"id"`
}

// FeedbackSummaryRequest asks what users said in a period.
type FeedbackSummaryRequest struct {
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	From        string `query:"from"`
	To          string `query:"to"`
}

// FeedbackSummary is what users said in a period, and who said nothing.
type FeedbackSummary struct {
	From      time.Time        `json:"from"`
	To        time.Time        `json:"to"`
	All       FeedbackFigures  `json:"all"`
	Agents    []AgentFeedback  `json:"agents"`
	Series    []FeedbackBucket `json:"series"`
	Themes    []FeedbackTheme  `json:"themes"`    // of negative comments; for readers
	Unmatched int64            `json:"unmatched"` // feedback whose run nobody told of
}

// FeedbackPatternsRequest asks which steps of an agent's runs go with unhappy users.
type FeedbackPatternsRequest struct {
	Agent       string `query:"agent"` // needed
	Version     string `query:"version"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	From        string `query:"from"`
	To          string `query:"to"`
	Least       int    `query:"least" max:"1000"` // runs with a pattern, and without, before it is tested; 10 by default
	Limit       int    `query:"limit" max:"200"`
}

// FeedbackPatterns are patterns of steps beside what users thought of their runs. They
// go together; that one causes the other is not said.
type FeedbackPatterns struct {
	Agent    string            `json:"agent"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Runs     int64             `json:"runs"`     // that were compared, one a user
	Unhappy  int64             `json:"unhappy"`  // of which something bad was said
	More     bool              `json:"more"`     // there are older ones, which were not looked at
	Unread   int64             `json:"unread"`   // runs whose steps are gone
	Cut      int64             `json:"cut"`      // runs of whose steps the first were looked at
	Least    int64             `json:"least"`    // runs with a pattern, and without, before it is tested
	Tested   int64             `json:"tested"`   // patterns, all taken together in Found
	Found    int64             `json:"found"`    // of those, beyond chance
	Left     int64             `json:"left"`     // patterns that were too many to look at
	Items    []FeedbackPattern `json:"items"`    // those that were found first
	Says     string            `json:"says"`     // what the figures can tell, in words
	Possible string            `json:"possible"` // why nothing could be compared; "" it could
}

// FeedbackPattern is something that steps of some runs have in common.
type FeedbackPattern struct {
	// Kind: tool, then (Then right after Name), tool_error, loop, model, model_error,
	// refused, handoff, person, slow, nothing_found, many_steps.
	Kind    string   `json:"kind"`
	Name    string   `json:"name,omitempty"`
	Then    string   `json:"then,omitempty"`
	With    Share    `json:"with"`    // unhappy users, of runs with it
	Without Share    `json:"without"` // of runs without
	Diff    Interval `json:"diff"`    // of the two, with its 95 % interval (Newcombe)
	P       float64  `json:"p"`       // Fisher's exact test, alone
	Found   bool     `json:"found"`   // beyond chance, all that were tested taken together
	Search  string   `json:"search"`  // finds runs with it, with and without feedback; "" no search can
	Runs    []string `json:"runs"`    // compared ones with it, those of unhappy users first
	Others  []string `json:"others"`  // without
}

// FeedbackFigures are figures with what they rest on.
type FeedbackFigures struct {
	Runs         int64 `json:"runs"`
	Answered     int64 `json:"answered"` // runs that have feedback of users
	Positive     int64 `json:"positive"`
	Neutral      int64 `json:"neutral"`
	Negative     int64 `json:"negative"`
	Other        int64 `json:"other"`
	ResponseRate Share `json:"response_rate"`
	Satisfaction Share `json:"satisfaction"` // positive of those with a verdict
	// Adjusted is satisfaction if those who said nothing were, among runs with and
	// among runs without errors, as those who did; null with fewer than five of
	// either.
	Adjusted *float64 `json:"adjusted"`
	// Worst and Best bound satisfaction of all runs whatever the silent ones think.
	Worst *float64 `json:"worst"`
	Best  *float64 `json:"best"`
	// FailedAnswered and FailedAll are the shares of runs with errors among those
	// with feedback and among all: that they differ says who does not answer.
	FailedAnswered *float64 `json:"failed_answered"`
	FailedAll      *float64 `json:"failed_all"`
}

// Share is a proportion with its interval of 95 % (Wilson); value is null
// without any.
type Share struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	N     int64    `json:"n"`
}

// AgentFeedback is the figures of one agent's version.
type AgentFeedback struct {
	Agent       string `json:"agent"`
	Version     string `json:"version"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	FeedbackFigures
}

// FeedbackBucket is a part of the period.
type FeedbackBucket struct {
	At       time.Time `json:"at"`
	Positive int64     `json:"positive"`
	Neutral  int64     `json:"neutral"`
	Negative int64     `json:"negative"`
}

// FeedbackTheme is what several negative comments have in common.
type FeedbackTheme struct {
	Words   string   `json:"words"`
	Count   int      `json:"count"`
	Example string   `json:"example"`
	IDs     []string `json:"ids"`
}

// EraseFeedbackRequest erases what was said and by whom: one by its id, or all
// that a team's user gave.
type EraseFeedbackRequest struct {
	ID     string `json:"id,omitempty"`
	Team   string `json:"team,omitempty"`
	User   string `json:"user,omitempty"`
	Reason string `json:"reason"`
}

// ErasedFeedback is how many were erased.
type ErasedFeedback struct {
	Erased  int             `json:"erased"`
	Cases   int64           `json:"cases"`   // of that user, taken out of data sets
	Exports []DatasetExport `json:"exports"` // that had any of them
}

// TellFeedbackRequest notes what the person was told.
type TellFeedbackRequest struct {
	ID   string `path:"id" json:"-"`
	Text string `json:"text"`
}

// ToldFeedback is a feedback with where to tell its giver.
type ToldFeedback struct {
	Feedback Feedback `json:"feedback"`
	Contact  string   `json:"contact"`
}

// BindFeedbackKeyRequest says which run a join key names.
type BindFeedbackKeyRequest struct {
	Key         string `json:"key"`
	Run         string `json:"run,omitempty"` // or a trace
	Trace       string `json:"trace,omitempty"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// FeedbackKey is a join key with its run.
type FeedbackKey struct {
	Key         string `json:"key"`
	Run         string `json:"run"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// CreateFeedbackLinkRequest asks for links by which somebody can say something
// of a run without an account.
type CreateFeedbackLinkRequest struct {
	FeedbackAbout
	User        string `json:"user,omitempty"`
	Question    string `json:"question,omitempty"`
	Expires     string `json:"expires,omitempty"` // 168h where empty, 2160h at most
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// FeedbackLink is what goes into a mail, a chat or a page.
type FeedbackLink struct {
	Ticket    string    `json:"ticket"`
	URL       string    `json:"url"`
	Up        string    `json:"up"`
	Down      string    `json:"down"`
	ExpiresAt time.Time `json:"expires_at"`
}

// FeedbackForm is from where a web page may send feedback.
type FeedbackForm struct {
	Name        string   `json:"name"`
	Key         string   `json:"key"` // stands in the page; no secret
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Origins     []string `json:"origins"`
	Ticket      bool     `json:"ticket"` // each feedback shows a ticket
	Question    string   `json:"question,omitempty"`
	Revision    int64    `json:"revision"`
	Snippet     string   `json:"snippet"` // to paste into a page
}

// PutFeedbackFormRequest makes a form, or changes the one of that revision.
type PutFeedbackFormRequest struct {
	Name        string   `path:"name" json:"-"`
	Team        string   `json:"team,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Origins     []string `json:"origins"`
	Ticket      bool     `json:"ticket,omitempty"`
	Question    string   `json:"question,omitempty"`
	Revision    int64    `json:"revision,omitempty"`
}

// FeedbackFormRequest names a form.
type FeedbackFormRequest struct {
	Name string `path:"name"`
}

// ListFeedbackFormsRequest has no parameters.
type ListFeedbackFormsRequest struct{}
