package tree

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"reeve/internal/audit/record"
)

// Receipt proves that records are in a log, to somebody who has its public key
// and nothing else of ours.
type Receipt struct {
	V          int              `json:"v"`
	Checkpoint string           `json:"checkpoint"` // the signed note
	Records    []ReceiptRecord  `json:"records"`
	Contents   []ReceiptContent `json:"contents,omitempty"`
}

// ReceiptRecord is a record as it is in the log, and the hashes that lead from
// it to the checkpoint's root.
type ReceiptRecord struct {
	Seq    int64    `json:"seq"`
	Record string   `json:"record"`
	Proof  []string `json:"proof"` // base64
}

// ReceiptContent opens a commitment of a record to whoever may read it.
type ReceiptContent struct {
	Seq     int64  `json:"seq"`
	Field   string `json:"field"`
	Key     string `json:"key"` // base64url
	Content string `json:"content"`
}

// Add proves one more record, under the receipt's checkpoint or the newest one.
func (r *Receipt) Add(t *Tree, seq int64, line []byte) error {
	r.V = 1
	var hashes []tlog.Hash
	var err error
	if r.Checkpoint == "" {
		var note []byte
		if hashes, note, err = t.Prove(seq); err != nil {
			return err
		}
		r.Checkpoint = string(note)
	} else {
		c, err := ParseCheckpoint([]byte(r.Checkpoint))
		if err != nil {
			return err
		}
		if hashes, err = tlog.ProveRecord(c.Size, seq, t); err != nil {
			return err
		}
	}
	p := ReceiptRecord{Seq: seq, Record: string(line), Proof: make([]string, len(hashes))}
	for i, h := range hashes {
		p.Proof[i] = base64.StdEncoding.EncodeToString(h[:])
	}
	r.Records = append(r.Records, p)
	return nil
}

// maxProof is the longest proof that a tree of 2^53 records needs, and some.
const maxProof = 64

// ReadReceipt reads a receipt's JSON.
func ReadReceipt(text []byte) (*Receipt, error) {
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: the receipt is no JSON: %w", ErrCheckpoint, err)
	}
	if r.V != 1 || len(r.Records) == 0 || len(r.Records) > 16 {
		return nil, fmt.Errorf("%w: the receipt has version %d and %d records", ErrCheckpoint, r.V, len(r.Records))
	}
	return &r, nil
}

// Verify checks every record against the checkpoint, and that one of the keys
// signed it. It needs nothing but its arguments.
func (r *Receipt) Verify(keys ...string) (Checkpoint, []record.Record, error) {
	c, err := OpenCheckpoint([]byte(r.Checkpoint), keys...)
	if err != nil {
		return c, nil, err
	}
	var out []record.Record
	for _, p := range r.Records {
		rec, err := p.verify(c)
		if err != nil {
			return c, nil, fmt.Errorf("record %d: %w", p.Seq, err)
		}
		out = append(out, rec)
	}
	for _, x := range r.Contents {
		if err := x.verify(out); err != nil {
			return c, nil, fmt.Errorf("content of record %d: %w", x.Seq, err)
		}
	}
	return c, out, nil
}

func (p *ReceiptRecord) verify(c Checkpoint) (record.Record, error) {
	rec, err := record.Parse([]byte(p.Record))
	switch {
	case err != nil:
		return rec, err
	case rec.Seq != p.Seq || rec.Log != c.Origin:
		return rec, fmt.Errorf("it says that it is record %d of %s", rec.Seq, rec.Log)
	case p.Seq >= c.Size || len(p.Proof) > maxProof:
		return rec, fmt.Errorf("the checkpoint is of %d records", c.Size)
	}
	var proof tlog.RecordProof
	for _, text := range p.Proof {
		h, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(h) != tlog.HashSize {
			return rec, fmt.Errorf("its proof has something that is no hash")
		}
		proof = append(proof, tlog.Hash(h))
	}
	if err := tlog.CheckRecord(proof, c.Size, c.Root, p.Seq, tlog.Hash(record.Leaf([]byte(p.Record)))); err != nil {
		return rec, fmt.Errorf("it is not in the tree of the checkpoint: %w", err)
	}
	return rec, nil
}

// verify checks that a record committed to the content.
func (x *ReceiptContent) verify(records []record.Record) error {
	key, err := base64.RawURLEncoding.DecodeString(x.Key)
	if err != nil || len(key) != record.KeyBytes {
		return fmt.Errorf("its key is none")
	}
	for _, rec := range records {
		if rec.Seq != x.Seq {
			continue
		}
		var body map[string]json.RawMessage
		if err := json.Unmarshal(rec.Body, &body); err != nil {
			return err
		}
		var c struct {
			C string `json:"c"`
		}
		if err := json.Unmarshal(body[x.Field], &c); err != nil || c.C != record.Commit(key, x.Field, []byte(x.Content)) {
			return fmt.Errorf("%s is not what the record committed to", x.Field)
		}
		return nil
	}
	return fmt.Errorf("the receipt has no such record")
}
