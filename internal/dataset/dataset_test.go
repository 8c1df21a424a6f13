package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

type house struct {
	t    *testing.T
	book *Book
	now  time.Time
	runs map[string]Recorded
}

var anybody = Actor{Person: "per_1", Name: "Ann", Can: func(string, string, string) bool { return true }}

func open(t *testing.T) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), runs: map[string]Recorded{}}
	h.book, err = New(t.Context(), Options{
		DB: db, Now: func() time.Time { h.now = h.now.Add(time.Second); return h.now },
		Read: func(_ context.Context, run string) (Recorded, bool, error) { r, ok := h.runs[run]; return r, ok, nil },
		Redact: func(_, _, text string) (string, []string, error) {
			if strings.Contains(text, "\x00") {
				return "", nil, errors.New("binary")
			}
			if strings.Contains(text, "ada@example.org") {
				return strings.ReplaceAll(text, "ada@example.org", "[pii.email]"), []string{"pii.email"}, nil
			}
			return text, nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) set(s Set) {
	h.t.Helper()
	if _, err := h.book.Put(h.t.Context(), anybody, s); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) add(name string, c Case) Item {
	h.t.Helper()
	i, err := h.book.Add(h.t.Context(), anybody, name, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return i
}

func (h *house) items(version int64) []Item {
	h.t.Helper()
	_, all, err := h.book.Items(h.t.Context(), anybody, "refunds", version, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func (h *house) export(format string) Export {
	h.t.Helper()
	x, err := h.book.Export(h.t.Context(), anybody, "refunds", 0, format, "training")
	if err != nil {
		h.t.Fatal(err)
	}
	return x
}

func recorded(user, answer string) Recorded {
	return Recorded{
		Agent: "refund", Version: "v1", Team: "support", Environment: "production", User: user, Input: []Message{{"system", "Be kind."}, {"user", "Can I return it? ada@example.org"}}, Answer: answer,
	}
}

// TestVersionsStay: what a version holds does not change when items are added,
// changed and removed afterwards, and a run is one case wherever it is.
func TestVersionsStay(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production", Basis: "contract 4.2"})
	h.set(Set{Name: "other"})
	h.runs["run_1"], h.runs["run_2"] = recorded("ada", "No."), recorded("bob", "Yes.")
	one := h.add("refunds", Case{Run: "run_1", Expected: "Yes, within 14 days."})
	two := h.add("refunds", Case{Run: "run_2", Verdict: Good})
	if x := h.add("other", Case{Run: "run_1", Consent: ConsentGiven}); x.Case != one.Case || x.ID == one.ID || x.Consent != ConsentGiven {
		t.Errorf("%+v", x)
	}
	again := h.add("refunds", Case{Run: "run_1", Expected: "Of course."})
	if again.ID != one.ID || again.Revision != 2 {
		t.Errorf("%+v", again)
	}
	if err := h.book.Remove(t.Context(), anybody, "refunds", two.ID); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[int64][]string{1: {"Yes, within 14 days."}, 2: {"Yes, within 14 days.", ""}, 3: {"", "Of course."}, 4: {"Of course."}, 0: {"Of course."}} {
		var got []string
		for _, i := range h.items(version) {
			got = append(got, i.Expected)
		}
		if !slices.Equal(got, want) {
			t.Errorf("version %d: %q, want %q", version, got, want)
		}
	}
	if one.Input[1].Content != "Can I return it? [pii.email]" || !slices.Equal(one.Redacted, []string{"pii.email"}) || one.Consent != ConsentBasis {
		t.Errorf("%+v", one)
	}
	cases, err := h.book.Cases(t.Context(), anybody, "run_1")
	if err != nil || len(cases) != 2 {
		t.Errorf("%+v, %v", cases, err)
	}
}

// TestExports: each format has what it needs and nothing without consent; the form
// is OpenAI's.
func TestExports(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production"})
	for run, r := range map[string]Recorded{"run_1": recorded("ada", "No."), "run_2": recorded("bob", "Yes."), "run_3": recorded("eve", "Maybe."), "run_4": recorded("kim", "Never.")} {
		h.runs[run] = r
	}
	pair := h.add("refunds", Case{Run: "run_1", Expected: "Yes.", Consent: ConsentGiven, Verdict: Bad})
	h.add("refunds", Case{Run: "run_2", Verdict: Good, Consent: ConsentGiven})
	h.add("refunds", Case{Run: "run_3"}) // nobody knows whether its user agreed
	h.add("refunds", Case{Run: "run_4", Consent: ConsentRefused, Verdict: Good})
	h.add("refunds", Case{Input: []Message{{"user", "Where is it?"}}, Contains: []string{"order"}})
	for format, want := range map[string]int64{Evaluation: 3, SFT: 2, Preferences: 1} {
		x := h.export(format)
		lines := strings.Split(strings.TrimSpace(string(x.Content)), "\n")
		if x.Items != want || int64(len(lines)) != want || x.Left["no_consent"] != 2 || strings.Contains(string(x.Content), "Maybe") || strings.Contains(string(x.Content), "ada@") {
			t.Errorf("%s: %d items, left %v\n%s", format, x.Items, x.Left, x.Content)
		}
		var first struct {
			Messages []Message `json:"messages"`
			Input    struct {
				Messages []Message `json:"messages"`
			} `json:"input"`
			Better   []Message `json:"preferred_output"`
			Worse    []Message `json:"non_preferred_output"`
			Metadata struct {
				Run, Item, Case, Consent string
				Redacted                 []string
			} `json:"metadata"`
		}
		if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
			t.Fatal(err)
		}
		m := first.Metadata
		if m.Run != "run_1" || m.Item != pair.ID || m.Case != pair.Case || m.Consent != ConsentGiven || !slices.Equal(m.Redacted, []string{"pii.email"}) {
			t.Errorf("%s: lineage %+v", format, m)
		}
		switch format {
		case SFT:
			if n := len(first.Messages); n != 3 || first.Messages[2] != (Message{"assistant", "Yes."}) {
				t.Errorf("%+v", first.Messages)
			}
		case Preferences:
			if len(first.Input.Messages) != 2 || first.Better[0].Content != "Yes." || first.Worse[0].Content != "No." {
				t.Errorf("%+v", first)
			}
		}
	}
}

// TestWhoIsErasedLeaves: from all versions and the next export, with a list of
// those that had it; nothing of theirs comes back.
func TestWhoIsErasedLeaves(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production", Basis: "contract"})
	h.runs["run_1"], h.runs["run_2"], h.runs["run_3"] = recorded("ada", "No."), recorded("bob", "Yes."), recorded("ada", "Again.")
	h.add("refunds", Case{Run: "run_1", Expected: "old"})
	h.add("refunds", Case{Run: "run_2"})
	before := h.export(Evaluation)
	h.add("refunds", Case{Run: "run_1", Expected: "new"}) // the exported revision goes, too
	w, err := h.book.Withdraw(t.Context(), anybody, "", "ada", "asked")
	if err != nil || w.Items != 2 || len(w.Exports) != 1 || w.Exports[0].ID != before.ID {
		t.Fatalf("%+v, %v", w, err)
	}
	if x := h.export(Evaluation); x.Items != 1 || x.Left["withdrawn"] != 1 || strings.Contains(string(x.Content), "run_1") {
		t.Errorf("%+v\n%s", x, x.Content)
	}
	for version := range int64(3) {
		for _, i := range h.items(version + 1) {
			if i.Run == "run_1" && (!i.Withdrawn || len(i.Input) > 0 || i.Answer+i.Expected != "") {
				t.Errorf("version %d still has %+v", version+1, i)
			}
		}
	}
	for _, run := range []string{"run_1", "run_3"} {
		if _, err := h.book.Add(t.Context(), anybody, "refunds", Case{Run: run}); fault.From(err).Code != "dataset.withdrawn" {
			t.Errorf("%s: %v", run, err)
		}
	}
	all, err := h.book.Exports(t.Context(), anybody, "refunds")
	if err != nil || len(all) != 2 || all[1].Withdrawn != 1 || all[0].Withdrawn != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if w, err := h.book.Withdraw(t.Context(), anybody, "", "nobody", "asked"); err != nil || w.Items != 0 {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production"})
	h.runs["run_1"] = recorded("ada", "No.")
	h.runs["run_2"] = recorded("ada", "bin\x00ary")
	question := []Message{{"user", "?"}}
	for name, c := range map[string]struct {
		c    Case
		code string
	}{
		"no such run":      {Case{Run: "run_9"}, "dataset.invalid"},
		"nothing asked":    {Case{Input: []Message{}}, "dataset.invalid"},
		"no user":          {Case{Input: []Message{{"assistant", "hi"}}}, "dataset.invalid"},
		"a role":           {Case{Input: []Message{{"tool", "x"}, {"user", "y"}}}, "dataset.invalid"},
		"a verdict":        {Case{Run: "run_1", Verdict: "great"}, "dataset.invalid"},
		"a consent":        {Case{Run: "run_1", Consent: "own"}, "dataset.invalid"},
		"too large":        {Case{Input: question, Expected: strings.Repeat("x", maxItem)}, "dataset.invalid"},
		"too many words":   {Case{Input: question, Contains: make([]string, maxWords+1)}, "dataset.invalid"},
		"an empty word":    {Case{Input: question, Absent: []string{""}}, "dataset.invalid"},
		"cannot be looked": {Case{Run: "run_2"}, "dataset.unreadable"},
	} {
		if _, err := h.book.Add(t.Context(), anybody, "refunds", c.c); fault.From(err).Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.items(0); len(got) != 0 {
		t.Errorf("a refused case is kept: %+v", got)
	}
	viewer := Actor{Can: func(role, team, _ string) bool { return role == "viewer" && team == "support" }}
	if _, _, err := h.book.Items(t.Context(), viewer, "refunds", 0, 0); fault.From(err).Code != "dataset.denied" {
		t.Errorf("content without the role reader: %v", err)
	}
	stranger := Actor{Can: func(_, team, _ string) bool { return team == "shop" }}
	metadata := Actor{Can: func(role, _, _ string) bool { return role != "reader" }}
	if _, err := h.book.Add(t.Context(), viewer, "refunds", Case{Run: "run_1"}); fault.From(err).Code != "dataset.denied" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Add(t.Context(), metadata, "refunds", Case{Run: "run_1"}); fault.From(err).Code != "dataset.denied" {
		t.Errorf("content through a data set: %v", err)
	}
	if _, err := h.book.Export(t.Context(), metadata, "refunds", 0, SFT, "x"); fault.From(err).Code != "dataset.denied" {
		t.Errorf("content through an export: %v", err)
	}
	if _, _, err := h.book.Items(t.Context(), stranger, "refunds", 0, 0); fault.From(err).Code != "dataset.not_found" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Put(t.Context(), stranger, Set{Name: "refunds", Team: "shop"}); fault.From(err).Code != "dataset.conflict" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Export(t.Context(), anybody, "refunds", 0, "csv", "x"); fault.From(err).Code != "dataset.invalid" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Export(t.Context(), anybody, "refunds", 0, SFT, " "); fault.From(err).Code != "dataset.invalid" {
		t.Errorf("%v", err)
	}
	if _, _, err := h.book.Items(t.Context(), anybody, "refunds", 7, 0); fault.From(err).Code != "dataset.invalid" {
		t.Errorf("%v", err)
	}
}

// TestConsentIsTheUsers: nobody says for a user who refused that they agree, and a
// basis that was taken away covers nothing any more.
func TestConsentIsTheUsers(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production", Basis: "contract"})
	no, yes := recorded("ada", "No."), recorded("bob", "Yes.")
	no.Consent = ConsentRefused
	h.runs["run_1"], h.runs["run_2"] = no, yes
	if i := h.add("refunds", Case{Run: "run_1", Consent: ConsentGiven}); i.Consent != ConsentRefused {
		t.Errorf("%+v", i)
	}
	h.add("refunds", Case{Run: "run_2"})
	if x := h.export(Evaluation); x.Items != 1 {
		t.Errorf("%+v", x)
	}
	h.set(Set{Name: "refunds"})
	if x := h.export(Evaluation); x.Items != 0 || x.Left["no_basis"] != 1 || x.Left["no_consent"] != 1 {
		t.Errorf("%+v", x)
	}
}

// TestADeletedSetStillTellsOfItsExports: and one of the same name, made anew, shows
// none of the former's.
func TestADeletedSetStillTellsOfItsExports(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production", Basis: "contract"})
	h.runs["run_1"] = recorded("ada", "No.")
	h.add("refunds", Case{Run: "run_1"})
	before := h.export(Evaluation)
	if err := h.book.Delete(t.Context(), anybody, "refunds"); err != nil {
		t.Fatal(err)
	}
	if all, err := h.book.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	h.set(Set{Name: "refunds", Team: "shop"})
	if got := h.items(0); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if all, err := h.book.Exports(t.Context(), anybody, "refunds"); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	w, err := h.book.Withdraw(t.Context(), anybody, "support", "ada", "asked")
	if err != nil || w.Items != 1 || len(w.Exports) != 1 || w.Exports[0].ID != before.ID {
		t.Errorf("%+v, %v", w, err)
	}
}

// TestWhatBecameOfCases: whoever saw a version is told of each case that is not what it
// was, also of those that came and went since, and of a set that is made anew.
func TestWhatBecameOfCases(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "gate", Team: "support", Environment: "production", Basis: "contract"})
	h.runs["run_1"], h.runs["run_2"] = recorded("ada", "No."), recorded("bob", "Yes.")
	stands := func(since int64) Standing {
		st, err := h.book.Stands(t.Context(), "gate", since)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	one := h.add("gate", Case{Run: "run_1", Expected: "Yes."})
	two := h.add("gate", Case{Run: "run_2"}) // says nothing of what is right
	seen := stands(0)
	if seen.Version != 2 || seen.Cases != 2 || seen.Silent != 1 || seen.Born.IsZero() {
		t.Fatalf("%+v", seen)
	}
	if st := stands(2); st.Added != 0 || st.Changed != 0 || st.Then != 2 {
		t.Errorf("nothing changed: %+v", st)
	}
	own := func(contains string) Item {
		return h.add("gate", Case{Input: []Message{{"user", "Where?"}}, Contains: []string{contains}})
	}
	hard := own("receipt")
	if st := stands(2); st.Added != 1 || st.Changed != 0 || st.Then != 2 || st.Cases != 3 {
		t.Errorf("a case more: %+v", st)
	}
	steps := []struct {
		what string
		do   func() error
	}{
		{"a case that came is taken out", func() error { return h.book.Remove(t.Context(), anybody, "gate", hard.ID) }},
		{"one is made easier", func() error { h.add("gate", Case{Run: "run_1", Expected: "No."}); return nil }},
		{"one is taken out of what is run", func() error { h.add("gate", Case{Run: "run_2", Consent: ConsentRefused}); return nil }},
		{"one is taken out", func() error { return h.book.Remove(t.Context(), anybody, "gate", one.ID) }},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if st := stands(2); st.Changed != int64(i)+1 {
			t.Errorf("%s: %+v", s.what, st)
		}
	}
	all, more, err := h.book.Changes(t.Context(), anybody, "gate", 2)
	if err != nil || more || len(all) != 3 {
		t.Fatalf("%+v %v %v", all, more, err)
	}
	by := map[string]Change{}
	for _, c := range all {
		by[c.Case] = c
	}
	if c := by[one.Case]; c.Was == nil || c.Was.Expected != "Yes." || c.Is == nil || c.Is.Removed == 0 || c.Is.Expected != "No." {
		t.Errorf("changed and taken out: %+v", c)
	}
	if c := by[two.Case]; c.Was == nil || c.Is == nil || c.Is.Consent != ConsentRefused || c.Is.Removed != 0 {
		t.Errorf("refused: %+v", c)
	}
	if c := by[hard.Case]; c.Was != nil || c.Is == nil || c.Is.Removed == 0 {
		t.Errorf("came and went: %+v", c)
	}
	metadata := Actor{Can: func(role, _, _ string) bool { return role != "reader" }}
	if _, _, err := h.book.Changes(t.Context(), metadata, "gate", 2); fault.From(err).Code != "dataset.denied" {
		t.Errorf("content without the role reader: %v", err)
	}
	if _, err := h.book.Withdraw(t.Context(), anybody, "", "bob", "asked"); err != nil {
		t.Fatal(err)
	}
	if st := stands(2); st.Then != 1 {
		t.Errorf("withdrawn: %+v", st)
	}
	if err := h.book.Delete(t.Context(), anybody, "gate"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Stands(t.Context(), "gate", 2); fault.From(err).Code != "dataset.not_found" {
		t.Errorf("%v", err)
	}
	h.set(Set{Name: "gate", Team: "support", Environment: "production"})
	if st := stands(2); st.Born.Equal(seen.Born) || st.Cases != 0 {
		t.Errorf("made anew: %+v", st)
	}
}

// Cases of runs go whoever's they are, and are told like those of a person.
func TestCasesOfErasedRunsLeave(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.set(Set{Name: "refunds", Team: "support", Environment: "production", Basis: "contract"})
	h.runs["run_1"], h.runs["run_2"] = recorded("ada", "No."), recorded("", "Yes.")
	h.add("refunds", Case{Run: "run_1"})
	h.add("refunds", Case{Run: "run_2"})
	before := h.export(Evaluation)
	if n, err := h.book.HeldOf(t.Context(), map[string]bool{"run_2": true, "run_9": true}); n != 1 || err != nil {
		t.Errorf("%d cases are held, %v", n, err)
	}
	w, err := h.book.WithdrawRuns(t.Context(), anybody, []string{"run_2", "run_9"}, "sent by mistake")
	if err != nil || w.Items != 1 || len(w.IDs) != 1 || len(w.Exports) != 1 || w.Exports[0].ID != before.ID {
		t.Errorf("%+v, %v", w, err)
	}
	for _, i := range h.items(0) {
		if i.Withdrawn != (i.Run == "run_2") || i.Withdrawn && (len(i.Input) > 0 || i.Answer != "") {
			t.Errorf("%+v", i)
		}
	}
	if n, err := h.book.HeldOf(t.Context(), map[string]bool{"run_2": true}); n != 0 || err != nil {
		t.Errorf("%d cases are held still, %v", n, err)
	}
}
