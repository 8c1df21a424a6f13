package langsmith

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

// maxParts bounds a form: a run has about six.
const maxParts = 100_000

// run is one run in LangSmith's words, which is a step in ours: its fields, and
// the large ones that come as parts of their own.
type run struct {
	fields map[string]json.RawMessage
	update bool
}

// runsMultipart takes the form of the SDKs: parts post.{id}, patch.{id},
// post.{id}.inputs and so on.
func runsMultipart(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	boundary := r.Params["boundary"]
	if boundary == "" {
		return dialect.Reply{}, malformed("the form names no boundary", nil)
	}
	form := multipart.NewReader(bytes.NewReader(r.Body), boundary)
	b := newBatch()
	for n := 0; ; n++ {
		part, err := form.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil || n >= maxParts {
			return dialect.Reply{}, malformed("the form's parts cannot be read", err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return dialect.Reply{}, malformed("a part of the form is cut", err)
		}
		if why := b.part(part.FormName(), text); why != "" {
			out.Reject(why)
		}
	}
	b.write(out, r.Now)
	return accepted, nil
}

// runsBatch takes the older request: lists of runs under post and patch.
func runsBatch(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var q struct {
		Post  []map[string]json.RawMessage `json:"post"`
		Patch []map[string]json.RawMessage `json:"patch"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return dialect.Reply{}, malformed("the body is not a batch of runs", err)
	}
	b := newBatch()
	for i, list := range [...][]map[string]json.RawMessage{q.Post, q.Patch} {
		for _, fields := range list {
			b.add(text(fields["id"]), fields, i == 1)
		}
	}
	b.write(out, r.Now)
	return accepted, nil
}

// oneRun takes a single run, as clients without batches send it.
func oneRun(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &fields); err != nil {
		return dialect.Reply{}, malformed("the body is not a run", err)
	}
	b := newBatch()
	b.add(text(fields["id"]), fields, false)
	b.write(out, r.Now)
	return accepted, nil
}

var accepted = dialect.Reply{Status: http.StatusAccepted, Body: []byte(`{"message":"Runs batch ingested"}`)}

func malformed(what string, err error) error {
	return fault.New(fault.KindInvalid, "intake.malformed", "%s", what).WithCause(err)
}

type batch struct {
	runs     map[string]*run
	order    []string
	feedback []json.RawMessage
}

func newBatch() *batch { return &batch{runs: map[string]*run{}} }

// part puts one part of a form where it belongs; why says what is wrong with it.
func (b *batch) part(name string, raw []byte) (why string) {
	verb, rest, ok := strings.Cut(name, ".")
	id, field, has := strings.Cut(rest, ".")
	switch {
	case !ok || id == "":
		return "a part has a name that says nothing: " + cut(name)
	case verb == "feedback":
		b.feedback = append(b.feedback, raw)
		return ""
	case verb == "attachment":
		return "" // files are not kept
	case verb != "post" && verb != "patch":
		return "a part is about " + cut(verb) + ", which is not known"
	case !json.Valid(raw):
		return "a part is no JSON: " + cut(name)
	case has:
		b.add(id, map[string]json.RawMessage{field: raw}, verb == "patch")
		return ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return "a run is no JSON object: " + cut(name)
	}
	b.add(id, fields, verb == "patch")
	return ""
}

func cut(s string) string { return s[:min(len(s), 60)] }

// add merges fields into a run: what is null says nothing.
func (b *batch) add(id string, fields map[string]json.RawMessage, update bool) {
	if id == "" {
		return
	}
	r := b.runs[id]
	if r == nil {
		r = &run{fields: map[string]json.RawMessage{}, update: update}
		b.runs[id] = r
		b.order = append(b.order, id)
	}
	r.update = r.update && update
	for k, raw := range fields {
		if len(raw) > 0 && string(raw) != "null" {
			r.fields[k] = raw
		}
	}
}

// text is a JSON string's, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // no string: none
	return s
}

func (b *batch) write(out *dialect.Writer, now int64) {
	for _, id := range b.order {
		b.runs[id].write(out, id, now)
	}
	for _, raw := range b.feedback {
		if why := writeFeedback(out, raw, now); why != "" {
			out.Reject(why)
		}
	}
}

// oneFeedback takes a single feedback.
func oneFeedback(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	if why := writeFeedback(out, r.Body, r.Now); why != "" {
		return dialect.Reply{}, malformed(why, nil)
	}
	return dialect.Reply{}, nil
}

// writeFeedback writes what somebody said of a run as an evaluation of it.
func writeFeedback(out *dialect.Writer, raw json.RawMessage, now int64) (why string) {
	var f struct {
		RunID   string          `json:"run_id"`
		TraceID string          `json:"trace_id"`
		Key     string          `json:"key"`
		Score   json.RawMessage `json:"score"`
		Value   json.RawMessage `json:"value"`
		Comment string          `json:"comment"`
		At      json.RawMessage `json:"created_at"`
	}
	if json.Unmarshal(raw, &f) != nil || f.Key == "" || f.RunID == "" {
		return "a feedback has a key and a run_id"
	}
	l := dialect.OutLog{
		Event: dialect.EvaluationEvent, Time: cmp.Or(dialect.Instant(f.At), now),
		Trace: dialect.TraceOf(cmp.Or(f.TraceID, f.RunID)), Span: dialect.SpanOf(f.RunID, false),
	}
	e := dialect.Evaluation{Name: f.Key, Label: text(f.Value), Explanation: f.Comment}
	var n float64
	var yes bool
	switch {
	case json.Unmarshal(f.Score, &n) == nil && f.Score != nil:
		e.Score = &n
	case json.Unmarshal(f.Score, &yes) == nil && f.Score != nil:
		if yes {
			n = 1
		}
		e.Score = &n
	}
	e.Write(&l)
	l.JSON("langsmith.feedback", raw)
	out.Log(&l)
	return ""
}

// extra is what a run says about itself beside its fields.
type extra struct {
	Metadata map[string]json.RawMessage `json:"metadata"`
	Runtime  json.RawMessage            `json:"runtime"`
	Params   json.RawMessage            `json:"invocation_params"`
}

func (r *run) write(out *dialect.Writer, id string, now int64) {
	f := r.fields
	trace := text(f["trace_id"])
	if trace == "" {
		if trace = traceOfOrder(text(f["dotted_order"])); trace == "" {
			trace = id // alone, and so its own root
		}
	}
	s := dialect.OutSpan{Trace: dialect.TraceOf(trace), ID: dialect.SpanOf(id, false), Name: text(f["name"]), Start: dialect.Instant(f["start_time"]), End: dialect.Instant(f["end_time"])}
	if parent := text(f["parent_run_id"]); parent != "" {
		s.Parent = dialect.SpanOf(parent, false)
	} else if id != trace && f["dotted_order"] != nil {
		s.Parent = dialect.SpanOf(parentOfOrder(text(f["dotted_order"])), false)
	}
	if s.Start == 0 {
		s.Start = cmp.Or(s.End, now) // an update: the start is in the run's other part
	}
	if problem := text(f["error"]); problem != "" {
		s.Failed, s.Message = true, problem
	}
	kind := text(f["run_type"])
	s.Text("langsmith.span.kind", kind)
	s.Text("langsmith.run.id", id)
	s.Text("langsmith.trace.session_name", text(f["session_name"])) // the project
	var tags []string
	_ = json.Unmarshal(f["tags"], &tags) // no list: none
	s.Texts("langsmith.span.tags", slices.DeleteFunc(tags, func(t string) bool { return strings.HasPrefix(t, "graph:step:") || strings.HasPrefix(t, "seq:step:") }))
	var e extra
	_ = json.Unmarshal(f["extra"], &e) // no object: nothing is said
	r.metadata(&s, &e)
	r.model(&s, kind)
	s.JSON("langsmith.inputs", f["inputs"])
	s.JSON("langsmith.outputs", f["outputs"])
	for _, key := range dialect.Keys(f) {
		raw := f[key]
		switch key {
		case "id", "trace_id", "parent_run_id", "dotted_order", "name", "start_time", "end_time", "run_type", "session_name", "tags", "extra",
			"inputs", "outputs", "error", "child_runs":
		case "events":
			s.Text("langsmith.first_token", firstToken(raw))
			s.JSON("langsmith.events", raw)
		default:
			s.JSON("langsmith."+key, raw)
		}
	}
	out.Span(&s)
}

// metadata writes what the caller said about the run.
func (r *run) metadata(s *dialect.OutSpan, e *extra) {
	for _, key := range dialect.Keys(e.Metadata) {
		raw := e.Metadata[key]
		v := text(raw)
		switch key {
		case "session_id", "thread_id", "conversation_id":
			s.Text("session.id", v)
		case "user_id":
			s.Text("user.id", v)
		case "ls_provider", "ls_model_name", "usage_metadata":
			continue // told by model
		}
		s.JSON("langsmith.metadata."+key, raw)
	}
	s.JSON("langsmith.runtime", e.Runtime)
	s.JSON("langsmith.invocation_params", e.Params)
}

// usageMetadata is LangChain's count of tokens: totals include their parts.
type usageMetadata struct {
	Input   *int64 `json:"input_tokens"`
	Output  *int64 `json:"output_tokens"`
	Total   *int64 `json:"total_tokens"`
	Details struct {
		CacheRead  *int64 `json:"cache_read"`
		CacheWrite *int64 `json:"cache_creation"`
	} `json:"input_token_details"`
	OutputDetails struct {
		Reasoning *int64 `json:"reasoning"`
	} `json:"output_token_details"`
	TotalCost *float64 `json:"total_cost"`
}

// model writes what only a call of a model has. Chains repeat the usage of
// their calls and are not asked.
func (r *run) model(s *dialect.OutSpan, kind string) {
	var e extra
	_ = json.Unmarshal(r.fields["extra"], &e) // as above
	if kind != "llm" && kind != "embedding" {
		return
	}
	s.Text("gen_ai.provider.name", text(e.Metadata["ls_provider"]))
	s.Text("gen_ai.request.model", text(e.Metadata["ls_model_name"]))
	var u usageMetadata
	raw := e.Metadata["usage_metadata"]
	if raw == nil {
		raw = dialect.Find(r.fields["outputs"], "usage_metadata", 8)
	}
	if json.Unmarshal(raw, &u) == nil {
		s.Count("gen_ai.usage.input_tokens", u.Input)
		s.Count("gen_ai.usage.output_tokens", u.Output)
		s.Count("gen_ai.usage.total_tokens", u.Total)
		s.Count("gen_ai.usage.cache_read.input_tokens", u.Details.CacheRead)
		s.Count("gen_ai.usage.cache_creation.input_tokens", u.Details.CacheWrite)
		s.Count("gen_ai.usage.reasoning.output_tokens", u.OutputDetails.Reasoning)
		if u.TotalCost != nil {
			s.Float("gen_ai.usage.cost", *u.TotalCost)
		}
	}
	about := dialect.Find(r.fields["outputs"], "response_metadata", 8)
	var m struct {
		Model  string `json:"model_name"`
		Short  string `json:"model"`
		Finish string `json:"finish_reason"`
		Stop   string `json:"stop_reason"`
		ID     string `json:"id"`
	}
	if json.Unmarshal(about, &m) == nil {
		s.Text("langsmith.response.model", cmp.Or(m.Model, m.Short))
		s.Text("gen_ai.response.finish_reason", cmp.Or(m.Finish, m.Stop))
		s.Text("gen_ai.response.id", m.ID)
	}
}

// firstToken is when the answer of a stream began, as the run's events say.
func firstToken(events json.RawMessage) string {
	var all []struct{ Name, Time string }
	_ = json.Unmarshal(events, &all) // no list: none
	for _, e := range all {
		if e.Name == "new_token" {
			return e.Time
		}
	}
	return ""
}

// A dotted order names the runs from the root down, each as its time and id:
// 20261122T190355982001Z01a204a4-c14d-720b-9c73-e501a9b710ab.
func traceOfOrder(order string) string {
	head, _, _ := strings.Cut(order, ".")
	return idOfOrder(head)
}

func parentOfOrder(order string) string {
	all := strings.Split(order, ".")
	if len(all) < 2 {
		return ""
	}
	return idOfOrder(all[len(all)-2])
}

func idOfOrder(segment string) string {
	if i := strings.IndexByte(segment, 'Z'); i >= 0 {
		return segment[i+1:]
	}
	return ""
}
