package datadog

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"reeve/internal/intake/dialect"
)

// apmTraces takes the spans of APM traces that carry a span event which was not
// submitted on its own; all others are the business of an APM store.
func apmTraces(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	// The rates at which each service may send: everything.
	reply := dialect.Reply{Body: []byte(`{"rate_by_service":{"service:,env:":1}}`)}
	if !bytes.Contains(r.Body, []byte("_llmobs")) && wholePack(r.Body) {
		return reply, nil
	}
	text, err := asJSON(r.Body)
	if err != nil {
		return dialect.Reply{}, errPack.WithCause(err)
	}
	ok := dialect.Raw(text).Each(func(chunk dialect.Raw) {
		chunk.Each(func(span dialect.Raw) {
			if bytes.Contains(span, []byte(`"_llmobs"`)) {
				apm(out, span.Object())
			}
		})
	})
	if !ok {
		return dialect.Reply{}, errPack
	}
	return reply, nil
}

// wholePack reports one array in msgpack.
func wholePack(b []byte) bool {
	rest, err := msgp.Skip(b)
	return err == nil && len(rest) == 0 && msgp.NextType(b) == msgp.ArrayType
}

func apm(out *dialect.Writer, span dialect.Object) {
	meta := span.Get("meta").Object()
	packed, err := base64.StdEncoding.DecodeString(span.Get("meta_struct").Object().Get("_llmobs").Text())
	if err != nil || len(packed) == 0 || meta.Get("_dd.llmobs.submitted").Text() == "1" {
		return
	}
	text, err := asJSON(packed)
	if err != nil {
		out.Reject("a span event inside an APM span cannot be read")
		return
	}
	event(out, text, func(e *dialect.Object, tags *[]string) {
		missing := func(key string, v dialect.Raw) {
			if e.Get(key) == nil && v != nil {
				e.Set(key, v)
			}
		}
		missing("span_id", span.Get("span_id"))
		missing("trace_id", wide(meta.Get("_dd.p.tid").Text(), span.Get("trace_id")))
		missing("parent_id", span.Get("parent_id"))
		missing("name", span.Get("name"))
		missing("service", span.Get("service"))
		missing("start_ns", span.Get("start"))
		missing("duration", span.Get("duration"))
		if n, _ := span.Get("error").Int(); n != 0 {
			missing("status", dialect.Raw(`"error"`))
		}
		for _, tag := range [...]string{"env", "version"} {
			if v := meta.Get(tag).Text(); v != "" {
				*tags = append(*tags, tag+":"+v)
			}
		}
	})
}

// wide is a trace id of 128 bits: the upper half stands in a tag, in hex.
func wide(upper string, lower dialect.Raw) dialect.Raw {
	n, err := strconv.ParseUint(lower.Word(), 10, 64)
	if err != nil || len(upper) != 16 {
		return lower
	}
	return fmt.Appendf(nil, `"%s%016x"`, upper, n)
}

// asJSON is msgpack as JSON, its bytes in base64.
func asJSON(packed []byte) ([]byte, error) {
	var b bytes.Buffer
	_, err := msgp.UnmarshalAsJSON(&b, packed) // what follows the value is not ours
	return b.Bytes(), err
}
