package control

import (
	"strings"
	"time"
)

// Where collects the conditions of a question. The zero value has none.
type Where struct {
	and  []string
	Args []any // of all conditions, in their order
}

// Add adds a condition with the arguments of its question marks.
func (w *Where) Add(cond string, args ...any) {
	w.and = append(w.and, cond)
	w.Args = append(w.Args, args...)
}

// Is asks for a value of a column; an empty one is not asked for.
func (w *Where) Is(column, value string) {
	if value != "" {
		w.Add(column+" = ?", value)
	}
}

// Text is the clause, with a space before it; nothing without conditions.
func (w *Where) Text() string {
	if len(w.and) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.and, " AND ")
}

// Like is a LIKE pattern for a part of a text in lower case, to be read with
// ESCAPE '\'.
func Like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(part)) + "%"
}

// Bucket is a column that tells in which part of time, so long, the column at of a
// row lies, with the arguments of its question marks; 0 is all in one, told as 0.
func Bucket(width time.Duration) (column string, args []any) {
	if us := width.Microseconds(); us > 0 {
		return "at / ? * ?", []any{us, us}
	}
	return "0", nil
}

// BucketTime is the beginning of a bucket; the zero time of all in one.
func BucketTime(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return Time(at)
}
