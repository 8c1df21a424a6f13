package client

import "time"

// Dataset is a named set of cases from recorded runs.
type Dataset struct {
	Name        string    `json:"name"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	About       string    `json:"about,omitempty"`
	Basis       string    `json:"basis,omitempty"` // why what users said may be used without asking each; none: each has to agree
	Version     int64     `json:"version"`         // grows with each change of its items
	Items       int64     `json:"items"`           // of the newest version
	UpdatedAt   time.Time `json:"updated_at"`
}

// ListDatasetsRequest has no parameters.
type ListDatasetsRequest struct{}

// DatasetRequest names a data set.
type DatasetRequest struct {
	Name string `path:"name"`
}

// PutDatasetRequest makes a data set, or changes what is said of it; its team and
// environment stay.
type PutDatasetRequest struct {
	Name        string `path:"name" json:"-"`
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
	About       string `json:"about,omitempty"`
	Basis       string `json:"basis,omitempty"`
}

// ChatMessage is one message of a conversation, in OpenAI's words.
type ChatMessage struct {
	Role    string `json:"role"` // system, user, assistant
	Content string `json:"content"`
}

// DatasetItem is a case: what was asked, what was answered, what would have been
// right, and where it comes from.
type DatasetItem struct {
	ID           string        `json:"id"`
	Case         string        `json:"case"` // the same for one run in each data set
	Dataset      string        `json:"dataset"`
	Added        int64         `json:"added"`             // the version from which it is in it
	Removed      int64         `json:"removed,omitempty"` // the version from which it is not
	Revision     int64         `json:"revision"`
	Run          string        `json:"run,omitempty"` // none: a person wrote it
	Agent        string        `json:"agent,omitempty"`
	AgentVersion string        `json:"agent_version,omitempty"`
	Task         string        `json:"task,omitempty"`
	Input        []ChatMessage `json:"input"`
	Answer       string        `json:"answer,omitempty"`   // as recorded
	Expected     string        `json:"expected,omitempty"` // as it should be
	Contains     []string      `json:"contains"`           // what an answer must have in it
	Absent       []string      `json:"absent"`             // what it must not have
	Labels       []string      `json:"labels"`
	Note         string        `json:"note,omitempty"`
	Verdict      string        `json:"verdict"`  // good, bad: of the recorded answer; "" nobody said
	Consent      string        `json:"consent"`  // given, basis, own, unknown, refused; the last two are not exported
	Redacted     []string      `json:"redacted"` // classes of data that were cut out; none: nothing was found
	Tools        bool          `json:"tools"`    // the run called tools, which are not part of input
	Withdrawn    bool          `json:"withdrawn"`
	Feedback     string        `json:"feedback,omitempty"` // what was said of the run
	FeedbackAt   *time.Time    `json:"feedback_at"`
	By           string        `json:"by,omitempty"`
	At           time.Time     `json:"at"`
}

// ListDatasetItemsRequest asks for the items of a version.
type ListDatasetItemsRequest struct {
	Name    string `path:"name"`
	Version int64  `query:"version"` // 0: the newest
	Limit   int    `query:"limit" max:"1000"`
}

// AddDatasetItemRequest makes a run a case, or changes the case that it is. Without
// a run it is one that a person writes.
type AddDatasetItemRequest struct {
	Name     string        `path:"name" json:"-"`
	Run      string        `json:"run,omitempty"`
	Input    []ChatMessage `json:"input,omitempty"` // of a run: as recorded where none is given
	Expected string        `json:"expected,omitempty"`
	Contains []string      `json:"contains,omitempty"`
	Absent   []string      `json:"absent,omitempty"`
	Labels   []string      `json:"labels,omitempty"`
	Note     string        `json:"note,omitempty"`
	Verdict  string        `json:"verdict,omitempty"` // good, bad
	Consent  string        `json:"consent,omitempty"` // given, refused; none goes by what the user said and by the data set's basis
}

// DatasetItemRequest names an item.
type DatasetItemRequest struct {
	Name string `path:"name"`
	Item string `path:"item"`
}

// ExportDatasetRequest gives a version out.
type ExportDatasetRequest struct {
	Name    string `path:"name" json:"-"`
	Version int64  `json:"version,omitempty"` // 0: the newest
	Format  string `json:"format"`            // evaluation, sft, preferences
	Reason  string `json:"reason"`
}

// DatasetExport is what was given out of a data set.
type DatasetExport struct {
	ID        string           `json:"id"`
	Dataset   string           `json:"dataset"`
	Version   int64            `json:"version"`
	Format    string           `json:"format"`
	Items     int64            `json:"items"`
	SHA256    string           `json:"sha256"` // of its content
	By        string           `json:"by,omitempty"`
	Reason    string           `json:"reason"`
	At        time.Time        `json:"at"`
	Withdrawn int64            `json:"withdrawn"`         // items of it that were withdrawn since
	Left      map[string]int64 `json:"left,omitempty"`    // items that are not in it, by why: no_consent, withdrawn, no_right_answer, no_pair
	Content   string           `json:"content,omitempty"` // JSONL, in the answer to the export alone
}
