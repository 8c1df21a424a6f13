// Package compliance maps the controls of a framework to evidence in records, says
// of each whether it passes, and packs the evidence so that somebody outside can
// check that nobody touched it.
//
// What for: whoever has to show that agents are overseen collects screenshots for
// weeks. What records can show is shown by a question that anybody can ask again,
// with its date; what they cannot show is unknown, never passed.
//
// Who calls it: api assesses, lists and exports; cli checks packs; app supplies
// what is asked of (Facts).
//
// Promises: an assessment is a function of the mapping, the period and the records.
// A control passes when all its evidence does, fails when some fails, and is
// unknown otherwise. Assessments are kept with who asked and when. A pack's
// manifest lists every file with its SHA-256 and is signed by the keys of the audit
// log. A pack has the assessment byte for byte as it was recorded, and the proof that
// it was. Safe for concurrent use.
//
// How it fails: faults compliance.*, with the place in the file for a mapping that
// does not read. Evidence that cannot be computed is unknown with its reason.
//
// Start reading at Framework, then Book.Assess and pack.go.
package compliance

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"reeve/internal/fault"
)

// The results.
const (
	Pass    = "pass"
	Fail    = "fail"
	Unknown = "unknown"
)

// Framework is a mapping of controls to evidence.
type Framework struct {
	ID       string    `yaml:"id" json:"id"`
	Title    string    `yaml:"title" json:"title"`
	Source   string    `yaml:"source" json:"source"`
	Version  int       `yaml:"version" json:"version"`
	About    string    `yaml:"about" json:"about"`
	Controls []Control `yaml:"controls" json:"controls"`

	Custom   bool   `yaml:"-" json:"-"`
	Revision int64  `yaml:"-" json:"-"`
	Text     string `yaml:"-" json:"-"` // as it was written
}

// Control is one thing that a framework asks for.
type Control struct {
	ID       string     `yaml:"id" json:"id"`
	Title    string     `yaml:"title" json:"title"`
	Article  string     `yaml:"article" json:"article"`
	About    string     `yaml:"about" json:"about"`
	Evidence []Evidence `yaml:"evidence" json:"evidence"`
}

// Evidence is a question with what its answer has to be. One of KPI, Fact and Count
// is set, and one of AtLeast and AtMost.
type Evidence struct {
	ID      string   `yaml:"id" json:"id"`
	Title   string   `yaml:"title" json:"title"`
	KPI     string   `yaml:"kpi" json:"kpi,omitempty"`
	Fact    string   `yaml:"fact" json:"fact,omitempty"`
	Count   *Count   `yaml:"count" json:"count,omitempty"`
	AtLeast *float64 `yaml:"at_least" json:"at_least,omitempty"`
	AtMost  *float64 `yaml:"at_most" json:"at_most,omitempty"`
	Least   int64    `yaml:"least" json:"least,omitempty"` // records below which nothing is said
}

// Count is how many records a search finds.
type Count struct {
	Table string `yaml:"table" json:"table"` // runs, steps, decisions
	Where string `yaml:"where" json:"where"`
}

// FactNames are the facts that evidence may ask for, with what each says.
var FactNames = map[string]string{
	"agents_registered":         "registered agents",
	"agents_with_owner_share":   "registered agents that have an owner, of all",
	"agents_with_purpose_share": "registered agents that say what they are for, of all",
	"unknown_agents":            "agents that were seen and are not registered",
	"policies_enforced":         "policies in enforce",
	"audit_chain_intact":        "1 when both audit chains verify from end to end, else 0",
	"incidents_reviewed_share":  "incidents resolved in the period that have a finished review, of all",
	"findings_judged_share":     "findings of the period that a person judged, of all",
	"feedback_received":         "feedback of users in the period",
}

//go:embed frameworks/*.yaml
var starters embed.FS

// Starters are the mappings that ship.
func Starters() ([]*Framework, error) {
	names, err := fs.Glob(starters, "frameworks/*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*Framework
	for _, name := range names {
		text, err := starters.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := Read(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

const (
	maxText     = 256 << 10
	maxControls = 300
	maxEvidence = 20 // of a control
)

var word = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "compliance.invalid", format, args...)
}

// Read reads a mapping.
func Read(text string) (*Framework, error) {
	if len(text) > maxText {
		return nil, invalid("a mapping has %d bytes at most", maxText)
	}
	f := &Framework{}
	dec := yaml.NewDecoder(bytes.NewReader([]byte(text)), yaml.DisallowUnknownField())
	if err := dec.Decode(f); err != nil {
		return nil, invalid("the mapping does not read: %s", yaml.FormatError(err, false, true)).WithHint("docs/compliance.md has the form")
	}
	f.Text, f.About = text, strings.TrimSpace(f.About)
	return f, f.check()
}

func (f *Framework) check() error {
	switch {
	case !word.MatchString(f.ID):
		return invalid("id %.80q is no word of a-z, 0-9, dot and dash", f.ID)
	case f.Title == "":
		return invalid("the mapping has no title")
	case len(f.Controls) == 0 || len(f.Controls) > maxControls:
		return invalid("a mapping has 1 to %d controls", maxControls)
	}
	seen := map[string]bool{}
	for i := range f.Controls {
		c := &f.Controls[i]
		at := fmt.Sprintf("control %d (%.60s)", i+1, c.ID)
		switch {
		case !word.MatchString(c.ID):
			return invalid("%s: the id is no word of a-z, 0-9, dot and dash", at)
		case seen[c.ID]:
			return invalid("%s: there are two of this id", at)
		case c.Title == "":
			return invalid("%s: it has no title", at)
		case len(c.Evidence) > maxEvidence:
			return invalid("%s: it has more than %d pieces of evidence", at, maxEvidence)
		}
		seen[c.ID] = true
		ids := map[string]bool{}
		for j := range c.Evidence {
			e := &c.Evidence[j]
			if err := e.check(); err != nil {
				return invalid("%s, evidence %d (%.60s): %s", at, j+1, e.ID, fault.From(err).Message)
			}
			if ids[e.ID] {
				return invalid("%s: two pieces of evidence are called %s", at, e.ID)
			}
			ids[e.ID] = true
		}
	}
	return nil
}

func (e *Evidence) check() error {
	set := 0
	for _, is := range []bool{e.KPI != "", e.Fact != "", e.Count != nil} {
		if is {
			set++
		}
	}
	switch {
	case !word.MatchString(e.ID):
		return invalid("the id is no word of a-z, 0-9, dot and dash")
	case e.Title == "":
		return invalid("it has no title")
	case set != 1:
		return invalid("it asks for one of kpi, fact and count")
	case (e.AtLeast == nil) == (e.AtMost == nil):
		return invalid("it says at_least or at_most")
	case e.Fact != "" && FactNames[e.Fact] == "":
		return invalid("there is no fact %.60q", e.Fact)
	case e.Count != nil && !slices.Contains([]string{"runs", "steps", "decisions"}, e.Count.Table):
		return invalid("count.table is runs, steps or decisions")
	case e.Least < 0:
		return invalid("least is not negative")
	}
	for _, line := range []*float64{e.AtLeast, e.AtMost} {
		if line != nil && (math.IsNaN(*line) || math.IsInf(*line, 0)) {
			return invalid("at_least and at_most are numbers that something can be compared with")
		}
	}
	return nil
}
