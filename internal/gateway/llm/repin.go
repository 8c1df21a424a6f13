package llm

import (
	"net/url"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/gateway"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/jcs"
)

var _ gateway.Repinner = (*Protocol)(nil)

// Repin puts another model in place of the one that a request asks for, where the
// provider reads it: in the path, or as the body's member model. What else is
// there stays byte for byte. Vectors of two models do not compare, so embeddings
// are not sent elsewhere.
func (p *Protocol) Repin(c *gateway.Call, model string) (path string, body []byte, ok bool) {
	d := dialects[c.Upstream.Dialect]
	if d == nil {
		return "", nil, false
	}
	op, inPath := d.find(c.Method, c.Path)
	if op == nil || op.read == nil || op.stored || op.kind == activity.KindEmbedding {
		return "", nil, false
	}
	if inPath != "" {
		return modelInPath(op.path, c.Path, model), c.Body, true
	}
	cur := wire.NewCursor(c.Body)
	var edits []wire.Edit
	for o := cur.Object(); o.Next(); {
		if string(o.Key) != "model" || cur.Kind() != '"' {
			cur.Skip()
			continue
		}
		from := cur.Pos()
		cur.Skip()
		edits = append(edits, wire.Edit{From: from, To: cur.Pos(), With: jcs.AppendString(nil, model)})
	}
	if cur.End() != nil || len(edits) != 1 {
		return "", nil, false
	}
	return c.Path, wire.Apply(make([]byte, 0, len(c.Body)+len(model)), c.Body, edits), true
}

// modelInPath is a path with another model where its pattern has one.
func modelInPath(pattern, path, model string) string {
	patterns, parts := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, p := range patterns {
		if suffix, is := strings.CutPrefix(p, "{model}"); is {
			parts[i] = url.PathEscape(model) + suffix
		}
	}
	return strings.Join(parts, "/")
}
