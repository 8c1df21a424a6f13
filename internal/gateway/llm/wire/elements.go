package wire

import "bytes"

// Elements splits a JSON array that arrives in pieces, as Gemini streams
// without alt=sse. An event's Data is an element; its Raw has the commas and
// brackets before it too. A last event without Data closes the array.
type Elements struct {
	Limit int

	rest  []byte
	at    int // of rest, what was looked at
	depth int
	from  int // where the element begins in rest
	str   bool
	esc   bool
	done  bool
}

// Push gives the elements that piece completes to each.
func (e *Elements) Push(piece []byte, each func(*Event) error) error {
	e.rest = append(e.rest, piece...)
	for ; e.at < len(e.rest); e.at++ {
		b := e.rest[e.at]
		switch {
		case e.done && b != ' ' && b != '\n' && b != '\t' && b != '\r':
			return ErrSyntax
		case e.esc:
			e.esc = false
		case e.str:
			switch b {
			case '\\':
				e.esc = true
			case '"':
				e.str = false
			}
		case b == '"' && e.depth > 1:
			e.str = true
		case b == '{' || b == '[':
			if e.depth++; e.depth == 2 {
				e.from = e.at
			}
			if e.depth == 1 && b == '{' || e.depth == 2 && b == '[' {
				return ErrSyntax // no array, or one of something else than objects
			}
		case b == '}' || b == ']':
			if e.depth--; e.depth < 0 {
				return ErrSyntax
			}
			ev := Event{Raw: e.rest[:e.at+1]}
			switch e.depth {
			case 0:
				e.done = true
			case 1:
				ev.Data = e.rest[e.from : e.at+1]
			default:
				continue
			}
			if err := each(&ev); err != nil {
				return err
			}
			e.rest = e.rest[:copy(e.rest, e.rest[e.at+1:])]
			e.at = -1
		case e.depth < 2 && !bytes.ContainsRune([]byte(", \n\t\r"), rune(b)):
			return ErrSyntax
		}
	}
	if len(e.rest) > e.Limit {
		return ErrLarge
	}
	return nil
}

// End gives the white space after the array, and is ErrSyntax when it is cut.
func (e *Elements) End(each func(*Event) error) error {
	if !e.done {
		return ErrSyntax
	}
	if len(e.rest) == 0 {
		return nil
	}
	return each(&Event{Raw: e.rest})
}
