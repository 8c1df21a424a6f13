package fleet

import (
	"cmp"
	"context"
	_ "embed" // the default standard
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

//go:embed standard.yaml
var defaultStandard []byte

// Standard is what agents keep to. What a pilot may spend is set beside it, by
// the limits in the configuration.
type Standard struct {
	Version string `yaml:"version"`
	Rules   []Rule `yaml:"rules"`
}

// Rule asks something of some agents.
type Rule struct {
	ID      string  `yaml:"id"`
	Text    string  `yaml:"text"`
	Refuse  bool    `yaml:"refuse"`
	When    When    `yaml:"when"`
	Require Require `yaml:"require"`

	team *regexp.Regexp
}

// When names agents: all lists that are given must hold.
type When struct {
	Lifecycle   []string `yaml:"lifecycle"`
	Environment []string `yaml:"environment"`
	Team        []string `yaml:"team"`
	Kind        []string `yaml:"kind"`
	Mode        []string `yaml:"mode"`
}

// Require is what a rule asks for; what is not given is not asked.
type Require struct {
	Owner           bool          `yaml:"owner"`
	Sponsor         bool          `yaml:"sponsor"`
	Purpose         int           `yaml:"purpose"`     // letters at least
	Classes         []string      `yaml:"classes"`     // only these data classes
	ClassesNot      []string      `yaml:"classes_not"` // none of these
	Autonomy        string        `yaml:"autonomy"`    // at most
	Enforced        bool          `yaml:"enforced"`
	Team            string        `yaml:"team"`     // a regular expression
	Labels          []string      `yaml:"labels"`   // that there must be
	KeyLife         time.Duration `yaml:"key_life"` // of each living key, at most
	NoKeys          bool          `yaml:"no_keys"`  // short-lived credentials only
	Seen            time.Duration `yaml:"seen"`     // at work within
	VersionApproved bool          `yaml:"version_approved"`
}

// ReadStandard reads a standard; nil reads the default. Unknown keys, words and
// rules that ask for nothing are refused, with the place.
func ReadStandard(text []byte) (*Standard, error) {
	if text == nil {
		text = defaultStandard
	}
	s := &Standard{}
	if err := yaml.UnmarshalWithOptions(text, s, yaml.Strict()); err != nil {
		return nil, fault.New(fault.KindInvalid, "standard.invalid", "the standard cannot be read").WithHint("%s", yaml.FormatError(err, false, true)).WithCause(err)
	}
	bad := func(format string, args ...any) (*Standard, error) {
		return nil, fault.New(fault.KindInvalid, "standard.invalid", "the standard: "+format, args...)
	}
	if s.Version == "" {
		return bad("it has no version")
	}
	seen := map[string]bool{}
	for i := range s.Rules {
		r := &s.Rules[i]
		switch {
		case !agent.ValidName(r.ID) || seen[r.ID]:
			return bad("rule %d has the id %q; ids are lower case and each is there once", i+1, r.ID)
		case r.Text == "":
			return bad("rule %s has no text", r.ID)
		case r.Require.empty():
			return bad("rule %s asks for nothing", r.ID)
		case r.Require.KeyLife < 0 || r.Require.Seen < 0 || r.Require.Purpose < 0:
			return bad("rule %s asks for less than nothing", r.ID)
		case r.Require.Autonomy != "" && rank(r.Require.Autonomy) < 0:
			return bad("rule %s: autonomy is %q, which is none of %s", r.ID, r.Require.Autonomy, strings.Join(autonomies, ", "))
		}
		for _, w := range []struct {
			field string
			words []string
			known []string
		}{
			{"lifecycle", r.When.Lifecycle, []string{agent.Draft, agent.Pilot, agent.Production, agent.Retired}},
			{"kind", r.When.Kind, []string{"internal", "third_party"}},
			{"mode", r.When.Mode, []string{"interactive", "autonomous", "asynchronous"}},
		} {
			for _, word := range w.words {
				if !slices.Contains(w.known, word) {
					return bad("rule %s: %s is %q, which is none of %s", r.ID, w.field, word, strings.Join(w.known, ", "))
				}
			}
		}
		if r.Require.Team != "" {
			var err error
			if r.team, err = regexp.Compile(r.Require.Team); err != nil {
				return bad("rule %s: team is no regular expression: %v", r.ID, err)
			}
		}
		seen[r.ID] = true
	}
	return s, nil
}

var autonomies = []string{agent.ReadOnly, agent.Supervised, agent.Bounded, agent.Autonomous}

func rank(autonomy string) int { return slices.Index(autonomies, autonomy) }

func (r *Require) empty() bool {
	return !r.Owner && !r.Sponsor && r.Purpose == 0 && len(r.Classes) == 0 && len(r.ClassesNot) == 0 && r.Autonomy == "" && !r.Enforced &&
		r.Team == "" && len(r.Labels) == 0 && r.KeyLife == 0 && !r.NoKeys && r.Seen == 0 && !r.VersionApproved
}

func (w *When) holds(a *agent.Agent) bool {
	in := func(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }
	return in(w.Lifecycle, a.Lifecycle) && in(w.Environment, a.Environment) && in(w.Team, a.Team) && in(w.Kind, a.Kind) && in(w.Mode, a.Mode)
}

// facts are what a rule asks of an agent beside its own record.
type facts struct {
	now      time.Time
	keyLife  time.Duration // the longest of its living keys; 0 none
	seen     time.Time
	approved bool // a person approved the version that runs, or none is known
}

// breaks says in words how an agent breaks a rule; "" when it keeps to it.
func (r *Rule) breaks(a *agent.Agent, f facts) string {
	q := &r.Require
	over := func(have, limit []string) []string {
		return slices.DeleteFunc(slices.Clone(have), func(c string) bool { return slices.Contains(limit, c) })
	}
	switch {
	case q.Owner && a.Owner == "":
		return "it has no owner"
	case q.Sponsor && a.Sponsor == "":
		return "it has no sponsor"
	case len([]rune(strings.TrimSpace(a.Purpose))) < q.Purpose:
		return fmt.Sprintf("its purpose is shorter than %d letters", q.Purpose)
	case len(q.Classes) > 0 && len(over(a.DataClasses, q.Classes)) > 0:
		return "it has the data classes " + strings.Join(over(a.DataClasses, q.Classes), ", ")
	case slices.ContainsFunc(a.DataClasses, func(c string) bool { return slices.Contains(q.ClassesNot, c) }):
		return "it has the data classes " + strings.Join(slices.DeleteFunc(slices.Clone(a.DataClasses), func(c string) bool { return !slices.Contains(q.ClassesNot, c) }), ", ")
	case q.Autonomy != "" && rank(a.Autonomy) > rank(q.Autonomy):
		return "its autonomy is " + a.Autonomy
	case q.Enforced && !a.Enforced(f.now):
		return "it is in observe"
	case r.team != nil && !r.team.MatchString(a.Team):
		return "its team is " + a.Team
	case q.KeyLife > 0 && f.keyLife > q.KeyLife:
		return fmt.Sprintf("one of its keys lives %s", days(f.keyLife))
	case q.NoKeys && f.keyLife > 0:
		return "it has a key that is not short-lived"
	case q.Seen > 0 && f.seen.IsZero():
		return "it was never seen at work"
	case q.Seen > 0 && f.now.Sub(f.seen) > q.Seen:
		return fmt.Sprintf("it was last seen %s ago", days(f.now.Sub(f.seen)))
	case q.VersionApproved && !f.approved:
		return "nobody approved the version that runs"
	}
	for _, l := range q.Labels {
		if a.Labels[l] == "" {
			return "it has no label " + l
		}
	}
	return ""
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Break is a rule of the standard that an agent does not keep.
type Break struct {
	Rule, Text  string
	Why         string // "it has no sponsor"
	Refused     bool
	WaivedTill  time.Time // zero: not waived
	WaiveReason string
}

// Waiver lets an agent break a rule until a date.
type Waiver struct {
	Agent, Rule string
	Till        time.Time
	Reason, By  string
	At          time.Time
}

// Standard is the standard in force.
func (f *Fleet) Standard() *Standard { return f.standard.Load() }

// Breaks lists the rules that an agent does not keep, the waived ones marked.
func (f *Fleet) Breaks(a *agent.Agent) []Break {
	return f.breaks(a, f.facts(a, f.o.Agents.KeyLife(a.Name)))
}

// Judge is Breaks for many agents: it looks at their keys once.
func (f *Fleet) Judge() func(*agent.Agent) []Break {
	lives := f.o.Agents.KeyLives()
	return func(a *agent.Agent) []Break { return f.breaks(a, f.facts(a, lives[a.Name])) }
}

func (f *Fleet) facts(a *agent.Agent, keyLife time.Duration) facts {
	_, approved := f.approved.Load(a.Name + "\x00" + a.Version)
	return facts{now: f.o.Now(), keyLife: keyLife, seen: f.o.Agents.LastSeen(a.Name), approved: approved || a.Version == ""}
}

func (f *Fleet) breaks(a *agent.Agent, facts facts) []Break {
	if a.Lifecycle == agent.Retired {
		return nil
	}
	var out []Break
	rules := f.standard.Load().Rules
	for i := range rules {
		r := &rules[i]
		if !r.When.holds(a) {
			continue
		}
		why := r.breaks(a, facts)
		if why == "" {
			continue
		}
		b := Break{Rule: r.ID, Text: r.Text, Why: why, Refused: r.Refuse}
		if w, ok := f.waiver(a.Name, r.ID); ok && facts.now.Before(w.Till) {
			b.WaivedTill, b.WaiveReason = w.Till, w.Reason
		}
		out = append(out, b)
	}
	return out
}

func (f *Fleet) waiver(name, rule string) (Waiver, bool) {
	v, ok := f.waivers.Load(name + "\x00" + rule)
	if !ok {
		return Waiver{}, false
	}
	return v.(Waiver), true
}

// Permit refuses a change of the register that would break a rule which
// refuses: a registration, a promotion, or an edit that breaks what was kept
// before. What was adopted from telemetry or made by --dev is only flagged.
func (f *Fleet) Permit(before, after *agent.Agent) error {
	if before == nil && after.Origin != agent.OriginRegistered || after.Lifecycle == agent.Retired {
		return nil
	}
	life := f.o.Agents.KeyLife(after.Name)
	var had []Break
	if before != nil && before.Lifecycle == after.Lifecycle {
		had = f.breaks(before, f.facts(before, life))
	}
	for _, b := range f.breaks(after, f.facts(after, life)) {
		if b.Refused && b.WaivedTill.IsZero() && !slices.ContainsFunc(had, func(h Break) bool { return h.Rule == b.Rule }) {
			return f.refusal(b)
		}
	}
	return nil
}

// PermitKey refuses a key that would break a rule which refuses.
func (f *Fleet) PermitKey(a *agent.Agent, life time.Duration) error {
	for _, b := range f.breaks(a, f.facts(a, life)) {
		if b.Refused && b.WaivedTill.IsZero() && f.asksKeys(b.Rule) {
			return f.refusal(b)
		}
	}
	return nil
}

func (f *Fleet) asksKeys(rule string) bool {
	return slices.ContainsFunc(f.standard.Load().Rules, func(r Rule) bool { return r.ID == rule && (r.Require.KeyLife > 0 || r.Require.NoKeys) })
}

func (f *Fleet) refusal(b Break) error {
	return fault.New(fault.KindConflict, "standard.refused", "the standard (version %s) asks that %s, and %s", f.standard.Load().Version, b.Text, b.Why).
		WithHint("set what is missing, or ask security for a waiver of rule %s", b.Rule)
}

// MaxWaiver is how long a waiver may hold.
const MaxWaiver = 180 * 24 * time.Hour

// Waive lets an agent break a rule until a date: security.
func (f *Fleet) Waive(ctx context.Context, who agent.Actor, a *agent.Agent, rule string, till time.Time, reason string) (Waiver, error) {
	if err := reasonable(reason); err != nil {
		return Waiver{}, err
	}
	if !slices.ContainsFunc(f.standard.Load().Rules, func(r Rule) bool { return r.ID == rule }) {
		return Waiver{}, fault.New(fault.KindInvalid, "standard.no_rule", "the standard has no rule %q", cutWord(rule)).WithHint("`reeve standard show` prints it")
	}
	now := f.o.Now().UTC().Truncate(time.Microsecond)
	if !till.After(now) || till.Sub(now) > MaxWaiver {
		return Waiver{}, fault.New(fault.KindInvalid, "standard.waiver", "a waiver ends by a date within %s", days(MaxWaiver))
	}
	if err := f.needSecurity(who, a); err != nil {
		return Waiver{}, err
	}
	w := Waiver{Agent: a.Name, Rule: rule, Till: till.UTC().Truncate(time.Microsecond), Reason: reason, By: who.Name, At: now}
	return w, f.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO fleet_waivers (agent, rule, till, reason, by_who, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (agent, rule) DO UPDATE SET till = excluded.till, reason = excluded.reason, by_who = excluded.by_who, at = excluded.at`,
			w.Agent, w.Rule, control.Micros(w.Till), w.Reason, w.By, control.Micros(w.At)); err != nil {
			return err
		}
		tx.AfterCommit(func() { f.waivers.Store(w.Agent+"\x00"+w.Rule, w) })
		return f.recordWaiver(ctx, tx, who, "waive", w, reason)
	})
}

// Unwaive ends a waiver: security.
func (f *Fleet) Unwaive(ctx context.Context, who agent.Actor, a *agent.Agent, rule, reason string) error {
	w, ok := f.waiver(a.Name, rule)
	if !ok {
		return fault.New(fault.KindNotFound, "standard.no_waiver", "%s has no waiver of rule %q", a.Name, cutWord(rule))
	}
	if err := f.needSecurity(who, a); err != nil {
		return err
	}
	return f.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM fleet_waivers WHERE agent = ? AND rule = ?`, a.Name, rule); err != nil {
			return err
		}
		tx.AfterCommit(func() { f.waivers.Delete(a.Name + "\x00" + rule) })
		return f.recordWaiver(ctx, tx, who, "unwaive", w, reason)
	})
}

func (f *Fleet) recordWaiver(ctx context.Context, tx *control.Tx, who agent.Actor, action string, w Waiver, reason string) error {
	if err := audit.Append(ctx, tx, audit.Record{
		Kind: "admin.standard_waiver", Person: who.Person, Via: who.Via, Action: action, Object: w.Agent, Reason: reason,
		After: map[string]any{"rule": w.Rule, "till": control.Micros(w.Till)},
	}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "agent.standard", Object: w.Agent})
}

func (f *Fleet) needSecurity(who agent.Actor, a *agent.Agent) error {
	if who.Can != nil && who.Can("security", a.Team, a.Environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "fleet.denied", "this needs the role security for team %q in %q", a.Team, a.Environment).WithHint("an admin can grant it")
}

// Waivers lists the waivers that hold, the first to end first.
func (f *Fleet) Waivers() []Waiver {
	now := f.o.Now()
	var out []Waiver
	f.waivers.Range(func(_, v any) bool {
		if w := v.(Waiver); now.Before(w.Till) {
			out = append(out, w)
		}
		return true
	})
	slices.SortFunc(out, func(x, y Waiver) int {
		return cmp.Or(x.Till.Compare(y.Till), strings.Compare(x.Agent, y.Agent), strings.Compare(x.Rule, y.Rule))
	})
	return out
}

// Conformance is how far the agents of a team keep to the standard.
type Conformance struct {
	Team       string
	Agents     int
	Conforming int // without a break, or with every break waived
	Waived     int // of those, with a waiver
	Rules      map[string]int
}

// Conformance counts per team, over the agents that see reports; retired ones
// are not counted.
func (f *Fleet) Conformance(see func(*agent.Agent) bool) []Conformance {
	lives := f.o.Agents.KeyLives()
	teams := map[string]*Conformance{}
	for _, a := range f.o.Agents.List() {
		if a.Lifecycle == agent.Retired || !see(a) {
			continue
		}
		c := teams[a.Team]
		if c == nil {
			c = &Conformance{Team: a.Team, Rules: map[string]int{}}
			teams[a.Team] = c
		}
		c.Agents++
		open, waived := 0, 0
		for _, b := range f.breaks(a, f.facts(a, lives[a.Name])) {
			if b.WaivedTill.IsZero() {
				open++
				c.Rules[b.Rule]++
			} else {
				waived++
			}
		}
		if open == 0 {
			c.Conforming++
			if waived > 0 {
				c.Waived++
			}
		}
	}
	out := make([]Conformance, 0, len(teams))
	for _, c := range teams {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(x, y Conformance) int {
		return cmp.Or(cmp.Compare(float64(x.Conforming)/float64(x.Agents), float64(y.Conforming)/float64(y.Agents)), strings.Compare(x.Team, y.Team))
	})
	return out
}

// judgeEvery is how often agents are held against the standard without a change
// of theirs: waivers end and sightings grow old.
const judgeEvery = 10 * time.Minute

// judge tells of agents that began or ceased to break the standard since the
// last time. The first time it only looks.
func (f *Fleet) judge(ctx context.Context) error {
	lives := f.o.Agents.KeyLives()
	now := make(map[string]string)
	for _, a := range f.o.Agents.List() {
		var open []string
		for _, b := range f.breaks(a, f.facts(a, lives[a.Name])) {
			if b.WaivedTill.IsZero() {
				open = append(open, b.Rule)
			}
		}
		if len(open) > 0 {
			now[a.Name] = strings.Join(open, " ")
		}
	}
	before := f.judged
	f.judged = now
	if before == nil {
		return nil
	}
	var changed []string
	for name := range now {
		if before[name] != now[name] {
			changed = append(changed, name)
		}
	}
	for name := range before {
		if now[name] == "" {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	for part := range slices.Chunk(changed, writeBatch) {
		err := f.o.DB.Write(ctx, func(tx *control.Tx) error {
			for _, name := range part {
				data, err := json.Marshal(map[string]any{"agent": name, "breaks": strings.Fields(now[name])})
				if err != nil {
					return err
				}
				if err := tx.Event(ctx, control.Event{Type: "agent.standard", Object: name, Data: data}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			f.judged = before // told again the next time
			return err
		}
	}
	return nil
}

// VersionApproved reports whether a person approved the version of an agent, from
// memory.
func (f *Fleet) VersionApproved(agent, version string) bool {
	_, ok := f.approved.Load(agent + "\x00" + version)
	return ok
}

// loadStandard reads waivers and approved versions.
func (f *Fleet) loadStandard(ctx context.Context) error {
	list, err := control.All(ctx, f.o.DB, func(r control.Row) (w Waiver, err error) {
		var till, at int64
		err = r.Scan(&w.Agent, &w.Rule, &till, &w.Reason, &w.By, &at)
		w.Till, w.At = control.Time(till), control.Time(at)
		return w, err
	}, `SELECT agent, rule, till, reason, by_who, at FROM fleet_waivers`)
	if err != nil {
		return err
	}
	for _, w := range list {
		f.waivers.Store(w.Agent+"\x00"+w.Rule, w)
	}
	keys, err := control.All(ctx, f.o.DB, func(r control.Row) (k string, err error) {
		var name, hash string
		err = r.Scan(&name, &hash)
		return name + "\x00" + hash, err
	}, `SELECT agent, hash FROM fleet_approved`)
	for _, k := range keys {
		f.approved.Store(k, true)
	}
	return err
}
