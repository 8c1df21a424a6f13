package client

import "time"

// KPI is a definition of a figure, and where it was asked for the figure itself.
type KPI struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	About     string   `json:"about"`
	Unit      string   `json:"unit"`      // share, usd, ms, min, tokens, count, bits
	Direction string   `json:"direction"` // up, down: which way is better; none
	Owner     string   `json:"owner"`
	Source    string   `json:"source"` // where its records are from
	Version   int      `json:"definition_version"`
	Formula   string   `json:"formula"`
	Method    string   `json:"method,omitempty"` // of the interval
	Guards    []string `json:"guards,omitempty"` // to be read beside it
	Custom    bool     `json:"custom,omitempty"`
	Team      string   `json:"team,omitempty"`
	Table     string   `json:"table,omitempty"` // of its records: runs, steps or decisions, or what ListKPIRecords lists: feedback, sessions, evaluations, cases
	Records   string   `json:"records"`         // the search that opens them
	Hits      string   `json:"hits,omitempty"`  // of a share: the search for those that count
	// Shape is how a KPI of one's own is computed; of one that is asked for by its id.
	Shape *KPIShape `json:"shape,omitempty"`

	KPIFigure
	Previous *KPIFigure `json:"previous,omitempty"` // the period before
}

// KPIFigure is a value with what it rests on. Value is null when unknown.
type KPIFigure struct {
	Value    *float64 `json:"value"`
	Low      *float64 `json:"low"` // of the 95 % interval
	High     *float64 `json:"high"`
	N        int64    `json:"n"`
	HitCount int64    `json:"hit_count,omitempty"`
	Coverage *float64 `json:"coverage"`      // n of what there is
	Why      string   `json:"why,omitempty"` // of an unknown value
}

// KPIPoint is a figure of a bucket of time.
type KPIPoint struct {
	At time.Time `json:"at"`
	KPIFigure
}

// KPIGroup is a figure of one agent, version, task...
type KPIGroup struct {
	Name    string     `json:"name"`
	Series  []KPIPoint `json:"series,omitempty"`
	Records string     `json:"records,omitempty"` // the search that opens its records; "" where ListKPIRecords lists them, by and group given
	Hits    string     `json:"hits,omitempty"`    // of a share: the search for those that count
	KPIFigure
}

// ListKPIRecordsRequest asks for the records behind a figure that no search finds.
type ListKPIRecordsRequest struct {
	ID          string `path:"id"`
	From        string `query:"from"` // default the last 7 days
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	By          string `query:"by"`    // agent, version, team, environment: only those of one group
	Group       string `query:"group"` // its name; left out with by: those that name none
	Hits        bool   `query:"hits"`  // of a share: only those that count
	Limit       int    `query:"limit" max:"1000"`
	Cursor      string `query:"cursor"`
}

// KPIRecord is one record behind a figure: what a user said, a session, an evaluation or
// a case.
type KPIRecord struct {
	Kind        string    `json:"kind"` // feedback, session, evaluation, case
	ID          string    `json:"id"`
	Run         string    `json:"run,omitempty"`
	Dataset     string    `json:"dataset,omitempty"` // of a case
	At          time.Time `json:"at"`
	Agent       string    `json:"agent"`
	Version     string    `json:"version,omitempty"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Says        string    `json:"says"`            // the verdict; how a session stands; when a case was fixed
	Value       *float64  `json:"value,omitempty"` // the score of a session or an evaluation; the days of a case
	Counts      bool      `json:"counts"`          // of a share: it counts
}

// KPIDetail is one KPI over time and, where asked, split.
type KPIDetail struct {
	KPI
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	BucketMS int64      `json:"bucket_ms"`
	Series   []KPIPoint `json:"series"`
	By       string     `json:"by,omitempty"`
	Groups   []KPIGroup `json:"groups,omitempty"` // those with the most records first
	TookMS   float64    `json:"took_ms"`

	Cut        bool   `json:"cut"`                   // groups are the first of group_count
	GroupCount int    `json:"group_count,omitempty"` // how many there are
	GroupsWhy  string `json:"groups_why,omitempty"`  // of groups that are unknown altogether
	SeriesWhy  string `json:"series_why,omitempty"`  // of a series that is unknown altogether
}

// KPIScope narrows the records that figures are from.
type KPIScope struct {
	From        string `query:"from"` // default the last 7 days
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Task        string `query:"task"`
}

// ListKPIsRequest asks for all definitions with their figures.
type ListKPIsRequest struct {
	From        string `query:"from"` // default the last 7 days
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Task        string `query:"task"`
	Definitions bool   `query:"definitions"` // without figures
}

// KPIList is all definitions.
type KPIList struct {
	Items  []KPI     `json:"items"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	TookMS float64   `json:"took_ms"`
}

// KPIRequest asks for one.
type KPIRequest struct {
	ID          string `path:"id"`
	From        string `query:"from"` // default the last 7 days
	To          string `query:"to"`
	Environment string `query:"environment"`
	Team        string `query:"team"`
	Agent       string `query:"agent"`
	Version     string `query:"version"`
	Task        string `query:"task"`
	Bucket      string `query:"bucket"` // of the series: 1h, 1d; default about 60 in the period
	By          string `query:"by"`     // agent, version, task, environment, model, tool, error_type...
}

// KPIShape says how a figure is computed: exactly one is set. docs/kpis.md tells
// their keys.
type KPIShape struct {
	Share    *KPIShare    `json:"share,omitempty"`
	Mean     *KPIMean     `json:"mean,omitempty"`
	Ratio    *KPIRatio    `json:"ratio,omitempty"`
	Quantile *KPIQuantile `json:"quantile,omitempty"`
	PerRun   *KPIPerRun   `json:"per_run,omitempty"`
	Repeat   *KPIRepeat   `json:"repeat,omitempty"`
	Count    *KPICount    `json:"count,omitempty"`
}

// KPIShare is a share of rows: of those that fulfil among, those that fulfil of.
type KPIShare struct {
	Table string `json:"table"` // runs, steps, decisions
	Of    string `json:"of"`
	Among string `json:"among"`
	Base  string `json:"base,omitempty"` // coverage is among of base
}

// KPIMean is the mean of a field.
type KPIMean struct {
	Table string  `json:"table"`
	Field string  `json:"field"`
	Scale float64 `json:"scale,omitempty"` // divides the field
	Among string  `json:"among"`
}

// KPIRatio is the sum of a field over the sum of another, or over a number of rows.
type KPIRatio struct {
	Table    string `json:"table"`
	Field    string `json:"field"`
	PerField string `json:"per_field,omitempty"`
	Per      string `json:"per,omitempty"`
	Among    string `json:"among"`
}

// KPIQuantile is a quantile of a field.
type KPIQuantile struct {
	Table string  `json:"table"`
	Field string  `json:"field"`
	At    float64 `json:"at"`
	Among string  `json:"among"`
}

// KPIPerRun is what happened in a table, for each run.
type KPIPerRun struct {
	Table string `json:"table"`
	Where string `json:"where"`
	Among string `json:"among"`
}

// KPIRepeat is about runs of the same agent and task.
type KPIRepeat struct {
	What  string `json:"what"` // pass, spread, path
	K     int64  `json:"k,omitempty"`
	Among string `json:"among"`
}

// KPICount is a number of rows.
type KPICount struct {
	Table string `json:"table"`
	Among string `json:"among"`
}

// PutKPIRequest defines a KPI of one's own, or its next version.
type PutKPIRequest struct {
	ID        string `path:"id" json:"-"`
	Title     string `json:"title"`
	About     string `json:"about"`
	Unit      string `json:"unit"`
	Direction string `json:"direction"`
	Owner     string `json:"owner"`
	Team      string `json:"team,omitempty"`
	KPIShape
	Version int    `json:"definition_version,omitempty"` // as read; 0 for a new one
	Reason  string `json:"reason,omitempty"`
}

// TryKPIRequest asks what a definition would come to. Nothing is kept.
type TryKPIRequest struct {
	Title     string `json:"title,omitempty"`
	About     string `json:"about,omitempty"`
	Unit      string `json:"unit"`
	Direction string `json:"direction,omitempty"`
	Owner     string `json:"owner,omitempty"`
	Team      string `json:"team,omitempty"` // only records of this team
	KPIShape
	From        string `json:"from,omitempty"` // default the last 7 days
	To          string `json:"to,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// KPITrial is what a definition would come to.
type KPITrial struct {
	Formula string `json:"formula"`
	Method  string `json:"method,omitempty"`
	Table   string `json:"table"`
	Records string `json:"records"` // the search that opens them
	KPIFigure
	Previous *KPIFigure `json:"previous"` // the period before
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	TookMS   float64    `json:"took_ms"`
}

// DeleteKPIRequest names one.
type DeleteKPIRequest struct {
	ID     string `path:"id" json:"-"`
	Reason string `query:"reason"`
}

// KPIVersion is one version of a KPI that people defined.
type KPIVersion struct {
	Version   int       `json:"definition_version"`
	Title     string    `json:"title"`
	About     string    `json:"about,omitempty"`
	Unit      string    `json:"unit,omitempty"`
	Direction string    `json:"direction,omitempty"`
	Owner     string    `json:"owner,omitempty"`
	Team      string    `json:"team,omitempty"`
	Formula   string    `json:"formula"`
	By        string    `json:"by"`
	Reason    string    `json:"reason,omitempty"`
	At        time.Time `json:"at"`
	Dropped   bool      `json:"dropped,omitempty"`
}

// Assumption is a number that somebody believes, with how far off it may be.
type Assumption struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// TaskWorth is what one resolved run of a task is worth.
type TaskWorth struct {
	Minutes Assumption `json:"minutes"` // of people, saved
	Money   Assumption `json:"money"`   // beside minutes
}

// ValueAssumptions are what the value ledger is computed with.
type ValueAssumptions struct {
	Hour    Assumption            `json:"hour"`  // what an hour of people's time costs
	Tasks   map[string]TaskWorth  `json:"tasks"` // by task; "" is any other
	Harm    map[string]Assumption `json:"harm"`  // by outcome: failed, abandoned, escalated, deflected
	Source  string                `json:"source"`
	Version int                   `json:"version"`
	By      string                `json:"by,omitempty"`
	Reason  string                `json:"reason,omitempty"`
	At      *time.Time            `json:"at,omitempty"`
}

// ValueLedger is what the runs of a period came to in money.
type ValueLedger struct {
	From        time.Time         `json:"from"`
	To          time.Time         `json:"to"`
	Currency    string            `json:"currency"`
	Assumptions *ValueAssumptions `json:"assumptions"` // null: nobody made any, and there is no ledger
	Value       *float64          `json:"value"`
	Cost        *float64          `json:"cost"`
	People      *float64          `json:"people"`
	Harm        *float64          `json:"harm"`
	Net         *float64          `json:"net"`
	Low         *float64          `json:"low"` // net with every assumption as bad as it may be
	High        *float64          `json:"high"`
	Runs        int64             `json:"runs"`   // with a known outcome
	Valued      int64             `json:"valued"` // of them, resolved and with a worth
	Priced      int64             `json:"priced"` // of them, with a known cost
	Unknown     int64             `json:"unknown"`
	Sensitivity []ValueSwing      `json:"sensitivity"`
	Lines       []ValueLine       `json:"lines"`
}

// ValueSwing is net value with one assumption at its low and at its high.
type ValueSwing struct {
	Name    string  `json:"name"`
	Low     float64 `json:"low"`
	NetLow  float64 `json:"net_low"`
	High    float64 `json:"high"`
	NetHigh float64 `json:"net_high"`
}

// ValueLine is one task and outcome of the ledger.
type ValueLine struct {
	Task    string  `json:"task"`
	Outcome string  `json:"outcome"`
	Runs    int64   `json:"runs"`
	Value   float64 `json:"value"`
	Cost    float64 `json:"cost"`
	Minutes float64 `json:"people_minutes"`
	Harm    float64 `json:"harm"`
	Records string  `json:"records"` // the search that opens its runs
}
