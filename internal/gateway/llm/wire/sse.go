package wire

import "bytes"

// Event is one unit of a stream. Its slices are valid until the splitter is
// called again.
type Event struct {
	Name string // server-sent: of the event line; event stream: :event-type
	Data []byte // JSON in all that we read; nil for none (a comment)
	Raw  []byte // all bytes, the end of the event included

	Odd     bool   // server-sent: a line that is no field; event stream: no such header
	Failure string // event stream: :exception-type or :error-code of a failure
	Headers []byte // event stream: as they came
}

// SSE splits server-sent events. Lines end in \n, \r\n or \r.
type SSE struct {
	Limit int // bytes of one event

	rest    []byte // the beginning of an event
	line    int    // of rest, where its last line begins
	scanned int    // of rest, up to where that line has no end
	data    []byte // joined data lines
	ev      Event  // the one at hand
	begun   bool
}

// Push gives the events that piece completes to each. After ErrLarge nothing
// more is read.
func (s *SSE) Push(piece []byte, each func(*Event) error) error {
	b, own := piece, false
	if len(s.rest) > 0 {
		s.rest = append(s.rest, piece...)
		b, own = s.rest, true
	}
	at, line, pos := 0, s.line, s.scanned
	for {
		end := 0
		if end, line, pos = eventEnd(b, line, pos); end < 0 {
			s.line, s.scanned = line-at, pos-at
			break
		}
		if err := s.one(b[at:end], each); err != nil {
			return err
		}
		at, line, pos = end, end, end
	}
	switch {
	case len(b)-at > s.Limit:
		return ErrLarge
	case own:
		s.rest = s.rest[:copy(s.rest, s.rest[at:])]
	default:
		s.rest = append(s.rest[:0], b[at:]...)
	}
	return nil
}

// End gives what is left as a last event: some readers take it for one.
func (s *SSE) End(each func(*Event) error) error {
	if len(s.rest) == 0 {
		return nil
	}
	rest := s.rest
	s.rest = nil
	return s.one(rest, each)
}

// eventEnd finds the end of an event, the blank line, in a line that begins at
// line and has no end before pos. Without one, end is -1 and the rest is where
// to go on.
func eventEnd(b []byte, line, pos int) (end, nextLine, nextPos int) {
	for {
		i := pos
		n := bytes.IndexByte(b[pos:], '\n')
		if n < 0 {
			n = len(b) - pos
		}
		if r := bytes.IndexByte(b[pos:pos+n], '\r'); r >= 0 {
			n = r
		}
		if i += n; i == len(b) || b[i] == '\r' && i+1 == len(b) {
			return -1, line, i // whether \n follows the \r is not known yet
		}
		next := i + 1
		if b[i] == '\r' && b[next] == '\n' {
			next++
		}
		if i == line {
			return next, 0, 0
		}
		line, pos = next, next
	}
}

func (s *SSE) one(raw []byte, each func(*Event) error) error {
	s.ev = Event{Raw: raw}
	ev := &s.ev
	lines := raw
	if !s.begun {
		s.begun = true
		lines = bytes.TrimPrefix(lines, []byte("\xef\xbb\xbf"))
	}
	n := 0
	for len(lines) > 0 {
		var line []byte
		if i := bytes.IndexAny(lines, "\r\n"); i < 0 {
			line, lines = lines, nil
		} else {
			line = lines[:i]
			if lines[i] == '\r' && i+1 < len(lines) && lines[i+1] == '\n' {
				i++
			}
			lines = lines[i+1:]
		}
		if len(line) == 0 || line[0] == ':' {
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			switch n++; n {
			case 1:
				ev.Data = value
			case 2:
				s.data = append(append(append(s.data[:0], ev.Data...), '\n'), value...)
				ev.Data = s.data
			default:
				s.data = append(append(s.data, '\n'), value...)
				ev.Data = s.data
			}
		case "event":
			ev.Name = eventName(value)
		case "id", "retry":
		default:
			ev.Odd = true
		}
	}
	if n > 0 && ev.Data == nil {
		ev.Data = []byte{}
	}
	return each(ev)
}

// eventName spares the allocation for the names there are.
func eventName(b []byte) string {
	switch string(b) {
	case "content_block_delta":
		return "content_block_delta"
	case "response.output_text.delta":
		return "response.output_text.delta"
	case "response.function_call_arguments.delta":
		return "response.function_call_arguments.delta"
	case "contentBlockDelta":
		return "contentBlockDelta"
	case "chunk":
		return "chunk"
	}
	return string(b)
}

// AppendSSE appends an event; name "" leaves the event line out.
func AppendSSE(dst []byte, name string, data []byte) []byte {
	if name != "" {
		dst = append(append(append(dst, "event: "...), name...), '\n')
	}
	return append(append(append(dst, "data: "...), data...), "\n\n"...)
}
