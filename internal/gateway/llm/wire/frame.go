package wire

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrFrame is in the chain of errors about bytes that are no event stream.
var ErrFrame = errors.New("not an event stream")

// Frames splits Amazon's event stream (application/vnd.amazon.eventstream):
//
//	total length 4 | headers length 4 | CRC-32 of these 4 | headers | payload | CRC-32 of all before 4
type Frames struct {
	Limit int // bytes of one frame

	rest []byte
}

const (
	framePrelude = 12
	frameLeast   = framePrelude + 4
)

// Push gives the frames that piece completes to each.
func (f *Frames) Push(piece []byte, each func(*Event) error) error {
	b, own := piece, false
	if len(f.rest) > 0 {
		f.rest = append(f.rest, piece...)
		b, own = f.rest, true
	}
	at := 0
	for len(b)-at >= framePrelude {
		size := binary.BigEndian.Uint32(b[at:])
		if crc32.ChecksumIEEE(b[at:at+8]) != binary.BigEndian.Uint32(b[at+8:]) || size < frameLeast {
			return ErrFrame
		}
		if uint64(size) > uint64(f.Limit) {
			return ErrLarge
		}
		if len(b)-at < int(size) {
			break
		}
		ev, err := readFrame(b[at : at+int(size)])
		if err != nil {
			return err
		}
		if err := each(ev); err != nil {
			return err
		}
		at += int(size)
	}
	if own {
		f.rest = f.rest[:copy(f.rest, f.rest[at:])]
	} else {
		f.rest = append(f.rest[:0], b[at:]...)
	}
	return nil
}

// End is ErrFrame when a frame was cut.
func (f *Frames) End(func(*Event) error) error {
	if len(f.rest) > 0 {
		return ErrFrame
	}
	return nil
}

func readFrame(b []byte) (*Event, error) {
	body := len(b) - 4
	heads := uint64(binary.BigEndian.Uint32(b[4:]))
	if crc32.ChecksumIEEE(b[:body]) != binary.BigEndian.Uint32(b[body:]) || framePrelude+heads > uint64(body) {
		return nil, ErrFrame
	}
	ev := &Event{Raw: b, Headers: b[framePrelude : framePrelude+heads], Data: b[framePrelude+heads : body]}
	kind := ""
	for h := ev.Headers; len(h) > 0; {
		name, value, rest, err := readHeader(h)
		if err != nil {
			return nil, err
		}
		h = rest
		switch string(name) {
		case ":event-type":
			ev.Name = eventName(value)
		case ":message-type":
			kind = string(value)
		case ":exception-type", ":error-code":
			ev.Failure = string(value)
		}
	}
	switch kind {
	case "event":
		ev.Failure = ""
	case "exception", "error":
		if ev.Failure == "" {
			ev.Failure = kind
		}
	default:
		ev.Odd = true
	}
	return ev, nil
}

// headerSizes are the lengths of values by type; 6 and 7 say theirs.
var headerSizes = [...]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}

func readHeader(h []byte) (name, value, rest []byte, err error) {
	n := int(h[0])
	if len(h) < 1+n+1 {
		return nil, nil, nil, ErrFrame
	}
	name, h = h[1:1+n], h[1+n:]
	typ := h[0]
	h = h[1:]
	var size int
	switch {
	case typ == 6 || typ == 7:
		if len(h) < 2 {
			return nil, nil, nil, ErrFrame
		}
		size = int(binary.BigEndian.Uint16(h))
		h = h[2:]
	case int(typ) >= len(headerSizes):
		return nil, nil, nil, ErrFrame
	default:
		size = headerSizes[typ]
	}
	if len(h) < size {
		return nil, nil, nil, ErrFrame
	}
	return name, h[:size], h[size:], nil
}

// AppendFrame appends a frame with these headers, as they stand in a frame.
func AppendFrame(dst, headers, payload []byte) []byte {
	from := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(frameLeast+len(headers)+len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(headers)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[from:]))
	dst = append(append(dst, headers...), payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[from:]))
}

// AppendHeader appends a text header to headers of a frame.
func AppendHeader(dst []byte, name, value string) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	dst = append(dst, 7)
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(value))), value...)
}
