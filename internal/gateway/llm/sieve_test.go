package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"reeve/client"
	"reeve/internal/content"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// awsKey is nobody's, in the form of an Amazon access key.
const awsKey = "AKIA" + "Q3TZ7PLMXW2VBN5R"

// plan is what one rule makes of answers.
func plan(t testing.TB, action, pattern string, classes ...string) *content.Plan {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	set, err := content.New(t.Context(), content.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	r := client.ContentRule{Name: "rule", Classes: classes, Pattern: pattern, Action: action, Direction: "both", Reason: "a test"}
	if _, err := set.Put(t.Context(), content.Actor{Person: "ada"}, r); err != nil {
		t.Fatal(err)
	}
	return set.For("bot", "core", "production")
}

// shape is how a provider tells a text, and a call's arguments, in parts.
type shape struct {
	name, dialect, path, request, kind string
	begin, text, call, end             string // %s is a part, quoted; texts and calls of an own stream each
	called                             string // the beginning of a stream with a call; "" for begin
	ended                              string // its end; "" for end
	wholeText, wholeCall               string // before the end: tells it again, in full
}

const sse = "text/event-stream"

// shapes are the providers' own words, as they were recorded.
var shapes = []shape{
	{
		name: "chat", dialect: "openai", path: "/v1/chat/completions", kind: sse, request: `{"model":"gpt-4o","stream":true,"messages":[]}`,
		begin:  "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
		text:   "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
		end:    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		called: "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]},\"finish_reason\":null}]}\n\n",
		call:   "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%s\"}}]},\"finish_reason\":null}]}\n\n",
		ended:  "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n",
	},
	{
		name: "chat without numbers", dialect: "openai", path: "/v1/chat/completions", kind: sse, request: `{"model":"gpt-4o","stream":true,"messages":[]}`,
		text:   "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"%s\"}}]}\n\n",
		called: "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":\"\"}}]}}]}\n\n",
		call:   "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"%s\"}}]}}]}\n\n",
		end:    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
	},
	{
		name: "function_call", dialect: "openai", path: "/v1/chat/completions", kind: sse, request: `{"model":"gpt-4o","stream":true,"messages":[]}`,
		called: "data: {\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"name\":\"look\",\"arguments\":\"\"}}}]}\n\n",
		call:   "data: {\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":\"%s\"}}}]}\n\n",
		end:    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"function_call\"}]}\n\ndata: [DONE]\n\n",
	},
	{
		name: "completions", dialect: "openai", path: "/v1/completions", kind: sse, request: `{"model":"gpt-4o","stream":true,"prompt":"x"}`,
		text: "data: {\"id\":\"c\",\"object\":\"text_completion\",\"choices\":[{\"text\":\"%s\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n",
		end:  "data: {\"id\":\"c\",\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
	},
	{
		name: "responses", dialect: "openai", path: "/v1/responses", kind: sse, request: `{"model":"gpt-4o","stream":true,"input":"x"}`,
		begin:     "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[]}}\n\n",
		text:      "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":2,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"%s\",\"logprobs\":[],\"obfuscation\":\"x1\"}\n\n",
		wholeText: "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"sequence_number\":3,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"text\":\"%[1]s\"}\n\nevent: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":4,\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"%[1]s\"}]}}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":5,\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"id\":\"m\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"%[1]s\"}]}]}}\n\n",
		called:    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"call_1\",\"name\":\"look\",\"arguments\":\"\"}}\n\n",
		call:      "event: response.function_call_arguments.delta\ndata: {\"type\":\"response.function_call_arguments.delta\",\"sequence_number\":2,\"item_id\":\"f\",\"output_index\":0,\"delta\":\"%s\"}\n\n",
		wholeCall: "event: response.function_call_arguments.done\ndata: {\"type\":\"response.function_call_arguments.done\",\"sequence_number\":3,\"item_id\":\"f\",\"output_index\":0,\"arguments\":\"%[1]s\"}\n\nevent: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":4,\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"call_1\",\"name\":\"look\",\"arguments\":\"%[1]s\"}}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":5,\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[{\"type\":\"function_call\",\"id\":\"f\",\"call_id\":\"call_1\",\"name\":\"look\",\"arguments\":\"%[1]s\"}]}}\n\n",
	},
	{
		name: "messages", dialect: "anthropic", path: "/v1/messages", kind: sse, request: `{"model":"claude-sonnet-4","max_tokens":9,"stream":true,"messages":[]}`,
		begin:  "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n",
		text:   "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n",
		called: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"look\",\"input\":{}}}\n\n",
		call:   "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"%s\"}}\n\n",
		end:    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	},
	{
		name: "claude on bedrock", dialect: "bedrock", path: "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke-with-response-stream", kind: "application/vnd.amazon.eventstream", request: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[]}`,
		begin:  "chunk {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n",
		text:   "chunk {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s\"}}\n",
		called: "chunk {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"look\",\"input\":{}}}\n",
		call:   "chunk {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"%s\"}}\n",
		end:    "chunk {\"type\":\"content_block_stop\",\"index\":0}\nchunk {\"type\":\"message_stop\"}\n",
	},
	{
		name: "nova", dialect: "bedrock", path: "/model/amazon.nova-lite-v1%3A0/invoke-with-response-stream", kind: "application/vnd.amazon.eventstream", request: `{"messages":[]}`,
		text:   "chunk {\"contentBlockDelta\":{\"delta\":{\"text\":\"%s\"},\"contentBlockIndex\":0}}\n",
		called: "chunk {\"contentBlockStart\":{\"start\":{\"toolUse\":{\"toolUseId\":\"call_1\",\"name\":\"look\"}},\"contentBlockIndex\":0}}\n",
		call:   "chunk {\"contentBlockDelta\":{\"delta\":{\"toolUse\":{\"input\":\"%s\"}},\"contentBlockIndex\":0}}\n",
		end:    "chunk {\"contentBlockStop\":{\"contentBlockIndex\":0}}\nchunk {\"messageStop\":{\"stopReason\":\"end_turn\"}}\n",
	},
	{
		name: "converse", dialect: "bedrock", path: "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse-stream", kind: "application/vnd.amazon.eventstream", request: `{"messages":[]}`,
		begin:  "messageStart {\"p\":\"abcd\",\"role\":\"assistant\"}\n",
		text:   "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"%s\"},\"p\":\"ab\"}\n",
		called: "contentBlockStart {\"contentBlockIndex\":0,\"p\":\"a\",\"start\":{\"toolUse\":{\"name\":\"look\",\"toolUseId\":\"call_1\"}}}\n",
		call:   "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"%s\"}},\"p\":\"a\"}\n",
		end:    "contentBlockStop {\"contentBlockIndex\":0,\"p\":\"a\"}\nmessageStop {\"p\":\"ab\",\"stopReason\":\"end_turn\"}\n",
	},
	{
		name: "gemini", dialect: "gemini", path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent", kind: sse, request: `{"contents":[]}`,
		text: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"%s\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"gemini-2.5-flash\"}\n\n",
		end:  "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}]}\n\n",
	},
	{
		name: "gemini's array", dialect: "gemini", path: "/v1beta/models/gemini-2.5-flash:streamGenerateContent", kind: "application/json", request: `{"contents":[]}`,
		begin: "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"}}]}",
		text:  "\n,\r\n{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"%s\"}],\"role\":\"model\"}}]}",
		end:   "\n]\n",
	},
}

// asked is the request that the shape answers.
func (s *shape) asked() *gateway.Call {
	return &gateway.Call{Upstream: up(s.dialect), Method: "POST", Path: s.path, Body: []byte(s.request), Request: &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b[1 : len(b)-1])
}

// stream is an answer that tells the parts as words, or as a call's arguments.
func (s *shape) stream(call bool, parts ...string) []byte {
	begin, event, end, again := s.begin, s.text, s.end, s.wholeText
	if call {
		event, again = s.call, s.wholeCall
		if s.called != "" {
			begin = s.called
		}
		if s.ended != "" {
			end = s.ended
		}
	}
	var b strings.Builder
	b.WriteString(begin)
	for _, p := range parts {
		fmt.Fprintf(&b, event, quote(p))
	}
	if again != "" {
		fmt.Fprintf(&b, again, quote(strings.Join(parts, "")))
	}
	b.WriteString(end)
	return stream(s.kind, strings.Contains(s.path, "/invoke"), []byte(b.String()))
}

// ruled runs an answer through a watcher with content rules.
func (s *shape) ruled(t testing.TB, p *content.Plan, judge gateway.Judge, body []byte, cuts []int) (string, gateway.Facts, []content.Found, error) {
	t.Helper()
	proposal, err := protocol().Propose(s.asked())
	if err != nil {
		t.Fatal(err)
	}
	a := proposal.Answer(http.StatusOK, http.Header{"Content-Type": {s.kind}}, judge)
	if !a.(gateway.Ruled).Rules(p) {
		t.Fatal("the rules are left to the door")
	}
	out, facts, err := fed(a, body, cuts)
	return out, facts, a.(gateway.Ruled).Found(), err
}

// heard is what a client makes of a stream: the words, or the arguments.
func (s *shape) heard(t testing.TB, body string) (words, arguments string) {
	t.Helper()
	proposal, err := protocol().Propose(s.asked())
	if err != nil {
		t.Fatal(err)
	}
	_, facts, err := fed(proposal.Answer(http.StatusOK, http.Header{"Content-Type": {s.kind}}, nil), []byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range facts.ToolCalls {
		arguments += string(c.Arguments)
	}
	for _, c := range facts.Contents {
		words += string(c.Raw)
	}
	return words, arguments
}

// A secret that the events of a stream share is taken out, wherever it is cut, in
// the words and in a call's arguments, in every provider's shape; what is left is
// what clients read, with a judge and without.
func TestSecretOverEvents(t *testing.T) {
	t.Parallel()
	redact := plan(t, "redact", "", "secret")
	const marked = "[redacted:secret.aws-access-token]"
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for cut := 1; cut < len(awsKey); cut += 3 {
				for _, judge := range []gateway.Judge{nil, denying()} {
					for _, size := range []int{1 << 20, 7} {
						s.secret(t, redact, judge, false, cut, size, "the key is ", ", keep it", `the key is `+marked+`, keep it`)
						s.secret(t, redact, judge, true, cut, size, `{"q":"the key is `, `","n":12}`, `{"q":"the key is `+marked+`","n":12}`)
					}
				}
			}
		})
	}
}

func (s *shape) secret(t *testing.T, p *content.Plan, judge gateway.Judge, call bool, cut, size int, before, after, want string) {
	t.Helper()
	if call && s.call == "" || !call && s.text == "" {
		return
	}
	body := s.stream(call, before, awsKey[:cut], awsKey[cut:], after[:2], after[2:])
	var cuts []int
	for i := size; i < len(body); i += size {
		cuts = append(cuts, i)
	}
	out, facts, found, err := s.ruled(t, p, judge, body, cuts)
	if err != nil {
		t.Fatalf("call %v, cut at %d: %v", call, cut, err)
	}
	words, arguments := s.heard(t, out)
	got := arguments
	if !call {
		got = words
		want = quote(want)
	}
	if !strings.Contains(got, want) || strings.Contains(out, awsKey[:cut]) && cut > 4 {
		t.Fatalf("call %v, cut at %d, judge %v: client reads %s\nof %s", call, cut, judge != nil, got, out)
	}
	for _, c := range facts.Contents {
		if strings.Contains(string(c.Raw), awsKey[:4]) {
			t.Fatalf("kept: %s", c.Raw)
		}
	}
	if len(found) != 1 || found[0].Class != "secret.aws-access-token" {
		t.Fatalf("found %v", found)
	}
}

// A rule that blocks ends the answer before the secret is told.
func TestBlockOverEvents(t *testing.T) {
	t.Parallel()
	block := plan(t, "block", "", "secret")
	for _, s := range shapes {
		for _, call := range []bool{false, true} {
			if call && s.call == "" || !call && s.text == "" {
				continue
			}
			body := s.stream(call, `{"q":"the key `, "AKI", awsKey[3:9], awsKey[9:], `"}`)
			out, _, found, err := s.ruled(t, block, nil, body, nil)
			if f := fault.From(err); err == nil || f.Code != "content.blocked" || strings.Contains(out, awsKey[3:9]) || len(found) != 1 {
				t.Errorf("%s, call %v: %v, found %v, went on: %s", s.name, call, err, found, out)
			}
		}
	}
}

// An answer in which nothing is found passes byte for byte, however it is cut,
// and says the same about itself.
func TestRuledBytes(t *testing.T) {
	t.Parallel()
	redact := plan(t, "redact", `TCK-[0-9]{4}`, "secret", "pii")
	cases(t, "answer", func(t *testing.T, dialect string, in map[string][]byte) []txtar.File {
		c := parseCall(dialect, in["request"])
		head, text, _ := bytes.Cut(in["answer"], []byte("\n"))
		code, kind, _ := strings.Cut(string(head), " ")
		status, _ := strconv.Atoi(code)
		body := stream(kind, strings.Contains(c.Path, "/invoke"), text)
		p, err := protocol().Propose(c)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"Content-Type": {kind}}
		plainOut, facts, plainErr := fed(p.Answer(status, h, nil), body, nil)
		a := p.Answer(status, h, nil)
		if !a.(gateway.Ruled).Rules(redact) {
			return nil
		}
		for _, cuts := range splits(len(body))[len(splits(len(body)))-5:] {
			a := p.Answer(status, h, nil)
			a.(gateway.Ruled).Rules(redact)
			out, ruled, err := fed(a, body, cuts)
			if err != nil {
				if f := fault.From(err); f.Code != "content.unreadable" || in["always"] == nil && !strings.Contains(string(in["facts"])+string(in["judged"]), "fault") {
					t.Fatalf("%v", err)
				}
				continue
			}
			if out != plainOut && !sameEvents(out, plainOut) || shownFacts(ruled, nil) != shownFacts(facts, plainErr) {
				t.Fatalf("it is changed:\n%s\n%s\n%s", out, plainOut, shownFacts(ruled, nil))
			}
		}
		return nil
	})
}

// Words in which nothing could begin go on at once, and never more than 256 bytes
// of a text wait.
func TestRuledDoesNotWait(t *testing.T) {
	t.Parallel()
	redact := plan(t, "redact", "", "secret", "pii")
	for _, s := range shapes {
		if s.text == "" {
			continue
		}
		proposal, err := protocol().Propose(s.asked())
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, words := range []string{strings.Repeat("Once upon a time a boat went out on the wide sea. ", 20), strings.Repeat("password: AKIA 4111 1111 1 @ key = eyJhb ", 30)} {
			a := proposal.Answer(http.StatusOK, http.Header{"Content-Type": {s.kind}}, nil)
			a.(gateway.Ruled).Rules(redact)
			invoke := strings.Contains(s.path, "/invoke")
			said, went := 0, 0
			if b, err := a.Next(stream(s.kind, invoke, []byte(s.begin))); err != nil || len(b) == 0 && s.begin != "" {
				t.Fatalf("%s: the beginning waits (%v)", s.name, err)
			}
			for words != "" {
				n := min(1+rnd.IntN(9), len(words))
				ev := stream(s.kind, invoke, fmt.Appendf(nil, s.text, quote(words[:n])))
				said, words = said+n, words[n:]
				out, err := a.Next(ev)
				if err != nil {
					t.Fatal(err)
				}
				for range bytes.Count(out, ev[:20]) {
					went++
				}
				if s.kind == sse && said-9*went > 256+9 && went > 0 && !strings.Contains(words, "boat") {
					t.Fatalf("%s: %d bytes told, %d events went on", s.name, said, went)
				}
			}
		}
	}
}

// The tokens beside a text spell it: they go where it is changed.
func TestLogprobs(t *testing.T) {
	t.Parallel()
	redact := plan(t, "redact", "", "secret")
	s := shapes[0]
	event := func(text string) string {
		return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":{\"content\":[{\"token\":\"%s\"}]}}]}\n\n", text, text)
	}
	body := event("it is ") + event(awsKey[:9]) + event(awsKey[9:]) + event(" now") + s.end
	out, _, _, err := s.ruled(t, redact, nil, []byte(body), nil)
	if err != nil || strings.Contains(out, awsKey[:9]) || strings.Contains(out, awsKey[9:]) || strings.Count(out, `"token"`) != 2 {
		t.Errorf("%v: %s", err, out)
	}
}

// What a rule must read and cannot is refused; a rule that only flags changes
// nothing and loses nothing.
func TestRuledBroken(t *testing.T) {
	t.Parallel()
	s := shapes[0]
	body := []byte(s.begin + "data: {\"choices\": [\n\n" + s.end)
	out, _, _, err := s.ruled(t, plan(t, "redact", "", "secret"), nil, body, nil)
	if f := fault.From(err); err == nil || f.Code != "content.unreadable" || out != s.begin && out != "" {
		t.Errorf("to redact: %v, went on %q", err, out)
	}
	flag := plan(t, "flag", "", "secret")
	if out, _, _, err := s.ruled(t, flag, nil, body, nil); err != nil || out != string(body) {
		t.Errorf("to flag: %v, %q", err, out)
	}
	whole := s.stream(false, "the key ", awsKey[:7], awsKey[7:], " now")
	if out, _, found, err := s.ruled(t, flag, nil, whole, nil); err != nil || out != string(whole) || len(found) != 1 {
		t.Errorf("to flag: %v, %v", err, found)
	}
	if i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == "responses" }); i >= 0 {
		// A judge compares a call's parts with its end: both are redacted alike.
		s := shapes[i]
		body := s.stream(true, `{"a":"`, awsKey[:5], awsKey[5:], `","b":["4111 11`, `11 1111 1111",7]}`)
		if _, _, _, err := s.ruled(t, plan(t, "redact", "", "secret", "pii"), denying(), body, nil); err != nil {
			t.Error(err)
		}
	}
}

// FuzzRuled holds for any text, however events cut it: what clients read is what
// the rules make of the whole text, and no secret is in it.
func FuzzRuled(f *testing.F) {
	f.Add(uint8(0), "the key is "+awsKey+", keep it", uint64(3))
	f.Add(uint8(4), `{"a":"`+awsKey+`"}`, uint64(5))
	f.Add(uint8(9), "card 4111 1111 1111 1111 \\u0041 é", uint64(1))
	redact := plan(f, "redact", "", "secret", "pii")
	f.Fuzz(func(t *testing.T, which uint8, text string, seed uint64) {
		s := shapes[int(which)%len(shapes)]
		if s.text == "" || len(text) > 4096 || strings.ToValidUTF8(text, "") != text || s.name == "chat without numbers" {
			return
		}
		rnd := rand.New(rand.NewPCG(seed, 1))
		var parts []string
		for r := []rune(text); len(r) > 0; {
			n := min(1+rnd.IntN(12), len(r))
			parts, r = append(parts, string(r[:n])), r[n:]
		}
		if len(parts) > 200 {
			return
		}
		look := redact.Text(false)
		cuts, _, err := look.Add([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		more, err := look.End()
		if err != nil {
			t.Fatal(err)
		}
		want, at := "", int64(0)
		for _, c := range append(cuts, more...) {
			want += text[at:c.From] + c.With
			at = c.To
		}
		want += text[at:]
		out, _, _, err := s.ruled(t, redact, nil, s.stream(false, parts...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if words, _ := s.heard(t, out); !strings.Contains(words, quote(want)) {
			t.Fatalf("%s: of %q clients read %s, want %q", s.name, text, words, want)
		}
	})
}
