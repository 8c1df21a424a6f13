package client

import "time"

// Source is something that agents read: a dataset, a corpus of documents, an
// index, an API. Found ones came with lineage; nobody answers for them yet.
type Source struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind"` // dataset, corpus, index, api
	Namespace   string   `json:"namespace,omitempty"`
	Dataset     string   `json:"dataset,omitempty"` // its name in lineage
	Aliases     []string `json:"aliases,omitempty"` // other names by which steps call it
	Team        string   `json:"team,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Description string   `json:"description,omitempty"`
	Classes     []string `json:"classes,omitempty"` // of the data in it
	Trusted     bool     `json:"trusted"`
	Registered  bool     `json:"registered"`
	MaxAge      string   `json:"max_age,omitempty"`    // older is stale: a Go duration; "" none was set
	WarnAge     string   `json:"warn_age,omitempty"`   // older is nearly stale
	AgePolicy   string   `json:"age_policy,omitempty"` // who set them: a person, dbt; "" nobody
	Revision    int64    `json:"revision,omitempty"`

	MaxErrorRate *float64 `json:"max_error_rate,omitempty"` // of its assertions' results in 30 days
	MinAccuracy  *float64 `json:"min_accuracy,omitempty"`   // of its last audit
	OnBreach     string   `json:"on_breach,omitempty"`      // tell, out: what follows when a limit is broken

	OutOfUse *SourceOut `json:"out_of_use"` // nil: it is in use

	State     string         `json:"state"` // fresh, warn, stale, unknown
	Reason    string         `json:"reason"`
	Version   *SourceVersion `json:"version"` // the newest; nil: none was seen
	Versions  int64          `json:"versions"`
	Documents int64          `json:"documents"`
	Failing   int64          `json:"failing_checks"`
	Checks    int64          `json:"checks"`
	UpdatedAt time.Time      `json:"updated_at"`
}

// SourceVersion is a state that a source had.
type SourceVersion struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"` // from when it was there
	Job     string    `json:"job,omitempty"`
	JobRun  string    `json:"job_run,omitempty"`
	Items   *int64    `json:"items"` // rows or documents; nil unknown
}

// SourceJob is a job that makes or reads sources.
type SourceJob struct {
	Name   string     `json:"name"`
	State  string     `json:"state"` // running, complete, failed, aborted, skipped
	At     time.Time  `json:"at"`
	Run    string     `json:"run"`
	Note   string     `json:"note,omitempty"`
	GoodAt *time.Time `json:"good_at"` // when it last completed; nil: never seen
}

// SourceCheck is an assertion about a source, by its last result.
type SourceCheck struct {
	Name string    `json:"name"`
	OK   bool      `json:"ok"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// SourceDocument is a document by its newest version.
type SourceDocument struct {
	ID         string     `json:"id"`
	Version    string     `json:"version"`
	Versions   int64      `json:"versions,omitempty"`
	CrawledAt  time.Time  `json:"crawled_at"`
	ModifiedAt *time.Time `json:"modified_at,omitempty"`
	Chunks     *int64     `json:"chunks,omitempty"`
	Embedding  string     `json:"embedding_model,omitempty"`
	Title      string     `json:"title,omitempty"`
	URI        string     `json:"uri,omitempty"`
}

// SourceDetail is a source with all that is known of it.
type SourceDetail struct {
	Source
	History  []SourceVersion  `json:"history"` // newest first, at most 100
	Writers  []SourceJob      `json:"writers"`
	Readers  []SourceJob      `json:"readers"`
	Results  []SourceCheck    `json:"results"`
	Newest   []SourceDocument `json:"newest"` // documents, last crawled first, at most 100
	Upstream []SourceCause    `json:"upstream"`
}

// SourceCause is a job above a source that did not do its part.
type SourceCause struct {
	Job    string     `json:"job"`
	State  string     `json:"state"`
	At     time.Time  `json:"at"`
	Note   string     `json:"note,omitempty"`
	GoodAt *time.Time `json:"good_at"`
	Path   []string   `json:"path"` // from the job to the source: job, dataset, job, dataset
}

// SourceUse is what a step of a run read, as it was then.
type SourceUse struct {
	StepID    string         `json:"step_id"`
	Name      string         `json:"name"`             // as the step calls it
	Source    string         `json:"source,omitempty"` // "" when nothing is known by that name
	At        time.Time      `json:"at"`
	State     string         `json:"state"` // fresh, warn, stale, unknown: at that time
	Sentence  string         `json:"sentence"`
	Version   *SourceVersion `json:"version"` // the one that was there
	Newer     *SourceVersion `json:"newer"`   // that came since, the newest
	AgeMS     *float64       `json:"age_ms"`  // of the version, at that time
	Documents []DocumentUse  `json:"documents"`
	Causes    []SourceCause  `json:"causes"` // why it was not newer
}

// DocumentUse is a document that a step read.
type DocumentUse struct {
	ID       string     `json:"id"`
	Version  string     `json:"version"` // "" unknown
	AgeMS    *float64   `json:"age_ms"`
	Newer    string     `json:"newer,omitempty"` // a version that existed at that time
	NewerAt  *time.Time `json:"newer_at,omitempty"`
	Sentence string     `json:"sentence"`
}

// SourceRequest names a source.
type SourceRequest struct {
	Name string `path:"name"`
}

// PutSourceRequest registers a source, or changes what people say of one.
type PutSourceRequest struct {
	Name         string   `json:"-" path:"name"`
	Kind         string   `json:"kind,omitempty"`
	Namespace    string   `json:"namespace,omitempty"`
	Dataset      string   `json:"dataset,omitempty"`
	Aliases      []string `json:"aliases,omitempty"`
	Team         string   `json:"team,omitempty"`
	Owner        string   `json:"owner,omitempty"`
	Description  string   `json:"description,omitempty"`
	Classes      []string `json:"classes,omitempty"`
	Trusted      bool     `json:"trusted,omitempty"`
	MaxAge       string   `json:"max_age,omitempty"`
	WarnAge      string   `json:"warn_age,omitempty"`
	MaxErrorRate *float64 `json:"max_error_rate,omitempty"` // share of failed results of its assertions in 30 days
	MinAccuracy  *float64 `json:"min_accuracy,omitempty"`   // share of right answers in its last audit
	OnBreach     string   `json:"on_breach,omitempty"`      // tell (default), out: out of use until it keeps its limits
	Revision     int64    `json:"revision,omitempty"`
}

// ListSourcesRequest filters sources.
type ListSourcesRequest struct {
	State string `query:"state"`
	Q     string `query:"q"`
}

// SourceDocuments are versions of documents that were crawled.
type SourceDocuments struct {
	Name      string           `json:"-" path:"name"`
	Documents []SourceDocument `json:"documents"`
}

// Accepted says how much of a delivery was taken.
type Accepted struct {
	Accepted int      `json:"accepted"`
	Rejected int      `json:"rejected"`
	Reasons  []string `json:"reasons,omitempty"`
}

// SourceOut is that a source is out of use: the door refuses to read it.
type SourceOut struct {
	By     string     `json:"by"`
	Reason string     `json:"reason"`
	Cause  string     `json:"cause,omitempty"` // the incident or finding it was taken out for
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until"` // nil: until somebody puts it back
}

// TakeSourceOutRequest takes a source out of use.
type TakeSourceOutRequest struct {
	Name   string `json:"-" path:"name"`
	Reason string `json:"reason"`
	For    string `json:"for,omitempty"`   // a duration: 4h, 7d; "": until it is put back
	Cause  string `json:"cause,omitempty"` // an incident or finding
}

// PutSourceBackRequest puts a source back into use.
type PutSourceBackRequest struct {
	Name   string `json:"-" path:"name"`
	Reason string `json:"reason"`
}

// SourceShare is a share with its 95 % interval.
type SourceShare struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int64   `json:"n"`
	Hits  int64   `json:"hits"`
}

// SourceReadiness is how far a source can be relied on. Null is unknown.
type SourceReadiness struct {
	Source    Source         `json:"source"`
	Every     *float64       `json:"every_ms"` // the middle of the times between its versions
	Intervals int64          `json:"intervals"`
	ErrorRate *SourceShare   `json:"error_rate"` // of its assertions' results in 30 days
	Accuracy  *SourceShare   `json:"accuracy"`   // of its last audit, of 90 days
	Audit     *SourceAudit   `json:"audit"`
	Plan      *AuditPlan     `json:"plan"`  // how it is audited by itself; null: it is not
	Runs      int64          `json:"runs"`  // that read it in the period
	Fresh     *SourceShare   `json:"fresh"` // of those that were looked at, that found it as new as it has to be
	Breaches  []SourceBreach `json:"breaches"`
}

// SourceBreach is a limit that a source breaks.
type SourceBreach struct {
	Limit string `json:"limit"` // max_age, max_error_rate, min_accuracy
	Text  string `json:"text"`
}

// Readiness is how far what agents read can be relied on.
type Readiness struct {
	From    time.Time         `json:"from"`
	To      time.Time         `json:"to"`
	Sources []SourceReadiness `json:"sources"` // the worst first
	// AllFresh is of the runs that read something: all that they read was as new as
	// it has to be. Runs that read something of which nobody knows are not in it.
	AllFresh *SourceShare    `json:"all_fresh"`
	Unknown  int64           `json:"unknown"` // runs that read something of unknown age
	Looked   int64           `json:"looked"`  // runs that read something: all of the period, the newest 50,000 where there are more
	Reading  int64           `json:"reading"` // runs that read something in the period
	Topics   []TopicCoverage `json:"topics"`  // by demand
	// Coverage is topics answered with support, each weighted by how often it was
	// asked about.
	Coverage *float64 `json:"coverage"`
	// Grouped is what most of what was asked is grouped by: topic (prompts that mean nearly
	// the same), or task (the label that agents give their runs).
	Grouped string `json:"grouped_by"`
}

// TopicCoverage is a topic that was asked about, and how often what agents read
// had something for it.
type TopicCoverage struct {
	Topic     string       `json:"topic"`        // as it is called
	ID        string       `json:"id,omitempty"` // of a topic; "" of a task
	By        string       `json:"by"`           // topic, or task: runs that no topic has
	Asked     int64        `json:"asked"`        // runs
	Supported *SourceShare `json:"supported"`    // of those that can be told; nil: none can
	Backlog   int64        `json:"backlog"`      // runs without support
	Records   string       `json:"records"`      // the search of runs that opens them
}

// ListUnansweredRequest asks for what was asked and not answered.
type ListUnansweredRequest struct {
	From        string `query:"from"` // a week ago by default
	To          string `query:"to"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
	Topic       string `query:"topic"` // the id of a topic; "none": runs of none
	Task        string `query:"task"`  // unknown: runs that name none
	Limit       int    `query:"limit" max:"100"`
	Cursor      string `query:"cursor"`
}

// UnansweredQuestion is what was asked in a run that did not answer it.
type UnansweredQuestion struct {
	Run     string    `json:"run"`
	At      time.Time `json:"at"`
	Agent   string    `json:"agent,omitempty"`
	Topic   string    `json:"topic,omitempty"` // as it is called
	TopicID string    `json:"topic_id,omitempty"`
	Task    string    `json:"task,omitempty"`
	Outcome string    `json:"outcome"` // failed, escalated, abandoned, deflected
	Sources []string  `json:"sources"` // that it read
	// Text is what was asked last, with personal data and secrets cut out; "" for who may
	// not read content, and where it is not kept.
	Text   string `json:"text,omitempty"`
	Hidden bool   `json:"hidden"` // there may be words, and the asker may not read them
}

// ReadinessRequest asks for readiness over a time.
type ReadinessRequest struct {
	From        string `query:"from"` // a week ago by default
	To          string `query:"to"`
	Team        string `query:"team"`
	Environment string `query:"environment"`
}

// SourceAudit is what an audit of a source found.
type SourceAudit struct {
	ID      string      `json:"id"`
	Source  string      `json:"source"`
	At      time.Time   `json:"at"`
	By      string      `json:"by"`
	Truth   string      `json:"truth"` // what it was held against
	Asked   int64       `json:"asked"`
	Correct int64       `json:"correct"`
	Wrong   []AuditItem `json:"wrong"` // the first of those that were not right
	// ErrorRate is the share of answers that are not right; null of none.
	ErrorRate *SourceShare `json:"error_rate"`
	// Of an audit that a plan made:
	Agent      string `json:"agent,omitempty"`
	Experiment string `json:"experiment,omitempty"` // its tests, with their answers
	Unanswered int64  `json:"unanswered,omitempty"` // questions that got no answer; in no other figure
}

// AuditItem is a question of an audit. Right left out compares answer and truth:
// every number of the truth, and four fifths of its words.
type AuditItem struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Truth    string `json:"truth,omitempty"`
	Right    *bool  `json:"right,omitempty"`
	// Of an audit that a plan made; the experiment has the texts.
	Item string `json:"item,omitempty"` // case, number in the sheet, or the run in which it was asked
	Run  string `json:"run,omitempty"`  // of the test
}

// AuditPlan asks an agent sampled questions at times, as tests, and keeps how often it
// was right as an audit of the source.
type AuditPlan struct {
	Source       string          `json:"source"`
	Agent        string          `json:"agent"`
	Questions    string          `json:"questions"` // dataset, sheet, recorded, unanswered
	Dataset      string          `json:"dataset,omitempty"`
	Sheet        []KnownQuestion `json:"sheet"` // for readers
	Known        int             `json:"known"` // questions of the sheet
	TruthURL     string          `json:"truth_url,omitempty"`
	AllowPrivate bool            `json:"allow_private,omitempty"`
	Sample       int             `json:"sample"`
	Every        string          `json:"every"`
	Paused       bool            `json:"paused"`
	By           string          `json:"by,omitempty"`
	NextAt       *time.Time      `json:"next_at"` // null while paused
	LastAt       *time.Time      `json:"last_at"`
	Running      string          `json:"running,omitempty"` // the experiment that asks now
	Last         string          `json:"last,omitempty"`    // experiment
	LastAudit    string          `json:"last_audit,omitempty"`
	Trouble      string          `json:"trouble,omitempty"` // why it came to nothing the last time
	// NotPossible: why the agent cannot be asked at all; "" when it can.
	NotPossible string `json:"not_possible,omitempty"`
	Revision    int64  `json:"revision"`
}

// KnownQuestion is a question of which somebody knows the answer.
type KnownQuestion struct {
	Question string `json:"question"`
	Truth    string `json:"truth"`
}

// PutAuditPlanRequest says how a source is audited by itself.
type PutAuditPlanRequest struct {
	Name         string          `json:"-" path:"name"`
	Agent        string          `json:"agent"`
	Questions    string          `json:"questions,omitempty"` // dataset, sheet, recorded, unanswered; by what is given
	Dataset      string          `json:"dataset,omitempty"`
	Sheet        []KnownQuestion `json:"sheet,omitempty"`
	TruthURL     string          `json:"truth_url,omitempty"` // recorded, unanswered: POST {"question"} is answered with {"truth"}
	AllowPrivate bool            `json:"allow_private,omitempty"`
	Sample       int             `json:"sample,omitempty"` // 50 by default
	Every        string          `json:"every,omitempty"`  // 24h, 7d (default)
	Paused       bool            `json:"paused,omitempty"`
	Revision     int64           `json:"revision,omitempty"`
}

// AuditSourceRequest holds answers from a source against the truth.
type AuditSourceRequest struct {
	Name  string      `json:"-" path:"name"`
	Truth string      `json:"truth"` // what it is from, in a line
	Items []AuditItem `json:"items"`
}
