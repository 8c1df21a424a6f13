package langfuse

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

// The batch of Langfuse's older SDKs: events that create or update entities, in
// any order and spread over requests. Updates replace what is not null, so the
// events of one entity are merged by their timestamps before they become a
// span; those of other requests meet it where steps are folded. A trace becomes
// the root step, above the observations without a parent.

// maxEvents bounds a batch, which the SDKs keep below 3.5 MB.
const maxEvents = 20_000

// envelope is one event.
type envelope struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Timestamp json.RawMessage `json:"timestamp"`
	Body      json.RawMessage `json:"body"`
}

// body is the union of the bodies of events.
type body map[string]json.RawMessage

// entity is a trace or an observation, merged from its events.
type entity struct {
	kind   string // trace, or an observation's type
	id     string
	latest int64
	events []stamped
	all    body
}

type stamped struct {
	at   int64
	body body
}

type result struct {
	ID      string `json:"id"`
	Status  int    `json:"status"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

// ingestion takes a batch and answers 207 with each event's own status.
func ingestion(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	var q struct {
		Batch []json.RawMessage `json:"batch"`
	}
	if err := json.Unmarshal(r.Body, &q); err != nil {
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a batch of events").WithCause(err)
	}
	if len(q.Batch) > maxEvents {
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.too_large", "a batch has at most %d events", maxEvents)
	}
	good, bad := []result{}, []result{}
	b := batch{out: out, now: r.Now, entities: map[string]*entity{}}
	for _, raw := range q.Batch {
		var e envelope
		if err := json.Unmarshal(raw, &e); err != nil {
			bad = append(bad, result{Status: http.StatusBadRequest, Message: "Invalid request data", Error: "the event cannot be read"})
			out.Reject("an event cannot be read")
			continue
		}
		if why := b.take(&e); why != "" {
			bad = append(bad, result{ID: e.ID, Status: http.StatusBadRequest, Message: "Invalid request data", Error: why})
			out.Reject(why)
			continue
		}
		good = append(good, result{ID: e.ID, Status: http.StatusCreated})
	}
	b.write()
	reply, err := json.Marshal(map[string][]result{"successes": good, "errors": bad})
	return dialect.Reply{Status: http.StatusMultiStatus, Body: reply}, err
}

type batch struct {
	out      *dialect.Writer
	now      int64
	entities map[string]*entity
	order    []*entity
}

// take sorts an event to its entity; why says what is wrong with it.
func (b *batch) take(e *envelope) (why string) {
	var o body
	if e.Type == "sdk-log" {
		return ""
	}
	if json.Unmarshal(e.Body, &o) != nil || o == nil {
		return "the event has no body"
	}
	at := dialect.Instant(e.Timestamp)
	kind, verb, _ := cutLast(e.Type)
	switch {
	case e.Type == "score-create":
		return b.score(o, at)
	case kind == "trace" && verb == "create":
		return b.add("trace", o.text("id"), at, o)
	case verb == "create" || verb == "update":
		if kind == "observation" {
			kind = strings.ToLower(o.text("type"))
		}
		if _, ok := kinds[kind]; !ok {
			return "there is no event of type " + e.Type
		}
		if o.text("traceId") == "" {
			return "the observation has no traceId"
		}
		return b.add(kind, o.text("id"), at, o)
	}
	return "there is no event of type " + e.Type
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func (b *batch) add(kind, id string, at int64, o body) string {
	if id == "" {
		return "the event's body has no id"
	}
	key := "o" + id
	if kind == "trace" {
		key = "t" + id
	}
	e := b.entities[key]
	if e == nil {
		e = &entity{kind: kind, id: id}
		b.entities[key] = e
		b.order = append(b.order, e)
	}
	if kind != "span" { // what says more than "span" names it
		e.kind = kind
	}
	e.latest = max(e.latest, at)
	e.events = append(e.events, stamped{at, o})
	return ""
}

// text is a member that is a text or a number; "" for none.
func (o body) text(key string) string {
	raw := o[key]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// merge lays the events of an entity over each other, by time.
func (e *entity) merge() {
	slices.SortStableFunc(e.events, func(x, y stamped) int { return cmp.Compare(x.at, y.at) })
	e.all = body{}
	for _, ev := range e.events {
		for k, raw := range ev.body {
			if len(raw) > 0 && string(raw) != "null" {
				e.all[k] = raw
			}
		}
	}
}

func (b *batch) write() {
	ends := map[string]int64{} // of traces: the last thing that happened in them
	for _, e := range b.order {
		e.merge()
		if e.kind != "trace" {
			id := e.all.text("traceId")
			ends[id] = max(ends[id], dialect.Instant(e.all["endTime"]), dialect.Instant(e.all["startTime"]))
		}
	}
	for _, e := range b.order {
		if e.kind == "trace" {
			b.trace(e, ends[e.id])
		} else {
			b.observation(e)
		}
	}
}

// rootOf is the step that stands for a trace.
func rootOf(trace string) activity.SpanID { return dialect.SpanOf("langfuse trace "+trace, false) }

func (b *batch) trace(e *entity, end int64) {
	o := e.all
	s := dialect.OutSpan{Trace: dialect.TraceOf(e.id), ID: rootOf(e.id), Name: o.text("name"), Start: dialect.Instant(o["timestamp"])}
	if s.Start == 0 {
		s.Start = e.latest
	}
	s.End = max(end, s.Start)
	s.Text("langfuse.observation.type", "agent")
	s.Text("langfuse.trace.name", s.Name)
	common(&s, o)
	s.Text("langfuse.user.id", o.text("userId"))
	s.Text("langfuse.session.id", o.text("sessionId"))
	var tags []string
	_ = json.Unmarshal(o["tags"], &tags) // no list: none
	s.Texts("langfuse.trace.tags", tags)
	s.JSON("langfuse.observation.input", o["input"])
	s.JSON("langfuse.observation.output", o["output"])
	s.JSON("langfuse.trace.metadata", o["metadata"])
	s.Text("langfuse.trace.public", o.text("public"))
	rest(&s, o, "langfuse.trace.", "id", "name", "timestamp", "userId", "sessionId", "tags", "input", "output", "metadata", "public", "environment", "release", "version")
	b.out.Span(&s)
}

func (b *batch) observation(e *entity) {
	o := e.all
	trace := o.text("traceId")
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(trace), ID: dialect.SpanOf(e.id, false), Name: o.text("name"),
		Start: dialect.Instant(o["startTime"]), End: dialect.Instant(o["endTime"]),
	}
	if s.Start == 0 { // an update whose creation is elsewhere: folding finds the start there
		s.Start = cmp.Or(s.End, e.latest)
	}
	if e.kind == "event" && s.End == 0 {
		s.End = s.Start
	}
	if parent := o.text("parentObservationId"); parent != "" {
		s.Parent = dialect.SpanOf(parent, false)
	} else if _, ok := o["parentObservationId"]; ok || o["startTime"] != nil {
		s.Parent = rootOf(trace) // only who creates it knows that it has no other
	}
	kind := e.kind
	if _, ok := o["model"]; ok && kind == "span" {
		kind = "generation"
	}
	s.Text("langfuse.observation.type", kind)
	common(&s, o)
	s.Text("langfuse.observation.model.name", o.text("model"))
	s.JSON("langfuse.observation.model.parameters", o["modelParameters"])
	s.JSON("langfuse.observation.usage_details", usage(o))
	s.JSON("langfuse.observation.cost_details", o["costDetails"])
	s.Text("langfuse.observation.completion_start_time", o.text("completionStartTime"))
	s.Text("langfuse.observation.prompt.name", o.text("promptName"))
	s.Text("langfuse.observation.prompt.version", o.text("promptVersion"))
	s.Text("langfuse.observation.level", o.text("level"))
	s.Text("langfuse.observation.status_message", o.text("statusMessage"))
	s.JSON("langfuse.observation.input", o["input"])
	s.JSON("langfuse.observation.output", o["output"])
	s.JSON("langfuse.observation.metadata", o["metadata"])
	rest(&s, o, "langfuse.observation.", "id", "traceId", "type", "name", "startTime", "endTime", "parentObservationId", "model", "modelParameters",
		"usage", "usageDetails", "costDetails", "completionStartTime", "promptName", "promptVersion", "level", "statusMessage", "input", "output",
		"metadata", "environment", "release", "version")
	b.out.Span(&s)
}

// usage is usageDetails, or the older usage in its words.
func usage(o body) json.RawMessage {
	if raw := o["usageDetails"]; raw != nil {
		return raw
	}
	var u struct {
		Input            *float64 `json:"input"`
		Output           *float64 `json:"output"`
		Total            *float64 `json:"total"`
		PromptTokens     *float64 `json:"promptTokens"`
		CompletionTokens *float64 `json:"completionTokens"`
		TotalTokens      *float64 `json:"totalTokens"`
		Unit             string   `json:"unit"`
	}
	if json.Unmarshal(o["usage"], &u) != nil || (u.Unit != "" && u.Unit != "TOKENS") {
		return nil // characters or seconds are no tokens
	}
	tokens := map[string]float64{}
	for name, list := range map[string][2]*float64{
		"input": {u.Input, u.PromptTokens}, "output": {u.Output, u.CompletionTokens}, "total": {u.Total, u.TotalTokens},
	} {
		if n := cmp.Or(list[0], list[1]); n != nil {
			tokens[name] = *n
		}
	}
	if len(tokens) == 0 {
		return nil
	}
	raw, err := json.Marshal(tokens)
	if err != nil {
		return nil // no such number can be written
	}
	return raw
}

// score becomes an evaluation of its observation, or of its trace.
func (b *batch) score(o body, at int64) string {
	name, trace := o.text("name"), o.text("traceId")
	if name == "" || (trace == "" && o.text("sessionId") == "") {
		return "a score has a name, and a traceId or sessionId"
	}
	l := dialect.OutLog{Event: dialect.EvaluationEvent, Time: at}
	if l.Time == 0 {
		l.Time = b.now
	}
	if trace != "" {
		l.Trace, l.Span = dialect.TraceOf(trace), rootOf(trace)
		if id := o.text("observationId"); id != "" {
			l.Span = dialect.SpanOf(id, false)
		} else if _, hex := otelTrace(trace); hex {
			l.Span = activity.SpanID{} // sent over OpenTelemetry: the root is a span of its own
		}
	}
	ev := dialect.Evaluation{Name: name, Explanation: o.text("comment")}
	var n float64
	if json.Unmarshal(o["value"], &n) == nil {
		ev.Score = &n
	} else {
		ev.Label = o.text("value")
	}
	ev.Write(&l)
	l.Text("session.id", o.text("sessionId"))
	for _, key := range dialect.Keys(o) {
		switch key {
		case "name", "traceId", "observationId", "value", "comment", "sessionId":
		default:
			l.JSON("langfuse.score."+key, o[key])
		}
	}
	b.out.Log(&l)
	return ""
}

// otelTrace reports an id that OpenTelemetry made: UUIDs have dashes.
func otelTrace(id string) (string, bool) { return id, len(id) == 32 && !strings.Contains(id, "-") }

// common writes what traces and observations share, and rest what has no name
// of its own here.
func common(s *dialect.OutSpan, o body) {
	s.Text("langfuse.environment", o.text("environment"))
	s.Text("langfuse.release", o.text("release"))
	s.Text("langfuse.version", o.text("version"))
}

func rest(s *dialect.OutSpan, o body, prefix string, known ...string) {
	for _, key := range dialect.Keys(o) {
		if !slices.Contains(known, key) {
			s.JSON(prefix+key, o[key])
		}
	}
}
