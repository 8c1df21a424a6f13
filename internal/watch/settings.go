package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/finding"
)

// Detector is one that there is.
type Detector struct {
	Name     string
	Title    string
	About    string  // what it looks at, in words
	Severity string  // of what it finds
	Effect   float64 // smallest effect that is worth telling, unless somebody says otherwise
	Top      float64 // no verdict asks for more effect than this; 0 has no end
	Unit     string  // what the effect is: "times the median", "the same call"
	Fixed    bool    // it tells of a fact and has no alarms a week
}

// Detectors lists them by name.
func Detectors() []Detector { return slices.Clone(detectors) }

var detectors = []Detector{
	{Name: "context_growth", Title: "Context growth", Severity: finding.Warning, Effect: 3, Unit: "times the usual growth of a run's input", About: "how much larger a run's last model input is than its first"},
	{Name: "cost", Title: "Cost of a run", Severity: finding.Warning, Effect: 3, Unit: "times the median", About: "what a run has cost so far, against what the agent's runs cost"},
	{Name: "course", Title: "Course of a measure", Severity: finding.Info, Effect: 1, Unit: "", About: "length, cost and tokens of runs over time: a level, a jump, a restlessness or an order that never was"},
	{Name: "declined", Title: "Refusals in words", Severity: finding.Warning, Effect: 2, Unit: "times the usual share", About: "how many of the last 20 answers of models refuse in words, against the share that usually does"},
	{Name: "drift", Title: "Drift", Severity: finding.Warning, Effect: 0.1, Unit: "distance of the last 100 runs from the 400 that are normal", About: "inputs, outputs, cost, tools and outcomes of runs, against those of an approved time"},
	{Name: "errors", Title: "Errors", Severity: finding.Warning, Effect: 2, Unit: "times the usual share", About: "how many of the last 20 calls failed, against the share that usually fails"},
	{Name: "failed_runs", Title: "Failed runs", Severity: finding.Warning, Effect: 2, Unit: "times the usual share", About: "how many of the last 20 runs ended badly, against the share that usually does"},
	{Name: "hijack", Title: "Steered run", Severity: finding.Warning, Effect: 3.2, Top: 4.5, Unit: "of at most 5, by where arguments came from", About: "how much a whole run looks as if somebody else steers it: where the destinations of its calls came from, whether they are new, and how unusual that way is"},
	{Name: "injected_destination", Title: "Injected destination", Severity: finding.Critical, Fixed: true, About: "a call that sends data where only a tool's result said to"},
	{Name: "latency", Title: "Latency", Severity: finding.Warning, Effect: 1.5, Unit: "times the median", About: "the median time of the last ten calls of a tool or model, against that of earlier tens"},
	{Name: "loop", Title: "Loop", Severity: finding.Warning, Effect: 5, Unit: "times the same call in one run", About: "the same tool or model called with the same arguments within a run"},
	{Name: "new_destination", Title: "New destination", Severity: finding.Warning, Effect: 30, Unit: "earlier uses without a new one", About: "a place that the agent never sent anything to before"},
	{Name: "new_error", Title: "New kind of error", Severity: finding.Info, Effect: 20, Unit: "earlier errors without a new one", About: "a class of errors that the agent never had before"},
	{Name: "new_log", Title: "New kind of log line", Severity: finding.Info, Effect: 1, Unit: "", About: "a log line of a kind that an agent's logs never had"},
	{Name: "new_model", Title: "New model", Severity: finding.Info, Effect: 50, Unit: "earlier uses without a new one", About: "a model that the agent never used before"},
	{Name: "new_peer", Title: "New peer", Severity: finding.Warning, Effect: 20, Unit: "earlier uses without a new one", About: "an agent that it never handed anything to before"},
	{Name: "new_source", Title: "New source", Severity: finding.Info, Effect: 30, Unit: "earlier uses without a new one", About: "a source that the agent never read before"},
	{Name: "new_tool", Title: "New tool", Severity: finding.Warning, Effect: 50, Unit: "earlier uses without a new one", About: "a tool or API that the agent never called before"},
	{Name: "off_hours", Title: "Off hours", Severity: finding.Info, Effect: 7, Unit: "days seen before", About: "work at an hour of the day, UTC, at which the agent does none"},
	{Name: "output_length", Title: "Output length", Severity: finding.Info, Effect: 2, Unit: "times the median, or a part of it", About: "the median length of the last ten answers of a model, longer or shorter"},
	{Name: "provider_change", Title: "Model behind a name", Severity: finding.Warning, Effect: 20, Unit: "earlier uses without a new one", About: "another model answers under the name that was asked for"},
	{Name: "refusals", Title: "Refusals", Severity: finding.Warning, Effect: 2, Unit: "times the usual share", About: "how many of the last 20 actions the door denied or held, against the share that it usually does"},
	{Name: "retry_storm", Title: "Retry storm", Severity: finding.Warning, Effect: 5, Unit: "failures in a row", About: "a tool or model that fails again and again within a run"},
	{Name: "run_length", Title: "Steps of a run", Severity: finding.Info, Effect: 3, Unit: "times the median", About: "how many steps a run has taken so far"},
	{Name: "stale_source", Title: "Stale data", Severity: finding.Warning, Fixed: true, About: "a source that was older than it may be when an agent read it, as lineage tells"},
	{Name: "topic_shift", Title: "Topics", Severity: finding.Info, Effect: 1.5, Unit: "times the usual difference", About: "what users ask about, by the words of the last 30 messages"},
	{Name: "unusual_run", Title: "Unusual run", Severity: finding.Info, Effect: 1, Unit: "", About: "several measures of a run together, against those of the agent's runs"},
	{Name: "volume", Title: "Volume", Severity: finding.Warning, Effect: 1.5, Unit: "times as many as before, or as few", About: "how many calls, hand-overs and repeated failures twenty runs of an agent make, against its earlier twenties"},
	{Name: "unusual_path", Title: "Unusual path", Severity: finding.Info, Effect: 2, Unit: "times the usual surprise", About: "how unusual the order of a run's tools is"},
}

func detector(name string) (*Detector, bool) {
	for i := range detectors {
		if detectors[i].Name == name {
			return &detectors[i], true
		}
	}
	return nil, false
}

// Setting is what somebody wants of a detector, by effect.
type Setting struct {
	Detector string // never ""
	Agent    string // "" for all that have none of their own
	Off      bool
	// AlarmsPerWeek is how many alarms about one agent somebody is ready to look
	// at while nothing is wrong; it gives how rare something must be.
	AlarmsPerWeek float64
	MinimumEffect float64       // what is smaller is not told, however rare
	Rest          time.Duration // after an alarm about the same, until the next
	Severity      string        // "" is the detector's
	Revision      int64
	By            string
	Reason        string
	At            time.Time
}

const (
	defaultAlarms = 1.0
	defaultRest   = 10 * time.Minute
)

func defaults(d *Detector) Setting {
	return Setting{Detector: d.Name, AlarmsPerWeek: defaultAlarms, MinimumEffect: d.Effect, Rest: defaultRest, Severity: d.Severity}
}

// Settings are what people want of detectors. Its zero value has the defaults
// and cannot be changed; OpenSettings reads them.
type Settings struct {
	db  *control.DB
	now func() time.Time

	mu  sync.RWMutex
	set map[[2]string]Setting // by detector and agent
}

// OpenSettings reads what people set.
func OpenSettings(ctx context.Context, db *control.DB, now func() time.Time) (*Settings, error) {
	if now == nil {
		now = time.Now
	}
	s := &Settings{db: db, now: now, set: map[[2]string]Setting{}}
	list, err := control.All(ctx, db, func(r control.Row) (out Setting, err error) {
		var body string
		var at int64
		if err := r.Scan(&out.Detector, &out.Agent, &body, &out.Revision, &out.By, &out.Reason, &at); err != nil {
			return out, err
		}
		var b settingBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return out, fault.New(fault.KindInternal, "watch.stored", "a stored setting of a detector cannot be read").WithCause(err)
		}
		b.into(&out)
		out.At = control.Time(at)
		return out, nil
	}, `SELECT detector, agent, body, revision, person, reason, at FROM detector_settings`)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of detectors: %w", err)
	}
	for _, v := range list {
		s.set[[2]string{v.Detector, v.Agent}] = v
	}
	return s, nil
}

type settingBody struct {
	Off      bool    `json:"off,omitempty"`
	Alarms   float64 `json:"alarms_per_week"`
	Effect   float64 `json:"minimum_effect"`
	RestMS   int64   `json:"rest_ms"`
	Severity string  `json:"severity,omitempty"`
}

func (b settingBody) into(s *Setting) {
	s.Off, s.AlarmsPerWeek, s.MinimumEffect, s.Rest, s.Severity = b.Off, b.Alarms, b.Effect, time.Duration(b.RestMS)*time.Millisecond, b.Severity
}

// For is what holds for an agent.
func (s *Settings) For(d *Detector, agent string) Setting {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if v, ok := s.set[[2]string{d.Name, agent}]; ok && agent != "" {
		return v
	}
	if v, ok := s.set[[2]string{d.Name, ""}]; ok {
		return v
	}
	return defaults(d)
}

// List are the settings of all detectors: what holds for all, then what holds for
// single agents.
func (s *Settings) List() []Setting {
	out := make([]Setting, 0, len(detectors))
	for i := range detectors {
		out = append(out, s.For(&detectors[i], ""))
	}
	s.mu.RLock()
	own := slices.Collect(maps.Values(s.set))
	s.mu.RUnlock()
	own = slices.DeleteFunc(own, func(v Setting) bool { return v.Agent == "" })
	slices.SortFunc(own, func(x, y Setting) int {
		return cmp.Or(strings.Compare(x.Detector, y.Detector), strings.Compare(x.Agent, y.Agent))
	})
	return append(out, own...)
}

func (v *Setting) check() error {
	d, ok := detector(v.Detector)
	bad := func(format string, args ...any) *fault.Error {
		return fault.New(fault.KindInvalid, "watch.setting", format, args...)
	}
	switch {
	case !ok:
		return fault.New(fault.KindNotFound, "watch.detector", "there is no detector %.40q", v.Detector).WithHint("`reeve detector list` lists them")
	case math.IsNaN(v.AlarmsPerWeek) || v.AlarmsPerWeek < 0.01 || v.AlarmsPerWeek > 1000:
		return bad("alarms_per_week is from 0.01 to 1000").WithHint("1 is one alarm about an agent in a week in which nothing is wrong")
	case math.IsNaN(v.MinimumEffect) || v.MinimumEffect < min(1, d.Effect) || v.MinimumEffect > 1e6:
		return bad("minimum_effect is from %v to 1000000", min(1, d.Effect)).WithHint("for %s it is %s", d.Name, cmp.Or(d.Unit, "nothing"))
	case v.Rest < time.Second || v.Rest > 7*24*time.Hour:
		return bad("a rest is from a second to a week")
	case v.Severity != "" && !slices.Contains(finding.Severities(), v.Severity):
		return bad("a severity is info, warning or critical")
	case len(v.Agent) > 200 || len(v.Reason) > 1000 || strings.ContainsFunc(v.Agent+v.Reason, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return bad("agent and reason are lines, the reason of at most 1000 bytes")
	}
	return nil
}

// Put changes what is wanted of a detector. Revision is the one that was read, 0
// for any.
func (s *Settings) Put(ctx context.Context, person, name, via string, v Setting) (Setting, error) {
	d, ok := detector(v.Detector)
	if ok {
		before := defaults(d)
		if v.AlarmsPerWeek == 0 {
			v.AlarmsPerWeek = before.AlarmsPerWeek
		}
		if v.MinimumEffect == 0 {
			v.MinimumEffect = cmp.Or(before.MinimumEffect, 1)
		}
		v.Rest = cmp.Or(v.Rest, before.Rest)
		v.Severity = cmp.Or(v.Severity, before.Severity)
	}
	if err := v.check(); err != nil {
		return v, err
	}
	if s.db == nil {
		return v, fault.New(fault.KindUnavailable, "watch.fixed", "these settings cannot be changed here")
	}
	key := [2]string{v.Detector, v.Agent}
	s.mu.RLock()
	old, had := s.set[key]
	count := len(s.set)
	s.mu.RUnlock()
	switch {
	case v.Revision != 0 && v.Revision != old.Revision:
		return v, fault.New(fault.KindConflict, "watch.conflict", "the setting was changed meanwhile").WithHint("it is at revision %d; read it again and repeat", old.Revision)
	case !had && count >= 20_000:
		return v, fault.New(fault.KindExhausted, "watch.too_many", "there are %d settings already", count)
	}
	v.Revision, v.By, v.At = old.Revision+1, name, s.now().UTC().Truncate(time.Microsecond)
	return v, s.write(ctx, person, via, key, old, had, &v)
}

// Reset goes back to what holds for all, or with no agent to the default.
func (s *Settings) Reset(ctx context.Context, person, via, detectorName, agent, reason string) error {
	key := [2]string{detectorName, agent}
	s.mu.RLock()
	old, had := s.set[key]
	s.mu.RUnlock()
	if !had {
		return fault.New(fault.KindNotFound, "watch.setting_not_found", "nobody set anything there")
	}
	old.Reason = reason
	return s.write(ctx, person, via, key, old, true, nil)
}

func (s *Settings) write(ctx context.Context, person, via string, key [2]string, old Setting, had bool, v *Setting) error {
	r := audit.Record{Kind: "admin.detector_setting", Person: person, Via: via, Action: "reset", Object: strings.Trim(key[0]+"/"+key[1], "/"), Reason: old.Reason}
	if had {
		r.Before = old.body()
	}
	return s.db.Write(ctx, func(tx *control.Tx) error {
		var err error
		if v == nil {
			_, err = tx.Exec(ctx, `DELETE FROM detector_settings WHERE detector = ? AND agent = ?`, key[0], key[1])
		} else {
			r.Action, r.Reason, r.After = "set", v.Reason, v.body()
			var body []byte
			if body, err = json.Marshal(v.body()); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO detector_settings (detector, agent, body, revision, person, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (detector, agent) DO UPDATE SET body = excluded.body, revision = excluded.revision, person = excluded.person, reason = excluded.reason, at = excluded.at`,
				key[0], key[1], string(body), v.Revision, v.By, v.Reason, control.Micros(v.At))
		}
		if err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, r); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if v == nil {
				delete(s.set, key)
			} else {
				s.set[key] = *v
			}
		})
		return tx.Event(ctx, control.Event{Type: "detector.updated", Object: r.Object})
	})
}

func (v *Setting) body() settingBody {
	return settingBody{v.Off, v.AlarmsPerWeek, v.MinimumEffect, v.Rest.Milliseconds(), v.Severity}
}
