package client

// ListDecisionsRequest filters decisions, newest first. Values separated by
// commas are alternatives; unknown asks for absence.
type ListDecisionsRequest struct {
	Agent    string `query:"agent"`
	Verdict  string `query:"verdict"`
	Would    string `query:"would"`    // what enforcing would have given
	Enforced string `query:"enforced"` // true, false
	Action   string `query:"action"`
	Tool     string `query:"tool"`
	Upstream string `query:"upstream"`
	Code     string `query:"code"` // of one of its reasons
	Result   string `query:"result"`
	Run      string `query:"run"`
	Session  string `query:"session"`
	User     string `query:"user"` // a name (readers only) or a pseudonym, usr_...
	Team     string `query:"team"`
	Query    string `query:"q"` // the search language over decisions
	From     string `query:"from"`
	To       string `query:"to"`
	Limit    int    `query:"limit" max:"1000"`
	Cursor   string `query:"cursor"`
}

// ListRunDecisionsRequest asks for the decisions of a run, newest first.
type ListRunDecisionsRequest struct {
	ID     string `path:"id" json:"-"`
	Limit  int    `query:"limit" max:"1000"`
	Cursor string `query:"cursor"`
}

// DecisionsRecorded is the event decision.recorded: how many decisions of a
// team's agents in an environment were recorded since the last one. IDs are
// some of them, those that were not allowed first.
type DecisionsRecorded struct {
	Team        string   `json:"team"`
	Environment string   `json:"environment"`
	Count       int      `json:"count"`
	Denied      int      `json:"denied"`
	Held        int      `json:"held"`
	WouldDeny   int      `json:"would_deny"` // allowed because nothing is enforced
	IDs         []string `json:"ids"`
	Runs        []string `json:"runs"`
	Agents      []string `json:"agents"`
}
