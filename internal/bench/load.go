package bench

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Load describes what is sent. The zero value of a field takes the default in
// brackets.
type Load struct {
	Seed      uint64        // [1]
	Spans     int64         // how many in all [1,000,000]
	SpanBytes int           // 1600 or 16000: see the table below [1600]
	Agents    int           // services that send [50]
	OpenRuns  int           // runs of one agent in progress at a time [40]
	Batch     int           // spans in one body at most [512]
	BodyBytes int           // body size at which it is sent [1 MiB, 4 MiB for large spans]
	End       time.Time     // event time of the last span [now]
	Period    time.Duration // event time covered [24 h]
	Cost      bool          // each model call reports its cost: totals are then exact without prices
	Ends      bool          // runs say their task, their mode and how they ended, and some failed
}

// The two loads:
//
//	SpanBytes   a model call carries                              a tool call carries
//	 1600       its last two messages (about 700 B)               arguments and a short result
//	16000       instructions, tool definitions and the whole      arguments and a result of about
//	            history, which every turn resends and lengthens   7 kB: rows, log lines, passages
//
// A run has 8 to 12 steps: a root, then model and tool calls in turn. Children
// arrive as they end, the root last, runs of one agent interleaved. Passages
// come from a corpus of 2,000 per agent, as a knowledge base's do; all other
// text is new each time.

func (l Load) withDefaults() Load {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if l.Seed == 0 {
		l.Seed = 1
	}
	if l.Spans == 0 {
		l.Spans = 1_000_000
	}
	def(&l.SpanBytes, 1600)
	def(&l.Agents, 50)
	def(&l.OpenRuns, 40)
	def(&l.Batch, 512)
	if l.SpanBytes > 4000 {
		def(&l.BodyBytes, 4<<20)
	}
	def(&l.BodyBytes, 1<<20)
	if l.End.IsZero() {
		l.End = time.Now()
	}
	if l.Period == 0 {
		l.Period = 24 * time.Hour
	}
	return l
}

// Truth is what a body said: enough to check that a server kept it once.
type Truth struct {
	Spans        int64 `json:"spans"`
	ModelCalls   int64 `json:"model_calls"`
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	CostNanos    int64 `json:"cost_nanos"`
}

// Add adds another truth to this one.
func (t *Truth) Add(o Truth) {
	t.Spans += o.Spans
	t.ModelCalls += o.ModelCalls
	t.InputTokens += o.InputTokens
	t.OutputTokens += o.OutputTokens
	t.CostNanos += o.CostNanos
}

// SpanTruth is one span of a body.
type SpanTruth struct {
	Trace [16]byte
	Span  [8]byte
	Truth Truth
}

// Agent is one sender of a load. Not safe for concurrent use; different agents
// are.
type Agent struct {
	load     Load
	name     string
	resource []byte
	provider string
	model    string
	tools    [4]string
	fixed    [stepKinds][]byte // attributes that never change, by kind of step
	rng      rng
	open     []*openRun
	spans    []byte
	attrs    []byte
	text     []byte
	corpus   []string
	runs     uint64
	left     int64
	total    int64
	start    int64
	step     float64 // ns of event time a span

	recent [64][16]byte // traces whose roots were sent

	// KeepSpans makes Body list its spans in Last.
	KeepSpans bool
	Last      []SpanTruth
}

const (
	stepRoot = iota
	stepModel
	stepTool
	stepKinds
)

type openRun struct {
	trace    [16]byte
	root     [8]byte
	start    int64
	at       int64
	n, done  int
	user     int
	history  []byte // messages so far, without brackets
	question []byte
	answer   []byte
	call     [8]byte // the tool call that the last model call asked for
	tool     int
}

var (
	providers = []string{"openai", "anthropic", "openai", "mistral_ai"}
	models    = []string{"gpt-4o-mini", "claude-sonnet-4-5", "gpt-4o", "mistral-small-latest"}
	toolNames = []string{
		"lookup_order", "search_articles", "run_query", "fetch_page", "issue_refund", "list_invoices", "check_stock",
		"read_file", "send_reply", "find_customer", "convert_currency", "schedule_call",
	}
	teamNames = []string{"support", "research", "data", "finance", "logistics", "platform"}
)

// AgentsOf makes the senders of the load, each with its share of the spans.
func (l Load) AgentsOf() []*Agent {
	l = l.withDefaults()
	out := make([]*Agent, l.Agents)
	for i := range out {
		a := &Agent{
			load: l, name: fmt.Sprintf("bench-agent-%02d", i), rng: newRNG(l.Seed*1_000_003 + uint64(i)),
			provider: providers[i%len(providers)], model: models[i%len(models)],
			total: l.Spans / int64(l.Agents),
		}
		if int64(i) < l.Spans%int64(l.Agents) {
			a.total++
		}
		a.left = a.total
		a.start = l.End.Add(-l.Period).UnixNano()
		a.step = float64(l.Period-time.Minute) / float64(max(a.total, 1))
		for j := range a.tools {
			a.tools[j] = toolNames[(i*3+j)%len(toolNames)]
		}
		a.resource = a.makeResource(i)
		a.makeFixed(i)
		if l.SpanBytes > 4000 {
			for range 2000 {
				a.corpus = append(a.corpus, string(a.rng.prose(nil, 500)))
			}
		}
		out[i] = a
	}
	return out
}

func (a *Agent) makeResource(i int) []byte {
	b := AppendText(nil, ResourceAttr, "service.name", a.name)
	b = AppendText(b, ResourceAttr, "service.namespace", teamNames[i%len(teamNames)])
	b = AppendText(b, ResourceAttr, "service.version", fmt.Sprintf("1.%d.%d", i%7, i%3))
	b = AppendText(b, ResourceAttr, "service.instance.id", fmt.Sprintf("%s-7d9f%04x", a.name, i*7919))
	b = AppendText(b, ResourceAttr, "deployment.environment.name", []string{"production", "production", "staging"}[i%3])
	b = AppendText(b, ResourceAttr, "host.name", fmt.Sprintf("node-%02d.internal", i%12))
	b = AppendText(b, ResourceAttr, "telemetry.sdk.language", "go")
	b = AppendText(b, ResourceAttr, "telemetry.sdk.name", "opentelemetry")
	return AppendText(b, ResourceAttr, "telemetry.sdk.version", "1.47.0")
}

func (a *Agent) makeFixed(i int) {
	shared := AppendText(nil, SpanAttr, "gen_ai.agent.name", a.name)
	shared = AppendText(shared, SpanAttr, "gen_ai.agent.id", fmt.Sprintf("asst_%08x", i*104729))
	shared = AppendText(shared, SpanAttr, "gen_ai.agent.version", fmt.Sprintf("2026.11.%d", i%28+1))
	shared = AppendText(shared, SpanAttr, "app.region", []string{"eu-central", "eu-west", "us-east"}[i%3])
	shared = AppendText(shared, SpanAttr, "app.tenant", fmt.Sprintf("tenant-%03d", i%17))
	shared = AppendText(shared, SpanAttr, "app.feature", []string{"assistant", "batch", "inbox"}[i%3])
	shared = AppendText(shared, SpanAttr, "deployment.ring", []string{"stable", "canary"}[i%2])
	shared = AppendText(shared, SpanAttr, "code.function.name", "agent.(*Loop).Turn")
	shared = AppendText(shared, SpanAttr, "code.file.path", "agent/loop.go")
	shared = AppendInt(shared, SpanAttr, "thread.id", int64(i%8+1))

	a.fixed[stepRoot] = AppendText(append([]byte(nil), shared...), SpanAttr, "gen_ai.operation.name", "invoke_agent")
	a.fixed[stepRoot] = AppendText(a.fixed[stepRoot], SpanAttr, "gen_ai.provider.name", a.provider)
	a.fixed[stepRoot] = AppendText(a.fixed[stepRoot], SpanAttr, "gen_ai.request.model", a.model)

	m := AppendText(append([]byte(nil), shared...), SpanAttr, "gen_ai.operation.name", "chat")
	m = AppendText(m, SpanAttr, "gen_ai.provider.name", a.provider)
	m = AppendText(m, SpanAttr, "gen_ai.request.model", a.model)
	m = AppendText(m, SpanAttr, "gen_ai.response.model", a.model)
	m = AppendText(m, SpanAttr, "gen_ai.output.type", "text")
	m = AppendFloat(m, SpanAttr, "gen_ai.request.temperature", 0.2)
	m = AppendInt(m, SpanAttr, "gen_ai.request.max_tokens", 2048)
	m = AppendText(m, SpanAttr, "server.address", "api."+a.provider+".example")
	m = AppendInt(m, SpanAttr, "server.port", 443)
	if a.load.SpanBytes > 4000 {
		m = AppendText(m, SpanAttr, "gen_ai.system_instructions", `[{"type":"text","content":"`+string(a.rng.prose(nil, 2000))+`"}]`)
		var defs []byte
		for j, t := range a.tools {
			if j > 0 {
				defs = append(defs, ',')
			}
			defs = append(defs, `{"type":"function","name":"`+t+`","description":"`...)
			defs = a.rng.prose(defs, 500)
			defs = append(defs, `","parameters":{"type":"object","properties":{"id":{"type":"string"},"query":{"type":"string"}},"required":["id"]}}`...)
		}
		m = AppendText(m, SpanAttr, "gen_ai.tool.definitions", "["+string(defs)+"]")
	}
	a.fixed[stepModel] = m

	t := AppendText(append([]byte(nil), shared...), SpanAttr, "gen_ai.operation.name", "execute_tool")
	t = AppendText(t, SpanAttr, "gen_ai.tool.type", "function")
	t = AppendText(t, SpanAttr, "server.address", "tools.internal")
	t = AppendInt(t, SpanAttr, "server.port", 8443)
	t = AppendText(t, SpanAttr, "network.transport", "tcp")
	t = AppendText(t, SpanAttr, "network.protocol.name", "http")
	t = AppendText(t, SpanAttr, "network.protocol.version", "1.1")
	a.fixed[stepTool] = t
}

var benchScope = Scope{"reeve.bench", "1"}

// Body appends the next export request to dst and says what is in it; a Truth
// without spans means that the agent has sent its share.
func (a *Agent) Body(dst []byte) ([]byte, Truth) {
	var truth Truth
	a.spans = a.spans[:0]
	a.Last = a.Last[:0]
	for truth.Spans < int64(a.load.Batch) && len(a.spans) < a.load.BodyBytes && a.left > 0 {
		for len(a.open) < a.load.OpenRuns {
			a.open = append(a.open, a.newRun())
		}
		i := int(a.rng.next() % uint64(len(a.open)))
		r := a.open[i]
		t, id := a.emit(r)
		truth.Add(t)
		if a.KeepSpans {
			a.Last = append(a.Last, SpanTruth{r.trace, id, t})
		}
		a.left--
		if r.done == r.n {
			a.open[i] = a.newRun()
			a.recent[a.runs%uint64(len(a.recent))] = r.trace
		}
	}
	if truth.Spans == 0 {
		return dst, truth
	}
	return AppendRequest(dst, a.resource, benchScope, a.spans), truth
}

// Recent lists traces whose roots were sent, for reads by id.
func (a *Agent) Recent() [][16]byte {
	var out [][16]byte
	for _, t := range a.recent {
		if t != ([16]byte{}) {
			out = append(out, t)
		}
	}
	return out
}

func (a *Agent) newRun() *openRun {
	r := &openRun{n: 8 + int(a.rng.next()%5), user: int(a.rng.next() % 20000)}
	a.runs++
	binary.LittleEndian.PutUint64(r.trace[:], a.rng.next())
	binary.LittleEndian.PutUint64(r.trace[8:], a.rng.next())
	binary.LittleEndian.PutUint64(r.root[:], a.rng.next()|1)
	r.start = a.start + int64(float64(a.total-a.left)*a.step)
	r.at = r.start + int64(time.Millisecond)
	size := 220
	if a.load.SpanBytes > 4000 {
		size = 1000
	}
	if a.rng.next()%200 == 0 {
		r.question = append(r.question, Phrase+" "...)
	}
	r.question = a.rng.prose(r.question, size)
	r.history = append(r.history, `{"role":"user","parts":[{"type":"text","content":"`...)
	r.history = append(append(r.history, r.question...), `"}]}`...)
	return r
}

// emit writes the run's next step: model and tool calls in turn so that the
// last child is a model call, then the root.
func (a *Agent) emit(r *openRun) (Truth, [8]byte) {
	r.done++
	if r.done == r.n {
		return a.emitRoot(r)
	}
	if (r.n-1-r.done)%2 == 0 {
		return a.emitModel(r)
	}
	return a.emitTool(r)
}

func (a *Agent) emitRoot(r *openRun) (Truth, [8]byte) {
	b := append(a.attrs[:0], a.fixed[stepRoot]...)
	b = a.runAttrs(b, r)
	b = appendJoined(b, SpanAttr, "gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"`, r.question, `"}]}]`)
	b = appendJoined(b, SpanAttr, "gen_ai.output.messages", `[{"role":"assistant","parts":[{"type":"text","content":"`, r.answer, `"}],"finish_reason":"stop"}]`)
	root := Span{
		Trace: r.trace, ID: r.root, Name: "invoke_agent " + a.name, Kind: KindInternal,
		Start: r.start, End: r.at + int64(time.Millisecond), Status: StatusOK,
	}
	if a.load.Ends {
		b = a.appendEnd(b, r, &root)
	}
	a.attrs, root.Attributes = b, b
	a.spans = AppendSpan(a.spans, &root)
	return Truth{Spans: 1}, r.root
}

// appendEnd says what a run was for and how it ended, as a function of its trace.
func (a *Agent) appendEnd(b []byte, r *openRun, root *Span) []byte {
	x := binary.LittleEndian.Uint64(r.trace[:])
	b = AppendText(b, SpanAttr, "reeve.task", []string{"refund", "order_status", "report", "invoice"}[x&3])
	b = AppendText(b, SpanAttr, "reeve.mode", []string{"interactive", "interactive", "autonomous", "asynchronous"}[x>>2&3])
	switch n := x >> 8 % 20; {
	case n < 12:
		return AppendText(b, SpanAttr, "reeve.outcome", "resolved")
	case n < 15:
		return AppendText(b, SpanAttr, "reeve.outcome", "escalated")
	case n < 16:
		return AppendText(b, SpanAttr, "reeve.outcome", "abandoned")
	case n < 17:
		root.Status, root.StatusMessage = StatusError, "gave up"
	}
	return b
}

func (a *Agent) emitModel(r *openRun) (Truth, [8]byte) {
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], a.rng.next()|1)
	last := r.done == r.n-1
	size := 170
	if a.load.SpanBytes > 4000 {
		size = 500
	}
	input := int64(len(r.history)/4 + 350)
	if a.load.SpanBytes > 4000 {
		input += 1100
	}
	b := append(a.attrs[:0], a.fixed[stepModel]...)
	b = a.runAttrs(b, r)
	b = AppendText(b, SpanAttr, "gen_ai.response.id", "resp_"+hex.EncodeToString(id[:])+hex.EncodeToString(r.root[:4]))
	finish := "tool_call"
	if last {
		finish = "stop"
	}
	b = AppendTexts(b, SpanAttr, "gen_ai.response.finish_reasons", finish)
	output := int64(size/4 + int(a.rng.next()%200))
	cached := input * 3 / 4 / 64 * 64
	b = AppendInt(b, SpanAttr, "gen_ai.usage.input_tokens", input)
	b = AppendInt(b, SpanAttr, "gen_ai.usage.output_tokens", output)
	b = AppendInt(b, SpanAttr, "gen_ai.usage.cache_read.input_tokens", cached)
	truth := Truth{Spans: 1, ModelCalls: 1, InputTokens: input, OutputTokens: output}
	if a.load.Cost {
		truth.CostNanos = (input*150 + output*600)
		b = AppendFloat(b, SpanAttr, "gen_ai.usage.cost", float64(truth.CostNanos)/1e9)
	}
	b = appendJoined(b, SpanAttr, "gen_ai.input.messages", "[", r.history, "]")

	r.answer = a.rng.prose(r.answer[:0], size)
	binary.LittleEndian.PutUint64(r.call[:], a.rng.next())
	r.tool = int(a.rng.next() % uint64(len(a.tools)))
	reply := append(a.text[:0], `{"role":"assistant","parts":[{"type":"text","content":"`...)
	reply = append(append(reply, r.answer...), `"}`...)
	if !last {
		reply = append(reply, `,{"type":"tool_call","id":"call_`...)
		reply = hex.AppendEncode(reply, r.call[:])
		reply = append(append(append(reply, `","name":"`...), a.tools[r.tool]...), `","arguments":{"id":"`...)
		reply = strconv.AppendUint(reply, uint64(binary.LittleEndian.Uint32(r.call[:])), 10)
		reply = append(reply, `"}}`...)
	}
	reply = append(reply, `],"finish_reason":"`+finish+`"}`...)
	b = appendJoined(b, SpanAttr, "gen_ai.output.messages", "[", reply, "]")
	a.attrs, a.text = b, reply
	took := int64(300+a.rng.next()%2500) * int64(time.Millisecond)
	a.spans = AppendSpan(a.spans, &Span{
		Trace: r.trace, ID: id, Parent: r.root, Name: "chat " + a.model, Kind: KindClient,
		Start: r.at, End: r.at + took, Attributes: b,
	})
	r.at += took + int64(time.Millisecond)
	if a.load.SpanBytes > 4000 {
		r.history = append(append(r.history, ','), reply...)
	} else {
		r.history = append(r.history[:0], reply...)
	}
	return truth, id
}

func (a *Agent) emitTool(r *openRun) (Truth, [8]byte) {
	var id [8]byte
	binary.LittleEndian.PutUint64(id[:], a.rng.next()|1)
	if r.call == ([8]byte{}) { // a run may open with a look-up before the first model call
		binary.LittleEndian.PutUint64(r.call[:], a.rng.next())
	}
	a.text = a.result(a.text[:0])
	result := a.text
	b := append(a.attrs[:0], a.fixed[stepTool]...)
	b = a.runAttrs(b, r)
	b = AppendText(b, SpanAttr, "gen_ai.tool.name", a.tools[r.tool])
	b = AppendText(b, SpanAttr, "gen_ai.tool.call.id", "call_"+hex.EncodeToString(r.call[:]))
	b = AppendText(b, SpanAttr, "gen_ai.tool.call.arguments", `{"id":"`+strconv.FormatUint(uint64(binary.LittleEndian.Uint32(r.call[:])), 10)+`"}`)
	b = AppendText(b, SpanAttr, "gen_ai.tool.call.result", result)
	b = AppendInt(b, SpanAttr, "http.response.status_code", 200)
	b = AppendInt(b, SpanAttr, "http.response.body.size", int64(len(result)))
	took := int64(5+a.rng.next()%400) * int64(time.Millisecond)
	s := Span{Trace: r.trace, ID: id, Parent: r.root, Name: "execute_tool " + a.tools[r.tool], Kind: KindInternal, Start: r.at, End: r.at + took}
	if a.rng.next()%40 == 0 {
		s.Status, s.StatusMessage = StatusError, "upstream timed out"
		b = AppendText(b, SpanAttr, "error.type", "timeout")
	}
	a.attrs = b
	s.Attributes = b
	a.spans = AppendSpan(a.spans, &s)
	r.at += took + int64(time.Millisecond)
	r.history = append(r.history, `,{"role":"tool","parts":[{"type":"tool_call_response","id":"call_`...)
	r.history = hex.AppendEncode(r.history, r.call[:])
	r.history = append(append(append(r.history, `","response":`...), result...), `}]}`...)
	return Truth{Spans: 1}, id
}

// runAttrs are the attributes that differ by run, on every step.
func (a *Agent) runAttrs(b []byte, r *openRun) []byte {
	b = AppendText(b, SpanAttr, "gen_ai.conversation.id", "conv-"+hex.EncodeToString(r.trace[:6]))
	b = AppendText(b, SpanAttr, "user.id", "user-"+strconv.Itoa(r.user))
	return AppendInt(b, SpanAttr, "app.turn", int64(r.done))
}

// result is what a tool gave: JSON rows, log lines or passages.
func (a *Agent) result(b []byte) []byte {
	if a.load.SpanBytes <= 4000 {
		b = append(b, `{"status":"ok","note":"`...)
		b = a.rng.prose(b, 180)
		return append(b, `"}`...)
	}
	const want = 7300
	switch a.rng.next() % 3 {
	case 0:
		b = append(b, `{"rows":[`...)
		for i := 0; len(b) < want; i++ {
			if i > 0 {
				b = append(b, ',')
			}
			x := a.rng.next()
			b = append(b, `{"order_id":"`...)
			b = strconv.AppendUint(b, x%9_000_000+1_000_000, 10)
			b = append(b, `","status":"`...)
			b = append(b, []string{"delivered", "shipped", "returned", "pending"}[x>>24&3]...)
			b = append(b, `","total":`...)
			b = strconv.AppendUint(b, x>>28%90000, 10)
			b = append(b, `,"currency":"EUR","country":"`...)
			b = append(b, []string{"DE", "FR", "NL", "PL"}[x>>50&3]...)
			b = append(b, `","carrier":"parcel"}`...)
		}
		return append(b, `]}`...)
	case 1:
		b = append(b, '"')
		t := a.start / 1e9
		for len(b) < want {
			x := a.rng.next()
			t += int64(x & 15)
			b = strconv.AppendInt(b, t, 10)
			b = append(b, " level="...)
			b = append(b, []string{"info", "info", "info", "warn"}[x>>8&3]...)
			b = append(b, " service=checkout path=/api/orders/"...)
			b = strconv.AppendUint(b, x>>12%100000, 10)
			b = append(b, " status=200 took_ms="...)
			b = strconv.AppendUint(b, x>>40%900, 10)
			b = append(b, `\n`...)
		}
		return append(b, '"')
	default:
		b = append(b, `{"passages":[`...)
		for i := 0; len(b) < want; i++ {
			if i > 0 {
				b = append(b, ',')
			}
			n := a.rng.next() % uint64(len(a.corpus))
			b = append(b, `{"id":"doc-`...)
			b = strconv.AppendUint(b, n, 10)
			b = append(append(append(b, `","text":"`...), a.corpus[n]...), `"}`...)
		}
		return append(b, `]}`...)
	}
}

// rng is splitmix64: one multiplication chain a number, and the same on every
// machine.
type rng struct{ s uint64 }

// newRNG mixes the seed first: neighbouring seeds would otherwise give one
// sequence shifted by a place.
func newRNG(seed uint64) rng {
	r := rng{seed}
	r.s = r.next() ^ seed<<32
	return r
}

func (r *rng) next() uint64 {
	r.s += 0x9E3779B97F4A7C15
	z := r.s
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// prose appends at least n bytes of words, skewed as words are, with numbers
// between them.
func (r *rng) prose(b []byte, n int) []byte {
	for end := len(b) + n; len(b) < end; {
		x := r.next()
		for range 6 {
			b = append(b, wordTable[x&1023]...)
			x >>= 10
		}
		if x == 0 {
			b = strconv.AppendUint(b, r.next()%1_000_000, 10)
			b = append(b, ' ')
		}
	}
	return b
}
