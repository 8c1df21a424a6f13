package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"reeve/internal/fault"
)

// plan says where each field of a request type comes from.
type plan struct {
	path  map[string]int // path value -> field
	query map[string]int // query parameter -> field
	body  bool           // the rest is read from the body
}

func newPlan(t reflect.Type) *plan {
	p := &plan{path: map[string]int{}, query: map[string]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Tag.Get("path") != "":
			p.path[f.Tag.Get("path")] = i
		case f.Tag.Get("query") != "":
			p.query[f.Tag.Get("query")] = i
		default:
			p.body = true
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if p.body && (f.Tag.Get("path") != "" || f.Tag.Get("query") != "") && f.Tag.Get("json") != "-" {
			panic(fmt.Sprintf("api: %s.%s comes from the URL and needs json:\"-\" beside a body", t.Name(), f.Name))
		}
	}
	return p
}

// decode reads a request into a new value of its type; it returns the body too,
// for the idempotency key's comparison.
func (op *operation) decode(w http.ResponseWriter, r *http.Request) (req any, body []byte, err error) {
	v := reflect.New(op.request)
	if op.plan.body {
		if body, err = readBody(w, r, op.MaxBody); err != nil {
			return nil, nil, err
		}
		if err := decodeBody(body, v.Interface()); err != nil {
			return nil, nil, err
		}
	} else if r.ContentLength > 0 {
		return nil, nil, fault.New(fault.KindInvalid, "api.body_unexpected", "%s %s takes no body", r.Method, r.URL.Path)
	}
	for name, i := range op.plan.path {
		if err := setField(v.Elem().Field(i), r.PathValue(name), name, 0); err != nil {
			return nil, nil, err
		}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, nil, fault.New(fault.KindInvalid, "api.query_malformed", "the query of the URL cannot be read").WithHint("escape %% and ;")
	}
	for name, given := range values {
		i, ok := op.plan.query[name]
		if !ok {
			return nil, nil, fault.New(fault.KindInvalid, "api.unknown_parameter", "unknown parameter %s", name).WithHint("%s", op.plan.parameters())
		}
		if len(given) > 1 {
			return nil, nil, fault.New(fault.KindInvalid, "api.parameter_twice", "parameter %s is given %d times", name, len(given)).
				WithHint("where several values make sense they are joined with commas")
		}
		limit, _ := strconv.Atoi(op.request.Field(i).Tag.Get("max"))
		if err := setField(v.Elem().Field(i), given[0], name, limit); err != nil {
			return nil, nil, err
		}
	}
	return v.Interface(), body, nil
}

func (p *plan) parameters() string {
	if len(p.query) == 0 {
		return "it takes none"
	}
	var names []string
	for n := range p.query {
		names = append(names, n)
	}
	sort.Strings(names)
	return "it takes " + strings.Join(names, ", ")
}

func setField(f reflect.Value, text, name string, limit int) error {
	invalid := func(want string) error {
		return fault.New(fault.KindInvalid, "api.parameter_invalid", "%s is %q and should be %s", name, clip(text, 100), want)
	}
	switch f.Kind() {
	case reflect.String:
		if len(text) > 8192 {
			return invalid("at most 8192 bytes long")
		}
		f.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return invalid("true or false")
		}
		f.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			if err == nil && limit > 0 {
				return invalid(fmt.Sprintf("from 1 to %d", limit))
			}
			return invalid("a whole number")
		}
		if limit > 0 && n > int64(limit) {
			return invalid(fmt.Sprintf("from 1 to %d", limit))
		}
		f.SetInt(n)
	default:
		panic("api: a request field of kind " + f.Kind().String() + " cannot come from the URL")
	}
	return nil
}

// jsonKind names a Go type as the sender of JSON knows it.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "another type"
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, errContentType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, errTooLarge.WithHint("at most %d bytes", limit)
		}
		return nil, fault.New(fault.KindInvalid, "api.body_unreadable", "the body ended too early").WithCause(err)
	}
	return body, nil
}

// These two have a status of their own in statusOf: kinds know neither.
var (
	errContentType = fault.New(fault.KindInvalid, "api.content_type", "bodies are JSON").WithHint("send Content-Type: application/json")
	errTooLarge    = fault.New(fault.KindInvalid, "api.body_too_large", "the body is too large")
)

func decodeBody(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return fault.New(fault.KindInvalid, "api.body_malformed", "something follows the JSON value in the body")
		}
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fault.New(fault.KindInvalid, "api.field_type", "field %s cannot be a %s", kind.Field, kind.Value).WithHint("it is %s; GET %s/openapi.json describes it", jsonKind(kind.Type), Prefix)
	}
	// encoding/json has no error type for this one.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fault.New(fault.KindInvalid, "api.unknown_field", "unknown field %s", name).
			WithHint("fields are snake_case; GET %s/openapi.json describes them", Prefix)
	}
	return fault.New(fault.KindInvalid, "api.body_malformed", "the body is no JSON object").WithCause(err)
}
