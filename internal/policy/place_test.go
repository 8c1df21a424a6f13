package policy

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"reeve/internal/fault"
)

// Each text has ▸ where the complaint should point; it is taken out before.
func TestPlaces(t *testing.T) {
	t.Parallel()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	tool := `permit (principal, action == Action::"call_tool", resource) `
	for _, x := range []struct{ text, want string }{
		{tool + `when { resource.▸colour == "red" };`, "colour"},
		{tool + "when {\n  // é comment with resource.colour\n  context.bound &&\n  resource.▸colour == \"red\" };", "colour"},
		{`permit (principal, action == ▸Action::"call_toll", resource);`, "call_toll"},
		{`permit (principal, action, resource) when { context.▸depth > 1 };`, "name the actions that are meant"},
		{tool + `when { context has user } when { context has user && context.user.▸age > 1 };`, "age"},
		{tool + `when { context has user && (context.bound || ▸context.user in context.depth) };`, "unexpected type"},
		{tool + `when { context.▸user in Team::"a" };`, "optional attribute"},
		{tool + `when { !(context has user) || context.▸user in Team::"a" };`, "optional attribute"},
		{tool + `when { true } unless { ▸context.depth + ("x") > 2 };`, "unexpected type"},
		{tool + `when { if context.bound then context.depth < 3 else context.▸height < 3 };`, "height"},
		{tool + `when { [1, 2, context.▸height].isEmpty() };`, "height"},
		{tool + `when { context.args.number.hasTag("/a") && ▸context.args.number.getTag("/a").lessThan(5) };`, "unexpected type"},
		{tool + `when { context.args.number.▸getTag("/a").lessThan(decimal("1.0")) };`, ""},
		{tool + `when { context[▸"colour"] == 3 };`, "colour"},
		{tool + `when { context has model.endpoint && context.model.endpoint == "chat" && context.▸colour };`, "colour"},
		{tool + `when { ▸[].isEmpty() };`, "empty set"},
		{tool + `when { principal.kind like "int*" && ▸-principal.kind == 3 };`, "unexpected type"},
		{tool + `when { resource.effect == ▸Effect::"raed" };`, "raed"},
		{tool + `when { context.bound && ▸Colour::"red" in Team::"x" };`, "Colour"},
		{tool + `when { context.depth > }▸;`, "cannot be read"},
		{tool + `when { decimal(▸"x").lessThan(decimal("1.0")) };`, ""},
		{tool + `; ` + tool + "when { true };\n" + tool + `when { principal.▸nope };`, "nope"},
		{tool + `when { ` + strings.Repeat("(", 63) + "▸" + strings.Repeat("(", 2) + "true" + strings.Repeat(")", 65) + ` };`, "brackets"},
		{"▸" + tool + `when { "` + strings.Repeat("x", maxStatement) + `" == "" };`, "bytes"},
		{strings.Repeat(`permit (principal, action, resource);`, maxStatements) + "▸permit (principal, action, resource);", "statements"},
	} {
		at := strings.Index(x.text, "▸")
		text := strings.Replace(x.text, "▸", "", 1)
		line, column := placeOf(text, at)
		_, err := c.Compile(Document{Name: "p", Cedar: text})
		var got *SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%.300s\n gave %v", text, err)
			continue
		}
		if x.want == "" { // somewhere in the line is enough: what is to blame can be seen in two ways
			column = got.Column
		}
		if got.Line != line || got.Column != column || !strings.Contains(got.Text, x.want) || strings.Contains(got.Text, "\n") {
			t.Errorf("%.300s\n gave %d:%d %s, want %d:%d %s", text, got.Line, got.Column, got.Text, line, column, x.want)
		}
	}
}

// An attribute that is not there is found wherever it stands in a random
// statement.
func TestPlacesOfRandomStatements(t *testing.T) {
	t.Parallel()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(11, 12))
	w := &writer{rnd: rnd}
	tried := 0
	for range 1500 {
		text := w.statement("x", false)
		if _, err := c.Compile(Document{Name: "p", Cedar: text}); err != nil {
			continue
		}
		// Put the wrong attribute in place of one of those that are there.
		of := w.pick("context.bound", "context.depth", "context.findings", "principal.kind", "context.args.names", "context.hour")
		at := strings.LastIndex(text, of)
		if at < 0 {
			continue
		}
		name := at + strings.LastIndex(of, ".") + 1
		wrong := text[:name] + "wrong" + text[at+len(of):]
		_, err := c.Compile(Document{Name: "p", Cedar: wrong})
		if err == nil {
			continue // on a way that is never taken, which the validator skips
		}
		tried++
		_, column := placeOf(wrong, name)
		var got *SyntaxError
		if !errors.As(err, &got) || got.Column != column {
			t.Errorf("%s\n gave %v, want column %d", wrong, err, column)
		}
	}
	if tried < 30 {
		t.Errorf("%d tried", tried)
	}
}

// Text that costs much is refused, or understood, in bounded time.
func TestCompileIsBounded(t *testing.T) {
	t.Parallel()
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	rep := strings.Repeat
	for name, body := range map[string]string{
		"nested":     rep("(", 100_000) + "true" + rep(")", 100_000),
		"sets":       rep("[", 60_000) + rep("]", 60_000) + ".isEmpty()",
		"not":        rep("!", 8000) + "true",
		"minus":      "1 == " + rep("-", 8000) + "1",
		"and":        "context.bound" + rep(" && context.bound", 480),
		"and, wrong": "context.bund" + rep(" && context.bound", 450),
		"or, wrong":  rep("context.bound || ", 400) + "context.bund",
		"if":         rep("if true then true else ", 340) + "true",
		"dots":       "context" + rep(".a", 4000),
		"records":    rep("{a:", 60) + "1" + rep("}", 60) + " == 1",
		"has":        rep("(context has user && ", 60) + "context.nope" + rep(")", 60),
		"strings":    rep(`"a" == `, 1000),
		"comment":    rep("// (((((((((\n", 10_000) + "true",
		"unclosed":   `"` + rep(`\`, 8000),
		"sum, wrong": "1" + rep(" + 1", 1900) + " + context.nope > 0",
	} {
		for _, scope := range []string{"(principal, action, resource)", `(principal, action == Action::"call_tool", resource)`} {
			start := time.Now()
			_, err := c.Compile(Document{Name: "x", Cedar: "permit " + scope + " when { " + body + " };"})
			if took := time.Since(start); took > 2*time.Second && !raced {
				t.Errorf("%s: %v", name, took)
			} else {
				t.Logf("%s: %v", name, took)
			}
			if err != nil && !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
