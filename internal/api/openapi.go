package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"reeve/client"
)

// OpenAPI is the description of the API (OpenAPI 3.1), made from the table.
func OpenAPI() []byte {
	s := &schemas{done: map[string]any{}}
	paths := map[string]map[string]any{}
	for _, op := range table() {
		path := Prefix + op.Path
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(op.Method)] = s.operation(&op)
	}
	doc := map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Reeve", "version": "1",
			"description": "The API of Reeve. Lists are {items, next}; times are RFC 3339 in UTC; what is unknown is null, never 0; errors are problem documents with a stable code and a hint.",
			"license":     map[string]any{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"paths": paths,
		"components": map[string]any{
			"schemas": s.done,
			"securitySchemes": map[string]any{
				"token":   map[string]any{"type": "http", "scheme": "bearer", "description": "a token rvt_... made under Settings"},
				"session": map[string]any{"type": "apiKey", "in": "cookie", "name": SessionCookie, "description": "a session's cookie, together with the header secret"},
				"secret":  map[string]any{"type": "apiKey", "in": "header", "name": secretHeader, "description": "the session's secret"},
			},
		},
	}
	// Maps are written in the order of their keys, so the file is stable.
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		panic(fmt.Sprintf("api: describing the table: %v", err))
	}
	return b.Bytes()
}

type document []byte

func (d document) writeJSON(w io.Writer) error {
	_, err := w.Write(d)
	return err
}

func openAPI(*API, context.Context, *struct{}) (any, error) { return document(OpenAPI()), nil }

type schemas struct{ done map[string]any }

func (s *schemas) operation(op *operation) map[string]any {
	out := map[string]any{
		"operationId": op.Name, "summary": op.Summary,
		"x-reeve-role": op.Permission.String(), "x-reeve-audit": op.Audit.String(),
	}
	if op.Permission.kind == permissionPublic {
		out["security"] = []any{}
	} else {
		security := []any{map[string]any{"session": []string{}, "secret": []string{}}}
		if !op.Permission.person {
			security = append(security, map[string]any{"token": []string{}})
		}
		out["security"] = security
	}
	if params := s.parameters(op); len(params) > 0 {
		out["parameters"] = params
	}
	if op.plan.body {
		out["requestBody"] = map[string]any{"required": true, "content": jsonContent(s.of(op.request))}
	}
	ok := map[string]any{"description": "done"}
	switch {
	case op.stream != nil:
		ok["content"] = map[string]any{"text/event-stream": map[string]any{"schema": s.of(reflect.TypeFor[client.RunUpdated]())}}
	case op.Status != 204:
		ok["content"] = jsonContent(s.of(op.response))
	}
	out["responses"] = map[string]any{
		strconv.Itoa(op.Status): ok,
		"default": map[string]any{
			"description": "a problem",
			"content":     map[string]any{"application/problem+json": map[string]any{"schema": s.of(reflect.TypeFor[client.Problem]())}},
		},
	}
	return out
}

func jsonContent(schema map[string]any) map[string]any {
	return map[string]any{"application/json": map[string]any{"schema": schema}}
}

func (s *schemas) parameters(op *operation) []any {
	var out []any
	add := func(in string, values map[string]int) {
		var names []string
		for n := range values {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			f := op.request.Field(values[n])
			schema := s.of(f.Type)
			if limit, err := strconv.Atoi(f.Tag.Get("max")); err == nil {
				schema["maximum"], schema["minimum"] = limit, 0
			}
			out = append(out, map[string]any{"name": n, "in": in, "required": in == "path", "schema": schema})
		}
	}
	add("path", op.plan.path)
	add("query", op.plan.query)
	if op.Idempotent {
		out = append(out, map[string]any{
			"name": "Idempotency-Key", "in": "header", "required": false, "schema": map[string]any{"type": "string", "maxLength": maxReplayKey},
		})
	}
	return out
}

// of is the schema of a Go type; structs become named components.
func (s *schemas) of(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Struct:
		return s.named(t)
	}
	panic("api: no schema for " + t.String())
}

func nullable(schema map[string]any) map[string]any {
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []string{kind, "null"}
		return schema
	}
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

// typeName turns List[reeve/client.Run] into RunList.
func typeName(t reflect.Type) string {
	name := t.Name()
	if base, arg, ok := strings.Cut(name, "["); ok {
		arg = strings.TrimSuffix(arg, "]")
		return arg[strings.LastIndexByte(arg, '.')+1:] + base
	}
	return name
}

func (s *schemas) named(t reflect.Type) map[string]any {
	name := typeName(t)
	ref := map[string]any{"$ref": "#/components/schemas/" + name}
	if s.done[name] != nil {
		return ref
	}
	props, required := map[string]any{}, []string{}
	s.done[name] = props // ends recursion; replaced below
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		if f.Anonymous && tag == "" {
			continue // JSON has its fields beside ours, and so has VisibleFields
		}
		if tag == "-" || tag == "" && (f.Tag.Get("path") != "" || f.Tag.Get("query") != "") {
			continue
		}
		field, opts, _ := strings.Cut(tag, ",")
		schema := s.of(f.Type)
		if strings.Contains(opts, "string") {
			schema = map[string]any{"type": "string"}
		}
		if values := f.Tag.Get("enum"); values != "" {
			schema["enum"] = strings.Split(values, ",")
		}
		if value := f.Tag.Get("example"); value != "" {
			var example any = value
			if f.Type.Kind() == reflect.Slice {
				example = strings.Split(value, ",")
			}
			schema["examples"] = []any{example}
		}
		props[field] = schema
		if !strings.Contains(opts, "omitempty") && f.Tag.Get("openapi") != "optional" {
			required = append(required, field)
		}
	}
	schema := map[string]any{"type": "object", "properties": props}
	if len(required) > 0 {
		schema["required"] = required
	}
	s.done[name] = schema
	return ref
}
