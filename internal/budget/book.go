package budget

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"reeve/internal/activity"
)

// book is what the decision log says was spent, up to its cursor, and nothing
// else: a pure function of the log, so that a snapshot of it and the records
// after it give the same as the whole log. What is live is kept apart, since
// the log runs behind it.
//
//	Reserve --> decision.Propose --(log)--> Replay: spent += amount, open
//	Settle  --> decision.Complete -(log)--> Replay: spent += came to - amount
//
// A proposed decision without its completion stays open, and its amount spent.
type book struct {
	mu     sync.Mutex
	cursor uint64
	saved  uint64 // cursor of the snapshot on disk
	lines  map[line]*sum
	open   map[string][]entry // by decision
}

// line is one share of one budget.
type line struct{ Budget, Key string }

// sum is what was spent on a line in the newest period of the newest count.
type sum struct {
	Count, Since, Spent, Unknown int64
}

// entry is a reservation whose call is not completed.
type entry struct {
	line
	Count, Since, Amount int64
}

// Replay takes the next record of the decision log: a decision as it was
// proposed or as it was completed, with its position. Records that were seen
// are left out. One goroutine calls it, from the start of the process
// on; Ready opens the ledger once it has seen what earlier processes left.
func (l *Ledger) Replay(position uint64, d *activity.Decision) {
	b := &l.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if position <= b.cursor && position != 0 {
		return
	}
	b.cursor = max(b.cursor, position)
	if d.Completed <= 0 {
		b.proposed(d)
		return
	}
	b.completed(d)
}

// Read says up to which position the log was read: what Replay was not told of
// is of no budget.
func (l *Ledger) Read(position uint64) {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	l.book.cursor = max(l.book.cursor, position)
}

func (b *book) proposed(d *activity.Decision) {
	if _, again := b.open[d.ID]; again || len(d.Reserved) == 0 || d.Verdict == activity.VerdictDeny {
		return
	}
	list := make([]entry, 0, len(d.Reserved))
	for _, r := range d.Reserved {
		e := entry{line{r.Budget, r.Key}, r.Count, r.Since, r.Amount}
		if s := b.sum(e); s != nil {
			s.Spent = add(s.Spent, max(r.Amount, 0))
		}
		list = append(list, e)
	}
	b.open[d.ID] = list
}

func (b *book) completed(d *activity.Decision) {
	open := b.open[d.ID]
	delete(b.open, d.ID)
	for _, e := range open {
		s := b.sum(e)
		if s == nil {
			continue
		}
		switch came := cameTo(d, e); {
		case came == activity.Unknown && e.Amount < 0:
			s.Unknown++
		case came != activity.Unknown:
			s.Spent = add(s.Spent-max(e.Amount, 0), came)
		}
	}
}

// cameTo is what a completed decision spent of an entry; Unknown when its
// record does not say.
func cameTo(d *activity.Decision, e entry) int64 {
	for _, r := range d.Reserved {
		if r.Budget == e.Budget && r.Key == e.Key && r.Count == e.Count && r.Since == e.Since {
			return max(r.Spent, activity.Unknown)
		}
	}
	if d.Result == activity.ResultDenied {
		return 0
	}
	return activity.Unknown
}

// sum is the line that an entry counts in; nil when its period or its count is
// over.
func (b *book) sum(e entry) *sum {
	s := b.lines[e.line]
	switch {
	case s == nil || e.Count > s.Count || e.Count == s.Count && e.Since > s.Since:
		s = &sum{Count: e.Count, Since: e.Since}
		b.lines[e.line] = s
	case e.Count < s.Count || e.Since < s.Since:
		return nil
	}
	return s
}

// Start tells where the decision log ends and answers after which position
// Replay goes on. A log that ends before the snapshot lost its tail in a power
// cut; what the snapshot counted stays counted, and new records are not taken
// for those.
func (l *Ledger) Start(last uint64) (after uint64) {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	l.book.cursor = min(l.book.cursor, last)
	return l.book.cursor
}

// Ready takes over what the log says and lets calls reserve. What earlier
// processes left open stays spent.
func (l *Ledger) Ready() {
	l.book.mu.Lock()
	defer l.book.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready {
		return
	}
	for at, s := range l.book.lines {
		a := l.accounts[at.Budget]
		if a == nil || a.def.count != s.Count {
			continue
		}
		v := &share{since: s.Since, spent: s.Spent, unknown: s.Unknown}
		v.told = reached(a.def.limit, v.spent) // told before the restart
		a.shares[at.Key] = v
	}
	l.ready = true
}

// stored is a snapshot of the book as its file keeps it.
type stored struct {
	Version int                `json:"v"`
	Cursor  uint64             `json:"cursor"`
	Lines   []storedLine       `json:"lines"`
	Open    map[string][]entry `json:"open"`
}

type storedLine struct {
	line
	sum
}

const (
	snapshotVersion = 1
	snapshotFile    = "budgets.json"
	maxSnapshot     = 1 << 30
)

// load reads the snapshot. One that is missing or damaged is no loss: the log
// is read from its beginning instead.
func (b *book) load(dir string) error {
	b.lines, b.open = map[line]*sum{}, map[string][]entry{}
	raw, err := os.ReadFile(filepath.Join(dir, snapshotFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	head, body, ok := bytes.Cut(raw, []byte("\n"))
	want := sha256.Sum256(body)
	if got, err := hex.DecodeString(string(head)); !ok || err != nil || !bytes.Equal(got, want[:]) {
		return errors.New("its checksum does not fit")
	}
	var s stored
	if err := json.Unmarshal(body, &s); err != nil {
		return err
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("it has version %d", s.Version)
	}
	b.cursor = s.Cursor
	for _, v := range s.Lines {
		b.lines[v.line] = &v.sum
	}
	if s.Open != nil {
		b.open = s.Open
	}
	return nil
}

// prune leaves out lines that count for nothing any more; now nil leaves all.
func (b *book) prune(now map[string]counting) {
	if now == nil {
		return
	}
	for at, s := range b.lines {
		c, there := now[at.Budget]
		if !there || s.Count < c.count || s.Count == c.count && s.Since < c.since {
			delete(b.lines, at)
		}
	}
}

// encode writes the book for its file; mu is held.
func (b *book) encode() ([]byte, error) {
	s := stored{Version: snapshotVersion, Cursor: b.cursor, Lines: make([]storedLine, 0, len(b.lines)), Open: make(map[string][]entry, len(b.open))}
	for at, v := range b.lines {
		s.Lines = append(s.Lines, storedLine{at, *v})
	}
	for id, list := range b.open {
		s.Open[id] = list
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return append(append(hex.AppendEncode(nil, sum[:]), '\n'), body...), nil
}

// save puts a snapshot in the place of the one before it, in one step.
func save(dir string, raw []byte) (err error) {
	f, err := os.CreateTemp(dir, snapshotFile+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, snapshotFile))
}
