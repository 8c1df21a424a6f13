package api

import (
	"bytes"
	"fmt"
	"go/format"
	"reflect"
	"strings"
)

// ClientSource is the Go source of the client's methods, made from the table.
func ClientSource() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("// Code generated from internal/api's table of operations; DO NOT EDIT.\n\npackage client\n\nimport \"context\"\n\n")
	b.WriteString("// Operations lists every operation of the API.\nfunc Operations() []Operation {\n\treturn []Operation{\n")
	for _, op := range Operations() {
		fmt.Fprintf(&b, "\t\t{Name: %q, Method: %q, Path: %q, Role: %q, Summary: %q},\n", op.Name, op.Method, op.Path, op.Role, op.Summary)
	}
	b.WriteString("\t}\n}\n")
	for _, op := range table() {
		if op.stream != nil {
			continue // Events is written by hand: it resumes
		}
		path := Prefix + op.Path
		fmt.Fprintf(&b, "\n// %s %s.\n//\n// %s %s, role %s.\n", op.Name, op.Summary, op.Method, path, op.Permission)
		params, req := "ctx context.Context", "nil"
		if op.request != reflect.TypeFor[struct{}]() {
			params, req = params+", req "+goType(op.request), "req"
		}
		if op.response == reflect.TypeFor[struct{}]() {
			fmt.Fprintf(&b, "func (c *Client) %s(%s) error {\n\t_, err := call[struct{}](ctx, c, %q, %q, %s)\n\treturn err\n}\n", op.Name, params, op.Method, path, req)
			continue
		}
		resp := goType(op.response)
		fmt.Fprintf(&b, "func (c *Client) %s(%s) (*%s, error) {\n\treturn call[%s](ctx, c, %q, %q, %s)\n}\n", op.Name, params, resp, resp, op.Method, path, req)
	}
	return format.Source(b.Bytes())
}

// goType is the type's name as package client writes it.
func goType(t reflect.Type) string {
	name := strings.ReplaceAll(t.String(), "client.", "")
	return strings.ReplaceAll(strings.ReplaceAll(name, "reeve/", ""), "interface {}", "any")
}
