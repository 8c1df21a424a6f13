package wire

// Fields picks members of one JSON object that arrives in pieces, however
// large it is: bounded memory, nothing held back. It reads well-formed JSON;
// what is not gives no members.
type Fields struct {
	// Want is how many bytes to keep of a member's value, 0 for none of it.
	Want func(key []byte) int
	// Each gets a member once its value is whole; cut says that it was longer
	// than wanted, and then value is its beginning.
	Each func(key, value []byte, cut bool)

	state fieldState
	depth int
	str   bool
	esc   bool
	key   []byte
	value []byte
	keep  int
	cut   bool
}

type fieldState uint8

const (
	beforeObject fieldState = iota
	beforeKey
	inKey
	beforeValue
	inValue
	finished
)

const maxKey = 64

// Push reads the next piece.
func (f *Fields) Push(b []byte) {
	for i := 0; i < len(b); {
		switch f.state {
		case beforeObject:
			switch b[i] {
			case ' ', '\n', '\t', '\r':
			case '{':
				f.state = beforeKey
			default:
				f.state = finished
			}
			i++
		case beforeKey:
			switch b[i] {
			case '"':
				f.state, f.key, f.cut = inKey, f.key[:0], false
			case '}':
				f.state = finished
			}
			i++
		case inKey:
			i++
			switch c := b[i-1]; {
			case f.esc:
				f.esc = false
				f.cut = true // no name that is wanted has escapes
			case c == '\\':
				f.esc = true
			case c == '"':
				f.state = beforeValue
			case len(f.key) < maxKey:
				f.key = append(f.key, c)
			}
		case beforeValue:
			switch b[i] {
			case ' ', '\n', '\t', '\r', ':':
				i++
			default:
				f.state, f.depth, f.value = inValue, 0, f.value[:0]
				if f.keep = 0; !f.cut {
					f.keep = f.Want(f.key)
				}
				f.cut = false
			}
		case inValue:
			i += f.inside(b[i:])
		default:
			return
		}
	}
}

// inside reads of a value as far as it goes and says how much that was.
func (f *Fields) inside(b []byte) int {
	i := 0
	for i < len(b) {
		if f.str && !f.esc {
			if i += plain(b[i:]); i == len(b) {
				break
			}
		}
		switch c := b[i]; {
		case f.esc:
			f.esc = false
		case f.str:
			switch c {
			case '\\':
				f.esc = true
			case '"':
				f.str = false
			}
		case c == '"':
			f.str = true
		case c == '{' || c == '[':
			f.depth++
		case f.depth > 0 && (c == '}' || c == ']'):
			f.depth--
		case f.depth == 0 && (c == ',' || c == '}'):
			f.take(b[:i])
			if f.keep > 0 {
				f.Each(f.key, f.value, f.cut)
			}
			if f.state = beforeKey; c == '}' {
				f.state = finished
			}
			return i + 1
		}
		i++
	}
	f.take(b)
	return len(b)
}

func (f *Fields) take(b []byte) {
	if room := f.keep - len(f.value); len(b) > room {
		b, f.cut = b[:max(room, 0)], f.keep > 0
	}
	f.value = append(f.value, b...)
}
