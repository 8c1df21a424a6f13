package llm

import (
	"bytes"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/genai"
)

// gemini is the Gemini API, in both of its versions.
var gemini = dialect{
	name: "gemini", refuse: refuseGemini, provider: "gcp.gemini",
	operations: slices.Concat(
		both("/v1", "/v1beta",
			operation{method: "POST", path: "/models/{model}:generateContent", endpoint: "generate_content", name: "generate_content", kind: activity.KindModel, read: readGemini, answer: newGemini},
			operation{method: "POST", path: "/models/{model}:streamGenerateContent", endpoint: "generate_content", name: "generate_content", kind: activity.KindModel, read: streamed(readGemini), answer: newGemini},
			operation{method: "POST", path: "/models/{model}:countTokens", endpoint: "count_tokens", name: "count tokens", kind: activity.KindHTTP, read: readGeminiCount, silent: true},
			operation{method: "POST", path: "/models/{model}:embedContent", endpoint: "embeddings", name: "embeddings", kind: activity.KindEmbedding, read: readGeminiEmbed, answer: newGeminiEmbed, silent: true},
			operation{method: "POST", path: "/models/{model}:batchEmbedContents", endpoint: "embeddings", name: "embeddings", kind: activity.KindEmbedding, read: readGeminiEmbeds, answer: newGeminiEmbed, silent: true},
			operation{method: "GET", path: "/models", endpoint: "models", name: "list models", kind: activity.KindHTTP, silent: true},
			operation{method: "GET", path: "/models/{model}", endpoint: "models", name: "describe", kind: activity.KindHTTP, silent: true},
		),
	),
}

// streamed reads a request whose path says that the answer is streamed.
func streamed(read func(*request)) func(*request) {
	return func(r *request) {
		read(r)
		r.stream = true
	}
}

// protoNames are the names of one object that a protocol buffer in JSON has,
// which may be spelled in two ways: maxOutputTokens and max_output_tokens.
type protoNames struct {
	keys  [32][]byte
	n     int
	under bool // one of them has an underscore
}

// of gives the name as camelCase, and refuses one that is there in both
// spellings.
func (p *protoNames) of(r *request, key []byte) []byte {
	under := bytes.IndexByte(key, '_') >= 0
	p.under = p.under || under
	for i := 0; p.under && i < p.n; i++ {
		if bytes.EqualFold(camel(p.keys[i]), camel(key)) {
			r.cur.Fail(wire.ErrTwice)
		}
	}
	if p.n == len(p.keys) {
		r.cur.Fail(wire.ErrLarge)
		return key
	}
	p.keys[p.n] = key
	p.n++
	return camel(key)
}

func camel(key []byte) []byte {
	if bytes.IndexByte(key, '_') < 0 {
		return key
	}
	out := make([]byte, 0, len(key))
	for i := 0; i < len(key); i++ {
		if key[i] == '_' && i+1 < len(key) {
			i++
			out = append(out, bytes.ToUpper(key[i:i+1])...)
			continue
		}
		out = append(out, key[i])
	}
	return out
}

func readGemini(r *request) {
	c := &r.cur
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "model":
			r.sameModel(c.Text())
		case "contents":
			from := c.Pos()
			r.geminiContents()
			r.note(activity.ContentInput, genai.Gemini, listed(c.Since(from)))
		case "systemInstruction":
			r.geminiSystem()
		case "tools":
			r.geminiTools()
		case "generationConfig":
			r.geminiConfig()
		case "cachedContent":
			r.unbounded = r.unbounded || c.Kind() == '"'
		}
	}
}

// sameModel refuses a body that names another model than the path.
func (r *request) sameModel(name string) {
	if name = strings.TrimPrefix(name, "models/"); name != "" && name != r.model {
		r.cur.Fail(errTwoModels)
	}
}

// geminiContents takes a list, or one alone as the SDKs allow.
func (r *request) geminiContents() {
	c := &r.cur
	if c.Kind() != '[' {
		r.geminiContent()
		return
	}
	for a := c.Array(); a.Next(); {
		r.geminiContent()
	}
}

func (r *request) geminiContent() {
	c := &r.cur
	var role []byte
	mark := len(r.called)
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "role":
			role = c.Word()
		case "parts":
			if c.Kind() != '[' {
				r.geminiPart()
				continue
			}
			for a := c.Array(); a.Next(); {
				r.geminiPart()
			}
		}
	}
	if string(role) == "model" {
		r.spoke(mark)
	}
}

func (r *request) geminiPart() {
	c := &r.cur
	known := false
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "text":
			known = true
		case "functionCall":
			known = true
			id, name, _ := r.geminiCall("args")
			r.called = append(r.called, called{id, name})
		case "functionResponse":
			known = true
			id, name, text := r.geminiCall("response")
			r.results = append(r.results, result{id, name, text})
		case "inlineData", "fileData", "videoMetadata":
			r.unbounded = true
		}
	}
	r.unbounded = r.unbounded || !known
}

func (r *request) geminiCall(body string) (id, name, value []byte) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		switch string(o.Key) {
		case "id":
			id, _ = c.Quoted()
		case "name":
			name, _ = c.Quoted()
		case "parts":
			r.unbounded = true // pictures in a function's answer
		case body:
			value = c.Raw()
		}
	}
	return id, name, value
}

func (r *request) geminiSystem() {
	c := &r.cur
	if c.Kind() != '{' {
		r.content(activity.ContentSystem, genai.Parts)
		return
	}
	var names protoNames
	for o := c.Object(); o.Next(); {
		if string(names.of(r, o.Key)) == "parts" {
			from := c.Pos()
			for a := c.Array(); a.Next(); {
				r.geminiPart()
			}
			r.note(activity.ContentSystem, genai.Parts, c.Since(from))
		}
	}
}

func (r *request) geminiTools() {
	c := &r.cur
	if c.Kind() != '[' {
		r.geminiTool()
		return
	}
	for a := c.Array(); a.Next(); {
		r.geminiTool()
	}
}

func (r *request) geminiTool() {
	c := &r.cur
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch name := string(names.of(r, o.Key)); name {
		case "functionDeclarations":
			r.functions()
		case "computerUse":
			r.offer("computer") // the agent's own screen
		default:
			r.host(snake(name))
		}
	}
}

// snake turns googleSearch into google_search, as other dialects name tools.
func snake(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
			c |= 0x20
		}
		b.WriteRune(c)
	}
	return b.String()
}

func (r *request) geminiConfig() {
	c := &r.cur
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "maxOutputTokens":
			r.limit()
		case "candidateCount":
			r.several()
		}
	}
}

func readGeminiCount(r *request) {
	c := &r.cur
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "model":
			r.sameModel(c.Text())
		case "contents":
			r.geminiContents()
		case "generateContentRequest":
			readGemini(r)
		}
	}
}

func readGeminiEmbed(r *request) {
	c := &r.cur
	var names protoNames
	for o := c.Object(); o.Next(); {
		switch string(names.of(r, o.Key)) {
		case "model":
			r.sameModel(c.Text())
		case "content":
			from := c.Pos()
			r.geminiContent()
			r.note(activity.ContentInput, genai.JSON, c.Since(from))
		}
	}
}

func readGeminiEmbeds(r *request) {
	c := &r.cur
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "requests" {
			for a := c.Array(); a.Next(); {
				readGeminiEmbed(r)
			}
		}
	}
}
