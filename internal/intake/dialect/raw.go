package dialect

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unsafe"

	"reeve/internal/genai"
)

// Raw is a JSON value as it was sent: a vendor's body is walked, and only what
// the table needs is parsed. Reading what is not there, or is of another type,
// gives the zero value. Texts may alias it.
type Raw []byte

// Member is a member of a JSON object.
type Member struct {
	Key   string
	Value Raw
}

// Object is a JSON object's members in the order in which they were sent; null
// ones are left out.
type Object []Member

// ParseObject reads an object's members; ok is false for what is no object. Of
// names that come twice the last counts, as JSON's readers have it.
func ParseObject(raw []byte) (o Object, ok bool) { return Object(nil).Parse(raw) }

// Parse is ParseObject into the memory of o.
func (o Object) Parse(raw []byte) (out Object, ok bool) {
	if out = o[:0]; cap(out) == 0 {
		out = make(Object, 0, 16)
	}
	err := genai.Members(raw, func(name, val []byte) bool {
		if string(val) == "null" {
			return true
		}
		key := alias(name)
		if bytes.IndexByte(name, '\\') >= 0 {
			key = unquoteJSON([]byte(`"` + key + `"`))
		}
		for i := range out {
			if out[i].Key == key {
				out[i].Value = val
				return true
			}
		}
		out = append(out, Member{key, val})
		return len(out) < maxMembers
	})
	return out, err == nil
}

// maxMembers bounds the members of an object that are looked at: each is
// compared with those before it.
const maxMembers = 200

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Get is a member's value; nil for none.
func (o Object) Get(key string) Raw {
	for i := range o {
		if o[i].Key == key {
			return o[i].Value
		}
	}
	return nil
}

// Take is Get, after which the member is gone.
func (o *Object) Take(key string) Raw {
	for i := range *o {
		if m := (*o)[i]; m.Key == key {
			*o = append((*o)[:i], (*o)[i+1:]...)
			return m.Value
		}
	}
	return nil
}

// Set replaces a member's value, or adds it, unless there are as many as are
// looked at.
func (o *Object) Set(key string, v Raw) {
	for i := range *o {
		if (*o)[i].Key == key {
			(*o)[i].Value = v
			return
		}
	}
	if len(*o) < maxMembers {
		*o = append(*o, Member{key, v})
	}
}

// Text is what a JSON string says.
func (r Raw) Text() string {
	if len(r) < 2 || r[0] != '"' {
		return ""
	}
	if bytes.IndexByte(r, '\\') < 0 {
		return alias(r[1 : len(r)-1])
	}
	return unquoteJSON(r)
}

// Word is what a string says, or a number as it is written.
func (r Raw) Word() string {
	if len(r) > 0 && (r[0] == '-' || (r[0] >= '0' && r[0] <= '9')) {
		return alias(r)
	}
	return r.Text()
}

// Float is a number's value.
func (r Raw) Float() (f float64, ok bool) {
	if len(r) == 0 || r[0] == '"' {
		return 0, false
	}
	f, err := strconv.ParseFloat(alias(r), 64)
	return f, err == nil
}

// Int is a whole number's value.
func (r Raw) Int() (n int64, ok bool) {
	if len(r) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(alias(r), 10, 64)
	if err == nil {
		return n, true
	}
	f, ok := r.Float()
	return int64(f), ok && f > -1<<62 && f < 1<<62
}

// Bool is a truth.
func (r Raw) Bool() (v, ok bool) {
	return string(r) == "true", string(r) == "true" || string(r) == "false"
}

// Object is an object's members; nil for anything else.
func (r Raw) Object() Object {
	o, ok := ParseObject(r)
	if !ok {
		return nil
	}
	return o
}

// Each calls each with every element of an array; ok is false for what is no
// whole array.
func (r Raw) Each(each func(Raw)) (ok bool) {
	return genai.Split(r, func(e []byte) bool { each(e); return true }) == nil
}

// Texts are the strings of an array.
func (r Raw) Texts() (out []string) {
	r.Each(func(e Raw) {
		if s := e.Text(); s != "" {
			out = append(out, s)
		}
	})
	return out
}

// Find looks for the first member of that name whose value is not null, at most
// depth levels down; nil for none.
func (r Raw) Find(name string, depth int) (found Raw) {
	if depth == 0 || len(r) < 2 || (r[0] != '{' && r[0] != '[') || !bytes.Contains(r, []byte(`"`+name+`"`)) {
		return nil
	}
	if r[0] == '[' {
		_ = genai.Split(r, func(e []byte) bool { // cut: what was read before counts
			found = Raw(e).Find(name, depth-1)
			return found == nil
		})
		return found
	}
	o := r.Object()
	if found = o.Get(name); found != nil {
		return found
	}
	for _, m := range o {
		if found = m.Value.Find(name, depth-1); found != nil {
			return found
		}
	}
	return nil
}

// unquoteJSON is what a JSON string says; what is none is itself.
func unquoteJSON(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}
