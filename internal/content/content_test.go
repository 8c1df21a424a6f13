package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// rules makes a set of rules without a database.
func rules(t testing.TB, list ...client.ContentRule) *Set {
	t.Helper()
	for i := range list {
		if list[i].Name == "" {
			list[i].Name = fmt.Sprintf("rule-%d", i)
		}
		if list[i].Direction == "" {
			list[i].Direction = "both"
		}
		list[i].Reason = "test"
	}
	b, err := newBook(list)
	if err != nil {
		t.Fatal(err)
	}
	s := &Set{}
	s.all.Store(b)
	return s
}

func on(action string, classes ...string) client.ContentRule {
	return client.ContentRule{Action: action, Classes: classes}
}

// Made up for these tests; none of them opens anything.
var (
	awsKey     = "AKIA" + "Q3TZ7PLMXW2VBN5R"
	ghp        = "ghp_" + "x7Kd92mQpLzRt4VbNc8YwJhGfS1aEu3oXi5T"
	ownKeyText = func() string {
		body := "rvk_0123456789ab_" + strings.Repeat("Zq4", 10) + "xy"
		return body + crcText(body)
	}()
)

// crcText is the check of a key, as those who mint them write it.
func crcText(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var out [6]byte
	for i := 5; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

func request(t *testing.T, p *Plan, body string) (string, []Found) {
	t.Helper()
	out, found, err := p.Request([]byte(body))
	if err != nil {
		t.Fatalf("%.200s: %v", body, err)
	}
	return string(out), found
}

func TestActions(t *testing.T) {
	t.Parallel()
	body := `{"messages":[{"role":"user","content":"my key is ` + awsKey + ` and mail jo@example.org"}]}`
	for _, c := range []struct {
		name    string
		rules   []client.ContentRule
		out     string
		found   string
		refused string
	}{
		{"no rule", nil, body, "", ""},
		{"flag", []client.ContentRule{on("flag", "secret")}, body, "secret.aws-access-token flag", ""},
		{"store", []client.ContentRule{on("redact_store", "pii")}, body, "pii.email redact_store", ""},
		{"redact", []client.ContentRule{on("redact", "secret")}, strings.Replace(body, awsKey, "[redacted:secret.aws-access-token]", 1), "secret.aws-access-token redact", ""},
		{"block", []client.ContentRule{on("block", "secret")}, "", "", "content.blocked"},
		{
			"the strictest counts",
			[]client.ContentRule{on("flag", "pii"), on("redact", "pii.email")},
			strings.Replace(body, "jo@example.org", "[redacted:pii.email]", 1), "pii.email redact", "",
		},
	} {
		p := rules(t, c.rules...).For("bot", "core", "production")
		out, found, err := p.Request([]byte(body))
		if code(err) != c.refused {
			t.Errorf("%s: %v, want %q", c.name, err, c.refused)
			continue
		}
		var texts []string
		for _, f := range found {
			texts = append(texts, f.Class+" "+f.Action.String())
		}
		if err == nil && (string(out) != c.out || strings.Join(texts, ",") != c.found) {
			t.Errorf("%s: %s\n%q, want %s\n%q", c.name, out, texts, c.out, c.found)
		}
		if err != nil && strings.Contains(err.Error(), awsKey) {
			t.Errorf("%s: the refusal shows the secret: %v", c.name, err)
		}
	}
	p := rules(t, on("redact_store", "pii.email")).For("bot", "core", "production")
	if got := p.Stored("to jo@example.org", false); got != "to [redacted:pii.email]" {
		t.Errorf("stored %q", got)
	}
}

func TestWhoseRules(t *testing.T) {
	t.Parallel()
	s := rules(t,
		client.ContentRule{Name: "a", Action: "block", Classes: []string{"pii.email"}, Agent: "bot"},
		client.ContentRule{Name: "t", Action: "block", Pattern: `TCK-[0-9]{4}`, Team: "core", Direction: "answer"},
		client.ContentRule{Name: "e", Action: "block", Classes: []string{"pii.ip"}, Environment: "production", Direction: "request"},
	)
	for _, c := range []struct {
		agent, team, env, body string
		request, answer        bool // refused
	}{
		{"bot", "x", "test", "jo@example.org", true, true},
		{"other", "x", "test", "jo@example.org", false, false},
		{"other", "core", "test", "see TCK-1234.", false, true},
		{"other", "x", "test", "see TCK-1234.", false, false},
		{"other", "x", "production", "from 203.0.114.7", true, false},
	} {
		p := s.For(c.agent, c.team, c.env)
		_, _, err := p.Request([]byte(c.body))
		if (code(err) == "content.blocked") != c.request {
			t.Errorf("%+v: request %v", c, err)
		}
		st := p.Stream()
		_, err = st.Next([]byte(c.body))
		if err == nil {
			_, _, err = st.End()
		}
		if (code(err) == "content.blocked") != c.answer {
			t.Errorf("%+v: answer %v", c, err)
		}
	}
	if first, second := s.For("other", "x", "test"), s.For("other", "x", "test"); first != second {
		t.Error("a plan is made anew for each call")
	}
}

// What hides from a plain search does not hide from the view, and what is
// redacted leaves valid JSON behind.
func TestJSON(t *testing.T) {
	t.Parallel()
	p := rules(t, on("redact", "secret", "pii")).For("bot", "core", "production")
	escaped := ""
	for _, c := range awsKey {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	inner, _ := json.Marshal(map[string]string{"key": awsKey, "mail": "jo@example.org"})
	nested, _ := json.Marshal(map[string]any{"arguments": string(inner)})
	twice, _ := json.Marshal(map[string]any{"a": `{"key":"` + escaped + `"}`})
	for name, body := range map[string]string{
		"plain":            `{"a":"` + awsKey + `"}`,
		"escaped":          `{"a":"` + escaped + `"}`,
		"in a key":         `{"` + awsKey + `":1}`,
		"in nested JSON":   string(nested),
		"escaped in there": string(twice),
		"card as number":   `{"card":4111111111111111,"n":-1.5e3}`,
		"card as text":     `{"card":"4111 1111 1111 1111"}`,
		"quote in a value": `{"a":"x\"` + awsKey + `\"y"}`,
		"slashes":          `{"a":"C:\\dir\\` + awsKey + `"}`,
		"name and value":   `{"api_key":"q8Zr2LxV0pNs7Tb4Kd1Wm6Yc"}`,
		"array":            `["jo@example.org","` + ghp + `"]`,
	} {
		out, found := request(t, p, body)
		if len(found) == 0 {
			t.Errorf("%s: nothing found in %s", name, body)
		}
		if !json.Valid([]byte(out)) {
			t.Errorf("%s: no longer JSON: %s", name, out)
		}
		var view any
		if err := json.Unmarshal([]byte(out), &view); err == nil {
			text := fmt.Sprint(view)
			for _, secret := range []string{awsKey, escaped, ghp, "4111 1111", "jo@example.org", "q8Zr2LxV0"} {
				if strings.Contains(text, secret) || strings.Contains(out, secret) {
					t.Errorf("%s: still there: %s", name, out)
				}
			}
		}
	}
	// A form is not JSON, and its escapes hide nothing either.
	if out, found := request(t, p, "q=1&mail=jo%40example.org"); len(found) != 1 || strings.Contains(out, "jo%40") {
		t.Errorf("form: %s %v", out, found)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	strict := rules(t, on("redact", "secret")).For("bot", "core", "production")
	lax := rules(t, on("flag", "secret")).For("bot", "core", "production")
	for name, body := range map[string]string{"gzip": "\x1f\x8b\x08abc", "zstd": "\x28\xb5\x2f\xfdabc", "zip": "PK\x03\x04abc", "UTF-16": "a\x00b\x00"} {
		if _, _, err := strict.Request([]byte(body)); code(err) != "content.unreadable" {
			t.Errorf("%s: %v, want content.unreadable", name, err)
		}
		if out, _, err := lax.Request([]byte(body)); err != nil || string(out) != body {
			t.Errorf("%s where nothing must be read: %v", name, err)
		}
	}
	if err := strict.Encoded("gzip", true); code(err) != "content.unreadable" {
		t.Errorf("compressed answer: %v", err)
	}
	if err := lax.Encoded("gzip", false); err != nil {
		t.Errorf("compressed where nothing must be read: %v", err)
	}
}

// Our own keys are found without any rule, and are told to be killed.
func TestEachOwnKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                    0,
		"v":                   0,
		"rv":                  0,
		"rvk_":                0,
		"vk_" + ownKeyText:    1,
		ownKeyText:            1,
		"server vk_ rv_ drvk": 0,
		ownKeyText[:50]:       0,
		"rvk_" + ownKeyText + ownKeyText + `","x":"` + ownKeyText: 3,
		ownKeyText[:30] + "x" + ownKeyText[31:]:                   0,
	} {
		n := 0
		EachOwnKey([]byte(text), func(key string) {
			if n++; key != ownKeyText {
				t.Errorf("%q: told of %q", text, key)
			}
		})
		if n != want {
			t.Errorf("%q: %d keys, want %d", text, n, want)
		}
	}
}

func TestOwnKeys(t *testing.T) {
	t.Parallel()
	var dead []string
	s := rules(t)
	s.leaked = func(k string) { dead = append(dead, k) }
	p := s.For("bot", "core", "production")
	escaped := ""
	for _, c := range ownKeyText {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	for _, body := range []string{"key " + ownKeyText + ".", `{"a":"` + escaped + `"}`} {
		dead = nil
		out, found := request(t, p, body)
		if out != body || len(found) != 1 || found[0].Class != OwnKeys || !slices.Equal(dead, []string{ownKeyText}) {
			t.Errorf("%s: %s %v, killed %q", body, out, found, dead)
		}
	}
	wrong := []byte("key " + ownKeyText + ".")
	wrong[20]++ // the check fails: it never was a key
	dead = nil
	if _, found := request(t, p, string(wrong)); len(found)+len(dead) > 0 {
		t.Errorf("a text that only looks like a key: %v %v", found, dead)
	}
	dead = nil
	st := p.Stream()
	for _, c := range []byte("it is " + ownKeyText + " ok") {
		out, err := st.Next([]byte{c})
		if err != nil || len(out) != 1 {
			t.Fatalf("held back: %q %v", out, err)
		}
	}
	if _, found, err := st.End(); err != nil || len(found) != 1 || len(dead) != 1 {
		t.Errorf("in a stream: %v, killed %q, %v", found, dead, err)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	s := rules(t, on("redact", "secret", "pii"))
	p := s.For("bot", "core", "production")
	var messages []string
	for turn := range 6 {
		messages = append(messages, fmt.Sprintf(`{"role":"user","content":"turn %d %s jo%d@example.org"}`, turn, strings.Repeat("word ", 200), turn))
		body := `{"model":"m","messages":[` + strings.Join(messages, ",") + `]}`
		before := len(s.memory.young)
		out, found := request(t, p, body)
		if strings.Contains(out, "@example") || len(found) != 1 || found[0].Count != turn+1 || !json.Valid([]byte(out)) {
			t.Fatalf("turn %d: %v %s", turn, found, out)
		}
		// The turn before ends with a bracket now closed elsewhere: at most the
		// newest two segments are new.
		if fresh := len(s.memory.young) - before; fresh > 2 {
			t.Errorf("turn %d: %d messages scanned anew", turn, fresh)
		}
	}
}

func TestRedacting(t *testing.T) {
	t.Parallel()
	s := rules(t)
	p, err := s.Redacting("bot", "core", "production", []string{"pii.payment"})
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := request(t, p, "pay with 4111-1111-1111-1111 now"); out != "pay with [redacted:pii.payment.card] now" {
		t.Errorf("got %q", out)
	}
	// What relays forward is read as JSON is, in prose around it too.
	mails, err := s.Redacting("bot", "core", "production", []string{"pii.email"})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"mail":"jo\u0040example.org"}`:              `{"mail":"[redacted:pii.email]"}`,
		`said: {"mail":"jo\u0040example.org"} ok`:     `said: {"mail":"[redacted:pii.email]"} ok`,
		`{"a":"{\"mail\":\"jo\\u0040example.org\"}"}`: `{"a":"{\"mail\":\"[redacted:pii.email]\"}"}`,
	} {
		if got := mails.Stored(mails.Stored(in, false), true); got != want {
			t.Errorf("%s is forwarded as %s, want %s", in, got, want)
		}
	}
	if _, err := s.Redacting("bot", "core", "production", []string{"pii.shoe_size"}); code(err) != "content.class" {
		t.Errorf("a class that nothing finds: %v", err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := New(t.Context(), Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	who := Actor{Person: "per_1"}
	p := s.For("bot", "core", "production")
	r, err := s.Put(t.Context(), who, client.ContentRule{Name: "tickets", Pattern: `TCK-\d{4,8}`, Action: "redact", Reason: "not for models"})
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := request(t, p, "TCK-12345"); out != "TCK-12345" {
		t.Error("a plan that was handed out changed")
	}
	if out, _ := request(t, s.For("bot", "core", "production"), "see TCK-12345 "); out != "see [redacted:custom.tickets] " {
		t.Errorf("the new rule is not in force: %q", out)
	}
	if _, err := s.Put(t.Context(), who, r); err != nil {
		t.Error("replacing what was read:", err)
	}
	if _, err := s.Put(t.Context(), who, r); code(err) != "content.revision" {
		t.Errorf("an older revision: %v", err)
	}
	if again, err := New(t.Context(), Options{DB: db}); err != nil || len(again.List()) != 1 {
		t.Errorf("after a restart: %v %v", again, err)
	}
	good := client.ContentRule{Name: "x", Classes: []string{"secret"}, Action: "flag", Reason: "r"}
	for name, change := range map[string]func(*client.ContentRule){
		"content.invalid/name":       func(r *client.ContentRule) { r.Name = "X" },
		"content.invalid/action":     func(r *client.ContentRule) { r.Action = "delete" },
		"content.invalid/direction":  func(r *client.ContentRule) { r.Direction = "up" },
		"content.invalid/nothing":    func(r *client.ContentRule) { r.Classes = nil },
		"content.invalid/class":      func(r *client.ContentRule) { r.Classes = []string{"secret", "pii.shoe"} },
		"content.invalid/no reason":  func(r *client.ContentRule) { r.Reason = " " },
		"content.pattern/unreadable": func(r *client.ContentRule) { r.Pattern = "(" },
		"content.pattern/unbounded":  func(r *client.ContentRule) { r.Pattern = "a+" },
		"content.pattern/empty":      func(r *client.ContentRule) { r.Pattern = "a?" },
		"content.pattern/long":       func(r *client.ContentRule) { r.Pattern = strings.Repeat("a", 501) },
		"content.not_found/made":     func(r *client.ContentRule) { r.Revision = 4 },
	} {
		r := good
		change(&r)
		want, _, _ := strings.Cut(name, "/")
		if _, err := s.Put(t.Context(), who, r); code(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Put(t.Context(), who, client.ContentRule{Name: "uses", Classes: []string{"custom.tickets"}, Action: "block", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), who, "tickets"); code(err) != "content.invalid" {
		t.Errorf("deleting a pattern that another rule names: %v", err)
	}
	if err := s.Delete(t.Context(), who, "uses"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), who, "tickets"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), who, "tickets"); code(err) != "content.not_found" {
		t.Errorf("deleted twice: %v", err)
	}
	tried, err := s.Try(client.TryContentRequest{Text: "mail jo@example.org", All: true})
	if err != nil || len(tried.Found) != 1 || tried.Found[0].Class != "pii.email" || tried.Found[0].Start != 5 || tried.Forwarded != "mail jo@example.org" {
		t.Errorf("tried: %+v %v", tried, err)
	}
}
