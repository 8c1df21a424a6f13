package erase

import (
	"reflect"
)

// In cuts in every text that v reaches: a pointer to what is held in memory. Fields
// whose JSON names link records are left, as in stored documents. It reports whether
// anything was cut.
func (c Cutter) In(v any) bool { return c.reach(reflect.ValueOf(v), 0) }

func (c Cutter) reach(v reflect.Value, deep int) (changed bool) {
	if deep > maxDeep {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Kind() == reflect.Pointer {
			return c.reach(v.Elem(), deep+1)
		}
	case reflect.String:
		if !v.CanSet() {
			return false
		}
		out, did := c(v.String())
		if did {
			v.SetString(out)
		}
		return did
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return false
		}
		for i := range v.Len() {
			changed = c.reach(v.Index(i), deep+1) || changed
		}
	case reflect.Map:
		return c.mapped(v, deep)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || plain[nameOf(f)] {
				continue
			}
			changed = c.reach(v.Field(i), deep+1) || changed
		}
	}
	return changed
}

func (c Cutter) mapped(v reflect.Value, deep int) (changed bool) {
	if v.Type().Key().Kind() != reflect.String {
		return false
	}
	for _, k := range v.MapKeys() {
		e := reflect.New(v.Type().Elem()).Elem()
		e.Set(v.MapIndex(k))
		if !plain[k.String()] && c.reach(e, deep+1) {
			v.SetMapIndex(k, e)
			changed = true
		}
	}
	return changed
}

// nameOf is the field's name in JSON, or a row's column.
func nameOf(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	for i := range len(tag) {
		if tag[i] == ',' {
			tag = tag[:i]
			break
		}
	}
	if tag == "" || tag == "-" {
		return lower(f.Name)
	}
	return tag
}

func lower(s string) string {
	b := make([]byte, 0, len(s)+2)
	for i := range len(s) {
		r := s[i]
		if r >= 'A' && r <= 'Z' {
			if i > 0 && (s[i-1] < 'A' || s[i-1] > 'Z') {
				b = append(b, '_')
			}
			r += 'a' - 'A'
		}
		b = append(b, r)
	}
	return string(b)
}
