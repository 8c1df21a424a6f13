package search

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
)

func TestParse(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, want string }{
		{"", ""},
		{"  ", ""},
		{"agent:refund-agent", "agent:refund-agent"},
		{"agent=refund-agent", "agent:refund-agent"},
		{"Env:production", "environment:production"},
		{"agent:a cost>0.10 any(kind:tool status:error name:lookup_order)", "agent:a cost>0.10 any(kind:tool status:error name:lookup_order)"},
		{"a or b c", `"a" or "b" "c"`},
		{"(a or b) c", `("a" or "b") "c"`},
		{"a AND b and (c d)", `"a" "b" "c" "d"`},
		{"not a -b -(c or d) --e", `-"a" -"b" -("c" or "d") "e"`},
		{`"refund not possible"`, `"refund not possible"`},
		{`status:done,stale`, `status:done,stale`},
		{`name:"two words",x`, `name:"two words",x`},
		{`agent:ref*`, `agent:ref*`},
		{`agent:"ref*"`, `agent:"ref*"`},
		{`agent:*`, `agent!=unknown`},
		{`cost!=*`, `cost:unknown`},
		{`outcome:unknown`, `outcome:unknown`},
		{`name:"unknown"`, `name:"unknown"`},
		{`name:a\b`, `name:a\b`},
		{`label.tier:gold label."a b":c`, `label.tier:gold label."a b":c`},
		{"any(attr.http.route:/x attr.n>5)", "any(attr.http.route:/x attr.n>5)"},
		{"any(kind:tool child(status:error) parent(kind:agent))", "any(kind:tool child(status:error) parent(kind:agent))"},
		{"all(kind:model or kind:tool)", "all(kind:model or kind:tool)"},
		{"duration>1h30m tokens>=10k started>-2h", "duration>1h30m tokens>=10k started>-2h"},
		{`"or" x`, `"or" "x"`},
		{"user~ada", "user~ada"},
		{"3>2", `"3>2"`},
		{"order 4711 überall", `"order" "4711" "überall"`},
	}
	for _, c := range cases {
		e, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := e.String(); got != c.want {
			t.Errorf("Parse(%q).String() = %q, want %q", c.in, got, c.want)
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Errorf("Parse(%q) of what String wrote: %v", e, err)
		} else if d := cmp.Diff(e, again); d != "" {
			t.Errorf("Parse(%q) differs after String:\n%s", c.in, d)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in     string
		offset int
		want   string // part of the message
	}{
		{"agnt:x", 0, "unknown field agnt at 1: did you mean agent?"},
		{"a agnet:x", 2, "did you mean agent?"},
		{"http://x", 0, "quote it"},
		{"kind:tool", 0, "write any(kind:...)"},
		{"any(partial:true)", 4, "outside of any"},
		{"status:eror", 7, "expected one of running"},
		{"any(status:eror)", 11, "did you mean error?"},
		{"cost>lots", 5, `"lots" is no value of cost at 6, expected an amount like 0.10`},
		{"cost~5", 0, "cannot be compared with ~"},
		{"duration>2parsecs", 9, "expected a duration"},
		{"started:2026-01-01", 8, "started is a time"},
		{"started>yesterday", 8, "expected a time"},
		{"agent:", 6, "a value is missing"},
		{"agent:a,", 8, "a value is missing"},
		{"cost>1,2", 6, "one value"},
		{"(a", 0, "never closed"},
		{"a)", 1, "nothing is open"},
		{`"a`, 0, "never closed"},
		{"a or", 4, "ends too early"},
		{"or a", 0, "stands alone"},
		{"- a", 1, "a minus stands alone"},
		{"any(any(kind:tool))", 4, "cannot stand here"},
		{"child(kind:tool)", 0, "write any(child(...))"},
		{"some(kind:tool)", 0, "unknown function some"},
		{"any()", 4, "unexpected )"},
		{`""`, 2, "empty"},
		{"cost>unknown", 5, "unknown goes with"},
		{"status:run*", 7, "a star at the end"},
		{"\xff", 0, "UTF-8"},
		{strings.Repeat("a ", 2049), MaxLength, "at most 4096 bytes"},
		{strings.Repeat("(", 33) + "a", 32, "at most 32 deep"},
		{strings.Repeat("a ", 33), 65, "at most 32 phrases"},
		{strings.Repeat("agent:a or ", 200) + "agent:a", 2200, "at most 200 conditions"},
		{"steps:" + strings.TrimSuffix(strings.Repeat("1,", 1001), ","), 2007, "at most 1000 values"},
		{"any(attr.x>abc)", 11, "compares numbers"},
		{"run.mode:test", 0, "of a run it is mode:..."},
		{"any(run.mode:test)", 4, "somebody looks at"},
	}
	for _, c := range cases {
		_, err := Parse(c.in)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("Parse(%.40q) = %v, want a *SyntaxError", c.in, err)
			continue
		}
		if se.Offset != c.offset || !strings.Contains(se.Error(), c.want) {
			t.Errorf("Parse(%.40q):\n got %d %s\nwant %d ...%s...", c.in, se.Offset, se, c.offset, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		in   string
		want Value
	}{
		{"duration>2s", Value{Text: "2s", Number: 2000, Numeric: true}},
		{"duration>1h30m", Value{Text: "1h30m", Number: 5400e3, Numeric: true}},
		{"duration>250", Value{Text: "250", Number: 250, Numeric: true}},
		{"tokens>10k", Value{Text: "10k", Number: 10000, Numeric: true}},
		{"cost>$0.10", Value{Text: "$0.10", Number: 0.1, Numeric: true}},
		{"started>-2h", Value{Text: "-2h", Time: now.Add(-2 * time.Hour).UnixNano()}},
		{"started<2026-02-01", Value{Text: "2026-02-01", Time: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).UnixNano()}},
		{"failed:yes", Value{Text: "yes", Bool: true}},
		{"agent:a*", Value{Text: "a", Prefix: true}},
		{`agent:"a*"`, Value{Text: "a*"}},
		{`agent:"unknown"`, Value{Text: "unknown"}},
		{"agent:unknown", Value{Unknown: true}},
	}
	for _, c := range cases {
		e, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		got, err := e.(*Cmp).Read(ScopeRun, 0, now)
		if err != nil {
			t.Errorf("Read(%q): %v", c.in, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("value of %q (-want +got):\n%s", c.in, d)
		}
	}
}

func TestFieldsHaveData(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range fields {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			key := f.Scope.String() + " " + n
			if seen[key] {
				t.Errorf("%s stands twice in the table", key)
			}
			seen[key] = true
		}
		if f.Help == "" || f.Name != strings.ToLower(f.Name) {
			t.Errorf("%s: needs help and a lower-case name", f.Name)
		}
		switch f.Scope {
		case ScopeRun:
			if (runData[f.Name] == nil) != f.Asked {
				t.Errorf("run field %s has no accessor", f.Name)
			}
		case ScopeStep:
			if (stepData[f.Name] == nil) != f.Asked {
				t.Errorf("step field %s has no accessor", f.Name)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	id := func(n byte) activity.StepID { return activity.StepID{n} }
	attrs := []byte{0x0a, 0x0b, 0x0a, 0x05, 'r', 'o', 'u', 't', 'e', 0x12, 0x02, 0x18, 0x07} // route = 7
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	start := now.Add(-time.Hour).UnixNano()
	run := &activity.Run{
		Agent: "refund-agent", Status: activity.RunDone, Start: start, End: start + 3e9, Steps: 3, Errors: 1,
		Usage: activity.Usage{InputTotal: 900, OutputTotal: 200, CacheRead: activity.Unknown, CacheWrite: activity.Unknown, Reasoning: activity.Unknown},
		Cost:  activity.Cost{Nanos: 150_000_000, Basis: activity.CostBook}, Tools: []string{"lookup_order", "refund"},
		Labels: []activity.Label{{Key: "tier", Value: "gold"}, {Key: "size", Value: "12"}}, Flags: activity.FlagClockSkew,
	}
	steps := []activity.Step{
		{Fragment: activity.Fragment{Step: id(1), Kind: activity.KindAgent, Name: "root", Status: activity.StatusOK, Start: start, End: start + 3e9}},
		{Fragment: activity.Fragment{Step: id(2), Parent: id(1), Kind: activity.KindModel, Name: "chat", Status: activity.StatusOK, Attributes: attrs, Start: start, End: start + 1e9}},
		{Fragment: activity.Fragment{Step: id(3), Parent: id(2), Kind: activity.KindTool, Name: "lookup_order", ToolName: "lookup_order", Status: activity.StatusError, StatusMessage: "order 4711 not found", Start: start, End: activity.Unknown}},
	}
	cases := []struct {
		in   string
		want bool
	}{
		{"", true},
		{"agent:refund-agent", true},
		{"agent:ref*", true},
		{"agent:x,refund-agent", true},
		{"agent!=x,y", true},
		{"agent~REFUND", true},
		{"team:unknown", true},
		{"-team:core", true},
		{"cost>0.10 cost<0.2", true},
		{"cost>0.2", false},
		{"tokens:1100", true},
		{"cache_read_tokens>=0", false},
		{"-cache_read_tokens>=0", true},
		{"cache_read_tokens:unknown", true},
		{"duration>2s duration<=3s", true},
		{"started>-2h", true},
		{"started>-30m", false},
		{"tool:refund tool!=search", true},
		{"tool!=refund", false},
		{"label.tier:gold", true},
		{"label.size>10", true},
		{"label.none:unknown", true},
		{"flag:clock_skew", true},
		{"outcome:unknown", true},
		{"outcome:*", false},
		{"any(kind:tool status:error)", true},
		{"any(kind:model status:error)", false},
		{"any(attr.route:7)", true},
		{"any(attr.route>6)", true},
		{"any(attr.other:unknown)", true},
		{"all(name:*)", true},
		{"all(status:ok)", false},
		{"any(kind:model child(kind:tool status:error))", true},
		{"any(kind:tool parent(kind:model))", true},
		{"any(kind:agent parent(kind:model))", false},
		{"any(duration:unknown)", true},
		{`"4711 NOT found"`, true},
		{"4712", false},
		{"4712 or refund", true},
		{"-(4712 or refund)", false},
	}
	for _, c := range cases {
		e, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		got, err := MatchAt(e, now, run, func() []activity.Step { return steps })
		if err != nil || got != c.want {
			t.Errorf("Match(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	known := func(_ Scope, field string) []string {
		if field == "agent" {
			return []string{"refund-agent", "research agent"}
		}
		return nil
	}
	cases := []struct {
		in   string // the cursor is at |
		want []string
	}{
		{"sta|", []string{"status:", "started>"}},
		{"agent:re|", []string{"refund-agent", `"research agent"`}},
		{"-status:do|", []string{"done"}},
		{"status:done,st|", []string{"stale"}},
		{"any(kind:to|", []string{"tool"}},
		{"any(chi|) x", []string{"child("}},
		{"any(kind:tool) an|", []string{"any("}},
		{"failed:|", []string{"true", "false", "unknown"}},
		{"env|", []string{"environment:"}},
		{"nosuch:|", nil},
	}
	for _, c := range cases {
		cursor := strings.IndexByte(c.in, '|')
		var got []string
		for _, s := range Complete(strings.Replace(c.in, "|", "", 1), cursor, known) {
			got = append(got, s.Text)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("Complete(%q) (-want +got):\n%s", c.in, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a or b -c", `agent:refund-agent cost>0.10 any(kind:tool status:error name:"x y")`, `label."a b":c*`, "started>-2h",
		"any(child(a) parent(-b))", `"\"`, "name:\\*", "((((a))))", "agent:*", "x:y,z", "attr.a:1",
	} {
		f.Add(s, len(s))
	}
	now := time.Unix(1_700_000_000, 0)
	run := &activity.Run{Agent: "a"}
	steps := []activity.Step{{Fragment: activity.Fragment{Step: activity.StepID{1}, Name: "a"}}}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		_ = Complete(text, cursor, nil)
		for _, scope := range []Scope{ScopeRun, ScopeStep, ScopeMessage, ScopeLog, ScopeDecision} {
			e, err := ParseIn(scope, text)
			if err != nil {
				var se *SyntaxError
				if !errors.As(err, &se) || se.Offset < 0 || se.Offset > len(text) {
					t.Fatalf("Parse(%q): %#v", text, err)
				}
				continue
			}
			if len(e.String()) <= MaxLength {
				again, err := ParseIn(scope, e.String())
				if err != nil {
					t.Fatalf("Parse(%q) of %q: %v", e.String(), text, err)
				}
				if d := cmp.Diff(e, again); d != "" {
					t.Fatalf("%q became %q:\n%s", text, e.String(), d)
				}
			}
			if scope == ScopeRun {
				if _, err := MatchAt(e, now, run, func() []activity.Step { return steps }); err != nil {
					t.Fatalf("Match(%q): %v", text, err)
				}
			}
		}
	})
}
