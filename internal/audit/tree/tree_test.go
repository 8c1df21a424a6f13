package tree

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"reeve/internal/audit/record"
	"reeve/internal/fault"
)

// plainSealer marks what it was given, as an installation without a passphrase.
type plainSealer struct{}

func (plainSealer) Seal(_ string, secret []byte) ([]byte, error) {
	return append([]byte{0}, secret...), nil
}

func (plainSealer) Unseal(_ string, sealed []byte) ([]byte, error) { return sealed[1:], nil }

// lockedSealer encrypts in a way that only shows.
type lockedSealer struct{ plainSealer }

func (lockedSealer) Seal(_ string, secret []byte) ([]byte, error) {
	out := []byte{1}
	for _, b := range secret {
		out = append(out, b^0x55)
	}
	return out, nil
}

func (l lockedSealer) Unseal(name string, sealed []byte) ([]byte, error) {
	if sealed[0] == 0 {
		return l.plainSealer.Unseal(name, sealed)
	}
	var out []byte
	for _, b := range sealed[1:] {
		out = append(out, b^0x55)
	}
	return out, nil
}

const origin = "ins/audit/n1"

func openTest(t testing.TB, dir string) *Tree {
	t.Helper()
	keys, _, err := OpenKeys(filepath.Join(dir, "keys.json"), "ins/audit", plainSealer{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Open(Options{Dir: filepath.Join(dir, "tree"), Origin: origin, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// lineOf is record i of the test's log.
func lineOf(i int64) []byte {
	r := record.Record{Log: origin, Seq: i, At: i, Kind: "alive", Body: fmt.Appendf(nil, `{"i":%d}`, i)}
	if i > 0 {
		r.Prev = record.Leaf(fmt.Append(nil, i-1))
	}
	return r.Append(nil)
}

func leavesOf(from, to int64) (out []record.Hash) {
	for i := from; i < to; i++ {
		out = append(out, record.Leaf(lineOf(i)))
	}
	return out
}

// oracle is the tree as x/mod computes it, hash by hash.
type oracle struct{ stored []tlog.Hash }

func (o *oracle) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, o.stored[i])
	}
	return out, nil
}

func (o *oracle) add(t *testing.T, n int64) tlog.Hash {
	t.Helper()
	hashes, err := tlog.StoredHashes(n, lineOf(n), o)
	if err != nil {
		t.Fatal(err)
	}
	o.stored = append(o.stored, hashes...)
	root, err := tlog.TreeHash(n+1, o)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRootsAndProofs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tr := openTest(t, dir)
	var o oracle
	empty, err := tlog.TreeHash(0, nil)
	if err != nil || tr.hasher.Root() != empty {
		t.Errorf("the empty tree's root is %v", tr.hasher.Root())
	}
	roots := []tlog.Hash{empty}
	const n = 3*tileWidth + 77
	for i := range int64(n) {
		roots = append(roots, o.add(t, i))
	}
	for at := int64(0); at < n; {
		step := min(1+at%97, n-at)
		if err := tr.Append(max(0, at-3), leavesOf(max(0, at-3), at+step)); err != nil { // some again
			t.Fatal(err)
		}
		at += step
		if got := tr.hasher.Root(); got != roots[at] {
			t.Fatalf("root of %d differs", at)
		}
		if at%5 == 0 { // as after a restart
			tr = openTest(t, dir)
			if tr.Size() != at || tr.hasher.Root() != roots[at] {
				t.Fatalf("opened again: size %d, want %d", tr.Size(), at)
			}
		}
		if err := tr.Sign(); err != nil {
			t.Fatal(err)
		}
		c, err := OpenCheckpoint(tr.Latest(), tr.o.Keys.Public()...)
		if err != nil || c != (Checkpoint{origin, at, roots[at]}) {
			t.Fatalf("checkpoint %+v, %v", c, err)
		}
		for _, i := range []int64{0, at / 2, at - 1} {
			hashes, _, err := tr.Prove(i)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(hashes, at, roots[at], i, tlog.RecordHash(lineOf(i))); err != nil {
				t.Fatalf("proof of %d in %d: %v", i, at, err)
			}
		}
	}
	var all []record.Hash
	for {
		part, err := tr.Leaves(int64(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		if len(part) == 0 {
			break
		}
		all = append(all, part...)
	}
	if diff := cmp.Diff(leavesOf(0, n), all); diff != "" {
		t.Errorf("leaves differ")
	}
	if err := tr.Append(n+1, leavesOf(n+1, n+2)); fault.From(err).Code != "tree.gap" {
		t.Errorf("a gap gives %v", err)
	}
	if _, _, err := tr.Prove(n); fault.From(err).Code != "tree.not_signed" {
		t.Errorf("beyond the checkpoint: %v", err)
	}
	// Full tiles and the newest partial ones, by the names that others know.
	for _, name := range []string{"tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003.p/77", "tile/1/000.p/3"} {
		if _, err := os.Stat(tr.path(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := filepath.Glob(tr.path("tile/0/*.p/*")); err != nil || len(left) > 2 {
		t.Errorf("partial tiles left: %q, %v", left, err)
	}
}

func TestLostTile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tr := openTest(t, dir)
	if err := tr.Append(0, leavesOf(0, 10)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(tr.path("tile/0/000.p/10")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(tr.o); fault.From(err).Code != "tree.lost" {
		t.Errorf("without a tile: %v", err)
	}
	other := tr.o
	other.Origin = "ins/audit/n2"
	if _, err := Open(other); fault.From(err).Code != "tree.origin" {
		t.Errorf("another log's tiles: %v", err)
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	tr := openTest(t, t.TempDir())
	if err := tr.Append(0, leavesOf(0, 700)); err != nil {
		t.Fatal(err)
	}
	if err := tr.Sign(); err != nil {
		t.Fatal(err)
	}
	var r Receipt
	for _, i := range []int64{5, 600} {
		if err := r.Add(tr, i, lineOf(i)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string, keys ...string) error {
		r, err := ReadReceipt([]byte(text))
		if err != nil {
			return err
		}
		_, _, err = r.Verify(keys...)
		return err
	}
	public := tr.o.Keys.Public()
	if err := check(string(text), public...); err != nil {
		t.Fatal(err)
	}
	stranger, _, err := OpenKeys(filepath.Join(t.TempDir(), "k"), "ins/audit", plainSealer{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := check(string(text), stranger.Public()...); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("with another key: %v", err)
	}
	if err := check(string(text)); err == nil {
		t.Error("without a key it verifies")
	}
	if err := check(string(text), "nonsense"); fault.From(err).Code != "tree.key" {
		t.Errorf("with no key: %v", err)
	}
	for _, change := range [][2]string{
		{`\"i\":5`, `\"i\":6`},
		{`"seq":5`, `"seq":6`},
		{"\\n700\\n", "\\n701\\n"},
		{r.Records[0].Proof[0], base64.StdEncoding.EncodeToString(make([]byte, 32))},
		{`"` + r.Records[0].Proof[0] + `",`, ``},
		{r.Records[1].Proof[1], "x"},
		{"ins/audit/n1\\n", "ins/audit/n2\\n"},
		{`"v":1`, `"v":2`},
	} {
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("%s is not in %s", change[0], text)
		}
		if err := check(bad, public...); err == nil {
			t.Errorf("%s for %s verifies", change[1], change[0])
		}
	}
}

func TestReceiptContent(t *testing.T) {
	t.Parallel()
	tr := openTest(t, t.TempDir())
	key := make([]byte, record.KeyBytes)
	line := (&record.Record{Log: origin, Kind: "k", Body: []byte(`{"context":{"c":"` + record.Commit(key, "context", []byte("secret")) + `","n":6}}`)}).Append(nil)
	if err := tr.Append(0, []record.Hash{record.Leaf(line)}); err != nil {
		t.Fatal(err)
	}
	if err := tr.Sign(); err != nil {
		t.Fatal(err)
	}
	var r Receipt
	if err := r.Add(tr, 0, line); err != nil {
		t.Fatal(err)
	}
	for content, good := range map[string]bool{"secret": true, "other": false} {
		r.Contents = []ReceiptContent{{Field: "context", Key: base64.RawURLEncoding.EncodeToString(key), Content: content}}
		if _, _, err := r.Verify(tr.o.Keys.Public()...); (err == nil) != good {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.json")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	keys, fresh, err := OpenKeys(file, "ins/audit", plainSealer{}, now)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	old := keys.Public()[0]
	v, err := keys.Rotate(now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckVouched(v.Note, v.Public, old); err != nil {
		t.Error(err)
	}
	if CheckVouched(v.Note, old, old) == nil || CheckVouched(v.Note, v.Public, v.Public) == nil {
		t.Error("a voucher holds for anything")
	}
	tr, err := Open(Options{Dir: filepath.Join(dir, "tree"), Origin: origin, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(n int64) (byOld, byNew bool) {
		t.Helper()
		if err := tr.Append(0, leavesOf(0, n)); err != nil {
			t.Fatal(err)
		}
		if err := tr.Sign(); err != nil {
			t.Fatal(err)
		}
		_, err1 := OpenCheckpoint(tr.Latest(), old)
		_, err2 := OpenCheckpoint(tr.Latest(), v.Public)
		return err1 == nil, err2 == nil
	}
	if a, b := sign(1); !a || !b {
		t.Errorf("during the overlap: old %v, new %v", a, b)
	}
	if r, err := keys.Retire(now.Add(59 * time.Minute)); err != nil || r != nil {
		t.Errorf("too early: %v, %v", r, err)
	}
	if r, err := keys.Retire(now.Add(time.Hour)); err != nil || len(r) != 1 || r[0] != old {
		t.Errorf("in time: %v, %v", r, err)
	}
	if a, b := sign(2); a || !b {
		t.Errorf("after the overlap: old %v, new %v", a, b)
	}
	again, fresh, err := OpenKeys(file, "ins/audit", lockedSealer{}, now)
	if err != nil || fresh {
		t.Fatal(fresh, err)
	}
	if diff := cmp.Diff(keys.All(), again.All()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), base64.StdEncoding.EncodeToString([]byte("\x00PRIVATE+KEY"))[:12]) {
		t.Errorf("sealed again once there is a passphrase: %s, %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenKeys(file, "ins/audit", plainSealer{}, now); fault.From(err).Code != "tree.keys" {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestWitness(t *testing.T) {
	t.Parallel()
	var got []witnessed
	fail := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fail {
			http.Error(w, "no", http.StatusTeapot)
			return
		}
		b, _ := io.ReadAll(r.Body)
		var one witnessed
		if err := json.Unmarshal(b, &one); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		got = append(got, one)
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "outside", "checkpoints")
	w := NewWitness(WitnessOptions{File: file, URL: srv.URL})
	tr := openTest(t, t.TempDir())
	tr.o.Witness = w.Offer
	for n := int64(1); n <= 3; n++ {
		if err := tr.Append(0, leavesOf(0, n)); err != nil {
			t.Fatal(err)
		}
		if err := tr.Sign(); err != nil {
			t.Fatal(err)
		}
		w.write()
		w.post(t.Context())
		if s := w.State(); s.URLErr == "" || (n < 3) != (s.FileErr != "") {
			t.Errorf("after %d: %+v", n, s)
		}
		if n == 2 {
			if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	fail = false
	w.post(t.Context())
	if len(got) != 1 || got[0].Origin != origin || got[0].Checkpoint != string(tr.Latest()) || w.State().URLErr != "" {
		t.Errorf("posted %+v, %+v", got, w.State())
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if list, err := ReadWitnessed(f); err != nil || len(list) != 1 || list[0] != string(tr.Latest()) {
		t.Errorf("the file has %q, %v", list, err)
	}
	if list, err := ReadWitnessed(strings.NewReader(string(tr.Latest()))); err != nil || len(list) != 1 {
		t.Errorf("a bare note: %q, %v", list, err)
	}
	for _, bad := range []string{"x", "{", `{"checkpoint":"x"}`} {
		if _, err := ReadWitnessed(strings.NewReader(bad)); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%q gives %v", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
}

func FuzzReceipt(f *testing.F) {
	tr := openTest(f, f.TempDir())
	if err := tr.Append(0, leavesOf(0, 300)); err != nil {
		f.Fatal(err)
	}
	if err := tr.Sign(); err != nil {
		f.Fatal(err)
	}
	var r Receipt
	if err := r.Add(tr, 7, lineOf(7)); err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(&r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	public := tr.o.Keys.Public()
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadReceipt(text)
		if err != nil {
			return
		}
		_, records, err := r.Verify(public...)
		for _, rec := range records {
			if err == nil && string(rec.Append(nil)) != string(lineOf(rec.Seq)) {
				t.Errorf("a record that is not in the log verifies: %s", rec.Append(nil))
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	tr := openTest(b, b.TempDir())
	leaves := leavesOf(0, 1000)
	b.ReportAllocs()
	at := int64(0)
	for b.Loop() {
		if err := tr.Append(at, leaves); err != nil {
			b.Fatal(err)
		}
		at += 1000
		if err := tr.Sign(); err != nil {
			b.Fatal(err)
		}
	}
}
