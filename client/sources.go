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
	Name        string   `json:"-" path:"name"`
	Kind        string   `json:"kind,omitempty"`
	Namespace   string   `json:"namespace,omitempty"`
	Dataset     string   `json:"dataset,omitempty"`
	Aliases     []string `json:"aliases,omitempty"`
	Team        string   `json:"team,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Description string   `json:"description,omitempty"`
	Classes     []string `json:"classes,omitempty"`
	Trusted     bool     `json:"trusted,omitempty"`
	MaxAge      string   `json:"max_age,omitempty"`
	WarnAge     string   `json:"warn_age,omitempty"`
	Revision    int64    `json:"revision,omitempty"`
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
