package wire

// Edit replaces b[From:To] by With.
type Edit struct {
	From, To int
	With     []byte
}

// Apply appends b with the edits made to dst. They are in order and do not
// overlap.
func Apply(dst, b []byte, edits []Edit) []byte {
	at := 0
	for _, e := range edits {
		dst = append(dst, b[at:e.From]...)
		dst = append(dst, e.With...)
		at = e.To
	}
	return append(dst, b[at:]...)
}

// Cut is the edit that removes a member of an object or an element of an array
// at b[from:to] together with one comma.
func Cut(b []byte, from, to int) Edit {
	for i := to; i < len(b); i++ {
		switch b[i] {
		case ' ', '\n', '\t', '\r':
			continue
		case ',':
			return Edit{From: from, To: i + 1}
		}
		break
	}
	for i := from - 1; i >= 0; i-- {
		switch b[i] {
		case ' ', '\n', '\t', '\r':
			continue
		case ',':
			return Edit{From: i, To: to}
		}
		break
	}
	return Edit{From: from, To: to}
}
