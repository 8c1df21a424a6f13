package langsmith

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

// maxParts bounds a form: a run has about six.
const maxParts = 100_000

// runsMultipart takes the form of the SDKs: parts post.{id}, patch.{id},
// post.{id}.inputs and so on.
func runsMultipart(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	boundary := r.Params["boundary"]
	if boundary == "" || len(boundary) > 70 { // RFC 2046 5.1.1
		return dialect.Reply{}, malformed("the form names no boundary")
	}
	b := newBatch()
	n := 0
	whole := parts(r.Body, boundary, func(name string, body []byte) bool {
		if why := b.part(name, body); why != "" {
			out.Reject(why)
		}
		n++
		return n < maxParts
	})
	if !whole {
		return dialect.Reply{}, malformed("the form is cut, or has too many parts")
	}
	b.write(out, r.Now)
	return accepted, nil
}

// parts walks a form (RFC 7578) whose bodies are not encoded, as the SDKs write
// it, and reports whether it came to its end.
func parts(body []byte, boundary string, each func(name string, body []byte) bool) (whole bool) {
	delimiter := []byte("\r\n--" + boundary)
	rest, ok := bytes.CutPrefix(body, delimiter[2:])
	if !ok {
		if _, rest, ok = bytes.Cut(body, delimiter); !ok {
			return false
		}
	}
	for {
		if bytes.HasPrefix(rest, []byte("--")) {
			return true
		}
		head, after, ok := bytes.Cut(rest, []byte("\r\n\r\n"))
		if !ok {
			return false
		}
		part, next, ok := bytes.Cut(after, delimiter)
		if !ok || !each(nameOf(head), part) {
			return false
		}
		rest = next
	}
}

// nameOf is the name in a part's Content-Disposition.
func nameOf(head []byte) string {
	_, rest, ok := bytes.Cut(head, []byte(` name="`))
	if !ok {
		return ""
	}
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok {
		return ""
	}
	return string(name)
}

// runsBatch takes the older request: lists of runs under post and patch.
func runsBatch(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	q, ok := dialect.ParseObject(r.Body)
	if !ok {
		return dialect.Reply{}, malformed("the body is not a batch of runs")
	}
	b := newBatch()
	for _, list := range [...]string{"post", "patch"} {
		q.Get(list).Each(func(raw dialect.Raw) {
			fields := raw.Object()
			b.add(fields.Get("id").Text(), fields)
		})
	}
	b.write(out, r.Now)
	return accepted, nil
}

// oneRun takes a single run, as clients without batches send it.
func oneRun(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	fields, ok := dialect.ParseObject(r.Body)
	if !ok || fields.Get("id").Text() == "" {
		return dialect.Reply{}, malformed("the body is not a run with an id")
	}
	b := newBatch()
	b.add(fields.Get("id").Text(), fields)
	b.write(out, r.Now)
	return accepted, nil
}

// oneFeedback takes a single feedback.
func oneFeedback(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	if why := feedback(out, r.Body, r.Now); why != "" {
		return dialect.Reply{}, malformed(why)
	}
	return dialect.Reply{}, nil
}

var accepted = dialect.Reply{Status: http.StatusAccepted, Body: []byte(`{"message":"Runs batch ingested"}`)}

func malformed(what string) error {
	return fault.New(fault.KindInvalid, "intake.malformed", "%s", what)
}

// batch is the runs of a request, each with what its parts said: a run in
// LangSmith's words is a step in ours.
type batch struct {
	runs     map[string]*dialect.Object
	order    []string
	feedback []dialect.Raw
}

func newBatch() *batch { return &batch{runs: map[string]*dialect.Object{}} }

// part puts one part of a form where it belongs; why says what is wrong with it.
func (b *batch) part(name string, raw dialect.Raw) (why string) {
	verb, rest, _ := strings.Cut(name, ".")
	id, field, has := strings.Cut(rest, ".")
	switch {
	case id == "":
		return "a part has a name that says nothing: " + cut(name)
	case verb == "feedback":
		b.feedback = append(b.feedback, raw)
		return ""
	case verb == "attachment":
		return "" // files are not kept
	case verb != "post" && verb != "patch":
		return "a part is about " + cut(verb) + ", which is not known"
	case has:
		if string(raw) != "null" {
			b.add(id, dialect.Object{{Key: field, Value: raw}})
		}
		return ""
	}
	fields, ok := dialect.ParseObject(raw)
	if !ok {
		return "a run is no JSON object: " + cut(name)
	}
	b.add(id, fields)
	return ""
}

func cut(s string) string { return s[:min(len(s), 60)] }

// add merges fields into a run: what comes later wins.
func (b *batch) add(id string, fields dialect.Object) {
	if id == "" {
		return
	}
	run := b.runs[id]
	if run == nil {
		run = &dialect.Object{}
		b.runs[id] = run
		b.order = append(b.order, id)
	}
	for _, m := range fields {
		run.Set(m.Key, m.Value)
	}
}

func (b *batch) write(out *dialect.Writer, now int64) {
	for _, id := range b.order {
		write(out, id, *b.runs[id], now)
	}
	for _, raw := range b.feedback {
		if why := feedback(out, raw, now); why != "" {
			out.Reject(why)
		}
	}
}

// feedback writes what somebody said of a run as an evaluation of it.
func feedback(out *dialect.Writer, raw dialect.Raw, now int64) (why string) {
	f := raw.Object()
	run, key := f.Get("run_id").Text(), f.Get("key").Text()
	if run == "" || key == "" {
		return "a feedback has a key and a run_id"
	}
	l := dialect.OutLog{
		Event: dialect.EvaluationEvent, Time: cmp.Or(dialect.Instant(f.Get("created_at")), now), Attributes: out.Attributes(),
		Trace: dialect.TraceOf(cmp.Or(f.Get("trace_id").Text(), run)), Span: dialect.SpanOf(run, false),
	}
	e := dialect.Evaluation{Name: key, Label: f.Get("value").Word(), Explanation: f.Get("comment").Text()}
	score := f.Get("score")
	if n, ok := score.Float(); ok {
		e.Score = &n
	} else if yes, ok := score.Bool(); ok {
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

func write(out *dialect.Writer, id string, f dialect.Object, now int64) {
	order := f.Take("dotted_order").Text()
	trace := cmp.Or(f.Take("trace_id").Text(), traceOfOrder(order), id) // alone it is its own root
	parent := cmp.Or(f.Take("parent_run_id").Text(), parentOfOrder(order))
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(trace), ID: dialect.SpanOf(id, false), Parent: dialect.SpanOf(parent, false), Name: f.Take("name").Text(),
		Start: dialect.Instant(f.Take("start_time")), End: dialect.Instant(f.Take("end_time")), Attributes: out.Attributes(),
	}
	if s.Start == 0 {
		s.Start = cmp.Or(s.End, now) // an update: the start is in the run's other part
	}
	if problem := f.Take("error").Text(); problem != "" {
		s.Failed, s.Message = true, problem
	}
	kind := f.Take("run_type").Text()
	s.Text("langsmith.span.kind", kind)
	s.Text("langsmith.run.id", id)
	s.Text("langsmith.trace.session_name", f.Take("session_name").Text()) // the project
	tags := f.Take("tags").Texts()
	s.Texts("langsmith.span.tags", slices.DeleteFunc(tags, func(t string) bool { return strings.HasPrefix(t, "graph:step:") || strings.HasPrefix(t, "seq:step:") }))
	extra := f.Take("extra").Object()
	about := extra.Get("metadata").Object()
	metadata(&s, about)
	s.JSON("langsmith.runtime", extra.Get("runtime"))
	s.JSON("langsmith.invocation_params", extra.Get("invocation_params"))
	outputs := f.Take("outputs")
	if kind == "llm" || kind == "embedding" { // chains repeat the usage of their calls
		model(&s, about, outputs)
	}
	s.JSON("langsmith.inputs", f.Take("inputs"))
	s.JSON("langsmith.outputs", outputs)
	s.Text("langsmith.first_token", firstToken(f.Get("events")))
	for _, m := range f {
		if m.Key != "id" && m.Key != "child_runs" {
			s.JSON("langsmith."+m.Key, m.Value)
		}
	}
	out.Span(&s)
}

// metadata writes what the caller said about the run.
func metadata(s *dialect.OutSpan, about dialect.Object) {
	for _, m := range about {
		switch m.Key {
		case "session_id", "thread_id", "conversation_id":
			s.Text("session.id", m.Value.Word())
		case "user_id":
			s.Text("user.id", m.Value.Word())
		case "ls_provider", "ls_model_name", "usage_metadata":
			continue // told by model
		}
		s.JSON("langsmith.metadata."+m.Key, m.Value)
	}
}

// model writes what only a call of a model has, in LangChain's words: totals
// include their parts.
func model(s *dialect.OutSpan, about dialect.Object, outputs dialect.Raw) {
	s.Text("gen_ai.provider.name", about.Get("ls_provider").Text())
	s.Text("gen_ai.request.model", about.Get("ls_model_name").Text())
	u := about.Get("usage_metadata").Object()
	if u == nil {
		u = outputs.Find("usage_metadata", 8).Object()
	}
	in, out := u.Get("input_token_details").Object(), u.Get("output_token_details").Object()
	s.Count("gen_ai.usage.input_tokens", u.Get("input_tokens"))
	s.Count("gen_ai.usage.output_tokens", u.Get("output_tokens"))
	s.Count("gen_ai.usage.total_tokens", u.Get("total_tokens"))
	s.Count("gen_ai.usage.cache_read.input_tokens", in.Get("cache_read"))
	s.Count("gen_ai.usage.cache_creation.input_tokens", in.Get("cache_creation"))
	s.Count("gen_ai.usage.reasoning.output_tokens", out.Get("reasoning"))
	s.Number("gen_ai.usage.cost", u.Get("total_cost"))
	answer := outputs.Find("response_metadata", 8).Object()
	s.Text("langsmith.response.model", cmp.Or(answer.Get("model_name").Text(), answer.Get("model").Text()))
	s.Text("gen_ai.response.finish_reason", cmp.Or(answer.Get("finish_reason").Text(), answer.Get("stop_reason").Text()))
	s.Text("gen_ai.response.id", answer.Get("id").Text())
}

// firstToken is when the answer of a stream began, as the run's events say.
func firstToken(events dialect.Raw) (at string) {
	events.Each(func(raw dialect.Raw) {
		if e := raw.Object(); at == "" && e.Get("name").Text() == "new_token" {
			at = e.Get("time").Text()
		}
	})
	return at
}

// A dotted order names the runs from the root down, each as its time and id:
// 20261122T190355982001Z01a204a4-c14d-720b-9c73-e501a9b710ab.
func traceOfOrder(order string) string {
	head, _, _ := strings.Cut(order, ".")
	return idOfOrder(head)
}

func parentOfOrder(order string) string {
	i := strings.LastIndexByte(order, '.')
	if i < 0 {
		return ""
	}
	return idOfOrder(order[strings.LastIndexByte(order[:i], '.')+1 : i])
}

func idOfOrder(segment string) string {
	_, id, _ := strings.Cut(segment, "Z")
	return id
}
