package jcs

import (
	"strings"
	"testing"
)

// TestAppend holds the form of RFC 8785 by its own examples.
func TestAppend(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`: "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
		`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`:                                                                                         "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":1,\"\U0001f600\":5,\"\ufb33\":3}",
		` [ 1 , -0 , 0.0 , 1e21 , 1e-7 , 123456789012345680000 ] `:                                                                                                            `[1,0,0,1e+21,1e-7,123456789012345680000]`,
	} {
		got, err := (Form{}).Append(nil, []byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	for _, in := range []string{``, `{`, `{"a":1,"a":1}`, `{"a":1} 2`, `{"a":1,"\u0061":2}`, `1e999`, "\"\xff\"", `{"a":01}`, nested(Depth + 1)} {
		if got, err := (Form{}).Append(nil, []byte(in)); err == nil {
			t.Errorf("%q is canonical as %s", in, got)
		}
	}
	if _, err := (Form{}).Append(nil, []byte(nested(Depth))); err != nil {
		t.Error(err)
	}
	if _, err := (Form{Depth: 1}).Append(nil, []byte(nested(2))); err == nil {
		t.Error("deeper than the form allows")
	}
	// Numbers that a double would change stay apart.
	for in, want := range map[string]string{`9007199254740993`: `9007199254740993`, `1e400`: `1e400`, `0.10000000000000001`: `0.10000000000000001`, `1.50`: `1.5`, `0e999`: `0`} {
		if got, err := (Form{Exact: true}).Append(nil, []byte(in)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func nested(deep int) string { return strings.Repeat("[", deep) + "1" + strings.Repeat("]", deep) }

func FuzzAppend(f *testing.F) {
	f.Add(`{"a":[1,2.5,{"b":"\u00e9"}],"c":null}`, false)
	f.Add(`[1e400,-0.0,123456789012345678,"\ud800"]`, true)
	f.Fuzz(func(t *testing.T, text string, exact bool) {
		form := Form{Exact: exact}
		once, err := form.Append(nil, []byte(text))
		if err != nil {
			return
		}
		if twice, err := form.Append(nil, once); err != nil || string(twice) != string(once) {
			t.Errorf("%q becomes %q, then %q, %v", text, once, twice, err)
		}
	})
}
