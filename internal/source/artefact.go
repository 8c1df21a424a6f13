package source

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// Artefacts of tools that say how their data is. Which one a body is stands in
// it, or else in its shape.

// Artefact reads dbt's sources.json and run_results.json, a validation result of
// Great Expectations, or a scan result of Soda. namespace is where their datasets
// are ("" for the tool's name). An error means that the body is none of them.
func Artefact(body []byte, namespace string, now time.Time) (*Facts, error) {
	var probe struct {
		Metadata struct {
			Schema string `json:"dbt_schema_version"`
		} `json:"metadata"`
		Statistics json.RawMessage `json:"statistics"`
		Checks     json.RawMessage `json:"checks"`
		Meta       json.RawMessage `json:"meta"`
	}
	if err := json.Unmarshal(body, &probe); err != nil {
		return nil, malformed("an artefact of dbt, Great Expectations or Soda").WithCause(err)
	}
	f := &Facts{}
	switch {
	case strings.Contains(probe.Metadata.Schema, "/sources/"):
		return f, f.dbtSources(body, cmp.Or(namespace, "dbt"), now)
	case strings.Contains(probe.Metadata.Schema, "/run-results/"):
		return f, f.dbtResults(body, cmp.Or(namespace, "dbt"), now)
	case probe.Checks != nil:
		return f, f.soda(body, cmp.Or(namespace, "soda"), now)
	case probe.Statistics != nil && probe.Meta != nil:
		return f, f.expectations(body, cmp.Or(namespace, "great_expectations"), now)
	}
	return nil, malformed("an artefact of dbt (sources.json, run_results.json), Great Expectations or Soda")
}

// dbtPeriod is a count of a period.
type dbtPeriod struct {
	Count  *int64 `json:"count"`
	Period string `json:"period"`
}

func (p dbtPeriod) duration() time.Duration {
	if p.Count == nil {
		return 0
	}
	switch p.Period {
	case "minute":
		return time.Duration(*p.Count) * time.Minute
	case "hour":
		return time.Duration(*p.Count) * time.Hour
	case "day":
		return time.Duration(*p.Count) * 24 * time.Hour
	}
	return 0
}

// dbtSources reads the result of `dbt source freshness`: when the newest row of
// each source was loaded.
func (f *Facts) dbtSources(body []byte, namespace string, now time.Time) error {
	var a struct {
		Results []struct {
			ID       string `json:"unique_id"`
			Loaded   string `json:"max_loaded_at"`
			Snapshot string `json:"snapshotted_at"`
			Status   string `json:"status"`
			Error    string `json:"error"`
			Criteria struct {
				Warn  dbtPeriod `json:"warn_after"`
				Error dbtPeriod `json:"error_after"`
			} `json:"criteria"`
		} `json:"results"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return malformed("dbt's sources.json").WithCause(err)
	}
	for _, r := range a.Results {
		d := Dataset{namespace, dbtName(r.ID)}
		if d.Name == "" {
			f.reject("a result has no unique_id")
			continue
		}
		at := instant(r.Snapshot, now)
		if r.Loaded != "" {
			loaded := instant(r.Loaded, now)
			f.Versions = append(f.Versions, Version{Dataset: d, Version: loaded.Format(time.RFC3339), At: loaded, Items: -1})
		}
		f.Policies = append(f.Policies, Policy{Dataset: d, WarnAge: r.Criteria.Warn.duration(), MaxAge: r.Criteria.Error.duration(), By: "dbt"})
		f.Checks = append(f.Checks, Check{Dataset: d, Name: "freshness", OK: r.Status == "pass" || r.Status == "warn", At: at, Note: r.Error})
	}
	return nil
}

// dbtName is the dataset of a unique id: model.project.name, source.project.
// source_name.table.
func dbtName(id string) string {
	parts := strings.Split(id, ".")
	if len(parts) < 3 {
		return id
	}
	return strings.Join(parts[2:], ".")
}

// dbtStates are the words of results for jobs.
var dbtStates = map[string]string{"success": Complete, "pass": Complete, "warn": Complete, "error": Failed, "fail": Failed, "runtime error": Failed, "skipped": Skipped}

// dbtResults reads the result of `dbt run` or `dbt build`: models that were made,
// failed, or skipped because something above them failed.
func (f *Facts) dbtResults(body []byte, namespace string, now time.Time) error {
	var a struct {
		Metadata struct {
			Generated  string `json:"generated_at"`
			Invocation string `json:"invocation_id"`
		} `json:"metadata"`
		Results []struct {
			ID      string `json:"unique_id"`
			Status  string `json:"status"`
			Message string `json:"message"`
			Timing  []struct {
				Completed string `json:"completed_at"`
			} `json:"timing"`
			Relation string `json:"relation_name"`
			Adapter  struct {
				Rows json.Number `json:"rows_affected"`
			} `json:"adapter_response"`
		} `json:"results"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return malformed("dbt's run_results.json").WithCause(err)
	}
	generated := instant(a.Metadata.Generated, now)
	run := cmp.Or(a.Metadata.Invocation, generated.Format(time.RFC3339))
	for _, r := range a.Results {
		state, ok := dbtStates[r.Status]
		if r.ID == "" || !ok {
			f.reject("a result has no unique_id, or a status that is not known")
			continue
		}
		at := generated
		if n := len(r.Timing); n > 0 {
			at = instant(r.Timing[n-1].Completed, generated)
		}
		job := jobName(namespace, r.ID)
		f.Runs = append(f.Runs, JobRun{Job: job, Run: run, State: state, At: at, Note: r.Message})
		kind, _, _ := strings.Cut(r.ID, ".")
		if kind != "model" && kind != "snapshot" && kind != "seed" {
			continue
		}
		d := Dataset{namespace, cmp.Or(relation(r.Relation), dbtName(r.ID))}
		f.Edges = append(f.Edges, Edge{Job: job, Dataset: d, Writes: true, At: at})
		if state == Complete {
			items := int64(-1)
			if n, err := r.Adapter.Rows.Int64(); err == nil && n >= 0 {
				items = n
			}
			f.Versions = append(f.Versions, Version{Dataset: d, Version: run, At: at, Job: job, Run: run, Items: items})
		}
	}
	return nil
}

// relation is a quoted name without its quotes.
func relation(s string) string { return strings.NewReplacer(`"`, "", "`", "").Replace(s) }

// expectations reads a validation result.
func (f *Facts) expectations(body []byte, namespace string, now time.Time) error {
	var v struct {
		Results []struct {
			Success bool `json:"success"`
			Config  struct {
				Type   string                     `json:"expectation_type"`
				Newer  string                     `json:"type"`
				Kwargs map[string]json.RawMessage `json:"kwargs"`
			} `json:"expectation_config"`
		} `json:"results"`
		Meta struct {
			Batch struct {
				Asset string `json:"data_asset_name"`
			} `json:"active_batch_definition"`
			Spec struct {
				Table string `json:"table_name"`
			} `json:"batch_spec"`
			Run struct {
				Time string `json:"run_time"`
			} `json:"run_id"`
			ValidationTime string `json:"validation_time"`
		} `json:"meta"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return malformed("a validation result of Great Expectations").WithCause(err)
	}
	d := Dataset{namespace, cmp.Or(v.Meta.Spec.Table, v.Meta.Batch.Asset)}
	if d.Name == "" {
		return malformed("a validation result that names its data asset")
	}
	at := instant(cmp.Or(v.Meta.Run.Time, v.Meta.ValidationTime), now)
	for _, r := range v.Results {
		name := cmp.Or(r.Config.Type, r.Config.Newer)
		if name == "" {
			f.reject("a result names no expectation")
			continue
		}
		var column string
		_ = json.Unmarshal(r.Config.Kwargs["column"], &column) // about the table
		if column != "" {
			name += " of " + column
		}
		f.Checks = append(f.Checks, Check{Dataset: d, Name: name, OK: r.Success, At: at})
	}
	return nil
}

// soda reads a scan result.
func (f *Facts) soda(body []byte, namespace string, now time.Time) error {
	var s struct {
		Ended  string `json:"scanEndTimestamp"`
		Data   string `json:"dataTimestamp"`
		Checks []struct {
			Name    string `json:"name"`
			Outcome string `json:"outcome"`
			Table   string `json:"table"`
			Dataset string `json:"dataset"`
			Column  string `json:"column"`
		} `json:"checks"`
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return malformed("a scan result of Soda").WithCause(err)
	}
	at := instant(cmp.Or(s.Ended, s.Data), now)
	for _, c := range s.Checks {
		d := Dataset{namespace, cmp.Or(c.Table, c.Dataset)}
		if c.Name == "" || d.Name == "" || c.Outcome == "" {
			f.reject("a check has no name, dataset or outcome")
			continue
		}
		f.Checks = append(f.Checks, Check{Dataset: d, Name: c.Name, OK: c.Outcome == "pass" || c.Outcome == "warn", At: at, Note: c.Outcome})
	}
	return nil
}
