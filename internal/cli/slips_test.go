package cli

import (
	"maps"
	"slices"
	"testing"
)

func TestAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"refund_policy", "refund-policy", true},
		{"db.public.refund_policy", "refundpolicy", true},
		{"handbook", "handbok", true},
		{"orders", "handbook", false},
		{"a", "b", false},
		{"", "x", false},
		{"customers", "costumers", false},
		{"prices.eu", "Prices_EU", true},
	} {
		if got := alike(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// What was said of a tool stays where nothing is given.
func TestPathsOf(t *testing.T) {
	t.Parallel()
	before := []string{"/to"}
	for _, c := range []struct{ given, want []string }{{nil, before}, {[]string{"/cc", "/bcc"}, []string{"/cc", "/bcc"}}, {[]string{""}, nil}} {
		if got := pathsOf(c.given, before); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.given, got, c.want)
		}
	}
}

func TestLabelled(t *testing.T) {
	t.Parallel()
	old := map[string]string{"tier": "1", "site": "north"}
	got, err := labelled(old, []string{"tier=2", "site=", "a=b=c"})
	if want := map[string]string{"tier": "2", "a": "b=c"}; err != nil || !maps.Equal(got, want) || len(old) != 2 {
		t.Errorf("%v %v", got, err)
	}
	if got, err := labelled(old, nil); got != nil || err != nil {
		t.Errorf("nothing to change: %v %v", got, err)
	}
	if got, err := labelled(map[string]string{"a": "1"}, []string{"a="}); got == nil || len(got) != 0 || err != nil {
		t.Errorf("the last one: %v %v", got, err)
	}
	for _, bad := range []string{"tier", "=x", ""} {
		if _, err := labelled(old, []string{bad}); err == nil {
			t.Errorf("%q is a label", bad)
		}
	}
}
