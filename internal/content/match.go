package content

import "cmp"

// match is a finding's place in a text.
type match struct {
	start, end int
	at         int // where its search began: of two from one start the earlier names the class
	class      string
	rawStart   int // in the raw text, where that is another
	rawEnd     int
	more       bool // it goes on behind what was looked at
}

// byPlace sorts matches as they are redacted.
func byPlace(a, b match) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.at, b.at), cmp.Compare(b.end, a.end), cmp.Compare(a.class, b.class))
}

// covers reports whether a class is a or lies below it: "pii" covers
// "pii.payment.card".
func covers(a, class string) bool {
	return class == a || len(class) > len(a) && class[len(a)] == '.' && class[:len(a)] == a
}
