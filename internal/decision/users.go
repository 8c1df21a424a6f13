package decision

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"reeve/internal/audit/record"
	"reeve/internal/control"
)

// users gives the people that agents act for a pseudonym each. The pseudonym is
// random, not derived, so that nobody can try names on it once the map is
// erased. Names are remembered in memory, in two generations that bound it: one
// that was forgotten gets another pseudonym.
//
// A new name travels as content beside the first record that uses it, and the
// keeper saves it in the control database, which no call waits for.
type users struct {
	mu         sync.Mutex
	young, old map[string]string
}

const (
	usersKept  = 100_000 // a generation
	userPrefix = "usr_"
)

// pseudonym finds or makes the pseudonym of a name; fresh tells that its record
// must carry the name.
func (u *users) pseudonym(name string) (p string, fresh bool) {
	if name == "" {
		return "", false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := u.young[name]; p != "" {
		return p, false
	}
	p = u.old[name]
	if fresh = p == ""; fresh {
		var b [10]byte
		rand.Read(b[:])
		p = userPrefix + enc32.EncodeToString(b[:])
	}
	u.put(name, p)
	return p, fresh
}

// put remembers a pseudonym. Called with mu held.
func (u *users) put(name, p string) {
	if len(u.young) >= usersKept || u.young == nil {
		u.old, u.young = u.young, make(map[string]string)
	}
	u.young[name] = p
}

// forget makes the next record of a name use another pseudonym.
func (u *users) forget(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.young, name)
	delete(u.old, name)
}

// drop takes back a pseudonym whose first record was not written.
func (u *users) drop(name, p string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.young[name] == p {
		delete(u.young, name)
	}
}

type named struct{ pseudonym, name string }

func scanNamed(r control.Row) (n named, err error) { return n, r.Scan(&n.pseudonym, &n.name) }

// loadUsers remembers the names that came last.
func (l *Log) loadUsers(ctx context.Context) error {
	if l.o.DB == nil {
		return nil
	}
	list, err := control.All(ctx, l.o.DB, scanNamed, `SELECT pseudonym, name FROM decision_users ORDER BY at DESC LIMIT ?`, usersKept)
	if err != nil {
		return err
	}
	l.users.mu.Lock()
	defer l.users.mu.Unlock()
	for i := len(list) - 1; i >= 0; i-- {
		l.users.put(list[i].name, list[i].pseudonym)
	}
	return nil
}

// saveTimeout bounds what the keeper waits for the control database.
const saveTimeout = 2 * time.Second

// saveUsers keeps the names of new pseudonyms.
func (l *Log) saveUsers(ctx context.Context, list []named) error {
	if l.o.DB == nil || len(list) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	return l.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, n := range list {
			if _, err := tx.Exec(ctx, `INSERT INTO decision_users (pseudonym, name, at) VALUES (?, ?, ?) ON CONFLICT (pseudonym) DO NOTHING`,
				n.pseudonym, n.name, control.Micros(l.o.Now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// nameOf is the name in a record's content and the pseudonym in the record; the
// zero value for a record without a name.
func nameOf(e entryAt) (named, error) {
	if e.extra == nil {
		return named{}, nil
	}
	_, parts, _, err := contentParts(e.extra)
	if err != nil || len(parts[contentUser]) == 0 {
		return named{}, err
	}
	r, err := record.Parse(e.line)
	if err != nil {
		return named{}, err
	}
	d, _, err := readProposed(r.Body)
	return named{d.User, string(parts[contentUser])}, err
}

// keepUsers saves the names in the records that are kept, from where the last
// success ended. A database that is down delays it and nothing else.
func (l *Log) keepUsers(ctx context.Context) error {
	for l.state.Users < l.state.Seq {
		chunks, err := l.since(ctx, l.state.Users)
		if err != nil {
			return err
		}
		s := l.state
		var list []named
		for i := range chunks {
			err := chunks[i].each(s.Users, func(seq int64, e entryAt) error {
				n, err := nameOf(e)
				if n.name != "" {
					list = append(list, n)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if len(chunks) == 0 {
			return nil
		}
		if err := l.saveUsers(ctx, list); err != nil {
			return err
		}
		s.Users = min(chunks[len(chunks)-1].next, s.Seq)
		l.state = s // written with the next commit; until then it is only done again
	}
	return nil
}

// UserName is who is behind a pseudonym; "" when nobody knows (any more).
func (l *Log) UserName(ctx context.Context, pseudonym string) (string, error) {
	if l.o.DB == nil || !strings.HasPrefix(pseudonym, userPrefix) {
		return "", nil
	}
	n, _, err := control.One(ctx, l.o.DB, scanNamed, `SELECT pseudonym, name FROM decision_users WHERE pseudonym = ?`, pseudonym)
	return n.name, err
}

// Pseudonyms are those that a name has or had.
func (l *Log) Pseudonyms(ctx context.Context, name string) ([]string, error) {
	if l.o.DB == nil {
		return nil, nil
	}
	list, err := control.All(ctx, l.o.DB, scanNamed, `SELECT pseudonym, name FROM decision_users WHERE name = ?`, name)
	var out []string
	for _, n := range list {
		out = append(out, n.pseudonym)
	}
	l.users.mu.Lock()
	defer l.users.mu.Unlock()
	for _, m := range []map[string]string{l.users.young, l.users.old} {
		if p := m[name]; p != "" { // not saved yet, perhaps
			out = append(out, p)
		}
	}
	return out, err
}

// Commit is the keyed digest that belongs in Decision.ArgumentsHash: equal for
// equal arguments, and no use for guessing without the installation's key. The
// record holds only a commitment to it.
func (l *Log) Commit(arguments []byte) string {
	m := hmac.New(sha256.New, l.key)
	m.Write(arguments)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// loadKey reads the key of Commit, or makes it.
func (l *Log) loadKey() error {
	path := filepath.Join(l.o.Dir, "arguments-key")
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == sha256.Size:
		l.key = key
		return nil
	case err == nil:
		return archiveFault(fmt.Errorf("%s is no key", path))
	case !errors.Is(err, fs.ErrNotExist):
		return archiveFault(err)
	}
	l.key = make([]byte, sha256.Size)
	rand.Read(l.key)
	return archiveFault(replaceFile(path, l.key))
}
