package decision

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/audit/tree"
	"reeve/internal/fault"
)

// Report is what Verify found.
type Report struct {
	Log      string // its name; "" when nothing was archived yet
	Records  int64  // that are there
	First    int64  // of them; those before fell to retention
	Last     int64  // -1 for none
	LastLeaf string
	Erased   int64 // records whose content was erased, with a record that says so
	Open     int64 // proposed and not completed
	Agreed   int64 // records under the largest checkpoint that agrees
	Break    *Break
}

// Break is where the log does not hold.
type Break struct {
	Seq    int64
	Reason string
}

// verifier walks a log once.
type verifier struct {
	r       Report
	check   *tree.Check
	prev    record.Hash
	at      int64
	started bool
	open    map[string]bool

	missing   map[string]int64 // by user: the newest record whose content is not there
	erased    map[string]int64 // by user: the newest record that says it was erased
	runs      map[string]int64 // by run: the newest record that says it was erased
	known     map[string]int64 // runs of a former walk; nil for the first
	before    int64            // content of records before it was erased
	retention int64            // records before it were dropped, says a record
}

// Verify reads the archive in dir, whether or not a process writes to it, and
// follows the chain from the first record to the last that was archived (those
// of the last second are still in the stream). checkpoints are signed notes of
// our own or from witnesses, keys the public keys that may have signed them.
// Its error is about reading; what is wrong with the log is in the report.
func Verify(dir string, checkpoints []string, keys []string) (Report, error) {
	r, runs, err := verify(dir, checkpoints, keys, nil)
	if err == nil && r.Break != nil && len(runs) > 0 {
		// Which runs were erased is known after they were met: they are walked again
		// for it, rather than remembering every run whose content retention dropped.
		r, _, err = verify(dir, checkpoints, keys, runs)
	}
	return r, err
}

func verify(dir string, checkpoints, keys []string, known map[string]int64) (Report, map[string]int64, error) {
	v := verifier{r: Report{Last: -1}, open: map[string]bool{}, missing: map[string]int64{}, erased: map[string]int64{}, runs: map[string]int64{}, known: known}
	r, err := v.verify(dir, checkpoints, keys)
	return r, v.runs, err
}

func (v *verifier) verify(dir string, checkpoints, keys []string) (Report, error) {
	// The checkpoint first: signed over what was archived before, it is never
	// ahead of a state that is read after it.
	if own, err := os.ReadFile(filepath.Join(dir, "tree", "checkpoint")); err == nil {
		checkpoints = append([]string{string(own)}, checkpoints...)
	}
	s := state{Records: shelfEnd{File: -1}, Contents: shelfEnd{File: -1}}
	text, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return v.r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return v.r, archiveFault(err)
	}
	v.r.Log = s.Log
	if v.check, err = tree.NewCheck(s.Log, checkpoints, keys...); err != nil {
		return v.r, err
	}
	records, _, err := listShelf(filepath.Join(dir, "records"), s.Records)
	if err != nil {
		return v.r, err
	}
	contents, _, err := listShelf(filepath.Join(dir, "content"), s.Contents)
	if err != nil {
		return v.r, err
	}
	if err := v.walk(dir, records, contents, s.Seq); err != nil && !errors.Is(err, errStop) {
		if f := fault.From(err); f.Code != "decision.archive_damaged" {
			return v.r, err
		}
		v.stop(v.r.Last+1, err.Error())
	}
	return v.r, nil
}

// stop reports the first break.
func (v *verifier) stop(seq int64, reason string) error {
	if v.r.Break == nil {
		v.r.Break = &Break{seq, reason}
	}
	return errStop
}

func (v *verifier) walk(dir string, records, contents *shelf, end int64) error {
	content := &cursor{shelf: contents}
	err := records.read(0, func(it item) error {
		if it.seq >= end {
			return errStop
		}
		if !v.started {
			if err := v.begin(dir, it.seq); err != nil {
				return err
			}
		}
		c, err := content.at(it.seq)
		if err != nil {
			return err
		}
		return v.record(it, c)
	})
	if err != nil || v.r.Break != nil {
		return err
	}
	if v.r.Last+1 < end {
		return v.stop(v.r.Last+1, fmt.Sprintf("the newest %d records are gone from the archive", end-v.r.Last-1))
	}
	if err := v.check.End(); err != nil {
		return v.stop(v.r.Last+1, err.Error())
	}
	v.r.Agreed = v.check.Agreed
	v.r.Open = int64(len(v.open))
	return v.missed()
}

// begin takes the leaves of what retention dropped from the tiles.
func (v *verifier) begin(dir string, first int64) error {
	v.started = true
	v.r.First, v.r.Last = first, first-1
	if first == 0 {
		return nil
	}
	t, err := tree.Open(tree.Options{Dir: filepath.Join(dir, "tree"), Origin: v.r.Log, Keys: &tree.Keys{}})
	if err != nil {
		return err
	}
	for at := int64(0); at < first; {
		leaves, err := t.Leaves(at)
		if err != nil {
			return err
		}
		if len(leaves) == 0 {
			return v.stop(at, "neither the record nor its hash is there")
		}
		for _, leaf := range leaves[:min(int64(len(leaves)), first-at)] {
			if err := v.check.Add(leaf); err != nil {
				return v.stop(at, err.Error())
			}
			v.prev = leaf
			at++
		}
	}
	return nil
}

func (v *verifier) record(it item, c *content) error {
	r, err := record.Parse(it.data)
	switch {
	case err != nil:
		return v.stop(it.seq, "it is no record in canonical form: it was changed after it was written")
	case it.seq != v.r.Last+1:
		return v.stop(v.r.Last+1, "it is missing")
	case r.Seq != it.seq:
		return v.stop(it.seq, fmt.Sprintf("it says that it is record %d", r.Seq))
	case r.Log != v.r.Log:
		return v.stop(it.seq, "it is of another log: "+r.Log)
	case r.Seq > 0 && r.Prev != v.prev:
		return v.stop(it.seq, "it does not follow the one before: one of the two was changed, or their order was")
	case r.At < v.at:
		return v.stop(it.seq, "it is older than the one before")
	}
	leaf := record.Leaf(it.data)
	if err := v.check.Add(leaf); err != nil {
		return v.stop(it.seq, err.Error())
	}
	v.prev, v.at = leaf, r.At
	v.r.Records, v.r.Last, v.r.LastLeaf = v.r.Records+1, it.seq, leaf.String()
	return v.body(&r, c)
}

// body checks what a record says about others, and its content.
func (v *verifier) body(r *record.Record, c *content) error {
	switch r.Kind {
	case KindProposed:
		d, commits, err := readProposed(r.Body)
		if err != nil {
			return v.stop(r.Seq, "its body cannot be read")
		}
		if d.Result == activity.ResultPending {
			v.open[d.ID] = true
		}
		return v.content(r.Seq, &d, commits, c)
	case KindCompleted:
		var d activity.Decision
		o, err := readCompleted(r.Body, &d)
		if err != nil {
			return v.stop(r.Seq, "its body cannot be read")
		}
		if !v.open[o.id] && o.proposed >= v.r.First {
			return v.stop(r.Seq, "it completes a decision that is not open")
		}
		delete(v.open, o.id)
	case KindErased:
		e, err := readErasure(r.Body)
		if err != nil {
			return v.stop(r.Seq, "its body cannot be read")
		}
		for _, u := range e.users {
			v.erased[u] = r.Seq
		}
		for _, run := range e.runs {
			v.runs[run] = r.Seq
		}
		v.before = max(v.before, min(e.before, r.Seq))
	case KindRetention:
		e, err := readErasure(r.Body)
		if err != nil {
			return v.stop(r.Seq, "its body cannot be read")
		}
		v.retention = max(v.retention, min(e.before, r.Seq))
	}
	return nil
}

func (v *verifier) content(seq int64, d *activity.Decision, commits commitments, c *content) error {
	if commits.arguments.c == "" && commits.context.c == "" {
		return nil
	}
	if c == nil {
		v.r.Erased++
		if v.known == nil || seq >= v.known[d.Run.String()] {
			v.missing[d.User] = seq // records come in order: the newest stays
		}
		return nil
	}
	if !commits.arguments.holds(c.key, "arguments", []byte(c.arguments)) || !commits.context.holds(c.key, "context", c.context) {
		return v.stop(seq, "its content was changed after it was written")
	}
	return nil
}

// missed asks a reason for all that is not there.
func (v *verifier) missed() error {
	for user, seq := range v.missing {
		if seq >= v.before && seq >= v.erased[user] {
			return v.stop(seq, "its content is gone, and no record says that it was erased")
		}
	}
	if v.r.First > 0 && v.retention < v.r.First {
		return v.stop(v.r.First-1, "records are gone, and no record says that retention dropped them")
	}
	return nil
}

// cursor walks a shelf beside another.
type cursor struct {
	shelf *shelf
	next  int64
	items []item
}

// at gives the content of a record; nil when there is none. seq ascends.
func (k *cursor) at(seq int64) (*content, error) {
	for {
		for len(k.items) > 0 && k.items[0].seq < seq {
			k.items = k.items[1:]
		}
		if len(k.items) > 0 {
			if k.items[0].seq > seq {
				return nil, nil
			}
			c, _, err := readContent(k.items[0].data)
			return &c, err
		}
		if k.next < 0 {
			return nil, nil
		}
		k.next = max(k.next, seq)
		size := 0
		err := k.shelf.read(k.next, func(it item) error {
			k.items = append(k.items, it)
			if size += len(it.data); size > readAtOnce {
				return errStop
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(k.items) == 0 {
			k.next = -1
			continue
		}
		k.next = k.items[len(k.items)-1].seq + 1
	}
}

// erasure is the body of content.erased and of retention: of whom, and of which
// records.
type erasure struct {
	users  []string
	runs   []string
	before int64
}

func readErasure(body []byte) (e erasure, err error) {
	r := record.NewReader(body)
	r.Object(func(key []byte) {
		switch string(key) {
		case "users":
			e.users = r.Strings()
		case "runs":
			e.runs = r.Strings()
		case "before":
			e.before = r.Int()
		default:
			r.Skip()
		}
	})
	return e, r.End()
}
