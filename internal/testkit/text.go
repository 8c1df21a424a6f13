package testkit

import (
	"runtime"
	"unsafe"
	"weak"
)

// Text is memory in which a write's words lie together, as the run reader keeps
// them: whoever holds one word holds all of it.
type Text struct {
	bytes []byte
	held  weak.Pointer[byte]
}

// NewText makes room for words.
func NewText() *Text {
	b := make([]byte, 0, 64<<10)
	return &Text{bytes: b, held: weak.Make(unsafe.SliceData(b))}
}

// Word is s, in that memory.
func (t *Text) Word(s string) string {
	if s == "" {
		return ""
	}
	at := len(t.bytes)
	t.bytes = append(t.bytes, s...)
	return unsafe.String(&t.bytes[at], len(s))
}

// Let lets go of the memory and reports whether somebody else holds it still.
func (t *Text) Let() (held bool) {
	t.bytes = nil
	for range 3 {
		runtime.GC()
	}
	return t.held.Value() != nil
}
