package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"reeve/internal/fault"
)

// Real emitters leave out what the specification requires, send numbers as text
// and facets of any shape: each member is read on its own, and what is not there
// is unknown.

// maxEvents bounds a batch.
const maxEvents = 10_000

type olDataset struct {
	Namespace    string                     `json:"namespace"`
	Name         string                     `json:"name"`
	Facets       map[string]json.RawMessage `json:"facets"`
	InputFacets  map[string]json.RawMessage `json:"inputFacets"`
	OutputFacets map[string]json.RawMessage `json:"outputFacets"`
}

type olEvent struct {
	Time string `json:"eventTime"`
	Type string `json:"eventType"`
	Run  *struct {
		ID     string                     `json:"runId"`
		Facets map[string]json.RawMessage `json:"facets"`
	} `json:"run"`
	Job *struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"job"`
	Inputs  []olDataset `json:"inputs"`
	Outputs []olDataset `json:"outputs"`
	Dataset *olDataset  `json:"dataset"` // of a dataset event, which has no run
}

// Lineage reads OpenLineage (2-0-2): one event, or a list of them. An error means
// that the body is neither.
func Lineage(body []byte, now time.Time) (*Facts, error) {
	var all []json.RawMessage
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '[' {
		if err := json.Unmarshal(body, &all); err != nil {
			return nil, malformed("a list of OpenLineage events").WithCause(err)
		}
	} else {
		if !json.Valid(body) || len(body) == 0 || body[0] != '{' {
			return nil, malformed("an OpenLineage event")
		}
		all = []json.RawMessage{body}
	}
	if len(all) > maxEvents {
		return nil, fault.New(fault.KindInvalid, "intake.too_large", "a batch has at most %d events", maxEvents)
	}
	f := &Facts{}
	for _, raw := range all {
		var e olEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			f.reject("an event is no OpenLineage event")
			continue
		}
		f.event(&e, now)
	}
	return f, nil
}

func malformed(what string) *fault.Error {
	return fault.New(fault.KindInvalid, "intake.malformed", "the body is not %s", what)
}

// states are the words of eventType that end or begin a run.
var states = map[string]string{"START": Running, "RUNNING": Running, "COMPLETE": Complete, "FAIL": Failed, "ABORT": Aborted, "OTHER": ""}

func (f *Facts) event(e *olEvent, now time.Time) {
	at := instant(e.Time, now)
	if e.Dataset != nil && e.Dataset.Name != "" && e.Run == nil {
		f.dataset(e.Dataset, "", "", at, true)
		return
	}
	if e.Job == nil || e.Job.Name == "" {
		f.reject("an event names neither a job nor a dataset")
		return
	}
	job := jobName(e.Job.Namespace, e.Job.Name)
	for i := range e.Inputs {
		if d := &e.Inputs[i]; d.Name != "" {
			f.Edges = append(f.Edges, Edge{Job: job, Dataset: Dataset{d.Namespace, d.Name}, At: at})
			f.checks(d, at)
		}
	}
	run, state := "", states[strings.ToUpper(e.Type)]
	if e.Run != nil {
		if run = e.Run.ID; run != "" && state != "" {
			f.Runs = append(f.Runs, JobRun{Job: job, Run: run, State: state, At: at, Note: errorNote(e.Run.Facets)})
		}
	}
	for i := range e.Outputs {
		if d := &e.Outputs[i]; d.Name != "" {
			f.Edges = append(f.Edges, Edge{Job: job, Dataset: Dataset{d.Namespace, d.Name}, Writes: true, At: at})
			f.dataset(d, job, run, at, state == Complete)
		}
	}
}

// dataset notes what an event says of a dataset; written: it has a new version.
func (f *Facts) dataset(d *olDataset, job, run string, at time.Time, written bool) {
	f.checks(d, at)
	var version struct {
		Version string `json:"datasetVersion"`
	}
	_ = json.Unmarshal(d.Facets["version"], &version) // no such facet: the run names it
	var change struct {
		Change string `json:"lifecycleStateChange"`
	}
	_ = json.Unmarshal(d.Facets["lifecycleStateChange"], &change) // as above
	if change.Change == "DROP" || change.Change == "TRUNCATE" {
		return
	}
	if !written {
		return
	}
	f.Versions = append(f.Versions, Version{
		Dataset: Dataset{d.Namespace, d.Name}, Version: cmp.Or(version.Version, run, at.Format(time.RFC3339)), At: at, Job: job, Run: run, Items: rows(d.OutputFacets["outputStatistics"]),
	})
}

// rows is the rowCount of output statistics; -1 unknown.
func rows(raw json.RawMessage) int64 {
	var s struct {
		Rows json.Number `json:"rowCount"`
	}
	if json.Unmarshal(raw, &s) == nil {
		if n, err := s.Rows.Int64(); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// checks notes the assertions about a dataset, wherever the emitter puts them.
func (f *Facts) checks(d *olDataset, at time.Time) {
	for _, facets := range [...]map[string]json.RawMessage{d.Facets, d.InputFacets, d.OutputFacets} {
		var q struct {
			Assertions []struct {
				Assertion string `json:"assertion"`
				Column    string `json:"column"`
				Success   *bool  `json:"success"`
			} `json:"assertions"`
		}
		if json.Unmarshal(facets["dataQualityAssertions"], &q) != nil {
			continue
		}
		for _, a := range q.Assertions {
			if a.Assertion == "" || a.Success == nil {
				continue
			}
			name := a.Assertion
			if a.Column != "" {
				name += " of " + a.Column
			}
			f.Checks = append(f.Checks, Check{Dataset: Dataset{d.Namespace, d.Name}, Name: name, OK: *a.Success, At: at})
		}
	}
}

// errorNote is the message of a run that failed.
func errorNote(facets map[string]json.RawMessage) string {
	var e struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(facets["errorMessage"], &e) // no such facet: no words
	return e.Message
}

func jobName(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// instant reads a time; what is none, or far ahead of our clock, is when it came.
func instant(s string, now time.Time) time.Time {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999-07:00"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Before(now.Add(time.Hour)) {
			return t.UTC()
		}
	}
	return now.UTC()
}
