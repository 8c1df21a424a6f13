package compliance

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"reeve/internal/audit/record"
	"reeve/internal/audit/tree"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

const mapping = `id: house
title: House rules
source: ours
version: 1
about: What we promise.
controls:
  - id: r1
    title: Tasks are done
    article: one
    evidence:
      - {id: done, title: Done, kpi: task_completion, at_least: 0.9, least: 10}
      - {id: calls, title: Calls, count: {table: decisions, where: "verdict:hold"}, at_least: 1}
  - id: r2
    title: Nobody is unknown
    article: two
    evidence:
      - {id: unknown, title: Unknown, fact: unknown_agents, at_most: 0}
  - id: r3
    title: Nothing can show it
    article: three
`

func TestStartersRead(t *testing.T) {
	t.Parallel()
	all, err := Starters()
	if err != nil || len(all) != 2 {
		t.Fatalf("%d, %v", len(all), err)
	}
	for _, f := range all {
		for _, c := range f.Controls {
			if len(c.Evidence) == 0 || c.About == "" || c.Article == "" {
				t.Errorf("%s %s has no evidence, text or article", f.ID, c.ID)
			}
		}
	}
}

func TestBadMappings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"no YAML":             {"id: [", "does not read"},
		"an unknown key":      {strings.Replace(mapping, "source:", "sauce:", 1), "sauce"},
		"no id":               {strings.Replace(mapping, "id: house", "id: House Rules", 1), "no word"},
		"an id twice":         {strings.Replace(mapping, "id: r2", "id: r1", 1), "two of this id"},
		"two questions":       {strings.Replace(mapping, "kpi: task_completion,", "kpi: task_completion, fact: unknown_agents,", 1), "one of kpi, fact and count"},
		"no line":             {strings.Replace(mapping, "at_most: 0", "least: 0", 1), "at_least or at_most"},
		"both lines":          {strings.Replace(mapping, "at_most: 0", "at_most: 0, at_least: 1", 1), "at_least or at_most"},
		"a fact of nobody's":  {strings.Replace(mapping, "fact: unknown_agents", "fact: gut_feeling", 1), "no fact"},
		"another table":       {strings.Replace(mapping, "table: decisions", "table: secrets", 1), "count.table"},
		"a line of nothing":   {strings.Replace(mapping, "at_most: 0", "at_most: .nan", 1), "compared with"},
		"a line without end":  {strings.Replace(mapping, "at_most: 0", "at_most: .inf", 1), "compared with"},
		"no controls":         {"id: x\ntitle: x\n", "1 to"},
		"too long":            {mapping + strings.Repeat("#", maxText), "bytes at most"},
		"a control's own key": {strings.Replace(mapping, "    title: Tasks", "    tilte: Tasks", 1), "tilte"},
	} {
		_, err := Read(c[0])
		if !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// facts answers from a table; what is not in it is an error.
type facts map[string]Value

func (f facts) get(name string) (Value, error) {
	v, ok := f[name]
	if !ok {
		return v, errors.New("the store is away")
	}
	return v, nil
}

func (f facts) KPI(_ context.Context, id string, _, _ time.Time) (Value, error) { return f.get(id) }
func (f facts) Fact(_ context.Context, name string, _, _ time.Time) (Value, error) {
	return f.get(name)
}

func (f facts) Count(_ context.Context, c Count, _, _ time.Time) (Value, error) {
	return f.get(c.Table)
}

func ptr(v float64) *float64 { return &v }

func of(v float64, n int64) Value { return Value{Value: &v, N: n} }

func TestResults(t *testing.T) {
	t.Parallel()
	f, err := Read(mapping)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		facts facts
		want  string // of r1 and r2; r3 is always unknown
	}{
		"all is well":          {facts{"task_completion": of(.95, 100), "decisions": of(3, 3), "unknown_agents": of(0, 0)}, "pass pass"},
		"on the line":          {facts{"task_completion": of(.9, 10), "decisions": of(1, 1), "unknown_agents": of(0, 0)}, "pass pass"},
		"below it":             {facts{"task_completion": of(.89, 100), "decisions": of(3, 3), "unknown_agents": of(1, 1)}, "fail fail"},
		"too few":              {facts{"task_completion": of(1, 9), "decisions": of(3, 3), "unknown_agents": of(0, 0)}, "unknown pass"},
		"one fails, one lacks": {facts{"task_completion": {Why: "no record"}, "decisions": of(0, 0), "unknown_agents": of(0, 0)}, "fail pass"},
		// Of a period that is partly gone a share says nothing; a number that is above
		// its line already stays there.
		"a part of it is gone": {facts{"task_completion": {Value: ptr(.95), N: 100, Gone: "old"}, "decisions": of(3, 3), "unknown_agents": of(0, 0)}, "unknown pass"},
		"numbers are gone":     {facts{"task_completion": of(.95, 100), "decisions": {Value: ptr(0), N: 9, Gone: "old"}, "unknown_agents": of(0, 0)}, "unknown pass"},
		"enough is there":      {facts{"task_completion": of(.95, 100), "decisions": {Value: ptr(3), N: 9, Gone: "old"}, "unknown_agents": of(0, 0)}, "pass pass"},
		"cannot be computed":   {facts{"decisions": of(3, 3)}, "unknown unknown"},
	} {
		a, err := assess(t.Context(), f, c.facts, time.Unix(0, 0), time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Controls[0].Result + " " + a.Controls[1].Result; got != c.want || a.Controls[2].Result != Unknown || a.Pass+a.Fail+a.Unknown != 3 {
			t.Errorf("%s: %s, %s; want %s, unknown", name, got, a.Controls[2].Result, c.want)
		}
	}
}

func open(t *testing.T) *Book {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b, err := New(db, func() time.Time { return time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOwnMappings(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	who := Who{Person: "per_1", Name: "Ada"}
	f, err := b.Put(ctx, who, mapping, 0)
	if err != nil || f.Revision != 1 || !f.Custom {
		t.Fatalf("%+v, %v", f, err)
	}
	if _, err := b.Put(ctx, who, mapping, 0); !fault.Is(err, fault.KindConflict) {
		t.Errorf("an old revision: %v", err)
	}
	// One's own of the same id stands before the one that ships.
	own := strings.Replace(mapping, "id: house", "id: eu-ai-act", 1)
	if _, err := b.Put(ctx, who, own, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Framework(ctx, "eu-ai-act"); err != nil || f.Title != "House rules" {
		t.Errorf("%+v, %v", f, err)
	}
	if err := b.Delete(ctx, who, "eu-ai-act"); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Framework(ctx, "eu-ai-act"); err != nil || f.Custom {
		t.Errorf("%+v, %v", f, err)
	}
	if err := b.Delete(ctx, who, "eu-ai-act"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("removing what ships: %v", err)
	}
	if _, err := b.Assess(ctx, who, "none", facts{}, time.Unix(0, 0), time.Unix(1, 0)); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a framework of nobody's: %v", err)
	}
	a, err := b.Assess(ctx, who, "house", facts{"task_completion": of(.95, 100), "decisions": of(3, 3), "unknown_agents": of(0, 0)}, time.Unix(0, 0), time.Unix(1, 0))
	if err != nil || a.Pass != 2 || a.Unknown != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	kept, err := b.Assessment(ctx, a.ID)
	if err != nil || kept.By != "Ada" || kept.Controls[0].Evidence[0].Text != a.Controls[0].Evidence[0].Text {
		t.Errorf("%+v, %v", kept, err)
	}
	if list, err := b.Assessments(ctx, "house", 10); err != nil || len(list) != 1 {
		t.Errorf("%d, %v", len(list), err)
	}
}

func TestPacks(t *testing.T) {
	t.Parallel()
	secret, public, err := note.GenerateKey(rand.Reader, "house/audit")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text string) ([]byte, error) { return note.Sign(&note.Note{Text: text}, signer) }
	f, err := Read(mapping)
	if err != nil {
		t.Fatal(err)
	}
	a, err := assess(t.Context(), f, facts{"task_completion": of(.95, 100), "decisions": of(3, 3), "unknown_agents": of(0, 0)}, time.Unix(0, 0), time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	a.ID, a.Controls[0].Title = "asm_1", "=cmd()"
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	receipt := receiptOf(t, signer, recorded("asm_1", body))
	build := func(body, receipt []byte) ([]byte, error) {
		return Pack(body, receipt, f, "ins", map[string][]byte{"audit/keys.json": []byte("[]")}, []string{public}, sign, time.Unix(1_800_000_000, 0))
	}
	pack, err := build(body, receipt)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Verify(pack, public)
	if err != nil || m.Assessment != "asm_1" || len(m.Files) != 6 {
		t.Fatalf("%+v, %v", m, err)
	}
	again, err := build(body, receipt)
	if err != nil || !bytes.Equal(again, pack) {
		t.Error("the same evidence makes another pack")
	}
	// What the database says now and the log of changes did not say then is not signed.
	touched := bytes.Replace(body, []byte(`"fail"`), []byte(`"pass"`), 1)
	touched = append(touched, ' ')
	for name, c := range map[string][2][]byte{
		"a changed body": {touched, receipt}, "another's record": {body, receiptOf(t, signer, recorded("asm_2", body))}, "no receipt": {body, nil},
		"a record that is not in the tree": {body, bytes.Replace(receipt, []byte(`\"at\":1`), []byte(`\"at\":2`), 1)},
	} {
		if _, err := build(c[0], c[1]); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, other, err := note.GenerateKey(rand.Reader, "house/audit")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"no zip":        []byte("PK"),
		"cut":           pack[:len(pack)/2],
		"a file more":   change(t, pack, "more.txt", func([]byte) []byte { return []byte("x") }),
		"a file less":   change(t, pack, "controls.csv", func([]byte) []byte { return nil }),
		"a changed one": change(t, pack, "assessment.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"pass"`), []byte(`"fail"`), 1) }),
		"a manifest":    change(t, pack, manifestName, func(b []byte) []byte { return bytes.Replace(b, []byte("asm_1"), []byte("asm_2"), 1) }),
		"no receipt":    change(t, pack, receiptName, func([]byte) []byte { return nil }),
		"no signature":  change(t, pack, signedName, func([]byte) []byte { return nil }),
	} {
		if _, err := Verify(bad, public); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(pack, other); err == nil {
		t.Error("another's key opens it")
	}
	if _, err := Verify(pack); err == nil {
		t.Error("no key opens it")
	}
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range z.File {
		if b, err := readFile(x); x.Name == "controls.csv" && (err != nil || !bytes.Contains(b, []byte("'=cmd()"))) {
			t.Errorf("the table runs what somebody wrote: %s, %v", b, err)
		}
	}
}

// receiptOf proves a record of an assessment in a log of one record.
func receiptOf(t *testing.T, signer note.Signer, object string) []byte {
	t.Helper()
	line, err := record.Canonical(map[string]any{"v": int64(1), "log": "house/audit/one", "seq": int64(0), "at": int64(1), "kind": AssessedKind, "body": map[string]any{"object": object}})
	if err != nil {
		t.Fatal(err)
	}
	root := record.Leaf(line)
	checkpoint, err := note.Sign(&note.Note{Text: "house/audit/one\n1\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tree.Receipt{V: 1, Checkpoint: string(checkpoint), Records: []tree.ReceiptRecord{{Record: string(line), Proof: []string{}}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A framework on a schedule is assessed once when its time has come, however long
// nobody looked; what fails anew is told, what failed before is not told again.
func TestSchedules(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	now := b.now()
	b.now = func() time.Time { return now }
	who := Who{Person: "per_1", Name: "Ada"}
	if _, err := b.Put(ctx, who, mapping, 0); err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{-1, maxDays + 1} {
		if err := b.PutSchedule(ctx, who, "house", days); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%d days: %v", days, err)
		}
	}
	if err := b.PutSchedule(ctx, who, "none", 7); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a framework of nobody's: %v", err)
	}
	if err := b.PutSchedule(ctx, who, "house", 7); err != nil {
		t.Fatal(err)
	}
	answers := facts{"task_completion": of(.95, 100), "decisions": of(3, 3), "unknown_agents": of(0, 0)}
	var told []string
	look := func(after time.Duration) (assessments int) {
		t.Helper()
		now = now.Add(after)
		told = nil
		for range 2 { // a second look makes nothing twice
			if err := b.due(ctx, answers, func(_ context.Context, _ *Assessment, ids []string) { told = append(told, ids...) }); err != nil {
				t.Fatal(err)
			}
		}
		all, err := b.Assessments(ctx, "house", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := look(6 * 24 * time.Hour); n != 0 {
		t.Errorf("%d assessments before it is due", n)
	}
	if n := look(30 * 24 * time.Hour); n != 1 || told != nil {
		t.Errorf("%d assessments, told of %v", n, told)
	}
	answers["unknown_agents"] = of(2, 2)
	if n := look(7 * 24 * time.Hour); n != 2 || len(told) != 1 || told[0] != "r2" {
		t.Errorf("%d assessments, told of %v", n, told)
	}
	if n := look(7 * 24 * time.Hour); n != 3 || told != nil {
		t.Errorf("%d assessments, told again of %v", n, told)
	}
	all, err := b.Assessments(ctx, "house", 3)
	if err != nil {
		t.Fatal(err)
	}
	missing := !all[0].From.Equal(all[1].To) || !all[1].From.Equal(all[2].To) || all[2].To.Sub(all[2].From) != 36*24*time.Hour // since it was wanted
	last, err := b.Assessments(ctx, "house", 1)
	if err != nil || !strings.Contains(last[0].By, "as Ada wanted") || last[0].To.Sub(last[0].From) != 7*24*time.Hour || missing {
		t.Errorf("%+v, %v", last[0], err)
	}
	if err := b.Delete(ctx, who, "house"); err != nil {
		t.Fatal(err)
	}
	if n := look(7 * 24 * time.Hour); n != 3 {
		t.Errorf("%d assessments of a framework that is gone", n)
	}
	if err := b.PutSchedule(ctx, who, "house", 0); err != nil {
		t.Fatal(err)
	}
	if all, err := b.Schedules(ctx); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// change rewrites a file of a pack: made when it is missing, dropped when it comes
// to nothing.
func change(t *testing.T, pack []byte, name string, how func([]byte) []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if files[f.Name], err = readFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if files[name] = how(files[name]); files[name] == nil {
		delete(files, name)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for n, content := range files {
		f, err := w.Create(n)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzRead(f *testing.F) {
	f.Add(mapping)
	f.Add("id: x\ncontrols:\n - evidence: [{}]")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Read(text)
		if err == nil && (m.ID == "" || len(m.Controls) == 0) {
			t.Fatalf("%+v", m)
		}
	})
}
