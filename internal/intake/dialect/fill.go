package dialect

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"reeve/internal/activity"
)

// Fill ends a span: it turns what Attribute found into fields of f. The caller
// has set f's ids, times, status, Name and the names of service and scope.
func (m *Map) Fill(s *Span, f *activity.Fragment) {
	f.Kind = s.kind
	f.MapVersion = MapVersion
	f.Dialect = m.dialects[0].Name
	exclusive := false
	for i, seen := 1, s.seen>>1; seen != 0; i, seen = i+1, seen>>1 {
		if seen&1 == 0 {
			continue
		}
		d := &m.dialects[i]
		if f.Dialect == m.dialects[0].Name {
			f.Dialect = d.Name
		}
		if d.Finish != nil {
			d.Finish(s, f)
		}
		exclusive = exclusive || (d.Exclusive != nil && d.Exclusive(s))
	}
	s.metadata(f)
	s.names(f)
	s.call(f, exclusive)
	s.tagList(f)
	f.Labels = s.labels.take()
	f.Contents = s.contentList(f.Kind)
	f.Flags |= s.Flags
}

// FillContent ends a log record or event of a step: its contents only. order is
// its place among the step's records.
func (m *Map) FillContent(s *Span, f *activity.Fragment, order int32) {
	f.MapVersion = MapVersion
	f.Dialect = m.dialects[0].Name
	for i, seen := 1, s.seen>>1; seen != 0; i, seen = i+1, seen>>1 {
		if seen&1 != 0 {
			f.Dialect = m.dialects[i].Name
			break
		}
	}
	s.assemble()
	s.flat = s.flat[:0]
	for i := range s.contents {
		s.contents[i].event = true
		s.contents[i].order = order
	}
	f.Contents = s.contentList(s.kind)
	f.Flags |= s.Flags
}

// Recognised reports whether any vendor's attribute was seen.
func (s *Span) Recognised() bool { return s.seen != 0 }

// HasContent reports whether any attribute was content.
func (s *Span) HasContent() bool { return len(s.contents) > 0 || len(s.flat) > 0 }

func (s *Span) names(f *activity.Fragment) {
	f.Task = s.Text(Task)
	f.RunName = s.Text(RunName)
	f.Session = s.Text(Session)
	f.User = s.Text(User)
	f.AgentID = s.Text(AgentID)
	f.AgentVersion = s.Text(AgentVersion)
	f.Environment = s.Text(Environment)
	f.Outcome = s.Text(Outcome)
	f.DecisionID = s.Text(DecisionID)
	f.Waiting = s.Get(Waiting).True()
	switch mode := s.Text(Mode); mode {
	case "interactive", "autonomous", "asynchronous", "test":
		f.Mode = mode
	}
	if s.Get(Generated).True() {
		f.Flags |= activity.FlagGenerated
	}
	if name := s.Text(Agent); name != "" {
		f.Agent, f.AgentExplicit = name, true
	} else if f.Service != "" && !strings.HasPrefix(f.Service, "unknown_service") {
		f.Agent = f.Service
		f.Flags |= activity.FlagAgentGuessed
	}
	f.ToolName = s.Text(ToolName)
	f.ToolCallID = s.Text(ToolCallID)
	if f.ToolName == "" && f.Kind == activity.KindTool {
		f.ToolName = f.Name
	}
	switch name := s.Text(StepName); {
	case f.Kind == activity.KindTool && f.ToolName != "" && s.ranks[StepName] != 1:
		f.Name = f.ToolName
	case name != "":
		f.Name = name
	}
	if e := s.Text(ErrorType); e != "" {
		// An exception that was recorded and handled is no error of the step,
		// the attribute error.type is.
		if s.ranks[ErrorType] < 50 {
			f.Status = activity.StatusError
		}
		if f.Status == activity.StatusError {
			f.ErrorType = e
		}
	}
	if f.Status == activity.StatusError && f.StatusMessage == "" {
		f.StatusMessage = s.Text(ErrorMessage)
	}
}

// call fills in what only calls of models and the like have.
func (s *Span) call(f *activity.Fragment, exclusive bool) {
	f.Provider = CanonicalProvider(s.Text(Provider))
	f.ModelRequested = s.Text(ModelRequested)
	if f.Model = s.Text(Model); f.Model == "" {
		f.Model = f.ModelRequested
	}
	f.ResponseID = s.Text(ResponseID)
	f.FinishReason = finishReason(s.Get(Finish))
	f.TTFT = activity.Unknown
	if sec, ok := s.Get(TTFTSeconds).Float(); ok && sec >= 0 && sec < 1e6 {
		f.TTFT = int64(sec * 1e9)
	} else if ms, ok := s.Get(TTFTMillis).Float(); ok && ms >= 0 && ms < 1e9 {
		f.TTFT = int64(ms * 1e6)
	}
	f.Usage = activity.Usage{
		InputTotal: s.count(InputTokens), OutputTotal: s.count(OutputTokens),
		CacheRead: s.count(CacheRead), CacheWrite: s.count(CacheWrite), Reasoning: s.count(Reasoning),
	}
	if whole(&f.Usage, s.count(TotalTokens), f.Kind, exclusive) {
		f.Flags |= activity.FlagUsageExclusive
	}
	s.cost(f)
}

// count is a number of tokens; what is no number or below zero is unknown.
func (s *Span) count(field Field) int64 {
	if n, ok := s.Get(field).Int(); ok && n >= 0 && n < 1<<50 {
		return n
	}
	return activity.Unknown
}

// whole makes totals of what the sender gave: input includes both caches,
// output includes reasoning. It reports whether the sender's did not. Parts
// that exceed their total prove that it excludes them.
func whole(u *activity.Usage, total int64, kind activity.Kind, exclusive bool) bool {
	changed := false
	cached := max(u.CacheRead, 0) + max(u.CacheWrite, 0)
	if u.InputTotal >= 0 && cached > 0 && (exclusive || cached > u.InputTotal) {
		u.InputTotal += cached
		changed = true
	}
	if u.OutputTotal >= 0 && u.Reasoning > u.OutputTotal {
		u.OutputTotal += u.Reasoning
		changed = true
	}
	if total >= 0 {
		switch {
		case u.InputTotal < 0 && u.OutputTotal >= 0 && total >= u.OutputTotal:
			u.InputTotal = total - u.OutputTotal
		case u.OutputTotal < 0 && u.InputTotal >= 0 && total >= u.InputTotal && kind == activity.KindModel:
			u.OutputTotal = total - u.InputTotal
		case u.InputTotal < 0 && u.OutputTotal < 0 && kind == activity.KindEmbedding:
			u.InputTotal = total
		}
	}
	return changed
}

func (s *Span) cost(f *activity.Fragment) {
	usd, ok := s.Get(Cost).Float()
	if !ok {
		in, okIn := s.Get(CostInput).Float()
		out, okOut := s.Get(CostOutput).Float()
		if !okIn || !okOut {
			return // half a cost is no cost
		}
		usd = in + out
	}
	if usd < 0 || usd > 1e9 {
		return
	}
	f.ReportedCost = activity.Cost{Nanos: int64(math.Round(usd * 1e9)), Currency: "USD", Basis: activity.CostProvider}
}

// metadata reads the one attribute in which some senders put everything about
// the run, as JSON.
func (s *Span) metadata(*activity.Fragment) {
	v := s.Get(Metadata)
	each := func(key string, v Value) {
		text := v.Text()
		if text == "" || len(text) > 256 {
			return
		}
		switch key {
		case "session_id", "sessionId", "langfuse_session_id":
			s.Set(Session, 90, v)
		case "conversation_id", "thread_id":
			s.Set(Session, 95, v)
		case "user_id", "userId", "langfuse_user_id":
			s.Set(User, 90, v)
		case "environment", "env":
			s.Set(Environment, 90, v)
		case "release", "version", "agent_version":
			s.Set(AgentVersion, 90, v)
		case "task":
			s.Set(Task, 90, v)
		}
		if len(s.labels.open) < maxLabels {
			s.labels.add(activity.Label{Key: key, Value: text})
		}
	}
	switch v.Type {
	case Pairs:
		v.EachPair(func(key string, v Value) bool { each(key, v); return true })
	case String:
		raw := v.Raw()
		if len(raw) > 64<<10 || len(raw) == 0 || raw[0] != '{' {
			return
		}
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return
		}
		keys := make([]string, 0, len(o))
		for k := range o {
			keys = append(keys, k)
		}
		slices.Sort(keys) // the same input must give the same fragment
		for _, k := range keys {
			raw := o[k]
			var text string
			switch c := raw[0]; {
			case c == '"':
				if json.Unmarshal(raw, &text) != nil {
					continue
				}
			case c == '{' || c == '[' || c == 'n':
				continue
			default:
				text = string(raw)
			}
			each(k, TextValue(text))
		}
	}
}

// tagList reads tags given as a list, as JSON text of one, or with commas.
func (s *Span) tagList(f *activity.Fragment) {
	v := s.Get(Tags)
	add := func(t string) {
		if t = strings.TrimSpace(t); t != "" && len(t) <= 256 && len(s.tags.open) < maxLabels {
			s.tags.add(t)
		}
	}
	switch v.Type {
	case Array:
		v.Each(func(e Value) bool { add(e.Text()); return true })
	case String:
		var list []string
		if text := v.Text(); strings.HasPrefix(text, "[") && json.Unmarshal(v.Raw(), &list) == nil {
			for _, t := range list {
				add(t)
			}
		} else {
			for t := range strings.SplitSeq(text, ",") {
				add(t)
			}
		}
	}
	f.Tags = s.tags.take()
}

// finishReason is the first of the sender's reasons, in one vocabulary.
func finishReason(v Value) string {
	text := v.Text()
	if v.Type == Array {
		v.Each(func(e Value) bool { text = e.Text(); return false })
	}
	if strings.HasPrefix(text, "[") {
		text = strings.Trim(text, `[]" `)
		text, _, _ = strings.Cut(text, `"`)
	}
	switch text {
	case "":
		return ""
	case "stop", "end_turn", "stop_sequence", "STOP", "completed", "pause_turn":
		return "stop"
	case "length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "incomplete":
		return "length"
	case "content_filter", "content-filter", "SAFETY", "refusal", "RECITATION":
		return "content_filter"
	case "tool_call", "tool_calls", "tool-calls", "tool_use", "function_call", "TOOL_CALL":
		return "tool_call"
	case "compaction", "error":
		return text
	}
	return "other"
}

// providers are the names that are not their own canonical form.
var providers = map[string]string{
	"azure": "azure.ai.openai", "az.ai.openai": "azure.ai.openai", "azure_openai": "azure.ai.openai", "azure.ai.openai": "azure.ai.openai",
	"az.ai.inference": "azure.ai.inference", "azure.ai.inference": "azure.ai.inference",
	"aws.bedrock": "aws.bedrock", "bedrock": "aws.bedrock", "aws": "aws.bedrock", "amazon_bedrock": "aws.bedrock", "amazon-bedrock": "aws.bedrock",
	"google": "gcp.gen_ai", "google_generative_ai": "gcp.gen_ai", "gcp.gen_ai": "gcp.gen_ai",
	"gemini": "gcp.gemini", "gcp.gemini": "gcp.gemini",
	"vertex_ai": "gcp.vertex_ai", "vertexai": "gcp.vertex_ai", "google-vertex": "gcp.vertex_ai", "gcp.vertex_ai": "gcp.vertex_ai", "vertex.anthropic": "gcp.vertex_ai",
	"mistral": "mistral_ai", "mistralai": "mistral_ai", "xai": "x_ai", "watsonx": "ibm.watsonx.ai", "ibm.watson.ai": "ibm.watsonx.ai", "ibm.watsonx.ai": "ibm.watsonx.ai",
	"moonshot": "moonshot_ai", "together_ai": "together", "hugging_face": "huggingface",
}

// CanonicalProvider is the canonical name of a model provider: lower case, known
// aliases joined, and of "openai.responses" the part before the dot.
func CanonicalProvider(name string) string {
	switch name {
	case "", "openai", "anthropic":
		return name
	}
	name = strings.ToLower(strings.TrimSpace(name))
	if p, ok := providers[name]; ok {
		return p
	}
	if head, _, ok := strings.Cut(name, "."); ok {
		if p, ok := providers[head]; ok {
			return p
		}
		return head
	}
	return name
}
