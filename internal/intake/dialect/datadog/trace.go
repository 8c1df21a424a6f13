package datadog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"reeve/internal/intake/dialect"
)

// apmSpan is a span of an APM trace, with what LLM Observability rides on it.
type apmSpan struct {
	TraceID    number            `json:"trace_id"`
	SpanID     number            `json:"span_id"`
	ParentID   number            `json:"parent_id"`
	Name       string            `json:"name"`
	Service    string            `json:"service"`
	Start      json.Number       `json:"start"`
	Duration   json.Number       `json:"duration"`
	Error      int               `json:"error"`
	Meta       map[string]string `json:"meta"`
	MetaStruct map[string]string `json:"meta_struct"` // values are msgpack, in base64 here
}

// apmTraces takes the spans of APM traces that carry a span event which was not
// submitted on its own; all others are the business of an APM store.
func apmTraces(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	text, err := asJSON(r.Body)
	if err != nil {
		return dialect.Reply{}, errPack.WithCause(err)
	}
	var chunks [][]json.RawMessage
	if err := json.Unmarshal(text, &chunks); err != nil {
		return dialect.Reply{}, errPack.WithCause(err)
	}
	for _, chunk := range chunks {
		for _, raw := range chunk {
			if bytes.Contains(raw, []byte(`"_llmobs"`)) {
				apm(out, raw)
			}
		}
	}
	// The rates at which each service may send: everything.
	return dialect.Reply{Body: []byte(`{"rate_by_service":{"service:,env:":1}}`)}, nil
}

func apm(out *dialect.Writer, raw []byte) {
	var s apmSpan
	if err := json.Unmarshal(raw, &s); err != nil {
		out.Reject("an APM span cannot be read")
		return
	}
	packed, err := base64.StdEncoding.DecodeString(s.MetaStruct["_llmobs"])
	if err != nil || len(packed) == 0 || s.Meta["_dd.llmobs.submitted"] == "1" {
		return
	}
	text, err := asJSON(packed)
	if err != nil {
		out.Reject("a span event inside an APM span cannot be read")
		return
	}
	writeEvent(out, text, func(e *event) {
		if e.SpanID == "" {
			e.SpanID = s.SpanID
		}
		if e.TraceID == "" {
			e.TraceID = wide(s.Meta["_dd.p.tid"], s.TraceID)
		}
		if e.ParentID == "" {
			e.ParentID = s.ParentID
		}
		e.Name, e.Service = first(e.Name, s.Name), first(e.Service, s.Service)
		if e.StartNS == "" {
			e.StartNS, e.Duration = s.Start, s.Duration
		}
		if e.Status == "" && s.Error != 0 {
			e.Status = "error"
		}
		for _, tag := range [...]string{"env", "version"} {
			if v := s.Meta[tag]; v != "" {
				e.Tags = append(e.Tags, tag+":"+v)
			}
		}
	})
}

// wide is a trace id of 128 bits: the upper half stands in a tag.
func wide(upper string, lower number) number {
	n, err := strconv.ParseUint(string(lower), 10, 64)
	if err != nil || len(upper) != 16 {
		return lower
	}
	hex := strconv.FormatUint(n, 16)
	for len(hex) < 16 {
		hex = "0" + hex
	}
	return number(upper + hex)
}

// asJSON is msgpack as JSON, its bytes in base64.
func asJSON(packed []byte) ([]byte, error) {
	var b bytes.Buffer
	rest, err := msgp.UnmarshalAsJSON(&b, packed)
	if err != nil {
		return nil, err
	}
	_ = rest // what follows the value is not ours
	return b.Bytes(), nil
}
