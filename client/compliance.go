package client

import "time"

// ComplianceFramework is a mapping of a framework's controls to evidence.
type ComplianceFramework struct {
	ID       string                `json:"id"`
	Title    string                `json:"title"`
	Source   string                `json:"source"`
	Version  int                   `json:"version"`
	About    string                `json:"about"`
	Controls int                   `json:"controls"`
	Custom   bool                  `json:"custom"` // people's own; else it ships
	Revision int64                 `json:"revision"`
	Mapping  string                `json:"mapping,omitempty"` // YAML; of one alone
	Last     *ComplianceAssessment `json:"last"`              // without its controls; null: never assessed
	Every    int                   `json:"every_days"`        // assessed by itself every so many days; 0: when somebody asks
	Next     *time.Time            `json:"next"`              // when it is the next time
}

// PutComplianceScheduleRequest has a framework assessed by itself.
type PutComplianceScheduleRequest struct {
	ID    string `path:"id" json:"-"`
	Every int    `json:"every_days"` // over the days since; 0 ends it
}

// ComplianceFrameworkRequest names a framework.
type ComplianceFrameworkRequest struct {
	ID string `path:"id"`
}

// PutComplianceFrameworkRequest makes a mapping of one's own, or changes it.
type PutComplianceFrameworkRequest struct {
	ID       string `path:"id" json:"-"`
	Mapping  string `json:"mapping"` // YAML
	Revision int64  `json:"revision"`
}

// AssessComplianceRequest asks all questions of a framework over a period: thirty
// days unless said otherwise.
type AssessComplianceRequest struct {
	ID   string `path:"id" json:"-"`
	From string `json:"from"`
	To   string `json:"to"`
}

// ComplianceAssessmentRequest names an assessment.
type ComplianceAssessmentRequest struct {
	ID string `path:"id"`
}

// ListComplianceAssessmentsRequest lists those of a framework, the newest first.
type ListComplianceAssessmentsRequest struct {
	Framework string `query:"framework"`
	Limit     int    `query:"limit" max:"1000"`
}

// ComplianceAssessment is what a framework came to.
type ComplianceAssessment struct {
	ID        string              `json:"id"`
	Framework string              `json:"framework"`
	Title     string              `json:"title"`
	Version   int                 `json:"version"`
	Mapping   string              `json:"mapping_sha256"`
	Custom    bool                `json:"custom"` // the mapping was the house's own
	From      time.Time           `json:"from"`
	To        time.Time           `json:"to"`
	At        time.Time           `json:"at"`
	By        string              `json:"by"`
	Pass      int                 `json:"pass"`
	Fail      int                 `json:"fail"`
	Unknown   int                 `json:"unknown"`
	Controls  []ComplianceControl `json:"controls"` // empty in lists
}

// ComplianceControl is a control with its result: pass, fail or unknown.
type ComplianceControl struct {
	ID       string               `json:"id"`
	Title    string               `json:"title"`
	Article  string               `json:"article"`
	About    string               `json:"about"`
	Result   string               `json:"result"`
	Evidence []ComplianceEvidence `json:"evidence"`
}

// ComplianceEvidence is a question with its answer.
type ComplianceEvidence struct {
	ID      string     `json:"id"`
	Title   string     `json:"title"`
	Asks    string     `json:"asks"` // kpi, fact or count, and of what
	AtLeast *float64   `json:"at_least"`
	AtMost  *float64   `json:"at_most"`
	Result  string     `json:"result"`
	Value   *float64   `json:"value"` // null: unknown
	Records int64      `json:"records"`
	Text    string     `json:"text"`
	AsOf    *time.Time `json:"as_of"`            // when it was so, of what is known as of now alone; null: of the period
	Table   string     `json:"table,omitempty"`  // whose records
	Search  string     `json:"search,omitempty"` // that opens them
}

// CompliancePack is the evidence of an assessment as a zip.
type CompliancePack struct {
	Name string `json:"name"`
	Zip  string `json:"zip"` // base64
}
