package erase

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

func text(r control.Row) (s string, err error) { return s, r.Scan(&s) }

// Every column of text in the control database is listed once, with what an erasure
// does with it. A new column fails here until somebody says so in columns.go.
func TestEveryColumnIsListed(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tables, err := control.All(t.Context(), db, text, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]bool{}
	for _, p := range Places() {
		places[p.Name] = true
	}
	for _, name := range tables {
		got, ok := Columns[name]
		if !ok {
			t.Errorf("table %s is not in Columns: say what an erasure does with its texts", name)
			continue
		}
		have, err := control.All(t.Context(), db, text, `SELECT name FROM pragma_table_info(?) WHERE upper(type) IN ('TEXT', 'BLOB', '')`, name)
		if err != nil {
			t.Fatal(err)
		}
		listed := append(strings.Fields(got.Plain), strings.Fields(got.Swept+" "+got.Stays)...)
		for _, columns := range got.By {
			listed = append(listed, strings.Fields(columns)...)
		}
		for _, c := range have {
			if n := count(listed, c); n != 1 && name != "sqlite_sequence" {
				t.Errorf("column %s.%s is listed %d times in Columns, want once: say what an erasure does with it", name, c, n)
			}
		}
		for _, c := range listed {
			if !slices.Contains(have, c) {
				t.Errorf("column %s.%s is listed and is no column of text", name, c)
			}
		}
		if (got.Swept != "" || got.Stays != "") && !places[got.Place] {
			t.Errorf("table %s: no receipt names %q", name, got.Place)
		}
		if got.Run != "" && !slices.Contains(have, got.Run) {
			t.Errorf("table %s has no column %s", name, got.Run)
		}
	}
	for name := range Columns {
		if !slices.Contains(tables, name) {
			t.Errorf("table %s is listed and is not there", name)
		}
	}
	// What is listed can be asked for: wrong SQL fails here, and not when somebody is erased.
	if _, err := (Sweep{DB: db, Words: NewWords(), Runs: map[string]bool{}}).Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

func words() *Words {
	w := NewWords("refund-agent", "gpt-4o-2024-08-06", "support")
	w.Name("kim")
	w.Name("support") // is a team's name, too
	w.Say([]byte(`[{"role":"user","parts":[{"type":"text","content":"My lavender piano is haunted by three otters since May."}]}]`))
	w.Say([]byte(`{"arguments":"{\"order\":\"ORD-48213\",\"to\":\"kim.b@example.org\",\"number\":778812345678}"}`))
	w.Say([]byte("cancel everything"))
	w.Say([]byte("it is as it was on it to me"))
	w.Say([]byte("it came on 2026-05-03T10:00:00Z by gpt-4o-2024-08-06"))
	return w
}

func TestCut(t *testing.T) {
	t.Parallel()
	w := words()
	for in, want := range map[string]string{
		"A user said: my lavender piano is haunted by three otters!":           "A user said: [erased]!",
		"She wrote “My lavender piano is haunted by three ot…”":                "She wrote “[erased]…”",
		"the piano is haunted by three otters since spring":                    "the [erased] spring",
		"the piano is out of tune":                                             "the piano is out of tune",
		"kim asked twice; kimberly and kim-bot did not":                        "[erased] asked twice; kimberly and kim-bot did not",
		"order ORD-48213 of kim.b@example.org.":                                "order [erased] of [erased].",
		"support of refund-agent by gpt-4o-2024-08-06 on 2026-05-03T10:00:00Z": "support of refund-agent by gpt-4o-2024-08-06 on 2026-05-03T10:00:00Z",
		"Cancel everything.":                                                   "[erased].",
		"they had to cancel everything at once and by hand":                    "they had to cancel everything at once and by hand",
		"it is as it was on it to me":                                          "it is as it was on it to me",
		"":                                                                     "",
	} {
		got, did := w.Cut(in)
		if got != want || did != (got != in) {
			t.Errorf("%q became %q (%v), want %q", in, got, did, want)
		}
		if again, did := w.Cut(got); did || again != got {
			t.Errorf("%q is cut again to %q", got, again)
		}
	}
	if _, did := NewWords().Cut("anything at all that somebody said"); did {
		t.Error("nothing is looked for, and something was found")
	}
}

// Documents keep their form: links, figures and keys that join records are not cut.
func TestCutJSON(t *testing.T) {
	t.Parallel()
	w := words()
	w.Name("run_9x")
	c := Cutter(w.Cut)
	in := `{"run":"run_9x","count":778812345678,"text":"kim said ORD-48213","labels":{"kim":"a","x":"kim"},"arguments":"{\"order\":778812345678}","team":"kim","more":[{"kind":"kim","user":"kim"}]}`
	want := `{"arguments":"{\"order\":0}","count":778812345678,"labels":{"[erased]":"a","x":"[erased]"},"more":[{"kind":"kim","user":"[erased]"}],"run":"run_9x","team":"kim","text":"[erased] said [erased]"}`
	if got, did := c.JSON(in); !did || got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	same := `{"text": "nothing of it",  "n": 1.0}`
	if got, did := c.JSON(same); did || got != same {
		t.Errorf("%s became %s", same, got)
	}
}

func TestCutInMemory(t *testing.T) {
	t.Parallel()
	type part struct {
		Run  string `json:"run"`
		Text string
	}
	type whole struct {
		Title  string
		Parts  []part
		Labels map[string]string
		Whose  map[string]*part
		hidden string
	}
	v := whole{Title: "kim", Parts: []part{{"kim", "of kim"}}, Labels: map[string]string{"a": "kim", "b": "x"}, Whose: map[string]*part{"p": {"kim", "kim"}}, hidden: "kim"}
	if !Cutter(words().Cut).In(&v) || v.Title != Gone || v.Parts[0] != (part{"kim", "of " + Gone}) || v.Labels["a"] != Gone || v.Whose["p"].Text != Gone || v.Whose["p"].Run != "kim" {
		t.Errorf("%+v", v)
	}
	if Cutter(words().Cut).In(&v) {
		t.Error("it is cut again")
	}
}

// More was said than fits: it is refused, and not looked for in part.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	w := NewWords()
	w.full = true
	if w.Err() == nil {
		t.Error("no error")
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	put := func(query string, args ...any) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *control.Tx) error {
			_, err := tx.Exec(context.Background(), query, args...)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2*page + 7 {
		note := "nothing of anybody"
		if i%400 == 399 {
			note = "kim asked about ORD-48213"
		}
		put(`INSERT INTO source_job_runs (team, job, run, state, at, note) VALUES ('core', 'j', ?, 'failed', 1, ?)`, i, note)
	}
	evaluation := `INSERT INTO evaluations (id, seq, run, evaluator, source, verdict, score, agent, version, team, environment, person, body, at) VALUES (?, 1, ?, 'e', 'online', 'fail', 0.5, 'a', '', 'core', '', '', ?, 1)`
	put(evaluation, "evl_1", "run_1", `{"kind":"judge","text":"She is divorced and wants her money."}`)
	put(evaluation, "evl_2", "run_2", `{"kind":"judge","text":"He wants his money."}`)
	put(`INSERT INTO audit_content (seq, key, before_state, after_state) VALUES (1000000, 'k', NULL, '{"note":"kim"}')`)
	put(`INSERT INTO audit (seq, at, kind, person, record, leaf) VALUES (1000000, 1, 'admin.x', 'p', '{"reason":"kim asked"}', 'l')`)
	put(`INSERT INTO proposals (id, operation, path, body, summary, team, environment, reason, person_id, created_at, expires_at, state) SELECT 'p1', 'X', '/x', '{"user":"kim"}', '', '', '', '', id, 1, 1, 'open' FROM people LIMIT 1`)

	for _, key := range []string{"ORD-48213", "ord-48213"} { // the same once it is cut
		put(`INSERT INTO feedback_keys (team, environment, join_key, run, at) VALUES ('core', 'production', ?, 'run_9', 1)`, key)
	}

	s := Sweep{DB: db, Words: words(), Runs: map[string]bool{"run_1": true}, Dry: true}
	want := map[string][2]int64{Lessons: {2, 0}, Results: {3, 0}, ChangeLog: {1, 1}}
	check := func(what string, want map[string][2]int64) {
		t.Helper()
		list, err := s.Run(t.Context())
		if err != nil || len(list) != len(Places()) {
			t.Fatalf("%s: %v", what, err)
		}
		for _, f := range list {
			if got := [2]int64{f.Records, f.Left}; got != want[f.Name] {
				t.Errorf("%s: %s holds %v, want %v", what, f.Name, got, want[f.Name])
			}
		}
	}
	check("counted", want)
	check("counted again", want)
	s.Dry = false
	check("cut", want)
	check("cut again", map[string][2]int64{ChangeLog: {0, 1}})
	left, err := control.All(t.Context(), db, text, `SELECT note FROM source_job_runs WHERE note LIKE '%erased%' OR note LIKE '%kim%'`)
	if err != nil || len(left) != 2 || left[0] != "[erased] asked about [erased]" {
		t.Errorf("%q, %v", left, err)
	}
	bodies, err := control.All(t.Context(), db, text, `SELECT body FROM evaluations ORDER BY id`)
	if err != nil || bodies[0] != `{"kind":"judge","text":"[erased]"}` || !strings.Contains(bodies[1], "He wants") {
		t.Errorf("%q, %v", bodies, err)
	}
}
