// Package kpi says what each figure means and computes it: the catalogue, one
// question a table for all of it, and the interval, sample and coverage of each.
//
// What for: a number on a page that nobody can recompute is an opinion. Each one
// here has a written formula with a version, says how many records it is from,
// how far it may be off, of how much it knows nothing, and which records those are.
//
// Who calls it: api answers with figures; objective counts by a definition's
// parts; app exports them.
//
// Promises: a figure is a function of the records that its search finds, and
// equals what anybody computes from them. Unknown is nil, never zero. Definitions
// of the catalogue are checked when the process starts; those that people add keep
// every version. Safe for concurrent use.
//
// How it fails: kpi.invalid says what is wrong with a definition; kpi.not_found;
// kpi.in_use names the rules that ask for what was to go;
// a question that cannot be split as asked is refused by the store with its hint.
//
// Start reading at Definition, catalogue.yaml and Evaluate.
package kpi

import (
	"bytes"
	"cmp"
	_ "embed" // the catalogue
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// Definition says what a figure means. Exactly one of the shapes is set.
type Definition struct {
	ID        string   `yaml:"id"`
	Title     string   `yaml:"title"`
	About     string   `yaml:"about"`
	Unit      string   `yaml:"unit"`      // share, usd, ms, min, days, tokens, count, bits
	Direction string   `yaml:"direction"` // up, down: which way is better; none
	Owner     string   `yaml:"owner"`
	Source    string   `yaml:"source"` // where the records are from
	Version   int      `yaml:"version"`
	Guards    []string `yaml:"guards"` // to be read beside it

	Share     *Share    `yaml:"share"`
	Mean      *Mean     `yaml:"mean"`
	Ratio     *Ratio    `yaml:"ratio"`
	Quantile  *Quantile `yaml:"quantile"`
	PerRun    *PerRun   `yaml:"per_run"`
	Repeat    *Repeat   `yaml:"repeat"`
	Count     *Count    `yaml:"count"`
	Ledger    string    `yaml:"ledger"`  // net, harm
	Missing   string    `yaml:"missing"` // what would supply it
	Counted   string    `yaml:"counted"` // how what supplies it counts, in words; only with missing
	RecordsIn string    `yaml:"opens"`   // what its records are: runs that are over, feedback, sessions, evaluations, cases; only with missing
	RecordsOf string    `yaml:"found"`   // the search that finds these runs; runs that are over where it is empty

	Custom bool   `yaml:"-"` // people made it
	Team   string `yaml:"-"` // of a custom one: whose; "" everybody's
}

// Share is a share of rows.
type Share struct {
	Table string `yaml:"table" json:"table"`
	Of    string `yaml:"of" json:"of"`
	Among string `yaml:"among" json:"among"`
	Base  string `yaml:"base" json:"base"` // coverage: among of base; "" among

	of, among, base search.Expr
}

// Mean is the mean of a field.
type Mean struct {
	Table string  `yaml:"table" json:"table"`
	Field string  `yaml:"field" json:"field"`
	Scale float64 `yaml:"scale" json:"scale,omitempty"` // divides the field; 0 is 1
	Among string  `yaml:"among" json:"among"`

	among search.Expr
}

// Ratio is the sum of a field over that of another, or over a number of rows.
type Ratio struct {
	Table    string `yaml:"table" json:"table"`
	Field    string `yaml:"field" json:"field"`
	PerField string `yaml:"per_field" json:"per_field,omitempty"`
	Per      string `yaml:"per" json:"per,omitempty"` // a search: its rows are counted
	Among    string `yaml:"among" json:"among"`

	per, among search.Expr
}

// Quantile is a quantile of a field.
type Quantile struct {
	Table string  `yaml:"table" json:"table"`
	Field string  `yaml:"field" json:"field"`
	At    float64 `yaml:"at" json:"at"`
	Among string  `yaml:"among" json:"among"`

	among search.Expr
}

// PerRun is what happened in another table, for each run.
type PerRun struct {
	Table string `yaml:"table" json:"table"`
	Where string `yaml:"where" json:"where"`
	Among string `yaml:"among" json:"among"` // of runs

	where, among search.Expr
}

// Repeat is about runs of the same agent and task.
type Repeat struct {
	What  string `yaml:"what" json:"what"` // pass, spread, path
	K     int64  `yaml:"k" json:"k,omitempty"`
	Among string `yaml:"among" json:"among"`

	among search.Expr
}

// Count is a number of rows.
type Count struct {
	Table string `yaml:"table" json:"table"`
	Among string `yaml:"among" json:"among"`

	among search.Expr
}

//go:embed catalogue.yaml
var catalogueText []byte

type catalogueFile struct {
	Words map[string]string `yaml:"words"`
	KPIs  []*Definition     `yaml:"kpis"`
}

var catalogueWords = map[string]string{}

// catalogue is read once and never changed. That it can be read is tested.
var catalogue = func() []*Definition {
	var f catalogueFile
	dec := yaml.NewDecoder(bytes.NewReader(catalogueText), yaml.Strict())
	if err := dec.Decode(&f); err != nil {
		panic("kpi: the catalogue cannot be read: " + err.Error())
	}
	catalogueWords = f.Words
	for _, d := range f.KPIs {
		if err := d.Compile(); err != nil {
			panic("kpi: " + d.ID + ": " + err.Error())
		}
	}
	return f.KPIs
}()

// Catalogue is all definitions that come with Reeve, in their order. They are
// shared: do not change them.
func Catalogue() []*Definition { return catalogue }

var scopes = map[string]search.Scope{"runs": search.ScopeRun, "steps": search.ScopeStep, "decisions": search.ScopeDecision}

var idShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "kpi.invalid", format, args...)
}

// words puts $known and the others where they are named.
func words(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	for name, is := range catalogueWords {
		text = regexp.MustCompile(`\$`+name+`\b`).ReplaceAllLiteralString(text, is)
	}
	return text
}

func parse(table, field, text string) (search.Expr, error) {
	scope, ok := scopes[table]
	if !ok {
		return nil, invalid("there is no table %.40q", table).WithHint("runs, steps or decisions")
	}
	e, err := search.ParseIn(scope, words(text))
	if err != nil {
		return nil, invalid("%s: %s", field, err).WithCause(err)
	}
	if search.HasText(e) {
		return nil, invalid("%s looks for a phrase in content", field).WithHint("name fields: agent, task, status, label.NAME")
	}
	return e, nil
}

// Compile checks a definition and reads its searches.
func (d *Definition) Compile() (err error) {
	shapes := 0
	for _, set := range []bool{d.Share != nil, d.Mean != nil, d.Ratio != nil, d.Quantile != nil, d.PerRun != nil, d.Repeat != nil, d.Count != nil, d.Ledger != "", d.Missing != ""} {
		if set {
			shapes++
		}
	}
	line := func(s string, most int) bool {
		return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case !idShape.MatchString(d.ID):
		return invalid("an id begins with a letter and has a-z, 0-9 and _, at most 63")
	case shapes != 1:
		return invalid("a definition has exactly one shape, not %d", shapes).WithHint("share, mean, ratio, quantile, per_run, repeat or count")
	case !line(d.Title, 120) || !line(d.About, 600) || !line(d.Owner, 120):
		return invalid("title, about and owner are one line each")
	case !slices.Contains([]string{"share", "usd", "ms", "min", "days", "tokens", "count", "bits"}, d.Unit):
		return invalid("there is no unit %.40q", d.Unit).WithHint("share, usd, ms, min, days, tokens, count, bits")
	case !slices.Contains([]string{"up", "down", "none"}, d.Direction):
		return invalid("direction is %.40q", d.Direction).WithHint("up, down or none: which way is better")
	}
	read := func(into *search.Expr, table, field, text string) {
		if err == nil {
			*into, err = parse(table, field, text)
		}
	}
	switch {
	case d.Share != nil:
		s := d.Share
		if d.Unit != "share" {
			return invalid("a share has the unit share")
		}
		if s.Base == "" {
			s.Base = s.Among
		}
		read(&s.of, s.Table, "of", s.Of)
		read(&s.among, s.Table, "among", s.Among)
		read(&s.base, s.Table, "base", s.Base)
	case d.Mean != nil:
		read(&d.Mean.among, d.Mean.Table, "among", d.Mean.Among)
		if err == nil && d.Mean.Field == "" {
			return invalid("a mean is of a field")
		}
	case d.Ratio != nil:
		r := d.Ratio
		if r.Field == "" || (r.PerField == "") == (r.Per == "") {
			return invalid("a ratio is of a field, and has either per_field or per")
		}
		read(&r.among, r.Table, "among", r.Among)
		read(&r.per, r.Table, "per", r.Per)
	case d.Quantile != nil:
		if !(d.Quantile.At > 0 && d.Quantile.At < 1) || d.Quantile.Field == "" {
			return invalid("a quantile is of a field, at more than 0 and less than 1")
		}
		read(&d.Quantile.among, d.Quantile.Table, "among", d.Quantile.Among)
	case d.PerRun != nil:
		read(&d.PerRun.where, d.PerRun.Table, "where", d.PerRun.Where)
		read(&d.PerRun.among, "runs", "among", d.PerRun.Among)
	case d.Repeat != nil:
		r := d.Repeat
		if !slices.Contains([]string{"pass", "spread", "path"}, r.What) || r.What == "pass" && (r.K < 1 || r.K > 100) {
			return invalid("repeat is pass with k from 1 to 100, spread or path")
		}
		read(&r.among, "runs", "among", r.Among)
	case d.Count != nil:
		read(&d.Count.among, d.Count.Table, "among", d.Count.Among)
	case d.Ledger != "":
		if !slices.Contains([]string{"net", "harm"}, d.Ledger) {
			return invalid("the ledger has net and harm")
		}
	}
	if err == nil && d.RecordsIn != "" && d.Missing == "" {
		return invalid("what its records are follows from its shape: opens is of what others supply")
	}
	return err
}

// Formula is the definition in words that can be recomputed.
func (d *Definition) Formula() string {
	or := func(s, other string) string {
		if s = words(s); s == "" {
			return other
		}
		return s
	}
	switch {
	case d.Share != nil:
		return fmt.Sprintf("%s with %s / %s with %s", d.Share.Table, or(d.Share.Of, "all"), d.Share.Table, or(d.Share.Among, "all"))
	case d.Mean != nil:
		return fmt.Sprintf("sum of %s / %s that have it, with %s", d.Mean.Field, d.Mean.Table, or(d.Mean.Among, "all"))
	case d.Ratio != nil && d.Ratio.PerField != "":
		return fmt.Sprintf("sum of %s / sum of %s, over %s with %s", d.Ratio.Field, d.Ratio.PerField, d.Ratio.Table, or(d.Ratio.Among, "all"))
	case d.Ratio != nil:
		return fmt.Sprintf("sum of %s over %s with %s / of them those with %s", d.Ratio.Field, d.Ratio.Table, or(d.Ratio.Among, "all"), or(d.Ratio.Per, "all"))
	case d.Quantile != nil:
		return fmt.Sprintf("quantile %g of %s over %s with %s", d.Quantile.At, d.Quantile.Field, d.Quantile.Table, or(d.Quantile.Among, "all"))
	case d.PerRun != nil:
		return fmt.Sprintf("%s with %s / runs with %s", d.PerRun.Table, or(d.PerRun.Where, "all"), or(d.PerRun.Among, "all"))
	case d.Repeat != nil:
		by := ", by agent and task, over runs with " + or(d.Repeat.Among, "all")
		switch d.Repeat.What {
		case "pass":
			return fmt.Sprintf("mean of C(resolved, %d) / C(runs, %[1]d)%s", d.Repeat.K, by)
		case "spread":
			return "mean of the chance that two runs end differently" + by
		}
		return "entropy of the orders of tool calls in bits, weighted by runs" + by
	case d.Count != nil:
		return fmt.Sprintf("number of %s with %s", d.Count.Table, or(d.Count.Among, "all"))
	case d.Ledger == "harm":
		return "runs by outcome times what the assumptions say that it costs"
	case d.Ledger != "":
		return "resolved runs times their worth, less cost of models, people's minutes and harm, by the assumptions in force"
	}
	if d.Counted != "" {
		return d.Counted
	}
	return "no data: it needs " + d.Missing
}

// Records is the search for the records behind a figure, and their table: as many
// as the figure is from, so without test runs where they are runs. Steps and decisions
// of tests are left out by whoever asks: see Opens.
func (d *Definition) Records() (table, query string) {
	table, query = d.records()
	if table != "runs" {
		return table, query
	}
	return table, Served(table, query)
}

// Opens is the search that opens the records behind a figure, for somebody who looks at
// them, and their table. Where that is none of runs, steps and decisions, no search
// finds them: they have a list of their own.
func (d *Definition) Opens() (table, query string) {
	if d.Missing != "" {
		if d.RecordsIn == "runs" {
			return "runs", Served("runs", words(cmp.Or(d.RecordsOf, "$ended")))
		}
		return d.RecordsIn, ""
	}
	table, query = d.records()
	return table, Served(table, query)
}

// Served leaves test runs, and what belongs to them, out of a search that somebody looks
// at (search.ParseAsked), as figures do.
func Served(table, query string) string {
	not := "-mode:test"
	if table != "runs" {
		not = "-" + search.FieldRunMode + ":test"
	}
	switch {
	case table == "":
		return query
	case query == "":
		return not
	}
	return "(" + query + ") " + not
}

// records is Records, with test runs among them.
func (d *Definition) records() (table, query string) {
	switch {
	case d.Share != nil:
		return d.Share.Table, words(d.Share.Among)
	case d.Mean != nil:
		return d.Mean.Table, having(d.Mean.Table, words(d.Mean.Among), d.Mean.Field)
	case d.Ratio != nil:
		return d.Ratio.Table, having(d.Ratio.Table, words(d.Ratio.Among), d.Ratio.Field, d.Ratio.PerField)
	case d.Quantile != nil:
		return d.Quantile.Table, having(d.Quantile.Table, words(d.Quantile.Among), d.Quantile.Field)
	case d.PerRun != nil:
		return d.PerRun.Table, words(d.PerRun.Where)
	case d.Repeat != nil:
		return "runs", words(d.Repeat.Among)
	case d.Count != nil:
		return d.Count.Table, words(d.Count.Among)
	case d.Ledger != "":
		return "runs", words("$known")
	}
	return "", ""
}

// having narrows a search to the records that have fields: a figure is of those alone.
// What is no field of a search, every record has.
func having(table, query string, fields ...string) string {
	var has []string
	for _, f := range fields {
		field, ok := search.Lookup(scopes[table], fieldOf(f))
		if f == "" || !ok {
			continue
		}
		has = append(has, field.Name+"!=unknown")
		if table == "steps" && (field.Unit == "tokens" || field.Unit == "usd") {
			has = append(has, "counted:true") // of nested steps one counts
		}
	}
	if len(has) == 0 {
		return query
	}
	if query != "" {
		has = append([]string{"(" + query + ")"}, has...)
	}
	return strings.Join(has, " ")
}

// Hits is the search that opens the records that count, of a share; "" of others.
func (d *Definition) Hits() string {
	if d.Share == nil {
		return ""
	}
	of, among := words(d.Share.Of), words(d.Share.Among)
	switch {
	case among == "":
		among = of
	case of != "":
		among = "(" + of + ") (" + among + ")"
	}
	return Served(d.Share.Table, among)
}

// Method names how the interval is made.
func (d *Definition) Method() string {
	switch {
	case d.Share != nil, d.Counted != "":
		return "Wilson, 95 %"
	case d.Mean != nil:
		return "Student's t, 95 %"
	case d.Ratio != nil:
		return "delta method, 95 %"
	case d.Quantile != nil:
		return "order statistics, at least 95 %"
	case d.PerRun != nil:
		return "compound Poisson, 95 %"
	case d.Repeat != nil && d.Repeat.What == "path":
		return "normal, Miller-Madow corrected, 95 %"
	case d.Repeat != nil && d.Repeat.What == "spread":
		return "test inversion over runs of these tasks (MOVER), 95 %"
	case d.Repeat != nil:
		return "Student's t over tasks, 95 %"
	}
	return ""
}
