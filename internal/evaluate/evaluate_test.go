package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

const policyText = "Refunds are paid within 14 days of the return. Items bought on sale cannot be returned."

func TestKinds(t *testing.T) {
	t.Parallel()
	find := func(_, _, text string) (out []string, err error) {
		if strings.Contains(text, "@") {
			out = append(out, "pii.email")
		}
		if strings.HasPrefix(text, "BZh") {
			err = errors.New("it cannot be read")
		}
		return out, err
	}
	docs := []Document{{Step: "stp_1", Name: "policy", Text: policyText}}
	for name, c := range map[string]struct {
		e    Evaluator
		t    Texts
		want string
		says string
	}{
		"grounded":              {Evaluator{Kind: "groundedness"}, Texts{Answer: "Items bought on sale cannot be returned.", Documents: docs}, Pass, "Each of 1"},
		"made up":               {Evaluator{Kind: "groundedness"}, Texts{Answer: "Dragons guard our warehouse nightly and devour parcels.", Documents: docs}, Fail, "1 of 1"},
		"nothing read":          {Evaluator{Kind: "groundedness"}, Texts{Answer: "Items cannot be returned."}, "", "read nothing"},
		"a rule that holds":     {Evaluator{Kind: "rule", When: `answer.contains("14") && errors == 0`}, Texts{Answer: "14 days"}, Pass, "holds"},
		"a rule that does not":  {Evaluator{Kind: "rule", When: `size(documents) > 0`}, Texts{Answer: "14 days"}, Fail, "does not"},
		"a rule without a cost": {Evaluator{Kind: "rule", When: `cost < 1.0`}, Texts{Cost: math.NaN()}, Fail, ""},
		"JSON as asked":         {Evaluator{Kind: "schema", Schema: json.RawMessage(`{"type":"object","required":["id"],"properties":{"id":{"type":"integer","minimum":1},"tags":{"type":"array","items":{"enum":["a","b"]}}},"additionalProperties":false}`)}, Texts{Answer: "```json\n{\"id\": 3, \"tags\": [\"a\"]}\n```"}, Pass, ""},
		"JSON of another type":  {Evaluator{Kind: "schema", Schema: json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"}}}`)}, Texts{Answer: `{"id": 3}`}, Fail, "answer.id is integer"},
		"JSON with more":        {Evaluator{Kind: "schema", Schema: json.RawMessage(`{"properties":{"id":{}},"additionalProperties":false}`)}, Texts{Answer: `{"id": 3, "x": 1}`}, Fail, "answer has a key that nobody"},
		"no JSON":               {Evaluator{Kind: "schema", Schema: json.RawMessage(`{"type":"object"}`)}, Texts{Answer: "Sure!"}, Fail, "no JSON"},
		"voice":                 {Evaluator{Kind: "voice", Rules: map[string]string{"house": "extends: substitution\nlevel: error\nmessage: \"Use '%s' instead of '%s'.\"\nswap:\n  utilize: use\n"}}, Texts{Answer: "You may utilize it."}, Fail, "1 places"},
		"voice kept":            {Evaluator{Kind: "voice", Rules: map[string]string{"house": "extends: existence\nmessage: \"%s\"\ntokens: [obviously]\n"}}, Texts{Answer: "You may use it."}, Pass, ""},
		"leak":                  {Evaluator{Kind: "leak"}, Texts{Prompt: "who is it?", Answer: "ada@example.org"}, Fail, "pii.email"},
		"the user's own":        {Evaluator{Kind: "leak"}, Texts{Prompt: "I am ada@example.org", Answer: "Hello ada@example.org"}, Pass, ""},
		"an unreadable answer":  {Evaluator{Kind: "leak"}, Texts{Answer: "BZh 4111"}, Unsure, "could not be looked at"},
		"what it has anyway":    {Evaluator{Kind: "leak"}, Texts{Prompt: "BZh", Answer: "BZh ada@example.org"}, Fail, "pii.email"},
		"no refusal":            {Evaluator{Kind: "refusal"}, Texts{Answer: "Your order was sent."}, "", "refuses nothing"},
		"a bare refusal":        {Evaluator{Kind: "refusal"}, Texts{Answer: "I'm sorry, I can't help with that."}, Fail, "without a reason"},
		"a good refusal":        {Evaluator{Kind: "refusal"}, Texts{Answer: "I can’t refund this because items bought on sale are excluded. You can exchange it instead."}, Pass, ""},
		"a refusal in German":   {Evaluator{Kind: "refusal"}, Texts{Answer: "Das kann ich leider nicht tun, weil die Frist vorbei ist."}, Unsure, ""},
	} {
		c.e.Name, c.e.Share = "x", 1
		e, err := Compile(c.e)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Kind == "leak" {
			e.check = leak(find)
		}
		f := e.Look(&c.t)
		if f.Verdict != c.want || !strings.Contains(f.Text, c.says) {
			t.Errorf("%s: %q %q, want %q %q", name, f.Verdict, f.Text, c.want, c.says)
		}
		for _, m := range f.Marks {
			if m.Start < 0 || m.End > len(c.t.Answer) || m.Start > m.End {
				t.Errorf("%s: %+v", name, m)
			}
		}
	}
	e, _ := Compile(Evaluator{Name: "x", Share: 1, Kind: "groundedness"})
	f := e.Look(&Texts{Answer: "Items bought on sale cannot be returned. Dragons guard it nightly.", Documents: docs})
	if len(f.Marks) != 2 || f.Marks[0].Step != "stp_1" || f.Marks[0].Evidence != "Items bought on sale cannot be returned." || f.Marks[1].Good || !strings.Contains(f.Marks[1].Says, "Dragons") {
		t.Errorf("%+v", f.Marks)
	}
}

func TestBadEvaluators(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"items":`, 30) + "{}" + strings.Repeat("}", 30)
	for name, e := range map[string]Evaluator{
		"no name": {Kind: "refusal", Share: 1}, "a loud name": {Name: "A b", Kind: "refusal", Share: 1}, "another kind": {Name: "x", Kind: "vibes", Share: 1}, "no share": {Name: "x", Kind: "refusal"}, "more than all": {Name: "x", Kind: "refusal", Share: 1.1},
		"no condition": {Name: "x", Kind: "rule", Share: 1}, "a bad condition": {Name: "x", Kind: "rule", Share: 1, When: "answr == 1"}, "a number": {Name: "x", Kind: "rule", Share: 1, When: "1 + 1"}, "a condition of no rule": {Name: "x", Kind: "refusal", Share: 1, When: "true"},
		"no schema": {Name: "x", Kind: "schema", Share: 1}, "an unknown keyword": {Name: "x", Kind: "schema", Share: 1, Schema: json.RawMessage(`{"oneOf":[]}`)}, "a bad pattern": {Name: "x", Kind: "schema", Share: 1, Schema: json.RawMessage(`{"pattern":"("}`)},
		"an unknown type": {Name: "x", Kind: "schema", Share: 1, Schema: json.RawMessage(`{"type":"blob"}`)}, "too deep": {Name: "x", Kind: "schema", Share: 1, Schema: json.RawMessage(deep)},
		"no rules": {Name: "x", Kind: "voice", Share: 1}, "a bad rule": {Name: "x", Kind: "voice", Share: 1, Rules: map[string]string{"a": "extends: x"}},
	} {
		if _, err := Compile(e); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLargePatterns has what is short to write and large to match, by each way a
// pattern comes in.
func TestLargePatterns(t *testing.T) {
	t.Parallel()
	one := `(?:.?){1000}`
	voices := map[string]string{}
	for i := range 60 {
		voices[fmt.Sprint(i)] = "extends: existence\nmessage: m\ntokens: ['x{900}']\n"
	}
	props := map[string]any{}
	for i := range 60 {
		props[fmt.Sprint(i)] = map[string]any{"pattern": "x{900}"}
	}
	many, err := json.Marshal(map[string]any{"properties": props})
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Evaluator{
		"a voice":              {Kind: "voice", Rules: map[string]string{"a": "extends: existence\nmessage: m\ntokens: ['" + strings.Repeat(one, 60) + "']\n"}},
		"many voices":          {Kind: "voice", Rules: voices},
		"a schema":             {Kind: "schema", Schema: json.RawMessage(`{"pattern":"` + strings.Repeat("x{1000}", 6) + `"}`)},
		"many of a schema":     {Kind: "schema", Schema: many},
		"a rule":               {Kind: "rule", When: `answer.matches("` + strings.Repeat(one, 6) + `")`},
		"many of a rule":       {Kind: "rule", When: strings.Repeat(`answer.matches("x{900}") || `, 60) + "true"},
		"what the agent read":  {Kind: "rule", When: `documents.all(d, !answer.matches(d))`},
		"what is put together": {Kind: "rule", When: `matches(answer, "x" + prompt)`},
		"a bad pattern":        {Kind: "rule", When: `answer.matches("(")`},
	} {
		e.Name, e.Share = "x", 1
		if _, err := Compile(e); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e, err := Compile(Evaluator{Name: "x", Share: 1, Kind: "rule", When: `documents.all(d, !d.matches("^a` + one + `"))`}) // large, and ends at once
	if err != nil {
		t.Fatal(err)
	}
	if f := e.Look(&Texts{Documents: []Document{{Text: "short"}}}); f.Verdict != Pass {
		t.Errorf("%+v", f)
	}
	for name, docs := range map[string][]Document{
		"one long text": {{Text: strings.Repeat("x", 1<<20)}},
		"many texts":    slices.Repeat([]Document{{Text: strings.Repeat("x", 1<<10)}}, 10_000),
	} {
		if f := e.Look(&Texts{Documents: docs}); f.Verdict != "" || f.Text != notAsked {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestFindingsQuoteNothing: what is found is read by who may not read content.
func TestFindingsQuoteNothing(t *testing.T) {
	t.Parallel()
	texts := Texts{Prompt: "secret", Answer: "secret", Documents: []Document{{Text: "secret"}}}
	for _, when := range []string{`{"a":true}[answer]`, `int(answer) == 1`, `{"a":true}[documents[0]]`, `timestamp(prompt) > timestamp("2020-01-01T00:00:00Z")`, `duration(prompt) > duration("1s")`, `double(prompt) > 1.0`, `bool(prompt)`} {
		e, err := Compile(Evaluator{Name: "x", Share: 1, Kind: "rule", When: when})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if f := e.Look(&texts); f.Verdict != "" || f.Text != notAsked {
			t.Errorf("%s: %+v", when, f)
		}
	}
	for answer, schema := range map[string]string{
		"Ω":                        `{}`,
		`{"secret": 1}`:            `{"additionalProperties":false}`,
		`{"secret": {"secret":1}}`: `{"properties":{"a":{}},"additionalProperties":false}`,
		"4111":                     `{"maximum":3}`,
		`"secret"`:                 `{"enum":["a"]}`,
		`"secre" "t"`:              `{"pattern":"^$"}`,
		`["secret"]`:               `{"items":{"type":"integer"}}`,
	} {
		e, err := Compile(Evaluator{Name: "x", Share: 1, Kind: "schema", Schema: json.RawMessage(schema)})
		if err != nil {
			t.Fatal(err)
		}
		f := e.Look(&Texts{Answer: answer})
		if f.Verdict != Fail || strings.Contains(f.Text, "secre") || strings.Contains(f.Text, "4111") || strings.ContainsAny(f.Text, "Ω'") {
			t.Errorf("%s: %+v", answer, f)
		}
	}
}

// TestAStoredEvaluatorThatIsNoLongerValid must not keep a server from starting,
// and can be changed and removed.
func TestAStoredEvaluatorThatIsNoLongerValid(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(Evaluator{Name: "good", Kind: "groundedness"})
	for name, body := range map[string]string{"large": `{"kind":"rule","share":1,"when":"documents.all(d, answer.matches(d))"}`, "torn": `{"kind":`} {
		err := h.db.Write(t.Context(), func(tx *control.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO evaluators (`+evaluatorColumns+`) VALUES (?, '', '', 1, ?, 0)`, name, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	var err error
	if h.book, err = New(t.Context(), Options{DB: h.db, Runs: h, Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return h.now }}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "evaluator=large") || !strings.Contains(log.String(), "evaluator=torn") {
		t.Errorf("it is not told of: %s", log.String())
	}
	h.done(1, "Items bought on sale cannot be returned.")
	h.work()
	if all, _, err := h.book.List(t.Context(), Filter{}); err != nil || len(all) != 1 || all[0].Evaluator != "good" {
		t.Errorf("%+v, %v", all, err)
	}
	h.put(Evaluator{Name: "large", Kind: "refusal", Revision: 1})
	if err := h.book.Delete(t.Context(), anybody, "torn"); err != nil || len(h.book.Evaluators()) != 2 {
		t.Errorf("%v, %d left", err, len(h.book.Evaluators()))
	}
}

func TestFewAreTriedAtATime(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := Evaluator{Name: "try", Kind: "refusal", Share: 1}
	for range maxTrying {
		h.book.trying <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, _, err := h.book.Try(ctx, anybody, e, &Texts{}); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
	<-h.book.trying
	if _, _, err := h.book.Try(t.Context(), anybody, e, &Texts{}); err != nil {
		t.Error(err)
	}
}

type house struct {
	t    *testing.T
	db   *control.DB
	book *Book
	now  time.Time

	mu    sync.Mutex
	texts map[activity.RunID]Texts
	ended []activity.Run
	fails int

	newest []activity.RunID
	asked  Evaluator
}

func (h *house) Texts(_ context.Context, id activity.RunID) (Texts, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fails > 0 {
		h.fails--
		return Texts{}, false, fault.New(fault.KindUnavailable, "evaluate.test", "not now")
	}
	t, ok := h.texts[id]
	return t, ok, nil
}

func (h *house) Ended(context.Context, time.Time, int) ([]activity.Run, error) { return h.ended, nil }

func (h *house) Newest(_ context.Context, e *Evaluator, _ time.Time, limit int) (out []activity.RunID, err error) {
	h.asked = *e
	return h.newest[:min(len(h.newest), limit)], nil
}

func open(t *testing.T) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, db: db, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), texts: map[activity.RunID]Texts{}}
	if h.book, err = New(t.Context(), Options{DB: db, Runs: h, Now: func() time.Time { return h.now }}); err != nil {
		t.Fatal(err)
	}
	return h
}

var anybody = Actor{Person: "per_1", Can: func(string, string, string) bool { return true }}

func (h *house) put(e Evaluator) *Evaluator {
	h.t.Helper()
	if e.Share == 0 {
		e.Share = 1
	}
	out, err := h.book.Put(h.t.Context(), anybody, e)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// done tells of a run that ended with an answer.
func (h *house) done(n int, answer string) activity.RunID {
	id := activity.RunOfKey(fmt.Sprint(n))
	h.texts[id] = Texts{Agent: "refund", Version: "v1", Team: "support", Environment: "production", Answer: answer, Documents: []Document{{Text: policyText}}}
	h.book.Observe(&telemetry.Write{Runs: []activity.Run{{ID: id, Agent: "refund", Team: "support", Environment: "production", Status: activity.RunDone}}})
	return id
}

func (h *house) work() {
	h.t.Helper()
	for {
		more, err := h.book.Work(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// TestTryingOnRuns: what an evaluator would say of recent runs, whatever its share and
// though it is off; nothing is kept, and who may not set it may not try it.
func TestTryingOnRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	good, bad := h.done(1, "Items bought on sale cannot be returned."), h.done(2, "Dragons guard our warehouse nightly and devour parcels.")
	gone := activity.RunOfKey("gone")
	tested := h.done(3, "Items bought on sale cannot be returned.")
	of := h.texts[tested]
	of.Mode = Test
	h.texts[tested] = of
	h.newest = []activity.RunID{bad, gone, tested, good}
	e := Evaluator{Kind: "groundedness", Team: "support", Share: 0.001, Off: true}
	got, err := h.book.TryRuns(t.Context(), anybody, e, 10)
	if err != nil || len(got.Found) != 2 || got.Found[0].Run != bad.String() || got.Found[0].Verdict != Fail || got.Found[1].Verdict != Pass || got.Judged[Pass] != 1 || got.Judged[Fail] != 1 || got.Gone != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if h.asked.Team != "support" || len(h.book.Evaluators()) != 0 {
		t.Errorf("asked of %+v, %d evaluators", h.asked, len(h.book.Evaluators()))
	}
	if kept, _, err := h.book.List(t.Context(), Filter{Limit: 10}); err != nil || len(kept) != 0 {
		t.Errorf("%d evaluations are kept of a trial, %v", len(kept), err)
	}
	if one, err := h.book.TryRuns(t.Context(), anybody, e, 1); err != nil || len(one.Found) != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	elsewhere := Actor{Person: "per_2", Can: func(_, team, _ string) bool { return team == "other" }}
	for name, c := range map[string]struct {
		who  Actor
		e    Evaluator
		most int
		code string
	}{
		"another team's": {elsewhere, e, 5, "evaluate.denied"},
		"every team's":   {elsewhere, Evaluator{Kind: "groundedness"}, 5, "evaluate.denied"},
		"too many":       {anybody, e, MaxTrial + 1, "evaluate.invalid"},
		"none":           {anybody, e, 0, "evaluate.invalid"},
		"a bad rule":     {anybody, Evaluator{Kind: "rule", When: "answer +"}, 5, "evaluate.invalid"},
		"no judge here":  {anybody, Evaluator{Kind: "judge", Judge: &Judge{Agent: "j", Upstream: "u", Model: "m", Prompt: "Good?"}}, 5, "evaluate.no_model"},
	} {
		if _, err := h.book.TryRuns(t.Context(), c.who, c.e, c.most); err == nil || fault.From(err).Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestRunsAreEvaluatedOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(Evaluator{Name: "grounded", Kind: "groundedness"})
	h.put(Evaluator{Name: "other", Kind: "refusal", Agents: []string{"another"}})
	good := h.done(1, "Items bought on sale cannot be returned.")
	h.done(1, "Items bought on sale cannot be returned.")
	h.fails = 2
	if _, err := h.book.Work(t.Context()); err == nil {
		t.Error("a run that could not be read is taken as done")
	}
	h.fails = 0
	h.done(2, "Dragons guard our warehouse nightly and devour parcels.")
	h.work()
	h.done(1, "Items bought on sale cannot be returned.")
	h.work()
	all, _, err := h.book.List(t.Context(), Filter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d evaluations of two runs: %+v, %v", len(all), all, err)
	}
	counts, err := h.book.Counts(t.Context(), Filter{Agent: "refund"})
	if err != nil || len(counts) != 1 || counts[0].Pass != 1 || counts[0].Fail != 1 || counts[0].Version != "v1" || counts[0].Score == nil {
		t.Fatalf("%+v, %v", counts, err)
	}
	for by, want := range map[string]int{"": 1, "agent": 1, "task": 0} {
		judged, err := h.book.Judged(t.Context(), "groundedness", Filter{Agent: "refund"}, by, 0)
		if err != nil || len(judged) != want || want > 0 && (judged[0].Pass != 1 || judged[0].Fail != 1 || judged[0].Group != map[string]string{"agent": "refund"}[by]) {
			t.Errorf("by %q: %+v, %v", by, judged, err)
		}
	}
	if judged, err := h.book.Judged(t.Context(), "groundedness", Filter{}, "", time.Hour); err != nil || len(judged) != 1 || !judged[0].At.Equal(h.now.Truncate(time.Hour)) {
		t.Errorf("by hour: %+v, %v", judged, err)
	}
	if judged, _ := h.book.Judged(t.Context(), "groundedness", Filter{Visible: []Place{{"billing", "*"}}}, "", 0); len(judged) == 1 && judged[0].Pass+judged[0].Fail > 0 {
		t.Errorf("another team sees it: %+v", judged)
	}
	if l, _, _ := h.book.List(t.Context(), Filter{Run: good.String(), Visible: []Place{{"billing", "*"}}}); len(l) != 0 {
		t.Error("another team sees it")
	}
}

func TestSamplesAreShares(t *testing.T) {
	t.Parallel()
	e, err := Compile(Evaluator{Name: "x", Kind: "refusal", Share: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range 5000 {
		if e.About(&activity.Run{ID: activity.RunOfKey(fmt.Sprint(i))}) {
			n++
		}
	}
	if n < 900 || n > 1100 {
		t.Errorf("a fifth of 5000 runs is %d", n)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(Evaluator{Name: "grounded", Kind: "groundedness"})
	var ids []activity.RunID
	for i := range 20 {
		answer := "Items bought on sale cannot be returned."
		if i%2 == 1 {
			answer = "Dragons guard our warehouse nightly and devour parcels."
		}
		ids = append(ids, h.done(i, answer))
	}
	h.work()
	queue, err := h.book.Queue(t.Context(), "per_1", Filter{})
	if err != nil || len(queue) < 10 || queue[0].Verdict != Fail {
		t.Fatalf("%d %+v %v", len(queue), queue, err)
	}
	for i, id := range ids { // people agree on all but two
		verdict := []string{Pass, Fail}[i%2]
		if i < 2 {
			verdict = []string{Fail, Pass}[i%2]
		}
		if _, err := h.book.Label(t.Context(), anybody, id, "grounded", verdict, "because"); err != nil {
			t.Fatal(err)
		}
	}
	agree, err := h.book.Agreements(t.Context(), Filter{})
	if err != nil || len(agree) != 1 || agree[0].N != 20 || agree[0].Both != 9 || agree[0].Neither != 9 {
		t.Fatalf("%+v, %v", agree, err)
	}
	if k, ok := agree[0].Kappa(); !ok || math.Abs(k-0.8) > 1e-9 {
		t.Errorf("kappa %v, want 0.8", k)
	}
	if queue, err = h.book.Queue(t.Context(), "per_1", Filter{}); err != nil || len(queue) != 0 {
		t.Errorf("%d are still asked for (%v)", len(queue), err)
	}
	second := anybody
	second.Person = "per_2"
	if _, err := h.book.Label(t.Context(), second, ids[0], "grounded", Pass, ""); err != nil {
		t.Fatal(err)
	}
	if p, err := h.book.PeopleAgree(t.Context(), Filter{}); err != nil || len(p) != 1 || p[0].N != 1 || p[0].OnlyOther != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	other := Actor{Person: "per_3", Can: func(_, team, _ string) bool { return team == "billing" }}
	for name, c := range map[string]struct {
		who     Actor
		verdict string
	}{"another team": {other, Pass}, "another word": {anybody, "meh"}} {
		if _, err := h.book.Label(t.Context(), c.who, ids[0], "grounded", c.verdict, ""); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := h.book.Label(t.Context(), anybody, ids[0], "grounded", "", ""); err != nil {
		t.Error(err)
	}
}

func TestWhoMaySetEvaluators(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.put(Evaluator{Name: "x", Kind: "refusal", Team: "billing"})
	me := Actor{Can: func(_, team, _ string) bool { return team == "support" }}
	for name, e := range map[string]Evaluator{"of all": {Name: "y", Kind: "refusal", Share: 1}, "of another team": {Name: "y", Kind: "refusal", Share: 1, Team: "billing"}, "another team's": {Name: "x", Kind: "refusal", Share: 1, Team: "support", Revision: 1}} {
		if _, err := h.book.Put(t.Context(), me, e); !fault.Is(err, fault.KindDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.book.Delete(t.Context(), me, "x"); !fault.Is(err, fault.KindDenied) {
		t.Errorf("%v", err)
	}
	old := *e
	old.Revision = 0
	if _, err := h.book.Put(t.Context(), anybody, old); !fault.Is(err, fault.KindConflict) {
		t.Errorf("%v", err)
	}
	if err := h.book.Delete(t.Context(), anybody, "x"); err != nil || len(h.book.Evaluators()) != 0 {
		t.Errorf("%v, %d left", err, len(h.book.Evaluators()))
	}
}
