package llm

import (
	"errors"
	"math"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/policy"
	"reeve/internal/upstream"
)

// request is what is found out about a call while its body is read.
type request struct {
	call    *gateway.Call
	dialect *dialect
	op      *operation
	cur     wire.Cursor
	rule    *client.ModelRule

	model     string
	stream    bool
	most      int64  // output tokens of one answer that it allows; Unknown: it does not say
	times     int64  // answers asked for
	unbounded bool   // its input is more than its bytes: images, stored files, earlier answers
	endless   bool   // its output is more than the number it names
	silent    bool   // no model writes anything: nothing to bound
	shape     string // bedrock: of the model's own words

	later         bool   // the work goes on after the answer
	job           string // the call is about such work
	tools, hosted []string
	contents      []activity.Content
	order         int32
	called        []called // calls of the model's last words
	results       []result // results after them
}

// called is a tool call in a conversation, as it stands there.
type called struct{ id, name []byte }

// result is a tool's result in a conversation, as it stands there.
type result struct{ id, name, text []byte }

// errTwoModels is a body that names another model than the path does.
var errTwoModels = errors.New("two models")

const (
	maxModel  = 256
	maxTools  = 4096
	maxResult = 64 << 10 // of a result's text
)

// read checks the body's form and reads it.
func (r *request) read() error {
	c := r.call
	if r.op.read == nil {
		if len(c.Body) > 0 {
			return fault.New(fault.KindInvalid, "llm.body", "this call has no body")
		}
		return nil
	}
	if err := form(c.Request.Header); err != nil {
		return err
	}
	r.cur = wire.NewCursor(c.Body)
	if k := r.cur.Kind(); k != '{' && r.cur.Err() == nil {
		return fault.New(fault.KindInvalid, "llm.json", "the body is not a JSON object")
	}
	r.op.read(r)
	return broken(r.cur.End())
}

// form refuses bodies that two readers would decode differently.
func form(h http.Header) error {
	if e := h.Get("Content-Encoding"); len(h["Content-Encoding"]) > 1 || e != "" && !strings.EqualFold(e, "identity") {
		return fault.New(fault.KindInvalid, "llm.encoding", "the body is compressed and cannot be looked at").WithHint("send it as it is")
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset, given := params["charset"]
	if err != nil || len(h["Content-Type"]) != 1 || kind != "application/json" || given && !strings.EqualFold(charset, "utf-8") {
		return fault.New(fault.KindInvalid, "llm.content_type", "a model call's body is JSON in UTF-8").WithHint("send Content-Type: application/json")
	}
	return nil
}

// broken says in our codes what is wrong with a body.
func broken(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.ErrTwice):
		return fault.New(fault.KindInvalid, "llm.duplicate_key", "the body has a name twice in one object: readers differ in which one counts")
	case errors.Is(err, errTwoModels):
		return fault.New(fault.KindInvalid, "llm.two_models", "the body names another model than the path")
	case errors.Is(err, wire.ErrCase):
		return fault.New(fault.KindInvalid, "llm.ambiguous_key", "the body has a name in a case that not all readers take for the same").WithHint("names are in lower case")
	case errors.Is(err, wire.ErrDepth):
		return fault.New(fault.KindInvalid, "llm.too_deep", "the body is nested too deeply")
	case errors.Is(err, wire.ErrUTF8):
		return fault.New(fault.KindInvalid, "llm.utf8", "the body is not UTF-8")
	case errors.Is(err, wire.ErrLarge):
		return fault.New(fault.KindInvalid, "llm.members", "an object of the body has too many members")
	}
	return fault.New(fault.KindInvalid, "llm.json", "the body is not JSON").WithCause(err)
}

// allowed checks what the upstream allows. The model's name is checked first,
// since everything else is said of it.
func (r *request) allowed() error {
	u := r.call.Upstream
	if r.op.kind == activity.KindHTTP && r.model == "" {
		return nil // a list of models names none
	}
	switch {
	case r.model == "":
		return fault.New(fault.KindInvalid, "llm.no_model", "the call names no model")
	case len(r.model) > maxModel || !utf8.ValidString(r.model) || strings.ContainsFunc(r.model, func(c rune) bool { return c < 0x20 || c == 0x7f }):
		return fault.New(fault.KindInvalid, "llm.model", "the model's name is none")
	case len(u.Models) > 0 && r.rule == nil:
		return fault.New(fault.KindDenied, "llm.model_not_allowed", "model %s is not among those of upstream %s", shown(r.model), u.Name).
			WithHint("`reeve upstream list` shows which models it has")
	}
	if r.silent {
		return nil
	}
	if r.rule != nil && r.rule.MaxOutput > 0 && r.most > r.rule.MaxOutput {
		return tooMany(r.rule.MaxOutput, "of this model")
	}
	if out := r.output(); u.MaxTokens > 0 && (out == activity.Unknown || out > u.MaxTokens) {
		return tooMany(u.MaxTokens, "of a call at this upstream")
	}
	return nil
}

func tooMany(n int64, where string) error {
	return fault.New(fault.KindDenied, "llm.max_tokens", "the output %s is at most %d tokens", where, n).WithHint("say so in the call: at most %d tokens", n)
}

// output is the most tokens that the call can make a model write.
func (r *request) output() int64 {
	switch {
	case r.silent:
		return 0
	case r.endless:
		return activity.Unknown
	}
	one := r.most
	if one == activity.Unknown && r.rule != nil && r.rule.MaxOutput > 0 {
		one = r.rule.MaxOutput
	}
	if one == activity.Unknown {
		one = documented(r.model)
	}
	if one < 0 || one > math.MaxInt64/2/max(r.times, 1) {
		return activity.Unknown
	}
	return one * max(r.times, 1)
}

// What providers add to a request of their own, at most: marks around it, and
// instructions where tools are offered (the largest seen is some 700 tokens).
// Within the text no provider's tokenizer makes more than one token of a byte.
const (
	around      = 256
	aroundTools = 2048
)

// input is the most tokens that the call can make a model read.
func (r *request) input() int64 {
	switch {
	case r.unbounded || len(r.hosted) > 1 || len(r.hosted) == 1 && !r.later:
		return activity.Unknown // later work alone reads no more than any other
	case len(r.tools) > 0:
		return int64(len(r.call.Body)) + aroundTools
	}
	return int64(len(r.call.Body)) + around
}

func (r *request) proposal(p *Protocol) *gateway.Proposal {
	u := r.call.Upstream
	model := r.model
	if model == "" {
		model = "*"
	}
	out := &gateway.Proposal{
		Action: "call_model", Name: r.op.name, Kind: r.op.kind, Resource: resource(u, model, r.dialect.providerOf(u, r.op)),
		Args:     policy.Args{Readable: true, Bytes: int64(len(r.call.Body))},
		Model:    &policy.ModelCall{Endpoint: r.op.endpoint, Tools: r.tools, HostedTools: r.hosted},
		MaxInput: r.input(), MaxOutput: r.output(), MaxTokens: activity.Unknown, Streams: r.stream,
		Contents: r.contents, ToolResults: r.toolResults(), Background: r.later, Job: r.job,
	}
	if r.model != "" {
		out.Name += " " + shown(r.model)
	}
	if r.op.kind == activity.KindHTTP {
		out.MaxInput, out.MaxOutput = 0, 0 // nothing that is paid by the token
	}
	if out.MaxOutput > 0 {
		out.Model.MaxOutput = out.MaxOutput
	}
	if out.MaxInput >= 0 && out.MaxOutput >= 0 {
		out.MaxTokens = out.MaxInput + out.MaxOutput
	}
	if rule := r.rule; rule != nil {
		out.Resource.Deprecated = rule.Deprecated != nil && !p.now().Before(*rule.Deprecated)
		out.Resource.Classes = join(u.Classes, rule.Classes)
		if rule.Region != "" {
			out.Resource.Region = rule.Region
		}
	}
	out.Answer = func(status int, h http.Header, judge gateway.Judge) gateway.Answer {
		return p.watch(r, status, h, judge)
	}
	return out
}

// providerOf is who answers: as the upstream's host tells, else whose format it is.
func (d *dialect) providerOf(u *upstream.Upstream, op *operation) string {
	if d.byHost {
		if p := hostProvider(u); p != "" {
			return p
		}
	}
	if op != nil && op.provider != "" {
		return op.provider
	}
	return d.provider
}

func join(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	return append(a[:len(a):len(a)], b...)
}

func resource(u *upstream.Upstream, model, provider string) policy.Resource {
	return policy.Resource{
		Type: "Model", ID: u.Name + "/" + shown(model), Upstream: u.Name, UpstreamTeam: u.Team, UpstreamShared: u.Shared, External: u.External,
		Effect: "think", Provider: provider, Name: model, Region: u.Region, Classes: u.Classes,
	}
}

// ruleOf is the rule for a model: the one of its exact name, else the longest
// prefix.
func ruleOf(u *upstream.Upstream, model string) *client.ModelRule {
	var best *client.ModelRule
	for i := range u.Models {
		rule := &u.Models[i]
		prefix, wild := strings.CutSuffix(rule.Name, "*")
		switch {
		case rule.Name == model:
			return rule
		case wild && strings.HasPrefix(model, prefix) && (best == nil || len(rule.Name) > len(best.Name)):
			best = rule
		}
	}
	return best
}

// content notes the value that follows as content of the step, and passes it.
func (r *request) content(field activity.ContentField, format string) {
	r.note(field, format, r.cur.Raw())
}

// listed makes a list of a value that stands alone where others give a list.
func listed(raw []byte) []byte {
	if len(raw) == 0 || raw[0] == '[' {
		return raw
	}
	return append(append(append(make([]byte, 0, len(raw)+2), '['), raw...), ']')
}

func (r *request) note(field activity.ContentField, format string, raw []byte) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return
	}
	r.contents = append(r.contents, activity.Content{Field: field, Format: format, From: "request", Order: r.order, Raw: raw})
	r.order++
}

// offer notes a tool that runs in the agent.
func (r *request) offer(name string) {
	if name != "" && len(r.tools) < maxTools {
		r.tools = append(r.tools, name)
	}
}

// host notes a tool that runs at the provider, and does not pass the door.
func (r *request) host(name string) {
	for _, h := range r.hosted {
		if h == name {
			return
		}
	}
	if name != "" && len(r.hosted) < maxTools {
		r.hosted = append(r.hosted, name)
	}
}

// plainTool is a provider's tool without its edition: web_search_20250305 and
// web_search_preview_2025_03_11 are web_search.
func plainTool(name string) string {
	if i := strings.Index(name, "_20"); i > 0 && strings.Trim(name[i:], "_0123456789") == "" {
		name = name[:i]
	}
	return strings.TrimSuffix(name, "_preview")
}

// spoke says that a message of the model ended: what was brought back before it
// is old, and of the calls only those from mark on may still be answered.
func (r *request) spoke(mark int) {
	r.results = r.results[:0]
	r.called = append(r.called[:0], r.called[mark:]...)
}

func (r *request) toolResults() []gateway.ToolResult {
	if len(r.results) == 0 {
		return nil
	}
	out := make([]gateway.ToolResult, 0, len(r.results))
	for _, b := range r.results {
		name := b.name
		for _, c := range r.called {
			if name == nil && len(c.id) > 0 && string(c.id) == string(b.id) {
				name = c.name
			}
		}
		out = append(out, gateway.ToolResult{CallID: wire.Unquote(b.id), Name: wire.Unquote(name), Text: words(b.text)})
	}
	return out
}

// words is the text of a content: a string, parts with text, or the JSON
// itself.
func words(raw []byte) string {
	c := wire.Inner(raw)
	var out string
	switch c.Kind() {
	case '"':
		out = c.Text()
	case '[':
		var b strings.Builder
		for a := c.Array(); a.Next(); {
			found := false
			for o := c.Object(); o.Next(); {
				if string(o.Key) == "text" {
					b.WriteString(c.Text())
					found = true
				}
			}
			if !found {
				return cut(string(raw), maxResult)
			}
		}
		out = b.String()
	default:
		out = string(raw)
	}
	return cut(out, maxResult)
}

// cut shortens s to n bytes without breaking a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// strange notes a member that a dialect does not name. Some servers read names
// in any case: what they would obey must not be overlooked here.
func (r *request) strange(o *wire.Object, known ...string) {
	if r.dialect.snake {
		o.Like(known...)
	}
}
