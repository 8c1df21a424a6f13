// Package bedrocklog reads Amazon Bedrock's model invocation logs: one record for
// each call of a model in an account and region.
//
// What for: agents that nobody can instrument are seen by what their provider
// wrote down. The table names which attribute feeds which field; records turns
// log records into spans with these attributes.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors; package poll fetches records from S3 or CloudWatch and gives
// them to that door.
//
// Promises: pure functions. A record's ids come from its account and request, so
// the same record from S3, from CloudWatch and twice is one step. Input tokens
// exclude those of caches, as Bedrock's own usage does.
//
// How it fails: a body that holds no record is refused whole; a record that
// cannot be read, or is of another kind, is counted.
//
// Start reading at records.
package bedrocklog

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Path is where records are taken.
const Path = "/v1/bedrock/invocations"

// AgentHeader names whose calls the records are where they do not say so
// themselves.
const AgentHeader = "X-Reeve-Agent"

// Dialect is Bedrock's invocation log.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "bedrock-logs", Rules: rules, Exclusive: func(*dialect.Span) bool { return true },
		Endpoints: []dialect.Endpoint{{Method: "POST", Path: Path, Take: records}},
	}
}

var rules = []dialect.Rule{
	{Key: "bedrock_log.operation", Field: dialect.Kind, Rank: 13, KindOf: activity.KindModel},
	{Key: "bedrock_log.role", Field: dialect.Agent, Rank: 240},
	{Key: "bedrock_log.error", Field: dialect.ErrorType, Rank: 30},
	{Key: "bedrock_log.converse.input", Field: dialect.ContentInput, Rank: 26, Format: genai.Bedrock},
	{Key: "bedrock_log.converse.output", Field: dialect.ContentOutput, Rank: 26, Format: genai.Bedrock},
	{Key: "bedrock_log.anthropic.input", Field: dialect.ContentInput, Rank: 25, Format: genai.Anthropic},
	{Key: "bedrock_log.anthropic.output", Field: dialect.ContentOutput, Rank: 25, Format: genai.Anthropic},
	{Key: "bedrock_log.system", Field: dialect.ContentSystem, Rank: 26, Format: genai.Text},
	{Key: "bedrock_log.tools", Field: dialect.ContentTools, Rank: 26, Format: genai.Tools},
	{Key: "bedrock_log.input", Field: dialect.ContentInput, Rank: 27, Format: dialect.Chat},
	{Key: "bedrock_log.output", Field: dialect.ContentOutput, Rank: 27, Format: dialect.Chat},
	{Key: "bedrock_log.metadata.", Field: dialect.Label, Rank: 87},
}

// records takes a file or an event of the log: records one after the other, or
// in a list.
func records(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	n := 0
	each := func(raw dialect.Raw) {
		n++
		if why := record(out, raw, r.Header.Get(AgentHeader)); why != "" {
			out.Reject(why)
		}
	}
	body := bytes.TrimSpace(r.Body)
	switch {
	case len(body) > 0 && body[0] == '[':
		if !dialect.Raw(body).Each(each) {
			return dialect.Reply{}, errNone
		}
	default:
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				each(line)
			}
		}
	}
	if n == 0 {
		return dialect.Reply{}, errNone
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

var errNone = fault.New(fault.KindInvalid, "intake.malformed", "the body holds no records of Bedrock's invocation log").
	WithHint("send the records as the log has them: one JSON object a line, or a list")

// record writes one call; why says what is wrong with it.
func record(out *dialect.Writer, raw dialect.Raw, agent string) (why string) {
	o, ok := dialect.ParseObject(raw)
	if !ok {
		return "a record is no JSON object"
	}
	if kind := o.Take("schemaType").Text(); kind != "" && kind != "ModelInvocationLog" {
		return "a record is of schema " + kind[:min(len(kind), 60)]
	}
	request, account, at := o.Take("requestId").Text(), o.Take("accountId").Text(), dialect.Instant(o.Take("timestamp"))
	if request == "" || at == 0 {
		return "a record has no requestId or no timestamp"
	}
	model, operation := o.Take("modelId").Text(), o.Take("operation").Text()
	in, answer := o.Take("input").Object(), o.Take("output").Object()
	meta := o.Take("requestMetadata").Object()
	arn := o.Take("identity").Object().Get("arn").Text()
	key := "bedrock " + account + " " + request
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(key), ID: dialect.SpanOf(key, false), Name: strings.TrimSpace(operation + " " + shortModel(model)),
		Start: at, End: at + latency(answer), Attributes: out.Attributes(),
	}
	joined(&s, meta)
	s.Text("bedrock_log.operation", cmp.Or(operation, "InvokeModel"))
	s.Text("gen_ai.provider.name", "aws.bedrock")
	s.Text("gen_ai.request.model", shortModel(model))
	if strings.Contains(model, "embed") {
		s.Text("gen_ai.operation.name", "embeddings")
	}
	s.Text("reeve.agent", agent)
	s.Text("bedrock_log.role", role(arn))
	if code := o.Take("errorCode").Word(); code != "" {
		s.Failed, s.Message = true, code
		s.Text("bedrock_log.error", code)
	}
	for _, m := range meta {
		s.Text("bedrock_log.metadata."+m.Key, m.Value.Word())
	}
	usage(&s, o, in, answer)
	said(&s, in.Take("inputBodyJson"), answer.Take("outputBodyJson"))
	s.Text("bedrock_log.arn", arn)
	s.Text("bedrock_log.account", account)
	s.Text("bedrock_log.request", request)
	s.Text("bedrock_log.model", model)
	for _, rest := range [...]struct {
		prefix  string
		members dialect.Object
	}{{"", o}, {"input.", in}, {"output.", answer}} {
		for _, m := range rest.members { // what is not known is kept
			s.JSON("bedrock_log.record."+rest.prefix+m.Key, m.Value)
		}
	}
	out.Span(&s)
	return ""
}

// joined puts the call where the caller's own words say that it belongs:
// requestMetadata is all that Bedrock lets a caller say of a call.
func joined(s *dialect.OutSpan, meta dialect.Object) {
	for _, m := range meta {
		v := m.Value.Word()
		switch strings.ToLower(m.Key) {
		case "traceparent":
			if p := strings.Split(v, "-"); len(p) == 4 && len(p[1]) == 32 && len(p[2]) == 16 {
				s.Trace, s.Parent = dialect.TraceOf(p[1]), dialect.SpanOf(p[2], false)
			}
		case "session", "session_id", "sessionid", "conversation_id", "conversationid":
			s.Text("session.id", v)
		case "user", "user_id", "userid":
			s.Text("user.id", v)
		case "agent", "agent_name", "agentname":
			s.Text("gen_ai.agent.name", v)
		case "environment", "env":
			s.Text("deployment.environment.name", v)
		case "run", "run_id", "runid":
			s.Text("reeve.run.id", v)
		}
	}
}

// latency is how long the call took; 0 where the record does not say, as those of
// InvokeModel without metrics do not.
func latency(answer dialect.Object) int64 {
	body := answer.Get("outputBodyJson")
	ms, ok := body.Object().Get("metrics").Object().Get("latencyMs").Float()
	if !ok {
		ms, ok = metrics(body).Get("invocationLatency").Float()
	}
	if !ok || ms < 0 || ms > 24*3600*1000 {
		return 0
	}
	return int64(ms * 1e6)
}

// metrics are what Bedrock adds to the last event of a stream.
func metrics(body dialect.Raw) dialect.Object {
	if o := body.Object().Get("amazon-bedrock-invocationMetrics").Object(); o != nil {
		return o
	}
	var last dialect.Object
	body.Each(func(e dialect.Raw) {
		o := e.Object()
		for _, at := range [...]dialect.Object{o, o.Get("chunk").Object()} {
			if m := at.Get("amazon-bedrock-invocationMetrics").Object(); m != nil {
				last = m
			}
		}
	})
	return last
}

// usage writes what the record counted. A call that failed was not counted.
func usage(s *dialect.OutSpan, o, in, answer dialect.Object) {
	said := answer.Get("outputBodyJson").Object().Get("usage").Object()
	first := func(all ...dialect.Raw) dialect.Raw {
		for _, r := range all {
			if _, ok := r.Int(); ok {
				return r
			}
		}
		return nil
	}
	s.Count("gen_ai.usage.input_tokens", in.Take("inputTokenCount"))
	s.Count("gen_ai.usage.output_tokens", answer.Take("outputTokenCount"))
	s.Count("gen_ai.usage.cache_read.input_tokens", first(in.Get("cacheReadInputTokenCount"), o.Get("cacheReadInputTokenCount"), said.Get("cacheReadInputTokens"), said.Get("cache_read_input_tokens")))
	s.Count("gen_ai.usage.cache_creation.input_tokens", first(in.Get("cacheWriteInputTokenCount"), o.Get("cacheWriteInputTokenCount"), said.Get("cacheWriteInputTokens"), said.Get("cache_creation_input_tokens")))
}

// said writes what was asked and answered. Bodies above 100 kB are in S3 and not
// here; the record keeps where.
func said(s *dialect.OutSpan, in, answer dialect.Raw) {
	ask, reply := in.Object(), answer.Object()
	message := reply.Get("output").Object().Get("message")
	anthropic := ask.Get("anthropic_version") != nil || reply.Get("type").Text() == "message"
	switch messages := ask.Get("messages"); {
	case messages == nil:
		s.JSON("bedrock_log.input", in)
	case anthropic:
		s.JSON("bedrock_log.anthropic.input", messages)
	default:
		s.JSON("bedrock_log.converse.input", messages)
	}
	s.Text("bedrock_log.system", texts(ask.Get("system")))
	s.JSON("bedrock_log.tools", ask.Get("tools"))
	s.JSON("bedrock_log.tools", ask.Get("toolConfig").Object().Get("tools"))
	s.Text("gen_ai.response.finish_reason", cmp.Or(reply.Get("stopReason").Text(), reply.Get("stop_reason").Text()))
	s.Text("gen_ai.response.id", reply.Get("id").Text())
	switch {
	case message != nil:
		s.JSON("bedrock_log.converse.output", message)
	case anthropic && reply.Get("content") != nil:
		s.JSON("bedrock_log.anthropic.output", answer)
	default:
		if text := streamed(answer); text != "" {
			s.Text("bedrock_log.output", text)
			return
		}
		s.JSON("bedrock_log.output", answer)
	}
}

// texts is a text, or those of a list of blocks.
func texts(raw dialect.Raw) string {
	if t := raw.Text(); t != "" {
		return t
	}
	var all []string
	raw.Each(func(e dialect.Raw) {
		if t := e.Object().Get("text").Text(); t != "" {
			all = append(all, t)
		}
	})
	return strings.Join(all, "\n")
}

// streamed is the text of a stream's events, in the shapes of Anthropic's and of
// Converse.
func streamed(list dialect.Raw) string {
	var b strings.Builder
	list.Each(func(e dialect.Raw) {
		o := e.Object()
		if inner := o.Get("contentBlockDelta").Object(); inner != nil {
			o = inner
		}
		b.WriteString(o.Get("delta").Object().Get("text").Text())
	})
	return b.String()
}

// shortModel is a model's name: a foundation model's ARN and an inference
// profile's end with it.
func shortModel(id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id[strings.LastIndexByte(id, '/')+1:]
	}
	return id
}

// role is whose credentials called: a role's or user's name.
func role(arn string) string {
	_, rest, ok := strings.Cut(arn, ":assumed-role/")
	if !ok {
		if _, rest, ok = strings.Cut(arn, ":user/"); !ok {
			_, rest, _ = strings.Cut(arn, ":role/")
			return rest
		}
		return rest
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
