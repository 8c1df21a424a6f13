package source

import (
	"errors"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// A source that is out of use is so at once, by each of its names, for its team
// and for all where it is of no team, until the time is over or it is put back.
func TestOutOfUse(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	who := Actor{Person: "ada", Can: anyone}
	put := func(in client.PutSourceRequest) error { _, err := b.Put(t.Context(), who, in); return err }
	if err := errors.Join(
		put(client.PutSourceRequest{Name: "prices", Team: "support", Dataset: "db.public.price_list", Aliases: []string{"docs.search"}}),
		put(client.PutSourceRequest{Name: "house", Aliases: []string{"house.read"}}),
	); err != nil {
		t.Fatal(err)
	}
	out := func(team, name string, exact, want bool) {
		t.Helper()
		if got := b.IsOut(team, name, exact); got != want {
			t.Errorf("out of use for %q by %q (exact %t) is %t, want %t", team, name, exact, got, want)
		}
	}
	out("support", "prices", false, false)
	s, err := b.TakeOut(t.Context(), who, client.TakeSourceOutRequest{Name: "prices", Reason: "prices of last year", For: "4h", Cause: "inc_1"})
	if err != nil || s.OutOfUse == nil || s.OutOfUse.Until == nil || !s.OutOfUse.Until.Equal(t0.Add(4*time.Hour)) {
		t.Fatalf("taken out: %+v, %v", s.OutOfUse, err)
	}
	if _, err := b.TakeOut(t.Context(), who, client.TakeSourceOutRequest{Name: "house", Reason: "wrong"}); err != nil {
		t.Fatal(err)
	}
	out("support", "PRICES", false, true)
	out("support", "price_list", false, true)
	out("support", "price_list", true, false) // a tool may be called so too
	out("support", "docs.search", true, true)
	out("sales", "docs.search", true, false) // an alias of one team names nothing of another's
	out("sales", "prices", false, true)      // who reads another team's source
	out("sales", "house.read", true, true)
	out("support", "other", false, false)

	// A restart forgets nothing, before anything runs.
	again, err := New(Options{DB: b.o.DB, Now: b.o.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Load(t.Context()); err != nil || !again.IsOut("support", "prices", false) {
		t.Error("after a restart it is in use", err)
	}

	for _, c := range []struct {
		name string
		in   client.PutSourceRequest
	}{
		{"an alias dropped", client.PutSourceRequest{Name: "prices", Team: "support", Dataset: "db.public.price_list", Revision: 1}},
		{"another dataset", client.PutSourceRequest{Name: "prices", Team: "support", Dataset: "x", Aliases: []string{"docs.search"}, Revision: 1}},
		{"another team", client.PutSourceRequest{Name: "prices", Team: "sales", Dataset: "db.public.price_list", Aliases: []string{"docs.search"}, Revision: 1}},
	} {
		if got := code(put(c.in)); got != "source.out_of_use" {
			t.Errorf("%s while it is out of use: %v", c.name, got)
		}
	}
	if err := b.Delete(t.Context(), who, "prices"); code(err) != "source.out_of_use" {
		t.Error("deleted while it is out of use:", err)
	}
	if err := put(client.PutSourceRequest{Name: "prices", Team: "support", Aliases: []string{"docs.search", "docs.list"}, Revision: 1}); err != nil {
		t.Error("another alias:", err)
	}

	*now = t0.Add(4 * time.Hour)
	out("support", "prices", false, false)
	if s, err := b.Get(t.Context(), "prices"); err != nil || s.OutOfUse != nil {
		t.Errorf("after its time it is out: %+v %v", s.OutOfUse, err)
	}
	if _, err := b.PutBack(t.Context(), who, client.PutSourceBackRequest{Name: "prices", Reason: "again"}); code(err) != "source.in_use" {
		t.Error("put back twice:", err)
	}
	out("support", "house", false, true)
	if s, err := b.PutBack(t.Context(), who, client.PutSourceBackRequest{Name: "house", Reason: "loaded again"}); err != nil || s.OutOfUse != nil {
		t.Errorf("put back: %+v %v", s.OutOfUse, err)
	}
	out("support", "house", false, false)
}

// What is refused says why, and changes nothing.
func TestOutOfUseRefusals(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	who := Actor{Person: "ada", Can: anyone}
	if _, err := b.Put(t.Context(), who, client.PutSourceRequest{Name: "prices", Team: "support"}); err != nil {
		t.Fatal(err)
	}
	stranger := Actor{Person: "eve", Can: func(role, team, _ string) bool { return role == "viewer" || team == "sales" }}
	for _, c := range []struct {
		name, code string
		who        Actor
		in         client.TakeSourceOutRequest
	}{
		{"no reason", "source.invalid", who, client.TakeSourceOutRequest{Name: "prices"}},
		{"no line", "source.invalid", who, client.TakeSourceOutRequest{Name: "prices", Reason: "a\nb"}},
		{"no duration", "source.invalid", who, client.TakeSourceOutRequest{Name: "prices", Reason: "x", For: "soon"}},
		{"no time at all", "source.invalid", who, client.TakeSourceOutRequest{Name: "prices", Reason: "x", For: "-1h"}},
		{"an odd cause", "source.invalid", who, client.TakeSourceOutRequest{Name: "prices", Reason: "x", Cause: "a\x00b"}},
		{"not there", "source.not_found", who, client.TakeSourceOutRequest{Name: "nothing", Reason: "x"}},
		{"not theirs", "source.denied", stranger, client.TakeSourceOutRequest{Name: "prices", Reason: "x"}},
	} {
		if _, err := b.TakeOut(t.Context(), c.who, c.in); code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	if b.IsOut("support", "prices", false) {
		t.Error("a refused act took effect")
	}
}

// code is an error's code; "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}
