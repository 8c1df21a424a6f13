package hijack

import (
	"fmt"
	"strings"
	"testing"
)

var (
	usual  = Call{"send_mail", []Destination{{Path: "to", Kind: "email", By: User, First: true}}}
	listed = Call{"send_mail", []Destination{{Path: "to", Kind: "email", By: Tool, From: "contacts"}}}
	rogue  = Call{"send_mail", []Destination{{Path: "to", Kind: "email", By: Tool, From: "read_page", First: true, Injected: true}}}
	madeUp = Call{"send_mail", []Destination{{Path: "to", Kind: "email", By: Model, First: true}}}
	lost   = Call{"send_mail", []Destination{{Path: "to", Kind: "email", By: Model, Lost: true, First: true, Injected: true}}}
)

func TestScores(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	for range 40 {
		w.Learn(usual)
		w.Learn(listed)
	}
	score := func(c Call) Verdict { return w.Look(&Run{}, c) }
	for name, c := range map[string]struct {
		call  Call
		alarm bool
	}{
		"the user named it": {usual, false}, "the usual list": {listed, false}, "a page named it": {rogue, true},
		"the model made it up": {madeUp, false}, "forgotten": {lost, true}, "nothing is sent": {Call{Tool: "read"}, false},
	} {
		if v := score(c.call); v.Alarm != c.alarm || v.Alarm && !strings.Contains(v.Reason, "never sent") {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if a, b, c := score(usual).Score, score(madeUp).Score, score(rogue).Score; !(a < b && b < c) {
		t.Errorf("user %v, model %v, page %v", a, b, c)
	}
	// A page that people let through again and again becomes a usual way; what is
	// new on it is still a little above nothing.
	before := score(rogue).Score
	for range 60 {
		w.Learn(rogue)
	}
	if v := score(rogue); v.Score >= before || v.Score < 2 {
		t.Errorf("%v, then %+v", before, v)
	}
}

func TestRunOnlyGrows(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	var r Run
	last := 0.0
	for _, c := range []Call{usual, rogue, usual, listed} {
		v := w.Look(&r, c)
		if v.Run < last || v.Run < v.Score {
			t.Errorf("%+v after %v", v, last)
		}
		last = v.Run
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	w := New(Options{Ways: 10})
	for i := range 1000 {
		w.Learn(Call{fmt.Sprint("tool", i), []Destination{{Path: "to"}}})
	}
	if len(w.ways) > 10 || len(w.calls) > 10 {
		t.Errorf("%d ways", len(w.ways))
	}
}
