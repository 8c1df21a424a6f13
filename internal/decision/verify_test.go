package decision

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/audit/tree"
	"reeve/internal/bus"
	"reeve/internal/control"
)

type plainSealer struct{}

func (plainSealer) Seal(_ string, secret []byte) ([]byte, error)   { return secret, nil }
func (plainSealer) Unseal(_ string, sealed []byte) ([]byte, error) { return sealed, nil }

// archive is a log that was written and closed, with all that verifies it.
type archive struct {
	t         *testing.T
	dir       string
	keys      *tree.Keys
	tree      *tree.Tree
	db        *control.DB
	bus       *bus.Bus
	witnessed []string
	log       *Log
	stop      func()
	span      int64
	shift     atomic.Int64 // of the log's clock
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, dir: t.TempDir(), db: openDB(t), bus: openBus(t, bus.Options{})}
	var err error
	if a.keys, _, err = tree.OpenKeys(filepath.Join(a.dir, "keys.json"), "ins/audit", plainSealer{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	a.open()
	return a
}

func (a *archive) open() {
	a.t.Helper()
	var err error
	a.tree, err = tree.Open(tree.Options{
		Dir: filepath.Join(a.dir, "tree"), Origin: "ins/audit/n1", Keys: a.keys,
		Witness: func(_ string, c []byte) { a.witnessed = append(a.witnessed, string(c)) },
	})
	if err != nil {
		a.t.Fatal(err)
	}
	if a.log, err = Open(context.Background(), Options{
		Stream: a.bus.Decisions(), Dir: a.dir, Install: "ins", Node: "n1", DB: a.db, Tree: a.tree, span: a.span,
		Now: func() time.Time { return time.Now().Add(time.Duration(a.shift.Load())) },
	}); err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := a.log
	go func() { done <- log.Run(ctx) }()
	a.stop = func() {
		a.t.Helper()
		cancel()
		if err := <-done; err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *archive) propose(n int, user string) {
	a.t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 51))
	for range n {
		d := sample(r, a.log.NewID())
		d.User = user
		if err := a.log.Propose(context.Background(), d); err != nil {
			a.t.Fatal(err)
		}
		end(r, d)
		a.log.Complete(d)
	}
	a.log.barrier(a.t)
}

func (a *archive) verify(witness ...string) Report {
	a.t.Helper()
	r, err := Verify(a.dir, witness, a.keys.Public())
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// rewrite changes the archive as somebody with the disk could: f gets all
// entries of a shelf. Sizes in the state follow.
func (a *archive) rewrite(name string, f func([]item) []item) {
	a.t.Helper()
	var s state
	text, err := os.ReadFile(filepath.Join(a.dir, "state.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	at := &s.Records
	if name == "content" {
		at = &s.Contents
	}
	sh, err := openShelf(filepath.Join(a.dir, name), *at)
	if err != nil {
		a.t.Fatal(err)
	}
	var all []item
	if err := sh.read(0, func(it item) error { all = append(all, it); return nil }); err != nil {
		a.t.Fatal(err)
	}
	all = f(all)
	if err := os.RemoveAll(filepath.Join(a.dir, name)); err != nil {
		a.t.Fatal(err)
	}
	if sh, err = openShelf(filepath.Join(a.dir, name), shelfEnd{File: -1}); err != nil {
		a.t.Fatal(err)
	}
	if err := sh.append(all, nil); err != nil {
		a.t.Fatal(err)
	}
	if *at, err = sh.sync(); err != nil {
		a.t.Fatal(err)
	}
	if name == "records" && len(all) > 0 {
		s.Seq = all[len(all)-1].seq + 1
	}
	if text, err = json.Marshal(&s); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "state.json"), text, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// relink gives records the chain that their bytes now have.
func relink(all []item) []item {
	var prev record.Hash
	for i := range all {
		r, err := record.Parse(all[i].data)
		if err != nil {
			panic(err)
		}
		r.Seq, r.Prev = int64(i), prev
		all[i] = item{int64(i), r.Append(nil)}
		prev = record.Leaf(all[i].data)
	}
	return all
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	change := func(all []item, i int, from, to string) []item {
		text := strings.Replace(string(all[i].data), from, to, 1)
		if text == string(all[i].data) {
			panic(from + " is not in " + text)
		}
		all[i].data = []byte(text)
		return all
	}
	for _, c := range []struct {
		name, shelf string
		f           func([]item) []item
		resign      bool // the attacker has our key, and makes tiles and checkpoint anew
		seq         int64
		reason      string // with the witness
		alone       string // without it; "" holds
	}{
		{"nothing", "records", func(a []item) []item { return a }, false, 0, "", ""},
		{"a record changed", "records", func(a []item) []item { return change(a, 7, `"kind":"`, `"kind":"x`) }, false, 8, "does not follow", "does not follow"},
		{"a record's form changed", "records", func(a []item) []item { return change(a, 7, `{"at"`, `{ "at"`) }, false, 7, "canonical form", "canonical form"},
		{"a record removed", "records", func(a []item) []item { return slices.Delete(a, 7, 8) }, false, 7, "missing", "missing"},
		{"the first removed", "records", func(a []item) []item { return a[1:] }, false, 0, "no record says that retention", "no record says that retention"},
		{"two swapped", "records", func(a []item) []item { a[7].data, a[8].data = a[8].data, a[7].data; return a }, false, 7, "says that it is record 8", "says that it is record 8"},
		{"the chain written anew", "records", func(a []item) []item { return relink(change(a, 7, "é", "e")) }, false, 0, "not those that the checkpoint", "not those that the checkpoint"},
		{"the chain and all else written anew", "records", func(a []item) []item { return relink(change(a, 7, "é", "e")) }, true, 0, "not those that the checkpoint", ""},
		{"the tail removed", "records", func(a []item) []item { return a[:len(a)-3] }, false, 0, "newest were removed", "newest were removed"},
		{"the tail and all else removed", "records", func(a []item) []item { return a[:len(a)-3] }, true, 0, "newest were removed", ""},
		{"content changed", "content", func(a []item) []item { return change(a, 4, "principal", "principle") }, false, 0, "content was changed", "content was changed"},
		{"content removed", "content", func(a []item) []item { return slices.Delete(a, 4, 5) }, false, 0, "no record says that it was erased", "no record says that it was erased"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			a.propose(20, "ada")
			a.stop()
			if r := a.verify(a.witnessed...); r.Break != nil || r.Records < 40 || r.Agreed != r.Records {
				t.Fatalf("before: %+v %+v", r, r.Break)
			}
			a.rewrite(c.shelf, c.f)
			if c.resign {
				a.resign()
			}
			for _, with := range []bool{false, true} {
				var witness []string
				want := c.alone
				if with {
					witness, want = a.witnessed, c.reason
				}
				r := a.verify(witness...)
				switch {
				case want == "" && r.Break != nil, want != "" && (r.Break == nil || !strings.Contains(r.Break.Reason, want)):
					t.Errorf("witness %v: %+v, want %q", with, r.Break, want)
				case c.seq > 0 && r.Break.Seq != c.seq:
					t.Errorf("witness %v: breaks at %d, want %d", with, r.Break.Seq, c.seq)
				}
			}
		})
	}
}

// resign makes tiles and checkpoint as if the archive were right.
func (a *archive) resign() {
	a.t.Helper()
	dir := filepath.Join(a.dir, "tree")
	if err := os.RemoveAll(dir); err != nil {
		a.t.Fatal(err)
	}
	tr, err := tree.Open(tree.Options{Dir: dir, Origin: "ins/audit/n1", Keys: a.keys})
	if err != nil {
		a.t.Fatal(err)
	}
	var leaves []record.Hash
	a.rewrite("records", func(all []item) []item {
		for _, it := range all {
			leaves = append(leaves, record.Leaf(it.data))
		}
		return all
	})
	if err := tr.Append(0, leaves); err != nil {
		a.t.Fatal(err)
	}
	if err := tr.Sign(); err != nil {
		a.t.Fatal(err)
	}
}

func TestVerifyWithForeignKey(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.propose(3, "")
	a.stop()
	other, _, err := tree.OpenKeys(filepath.Join(t.TempDir(), "k"), "ins/audit", plainSealer{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(a.dir, nil, other.Public()); err == nil {
		t.Error("a checkpoint of another key verifies")
	}
	if r, err := Verify(t.TempDir(), nil, nil); err != nil || r.Last != -1 || r.Break != nil {
		t.Errorf("an empty folder: %+v, %v", r, err)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.propose(5, "ada@example.com")
	a.propose(4, "bob@example.com")
	var ada activity.Decision
	if err := a.log.Each(t.Context(), time.Unix(0, 0), time.Unix(1<<33, 0), func(d *activity.Decision) error {
		if ada.ID == "" {
			ada = *d
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if ada.Context == nil {
		t.Fatal("no content before")
	}
	got, err := a.log.Erase(t.Context(), "ada@example.com", "per_1", "asked for it")
	if err != nil || got.Records != 5 || len(got.Pseudonyms) != 1 {
		t.Fatalf("erased %+v, %v", got, err)
	}
	if name, err := a.log.UserName(t.Context(), got.Pseudonyms[0]); err != nil || name != "" {
		t.Errorf("the name is still %q, %v", name, err)
	}
	ada.Context, ada.ArgumentsHash = nil, ""
	if err := a.log.Content(t.Context(), &ada); err != nil || ada.Context != nil || ada.ArgumentsHash != "" {
		t.Errorf("the content is still there: %s, %v", ada.Context, err)
	}
	// No file of the log's folder knows the name.
	err = filepath.WalkDir(a.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "ada@example.com") {
			t.Errorf("%s has the name", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a.propose(2, "ada@example.com") // under another pseudonym
	again, err := a.log.Pseudonyms(t.Context(), "ada@example.com")
	if err != nil || len(again) == 0 || slices.Contains(again, got.Pseudonyms[0]) {
		t.Errorf("pseudonyms afterwards: %q, %v", again, err)
	}
	a.stop()
	if r := a.verify(a.witnessed...); r.Break != nil || r.Erased != 5 {
		t.Errorf("%+v %+v", r, r.Break)
	}
	a.rewrite("content", func(all []item) []item {
		for _, it := range all {
			if c, _, err := readContent(it.data); err != nil || c.user == "ada@example.com" && it.seq < 18 {
				t.Errorf("record %d still names her: %v", it.seq, err)
			}
		}
		return all
	})
	a.open()
	if _, err := a.log.Erase(t.Context(), "nobody", "per_1", ""); err == nil {
		t.Error("nobody can be erased")
	}
	a.stop()
}

func TestRetentionKeepsHashes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.stop()
	a.span = 16
	a.open()
	a.propose(30, "")
	a.log.barrier(t)
	if err := a.log.keepAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := a.verify(); r.Break != nil {
		t.Fatalf("before: %+v", r.Break)
	}
	a.shift.Store(int64(48 * time.Hour))
	if err := a.log.Retain(t.Context(), Retention{Records: 24 * time.Hour, Content: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	a.propose(3, "")
	a.stop()
	r := a.verify(a.witnessed...)
	if r.Break != nil || r.First < 16 || r.First%16 != 0 || r.Records < 6 || r.Agreed != r.Last+1 {
		t.Errorf("after: %+v %+v", r, r.Break)
	}
	if _, err := a.log.at(t.Context(), 5); err == nil {
		t.Error("a dropped record is still read")
	}
	a.open()
	a.propose(1, "")
	a.stop()
	if r := a.verify(a.witnessed...); r.Break != nil {
		t.Errorf("after a restart: %+v", r.Break)
	}
}

// A tree whose tiles are gone is made again from the records.
func TestTreeIsMadeAgain(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.propose(10, "")
	a.stop()
	before := a.tree.Latest()
	if err := tree.Reset(filepath.Join(a.dir, "tree")); err != nil {
		t.Fatal(err)
	}
	a.open()
	if c, err := tree.ParseCheckpoint(before); err != nil || a.tree.Size() < c.Size {
		t.Errorf("the tree has %d leaves, the checkpoint %+v, %v", a.tree.Size(), c, err)
	}
	a.stop()
	if r := a.verify(append(a.witnessed, string(before))...); r.Break != nil {
		t.Errorf("%+v", r.Break)
	}
}

// The content of a run's records goes, whoever they were for, and the log says so: for
// a run that no record names it is missed.
func TestEraseRuns(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.propose(6, "ada@example.com")
	a.propose(5, "")
	runs := map[activity.RunID]int{}
	var all []activity.Decision
	if err := a.log.Each(t.Context(), time.Unix(0, 0), time.Unix(1<<33, 0), func(d *activity.Decision) error {
		runs[d.Run]++
		all = append(all, *d)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	gone := all[len(all)-1].Run
	n, err := a.log.EraseRuns(t.Context(), []activity.RunID{gone}, "per_1", "sent by mistake")
	if err != nil || n != runs[gone] {
		t.Fatalf("%d records of %d, %v", n, runs[gone], err)
	}
	for _, d := range all {
		d.Context, d.ArgumentsHash = nil, ""
		if err := a.log.Content(t.Context(), &d); err != nil || (d.Context == nil) != (d.Run == gone) {
			t.Errorf("run %s: content %s, %v", d.Run, d.Context, err)
		}
	}
	if n, err := a.log.EraseRuns(t.Context(), nil, "per_1", ""); n != 0 || err != nil {
		t.Errorf("of no runs: %d, %v", n, err)
	}
	a.stop()
	if r := a.verify(a.witnessed...); r.Break != nil || r.Erased != int64(runs[gone]) {
		t.Errorf("%+v %+v", r, r.Break)
	}
	// Another's content that goes without a record is a break still.
	a.rewrite("content", func(all []item) []item { return all[1:] })
	a.resign()
	if r := a.verify(); r.Break == nil {
		t.Error("content that nobody erased is not missed")
	}
}
