package pin

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// Suggestion is what a definition says of itself, for a person to agree to or
// not: nothing of it is in force.
type Suggestion struct {
	Effect  string
	Why     string // where the effect was read
	Classes []string
	Paths   Paths
}

var (
	destroying = []string{
		"delete", "remove", "drop", "destroy", "purge", "erase", "wipe", "truncate", "kill", "terminate", "revoke", "cancel", "transfer", "pay", "refund",
		"execute", "exec", "run", "shell", "eval", "reset", "overwrite", "uninstall", "format", "merge", "deploy", "rollback", "wire", "buy", "sell", "charge",
	}
	writing = []string{
		"create", "send", "post", "put", "add", "update", "edit", "write", "insert", "set", "move", "rename", "upload", "reply", "invite", "share", "publish",
		"schedule", "assign", "comment", "book", "reserve", "append", "modify", "patch", "save", "submit", "subscribe", "enable", "disable", "start", "stop",
		"push", "commit", "fork", "close", "open", "mark", "label", "store", "register", "import", "forward", "notify", "order", "change", "copy", "upsert",
	}
	reading = []string{
		"get", "list", "read", "search", "find", "fetch", "query", "describe", "show", "view", "check", "lookup", "count", "browse", "download", "export",
		"inspect", "summarize", "retrieve", "validate", "verify", "compare", "status", "explain", "resolve", "ping", "tail", "scan", "analyze", "info",
	}
	thinking = []string{"think", "calculate", "calculator", "compute", "convert", "translate", "reason", "plan", "echo"}
)

// Suggest reads a definition.
func Suggest(t *Tool) Suggestion {
	var s Suggestion
	s.Effect, s.Why = suggestEffect(t)
	for _, a := range shapeOf(t.InputSchema).arguments() {
		words := wordsOf(a.name)
		format, _ := a.schema["format"].(string)
		typ, _ := a.schema["type"].(string)
		about, _ := a.schema["description"].(string)
		about = strings.ToLower(about)
		has := func(list ...string) bool {
			return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
		}
		texty := typ != "boolean" && typ != "integer" && typ != "number"
		switch {
		case (typ == "number" || typ == "integer" || typ == "string" || typ == "") && has("amount", "price", "total", "sum", "quantity", "value", "cost", "fee", "budget", "salary", "limit") && (typ != "string" || has("amount", "price", "fee", "cost", "salary")):
			if !has("limit") || has("spend", "credit") {
				s.Paths.Amount = append(s.Paths.Amount, a.path)
			}
		case texty && (has("iban", "account", "payee", "beneficiary", "recipient", "recipients", "to", "cc", "bcc", "attendee", "attendees", "participants", "invitee", "invitees", "assignee", "phone", "mobile") || has("email", "mail", "emails") || format == "email" || format == "idn-email" || strings.Contains(about, "recipient")):
			s.Paths.Recipient = append(s.Paths.Recipient, a.path)
		case texty && (format == "uri" || format == "url" || format == "hostname" || format == "iri" || format == "ipv4" || format == "ipv6" || has("url", "urls", "uri", "host", "hostname", "endpoint", "webhook", "domain", "server", "address", "destination", "channel", "link", "site", "website", "target", "callback", "remote")):
			s.Paths.Destination = append(s.Paths.Destination, a.path)
		}
		s.Classes = append(s.Classes, classOf(words, format)...)
	}
	for _, list := range []*[]string{&s.Classes, &s.Paths.Amount, &s.Paths.Destination, &s.Paths.Recipient} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s
}

// suggestEffect takes the worse of what the server hints and what the name says:
// a hint can only be believed when it is to the server's disadvantage.
func suggestEffect(t *Tool) (effect, why string) {
	var hints struct {
		ReadOnly    *bool `json:"readOnlyHint"`
		Destructive *bool `json:"destructiveHint"`
	}
	_ = json.Unmarshal(t.Annotations, &hints) // none then
	named, word := effectOfName(t.Name)
	hinted := ""
	switch {
	case hints.ReadOnly != nil && *hints.ReadOnly:
		hinted = "read"
	case hints.Destructive != nil && *hints.Destructive:
		hinted = "destructive"
	case hints.Destructive != nil:
		hinted = "write"
	}
	switch {
	case hinted == "" && named == "":
		return "destructive", "nothing says what it does"
	case hinted == "" || rankOf(named) > rankOf(hinted):
		return named, "its name has the word " + word
	case hinted == "read":
		return hinted, "the server hints readOnlyHint"
	}
	return hinted, "the server hints destructiveHint"
}

var effects = []string{"think", "read", "write", "destructive"}

func rankOf(effect string) int { return slices.Index(effects, effect) }

// effectOfName is the worst that a verb in the name says.
func effectOfName(name string) (effect, word string) {
	words := wordsOf(name)
	for i, list := range [][]string{destroying, writing, reading, thinking} {
		for _, w := range words {
			if slices.Contains(list, w) {
				return effects[len(effects)-1-i], w
			}
		}
	}
	return "", ""
}

// wordsOf splits a name at its seams: send_email, sendEmail, send-email.
func wordsOf(name string) []string {
	var out []string
	var b []rune
	flush := func() {
		if len(b) > 0 {
			out = append(out, strings.ToLower(string(b)))
			b = b[:0]
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		case unicode.IsUpper(r) && lower:
			flush()
			b = append(b, r)
		default:
			b = append(b, r)
		}
		lower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	flush()
	return out
}

func classOf(words []string, format string) (out []string) {
	add := func(class string, names ...string) {
		if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(words, n) }) {
			out = append(out, class)
		}
	}
	add("pii.email", "email", "emails", "mail")
	if format == "email" {
		out = append(out, "pii.email")
	}
	add("pii.phone", "phone", "mobile", "tel", "telephone")
	add("pii.payment.iban", "iban")
	add("pii.payment.card", "card", "pan", "cvv", "cvc")
	add("secret", "password", "secret", "token", "credential", "credentials", "apikey", "passphrase")
	return out
}
