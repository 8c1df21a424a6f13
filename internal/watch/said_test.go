package watch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
)

func (s *sim) say(role, text string) {
	field := activity.ContentInput
	if role == "assistant" {
		field = activity.ContentOutput
	}
	m := activity.Message{Run: s.id, Agent: s.agent, Field: field, Role: role, Raw: []byte(text)}
	copy(m.Hash[:], text)
	s.x.wr.Messages = append(s.x.wr.Messages, m)
}

// More answers that refuse in words than usual are told, also where the same words
// come without their text, since they were stored before.
func TestDeclined(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		x := newWorld(t, nil)
		answer := func(text string) {
			s := x.run("a")
			s.step(activity.KindModel, "m", time.Second, usage(100, 20, 1e6))
			s.say("user", "please refund my order")
			s.say("assistant", text)
			if last := &x.wr.Messages[len(x.wr.Messages)-1]; again && x.n > 1200 {
				last.Raw = nil
			}
			s.end(false)
			x.now = x.now.Add(time.Minute)
		}
		for n := range 400 {
			answer(map[bool]string{true: "I'm sorry, but I can't help with that.", false: "Your order was refunded, it cannot take long."}[n%40 == 0])
		}
		if got := x.k.of("declined"); len(got) != 0 {
			t.Fatalf("as usual, and told: %+v", got)
		}
		for range 20 {
			answer("I'm sorry, but I can't help with that.")
		}
		got := x.k.of("declined")
		if len(got) == 0 || len(got[0].Runs) == 0 || !strings.Contains(got[0].Text, "refused in words") {
			t.Errorf("again %v: found %+v", again, x.k.list)
		}
		b := x.w.Behaviour([]string{"a"}, "", t0)
		if b[0].Total.Answers != 420 || b[0].Total.Declined != 30 {
			t.Errorf("%d of %d answers refuse", b[0].Total.Declined, b[0].Total.Answers)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Where is my order? I want the money that you have, please": "English",
		"Wo ist mein Paket? Ich habe das nicht bekommen, bitte":     "German",
		"Je voudrais savoir où est mon colis, vous avez les frais":  "French",
		"¿Dónde está mi pedido? Por favor, los datos para usted":    "Spanish",
		"Где мой заказ? Верните деньги":                             "Cyrillic",
		"注文はどこですか":                                                  "Kana",
		"order 41007":                                               "",
		"":                                                          "",
	} {
		var s spoken
		s.add([]byte(text))
		if got := s.language(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Users who begin to write in another language, or about something else, are drift,
// told once for each; the same mixture for long is not.
func TestDriftOfWhatIsSaid(t *testing.T) {
	t.Parallel()
	english := []string{
		"please where is my order with the number of %d and the parcel", "what is this invoice of %d that you have sent to my address", "I want to change the password of my account, it is %d",
		"is it possible to return this broken lamp of %d, please", "the delivery with number %d was late and that is bad",
	}
	german := []string{"bitte wo ist mein Paket mit der Nummer %d und die Lieferung", "ich habe das nicht bestellt, die Rechnung %d ist falsch", "wie kann ich mein Passwort ändern, das Konto ist %d"}
	other := []string{"please write this poem of %d verses about winter mountains and that old castle", "what is the best pasta recipe with garlic for %d people, and the sauce", "the football league with %d teams, what is this season"}
	x := newWorld(t, nil)
	r := rand.New(rand.NewPCG(3, 3))
	talk := func(n int, of []string) {
		for range n {
			s := x.run("a")
			s.step(activity.KindModel, "m", time.Second, usage(100, 20, 1e6))
			s.say("user", fmt.Sprintf(of[r.IntN(len(of))], r.IntN(1000)))
			s.say("assistant", "it is on the way and you have it soon")
			s.end(false)
			x.now = x.now.Add(2 * time.Minute)
		}
	}
	found := func(subject string) (n int) {
		for _, f := range x.k.of("drift") {
			if f.Subject == subject {
				n++
			}
		}
		return n
	}
	talk(900, english)
	if got := x.k.of("drift"); len(got) != 0 {
		t.Fatalf("drift of what stays the same: %+v", got[0])
	}
	talk(200, german)
	if n := found("language_asked"); n != 1 {
		t.Errorf("another language is told %d times", n)
	}
	if n := found("language_answered") + found("topic_answered"); n != 0 {
		t.Errorf("answers as before are told %d times", n)
	}
	x.w.Approved("a")
	talk(500, english)
	before := found("topic_asked")
	talk(200, other)
	if n := found("topic_asked") - before; n != 1 {
		t.Errorf("other topics are told %d times", n)
	}
	for _, f := range x.k.of("drift") {
		if all := fmt.Sprintf("%+v", f); strings.Contains(all, "parcel") || strings.Contains(all, "Paket") {
			t.Errorf("the finding tells what was said: %s", all)
		}
	}
}

// Of each version, task and tool it is told how often its calls repeat, are tried
// again, are refused and handed on, how its inputs grow and how long it waits.
func TestParts(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	x.door = true
	for n := range 4 {
		s := x.run("a")
		mark := func(more func(*activity.Step)) func(*activity.Step) {
			return func(st *activity.Step) {
				st.AgentVersion, st.Task = fmt.Sprint("v", n%2), "refund"
				if more != nil {
					more(st)
				}
			}
		}
		s.step(activity.KindModel, "m", time.Second, mark(usage(100, 20, 1e6)))
		s.step(activity.KindModel, "m", time.Second, mark(usage(300, 40, 1e6)))
		for range 3 {
			s.step(activity.KindTool, "look", time.Second, mark(args(1)))
		}
		for range 3 {
			s.step(activity.KindTool, "pay", time.Second, mark(func(st *activity.Step) { st.Status, st.ErrorType = activity.StatusError, "timeout" }))
		}
		s.step(activity.KindHandoff, "clerk", time.Second, mark(nil))
		s.step(activity.KindHuman, "asked", 5*time.Second, mark(nil))
		x.w.Decided(&activity.Decision{
			ID: fmt.Sprint("dec_", n), Agent: "a", Registered: true, Credential: "agent_key", Team: "core", Environment: "production", Run: s.id, Tool: "pay", Resource: "shop.pay", Verdict: activity.VerdictDeny,
		})
		s.say("assistant", "I'm sorry, but I can't do that.")
		s.end(false)
	}
	b := x.w.Behaviour([]string{"a"}, "", t0)
	if len(b) != 1 {
		t.Fatalf("%+v", b)
	}
	of := map[string]Part{}
	for _, p := range b[0].Parts {
		of[p.Kind+" "+p.Name] = p
	}
	for name, runs := range map[string]int64{"version v0": 2, "version v1": 2, "task refund": 4} {
		p := of[name]
		got := [...]int64{p.Calls, p.Looped, p.Retries, p.Refused, p.Models, p.Tools, p.Handoffs, p.Answers, p.Declined, p.Growns, int64(p.Waited), int64(p.Growth), int64(p.Out)}
		if want := [...]int64{runs, 2 * runs, 2 * runs, runs, 2 * runs, 7 * runs, runs, runs, runs, runs, 5000 * runs, 3 * runs, 60 * runs}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if p := of["tool look"]; p.Looped != 8 || p.Retries+p.Refused != 0 {
		t.Errorf("look: %+v", p)
	}
	if p := of["tool pay"]; p.Retries != 8 || p.Refused != 4 || p.Looped != 0 {
		t.Errorf("pay: %+v", p)
	}
}

// Entropy by hand: a run begins with a; b or c come after it, equally often.
func TestEntropy(t *testing.T) {
	t.Parallel()
	var p paths
	a, b, c := p.number("a"), p.number("b"), p.number("c")
	for n := range 40 {
		p.move(-1, a)
		p.move(a, []int{b, c}[n%2])
	}
	bits, repeatable, known := p.entropy()
	// Half of the moves tell nothing, the other half one bit; of three tools a move tells
	// log2(3) bits at most.
	if !known || math.Abs(bits-.5) > 1e-9 || math.Abs(repeatable-(1-.5/math.Log2(3))) > 1e-9 {
		t.Errorf("%v bits, repeatable %v, known %v", bits, repeatable, known)
	}
	var always paths
	x := always.number("x")
	for range 30 {
		always.move(-1, x)
	}
	if bits, repeatable, known := always.entropy(); !known || bits != 0 || repeatable != 1 {
		t.Errorf("always the same: %v bits, %v, %v", bits, repeatable, known)
	}
	var few paths
	few.move(-1, few.number("x"))
	if _, _, known := few.entropy(); known {
		t.Error("one move is a habit")
	}
}
