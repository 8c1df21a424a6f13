// Package openslo reads documents of OpenSLO, v1 and v2alpha, as objectives of
// ours.
//
// What for: people who have objectives have them in files, and the files outlive
// the tools.
//
// Who calls it: cli, for `reeve apply`.
//
// Promises: pure. A document is read as it was meant or refused with the path of
// the field that cannot be: nothing is left out silently. References are resolved
// within what is read together, in any order. Unknown fields are refused.
//
// How it fails: objective.openslo, which names file, path and what would be read.
//
// What it cannot read, since Reeve counts its own records: sources other than
// reeve, RatioTimeslices (an average of ratios), composite objectives, alerts
// below a burn rate, alerts for want of data.
//
// Start reading at Load, then slo.go.
package openslo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
)

// Document is one, as it was decoded from YAML or JSON.
type Document struct {
	File   string
	Fields map[string]any
}

// Is reports whether a document is of OpenSLO, any version.
func Is(fields map[string]any) bool {
	v, _ := fields["apiVersion"].(string)
	return strings.HasPrefix(v, "openslo")
}

// Loaded is what documents come to.
type Loaded struct {
	Objectives []client.PutObjectiveRequest
	KPIs       []client.PutKPIRequest // that the objectives need
	Others     []string               // kind/name of the documents that only others refer to
	Directions []Direction            // that the KPIs must have for it to mean what was written
}

// Direction is which way a document thinks is better of a KPI.
type Direction struct {
	KPI string
	Up  bool
	at  node
}

// Fits refuses a document that has it the other way round than the KPI's
// definition: up or down.
func (d Direction) Fits(direction string) error {
	if direction == "" || (direction == "up") == d.Up {
		return nil
	}
	return d.at.bad("of %s %s is better", d.KPI, map[string]string{"up": "more", "down": "less", "none": "neither"}[direction])
}

// Load reads documents together.
func Load(docs []Document) (*Loaded, error) {
	s := &set{by: map[string]*document{}}
	for _, d := range docs {
		if err := s.add(d); err != nil {
			return nil, err
		}
	}
	out := &Loaded{}
	for _, d := range s.list {
		if d.kind != "SLO" {
			out.Others = append(out.Others, d.kind+"/"+d.name)
			if err := d.alone(s); err != nil {
				return nil, err
			}
			continue
		}
		if err := d.slo(s, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// set is what was read together.
type set struct {
	list []*document
	by   map[string]*document // kind/name
}

// document is one whose head is in order.
type document struct {
	file, kind, name, title string
	v2                      bool
	root, spec              node
}

var kinds = []string{"DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "Service"}

func (s *set) add(in Document) error {
	root := node{file: in.File, value: in.Fields, given: true}
	d := &document{file: in.File, root: root}
	version, err := root.at("apiVersion").text(true)
	if err != nil {
		return err
	}
	switch version {
	case "openslo/v1":
	case "openslo.com/v2alpha", "openslo/v2alpha":
		d.v2 = true
	default:
		return root.at("apiVersion").bad("%.60q is no version that is read", version).WithHint("openslo/v1 or openslo.com/v2alpha")
	}
	if err := d.head(root, true); err != nil {
		return err
	}
	key := d.kind + "/" + d.name
	if s.by[key] != nil {
		return root.at("metadata").at("name").bad("there are two of kind %s named %.63q", d.kind, d.name)
	}
	s.by[key] = d
	s.list = append(s.list, d)
	return nil
}

var (
	nameShape  = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$`)
	labelShape = regexp.MustCompile(`^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$`)
)

// head reads kind and metadata; a document of its own has a version too.
func (d *document) head(root node, own bool) (err error) {
	fields := []string{"kind", "metadata", "spec"}
	if own {
		fields = append(fields, "apiVersion")
	}
	if err := root.only(fields...); err != nil {
		return err
	}
	if d.kind, err = root.at("kind").text(true); err != nil {
		return err
	}
	if !slices.Contains(kinds, d.kind) {
		return root.at("kind").bad("there is no kind %.60q", d.kind).WithHint("%s", strings.Join(kinds, ", "))
	}
	d.spec = root.at("spec")
	if _, err := d.spec.object(true); err != nil {
		return err
	}
	d.name, d.title, err = meta(root.at("metadata"), d.v2)
	return err
}

// meta reads a name and what it is called.
func meta(m node, v2 bool) (name, title string, err error) {
	fields := []string{"name", "labels", "annotations"}
	if !v2 {
		fields = append(fields, "displayName")
	}
	if _, err := m.object(true); err != nil {
		return "", "", err
	}
	if err := m.only(fields...); err != nil {
		return "", "", err
	}
	if name, err = m.at("name").text(true); err != nil {
		return "", "", err
	}
	if !nameShape.MatchString(name) {
		return "", "", m.at("name").bad("%.80q is no name", name).WithHint("at most 63 letters, digits, - and ., that begin and end with a letter or digit")
	}
	if title, err = m.at("displayName").text(false); err != nil {
		return "", "", err
	}
	for _, field := range []string{"labels", "annotations"} {
		entries, err := m.at(field).object(false)
		if err != nil {
			return "", "", err
		}
		for key, v := range entries {
			if !labelShape.MatchString(key) {
				return "", "", m.at(field).at(key).bad("%.80q is no key", key)
			}
			if err := labelValue(m.at(field).at(key), v, field == "labels" && !v2); err != nil {
				return "", "", err
			}
		}
	}
	return name, title, nil
}

func labelValue(n node, v any, many bool) error {
	list, isList := v.([]any)
	if !isList || !many {
		list = []any{v}
	}
	for _, x := range list {
		switch x.(type) {
		case string, bool, int64, uint64, float64, int:
		default:
			return n.bad("a value is a text")
		}
	}
	return nil
}

// alone checks a document that others refer to.
func (d *document) alone(s *set) error {
	switch d.kind {
	case "Service":
		if err := d.spec.only("description"); err != nil {
			return err
		}
		return d.spec.description()
	case "DataSource":
		_, err := dataSource(d.spec)
		return err
	case "SLI":
		_, err := indicator(s, d.spec, d.v2)
		return err
	case "AlertPolicy":
		_, err := policy(s, d.spec, d.v2)
		return err
	case "AlertCondition":
		_, err := condition(d.spec)
		return err
	}
	return target(d.spec)
}

func dataSource(spec node) (kind string, err error) {
	if err := spec.only("description", "type", "connectionDetails"); err != nil {
		return "", err
	}
	if err := spec.description(); err != nil {
		return "", err
	}
	return spec.at("type").text(true)
}

func target(spec node) error {
	if err := spec.only("description", "target"); err != nil {
		return err
	}
	if _, err := spec.at("target").text(true); err != nil {
		return err
	}
	return spec.description()
}

// node is a value with the path to it.
type node struct {
	file, path string
	value      any
	given      bool
}

// at is a field of an object.
func (n node) at(field string) node {
	out := node{file: n.file, path: strings.TrimPrefix(n.path+"."+field, ".")}
	if m, ok := n.value.(map[string]any); ok {
		out.value, out.given = m[field]
	}
	return out
}

// item is an element of a list.
func (n node) item(i int) node {
	out := node{file: n.file, path: fmt.Sprintf("%s[%d]", n.path, i)}
	if l, ok := n.value.([]any); ok && i < len(l) {
		out.value, out.given = l[i], true
	}
	return out
}

func (n node) has() bool { return n.given && n.value != nil }

func (n node) bad(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "objective.openslo", "%s: %s: %s", n.file, n.path, fmt.Sprintf(format, args...))
}

// text is a text; a missing one is an error where it is needed.
func (n node) text(needed bool) (string, error) {
	if !n.has() {
		if needed {
			return "", n.bad("is missing")
		}
		return "", nil
	}
	s, ok := n.value.(string)
	switch {
	case !ok:
		return "", n.bad("is not a text")
	case needed && strings.TrimSpace(s) == "":
		return "", n.bad("is empty")
	}
	return s, nil
}

func (n node) object(needed bool) (map[string]any, error) {
	if !n.has() {
		if needed && !n.given {
			return nil, n.bad("is missing")
		}
		return nil, nil
	}
	m, ok := n.value.(map[string]any)
	if !ok {
		return nil, n.bad("is not an object")
	}
	return m, nil
}

func (n node) list(needed bool) ([]any, error) {
	if !n.has() {
		if needed {
			return nil, n.bad("is missing")
		}
		return nil, nil
	}
	l, ok := n.value.([]any)
	if !ok {
		return nil, n.bad("is not a list")
	}
	return l, nil
}

func (n node) number() (v float64, given bool, err error) {
	if !n.has() {
		return 0, false, nil
	}
	switch x := n.value.(type) {
	case float64:
		return x, true, nil
	case int64:
		return float64(x), true, nil
	case uint64:
		return float64(x), true, nil
	case int:
		return float64(x), true, nil
	}
	return 0, true, n.bad("is not a number")
}

func (n node) flag() (bool, error) {
	if !n.has() {
		return false, nil
	}
	b, ok := n.value.(bool)
	if !ok {
		return false, n.bad("is not true or false")
	}
	return b, nil
}

// only refuses fields that are not among those named.
func (n node) only(fields ...string) error {
	m, ok := n.value.(map[string]any)
	if !ok {
		return nil
	}
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !slices.Contains(fields, key) {
			return n.at(key).bad("there is no such field").WithHint("%s", strings.Join(fields, ", "))
		}
	}
	return nil
}

func (n node) description() error {
	s, err := n.at("description").text(false)
	if err == nil && len([]rune(s)) > 1050 {
		return n.at("description").bad("has more than 1050 characters")
	}
	return err
}
