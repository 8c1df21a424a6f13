package api

import (
	"encoding/base32"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"reeve/internal/activity"
)

// lightSteps is a page of steps without content, written by hand: a run of
// 50,000 steps takes 40 ms here and half a second through reflection.
type lightSteps struct {
	steps []activity.Step
	next  string
}

// writeJSON writes the page in pieces, so that 27 MB are never in memory at
// once.
func (p lightSteps) writeJSON(w io.Writer) error {
	const piece = 64 << 10
	buf := append(make([]byte, 0, piece+4096), `{"items":[`...)
	for i := range p.steps {
		if i > 0 {
			buf = append(buf, ',')
		}
		if buf = appendLight(buf, &p.steps[i]); len(buf) >= piece {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	buf = append(buf, ']')
	if p.next != "" {
		buf = append(buf, `,"next":`...)
		buf = appendString(buf, p.next)
	}
	_, err := w.Write(append(buf, "}\n"...))
	return err
}

var ids = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func appendStepID(dst []byte, id activity.StepID) []byte {
	dst = append(dst, `"stp_`...)
	dst = ids.AppendEncode(dst, id[:])
	return append(dst, '"')
}

func appendLight(dst []byte, s *activity.Step) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendStepID(dst, s.Step)
	dst = append(dst, `,"parent_id":`...)
	if s.Parent.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = appendStepID(dst, s.Parent)
	}
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, s.Kind.String()...)
	dst = append(dst, `","name":`...)
	dst = appendString(dst, s.Name)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, s.Status.String()...)
	dst = append(dst, `","start_ns":"`...)
	dst = strconv.AppendInt(dst, s.Start, 10)
	dst = append(dst, `","duration_ms":`...)
	if s.End == activity.Unknown {
		dst = append(dst, "null"...)
	} else {
		dst = appendMillis(dst, s.End-s.Start)
	}
	dst = append(dst, `,"counted":`...)
	dst = strconv.AppendBool(dst, s.Counted)
	dst = append(dst, `,"error":`...)
	if s.Status == activity.StatusError || s.ErrorType != "" {
		dst = append(dst, `{"type":`...)
		dst = appendString(dst, s.ErrorType)
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, s.StatusMessage)
		dst = append(dst, '}')
	} else {
		dst = append(dst, "null"...)
	}
	if s.TTFT > 0 {
		dst = append(dst, `,"ttft_ms":`...)
		dst = appendMillis(dst, s.TTFT)
	}
	dst = appendField(dst, "agent", s.Agent)
	dst = appendField(dst, "provider", s.Provider)
	dst = appendField(dst, "model", s.Model)
	dst = appendField(dst, "finish_reason", s.FinishReason)
	dst = appendField(dst, "decision_id", s.DecisionID)
	if s.Source != activity.SourceSDK {
		dst = appendField(dst, "source", s.Source.String())
	}
	if s.ToolName != "" || s.ToolCallID != "" || s.Kind == activity.KindTool {
		dst = append(dst, `,"tool":{"name":`...)
		dst = appendString(dst, s.ToolName)
		dst = appendField(dst, "call_id", s.ToolCallID)
		dst = append(dst, `,"arguments":null,"result":null}`...)
	}
	if u := s.Usage; u.Known() || u.CacheRead >= 0 || u.CacheWrite >= 0 || u.Reasoning >= 0 {
		dst = append(dst, `,"usage":{"input_total":`...)
		dst = appendKnown(dst, u.InputTotal)
		dst = append(dst, `,"input_cache_read":`...)
		dst = appendKnown(dst, u.CacheRead)
		dst = append(dst, `,"input_cache_write":`...)
		dst = appendKnown(dst, u.CacheWrite)
		dst = append(dst, `,"output_total":`...)
		dst = appendKnown(dst, u.OutputTotal)
		dst = append(dst, `,"output_reasoning":`...)
		dst = appendKnown(dst, u.Reasoning)
		dst = append(dst, '}')
	}
	if s.Cost.Basis != activity.CostUnknown {
		dst = append(dst, `,"cost":{"amount":`...)
		dst = strconv.AppendFloat(dst, float64(s.Cost.Nanos)/1e9, 'f', -1, 64)
		dst = appendField(dst, "currency", s.Cost.Currency)
		dst = appendField(dst, "basis", s.Cost.Basis.String())
		dst = append(dst, '}')
	}
	if len(s.Refs) > 0 {
		dst = append(dst, `,"message_refs":`...)
		dst = appendRefs(dst, s.Refs)
	}
	if s.Flags != 0 {
		dst = append(dst, `,"flags":`...)
		for i, n := range s.Flags.Names() {
			sep := byte(',')
			if i == 0 {
				sep = '['
			}
			dst = append(dst, sep, '"')
			dst = append(dst, n...)
			dst = append(dst, '"')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendRefs writes the ordinals by field; contents of one field join as
// refsOf joins them. A step has a handful of contents, so a second pass over
// them is cheaper than a map.
func appendRefs(dst []byte, refs []activity.ContentRef) []byte {
	dst = append(dst, '{')
	first := true
	for i := range refs {
		again := !activity.Said(refs, i)
		for j := range i {
			again = again || refs[j].Field == refs[i].Field && activity.Said(refs, j)
		}
		if again {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, refs[i].Field.String()...)
		dst = append(dst, `":"`...)
		dst = append(dst, refs[i].Messages...)
		for j := i + 1; j < len(refs); j++ {
			if refs[j].Field == refs[i].Field && activity.Said(refs, j) {
				dst = append(dst, ',')
				dst = append(dst, refs[j].Messages...)
			}
		}
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, `,"`...)
	dst = append(dst, name...)
	dst = append(dst, `":`...)
	return appendString(dst, value)
}

func appendKnown(dst []byte, n int64) []byte {
	if n == activity.Unknown {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendMillis(dst []byte, ns int64) []byte {
	return strconv.AppendFloat(dst, float64(ns)/1e6, 'f', -1, 64)
}

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendQuoted(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendQuoted(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string: cannot happen
		panic(err)
	}
	return append(dst, b...)
}
