package intake

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
)

// OTLP/JSON becomes OTLP protobuf, field by field as a schema says, so that
// there is one mapping path. It is tolerant where senders differ: names in
// camel or snake case, 64-bit numbers as text or numbers, enumerations by name
// or number, ids in hex, base64 or as a list of bytes, null for absent.

// wireKind is how a JSON value is written in protobuf.
type wireKind uint8

const (
	kindString wireKind = iota + 1
	kindID
	kindBytes
	kindFixed64
	kindFixed32
	kindVarint
	kindZigzag
	kindDouble
	kindBool
	kindMessage
	kindPackedFixed64
	kindPackedVarint
	kindPackedDouble
)

type jsonField struct {
	number  uint64
	kind    wireKind
	message *jsonMessage
	enum    map[string]uint64
}

type jsonMessage struct {
	fields map[string]jsonField
	outer  bool // of a request, a resource group or a scope group: what holds the records
}

// maxJSONDepth is far above what OTLP nests (values in lists in maps in spans
// in scopes) and far below what would hurt.
const maxJSONDepth = 200

var requests = jsonSchema()

// names of what a request of each signal holds.
var names = [3]string{traces: "resourceSpans", logs: "resourceLogs", metrics: "resourceMetrics"}

func jsonSchema() [3]*jsonMessage {
	type fields = map[string]jsonField
	message := func(f fields) *jsonMessage { return &jsonMessage{fields: f} }
	sub := func(n uint64, m *jsonMessage) jsonField {
		return jsonField{number: n, kind: kindMessage, message: m}
	}
	is := func(n uint64, k wireKind) jsonField { return jsonField{number: n, kind: k} }
	enum := func(n uint64, names ...string) jsonField {
		values := map[string]uint64{}
		for i, s := range names {
			values[s] = uint64(i)
		}
		return jsonField{number: n, kind: kindVarint, enum: values}
	}

	value := message(nil)
	keyValue := message(fields{"key": is(1, kindString), "value": sub(2, value)})
	value.fields = fields{
		"stringValue": is(1, kindString), "boolValue": is(2, kindBool), "intValue": is(3, kindVarint),
		"doubleValue": is(4, kindDouble), "arrayValue": sub(5, message(fields{"values": sub(1, value)})),
		"kvlistValue": sub(6, message(fields{"values": sub(1, keyValue)})), "bytesValue": is(7, kindBytes),
	}
	resource := message(fields{"attributes": sub(1, keyValue), "droppedAttributesCount": is(2, kindVarint)})
	scope := message(fields{
		"name": is(1, kindString), "version": is(2, kindString), "attributes": sub(3, keyValue), "droppedAttributesCount": is(4, kindVarint),
	})
	event := message(fields{"timeUnixNano": is(1, kindFixed64), "name": is(2, kindString), "attributes": sub(3, keyValue), "droppedAttributesCount": is(4, kindVarint)})
	link := message(fields{"traceId": is(1, kindID), "spanId": is(2, kindID), "traceState": is(3, kindString), "attributes": sub(4, keyValue), "flags": is(6, kindFixed32)})
	status := message(fields{"message": is(2, kindString), "code": enum(3, "STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR")})
	span := message(fields{
		"traceId": is(1, kindID), "spanId": is(2, kindID), "traceState": is(3, kindString), "parentSpanId": is(4, kindID),
		"name":              is(5, kindString),
		"kind":              enum(6, "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"),
		"startTimeUnixNano": is(7, kindFixed64), "endTimeUnixNano": is(8, kindFixed64), "attributes": sub(9, keyValue),
		"droppedAttributesCount": is(10, kindVarint), "events": sub(11, event), "droppedEventsCount": is(12, kindVarint),
		"links": sub(13, link), "droppedLinksCount": is(14, kindVarint), "status": sub(15, status), "flags": is(16, kindFixed32),
	})
	severities := []string{"SEVERITY_NUMBER_UNSPECIFIED"}
	for _, s := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		for _, n := range []string{"", "2", "3", "4"} {
			severities = append(severities, "SEVERITY_NUMBER_"+s+n)
		}
	}
	logRecord := message(fields{
		"timeUnixNano": is(1, kindFixed64), "severityNumber": enum(2, severities...), "severityText": is(3, kindString),
		"body": sub(5, value), "attributes": sub(6, keyValue), "droppedAttributesCount": is(7, kindVarint), "flags": is(8, kindFixed32),
		"traceId": is(9, kindID), "spanId": is(10, kindID), "observedTimeUnixNano": is(11, kindFixed64), "eventName": is(12, kindString),
	})
	exemplar := message(fields{
		"timeUnixNano": is(2, kindFixed64), "asDouble": is(3, kindDouble), "spanId": is(4, kindID), "traceId": is(5, kindID),
		"asInt": is(6, kindFixed64), "filteredAttributes": sub(7, keyValue),
	})
	number := message(fields{
		"startTimeUnixNano": is(2, kindFixed64), "timeUnixNano": is(3, kindFixed64), "asDouble": is(4, kindDouble), "exemplars": sub(5, exemplar),
		"asInt": is(6, kindFixed64), "attributes": sub(7, keyValue), "flags": is(8, kindVarint),
	})
	histogram := message(fields{
		"startTimeUnixNano": is(2, kindFixed64), "timeUnixNano": is(3, kindFixed64), "count": is(4, kindFixed64), "sum": is(5, kindDouble),
		"bucketCounts": is(6, kindPackedFixed64), "explicitBounds": is(7, kindPackedDouble), "exemplars": sub(8, exemplar),
		"attributes": sub(9, keyValue), "flags": is(10, kindVarint), "min": is(11, kindDouble), "max": is(12, kindDouble),
	})
	buckets := message(fields{"offset": is(1, kindZigzag), "bucketCounts": is(2, kindPackedVarint)})
	exponential := message(fields{
		"attributes": sub(1, keyValue), "startTimeUnixNano": is(2, kindFixed64), "timeUnixNano": is(3, kindFixed64), "count": is(4, kindFixed64),
		"sum": is(5, kindDouble), "scale": is(6, kindZigzag), "zeroCount": is(7, kindFixed64), "positive": sub(8, buckets), "negative": sub(9, buckets),
		"flags": is(10, kindVarint), "exemplars": sub(11, exemplar), "min": is(12, kindDouble), "max": is(13, kindDouble), "zeroThreshold": is(14, kindDouble),
	})
	summary := message(fields{
		"startTimeUnixNano": is(2, kindFixed64), "timeUnixNano": is(3, kindFixed64), "count": is(4, kindFixed64), "sum": is(5, kindDouble),
		"quantileValues": sub(6, message(fields{"quantile": is(1, kindDouble), "value": is(2, kindDouble)})), "attributes": sub(7, keyValue), "flags": is(8, kindVarint),
	})
	temporality := enum(2, "AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE")
	metric := message(fields{
		"name": is(1, kindString), "description": is(2, kindString), "unit": is(3, kindString),
		"gauge":                sub(5, message(fields{"dataPoints": sub(1, number)})),
		"sum":                  sub(7, message(fields{"dataPoints": sub(1, number), "aggregationTemporality": temporality, "isMonotonic": is(3, kindBool)})),
		"histogram":            sub(9, message(fields{"dataPoints": sub(1, histogram), "aggregationTemporality": temporality})),
		"exponentialHistogram": sub(10, message(fields{"dataPoints": sub(1, exponential), "aggregationTemporality": temporality})),
		"summary":              sub(11, message(fields{"dataPoints": sub(1, summary)})),
	})
	request := func(groups, scopes, records string, record *jsonMessage) *jsonMessage {
		group := message(fields{
			"scope": sub(1, scope), records: sub(2, record), "schemaUrl": is(3, kindString),
			// As they were called before OTLP 0.15; senders of then are still around.
			"instrumentationLibrary": sub(1, scope), "logs": sub(2, record),
		})
		if record != logRecord {
			delete(group.fields, "logs")
		}
		old := "instrumentationLibrary" + strings.TrimPrefix(scopes, "scope")
		outer := message(fields{"resource": sub(1, resource), scopes: sub(2, group), old: sub(2, group), "schemaUrl": is(3, kindString)})
		all := message(fields{groups: sub(1, outer)})
		group.outer, outer.outer, all.outer = true, true, true
		return all
	}
	return [3]*jsonMessage{
		traces:  request("resourceSpans", "scopeSpans", "spans", span),
		logs:    request("resourceLogs", "scopeLogs", "logRecords", logRecord),
		metrics: request("resourceMetrics", "scopeMetrics", "metrics", metric),
	}
}

// transcode appends the protobuf of a JSON request to dst, at most so many bytes.
// unknown is the first member around the records that OTLP does not have.
func transcode(dst []byte, s signal, body []byte, most int) (out []byte, unknown string, err error) {
	p := jsonParser{b: body, out: dst, most: len(dst) + most}
	p.space()
	if p.peek() != '{' {
		return dst, "", fault.New(fault.KindInvalid, "intake.malformed", "the body is no JSON object")
	}
	p.object(requests[s], 0)
	p.space()
	switch {
	case p.large:
		return dst, "", fault.New(fault.KindInvalid, "intake.too_many", "the request holds more than it may: its protobuf is larger than %d bytes", most).
			WithHint("send smaller batches")
	case p.deep:
		return dst, "", fault.New(fault.KindInvalid, "intake.too_deep", "the JSON nests deeper than %d levels", maxJSONDepth)
	case p.bad:
		return dst, "", fault.New(fault.KindInvalid, "intake.malformed", "the body is no valid JSON of OTLP: stopped at byte %d of %d", p.i, len(body))
	case p.i < len(body):
		return dst, "", fault.New(fault.KindInvalid, "intake.malformed", "the body has text after its JSON, at byte %d", p.i)
	}
	return p.out, p.unknown, nil
}

// jsonParser reads b and writes out. After a fault it does nothing more.
type jsonParser struct {
	b         []byte
	i         int
	out       []byte
	bad, deep bool

	most    int    // bytes of out
	large   bool   // there would be more
	unknown string // the first member around the records that OTLP does not have
}

func (p *jsonParser) fail() { p.bad = true }

func (p *jsonParser) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\t' || p.b[p.i] == '\r') {
		p.i++
	}
}

// peek is the next byte, 0 at the end or after a fault.
func (p *jsonParser) peek() byte {
	if p.bad || p.i >= len(p.b) {
		return 0
	}
	return p.b[p.i]
}

// accept passes over white space and c; it reports whether c stood there.
func (p *jsonParser) accept(c byte) bool {
	p.space()
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

func (p *jsonParser) object(m *jsonMessage, depth int) {
	if depth > maxJSONDepth {
		p.deep = true
		p.fail()
		return
	}
	p.members(func(key []byte) {
		f, ok := m.fields[string(key)]
		if !ok {
			f, ok = m.fields[camel(string(key))]
		}
		if !ok {
			if m.outer && p.unknown == "" {
				p.unknown = legible(key)
			}
			p.skip(depth + 1)
			return
		}
		p.field(f, depth+1)
	})
}

// legible is a member's name as senders are told of it.
func legible(name []byte) string {
	return strings.ToValidUTF8(string(name[:min(len(name), 64)]), "\uFFFD")
}

// members calls each with the key of every member; each reads the value.
func (p *jsonParser) members(each func(key []byte)) {
	if !p.accept('{') {
		p.fail()
		return
	}
	if p.accept('}') {
		return
	}
	for !p.bad {
		p.space()
		key := p.str()
		if !p.accept(':') {
			p.fail()
			return
		}
		p.space()
		each(key)
		if p.accept(',') {
			continue
		}
		if !p.accept('}') {
			p.fail()
		}
		return
	}
}

func (p *jsonParser) elements(each func()) {
	if !p.accept('[') {
		p.fail()
		return
	}
	if p.accept(']') {
		return
	}
	for !p.bad {
		p.space()
		each()
		if p.accept(',') {
			continue
		}
		if !p.accept(']') {
			p.fail()
		}
		return
	}
}

func camel(s string) string {
	if !strings.Contains(s, "_") {
		return s
	}
	var b strings.Builder
	up := false
	for i := range len(s) {
		switch {
		case s[i] == '_':
			up = true
		case up:
			b.WriteString(strings.ToUpper(s[i : i+1]))
			up = false
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func (p *jsonParser) tag(number, wire uint64) {
	p.out = dialect.AppendVarint(p.out, number<<3|wire)
}

func (p *jsonParser) field(f jsonField, depth int) {
	if p.peek() == 'n' {
		p.literal()
		return
	}
	switch f.kind {
	case kindMessage:
		if p.peek() == '[' {
			p.elements(func() { p.nested(f, depth) })
			return
		}
		p.nested(f, depth)
	case kindPackedFixed64, kindPackedDouble, kindPackedVarint:
		p.packed(f)
	case kindID:
		if id := p.id(); !p.bad {
			p.blob(f.number, id)
		}
	case kindBytes:
		if p.peek() == '"' {
			p.blob(f.number, fromBase64(p.str()))
			return
		}
		p.blob(f.number, p.id())
	case kindString:
		switch p.peek() {
		case '"':
			p.blob(f.number, p.str())
		case '{', '[':
			p.fail()
		default:
			p.blob(f.number, p.scalar()) // a number where text belongs
		}
	default:
		p.number(f, p.scalar())
	}
}

func (p *jsonParser) nested(f jsonField, depth int) {
	if p.peek() == 'n' {
		p.literal()
		return
	}
	if len(p.out) > p.most {
		p.large = true
		p.fail()
		return
	}
	p.tag(f.number, 2)
	// Room for the length: a padded varint, as every reader accepts.
	p.out = append(p.out, 0x80, 0x80, 0x80, 0x80, 0)
	at := len(p.out)
	p.object(f.message, depth+1)
	n := len(p.out) - at
	for i := range 4 {
		p.out[at-5+i] = byte(n>>(7*i)) | 0x80
	}
	p.out[at-1] = byte(n >> 28)
}

func (p *jsonParser) blob(number uint64, b []byte) {
	p.tag(number, 2)
	p.out = append(dialect.AppendVarint(p.out, uint64(len(b))), b...)
}

func (p *jsonParser) packed(f jsonField) {
	var out []byte
	p.elements(func() {
		if len(p.out)+len(out) > p.most {
			p.large = true
			p.fail()
			return
		}
		text := p.scalar()
		switch f.kind {
		case kindPackedDouble:
			out = appendFixed64(out, math.Float64bits(number(text)))
		case kindPackedFixed64:
			out = appendFixed64(out, uint64(integer(text)))
		default:
			out = dialect.AppendVarint(out, uint64(integer(text)))
		}
	})
	p.blob(f.number, out)
}

func appendFixed64(dst []byte, v uint64) []byte {
	return append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
}

func (p *jsonParser) number(f jsonField, text []byte) {
	if p.bad {
		return
	}
	switch f.kind {
	case kindFixed64:
		p.tag(f.number, 1)
		p.out = appendFixed64(p.out, uint64(integer(text)))
	case kindDouble:
		p.tag(f.number, 1)
		p.out = appendFixed64(p.out, math.Float64bits(number(text)))
	case kindFixed32:
		v := uint32(integer(text))
		p.tag(f.number, 5)
		p.out = append(p.out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	case kindBool:
		p.tag(f.number, 0)
		if string(text) == "true" || string(text) == "1" {
			p.out = append(p.out, 1)
		} else {
			p.out = append(p.out, 0)
		}
	case kindZigzag:
		v := integer(text)
		p.tag(f.number, 0)
		p.out = dialect.AppendVarint(p.out, uint64(v<<1)^uint64(v>>63))
	case kindVarint:
		v, ok := f.enum[string(text)]
		if !ok {
			v = uint64(integer(text))
		}
		p.tag(f.number, 0)
		p.out = dialect.AppendVarint(p.out, v)
	}
}

// integer reads a 64-bit number however it is written; text that is none is 0,
// which every field takes as absent.
func integer(text []byte) int64 {
	s := string(text)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return int64(n)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > -1<<63 && f < 1<<63 {
		return int64(f)
	}
	return 0
}

func number(text []byte) float64 {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0
	}
	return f
}

// scalar is the text of a number, literal or string.
func (p *jsonParser) scalar() []byte {
	switch p.peek() {
	case '"':
		return p.str()
	case '{', '[':
		p.fail()
		return nil
	}
	return p.literal()
}

func (p *jsonParser) literal() []byte {
	start := p.i
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r', ':', '"', '{', '[':
			if p.i == start {
				p.fail()
			}
			return p.b[start:p.i]
		}
		p.i++
	}
	if p.i == start {
		p.fail()
	}
	return p.b[start:p.i]
}

// str reads a string; without escapes it aliases the input.
func (p *jsonParser) str() []byte {
	if p.peek() != '"' {
		p.fail()
		return nil
	}
	start, escaped := p.i, false
	for p.i++; p.i < len(p.b); p.i++ {
		switch c := p.b[p.i]; {
		case c == '\\':
			escaped = true
			p.i++
		case c == '"':
			p.i++
			raw := p.b[start+1 : p.i-1]
			if !escaped {
				return raw
			}
			var s string
			if json.Unmarshal(p.b[start:p.i], &s) != nil {
				p.fail()
			}
			return []byte(s)
		case c < 0x20:
			p.fail()
			return nil
		}
	}
	p.fail()
	return nil
}

// id reads an id: hex, base64, [1,2,…] or {"type":"Buffer","data":[1,2,…]}.
func (p *jsonParser) id() (out []byte) {
	switch p.peek() {
	case '"':
		text := p.str()
		if len(text)%2 == 0 && len(text) <= 64 {
			if b, err := hex.AppendDecode(nil, text); err == nil {
				return b
			}
		}
		return fromBase64(text)
	case '[':
		p.elements(func() {
			if out = append(out, byte(integer(p.scalar()))); len(out) > 1<<20 {
				p.fail()
			}
		})
		return out
	case '{':
		p.members(func(key []byte) {
			if string(key) == "data" && p.peek() == '[' {
				out = p.id()
				return
			}
			p.skip(0)
		})
		return out
	}
	p.literal()
	return nil
}

func fromBase64(text []byte) []byte {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := e.AppendDecode(nil, text); err == nil {
			return b
		}
	}
	if utf8.Valid(text) {
		return text // kept as it came: a wrong id is flagged where it is used
	}
	return nil
}

// skip passes over any value.
func (p *jsonParser) skip(depth int) {
	if depth > maxJSONDepth {
		p.deep = true
		p.fail()
		return
	}
	switch p.peek() {
	case '{':
		p.members(func([]byte) { p.skip(depth + 1) })
	case '[':
		p.elements(func() { p.skip(depth + 1) })
	case '"':
		p.str()
	default:
		p.literal()
	}
}
