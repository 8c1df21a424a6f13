// Package objective keeps what figures should come to, how much may still go
// wrong until they do not, and what follows when it has gone wrong.
//
// What for: a figure on a page is looked at by nobody at night. An objective says
// how good is good enough, the rest is a budget that agents may spend, and how
// fast it is spent says whether somebody has to get up. A spent budget narrows
// the agent; one that is hardly touched is a reason to trust it with more.
//
// Who calls it: api sets and shows objectives (Put, List, Status); app runs it,
// tells it of runs (Observe), reads the KPIs for it (Options.Indicators), and
// makes findings of its alarms (Options.Alarm, Options.Over).
//
// Promises: budgets are computed from counts of records, in the window of their
// end, so that late facts correct the past. Burn alerts and sequences count a run
// once, when its verdict came, so that late news still alarms; a run that two
// writes tell of is counted once, and counting goes on where it was after a kill.
// Of a KPI that is known of too few records nothing alarms and nothing is
// recovered: no data is not good data. Autonomy is never changed here: a change
// that lasts is proposed, and a person accepts it. Memory and rows are bounded.
// Safe for concurrent use.
//
// How it fails: objective.invalid, objective.not_found, objective.conflict,
// objective.denied, objective.too_many, objective.state. What cannot be read is
// tried again with the next look, and Standing.Why says so meanwhile.
//
// Start reading at Objective, then Budget and Burn in budget.go, Book.Run.
package objective

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// Objective says what a KPI should come to.
type Objective struct {
	Name        string `json:"-"`
	Team        string `json:"-"` // whose records; "" all teams'
	Environment string `json:"-"` // "" all

	Title   string `json:"title"`
	Text    string `json:"text,omitempty"`
	KPI     string `json:"kpi"`
	Agent   string `json:"agent,omitempty"` // whose records; "" all agents'
	Version string `json:"version,omitempty"`
	Task    string `json:"task,omitempty"`

	// Target of a share is the share itself: at least, or at most where less is
	// better. With a Limit it is the share of records, or of slices, that keep it.
	Target float64 `json:"target"`
	// Limit is what a record's value, a slice's figure or the events of a run may
	// come to; nil for a share of records.
	Limit *float64 `json:"limit,omitempty"`
	// Slice counts slices of time instead of records: one is good when the KPI's
	// figure in it keeps the limit. 0 counts records.
	Slice  time.Duration `json:"slice,omitempty"`
	Window Window        `json:"window"`

	Alerts   []Alert `json:"alerts,omitempty"`   // none: Defaults of the window
	Stream   *Stream `json:"stream,omitempty"`   // nil: no sequence is watched
	Coverage float64 `json:"coverage,omitempty"` // of the records, those that must be known
	Minimum  int64   `json:"minimum,omitempty"`  // records below which a budget is not called spent
	Propose  bool    `json:"propose,omitempty"`  // a lasting change of the agent's autonomy

	Revision  int64     `json:"-"`
	By        string    `json:"-"`
	Reason    string    `json:"-"`
	CreatedAt time.Time `json:"-"`
	UpdatedAt time.Time `json:"-"`
}

// Window is the time over which a budget holds: exactly one is set.
type Window struct {
	Rolling  time.Duration `json:"rolling,omitempty"`
	Calendar string        `json:"calendar,omitempty"` // day, week, month, quarter, year
	Zone     string        `json:"zone,omitempty"`     // of the calendar; "" UTC
	// Start is when some window of the calendar began, for those that do not begin
	// with its own first midnight; zero: they do.
	Start time.Time `json:"start,omitzero"`
}

// Alert is raised while the budget burns at Factor times the pace that would
// spend it in exactly its window, over both the long and the short time.
type Alert struct {
	Severity string        `json:"severity"` // info, warning, critical
	Long     time.Duration `json:"long"`
	Short    time.Duration `json:"short"`
	Factor   float64       `json:"factor"`
}

// Stream watches verdicts one by one for falling short of the target, by a
// sequence that holds however often one looks.
type Stream struct {
	Labels  int64         `json:"labels,omitempty"`  // a new bet begins after so many; 0 is 500
	Within  time.Duration `json:"within,omitempty"`  // or after so long; 0 is a day
	Alpha   float64       `json:"alpha,omitempty"`   // the chance that it ever alarms of a good stream; 0 is .05
	Minimum int64         `json:"minimum,omitempty"` // labels before it says anything; 0 is 30
}

// Calendars of a window.
func calendars() []string { return []string{"day", "week", "month", "quarter", "year"} }

// Defaults.
const (
	defaultCoverage = 0.3
	defaultMinimum  = 50
	defaultLabels   = 500
	defaultWithin   = 24 * time.Hour
	defaultAlpha    = 0.05
	defaultLabelMin = 30

	maxSlices = 3000 // in a window
	maxAlerts = 8
)

// complete puts in what was left out.
func (o *Objective) complete() {
	o.Coverage = cmp.Or(o.Coverage, defaultCoverage)
	o.Minimum = cmp.Or(o.Minimum, defaultMinimum)
	if o.Window == (Window{}) {
		o.Window.Rolling = 30 * 24 * time.Hour
	}
	if len(o.Alerts) == 0 {
		o.Alerts = Defaults(o.Window.Length())
		if o.Slice > 0 {
			o.Alerts = widen(o.Alerts, o.Window.Length(), o.Slice)
		}
	}
	if s := o.Stream; s != nil {
		s.Labels, s.Within = cmp.Or(s.Labels, defaultLabels), cmp.Or(s.Within, defaultWithin)
		s.Alpha, s.Minimum = cmp.Or(s.Alpha, defaultAlpha), cmp.Or(s.Minimum, defaultLabelMin)
	}
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "objective.invalid", format, args...)
}

func line(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// check says what is wrong with it; in is the KPI it is on.
func (o *Objective) check(in *Indicator) error {
	for _, text := range []string{o.Team, o.Environment, o.Agent, o.Version, o.Task} {
		if !line(text, 200) {
			return invalid("team, environment, agent, version and task are a line of at most 200 bytes each")
		}
	}
	switch {
	case !nameShape.MatchString(o.Name):
		return invalid("an objective's name has 1 to 63 of a-z, 0-9 and hyphens")
	case !line(o.Title, 120) || strings.TrimSpace(o.Title) == "" || !line(o.Text, 1050) || !line(o.Reason, 800):
		return invalid("the title is a line of at most 120 bytes, the text one of at most 1050 and the reason one of at most 800")
	case math.IsNaN(o.Target) || o.Target < 0 || o.Target > 1:
		return invalid("the target is %v: a share is from 0 to 1", o.Target).WithHint("95 %% is 0.95")
	case !(o.Coverage > 0 && o.Coverage <= 1):
		return invalid("coverage is above 0 and at most 1: the share of the records that must be known")
	case o.Minimum < 1 || o.Minimum > 1e9:
		return invalid("minimum is 1 or more records")
	case o.Limit != nil && (math.IsNaN(*o.Limit) || math.IsInf(*o.Limit, 0) || math.Abs(*o.Limit) > 1e15):
		return invalid("the limit is no number that a figure can come to")
	}
	if err := o.Window.check(); err != nil {
		return err
	}
	if err := o.shape(in); err != nil {
		return err
	}
	if err := o.checkAlerts(); err != nil {
		return err
	}
	return o.checkStream(in)
}

// shape says whether it can be counted as asked.
func (o *Objective) shape(in *Indicator) error {
	if in.Missing != "" {
		return invalid("%s has no data: it needs %s", in.ID, in.Missing)
	}
	if in.Direction == "none" {
		return invalid("of %s neither more nor less is better", in.ID).WithHint("choose a KPI that has a better direction")
	}
	if o.Slice != 0 {
		switch {
		case o.Slice < time.Minute || o.Slice > o.Window.Length()/2 || o.Window.Length()/o.Slice > maxSlices:
			return invalid("slice is %s: a minute or more, of which at most %d are in the window", o.Slice, maxSlices)
		case o.Limit == nil:
			return invalid("slices of time need a limit: what the figure of a good one comes to").WithHint("limit: 0.9")
		case o.Target <= 0 || o.Target >= 1:
			return invalid("the target is the share of good slices: above 0 and below 1")
		}
		return nil
	}
	switch in.Kind {
	case KindShare:
		if o.Limit != nil {
			return invalid("%s is a share of records: its target says all", in.ID).WithHint("leave out limit, or count slices of time")
		}
		if t := o.goal(in); t <= 0 || t >= 1 {
			return invalid("a target of %v leaves no budget, or nothing to keep", o.Target).WithHint("above 0 and below 1")
		}
	case KindField:
		if o.Limit == nil {
			return invalid("%s is of values: it needs a limit for each, and as target the share of records that keep it", in.ID).WithHint("limit: 5000, target: 0.95")
		}
		if o.Target <= 0 || o.Target >= 1 {
			return invalid("the target is the share of records that keep the limit: above 0 and below 1")
		}
		if _, err := search.ParseIn(scopes()[in.Table], o.good(in).String()); err != nil {
			return invalid("the limit cannot be compared with: %s", err)
		}
	case KindEvents:
		if o.Limit == nil || *o.Limit <= 0 || o.Target != 0 {
			return invalid("%s counts events by run: its limit says how many a run may have, and it has no target", in.ID)
		}
	default:
		return invalid("%s cannot be counted record by record", in.ID).WithHint("give slice and limit: a slice of time is good when the figure in it keeps the limit")
	}
	return nil
}

func (o *Objective) checkAlerts() error {
	if len(o.Alerts) > maxAlerts {
		return invalid("at most %d alerts", maxAlerts)
	}
	for i, a := range o.Alerts {
		switch {
		case !slices.Contains([]string{"info", "warning", "critical"}, a.Severity):
			return invalid("alerts[%d].severity is info, warning or critical", i)
		case a.Short < time.Minute || a.Long <= a.Short || a.Long > 7*24*time.Hour || a.Long > o.Window.Length():
			return invalid("alerts[%d]: the long time is longer than the short one, which is a minute or more, and at most 7 days and the window", i)
		case !(a.Factor > 0 && a.Factor <= 1e6):
			return invalid("alerts[%d].factor is above 0", i)
		case o.Slice > 0 && a.Short < o.Slice:
			return invalid("alerts[%d]: no slice of %s fits into the short time %s", i, o.Slice, a.Short)
		}
	}
	return nil
}

func (o *Objective) checkStream(in *Indicator) error {
	s := o.Stream
	switch {
	case s == nil:
		return nil
	case o.Slice != 0 || in.Table != "runs" || in.Kind != KindShare && in.Kind != KindField:
		return invalid("a sequence watches verdicts about runs: %s has none", in.ID).WithHint("leave out stream, or choose a share of runs")
	case s.Labels < 10 || s.Labels > 1e6 || s.Minimum < 1 || s.Minimum > 1e6:
		return invalid("stream.labels is 10 to 1000000, stream.minimum 1 to 1000000")
	case s.Within < time.Minute || s.Within > 90*24*time.Hour:
		return invalid("stream.within is a minute to 90 days")
	case !(s.Alpha >= 1e-6 && s.Alpha <= 0.5):
		return invalid("stream.alpha is the chance of a false alarm: from 0.000001 to 0.5")
	}
	return nil
}

func (w Window) check() error {
	switch {
	case (w.Rolling != 0) == (w.Calendar != ""):
		return invalid("a window is either rolling or of a calendar")
	case w.Rolling != 0 && (w.Rolling < time.Hour || w.Rolling > 366*24*time.Hour):
		return invalid("a rolling window is an hour to 366 days")
	case !w.Start.IsZero() && (w.Calendar == "" || w.Start.Year() < 1990 || w.Start.Year() > 2200 || w.Start.Day() > 28 && w.Calendar != "day" && w.Calendar != "week"):
		return invalid("a start is of a calendar window, from 1990 to 2200, and of months one of their first 28 days")
	case w.Calendar != "" && !slices.Contains(calendars(), w.Calendar):
		return invalid("there is no calendar %.40q", w.Calendar).WithHint("%s", strings.Join(calendars(), ", "))
	}
	if _, err := time.LoadLocation(w.Zone); err != nil || w.Zone == "Local" || len(w.Zone) > 64 {
		return invalid("there is no time zone %.64q", w.Zone).WithHint("a name such as Europe/Berlin")
	}
	return nil
}

// Length is how long it is, a month as 30 days.
func (w Window) Length() time.Duration {
	const day = 24 * time.Hour
	switch w.Calendar {
	case "day":
		return day
	case "week":
		return 7 * day
	case "month":
		return 30 * day
	case "quarter":
		return 91 * day
	case "year":
		return 365 * day
	}
	return w.Rolling
}

// At is the window that holds at a time: its begin, and its end, which is now for
// a rolling one.
func (w Window) At(now time.Time) (from, to time.Time) {
	if w.Calendar == "" {
		return now.Add(-w.Rolling), now
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil { // it was checked; a system may lose its zones
		zone = time.UTC
	}
	t := now.In(zone)
	if !w.Start.IsZero() {
		return w.from(now, zone)
	}
	y, m, d := t.Date()
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, zone) }
	switch w.Calendar {
	case "day":
		return at(y, m, d), at(y, m, d+1)
	case "week":
		d -= (int(t.Weekday()) + 6) % 7
		return at(y, m, d), at(y, m, d+7)
	case "month":
		return at(y, m, 1), at(y, m+1, 1)
	case "quarter":
		m -= (m - 1) % 3
		return at(y, m, 1), at(y, m+3, 1)
	}
	return at(y, 1, 1), at(y+1, 1, 1)
}

// from is At of windows that are counted from a start.
func (w Window) from(now time.Time, zone *time.Location) (from, to time.Time) {
	start := w.Start.In(zone)
	step := func(k int) time.Time {
		switch w.Calendar {
		case "day":
			return start.AddDate(0, 0, k)
		case "week":
			return start.AddDate(0, 0, 7*k)
		case "month":
			return start.AddDate(0, k, 0)
		case "quarter":
			return start.AddDate(0, 3*k, 0)
		}
		return start.AddDate(k, 0, 0)
	}
	k := int(now.Sub(start)/w.Length()) - 2 // months differ, and clocks are put on and back
	for !step(k + 1).After(now) {
		k++
	}
	for step(k).After(now) {
		k--
	}
	return step(k), step(k + 1)
}

// Kinds of an indicator: how its records are counted.
const (
	KindShare  = "share"  // a record counts or it does not
	KindField  = "field"  // a record's value keeps a limit or it does not
	KindEvents = "events" // records of another table, by run
	KindFigure = "figure" // only as a figure over a time
)

// Indicator is a KPI as an objective counts it.
type Indicator struct {
	ID, Title, Unit, Direction string
	Team                       string // of one that people defined; "" everybody's
	Version                    int
	Missing                    string // what would supply it
	Kind                       string

	Table           string
	Of, Among, Base search.Expr // of a share: those that count, among which, of what there is
	Field           string      // of values, as measures name it
	Scale           float64     // what the field is divided by
	Events          string      // of events: their table
	Where           search.Expr // of events: which
}

// goal is the share of the records that is good when the objective is just met.
func (o *Objective) goal(in *Indicator) float64 {
	if in.Kind == KindShare && o.Slice == 0 && in.Direction == "down" {
		return 1 - o.Target
	}
	return o.Target
}

// good is the search for the records that are good.
func (o *Objective) good(in *Indicator) search.Expr {
	if in.Kind == KindField {
		op := "<="
		if in.Direction == "up" {
			op = ">="
		}
		return &search.Cmp{Field: fieldOf(in.Field), Op: op, Values: []string{strconv.FormatFloat(*o.Limit*cmp.Or(in.Scale, 1), 'f', -1, 64) + unitOf(in.Field)}}
	}
	if in.Direction == "down" {
		return &search.Not{Of: in.Of}
	}
	return in.Of
}

// known is the search for the records that are counted at all.
func (o *Objective) known(in *Indicator) search.Expr {
	if in.Kind == KindField {
		return search.Both(in.Among, &search.Not{Of: search.Unknown(fieldOf(in.Field))})
	}
	return in.Among
}

// base is the search for the records of which some are counted.
func (in *Indicator) base() search.Expr {
	if in.Base != nil {
		return in.Base
	}
	return in.Among
}

// fieldOf is the searchable field of a measure.
func fieldOf(measure string) string { return strings.TrimSuffix(measure, "_ms") }

// unitOf is what a value of a measure's field is written with in a search.
func unitOf(measure string) string {
	if strings.HasSuffix(measure, "_ms") {
		return "ms"
	}
	return ""
}

// scopes are the searches of tables.
func scopes() map[string]search.Scope {
	return map[string]search.Scope{"runs": search.ScopeRun, "steps": search.ScopeStep, "decisions": search.ScopeDecision}
}

// scope narrows records of a table to the objective's.
func (o *Objective) scope(table string) search.Expr {
	fields := scopes()
	var out search.Expr
	for _, f := range []struct{ name, value string }{{"team", o.Team}, {"environment", o.Environment}, {"agent", o.Agent}, {"version", o.Version}, {"task", o.Task}} {
		if _, ok := search.Lookup(fields[table], f.name); ok && f.value != "" {
			out = search.Both(out, search.Is(f.name, f.value))
		}
	}
	return out
}

// narrows reports whether every narrowing is possible on the indicator's tables.
func (o *Objective) narrows(in *Indicator) error {
	fields := scopes()
	if in.Table == "" && o.Task != "" {
		return invalid("%s knows no task: it cannot be narrowed to one", in.ID)
	}
	for _, table := range []string{in.Table, in.Events} {
		for _, f := range []struct{ name, value string }{{"version", o.Version}, {"task", o.Task}} {
			if _, ok := search.Lookup(fields[table], f.name); table != "" && f.value != "" && !ok {
				return invalid("%s know no %s: %s cannot be narrowed to one", table, f.name, in.ID)
			}
		}
	}
	return nil
}
