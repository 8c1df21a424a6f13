package mcp

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"reeve/internal/fault"
)

func errHeader(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "mcp.header", format, args...).WithHint("headers repeat the body: MCP-Protocol-Version, Mcp-Method and Mcp-Name")
}

// one is the value of a header that may stand there once.
func one(h http.Header, name string) (value string, there bool, err error) {
	list := h[name]
	switch len(list) {
	case 0:
		return "", false, nil
	case 1:
		return list[0], true, nil
	}
	return "", true, errHeader("the header %s is there %d times", name, len(list))
}

// checkHeaders compares what a request without a session says in its headers
// with its body: what is in between may have gone by the headers.
func checkHeaders(h http.Header, m *message, of method) error {
	version, there, err := one(h, "Mcp-Protocol-Version")
	switch {
	case err != nil:
		return err
	case !there:
		return errHeader("the header MCP-Protocol-Version is missing")
	case m.own.version != "" && version != m.own.version:
		return errHeader("the header MCP-Protocol-Version says %s and the body %s", word(version), word(m.own.version))
	}
	if m.isNotification() {
		return nil // the protocol defines no headers for them
	}
	name, there, err := one(h, "Mcp-Method")
	switch {
	case err != nil:
		return err
	case !there:
		return errHeader("the header Mcp-Method is missing")
	case name != m.method:
		return errHeader("the header Mcp-Method says %s and the body %s", word(name), word(m.method))
	}
	return checkName(h, m, of)
}

func checkName(h http.Header, m *message, of method) error {
	want, there := "", false
	if !of.modern {
		return nil // it is refused as a method that this version has not
	}
	switch of.name {
	case "name":
		want, there = m.name, m.nameAt.to != 0
	case "uri":
		want, there = m.uri, m.uriAt.to != 0
	case "taskId":
		want, there = m.task, m.taskAt.to != 0
	default:
		return nil
	}
	value, given, err := one(h, "Mcp-Name")
	switch {
	case err != nil:
		return err
	case !there:
		return errParams // such a request always names something
	case !given:
		return errHeader("the header Mcp-Name is missing")
	}
	text, ok := decodeHeader(value)
	if !ok || text != want {
		return errHeader("the header Mcp-Name says %s and the body %s", word(value), word(want))
	}
	return nil
}

const (
	headerBegin = "=?base64?"
	headerEnd   = "?="
)

// decodeHeader is a mirrored value as text; ok is false for one that no client
// may write so.
func decodeHeader(v string) (text string, ok bool) {
	if inside, found := strings.CutPrefix(v, headerBegin); found {
		if inside, found = strings.CutSuffix(inside, headerEnd); found {
			b, err := base64.StdEncoding.DecodeString(inside)
			return string(b), err == nil && utf8.Valid(b)
		}
	}
	return v, plainHeader(v)
}

// encodeHeader writes a value as clients must.
func encodeHeader(text string) string {
	if plainHeader(text) && !(strings.HasPrefix(text, headerBegin) && strings.HasSuffix(text, headerEnd)) && strings.Trim(text, " \t") == text {
		return text
	}
	return headerBegin + base64.StdEncoding.EncodeToString([]byte(text)) + headerEnd
}

func plainHeader(v string) bool {
	for i := range len(v) {
		if c := v[i]; c != '\t' && (c < 0x20 || c > 0x7e) {
			return false
		}
	}
	return true
}

// accepts reports whether a request's Accept lets pass what we may answer.
func accepts(h http.Header, kinds ...string) bool {
	var all strings.Builder
	for _, v := range h["Accept"] {
		all.WriteString(v)
		all.WriteByte(',')
	}
	list := strings.ToLower(all.String())
	for _, kind := range kinds {
		family, _, _ := strings.Cut(kind, "/")
		if !strings.Contains(list, kind) && !strings.Contains(list, family+"/*") && !strings.Contains(list, "*/*") {
			return false
		}
	}
	return true
}
