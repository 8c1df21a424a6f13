package decision

import (
	"context"
	"encoding/base64"

	"reeve/internal/activity"
	"reeve/internal/audit/tree"
	"reeve/internal/fault"
)

// Receipt proves the records of d (its proposal, and its completion once there
// is one) under t's newest checkpoint. With content it also opens what they
// commit to, as far as that was not erased.
func (l *Log) Receipt(ctx context.Context, t *tree.Tree, d *activity.Decision, content bool) (*tree.Receipt, error) {
	if d.Seq < 0 || LogName(l.o.Install, d.Node) != l.name {
		return nil, fault.New(fault.KindNotFound, "decision.no_record", "the record of %s is on the node %s", d.ID, d.Node)
	}
	var r tree.Receipt
	seqs := []int64{d.Seq}
	if d.EndSeq >= 0 && d.EndSeq != d.Seq {
		seqs = []int64{d.EndSeq, d.Seq} // the later one chooses a checkpoint that has both
	}
	for _, seq := range seqs {
		e, err := l.at(ctx, seq)
		if err != nil {
			return nil, err
		}
		if err := r.Add(t, seq, e.line); err != nil {
			return nil, err
		}
		c, err := e.content()
		if err != nil {
			return nil, err
		}
		if !content || c == nil {
			continue
		}
		key := base64.RawURLEncoding.EncodeToString(c.key)
		if c.arguments != "" {
			r.Contents = append(r.Contents, tree.ReceiptContent{Seq: seq, Field: "arguments", Key: key, Content: c.arguments})
		}
		if c.context != nil {
			r.Contents = append(r.Contents, tree.ReceiptContent{Seq: seq, Field: "context", Key: key, Content: string(c.context)})
		}
	}
	return &r, nil
}
