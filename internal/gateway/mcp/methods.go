package mcp

import (
	"strings"

	"reeve/internal/fault"
)

// Versions of the protocol, the newest first.
const (
	modernVersion = "2026-07-28"
	latestSession = "2025-11-25"
	oldestSession = "2025-03-26"
	sseVersion    = "2024-11-05"
)

var sessionVersions = []string{latestSession, "2025-06-18", oldestSession, sseVersion}

// isModern reports whether a version is one without sessions. Versions are
// dates.
func isModern(version string) bool { return version >= modernVersion }

// method is what the door knows of a method that clients call.
type method struct {
	action  string // what policy decides; "" is nothing of its own
	name    string // which param the Mcp-Name header repeats: name, uri, taskId
	modern  bool   // in 2026-07-28
	session bool   // in the versions with sessions
	list    string // the field of the result that is filtered
	asks    bool   // its answer may be input_required
}

// methods are all that a client may call; another is denied.
var methods = map[string]method{
	"initialize":               {session: true},
	"ping":                     {session: true},
	"logging/setLevel":         {session: true},
	"resources/subscribe":      {session: true, action: "read_source"},
	"resources/unsubscribe":    {session: true},
	"tasks/list":               {session: true},
	"tasks/result":             {session: true, name: "taskId"},
	"tasks/get":                {modern: true, session: true, name: "taskId"},
	"tasks/cancel":             {modern: true, session: true, name: "taskId"},
	"tasks/update":             {modern: true, name: "taskId"},
	"server/discover":          {modern: true},
	"subscriptions/listen":     {modern: true},
	"tools/list":               {modern: true, session: true, list: "tools"},
	"tools/call":               {modern: true, session: true, action: "call_tool", name: "name", asks: true},
	"resources/list":           {modern: true, session: true, list: "resources"},
	"resources/templates/list": {modern: true, session: true, list: "resourceTemplates"},
	"resources/read":           {modern: true, session: true, action: "read_source", name: "uri", asks: true},
	"prompts/list":             {modern: true, session: true, list: "prompts"},
	"prompts/get":              {modern: true, session: true, action: "read_source", name: "name", asks: true},
	"completion/complete":      {modern: true, session: true, action: "read_source"},
}

// clientNotes are the notifications that a client may send, and serverNotes
// those that a server may.
var clientNotes = map[string]bool{
	"notifications/initialized": true, "notifications/cancelled": true, "notifications/progress": true,
	"notifications/roots/list_changed": true, noteStatus: true,
}

var serverNotes = map[string]bool{
	"notifications/cancelled": true, "notifications/progress": true, "notifications/message": true,
	"notifications/resources/updated": true, "notifications/resources/list_changed": true, "notifications/tools/list_changed": true,
	"notifications/prompts/list_changed": true, "notifications/elicitation/complete": true, noteStatus: true,
	noteTask: true, "notifications/subscriptions/acknowledged": true,
}

// serverAsks are the requests that a server may make of a client.
var serverAsks = map[string]string{
	"ping":                   "",
	"sampling/createMessage": "ask_model",
	"elicitation/create":     "ask_user",
	"roots/list":             "ask_user",
}

func errMethod(name string) *fault.Error {
	return fault.New(fault.KindDenied, "mcp.method", "the method %s is not one that passes the door", word(name))
}

// word is a name from outside as it may stand in a message.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
