package tree

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"reeve/internal/fault"
)

// Checkpoint says what a log was at a size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// ErrCheckpoint is in the chain of every error about text that is no checkpoint,
// or none that the given keys signed.
var ErrCheckpoint = errors.New("not a checkpoint")

// text is the body of the signed note.
func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// maxNote bounds a signed note.
const maxNote = 16 << 10

// ParseCheckpoint reads a signed note without checking who signed it.
func ParseCheckpoint(signed []byte) (Checkpoint, error) {
	body, _, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok || len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("%w: no signed note", ErrCheckpoint)
	}
	return parseBody(string(body) + "\n")
}

func parseBody(body string) (Checkpoint, error) {
	lines := strings.SplitN(body, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, fmt.Errorf("%w: it has fewer than three lines", ErrCheckpoint)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("%w: its size is %q", ErrCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("%w: its root is no hash", ErrCheckpoint)
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}, nil
}

// OpenCheckpoint reads a signed note that one of the keys signed; keys are
// verifier keys as Keys.Public writes them.
func OpenCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes", ErrCheckpoint, len(signed))
	}
	var known []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil {
			return Checkpoint{}, fault.New(fault.KindInvalid, "tree.key", "%.60q is no public key", k).
				WithHint("it looks like <installation>/audit+1a2b3c4d+Ad…; GET /api/v1/audit/keys has it").WithCause(err)
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return parseBody(n.Text)
}

// Sign signs a checkpoint over what is on disk, unless the newest one says it
// already, and hands it to the witness.
func (t *Tree) Sign() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != t.hasher.size { // an append that failed: nothing new to say
		return nil
	}
	if t.note != nil && t.signed == t.saved {
		return nil
	}
	signers, err := t.o.Keys.signers()
	if err != nil {
		return err
	}
	c := Checkpoint{Origin: t.o.Origin, Size: t.saved, Root: t.hasher.Root()}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signers...)
	if err != nil {
		return fmt.Errorf("signing a checkpoint: %w", err)
	}
	if err := t.write("checkpoint", signed); err != nil {
		return diskFault(err)
	}
	t.note, t.signed = signed, c.Size
	if t.o.Witness != nil {
		t.o.Witness(t.o.Origin, bytes.Clone(signed))
	}
	return nil
}

// Latest is the newest checkpoint; nil when there is none.
func (t *Tree) Latest() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.note)
}
