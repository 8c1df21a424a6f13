package rerate

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// undo is the file of old costs: frames, each with its length before it and
// compressed, that hold runs with their calls' costs. A frame is on disk before
// its calls change, so one that a crash cut off belongs to no change.
type undo struct {
	f   *os.File
	enc *zstd.Encoder
}

func openUndo(path string) (*undo, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// What a crash cut off goes: frames behind it could not be found.
	end := int64(0)
	err = eachFrame(f, func(_ []byte, at int64) error { end = at; return nil })
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	enc, zerr := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err = errors.Join(err, zerr); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &undo{f, enc}, nil
}

// Close closes the file.
func (u *undo) Close() error { return errors.Join(u.enc.Close(), u.f.Close()) }

// keep writes the old costs of changes, which it empties; sync makes them last.
func (u *undo) keep(ch *changes) error {
	if ch.n == 0 {
		return nil
	}
	var b []byte
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	for _, run := range ch.order {
		b = append(b, run[:]...)
		b = binary.AppendUvarint(b, uint64(len(ch.by[run])))
		for _, c := range ch.by[run] {
			b = append(b, c.step[:]...)
			b = binary.AppendVarint(b, c.old.Nanos)
			b = append(b, byte(c.old.Basis))
			text(c.old.Currency)
			text(c.old.Price)
		}
	}
	frame := u.enc.EncodeAll(b, make([]byte, 4))
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
	*ch = changes{}
	_, err := u.f.Write(frame)
	return err
}

func (u *undo) sync() error { return u.f.Sync() }

const maxFrame = 64 << 20

// eachFrame visits whole frames; at is where the next begins.
func eachFrame(f io.ReadSeeker, visit func(frame []byte, at int64) error) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	at := int64(0)
	for {
		var size [4]byte
		if _, err := io.ReadFull(f, size[:]); err != nil {
			return nil //nolint:nilerr // the end, or what a crash cut off
		}
		n := binary.LittleEndian.Uint32(size[:])
		if n > maxFrame {
			return errDamaged
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(f, frame); err != nil {
			return nil //nolint:nilerr // what a crash cut off
		}
		at += 4 + int64(n)
		if err := visit(frame, at); err != nil {
			return err
		}
	}
}

var errDamaged = fault.New(fault.KindInternal, "rerate.damaged", "the file of old costs is damaged")

// readUndo visits the old costs of each run. Of a call that was kept twice the
// first is its old cost: a crash came between its keeping and its change.
func readUndo(path string, visit func(activity.RunID, map[activity.StepID]activity.Cost) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return err
	}
	defer dec.Close()
	return eachFrame(f, func(frame []byte, _ int64) error {
		b, err := dec.DecodeAll(frame, nil)
		if err != nil {
			return errDamaged
		}
		return parse(b, visit)
	})
}

// parse reads a frame's runs.
func parse(b []byte, visit func(activity.RunID, map[activity.StepID]activity.Cost) error) error {
	bad := false
	take := func(n uint64) []byte {
		if n > uint64(len(b)) {
			bad, b = true, nil
			return nil
		}
		out := b[:n]
		b = b[n:]
		return out
	}
	count := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 && !bad {
		var run activity.RunID
		copy(run[:], take(uint64(len(run))))
		costs := map[activity.StepID]activity.Cost{}
		for range count() {
			var step activity.StepID
			var c activity.Cost
			copy(step[:], take(uint64(len(step))))
			nanos, n := binary.Varint(b)
			if n <= 0 {
				return errDamaged
			}
			b = b[n:]
			c.Nanos = nanos
			if basis := take(1); len(basis) == 1 {
				c.Basis = activity.CostBasis(basis[0])
			}
			c.Currency, c.Price = string(take(count())), string(take(count()))
			if bad {
				return errDamaged
			}
			if _, ok := costs[step]; !ok {
				costs[step] = c
			}
		}
		if bad {
			return errDamaged
		}
		if err := visit(run, costs); err != nil {
			return err
		}
	}
	if bad {
		return errDamaged
	}
	return nil
}
