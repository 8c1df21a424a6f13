package client

import "time"

// Topic is what people ask about: prompts that mean nearly the same, with what
// became of their runs in a period.
type Topic struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"` // its name, else its words
	Name        string    `json:"name,omitempty"`
	Words       []string  `json:"words"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Revision    int64     `json:"revision"`
	CreatedAt   time.Time `json:"created_at"`
	New         bool      `json:"new"` // it was found in this period
	TopicFigures
}

// TopicFigures are about runs, or sessions where it says so.
type TopicFigures struct {
	Runs       int64    `json:"runs"`
	Sessions   int64    `json:"sessions"`
	Demand     Share    `json:"demand"`     // of all runs in which something was asked
	Before     *float64 `json:"before"`     // the same of the period before; null: nothing was asked then
	Drift      string   `json:"drift"`      // more, less: its share of sessions changed by more than chance; "" it did not, or too little is known
	Resolved   Share    `json:"resolved"`   // of runs whose outcome is known
	Satisfied  Share    `json:"satisfied"`  // of runs whose user said something
	Unanswered Share    `json:"unanswered"` // of those of which anything is known: failed, handed over, given up, complained of, or asked again
	AskedAgain int64    `json:"asked_again"`
	CostUSD    *float64 `json:"cost_usd"`     // of the runs whose cost is known
	CostPerRun *float64 `json:"cost_per_run"` // of those
}

// ListTopicsRequest asks what is asked for in a period: seven days unless said
// otherwise.
type ListTopicsRequest struct {
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	From        string `query:"from"`
	To          string `query:"to"`
}

// TopicList is what is asked for, the most first.
type TopicList struct {
	From      time.Time    `json:"from"`
	To        time.Time    `json:"to"`
	Items     []Topic      `json:"items"`
	Ungrouped TopicFigures `json:"ungrouped"` // of prompts that are like too few others
	Coverage  TopicsSeen   `json:"coverage"`
}

// TopicsSeen is what was looked at since the server started: what found no room is
// in no figure.
type TopicsSeen struct {
	Runs    int64 `json:"runs"`
	Waiting int64 `json:"waiting"`
	Skipped int64 `json:"skipped"`
	Failed  int64 `json:"failed"`
}

// TopicRequest names a topic, and the period of its figures.
type TopicRequest struct {
	ID          string `path:"id"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	From        string `query:"from"`
	To          string `query:"to"`
}

// TopicPage is one topic in full.
type TopicPage struct {
	Topic
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Agents   []TopicAgent   `json:"agents"`
	Series   []TopicBucket  `json:"series"`
	Examples []TopicExample `json:"examples"` // the most typical runs
}

// TopicAgent is an agent's part of a topic.
type TopicAgent struct {
	Agent string `json:"agent"`
	TopicFigures
}

// TopicBucket is a topic in a part of the period.
type TopicBucket struct {
	At         time.Time `json:"at"`
	Runs       int64     `json:"runs"`
	All        int64     `json:"all"` // runs of all topics
	Unanswered int64     `json:"unanswered"`
}

// TopicExample is a run that is typical of its topic, with what was asked for
// those who may read it.
type TopicExample struct {
	Run   string    `json:"run"`
	Agent string    `json:"agent"`
	At    time.Time `json:"at"`
	Text  string    `json:"text,omitempty"`
}

// TopicRunsRequest lists runs of a topic; id is "none" for prompts that are
// grouped with no others.
type TopicRunsRequest struct {
	ID          string `path:"id"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Unanswered  bool   `query:"unanswered"`
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
}

// TopicRun is a run with what became of it.
type TopicRun struct {
	Run         string    `json:"run"`
	Topic       string    `json:"topic,omitempty"`
	Agent       string    `json:"agent"`
	Version     string    `json:"version,omitempty"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Session     string    `json:"session,omitempty"`
	Outcome     string    `json:"outcome,omitempty"`
	Failed      bool      `json:"failed"`
	Verdict     string    `json:"verdict,omitempty"`
	AskedAgain  bool      `json:"asked_again"`
	CostUSD     *float64  `json:"cost_usd"`
	Near        float64   `json:"near"` // cosine with what it is grouped with
	At          time.Time `json:"at"`
}

// NameTopicRequest gives a topic a name; "" takes it back.
type NameTopicRequest struct {
	ID       string `path:"id" json:"-"`
	Name     string `json:"name"`
	Revision int64  `json:"revision"`
}

// RunTopic is what a run was about, and how patient its session's user was.
type RunTopic struct {
	Looked  bool      `json:"looked"` // false: nobody looked at it yet, or nothing was asked in words
	Topic   *Topic    `json:"topic"`  // null: like too few others
	Run     *TopicRun `json:"run"`
	Session *Mood     `json:"session"` // null: without signs and texts
}

// Mood is the frustration of one session.
type Mood struct {
	Session     string     `json:"session"`
	Team        string     `json:"team,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Agent       string     `json:"agent"`
	Version     string     `json:"version,omitempty"`
	Runs        int64      `json:"runs"`
	Prompts     int64      `json:"prompts"`
	Score       float64    `json:"score"`      // 0 to 1
	Frustrated  bool       `json:"frustrated"` // from .5 on
	Signs       []MoodSign `json:"signs"`
	At          time.Time  `json:"at"`
}

// MoodSign is one thing that tells of it.
type MoodSign struct {
	Kind   string    `json:"kind"` // re_ask, correction, human, words, abandoned
	Run    string    `json:"run"`
	Like   string    `json:"like,omitempty"` // of a re-ask: the run in which it was asked before
	Cosine float64   `json:"cosine,omitempty"`
	At     time.Time `json:"at"`
}

// ListMoodsRequest lists sessions with signs of frustration.
type ListMoodsRequest struct {
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	From        string `query:"from"`
	To          string `query:"to"`
	Limit       int    `query:"limit" max:"1000"`
}

// MoodList is the sessions with signs, the most frustrated first, and how many of
// all they are.
type MoodList struct {
	From       time.Time   `json:"from"`
	To         time.Time   `json:"to"`
	Frustrated Share       `json:"frustrated"`
	Agents     []MoodAgent `json:"agents"`
	Items      []Mood      `json:"items"`
}

// MoodAgent is the share of an agent's sessions that were frustrated.
type MoodAgent struct {
	Agent      string `json:"agent"`
	Frustrated Share  `json:"frustrated"`
}
