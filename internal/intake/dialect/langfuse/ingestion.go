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

// entity is a trace or an observation, merged from its events.
type entity struct {
	kind   string // trace, or an observation's type
	id     string
	latest int64
	events []stamped
	all    dialect.Object
}

type stamped struct {
	at   int64
	body dialect.Object
}

type result struct {
	ID      string `json:"id"`
	Status  int    `json:"status"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

// ingestion takes a batch and answers 207 with each event's own status.
func ingestion(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	q, ok := dialect.ParseObject(r.Body)
	if !ok {
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a batch of events")
	}
	good, bad := []result{}, []result{}
	b := batch{out: out, now: r.Now, entities: map[string]*entity{}}
	n := 0
	ok = q.Get("batch").Each(func(raw dialect.Raw) {
		if n++; n > maxEvents {
			return
		}
		e := raw.Object()
		id := e.Get("id").Text()
		if why := b.take(e); why != "" {
			bad = append(bad, result{ID: id, Status: http.StatusBadRequest, Message: "Invalid request data", Error: why})
			out.Reject(why)
			return
		}
		good = append(good, result{ID: id, Status: http.StatusCreated})
	})
	switch {
	case !ok && q.Get("batch") != nil:
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.malformed", "the batch is no list of events")
	case n > maxEvents:
		return dialect.Reply{}, fault.New(fault.KindInvalid, "intake.too_large", "a batch has at most %d events", maxEvents)
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
func (b *batch) take(e dialect.Object) (why string) {
	event := e.Get("type").Text()
	if event == "sdk-log" {
		return ""
	}
	o := e.Get("body").Object()
	if o == nil {
		return "the event has no body"
	}
	at := dialect.Instant(e.Get("timestamp"))
	kind, verb := event, ""
	if i := strings.LastIndexByte(event, '-'); i >= 0 {
		kind, verb = event[:i], event[i+1:]
	}
	switch {
	case event == "score-create":
		return b.score(o, at)
	case event == "trace-create":
		return b.add("trace", o, at)
	case verb == "create" || verb == "update":
		if kind == "observation" {
			kind = strings.ToLower(o.Get("type").Text())
		}
		if _, ok := kinds[kind]; !ok {
			return "there is no event of type " + event
		}
		if o.Get("traceId").Text() == "" {
			return "the observation has no traceId"
		}
		return b.add(kind, o, at)
	}
	return "there is no event of type " + event
}

func (b *batch) add(kind string, o dialect.Object, at int64) string {
	id := o.Get("id").Text()
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

// merge lays the events of an entity over each other, by time.
func (e *entity) merge() {
	slices.SortStableFunc(e.events, func(x, y stamped) int { return cmp.Compare(x.at, y.at) })
	e.all = e.events[0].body
	for _, later := range e.events[1:] {
		for _, m := range later.body {
			e.all.Set(m.Key, m.Value)
		}
	}
}

func (b *batch) write() {
	ends := map[string]int64{} // of traces: the last thing that happened in them
	for _, e := range b.order {
		e.merge()
		if e.kind != "trace" {
			id := e.all.Get("traceId").Text()
			ends[id] = max(ends[id], dialect.Instant(e.all.Get("endTime")), dialect.Instant(e.all.Get("startTime")))
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
	o := &e.all
	o.Take("id")
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(e.id), ID: rootOf(e.id), Name: o.Take("name").Text(),
		Start: cmp.Or(dialect.Instant(o.Take("timestamp")), e.latest), Attributes: b.out.Attributes(),
	}
	s.End = max(end, s.Start)
	s.Text("langfuse.observation.type", "agent")
	s.Text("langfuse.trace.name", s.Name)
	common(&s, o)
	s.Text("langfuse.user.id", o.Take("userId").Word())
	s.Text("langfuse.session.id", o.Take("sessionId").Word())
	s.Texts("langfuse.trace.tags", o.Take("tags").Texts())
	s.JSON("langfuse.observation.input", o.Take("input"))
	s.JSON("langfuse.observation.output", o.Take("output"))
	s.JSON("langfuse.trace.metadata", o.Take("metadata"))
	rest(&s, *o, "langfuse.trace.")
	b.out.Span(&s)
}

func (b *batch) observation(e *entity) {
	o := &e.all
	o.Take("id")
	o.Take("type")
	trace := o.Take("traceId").Text()
	begun := o.Take("startTime")
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(trace), ID: dialect.SpanOf(e.id, false), Name: o.Take("name").Text(),
		Start: dialect.Instant(begun), End: dialect.Instant(o.Take("endTime")), Attributes: b.out.Attributes(),
	}
	if s.Start == 0 { // an update whose creation is elsewhere: folding finds the start there
		s.Start = cmp.Or(s.End, e.latest)
	}
	if e.kind == "event" && s.End == 0 {
		s.End = s.Start
	}
	if parent := o.Take("parentObservationId").Text(); parent != "" {
		s.Parent = dialect.SpanOf(parent, false)
	} else if begun != nil {
		s.Parent = rootOf(trace) // only who creates it knows that it has no other
	}
	kind := e.kind
	if kind == "span" && o.Get("model") != nil {
		kind = "generation"
	}
	s.Text("langfuse.observation.type", kind)
	common(&s, o)
	s.Text("langfuse.observation.model.name", o.Take("model").Text())
	s.JSON("langfuse.observation.model.parameters", o.Take("modelParameters"))
	s.JSON("langfuse.observation.usage_details", usage(o))
	s.JSON("langfuse.observation.cost_details", o.Take("costDetails"))
	s.Text("langfuse.observation.completion_start_time", o.Take("completionStartTime").Text())
	s.Text("langfuse.observation.prompt.name", o.Take("promptName").Text())
	s.Text("langfuse.observation.prompt.version", o.Take("promptVersion").Word())
	s.Text("langfuse.observation.level", o.Take("level").Text())
	s.Text("langfuse.observation.status_message", o.Take("statusMessage").Text())
	s.JSON("langfuse.observation.input", o.Take("input"))
	s.JSON("langfuse.observation.output", o.Take("output"))
	s.JSON("langfuse.observation.metadata", o.Take("metadata"))
	rest(&s, *o, "langfuse.observation.")
	b.out.Span(&s)
}

// usage is usageDetails, or the older usage in its words.
func usage(o *dialect.Object) dialect.Raw {
	details, older := o.Take("usageDetails"), o.Take("usage").Object()
	if details != nil {
		return details
	}
	if unit := older.Get("unit").Text(); unit != "" && unit != "TOKENS" {
		return nil // characters or seconds are no tokens
	}
	var tokens []byte
	for _, names := range [...][3]string{{"input", "input", "promptTokens"}, {"output", "output", "completionTokens"}, {"total", "total", "totalTokens"}} {
		for _, name := range names[1:] {
			if n := older.Get(name); n != nil {
				tokens = append(tokens, `,"`+names[0]+`":`...)
				tokens = append(tokens, n...)
				break
			}
		}
	}
	if tokens == nil {
		return nil
	}
	tokens[0] = '{'
	return append(tokens, '}')
}

// score becomes an evaluation of its observation, or of its trace.
func (b *batch) score(o dialect.Object, at int64) string {
	name, trace, session := o.Take("name").Text(), o.Take("traceId").Text(), o.Take("sessionId").Text()
	if name == "" || (trace == "" && session == "") {
		return "a score has a name, and a traceId or sessionId"
	}
	l := dialect.OutLog{Event: dialect.EvaluationEvent, Time: cmp.Or(at, b.now), Attributes: b.out.Attributes()}
	if trace != "" {
		l.Trace = dialect.TraceOf(trace)
		switch id := o.Take("observationId").Text(); {
		case id != "":
			l.Span = dialect.SpanOf(id, false)
		case strings.Contains(trace, "-"):
			l.Span = rootOf(trace)
		default: // 32 digits: sent over OpenTelemetry, whose root is a span of its own
		}
	}
	e := dialect.Evaluation{Name: name, Explanation: o.Take("comment").Text()}
	value := o.Take("value")
	if n, ok := value.Float(); ok {
		e.Score = &n
	} else {
		e.Label = value.Word()
	}
	e.Write(&l)
	l.Text("session.id", session)
	for _, m := range o {
		l.JSON("langfuse.score."+m.Key, m.Value)
	}
	b.out.Log(&l)
	return ""
}

// common writes what traces and observations share, and rest what has no name
// of its own here.
func common(s *dialect.OutSpan, o *dialect.Object) {
	s.Text("langfuse.environment", o.Take("environment").Text())
	s.Text("langfuse.release", o.Take("release").Text())
	s.Text("langfuse.version", o.Take("version").Text())
}

func rest(s *dialect.OutSpan, o dialect.Object, prefix string) {
	for _, m := range o {
		s.JSON(prefix+m.Key, m.Value)
	}
}
